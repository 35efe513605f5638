"""Every example DAG, run as it stands against the emulator."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from airflow_healthcare_deid.resource_names import DatasetName
from airflow_healthcare_deid.uids import derive_uid
from demo.fhir_samples import make_samples
from tests.support.chain import DATES, STUDIES, study_files
from tests.support.wing import LOCATION, PROJECT, SOURCE

if TYPE_CHECKING:
    from airflow_healthcare_deid.hooks.healthcare import HealthcareHook
    from tests.dags.conftest import RunDag
    from tests.support.chain import Data
    from tests.support.emulator_admin import EmulatorAdmin

RESEARCH = DatasetName(PROJECT, LOCATION, "research")


@pytest.fixture
def published(storage_emulator: None) -> Any:
    """The bucket of the examples, emptied."""
    from google.auth.credentials import AnonymousCredentials
    from google.cloud.storage import Client

    client = Client(project=PROJECT, credentials=AnonymousCredentials())
    bucket = client.bucket("demo-healthcare")
    if bucket.exists():
        bucket.delete_blobs(list(bucket.list_blobs()))
    else:
        client.create_bucket("demo-healthcare")
    yield bucket
    client.close()


@pytest.fixture
def images(hook: HealthcareHook, data: Data) -> Data:
    """The store that the examples read, with three studies of three days; and a research dataset."""
    hook.create_dicom_store(SOURCE.dicom_store("dicom"))
    data.store(SOURCE.dicom_store("dicom"), *study_files())
    hook.create_dataset(RESEARCH)
    hook.create_dicom_store(RESEARCH.dicom_store("dicom"))
    return data


def names(bucket: Any, prefix: str) -> list[str]:
    return sorted(blob.name.removeprefix(prefix) for blob in bucket.list_blobs(prefix=prefix))


def test_a_night_takes_what_is_new_and_may_be_run_again(run_dag: RunDag, images: Data, published: Any) -> None:
    for _ in range(2):
        run = run_dag("example_nightly_studies", "2026-01-03")
        assert (run.state, set(run.tasks.values())) == ("success", {"success"}), run.log
        studies = {instance["0020000D"]["Value"][0] for instance in images.instances(RESEARCH.dicom_store("dicom"))}
        assert studies == {derive_uid(STUDIES[1])}
    report = json.loads(published.blob(f"nightly/{DATES[1]}/validation.json").download_as_text())
    assert report["passed"]


def test_a_night_without_anything_new_skips_the_rest(run_dag: RunDag, images: Data, published: Any) -> None:
    run = run_dag("example_nightly_studies", "2026-06-01")
    assert set(run.tasks.values()) == {"skipped"}


def test_any_day_of_history_may_be_run_again(
    run_dag: RunDag, images: Data, published: Any, hook: HealthcareHook
) -> None:
    for _ in range(2):
        run = run_dag("example_backfill_history", "2026-01-03")
        assert (run.state, set(run.tasks.values())) == ("success", {"success"}), run.log
        files = names(published, f"history/{DATES[2]}/instances/")
        assert {name.partition("/")[0] for name in files} == {derive_uid(STUDIES[2])}
        assert len(files) == 3
        assert hook.list_dicom_stores(RESEARCH) == [RESEARCH.dicom_store("dicom")]


def test_a_dataset_is_published_store_by_store(
    run_dag: RunDag, images: Data, published: Any, hook: HealthcareHook
) -> None:
    fill_records(hook, images)
    run = run_dag("example_dataset_pipeline")
    assert run.state == "success", run.log
    assert {task for task, state in run.tasks.items() if state == "skipped"} == {
        "research.quarantine_dicom",
        "research.quarantine_fhir",
    }
    [folder] = {name.partition("/")[0] for name in names(published, "published/")}
    files = names(published, f"published/{folder}/")
    assert sum(name.startswith("dicom/") for name in files) == len(study_files())
    assert "records/Patient.ndjson" in files
    assert "validation.json" in files
    assert [item["name"] for item in hook.list_datasets(PROJECT, LOCATION)] == [str(RESEARCH), str(SOURCE)]


def test_what_fails_validation_is_not_published(
    run_dag: RunDag, images: Data, published: Any, hook: HealthcareHook
) -> None:
    fill_records(hook, images)
    leak: dict[str, Any] = {
        "resourceType": "Patient",
        "id": "leak",
        "name": [{"given": ["Ottoline"], "family": "Quince"}],
    }
    # A name in a place that no profile looks at.
    leak["maritalStatus"] = {"coding": [{"system": "urn:x", "code": "Ottoline Quince"}]}
    images.put(SOURCE.fhir_store("records"), leak)
    run = run_dag("example_dataset_pipeline")
    assert run.state == "failed", run.log
    assert run.tasks["research.validate"] == "failed"
    assert "success" in run.tasks["research.quarantine_dicom[0]"]
    assert names(published, "quarantine/")
    assert {name.rpartition("/")[2] for name in names(published, "published/")} == {"validation.json"}
    assert [item["name"] for item in hook.list_datasets(PROJECT, LOCATION)] == [str(RESEARCH), str(SOURCE)]


def test_what_a_failed_deidentification_left_is_removed(
    run_dag: RunDag, images: Data, published: Any, hook: HealthcareHook, admin: EmulatorAdmin
) -> None:
    admin.add_fault("GET", "/operations/", status=403)
    run = run_dag("example_dataset_pipeline")
    assert (run.state, run.tasks["research.deidentify"]) == ("failed", "failed"), run.log
    assert run.tasks["research.remove"] == "success", run.log
    assert [item["name"] for item in hook.list_datasets(PROJECT, LOCATION)] == [str(RESEARCH), str(SOURCE)]
    assert not names(published, "")


def test_a_dataset_that_was_there_before_is_left_alone(
    run_dag: RunDag, images: Data, published: Any, hook: HealthcareHook
) -> None:
    working = DatasetName(PROJECT, LOCATION, "working-20260103T000000")
    hook.create_dataset(working)
    run = run_dag("example_dataset_pipeline", "2026-01-03")
    assert (run.state, run.tasks["research.deidentify"]) == ("failed", "failed"), run.log
    assert run.tasks["research.remove"] == "skipped", run.log
    assert hook.dataset_exists(working)


def test_several_datasets_are_mapped(run_dag: RunDag, hook: HealthcareHook, data: Data, published: Any) -> None:
    for site in ("north", "south"):
        dataset = DatasetName(PROJECT, LOCATION, site)
        hook.create_dataset(dataset)
        hook.create_dicom_store(dataset.dicom_store("dicom"))
        data.store(dataset.dicom_store("dicom"), *study_files()[:2])
    run = run_dag("example_many_datasets")
    assert run.tasks == {f"{task}[{n}]": "success" for task in ("deidentify", "validate") for n in (0, 1)}, run.log


def test_an_operator_starts_what_a_sensor_finishes(run_dag: RunDag, images: Data) -> None:
    run = run_dag("example_operator_and_sensor")
    assert run.tasks == {"start": "success", "finish": "success"}, run.log


def test_one_task_is_enough_for_a_dataset(run_dag: RunDag, images: Data) -> None:
    assert run_dag("example_deidentify_dataset").tasks == {"deidentify": "success"}


def test_a_run_needs_no_logical_date(run_dag: RunDag, images: Data, published: Any) -> None:
    # One that an asset or ``airflow dags trigger`` starts has none on Airflow 3.
    assert run_dag("example_deidentify_dataset", None).tasks == {"deidentify": "success"}
    assert set(run_dag("example_nightly_studies", None).tasks.values()) == {"skipped"}


def fill_records(hook: HealthcareHook, data: Data) -> None:
    store = SOURCE.fhir_store("records")
    hook.delete_store(store)
    hook.create_fhir_store(store, {"version": "R4", "enableUpdateCreate": True, "disableReferentialIntegrity": True})
    for sample in make_samples(2):
        data.put(store, sample.patient, *sample.others)
