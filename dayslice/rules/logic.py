"""What decides a table's SQL and its audits, apart from the ds, as a hash of each. Pure.

It is made of what people wrote: a model's text, the macros that it reaches (dbt's and Dayslice's own apart, so that an
upgrade leaves every table as it was), the seeds and whatever else it reads that is no table of slices, and the
variables and settings that these ask for.
"""

import hashlib
import json
import re
from collections.abc import Iterable, Mapping
from functools import cached_property
from typing import Any

from dayslice.rules.graph import Node, find, is_audit, is_slices, merged_meta

# What a person's own package is not called.
_OF_TOOLS = re.compile(r"dbt|dbt_(dayslice|duckdb|trino)")
_VARIABLE = re.compile(r"""\bvar\(\s*['"](\w+)['"]""")
_ENVIRONMENT = re.compile(r"""\benv_var\(\s*['"](\w+)['"]""")
# The run's own: never a part of the logic.
_OF_THE_RUN = frozenset({"ds", "drop_history", "DAYSLICE_DS", "DAYSLICE_OPEN_PERIOD"})
_MODEL_CONFIG = (
    "materialized",
    "incremental_strategy",
    "contract",
    "on_schema_change",
    "sql_header",
    "pre-hook",
    "post-hook",
)
_TEST_CONFIG = ("severity", "warn_if", "error_if", "limit", "where", "fail_calc")


_IMPORT_KEYS = [
    "slice",
    "on",
    "undated",
    "source_schema",
    "source_table",
    "columns_only",
    "columns_without",
    "row_filter",
    "hashed",
    "types",
]


Hashes = tuple[str, str]
"""Of a table: the logic, and that of its audits."""


def logic_of_import(meta: Mapping[str, Any]) -> str:
    """The hash of what decides which rows and values of a source an import takes."""
    return _hashed([[key, meta.get(key)] for key in _IMPORT_KEYS])


class Logic:
    """The hashes of a parsed project. `macros`: dbt's, by unique_id. `variables`: of dbt_project.yml; `given`: those of
    the command line, which win.
    """

    def __init__(
        self,
        graph: Node,
        macros: Mapping[str, Any],
        variables: Mapping[str, Any],
        environment: Mapping[str, str],
        given: Mapping[str, Any] | None = None,
    ):
        self.graph = graph
        self.macros = macros
        self.variables = variables
        self.environment = environment
        self.given = given or {}

    def of(self, unique_id: str) -> str:
        """The hash of what decides the rows of a table of slices."""
        return _hashed(self._described(find(self.graph, unique_id), set()))

    def of_audits(self, unique_id: str) -> str:
        """The hash of what decides whether a slice of it is published."""
        node = find(self.graph, unique_id)
        meta = merged_meta(node)
        constraints = {
            name: column["constraints"]
            for name, column in (node.get("columns") or {}).items()
            if "constraints" in column
        }
        own = [[key, node["config"].get(key)] for key in ("contract", "unique_key") if key in node["config"]] + [
            [key, meta.get(key)] for key in ("empty", "max_shrink", "slice")
        ]
        tests = [self._test(test) for test in self._tests.get(unique_id, ()) if is_audit(self.graph, test)]
        return _hashed([own, node.get("constraints"), constraints, sorted(map(_text, tests))])

    @cached_property
    def _tests(self) -> dict[str, list[Node]]:
        found: dict[str, list[Node]] = {}
        for node in self.graph["nodes"].values():
            if node["resource_type"] == "test" and node.get("attached_node"):
                found.setdefault(node["attached_node"], []).append(node)
        return found

    def _test(self, test: Node) -> Any:
        metadata = test["test_metadata"]
        code = [test.get("raw_code", ""), _text(metadata["kwargs"])]
        return [
            metadata["name"],
            code,
            [[key, test["config"].get(key)] for key in _TEST_CONFIG],
            self._asked(code, test, self._reached(test["depends_on"].get("macros") or ())),
        ]

    def _described(self, node: Node, seen: set[str]) -> Any:
        """A node and all that it is made of, down to the tables of slices that it reads."""
        seen.add(node["unique_id"])
        depends = node.get("depends_on") or {}
        config = node.get("config") or {}
        code = (node.get("raw_code") or "").strip()
        declared = [[name, column.get("data_type")] for name, column in sorted((node.get("columns") or {}).items())]
        below = []
        for unique_id in sorted(depends.get("nodes") or ()):
            upstream = find(self.graph, unique_id)
            if is_slices(upstream) or upstream["resource_type"] == "source":
                meta = merged_meta(upstream)
                # These decide which of its slices are read.
                below.append([unique_id, meta.get("grain"), meta.get("slice")])
            elif unique_id not in seen:
                below.append(self._described(upstream, seen))
        macros = self._reached(depends.get("macros") or ())
        return [
            node["name"],
            code,
            # Of a seed, the sum of its file.
            (node.get("checksum") or {}).get("checksum") if node["resource_type"] == "seed" else None,
            [[key, config.get(key)] for key in _MODEL_CONFIG],
            [each for each in declared if each[1]],
            self._asked([code], node, macros),
            below,
        ]

    def _asked(self, code: Iterable[str], node: Node, macros: Mapping[str, str]) -> Any:
        """The macros, and the values of the variables, that a text and they ask for."""
        text = "\n".join([*code, *macros.values()])
        scoped = self.variables.get(node.get("package_name", "")) or {}
        values = {**self.variables, **(scoped if isinstance(scoped, Mapping) else {}), **self.given}
        variables = sorted(set(_VARIABLE.findall(text)) - _OF_THE_RUN)
        names = sorted(set(_ENVIRONMENT.findall(text)) - _OF_THE_RUN)
        return [
            sorted(macros.items()),
            [[name, values.get(name)] for name in variables],
            [[name, self.environment.get(name)] for name in names],
            values.get("time_zone"),
        ]

    def _reached(self, begin: Iterable[str]) -> dict[str, str]:
        """The texts of the macros of people that these call, directly or not."""
        found: dict[str, str] = {}
        seen: set[str] = set()
        todo = list(begin)
        while todo:
            unique_id = todo.pop()
            macro = self.macros.get(unique_id)
            if macro is None or unique_id in seen:
                continue
            seen.add(unique_id)
            if not _OF_TOOLS.fullmatch(macro.package_name):
                found[unique_id] = macro.macro_sql.strip()
                todo += macro.depends_on.macros
        return found


def _hashed(content: Any) -> str:
    return hashlib.sha256(_text(content).encode()).hexdigest()[:16]


def _text(content: Any) -> str:
    return json.dumps(content, sort_keys=True, ensure_ascii=False, default=str)
