"""Making an Airflow forget a DAG: what its metadata database knows of it, and its logs. The warehouse is not asked."""

import shutil
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from dayslice.errors import DaysliceError, Transient
from dayslice.orchestration.deployment import lay_dag_files
from dayslice.orchestration.instance import AirflowInstance


@dataclass(frozen=True)
class Wiped:
    """What one Airflow forgot. `known` is False if it knew nothing of the DAG."""

    instance: AirflowInstance
    known: bool
    logs: Path | None = None


def instances_with_state(root: Path, staging: bool) -> list[AirflowInstance]:
    """Those that were ever started: the one for staging, or both."""
    asked = [AirflowInstance(root, staging=True)] if staging else [AirflowInstance(root), AirflowInstance(root, True)]
    return [each for each in asked if each.settings is not None]


def wipe(instances: Iterable[AirflowInstance], dag: str, logs: bool) -> list[Wiped]:
    """Delete the DAG's runs, task instances, XComs and all else but the audit log; and its tasks' logs, if asked.

    Raises DaysliceError while one of its tasks runs on any of them, as that would go on to write. Nothing is wiped
    then, on none.
    """
    asked = list(instances)
    for each in asked:
        each.known  # noqa: B018 - says what is wrong before anything is done
        if tasks := _at_work(each, dag):
            raise _refusal(each, dag, f"{', '.join(tasks)} {'runs' if len(tasks) == 1 else 'run'}")
    return [_wipe(each, dag, logs) for each in asked]


def _at_work(instance: AirflowInstance, dag: str) -> list[str]:
    """Its tasks that run, each with its run; none where the API server is not there to say it."""
    if not instance.running():
        return []
    try:
        found = instance.api().get(f"dags/{dag}/dagRuns/~/taskInstances", state="running", limit=1000)
    except DaysliceError:
        # A DAG that it does not know, or no answer. Airflow itself deletes none that runs.
        return []
    return [f"{task['task_id']} of {task['dag_run_id']}" for task in found["task_instances"]]


def _refusal(instance: AirflowInstance, dag: str, what_runs: str) -> DaysliceError:
    return DaysliceError(
        f"{what_runs} on {instance.name}'s Airflow, so nothing was wiped: wait for its end, or mark the run as failed "
        f"on {instance.url}/dags/{dag}, and wipe then"
    )


def _wipe(instance: AirflowInstance, dag: str, logs: bool) -> Wiped:
    known = _delete(instance, dag)
    folder = instance.home / "logs" / f"dag_id={dag}"
    if settings := instance.settings:
        # Airflow looks at a file again when it has changed: the DAG is there again, if it is deployed.
        lay_dag_files(instance.home.parent, settings.target, again=dag)
    found = logs and folder.is_dir()
    if found:
        shutil.rmtree(folder)
    return Wiped(instance, known or found, folder if found else None)


def _delete(instance: AirflowInstance, dag: str) -> bool:
    """False if Airflow does not know it."""
    done = instance.run("dags", "delete", "--yes", dag)
    if "TaskInstances still running" in done.stderr:
        if instance.running():
            raise _refusal(instance, dag, f"a task of {dag} runs")
        # It was cut off when Airflow was ended; Airflow would find that out at its next start.
        instance.run("tasks", "clear", "--yes", "--only-running", dag)
        done = instance.run("dags", "delete", "--yes", dag)
    if done.returncode == 0:
        return True
    if "DagNotFound" in done.stderr:
        return False
    last = (done.stderr.strip() or done.stdout.strip()).splitlines()[-1]
    if "database is locked" in done.stderr:
        raise Transient(f"the metadata database {instance.database} was busy, nothing was wiped there: do it again")
    raise DaysliceError(f"{instance.name}'s Airflow could not delete {dag}: {last}")
