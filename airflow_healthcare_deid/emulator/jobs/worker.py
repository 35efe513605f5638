"""A worker process: calls what the emulator sends, until the connection closes."""

from __future__ import annotations

import functools
import resource
import signal
import sys
import time
from importlib import import_module
from multiprocessing.connection import Connection
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

_MEMORY_LIMIT = 4 * 1024**3


@functools.cache
def _function(task: str) -> Callable[..., object]:
    module, _, name = task.partition(":")
    function: Callable[..., object] = getattr(import_module(module), name)
    return function


def main(descriptor: int) -> None:
    """Serve calls from a connection.

    Receives ``(task, batch)``, where a batch is a list of arguments; answers ``(seconds, outcomes)``, where an outcome
    is ``(succeeded, result or reason)``.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_DATA, (_MEMORY_LIMIT, _MEMORY_LIMIT))
    connection = Connection(descriptor)
    while True:
        try:
            task, batch = connection.recv()
        except EOFError:
            return
        started = time.perf_counter()
        outcomes = [_outcome(task, arguments) for arguments in batch]
        connection.send((time.perf_counter() - started, outcomes))


def _outcome(task: str, arguments: tuple[object, ...]) -> tuple[bool, object]:
    try:
        return True, _function(task)(*arguments)
    except Exception as error:  # noqa: BLE001  (the emulator counts it as a failure)
        # The type alone: the text of an exception from a parser may hold a patient's data.
        return False, type(error).__name__


if __name__ == "__main__":
    main(int(sys.argv[1]))
