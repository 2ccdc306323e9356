"""Words from templates: escaped on a page, plain in a terminal."""

import jinja2
import pytest
from jinja2 import DictLoader, UndefinedError

from inverseq._core import words

TEMPLATE = """{% block told %}
{% filter strong %}{{ name }} scores {{ score | number }}{% endfilter %}: {{ share | percent }},
{{ gain | signed }}; try {{ "fit" | code }}.

Then more.
{% endblock %}
{% block other %}unused {{ nothing }}{% endblock %}
"""
VALUES = {"name": "<script>\n\nx", "score": -0.5, "share": 0.25, "gain": float("nan")}


@pytest.fixture(autouse=True)
def template(monkeypatch):
    words._environment.cache_clear()
    monkeypatch.setattr(jinja2, "PackageLoader", lambda _: DictLoader({"t.j2": TEMPLATE}))
    yield
    words._environment.cache_clear()


def test_a_page_escapes_names_and_marks_words_up():
    made = words.paragraphs(words.render("p", "t.j2", "told", **VALUES))
    assert made == (
        "<strong>&lt;script&gt; x scores −0.500</strong>: 25%, unknown; try <code>fit</code>.",
        "Then more.",
    )


def test_a_terminal_gets_the_same_words_without_markup():
    first, _ = words.render_text("p", "t.j2", "told", **VALUES)
    assert first == "<script> x scores −0.500: 25%, unknown; try fit."


def test_a_missing_value_is_an_error():
    with pytest.raises(UndefinedError, match="nothing"):
        words.render_text("p", "t.j2", "other")
