"""dbt-trino, with slices: the production target's adapter (`type: dayslice_trino`)."""

import logging
from pathlib import Path

from dbt.adapters.base import AdapterPlugin

# Trino's client tells, as it is imported and on each command's standard error, that an optional package is not there.
logging.getLogger("trino.auth").setLevel(logging.WARNING)
# It tells of each repeated request, and of what a query failed for, which dbt tells too.
logging.getLogger("trino.client").setLevel(logging.CRITICAL)

from dbt.adapters.dayslice_trino.credentials import SliceTrinoCredentials  # noqa: E402
from dbt.adapters.dayslice_trino.impl import Dayslice_TrinoAdapter  # noqa: E402

Plugin = AdapterPlugin(
    adapter=Dayslice_TrinoAdapter,
    credentials=SliceTrinoCredentials,  # type: ignore[arg-type] - a factory, as dbt-trino's own is
    include_path=str(Path(__file__).parents[2] / "include" / "dayslice"),
    dependencies=["trino"],
)
