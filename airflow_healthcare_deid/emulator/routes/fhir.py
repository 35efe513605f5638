"""``fhirStores.fhir``: the FHIR REST interface of a store."""

from __future__ import annotations

import base64
import binascii
from http import HTTPStatus
from typing import TYPE_CHECKING

from starlette.responses import Response
from starlette.routing import Route

from airflow_healthcare_deid.emulator.fhir import bundles, pages
from airflow_healthcare_deid.emulator.fhir.capabilities import capability_statement
from airflow_healthcare_deid.emulator.fhir.everything import everything
from airflow_healthcare_deid.emulator.fhir.outcome import FhirError, invalid, not_found, outcome
from airflow_healthcare_deid.emulator.fhir.search import SearchQuery, parse_query
from airflow_healthcare_deid.emulator.fhir.store import Answer, at_filter, since_filter
from airflow_healthcare_deid.emulator.fhir.validation import check_resource
from airflow_healthcare_deid.emulator.routes.common import FHIR_STORE
from airflow_healthcare_deid.emulator.routes.fhir_http import (
    Exchange,
    fhir_endpoint,
    json_response,
    not_modified,
    version_response,
)

if TYPE_CHECKING:
    from airflow_healthcare_deid.emulator.routes.fhir_http import Handler

_PAGING = frozenset({"_count", "_page_token"})
_CARE_DATES = ("start", "end")


def _capabilities(exchange: Exchange) -> Response:
    return json_response(capability_statement(exchange.store.settings))


def _create(exchange: Exchange) -> Response:
    answer = exchange.store.create(exchange.kind, exchange.resource(), exchange.header("if-none-exist"))
    return version_response(exchange, answer)


def _read(exchange: Exchange) -> Response:
    return _version(exchange, Answer(HTTPStatus.OK, exchange.store.read(exchange.kind, exchange.id)))


def _vread(exchange: Exchange) -> Response:
    version = exchange.store.vread(exchange.kind, exchange.id, exchange.request.path_params["version"])
    return _version(exchange, Answer(HTTPStatus.OK, version))


def _version(exchange: Exchange, answer: Answer) -> Response:
    version = answer.version
    assert version is not None
    if not_modified(exchange, version):
        return Response(status_code=HTTPStatus.NOT_MODIFIED, headers={"ETag": f'W/"{version.version_id}"'})
    if version.type == "Binary":
        binary = version.resource()
        media_type = binary.get("contentType")
        if media_type and (exchange.header("accept") or "").partition(";")[0].strip() == media_type.partition(";")[0]:
            try:
                data = base64.b64decode(binary.get("data", binary.get("content", "")), validate=True)
            except binascii.Error:
                raise invalid("Binary.data is not base64") from None
            return Response(data, media_type=media_type)
    return version_response(exchange, answer)


def _update(exchange: Exchange) -> Response:
    conditions = exchange.header("if-match"), exchange.header("if-none-match")
    answer = exchange.store.update(exchange.kind, exchange.id, exchange.resource(), *conditions)
    return version_response(exchange, answer)


def _patch(exchange: Exchange) -> Response:
    answer = exchange.store.patch(exchange.kind, exchange.id, exchange.json(), exchange.header("if-match"))
    return version_response(exchange, answer)


def _delete(exchange: Exchange) -> Response:
    exchange.store.delete(exchange.kind, exchange.id)
    return json_response(outcome("informational", "operation_ok", "the resource is deleted", "information"))


def _conditional_update(exchange: Exchange) -> Response:
    query = exchange.request.url.query
    return version_response(exchange, exchange.store.conditional_update(exchange.kind, exchange.resource(), query))


def _conditional_patch(exchange: Exchange) -> Response:
    patch = exchange.json()
    with exchange.store.storage.write():
        found = exchange.store.one_match(exchange.kind, exchange.request.url.query)
        if found is None:
            raise not_found()
        answer = exchange.store.patch(found.type, found.id, patch, exchange.header("if-match"))
    return version_response(exchange, answer)


def _conditional_delete(exchange: Exchange) -> Response:
    with exchange.store.storage.write():
        found = exchange.store.one_match(exchange.kind, exchange.request.url.query)
        if found is not None:
            exchange.store.delete(found.type, found.id)
    return json_response({})


def _history(exchange: Exchange) -> Response:
    wanted = exchange.request.query_params
    versions = at_filter(exchange.store.history(exchange.kind, exchange.id), wanted.get("_at"))
    versions = since_filter(versions, wanted.get("_since"))
    return json_response(pages.history(exchange.store, versions, _paging(exchange), exchange.url, _linked(exchange)))


def _purge(exchange: Exchange) -> Response:
    exchange.store.purge(exchange.kind, exchange.id)
    return json_response({})


def _everything(exchange: Exchange) -> Response:
    wanted = exchange.request.query_params
    if not wanted.keys().isdisjoint(_CARE_DATES):
        raise _unsupported("$everything with start or end")
    versions = since_filter(everything(exchange.store, exchange.id), wanted.get("_since"))
    types = wanted.get("_type")
    if types:
        versions = [version for version in versions if version.type in types.split(",")]
    return json_response(pages.searchset(exchange.store, versions, _paging(exchange), exchange.url, _linked(exchange)))


def _search(exchange: Exchange) -> Response:
    pairs, kind = exchange.pairs, exchange.request.path_params.get("kind")
    if kind is None:
        # `fhir.search` gives the type as a query parameter.
        kind = exchange.request.query_params.get("resourceType")
        pairs = [pair for pair in pairs if pair[0] != "resourceType"]
    if kind is not None:
        exchange.request.path_params["kind"] = kind
        kind = exchange.kind
    strict = exchange.store.settings.default_search_handling_strict and not exchange.prefers("handling=lenient")
    strict = strict or exchange.prefers("handling=strict")
    query = parse_query(pairs, exchange.store.settings.version, kind, strict=strict)
    url = f"{exchange.store.base}/{kind or ''}"
    return json_response(pages.search(exchange.store, query, url, _linked(exchange)))


def _bundle(exchange: Exchange) -> Response:
    return json_response(bundles.execute(exchange.store, exchange.json()))


def _validate(exchange: Exchange) -> Response:
    if "profile" in exchange.request.query_params:
        raise _unsupported("$validate with a profile")
    check_resource(exchange.json(), exchange.store.settings.version, exchange.kind)
    return json_response(outcome("informational", "success", "success", "information"))


def _refuse(what: str) -> Handler:
    def handler(exchange: Exchange) -> Response:
        raise _unsupported(what)

    return handler


def _unsupported(what: str) -> FhirError:
    text = f"{what}: the emulator does not cover this part of the Cloud Healthcare API"
    return FhirError(HTTPStatus.NOT_IMPLEMENTED, "not-supported", "not_implemented", text)


def _paging(exchange: Exchange) -> SearchQuery:
    return parse_query([pair for pair in exchange.pairs if pair[0] in _PAGING], exchange.store.settings.version)


def _linked(exchange: Exchange) -> list[tuple[str, str]]:
    """Return the parameters to repeat in links; a key or token in the address is not for repeating."""
    return [pair for pair in exchange.pairs if pair[0] not in ("access_token", "oauth_token", "key", "alt")]


def _route(path: str, handler: Handler, method: str, verb: str, *, collection: str = "fhirResources") -> Route:
    return Route(FHIR_STORE + "/fhir" + path, fhir_endpoint(handler, f"{collection}.{verb}"), methods=[method])


ROUTES = [
    _route("/metadata", _capabilities, "GET", "get", collection="fhirStores"),
    _route("", _bundle, "POST", "executeBundle", collection="fhirStores"),
    _route("", _search, "GET", "searchResources", collection="fhirStores"),
    _route("/", _search, "GET", "searchResources", collection="fhirStores"),
    _route("/_search", _search, "POST", "searchResources", collection="fhirStores"),
    _route("/$export", _refuse("Bulk $export"), "GET", "export", collection="fhirStores"),
    _route("/Group/{id}/$export", _refuse("Bulk $export"), "GET", "export", collection="fhirStores"),
    _route("/Patient/{id}/$everything", _everything, "GET", "get"),
    _route("/Patient/{id}/$consent-enforcement-status", _refuse("Consent enforcement"), "GET", "get"),
    _route("/Consent/{id}/$consent-enforcement-status", _refuse("Consent enforcement"), "GET", "get"),
    _route("/{kind}/$validate", _validate, "POST", "validate"),
    _route("/{kind}/_search", _search, "POST", "searchResources", collection="fhirStores"),
    _route("/{kind}", _search, "GET", "searchResources", collection="fhirStores"),
    _route("/{kind}", _create, "POST", "create"),
    _route("/{kind}", _conditional_update, "PUT", "update"),
    _route("/{kind}", _conditional_patch, "PATCH", "patch"),
    _route("/{kind}", _conditional_delete, "DELETE", "delete"),
    _route("/{kind}/{id}/$purge", _purge, "DELETE", "purge"),
    _route("/{kind}/{id}/_history", _history, "GET", "get"),
    _route("/{kind}/{id}/_history/{version}", _vread, "GET", "get"),
    _route("/{kind}/{id}", _read, "GET", "get"),
    _route("/{kind}/{id}", _update, "PUT", "update"),
    _route("/{kind}/{id}", _patch, "PATCH", "patch"),
    _route("/{kind}/{id}", _delete, "DELETE", "delete"),
]
