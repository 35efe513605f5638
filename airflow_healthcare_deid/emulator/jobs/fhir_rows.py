"""Rows of the analytics schemas: FHIR resources in the shape that BigQuery can hold.

A simplification of Google's ``ANALYTICS`` and ``ANALYTICS_V2``, which the reference names but does not spell out: a
column for each element that occurs in the exported resources, references with the id of their target beside them
(``subject.patientId``), contained resources as JSON text, recursion cut at ``recursiveStructureDepth``.
Both schema types give the same here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from airflow_healthcare_deid.emulator.fhir.codec import encode
from airflow_healthcare_deid.emulator.fhir.references import local_target
from airflow_healthcare_deid.engine.fhir.model import Element, Kind
from airflow_healthcare_deid.engine.rules import load_rules

if TYPE_CHECKING:
    from airflow_healthcare_deid.emulator.fhir.versions import FhirVersion

DEFAULT_DEPTH = 2
MAX_DEPTH = 5

# Elements that nest in themselves without bound, beside those whose definition a path table shares.
_ALWAYS_RECURSIVE = frozenset({"Extension", "Identifier", "Reference"})


class AnalyticsRows:
    """Turns the resources of one type into rows, and gathers their schema on the way.

    :param depth: how often a recursive structure may hold itself.
    """

    def __init__(self, version: FhirVersion, kind: str, depth: int) -> None:
        self._model = version.model
        self._kind = kind
        self._depth = depth
        self._columns: dict[str, dict[str, Any]] = {}
        self._types: dict[str, str] = load_rules("transfer")["fhir_columns"]["types"]

    def row(self, resource: dict[str, Any]) -> dict[str, Any]:
        """Return the row of a resource."""
        fields = {name: value for name, value in resource.items() if name != "resourceType"}
        return self._object(fields, self._kind, self._columns, ())

    def schema(self) -> list[dict[str, Any]]:
        """Return the columns of all rows so far, as ``bq`` takes them."""
        return _listed(self._columns)

    def _object(
        self, node: dict[str, Any], defined_at: str, columns: dict[str, dict[str, Any]], within: tuple[str, ...]
    ) -> dict[str, Any]:
        row: dict[str, Any] = {}
        for name, value in node.items():
            if name.startswith("_") or name == "resourceType":
                continue
            element = self._model.element(defined_at, name)
            if element.kind is Kind.COMPLEX and self._too_deep(element, within):
                continue
            repeated = isinstance(value, list)
            items = [item for item in (value if repeated else [value]) if item is not None]
            column = columns.setdefault(
                name, {"name": name, "type": self._type(element), "mode": "REPEATED" if repeated else "NULLABLE"}
            )
            if element.kind is Kind.COMPLEX:
                below = column.setdefault("fields", {})
                deeper = (*within, element.defined_at)
                cells: list[Any] = [self._object(item, element.defined_at, below, deeper) for item in items]
            elif element.kind is Kind.RESOURCE:
                cells = [encode(item).decode() for item in items]
            else:
                cells = items
            row[name] = cells if repeated else next(iter(cells), None)
        if defined_at == "Reference":
            self._add_target(row, columns)
        return row

    def _type(self, element: Element) -> str:
        if element.kind is Kind.COMPLEX:
            return "RECORD"
        return self._types.get(element.type, "STRING") if element.kind is Kind.PRIMITIVE else "STRING"

    def _too_deep(self, element: Element, within: tuple[str, ...]) -> bool:
        return within.count(element.defined_at) >= (1 if element.defined_at in _ALWAYS_RECURSIVE else self._depth)

    @staticmethod
    def _add_target(row: dict[str, Any], columns: dict[str, dict[str, Any]]) -> None:
        target = local_target(row.get("reference") or "")
        if target is not None:
            kind, _, key = target.partition("/")
            name = f"{kind[0].lower()}{kind[1:]}Id"
            columns.setdefault(name, {"name": name, "type": "STRING", "mode": "NULLABLE"})
            row[name] = key


def _listed(columns: dict[str, dict[str, Any]]) -> list[dict[str, Any]]:
    listed = []
    for column in columns.values():
        # A record without fields is none that BigQuery takes; its rows are empty objects then.
        if column["type"] == "RECORD":
            column = {**column, "fields": _listed(column["fields"]) or [_NOTHING]}
        listed.append(column)
    return listed


_NOTHING = {"name": "id", "type": "STRING", "mode": "NULLABLE"}
