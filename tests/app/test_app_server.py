import http.client
import json
import re
import socket
import subprocess
import sys
import threading
import time
from concurrent.futures import Future
from contextlib import contextmanager
from itertools import count

import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import connect

from inverseq import InputError
from inverseq.app import door
from inverseq.app.door import is_local
from inverseq.app.play.log import GameLog
from inverseq.app.play.match import Level
from inverseq.app.play.session import Offer, Session
from inverseq.app.server import listen, make_app, server_of
from inverseq.readers import read_games
from inverseq.worlds.game_rules import GridWorldRules, grid_simulator

RULES = GridWorldRules(width=4, height=1, num_walls=0, start=(0, 0))
LEVELS = {"corridor": Level("corridor", "{}", grid_simulator(RULES))}


@pytest.fixture
def begin(path):
    """What begins a visit."""
    log, seeds = GameLog(path), count()
    offer = Offer(LEVELS, {}, "corridor", "none", log)
    yield lambda: Session(offer, next(seeds))
    log.close()


def ready(begin):
    """A game that is there already."""
    game = Future()
    game.set_result(begin)
    return game


class Served:
    """A real server in a thread of this process."""

    def __init__(self, game, host="127.0.0.1", allowed=()):
        self.listening = listen("127.0.0.1", 0)
        self.name = f"127.0.0.1:{self.listening.getsockname()[1]}"
        self.server = server_of(make_app(game, "games.parquet", host, allowed))
        run, sockets = self.server.run, [self.listening]
        self.thread = threading.Thread(target=run, args=(sockets,), daemon=True)
        self.thread.start()

    def get(self, address, **headers):
        """Status, headers and text of a page."""
        link = http.client.HTTPConnection(self.name, timeout=10)
        link.request("GET", address, headers=headers)
        answer = link.getresponse()
        text = answer.read().decode()
        link.close()
        return answer.status, answer.headers, text

    @contextmanager
    def visit(self, **options):
        """A visit to the page, which has been greeted with its first view."""
        with connect(f"ws://{self.name}/socket", open_timeout=30, **options) as link:
            yield link, json.loads(link.recv(timeout=30))

    def close(self):
        self.server.should_exit = True
        self.thread.join()
        self.listening.close()


@pytest.fixture
def served(begin):
    served = Served(ready(begin))
    yield served
    served.close()


def ask(link, **message):
    link.send(json.dumps(message))
    return json.loads(link.recv(timeout=30))


@pytest.mark.parametrize(
    ("address", "kind", "words"),
    [
        ("/", "text/html", "<title>"),
        ("/play.css", "text/css", "color-scheme"),
        ("/play.js", "text/javascript", "preventDefault"),
    ],
)
def test_the_page_loads_nothing_from_elsewhere(served, address, kind, words):
    status, headers, text = served.get(address)
    assert status == 200
    assert headers["content-type"].startswith(kind)
    assert "default-src 'self'" in headers["content-security-policy"]
    assert words in text
    # The name of SVG, which no browser fetches, is the only address of somebody else.
    assert set(re.findall(r"https?://[\w.]+", text)) <= {"http://www.w3.org"}


def test_a_game_over_the_socket(served, path):
    with served.visit() as (link, view):
        moves = [ask(link, type="move", action=1, board=view["board"]) for _ in range(3)]
        assert [view["person"]["moves"] for view in moves] == [1, 2, 3]
        assert read_games(path).num_trajectories == 1


def test_the_page_is_there_before_the_game_and_says_what_it_waits_for(begin):
    game = Future()
    served = Served(game)
    assert "Getting the first board ready" in served.get("/")[2]
    with served.visit() as (link, told):
        assert told == {"preparing": "games.parquet"}
        with pytest.raises(TimeoutError):
            link.recv(timeout=0.2)
        game.set_result(begin)
        assert json.loads(link.recv(timeout=30))["person"]["moves"] == 0
    served.close()


def test_a_game_that_cannot_be_played_is_said_to_whoever_waits(begin):
    game = Future()
    served = Served(game)
    with served.visit() as (link, _):
        game.set_exception(InputError("no such agent"))
        with pytest.raises(ConnectionClosed) as closed:
            link.recv(timeout=30)
        assert (closed.value.rcvd.code, closed.value.rcvd.reason) == (1003, "no such agent")
    served.close()


def test_leaving_the_page_or_stopping_the_server_abandons_games(begin, path):
    served = Served(ready(begin))
    with served.visit() as (stays, view):
        with served.visit() as (leaves, _):
            ask(leaves, type="move", action=1, board=view["board"])
        ask(stays, type="move", action=3, board=view["board"])
        served.close()
    demos = read_games(path)
    assert demos.trajectories["ended"].tolist() == ["abandoned", "abandoned"]
    assert demos.actions.tolist() == [1, 3]


@pytest.mark.parametrize("text", ["no JSON", '{"type": "undo"}', "[" * 2000, b"bytes"])
def test_a_message_that_makes_no_sense_ends_the_visit_and_nothing_else(served, text):
    with served.visit() as (link, _):
        link.send(text)
        with pytest.raises(ConnectionClosed) as closed:
            link.recv(timeout=30)
        assert closed.value.rcvd.code == 1003
    with served.visit() as (_, view):
        assert view["person"]["moves"] == 0


def test_pages_of_other_sites_are_kept_out(served):
    assert served.get("/", host="evil.example")[0] == 400
    with pytest.raises(InvalidStatus) as refused, served.visit(origin="http://evil.example"):
        pass
    assert refused.value.response.status_code == 403
    with served.visit(origin=f"http://{served.name}") as (_, view):
        assert view["games"] == 0


def test_an_open_server_answers_to_addresses_its_own_names_and_those_allowed(begin):
    served = Served(ready(begin), host="0.0.0.0", allowed=("Lab.example",))
    ours = ("lab.example", socket.gethostname(), "192.0.2.7:8765", "[2001:db8::1]:80", "localhost")
    assert [served.get("/", host=host)[0] for host in ours] == [200] * 5
    for host in ("evil.example", "lab.example.evil.example", "[", "", "127.0.0.1.evil.example"):
        status, headers, _ = served.get("/", host=host, origin=f"http://{host}")
        assert status == 400
        assert headers["x-content-type-options"] == "nosniff"
    served.close()


def test_an_origin_that_is_none_is_refused_like_a_foreign_one(served):
    for origin in ("http://[", "null", "http://evil.example", f"http://{served.name}0"):
        status, headers, _ = served.get("/", origin=origin)
        assert status == 403
        assert "frame-ancestors 'none'" in headers["content-security-policy"]
        with pytest.raises(InvalidStatus) as refused, served.visit(origin=origin):
            pass
        assert refused.value.response.status_code == 403


ADDRESSES = ("/", "/play.js", "/nothing", "/../server.py", "/%00", "/socket")


@pytest.mark.parametrize("address", ADDRESSES)
def test_every_answer_has_the_headers_of_a_page_that_trusts_nobody(served, address):
    _, headers, _ = served.get(address)
    assert all(headers[name] == value for name, value in door.HEADERS.items())


HALF = (
    b"",
    b"GET / HT",
    b"GET / HTTP/1.1\r\nHost: localhost\r\nX-Slow: ",
    b"\x16\x03\x01\x02\x00\x01",
    b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 50\r\n\r\nhalf",
)


@pytest.mark.parametrize("begun", HALF)
def test_a_request_that_never_ends_is_given_up(begin, monkeypatch, begun):
    monkeypatch.setattr(door, "PATIENCE", 0.5)
    served = Served(ready(begin))
    host, port = served.name.split(":")
    with socket.create_connection((host, int(port)), timeout=20) as link:
        link.sendall(begun)
        while link.recv(4096):  # what it answers, until it hangs up
            pass
    assert served.get("/")[0] == 200
    served.close()


def test_a_visit_outlasts_the_patience(begin, monkeypatch):
    monkeypatch.setattr(door, "PATIENCE", 0.2)
    served = Served(ready(begin))
    with served.visit() as (link, view):
        time.sleep(0.6)
        assert ask(link, type="move", action=1, board=view["board"])["person"]["moves"] == 1
    served.close()


def test_which_addresses_are_of_this_machine_alone():
    ours = ("127.0.0.1", "127.3.2.1", "localhost", "::1", "[::1]")
    assert [is_local(h) for h in ours] == [True] * 5
    assert [is_local(h) for h in ("0.0.0.0", "::", "192.0.2.1")] == [False] * 3


def test_a_port_that_is_taken_is_one_message():
    with listen("127.0.0.1", 0) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(InputError, match=rf"port {port}: .*in use.*--port 0"):
            listen("127.0.0.1", port)


def test_an_address_of_another_machine_is_one_message():
    with pytest.raises(InputError, match=r"cannot listen on 203\.0\.113\.1"):
        listen("203.0.113.1", 0)
    with pytest.raises(InputError, match="cannot listen on no such host"):
        listen("no such host", 0)


def test_what_is_missing_is_named_with_the_line_that_mends_it():
    code = (
        "import sys; sys.modules['uvicorn'] = None\n"
        "from inverseq.cli import main; sys.exit(main(['play', '--no-browser']))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert 'needs uvicorn, which is not installed. Type: pip install "inverseq[app]"' in done.stderr
    assert done.stderr.count("\n") == 1
