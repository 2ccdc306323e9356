import json
import socket
import subprocess
import sys
import threading
import time

import numpy as np
import pytest

import inverseq as iq
from inverseq.app.games import End
from inverseq.app.play.log import GameLog
from inverseq.cli import play, served
from played_games import walk


@pytest.fixture
def unserved(monkeypatch):
    """Everything but the serving itself; what would have been served, and shown."""
    seen = {"served": [], "shown": []}

    class Server:
        should_exit = False

        def run(self, sockets):
            seen["served"] += [s.getsockname() for s in sockets]
            raise KeyboardInterrupt

    monkeypatch.setattr(play, "server_of", lambda app: Server())
    monkeypatch.setattr(play, "_open", lambda *_: None)
    monkeypatch.setattr(served.webbrowser, "open", seen["shown"].append)
    return seen


def test_it_says_where_and_how_many_and_shows_the_page(inside, unserved, tmp_path):
    log = GameLog(tmp_path / "games.parquet")
    log.append(walk([0, 1, 2, 5]))
    log.close()
    code, out, err = inside("play", "--port", "0", "--out", "games.parquet")
    ((host, port),) = unserved["served"]
    assert (code, err, host) == (0, "", "127.0.0.1")
    assert f"Play at http://127.0.0.1:{port} " in out
    assert "which holds 1." in out
    assert "1 game in games.parquet" in out
    assert unserved["shown"] == [f"http://127.0.0.1:{port}"]
    GameLog(tmp_path / "games.parquet").close()  # it was given up


def test_the_page_is_shown_without_waiting_for_what_the_game_needs():
    code = (
        "import sys, inverseq.cli.play, inverseq.cli.parse\n"
        "print([m for m in ('jax', 'scipy', 'matplotlib') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


def test_a_game_that_fails_to_open_ends_the_serving(inside, monkeypatch):
    served = []

    class Server:
        should_exit = False

        def run(self, sockets):
            while not self.should_exit:
                time.sleep(0.01)
            served.append(sockets)

    def fail(*_):
        raise iq.InputError("the rules are lost")

    monkeypatch.setattr(play, "server_of", lambda app: Server())
    monkeypatch.setattr("inverseq.app.play.opening.open_game", fail)
    code, _, err = inside("play", "--port", "0", "--no-browser")
    assert (code, err, len(served)) == (2, "inverseq: error: the rules are lost\n", 1)


def test_ctrl_c_does_not_wait_for_a_game_that_is_compiling(inside, unserved, monkeypatch):
    compiled = threading.Event()
    monkeypatch.setattr(play, "_open", lambda *_: compiled.wait())
    code, _, err = inside("play", "--port", "0")
    assert (code, err) == (0, "")
    compiled.set()


def test_an_open_host_is_warned_of(inside, unserved):
    code, out, _ = inside("play", "--port", "0", "--host", "0.0.0.0", "--no-browser")
    assert code == 0
    assert "Anybody who can reach this machine can play" in out
    assert (unserved["served"][0][0], unserved["shown"]) == ("0.0.0.0", [])


def test_json_is_all_there_is(inside, unserved):
    _, out, _ = inside("play", "--port", "0", "--json", "--no-browser")
    assert json.loads(out)["recorded"] == 0


def test_what_cannot_be_is_one_message_and_exit_2(inside, tmp_path):
    (tmp_path / "text.parquet").write_text("no table")
    np.savez(tmp_path / "other.npz", a=np.zeros(2))
    (tmp_path / "two.json").write_text('{"two": ["G.G"]}')
    (tmp_path / "sizes.json").write_text('{"a": ["S.G"], "b": [".G"]}')
    solution = iq.fit(iq.Demonstrations.from_arrays([0, 1, 0], [1, 0, 1]), iq.CountTable(order=1))
    iq.save(solution, tmp_path / "table.npz")
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        cases = [
            (["--port", port], f"port {port}: Address already in use"),
            (["--port", "70000"], "--port must be 0 (any that is free) to 65535; got 70000"),
            (["--host", "203.0.113.1"], "cannot listen on 203.0.113.1"),
            (["--out", "text.parquet"], "cannot be read as Parquet"),
            (["--out", "games.csv"], "ends in .parquet"),
            (["--out", "."], "ends in .parquet"),
            (["--maze", "nothing.json"], "there is no file or folder 'nothing.json'"),
            (["--maze", "two.json"], "'two' has 0 starts and 2 goals: to be played it needs one"),
            (["--maze", "sizes.json"], "have several sizes (2 x 1, 3 x 1)"),
            (["--agent", "nothing.npz"], "nothing.npz does not exist"),
            (["--agent", "other.npz"], "is not a file written by inverseq.save"),
            (["--agent", "table.npz"], "table.npz cannot play on boards of 10 x 10 tiles"),
        ]
        for arguments, words in cases:
            code, out, err = inside("play", "--port", "0", "--no-browser", *arguments)
            assert (code, out, err.count("\n")) == (2, "", 1), (arguments, err)
            assert words in err


def test_a_file_of_something_else_is_left_alone(inside, tmp_path):
    import pandas as pd

    path = tmp_path / "mice.parquet"
    pd.DataFrame({"state": [1], "action": [0]}).to_parquet(path)
    before = path.read_bytes()
    code, _, err = inside("play", "--port", "0", "--no-browser", "--out", "mice.parquet")
    assert (code, path.read_bytes()) == (2, before)
    assert "mice.parquet is not a file of recorded games: it lacks session" in err


def test_two_servers_do_not_share_a_file(inside, tmp_path):
    log = GameLog(tmp_path / "demonstrations.parquet")
    log.append(walk([0, 1], End.ABANDONED))
    code, _, err = inside("play", "--port", "0", "--no-browser")
    log.close()
    assert code == 2
    assert "another inverseq play is writing to demonstrations.parquet" in err
