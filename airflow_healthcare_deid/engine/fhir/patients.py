"""Whose data a resource is, and what identifies that person in it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from airflow_healthcare_deid.engine.fhir.model import Kind, fhir_model
from airflow_healthcare_deid.engine.rules import load_rules
from airflow_healthcare_deid.engine.text.record import RecordIdentifiers

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from airflow_healthcare_deid.engine.fhir.model import FhirModel, Version

_PEOPLE = frozenset({"Patient", "Practitioner", "RelatedPerson", "Person"})
_PERSON = re.compile(rf"(?:.*/)?((?:{'|'.join(sorted(_PEOPLE))})/[^/]+)(?:/_history/[^/]+)?")
_PATIENT = re.compile(r"(?:.*/)?Patient/([^/]+)(?:/_history/[^/]+)?")
_UUID = "urn:uuid:"
# Where a reference by UUID, whose type cannot be seen, is taken for one to a patient.
_ONLY_PATIENTS = frozenset({"subject", "patient", "beneficiary"})


def patient_key(resource: Mapping[str, Any], aliases: Mapping[str, str] | None = None) -> str:
    """Return what the date shift of a resource is fixed for: its patient's id, or its own where it has no patient.

    :param resource: a FHIR resource.
    :param aliases: ids of the patients of a Bundle by their ``fullUrl``.
    """
    if resource.get("resourceType") != "Patient":
        for path in load_rules("fhir_paths")["patient"]["references"]:
            for reference in _reached(resource, path):
                key = _referenced(reference, path, aliases or {})
                if key:
                    return key
    own = resource.get("id")
    return own if isinstance(own, str) else ""


def collect_record(resource: Mapping[str, Any], version: Version = "R4") -> RecordIdentifiers:
    """Return the identifiers of the people in a resource, to be looked for in the text of all that is about them.

    Names, telephone numbers, e-mail addresses, addresses, identifiers and days of birth and death, wherever they stand
    in it, with the names of people it refers to. Of a resource that is malformed, what can be read.

    :param resource: a FHIR resource, most of all the Patient.
    :param version: the FHIR version of the resource.
    """
    found: dict[str, list[object]] = {kind: [] for kind in ("names", "ids", "dates", "phones", "emails", "addresses")}
    _Collector(fhir_model(version), found).resource(resource, 0)
    return RecordIdentifiers.of(**found)


def merged(*records: RecordIdentifiers | None) -> RecordIdentifiers:
    """Return the identifiers of several records together."""
    present = [record for record in records if record is not None]
    if len(present) == 1:
        return present[0]
    return RecordIdentifiers.of(
        names=[value for record in present for value in record.names],
        ids=[value for record in present for value in record.ids],
        dates=[value for record in present for value in record.dates],
        phones=[value for record in present for value in record.phones],
        emails=[value for record in present for value in record.emails],
        addresses=[value for record in present for value in record.addresses],
    )


def people_of(resource: object) -> list[str]:
    """Return the people whom a resource refers to anywhere: ``Type/id``, or the reference if that tells no type."""
    found: dict[str, None] = {}
    nodes = [resource]
    while nodes:
        node = nodes.pop()
        if isinstance(node, dict):
            reference = node.get("reference")
            if isinstance(reference, str) and (reference.startswith(_UUID) or _PERSON.fullmatch(reference)):
                found[_name(reference)] = None
            nodes += node.values()
        elif isinstance(node, list):
            nodes += node
    return list(found)


def bundle_people(bundle: Mapping[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield the people in a Bundle, each under every name that `people_of` has for a reference to them."""
    for entry in _as_list(bundle.get("entry")):
        resource = entry.get("resource")
        if isinstance(resource, dict) and resource.get("resourceType") in _PEOPLE:
            yield f"{resource['resourceType']}/{resource.get('id')}", resource
            yield _name(str(entry.get("fullUrl"))), resource


def bundle_patients(bundle: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield of every patient in a Bundle the URL by which the Bundle's resources refer to it, and its key."""
    for entry in _as_list(bundle.get("entry")):
        resource = entry.get("resource")
        if isinstance(resource, dict) and resource.get("resourceType") == "Patient":
            url = str(entry.get("fullUrl", ""))
            yield url, patient_key(resource) or url.removeprefix(_UUID)


class _Collector:
    def __init__(self, model: FhirModel, found: dict[str, list[object]]) -> None:
        self._model = model
        self._found = found

    def resource(self, resource: Mapping[str, Any], depth: int) -> None:
        resource_type = resource.get("resourceType")
        if isinstance(resource_type, str):
            self._fields(resource, resource_type, depth)

    def _fields(self, node: Mapping[str, Any], defined_at: str, depth: int) -> None:
        if depth > load_rules("fhir_paths")["limits"]["depth"]:
            return
        for key, value in node.items():
            if isinstance(value, (dict, list)):
                element = self._model.element(defined_at, key)
                for child in _as_list(value):
                    if element.kind is Kind.RESOURCE:
                        self.resource(child, depth + 1)
                    elif element.kind is Kind.COMPLEX:
                        self._collect(child, element.type)
                        self._fields(child, element.defined_at, depth + 1)
            elif key in ("birthDate", "deceasedDateTime"):
                self._found["dates"].append(value)
            elif key == "authorString":
                self._found["names"].append(value)

    def _collect(self, node: Mapping[str, Any], fhir_type: str) -> None:
        found = self._found
        if fhir_type == "HumanName":
            found["names"] += (" ".join(_strings(node, "given", "family")), *_strings(node, "text"))
        elif fhir_type == "Identifier":
            found["ids"] += _strings(node, "value")
        elif fhir_type == "Address":
            found["addresses"] += _strings(node, "line", "city", "district", "postalCode", "text")
        elif fhir_type == "ContactPoint":
            for value in _strings(node, "value"):
                found["emails" if "@" in value else "phones"].append(value)
        elif fhir_type == "Reference" and _is_person(node):
            found["names"] += _strings(node, "display")


def _is_person(reference: Mapping[str, Any]) -> bool:
    target, told = reference.get("reference"), reference.get("type")
    return (isinstance(target, str) and _PERSON.fullmatch(target) is not None) or (
        isinstance(told, str) and told in _PEOPLE
    )


def _name(reference: str) -> str:
    person = _PERSON.fullmatch(reference)
    return person[1] if person else reference


def _reached(node: Mapping[str, Any], path: str) -> Iterator[Mapping[str, Any]]:
    """Yield the objects at the end of a path, through lists."""
    name, _, rest = path.partition(".")
    for child in _as_list(node.get(name)):
        if rest:
            yield from _reached(child, rest)
        else:
            yield child


def _referenced(reference: Mapping[str, Any], field: str, aliases: Mapping[str, str]) -> str:
    target = reference.get("reference")
    if not isinstance(target, str):
        return ""
    if target in aliases:
        return aliases[target]
    match = _PATIENT.fullmatch(target)
    if match:
        return match[1]
    if target.startswith(_UUID) and (field in _ONLY_PATIENTS or reference.get("type") == "Patient"):
        return target.removeprefix(_UUID)
    return ""


def _strings(node: Mapping[str, Any], *keys: str) -> list[str]:
    values: list[Any] = []
    for key in keys:
        value = node.get(key)
        values += value if isinstance(value, list) else [value]
    return [value for value in values if isinstance(value, str)]


def _as_list(value: object) -> Iterator[dict[str, Any]]:
    """Yield the objects of a value that is one or a list of them."""
    for one in value if isinstance(value, list) else [value]:
        if isinstance(one, dict):
            yield one
