"""A landed version written anew without the rows of some persons: its CSV, and the typed columns beside it."""

import io
import json
from collections.abc import Iterator, Mapping
from dataclasses import replace

import zstandard

from dayslice.engines.landed_csv import columns_of
from dayslice.engines.target import Target
from dayslice.errors import Refused
from dayslice.rules.keyed_hashes import hash_key
from dayslice.rules.slices import Version
from dayslice.store.choice import open_store
from dayslice_importers.engines.choice import open_engine
from dayslice_importers.finishing import with_typed
from dayslice_importers.hashing import SuppressingWriter
from dayslice_importers.landing import BUFFER_BYTES, FileWriter, LandedFile

Hashes = Mapping[str, frozenset[str]]


def rewritten(target: Target, version: Version, new_id: str, hashes: Hashes) -> Version:
    """The version as `new_id`, without the rows that have one of these hashes in a column; its files are written.

    `hashes`: by the column's name in lower case.
    """
    columns = columns_of(version)
    named = {n: hashes[each[0].lower()] for n, each in enumerate(columns) if each[0].lower() in hashes}
    folder, _, slice = version.location.rpartition("/")
    location = f"{folder.rpartition('/')[0]}/{new_id}/{slice}"
    files = []
    for name in json.loads(version.receipt.more["parts"]):
        lines = lines_of(open_store(version.location).read(name) or b"")
        files.append(_write(location, name, lines, named))
    more = {key: value for key, value in version.receipt.more.items() if not key.startswith("typed")}
    more |= {
        "sizes": json.dumps([each.bytes for each in files]),
        "checksums": json.dumps([f"sha256:{each.sha256}" for each in files]),
        "longest_line": str(max(each.longest for each in files)),
    }
    rows = sum(each.rows for each in files)
    receipt = replace(version.receipt, rows=rows, bytes=sum(each.bytes for each in files), more=more)
    made = replace(version, id=new_id, location=location, receipt=receipt)
    if "typed" in version.receipt.more:
        counted = open_engine(target).count(made, True)
        if counted != rows:
            raise Refused(f"{version.slice}: {rows} rows were written anew and {counted} are read: nothing was changed")
        typed = f"columns/{slice}"
        store = open_store(location.rpartition("/")[0])
        store.sync(typed)
        made = with_typed(store, typed, made, {})
    return made


def names_one(data: bytes, hashes: Hashes) -> bool:
    """Whether a landed file has a row with one of these hashes in a column."""
    lines = lines_of(data)
    header = next(lines, b"").rstrip(b"\n").split(b"\t")
    named = {n: hashes[each.decode().lower()] for n, each in enumerate(header) if each.decode().lower() in hashes}
    writer = SuppressingWriter(io.BytesIO(), named, hash_key())
    for line in lines if named else ():
        writer.write(line)
    return writer.dropped > 0


def lines_of(data: bytes) -> Iterator[bytes]:
    """The lines of a landed file, its header first."""
    with zstandard.ZstdDecompressor().stream_reader(io.BytesIO(data), read_across_frames=True) as stream:
        yield from io.BufferedReader(stream, BUFFER_BYTES)


def _write(location: str, name: str, lines: Iterator[bytes], named: Mapping[int, frozenset[str]]) -> LandedFile:
    store = open_store(location)
    file = FileWriter(f"{location}/{name}", store.create(name), next(lines))  # type: ignore[arg-type]
    writer = SuppressingWriter(file, named, hash_key())
    for line in lines:
        writer.write(line)
    return file.finish()
