"""The emulator of the Cloud Healthcare API with one of Cloud Storage beside it, as a process of its own."""

from __future__ import annotations

import os
import re
import sys
from typing import TYPE_CHECKING, Self

from demo.processes import ManagedProcess, free_port, wait_until

if TYPE_CHECKING:
    from pathlib import Path

READY = "HEALTHCARE_EMULATOR_HOST="
STORAGE_VARIABLE = "STORAGE_EMULATOR_HOST"


class EmulatorProcess(ManagedProcess):
    """The emulator on a port that stays the same over a restart; that of its Cloud Storage does not.

    :param data_dir: where it keeps its state.
    :param log: its log file.
    :param port: default: a free one.
    """

    def __init__(self, data_dir: Path, log: Path, port: int | None = None) -> None:
        port = port or free_port()
        self.url = f"http://127.0.0.1:{port}"
        super().__init__(
            "emulator",
            [
                sys.executable,
                "-m",
                "airflow_healthcare_deid.emulator",
                *("--host", "127.0.0.1"),
                *("--port", str(port)),
                *("--data-dir", str(data_dir)),
                "--with-storage",
            ],
            log=log,
            environment={**os.environ, "PYTHONUNBUFFERED": "1"},
        )

    @property
    def storage_url(self) -> str:
        """Where its Cloud Storage listens; it must be ready."""
        said = re.findall(rf"^{STORAGE_VARIABLE}=(.*)$", self.log.read_text(errors="replace"), re.MULTILINE)
        return str(said[-1])

    def __enter__(self) -> Self:
        try:
            self.start()
        except BaseException:
            self.kill()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def start(self) -> None:
        """Start it and wait until it says that it is ready.

        :raises ProcessFailedError: it ended.
        :raises TimeoutError: it was not ready in time.
        """
        said_before = self._times_ready()
        super().start()
        wait_until(lambda: self._is_ready(said_before), timeout=60, what="the emulator ready")

    def _is_ready(self, said_before: int) -> bool:
        self.check()
        return self._times_ready() > said_before

    def _times_ready(self) -> int:
        return self.log.read_text(errors="replace").count(READY) if self.log.exists() else 0
