"""Work that is cancelled, interrupted or cut off goes on, or ends, as the service's would."""

from __future__ import annotations

import functools
import signal
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

from airflow_healthcare_deid.emulator import Emulator
from tests.emulator.client import Client
from tests.emulator.dicom_files import instance

if TYPE_CHECKING:
    from pathlib import Path

COUNT = 400
"""So many that they are not done before a client has looked and asked for something."""
CONFIG = {"dicom": {"filterProfile": "ATTRIBUTE_CONFIDENTIALITY_BASIC_PROFILE"}}


@functools.cache
def _instances() -> list[bytes]:
    return [instance() for _ in range(COUNT)]


def _fill(client: Client) -> str:
    return client.new_store(instances=_instances()).rpartition("/dicomStores")[0]


def _start(client: Client, source: str) -> str:
    body = {"destinationDataset": f"{source}-copy", "config": CONFIG}
    name: str = client.call("POST", f"{source}:deidentify", body)["name"]
    while not client.call("GET", name)["metadata"].get("counter", {}).get("success"):
        pass
    return name


def _written(client: Client, source: str) -> int:
    return int(client.call("GET", f"{source}-copy/dicomStores/store:getDICOMStoreMetrics")["instanceCount"])


def test_a_cancel_leaves_what_was_written(own: Client) -> None:
    source = _fill(own)
    name = _start(own, source)
    own.call("POST", f"{name}:cancel", {})
    operation = own.finished(name)
    counter = operation["metadata"]["counter"]
    assert operation["error"]["code"] == 1
    assert 0 < int(counter["success"]) < COUNT
    assert int(counter["success"]) == _written(own, source)
    assert "pending" not in counter


def test_progress_moves_and_adds_up(own: Client) -> None:
    name = _start(own, _fill(own))
    counters: list[dict[str, Any]] = []
    while not (found := own.call("GET", name)).get("done"):
        counters.append({key: int(value) for key, value in found["metadata"]["counter"].items()})
    assert all(sum(counter.values()) == COUNT for counter in counters)
    assert [counter["success"] for counter in counters] == sorted(counter["success"] for counter in counters)
    assert found["metadata"]["counter"] == {"success": str(COUNT)}


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_a_restart_takes_up_the_work_where_it_stopped(tmp_path: Path, number: signal.Signals) -> None:
    command = [sys.executable, "-m", "airflow_healthcare_deid.emulator", "--data-dir", str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            with Client(process.stdout.readline().strip().partition("=")[2]) as client:
                source = _fill(client)
                name = _start(client, source)
            process.send_signal(number)
            process.wait(30)
        finally:
            process.kill()
    with Emulator(tmp_path) as emulator, Client(emulator.url) as client:
        operation = client.finished(name)
        assert operation["metadata"]["counter"] == {"success": str(COUNT)}
        assert _written(client, source) == COUNT
        assert not [path for path in (tmp_path / "incoming").rglob("*") if path.is_file()]


@pytest.mark.parametrize("role", ["source", "destination"])
def test_work_ends_when_what_it_needs_is_deleted(own: Client, role: str) -> None:
    source = _fill(own)
    name = _start(own, source)
    if role == "source":
        own.call("DELETE", source)
        own.error("GET", name, status=403)
    else:
        own.call("DELETE", f"{source}-copy")
        assert own.finished(name)["error"]["code"] == 5
