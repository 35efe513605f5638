"""The least Cloud Storage that takes uploads, in a process of its own: it forgets what it is sent."""

from __future__ import annotations

import json
import subprocess
import sys
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator


class Handler(BaseHTTPRequestHandler):
    """Any bucket is there; an upload is one request, or one that announces it and one with the content."""

    protocol_version = "HTTP/1.1"
    wbufsize = 1 << 16  # an answer in one packet: in two, the second would wait for the first to be acknowledged

    def do_GET(self) -> None:
        self._answer()

    def do_PUT(self) -> None:
        self._answer()

    def do_POST(self) -> None:
        self._answer()

    def _answer(self) -> None:
        left = int(self.headers.get("content-length", 0))
        while left:
            left -= len(self.rfile.read(min(left, 1 << 16)))
        content = json.dumps({"name": "o", "bucket": "bucket", "size": "1"}).encode()
        self.send_response(200)
        if "uploadType=resumable" in self.path:
            self.send_header("location", f"http://{self.headers['host']}/upload/session")
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_: object) -> None:
        pass


@contextmanager
def storage_server() -> Iterator[str]:
    """Run the server; yields its address."""
    command = [sys.executable, "-m", "benchmarks.storage_server"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            yield process.stdout.readline().strip()
        finally:
            process.terminate()


if __name__ == "__main__":
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    print(f"http://127.0.0.1:{server.server_port}", flush=True)
    server.serve_forever()
