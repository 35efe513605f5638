from __future__ import annotations

import pickle
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_healthcare_deid.errors import InvalidResourceNameError
from airflow_healthcare_deid.resource_names import DatasetName, DicomStoreName, FhirStoreName, OperationName

Name = DatasetName | DicomStoreName | FhirStoreName | OperationName

PROJECTS = st.from_regex(r"([a-z0-9.-]+:)?[a-z]([a-z0-9-]{0,20}[a-z0-9])?", fullmatch=True)
LOCATIONS = st.from_regex(r"[a-z][a-z0-9-]{0,20}", fullmatch=True)
IDS = st.from_regex(r"[\w.-]{1,256}", fullmatch=True).filter(lambda text: text not in (".", ".."))
OPERATIONS = st.from_regex(r"[0-9]{1,20}", fullmatch=True)
DATASETS = st.builds(DatasetName, PROJECTS, LOCATIONS, IDS)
NAMES = st.one_of(
    DATASETS,
    st.builds(DatasetName.dicom_store, DATASETS, IDS),
    st.builds(DatasetName.fhir_store, DATASETS, IDS),
    st.builds(DatasetName.operation, DATASETS, OPERATIONS),
)
DATASET = DatasetName("p", "us-central1", "d")


@given(NAMES)
def test_a_name_survives_being_written_and_read(name: Name) -> None:
    assert type(name).parse(str(name)) == name
    assert pickle.loads(pickle.dumps(name)) == name
    assert name in {name}


@given(st.text(max_size=80))
def test_chance_text_is_no_name(text: str) -> None:
    for kind in (DatasetName, DicomStoreName, FhirStoreName, OperationName):
        with pytest.raises(InvalidResourceNameError):
            kind.parse(text)


@given(st.text(max_size=300))
def test_an_id_that_is_accepted_stays_one_part_of_a_path(text: str) -> None:
    for make, kind in ((DATASET.dicom_store, DicomStoreName), (DATASET.fhir_store, FhirStoreName)):
        try:
            name = make(text)
        except InvalidResourceNameError:
            continue
        assert kind.parse(str(name)) == name
        assert str(name).encode()


def test_names_know_where_they_live() -> None:
    assert str(DATASET) == "projects/p/locations/us-central1/datasets/d"
    assert DATASET.location_name == "projects/p/locations/us-central1"
    assert str(DATASET.dicom_store("s")) == f"{DATASET}/dicomStores/s"
    assert str(DATASET.fhir_store("s")) == f"{DATASET}/fhirStores/s"
    assert str(DATASET.operation("1")) == f"{DATASET}/operations/1"
    for name in (DATASET.dicom_store("s"), DATASET.fhir_store("s"), DATASET.operation("1")):
        assert name.dataset_name == DATASET


@pytest.mark.parametrize(
    "text",
    [
        "",
        "d",
        "projects/p/locations/l/datasets",
        "projects/p/locations/l/datasets/",
        "projects/p/locations/l/datasets/d/",
        "/projects/p/locations/l/datasets/d",
        "projects/p/locations/l/datasets/d/dicomStores/s",
        "projects/P/locations/l/datasets/d",
        "projects/p-/locations/l/datasets/d",
        "projects/p/locations/-/datasets/d",
        "projects/p/locations/l/datasets/..",
        "projects/p/locations/l/datasets/a b",
        "projects/p/locations/l/datasets/a\n",
        f"projects/p/locations/l/datasets/{'d' * 257}",
        None,
        5,
    ],
)
def test_what_is_no_dataset_name_is_refused_with_the_form(text: Any) -> None:
    with pytest.raises(InvalidResourceNameError, match="projects/P/locations/L/datasets/D") as caught:
        DatasetName.parse(text)
    assert caught.value.way_out


@pytest.mark.parametrize("store", ["a/b", "a?b", "a#b", "a%2Fb", "a b", "a:deidentify", "a\u2028b", "\ud800", "..", ""])
def test_a_store_id_that_would_break_out_of_the_path_is_refused(store: str) -> None:
    with pytest.raises(InvalidResourceNameError):
        DATASET.dicom_store(store)


@pytest.mark.parametrize("parts", [(5, "l", "d"), ("p", None, "d"), ("p", "l", b"d")])
def test_a_part_that_is_not_text_is_refused(parts: Any) -> None:
    with pytest.raises(InvalidResourceNameError):
        DatasetName(*parts)


def test_legacy_projects_and_project_numbers_are_names() -> None:
    assert DatasetName("example.com:project", "us", "d").project == "example.com:project"
    assert DatasetName("123456789012", "us", "Datensatz_ä").dataset == "Datensatz_ä"
