"""What many triggers share: requests, connection look-ups, sockets and sessions do not grow with their number."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Any

from airflow_healthcare_deid.hooks import _client
from airflow_healthcare_deid.triggers.operation import HealthcareOperationTrigger

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    import pytest

TRIGGERS = 200
NAME = "projects/p/locations/l/datasets/d/operations/{}"
ANSWER = b'{"name": "projects/p/locations/l/datasets/d/operations/1", "done": true, "response": {}}'


class Service:
    """Answers that every operation is done, and counts what it is asked."""

    def __init__(self) -> None:
        self.requests: list[str] = []
        self.connections = 0
        self.at_work = self.most_at_work = 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        while head := await reader.readline():
            while (await reader.readline()).strip():
                pass
            self.requests.append(head.split()[1].decode())
            self.at_work += 1
            self.most_at_work = max(self.most_at_work, self.at_work)
            await asyncio.sleep(0)
            self.at_work -= 1
            writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n%b" % (len(ANSWER), ANSWER))
        writer.close()


async def consume(events: AsyncIterator[Any]) -> list[str]:
    return [event.payload["status"] async for event in events]


def test_many_triggers_share_one_lookup_one_session_and_twenty_sockets(monkeypatch: pytest.MonkeyPatch) -> None:
    calls = {"connection_extras": 0, "_open_session": 0, "_identify": 0}
    for name in calls:
        monkeypatch.setattr(_client, name, counting(name, calls))
    service = Service()

    async def watch() -> list[list[str]]:
        server = await asyncio.start_server(service.serve, "127.0.0.1", 0)
        url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        triggers = [
            HealthcareOperationTrigger(
                NAME.format(number), started=time.time(), poll_interval=0.01, max_poll_interval=0.01, api_endpoint=url
            )
            for number in range(TRIGGERS)
        ]
        statuses = await asyncio.gather(*(consume(trigger.run()) for trigger in triggers))
        server.close()
        await server.wait_closed()
        return statuses

    monkeypatch.setenv("AIRFLOW_CONN_GOOGLE_CLOUD_DEFAULT", '{"conn_type": "google_cloud_platform"}')
    assert asyncio.run(watch()) == [["finished"]] * TRIGGERS
    assert sorted(service.requests) == sorted(f"/v1/{NAME.format(number)}" for number in range(TRIGGERS))
    assert calls == {"connection_extras": 1, "_open_session": 1, "_identify": 1}
    assert service.connections <= _client.MAX_CONNECTIONS
    assert service.most_at_work <= _client.MAX_CONNECTIONS


def counting(name: str, calls: dict[str, int]) -> Any:
    real = getattr(_client, name)

    def count(*arguments: Any) -> Any:
        calls[name] += 1
        return real(*arguments)

    return count
