"""What the export and import jobs share."""

from __future__ import annotations

from typing import TYPE_CHECKING

from airflow_healthcare_deid.emulator.errors import Code, ServiceError

if TYPE_CHECKING:
    from airflow_healthcare_deid.emulator.jobs.context import JobContext
    from airflow_healthcare_deid.emulator.resources import Resource


def store_of(context: JobContext) -> Resource:
    """Return the store whose key is the payload's ``store``.

    :raises ServiceError: 404 if it was deleted meanwhile.
    """
    store = context.state.resources.by_key(context.payload["store"])
    if store is None:
        raise ServiceError(Code.NOT_FOUND, "The store was deleted while the operation was running.")
    return store


def count(context: JobContext, item: str, *, succeeded: bool) -> None:
    """Count a resource for which nothing had to be written to the emulator's own storage."""
    with context.finishing() as done:
        done[item] = succeeded
