"""Is this JSON a resource of the store's FHIR version? Names and kinds of its elements, by the version's tables.

Checked: the resource type, the id, that every element exists and has the right JSON kind and form, that nothing is null
or empty, that a narrative is well-formed XHTML without a document type. Not checked, though the service does: required
elements, cardinalities, value sets, FHIRPath rules and profiles.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any
from xml.parsers import expat

from airflow_healthcare_deid.emulator.fhir.outcome import bad_type, invalid, structure
from airflow_healthcare_deid.emulator.fhir.primitives import fault_of
from airflow_healthcare_deid.emulator.fhir.versions import FhirVersion, resource_types
from airflow_healthcare_deid.engine.fhir.model import Element, Kind

if TYPE_CHECKING:
    from airflow_healthcare_deid.engine.fhir.model import FhirModel

_ID = re.compile(r"[A-Za-z0-9.-]{1,64}")
_DIVS = frozenset({"div", "http://www.w3.org/1999/xhtml}div"})


def valid_id(text: object) -> bool:
    """Tell whether this can be the id of a resource: 1 to 64 letters, digits, '-' or '.'."""
    return isinstance(text, str) and _ID.fullmatch(text) is not None


def check_resource(resource: Any, version: FhirVersion, expected_type: str | None = None) -> dict[str, Any]:
    """Return the resource if it is one.

    :param resource: decoded JSON.
    :param version: the store's FHIR version.
    :param expected_type: the type that the request's path names.
    :raises FhirError: 400; it names the element's path, never a value.
    """
    if not isinstance(resource, dict):
        raise structure("the body is not a JSON object")
    kind = resource.get("resourceType")
    if not isinstance(kind, str) or kind not in resource_types(version):
        raise bad_type()
    if expected_type is not None and kind != expected_type:
        raise invalid("resourceType differs from the type in the path")
    if "id" in resource and not valid_id(resource["id"]):
        raise invalid(f"{kind}.id: an id has 1 to 64 letters, digits, '-' or '.'")
    _check_object(resource, kind, kind, version.model)
    return resource


def _check_object(node: Any, defined_at: str, shown: str, model: FhirModel) -> None:
    """Check the elements of an object.

    :param defined_at: where its elements are defined.
    :param shown: its path in the resource, for messages.
    """
    if not isinstance(node, dict) or not node:
        raise invalid(f"{shown}: must be an object, and not an empty one")
    for name, value in node.items():
        if name == "resourceType" and isinstance(value, str):
            continue
        element = model.element(defined_at, name.removeprefix("_"))
        twin = name.startswith("_")
        if element.kind is Kind.UNKNOWN or (twin and element.kind is not Kind.PRIMITIVE):
            raise invalid(f"{shown}: has an element that does not exist in this FHIR version")
        _check_element(value, element, f"{shown}.{name}", model, twin=twin)


def _check_element(value: Any, element: Element, shown: str, model: FhirModel, *, twin: bool) -> None:
    if value == []:
        raise invalid(f"{shown}: an array may not be empty")
    for item in value if isinstance(value, list) else (value,):
        if item is None and isinstance(value, list) and element.kind is Kind.PRIMITIVE:
            continue  # an array of primitives and its "_" twin are padded with nulls
        if element.kind is Kind.RESOURCE:
            _check_contained(item, shown, model)
        elif twin or element.kind is Kind.COMPLEX:
            _check_object(item, element.defined_at, shown, model)
        else:
            _check_primitive(item, element.type, shown)


def _check_primitive(value: Any, kind: str, shown: str) -> None:
    fault = fault_of(value, kind)
    if fault is not None:
        raise invalid(f"{shown}: {fault}")
    if kind == "xhtml":
        check_xhtml(str(value), shown)


def _check_contained(value: Any, shown: str, model: FhirModel) -> None:
    kind = value.get("resourceType") if isinstance(value, dict) else None
    if not isinstance(kind, str) or kind not in model.resource_types:
        raise invalid(f"{shown}: must be a resource")
    _check_object(value, kind, f"{shown}({kind})", model)


def check_xhtml(text: str, shown: str = "text.div") -> None:
    """Check a narrative: one well-formed ``div``; a document type, and with it any entity, is refused.

    :raises FhirError: 400, naming the path only.
    """

    def refuse(*_: object) -> None:
        raise invalid(f"{shown}: a narrative may not have a document type")

    parser = expat.ParserCreate(namespace_separator="}")
    roots: list[str] = []
    parser.StartDoctypeDeclHandler = refuse
    parser.StartElementHandler = lambda name, _: roots.append(name) if not roots else None
    # HTML's named entities are common in narratives; with this, expat takes them for external ones and goes on.
    parser.UseForeignDTD(True)
    try:
        parser.Parse(text, True)
    except (expat.ExpatError, UnicodeError, ValueError):
        raise invalid(f"{shown}: a narrative must be well-formed XHTML") from None
    if roots[0] not in _DIVS:
        raise invalid(f"{shown}: a narrative is one div element")
