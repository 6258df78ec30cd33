"""On the local engine: a version written anew without the rows of some persons; and whether nobody's files have any."""

import json
from dataclasses import replace

import duckdb

from dayslice.engines.embedded import copy_to_parquet
from dayslice.engines.landed_csv import exactly, literal, quoted
from dayslice.engines.reading import files_of
from dayslice.engines.suppression import names_one
from dayslice.errors import Refused
from dayslice.rules.graph import TableNode
from dayslice.rules.receipts import FINGERPRINT, Fingerprint
from dayslice.rules.slices import Version, new_version_id
from dayslice.runner.erasing import Hashes, Moved, check_left, follow
from dayslice.runner.project import Project
from dayslice.runner.version_rows import LocalRows
from dayslice.store.choice import open_store

FILE = "part-00.parquet"


def count_of(rows: LocalRows, node: TableNode, version: Version, hashes: Hashes) -> int:
    """How many rows of a version are of somebody."""
    relation = rows.relation(version, node.is_import)
    found = {name: hashes[name] for name in rows.types(relation) if name in hashes}
    if not found:
        return 0
    return int(rows.rows(f"select count(*) from {relation} as t where {names_one(found)}")[0][0])


def rewrite(
    project: Project, rows: LocalRows, node: TableNode, version: Version, hashes: Hashes, count: int, moved: Moved
) -> Version:
    """A version without these rows, its files written; nothing of it is known to the metastore yet.

    Raises Refused where it has not as many rows less as were found.
    """
    new_id = new_version_id()
    if "longest_line" in version.receipt.more:  # landed as CSV
        from dayslice_importers.rewriting import rewritten  # noqa: PLC0415 - the importers' own format

        made = rewritten(project.target, version, new_id, hashes)
    else:
        made = _of_model(rows, version, new_id, hashes)
    try:
        check_left(node, version, made.receipt, count, count_of(rows, node, made, hashes))
    except Refused:
        open_store(made.location.rpartition("/")[0]).remove("")
        raise
    return follow(version, made, moved)


def _of_model(rows: LocalRows, version: Version, new_id: str, hashes: Hashes) -> Version:
    folder, _, slice = version.location.rpartition("/")
    location = f"{folder.rpartition('/')[0]}/{new_id}/{slice}"
    scan = (
        f"read_parquet([{', '.join(literal(exactly(each)) for each in files_of(version))}], hive_partitioning = false)"
    )
    stored = [row[0] for row in rows.connection.execute(f"describe select * from {scan}").fetchall()]
    found = {name: hashes[name.lower()] for name in stored if name.lower() in hashes}
    store = open_store(location)
    store.make("")
    count = copy_to_parquet(rows.connection, f"select * from {scan} where not {names_one(found)}", f"{location}/{FILE}")
    store.sync("")
    (size,) = store.sizes("").values()
    more = {**version.receipt.more, "parts": json.dumps([FILE]), "sizes": json.dumps([size])}
    if "checksums" in more:
        more["checksums"] = json.dumps([store.checksum(FILE)])
    receipt = replace(version.receipt, rows=count, bytes=size, files=1, more=more)
    made = replace(version, id=new_id, location=location, receipt=receipt)
    if FINGERPRINT in more:
        more[FINGERPRINT] = _fingerprint(rows, made).to_text()
    return made


def _fingerprint(rows: LocalRows, version: Version) -> Fingerprint:
    """As `select_fingerprints` takes it."""
    names = [each[0] for each in json.loads(version.receipt.more["columns"])]
    whole = f"sum(hash({', '.join(map(quoted, names))}))"
    sums = ", ".join(f"sum(hash({quoted(name)}))" for name in names)
    found = rows.rows(f"select count(*), {whole}, {sums} from {rows.relation(version, False)} as t")[0]
    shown = [f"{each:x}" if isinstance(each, int) else str(each or "0").lower() for each in found[1:]]
    known = shown[0] if found[1] is not None and found[0] else ""
    return Fingerprint(f"duckdb {duckdb.__version__} sum(hash)", known, dict(zip(names, shown[1:], strict=True)))


def holds(rows: LocalRows, place: str, hashes: Hashes) -> bool:
    """Whether the files in a folder that no version owns have a row of somebody. Unreadable ones are taken to."""
    from dayslice_importers.rewriting import names_one as in_landed  # noqa: PLC0415 - the importers' own format

    store = open_store(place)
    for file in store.sizes(""):
        # Of S3 these are whole keys.
        name = file.partition(f"{place.rpartition('/')[2]}/")[2] or file
        try:
            if name.endswith(".parquet"):
                scan = f"read_parquet({literal(exactly(f'{place}/{name}'))}, hive_partitioning = false)"
                columns = [row[0] for row in rows.connection.execute(f"describe select * from {scan}").fetchall()]
                found = {each: hashes[each.lower()] for each in columns if each.lower() in hashes}
                if found and rows.rows(f"select 1 from {scan} where {names_one(found)} limit 1"):
                    return True
            elif in_landed(store.read(name) or b"", hashes):
                return True
        except Exception:  # what was never whole has no readers: it goes
            return True
    return False
