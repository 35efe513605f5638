"""Whether an operation still has a task that waits for it: what a trigger asks before it cancels one."""

from __future__ import annotations

from typing import Any

from airflow_healthcare_deid.operators._memory import KEY
from airflow_healthcare_deid.version_compat import task_state, xcom_of_task


async def is_awaited(task_instance: Any, operation_name: str) -> bool:
    """Return whether a task still waits for an operation although its trigger is told to stop.

    The task is still deferred when its trigger only moves to another triggerer. And where a user has cleared it, the
    next try may have found the operation, and gone on with it, before the triggerer noticed.

    :param task_instance: whose trigger is told to stop.
    :param operation_name: full name of the operation that the trigger watches.
    """
    state = await task_state(task_instance)
    if state == "running":
        shown = await xcom_of_task(task_instance, KEY)
        return isinstance(shown, dict) and shown.get("operation") == operation_name
    return state == "deferred"
