from __future__ import annotations

import importlib.util
from typing import Any

import pytest

from airflow_healthcare_deid.engine.errors import MissingPartError
from airflow_healthcare_deid.engine.fhir import model as module
from airflow_healthcare_deid.engine.fhir.model import FhirModel, Kind, Version, fhir_model
from demo.fhir_samples import make_sample

VERSIONS: tuple[Version, ...] = ("DSTU2", "STU3", "R4")


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize(
    ("defined_at", "field", "name", "fhir_type", "kind"),
    [
        ("Patient", "id", "id", "id", Kind.PRIMITIVE),
        ("Patient", "birthDate", "birthDate", "date", Kind.PRIMITIVE),
        ("Patient", "name", "name", "HumanName", Kind.COMPLEX),
        ("HumanName", "id", "id", "string", Kind.PRIMITIVE),
        ("HumanName", "family", "family", "string", Kind.PRIMITIVE),
        ("Patient", "deceasedDateTime", "deceased", "dateTime", Kind.PRIMITIVE),
        ("Patient", "contact", "contact", "", Kind.COMPLEX),
        ("Patient.contact", "name", "name", "HumanName", Kind.COMPLEX),
        ("Patient.contact", "modifierExtension", "modifierExtension", "Extension", Kind.COMPLEX),
        ("Extension", "url", "url", "uri", Kind.PRIMITIVE),
        ("Extension", "valueString", "value", "string", Kind.PRIMITIVE),
        ("Element", "extension", "extension", "Extension", Kind.COMPLEX),
        ("Narrative", "div", "div", "xhtml", Kind.PRIMITIVE),
        ("Observation", "contained", "contained", "Resource", Kind.RESOURCE),
        ("Bundle.entry", "resource", "resource", "Resource", Kind.RESOURCE),
        ("Patient", "shoeSize", "shoeSize", "", Kind.UNKNOWN),
    ],
)
def test_elements_have_their_types(
    version: Version, defined_at: str, field: str, name: str, fhir_type: str, kind: Kind
) -> None:
    element = fhir_model(version).element(defined_at, field)
    assert (element.name, element.type, element.kind) == (name, fhir_type, kind)


@pytest.mark.parametrize("version", ["STU3", "R4"])
def test_elements_defined_elsewhere_recurse(version: Version) -> None:
    item = fhir_model(version).element("QuestionnaireResponse.item.answer", "item")
    assert item.defined_at == "QuestionnaireResponse.item"


@pytest.mark.parametrize("version", VERSIONS)
def test_resource_types(version: Version) -> None:
    types = fhir_model(version).resource_types
    assert {"Patient", "Observation", "Bundle", "Binary", "Parameters"} <= types
    assert types.isdisjoint({"HumanName", "DomainResource", "Resource", "Element"})


@pytest.mark.parametrize("version", ["STU3", "R4"])
def test_every_element_of_the_sample_is_known(version: Any) -> None:
    model = fhir_model(version)

    def check(node: dict[str, Any], defined_at: str) -> None:
        for key, value in node.items():
            if key == "resourceType":
                continue
            element = model.element(defined_at, key.removeprefix("_"))
            assert element.kind is not Kind.UNKNOWN, f"{defined_at}.{key}"
            for child in value if isinstance(value, list) else [value]:
                if isinstance(child, dict):
                    check(child, child.get("resourceType", element.defined_at))

    for resource in make_sample(1, version).resources:
        check(resource, resource["resourceType"])


def test_an_age_is_a_quantity() -> None:
    assert fhir_model("R4").ancestors("Age") == ("Quantity", "Element")


def test_without_the_maps_the_error_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module.importlib.util, "find_spec", lambda _name: None)  # type: ignore[attr-defined]
    assert importlib.util.find_spec("fhirpathpy") is None
    with pytest.raises(MissingPartError, match="emulator"):
        FhirModel("R4")
