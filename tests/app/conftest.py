"""Where games go, and a browser to look at pages with."""

import pytest

from in_browser import CHROMIUM


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
