"""What grows with tables and slices does not grow with their square: each is looked at once."""

from pathlib import Path
from types import SimpleNamespace
from zoneinfo import ZoneInfo

import duckdb
import yaml

from dayslice.metastore.sqlite import SQLiteMetastore
from dayslice.metastore.visible import Seen, Visible
from dayslice.rules.calendar import Grain, window
from dayslice.rules.reasons import MISSING
from dayslice.rules.slices import Table
from dayslice.rules.waits import in_order, newest
from dayslice.rules.yaml_lines import line_of_key
from dayslice.runner.plan_reports import reason_lines
from tests.local_files import land_slice
from tests.rules.test_plan import table

DAYS = window("2013-01-04", 4)


class Counted(dict):
    """A mapping that counts how often all of it is gone through."""

    looks = 0

    def items(self):
        self.looks += 1
        return super().items()


def test_a_plan_s_reasons_are_gone_through_once_for_all_tables():
    nodes = {node.unique_id: node for node in map(table, ("a", "b", "c"))}
    reasons = Counted({(unique_id, ds): MISSING for ds in DAYS for unique_id in nodes})
    lines = reason_lines(SimpleNamespace(tables=nodes, time_zone=ZoneInfo("UTC")), reasons)
    assert lines == [f"{name}: {DAYS[0]} to {DAYS[-1]} (4): missing" for name in "abc"]
    assert reasons.looks == 1


def test_a_list_of_ds_is_not_sorted_anew_for_each_ds():
    assert in_order(DAYS) is DAYS
    assert newest(DAYS, DAYS[2], Grain.DAY) == newest(set(DAYS), DAYS[2], Grain.DAY) == DAYS[2]


def test_the_next_connection_reads_only_what_stands_since_the_last_look(tmp_path: Path, monkeypatch):
    land_slice(tmp_path, Table("analytics", "t"), DAYS[0], "select 1", "id int")
    asked: list[int] = []
    since = SQLiteMetastore.standing_since
    monkeypatch.setattr(SQLiteMetastore, "standing_since", lambda self, at: asked.append(at) or since(self, at))
    seen = Seen()

    def look():
        with duckdb.connect() as connection, SQLiteMetastore(tmp_path / "metastore.sqlite") as metastore:
            visible = Visible(connection, metastore, seen)
            return connection.execute(visible.prepare("select count(*) from analytics.t")).fetchone()[0]

    assert [look(), look()] == [1, 1]
    assert asked == [-1]
    land_slice(tmp_path, Table("analytics", "t"), DAYS[1], "select 2", "id int")
    asked.clear()
    assert look() == 2
    assert len(asked) == 1 and asked[0] > 0


def test_a_file_of_many_tables_is_parsed_once_for_all_of_them(tmp_path: Path, monkeypatch):
    parsed = []
    compose = yaml.compose
    monkeypatch.setattr(yaml, "compose", lambda *given, **more: parsed.append(1) or compose(*given, **more))
    file = tmp_path / "models.yml"
    entries = "".join(f"  - {{name: t{n}, config: {{meta: {{slice: events}}}}}}\n" for n in range(50))
    file.write_text("meta: {}\nmodels:\n" + entries)
    assert [line_of_key(file, f"t{n}", "slice") for n in range(50)] == list(range(3, 53))
    assert line_of_key(file, "unknown", "meta") == 1
    assert len(parsed) == 1
