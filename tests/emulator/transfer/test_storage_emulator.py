from __future__ import annotations

import os
import signal
import subprocess
import sys
from typing import TYPE_CHECKING

from google.auth.credentials import AnonymousCredentials
from google.cloud.storage import Client

from airflow_healthcare_deid.emulator import Emulator
from airflow_healthcare_deid.emulator.storage_emulator import StorageEmulator

if TYPE_CHECKING:
    from pathlib import Path

    import pytest


def test_the_environment_is_as_before_when_it_stops(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STORAGE_EMULATOR_HOST", "http://before")
    with StorageEmulator() as running:
        assert os.environ["STORAGE_EMULATOR_HOST"] == running.url
    assert os.environ["STORAGE_EMULATOR_HOST"] == "http://before"
    monkeypatch.delenv("STORAGE_EMULATOR_HOST")
    with StorageEmulator():
        pass
    assert "STORAGE_EMULATOR_HOST" not in os.environ


def test_objects_are_kept_with_the_emulators_data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("STORAGE_EMULATOR_HOST", raising=False)
    for first in (True, False):
        with Emulator(tmp_path, with_storage=True) as emulator:
            assert emulator.storage_url == os.environ["STORAGE_EMULATOR_HOST"]
            client = Client(project="p", credentials=AnonymousCredentials())
            if first:
                client.create_bucket("kept").blob("a").upload_from_string("text")
            assert client.bucket("kept").blob("a").download_as_bytes() == b"text"
            client.close()


def test_the_command_prints_both_addresses() -> None:
    process = subprocess.Popen(
        [sys.executable, "-m", "airflow_healthcare_deid.emulator", "--with-storage"], stdout=subprocess.PIPE, text=True
    )
    with process:
        assert process.stdout is not None
        lines = [process.stdout.readline() for _ in range(2)]
        process.send_signal(signal.SIGTERM)
        assert process.wait(30) == 0
    assert lines[0].startswith("STORAGE_EMULATOR_HOST=http://127.0.0.1:")
    assert lines[1].startswith("HEALTHCARE_EMULATOR_HOST=http://127.0.0.1:")
