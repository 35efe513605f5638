"""``DeidentifyConfig`` of the discovery document, and the rules that bind its parts together."""

from __future__ import annotations

from typing import TYPE_CHECKING

from airflow_healthcare_deid.config.dicom import DicomConfig
from airflow_healthcare_deid.config.fhir import FhirConfig
from airflow_healthcare_deid.config.image import ImageConfig, TextRedactionMode
from airflow_healthcare_deid.config.message import Message
from airflow_healthcare_deid.config.text import TextConfig

if TYPE_CHECKING:
    from airflow_healthcare_deid.config.message import Report

_NOT_REGIONAL = ("LOCATION", "ORGANIZATION_NAME")


class DeidentifyConfig(Message, frozen=True, kw_only=True):
    """What to de-identify, and how. Present but empty means with the defaults; for a dataset, absent means not at all.

    :param dicom: DICOM tags; absent: the DICOM stores of a dataset are left out.
    :param fhir: FHIR resources; absent: the FHIR stores of a dataset are left out.
    :param image: pixels; absent: they stay as they are.
    :param text: free text; absent: the service's own infoTypes and transformations.
    :param use_regional_data_processing: keep data in its region while it is processed, which is much slower and knows
        neither ``LOCATION`` nor ``ORGANIZATION_NAME``; default false.
    """

    dicom: DicomConfig | None = None
    fhir: FhirConfig | None = None
    image: ImageConfig | None = None
    text: TextConfig | None = None
    use_regional_data_processing: bool | None = None

    def check(self, report: Report) -> None:
        if not self.use_regional_data_processing:
            return
        text = self.text or TextConfig()
        if "LOCATION" not in (text.exclude_info_types or ()):
            report(
                "text.excludeInfoTypes",
                "must list LOCATION when useRegionalDataProcessing is true",
                "Add LOCATION, or drop useRegionalDataProcessing",
            )
        for where in ("additional_transformations", "transformations"):
            for number, transformation in enumerate(getattr(text, where) or ()):
                for index, name in enumerate(transformation.info_types or ()):
                    if name in _NOT_REGIONAL:
                        field = "additionalTransformations" if where.startswith("a") else where
                        report(
                            f"text.{field}[{number}].infoTypes[{index}]",
                            f"{name} does not work with useRegionalDataProcessing",
                            f"Drop {name} here, or drop useRegionalDataProcessing",
                        )
        if self.image and self.image.text_redaction_mode is TextRedactionMode.REDACT_SENSITIVE_TEXT:
            report(
                "image.textRedactionMode",
                "REDACT_SENSITIVE_TEXT looks for LOCATION, which does not work with useRegionalDataProcessing and "
                "which version 1 of the service cannot exclude from images (inferred)",
                "Use REDACT_ALL_TEXT, or drop useRegionalDataProcessing",
            )
