"""What the pages ask for and send: uploads, fits, worlds, maps, plans, files; mostly JSON."""

import asyncio
import json
import os
import tempfile
import zipfile
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import suppress
from pathlib import Path
from types import MappingProxyType
from typing import Any

from starlette.background import BackgroundTask
from starlette.requests import ClientDisconnect, Request
from starlette.responses import FileResponse, JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from inverseq._core.errors import InputError
from inverseq._core.files import to_json, write_text
from inverseq._core.folders import PAGE, files_of
from inverseq.app.asked import NOT_OF_NEURONS, QUESTIONS, arguments_of, options_in
from inverseq.app.door import is_local
from inverseq.app.fits import Fit, State
from inverseq.app.networks import ENDING, PLACES, as_tables, drawn
from inverseq.app.office import Office, games_of
from inverseq.app.pages import whole
from inverseq.app.project import FITS, KEPT, LIST

_LONGEST = 1 << 20
"""Bytes of a request that is no upload."""

_LOOK = 0.5
"""Seconds between two looks at the list of fits."""

_MOST_CELLS = 100
_SEALED = {
    "Content-Security-Policy": "sandbox; default-src 'none'; img-src data:; "
    "style-src 'unsafe-inline'; frame-ancestors 'none'"
}
"""Of a report that is shown as it is: its own style and pictures, and nothing that runs."""


class Api:
    """Answers in JSON, and files.

    Args:
        office: What it is about.
    """

    def __init__(self, office: Office) -> None:
        self._office = office

    async def begin_upload(self, request: Request) -> Response:
        """Expect a file."""
        told = await _body(request)
        name, size = _text(told, "name"), _count(told, "size")
        return JSONResponse({"number": self._office.uploads.begin(name, size)})

    async def take_piece(self, request: Request) -> Response:
        """Take a piece of a file."""
        number, at = request.path_params["number"], whole(request.query_params.get("at", ""))
        try:
            table = await self._office.uploads.take(number, at, request.stream())
        except ClientDisconnect:
            raise InputError("the file did not arrive: choose it again") from None
        return JSONResponse({"table": table})

    async def ask(self, request: Request) -> Response:
        """Put a fit into the queue."""
        told = await _body(request)
        table = self._office.project.table(_text(told, "table"))
        given = {str(k): str(v) for k, v in told.items()}
        command = "neural" if told.get("command") == "neural" else "fit"
        read, asked = self._office.reading(given), options_in(given, QUESTIONS)
        if command == "neural" and (left := [n for n in asked if n in NOT_OF_NEURONS]):
            raise InputError(
                f"{left[0]} is nothing that a question about neurons takes: leave it empty, or ask "
                "for it without the neurons first"
            )
        arguments = arguments_of(command, table, read, asked)
        number = self._office.fits.ask(arguments, FITS, KEPT)
        return JSONResponse({"number": number})

    async def cancel(self, request: Request) -> Response:
        """Stop a fit, or take it out of the queue."""
        self._office.fits.cancel(self._office.fit(request.path_params["number"]).number)
        return JSONResponse({})

    async def events(self, request: Request) -> Response:
        """How the queue stands, whenever that changes, as server-sent events."""

        async def told() -> AsyncIterator[str]:
            last: Any = None
            now: list[Fit] = []
            while not (request.app.state.is_over() or await request.is_disconnected()):
                with suppress(
                    InputError
                ):  # of a full disk the page Fit tells; it may have room soon
                    now = await asyncio.to_thread(self._office.fits.all)
                if now != last:
                    last = now
                    busy = sum(fit.state in (State.WAITING, State.RUNNING) for fit in now)
                    yield f'data: {{"busy": {busy}, "fits": {len(now)}}}\n\n'
                await asyncio.sleep(_LOOK)

        return StreamingResponse(told(), media_type="text/event-stream")

    async def scene(self, request: Request) -> Response:
        """Places, doors and what is wanted there; or why there is no map, which is no mistake."""
        return await self._asked(request, 200, do="scene")

    async def walk(self, request: Request) -> Response:
        """One trajectory."""
        begins = whole(request.query_params.get("begins", ""))
        return await self._asked(request, do="walk", begins=begins)

    async def plan(self, request: Request) -> Response:
        """What would be done if something were otherwise."""
        told = await _body(request)
        try:
            first, behind = map(int, told["within"])
            start, swapped, discount = (told.get(n) for n in ("start", "swapped", "discount"))
            closed = [[int(a), int(b)] for a, b in told.get("closed", ())]
            one, other = map(int, swapped) if swapped else (0, 0)
            wanted = {
                "intention": int(told.get("intention", 0)),
                "within": [first, behind],
                "start": None if start is None else int(start),
                "closed": closed,
                "swapped": [one, other] if swapped else None,
                "discount": float(discount) if discount else None,
            }
        except (KeyError, TypeError, ValueError, OverflowError) as error:
            raise InputError("the page and the server do not understand each other") from error
        return await self._asked(request, do="plan", **wanted)

    async def _asked(self, request: Request, refused: int = 400, **question: Any) -> Response:
        """What the process that reads says about a finished fit."""
        number = request.path_params["number"]
        self._office.result(number)
        made = await self._office.results.ask(fit=number, **question)
        return JSONResponse(made, refused if "error" in made else 200)

    async def save_world(self, request: Request) -> Response:
        """Keep a maze that was painted, once it can be used."""
        told = await _body(request)
        # A free name is one until its file is there: two visitors who draw wait for each other.
        async with self._office.drawing:
            return await (self._save_network if "states" in told else self._save_maze)(told)

    async def _save_maze(self, told: dict[str, Any]) -> Response:
        """Keep rows of text."""
        rows, name = told.get("rows"), _text(told, "name")
        if not isinstance(rows, list) or not all(isinstance(r, str) for r in rows):
            raise InputError("a maze has rows of text")
        if len(rows) > _MOST_CELLS or max(map(len, rows), default=0) > _MOST_CELLS:
            raise InputError(f"a maze has {_MOST_CELLS} cells each way at most")
        path = self._office.project.world_path(name, ".json", str(told.get("over", "")))
        with self._office.project.aside(".json") as trial:
            _write(trial, to_json({Path(path).stem: rows}), path)
            made = await self._office.tables.ask(do="maze", path=str(trial))
            if "error" in made:
                raise InputError(made["error"].replace(f"{trial.name}, ", ""))
            os.replace(trial, self._office.project.root / path)
        return JSONResponse({"world": path, "told": made["told"]})

    async def _save_network(self, told: dict[str, Any]) -> Response:
        """The same of states and ways that were connected: two tables."""
        ways, places = as_tables(drawn(told))
        project = self._office.project
        path = project.world_path(_text(told, "name"), ENDING, str(told.get("over", "")))
        with project.aside(ENDING) as trial, project.aside(ENDING) as beside:
            _write(trial, ways, path)
            _write(beside, places, path)
            made = await self._office.tables.ask(
                do="network", path=str(trial), places=str(beside), name=Path(path).stem
            )
            if "error" in made:
                lies = path.removesuffix(ENDING) + PLACES
                said = made["error"].replace(str(trial), path).replace(str(beside), lies)
                said = said.replace(f"{trial.name}, ", "").replace(beside.name, lies)
                raise InputError(said)
            # Where states lie comes first: a world without that is one, the other way it is none.
            os.replace(beside, project.root / (path.removesuffix(ENDING) + PLACES))
            os.replace(trial, project.root / path)
        return JSONResponse({"world": path, "told": made["told"]})

    async def states(self, request: Request) -> Response:
        """The states of a table and the ways between them, to be drawn."""
        table = self._office.project.table(request.query_params.get("table", ""))
        read = self._office.reading(request.query_params)
        made = await self._office.tables.ask(do="states", table=table, options=read)
        return JSONResponse(made, 400 if "error" in made else 200)

    async def play(self, request: Request) -> Response:
        """Begin the game; its address."""
        world = (await _body(request)).get("world", "")
        if world not in ("", *self._office.project.worlds()):
            raise InputError(f"there is no world {world!r} in this project: paint it first")
        if request.client is None or not is_local(request.client.host):
            raise InputError(
                "the game is shown to the machine of the server alone: there, begin inverseq play "
                "with --host"
            )
        address = await self._office.play(str(world))
        return JSONResponse({"address": address, "table": games_of(str(world))})

    async def file(self, request: Request) -> Response:
        """A file of a result, out of its list."""
        number, name = request.path_params["number"], request.path_params["name"]
        folder = self._office.result(number)
        if name not in files_of(folder):
            raise InputError("there is no such file in this result")
        path = folder / name
        page = Path(name).name == PAGE
        shown = page and "download" not in request.query_params
        picture = name.endswith(".png")
        if shown or picture:
            headers = _SEALED if shown else {}
            return FileResponse(path, content_disposition_type="inline", headers=headers)
        of = Path(name).parent.name or Path(self._table(number)).stem
        stem = f"{of}-{PAGE}" if page else Path(name).name
        return FileResponse(path, filename=stem, media_type="application/octet-stream")

    def _table(self, number: int) -> str:
        return self._office.fit(number).table

    async def fit_zip(self, request: Request) -> Response:
        """A result as one file."""
        number = request.path_params["number"]
        folder = self._office.result(number)
        return await _zipped(folder, f"fit-{number}.zip", lambda name: True)

    async def project_zip(self, request: Request) -> Response:
        """The whole project as one file; unpacked elsewhere, `inverseq app` opens it."""
        root = self._office.project.root
        open_fits = [fit for fit in self._office.fits.all() if fit.state is not State.DONE]
        running = [f"{FITS}/{fit.number}/" for fit in open_fits]

        def wanted(name: str) -> bool:
            hidden = any(part.startswith(".") for part in name.split("/"))
            return not hidden and not name.startswith((LIST, *running))

        # The list changes while it is read: a copy does not.
        with self._office.project.aside(".sqlite") as listed:
            await asyncio.to_thread(self._office.fits.copy, listed)
            return await _zipped(root, f"{root.resolve().name}.zip", wanted, {LIST: listed})


def _write(trial: Path, text: str, path: str) -> None:
    """Write a file that will be called otherwise.

    Raises:
        InputError: It cannot be written; under the name that it would have.
    """
    try:
        write_text(trial, text)
    except InputError as error:
        raise InputError(str(error).replace(str(trial), path)) from error


async def _zipped(
    folder: Path,
    name: str,
    wanted: Callable[[str], bool],
    besides: Mapping[str, Path] = MappingProxyType({}),
) -> Response:
    """A folder, and files of other places, as a file that is removed once it is sent."""
    handle, path = tempfile.mkstemp(suffix=".zip")
    os.close(handle)

    def write() -> None:
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            for each in files_of(folder):
                if wanted(each):
                    archive.write(folder / each, f"{Path(name).stem}/{each}")
            for each, path_of in besides.items():
                archive.write(path_of, f"{Path(name).stem}/{each}")

    try:
        await asyncio.to_thread(write)
    except OSError as error:
        os.unlink(path)
        raise InputError(
            f"there is no room for {name} on the disk of temporary files: {error.strerror}"
        ) from error
    gone = BackgroundTask(os.unlink, path)
    return FileResponse(path, filename=name, media_type="application/zip", background=gone)


def api_routes(office: Office) -> list[Route]:
    """The addresses."""
    api = Api(office)
    return [
        Route("/api/uploads", api.begin_upload, methods=["POST"]),
        Route("/api/uploads/{number:int}", api.take_piece, methods=["PUT"]),
        Route("/api/fits", api.ask, methods=["POST"]),
        Route("/api/fits/{number:int}/cancel", api.cancel, methods=["POST"]),
        Route("/api/fits/{number:int}/scene", api.scene),
        Route("/api/fits/{number:int}/walk", api.walk),
        Route("/api/fits/{number:int}/plan", api.plan, methods=["POST"]),
        Route("/api/worlds", api.save_world, methods=["POST"]),
        Route("/api/states", api.states),
        Route("/api/play", api.play, methods=["POST"]),
        Route("/api/events", api.events),
        Route("/files/{number:int}/{name:path}", api.file),
        Route("/fit-{number:int}.zip", api.fit_zip),
        Route("/project.zip", api.project_zip),
    ]


async def _body(request: Request) -> dict[str, Any]:
    """A request's object in JSON.

    Raises:
        InputError: It is none, or too long. Other sites' pages cannot send one unasked.
    """
    if request.headers.get("content-type", "").partition(";")[0] != "application/json":
        raise InputError("the page sends JSON; reload it")
    taken = bytearray()
    try:
        async for piece in request.stream():
            taken += piece
            if len(taken) > _LONGEST:
                raise InputError("this request is too long")
        told = json.loads(taken.decode())
    except (ValueError, RecursionError, ClientDisconnect) as error:
        if isinstance(error, InputError):
            raise
        raise InputError("this request is no JSON; reload the page") from error
    if not isinstance(told, dict):
        raise InputError("this request is no object in JSON; reload the page")
    return told


def _text(told: dict[str, Any], name: str) -> str:
    """A text of a request."""
    value = told.get(name)
    if not isinstance(value, str) or not 0 < len(value) <= 255 or "\0" in value:
        raise InputError(f"{name} must be a text of 255 letters at most")
    return value


def _count(told: dict[str, Any], name: str) -> int:
    """A whole number of a request."""
    value = told.get(name)
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise InputError(f"{name} must be a whole number")
    return value
