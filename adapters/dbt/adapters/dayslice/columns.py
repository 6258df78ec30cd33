"""The columns of a SELECT as a table of slices holds them."""

from collections.abc import Sequence
from typing import Any

from dbt.adapters.base.meta import AdapterMeta
from dbt.adapters.dayslice.jinja import for_jinja
from dbt_common.exceptions import DbtRuntimeError

from dayslice.errors import UsageError
from dayslice.rules.graph import Node
from dayslice.rules.widening import widens


class StoresColumns(metaclass=AdapterMeta):
    """Mixed into `SliceAdapter`."""

    get_column_schema_from_query: Any

    @classmethod
    def quote(cls, identifier: str) -> str:
        """A name in double quotes; dbt's own leaves those in it as they are."""
        return '"' + identifier.replace('"', '""') + '"'

    @for_jinja
    def check_each_once(self, model: Node, sql: str) -> None:
        """Refuse a SELECT that has a column twice, where the engine would give one of them another name, unsaid."""

    @for_jinja
    def untyped_columns(self, columns: Sequence[Any], sql: str) -> list[str]:
        """The names of those columns of a SELECT that are a bare null."""
        return [column.name for column in columns if column.data_type.lower() == "unknown"]

    @for_jinja
    def declared_columns(self, model: Node, selected: Sequence[Any]) -> dict[str, Any]:
        """The columns that a model's YAML gives a data_type, by lower-case name, as the engine names their types."""
        names = {column.name.lower() for column in selected} - {"ds"}
        types = {
            column["name"].lower(): column["data_type"]
            for column in model["columns"].values()
            if column.get("data_type") and column["name"].lower() in names
        }
        if not types:
            return {}
        casts = ", ".join(f"cast(null as {type_}) as {self.quote(name)}" for name, type_ in types.items())
        try:
            described = self.get_column_schema_from_query(f"select {casts}")
        except DbtRuntimeError as error:
            yaml = (model.get("patch_path") or "").partition("://")[2] or model["original_file_path"]
            said = " ".join(str(error.msg).split())
            raise UsageError(f"{yaml}: {model['name']}: a data_type that the engine does not know: {said}") from None
        return {column.name.lower(): column for column in described}

    @for_jinja
    def widens(self, selected: str, declared: str) -> bool:
        """Whether a column may be stored as its YAML declares it, without the loss of a value."""
        return widens(selected, declared)
