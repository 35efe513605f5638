"""``datasets.deidentify`` and ``dicomStores.deidentify``: the checks made before any work starts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

import msgspec
from starlette.routing import Route

from airflow_healthcare_deid.config import (
    DeidentifyDatasetRequest,
    DeidentifyDicomStoreRequest,
    DeidentifyFhirStoreRequest,
    load_config,
    load_request,
)
from airflow_healthcare_deid.emulator.errors import invalid
from airflow_healthcare_deid.emulator.gcs import read_gcs
from airflow_healthcare_deid.emulator.jobs.spec import Spec
from airflow_healthcare_deid.emulator.messages import check_query, parse_json, parse_name
from airflow_healthcare_deid.emulator.routes.common import (
    DATASET,
    DICOM_STORE,
    dataset_name,
    dicom_store_name,
    start_operation,
    with_body,
)
from airflow_healthcare_deid.emulator.state import state_of
from airflow_healthcare_deid.errors import ConfigError
from airflow_healthcare_deid.resource_names import DatasetName, DicomStoreName

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import JSONResponse

    from airflow_healthcare_deid.emulator.state import State
    from airflow_healthcare_deid.resource_names import FhirStoreName

    AnyRequest = TypeVar(
        "AnyRequest", DeidentifyDatasetRequest, DeidentifyDicomStoreRequest, DeidentifyFhirStoreRequest
    )

DATASET_METHOD = "google.cloud.healthcare.v1.dataset.DatasetService.DeidentifyDataset"
DICOM_METHOD = "google.cloud.healthcare.v1.deidentify.DeidentifyService.DeidentifyDicomStore"
_DICOM_PROBLEM = "airflow_healthcare_deid.emulator.jobs.deidentify_tasks:problem"
_FHIR_PROBLEM = "airflow_healthcare_deid.emulator.jobs.fhir_work:problem"


def read_request(kind: type[AnyRequest], body: dict[str, Any]) -> AnyRequest:
    """Read the body of a deidentify call with the models that the operators use.

    :raises ServiceError: 400 naming the field at fault.
    """
    try:
        return load_request(kind, body)
    except ConfigError as error:
        raise invalid(str(error), field=error.path) from None


def make_spec(
    state: State, request: DeidentifyDatasetRequest | DeidentifyDicomStoreRequest | DeidentifyFhirStoreRequest
) -> Spec:
    """Return what a job needs of a request: its configuration, given or read from Cloud Storage, and a key.

    :raises ServiceError: 400 if the configuration is invalid, can't be read, or needs a part that is not installed.
    """
    config = request.config
    if request.gcs_config_uri is not None:
        try:
            config = load_config(parse_json(read_gcs(request.gcs_config_uri, "gcsConfigUri")))
        except ConfigError as error:
            raise invalid(f"The configuration that gcsConfigUri names: {error}", field="gcsConfigUri") from None
    assert config is not None  # the models ask for one of the two
    spec = Spec.new(config)
    encoded = msgspec.json.encode(spec)
    only_fhir = isinstance(request, DeidentifyFhirStoreRequest)
    problem = None if only_fhir else state.request_workers.call(_DICOM_PROBLEM, encoded)
    if problem is None and (only_fhir or (isinstance(request, DeidentifyDatasetRequest) and config.fhir is not None)):
        problem = state.request_workers.call(_FHIR_PROBLEM, encoded, "R4")
    if problem:
        raise invalid(f"The configuration can't be carried out: {problem}", field="config")
    return spec


def check_destination(
    source: DatasetName | DicomStoreName | FhirStoreName,
    destination: DatasetName | DicomStoreName | FhirStoreName,
    field: str,
) -> None:
    """Refuse a destination that is the source (inferred), or lies in another location (discovery document)."""
    if destination == source:
        raise invalid(f"{field} is the source itself; the source is never changed.", field=field)
    if destination.location != source.location:
        raise invalid(
            f"{field} is in {destination.location} and the source in {source.location}; "
            "both must be in the same location.",
            field=field,
        )


def _deidentify_dataset(request: Request, body: dict[str, Any]) -> JSONResponse:
    check_query(request, ("destinationDataset",))
    state = state_of(request)
    source = dataset_name(request)
    dataset = state.resources.dataset(source, "healthcare.datasets.deidentify")
    # Google's Node sample sends this field in the query string.
    if "destinationDataset" in request.query_params:
        body.setdefault("destinationDataset", request.query_params["destinationDataset"])
    read = read_request(DeidentifyDatasetRequest, body)
    destination = parse_name(DatasetName.parse, read.destination_dataset or "", field="destinationDataset")
    check_destination(source, destination, "destinationDataset")
    spec = make_spec(state, read)
    with state.storage.write():  # both or neither
        target = state.resources.create(destination, {})
        payload = {"spec": msgspec.to_builtins(spec), "source": dataset.key, "destination": target.key}
        record = state.operations.create(dataset, DATASET_METHOD, "deidentifyDataset", payload)
    return start_operation(state, record)


def _deidentify_dicom_store(request: Request, body: dict[str, Any]) -> JSONResponse:
    check_query(request)
    state = state_of(request)
    name = dicom_store_name(request)
    source = state.resources.store(name, "healthcare.dicomStores.deidentify")
    read = read_request(DeidentifyDicomStoreRequest, body)
    destination = parse_name(DicomStoreName.parse, read.destination_store or "", field="destinationStore")
    check_destination(name, destination, "destinationStore")
    target = state.resources.store(destination, "healthcare.dicomStores.dicomWebWrite")
    dataset = state.resources.dataset(name.dataset_name, "healthcare.dicomStores.deidentify")
    payload = {
        "spec": msgspec.to_builtins(make_spec(state, read)),
        "source": source.key,
        "destination": target.key,
        "filter": read.filter_config.resource_paths_gcs_uri if read.filter_config else None,
    }
    return start_operation(state, state.operations.create(dataset, DICOM_METHOD, "deidentifyDicomStore", payload))


ROUTES = [
    Route(DATASET + ":deidentify", with_body(_deidentify_dataset), methods=["POST"]),
    Route(DICOM_STORE + ":deidentify", with_body(_deidentify_dicom_store), methods=["POST"]),
]
