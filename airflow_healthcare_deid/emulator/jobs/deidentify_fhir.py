"""De-identification of FHIR stores: ``fhirStores.deidentify``, and the FHIR part of ``datasets.deidentify``.

Every resource goes to the engine with what identifies the people whom it refers to, taken from the same store.
Ids stay as they are unless the configuration transforms them.
"""

from __future__ import annotations

import functools
import logging
from contextlib import closing
from typing import TYPE_CHECKING, Any, cast

import msgspec

from airflow_healthcare_deid.emulator.errors import Code, ServiceError
from airflow_healthcare_deid.emulator.fhir.codec import decode
from airflow_healthcare_deid.emulator.fhir.versions import FhirVersion
from airflow_healthcare_deid.emulator.jobs.spec import Spec
from airflow_healthcare_deid.engine.fhir import collect_record, merged, people_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from airflow_healthcare_deid.emulator.fhir.repository import Version
    from airflow_healthcare_deid.emulator.jobs.context import JobContext
    from airflow_healthcare_deid.emulator.jobs.workers import WorkerError
    from airflow_healthcare_deid.emulator.resources import Resource
    from airflow_healthcare_deid.engine.fhir.model import Version as VersionName
    from airflow_healthcare_deid.engine.text.record import RecordIdentifiers

logger = logging.getLogger(__name__)

WORK = "airflow_healthcare_deid.emulator.jobs.fhir_work"
SUMMARY_TYPE = "type.googleapis.com/google.cloud.healthcare.v1.deidentify.DeidentifyFhirStoreSummary"
DEIDENTIFIED_VERSIONS = frozenset({FhirVersion.DSTU2, FhirVersion.STU3, FhirVersion.R4})
"""R5 stores are skipped at dataset level and refused at store level (discovery document)."""

_PEOPLE_REMEMBERED = 1024


class Selection(msgspec.Struct, frozen=True):
    """Which resources of a store to take.

    :param resources: ``Type/id``; None means all.
    :param until: microseconds since 1970; resources written later are left out.
    """

    resources: list[str] | None = None
    until: int | None = None

    def of(self, context: JobContext, store: int) -> Iterator[Version]:
        """Yield the resources as they are now."""
        repository = context.state.fhir
        if self.resources is None:
            yield from filter(self.covers, repository.scan(store))
            return
        for name in dict.fromkeys(self.resources):
            version = repository.get(store, *name.split("/", 1))
            if version is not None and self.covers(version):
                yield version

    def covers(self, version: Version) -> bool:
        """Tell whether a version is there and old enough."""
        return version.body is not None and (self.until is None or version.updated <= self.until)


def deidentify_fhir_store(context: JobContext) -> dict[str, Any]:
    """Copy a FHIR store.

    Payload: ``spec``, ``source`` and ``destination`` (keys of the stores), ``selection``.
    """
    payload = context.payload
    source, destination = (context.state.resources.by_key(payload[role]) for role in ("source", "destination"))
    if source is None or destination is None:
        raise ServiceError(Code.NOT_FOUND, "The source or the destination was deleted while the operation was running.")
    selection = msgspec.convert(payload["selection"], Selection)
    deidentify_resources(context, msgspec.convert(payload["spec"], Spec), source, destination, selection)
    return {"@type": SUMMARY_TYPE}


def deidentify_resources(
    context: JobContext, spec: Spec, source: Resource, target: Resource, selection: Selection | None = None
) -> None:
    """Copy a store's resources to another one, de-identified; those that can't be count as failures.

    :param selection: which resources; None means all.
    :raises ServiceError: if the configuration can't be carried out at all.
    """
    selection = selection or Selection()
    version, text = source.body["version"], msgspec.json.encode(spec)
    problem = context.state.workers.call(f"{WORK}:problem", text, version)
    if problem is not None:
        raise ServiceError(Code.FAILED_PRECONDITION, f"The configuration can't be carried out: {problem}")
    names = [(each.type, each.id) for each in selection.of(context, source.key)]
    names = [name for name in names if _item(source, *name) not in context.finished_items]
    context.expect(len(names))
    record_of = functools.lru_cache(maxsize=_PEOPLE_REMEMBERED)(
        functools.partial(_record, context, source.key, version)
    )

    def work() -> Iterator[tuple[bytes, str, str, bytes, RecordIdentifiers]]:
        for kind, key in names:
            context.check()
            found = context.state.fhir.get(source.key, kind, key)
            if found is None or found.body is None or not selection.covers(found):
                context.expect(-1)  # deleted or changed since it was counted
                continue
            people = [*people_of(decode(found.body)), *([f"{kind}/{key}"] if kind == "Patient" else [])]
            yield text, version, _item(source, kind, key), found.body, merged(*map(record_of, people))

    with closing(context.state.workers.each(f"{WORK}:deidentify", work())) as batches:
        for batch in batches:
            context.check()
            _keep(context, target, {item: result for (_, _, item, _, _), result in batch})


def _record(context: JobContext, store: int, version: str, name: str) -> RecordIdentifiers | None:
    """Return what identifies a person and, of a patient, the related people too; None if the store has no such one.

    :param name: ``Type/id``, or a reference that leads nowhere in the store.
    """
    fhir = context.state.fhir
    names = [name] if "/" in name else []
    names += [f"{kind}/{key}" for kind, key in fhir.referring(store, name) if kind == "RelatedPerson"]
    people = (fhir.get(store, *each.split("/", 1)) for each in names)
    records = [
        collect_record(person.resource(), cast("VersionName", version))
        for person in people
        if person is not None and person.body is not None
    ]
    return merged(*records) if records else None


def _keep(context: JobContext, target: Resource, results: Mapping[str, bytes | WorkerError | None]) -> None:
    versioned = not target.body.get("disableResourceVersioning", False)
    with context.finishing() as done:
        for item, result in results.items():
            done[item] = False
            if isinstance(result, bytes) and not context.fails_by_decree(item):
                done[item] = True
                context.state.fhir.put(target.key, decode(result), "PUT", versioned=versioned)
    for item, succeeded in done.items():
        if not succeeded:
            logger.info("%s: %s not de-identified", context.record.name, item)


def _item(source: Resource, kind: str, key: str) -> str:
    return f"{source.name}/fhir/{kind}/{key}"
