"""Exactly one operation for a request, whatever dies in between.

The request is sent once. If its fate is in doubt, since the reply was lost or since an earlier try left an intent but
no operation, evidence decides: the destination, and the operations of the source dataset. What evidence cannot decide
fails closed.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import msgspec

from airflow_healthcare_deid.errors import (
    AmbiguousSubmissionError,
    ApiError,
    ConflictError,
    OperationTimeoutError,
    PermissionOrNotFoundError,
    TransientApiError,
)
from airflow_healthcare_deid.hooks._backoff import Backoff
from airflow_healthcare_deid.operation import OperationStatus
from airflow_healthcare_deid.operators._evidence import Evidence
from airflow_healthcare_deid.operators._memory import Record
from airflow_healthcare_deid.resource_names import DatasetName

if TYPE_CHECKING:
    from collections.abc import Callable

    from airflow_healthcare_deid.hooks.healthcare import HealthcareHook
    from airflow_healthcare_deid.operation import Operation
    from airflow_healthcare_deid.operators._memory import Memory
    from airflow_healthcare_deid.operators._request import OperationRequest
    from airflow_healthcare_deid.operators._waiting import Log

SUBMIT_ATTEMPTS = 5
DRAIN_TIMEOUT = 600.0
"""Seconds that the end of a cancelled operation is waited for before the next one is started."""
LAST_LOOKS = 3
LAST_LOOK_DELAY = 1.0
"""Looks of a task that is killed; Airflow gives it some five seconds."""
UNSYNCED_SLACK = 60.0
"""Seconds by which this machine's clock is distrusted where the service did not tell its own."""


class Launcher:
    """Gets the one operation of a request.

    :param hook: calls the service.
    :param memory: what earlier tries left, and what later ones will find.
    :param request: what to start.
    :param wait_for_end: waits for an operation until a deadline; used for one that is being cancelled.
    :param run_start: on a retry without lasting memory, when the DAG run started; it stands in for the intent's time.
    :param timeout: seconds from the intent to the deadline.
    """

    def __init__(
        self,
        hook: HealthcareHook,
        memory: Memory,
        request: OperationRequest,
        log: Log,
        *,
        wait_for_end: Callable[[Record, float], Operation | None],
        run_start: float | None = None,
        timeout: float | None = None,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._hook = hook
        self._memory = memory
        self._request = request
        self._log = log
        self._wait_for_end = wait_for_end
        self._run_start = run_start
        self._timeout = timeout
        self._sleep = sleep
        self._evidence = Evidence(hook, sleep)
        self._certain = True
        self._begun: Record | None = None

    def recall(self) -> tuple[Record, Operation] | None:
        """Return the operation that an earlier try started for this request, if it still counts."""
        record = self._memory.load() or self._presumed()
        if record is None:
            return None
        if record.operation is None:
            found = self._evidence.find(record, repeatable=self._request.repeatable)
            if found is None:
                return None
            self._log.warning("Adopting operation %s, which an earlier try of this task started", found.name)
            record, operation = self._remember(record, found), found
        else:
            known = self._look_up(record)
            if known is None:
                return None
            operation = known
        if operation.cancel_requested and not operation.done:
            operation = self._drained(record)
        return (record, operation) if self._counts(record, operation) else None

    def destination_exists(self) -> bool:
        """Tell whether the dataset to be made is there already; also learns the service's time for the intent."""
        destination = self._request.destination
        if isinstance(destination, DatasetName):
            present = self._hook.dataset_exists(destination)
            self._certain = present is not None
            return bool(present)
        try:
            self._hook.get_resource(self._request.source if isinstance(destination, str) else destination)
        except PermissionOrNotFoundError as error:
            # Not every caller who may write to a store may look at it.
            if error.status == 404:
                raise
        return False

    def replace_destination(self) -> None:
        """Delete the dataset that is there."""
        destination = self._request.destination
        assert isinstance(destination, DatasetName)
        self._log.warning("Deleting %s, to be replaced", destination)
        self._hook.delete_dataset(destination)

    def start(self) -> tuple[Record, Operation]:
        """Send the request and return the operation it became.

        :raises AmbiguousSubmissionError: if the request may have been accepted, but not which operation it became.
        """
        record = self._begun = self._intend()
        backoff = Backoff()
        doubtful = False
        while True:
            try:
                operation = self._hook.start_operation(
                    self._request.method, str(self._request.source), self._request.body
                )
                break
            except TransientApiError as error:
                accepted = error.sent and error.status != 429
                doubtful = doubtful or accepted
                if backoff.failures + 1 >= SUBMIT_ATTEMPTS:
                    self._forget_unless(doubtful)
                    raise
                delay = backoff.after(error)
                self._log.warning("%s; looking into it in %.0f s", error, delay)
                self._sleep(delay)
                if accepted and (found := self._evidence.find(record, repeatable=self._request.repeatable)):
                    self._log.warning("The request was accepted all the same: adopting operation %s", found.name)
                    operation = found
                    break
            except ConflictError:
                if not doubtful:
                    self._memory.forget()
                    raise
                found = self._evidence.find(record, repeatable=False)
                if found is None:
                    raise
                operation = found
                break
            except ApiError:
                self._memory.forget()
                raise
        return self._remember(record, operation), operation

    def begun(self) -> str | None:
        """Return the name of the operation that was begun, even if the reply to its request never came.

        For a task that is killed in :meth:`start`: nobody else would stop what it has begun.

        :raises HealthcareDeidError: if it cannot be told.
        """
        record = self._begun
        if record is None or record.operation is not None:
            return record.operation if record else None
        for _ in range(LAST_LOOKS):
            if found := self._evidence.find(record, repeatable=self._request.repeatable):
                return found.name
            # The service may still be at it.
            self._sleep(LAST_LOOK_DELAY)
        return None

    def _presumed(self) -> Record | None:
        """Return the intent that an earlier try may have had, where nothing outlives a try."""
        if self._run_start is None or self._memory.lasting:
            return None
        return self._record(self._run_start, certain=False)

    def _intend(self) -> Record:
        server_time = self._hook.server_time
        moment = server_time.timestamp() if server_time else time.time() - UNSYNCED_SLACK
        return self._memory.save(self._record(moment, certain=self._certain))

    def _record(self, moment: float, *, certain: bool) -> Record:
        server_time = self._hook.server_time
        now = server_time.timestamp() if server_time else time.time()
        return Record(
            method=self._request.method,
            source=str(self._request.source),
            destination=str(self._request.destination),
            fingerprint=self._request.fingerprint,
            time=moment,
            deadline=now + self._timeout if self._timeout else None,
            certain=certain,
        )

    def _remember(self, record: Record, operation: Operation) -> Record:
        self._begun = msgspec.structs.replace(record, operation=operation.name)
        return self._memory.save(self._begun)

    def _look_up(self, record: Record) -> Operation | None:
        assert record.operation is not None
        try:
            return self._hook.get_operation(record.operation, attempts=5)
        except PermissionOrNotFoundError as error:
            if error.status != 404:
                raise
            # The service keeps operations for 30 days after their end; this one ended long ago.
            self._log.warning("Operation %s of an earlier try is no longer kept", record.operation)
            self._memory.forget()
            return None

    def _drained(self, record: Record) -> Operation:
        """Wait for the end of an operation that is being cancelled: two must not run at once."""
        self._log.info("Operation %s of an earlier try is being cancelled; waiting for its end", record.operation)
        ended = self._wait_for_end(record, time.time() + DRAIN_TIMEOUT)
        if ended is None:
            raise OperationTimeoutError(
                f"Operation {record.operation} of an earlier try was cancelled but has not ended yet. Try again later",
                operation_name=record.operation,
            )
        return ended

    def _counts(self, record: Record, operation: Operation) -> bool:
        """Tell whether an operation of an earlier try is the answer to the present request."""
        same = record.fingerprint == self._request.fingerprint
        if not operation.done:
            if same:
                return True
            raise AmbiguousSubmissionError(
                f"Operation {operation.name}, which an earlier try of this task started with another request, is still "
                "running. Wait for its end or cancel it, then clear this task",
                candidates=(operation.name,),
            )
        if operation.status is not OperationStatus.SUCCEEDED:
            self._log.warning("Operation %s of an earlier try is %s", operation.name, operation.status)
            discard(self._hook, record, self._log)
            self._memory.forget()
            return False
        destination = self._request.destination
        gone = isinstance(destination, DatasetName) and self._hook.dataset_exists(destination) is False
        if same and not gone:
            return True
        self._memory.forget()
        return False

    def _forget_unless(self, doubtful: bool) -> None:
        if not doubtful:
            self._memory.forget()


def discard(hook: HealthcareHook, record: Record, log: Log) -> None:
    """Delete what an operation of ours that failed or was cancelled left behind."""
    if record.method != "datasets.deidentify":
        return
    name = DatasetName.parse(record.destination)
    if hook.dataset_exists(name) is not False:
        log.warning("Deleting %s, left behind by operation %s", name, record.operation)
        hook.delete_dataset(name)
