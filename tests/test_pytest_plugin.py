from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from pydicom.data import get_testdata_file

from airflow_healthcare_deid.endpoint import resolve_endpoint
from airflow_healthcare_deid.errors import ConflictError, RejectedRequestError

if TYPE_CHECKING:
    from airflow_healthcare_deid.emulator import Emulator
    from airflow_healthcare_deid.emulator.sandbox import Sandbox

CT = Path(str(get_testdata_file("CT_small.dcm")))
PATIENT = {"resourceType": "Patient", "id": "p1", "gender": "female"}


def test_dicom_files_are_loaded_and_read_back(healthcare_sandbox: Sandbox, tmp_path: Path) -> None:
    folder = tmp_path / "deep" / "er"
    folder.mkdir(parents=True)
    (folder / "ct.dcm").write_bytes(CT.read_bytes())
    store = healthcare_sandbox.dicom_store("ct", [tmp_path])
    [instance] = healthcare_sandbox.instances(store)
    assert instance.SOPInstanceUID == "1.3.6.1.4.1.5962.1.1.1.1.1.20040119072730.12322"
    assert list(healthcare_sandbox.instances(healthcare_sandbox.dicom_store("mr", []))) == []


def test_what_is_no_dicom_is_refused(healthcare_sandbox: Sandbox) -> None:
    with pytest.raises((RejectedRequestError, ConflictError)):
        healthcare_sandbox.dicom_store("ct", [b"no DICOM"])


def test_fhir_resources_are_loaded_from_anything(healthcare_sandbox: Sandbox, tmp_path: Path) -> None:
    file = tmp_path / "bundle.json"
    other = {**PATIENT, "id": "p2"}
    file.write_text(json.dumps({"resourceType": "Bundle", "type": "collection", "entry": [{"resource": other}]}))
    store = healthcare_sandbox.fhir_store("ehr", [PATIENT, file])
    assert {patient["id"] for patient in healthcare_sandbox.resources(store, "Patient")} == {"p1", "p2"}

    folder = tmp_path / "deep" / "er"
    folder.mkdir(parents=True)
    lines = (json.dumps({**PATIENT, "id": f"line{number}"}) for number in (1, 2))
    (folder / "Patient.ndjson").write_text("\n".join(lines) + "\n")
    (folder / "notes.txt").write_text("no resource")
    nameless = {"resourceType": "Patient", "active": True}
    store = healthcare_sandbox.fhir_store("folder", [tmp_path, nameless])
    ids = [patient["id"] for patient in healthcare_sandbox.resources(store, "Patient")]
    assert {"p2", "line1", "line2"} < set(ids)
    assert len(ids) == 4


def test_what_is_no_resource_is_refused_with_the_reason(healthcare_sandbox: Sandbox) -> None:
    with pytest.raises(RejectedRequestError, match=r"Patient\.birthDate: is no date") as refused:
        healthcare_sandbox.fhir_store("ehr", [{**PATIENT, "birthDate": "5 May"}])
    assert "5 May" not in str(refused.value)


def test_the_connection_leads_to_the_emulator(healthcare_connection: str, healthcare_emulator: Emulator) -> None:
    assert resolve_endpoint().url == healthcare_emulator.url
    assert healthcare_connection == "google_cloud_default"
    assert "google_cloud_platform" in os.environ["AIRFLOW_CONN_GOOGLE_CLOUD_DEFAULT"]


def test_sandboxes_do_not_meet(healthcare_sandbox: Sandbox, healthcare_emulator: Emulator) -> None:
    from airflow_healthcare_deid.emulator.sandbox import Sandbox

    with Sandbox(healthcare_emulator.url) as other:
        assert other.name != healthcare_sandbox.name
