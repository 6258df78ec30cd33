"""What every task would import for itself, imported once by the process that tasks are forked from.

Most of the time of a small task is the import of dbt and of Airflow's own parts. Processes that are forked share it.
"""

import logging
from importlib import import_module

log = logging.getLogger(__name__)
# What tasks of ours use. Importing them starts nothing: no thread, no connection.
MODULES = (
    "airflow.sdk.execution_time.task_runner",
    "dayslice_airflow.dags",
    "dayslice_importers.run",
    "dayslice.runner.manifest_parts",
    "dbt.cli.main",
    "dbt.task.build",
    "dbt.adapters.dayslice.adapter",
    *(ADAPTERS := ("dbt.adapters.dayslice_duckdb", "dbt.adapters.dayslice_trino")),
)
# dbt describes these to itself in JSON schema, each time that it starts: half a second a task.
DESCRIBED = (
    "dbt.contracts.project.Project",
    "dbt.contracts.project.ProjectFlags",
    "dbt.contracts.project.PackageConfig",
    "dbt.contracts.project.ProfileConfig",
    "dbt.contracts.project.Configuration",
    *(f"{adapter}.Plugin" for adapter in ADAPTERS),
)


def warm_up() -> None:
    """Import what tasks use. What is not installed here, such as another engine's, is passed over."""
    for name in MODULES:
        try:
            import_module(name)
        except Exception as error:
            log.info("%s was not imported: %s", name, error)
    for name in DESCRIBED:
        module, _, described = name.rpartition(".")
        try:
            found = getattr(import_module(module), described)
            getattr(found, "credentials", found).json_schema()
        except Exception as error:
            log.info("%s was not described: %s", name, error)
