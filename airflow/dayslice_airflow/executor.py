"""Airflow's LocalExecutor, warm: what every task would import for itself is imported once, before its workers fork."""

from airflow.executors.local_executor import LocalExecutor

from dayslice_airflow.warm import warm_up


class WarmLocalExecutor(LocalExecutor):
    """The same, but for its start."""

    def start(self) -> None:
        """Import, then fork the workers."""
        warm_up()
        super().start()
