"""Operators that export DICOM and FHIR stores to Cloud Storage or BigQuery, and import them from Cloud Storage.

https://cloud.google.com/healthcare-api/docs/how-tos/dicom-import-export and
https://cloud.google.com/healthcare-api/docs/how-tos/fhir-import-export
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from airflow_healthcare_deid.config import load_request, to_body
from airflow_healthcare_deid.config.transfer import (
    ExportDicomDataRequest,
    ExportResourcesRequest,
    ImportDicomDataRequest,
    ImportResourcesRequest,
)
from airflow_healthcare_deid.errors import ConfigError
from airflow_healthcare_deid.operators._names import parse_name
from airflow_healthcare_deid.operators._request import OperationRequest, mapping
from airflow_healthcare_deid.operators._transfer import ExportOperator, ImportOperator
from airflow_healthcare_deid.resource_names import DicomStoreName, FhirStoreName

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from airflow_healthcare_deid.config import DicomFilterConfig


class ExportDicomStoreOperator(ExportOperator):
    """Exports a DICOM store.

    Needs ``healthcare.dicomStores.export`` on the store (``roles/healthcare.dicomEditor``); the Healthcare service
    agent needs ``roles/storage.objectAdmin`` on the bucket, or ``roles/bigquery.dataEditor`` and
    ``roles/bigquery.jobUser``.

    :param store: ``projects/P/locations/L/datasets/D/dicomStores/S``.
    :param mime_type: format of the files, such as ``application/dicom; transfer-syntax=*`` or ``image/png``; default:
        the one that an instance was stored in.
    :param table_uri: ``bq://project.dataset.table``, in the store's project.
    :param include_source_store: add a column with the store's name.
    :param schema: ``FLATTENED``: a column per tag; ``JSON``: all tags in one column.
    :param filter_config: which instances: ``{"resourcePathsGcsUri": "gs://bucket/paths.txt"}``. Default: all.
    """

    template_fields = (*ExportOperator.template_fields, "mime_type", "table_uri", "filter_config")

    def __init__(
        self,
        *,
        mime_type: str | None = None,
        table_uri: str | None = None,
        include_source_store: bool | None = None,
        schema: Literal["FLATTENED", "JSON"] | None = None,
        filter_config: DicomFilterConfig | Mapping[str, Any] | str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.mime_type = mime_type
        self.table_uri = table_uri
        self.include_source_store = include_source_store
        self.schema = schema
        self.filter_config = filter_config
        self._check_literals()

    def build_request(self) -> OperationRequest:
        """Return the request, checked."""
        source = parse_name(DicomStoreName, "store", self.store)
        destination = self._destination("table_uri", self.table_uri, "include_source_store", "schema")
        if self.table_uri is not None and self.mime_type is not None:
            raise ConfigError("mime_type", "is for Cloud Storage only", "Drop it, or give uri_prefix")
        if self.schema not in (None, "FLATTENED", "JSON"):
            raise ConfigError("schema", "is neither FLATTENED nor JSON", "Use one of them")
        given: dict[str, Any] = {"filter_config": mapping("filter_config", self.filter_config)}
        if self.uri_prefix is not None:
            given["gcs_destination"] = {"uri_prefix": self.uri_prefix, "mime_type": self.mime_type}
        else:
            given["bigquery_destination"] = {
                "table_uri": self.table_uri,
                "write_disposition": self.write_disposition,
                "include_source_store": self.include_source_store,
                "schema_flattened": {} if self.schema == "FLATTENED" else None,
                "schema_json": {} if self.schema == "JSON" else None,
            }
        return OperationRequest(
            method="datasets.dicomStores.export",
            source=source,
            destination=destination,
            body=to_body(load_request(ExportDicomDataRequest, given)),
            repeatable=self._repeatable,
        )


class ExportFhirStoreOperator(ExportOperator):
    """Exports a FHIR store.

    Needs ``healthcare.fhirStores.export`` on the store (``roles/healthcare.fhirStoreAdmin``); the Healthcare service
    agent needs ``roles/storage.objectAdmin`` on the bucket, or ``roles/bigquery.dataEditor`` and
    ``roles/bigquery.jobUser``.

    :param store: ``projects/P/locations/L/datasets/D/fhirStores/S``.
    :param dataset_uri: ``bq://project.dataset``, an existing dataset; one table per resource type.
    :param schema_config: schema of the tables, or the path of a JSON or YAML file with it; default:
        ``{"schemaType": "ANALYTICS_V2"}``.
    :param types: resource types, as a list or separated by commas; default: all.
    :param since: only what changed after this time, such as ``{{ data_interval_start.isoformat() }}``.
    """

    template_fields = (*ExportOperator.template_fields, "dataset_uri", "schema_config", "types", "since")

    def __init__(
        self,
        *,
        dataset_uri: str | None = None,
        schema_config: Mapping[str, Any] | str | None = None,
        types: Sequence[str] | str | None = None,
        since: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.dataset_uri = dataset_uri
        self.schema_config = schema_config
        self.types = types
        self.since = since
        self._check_literals()

    def build_request(self) -> OperationRequest:
        """Return the request, checked."""
        source = parse_name(FhirStoreName, "store", self.store)
        destination = self._destination("dataset_uri", self.dataset_uri, "schema_config")
        types = self.types if self.types is None or isinstance(self.types, str) else ",".join(self.types)
        given: dict[str, Any] = {"_type": types, "_since": self.since}
        if self.uri_prefix is not None:
            given["gcs_destination"] = {"uri_prefix": self.uri_prefix}
        else:
            given["bigquery_destination"] = {
                "dataset_uri": self.dataset_uri,
                "write_disposition": self.write_disposition,
                "schema_config": mapping("schema_config", self.schema_config) or {"schema_type": "ANALYTICS_V2"},
            }
        return OperationRequest(
            method="datasets.fhirStores.export",
            source=source,
            destination=destination,
            body=to_body(load_request(ExportResourcesRequest, given)),
            repeatable=self._repeatable,
        )


class ImportDicomStoreOperator(ImportOperator):
    """Imports DICOM files into a store; instances that it holds already stay as they are, and may count as failed.

    Needs ``healthcare.dicomStores.import`` on the store (``roles/healthcare.dicomEditor``); the Healthcare service
    agent needs ``roles/storage.objectViewer`` on the bucket.

    :param store: ``projects/P/locations/L/datasets/D/dicomStores/S``.
    :param blob_storage_class: ``STANDARD``, ``NEARLINE``, ``COLDLINE`` or ``ARCHIVE``; default: the service's.
    """

    template_fields = (*ImportOperator.template_fields, "blob_storage_class")

    def __init__(self, *, blob_storage_class: str | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.blob_storage_class = blob_storage_class
        self._check_literals()

    def build_request(self) -> OperationRequest:
        """Return the request, checked."""
        store = parse_name(DicomStoreName, "store", self.store)
        settings = None if self.blob_storage_class is None else {"blob_storage_class": self.blob_storage_class}
        given = {"gcs_source": {"uri": self.uri}, "blob_storage_settings": settings}
        return OperationRequest(
            method="datasets.dicomStores.import",
            source=store,
            destination=store,
            body=to_body(load_request(ImportDicomDataRequest, given)),
        )


class ImportFhirStoreOperator(ImportOperator):
    """Imports FHIR resources into a store; one with the same id is overwritten, so a second import does no harm.

    Needs ``healthcare.fhirStores.import`` on the store (``roles/healthcare.fhirStoreAdmin``); the Healthcare service
    agent needs ``roles/storage.objectAdmin`` on the bucket.

    :param store: ``projects/P/locations/L/datasets/D/fhirStores/S``.
    :param content_structure: ``BUNDLE`` (the service's default), ``RESOURCE``, ``BUNDLE_PRETTY`` or
        ``RESOURCE_PRETTY``. What an export wrote is ``RESOURCE``.
    """

    template_fields = (*ImportOperator.template_fields, "content_structure")

    def __init__(self, *, content_structure: str | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.content_structure = content_structure
        self._check_literals()

    def build_request(self) -> OperationRequest:
        """Return the request, checked."""
        store = parse_name(FhirStoreName, "store", self.store)
        given = {"gcs_source": {"uri": self.uri}, "content_structure": self.content_structure}
        return OperationRequest(
            method="datasets.fhirStores.import",
            source=store,
            destination=store,
            body=to_body(load_request(ImportResourcesRequest, given)),
            repeatable=True,
        )
