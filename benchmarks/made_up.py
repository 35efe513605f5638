"""Data to measure with: copies of CT_small that differ in their UIDs, and FHIR resources of nobody."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

BOUNDARY = "boundary-of-the-benchmark"
RESOURCES_PER_PATIENT = 10
INSTANCES_PER_SERIES = 100
_UIDS = "1.2.826.0.1.3680043.8.498.20040119.72730"


def write_instances(folder: Path, count: int, side: int = 128) -> None:
    """Write ``0.dcm``, ``1.dcm`` and so on: a CT of 253 elements, in series of a hundred; 39 kB in its own size.

    :param side: rows and columns.
    """
    from pydicom import dcmread
    from pydicom.data import get_testdata_file
    from pydicom.uid import UID

    path = get_testdata_file("CT_small.dcm")
    assert isinstance(path, str)
    dataset = dcmread(path)
    dataset.Rows = dataset.Columns = side
    dataset.PixelData = (dataset.PixelData * (side * side // (128 * 128) + 1))[: 2 * side * side]
    for number in range(count):
        dataset.StudyInstanceUID = f"{_UIDS}.1.{number // INSTANCES_PER_SERIES}"
        dataset.SeriesInstanceUID = f"{_UIDS}.2.{number // INSTANCES_PER_SERIES}"
        dataset.SOPInstanceUID = dataset.file_meta.MediaStorageSOPInstanceUID = UID(f"{_UIDS}.3.{number}")
        dataset.save_as(folder / f"{number}.dcm")


def multipart(paths: Iterable[Path]) -> tuple[bytes, str]:
    """Return the body and the media type of a request that stores files."""
    line = f"--{BOUNDARY}".encode()
    parts = [line + b"\r\nContent-Type: application/dicom\r\n\r\n" + path.read_bytes() + b"\r\n" for path in paths]
    return b"".join(parts) + line + b"--\r\n", f'multipart/related; type="application/dicom"; boundary={BOUNDARY}'


def patient(number: int) -> dict[str, Any]:
    """Return a patient."""
    return {
        "resourceType": "Patient",
        "id": f"patient-{number}",
        "identifier": [{"system": "urn:example:mrn", "value": f"MRN-{number:08}"}],
        "name": [{"family": f"Quarry{number}", "given": ["Rosalind", "Ottoline"]}],
        "gender": "female",
        "birthDate": "1957-03-14",
        "telecom": [{"system": "phone", "value": f"+1 555 {number:07}"}],
        "address": [{"line": [f"{number} Foxglove Avenue"], "city": "Kilbourne", "state": "OH", "postalCode": "43004"}],
    }


def resource(number: int) -> dict[str, Any]:
    """Return a resource: a patient, then nine observations of that patient."""
    subject = number // RESOURCES_PER_PATIENT
    if number % RESOURCES_PER_PATIENT == 0:
        return patient(subject)
    return {
        "resourceType": "Observation",
        "id": f"observation-{number}",
        "status": "final",
        "code": {"coding": [{"system": "http://loinc.org", "code": "8867-4", "display": "Heart rate"}]},
        "subject": {"reference": f"Patient/patient-{subject}"},
        "effectiveDateTime": f"2019-07-{number % 28 + 1:02}T09:30:00Z",
        "valueQuantity": {"value": 60 + number % 40, "unit": "beats/minute", "code": "/min"},
        "note": [{"text": f"Rosalind Quarry{subject} was seen on 3 July 2019, phone +1 555 {subject:07}."}],
    }


def bundle(numbers: Iterable[int]) -> bytes:
    """Return a batch that stores resources under ids of their own."""
    entries = []
    for made in map(resource, numbers):
        request = {"method": "PUT", "url": f"{made['resourceType']}/{made['id']}"}
        entries.append({"resource": made, "request": request})
    return json.dumps({"resourceType": "Bundle", "type": "batch", "entry": entries}).encode()
