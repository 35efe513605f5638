"""What ``bq load --source_format=NEWLINE_DELIMITED_JSON`` refuses.

https://cloud.google.com/bigquery/docs/loading-data-cloud-storage-json and https://cloud.google.com/bigquery/docs/schemas
"""

from __future__ import annotations

import json
import re
from datetime import date, datetime, time
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,299}")
_FORMS = {
    "STRING": lambda value: isinstance(value, str),
    "BOOLEAN": lambda value: isinstance(value, bool),
    "INTEGER": lambda value: isinstance(value, int) and not isinstance(value, bool) and -(2**63) <= value < 2**63,
    "FLOAT": lambda value: isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < 1.8e308,
    "DATE": lambda value: date.fromisoformat(value).isoformat() == value,
    "TIME": lambda value: isinstance(time.fromisoformat(value), time) and len(value) <= 15,
    "TIMESTAMP": lambda value: datetime.fromisoformat(value).tzinfo is not None and len(value) <= 32,
    "JSON": lambda value: value is not None,
}


def loaded(folder: Path, table: str) -> list[dict[str, Any]]:
    """Return the rows of a table after checking that they and their schema can be loaded."""
    schema = json.loads((folder / f"{table}.schema.json").read_text())
    rows = [json.loads(line) for line in (folder / f"{table}.ndjson").read_text().splitlines()]
    check_schema(schema)
    for row in rows:
        check_row(row, schema)
    return rows


def check_schema(schema: list[dict[str, Any]], depth: int = 1) -> None:
    """Check names, types and nesting."""
    assert schema
    assert depth <= 15
    names = [column["name"].lower() for column in schema]
    assert len(set(names)) == len(names)
    for column in schema:
        assert _NAME.fullmatch(column["name"]), column["name"]
        assert column["mode"] in ("NULLABLE", "REPEATED")
        assert set(column) - {"fields"} == {"name", "type", "mode"}
        if column["type"] == "RECORD":
            check_schema(column["fields"], depth + 1)
        else:
            assert column["type"] in _FORMS
            assert "fields" not in column


def check_row(row: dict[str, Any], schema: list[dict[str, Any]]) -> None:
    """Check a row against a schema."""
    columns = {column["name"]: column for column in schema}
    assert row.keys() <= columns.keys()
    for name, value in row.items():
        column = columns[name]
        if column["mode"] == "REPEATED":
            assert isinstance(value, list), name
            assert None not in value, name
        for one in value if column["mode"] == "REPEATED" else [] if value is None else [value]:
            if column["type"] == "RECORD":
                check_row(one, column["fields"])
            else:
                assert _FORMS[column["type"]](one), (name, column["type"])
