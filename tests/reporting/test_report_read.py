"""The page as it is read: few words at once, and no scrolling sideways on a telephone."""

import shutil
import xml.etree.ElementTree as ElementTree

import pytest

import inverseq as iq

NAMES = ("chromium", "chromium-browser", "google-chrome", "chrome")  # the same in .ci/run
CHROMIUM = next(filter(None, map(shutil.which, NAMES)), None)
MOST_WORDS = 700


@pytest.fixture(scope="module")
def pages(tmp_path_factory):
    """Reports of one reward and of two intentions, as paths of their pages."""
    data, place = iq.datasets.load("bandit"), tmp_path_factory.mktemp("read")
    several = {"intentions": 2, "restarts": 2, "simulations": 2, "bootstrap": 0}
    plans = {"one": {"bootstrap": 30}, "several": several}
    return {
        name: iq.report(iq.analyse(data, iq.Plan(history=1, folds=2, **plan)), place / name)
        for name, plan in plans.items()
    }


def seen(element):
    """The words that are there before anything is unfolded."""
    if element.tag in ("style", "title"):
        return
    yield element.text or ""
    for child in element:
        if element.tag != "details" or child.tag == "summary":
            yield from seen(child)
        yield child.tail or ""


@pytest.mark.parametrize("kind", ["one", "several"])
def test_few_words_are_seen_before_anything_is_unfolded(pages, kind):
    page = pages[kind].read_text("utf-8").removeprefix("<!DOCTYPE html>\n")
    root = ElementTree.fromstring(page)
    words = " ".join(seen(root)).split()
    assert 100 < len(words) <= MOST_WORDS
    everything = "".join(root.find("body").itertext()).split()
    assert len(everything) > 1.2 * len(words)  # the rest is there, folded


def test_the_first_screen_comes_first_and_is_short(pages):
    page = pages["one"].read_text("utf-8").removeprefix("<!DOCTYPE html>\n")
    header = ElementTree.fromstring(page).find("body")[0]
    labels = [each.text for each in header.iter("dt")]
    assert labels == ["How sure", "Predicts", "Cannot say"]
    assert len("".join(header.itertext()).split()) < 250
    assert len([*header.iter("img")]) == 1


def test_four_rows_of_scores_are_seen(pages):
    page = pages["one"].read_text("utf-8").removeprefix("<!DOCTYPE html>\n")
    tables = {t.find("caption").text: t for t in ElementTree.fromstring(page).iter("table")}
    rows = tables["Held-out scores, best first"].findall("tbody/tr")
    names = [row.find("th").text for row in rows]
    assert len(names) == 4
    assert "one-step table, plus 0.5" in names
    assert names[-1].startswith("chance")


@pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on this machine; install it")
@pytest.mark.parametrize("width", [400, 1200])
def test_nothing_scrolls_sideways(pages, width):
    playwright = pytest.importorskip("playwright.sync_api")
    wider = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
    boxes = "[...document.querySelectorAll('.scroll')].map(e => e.scrollWidth - e.clientWidth)"
    with playwright.sync_playwright() as started:
        browser = started.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        for page in pages.values():
            shown = browser.new_page(viewport={"width": width, "height": 800})
            shown.goto(page.as_uri())
            shown.evaluate("document.querySelectorAll('details').forEach(d => d.open = true)")
            assert shown.evaluate(wider) == 0
            assert max(shown.evaluate(boxes)) <= 1
            # Names come from tables, as long as they like and without spaces.
            shown.evaluate(
                "document.querySelectorAll('h1, p, tbody th, figcaption').forEach("
                "e => e.textContent = 'mouse_two_armed_bandit_'.repeat(9))"
            )
            assert shown.evaluate(wider) == 0
        browser.close()
