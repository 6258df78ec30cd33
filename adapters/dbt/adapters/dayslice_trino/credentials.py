"""dbt-trino's credentials, of every login method, and where slices and their metastore are."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from dbt.adapters.trino.connections import TrinoCredentials, TrinoCredentialsFactory
from dbt_common.exceptions import DbtConfigError

METASTORES = ("hive", "glue")


@cache
def with_slices(login: type[TrinoCredentials]) -> type[TrinoCredentials]:
    """The credentials of one login method, with our fields added."""

    @dataclass
    class Credentials(login):  # type: ignore[misc, valid-type] - dbt-trino has one class a login method
        """`warehouse`: the root of slices' files. `metastore`: hive (`metastore_uri`) or glue (`glue_catalog`)."""

        warehouse: str = ""
        metastore: str = "hive"
        metastore_uri: str = ""
        glue_catalog: str | None = None

        def __post_init__(self) -> None:
            super().__post_init__()
            if not self.warehouse.startswith("s3://"):
                raise DbtConfigError(f"warehouse: {self.warehouse!r} is no place on S3: write s3://bucket/prefix")
            if self.metastore not in METASTORES:
                raise DbtConfigError(f"metastore: {self.metastore!r} is not known: write hive or glue")
            if self.metastore == "hive" and not self.metastore_uri:
                raise DbtConfigError("metastore_uri is missing: write thrift://host:9083")
            self.warehouse = self.warehouse.rstrip("/")

        @property
        def type(self) -> str:
            """The profile's `type:`."""
            return "dayslice_trino"

        def _connection_keys(self) -> tuple[str, ...]:
            return (*super()._connection_keys(), "warehouse", "metastore", "metastore_uri", "glue_catalog")

    return Credentials


class SliceTrinoCredentials(TrinoCredentialsFactory):
    """Chooses by `method:`, as dbt-trino does."""

    @classmethod
    def _create_trino_profile(cls, profile: Mapping[str, Any]) -> type[TrinoCredentials]:
        return with_slices(super()._create_trino_profile(profile))
