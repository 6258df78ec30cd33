"""A thin subclass of dbt-duckdb: a version is staged as Parquet files and published by one transaction of SQLite."""

import json
import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

import duckdb
from dbt.adapters.base.relation import BaseRelation
from dbt.adapters.contracts.connection import AdapterResponse, ConnectionState
from dbt.adapters.dayslice.adapter import SliceAdapter
from dbt.adapters.dayslice.jinja import for_jinja, while_parsing
from dbt.adapters.dayslice.relation import ReadsRows
from dbt.adapters.dayslice_duckdb.connections import (
    STAGED,
    OwnHandle,
    SliceDuckDBConnectionManager,
    SliceDuckDBCredentials,
    Stage,
)
from dbt.adapters.duckdb.column import DuckDBColumn
from dbt.adapters.duckdb.environments import Environment
from dbt.adapters.duckdb.impl import DuckDBAdapter
from dbt.adapters.duckdb.relation import DuckDBRelation

from dayslice import __version__
from dayslice.engines.embedded import DATABASE, copy_to_parquet
from dayslice.engines.landed_csv import exactly, literal, quoted
from dayslice.engines.reading import stored_type
from dayslice.engines.suppression import know_key, names_one
from dayslice.engines.target import local_naming
from dayslice.errors import DaysliceError, Refused, UsageError
from dayslice.metastore import readers_file
from dayslice.metastore.begun import Begun, remove_left
from dayslice.metastore.ownership import check_owner
from dayslice.metastore.sqlite import SQLiteMetastore
from dayslice.metastore.stages import stage_name, version_location
from dayslice.metastore.suppressed import left_out_by
from dayslice.metastore.visible import key_of
from dayslice.rules.at_once import at_once
from dayslice.rules.calendar import parse_ds
from dayslice.rules.graph import Node, table_node
from dayslice.rules.keyed_hashes import hash_key
from dayslice.rules.made_from import KEY as MADE_FROM
from dayslice.rules.made_from import MadeFrom, made_from
from dayslice.rules.persons import persons_of
from dayslice.rules.publications import Naming
from dayslice.rules.slices import Receipt, Slice, Table, Version, new_version_id
from dayslice.store.choice import open_store

FILE = "part-00.parquet"


@dataclass(frozen=True, eq=False, repr=False)
class SliceDuckDBRelation(ReadsRows, DuckDBRelation):
    """dbt-duckdb's, or the rows of some slices of it."""

    rows_where: str | None = None


# dbt finds the adapter's module by the class's name in lower case, less "Adapter": hence the underscore.
class Dayslice_DuckDBAdapter(SliceAdapter, DuckDBAdapter):
    """See the module."""

    ConnectionManager = SliceDuckDBConnectionManager
    Relation = SliceDuckDBRelation
    # Its hashes are not promised to be the same in the next version.
    fingerprint_algorithm = f"duckdb {duckdb.__version__} sum(hash)"

    @property
    def place(self) -> SliceDuckDBCredentials:
        """Where everything lies."""
        return self.config.credentials

    @for_jinja
    def share_memory(self, graph: Node, selected: Sequence[str]) -> None:
        """Each node has an engine of its own."""
        nodes = [graph["nodes"][each] for each in selected if each in graph["nodes"]]
        # A seed depends on macros only, and says nothing of nodes.
        parents = {node["unique_id"]: node["depends_on"].get("nodes", []) for node in nodes}
        self.connections.beside.update(at_once(parents, self.connections.engines))

    def naming(self) -> Naming:
        """What others call this warehouse."""
        return local_naming(self.place.readers_file, self.place.database)

    @contextmanager
    def slice_metastore(self) -> Iterator[SQLiteMetastore]:
        """The running node's, or one of its own: dbt's threads do not share one."""
        running = self.connections.get_if_exists()
        if running is not None and running.state == ConnectionState.OPEN:
            yield running.handle.metastore
            return
        with SQLiteMetastore(self.place.metastore_file) as metastore:
            yield metastore

    def get_column_schema_from_query(self, sql: str) -> list[DuckDBColumn]:
        """As they are: dbt-duckdb makes a column of each field of a STRUCT, and none of the list that holds it."""
        found = self.look(f"describe ({sql}\n)")  # a comment may be its last line
        return [DuckDBColumn(column=row[0], dtype=row[1]) for row in found]

    def look(self, sql: str) -> list[Any]:
        """The rows of a query about columns, or of a count: without dbt's own events, which cost more than it."""
        with self.connections.exception_handler(sql):
            found: list[Any] = self._handle().cursor().execute(sql).fetchall()
        return found

    def selected_columns(self, model: Node, sql: str) -> list[DuckDBColumn]:
        """As a subquery, DuckDB calls the second `id` of a SELECT `id_1`."""
        seen: set[str] = set()
        found = self.get_column_schema_from_query(sql)
        for column in found:
            if column.name.lower() in seen:
                raise UsageError(
                    f"{model['original_file_path']}: {model['name']}: column {column.name} is selected twice: give one "
                    "of them another name, or leave it out"
                )
            seen.add(column.name.lower())
        return found

    def untyped_columns(self, columns: Sequence[DuckDBColumn], sql: str) -> list[str]:
        """DuckDB describes a bare null as an integer; `typeof` knows better, but wants a row."""
        asked = [column for column in columns if column.dtype == "INTEGER"]
        if not asked:
            return []
        types = ", ".join(f"typeof({self.quote(column.name)})" for column in asked)
        [found] = self.look(f"select {types} from (select 1) left join (select * from ({sql}\n) where false) on true")
        return [column.name for column, type_ in zip(asked, found, strict=True) if type_ == '"NULL"']

    @for_jinja
    def column_type(self, model: str, column: DuckDBColumn) -> str:
        """dbt-duckdb gives a text column as varying(256)."""
        return str(column.dtype)

    @for_jinja
    def end_transaction(self) -> None:
        """Commit what dbt's own look-ups and hooks began."""
        if self.connections.get_thread_connection().transaction_open:
            self.connections.commit()

    def submit_python_job(self, parsed_model: dict[str, Any], compiled_code: str) -> AdapterResponse:
        """A python model, in this process. dbt-duckdb's own asks for an environment that only its own class has."""
        cursor = self._handle().cursor()
        cursor.engine.is_lasting = True  # it may do anything
        Environment.run_python_job(
            cursor,
            lambda table: cursor.connection.query(cursor.visible.prepare(f"select * from {table}")),
            parsed_model["alias"],
            compiled_code,
            self.config.credentials,
        )
        return AdapterResponse(_message="OK")

    @for_jinja
    def staging_schema(self) -> str:
        """The schema of staged versions, in the node's own DuckDB."""
        return STAGED

    @for_jinja
    def begin_stage(self, schema: str, name: str, ds: str, version: str) -> dict[str, str]:
        """Remove what dead builds of a slice left, and note the version that is begun: its `identifier` and `file`."""
        slice = Slice(Table(schema, name), ds)
        store = open_store(self.place.store_root)
        with self.slice_metastore() as metastore:
            check_owner(metastore, self.place.store_root)
            remove_left(self.place.home, slice, store, metastore)
        location = version_location(self.place.store_root, slice, version)
        stage = Stage(Begun(self.place.home, slice, version), Version(slice, version, Receipt(rows=0), location))
        self._stages()[stage_name(slice, version)] = stage
        open_store(location).make("")
        return {"identifier": stage_name(slice, version), "file": f"{location}/{FILE}"}

    @for_jinja
    def stored_columns(self, name: str, columns: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """The columns with the types in which files hold them. Refuses what they cannot hold."""
        return [{**each, "type": stored_type(name, each["name"], str(each["type"]))} for each in columns]

    @for_jinja
    def without_suppressed(self, graph: Node, model: Node, columns: list[dict[str, Any]], sql: str) -> str:
        """A SELECT of a model's rows less those of erased persons."""
        node = table_node(graph, model)
        if not persons_of(node.meta):
            return sql
        with self.slice_metastore() as metastore:
            hashes = left_out_by(metastore, node).columns
        names = {str(each["name"]).lower(): str(each["name"]) for each in columns}
        found = {names[column]: persons for column, persons in hashes.items() if column in names}
        if not found:
            return sql
        know_key(self._handle().cursor().connection, hash_key())
        return f"select * from (\n{sql}\n) as everybody where not {names_one(found)}"

    @for_jinja
    def show_stage(self, staged_relation: BaseRelation, columns: list[dict[str, Any]]) -> None:
        """Make a view of the written file, with the columns as the SELECT gave them."""
        stage = self._stages()[str(staged_relation.identifier)]
        self._handle().written.add(str(staged_relation.identifier))
        values = [f"cast({quoted(c['name'])} as {c['type']}) as {quoted(c['name'])}" for c in columns]
        self._handle().cursor().connection.execute(
            f"create view {STAGED}.{quoted(str(staged_relation.identifier))} as "
            f"select {', '.join([*values, 'ds'])} from {_files(stage.version.location)}"
        )

    @for_jinja
    def abandon_stage(self, staged_relation: BaseRelation) -> None:
        """A staged version is not to be published: the next stage of the slice removes it."""
        self._stages().pop(str(staged_relation.identifier)).begun.leave()

    @for_jinja
    def publish_stage(
        self,
        staged_relation: BaseRelation,
        columns: list[dict[str, Any]],
        receipt: Receipt,
        drop_history: bool = False,
    ) -> None:
        """Publish a staged version by one transaction, when its files are on the disk."""
        stage = self._stages()[str(staged_relation.identifier)]
        own = [[each["name"], str(each["type"])] for each in columns]
        version = self._whole(replace(stage.version, receipt=receipt), own)
        with self.slice_metastore() as metastore:
            if drop_history:
                metastore.publish_anew(version)
            else:
                metastore.publish(version)
        self._stages().pop(str(staged_relation.identifier))
        stage.begun.end()
        self.announce(version, columns)
        self._tell_readers()

    @while_parsing
    def refuse(self, message: str) -> None:
        """Stop this node with a sentence. A stage that it names is shown by its files, which others can read too."""
        connection = self.connections.get_if_exists()
        is_open = connection is not None and connection.state == ConnectionState.OPEN
        for identifier, stage in self._stages().items() if is_open else ():
            relation = self.Relation.create(database=DATABASE, schema=STAGED, identifier=identifier)
            message = message.replace(str(relation), _files(stage.version.location))
            stage.begun.say(message)
        raise Refused(message)

    @for_jinja
    def publish_view(self, target_relation: BaseRelation, select_sql: str, latest_of: BaseRelation | None) -> None:
        """Make a view stand. A latest view is the newest slice of its table, whichever that is when it is read."""
        table = Table(str(target_relation.schema), str(target_relation.identifier))
        with self.slice_metastore() as metastore:
            if latest_of is None:
                metastore.publish_view(table, select_sql)
            else:
                metastore.publish_latest(table, Table(str(latest_of.schema), str(latest_of.identifier)))
        self._tell_readers()

    def list_relations_without_caching(self, schema_relation: BaseRelation) -> list[BaseRelation]:
        """What stands in a schema, by the metastore."""
        with self.slice_metastore() as metastore:
            found = metastore.all_standing(str(schema_relation.schema))
        return [
            self.Relation.create(
                database=schema_relation.database,
                schema=each.table.schema,
                identifier=each.table.name,
                type="view" if each.kind in ("view", "latest") else "table",
            )
            for each in found
        ]

    def list_schemas(self, database: str) -> list[str]:
        """The schemas in which something stands."""
        with self.slice_metastore() as metastore:
            return metastore.schemas()

    def create_schema(self, relation: BaseRelation) -> None:
        """A schema needs nothing of its own: it is there with its first table."""

    def drop_schema(self, relation: BaseRelation) -> None:
        """Nothing that is published goes by this way."""

    def get_columns_in_relation(self, relation: BaseRelation) -> list[Any]:
        """Of a table of slices as its receipts have them: no file is opened."""
        table = Table(str(relation.schema), str(relation.identifier))
        with self.slice_metastore() as metastore:
            standing = metastore.standing(table) if relation.schema else None
            types = self._handle().visible.types(table) if standing and standing.kind == "slices" else None
        if types is None:
            return super().get_columns_in_relation(relation)
        return [self.Column(name, type) for name, type in [*types.items(), ("ds", "VARCHAR")]]

    def _get_one_catalog(self, *args: Any, **kwargs: Any) -> Any:
        self._handle().visible.make_all()
        return super()._get_one_catalog(*args, **kwargs)

    def _get_one_catalog_by_relations(self, *args: Any, **kwargs: Any) -> Any:
        self._handle().visible.make_all()
        return super()._get_one_catalog_by_relations(*args, **kwargs)

    def pre_model_hook(self, config: Any) -> None:
        """A table without slices that is changed in place is loaded into the node's own DuckDB first."""
        model = getattr(config, "model", None)
        if model is None or model.resource_type not in ("model", "seed", "snapshot"):
            return
        handle = self._handle()
        handle.read_at = handle.metastore.sequence()
        connection = handle.cursor().connection
        connection.execute(f"create schema if not exists {quoted(model.schema)}")
        table = Table(model.schema, model.alias)
        standing = handle.metastore.standing(table)
        if standing is None or standing.kind != "table":
            return
        # What is written anew as a whole needs its columns only.
        rows = "" if model.config.materialized in ("incremental", "snapshot") else " limit 0"
        connection.execute(
            f"create or replace table {quoted(table.schema)}.{quoted(table.name)} as "
            f"{handle.visible.select(standing)}{rows}"
        )
        handle.visible.own.add(key_of(table))

    def post_model_hook(self, config: Any, context: Any) -> None:
        """Publish the tables without slices that a node made, unless it failed."""
        cursor = self._handle().cursor()
        may_have_made = cursor.has_made or cursor.visible.own or cursor.engine.is_lasting
        if sys.exc_info()[0] is None and may_have_made:
            self._publish_tables()

    def _publish_tables(self) -> None:
        handle = self._handle()
        connection = handle.cursor().connection
        tables = connection.execute(
            # No parameters: for those DuckDB imports pandas, wherever it is installed.
            "select schema_name, table_name from duckdb_tables() where not temporary and not internal "
            f"and database_name = {literal(DATABASE)} and schema_name not in ({literal(STAGED)}, 'main')"
        ).fetchall()
        for schema, name in tables:
            self._publish_table(connection, Table(schema, name))

    def _publish_table(self, connection: Any, table: Table) -> None:
        started = datetime.now(UTC).isoformat()
        version = Version(Slice(table, ""), new_version_id(), Receipt(rows=0))
        location = f"{self.place.store_root}/{table.schema}/{table.name}/{version.id}"
        relation = f"{quoted(table.schema)}.{quoted(table.name)}"
        columns = [
            {"name": name, "type": type, "stored": stored_type(str(table), name, type)}
            for name, type, *_ in connection.execute(f"describe {relation}").fetchall()
        ]
        values = [f"cast({quoted(c['name'])} as {c['stored']}) as {quoted(c['name'])}" for c in columns]
        with self.slice_metastore() as metastore:
            check_owner(metastore, self.place.store_root)
        open_store(location).make("")
        rows = copy_to_parquet(connection, f"select {', '.join(values)} from {relation}", f"{location}/{FILE}")
        receipt = Receipt(
            rows=rows,
            started=started,
            finished=datetime.now(UTC).isoformat(),
            tool=f"dayslice {__version__}",
            more={MADE_FROM: self._made_from(table).to_text()},
        )
        own = [[c["name"], c["type"]] for c in columns]
        with self.slice_metastore() as metastore:
            metastore.publish(self._whole(replace(version, receipt=receipt, location=location), own))
        self._tell_readers()

    def _made_from(self, table: Table) -> MadeFrom:
        """What a table without slices has seen of others, with what it had seen before where it keeps rows."""
        handle = self._handle()
        given = self.config.cli_vars.get("ds") or os.environ.get("DAYSLICE_DS")
        before = handle.metastore.content(table)
        known = made_from(before.receipt) if before else MadeFrom(handle.read_at)
        if known is None:
            known = MadeFrom(handle.read_at, since=handle.read_at)
        return known.again(handle.read_at, parse_ds(given) if given else None)

    def _whole(self, version: Version, columns: list[list[str]]) -> Version:
        """A version with what its receipt says of files and columns, once they are on the disk."""
        store = open_store(self.place.store_root)
        path = version.location.removeprefix(self.place.store_root).strip("/")
        store.sync(path)
        sizes = {file.rpartition("/")[2]: size for file, size in store.sizes(path).items()}
        if not sizes:
            raise DaysliceError(f"{version.slice}: {version.location} has no files, so it was not published")
        # On S3 each would be a download; the service has checked the bytes that it was sent.
        sums = [] if "://" in version.location else [store.checksum(f"{path}/{name}") for name in sorted(sizes)]
        more = {
            **version.receipt.more,
            "columns": json.dumps(columns, ensure_ascii=False),
            "parts": json.dumps(sorted(sizes)),
            "sizes": json.dumps([sizes[name] for name in sorted(sizes)]),
            **({"checksums": json.dumps(sums)} if sums else {}),
        }
        receipt = replace(version.receipt, bytes=sum(sizes.values()), files=len(sizes), more=more)
        return replace(version, receipt=receipt)

    def _stages(self) -> dict[str, Stage]:
        """The versions that this thread's node has begun, by their identifiers."""
        return self._handle().stages

    def _handle(self) -> OwnHandle:
        handle: OwnHandle = self.connections.get_thread_connection().handle
        return handle

    def _tell_readers(self) -> None:
        readers_file.published(self.place.readers_file, self.place.metastore_file, self.place.store_root)


def _files(location: str) -> str:
    return f"read_parquet({literal(f'{exactly(location)}/*.parquet')}, hive_partitioning = false)"
