"""``projects.locations.datasets.fhirStores``: what they are made of, and what they hold."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import msgspec

from airflow_healthcare_deid.emulator.errors import invalid
from airflow_healthcare_deid.emulator.fhir.versions import FhirVersion
from airflow_healthcare_deid.emulator.routes.common import FHIR_STORE
from airflow_healthcare_deid.emulator.routes.stores import StoreKind
from airflow_healthcare_deid.emulator.state import state_of
from airflow_healthcare_deid.resource_names import FhirStoreName

if TYPE_CHECKING:
    from starlette.requests import Request

    from airflow_healthcare_deid.emulator.resources import Resource


class FhirStoreMessage(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename="camel"):
    """``FhirStore``; notifications, streams, consent, validation and bulk export are kept, without effect."""

    name: str | None = None
    version: Literal["VERSION_UNSPECIFIED", "DSTU2", "STU3", "R4", "R5"] | None = None
    labels: dict[str, str] | None = None
    enable_update_create: bool | None = None
    disable_referential_integrity: bool | None = None
    disable_resource_versioning: bool | None = None
    default_search_handling_strict: bool | None = None
    complex_data_type_reference_parsing: (
        Literal["COMPLEX_DATA_TYPE_REFERENCE_PARSING_UNSPECIFIED", "DISABLED", "ENABLED"] | None
    ) = None
    bulk_export_gcs_destination: dict[str, Any] | None = None
    consent_config: dict[str, Any] | None = None
    notification_config: dict[str, Any] | None = None
    notification_configs: list[dict[str, Any]] | None = None
    stream_configs: list[dict[str, Any]] | None = None
    validation_config: dict[str, Any] | None = None


_MUTABLE = (
    "labels",
    "enableUpdateCreate",
    "defaultSearchHandlingStrict",
    "complexDataTypeReferenceParsing",
    "bulkExportGcsDestination",
    "consentConfig",
    "notificationConfig",
    "notificationConfigs",
    "streamConfigs",
    "validationConfig",
)


def _check_new(body: dict[str, Any]) -> None:
    if body.get("version") not in tuple(FhirVersion):
        raise invalid("version is required: DSTU2, STU3, R4 or R5.", field="fhirStore.version")


def _metrics(request: Request, store: Resource) -> dict[str, Any]:
    metrics = [
        {
            "resourceType": metric.type,
            "count": str(metric.count),
            "structuredStorageSizeBytes": str(metric.size),
            "versionedStorageSizeBytes": str(metric.versioned_size),
        }
        for metric in state_of(request).fhir.metrics(store.key)
    ]
    return {"metrics": metrics} if metrics else {}


ROUTES = StoreKind(
    parse=FhirStoreName.parse,
    collection="fhirStores",
    path=FHIR_STORE,
    message=FhirStoreMessage,
    mutable=_MUTABLE,
    metrics=_metrics,
    metrics_verb="getFHIRStoreMetrics",
    check_new=_check_new,
).routes()
