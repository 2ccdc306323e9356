"""What `mkdocs build` does to the pages besides Markdown; `mkdocs.yml` names it.

Formulas, LaTeX in ```math blocks and between dollars, become MathML, which browsers draw by
themselves: a page needs no script and no network. And each table of `docs/api.md` becomes a page of
reference with the signature, the shapes and the whole docstring of every name in it.
"""

import ast
import re
from html import unescape
from pathlib import Path
from typing import Any

from latex2mathml.converter import convert
from mkdocs.config.defaults import MkDocsConfig
from mkdocs.exceptions import PluginError
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

SOURCE = Path(__file__).parents[1] / "src"
_FORMULA = re.compile(
    r'<(?P<tag>div|span) class="arithmatex">\s*\\[(\[](?P<latex>.*?)\\[)\]]\s*</(?P=tag)>', re.S
)
_PRIME = re.compile(r"<msup>(<mi>\w</mi>)<mi>&#x02032;</mi></msup>")
"""A prime as it is converted: raised twice where a browser has no font for mathematics."""
_NAME = re.compile(r"^\| `(?P<name>[a-zA-Z][\w.]*)` \|", re.M)


def on_page_content(html: str, **_: Any) -> str:
    """The page with its formulas as MathML."""
    return _FORMULA.sub(_drawn, html)


def _drawn(formula: re.Match[str]) -> str:
    """A formula as MathML; one in a line of its own may be scrolled sideways."""
    made = mathml(unescape(formula["latex"]), formula["tag"] == "div")
    return f'<div class="formula">{made}</div>' if formula["tag"] == "div" else made


def mathml(latex: str, block: bool) -> str:
    """A formula as MathML.

    Raises:
        PluginError: It has something that the converter does not know, and would print as it is.
    """
    made = convert(latex.strip(), display="block" if block else "inline")
    made = _PRIME.sub(r"\1<mo lspace='0' rspace='0'>&#x02032;</mo>", made)
    if odd := re.findall(r"\\\w*|&(?!#?\w+;)", made):
        raise PluginError(f"{odd[0]} is not understood in the formula {latex.strip()}")
    return made


def reference(api: str) -> dict[str, tuple[str, list[str]]]:
    """File name -> title and public names, for each table of `docs/api.md` but that of modules."""
    found = {}
    for section in api.split("\n## ")[1:]:
        title, _, text = section.partition("\n")
        name = title.partition(":")[0].replace("`", "").removeprefix("inverseq.")
        if "| name |" in text and name != "Sub-packages":
            file = re.sub(r"\W+", "-", name.lower())
            found[file] = (title.replace("`", ""), _NAME.findall(text))
    return found


def home(name: str) -> str:
    """Where a public name is defined; a function may be called like the module that it is in."""
    package, _, last = f"inverseq.{name}".rpartition(".")
    folder = SOURCE.joinpath(*package.split("."))
    stub = folder / "__init__.pyi"
    text = (stub if stub.exists() else folder / "__init__.py").read_text(encoding="utf-8")
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.ImportFrom) and last in {alias.name for alias in node.names}:
            return f"{node.module}.{last}"
    raise PluginError(f"docs/api.md names {name}, which {package} does not have")


def on_config(config: MkDocsConfig) -> None:
    """The pages of the reference stand behind `api.md` in the navigation."""
    with open(f"{config.docs_dir}/api.md", encoding="utf-8") as file:
        names = [*reference(file.read())]
    behind = next(part["API"] for part in config.nav or () if "API" in part)
    behind += [f"reference/{name}.md" for name in names if f"reference/{name}.md" not in behind]


def on_files(files: Files, config: MkDocsConfig) -> None:
    """The pages of the reference."""
    api = files.src_uris["api.md"].content_string
    for name, (title, names) in reference(api).items():
        entries = "".join(f"\n::: {home(each)}\n" for each in names)
        text = f"# {title}\n\nOne line for each is on the page [API](../api.md).\n{entries}"
        files.append(File.generated(config, f"reference/{name}.md", content=text))


def on_page_markdown(markdown: str, page: Page, **_: Any) -> str:
    """Names on the page `api.md` lead to their reference."""
    if page.file.src_uri != "api.md":
        return markdown
    known = {name for _, names in reference(markdown).values() for name in names}
    return _NAME.sub(
        lambda row: (
            f"| [`{row['name']}`][{home(row['name'])}] |" if row["name"] in known else row[0]
        ),
        markdown,
    )
