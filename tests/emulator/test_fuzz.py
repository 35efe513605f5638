"""Requests made up from the discovery document: whatever is sent, the answer is Google's envelope and never a 500."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import googleapiclient
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.emulator.client import LOCATION

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.emulator.client import Client

DOCUMENT = Path(googleapiclient.__file__).parent / "discovery_cache/documents/healthcare.v1.json"
JUNK = st.sampled_from(
    ["x", "..", "%2e%2e", "a b", "ä", "'", '"', "1.2.3", "0", "-", "*", "$", "~" * 300, "\u202e", ":"]
)


@cache
def _document() -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads(DOCUMENT.read_text())
    return loaded


def _methods(resource: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield from resource.get("methods", {}).values()
    for inner in resource.get("resources", {}).values():
        yield from _methods(inner)


METHODS = [method for method in _methods(_document()) if "fhir" not in method["id"].lower()]
SCALARS = {
    "string": JUNK | st.text(max_size=5),
    "integer": st.integers(-(2**40), 2**40),
    "boolean": st.booleans(),
    "number": st.floats(allow_nan=False, allow_infinity=False),
    "any": st.none(),
}
WRONG = st.one_of(*SCALARS.values(), st.just([]), st.just({}), st.just([{}]), st.just({"a": {"b": []}}))


def _value(schema: dict[str, Any], depth: int) -> st.SearchStrategy[Any]:
    if "$ref" in schema:
        schema = _document()["schemas"][schema["$ref"]]
    if "enum" in schema:
        return st.sampled_from([*schema["enum"], "NO_SUCH"])
    if schema["type"] == "array":
        return st.lists(_value(schema["items"], depth + 1), max_size=2)
    if schema["type"] != "object":
        return SCALARS[schema["type"]]
    if depth > 4:
        return st.just({})
    fields = {name: _value(field, depth + 1) | WRONG for name, field in schema.get("properties", {}).items()}
    return st.fixed_dictionaries({}, optional=fields)


@st.composite
def requests(draw: st.DrawFn) -> tuple[str, str, dict[str, Any], Any]:
    """A method of the document with a path, a query and a body that are mostly of the right form."""
    method = draw(st.sampled_from(METHODS))
    path = method["flatPath"]
    known = {"{projectsId}": "p", "{locationsId}": "us-central1", "{datasetsId}": "fuzz", "{dicomStoresId}": "store"}
    for name in [part for part in path.replace(":", "/").split("/") if part.startswith("{")]:
        usual = known.get(name, "1.2")
        path = path.replace(name, draw(st.just(usual) | st.just(usual) | st.just(usual) | JUNK), 1)
    names = [name for name, spec in method["parameters"].items() if spec["location"] == "query"]
    query = draw(st.fixed_dictionaries({}, optional=dict.fromkeys([*names, "limit", "PatientName", "fields"], JUNK)))
    body = draw(_value(method["request"], 0) | WRONG) if "request" in method else None
    return method["httpMethod"], f"/{path}", query, body


@pytest.fixture(scope="module")
def fuzzed(session_emulator: Any) -> Iterator[Client]:
    from tests.emulator.client import Client

    with Client(session_emulator.url) as client:
        yield client


@given(request=requests())
@settings(max_examples=400, deadline=None, suppress_health_check=list(HealthCheck))
def test_no_request_breaks_the_emulator(fuzzed: Client, request: tuple[str, str, dict[str, Any], Any]) -> None:
    method, path, query, body = request
    if fuzzed.http.get(f"/v1/{LOCATION}/datasets/fuzz").status_code != 200:
        fuzzed.call("POST", f"{LOCATION}/datasets", {}, datasetId="fuzz")
        fuzzed.call("POST", f"{LOCATION}/datasets/fuzz/dicomStores", {}, dicomStoreId="store")
    answer = fuzzed.http.request(method, path, params=query, json=body)
    assert answer.status_code < 500 or answer.status_code == 501, (answer.status_code, answer.text)
    if answer.status_code >= 400 and "dicomWeb" not in path:
        error = answer.json()["error"]
        assert error["code"] == answer.status_code
        assert error["message"]
