"""Processes of our own: started in a session of their own, logged to a file, and never left behind."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import time
from typing import TYPE_CHECKING

import psutil

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path


class ProcessFailedError(RuntimeError):
    """A process ended, or was not ready, before it could do its work; the message holds the end of its log."""


def free_port() -> int:
    """A port on the loopback interface that nobody listens on at this moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def port_is_free(port: int) -> bool:
    """Whether nobody listens on the port of the loopback interface."""
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) != 0


def wait_until(condition: Callable[[], bool], timeout: float, what: str, poll: float = 0.2) -> None:
    """Poll `condition` until it holds.

    :raises TimeoutError: `what` did not come about within `timeout` seconds.
    """
    deadline = time.monotonic() + timeout
    while not condition():
        if time.monotonic() > deadline:
            raise TimeoutError(f"{what}: not within {timeout:.0f} s")
        time.sleep(poll)


class ManagedProcess:
    """One program with its descendants: start, pause, kill, stop, restart, read its log."""

    def __init__(self, name: str, command: Sequence[str], *, log: Path, environment: Mapping[str, str]) -> None:
        self.name = name
        self.command = list(command)
        self.log = log
        self.environment = dict(environment)
        self._process: subprocess.Popen[bytes] | None = None
        self._sessions: set[int] = set()

    @property
    def running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    @property
    def pid(self) -> int:
        if self._process is None:
            raise ProcessFailedError(f"{self.name} was not started")
        return self._process.pid

    def start(self) -> None:
        """Start the program; its output is appended to the log file."""
        if self.running:
            return
        self.log.parent.mkdir(parents=True, exist_ok=True)
        with self.log.open("ab") as output:
            self._process = subprocess.Popen(
                self.command,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                env=self.environment,
                start_new_session=True,
            )
        self._sessions.add(self._process.pid)

    def family(self) -> list[psutil.Process]:
        """The living processes that this program started, itself included, also those that lost their parent."""
        family = {process for process in psutil.process_iter() if _session_of(process) in self._sessions}
        for process in list(family):
            with contextlib.suppress(psutil.NoSuchProcess):
                family.update(process.children(recursive=True))
        return sorted(family, key=lambda process: process.pid)

    def ask_to_stop(self) -> None:
        """SIGTERM, without waiting."""
        if self._process is not None and self.running:
            self._process.terminate()

    def stop(self, timeout: float = 15) -> None:
        """End the program the polite way; whatever is left of its family after `timeout` seconds is killed."""
        self.ask_to_stop()
        self.wait(timeout)
        self.kill()

    def wait(self, timeout: float) -> bool:
        """Wait for the program's end; returns whether it came within `timeout` seconds."""
        if self._process is not None:
            try:
                self._process.wait(timeout)
            except subprocess.TimeoutExpired:
                return False
        return True

    def kill(self) -> None:
        """SIGKILL for the whole family at once, as a lost machine would look."""
        end(self.family())
        if self._process is not None:
            self._process.wait()

    def pause(self) -> None:
        """SIGSTOP for the whole family: it keeps its sockets and does nothing, as a stalled machine would."""
        self._signal(signal.SIGSTOP)

    def resume(self) -> None:
        """Undo :meth:`pause`."""
        self._signal(signal.SIGCONT)

    def restart(self) -> None:
        self.stop()
        self.start()

    def tail(self, lines: int = 30) -> str:
        """The last lines of the log."""
        if not self.log.exists():
            return ""
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-lines:])

    def check(self) -> None:
        """:raises ProcessFailedError: the program was started and is gone."""
        if self._process is not None and not self.running:
            raise ProcessFailedError(f"{self.name} ended with exit code {self._process.returncode}:\n{self.tail()}")

    def _signal(self, number: signal.Signals) -> None:
        for process in self.family():
            with contextlib.suppress(psutil.NoSuchProcess):
                process.send_signal(number)


def end(processes: Sequence[psutil.Process]) -> None:
    """SIGKILL for every process of the list that is still there, and wait until it is gone."""
    for process in processes:
        with contextlib.suppress(psutil.NoSuchProcess):
            process.kill()
    psutil.wait_procs(processes, timeout=5)


def _session_of(process: psutil.Process) -> int | None:
    with contextlib.suppress(OSError):
        return os.getsid(process.pid)
    return None
