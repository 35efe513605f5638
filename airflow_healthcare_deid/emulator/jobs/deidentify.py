"""De-identification of a dataset or of a DICOM store: copies, never changes the source.

An instance that can't be de-identified is counted as a failure, is absent from the output and stops nothing.
"""

from __future__ import annotations

import logging
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from airflow_healthcare_deid.emulator.dicomweb.filters import everything, read_filter
from airflow_healthcare_deid.emulator.errors import Code, ServiceError
from airflow_healthcare_deid.emulator.instances import Identity, InstanceRecord
from airflow_healthcare_deid.emulator.jobs.spec import Spec
from airflow_healthcare_deid.engine.rules import load_rules
from airflow_healthcare_deid.resource_names import DatasetName

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

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


def _expect(context: JobContext, store: Resource, wanted: InstanceFilter) -> None:
    context.expect(sum(1 for _ in _selected(context, store, wanted)))


def _selected(context: JobContext, store: Resource, wanted: InstanceFilter) -> Iterator[Identity]:
    """Yield the instances that are still to do."""
    for instance in context.state.instances.identities(store.key):
        if wanted(instance.uids) and str(instance.number) not in context.finished_items:
            yield instance


def _copy(context: JobContext, spec: Spec, source: Resource, target: Resource, wanted: InstanceFilter) -> None:
    state = context.state
    text = msgspec.json.encode(spec)
    under_way: dict[Path, Identity] = {}

    def work() -> Iterator[tuple[bytes, Path, Path]]:
        for instance in _selected(context, source, wanted):
            context.check()
            out = Path(f"{state.storage.incoming}/{context.record.id}-{instance.number}")
            under_way[out] = instance
            yield text, state.instances.path(source.key, *instance.uids), out

    try:
        with closing(state.workers.each(_TASK, work())) as batches:
            for batch in batches:
                context.check()
                _keep(context, target, [(under_way[out], out, result) for (_, _, out), result in batch])
                for (_, _, out), _ in batch:
                    del under_way[out]
    finally:
        for out in under_way:
            out.unlink(missing_ok=True)


def _keep(context: JobContext, target: Resource, copies: Iterable[tuple[Identity, Path, object]]) -> None:
    """Take copies into the target.

    :param copies: which instance, the file of its copy, and what the index keeps of that or why there is none.
    """
    made: list[tuple[Identity, Path, InstanceRecord]] = []
    failed: list[tuple[Identity, Path, str]] = []
    for instance, out, result in copies:
        if not isinstance(result, InstanceRecord):
            failed.append((instance, out, str(result)))
        elif context.fails_by_decree(str(instance.number)):
            failed.append((instance, out, "failed by the progression's failShare"))
        else:
            made.append((instance, out, result))
    replace = load_rules("service")["store_deidentify_duplicate"]["value"] == "overwrite"
    try:
        with context.finishing() as done:
            taken = context.state.instances.add(target.key, [(record, out) for _, out, record in made], replace=replace)
            for (instance, out, _), new in zip(made, taken, strict=True):
                done[str(instance.number)] = new
                if not new:
                    failed.append((instance, out, "already exists in the destination"))
            done.update({str(instance.number): False for instance, _, _ in failed})
    except sqlite3.IntegrityError:
        raise ServiceError(Code.NOT_FOUND, "The destination was deleted while the operation was running.") from None
    for instance, out, reason in failed:
        out.unlink(missing_ok=True)
        logger.info("%s: instance %s not de-identified: %s", context.record.name, "/".join(instance.uids), reason)
