"""What a trigger that is told to stop finds out about its task."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import Any

import pytest

from airflow_healthcare_deid import version_compat
from airflow_healthcare_deid.triggers import _guard
from airflow_healthcare_deid.triggers._guard import is_awaited

OPERATION = "projects/p/locations/l/datasets/d/operations/1"
ANOTHER = "projects/p/locations/l/datasets/d/operations/2"


@pytest.mark.parametrize(
    ("state", "shown", "awaited"),
    [
        ("deferred", None, True),
        ("running", {"operation": OPERATION}, True),
        ("running", {"operation": ANOTHER}, False),
        ("running", {"operation": None}, False),
        ("running", None, False),
        ("queued", {"operation": OPERATION}, False),
        ("failed", {"operation": OPERATION}, False),
        ("success", None, False),
        (None, None, False),
    ],
)
def test_a_task_waits_if_it_is_deferred_or_its_next_try_has_taken_the_operation_over(
    state: str | None, shown: Any, awaited: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def task_state(_: Any) -> str | None:
        return state

    async def xcom_of_task(_: Any, key: str) -> Any:
        assert key == "healthcare_operation"
        return shown

    monkeypatch.setattr(_guard, "task_state", task_state)
    monkeypatch.setattr(_guard, "xcom_of_task", xcom_of_task)
    assert asyncio.run(is_awaited(SimpleNamespace(), OPERATION)) is awaited


@pytest.mark.parametrize(
    ("states", "map_index", "state"),
    [
        ({"run": {"task": "deferred"}}, -1, "deferred"),
        ({"run": {"task_3": "deferred"}}, 3, "deferred"),
        ({"run": {"task": "failed"}}, -1, "failed"),
        ({"run": {"task": None}}, -1, None),
        ({}, -1, None),
    ],
)
@pytest.mark.skipif(not version_compat.AIRFLOW_V_3_0_PLUS, reason="Airflow 2 has no supervisor")
def test_the_state_of_a_task_as_the_supervisor_tells_it(
    states: dict[str, Any], map_index: int, state: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    from airflow.sdk.execution_time.task_runner import RuntimeTaskInstance

    monkeypatch.setattr(RuntimeTaskInstance, "get_task_states", staticmethod(lambda **_: states))
    ti = SimpleNamespace(dag_id="dag", task_id="task", run_id="run", map_index=map_index)
    assert asyncio.run(version_compat.task_state(ti)) == state


@pytest.mark.skipif(not version_compat.AIRFLOW_V_3_3_PLUS, reason="a cleared task goes on with nothing below 3.3")
def test_what_a_task_shows_is_asked_for_by_its_key(monkeypatch: pytest.MonkeyPatch) -> None:
    from airflow.providers.common.compat.sdk import XCom

    def get_one(**asked: Any) -> Any:
        assert asked == {"key": "k", "dag_id": "dag", "task_id": "task", "run_id": "run", "map_index": 3}
        return {"operation": OPERATION}

    monkeypatch.setattr(XCom, "get_one", staticmethod(get_one))
    ti = SimpleNamespace(dag_id="dag", task_id="task", run_id="run", map_index=3)
    assert asyncio.run(version_compat.xcom_of_task(ti, "k")) == {"operation": OPERATION}
