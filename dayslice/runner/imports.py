"""Imports slices of a project: the embedded servers among the sources run for it, and the importers do the rest."""

from collections.abc import Callable, Collection
from pathlib import Path

from dayslice_importers import run
from dayslice_importers.addresses import is_in_environment
from dayslice_importers.connections import connect
from dayslice_importers.job import ImportResult, Prepared, Progress

from dayslice.rules.connections_file import embedded_server
from dayslice.rules.graph import TableNode
from dayslice.rules.meetings import made_by, refuse_meetings
from dayslice.runner.project import Project
from dayslice.store.privacy import private_files

__all__ = ["ImportResult", "Prepared", "Progress", "import_tables", "plan_imports", "start_sources"]


def import_tables(
    project: Project,
    tables: Collection[TableNode],
    ds: str,
    *,
    as_of_now: bool = False,
    accept: bool = False,
    allow_empty: bool = False,
    progress: Callable[[ImportResult], None] | None = None,
    watch: Callable[[Progress], None] | None = None,
) -> list[ImportResult]:
    """See `dayslice_importers.run.import_tables`. Raises UsageError where one of the tables would lie over another."""
    refuse_meetings(made_by(project.tables.values()))
    start_sources(project.target.home, {str(node.meta["connection"]) for node in tables})
    with private_files():
        return run.import_tables(
            project,
            tables,
            ds,
            as_of_now=as_of_now,
            accept=accept,
            allow_empty=allow_empty,
            progress=progress,
            watch=watch,
        )


def plan_imports(
    project: Project, tables: Collection[TableNode], ds: str, *, as_of_now: bool = False, accept: bool = False
) -> tuple[list[Prepared], list[ImportResult]]:
    """See `dayslice_importers.run.plan_imports`."""
    start_sources(project.target.home, {str(node.meta["connection"]) for node in tables})
    return run.plan_imports(project, tables, ds, as_of_now=as_of_now, accept=accept)


def start_sources(home: Path, connections: Collection[str]) -> None:
    """Start those of the named connections that are embedded servers, or join them, until this process ends."""
    for name in sorted(connections):
        server = None if is_in_environment(name) else embedded_server(home, name)
        if server is not None:
            from dayslice.services import embedded_postgres  # noqa: PLC0415 - a server in a wheel, for those who have one

            embedded_postgres.start(server.directory, server.user)


def reach_source(connection: str, home: Path) -> None:
    """Connect to a source and no more. Raises DaysliceError where it cannot be reached."""
    start_sources(home, {connection})
    with connect(connection, home):
        pass
