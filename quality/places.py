"""Where identifiers are planted in a DICOM data set, and what each configuration is asked to do with them.

What is asked comes from PS3.15 Table E.1-1 for the Basic Profile, and from the VRs that the discovery document lists
under DEIDENTIFY_TAG_CONTENTS: it is written down here by hand, not taken from the engine's own tables.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pydicom import DataElement, Dataset
from pydicom.datadict import dictionary_VR, tag_for_keyword

from quality.plants import BASIC_ONLY, BOTH, Path, Place, Plant
from quality.sayings import SAYINGS, Saying, letter, note, report

if TYPE_CHECKING:
    from collections.abc import Mapping

    from quality.people import Inventor, Person

INSPECTED: Final = frozenset({"AE", "LO", "LT", "PN", "SH", "ST", "UC", "UT", "DA", "DT", "AS"})
"""The VRs that DEIDENTIFY_TAG_CONTENTS inspects."""

_TOP_LEVEL = {
    "PatientName": "patient",
    "OtherPatientNames": "somebody",
    "PatientBirthName": "somebody",
    "PatientMotherBirthName": "somebody",
    "ReferringPhysicianName": "somebody",
    "PerformingPhysicianName": "somebody",
    "PhysiciansOfRecord": "somebody",
    "NameOfPhysiciansReadingStudy": "somebody",
    "OperatorsName": "somebody",
    "RequestingPhysician": "somebody",
    "ResponsiblePerson": "somebody",
    "PatientID": "record number",
    "OtherPatientIDs": "own number",
    "MedicalRecordLocator": "own number",
    "AccessionNumber": "accession",
    "AdmissionID": "own number",
    "ServiceEpisodeID": "own number",
    "InsurancePlanIdentification": "own number",
    "StudyID": "number",
    "DeviceSerialNumber": "number",
    "PerformedProcedureStepID": "number",
    "PatientBirthDate": "birth",
    "StudyDate": "visit",
    "SeriesDate": "visit",
    "AcquisitionDate": "visit",
    "ContentDate": "visit",
    "AdmittingDate": "earlier visit",
    "LastMenstrualDate": "earlier visit",
    "AcquisitionDateTime": "visit",
    "PerformedProcedureStepStartDate": "visit",
    "PatientTelephoneNumbers": "phone",
    "OrderCallbackPhoneNumber": "other phone",
    "ReferringPhysicianTelephoneNumbers": "other phone",
    "PatientAddress": "address",
    "PatientInstitutionResidence": "hospital",
    "InstitutionName": "hospital",
    "InstitutionAddress": "other address",
    "ReferringPhysicianAddress": "other address",
    "CurrentPatientLocation": "hospital",
    "PatientTelecomInformation": "e-mail",
}
_TEXTS = {
    "PatientComments": letter,
    "AdditionalPatientHistory": report,
    "ImageComments": letter,
    "RequestedProcedureComments": report,
    "VisitComments": letter,
    "DerivationDescription": report,
    "ResultsComments": report,
    "StudyDescription": note,
    "SeriesDescription": note,
    "RequestedProcedureDescription": note,
    "ReasonForStudy": note,
}
_NESTED: tuple[tuple[str, Mapping[str, object]], ...] = (
    ("RequestAttributesSequence", {"RequestedProcedureID": "number", "ReasonForTheRequestedProcedure": note}),
    ("OtherPatientIDsSequence", {"PatientID": "own number"}),
    (
        "ReferringPhysicianIdentificationSequence",
        {
            "InstitutionName": "hospital",
            "InstitutionAddress": "other address",
            "PersonTelephoneNumbers": "other phone",
        },
    ),
    ("ReferencedSeriesSequence", {"PerformingPhysicianName": "somebody", "SeriesDate": "visit"}),
    (
        "SharedFunctionalGroupsSequence.FrameContentSequence",
        {"FrameAcquisitionDateTime": "visit", "FrameComments": letter},
    ),
    ("ContentSequence", {"PersonName": "somebody", "Date": "visit", "DateTime": "earlier visit", "TextValue": report}),
    ("ContentSequence.ContentSequence.ContentSequence", {"PersonName": "patient", "TextValue": letter}),
)


def fill(
    dataset: Dataset, source: str, person: Person, hidden: Person, inventor: Inventor, *, explicit: bool
) -> list[Plant]:
    """Plant identifiers in every place of a data set but its pixels, and return them.

    :param dataset: an instance.
    :param source: its name in the set.
    :param person: the patient.
    :param hidden: who is planted where DEIDENTIFY_TAG_CONTENTS does not look: somebody else, so that what it leaves
        there is not taken for what it should have removed elsewhere.
    :param explicit: whether it will be written in explicit VR; without VRs nobody can tell private text from bytes.
    """
    planter = _Planter(source, person, hidden, inventor)
    planter.rows(dataset, (), _TOP_LEVEL, Place.TOP_LEVEL)
    planter.rows(dataset, (), _TEXTS, Place.TEXT)
    for sequences, rows in _NESTED:
        inner, path = _enter(dataset, sequences.split("."))
        planter.rows(inner, path, rows, Place.NESTED)
    planter.private(dataset, inspected=explicit)
    planter.overlays(dataset)
    return planter.plants


class _Planter:
    def __init__(self, source: str, person: Person, hidden: Person, inventor: Inventor) -> None:
        self.plants: list[Plant] = []
        self._source = source
        self._person = person
        self._hidden = hidden
        self._inventor = inventor

    def rows(self, dataset: Dataset, path: Path, rows: Mapping[str, object], place: Place) -> None:
        for keyword, what in rows.items():
            tag = tag_for_keyword(keyword)
            assert tag is not None
            self.put(dataset, path, tag, dictionary_VR(tag), what, place)

    def put(
        self, dataset: Dataset, path: Path, tag: int, vr: str, what: object, place: Place, *, inspected: bool = True
    ) -> None:
        """Write an element and note what is in it."""
        saying = what if callable(what) else SAYINGS[str(what)]
        inspected = inspected and vr in INSPECTED
        said: Saying = saying(self._person if inspected else self._hidden, self._inventor, vr)
        dataset.add(DataElement(tag, vr, said.value, validation_mode=0))
        for kind, needles, recognizable in said.identifiers:
            asked = inspected and (recognizable or vr == "PN")
            self.plants.append(
                Plant(
                    kind,
                    place,
                    self._source,
                    (*path, f"{tag:08X}"),
                    needles,
                    self._person.number,
                    BOTH if asked else BASIC_ONLY,
                )
            )

    def private(self, dataset: Dataset, *, inspected: bool) -> None:
        """Plant in private elements; without VRs, nobody can tell their text from other bytes."""
        group, creator = 0x0029, "QUALITY SET"
        number = next(n for n in range(0x10, 0x100) if group << 16 | n not in dataset)
        dataset.add_new(group << 16 | number, "LO", creator)
        first = group << 16 | number << 8
        inner = Dataset()
        for offset, vr, what in (
            (0x01, "LO", "patient"),
            (0x02, "ST", letter),
            (0x03, "DA", "birth"),
            (0x04, "PN", "somebody"),
            (0x05, "UN", "record number"),
            (0x06, "OB", "patient"),
            (0x07, "SH", "phone"),
        ):
            self.put(dataset, (), first | offset, vr, what, Place.PRIVATE, inspected=inspected)
        inner_path: Path = (f"{first | 0x10:08X}", 0)
        inner.add_new(group << 16 | number, "LO", creator)
        for offset, vr, what in ((0x01, "LO", "record number"), (0x02, "DA", "visit"), (0x03, "LT", report)):
            self.put(inner, inner_path, first | offset, vr, what, Place.PRIVATE, inspected=inspected)
        self.rows(inner, inner_path, {"PatientName": "patient"}, Place.PRIVATE)
        dataset.add_new(first | 0x10, "SQ", [inner])

    def overlays(self, dataset: Dataset) -> None:
        """Plant in an overlay plane and in a curve, which share the Basic Profile's rule for repeating groups."""
        for tag, vr, value in (
            (0x60000010, "US", 8),
            (0x60000011, "US", 64),
            (0x60000040, "CS", "G"),
            (0x60000050, "SS", [1, 1]),
            (0x60000100, "US", 1),
            (0x60000102, "US", 0),
        ):
            dataset.add_new(tag, vr, value)
        for tag, vr, what in (
            (0x60000022, "LO", "patient"),
            (0x60001500, "LO", note),
            (0x60004000, "LT", report),
            (0x60003000, "OW", "patient"),
            (0x50000022, "LO", "patient"),
            (0x50003000, "OW", "patient"),
        ):
            self.put(dataset, (), tag, vr, what, Place.OVERLAY)


def _enter(dataset: Dataset, keywords: list[str]) -> tuple[Dataset, Path]:
    """Add an item to a sequence in a sequence, and return the innermost with its path."""
    path: Path = ()
    for keyword in keywords:
        tag = tag_for_keyword(keyword)
        assert tag is not None
        items = list(dataset.get(keyword) or [])
        inner = Dataset()
        if keyword == "ContentSequence":
            inner.RelationshipType, inner.ValueType = "CONTAINS", "TEXT"
            inner.ConceptNameCodeSequence = [_code()]
        setattr(dataset, keyword, [*items, inner])
        path = (*path, f"{tag:08X}", len(items))
        dataset = inner
    return dataset, path


def _code() -> Dataset:
    code = Dataset()
    code.CodeValue, code.CodingSchemeDesignator, code.CodeMeaning = "121071", "DCM", "Finding"
    return code
