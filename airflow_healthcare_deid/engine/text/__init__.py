"""De-identifies text: what is recognized in it, and what becomes of that."""

from __future__ import annotations

from airflow_healthcare_deid.engine.text.deidentifier import TextDeidentifier
from airflow_healthcare_deid.engine.text.findings import Finding
from airflow_healthcare_deid.engine.text.record import RecordIdentifiers

__all__ = ["Finding", "RecordIdentifiers", "TextDeidentifier"]
