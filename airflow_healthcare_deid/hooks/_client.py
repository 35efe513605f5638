"""The one asynchronous client of a process and identity.

A thousand triggers of one triggerer share one connection look-up, one set of credentials, one token and one pool of
connections. Nothing here blocks the event loop: Google's libraries are imported, and tokens fetched, in threads.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar
from weakref import WeakKeyDictionary

import msgspec

from airflow_healthcare_deid.hooks._answers import (
    NOT_JSON,
    error_from_response,
    no_answer,
    read_operation,
    server_time,
    user_agent,
)
from airflow_healthcare_deid.hooks._methods import METHODS
from airflow_healthcare_deid.hooks._trust import tls_context
from airflow_healthcare_deid.version_compat import connection_extras

if TYPE_CHECKING:
    from datetime import datetime
    from ssl import SSLContext

    import aiohttp

    from airflow_healthcare_deid.endpoint import Endpoint
    from airflow_healthcare_deid.hooks._token import TokenSource
    from airflow_healthcare_deid.operation import Operation

MAX_CONNECTIONS = 20
CONNECT_TIMEOUT = 10.0
READ_TIMEOUT = 60.0
UNAUTHORIZED = 401


class ClientKey(msgspec.Struct, frozen=True):
    """What makes two users of a client the same identity."""

    gcp_conn_id: str
    impersonation_chain: tuple[str, ...]
    quota_project_id: str | None
    api_endpoint: str | None


@dataclass(frozen=True)
class _Ready:
    """A client that is set up."""

    session: aiohttp.ClientSession
    endpoint: Endpoint
    token: TokenSource | None


class SharedClient:
    """Made by :meth:`acquire`, closed when as many have called :meth:`release`."""

    _clients: ClassVar[WeakKeyDictionary[asyncio.AbstractEventLoop, dict[ClientKey, SharedClient]]] = (
        WeakKeyDictionary()
    )

    def __init__(self, key: ClientKey, siblings: dict[ClientKey, SharedClient]) -> None:
        self.server_time: datetime | None = None
        self._key = key
        self._siblings = siblings
        self._users = 0
        self._setting_up = asyncio.Lock()
        # Many operations may be due at once, above all after a pause of the process. Those that wait for their turn
        # have done nothing yet, so no round of the event loop does more than this many requests' work.
        self._turns = asyncio.Semaphore(MAX_CONNECTIONS)
        self._ready: _Ready | None = None

    @classmethod
    def acquire(cls, key: ClientKey) -> SharedClient:
        """Return this event loop's client for an identity; nothing is looked up before the first request."""
        siblings = cls._clients.setdefault(asyncio.get_running_loop(), {})
        client = siblings.get(key)
        if client is None:
            client = siblings[key] = cls(key, siblings)
        client._users += 1
        return client

    async def release(self) -> None:
        """Leave the client; the last one closes it."""
        self._users -= 1
        if self._users:
            return
        del self._siblings[self._key]
        if self._ready is not None:
            await self._ready.session.close()

    async def get_operation(self, name: str) -> Operation:
        """Look at an operation, once.

        :param name: its full name, which must have been checked.
        :raises ApiError: the error that the answer, or its absence, means.
        """
        method = "datasets.operations.get"
        async with self._turns:
            ready = self._ready or await self._set_up()
            answer = await self._exchange(ready, method, "GET", name)
        return read_operation(METHODS[method], name, ready.endpoint, answer)

    async def request(self, method: str, verb: str, name: str, suffix: str = "") -> dict[str, Any]:
        """Send one request about a resource; a refused token is renewed once.

        :param method: key of the table of methods.
        :param verb: the HTTP method.
        :param name: full name of the resource; it goes into the path, so it must have been checked.
        :param suffix: what follows it in the path, such as ``:cancel``.
        :raises ApiError: the error that the answer, or its absence, means.
        """
        async with self._turns:
            ready = self._ready or await self._set_up()
            return await self._exchange(ready, method, verb, name, suffix)

    async def _exchange(self, ready: _Ready, method: str, verb: str, name: str, suffix: str = "") -> dict[str, Any]:
        path = f"/v1/{name}{suffix}"
        status, content, retry_after, used = await self._send(ready, method, verb, name, path)
        if status == UNAUTHORIZED and ready.token is not None:
            await ready.token.renew(used)
            status, content, retry_after, _ = await self._send(ready, method, verb, name, path)
        if status >= 300:
            raise error_from_response(METHODS[method], name, status, content, retry_after)
        try:
            return msgspec.json.decode(content, type=dict[str, Any])
        except msgspec.DecodeError:
            raise no_answer(METHODS[method], name, ready.endpoint, NOT_JSON, sent=True) from None

    async def _send(
        self, ready: _Ready, method: str, verb: str, name: str, path: str
    ) -> tuple[int, bytes, str | None, str | None]:
        import aiohttp
        from yarl import URL

        headers = await ready.token.headers() if ready.token else {}
        # A checked name in ASCII needs no quoting, which is a tenth of what a request costs.
        url = URL(ready.endpoint.url + path, encoded=path.isascii())
        try:
            async with ready.session.request(verb, url, headers=headers, allow_redirects=False) as response:
                content = await response.read()
        except (aiohttp.ClientError, TimeoutError, ConnectionError) as error:
            sent = not isinstance(error, aiohttp.ClientConnectorError)
            raise no_answer(METHODS[method], name, ready.endpoint, type(error).__name__, sent=sent) from None
        self.server_time = server_time(response.headers.get("date")) or self.server_time
        return response.status, content, response.headers.get("retry-after"), headers.get("authorization")

    async def _set_up(self) -> _Ready:
        """Look up the connection, get the credentials and open the pool; those who come meanwhile wait."""
        async with self._setting_up:
            if self._ready is None:
                extras = await connection_extras(self._key.gcp_conn_id)
                endpoint, token, context = await asyncio.to_thread(_identify, self._key, extras)
                self._ready = _Ready(_open_session(endpoint, context), endpoint, token)
            return self._ready


def _identify(key: ClientKey, extras: dict[str, Any]) -> tuple[Endpoint, TokenSource | None, SSLContext]:
    """Build what takes long to import or may ask the network; runs in a thread."""
    import aiohttp  # noqa: F401 - imported here so that the event loop need not wait for it

    from airflow_healthcare_deid.hooks._token import TokenSource
    from airflow_healthcare_deid.hooks.healthcare import HealthcareHook

    hook = HealthcareHook(
        key.gcp_conn_id,
        list(key.impersonation_chain) or None,
        quota_project_id=key.quota_project_id,
        api_endpoint=key.api_endpoint,
        extras=extras,
    )
    credentials = hook.usable_credentials()
    token = TokenSource(credentials, key.gcp_conn_id) if credentials is not None else None
    return hook.endpoint, token, tls_context()


def _open_session(endpoint: Endpoint, context: SSLContext) -> aiohttp.ClientSession:
    import aiohttp

    return aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(limit=MAX_CONNECTIONS, ssl=context),
        # No limit on the whole request: waiting for one's turn in the pool is no failure.
        timeout=aiohttp.ClientTimeout(total=None, sock_connect=CONNECT_TIMEOUT, sock_read=READ_TIMEOUT),
        headers={"user-agent": user_agent()},
        cookie_jar=aiohttp.DummyCookieJar(),
        trust_env=not endpoint.loopback,
    )
