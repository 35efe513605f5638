"""The models have what the discovery document has, no more and no less."""

from __future__ import annotations

from enum import StrEnum
from typing import Any, get_args, get_origin, get_type_hints

import msgspec
import pytest

from airflow_healthcare_deid import config
from tests.core.config.discovery import reachable


def _spec(hint: Any) -> dict[str, Any]:
    """Return what the document would say of a field of this type."""
    kind = next(part for part in get_args(hint) if part is not type(None)) if type(None) in get_args(hint) else hint
    if get_origin(kind) is list:
        return {"type": "array", "items": _spec(get_args(kind)[0])}
    if issubclass(kind, StrEnum):
        return {"type": "string", "enum": [str(member) for member in kind]}
    if issubclass(kind, msgspec.Struct):
        return {"$ref": kind.__name__}
    return {"type": {str: "string", bool: "boolean", int: "integer"}[kind]}


def _stripped(spec: dict[str, Any]) -> dict[str, Any]:
    kept = {key: value for key, value in spec.items() if key in ("type", "enum", "$ref")}
    return kept | ({"items": _stripped(spec["items"])} if "items" in spec else {})


@pytest.mark.parametrize("name", sorted(reachable()))
def test_a_message_has_the_fields_types_and_enum_values_of_its_schema(name: str) -> None:
    model = getattr(config, name)
    hints = get_type_hints(model)
    ours = {field.encode_name: _spec(hints[field.name]) for field in msgspec.structs.fields(model)}
    theirs = {key: _stripped(spec) for key, spec in reachable()[name].get("properties", {}).items()}
    assert ours == theirs


def test_every_model_is_a_schema_of_the_document() -> None:
    models = {
        name
        for name in config.__all__
        if isinstance(model := getattr(config, name), type)
        and issubclass(model, config.Message)
        and model is not config.Message
    }
    assert models == set(reachable())


@pytest.mark.parametrize("name", sorted(reachable()))
def test_a_field_is_absent_unless_given(name: str) -> None:
    assert config.to_body(getattr(config, name)()) == {}
