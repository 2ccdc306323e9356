"""Constraints in words: which action is forbidden where one number of an observation is too large
or too small.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Shaped

from inverseq._core.errors import InputError

_NUMBER = r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?"
_RULE = re.compile(rf"\s*(.+?)\s+where\s+(.+?)\s*([<>])\s*({_NUMBER})\s*")


@dataclass(frozen=True)
class Forbidden:
    """Each of K rules forbids an action where a component lies beyond a bound.

    A constraint for `DCIQL` that a file can hold.

    Attributes:
        num_actions: A.
        actions: K numbers of actions.
        components: K numbers of the components of an observation `[D]` that are looked at.
        above: K times whether it is forbidden above the bound; else below it.
        bounds: K numbers, in the component's own units; on the bound the action is safe.
    """

    num_actions: int
    actions: tuple[int, ...]
    components: tuple[int, ...]
    above: tuple[bool, ...]
    bounds: tuple[float, ...]

    @classmethod
    def read(cls, text: str, actions: Sequence[str], components: Sequence[str]) -> "Forbidden":
        """The rules in a text such as "right where x > 400, left where x < 100".

        Args:
            text: Rules with commas between.
            actions: Names of the actions.
            components: Names of the components.

        Raises:
            InputError: A rule is not of that form, or a name is not known.
        """
        read = []
        for part in text.split(","):
            found = _RULE.fullmatch(part)
            if found is None:
                raise InputError(
                    f"{part.strip()!r} is no rule: write an action, where, a component, < or > and "
                    "a number, as in 'right where x > 400', with commas between rules"
                )
            action, component, sign, bound = found.groups()
            for name, known in ((action, actions), (component, components)):
                if name not in known:
                    raise InputError(
                        f"{part.strip()!r} speaks of {name!r}, which is none of {[*known]}"
                    )
            number = actions.index(action), components.index(component)
            read.append((*number, sign == ">", float(bound)))
        return cls(len(actions), *zip(*read, strict=True))

    def __call__(self, observations: Shaped[np.ndarray, "N D"], /) -> Bool[np.ndarray, "N A"]:
        """`[N, A]`, true where no rule forbids an action."""
        safe = np.ones((len(observations), self.num_actions), dtype=bool)
        rules = zip(self.actions, self.components, self.above, self.bounds, strict=True)
        for action, component, above, bound in rules:
            seen = observations[:, component]
            safe[:, action] &= ~(seen > bound if above else seen < bound)
        return safe
