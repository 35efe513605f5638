"""Export and import against the emulator, to a storage emulator."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from airflow.providers.common.compat.sdk import DAG

from airflow_healthcare_deid.errors import AmbiguousSubmissionError, InvalidRequestError
from airflow_healthcare_deid.operators.transfer import (
    ExportDicomStoreOperator,
    ExportFhirStoreOperator,
    ImportDicomStoreOperator,
    ImportFhirStoreOperator,
)
from tests.support.chain import IMAGES, RECORDS, STUDIES
from tests.support.tasks import DictStore, run_task, task_context
from tests.support.wing import SOURCE

if TYPE_CHECKING:
    from pathlib import Path

    from airflow_healthcare_deid.hooks.healthcare import HealthcareHook
    from tests.support.chain import Data
    from tests.support.emulator_admin import EmulatorAdmin

FAST: dict[str, Any] = {"task_id": "transfer", "poll_interval": 0.02, "max_poll_interval": 0.1}
BOTH_MODES = pytest.mark.parametrize("deferrable", [False, True], ids=["worker", "deferrable"])


def run(task: Any) -> Any:
    return run_task(task, task_context(task, DictStore()))


@BOTH_MODES
def test_a_dicom_store_is_exported_and_imported_elsewhere(
    deferrable: bool, filled: Data, bucket: Any, hook: HealthcareHook
) -> None:
    bucket.blob("paths.txt").upload_from_string(f"/studies/{STUDIES[0]}\n/studies/{STUDIES[1]}")
    export = ExportDicomStoreOperator(
        store=str(IMAGES),
        uri_prefix=f"gs://{bucket.name}/out",
        filter_config={"resourcePathsGcsUri": f"gs://{bucket.name}/paths.txt"},
        deferrable=deferrable,
        **FAST,
    )
    summary = run(export)
    assert (summary["success"], summary["failure"]) == (3, 0)
    assert summary["destination"] == f"gs://{bucket.name}/out"
    copy = SOURCE.dicom_store("copy")
    hook.create_dicom_store(copy)
    load = ImportDicomStoreOperator(
        store=str(copy), uri=f"gs://{bucket.name}/out/**.dcm", deferrable=deferrable, **FAST
    )
    summary = run(load)
    assert (summary["source"], summary["destination"]) == (f"gs://{bucket.name}/out/**.dcm", str(copy))
    assert len(filled.instances(copy)) == 3


@BOTH_MODES
def test_a_fhir_store_is_exported_and_imported_elsewhere(
    deferrable: bool, filled: Data, bucket: Any, hook: HealthcareHook
) -> None:
    export = ExportFhirStoreOperator(
        store=str(RECORDS),
        uri_prefix=f"gs://{bucket.name}/out",
        types=["Patient", "Encounter"],
        since="2020-01-01T00:00:00Z",
        deferrable=deferrable,
        **FAST,
    )
    assert run(export)["success"] == 6
    lines = [line for blob in bucket.list_blobs(prefix="out/") for line in blob.download_as_text().splitlines()]
    assert {json.loads(line)["resourceType"] for line in lines} == {"Patient", "Encounter"}
    copy = SOURCE.fhir_store("copy")
    hook.create_fhir_store(copy, {"version": "R4"})
    load = ImportFhirStoreOperator(
        store=str(copy),
        uri=f"gs://{bucket.name}/out/**",
        content_structure="RESOURCE",
        deferrable=deferrable,
        **FAST,
    )
    assert run(load)["success"] == 6


def test_a_lost_reply_of_an_export_that_overwrites_is_asked_for_again(
    filled: Data, bucket: Any, admin: EmulatorAdmin
) -> None:
    admin.add_fault("POST", ":export$", count=1, drop="after")
    summary = run(ExportDicomStoreOperator(store=str(IMAGES), uri_prefix=f"gs://{bucket.name}/out", **FAST))
    assert summary["status"] == "SUCCEEDED"
    assert len(admin.requests("POST", ":export$")) == 2


def test_a_lost_reply_of_an_export_that_appends_is_left_to_a_person(filled: Data, admin: EmulatorAdmin) -> None:
    admin.set_progression("immediate")
    admin.add_fault("POST", ":export$", count=1, drop="after")
    task = ExportDicomStoreOperator(
        store=str(IMAGES), table_uri="bq://demo-project.lake.images", write_disposition="WRITE_APPEND", **FAST
    )
    with pytest.raises(AmbiguousSubmissionError):
        run(task)
    assert len(admin.requests("POST", ":export$")) == 1


def test_bigquery_destinations_are_sent_as_google_names_them() -> None:
    dicom = ExportDicomStoreOperator(
        task_id="t",
        store=str(IMAGES),
        table_uri="bq://p.d.t",
        write_disposition="WRITE_TRUNCATE",
        schema="JSON",
        include_source_store=True,
    ).build_request()
    assert dicom.body == {
        "bigqueryDestination": {
            "tableUri": "bq://p.d.t",
            "writeDisposition": "WRITE_TRUNCATE",
            "includeSourceStore": True,
            "schemaJson": {},
        }
    }
    assert dicom.repeatable
    fhir = ExportFhirStoreOperator(task_id="t", store=str(RECORDS), dataset_uri="bq://p.d", types="Patient")
    assert fhir.build_request().body == {
        "_type": "Patient",
        "bigqueryDestination": {"datasetUri": "bq://p.d", "schemaConfig": {"schemaType": "ANALYTICS_V2"}},
    }
    assert not fhir.build_request().repeatable


def test_a_schema_may_stand_in_a_file_with_numbers_as_google_writes_them(tmp_path: Path) -> None:
    schema = {
        "schemaType": "ANALYTICS_V2",
        "recursiveStructureDepth": "3",
        "lastUpdatedPartitionConfig": {"type": "DAY", "expirationMs": "31536000000"},
    }
    (tmp_path / "schema.json").write_text(json.dumps(schema))
    with DAG("exports", schedule=None, template_searchpath=str(tmp_path)):
        task = ExportFhirStoreOperator(
            task_id="t", store=str(RECORDS), dataset_uri="bq://p.d", schema_config="schema.json"
        )
    task.render_template_fields({})
    assert task.build_request().body["bigqueryDestination"]["schemaConfig"] == {
        "schemaType": "ANALYTICS_V2",
        "recursiveStructureDepth": 3,
        "lastUpdatedPartitionConfig": {"type": "DAY", "expirationMs": 31_536_000_000},
    }


@pytest.mark.parametrize(
    ("kind", "arguments", "field"),
    [
        (ExportDicomStoreOperator, {}, "uri_prefix"),
        (ExportDicomStoreOperator, {"uri_prefix": "gs://bucket/a", "table_uri": "bq://p.d.t"}, "uri_prefix"),
        (ExportDicomStoreOperator, {"uri_prefix": "s3://bucket/a"}, "gcsDestination.uriPrefix"),
        (ExportDicomStoreOperator, {"uri_prefix": "gs://bucket", "mime_type": "image/gif"}, "gcsDestination.mimeType"),
        (ExportDicomStoreOperator, {"uri_prefix": "gs://bucket", "write_disposition": "WRITE_EMPTY"}, "BigQuery"),
        (ExportDicomStoreOperator, {"table_uri": "bq://p.d"}, "bigqueryDestination.tableUri"),
        (ExportDicomStoreOperator, {"table_uri": "bq://p.d.t", "schema": "WIDE"}, "schema"),
        (ExportDicomStoreOperator, {"table_uri": "bq://p.d.t", "mime_type": "image/png"}, "mime_type"),
        (ExportDicomStoreOperator, {"uri_prefix": "gs://bucket", "store": str(RECORDS)}, "store"),
        (ExportDicomStoreOperator, {"uri_prefix": "gs://bucket", "filter_config": {"x": 1}}, "filterConfig"),
        (ExportFhirStoreOperator, {"uri_prefix": "gs://bucket", "types": ["patient"]}, "_type"),
        (ExportFhirStoreOperator, {"uri_prefix": "gs://bucket", "since": "yesterday"}, "_since"),
        (ExportFhirStoreOperator, {"dataset_uri": "bq://p.d", "write_disposition": "ERASE"}, "writeDisposition"),
        (ExportFhirStoreOperator, {"dataset_uri": "bq://p.d", "schema_config": {"schemaType": "X"}}, "schemaType"),
        (ExportFhirStoreOperator, {"dataset_uri": "bq://p.d", "schema_config": "ANALYTICS"}, "schemaConfig"),
        (ExportFhirStoreOperator, {"dataset_uri": "bq://p.d", "schema_config": "{schemaType: ["}, "^schema_config: "),
        (ImportDicomStoreOperator, {"uri": "gs://b"}, "gcsSource.uri"),
        (ImportDicomStoreOperator, {"uri": "gs://bucket/*", "blob_storage_class": "ICE"}, "blobStorageClass"),
        (ImportFhirStoreOperator, {"uri": "gs://bucket/*", "content_structure": "ZIP"}, "contentStructure"),
        (ImportFhirStoreOperator, {"uri": "gs://bucket/*", "store": "records"}, "store"),
    ],
)
def test_bad_input_is_named_in_the_dag_file(kind: Any, arguments: dict[str, Any], field: str) -> None:
    store = str(IMAGES if kind in (ExportDicomStoreOperator, ImportDicomStoreOperator) else RECORDS)
    with pytest.raises(InvalidRequestError, match=field):
        kind(task_id="t", **{"store": store, **arguments})


def test_templates_are_left_until_the_task_runs() -> None:
    task = ExportFhirStoreOperator(task_id="t", store="{{ store }}", uri_prefix="gs://{{ bucket }}", since="{{ ts }}")
    context: Any = {"store": str(RECORDS), "bucket": "bucket", "ts": "2026-01-01T00:00:00+00:00"}
    task.render_template_fields(context)
    assert task.build_request().body["_since"] == "2026-01-01T00:00:00+00:00"
