"""Nothing of patients, keys and tokens is left where Airflow or the emulator keep something.

A whole DAG runs with retries and failures: over https, with a token, keys from a variable and a connection, and
patients whose names occur nowhere else. Then every log file, every table of Airflow's metadata database (XComs,
rendered fields, triggers and the validation report among them) and the emulator's log are searched.
"""

from __future__ import annotations

import base64
import json
import shutil
import ssl
from functools import partial
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from airflow_healthcare_deid.operation import OperationStatus
from demo.local_airflow import LocalAirflow
from demo.playground import CONNECTION
from demo.processes import free_port, wait_until
from tests.e2e.conftest import DAGS
from tests.emulator.dicom_files import instance
from tests.support.airflow_runs import wait_for_dag, wait_for_run, wait_for_task
from tests.support.emulator_admin import EmulatorAdmin
from tests.support.findings import in_database, in_files
from tests.support.identity import TokenServer, fingerprint
from tests.support.tls_emulator import TlsEmulatorProcess

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

DAG_ID = "leaks"
DATASETS = "projects/demo-project/locations/us-central1/datasets"
LOOK = "/source/operations/[0-9]+$"

VARIABLE_KEY = base64.b64encode(b"a key in a variable, 32 bytes...").decode()
CONNECTION_KEY = base64.b64encode(b"a key in a connection, 32 bytes.").decode()
MALFORMED_KEY = base64.b64encode(b"a key that is too short").decode() + "CanaryMalformed"
SECRETS = {
    "family name": "Canarywhistle",
    "given name": "Quillonaire",
    "patient id": "CANARY-MRN-7781",
    "key in a variable": VARIABLE_KEY,
    "key in a connection": CONNECTION_KEY,
    "malformed key": MALFORMED_KEY,
}


class CanaryTokens(TokenServer):
    """Tokens that occur nowhere else."""

    def issue(self) -> str:
        self.issued.append(f"ya29.canary-token-{len(self.issued) + 1:04}-end")
        return self.issued[-1]


class Story:
    """The DAG's one run, played to its end, with what is left of it."""

    def __init__(
        self, airflow: LocalAirflow, admin: EmulatorAdmin, tokens: TokenServer, private_key: str, log: Path
    ) -> None:
        self.airflow = airflow
        self.admin = admin
        self.tokens = tokens
        self.private_key = private_key
        self.emulator_log = log
        self.database = airflow.home / "airflow.db"
        self.run_id = ""

    def play(self) -> None:
        """The first operation fails, the second succeeds; what is there while it is watched is searched, too."""
        self.admin.set_progression("manual", apiMethodName="DeidentifyDataset")
        self.admin.add_fault("POST", "/fhirStores/records:deidentify$", status=503)
        wait_for_dag(self.airflow, DAG_ID)
        self.run_id = self.airflow.api.trigger(DAG_ID)
        self._deferred_operation(earlier=[])
        failed = self._operations()
        self.admin.advance(failed[0], error={"code": 13, "message": "internal"})
        self._deferred_operation(earlier=failed)
        self.while_deferred = in_database(self.secrets, self.database)
        self.admin.advance(next(name for name in self._operations() if name not in failed), done=True)
        assert wait_for_run(self.airflow, DAG_ID, self.run_id, timeout=240) == "failed"

    @property
    def secrets(self) -> dict[str, str]:
        # Only the lines of the key's body: the frame around it is the same for all.
        private = {f"private key {number}": line for number, line in enumerate(self.private_key.splitlines()[1:-1])}
        return {**SECRETS, **private, **{f"token {number}": token for number, token in enumerate(self.tokens.issued)}}

    def states(self) -> dict[str, str | None]:
        return self.airflow.api.task_states(DAG_ID, self.run_id)

    def log(self, task_id: str) -> str:
        return self.airflow.task_log(DAG_ID, self.run_id, task_id)

    def files(self) -> list[Path]:
        """Everything that Airflow has written, besides its database, and the emulator's log."""
        written = [path for path in self.airflow.home.rglob("*") if path.is_file() and "airflow.db" not in path.name]
        return [*written, self.emulator_log]

    def requests(self, method: str, path: str) -> list[dict[str, Any]]:
        """What the emulator received from workers and triggerer."""
        ours = "airflow-healthcare-deid/"
        return [request for request in self.admin.requests(method, path) if request["userAgent"].startswith(ours)]

    def _operations(self) -> list[str]:
        """The operations that were watched."""
        looked_at = (request["path"] for request in self.requests("GET", LOOK))
        return list(dict.fromkeys(path.removeprefix("/v1/") for path in looked_at))

    def _deferred_operation(self, earlier: list[str]) -> None:
        wait_until(lambda: set(self._operations()) > set(earlier), 180, "an operation that is watched")
        wait_for_task(self.airflow, DAG_ID, self.run_id, "dataset", "deferred", timeout=120)


@pytest.fixture(scope="module")
def story(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Story]:
    folder = tmp_path_factory.mktemp("leaks")
    emulator = TlsEmulatorProcess(folder / "emulator")
    settings = {
        "REQUESTS_CA_BUNDLE": str(emulator.trusted),
        # Nothing of what Google's libraries ask besides leaves this machine.
        "HTTPS_PROXY": f"http://127.0.0.1:{free_port()}",
        "NO_PROXY": "127.0.0.1",
        "AIRFLOW__LOGGING__LOGGING_LEVEL": "DEBUG",
    }
    airflow = LocalAirflow(folder / "airflow", DAGS / "leaks", environment=settings, busy=True)
    with emulator, CanaryTokens() as tokens, airflow, EmulatorAdmin(emulator.url, emulator.trusted) as admin:
        load_patients(emulator)
        key_file = tokens.key_file()
        extra = {
            "project": "demo-project",
            "keyfile_dict": json.dumps(key_file),
            "healthcare_api_endpoint": emulator.url,
        }
        airflow.api.add_connection(CONNECTION, "google_cloud_platform", extra)
        keys = {"connection_id": "deid_keys", "conn_type": "generic", "password": CONNECTION_KEY}
        airflow.api.request("POST", "/connections", keys)
        for name, value in {"deid_key": VARIABLE_KEY, "malformed_key": MALFORMED_KEY}.items():
            airflow.api.request("POST", "/variables", {"key": name, "value": value})
        story = Story(airflow, admin, tokens, key_file["private_key"], emulator.log)
        story.play()
        yield story
    shutil.rmtree(folder, ignore_errors=True)


def load_patients(emulator: TlsEmulatorProcess) -> None:
    """Two datasets with a DICOM store and a FHIR store each, with one patient; and a FHIR store for copies."""
    family, given = SECRETS["family name"], SECRETS["given name"]
    patient = {
        "resourceType": "Patient",
        "id": "1",
        "name": [{"family": family, "given": [given]}],
        "identifier": [{"value": SECRETS["patient id"]}],
        "text": {
            "status": "generated",
            "div": f'<div xmlns="http://www.w3.org/1999/xhtml">{family}, {given}</div>',
        },
    }
    comment = f"{given} {family} was here"
    image = instance(PatientName=f"{family}^{given}", PatientID=SECRETS["patient id"], ImageComments=comment)
    verify = ssl.create_default_context(cafile=emulator.trusted)
    with httpx.Client(base_url=f"{emulator.url}/v1/", timeout=30, trust_env=False, verify=verify) as client:

        def send(method: str, path: str, **content: Any) -> dict[str, Any]:
            reply = client.request(method, path, **content)
            assert reply.is_success, reply.text
            return dict(reply.json())

        def is_done(operation: str) -> bool:
            return bool(send("GET", operation).get("done"))

        r4 = {"version": "R4", "enableUpdateCreate": True}
        dicom = {"content-type": "application/dicom", "accept": "application/dicom+json"}
        fhir = {"content-type": "application/fhir+json"}
        for name in ("source", "raw"):
            dataset = f"{DATASETS}/{name}"
            made = send("POST", DATASETS, params={"datasetId": name}, json={})["name"]
            wait_until(partial(is_done, made), 30, f"the dataset {name}")
            send("POST", f"{dataset}/dicomStores", params={"dicomStoreId": "images"}, json={})
            send("POST", f"{dataset}/fhirStores", params={"fhirStoreId": "records"}, json=r4)
            send("POST", f"{dataset}/dicomStores/images/dicomWeb/studies", content=image, headers=dicom)
            send("PUT", f"{dataset}/fhirStores/records/fhir/Patient/1", json=patient, headers=fhir)
        send("POST", f"{DATASETS}/source/fhirStores", params={"fhirStoreId": "copies"}, json=r4)


def test_the_dag_retried_and_failed(story: Story) -> None:
    states = {"dataset": "success", "validate": "failed", "fhir_store": "failed", "malformed": "failed"}
    assert story.states() == states
    assert f"is {OperationStatus.FAILED}" in story.log("dataset")
    assert "is not de-identified as asked for" in story.log("validate")
    assert "503" in story.log("fhir_store")
    assert "cryptoKey" in story.log("malformed")


def test_the_search_finds_what_is_there(story: Story) -> None:
    there = {"destination": f"{DATASETS}/copy"}
    assert ("destination", "xcom.value") in in_database(there, story.database)
    assert ("destination", "rendered_task_instance_fields.rendered_fields") in in_database(there, story.database)
    assert any(file.startswith("attempt=") for _, file in in_files(there, story.files()))
    keys = {"name of the key": "malformed_key"}
    assert ("name of the key", "variable.key") in in_database(keys, story.database)


def test_no_secret_is_in_airflows_database(story: Story) -> None:
    assert in_database(story.secrets, story.database) | story.while_deferred == set()
    # Rows that were deleted may still be readable in the file.
    raw = [path for path in story.airflow.home.iterdir() if path.name.startswith("airflow.db")]
    assert in_files(story.secrets, raw) == set()


def test_no_secret_is_in_a_log_or_another_file(story: Story) -> None:
    assert in_files(story.secrets, story.files()) == set()


def test_worker_and_triggerer_use_the_connections_token(story: Story) -> None:
    issued = {fingerprint(token) for token in story.tokens.issued}
    submitted = {request["authorization"] for request in story.requests("POST", "/source:deidentify$")}
    looked = {request["authorization"] for request in story.requests("GET", LOOK)}
    assert submitted
    assert looked
    assert submitted | looked <= issued
