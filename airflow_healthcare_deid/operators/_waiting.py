"""Waiting for an operation inside of a worker, on the same schedule as the trigger."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

from airflow_healthcare_deid.errors import ApiError

if TYPE_CHECKING:
    from collections.abc import Callable

    from airflow_healthcare_deid.hooks.healthcare import HealthcareHook
    from airflow_healthcare_deid.operation import Operation
    from airflow_healthcare_deid.triggers._watch import OperationWatch


class Log(Protocol):
    """What is used of a task's logger."""

    def info(self, message: str, /, *args: Any) -> Any: ...

    def warning(self, message: str, /, *args: Any) -> Any: ...


def wait_in_worker(
    hook: HealthcareHook, name: str, watch: OperationWatch, log: Log, sleep: Callable[[float], None]
) -> Operation | None:
    """Return a finished operation, or None once the deadline has passed.

    :param hook: calls the service.
    :param name: full name of the operation.
    :param watch: when to ask, and when to give up.
    :raises ApiError: if it cannot be watched any longer.
    """
    delay = watch.first_delay()
    while True:
        sleep(delay)
        try:
            operation = hook.get_operation(name)
        except ApiError as error:
            delay = watch.failed(error)
            log.warning("%s; asking again in %.0f s", error, delay)
        else:
            if watch.is_news(operation):
                log.info("Operation %s is %s: %s", name, operation.status, operation.progress)
            delay = watch.saw(operation, hook.server_time)
            if operation.done:
                return operation
        if watch.overdue:
            return None
