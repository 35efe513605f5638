"""What answers may be no Healthcare API: it is told nothing more, and what it says is taken for no operation."""

from __future__ import annotations

import asyncio
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING

import pytest

from airflow_healthcare_deid.errors import RejectedRequestError, TransientApiError
from airflow_healthcare_deid.hooks.healthcare import HealthcareAsyncHook, HealthcareHook
from tests.support.wing import SOURCE

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextmanager
def foreign_server(status: int, content: bytes = b"", location: str = "") -> Iterator[tuple[str, list[str]]]:
    """Serve one answer to any request; gives the address, and the paths that were asked for."""
    asked: list[str] = []

    class Foreign(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            self.send_response(status)
            if location:
                self.send_header("Location", location)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            self.do_GET()

        def log_message(self, *_: object) -> None:
            """Be quiet."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Foreign) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}", asked
        finally:
            server.shutdown()
            thread.join()


async def look(url: str) -> None:
    async with HealthcareAsyncHook(api_endpoint=url) as hook:
        await hook.get_operation(str(SOURCE.operation("1")))


def test_redirects_are_not_followed(connection: None) -> None:
    """Whoever answers must not choose where the next request, and its token, go."""
    with foreign_server(307, location="/elsewhere") as (url, asked):
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


@pytest.mark.parametrize(
    "content", [b"", b"<html>a page</html>", b"null", b"[1]", b"{}", b'{"name": 1}', b'{"name": "n", "metadata": "m"}']
)
def test_an_answer_that_is_no_operation_leaves_it_open_whether_one_was_started(
    connection: None, content: bytes
) -> None:
    with foreign_server(200, content) as (url, _):
        hook = HealthcareHook(api_endpoint=url)
        with pytest.raises(TransientApiError, match="a proxy may have answered") as caught:
            hook.deidentify_dataset(SOURCE, {})
        assert caught.value.sent
        with pytest.raises(TransientApiError, match="a proxy may have answered"):
            hook.get_operation(str(SOURCE.operation("1")))
        hook.close()
        with pytest.raises(TransientApiError, match="a proxy may have answered"):
            asyncio.run(look(url))
