from __future__ import annotations

import base64
import json
from typing import Any

import pytest

PATIENT = {"resourceType": "Patient", "identifier": [{"system": "s", "value": "1"}]}


def entry(method: str, url: str, resource: Any = None, **fields: Any) -> dict[str, Any]:
    made: dict[str, Any] = {"request": {"method": method, "url": url}, **fields}
    return made if resource is None else {**made, "resource": resource}


def bundle(kind: str, *entries: Any) -> dict[str, Any]:
    return {"resourceType": "Bundle", "type": kind, "entry": list(entries)}


def test_a_transaction_resolves_references_between_its_entries(store: Any, fhir_stores: Any) -> None:
    observation = {"resourceType": "Observation", "subject": {"reference": "urn:uuid:1"}}
    body = bundle(
        "transaction",
        entry("POST", "Observation", observation, fullUrl="urn:uuid:2"),
        entry("POST", "Patient", PATIENT, fullUrl="urn:uuid:1"),
    )
    result = fhir_stores.fhir().executeBundle(parent=store.name, body=body).execute()
    assert result["type"] == "transaction-response"
    assert [each["response"]["status"] for each in result["entry"]] == ["201 Created"] * 2
    patient = result["entry"][1]["response"]["location"].split("/fhir/")[1].split("/_history")[0]
    found = store.send("GET", "/Observation").body["entry"][0]["resource"]
    assert found["subject"]["reference"] == patient


def test_a_transaction_is_all_or_nothing(store: Any) -> None:
    body = bundle("transaction", entry("POST", "Patient", PATIENT), entry("PUT", "Group/g", {"resourceType": "Group"}))
    reply = store.send("POST", "", body)
    assert reply.status == 400
    assert reply.body["issue"][0]["diagnostics"].startswith("entry 1:")
    assert store.ids("/Patient") == set()
    dangling = {"resourceType": "Observation", "subject": {"reference": "Patient/none"}}
    reply = store.send("POST", "", bundle("transaction", entry("POST", "Patient", PATIENT), entry("POST", "Observation", dangling)))  # fmt: skip  # noqa: E501
    assert reply.status == 409
    assert store.ids("") == set()


def test_a_batch_carries_out_what_it_can(store: Any) -> None:
    body = bundle("batch", entry("POST", "Patient", PATIENT), entry("GET", "Patient/none"), "nonsense")
    reply = store.send("POST", "", body)
    assert reply.status == 200
    statuses = [each["response"]["status"] for each in reply.body["entry"]]
    assert statuses == ["201 Created", "404 Not Found", "400 Bad Request"]
    assert reply.body["entry"][1]["response"]["outcome"]["resourceType"] == "OperationOutcome"
    assert len(store.ids("/Patient")) == 1


def test_every_interaction_has_its_place(store: Any) -> None:
    store.put({**PATIENT, "id": "a"})
    store.put({"resourceType": "Group", "id": "old"})
    patch = base64.b64encode(json.dumps([{"op": "add", "path": "/active", "value": True}]).encode()).decode()
    body = bundle(
        "transaction",
        entry("GET", "Patient/a"),
        entry("DELETE", "Group/old"),
        entry("PUT", "Organization/new", {"resourceType": "Organization", "id": "new", "name": "N"}),
        entry("PATCH", "Patient/a", {"resourceType": "Binary", "contentType": "application/json-patch+json", "data": patch}),  # noqa: E501
        entry("PUT", "Patient?identifier=s|1", {**PATIENT, "gender": "other"}),
    )  # fmt: skip
    reply = store.send("POST", "", body)
    assert reply.status == 200, reply.body
    assert reply.body["entry"][0]["resource"]["id"] == "a"
    assert store.send("GET", "/Group/old").status == 410
    assert store.send("GET", "/Organization/new").status == 200


def test_references_may_be_searches(store: Any) -> None:
    store.put({**PATIENT, "id": "a"})
    observation = {"resourceType": "Observation", "subject": {"reference": "Patient?identifier=s|1"}}
    body = bundle("transaction", entry("POST", "Observation", observation))
    assert store.send("POST", "", body).status == 200
    assert store.ids("/Observation?subject=Patient/a")
    observation["subject"]["reference"] = "Patient?identifier=none"  # type: ignore[index]
    assert store.send("POST", "", body).status == 404


def test_what_exists_is_not_created_again(store: Any) -> None:
    store.put({**PATIENT, "id": "a"})
    one = entry("POST", "Patient", PATIENT, fullUrl="urn:uuid:1")
    one["request"]["ifNoneExist"] = "identifier=s|1"
    two = entry("POST", "Observation", {"resourceType": "Observation", "subject": {"reference": "urn:uuid:1"}})
    reply = store.send("POST", "", bundle("transaction", one, two))
    assert [each["response"]["status"] for each in reply.body["entry"]] == ["200 OK", "201 Created"]
    assert store.ids("/Observation?subject=Patient/a")


@pytest.mark.parametrize(
    "body",
    [
        {"resourceType": "Patient"},
        bundle("collection"),
        bundle("transaction", {"request": {"method": "HEAD", "url": "Patient/1"}}),
        bundle("transaction", entry("GET", "Patient?name=x")),
        bundle("transaction", entry("POST", "Patient/1", PATIENT)),
        bundle("transaction", entry("GET", "Potion/1")),
        bundle("transaction", entry("DELETE", "Patient/1"), entry("DELETE", "Patient/1")),
        bundle("transaction", entry("PATCH", "Patient/1", {"resourceType": "Binary", "data": "!"})),
        bundle("transaction", entry("POST", "Patient", PATIENT, fullUrl=7)),
        {"resourceType": "Bundle", "type": "batch", "entry": {}},
    ],
)
def test_malformed_bundles_are_refused(store: Any, body: dict[str, Any]) -> None:
    reply = store.send("POST", "", body)
    assert reply.status in (400, 404)
    assert reply.body["resourceType"] == "OperationOutcome"
