"""What states and actions are: one of finitely many, or a point of a box."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Int, Shaped

from inverseq._core.errors import InputError


@dataclass(frozen=True)
class Finite:
    """One of finitely many, numbered from 0.

    Attributes:
        n: How many there are.
        names: Their names in the order of their numbers; empty where they are numbers only.
    """

    n: int
    names: tuple[str, ...] = ()


@dataclass(frozen=True)
class Box:
    """An array of numbers: features, a board, an image, a continuous action.

    Attributes:
        shape: Of one state or action.
        dtype: Type of its numbers, such as "uint8" or "float32".
        names: Names of its components, where it has one axis and they are known.
    """

    shape: tuple[int, ...]
    dtype: str
    names: tuple[str, ...] = ()


def number_of(space: Finite | Box, what: str) -> int:
    """How many states or actions there are.

    Args:
        space: Of states or actions.
        what: "states" or "actions", for the message.

    Raises:
        InputError: The space is a box, in which they cannot be counted.
    """
    if isinstance(space, Finite):
        return space.n
    kind = "features" if what == "states" else "continuous"
    remedy = ", or use a solver over features such as IQLearn" if what == "states" else ""
    raise InputError(
        f"{what} are {kind} ({space.dtype} of shape {[*space.shape]}), which cannot be numbered: "
        f"bin them (bins= of read_table){remedy}"
    )


def numbers_meant(names: tuple[str, ...]) -> Int[np.ndarray, " S"] | None:
    """The numbers that names are: those of a table that leaves some out; None for other names."""
    # Up to 18 digits, as more may not fit; a longer one is a name.
    plain = lambda n: n.isascii() and n.isdecimal() and len(n) < 19 and n == str(int(n))  # noqa: E731
    if not names or not all(map(plain, names)):
        return None
    return np.array(names, dtype=np.int64)


def require_names(
    what: str,
    array: Shaped[np.ndarray, "N *components"],
    names: tuple[str, ...],
    components: tuple[str, ...],
) -> None:
    """Raise an `InputError` where names do not fit states or actions.

    Args:
        what: "state" or "action".
        array: All of them.
        names: Of numbers `[N]`.
        components: Of the columns of `[N, D]`.
    """
    wrong = names if array.ndim > 1 else components
    if wrong or (components and array.shape[1:] != (len(components),)):
        field = "feature_names" if what == "state" else "action_feature_names"
        raise InputError(
            f"{what}s have shape {[*array.shape]}, which the names {[*(wrong or components)][:5]} "
            f"do not fit: {what}_names name numbers [N], {field} the columns of [N, D]"
        )
