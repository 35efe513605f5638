"""Google's description of version 1 of the Cloud Healthcare API, as its client library ships it."""

from __future__ import annotations

import json
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping


class Method(NamedTuple):
    """A method of the API."""

    id: str
    verb: str
    path: str


class Field(NamedTuple):
    """A field of a request, by its path; ``[]`` behind a name stands for the items of a list."""

    path: str
    kind: str


@cache
def document() -> dict[str, Any]:
    """Return the discovery document."""
    source = files("googleapiclient.discovery_cache") / "documents" / "healthcare.v1.json"
    found: dict[str, Any] = json.loads(source.read_text("utf-8"))
    return found


def methods() -> list[Method]:
    """Return every method, in the order of the document."""
    return list(_methods(document()))


def _methods(resource: Mapping[str, Any]) -> Iterator[Method]:
    for method in resource.get("methods", {}).values():
        name = method["id"].removeprefix("healthcare.projects.locations.")
        yield Method(name, method["httpMethod"], "/" + method["flatPath"])
    for inner in resource.get("resources", {}).values():
        yield from _methods(inner)


def fields(schema: str, *, without: tuple[str, ...] = (), prefix: str = "") -> Iterator[Field]:
    """Yield the fields of a schema and of all below it.

    :param without: fields of the schema itself to name but not to enter.
    """
    for name, spec in document()["schemas"][schema].get("properties", {}).items():
        item = spec.get("items", spec)
        path = f"{prefix}{name}" + ("[]" if "items" in spec else "")
        kind = item.get("$ref") or ("enum" if "enum" in item else item["type"])
        yield Field(path, kind)
        if "$ref" in item and name not in without:
            yield from fields(item["$ref"], prefix=f"{path}.")
