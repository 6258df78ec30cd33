"""The landed file: PostgreSQL's COPY text format, untouched, under one header line, compressed with zstd.

Tab-separated, one line a row; the server escapes tab, newline, carriage return and backslash with a backslash, and
writes NULL as `\\N`, so that nothing is lost and nothing has to be encoded here
(https://www.postgresql.org/docs/current/sql-copy.html, "Text Format"). One call reads it, but for the escapes:
DuckDB `read_csv(f, delim='\\t', quote='', escape='', nullstr='\\N', all_varchar=true)`, pandas `read_csv(f, sep='\\t',
quoting=3, na_values='\\\\N', keep_default_na=False, dtype=str)`.
"""

import hashlib
import io
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import zstandard

from dayslice.store.interface import NewFile, Store

SUFFIX = "csv.zst"
BUFFER_BYTES = 1 << 20
# A line of one empty text would be an empty line, which readers skip: a table of one column gets a second one.
PADDING = "dayslice_padding"


@dataclass(frozen=True)
class LandedFile:
    """One file of a version: its rows without the header, bytes as they lie, their checksum, a bound of its lines."""

    path: str
    rows: int
    bytes: int
    sha256: str
    longest: int


class CopySink(io.RawIOBase):
    """Compresses what COPY gives and counts its rows. Wrapped in a BufferedWriter, one call takes a megabyte."""

    def __init__(self, file: NewFile, level: int = 1):
        self.file = file
        self.compressor = zstandard.ZstdCompressor(level=level).compressobj()
        self.lines = 0
        self.longest = 0
        self.open_line = 0
        self.bytes = 0
        self.digest = hashlib.sha256()

    def writable(self) -> bool:
        """It is."""
        return True

    def write(self, data: Any) -> int:
        """Take a chunk. A newline in COPY's text format is always the end of a row."""
        chunk = bytes(data)
        self.lines += chunk.count(b"\n")
        self._measure(chunk)
        self._put(self.compressor.compress(chunk))
        return len(chunk)

    def _measure(self, chunk: bytes) -> None:
        """Bound the longest line: readers must be told of one that is longer than their buffers."""
        first = chunk.find(b"\n")
        if first < 0:
            self.open_line += len(chunk)
        else:
            self.longest = max(self.longest, self.open_line + first + 1, min(len(chunk), BUFFER_BYTES))
            self.open_line = len(chunk) - chunk.rfind(b"\n") - 1

    def finish(self) -> None:
        """End the compressed stream and close the file: from now on it is complete."""
        self._put(self.compressor.flush())
        self.file.close()

    def _put(self, data: bytes) -> None:
        if data:
            self.file.write(data)
            self.bytes += len(data)
            self.digest.update(data)


def land(store: Store, path: str, header: Sequence[str], copy: Any) -> LandedFile:
    """Write one file: the header, then what `copy(writer)` writes. The file is incomplete until this returns."""
    sink = CopySink(store.create(path))
    with io.BufferedWriter(sink, BUFFER_BYTES) as writer:
        writer.write("\t".join(header).encode() + b"\n")
        copy(writer)
        writer.flush()
        sink.finish()
    return LandedFile(path, sink.lines - 1, sink.bytes, sink.digest.hexdigest(), sink.longest)
