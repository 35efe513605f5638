"""The work behind operations, one kind of job a row.

A job is a function of a `JobContext` that returns the operation's ``response``. It may be started again after a
restart with the same payload, and then goes on where `JobContext.finished_items` says it stopped. It fails by raising
`ServiceError`, and notices a cancel or the end of the process through `JobContext.check`.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    from airflow_healthcare_deid.emulator.jobs.context import JobContext

    Job = Callable[[JobContext], dict[str, Any]]

_HERE = "airflow_healthcare_deid.emulator.jobs"

# Kind of job: where its function is; imported when the first one runs, since jobs bring heavy parts.
JOBS = {
    "deleteDicom": f"{_HERE}.delete:delete_dicom",
    "deidentifyDataset": f"{_HERE}.deidentify:deidentify_dataset",
    "deidentifyDicomStore": f"{_HERE}.deidentify:deidentify_dicom_store",
    "deidentifyFhirStore": f"{_HERE}.deidentify_fhir:deidentify_fhir_store",
    "exportDicomToBigQuery": f"{_HERE}.export_dicom:export_to_bigquery",
    "exportDicomToStorage": f"{_HERE}.export_dicom:export_to_storage",
    "exportFhirToBigQuery": f"{_HERE}.export_fhir:export_to_bigquery",
    "exportFhirToStorage": f"{_HERE}.export_fhir:export_to_storage",
    "importDicom": f"{_HERE}.import_dicom:import_dicom",
    "importFhir": f"{_HERE}.import_fhir:import_fhir",
}


def find_job(kind: str) -> Job:
    """Return the function that does a kind of job."""
    module, _, name = JOBS[kind].partition(":")
    job: Job = getattr(import_module(module), name)
    return job
