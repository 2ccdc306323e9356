"""Who may come in: names and origins that a server answers to, and how long it waits for a request.

A page of somebody else must not reach a server of this machine or network through a name that leads
here (DNS rebinding), nor open its sockets from another site.
"""

import asyncio
import socket
from collections.abc import Sequence
from ipaddress import ip_address
from typing import Any
from urllib.parse import urlsplit

import h11
from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from uvicorn.protocols.http.h11_impl import H11Protocol

PATIENCE = 10.0
"""Seconds in which a request must have arrived whole."""

HEADERS = {
    "Content-Security-Policy": "default-src 'self'; img-src 'self' data:; object-src 'none'; "
    "base-uri 'none'; form-action 'self'; frame-ancestors 'none'",
    "Cache-Control": "no-cache",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}
"""Of every answer that has none of its own: a page loads nothing from anywhere else, sends nothing
there, and no other page may frame it."""


def is_local(host: str) -> bool:
    """Whether an address can be reached from this machine alone."""
    address = _address(host)
    return host == "localhost" if address is None else address.is_loopback


class Door:
    """Lets in whoever asks for this machine by a name of its own, from no other site's page.

    A server of this machine alone answers to "localhost" and loopback addresses; an open one to any
    address, the machine's own names, and `allowed`.
    """

    def __init__(self, app: ASGIApp, host: str, allowed: Sequence[str] = ()) -> None:
        self._app = app
        self._local = is_local(host)
        own = () if self._local else (socket.gethostname(), socket.getfqdn())
        short = {name.split(".")[0] for name in own}
        self._names = {n.lower() for n in ("localhost", *allowed, *own, *short)}
        self._names |= {f"{name}.local" for name in short}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or refuse it."""
        if scope["type"] == "lifespan":
            return await self._app(scope, receive, send)

        async def guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                own = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    own.setdefault(name, value)
            await send(message)

        headers = Headers(scope=scope)
        host, origin = headers.get("host", ""), headers.get("origin")
        if not self._is_ours(host):
            refusal = PlainTextResponse("This server does not go by that name.", 400)
        elif origin is not None and _place(origin) != host:
            refusal = PlainTextResponse("Another site's page may not come in.", 403)
        elif not _is_followed(headers):
            refusal = PlainTextResponse("Another site's page may not make this one work.", 403)
        else:
            return await self._app(scope, receive, guarded)
        if scope["type"] == "websocket":
            return await send({"type": "websocket.close", "code": 1008})
        return await refusal(scope, receive, guarded)

    def _is_ours(self, host: str) -> bool:
        """Whether a `Host` is a name or an address of this machine."""
        try:
            asked = urlsplit(f"//{host}")
            name, _ = asked.hostname or "", asked.port
        except ValueError:  # of the port, too
            return False
        address = _address(name)
        if address is None:
            return name in self._names
        return address.is_loopback or not self._local


class PatientProtocol(H11Protocol):
    """HTTP/1.1 that closes a connection whose request does not arrive whole in `PATIENCE` seconds.

    Bytes that trickle in do not prolong it; a whole request does.
    """

    _limit: asyncio.TimerHandle | None = None
    _handed_on = False

    def connection_made(self, transport: Any) -> None:
        """Start waiting for the first request."""
        super().connection_made(transport)
        self._watch()

    def data_received(self, data: bytes) -> None:
        """Take bytes in, and stop waiting when they complete a request."""
        super().data_received(data)
        self._watch()

    def handle_websocket_upgrade(self, event: h11.Request) -> None:
        """Hand the connection on: a visit may last."""
        super().handle_websocket_upgrade(event)
        self._stop_waiting()
        self._handed_on = True

    def on_response_complete(self) -> None:
        """Wait for the next request."""
        super().on_response_complete()
        self._watch()

    def connection_lost(self, exc: Exception | None) -> None:
        """Wait no more."""
        super().connection_lost(exc)
        self._stop_waiting()

    def _watch(self) -> None:
        """Wait while a request is due, from when it became due."""
        if self.conn.their_state not in (h11.IDLE, h11.SEND_BODY):
            self._stop_waiting()
        elif self._limit is None and not self._handed_on:
            self._limit = self.loop.call_later(PATIENCE, self.transport.close)

    def _stop_waiting(self) -> None:
        if self._limit is not None:
            self._limit.cancel()
            self._limit = None


def _is_followed(headers: Headers) -> bool:
    """Whether a request comes from a page of this server, or from a link to one that somebody
    followed, and is no picture or frame of another site's page, which has no `Origin`.
    """
    if headers.get("sec-fetch-site", "none") in ("none", "same-origin"):
        return True
    how = headers.get("sec-fetch-mode"), headers.get("sec-fetch-dest")
    return how == ("navigate", "document")


def _address(host: str) -> Any:
    """The IP address that a text is, or None."""
    try:
        return ip_address(host.strip("[]"))
    except ValueError:
        return None


def _place(origin: str) -> str | None:
    """Host and port of an `Origin`; None of one that is none."""
    try:
        return urlsplit(origin).netloc
    except ValueError:
        return None
