"""One side of a validation, read through the API."""

from __future__ import annotations

from typing import TYPE_CHECKING

from airflow_healthcare_deid.hooks.dicomweb import DicomWeb
from airflow_healthcare_deid.hooks.fhir import FhirReader
from airflow_healthcare_deid.resource_names import DatasetName, DicomStoreName
from airflow_healthcare_deid.validation.dicom_json import (
    SERIES_INSTANCE_UID,
    SOP_INSTANCE_UID,
    STUDY_INSTANCE_UID,
    text,
)
from airflow_healthcare_deid.validation.sides import DicomCounts

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping

    from airflow_healthcare_deid.hooks.healthcare import HealthcareHook
    from airflow_healthcare_deid.resource_names import FhirStoreName
    from airflow_healthcare_deid.validation.sides import DicomJson, FhirJson

_NUMBER_OF_FRAMES = "00280008"


class ApiSide:
    """A dataset, or one store of it, behind the API; implements :class:`~..validation.sides.Side`.

    :param hook: calls the service.
    :param name: the dataset or store.
    :param label: what a single store is called in the report, so that both sides have one name for it.
    :param studies: the StudyInstanceUIDs that count; default: all.
    """

    def __init__(
        self,
        hook: HealthcareHook,
        name: DatasetName | DicomStoreName | FhirStoreName,
        *,
        label: str = "",
        studies: Collection[str] | None = None,
    ) -> None:
        self._hook = hook
        self._dicom: dict[str, DicomStoreName] = {}
        self._fhir: dict[str, FhirStoreName] = {}
        if isinstance(name, DatasetName):
            self._dicom = {store.dicom_store: store for store in hook.list_dicom_stores(name)}
            self._fhir = {store.fhir_store: store for store in hook.list_fhir_stores(name)}
        elif isinstance(name, DicomStoreName):
            self._dicom = {label or name.dicom_store: name}
        else:
            self._fhir = {label or name.fhir_store: name}
        self._studies = studies

    def leave_out_r5(self) -> list[str]:
        """Leave out the FHIR stores of version R5, which the service skips, and return their ids."""
        skipped = [
            label for label, store in self._fhir.items() if self._hook.get_resource(store).get("version") == "R5"
        ]
        for label in skipped:
            del self._fhir[label]
        return skipped

    def dicom_stores(self) -> Iterable[str]:
        """Ids of the DICOM stores."""
        return self._dicom

    def fhir_stores(self) -> Iterable[str]:
        """Ids of the FHIR stores."""
        return self._fhir

    def dicom_counts(self, store: str) -> DicomCounts:
        """How much a DICOM store holds."""
        metrics = self._hook.get_store_metrics(self._dicom[store])
        return DicomCounts(*(int(metrics.get(key, 0)) for key in ("studyCount", "seriesCount", "instanceCount")))

    def fhir_counts(self, store: str) -> Mapping[str, int]:
        """How many resources of each type a FHIR store holds."""
        metrics = self._hook.get_store_metrics(self._fhir[store]).get("metrics", ())
        return {metric["resourceType"]: int(metric.get("count", 0)) for metric in metrics}

    def studies(self, store: str) -> Iterator[str]:
        """StudyInstanceUIDs of a DICOM store, those that count."""
        found = DicomWeb(self._hook, self._dicom[store]).search_studies()
        return (study for study in found if self._studies is None or study in self._studies)

    def study_metadata(self, store: str, study: str) -> Iterable[DicomJson]:
        """The instances of one study, without bulk data."""
        return DicomWeb(self._hook, self._dicom[store]).metadata(study)

    def pixel_digest(self, store: str, instance: DicomJson, *, decoded: bool) -> str | None:
        """A digest of the instance's frames."""
        frames = text(instance, _NUMBER_OF_FRAMES)
        study, series, sop = (
            text(instance, tag) for tag in (STUDY_INSTANCE_UID, SERIES_INSTANCE_UID, SOP_INSTANCE_UID)
        )
        reader = DicomWeb(self._hook, self._dicom[store])
        return reader.frames_digest(study, series, sop, int(frames) if frames.isdigit() else 1, decoded=decoded)

    def patient_ids(self, store: str) -> Iterator[str]:
        """Ids of the Patient resources of a FHIR store."""
        return FhirReader(self._hook, self._fhir[store]).patient_ids()

    def compartment(self, store: str, patient_id: str) -> Iterator[FhirJson]:
        """A Patient resource and what belongs to it."""
        return FhirReader(self._hook, self._fhir[store]).everything(patient_id)
