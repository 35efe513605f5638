"""HealthcareOperationSensor: waits for an operation that was started elsewhere."""

from __future__ import annotations

import time
from datetime import timedelta
from typing import TYPE_CHECKING, Any, NoReturn

from airflow.providers.common.compat.sdk import AirflowSensorTimeout, BaseSensorOperator, PokeReturnValue, conf

from airflow_healthcare_deid.errors import TransientApiError
from airflow_healthcare_deid.links import OperationLogsLink, SourceDatasetLink, dataset_url, logs_url
from airflow_healthcare_deid.operators._hooked import Hooked, check_literal_endpoint, task_step
from airflow_healthcare_deid.operators._literals import check_switches, is_literal
from airflow_healthcare_deid.operators._names import check_literal_name, parse_name
from airflow_healthcare_deid.operators._numbers import failure_policy, poll_schedule
from airflow_healthcare_deid.operators._telling import summarize
from airflow_healthcare_deid.resource_names import OperationName
from airflow_healthcare_deid.triggers._event import restore_error, unflatten
from airflow_healthcare_deid.triggers._watch import MAX_FAILURES

if TYPE_CHECKING:
    from collections.abc import Sequence

    from airflow.providers.common.compat.sdk import Context

    from airflow_healthcare_deid.operation import Operation
    from airflow_healthcare_deid.operators._telling import OperationSummary
    from airflow_healthcare_deid.triggers._event import OperationEvent

DEFERRAL_GRACE = 120.0


class HealthcareOperationSensor(Hooked, BaseSensorOperator):
    """Waits for the end of a long-running operation of the Cloud Healthcare API and judges it.

    For an operation that an operator with ``wait=False`` began, or somebody outside of Airflow. Needs
    ``healthcare.operations.get`` on the dataset. Returns the same summary as the operators, save the destination, which
    an operation does not tell.

    :param operation_name: ``projects/P/locations/L/datasets/D/operations/O``.
    :param deferrable: wait in the triggerer; default: ``[operators] default_deferrable``.
    :param poll_interval: seconds before the first look and the least between two, if deferrable; else ``poke_interval``
        counts, which has this as its default.
    :param max_poll_interval: most seconds between two looks, if deferrable.
    :param max_failed_resources: most DICOM instances or FHIR resources that may fail; None sets no number.
    :param max_failed_ratio: largest share of the resources that may fail, 0 to 1; None sets no share.
    :param cancel_on_kill: cancel the operation when the deferred sensor is killed, marked or cleared; default: no,
        since the sensor did not start it.
    :param gcp_conn_id: Airflow connection of type ``google_cloud_platform``.
    :param impersonation_chain: service account to impersonate, or chain of accounts of which the last is.
    :param quota_project_id: project that requests are billed and counted to.
    :param api_endpoint: address of the service.
    """

    template_fields: Sequence[str] = (
        "operation_name",
        "max_failed_resources",
        "max_failed_ratio",
        "gcp_conn_id",
        "impersonation_chain",
        "quota_project_id",
        "api_endpoint",
    )
    operator_extra_links = (SourceDatasetLink(), OperationLogsLink())
    ui_color = "#e8f0fe"

    def __init__(
        self,
        *,
        operation_name: str,
        deferrable: bool = conf.getboolean("operators", "default_deferrable", fallback=False),
        poll_interval: float = 10.0,
        max_poll_interval: float = 300.0,
        max_failed_resources: int | str | None = 0,
        max_failed_ratio: float | str | None = None,
        cancel_on_kill: bool = False,
        gcp_conn_id: str = "google_cloud_default",
        impersonation_chain: str | Sequence[str] | None = None,
        quota_project_id: str | None = None,
        api_endpoint: str | None = None,
        **kwargs: Any,
    ) -> None:
        kwargs.setdefault("poke_interval", poll_interval)
        super().__init__(**kwargs)
        check_switches(deferrable=deferrable, cancel_on_kill=cancel_on_kill)
        self.operation_name = operation_name
        self.deferrable = deferrable
        self.poll_interval = poll_interval
        self.max_poll_interval = max_poll_interval
        self.max_failed_resources = max_failed_resources
        self.max_failed_ratio = max_failed_ratio
        self.cancel_on_kill = cancel_on_kill
        self.gcp_conn_id = gcp_conn_id
        self.impersonation_chain = impersonation_chain
        self.quota_project_id = quota_project_id
        self.api_endpoint = api_endpoint
        self._failures = 0
        check_literal_endpoint(api_endpoint)
        check_literal_name(OperationName, "operation_name", operation_name)
        poll_schedule(poll_interval, max_poll_interval)
        if is_literal([max_failed_resources, max_failed_ratio]):
            failure_policy(max_failed_resources, max_failed_ratio)

    @task_step
    def execute(self, context: Context) -> Any:
        """Look once, then wait in the triggerer, or poke."""
        name = parse_name(OperationName, "operation_name", self.operation_name)
        SourceDatasetLink.persist(context, dataset_url(name.dataset_name))
        OperationLogsLink.persist(context, logs_url(name))
        if not self.deferrable:
            return super().execute(context)
        operation = self.hook.get_operation(self.operation_name, attempts=5)
        if operation.done:
            return self._judge(context, operation)
        return self._wait_in_triggerer(operation)

    def _wait_in_triggerer(self, operation: Operation) -> NoReturn:
        from airflow_healthcare_deid.triggers.operation import HealthcareOperationTrigger

        started = time.time()
        schedule = poll_schedule(self.poll_interval, self.max_poll_interval)
        self.defer(
            trigger=HealthcareOperationTrigger(
                self.operation_name,
                started=operation.create_time.timestamp() if operation.create_time else started,
                deadline=started + self.timeout,
                poll_interval=schedule.poll_interval,
                max_poll_interval=schedule.max_poll_interval,
                cancel_on_kill=self.cancel_on_kill,
                cancel_on_timeout=False,
                gcp_conn_id=self.gcp_conn_id,
                impersonation_chain=self.impersonation_chain,
                quota_project_id=self.quota_project_id,
                api_endpoint=self.api_endpoint,
            ),
            method_name="execute_complete",
            timeout=timedelta(seconds=self.timeout + DEFERRAL_GRACE),
        )

    @task_step
    def execute_complete(self, context: Context, event: OperationEvent) -> OperationSummary:
        """Take over from the trigger.

        :param event: what the trigger saw.
        """
        if event["status"] == "error" and event["error"]:
            raise restore_error(event["error"])
        operation = unflatten(event["operation"]) if event["operation"] else None
        if event["status"] == "timeout" or operation is None:
            progress = f" at {operation.progress}" if operation else ""
            raise AirflowSensorTimeout(
                f"Operation {self.operation_name} had not ended{progress} after {self.timeout:.0f} s; it goes on"
            )
        return self._judge(context, operation)

    @task_step
    def poke(self, context: Context) -> PokeReturnValue:
        """Look once; a failure that may pass counts as still running."""
        try:
            operation = self.hook.get_operation(self.operation_name)
        except TransientApiError as error:
            self._failures += 1
            if self._failures >= MAX_FAILURES:
                raise
            self.log.warning("%s; asking again", error)
            return PokeReturnValue(is_done=False)
        self._failures = 0
        if not operation.done:
            return PokeReturnValue(is_done=False)
        return PokeReturnValue(is_done=True, xcom_value=self._judge(context, operation))

    def _judge(self, context: Context, operation: Operation) -> OperationSummary:
        if operation.logs_url:
            OperationLogsLink.persist(context, operation.logs_url)
        failure_policy(self.max_failed_resources, self.max_failed_ratio).check(operation)
        self.log.info("Operation %s succeeded: %s", operation.name, operation.progress)
        return summarize(str(OperationName.parse(operation.name).dataset_name), None, operation)
