"""De-identifies FHIR resources: every element typed, matched against the configured paths, and transformed."""

from __future__ import annotations

from airflow_healthcare_deid.engine.fhir.deidentifier import FhirDeidentifier
from airflow_healthcare_deid.engine.fhir.patients import collect_record, merged, people_of

__all__ = ["FhirDeidentifier", "collect_record", "merged", "people_of"]
