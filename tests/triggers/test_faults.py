"""Two hundred operations at once, with a tenth of all requests failing, lost or late."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from typing import TYPE_CHECKING, Any

import pytest
from airflow.providers.common.compat.sdk import TaskDeferred

from airflow_healthcare_deid.errors import OperationCancelledError, OperationFailedError
from airflow_healthcare_deid.operation import OperationStatus
from airflow_healthcare_deid.operators.deidentify import DeidentifyDatasetOperator
from airflow_healthcare_deid.resource_names import DatasetName
from tests.support.tasks import DictStore, rebuilt, task_context
from tests.support.wing import LOCATION, PROJECT

if TYPE_CHECKING:
    from airflow_healthcare_deid.hooks.healthcare import HealthcareHook
    from tests.support.emulator_admin import EmulatorAdmin

OPERATIONS = 200
SHARE = 0.1
FAULTS: list[dict[str, Any]] = [
    {"status": 429, "retryAfter": 1},
    {"status": 500},
    {"status": 502},
    {"status": 503},
    {"status": 504},
    {"drop": "before"},
    {"drop": "after"},
    {"delay": 0.2},
]


class Task:
    """One task with a source of its own, from its first step to its last."""

    def __init__(self, number: int) -> None:
        self.number = number
        self.source = DatasetName(PROJECT, LOCATION, f"source-{number}")
        self.operator = DeidentifyDatasetOperator(
            task_id=f"deidentify_{number}",
            source_dataset=str(self.source),
            destination_dataset=f"projects/{PROJECT}/locations/{LOCATION}/datasets/copy-{number}",
            config={"dicom": {}},
            deferrable=True,
            poll_interval=0.5,
            max_poll_interval=1,
        )
        self.context = task_context(self.operator, DictStore())
        self.events: list[Any] = []

    def begin(self) -> str:
        """Execute until the task defers; returns the operation's name."""
        with pytest.raises(TaskDeferred) as deferred:
            self.operator.execute(self.context)
        self.deferred = deferred.value
        return str(json.loads(json.dumps(self.deferred.kwargs))["record"]["operation"])

    async def watch(self) -> None:
        """Run the trigger to its end, which is after its first event."""
        async for event in rebuilt(self.deferred.trigger).run():
            self.events.append(json.loads(json.dumps(event.payload)))

    def end(self) -> str:
        """Take over from the trigger; returns the outcome that the task's user sees."""
        [event] = self.events
        kwargs = {**json.loads(json.dumps(self.deferred.kwargs)), "event": event}
        try:
            return str(self.operator.resume_execution(self.deferred.method_name, kwargs, self.context)["status"])
        except OperationFailedError:
            return OperationStatus.FAILED
        except OperationCancelledError:
            return OperationStatus.CANCELLED


def conclude(admin: EmulatorAdmin, hook: HealthcareHook, name: str, number: int) -> OperationStatus:
    """Let an operation end in one of the three ways, by turns."""
    if number % 4 == 0:
        admin.advance(name, error={"code": 13, "message": "internal"})
        return OperationStatus.FAILED
    if number % 4 == 1:
        hook.cancel_operation(name)
        return OperationStatus.CANCELLED
    admin.advance(name, done=True)
    return OperationStatus.SUCCEEDED


def test_every_operation_ends_with_its_true_outcome(hook: HealthcareHook, admin: EmulatorAdmin) -> None:
    tasks = [Task(number) for number in range(OPERATIONS)]
    for task in tasks:
        hook.create_dataset(task.source)
    admin.set_progression("manual", apiMethodName="Deidentify")
    for fault in FAULTS:
        admin.add_fault("", "/v1/", probability=SHARE / len(FAULTS), **fault)
    names = [task.begin() for task in tasks]

    async def watch() -> dict[str, OperationStatus]:
        watching = asyncio.gather(*(task.watch() for task in tasks))
        outcomes = {
            name: await asyncio.to_thread(conclude, admin, hook, name, number) for number, name in enumerate(names)
        }
        await watching
        return outcomes

    outcomes = asyncio.run(watch())
    assert [task.end() for task in tasks] == [outcomes[name] for name in names]
    struck = Counter(str(request["status"]) for request in admin.requests("GET", "/operations/"))
    assert {"429", "500", "502", "503", "504", "None"} <= set(struck)
    admin.remove_faults()
    for task, name in zip(tasks, names, strict=True):
        [operation] = [o for o in hook.list_operations(task.source) if "Deidentify" in str(o.api_method_name)]
        assert (operation.name, operation.status) == (name, outcomes[name])
