"""``fhirStores.import``: objects of Cloud Storage become resources.

Formats: ``ImportResourcesRequest.contentStructure`` of the discovery document.
"""

from __future__ import annotations

import tempfile
from pathlib import Path
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

MAX_TEXT_BYTES = 128 * 1024**2
"""The largest JSON text that is read, a line or a whole object; the emulator's own guard."""

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
        with tempfile.TemporaryDirectory(dir=context.state.storage.incoming) as folder:
            file = _fetched(uri, Path(folder) / "object")
            # Read twice, to be counted and to be taken: only one line of it is in memory then.
            context.expect(sum(1 for _ in _items(context, uri, file)))
            for item, found in _items(context, uri, file):
                _take(context, store.key, version, item, found)
    return {"@type": RESPONSE_TYPE}


def _fetched(uri: str, file: Path) -> Path | None:
    """Bring an object here; None if that can't be done."""
    try:
        gcs.fetch_gcs(uri, file, "gcsSource.uri", gcs.MAX_OBJECT_BYTES)
    except ServiceError as error:
        if error.code is Code.UNAVAILABLE:
            raise
        return None  # deleted since it was listed, too large, or not to be read
    return file


def _items(context: JobContext, uri: str, file: Path | None) -> Iterator[tuple[str, Any]]:
    """Yield what should be resources and is still to do, by a name that tells those of an object apart."""
    for number, found in enumerate([None] if file is None else _resources(file, context.payload["structure"])):
        context.check()
        item = f"{uri}#{number}"
        if item not in context.finished_items:
            yield item, found


def _resources(file: Path, structure: str) -> Iterator[Any]:
    """Yield what should be resources; in place of what can't be read, None."""
    kind, _, pretty = structure.partition("_")
    for text in _texts(file, whole=bool(pretty)):
        try:
            value = None if text is None else decode(text)
        except FhirError:
            value = None
        if kind == "RESOURCE" or value is None:
            yield value
        else:
            yield from _entries(value)


def _texts(file: Path, *, whole: bool) -> Iterator[bytes | None]:
    """Yield the lines of a file, or all of it; in place of what is too long, None."""
    with file.open("rb") as stream:
        read = stream.read if whole else stream.readline
        while text := read(MAX_TEXT_BYTES + 1):
            if len(text) > MAX_TEXT_BYTES:
                yield None
                while text and (whole or not text.endswith(b"\n")):
                    text = read(MAX_TEXT_BYTES)
            elif text.strip():
                yield text


def _entries(bundle: Any) -> Iterator[Any]:
    entries = bundle.get("entry", []) if isinstance(bundle, dict) else None
    if entries is None or bundle.get("resourceType") != "Bundle" or bundle.get("type") == "history":
        yield None
    elif isinstance(entries, list):
        for entry in entries:
            yield entry.get("resource") if isinstance(entry, dict) else None


def _take(context: JobContext, store: int, version: FhirVersion, item: str, found: Any) -> None:
    with context.finishing() as done:
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
        done[item] = succeeded
