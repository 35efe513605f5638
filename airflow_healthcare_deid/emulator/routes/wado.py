"""DICOMweb: retrieve studies, series, instances, their metadata, frames, pictures and bulk data."""

from __future__ import annotations

import re
import secrets
from typing import TYPE_CHECKING

from starlette.background import BackgroundTask
from starlette.responses import FileResponse, Response, StreamingResponse
from starlette.routing import Route

from airflow_healthcare_deid.emulator.dicomweb.accept import Wanted, chosen, not_acceptable
from airflow_healthcare_deid.emulator.dicomweb.multipart import closing, new_boundary, part_head
from airflow_healthcare_deid.emulator.dicomweb.reader import DEFAULT_SYNTAX, Frame, Unservable
from airflow_healthcare_deid.emulator.errors import invalid, not_found
from airflow_healthcare_deid.emulator.messages import check_query
from airflow_healthcare_deid.emulator.routes.dicomweb import (
    DICOM_JSON,
    INSTANCE,
    SERIES,
    STUDY,
    base_url,
    dicom_store,
    require_content,
    uids_of,
)
from airflow_healthcare_deid.emulator.state import state_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from starlette.requests import Request

    from airflow_healthcare_deid.emulator.instances import InstanceRecord
    from airflow_healthcare_deid.emulator.resources import Resource

_DICOM = "application/dicom"
_OCTETS = "application/octet-stream"
_CHUNK = 1024 * 1024
_MAX_FRAMES = 10_000


def _content(request: Request) -> tuple[Resource, tuple[str, ...]]:
    check_query(request, ("viewport",) if request.url.path.endswith("/rendered") else ())
    store = dicom_store(request, "dicomWebRead")
    uids = uids_of(request)
    require_content(request, store, uids)
    return store, uids


def _retrieve(request: Request) -> Response:
    store, uids = _content(request)
    # One instance may leave without the multipart envelope.
    offers = [(_DICOM, True), *([(_DICOM, False)] if len(uids) == 3 else [])]
    want = chosen(request, Wanted(_DICOM, True, DEFAULT_SYNTAX), offers)
    if want.transfer_syntax not in (None, "*", DEFAULT_SYNTAX):
        _require_stored_syntax(request, store, uids, want.transfer_syntax)
    export = _Export(request, store, stored=want.transfer_syntax not in (None, DEFAULT_SYNTAX))
    if len(uids) < 3:
        return _multipart(_DICOM, export.parts(state_of(request).instances.each(store.key, uids)))
    record = next(state_of(request).instances.each(store.key, uids))
    path, syntax = export.file(record, strict=True)
    if want.multipart:
        return _multipart(_DICOM, export.part(path, syntax))
    task = BackgroundTask(export.release, path)
    return FileResponse(path, media_type=f"{_DICOM}; transfer-syntax={syntax}", background=task)


def _require_stored_syntax(request: Request, store: Resource, uids: tuple[str, ...], syntax: str | None) -> None:
    """Take a transfer syntax other than the default only where the instances have it already."""
    if any(record.transfer_syntax != syntax for record in state_of(request).instances.each(store.key, uids)):
        raise not_acceptable(
            f"The emulator serves instances as stored (transfer-syntax=*) or in {DEFAULT_SYNTAX}, no other syntax."
        )


class _Export:
    """Brings instances into the transfer syntax asked for; transcoded files are temporary."""

    def __init__(self, request: Request, store: Resource, *, stored: bool) -> None:
        self._state = state_of(request)
        self._store = store
        self._stored = stored

    def file(self, record: InstanceRecord, *, strict: bool) -> tuple[Path, str]:
        """Return a file and its transfer syntax.

        :param strict: answer 406 if it can't be transcoded; otherwise it leaves as stored, and says so.
        """
        path = self._state.instances.path(self._store.key, *record.uids)
        if self._stored or record.transfer_syntax == DEFAULT_SYNTAX:
            return path, record.transfer_syntax
        target = self._state.storage.incoming / f"{secrets.token_hex(16)}.out"
        problem = self._state.reader.transcode(path, target)
        if problem is None:
            return target, DEFAULT_SYNTAX
        target.unlink(missing_ok=True)
        if strict:
            raise not_acceptable(problem.reason)
        return path, record.transfer_syntax

    def release(self, path: Path) -> None:
        """Remove a file if it is a temporary one."""
        if path.parent == self._state.storage.incoming:
            path.unlink(missing_ok=True)

    def parts(self, records: Iterator[InstanceRecord]) -> Iterator[tuple[dict[str, str], Iterator[bytes]]]:
        for record in records:
            yield from self.part(*self.file(record, strict=False))

    def part(self, path: Path, syntax: str) -> Iterator[tuple[dict[str, str], Iterator[bytes]]]:
        yield {"Content-Type": f"{_DICOM}; transfer-syntax={syntax}"}, self._chunks(path)

    def _chunks(self, path: Path) -> Iterator[bytes]:
        try:
            with path.open("rb") as file:
                while chunk := file.read(_CHUNK):
                    yield chunk
        finally:
            self.release(path)


def _multipart(media_type: str, parts: Iterator[tuple[dict[str, str], Iterator[bytes]]]) -> StreamingResponse:
    boundary = new_boundary()

    def body() -> Iterator[bytes]:
        first = True
        for headers, chunks in parts:
            yield part_head(boundary, headers, first=first)
            yield from chunks
            first = False
        yield closing(boundary)

    return StreamingResponse(body(), media_type=f'multipart/related; type="{media_type}"; boundary={boundary}')


def _metadata(request: Request) -> Response:
    store, uids = _content(request)
    chosen(request, Wanted(DICOM_JSON, False, None), [(DICOM_JSON, False), ("application/json", False)])
    state = state_of(request)
    base = base_url(request, store)

    def body() -> Iterator[bytes]:
        lead = b"["
        for record in state.instances.each(store.key, uids):
            study, series, sop = record.uids
            bulk = f"{base}/studies/{study}/series/{series}/instances/{sop}/bulkdata"
            text = state.reader.metadata(state.instances.path(store.key, *record.uids), bulk)
            if isinstance(text, bytes):
                yield lead + text
                lead = b","
        yield b"]" if lead == b"," else b"[]"

    return StreamingResponse(body(), media_type=DICOM_JSON)


def _frames(request: Request) -> Response:
    store, uids = _content(request)
    numbers = _frame_numbers(request)
    offers = [(_OCTETS, True), *((kind, True) for kind in _IMAGE_TYPES)]
    if len(numbers) == 1:
        offers += [(kind, False) for kind, _ in list(offers)]
    want = chosen(request, Wanted(_OCTETS, True, DEFAULT_SYNTAX), offers)
    stored = want.transfer_syntax not in (None, DEFAULT_SYNTAX) or want.media_type != _OCTETS
    path = state_of(request).instances.path(store.key, *uids)

    def frame(number: int) -> Frame:
        found = state_of(request).reader.frame(path, number, stored=stored)
        if isinstance(found, Unservable):
            raise not_acceptable(found.reason) if found.found else not_found("frame", str(number))
        return found

    frame(max(numbers))  # that it is there must be known before the answer begins
    first = frame(numbers[0])
    if want.media_type not in (_OCTETS, first.media_type) or want.transfer_syntax not in (
        None,
        "*",
        first.transfer_syntax,
    ):
        raise not_acceptable(f"The frames are {first.media_type} in {first.transfer_syntax}.")
    if not want.multipart:
        return Response(first.data, media_type=f"{first.media_type}; transfer-syntax={first.transfer_syntax}")

    def parts() -> Iterator[tuple[dict[str, str], Iterator[bytes]]]:
        for number in numbers:
            found = first if number == numbers[0] else frame(number)
            yield {"Content-Type": f"{found.media_type}; transfer-syntax={found.transfer_syntax}"}, iter([found.data])

    return _multipart(first.media_type, parts())


_IMAGE_TYPES = ("image/jpeg", "image/jls", "image/jp2", "image/jphc", "image/dicom-rle")


def _frame_numbers(request: Request) -> list[int]:
    text = request.path_params["frames"]
    if not re.fullmatch(r"[1-9]\d{0,8}(,[1-9]\d{0,8})*", text, re.ASCII) or text.count(",") >= _MAX_FRAMES:
        raise invalid("Frames are numbers from 1, separated by commas.")
    return [int(number) for number in text.split(",")]


def _rendered(request: Request) -> Response:
    store, uids = _content(request)
    if "viewport" in request.query_params:
        raise invalid("The emulator does not support viewport.", field="viewport")
    numbers = _frame_numbers(request) if "frames" in request.path_params else [1]
    if len(numbers) > 1:
        raise invalid("The emulator renders one frame at a time.")
    offers = [("image/jpeg", False), ("image/png", False)]
    kind = chosen(request, Wanted("image/jpeg", False, None), offers).media_type
    path = state_of(request).instances.path(store.key, *uids)
    found = state_of(request).reader.render(path, numbers[0], "PNG" if kind == "image/png" else "JPEG")
    if isinstance(found, Unservable):
        raise not_acceptable(found.reason) if found.found else not_found("frame", str(numbers[0]))
    return Response(found, media_type=kind)


def _bulk_data(request: Request) -> Response:
    store, uids = _content(request)
    where = tuple(request.path_params["where"].split("/"))
    if len(where) % 2 == 0 or not all(re.fullmatch(r"[0-9A-Fa-f]{1,8}", step) for step in where):
        raise invalid("The bulk data path is a tag, or item numbers and tags on the way down to one.")
    want = chosen(request, Wanted(_OCTETS, False, None), [(_OCTETS, False), (_OCTETS, True)])
    path = state_of(request).instances.path(store.key, *uids)
    found = state_of(request).reader.bulk_data(path, where)
    if isinstance(found, Unservable):
        raise not_found("bulk data", "/".join(where))
    if not want.multipart:
        return Response(found, media_type=_OCTETS)
    return _multipart(_OCTETS, iter([({"Content-Type": _OCTETS}, iter([found]))]))


ROUTES = [
    *(Route(path + "/metadata", _metadata, methods=["GET"]) for path in (STUDY, SERIES, INSTANCE)),
    *(Route(path, _retrieve, methods=["GET"]) for path in (STUDY, SERIES, INSTANCE)),
    Route(INSTANCE + "/frames/{frames}/rendered", _rendered, methods=["GET"]),
    Route(INSTANCE + "/frames/{frames}", _frames, methods=["GET"]),
    Route(INSTANCE + "/rendered", _rendered, methods=["GET"]),
    Route(INSTANCE + "/bulkdata/{where:path}", _bulk_data, methods=["GET"]),
]
