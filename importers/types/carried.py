"""How one PostgreSQL type travels: what COPY selects, and what each engine makes of the text that lands."""

from dataclasses import dataclass
from enum import Enum


class Decoding(Enum):
    """What the landed text needs before it is cast."""

    NONE = "none"
    """Its characters never include a backslash, tab or newline."""
    TEXT = "text"
    """COPY may have escaped something: undone where a backslash occurs."""
    HEX = "hex"
    """bytea, as `\\x` and hexadecimal digits."""


@dataclass(frozen=True)
class CarriedType:
    """`source` is an SQL expression over `{column}` for COPY; `duckdb` and `trino` are the types of the view."""

    duckdb: str
    trino: str
    decoding: Decoding = Decoding.NONE
    source: str = "{column}"


TEXT = CarriedType("varchar", "varchar", Decoding.TEXT)
AS_TEXT = CarriedType("varchar", "varchar", Decoding.TEXT, "{column}::text")
