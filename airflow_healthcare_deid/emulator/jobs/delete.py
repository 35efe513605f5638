"""Deleting a study or a series."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from airflow_healthcare_deid.emulator.jobs.context import JobContext


def delete_dicom(context: JobContext) -> dict[str, Any]:
    """Remove every instance of a study or series; payload: ``store``, ``uids``."""
    store, uids = context.payload["store"], context.payload["uids"]
    instances = context.state.instances
    context.expect(instances.size(store, uids).instances)
    for record in instances.each(store, uids):
        context.check()
        with context.finishing() as done:
            instances.remove(store, record)
            done["/".join(record.uids)] = True
    return {"@type": "type.googleapis.com/google.protobuf.Empty"}
