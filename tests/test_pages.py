"""The documentation as a site: formulas, the reference, the first page, and the copy button."""

import importlib.util
import re
import shutil
from collections import Counter
from pathlib import Path

import pytest
from mkdocs.commands.build import build
from mkdocs.config import load_config
from mkdocs.exceptions import PluginError

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
NAMES = ("chromium", "chromium-browser", "google-chrome", "chrome")  # the same in .ci/run
CHROMIUM = next(filter(None, map(shutil.which, NAMES)), None)

_spec = importlib.util.spec_from_file_location("pages", ROOT / "scripts" / "pages.py")
pages = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(pages)


def formulas(text):
    """(LaTeX, whether in a block of its own) of every formula of a page."""
    blocks = re.findall(r"^```math\n(.*?)^```$", text, re.M | re.S)
    prose = re.sub(r"^ *```.*?^ *```$", "", text, flags=re.M | re.S)
    lines = re.findall(r"(?<![\w`$])\$(\S[^$`\n]*)\$", prose)
    return [(latex, True) for latex in blocks] + [(latex, False) for latex in lines]


@pytest.fixture(scope="module")
def page(tmp_path_factory):
    """A page built as the site is, but for its reference: the file."""
    folder = tmp_path_factory.mktemp("site")
    docs, made = folder / "docs", folder / "made"
    docs.mkdir()
    shutil.copy(DOCS / "pages.css", docs)
    (docs / "api.md").write_text("# API\n", encoding="utf-8")
    (docs / "index.md").write_text(
        "# A page\n\nThe sum $\\sum_a \\pi(a \\mid s')$ is 1:\n\n"
        "```math\n\\begin{align*}\nV(s) &= \\max_a Q(s, a) \\\\\nQ &< 1\n\\end{align*}\n```\n\n"
        "```console\n$ inverseq doctor mine.csv\nnothing stands in the way\n"
        "$ inverseq fit mine.csv\n```\n",
        encoding="utf-8",
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("NO_MKDOCS_2_WARNING", "1")
        build(
            load_config(
                str(ROOT / "mkdocs.yml"),
                docs_dir=str(docs),
                site_dir=str(made),
                nav=["index.md", {"API": ["api.md"]}],
                plugins=["search"],
            )
        )
    return made / "index.html"


def test_every_formula_of_the_pages_is_understood():
    found = Counter()
    for path in DOCS.rglob("*.md"):
        for latex, block in formulas(path.read_text(encoding="utf-8")):
            assert pages.mathml(latex, block).startswith("<math")
            found[block] += 1
    assert found[True] > 15
    assert found[False] > 8


@pytest.mark.parametrize(
    "latex", [r"\nosuch{x}", r"\begin{aligned}a &= b\end{aligned}", r"a \\ \no"]
)
def test_a_formula_that_is_not_understood_stops_the_build(latex):
    with pytest.raises(PluginError, match="is not understood in the formula"):
        pages.mathml(latex, True)


def test_formulas_are_drawn_without_a_script(page):
    html = page.read_text(encoding="utf-8")
    assert html.count('display="inline"') == html.count('display="block"') == 1
    assert '<div class="formula"><math' in html
    assert "&#x0003C;" in html  # the sign in "Q < 1"
    assert "<msup>" not in html  # a prime stands beside its letter
    assert not re.search(r"arithmatex|mathjax|\\\(|\\\[|https?://(?!www\.w3\.org)[^\"]*\.js", html)


def test_a_prime_stands_beside_its_letter_and_an_exponent_above():
    assert "<msup>" not in pages.mathml("V(s') + Q'", False)
    assert pages.mathml("x^2", False).count("<msup>") == 1


def test_the_reference_has_every_name_of_the_api_page_once():
    text = (DOCS / "api.md").read_text(
        encoding="utf-8"
    )  # `test_docs.py` holds it to what is public
    names = Counter(name for _, section in pages.reference(text).values() for name in section)
    assert set(names.values()) == {1}
    text = re.sub(r"\n## (Sub-packages|Solvers and)\b.*?(?=\n## |\Z)", "", text, flags=re.S)
    rows = set(re.findall(r"^\| `([\w.]+)` \|", text, re.M)) - {"__version__"}
    assert len(rows) > 150
    assert rows <= set(names)


def test_a_name_is_looked_up_where_it_is_defined():
    assert pages.home("fit") == "inverseq.inverse.fit.fit"
    # These functions are called like the modules that they are in, and these names have no stub.
    assert pages.home("worlds.maze_features") == "inverseq.worlds.maze_features.maze_features"
    assert pages.home("datasets.mice") == "inverseq.datasets.mice.mice"
    with pytest.raises(
        PluginError, match=r"names worlds\.nowhere, which inverseq\.worlds does not"
    ):
        pages.home("worlds.nowhere")


def test_the_first_page_leads_to_every_page():
    text = (DOCS / "index.md").read_text(encoding="utf-8")
    paths = {str(path.relative_to(DOCS)) for path in DOCS.rglob("*.md")} - {"index.md"}
    linked = {link.partition("#")[0] for link in re.findall(r"\]\(([\w/.#-]+)\)", text)}
    assert sorted(paths - linked) == []
    shown = re.findall(r"!\[[^\]]*\]\((images/\w+\.png)\) [^\]]+\]\((?:studies|algorithms)/", text)
    assert len(shown) >= 6


@pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on this machine; install chromium")
def test_copying_takes_commands_without_prompt_and_output(page):
    playwright = pytest.importorskip("playwright.sync_api")
    with playwright.sync_playwright() as play:
        browser = play.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        permissions = ["clipboard-read", "clipboard-write"]
        tab = browser.new_context(permissions=permissions).new_page()
        tab.route("**/*", lambda route: route.fulfill(path=page.parent / served(route.request.url)))
        tab.goto("http://localhost/index.html")
        tab.locator("button.md-code__button, button.md-clipboard").first.click()
        tab.wait_for_timeout(100)
        copied = tab.evaluate("navigator.clipboard.readText()")
        browser.close()
    assert [line for line in copied.splitlines() if line] == [
        "inverseq doctor mine.csv",
        "inverseq fit mine.csv",
    ]


def served(address):
    """The file of an address of the site."""
    return address.removeprefix("http://localhost/").partition("?")[0] or "index.html"


@pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on this machine; install chromium")
def test_the_search_finds_what_people_look_for(tmp_path):
    playwright = pytest.importorskip("playwright.sync_api")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("NO_MKDOCS_2_WARNING", "1")
        # Without the reference, which takes the longest.
        build(load_config(str(ROOT / "mkdocs.yml"), site_dir=str(tmp_path), plugins=["search"]))
    wanted = {"NWB": "nwb/", "spikes": "nwb/", "groups": "groups/", "PDF": "report/"}
    with playwright.sync_playwright() as play:
        browser = play.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        tab = browser.new_page()
        tab.route("**/*", lambda route: route.fulfill(path=tmp_path / served(route.request.url)))
        found = {}
        for word in wanted:
            tab.goto(f"http://localhost/index.html?q={word}")
            tab.wait_for_selector(".md-search-result__item", state="attached")
            links = tab.locator(".md-search-result__item > a.md-search-result__link")
            found[word] = [link.get_attribute("href") for link in links.all()]
        browser.close()
    for word, page in wanted.items():
        assert any(f"/{page}" in link for link in found[word][:3]), (word, found[word])
