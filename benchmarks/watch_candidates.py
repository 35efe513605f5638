"""The triggers that `bench_watch` measures, Google's with their last call replaced, and all look-ups counted."""

from __future__ import annotations

import asyncio
import json
import os
import time
from collections.abc import Callable
from functools import wraps
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

from benchmarks.operations_server import NAME

if TYPE_CHECKING:
    from collections import Counter
    from collections.abc import AsyncIterator

    from airflow.triggers.base import TriggerEvent

Make = Callable[[int], Any]
CONNECTION = "google_cloud_default"


def ours(interval: float, _latency: float, url: str, counts: Counter[str]) -> Make:
    connect({"project": "p", "healthcare_api_endpoint": url}, counts)
    from airflow_healthcare_deid.hooks._client import SharedClient
    from airflow_healthcare_deid.triggers.operation import HealthcareOperationTrigger

    _time_looks(SharedClient, counts)
    # Started long ago, as after a restart of the triggerer: it spreads its first looks over the interval.
    return lambda number: HealthcareOperationTrigger(
        NAME.format(number + 1), started=time.time() - 3600, poll_interval=interval, max_poll_interval=interval
    )


def cloud_batch(interval: float, latency: float, _url: str, counts: Counter[str]) -> Make:
    connect({"project": "p"}, counts)
    google()
    from airflow.providers.google.cloud.triggers.cloud_batch import CloudBatchJobFinishedTrigger
    from google.cloud.batch_v1 import BatchServiceAsyncClient, Job, JobStatus

    job = Job(name="j", status=JobStatus(state=JobStatus.State.RUNNING))
    replace(BatchServiceAsyncClient, "get_job", _waits(latency, job, counts))
    return lambda number: CloudBatchJobFinishedTrigger(f"job-{number}", "p", polling_period_seconds=interval)


def cloud_sql(interval: float, latency: float, _url: str, counts: Counter[str]) -> Make:
    connect({"project": "p"}, counts)
    google()
    from airflow.providers.google.cloud.triggers.cloud_sql import CloudSQLExportTrigger
    from gcloud.aio.auth import AioSession, Token

    async def answer(**_: Any) -> dict[str, str]:
        return {"name": "o", "status": "RUNNING"}

    async def token(_: Any) -> str:
        counts["tokens"] += 1
        return "token"

    replace(AioSession, "get", _waits(latency, SimpleNamespace(json=answer), counts))
    replace(Token, "get", token)
    return lambda number: CloudSQLExportTrigger(f"operation-{number}", "p", poke_interval=round(interval))


def dataproc(interval: float, latency: float, _url: str, counts: Counter[str]) -> Make:
    connect({"project": "p"}, counts)
    google()
    from airflow.providers.google.cloud.triggers.dataproc import DataprocOperationTrigger
    from google.api_core.operations_v1 import OperationsAsyncClient

    running = SimpleNamespace(done=False)
    replace(OperationsAsyncClient, "get_operation", _waits(latency, running, counts))
    return lambda number: DataprocOperationTrigger(
        f"operation-{number}", region="r", project_id="p", polling_interval_seconds=interval
    )


def bigquery(interval: float, latency: float, _url: str, counts: Counter[str]) -> Make:
    connect({"project": "p"}, counts)
    google()
    from airflow.providers.google.cloud.triggers.bigquery import BigQueryInsertJobTrigger
    from google.cloud.bigquery import Client

    def get_job(*_: Any, **__: Any) -> SimpleNamespace:
        counts["polls"] += 1
        time.sleep(latency)
        return SimpleNamespace(state="RUNNING")

    replace(Client, "get_job", get_job)
    return lambda number: BigQueryInsertJobTrigger(CONNECTION, f"job-{number}", "p", "US", poll_interval=interval)


def bare(interval: float, latency: float, _url: str, counts: Counter[str]) -> Make:
    from airflow.triggers.base import BaseTrigger, TriggerEvent

    class BareTrigger(BaseTrigger):
        """Does nothing but wait: the least that any trigger costs."""

        def serialize(self) -> tuple[str, dict[str, Any]]:
            return "", {}

        async def run(self) -> AsyncIterator[TriggerEvent]:
            while not counts["stop"]:
                await asyncio.sleep(latency)
                counts["polls"] += 1
                await asyncio.sleep(interval)
            yield TriggerEvent(None)

    return lambda _: BareTrigger()


CANDIDATES: dict[str, Callable[[float, float, str, Counter[str]], Make]] = {
    "this package": ours,
    "BaseTrigger, only waiting": bare,
    "CloudSQLExportTrigger": cloud_sql,
    "CloudBatchJobFinishedTrigger": cloud_batch,
    "DataprocOperationTrigger": dataproc,
    "BigQueryInsertJobTrigger": bigquery,
}


def _waits(latency: float, answer: Any, counts: Counter[str]) -> Any:
    async def leaf(*_: Any, **__: Any) -> Any:
        counts["polls"] += 1
        await asyncio.sleep(latency)
        return answer

    return leaf


def google() -> None:
    """Give Google's hooks credentials that ask nobody."""
    from airflow.providers.google.common.hooks.base_google import GoogleBaseHook
    from google.auth.credentials import AnonymousCredentials

    replace(GoogleBaseHook, "get_credentials_and_project_id", lambda _: (AnonymousCredentials(), "p"))


def connect(extra: dict[str, str], counts: Counter[str]) -> None:
    """Set the connection that all use, and count how often it is looked up."""
    value = {"conn_type": "google_cloud_platform", "extra": extra}
    os.environ[f"AIRFLOW_CONN_{CONNECTION.upper()}"] = json.dumps(value)
    from airflow.secrets.environment_variables import EnvironmentVariablesBackend

    _count_calls(EnvironmentVariablesBackend, "get_conn_value", counts, "lookups")


def _time_looks(owner: Any, counts: Counter[str]) -> None:
    """Count looks, and the microseconds from when one is due until its answer is there."""
    real = owner.get_operation

    @wraps(real)
    async def timed(*arguments: Any) -> Any:
        due = time.perf_counter()
        operation = await real(*arguments)
        took = round((time.perf_counter() - due) * 1e6)
        counts["polls"] += 1
        counts["look"] += took
        counts["slowest look"] = max(counts["slowest look"], took)
        return operation

    replace(owner, "get_operation", timed)


def _count_calls(owner: Any, name: str, counts: Counter[str], key: str) -> None:
    real = getattr(owner, name)

    @wraps(real)
    def counting(*arguments: Any, **options: Any) -> Any:
        counts[key] += 1
        return real(*arguments, **options)

    replace(owner, name, counting)


def replace(owner: type, name: str, value: object) -> None:
    """Put something else in the place of a method."""
    setattr(owner, name, value)
