"""The landed file: PostgreSQL's COPY text format, untouched, under one header line, compressed with zstd.

Tab-separated, one line a row; the server escapes tab, newline, carriage return and backslash with a backslash, and
writes NULL as `\\N`, so that nothing is lost and nothing has to be encoded here
(https://www.postgresql.org/docs/current/sql-copy.html, "Text Format"). One call reads it, but for the escapes:
DuckDB `read_csv(f, delim='\\t', quote='', escape='', nullstr='\\N', all_varchar=true)`, pandas `read_csv(f, sep='\\t',
quoting=3, na_values='\\\\N', keep_default_na=False, dtype=str)`.
"""

import hashlib
import io
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, BinaryIO

import zstandard

from dayslice.errors import DaysliceError
from dayslice.store.interface import NewFile, Store

SUFFIX = "csv.zst"
BUFFER_BYTES = 1 << 20
Watch = Callable[[int, int], None]
"""Told of rows and uncompressed bytes as they go by."""


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

    def __init__(self, file: NewFile, watch: Watch | None = None):
        self.file = file
        self.watch = watch
        self.compressor = zstandard.ZstdCompressor(level=1).compressobj()
        self.lines = 0
        self.longest = 0
        self.open_line = 0
        self.bytes = 0
        self.digest = hashlib.sha256()
        self.aborted = False

    def writable(self) -> bool:
        """It is."""
        return True

    def write(self, data: Any) -> int:
        """Take a chunk. A newline in COPY's text format is always the end of a row."""
        chunk = bytes(data)
        if self.aborted:  # what is left in the buffer comes once more when that is collected
            return len(chunk)
        lines = chunk.count(b"\n")
        self.lines += lines
        self._measure(chunk)
        self._put(self.compressor.compress(chunk))
        if self.watch:
            header = 1 if lines and self.lines == lines else 0
            self.watch(lines - header, len(chunk))
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

    def abort(self) -> None:
        """Give the file up."""
        self.aborted = True
        self.file.abandon()

    def _put(self, data: bytes) -> None:
        rest = memoryview(data)
        while rest:  # a file that is not buffered may take less than it is given
            rest = rest[self.file.write(rest) or 0 :]
        self.bytes += len(data)
        self.digest.update(data)


def land(
    store: Store,
    path: str,
    header: Sequence[str],
    copy: Callable[[BinaryIO], None],
    watch: Watch | None = None,
) -> LandedFile:
    """Write one file: the header, then what `copy(writer)` writes. It is whole when this returns.

    Otherwise the rest of it is the caller's to remove. Raises DaysliceError where it cannot be written.
    """
    file = store.create(path)
    sink = CopySink(file, watch)
    writer = io.BufferedWriter(sink, BUFFER_BYTES)
    try:
        writer.write("\t".join(header).encode() + b"\n")
        copy(writer)
        writer.flush()
        sink.finish()
    except BaseException as error:
        sink.abort()
        if isinstance(error, OSError):
            raise DaysliceError(f"cannot write {store.location(path)}: {error.strerror or error}") from None
        raise
    return LandedFile(path, sink.lines - 1, sink.bytes, sink.digest.hexdigest(), sink.longest)
