"""How methods of the adapters are offered to macros."""

import functools
from collections.abc import Callable
from typing import Any, TypeVar

from dbt.adapters.base.meta import available
from dbt_common.exceptions import DbtRuntimeError

from dayslice.errors import DaysliceError, NotYet, Refused
from dayslice.rules.dbt_graph import remembered

F = TypeVar("F", bound=Callable[..., Any])

REFUSALS: list[str] = []
"""What was refused in this process, in words: dbt's results do not tell a refused slice from a broken query."""


def for_jinja(method: F) -> F:
    """Offer a method to macros; its DaysliceError becomes dbt's own kind, which dbt prints without a traceback."""
    return available.parse_none(_with_dbt_s_errors(method))  # type: ignore[return-value]


def while_parsing(method: F) -> F:
    """The same, and dbt calls it while it parses too. For what asks nobody."""
    return available(_with_dbt_s_errors(method))  # type: ignore[return-value]


def _with_dbt_s_errors(method: F) -> F:
    @functools.wraps(method)
    def call(*args: Any, **kwargs: Any) -> Any:
        try:
            if len(args) > 1 and isinstance(args[1], dict) and "nodes" in args[1]:  # dbt's graph
                return method(args[0], remembered(args[1]), *args[2:], **kwargs)
            return method(*args, **kwargs)
        except DaysliceError as error:
            if isinstance(error, Refused) and not isinstance(error, NotYet):
                REFUSALS.append(str(error))
            raise DbtRuntimeError(str(error)) from error

    return call  # type: ignore[return-value]
