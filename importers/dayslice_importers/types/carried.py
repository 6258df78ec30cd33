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
    ERA = "era"
    """A date or a timestamp: PostgreSQL writes ` BC` last, which engines pass over or refuse."""


@dataclass(frozen=True)
class CarriedType:
    """`source` is what COPY selects, over `{column}` and `{name}` (its name as a literal).

    `duckdb` and `trino` are the types of the view.
    """

    duckdb: str
    trino: str
    decoding: Decoding = Decoding.NONE
    source: str = "{column}"


TEXT = CarriedType("varchar", "varchar", Decoding.TEXT)
"""As PostgreSQL prints it; COPY does so by itself, without a cast."""
HASHED = CarriedType("varchar", "varchar")
"""A keyed hash of it, in hexadecimal."""
