"""``projects.locations.datasets.dicomStores``: the stores themselves, without what they hold."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import msgspec
from starlette.responses import JSONResponse
from starlette.routing import Route

from airflow_healthcare_deid.emulator.errors import invalid
from airflow_healthcare_deid.emulator.messages import check_query, convert, parse_name
from airflow_healthcare_deid.emulator.routes.common import (
    DATASET,
    DICOM_STORE,
    check_labels,
    dataset_name,
    dicom_store_name,
    listing,
    new_id,
    patched,
    stored,
    with_body,
)
from airflow_healthcare_deid.emulator.state import state_of
from airflow_healthcare_deid.resource_names import DicomStoreName

if TYPE_CHECKING:
    from collections.abc import Callable

    from starlette.requests import Request

    from airflow_healthcare_deid.emulator.resources import Resource

_LABEL_FILTER = re.compile(r'\s*labels\.([a-z0-9_-]{1,63})\s*=\s*"?([a-z0-9_-]{0,63})"?\s*')


class DicomNotificationConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename="camel"):
    """``NotificationConfig``: taken and shown, without effect."""

    pubsub_topic: str | None = None
    send_for_bulk_import: bool | None = None


class DicomStore(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename="camel"):
    """``DicomStore``; notifications and streams are taken and shown, without effect."""

    name: str | None = None
    labels: dict[str, str] | None = None
    notification_config: DicomNotificationConfig | None = None
    notification_configs: list[dict[str, Any]] | None = None
    stream_configs: list[dict[str, Any]] | None = None


_MUTABLE = ("labels", "notificationConfig", "notificationConfigs", "streamConfigs")


def _create(request: Request, body: dict[str, Any]) -> JSONResponse:
    check_query(request, ("dicomStoreId",))
    check_labels(convert(body, DicomStore).labels)
    dataset = dataset_name(request)
    state = state_of(request)
    state.resources.dataset(dataset, "healthcare.dicomStores.create")
    text = f"{dataset}/dicomStores/{new_id(request, 'dicomStoreId')}"
    name = parse_name(DicomStoreName.parse, text, field="dicomStoreId")
    return JSONResponse(state.resources.create(name, stored(body)).message())


def _list(request: Request) -> JSONResponse:
    check_query(request, ("filter", "pageSize", "pageToken"))
    dataset = state_of(request).resources.dataset(dataset_name(request), "healthcare.dicomStores.list")
    return listing(request, dataset.name, "dicomStores", label_filter(request))


def label_filter(request: Request) -> Callable[[Resource], bool]:
    """Read a ``filter`` of the form ``labels.key=value``, joined by AND; the only one Google documents for stores."""
    text = request.query_params.get("filter", "")
    wanted: dict[str, str] = {}
    for term in re.split(r"\sAND\s", text) if text.strip() else []:
        match = _LABEL_FILTER.fullmatch(term)
        if match is None:
            raise invalid("Invalid filter: only labels.key=value terms joined by AND are supported.", field="filter")
        wanted[match[1]] = match[2]
    return lambda store: wanted.items() <= store.body.get("labels", {}).items()


def _find(request: Request, verb: str) -> Resource:
    return state_of(request).resources.store(dicom_store_name(request), f"healthcare.dicomStores.{verb}")


def _get(request: Request) -> JSONResponse:
    check_query(request)
    return JSONResponse(_find(request, "get").message())


def _patch(request: Request, body: dict[str, Any]) -> JSONResponse:
    check_query(request, ("updateMask",))
    store = _find(request, "update")
    changed = patched(request, store, body, DicomStore, _MUTABLE)
    check_labels(changed.get("labels"))
    return JSONResponse(state_of(request).resources.replace_body(store, changed).message())


def _delete(request: Request) -> JSONResponse:
    check_query(request)
    state_of(request).resources.delete(_find(request, "delete"))
    return JSONResponse({})


def _metrics(request: Request) -> JSONResponse:
    check_query(request)
    store = _find(request, "get")
    size = state_of(request).instances.size(store.key)
    return JSONResponse(
        {
            "name": store.name,
            "studyCount": str(size.studies),
            "seriesCount": str(size.series),
            "instanceCount": str(size.instances),
            "structuredStorageSizeBytes": str(size.header_bytes),
            "blobStorageSizeBytes": str(size.pixel_bytes),
        }
    )


ROUTES = [
    Route(DATASET + "/dicomStores", with_body(_create), methods=["POST"]),
    Route(DATASET + "/dicomStores", _list, methods=["GET"]),
    Route(DICOM_STORE + ":getDICOMStoreMetrics", _metrics, methods=["GET"]),
    Route(DICOM_STORE, _get, methods=["GET"]),
    Route(DICOM_STORE, with_body(_patch), methods=["PATCH"]),
    Route(DICOM_STORE, _delete, methods=["DELETE"]),
]
