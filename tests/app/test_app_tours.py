"""What a person does on the tours and with tables as people have them, in a real browser.

`make attack` takes all three tours with their fits, and fits each of the tables; else the shortest
tour is taken, its second fit is cancelled, and the tables are read and mended.
"""

import os
import signal
import zipfile
from pathlib import Path

import pytest

from in_browser import CHROMIUM, MISSING, Command, seen_fine

playwright = pytest.importorskip("playwright.sync_api")
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason=MISSING)

LONG = "INVERSEQ_ATTACKS" in os.environ
TOURS = ("bandit", "mice", "people") if LONG else ("bandit",)
CASES = Path(__file__).parents[1] / "cases"
FEW = {"folds": "2", "bootstrap": "0", "history": "1"}
CHANGE = {"folds": "2", "history": "1", "intentions": "2", "restarts": "2", "simulations": "2"}
PATIENCE = 120_000


@pytest.fixture(scope="module")
def app(tmp_path_factory):
    """One app for all that is done here."""
    command = Command("app", tmp_path_factory.mktemp("app") / "mine")
    yield command
    command.stop(signal.SIGKILL)


@pytest.fixture
def page(browser, app):
    """A page on which nothing may go wrong."""
    context = browser.new_context()
    context.set_default_timeout(PATIENCE)
    page, problems = context.new_page(), []
    page.on("pageerror", lambda error: problems.append(str(error)))
    page.on("console", lambda message: problems.append(message.text))
    yield page
    context.close()
    assert problems == []


def text_of(page, place, words):
    playwright.expect(page.locator(place)).to_contain_text(words, timeout=PATIENCE)


def fit(page, settings, *, cancel=False, ends="done in"):
    """Press Fit, and wait for the end of what was asked last."""
    before = page.locator("#queue li").count()
    page.click("summary")
    for name, value in settings.items():
        page.fill(f'[name="{name}"]', value)
    page.click("#ask button.main")
    playwright.expect(page.locator("#queue li")).to_have_count(before + 1, timeout=PATIENCE)
    last = page.locator("#queue li").first
    if cancel:
        last.get_by_role("button", name="Cancel").click()
    words = "cancelled" if cancel else ends
    playwright.expect(last).to_contain_text(words, timeout=PATIENCE)


def scrub(page):
    """Go through decisions: slider, table, surprise, all of them linked."""
    text_of(page, "#step", "1 of ")
    page.press("#scrub", "ArrowRight")
    text_of(page, "#decisions tr.now td >> nth=0", "2")
    page.click('#decisions [data-step="2"]')
    text_of(page, "#step", "3 of ")
    if page.locator("#surprise").is_visible():
        page.click("#surprise")
        at = int(page.inner_text("#step").split()[0])
        shares = [
            int(each.removesuffix(" %"))
            for each in page.locator("#decisions td:nth-child(4)").all_inner_texts()
            if each
        ]
        assert shares[at - 1] == min(shares)


def shut_a_door(page):
    """What if: the first door of the map is closed, which is planned anew at once."""
    page.wait_for_selector("#map .door", state="attached")
    a, b = page.evaluate(
        "here().doors.find(([a, b]) => ![a, b].some((p) => here().doors"
        ".filter((d) => d.includes(p)).length < 2))"
    )
    page.check('input[value="door"]')
    for place in (a, b):
        page.click(f'[data-place="{place}"]', force=True)
    text_of(page, "#planned", "Planned in ")


def reopened(page, tmp_path, browser):
    """The project, packed, unpacked elsewhere, and opened there."""
    with page.expect_download() as download:
        page.click("text=The whole project")
    with zipfile.ZipFile(download.value.path()) as packed:
        packed.extractall(tmp_path)
    (folder,) = tmp_path.iterdir()
    other = Command("app", folder)
    try:
        page.goto(f"{other.address}/look")
        scrub(page)
    finally:
        other.stop(signal.SIGINT)


@pytest.mark.parametrize("name", TOURS)
def test_a_tour_is_taken_step_by_step(app, page, browser, tmp_path, name):
    page.goto(f"{app.address}/data")
    page.click(f"text={name.capitalize()} >> nth=-1")
    for step in range(1, 7):
        text_of(page, ".tour", f"Tour, step {step} of 6")
        where = page.evaluate("document.body.dataset.page")
        if where == "data":
            text_of(page, "#part", "decisions in ")
            playwright.expect(page.locator(".working")).to_have_count(0, timeout=PATIENCE)
        elif where == "world":
            page.click('[data-x="1"][data-y="1"]')
            for mark, x in (("S", 0), ("G", 9)):
                page.check(f'input[value="{mark}"]')
                page.click(f'[data-x="{x}"][data-y="{x}"]')
            page.get_by_role("button", name="Save").click()
            text_of(page, "#saved", "99 states")
        elif where == "fit":
            change = page.is_checked('[value="change"]')
            fit(page, CHANGE if change else FEW, cancel=change and not LONG)
        elif where == "look" and "what-if" in page.url:
            shut_a_door(page)
        elif where == "look":
            scrub(page)
        elif where == "compare":
            page.check("input[name=fit] >> nth=0")
            page.click("text=Put side by side")
            text_of(page, "main", "Nats per held-out decision")
            page.go_back()
        elif where == "report":
            with page.expect_download() as download:
                page.click("text=Download it")
            assert download.value.suggested_filename == f"{name}-report.html"
        if step < 6:
            page.click("text=Next step")
    if name == TOURS[0]:
        page.goto(f"{app.address}/report")
        reopened(page, tmp_path, browser)


# File -> what the columns are, what is said then, what a click adds, what is typed in the end, and
# what becomes of a fit.
READ = {
    "done_column.csv": (
        {},
        "done plays no role",
        "--terminated done",
        "--terminated done",
        "done in",
    ),
    "signed_choices.csv": (
        {"subject": "subject"},
        "taken for two actions",
        "--missing=-1",
        "--missing=-1",
        "done in",
    ),
    "bids_missing.tsv": (
        {"trial_type": "state", "response": "action", "onset": "time"},
        "have no action",
        "",
        "--state trial_type --action response --time onset",
        "nothing can be held out. Add trajectories",
    ),
    "subject_column_unusual.csv": (
        {"choice": "action_and_before", "outcome": "previous"},
        "decisions in ",
        "",
        "--previous choice,outcome",
        "done in",
    ),
}


@pytest.mark.parametrize("file", READ)
def test_a_table_as_people_have_it_is_read_mended_and_fitted(app, page, file):
    roles, said, mend, typed, fitted = READ[file]
    page.goto(f"{app.address}/data")
    page.set_input_files("#file", CASES / file)
    page.wait_for_selector("#roles")
    names = page.locator("table.rows thead tr >> nth=1").locator("th").all_inner_texts()
    for name, role in roles.items():
        column = names.index(name)
        page.select_option(f'[name="c{column}"]', role)
        playwright.expect(page.locator(f'[name="c{column}"].set')).to_have_count(1)
    text_of(page, "#part", said)
    if mend:
        page.get_by_role("button", name=f"Add {mend}").click()
    text_of(page, "pre >> nth=0", typed)
    if LONG:
        playwright.expect(page.locator(".working")).to_have_count(0, timeout=PATIENCE)
        page.click("text=Fit this table")
        fit(page, FEW, ends=fitted)
    if LONG and fitted == "done in":
        page.click("#queue li:first-child >> text=Look")
        scrub(page)
        page.click("nav >> text=Report")
        text_of(page, "main", "Download it")


def tab_to(page, what):
    """Press Tab until something has the focus."""
    for _ in range(60):
        page.keyboard.press("Tab")
        if page.evaluate("what => document.activeElement.matches(what)", what):
            return
    raise AssertionError(f"Tab does not lead to {what}")


def test_a_world_is_drawn_and_a_fit_asked_for_with_the_keys_alone(app, page):
    page.goto(f"{app.address}/world?kind=network")
    tab_to(page, ".skip")
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "content"
    tab_to(page, "#add-state")
    page.keyboard.press("Enter")
    page.keyboard.press("Enter")
    tab_to(page, '[data-state="s1"]')
    page.keyboard.press("Enter")
    text_of(page, "#told", "From s1: now the state")
    page.keyboard.press("ArrowDown")
    tab_to(page, '[data-state="s2"]')
    page.keyboard.press("Enter")
    text_of(page, "#told", "go leads from s1 to s2.")
    page.press("#name", "Enter")
    text_of(page, "#saved", "Saved as worlds/network.csv. network: 2 states, 1 actions")
    page.goto(f"{app.address}/fit?table=bandit")
    tab_to(page, 'input[name="question"]')
    page.keyboard.press("ArrowDown")
    assert page.is_checked('[value="change"]')
    tab_to(page, "button.main")
    page.keyboard.press("Enter")
    tab_to(page, "[data-cancel]")
    page.keyboard.press("Enter")
    playwright.expect(page.locator("#queue li").first).to_contain_text("cancelled")


def test_the_maze_that_was_painted_is_played_and_the_player_fitted(app, page):
    page.goto(f"{app.address}/world")
    for field, size in (("#columns", "4"), ("#lines", "2")):
        page.fill(field, size)
        page.press(field, "Tab")
    for mark, x in (("S", 0), ("G", 3)):
        page.check(f'input[value="{mark}"]')
        page.click(f'[data-x="{x}"][data-y="0"]')
    page.fill("#name", "corridor")
    page.get_by_role("button", name="Save").click()
    text_of(page, "#saved", "Saved as worlds/corridor.json. corridor: 8 states")
    page.click("text=Play in it")
    playwright.expect(page.locator("#game-of select")).to_have_value("worlds/corridor.json")
    page.click("text=Begin")
    with page.context.expect_page() as opened:
        page.click("text=Play in a new tab")
    game = opened.value
    game.wait_for_selector("body[data-board]")
    for played in range(1, 7 if LONG else 2):
        for moves in (1, 2, 3):
            game.keyboard.press("ArrowRight")
            game.wait_for_selector(f'body[data-moves="{moves}"]')
        playwright.expect(game.locator("#result")).to_contain_text("3 moves: the fewest possible")
        playwright.expect(game.locator("#recorded")).to_have_text(str(played))
        game.keyboard.press("Enter")
        game.wait_for_selector('body[data-moves="0"]')
    game.close()
    page.click("text=fit yourself")
    text_of(page, "aside", "games-corridor.parquet")
    if LONG:
        fit(page, FEW)
        page.click("#queue li:first-child >> text=Look")
        scrub(page)
        playwright.expect(page.locator("#map .spot")).to_have_count(4)


def test_more_tabs_than_a_browser_has_lines_are_all_told(app, browser):
    """One of them listens for all, and another once that is closed."""
    context = browser.new_context()
    tabs = [context.new_page() for _ in range(8)]
    for tab in tabs:
        tab.goto(f"{app.address}/fit?table=bandit", timeout=PATIENCE)
    for _ in range(2):
        tabs[-1].click("#ask button.main")
        for tab in tabs:
            playwright.expect(tab.locator("#busy")).to_have_text("1 to fit", timeout=PATIENCE)
        tabs[-1].locator("[data-cancel]").first.click()
        for tab in tabs:
            playwright.expect(tab.locator("#busy")).to_have_text("", timeout=PATIENCE)
        tabs.pop(0).close()
    context.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_on_pages_that_no_other_test_looks_at(app, browser, scheme):
    context = browser.new_context(viewport={"width": 400, "height": 800}, color_scheme=scheme)
    page = context.new_page()
    for each in ("/world?kind=network&table=tables/done_column.csv", "/look", "/compare"):
        page.goto(app.address + each)
        playwright.expect(page.locator(".working")).to_have_count(0, timeout=PATIENCE)
        assert seen_fine(page) == [], (each, scheme)
    context.close()
