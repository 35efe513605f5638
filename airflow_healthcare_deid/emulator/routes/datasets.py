"""Locations and datasets: ``projects.locations`` and ``projects.locations.datasets``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from zoneinfo import available_timezones

import msgspec
from starlette.responses import JSONResponse
from starlette.routing import Route

from airflow_healthcare_deid.emulator.errors import invalid
from airflow_healthcare_deid.emulator.messages import check_query, convert, parse_name
from airflow_healthcare_deid.emulator.routes.common import (
    DATASET,
    LOCATION,
    dataset_name,
    listing,
    location_name,
    new_id,
    patched,
    stored,
    with_body,
)
from airflow_healthcare_deid.emulator.state import state_of
from airflow_healthcare_deid.resource_names import DatasetName

if TYPE_CHECKING:
    from starlette.requests import Request

CREATE_METHOD = "google.cloud.healthcare.v1.dataset.DatasetService.CreateDataset"
DATASET_TYPE = "type.googleapis.com/google.cloud.healthcare.v1.dataset.Dataset"

# Any well-formed location may hold datasets; these are the ones that a list shows.
_LOCATIONS = ("asia-northeast1", "eu", "europe-west2", "europe-west4", "us", "us-central1", "us-east4", "us-west2")


class EncryptionSpec(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename="camel"):
    """``EncryptionSpec``: taken and shown, without effect."""

    kms_key_name: str | None = None


class Dataset(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename="camel"):
    """``Dataset``."""

    name: str | None = None
    time_zone: str | None = None
    encryption_spec: EncryptionSpec | None = None
    satisfies_pzi: bool | None = None
    satisfies_pzs: bool | None = None


def _list_locations(request: Request) -> JSONResponse:
    check_query(request, ("extraLocationTypes", "filter", "pageSize", "pageToken"))
    project = request.path_params["project"]
    return JSONResponse({"locations": [_location(project, location) for location in _LOCATIONS]})


def _get_location(request: Request) -> JSONResponse:
    check_query(request)
    location_name(request)
    return JSONResponse(_location(request.path_params["project"], request.path_params["location"]))


def _location(project: str, location: str) -> dict[str, Any]:
    return {"name": f"projects/{project}/locations/{location}", "locationId": location}


def _create(request: Request, body: dict[str, Any]) -> JSONResponse:
    check_query(request, ("datasetId",))
    _check_time_zone(convert(body, Dataset))
    parent = location_name(request)
    name = parse_name(DatasetName.parse, f"{parent}/datasets/{new_id(request, 'datasetId')}", field="datasetId")
    state = state_of(request)
    dataset = state.resources.create(name, stored(body, "satisfiesPzi", "satisfiesPzs"))
    response = {"@type": DATASET_TYPE, **dataset.message()}
    record = state.operations.create(dataset, CREATE_METHOD, "createDataset", outcome={"response": response})
    return JSONResponse({"name": record.name})


def _list(request: Request) -> JSONResponse:
    check_query(request, ("pageSize", "pageToken"))
    return listing(request, location_name(request), "datasets")


def _get(request: Request) -> JSONResponse:
    check_query(request)
    return JSONResponse(state_of(request).resources.dataset(dataset_name(request), "healthcare.datasets.get").message())


def _patch(request: Request, body: dict[str, Any]) -> JSONResponse:
    check_query(request, ("updateMask",))
    resources = state_of(request).resources
    dataset = resources.dataset(dataset_name(request), "healthcare.datasets.update")
    changed = patched(request, dataset, body, Dataset, ("timeZone",))
    _check_time_zone(convert(changed, Dataset))
    return JSONResponse(resources.replace_body(dataset, changed).message())


def _delete(request: Request) -> JSONResponse:
    check_query(request)
    resources = state_of(request).resources
    resources.delete(resources.dataset(dataset_name(request), "healthcare.datasets.delete"))
    return JSONResponse({})


def _check_time_zone(dataset: Dataset) -> None:
    if dataset.time_zone and dataset.time_zone not in available_timezones():
        raise invalid("timeZone is no time zone of the IANA database, such as America/New_York.", field="timeZone")


ROUTES = [
    Route("/v1/projects/{project}/locations", _list_locations, methods=["GET"]),
    Route(LOCATION, _get_location, methods=["GET"]),
    Route(LOCATION + "/datasets", with_body(_create), methods=["POST"]),
    Route(LOCATION + "/datasets", _list, methods=["GET"]),
    Route(DATASET, _get, methods=["GET"]),
    Route(DATASET, with_body(_patch), methods=["PATCH"]),
    Route(DATASET, _delete, methods=["DELETE"]),
]
