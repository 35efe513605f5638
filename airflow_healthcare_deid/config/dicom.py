"""DICOM instances: ``DicomConfig`` and ``DicomFilterConfig`` of the discovery document."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

from airflow_healthcare_deid.config.gcs import parse_gcs_uri
from airflow_healthcare_deid.config.message import Message, at_most_one
from airflow_healthcare_deid.config.tags import check_tag, parse_tag, tag_keyword
from airflow_healthcare_deid.errors import ConfigError

if TYPE_CHECKING:
    from airflow_healthcare_deid.config.message import Report

ALWAYS_KEPT_TAGS = frozenset(
    {
        0x00020002,  # MediaStorageSOPClassUID
        0x00020003,  # MediaStorageSOPInstanceUID
        0x00020010,  # TransferSyntaxUID
        0x00080018,  # SOPInstanceUID
        0x0020000D,  # StudyInstanceUID
        0x0020000E,  # SeriesInstanceUID
        0x00280002,  # SamplesPerPixel
        0x00280004,  # PhotometricInterpretation
        0x00280006,  # PlanarConfiguration
        0x00280008,  # NumberOfFrames
        0x00280010,  # Rows
        0x00280011,  # Columns
        0x00280034,  # PixelAspectRatio
        0x00280100,  # BitsAllocated
        0x00280101,  # BitsStored
        0x00280102,  # HighBit
        0x00280103,  # PixelRepresentation
        0x00280106,  # SmallestImagePixelValue
        0x00280107,  # LargestImagePixelValue
        0x00281050,  # WindowCenter
        0x00281051,  # WindowWidth
        0x00281056,  # VOILUTFunction
        0x00281101,  # RedPaletteColorLookupTableDescriptor
        0x00281102,  # GreenPaletteColorLookupTableDescriptor
        0x00281103,  # BluePaletteColorLookupTableDescriptor
        0x00281201,  # RedPaletteColorLookupTableData
        0x00281202,  # GreenPaletteColorLookupTableData
        0x00281203,  # BluePaletteColorLookupTableData
        0x00282000,  # ICCProfile
        0x00282002,  # ColorSpace
        0x7FE00010,  # PixelData
    }
)
"""Tags that the service adds to every keep list, so that a remove list cannot name them. Inferred: Google documents
that there are such tags, in "De-identifying DICOM data"; the list itself is not confirmed."""


class TagFilterProfile(StrEnum):
    """Which tags to keep or remove."""

    TAG_FILTER_PROFILE_UNSPECIFIED = "TAG_FILTER_PROFILE_UNSPECIFIED"
    """Same as ``KEEP_ALL_PROFILE``."""
    MINIMAL_KEEP_LIST_PROFILE = "MINIMAL_KEEP_LIST_PROFILE"
    """Only what valid DICOM requires."""
    ATTRIBUTE_CONFIDENTIALITY_BASIC_PROFILE = "ATTRIBUTE_CONFIDENTIALITY_BASIC_PROFILE"
    """DICOM PS3.15 2018e, annex E, Basic Profile."""
    KEEP_ALL_PROFILE = "KEEP_ALL_PROFILE"
    DEIDENTIFY_TAG_CONTENTS = "DEIDENTIFY_TAG_CONTENTS"
    """Inspect the contents of AE, LO, LT, PN, SH, ST, UC, UT, DA, DT and AS, as ``TextConfig`` says."""


class TagFilterList(Message, frozen=True, kw_only=True):
    """A list of tags.

    :param tags: keywords such as ``PatientID``, or hexadecimal as ``00100010``, ``0010,0010`` or ``(0010,0010)``.
    """

    tags: list[str] | None = None

    def check(self, report: Report) -> None:
        for number, tag in enumerate(self.tags or ()):
            try:
                check_tag(tag)
            except ConfigError as error:
                report(f"tags[{number}]", error.problem, error.way_out)


class DicomConfig(Message, frozen=True, kw_only=True):
    """How to treat DICOM tags; at most one of the first three.

    :param filter_profile: a ready-made choice of tags; default: keep all.
    :param keep_list: tags to keep; all others go, but for those that valid DICOM requires.
    :param remove_list: tags to remove; all others stay.
    :param skip_id_redaction: keep StudyInstanceUID, SeriesInstanceUID, SOPInstanceUID and MediaStorageSOPInstanceUID
        instead of regenerating them; default false.
    """

    filter_profile: TagFilterProfile | None = None
    keep_list: TagFilterList | None = None
    remove_list: TagFilterList | None = None
    skip_id_redaction: bool | None = None

    def check(self, report: Report) -> None:
        at_most_one(self, report, "filter_profile", "keep_list", "remove_list")
        if self.remove_list is None:
            return
        if not self.remove_list.tags:
            report("removeList", "names no tag, so nothing would be removed", "List tags, or use KEEP_ALL_PROFILE")
        for number, text in enumerate(self.remove_list.tags or ()):
            tag = parse_tag(text)
            if tag in ALWAYS_KEPT_TAGS:
                report(
                    f"removeList.tags[{number}]",
                    f"{tag_keyword(tag)} is a tag that the service always keeps (inferred, not confirmed by Google)",
                    "Drop it from the list; give the config as gcsConfigUri to send it all the same",
                )


class DicomFilterConfig(Message, frozen=True, kw_only=True):
    """Which DICOM instances to de-identify.

    :param resource_paths_gcs_uri: ``gs://bucket/path/to/object`` of a file with one
        ``/studies/{uid}[/series/{uid}[/instances/{uid}]]`` a line; default: all.
    """

    resource_paths_gcs_uri: str | None = None

    def check(self, report: Report) -> None:
        if self.resource_paths_gcs_uri is not None:
            try:
                parse_gcs_uri(self.resource_paths_gcs_uri)
            except ConfigError as error:
                report("resourcePathsGcsUri", error.problem, error.way_out)
