"""The checker of annotations lets any word through where words are listed, and nothing else."""

from typing import Literal, Optional, Union

import numpy as np
import pytest
from beartype.roar import BeartypeCallHintViolation
from jaxtyping import Float, TypeCheckError, jaxtyped

from checker import check, opened

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


def test_what_is_returned_has_the_sizes_of_the_arguments():
    @jaxtyped(typechecker=check)
    def row(table: Float[np.ndarray, "N M"], axis: int = 0) -> Float[np.ndarray, " M"]:
        return table[0] if axis == 0 else table[:, 0]

    table = np.ones((2, 3))
    assert row(table).shape == (3,)
    with pytest.raises(TypeCheckError, match="the return value"):
        row(table, 1)
    for wrong in ((table[0],), (table, "first")):
        with pytest.raises(TypeCheckError, match="the parameters"):
            row(*wrong)
