"""A redirect is an error: whoever answers must not choose where the next request, and its token, go."""

from __future__ import annotations

import asyncio
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING

import pytest

from airflow_healthcare_deid.errors import RejectedRequestError
from airflow_healthcare_deid.hooks.healthcare import HealthcareAsyncHook, HealthcareHook
from tests.support.wing import SOURCE

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextmanager
def redirecting_server() -> Iterator[tuple[str, list[str]]]:
    """Serve one redirect to any request; gives the address, and the paths that were asked for."""
    asked: list[str] = []

    class Redirecting(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            self.send_response(307)
            self.send_header("Location", "/elsewhere")
            self.send_header("Content-Length", "0")
            self.end_headers()

        def do_POST(self) -> None:
            self.do_GET()

        def log_message(self, *_: object) -> None:
            """Be quiet."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Redirecting) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}", asked
        server.shutdown()
        thread.join()


async def look(url: str) -> None:
    async with HealthcareAsyncHook(api_endpoint=url) as hook:
        await hook.get_operation(str(SOURCE.operation("1")))


def test_redirects_are_not_followed(connection: None) -> None:
    with redirecting_server() as (url, asked):
        hook = HealthcareHook(api_endpoint=url)
        with pytest.raises(RejectedRequestError, match="api_endpoint"):
            hook.get_dataset(SOURCE)
        with pytest.raises(RejectedRequestError, match="api_endpoint"):
            hook.deidentify_dataset(SOURCE, {})
        hook.close()
        with pytest.raises(RejectedRequestError, match="api_endpoint"):
            asyncio.run(look(url))
    assert len(asked) == 3
    assert "/elsewhere" not in asked
