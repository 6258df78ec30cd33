"""A table whose build takes as long as a test wants it to: it counts up to a number in a file."""

from dataclasses import dataclass
from pathlib import Path

from tests.airflow.running_airflow import RunningAirflow, until

SELECT = """
{{{{ config(pre_hook="copy (select 1) to '{marker}'") }}}}
with recursive counted as (
    select 1::bigint as n
    union all
    select n + 1 from counted where n < (select up_to from read_csv('{up_to}'))
)
select count(*) as n from counted
"""
ROWS = 100
FOR_EVER = 10**12


@dataclass
class SlowTable:
    """Slow from the start, until `let_go`. Its only row has ROWS."""

    root: Path
    name: str

    def write(self) -> None:
        """Make the model."""
        up_to, marker = self._file("up_to"), self._file("at_work")
        (self.root / "models" / f"{self.name}.sql").write_text(SELECT.format(up_to=up_to, marker=marker))
        up_to.write_text(f"up_to\n{FOR_EVER}\n")

    def let_go(self) -> None:
        """From the next build on it is quick."""
        self._file("up_to").write_text(f"up_to\n{ROWS}\n")

    def begin(self, airflow: RunningAirflow) -> str:
        """Let Airflow begin its scheduled run, and return that run's id when the build is in its query."""
        api = airflow.api()
        until(lambda: self.name in {dag["dag_id"] for dag in api.get("dags", limit=1000)["dags"]}, 240)
        api.patch(f"dags/{self.name}", {"is_paused": False})
        until(self._file("at_work").exists, 240)
        [run] = api.get(f"dags/{self.name}/dagRuns")["dag_runs"]
        return str(run["dag_run_id"])

    def _file(self, what: str) -> Path:
        return self.root / f"{self.name}.{what}"
