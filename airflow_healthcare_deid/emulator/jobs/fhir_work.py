"""What the worker processes do for FHIR: one resource after the other."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, cast

import msgspec

from airflow_healthcare_deid.emulator.fhir.codec import decode, encode
from airflow_healthcare_deid.emulator.jobs.spec import Spec
from airflow_healthcare_deid.engine.errors import EngineError, UndecodableError
from airflow_healthcare_deid.engine.fhir import FhirDeidentifier

if TYPE_CHECKING:
    from airflow_healthcare_deid.engine.fhir.model import Version
    from airflow_healthcare_deid.engine.text.record import RecordIdentifiers


def problem(spec: bytes, version: str) -> str | None:
    """Return why a configuration can't be carried out on resources of a FHIR version, or None."""
    try:
        _deidentifier(spec, version)
    except EngineError as error:
        return str(error)
    return None


def deidentify(spec: bytes, version: str, item: str, body: bytes, record: RecordIdentifiers | None) -> bytes | None:
    """Return a resource de-identified, as JSON; None if it can't be.

    :param spec: JSON of a `Spec`.
    :param version: its FHIR version.
    :param item: what the caller knows the resource by.
    :param body: the resource as JSON.
    :param record: what identifies its patient.
    """
    try:
        return encode(_deidentifier(spec, version).deidentify(decode(body), record=record))
    except UndecodableError:
        return None


@functools.lru_cache(maxsize=4)
def _deidentifier(spec: bytes, version: str) -> FhirDeidentifier:
    read = msgspec.json.decode(spec, type=Spec)
    return FhirDeidentifier(read.deidentify_config(), read.key_ring(), cast("Version", version))
