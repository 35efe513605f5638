from __future__ import annotations

import contextlib
import copy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_healthcare_deid.emulator.fhir.json_patch import apply_patch
from airflow_healthcare_deid.emulator.fhir.outcome import FhirError

DOCUMENT = {"a": {"b": [1, 2]}, "c/d": True}


@pytest.mark.parametrize(
    ("operation", "result"),
    [
        ({"op": "add", "path": "/a/b/1", "value": 9}, {"a": {"b": [1, 9, 2]}, "c/d": True}),
        ({"op": "add", "path": "/a/b/-", "value": 9}, {"a": {"b": [1, 2, 9]}, "c/d": True}),
        ({"op": "remove", "path": "/c~1d"}, {"a": {"b": [1, 2]}}),
        ({"op": "replace", "path": "/a/b/1", "value": 9}, {"a": {"b": [1, 9]}, "c/d": True}),
        ({"op": "replace", "path": "", "value": {"x": 1}}, {"x": 1}),
        ({"op": "move", "from": "/a/b/0", "path": "/e"}, {"a": {"b": [2]}, "c/d": True, "e": 1}),
        ({"op": "copy", "from": "/a", "path": "/e"}, {"a": {"b": [1, 2]}, "c/d": True, "e": {"b": [1, 2]}}),
        ({"op": "test", "path": "/a/b", "value": [1, 2.0]}, DOCUMENT),
    ],
)
def test_operations_do_what_rfc_6902_says(operation: dict[str, Any], result: dict[str, Any]) -> None:
    before = copy.deepcopy(DOCUMENT)
    assert apply_patch(DOCUMENT, [operation]) == result
    assert before == DOCUMENT


@pytest.mark.parametrize(
    "operation",
    [
        {"op": "burn", "path": "/a"},
        {"op": "add", "path": "/a"},
        {"op": "add", "path": "a", "value": "secretName"},
        {"op": "remove", "path": "/secretName"},
        {"op": "remove", "path": "/a/b/2"},
        {"op": "remove", "path": "/a/b/01"},
        {"op": "replace", "path": "/a/b/-", "value": 1},
        {"op": "move", "from": "/a", "path": "/a/b"},
        {"op": "test", "path": "/c~1d", "value": 1},
        {"op": "test", "path": "/a/b", "value": "secretName"},
        {"op": "remove", "path": ""},
        {"op": "copy", "path": "/a", "from": 7},
        "nonsense",
    ],
)
def test_faults_name_the_operation_and_no_value(operation: Any) -> None:
    with pytest.raises(FhirError, match=r"operation 0|no resource") as refused:
        apply_patch(DOCUMENT, [operation])
    assert "secretName" not in str(refused.value)


_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda children: st.lists(children, max_size=3) | st.dictionaries(st.text(max_size=3), children, max_size=3),
    max_leaves=8,
)
_operations = st.fixed_dictionaries(
    {"op": st.sampled_from(["add", "remove", "replace", "move", "copy", "test"])},
    optional={
        "path": st.sampled_from(["", "/", "/a", "/a/0", "/a/-", "/b~1", "x"]),
        "from": st.sampled_from(["", "/a", "/a/1"]),
        "value": _json,
    },
)


@given(st.dictionaries(st.sampled_from("ab"), _json, max_size=2), st.lists(_operations, max_size=4) | _json)
def test_any_patch_is_applied_or_refused(document: dict[str, Any], patch: Any) -> None:
    before = copy.deepcopy(document)
    with contextlib.suppress(FhirError):
        assert isinstance(apply_patch(document, patch), dict)
    assert document == before
