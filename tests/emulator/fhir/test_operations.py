"""De-identification as a long-running operation: failures, cancelling, going on after a restart."""

from __future__ import annotations

import threading
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import msgspec
import pytest

from airflow_healthcare_deid.config import load_config
from airflow_healthcare_deid.emulator.errors import ServiceError
from airflow_healthcare_deid.emulator.jobs import find_job
from airflow_healthcare_deid.emulator.jobs.context import InterruptedWork, JobContext
from airflow_healthcare_deid.emulator.jobs.deidentify_fhir import Selection
from airflow_healthcare_deid.emulator.jobs.spec import Spec
from airflow_healthcare_deid.emulator.operations import cancelled
from airflow_healthcare_deid.emulator.state import State
from airflow_healthcare_deid.resource_names import DatasetName
from tests.support.jobs import StopsAfter

if TYPE_CHECKING:
    from collections.abc import Iterator

    from airflow_healthcare_deid.emulator.operations import OperationRecord

NAME = DatasetName("p", "us-central1", "d")
COUNT = 300


@pytest.fixture
def state(tmp_path: Any) -> Iterator[State]:
    made = State(tmp_path, lambda: datetime.now(UTC))
    yield made
    made.close()


def prepare(state: State) -> OperationRecord:
    """Fill a store, and enter an operation that de-identifies it; its work is not started."""
    dataset = state.resources.create(NAME, {})
    source, target = (state.resources.create(NAME.fhir_store(name), {"version": "R4"}) for name in ("a", "b"))
    for number in range(COUNT):
        state.fhir.put(source.key, {"resourceType": "Patient", "id": f"p{number}"}, "PUT")
    payload = {
        "spec": msgspec.to_builtins(Spec.new(load_config({"fhir": {}}))),
        "source": source.key,
        "destination": target.key,
        "selection": msgspec.to_builtins(Selection()),
    }
    return state.operations.create(dataset, "method", "deidentifyFhirStore", payload)


def copied(state: State) -> int:
    target = state.resources.find(NAME.fhir_store("b"))
    assert target is not None
    return state.fhir.count(target.key)


def test_work_goes_on_after_a_restart_where_it_stopped(state: State) -> None:
    record = prepare(state)
    with pytest.raises(InterruptedWork):
        find_job(record.kind)(StopsAfter(state, record, 10, InterruptedWork()))
    finished = copied(state)
    assert 10 <= finished < COUNT
    state.operations.live_counter(record).clear()  # as in a new process
    context = JobContext(state, record, threading.Event())
    assert len(context.finished_items) == finished
    find_job(record.kind)(context)
    assert copied(state) == COUNT
    counter = state.operations.live_counter(record)
    assert (counter["success"], counter["failure"], counter["pending"]) == (COUNT, 0, 0)


def test_a_cancelled_operation_leaves_what_it_had_written(state: State) -> None:
    record = prepare(state)
    with pytest.raises(ServiceError, match="cancelled"):
        find_job(record.kind)(StopsAfter(state, record, 5, cancelled()))
    assert 5 <= copied(state) < COUNT


def test_resources_fail_by_decree(state: State) -> None:
    state.operations.progression = msgspec.structs.replace(state.operations.progression, fail_share=1.0)
    record = prepare(state)
    context = JobContext(state, record, threading.Event())
    find_job(record.kind)(context)
    assert copied(state) == 0
    assert state.operations.live_counter(record)["failure"] == COUNT


def test_a_resource_that_cannot_be_deidentified_stops_nothing(state: State) -> None:
    record = prepare(state)
    source = record.payload["source"] if record.payload else 0
    broken = {"resourceType": "Patient", "id": "broken", "text": {"status": "generated", "div": "<div><b></div>"}}
    state.fhir.put(source, broken, "PUT")
    find_job(record.kind)(JobContext(state, record, threading.Event()))
    counter = state.operations.live_counter(record)
    assert counter["success"] + counter["failure"] == COUNT + 1
    assert copied(state) == counter["success"]
    assert counter["success"] >= COUNT


def test_a_store_deleted_meanwhile_ends_the_operation(state: State) -> None:
    record = prepare(state)
    target = state.resources.find(NAME.fhir_store("b"))
    assert target is not None
    state.resources.delete(target)
    with pytest.raises(ServiceError, match="deleted"):
        find_job(record.kind)(JobContext(state, record, threading.Event()))


def test_what_was_written_after_the_operation_began_is_skipped(state: State) -> None:
    record = prepare(state)
    assert record.payload is not None
    source = record.payload["source"]
    newest = max(version.updated for version in state.fhir.scan(source))
    state.fhir.put(source, {"resourceType": "Patient", "id": "p0", "active": True}, "PUT")
    state.fhir.put(source, {"resourceType": "Patient", "id": "late"}, "PUT")
    record.payload["selection"] = msgspec.to_builtins(Selection(until=newest))
    find_job(record.kind)(JobContext(state, record, threading.Event()))
    assert copied(state) == COUNT - 1
    assert state.operations.live_counter(record)["pending"] == 0
