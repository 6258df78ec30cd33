"""Making an Airflow forget a DAG: what its metadata database knows of it, and its logs. The warehouse is not asked."""

import shutil
from dataclasses import dataclass
from pathlib import Path

from dayslice.airflow_instance import AirflowInstance
from dayslice.errors import DaysliceError, Transient


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


def wipe(instance: AirflowInstance, dag: str, logs: bool) -> Wiped:
    """Delete the DAG's runs, task instances, XComs and all else but the audit log; and its tasks' logs, if asked.

    Raises DaysliceError while one of its tasks runs, as that would go on to write.
    """
    instance.known  # noqa: B018 - says what is wrong before anything is done
    known = _delete(instance, dag)
    folder = instance.home / "logs" / f"dag_id={dag}"
    found = logs and folder.is_dir()
    if found:
        shutil.rmtree(folder)
    return Wiped(instance, known or found, folder if found else None)


def _delete(instance: AirflowInstance, dag: str) -> bool:
    """False if Airflow does not know it."""
    done = instance.run("dags", "delete", "--yes", dag)
    if "TaskInstances still running" in done.stderr:
        if instance.running():
            raise DaysliceError(
                f"a task of {dag} runs on {instance.name}'s Airflow: wait for it, or mark its run as failed on "
                f"{instance.url}/dags/{dag}, and wipe then"
            )
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
