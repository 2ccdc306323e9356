"""Words lie in templates, escaped on a page; code holds numbers and enumerations."""

import ast
from pathlib import Path

import pytest

import inverseq
from inverseq import Demonstrations
from inverseq._core import words
from inverseq.analysis import Plan, analyse
from inverseq.doctor import About, diagnose
from inverseq.reporting.report import report

SOURCES = Path(inverseq.__file__).parent
MOST_WORDS = 7
"""Of a text in code that is a name or a title still."""
ANGRY = "<script>alert(1)</script>"


def sentences(tree: ast.Module) -> list[str]:
    """Texts of more words than a name has, outside of docstrings and of what is raised."""
    apart, found = set(), []
    for node in ast.walk(tree):
        told = isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
        if told or isinstance(node, ast.Raise):
            apart |= {id(inner) for inner in ast.walk(node)}
    for node in ast.walk(tree):
        if id(node) in apart or not isinstance(node, ast.Constant | ast.JoinedStr):
            continue
        parts = node.values if isinstance(node, ast.JoinedStr) else [node]
        apart |= {id(part) for part in parts if part is not node}
        text = " ".join(str(p.value).strip() for p in parts if isinstance(p, ast.Constant))
        found += [text] if len(text.split()) > MOST_WORDS else []
    return found


@pytest.mark.parametrize("folder", ["analysis", "doctor", "reporting"])
def test_no_sentence_stands_in_code(folder):
    found = {
        str(path.relative_to(SOURCES)): told
        for path in sorted((SOURCES / folder).rglob("*.py"))
        if (told := sentences(ast.parse(path.read_text())))
    }
    assert found == {}


def test_a_sentence_in_code_would_be_found():
    told = "one two three four five six seven eight"
    assert sentences(ast.parse(f'"""{told}"""\nx = f"{told} {{1}}"\nraise E("{told}")')) == [told]


def test_everything_the_doctor_notices_has_words_and_nothing_else_has():
    blocks = words._environment("inverseq.doctor").get_template("findings.j2").blocks
    assert blocks.keys() == {about.name.lower() for about in About}


@pytest.mark.parametrize("package", ["doctor", "evaluate", "reporting"])
def test_pages_are_escaped_unless_a_template_says_otherwise(package):
    assert words._environment(f"inverseq.{package}").autoescape is True
    for path in sorted((SOURCES / package / "templates").iterdir()):
        assert "safe" not in path.read_text().replace("|", " ").split(), path
        assert "autoescape" not in path.read_text(), path


def test_names_from_a_table_are_escaped_on_the_page(tmp_path):
    demos = Demonstrations.from_arrays(
        [0, 1, 0, 1] * 6,
        [0, 0, 0, 0] * 6,
        trajectory=[k // 4 for k in range(24)],
        state_names=(ANGRY, "b"),
        action_names=("a", ANGRY),
        source=ANGRY,
    )
    found = diagnose(demos)
    assert f"1 of 2 actions are never taken: {ANGRY}" in " ".join(str(found).split())
    untaken = next(each for each in found.findings if each.about is About.UNTAKEN)
    told = {"severity": untaken.severity, "count": untaken.count, **untaken.values}
    page = words.render("inverseq.doctor", "findings.j2", "untaken", **told)
    assert "&lt;script&gt;" in page
    assert "<script>" not in page
    made = analyse(demos, Plan(folds=2, history=1, bootstrap=0))
    page = report(made, tmp_path / "out").read_text()
    assert page.count("&lt;script&gt;alert(1)") > 2
    assert "<script>alert" not in page
