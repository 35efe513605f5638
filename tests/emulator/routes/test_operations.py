"""Operations as a client sees them, and how the admin interface makes them proceed."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from airflow_healthcare_deid.emulator import Emulator
from airflow_healthcare_deid.operation import Operation, OperationStatus
from tests.emulator.client import LOCATION, Client
from tests.emulator.dicom_files import instance

if TYPE_CHECKING:
    from collections.abc import Iterator

KEEP = {"dicom": {"filterProfile": "KEEP_ALL_PROFILE"}}


class Clock:
    """A clock that stands until it is moved."""

    def __init__(self) -> None:
        self.now = datetime(2026, 3, 1, 12, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def emulator(clock: Clock) -> Iterator[Emulator]:
    with Emulator(clock=clock) as made:
        yield made


def _start(own: Client, source: str | None = None, destination: str = "copy") -> tuple[str, str]:
    source = source or own.new_dataset()
    body = {"destinationDataset": f"{LOCATION}/datasets/{destination}", "config": KEEP}
    return source, own.call("POST", f"{source}:deidentify", body)["name"]


def test_a_finished_operation_has_all_that_clients_read(own: Client) -> None:
    source, name = _start(own)
    found = own.finished(name)
    assert name.startswith(f"{source}/operations/")
    assert 2**62 <= int(name.rpartition("/")[2]) < 2**63
    assert found["metadata"]["counter"] == {}  # Google's sample reads it without asking
    assert found["metadata"]["logsUrl"].startswith("https://console.cloud.google.com/logs/")
    assert found["metadata"]["createTime"] == "2026-03-01T12:00:00.000000Z" == found["metadata"]["endTime"]
    assert Operation.from_dict(found).status is OperationStatus.SUCCEEDED


def test_the_start_tells_only_the_name(own: Client) -> None:
    body = {"destinationDataset": f"{LOCATION}/datasets/copy", "config": {}}
    assert set(own.call("POST", f"{own.new_dataset()}:deidentify", body)) == {"name"}


def test_an_immediate_operation_is_done_at_the_first_look(own: Client) -> None:
    own.admin("PUT", "progression", {"mode": "immediate"})
    source = own.new_store(instances=[instance(), instance()]).rpartition("/dicomStores")[0]
    found = own.call("GET", _start(own, source)[1])
    assert found["done"] is True
    assert found["metadata"]["counter"] == {"success": "2"}


def test_polls_are_counted_one_look_each(own: Client) -> None:
    source = own.new_dataset()
    own.admin("PUT", "progression", {"mode": "polls", "polls": 3})
    _, name = _start(own, source)
    looks = [own.call("GET", name) for _ in range(3)]
    assert not any(look.get("done") or "endTime" in look["metadata"] for look in looks)
    assert own.finished(name)["done"] is True


def test_no_operation_ends_before_its_time(own: Client, clock: Clock) -> None:
    own.admin("PUT", "progression", {"minSeconds": 60, "apiMethodName": "Deidentify"})
    _, name = _start(own)
    clock.now += timedelta(seconds=59)
    assert "done" not in own.call("GET", name)
    clock.now += timedelta(seconds=1)
    assert own.finished(name)["metadata"]["endTime"] == "2026-03-01T12:01:00.000000Z"


def test_a_manual_operation_ends_when_told(own: Client) -> None:
    source = own.new_dataset()
    own.admin("PUT", "progression", {"mode": "manual"})
    _, name = _start(own, source)
    shown = own.admin("POST", f"operations/{name}:advance", {"counter": {"success": 3, "pending": 4}})
    assert shown["metadata"]["counter"] == {"success": "3", "pending": "4"}
    assert "done" not in own.call("GET", name)
    own.admin("POST", f"operations/{name.rpartition('/')[2]}:advance", {"done": True})
    assert own.finished(name)["metadata"]["counter"] == {"success": "3"}
    own.admin("POST", f"operations/{name}:advance", {"done": True}, status=400)


def test_an_operation_fails_with_the_error_it_is_given(own: Client) -> None:
    source = own.new_dataset()
    own.admin("PUT", "progression", {"mode": "manual"})
    _, name = _start(own, source)
    own.admin("POST", f"operations/{name}:advance", {"error": {"code": 8, "message": "enough"}})
    found = own.call("GET", name)
    assert (found["done"], found["error"]["code"], found["error"]["message"]) == (True, 8, "enough")
    assert "response" not in found


def test_a_cancelled_operation_stays_with_code_1(own: Client) -> None:
    source = own.new_dataset()
    own.admin("PUT", "progression", {"mode": "manual"})
    _, name = _start(own, source)
    assert own.call("POST", f"{name}:cancel", {}) == {}
    found = own.finished(name)
    assert found["error"]["code"] == 1
    assert found["metadata"]["cancelRequested"] is True
    assert Operation.from_dict(found).status is OperationStatus.CANCELLED


def test_a_finished_operation_cannot_be_cancelled(own: Client) -> None:
    _, name = _start(own)
    own.finished(name)
    answer = own.call("POST", f"{name}:cancel", {}, status=400)
    assert "operation has already completed" in answer["error"]["details"][0]["detail"]


def test_listing_shows_the_newest_first_page_by_page(own: Client) -> None:
    source = own.new_dataset()
    names = [_start(own, source, f"copy-{number}")[1] for number in range(3)]
    first = own.call("GET", f"{source}/operations", pageSize=2, filter="done=true")
    assert [item["name"] for item in first["operations"]] == names[:0:-1]
    rest = own.call("GET", f"{source}/operations", pageSize=2, pageToken=first["nextPageToken"])
    assert rest["operations"][0]["name"] == names[0]
    assert "CreateDataset" in rest["operations"][1]["metadata"]["apiMethodName"]
    assert "nextPageToken" not in rest


def test_an_operation_is_forgotten_after_30_days(own: Client, clock: Clock) -> None:
    source, name = _start(own)
    own.finished(name)
    clock.now += timedelta(days=30)
    assert own.call("GET", name)["done"] is True
    clock.now += timedelta(seconds=1)
    own.error("GET", name, status=404)
    assert own.call("GET", f"{source}/operations") == {}


def test_an_operation_that_never_was(own: Client) -> None:
    source = own.new_dataset()
    own.error("GET", f"{source}/operations/1", status=404)
    own.error("POST", f"{source}/operations/1:cancel", {}, status=404)
    own.error("GET", f"{LOCATION}/datasets/none/operations/1", status=403)
    own.error("GET", f"{source}/operations", status=501, returnPartialSuccess="true")
    own.error("GET", f"{source}/operations", status=400, pageToken="eA==")


@pytest.mark.parametrize(
    "body", [{"mode": "x"}, {"polls": -1}, {"failShare": 2}, {"minSeconds": -1}, {"apiMethodName": "("}, {"x": 1}]
)
def test_a_wrong_progression_is_refused(own: Client, body: dict[str, Any]) -> None:
    own.admin("PUT", "progression", body, status=400)
    assert own.admin("GET", "progression")["mode"] == "work"
