"""A relation that renders itself as a filtered subquery, and still has its schema and identifier.

dbt's microbatch does the same by the time of an event: macros that ask the engine about the relation (its columns, its
name) go on working, and what is selected from it are this run's rows only.
"""

from dataclasses import replace
from typing import Any


class ReadsRows:
    """Mixed into an engine's relation, which declares the field `rows_where`: a condition, or None for all rows.

    It may have `rows_from`: what is read in the relation's place, staged slices among it.
    """

    rows_where: str | None

    def where(self, condition: str) -> Any:
        """The same relation, of those rows only that hold the condition as well."""
        both = f"({self.rows_where}) and ({condition})" if self.rows_where else condition
        return replace(self, rows_where=both)  # type: ignore[type-var]

    def whole(self) -> Any:
        """The same relation, of all rows."""
        return replace(self, rows_where=None)  # type: ignore[type-var]

    def __str__(self) -> str:
        rendered = getattr(self, "rows_from", None) or super().__str__()
        return f"(select * from {rendered} where {self.rows_where})" if self.rows_where else rendered


def ds_condition(slices: list[str]) -> str:
    """The condition on ds that a list of slices, oldest first and without a gap, comes to."""
    return f"ds = '{slices[0]}'" if len(slices) == 1 else f"ds between '{slices[0]}' and '{slices[-1]}'"
