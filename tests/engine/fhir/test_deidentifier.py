from __future__ import annotations

import copy
import json
import pickle
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest

from airflow_healthcare_deid.config import (
    CharacterMaskConfig,
    CryptoHashConfig,
    DeidentifyConfig,
    FhirConfig,
    InfoTypeTransformation,
    TextConfig,
)
from airflow_healthcare_deid.engine.errors import UndecodableError
from airflow_healthcare_deid.engine.fhir import FhirDeidentifier, collect_record
from airflow_healthcare_deid.engine.keys import KeyRing
from demo.fhir_samples import make_sample

if TYPE_CHECKING:
    from collections.abc import Callable

    from airflow_healthcare_deid.engine.changes import Change

    Make = Callable[..., FhirDeidentifier]

MASK = TextConfig(additional_transformations=[InfoTypeTransformation(character_mask_config=CharacterMaskConfig())])
HASH = TextConfig(additional_transformations=[InfoTypeTransformation(crypto_hash_config=CryptoHashConfig())])
ABSENT = {"extension": [{"url": "http://hl7.org/fhir/StructureDefinition/data-absent-reason", "valueCode": "masked"}]}
HOW_TO_PATIENT: dict[str, Any] = {
    "resourceType": "Patient",
    "id": "p",
    "text": {
        "status": "generated",
        "div": '<div xmlns="http://www.w3.org/1999/xhtml">Darcy Smith, born 1980-12-05, female</div>',
    },
    "address": [
        {
            "city": "Anycity",
            "district": "Anydistrict",
            "line": ["123 Main Street"],
            "period": {"start": "1990-12-05"},
            "postalCode": "12345",
            "state": "CA",
            "text": "123 Main Street Anycity, Anydistrict, CA 12345",
            "type": "both",
            "use": "home",
        }
    ],
    "birthDate": "1980-12-05",
    "gender": "female",
    "name": [{"family": "Smith", "given": ["Darcy"], "use": "official"}],
}
"""The patient of Google's page "De-identifying FHIR data"."""


def changed(resource: dict[str, Any], **fields: Any) -> dict[str, Any]:
    return {key: fields.get(key, value) for key, value in resource.items() if fields.get(key, value) is not None}


# The example of Google's page; what Google's service makes of it is not published.


def test_example_transform_a_field(deidentifier: Make) -> None:
    new = deidentifier(("transform", "Patient.HumanName"), text=MASK).deidentify(HOW_TO_PATIENT)
    assert new == changed(HOW_TO_PATIENT, name=[{"family": "*****", "given": ["*****"], "use": "official"}])


def test_example_the_first_rule_wins(deidentifier: Make) -> None:
    rules = (("keep", "HumanName"), ("transform", "Patient.name", "Patient.Address.city"), ("keep", "Address.city"))
    new = deidentifier(*rules, text=MASK).deidentify(HOW_TO_PATIENT)
    assert new == changed(HOW_TO_PATIENT, address=[HOW_TO_PATIENT["address"][0] | {"city": "*******"}])


def test_example_inspect_the_narrative(deidentifier: Make) -> None:
    new = deidentifier(("inspect", "Xhtml")).deidentify(HOW_TO_PATIENT)
    moved = deidentifier(("transform", "birthDate")).deidentify(HOW_TO_PATIENT)["birthDate"]
    div = f'<div xmlns="http://www.w3.org/1999/xhtml">[PERSON_NAME], born {moved}, female</div>'
    assert new == changed(HOW_TO_PATIENT, text={"status": "generated", "div": div})


def test_example_default_profile(deidentifier: Make) -> None:
    new = deidentifier().deidentify(HOW_TO_PATIENT)
    born, moved_in = new["birthDate"], new["address"][0]["period"]["start"]
    assert born[4:] == "-" + born[5:] != HOW_TO_PATIENT["birthDate"][4:]
    assert new == changed(
        HOW_TO_PATIENT,
        text={
            "status": "generated",
            "div": f'<div xmlns="http://www.w3.org/1999/xhtml">[PERSON_NAME], born {born}, female</div>',
        },
        address=[{"period": {"start": moved_in}, "state": "CA", "type": "both", "use": "home"}],
        birthDate=born,
        name=[{"use": "official"}],
    )


def test_the_input_stays_and_the_order_of_fields_too(deidentifier: Make) -> None:
    source = make_sample(1).bundle()
    before = copy.deepcopy(source)
    new = deidentifier().deidentify(source)
    assert source == before
    assert [list(one["resource"]) for one in new["entry"]] == [
        [key for key in one["resource"] if key in new_one["resource"]]
        for one, new_one in zip(source["entry"], new["entry"], strict=True)
    ]


def test_numbers_keep_their_type(deidentifier: Make) -> None:
    text = '{"resourceType": "Observation", "status": "final", "code": {}, "valueQuantity": {"value": 1.50}}'
    new = deidentifier().deidentify(json.loads(text, parse_float=Decimal))
    assert str(new["valueQuantity"]["value"]) == "1.50"


@pytest.mark.parametrize("action", ["keep", "unspecified"])
def test_rules_that_transform_nothing(deidentifier: Make, action: str) -> None:
    bundle = make_sample(2).bundle()
    assert deidentifier((action, "Patient"), keep_extensions=True).deidentify(bundle) == bundle


def test_fields_that_no_rule_names_pass(deidentifier: Make) -> None:
    patient = make_sample(2).patient
    new = deidentifier(("transform", "Practitioner.name"), keep_extensions=True).deidentify(patient)
    assert new == patient
    assert new["name"] is patient["name"]


def test_a_path_on_a_complex_type_reaches_its_content_and_not_its_structure(deidentifier: Make) -> None:
    new = deidentifier(("transform", "Patient.Address", "ContactPoint"), text=MASK).deidentify(
        HOW_TO_PATIENT | {"telecom": [{"system": "phone", "use": "home", "rank": 1, "value": "555"}]}
    )
    assert new["address"] == [
        {
            "city": "*******",
            "district": "***********",
            "line": ["***************"],
            "postalCode": "*****",
            "state": "**",
            "text": "*" * 46,
            "type": "both",
            "use": "home",
        }
    ]
    assert new["telecom"] == [{"system": "phone", "use": "home", "rank": 1, "value": "***"}]


def test_choices_are_named_by_two_components(deidentifier: Make) -> None:
    condition = {"resourceType": "Condition", "id": "c", "onsetAge": {"value": 50, "unit": "years", "code": "a"}}
    new = deidentifier(("transform", "Onset.Age.unit"), text=MASK).deidentify(condition)
    assert new["onsetAge"] == {"value": 50, "unit": "*****", "code": "a"}


def test_a_telephone_number_and_an_address_of_mail_differ(deidentifier: Make) -> None:
    telecom = [{"system": "phone", "value": "555-1234"}, {"system": "email", "value": "a@b.org"}, {"value": "?"}]
    new = deidentifier(("inspect", "ContactPoint.value")).deidentify({"resourceType": "Patient", "telecom": telecom})
    assert [one["value"] for one in new["telecom"]] == ["[PHONE_NUMBER]", "[EMAIL_ADDRESS]", "[PHONE_NUMBER]"]


@pytest.mark.parametrize("action", ["transform", "inspect"])
def test_base64_is_removed(deidentifier: Make, action: str) -> None:
    photo = [{"contentType": "image/png", "data": "AAAA"}]
    new = deidentifier((action, "Base64Binary")).deidentify({"resourceType": "Patient", "photo": photo})
    assert new["photo"] == [{"contentType": "image/png"}]


@pytest.mark.parametrize("action", ["inspect"])
def test_what_cannot_be_searched_passes(deidentifier: Make, action: str) -> None:
    patient = {"resourceType": "Patient", "active": True, "gender": "other", "multipleBirthInteger": 2}
    assert deidentifier((action, "Patient")).deidentify(patient) == patient


def test_the_record_of_the_patient_is_looked_for_in_other_resources(deidentifier: Make) -> None:
    sample = make_sample(4)
    observation = {"resourceType": "Observation", "id": "o", "valueString": f"{sample.person.family} is better"}
    inspect = deidentifier(("inspect", "String"))
    assert inspect.deidentify(observation) == observation
    new = inspect.deidentify(observation, record=collect_record(sample.patient))
    assert new["valueString"] == "[PERSON_NAME] is better"


def test_in_a_bundle_the_record_is_found_there(deidentifier: Make) -> None:
    uuid = "urn:uuid:0c3151bd-1cbf-4d64-b04d-cd9187a4c6e0"
    observation = {
        "resourceType": "Observation",
        "subject": {"reference": uuid},
        "valueString": "Smith is better",
        "effectiveDateTime": "1980-12-05",
    }
    bundle = {
        "resourceType": "Bundle",
        "type": "transaction",
        "entry": [{"resource": observation}, {"fullUrl": uuid, "resource": HOW_TO_PATIENT}],
    }
    new = deidentifier(("inspect", "String", "DateTime", "Date")).deidentify(bundle)
    assert new["entry"][0]["resource"]["valueString"] == "[PERSON_NAME] is better"
    assert new["entry"][0]["resource"]["effectiveDateTime"] == new["entry"][1]["resource"]["birthDate"]


def test_in_a_bundle_everybody_whom_a_resource_refers_to_is_looked_for(deidentifier: Make) -> None:
    appointment = {
        "resourceType": "Appointment",
        "description": "Smith with Quandt, not with Roe",
        "participant": [
            {"actor": {"reference": "https://x.org/fhir/Practitioner/q"}},
            {"actor": {"reference": "Patient/example"}},
        ],
    }
    people = [
        {**HOW_TO_PATIENT, "id": "example"},
        {"resourceType": "Practitioner", "id": "q", "name": [{"family": "Quandt"}]},
        {"resourceType": "Practitioner", "id": "r", "name": [{"family": "Roe"}]},
    ]
    bundle = {
        "resourceType": "Bundle",
        "type": "collection",
        "entry": [{"resource": resource} for resource in (appointment, *people)],
    }
    new = deidentifier(("inspect", "Appointment.description")).deidentify(bundle)
    assert new["entry"][0]["resource"]["description"] == "[PERSON_NAME] with [PERSON_NAME], not with Roe"


def test_removed_list_entries_go_with_their_twins(deidentifier: Make) -> None:
    name: dict[str, Any] = {
        "given": ["", "Mary", "Jane"],
        "_given": [{"id": "a"}, None, {"id": "c", "extension": [{"url": "u", "valueString": "x"}]}],
    }
    patient = {"resourceType": "Patient", "name": [name]}
    assert deidentifier(("transform", "given")).deidentify(patient) == {"resourceType": "Patient"}
    new = deidentifier(("keep", "extension"), ("transform", "given")).deidentify(patient)
    assert new["name"] == [{"_given": [name["_given"][2]]}]
    kept = deidentifier(("transform", "family")).deidentify(patient)
    assert kept["name"] == [{"given": ["", "Mary", "Jane"], "_given": [{"id": "a"}, None, {"id": "c"}]}]


@pytest.mark.parametrize(
    ("resource", "path", "result"),
    [
        (
            {"resourceType": "Observation", "note": [{"text": "x", "time": "2020"}, {"text": "y"}]},
            "Annotation.text",
            {"resourceType": "Observation", "note": [{"_text": ABSENT, "time": "2020"}]},
        ),
        (
            {"resourceType": "Immunization", "occurrenceString": "x"},
            "Occurrence.String",
            {"resourceType": "Immunization", "_occurrenceString": ABSENT},
        ),
        (
            {"resourceType": "DocumentReference", "content": [{"attachment": {"title": "x"}, "format": {"code": "y"}}]},
            "Attachment",
            {"resourceType": "DocumentReference", "content": [{"attachment": ABSENT, "format": {"code": "y"}}]},
        ),
        (
            {"resourceType": "DocumentReference", "content": [{"attachment": {"title": "x"}}]},
            "Attachment",
            {"resourceType": "DocumentReference", "content": [ABSENT]},
        ),
        (
            {"resourceType": "Location", "position": {"longitude": Decimal("1.5"), "latitude": 2}},
            "position",
            {"resourceType": "Location"},
        ),
    ],
)
def test_what_fhir_requires_is_marked_as_masked(
    deidentifier: Make, resource: dict[str, Any], path: str, result: dict[str, Any]
) -> None:
    assert deidentifier(("transform", path)).deidentify(resource) == result


def test_a_narrative_that_cannot_be_read_goes(deidentifier: Make) -> None:
    patient = HOW_TO_PATIENT | {"text": {"status": "generated", "div": "<!DOCTYPE x><div>Darcy</div>"}}
    for action in ("inspect", "transform"):
        assert "text" not in deidentifier((action, "Xhtml")).deidentify(patient)


# What an observer hears.


def test_the_observer_hears_of_every_change(deidentifier: Make) -> None:
    heard: list[Change] = []
    deidentifier(("transform", "name.family", "birthDate"), ("inspect", "name.given")).deidentify(
        HOW_TO_PATIENT | {"extension": [{"url": "u", "valueString": "x"}]}, heard.append
    )
    assert [(one.path, one.action, one.rule, one.info_type) for one in heard] == [
        ("Patient.birthDate", "date_shift", "fhir.fieldMetadataList[0]", "DATE_OF_BIRTH"),
        ("Patient.name[0].family", "redact", "fhir.fieldMetadataList[0]", "PERSON_NAME"),
        ("Patient.name[0].given[0]", "replace_with_info_type", "fhir.fieldMetadataList[1]", "PERSON_NAME"),
        ("Patient.extension", "remove", "fhir.defaultKeepExtensions", None),
    ]
    assert (heard[2].before, heard[2].after) == ("Darcy", "[PERSON_NAME]")


# What cannot be processed.


@pytest.mark.parametrize(
    "resource",
    [
        [],
        {},
        {"resourceType": "HumanName"},
        {"resourceType": ["Patient"]},
        {"resourceType": "Patient", "name": "Doe"},
        {"resourceType": "Patient", "name": [["Doe"]]},
        {"resourceType": "Patient", "birthDate": {"value": "Doe"}},
        {"resourceType": "Patient", "gender": [{"value": "Doe"}]},
        {"resourceType": "Patient", "contained": [{"name": "Doe"}]},
        {"resourceType": "Bundle", "entry": [{"resource": "Doe"}]},
        {"resourceType": "Patient", "subject": 1, "contained": 1},
    ],
)
def test_a_malformed_resource_is_undecodable_and_its_values_are_not_told(deidentifier: Make, resource: Any) -> None:
    for rules in ((), (("transform", "Patient"),)):
        with pytest.raises(UndecodableError) as caught:
            deidentifier(*rules, keep_extensions=True).deidentify(resource)
        assert "Doe" not in str(caught.value)


def test_depth_is_bounded(deidentifier: Make) -> None:
    extension: dict[str, Any] = {"url": "u"}
    for _ in range(100_000):
        extension = {"url": "u", "extension": [extension]}
    patient = {"resourceType": "Patient", "extension": [extension]}
    with pytest.raises(UndecodableError, match="nested deeper than 64"):
        deidentifier(("transform", "birthDate"), keep_extensions=True).deidentify(patient)
    while "extension" in extension:  # a destructor that recursed this deep would end the process
        extension = extension.pop("extension")[0]


def test_unknown_fields(deidentifier: Make) -> None:
    patient = {"resourceType": "Patient", "id": "p", "shoe": {"size": "Doe"}, "_shoe": {"id": "1"}}
    assert deidentifier().deidentify(patient) == {"resourceType": "Patient", "id": "p"}
    assert deidentifier(("keep", "Patient.name")).deidentify(patient) == patient
    new = deidentifier(("transform", "Patient.shoe")).deidentify(patient)
    assert new == {"resourceType": "Patient", "id": "p"}


def test_dstu2(deidentifier: Make) -> None:
    patient = {
        "resourceType": "Patient",
        "id": "p",
        "fhir_comments": ["about Smith"],
        "name": [{"use": "usual", "family": ["Smith"]}],
        "careProvider": [{"reference": "Practitioner/1", "display": "Dr. Roe"}],
    }
    assert deidentifier(version="DSTU2").deidentify(patient) == {
        "resourceType": "Patient",
        "id": "p",
        "name": [{"use": "usual"}],
        "careProvider": [{"reference": "Practitioner/1"}],
    }


def test_a_copy_in_another_process_does_the_same() -> None:
    original = FhirDeidentifier(DeidentifyConfig(fhir=FhirConfig()), KeyRing())
    copied = pickle.loads(pickle.dumps(original))
    bundle = make_sample(1).bundle()
    assert copied.deidentify(bundle) == original.deidentify(bundle)
