"""HealthcareOperationOperator: the one way an operation is submitted, remembered, awaited and judged."""

from __future__ import annotations

import time
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import msgspec
from airflow.providers.common.compat.sdk import conf

from airflow_healthcare_deid.errors import (
    ApiError,
    ConflictError,
    HealthcareDeidError,
    OperationError,
    OperationTimeoutError,
    TooManyFailedResourcesError,
)
from airflow_healthcare_deid.lineage import LineageMixin, note_outlets
from airflow_healthcare_deid.links import DestinationDatasetLink, OperationLogsLink, SourceDatasetLink
from airflow_healthcare_deid.operation import OperationStatus
from airflow_healthcare_deid.operators._hooked import task_step
from airflow_healthcare_deid.operators._launch import DRAIN_TIMEOUT, Launcher, discard
from airflow_healthcare_deid.operators._literals import check_switches, is_literal
from airflow_healthcare_deid.operators._memory import Memory, Record
from airflow_healthcare_deid.operators._numbers import failure_policy, poll_schedule, seconds
from airflow_healthcare_deid.operators._service import HealthcareOperator
from airflow_healthcare_deid.operators._telling import (
    show_operation,
    shown_record,
    summarize,
    written_dataset,
    written_stores,
)
from airflow_healthcare_deid.operators._waiting import wait_in_worker
from airflow_healthcare_deid.triggers._event import restore_error, unflatten
from airflow_healthcare_deid.triggers._watch import OperationWatch
from airflow_healthcare_deid.version_compat import (
    deferral_errors,
    is_retry,
    run_start,
    state_store,
    took_too_long,
    will_retry,
)

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from airflow.providers.common.compat.sdk import Context

    from airflow_healthcare_deid.hooks.asynchronous import StoreNames
    from airflow_healthcare_deid.operation import FailurePolicy, Operation
    from airflow_healthcare_deid.operators._request import OperationRequest
    from airflow_healthcare_deid.operators._telling import OperationSummary
    from airflow_healthcare_deid.polling import PollSchedule
    from airflow_healthcare_deid.triggers._event import OperationEvent

DEFERRAL_GRACE = 120.0
"""Seconds past the deadline after which Airflow ends a deferral that the trigger has not ended."""
LOOK_ATTEMPTS = 5


class HealthcareOperationOperator(LineageMixin, HealthcareOperator):
    """Starts a long-running operation of the Cloud Healthcare API, exactly once, and sees it through.

    Base of the operators that start one; a subclass says what the request is. It outlives crashes of worker, triggerer
    and network: a retry finds the operation of the earlier try and goes on with it. On Airflow 3.3 it remembers the
    operation in the task state store; below, it finds it in the list of the source dataset's operations.
    Who asks, and where, is said by the parameters of
    :class:`~airflow_healthcare_deid.operators._service.HealthcareOperator`.

    :param wait: whether to wait for the end. Without, the task ends when the operation has begun, and a
        :class:`~airflow_healthcare_deid.sensors.operation.HealthcareOperationSensor` can watch it.
    :param deferrable: wait in the triggerer rather than in a worker; default: ``[operators] default_deferrable``.
    :param poll_interval: seconds before the first look at the operation, and the least between two.
    :param max_poll_interval: most seconds between two looks; in between they are a tenth of the time elapsed apart.
    :param timeout: seconds, or a timedelta, from the start of the operation to its deadline, across retries and
        restarts. Past it the operation is cancelled and the task fails. ``execution_timeout`` counts while the task is
        deferred too. Default: none.
    :param max_failed_resources: most DICOM instances or FHIR resources that may fail; the service calls an operation
        successful even if some did. None sets no number.
    :param max_failed_ratio: largest share of the resources that may fail, 0 to 1; None sets no share. Both limits hold:
        to allow a share alone, set ``max_failed_resources=None``.
    :param cancel_on_kill: cancel the operation when the task is killed, marked or cleared while it waits.
    """

    template_fields: Collection[str] = (
        *HealthcareOperator.template_fields,
        "poll_interval",
        "max_poll_interval",
        "timeout",
        "max_failed_resources",
        "max_failed_ratio",
    )
    operator_extra_links = (SourceDatasetLink(), DestinationDatasetLink(), OperationLogsLink())

    if_destination_exists: str = "fail"
    _sleep = staticmethod(time.sleep)

    def __init__(
        self,
        *,
        wait: bool = True,
        deferrable: bool = conf.getboolean("operators", "default_deferrable", fallback=False),
        poll_interval: float | str = 10.0,
        max_poll_interval: float | str = 300.0,
        timeout: timedelta | float | str | None = None,
        max_failed_resources: int | str | None = 0,
        max_failed_ratio: float | str | None = None,
        cancel_on_kill: bool = True,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        check_switches(wait=wait, deferrable=deferrable, cancel_on_kill=cancel_on_kill)
        self.wait = wait
        self.deferrable = deferrable
        self.poll_interval = poll_interval
        self.max_poll_interval = max_poll_interval
        self.timeout = timeout
        self.max_failed_resources = max_failed_resources
        self.max_failed_ratio = max_failed_ratio
        self.cancel_on_kill = cancel_on_kill
        self._running: str | None = None
        self._launcher: Launcher | None = None
        self._check_numbers()

    # What a subclass says --------------------------------------------------------------------------------------------

    def build_request(self) -> OperationRequest:
        """Return the request, checked; called once all templates are rendered, before anything is sent.

        :raises InvalidRequestError: naming the argument at fault.
        """
        raise NotImplementedError

    def _shown_source(self, source: str) -> str:
        """Return what the summary calls the source; an import reads something else than it is called on."""
        return source

    # Execution -------------------------------------------------------------------------------------------------------

    @task_step
    def execute(self, context: Context) -> OperationSummary:
        """Recall the operation of an earlier try or start one, then see it through."""
        request = self.build_request()
        self._check_numbers()
        launched = self._launch(context, request)
        if launched is None:
            return self._tell(context, str(request.source), str(request.destination), None)
        record, operation = launched
        self._running, self._launcher = operation.name, None
        show_operation(context, record, operation)
        if not self.wait:
            self._memory(context).forget()
            return summarize(self._shown_source(record.source), record.destination, operation)
        if operation.done:
            return self._judge(context, record, operation)
        if self.deferrable:
            self._defer(record, operation)
        return self._finish_in_worker(context, record, operation)

    @task_step
    def execute_complete(
        self, context: Context, event: OperationEvent, record: Mapping[str, Any] | None = None
    ) -> OperationSummary:
        """Take over from the trigger.

        :param event: what the trigger saw.
        :param record: which operation it watched; ``dag.test()`` drops it, and then what is remembered counts.
        """
        watched = msgspec.convert(record, Record) if record else self._remembered(context)
        if watched is None:
            raise OperationError("Which operation the trigger watched is not remembered. Clear this task")
        operation = unflatten(event["operation"]) if event["operation"] else None
        if operation is not None and operation.name != watched.operation:
            # Where ids of deleted triggers are given again, as in SQLite, another try's trigger may have answered.
            return self._resume_without_event(context, OperationError("its event is about another operation"))
        if event["status"] == "error" and event["error"]:
            raise restore_error(event["error"], f"Operation {watched.operation} may still be running")
        if event["status"] == "timeout" or operation is None:
            raise self._timed_out(context, watched, operation)
        return self._judge(context, watched, operation, event.get("stores"))

    @task_step
    def resume_execution(self, next_method: str, next_kwargs: dict[str, Any] | None, context: Context) -> Any:
        """Resume after a deferral; a trigger that broke down or took too long does not end the operation."""
        try:
            return super().resume_execution(next_method, next_kwargs, context)
        except deferral_errors() as error:
            return self._resume_without_event(context, error)

    def on_kill(self) -> None:
        """Cancel the operation that this worker waits for, or has just begun."""
        if not self.cancel_on_kill:
            return
        if name := self._running or self._just_begun():
            self.log.info("Cancelling operation %s", name)
            self._cancel(name)

    # Steps -----------------------------------------------------------------------------------------------------------

    def _launch(self, context: Context, request: OperationRequest) -> tuple[Record, Operation] | None:
        """Return the one operation of the request, or None if a destination that is there is used as it is."""
        memory = self._memory(context)
        start = run_start(context) if is_retry(context) and not memory.lasting else None
        launcher = self._launcher = Launcher(
            self.hook,
            memory,
            request,
            self.log,
            wait_for_end=self._wait_for_end,
            run_start=start.timestamp() if start else None,
            timeout=seconds("timeout", self.timeout),
            sleep=self._sleep,
        )
        if launched := launcher.recall():
            return launched
        if launcher.destination_exists():
            if self.if_destination_exists == "reuse":
                self.log.info("%s is there already and is used as it is", request.destination)
                return None
            if self.if_destination_exists != "replace":
                raise ConflictError(
                    f"destination_dataset: {request.destination} exists already. Choose another name, delete it, or "
                    "set if_destination_exists to 'reuse' or 'replace'"
                )
            launcher.replace_destination()
        return launcher.start()

    def _defer(self, record: Record, operation: Operation) -> None:
        from airflow_healthcare_deid.triggers.operation import HealthcareOperationTrigger

        now = time.time()
        limits = [record.deadline] if record.deadline else []
        if self.execution_timeout:
            limits.append(now + self.execution_timeout.total_seconds())
        deadline = min(limits, default=None)
        self.defer(
            trigger=HealthcareOperationTrigger(
                operation.name,
                started=operation.create_time.timestamp() if operation.create_time else record.time,
                deadline=deadline,
                poll_interval=self._schedule.poll_interval,
                max_poll_interval=self._schedule.max_poll_interval,
                destination_dataset=written_dataset(record.destination),
                cancel_on_kill=self.cancel_on_kill,
                gcp_conn_id=self.gcp_conn_id,
                impersonation_chain=self.impersonation_chain,
                quota_project_id=self.quota_project_id,
                api_endpoint=self.api_endpoint,
            ),
            method_name="execute_complete",
            kwargs={"record": msgspec.to_builtins(record)},
            # A net for a triggerer that is down at the deadline; the trigger comes first.
            timeout=timedelta(seconds=max(deadline - now, 0) + DEFERRAL_GRACE) if deadline else None,
        )

    def _finish_in_worker(self, context: Context, record: Record, operation: Operation) -> OperationSummary:
        finished = self._wait_for_end(record, record.deadline)
        if finished is None:
            self._cancel(operation.name)
            raise self._timed_out(context, record, operation)
        return self._judge(context, record, finished)

    def _wait_for_end(self, record: Record, deadline: float | None) -> Operation | None:
        assert record.operation is not None
        watch = OperationWatch(self._schedule, started=record.time, deadline=deadline)
        return wait_in_worker(self.hook, record.operation, watch, self.log, self._sleep)

    def _judge(
        self, context: Context, record: Record, operation: Operation, stores: StoreNames | None = None
    ) -> OperationSummary:
        """Return the summary of a finished operation, or raise what became of it.

        :param stores: the destination's, if the trigger has told them.
        """
        self._running = None
        try:
            self._policy.check(operation)
        except TooManyFailedResourcesError:
            self._memory(context).forget()
            raise
        except OperationError:
            if not self._memory(context).lasting and will_retry(context):
                # No memory would tell the next try that what is left is ours.
                discard(self.hook, record, self.log)
            raise
        self.log.info("Operation %s succeeded: %s", operation.name, operation.progress)
        show_operation(context, record, operation)
        return self._tell(context, record.source, record.destination, operation, stores)

    def _tell(
        self,
        context: Context,
        source: str,
        destination: str,
        operation: Operation | None,
        stores: StoreNames | None = None,
    ) -> OperationSummary:
        """Push the names of the destination's stores, return the summary, and forget.

        :param operation: None if a destination that was there is used as it is.
        """
        try:
            for key, names in (stores or written_stores(lambda: self.hook, destination)).items():
                context["ti"].xcom_push(key=key, value=names)
        except ApiError as error:
            self.log.warning("The destination's stores are not pushed as XComs: %s", error)
        self._memory(context).forget()
        self._summary = summary = summarize(self._shown_source(source), destination, operation)
        note_outlets(context, self.outlets, summary)
        return summary

    def _timed_out(self, context: Context, record: Record, operation: Operation | None) -> OperationTimeoutError:
        """Return the error of an operation that did not end in time; it was asked to stop."""
        self._running = None
        if not self._memory(context).lasting and will_retry(context):
            ended = self._wait_for_end(record, time.time() + DRAIN_TIMEOUT)
            if ended is not None and ended.status is not OperationStatus.SUCCEEDED:
                discard(self.hook, record, self.log)
        progress = f" at {operation.progress}" if operation else ""
        logs = f" Logs: {operation.logs_url}" if operation and operation.logs_url else ""
        return OperationTimeoutError(
            f"Operation {record.operation} had not ended{progress} when its deadline passed; it was asked to stop. "
            f"Raise timeout or execution_timeout, or de-identify less at once.{logs}",
            operation_name=record.operation,
        )

    def _resume_without_event(self, context: Context, error: Exception) -> OperationSummary:
        """Go on where the trigger gave no answer: look for ourselves."""
        record = self._remembered(context)
        if record is None or record.operation is None:
            raise error
        operation = self.hook.get_operation(record.operation, attempts=LOOK_ATTEMPTS)
        if operation.done:
            return self._judge(context, record, operation)
        if took_too_long(error):
            self._cancel(operation.name)
            raise self._timed_out(context, record, operation)
        self.log.warning("The trigger failed (%s); waiting for operation %s in this worker", error, operation.name)
        self._running = operation.name
        return self._finish_in_worker(context, record, operation)

    def _just_begun(self) -> str | None:
        """Return the operation that was begun when the task was killed; its name may not have arrived yet."""
        try:
            return self._launcher.begun() if self._launcher else None
        except HealthcareDeidError as error:
            self.log.warning("Nothing is cancelled: %s", error)
            return None

    def _cancel(self, name: str) -> None:
        try:
            if not self.hook.cancel_operation(name):
                self.log.info("Operation %s had ended already", name)
        except ApiError as error:
            self.log.warning("Operation %s could not be cancelled: %s", name, error)

    # Means -----------------------------------------------------------------------------------------------------------

    def _memory(self, context: Context) -> Memory:
        return Memory(state_store(context))

    def _remembered(self, context: Context) -> Record | None:
        return self._memory(context).load() or shown_record(context)

    @property
    def _schedule(self) -> PollSchedule:
        return poll_schedule(self.poll_interval, self.max_poll_interval)

    @property
    def _policy(self) -> FailurePolicy:
        return failure_policy(self.max_failed_resources, self.max_failed_ratio)

    def _check_numbers(self) -> None:
        """Build all that is made of numbers, so that a wrong one shows before anything is sent."""
        if is_literal([self.poll_interval, self.max_poll_interval]):
            self._schedule  # noqa: B018
        if is_literal([self.max_failed_resources or 0, self.max_failed_ratio or 0]):
            self._policy  # noqa: B018
        if is_literal(self.timeout or 0):
            seconds("timeout", self.timeout)
