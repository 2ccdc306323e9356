"""`inverseq app`."""

import asyncio
import secrets
from contextlib import suppress

from rich.console import Console

from inverseq._core.errors import InputError
from inverseq._core.files import to_json
from inverseq.app.door import is_local
from inverseq.app.office import Office
from inverseq.app.project import opened
from inverseq.app.server import listen, server_of
from inverseq.app.site import make_site
from inverseq.cli.options_others import App
from inverseq.cli.served import address_of, show


def run(options: App) -> int:
    """Serve the pages of a project until Ctrl-C."""
    served = options.served
    if not 0 < options.limit < float("inf"):
        raise InputError(f"--limit must be a number of gigabytes above 0; got {options.limit:g}")
    ticket = "" if is_local(served.host) else secrets.token_urlsafe(16)
    with listen(served.host, options.port) as listening, opened(options.project) as project:
        address = address_of(served, listening) + (f"/?ticket={ticket}" if ticket else "")
        _tell(options, address)
        site = make_site(
            Office(project, int(options.limit * 1e9)), served.host, served.allow_host, ticket
        )
        show(served, address)
        with suppress(KeyboardInterrupt, asyncio.CancelledError):  # the usual way to stop
            server_of(site).run(sockets=[listening])
    return 0


def _tell(options: App, address: str) -> None:
    """Say where the page is, and who can see it."""
    if options.output.json:
        print(to_json({"address": address, "project": options.project}), end="", flush=True)
        return
    if options.output.quiet:
        return
    console = Console(highlight=False)
    lines = [
        f"Open {address} (Ctrl-C stops)",
        f"The project lies in {options.project}; fits that run go on when it is opened again.",
    ]
    if not is_local(options.served.host):
        lines.append(
            "MIND: whoever has this address, with its ticket, can read and fit your tables over "
            "the network, and nothing is encrypted."
        )
    for line in lines:
        console.print(line, markup=False, soft_wrap=True)
