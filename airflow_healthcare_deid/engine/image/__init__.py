"""Covers text that is burnt into pixels."""

from __future__ import annotations

from airflow_healthcare_deid.engine.image.boxes import Box
from airflow_healthcare_deid.engine.image.redact import redact_image

__all__ = ["Box", "redact_image"]
