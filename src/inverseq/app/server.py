"""The web server of `inverseq play`: one page, and a socket that carries its moves. How it listens
and runs is the same for `inverseq app`.
"""

import asyncio
import socket
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from importlib.resources import files
from typing import Any, Protocol

import uvicorn
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.responses import Response
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect

from inverseq._core.errors import InputError
from inverseq.app.door import Door, PatientProtocol

_PAGE = {
    "/": ("index.html", "text/html"),
    "/play.css": ("play.css", "text/css"),
    "/play.js": ("play.js", "text/javascript"),
}
"""Address -> file of the page, and its kind."""

_LONGEST_MESSAGE = 4096


class Visit(Protocol):
    """A visit to the page; see `app.play.session.Session`."""

    def view(self) -> dict[str, Any]:
        """All that the page shows."""
        ...

    def handle(self, message: Any) -> dict[str, Any]:
        """Do what a message asks for; what the page shows then."""
        ...

    def leave(self) -> None:
        """The visitor is gone."""
        ...


def make_app(
    game: Future[Callable[[], Visit]],
    file: str,
    host: str = "127.0.0.1",
    allowed: Sequence[str] = (),
) -> Starlette:
    """The app, behind the door of a server on `host`.

    Args:
        game: What begins a visit. It may still be on its way: the page says so until it is there.
        file: Name of the file that games go to.
        host: The address it listens on.
        allowed: Further names that browsers may know it by.
    """

    async def socket_of(link: WebSocket) -> None:
        await link.accept()
        session = None
        try:
            if not game.done():
                await link.send_json({"preparing": file})
            begin = await asyncio.shield(asyncio.wrap_future(game))
            session = await asyncio.to_thread(begin)
            await link.send_json(session.view())
            while True:
                message = await link.receive_json()
                await link.send_json(await asyncio.to_thread(session.handle, message))
        except WebSocketDisconnect:
            pass
        except (InputError, ValueError, KeyError, RecursionError) as error:
            await link.close(code=1003, reason=str(error)[:100])
        finally:
            if session is not None:
                await asyncio.to_thread(session.leave)

    pages = [Route(address, _page(*page)) for address, page in _PAGE.items()]
    return Starlette(
        routes=[*pages, WebSocketRoute("/socket", socket_of)],
        middleware=[Middleware(Door, host=host, allowed=allowed)],
    )


def _page(name: str, kind: str) -> Callable:
    """What answers with a file of the page."""
    content = files("inverseq.app").joinpath("static", name).read_bytes()

    async def answer(_: object) -> Response:
        return Response(content, media_type=kind)

    return answer


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
        http=PatientProtocol,
        ws_max_size=_LONGEST_MESSAGE,
        timeout_graceful_shutdown=2,
        server_header=False,
    )
    server = uvicorn.Server(config)
    app.state.is_over = lambda: server.should_exit  # what lasts as long as a visit ends by itself
    return server
