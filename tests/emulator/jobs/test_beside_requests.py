"""Requests beside jobs: they do not wait for them."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from airflow_healthcare_deid.emulator import Emulator
from tests.emulator.client import Client
from tests.emulator.dicom_files import instance

if TYPE_CHECKING:
    from pathlib import Path


def test_requests_do_not_wait_for_jobs(tmp_path: Path) -> None:
    never_written = tmp_path / "pipe"
    os.mkfifo(never_written)
    with ThreadPoolExecutor() as threads, Emulator() as emulator, Client(emulator.url) as client:
        workers = emulator._state.workers  # type: ignore[union-attr]
        for _ in range(workers.count):
            threads.submit(workers.call, "builtins:open", never_written)
        store = client.new_store(instances=[instance()])
        client.call("GET", f"{store}/dicomWeb/instances", includefield="all")
        dataset = store.partition("/dicomStores")[0]
        body = {"destinationDataset": f"{dataset}-b", "config": {"dicom": {}}}
        started = client.call("POST", f"{dataset}:deidentify", body)
        assert "done" not in client.call("GET", started["name"])
