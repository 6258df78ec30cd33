"""On Trino: one version of a model's slice written anew, without the rows of some persons."""

from collections.abc import Sequence
from dataclasses import replace

from dayslice.engines.landed_csv import literal
from dayslice.engines.suppression_on_trino import names_one, with_key
from dayslice.errors import Refused
from dayslice.rules.diff_queries import quoted
from dayslice.rules.file_layout import FileLayout
from dayslice.rules.receipts import FINGERPRINT, Fingerprint, fingerprint_of
from dayslice.rules.slices import Table, Version
from dayslice.rules.trino_rows import FINGERPRINTS, row_value
from dayslice.runner.erasing import Hashes
from dayslice.runner.version_rows import TrinoRows
from dayslice.store.choice import open_store


def write_anew(rows: TrinoRows, version: Version, new_id: str, hashes: Hashes, staged: Table) -> Version:
    """The version as `new_id`, its files written by one CTAS, whose table stays. The catalog does not know it yet."""
    folder, _, slice = version.location.rpartition("/")
    location = f"{folder.rpartition('/')[0]}/{new_id}/{slice}"
    layout = rows.catalog.layout(version.slice.table)
    try:
        relation = rows.relation(version, False)
        types = rows.types(relation)
        found = {name: hashes[name] for name in types if name in hashes}
        columns = ", ".join([*map(quoted, types), f"cast({literal(version.slice.ds)} as varchar) as ds"])
        create = f"create table {named(staged)} with (external_location = {literal(location)}{_written_as(layout)})"
        left = f"select {columns} from {relation} as t where not {names_one(found, types)}"
        ((written,),) = rows.rows(with_key(f"{create} as {left}"))
    finally:
        rows.drop_made()
    sizes = open_store(location).sizes("")
    if written and not sizes:
        raise Refused(
            f"{version.slice}: {written} rows were written, and no file lies in {location}: this machine and Trino "
            "look at different stores; compare AWS_ENDPOINT_URL_S3 with s3.endpoint of Trino's catalog"
        )
    count, fingerprint = _measured(rows, staged, version, types)
    if count != written:
        raise Refused(f"{version.slice}: {written} rows were written and {count} lie in {location}: try again")
    more = {**version.receipt.more, **({FINGERPRINT: fingerprint.to_text()} if fingerprint else {})}
    receipt = replace(version.receipt, rows=count, bytes=sum(sizes.values()), files=len(sizes), more=more)
    return replace(version, id=new_id, location=location, receipt=receipt)


def named(table: Table) -> str:
    """A table's name in SQL."""
    return f"{quoted(table.schema)}.{quoted(table.name)}"


def _measured(
    rows: TrinoRows, staged: Table, version: Version, types: dict[str, str]
) -> tuple[int, Fingerprint | None]:
    """The rows of a staged version, and its fingerprint as `select_fingerprints` takes it, where it had one."""
    before = fingerprint_of(version.receipt)
    if before is None:
        return int(rows.rows(f"select count(*) from {named(staged)}")[0][0]), None
    names = list(before.columns)
    row = row_value([{"name": name, "type": types[name.lower()]} for name in names])
    whole = f"to_hex(checksum({row}))" if row else "null"
    values = [f"to_hex(checksum({quoted(name)}))" for name in names]
    count, known, *of_columns = rows.rows(f"select {', '.join(['count(*)', whole, *values])} from {named(staged)}")[0]
    shown = {name: str(value or "0").lower() for name, value in zip(names, of_columns, strict=True)}
    return int(count), Fingerprint(FINGERPRINTS, str(known).lower() if known and count else "", shown)


def _written_as(layout: FileLayout | None) -> str:
    """As the macro `file_properties` says it."""
    if layout is None:
        return ""
    said = f", format = {literal(layout.format)}"
    if layout.bucketed_by:
        said += f", bucketed_by = {_names(layout.bucketed_by)}, bucket_count = {layout.bucket_count}"
        said += f", sorted_by = {_names(layout.sorted_by)}" if layout.sorted_by else ""
    return said


def _names(names: Sequence[str]) -> str:
    return f"array[{', '.join(map(literal, names))}]"
