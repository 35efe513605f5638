"""``projects.locations.datasets.operations``: get, list, cancel."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from starlette.responses import JSONResponse
from starlette.routing import Route

from airflow_healthcare_deid.emulator.errors import Code, ServiceError, invalid, unimplemented
from airflow_healthcare_deid.emulator.messages import (
    check_query,
    next_page_token,
    page_size,
    page_token,
    parse_name,
)
from airflow_healthcare_deid.emulator.routes.common import DATASET, dataset_name, with_body
from airflow_healthcare_deid.emulator.state import state_of
from airflow_healthcare_deid.resource_names import OperationName

if TYPE_CHECKING:
    from starlette.requests import Request

    from airflow_healthcare_deid.emulator.operations import OperationRecord


def _find(request: Request, verb: str, *, look: bool = False) -> OperationRecord:
    state = state_of(request)
    dataset = dataset_name(request)
    state.resources.dataset(dataset, f"healthcare.operations.{verb}")
    name = parse_name(OperationName.parse, f"{dataset}/operations/{request.path_params['operation']}")
    return state.operations.get(name, look=look)


def _get(request: Request) -> JSONResponse:
    check_query(request)
    return JSONResponse(_find(request, "get", look=True).message())


def _list(request: Request) -> JSONResponse:
    """Newest first; ``filter`` is taken without effect (inferred: Google documents neither order nor filter)."""
    check_query(request, ("filter", "pageSize", "pageToken", "returnPartialSuccess"))
    if request.query_params.get("returnPartialSuccess") == "true":
        raise unimplemented("returnPartialSuccess is not supported.")
    state = state_of(request)
    dataset = state.resources.dataset(dataset_name(request), "healthcare.operations.list")
    size = page_size(request)
    found = state.operations.listing(dataset, _position(page_token(request)), size + 1)
    message: dict[str, Any] = {}
    if found:
        message["operations"] = [record.message() for record in found[:size]]
    if len(found) > size:
        message["nextPageToken"] = next_page_token(str(found[size - 1].number))
    return JSONResponse(message)


def _position(token: str | None) -> int | None:
    if token is None:
        return None
    if not (token.isascii() and token.isdigit() and len(token) < 19):
        raise invalid("Invalid page token.", field="pageToken")
    return int(token)


def _cancel(request: Request, body: dict[str, Any]) -> JSONResponse:
    check_query(request)
    for field in body:
        raise invalid(f'Invalid JSON payload received. Unknown name "{field[:100]}": Cannot find field.', field=field)
    record = _find(request, "cancel")
    if record.end_time is not None:
        text = "operation has already completed"
        raise ServiceError(
            Code.FAILED_PRECONDITION, text, [{"@type": "type.googleapis.com/google.rpc.DebugInfo", "detail": text}]
        )
    state_of(request).operations.request_cancel(record)
    return JSONResponse({})


ROUTES = [
    Route(DATASET + "/operations", _list, methods=["GET"]),
    Route(DATASET + "/operations/{operation}:cancel", with_body(_cancel), methods=["POST"]),
    Route(DATASET + "/operations/{operation}", _get, methods=["GET"]),
]
