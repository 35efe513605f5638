from __future__ import annotations

import contextlib
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_healthcare_deid.emulator.fhir.outcome import FhirError
from airflow_healthcare_deid.emulator.fhir.primitives import fault_of
from airflow_healthcare_deid.emulator.fhir.validation import check_resource, check_xhtml
from airflow_healthcare_deid.emulator.fhir.versions import FhirVersion, resource_types

DIV = "http://www.w3.org/1999/xhtml"


@pytest.mark.parametrize(
    ("resource", "version"),
    [
        ({"resourceType": "Patient", "name": [{"given": ["a", None], "_given": [None, {"id": "x"}]}]}, FhirVersion.R4),
        ({"resourceType": "Patient", "birthDate": "2000", "_birthDate": {"extension": [{"url": "u"}]}}, FhirVersion.R4),
        ({"resourceType": "Patient", "contained": [{"resourceType": "Practitioner", "id": "p"}]}, FhirVersion.STU3),
        ({"resourceType": "Questionnaire", "item": [{"item": [{"item": [{"linkId": "1"}]}]}]}, FhirVersion.R4),
        ({"resourceType": "Observation", "component": [{"referenceRange": [{"low": {"value": 1}}]}]}, FhirVersion.R4),
        ({"resourceType": "Patient", "animal": {"species": {"text": "cat"}}}, FhirVersion.STU3),
        ({"resourceType": "MedicationOrder", "status": "active"}, FhirVersion.DSTU2),
        ({"resourceType": "Patient", "text": {"div": f'<div xmlns="{DIV}">a&nbsp;b</div>'}}, FhirVersion.R4),
    ],
)
def test_resources_of_the_version_pass(resource: dict[str, Any], version: FhirVersion) -> None:
    assert check_resource(resource, version) is resource


@pytest.mark.parametrize(
    ("resource", "message"),
    [
        ([], "not a JSON object"),
        ({}, "unsupported resource type"),
        ({"resourceType": "Parameters"}, "unsupported resource type"),
        ({"resourceType": "Patient", "animal": {}}, "Patient: has an element"),
        ({"resourceType": "Patient", "name": [{"familie": "x"}]}, "Patient.name: has an element"),
        ({"resourceType": "Patient", "_name": {}}, "Patient: has an element"),
        ({"resourceType": "Patient", "name": []}, "Patient.name: an array may not be empty"),
        ({"resourceType": "Patient", "name": [{}]}, "not an empty one"),
        ({"resourceType": "Patient", "name": None}, "must be an object"),
        ({"resourceType": "Patient", "gender": ""}, "may not be empty"),
        ({"resourceType": "Patient", "gender": None}, "wrong JSON type"),
        ({"resourceType": "Patient", "birthDate": "5 December 1980"}, "Patient.birthDate: is no date"),
        ({"resourceType": "Patient", "multipleBirthInteger": True}, "wrong JSON type"),
        ({"resourceType": "Patient", "id": "a b"}, "Patient.id"),
        ({"resourceType": "Patient", "contained": [{"resourceType": "Potion"}]}, "must be a resource"),
        ({"resourceType": "Patient", "text": {"div": "<p/>"}}, "one div element"),
    ],
)
def test_faults_name_the_element(resource: Any, message: str) -> None:
    with pytest.raises(FhirError, match=message) as refused:
        check_resource(resource, FhirVersion.R4)
    assert refused.value.status == 400


_UUID = "urn:uuid:0c3151bd-1cbf-4d64-b04d-cd9187a4c6e0"
_NOON = "2020-02-29T12:00:00"


@pytest.mark.parametrize(
    ("kind", "right", "wrong"),
    [
        ("base64Binary", ["AAAA", "AAA=\n"], ["@@@", "A=A"]),
        ("boolean", [True], ["true", 1]),
        ("canonical", ["http://x|1"], ["a b"]),
        ("code", ["a", "a b"], [" a", "a  b"]),
        ("date", ["2020", "2020-02", "2020-02-29"], ["foo", "2019-02-29", "2020-13", "0000", _NOON, "\uff12020"]),
        ("dateTime", ["2020", f"{_NOON}Z", f"{_NOON}.123456789123+02:00"], [_NOON, "2020-01-01T12:00Z", f"{_NOON}z"]),
        ("decimal", [1, 1.5, Decimal("1.10")], ["1", True, Decimal("1e400"), -(10**400)]),
        ("id", ["a-1.B", "x" * 64], ["a_1", "x" * 65]),
        ("instant", [f"{_NOON}Z"], ["2020-02-29", "2020-02-30T12:00:00Z", "2020-02-29T25:00:00Z"]),
        ("integer", [0, -(2**31)], [2**31, 1.0, "1", 10**5000]),
        ("integer64", ["9223372036854775807"], [1, "x"]),
        ("markdown", ["# a\n"], ["", 1]),
        ("oid", ["urn:oid:1.2.3"], ["1.2.3", "urn:oid:3.01"]),
        ("positiveInt", [1], [0]),
        ("string", [" "], [None, ""]),
        ("time", ["23:59:59.5"], ["24:00:00", "12:00"]),
        ("unsignedInt", [0], [-1]),
        ("uri", ["urn:x"], ["a b"]),
        ("uuid", [_UUID], ["urn:uuid:1"]),
    ],
)
def test_values_have_the_form_of_their_type(kind: str, right: list[Any], wrong: list[Any]) -> None:
    assert [fault_of(value, kind) for value in right] == [None] * len(right)
    assert all(fault_of(value, kind) for value in wrong)


@pytest.mark.parametrize("version", list(FhirVersion))
def test_the_tables_are_what_they_are_taken_for(version: FhirVersion) -> None:
    types = resource_types(version)
    assert {"Patient", "Bundle", "Binary", "Observation"} <= types
    assert not {"Resource", "DomainResource", "MetadataResource", "HumanName"} & types
    assert len(types) > 90


@given(st.text(alphabet='<>/&;!"= divDOCTYPEx', max_size=40))
def test_any_narrative_is_accepted_or_refused(text: str) -> None:
    with contextlib.suppress(FhirError):
        check_xhtml(text)
        assert text.lstrip().startswith("<div")


_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=2)
        | st.dictionaries(
            st.sampled_from(["id", "name", "text", "div", "value", "resourceType", "_id"]), inner, max_size=3
        )
    ),
    max_leaves=10,
)


@given(
    st.dictionaries(
        st.sampled_from(["id", "name", "active", "text", "contained", "extension", "_active", "contact"]), _values
    )
)
def test_any_resource_is_accepted_or_refused(fields: dict[str, Any]) -> None:
    with contextlib.suppress(FhirError):
        check_resource({"resourceType": "Patient", **fields}, FhirVersion.R4)
