"""An instance with a canary in every attribute of PS3.15 Table E.1-1, and wherever else a patient could hide."""

from __future__ import annotations

from functools import cache
from io import BytesIO

from pydicom import DataElement, Dataset
from pydicom.datadict import dictionary_VR, tag_for_keyword
from pydicom.dataset import FileMetaDataset
from pydicom.uid import UID, CTImageStorage, ExplicitVRLittleEndian

from airflow_healthcare_deid.engine.dicom.policies import basic_profile_codes

CANARIES = (b"CANARY", b"19770707", b"070707", b"1.2.777", b"077Y", b"777777", b"\x77\x77\x77\x77")
"""What must not be found anywhere in what comes out."""

_TEXT = {"AE", "CS", "LO", "LT", "PN", "SH", "ST", "UC", "UR", "UT"}
_OTHER = {"AS": "077Y", "DA": "19770707", "DT": "19770707070707", "TM": "070707", "DS": "777777", "IS": "777777"}
_NOT_IN_TABLE = ("SharedFunctionalGroupsSequence", "FrameContentSequence", "ReferencedSeriesSequence")


@cache
def spike(*, implicit: bool = False, undefined: bool = False) -> bytes:
    """Return the instance.

    :param implicit: in implicit VR.
    :param undefined: with sequences of undefined length.
    """
    dataset = canaries()
    add_kept(dataset)
    for keyword in _NOT_IN_TABLE:
        nested = Dataset()
        setattr(nested, keyword, [canaries()])
        setattr(dataset, keyword, [canaries(), nested])
    block = dataset.private_block(0x0009, "CANARY VENDOR", create=True)
    block.add_new(1, "LO", "CANARY")
    block.add_new(2, "UN", b"CANARY")
    block.add_new(3, "SQ", [canaries()])
    for group, elements in {0x5000: (0x0022, 0x2500), 0x6000: (0x0022, 0x1500, 0x4000), 0x6002: (0x0022,)}.items():
        for number in elements:
            dataset.add_new(group << 16 | number, "LO", "CANARY")
    dataset.add_new(0x50003000, "OW", b"CANARY")
    dataset.add_new(0x60003000, "OW", b"CANARY")
    dataset.add_new(0x00127777, "LO", "CANARY")  # an attribute that nobody knows
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = UID("1.2.840.10008.1.2") if implicit else ExplicitVRLittleEndian
    dataset.file_meta.MediaStorageSOPInstanceUID = UID("1.2.777.1")
    dataset.file_meta.MediaStorageSOPClassUID = CTImageStorage
    for keyword in ("SourceApplicationEntityTitle", "SendingApplicationEntityTitle", "ReceivingApplicationEntityTitle"):
        setattr(dataset.file_meta, keyword, "CANARY")
    dataset.file_meta.SourcePresentationAddress = "CANARY"
    dataset.preamble = b"CANARY".ljust(128, b"\0")
    if undefined:
        for element in dataset.iterall():
            element.is_undefined_length = element.VR == "SQ"
    buffer = BytesIO()
    dataset.save_as(buffer, enforce_file_format=True)
    return buffer.getvalue()


def add_kept(dataset: Dataset) -> None:
    """Add some of what the profile does not touch."""
    dataset.SOPClassUID = CTImageStorage
    dataset.Modality, dataset.Manufacturer, dataset.SeriesNumber = "CT", "ACME", "7"
    dataset.ImageType = ["ORIGINAL", "PRIMARY", "AXIAL"]
    dataset.Rows = dataset.Columns = 2
    dataset.BitsAllocated = 16
    dataset.PixelData = b"\1\2\3\4\5\6\7\10"
    dataset["PixelData"].VR = "OW"


def canaries() -> Dataset:
    """Return every attribute of the table with a canary; in sequences, below."""
    dataset = Dataset()
    for tag, code in basic_profile_codes().items():
        if tag >> 16 in (0, 2):
            continue  # commands, which no file has, and what has its place in the file meta information
        vr = dictionary_VR(tag).split(" ")[0]
        dataset.add(DataElement(tag, vr, _sequence(code) if vr == "SQ" else _canary(vr), validation_mode=0))
    return dataset


def _canary(vr: str) -> object:
    if vr in _TEXT:
        return "CANARY"
    if vr == "UI":
        return UID("1.2.777.1")
    if vr in ("FD", "FL", "SL", "SS", "UL", "US", "SV", "UV"):
        return 0
    return b"CANARY" if vr.startswith("O") or vr == "UN" else _OTHER[vr]


def _sequence(code: str) -> list[Dataset]:
    keywords = ["PatientName", "PersonName", "InstitutionName", "StudyDate", "UID"]
    if code in ("D", "X/D", "X/Z/D"):
        keywords += ["UnformattedTextValue", "TextValue"]  # these hold identifiers only below such a sequence
    item = Dataset()
    for keyword in keywords:
        tag = tag_for_keyword(keyword)
        assert tag is not None
        item.add_new(tag, dictionary_VR(tag), _canary(dictionary_VR(tag)))
    return [item]
