"""Where the emulator keeps its state: one SQLite database as the index, files for DICOM instances.

Each part of the emulator brings its own tables (`Storage.ensure`). Files are named by a hash of what they hold,
never by anything a client sent, and appear by an atomic rename, so a crash leaves the old state or the new one.
"""

from __future__ import annotations

import fcntl
import hashlib
import secrets
import shutil
import sqlite3
import tempfile
import threading
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from airflow_healthcare_deid.errors import InvalidRequestError

if TYPE_CHECKING:
    from collections.abc import Iterator


class Storage:
    """State in a directory.

    :param directory: where to keep it; None takes a temporary directory that `close` removes.
    :raises InvalidRequestError: if another emulator uses the directory.
    """

    def __init__(self, directory: Path | None = None) -> None:
        self._temporary = directory is None
        self.directory = Path(tempfile.mkdtemp(prefix="healthcare-emulator-")) if directory is None else directory
        self.directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._lock_file = (self.directory / "lock").open("w")
        try:
            fcntl.flock(self._lock_file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            self._lock_file.close()
            raise InvalidRequestError(
                "data_dir", f"{self.directory} is in use by another emulator", "Stop that one or take another directory"
            ) from None
        self.incoming = self._empty_incoming()
        self._local = threading.local()
        self._connections: list[sqlite3.Connection] = []
        self._write_lock = threading.RLock()

    def ensure(self, schema: str) -> None:
        """Create tables and indexes; ``schema`` is SQL of ``CREATE … IF NOT EXISTS`` statements."""
        with self._write_lock:
            self.read().executescript(schema)

    def read(self) -> sqlite3.Connection:
        """Return this thread's connection, for queries; rows are `sqlite3.Row`."""
        connection: sqlite3.Connection | None = getattr(self._local, "connection", None)
        if connection is None:
            connection = self._connect()
            self._local.connection = connection
        return connection

    @contextmanager
    def write(self) -> Iterator[sqlite3.Connection]:
        """Open a transaction: committed at the end of the block, undone if it raises. Writers take turns."""
        with self._write_lock:
            connection = self.read()
            if connection.in_transaction:  # nested in a block of the same thread: the outer one commits
                yield connection
                return
            connection.execute("BEGIN IMMEDIATE")
            try:
                yield connection
            except BaseException:
                connection.rollback()
                raise
            connection.commit()

    def blob_path(self, owner: int, *identity: str) -> Path:
        """Return where to keep a file of a store; its name is a hash, so no identity can steer it.

        :param owner: key of the store, so that `remove_blobs` can find all its files.
        :param identity: what the file holds, for example the three UIDs of an instance.
        """
        name = hashlib.sha256("\0".join(identity).encode("utf-8", "surrogatepass")).hexdigest()
        return Path(f"{self.directory}/blobs/{owner}/{name[:2]}/{name[2:]}")

    @staticmethod
    def keep(file: Path, blob: Path) -> None:
        """Move a file to where a `blob_path` says; one that is there goes."""
        try:
            file.replace(blob)
        except FileNotFoundError:  # the first one of its folder
            blob.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            file.replace(blob)

    def remove_blobs(self, owner: int) -> None:
        """Remove all files of a store."""
        shutil.rmtree(self.directory / "blobs" / str(owner), ignore_errors=True)

    def close(self) -> None:
        """Close all connections; a temporary directory goes too."""
        with self._write_lock:
            for connection in self._connections:
                connection.close()
            self._connections.clear()
            self._local = threading.local()
        self._lock_file.close()
        if self._temporary:
            shutil.rmtree(self.directory, ignore_errors=True)

    def _empty_incoming(self) -> Path:
        """Return a folder for this run alone: a worker that outlived a killed emulator finds its own gone.

        The old one is moved before it is removed, so that such a worker adds nothing to it meanwhile.
        """
        incoming, stale = self.directory / "incoming", self.directory / "stale"
        shutil.rmtree(stale, ignore_errors=True)
        if incoming.exists():
            incoming.rename(stale)
            shutil.rmtree(stale, ignore_errors=True)
        folder = incoming / secrets.token_hex(8)
        folder.mkdir(mode=0o700, parents=True)
        return folder

    def _connect(self) -> sqlite3.Connection:
        connection = sqlite3.connect(
            self.directory / "index.sqlite3", timeout=30, isolation_level=None, check_same_thread=False
        )
        connection.row_factory = sqlite3.Row
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute(f"PRAGMA synchronous = {'OFF' if self._temporary else 'NORMAL'}")
        connection.execute("PRAGMA foreign_keys = ON")
        self._connections.append(connection)
        return connection
