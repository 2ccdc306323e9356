"""Do groups of animals want different things? Animals are what is counted, never decisions.

Decisions of one animal resemble each other, so that a test that counts them finds differences
between any two handfuls of animals (Aarts and others 2014, Nature Neuroscience 17, "A solution to
dependency"). Here each animal gives one number per contrast of its reward, or one in each group
where all animals were seen in all groups, and everything goes over animals.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from itertools import combinations
from typing import Any

import numpy as np
from jaxtyping import Float
from scipy.special import stdtrit

from inverseq._core.arrays import frozen_array, require_finite
from inverseq._core.display import Fact, ShownTable
from inverseq._core.errors import InputError
from inverseq._core.words import render_text
from inverseq.demonstrations import Demonstrations
from inverseq.evaluate.design import Design, Kind, Values, design_of, without
from inverseq.evaluate.identifiability import usual_contrasts
from inverseq.evaluate.intervals import check_level, percentiles
from inverseq.evaluate.power import POWER, detectable
from inverseq.evaluate.relabelled import relabel, smallest_p
from inverseq.inverse.explanation import Explanation

Contrast = Float[np.ndarray, "S A"] | Float[np.ndarray, " F"]
"""Weights of rewards of states and actions, or of the weights of features."""


@dataclass(frozen=True)
class GroupDifference:
    """One contrast in two groups; NaN where fewer than two animals of a group have it.

    Attributes:
        contrast: Its name.
        groups: The two.
        animals: How many have it in each.
        means: Over the animals of each, in units of the temperature.
        difference: Of the second group less the first.
        low: Lower end of the t interval over animals (Welch's; of pairs within animals).
        high: Upper end.
        drawn_low: Lower end of the percentile interval over animals drawn again.
        drawn_high: Upper end.
        effect: Standardised: Hedges' g, or of pairs the mean over the standard deviation of
            differences, with the same correction for few animals.
        p: By labels exchanged.
        corrected: The same for all contrasts and pairs of groups together (largest statistic).
        detectable: The smallest effect that a t test of so many animals finds in 80 of 100 tries.
    """

    contrast: str
    groups: tuple[str, str]
    animals: tuple[int, int]
    means: tuple[float, float]
    difference: float
    low: float
    high: float
    drawn_low: float
    drawn_high: float
    effect: float
    p: float
    corrected: float
    detectable: float

    @property
    def known(self) -> bool:
        """Whether two animals of each group have it."""
        return bool(np.isfinite(self.p))

    @property
    def clear(self) -> bool:
        """Whether it holds after correction, at a level of 5 %."""
        return self.corrected <= 0.05


@dataclass(frozen=True, eq=False)
class GroupComparison(ShownTable):
    """What differs between groups of animals.

    Attributes:
        design: Who is in which group.
        names: `[C]` of the contrasts.
        values: `[n, L, C]` each animal's, in its group (L = 1) or in each; NaN where it hardly
            decided in the states of a contrast.
        differences: One per contrast and pair of groups.
        labellings: Ways to hand out the labels that were looked at.
        exact: Whether these are all there are.
        smallest: No p value can be smaller with so few animals.
        level: Of the intervals.
    """

    design: Design
    names: tuple[str, ...]
    values: Values
    differences: tuple[GroupDifference, ...]
    labellings: int
    exact: bool
    smallest: float
    level: float

    def _facts(self) -> Iterable[Fact]:
        return (
            ("animals", len(self.design.animals)),
            ("groups", len(self.design.levels)),
            ("contrasts", len(self.names)),
            ("design", str(self.design.kind)),
            ("differences", sum(each.clear for each in self.differences)),
        )

    def __getitem__(self, name: str) -> GroupDifference:
        """The difference of the first two groups in a contrast."""
        found = next((each for each in self.differences if each.contrast == name), None)
        if found is None:
            raise InputError(f"no contrast is named {name!r}; there are {[*self.names]}")
        return found

    def renamed(self, names: Sequence[str]) -> "GroupComparison":
        """The same with other names of its contrasts."""
        each = dict(zip(self.names, names, strict=True))
        made = tuple(replace(one, contrast=each[one.contrast]) for one in self.differences)
        return replace(self, names=tuple(names), differences=made)

    @property
    def rows(self) -> list[dict[str, Any]]:
        """One row per contrast and pair of groups."""
        made = []
        for each in self.differences:
            row = asdict(each)
            for name, words in (("groups", "group"), ("animals", "animals"), ("means", "mean")):
                first, second = row.pop(name)
                row |= {f"{words}_1": first, f"{words}_2": second}
            made.append(row)
        return made

    @property
    def text(self) -> str:
        """The design and what was found, in plain words."""
        return "\n".join(render_text("inverseq.evaluate", "groups.j2", found=self, power=POWER))


def compare_groups(
    explanations: Mapping[Any, Explanation],
    demonstrations: Demonstrations,
    contrasts: Mapping[str, Contrast] | Contrast | None = None,
    *,
    between: str = "genotype",
    by: str = "subject",
    seed: int = 0,
    level: float = 0.95,
    labellings: int = 10_000,
    replicates: int = 2000,
) -> GroupComparison:
    """Whether the rewards of groups of animals differ, animals being what is counted.

    The design is found from the table: where each animal is in one group, its number stands
    against those of other animals, and labels of animals are exchanged; where animals were seen in
    all groups (days with and without a drug), each is compared with itself, and labels are
    exchanged within animals. Sessions of one animal never count as animals. No fit depends on
    labels, so that thousands of labellings cost no fit.

    Args:
        explanations: By animal, as `fit_each` makes them with one solver in one world; by (animal,
            group) where animals were seen in all groups. Fits must not know the groups: rewards
            that were drawn towards those of their group differ more between groups than animals.
        demonstrations: The table, for who is in which group and in how many sessions.
        contrasts: Weights `[S, A]` of rewards, or `[F]` of weights of features, by name or a single
            one; `inverseq.evaluate.identifiability.usual_contrasts` where left out. An animal has a
            contrast of states where it decided in half of them or more (by weight) on either side.
        between: Trajectory column of the groups.
        by: Trajectory column of the animals.
        seed: Of labels and animals drawn.
        level: Of the intervals.
        labellings: Looked at, at most; all of them where there are fewer.
        replicates: Draws of animals for the second kind of interval.

    Returns:
        Differences with intervals, effect sizes and p values.

    Raises:
        InputError: As `design_of`, an animal has no explanation or one of another world, or a
            contrast does not fit.
    """
    if not isinstance(explanations, Mapping):
        raise InputError(
            "compare_groups takes explanations by animal, as inverseq.fit_each(demonstrations, "
            f"solver, mdp) makes them; got a {type(explanations).__name__}"
        )
    design = design_of(demonstrations, between, by)
    have = {str(k) if not isinstance(k, tuple) else k: v for k, v in explanations.items()}
    missing = {a for a in design.animals if any(cell not in have for cell in design.cells(a))}
    if len(missing) > len(design.animals) / 2:
        raise InputError(
            f"the design is {design.kind}, and there is no explanation of "
            f"{design.cells(sorted(missing)[0])[0]!r}: fit each by {design.units!r}, "
            "inverseq.fit_each(demonstrations, solver, mdp, by=...)"
        )
    design = without(design, missing)
    chosen = [[have[cell] for cell in design.cells(animal)] for animal in design.animals]
    if contrasts is None:
        world = chosen[0][0].mdp
        if world is None:
            raise InputError("these fits know no world: give contrasts of their parameters")
        contrasts = usual_contrasts(world)
    named = contrasts if isinstance(contrasts, Mapping) else {"contrast": contrasts}
    if not named:
        raise InputError("there is no contrast to compare groups in")
    values = np.array(
        [[[_value(one, n, c, between) for n, c in named.items()] for one in own] for own in chosen]
    )
    how = {"seed": seed, "level": level, "labellings": labellings, "replicates": replicates}
    return compare_values(design, values, tuple(named), **how)


def compare_values(
    design: Design,
    values: Values,
    names: tuple[str, ...],
    *,
    seed: int = 0,
    level: float = 0.95,
    labellings: int = 10_000,
    replicates: int = 2000,
) -> GroupComparison:
    """`compare_groups` of any numbers that each animal has: `[n, L, C]`, NaN where it has none.

    Raises:
        InputError: A setting is out of range, or a group has no two animals.
    """
    check_level(level)
    if labellings < 1 or replicates < 1:
        raise InputError(
            f"labellings and replicates must be 1 or more; got {labellings} and {replicates}"
        )
    if min(design.sizes) < 2:
        raise InputError(f"a group has only {min(design.sizes)} animals that could be fitted")
    pairs = [*combinations(range(len(design.levels)), 2)]
    known = np.asarray(np.isfinite(values).any(axis=(0, 1)))
    tested = relabel(design, values[:, :, known], pairs, labellings, seed) if known.any() else None
    rng = np.random.default_rng(seed)
    made, at = [], np.cumsum(known) - 1
    for c, name in enumerate(names):
        for k, (a, b) in enumerate(pairs):
            p, corrected = (
                (float("nan"),) * 2
                if tested is None or not known[c]
                else (float(tested.p[k, at[c]]), float(tested.corrected[k, at[c]]))
            )
            groups = design.levels[a], design.levels[b]
            numbers = _numbers(design, values[:, :, c], a, b, level, replicates, rng)
            made.append(GroupDifference(name, groups, **numbers, p=p, corrected=corrected))
    return GroupComparison(
        design=design,
        names=names,
        values=values,
        differences=tuple(made),
        labellings=0 if tested is None else tested.number,
        exact=tested is not None and tested.exact,
        smallest=1.0 if tested is None else smallest_p(design, tested),
        level=level,
    )


def _numbers(
    design: Design,
    values: Float[np.ndarray, "n L"],
    a: int,
    b: int,
    level: float,
    replicates: int,
    rng: np.random.Generator,
) -> dict[str, Any]:
    """What `GroupDifference` says of one contrast in two groups, but for p values."""
    within = design.kind is Kind.WITHIN
    if within:
        both = values[np.isfinite(values[:, [a, b]]).all(axis=1)]
        parts = [both[:, a], both[:, b]]
    else:
        parts = [values[(design.group == g) & np.isfinite(values[:, 0]), 0] for g in (a, b)]
    sizes = (len(parts[0]), len(parts[1]))
    means = tuple(float(part.mean()) if part.size else float("nan") for part in parts)
    told: dict[str, Any] = {"animals": sizes, "means": means, "difference": means[1] - means[0]}
    if min(sizes) < 2:
        unknown = ("low", "high", "drawn_low", "drawn_high", "effect", "detectable")
        return told | dict.fromkeys(unknown, float("nan"))
    samples = [parts[1] - parts[0]] if within else parts
    counts = np.array([len(part) for part in samples])
    spreads = np.array([part.var(ddof=1) for part in samples])
    errors = spreads / counts
    error = max(float(errors.sum()), 1e-300)
    degrees = error**2 / max(float((errors**2 / (counts - 1)).sum()), 1e-300)
    degrees = float(np.clip(degrees, counts.min() - 1, counts.sum() - len(counts)))
    reach = float(stdtrit(degrees, (1 + level) / 2)) * np.sqrt(error)
    drawn = [
        part[rng.integers(len(part), size=(replicates, len(part)))].mean(1) for part in samples
    ]
    gaps = drawn[0] if within else drawn[1] - drawn[0]
    ends = percentiles(np.asarray(told["difference"]), gaps, int(counts.min()), level)
    pooled = float((spreads * (counts - 1)).sum() / (counts - 1).sum())
    free = int((counts - 1).sum())
    # Hedges and Olkin 1985: without it, few animals look more different than they are.
    shrunk = (1 - 3 / (4 * free - 1)) * told["difference"] / np.sqrt(max(pooled, 1e-300))
    return told | {
        "low": float(told["difference"] - reach),
        "high": float(told["difference"] + reach),
        "drawn_low": float(ends.low),
        "drawn_high": float(ends.high),
        "effect": float(shrunk) if pooled > 0 else float("nan"),
        "detectable": detectable(sizes[0], None if within else sizes[1], level),
    }


def _value(one: Explanation, name: str, weights: Contrast, between: str) -> float:
    """A contrast of one animal; NaN where it hardly decided in the states in question.

    Raises:
        InputError: The explanation has no such reward.
    """
    if not isinstance(one, Explanation) or len(one.intentions) != 1:
        raise InputError("groups are compared in one reward per animal; these have several or none")
    (solution,) = one.intentions
    if solution.settings.get("group") == between:
        raise InputError(
            f"these rewards were drawn towards those of their {between}, so that they differ more "
            "than the animals do: fit Hierarchical again, and leave group out"
        )
    array = frozen_array(weights, np.float64, f"contrast {name!r}")
    require_finite(array, f"contrast {name!r}")
    if array.ndim == 1:
        found = solution.parameters.get("weights")
        if found is None or found.shape != array.shape:
            raise InputError(
                f"contrast {name!r} has {array.size} numbers, and {solution.solver} has "
                f"{'no weights' if found is None else f'weights of shape {found.shape}'}"
            )
        return float(array @ found)
    if solution.reward is None or solution.reward.shape != array.shape:
        raise InputError(
            f"contrast {name!r} has shape {array.shape}, and {solution.solver} has "
            f"{'no reward' if solution.reward is None else f'a reward {solution.reward.shape}'}"
        )
    if solution.visits is not None:
        seen = solution.visits > 0
        for sign in (1, -1):
            side = np.maximum(sign * array, 0.0).sum(axis=1)
            if side.sum() > 0 and side[seen].sum() < side.sum() / 2:
                return float("nan")
    return float((array * solution.reward).sum())
