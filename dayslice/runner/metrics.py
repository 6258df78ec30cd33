"""How tables stand, as metrics: Prometheus's text format, in the file of node-exporter's textfile collector."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from pathlib import Path

from dayslice.metastore.interface import Metastore
from dayslice.rules.calendar import bounds
from dayslice.rules.graph import TableNode
from dayslice.rules.moments import moment
from dayslice.rules.receipts import published_at
from dayslice.rules.slices import Slice, Version
from dayslice.rules.states import State
from dayslice.runner.board import Problems
from dayslice.runner.calendar_page.page import replace_text
from dayslice.runner.project import Project

# Each with what it says. Of a moment `time() - metric` is the age, also when nobody writes the file any more.
METRICS = {
    "dayslice_newest_slice_end_timestamp_seconds": "When the period of the newest published slice ended.",
    "dayslice_newest_slice_age_seconds": "How long ago that was when this was written.",
    "dayslice_newest_slice_published_timestamp_seconds": "When the newest slice was published.",
    "dayslice_newest_slice_rows": "Rows of the newest slice.",
    "dayslice_newest_slice_bytes": "Bytes of the newest slice, as it lies in the store.",
    "dayslice_published_slices": "Published slices.",
    "dayslice_late_slices": "Slices that should be there by now, with nothing later published.",
    "dayslice_missing_slices": "Gaps: slices that are not there, with later ones published.",
    "dayslice_refused_slices": "Slices that are not there, and whose last try was refused.",
}
WRITTEN = "dayslice_status_timestamp_seconds"
Samples = Mapping[str, Mapping[TableNode, float]]


def write_metrics(
    project: Project,
    metastore: Metastore,
    stands: Mapping[TableNode, list[str]],
    problems: Problems,
    now: datetime,
    file: Path,
) -> None:
    """Write the file in one step: whoever scrapes it reads the one before or this one."""
    newest = {node: Slice(node.table, slices[-1]) for node, slices in stands.items() if slices}
    versions = metastore.published_of(list(newest.values()))
    shown = {node: versions[slice] for node, slice in newest.items() if slice in versions}
    samples = samples_of(project, stands, problems, shown, now)
    replace_text(file, "\n".join(lines_of(samples, project.target.name, now)) + "\n")


def samples_of(
    project: Project,
    stands: Mapping[TableNode, list[str]],
    problems: Problems,
    newest: Mapping[TableNode, Version],
    now: datetime,
) -> Samples:
    """Each metric's value by table. What a table without a slice does not have is left out."""
    ends = {node: bounds(each.slice.ds, project.time_zone)[1] for node, each in newest.items()}
    published = {node: moment(published_at(each.receipt)) for node, each in newest.items()}

    def count(state: State) -> dict[TableNode, float]:
        return {node: len(problems.get(node, {}).get(state, ())) for node in stands}

    values: Sequence[Mapping[TableNode, float]] = (
        {node: end.timestamp() for node, end in ends.items()},
        {node: (now - end).total_seconds() for node, end in ends.items()},
        {node: at.timestamp() for node, at in published.items() if at},
        {node: each.receipt.rows for node, each in newest.items()},
        {node: each.receipt.bytes for node, each in newest.items()},
        {node: len(slices) for node, slices in stands.items()},
        count(State.LATE),
        count(State.MISSING),
        count(State.REFUSED),
    )
    return dict(zip(METRICS, values, strict=True))


def lines_of(samples: Samples, target: str, now: datetime) -> Iterator[str]:
    """The text format."""
    for name, values in samples.items():
        yield f"# HELP {name} {METRICS[name]}"
        yield f"# TYPE {name} gauge"
        for node, value in values.items():
            labels = {"table": node.name, "owner": node.settings.owner or "", "target": target}
            told = ",".join(f'{key}="{_escaped(text)}"' for key, text in labels.items())
            yield f"{name}{{{told}}} {value}"
    yield f"# HELP {WRITTEN} When this was written: old where nobody looks any more."
    yield f"# TYPE {WRITTEN} gauge"
    yield f'{WRITTEN}{{target="{_escaped(target)}"}} {now.timestamp()}'


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace("\n", "\\n").replace('"', '\\"')
