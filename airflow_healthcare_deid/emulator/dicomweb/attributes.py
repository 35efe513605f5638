"""Which attributes searches look at and answer (conformance statement of the Cloud Healthcare API, "Search").

Tags are keys of DICOM JSON: eight upper-case hexadecimal digits.
"""

from __future__ import annotations

from typing import Literal

Level = Literal["studies", "series", "instances"]

LEVELS: tuple[Level, ...] = ("studies", "series", "instances")

# Search key: tag, and column of the index.
SEARCH_KEYS: dict[Level, dict[str, tuple[str, str]]] = {
    "studies": {
        "StudyInstanceUID": ("0020000D", "study"),
        "PatientName": ("00100010", "patient_name"),
        "PatientID": ("00100020", "patient_id"),
        "AccessionNumber": ("00080050", "accession_number"),
        "ReferringPhysicianName": ("00080090", "referring_physician_name"),
        "StudyDate": ("00080020", "study_date"),
    },
    "series": {
        "SeriesInstanceUID": ("0020000E", "series"),
        "Modality": ("00080060", "modality"),
    },
    "instances": {
        "SOPInstanceUID": ("00080018", "sop"),
    },
}

# What an answer holds without any includefield.
DEFAULT_FIELDS: dict[Level, tuple[str, ...]] = {
    "studies": (
        "00080005",  # SpecificCharacterSet
        "00080020",  # StudyDate
        "00080030",  # StudyTime
        "00080050",  # AccessionNumber
        "00080056",  # InstanceAvailability
        "00080090",  # ReferringPhysicianName
        "00080201",  # TimezoneOffsetFromUTC
        "00100010",  # PatientName
        "00100020",  # PatientID
        "00100030",  # PatientBirthDate
        "00100040",  # PatientSex
        "0020000D",  # StudyInstanceUID
        "00200010",  # StudyID
    ),
    "series": (
        "00080005",  # SpecificCharacterSet
        "00080060",  # Modality
        "00080201",  # TimezoneOffsetFromUTC
        "0008103E",  # SeriesDescription
        "0020000D",  # StudyInstanceUID: names the series' study, as the standard asks
        "0020000E",  # SeriesInstanceUID
        "00400244",  # PerformedProcedureStepStartDate
        "00400245",  # PerformedProcedureStepStartTime
        "00400275",  # RequestAttributesSequence
    ),
    "instances": (
        "00080005",  # SpecificCharacterSet
        "00080016",  # SOPClassUID
        "00080018",  # SOPInstanceUID
        "00080056",  # InstanceAvailability
        "00080201",  # TimezoneOffsetFromUTC
        "0020000D",  # StudyInstanceUID
        "0020000E",  # SeriesInstanceUID
        "00200013",  # InstanceNumber
        "00280008",  # NumberOfFrames
        "00280010",  # Rows
        "00280011",  # Columns
        "00280100",  # BitsAllocated
    ),
}

SUMMARY_TAGS = frozenset(tag for tags in DEFAULT_FIELDS.values() for tag in tags)

# What `includefield=all` adds to a study or a series (inferred: Google does not list it); an instance shows all it has.
ALL_FIELDS: dict[Level, tuple[str, ...]] = {
    "studies": (
        "00081030",  # StudyDescription
        "00081048",  # PhysiciansOfRecord
        "00081060",  # NameOfPhysiciansReadingStudy
        "00081080",  # AdmittingDiagnosesDescription
        "00101010",  # PatientAge
        "00101020",  # PatientSize
        "00101030",  # PatientWeight
        "00104000",  # PatientComments
    ),
    "series": (
        "00080021",  # SeriesDate
        "00080031",  # SeriesTime
        "00080070",  # Manufacturer
        "00080080",  # InstitutionName
        "00081010",  # StationName
        "00081050",  # PerformingPhysicianName
        "00081090",  # ManufacturerModelName
        "00180015",  # BodyPartExamined
        "00181030",  # ProtocolName
        "00200011",  # SeriesNumber
        "00200060",  # Laterality
    ),
}

# Counted from the index, on request only.
MODALITIES_IN_STUDY = "00080061"
STUDY_RELATED_SERIES = "00201206"
STUDY_RELATED_INSTANCES = "00201208"
SERIES_RELATED_INSTANCES = "00201209"
