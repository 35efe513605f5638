"""Faults on demand, and the log of requests."""

from __future__ import annotations

import hashlib
import threading
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from tests.emulator.client import LOCATION

if TYPE_CHECKING:
    from tests.emulator.client import Client


def _fault(own: Client, **fault: Any) -> str:
    return str(own.admin("POST", "faults", fault)["id"])


def test_a_status_is_answered_as_often_as_told(own: Client) -> None:
    _fault(own, match={"method": "GET", "path": "/datasets$"}, count=2, status=503, retryAfter=7)
    for _ in range(2):
        answer = own.http.get(f"/v1/{LOCATION}/datasets")
        assert (answer.status_code, answer.headers["retry-after"]) == (503, "7")
        assert answer.json()["error"]["status"] == "UNAVAILABLE"
    own.call("GET", f"{LOCATION}/datasets")


def test_other_requests_are_spared(own: Client) -> None:
    _fault(own, match={"method": "POST", "path": "operations"}, status=500)
    dataset = own.new_dataset()
    own.call("GET", f"{dataset}/operations")


@pytest.mark.parametrize(("moment", "made"), [("before", False), ("after", True)])
def test_a_dropped_connection_gets_no_answer(own: Client, moment: str, made: bool) -> None:
    _fault(own, match={"method": "POST"}, count=1, drop=moment)
    with pytest.raises(httpx.TransportError):
        own.call("POST", f"{LOCATION}/datasets", {}, datasetId="d")
    assert own.http.get(f"/v1/{LOCATION}/datasets/d").status_code == (200 if made else 403)
    assert [entry["status"] for entry in own.admin("GET", "requests")] == [None, 200 if made else 403]


@pytest.mark.parametrize("deleted", [False, True])
def test_a_held_reply_waits_while_the_work_is_done(own: Client, deleted: bool) -> None:
    fault = _fault(own, match={"method": "POST"}, hold=True)
    answers: list[Any] = []
    sender = threading.Thread(
        target=lambda: answers.append(own.call("POST", f"{LOCATION}/datasets", {}, datasetId="held"))
    )
    sender.start()
    with httpx.Client(base_url=own.url, trust_env=False) as other:
        while other.get(f"/v1/{LOCATION}/datasets/held").status_code != 200:
            pass
        assert not answers
        if deleted:
            other.delete(f"/_emulator/faults/{fault}").raise_for_status()
        else:
            other.post(f"/_emulator/faults/{fault}:release").raise_for_status()
    sender.join()
    assert answers[0]["name"].startswith(f"{LOCATION}/datasets/held/operations/")


def test_a_delayed_request_is_served(own: Client) -> None:
    _fault(own, delay=0.01)
    own.call("GET", f"{LOCATION}/datasets")


def test_chance_decides_where_asked(own: Client) -> None:
    _fault(own, probability=0.5, status=500)
    statuses = {own.http.get(f"/v1/{LOCATION}/datasets").status_code for _ in range(40)}
    assert statuses == {200, 500}


def test_faults_are_listed_and_removed(own: Client) -> None:
    first = _fault(own, status=500, count=3)
    _fault(own, status=404)
    own.http.get(f"/v1/{LOCATION}/datasets")
    listed = own.admin("GET", "faults")["faults"]
    assert [(fault["id"], fault["status"], fault["left"]) for fault in listed] == [(first, 500, 2), ("2", 404, None)]
    own.admin("DELETE", f"faults/{first}")
    own.admin("DELETE", f"faults/{first}", status=404)
    own.admin("POST", f"faults/{first}:release", {}, status=404)
    own.admin("DELETE", "faults")
    assert own.admin("GET", "faults") == {"faults": []}


@pytest.mark.parametrize(
    "body",
    [{}, {"status": 200}, {"drop": "now"}, {"match": {"path": "("}, "status": 500}, {"probability": 2, "status": 500}],
)
def test_a_wrong_fault_is_refused(own: Client, body: dict[str, Any]) -> None:
    own.admin("POST", "faults", body, status=400)


def test_requests_are_logged_without_what_could_be_secret(own: Client) -> None:
    headers = {"authorization": "Bearer canary", "user-agent": "tests", "x-goog-user-project": "billing"}
    own.http.get(f"/v1/{LOCATION}/datasets", params={"pageToken": "canary"}, headers=headers)
    own.http.get(f"/v1/{LOCATION}/datasets", headers={"user-agent": "tests"})
    first, second = own.admin("GET", "requests")
    assert first["authorization"] == f"sha256:{hashlib.sha256(b'Bearer canary').hexdigest()}"
    assert (first["userAgent"], first["quotaProject"], first["status"]) == ("tests", "billing", 400)
    assert (second["method"], second["path"], second["authorization"]) == ("GET", f"/v1/{LOCATION}/datasets", None)
    assert "canary" not in str(first)
    own.admin("DELETE", "requests")
    assert own.admin("GET", "requests") == []


def test_a_reset_forgets_everything(own: Client) -> None:
    dataset = own.new_dataset()
    own.admin("PUT", "progression", {"mode": "manual"})
    _fault(own, match={"path": "nothing"}, status=500)
    own.admin("POST", "reset", {})
    assert own.admin("GET", "faults") == {"faults": []}
    assert own.admin("GET", "requests") == []
    assert own.admin("GET", "progression")["mode"] == "work"
    own.error("GET", dataset, status=403)
