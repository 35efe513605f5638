"""The least server that answers for operations, in a process of its own: its cost is nobody's measurement.

It answers with a running operation, after a set latency; no dataset exists. It prints its port when it is ready.
"""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from contextlib import contextmanager
from datetime import UTC, datetime
from email.utils import format_datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

NAME = "projects/p/locations/us-central1/datasets/d/operations/{}"


class OperationsProtocol(asyncio.Protocol):
    """One connection; requests without a body, one after the other."""

    def __init__(self, latency: float) -> None:
        self._latency = latency
        self._transport: asyncio.Transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        verb, _, rest = data.partition(b" ")
        if verb not in (b"GET", b"POST"):
            return  # a body that came by itself
        path = rest.partition(b" ")[0].decode()
        found = verb == b"POST" or "/operations/" in path
        operation = {
            "name": path.removeprefix("/v1/") if verb == b"GET" else NAME.format(1),
            "metadata": {
                "@type": "type.googleapis.com/google.cloud.healthcare.v1.OperationMetadata",
                "apiMethodName": "google.cloud.healthcare.v1.dataset.DatasetService.DeidentifyDataset",
                "createTime": datetime.now(UTC).isoformat(),
                "counter": {"pending": "1000"},
            },
        }
        asyncio.get_running_loop().call_later(self._latency, self._answer, found, operation)

    def _answer(self, found: bool, body: object) -> None:
        content = json.dumps(body).encode()
        head = (
            f"HTTP/1.1 {'200 OK' if found else '404 Not Found'}\r\ncontent-type: application/json; charset=UTF-8\r\n"
            f"date: {format_datetime(datetime.now(UTC), usegmt=True)}\r\ncontent-length: {len(content)}\r\n\r\n"
        )
        self._transport.write(head.encode() + content)


async def serve(latency: float) -> None:
    """Serve until the process is ended."""
    server = await asyncio.get_running_loop().create_server(lambda: OperationsProtocol(latency), "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


@contextmanager
def operations_server(latency: float) -> Iterator[str]:
    """Run the server; yields its address."""
    command = [sys.executable, "-m", "benchmarks.operations_server", str(latency)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            yield f"http://127.0.0.1:{process.stdout.readline().strip()}"
        finally:
            process.terminate()


if __name__ == "__main__":
    asyncio.run(serve(float(sys.argv[1])))
