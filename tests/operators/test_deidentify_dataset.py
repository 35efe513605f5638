"""DeidentifyDatasetOperator against the emulator: the ways that end well, and the ways that end at once."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest
from airflow.providers.common.compat.sdk import AirflowFailException

from airflow_healthcare_deid.errors import (
    ConflictError,
    InvalidRequestError,
    OperationCancelledError,
    OperationFailedError,
    OperationTimeoutError,
    PermissionOrNotFoundError,
    TooManyFailedResourcesError,
)
from airflow_healthcare_deid.operators.deidentify import DeidentifyDatasetOperator
from tests.support.tasks import DictStore, run_task, task_context
from tests.support.wing import DESTINATION, LOCATION, SOURCE

if TYPE_CHECKING:
    from collections.abc import Iterator

    from airflow_healthcare_deid.hooks.healthcare import HealthcareHook
    from tests.support.emulator_admin import EmulatorAdmin

BOTH_MODES = pytest.mark.parametrize("deferrable", [False, True], ids=["worker", "deferrable"])


def operator(**arguments: Any) -> DeidentifyDatasetOperator:
    given: dict[str, Any] = {
        "task_id": "deidentify",
        "source_dataset": str(SOURCE),
        "destination_dataset": "destination",
        "config": {"dicom": {}, "fhir": {}},
        "poll_interval": 0.02,
        "max_poll_interval": 0.1,
    }
    return DeidentifyDatasetOperator(**given | arguments)


def run(task: DeidentifyDatasetOperator, store: DictStore | None = None, **arguments: Any) -> Any:
    return run_task(task, task_context(task, store or DictStore(), **arguments))


@contextmanager
def pushing(admin: EmulatorAdmin, **push: Any) -> Iterator[None]:
    """Push the operation to its end as soon as it has begun."""
    admin.set_progression("manual")
    over = threading.Event()

    def watch() -> None:
        while not over.wait(0.01):
            for request in admin.requests("GET", r"/operations/[0-9]+$"):
                admin.advance(request["path"].removeprefix("/v1/"), **push)
                return

    thread = threading.Thread(target=watch)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def submissions(admin: EmulatorAdmin) -> int:
    return len(admin.requests("POST", r":deidentify$"))


@BOTH_MODES
def test_deidentifies_and_tells(deferrable: bool, hook: HealthcareHook, admin: EmulatorAdmin) -> None:
    task, store = operator(deferrable=deferrable), DictStore()
    context = task_context(task, store)
    summary = run_task(task, context)
    assert summary["status"] == "SUCCEEDED"
    assert summary["source"] == str(SOURCE)
    assert summary["destination"] == str(DESTINATION)
    assert summary["operation"] in [operation.name for operation in hook.list_operations(SOURCE)]
    assert summary["duration"] is not None
    assert context["ti"].xcoms["dicom_stores"] == [str(DESTINATION.dicom_store("images"))]
    assert context["ti"].xcoms["fhir_stores"] == [str(DESTINATION.fhir_store("records"))]
    assert store.values == {}
    assert submissions(admin) == 1


def test_summary_is_the_same_in_both_modes(hook: HealthcareHook) -> None:
    summaries = [
        run(operator(deferrable=deferrable, destination_dataset=f"to-{deferrable}")) for deferrable in (False, True)
    ]
    assert [list(summary) for summary in summaries] == [list(summaries[0])] * 2
    assert {type(value) for summary in summaries for value in summary.values()} == {str, int, float}


def test_short_ids_take_the_connections_project(hook: HealthcareHook) -> None:
    summary = run(operator(source_dataset="source", location=LOCATION))
    assert summary["source"] == str(SOURCE)


def test_without_wait_the_task_ends_when_the_operation_has_begun(hook: HealthcareHook, admin: EmulatorAdmin) -> None:
    admin.set_progression("manual")
    store = DictStore()
    summary = run(operator(wait=False), store)
    assert summary["status"] == "RUNNING"
    assert store.values == {}


def test_links_work_while_the_operation_runs(hook: HealthcareHook, admin: EmulatorAdmin) -> None:
    admin.set_progression("manual")
    task = operator(wait=False)
    context = task_context(task, DictStore())
    run_task(task, context)
    for link in task.operator_extra_links:
        assert context["ti"].xcoms[link.xcom_key].startswith("https://console.cloud.google.com/")
    assert f"/datasets/{DESTINATION.dataset}/" in context["ti"].xcoms["healthcare_destination_dataset"]


# What the operation may end with ---------------------------------------------------------------------------------


@BOTH_MODES
def test_a_failed_operation_fails_the_task(deferrable: bool, hook: HealthcareHook, admin: EmulatorAdmin) -> None:
    with pushing(admin, error={"code": 13, "message": "internal"}), pytest.raises(OperationFailedError) as caught:
        run(operator(deferrable=deferrable))
    assert "code 13: internal" in str(caught.value)
    assert not isinstance(caught.value, AirflowFailException)


@BOTH_MODES
def test_a_cancelled_operation_fails_the_task(deferrable: bool, hook: HealthcareHook, admin: EmulatorAdmin) -> None:
    with pushing(admin, error={"code": 1, "message": "cancelled"}), pytest.raises(OperationCancelledError):
        run(operator(deferrable=deferrable))


@BOTH_MODES
def test_lost_resources_fail_the_task_without_retry(
    deferrable: bool, hook: HealthcareHook, admin: EmulatorAdmin
) -> None:
    store = DictStore()
    with pushing(admin, done=True, counter={"success": 8, "failure": 2}), pytest.raises(AirflowFailException) as caught:
        run(operator(deferrable=deferrable), store)
    assert isinstance(caught.value, TooManyFailedResourcesError)
    assert "2 resources failed" in str(caught.value)
    assert store.values == {}


def test_lost_resources_within_the_limit_are_a_success(hook: HealthcareHook, admin: EmulatorAdmin) -> None:
    with pushing(admin, done=True, counter={"success": 8, "failure": 2}):
        summary = run(operator(max_failed_resources="2", max_failed_ratio=0.2))
    assert (summary["success"], summary["failure"]) == (8, 2)


@BOTH_MODES
def test_past_the_deadline_the_operation_is_cancelled(
    deferrable: bool, hook: HealthcareHook, admin: EmulatorAdmin
) -> None:
    admin.set_progression("manual")
    with pytest.raises(OperationTimeoutError) as caught:
        run(operator(deferrable=deferrable, timeout=1.5))
    [operation] = [o for o in hook.list_operations(SOURCE) if o.name == caught.value.operation_name]
    assert operation.cancel_requested


# What is there already -------------------------------------------------------------------------------------------


def test_an_existing_destination_is_a_conflict(hook: HealthcareHook, admin: EmulatorAdmin) -> None:
    hook.create_dataset(DESTINATION)
    with pytest.raises(AirflowFailException) as caught:
        run(operator())
    assert isinstance(caught.value, ConflictError)
    assert "if_destination_exists" in str(caught.value)
    assert submissions(admin) == 0


def test_an_existing_destination_can_be_used_as_it_is(hook: HealthcareHook, admin: EmulatorAdmin) -> None:
    hook.create_dataset(DESTINATION)
    hook.create_dicom_store(DESTINATION.dicom_store("old"))
    task = operator(if_destination_exists="reuse")
    context = task_context(task, DictStore())
    summary = run_task(task, context)
    assert (summary["status"], summary["operation"]) == ("REUSED", None)
    assert context["ti"].xcoms["dicom_stores"] == [str(DESTINATION.dicom_store("old"))]
    assert submissions(admin) == 0


def test_an_existing_destination_can_be_replaced(hook: HealthcareHook) -> None:
    hook.create_dataset(DESTINATION)
    hook.create_dicom_store(DESTINATION.dicom_store("old"))
    assert run(operator(if_destination_exists="replace"))["status"] == "SUCCEEDED"
    assert hook.list_dicom_stores(DESTINATION) == [DESTINATION.dicom_store("images")]


# What is wrong from the start ------------------------------------------------------------------------------------


def test_a_missing_source_names_both_readings_and_the_permission(hook: HealthcareHook) -> None:
    hook.delete_dataset(SOURCE)
    with pytest.raises(PermissionOrNotFoundError) as caught:
        run(operator())
    assert "healthcare.datasets.deidentify" in str(caught.value)
    assert "does not exist" in str(caught.value)


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        ({"destination_dataset": str(SOURCE)}, "source itself"),
        ({"destination_dataset": "projects/p/locations/europe-west4/datasets/d"}, "europe-west4"),
        ({"source_dataset": "source"}, "location"),
        ({"destination_dataset": "a b"}, "destination_dataset"),
    ],
)
def test_a_wrong_name_fails_before_anything_is_sent(
    arguments: dict[str, Any], named: str, hook: HealthcareHook, admin: EmulatorAdmin
) -> None:
    with pytest.raises(InvalidRequestError, match=named):
        run(operator(**arguments))
    assert submissions(admin) == 0


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        ({"config": None}, "gcs_config_uri"),
        ({"gcs_config_uri": "gs://bucket/config.json"}, "together"),
        ({"config": {"dicom": {"filterProfil": "MINIMAL_KEEP_LIST_PROFILE"}}}, "filterProfil"),
        ({"source_dataset": "projects/P/datasets/d"}, "source_dataset"),
        ({"if_destination_exists": "overwrite"}, "if_destination_exists"),
        ({"poll_interval": 0}, "poll_interval"),
        ({"timeout": -1}, "timeout"),
        ({"max_failed_ratio": 2}, "max_failed_ratio"),
    ],
)
def test_a_literal_mistake_fails_the_dag_file(arguments: dict[str, Any], named: str) -> None:
    with pytest.raises(InvalidRequestError, match=named):
        operator(**arguments)


def test_a_template_is_not_judged_in_the_dag_file() -> None:
    operator(
        source_dataset="{{ params.source }}",
        config={"dicom": {"filterProfile": "{{ params.profile }}"}},
        poll_interval="{{ params.interval }}",
        timeout="{{ params.timeout }}",
    )
