from __future__ import annotations

import json

from demo import records
from demo.fhir_samples import make_samples
from demo.storage import StoredFile

PATIENTS = make_samples(2)


def lines(*resources: object) -> StoredFile:
    return StoredFile("records/Patient.ndjson", "\n".join(map(json.dumps, resources)).encode())


def test_an_identifier_is_found_at_any_depth_in_any_case_and_in_a_narrative() -> None:
    family = PATIENTS[1].person.family
    file = lines({"contact": [{"name": {"family": family.upper()}}]}, {"text": {"div": f"<p>{family}</p>"}})
    assert records.leaks(records.identifiers(PATIENTS), [file]) == {file.name: 2}


def test_a_report_is_searched_too() -> None:
    file = StoredFile("validation.json", json.dumps({"note": PATIENTS[0].person.record_number}, indent=2).encode())
    assert records.leaks(records.identifiers(PATIENTS), [file]) == {file.name: 1}


def test_a_part_of_another_word_is_no_identifier() -> None:
    file = lines({"note": f"x{PATIENTS[0].person.family}y"})
    assert not records.leaks(records.identifiers(PATIENTS), [file])


def test_a_date_counts_in_the_records_of_its_own_patient_only() -> None:
    day = PATIENTS[0].person.seen.isoformat()
    own, other = ({"resourceType": "Patient", "id": patient.patient["id"], "note": day} for patient in PATIENTS)
    assert day not in records.identifiers(PATIENTS)
    assert records.kept_dates(PATIENTS, [own]) == {"Patient": 1}
    assert not records.kept_dates(PATIENTS, [other])


def test_every_resource_of_the_source_holds_what_is_searched_for() -> None:
    resources = [resource for patient in PATIENTS for resource in patient.resources]
    assert records.leaks(records.identifiers(PATIENTS), [lines(*resources)])
    assert records.kept_dates(PATIENTS, resources)


def test_rows_show_the_first_value_without_its_tags() -> None:
    after = {
        "id": "1",
        "name": [{"use": "official"}],
        "text": {"status": "generated", "div": "<p>A &amp; <b>B</b></p>"},
    }
    rows = {field: (before, became) for field, before, became in records.rows(PATIENTS[0].patient, after)}
    person = PATIENTS[0].person
    assert rows["name"] == (f"{person.family} {person.given} {person.maiden}", "(empty)")
    assert rows["birthDate"] == (person.born.isoformat(), "(absent)")
    assert rows["text"][1] == "A & B"
