"""Names of the Cloud Healthcare API's resources: parse, format, validate.

Rules: the Cloud Healthcare API's discovery document (``datasetId``, ``dicomStoreId``, ``fhirStoreId``) and Google's
resource-name scheme, https://cloud.google.com/healthcare-api/docs/reference/rest/v1/projects.locations.datasets.
"""

from __future__ import annotations

import re
from typing import ClassVar, Self

import msgspec

from airflow_healthcare_deid.errors import InvalidResourceNameError

# A project is an id, a number, or the legacy "domain.com:id".
_PROJECT = re.compile(r"(?:[a-z0-9.-]+:)?[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?")
_LOCATION = re.compile(r"[a-z][a-z0-9-]{0,62}")
_ID = re.compile(r"[\w.-]{1,256}")
_OPERATION = re.compile(r"[\w-]{1,256}")
# The service allows any string; what would break out of a URL path, or cannot be encoded, is refused here.
_DICOM_STORE = re.compile(r"[^/:?#%\s\x00-\x1f\x7f-\x9f\ud800-\udfff]{1,256}")

_ALONE = "Give the full name, with nothing before or after it"
_RULES: dict[str, tuple[re.Pattern[str], str]] = {
    "projects": (_PROJECT, "a project id or number: lower-case letters, digits and hyphens"),
    "locations": (_LOCATION, "a location such as us-central1"),
    "datasets": (_ID, "1 to 256 letters, digits, '_', '-' or '.'"),
    "dicomStores": (_DICOM_STORE, "1 to 256 characters without white space, '/', ':', '?', '#' or '%'"),
    "fhirStores": (_ID, "1 to 256 letters, digits, '_', '-' or '.'"),
    "operations": (_OPERATION, "1 to 256 letters, digits, '_' or '-'"),
}


class _ResourceName(msgspec.Struct, frozen=True, order=True):
    """Shared behaviour: a name is its parts, and its parts are checked whichever way it is made."""

    _collections: ClassVar[tuple[str, ...]]

    def __post_init__(self) -> None:
        for collection, value in zip(self._collections, msgspec.structs.astuple(self), strict=True):
            pattern, rule = _RULES[collection]
            if not isinstance(value, str) or not pattern.fullmatch(value) or value in (".", ".."):
                raise InvalidResourceNameError(self._form(), f"{value!r} is no valid id in {collection}", f"Use {rule}")

    @classmethod
    def _form(cls) -> str:
        return "/".join(f"{name}/{name[0].upper()}" for name in cls._collections)

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read a full resource name.

        :param text: the name, for example ``projects/P/locations/L/datasets/D``.
        :raises InvalidResourceNameError: if it has another form, or a part breaks the service's rules.
        """
        parts = text.split("/") if isinstance(text, str) else []
        if tuple(parts[::2]) != cls._collections or len(parts) != 2 * len(cls._collections):
            raise InvalidResourceNameError(cls._form(), f"{text!r} is not a name of this form", _ALONE)
        return cls(*parts[1::2])

    def __str__(self) -> str:
        return "/".join(
            f"{name}/{value}" for name, value in zip(self._collections, msgspec.structs.astuple(self), strict=True)
        )


class DatasetName(_ResourceName, frozen=True, order=True):
    """``projects/P/locations/L/datasets/D``."""

    _collections: ClassVar[tuple[str, ...]] = ("projects", "locations", "datasets")

    project: str
    location: str
    dataset: str

    @property
    def location_name(self) -> str:
        """``projects/P/locations/L``, the parent of the dataset."""
        return f"projects/{self.project}/locations/{self.location}"

    def dicom_store(self, dicom_store: str) -> DicomStoreName:
        """Return the name of a DICOM store of this dataset."""
        return DicomStoreName(self.project, self.location, self.dataset, dicom_store)

    def fhir_store(self, fhir_store: str) -> FhirStoreName:
        """Return the name of a FHIR store of this dataset."""
        return FhirStoreName(self.project, self.location, self.dataset, fhir_store)

    def operation(self, operation: str) -> OperationName:
        """Return the name of an operation of this dataset."""
        return OperationName(self.project, self.location, self.dataset, operation)


class _InDataset(_ResourceName, frozen=True, order=True):
    project: str
    location: str
    dataset: str

    @property
    def dataset_name(self) -> DatasetName:
        """The dataset this resource lives in."""
        return DatasetName(self.project, self.location, self.dataset)


class DicomStoreName(_InDataset, frozen=True, order=True):
    """``projects/P/locations/L/datasets/D/dicomStores/S``."""

    _collections: ClassVar[tuple[str, ...]] = ("projects", "locations", "datasets", "dicomStores")

    dicom_store: str


class FhirStoreName(_InDataset, frozen=True, order=True):
    """``projects/P/locations/L/datasets/D/fhirStores/S``."""

    _collections: ClassVar[tuple[str, ...]] = ("projects", "locations", "datasets", "fhirStores")

    fhir_store: str


class OperationName(_InDataset, frozen=True, order=True):
    """``projects/P/locations/L/datasets/D/operations/O``; an operation lives under the dataset it reads."""

    _collections: ClassVar[tuple[str, ...]] = ("projects", "locations", "datasets", "operations")

    operation: str
