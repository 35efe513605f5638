"""Following an operation on a terminal."""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING

import click

from airflow_healthcare_deid.errors import TransientApiError
from airflow_healthcare_deid.polling import PollSchedule

if TYPE_CHECKING:
    from collections.abc import Callable

    from airflow_healthcare_deid.cli.client import Client
    from airflow_healthcare_deid.operation import FailurePolicy, Operation

# A person is watching: ask more often than a pipeline would.
_WATCHED = PollSchedule(poll_interval=2.0, max_poll_interval=60.0)
_MAX_FAILURES = 10


def follow(client: Client, name: str, policy: FailurePolicy, sleep: Callable[[float], None] = time.sleep) -> Operation:
    """Wait for an operation, showing how far it is, and judge its end.

    Ctrl-C asks whether to cancel it; without a terminal to ask on, the operation goes on.

    :param policy: how many resources may fail.
    :raises OperationError: if it did not bring the result asked for.
    :raises ApiError: if the service refuses to tell.
    """
    try:
        operation = _watch(client, name, sleep)
    except KeyboardInterrupt:
        if sys.stdin.isatty() and click.confirm(f"\nCancel {name}?", err=True):
            client.call("POST", f"{name}:cancel", {})
            click.echo("Cancel requested; what it has written stays.", err=True)
        else:
            click.echo(f"It goes on. Follow it with: healthcare-deid operations wait {name}", err=True)
        raise
    policy.check(operation)
    return operation


def _watch(client: Client, name: str, sleep: Callable[[float], None]) -> Operation:
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.fields[account]}"),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
    )
    began, failures = time.monotonic(), 0
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(name.rpartition("/")[2], total=None, account="")
        while True:
            try:
                operation, failures = client.operation(name), 0
            except TransientApiError as error:
                failures += 1
                if failures >= _MAX_FAILURES:
                    raise
                sleep(error.retry_after or _WATCHED.poll_interval)
                continue
            progress, elapsed = operation.progress, time.monotonic() - began
            total = progress.processed + progress.pending
            rate = f", {progress.processed / elapsed:.1f}/s" if progress.processed and elapsed > 1 else ""
            bar.update(task, total=total or None, completed=progress.processed, account=f"{progress}{rate}")
            if operation.done:
                return operation
            sleep(_WATCHED.next_delay(elapsed, progress))
