"""`inverseq play`."""

import socket
import threading
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from contextlib import suppress
from importlib import import_module
from types import ModuleType
from typing import Any

from rich.console import Console

from inverseq._core.files import to_json
from inverseq.app.door import is_local
from inverseq.app.play.log import GameLog
from inverseq.app.server import listen, make_app, server_of
from inverseq.cli.options_others import Play
from inverseq.cli.served import address_of, show


def run(options: Play) -> int:
    """Serve the page until Ctrl-C."""
    mazes = None if options.maze is None else _opening().mazes_as_rules(options.maze)
    listening = listen(options.served.host, options.port)
    with listening:
        log = GameLog(options.out)
        try:
            if mazes is not None:
                log.require_same({name: _opening().as_json(each) for name, each in mazes.items()})
            game = _beside(lambda: _open(options, mazes, log))
            if options.agent:
                game.result()  # what cannot play is refused before a page is shown
            _serve(options, log, game, listening)
            if game.done():
                game.result()
        finally:
            log.close()
    if not options.output.quiet and not options.output.json:
        Console(highlight=False).print(
            f"{log.recorded} game{'s' * (log.recorded != 1)} in {log.path}", markup=False
        )
    return 0


def _beside(work: Callable[[], Any]) -> Future:
    """What `work` will return. Ctrl-C does not wait for it: nothing can stop it while it compiles,
    and nothing is lost with it.
    """
    made: Future = Future()

    def run() -> None:
        try:
            made.set_result(work())
        except BaseException as error:
            made.set_exception(error)

    threading.Thread(target=run, daemon=True).start()
    return made


def _open(options: Play, mazes: Mapping[str, Any] | None, log: GameLog) -> Any:
    """What begins a visit. Loading and compiling it takes seconds, and the page does not wait."""
    opening = _opening()
    rules = opening.LEVELS if mazes is None else mazes
    first = options.difficulty if mazes is None else next(iter(mazes))
    return opening.open_game(log, rules, first, options.agent, options.seed)


def _opening() -> ModuleType:
    """What is loaded only when somebody plays: it takes a second."""
    return import_module("inverseq.app.play.opening")


def _serve(options: Play, log: GameLog, game: Future, listening: socket.socket) -> None:
    """Show the page until Ctrl-C, or until it turns out that there is no game."""
    served = options.served
    address = address_of(served, listening)
    _tell(options, address, log)
    server = server_of(make_app(game, log.path.name, served.host, served.allow_host))

    def stop_if_failed(game: Future) -> None:
        server.should_exit = server.should_exit or game.exception() is not None

    game.add_done_callback(stop_if_failed)
    show(served, address)
    with suppress(KeyboardInterrupt):  # the usual way to stop
        server.run(sockets=[listening])


def _tell(options: Play, address: str, log: GameLog) -> None:
    """Say where the page is and where games go."""
    if options.output.json:
        found = {"address": address, "out": str(log.path), "recorded": log.recorded}
        print(to_json(found), end="", flush=True)
        return
    if options.output.quiet:
        return
    console = Console(highlight=False)
    console.print(f"Play at {address} (Ctrl-C stops)", markup=False, soft_wrap=True)
    console.print(
        f"Games are added to {log.path}, which holds {log.recorded}.", markup=False, soft_wrap=True
    )
    if not is_local(options.served.host):
        console.print(
            "Anybody who can reach this machine can play and add games, unencrypted and without "
            "a password.",
            markup=False,
            soft_wrap=True,
        )
