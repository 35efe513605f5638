"""What a validation reads of a side: the least that the API offers on the emulator and on the service alike."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Protocol

import msgspec

DicomJson = Mapping[str, Mapping[str, Any]]
"""One instance in the DICOM JSON model (PS3.18 Annex F): eight hex digits to ``{"vr": …, "Value": […]}``."""

FhirJson = Mapping[str, Any]
"""One FHIR resource."""


class DicomCounts(msgspec.Struct, frozen=True):
    """How much a DICOM store holds."""

    studies: int
    series: int
    instances: int


class Side(Protocol):
    """A dataset, or a part of one, to read from. Stores are given by their ids."""

    def dicom_stores(self) -> Iterable[str]:
        """Ids of the DICOM stores."""

    def fhir_stores(self) -> Iterable[str]:
        """Ids of the FHIR stores."""

    def dicom_counts(self, store: str) -> DicomCounts:
        """How much a DICOM store holds."""

    def fhir_counts(self, store: str) -> Mapping[str, int]:
        """How many resources of each type a FHIR store holds."""

    def studies(self, store: str) -> Iterable[str]:
        """StudyInstanceUIDs of a DICOM store."""

    def study_metadata(self, store: str, study: str) -> Iterable[DicomJson]:
        """The instances of one study, without bulk data."""

    def pixel_digest(self, store: str, instance: DicomJson, *, decoded: bool) -> str | None:
        """A digest of the instance's frames, as stored or as decoded; None if they cannot be had."""

    def patient_ids(self, store: str) -> Iterable[str]:
        """Ids of the Patient resources of a FHIR store."""

    def compartment(self, store: str, patient_id: str) -> Iterator[FhirJson]:
        """A Patient resource and what belongs to it; nothing if there is none. Ids are the same on both sides."""
