"""Searching studies: what the filter file holds, and what is never shown."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

import pytest
from airflow.providers.common.compat.sdk import AirflowSkipException

from airflow_healthcare_deid.errors import ApiError, InvalidRequestError
from airflow_healthcare_deid.hooks import dicomweb
from airflow_healthcare_deid.operators.studies import SearchDicomStudiesOperator
from tests.support.chain import IMAGES, STUDIES
from tests.support.tasks import task_context

if TYPE_CHECKING:
    from airflow_healthcare_deid.hooks.healthcare import HealthcareHook
    from tests.support.chain import Data
    from tests.support.emulator_admin import EmulatorAdmin


def operator(bucket: Any, **arguments: Any) -> SearchDicomStudiesOperator:
    uri = f"gs://{bucket.name}/filters/today.txt"
    given: dict[str, Any] = {"task_id": "search", "store": str(IMAGES), "resource_paths_gcs_uri": uri}
    return SearchDicomStudiesOperator(**given | arguments)


def run(task: SearchDicomStudiesOperator) -> Any:
    return task.execute(task_context(task))


@pytest.mark.parametrize(
    ("query", "found"),
    [
        (None, STUDIES),
        ({"StudyDate": "20260102-20260103"}, STUDIES[1:]),
        ({"StudyDate": "20260101"}, STUDIES[:1]),
        ({"PatientID": "MRN-77333"}, STUDIES[2:]),
    ],
)
def test_the_studies_that_match_go_into_the_file(
    query: dict[str, str] | None, found: tuple[str, ...], filled: Data, bucket: Any
) -> None:
    result = run(operator(bucket, query=query))
    assert result == {"resource_paths_gcs_uri": f"gs://{bucket.name}/filters/today.txt", "studies": len(found)}
    content = bucket.blob("filters/today.txt").download_as_text()
    assert content == "".join(f"/studies/{study}\n" for study in found)


def test_pages_are_put_together(
    filled: Data, bucket: Any, admin: EmulatorAdmin, hook: HealthcareHook, monkeypatch: pytest.MonkeyPatch
) -> None:
    reader = dicomweb.DicomWeb(hook, IMAGES)
    admin.add_fault("GET", "/dicomWeb/studies", count=1, status=503)
    assert sorted(reader.search_studies(page_size=2)) == sorted(STUDIES)
    assert len(admin.requests("GET", "/dicomWeb/studies$")) == 3


def test_nothing_found_skips_what_follows(filled: Data, bucket: Any) -> None:
    nothing = {"StudyDate": "19000101"}
    with pytest.raises(AirflowSkipException, match="No study"):
        run(operator(bucket, query=nothing))
    assert run(operator(bucket, query=nothing, skip_if_empty=False))["studies"] == 0


def test_values_of_a_query_are_never_shown(
    filled: Data,
    bucket: Any,
    admin: EmulatorAdmin,
    caplog: pytest.LogCaptureFixture,
    capsys: pytest.CaptureFixture[str],
) -> None:
    caplog.set_level(logging.DEBUG)
    query = {"PatientName": "Whitcombe", "PatientID": "MRN-77133"}
    admin.add_fault("GET", "/dicomWeb/studies", status=400)
    with pytest.raises(ApiError) as caught:
        run(operator(bucket, query=query, fuzzy_matching=True))
    admin.remove_faults()
    run(operator(bucket, query=query, fuzzy_matching=True))
    # The emulator is in this process; what a server logs is not the operator's doing.
    logged = [record.getMessage() for record in caplog.records if not record.name.startswith("uvicorn")]
    shown = "\n".join([*logged, capsys.readouterr().out, str(caught.value), repr(caught.value)])
    assert "1 studies of" in shown
    assert not [value for value in (*query.values(), *STUDIES) if value in shown]


@pytest.mark.parametrize(
    ("arguments", "field"),
    [
        ({"store": "projects/p/locations/l/datasets/d/fhirStores/s"}, "store"),
        ({"resource_paths_gcs_uri": "/tmp/file"}, "resource_paths_gcs_uri"),
        ({"query": {"Modality": "CT"}}, "query.Modality"),
        ({"query": {"StudyDate": "2026-01-01"}}, "query.StudyDate"),
        ({"query": {"PatientID": ""}}, "query.PatientID"),
    ],
)
def test_bad_input_is_named_in_the_dag_file(arguments: dict[str, Any], field: str, bucket: Any) -> None:
    with pytest.raises(InvalidRequestError, match=field):
        operator(bucket, **arguments)
    task = operator(bucket, **{key: "{{ x }}" for key in arguments if key != "query"})
    for key, value in arguments.items():
        setattr(task, key, value)
    with pytest.raises(InvalidRequestError, match=field):
        run(task)


def test_a_missing_bucket_is_told_with_the_permission(filled: Data, bucket: Any) -> None:
    with pytest.raises(ApiError, match=r"needed: storage\.objects\.create"):
        run(operator(bucket, resource_paths_gcs_uri="gs://no-such-bucket/file.txt"))
