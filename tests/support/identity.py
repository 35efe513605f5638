"""A service account of nobody, and the token server that believes it."""

from __future__ import annotations

import hashlib
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any, Self

if TYPE_CHECKING:
    from collections.abc import Callable


class TokenServer:
    """Hands out ``token-1``, ``token-2`` and so on, over plain http on this machine.

    :param answer: None to hand out tokens, else the status to refuse with.
    """

    def __init__(self) -> None:
        self.issued: list[str] = []
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


def _handler(server: TokenServer) -> Callable[..., BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["content-length"]))
            status = server.answer or 200
            body: dict[str, Any] = {"error": "refused"}
            if status == 200:
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
