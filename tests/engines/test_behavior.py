"""dbt's behaviour flags, which each adapter of a process has once."""

from types import SimpleNamespace

import pytest
from dbt.adapters.base.impl import DEFAULT_BASE_BEHAVIOR_FLAGS
from dbt.adapters.dayslice.behavior import HasBehavior
from dbt.adapters.dayslice_duckdb.impl import Dayslice_DuckDBAdapter
from dbt.adapters.dayslice_trino.impl import Dayslice_TrinoAdapter

OWN = "require_certificate_validation"


class Adapter(HasBehavior):
    """What is made again for each command that dbt runs."""

    _behavior_flags = ({"name": OWN, "default": False, "description": "Of one adapter."},)

    def __init__(self, **flags):
        self.config = SimpleNamespace(flags=flags)
        self.behavior = DEFAULT_BASE_BEHAVIOR_FLAGS


def test_the_defaults_are_what_they_were_after_many_adapters():
    names = [each["name"] for each in DEFAULT_BASE_BEHAVIOR_FLAGS]
    for _ in range(3):
        flags = Adapter().behavior._flags
    assert [each.name for each in flags] == [*names, OWN]
    assert [each["name"] for each in DEFAULT_BASE_BEHAVIOR_FLAGS] == names


def test_a_flag_is_what_the_project_says():
    assert not Adapter().behavior.require_certificate_validation.no_warn
    assert Adapter(**{OWN: True}).behavior.require_certificate_validation


@pytest.mark.parametrize("adapter", [Dayslice_DuckDBAdapter, Dayslice_TrinoAdapter])
def test_both_adapters_have_them_so(adapter):
    assert adapter.behavior is HasBehavior.behavior
