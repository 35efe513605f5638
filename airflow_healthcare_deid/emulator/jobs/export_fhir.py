"""``fhirStores.export``: resources become one NDJSON object, or one BigQuery table, for each resource type."""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

from airflow_healthcare_deid.emulator import bigquery
from airflow_healthcare_deid.emulator.fhir.versions import FhirVersion
from airflow_healthcare_deid.emulator.jobs.fhir_rows import AnalyticsRows, UnfitRowError
from airflow_healthcare_deid.emulator.jobs.transfer import STORAGE_TASKS, count, destination, not_refused, store_of
from airflow_healthcare_deid.engine.rules import load_rules

if TYPE_CHECKING:
    from collections.abc import Iterator

    from airflow_healthcare_deid.emulator.fhir.repository import Version
    from airflow_healthcare_deid.emulator.jobs.context import JobContext

RESPONSE_TYPE = "type.googleapis.com/google.cloud.healthcare.v1.fhir.ExportResourcesResponse"
_MEDIA_TYPE = "application/fhir+ndjson"


def export_to_storage(context: JobContext) -> dict[str, Any]:
    """Write resources to Cloud Storage.

    Payload: ``store`` (key), ``types`` (empty means all), ``since`` (microseconds; 0 means all), ``prefix``.
    """
    store = store_of(context)
    host, prefix = destination(context)
    with ExitStack() as stack:
        spools: dict[str, bigquery.Spool] = {}
        for version in _selected(context, store.key):
            if version.type not in spools:
                spools[version.type] = stack.enter_context(bigquery.Spool(context.state.storage.directory))
            spools[version.type].write_line(version.body or b"")
            _count(context, version)
        for kind, spool in spools.items():
            context.check()
            name = load_rules("transfer")["fhir_objects"]["name"].format(type=kind)
            call = context.state.workers.call
            not_refused(call(f"{STORAGE_TASKS}:write", host, prefix + name, spool.file(), _MEDIA_TYPE))
    return {"@type": RESPONSE_TYPE}


def export_to_bigquery(context: JobContext) -> dict[str, Any]:
    """Write resources to BigQuery tables.

    Payload: ``store``, ``types``, ``since``, ``dataset`` (``[project, dataset]``), ``disposition``, ``schemaType``,
    ``depth``, ``partition`` (``TimePartitioning`` or None).
    """
    payload, store = context.payload, store_of(context)
    version_of_store = FhirVersion(store.body["version"])
    disposition = bigquery.Disposition(payload["disposition"])
    warehouse = bigquery.Warehouse(context.state.storage.directory)
    repeats = payload["schemaType"] == "ANALYTICS_V2"
    with ExitStack() as stack:
        tables: dict[str, tuple[bigquery.Spool, AnalyticsRows]] = {}
        for version in _selected(context, store.key):
            if version.type not in tables:
                spool = stack.enter_context(bigquery.Spool(context.state.storage.directory))
                rows = AnalyticsRows(version_of_store, version.type, payload["depth"], repeats=repeats)
                tables[version.type] = (spool, rows)
            spool, rows = tables[version.type]
            try:
                row = rows.row(version.resource())
            except UnfitRowError:
                _count(context, version, succeeded=False)
                continue
            spool.write(row)
            _count(context, version)
        project, dataset = payload["dataset"]
        warehouse.prepare(project, dataset, disposition)
        # From here on without a stop: a table loaded twice would hold its rows twice, or refuse them.
        for kind, (spool, rows) in tables.items():
            table = bigquery.TableName(project, dataset, kind)
            warehouse.load(table, spool, rows.schema(), disposition, partition=payload["partition"])
    return {"@type": RESPONSE_TYPE}


def _selected(context: JobContext, store: int) -> Iterator[Version]:
    """Yield the resources to export, also those counted before a restart: what was written of them is not kept."""
    types, since = context.payload["types"], context.payload["since"]
    metrics = context.state.fhir.metrics(store)
    context.expect(sum(metric.count for metric in metrics if not types or metric.type in types))
    for version in context.state.fhir.scan(store, types):
        context.check()
        if version.updated <= since:
            context.expect(-1)
        elif context.fails_by_decree(f"{version.type}/{version.id}"):
            _count(context, version, succeeded=False)
        else:
            yield version


def _count(context: JobContext, version: Version, *, succeeded: bool = True) -> None:
    item = f"{version.type}/{version.id}"
    if item in context.finished_items:
        context.expect(-1)
        return
    count(context, item, succeeded=succeeded)
