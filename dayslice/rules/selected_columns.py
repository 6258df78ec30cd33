"""The columns that a model's SELECT gives, read from its text without running it. Pure."""

import re

_CONFIG = re.compile(r"\{\{-?\s*config\(.*?\)\s*-?\}\}", re.DOTALL)
_SILENT = re.compile(r"\{%.*?%\}|\{#.*?#\}", re.DOTALL)
_VALUE = re.compile(r"\{\{.*?\}\}", re.DOTALL)


def selected_columns(code: str, dialect: str) -> list[str] | None:
    """Their names in lower case; None where the text does not say, as with `*` or a macro in their place."""
    import sqlglot  # noqa: PLC0415 - a quarter of a second
    from sqlglot.errors import SqlglotError  # noqa: PLC0415

    plain = _VALUE.sub("jinja_value", _SILENT.sub(" ", _CONFIG.sub(" ", code)))
    try:
        names = sqlglot.parse_one(plain, dialect=dialect).named_selects  # type: ignore[attr-defined]
    except (SqlglotError, AttributeError):
        return None
    if not names or any(name in ("", "*", "jinja_value") for name in names):
        return None
    return [name.lower() for name in names if name.lower() != "ds"]


def line_of(code: str, word: str) -> int:
    """The first line, from 1, that has a word; 1 where none has."""
    pattern = re.compile(rf"(?<!\w){re.escape(word)}(?!\w)")
    return next((number for number, line in enumerate(code.splitlines(), start=1) if pattern.search(line)), 1)


def has_word(code: str, word: str) -> bool:
    """Whether a text has a name outside of comments."""
    without = re.sub(r"--[^\n]*|/\*.*?\*/|\{#.*?#\}", " ", code, flags=re.DOTALL)
    return re.search(rf"(?<!\w){re.escape(word)}(?!\w)", without, re.IGNORECASE) is not None
