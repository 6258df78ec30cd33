"""`<home>/dayslice.duckdb`: views of everything that people should see, for a notebook, a dashboard, the DuckDB shell.

It is made beside the one that stands and renamed into its place, so that to open it never waits, nor makes anybody
wait; who has it open keeps seeing the versions that stood. In a run with many publications it is made anew about once a
second, less often where that takes long, and at the end always.
"""

import atexit
import json
import shutil
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import duckdb

from dayslice.engines.file_lock import FileLock
from dayslice.engines.landed_csv import quoted
from dayslice.engines.target import staged_in
from dayslice.errors import DaysliceError, Refused, Transient
from dayslice.metastore.sqlite import SQLiteMetastore
from dayslice.metastore.visible import Key, Visible, key_of
from dayslice.rules.slices import Table
from dayslice.store.directory import replace_file
from dayslice.store.duckdb_s3 import read_s3

# A run spends a twentieth of its time here at most.
AT_MOST_EVERY = 1.0
SHARE = 20
# Names that begin so are nobody's to read.
HIDDEN = "_"

_making = threading.Lock()
_pending: dict[Path, tuple[Path, str]] = {}


def published(file: Path, metastore: Path, warehouse: str) -> None:
    """Something was published: make the file anew, now or a moment later, and when this process ends."""
    if staged_in():
        return
    if not _pending:
        atexit.register(finish)
    _pending[file] = (metastore, warehouse)
    _make_if_due(file, metastore, warehouse)


def catch_up(file: Path, metastore: Path, warehouse: str) -> None:
    """Somebody is about to read: who has published in this process reads that; and what a publisher that was killed
    left undone is made good, without waiting for anybody.
    """
    if file.resolve() in {each.resolve() for each in _pending}:
        finish()
    elif metastore.exists():
        _make_if_due(file, metastore, warehouse)


def finish() -> None:
    """Make the files anew that this process has not yet, since it published."""
    for file, (metastore, warehouse) in list(_pending.items()):
        _pending.pop(file, None)
        try:
            if metastore.exists():
                make(file, metastore, warehouse)
        except (DaysliceError, OSError, duckdb.Error) as error:
            reason = " ".join(str(getattr(error, "strerror", None) or error).split())
            print(f"{file} shows what stood before: it could not be made anew ({reason})", file=sys.stderr)


def _make_if_due(file: Path, metastore: Path, warehouse: str) -> None:
    state = _state(file)
    since = time.monotonic() - state["made"]
    if file.exists() and 0 <= since < max(AT_MOST_EVERY, SHARE * state["seconds"]):
        return
    # What was published stands, whatever becomes of this: `finish` tries again, and says so.
    with suppress(DaysliceError, OSError, duckdb.Error):
        make(file, metastore, warehouse, wait_seconds=0)


def make(file: Path, metastore: Path, warehouse: str, wait_seconds: float = 60.0) -> None:
    """Make the file as it should be now; nothing if it is."""
    with _alone(file, wait_seconds), SQLiteMetastore(metastore) as opened:
        state = _state(file)
        if state["sequence"] == opened.sequence() and file.exists():
            return
        started = time.monotonic()
        new = file.with_name(f"{file.name}.new")
        new.unlink(missing_ok=True)
        known: dict[str, int] = {}
        if file.exists() and state["tables"]:
            shutil.copyfile(file, new)
            known = state["tables"]
        try:
            with _place_to_write(new) as place, duckdb.connect(str(place)) as connection:
                read_s3(connection, warehouse)
                sequence, tables = _write(connection, opened, known)
            replace_file(new, file)
        finally:
            new.unlink(missing_ok=True)
            new.with_name(f"{new.name}.wal").unlink(missing_ok=True)
        now = time.monotonic()
        written = {"sequence": sequence, "tables": tables, "made": now, "seconds": now - started}
        beside = _state_file(file).with_suffix(".new")
        beside.write_text(json.dumps(written))
        beside.replace(_state_file(file))


@contextmanager
def _place_to_write(new: Path) -> Iterator[Path]:
    """Where DuckDB writes a file. In a path with a question mark it puts its log in a folder that is not there."""
    if "?" not in str(new):
        yield new
        return
    with TemporaryDirectory() as folder:
        place = Path(folder) / new.name
        if new.exists():
            shutil.copyfile(new, place)
        yield place
        shutil.copyfile(place, new)


@contextmanager
def _alone(file: Path, wait_seconds: float) -> Iterator[None]:
    """One thread of one process."""
    if not _making.acquire(timeout=wait_seconds):
        raise Transient(f"{file} is being made by another thread")
    try:
        with FileLock(file, wait_seconds):
            yield
    finally:
        _making.release()


def _write(connection: Any, metastore: SQLiteMetastore, known: dict[str, int]) -> tuple[int, dict[str, int]]:
    """Make the views that changed, and those that read them; drop what stands no more."""
    visible = Visible(connection, metastore)
    sequence = metastore.sequence()
    standing = _shown(visible)
    names = {_text(key): key for key in standing}
    changed = {key for name, key in names.items() if known.get(name) != standing[key].changed}
    visible.made = {key: each.changed for key, each in standing.items() if key not in changed}
    stale = {}
    for key in _followers(visible, changed):
        visible.checked = known.get(_text(key), -1)
        try:
            visible.made.pop(key, None)
            visible.make(standing[key])
        except duckdb.Error:  # a view of somebody that cannot be made: what it read may be gone
            pass
        except Refused as error:  # it shows what stood before; all else follows
            stale[_text(key)] = str(error)
    for name in known.keys() - names.keys():
        schema, _, table = name.partition("\n")
        connection.execute(f"drop view if exists {quoted(schema)}.{quoted(table)}")
    for reason in stale.values():
        print(f"readers see what stood before: {reason}", file=sys.stderr)
    return sequence, {name: standing[key].changed for name, key in names.items() if name not in stale}


def _shown(visible: Visible) -> dict[Key, Any]:
    visible.sequence = -1
    visible.references("")
    return {key: each for key, each in visible.standing.items() if not each.table.schema.startswith(HIDDEN)}


def _followers(visible: Visible, changed: set[Key]) -> list[Key]:
    """What changed, and the views that read it, each after what it reads."""
    reads: dict[Key, set[Key]] = {}
    for key, each in visible.standing.items():
        if each.kind == "view":
            reads[key] = visible.references(each.definition) - {key}
        elif each.kind == "latest":
            reads[key] = {key_of(Table(*json.loads(each.definition)))}
    found = {key: None for key in visible.standing if key in changed and key not in reads}
    todo = True
    while todo:
        todo = False
        for key, upstream in reads.items():
            if key not in found and (key in changed or upstream & found.keys()):
                found[key] = None
                todo = True
    return [key for key in found if not key[0].startswith(HIDDEN)]


def _text(key: Key) -> str:
    return "\n".join(key)


def _state_file(file: Path) -> Path:
    return file.with_name("readers.json")


def _state(file: Path) -> Any:
    try:
        return json.loads(_state_file(file).read_text())
    except (OSError, ValueError):
        return {"sequence": -1, "tables": {}, "made": -1e9, "seconds": 0.0}
