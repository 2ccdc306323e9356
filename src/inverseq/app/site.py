"""The web site of a project: its pages, and what they are made of."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from importlib.resources import files

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from inverseq import __version__
from inverseq._core.errors import InputError
from inverseq._core.words import render
from inverseq.app.api import api_routes
from inverseq.app.door import Door
from inverseq.app.office import Office
from inverseq.app.pages import page_routes
from inverseq.app.ticket import Ticket

_STATIC = {
    "look.css": ("reporting", "style.css"),
    "app.css": ("app", "static", "app.css"),
    "app.js": ("app", "static", "app.js"),
    "look.js": ("app", "static", "look.js"),
    "map.js": ("app", "static", "map.js"),
    "world.js": ("app", "static", "world.js"),
    "network.js": ("app", "static", "network.js"),
}
"""Address -> file. The style sheet is that of reports, and what only pages need."""

_KINDS = {"css": "text/css", "js": "text/javascript"}


def make_site(
    office: Office, host: str = "127.0.0.1", allowed: Sequence[str] = (), ticket: str = ""
) -> Starlette:
    """The site, behind the door of a server on `host`.

    Args:
        office: What it is about.
        host: The address it listens on.
        allowed: Further names that browsers may know it by.
        ticket: What a visitor must show; "" where only this machine can visit.
    """

    @asynccontextmanager
    async def life(_: Starlette) -> AsyncIterator[None]:
        beginning = asyncio.create_task(office.tables.begin())
        yield
        beginning.cancel()
        await office.close()

    static = [Route(f"/{name}", _file(name, *where)) for name, where in _STATIC.items()]
    home = Route("/", lambda _: RedirectResponse("/data"))
    made = Starlette(
        routes=[home, *page_routes(office), *api_routes(office), *static],
        middleware=[
            Middleware(Door, host=host, allowed=allowed),
            Middleware(Ticket, ticket=ticket),
        ],
        exception_handlers={InputError: _refused, 404: _missing, 405: _missing, 500: _broken},
        lifespan=life,
    )
    made.router.redirect_slashes = False  # an address is one that is listed, or none
    return made


def _file(name: str, *where: str) -> Callable:
    """What answers with a file of the package."""
    content = files("inverseq").joinpath(*where).read_bytes()
    kind = _KINDS[name.rpartition(".")[2]]

    async def answer(_: Request) -> Response:
        return Response(content, media_type=kind)

    return answer


def _told(request: Request, status: int, title: str, told: str) -> Response:
    """A message, as who asked can read it."""
    if request.url.path.startswith("/api/"):
        return JSONResponse({"error": told}, status)
    part = request.url.path.startswith("/part/")
    template = "message_part.j2" if part else "message.j2"
    page = render(
        "inverseq.app", template, title=title, told=told, page="", project="", version=__version__
    )
    return HTMLResponse(str(page), status)


async def _refused(request: Request, error: Exception) -> Response:
    return _told(request, 400, "That does not work", str(error))


async def _missing(request: Request, _: Exception) -> Response:
    return _told(request, 404, "There is no such page", "The pages are those in the line above.")


async def _broken(request: Request, _: Exception) -> Response:
    told = "The server made a mistake. Nothing that is finished is lost; the terminal says more."
    return _told(request, 500, "Something went wrong", told)
