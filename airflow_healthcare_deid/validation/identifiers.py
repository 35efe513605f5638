"""The direct identifiers of a patient, taken from where DICOM and FHIR keep them."""

from __future__ import annotations

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
    "00080050": Kind.ID,  # AccessionNumber
    "00380010": Kind.ID,  # AdmissionID
    "00100030": Kind.BIRTH_DATE,  # PatientBirthDate
    "00102154": Kind.PHONE,  # PatientTelephoneNumbers
    "00101040": Kind.ADDRESS,  # PatientAddress
}
"""Where DICOM keeps a patient's direct identifiers."""


class Identifier(msgspec.Struct, frozen=True, order=True):
    """One identifier of one patient. It is patient data: it stays in memory and is never shown."""

    kind: Kind
    value: str

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
        for text in (value, *_short_names(homes[element.tag], value))
        if text.strip()
    )


def _short_names(kind: Kind, value: str) -> Iterator[str]:
    """Yield a person's name as people write it: without middle names, prefix and suffix (PS3.5, section 6.2.1)."""
    family, _, rest = value.partition("^")
    if kind is Kind.NAME and rest:
        yield f"{rest.partition('^')[0]} {family}"


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
        yield Identifier(Kind.NAME, name.get("text", ""))
    for identifier in patient.get("identifier", ()):
        yield Identifier(Kind.ID, identifier.get("value", ""))
    for contact in patient.get("telecom", ()):
        yield Identifier(Kind.PHONE, contact.get("value", ""))
    for address in patient.get("address", ()):
        for line in (*address.get("line", ()), address.get("text", "")):
            yield Identifier(Kind.ADDRESS, line or "")
    yield Identifier(Kind.BIRTH_DATE, patient.get("birthDate", ""))
