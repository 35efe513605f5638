"""Whether a request whose reply never came was accepted, and which operation it became."""

from __future__ import annotations

from typing import TYPE_CHECKING

from airflow_healthcare_deid.errors import AmbiguousSubmissionError, PermissionOrNotFoundError
from airflow_healthcare_deid.hooks._methods import METHODS
from airflow_healthcare_deid.operation import OperationStatus
from airflow_healthcare_deid.operators._names import parse_resource
from airflow_healthcare_deid.operators._request import dataset_of
from airflow_healthcare_deid.resource_names import DatasetName

if TYPE_CHECKING:
    from collections.abc import Callable

    from airflow_healthcare_deid.hooks.healthcare import HealthcareHook
    from airflow_healthcare_deid.operation import Operation
    from airflow_healthcare_deid.operators._memory import Record

CLOCK_SLACK = 2.0
"""Seconds that the ``Date`` header, which counts whole ones, may be off."""
LIST_ATTEMPTS = 3
LIST_DELAY = 5.0
MAKE_A_DATASET = ("datasets.deidentify", "datasets.create")
DEAD = (OperationStatus.FAILED, OperationStatus.CANCELLED)


class Evidence:
    """Looks for the operation of a request.

    :param hook: calls the service.
    """

    def __init__(self, hook: HealthcareHook, sleep: Callable[[float], None]) -> None:
        self._hook = hook
        self._sleep = sleep

    def find(self, record: Record, *, repeatable: bool) -> Operation | None:
        """Return the operation that a request became, or None if it may be sent (again).

        :param record: what was intended, and when.
        :param repeatable: whether running it twice does no harm.
        :raises AmbiguousSubmissionError: if neither can be proven.
        """
        if record.method in MAKE_A_DATASET:
            return self._find_by_destination(record)
        if repeatable:
            return None
        # One that came to nothing is no reason against trying again.
        candidates = [operation for operation in self._candidates(record) if operation.status not in DEAD]
        if candidates:
            raise self._ambiguous(record, candidates, "nothing tells whether one of these operations is the one")
        return None

    def _find_by_destination(self, record: Record) -> Operation | None:
        present = self._hook.dataset_exists(DatasetName.parse(record.destination))
        if present is False:
            return None
        candidates = self._candidates(record)
        for _ in range(LIST_ATTEMPTS - 1):
            if candidates or not record.certain:
                break
            self._sleep(LIST_DELAY)
            candidates = self._candidates(record)
        if len(candidates) == 1 and present and (record.certain or candidates[0].status not in DEAD):
            return candidates[0]
        if not candidates and not (present and record.certain):
            # Unseen: the service itself refuses a second one. Uncertain: it was there before, so it is not ours.
            return None
        raise self._ambiguous(record, candidates, f"{record.destination} is there, but which operation made it is open")

    def _candidates(self, record: Record) -> list[Operation]:
        """Return the operations that the request may have become: same source, same method, since the intent."""
        source = parse_resource(record.source)
        rpc = METHODS[record.method].rpc
        try:
            operations = list(self._hook.list_operations(dataset_of(source)))
        except PermissionOrNotFoundError as error:
            raise self._ambiguous(record, [], f"the operations cannot be listed: {error}") from None
        return [
            operation
            for operation in operations
            if (operation.api_method_name or rpc).rpartition(".")[2] == rpc
            and (operation.create_time is None or operation.create_time.timestamp() >= record.time - CLOCK_SLACK)
        ]

    @staticmethod
    def _ambiguous(record: Record, candidates: list[Operation], problem: str) -> AmbiguousSubmissionError:
        names = ", ".join(operation.name for operation in candidates) or "none"
        return AmbiguousSubmissionError(
            f"{record.method} on {record.source} with destination {record.destination} may have been accepted although "
            f"no reply came, and {problem}. Candidates: {names}. Nothing more was started. If one of them is yours, "
            "follow it with HealthcareOperationSensor(operation_name=...) and mark this task as success; if none is, "
            "see that the destination is as it should be, and clear this task",
            candidates=[operation.name for operation in candidates],
        )
