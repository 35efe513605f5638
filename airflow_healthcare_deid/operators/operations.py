"""Operators for operations that were started elsewhere: cancel one, and list what it could not process.

https://cloud.google.com/healthcare-api/docs/how-tos/long-running-operations
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypedDict

from airflow_healthcare_deid.errors import InvalidRequestError
from airflow_healthcare_deid.links import OperationLogsLink, SourceDatasetLink, dataset_url, logs_url
from airflow_healthcare_deid.operators._hooked import task_step
from airflow_healthcare_deid.operators._names import check_literal_name, parse_name
from airflow_healthcare_deid.operators._service import HealthcareOperator
from airflow_healthcare_deid.resource_names import OperationName

if TYPE_CHECKING:
    from airflow.providers.common.compat.sdk import Context

MAX_LISTED = 1000


class _OperationOperator(HealthcareOperator):
    """What both have in common.

    :param operation_name: ``projects/P/locations/L/datasets/D/operations/O``.
    """

    template_fields = (*HealthcareOperator.template_fields, "operation_name")
    operator_extra_links = (SourceDatasetLink(), OperationLogsLink())

    def __init__(self, *, operation_name: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        check_literal_name(OperationName, "operation_name", operation_name)
        self.operation_name = operation_name

    def _name(self, context: Context) -> OperationName:
        name = parse_name(OperationName, "operation_name", self.operation_name)
        SourceDatasetLink.persist(context, dataset_url(name.dataset_name))
        OperationLogsLink.persist(context, logs_url(name))
        return name


class CancelOperationOperator(_OperationOperator):
    """Asks the service to cancel an operation, which it does in its own time; what was written by then stays.

    Returns whether the request was taken; an operation that has ended already is no error. A
    :class:`~airflow_healthcare_deid.sensors.operation.HealthcareOperationSensor` waits for the end. Needs
    ``healthcare.operations.cancel`` on the dataset.

    :param operation_name: ``projects/P/locations/L/datasets/D/operations/O``.
    """

    @task_step
    def execute(self, context: Context) -> bool:
        """Cancel the operation."""
        name = self._name(context)
        taken = self.hook.cancel_operation(str(name))
        self.log.info("Operation %s %s", name, "is being cancelled" if taken else "had ended already")
        return taken


class FailedResources(TypedDict):
    """What :class:`ListFailedResourcesOperator` returns.

    :param resources: names of the resources, as the service logged them; of an import the files, with ``#ID`` for a
        FHIR resource in one.
    :param codes: how often each ``google.rpc.Code`` occurs among them.
    :param counted: what the operation itself counted; the log may hold fewer, since Google limits the rate of entries.
    """

    operation: str
    resources: list[str]
    codes: dict[str, int]
    counted: int


class ListFailedResourcesOperator(_OperationOperator):
    """Lists the resources that an operation could not process, as Cloud Logging has them: names and codes only.

    Needs ``healthcare.operations.get`` on the dataset and ``logging.logEntries.list`` on the project
    (``roles/logging.viewer``).

    :param operation_name: ``projects/P/locations/L/datasets/D/operations/O``.
    :param limit: most resources to list.
    :param logging_endpoint: address of Cloud Logging; default: Google's.
    """

    template_fields = (*_OperationOperator.template_fields, "logging_endpoint")

    def __init__(self, *, limit: int = MAX_LISTED, logging_endpoint: str | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        if not 1 <= limit <= MAX_LISTED:
            raise InvalidRequestError("limit", f"is not between 1 and {MAX_LISTED}", "The list becomes an XCom")
        self.limit = limit
        self.logging_endpoint = logging_endpoint

    @task_step
    def execute(self, context: Context) -> FailedResources:
        """Read the log."""
        from airflow_healthcare_deid.hooks.logging import OperationLogs

        name = self._name(context)
        operation = self.hook.get_operation(str(name), attempts=5)
        logs = OperationLogs(self.hook, self.logging_endpoint)
        try:
            failed = list(logs.failed_resources(name, limit=self.limit, since=operation.create_time))
        finally:
            logs.close()
        codes: dict[str, int] = {}
        for resource in failed:
            codes[str(resource.code)] = codes.get(str(resource.code), 0) + 1
        counted = operation.progress.failure + operation.progress.secondary_failure
        self.log.info("Cloud Logging names %d of the %d failed resources of %s", len(failed), counted, name)
        return {
            "operation": str(name),
            "resources": [resource.resource for resource in failed],
            "codes": codes,
            "counted": counted,
        }
