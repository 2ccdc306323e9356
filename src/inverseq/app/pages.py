"""The pages of a project, and the parts of them that are loaded when they are ready."""

import json
import shlex
import time
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Route

from inverseq import __version__
from inverseq._core.errors import InputError
from inverseq._core.folders import GROUPS, PAGE, files_of
from inverseq._core.words import render
from inverseq.app.asked import (
    BOTH,
    QUESTIONS,
    ROLES,
    SETTINGS,
    Options,
    arguments_of,
    as_options,
    cut_or_not,
    options_in,
    options_of,
    python_lines,
    roles_in,
    typed,
)
from inverseq.app.embed import embedded
from inverseq.app.fits import Fit, State
from inverseq.app.networks import ENDING, PLACES, as_json, from_tables
from inverseq.app.office import Office, games_of
from inverseq.app.project import DATASETS, KEPT
from inverseq.app.tours import TOURS, step_of

_PAINTS = "#.SG"
_MAZE = ".json"
_MOST_COMPARED = 4
_MOST_DIGITS = 15
_SHOWN = ("nats", "error")
_LABELS = ("", "subject", "session")
"""Roles of columns that may say whose decisions these are."""


class Pages:
    """The pages.

    Args:
        office: What they are about.
    """

    def __init__(self, office: Office) -> None:
        self._office = office

    def _page(self, request: Request, page: str, **values: Any) -> Response:
        """A page from its template."""
        made = render(
            "inverseq.app",
            f"{page}.j2",
            page=page,
            project=self._office.project.root.resolve().name,
            version=__version__,
            tour=step_of(request.query_params.get("tour", "")),
            **values,
        )
        return HTMLResponse(str(made))

    async def data(self, request: Request) -> Response:
        """Tables: those that are there, and one of them with its columns."""
        table, part = request.query_params.get("table", ""), ""
        if table:
            self._office.project.table(table)
            options = self._office.reading(request.query_params)
            options = options or self._last_options(table)
            part = urlencode({"table": table} | options)
        tables, limit = self._office.project.tables(), self._office.uploads.limit
        return self._page(
            request, "data", table=table, part=part, tables=tables, sets=DATASETS, limit=limit
        )

    def _last_options(self, table: str) -> Options:
        """How a table was read when it was last fitted."""
        for fit in reversed(self._office.fits.all()):
            if fit.table == table:
                known = as_options(fit.asks)
                return options_in(known, (*ROLES, *SETTINGS))
        return {}

    async def table_part(self, request: Request) -> Response:
        """A table: its first rows, a menu for each column, and what is typed to read it so."""
        query = request.query_params
        table = self._office.project.table(query.get("table", ""))
        asked = self._office.reading(query)
        seen = await self._office.rows(table, asked.get("decisions", ""))
        columns, guesses = seen["columns"], seen["guesses"]
        own = "dataset" in seen
        if "c0" in query and query.get("shown", "") == asked.get("decisions", ""):
            roles = [query.get(f"c{i}", "") for i in range(len(columns))]
            asked = options_of(roles, columns, guesses) | options_in(query, SETTINGS)
            if "moves" in query and not {"action", BOTH} & {*roles}:
                asked["action"] = "moves"
        asked = {} if own else self._office.reading(cut_or_not(asked))
        cut = own or "act" in asked
        roles = [""] * len(columns) if cut else roles_in(asked, columns, guesses)
        asked = self._placed(asked)
        fields = {name: asked.get(name, "") for name in SETTINGS}
        made = render(
            "inverseq.app",
            "table_part.j2",
            table=table,
            seen=seen,
            roles=roles,
            known_roles=("", *ROLES, BOTH),
            named={column: role for role, column in guesses.items()},
            fields=fields,
            worlds=self._office.project.worlds(),
            tables=self._office.project.tables(),
            places=[*self._office.project.places(), *self._office.project.tables()],
            query=urlencode({"table": table} | asked),
            asked=asked,
            **lines("fit", table, asked, {}),
        )
        return HTMLResponse(str(made))

    def _placed(self, asked: Options) -> Options:
        """The options with the places of the world, where that was drawn with them; without any
        where the world is none that could have them.
        """
        world = asked.get("world", "")
        own, told = self._office.project.places_of(world), asked.get("places", "")
        if world in ("", "labyrinth") or world.endswith(_MAZE):
            return {name: value for name, value in asked.items() if name != "places"}
        return asked | {"places": own} if own and (not told or told.endswith(PLACES)) else asked

    async def check_part(self, request: Request) -> Response:
        """What the doctor finds, each with what a click can mend."""
        table = self._office.project.table(request.query_params.get("table", ""))
        asked = self._office.reading(request.query_params)
        found = await self._office.tables.ask(do="check", table=table, options=asked)
        for each in [found, *found.get("findings", ())]:
            told = each.get("remedies", ())
            each["asked_of_fits"] = any(remedy["option"] in QUESTIONS for remedy in told)
            here = (*ROLES, *SETTINGS)
            each["remedies"] = [remedy for remedy in told if remedy["option"] in here]
            for remedy in each["remedies"]:
                name, value = remedy["option"], remedy["value"]
                remedy["query"] = urlencode({"table": table} | _changed(asked, name, value))
                remedy["typed"] = shlex.join(arguments_of("", "", {name: value})[2:])
        query = urlencode({"table": table} | asked)
        made = render("inverseq.app", "check_part.j2", found=found, query=query, table=table)
        return HTMLResponse(str(made))

    async def fit(self, request: Request) -> Response:
        """What is asked, and the queue."""
        query = request.query_params
        table, seen, asked = query.get("table", ""), None, {}
        if table:
            asked = self._office.reading(query)
            known = self._office.project.table(table)
            seen = await self._office.rows(known, asked.get("decisions", ""))
        labels: dict[str, str] = {}
        if seen is not None:
            roles = roles_in(asked, seen["columns"], seen["guesses"])
            own = dict(zip(seen["columns"], roles, strict=True))
            labels = seen.get("labels", {n: r for n, r in own.items() if r in _LABELS})
        return self._page(
            request,
            "fit",
            table=table,
            seen=seen,
            asked=asked,
            query=urlencode({"table": table} | asked),
            labels=labels,
            question=query.get("question", "want"),
            fits=self.told(),
            tables=self._office.project.tables(),
            sets=DATASETS,
            nwb=table.endswith(".nwb") or bool(seen and seen.get("recorded")),
        )

    async def queue_part(self, request: Request) -> Response:
        """The queue by itself."""
        made = render("inverseq.app", "queue_part.j2", fits=self.told())
        return HTMLResponse(str(made))

    def told(self) -> list[dict[str, Any]]:
        """All fits as they are shown, the newest first."""
        now = time.time()
        return [_told(fit, now) for fit in reversed(self._office.fits.all())]

    async def look(self, request: Request) -> Response:
        """The result of a fit, alive: the newest where no number is given."""
        finished = self._office.finished()
        number = self._number(request, finished)
        if number is None:
            return self._page(request, "look", fit=None, finished=finished, report=None)
        report = embedded(self._office.result(number))
        fit = self._office.fit(number)
        known = as_options(fit.asks)
        read, asked = options_in(known, (*ROLES, *SETTINGS)), options_in(known, QUESTIONS)
        return self._page(
            request,
            "look",
            fit=_told(fit, time.time()),
            finished=finished,
            report=report,
            **lines(fit.arguments[0], fit.table, read, asked),
        )

    def _number(self, request: Request, finished: list[Fit]) -> int | None:
        """Which fit is looked at."""
        told, table = request.query_params.get("fit"), request.query_params.get("table")
        if told is not None:
            return whole(told)
        return next((f.number for f in finished if table in (None, f.table)), None)

    async def compare(self, request: Request) -> Response:
        """Fits side by side."""
        finished = self._office.finished()
        chosen = [whole(n) for n in request.query_params.getlist("fit")][:_MOST_COMPARED]
        shown = []
        for number in chosen:
            folder = self._office.result(number)
            fit = _told(self._office.fit(number), time.time())
            shown.append({"fit": fit, "report": embedded(folder), "scores": _scores(folder)})
        models: dict[str, dict[int, dict[str, Any]]] = {}
        for each in shown:
            for row in each["scores"]:
                models.setdefault(row["model"], {})[each["fit"]["number"]] = row
        return self._page(
            request, "compare", finished=finished, chosen=chosen, shown=shown, models=models
        )

    async def report(self, request: Request) -> Response:
        """What can be taken away."""
        finished = self._office.finished()
        number = self._number(request, finished)
        if number is None:
            return self._page(request, "report", fit=None, finished=finished, files={})
        files = files_of(self._office.result(number))
        fit = _told(self._office.fit(number), time.time())
        parts = [name.split("/") for name in files if name.startswith(f"{GROUPS}/")]
        groups = [part[1] for part in parts if part[2:] == [PAGE]]
        return self._page(request, "report", fit=fit, finished=finished, files=files, groups=groups)

    async def world(self, request: Request) -> Response:
        """A maze to paint, or states to connect."""
        query, project = request.query_params, self._office.project
        told, worlds = query.get("world", ""), project.worlds()
        if told and told not in worlds:
            raise InputError(f"there is no world {told!r} in this project")
        if query.get("kind") == "network" or told.endswith(ENDING):
            return self._network(request, told, worlds)
        rows = _painted(project.root / told) if told else []
        return self._page(request, "world", worlds=worlds, told=told, rows=rows)

    def _network(self, request: Request, told: str, worlds: list[str]) -> Response:
        """States to connect: those of a world, of a table, or none yet."""
        query, project = request.query_params, self._office.project
        table, laid = query.get("table", ""), ""
        if table:
            read = self._office.reading(query) or self._last_options(project.table(table))
            laid = urlencode({"table": table} | read)
        known = (
            {"states": [], "ways": []} if not told else as_json(from_tables(project.root / told))
        )
        return self._page(
            request,
            "network",
            worlds=worlds,
            told=told,
            known=json.dumps(known),
            laid=laid,
            table=table,
            tables=project.tables(),
        )

    async def play(self, request: Request) -> Response:
        """The game, in a maze of one's own, too."""
        worlds = [name for name in self._office.project.worlds() if name.endswith(_MAZE)]
        known = self._office.project.tables()
        played = [games for world in ("", *worlds) if (games := games_of(world)) in known]
        chosen = request.query_params.get("world", "")
        return self._page(request, "play", worlds=worlds, played=played, chosen=chosen)

    async def tours(self, request: Request) -> Response:
        """Begin a tour."""
        tour = TOURS.get(request.path_params["name"])
        if tour is None:
            raise InputError(f"there is no such tour; there are {', '.join(TOURS)}")
        return RedirectResponse(tour[0].address, 303)


def page_routes(office: Office) -> list[Route]:
    """The addresses of the pages."""
    pages = Pages(office)
    return [
        Route("/data", pages.data),
        Route("/part/table", pages.table_part),
        Route("/part/check", pages.check_part),
        Route("/fit", pages.fit),
        Route("/part/queue", pages.queue_part),
        Route("/look", pages.look),
        Route("/compare", pages.compare),
        Route("/report", pages.report),
        Route("/world", pages.world),
        Route("/play", pages.play),
        Route("/tour/{name}", pages.tours),
    ]


def whole(told: str) -> int:
    """A number of a request.

    Raises:
        InputError: It is none.
    """
    if not (told.isascii() and told.isdecimal() and len(told) <= _MOST_DIGITS):
        raise InputError("the page and the server do not understand each other; reload it")
    return int(told)


def _painted(path: Path) -> list[str]:
    """The rows of a maze of walls, starts and goals.

    Raises:
        InputError: The file holds something else.
    """
    try:
        rows = next(iter(json.loads(path.read_text(encoding="utf-8")).values()))
        if {*map(len, rows)} == {len(rows[0])} and {*"".join(rows)} <= {*_PAINTS}:
            return rows
    except (OSError, ValueError, TypeError, AttributeError, LookupError, StopIteration):
        pass
    raise InputError(
        f"{path.name} cannot be painted here: it is no single maze of walls, starts and goals. As "
        "the world of a table it can be chosen on the page Data"
    )


def lines(command: str, table: str, read: Options, asked: Options) -> dict[str, str]:
    """What is typed to do the same: in a terminal and in Python."""
    told = typed([*arguments_of(command, table, read, asked), "--keep", KEPT])
    python = python_lines(table, read, asked, told) if command == "fit" else ""
    return {"command": told, "python": python}


def _told(fit: Fit, now: float) -> dict[str, Any]:
    """A fit as it is shown."""
    read = options_in(as_options(fit.asks), (*ROLES, *SETTINGS))
    seconds = None if fit.began is None else (fit.ended or now) - fit.began
    return {
        "number": fit.number,
        "table": fit.table,
        "asks": shlex.join(fit.asks),
        "command": typed(fit.arguments),
        "query": urlencode({"table": fit.table} | read),
        "state": fit.state,
        "what": fit.what,
        "done": fit.done,
        "total": fit.total,
        "left": fit.left(now) if fit.state is State.RUNNING else None,
        "seconds": seconds,
        "told": fit.told,
        "cancel": fit.cancel,
        "attempts": fit.attempts,
    }


def _scores(folder: Path) -> list[dict[str, Any]]:
    """The scores of all models of a result; those of groups lie with each of them.

    Raises:
        InputError: The file of the result that holds them is gone, or is none.
    """
    try:
        told = json.loads((folder / "summary.json").read_text(encoding="utf-8"))
        rows = [row for row in told.get("scores", ()) if {"key", "model"} <= row.keys()]
        return [{"model": str(row["model"])} | {n: row.get(n) for n in _SHOWN} for row in rows]
    except (OSError, ValueError, TypeError, AttributeError) as error:
        raise InputError(
            f"summary.json of fit {folder.name} cannot be read, so it cannot be compared: fit again"
        ) from error


def _changed(options: Options, name: str, value: str) -> Options:
    """The options with one more; what names columns too is put beside what is there."""
    if name in ("named", "missing") and name in options:
        told = [*options[name].split(","), *value.split(",")]
        value = ",".join(dict.fromkeys(told))
    if name in ("action", "state") and value == "none":
        return options
    return {**options, name: value}
