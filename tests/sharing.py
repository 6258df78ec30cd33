"""How tests are shared among the processes of pytest-xdist (`-n 2`, as `make test` does).

A group is what one process runs, one test after another: a module; a folder whose tests share what is made once a
session; all that uses Superset; and, of a folder, all that uses Trino's stack. A process has a stack of its own from
the first such test on: one for both would have to be taken turns with, and half of all time goes there.
"""

import os
import re

import pytest
from xdist.scheduler import LoadScopeScheduling

THE_STACK = "the stack"
SUPERSET = "tests/superset"
RUNNING_AIRFLOW = "a running Airflow"
AIRFLOW = ("tests/airflow/test_instance.py", "tests/airflow/test_outages.py", "tests/airflow/test_three_days.py")
AIRFLOW_ON_TRINO = "tests/airflow/test_on_trino.py"
SHARING = ("tests/demo", "tests/airflow", SUPERSET)
# What takes long begins first, or one process would end with it while the other has nothing to do. All else is in
# the order of the tree; then Airflow's processes, which are least in the way of Trino there.
FIRST = (
    f"{THE_STACK}, tests/sql",
    SUPERSET,
    f"{THE_STACK}, tests/trino",
    AIRFLOW_ON_TRINO,
    f"{THE_STACK}, tests/metastore",
    f"{THE_STACK}, tests/importers",
    f"{THE_STACK}, tests/commands",
    "tests/demo",
    "tests/commands/test_within_an_hour.py",
    "tests/airflow",
    "tests/docs/test_first_table.py",
    "tests/docs/test_upkeep.py",
    "tests/package/test_wheel.py",
    "tests/commands/test_jobs.py",
    "tests/sql/test_many_processes.py",
)


def group_of(nodeid: str) -> str:
    """The group of a test, by its name: who shares tests out has nothing else of them."""
    path, _, name = nodeid.partition("::")
    folder = path.rpartition("/")[0]
    on_trino = path == AIRFLOW_ON_TRINO or folder == "tests/trino" or re.search(r"[\[-](trino|hive)[\]-]", name)
    if (on_trino or folder == SUPERSET) and "DAYSLICE_TEST_STACK" in os.environ:
        return THE_STACK  # one that is up already, for all
    if on_trino:
        return path if path == AIRFLOW_ON_TRINO else f"{THE_STACK}, {folder}"
    if path in AIRFLOW:
        return RUNNING_AIRFLOW
    return folder if folder in SHARING else path


def place_of(item: pytest.Item) -> int:
    """When its group begins: the earlier, the smaller."""
    group = group_of(item.nodeid)
    if group == RUNNING_AIRFLOW:
        return len(FIRST) + 1
    return FIRST.index(group) if group in FIRST else len(FIRST)


class Groups(LoadScopeScheduling):
    """Gives a group to a process, and the next one when it is nearly done; in the order of the tests."""

    def __init__(self, config: pytest.Config, log: object):
        config.option.loadscopereorder = False
        super().__init__(config, log)

    def _split_scope(self, nodeid: str) -> str:
        return group_of(nodeid)
