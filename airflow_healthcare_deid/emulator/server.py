"""Running the emulator: in a thread of the caller's process, on a loopback port of its own."""

from __future__ import annotations

import ipaddress
import socket
import threading
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Self

import uvicorn

from airflow_healthcare_deid.emulator.app import create_app
from airflow_healthcare_deid.emulator.protocol import DroppableConnection
from airflow_healthcare_deid.emulator.state import State
from airflow_healthcare_deid.errors import HealthcareDeidError, InvalidEndpointError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path
    from types import TracebackType

    from airflow_healthcare_deid.emulator.storage_emulator import StorageEmulator

_START_TIMEOUT = 30.0
_GRACE_SECONDS = 3


class Emulator:
    """A Cloud Healthcare API of one's own, for development and tests.

    ``with Emulator() as emulator:`` serves at ``emulator.url`` until the block ends.

    :param data_dir: directory that keeps everything across restarts, operations at work included; None keeps it in a
        temporary directory that goes when the emulator stops.
    :param host: a loopback address; any other is refused, since nothing here checks who asks.
    :param port: 0 takes a free one.
    :param tls: certificate file and key file, to serve https.
    :param with_storage: start a Cloud Storage emulator beside it, and have ``STORAGE_EMULATOR_HOST`` of this process
        name that one until `stop`; its objects are kept in ``data_dir/storage``, or in memory.
    :param clock: tells the time, with its zone; for tests of what takes days.
    :raises InvalidEndpointError: if the host is not loopback.
    :raises MissingPartError: if ``with_storage`` is asked for and the extra ``storage`` is not installed.
    """

    def __init__(
        self,
        data_dir: Path | None = None,
        host: str = "127.0.0.1",
        port: int = 0,
        tls: tuple[str | Path, str | Path] | None = None,
        *,
        with_storage: bool = False,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        if not _is_loopback(host):
            raise InvalidEndpointError(
                "host",
                f"{host} is not a loopback address; the emulator checks no credentials and must not be reachable",
                "Use 127.0.0.1, ::1 or localhost",
            )
        self._data_dir = data_dir
        self._host = host
        self._port = port
        self._tls = tls
        self._clock = clock
        self._gcs = _storage_emulator(data_dir) if with_storage else None
        self._state: State | None = None
        self._server: uvicorn.Server | None = None
        self._thread: threading.Thread | None = None
        self._socket: socket.socket | None = None

    @property
    def url(self) -> str:
        """Where it serves, for example ``http://127.0.0.1:40123``; it must have been started."""
        host = f"[{self._host}]" if ":" in self._host else self._host
        return f"{'https' if self._tls else 'http'}://{host}:{self._port}"

    @property
    def storage_url(self) -> str | None:
        """Where its Cloud Storage emulator serves, the value for ``STORAGE_EMULATOR_HOST``; None without one."""
        return self._gcs.url if self._gcs is not None else None

    @property
    def directory(self) -> Path:
        """Where it keeps everything; the tables of BigQuery exports are in ``bigquery``. It must have been started."""
        assert self._state is not None
        return self._state.storage.directory

    def start(self) -> Self:
        """Start serving, and go on with the operations that the last stop interrupted.

        :raises OSError: if the port is taken.
        :raises InvalidRequestError: if another emulator uses the data directory.
        """
        if self._thread is not None:
            return self
        family = socket.AF_INET6 if ":" in self._host else socket.AF_INET
        self._socket = socket.socket(family, socket.SOCK_STREAM)
        try:
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                self._socket.bind((self._host, self._port))
            except OSError as error:
                problem = f"{error.strerror}: {self._host}:{self._port}. Choose another port, or 0 for a free one"
                raise OSError(error.errno, problem) from None
            self._state = State(self._data_dir, self._clock)
        except BaseException:
            self._socket.close()
            raise
        if self._gcs is not None:
            self._gcs.start()
        self._port = self._socket.getsockname()[1]
        self._server = uvicorn.Server(self._config(self._state))
        self._thread = threading.Thread(target=self._serve, name="healthcare-emulator", daemon=True)
        self._thread.start()
        deadline = time.monotonic() + _START_TIMEOUT
        while not self._server.started:
            if not self._thread.is_alive() or time.monotonic() > deadline:
                self.stop()
                raise HealthcareDeidError("The emulator did not start; its log says why.")
            time.sleep(0.002)
        self._state.jobs.resume()
        return self

    def stop(self) -> None:
        """Stop serving; work in progress is interrupted, and taken up again if the data directory is served anew."""
        if self._state is None:
            return
        self._state.faults.release_all()
        if self._server is not None and self._thread is not None:
            self._server.should_exit = True
            self._thread.join()
        if self._socket is not None:
            self._socket.close()
        self._state.close()
        if self._gcs is not None:
            self._gcs.stop()
        self._state = self._server = self._thread = self._socket = None

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _config(self, state: State) -> uvicorn.Config:
        certfile, keyfile = self._tls or (None, None)
        return uvicorn.Config(
            create_app(state),
            http=DroppableConnection,
            ws="none",
            lifespan="off",
            log_config=None,
            access_log=False,
            proxy_headers=False,
            server_header=False,
            timeout_keep_alive=75,
            timeout_graceful_shutdown=_GRACE_SECONDS,
            ssl_certfile=certfile,
            ssl_keyfile=keyfile,
        )

    def _serve(self) -> None:
        assert self._server is not None
        assert self._socket is not None
        self._server.run(sockets=[self._socket])


def _storage_emulator(data_dir: Path | None) -> StorageEmulator:
    from airflow_healthcare_deid.emulator.storage_emulator import StorageEmulator

    return StorageEmulator(directory=data_dir / "storage" if data_dir else None)


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
