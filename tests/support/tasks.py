"""A task instance without a scheduler: context, memory, and what happens to a task that defers."""

from __future__ import annotations

import asyncio
import json
from datetime import UTC, datetime
from importlib import import_module
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

from airflow.providers.common.compat.sdk import TaskDeferred

if TYPE_CHECKING:
    from airflow.triggers.base import BaseTrigger


class DictStore:
    """Airflow's task state store, over plain JSON."""

    def __init__(self) -> None:
        self.values: dict[str, str] = {}

    def get(self, key: str) -> Any:
        return json.loads(self.values[key]) if key in self.values else None

    def set(self, key: str, value: Any) -> None:
        self.values[key] = json.dumps(value)

    def delete(self, key: str) -> None:
        self.values.pop(key, None)


class FakeTaskInstance:
    """What an operator uses of its task instance; XComs of one try."""

    def __init__(self, task: Any, try_number: int, max_tries: int) -> None:
        self.task_id = task.task_id
        self.map_index = -1
        self.try_number = try_number
        self.max_tries = max_tries
        self.xcoms: dict[str, Any] = {}

    def xcom_push(self, key: str, value: Any) -> None:
        self.xcoms[key] = json.loads(json.dumps(value))

    def xcom_pull(self, *, key: str, **_: Any) -> Any:
        return self.xcoms.get(key)


def task_context(
    task: Any,
    store: DictStore | None = None,
    *,
    try_number: int = 1,
    max_tries: int | None = None,
    run_start: datetime | None = None,
) -> Any:
    """Return the context of one try.

    :param store: what outlives the try; None as below Airflow 3.3.
    :param max_tries: default: the task's retries.
    """
    retries = task.retries or 0
    context = {
        "task": task,
        "ti": FakeTaskInstance(task, try_number, retries if max_tries is None else max_tries),
        "dag_run": SimpleNamespace(start_date=run_start or datetime.now(UTC)),
        "outlet_events": {},
    }
    if store is not None:
        context["task_state_store"] = store
    return context


def rebuilt(trigger: BaseTrigger) -> BaseTrigger:
    """Return the trigger as the triggerer makes it from what Airflow stores."""
    path, kwargs = trigger.serialize()
    module, _, name = path.rpartition(".")
    made: BaseTrigger = getattr(import_module(module), name)(**json.loads(json.dumps(kwargs)))
    return made


def first_event(trigger: BaseTrigger) -> Any:
    """Run a trigger to its first event and return that as the worker gets it."""

    async def run() -> Any:
        async for event in rebuilt(trigger).run():
            return json.loads(json.dumps(event.payload))
        raise AssertionError("the trigger ended without an event")

    return asyncio.run(run())


def run_task(task: Any, context: Any) -> Any:
    """Execute a task, through as many deferrals as it takes, and return what it returns."""
    try:
        return task.execute(context)
    except TaskDeferred as deferred:
        pending = deferred
    while True:
        kwargs = {**json.loads(json.dumps(pending.kwargs or {})), "event": first_event(pending.trigger)}
        try:
            return task.resume_execution(pending.method_name, kwargs, context)
        except TaskDeferred as deferred:
            pending = deferred
