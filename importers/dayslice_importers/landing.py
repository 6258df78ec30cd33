"""The landed files: PostgreSQL's COPY text format, untouched, under one header line, compressed with zstd.

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
from pathlib import Path
from typing import Any, BinaryIO

import zstandard

from dayslice.errors import DaysliceError
from dayslice.store.interface import Store
from dayslice_importers.spool import CountedFile, open_counted

SUFFIX = "csv.zst"
BUFFER_BYTES = 1 << 19
# A checksum at the end, as a reader notices a flipped byte by nothing else.
# Level 1 with tables that fit the processor's first cache: 15 % faster, and no larger (measured on text of COPY).
COMPRESSION = zstandard.ZstdCompressionParameters.from_level(
    1, window_log=17, hash_log=12, chain_log=12, write_checksum=True
)
# Engines read one file on one core, as zstd cannot be split. Files grow, so that a large table has hundreds, not more.
FILE_BYTES = 32 << 20
FILES_OF_ONE_SIZE = 32
Watch = Callable[[int, int], None]
"""Told of rows and uncompressed bytes as they go by."""


def file_bytes(number: int) -> int:
    """How large file `number` of a part (from 0) may grow: 32 MiB, and 32 more for each 32 files before it."""
    return FILE_BYTES * (1 + number // FILES_OF_ONE_SIZE)


@dataclass(frozen=True)
class LandedFile:
    """One file of a version: its rows without the header, bytes as they lie, their checksum, a bound of its lines."""

    path: str
    rows: int
    bytes: int
    sha256: str
    longest: int


class FileWriter:
    """One file: compresses lines, counts them, takes the checksum of what lies in the end."""

    def __init__(self, path: str, file: CountedFile, header: bytes):
        self.path = path
        self.file = file
        self.compressor = zstandard.ZstdCompressor(compression_params=COMPRESSION).compressobj()
        self.digest = hashlib.sha256()
        self.rows = 0
        self.bytes = 0
        self.longest = len(header)
        self.open_line = 0
        self._put(self.compressor.compress(header))

    def write(self, chunk: bytes) -> int:
        """Take a chunk; gives the rows that end in it. A newline in COPY's text format is always the end of a row."""
        rows = chunk.count(b"\n")
        self.rows += rows
        first = chunk.find(b"\n")
        # Bound the longest line: readers must be told of one that is longer than their buffers.
        if first < 0:
            self.open_line += len(chunk)
        else:
            self.longest = max(self.longest, self.open_line + first + 1, min(len(chunk), BUFFER_BYTES))
            self.open_line = len(chunk) - chunk.rfind(b"\n") - 1
        self._put(self.compressor.compress(chunk))
        return rows

    def finish(self) -> LandedFile:
        """End the compressed stream and close the file: from now on it is complete."""
        self._put(self.compressor.flush())
        self.file.close()
        return LandedFile(self.path, self.rows, self.bytes, self.digest.hexdigest(), self.longest)

    def _put(self, data: bytes) -> None:
        rest = memoryview(data)
        while rest:  # a file that is not buffered may take less than it is given
            rest = rest[self.file.write(rest) or 0 :]
        self.bytes += len(data)
        self.digest.update(data)


class CopySink(io.RawIOBase):
    """Cuts what COPY gives into files, at ends of rows. Wrapped in a BufferedWriter, one call takes half a megabyte.

    `begin(number)` opens a file, `done` takes one that is complete.
    """

    def __init__(
        self,
        begin: Callable[[int], FileWriter],
        done: Callable[[LandedFile, CountedFile], None],
        watch: Watch | None = None,
    ):
        self.begin = begin
        self.done = done
        self.watch = watch
        self.number = 0
        self.current: FileWriter | None = begin(0)
        self.aborted = False

    def writable(self) -> bool:
        """It is."""
        return True

    def write(self, data: Any) -> int:
        """Take a chunk; of a longer one only its beginning, so that a long row is not held here once more."""
        chunk = bytes(data[:BUFFER_BYTES])
        if self.aborted:  # what is left in the buffer comes once more when that is collected
            return len(chunk)
        rows, rest = 0, chunk
        if self.current and self.current.bytes >= file_bytes(self.number):
            cut = chunk.find(b"\n") + 1 if self.current.open_line else 0
            if cut or not self.current.open_line:
                rows += self.current.write(chunk[:cut])
                self._complete()
                rest = chunk[cut:]
        if rest:
            self.current = self.current or self.begin(self.number)
            rows += self.current.write(rest)
        if self.watch:
            self.watch(rows, len(chunk))
        return len(chunk)

    def finish(self) -> None:
        """Complete the last file."""
        if self.current:
            self._complete()

    def abort(self) -> None:
        """Give the open file up."""
        self.aborted = True
        if self.current:
            self.current.file.abandon()

    def _complete(self) -> None:
        assert self.current
        landed = self.current.finish()
        file, self.current = self.current.file, None
        self.number += 1
        self.done(landed, file)


def land(
    store: Store,
    place: Callable[[int], str],
    header: Sequence[str],
    copy: Callable[[BinaryIO], None],
    done: Callable[[LandedFile, CountedFile], None],
    spool: Path | None = None,
    watch: Watch | None = None,
) -> None:
    """Write what `copy(writer)` writes into files, each under the header; `place(number)` is where.

    `done` is given each when it is whole; what is not is the caller's to remove if this raises. A `spool` keeps what
    goes to a store elsewhere on this machine's disk too, until the engine has counted it. Raises DaysliceError where
    nothing can be written.
    """
    line = "\t".join(header).encode() + b"\n"
    sink = CopySink(lambda n: FileWriter(place(n), open_counted(store, place(n), spool), line), done, watch)
    writer = io.BufferedWriter(sink, BUFFER_BYTES)
    try:
        copy(writer)
        writer.flush()
        sink.finish()
    except BaseException as error:
        sink.abort()
        if isinstance(error, OSError):
            raise DaysliceError(
                f"cannot write {store.location(place(sink.number))}: {error.strerror or error}"
            ) from None
        raise
