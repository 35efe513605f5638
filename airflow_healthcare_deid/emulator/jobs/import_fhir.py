"""``fhirStores.import``: objects of Cloud Storage become resources.

Formats: ``ImportResourcesRequest.contentStructure`` of the discovery document.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from airflow_healthcare_deid.emulator import gcs
from airflow_healthcare_deid.emulator.errors import Code, ServiceError
from airflow_healthcare_deid.emulator.fhir.codec import decode
from airflow_healthcare_deid.emulator.fhir.outcome import FhirError, invalid
from airflow_healthcare_deid.emulator.fhir.validation import check_resource
from airflow_healthcare_deid.emulator.fhir.versions import FhirVersion
from airflow_healthcare_deid.emulator.jobs.transfer import store_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from airflow_healthcare_deid.emulator.jobs.context import JobContext

RESPONSE_TYPE = "type.googleapis.com/google.cloud.healthcare.v1.fhir.ImportResourcesResponse"


def import_fhir(context: JobContext) -> dict[str, Any]:
    """Take resources into a store under their own ids, without looking at what they refer to.

    Payload: ``store`` (key), ``uri`` (with wildcards), ``structure`` (``contentStructure``).
    """
    store = store_of(context)
    uris = gcs.list_gcs(context.payload["uri"])
    if not uris:
        raise ServiceError(Code.NOT_FOUND, "gcsSource.uri matches no object.")
    version = FhirVersion(store.body["version"])
    for uri in uris:
        context.check()
        data = _read(uri)
        # The number tells the resources of an object apart after a restart.
        resources = enumerate(_resources(data, context.payload["structure"]))
        todo = [(f"{uri}#{number}", found) for number, found in resources]
        todo = [(item, found) for item, found in todo if item not in context.finished_items]
        context.expect(len(todo))
        for item, found in todo:
            context.check()
            _take(context, store.key, version, item, found)
    return {"@type": RESPONSE_TYPE}


def _read(uri: str) -> bytes | None:
    try:
        return gcs.read_gcs(uri, "gcsSource.uri")
    except ServiceError as error:
        if error.code is Code.UNAVAILABLE:
            raise
        return None  # deleted since it was listed, too large, or not to be read


def _resources(data: bytes | None, structure: str) -> Iterator[Any]:
    """Yield what should be resources; in place of what can't be read, None."""
    if data is None:
        yield None
        return
    kind, _, pretty = structure.partition("_")
    for text in (data,) if pretty else data.splitlines():
        if not text.strip():
            continue
        try:
            value = decode(text)
        except FhirError:
            yield None
            continue
        if kind == "RESOURCE":
            yield value
        else:
            yield from _entries(value)


def _entries(bundle: Any) -> Iterator[Any]:
    entries = bundle.get("entry", []) if isinstance(bundle, dict) else None
    if entries is None or bundle.get("resourceType") != "Bundle" or bundle.get("type") == "history":
        yield None
    elif isinstance(entries, list):
        for entry in entries:
            yield entry.get("resource") if isinstance(entry, dict) else None


def _take(context: JobContext, store: int, version: FhirVersion, item: str, found: Any) -> None:
    with context.state.storage.write() as db:
        succeeded = not context.fails_by_decree(item)
        try:
            resource = check_resource(found, version)
            if "id" not in resource:
                raise invalid("every resource to import needs an id")
            if succeeded:
                # The most recent version is overwritten, no historical one is made (discovery document).
                context.state.fhir.put(store, resource, "PUT", versioned=False)
        except FhirError:
            succeeded = False
        context.item_done(db, item, succeeded=succeeded)
