"""A client of the emulator's own interface: faults, how operations proceed, and the log of requests."""

from __future__ import annotations

import ssl
from typing import TYPE_CHECKING, Any

import httpx

if TYPE_CHECKING:
    from pathlib import Path
    from typing import Self


class EmulatorAdmin:
    """Talks to an emulator in this process or in another.

    :param url: where the emulator listens.
    :param trusted: the certificate to trust if it listens with TLS.
    """

    def __init__(self, url: str, trusted: Path | None = None) -> None:
        verify = ssl.create_default_context(cafile=trusted) if trusted else False
        self._client = httpx.Client(base_url=f"{url}/_emulator", timeout=30, trust_env=False, verify=verify)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._client.close()

    def add_fault(self, method: str, path: str, **behavior: Any) -> str:
        """Make matching requests fail, wait or get lost; returns the fault's id.

        :param method: HTTP method, or an empty text for any.
        :param path: regular expression, searched in the path.
        :param behavior: `count`, `probability`, `status`, `retryAfter`, `delay`, `drop`, `hold`.
        """
        match = {"method": method, "path": path} if method else {"path": path}
        return str(self._send("POST", "/faults", {"match": match, **behavior})["id"])

    def release(self, fault: str) -> None:
        """Let the replies go that a fault with `hold` keeps back."""
        self._send("POST", f"/faults/{fault}:release")

    def remove_faults(self) -> None:
        self._send("DELETE", "/faults")

    def set_progression(self, mode: str, **values: Any) -> None:
        """How operations that start from now on proceed: `work`, `immediate`, `polls` or `manual`."""
        self._send("PUT", "/progression", {"mode": mode, **values})

    def advance(self, operation: str, **push: Any) -> None:
        """Push an operation: `done=True`, `error={...}` or `counter={...}`."""
        self._send("POST", f"/operations/{operation}:advance", push)

    def requests(self, method: str, path: str) -> list[dict[str, Any]]:
        """The requests the emulator received, those with this method whose path holds a match of `path`."""
        reply = self._client.get("/requests", params={"path": path})
        reply.raise_for_status()
        return [entry for entry in reply.json() if entry["method"] == method]

    def reset(self) -> None:
        """Forget all data, operations, faults and requests."""
        self._send("POST", "/reset")

    def _send(self, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
        reply = self._client.request(method, path, json=body)
        reply.raise_for_status()
        return reply.json()
