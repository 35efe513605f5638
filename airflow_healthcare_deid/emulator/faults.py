"""Faults on demand, and the log of requests: an ASGI layer around everything else.

Both belong to the emulator's own admin interface (``/_emulator/``), which the real service does not have.
"""

from __future__ import annotations

import asyncio
import hashlib
import itertools
import random
import re
import threading
from collections import deque
from typing import TYPE_CHECKING, Annotated, Any, Literal

import msgspec
from starlette.datastructures import Headers

from airflow_healthcare_deid.emulator.errors import error_response

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from starlette.types import ASGIApp, Message, Receive, Scope, Send

ADMIN_PREFIX = "/_emulator"
DROP = "healthcare_emulator.drop"
"""Key of the scope under which the server's protocol puts a function that closes the connection."""

_LOGGED_REQUESTS = 50_000


class Match(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which requests a fault hits; what is absent matches everything.

    :param method: HTTP method.
    :param path: regular expression, searched in the decoded path.
    """

    method: str | None = None
    path: str | None = None

    def __post_init__(self) -> None:
        try:
            re.compile(self.path or "")
        except re.error:
            raise ValueError("path is no regular expression") from None

    def hits(self, method: str, path: str) -> bool:
        """Tell whether a request is meant."""
        return self.method in (None, method) and re.search(self.path or "", path) is not None


class Fault(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename="camel"):
    """What goes wrong.

    :param count: how many requests it hits; None is all of them.
    :param probability: chance that it hits a request that matches.
    :param status: HTTP status to answer instead of doing the work.
    :param retry_after: seconds for the ``Retry-After`` header of that answer.
    :param delay: seconds to wait before anything else.
    :param drop: close the connection without a reply, ``before`` the work or ``after`` it was done.
    :param hold: do the work, but keep the reply until the fault is released or deleted.
    """

    match: Match = Match()
    count: Annotated[int, msgspec.Meta(ge=1)] | None = None
    probability: Annotated[float, msgspec.Meta(ge=0, le=1)] = 1.0
    status: Annotated[int, msgspec.Meta(ge=400, le=599)] | None = None
    retry_after: Annotated[int, msgspec.Meta(ge=0)] | None = None
    delay: Annotated[float, msgspec.Meta(ge=0)] = 0.0
    drop: Literal["before", "after"] | None = None
    hold: bool = False


class FaultBook:
    """The faults that are set. Every part of it may be used from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._ids = itertools.count(1)
        self._faults: dict[str, Fault] = {}
        self._left: dict[str, int | None] = {}
        self._gates: dict[str, threading.Event] = {}
        self._random = random.Random(0)  # noqa: S311  (chance, no secret; the same each run)

    def add(self, fault: Fault) -> str:
        """Set a fault and return its id."""
        with self._lock:
            identifier = str(next(self._ids))
            self._faults[identifier] = fault
            self._left[identifier] = fault.count
            self._gates[identifier] = threading.Event()
            return identifier

    def listing(self) -> list[dict[str, Any]]:
        """Return the faults that are set, with how many hits each has left."""
        with self._lock:
            return [
                {"id": key, **msgspec.to_builtins(fault), "left": self._left[key]}
                for key, fault in self._faults.items()
            ]

    def release(self, identifier: str) -> bool:
        """Let the replies go that a fault holds, and those it would hold; tell whether there is such a fault."""
        with self._lock:
            gate = self._gates.get(identifier)
            if gate is not None:
                gate.set()
            return gate is not None

    def release_all(self) -> None:
        """Let all held replies go."""
        with self._lock:
            for gate in self._gates.values():
                gate.set()

    def remove(self, identifier: str | None = None) -> bool:
        """Remove one fault or all, letting held replies go; tell whether there was one."""
        with self._lock:
            gone = list(self._faults) if identifier is None else [identifier] if identifier in self._faults else []
            for key in gone:
                self._gates.pop(key).set()
                del self._faults[key], self._left[key]
            return bool(gone)

    def strike(self, method: str, path: str) -> tuple[Fault, threading.Event] | None:
        """Return the first fault that hits a request, with the gate that releases what it holds."""
        with self._lock:
            for key, fault in self._faults.items():
                left = self._left[key]
                if left == 0 or not fault.match.hits(method, path) or self._random.random() >= fault.probability:
                    continue
                self._left[key] = None if left is None else left - 1
                return fault, self._gates[key]
        return None


class RequestLog:
    """The requests of late: paths without their query strings, since those may hold names of patients."""

    def __init__(self, clock: Callable[[], datetime]) -> None:
        self._clock = clock
        self._entries: deque[dict[str, Any]] = deque(maxlen=_LOGGED_REQUESTS)

    def open(self, scope: Scope) -> dict[str, Any]:
        """Enter a request; its status is filled in when the reply starts."""
        headers = Headers(scope=scope)
        authorization = headers.get("authorization")
        entry = {
            "method": scope["method"],
            "path": scope["path"],
            "status": None,
            "time": self._clock().isoformat(),
            "authorization": f"sha256:{hashlib.sha256(authorization.encode()).hexdigest()}" if authorization else None,
            "userAgent": headers.get("user-agent"),
            "quotaProject": headers.get("x-goog-user-project"),
        }
        self._entries.append(entry)
        return entry

    def listing(self) -> list[dict[str, Any]]:
        """Return the entries, oldest first."""
        return list(self._entries)

    def clear(self) -> None:
        """Forget all entries."""
        self._entries.clear()


class FaultLayer:
    """ASGI middleware: logs each request to the API, and lets faults strike it."""

    def __init__(self, app: ASGIApp, faults: FaultBook, requests: RequestLog) -> None:
        self._app = app
        self._faults = faults
        self._requests = requests

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"].startswith(ADMIN_PREFIX):
            await self._app(scope, receive, send)
            return
        entry = self._requests.open(scope)

        async def logged_send(message: Message) -> None:
            if message["type"] == "http.response.start":
                entry["status"] = message["status"]
            await send(message)

        struck = self._faults.strike(scope["method"], scope["path"])
        if struck is None:
            await self._app(scope, receive, logged_send)
        else:
            await self._struck(*struck, scope, receive, logged_send)

    async def _struck(self, fault: Fault, gate: threading.Event, scope: Scope, receive: Receive, send: Send) -> None:
        if fault.delay:
            await asyncio.sleep(fault.delay)
        if fault.drop == "before":
            scope[DROP]()
        elif fault.status is not None:
            response = error_response(fault.status, f"Fault of the emulator: {fault.status}.")
            if fault.retry_after is not None:
                response.headers["Retry-After"] = str(fault.retry_after)
            await response(scope, receive, send)
        elif fault.drop == "after" or fault.hold:
            reply = await self._work(scope, receive)
            if fault.hold:
                await _opened(gate)
            if fault.drop == "after":
                scope[DROP]()
                return
            for message in reply:
                await send(message)
        else:
            await self._app(scope, receive, send)

    async def _work(self, scope: Scope, receive: Receive) -> list[Message]:
        reply: list[Message] = []

        async def keep(message: Message) -> None:
            reply.append(message)

        await self._app(scope, receive, keep)
        return reply


async def _opened(gate: threading.Event) -> None:
    while not gate.is_set():  # noqa: ASYNC110  (the gate is opened from other threads too)
        await asyncio.sleep(0.02)
