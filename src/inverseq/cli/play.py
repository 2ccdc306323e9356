"""`inverseq play`."""

import json
import secrets
import threading
import webbrowser
from dataclasses import asdict

from rich.console import Console

from inverseq._core.files import to_json
from inverseq.app.door import is_local
from inverseq.app.play.companions import companions
from inverseq.app.play.log import GameLog
from inverseq.app.play.match import Level
from inverseq.app.play.session import Offer
from inverseq.app.server import listen, make_app, server_of
from inverseq.cli.options import Play
from inverseq.worlds.game_rules import RANDOM_WALLS, RANDOM_WIN, STATIC_WALLS, grid_simulator

_LEVELS = {"static-walls": STATIC_WALLS, "random-walls": RANDOM_WALLS, "random-win": RANDOM_WIN}


def run(options: Play) -> int:
    """Serve the page until Ctrl-C."""
    levels = {
        name: Level(name, json.dumps(asdict(rules)), grid_simulator(rules))
        for name, rules in _LEVELS.items()
    }
    beside = companions(options.agent, (STATIC_WALLS.height, STATIC_WALLS.width))
    listening = listen(options.host, options.port)
    with listening:
        log = GameLog(options.out)
        try:
            chosen = [*beside][-1] if options.agent else "none"
            offer = Offer(levels, beside, options.difficulty, chosen, log)
            seed = secrets.randbits(31) if options.seed is None else options.seed
            address = _address(options.host, listening.getsockname()[1])
            _tell(options, address, log)
            app = make_app(offer, seed, options.host, options.allow_host)
            if not options.no_browser:
                # In a thread: some browsers keep whoever starts them waiting.
                threading.Thread(target=webbrowser.open, args=(address,), daemon=True).start()
            server_of(app).run(sockets=[listening])
        except KeyboardInterrupt:
            pass  # the usual way to stop
        finally:
            log.close()
    if not options.output.quiet and not options.output.json:
        Console(highlight=False).print(
            f"{log.recorded} game{'s' * (log.recorded != 1)} in {log.path}", markup=False
        )
    return 0


def _address(host: str, port: int) -> str:
    """The page's address for somebody at this machine."""
    shown = "127.0.0.1" if host in ("0.0.0.0", "::", "") else host
    return f"http://[{shown}]:{port}" if ":" in shown else f"http://{shown}:{port}"


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
    if not is_local(options.host):
        console.print(
            "Anybody who can reach this machine can play and add games, unencrypted and without "
            "a password.",
            markup=False,
            soft_wrap=True,
        )
