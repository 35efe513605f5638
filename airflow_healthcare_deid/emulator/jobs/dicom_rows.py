"""Rows of the two DICOM schemas: ``schemaFlattened`` (a column for each tag) and ``schemaJson`` (one JSON column)."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, time
from typing import TYPE_CHECKING, Any

import msgspec
from pydicom.datadict import dictionary_VM, keyword_for_tag

from airflow_healthcare_deid.emulator.dicomweb.reader import Unservable
from airflow_healthcare_deid.engine.rules import load_rules

if TYPE_CHECKING:
    from airflow_healthcare_deid.emulator.instances import InstanceRecord
    from airflow_healthcare_deid.emulator.resources import Resource
    from airflow_healthcare_deid.emulator.state import State

_DATE = re.compile(r"(\d{4})(\d\d)(\d\d)")
_TIME = re.compile(r"(\d\d)(?:(\d\d)(?:(\d\d)(?:\.(\d{1,6}))?)?)?")
_SOURCE = {"name": "SourceDicomStore", "type": "STRING", "mode": "NULLABLE"}
_DROPPED = {"name": "DroppedTags", "type": "STRING", "mode": "REPEATED"}


def _metadata(state: State, store: Resource, record: InstanceRecord) -> dict[str, Any] | None:
    """Return an instance's DICOM JSON, without its bulk data; None if the file can't be read."""
    text = state.reader.metadata(state.instances.path(store.key, *record.uids), "")
    if isinstance(text, Unservable):
        return None
    read: dict[str, Any] = msgspec.json.decode(text)
    return read


class JsonRows:
    """``schemaJson``: the columns that the discovery document lists."""

    def row(self, state: State, store: Resource, record: InstanceRecord, source: str | None) -> dict[str, Any] | None:
        """Return the row of an instance; None if it can't be read.

        :param source: name of the store, where the row is to have it.
        """
        metadata = _metadata(state, store, record)
        if metadata is None:
            return None
        dropped = [tag for tag, element in metadata.items() if "BulkDataURI" in element]
        written = state.instances.path(store.key, *record.uids).stat().st_mtime
        return {
            "StudyInstanceUID": record.study,
            "SeriesInstanceUID": record.series,
            "SOPInstanceUID": record.sop,
            **({"SourceDicomStore": source} if source else {}),
            "Metadata": {tag: element for tag, element in metadata.items() if tag not in dropped},
            "StructuredStorageSize": record.header_size,
            "DroppedTags": [keyword_for_tag(tag) or tag for tag in dropped],
            "StorageClass": "STANDARD",
            "LastUpdated": datetime.fromtimestamp(written, UTC).isoformat(timespec="microseconds"),
            "BlobStorageSize": record.size - record.header_size,
            "Type": "INSERT",
        }

    def schema(self, source: str | None) -> list[dict[str, Any]]:
        """Return the columns, as ``bq`` takes them."""
        types = {
            "StudyInstanceUID": "STRING",
            "SeriesInstanceUID": "STRING",
            "SOPInstanceUID": "STRING",
            **({"SourceDicomStore": "STRING"} if source else {}),
            "Metadata": "JSON",
            "StructuredStorageSize": "INTEGER",
            "DroppedTags": "STRING",
            "StorageClass": "STRING",
            "LastUpdated": "TIMESTAMP",
            "BlobStorageSize": "INTEGER",
            "Type": "STRING",
        }
        return [
            {"name": name, "type": kind, "mode": "REPEATED" if name == "DroppedTags" else "NULLABLE"}
            for name, kind in types.items()
        ]


class FlattenedRows:
    """``schemaFlattened``: a column for each tag that occurs, named by its keyword; private tags and bulk data drop."""

    def __init__(self) -> None:
        self._columns: dict[str, dict[str, Any]] = {}
        self._types: dict[str, str] = load_rules("transfer")["dicom_columns"]["types"]

    def row(self, state: State, store: Resource, record: InstanceRecord, source: str | None) -> dict[str, Any] | None:
        """Return the row of an instance; None if it can't be read.

        :param source: name of the store, where the row is to have it.
        """
        metadata = _metadata(state, store, record)
        if metadata is None:
            return None
        dropped: list[str] = []
        row = self._object(metadata, self._columns, dropped)
        return {**row, **({"SourceDicomStore": source} if source else {}), "DroppedTags": dropped}

    def schema(self, source: str | None) -> list[dict[str, Any]]:
        """Return the columns of all rows so far, as ``bq`` takes them."""
        return [*_listed(self._columns), *([_SOURCE] if source else []), _DROPPED]

    def _object(self, node: dict[str, Any], columns: dict[str, dict[str, Any]], dropped: list[str]) -> dict[str, Any]:
        row: dict[str, Any] = {}
        for tag, element in node.items():
            name = keyword_for_tag(tag)
            if not name or "BulkDataURI" in element or "InlineBinary" in element:
                dropped.append(name or tag)
                continue
            values = element.get("Value", [])
            repeated = element["vr"] == "SQ" or dictionary_VM(tag) != "1"
            column = columns.setdefault(
                name, {"name": name, "type": self._type(element["vr"]), "mode": "REPEATED" if repeated else "NULLABLE"}
            )
            if element["vr"] == "SQ":
                below = column.setdefault("fields", {})
                cells: list[Any] = [self._object(item, below, dropped) for item in values]
            else:
                cells = [cell for value in values if (cell := _cell(value, column["type"])) is not None]
            if cells:
                row[name] = cells if repeated else cells[0]
        return row

    def _type(self, vr: str) -> str:
        return "RECORD" if vr == "SQ" else self._types.get(vr, "STRING")


def _cell(value: Any, kind: str) -> Any:
    if isinstance(value, dict):  # a person's name
        return value.get("Alphabetic", next(iter(value.values()), None))
    if kind in ("DATE", "TIME"):
        return _day_or_time(str(value), kind)
    return str(value) if kind == "STRING" and value is not None else value


def _day_or_time(value: str, kind: str) -> str | None:
    """Return a DICOM date or time in ISO 8601; None if there is no such, as BigQuery refuses a table for one value."""
    match = (_DATE if kind == "DATE" else _TIME).fullmatch(value)
    if match is None:
        return None
    first, second, third, *fraction = match.groups(default="0")
    try:
        if kind == "DATE":
            return date(int(first), int(second), int(third)).isoformat()
        return time(int(first), int(second), int(third), int(fraction[0].ljust(6, "0"))).isoformat()
    except ValueError:
        return None


def _listed(columns: dict[str, dict[str, Any]]) -> list[dict[str, Any]]:
    return [
        {**column, "fields": _listed(column["fields"]) or [_DROPPED]} if column["type"] == "RECORD" else column
        for column in columns.values()
    ]
