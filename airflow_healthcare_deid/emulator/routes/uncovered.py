"""What the real service has and this emulator has not: a clean refusal instead of a puzzling 404."""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.routing import Route

from airflow_healthcare_deid.emulator.errors import unimplemented
from airflow_healthcare_deid.emulator.routes.common import DATASET, DICOM_STORE, FHIR_STORE, LOCATION
from airflow_healthcare_deid.emulator.routes.dicomweb import INSTANCE, STUDY

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

_METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE"]


def _refuse(what: str, path: str) -> Route:
    def endpoint(request: Request) -> Response:
        raise unimplemented(f"{what}: the emulator does not cover this part of the Cloud Healthcare API.")

    return Route(path, endpoint, methods=_METHODS)


ROUTES = [
    *(
        _refuse(what, f"{DATASET}/{collection}{rest}")
        for what, collection in {
            "HL7v2 stores": "hl7V2Stores",
            "Consent stores": "consentStores",
            "Data mapper workspaces": "dataMapperWorkspaces",
        }.items()
        for rest in ("", "/{rest:path}")
    ),
    _refuse("The natural language service", LOCATION + "/services/nlp:analyzeEntities"),
    _refuse("Storage classes", DICOM_STORE + ":setBlobStorageSettings"),
    _refuse("Storage classes", STUDY + ":setBlobStorageSettings"),
    _refuse("Storage classes", INSTANCE + ":getStorageInfo"),
    *(
        _refuse(f"fhirStores.{method}", f"{FHIR_STORE}:{method}")
        for method in ("applyAdminConsents", "applyConsents", "bulkDelete", "explainDataAccess", "rollback")
    ),
    _refuse("The status of a bulk $export", FHIR_STORE + "/operations/{operation}"),
]
