"""What tests of pages share: a real browser, and commands that serve pages."""

import json
import shutil
import subprocess
import sys
from functools import cache
from importlib.resources import files

NAMES = ("chromium", "chromium-browser", "google-chrome", "chrome")  # the same in .ci/run
CHROMIUM = next(filter(None, map(shutil.which, NAMES)), None)
MISSING = "no Chromium on this machine; install the package chromium"


class Command:
    """`inverseq play` or `inverseq app` as a process of its own."""

    def __init__(self, *arguments):
        options = ["--no-browser", "--json", "--port", "0"]
        command = [sys.executable, "-m", "inverseq.cli", *map(str, arguments), *options]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        told = "".join(iter(self.process.stdout.readline, "}\n")) + "}"
        self.told = json.loads(told)
        self.address = self.told["address"]

    def stop(self, how):
        """End it by a signal; its exit code."""
        self.process.send_signal(how)
        with self.process:
            return self.process.wait(timeout=20)


@cache
def _axe():
    """axe-core, the checker of accessibility, as it is run in a page."""
    return files("axe_playwright_python").joinpath("axe.min.js").read_text(encoding="utf-8")


def seen_fine(page):
    """What hinders somebody on a page: all that axe-core finds, and what a screen does not hold."""
    page.evaluate(_axe())
    found = page.evaluate("axe.run(document, {resultTypes: ['violations']})")["violations"]
    told = [(each["id"], node["html"][:200]) for each in found for node in each["nodes"]]
    if page.evaluate("document.documentElement.scrollWidth > innerWidth"):
        told.append(("wider than the screen", page.url))
    return told
