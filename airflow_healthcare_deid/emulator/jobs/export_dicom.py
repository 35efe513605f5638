"""``dicomStores.export``: instances become objects of Cloud Storage, or rows of a BigQuery table."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING, Any

import msgspec

from airflow_healthcare_deid.emulator import bigquery
from airflow_healthcare_deid.emulator.dicomweb.filters import everything, read_filter
from airflow_healthcare_deid.emulator.jobs.dicom_objects import ExportFormat
from airflow_healthcare_deid.emulator.jobs.transfer import STORAGE_TASKS, count, destination, not_refused, store_of
from airflow_healthcare_deid.emulator.jobs.workers import WorkerError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from airflow_healthcare_deid.emulator.instances import InstanceRecord
    from airflow_healthcare_deid.emulator.jobs.context import JobContext

RESPONSE_TYPE = "type.googleapis.com/google.cloud.healthcare.v1.dicom.ExportDicomDataResponse"


def export_to_storage(context: JobContext) -> dict[str, Any]:
    """Write instances to Cloud Storage.

    Payload: ``store`` (key), ``filter`` (URI of a filter file, or None), ``prefix`` (``gs://…``), ``format``.
    """
    state, store = context.state, store_of(context)
    form = msgspec.convert(context.payload["format"], ExportFormat)
    host, prefix = destination(context)

    def work() -> Iterator[tuple[str | None, Path, Path, InstanceRecord, str, ExportFormat]]:
        for number, record in enumerate(_selected(context, store.key)):
            if context.fails_by_decree("/".join(record.uids)):
                count(context, "/".join(record.uids), succeeded=False)
            else:
                scratch = state.storage.incoming / f"{context.record.id}-{number}"
                yield host, state.instances.path(store.key, *record.uids), scratch, record, prefix, form

    with closing(state.workers.each(f"{STORAGE_TASKS}:export", work())) as batches:
        for batch in batches:
            context.check()
            with context.finishing() as done:
                for (_, _, scratch, record, _, _), result in batch:
                    succeeded = not isinstance(result, WorkerError) and not_refused(result)
                    done["/".join(record.uids)] = succeeded
                    if not succeeded:
                        scratch.unlink(missing_ok=True)
    return {"@type": RESPONSE_TYPE}


def export_to_bigquery(context: JobContext) -> dict[str, Any]:
    """Write instances to a BigQuery table.

    Payload: ``store``, ``filter``, ``table`` (``[project, dataset, table]``), ``disposition``, ``json`` (whether
    ``schemaJson`` is asked for), ``includeSource``.
    """
    from airflow_healthcare_deid.emulator.jobs import dicom_rows  # brings pydicom, which nothing else here needs

    payload, store = context.payload, store_of(context)
    table = bigquery.TableName(*payload["table"])
    rows = dicom_rows.JsonRows() if payload["json"] else dicom_rows.FlattenedRows()
    source = store.name if payload["includeSource"] else None
    with bigquery.Spool(context.state.storage.directory) as spool:
        # After a restart all rows are written again: a spool is not kept, and a table appears as a whole.
        for record in _selected(context, store.key, again=True):
            item = "/".join(record.uids)
            row = None if context.fails_by_decree(item) else rows.row(context.state, store, record, source)
            if row is not None:
                spool.write(row)
            if item not in context.finished_items:
                count(context, item, succeeded=row is not None)
        bigquery.Warehouse(context.state.storage.directory).load(
            table, spool, rows.schema(source), bigquery.Disposition(payload["disposition"])
        )
    return {"@type": RESPONSE_TYPE}


def _selected(context: JobContext, store: int, *, again: bool = False) -> Iterator[InstanceRecord]:
    """Yield the instances to export, each once.

    :param again: also those finished before a restart.
    """
    uri = context.payload["filter"]
    wanted = read_filter(uri) if uri else everything
    instances = context.state.instances
    found = (uids for uids in (instance.uids for instance in instances.identities(store)) if wanted(uids))
    context.expect(sum("/".join(uids) not in context.finished_items for uids in found))
    for record in instances.each(store):
        context.check()
        if not wanted(record.uids):
            continue
        if again or "/".join(record.uids) not in context.finished_items:
            yield record
