"""``Patient/$everything``: a patient, what it refers to, and what refers to it.

The discovery document limits the last group by the patient compartment; here every resource that refers to the patient
counts, whichever element does. https://hl7.org/fhir/R4/patient-operation-everything.html
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from airflow_healthcare_deid.emulator.fhir.references import local_references

if TYPE_CHECKING:
    from airflow_healthcare_deid.emulator.fhir.repository import Version
    from airflow_healthcare_deid.emulator.fhir.store import FhirStore


def everything(store: FhirStore, patient_id: str) -> list[Version]:
    """Return all of them, newest first.

    :raises FhirError: 404 or 410 if there is no such patient.
    """
    patient = store.read("Patient", patient_id)
    keys = {tuple(target.split("/")) for target in local_references(patient.resource())}
    keys.update(store.repository.referring(store.key, f"Patient/{patient_id}"))
    keys.discard(("Patient", patient_id))
    found = (store.repository.get(store.key, *key) for key in keys)
    rest = [version for version in found if version is not None and version.body is not None]
    return sorted([patient, *rest], key=lambda version: version.updated, reverse=True)
