"""The HTTP protocol of uvicorn, taught to close a connection without a reply, and never to log a request."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from uvicorn.protocols.http.auto import AutoHTTPProtocol

from airflow_healthcare_deid.emulator.faults import DROP

if TYPE_CHECKING:
    import asyncio

    from starlette.types import ASGIApp, Receive, Scope, Send


class DroppableConnection(AutoHTTPProtocol):  # type: ignore[misc, valid-type]
    """Gives each request's scope a function that closes its TCP connection at once."""

    def connection_made(self, transport: asyncio.Transport) -> None:
        """Wrap the application for this one connection."""
        super().connection_made(transport)
        # The query of a search holds patients' names. uvicorn's own setting acts on its logger, and whoever configures
        # logging while the emulator runs, as Airflow does, undoes that.
        self.access_log = False
        inner = cast("ASGIApp", self.app)

        async def app(scope: Scope, receive: Receive, send: Send) -> None:
            dropped = False

            def drop() -> None:
                nonlocal dropped
                dropped = True
                transport.abort()

            scope[DROP] = drop
            await inner(scope, receive, send)
            while dropped and (await receive())["type"] != "http.disconnect":
                pass

        self.app: Any = app
