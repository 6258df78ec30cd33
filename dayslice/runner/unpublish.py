"""Unpublishing: a slice that should not be there goes, with all that is kept of it, and the latest view goes back."""

from collections.abc import Mapping

from dayslice.errors import Refused, UsageError
from dayslice.metastore.announcements import announce_gone
from dayslice.metastore.choice import open_metastore
from dayslice.rules.graph import TableNode, find
from dayslice.rules.slices import Slice, Version
from dayslice.rules.stale import Key, made_stale
from dayslice.runner.planning import standing
from dayslice.runner.project import Project
from dayslice.runner.retain import remove_slice


def unpublish(project: Project, node: TableNode, ds: str) -> tuple[Version, Mapping[Key, Key]]:
    """Remove a slice; the version that was published, and the published slices that were made from it.

    Its files go at the next `retain` past the grace time, so that running queries finish. Raises UsageError for a slice
    that is not published, Refused where another version was published meanwhile.
    """
    with open_metastore(project.target) as metastore:
        published = metastore.published(node.table, [ds]).get(ds)
        kept = metastore.versions(Slice(node.table, ds))
        stands = standing(project, [node], metastore)
    if published is None:
        raise UsageError(f"{node} {ds} is not published; dayslice status shows what is")
    remove_slice(project, node, published, kept)
    with open_metastore(project.target) as metastore:
        now = metastore.published(node.table, [ds]).get(ds)
        left = metastore.published_ds(node.table)
        newest = metastore.published(node.table, left[-1:]) if left else {}
    if now is not None:
        raise Refused(f"{node} {ds}: {now.id} was published meanwhile, and stays; look at it, and try again")
    announce_gone(project.target.home, published.slice)
    if left and max(left) < ds:
        show_latest(project, node, newest[left[-1]])
    return published, made_stale(project.tables, [(node.unique_id, ds)], stands, project.time_zone)


def show_latest(project: Project, node: TableNode, newest: Version) -> None:
    """Make the latest view show the newest slice that is left."""
    if node.is_import:
        from dayslice_importers.engines.choice import open_engine  # noqa: PLC0415 - the engine, when it is needed

        open_engine(project.target).publish(newest)  # it is published already: only its views are made anew
    elif node.latest_view is not None:
        name = find(project.graph, node.latest_view)["name"]
        project.dbt.run(["run", "--no-write-json", "--select", name], newest.slice.ds)
