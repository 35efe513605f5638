from __future__ import annotations

from typing import Any
from urllib.parse import quote

import pytest

PATIENTS: list[dict[str, Any]] = [
    {
        "id": "ada",
        "name": [{"family": "Kowalski", "given": ["Ada", "Maria"]}],
        "identifier": [{"system": "urn:mrn", "value": "1"}],
        "birthDate": "1980-02-03",
        "gender": "female",
        "active": True,
        "telecom": [{"system": "phone", "value": "555"}],
    },
    {
        "id": "bo",
        "name": [{"text": "Bo Ångström"}],
        "identifier": [{"system": "urn:other", "value": "1"}],
        "birthDate": "1980",
    },
    {"id": "cy", "name": [{"family": "Kowal"}], "birthDate": "2001-12", "active": False},
]


@pytest.fixture
def filled(store: Any) -> Any:
    for patient in PATIENTS:
        store.put({"resourceType": "Patient", **patient})
    store.put({"resourceType": "Group", "id": "g", "type": "person", "actual": True})
    store.put(
        {
            "resourceType": "Observation",
            "id": "o",
            "subject": {"reference": "Patient/ada"},
            "code": {"coding": [{"system": "urn:codes", "code": "w"}]},
            "effectivePeriod": {"start": "2020-01-05", "end": "2020-01-07"},
        }
    )
    return store


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("/Patient", {"ada", "bo", "cy"}),
        ("/Patient?_id=ada,bo", {"ada", "bo"}),
        ("/Patient?_id=ada&_id=bo", set()),
        ("?_type=Group,Observation", {"g", "o"}),
        ("/Patient?name=kowal", {"ada", "cy"}),
        ("/Patient?name=ang", set()),
        ("/Patient?name:contains=angstrom", {"bo"}),
        ("/Patient?family:exact=Kowal", {"cy"}),
        ("/Patient?given=maria", {"ada"}),
        ("/Patient?name=kowal&given=ada", {"ada"}),
        ("/Patient?identifier=urn:mrn|1", {"ada"}),
        ("/Patient?identifier=1", {"ada", "bo"}),
        ("/Patient?identifier=urn:mrn|", {"ada"}),
        ("/Patient?identifier:missing=true", {"cy"}),
        ("/Patient?active=true", {"ada"}),
        ("/Patient?active:not=true", {"bo", "cy"}),
        ("/Patient?phone=555", {"ada"}),
        ("/Patient?email=555", set()),
        ("/Patient?birthdate=1980", {"ada", "bo"}),
        ("/Patient?birthdate=1980-02-03", {"ada"}),
        ("/Patient?birthdate=gt1980-06-01", {"bo", "cy"}),
        ("/Patient?birthdate=ge1980&birthdate=lt2000", {"ada", "bo"}),
        ("/Patient?birthdate=ne1980", {"cy"}),
        ("/Patient?birthdate=sa1980", {"cy"}),
        ("/Patient?birthdate=eb2001", {"ada", "bo"}),
        ("/Patient?_lastUpdated=gt2020-01-01", {"ada", "bo", "cy"}),
        ("/Patient?_lastUpdated=lt2020-01-01T00:00:00Z", set()),
        ("/Observation?subject=Patient/ada", {"o"}),
        ("/Observation?patient=ada", {"o"}),
        ("/Observation?subject:Group=ada", set()),
        ("/Observation?code=urn:codes|w", {"o"}),
        ("/Observation?date=2020-01", {"o"}),
        ("/Observation?date=2020-01-06", set()),
        ("/Patient?unknown=ignored", {"ada", "bo", "cy"}),
    ],
)
def test_parameters_find(filled: Any, query: str, found: set[str]) -> None:
    assert filled.ids(query) == found


@pytest.mark.parametrize(
    "query",
    [
        "/Patient?birthdate=secretName",
        "/Patient?birthdate=2020-13-45",
        "/Patient?_count=-1",
        "/Patient?_count=secretName",
        "/Patient?_page_token=secretName",
        "/Patient?_sort=name",
        "/Patient?name:fuzzy=secretName",
        "/Patient?name:missing=secretName",
        "/Patient?_include=Patient:organization",
        "/Patient?organization.name=secretName",
        "/Patient?_summary=secretName",
        "?_type=Potion",
        "/Potion?name=x",
        "?resourceType=Potion",
    ],
)
def test_what_is_malformed_or_unsupported_is_refused(filled: Any, query: str) -> None:
    reply = filled.send("GET", query)
    assert reply.status == 400
    assert reply.body["resourceType"] == "OperationOutcome"
    assert "secretName" not in reply.content.decode()


def test_strict_handling_refuses_unknown_parameters(filled: Any, make_store: Any) -> None:
    assert filled.send("GET", "/Patient?unknown=1", Prefer="handling=strict").status == 400
    strict = make_store("strict", defaultSearchHandlingStrict=True)
    assert strict.send("GET", "/Patient?unknown=1").status == 400
    assert strict.send("GET", "/Patient?unknown=1", Prefer="handling=lenient").status == 200


@pytest.mark.parametrize("criterion", ["", "&active=true", "&_lastUpdated=gt2000"])
def test_pages_follow_each_other_without_gap_or_overlap(store: Any, criterion: str) -> None:
    for number in range(7):
        store.put({"resourceType": "Patient", "id": f"p{number}", "active": True})
    store.put({"resourceType": "Basic", "id": "b", "code": {"text": "no patient"}})
    found: list[str] = []
    url = f"/Patient?_count=3{criterion}"
    pages = 0
    while url:
        bundle = store.send("GET", url).body
        assert (bundle["type"], bundle["total"]) == ("searchset", 7)
        found += [entry["resource"]["id"] for entry in bundle["entry"]]
        links = {link["relation"]: link["url"] for link in bundle["link"]}
        url = links.get("next", "").removeprefix(store.base)
        pages += 1
    assert pages == 3
    assert found == [f"p{number}" for number in reversed(range(7))]
    ascending = f"/Patient?_count=6&_sort=_lastUpdated{criterion}"
    first = store.send("GET", ascending).body
    assert first["entry"][0]["resource"]["id"] == "p0"
    links = {link["relation"]: link["url"] for link in first["link"]}
    last = store.send("GET", links["next"].removeprefix(store.base)).body
    assert ([entry["resource"]["id"] for entry in last["entry"]], last["total"]) == (["p6"], 7)


def test_a_page_token_stays_good_while_resources_come_and_go(store: Any) -> None:
    for number in range(4):
        store.put({"resourceType": "Patient", "id": f"p{number}"})
    first = store.send("GET", "/Patient?_count=2").body
    assert [entry["resource"]["id"] for entry in first["entry"]] == ["p3", "p2"]
    store.send("DELETE", "/Patient/p2")
    store.put({"resourceType": "Patient", "id": "p4"})
    links = {link["relation"]: link["url"] for link in first["link"]}
    second = store.send("GET", links["next"].removeprefix(store.base)).body
    assert [entry["resource"]["id"] for entry in second["entry"]] == ["p1", "p0"]
    assert second["total"] == 4


@pytest.mark.parametrize("value", ["Ångström", 'say "x"', "back\\slash", "tab\t", "a/b", "\u2028", "comma,"])
def test_any_value_of_an_identifier_is_found(store: Any, value: str) -> None:
    store.put({"resourceType": "Patient", "id": "p", "identifier": [{"system": "urn:s", "value": value}]})
    escaped = value.replace("\\", "\\\\").replace(",", "\\,")
    assert store.ids(f"/Patient?identifier={quote(escaped)}") == {"p"}
    assert store.ids(f"/Patient?identifier={quote(f'other,urn:s|{escaped}')}") == {"p"}
    assert store.ids(f"/Patient?identifier={quote(f'urn:t|{escaped}')}") == set()


def test_a_search_can_be_posted_and_made_by_googles_client(filled: Any, fhir_stores: Any) -> None:
    reply = filled.send("POST", "/Patient/_search?name=ada", b"")
    assert [entry["resource"]["id"] for entry in reply.body["entry"]] == ["ada"]
    found = fhir_stores.fhir().search(parent=filled.name, resourceType="Patient", body={}).execute()
    assert found["total"] == 3
    typed = fhir_stores.fhir().search_type(parent=filled.name, resourceType="Group", body={}).execute()
    assert typed["total"] == 1


def test_entries_say_where_the_resource_is(filled: Any) -> None:
    entry = filled.send("GET", "/Group").body["entry"][0]
    assert entry["fullUrl"] == f"{filled.base}/Group/g"
    assert entry["search"] == {"mode": "match"}


def test_only_a_part_of_each_resource_can_be_asked_for(filled: Any) -> None:
    assert "entry" not in filled.send("GET", "/Patient?_summary=count").body
    resource = filled.send("GET", "/Patient?_id=ada&_elements=gender").body["entry"][0]["resource"]
    assert set(resource) == {"resourceType", "id", "meta", "gender"}
    assert resource["meta"]["tag"][0]["code"] == "SUBSETTED"


def test_deleted_resources_are_not_found(filled: Any) -> None:
    filled.send("DELETE", "/Patient/cy")
    assert filled.ids("/Patient") == {"ada", "bo"}
