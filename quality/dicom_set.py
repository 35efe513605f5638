"""The DICOM half of the set: pydicom's files with the identifiers of invented patients written in."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from io import BytesIO
from typing import TYPE_CHECKING

from pydicom import Dataset, dcmread
from pydicom.data import get_testdata_file
from pydicom.dataset import FileDataset, FileMetaDataset
from pydicom.uid import (
    UID,
    DeflatedExplicitVRLittleEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    RLELossless,
)

from quality.burnt_in import BurntIn, burn
from quality.places import fill
from quality.plants import BASIC_ONLY, BOTH, CONTENTS_ONLY, Kept, Kind, Path, Place, Plant

if TYPE_CHECKING:
    from collections.abc import Iterator

    from quality.people import Inventor, Person

REPLACED_UIDS = ("StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID")
"""UIDs that every configuration of the set asks to replace."""
REFERENCES = ("FrameOfReferenceUID", "ReferencedSOPInstanceUID")
"""UIDs that the Basic Profile replaces too."""

_IMAGES = ("CT_small.dcm", "MR_small.dcm", "examples_rgb_color.dcm")
_DOCUMENTS = ("reportsi.dcm", "rtplan.dcm")
_PEOPLE = 4
_UID_ROOT = "1.2.826.0.1.3680043.10.1459"
_CHARACTER_SETS = ("", "ISO_IR 100", "\\ISO 2022 IR 87", "ISO_IR 192")
_HARMLESS = {
    "Manufacturer": "ACME",
    "ManufacturerModelName": "Model 9",
    "ConvolutionKernel": "B30f",
    "BodyPartExamined": "CHEST",
    "PatientPosition": "HFS",
    "SliceThickness": "2.5",
    "KVP": "120",
    "PixelSpacing": ["0.5", "0.5"],
    "SeriesNumber": "7",
    "WindowCenter": "40",
}
"""Tags that no configuration has a reason to touch."""
_LESS_HARMLESS = {"PatientSex": "F", "PatientWeight": "70.5", "StudyTime": "101112", "PatientState": "stable"}
"""Tags that the Basic Profile removes, and that have nothing in them for who inspects their text."""
_OPAQUE = ("60003000", "50003000")
_NUMERIC = frozenset({"DS", "FD", "FL", "IS", "SL", "SS", "UL", "US"})
_CODES = frozenset({"CodeValue", "CodeMeaning"})
_NUMERIC_GROUPS = frozenset({0x0028, 0x300A, 0x300C})


@dataclass(frozen=True)
class Instance:
    """One instance of the set.

    :param name: its InstanceNumber, which nothing changes.
    :param owner: number of the patient.
    :param data: the file.
    :param burnt_in: what was drawn into its pixels.
    """

    name: str
    owner: str
    data: bytes
    burnt_in: BurntIn | None


def make_instances(inventor: Inventor) -> tuple[list[Instance], list[Plant], list[Kept]]:
    """Return the instances, what was planted in them and what has to stay."""
    instances: list[Instance] = []
    plants: list[Plant] = []
    kept: list[Kept] = []
    for number in range(_PEOPLE):
        person, hidden = inventor.person(number), inventor.person(number + _PEOPLE)
        for index, base in enumerate((*_IMAGES[number : number + 1], *_DOCUMENTS)):
            name, syntax = str(10 * number + index + 1), _syntax(base, number)
            dataset = _read(base)
            dataset.InstanceNumber = name
            _identify(dataset, number, index)
            plants += fill(dataset, name, person, hidden, inventor, explicit=syntax != ImplicitVRLittleEndian)
            burnt_in = burn(dataset, name, person) if base in _IMAGES else None
            plants += burnt_in.plants if burnt_in else ()
            for keyword, value in (_HARMLESS | _LESS_HARMLESS).items():
                setattr(dataset, keyword, value)
            kept += _kept(dataset, name)
            plants += _around(name, person, hidden)
            instances.append(Instance(name, str(number), _encoded(dataset, syntax, person, hidden), burnt_in))
    return instances, plants, kept


def _syntax(base: str, number: int) -> UID:
    if base == "reportsi.dcm" and number == 1:
        return DeflatedExplicitVRLittleEndian
    return {"rtplan.dcm": ImplicitVRLittleEndian, "MR_small.dcm": RLELossless}.get(base, ExplicitVRLittleEndian)


def _read(base: str) -> FileDataset:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # these files are there to test a parser
        path = get_testdata_file(base)
        assert isinstance(path, str)
        dataset = dcmread(path)
        dataset.decode()
    for element in dataset.iterall():
        if element.VR == "PN":
            element.value = ""  # one says "Enter text", and would make a name of that word everywhere
    return dataset


def _identify(dataset: Dataset, number: int, index: int) -> None:
    """Give an instance UIDs of the patient's study, and references to another instance of it."""
    study = f"{_UID_ROOT}.{number + 1}"
    dataset.StudyInstanceUID = UID(study)
    dataset.SeriesInstanceUID = UID(f"{study}.{index + 1}")
    dataset.SOPInstanceUID = UID(f"{study}.{index + 1}.9")
    dataset.FrameOfReferenceUID = UID(f"{study}.77")
    reference = Dataset()
    reference.ReferencedSOPClassUID = dataset.SOPClassUID
    reference.ReferencedSOPInstanceUID = UID(f"{study}.1.9")
    dataset.SourceImageSequence = [reference]
    if _CHARACTER_SETS[number]:
        dataset.SpecificCharacterSet = _CHARACTER_SETS[number].split("\\")
    elif "SpecificCharacterSet" in dataset:
        del dataset.SpecificCharacterSet


def _around(name: str, person: Person, hidden: Person) -> Iterator[Plant]:
    """Yield what `_encoded` plants around the data set: in file meta information, and in the preamble."""
    yield Plant(Kind.NAME, Place.META, name, ("00020016",), (person.given,), person.number, BOTH)
    yield Plant(Kind.NAME, Place.META, name, ("00020102",), (hidden.given,), person.number, BASIC_ONLY)
    yield Plant(Kind.NAME, Place.META, name, (), (person.given,), person.number, BOTH)


def _encoded(dataset: FileDataset, syntax: UID, person: Person, hidden: Person) -> bytes:
    meta = dataset.file_meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID, meta.MediaStorageSOPInstanceUID = dataset.SOPClassUID, dataset.SOPInstanceUID
    meta.TransferSyntaxUID = ExplicitVRLittleEndian if syntax == RLELossless else syntax
    meta.SourceApplicationEntityTitle = person.given.upper()
    meta.PrivateInformationCreatorUID, meta.PrivateInformation = UID(_UID_ROOT), hidden.given.encode().ljust(16)
    dataset.preamble = person.given.encode().ljust(128, b"\0")
    if syntax == RLELossless:
        dataset.compress(RLELossless, generate_instance_uid=False)
    written = BytesIO()
    dataset.save_as(written, enforce_file_format=True)
    return written.getvalue()


def _kept(dataset: Dataset, name: str) -> Iterator[Kept]:
    for keyword in (*_HARMLESS, "Modality", "SOPClassUID", "InstanceNumber"):
        yield Kept(name, (f"{int(dataset[keyword].tag):08X}",))
    for keyword in _LESS_HARMLESS:
        yield Kept(name, (f"{int(dataset[keyword].tag):08X}",), CONTENTS_ONLY)
    for tag in _OPAQUE:
        yield Kept(name, (tag,), CONTENTS_ONLY)
    yield Kept(name, ("00020102",), CONTENTS_ONLY)
    for path in _numbers(dataset, ()):
        yield Kept(name, path)


def _numbers(dataset: Dataset, path: Path) -> Iterator[Path]:
    """Yield the numbers that describe pixels and treatment plans, and the codes of concepts, at every depth."""
    for element in dataset:
        here = (*path, f"{int(element.tag):08X}")
        if element.VR == "SQ":
            for index, item in enumerate(element.value):
                yield from _numbers(item, (*here, index))
        elif element.keyword in _CODES or (element.VR in _NUMERIC and element.tag.group in _NUMERIC_GROUPS):
            yield here
