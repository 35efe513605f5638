"""Exports that a stop of the emulator interrupts come out whole."""

from __future__ import annotations

import json
import threading
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import msgspec
import pytest

from airflow_healthcare_deid.emulator.jobs import find_job
from airflow_healthcare_deid.emulator.jobs.context import InterruptedWork, JobContext
from airflow_healthcare_deid.emulator.state import State
from airflow_healthcare_deid.resource_names import DatasetName
from tests.support.jobs import StopsAfter

if TYPE_CHECKING:
    from collections.abc import Iterator


NAME = DatasetName("p", "us-central1", "d")
IDS = [f"p{number}" for number in range(12)]


@pytest.fixture
def state(tmp_path: Any) -> Iterator[State]:
    made = State(tmp_path, lambda: datetime.now(UTC))
    yield made
    made.close()


def run(state: State, kind: str, interrupt: bool, **payload: Any) -> dict[str, int]:
    """Do an operation's work, in two pieces if it is to be interrupted, and return its counters."""
    dataset = state.resources.find(NAME) or state.resources.create(NAME, {})
    name = NAME.fhir_store("s")
    store = state.resources.find(name) or state.resources.create(name, {"version": "R4"})
    for key in IDS:
        state.fhir.put(store.key, {"resourceType": "Patient", "id": key}, "PUT")
    record = state.operations.create(dataset, "method", kind, {"store": store.key, **payload})
    if interrupt:
        with pytest.raises(InterruptedWork):
            find_job(kind)(StopsAfter(state, record, 5, InterruptedWork()))
        state.operations.live_counter(record).clear()  # as in a new process
    find_job(kind)(JobContext(state, record, threading.Event()))
    return dict(state.operations.live_counter(record))


@pytest.mark.parametrize("interrupt", [False, True])
def test_an_object_has_every_resource_once(state: State, bucket: Any, interrupt: bool) -> None:
    counter = run(state, "exportFhirToStorage", interrupt, types=[], since=-1, prefix=f"gs://{bucket.name}/")
    assert (counter["success"], counter["pending"]) == (len(IDS), 0)
    lines = bucket.blob("Patient.ndjson").download_as_text().splitlines()
    assert [json.loads(line)["id"] for line in lines] == IDS


@pytest.mark.parametrize("interrupt", [False, True])
def test_a_table_has_every_resource_once(state: State, interrupt: bool) -> None:
    fields = {"dataset": ["p", "d"], "disposition": "WRITE_EMPTY", "schemaType": "ANALYTICS", "depth": 2}
    counter = run(state, "exportFhirToBigQuery", interrupt, types=[], since=-1, partition=None, **fields)
    assert (counter["success"], counter["pending"]) == (len(IDS), 0)
    rows = (state.storage.directory / "bigquery/p/d/Patient.ndjson").read_text().splitlines()
    assert [json.loads(row)["id"] for row in rows] == IDS
    state.reset()
    assert not (state.storage.directory / "bigquery").exists()


def test_an_import_goes_on_where_it_stopped(state: State, bucket: Any) -> None:
    lines = [json.dumps({"resourceType": "Patient", "id": f"new{number}"}) for number in range(8)]
    bucket.blob("in.ndjson").upload_from_string("\n".join(lines))
    uri = f"gs://{bucket.name}/in.ndjson"
    counter = run(state, "importFhir", True, uri=uri, structure="RESOURCE")
    assert (counter["success"], counter["pending"]) == (8, 0)


def test_a_share_of_an_export_fails_by_decree(state: State, bucket: Any) -> None:
    state.operations.progression = msgspec.structs.replace(state.operations.progression, fail_share=1.0)
    counter = run(state, "exportFhirToStorage", False, types=[], since=-1, prefix=f"gs://{bucket.name}/")
    assert (counter["failure"], counter.get("success", 0)) == (len(IDS), 0)
    assert list(bucket.list_blobs()) == []
