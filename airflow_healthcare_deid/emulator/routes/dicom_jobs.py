"""``dicomStores.export`` and ``dicomStores.import``: the checks made before any work starts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
from starlette.routing import Route

from airflow_healthcare_deid.config.transfer import (
    DicomBigQueryDestination,
    ExportDicomDataRequest,
    ImportDicomDataRequest,
)
from airflow_healthcare_deid.emulator import bigquery, gcs
from airflow_healthcare_deid.emulator.errors import invalid
from airflow_healthcare_deid.emulator.jobs.dicom_objects import parse_mime_type
from airflow_healthcare_deid.emulator.messages import check_query
from airflow_healthcare_deid.emulator.routes.common import DICOM_STORE, dicom_store_name, start_operation, with_body
from airflow_healthcare_deid.emulator.routes.transfer import read_transfer, take_force
from airflow_healthcare_deid.emulator.state import state_of
from airflow_healthcare_deid.engine.rules import load_rules

if TYPE_CHECKING:
    from collections.abc import Mapping

    from starlette.requests import Request
    from starlette.responses import JSONResponse

    from airflow_healthcare_deid.emulator.resources import Resource

# Inferred from Google's RPC packages, as for the other methods.
EXPORT_METHOD = "google.cloud.healthcare.v1.dicom.DicomService.ExportDicomData"
IMPORT_METHOD = "google.cloud.healthcare.v1.dicom.DicomService.ImportDicomData"


def _export(request: Request, body: dict[str, Any]) -> JSONResponse:
    check_query(request)
    store = _store(request, "export")
    force = take_force(body)
    read = read_transfer(ExportDicomDataRequest, body)
    uri = read.filter_config.resource_paths_gcs_uri if read.filter_config else None
    payload: dict[str, Any] = {"store": store.key, "filter": uri}
    if read.gcs_destination is not None:
        prefix = read.gcs_destination.uri_prefix
        gcs.parse_location(prefix, "gcsDestination.uriPrefix", prefix=True)
        form = parse_mime_type(read.gcs_destination.mime_type, "gcsDestination.mimeType")
        payload.update(prefix=prefix, format=msgspec.to_builtins(form))
        return _start(request, EXPORT_METHOD, "exportDicomToStorage", payload)
    if read.bigquery_destination is not None:
        payload.update(_bigquery(request, read.bigquery_destination, force=force))
        return _start(request, EXPORT_METHOD, "exportDicomToBigQuery", payload)
    raise invalid("One of gcsDestination and bigqueryDestination is required.", field="destination")


def _bigquery(request: Request, read: DicomBigQueryDestination, *, force: bool) -> dict[str, Any]:
    table = bigquery.parse_table_uri(read.table_uri, "bigqueryDestination.tableUri")
    if table.project != dicom_store_name(request).project:
        problem = "The BigQuery table must be in the project of the DICOM store."
        raise invalid(problem, field="bigqueryDestination.tableUri")
    disposition = bigquery.disposition_of(read.write_disposition, force=force)
    warehouse = bigquery.Warehouse(state_of(request).storage.directory)
    warehouse.check(table.project, table.dataset, disposition, table.table)
    flattened = load_rules("transfer")["dicom_columns"]["default_schema"] == "schemaFlattened"
    return {
        "table": list(table),
        "disposition": disposition,
        "json": read.schema_json is not None or (read.schema_flattened is None and not flattened),
        "includeSource": bool(read.include_source_store),
    }


def _import(request: Request, body: dict[str, Any]) -> JSONResponse:
    check_query(request)
    store = _store(request, "import")
    read = read_transfer(ImportDicomDataRequest, body)
    if read.gcs_source is None:
        raise invalid("gcsSource is required.", field="gcsSource")
    gcs.compile_wildcards(read.gcs_source.uri, "gcsSource.uri")
    return _start(request, IMPORT_METHOD, "importDicom", {"store": store.key, "uri": read.gcs_source.uri})


def _store(request: Request, verb: str) -> Resource:
    return state_of(request).resources.store(dicom_store_name(request), f"healthcare.dicomStores.{verb}")


def _start(request: Request, method: str, kind: str, payload: Mapping[str, Any]) -> JSONResponse:
    state = state_of(request)
    dataset = state.resources.dataset(dicom_store_name(request).dataset_name, "healthcare.dicomStores.get")
    return start_operation(state, state.operations.create(dataset, method, kind, payload))


ROUTES = [
    Route(DICOM_STORE + ":export", with_body(_export), methods=["POST"]),
    Route(DICOM_STORE + ":import", with_body(_import), methods=["POST"]),
]
