"""What the routes of datasets and stores share."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any

from starlette.concurrency import run_in_threadpool
from starlette.responses import JSONResponse

from airflow_healthcare_deid.emulator.errors import invalid
from airflow_healthcare_deid.emulator.messages import (
    convert,
    next_page_token,
    page_size,
    page_token,
    parse_name,
    read_json,
)
from airflow_healthcare_deid.emulator.progression import Mode
from airflow_healthcare_deid.emulator.state import state_of
from airflow_healthcare_deid.resource_names import DatasetName, DicomStoreName, FhirStoreName

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable, Mapping

    import msgspec
    from starlette.requests import Request
    from starlette.responses import Response

    from airflow_healthcare_deid.emulator.operations import OperationRecord
    from airflow_healthcare_deid.emulator.resources import Resource
    from airflow_healthcare_deid.emulator.state import State

LOCATION = "/v1/projects/{project}/locations/{location}"
DATASET = LOCATION + "/datasets/{dataset}"
DICOM_STORE = DATASET + "/dicomStores/{dicom_store}"
FHIR_STORE = DATASET + "/fhirStores/{fhir_store}"

_MAX_LABELS = 64


def with_body(handler: Callable[[Request, dict[str, Any]], Response]) -> Callable[[Request], Awaitable[Response]]:
    """Make an endpoint of a function that takes the request and its JSON body, and may block."""

    @functools.wraps(handler)
    async def endpoint(request: Request) -> Response:
        body = await read_json(request)
        return await run_in_threadpool(handler, request, body)

    return endpoint


def location_name(request: Request) -> str:
    """Return ``projects/P/locations/L`` of the request's path."""
    path = request.path_params
    text = f"projects/{path['project']}/locations/{path['location']}"
    parse_name(DatasetName.parse, f"{text}/datasets/any", field="parent")
    return text


def dataset_name(request: Request) -> DatasetName:
    """Return the dataset that the request's path names."""
    return parse_name(DatasetName.parse, f"{location_name(request)}/datasets/{request.path_params['dataset']}")


def store_name(request: Request) -> DicomStoreName | FhirStoreName:
    """Return the store that the request's path names."""
    path = request.path_params
    if "dicom_store" in path:
        return dicom_store_name(request)
    return parse_name(FhirStoreName.parse, f"{dataset_name(request)}/fhirStores/{path['fhir_store']}")


def dicom_store_name(request: Request) -> DicomStoreName:
    """Return the DICOM store that the request's path names."""
    return parse_name(DicomStoreName.parse, f"{dataset_name(request)}/dicomStores/{request.path_params['dicom_store']}")


def new_id(request: Request, parameter: str) -> str:
    """Return the id that a create call gives in its query."""
    identifier = request.query_params.get(parameter)
    if not identifier:
        raise invalid(f"{parameter} is required.", field=parameter)
    return identifier


def listing(
    request: Request, parent: str, collection: str, keep: Callable[[Resource], bool] = lambda _: True
) -> JSONResponse:
    """Return a page of the resources of a collection.

    :param keep: the request's filter.
    """
    size = page_size(request)
    found: list[Resource] = []
    after = page_token(request) or ""
    resources = state_of(request).resources
    while len(found) <= size and (batch := resources.listing(parent, collection, after, size + 1)):
        after = batch[-1].name
        found += [resource for resource in batch if keep(resource)]
    message: dict[str, Any] = {}
    if found:
        message[collection] = [resource.message() for resource in found[:size]]
    if len(found) > size:
        message["nextPageToken"] = next_page_token(found[size - 1].name)
    return JSONResponse(message)


def patched(
    request: Request, resource: Resource, body: Mapping[str, Any], kind: type[msgspec.Struct], fields: Iterable[str]
) -> dict[str, Any]:
    """Return a resource's body with the fields of ``updateMask`` replaced.

    :param kind: the message's shape, to check the body against.
    :param fields: what may change, in camelCase. Without a mask, every such field that the body has changes
        (`rules/service.yaml`).
    """
    convert(body, kind)
    fields = list(fields)
    mask = request.query_params.get("updateMask")
    wanted = [field for field in fields if field in body] if mask is None else [camel(path) for path in mask.split(",")]
    for field in wanted:
        if field not in fields:
            raise invalid(
                f"The update mask has a field that is unknown or can't change: {field[:100]}", field="updateMask"
            )
    kept = {key: value for key, value in resource.body.items() if key not in wanted}
    return {**kept, **{field: body[field] for field in wanted if body.get(field) not in (None, "", [], {})}}


def start_operation(state: State, record: OperationRecord) -> JSONResponse:
    """Start the work of a new operation and return its name; blocks until it is done in mode ``immediate``."""
    work = state.jobs.submit(record)
    if record.progression.mode is Mode.IMMEDIATE:
        work.result()
    return JSONResponse({"name": record.name})


def stored(body: Mapping[str, Any], *unwanted: str) -> dict[str, Any]:
    """Return what is kept of a resource's body: no ``name``, nothing empty, none of the ``unwanted`` fields."""
    return {
        key: value for key, value in body.items() if key not in ("name", *unwanted) and value not in (None, "", [], {})
    }


def check_labels(labels: Mapping[str, str] | None) -> None:
    """Refuse more labels than the service takes (discovery document, ``labels``)."""
    if labels and len(labels) > _MAX_LABELS:
        raise invalid(f"A resource can't have more than {_MAX_LABELS} labels.", field="labels")


def camel(name: str) -> str:
    """Return a field's JSON name: ``time_zone`` is ``timeZone``."""
    head, *tail = name.strip().split("_")
    return head + "".join(part[:1].upper() + part[1:] for part in tail)
