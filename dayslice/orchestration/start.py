"""Starting an Airflow of ours: its database, the project's deployment, its processes, the pools of its DAGs."""

import subprocess
from collections.abc import Callable
from dataclasses import dataclass

from dayslice.engines.target import home_of, load_target
from dayslice.errors import DaysliceError, UsageError
from dayslice.orchestration.deployment import STAGING, Deployment, deploy, lay_dag_files, read_deployment
from dayslice.orchestration.environment import program
from dayslice.orchestration.instance import AirflowInstance
from dayslice.services.service import environment_with


@dataclass(frozen=True)
class Started:
    """What a start came to. `password` is the admin's, if it was made now; `deployed` whether the project was put in
    place, as nothing was: a start is no release.
    """

    was_running: bool
    password: str | None = None
    deployed: bool = False


def start(instance: AirflowInstance, port: int | None, progress: Callable[[str], None]) -> Started:
    """Start what does not run, on what is deployed; deploy only where nothing is. A no-op if all of it runs."""
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
        progress("preparing the metadata database")
        migration = Migration(instance)
        try:
            deployment, deployed = _deployed(instance, target, progress)
        finally:
            migration.end()
        instance.start(progress)
        make_pools(instance, deployment)
        return Started(was_running=False, password=password, deployed=deployed)


def make_pools(instance: AirflowInstance, deployment: Deployment) -> list[str]:
    """The pools that its DAGs run in, where it runs and they are not there. Those made."""
    settings = instance.settings
    if settings is None or settings.target != deployment.target or not instance.running():
        return []
    return instance.make_pools(deployment.pools)


def _deployed(instance: AirflowInstance, target: str, progress: Callable[[str], None]) -> tuple[Deployment, bool]:
    """What is served, and whether it was deployed now. The files as they lie there may be half a change."""
    home = home_of(instance.root)
    try:
        found = read_deployment(home, target)
    except DaysliceError:
        progress("deploying the project")
        return deploy(instance.root, target), True
    lay_dag_files(home, target)
    return found, False


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
