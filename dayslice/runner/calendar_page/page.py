"""Writes the calendar page: one file, which asks no network and runs nothing but its own script."""

import base64
import gzip
from collections.abc import Sequence
from datetime import datetime
from importlib.resources import files
from pathlib import Path
from typing import Any

import orjson

from dayslice.errors import DaysliceError
from dayslice.metastore.interface import Metastore
from dayslice.rules.graph import TableNode
from dayslice.runner.calendar_page.document import Document, Gathering
from dayslice.runner.project import Project
from dayslice.store.directory import replace_file

SCRIPTS = ("data.js", "grid.js", "overview.js", "panel.js", "start.js")


def write_calendar(
    project: Project,
    metastore: Metastore,
    tables: Sequence[TableNode],
    now: datetime,
    file: Path,
    first: str | None = None,
    last: str | None = None,
) -> None:
    """Write the page of these tables from one ds to another; by default of the newest slices."""
    document = Gathering(project, metastore, tables, now).document(first, last)
    replace_text(file, page(document))


def page(document: Document) -> str:
    """The page's HTML."""
    import jinja2  # noqa: PLC0415 - for whoever asks for a page

    here = files("dayslice.runner.calendar_page")
    own = jinja2.Environment(autoescape=True, undefined=jinja2.StrictUndefined)
    return own.from_string(here.joinpath("page.html").read_text(encoding="utf-8")).render(
        title=document.head["title"],
        style=here.joinpath("page.css").read_text(encoding="utf-8"),
        script="\n".join(here.joinpath(name).read_text(encoding="utf-8") for name in SCRIPTS),
        head=in_script(document.head),
        cells=packed(document.cells),
        receipts=packed(document.receipts),
    )


def in_script(value: Any) -> str:
    """JSON that ends no script, whatever a table or its owner is called."""
    return orjson.dumps(value).decode().replace("<", "\\u003c")


def packed(value: Any) -> str:
    """JSON that is read when it is needed: a tenth of its length, and no character that HTML knows."""
    return base64.b64encode(gzip.compress(orjson.dumps(value), compresslevel=6, mtime=0)).decode()


def replace_text(file: Path, text: str) -> None:
    """Write a file that is whole whenever it is read. Raises DaysliceError where it cannot be written."""
    new = file.with_name(f".{file.name}.new")
    try:
        new.write_text(text, encoding="utf-8")
        replace_file(new, file)
    except OSError as error:
        raise DaysliceError(f"{file} cannot be written: {error.strerror or error}") from None
    finally:
        new.unlink(missing_ok=True)
