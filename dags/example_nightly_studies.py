"""Every night: what is new is de-identified into the research store, proven, and shown in BigQuery.

Readers get the table and never the store, so that what fails validation stays unpublished. Running a night again does
no harm: studies that are there stay as they are, and the table is written anew.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from airflow.sdk import DAG

from airflow_healthcare_deid.assets import healthcare_asset
from airflow_healthcare_deid.operators.deidentify import DeidentifyDicomStoreOperator
from airflow_healthcare_deid.operators.studies import SearchDicomStudiesOperator
from airflow_healthcare_deid.operators.transfer import ExportDicomStoreOperator
from airflow_healthcare_deid.operators.validate import ValidateDeidentificationOperator

SOURCE = "projects/demo-project/locations/us-central1/datasets/source/dicomStores/dicom"
RESEARCH = "projects/demo-project/locations/us-central1/datasets/research/dicomStores/dicom"
# The day before the run, whatever a version of Airflow takes for the logical date of a nightly run, and also if it was
# triggered without one.
DAY = "{{ ((data_interval_end | default(dag_run.run_after)) - macros.timedelta(days=1)) | ds_nodash }}"
STUDIES = f"gs://demo-healthcare/nightly/{DAY}/studies.txt"
CONFIG = {"dicom": {"filterProfile": "ATTRIBUTE_CONFIDENTIALITY_BASIC_PROFILE"}}

with DAG(
    dag_id="example_nightly_studies",
    schedule="0 2 * * *",
    start_date=datetime(2026, 1, 1),
    catchup=False,
    max_active_runs=1,
    default_args={"retries": 2, "retry_delay": timedelta(seconds=10), "deferrable": True, "poll_interval": 2},
    tags=["healthcare", "example"],
):
    search = SearchDicomStudiesOperator(
        task_id="search", store=SOURCE, query={"StudyDate": DAY}, resource_paths_gcs_uri=STUDIES
    )
    deidentify = DeidentifyDicomStoreOperator(
        task_id="deidentify",
        source_store=SOURCE,
        destination_store=RESEARCH,
        config=CONFIG,
        filter_config={"resourcePathsGcsUri": STUDIES},
        # What an earlier run of the same night has written counts as failed; the validation sees whether all is there.
        max_failed_resources=None,
    )
    validate = ValidateDeidentificationOperator(
        task_id="validate",
        source=SOURCE,
        destination=RESEARCH,
        config=CONFIG,
        resource_paths_gcs_uri=STUDIES,
        report_gcs_uri=f"gs://demo-healthcare/nightly/{DAY}/validation.json",
    )
    export = ExportDicomStoreOperator(
        task_id="export",
        store=RESEARCH,
        table_uri="bq://demo-project.research.studies",
        schema="JSON",
        write_disposition="WRITE_TRUNCATE",
        outlets=[healthcare_asset(RESEARCH)],
    )
    search >> deidentify >> validate >> export
