"""The folder of a deployment's DAG files, as Airflow's dag-processor has it.

A file is read when a deployment has changed it, and else hardly ever. So where Airflow has lost DAGs of it, as their
reading was cut off or its database is another one, the file is marked as changed: a deployed table is never without its
DAG for longer than it takes to read the file again.

Airflow asks whether a file has changed since its last reading *ended*: a deployment that comes while a file is read
would be seen an hour later. So a file that was laid is marked as changed once more when that reading is over.
"""

import logging
import os
import time
from collections.abc import Collection
from pathlib import Path
from typing import Any

from airflow.dag_processing.bundles.local import LocalDagBundle
from airflow.models.dag import DagModel
from airflow.utils.session import create_session
from sqlalchemy import select

from dayslice.orchestration.dag_groups import FIRST as FILE
from dayslice.orchestration.dag_groups import file_of, group_files
from dayslice.orchestration.deployment import read_deployment
from dayslice_airflow.dags import served

log = logging.getLogger(__name__)
# As long as to read a thousand tables takes on a busy machine; twice as long each time that it was of no use, as a
# table whose DAG cannot be made stays without one.
FIRST_SECONDS = 120.0
LAST_SECONDS = 3600.0


class DeploymentBundle(LocalDagBundle):
    """See the module."""

    pause = FIRST_SECONDS

    def __init__(self, **more: Any):
        super().__init__(**more)
        self.since = time.time()
        """What was laid before is read after."""
        self.marked: dict[Path, float] = {}
        """When a file was marked as changed here."""

    def initialize(self) -> None:
        """Called for each task, on its node. Of a file that is not there Airflow says only that it found no DAG."""
        super().initialize()
        if not group_files(self.path):
            log.error(
                "%s is not there: this node has no deployment. Copy it here, as docs/nodes.md says, or run dayslice "
                "airflow deploy; another node may do the task meanwhile",
                self.path / FILE,
            )

    def refresh(self) -> None:
        """Called twice a minute."""
        try:
            for file in self.path.glob("*.py"):
                if self._was_laid(file):
                    self._mark(file)
            newest = max(each.stat().st_mtime for each in group_files(self.path))
            if time.time() - newest < self.pause:
                return
            missing = unknown(read_deployment(*served()).entries)
            if not missing:
                self.pause = FIRST_SECONDS
                return
            log.warning(
                "Airflow does not know the DAGs %s: their files are read again", ", ".join(sorted(missing)[:10])
            )
            self.pause = min(2 * self.pause, LAST_SECONDS)
            for file in {file_of(each, self.path) for each in missing}:
                self._mark(file)
        except Exception as error:
            # What cannot be looked at here is said where it matters: by the file itself, or by the database's users.
            log.info("%s was not looked at: %s", self.path, error)

    def _was_laid(self, file: Path) -> bool:
        """By a deployment since this began, and so long ago that a reading that was going on then is over."""
        at = file.stat().st_mtime
        return self.since < at < time.time() - FIRST_SECONDS and at != self.marked.get(file)

    def _mark(self, file: Path) -> None:
        os.utime(file)
        self.marked[file] = file.stat().st_mtime


def unknown(dag_ids: Collection[str]) -> set[str]:
    """Those that Airflow's database has not, or only as what once was."""
    with create_session() as session:
        known = session.scalars(select(DagModel.dag_id).where(DagModel.is_stale.is_(False)))
        return set(dag_ids) - set(known)
