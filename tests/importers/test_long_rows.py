"""Rows of many megabytes: what they take of this machine is said, and stays within four times the longest."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
import zstandard
from dayslice_importers.engines.long_rows import bound, shortened

LONG = 64
PEAK = """
import resource, sys
from pathlib import Path
from tests.importers.warehouse import Warehouse
result = Warehouse(Path(sys.argv[1])).run(Warehouse(Path(sys.argv[1])).node(sys.argv[2]))[sys.argv[2]]
print(result.version.receipt.rows, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
"""


def peak(home, table):
    """Megabytes that a process which imports a table took at most."""
    said = subprocess.run([sys.executable, "-c", PEAK, home, table], check=False, capture_output=True, text=True)
    assert said.returncode == 0, said.stderr
    rows, kilobytes = said.stdout.split()  # and nothing else, such as DuckDB's bar, is printed
    return int(rows), int(kilobytes) / 1024


def table(database, name, megabytes, rows):
    """Ten short rows, and long ones of a text that compresses little."""
    short = "(select string_agg(md5(i::text), '') from generate_series(1, 32) as i)"
    long = f"{short} || repeat(md5(n::text), {megabytes} * 32768)"
    database.execute(
        f"create table {name} as select n as id, 'short' as doc, 1.5::numeric(9, 2) as price "
        "from generate_series(1, 10) as n "
        f"union all select 10 + n, {long}, 2.5::numeric(9, 2) from generate_series(1, {rows}) as n"
    )


@pytest.mark.parametrize(("name", "megabytes", "rows"), [("one", LONG, 1), ("several", 32, 4)])
def test_long_rows_take_four_times_their_length(database, warehouse, tmp_path, name, megabytes, rows):
    table(database, f"little_{name}", 0, 0)
    table(database, name, megabytes, rows)
    _, little = peak(tmp_path / "little", f"little_{name}")
    landed, much = peak(tmp_path / "much", name)
    assert landed == 10 + rows
    assert much - little < 4 * megabytes, f"{(much - little) / megabytes:.1f} times"


def test_long_rows_have_no_typed_columns_and_are_read_whole(database, warehouse):
    table(database, "papers", 17, 1)
    result = warehouse.run(warehouse.node("papers"))["papers"]
    more = result.version.receipt.more
    assert "typed" not in more and more["not_columnar"] == "a row is 17 MB long"
    assert "no typed columns" in result.hint and "columns_without" in result.hint
    assert not [name for name in warehouse.landed() if "columns" in name]
    of_source = database.execute("select count(*), sum(length(doc)), max(md5(doc)), sum(price) from papers")
    assert warehouse.query("select count(*), sum(length(doc)), max(md5(doc)), sum(price) from erp.papers") == of_source


def test_the_next_version_without_them_has_columns_again(database, warehouse):
    table(database, "papers", 17, 1)
    warehouse.land("papers")
    database.execute("delete from papers where id > 10")
    more = warehouse.land("papers").receipt.more
    assert json.loads(more["typed"]) and "not_columnar" not in more


def test_a_value_that_does_not_fit_is_found_beside_a_long_row(database, warehouse):
    database.execute("create table papers as select repeat('x', 17000000) as doc, 'NaN'::numeric(10, 2) as price")
    error = warehouse.run(warehouse.node("papers"))["papers"].error
    assert "column price" in str(error) and "nothing was published" in str(error)


def test_many_rows_of_a_megabyte_are_not_held_at_once(database, tmp_path):
    table(database, "little", 0, 0)
    table(database, "notes", 1, 100)
    _, little = peak(tmp_path / "little", "little")
    _, much = peak(tmp_path / "much", "notes")
    assert much - little < 110, f"{much - little:.0f} MB more"


@pytest.mark.parametrize("begins", range(0, 4097, 512))
def test_what_is_counted_has_each_row_and_each_short_field(tmp_path, begins):
    """Wherever the pieces of 4,096 bytes are cut; the last field of a row is long, and that of others too."""
    rows = [
        [b"x" * begins, b"y" * 9000, b"1.5"],
        [b"", b"2", b"z" * 12288],
        [b"\\N", b"z" * 4096, b"w" * 8192],
        [b"a"] * 3,
    ]
    lines = b"".join(b"\t".join(row) + b"\n" for row in rows)
    (tmp_path / "landed").write_bytes(zstandard.ZstdCompressor().compress(lines))
    with shortened(str(tmp_path / "landed")) as texts:
        read = [line.split(b"\t") for line in Path(texts).read_bytes().split(b"\n")]
    assert read.pop() == [b""], "the last line ends"
    assert [len(row) for row in read] == [3] * 4
    assert max(map(len, (field for row in read for field in row))) <= bound(3)
    assert [[field for field in row if len(field) < 9] for row in read[1:]] == [[b"", b"2"], [b"\\N"], [b"a"] * 3]
