"""How many animals would be needed, judging by how much those at hand differ."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Float, Int
from scipy.special import chdtri

from inverseq._core.arrays import freeze
from inverseq._core.display import Fact, ShownTable
from inverseq._core.errors import InputError
from inverseq._core.words import render_text
from inverseq.evaluate.design import Kind
from inverseq.evaluate.groups import GroupComparison
from inverseq.evaluate.power import POWER, chance_to_find

_MOST = 10_000
"""Animals of a group that are looked at, at most."""

_SIZES = (3, 4, 5, 6, 8, 10, 12, 16, 20, 25, 30, 40, 50, 75, 100)


@dataclass(frozen=True, eq=False)
class Needed(ShownTable):
    """How often a difference would be found with other numbers of animals.

    Attributes:
        contrast: In which groups are to differ.
        difference: By how much, in units of the temperature.
        within: Whether each animal is compared with itself.
        spread: Standard deviation of the contrast between animals of a group (of differences
            within animals), their errors of estimation at so many decisions included.
        sizes: `[K]` animals of each group (of animals, within animals).
        power: `[K]` how often the difference is found.
        low: `[K]` the same if animals differ as much as they may (upper end of the 95 % interval of
            the spread).
        high: `[K]` the same if they differ as little as they may.
        power_wanted: How often it should be found.
        needed: Fewest animals of each group; None where there are more than 10,000.
        needed_most: The same with the larger spread.
        level: One less the level of the test.
    """

    contrast: str
    difference: float
    within: bool
    spread: float
    sizes: Int[np.ndarray, " K"]
    power: Float[np.ndarray, " K"]
    low: Float[np.ndarray, " K"]
    high: Float[np.ndarray, " K"]
    power_wanted: float
    needed: int | None
    needed_most: int | None
    level: float

    def __post_init__(self) -> None:
        freeze(self, np.float64, "power", "low", "high")

    def _facts(self) -> Iterable[Fact]:
        return (
            ("contrast", self.contrast),
            ("difference", self.difference),
            ("spread", self.spread),
            ("needed", self.needed),
        )

    @property
    def rows(self) -> list[dict[str, Any]]:
        """One row per number of animals."""
        columns = {"animals": self.sizes, "power": self.power, "low": self.low, "high": self.high}
        return [
            {name: values[i].item() for name, values in columns.items()}
            for i in range(self.sizes.size)
        ]

    @property
    def text(self) -> str:
        """The same in plain words."""
        return "\n".join(render_text("inverseq.evaluate", "needed.j2", found=self))


def animals_needed(
    found: GroupComparison,
    difference: float,
    contrast: str | None = None,
    *,
    power: float = POWER,
    comparisons: int = 1,
) -> Needed:
    """How many animals a t test would need to find a difference that matters.

    How much animals differ is taken from those at hand, with as many decisions each: their spread
    holds both what they are and how surely so many decisions tell it. Give the difference that
    would matter, not the one that was found, which is too large wherever it had to be large to be
    found. Contrasts are taken as normal between animals; the tests hold this against whole
    experiments that are simulated and fitted.

    Args:
        found: Of `compare_groups`: the animals at hand.
        difference: Between two groups, in units of the temperature.
        contrast: In which contrast; the first where left out.
        power: How often it should be found, between 0 and 1.
        comparisons: Contrasts and pairs of groups that will be corrected for (Bonferroni: a few
            animals more than the largest statistic needs).

    Raises:
        InputError: There is no such contrast, fewer than two animals of each group have it, or a
            number is out of range.
    """
    if not 0 < power < 1 or comparisons < 1 or not np.isfinite(difference) or difference == 0:
        raise InputError(
            "animals_needed takes a difference that is not 0, a power between 0 and 1 and 1 or "
            f"more comparisons; got {difference}, {power} and {comparisons}"
        )
    each = found[found.names[0] if contrast is None else contrast]
    if not each.known:
        raise InputError(
            f"fewer than two animals of each group have the contrast {each.contrast!r}"
        )
    values = found.values[:, :, found.names.index(each.contrast)]
    within = found.design.kind is Kind.WITHIN
    group = found.design.group
    parts = [values[group == g, 0] for g in range(len(found.design.levels))]
    parts = [values[:, 1] - values[:, 0]] if within else parts
    parts = [part[np.isfinite(part)] for part in parts]
    free = sum(part.size - 1 for part in parts)
    squares = sum(float(((part - part.mean()) ** 2).sum()) for part in parts)
    spread = float(np.sqrt(squares / free))
    if spread == 0:
        raise InputError(f"animals do not differ in {each.contrast!r} at all")
    ends = [float(np.sqrt(squares / chdtri(free, tail))) for tail in (0.975, 0.025)]
    level = 1 - 0.05 / comparisons

    def chances(sd: float) -> Float[np.ndarray, " K"]:
        made = [chance_to_find(difference / sd, n, None if within else n, level) for n in _SIZES]
        return np.array(made)

    def fewest(sd: float) -> int | None:
        enough = lambda n: (  # noqa: E731
            chance_to_find(difference / sd, n, None if within else n, level) >= power
        )
        low, high = 1, 2
        while not enough(high):
            low, high = high, 2 * high
            if low > _MOST:
                return None
        while high - low > 1:
            middle = (low + high) // 2
            low, high = (low, middle) if enough(middle) else (middle, high)
        return high

    return Needed(
        contrast=each.contrast,
        difference=float(difference),
        within=within,
        spread=spread,
        sizes=np.array(_SIZES),
        power=chances(spread),
        low=chances(ends[0]),
        high=chances(ends[1]),
        power_wanted=power,
        needed=fewest(spread),
        needed_most=fewest(ends[0]),
        level=level,
    )
