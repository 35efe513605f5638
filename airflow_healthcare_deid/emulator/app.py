"""The ASGI application: every route, and how errors leave."""

from __future__ import annotations

import logging
import traceback
from typing import TYPE_CHECKING

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect

from airflow_healthcare_deid.emulator.errors import Code, ServiceError, error_response
from airflow_healthcare_deid.emulator.faults import DROP, FaultLayer
from airflow_healthcare_deid.emulator.routes import (
    admin,
    datasets,
    deidentify,
    dicom_jobs,
    dicom_stores,
    dicomweb,
    fhir,
    fhir_jobs,
    fhir_stores,
    iam,
    operations,
    uncovered,
    wado,
)

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from airflow_healthcare_deid.emulator.state import State

logger = logging.getLogger(__name__)

# Custom methods (`…:deidentify`) come before the resources whose path they extend.
ROUTES = [
    *admin.ROUTES,
    *iam.ROUTES,
    *deidentify.ROUTES,
    *uncovered.ROUTES,
    *operations.ROUTES,
    *dicomweb.ROUTES,
    *wado.ROUTES,
    *dicom_jobs.ROUTES,
    *fhir_jobs.ROUTES,
    *dicom_stores.ROUTES,
    *fhir.ROUTES,
    *fhir_stores.ROUTES,
    *datasets.ROUTES,
]


def create_app(state: State) -> ASGIApp:
    """Return the application that serves a state."""
    app = Starlette(
        routes=ROUTES,
        exception_handlers={ServiceError: _service_error, HTTPException: _http_error},
    )
    app.router.redirect_slashes = False
    app.state.emulator = state
    return FaultLayer(_LastResort(app), state.faults, state.requests)


def _service_error(_: Request, error: Exception) -> Response:
    assert isinstance(error, ServiceError)
    return error.response()


def _http_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    if error.status_code == 405:
        return error_response(405, f"Method {request.method} is not allowed here.", Code.UNIMPLEMENTED)
    return error_response(error.status_code, "Method not found.")


class _LastResort:
    """ASGI middleware: an unforeseen exception becomes a 500 whose cause is logged by its type alone.

    Its text is left out on purpose: that of a parser's exception may hold a patient's data.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        started = False

        async def watched_send(message: Message) -> None:
            nonlocal started
            started = started or message["type"] == "http.response.start"
            await send(message)

        try:
            await self._app(scope, receive, watched_send)
        except ClientDisconnect:
            return
        except Exception as error:  # noqa: BLE001  (the last resort)
            frame = traceback.extract_tb(error.__traceback__)[-1]
            logger.error("%s %s: %s at %s:%s", scope.get("method"), scope.get("path"), type(error).__name__,
                         frame.filename, frame.lineno)  # fmt: skip
            if started:
                scope[DROP]()  # what was sent can't be taken back; a torn reply must not look whole
            else:
                response = error_response(500, f"Unexpected {type(error).__name__} in the emulator.")
                await response(scope, receive, send)
