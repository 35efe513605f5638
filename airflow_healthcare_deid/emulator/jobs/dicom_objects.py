"""What ``dicomStores.export`` writes to Cloud Storage: names and formats.

Layout and media types: discovery document, ``GoogleCloudHealthcareV1DicomGcsDestination.mimeType``.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import msgspec

from airflow_healthcare_deid.emulator.errors import invalid

if TYPE_CHECKING:
    from airflow_healthcare_deid.emulator.instances import InstanceRecord

EXPLICIT_LITTLE_ENDIAN = "1.2.840.10008.1.2.1"
AS_STORED = "*"

_DICOM_SYNTAXES = frozenset(
    {"*", "1.2.840.10008.1.2", EXPLICIT_LITTLE_ENDIAN, "1.2.840.10008.1.2.1.99", "1.2.840.10008.1.2.5",
     "1.2.840.10008.1.2.8.1"}
    | {f"1.2.840.10008.1.2.4.{number}" for number in (50, 51, 57, 70, 80, 81, 90, 91, 110, 111, 112, 201, 202, 203)}
)  # fmt: skip
_SYNTAXES: dict[str, frozenset[str]] = {
    "application/dicom": _DICOM_SYNTAXES,
    "application/octet-stream": frozenset({AS_STORED, EXPLICIT_LITTLE_ENDIAN}),
    "image/jpeg": frozenset({"1.2.840.10008.1.2.4.50"}),
    "image/png": frozenset({""}),
}
# What is meant without the parameter (inferred, but for application/dicom: the original format).
_DEFAULTS = {"application/dicom": "*", "application/octet-stream": "*", "image/jpeg": "1.2.840.10008.1.2.4.50"}
_EXTENSIONS = {
    "application/dicom": ".dcm",
    "application/octet-stream": "",
    "image/jpeg": ".jpg",
    "image/png": ".png",
}
_MEDIA_TYPE = re.compile(r'\s*([\w/-]+)\s*(?:;\s*transfer-syntax\s*=\s*"?([0-9.*]*)"?\s*)?')


class ExportFormat(msgspec.Struct, frozen=True):
    """A checked ``mimeType``.

    :param media_type: such as ``application/dicom``.
    :param transfer_syntax: its UID, ``*`` for the stored one, empty where the media type has none.
    """

    media_type: str
    transfer_syntax: str

    @property
    def by_frame(self) -> bool:
        """Whether each frame is an object of its own."""
        return self.media_type != "application/dicom"

    def object_name(self, instance: str, frame: int | None = None) -> str:
        """Return ``{instance}[/{frame}].{extension}``.

        :param instance: ``{study}/{series}/{instance}``, below whatever prefix.
        :param frame: number of the frame, counted from 1, where the instance has several.
        """
        path = instance if frame is None else f"{instance}/{frame}"
        return path + _EXTENSIONS[self.media_type]


ORIGINAL = ExportFormat("application/dicom", AS_STORED)
"""What an export without ``mimeType`` writes."""


def parse_mime_type(text: str | None, field: str) -> ExportFormat:
    """Read ``mimeType``.

    :param field: the request's field, for the error.
    :raises ServiceError: 400 if it is none of those that the service documents.
    """
    if not text:
        return ORIGINAL
    match = _MEDIA_TYPE.fullmatch(text)
    media_type = match.group(1).lower() if match else ""
    if match is None or media_type not in _SYNTAXES:
        raise invalid(f"mimeType must be one of: {', '.join(_SYNTAXES)}.", field=field)
    syntax = match.group(2) or _DEFAULTS.get(media_type, "")
    if syntax not in _SYNTAXES[media_type]:
        raise invalid(f"mimeType {media_type} can't be exported with this transfer-syntax.", field=field)
    return ExportFormat(media_type, syntax)


def frame_count(record: InstanceRecord) -> int:
    """Return the number of frames of an instance."""
    value = record.attributes.get("00280008", {}).get("Value", [1])
    try:
        return max(1, int(value[0]))
    except (TypeError, ValueError, IndexError):
        return 1
