"""De-identification of a dataset or of a DICOM store: copies, never changes the source.

An instance that can't be de-identified is counted as a failure, is absent from the output and stops nothing.
"""

from __future__ import annotations

import logging
import secrets
import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING, Any

import msgspec

from airflow_healthcare_deid.emulator.dicomweb.filters import everything, read_filter
from airflow_healthcare_deid.emulator.errors import Code, ServiceError
from airflow_healthcare_deid.emulator.instances import InstanceRecord
from airflow_healthcare_deid.emulator.jobs.spec import Spec
from airflow_healthcare_deid.engine.rules import load_rules
from airflow_healthcare_deid.resource_names import DatasetName

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from airflow_healthcare_deid.emulator.dicomweb.filters import InstanceFilter
    from airflow_healthcare_deid.emulator.jobs.context import JobContext
    from airflow_healthcare_deid.emulator.resources import Resource

logger = logging.getLogger(__name__)

_TYPE = "type.googleapis.com/google.cloud.healthcare.v1.deidentify."
_TASK = "airflow_healthcare_deid.emulator.jobs.deidentify_tasks:deidentify"


def deidentify_dataset(context: JobContext) -> dict[str, Any]:
    """Copy the stores of a dataset; payload: ``spec``, ``source``, ``destination`` (keys of the datasets).

    DICOM stores only if the configuration has ``dicom``, FHIR stores only if it has ``fhir``: so documents gcloud.
    Stores keep their ids; labels and all settings that could be changed later are not copied.
    """
    spec = msgspec.convert(context.payload["spec"], Spec)
    source = _resource(context, "source")
    destination = _resource(context, "destination")
    if "dicom" in spec.config:
        pairs = [
            (store, _same_store(context, store, destination))
            for store in context.state.resources.listing(source.name, "dicomStores")
        ]
        for store, _ in pairs:
            _expect(context, store, everything)
        for store, copy in pairs:
            _copy(context, spec, store, copy, everything)
    if "fhir" in spec.config:
        _copy_fhir_stores(context, spec, source, destination)
    return {"@type": f"{_TYPE}DeidentifySummary"}


def deidentify_dicom_store(context: JobContext) -> dict[str, Any]:
    """Copy a DICOM store; payload: ``spec``, ``source``, ``destination`` (keys of the stores), ``filter`` (URI)."""
    spec = msgspec.convert(context.payload["spec"], Spec)
    source = _resource(context, "source")
    destination = _resource(context, "destination")
    uri = context.payload.get("filter")
    wanted = read_filter(uri) if uri else everything
    _expect(context, source, wanted)
    _copy(context, spec, source, destination, wanted)
    return {"@type": f"{_TYPE}DeidentifyDicomStoreSummary"}


def _resource(context: JobContext, role: str) -> Resource:
    found = context.state.resources.by_key(context.payload[role])
    if found is None:
        raise ServiceError(Code.NOT_FOUND, f"The {role} was deleted while the operation was running.")
    return found


def _copy_fhir_stores(context: JobContext, spec: Spec, source: Resource, destination: Resource) -> None:
    from airflow_healthcare_deid.emulator.jobs.deidentify_fhir import DEIDENTIFIED_VERSIONS, deidentify_resources

    for store in context.state.resources.listing(source.name, "fhirStores"):
        if store.body["version"] in DEIDENTIFIED_VERSIONS:
            deidentify_resources(context, spec, store, _same_store(context, store, destination))


def _same_store(context: JobContext, store: Resource, destination: Resource) -> Resource:
    dataset, identifier = DatasetName.parse(destination.name), store.name.rpartition("/")[2]
    name = dataset.dicom_store(identifier) if store.collection == "dicomStores" else dataset.fhir_store(identifier)
    resources = context.state.resources
    inherited = load_rules("service")["kept_fhir_settings"]["value"] if store.collection == "fhirStores" else ()
    kept = {key: value for key, value in store.body.items() if key in inherited}
    return resources.find(name) or resources.create(name, kept)


def _item(store: Resource, record: InstanceRecord) -> str:
    return f"{store.name}/dicomWeb/studies/{record.study}/series/{record.series}/instances/{record.sop}"


def _expect(context: JobContext, store: Resource, wanted: InstanceFilter) -> None:
    records = context.state.instances.each(store.key)
    context.expect(sum(wanted(record) and _item(store, record) not in context.finished_items for record in records))


def _copy(context: JobContext, spec: Spec, source: Resource, target: Resource, wanted: InstanceFilter) -> None:
    state = context.state
    text = msgspec.json.encode(spec)
    items: dict[Path, str] = {}

    def work() -> Iterator[tuple[bytes, Path, Path]]:
        for record in state.instances.each(source.key):
            item = _item(source, record)
            if not wanted(record) or item in context.finished_items:
                continue
            if context.fails_by_decree(item):
                _done(context, item, "failed by the progression's failShare")
                continue
            context.check()
            out = state.storage.incoming / secrets.token_hex(16)
            items[out] = item
            yield text, state.instances.path(source.key, *record.uids), out

    try:
        with closing(state.workers.each(_TASK, work())) as results:
            for (_, _, out), result in results:
                context.check()
                _keep(context, items.pop(out), target, out, result)
    finally:
        for out in items:
            out.unlink(missing_ok=True)


def _keep(context: JobContext, item: str, target: Resource, out: Path, result: object) -> None:
    if not isinstance(result, InstanceRecord):
        out.unlink(missing_ok=True)
        _done(context, item, str(result))
        return
    try:
        with context.state.storage.write() as db:
            replace = load_rules("service")["store_deidentify_duplicate"]["value"] == "overwrite"
            if context.state.instances.add_within(db, target.key, result, out, replace=replace):
                context.item_done(db, item, succeeded=True)
                return
    except sqlite3.IntegrityError:
        raise ServiceError(Code.NOT_FOUND, "The destination was deleted while the operation was running.") from None
    finally:
        out.unlink(missing_ok=True)
    _done(context, item, "already exists in the destination")


def _done(context: JobContext, item: str, reason: str) -> None:
    logger.info("%s: %s not de-identified: %s", context.record.name, item, reason)
    with context.state.storage.write() as db:
        context.item_done(db, item, succeeded=False)
