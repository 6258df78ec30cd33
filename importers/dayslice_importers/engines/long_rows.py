"""Rows of many megabytes, as the engine counts them: without the insides of their long texts.

DuckDB holds a row three times while it reads it, several rows more often, and eleven times while it writes it as
Parquet. What can fail to be read is short (numbers, times), so that it is all that has to come by.
"""

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import zstandard

LONG_ROW = 16 << 20
"""From here on a row is long: no typed columns are written of a version that has one."""
PIECE = 4096
"""A text loses those pieces of this size that hold nothing but it."""


def bound(columns: int) -> int:
    """No line is longer once it is shortened."""
    return 2 * PIECE * max(2, columns)


@contextmanager
def shortened(file: str) -> Iterator[str]:
    """A landed file with the same rows and fields, as plain text that can be read once from the path given here.

    Raises zstandard.ZstdError, at the end, where the file is damaged.
    """
    reading, writing = os.pipe()
    failures: list[Exception] = []

    def write() -> None:
        try:
            with os.fdopen(writing, "wb") as out, Path(file).open("rb") as landed:
                for piece in _pieces(landed):
                    if b"\t" in piece or b"\n" in piece:
                        out.write(piece)
        except BrokenPipeError:
            pass  # who reads has seen enough
        except (OSError, zstandard.ZstdError) as error:
            failures.append(error)

    writer = threading.Thread(target=write, name="shorten")
    writer.start()
    try:
        yield f"/dev/fd/{reading}"
    finally:
        os.close(reading)
        writer.join()
    for failure in failures:
        raise failure


def _pieces(landed: object) -> Iterator[bytes]:
    stream = zstandard.ZstdDecompressor().stream_reader(landed)  # type: ignore[arg-type]
    while piece := stream.read(PIECE):
        yield piece
