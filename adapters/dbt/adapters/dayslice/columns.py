"""The columns of a SELECT as a table of slices holds them."""

from collections.abc import Mapping, Sequence
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
    get_columns_in_relation: Any
    refuse: Any

    @classmethod
    def quote(cls, identifier: str) -> str:
        """A name in double quotes; dbt's own leaves those in it as they are."""
        return '"' + identifier.replace('"', '""') + '"'

    @for_jinja
    def slice_columns(self, model: Node, sql: str, has_contract: bool) -> dict[str, Any]:
        """The columns of a SELECT, less ds, and whether it carries ds. Runs the SELECT with no rows.

        Each is of the type that the SELECT gives, or that its YAML declares where no value can be lost by that.
        """
        selected = self.selected_columns(model, sql)
        untyped = self.untyped_columns(selected, sql)
        declared = {} if has_contract else self.declared_columns(model, selected)
        own = [
            self._slice_column(model["name"], column, declared.get(column.name.lower()), column.name in untyped)
            for column in selected
            if column.name.lower() != "ds"
        ]
        return {"own": own, "carries_ds": len(own) < len(selected)}

    def selected_columns(self, model: Node, sql: str) -> Sequence[Any]:
        """The columns of a SELECT. Refuses one that has a column twice, where the engine would rename it, unsaid."""
        found: Sequence[Any] = self.get_column_schema_from_query(
            f"select * from (\n{sql}\n) as __dbt_sbq where false limit 0"
        )
        return found

    def untyped_columns(self, columns: Sequence[Any], sql: str) -> list[str]:
        """The names of those columns of a SELECT that are a bare null."""
        return [column.name for column in columns if column.data_type.lower() == "unknown"]

    @for_jinja
    def column_type(self, model: str, column: Any) -> str:
        """A column's type as the engine writes it."""
        return str(column.data_type)

    @for_jinja
    def known_types(self, relation: Any) -> dict[str, str]:
        """The types of the columns of a table that is there, by lower-case name."""
        return {each.name.lower(): self.column_type("", each) for each in self.get_columns_in_relation(relation)}

    @for_jinja
    def is_same_type(self, known: str, selected: str) -> bool:
        """Whether a column of one type may be written into one of the other."""
        return known.lower() == selected.lower()

    @for_jinja
    def refuse_changed_types(self, name: str, relation: Any, columns: Mapping[str, Any]) -> None:
        """Refuse a SELECT that gives a known column another type. `relation`: the table; None before its first slice.

        `columns`: what `slice_columns` gave.
        """
        known = self.known_types(relation) if relation is not None else {}
        changed = [
            f"{each['name']}: {known[each['name'].lower()]} in the table, {each['type']} in the SELECT"
            for each in columns["own"]
            if each["name"].lower() in known and not self.is_same_type(known[each["name"].lower()], each["type"])
        ]
        if changed:
            self.refuse(
                f"{name} would change the type of a column, and earlier slices cannot follow; nothing was published:"
                + "\n  "
                + "\n  ".join(changed)
                + "\nCast it to the table's type, or give it a new name"
            )

    @for_jinja
    def select_with_ds(self, columns: Mapping[str, Any], sql: str, ds: str) -> str:
        """The SELECT with ds as its last column, as a text. `columns`: what `slice_columns` gave."""
        values = [self._cast(each) if each["is_cast"] else self.quote(each["name"]) for each in columns["own"]]
        value = "ds" if columns["carries_ds"] else f"'{ds}'"
        return _select([*values, f"cast({value} as varchar) as ds"], sql, "selected")

    @for_jinja
    def select_without_ds(self, columns: Mapping[str, Any], sql: str) -> str:
        """The SELECT less ds."""
        return _select([self.quote(each["name"]) for each in columns["own"]], sql, "selected")

    @for_jinja
    def select_as_stored(self, columns: Sequence[Mapping[str, Any]], sql: str) -> str:
        """A SELECT with ds, each column cast to the type that is stored, where that is another."""
        values = [
            self.quote(each["name"]) if each["selected"].lower() == each["type"].lower() else self._cast(each)
            for each in columns
        ]
        return _select([*values, "ds"], sql, "sliced")

    def _cast(self, column: Mapping[str, Any]) -> str:
        return f"cast({self.quote(column['name'])} as {column['type']}) as {self.quote(column['name'])}"

    def _slice_column(self, model: str, column: Any, declared: Any, is_untyped: bool) -> dict[str, Any]:
        """`declared`: as the YAML declares it; None where it does not, or where a contract is enforced."""
        if is_untyped and not declared:
            self.refuse(
                f"{model}: column {column.name} is null and of no type, which no table can hold; nothing was "
                f"published. Write cast(null as varchar) as {column.name}, or give it a data_type in the YAML"
            )
        type_ = "" if is_untyped else self.column_type(model, column)
        if declared:
            wanted = self.column_type(model, declared)
            if is_untyped or (not self.is_same_type(type_, wanted) and self.widens(type_, wanted)):
                return {"name": column.name, "type": wanted, "selected": wanted, "is_cast": True}
            if not self.is_same_type(type_, wanted):
                self.refuse(
                    f"{model}: column {column.name} is {type_.lower()} in the SELECT and {wanted.lower()} in the YAML "
                    "(data_type), and not all values would pass from one to the other; nothing was published. Cast it "
                    "in the SELECT, or correct the YAML"
                )
        return {"name": column.name, "type": type_, "selected": column.data_type, "is_cast": False}

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

    def widens(self, selected: str, declared: str) -> bool:
        """Whether a column may be stored as its YAML declares it, without the loss of a value."""
        return widens(selected, declared)


def _select(values: Sequence[str], sql: str, name: str) -> str:
    listed = ",\n  ".join(values)
    return f"select\n  {listed}\nfrom (\n  {sql}\n) as {name}"
