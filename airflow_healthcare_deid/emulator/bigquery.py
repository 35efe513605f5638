"""BigQuery destinations as files: newline-delimited JSON and a schema, in the form that ``bq load`` takes.

``bq load --source_format=NEWLINE_DELIMITED_JSON DATASET.TABLE TABLE.ndjson TABLE.schema.json``. A table is
``bigquery/PROJECT/DATASET/TABLE.ndjson`` in the data directory. Datasets need not exist beforehand, unlike the real
ones. Write dispositions: discovery document, ``GoogleCloudHealthcareV1DicomBigQueryDestination``.
"""

from __future__ import annotations

import re
import shutil
import tempfile
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, NamedTuple, Self, cast

import msgspec

from airflow_healthcare_deid.emulator.errors import Code, ServiceError, invalid

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

MAX_URI_LENGTH = 2000

_PROJECT = r"(?:[a-z0-9.-]+:)?[a-z][a-z0-9-]{4,28}[a-z0-9]|[a-z0-9-]{1,30}"
_NAME = r"[A-Za-z0-9_]{1,200}"
_TABLE = r"[A-Za-z0-9_-]{1,200}"
_DATASET_URI = re.compile(rf"bq://({_PROJECT})\.({_NAME})")
_TABLE_URI = re.compile(rf"bq://({_PROJECT})\.({_NAME})\.({_TABLE})")
# Widening: what a column of two types becomes, when rows are appended.
_NUMERIC = {"INTEGER", "FLOAT"}


class Disposition(StrEnum):
    """``writeDisposition``."""

    WRITE_EMPTY = "WRITE_EMPTY"
    WRITE_TRUNCATE = "WRITE_TRUNCATE"
    WRITE_APPEND = "WRITE_APPEND"


class TableName(NamedTuple):
    """``project.dataset.table``."""

    project: str
    dataset: str
    table: str


def parse_table_uri(uri: object, field: str) -> TableName:
    """Read ``bq://project.dataset.table``.

    :raises ServiceError: 400 if it is something else.
    """
    match = _TABLE_URI.fullmatch(uri) if isinstance(uri, str) and len(uri) <= MAX_URI_LENGTH else None
    if match is None:
        raise invalid("must be of the form bq://projectId.bqDatasetId.tableId.", field=field)
    return TableName(*match.groups())


def parse_dataset_uri(uri: object, field: str) -> tuple[str, str]:
    """Read ``bq://project.dataset``.

    :raises ServiceError: 400 if it is something else.
    """
    match = _DATASET_URI.fullmatch(uri) if isinstance(uri, str) and len(uri) <= MAX_URI_LENGTH else None
    if match is None:
        raise invalid("must be of the form bq://projectId.bqDatasetId.", field=field)
    return match.group(1), match.group(2)


def disposition_of(write_disposition: str | None, *, force: bool) -> Disposition:
    """Return what ``writeDisposition`` says, or else what the older ``force`` says; the default is WRITE_EMPTY."""
    if write_disposition is None:
        return Disposition.WRITE_TRUNCATE if force else Disposition.WRITE_EMPTY
    return Disposition(write_disposition)


class Spool:
    """Rows on their way into a table or an object: a file that goes when the block ends.

    :param directory: the data directory.
    """

    def __init__(self, directory: Path) -> None:
        self._directory = directory / "incoming"

    def __enter__(self) -> Self:
        self._file: BinaryIO = cast("BinaryIO", tempfile.NamedTemporaryFile(dir=self._directory))
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def write(self, row: Mapping[str, Any]) -> None:
        """Add a row."""
        self.write_line(msgspec.json.Encoder(decimal_format="number").encode(row))

    def write_line(self, line: bytes) -> None:
        """Add a row that is JSON already."""
        self._file.write(line + b"\n")

    def file(self) -> Path:
        """Return the file with all rows so far."""
        self._file.flush()
        return Path(self._file.name)


class Warehouse:
    """The tables, below a data directory."""

    def __init__(self, directory: Path) -> None:
        self._root = directory / "bigquery"

    def check(self, project: str, dataset: str, disposition: Disposition, table: str = "*") -> None:
        """See that nothing is in the way of ``WRITE_EMPTY``.

        :param table: the table to write; ``*`` stands for all of the dataset.
        :raises ServiceError: 400 FAILED_PRECONDITION if there are rows.
        """
        if disposition is not Disposition.WRITE_EMPTY:
            return
        for file in sorted((self._root / project / dataset).glob(f"{table}.ndjson")):
            if file.stat().st_size:
                name = f"{project}.{dataset}.{file.stem}"
                raise ServiceError(
                    Code.FAILED_PRECONDITION,
                    f"Table {name} holds rows already, and writeDisposition is WRITE_EMPTY. "
                    "Use WRITE_APPEND or WRITE_TRUNCATE, or another destination.",
                )

    def clear(self) -> None:
        """Remove every table."""
        shutil.rmtree(self._root, ignore_errors=True)

    def prepare(self, project: str, dataset: str, disposition: Disposition) -> None:
        """Check a dataset that takes several tables; with ``WRITE_TRUNCATE``, remove the tables it has."""
        self.check(project, dataset, disposition)
        if disposition is Disposition.WRITE_TRUNCATE:
            shutil.rmtree(self._root / project / dataset, ignore_errors=True)

    def load(
        self,
        name: TableName,
        spool: Spool,
        schema: Sequence[Mapping[str, Any]],
        disposition: Disposition,
        partition: Mapping[str, Any] | None = None,
    ) -> None:
        """Put rows into a table, all of them or none.

        :param schema: the columns of the rows, as ``bq`` takes them.
        :param partition: ``TimePartitioning`` to note beside the table.
        :raises ServiceError: FAILED_PRECONDITION if the disposition forbids it, or columns clash with those there.
        """
        self.check(name.project, name.dataset, disposition, name.table)
        folder = self._root / name.project / name.dataset
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        data, schema_file = folder / f"{name.table}.ndjson", folder / f"{name.table}.schema.json"
        new = folder / f".{name.table}.new"
        appends = disposition is Disposition.WRITE_APPEND and data.exists()
        if appends:
            schema = merge_schemas(msgspec.json.decode(schema_file.read_bytes()), schema)
        with new.open("wb") as target:
            for source in (data, spool.file()) if appends else (spool.file(),):
                with source.open("rb") as rows:
                    shutil.copyfileobj(rows, target)
        schema_file.write_bytes(msgspec.json.format(msgspec.json.encode(schema)) + b"\n")
        if partition:
            (folder / f"{name.table}.partitioning.json").write_bytes(msgspec.json.encode(partition) + b"\n")
        new.replace(data)


def merge_schemas(old: Sequence[Mapping[str, Any]], new: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Return the columns of both.

    :raises ServiceError: FAILED_PRECONDITION if a column has two types that don't go together.
    """
    merged = {column["name"]: dict(column) for column in old}
    for column in new:
        known = merged.setdefault(column["name"], dict(column))
        if known["mode"] != column["mode"] or not _compatible(known["type"], column["type"]):
            raise ServiceError(
                Code.FAILED_PRECONDITION, f"Column {column['name']} of the table has another type than the new rows."
            )
        if known["type"] != column["type"]:
            known["type"] = "FLOAT"
        if "fields" in column:
            known["fields"] = merge_schemas(known["fields"], column["fields"])
    return list(merged.values())


def _compatible(old: str, new: str) -> bool:
    return old == new or {old, new} <= _NUMERIC
