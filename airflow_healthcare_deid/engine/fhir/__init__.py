"""De-identifies FHIR resources: every element typed, matched against the configured paths, and transformed."""

from __future__ import annotations

from airflow_healthcare_deid.engine.fhir.deidentifier import FhirDeidentifier
from airflow_healthcare_deid.engine.fhir.patients import collect_record, patient_key

__all__ = ["FhirDeidentifier", "collect_record", "patient_key"]
