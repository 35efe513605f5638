"""A service account of nobody, the token server that believes it, and an emulator over https that gets its tokens."""

from __future__ import annotations

import base64
import hashlib
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any, Self
from urllib.parse import parse_qs

import pytest
from google.auth import credentials

from airflow_healthcare_deid.emulator import Emulator
from tests.support.certificates import certify
from tests.support.emulator_admin import EmulatorAdmin

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path


class TokenServer:
    """Hands out ``token-1``, ``token-2`` and so on, over plain http on this machine.

    :ivar answer: None to hand out tokens, else the status to refuse with.
    :ivar scopes: what each token it handed out is good for.
    :ivar lent: of which other accounts it lent a token, through whom, and what for.
    """

    def __init__(self) -> None:
        self.issued: list[str] = []
        self.asked = 0
        self.scopes: list[str] = []
        self.lent: list[dict[str, Any]] = []
        self.answer: int | None = None
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self._thread = threading.Thread(target=self._server.serve_forever)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}/token"

    @property
    def lending_url(self) -> str:
        """Where the tokens of other accounts are to be had, in the form that google-auth keeps."""
        return self.url.replace("/token", "/serviceAccounts/{}:generateAccessToken")

    def issue(self) -> str:
        self.issued.append(f"token-{len(self.issued) + 1}")
        return self.issued[-1]

    def key_file(self) -> dict[str, str]:
        """Return the key of a service account whose tokens come from here."""
        from cryptography.hazmat.primitives.asymmetric import rsa
        from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

        key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        return {
            "type": "service_account",
            "project_id": "demo-project",
            "private_key_id": "1",
            "private_key": key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode(),
            "client_email": "nobody@demo-project.iam.gserviceaccount.com",
            "token_uri": self.url,
        }


def fingerprint(token: str) -> str:
    """Return what the emulator writes down of an ``Authorization`` header."""
    return "sha256:" + hashlib.sha256(f"Bearer {token}".encode()).hexdigest()


@pytest.fixture(scope="module")
def secure_emulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Emulator, Path]]:
    certificate = certify(tmp_path_factory.mktemp("tls"))
    with Emulator(tls=(str(certificate.chain), str(certificate.key))) as emulator:
        yield emulator, certificate.trusted


@pytest.fixture
def tokens(monkeypatch: pytest.MonkeyPatch) -> Iterator[TokenServer]:
    # Newer versions of google-auth ask Google where an account may be used, behind the scenes.
    if asking := getattr(credentials, "CredentialsWithRegionalAccessBoundary", None):
        monkeypatch.setattr(asking, "_is_regional_access_boundary_lookup_required", lambda _: False, raising=False)
    with TokenServer() as server:
        yield server


@pytest.fixture
def secure(
    secure_emulator: tuple[Emulator, Path], tokens: TokenServer, monkeypatch: pytest.MonkeyPatch
) -> Iterator[EmulatorAdmin]:
    """A connection with a key, to an emulator that the connection names."""
    emulator, trusted = secure_emulator
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(trusted))
    connect(monkeypatch, tokens, healthcare_api_endpoint=emulator.url)
    with EmulatorAdmin(emulator.url, trusted) as admin:
        admin.reset()
        yield admin


def connect(monkeypatch: pytest.MonkeyPatch, tokens: TokenServer, **extra: Any) -> None:
    given = {"project": "demo-project", "keyfile_dict": json.dumps(tokens.key_file()), **extra}
    value = json.dumps({"conn_type": "google_cloud_platform", "extra": given})
    monkeypatch.setenv("AIRFLOW_CONN_GOOGLE_CLOUD_DEFAULT", value)


def _claims(asked: bytes) -> dict[str, Any]:
    """Return what an account says of itself and wants, in the middle of a signed token (RFC 7523)."""
    payload = parse_qs(asked.decode())["assertion"][0].split(".")[1]
    claims: dict[str, Any] = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    return claims


def _handler(server: TokenServer) -> Callable[..., BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            asked = self.rfile.read(int(self.headers["content-length"]))
            server.asked += 1
            status = server.answer or 200
            body: dict[str, Any] = {"error": "refused"}
            account, _, verb = self.path.rpartition("/")[2].partition(":")
            if status == 200 and verb == "generateAccessToken":
                wanted = json.loads(asked)
                server.lent.append({"account": account, "delegates": wanted["delegates"], "scope": wanted["scope"]})
                body = {"accessToken": server.issue(), "expireTime": "2099-01-01T00:00:00Z"}
            elif status == 200:
                server.scopes.append(_claims(asked)["scope"])
                body = {"access_token": server.issue(), "expires_in": 3600, "token_type": "Bearer"}
            content = json.dumps(body).encode()
            self.send_response(status)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: Any) -> None:
            pass

    return Handler
