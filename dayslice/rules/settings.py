"""What a table's YAML may say under `config: meta:`, with its defaults. The one list of allowed keys."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from enum import Enum
from typing import Any, TypeVar

from dayslice.errors import UsageError
from dayslice.rules.calendar import Grain, parse_ds
from dayslice.rules.file_layout import FileLayout

E = TypeVar("E", bound=Enum)


class Kind(Enum):
    """What a slice holds: everything up to its ds, or only what happened in it."""

    CUMULATIVE = "cumulative"
    EVENTS = "events"


class Empty(Enum):
    """What to do with a slice of no rows."""

    PUBLISH = "publish"
    REFUSE = "refuse"


# Every key, with what it is for. Docs and error messages are made from it.
MODEL_KEYS = {
    "grain": "day (default), hour or 15min",
    "slice": "cumulative (default) or events",
    "start": "the first ds of the table; default: its earliest slice",
    "end": "the last ds of the table: no run is scheduled and no slice missed after it",
    "owner": "who answers for the table",
    "schedule": "a cron line; default: once a period, soon after it is over",
    "late_after": "when to alert that a slice is late, as a duration after the period's end: 6h, 90m",
    "wait_at_most": "how long a run in Airflow waits for its slices before it fails, as a duration; default: 3 days",
    "retention": "which slices to keep: 90 days, keep monthly, keep 3 versions (a list is a union)",
    "empty": "publish or refuse a slice of no rows; default: publish events, refuse cumulative",
    "max_shrink": "refuse a slice with fewer rows than the one before it, by more than this share (0.2 is 20%)",
    "person": "columns that name a person, each with the kind of name: {email: email}; none: no column does",
    "format": "the files' format on Trino: ORC (default) or PARQUET",
    "bucketed_by": "columns whose values decide in which file of a slice a row lies, on Trino",
    "bucket_count": "how many buckets a slice has; default: 16",
    "sorted_by": "columns (or `column desc`) that the rows of a bucket are sorted by, on Trino",
}
IMPORT_KEYS = {
    **{key: MODEL_KEYS[key] for key in ("grain", "slice", "start", "end", "owner", "schedule", "late_after")},
    **{key: MODEL_KEYS[key] for key in ("retention", "empty", "max_shrink", "person")},
    "late_snapshot": "what a scheduled run of a cumulative import does when its ds is over: take (default) or refuse",
    "connection": "the named PostgreSQL connection",
    "on": "the date or timestamp column that an events slice is cut by",
    "undated": "rows whose `on` is NULL or infinite: report (default), refuse, or the ds of the slice that has them",
    "look_back": "how many earlier slices of an events table to land again for late rows",
    "source_schema": "the table's schema in PostgreSQL; default: public",
    "source_table": "the table's name in PostgreSQL; default: the name in the YAML",
    "columns_only": "import only these columns",
    "columns_without": "import all columns but these",
    "row_filter": "an SQL condition on the source's rows",
    "columnar": "false: write no typed columns beside the CSV, and read that; default: true",
    "hashed": "columns that are landed as a keyed hash",
    "types": "column: text, or decimal(p,s), where a type cannot be carried as it is",
    "streams": "how many sessions read from the source at once, parts of a large table among them; default: 2",
    "lock_timeout": "how long to wait for a lock in the source; default: 10s",
    "statement_timeout": "how long one COPY may take; default: 6h",
}
_TEXTS = {"owner": "flight-data", "schedule": "30 0 * * *", "late_after": "6h", "wait_at_most": "3 days"}
# Left by macros, not written by people.
WAIT_PREFIX = "wait "
LATEST_KEY = "latest_of"


class SettingError(UsageError):
    """A key of a table's meta is wrong. `where` is `file: table`."""

    def __init__(self, where: str, key: str, message: str):
        super().__init__(f"{where}: {message}")
        self.where, self.key = where, key


@dataclass(frozen=True)
class TableSettings:
    """The settings that every table has, typed. Times are labels (ds) or cron and duration texts as written."""

    grain: Grain = Grain.DAY
    kind: Kind = Kind.CUMULATIVE
    start: str | None = None
    end: str | None = None
    owner: str | None = None
    schedule: str | None = None
    late_after: str | None = None
    wait_at_most: str = "3 days"
    retention: tuple[str, ...] = ()
    empty: Empty = Empty.REFUSE
    max_shrink: float | None = None
    layout: FileLayout = field(default_factory=FileLayout)


def read_settings(meta: Mapping[str, Any], where: str, is_import: bool) -> TableSettings:
    """The settings of a table from its merged `meta`. `where` names file and table in the error.

    A key of another tool is passed over. Raises UsageError for one that is near to one of ours, as it is misspelt, and
    for a value that is not allowed.
    """
    own = {}
    for key, value in meta.items():
        if key in _allowed(is_import):
            own[key] = value
        elif meant := _misspelt(key, is_import):
            raise SettingError(where, key, f"unknown key {key!r} in meta: {meant}")
    try:
        grain = Grain.parse(str(own.get("grain", Grain.DAY.value)))
        kind = _one_of(Kind, own, "slice", Kind.CUMULATIVE)
        _check_person(own.get("person"))
        default_empty = Empty.PUBLISH if kind is Kind.EVENTS else Empty.REFUSE
        return TableSettings(
            grain=grain,
            kind=kind,
            start=_label(own, "start", grain),
            end=_label(own, "end", grain),
            owner=_text(own, "owner"),
            schedule=_text(own, "schedule"),
            late_after=_text(own, "late_after"),
            wait_at_most=_text(own, "wait_at_most") or TableSettings.wait_at_most,
            retention=_texts(own.get("retention", ())),
            empty=_one_of(Empty, own, "empty", default_empty),
            max_shrink=_share(own.get("max_shrink")),
            layout=FileLayout.parse(own),
        )
    except UsageError as error:
        raise SettingError(where, str(error).partition(":")[0], str(error)) from None


def refuse_foreign_keys(meta: Mapping[str, Any], where: str, is_import: bool) -> None:
    """Refuse every key that is not ours, for a project that asks for it."""
    for key in meta:
        if key not in _allowed(is_import) and not _is_from_macros(key):
            known = ", ".join(sorted(_allowed(is_import)))
            raise SettingError(where, key, f"unknown key {key!r} in meta (strict_meta is set); known are {known}")


def _allowed(is_import: bool) -> Mapping[str, str]:
    return IMPORT_KEYS if is_import else MODEL_KEYS


def _is_from_macros(key: str) -> bool:
    return key.startswith(WAIT_PREFIX) or key == LATEST_KEY


def _misspelt(key: str, is_import: bool) -> str | None:
    """What somebody may have meant by a key that is none of ours; None if it looks like another tool's."""
    if _is_from_macros(key):
        return None
    if key in IMPORT_KEYS or key in MODEL_KEYS:
        return f"it is for {'models' if is_import else 'imports'} only"
    near = get_close_matches(key.lower().replace("-", "_"), _allowed(is_import), n=1, cutoff=0.8)
    return f"do you mean {near[0]}?" if near else None


def _one_of(kind: type[E], own: Mapping[str, Any], key: str, default: E) -> E:
    try:
        return kind(own[key]) if key in own else default
    except ValueError:
        known = " or ".join(str(member.value) for member in kind)
        raise UsageError(f"{key}: {own[key]!r} is not known: write {known}") from None


def _text(own: Mapping[str, Any], key: str) -> str | None:
    value = own.get(key)
    if value is None:
        return None
    if not isinstance(value, str) or not value.strip():
        raise UsageError(f"{key}: {value!r} is no text: write it in quotes, as in {key}: {_TEXTS[key]!r}")
    return value


def _label(own: Mapping[str, Any], key: str, grain: Grain) -> str | None:
    try:
        return parse_ds(own[key], grain) if key in own else None
    except UsageError as error:
        raise UsageError(f"{key}: {error}") from None


def _texts(value: Any) -> tuple[str, ...]:
    return (value,) if isinstance(value, str) else tuple(str(item) for item in value)


def _share(value: Any) -> float | None:
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < 1:
        raise UsageError(f"max_shrink: {value!r} is no share: write a number from 0 to 1, such as 0.2")
    return float(value)


def _check_person(value: Any) -> None:
    if value is None or value == "none":
        return
    pairs = value.items() if isinstance(value, Mapping) else ()
    if not pairs or not all(isinstance(each, str) and each.strip() for pair in pairs for each in pair):
        raise UsageError(f"person: {value!r} is neither none nor columns with their kinds: {{email: email}}")
