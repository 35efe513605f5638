"""Which identifiers of a patient a config for FHIR takes away."""

from __future__ import annotations

from typing import TYPE_CHECKING

from airflow_healthcare_deid.config import FhirAction
from airflow_healthcare_deid.validation.identifiers import Kind

if TYPE_CHECKING:
    from airflow_healthcare_deid.config import FhirConfig

_PATIENT = "Patient"
# What a path calls the field or its type, and the parts of it that hold the identifier.
_NAMES: dict[str, Kind] = {
    "name": Kind.NAME,
    "HumanName": Kind.NAME,
    "identifier": Kind.ID,
    "Identifier": Kind.ID,
    "birthDate": Kind.BIRTH_DATE,
    "Date": Kind.BIRTH_DATE,
    "telecom": Kind.PHONE,
    "ContactPoint": Kind.PHONE,
    "address": Kind.ADDRESS,
    "Address": Kind.ADDRESS,
}
_PARTS: dict[Kind, frozenset[str]] = {
    Kind.NAME: frozenset({"family", "given"}),
    Kind.ID: frozenset({"value"}),
    Kind.PHONE: frozenset({"value"}),
    Kind.ADDRESS: frozenset({"line", "city", "postalCode"}),
}
_TEXT = "String"


def fhir_kinds(fhir: FhirConfig) -> frozenset[Kind]:
    """Return the kinds that must be gone: the default profile takes all; of a list, the first path that fits decides.

    A kind counts only if all its parts go, whatever paths say so.
    """
    if fhir.field_metadata_list is None:
        return frozenset(Kind)
    decided: dict[tuple[Kind, str], bool] = {}
    for field in fhir.field_metadata_list:
        acts = field.action in (FhirAction.TRANSFORM, FhirAction.INSPECT_AND_TRANSFORM)
        for path in field.paths or ():
            for part in _parts(path.split(".")):
                decided.setdefault(part, acts)
    return frozenset(
        kind for kind in Kind if all(decided.get((kind, part), False) for part in _PARTS.get(kind, frozenset({""})))
    )


def _parts(path: list[str]) -> set[tuple[Kind, str]]:
    """Return the parts of a patient's identifiers that a path names."""
    below = path[1:] if path[0] == _PATIENT else path
    everything = {(kind, part) for kind in Kind for part in _PARTS.get(kind, frozenset({""}))}
    if not below:
        return everything
    if below == [_TEXT]:
        return {(kind, part) for kind, part in everything if part}
    kind = _NAMES.get(below[0])
    named = {(found, part) for found, part in everything if found is kind}
    if len(below) == 1 or below[-1] == _TEXT:
        return named
    return {(found, part) for found, part in named if part == below[1]}
