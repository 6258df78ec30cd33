"""dbt's flags of what it does in the old way or a new one (https://docs.getdbt.com/reference/global-configs/behavior-changes).

dbt adds an adapter's own flags to its one list of defaults, in place, each time that an adapter is made; and to learn
who asks for a flag it looks at all frames and modules of Python, 30 ms of computing for each. So the hundredth build
of a process paid seconds for a hundred flags. Here each adapter has each flag once, and whose they are is known.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from dbt_common.behavior_flags import Behavior, BehaviorFlag, BehaviorFlagRendered


class _Flag(BehaviorFlagRendered):
    @staticmethod
    def _default_source() -> str:
        return "dbt.adapters"


class _Behavior(Behavior):
    def __init__(self, flags: Sequence[BehaviorFlag], chosen: Mapping[str, Any]):
        self._flags = [_Flag(each, dict(chosen)) for each in flags]


class HasBehavior:
    """An adapter's `behavior`, made of dbt's defaults, its own flags and what dbt_project.yml says of them."""

    config: Any
    _behavior_flags: Sequence[BehaviorFlag]

    @property
    def behavior(self) -> Behavior:
        """The flags by name: `adapter.behavior.a_flag` is true or false."""
        return self._behavior

    @behavior.setter
    def behavior(self, defaults: Sequence[BehaviorFlag]) -> None:
        # No project is loaded for `dbt debug`, and none says flags as a rule.
        self._behavior = _Behavior([*defaults, *self._behavior_flags], getattr(self.config, "flags", None) or {})
