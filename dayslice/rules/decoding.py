"""What the landed text of a column needs before it is cast. Receipts keep it by its value."""

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
