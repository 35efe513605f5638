"""How the discovery client's requests travel: each is sent once.

``httplib2``, which the discovery client uses by default, sends a request again when a connection drops, POST included;
a lost reply would start a second operation. ``requests`` never does, and tells a connection that was never made from
a reply that never came.
"""

from __future__ import annotations

import ssl
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

import httplib2  # type: ignore[import-untyped]
import requests
from urllib3.exceptions import ConnectTimeoutError, NewConnectionError

from airflow_healthcare_deid.hooks._answers import server_time, user_agent
from airflow_healthcare_deid.hooks._trust import ca_bundle

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from google.auth.credentials import Credentials

CONNECT_TIMEOUT = 10.0
READ_TIMEOUT = 60.0

_NEVER_SENT = (NewConnectionError, ConnectTimeoutError, ssl.SSLCertVerificationError)


class RefusedError(Exception):
    """An answer that is no success; the discovery client would log a warning for each, expected or not."""

    def __init__(self, status: int, content: bytes, retry_after: str | None) -> None:
        super().__init__(status)
        self.status = status
        self.content = content
        self.retry_after = retry_after


class OnceHttp:
    """What the discovery client needs of an ``httplib2.Http``, over ``requests`` and without repetition.

    :param credentials: added to each request and refreshed when due; None for an endpoint that gets none.
    :param proxies: whether the environment's proxy settings count; not for an address on this machine.
    """

    def __init__(self, credentials: Credentials | None, *, proxies: bool = True) -> None:
        from google.auth.transport.requests import AuthorizedSession

        self.credentials = credentials
        self.server_time: datetime | None = None
        self._session = (
            requests.Session() if credentials is None else AuthorizedSession(credentials, max_refresh_attempts=1)
        )
        self._session.trust_env = proxies
        self._session.verify = ca_bundle()
        # Without an explicit auth, requests would replace our header by an entry of ~/.netrc.
        self._session.auth = _as_it_is
        self._agent = user_agent()

    def request(
        self,
        uri: str,
        method: str = "GET",
        body: Any = None,
        headers: Mapping[str, str] | None = None,
        redirections: int = 0,
        connection_type: Any = None,
    ) -> tuple[httplib2.Response, bytes]:
        """Send one request, in the signature of ``httplib2.Http.request``."""
        response = self._session.request(
            method,
            uri,
            data=body,
            headers={**(headers or {}), "user-agent": self._agent},
            timeout=(CONNECT_TIMEOUT, READ_TIMEOUT),
            allow_redirects=False,
        )
        self.server_time = server_time(response.headers.get("date")) or self.server_time
        if response.status_code >= HTTPStatus.MULTIPLE_CHOICES:
            raise RefusedError(response.status_code, response.content, response.headers.get("retry-after"))
        # requests has decoded the body already.
        kept = {k.lower(): v for k, v in response.headers.items() if k.lower() != "content-encoding"}
        return httplib2.Response({**kept, "status": str(response.status_code)}), response.content

    def close(self) -> None:
        """Close the connections."""
        self._session.close()


def may_have_been_sent(error: BaseException) -> bool:
    """Return whether a failed request may have reached the service."""
    seen: set[int] = set()
    pending: list[Any] = [error]
    while pending:
        cause = pending.pop()
        if not isinstance(cause, BaseException) or id(cause) in seen:
            continue
        if isinstance(cause, _NEVER_SENT):
            return False
        seen.add(id(cause))
        pending += [*cause.args, getattr(cause, "reason", None), cause.__cause__, cause.__context__]
    return True


def _as_it_is(request: requests.PreparedRequest) -> requests.PreparedRequest:
    return request
