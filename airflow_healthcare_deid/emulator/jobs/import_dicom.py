"""``dicomStores.import``: objects of Cloud Storage become instances."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from airflow_healthcare_deid.emulator import gcs
from airflow_healthcare_deid.emulator.errors import Code, ServiceError
from airflow_healthcare_deid.emulator.jobs.transfer import store_of
from airflow_healthcare_deid.engine.rules import load_rules

if TYPE_CHECKING:
    from airflow_healthcare_deid.emulator.instances import InstanceRecord
    from airflow_healthcare_deid.emulator.jobs.context import JobContext

RESPONSE_TYPE = "type.googleapis.com/google.cloud.healthcare.v1.dicom.ImportDicomDataResponse"


def import_dicom(context: JobContext) -> dict[str, Any]:
    """Take DICOM files into a store; an instance that is there already is left alone.

    Payload: ``store`` (key), ``uri`` (with wildcards).
    """
    store = store_of(context)
    uris = gcs.list_gcs(context.payload["uri"])
    if not uris:
        raise ServiceError(Code.NOT_FOUND, "gcsSource.uri matches no object.")
    todo = [uri for uri in uris if uri not in context.finished_items]
    context.expect(len(todo))
    for uri in todo:
        context.check()
        with tempfile.TemporaryDirectory(dir=context.state.storage.incoming) as folder:
            _take(context, store.key, uri, Path(folder) / "object")
    return {"@type": RESPONSE_TYPE}


def _take(context: JobContext, store: int, uri: str, file: Path) -> None:
    found = None if context.fails_by_decree(uri) else _fetched(context, uri, file)
    with context.finishing() as done:
        done[uri] = False
        if found is not None:
            taken = all(context.state.instances.add(store, [(found, file)]))
            done[uri] = taken or load_rules("transfer")["dicom_import"]["duplicates_count_as"] == "success"


def _fetched(context: JobContext, uri: str, file: Path) -> InstanceRecord | None:
    """Bring an object here and read what the index keeps of it; None if that can't be done."""
    try:
        gcs.fetch_gcs(uri, file, "gcsSource.uri")
    except ServiceError as error:
        if error.code is Code.UNAVAILABLE:
            raise
        return None  # deleted since it was listed, or not to be read
    ((_, found),) = context.state.reader.index([file])
    return None if isinstance(found, str) else found
