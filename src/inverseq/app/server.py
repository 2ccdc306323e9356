"""The web server of `inverseq play`: one page, and a socket that carries its moves."""

import asyncio
import socket
from collections.abc import Callable, Sequence
from importlib.resources import files
from itertools import count

import uvicorn
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.responses import Response
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect

from inverseq._core.errors import InputError
from inverseq.app.door import HEADERS, Door, PatientProtocol
from inverseq.app.play.session import Offer, Session

_PAGE = {
    "/": ("index.html", "text/html"),
    "/play.css": ("play.css", "text/css"),
    "/play.js": ("play.js", "text/javascript"),
}
"""Address -> file of the page, and its kind."""

_LONGEST_MESSAGE = 4096


def make_app(
    offer: Offer, seed: int, host: str = "127.0.0.1", allowed: Sequence[str] = ()
) -> Starlette:
    """The app, whose visitors' boards follow from `seed`, behind the door of a server on `host`."""
    visits = count()

    async def socket_of(link: WebSocket) -> None:
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
        headers=[*HEADERS.items()],
        ws_max_size=_LONGEST_MESSAGE,
        timeout_graceful_shutdown=2,
        server_header=False,
    )
    return uvicorn.Server(config)
