"""Where games go, and a browser to look at pages with."""

import pytest

from in_browser import CHROMIUM
from inverseq.app.project import opened
from on_site import Idle, Reader, Site


@pytest.fixture
def path(tmp_path):
    """A file of games that is not there yet."""
    return tmp_path / "games.parquet"


@pytest.fixture(scope="module")
def browser():
    """A real browser."""
    playwright = pytest.importorskip("playwright.sync_api")
    with playwright.sync_playwright() as started:
        made = started.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield made
        made.close()


@pytest.fixture
def site(tmp_path, monkeypatch):
    """The pages of a project with one table, in which nothing is fitted."""
    monkeypatch.setattr("inverseq.app.office.Queue", Idle)
    monkeypatch.setattr("inverseq.app.office.Helper", Reader)
    with opened(tmp_path / "mine") as project:
        (project.root / "tables" / "a.csv").write_text("state,action\n0,0\n")
        site = Site(project)
        yield site
        site.close()
