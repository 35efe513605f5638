"""Following an operation on a terminal."""

from __future__ import annotations

import sys
import time
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import click

from airflow_healthcare_deid.cli.options import write_json
from airflow_healthcare_deid.errors import TransientApiError
from airflow_healthcare_deid.operation import Operation
from airflow_healthcare_deid.polling import PollSchedule

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Self

    from airflow_healthcare_deid.cli.client import Client
    from airflow_healthcare_deid.operation import FailurePolicy, Progress

# A person is watching: ask more often than a pipeline would.
_WATCHED = PollSchedule(poll_interval=2.0, max_poll_interval=60.0)
_MAX_FAILURES = 10


def follow(
    client: Client, name: str, policy: FailurePolicy, output: str, sleep: Callable[[float], None] = time.sleep
) -> None:
    """Wait for an operation, showing how far it is, write its JSON, and judge its end.

    Ctrl-C asks whether to cancel it; without a terminal to ask on, the operation goes on.

    :param policy: how many resources may fail.
    :param output: where the JSON goes.
    :raises OperationError: if it did not bring the result asked for.
    :raises ApiError: if the service refuses to tell.
    """
    try:
        body = _watch(client, name, sleep)
    except KeyboardInterrupt:
        if _wants_to_cancel(name):
            client.call("POST", f"{name}:cancel", {})
            click.echo("Cancel requested; what it has written stays.", err=True)
        else:
            click.echo(f"It goes on. Follow it with: healthcare-deid operations wait {name}", err=True)
        raise
    write_json(body, output)
    policy.check(Operation.from_dict(body))


def _wants_to_cancel(name: str) -> bool:
    try:
        return sys.stdin.isatty() and click.confirm(f"\nCancel {name}?", err=True)
    except click.Abort:  # Ctrl-C again
        click.echo(err=True)
        return False


def _watch(client: Client, name: str, sleep: Callable[[float], None]) -> dict[str, Any]:
    began, failures = time.monotonic(), 0
    with _Display() as display:
        while True:
            try:
                body, failures = client.call("GET", name), 0
            except TransientApiError as error:
                failures += 1
                if failures >= _MAX_FAILURES:
                    raise
                sleep(error.retry_after or _WATCHED.poll_interval)
                continue
            operation = Operation.from_dict(body)
            display.show(operation.progress)
            if operation.done:
                return body
            sleep(_WATCHED.next_delay(time.monotonic() - began, operation.progress))


class _Display:
    """A bar on a terminal; elsewhere, a line whenever the counters have changed."""

    def __init__(self) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

        console = Console(stderr=True)
        columns = (BarColumn(bar_width=20), TextColumn("{task.description}"), TimeElapsedColumn())
        self._bar = Progress(*columns, console=console, transient=True, disable=not console.is_terminal)
        self._task = self._bar.add_task("", total=None)
        self._said = ""
        self._first: tuple[float, int] | None = None

    def __enter__(self) -> Self:
        self._bar.start()
        return self

    def __exit__(self, *exc: object) -> None:
        self._bar.stop()

    def show(self, progress: Progress) -> None:
        """Show how far the operation is."""
        said = account(progress, self._rate(progress.processed))
        if self._bar.disable:
            if str(progress) != self._said:
                click.echo(progress, err=True)
            self._said = str(progress)
            return
        # While nothing is known to be pending there is no share to show: the bar only moves.
        self._bar.tasks[0].total = progress.processed + progress.pending if progress.pending else None
        self._bar.update(self._task, completed=progress.processed, description=said, refresh=True)

    def _rate(self, processed: int) -> float:
        """Return resources per second since the first look, for an operation may have begun long before it."""
        now = time.monotonic()
        if self._first is None:
            self._first = now, processed
        seconds, before = now - self._first[0], self._first[1]
        return (processed - before) / seconds if seconds else 0.0


def account(progress: Progress, rate: float) -> str:
    """Say how far an operation is, how fast, and how long the rest takes at that rate.

    :param rate: resources per second, 0 while it is not known.
    """
    parts = [str(progress)]
    if rate > 0:
        parts.append(f"{rate:,.1f}/s")
    if rate > 0 and progress.pending:
        parts.append(f"{timedelta(seconds=round(progress.pending / rate))} left")
    return ", ".join(parts)
