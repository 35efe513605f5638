"""The capability statement, generated from what the emulator has.

https://hl7.org/fhir/R4/capabilitystatement.html; DSTU2 calls it ``Conformance``.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from airflow_healthcare_deid import __version__
from airflow_healthcare_deid.emulator.fhir.search_parameters import PARAMETERS
from airflow_healthcare_deid.emulator.fhir.versions import FhirVersion, resource_types
from airflow_healthcare_deid.engine.fhir.model import Kind

if TYPE_CHECKING:
    from airflow_healthcare_deid.emulator.fhir.store import Settings

_INTERACTIONS = ("read", "vread", "update", "patch", "delete", "history-instance", "create", "search-type")
_VERSIONED = frozenset({"vread", "history-instance"})


def capability_statement(settings: Settings) -> dict[str, Any]:
    """Return the statement for a store."""
    dstu2 = settings.version is FhirVersion.DSTU2
    statement: dict[str, Any] = {
        "resourceType": "Conformance" if dstu2 else "CapabilityStatement",
        "status": "active",
        "date": datetime.now(UTC).strftime("%Y-%m-%d"),
        "kind": "instance",
        "fhirVersion": settings.version.number,
        "format": ["application/fhir+json"],
        "software": {"name": "airflow-healthcare-deid emulator", "version": __version__},
        "implementation": {"description": "A local stand-in for a Cloud Healthcare API FHIR store"},
        "rest": [
            {
                "mode": "server",
                "resource": [_resource(name, settings) for name in sorted(resource_types(settings.version))],
                "interaction": [{"code": code} for code in ("transaction", "batch", "search-system")],
            }
        ],
    }
    if settings.version in (FhirVersion.DSTU2, FhirVersion.STU3):
        statement["acceptUnknown"] = "no"
    return statement


def _resource(name: str, settings: Settings) -> dict[str, Any]:
    versioned = not settings.disable_resource_versioning
    patch = settings.version is not FhirVersion.DSTU2
    codes = [code for code in _INTERACTIONS if (versioned or code not in _VERSIONED) and (patch or code != "patch")]
    return {
        "type": name,
        "interaction": [{"code": code} for code in codes],
        "versioning": "versioned" if versioned else "no-version",
        "readHistory": versioned,
        "updateCreate": settings.enable_update_create,
        "conditionalCreate": True,
        "conditionalUpdate": True,
        "conditionalDelete": "single",
        "searchParam": [
            {"name": parameter, "type": PARAMETERS[parameter].kind}
            for parameter in PARAMETERS
            if _has(name, parameter, settings.version)
        ],
    }


def _has(kind: str, parameter: str, version: FhirVersion) -> bool:
    if parameter.startswith("_"):
        return True
    names = (path.split(".")[0] for path in PARAMETERS[parameter].paths)
    return any(version.model.element(kind, name).kind is not Kind.UNKNOWN for name in names)
