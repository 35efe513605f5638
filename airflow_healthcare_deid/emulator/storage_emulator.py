"""A Cloud Storage emulator beside this one, for ``--with-storage``: gcp-storage-emulator in a thread.

Its server is assembled here from that package's own parts, since its ``create_server`` cannot tell which port a
``0`` became.
"""

from __future__ import annotations

import functools
import logging
import os
import sys
import threading
from http.server import HTTPServer
from typing import TYPE_CHECKING, Self

from airflow_healthcare_deid.engine.errors import MissingPartError

if TYPE_CHECKING:
    from pathlib import Path

logger = logging.getLogger(__name__)

HOST_VARIABLE = "STORAGE_EMULATOR_HOST"
"""The environment variable that Google's storage clients look at."""


class StorageEmulator:
    """A Cloud Storage emulator; while it runs, ``STORAGE_EMULATOR_HOST`` of this process names it.

    :param host: the address to listen on.
    :param directory: where to keep buckets and objects; None keeps them in memory.
    :raises MissingPartError: if the extra ``storage`` is not installed.
    """

    def __init__(self, host: str = "127.0.0.1", directory: Path | None = None) -> None:
        try:
            from gcp_storage_emulator.server import RequestHandler
            from gcp_storage_emulator.storage import Storage
        except ImportError:
            raise MissingPartError("storage") from None
        # It logs every request, and those name objects; nothing of that belongs into somebody else's log.
        logging.getLogger("gcp_storage_emulator").setLevel(logging.CRITICAL)
        storage = Storage(use_memory_fs=directory is None, data_dir=None if directory is None else str(directory))
        self._host = host
        self._handler = functools.partial(RequestHandler, storage)
        self._server: _Server | None = None
        self._thread: threading.Thread | None = None
        self._before: str | None = None

    @property
    def url(self) -> str:
        """Its address, the value for ``STORAGE_EMULATOR_HOST``; it must have been started."""
        assert self._server is not None
        return f"http://{self._host}:{self._server.server_port}"

    def start(self) -> Self:
        """Serve on a free port, and point this process's storage clients there."""
        self._server = _Server((self._host, 0), self._handler)
        self._thread = threading.Thread(
            target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, name="storage-emulator", daemon=True
        )
        self._thread.start()
        self._before = os.environ.get(HOST_VARIABLE)
        os.environ[HOST_VARIABLE] = self.url
        return self

    def stop(self) -> None:
        """Stop serving, and restore the environment."""
        if self._server is None or self._thread is None:
            return
        if self._before is None:
            os.environ.pop(HOST_VARIABLE, None)
        else:
            os.environ[HOST_VARIABLE] = self._before
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
        self._server = self._thread = None

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()


class _Server(HTTPServer):
    # One request after the other: the package's store is made for that. Others wait in this queue.
    request_queue_size = 128

    def handle_error(self, request: object, client_address: object) -> None:
        """Leave out the traceback that the standard library prints: it may show what was sent."""
        logger.warning("Storage emulator: a request ended with %s", type(sys.exception()).__name__)
