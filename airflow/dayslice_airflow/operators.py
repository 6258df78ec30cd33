"""The tasks of a table's DAG: wait for slices, compute or import one, test it, ask how fresh others' sources are."""

import contextlib
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from typing import Any

from airflow.sdk import Asset, BaseOperator
from airflow.sdk.exceptions import AirflowException, AirflowFailException
from cosmos.config import ProfileConfig
from cosmos.constants import InvocationMode
from cosmos.operators.local import DbtBuildLocalOperator, DbtSourceLocalOperator, DbtTestLocalOperator

from dayslice.errors import DaysliceError, Refused, UsageError
from dayslice.metastore import lineage
from dayslice.orchestration.dag_index import DUCKDB_POOL, IndexedTable, IndexedWait
from dayslice.orchestration.deployment import Deployment
from dayslice.rules.calendar import Grain
from dayslice.rules.failures import never_succeeds
from dayslice.rules.graph import TableNode
from dayslice.rules.open_periods import VARIABLE
from dayslice.rules.settings import Kind, read_settings
from dayslice.rules.snapshots import snapshot_slices
from dayslice_airflow.run_ds import SCHEDULED, ds_of, open_period, run_type
from dayslice_airflow.triggers import SlicesStand, look, missing_of, named, tables_of

Context = Mapping[str, Any]
# Flags of every dbt command: nothing is written that nobody reads, and what is said goes to Airflow's log.
QUIET = ["--no-use-colors", "--log-level-file", "none", "--no-send-anonymous-usage-stats"]


def parent_of(context: Context) -> dict[str, str]:
    """What makes OpenLineage's events of publications children of this task's, where Airflow's provider sends those."""
    if not lineage.is_configured():
        return {}
    try:
        from airflow.providers.openlineage.plugins import macros  # noqa: PLC0415 - not installed everywhere
    except ImportError:
        return {}
    task = context["ti"]
    return {
        "OPENLINEAGE_PARENT_ID": macros.lineage_parent_id(task),
        "OPENLINEAGE_ROOT_PARENT_ID": macros.lineage_root_parent_id(task),
    }


def publish_event(context: Context, asset: Asset, ds: str) -> None:
    """Tell those who build on Airflow's assets. Nothing of ours depends on it."""
    context["outlet_events"][asset].add_partitions([ds])


class WaitForSlices(BaseOperator):
    """Waits until the slices stand that a run needs, whoever made them: the metastore says so, not Airflow."""

    ui_color = "#e8e4d8"

    def __init__(
        self, *, deployment: Deployment, grain: Grain, waits: Sequence[IndexedWait], at_most: timedelta, **more: Any
    ):
        super().__init__(**more)
        self.deployment, self.grain, self.waits, self.at_most = deployment, grain, waits, at_most

    def execute(self, context: Context) -> str:
        """Look once; if something is missing, wait in the triggerer. Returns the ds."""
        ds = ds_of(context, self.grain, self.deployment.time_zone)
        waits = [each.awaited() for each in self.waits]
        missing = missing_of(waits, ds, look(self.deployment.metastore, tables_of(waits)), self.deployment.time_zone)
        if missing:
            self.log.info("%s waits for %s, at most %s", ds, named(missing), self.at_most)
            trigger = SlicesStand(
                place=asdict(self.deployment.metastore),
                waits=[asdict(each) for each in self.waits],
                ds=ds,
                zone=self.deployment.time_zone.key,
                deadline=(datetime.now(UTC) + self.at_most).isoformat(),
            )
            self.defer(trigger=trigger, method_name="resume")
        self.log.info("all slices that %s reads stand", ds)
        return ds

    def resume(self, context: Context, event: Mapping[str, Any]) -> str:
        """Go on when the trigger has fired."""
        ds = ds_of(context, self.grain, self.deployment.time_zone)
        if event["missing"]:
            raise AirflowFailException(
                f"{self.dag_id} {ds} waited {self.at_most} and these slices are still not there: "
                f"{', '.join(event['missing'])}. When they are, clear this task"
            )
        self.log.info("all slices that %s reads stand now", ds)
        return ds


class RunsDeployed:
    """dbt on a table's part of the deployed manifest, through Cosmos's operators: the project is not parsed again."""

    deployment: Deployment
    table: IndexedTable

    def run_dbt_runner(self, command: list[str], env: dict[str, str], cwd: str, **more: Any) -> Any:
        """As Cosmos's, with the manifest at hand."""
        from cosmos.dbt.project import change_working_directory, environ  # noqa: PLC0415
        from dbt.adapters.dayslice.adapter import SliceAdapter  # noqa: PLC0415
        from dbt.cli.main import dbtRunner  # noqa: PLC0415 - takes two seconds, and only this task needs it

        from dayslice.metastore import lineage, readers_file  # noqa: PLC0415
        from dayslice.runner.manifest_parts import read_part  # noqa: PLC0415

        manifest = read_part(self.deployment.parts, self.table.dag_id)
        SliceAdapter.refusals.clear()
        with change_working_directory(cwd), environ(env):
            try:
                return dbtRunner(manifest=manifest).invoke(command[1:])
            finally:
                readers_file.finish()  # a task's process ends without Python's own farewell
                lineage.finish()

    def calculate_openlineage_events_completes(self, *args: Any, **more: Any) -> bool:
        """Cosmos's asks dbt's artifacts, which are not written: a publication tells of itself."""
        return False

    def handle_exception_dbt_runner(self, result: Any) -> None:
        """A refused slice is refused again however often it is tried; anything else may go better next time."""
        from dbt.adapters.dayslice.adapter import SliceAdapter  # noqa: PLC0415

        if not result.success and SliceAdapter.refusals:
            raise AirflowFailException("\n".join(SliceAdapter.refusals))
        failed = [each.message or "" for each in getattr(result.result, "results", None) or () if _has_failed(each)]
        if not result.success and failed and all(never_succeeds(each) for each in failed):
            raise AirflowFailException("\n".join(failed))
        super().handle_exception_dbt_runner(result)  # type: ignore[misc]

    def prepared(self, context: Context) -> str:
        """Set the environment of this run's dbt; the ds."""
        ds = ds_of(context, Grain(self.table.grain), self.deployment.time_zone)
        asked = {VARIABLE: "1"} if open_period(context) else {}
        home = {"DAYSLICE_HOME": str(self.deployment.home)}
        self.env = {"DAYSLICE_DS": ds, **home, **self.memory(), **asked, **parent_of(context)}
        return ds

    def memory(self) -> dict[str, str]:
        """What DuckDB may take, as the environment says it: as many tasks as its pool has slots compute at once."""
        from dayslice.engines.embedded import one_of  # noqa: PLC0415 - DuckDB, which a DAG file needs not

        slots = self.deployment.pools.get(DUCKDB_POOL)
        return one_of(slots) if slots else {}


def _has_failed(result: Any) -> bool:
    return str(result.status) in ("error", "fail", "runtime error")


def dbt_arguments(deployment: Deployment, flags: Sequence[str] = ()) -> dict[str, Any]:
    """What all of Cosmos's operators are given here."""
    defer = ["--defer", "--favor-state", "--state", deployment.state] if deployment.state else []
    return {
        "project_dir": str(deployment.project),
        "profile_config": ProfileConfig(
            profile_name=deployment.profile,
            target_name=deployment.target,
            profiles_yml_filepath=deployment.project / "profiles.yml",
        ),
        "invocation_mode": InvocationMode.DBT_RUNNER,
        "append_env": True,
        "install_deps": False,
        "emit_datasets": False,
        "dbt_cmd_global_flags": QUIET,
        "dbt_cmd_flags": ["--no-write-json", *defer, *flags],
    }


class ComputeSlice(RunsDeployed, DbtBuildLocalOperator):
    """Stages, audits and publishes one slice of a model, and moves its latest view: one dbt build."""

    def __init__(self, *, deployment: Deployment, table: IndexedTable, asset: Asset, **more: Any):
        super().__init__(
            **dbt_arguments(deployment, ["--indirect-selection", "empty"]),
            select=list(table.build),
            outlets=[asset],
            **more,
        )
        self.deployment, self.table, self.asset = deployment, table, asset

    def execute(self, context: Context, **more: Any) -> None:
        """Compute this run's slice."""
        ds = self.prepared(context)
        super().execute(context, **more)
        publish_event(context, self.asset, ds)


class MakeFollowers(RunsDeployed, DbtBuildLocalOperator):
    """Makes the models of other materializations that read the table's slices, and tests them: one dbt build."""

    def __init__(self, *, deployment: Deployment, table: IndexedTable, **more: Any):
        super().__init__(
            **dbt_arguments(deployment, ["--indirect-selection", "empty"]), select=list(table.followers), **more
        )
        self.deployment, self.table = deployment, table

    def execute(self, context: Context, **more: Any) -> None:
        """Make them after this run's slice."""
        self.prepared(context)
        super().execute(context, **more)


class TestSlice(RunsDeployed, DbtTestLocalOperator):
    """Runs the tests of a published slice that could not be its audits."""

    __test__ = False

    def __init__(self, *, deployment: Deployment, table: IndexedTable, **more: Any):
        super().__init__(**dbt_arguments(deployment), select=list(table.tests), **more)
        self.deployment, self.table = deployment, table

    def execute(self, context: Context, **more: Any) -> None:
        """Test this run's slice."""
        self.prepared(context)
        super().execute(context, **more)


class SourcesAreFresh(RunsDeployed, DbtSourceLocalOperator):
    """dbt's own freshness of sources that others land. A stale one fails the try, and the next try is the wait."""

    def __init__(self, *, deployment: Deployment, table: IndexedTable, **more: Any):
        super().__init__(**{**dbt_arguments(deployment), "dbt_cmd_flags": []}, select=list(table.freshness), **more)
        self.deployment, self.table = deployment, table

    def execute(self, context: Context, **more: Any) -> None:
        """Ask dbt."""
        self.prepared(context)
        super().execute(context, **more)


class ImportSlice(BaseOperator):
    """Lands one slice of an import, counts it, publishes it, and moves its latest view."""

    ui_color = "#d8e4ee"

    def __init__(self, *, deployment: Deployment, table: IndexedTable, asset: Asset, **more: Any):
        super().__init__(outlets=[asset], **more)
        self.deployment, self.table, self.asset = deployment, table, asset

    def execute(self, context: Context) -> None:
        """Import this run's slice."""
        from dayslice.metastore import lineage, readers_file  # noqa: PLC0415
        from dayslice.runner.imports import Progress, import_tables  # noqa: PLC0415 - psycopg2 and the engines

        ds = ds_of(context, Grain(self.table.grain), self.deployment.time_zone)
        params = context["params"]
        shown = 0

        def watch(progress: Progress) -> None:
            nonlocal shown
            if progress.rows >= shown + 1_000_000:
                shown = progress.rows
                self.log.info("%s rows, %s MB", f"{progress.rows:,}", progress.bytes // 1_000_000)

        asked = {VARIABLE: "1"} if open_period(context) else {}
        with environment({"DAYSLICE_HOME": str(self.deployment.home), **asked, **parent_of(context)}):
            self._reach_source()
            project, node = import_project(self.deployment, self.table)
            results = import_tables(
                project,
                [node],
                ds,
                as_of_now=self._as_of_now(context, ds),
                accept=bool(params.get("accept")),
                allow_empty=bool(params.get("allow_empty")),
                watch=watch,
            )
            readers_file.finish()
            lineage.finish()
        for each in results:
            if each.version is not None:
                self.log.info("%s %s: %s rows published", node, each.ds, f"{each.version.receipt.rows:,}")
        errors = [each.error for each in results if each.error]
        if errors:
            final = all(isinstance(each, Refused | UsageError) for each in errors)
            raise (AirflowFailException if final else AirflowException)("\n".join(str(each) for each in errors))
        publish_event(context, self.asset, ds)

    def _reach_source(self) -> None:
        """A source that is away is said at once, not after the locks of this slice and the engine were waited for."""
        from dayslice.runner.imports import reach_source  # noqa: PLC0415

        try:
            reach_source(self.table.meta["connection"], self.deployment.home)
        except UsageError as error:
            raise AirflowFailException(str(error)) from None
        except DaysliceError as error:
            raise AirflowException(str(error)) from None

    def _as_of_now(self, context: Context, ds: str) -> bool:
        """Whether a snapshot of now may stand for a ds that is over: a person says so, or the schedule is late."""
        if context["params"].get("as_of_now"):
            return True
        if self.table.kind != Kind.CUMULATIVE.value or ds in snapshot_slices(self.deployment.time_zone):
            return False
        if run_type(context) != SCHEDULED[0] or self.table.meta.get("late_snapshot", "take") != "take":
            return False
        self.log.warning("this run comes late: %s gets the table as it stands now; its receipt has the time", ds)
        return True


@contextlib.contextmanager
def environment(values: Mapping[str, str]) -> Iterator[None]:
    """Set environment variables for a while."""
    before = {key: os.environ.get(key) for key in values}
    os.environ.update(values)
    try:
        yield
    finally:
        for key, value in before.items():
            if value is None:
                os.environ.pop(key, None)
            else:
                os.environ[key] = value


def import_project(deployment: Deployment, table: IndexedTable) -> tuple[Any, TableNode]:
    """The project as an importer needs it, without dbt's parse."""
    from dayslice.engines.target import load_target  # noqa: PLC0415 - dbt's profile
    from dayslice.runner.dbt_runs import Dbt  # noqa: PLC0415
    from dayslice.runner.project import Project  # noqa: PLC0415

    node = TableNode(
        unique_id=table.unique_id,
        table=table.table,
        is_import=True,
        settings=read_settings(table.meta, f"{table.path}: {table.name}", is_import=True),
        meta=table.meta,
        path=table.path,
        yaml=table.path,
        description=table.description,
        columns={},
        waits=(),
        latest_view=None,
    )
    project = Project(
        root=deployment.project,
        target=load_target(deployment.project, deployment.target),
        dbt=Dbt(deployment.project, deployment.target),
        graph={"nodes": {}, "sources": {}},
        tables={node.unique_id: node},
        time_zone=deployment.time_zone,
    )
    return project, node
