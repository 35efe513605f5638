"""Who asks, where, and what is said when no answer comes or none that can be used."""

from __future__ import annotations

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING

import pytest

from tests.support.emulator_admin import EmulatorAdmin
from tests.support.identity import fingerprint

if TYPE_CHECKING:
    from pathlib import Path

    from airflow_healthcare_deid.emulator import Emulator
    from tests.cli.conftest import Run
    from tests.support.identity import TokenServer

SOURCE = "projects/p/locations/us-central1/datasets/raw"


def test_a_lost_answer_says_where_to_look(run: Run, emulator: Emulator, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HEALTHCARE_EMULATOR_HOST", emulator.url)
    with EmulatorAdmin(emulator.url) as admin:
        admin.add_fault("POST", ":deidentify$", drop="before")
        result = run("deidentify", SOURCE, "--destination-dataset", "clean", "--fhir")
    assert result.code == 1
    assert f"It may have started all the same. Look first: healthcare-deid operations list {SOURCE}" in result.err


def test_a_request_that_reached_nobody_started_nothing(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HEALTHCARE_EMULATOR_HOST", "http://127.0.0.1:9")
    result = run("deidentify", SOURCE, "--destination-dataset", "clean", "--fhir")
    assert result.code == 1
    assert "may have started" not in result.err


@pytest.mark.parametrize("content", [b"<html>a proxy's page</html>", b"", b"[1]"])
def test_an_answer_that_is_not_the_service_s_is_said_to_be_none(run: Run, content: bytes) -> None:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("content-length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever).start()
        result = run("operations", "list", SOURCE, "--api-endpoint", f"http://127.0.0.1:{server.server_port}")
        server.shutdown()
    assert result.code == 1
    assert "is no JSON object; a proxy may have answered" in result.err


@pytest.mark.parametrize("account", [None, "other@demo.example"])
@pytest.mark.parametrize(
    ("arguments", "scopes"),
    [
        ((), ["cloud-platform"]),
        (("--scope", "https://scope.example/a", "--scope", "https://scope.example/b"), ["a", "b"]),
    ],
)
def test_the_token_is_for_whom_and_what_was_asked(
    run: Run,
    secure_emulator: tuple[Emulator, Path],
    tokens: TokenServer,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    arguments: tuple[str, ...],
    scopes: list[str],
    account: str | None,
) -> None:
    emulator, trusted = secure_emulator
    (tmp_path / "key.json").write_text(json.dumps(tokens.key_file()))
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(tmp_path / "key.json"))
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(trusted))
    monkeypatch.setattr("google.auth.iam._IAM_ENDPOINT", tokens.lending_url)
    acting = ("--impersonate-service-account", account) if account else ()
    with EmulatorAdmin(emulator.url, trusted) as admin:
        admin.reset()
        # Nothing is there, which is an answer as good as any.
        assert run("operations", "list", SOURCE, "--api-endpoint", emulator.url, *arguments, *acting).code == 1
        [request] = admin.requests("GET", "operations")
    assert request["authorization"] == fingerprint(tokens.issued[-1])
    assert [loan["account"] for loan in tokens.lent] == ([account] if account else [])
    asked = tokens.lent[0]["scope"] if account else tokens.scopes[-1].split()
    assert [scope.rpartition("/")[2] for scope in asked] == scopes


def test_nobody_there_says_what_to_start(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HEALTHCARE_EMULATOR_HOST", "http://127.0.0.1:9")
    result = run("operations", "list", SOURCE)
    assert result.code == 1
    assert "healthcare-deid emulator" in result.err


def test_without_credentials_it_says_how_to_get_them(run: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("CLOUDSDK_CONFIG", str(tmp_path))
    monkeypatch.setenv("NO_GCE_CHECK", "true")
    monkeypatch.delenv("HEALTHCARE_EMULATOR_HOST", raising=False)
    result = run("operations", "list", SOURCE)
    assert result.code == 1
    assert "gcloud auth application-default login" in result.err


def test_plain_http_to_another_machine_is_refused(run: Run) -> None:
    result = run("operations", "list", SOURCE, "--api-endpoint", "http://healthcare.example.org")
    assert result.code == 2
    assert "in the clear" in result.err
