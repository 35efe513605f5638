from __future__ import annotations

import os
import signal
import sys
from typing import TYPE_CHECKING

import psutil
import pytest

from demo.processes import ManagedProcess, ProcessFailedError, wait_until

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

# A parent whose child ignores the polite signal, and tells when both are there.
STUBBORN = """
import subprocess, sys
code = "import signal, time; signal.signal(15, signal.SIG_IGN); print('up'); time.sleep(60)"
subprocess.Popen([sys.executable, "-c", code]).wait()
"""


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[[str], ManagedProcess]]:
    started: list[ManagedProcess] = []

    def run(code: str) -> ManagedProcess:
        environment = {**os.environ, "PYTHONUNBUFFERED": "1"}
        process = ManagedProcess("p", [sys.executable, "-c", code], log=tmp_path / "log", environment=environment)
        started.append(process)
        process.start()
        return process

    yield run
    for process in started:
        process.kill()


def test_stopping_leaves_no_descendant(start: Callable[[str], ManagedProcess]) -> None:
    process = start(STUBBORN)
    wait_until(lambda: "up" in process.tail(), 30, "child")
    family = process.family()
    assert len(family) == 2
    process.stop()
    assert not any(psutil.pid_exists(member.pid) for member in family)


def test_an_orphan_is_still_family(start: Callable[[str], ManagedProcess]) -> None:
    process = start(STUBBORN)
    wait_until(lambda: "up" in process.tail(), 30, "child")
    os.kill(process.pid, signal.SIGKILL)
    assert process.wait(10)
    assert len(process.family()) == 1
    process.kill()
    assert process.family() == []


def test_a_paused_process_goes_on_when_resumed(start: Callable[[str], ManagedProcess]) -> None:
    process = start("import time; time.sleep(60)")
    process.pause()
    wait_until(lambda: psutil.Process(process.pid).status() == psutil.STATUS_STOPPED, 10, "pause")
    process.resume()
    wait_until(lambda: psutil.Process(process.pid).status() != psutil.STATUS_STOPPED, 10, "resume")


def test_a_program_that_ended_is_reported_with_the_end_of_its_log(start: Callable[[str], ManagedProcess]) -> None:
    process = start("print('no such thing'); raise SystemExit(3)")
    process.wait(30)
    with pytest.raises(ProcessFailedError, match=r"exit code 3:\nno such thing"):
        process.check()


def test_waiting_ends_at_the_deadline() -> None:
    with pytest.raises(TimeoutError, match="never: not within 0 s"):
        wait_until(lambda: False, 0, "never")
