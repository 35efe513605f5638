from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from airflow_healthcare_deid.emulator import bigquery
from airflow_healthcare_deid.emulator.bigquery import Disposition, TableName, Warehouse
from airflow_healthcare_deid.emulator.errors import ServiceError

if TYPE_CHECKING:
    from pathlib import Path

TABLE = TableName("my-project", "dataset", "table")
SCHEMA: list[dict[str, Any]] = [{"name": "a", "type": "INTEGER", "mode": "NULLABLE"}]


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    (tmp_path / "incoming").mkdir()
    return tmp_path


def load(directory: Path, rows: list[dict[str, Any]], disposition: Disposition, schema: Any = SCHEMA) -> None:
    with bigquery.Spool(directory) as spool:
        for row in rows:
            spool.write(row)
        Warehouse(directory).load(TABLE, spool, schema, disposition)


def rows_of(directory: Path) -> list[dict[str, Any]]:
    text = (directory / "bigquery" / "my-project" / "dataset" / "table.ndjson").read_text()
    return [json.loads(line) for line in text.splitlines()]


def test_dispositions_are_enforced(directory: Path) -> None:
    load(directory, [{"a": 1}], Disposition.WRITE_EMPTY)
    with pytest.raises(ServiceError, match="holds rows already"):
        load(directory, [{"a": 2}], Disposition.WRITE_EMPTY)
    load(directory, [{"a": 3}], Disposition.WRITE_APPEND)
    assert rows_of(directory) == [{"a": 1}, {"a": 3}]
    load(directory, [{"a": 4}], Disposition.WRITE_TRUNCATE)
    assert rows_of(directory) == [{"a": 4}]


def test_appending_widens_the_schema_or_refuses(directory: Path) -> None:
    load(directory, [{"a": 1}], Disposition.WRITE_EMPTY)
    wider = [{"name": "a", "type": "FLOAT", "mode": "NULLABLE"}, {"name": "b", "type": "STRING", "mode": "REPEATED"}]
    load(directory, [{"a": 1.5, "b": []}], Disposition.WRITE_APPEND, wider)
    schema = json.loads((directory / "bigquery/my-project/dataset/table.schema.json").read_text())
    assert [(column["name"], column["type"]) for column in schema] == [("a", "FLOAT"), ("b", "STRING")]
    with pytest.raises(ServiceError, match="Column a"):
        load(directory, [{"a": "x"}], Disposition.WRITE_APPEND, [{"name": "a", "type": "STRING", "mode": "NULLABLE"}])
    assert len(rows_of(directory)) == 2


@pytest.mark.parametrize(
    "uri", ["bq://p", "bq://p.d", "bq://p../../etc.t", "bq://p.d.t/../x", "gs://p.d.t", None, "bq://p.d." + "t" * 2000]
)
def test_table_names_cannot_lead_anywhere_else(uri: Any) -> None:
    with pytest.raises(ServiceError, match="bq://"):
        bigquery.parse_table_uri(uri, "tableUri")


def test_force_gives_way_to_the_disposition() -> None:
    assert bigquery.disposition_of(None, force=False) is Disposition.WRITE_EMPTY
    assert bigquery.disposition_of(None, force=True) is Disposition.WRITE_TRUNCATE
    assert bigquery.disposition_of("WRITE_APPEND", force=True) is Disposition.WRITE_APPEND
