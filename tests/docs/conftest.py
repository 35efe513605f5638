"""The places that the docs speak of, in an emulator: a dataset with data, one to write to, and a bucket."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest
from pydicom.data import get_testdata_file

from airflow_healthcare_deid.resource_names import DatasetName
from demo.fhir_samples import make_samples
from tests.support.chain import study_files

if TYPE_CHECKING:
    from collections.abc import Iterator

LOCATION = ("my-project", "us-central1")
CONFIG = "dicom: {filterProfile: MINIMAL_KEEP_LIST_PROFILE}\nfhir: {}\n"


class World(NamedTuple):
    """Where the snippets run.

    :param variables: what a reader has set in the environment.
    :param folder: working directory with the files that the docs speak of.
    """

    variables: dict[str, str]
    folder: Path


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """An emulator, and one of Cloud Storage, filled as the docs assume."""
    from google.auth.credentials import AnonymousCredentials
    from google.cloud.storage import Client

    from airflow_healthcare_deid.emulator import Emulator
    from airflow_healthcare_deid.emulator.sandbox import Sandbox

    folder = tmp_path_factory.mktemp("reader")
    patients = list(make_samples(3))
    resources: list[dict[str, Any]] = [one for sample in patients for one in (sample.patient, *sample.others)]
    with Emulator(with_storage=True) as emulator:
        with Sandbox(emulator.url, DatasetName(*LOCATION, "radiology")) as radiology:
            radiology.dicom_store("images", study_files())
            radiology.fhir_store("records", resources)
        with Sandbox(emulator.url, DatasetName(*LOCATION, "research")) as research:
            research.dicom_store("images")
            research.fhir_store("records")
        client = Client(project="my-project", credentials=AnonymousCredentials())
        bucket = client.create_bucket("my-bucket")
        bucket.blob("configs/deid.json").upload_from_string('{"dicom": {}, "fhir": {}}')
        bucket.blob("incoming/deep/one.dcm").upload_from_string(study_files()[0])
        bucket.blob("incoming/Patient.ndjson").upload_from_string(json.dumps(patients[0].patient))
        client.close()
        (folder / "config.yaml").write_text(CONFIG)
        (folder / "scan.dcm").write_bytes(Path(str(get_testdata_file("CT_small.dcm"))).read_bytes())
        (folder / "patient.json").write_text(json.dumps(patients[0].patient))
        assert emulator.storage_url
        yield World(
            {
                "HEALTHCARE_EMULATOR_HOST": emulator.url,
                "STORAGE_EMULATOR_HOST": emulator.storage_url,
                "AIRFLOW_CONN_GOOGLE_CLOUD_DEFAULT": '{"conn_type": "google_cloud_platform"}',
            },
            folder,
        )
