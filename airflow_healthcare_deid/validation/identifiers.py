"""The direct identifiers of a patient, taken from where DICOM and FHIR keep them."""

from __future__ import annotations

import re
from enum import StrEnum
from typing import TYPE_CHECKING

import msgspec

from airflow_healthcare_deid.validation.dicom_json import walk

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from airflow_healthcare_deid.validation.sides import DicomJson, FhirJson


class Kind(StrEnum):
    """Kinds of direct identifiers."""

    NAME = "name"
    ID = "id"
    BIRTH_DATE = "birth date"
    PHONE = "phone or e-mail"
    ADDRESS = "address"


DICOM_HOMES: Mapping[str, Kind] = {
    "00100010": Kind.NAME,  # PatientName
    "00101001": Kind.NAME,  # OtherPatientNames
    "00101005": Kind.NAME,  # PatientBirthName
    "00101060": Kind.NAME,  # PatientMotherBirthName
    "00100020": Kind.ID,  # PatientID
    "00101000": Kind.ID,  # OtherPatientIDs
    "00101090": Kind.ID,  # MedicalRecordLocator
    "00080050": Kind.ID,  # AccessionNumber
    "00402016": Kind.ID,  # PlacerOrderNumberImagingServiceRequest
    "00402017": Kind.ID,  # FillerOrderNumberImagingServiceRequest
    "00380010": Kind.ID,  # AdmissionID
    "00380060": Kind.ID,  # ServiceEpisodeID
    "00100030": Kind.BIRTH_DATE,  # PatientBirthDate
    "00102154": Kind.PHONE,  # PatientTelephoneNumbers
    "00101040": Kind.ADDRESS,  # PatientAddress
}
"""Where DICOM keeps a patient's direct identifiers."""

FHIR_HOMES: Mapping[str, Kind] = {
    "name": Kind.NAME,
    "identifier": Kind.ID,
    "birthDate": Kind.BIRTH_DATE,
    "_birthDate": Kind.BIRTH_DATE,
    "telecom": Kind.PHONE,
    "address": Kind.ADDRESS,
}
"""Fields in which a FHIR Patient resource keeps them."""


class Identifier(msgspec.Struct, frozen=True, order=True):
    """One identifier of one patient. It is patient data: it stays in memory and is never shown.

    :param owner: whose it is, where it counts in this patient's texts only; else empty.
    """

    kind: Kind
    value: str
    owner: str = ""

    def __repr__(self) -> str:
        return f"Identifier({self.kind})"


def of_dicom(instance: DicomJson, homes: Mapping[str, Kind] = DICOM_HOMES) -> frozenset[Identifier]:
    """Collect a patient's identifiers from one instance, nested ones included.

    :param homes: the elements to take them from.
    """
    return frozenset(
        Identifier(homes[element.tag], text)
        for element in walk(instance)
        if element.tag in homes
        for value in element.texts
        for text in _DICOM_PARTS.get(homes[element.tag], _whole)(value)
        if text.strip()
    )


def _whole(value: str) -> Iterator[str]:
    yield value


def _dicom_names(value: str) -> Iterator[str]:
    """Yield a person's name without prefix and suffix, and as people write it (PS3.5, section 6.2.1)."""
    family, given, *middle = [*value.split("^"), ""][:3]
    yield " ".join((family, given, *middle))
    if given and any(middle):
        yield f"{family} {given}"


def _dicom_addresses(value: str) -> Iterator[str]:
    """Yield an address, and what is part of it and tells it: a street with its number, a town with its code."""
    yield value
    for part in re.split(r"[\^,;\r\n]+", value):
        if any(c.isdigit() for c in part) and any(c.isalpha() for c in part):
            yield part


_DICOM_PARTS = {Kind.NAME: _dicom_names, Kind.ADDRESS: _dicom_addresses}


def of_patient(patient: FhirJson, kinds: Iterable[Kind] = tuple(Kind)) -> frozenset[Identifier]:
    """Collect the identifiers of a FHIR Patient resource.

    :param kinds: the kinds to collect.
    """
    wanted = set(kinds)
    return frozenset(i for i in _of_patient(patient) if i.kind in wanted and i.value.strip())


def _of_patient(patient: FhirJson) -> Iterator[Identifier]:
    for name in patient.get("name", ()):
        given = [part for part in name.get("given", ()) if isinstance(part, str)]
        family = name.get("family", "")
        # STU3 and later have one family name, DSTU2 a list of them.
        family = " ".join(family) if isinstance(family, list) else family or ""
        for parts in (given, *([part] for part in given)):
            yield Identifier(Kind.NAME, " ".join([*parts, family]))
        yield Identifier(Kind.NAME, name.get("text") or "")
    for identifier in patient.get("identifier", ()):
        yield Identifier(Kind.ID, identifier.get("value") or "")
    for contact in patient.get("telecom", ()):
        yield Identifier(Kind.PHONE, contact.get("value") or "")
    for address in patient.get("address", ()):
        city, state, code = (address.get(field) or "" for field in ("city", "state", "postalCode"))
        lines = [line for line in address.get("line", ()) if line]
        towns = {city, code, *(f"{one} {other}" for one, other in ((city, code), (code, city)) if city and code)}
        for text in (*lines, *towns, f"{city} {state} {code}" if city and code else "", address.get("text") or ""):
            yield Identifier(Kind.ADDRESS, text)
    # Dates that were moved may fall on other patients' birth dates.
    yield Identifier(Kind.BIRTH_DATE, patient.get("birthDate") or "", str(patient.get("id")))
