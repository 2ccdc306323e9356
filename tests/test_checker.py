"""The checker of annotations lets any word through where words are listed, and nothing else."""

from dataclasses import dataclass
from typing import Literal, Optional, Union

import numpy as np
import pytest
from beartype.roar import BeartypeCallHintViolation
from jaxtyping import Float, TypeCheckError, jaxtyped

import checker
from checker import INSIDE, MOST, check, opened, sparing

WORDS = Literal["one", "two"]


@pytest.mark.parametrize(
    ("hint", "wanted"),
    [
        (WORDS, str),
        (WORDS | None, str | None),
        (Optional[WORDS], str | None),  # noqa: UP045
        (Union[int, WORDS], int | str),  # noqa: UP007
        (Literal["one", 2], str | Literal[2]),
        (Literal[1, 2], Literal[1, 2]),
        (int | None, int | None),
        (float, float),
    ],
)
def test_listed_words_become_any_word(hint, wanted):
    assert opened(hint) == wanted


def test_a_wrong_word_passes_and_a_wrong_type_does_not():
    def say(word: WORDS, times: float = 1.0) -> None: ...

    checked = check(say)
    checked("three", 2)
    with pytest.raises(BeartypeCallHintViolation):
        checked(3)
    with pytest.raises(BeartypeCallHintViolation):
        checked("one", "often")


@jaxtyped(typechecker=check)
def row(table: Float[np.ndarray, "N M"], axis: int = 0) -> Float[np.ndarray, " M"]:
    return table[0] if axis == 0 else table[:, 0]


def test_what_is_returned_has_the_sizes_of_the_arguments():
    table = np.ones((2, 3))
    assert row(table).shape == (3,)
    with pytest.raises(TypeCheckError, match="the return value"):
        row(table, 1)
    for wrong in ((table[0],), (table, "first")):
        with pytest.raises(TypeCheckError, match="the parameters"):
            row(*wrong)


def test_the_first_calls_in_each_test_are_checked(monkeypatch):
    monkeypatch.setattr(checker, "_calls", {})

    def halved(table: Float[np.ndarray, "N M"]) -> Float[np.ndarray, " M"]:
        return table if len(table) == 1 else table[0]

    halved.__qualname__ = "halved"  # as of a module
    spared, wrong = sparing(halved, typechecker=check), np.ones((1, 3))
    for _ in range(MOST):
        with pytest.raises(TypeCheckError, match="the return value"):
            spared(wrong)
    assert spared(wrong) is wrong
    checker.begin()
    with pytest.raises(TypeCheckError, match="the return value"):
        spared(wrong)

    def made():
        @sparing(typechecker=check)
        def inside(number: int) -> int:
            return number

        return inside

    for _ in range(INSIDE):  # it is another each time, of the same code
        with pytest.raises(TypeCheckError, match="the parameters"):
            made()("one")
    assert made()("one") == "one"


def test_fields_of_records_are_checked_once_where_they_are_inherited():
    @sparing(typechecker=check)
    @dataclass
    class One:
        number: int

    @sparing(typechecker=check)
    class Two(One): ...

    assert Two(2).number == 2
    assert Two.__init__ is One.__init__
    with pytest.raises(TypeCheckError, match="the parameters"):
        Two("two")
