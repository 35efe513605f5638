"""A trigger and an operator in the shape that Google's have: ask every ten seconds, whatever is asked about.

Their module imports what the module of an operator of Google's does, since a worker that resumes pays for it.
"""

from __future__ import annotations

import asyncio
import json
import urllib.request
from typing import TYPE_CHECKING, Any

from airflow.providers.google.cloud.operators.cloud_batch import CloudBatchSubmitJobOperator
from airflow.sdk import BaseOperator
from airflow.triggers.base import BaseTrigger, TriggerEvent

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

INTERVAL = 10.0
SHAPE = CloudBatchSubmitJobOperator


class FixedIntervalTrigger(BaseTrigger):
    """Asks for an operation until it is done."""

    def __init__(self, url: str) -> None:
        super().__init__()
        self.url = url

    def serialize(self) -> tuple[str, dict[str, Any]]:
        return "benchmarks.fixed_interval.FixedIntervalTrigger", {"url": self.url}

    async def run(self) -> AsyncIterator[TriggerEvent]:
        while not (await asyncio.to_thread(self._ask)).get("done"):  # noqa: ASYNC110 - as providers do
            await asyncio.sleep(INTERVAL)
        yield TriggerEvent({"status": "success"})

    def _ask(self) -> dict[str, Any]:
        with urllib.request.urlopen(self.url) as answer:
            operation: dict[str, Any] = json.load(answer)
        return operation


class FixedIntervalOperator(BaseOperator):
    """Waits for an operation that runs already.

    :param url: where to ask for it.
    """

    template_fields = ("url",)

    def __init__(self, *, url: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.url = url

    def execute(self, context: Any) -> None:
        self.defer(trigger=FixedIntervalTrigger(self.url), method_name="execute_complete")

    def execute_complete(self, context: Any, event: dict[str, Any]) -> str:
        return str(event["status"])
