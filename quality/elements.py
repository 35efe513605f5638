"""The values of elements by their path: as the bytes of a file, or as the JSON of a resource."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pydicom import dcmread
from pydicom.dataelem import RawDataElement
from pydicom.filebase import DicomBytesIO

from quality.fhir_set import leaves

if TYPE_CHECKING:
    from pydicom import Dataset

    from quality.plants import Path


class FileElements:
    """The elements of one DICOM file, undecoded.

    :param data: the file.
    """

    def __init__(self, data: bytes) -> None:
        self._dataset = dcmread(DicomBytesIO(data))
        self._values: dict[Path, bytes | None] = {}

    def value(self, path: Path) -> bytes | None:
        """Return the bytes of an element without their padding, None when it is not there."""
        if path not in self._values:
            self._values[path] = self._find(path)
        return self._values[path]

    def _find(self, path: Path) -> bytes | None:
        dataset: Dataset = self._dataset.file_meta if str(path[0]).startswith("0002") else self._dataset
        for tag, number in zip(path[:-1:2], path[1::2], strict=False):
            items = dataset.get(int(str(tag), 16))
            if items is None or items.VR != "SQ" or int(number) >= len(items.value):
                return None
            dataset = items.value[int(number)]
        tag = int(str(path[-1]), 16)
        if tag not in dataset:
            return None
        element = dataset.get_item(tag)
        value = element.value
        if not isinstance(element, RawDataElement):
            value = value if isinstance(value, bytes) else str(value).encode()
        return (value or b"").rstrip(b" \0")


class ResourceElements:
    """The values of one FHIR resource.

    :param resource: the resource.
    """

    def __init__(self, resource: dict[str, Any]) -> None:
        self._values = dict(leaves(resource))

    def value(self, path: Path) -> bytes | None:
        """Return a value as text, None when it is not there."""
        value = self._values.get(path)
        return None if value is None else str(value).encode()
