"""Reading JSON bodies."""

from __future__ import annotations

import json
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_healthcare_deid.emulator.errors import ServiceError
from airflow_healthcare_deid.emulator.messages import next_page_token, parse_json

VALUES: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(st.characters(exclude_categories=["Cs"])), inner),
    max_leaves=10,
)  # fmt: skip
OBJECTS = st.dictionaries(st.text(st.characters(exclude_categories=["Cs"])), VALUES, min_size=1)


@given(OBJECTS)
def test_json_is_read_as_it_is(value: dict[str, Any]) -> None:
    assert parse_json(json.dumps(value).encode()) == value


@given(st.text(st.characters(exclude_characters="'\\", min_codepoint=32, max_codepoint=0x2FF)))
def test_single_quotes_delimit_strings_too(text: str) -> None:
    assert parse_json(f"{{'a': '{text}', \"b\": 'it\\'s'}}".encode()) == {"a": text, "b": "it's"}


@given(st.binary(max_size=200))
def test_anything_else_is_refused_and_never_breaks(body: bytes) -> None:
    with suppress(ServiceError):
        assert isinstance(parse_json(body), dict)


def test_an_apostrophe_inside_double_quotes_is_left_alone() -> None:
    assert parse_json(b"{\"a\": \"it's 'fine'\", 'b': 1}") == {"a": "it's 'fine'", "b": 1}


def test_a_refusal_never_quotes_the_body() -> None:
    with pytest.raises(ServiceError) as raised:
        parse_json(b'{"cryptoKey": "canary", oops')
    assert "canary" not in str(raised.value)


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_page_tokens_are_plain_ascii(position: str) -> None:
    assert next_page_token(position).isascii()
