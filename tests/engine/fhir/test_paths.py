from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from airflow_healthcare_deid.engine.fhir.model import Kind, fhir_model
from airflow_healthcare_deid.engine.fhir.paths import Match, PathMatcher, element_step, first_rule, resource_step

if TYPE_CHECKING:
    from airflow_healthcare_deid.engine.fhir.model import Version


def match(place: str, *rules: str, version: Version = "R4") -> Match:
    """Return what rules of one path each say of an element given by its JSON properties."""
    model = fhir_model(version)
    matcher = PathMatcher([[rule] for rule in rules])
    resource_type, *fields = place.split(".")
    before = Match()
    result = matcher.advance(Match(), resource_step(resource_type), resource_type)
    defined_at = resource_type
    for field in fields:
        if field[0].isupper():
            result = matcher.advance(before, resource_step(field, "contained"), "contained")
            defined_at = field
            continue
        before = result
        element = model.element(defined_at, field)
        assert element.kind is not Kind.UNKNOWN
        result = matcher.advance(result, element_step(model, element, field), element.name)
        defined_at = element.defined_at
    return result


@pytest.mark.parametrize(
    ("place", "path"),
    [
        ("Patient.address.city", "Patient.Address.city"),
        ("Patient.address.city", "Patient.Address.String"),
        ("Patient.address.city", "Patient.address.city"),
        ("Patient.address.city", "Address.city"),
        ("Patient.address.city", "Address.String"),
        ("Patient.address.city", "String"),
        ("Patient.address.city", "city"),
        ("Patient.name.given", "HumanName.given"),
        ("Condition.onsetAge.unit", "Onset.Age.unit"),
        ("Condition.onsetAge.unit", "Condition.onset.Age.unit"),
        ("Condition.onsetAge.unit", "Condition.onsetAge.unit"),
        ("Condition.onsetAge.unit", "Quantity.unit"),
        ("Patient.deceasedDateTime", "Patient.Deceased.DateTime"),
        ("Patient.deceasedDateTime", "Patient.deceased"),
        ("Patient.deceasedDateTime", "DateTime"),
        ("Patient.contact.name.family", "Patient.Contact.name.family"),
        ("Patient.gender", "AdministrativeGenderCode"),
        ("Patient.gender", "Patient.Code"),
        ("Patient.language", "LanguageCode"),
        ("Patient.photo.url", "Uri"),
        ("Patient.id", "Id"),
        ("Patient.meta.profile", "Canonical"),
        ("Observation.contained.Patient.name", "Patient.HumanName"),
        ("Observation.contained.Patient.name", "Observation.contained.Patient.name"),
        ("Observation.contained.Patient.name", "Observation.contained.name"),
        ("Patient.text.div", "Xhtml"),
    ],
)
def test_a_path_names_an_element(place: str, path: str) -> None:
    assert match(place, path).here == 0


@pytest.mark.parametrize(
    ("place", "path"),
    [
        ("Patient.address.city", "Patient.city"),
        ("Patient.address.city", "Patient.String"),
        ("Patient.address.city", "Address.state"),
        ("Patient.address.city", "Practitioner.Address.city"),
        ("Patient.address.city", "Address"),
        ("Patient.address.city", "CITY"),
        ("Patient.deceasedBoolean", "Deceased.DateTime"),
        ("Patient.maritalStatus.text", "Markdown"),
        ("Patient.name.id", "Id"),
        ("Patient.birthDate", "DateTime"),
    ],
)
def test_a_path_does_not_name_an_element(place: str, path: str) -> None:
    assert match(place, path).here is None


def test_a_path_on_a_complex_type_reaches_what_is_below() -> None:
    assert match("Patient.address.city", "Patient.address").above == 0
    assert match("Patient.contact.name.family", "Patient").above == 0
    assert match("Observation.contained.Patient.birthDate", "Observation").above == 0


def test_the_first_rule_wins_wherever_it_ends() -> None:
    found = match("Patient.address.city", "Practitioner", "String", "Patient", "city")
    assert (found.here, found.above, first_rule(found.here, found.above)) == (1, 2, 1)


def test_by_name_tells_names_from_types() -> None:
    assert match("Patient.id", "Patient.id").by_name == 0
    assert match("Patient.id", "Patient.Id").by_name is None


@pytest.mark.parametrize("path", ["Patient.extension", "Extension", "Extension.Value.String", "extension.valueString"])
def test_a_path_specifies_an_extension_by_naming_it(path: str) -> None:
    assert match("Patient.extension.valueString", path).extension == 0


@pytest.mark.parametrize("path", ["String", "Patient", "Value.String"])
def test_a_path_that_only_reaches_into_extensions_specifies_none(path: str) -> None:
    assert match("Patient.extension.valueString", path).extension is None


def test_recursion_comes_to_a_state_met_before() -> None:
    states = {
        match("Patient" + ".extension" * depth, "Patient.extension", "String", "Extension.url") for depth in range(2, 9)
    }
    assert len(states) <= 2
