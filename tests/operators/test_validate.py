"""Validation over the emulator: a clean set raises nothing, and each seeded defect is caught."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from airflow.providers.common.compat.sdk import AirflowFailException

from airflow_healthcare_deid.errors import InvalidRequestError, ValidationFailedError
from airflow_healthcare_deid.operators.deidentify import (
    DeidentifyDatasetOperator,
    DeidentifyDicomStoreOperator,
    DeidentifyFhirStoreOperator,
)
from airflow_healthcare_deid.operators.validate import ValidateDeidentificationOperator
from airflow_healthcare_deid.uids import derive_uid
from demo.fhir_samples import make_samples
from demo.samples import samples
from tests.support.chain import DATES, IMAGES, NAMES, RECORDS, STUDIES
from tests.support.tasks import DictStore, run_task, task_context
from tests.support.wing import DESTINATION, SOURCE

if TYPE_CHECKING:
    from collections.abc import Callable

    from airflow_healthcare_deid.hooks.healthcare import HealthcareHook
    from tests.support.chain import Data

BASIC = {"dicom": {"filterProfile": "ATTRIBUTE_CONFIDENTIALITY_BASIC_PROFILE"}, "fhir": {}}
SHIFT = {
    "dicom": {"filterProfile": "DEIDENTIFY_TAG_CONTENTS"},
    "text": {"additionalTransformations": [{"infoTypes": ["DATE"], "dateShiftConfig": {}}]},
}
CANARIES = [part for name in NAMES for part in name.split("^")] + [
    value for sample in make_samples(3) for value in sample.person.identifiers() if len(value) > 3
]
FAST: dict[str, Any] = {"poll_interval": 0.02, "max_poll_interval": 0.1}


def deidentify(config: Any = BASIC, kind: Any = DeidentifyDatasetOperator, **arguments: Any) -> str:
    """De-identify, and return the operation's name."""
    given = {"source_dataset": str(SOURCE), "destination_dataset": str(DESTINATION)}
    task = kind(task_id="deidentify", config=config, **(arguments or given), **FAST)
    return str(run_task(task, task_context(task, DictStore()))["operation"])


def validate(config: Any = BASIC, **arguments: Any) -> tuple[Any, Any]:
    """Validate, and return what the task returns or raises, and its report."""
    given: dict[str, Any] = {"source": str(SOURCE), "destination": str(DESTINATION), "config": config}
    task = ValidateDeidentificationOperator(task_id="validate", **given | arguments)
    context = task_context(task)
    try:
        verdict: Any = task.execute(context)
    except ValidationFailedError as error:
        verdict = error
    shown = json.dumps(context["ti"].xcoms) + str(verdict)
    assert not [canary for canary in CANARIES if canary in shown], "a value of a record shows"
    return verdict, context["ti"].xcoms["validation_report"]


def failed(report: Any) -> dict[str, Any]:
    return {result["check"]: result for result in report["results"] if result["status"] == "FAILED"}


def test_a_clean_dataset_raises_nothing(filled: Data, bucket: Any) -> None:
    operation = deidentify()
    uri = f"gs://{bucket.name}/report.json"
    verdict, report = validate(operation_name=operation, report_gcs_uri=uri, fail_on_warnings=True)
    assert verdict["passed"]
    assert report == json.loads(bucket.blob("report.json").download_as_text())
    assert (report["errors"], report["warnings"]) == (0, 0)
    assert report["sampled"]["studies_looked_into"] == report["sampled"]["patients_looked_into"] == 3
    assert report["sampled"]["instances_unmatched"] == 0
    assert set(verdict["not_checked"]) == {"dicom_dates", "fhir_dates", "references", "studies_arrived"}


def leaked_name(data: Data, hook: HealthcareHook) -> None:
    from pydicom.dataset import Dataset

    store = DESTINATION.dicom_store("images")
    uids = (derive_uid(STUDIES[1]), derive_uid(f"{STUDIES[1]}.1"), derive_uid(f"{STUDIES[1]}.1.1"))
    changed = data.file(store, *uids)
    item = Dataset()
    item.CodeMeaning = "as dictated by CORNELIUS  thornbury"
    changed.ProcedureCodeSequence = [item]
    data.replace(store, changed, study=uids[0], series=uids[1], sop=uids[2])


def kept_uid(data: Data, hook: HealthcareHook) -> None:
    store = DESTINATION.dicom_store("images")
    uids = (derive_uid(STUDIES[0]), derive_uid(f"{STUDIES[0]}.1"), derive_uid(f"{STUDIES[0]}.1.1"))
    changed = data.file(store, *uids)
    changed.SeriesInstanceUID = f"{STUDIES[0]}.1"
    data.replace(store, changed, study=uids[0], series=uids[1], sop=uids[2])


def lost_study(data: Data, hook: HealthcareHook) -> None:
    data.remove(DESTINATION.dicom_store("images"), f"studies/{derive_uid(STUDIES[2])}")


def changed_pixels(data: Data, hook: HealthcareHook) -> None:
    store = DESTINATION.dicom_store("images")
    uids = (derive_uid(STUDIES[0]), derive_uid(f"{STUDIES[0]}.1"), derive_uid(f"{STUDIES[0]}.1.1"))
    changed = data.file(store, *uids)
    changed.PixelData = bytes(len(changed.PixelData))
    data.replace(store, changed, study=uids[0], series=uids[1], sop=uids[2])


def leaked_narrative(data: Data, hook: HealthcareHook) -> None:
    store = DESTINATION.fhir_store("records")
    sample = make_samples(3)[1]
    patient = data.resource(store, f"Patient/{sample.patient['id']}")
    text = f"<b>{sample.person.family.upper()}</b>, {sample.person.given}"
    patient["text"] = {"status": "generated", "div": f'<div xmlns="http://www.w3.org/1999/xhtml">{text}</div>'}
    data.put(store, patient)


@pytest.mark.parametrize(
    ("seed_defect", "check"),
    [
        (leaked_name, "dicom_identifiers"),
        (kept_uid, "source_uids"),
        (lost_study, "counts"),
        (changed_pixels, "pixels"),
        (leaked_narrative, "fhir_identifiers"),
    ],
)
def test_a_defect_is_caught(
    seed_defect: Callable[[Data, HealthcareHook], None], check: str, filled: Data, hook: HealthcareHook
) -> None:
    operation = deidentify()
    seed_defect(filled, hook)
    error, report = validate(operation_name=operation)
    assert isinstance(error, AirflowFailException)
    assert set(failed(report)) >= {check}
    assert f"{check} (1)" in str(error)


def test_a_date_that_was_not_moved_is_caught(filled: Data, hook: HealthcareHook) -> None:
    destination = DESTINATION.dicom_store("images")
    hook.create_dataset(DESTINATION)
    hook.create_dicom_store(destination)
    stores = {"source_store": str(IMAGES), "destination_store": str(destination)}
    operation = deidentify(SHIFT, DeidentifyDicomStoreOperator, **stores)
    sides = {"source": str(IMAGES), "destination": str(destination)}
    verdict, report = validate(SHIFT, operation_name=operation, **sides)
    assert verdict["passed"], report
    assert {result["check"]: result["status"] for result in report["results"]}["dicom_dates"] == "PASSED"
    [uids] = [
        [instance[tag]["Value"][0] for tag in ("0020000D", "0020000E", "00080018")]
        for instance in filled.instances(destination)
        if instance["0020000D"]["Value"] == [derive_uid(STUDIES[0])]
    ]
    changed = filled.file(destination, *uids)
    changed.StudyDate = DATES[0]
    filled.replace(destination, changed, study=uids[0], series=uids[1], sop=uids[2])
    error, report = validate(SHIFT, operation_name=operation, **sides)
    assert isinstance(error, ValidationFailedError)
    [finding] = failed(report)["dicom_dates"]["findings"]
    assert (finding["location"], finding["problem"]) == ("StudyDate", "was not moved")


def test_a_part_of_a_store_is_held_against_its_filter_file(filled: Data, hook: HealthcareHook, bucket: Any) -> None:
    destination = SOURCE.dicom_store("published")
    hook.create_dicom_store(destination)
    bucket.blob("paths.txt").upload_from_string(f"/studies/{STUDIES[0]}\r\n/studies/{STUDIES[2]}\n")
    bucket.blob("config.json").upload_from_string(json.dumps(BASIC))
    uri = f"gs://{bucket.name}/paths.txt"
    stores = {"source_store": str(IMAGES), "destination_store": str(destination)}
    operation = deidentify(BASIC, DeidentifyDicomStoreOperator, **stores, filter_config={"resourcePathsGcsUri": uri})
    arguments = {
        "source": str(IMAGES),
        "destination": str(destination),
        "config": None,
        "gcs_config_uri": f"gs://{bucket.name}/config.json",
        "operation_name": operation,
        "resource_paths_gcs_uri": uri,
    }
    verdict, report = validate(**arguments)
    assert verdict["passed"]
    assert report["sampled"]["studies"] == 2
    filled.remove(destination, f"studies/{derive_uid(STUDIES[2])}")
    _, report = validate(**arguments)
    assert set(failed(report)) == {"studies_arrived"}


def test_two_fhir_stores_are_compared(filled: Data, hook: HealthcareHook) -> None:
    destination = SOURCE.fhir_store("published")
    hook.create_fhir_store(destination, {"version": "R4", "enableUpdateCreate": True})
    stores = {"source_store": str(RECORDS), "destination_store": str(destination)}
    operation = deidentify({"fhir": {}}, DeidentifyFhirStoreOperator, **stores)
    sides = {"source": str(RECORDS), "destination": str(destination)}
    verdict, _ = validate({"fhir": {}}, operation_name=operation, **sides)
    assert verdict["passed"]
    # Of a store, unlike of a dataset, nothing is skipped for a part of the config that is absent.
    name = f"Patient/{make_samples(3)[1].patient['id']}"
    filled.put(destination, filled.resource(RECORDS, name))
    error, report = validate({}, operation_name=operation, **sides)
    assert isinstance(error, ValidationFailedError)
    assert set(failed(report)) >= {"fhir_identifiers"}


@pytest.mark.parametrize(
    ("config", "warnings"),
    [
        # Some of the samples' patients are called like a maker of scanners.
        (BASIC, {"dicom_identifiers_name_parts"}),
        ({"dicom": {"filterProfile": "MINIMAL_KEEP_LIST_PROFILE"}}, set()),
        # Only the profile replaces the UIDs of references, too.
        (SHIFT, {"dicom_identifiers_name_parts", "references", "source_uids_in_references"}),
    ],
    ids=["basic", "minimal", "shift"],
)
def test_real_files_of_many_makers_raise_nothing(
    config: Any, warnings: set[str], hook: HealthcareHook, data: Data
) -> None:
    data.store(IMAGES, *(sample.data for sample in samples()))
    operation = deidentify(config)
    verdict, report = validate(config, operation_name=operation, sample_size=None, pixel_sample_size=30)
    assert verdict["passed"], failed(report)
    assert report["sampled"]["instances_unmatched"] == 0
    assert set(verdict["warnings"]) <= warnings


def test_severities_and_warnings_decide(filled: Data, hook: HealthcareHook) -> None:
    operation = deidentify()
    lost_study(filled, hook)
    verdict, _ = validate(operation_name=operation, severities={"counts": "WARNING"})
    assert verdict["warnings"] == {"counts": 1}
    # What a task that reused its destination says of its operation.
    verdict, report = validate(operation_name="None", severities={"counts": "WARNING"})
    assert "not known" in failed(report)["counts"]["note"]
    error, _ = validate(operation_name=operation, severities={"counts": "WARNING"}, fail_on_warnings=True)
    assert isinstance(error, ValidationFailedError)


@pytest.mark.parametrize(
    ("arguments", "field"),
    [
        ({"config": None}, "config"),
        ({"gcs_config_uri": "gs://bucket/x"}, "config"),
        ({"config": {"dicom": {"keepList": {"tags": ["Nonsense"]}}}}, "dicom.keepList"),
        ({"destination": str(SOURCE)}, "destination"),
        ({"destination": str(DESTINATION.dicom_store("s"))}, "another kind"),
        ({"severities": {"count": "ERROR"}}, "severities.count"),
        ({"severities": {"counts": "FATAL"}}, "severities.counts"),
        ({"sample_size": 0}, "sample_size"),
        ({"pixel_sample_size": "0"}, "pixel_sample_size"),
        ({"report_gcs_uri": "/tmp/report"}, "report_gcs_uri"),
    ],
)
def test_bad_input_is_named_in_the_dag_file(arguments: dict[str, Any], field: str) -> None:
    with pytest.raises(InvalidRequestError, match=field):
        validate(**arguments)


def test_bad_input_is_named_when_the_task_runs(hook: HealthcareHook, bucket: Any) -> None:
    with pytest.raises(InvalidRequestError, match="operation_name"):
        validate(operation_name="operations/1")
    bucket.blob("paths.txt").upload_from_string("1.2.3\n")
    with pytest.raises(InvalidRequestError, match="1 lines are no resource paths"):
        validate(resource_paths_gcs_uri=f"gs://{bucket.name}/paths.txt")
    bucket.blob("config.json").upload_from_string(b"\xff\xfe")
    with pytest.raises(InvalidRequestError, match="gcs_config_uri"):
        validate(None, gcs_config_uri=f"gs://{bucket.name}/config.json")


def test_a_key_that_came_out_of_a_template_serves(filled: Data, hook: HealthcareHook) -> None:
    def config(key: str) -> dict[str, Any]:
        hashed = {"infoTypes": ["PERSON_NAME"], "cryptoHashConfig": {"cryptoKey": key}}
        return {**BASIC, "text": {"additionalTransformations": [hashed]}}

    task = ValidateDeidentificationOperator(
        task_id="validate", source=str(SOURCE), destination=str(DESTINATION), config=config("{{ var.value.key }}")
    )
    hook.create_dataset(DESTINATION)
    task.config = config("U0VDUkVULVNFQ1JFVC1TRUNSRVQtU0VDUkVULTEyMzQ=")
    # Nothing arrived, which is what there is to find; the config was read.
    with pytest.raises(ValidationFailedError, match="Failed checks"):
        task.execute(task_context(task))
