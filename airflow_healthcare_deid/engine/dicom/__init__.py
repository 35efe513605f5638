"""De-identifies DICOM instances."""

from __future__ import annotations

from airflow_healthcare_deid.engine.dicom.deidentifier import DicomDeidentifier, DicomResult

__all__ = ["DicomDeidentifier", "DicomResult"]
