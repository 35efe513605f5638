"""What the export and import jobs share."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, TypeVar

from airflow_healthcare_deid.emulator import gcs
from airflow_healthcare_deid.emulator.errors import Code, ServiceError

if TYPE_CHECKING:
    from airflow_healthcare_deid.emulator.jobs.context import JobContext
    from airflow_healthcare_deid.emulator.resources import Resource


STORAGE_TASKS = "airflow_healthcare_deid.emulator.jobs.storage_tasks"

T = TypeVar("T", bool, None)


def store_of(context: JobContext) -> Resource:
    """Return the store whose key is the payload's ``store``.

    :raises ServiceError: 404 if it was deleted meanwhile.
    """
    store = context.state.resources.by_key(context.payload["store"])
    if store is None:
        raise ServiceError(Code.NOT_FOUND, "The store was deleted while the operation was running.")
    return store


def destination(context: JobContext) -> tuple[str | None, str]:
    """Return the storage emulator to use, if any, and what the URIs of all objects start with.

    :raises ServiceError: if its bucket is missing, or may not be seen.
    """
    host = os.environ.get("STORAGE_EMULATOR_HOST")
    location = gcs.parse_location(context.payload["prefix"], "gcsDestination.uriPrefix", prefix=True)
    not_refused(context.state.workers.call(f"{STORAGE_TASKS}:check", host, location))
    return host, f"gs://{location.bucket}/{location.name}"


def not_refused(result: T | dict[str, Any]) -> T:
    """Return what a task of `storage_tasks` returned.

    :raises ServiceError: if Cloud Storage refused.
    """
    if isinstance(result, dict):
        raise ServiceError(Code(result["code"]), result["message"], result.get("details", ()))
    return result


def count(context: JobContext, item: str, *, succeeded: bool) -> None:
    """Count a resource for which nothing had to be written to the emulator's own storage."""
    with context.finishing() as done:
        done[item] = succeeded
