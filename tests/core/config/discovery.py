"""The discovery document that Google's client library ships, as a referee for the models."""

from __future__ import annotations

import json
from functools import cache
from importlib.resources import files
from typing import Any

REQUESTS = ("DeidentifyDatasetRequest", "DeidentifyDicomStoreRequest", "DeidentifyFhirStoreRequest")


@cache
def schemas() -> dict[str, Any]:
    """Return all schemas of version 1 of the Cloud Healthcare API."""
    document = files("googleapiclient.discovery_cache") / "documents" / "healthcare.v1.json"
    found: dict[str, Any] = json.loads(document.read_text("utf-8"))["schemas"]
    return found


def reachable() -> dict[str, Any]:
    """Return the schemas that the deidentify requests are made of."""
    found: dict[str, Any] = {}
    todo = list(REQUESTS)
    while todo:
        name = todo.pop()
        if name not in found:
            found[name] = schemas()[name]
            properties = found[name].get("properties", {}).values()
            todo += [part["$ref"] for spec in properties for part in (spec, spec.get("items", {})) if "$ref" in part]
    return found


def accepts(schema: str, value: object) -> bool:
    """Tell whether a value has the fields, types and enum values of a schema; null counts as absent."""
    if not isinstance(value, dict):
        return False
    properties = schemas()[schema].get("properties", {})
    return all(key in properties and (item is None or _fits(properties[key], item)) for key, item in value.items())


def _fits(spec: dict[str, Any], value: object) -> bool:
    if "$ref" in spec:
        return accepts(spec["$ref"], value)
    if spec["type"] == "array":
        return isinstance(value, list) and all(_fits(spec["items"], item) for item in value)
    if "enum" in spec:
        return value in spec["enum"]
    if spec["type"] == "integer":
        return isinstance(value, int) and not isinstance(value, bool) and -(2**31) <= value < 2**31
    return isinstance(value, {"string": str, "boolean": bool}[spec["type"]])
