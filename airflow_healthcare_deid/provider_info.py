"""What Airflow asks every provider package: the ``apache_airflow_provider`` entry point."""

from __future__ import annotations

from typing import Any

_PACKAGE = "airflow_healthcare_deid"
_INTEGRATION = "Google Cloud Healthcare API"


def get_provider_info() -> dict[str, Any]:
    """Describe this provider as Airflow's ``provider_info.schema.json`` says."""
    from airflow_healthcare_deid import __version__

    return {
        "package-name": "airflow-healthcare-deid",
        "name": "Google Cloud Healthcare de-identification",
        "description": "De-identifies DICOM and FHIR data with Google's Cloud Healthcare API.",
        "versions": [__version__],
        "integrations": [
            {
                "integration-name": _INTEGRATION,
                "external-doc-url": "https://cloud.google.com/healthcare-api/docs",
                "logo": f"{_PACKAGE}/logo.svg",
                "tags": ["gcp", "service"],
            }
        ],
        "hooks": [_entry("hooks.healthcare")],
        "operators": [
            _entry(
                "operators.deidentify",
                "operators.operations",
                "operators.resources",
                "operators.studies",
                "operators.transfer",
                "operators.validate",
            )
        ],
        "sensors": [_entry("sensors.operation")],
        "triggers": [_entry("triggers.operation")],
        "cli": [f"{_PACKAGE}.airflow_commands.get_commands"],
        "extra-links": [
            f"{_PACKAGE}.links.{link}" for link in ("SourceDatasetLink", "DestinationDatasetLink", "OperationLogsLink")
        ],
        "asset-uris": [
            {
                "schemes": ["healthcare"],
                "handler": f"{_PACKAGE}.assets.sanitize_uri",
                "factory": f"{_PACKAGE}.assets.create_asset",
                "to_openlineage_converter": f"{_PACKAGE}.assets.convert_asset_to_openlineage",
            }
        ],
    }


def _entry(*modules: str) -> dict[str, Any]:
    return {"integration-name": _INTEGRATION, "python-modules": [f"{_PACKAGE}.{module}" for module in modules]}
