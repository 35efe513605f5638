"""Reading requests and writing answers the way Google's JSON front end does."""

from __future__ import annotations

import asyncio
import base64
import binascii
import json
import re
from typing import TYPE_CHECKING, Any, TypeVar

import msgspec

from airflow_healthcare_deid.emulator.errors import Code, ServiceError, invalid
from airflow_healthcare_deid.errors import InvalidRequestError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from starlette.requests import Request

    from airflow_healthcare_deid.resource_names import DatasetName, DicomStoreName, FhirStoreName, OperationName

    Name = TypeVar("Name", bound=DatasetName | DicomStoreName | FhirStoreName | OperationName)

T = TypeVar("T", bound=msgspec.Struct)

MAX_JSON_BYTES = 10 * 1024 * 1024
RECEIVE_TIMEOUT = 60.0
"""Seconds a client may let pass between two pieces of a request's body."""

_MAX_DEPTH = 100
# Parameters that every Google API takes (discovery document, "parameters").
STANDARD_PARAMETERS = frozenset(
    {"$.xgafv", "$alt", "access_token", "alt", "callback", "fields", "key", "oauth_token", "prettyPrint"}
    | {"quotaUser", "uploadType", "upload_protocol", "$prettyPrint", "$fields", "$userProject"}
)
_STRING = re.compile(r"""'((?:[^'\\]|\\.)*)'|"(?:[^"\\]|\\.)*\"""", re.DOTALL)


async def read_body(request: Request, limit: int = MAX_JSON_BYTES) -> bytes:
    """Read a body that fits in memory.

    :raises ServiceError: 400 if it is larger than ``limit`` bytes, or comes too slowly.
    """
    body = bytearray()
    try:
        stream = request.stream()
        while True:
            async with asyncio.timeout(RECEIVE_TIMEOUT):
                chunk = await anext(stream, None)
            if chunk is None:
                return bytes(body)
            body += chunk
            if len(body) > limit:
                raise invalid(f"Request payload size exceeds the limit: {limit} bytes.")
    except TimeoutError:
        raise ServiceError(Code.INVALID_ARGUMENT, "The request's body came too slowly.", http_status=408) from None


async def read_json(request: Request) -> dict[str, Any]:
    """Read a JSON object; an empty body is an empty object.

    Strings in single quotes are taken as well: public examples for this API have them, and the service takes them.

    :raises ServiceError: 400 if the body is no JSON object.
    """
    body = await read_body(request)
    if not body.strip():
        return {}
    return parse_json(body)


def parse_json(body: bytes) -> dict[str, Any]:
    """Read a JSON object as `read_json` does."""
    problem = invalid("Invalid JSON payload received. Expected an object.")
    try:
        text = body.decode("utf-8")
        try:
            value = json.loads(text, parse_constant=_no_constant)
        except json.JSONDecodeError:
            value = json.loads(_STRING.sub(_double_quoted, text), parse_constant=_no_constant)
        # A lone surrogate is no text that can be stored or sent on.
        json.dumps(value, ensure_ascii=False).encode("utf-8")
    except (ValueError, RecursionError):
        raise invalid("Invalid JSON payload received. The body is no valid JSON.") from None
    if not isinstance(value, dict):
        raise problem
    if _deeper_than(value, _MAX_DEPTH):
        raise invalid("Invalid JSON payload received. Nested too deeply.")
    return value


def convert(body: Mapping[str, Any], kind: type[T]) -> T:
    """Read a message of a known shape.

    :raises ServiceError: 400 naming the unknown field, or the field whose value has the wrong type.
    """
    try:
        return msgspec.convert(body, kind)
    except msgspec.ValidationError as error:
        raise _json_problem(str(error)) from None


def check_query(request: Request, allowed: Iterable[str] = ()) -> None:
    """Refuse query parameters that a method does not have, as Google's front end does."""
    known = STANDARD_PARAMETERS.union(allowed)
    for name in request.query_params:
        if name not in known:
            raise invalid(
                f'Invalid JSON payload received. Unknown name "{name[:100]}": Cannot bind query parameter. '
                f"Field '{name[:100]}' could not be found in request message."
            )
    for name in ("alt", "$alt"):
        value = request.query_params.get(name, "json").partition(";")[0]
        if value not in ("json", "media"):
            raise invalid(f"Invalid value at '{name}': only json is served by the emulator.", field=name)


def page_size(request: Request, default: int = 100, maximum: int = 1000) -> int:
    """Return ``pageSize``: absent or 0 means the default, more than the maximum means the maximum."""
    text = request.query_params.get("pageSize", "0")
    if not re.fullmatch(r"-?\d{1,10}", text, re.ASCII) or int(text) < 0:
        raise invalid("Invalid value at 'page_size' (TYPE_INT32).", field="pageSize")
    return min(int(text) or default, maximum)


def page_token(request: Request) -> str | None:
    """Return what `next_page_token` put into ``pageToken``, or None on the first page."""
    token = request.query_params.get("pageToken")
    if not token:
        return None
    try:
        return base64.b64decode(token.encode("ascii"), altchars=b"-_", validate=True).decode("utf-8")
    except (ValueError, binascii.Error):
        raise invalid("Invalid page token.", field="pageToken") from None


def next_page_token(position: str) -> str:
    """Return a token that stands for a position in a listing."""
    return base64.urlsafe_b64encode(position.encode("utf-8")).decode("ascii")


def parse_name(parse: Callable[[str], Name], text: str, *, field: str = "name") -> Name:
    """Read a resource name that a client sent.

    :raises ServiceError: 400 if it is malformed.
    """
    try:
        return parse(text)
    except InvalidRequestError as error:
        raise invalid(f"Invalid resource name: {error}", field=field) from None


def _no_constant(_: str) -> float:
    raise ValueError


def _double_quoted(match: re.Match[str]) -> str:
    inner = match[1]
    if inner is None:
        return match[0]
    return '"' + inner.replace("\\'", "'").replace('"', '\\"') + '"'


def _deeper_than(value: object, levels: int) -> bool:
    stack = [(value, 0)]
    while stack:
        item, depth = stack.pop()
        if depth > levels:
            return True
        if isinstance(item, dict):
            stack.extend((child, depth + 1) for child in item.values())
        elif isinstance(item, list):
            stack.extend((child, depth + 1) for child in item)
    return False


def _json_problem(text: str) -> ServiceError:
    """Turn msgspec's account of a wrong body into Google's."""
    problem, _, where = text.partition(" - at `$")
    where = where.rstrip("`").lstrip(".")
    if unknown := re.search(r"unknown field `(.*)`", problem, re.DOTALL):
        name = unknown[1][:100]
        place = f" at '{where}'" if where else ""
        return invalid(f'Invalid JSON payload received. Unknown name "{name}"{place}: Cannot find field.', field=name)
    return invalid(f"Invalid value at '{where}': {problem}", field=where)
