"""De-identifications that succeed and fail, with keys from Airflow's variables and connections."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from airflow.sdk import DAG

from airflow_healthcare_deid.operators.deidentify import DeidentifyDatasetOperator, DeidentifyFhirStoreOperator
from airflow_healthcare_deid.operators.validate import ValidateDeidentificationOperator

LOCATION = "projects/demo-project/locations/us-central1/datasets"


def with_key(key: str) -> dict[str, Any]:
    hashed = {"infoTypes": ["PERSON_NAME"], "cryptoHashConfig": {"cryptoKey": key}}
    return {"dicom": {}, "fhir": {}, "text": {"additionalTransformations": [hashed]}}


with DAG(
    dag_id="leaks",
    schedule=None,
    default_args={"retries": 2, "retry_delay": timedelta(seconds=1), "poll_interval": 1, "max_poll_interval": 2},
):
    # Its first operation fails, and its second succeeds.
    DeidentifyDatasetOperator(
        task_id="dataset",
        source_dataset=f"{LOCATION}/source",
        destination_dataset=f"{LOCATION}/copy",
        config=with_key("{{ var.value.deid_key }}"),
        deferrable=True,
    )
    # Finds the patient: what it looks into was copied and not de-identified.
    ValidateDeidentificationOperator(
        task_id="validate",
        source=f"{LOCATION}/source",
        destination=f"{LOCATION}/raw",
        config=with_key("{{ var.value.deid_key }}"),
        retries=0,
    )
    # Its request is refused by the service.
    DeidentifyFhirStoreOperator(
        task_id="fhir_store",
        source_store=f"{LOCATION}/source/fhirStores/records",
        destination_store=f"{LOCATION}/source/fhirStores/copies",
        config="config.yaml",
        deferrable=False,
    )
    # Its config is wrong, and is not sent.
    DeidentifyDatasetOperator(
        task_id="malformed",
        source_dataset=f"{LOCATION}/source",
        destination_dataset=f"{LOCATION}/never",
        config=with_key("{{ var.value.malformed_key }}"),
    )
