"""Invented FHIR resources of one patient, with a list of everything in them that identifies her.

Deterministic: the same seed gives the same resources. Ids of resources identify nobody.
"""

from __future__ import annotations

import base64
import random
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, Literal, TypeAlias

Resource: TypeAlias = dict[str, Any]
Version: TypeAlias = Literal["STU3", "R4"]

_FAMILIES = ("Okonkwo", "Lindqvist", "Marchetti", "Vasquez", "Haverford", "Szymanski", "Delacroix", "Thorvald")
_GIVEN = ("Wilhelmina", "Anneliese", "Rosalind", "Guadalupe", "Thessaly", "Evangeline", "Ottoline", "Marisol")
_STREETS = ("Quarrystone Lane", "Bellweather Road", "Old Tannery Street", "Foxglove Avenue")
_CITIES = ("Ashbrooke", "Port Wendell", "Kilbourne", "Saint Averil")
_STATES = ("OH", "OR", "ME", "NM")
_XHTML = "http://www.w3.org/1999/xhtml"
_LOINC = "http://loinc.org"


@dataclass(frozen=True)
class Person:
    """Who the invented patient is; every field but the state identifies her."""

    family: str
    given: str
    maiden: str
    relative: str
    doctor: str
    born: date
    seen: date
    street: str
    city: str
    postal_code: str
    state: str
    phone: str
    email: str
    record_number: str
    social_security_number: str

    @property
    def name(self) -> str:
        """Given and family name."""
        return f"{self.given} {self.family}"

    def identifiers(self) -> tuple[str, ...]:
        """Return the strings that must not be found in a de-identified resource."""
        return (
            self.family,
            self.given,
            self.maiden,
            self.relative,
            self.doctor,
            self.born.isoformat(),
            self.seen.isoformat(),
            self.street,
            self.city,
            self.postal_code,
            self.phone,
            self.email,
            self.record_number,
            self.social_security_number,
        )


@dataclass(frozen=True)
class PatientSample:
    """One patient's resources.

    :param version: the FHIR version they are of.
    :param person: whose they are.
    :param patient: the Patient.
    :param others: the resources that refer to her.
    """

    version: Version
    person: Person
    patient: Resource
    others: tuple[Resource, ...]

    @property
    def resources(self) -> tuple[Resource, ...]:
        """All of them, the Patient first."""
        return (self.patient, *self.others)

    def bundle(self, kind: str = "collection") -> Resource:
        """Return them in a Bundle: a ``collection``, or a ``batch`` or ``transaction`` that puts them."""
        entries: list[Resource] = []
        for resource in self.resources:
            address = f"{resource['resourceType']}/{resource['id']}"
            entry: Resource = {"fullUrl": f"https://fhir.example.org/{address}", "resource": resource}
            if kind in ("batch", "transaction"):
                entry["request"] = {"method": "PUT", "url": address}
            entries.append(entry)
        return {"resourceType": "Bundle", "id": f"bundle-{self.patient['id']}", "type": kind, "entry": entries}


def make_person(seed: int) -> Person:
    """Return an invented person."""
    rng = random.Random(seed)  # noqa: S311 - invents data, not secrets
    families = rng.sample(_FAMILIES, 4)
    given = rng.choice(_GIVEN)
    return Person(
        family=families[0],
        given=given,
        maiden=families[1],
        relative=families[2],
        doctor=families[3],
        born=date(1935, 1, 1) + timedelta(days=rng.randrange(25_000)),
        seen=date(2019, 1, 1) + timedelta(days=rng.randrange(1_500)),
        street=f"{rng.randrange(10, 9000)} {rng.choice(_STREETS)}",
        city=rng.choice(_CITIES),
        postal_code=f"{rng.randrange(10_000, 99_999)}",
        state=rng.choice(_STATES),
        phone=f"({rng.randrange(201, 989)}) 555-{rng.randrange(1000, 9999)}",
        email=f"{given.lower()}{rng.randrange(100, 999)}@example.com",
        record_number=f"MRN{rng.randrange(1_000_000, 9_999_999)}",
        social_security_number=f"{rng.randrange(100, 665)}-{rng.randrange(10, 99)}-{rng.randrange(1000, 9999)}",
    )


def make_sample(seed: int = 0, version: Version = "R4") -> PatientSample:
    """Return a patient with an encounter, observations, a document and a practitioner."""
    person = make_person(seed)
    return PatientSample(
        version,
        person,
        _patient(seed, person, version),
        (
            _practitioner(seed, person),
            _encounter(seed, person),
            _observation(seed, person, version),
            _weight(seed, person),
            _document(seed, person, version),
            _questionnaire_response(seed, person),
        ),
    )


def make_samples(count: int, version: Version = "R4", first_seed: int = 0) -> list[PatientSample]:
    """Return some patients."""
    return [make_sample(seed, version) for seed in range(first_seed, first_seed + count)]


def _patient(seed: int, person: Person, version: Version) -> Resource:
    patient: Resource = {
        "resourceType": "Patient",
        "id": f"patient-{seed}",
        "meta": {
            "versionId": "1",
            "lastUpdated": "2024-05-06T07:08:09.123Z",
            "profile": ["http://example.org/profile"],
        },
        "text": _narrative(
            f"<p title='Chart of {person.name}'><b>{person.given}</b> <i>{person.family}</i> &amp; family</p>"
            f"<table><tr><td>DOB</td><td>{person.born.isoformat()}</td></tr>"
            f"<tr><td>Phone</td><td>{person.phone}</td></tr><tr><td>MRN</td><td>{person.record_number}</td></tr></table>"
            f'<p><a href="mailto:{person.email}">write</a>, {person.street}, {person.city} {person.postal_code}</p>'
        ),
        "contained": [
            {
                "resourceType": "RelatedPerson",
                "id": "sister",
                "patient": {"reference": f"Patient/patient-{seed}"},
                "name": [{"family": person.relative, "given": [person.given]}],
                "telecom": [{"system": "phone", "value": person.phone}],
            }
        ],
        "extension": [
            {"url": "http://hl7.org/fhir/StructureDefinition/patient-mothersMaidenName", "valueString": person.maiden},
            {
                "url": "http://hl7.org/fhir/StructureDefinition/patient-birthPlace",
                "valueAddress": {"city": person.city, "state": person.state},
            },
            {
                "url": "http://example.org/nested",
                "extension": [{"url": "text", "valueString": f"formerly {person.maiden}"}],
            },
        ],
        "identifier": [
            {"use": "usual", "system": "http://hospital.example.org/mrn", "value": person.record_number},
            {"system": "http://hl7.org/fhir/sid/us-ssn", "value": person.social_security_number},
        ],
        "active": True,
        "name": [
            {
                "use": "official",
                "family": person.family,
                "_family": {
                    "extension": [
                        {
                            "url": "http://hl7.org/fhir/StructureDefinition/humanname-own-name",
                            "valueString": person.maiden,
                        }
                    ]
                },
                "given": [person.given, person.maiden],
                "_given": [None, {"id": "middle"}],
            },
            {"use": "maiden", "text": f"{person.given} {person.maiden}"},
        ],
        "telecom": [
            {"system": "phone", "value": person.phone, "use": "home", "rank": 1},
            {"system": "email", "value": person.email},
        ],
        "gender": "female",
        "birthDate": person.born.isoformat(),
        "_birthDate": {
            "extension": [
                {
                    "url": "http://hl7.org/fhir/StructureDefinition/patient-birthTime",
                    "valueDateTime": f"{person.born.isoformat()}T06:30:00Z",
                }
            ]
        },
        "deceasedBoolean": False,
        "address": [
            {
                "use": "home",
                "line": [person.street],
                "city": person.city,
                "state": person.state,
                "postalCode": person.postal_code,
                "period": {"start": person.seen.isoformat()},
            }
        ],
        "maritalStatus": {"text": "Married"},
        "photo": [{"contentType": "image/png", "data": _base64(person.name), "title": f"{person.name}, portrait"}],
        "contact": [
            {
                "relationship": [{"text": "sister"}],
                "name": {"family": person.relative},
                "telecom": [{"system": "phone", "value": person.phone}],
            }
        ],
        "generalPractitioner": [{"reference": f"Practitioner/practitioner-{seed}", "display": f"Dr. {person.doctor}"}],
        "link": [{"other": {"reference": "#sister"}, "type": "seealso"}],
    }
    if version == "STU3":
        patient["animal"] = {"species": {"text": "none"}}
    return patient


def _practitioner(seed: int, person: Person) -> Resource:
    return {
        "resourceType": "Practitioner",
        "id": f"practitioner-{seed}",
        "text": _narrative(f"<p>Dr. {person.doctor}</p>"),
        "name": [{"family": person.doctor, "prefix": ["Dr."]}],
    }


def _encounter(seed: int, person: Person) -> Resource:
    return {
        "resourceType": "Encounter",
        "id": f"encounter-{seed}",
        "status": "finished",
        "class": {"system": "http://terminology.hl7.org/CodeSystem/v3-ActCode", "code": "AMB"},
        "subject": {"reference": f"Patient/patient-{seed}", "display": person.name},
        "participant": [{"individual": {"reference": f"Practitioner/practitioner-{seed}", "display": person.doctor}}],
        "period": {"start": f"{person.seen.isoformat()}T09:15:00+01:00", "end": f"{person.seen.isoformat()}T10:00:00Z"},
        "location": [{"location": {"display": f"Clinic of {person.city}"}}],
    }


def _observation(seed: int, person: Person, version: Version) -> Resource:
    comment = f"{person.name} ({person.record_number}) was seen on {person.seen.isoformat()}; call {person.phone}."
    observation: Resource = {
        "resourceType": "Observation",
        "id": f"observation-{seed}",
        "text": _narrative(f"<p>Result of <b>{person.given}</b> {person.family}</p>"),
        "status": "final",
        "code": {"coding": [{"system": _LOINC, "code": "8716-3", "display": "Vital signs"}], "text": "Vital signs"},
        "subject": {"reference": f"Patient/patient-{seed}", "display": person.name},
        "effectiveDateTime": person.seen.isoformat(),
        "issued": f"{person.seen.isoformat()}T11:12:13.456+02:00",
        "performer": [{"reference": f"Practitioner/practitioner-{seed}", "display": f"Dr. {person.doctor}"}],
        "valueString": f"Mrs. {person.family} feels well",
    }
    if version == "STU3":
        observation["comment"] = comment
    else:
        observation["note"] = [{"authorString": person.doctor, "time": f"{person.seen.isoformat()}T12:00:00Z"}]
        observation["note"][0]["text"] = comment
    return observation


def _weight(seed: int, person: Person) -> Resource:
    return {
        "resourceType": "Observation",
        "id": f"weight-{seed}",
        "status": "final",
        "code": {"coding": [{"system": _LOINC, "code": "29463-7", "display": "Body weight"}]},
        "subject": {"reference": f"Patient/patient-{seed}"},
        "effectivePeriod": {"start": f"{person.seen:%Y-%m}", "end": f"{person.seen:%Y}"},
        "valueQuantity": {"value": 70.25, "unit": "kg", "system": "http://unitsofmeasure.org", "code": "kg"},
    }


def _document(seed: int, person: Person, version: Version) -> Resource:
    instant = f"{person.seen.isoformat()}T08:00:00Z"
    document: Resource = {
        "resourceType": "DocumentReference",
        "id": f"document-{seed}",
        "status": "current",
        "type": {"text": "Discharge summary"},
        "subject": {"reference": f"Patient/patient-{seed}"},
        "description": f"Letter to {person.name}, {person.street}, {person.city}",
        "content": [
            {
                "attachment": {
                    "contentType": "text/plain",
                    "data": _base64(f"Dear {person.name}"),
                    "url": f"https://files.example.org/{person.record_number}.txt",
                    "title": f"{person.family}.txt",
                    "creation": instant,
                }
            },
            {"attachment": {"data": _base64(person.record_number)}},
        ],
    }
    document["indexed" if version == "STU3" else "date"] = instant
    return document


def _questionnaire_response(seed: int, person: Person) -> Resource:
    return {
        "resourceType": "QuestionnaireResponse",
        "id": f"answers-{seed}",
        "status": "completed",
        "subject": {"reference": f"Patient/patient-{seed}"},
        "authored": person.seen.isoformat(),
        "item": [
            {
                "linkId": "1",
                "text": "About you",
                "item": [
                    {"linkId": "1.1", "text": "Name", "answer": [{"valueString": person.name}]},
                    {"linkId": "1.2", "text": "Born", "answer": [{"valueDate": person.born.isoformat()}]},
                    {"linkId": "1.3", "text": "E-mail", "answer": [{"valueUri": f"mailto:{person.email}"}]},
                ],
            }
        ],
    }


def _narrative(body: str) -> Resource:
    return {"status": "generated", "div": f'<div xmlns="{_XHTML}">{body}</div>'}


def _base64(text: str) -> str:
    return base64.b64encode(text.encode()).decode()
