"""Ten years of history, a day at a time: ``airflow backfill create --dag-id example_backfill_history --from-date …``.

Every day has a store of its own, which is made anew and removed again, and writes over its own directory; so any day
can be run again, alone or among others. Google advises about five operations at once: a pool counts them, deferred ones
too (``airflow pools set healthcare 5 "Operations of the Healthcare API" --include-deferred``).
"""

from __future__ import annotations

from datetime import datetime, timedelta

from airflow.sdk import DAG

from airflow_healthcare_deid.operators.deidentify import DeidentifyDicomStoreOperator
from airflow_healthcare_deid.operators.resources import CreateDicomStoreOperator, DeleteDicomStoreOperator
from airflow_healthcare_deid.operators.studies import SearchDicomStudiesOperator
from airflow_healthcare_deid.operators.transfer import ExportDicomStoreOperator
from airflow_healthcare_deid.operators.validate import ValidateDeidentificationOperator

SOURCE = "projects/demo-project/locations/us-central1/datasets/source/dicomStores/dicom"
DAY = "projects/demo-project/locations/us-central1/datasets/research/dicomStores/day-{{ ds_nodash }}"
BUCKET = "gs://demo-healthcare/history/{{ ds_nodash }}"
CONFIG = {"dicom": {"filterProfile": "ATTRIBUTE_CONFIDENTIALITY_BASIC_PROFILE"}}
POOL = "healthcare"

with DAG(
    dag_id="example_backfill_history",
    schedule="@daily",
    start_date=datetime(2016, 1, 1),
    catchup=False,
    max_active_runs=10,
    default_args={"retries": 2, "retry_delay": timedelta(seconds=10), "deferrable": True, "poll_interval": 2},
    tags=["healthcare", "example"],
):
    search = SearchDicomStudiesOperator(
        task_id="search",
        store=SOURCE,
        query={"StudyDate": "{{ ds_nodash }}"},
        resource_paths_gcs_uri=f"{BUCKET}/studies.txt",
    )
    clear = DeleteDicomStoreOperator(task_id="clear", store=DAY, if_missing="ignore")
    create = CreateDicomStoreOperator(task_id="create", store=DAY, if_exists="reuse")
    deidentify = DeidentifyDicomStoreOperator(
        task_id="deidentify",
        source_store=SOURCE,
        destination_store=DAY,
        config=CONFIG,
        filter_config={"resourcePathsGcsUri": f"{BUCKET}/studies.txt"},
        pool=POOL,
    )
    validate = ValidateDeidentificationOperator(
        task_id="validate",
        source=SOURCE,
        destination=DAY,
        config=CONFIG,
        operation_name="{{ ti.xcom_pull(task_ids='deidentify')['operation'] }}",
        resource_paths_gcs_uri=f"{BUCKET}/studies.txt",
        report_gcs_uri=f"{BUCKET}/validation.json",
    )
    export = ExportDicomStoreOperator(task_id="export", store=DAY, uri_prefix=f"{BUCKET}/instances", pool=POOL)
    remove = DeleteDicomStoreOperator(task_id="remove", store=DAY, if_missing="ignore")

    search >> clear >> create >> deidentify >> validate >> export >> remove.as_teardown(setups=create)
