"""The page in a real browser: keys, buttons, what is drawn, and what is in the file afterwards."""

import signal
from collections import deque
from contextlib import contextmanager

import pytest

from in_browser import CHROMIUM, MISSING, Command
from inverseq.app.play.log import GameLog
from inverseq.readers import read_games

playwright = pytest.importorskip("playwright.sync_api")
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason=MISSING)

KEYS = ("ArrowUp", "ArrowRight", "ArrowDown", "ArrowLeft")
STEPS = ((0, -1), (1, 0), (0, 1), (-1, 0))


def shortest(tiles):
    """Actions of a shortest path, by a search written for this test."""
    cells = {(x, y): tile for y, row in enumerate(tiles) for x, tile in enumerate(row)}
    start = next(cell for cell, tile in cells.items() if tile == 2)
    queue, seen = deque([(start, [])]), {start}
    while queue:
        cell, path = queue.popleft()
        if cells[cell] == 3:
            return path
        for action, (dx, dy) in enumerate(STEPS):
            there = (cell[0] + dx, cell[1] + dy)
            if cells.get(there, 1) != 1 and there not in seen:
                seen.add(there)
                queue.append((there, [*path, action]))
    raise AssertionError("no way")


def playing(path, *arguments):
    """`inverseq play` with games in a file."""
    return Command("play", "--out", path, *arguments)


@pytest.fixture(scope="module")
def command(tmp_path_factory):
    """One server for the tests that leave it as it was."""
    command = playing(tmp_path_factory.mktemp("played") / "games.parquet", "--seed", "3")
    yield command
    command.stop(signal.SIGTERM)


@contextmanager
def opened(browser, address, **options):
    """The page once it shows a board. What goes wrong in it fails the test."""
    page = browser.new_context(**options).new_page()
    problems = []
    page.on("pageerror", lambda error: problems.append(str(error)))
    page.on("console", lambda message: problems.append(message.text))
    page.goto(address)
    page.wait_for_selector("body[data-board]")
    yield page
    page.context.close()
    # A socket to a server that was killed is meant to fail.
    assert [text for text in problems if "ERR_CONNECTION_REFUSED" not in text] == []


def shown(page):
    """The board as it is drawn: kinds of tiles by row."""
    return page.evaluate("view.person.tiles")


def moved(page, moves):
    page.wait_for_selector(f'body[data-moves="{moves}"]')


def win(page):
    """Follow a shortest path with the keys; its actions."""
    path = shortest(shown(page))
    for action in path:
        page.keyboard.press(KEYS[action])
    page.wait_for_selector("#next:visible")
    return path


def test_games_survive_a_kill_and_the_server_comes_back(browser, tmp_path):
    path = tmp_path / "games.parquet"
    command = playing(path, "--seed", "1", "--difficulty", "random-win")
    with opened(browser, command.address) as page:
        page.fill("#name", "Ann")
        page.press("#name", "Enter")
        first = win(page)
        assert f"Reached in {len(first)} move" in page.inner_text("#result")
        assert page.inner_text("#ratio") == "1.00"
        page.keyboard.press("Enter")
        moved(page, 0)
        second = win(page)
        page.click("#next")
        moved(page, 0)
        page.keyboard.press("ArrowUp")
        moved(page, 1)
        assert command.stop(signal.SIGKILL) == -signal.SIGKILL
        page.wait_for_selector("#notice:visible")
        assert "No connection" in page.inner_text("#notice")
    demos = read_games(path)
    assert demos.actions.tolist() == [*first, *second]
    assert demos.trajectories["ended"].tolist() == ["won", "won"]
    assert demos.trajectories["subject"].tolist() == ["Ann", "Ann"]
    assert demos.trajectories["best_moves"].tolist() == [len(first), len(second)]
    command = playing(path)
    assert command.told["recorded"] == 2
    with opened(browser, command.address) as page:
        page.keyboard.press("ArrowUp")
        moved(page, 1)
        # Stopped in order, the server records the game under way as abandoned.
        assert command.stop(signal.SIGINT) == 0
    assert read_games(path).trajectories["ended"].tolist() == ["won", "won", "abandoned"]
    log = GameLog(path)
    log.close()


def test_every_press_counts_once_and_the_page_stays_where_it_is(browser, command):
    with opened(browser, command.address, viewport={"width": 700, "height": 300}) as page:
        assert page.evaluate("document.documentElement.scrollHeight > innerHeight")
        for _ in range(5):
            page.keyboard.press("ArrowDown", delay=0)
            page.keyboard.press("ArrowUp", delay=0)
        page.keyboard.press("Control+ArrowDown")
        page.keyboard.press("a")
        moved(page, 10)
        assert page.inner_text("#moves") == "10"
        page.keyboard.down("ArrowLeft")
        for _ in range(3):
            page.keyboard.down("ArrowLeft")  # the same key, still held: repeats
        page.keyboard.up("ArrowLeft")
        moved(page, 11)
        page.focus("#name")
        page.keyboard.press("ArrowLeft")  # moves the caret, not the player
        page.keyboard.press("ArrowRight")
        page.wait_for_timeout(150)
        assert page.inner_text("#moves") == "11"
        assert page.inner_text("#score") == "−11"
        page.evaluate("document.activeElement.blur(); scrollTo(0, 0)")
        page.keyboard.press("ArrowDown")
        moved(page, 12)
        assert page.evaluate("scrollY") == 0


def test_difficulty_and_companion(browser, command):
    with opened(browser, command.address) as page:
        assert page.locator("#person .wall").count() == 5
        walls = [[tile == 1 for tile in row] for row in shown(page)]
        page.click('[data-value="random-walls"]')
        page.wait_for_selector('[data-value="random-walls"][aria-pressed="true"]')
        assert [[tile == 1 for tile in row] for row in shown(page)] != walls
        assert page.locator("#notice:visible").count() == 0
        page.click('[data-value="expert"]')
        page.wait_for_selector("#companion:visible")
        page.keyboard.press(KEYS[shortest(shown(page))[0]])
        playwright.expect(page.locator("#companion-moves")).to_have_text("1")
        page.click('[data-value="random-win"]')
        page.wait_for_selector("#notice:visible")
        assert "recorded as abandoned" in page.inner_text("#notice")
        win(page)
        # The expert, too, needs the fewest moves, at its own pace where the person was faster.
        best = page.inner_text("#best")
        playwright.expect(page.locator("#companion-moves")).to_have_text(best)
        playwright.expect(page.locator("#result")).to_contain_text(
            f"Expert (shortest path): {best}."
        )


@pytest.mark.parametrize("scheme", ["dark", "light"])
def test_a_phone_shows_all_and_is_played_with_buttons(browser, command, scheme, tmp_path):
    with opened(
        browser,
        command.address,
        viewport={"width": 360, "height": 640},
        has_touch=True,
        color_scheme=scheme,
    ) as page:
        page.tap('[data-value="expert"]')
        page.wait_for_selector("#companion:visible")
        assert page.evaluate("document.documentElement.scrollWidth") == 360
        for action in shortest(shown(page)):
            page.tap(f'[data-action="{action}"]')
        page.wait_for_selector("#pad-next:visible")
        dark = (
            page.evaluate("getComputedStyle(document.body).backgroundColor") != "rgb(255, 255, 255)"
        )
        assert dark == (scheme == "dark")
        picture = page.screenshot(path=tmp_path / "phone.png")
        assert len(picture) > 5000
        page.tap("#pad-next")
        moved(page, 0)


def test_what_is_seen_is_said_as_well(browser, command):
    with opened(browser, command.address) as page:
        assert page.inner_text("#spoken").startswith("New board with 5 walls. You are at row ")
        page.keyboard.press("ArrowLeft")
        moved(page, 1)
        assert page.inner_text("#spoken").startswith("left")
        label = page.get_attribute("#person svg", "aria-label")
        assert page.inner_text("#spoken").rpartition(": ")[2] in label
        unnamed = page.evaluate(
            "[...document.querySelectorAll('button, input')].filter(e =>"
            " !e.textContent.trim() && !e.ariaLabel && !e.labels?.length).length"
        )
        assert unnamed == 0
