"""Worker processes for what needs much computing, so that requests stay answered while it goes on.

Why not `concurrent.futures.ProcessPoolExecutor`: a worker that a broken codec or a huge image kills must cost one
instance and not the pool, and its start must not run the caller's main module again.
"""

from __future__ import annotations

import os
import queue
import socket
import subprocess
import sys
import threading
from concurrent.futures import FIRST_COMPLETED, Future, wait
from multiprocessing.connection import Connection
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from collections.abc import Generator, Iterable, Iterator

T = TypeVar("T", bound="tuple[object, ...]")

_TASK_TIMEOUT = 900.0
_PACKAGE_ROOT = Path(__file__).parents[3]


class WorkerError(Exception):
    """A task did not return: it raised, took too long, or took its process with it. Names no value of its input."""


class Workers:
    """Some worker processes, each started when the ones before it are busy.

    :param count: at most how many; None is one for each core.
    """

    def __init__(self, count: int | None = None) -> None:
        self.count = count or len(os.sched_getaffinity(0))
        self._tasks: queue.SimpleQueue[tuple[Future[Any], str, tuple[object, ...]] | None] = queue.SimpleQueue()
        self._lock = threading.Lock()
        self._workers: list[_Worker] = []
        self._unfinished = 0
        self._stopped = False

    def submit(self, task: str, *arguments: object) -> Future[Any]:
        """Have a worker call a function.

        :param task: ``module:function``; named, so that only the worker loads the module.
        :param arguments: what to call it with; they and the result must pickle.
        """
        future: Future[Any] = Future()
        with self._lock:
            if self._stopped:
                future.set_exception(WorkerError("stopped"))
                return future
            self._unfinished += 1
            if self._unfinished > len(self._workers) < self.count:
                self._workers.append(_Worker(self._tasks))
            self._tasks.put((future, task, arguments))
        future.add_done_callback(self._finished)
        return future

    def _finished(self, _: Future[Any]) -> None:
        with self._lock:
            self._unfinished -= 1

    def call(self, task: str, *arguments: object) -> Any:
        """Have a worker call a function, and wait for the result.

        :raises WorkerError: if it brings none.
        """
        return self.submit(task, *arguments).result()

    def each(self, task: str, items: Iterable[T]) -> Generator[tuple[T, Any]]:
        """Call a function with each tuple of arguments; yield that and the result, or `WorkerError`, as they come.

        Only a few items are taken ahead of the results, so memory stays flat however many there are.
        """
        waiting: dict[Future[Any], T] = {}
        try:
            for item in items:
                waiting[self.submit(task, *item)] = item
                if len(waiting) >= 4 * self.count:
                    yield from _ready(waiting)
            while waiting:
                yield from _ready(waiting)
        finally:  # the caller may stop half-way: nothing goes on behind its back
            for future in waiting:
                future.cancel()
            wait(waiting)

    def stop(self) -> None:
        """End all workers at once; what they had in hand fails."""
        with self._lock:
            self._stopped = True
            workers, self._workers = self._workers, []
        for worker in workers:
            worker.stop()
        for _ in workers:
            self._tasks.put(None)
        for worker in workers:
            worker.join()


def _ready(waiting: dict[Future[Any], T]) -> Iterator[tuple[T, Any]]:
    done, _ = wait(waiting, return_when=FIRST_COMPLETED)
    for future in done:
        item = waiting.pop(future)
        try:
            yield item, future.result()
        except WorkerError as error:
            yield item, error


class _Worker(threading.Thread):
    """A process, and the thread that feeds it."""

    def __init__(self, tasks: queue.SimpleQueue[Any]) -> None:
        super().__init__(name="healthcare-emulator-worker", daemon=True)
        self._tasks = tasks
        self._stopping = threading.Event()
        self._process: subprocess.Popen[bytes] | None = None
        self.start()

    def stop(self) -> None:
        self._stopping.set()
        if self._process is not None:
            self._process.kill()

    def run(self) -> None:
        connection: Connection | None = None
        while (work := self._tasks.get()) is not None:
            future, task, arguments = work
            if not future.set_running_or_notify_cancel():
                continue
            if self._stopping.is_set():
                future.set_exception(WorkerError("stopped"))
                continue
            connection = connection or self._start()
            if self._stopping.is_set():
                self.stop()
            try:
                connection.send((task, arguments))
                if not connection.poll(_TASK_TIMEOUT):
                    raise TimeoutError
                succeeded, value = connection.recv()
            except (EOFError, OSError):  # TimeoutError is an OSError
                self._end(connection)
                connection = None
                future.set_exception(WorkerError("the worker process died or took too long"))
                continue
            if succeeded:
                future.set_result(value)
            else:
                future.set_exception(WorkerError(value))
        self._end(connection)

    def _start(self) -> Connection:
        ours, theirs = socket.socketpair()
        paths = [str(_PACKAGE_ROOT), *filter(None, [os.environ.get("PYTHONPATH")])]
        with theirs:
            self._process = subprocess.Popen(  # noqa: S603  (our own module)
                [sys.executable, "-P", "-m", "airflow_healthcare_deid.emulator.jobs.worker", str(theirs.fileno())],
                pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL,
                # A parser's warnings may hold a patient's data.
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                env={**os.environ, "PYTHONPATH": os.pathsep.join(paths)},
            )
        return Connection(ours.detach())

    def _end(self, connection: Connection | None) -> None:
        if connection is not None:
            connection.close()
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None
