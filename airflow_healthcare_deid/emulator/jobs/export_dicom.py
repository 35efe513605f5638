"""``dicomStores.export``: instances become objects of Cloud Storage, or rows of a BigQuery table."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from airflow_healthcare_deid.emulator import bigquery, gcs
from airflow_healthcare_deid.emulator.dicomweb.filters import everything, read_filter
from airflow_healthcare_deid.emulator.dicomweb.reader import Unservable
from airflow_healthcare_deid.emulator.jobs import dicom_rows
from airflow_healthcare_deid.emulator.jobs.dicom_objects import AS_STORED, ExportFormat, frame_count
from airflow_healthcare_deid.emulator.jobs.transfer import count, store_of
from airflow_healthcare_deid.emulator.jobs.workers import WorkerError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from airflow_healthcare_deid.emulator.instances import InstanceRecord
    from airflow_healthcare_deid.emulator.jobs.context import JobContext

RESPONSE_TYPE = "type.googleapis.com/google.cloud.healthcare.v1.dicom.ExportDicomDataResponse"
_TRANSCODE = "airflow_healthcare_deid.emulator.jobs.transcoding:transcode"


def export_to_storage(context: JobContext) -> dict[str, Any]:
    """Write instances to Cloud Storage.

    Payload: ``store`` (key), ``filter`` (URI of a filter file, or None), ``prefix`` (``gs://…``), ``format``.
    """
    form = msgspec.convert(context.payload["format"], ExportFormat)
    prefix = gcs.parse_location(context.payload["prefix"], "gcsDestination.uriPrefix", prefix=True)
    gcs.check_bucket(prefix, "gcsDestination.uriPrefix")
    store = store_of(context)
    for record in _selected(context, store.key):
        item = "/".join(record.uids)
        succeeded = not context.fails_by_decree(item)
        with tempfile.TemporaryDirectory(dir=context.state.storage.incoming) as folder:
            source = context.state.instances.path(store.key, *record.uids)
            files = _files(context, record, source, form, Path(folder)) if succeeded else None
            for name, content in files or ():
                context.check()
                gcs.write_gcs(f"gs://{prefix.bucket}/{prefix.name}{name}", content, form.media_type)
        count(context, item, succeeded=files is not None)
    return {"@type": RESPONSE_TYPE}


def export_to_bigquery(context: JobContext) -> dict[str, Any]:
    """Write instances to a BigQuery table.

    Payload: ``store``, ``filter``, ``table`` (``[project, dataset, table]``), ``disposition``, ``json`` (whether
    ``schemaJson`` is asked for), ``includeSource``.
    """
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


def _files(
    context: JobContext, record: InstanceRecord, source: Path, form: ExportFormat, folder: Path
) -> list[tuple[str, bytes | Path]] | None:
    """Return the objects of an instance by name; None if it can't be had in this format."""
    if not form.by_frame:
        stored = form.transfer_syntax in (AS_STORED, record.transfer_syntax)
        path = _copied(source, folder) if stored else _transcoded(context, source, folder, form.transfer_syntax)
        return None if path is None else [(form.object_name(record), path)]
    frames = frame_count(record)
    files: list[tuple[str, bytes | Path]] = []
    for number in range(1, frames + 1):
        context.check()
        data = _frame(context, source, number, form)
        if data is None:
            return None
        files.append((form.object_name(record, number if frames > 1 else None), data))
    return files


def _frame(context: JobContext, source: Path, number: int, form: ExportFormat) -> bytes | None:
    reader = context.state.reader
    if form.media_type == "application/octet-stream":
        frame = reader.frame(source, number, stored=form.transfer_syntax == AS_STORED)
        return None if isinstance(frame, Unservable) else frame.data
    picture = reader.render(source, number, form.media_type.removeprefix("image/").upper())
    return None if isinstance(picture, Unservable) else picture


def _copied(source: Path, folder: Path) -> Path | None:
    """Copy a file first: its instance may be deleted while it is sent."""
    try:
        return Path(shutil.copy(source, folder / "stored"))
    except FileNotFoundError:
        return None


def _transcoded(context: JobContext, source: Path, folder: Path, transfer_syntax: str) -> Path | None:
    target = folder / "transcoded"
    try:
        done = context.state.workers.call(_TRANSCODE, source, target, transfer_syntax)
    except WorkerError:
        return None
    return target if done else None
