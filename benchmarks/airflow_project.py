"""A dbt project of any number of small tables, deployed: for the benchmarks of Airflow."""

import os
import shutil
from pathlib import Path

from dayslice.orchestration.deployment import Deployment, deploy

ROOT = Path(__file__).parents[1]
FAN_IN = 3


def make_project(root: Path, tables: int) -> None:
    """Tables with descriptions, contracts' columns, an audit each, latest views, and waits for up to three others."""
    for name in ("dbt_project.yml", "profiles.yml"):
        shutil.copy(ROOT / name, root / name)
    models = root / "models" / "many"
    models.mkdir(parents=True)
    entries = ["models:"]
    for n in range(tables):
        upstream = sorted({n // 2, n // 3, n // 5} - {n})[:FAN_IN] if n else []
        reads = [f"select id from {{{{ slice('table_{each}') }}}}" for each in upstream]
        (models / f"table_{n}.sql").write_text("\nunion all\n".join(reads or [f"select {n} as id"]))
        (models / f"table_{n}_latest.sql").write_text(f"{{{{ latest('table_{n}') }}}}")
        entries.append(
            f"  - name: table_{n}\n"
            f"    description: Table {n} of many, with one row for each of what it reads.\n"
            f"    config: {{meta: {{owner: team-{n % 7}, late_after: 6h}}}}\n"
            f"    columns: [{{name: id, data_type: integer, description: Its id., data_tests: [not_null]}}]"
        )
    (models / "many.yml").write_text("\n".join(entries))


def deployed_project(folder: Path, tables: int) -> Deployment:
    """Make it and deploy it; its home is `warehouse` in the folder."""
    make_project(folder, tables)
    before = os.environ.pop("DAYSLICE_HOME", None)
    try:
        return deploy(folder)
    finally:
        if before is not None:
            os.environ["DAYSLICE_HOME"] = before
