"""What commands share that show a page in the browser."""

import socket
import threading
import webbrowser

from inverseq.cli.options_others import Served


def address_of(served: Served, listening: socket.socket) -> str:
    """The page's address for somebody at this machine."""
    port = listening.getsockname()[1]
    shown = "127.0.0.1" if served.host in ("0.0.0.0", "::", "") else served.host
    return f"http://[{shown}]:{port}" if ":" in shown else f"http://{shown}:{port}"


def show(served: Served, address: str) -> None:
    """Show the page in the browser, unless that is not wanted."""
    if not served.no_browser:
        # In a thread: some browsers keep whoever starts them waiting.
        threading.Thread(target=webbrowser.open, args=(address,), daemon=True).start()
