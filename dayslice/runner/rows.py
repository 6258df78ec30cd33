"""What was read, for a notebook: held in memory by DuckDB, which spills, and handed over as Arrow."""

import html
import importlib
from collections.abc import Iterator
from types import ModuleType
from typing import Any

import duckdb

from dayslice.errors import UsageError

HELD = "memory.main.rows"
"""The table of the rows, in the DuckDB that holds them."""
_SHOWN = 10


class Rows:
    """Rows with names and types. Arrow takes them as they are: `polars.DataFrame(rows)`, `pyarrow.table(rows)`."""

    def __init__(self, connection: duckdb.DuckDBPyConnection):
        self._connection = connection

    @classmethod
    def of(cls, connection: duckdb.DuckDBPyConnection, select: Any) -> "Rows":
        """The rows of a relation, read now: what is published or deleted later changes nothing."""
        select.query("_asked", f"create table {HELD} as from _asked")
        return cls(connection)

    @property
    def columns(self) -> list[str]:
        """The names of the columns."""
        return list(self._relation.columns)

    @property
    def types(self) -> list[str]:
        """The types of the columns, as DuckDB calls them."""
        return [str(each) for each in self._relation.types]

    def arrow(self) -> Any:
        """A table of pyarrow. Raises UsageError where that is not installed."""
        return needed("pyarrow", "arrow").table(self)

    def df(self) -> Any:
        """A data frame of pandas. Raises UsageError where that is not installed."""
        needed("pandas", "df")
        return self._relation.df()

    def pl(self) -> Any:
        """A data frame of polars. Raises UsageError where that is not installed."""
        return needed("polars", "pl").DataFrame(self)

    def __arrow_c_stream__(self, requested_schema: Any = None) -> Any:
        return self._relation.__arrow_c_stream__(requested_schema)

    def __len__(self) -> int:
        found = self._connection.execute(f"select count(*) from {HELD}").fetchone()
        return int(found[0]) if found else 0

    def __iter__(self) -> Iterator[tuple[Any, ...]]:
        cursor = self._connection.cursor().execute(f"from {HELD}")
        while rows := cursor.fetchmany(1000):
            yield from rows

    def __repr__(self) -> str:
        return f"{self._relation.limit(_SHOWN)}{self._more()}"

    def _repr_html_(self) -> str:
        head = "".join(f"<th>{html.escape(name)}</th>" for name in self.columns)
        shown = self._relation.limit(_SHOWN).fetchall()
        body = "".join(f"<tr>{''.join(f'<td>{html.escape(str(each))}</td>' for each in row)}</tr>" for row in shown)
        return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table><p>{self._more()}</p>"

    @property
    def _relation(self) -> Any:
        return self._connection.sql(f"from {HELD}")

    def _more(self) -> str:
        rows = len(self)
        return f"{rows:,} row{'s' * (rows != 1)}" + (f", the first {_SHOWN} shown" if rows > _SHOWN else "")


def needed(library: str, method: str) -> ModuleType:
    """A library that is nobody's dependency. Raises UsageError where it is not installed."""
    try:
        return importlib.import_module(library)
    except ModuleNotFoundError:
        raise UsageError(f"{method}() needs {library}, which is not installed here: pip install {library}") from None
