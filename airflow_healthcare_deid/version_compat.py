"""What differs between Airflow 2.11 and 3.3, in one place.

| | 2.11 | 3.0 - 3.2 | 3.3 |
|---|---|---|---|
| memory of a task instance across tries | none | none | ``context["task_state_store"]`` |
| a deferred task is killed | the trigger's ``run()`` is cancelled | the same | its ``on_kill()`` is called |
| state of a task, asked by a trigger | metadata database | supervisor | supervisor |
| masking of a secret | ``airflow.utils.log`` | ``airflow.sdk``, elsewhere on 3.0 | ``airflow.sdk.log`` |
| connection look-up in a trigger | thread | thread or ``aget_connection`` | ``aget_connection`` |
"""

from __future__ import annotations

import asyncio
from importlib import import_module
from typing import TYPE_CHECKING, Any, Protocol, cast

import airflow

if TYPE_CHECKING:
    from datetime import datetime

    from airflow.providers.common.compat.sdk import Context

AIRFLOW_VERSION = tuple(int(part) for part in airflow.__version__.split(".")[:2])
AIRFLOW_V_3_0_PLUS = AIRFLOW_VERSION >= (3, 0)
AIRFLOW_V_3_3_PLUS = AIRFLOW_VERSION >= (3, 3)

TRIGGER_HAS_ON_KILL = AIRFLOW_V_3_3_PLUS
"""Whether the triggerer calls a trigger's ``on_kill``; below, only cancellation tells."""


class StateStore(Protocol):
    """The part of Airflow 3.3's task state store that is used here."""

    def get(self, key: str) -> Any: ...

    def set(self, key: str, value: Any) -> None: ...

    def delete(self, key: str) -> None: ...


def state_store(context: Context) -> StateStore | None:
    """Return the store that outlives a try of this task instance, or None below Airflow 3.3."""
    return cast("StateStore | None", context.get("task_state_store"))


def is_retry(context: Context) -> bool:
    """Return whether an earlier try of the same run of this task ended without success.

    Clearing a task raises ``max_tries`` to the tries used plus ``retries``; so a cleared task starts with a first try,
    although its ``try_number`` is above one.
    """
    ti = context["ti"]
    first_try = (ti.max_tries or 0) - (context["task"].retries or 0) + 1
    return int(ti.try_number) > max(int(first_try), 1)


def will_retry(context: Context) -> bool:
    """Return whether Airflow will try this task again if it fails now."""
    ti = context["ti"]
    return bool(ti.try_number <= (ti.max_tries or 0))


def run_start(context: Context) -> datetime | None:
    """Return when the DAG run started."""
    return cast("datetime | None", getattr(context.get("dag_run"), "start_date", None))


def deferral_errors() -> tuple[type[Exception], ...]:
    """Return the exceptions of a trigger that failed or of a deferral that took too long."""
    names = ("TaskDeferralError", "TaskDeferralTimeout")
    # They moved to the SDK after it had an exceptions module for a while.
    for path in ("airflow.sdk.exceptions", "airflow.exceptions") if AIRFLOW_V_3_0_PLUS else ("airflow.exceptions",):
        module = import_module(path)
        if found := tuple(getattr(module, name) for name in names if hasattr(module, name)):
            return found
    return ()


def took_too_long(error: Exception) -> bool:
    """Tell a deferral that took too long from a trigger that failed; Airflow 2 has one exception for both."""
    return type(error).__name__ == "TaskDeferralTimeout" or "timeout" in str(error).lower()


def mask_secret(secret: str) -> None:
    """Mask a text in the logs and in what Airflow stores of a task."""
    if AIRFLOW_VERSION >= (3, 1):
        path = "airflow.sdk.log"
    else:
        path = "airflow.sdk.execution_time.secrets_masker" if AIRFLOW_V_3_0_PLUS else "airflow.utils.log.secrets_masker"
    import_module(path).mask_secret(secret)


async def task_state(task_instance: Any) -> str | None:
    """Return the state of a task instance, whichever try it is at, asked from inside the triggerer.

    One that has no state yet, or is gone because its DAG run was deleted, has None.
    """
    from asgiref.sync import sync_to_async

    if AIRFLOW_V_3_3_PLUS:
        return await asyncio.to_thread(_state_from_supervisor, task_instance)
    if AIRFLOW_V_3_0_PLUS:
        # On these versions the supervisor can only be asked from asgiref's own thread.
        return await sync_to_async(_state_from_supervisor)(task_instance)
    return await asyncio.to_thread(_state_from_database, task_instance)


async def xcom_of_task(task_instance: Any, key: str) -> Any:
    """Return what the present try of a task instance has pushed, asked from inside the triggerer.

    None below Airflow 3.3, where a cleared task goes on with nothing that was there before.
    """
    if not AIRFLOW_V_3_3_PLUS:
        return None
    from airflow.providers.common.compat.sdk import XCom

    return await asyncio.to_thread(XCom.get_value, ti_key=task_instance, key=key)


def _state_from_supervisor(ti: Any) -> str | None:
    from airflow.sdk.execution_time.task_runner import RuntimeTaskInstance

    states = RuntimeTaskInstance.get_task_states(
        dag_id=ti.dag_id, task_ids=[ti.task_id], run_ids=[ti.run_id], map_index=ti.map_index
    )
    of_run = states.get(ti.run_id) or {}
    # A mapped task is keyed by "<task id>_<map index>".
    keys = (ti.task_id, f"{ti.task_id}_{ti.map_index}")
    return next((str(of_run[key]) for key in keys if of_run.get(key)), None)


def _state_from_database(ti: Any) -> str | None:
    from airflow.models.taskinstance import TaskInstance
    from airflow.utils.session import create_session

    with create_session() as session:
        query = session.query(TaskInstance.state).filter(
            TaskInstance.dag_id == ti.dag_id,
            TaskInstance.task_id == ti.task_id,
            TaskInstance.run_id == ti.run_id,
            TaskInstance.map_index == ti.map_index,
        )
        return cast("str | None", query.scalar())


async def connection_extras(conn_id: str) -> dict[str, Any]:
    """Return the extra fields of a connection without blocking the event loop."""
    from airflow.providers.common.compat.sdk import BaseHook
    from asgiref.sync import sync_to_async

    try:
        from airflow.providers.common.compat.connection import get_async_connection, get_async_extra_dejson
    except ImportError:
        # The supervisor's channel may be used from asgiref's thread only on these versions.
        connection = await sync_to_async(BaseHook.get_connection)(conn_id)
        return cast("dict[str, Any]", await sync_to_async(lambda: connection.extra_dejson)())
    return await get_async_extra_dejson(await get_async_connection(conn_id))
