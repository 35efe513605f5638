"""The emulator's own interface under ``/_emulator/``: faults, progression, the log of requests.

The real service has nothing of the kind; tests use it to see how a client behaves when things go wrong.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import msgspec
from starlette.concurrency import run_in_threadpool
from starlette.responses import JSONResponse
from starlette.routing import Route

from airflow_healthcare_deid.emulator.errors import Code, ServiceError, invalid, not_found
from airflow_healthcare_deid.emulator.faults import ADMIN_PREFIX, Fault
from airflow_healthcare_deid.emulator.messages import convert
from airflow_healthcare_deid.emulator.progression import Progression
from airflow_healthcare_deid.emulator.routes.common import with_body
from airflow_healthcare_deid.emulator.state import state_of

if TYPE_CHECKING:
    from starlette.requests import Request


class Status(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """``google.rpc.Status``."""

    code: int = int(Code.INTERNAL)
    message: str = "Set by the emulator's admin interface."
    details: list[dict[str, Any]] = []


class Advance(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How to push an operation.

    :param done: let its end be seen, once its work has ended.
    :param error: end it at once with this error, whatever its work does.
    :param counter: show these counters instead of the true ones.
    """

    done: bool = False
    error: Status | None = None
    counter: dict[str, int] | None = None


def _add_fault(request: Request, body: dict[str, Any]) -> JSONResponse:
    fault = convert(body, Fault)
    if not (fault.status or fault.delay or fault.drop or fault.hold):
        raise invalid("A fault needs one of status, delay, drop and hold.")
    return JSONResponse({"id": state_of(request).faults.add(fault)})


def _list_faults(request: Request) -> JSONResponse:
    return JSONResponse({"faults": state_of(request).faults.listing()})


def _remove_faults(request: Request) -> JSONResponse:
    identifier = request.path_params.get("fault")
    if not state_of(request).faults.remove(identifier) and identifier:
        raise not_found("fault", identifier)
    return JSONResponse({})


def _release_fault(request: Request) -> JSONResponse:
    if not state_of(request).faults.release(request.path_params["fault"]):
        raise not_found("fault", request.path_params["fault"])
    return JSONResponse({})


def _set_progression(request: Request, body: dict[str, Any]) -> JSONResponse:
    state_of(request).operations.progression = convert(body, Progression)
    return _get_progression(request)


def _get_progression(request: Request) -> JSONResponse:
    return JSONResponse(msgspec.to_builtins(state_of(request).operations.progression))


def _advance(request: Request, body: dict[str, Any]) -> JSONResponse:
    push = convert(body, Advance)
    operations = state_of(request).operations
    # The full name or the bare id; ids are unique.
    record = operations.by_id(request.path_params["operation"].rpartition("/")[2])
    if record.end_time is not None:
        raise ServiceError(Code.FAILED_PRECONDITION, "operation has already completed")
    error = msgspec.to_builtins(push.error) if push.error else None
    return JSONResponse(operations.advance(record, done=push.done, error=error, counter=push.counter).message())


def _list_requests(request: Request) -> JSONResponse:
    entries = state_of(request).requests.listing()
    wanted = request.query_params.get("path")
    return JSONResponse([entry for entry in entries if wanted is None or re.search(wanted, entry["path"])])


def _clear_requests(request: Request) -> JSONResponse:
    state_of(request).requests.clear()
    return JSONResponse({})


async def _reset(request: Request) -> JSONResponse:
    """Forget everything: datasets with all they hold, operations, faults, progression, the log of requests."""
    await run_in_threadpool(state_of(request).reset)
    return JSONResponse({})


ROUTES = [
    Route(ADMIN_PREFIX + "/faults", with_body(_add_fault), methods=["POST"]),
    Route(ADMIN_PREFIX + "/faults", _list_faults, methods=["GET"]),
    Route(ADMIN_PREFIX + "/faults", _remove_faults, methods=["DELETE"]),
    Route(ADMIN_PREFIX + "/faults/{fault}:release", _release_fault, methods=["POST"]),
    Route(ADMIN_PREFIX + "/faults/{fault}", _remove_faults, methods=["DELETE"]),
    Route(ADMIN_PREFIX + "/progression", with_body(_set_progression), methods=["PUT"]),
    Route(ADMIN_PREFIX + "/progression", _get_progression, methods=["GET"]),
    Route(ADMIN_PREFIX + "/operations/{operation:path}:advance", with_body(_advance), methods=["POST"]),
    Route(ADMIN_PREFIX + "/requests", _list_requests, methods=["GET"]),
    Route(ADMIN_PREFIX + "/requests", _clear_requests, methods=["DELETE"]),
    Route(ADMIN_PREFIX + "/reset", _reset, methods=["POST"]),
]
