"""``fhirStores.deidentify``, ``:export`` and ``:import``: the checks made before any work starts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
from starlette.routing import Route

from airflow_healthcare_deid.config import DeidentifyFhirStoreRequest
from airflow_healthcare_deid.config.transfer import (
    ExportResourcesRequest,
    FhirBigQueryDestination,
    ImportResourcesRequest,
)
from airflow_healthcare_deid.emulator import bigquery, gcs
from airflow_healthcare_deid.emulator.errors import invalid
from airflow_healthcare_deid.emulator.fhir.dates import parse_instant
from airflow_healthcare_deid.emulator.fhir.repository import micros
from airflow_healthcare_deid.emulator.fhir.versions import FhirVersion, resource_types
from airflow_healthcare_deid.emulator.jobs.deidentify_fhir import DEIDENTIFIED_VERSIONS, WORK, Selection
from airflow_healthcare_deid.emulator.jobs.fhir_rows import DEFAULT_DEPTH
from airflow_healthcare_deid.emulator.messages import check_query, parse_name
from airflow_healthcare_deid.emulator.routes.common import FHIR_STORE, start_operation, store_name, with_body
from airflow_healthcare_deid.emulator.routes.deidentify import check_destination, make_spec, read_request
from airflow_healthcare_deid.emulator.routes.transfer import read_transfer, take_force
from airflow_healthcare_deid.emulator.state import state_of
from airflow_healthcare_deid.resource_names import FhirStoreName

if TYPE_CHECKING:
    from collections.abc import Mapping

    from starlette.requests import Request
    from starlette.responses import JSONResponse

    from airflow_healthcare_deid.emulator.resources import Resource

DEIDENTIFY_METHOD = "google.cloud.healthcare.v1.deidentify.DeidentifyService.DeidentifyFhirStore"
# Inferred from the service of the other FHIR store methods.
EXPORT_METHOD = "google.cloud.healthcare.v1.fhir.FhirStoreService.ExportResources"
IMPORT_METHOD = "google.cloud.healthcare.v1.fhir.FhirStoreService.ImportResources"


def _deidentify(request: Request, body: dict[str, Any]) -> JSONResponse:
    check_query(request)
    state = state_of(request)
    source, read = _store(request, "deidentify"), read_request(DeidentifyFhirStoreRequest, body)
    destination = parse_name(FhirStoreName.parse, read.destination_store or "", field="destinationStore")
    check_destination(FhirStoreName.parse(source.name), destination, "destinationStore")
    target = state.resources.store(destination, "healthcare.fhirResources.update")
    version = source.body["version"]
    if version not in DEIDENTIFIED_VERSIONS:
        raise invalid(f"{version} stores can't be de-identified; DSTU2, STU3 and R4 stores can.", field="sourceStore")
    if target.body["version"] != version:
        problem = f"destinationStore has FHIR version {target.body['version']} and the source {version}."
        raise invalid(problem, field="destinationStore")
    wanted = read.resource_filter.resources if read.resource_filter else None
    spec = make_spec(state, read)
    problem = state.request_workers.call(f"{WORK}:problem", msgspec.json.encode(spec), version)
    if problem:
        raise invalid(f"The configuration can't be carried out: {problem}", field="config")
    until = micros(state.clock()) if read.skip_modified_resources else None
    payload = {
        "spec": msgspec.to_builtins(spec),
        "source": source.key,
        "destination": target.key,
        # An empty list means everything, like none at all (discovery document).
        "selection": msgspec.to_builtins(Selection((wanted.resources or None) if wanted else None, until)),
    }
    return _start(request, DEIDENTIFY_METHOD, "deidentifyFhirStore", payload)


def _export(request: Request, body: dict[str, Any]) -> JSONResponse:
    check_query(request)
    source = _store(request, "export")
    force = take_force(body)
    read = read_transfer(ExportResourcesRequest, body)
    types = list(dict.fromkeys(read.type.split(","))) if read.type else []
    if not resource_types(FhirVersion(source.body["version"])).issuperset(types):
        raise invalid("_type names a resource type that the store's FHIR version does not have.", field="_type")
    since = parse_instant(read.since) if read.since else None
    if read.since and since is None:
        raise invalid("_since is no valid time.", field="_since")
    payload = {
        "store": source.key,
        "types": types,
        "since": micros(since) if since else -1,
    }
    if read.gcs_destination is not None:
        prefix = read.gcs_destination.uri_prefix
        gcs.parse_location(prefix, "gcsDestination.uriPrefix", prefix=True)
        return _start(request, EXPORT_METHOD, "exportFhirToStorage", {**payload, "prefix": prefix})
    if read.bigquery_destination is not None:
        payload.update(_bigquery(request, read.bigquery_destination, force=force))
        return _start(request, EXPORT_METHOD, "exportFhirToBigQuery", payload)
    raise invalid("One of gcsDestination and bigqueryDestination is required.", field="destination")


def _bigquery(request: Request, read: FhirBigQueryDestination, *, force: bool) -> dict[str, Any]:
    schema = read.schema_config
    if schema is None:
        raise invalid("schemaConfig is required, with a schemaType.", field="bigqueryDestination.schemaConfig")
    project, dataset = bigquery.parse_dataset_uri(read.dataset_uri, "bigqueryDestination.datasetUri")
    disposition = bigquery.disposition_of(read.write_disposition, force=force)
    bigquery.Warehouse(state_of(request).storage.directory).check(project, dataset, disposition)
    partition = schema.last_updated_partition_config
    return {
        "dataset": [project, dataset],
        "disposition": disposition,
        "schemaType": schema.schema_type,
        "depth": schema.recursive_structure_depth or DEFAULT_DEPTH,
        "partition": {"field": "meta.lastUpdated", "type": partition.type, "expirationMs": partition.expiration_ms}
        if partition
        else None,
    }


def _import(request: Request, body: dict[str, Any]) -> JSONResponse:
    check_query(request)
    store = _store(request, "import")
    read = read_transfer(ImportResourcesRequest, body)
    if read.gcs_source is None:
        raise invalid("gcsSource is required.", field="gcsSource")
    gcs.compile_wildcards(read.gcs_source.uri, "gcsSource.uri")
    payload = {
        "store": store.key,
        "uri": read.gcs_source.uri,
        "structure": read.content_structure or "BUNDLE",
    }
    return _start(request, IMPORT_METHOD, "importFhir", payload)


def _store(request: Request, verb: str) -> Resource:
    return state_of(request).resources.store(store_name(request), f"healthcare.fhirStores.{verb}")


def _start(request: Request, method: str, kind: str, payload: Mapping[str, Any]) -> JSONResponse:
    state = state_of(request)
    dataset = state.resources.dataset(store_name(request).dataset_name, "healthcare.fhirStores.get")
    return start_operation(state, state.operations.create(dataset, method, kind, payload))


ROUTES = [
    Route(FHIR_STORE + ":deidentify", with_body(_deidentify), methods=["POST"]),
    Route(FHIR_STORE + ":export", with_body(_export), methods=["POST"]),
    Route(FHIR_STORE + ":import", with_body(_import), methods=["POST"]),
]
