"""How FHIR travels over HTTP: reading a resource from a request, writing a version, a bundle or an outcome.

https://hl7.org/fhir/R4/http.html
"""

from __future__ import annotations

import base64
import functools
from datetime import UTC, datetime
from email.utils import format_datetime, parsedate_to_datetime
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

import msgspec
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from airflow_healthcare_deid.emulator.fhir import codec
from airflow_healthcare_deid.emulator.fhir.outcome import FhirError, bad_type, structure
from airflow_healthcare_deid.emulator.fhir.store import FhirStore, Settings
from airflow_healthcare_deid.emulator.fhir.versions import FhirVersion, resource_types
from airflow_healthcare_deid.emulator.messages import read_body
from airflow_healthcare_deid.emulator.routes.common import store_name
from airflow_healthcare_deid.emulator.state import state_of

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from starlette.requests import Request

    from airflow_healthcare_deid.emulator.fhir.repository import Version
    from airflow_healthcare_deid.emulator.fhir.store import Answer
    from airflow_healthcare_deid.emulator.resources import Resource
    from airflow_healthcare_deid.emulator.state import State

    Handler = Callable[["Exchange"], Response]

MAX_BODY_BYTES = 50 * 1024 * 1024
"""The largest FHIR request body that is taken."""

_MEDIA_TYPE = "application/fhir+json;charset=utf-8"


class Exchange:
    """A request to a FHIR store, with what its handlers need.

    :param request: the HTTP request.
    :param body: its body.
    :param permission: the IAM permission that Google asks for, after ``healthcare.``.
    """

    def __init__(self, request: Request, body: bytes, permission: str) -> None:
        self.request = request
        self.body = body
        state = state_of(request)
        resource = state.resources.store(store_name(request), f"healthcare.{permission}")
        self.store = open_store(state, resource, str(request.base_url))

    @property
    def kind(self) -> str:
        """The resource type in the path.

        :raises FhirError: 400 if the store's version has no such type.
        """
        kind: str = self.request.path_params.get("kind", "Patient")
        if kind not in resource_types(self.store.settings.version):
            raise bad_type()
        return kind

    @property
    def id(self) -> str:
        """The resource id in the path."""
        return str(self.request.path_params["id"])

    @property
    def pairs(self) -> list[tuple[str, str]]:
        """The query parameters, in order."""
        return self.request.query_params.multi_items()

    @property
    def url(self) -> str:
        """The request's address without its query."""
        return str(self.request.url.replace(query=""))

    def header(self, name: str) -> str | None:
        """Return a header, or None."""
        return self.request.headers.get(name)

    def content_type(self) -> str:
        """Return the media type of the body, without parameters."""
        return (self.header("content-type") or "").partition(";")[0].strip().lower()

    def json(self) -> Any:
        """Decode the body.

        :raises FhirError: 400 if it is no JSON, 415 if its media type says that it is something else.
        """
        media_type = self.content_type()
        if media_type and media_type != "application/octet-stream" and not media_type.endswith("json"):
            text = "the body must be application/fhir+json, or application/json-patch+json for a patch"
            raise FhirError(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "not-supported", "unsupported_media_type", text)
        if not self.body.strip():
            raise structure("the body is empty")
        return codec.decode(self.body)

    @property
    def is_raw(self) -> bool:
        """Whether the body is the data of a ``Binary``, and no JSON of one."""
        media_type = self.content_type()
        return self.kind == "Binary" and bool(media_type) and not media_type.endswith("json")

    def resource(self) -> Any:
        """Decode a resource; raw data sent to ``Binary`` becomes one, as ``fhir.Binary-create`` describes."""
        if not self.is_raw:
            return self.json()
        version, context = self.store.settings.version, self.header("x-security-context")
        old = version in (FhirVersion.DSTU2, FhirVersion.STU3)
        return {
            "resourceType": "Binary",
            "contentType": self.header("content-type"),
            "content" if old else "data": base64.b64encode(self.body).decode(),
            **({"securityContext": {"reference": context}} if context and version is not FhirVersion.DSTU2 else {}),
            **({"id": self.id} if "id" in self.request.path_params else {}),
        }

    def prefers(self, token: str) -> bool:
        """Tell whether the ``Prefer`` header has a token such as ``handling=strict``."""
        return token in {part.strip() for part in (self.header("prefer") or "").replace(";", ",").split(",")}


def open_store(state: State, resource: Resource, base_url: str) -> FhirStore:
    """Return a FHIR store ready for use.

    :param base_url: the emulator's address, for the links in answers.
    """
    fields = {name: resource.body[name] for name in Settings.__struct_encode_fields__ if name in resource.body}
    settings = msgspec.convert(fields, Settings)
    return FhirStore(
        state.storage, state.fhir, resource.key, settings, f"{base_url.rstrip('/')}/v1/{resource.name}/fhir"
    )


def fhir_endpoint(handler: Handler, permission: str) -> Callable[[Request], Awaitable[Response]]:
    """Make an endpoint of a handler that may block; its `FhirError` becomes an ``OperationOutcome``.

    :param permission: the IAM permission that Google asks for, after ``healthcare.``.
    """

    def answer(request: Request, body: bytes) -> Response:
        try:
            return handler(Exchange(request, body, permission))
        except FhirError as error:
            return json_response(error.outcome(), error.status)

    @functools.wraps(handler)
    async def endpoint(request: Request) -> Response:
        body = await read_body(request, MAX_BODY_BYTES)
        return await run_in_threadpool(answer, request, body)

    return endpoint


def json_response(content: Any, status: int = HTTPStatus.OK) -> Response:
    """Answer with FHIR JSON."""
    return Response(codec.encode(content), status, media_type=_MEDIA_TYPE)


def version_response(exchange: Exchange, answer: Answer) -> Response:
    """Answer with a version of a resource, and the headers that name it."""
    version = answer.version
    if version is None:
        return json_response({}, answer.status)
    response = Response(version.body, answer.status, media_type=_MEDIA_TYPE)
    if answer.location and (exchange.is_raw or exchange.prefers("return=minimal")):
        response = Response(b"", answer.status)
    response.headers["ETag"] = f'W/"{version.version_id}"'
    response.headers["Last-Modified"] = format_datetime(_whole_seconds(version), usegmt=True)
    if answer.location:
        path = f"{version.type}/{version.id}/_history/{version.version_id}"
        response.headers["Location"] = f"{exchange.store.base}/{path}"
    return response


def not_modified(exchange: Exchange, version: Version) -> bool:
    """Tell whether the reader has this version already, by ``If-None-Match`` or ``If-Modified-Since``."""
    etag = exchange.header("if-none-match")
    if etag is not None:
        return version.version_id in {tag.strip().removeprefix("W/").strip('"') for tag in etag.split(",")}
    since = exchange.header("if-modified-since")
    if since is None:
        return False
    try:
        time = parsedate_to_datetime(since)
    except ValueError:
        return False
    return _whole_seconds(version) <= (time if time.tzinfo else time.replace(tzinfo=UTC))


def _whole_seconds(version: Version) -> datetime:
    return datetime.fromtimestamp(version.updated // 1_000_000, UTC)
