"""Rows of the analytics schemas: FHIR resources in the shape that BigQuery can hold.

``SchemaConfig`` of the discovery document refers to https://github.com/FHIR/sql-on-fhir/blob/master/sql-on-fhir.md: a
choice is a record with a field for each type (``value.quantity``), references have the id of their target beside them
(``subject.patientId``), extensions are columns, ids of elements are left out. Here a table has a column for what occurs
in the exported resources, the service's for all that could.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from airflow_healthcare_deid.emulator.fhir.codec import encode
from airflow_healthcare_deid.emulator.fhir.references import local_target
from airflow_healthcare_deid.engine.fhir.model import Element, Kind
from airflow_healthcare_deid.engine.rules import load_rules

if TYPE_CHECKING:
    from typing import TypeAlias

    from airflow_healthcare_deid.emulator.fhir.versions import FhirVersion

    Columns: TypeAlias = dict[str, dict[str, Any]]

DEFAULT_DEPTH = 2

# Elements that nest in themselves without bound, beside those whose definition a path table shares.
_ALWAYS_RECURSIVE = frozenset({"Identifier", "Reference"})
_MAX_NAME = 300
_FRACTION = re.compile(r"(\.\d{6})\d+")


class UnfitRowError(ValueError):
    """A resource does not fit into the table of its type."""


class AnalyticsRows:
    """Turns the resources of one type into rows, and gathers their schema on the way.

    :param depth: how often a recursive structure may hold itself.
    :param repeats: what ``ANALYTICS_V2`` has over ``ANALYTICS``: extensions that occur more than once, and contained
        resources, as JSON text.
    """

    def __init__(self, version: FhirVersion, kind: str, depth: int, *, repeats: bool) -> None:
        self._model = version.model
        self._kind = kind
        self._depth = depth
        self._repeats = repeats
        self._columns: Columns = {}
        self._types: dict[str, str] = load_rules("transfer")["fhir_columns"]["types"]

    def row(self, resource: dict[str, Any]) -> dict[str, Any]:
        """Return the row of a resource.

        :raises UnfitRowError: when a column would need two types, as an extension does that is named like an element.
        """
        return self._object(resource, self._kind, self._columns, ())

    def schema(self) -> list[dict[str, Any]]:
        """Return the columns of all rows so far, as ``bq`` takes them."""
        return _listed(self._columns)

    def _object(
        self, node: dict[str, Any], defined_at: str, columns: Columns, within: tuple[str, ...]
    ) -> dict[str, Any]:
        row: dict[str, Any] = {}
        for name, value in node.items():
            if name.startswith("_") or name == "resourceType" or (name == "id" and within):
                continue
            element = self._model.element(defined_at, name)
            if element.is_extension:
                for extension in value if isinstance(value, list) else [value]:
                    self._add_extension(row, extension, defined_at, columns, within)
            elif element.choice:
                choice = _column(columns, element.name, "RECORD", repeated=False)
                type_name = name[len(element.name) :]
                cell: dict[str, Any] = row.setdefault(choice["name"], {})
                self._add(cell, f"{type_name[:1].lower()}{type_name[1:]}", value, element, choice["fields"], within)
            else:
                self._add(row, name, value, element, columns, within)
        if defined_at == "Reference":
            _add_target(row, columns)
        return row

    def _add(
        self, row: dict[str, Any], name: str, value: Any, element: Element, columns: Columns, within: tuple[str, ...]
    ) -> None:
        """Put an element into its column, unless the schema has none for it."""
        if element.kind is Kind.COMPLEX and self._too_deep(element, within):
            return
        if element.kind is Kind.RESOURCE and not (self._repeats and name == "contained"):
            return
        repeated = isinstance(value, list)
        column = _column(columns, name, self._type(element), repeated=repeated)
        cells = [
            self._cell(item, element, column, within) for item in (value if repeated else [value]) if item is not None
        ]
        row[column["name"]] = cells if repeated else next(iter(cells), None)

    def _cell(self, item: Any, element: Element, column: dict[str, Any], within: tuple[str, ...]) -> Any:
        if element.kind is Kind.COMPLEX:
            return self._object(item, element.defined_at, column["fields"], (*within, element.defined_at))
        if element.kind is Kind.RESOURCE:
            return encode(item).decode()
        # BigQuery's times have microseconds, FHIR's may have more.
        return _FRACTION.sub(r"\1", item) if column["type"] == "TIMESTAMP" else item

    def _add_extension(
        self, row: dict[str, Any], extension: Any, defined_at: str, columns: Columns, within: tuple[str, ...]
    ) -> None:
        """Put an extension into a column that is named by the end of its URL."""
        if within.count("Extension") >= self._depth:
            return
        url = str(extension.get("url", ""))
        name = re.sub(r"\W", "_", url.rstrip("/").rpartition("/")[2], flags=re.ASCII)[:_MAX_NAME]
        name = name if re.match(r"[A-Za-z]", name) else f"_{name}"[:_MAX_NAME]
        if self._model.element(defined_at, name).kind is not Kind.UNKNOWN:
            raise UnfitRowError
        column = _column(columns, name, "RECORD", repeated=self._repeats)
        inner = {key: value for key, value in extension.items() if key != "url"}
        cell = self._object(inner, "Extension", column["fields"], (*within, "Extension"))
        if self._repeats:
            row.setdefault(column["name"], []).append(cell)
        else:
            row.setdefault(column["name"], cell)

    def _type(self, element: Element) -> str:
        if element.kind is Kind.COMPLEX:
            return "RECORD"
        return self._types.get(element.type, "STRING") if element.kind is Kind.PRIMITIVE else "STRING"

    def _too_deep(self, element: Element, within: tuple[str, ...]) -> bool:
        return within.count(element.defined_at) >= (1 if element.defined_at in _ALWAYS_RECURSIVE else self._depth)


def _add_target(row: dict[str, Any], columns: Columns) -> None:
    target = local_target(row.get("reference") or "")
    if target is not None:
        kind, _, key = target.partition("/")
        row[_column(columns, f"{kind[0].lower()}{kind[1:]}Id", "STRING", repeated=False)["name"]] = key


def _column(columns: Columns, name: str, kind: str, *, repeated: bool) -> dict[str, Any]:
    """Return a column, which is made where there is none; BigQuery does not tell capitals from small letters.

    :raises UnfitRowError: when there is one of another kind.
    """
    wanted: dict[str, Any] = {"name": name, "type": kind, "mode": "REPEATED" if repeated else "NULLABLE"}
    column = columns.get(name.lower())
    if column is None:
        column = columns[name.lower()] = {**wanted, **({"fields": {}} if kind == "RECORD" else {})}
    elif (column["type"], column["mode"]) != (wanted["type"], wanted["mode"]):
        raise UnfitRowError
    return column


def _listed(columns: Columns) -> list[dict[str, Any]]:
    listed = []
    for column in columns.values():
        # A record without fields is none that BigQuery takes; its rows are empty objects then.
        if column["type"] == "RECORD":
            column = {**column, "fields": _listed(column["fields"]) or [_NOTHING]}
        listed.append(column)
    return listed


_NOTHING = {"name": "id", "type": "STRING", "mode": "NULLABLE"}
