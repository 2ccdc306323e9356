"""What tests of pages share: a real browser, and commands that serve pages."""

import json
import shutil
import subprocess
import sys

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
