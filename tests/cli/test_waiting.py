"""Following an operation: what is shown of it, what Ctrl-C does, and what is written when it ends."""

from __future__ import annotations

import io
import json
from typing import TYPE_CHECKING

import pytest

from airflow_healthcare_deid.cli.client import Client
from airflow_healthcare_deid.cli.waiting import account, follow
from airflow_healthcare_deid.errors import OperationCancelledError, TooManyFailedResourcesError, TransientApiError
from airflow_healthcare_deid.operation import FailurePolicy, Progress
from tests.support.emulator_admin import EmulatorAdmin

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from airflow_healthcare_deid.emulator import Emulator

LOCATION = "projects/p/locations/us-central1"


class Terminal(io.StringIO):
    """What somebody at a terminal types."""

    def isatty(self) -> bool:
        return True


@pytest.fixture
def admin(emulator: Emulator) -> Iterator[EmulatorAdmin]:
    with EmulatorAdmin(emulator.url) as admin:
        yield admin


@pytest.fixture
def client(emulator: Emulator) -> Iterator[Client]:
    with Client(emulator.url) as client:
        yield client


@pytest.fixture
def running(client: Client, admin: EmulatorAdmin) -> str:
    """An operation that goes on until it is advanced."""
    client.call("POST", f"{LOCATION}/datasets", {}, {"datasetId": "raw"})
    admin.set_progression("manual")
    body = {"destinationDataset": f"{LOCATION}/datasets/clean", "config": {"dicom": {}}}
    return str(client.call("POST", f"{LOCATION}/datasets/raw:deidentify", body)["name"])


def interrupt(_seconds: float) -> None:
    raise KeyboardInterrupt


def steps(*actions: Callable[[], None]) -> Callable[[float], None]:
    """Return what does the next thing whenever it is told to sleep."""
    left = iter(actions)
    return lambda _seconds: next(left)()


@pytest.mark.parametrize(
    ("progress", "rate", "said"),
    [
        (Progress(), 0.0, "0 succeeded, 0 failed"),
        (Progress(success=1200, failure=1), 12.34, "1200 succeeded, 1 failed, 12.3/s"),
        (Progress(success=10, pending=7200), 2.0, "10 succeeded, 0 failed, 7200 pending, 2.0/s, 1:00:00 left"),
        (Progress(success=10, pending=5), 0.0, "10 succeeded, 0 failed, 5 pending"),
    ],
)
def test_counters_rate_and_time_left(progress: Progress, rate: float, said: str) -> None:
    assert account(progress, rate) == said


def test_the_rate_is_that_of_what_was_seen(
    client: Client,
    admin: EmulatorAdmin,
    running: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Whoever looks at an operation that began yesterday has not seen what was done until then."""
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("COLUMNS", "100")
    admin.advance(running, counter={"success": 5_000_000, "pending": 10})
    follow(client, running, FailurePolicy(), "-", steps(lambda: admin.advance(running, done=True)))
    shown = capsys.readouterr().err
    assert "5000000 succeeded, 0 failed, 10 pending" in shown
    assert "/s" not in shown
    assert "left" not in shown


def test_without_a_terminal_each_change_is_a_line(
    client: Client, admin: EmulatorAdmin, running: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    sleep = steps(
        lambda: None,
        lambda: admin.advance(running, counter={"success": 2, "failure": 1}),
        lambda: admin.advance(running, done=True),
    )
    follow(client, running, FailurePolicy(1), str(tmp_path / "operation.json"), sleep)
    assert capsys.readouterr().err.splitlines()[:2] == ["0 succeeded, 0 failed", "2 succeeded, 1 failed"]
    assert json.loads((tmp_path / "operation.json").read_text())["done"] is True


@pytest.mark.parametrize(
    ("push", "error"),
    [
        ({"error": {"code": 1, "message": "cancelled"}}, OperationCancelledError),
        ({"counter": {"success": 2, "failure": 1}, "done": True}, TooManyFailedResourcesError),
    ],
)
def test_the_json_of_a_failure_is_written_too(
    client: Client,
    admin: EmulatorAdmin,
    running: str,
    push: dict[str, object],
    error: type[Exception],
    capsys: pytest.CaptureFixture[str],
) -> None:
    sleep = steps(*(lambda one=one: admin.advance(running, **{one: push[one]}) for one in push))
    with pytest.raises(error):
        follow(client, running, FailurePolicy(), "-", sleep)
    assert json.loads(capsys.readouterr().out)["name"] == running


def test_a_service_that_does_not_answer_is_asked_again(
    client: Client, admin: EmulatorAdmin, running: str, capsys: pytest.CaptureFixture[str]
) -> None:
    admin.add_fault("GET", "operations", status=503, retryAfter=7, count=2)
    slept: list[float] = []

    def sleep(seconds: float) -> None:
        slept.append(seconds)
        if len(slept) == 3:
            admin.advance(running, done=True)

    follow(client, running, FailurePolicy(), "-", sleep)
    assert slept[:2] == [7.0, 7.0]
    assert json.loads(capsys.readouterr().out)["done"] is True


def test_it_gives_up_in_the_end(client: Client, admin: EmulatorAdmin, running: str) -> None:
    admin.add_fault("GET", "operations", status=503)
    with pytest.raises(TransientApiError):
        follow(client, running, FailurePolicy(), "-", lambda _seconds: None)
    assert len(admin.requests("GET", "operations")) == 10


@pytest.mark.parametrize(("typed", "cancelled"), [("y\n", True), ("n\n", False), ("\n", False), ("", False)])
def test_ctrl_c_asks_whether_to_cancel(
    client: Client,
    running: str,
    typed: str,
    cancelled: bool,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr("sys.stdin", Terminal(typed))
    with pytest.raises(KeyboardInterrupt):
        follow(client, running, FailurePolicy(), "-", interrupt)
    said = capsys.readouterr().err
    assert f"Cancel {running}?" in said
    assert ("Cancel requested" in said) == cancelled
    assert (f"operations wait {running}" in said) != cancelled
    assert client.call("GET", running).get("done", False) == cancelled


def test_without_a_terminal_ctrl_c_leaves_it_running(
    client: Client, running: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(KeyboardInterrupt):
        follow(client, running, FailurePolicy(), "-", interrupt)
    assert f"operations wait {running}" in capsys.readouterr().err
    assert not client.call("GET", running).get("done")
