"""Running the command line in this process, with what it printed and its exit code."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

import pytest

from airflow_healthcare_deid.cli import main as command_line
from tests.support.identity import secure_emulator, tokens

if TYPE_CHECKING:
    from airflow_healthcare_deid.emulator import Emulator


class Result(NamedTuple):
    """How a command ended."""

    code: int
    out: str
    err: str


__all__ = ["secure_emulator", "tokens"]

Run = Callable[..., Result]


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Run ``healthcare-deid`` with arguments."""

    def run_(*arguments: str) -> Result:
        monkeypatch.setattr("sys.argv", ["healthcare-deid", *arguments])
        code = 0
        try:
            command_line.main()
        except SystemExit as end:
            code = end.code if isinstance(end.code, int) else 1
        captured = capsys.readouterr()
        return Result(code, captured.out, captured.err)

    return run_


@pytest.fixture
def dataset(session_emulator: Emulator, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> str:
    """A dataset with an empty DICOM store in the emulator that the command line talks to."""
    from airflow_healthcare_deid.cli.client import Client

    monkeypatch.setenv("HEALTHCARE_EMULATOR_HOST", session_emulator.url)
    location = f"projects/cli-{abs(hash(request.node.nodeid)) % 10**9}/locations/us-central1"
    with Client() as client:
        client.call("POST", f"{location}/datasets", {}, {"datasetId": "source"})
        client.call("POST", f"{location}/datasets/source/dicomStores", {}, {"dicomStoreId": "ct"})
    return f"{location}/datasets/source"
