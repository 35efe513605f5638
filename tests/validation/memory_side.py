"""A side held in memory: DICOM JSON made by pydicom, FHIR as written."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from pydicom.dataset import Dataset

from airflow_healthcare_deid.uids import derive_uid
from airflow_healthcare_deid.validation.sides import DicomCounts, DicomJson, FhirJson

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping


class MemorySide:
    """A dataset in memory.

    :param dicom: instances by store.
    :param fhir: resources by store.
    """

    def __init__(
        self, dicom: Mapping[str, list[Dataset]] | None = None, fhir: Mapping[str, list[dict[str, Any]]] | None = None
    ) -> None:
        self.dicom = dict(dicom or {})
        self.fhir = dict(fhir or {})

    def dicom_stores(self) -> list[str]:
        return list(self.dicom)

    def fhir_stores(self) -> list[str]:
        return list(self.fhir)

    def dicom_counts(self, store: str) -> DicomCounts:
        instances = self.dicom[store]
        return DicomCounts(
            len({i.StudyInstanceUID for i in instances}), len({i.SeriesInstanceUID for i in instances}), len(instances)
        )

    def fhir_counts(self, store: str) -> Mapping[str, int]:
        return Counter(body["resourceType"] for body in self.fhir[store])

    def studies(self, store: str) -> list[str]:
        return sorted({str(i.StudyInstanceUID) for i in self.dicom[store]})

    def study_metadata(self, store: str, study: str) -> list[DicomJson]:
        return [i.to_json_dict() for i in self.dicom[store] if i.StudyInstanceUID == study]

    def pixel_digest(self, store: str, instance: DicomJson, *, decoded: bool) -> str | None:
        return str(instance.get("7FE00010"))

    def patient_ids(self, store: str) -> list[str]:
        return [body["id"] for body in self.fhir[store] if body["resourceType"] == "Patient"]

    def compartment(self, store: str, patient_id: str) -> Iterator[FhirJson]:
        for body in self.fhir[store]:
            own = body["resourceType"] == "Patient" and body["id"] == patient_id
            if own or body.get("subject", {}).get("reference") == f"Patient/{patient_id}":
                yield body


def instance(study: str, series: str, number: int, patient: str = "Whitcombe^Arabella") -> Dataset:
    """A small CT instance with identifiers at the top level and in a sequence."""
    ds = Dataset()
    ds.SOPClassUID = "1.2.840.10008.5.1.4.1.1.2"
    ds.StudyInstanceUID, ds.SeriesInstanceUID, ds.SOPInstanceUID = study, series, f"{series}.{number}"
    ds.PatientName, ds.PatientID, ds.PatientBirthDate = patient, f"MRN-{hash_of(patient)}", "19701205"
    ds.AccessionNumber, ds.StudyDate, ds.SeriesDate = "ACC-555123", "20240102", "20240103"
    ds.Modality, ds.InstanceNumber, ds.InstitutionAddress = "CT", number, "1 Elm Road"
    ds.Rows, ds.Columns, ds.BitsAllocated = 2, 2, 8
    ds.PixelData = bytes([number, 1, 2, 3])
    ds["PixelData"].VR = "OB"
    other = Dataset()
    other.ReferencedSOPInstanceUID = f"{series}.1"
    other.PatientComments = "none"
    ds.ReferencedImageSequence = [other]
    return ds


def hash_of(name: str) -> int:
    """A stable number for a name."""
    return sum(map(ord, name)) + 10_000


def deidentified(source: Dataset) -> Dataset:
    """What the Basic Profile leaves of :func:`instance`."""
    ds = Dataset.from_json(source.to_json_dict())
    for tag in ("StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID"):
        setattr(ds, tag, derive_uid(str(source[tag].value)))
    ds.PatientName = ds.PatientID = ds.PatientBirthDate = ds.AccessionNumber = ds.StudyDate = ""
    del ds.SeriesDate, ds.InstitutionAddress
    item = ds.ReferencedImageSequence[0]
    item.ReferencedSOPInstanceUID = derive_uid(str(source.ReferencedImageSequence[0].ReferencedSOPInstanceUID))
    del item.PatientComments
    return ds
