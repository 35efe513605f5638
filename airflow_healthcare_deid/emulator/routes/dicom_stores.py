"""``projects.locations.datasets.dicomStores``: what they are made of, and what they hold."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from airflow_healthcare_deid.emulator.routes.common import DICOM_STORE
from airflow_healthcare_deid.emulator.routes.stores import StoreKind
from airflow_healthcare_deid.emulator.state import state_of
from airflow_healthcare_deid.resource_names import DicomStoreName

if TYPE_CHECKING:
    from starlette.requests import Request

    from airflow_healthcare_deid.emulator.resources import Resource


class DicomNotificationConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename="camel"):
    """``NotificationConfig``: taken and shown, without effect."""

    pubsub_topic: str | None = None
    send_for_bulk_import: bool | None = None


class DicomStore(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename="camel"):
    """``DicomStore``; notifications and streams are taken and shown, without effect."""

    name: str | None = None
    labels: dict[str, str] | None = None
    notification_config: DicomNotificationConfig | None = None
    notification_configs: list[dict[str, Any]] | None = None
    stream_configs: list[dict[str, Any]] | None = None


def _metrics(request: Request, store: Resource) -> dict[str, Any]:
    size = state_of(request).instances.size(store.key)
    return {
        "studyCount": str(size.studies),
        "seriesCount": str(size.series),
        "instanceCount": str(size.instances),
        "structuredStorageSizeBytes": str(size.header_bytes),
        "blobStorageSizeBytes": str(size.pixel_bytes),
    }


ROUTES = StoreKind(
    parse=DicomStoreName.parse,
    collection="dicomStores",
    path=DICOM_STORE,
    message=DicomStore,
    mutable=("labels", "notificationConfig", "notificationConfigs", "streamConfigs"),
    metrics=_metrics,
    metrics_verb="getDICOMStoreMetrics",
).routes()
