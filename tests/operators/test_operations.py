"""Cancelling operations, and listing what they lost by a server that speaks Cloud Logging's ``entries:list``."""

from __future__ import annotations

import json
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import TYPE_CHECKING, Any

import pytest

from airflow_healthcare_deid.errors import ApiError, InvalidRequestError, PermissionOrNotFoundError
from airflow_healthcare_deid.operation import OperationStatus
from airflow_healthcare_deid.operators.operations import CancelOperationOperator, ListFailedResourcesOperator
from tests.support.tasks import task_context
from tests.support.wing import SOURCE

if TYPE_CHECKING:
    from collections.abc import Iterator

    from airflow_healthcare_deid.hooks.healthcare import HealthcareHook
    from tests.support.emulator_admin import EmulatorAdmin

SECRET = "PatientName: Whitcombe^Arabella could not be read"


class CloudLogging(HTTPServer):
    """Answers with the pages it was given, and keeps what it was asked."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.asked: list[dict[str, Any]] = []
        self.answers: list[tuple[int, dict[str, Any]]] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


class _Handler(BaseHTTPRequestHandler):
    server: CloudLogging

    def do_POST(self) -> None:
        assert self.path == "/v2/entries:list"
        assert "authorization" not in self.headers
        self.server.asked.append(json.loads(self.rfile.read(int(self.headers["content-length"]))))
        status, answer = self.server.answers.pop(0)
        body = json.dumps(answer).encode()
        self.send_response(status)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        """Stay quiet."""


@pytest.fixture
def cloud_logging() -> Iterator[CloudLogging]:
    server = CloudLogging()
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def operation(hook: HealthcareHook, admin: EmulatorAdmin) -> str:
    """An operation that waits to be pushed."""
    admin.set_progression("manual")
    body = {"destinationDataset": str(SOURCE).replace("source", "destination"), "config": {"dicom": {}}}
    return hook.deidentify_dataset(SOURCE, body).name


def entry(number: int, code: int = 3) -> dict[str, Any]:
    name = f"{SOURCE}/dicomStores/images/dicomWeb/studies/1.{number}"
    return {"severity": "ERROR", "jsonPayload": {"resourceName": name, "error": {"code": code, "message": SECRET}}}


def run(task: Any) -> Any:
    return task.execute(task_context(task))


def test_an_operation_is_cancelled_once_and_no_more(operation: str, hook: HealthcareHook) -> None:
    task = CancelOperationOperator(task_id="t", operation_name=operation)
    assert run(task) is True
    assert hook.get_operation(operation).status is OperationStatus.CANCELLED
    assert run(task) is False


def test_an_operation_that_is_not_there_cannot_be_cancelled(hook: HealthcareHook) -> None:
    with pytest.raises(PermissionOrNotFoundError):
        run(CancelOperationOperator(task_id="t", operation_name=f"{SOURCE}/operations/1"))


def test_failed_resources_are_listed_by_name(
    operation: str, admin: EmulatorAdmin, cloud_logging: CloudLogging, hook: HealthcareHook
) -> None:
    admin.advance(operation, done=True, counter={"success": 5, "failure": 4})
    cloud_logging.answers = [
        (503, {}),
        (200, {"entries": [entry(1), entry(1), entry(2)], "nextPageToken": "more"}),
        (200, {"entries": [entry(3, 9), {"severity": "ERROR", "textPayload": SECRET}]}),
    ]
    task = ListFailedResourcesOperator(task_id="t", operation_name=operation, logging_endpoint=cloud_logging.url)
    result = run(task)
    names = [f"{SOURCE}/dicomStores/images/dicomWeb/studies/1.{number}" for number in (1, 2, 3)]
    assert result == {
        "operation": operation,
        "resources": [*names, ""],
        "codes": {"3": 2, "9": 1, "None": 1},
        "counted": 4,
    }
    identifier, began = operation.rpartition("/")[2], hook.get_operation(operation).create_time
    assert began is not None
    assert cloud_logging.asked[0] == {
        "resourceNames": [f"projects/{SOURCE.project}"],
        "filter": f'operation.id:"{identifier}" severity>=ERROR timestamp>="{began.isoformat()}"',
        "orderBy": "timestamp asc",
        "pageSize": 1000,
    }
    assert cloud_logging.asked[2]["pageToken"] == "more"


def test_failures_of_an_import_are_listed_by_file(operation: str, cloud_logging: CloudLogging) -> None:
    error = {"code": 3, "message": SECRET}
    payloads = [
        {"source": "gs://bucket/1.dcm", "error": error},
        {"source": "gs://bucket/2.ndjson", "resourceId": "o1", "error": error},
        {"source": "gs://bucket/2.ndjson", "resource_id": "o2", "error": error},
    ]
    cloud_logging.answers = [(200, {"entries": [{"severity": "ERROR", "jsonPayload": body} for body in payloads]})]
    task = ListFailedResourcesOperator(task_id="t", operation_name=operation, logging_endpoint=cloud_logging.url)
    result = run(task)
    assert result["resources"] == ["gs://bucket/1.dcm", "gs://bucket/2.ndjson#o1", "gs://bucket/2.ndjson#o2"]
    assert result["codes"] == {"3": 3}


def test_the_list_ends_at_its_limit(operation: str, cloud_logging: CloudLogging) -> None:
    cloud_logging.answers = [(200, {"entries": [entry(1), entry(2)], "nextPageToken": "more"})]
    task = ListFailedResourcesOperator(
        task_id="t", operation_name=operation, logging_endpoint=cloud_logging.url, limit=2
    )
    assert len(run(task)["resources"]) == 2


def test_a_refusal_names_the_permission_and_repeats_nothing(operation: str, cloud_logging: CloudLogging) -> None:
    cloud_logging.answers = [(403, {"error": {"message": SECRET}})]
    task = ListFailedResourcesOperator(task_id="t", operation_name=operation, logging_endpoint=cloud_logging.url)
    with pytest.raises(ApiError, match=r"logging\.logEntries\.list") as caught:
        run(task)
    assert "Whitcombe" not in str(caught.value)


def test_an_emulator_has_no_logs(operation: str) -> None:
    with pytest.raises(InvalidRequestError, match="logging_endpoint"):
        run(ListFailedResourcesOperator(task_id="t", operation_name=operation))


@pytest.mark.parametrize(
    ("kind", "arguments", "field"),
    [
        (CancelOperationOperator, {"operation_name": f"{SOURCE}/operation/1"}, "operation_name"),
        (CancelOperationOperator, {"operation_name": "1"}, "operation_name"),
        (ListFailedResourcesOperator, {"operation_name": f"{SOURCE}/operation/1"}, "operation_name"),
        (ListFailedResourcesOperator, {"operation_name": f"{SOURCE}/operations/1", "limit": 0}, "limit"),
    ],
)
def test_bad_input_is_named_in_the_dag_file(kind: Any, arguments: dict[str, Any], field: str) -> None:
    with pytest.raises(InvalidRequestError, match=field):
        kind(task_id="t", **arguments)
