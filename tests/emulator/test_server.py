"""Starting, stopping and starting again."""

from __future__ import annotations

import logging
import os
import signal
import subprocess
import sys
import threading
from typing import TYPE_CHECKING

import httpx
import pytest
import trustme

from airflow_healthcare_deid.emulator import Emulator
from airflow_healthcare_deid.emulator.__main__ import main
from airflow_healthcare_deid.errors import InvalidEndpointError, InvalidRequestError
from tests.emulator.client import LOCATION, Client
from tests.emulator.dicom_files import instance

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize("host", ["0.0.0.0", "192.168.1.1", "example.com", "::", ""])
def test_only_loopback_is_served(host: str) -> None:
    with pytest.raises(InvalidEndpointError, match="not a loopback address"):
        Emulator(host=host)


def test_state_survives_a_restart(tmp_path: Path) -> None:
    data = instance()
    with Emulator(tmp_path) as emulator, Client(emulator.url) as client:
        port = int(emulator.url.rpartition(":")[2])
        store = client.new_store(instances=[data])
        operations = client.call("GET", f"{store.rpartition('/dicomStores')[0]}/operations")
    with Emulator(tmp_path, port=port) as emulator, Client(emulator.url) as client:
        assert emulator.url.endswith(f":{port}")
        assert client.call("GET", f"{store.rpartition('/dicomStores')[0]}/operations") == operations
        studies = client.call("GET", f"{store}/dicomWeb/studies")
        path = f"{store}/dicomWeb/studies/{studies[0]['0020000D']['Value'][0]}"
        assert data in client.http.get(f"/v1/{path}").content


def test_without_a_directory_nothing_stays(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    with Emulator() as emulator, Client(emulator.url) as client:
        client.new_store(instances=[instance()])
        assert list(tmp_path.iterdir())
    assert not list(tmp_path.iterdir())


def test_a_directory_serves_one_emulator(tmp_path: Path) -> None:
    with Emulator(tmp_path), pytest.raises(InvalidRequestError, match="in use by another emulator"):
        Emulator(tmp_path).start()


def test_a_taken_port_is_said_so(emulator: Emulator) -> None:
    port = int(emulator.url.rpartition(":")[2])
    with pytest.raises(OSError, match=f"in use: 127.0.0.1:{port}. Choose another port"):
        Emulator(port=port).start()


def test_it_leaves_no_thread_behind() -> None:
    before = set(threading.enumerate())
    with Emulator() as emulator, Client(emulator.url) as client:
        client.new_store(instances=[instance()])
    assert set(threading.enumerate()) <= before


def test_files_are_private_and_never_named_by_a_client(tmp_path: Path) -> None:
    with Emulator(tmp_path / "data") as emulator, Client(emulator.url) as client:
        client.new_store(instances=[instance(StudyInstanceUID="1.2.3.4.5.6.7")])
    assert (tmp_path / "data").stat().st_mode & 0o077 == 0
    files = [path for path in (tmp_path / "data" / "blobs").rglob("*") if path.is_file()]
    assert len(files) == 1
    assert "1.2.3.4" not in str(files[0])


def test_https_is_served(tmp_path: Path) -> None:
    authority = trustme.CA()
    issued = authority.issue_cert("127.0.0.1")
    certificate, key = tmp_path / "cert.pem", tmp_path / "key.pem"
    issued.private_key_pem.write_to_path(str(key))
    issued.cert_chain_pems[0].write_to_path(str(certificate))
    authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    import ssl

    context = ssl.create_default_context(cafile=str(tmp_path / "ca.pem"))
    with Emulator(tls=(certificate, key)) as emulator:
        assert emulator.url.startswith("https://")
        answer = httpx.get(f"{emulator.url}/v1/{LOCATION}/datasets", verify=context, trust_env=False)
        assert answer.status_code == 200


def test_no_request_is_logged_even_if_logging_is_configured_meanwhile(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    with Emulator() as emulator, Client(emulator.url) as client:
        store = client.new_store()
        monkeypatch.setattr(logging.getLogger("uvicorn.access"), "propagate", True)
        with caplog.at_level(logging.INFO, "uvicorn.access"), Client(emulator.url) as another:
            another.call("GET", f"{store}/dicomWeb/studies", PatientName="Lestrade", status=204)
    # What the test's own client logs is not the emulator's.
    logged = [record.getMessage() for record in caplog.records if record.name != "httpx"]
    assert not [message for message in logged if "Lestrade" in message]
    assert "uvicorn.access" not in {record.name for record in caplog.records}


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_the_command_tells_its_address_and_stops_on_a_signal(tmp_path: Path, number: signal.Signals) -> None:
    command = [sys.executable, "-m", "airflow_healthcare_deid.emulator", "--data-dir", str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        name, _, url = process.stdout.readline().strip().partition("=")
        assert name == "HEALTHCARE_EMULATOR_HOST"
        with Client(url) as client:
            client.error("GET", f"{LOCATION}/datasets/none", status=403)
        os.kill(process.pid, number)
        assert process.wait(30) == 0
        assert process.stdout.read() == ""
        assert process.stderr.read() == ""


def test_the_command_refuses_what_it_cannot_do() -> None:
    command = [sys.executable, "-m", "airflow_healthcare_deid.emulator", "--host", "0.0.0.0"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "not a loopback address" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("port", ["99999", "-1", "http"])
def test_a_port_that_is_none_is_refused_in_words(port: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["--port", port])
    assert ended.value.code == 2
    assert f"{port} is no port" in capsys.readouterr().err
