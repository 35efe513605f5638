"""Requests that nobody would send: a clean refusal, never a 500."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from airflow_healthcare_deid.emulator.fhir.versions import FhirVersion, resource_types

_words = st.sampled_from(
    ["Patient", "Observation", "a", "..", "_history", "_search", "$everything", "metadata", "$validate", "%", "é", ""]
)
_paths = st.lists(_words | st.text(max_size=6), max_size=5).map(
    lambda parts: "".join(f"/{quote(part)}" for part in parts)
)
_pairs = st.lists(
    st.tuples(
        st.sampled_from(
            ["_id", "name", "birthdate", "_count", "_page_token", "_type", "identifier", "subject", "_sort"]
        )
        | st.text(max_size=5),
        st.text(max_size=8) | st.sampled_from(["1980", "0", "-_lastUpdated", "Patient", "a|b", "W10"]),
    ),
    max_size=3,
)
_names = st.sampled_from(
    ["resourceType", "id", "meta", "name", "entry", "request", "method", "url", "type", "resource"]
)
_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.sampled_from(["Patient", "Bundle", "transaction", "POST", "a", ""]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_names, inner, max_size=5),
    max_leaves=12,
)


@pytest.fixture(scope="module")
def fuzzed(service: Any, session_emulator: Any, http: Any) -> Any:
    from tests.support.google_api import PARENT, Store

    datasets = service.projects().locations().datasets()
    datasets.create(parent=PARENT, datasetId="fuzzed", body={}).execute()
    body = {"version": "R4", "enableUpdateCreate": True}
    datasets.fhirStores().create(parent=f"{PARENT}/datasets/fuzzed", fhirStoreId="s", body=body).execute()
    return Store(session_emulator.url, f"{PARENT}/datasets/fuzzed/fhirStores/s", http)


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(method=st.sampled_from(["GET", "POST", "PUT", "PATCH", "DELETE"]), path=_paths, pairs=_pairs, body=_json)
def test_no_request_breaks_the_server(fuzzed: Any, method: str, path: str, pairs: Any, body: Any) -> None:
    query = "&".join(f"{quote(name)}={quote(value)}" for name, value in pairs)
    reply = fuzzed.send(method, f"{path}?{query}" if query else path, None if method == "GET" else body)
    assert reply.status < 500 or reply.status == 501, reply.content


@settings(max_examples=100, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(kind=st.sampled_from(sorted(resource_types(FhirVersion.R4))), fields=st.dictionaries(st.text(max_size=8), _json))
def test_any_resource_is_stored_or_refused(fuzzed: Any, kind: str, fields: dict[str, Any]) -> None:
    reply = fuzzed.send("POST", f"/{kind}", {**fields, "resourceType": kind})
    assert reply.status in (201, 400, 409), reply.content


@settings(max_examples=100, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.binary(max_size=60))
def test_any_bytes_are_refused(fuzzed: Any, data: bytes) -> None:
    assert fuzzed.send("POST", "/Patient", data).status == 400
    assert fuzzed.send("POST", "", data).status == 400
