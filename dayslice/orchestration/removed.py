"""Tables that were deployed and are not any more: their DAGs go, and Airflow's runs of them stay open for ever."""

import contextlib
from dataclasses import dataclass
from pathlib import Path

import orjson

from dayslice.errors import DaysliceError
from dayslice.orchestration.deployment import INDEX, UNREADABLE, Deployment
from dayslice.orchestration.instance import AirflowInstance

OPEN = ("queued", "running")


@dataclass(frozen=True)
class Removed:
    """A DAG that is no longer deployed. `runs`: those that are open; None where Airflow is not there to say it."""

    dag_id: str
    runs: tuple[str, ...] | None

    def in_words(self, instance: AirflowInstance) -> str:
        """One line: what is open, and what to do."""
        if self.runs is None:
            said = "Airflow does not run, so there is no telling which of its runs are open"
        else:
            said = f"open runs: {', '.join(self.runs)}" if self.runs else "no run of it is open"
        forget = f"dayslice airflow wipe {self.dag_id}" + (" --staging" if instance.staging else "")
        return f"{self.dag_id} is no longer deployed; {said}. To let Airflow forget it: {forget}"


def removed(instance: AirflowInstance, deployment: Deployment) -> list[Removed]:
    """What earlier deployments had and this one has not; of an Airflow that runs, what it still knows."""
    folder = deployment.project.parent
    earlier = sorted(each for each in folder.glob("v*") if each.name < deployment.project.name)
    names = {name for each in earlier for name in _names(each)} - deployment.entries.keys()
    settings = instance.settings
    if settings is None or settings.target != deployment.target or not instance.running():
        last = set(_names(earlier[-1])) if earlier else set()
        return [Removed(name, None) for name in sorted(names & last)]
    found = []
    api = instance.api()
    for name in sorted(names):
        # One that it does not know has been forgotten already.
        with contextlib.suppress(DaysliceError):
            runs = api.get(f"dags/{name}/dagRuns", state=OPEN, limit=100)["dag_runs"]
            found.append(Removed(name, tuple(each["dag_run_id"] for each in runs)))
    return found


def _names(project: Path) -> list[str]:
    with contextlib.suppress(*UNREADABLE):
        return list(orjson.loads((project / INDEX).read_bytes())["tables"])
    return []
