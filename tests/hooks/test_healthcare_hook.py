"""HealthcareHook against the emulator: each method, each class of error, and how often a request leaves."""

from __future__ import annotations

import json
import socket
from typing import TYPE_CHECKING, Any

import pytest

from airflow_healthcare_deid.errors import (
    ApiError,
    AuthenticationError,
    ConflictError,
    InvalidEndpointError,
    PermissionOrNotFoundError,
    RejectedRequestError,
    TransientApiError,
)
from airflow_healthcare_deid.hooks._methods import METHODS
from airflow_healthcare_deid.hooks.healthcare import HealthcareHook
from airflow_healthcare_deid.operation import OperationStatus
from tests.support.wing import DESTINATION, LOCATION, PROJECT, SOURCE

if TYPE_CHECKING:
    from tests.support.emulator_admin import EmulatorAdmin

BODY = {"destinationDataset": str(DESTINATION), "config": {"dicom": {}, "fhir": {}}}
IMAGES = SOURCE.dicom_store("images")
RECORDS = SOURCE.fhir_store("records")


def test_every_method_is_one_of_the_api(hook: HealthcareHook) -> None:
    for method in METHODS.values():
        *collections, verb = method.name.split(".")
        resource = hook.get_conn().projects().locations()
        for collection in collections:
            resource = getattr(resource, collection)()
        described = resource._resourceDesc["methods"][verb]
        assert method.parameter in described["parameters"], method.name


def test_datasets_and_stores(hook: HealthcareHook) -> None:
    assert hook.get_dataset(SOURCE)["name"] == str(SOURCE)
    assert [item["name"] for item in hook.list_datasets(PROJECT, LOCATION)] == [str(SOURCE)]
    assert hook.list_dicom_stores(SOURCE) == [IMAGES]
    assert hook.list_fhir_stores(SOURCE) == [RECORDS]
    assert hook.get_resource(SOURCE)["name"] == str(SOURCE)
    assert hook.get_resource(IMAGES)["name"] == str(IMAGES)
    assert hook.get_resource(RECORDS)["version"] == "R4"
    assert hook.get_store_metrics(IMAGES)["name"] == str(IMAGES)
    assert hook.get_store_metrics(RECORDS)["name"] == str(RECORDS)
    hook.delete_store(IMAGES)
    assert hook.list_dicom_stores(SOURCE) == []
    hook.delete_dataset(SOURCE)
    assert hook.dataset_exists(SOURCE) is False


def test_lists_go_on_to_the_last_page(hook: HealthcareHook) -> None:
    for number in range(5):
        hook.create_dataset(type(SOURCE)(PROJECT, LOCATION, f"d{number}"))
    assert len(list(hook.list_datasets(PROJECT, LOCATION, page_size=2))) == 6


def test_operations(hook: HealthcareHook, admin: EmulatorAdmin) -> None:
    admin.set_progression("manual")
    name = hook.deidentify_dataset(SOURCE, BODY).name
    assert name in [operation.name for operation in hook.list_operations(SOURCE, page_size=1)]
    assert hook.cancel_operation(name)
    assert hook.get_operation(name).cancel_requested
    admin.set_progression("immediate")
    hook.create_dataset(type(SOURCE)(PROJECT, LOCATION, "done"))
    [created] = hook.list_operations(type(SOURCE)(PROJECT, LOCATION, "done"))
    assert created.status is OperationStatus.SUCCEEDED
    assert hook.cancel_operation(created.name) is False


def test_stores_are_deidentified(hook: HealthcareHook) -> None:
    hook.create_dicom_store(SOURCE.dicom_store("to"))
    hook.create_fhir_store(SOURCE.fhir_store("to"), {"version": "R4"})
    dicom = hook.deidentify_dicom_store(IMAGES, {"destinationStore": str(SOURCE.dicom_store("to")), "config": {}})
    fhir = hook.deidentify_fhir_store(RECORDS, {"destinationStore": str(SOURCE.fhir_store("to")), "config": {}})
    for operation in (dicom, fhir):
        assert operation.name.startswith(f"{SOURCE}/operations/")


def test_the_services_clock_is_known_after_an_answer(hook: HealthcareHook) -> None:
    assert hook.server_time is not None
    assert hook.server_time.tzinfo is not None


# Errors ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, RejectedRequestError),
        (401, AuthenticationError),
        (403, PermissionOrNotFoundError),
        (404, PermissionOrNotFoundError),
        (409, ConflictError),
        (429, TransientApiError),
        (503, TransientApiError),
    ],
)
def test_a_submission_is_sent_once_whatever_the_answer(
    status: int, kind: type[ApiError], hook: HealthcareHook, admin: EmulatorAdmin
) -> None:
    admin.add_fault("POST", ":deidentify$", status=status)
    with pytest.raises(kind) as caught:
        hook.deidentify_dataset(SOURCE, BODY)
    assert type(caught.value) is kind
    assert caught.value.status == status
    assert len(admin.requests("POST", ":deidentify$")) == 1


@pytest.mark.parametrize("drop", ["before", "after"])
def test_a_submission_whose_reply_is_lost_is_not_sent_again(
    drop: str, hook: HealthcareHook, admin: EmulatorAdmin
) -> None:
    admin.add_fault("POST", ":deidentify$", drop=drop)
    with pytest.raises(TransientApiError) as caught:
        hook.deidentify_dataset(SOURCE, BODY)
    assert caught.value.sent
    assert len(admin.requests("POST", ":deidentify$")) == 1


def test_what_only_reads_is_tried_again(hook: HealthcareHook, admin: EmulatorAdmin, waits: list[float]) -> None:
    admin.add_fault("GET", "/datasets/source$", status=503, count=3, retryAfter=7)
    assert hook.get_dataset(SOURCE)["name"] == str(SOURCE)
    assert waits == [7, 7, 7]
    admin.add_fault("GET", "/datasets/source$", status=503)
    with pytest.raises(TransientApiError) as caught:
        hook.get_dataset(SOURCE)
    assert caught.value.status == 503


@pytest.mark.parametrize("status", [403, 404])
def test_a_refusal_says_both_readings_and_the_permission(
    status: int, hook: HealthcareHook, admin: EmulatorAdmin
) -> None:
    admin.add_fault("GET", "/dicomStores/images$", status=status)
    with pytest.raises(PermissionOrNotFoundError) as caught:
        hook.get_resource(IMAGES)
    message = str(caught.value)
    assert "healthcare.dicomStores.get" in message
    assert "does not exist" in message
    assert str(IMAGES) in message


def test_an_absent_dataset_is_told_from_one_that_may_not_be_seen(hook: HealthcareHook, admin: EmulatorAdmin) -> None:
    assert hook.dataset_exists(DESTINATION) is False
    admin.add_fault("GET", "/datasets/source$", status=403)
    assert hook.dataset_exists(SOURCE) is True
    admin.add_fault("GET", "/datasets$", status=403)
    assert hook.dataset_exists(SOURCE) is None


def test_an_emulator_that_is_not_running(monkeypatch: pytest.MonkeyPatch, waits: list[float]) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"http://127.0.0.1:{free.getsockname()[1]}"
    connect(monkeypatch, healthcare_api_endpoint=address)
    hook = HealthcareHook()
    with pytest.raises(TransientApiError) as caught:
        hook.deidentify_dataset(SOURCE, BODY)
    assert not caught.value.sent
    assert address in str(caught.value)
    assert "python -m airflow_healthcare_deid.emulator" in str(caught.value)


def connect(monkeypatch: pytest.MonkeyPatch, **extra: Any) -> None:
    value = json.dumps({"conn_type": "google_cloud_platform", "extra": extra})
    monkeypatch.setenv("AIRFLOW_CONN_GOOGLE_CLOUD_DEFAULT", value)


def test_plain_http_to_another_host_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    connect(monkeypatch, project=PROJECT, healthcare_api_endpoint="http://healthcare.googleapis.com")
    with pytest.raises(InvalidEndpointError):
        HealthcareHook().get_dataset(SOURCE)


def test_a_connection_without_credentials_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    connect(monkeypatch, project=PROJECT)
    monkeypatch.setenv("NO_GCE_CHECK", "true")
    monkeypatch.setenv("CLOUDSDK_CONFIG", "/nonexistent")
    with pytest.raises(AuthenticationError, match="google_cloud_default"):
        HealthcareHook().get_dataset(SOURCE)


# The connection --------------------------------------------------------------------------------------------------


def test_the_connection_is_tested_with_one_request(hook: HealthcareHook, admin: EmulatorAdmin) -> None:
    before = len(admin.requests("GET", "/v1/"))
    assert hook.test_connection()[0]
    assert len(admin.requests("GET", "/v1/")) == before + 1


def test_a_connection_that_fails_says_why(hook: HealthcareHook, admin: EmulatorAdmin) -> None:
    admin.add_fault("GET", "/datasets$", status=403)
    succeeded, message = hook.test_connection()
    assert not succeeded
    assert "healthcare.datasets.list" in message


def test_a_connection_without_project_says_so(connection: None, monkeypatch: pytest.MonkeyPatch) -> None:
    connect(monkeypatch, healthcare_api_endpoint="http://127.0.0.1:1")
    assert HealthcareHook().test_connection() == (False, "The connection names no project: set its field project")


def test_scopes(connection: None, monkeypatch: pytest.MonkeyPatch) -> None:
    assert list(HealthcareHook().scopes) == ["https://www.googleapis.com/auth/cloud-healthcare"]
    connect(monkeypatch, scope="https://www.googleapis.com/auth/cloud-platform")
    assert list(HealthcareHook().scopes) == ["https://www.googleapis.com/auth/cloud-platform"]


def test_nothing_is_downloaded_to_build_the_client(hook: HealthcareHook, admin: EmulatorAdmin) -> None:
    assert admin.requests("GET", "discovery") == []
