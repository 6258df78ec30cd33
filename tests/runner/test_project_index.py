"""The index of a parsed project: commands that only look do not start dbt, and never look at an old project."""

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from dayslice.engines.target import load_target
from dayslice.runner.project import Project, load_project
from dayslice.runner.project_files import stamp_of_environment, stamp_of_files, watched_paths
from dayslice.runner.project_index import ProjectIndex, Stamp, read_index, write_index
from dayslice.runner.selection import select_made
from tests.sql.warehouse_project import WarehouseProject

FILES = {
    "models/erp.yml": """
sources:
  - name: erp
    config: {meta: {connection: erp}}
    tables:
      - {name: airlines}
      - {name: planes}
      - {name: flights, config: {meta: {slice: events, "on": flight_date}}}
""",
    "models/flights/flights_flat.yml": """
models:
  - name: flights_flat
    description: One row per flight.
    config: {meta: {slice: events, owner: analytics}}
    columns: [{name: id, data_type: bigint, data_tests: [unique]}]
""",
    "models/flights/flights_flat.sql": "select f.id from {{ source('erp', 'flights') }} as f "
    "join {{ source('erp', 'airlines') }} as a using (carrier) join {{ ref('kinds') }} as k using (carrier)",
    "models/flights/flights_flat_latest.sql": "{{ latest('flights_flat') }}",
    "models/flights/airport_daily.sql": "select count(*) as flights from {{ ref('flights_flat') }}",
    "models/flights/carrier_metrics.sql": "select flights from {{ ref('airport_daily') }} "
    "cross join {{ source('erp', 'planes') }}",
    "models/flights/route_delays_7d.sql": "select id from {{ slice('flights_flat', range=7) }}",
    "models/flights/summary.sql": "{{ config(materialized='table') }} "
    "select count(*) as n from {{ ref('airport_daily') }}",
    "models/flights/shown.sql": "{{ config(materialized='view') }} select n from {{ ref('summary') }}",
    "seeds/kinds.csv": "carrier,kind\nAA,large\n",
    "macros/own.sql": "{% macro own() %}{% endmacro %}",
}
LOOK = """
import sys
from dayslice import cli
sys.argv = ["dayslice", *sys.argv[1:]]
try:
    cli.main()
finally:
    print("dbt" if "dbt.version" in sys.modules or "dbt.cli" in sys.modules else "no dbt", file=sys.stderr)
"""


@pytest.fixture(scope="module")
def root(tmp_path_factory) -> Path:
    """The folder of a dbt project."""
    return WarehouseProject(tmp_path_factory.mktemp("project"), FILES).root


@pytest.fixture(scope="module")
def parsed(root) -> Project:
    """It, by dbt; its index is there afterwards."""
    return load_project(root)


def indexed(root: Path) -> ProjectIndex:
    found = read_index(root, None)
    assert found is not None
    return found


def index_file(root: Path) -> Path:
    [file] = (root / "target" / "dayslice").glob("*.index")
    return file


def test_the_index_says_what_dbt_says(root, parsed):
    known = load_project(root)
    assert known.dbt.manifest is None
    assert known.time_zone == parsed.time_zone
    for name in ("name", "type", "database", "schema", "home", "warehouse", "database_file"):
        assert getattr(known.target, name) == getattr(parsed.target, name)
    assert list(known.tables) == list(parsed.tables)
    for unique_id, node in parsed.tables.items():
        assert vars(known.tables[unique_id]) == vars(node)


def test_the_graph_is_parsed_when_it_is_asked_for(root, parsed):
    known = load_project(root)
    assert known.graph["nodes"].keys() == parsed.graph["nodes"].keys()
    assert known.dbt.manifest is not None


@pytest.mark.parametrize(
    "command",
    [
        ["status"],
        ["status", "--select", "flights_flat+", "--exclude", "source:erp"],
        ["versions", "erp.flights", "--ds", "2013-01-05"],
        ["retain", "--dry-run"],
        ["backfill", "--from", "2013-01-05", "--to", "2013-01-06", "--dry-run"],
        ["import", "--all", "--ds", "2013-01-05", "--dry-run"],
    ],
    ids=lambda command: command[0],
)
def test_a_command_that_only_looks_does_not_start_dbt(root, parsed, command):
    looked = subprocess.run(
        [sys.executable, "-c", LOOK, *command], cwd=root, capture_output=True, text=True, check=False
    )
    assert looked.stderr.endswith("no dbt\n"), looked.stderr


CHANGES = {
    "a model": ("models/flights/flights_flat.sql", "replace"),
    "its YAML": ("models/flights/flights_flat.yml", "replace"),
    "a macro": ("macros/own.sql", "replace"),
    "the profile": ("profiles.yml", "replace"),
    "the project's file": ("dbt_project.yml", "replace"),
    "a new model": ("models/flights/new.sql", "add"),
    "a new folder's model": ("models/deep/er/new.sql", "add"),
    "a package": ("dbt_packages/other/macros/new.sql", "add"),
    "the packages": ("packages.yml", "add"),
    "the variables": ("vars.yml", "add"),
    "a seed's name": ("seeds/new.csv", "add"),
    "a model that goes": ("models/flights/airport_daily.sql", "remove"),
}


@pytest.mark.parametrize(("name", "how"), CHANGES.values(), ids=CHANGES)
def test_a_changed_file_is_always_seen(root, parsed, name, how):
    file = root / name
    before = file.read_bytes() if file.exists() else None
    kept = file.stat() if file.exists() else None
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        if how == "remove":
            file.unlink()
        else:
            file.write_bytes(b"x" * len(before or b"x"))
        if kept and how == "replace":  # as large as before, and no younger
            os.utime(file, ns=(kept.st_atime_ns, kept.st_mtime_ns))
        assert read_index(root, None) is None
    finally:
        if before is None:
            file.unlink()
            for folder in (
                folder for folder in file.parents if folder.is_relative_to(root) and not any(folder.iterdir())
            ):
                folder.rmdir()
        else:
            file.write_bytes(before)
    assert read_index(root, None) is not None


def test_an_environment_variable_that_the_profile_reads_is_seen(root, parsed, monkeypatch):
    monkeypatch.setenv("DAYSLICE_WAREHOUSE", "/somewhere/else")
    assert read_index(root, None) is None
    monkeypatch.delenv("DAYSLICE_WAREHOUSE")
    assert indexed(root).target.warehouse == parsed.target.warehouse


def test_the_ds_of_a_run_changes_nothing(root, parsed, monkeypatch):
    monkeypatch.setenv("DAYSLICE_DS", "2013-01-05")
    assert read_index(root, None) is not None


def test_dbts_own_variables_are_seen():
    quiet = stamp_of_environment([], "salt", {})
    assert stamp_of_environment([], "salt", {"DBT_TARGET_PATH": "x"}) != quiet
    assert stamp_of_environment([], "salt", {"HOME": "x"}) == quiet
    assert stamp_of_environment([], "other", {}) != quiet


@pytest.mark.parametrize("damage", ["empty", "half", "one byte", "another text", "no entry"])
def test_a_damaged_index_is_made_anew(root, parsed, damage):
    file = index_file(root)
    whole = file.read_bytes()
    middle = len(whole) // 2
    damaged = {
        "empty": b"",
        "half": whole[:middle],
        "one byte": whole[:middle] + bytes([whole[middle] ^ 1]) + whole[middle + 1 :],
        "another text": b"\xff\x00 {",
        "no entry": whole.partition(b"\n")[0] + b"\n{}",
    }[damage]
    file.write_bytes(damaged)
    assert read_index(root, None) is None
    file.write_bytes(whole)
    assert read_index(root, None) is not None


def test_a_project_that_changed_while_it_was_parsed_is_not_kept(root, parsed):
    before = Stamp.of(root)
    file = index_file(root)
    whole = file.read_bytes()
    file.unlink()
    (root / "models" / "meanwhile.sql").write_text("select 1 as n")
    try:
        write_index(
            root,
            None,
            ProjectIndex(parsed.target, parsed.tables, parsed.time_zone, parsed.lineage, parsed.logic),
            before,
            set(),
        )
        assert not file.exists()
    finally:
        (root / "models" / "meanwhile.sql").unlink()
        file.write_bytes(whole)


def test_two_processes_at_once_leave_one_whole_index(root, parsed):
    index_file(root).unlink()
    command = [sys.executable, "-c", LOOK, "status", "--json"]
    both = [subprocess.Popen(command, cwd=root, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    assert [(each.communicate()[0], each.returncode) for each in both] == [("[]\n", 0), ("[]\n", 0)]
    assert indexed(root).tables.keys() == parsed.tables.keys()
    assert [each.name for each in (root / "target" / "dayslice").iterdir()] == [index_file(root).name]


def test_no_secret_lands_in_the_index(root, parsed, monkeypatch):
    profile = (root / "profiles.yml").read_text()
    secret = "      password: \"{{ env_var('TRINO_PASSWORD') }}\"\n      method: ldap\n"
    monkeypatch.setenv("TRINO_PASSWORD", "correct-horse")
    (root / "profiles.yml").write_text(profile.replace("      method: none\n", secret))
    try:
        loaded = load_target(root, "trino")
        assert "TRINO_PASSWORD" in loaded.variables
        index = ProjectIndex(loaded, parsed.tables, parsed.time_zone, parsed.lineage, parsed.logic)
        write_index(root, "trino", index, Stamp.of(root), set(loaded.variables))
        known = load_project(root, "trino")
        assert known.dbt.manifest is None
        assert known.target.credentials.metastore_uri == "thrift://127.0.0.1:9713"
        files = list((root / "target" / "dayslice").glob("*.index"))
        assert len(files) == 2
        assert not any(b"correct-horse" in file.read_bytes() for file in files)
        assert known.target.credentials.password == "correct-horse"  # read when it is needed
        monkeypatch.setenv("TRINO_PASSWORD", "another")
        assert read_index(root, "trino") is None
    finally:
        (root / "profiles.yml").write_text(profile)


def test_a_folder_that_cannot_be_written_is_no_error(root, parsed, monkeypatch):
    monkeypatch.setattr("dayslice.runner.project_index.FOLDER", Path("dbt_project.yml"))
    index = ProjectIndex(parsed.target, parsed.tables, parsed.time_zone, parsed.lineage, parsed.logic)
    write_index(root, None, index, Stamp.of(root), set())
    assert read_index(root, None) is None


WORDS = [
    "flights_flat",
    "flights_flat+",
    "+carrier_metrics",
    "+flights_flat+",
    "erp.flights+",
    "source:erp",
    "source:erp.planes+",
    "source:erp+",
    "summary+",
    "+summary",
    "airport_daily route_delays_7d",
]


@pytest.mark.parametrize("word", WORDS)
def test_a_plain_selection_is_what_dbt_selects(parsed, word):
    ours = parsed.lineage.select(word.split())
    assert ours is not None
    nameless = replace(parsed, lineage=replace(parsed.lineage, names={}))  # so dbt is asked
    asked = select_made(nameless, [word])
    assert ours == {each.unique_id for each in (*asked.tables, *asked.followers)}


@pytest.mark.parametrize("word", ["flights", "tag:x", "1+flights_flat", "@flights_flat", "flights_*", "models/flights"])
def test_what_is_no_plain_name_is_left_to_dbt(parsed, word):
    assert parsed.lineage.select([word]) is None


def test_our_own_macros_are_a_part_of_the_stamp(root, tmp_path, monkeypatch):
    macro = tmp_path / "dbt" / "include" / "dayslice" / "macros" / "ds.sql"
    macro.parent.mkdir(parents=True)
    watched = watched_paths(root)
    monkeypatch.syspath_prepend(str(tmp_path))
    before = stamp_of_files(root, watched)
    macro.write_text("{% macro ds() %}{% endmacro %}")
    assert stamp_of_files(root, watched) != before


def test_another_version_of_dbt_is_another_stamp(root, tmp_path, monkeypatch):
    watched = watched_paths(root)
    monkeypatch.syspath_prepend(str(tmp_path))
    before = stamp_of_files(root, watched)
    (tmp_path / "dbt_core-9.0.0.dist-info").mkdir()
    assert stamp_of_files(root, watched) != before
