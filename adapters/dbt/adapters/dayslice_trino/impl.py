"""A thin subclass of dbt-trino: a version is staged by Trino and published by one call to the metastore."""

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from dbt.adapters.base.relation import BaseRelation
from dbt.adapters.dayslice.adapter import SliceAdapter
from dbt.adapters.dayslice.jinja import for_jinja, while_parsing
from dbt.adapters.dayslice.relation import ReadsRows
from dbt.adapters.dayslice_trino.agreement import check_agreement, values_in_pieces
from dbt.adapters.dayslice_trino.views import ViewAdapter
from dbt.adapters.trino import TrinoAdapter, TrinoConnectionManager
from dbt.adapters.trino.relation import TrinoRelation
from dbt_common.exceptions import DbtDatabaseError
from trino.exceptions import TrinoConnectionError

from dayslice.engines.suppression_on_trino import names_one, with_key
from dayslice.engines.target import home_of, is_trial, notes_of, staged_in, trino_naming
from dayslice.engines.trino_client import no_answer
from dayslice.engines.trino_stopping import cancel_at_sigterm, watch_sigterm
from dayslice.errors import Refused, UsageError
from dayslice.metastore.batch import note_trial_table
from dayslice.metastore.begun import forget_refusals, note_refusal
from dayslice.metastore.choice import open_catalog
from dayslice.metastore.interface import Catalog
from dayslice.metastore.journal import journal_of
from dayslice.metastore.stages import STAGING_SCHEMA, left_behind, stage_name, table_location, version_location
from dayslice.metastore.suppressed import left_out_by
from dayslice.rules.file_layout import FileLayout
from dayslice.rules.graph import Node, table_node
from dayslice.rules.hive_names import check_names
from dayslice.rules.persons import persons_of
from dayslice.rules.publications import Naming
from dayslice.rules.receipts import LEFT_OUT
from dayslice.rules.slices import Receipt, Slice, Table, Version
from dayslice.rules.trino_rows import FINGERPRINTS, row_value
from dayslice.rules.trino_types import column_type, parse, same, stored
from dayslice.store.choice import open_store

# The name of a stage table, as messages quote it.
_STAGE = re.compile(r"\b[th]\w+__v\d{20}_[0-9a-f]{6}\b")


class SliceTrinoConnectionManager(TrinoConnectionManager):
    """dbt-trino's, but that a column of a SELECT keeps its whole type."""

    TYPE = "dayslice_trino"

    def __init__(self, *args: Any, **kwargs: Any):
        super().__init__(*args, **kwargs)
        watch_sigterm()

    @classmethod
    def open(cls, connection: Any) -> Any:
        """dbt-trino's; what runs on it is cancelled at SIGTERM, and has a key that dbt's log has not."""
        opened = super().open(connection)
        cancel_at_sigterm(opened.handle)
        execute = opened.handle.execute
        opened.handle.execute = lambda sql, bindings=None: execute(with_key(sql), bindings)
        return opened

    @contextmanager
    def exception_handler(self, sql: str) -> Iterator[None]:
        """dbt-trino's; a Trino that does not answer is said in one sentence."""
        with super().exception_handler(sql):
            try:
                yield
            except TrinoConnectionError as error:
                raise DbtDatabaseError(no_answer(self.profile.credentials, error)) from None

    def execute(self, sql: str, *args: Any, **kwargs: Any) -> Any:
        """A view that two first runs make at once is replaced by the later one; Trino refuses it the first time."""
        try:
            return super().execute(sql, *args, **kwargs)
        except DbtDatabaseError as error:
            if "create or replace view" in " ".join(sql.split()).lower() and is_there_already(error):
                return super().execute(sql, *args, **kwargs)
            raise

    @classmethod
    def data_type_code_to_name(cls, type_code: str) -> str:
        """`decimal(12,2)`, where dbt-trino says `DECIMAL`."""
        return type_code.replace(", ", ",")


@dataclass(frozen=True, eq=False, repr=False)
class SliceTrinoRelation(ReadsRows, TrinoRelation):
    """dbt-trino's, or the rows of some slices of it."""

    rows_where: str | None = None
    rows_from: str | None = None


# dbt finds the adapter's module by the class's name in lower case, less "Adapter": hence the underscore.
class Dayslice_TrinoAdapter(ViewAdapter, SliceAdapter, TrinoAdapter):
    """See the module."""

    ConnectionManager = SliceTrinoConnectionManager
    Relation = SliceTrinoRelation
    fingerprint_algorithm = FINGERPRINTS

    def __init__(self, config: Any, mp_context: Any) -> None:
        super().__init__(config, mp_context)
        self._left_out: dict[str, int] = {}
        """By version, how long the list of erased persons was as its query began."""

    def naming(self) -> Naming:
        """What others call this warehouse."""
        return trino_naming(self.config.credentials)

    @contextmanager
    def slice_metastore(self) -> Iterator[Catalog]:
        """A connection of its own: dbt's threads do not share one."""
        with open_catalog(self.config.credentials) as catalog:
            yield catalog

    def create_schema(self, relation: BaseRelation) -> None:
        """Of two first runs at once, the later one finds the schema that the other has just made."""
        try:
            super().create_schema(relation)
        except DbtDatabaseError as error:
            if not is_there_already(error):
                raise

    @for_jinja
    def staging_schema(self) -> str:
        """The schema of staged versions."""
        return STAGING_SCHEMA

    @property
    def notes(self) -> Path:
        """Where this machine keeps why it refused stages."""
        return notes_of(home_of(Path(self.config.project_root)), self.config.target_name)

    @while_parsing
    def refuse(self, message: str) -> None:
        """Stop this node with a sentence. Of a stage that it names, `status` and `why` know it on this machine."""
        for stage in dict.fromkeys(_STAGE.findall(message)):
            note_refusal(self.notes, stage, message)
        raise Refused(message)

    @for_jinja
    def stage_identifier(self, schema: str, name: str, ds: str, version: str) -> str:
        """The name of a version's stage table."""
        return stage_name(Slice(Table(schema, name), ds), version)

    @for_jinja
    def version_location(self, schema: str, name: str, ds: str, version: str) -> str:
        """Where a version's files lie."""
        return version_location(self.config.credentials.warehouse, Slice(Table(schema, name), ds), version)

    @for_jinja
    def table_location(self, schema: str, name: str) -> str:
        """The directory that all versions of a table lie under."""
        return table_location(self.config.credentials.warehouse, Table(schema, name))

    @for_jinja
    def clean_stages(self, schema: str, name: str, ds: str) -> None:
        """Remove what dead runs of this slice left: stage tables, and files that no version owns."""
        forget_refusals(self.notes, Slice(Table(schema, name), ds))
        with self.slice_metastore() as catalog:
            # A wrong key or bucket shows before the query, not after it.
            open_store(version_location(self.config.credentials.warehouse, Slice(Table(schema, name), ds), "v0")).sizes(
                ""
            )
            for stage in left_behind(catalog, self.config.credentials.warehouse, Slice(Table(schema, name), ds)):
                catalog.drop_table(stage.table)
                if not stage.is_known:
                    open_store(stage.location).remove("")

    @for_jinja
    def without_suppressed(
        self, graph: Node, model: Node, columns: Sequence[Mapping[str, Any]], sql: str, version: str
    ) -> str:
        """A SELECT of a model's rows less those of erased persons."""
        node = table_node(graph, model)
        if not persons_of(node.meta):
            return sql
        with self.slice_metastore() as catalog:
            left_out = left_out_by(catalog, node)
        assert left_out.length is not None
        self._left_out[version] = left_out.length
        types = {str(each["name"]): str(each["type"]) for each in columns}
        found = {name: left_out.columns[name.lower()] for name in types if name.lower() in left_out.columns}
        if not found:
            return sql
        try:
            return f"select * from (\n{sql}\n) as everybody where not {names_one(found, types)}"
        except UsageError as error:
            raise UsageError(f"{node.yaml}: {node}: {error}") from None

    @for_jinja
    def known_columns(self, schema: str, name: str) -> list[str]:
        """The names of a table's columns, lower case, less ds; [] if there is no table."""
        with self.slice_metastore() as catalog:
            return catalog.columns(Table(schema, name))

    @for_jinja
    def file_layout(
        self, graph: Node, model: Node, target_relation: BaseRelation, columns: list[dict[str, str]], anew: bool
    ) -> FileLayout:
        """How a model's files are written. Refuses what Trino cannot write, and another layout than the table has.

        `anew`: the table is about to be dropped with its history.
        """
        node = table_node(graph, model)
        wanted = node.settings.layout
        try:
            wanted.check_columns({column["name"].lower(): column["type"] for column in columns})
        except UsageError as error:
            raise UsageError(f"{node.yaml}: {node}: {error}") from None
        table = Table(str(target_relation.schema), str(target_relation.identifier))
        check_names(f"{node.yaml}: {node}", table.schema, table.name, [column["name"] for column in columns])
        with self.slice_metastore() as catalog:
            kind = catalog.kind(table)
            if kind not in (None, "slices") and not anew:
                raise Refused(
                    f"{node} is to be a table of slices, and {table} is a {kind}: nothing was computed. Drop that, or "
                    "give the model another name (alias)"
                )
            known = catalog.layout(table) if kind == "slices" else None
        if known is not None and known != wanted and not anew:
            raise Refused(
                f"{node} is written as {known}, and its YAML asks for {wanted}: earlier slices cannot follow; nothing "
                f"was published. Keep what it has, give the new table another name, or drop its history"
            )
        return wanted

    @for_jinja
    def known_types(self, relation: Any) -> dict[str, str]:
        """As the metastore holds them: a catalog may be set to show timestamps in milliseconds."""
        return self.held_types(str(relation.schema), str(relation.identifier))

    def held_types(self, schema: str, name: str) -> dict[str, str]:
        """The types of a table's columns, less ds, by lower-case name, in Trino's words."""
        with self.slice_metastore() as catalog:
            held = catalog.column_types(Table(schema, name))
        return {column: str(stored(parse(type))) for column, type in held.items()}

    @for_jinja
    def column_type(self, model: str, column: Any) -> str:
        """The type of a stored column; refuses what a table cannot hold."""
        try:
            return column_type(column.name, column.data_type)
        except UsageError as error:
            raise UsageError(f"{model}: {error}") from None

    @for_jinja
    def is_same_type(self, known: str, selected: str) -> bool:
        """Whether two types are stored alike."""
        return same(known, selected)

    @for_jinja
    def execute_once(self, sql: str) -> None:
        """Run a DDL statement that a run of another slice may run at this moment: what is there already is fine."""
        try:
            self.execute(sql)
        except DbtDatabaseError as error:
            if not is_there_already(error):
                raise

    @for_jinja
    def row_value(self, columns: Sequence[Mapping[str, str]]) -> str | None:
        """The SQL of a row's values for a checksum of whole rows; None where a column's type allows none."""
        return row_value(columns)

    @for_jinja
    def abandon_stage(self, staged_relation: BaseRelation) -> None:
        """A staged version is not to be published: its table and its files go."""
        staged = Table(str(staged_relation.schema), str(staged_relation.identifier))
        with self.slice_metastore() as catalog:
            location = catalog.location(staged)
            catalog.drop_table(staged)
        if location:
            open_store(location).remove("")

    @for_jinja
    def publish_stage(
        self,
        target_relation: BaseRelation,
        staged_relation: BaseRelation,
        ds: str,
        version: str,
        receipt: Receipt,
        columns: Sequence[Mapping[str, Any]],
        written: int | None = None,
    ) -> None:
        """Publish a staged version by one call to the metastore, and drop its stage table; its files stay.

        `written`: the rows that Trino says it wrote; refuses a version that has others, or rows and no files.
        """
        table = Table(str(target_relation.schema), str(target_relation.identifier))
        location = version_location(self.config.credentials.warehouse, Slice(table, ds), version)
        sizes = open_store(location).sizes("")
        weighed = replace(receipt, bytes=sum(sizes.values()), files=len(sizes))
        if version in self._left_out:
            weighed.more[LEFT_OUT] = str(self._left_out.pop(version))
        published = Version(Slice(table, ds), version, weighed, location)
        check_agreement(published, written)
        staged = Table(str(staged_relation.schema), str(staged_relation.identifier))
        with self.slice_metastore() as catalog:
            catalog.publish(published, staged)
            catalog.drop_table(staged)
        self.announce(published, columns)

    @for_jinja
    def rows_of(self, relation: Any, slices: list[str], or_no_ds: bool = False) -> Any:
        """As ever; in a run that publishes together, staged slices are read from their stage tables."""
        found = super().rows_of(relation, slices, or_no_ds)
        if staged_in() is None or or_no_ds or not relation.identifier:
            return found
        table = Table(str(relation.schema), str(relation.identifier))
        with self.slice_metastore() as catalog:
            staged = [each for ds, each in catalog.staged(table).items() if slices[0] <= ds <= slices[-1]]  # type: ignore[attr-defined]
            places = {each.slice.ds: Table(STAGING_SCHEMA, stage_name(each.slice, each.id)) for each in staged}
            columns = {ds: catalog.column_types(place) for ds, place in places.items()}
        if not places:
            return found
        held = {**self.held_types(table.schema, table.name), "ds": "varchar"}
        # In a trial a table does not get the columns that its slices got.
        new = {name: str(stored(parse(type))) for each in columns.values() for name, type in each.items()}
        types = {**held, **{name: type for name, type in new.items() if name not in held}}

        def select(source: Any, has: Mapping[str, str]) -> str:
            values = [self.quote(n) if n in has else f"cast(null as {types[n]}) as {self.quote(n)}" for n in types]
            return f"select {', '.join(values)} from {source}"

        own = ", ".join(f"'{ds}'" for ds in places)
        parts = [f"{select(relation.whole(), held)} where ds not in ({own})"]
        for ds, place in places.items():
            stage = self.Relation.create(database=relation.database, schema=place.schema, identifier=place.name)
            parts.append(select(stage, columns[ds]))
        return replace(found, rows_from=f"({' union all '.join(parts)})")

    @for_jinja
    def staged_columns(self, relation: Any) -> list[str]:
        """The columns of a table's staged slices, lower case: in a trial the table itself does not get them."""
        if not is_trial():
            return []
        table = Table(str(relation.schema), str(relation.identifier))
        with self.slice_metastore() as catalog:
            staged = catalog.staged(table).values()  # type: ignore[attr-defined]
            places = [Table(STAGING_SCHEMA, stage_name(each.slice, each.id)) for each in staged]
            return sorted({name for place in places for name in catalog.columns(place)})

    @for_jinja
    def note_trial_table(self, relation: Any) -> None:
        """A table is about to be made for a trial, and goes with it."""
        note_trial_table(Table(str(relation.schema), str(relation.identifier)))

    @for_jinja
    def publish_content(self, target_relation: BaseRelation, staged_relation: BaseRelation, rows: int) -> None:
        """Show a staged table's rows as those of a table without slices, in one call, and drop the stage table.

        Refuses it if it has not so many rows: a statement whose answer was lost may have been carried out twice.
        """
        staged = Table(str(staged_relation.schema), str(staged_relation.identifier))
        _, found = self.execute(f"select count(*) from {staged_relation}", fetch=True)
        target = Table(str(target_relation.schema), str(target_relation.identifier))
        if int(found.rows[0][0]) != rows:
            raise Refused(
                f"{target}: {rows} rows were to be written and {found.rows[0][0]} were, so nothing was published: "
                "try again"
            )
        with self.slice_metastore() as catalog:
            catalog.replace_content(target, staged)
            catalog.drop_table(staged)

    @for_jinja
    def seed_values(self, agate_table: Any, types: list[str]) -> list[str]:
        """The rows of a seed as SQL, in pieces that are shorter than the longest text that Trino takes."""
        return list(values_in_pieces(agate_table.rows, types))

    @for_jinja
    def drop_journal(self, schema: str, name: str) -> None:
        """Forget all that is kept of a table whose history was dropped."""
        with self.slice_metastore() as catalog:
            catalog.drop_table(journal_of(Table(schema, name)))


def is_there_already(error: DbtDatabaseError) -> bool:
    """Whether a DDL statement failed because another run was quicker."""
    return "already exists" in str(error).lower() or "already_exists" in str(error).lower()
