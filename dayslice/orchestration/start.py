"""Starting an Airflow of ours: its database, the project's deployment, its processes, the pools of its DAGs."""

import subprocess
from collections.abc import Callable
from dataclasses import dataclass

from dayslice.engines.target import home_of, load_target
from dayslice.errors import DaysliceError, UsageError
from dayslice.orchestration.deployment import STAGING, Deployment, deploy, read_deployment
from dayslice.orchestration.environment import program
from dayslice.orchestration.instance import AirflowInstance
from dayslice.services.service import environment_with


@dataclass(frozen=True)
class Started:
    """What a start came to. `password` is the admin's, if it was made now; `refused` why the project as it stands is
    not served, but the one that was deployed before.
    """

    was_running: bool
    password: str | None = None
    refused: str | None = None


def start(instance: AirflowInstance, port: int | None, progress: Callable[[str], None]) -> Started:
    """Deploy the project, and start what does not run. A no-op if all of it runs."""
    with instance.lock():
        running, settings = instance.running(), instance.settings
        if running and settings and port not in (None, settings.port):
            raise UsageError(
                f"{instance.name}'s Airflow runs on port {settings.port}: end it first, with "
                f"{instance.command.format('down')}"
            )
        if len(running) == len(instance.services()):
            return Started(was_running=True)
        target = load_target(instance.root, STAGING if instance.staging else None).name
        password = instance.prepare(port, target)
        progress("preparing the metadata database, and deploying the project")
        migration = Migration(instance)
        try:
            deployment, refused = _deployed(instance, target)
        finally:
            migration.end()
        instance.start(progress)
        make_pools(instance, deployment)
        return Started(was_running=False, password=password, refused=refused)


def make_pools(instance: AirflowInstance, deployment: Deployment) -> list[str]:
    """The pools that its DAGs run in, where it runs and they are not there. Those made."""
    settings = instance.settings
    if settings is None or settings.target != deployment.target or not instance.running():
        return []
    return instance.make_pools(deployment.pools)


def _deployed(instance: AirflowInstance, target: str) -> tuple[Deployment, str | None]:
    try:
        return deploy(instance.root, target), None
    except DaysliceError as error:
        try:
            # A mistake in one file is no reason to be without all others.
            return read_deployment(home_of(instance.root), target), str(error)
        except DaysliceError:
            raise error from None


class Migration:
    """`airflow db migrate`, which goes on while something else is done."""

    def __init__(self, instance: AirflowInstance):
        self.log = instance.home / "migrate.log"
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                [str(program("airflow")), "db", "migrate"],
                env=environment_with(instance.environment()),
                cwd=instance.home,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )

    def end(self) -> None:
        """Wait for its end. Raises DaysliceError with the end of its log if it failed."""
        if self.process.wait() != 0:
            tail = "\n".join(self.log.read_text(errors="replace").splitlines()[-5:])
            raise DaysliceError(f"Airflow's metadata database could not be prepared; the end of {self.log}:\n{tail}")
