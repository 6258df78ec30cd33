"""What was written agrees with what was to be written: rows, files, and pieces of seeds."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from dayslice.errors import Refused, UsageError
from dayslice.rules.slices import Version

# Trino's `query.max-length` is a million characters by default; the statement's other words need room too.
LONGEST = 900_000
ROWS_AT_MOST = 500


def check_agreement(version: Version, written: int | None) -> None:
    """Refuse a version whose rows are not those that were written, or that has rows and no files."""
    rows, files = version.receipt.rows, version.receipt.files
    if written is not None and written >= 0 and written != rows:
        raise Refused(
            f"{version.slice}: {written} rows were selected and {rows} lie in {version.location}, so nothing was "
            "published: a request that was repeated may have been carried out twice; try again"
        )
    if rows and (not files or not version.receipt.bytes):
        raise Refused(
            f"{version.slice}: {rows} rows were written, and no file lies in {version.location}, so nothing was "
            "published: this machine and Trino look at different stores; compare AWS_ENDPOINT_URL_S3 with s3.endpoint "
            "of Trino's catalog"
        )


def values_in_pieces(
    rows: Iterable[Sequence[Any]], types: Sequence[str], longest: int = LONGEST, most: int = ROWS_AT_MOST
) -> Iterator[str]:
    """Rows as SQL's values lists. Raises UsageError for a row that is longer than Trino takes."""
    piece: list[str] = []
    size = 0
    for number, row in enumerate(rows, 1):
        text = "(" + ", ".join(_literal(value, type) for value, type in zip(row, types, strict=True)) + ")"
        if len(text) > longest:
            raise UsageError(
                f"row {number} of the seed is {len(text)} characters long, and Trino takes {longest}: cut it"
            )
        if piece and (size + len(text) > longest or len(piece) == most):
            yield ",\n".join(piece)
            piece, size = [], 0
        piece.append(text)
        size += len(text) + 2
    if piece:
        yield ",\n".join(piece)


def _literal(value: Any, type: str) -> str:
    if value is None:
        return "null"
    return "cast('" + str(value).replace("'", "''") + f"' as {type})"
