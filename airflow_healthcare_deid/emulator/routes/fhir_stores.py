"""``projects.locations.datasets.fhirStores``: the stores themselves, without the resources they hold."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import msgspec
from starlette.responses import JSONResponse
from starlette.routing import Route

from airflow_healthcare_deid.emulator.errors import invalid
from airflow_healthcare_deid.emulator.fhir.versions import FhirVersion
from airflow_healthcare_deid.emulator.messages import check_query, convert, parse_name
from airflow_healthcare_deid.emulator.routes.common import (
    DATASET,
    FHIR_STORE,
    check_labels,
    dataset_name,
    listing,
    new_id,
    patched,
    store_name,
    stored,
    with_body,
)
from airflow_healthcare_deid.emulator.routes.dicom_stores import label_filter
from airflow_healthcare_deid.emulator.state import state_of
from airflow_healthcare_deid.resource_names import FhirStoreName

if TYPE_CHECKING:
    from starlette.requests import Request

    from airflow_healthcare_deid.emulator.resources import Resource


class FhirStoreMessage(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename="camel"):
    """``FhirStore``; notifications, streams, consent, validation and bulk export are kept, without effect."""

    name: str | None = None
    version: Literal["VERSION_UNSPECIFIED", "DSTU2", "STU3", "R4", "R5"] | None = None
    labels: dict[str, str] | None = None
    enable_update_create: bool | None = None
    disable_referential_integrity: bool | None = None
    disable_resource_versioning: bool | None = None
    default_search_handling_strict: bool | None = None
    complex_data_type_reference_parsing: (
        Literal["COMPLEX_DATA_TYPE_REFERENCE_PARSING_UNSPECIFIED", "DISABLED", "ENABLED"] | None
    ) = None
    bulk_export_gcs_destination: dict[str, Any] | None = None
    consent_config: dict[str, Any] | None = None
    notification_config: dict[str, Any] | None = None
    notification_configs: list[dict[str, Any]] | None = None
    stream_configs: list[dict[str, Any]] | None = None
    validation_config: dict[str, Any] | None = None


_MUTABLE = (
    "labels",
    "enableUpdateCreate",
    "defaultSearchHandlingStrict",
    "complexDataTypeReferenceParsing",
    "bulkExportGcsDestination",
    "consentConfig",
    "notificationConfig",
    "notificationConfigs",
    "streamConfigs",
    "validationConfig",
)


def _create(request: Request, body: dict[str, Any]) -> JSONResponse:
    check_query(request, ("fhirStoreId",))
    message = convert(body, FhirStoreMessage)
    check_labels(message.labels)
    dataset = dataset_name(request)
    state = state_of(request)
    state.resources.dataset(dataset, "healthcare.fhirStores.create")
    if message.version not in tuple(FhirVersion):
        raise invalid("version is required: DSTU2, STU3, R4 or R5.", field="fhirStore.version")
    text = f"{dataset}/fhirStores/{new_id(request, 'fhirStoreId')}"
    name = parse_name(FhirStoreName.parse, text, field="fhirStoreId")
    return JSONResponse(state.resources.create(name, stored(body)).message())


def _list(request: Request) -> JSONResponse:
    check_query(request, ("filter", "pageSize", "pageToken"))
    dataset = state_of(request).resources.dataset(dataset_name(request), "healthcare.fhirStores.list")
    return listing(request, dataset.name, "fhirStores", label_filter(request))


def _find(request: Request, verb: str) -> Resource:
    return state_of(request).resources.store(store_name(request), f"healthcare.fhirStores.{verb}")


def _get(request: Request) -> JSONResponse:
    check_query(request)
    return JSONResponse(_find(request, "get").message())


def _patch(request: Request, body: dict[str, Any]) -> JSONResponse:
    check_query(request, ("updateMask",))
    store = _find(request, "update")
    changed = patched(request, store, body, FhirStoreMessage, _MUTABLE)
    check_labels(changed.get("labels"))
    return JSONResponse(state_of(request).resources.replace_body(store, changed).message())


def _delete(request: Request) -> JSONResponse:
    check_query(request)
    state_of(request).resources.delete(_find(request, "delete"))
    return JSONResponse({})


def _metrics(request: Request) -> JSONResponse:
    check_query(request)
    store = _find(request, "get")
    metrics = [
        {
            "resourceType": metric.type,
            "count": str(metric.count),
            "structuredStorageSizeBytes": str(metric.size),
            "versionedStorageSizeBytes": str(metric.versioned_size),
        }
        for metric in state_of(request).fhir.metrics(store.key)
    ]
    return JSONResponse({"name": store.name, **({"metrics": metrics} if metrics else {})})


ROUTES = [
    Route(DATASET + "/fhirStores", with_body(_create), methods=["POST"]),
    Route(DATASET + "/fhirStores", _list, methods=["GET"]),
    Route(FHIR_STORE + ":getFHIRStoreMetrics", _metrics, methods=["GET"]),
    Route(FHIR_STORE, _get, methods=["GET"]),
    Route(FHIR_STORE, with_body(_patch), methods=["PATCH"]),
    Route(FHIR_STORE, _delete, methods=["DELETE"]),
]
