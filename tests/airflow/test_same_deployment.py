"""What is deployed of a project is the same, whichever process parsed it and in whichever order it met the files."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.sql.warehouse_project import PARSED

TABLES = ("alpha", "beta", "gamma", "delta")
YAML = """
sources:
  - name: erp
    config: {meta: {connection: erp, slice: events}}
    tables: [{name: alpha}, {name: beta}, {name: gamma}, {name: delta}]
models:
  - name: joined
    config: {meta: {owner: a}}
    columns:
      - {name: number, data_tests: [unique]}
      - {name: id, data_tests: [unique, not_null]}
  - {name: other, config: {meta: {owner: a}}}
  - {name: shown, config: {materialized: table}}
"""
FILES = {
    "models/models.yml": YAML,
    "models/joined.sql": "select 1 as number, 1 as id from "
    + " cross join ".join(f"{{{{ source('erp', '{each}') }}}}" for each in TABLES),
    "models/other.sql": "select 1 as id from {{ ref('joined') }} cross join {{ source('erp', 'delta') }}",
    "models/shown.sql": "select * from {{ ref('joined') }} cross join {{ ref('other') }}",
    "tests/both.sql": "select 1 from {{ ref('joined') }} cross join {{ source('erp', 'beta') }} where false",
}
TELL = """
import dataclasses, json
from pathlib import Path
from dayslice.orchestration.dag_index import index_tables
from dayslice.runner.project import parse_project
project = parse_project(Path("."))
tables = [dataclasses.asdict(each) for each in index_tables(project)]
keys = {each.name: each.key for each in project.tables.values()}
print(json.dumps([tables, keys], default=str))
"""


def deployed(project, seed):
    """What a process says of it whose sets are in the order of a seed."""
    done = subprocess.run(
        [sys.executable, "-c", TELL],
        cwd=project.root,
        env={**os.environ, "PYTHONHASHSEED": str(seed), "PYTHONPATH": str(Path(__file__).parents[2])},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return json.loads(done.stdout.splitlines()[-1])


@pytest.fixture
def project(make_project):
    return make_project(FILES)


def test_a_parse_by_another_process_makes_the_same(project):
    found = []
    for seed in (1, 2, 3):
        (project.root / PARSED).unlink(missing_ok=True)
        found.append(deployed(project, seed))
    assert found[0] == found[1] == found[2]
    tables, keys = found[0]
    (joined,) = (each for each in tables if each["name"] == "joined")
    assert [each["name"] for each in joined["waits"]] == sorted(TABLES)
    assert keys["joined"] == ["number"], "of two keys the first in the YAML"


def test_what_was_parsed_anew_is_in_its_place(project):
    before = deployed(project, 1)
    for more in (" -- looked at", ""):
        for name in ("models/joined.sql", "tests/both.sql"):
            (project.root / name).write_text(FILES[name] + more)
        deployed(project, 1)
    assert deployed(project, 2) == before
