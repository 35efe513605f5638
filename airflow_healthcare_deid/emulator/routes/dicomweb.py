"""DICOMweb: store, search and delete. Retrieval is in `wado`."""

from __future__ import annotations

import asyncio
import re
from typing import TYPE_CHECKING

import msgspec
from starlette.concurrency import run_in_threadpool
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from airflow_healthcare_deid.emulator.dicomweb.accept import Wanted, chosen
from airflow_healthcare_deid.emulator.dicomweb.multipart import PartFiles, SingleFile, parse_media_type
from airflow_healthcare_deid.emulator.dicomweb.native_xml import to_xml
from airflow_healthcare_deid.emulator.dicomweb.qido import read_search, run_search
from airflow_healthcare_deid.emulator.dicomweb.stow import Account, store_files
from airflow_healthcare_deid.emulator.errors import Code, ServiceError, invalid
from airflow_healthcare_deid.emulator.messages import RECEIVE_TIMEOUT, STANDARD_PARAMETERS, check_query
from airflow_healthcare_deid.emulator.routes.common import DICOM_STORE, dicom_store_name, start_operation
from airflow_healthcare_deid.emulator.state import state_of
from airflow_healthcare_deid.engine.rules import load_rules

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from starlette.requests import Request

    from airflow_healthcare_deid.emulator.dicomweb.attributes import Level
    from airflow_healthcare_deid.emulator.resources import Resource

DICOM_WEB = DICOM_STORE + "/dicomWeb"
STUDY = DICOM_WEB + "/studies/{study}"
SERIES = STUDY + "/series/{series}"
INSTANCE = SERIES + "/instances/{instance}"

DICOM_JSON = "application/dicom+json"
DICOM_XML = "application/dicom+xml"
_DICOM = "application/dicom"

_UID = re.compile(r"[0-9.]{1,64}")
_MAX_STORE_BYTES = 4 * 1024**3
_WRITE_BYTES = 1024 * 1024


def dicom_store(request: Request, permission: str) -> Resource:
    """Return the DICOM store of the request's path."""
    return state_of(request).resources.store(dicom_store_name(request), f"healthcare.dicomStores.{permission}")


def uids_of(request: Request) -> tuple[str, ...]:
    """Return the UIDs of the request's path: study, series, instance, as far as it goes."""
    uids = tuple(request.path_params[name] for name in ("study", "series", "instance") if name in request.path_params)
    if not all(_UID.fullmatch(uid) for uid in uids):
        raise invalid("A UID in the path is not valid: digits and dots, at most 64.")
    return uids


def require_content(request: Request, store: Resource, uids: tuple[str, ...]) -> None:
    """Refuse a study, series or instance that the store does not hold."""
    if not state_of(request).instances.holds(store.key, uids):
        kind = ("study", "series", "instance")[len(uids) - 1]
        status = load_rules("service")["missing_dicom_content"]["value"]
        raise ServiceError(Code.NOT_FOUND, f"{kind} not found: {'/'.join(uids)}", http_status=status)


def base_url(request: Request, store: Resource) -> str:
    """Return the URL of a store's DICOMweb service, as this client reached it."""
    # Some clients send a Host header without the port.
    url = request.base_url.replace(port=request.base_url.port or request.scope["server"][1])
    return f"{url}v1/{store.name}/dicomWeb"


def _search(level: Level) -> Callable[[Request], Response]:
    def endpoint(request: Request) -> Response:
        store = dicom_store(request, "dicomWebRead")
        default = Wanted(DICOM_JSON, False, None)
        chosen(request, default, [(DICOM_JSON, False), ("application/json", False)])
        search = read_search(level, uids_of(request), request.query_params.multi_items(), STANDARD_PARAMETERS)
        found = run_search(state_of(request), store.key, search, base_url(request, store))
        if not found:
            return Response(status_code=204)
        return Response(b"[" + b",".join(found) + b"]", media_type=DICOM_JSON)

    return endpoint


async def _store(request: Request) -> Response:
    check_query(request)
    store = await run_in_threadpool(dicom_store, request, "dicomWebWrite")
    uids = uids_of(request)
    parts = _parts(request)
    try:
        files = await _receive(request, parts)
        url = base_url(request, store)
        study = uids[0] if uids else None
        account = await run_in_threadpool(store_files, state_of(request), store.key, files, url, study)
    finally:
        await run_in_threadpool(parts.discard)
    return _account_response(request, account, f"{url}/studies/{study}" if study else None)


def _parts(request: Request) -> PartFiles | SingleFile:
    media_type, parameters = parse_media_type(request.headers.get("content-type", ""))
    folder = state_of(request).storage.incoming
    if media_type == _DICOM:
        return SingleFile(folder)
    if media_type == "multipart/related" and parameters.get("type", _DICOM).lower() == _DICOM:
        if not parameters.get("boundary"):
            raise invalid("The Content-Type header names no boundary.")
        return PartFiles(parameters["boundary"], folder, _DICOM)
    raise invalid('The Content-Type must be application/dicom, or multipart/related with type="application/dicom".')


async def _receive(request: Request, parts: PartFiles | SingleFile) -> list[Path]:
    received = 0
    waiting = bytearray()
    stream = request.stream()
    try:
        while True:
            async with asyncio.timeout(RECEIVE_TIMEOUT):
                chunk = await anext(stream, None)
            if chunk is not None:
                received += len(chunk)
                waiting += chunk
            if received > _MAX_STORE_BYTES:
                raise invalid(f"Request payload size exceeds the limit: {_MAX_STORE_BYTES} bytes.")
            if len(waiting) >= _WRITE_BYTES or (chunk is None and waiting):
                await run_in_threadpool(parts.feed, bytes(waiting))
                waiting.clear()
            if chunk is None:
                return await run_in_threadpool(parts.finish)
    except TimeoutError:
        raise ServiceError(Code.INVALID_ARGUMENT, "The request's body came too slowly.", http_status=408) from None


def _account_response(request: Request, account: Account, study_url: str | None) -> Response:
    model = account.model(study_url)
    status = 409 if account.failed else 200
    default = Wanted(DICOM_XML, False, None)
    offers = [(DICOM_XML, False), ("application/json", False), (DICOM_JSON, False)]
    if chosen(request, default, offers).media_type == DICOM_XML:
        return Response(to_xml(model), status, media_type=DICOM_XML)
    return Response(msgspec.json.encode(model), status, media_type=DICOM_JSON)


def _delete_all(request: Request) -> JSONResponse:
    """Delete a study or a series: an operation."""
    check_query(request)
    store = dicom_store(request, "dicomWebDelete")
    uids = uids_of(request)
    require_content(request, store, uids)
    dataset = state_of(request).resources.dataset(dicom_store_name(request).dataset_name, "healthcare.datasets.get")
    method = load_rules("service")["delete_method"]["value"] + ("Study", "Series")[len(uids) - 1]
    state = state_of(request)
    payload = {"store": store.key, "uids": uids}
    return start_operation(state, state.operations.create(dataset, method, "deleteDicom", payload))


def _delete_instance(request: Request) -> JSONResponse:
    check_query(request)
    store = dicom_store(request, "dicomWebDelete")
    uids = uids_of(request)
    require_content(request, store, uids)
    instances = state_of(request).instances
    for record in instances.each(store.key, uids):
        instances.remove(store.key, record)
    return JSONResponse({})


def _metrics(request: Request) -> JSONResponse:
    check_query(request)
    store = dicom_store(request, "get")
    uids = uids_of(request)
    require_content(request, store, uids)
    size = state_of(request).instances.size(store.key, uids)
    path = "/".join(f"{kind}/{uid}" for kind, uid in zip(("studies", "series"), uids, strict=False))
    message = {("study", "series")[len(uids) - 1]: f"{store.name}/dicomWeb/{path}"}
    if len(uids) == 1:
        message["seriesCount"] = str(size.series)
    return JSONResponse(
        {
            **message,
            "instanceCount": str(size.instances),
            "structuredStorageSizeBytes": str(size.header_bytes),
            "blobStorageSizeBytes": str(size.pixel_bytes),
        }
    )


ROUTES = [
    Route(STUDY + ":getStudyMetrics", _metrics, methods=["GET"]),
    Route(SERIES + ":getSeriesMetrics", _metrics, methods=["GET"]),
    Route(DICOM_WEB + "/studies", _store, methods=["POST"]),
    Route(STUDY, _store, methods=["POST"]),
    Route(DICOM_WEB + "/studies", _search("studies"), methods=["GET"]),
    Route(DICOM_WEB + "/series", _search("series"), methods=["GET"]),
    Route(DICOM_WEB + "/instances", _search("instances"), methods=["GET"]),
    Route(STUDY + "/series", _search("series"), methods=["GET"]),
    Route(STUDY + "/instances", _search("instances"), methods=["GET"]),
    Route(SERIES + "/instances", _search("instances"), methods=["GET"]),
    Route(STUDY, _delete_all, methods=["DELETE"]),
    Route(SERIES, _delete_all, methods=["DELETE"]),
    Route(INSTANCE, _delete_instance, methods=["DELETE"]),
]
