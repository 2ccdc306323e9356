"""Processes that pages begin: one that does not begin, two who ask at once, one that is killed."""

import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from inverseq.app import helper


@pytest.mark.parametrize(
    ("words", "why"),
    [
        ("", "try inverseq play"),
        ("print('{')", "try inverseq play"),
        ("import sys; sys.exit('inverseq: error: two goals')", "begin: two goals"),
    ],
)
def test_a_game_that_does_not_begin_is_said(site, monkeypatch, words, why):
    begin = subprocess.Popen
    monkeypatch.setattr(
        "inverseq.app.office.subprocess.Popen",
        lambda _, **options: begin([sys.executable, "-c", words], **options),
    )
    began = time.monotonic()
    status, answer = site.send("/api/play", {})
    assert (status, "the game does not begin: " in answer["error"]) == (400, True)
    assert why in answer["error"]
    assert time.monotonic() - began < 10


def test_two_who_want_to_play_get_one_game(site, monkeypatch):
    begin, begun = subprocess.Popen, []
    hello = '{\n"address": "there"\n}'
    words = f"import time; time.sleep(0.5); print({hello!r}, flush=True); time.sleep(60)"

    def instead(_, **options):
        begun.append(begin([sys.executable, "-c", words], **options))
        return begun[-1]

    monkeypatch.setattr("inverseq.app.office.subprocess.Popen", instead)
    with ThreadPoolExecutor(2) as both:
        told = [*both.map(lambda _: site.send("/api/play", {}), range(2))]
    table = "tables/games.parquet"
    assert told == [(200, {"address": "there", "table": table})] * 2
    assert len(begun) == 1
    # In a maze that was painted it is another game, and the one before is ended.
    (site.project.root / "worlds" / "a.json").write_text('{"a": ["SG"]}')
    status, answer = site.send("/api/play", {"world": "worlds/a.json"})
    assert (status, answer["table"], len(begun)) == (200, "tables/games-a.parquet", 2)
    assert begun[0].poll() is not None
    for world in ("worlds/b.json", "../a.json", 1, ["worlds/a.json"]):
        status, answer = site.send("/api/play", {"world": world})
        assert (status, "there is no world" in answer["error"]) == (400, True)
    assert 'value="worlds/a.json" selected' in site.get("/play?world=worlds/a.json")[2]


def test_the_helper_says_so_when_it_is_killed_and_comes_back(tmp_path, monkeypatch):
    """A stand-in that answers once and dies."""
    import asyncio

    script = tmp_path / "stand_in.py"
    script.write_text("print('{}', flush=True); input(); print('{\"a\": 1}', flush=True); input()")
    begin = asyncio.create_subprocess_exec

    def instead(*_, **options):
        return begin(sys.executable, str(script), **options)

    monkeypatch.setattr(helper.asyncio, "create_subprocess_exec", instead)

    async def course():
        made = helper.Helper(tmp_path)
        assert await made.ask(do="x") == {"a": 1}
        with pytest.raises(helper.InputError, match="was killed, mostly for want of memory"):
            await made.ask(do="x")
        assert await made.ask(do="x") == {"a": 1}
        await made.close()

    asyncio.run(course())
