"""Rollback: an earlier version of a slice becomes the published one again, in one step."""

from dayslice.errors import Refused, UsageError
from dayslice.metastore.announcements import announce
from dayslice.metastore.choice import open_metastore, tell_readers
from dayslice.metastore.integrity import problems
from dayslice.rules.graph import TableNode
from dayslice.rules.slices import Slice, Version, version_named
from dayslice.runner.project import Project


def choose(versions: list[Version], published: Version | None, wanted: str | None) -> Version:
    """The version to go back to: the one that is named (or begins so), else the newest before the published one.

    `versions` are newest first. Raises UsageError if there is none.
    """
    if wanted is None:
        earlier = [each for each in versions if published is None or each.age < published.age]
        if not earlier:
            raise UsageError(
                "no earlier version is kept" + ("; dayslice versions lists them" if versions else ", nor any")
            )
        return earlier[0]
    return version_named(versions, wanted)


def roll_back(project: Project, node: TableNode, ds: str, wanted: str | None = None) -> tuple[Version | None, Version]:
    """Publish an earlier version, with the receipt and the audits it had; what was published, and what is now.

    Raises UsageError if there is no such version, Refused if its files are gone.
    """
    place = Slice(node.table, ds)
    with open_metastore(project.target) as metastore:
        versions = metastore.versions(place)
        published = metastore.published(node.table, [ds]).get(ds)
    try:
        chosen = choose(versions, published, wanted)
    except UsageError as error:
        raise UsageError(f"{node} {ds}: {error}") from None
    if published is not None and chosen.id == published.id:
        raise UsageError(f"{node} {ds}: {chosen.id} is published already")
    for problem in problems(chosen, warehouse=project.target.warehouse):
        raise Refused(f"{node} {ds}: {chosen.id} cannot be published: {problem}; the published slice is as it was")
    _publish(project, node, chosen)
    announce(project.target.home, chosen, project.target.naming, is_again=True)
    return published, chosen


def _publish(project: Project, node: TableNode, version: Version) -> None:
    if node.is_import:
        from dayslice_importers.engines.choice import open_engine  # noqa: PLC0415 - its view is made to hold this version

        open_engine(project.target).publish(version)
        return
    with open_metastore(project.target) as metastore:
        metastore.publish(version)
    tell_readers(project.target)
