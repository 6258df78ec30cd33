"""How one PostgreSQL type travels: what COPY selects, and what each engine makes of the text that lands."""

from dataclasses import dataclass

from dayslice.rules.decoding import Decoding


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
