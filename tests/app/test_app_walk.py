"""What a person does who has a table of positions: from the file to the answer, in a browser."""

import json
import signal
import subprocess
import sys
import zipfile
from contextlib import contextmanager

import numpy as np
import pytest

from in_browser import CHROMIUM, MISSING, Command, seen_fine
from inverseq.app.fits import Fits, State

playwright = pytest.importorskip("playwright.sync_api")
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason=MISSING)

MAZE = ("S...", "..#.", ".#..", "...G")


def walks():
    """Walks through the maze as a table, columns renamed and out of order."""
    free = {(x, y) for y, row in enumerate(MAZE) for x, cell in enumerate(row) if cell != "#"}
    rng, lines = np.random.default_rng(0), ["py,who,visit,n,px"]
    for who in range(5):
        for visit in range(3):
            x, y, n = 0, 0, 0
            lines.append(f"{y},mouse {who},{visit},{n},{x}")
            while (x, y) != (3, 3) and n < 30:
                near = [(x + a, y + b) for a, b in ((1, 0), (0, 1), (-1, 0), (0, -1))]
                ways = [cell for cell in near if cell in free]
                weights = np.array([3.0 if sum(cell) > x + y else 1.0 for cell in ways])
                x, y = ways[rng.choice(len(ways), p=weights / weights.sum())]
                n += 1
                lines.append(f"{y},mouse {who},{visit},{n},{x}")
    return "\n".join(lines) + "\n"


@contextmanager
def opened(browser, **options):
    """A page; what goes wrong in it fails the test."""
    context = browser.new_context(**options)
    page, problems = context.new_page(), []
    page.on("pageerror", lambda error: problems.append(str(error)))
    page.on("console", lambda message: problems.append(message.text))
    yield page
    context.close()
    # A line to a server that was killed is meant to break, and what is refused is said.
    meant = ("ERR_CONNECTION_REFUSED", "ERR_INCOMPLETE_CHUNKED", "400 (Bad Request)")
    assert [text for text in problems if not any(each in text for each in meant)] == []


def text_of(page, place, words):
    """Wait until a place of the page says something."""
    playwright.expect(page.locator(place)).to_contain_text(words, timeout=30_000)


def paint(page, address):
    """Draw the maze, with the mouse and with the keys."""
    page.goto(f"{address}/world")
    page.fill("#columns", "4")
    page.fill("#lines", "4")
    page.press("#lines", "Tab")
    for y, row in enumerate(MAZE):
        for x, cell in enumerate(row):
            if cell == "#":
                page.click(f'[data-x="{x}"][data-y="{y}"]')
    page.check('input[value="S"]')
    page.focus('[data-x="0"][data-y="0"], #maze [tabindex="0"]')
    page.click('[data-x="0"][data-y="0"]')
    page.check('input[value="G"]')
    page.focus('[data-x="0"][data-y="0"]')
    for key in ["ArrowRight"] * 3 + ["ArrowDown"] * 3 + [" "]:
        page.keyboard.press(key)
    page.fill("#name", "My maze")
    page.click("text=Save")
    text_of(page, "#saved", "Saved as worlds/My_maze.json. My_maze: 14 states")


def read(page, address, file):
    """Bring the table in, say what its columns are, and mend what the doctor finds."""
    page.goto(f"{address}/data")
    page.set_input_files("#file", file)
    text_of(page, "#part", "there is no column 'state'")
    for column, role in {1: "subject", 2: "trajectory", 3: "time", 0: "state", 4: "state"}.items():
        page.select_option(f'[name="c{column}"]', role)
        playwright.expect(page.locator(f'[name="c{column}"].set')).to_have_count(1)
    page.click("text=Add --action moves")
    text_of(page, "#part", "cut off by the recording")
    page.select_option('[name="world"]', "worlds/My_maze.json")
    text_of(page, "#part", "14 of 15 trajectories are ended by the world")
    told = "inverseq fit tables/walks.csv --state px,py --action moves --subject who "
    told += "--trajectory visit --time n --world worlds/My_maze.json --keep kept"
    text_of(page, "pre", told)


@pytest.fixture
def begin(tmp_path):
    """What begins the app on one project, and ends it where a test did not."""
    begun = []

    def begin():
        begun.append(Command("app", tmp_path / "mine"))
        return begun[-1]

    yield begin
    for app in begun:
        if app.process.poll() is None:
            app.stop(signal.SIGKILL)


def test_from_a_file_to_the_answer_and_a_kill_on_the_way(browser, begin, tmp_path):
    file, project = tmp_path / "walks.csv", tmp_path / "mine"
    file.write_text(walks())
    app = begin()
    with opened(browser) as page:
        paint(page, app.address)
        read(page, app.address, file)
        page.click("text=Fit this table")
        page.click("summary")
        for name, value in {"history": "1", "folds": "2", "bootstrap": "20"}.items():
            page.fill(f'[name="{name}"]', value)
        page.click("#ask button.main")
        page.wait_for_selector("[data-state=running]")
        assert app.stop(signal.SIGKILL) == -signal.SIGKILL  # the fit goes on by itself
        app = begin()
        page.goto(f"{app.address}/fit")
        page.wait_for_selector("[data-state=done]", timeout=60_000)
        page.click("text=Look >> nth=-1")
        look(page)
        page.goto(f"{app.address}/report?fit=1")
        with page.expect_download() as download:
            page.click("text=Everything of this fit")
        names = zipfile.ZipFile(download.value.path()).namelist()
        assert {"fit-1/report.html", "fit-1/solution.npz", "fit-1/tables/states.csv"} <= {*names}
    (fit,) = Fits(project / "fits.sqlite").all()
    assert (fit.state, fit.attempts) == (State.DONE, 1)
    with typed_by_hand(project, fit) as other:
        everywhere(browser, app.address)
    assert other.returncode == 0
    assert app.stop(signal.SIGINT) == 0
    same_by_hand(project)


def look(page):
    """Walk, point, and ask what would be otherwise."""
    playwright.expect(page.locator("#map .spot")).to_have_count(14, timeout=30_000)
    text_of(page, "#step", "1 of ")
    page.press("#scrub", "ArrowRight")
    text_of(page, "#step", "2 of ")
    page.press("#map", "ArrowRight")
    text_of(page, "#place", "place 1 (1, 0): reward")
    before = page.locator("#map .arrow").evaluate_all("all => all.map((e) => e.getAttribute('d'))")
    page.check('input[value="door"]')
    page.click('[data-place="9"]')
    page.click('[data-place="13"]')
    text_of(page, "#planned", "Planned in ")
    assert page.locator("#map .shut").count() == 1
    after = page.locator("#map .arrow").evaluate_all("all => all.map((e) => e.getAttribute('d'))")
    assert after != before
    page.click("#undo")
    text_of(page, "#planned", "As it was fitted.")
    page.press("#discount", "ArrowLeft")
    text_of(page, "#planned", "moves expected to an end. Most likely: place 0 (0, 0) →")
    # What a tour asks for stays in sight where its step is further down.
    page.goto(page.url.split("/look")[0] + "/look?fit=1&at=what-if&tour=mice.5")
    playwright.expect(page.locator("#what-if")).to_be_in_viewport()
    playwright.expect(page.get_by_text("Next step")).to_be_in_viewport()


def everywhere(browser, address):
    """Every page, light and dark, at 400 pixels, for everybody."""
    pages = ["/data", "/data?table=tables/walks.csv", "/world", "/fit?table=tables/walks.csv"]
    pages += ["/look?fit=1&tour=mice.3", "/compare?fit=1", "/play", "/report?fit=1"]
    for scheme in ("light", "dark"):
        size = {"width": 400, "height": 800}
        with opened(browser, viewport=size, color_scheme=scheme) as page:
            for each in pages:
                page.goto(address + each)
                playwright.expect(page.locator(".working")).to_have_count(0, timeout=30_000)
                assert seen_fine(page) == [], (each, scheme)


def typed_by_hand(project, fit):
    """The command that is shown to be copied, in a terminal."""
    command = [sys.executable, "-m", "inverseq.cli", *fit.arguments[:-1], "by-hand"]
    return subprocess.Popen(command, cwd=project, stdout=subprocess.DEVNULL)


def same_by_hand(project):
    """All files have the same bytes, but for when they were made."""
    mine, other = project / "by-hand", project / "fits" / "1"
    files = {p.relative_to(mine) for p in mine.rglob("*") if p.is_file()}
    assert files == {p.relative_to(other) for p in other.rglob("*") if p.is_file()}
    for name in files:
        if name.name == "run.json":
            runs = [json.loads((folder / name).read_text()) for folder in (mine, other)]
            assert runs[0]["files"] == runs[1]["files"]
        else:
            assert (mine / name).read_bytes() == (other / name).read_bytes(), name
