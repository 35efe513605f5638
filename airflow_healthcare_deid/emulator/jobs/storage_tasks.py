"""What the worker processes do with Cloud Storage: Google's client takes more time than what it sends.

Each task is told the storage emulator to use, if any, since a worker outlives the settings it was started under, and
returns a ``google.rpc.Status`` if Cloud Storage refused: see `transfer.not_refused`.
"""

from __future__ import annotations

import os
from functools import wraps
from typing import TYPE_CHECKING, Any, TypeVar

from airflow_healthcare_deid.emulator import gcs
from airflow_healthcare_deid.emulator.dicomweb import tasks
from airflow_healthcare_deid.emulator.dicomweb.reader import Unservable
from airflow_healthcare_deid.emulator.errors import ServiceError
from airflow_healthcare_deid.emulator.jobs.dicom_objects import AS_STORED, frame_count
from airflow_healthcare_deid.emulator.jobs.transcoding import transcode

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from airflow_healthcare_deid.config.gcs import GcsLocation
    from airflow_healthcare_deid.emulator.instances import InstanceRecord
    from airflow_healthcare_deid.emulator.jobs.dicom_objects import ExportFormat

T = TypeVar("T")
Status = dict[str, Any]


def _task(act: Callable[..., T]) -> Callable[..., T | Status]:
    @wraps(act)
    def task(host: str | None, *arguments: Any) -> T | Status:
        if host:
            os.environ["STORAGE_EMULATOR_HOST"] = host
        else:
            os.environ.pop("STORAGE_EMULATOR_HOST", None)
        try:
            return act(*arguments)
        except ServiceError as error:
            return error.status()

    return task


@_task
def check(location: GcsLocation) -> None:
    """See that a destination's bucket is there."""
    gcs.check_bucket(location, "gcsDestination.uriPrefix")


@_task
def write(uri: str, file: Path, media_type: str) -> None:
    """Write a file as an object."""
    _write_file(uri, file, media_type)


def _write_file(uri: str, file: Path, media_type: str) -> None:
    with file.open("rb") as content:  # stays readable if its instance is deleted while it is sent
        gcs.write_gcs(uri, content, media_type)


@_task
def export(source: Path, scratch: Path, record: InstanceRecord, prefix: str, form: ExportFormat) -> bool:
    """Write a DICOM instance as one object, or as one for each frame: all of them or none.

    :param source: its file.
    :param scratch: where a file may be made.
    :param record: what the index knows of it.
    :param prefix: what the URIs of all objects start with.
    :return: whether it can be had in this format.
    """
    uri = prefix + "/".join(record.uids)
    if form.by_frame:
        return _export_frames(source, uri, frame_count(record), form)
    if form.transfer_syntax in (AS_STORED, record.transfer_syntax):
        _write_file(form.object_name(uri), source, form.media_type)
        return True
    try:
        if not transcode(source, scratch, form.transfer_syntax):
            return False
        _write_file(form.object_name(uri), scratch, form.media_type)
    finally:
        scratch.unlink(missing_ok=True)
    return True


def _export_frames(source: Path, uri: str, frames: int, form: ExportFormat) -> bool:
    found: list[bytes] = []
    for number in range(1, frames + 1):
        content = _frame(source, number, form)
        if isinstance(content, Unservable):
            return False
        found.append(content)
    for number, content in enumerate(found, 1):
        gcs.write_gcs(form.object_name(uri, number if frames > 1 else None), content, form.media_type)
    return True


def _frame(source: Path, number: int, form: ExportFormat) -> bytes | Unservable:
    if form.media_type != "application/octet-stream":
        return tasks.render(source, number, form.media_type.removeprefix("image/").upper())
    frame = tasks.frame(source, number, stored=form.transfer_syntax == AS_STORED)
    return frame if isinstance(frame, Unservable) else frame.data
