"""The files of a new project, made from the templates in `files/`. What is there already is left as it is."""

import importlib.resources
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from string import Template

from dayslice import __version__
from dayslice.errors import UsageError

# Where each file of every project goes, by its template.
EVERYWHERE = {
    "dbt_project.yml": "dbt_project.yml",
    "profiles.yml": "profiles.yml",
    "Makefile": "Makefile",
    "README.md": "README.md",
    "requirements.txt": "requirements.txt",
    ".gitignore": "gitignore",
    ".github/workflows/check.yml": "check.yml",
}
SHOP = {
    "seeds/countries.csv": "shop/countries.csv",
    "models/sales/daily_sales.sql": "shop/daily_sales.sql",
    "models/sales/daily_sales.yml": "shop/daily_sales.yml",
    "models/sales/daily_sales_latest.sql": "latest.sql",
}


@dataclass(frozen=True)
class FirstImport:
    """The import that a project starts with: its YAML, one of its columns, and a ds that can be imported at once."""

    source: str
    table: str
    column: str
    yaml: str
    ds: str


@dataclass(frozen=True)
class Written:
    """What became of the files, by their paths in the project."""

    new: list[str]
    kept: list[str]


def project_name(root: Path) -> str:
    """The name that a folder gives its project, as dbt allows it. Raises UsageError where it gives none."""
    name = re.sub(r"\W+", "_", root.absolute().name, flags=re.ASCII).strip("_").lower()
    if not re.fullmatch(r"[a-z]\w*", name, flags=re.ASCII):
        raise UsageError(f"{root.absolute().name!r} makes no name for a project: begin the folder's name with a letter")
    return name


def write_shop(root: Path, first: FirstImport) -> Written:
    """The project of the example: an import of the shop's orders, a seed, and what was sold each day."""
    values = {"model": "daily_sales", "connect": ""}
    return _write(root, {**EVERYWHERE, **SHOP}, first, values)


def write_first(root: Path, first: FirstImport, variable: str) -> Written:
    """The project of a given source: one import, and a model that counts its rows."""
    model = f"{first.table}_size"
    folder = f"models/{first.source}"
    files = {
        f"{folder}/{model}.sql": "source/model.sql",
        f"{folder}/{model}.yml": "source/model.yml",
        f"{folder}/{model}_latest.sql": "latest.sql",
    }
    connect = f"    export {variable}=postgresql://…    # where the imports come from\n"
    written = _write(root, {**EVERYWHERE, **files}, first, {"model": model, "connect": connect})
    (root / "seeds").mkdir(exist_ok=True)
    return written


def _write(root: Path, files: Mapping[str, str], first: FirstImport, values: Mapping[str, str]) -> Written:
    values = {
        **values,
        "name": project_name(root),
        "version": __version__,
        "ds": first.ds,
        "source": first.source,
        "connection": first.source,
        "table": first.table,
        "column": first.column,
    }
    texts = {path: _template(name).substitute(values) for path, name in files.items()}
    texts[f"models/{first.source}/{first.table}.yml"] = first.yaml
    new, kept = [], []
    for path, text in sorted(texts.items()):
        file = root / path
        if file.exists():
            kept.append(path)
            continue
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
        new.append(path)
    return Written(new, kept)


def _template(name: str) -> Template:
    files = importlib.resources.files("dayslice.starter").joinpath("files")
    return Template(files.joinpath(*name.split("/")).read_text(encoding="utf-8"))
