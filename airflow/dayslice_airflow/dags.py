"""A table's DAG: waits, then compute, then what tests are left; or an import."""

import os
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from pathlib import Path

from airflow.sdk import DAG, Asset, BaseOperator, Param, get_parsing_context
from airflow.sdk.definitions.callback import AsyncCallback
from airflow.sdk.definitions.deadline import DeadlineAlert, DeadlineReference

from dayslice.errors import DaysliceError
from dayslice.orchestration.dag_groups import group_of
from dayslice.orchestration.dag_index import IndexedTable, IndexedWait
from dayslice.orchestration.deployment import Deployment, failure_of, read_deployment
from dayslice.rules.calendar import Grain, bounds
from dayslice.rules.open_periods import PARAMETER
from dayslice_airflow import callbacks
from dayslice_airflow.operators import (
    ComputeSlice,
    ImportSlice,
    MakeFollowers,
    SourcesAreFresh,
    TestSlice,
    WaitForSlices,
)
from dayslice_airflow.timetable import SliceTimetable

# A run before its DAG's start date gets no tasks and is called a success: any ds may be asked for.
START = datetime(1970, 1, 1, tzinfo=UTC)
RETRIES = {
    "retries": 3,
    "retry_delay": timedelta(minutes=1),
    "retry_exponential_backoff": 2.0,
    "max_retry_delay": timedelta(minutes=30),
}
# Longer than the longest query that anybody would want to have.
RUN_AT_MOST = timedelta(hours=12)
FRESH_EVERY = timedelta(minutes=5)


class DeploymentRefused(Exception):
    """What Airflow shows as an import error."""


def served() -> tuple[Path, str]:
    """The home and the target that this Airflow serves."""
    if "DAYSLICE_HOME" not in os.environ:
        raise DeploymentRefused("DAYSLICE_HOME is not set: it says where dayslice airflow deploy puts what is served")
    return Path(os.environ["DAYSLICE_HOME"]).absolute(), os.environ.get("DAYSLICE_TARGET", "local")


def deployed_dags(group: int = 0, groups: int = 1) -> Iterator[DAG]:
    """The DAGs of one of so many groups of what is deployed; in a task's process only the one that is asked for,
    whichever its group is: a deployment may have moved it since the task was queued.

    One that cannot be made takes no other with it: Airflow shows why, as the file's import error.
    """
    asked = get_parsing_context().dag_id
    try:
        deployment = read_deployment(*served(), asked)
    except DaysliceError as error:
        raise DeploymentRefused(str(error)) from None
    failed = {}
    own = [each for each in deployment.entries if (each == asked if asked else group_of(each, groups) == group)]
    for dag_id in own:
        try:
            yield table_dag(deployment, deployment.table(dag_id))
        except Exception as error:
            failed[dag_id] = f"{type(error).__name__}: {error}"
    if failed:
        yield NotMade(failed)


class NotMade(DAG):
    """Stands for those that could not be made. Airflow takes it for a DAG that is wrong, and says so."""

    def __init__(self, failed: Mapping[str, str]):
        super().__init__("dayslice_not_made", schedule=None)
        self.failed = failed

    def validate(self) -> None:
        """Raises DeploymentRefused with the reasons."""
        raise DeploymentRefused("\n".join(f"{dag_id}: {error}" for dag_id, error in self.failed.items()))


def raise_last_failure() -> None:
    """Raise what the last deployment was refused for."""
    if get_parsing_context().dag_id is None and (failure := failure_of(*served())):
        raise DeploymentRefused(failure)


def table_dag(deployment: Deployment, table: IndexedTable) -> DAG:
    """The DAG of one table."""
    with DAG(
        dag_id=table.dag_id,
        description=table.description.split("\n")[0][:200] or None,
        schedule=SliceTimetable(table.cron, deployment.time_zone.key, table.grain),
        start_date=START,
        end_date=end_of(table, deployment),
        catchup=False,
        tags=sorted(set(table.tags)),
        doc_md=docs_of(table),
        default_args=default_args(table),
        params=params_of(table),
        deadline=deadline_of(table, deployment),
        dagrun_timeout=None,
        # The file's variables name it; a half one, whose making failed, is not to be found.
        auto_register=False,
    ) as dag:
        asset = Asset(table.dag_id)
        if table.is_import:
            made: BaseOperator = ImportSlice(task_id="import", deployment=deployment, table=table, asset=asset)
        else:
            made = compute_tasks(deployment, table, asset)
        if table.followers:
            followers = MakeFollowers(task_id="followers", deployment=deployment, table=table, pool=table.engine_pool)
            made >> followers
            if table.follower_waits:
                wait(deployment, table, "waits_of_followers", table.follower_waits) >> followers
    return dag


def wait(deployment: Deployment, table: IndexedTable, task_id: str, waits: tuple[IndexedWait, ...]) -> WaitForSlices:
    """A task that waits for slices of other tables."""
    return WaitForSlices(
        task_id=task_id,
        deployment=deployment,
        grain=Grain(table.grain),
        waits=waits,
        at_most=timedelta(seconds=table.wait_seconds),
        pool="default_pool",  # a look takes no slot of an engine
    )


def compute_tasks(deployment: Deployment, table: IndexedTable, asset: Asset) -> ComputeSlice:
    """Waits, then one dbt build (stage, audit, publish, latest), then the tests that are left; the build."""
    build = ComputeSlice(task_id="build", deployment=deployment, table=table, asset=asset)
    if table.waits:
        wait(deployment, table, "waits", table.waits) >> build
    if table.freshness:
        fresh = SourcesAreFresh(
            task_id="freshness",
            deployment=deployment,
            table=table,
            retries=int(timedelta(seconds=table.wait_seconds) / FRESH_EVERY),
            retry_delay=FRESH_EVERY,
            retry_exponential_backoff=0,
        )
        fresh >> build
    if table.tests:
        # A test that fails is no reason to compute again, and the next try would say the same.
        tests = TestSlice(task_id="tests", deployment=deployment, table=table, retries=0)
        build >> tests
        if table.test_waits:
            wait(deployment, table, "waits_of_tests", table.test_waits) >> tests
    return build


def default_args(table: IndexedTable) -> dict[str, object]:
    """What all tasks of a table have in common."""
    told = {"on_failure_callback": callbacks.failed} if callbacks.asked() else {}
    return {
        "owner": table.owner,
        "pool": table.pool,
        # The longest way down to a table that nobody reads: what holds up most goes first.
        "priority_weight": table.priority,
        "weight_rule": "absolute",
        "execution_timeout": RUN_AT_MOST,
        **RETRIES,
        **told,
    }


def params_of(table: IndexedTable) -> dict[str, Param]:
    """What a person who triggers a run is asked."""
    example = Grain(table.grain).example
    params = {
        "ds": Param(
            None,
            type=["null", "string"],
            title="ds",
            description=f"The slice, such as {example}. Empty: the period in which the logical date lies.",
        ),
        PARAMETER: Param(
            False,
            type="boolean",
            title="Open period",
            description="Take a period that is not over: its slice lacks what is still to come.",
        ),
    }
    if table.is_import:
        params["accept"] = Param(
            False, type="boolean", title="Accept", description="Accept that columns of the source changed."
        )
        params["allow_empty"] = Param(
            False,
            type="boolean",
            title="Allow empty",
            description="Publish a slice of no rows, though the source has no later ones yet.",
        )
    if table.is_import and table.kind == "cumulative":
        params["as_of_now"] = Param(
            False,
            type="boolean",
            title="As of now",
            description="Take the table as it stands now for a ds that is over.",
        )
    return params


def end_of(table: IndexedTable, deployment: Deployment) -> datetime | None:
    """The beginning of the last period that runs are scheduled for."""
    return bounds(table.end, deployment.time_zone)[0] if table.end else None


def deadline_of(table: IndexedTable, deployment: Deployment) -> DeadlineAlert | None:
    """When to tell the operator that a slice is late."""
    if table.late_seconds is None:
        return None
    return DeadlineAlert(
        reference=DeadlineReference.DAGRUN_LOGICAL_DATE,
        interval=timedelta(seconds=table.late_seconds),
        callback=AsyncCallback(
            callbacks.late,
            kwargs={
                "table": table.dag_id,
                "late_after": table.late_after,
                "grain": table.grain,
                "zone": deployment.time_zone.key,
                "schema": table.schema,
                "name": table.name,
                "place": asdict(deployment.metastore),
            },
        ),
    )


def docs_of(table: IndexedTable) -> str:
    """The DAG's page: what the table is, what it waits for and who reads it, and its SELECT."""
    parts = [table.description or f"`{table.dag_id}` has no description yet.", f"Written in `{table.path}`."]
    if table.upstream:
        parts.append("Waits for " + ", ".join(_link(each) for each in table.upstream) + ".")
    if table.downstream:
        parts.append("Read by " + ", ".join(_link(each) for each in table.downstream) + ".")
    if table.sql:
        parts.append(f"```sql\n{table.sql}\n```")
    return "\n\n".join(parts)


def _link(dag_id: str) -> str:
    return f"[{dag_id}](/dags/{dag_id})"
