"""What a task shows of its operation: links, XComs and the summary it returns."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypedDict

import msgspec

from airflow_healthcare_deid.links import (
    DestinationDatasetLink,
    OperationLogsLink,
    SourceDatasetLink,
    dataset_url,
    logs_url,
)
from airflow_healthcare_deid.operators._memory import KEY, Record
from airflow_healthcare_deid.operators._names import parse_resource
from airflow_healthcare_deid.operators._request import dataset_of
from airflow_healthcare_deid.resource_names import DatasetName, DicomStoreName, OperationName

if TYPE_CHECKING:
    from collections.abc import Callable

    from airflow.providers.common.compat.sdk import Context

    from airflow_healthcare_deid.hooks.healthcare import HealthcareHook
    from airflow_healthcare_deid.operation import Operation


class OperationSummary(TypedDict):
    """What the task returns: flat, small, and without any value of a patient's record."""

    operation: str | None
    status: str
    source: str
    destination: str | None
    success: int
    failure: int
    create_time: str | None
    end_time: str | None
    duration: float | None
    logs_url: str | None


def summarize(source: str, destination: str | None, operation: Operation | None) -> OperationSummary:
    """Return the summary of an operation, or of a destination that was used as it is."""
    if operation is None:
        return {
            "operation": None,
            "status": "REUSED",
            "source": source,
            "destination": destination,
            "success": 0,
            "failure": 0,
            "create_time": None,
            "end_time": None,
            "duration": None,
            "logs_url": None,
        }
    return {
        "operation": operation.name,
        "status": str(operation.status),
        "source": source,
        "destination": destination,
        "success": operation.progress.success,
        "failure": operation.progress.failure,
        "create_time": operation.create_time.isoformat() if operation.create_time else None,
        "end_time": operation.end_time.isoformat() if operation.end_time else None,
        "duration": operation.duration,
        "logs_url": operation.logs_url,
    }


def show_operation(context: Context, record: Record, operation: Operation) -> None:
    """Keep links and record where the UI, and a later step of this try, find them."""
    SourceDatasetLink.persist(context, dataset_url(dataset_of(parse_resource(record.source))))
    if "://" not in record.destination:
        DestinationDatasetLink.persist(context, dataset_url(dataset_of(parse_resource(record.destination))))
    OperationLogsLink.persist(context, operation.logs_url or logs_url(OperationName.parse(operation.name)))
    context["ti"].xcom_push(key=KEY, value=msgspec.to_builtins(record))


def shown_record(context: Context) -> Record | None:
    """Return the record that :func:`show_operation` kept for this try."""
    ti: Any = context["ti"]
    shown = ti.xcom_pull(task_ids=ti.task_id, key=KEY, map_indexes=ti.map_index)
    return msgspec.convert(shown, Record) if shown else None


def written_dataset(destination: str) -> str | None:
    """Return the destination if it is a dataset, whose stores only the service can tell."""
    return destination if "://" not in destination and isinstance(parse_resource(destination), DatasetName) else None


def written_stores(hook: Callable[[], HealthcareHook], destination: str) -> dict[str, list[str]]:
    """Return the stores that were written, as XComs ``dicom_stores`` and ``fhir_stores``.

    :param hook: returns what to ask; called only if there is something to ask.
    :raises PermissionOrNotFoundError: if the stores of a dataset may not be listed.
    """
    if "://" in destination:
        return {}
    name = parse_resource(destination)
    if isinstance(name, DatasetName):
        return {
            "dicom_stores": [str(store) for store in hook().list_dicom_stores(name)],
            "fhir_stores": [str(store) for store in hook().list_fhir_stores(name)],
        }
    is_dicom = isinstance(name, DicomStoreName)
    return {"dicom_stores": [destination] if is_dicom else [], "fhir_stores": [] if is_dicom else [destination]}
