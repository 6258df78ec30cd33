"""dbt's docs site, told in words: a first page of what stands, each table's page with grain, schedule, owner, waits.

dbt's own files in target/ are left as other programs expect them; the site is made of copies.
"""

import json
import shutil
from collections import defaultdict
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from dayslice.metastore.choice import open_metastore
from dayslice.rules.graph import TableNode
from dayslice.rules.settings import LATEST_KEY, WAIT_PREFIX
from dayslice.rules.slices import Version
from dayslice.rules.words import table_words
from dayslice.runner.calendar_page.page import write_calendar
from dayslice.runner.project import Project

Node = dict[str, Any]
OVERVIEW = "__overview__"
CALENDAR = "calendar.html"
LINK = f"[The calendar]({CALENDAR}) shows every slice: what stands, what is missing, late, refused or stale, and why."
# A row of facts that is longer than the page goes on below, where dbt's own would be cut off.
STYLE = """<style>
.detail-body { display: flex !important; flex-wrap: wrap; }
.detail-body { overflow: visible !important; white-space: normal !important; }
.detail-body .detail { max-width: 100%; margin-bottom: 8px; }
.detail-body .detail-value { white-space: normal !important; overflow: visible !important; }
</style></head>"""
READING = """
## How to read it
- Each table is cut into **slices**, named by the period that they are of: the column `ds`, as in `2018-03-01`.
  A slice is complete, or it is not there: `where ds = '2018-03-01'` gives one, whole.
- `<table>_latest` is the newest slice of a table: for questions about now.
- Of an *events* table, slices add up: `where ds between …`. Of a *cumulative* one each slice holds everything up to
  its ds: ask one ds, or compare two.
- What was reported a month ago is still in that day's slice.
"""


def make_site(project: Project) -> tuple[Path, Path]:
    """Write the site: its folder, and the one file that can be sent around."""
    project.dbt.run(["docs", "generate"])
    target = project.root / "target"
    manifest = json.loads((target / "manifest.json").read_text(encoding="utf-8"))
    tell(project, manifest, newest_versions(project))
    site = target / "site"
    site.mkdir(exist_ok=True)
    with open_metastore(project.target) as metastore:
        write_calendar(project, metastore, list(project.tables.values()), datetime.now(UTC), target / CALENDAR)
    shutil.copyfile(target / CALENDAR, site / CALENDAR)
    page = (target / "index.html").read_text(encoding="utf-8").replace("</head>", STYLE, 1)
    texts = {
        "MANIFEST": json.dumps(manifest, ensure_ascii=False),
        "CATALOG": (target / "catalog.json").read_text(encoding="utf-8"),
    }
    (site / "index.html").write_text(page, encoding="utf-8")
    for name, text in texts.items():
        (site / f"{name.lower()}.json").write_text(text, encoding="utf-8")
        # A text may hold the end of a script.
        page = page.replace(f'"{name}.JSON INLINE DATA"', text.replace("</", "<\\/"))
    whole = target / "static_index.html"
    whole.write_text(page, encoding="utf-8")
    return site, whole


def newest_versions(project: Project) -> dict[str, Version]:
    """The newest published version of each table that has one, by unique_id."""
    found = {}
    with open_metastore(project.target) as metastore:
        for unique_id, node in project.tables.items():
            slices = metastore.published_ds(node.table)
            if slices:
                found[unique_id] = metastore.published(node.table, [slices[-1]])[slices[-1]]
    return found


def tell(project: Project, manifest: Node, newest: Mapping[str, Version]) -> None:
    """Put words into a manifest: pages of tables, columns of imports, and a first page if the project has no own."""
    nodes = manifest["nodes"] | manifest["sources"]
    named = {unique_id: node.name for unique_id, node in project.tables.items()}

    def name_of(unique_id: str) -> str:
        return named.get(unique_id) or str(nodes.get(unique_id, {}).get("name", unique_id))

    for unique_id, shown in nodes.items():
        node = project.tables.get(unique_id)
        if node is not None:
            _tell_table(shown, node, name_of, project)
            if node.is_import and unique_id in newest:
                _tell_columns(shown, newest[unique_id])
        elif LATEST_KEY in _meta_of(shown) or any(str(key).startswith(WAIT_PREFIX) for key in _meta_of(shown)):
            kept = {k: v for k, v in _meta_of(shown).items() if not str(k).startswith(WAIT_PREFIX) and k != LATEST_KEY}
            of = [name_of(each) for each in shown.get("depends_on", {}).get("nodes", []) if each in named]
            _set_meta(shown, kept | ({"newest slice of": ", ".join(of)} if LATEST_KEY in _meta_of(shown) else {}))
    for macro in manifest["macros"].values():
        if macro["package_name"].startswith("dbt"):  # dbt's and ours: no part of the warehouse
            macro["docs"] = {**(macro.get("docs") or {}), "show": False}
    own = [doc for doc in manifest["docs"].values() if doc["name"] == OVERVIEW and doc["package_name"] != "dbt"]
    for doc in own:
        doc["block_contents"] += f"\n\n{LINK}\n"
    if not own:
        manifest["docs"][f"doc.dbt.{OVERVIEW}"]["block_contents"] = overview(project, newest)


def overview(project: Project, newest: Mapping[str, Version]) -> str:
    """The first page: what stands here, by subject, and how to read it."""
    groups: dict[str, list[tuple[str, TableNode]]] = defaultdict(list)
    for unique_id, node in project.tables.items():
        folder = Path(node.path).parent.name
        groups[f"Imported from {node.name.partition('.')[0]}" if node.is_import else folder].append((unique_id, node))
    name = next(iter(project.tables), "..").split(".")[1] or "This warehouse"
    lines = [
        f"# {name}",
        "",
        f"{len(project.tables)} tables of slices, on target `{project.target.name}`.",
        "",
        LINK,
        READING,
    ]
    for group, tables in groups.items():
        lines += [f"## {group}", "", "| table | what it is | newest | rows |", "|---|---|---|---|"]
        for unique_id, node in tables:
            version = newest.get(unique_id)
            stands = (version.slice.ds, f"{version.receipt.rows:,}") if version else ("none&nbsp;yet", "")
            said = " ".join(node.description.split()).replace("|", "\\|")
            kind = "source" if node.is_import else "model"
            lines.append(f"| [{node.name}](#!/{kind}/{unique_id}) | {said} | {stands[0]} | {stands[1]} |")
        lines.append("")
    return "\n".join(lines)


def _tell_table(shown: Node, node: TableNode, name_of: Callable[[str], str], project: Project) -> None:
    words = table_words(node, name_of, project.time_zone)
    _set_meta(shown, words)
    lines = "\n".join(f"- **{key}**: {value}" for key, value in words.items())
    shown["description"] = f"{shown.get('description') or ''}\n\n{lines}".strip()


def _tell_columns(shown: Node, version: Version) -> None:
    """The columns of an import as its newest slice has them; the source's comments where the YAML says nothing."""
    comments: dict[str, str] = json.loads(version.receipt.more.get("comments", "{}"))
    said = {name.lower(): column for name, column in shown["columns"].items()}
    for name, _, declared, kind, *_ in json.loads(version.receipt.more.get("columns", "[]")):
        column = said.get(name.lower())
        if column is None:
            column = shown["columns"][name] = {"name": name, "meta": {}, "tags": [], "description": ""}
        column["data_type"] = column.get("data_type") or kind
        column["description"] = column["description"] or comments.get(name, "") or f"{declared} in the source"


def _meta_of(shown: Node) -> Node:
    return shown.get("config", {}).get("meta") or {}


def _set_meta(shown: Node, meta: Mapping[str, Any]) -> None:
    shown["meta"] = dict(meta)
    shown["config"]["meta"] = dict(meta)
