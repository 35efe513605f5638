"""Access tokens: one, shared, and renewed by one at a time."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from airflow_healthcare_deid.errors import ApiError, AuthenticationError, TransientApiError

if TYPE_CHECKING:
    from google.auth.credentials import Credentials


class TokenSource:
    """Hands out the headers that authorize a request.

    :param credentials: where tokens come from; their refresh blocks, so it runs in a thread.
    :param gcp_conn_id: the connection they belong to, for messages.
    """

    def __init__(self, credentials: Credentials, gcp_conn_id: str) -> None:
        self._credentials = credentials
        self._gcp_conn_id = gcp_conn_id
        self._renewing = asyncio.Lock()

    async def headers(self) -> dict[str, str]:
        """Return the headers of one request, with the quota project if there is one.

        :raises AuthenticationError: if the credentials yield no token.
        :raises TransientApiError: if they may yield one later.
        """
        if not self._credentials.valid:
            async with self._renewing:
                if not self._credentials.valid:
                    await self._renew(tolerant=True)
        return self._headers()

    async def renew(self, refused: str | None) -> None:
        """Get another token because the service refused one, unless somebody did so meanwhile.

        :param refused: the ``authorization`` header that was refused.
        """
        async with self._renewing:
            if self._headers().get("authorization") == refused:
                await self._renew(tolerant=False)

    async def _renew(self, *, tolerant: bool) -> None:
        from google.auth.credentials import TokenState
        from google.auth.exceptions import GoogleAuthError
        from google.auth.transport.requests import Request

        try:
            await asyncio.to_thread(self._credentials.refresh, Request())
        except GoogleAuthError as error:
            # A token is renewed some minutes before its end; until then the old one serves.
            if not (tolerant and self._credentials.token_state is TokenState.STALE):
                raise credentials_error(error, self._gcp_conn_id) from None

    def _headers(self) -> dict[str, str]:
        headers: dict[str, str] = {}
        self._credentials.apply(headers)
        return headers


def credentials_error(error: Exception, gcp_conn_id: str) -> ApiError:
    """Return what a failure to get a token means; the request that needed it did not leave."""
    kind = type(error).__name__
    if getattr(error, "retryable", False) or kind == "TransportError":
        return TransientApiError(f"The access token could not be refreshed ({kind})", sent=False)
    return AuthenticationError(
        f"The credentials of connection {gcp_conn_id} yield no access token ({kind}). "
        "Check its key, and for an impersonation_chain the role Service Account Token Creator",
        sent=False,
    )
