"""HealthcareOperationTrigger: watches one operation from the triggerer."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from airflow.triggers.base import BaseTrigger, TriggerEvent

from airflow_healthcare_deid.errors import ApiError
from airflow_healthcare_deid.hooks.asynchronous import HealthcareAsyncHook
from airflow_healthcare_deid.operation import OperationStatus
from airflow_healthcare_deid.polling import PollSchedule
from airflow_healthcare_deid.resource_names import OperationName
from airflow_healthcare_deid.triggers._event import EVENT_VERSION, OperationEvent, Status, error_part, flatten
from airflow_healthcare_deid.triggers._guard import is_awaited
from airflow_healthcare_deid.triggers._slots import to_slot
from airflow_healthcare_deid.triggers._watch import OperationWatch
from airflow_healthcare_deid.version_compat import TRIGGER_HAS_ON_KILL

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

    from airflow_healthcare_deid.hooks.asynchronous import StoreNames
    from airflow_healthcare_deid.operation import Operation

KILL_TIMEOUT = 20.0
"""Seconds that cancelling may take; below Airflow's ``[triggerer] on_kill_timeout`` of 30."""


class HealthcareOperationTrigger(BaseTrigger):
    """Waits until a long-running operation of the Cloud Healthcare API has ended.

    Its arguments hold names and numbers only: Airflow stores them unencrypted.

    :param operation_name: full name of the operation.
    :param started: when it was started, in seconds since the epoch.
    :param deadline: when to give up, in seconds since the epoch; None for never.
    :param poll_interval: seconds before the first request, and the least between two.
    :param max_poll_interval: most seconds between two requests.
    :param destination_dataset: full name of the dataset whose stores to tell when the operation has ended well.
    :param cancel_on_kill: cancel the operation when a user marks or clears the deferred task.
    :param cancel_on_timeout: cancel the operation when the deadline passes.
    :param gcp_conn_id: Airflow connection of type ``google_cloud_platform``.
    :param impersonation_chain: service account to impersonate, or chain of accounts of which the last is.
    :param quota_project_id: project that requests are billed and counted to.
    :param api_endpoint: address of the service.
    """

    def __init__(
        self,
        operation_name: str,
        started: float,
        deadline: float | None = None,
        poll_interval: float = 10.0,
        max_poll_interval: float = 300.0,
        destination_dataset: str | None = None,
        cancel_on_kill: bool = True,
        cancel_on_timeout: bool = True,
        gcp_conn_id: str = "google_cloud_default",
        impersonation_chain: str | Sequence[str] | None = None,
        quota_project_id: str | None = None,
        api_endpoint: str | None = None,
    ) -> None:
        super().__init__()
        self.operation_name = operation_name
        self.started = started
        self.deadline = deadline
        self.poll_interval = poll_interval
        self.max_poll_interval = max_poll_interval
        self.destination_dataset = destination_dataset
        self.cancel_on_kill = cancel_on_kill
        self.cancel_on_timeout = cancel_on_timeout
        self.gcp_conn_id = gcp_conn_id
        self.impersonation_chain = impersonation_chain
        self.quota_project_id = quota_project_id
        self.api_endpoint = api_endpoint

    def serialize(self) -> tuple[str, dict[str, Any]]:
        """Return the class and the arguments that Airflow stores."""
        return (
            f"{type(self).__module__}.{type(self).__qualname__}",
            {
                "operation_name": self.operation_name,
                "started": self.started,
                "deadline": self.deadline,
                "poll_interval": self.poll_interval,
                "max_poll_interval": self.max_poll_interval,
                "destination_dataset": self.destination_dataset,
                "cancel_on_kill": self.cancel_on_kill,
                "cancel_on_timeout": self.cancel_on_timeout,
                "gcp_conn_id": self.gcp_conn_id,
                "impersonation_chain": self.impersonation_chain,
                "quota_project_id": self.quota_project_id,
                "api_endpoint": self.api_endpoint,
            },
        )

    async def run(self) -> AsyncIterator[TriggerEvent]:
        """Watch the operation and yield one event."""
        try:
            async with self._hook() as hook:
                event = await self._watch(hook)
        except asyncio.CancelledError:
            if not TRIGGER_HAS_ON_KILL:
                await self.on_kill()
            raise
        yield TriggerEvent(event)

    async def on_kill(self) -> None:
        """Cancel the operation if a user acted on the task.

        A trigger is also told to stop when it moves to another triggerer, or when its triggerer was slow to report; the
        task still waits then, and the operation must go on.
        """
        if not self.cancel_on_kill:
            return
        try:
            async with asyncio.timeout(KILL_TIMEOUT):
                if await is_awaited(self.task_instance, self.operation_name):
                    self.log.info("The task still waits: operation %s goes on", self.operation_name)
                    return
                async with self._hook() as hook:
                    await self._cancel(hook)
        except TimeoutError:
            self.log.warning("Operation %s could not be cancelled within %s s", self.operation_name, KILL_TIMEOUT)
        except Exception:
            # Whatever goes wrong while Airflow is asked: what is not proven must not stop an operation.
            self.log.warning("Operation %s goes on: the task's state is unknown", self.operation_name, exc_info=True)

    async def _watch(self, hook: HealthcareAsyncHook) -> OperationEvent:
        watch = OperationWatch(
            PollSchedule(self.poll_interval, self.max_poll_interval), started=self.started, deadline=self.deadline
        )
        name = OperationName.parse(self.operation_name)
        delay = watch.first_delay()
        while True:
            await asyncio.sleep(to_slot(delay))
            try:
                operation = await hook.get_operation(name)
            except ApiError as error:
                try:
                    delay = watch.failed(error)
                except ApiError as final:
                    return self._event("error", watch, final)
                self.log.warning("%s; asking again in %.0f s", error, delay)
            else:
                if watch.is_news(operation):
                    self.log.info("Operation %s is %s: %s", operation.name, operation.status, operation.progress)
                delay = watch.saw(operation, hook.server_time)
                if operation.done:
                    return {**self._event("finished", watch), "stores": await self._stores(hook, operation)}
            if watch.overdue:
                if self.cancel_on_timeout:
                    await self._cancel(hook)
                return self._event("timeout", watch)

    async def _stores(self, hook: HealthcareAsyncHook, operation: Operation) -> StoreNames | None:
        if self.destination_dataset is None or operation.status is not OperationStatus.SUCCEEDED:
            return None
        try:
            return await hook.list_stores(self.destination_dataset)
        except ApiError as error:  # no reason to hold up the end: the worker can look for itself
            self.log.info("The destination's stores are left to the worker: %s", error)
            return None

    async def _cancel(self, hook: HealthcareAsyncHook) -> None:
        try:
            taken = await hook.cancel_operation(self.operation_name)
        except ApiError as error:
            self.log.warning("Operation %s could not be cancelled: %s", self.operation_name, error)
        else:
            self.log.info(
                "Operation %s: %s", self.operation_name, "cancellation requested" if taken else "had ended already"
            )

    @staticmethod
    def _event(status: Status, watch: OperationWatch, error: ApiError | None = None) -> OperationEvent:
        return {
            "version": EVENT_VERSION,
            "status": status,
            "operation": flatten(watch.operation) if watch.operation else None,
            "error": error_part(error) if error else None,
        }

    def _hook(self) -> HealthcareAsyncHook:
        return HealthcareAsyncHook(
            self.gcp_conn_id,
            self.impersonation_chain,
            quota_project_id=self.quota_project_id,
            api_endpoint=self.api_endpoint,
        )
