"""Batches and transactions: many interactions in one request.

https://hl7.org/fhir/R4/http.html#transaction
"""

from __future__ import annotations

import base64
import binascii
import re
import uuid
from contextlib import contextmanager
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, NamedTuple

from airflow_healthcare_deid.emulator.fhir.codec import decode
from airflow_healthcare_deid.emulator.fhir.outcome import FhirError, bad_type, invalid, not_found
from airflow_healthcare_deid.emulator.fhir.references import rewrite_references
from airflow_healthcare_deid.emulator.fhir.store import Answer
from airflow_healthcare_deid.emulator.fhir.validation import valid_id
from airflow_healthcare_deid.emulator.fhir.versions import resource_types

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from airflow_healthcare_deid.emulator.fhir.store import FhirStore

MAX_ENTRIES = 4500
"""Entries a transaction may have (recalled from Google's quotas, not confirmed)."""

# The order in which a transaction's entries are carried out.
_ORDER = {"DELETE": 0, "POST": 1, "PUT": 2, "PATCH": 3, "GET": 4}
_CONDITIONAL_REFERENCE = re.compile(r"([A-Z][A-Za-z]+)\?(.+)", re.DOTALL)


class _Request(NamedTuple):
    """One entry, read and checked."""

    method: str
    kind: str
    key: str | None
    version: str | None
    criteria: str | None
    resource: Any
    full_url: str | None
    if_match: str | None
    if_none_exist: str | None

    @property
    def identity(self) -> str | None:
        """``Type/id`` of what it changes, where that is known beforehand."""
        return f"{self.kind}/{self.key}" if self.key and self.method != "GET" else None


def execute(store: FhirStore, bundle: Any) -> dict[str, Any]:
    """Carry out a batch or transaction.

    :raises FhirError: 400 if it is neither; for a transaction, whatever its first failing entry says.
    """
    entries = bundle.get("entry", []) if isinstance(bundle, dict) else None
    if not isinstance(bundle, dict) or bundle.get("resourceType") != "Bundle" or not isinstance(entries, list):
        raise invalid("the body must be a Bundle", "invalid_bundle")
    kind = bundle.get("type")
    if kind not in ("batch", "transaction"):
        raise invalid("Bundle.type must be batch or transaction", "invalid_bundle")
    responses = _batch(store, entries) if kind == "batch" else _transaction(store, entries)
    return {"entry": responses, "resourceType": "Bundle", "type": f"{kind}-response"}


def _batch(store: FhirStore, entries: list[Any]) -> list[dict[str, Any]]:
    responses = []
    for entry in entries:
        try:
            request = _read(store, entry)
            with store.storage.write():
                responses.append(_response(store, request, _run(store, request, None)))
        except FhirError as error:
            responses.append({"response": {"outcome": error.outcome(), "status": _status_line(error.status)}})
    return responses


def _transaction(store: FhirStore, entries: list[Any]) -> list[dict[str, Any]]:
    if len(entries) > MAX_ENTRIES:
        raise invalid(f"a transaction may have {MAX_ENTRIES} entries at most", "invalid_bundle")
    requests: list[_Request] = []
    for index, entry in enumerate(entries):
        with _about(index):
            requests.append(_read(store, entry))
    answers: dict[int, Answer] = {}
    with store.storage.write():
        promised = _promise_ids(store, requests)
        # A reference may point at an entry that comes later: look only when all is written.
        lenient = store.without_integrity()
        for index, request in sorted(enumerate(requests), key=lambda pair: _ORDER[pair[1].method]):
            with _about(index):
                answers[index] = _run(lenient, request, promised.get(index))
        for index, request in enumerate(requests):
            with _about(index):
                _check_integrity(store, request, answers[index])
        return [_response(store, request, answers[index]) for index, request in enumerate(requests)]


@contextmanager
def _about(index: int) -> Iterator[None]:
    """Have an error say which entry it is about."""
    try:
        yield
    except FhirError as error:
        raise FhirError(error.status, error.code, error.text, f"entry {index}: {error.diagnostics}") from None


def _read(store: FhirStore, entry: Any) -> _Request:
    request = entry.get("request") if isinstance(entry, dict) else None
    method = request.get("method") if isinstance(request, dict) else None
    url = request.get("url") if isinstance(request, dict) else None
    if not isinstance(request, dict) or method not in _ORDER or not isinstance(url, str):
        raise invalid("request needs a method (GET, POST, PUT, PATCH or DELETE) and a url", "invalid_bundle")
    path, _, criteria = url.removeprefix(store.base).lstrip("/").partition("?")
    kind, *rest = path.split("/")
    if kind not in resource_types(store.settings.version):
        raise bad_type()
    is_version = len(rest) == 3 and rest[1] == "_history" and method == "GET"
    if (rest and not valid_id(rest[0])) or not (len(rest) <= 1 or is_version):
        raise invalid("request.url names no interaction that a bundle may have", "invalid_bundle")
    fits = not rest and not criteria if method == "POST" else bool(rest) != bool(criteria)
    if not fits or (method == "GET" and criteria):
        raise invalid(f"request.url does not fit {method}; searches are not supported in bundles", "invalid_bundle")
    headers = [request.get(name) for name in ("ifMatch", "ifNoneExist")]
    full_url = entry.get("fullUrl")
    if any(text is not None and not isinstance(text, str) for text in (*headers, full_url)):
        raise invalid("fullUrl, ifMatch and ifNoneExist must be strings", "invalid_bundle")
    return _Request(
        method, kind, rest[0] if rest else None, rest[2] if is_version else None, criteria or None,
        entry.get("resource"), full_url, *headers,
    )  # fmt: skip


def _promise_ids(store: FhirStore, requests: list[_Request]) -> dict[int, str]:
    """Decide the ids of what will be created, and point references at them.

    :return: ids of the entries that create, by position.
    """
    promised: dict[int, str] = {}
    targets: dict[str, str] = {}
    seen: set[str] = set()
    for index, request in enumerate(requests):
        with _about(index):
            if request.identity in seen:
                raise invalid("a transaction may change a resource once only", "invalid_bundle")
            key = request.key
            search = request.criteria or request.if_none_exist
            if search and request.method in ("POST", "PUT"):
                found = store.one_match(request.kind, search)
                key = found.id if found else None
            if key is None and request.method in ("POST", "PUT"):
                given = request.resource.get("id") if isinstance(request.resource, dict) else None
                key = str(given) if request.method == "PUT" and valid_id(given) else str(uuid.uuid4())
                promised[index] = key
            if request.identity:
                seen.add(request.identity)
            if request.full_url and key:
                targets[request.full_url] = f"{request.kind}/{key}"
    for index, request in enumerate(requests):
        if isinstance(request.resource, dict):
            with _about(index):
                rewrite_references(request.resource, lambda text: _new_reference(store, targets, text))
    return promised


def _new_reference(store: FhirStore, targets: Mapping[str, str], reference: str) -> str | None:
    if reference in targets:
        return targets[reference]
    conditional = _CONDITIONAL_REFERENCE.fullmatch(reference)
    if conditional is None or conditional.group(1) not in resource_types(store.settings.version):
        return None
    found = store.one_match(conditional.group(1), conditional.group(2))
    if found is None:
        raise not_found()
    return f"{found.type}/{found.id}"


def _run(store: FhirStore, request: _Request, promised: str | None) -> Answer:
    key = request.key
    match request.method:
        case "POST":
            return store.create(request.kind, request.resource, request.if_none_exist, key=promised)
        case "PUT" if key:
            return store.update(request.kind, key, request.resource, request.if_match)
        case "PUT":
            return store.conditional_update(request.kind, request.resource, request.criteria or "", key=promised)
    if key is None:
        found = store.one_match(request.kind, request.criteria or "")
        key = found.id if found else None
    if request.method == "DELETE":
        if key is not None:
            store.delete(request.kind, key)
        return Answer(HTTPStatus.OK)
    if key is None:
        raise not_found()
    if request.method == "PATCH":
        return store.patch(request.kind, key, _patch_of(request.resource), request.if_match)
    found = store.vread(request.kind, key, request.version) if request.version else store.read(request.kind, key)
    return Answer(HTTPStatus.OK, found)


def _patch_of(resource: Any) -> Any:
    """A JSON Patch travels in a bundle as a Binary, https://hl7.org/fhir/R4/http.html#patch."""
    data = resource.get("data", resource.get("content")) if isinstance(resource, dict) else None
    try:
        return decode(base64.b64decode(str(data), validate=True))
    except (ValueError, binascii.Error):
        raise invalid("a PATCH entry holds a Binary whose data is a JSON Patch", "invalid_patch") from None


def _check_integrity(store: FhirStore, request: _Request, answer: Answer) -> None:
    if answer.version is not None and request.method != "GET":
        store.check_references(answer.version.resource())
    elif request.method == "DELETE" and request.key:
        store.check_deletion(request.kind, request.key)


def _response(store: FhirStore, request: _Request, answer: Answer) -> dict[str, Any]:
    response: dict[str, Any] = {"status": _status_line(answer.status)}
    if answer.version is None:
        return {"response": response}
    version = answer.version
    response["etag"] = f'W/"{version.version_id}"'
    response["lastModified"] = version.last_updated
    response["location"] = f"{store.base}/{version.type}/{version.id}/_history/{version.version_id}"
    return {"response": response, **({"resource": version.resource()} if request.method == "GET" else {})}


def _status_line(status: int) -> str:
    return f"{int(status)} {HTTPStatus(status).phrase}"
