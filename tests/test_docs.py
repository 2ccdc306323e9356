"""Every shown line runs: Python blocks and `inverseq` commands of the README and the pages.

A page is run from top to bottom in a folder of its own. ```python blocks share one namespace;
```csv title="NAME" blocks (and ```text ones) become files; lines `$ inverseq ...` of ```console
blocks are run as commands; an expected failure is marked `# exit 2`, and what takes too long
`# not run by the tests: WHY`, which the reader of the page sees as well.
"""

import dataclasses
import re
import shlex
import signal
import typing
from functools import partial
from pathlib import Path

import matplotlib.pyplot as plt
import pytest

import inverseq
from inverseq.cli import main
from inverseq.cli.parse import record_of
from inverseq.studies import STUDIES

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]
NOT_RUN = "# not run by the tests:"
FENCE = re.compile(
    r"^(?P<indent> *)```(?P<head>[^\n`]*)\n(?P<body>.*?)^(?P=indent)```$", re.M | re.S
)


def blocks(page: Path) -> list[tuple[str, str, int]]:
    """(first words after the fence, text, line) of each fenced block of a page."""
    text = page.read_text(encoding="utf-8")
    found = []
    for match in FENCE.finditer(text):
        indent = match["indent"]
        lines = [line.removeprefix(indent) for line in match["body"].splitlines(keepends=True)]
        found.append((match["head"].strip(), "".join(lines), text[: match.start()].count("\n") + 2))
    return found


def commands(text: str) -> list[tuple[list[str], int]]:
    """The `inverseq` commands of a console block as arguments, each with its exit code."""
    found = []
    for line in text.splitlines():
        if line.startswith("$ inverseq") and NOT_RUN not in line:
            code = re.search(r"# exit (\d+)$", line)
            found.append((shlex.split(line[2:], comments=True), int(code[1]) if code else 0))
    return found


def runnable(page: Path) -> bool:
    return any(
        head == "python" or (head == "console" and commands(text)) for head, text, _ in blocks(page)
    )


@pytest.mark.parametrize(
    "page", [p for p in PAGES if runnable(p)], ids=lambda p: str(p.relative_to(ROOT))
)
def test_every_shown_line_runs(page, tmp_path, monkeypatch, request):
    monkeypatch.chdir(tmp_path)
    request.addfinalizer(lambda: plt.close("all"))  # pages leave their figures open
    request.addfinalizer(partial(signal.signal, signal.SIGTERM, signal.getsignal(signal.SIGTERM)))
    namespace = {"__name__": "__page__"}
    for head, text, line in blocks(page):
        title = re.search(r'title="([^"]+)"', head)
        if title:
            (tmp_path / title[1]).write_text(text, encoding="utf-8")
        elif head == "python":
            # Blank lines in front, so that a traceback shows the line of the page.
            exec(compile("\n" * (line - 1) + text, str(page), "exec"), namespace)
        elif head == "console":
            for arguments, expected in commands(text):
                assert main(arguments[1:]) == expected, shlex.join(arguments)


def test_no_block_is_of_a_kind_that_escapes_the_test():
    kinds = {"python", "console", "csv", "text", "toml", "bash", "json", "math"}
    odd = [
        f"{page.name}:{line}: {head or 'no language'}"
        for page in PAGES
        for head, _, line in blocks(page)
        if head.split()[:1] not in [[kind] for kind in kinds]
    ]
    assert odd == []


def test_what_is_not_run_says_why():
    shown = [line.strip() for p in PAGES for line in p.read_text("utf-8").splitlines()]
    skipped = [line for line in shown if line.startswith("$ inverseq") and NOT_RUN in line]
    assert skipped
    assert [line for line in skipped if len(line.partition(NOT_RUN)[2].split()) < 3] == []


def test_the_api_page_names_what_is_public():
    """A public name needs a row in docs/api.md, and a row needs a public name."""
    page = (ROOT / "docs" / "api.md").read_text(encoding="utf-8").partition("## Solvers and")[0]
    rows = set(re.findall(r"^\| `([\w.]+)` \|", page, re.M))
    public = set(inverseq.__all__) | {
        f"{module}.{name}"
        for module in (
            *("worlds", "datasets", "networks", "training", "forward", "neural", "play", "plot"),
        )
        for name in getattr(inverseq, module).__all__
    }
    assert (sorted(public - rows), sorted(rows - public)) == ([], [])


def option_names(record: type) -> set[str]:
    """The options of a command as they are typed; tables and names are typed without."""
    found = set()
    for field in dataclasses.fields(record):
        kind = typing.get_type_hints(record)[field.name]
        if dataclasses.is_dataclass(kind):
            found |= option_names(kind)
        elif field.name not in ("table", "solution", "name", "file", "what", "project"):
            found.add("--" + field.name.replace("_", "-"))
    return found


def test_the_page_on_the_command_line_names_every_option():
    page = (ROOT / "docs" / "command-line.md").read_text(encoding="utf-8")
    told = ("Fit", "Compare", "Neural", "Doctor", "Worlds", "Replan", "Show", "Running", "Play")
    told = (*told, "Datasets", "App")
    commands = map(record_of, told)
    names = set().union(*(option_names(command) for command in commands))
    assert len(names) > 20
    assert sorted(name for name in names if f"`{name}`" not in page) == []
    typed = set(re.findall(r"`(--[\w-]+)`", page)) - {"--help"}
    of_studies = set().union(*(option_names(type(study.settings)) for study in STUDIES))
    assert sorted(typed - names - of_studies) == []


def test_make_targets_that_pages_name_exist():
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    named = {t for p in PAGES for t in re.findall(r"`make ([\w-]+)`", p.read_text("utf-8"))}
    assert "demo" in named
    assert [t for t in named if not re.search(rf"^{t}:", makefile, re.M)] == []


def test_every_page_is_in_the_navigation():
    shown = (ROOT / "mkdocs.yml").read_text(encoding="utf-8")
    missing = [
        str(page.relative_to(ROOT / "docs"))
        for page in (ROOT / "docs").rglob("*.md")
        if str(page.relative_to(ROOT / "docs")) not in shown
    ]
    assert missing == []


def test_the_reader_of_pages_sees_what_it_should(tmp_path):
    page = tmp_path / "p.md"
    page.write_text(
        "a\n```python\nx = 1\n```\n- b\n\n    ```console\n    $ inverseq fit x.csv  # exit 2\n"
        "    shown\n    $ make demo\n"
        "    $ inverseq fit y.csv  # not run by the tests: takes a minute\n    ```\n",
        encoding="utf-8",
    )
    assert blocks(page)[0] == ("python", "x = 1\n", 3)
    assert commands(blocks(page)[1][1]) == [(["inverseq", "fit", "x.csv"], 2)]
    assert runnable(page)
