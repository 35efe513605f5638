"""Creating and deleting datasets and stores against the emulator."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from airflow_healthcare_deid.errors import ConflictError, InvalidRequestError, PermissionOrNotFoundError
from airflow_healthcare_deid.operators._resources import CreateStoreOperator, DeleteOperator
from airflow_healthcare_deid.operators.resources import (
    CreateDatasetOperator,
    CreateDicomStoreOperator,
    CreateFhirStoreOperator,
    DeleteDatasetOperator,
    DeleteDicomStoreOperator,
    DeleteFhirStoreOperator,
    ListDicomStoresOperator,
    ListFhirStoresOperator,
)
from tests.support.tasks import DictStore, run_task, task_context
from tests.support.wing import LOCATION, PROJECT, SOURCE

if TYPE_CHECKING:
    from airflow_healthcare_deid.hooks.healthcare import HealthcareHook
    from tests.support.emulator_admin import EmulatorAdmin

NEW = "new"
STORES = pytest.mark.parametrize(
    ("create", "delete", "name"),
    [
        (CreateDicomStoreOperator, DeleteDicomStoreOperator, SOURCE.dicom_store(NEW)),
        (CreateFhirStoreOperator, DeleteFhirStoreOperator, SOURCE.fhir_store(NEW)),
    ],
    ids=["dicom", "fhir"],
)


@pytest.fixture(autouse=True)
def short_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    for operator in (CreateStoreOperator, DeleteOperator):
        monkeypatch.setattr(operator, "_sleep", staticmethod(lambda _: None))


def run(kind: Any, **arguments: Any) -> Any:
    task = kind(task_id="t", **arguments)
    return run_task(task, task_context(task, DictStore()))


@pytest.mark.parametrize("deferrable", [False, True], ids=["worker", "deferrable"])
def test_a_dataset_is_created_and_deleted(deferrable: bool, hook: HealthcareHook) -> None:
    given: dict[str, Any] = {"dataset": NEW, "location": LOCATION}
    waiting = {"deferrable": deferrable, "poll_interval": 0.02, "max_poll_interval": 0.1}
    summary = run(CreateDatasetOperator, **given, **waiting, time_zone="Europe/Paris")
    name = f"projects/{PROJECT}/locations/{LOCATION}/datasets/{NEW}"
    assert (summary["status"], summary["destination"]) == ("SUCCEEDED", name)
    with pytest.raises(ConflictError, match="if_exists='reuse'"):
        run(CreateDatasetOperator, **given)
    assert run(CreateDatasetOperator, **given, if_exists="reuse")["status"] == "REUSED"
    assert run(DeleteDatasetOperator, **given) is True
    assert run(DeleteDatasetOperator, **given, if_missing="ignore") is False
    with pytest.raises(PermissionOrNotFoundError, match="if_missing='ignore'"):
        run(DeleteDatasetOperator, **given)


def test_a_dataset_whose_reply_was_lost_is_ours(hook: HealthcareHook, admin: EmulatorAdmin) -> None:
    admin.add_fault("POST", "/datasets$", count=1, drop="after")
    summary = run(CreateDatasetOperator, dataset=NEW, location=LOCATION, poll_interval=0.02)
    assert summary["status"] == "SUCCEEDED"
    assert len(admin.requests("POST", "/datasets$")) == 2  # one is the fixture's


@STORES
def test_a_store_is_created_and_deleted(create: Any, delete: Any, name: Any, hook: HealthcareHook) -> None:
    assert run(create, store=str(name), labels={"made-by": "test"}) == str(name)
    assert hook.get_resource(name)["labels"] == {"made-by": "test"}
    with pytest.raises(ConflictError, match="if_exists='reuse'"):
        run(create, store=str(name))
    assert run(create, store=str(name), if_exists="reuse") == str(name)
    assert run(delete, store=str(name)) is True
    assert run(delete, store=str(name), if_missing="ignore") is False
    with pytest.raises(PermissionOrNotFoundError, match="does not exist"):
        run(delete, store=str(name))
    hook.delete_dataset(SOURCE)
    assert run(delete, store=str(name), if_missing="ignore") is False


@STORES
@pytest.mark.parametrize("drop", ["before", "after"])
def test_a_lost_reply_changes_nothing(
    drop: str, create: Any, delete: Any, name: Any, hook: HealthcareHook, admin: EmulatorAdmin
) -> None:
    admin.add_fault("POST", "Stores$", count=1, drop=drop)
    assert run(create, store=str(name)) == str(name)
    admin.add_fault("DELETE", "Stores/", count=1, drop=drop)
    assert run(delete, store=str(name)) is True


def test_a_store_of_another_version_cannot_be_reused(hook: HealthcareHook) -> None:
    name = str(SOURCE.fhir_store("records"))
    with pytest.raises(ConflictError, match="version R4 instead of STU3"):
        run(CreateFhirStoreOperator, store=name, version="STU3", if_exists="reuse")


def test_what_may_not_be_seen_is_not_taken_for_gone(hook: HealthcareHook, admin: EmulatorAdmin) -> None:
    admin.add_fault("", "", status=403)
    with pytest.raises(PermissionOrNotFoundError, match="delete"):
        run(DeleteDicomStoreOperator, store=str(SOURCE.dicom_store("images")), if_missing="ignore")


def test_the_stores_of_a_dataset_are_listed(hook: HealthcareHook) -> None:
    assert run(ListDicomStoresOperator, dataset=str(SOURCE)) == [str(SOURCE.dicom_store("images"))]
    assert run(ListFhirStoresOperator, dataset="source", location=LOCATION) == [str(SOURCE.fhir_store("records"))]


def test_a_store_takes_its_body_as_text(hook: HealthcareHook) -> None:
    store = SOURCE.fhir_store("new")
    run(CreateFhirStoreOperator, store=str(store), body='{"enableUpdateCreate": true}', labels={"team": "a"})
    made = hook.get_resource(store)
    assert (made["enableUpdateCreate"], made["labels"]) == (True, {"team": "a"})


@pytest.mark.parametrize("arguments", [{"store": "s"}, {"store": str(SOURCE.fhir_store("s")), "version": "R7"}])
def test_bad_input_is_named_in_the_dag_file(arguments: dict[str, Any]) -> None:
    with pytest.raises(InvalidRequestError, match=r"store|version"):
        CreateFhirStoreOperator(task_id="t", **arguments)


@pytest.mark.parametrize(
    ("kind", "arguments", "field"),
    [
        (CreateDatasetOperator, {"dataset": "projects/p/datasets/d"}, "dataset"),
        (CreateDatasetOperator, {"dataset": NEW, "if_exists": "replace"}, "if_exists"),
        (CreateDatasetOperator, {"dataset": NEW}, "location"),
        (CreateDicomStoreOperator, {"store": str(SOURCE.fhir_store("s"))}, "store"),
        (CreateFhirStoreOperator, {"store": str(SOURCE.fhir_store("s")), "version": "R7"}, "version"),
        (CreateFhirStoreOperator, {"store": "s"}, "store"),
        (CreateFhirStoreOperator, {"store": str(SOURCE.fhir_store("s")), "body": "enableUpdateCreate"}, "body"),
        (CreateDicomStoreOperator, {"store": str(SOURCE.dicom_store("s")), "labels": ["a"]}, "labels"),
        (DeleteDatasetOperator, {"dataset": "a/b"}, "dataset"),
        (DeleteDatasetOperator, {"dataset": NEW, "if_missing": "skip"}, "if_missing"),
        (DeleteDicomStoreOperator, {"store": "s"}, "store"),
        (ListDicomStoresOperator, {"dataset": "projects/p"}, "dataset"),
        (ListFhirStoresOperator, {"dataset": NEW}, "location"),
        (DeleteFhirStoreOperator, {"store": str(SOURCE)}, "store"),
    ],
)
def test_bad_input_is_named(kind: Any, arguments: dict[str, Any], field: str, connection: None) -> None:
    with pytest.raises(InvalidRequestError, match=field):
        run(kind, **arguments)
