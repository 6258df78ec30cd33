"""A publication as OpenLineage's events: the start and the end of a run that wrote one slice. Pure.

Needs the extra `openlineage`. Where OpenLineage has a facet for something it is used; the rest is in one of ours,
`dayslice_slice` of a table that was written and `dayslice_slices` of one that was read.
"""

import json
import os
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import attr
from openlineage.client.event_v2 import InputDataset, Job, OutputDataset, Run, RunEvent, RunState
from openlineage.client.facet_v2 import (
    DatasetFacet,
    base_subset_dataset,
    dataset_version_dataset,
    input_statistics_input_dataset,
    job_type_job,
    output_statistics_output_dataset,
    parent_run,
    processing_engine_run,
    schema_dataset,
)
from openlineage.client.uuid import generate_new_uuid, generate_static_uuid

from dayslice import __version__
from dayslice.rules.publications import Naming, Publication, columns_in
from dayslice.rules.receipts import REPLACED, fingerprint_of, inputs_of, is_import, source_of
from dayslice.rules.slices import Table

PRODUCER = f"urn:dayslice:{__version__}"
# Where runs are filed, unless the environment says otherwise.
NAMESPACE, OWN_NAMESPACE = "OPENLINEAGE_NAMESPACE", "dayslice"
# "namespace/job/run id" of whoever started this, as dbt-ol and Airflow's provider write it.
PARENT, ROOT = "OPENLINEAGE_PARENT_ID", "OPENLINEAGE_ROOT_PARENT_ID"


@attr.define
class SliceDatasetFacet(DatasetFacet):
    """What a receipt says of the version that was written, and OpenLineage has no word for."""

    ds: str
    version: str
    fingerprint: dict[str, Any]
    """`digest`, '' where whole rows cannot be hashed; `algorithm`, `rows`, and `columns` by name."""
    receipt: dict[str, str]
    """`run`, `logic`, `replaced` … as far as they are known."""
    rollback: bool = False

    @staticmethod
    def _get_schema() -> str:
        return "urn:dayslice:openlineage:1:SliceDatasetFacet"


@attr.define
class SlicesDatasetFacet(DatasetFacet):
    """The slices of a table that were read, by ds: `version`, `digest` of the content, `rows`."""

    slices: dict[str, dict[str, Any]]

    @staticmethod
    def _get_schema() -> str:
        return "urn:dayslice:openlineage:1:SlicesDatasetFacet"


def events_of(publication: Publication, now: datetime, environment: Mapping[str, str] = os.environ) -> list[RunEvent]:
    """The start of the run, without its datasets, and its end."""
    receipt = publication.version.receipt
    began = receipt.started if receipt.started and not publication.is_again else now.astimezone(UTC).isoformat()
    job = Job(
        namespace=environment.get(NAMESPACE) or OWN_NAMESPACE,
        name=str(publication.version.slice.table),
        facets={"jobType": job_type_job.JobTypeJobFacet("BATCH", "DAYSLICE", _kind(publication), producer=PRODUCER)},
    )
    run = Run(_run_id(publication, job, began), facets=_run_facets(environment))
    start = RunEvent(eventTime=began, run=run, job=job, eventType=RunState.START, producer=PRODUCER)
    return [
        start,
        RunEvent(
            eventTime=now.astimezone(UTC).isoformat(),
            run=run,
            job=job,
            eventType=RunState.COMPLETE,
            inputs=_inputs(publication),
            outputs=[_output(publication)],
            producer=PRODUCER,
        ),
    ]


def _kind(publication: Publication) -> str:
    if publication.is_again:
        return "ROLLBACK"
    return "IMPORT" if is_import(publication.version.receipt) else "MODEL"


def _run_id(publication: Publication, job: Job, began: str) -> str:
    """The same one whoever tells of a publication, however often; a rollback is a run of its own."""
    if publication.is_again:
        return str(generate_new_uuid())
    version = publication.version
    told = "/".join((publication.naming.namespace, publication.naming.database, str(version.slice), version.id))
    return str(generate_static_uuid(datetime.fromisoformat(began), f"{job.namespace}/{told}".encode()))


def _run_facets(environment: Mapping[str, str]) -> dict[str, Any]:
    found: dict[str, Any] = {
        "processing_engine": processing_engine_run.ProcessingEngineRunFacet(__version__, "dayslice", producer=PRODUCER)
    }
    if parent := _named(environment.get(PARENT, "")):
        namespace, name, run = parent
        root = _named(environment.get(ROOT, ""))
        found["parent"] = parent_run.ParentRunFacet(
            run=parent_run.Run(run),
            job=parent_run.Job(namespace, name),
            root=parent_run.Root(run=parent_run.RootRun(root[2]), job=parent_run.RootJob(root[0], root[1]))
            if root
            else None,
            producer=PRODUCER,
        )
    return found


def _named(text: str) -> tuple[str, str, str] | None:
    """Namespace, job and run of an id; None where it is none."""
    namespace, _, rest = text.partition("/")
    name, _, run = rest.rpartition("/")
    try:
        return (namespace, name, str(UUID(run))) if namespace and name else None
    except ValueError:
        return None


def _output(publication: Publication) -> OutputDataset:
    version, receipt = publication.version, publication.version.receipt
    fingerprint = fingerprint_of(receipt)
    known = {"run": receipt.run, "code": receipt.code, "tool": receipt.tool, "finished": receipt.finished}
    known |= {name: receipt.more.get(name, "") for name in ("logic", "audits", "first_published", REPLACED)}
    columns = publication.columns or columns_in(receipt)
    fields = [schema_dataset.SchemaDatasetFacetFields(name, type or None) for name, type in columns]
    fields.append(schema_dataset.SchemaDatasetFacetFields("ds", "varchar"))
    partition = base_subset_dataset.Partition({"ds": version.slice.ds}, version.id)
    return OutputDataset(
        namespace=publication.naming.namespace,
        name=publication.naming.name_of(version.slice.table),
        facets={
            "schema": schema_dataset.SchemaDatasetFacet(fields, producer=PRODUCER),
            "version": dataset_version_dataset.DatasetVersionDatasetFacet(version.id, producer=PRODUCER),
            "dayslice_slice": SliceDatasetFacet(
                ds=version.slice.ds,
                version=version.id,
                fingerprint={"digest": fingerprint.digest, **json.loads(_as_json(fingerprint))} if fingerprint else {},
                receipt={name: value for name, value in known.items() if value},
                rollback=publication.is_again,
                producer=PRODUCER,
            ),
        },
        outputFacets={
            "outputStatistics": output_statistics_output_dataset.OutputStatisticsOutputDatasetFacet(
                receipt.rows, receipt.bytes, receipt.files, producer=PRODUCER
            ),
            "subset": base_subset_dataset.OutputSubsetOutputDatasetFacet(
                base_subset_dataset.PartitionSubsetCondition([partition]), producer=PRODUCER
            ),
        },
    )


def _as_json(fingerprint: Any) -> str:
    return json.dumps(
        {"algorithm": fingerprint.algorithm, "rows": fingerprint.rows, "columns": dict(fingerprint.columns)}
    )


def _inputs(publication: Publication) -> list[InputDataset]:
    """Each table that was read, once. The version of one that was read in several slices is its newest slice's."""
    found: dict[Table, dict[str, dict[str, Any]]] = {}
    for slice, read in (inputs_of(publication.version.receipt) or {}).items():
        what = {"version": read.version, "digest": read.digest, "rows": read.rows}
        found.setdefault(slice.table, {})[slice.ds] = what
    read_slices = [_input(publication.naming, table, slices) for table, slices in found.items()]
    return [*_source(publication), *read_slices]


def _input(naming: Naming, table: Table, slices: Mapping[str, dict[str, Any]]) -> InputDataset:
    rows = [each["rows"] for each in slices.values()]
    partitions = [base_subset_dataset.Partition({"ds": ds}, each["version"]) for ds, each in slices.items()]
    return InputDataset(
        namespace=naming.namespace,
        name=naming.name_of(table),
        facets={
            "version": dataset_version_dataset.DatasetVersionDatasetFacet(
                slices[max(slices)]["version"], producer=PRODUCER
            ),
            "dayslice_slices": SlicesDatasetFacet(dict(slices), producer=PRODUCER),
        },
        inputFacets={
            "inputStatistics": input_statistics_input_dataset.InputStatisticsInputDatasetFacet(
                None if None in rows else sum(rows), producer=PRODUCER
            ),
            "subset": base_subset_dataset.InputSubsetInputDatasetFacet(
                base_subset_dataset.PartitionSubsetCondition(partitions), producer=PRODUCER
            ),
        },
    )


def _source(publication: Publication) -> list[InputDataset]:
    """The table that an import read, with the snapshot that it read as its version."""
    source, read = publication.source, source_of(publication.version.receipt)
    if source is None:
        return []
    version = dataset_version_dataset.DatasetVersionDatasetFacet(read.get("snapshot", ""), producer=PRODUCER)
    return [
        InputDataset(
            namespace=source.namespace,
            name=source.name,
            facets={"version": version} if version.datasetVersion else {},
        )
    ]
