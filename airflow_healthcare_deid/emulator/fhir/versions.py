"""FHIR versions of a store, and the resource types each of them has."""

from __future__ import annotations

import functools
from enum import StrEnum
from typing import TYPE_CHECKING, cast

from airflow_healthcare_deid.engine.fhir.model import fhir_model

if TYPE_CHECKING:
    from airflow_healthcare_deid.engine.fhir.model import FhirModel, Version

# Abstract types of R5, and the one type that is never stored.
_NOT_STORED = frozenset({"CanonicalResource", "DomainResource", "MetadataResource", "Parameters", "Resource"})


class FhirVersion(StrEnum):
    """``FhirStore.version`` of the discovery document."""

    DSTU2 = "DSTU2"
    STU3 = "STU3"
    R4 = "R4"
    R5 = "R5"

    @property
    def number(self) -> str:
        """The ``fhirVersion`` of the capability statement."""
        return _NUMBERS[self]

    @property
    def model(self) -> FhirModel:
        """The elements of this version. The tables have R5, though the engine refuses to de-identify it."""
        return fhir_model(cast("Version", self.value))


_NUMBERS = {
    FhirVersion.DSTU2: "1.0.2",
    FhirVersion.STU3: "3.0.1",
    FhirVersion.R4: "4.0.1",
    FhirVersion.R5: "5.0.0",
}


@functools.cache
def resource_types(version: FhirVersion) -> frozenset[str]:
    """Return the names of all resource types that a store of a version can hold."""
    return version.model.resource_types - _NOT_STORED
