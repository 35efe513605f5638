"""Create, read, update, patch, delete, versions: over HTTP, with Google's client where it can."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import quote

import pytest

PATIENT = {
    "resourceType": "Patient",
    "name": [{"family": "Kowalski", "given": ["Ada"]}],
    "identifier": [{"system": "urn:mrn", "value": "M-1"}],
    "birthDate": "1980-02-03",
}


def test_googles_client_creates_reads_updates_patches_and_deletes(fhir_stores: Any, store: Any) -> None:
    fhir = fhir_stores.fhir()
    created = fhir.create(parent=store.name, type="Patient", body=PATIENT).execute()
    assert created["name"] == PATIENT["name"]
    assert created["meta"]["versionId"]
    name = f"{store.name}/fhir/Patient/{created['id']}"
    assert fhir.read(name=name).execute() == created

    updated = fhir.update(name=name, body={**created, "active": True}).execute()
    assert updated["meta"]["versionId"] != created["meta"]["versionId"]
    patched = fhir.patch(name=name, body=[{"op": "replace", "path": "/active", "value": False}]).execute()
    assert patched["active"] is False
    assert fhir.vread(name=f"{name}/_history/{created['meta']['versionId']}").execute() == created

    fhir.delete(name=name).execute()
    history = fhir.history(name=name).execute()
    assert [entry["request"]["method"] for entry in history["entry"]] == ["DELETE", "PUT", "PUT", "POST"]
    assert history["type"] == "history"
    assert history["total"] == 4


def test_a_new_resource_says_where_it_is(store: Any) -> None:
    reply = store.send("POST", "/Patient", PATIENT)
    assert reply.status == 201
    version = reply.body["meta"]["versionId"]
    assert reply.headers["location"] == f"{store.base}/Patient/{reply.body['id']}/_history/{version}"
    assert reply.headers["etag"] == f'W/"{version}"'
    assert reply.headers["content-type"].startswith("application/fhir+json")
    assert reply.headers["last-modified"].endswith("GMT")


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "text"),
    [
        ("GET", "/Patient/none", None, 404, "resource_not_found"),
        ("GET", "/Potion/1", None, 400, "bad_resource_type"),
        ("POST", "/Patient", {"resourceType": "Group"}, 400, "invalid_resource"),
        ("POST", "/Patient", {"resourceType": "Patient", "secretName": 1}, 400, "invalid_resource"),
        ("POST", "/Patient", {"resourceType": "Patient", "active": "secretName"}, 400, "invalid_resource"),
        ("POST", "/Patient", {"resourceType": "Patient", "id": "secretName!"}, 400, "invalid_resource"),
        ("POST", "/Patient", b'{"resourceType": "Patient", "secretName', 400, "unparseable_resource"),
        ("POST", "/Patient", b'{"a":' * 5000, 400, "unparseable_resource"),
        ("POST", "/Patient", b"", 400, "unparseable_resource"),
        ("PUT", "/Patient/1", {"resourceType": "Patient", "id": "2"}, 400, "invalid_resource"),
        ("PATCH", "/Patient/none", [], 404, "resource_not_found"),
        ("GET", "/$export", None, 501, "not_implemented"),
    ],
)
def test_errors_are_outcomes_without_values(
    store: Any, method: str, path: str, body: Any, status: int, text: str
) -> None:
    reply = store.send(method, path, body)
    assert reply.status == status
    assert reply.body["resourceType"] == "OperationOutcome"
    assert reply.body["issue"][0]["details"]["text"] == text
    assert "secretName" not in reply.content.decode()


def test_a_missing_store_answers_in_googles_envelope(store: Any) -> None:
    store.base = store.base.replace("/fhirStores/store", "/fhirStores/other")
    reply = store.send("GET", "/Patient/1")
    assert reply.status == 404
    assert reply.body["error"]["status"] == "NOT_FOUND"


def test_clients_choose_ids_only_where_the_store_allows_it(make_store: Any) -> None:
    store = make_store(enableUpdateCreate=False)
    assert store.send("PUT", "/Patient/mine", {**PATIENT, "id": "mine"}).status == 405
    created = store.send("POST", "/Patient", {**PATIENT, "id": "mine"}).body
    assert created["id"] != "mine"
    assert store.send("PUT", f"/Patient/{created['id']}", created).status == 200


def test_a_deleted_resource_is_gone_until_it_is_written_again(store: Any) -> None:
    store.put({**PATIENT, "id": "a"})
    assert store.send("DELETE", "/Patient/a").status == 200
    assert store.send("GET", "/Patient/a").status == 410
    assert store.send("DELETE", "/Patient/a").status == 200
    store.put({**PATIENT, "id": "a"})
    assert store.send("GET", "/Patient/a").status == 200


def test_references_must_point_at_something(store: Any, make_store: Any) -> None:
    observation = {"resourceType": "Observation", "id": "o", "subject": {"reference": "Patient/a"}}
    reply = store.send("PUT", "/Observation/o", observation)
    assert reply.status == 409
    assert store.send("GET", "/Observation/o").status == 404
    store.put({**PATIENT, "id": "a"})
    store.put(observation)
    assert store.send("DELETE", "/Patient/a").status == 409
    assert store.send("GET", "/Patient/a").status == 200
    loose = make_store("loose", disableReferentialIntegrity=True)
    loose.put(observation)


def test_conditional_interactions_find_by_identifier(store: Any) -> None:
    query = "identifier=urn:mrn|M-1"
    first = store.send("POST", "/Patient", PATIENT, If_None_Exist=query)
    again = store.send("POST", "/Patient", PATIENT, If_None_Exist=query)
    assert (first.status, again.status) == (201, 200)
    assert again.body["id"] == first.body["id"]

    updated = store.send("PUT", f"/Patient?{query}", {**PATIENT, "active": True})
    assert updated.body["id"] == first.body["id"]
    patch = [{"op": "remove", "path": "/active"}]
    assert "active" not in store.send("PATCH", f"/Patient?{query}", patch).body
    assert store.send("PUT", "/Patient?identifier=other", PATIENT).status == 201
    assert store.send("PUT", f"/Patient?{query}", PATIENT).status == 412
    assert store.send("DELETE", "/Patient?identifier=none").status == 200
    assert store.send("DELETE", "/Patient?name=x").status == 400


def test_a_version_can_be_a_condition(store: Any) -> None:
    first = store.put({**PATIENT, "id": "a"})
    etag = f'W/"{first["meta"]["versionId"]}"'
    second = {**PATIENT, "id": "a", "active": True}
    assert store.send("PUT", "/Patient/a", second, If_Match='W/"other"').status == 412
    assert store.send("PUT", "/Patient/a", second, If_Match=etag).status == 200
    current = store.send("GET", "/Patient/a")
    assert store.send("GET", "/Patient/a", If_None_Match=current.headers["etag"]).status == 304
    assert store.send("GET", "/Patient/a", If_None_Match=etag).status == 200
    assert store.send("GET", "/Patient/a", If_Modified_Since=current.headers["last-modified"]).status == 304


def test_an_update_can_ask_that_nothing_or_another_version_is_there(store: Any, make_store: Any) -> None:
    patient = {**PATIENT, "id": "a"}
    assert store.send("PUT", "/Patient/a", patient, If_None_Match="*").status == 201
    etag = store.send("GET", "/Patient/a").headers["etag"]
    for refused in ("*", etag, f'W/"other", {etag}'):
        assert store.send("PUT", "/Patient/a", patient, If_None_Match=refused).status == 412
    assert store.send("PUT", "/Patient/a", patient, If_None_Match='W/"other"').status == 200
    store.send("DELETE", "/Patient/a")
    assert store.send("PUT", "/Patient/a", patient, If_None_Match="*").status == 201
    old = make_store("old", "STU3")
    old.put(patient)
    assert old.send("PUT", "/Patient/a", patient, If_None_Match="*").status == 200


def test_a_history_can_be_limited_in_time(store: Any) -> None:
    written = [store.put({**PATIENT, "id": "a", "active": active})["meta"] for active in (True, False, True)]
    times = [quote(meta["lastUpdated"]) for meta in written]

    def found(query: str) -> list[str]:
        entries = store.send("GET", f"/Patient/a/_history?{query}").body.get("entry", [])
        return [entry["resource"]["meta"]["versionId"] for entry in entries]

    ids = [meta["versionId"] for meta in reversed(written)]
    assert found("") == found(f"_at={times[0][:4]}") == ids
    assert found(f"_since={times[0]}") == ids[:2]
    # A time of less than a second is a span of a millisecond, in which later versions may be.
    assert found(f"_at={times[2]}") == ids[:1]
    assert found(f"_at={times[1]}")[-1] == ids[1]
    assert found("_at=1999") == []
    assert store.send("GET", "/Patient/a/_history?_at=then").status == 400


def test_a_store_without_versioning_keeps_none(make_store: Any) -> None:
    store = make_store(disableResourceVersioning=True)
    store.put({**PATIENT, "id": "a"})
    store.put({**PATIENT, "id": "a", "active": True})
    assert store.send("GET", "/Patient/a/_history").status == 405
    store.send("DELETE", "/Patient/a")
    assert store.send("GET", "/Patient/a").status == 404


def test_purge_forgets_the_past(store: Any) -> None:
    store.put({**PATIENT, "id": "a"})
    store.put({**PATIENT, "id": "a", "active": True})
    assert store.send("DELETE", "/Patient/a/$purge").status == 200
    assert store.send("GET", "/Patient/a/_history").body["total"] == 1
    assert store.send("DELETE", "/Patient/b/$purge").status == 404


def test_decimals_keep_their_precision(store: Any) -> None:
    body = b'{"resourceType":"Observation","id":"o","valueQuantity":{"value":1.10}}'
    assert b'"value":1.10' in store.send("PUT", "/Observation/o", body).content
    assert b'"value":1.10' in store.send("GET", "/Observation/o").content


def test_binary_takes_and_gives_raw_data(store: Any) -> None:
    reply = store.send("POST", "/Binary", b"\x00raw", content_type="image/png")
    assert (reply.status, reply.content) == (201, b"")
    path = reply.headers["location"].removeprefix(store.base).partition("/_history")[0]
    assert store.send("GET", path).body["data"] == "AHJhdw=="
    assert store.send("GET", path, accept="image/png").content == b"\x00raw"
    assert store.send("POST", "/Patient", b"x", content_type="image/png").status == 415
    reply = store.send("PUT", path, b"new", content_type="text/plain", X_Security_Context="Patient/p")
    assert (reply.status, reply.body["issue"][0]["code"]) == (409, "conflict")
    store.put({**PATIENT, "id": "p"})
    reply = store.send("PUT", path, b"new", content_type="text/plain", X_Security_Context="Patient/p")
    assert (reply.status, reply.content) == (200, b"")
    assert store.send("GET", path).body["securityContext"] == {"reference": "Patient/p"}


@pytest.mark.parametrize("version", ["DSTU2", "STU3", "R4", "R5"])
def test_the_capability_statement_tells_the_version(make_store: Any, fhir_stores: Any, version: str) -> None:
    store = make_store(version=version)
    statement = fhir_stores.fhir().capabilities(name=store.name).execute()
    numbers = {"DSTU2": "1.0.2", "STU3": "3.0.1", "R4": "4.0.1", "R5": "5.0.0"}
    assert statement["fhirVersion"] == numbers[version]
    patient = next(each for each in statement["rest"][0]["resource"] if each["type"] == "Patient")
    assert {"name": "birthdate", "type": "date"} in patient["searchParam"]


def test_everything_collects_the_patients_resources(store: Any) -> None:
    store.put({"resourceType": "Organization", "id": "clinic", "name": "Clinic"})
    store.put({**PATIENT, "id": "a", "managingOrganization": {"reference": "Organization/clinic"}})
    store.put({**PATIENT, "id": "b"})
    store.put({"resourceType": "Observation", "id": "o", "subject": {"reference": "Patient/a"}})
    assert store.ids("/Patient/a/$everything") == {"a", "clinic", "o"}
    assert store.ids("/Patient/a/$everything?_type=Observation") == {"o"}
    assert store.send("GET", "/Patient/none/$everything").status == 404
    assert store.send("GET", "/Patient/a/$everything?start=2020-01-01").status == 501


def test_validate_judges_and_stores_nothing(store: Any) -> None:
    assert store.send("POST", "/Patient/$validate", PATIENT).body["issue"][0]["severity"] == "information"
    assert store.send("POST", "/Patient/$validate", {"resourceType": "Patient", "x": 1}).status == 400
    assert store.ids("/Patient") == set()


def test_xml_entities_are_refused_in_narratives(store: Any) -> None:
    div = '<!DOCTYPE d [<!ENTITY a "secretName">]><div xmlns="http://www.w3.org/1999/xhtml">&a;</div>'
    reply = store.send("POST", "/Patient", {"resourceType": "Patient", "text": {"status": "generated", "div": div}})
    assert reply.status == 400
    assert json.loads(reply.content)["issue"][0]["diagnostics"].startswith("Patient.text.div")
