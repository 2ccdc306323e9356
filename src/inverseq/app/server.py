"""The web server of `inverseq play`: one page, and a socket that carries its moves."""

import asyncio
import socket
from collections.abc import Callable
from importlib.resources import files
from itertools import count
from urllib.parse import urlsplit

from inverseq._core.errors import InputError
from inverseq.app.play.session import Offer, Session

try:
    import uvicorn
    import websockets  # noqa: F401 - uvicorn speaks to sockets through it
    from starlette.applications import Starlette
    from starlette.middleware import Middleware
    from starlette.middleware.trustedhost import TrustedHostMiddleware
    from starlette.responses import Response
    from starlette.routing import Route, WebSocketRoute
    from starlette.websockets import WebSocket, WebSocketDisconnect
except ImportError as error:
    raise InputError(
        f"playing in the browser needs {error.name}, which is not installed. Type: "
        'pip install "inverseq[app]"'
    ) from error

_PAGE = {
    "/": ("index.html", "text/html"),
    "/play.css": ("play.css", "text/css"),
    "/play.js": ("play.js", "text/javascript"),
}
"""Address -> file of the page, and its kind."""

_HEADERS = {
    "Content-Security-Policy": "default-src 'self'; img-src 'self' data:; frame-ancestors 'none'",
    "Cache-Control": "no-cache",
    "X-Content-Type-Options": "nosniff",
}
"""The page loads nothing from anywhere else, and no other page may frame it."""

_LOCAL = ("127.0.0.1", "localhost", "::1")
_LONGEST_MESSAGE = 4096


def is_local(host: str) -> bool:
    """Whether an address can be reached from this machine alone."""
    return host in _LOCAL


def make_app(offer: Offer, seed: int, host: str = "127.0.0.1") -> Starlette:
    """The app, whose visitors' boards follow from `seed`.

    A server for this machine alone answers to its own names only, so that a page of somebody else
    cannot reach it under a name that leads here; and no socket is opened for another site's page.
    """
    visits = count()

    async def socket_of(link: WebSocket) -> None:
        if not _same_site(link):
            await link.close(code=1008)
            return
        await link.accept()
        session = await asyncio.to_thread(Session, offer, seed + next(visits))
        try:
            await link.send_json(session.view())
            while True:
                message = await link.receive_json()
                await link.send_json(await asyncio.to_thread(session.handle, message))
        except WebSocketDisconnect:
            pass
        except (InputError, ValueError, KeyError, RecursionError) as error:
            await link.close(code=1003, reason=str(error)[:100])
        finally:
            session.leave()

    pages = [Route(address, _page(*page)) for address, page in _PAGE.items()]
    hosts = [*_LOCAL, "[::1]"] if is_local(host) else ["*"]
    return Starlette(
        routes=[*pages, WebSocketRoute("/socket", socket_of)],
        middleware=[Middleware(TrustedHostMiddleware, allowed_hosts=hosts, www_redirect=False)],
    )


def _page(name: str, kind: str) -> Callable:
    """What answers with a file of the page."""
    content = files("inverseq.app").joinpath("static", name).read_bytes()

    async def answer(_: object) -> Response:
        return Response(content, media_type=kind, headers=_HEADERS)

    return answer


def _same_site(link: WebSocket) -> bool:
    """Whether a socket was opened by our own page, or by a program that is no browser."""
    origin = link.headers.get("origin")
    return origin is None or urlsplit(origin).netloc == link.headers.get("host")


def listen(host: str, port: int) -> socket.socket:
    """A socket that listens; port 0 takes any free one.

    Raises:
        InputError: The port is taken or may not be used, or the address is not of this machine.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listening = socket.socket(family, socket.SOCK_STREAM)
    try:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind((host, port))
        listening.listen(128)
    except OSError as error:
        listening.close()
        raise InputError(
            f"cannot listen on {host}, port {port}: {error.strerror}. Take another with --port, "
            "or --port 0 for any that is free"
        ) from error
    return listening


def server_of(app: Starlette) -> uvicorn.Server:
    """What serves the app: `server_of(app).run(sockets=[listen(host, port)])`, until interrupted.

    Games under way are recorded as abandoned when it stops.
    """
    config = uvicorn.Config(
        app,
        log_level="error",
        ws_max_size=_LONGEST_MESSAGE,
        timeout_graceful_shutdown=2,
        server_header=False,
    )
    return uvicorn.Server(config)
