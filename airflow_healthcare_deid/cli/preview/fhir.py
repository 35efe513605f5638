"""One FHIR resource before and after, field by field.

The engine's account says what became of each field of the source, since entries of lists that are gone leave no hole.
Every value that it does not speak of is looked for in the output before the page calls it kept.
"""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from airflow_healthcare_deid.cli.preview.rows import (
    Fate,
    FilePreview,
    Opaque,
    Row,
    Told,
    Values,
    listed,
    split_info_types,
)
from airflow_healthcare_deid.engine.errors import UndecodableError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from airflow_healthcare_deid.engine.changes import Change
    from airflow_healthcare_deid.engine.fhir import FhirDeidentifier
    from airflow_healthcare_deid.engine.fhir.model import Element, FhirModel, Version
    from airflow_healthcare_deid.engine.text import RecordIdentifiers

_UNKNOWN = "(an element that FHIR does not define)"


@dataclass(frozen=True, slots=True)
class _Leaf:
    """A value that is neither an object with properties nor a list with entries.

    :param path: where it is, as the engine says it.
    :param shown: the same without names that FHIR does not define, which may say anything.
    :param place: the same as `path` without numbers of entries.
    """

    path: str
    shown: str
    place: str
    value: object

    @property
    def identity(self) -> tuple[str, str]:
        return self.place, json.dumps(self.value)


def preview_fhir(
    name: str, data: bytes, deidentifier: FhirDeidentifier, version: Version, values: Values
) -> FilePreview:
    """De-identify a resource and compare.

    :raises UndecodableError: when it cannot be de-identified.
    """
    from airflow_healthcare_deid.engine.fhir import collect_record
    from airflow_healthcare_deid.engine.fhir.model import fhir_model

    resource = _parsed(data)
    told = Told()
    try:
        output = deidentifier.deidentify(resource, told)
    except UndecodableError:
        if values.hide:
            # Its message names elements, and names that FHIR does not define may say anything.
            raise UndecodableError("this is no well-formed resource of the FHIR version") from None
        raise
    model = fhir_model(version)
    record = collect_record(resource, version)
    before, after = _leaves(resource, model), _leaves(output, model)
    rows, counts = listed(_rows(before, after, told, values, record))
    return FilePreview(name, "FHIR", _about(resource), rows, counts)


def _parsed(data: bytes) -> dict[str, Any]:
    try:
        resource = json.loads(data)
    except (ValueError, RecursionError):
        raise UndecodableError("this is no JSON") from None
    if not isinstance(resource, dict):
        raise UndecodableError("a FHIR resource is a JSON object")
    return resource


def _about(resource: dict[str, Any]) -> str:
    entries = resource.get("entry")
    if resource["resourceType"] == "Bundle" and isinstance(entries, list):
        return f"Bundle of {len(entries)} entr{'y' if len(entries) == 1 else 'ies'}"
    return str(resource["resourceType"])


def _leaves(resource: dict[str, Any], model: FhirModel) -> list[_Leaf]:
    name = str(resource["resourceType"])
    return list(_object(resource, model, name, _Leaf(name, name, name, None)))


def _object(node: dict[str, Any], model: FhirModel, defined_at: str, at: _Leaf) -> Iterator[_Leaf]:
    for key, value in node.items():
        element = model.element(defined_at, key.removeprefix("_")) if defined_at else None
        known = key == "resourceType" or (element is not None and element.kind.name != "UNKNOWN")
        shown = f"{at.shown}.{key if known else _UNKNOWN}"
        below = _Leaf(f"{at.path}.{key}", shown, f"{at.place}.{key}", value)
        yield from _value(value, model, element if known else None, below, twin=key.startswith("_"))


def _value(value: Any, model: FhirModel, element: Element | None, at: _Leaf, *, twin: bool) -> Iterator[_Leaf]:
    if isinstance(value, list) and value:
        for index, one in enumerate(value):
            below = _Leaf(f"{at.path}[{index}]", f"{at.shown}[{index}]", at.place, one)
            yield from _value(one, model, element, below, twin=twin)
    elif isinstance(value, dict) and value:
        yield from _object(value, model, _defined_at(value, element, model, twin=twin), at)
    else:
        # A null in a list keeps a place free for a twin.
        if value is not None:
            yield _Leaf(at.path, at.shown, at.place, value)


def _defined_at(node: dict[str, Any], element: Element | None, model: FhirModel, *, twin: bool) -> str:
    if element is None:
        return ""
    if twin:
        return "Element"
    if element.kind.name == "RESOURCE":
        name = node.get("resourceType")
        return name if isinstance(name, str) and name in model.resource_types else ""
    return element.defined_at


def _rows(
    before: list[_Leaf], after: list[_Leaf], told: Told, values: Values, record: RecordIdentifiers
) -> Iterator[Row]:
    left = Counter(leaf.identity for leaf in after)

    def repeats(value: object) -> bool:
        return isinstance(value, str) and bool(record.find(value))

    def take(place: str, value: object) -> bool:
        identity = place, json.dumps(value)
        left[identity] -= 1
        return left[identity] >= 0

    for leaf in before:
        change = told.of(leaf.path)
        new = _new_value(change, leaf) if change is not None else leaf.value
        if new is not None and not take(leaf.place, new):
            new = None  # nothing of it is in the output, whatever was said
        yield Row(
            path=leaf.shown if values.hide else leaf.path,
            fate=Fate.KEPT if new == leaf.value else Fate.REMOVED if new is None else Fate.CHANGED,
            how="" if change is None else change.action,
            rule="" if change is None else change.rule,
            before=_shown(leaf.value, values),
            after=None if new is None else _shown(new, values),
            info_types=split_info_types(change),
            repeats=repeats(new),
        )
    for leaf in after:
        if left[leaf.identity] > 0:
            left[leaf.identity] -= 1
            path = leaf.shown if values.hide else leaf.path
            yield Row(path, Fate.ADDED, after=_shown(leaf.value, values), repeats=repeats(leaf.value))


def _new_value(change: Change, leaf: _Leaf) -> object:
    """Return what the engine says has taken a value's place; None when the value went with something around it."""
    return change.after if change.path == leaf.path else None


def _shown(value: object, values: Values) -> str | None:
    return values.show(Opaque("empty") if value in ({}, []) else value)
