"""The bodies of the export and import requests of the discovery document.

``ExportDicomDataRequest``, ``ExportResourcesRequest``, ``ImportDicomDataRequest``, ``ImportResourcesRequest``.
"""

from __future__ import annotations

import re
from enum import StrEnum
from typing import TYPE_CHECKING

import msgspec

from airflow_healthcare_deid.config.dicom import DicomFilterConfig
from airflow_healthcare_deid.config.gcs import parse_gcs_uri
from airflow_healthcare_deid.config.message import Int64, Message, at_most_one
from airflow_healthcare_deid.errors import ConfigError

if TYPE_CHECKING:
    from airflow_healthcare_deid.config.message import Report

_MIME_TYPE = re.compile(
    r"(?:application/dicom|application/octet-stream|image/jpeg)\s*;\s*transfer-syntax=(?:\*|[0-9.]+)|image/png"
)
_TABLE = re.compile(r"bq://[^.\s]+(?:\.[^.\s]+)?\.[^.\s]+\.[^.\s]+")
_DATASET = re.compile(r"bq://[^.\s]+(?:\.[^.\s]+)?\.[^.\s]+")
_TYPES = re.compile(r"[A-Z][A-Za-z]+(?:,[A-Z][A-Za-z]+)*")
_INSTANT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d)")
_MAX_DEPTH = 5


class WriteDisposition(StrEnum):
    """What becomes of data that is in BigQuery already."""

    WRITE_EMPTY = "WRITE_EMPTY"
    """Refuse to write if there is any."""
    WRITE_TRUNCATE = "WRITE_TRUNCATE"
    """Erase it first."""
    WRITE_APPEND = "WRITE_APPEND"
    """Add to it."""


class SchemaType(StrEnum):
    """How FHIR resources become columns."""

    ANALYTICS = "ANALYTICS"
    ANALYTICS_V2 = "ANALYTICS_V2"


class PartitionType(StrEnum):
    """Unit of time by which a table is partitioned."""

    HOUR = "HOUR"
    DAY = "DAY"
    MONTH = "MONTH"
    YEAR = "YEAR"


class ContentStructure(StrEnum):
    """What the files of an import hold."""

    BUNDLE = "BUNDLE"
    """A bundle a line."""
    RESOURCE = "RESOURCE"
    """A resource a line."""
    BUNDLE_PRETTY = "BUNDLE_PRETTY"
    """One bundle."""
    RESOURCE_PRETTY = "RESOURCE_PRETTY"
    """One resource."""


class BlobStorageClass(StrEnum):
    """Storage class of pixel data."""

    STANDARD = "STANDARD"
    NEARLINE = "NEARLINE"
    COLDLINE = "COLDLINE"
    ARCHIVE = "ARCHIVE"


class SchemaFlattened(Message, frozen=True, kw_only=True):
    """A column for each DICOM tag."""


class SchemaJson(Message, frozen=True, kw_only=True):
    """All DICOM tags in one column of type JSON."""


class TimePartitioning(Message, frozen=True, kw_only=True):
    """How tables are partitioned by the time of the resources' last change.

    :param type: unit of time.
    :param expiration_ms: milliseconds for which a partition is kept; default: for good.
    """

    type: PartitionType | None = None
    expiration_ms: Int64 | None = None


class SchemaConfig(Message, frozen=True, kw_only=True):
    """Schema of the tables that FHIR resources are exported to.

    :param schema_type: required.
    :param recursive_structure_depth: depth of recursive structures such as ``CodeSystem.concept``; default 2, most 5.
    :param last_updated_partition_config: partitions; default: none.
    """

    schema_type: SchemaType | None = None
    recursive_structure_depth: Int64 | None = None
    last_updated_partition_config: TimePartitioning | None = None

    def check(self, report: Report) -> None:
        if self.schema_type is None:
            report("schemaType", "is missing", "Use ANALYTICS_V2 or ANALYTICS")
        if not 0 <= (self.recursive_structure_depth or 0) <= _MAX_DEPTH:
            report("recursiveStructureDepth", f"is not between 0 and {_MAX_DEPTH}", "0 stands for the default of 2")


class DicomGcsDestination(Message, frozen=True, kw_only=True):
    """A directory in Cloud Storage; objects there are overwritten.

    :param uri_prefix: ``gs://bucket/path/to/dir``.
    :param mime_type: format of the files; default: the one that an instance was stored in.
    """

    uri_prefix: str | None = None
    mime_type: str | None = None

    def check(self, report: Report) -> None:
        _check_gcs(self.uri_prefix, "uriPrefix", report, prefix=True)
        if self.mime_type is not None and not _MIME_TYPE.fullmatch(self.mime_type):
            report(
                "mimeType",
                "is none that the service knows",
                "Use application/dicom, application/octet-stream or image/jpeg with '; transfer-syntax=UID' "
                "('*' is as stored), or image/png",
            )


class FhirGcsDestination(Message, frozen=True, kw_only=True):
    """A directory in Cloud Storage, for one object of newline-delimited JSON per resource type.

    :param uri_prefix: ``gs://bucket/path/to/dir``.
    """

    uri_prefix: str | None = None

    def check(self, report: Report) -> None:
        _check_gcs(self.uri_prefix, "uriPrefix", report, prefix=True)


class DicomBigQueryDestination(Message, frozen=True, kw_only=True):
    """A BigQuery table, in the project of the store.

    :param table_uri: ``bq://project.dataset.table``.
    :param write_disposition: what becomes of data that is there; default ``WRITE_EMPTY``.
    :param include_source_store: add a column with the store's name.
    :param schema_flattened: a column per tag; the default.
    :param schema_json: one column of type JSON.
    """

    table_uri: str | None = None
    write_disposition: WriteDisposition | None = None
    include_source_store: bool | None = None
    schema_flattened: SchemaFlattened | None = None
    schema_json: SchemaJson | None = None

    def check(self, report: Report) -> None:
        at_most_one(self, report, "schema_flattened", "schema_json")
        if not _TABLE.fullmatch(self.table_uri or ""):
            report("tableUri", "is no BigQuery table", "Use the form bq://project.dataset.table")


class FhirBigQueryDestination(Message, frozen=True, kw_only=True):
    """A BigQuery dataset, for one table per resource type.

    :param dataset_uri: ``bq://project.dataset``.
    :param write_disposition: what becomes of tables that are there; default ``WRITE_EMPTY``.
    :param schema_config: schema of the tables.
    """

    dataset_uri: str | None = None
    write_disposition: WriteDisposition | None = None
    schema_config: SchemaConfig | None = None

    def check(self, report: Report) -> None:
        if not _DATASET.fullmatch(self.dataset_uri or ""):
            report("datasetUri", "is no BigQuery dataset", "Use the form bq://project.dataset")


class ExportDicomDataRequest(Message, frozen=True, kw_only=True):
    """Body of ``dicomStores.export``: one of the destinations, and which instances (default: all)."""

    gcs_destination: DicomGcsDestination | None = None
    bigquery_destination: DicomBigQueryDestination | None = None
    filter_config: DicomFilterConfig | None = None

    def check(self, report: Report) -> None:
        at_most_one(self, report, "gcs_destination", "bigquery_destination")


class ExportResourcesRequest(Message, frozen=True, kw_only=True):
    """Body of ``fhirStores.export``.

    :param gcs_destination: either it or ``bigquery_destination``.
    :param type: resource types, separated by commas; default: all.
    :param since: only what changed after this time, such as ``2026-01-01T00:00:00Z``.
    """

    gcs_destination: FhirGcsDestination | None = None
    bigquery_destination: FhirBigQueryDestination | None = None
    type: str | None = msgspec.field(default=None, name="_type")
    since: str | None = msgspec.field(default=None, name="_since")

    def check(self, report: Report) -> None:
        at_most_one(self, report, "gcs_destination", "bigquery_destination")
        if self.type is not None and not _TYPES.fullmatch(self.type):
            report("_type", "is no list of FHIR resource types", "Use names such as Patient,Observation")
        if self.since is not None and not _INSTANT.fullmatch(self.since):
            report("_since", "is no time with seconds and a zone", "Use the form 2026-01-01T00:00:00Z")


class GcsSource(Message, frozen=True, kw_only=True):
    """Files in Cloud Storage.

    :param uri: ``gs://bucket/path``; ``*`` and ``?`` stand for characters of a name, ``**`` at the end, or before an
        extension, for whole directories.
    """

    uri: str | None = None

    def check(self, report: Report) -> None:
        _check_gcs(self.uri, "uri", report)


class BlobStorageSettings(Message, frozen=True, kw_only=True):
    """How pixel data is stored."""

    blob_storage_class: BlobStorageClass | None = None


class ImportDicomDataRequest(Message, frozen=True, kw_only=True):
    """Body of ``dicomStores.import``."""

    gcs_source: GcsSource | None = None
    blob_storage_settings: BlobStorageSettings | None = None


class ImportResourcesRequest(Message, frozen=True, kw_only=True):
    """Body of ``fhirStores.import``; ``content_structure`` is ``BUNDLE`` by default."""

    gcs_source: GcsSource | None = None
    content_structure: ContentStructure | None = None


def _check_gcs(uri: str | None, where: str, report: Report, *, prefix: bool = False) -> None:
    if uri is None:
        report(where, "is missing", "Use the form gs://bucket/path")
        return
    try:
        parse_gcs_uri(uri, prefix=prefix)
    except ConfigError as error:
        report(where, error.problem, error.way_out)
