from __future__ import annotations

import pytest

from airflow_healthcare_deid.engine.fhir.references import ReferenceMapper, is_reference

UUID = "urn:uuid:0c3151bd-1cbf-4d64-b04d-cd9187a4c6e0"


@pytest.fixture
def mapper() -> ReferenceMapper:
    return ReferenceMapper(
        {"Patient"}.__contains__, True, lambda old: f"new-{old}", lambda old: f"urn:uuid:new-{old[:4]}"
    )


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("Patient/1", "Patient/new-1"),
        ("Patient/1/_history/2", "Patient/new-1/_history/2"),
        ("https://example.org/fhir/Patient/1", "https://example.org/fhir/Patient/new-1"),
        ("https://example.org/a/b/Patient/1/_history/2", "https://example.org/a/b/Patient/new-1/_history/2"),
        ("Patient/1#name", "Patient/new-1#name"),
        ("#p", "#new-p"),
        (UUID, "urn:uuid:new-0c31"),
        (UUID.upper().replace("URN:UUID", "urn:uuid"), "urn:uuid:new-0c31"),
        ("Observation/1", "Observation/1"),
        ("#o", "#o"),
        ("#", "#"),
        ("https://example.org/fhir/Observation/1", "https://example.org/fhir/Observation/1"),
        ("https://example.org/Patient.html", "https://example.org/Patient.html"),
        ("Patient?identifier=1", "Patient?identifier=1"),
        ("Jane Doe", "Jane Doe"),
    ],
)
def test_references_follow_ids(mapper: ReferenceMapper, old: str, new: str) -> None:
    assert mapper.map(old, {"p": "Patient", "o": "Observation"}) == new


def test_without_replaced_ids_nothing_is_touched() -> None:
    mapper = ReferenceMapper(lambda _: False, False, str.upper, str.upper)
    assert mapper.map(UUID, {}) == UUID


@pytest.mark.parametrize("text", ["Patient/1", "#p", "#", UUID, "https://example.org/x", "urn:oid:1.2.3"])
def test_addresses_are_references(text: str) -> None:
    assert is_reference(text)


@pytest.mark.parametrize(
    "text", ["", "Jane Doe", "Patient?identifier=1", "https://example.org/Patient?name=doe", "Doe"]
)
def test_searches_and_words_are_none(text: str) -> None:
    assert not is_reference(text)
