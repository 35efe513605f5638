"""What the server knows of the inside of DICOM files: it asks a worker process (`tasks` is what that one does)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from airflow_healthcare_deid.emulator.jobs.workers import WorkerError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from airflow_healthcare_deid.emulator.instances import InstanceRecord
    from airflow_healthcare_deid.emulator.jobs.workers import Workers

DEFAULT_SYNTAX = "1.2.840.10008.1.2.1"
"""Explicit VR Little Endian, in which instances leave unless another transfer syntax is asked for."""

_TASKS = "airflow_healthcare_deid.emulator.dicomweb.tasks"


class Unservable(msgspec.Struct, frozen=True):
    """Why a request for something in a file can't be met.

    :param reason: one sentence without any value of the file.
    :param found: whether the thing is there, only not in the form asked for.
    """

    reason: str
    found: bool = True


class Frame(msgspec.Struct, frozen=True):
    """One frame of an image."""

    data: bytes
    media_type: str
    transfer_syntax: str


_BROKEN = Unservable("The instance can't be read.")


class Reader:
    """Opens DICOM files by way of the workers; every method blocks."""

    def __init__(self, workers: Workers) -> None:
        self._workers = workers

    def index(self, paths: Iterable[Path]) -> Iterator[tuple[Path, InstanceRecord | str]]:
        """Yield what the index keeps of each file, or why it can't be stored, in any order."""
        for batch in self._workers.each(f"{_TASKS}:index", ((path,) for path in paths)):
            for (path,), found in batch:
                yield path, "The file can't be read." if isinstance(found, WorkerError) else found

    def metadata(self, path: Path, bulk: str, tags: frozenset[str] | None = None) -> bytes | Unservable:
        """Return an instance's JSON model as JSON text.

        :param bulk: URI below which its bulk data is served.
        :param tags: only these attributes; None is all.
        """
        answer: bytes | Unservable = self._ask("metadata", path, bulk, tags)
        return answer

    def transcode(self, source: Path, target: Path) -> Unservable | None:
        """Write an instance anew in Explicit VR Little Endian."""
        answer: Unservable | None = self._ask("transcode", source, target)
        return answer

    def frame(self, path: Path, number: int, *, stored: bool) -> Frame | Unservable:
        """Return a frame, counted from 1, as stored or in native Little Endian."""
        answer: Frame | Unservable = self._ask("frame", path, number, stored)
        return answer

    def render(self, path: Path, number: int, image_format: str) -> bytes | Unservable:
        """Return a frame, counted from 1, as a picture; the format is ``JPEG`` or ``PNG``."""
        answer: bytes | Unservable = self._ask("render", path, number, image_format)
        return answer

    def bulk_data(self, path: Path, where: tuple[str, ...]) -> bytes | Unservable:
        """Return the value of an attribute: tag, or item number and tag for each sequence on the way down."""
        answer: bytes | Unservable = self._ask("bulk_data", path, where)
        return answer

    def _ask(self, task: str, *arguments: object) -> Any:
        try:
            return self._workers.call(f"{_TASKS}:{task}", *arguments)
        except WorkerError:
            return _BROKEN
