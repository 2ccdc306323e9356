"""The search of a hierarchy: numbers of all animals, and how alike animals are, turn by turn."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from jaxtyping import Float, Int

from inverseq._core.status import Outcome, Status
from inverseq.inverse.hierarchy.evidence import (
    LOG_VARIANCES,
    UNRELATED,
    Quadratics,
    away_from_zero,
    charge,
    learned,
    levels,
    precisions,
)
from inverseq.inverse.hierarchy.expansion import Expansion, Quadratic
from inverseq.inverse.problem import Progress

_SHORTEST = 2.0**-12
"""Share of a step below which no better point is looked for."""

_REACH = 0.7
"""Change of the logarithm of a variance in one step. The evidence is that of expansions around the
present numbers: far from them it may promise what is not there, and animals would run after it."""

_LESS = 1e-3
"""Nats of evidence that do not count."""

_FREE = 6
"""Steps of which none is judged: far from where animals come to rest, the evidence says little."""

_SHORTEST_OF_VARIANCES = 1 / 64
"""Share of a step of variances below which no better evidence is looked for."""

_MOST_MOVES = 30
"""Moves after which animals are left where they are."""


class Search:
    """The numbers of all animals, and how alike they are.

    Attributes:
        quadratics: What the decisions of each animal say around its numbers.
        log_variances: How alike animals, groups and all are, as in `evidence`.
        levels: What is known of every level.
        trace: The evidence, step by step.
    """

    def __init__(
        self,
        expansion: Expansion,
        seen: Sequence[Any],
        group: Int[np.ndarray, " n"],
        alike: tuple[int, ...] = (),
    ) -> None:
        self.expansion, self.seen, self.group, self.alike = expansion, seen, group, alike
        self.animals = np.tile(expansion.start(seen), (len(seen), 1))
        self.quadratics = self._expanded(self.animals, [None] * len(seen))
        self.log_variances = np.full(self.data().num_variances, -UNRELATED)
        self.log_variances[int(expansion.blocks.max()) + 1 :] = 0.0
        self.log_variances[-1] = UNRELATED
        self.log_variances[[*alike]] = LOG_VARIANCES[0]
        self.levels = levels(self.data(), self.log_variances)
        self.trace: list[float] = []
        self.change, self.careful = np.inf, False

    def run(self, tolerance: float, max_steps: int, progress: Progress | None) -> Status:
        """Expand, learn how alike animals are, move them; until nothing changes."""
        change = np.inf
        for step in range(max_steps):
            change = self._safe_step(tolerance) if self.careful else self._step()
            if progress is not None:
                progress("hierarchy", step + 1, max_steps)
            if change <= tolerance:
                return Status(Outcome.CONVERGED, step + 1, change)
        words = "animals still moved when the steps were used up; give more max_steps"
        return Status(Outcome.LIMIT, max_steps, change, words)

    def _step(self) -> float:
        """Variances at which the evidence of the present expansions is largest, then one move; the
        largest change.
        """
        data = self.data()
        self.log_variances = learned(data, self.log_variances, _REACH)
        self.levels = levels(data, self.log_variances)
        self.trace.append(self._evidence())
        fell = len(self.trace) > _FREE and self.trace[-1] < self.trace[-2] - _LESS
        change = self._move()
        # Where curvatures are not those of the likelihood, steps may go too far each time.
        self.careful = fell and change > self.change / 2
        self.change = change
        return change

    def _safe_step(self, tolerance: float) -> float:
        """The same with animals at rest before and after, and only as far as the evidence rises;
        the largest change, 0 where it rises no more.
        """
        self._settle(tolerance)
        before = self.animals, self.quadratics, self.log_variances, self.levels
        worth, share = self._worth(), 1.0
        step = learned(self.data(), self.log_variances, _REACH) - self.log_variances
        while share > _SHORTEST_OF_VARIANCES:
            self.log_variances = before[2] + share * step
            self._settle(tolerance)
            if self._worth() >= worth + _LESS:
                self.trace.append(self._evidence())
                return float(np.abs(self.animals - before[0]).max())
            self.animals, self.quadratics, self.log_variances, self.levels = before
            share /= 4
        return 0.0

    def _settle(self, tolerance: float) -> None:
        """Moves until animals rest at these variances."""
        change, moves = np.inf, 0
        while change > tolerance and moves < _MOST_MOVES:
            self.levels = levels(self.data(), self.log_variances)
            change, moves = self._move(), moves + 1
        self.levels = levels(self.data(), self.log_variances)

    def _move(self) -> float:
        """Go where all levels are most probable, or as far towards it as that is better; the
        largest change.
        """
        own, between, whole = precisions(self.data(), self.log_variances)
        at = self.levels.groups[self.group]

        def value(of: Sequence[Quadratic], numbers: np.ndarray, i: np.ndarray) -> np.ndarray:
            away = numbers - at[i]
            charged = np.einsum("nf,fg,ng->n", away, own, away) / 2
            return np.array([one.value for one in of]) - charged

        def together(of: Sequence[Quadratic], numbers: np.ndarray) -> float:
            charged = charge(numbers, self.group, own, between, whole)
            return sum(one.value for one in of) - charged

        # Given its group, each animal is a problem of its own.
        left = np.arange(len(self.animals))
        before = value(self.quadratics, self.animals, left)
        step, share = self.levels.animals - self.animals, 1.0
        made, moved = list(self.quadratics), self.animals.copy()
        while left.size and share > _SHORTEST:
            tried = self.animals[left] + share * step[left]
            found = self._expanded(tried, [self.quadratics[i].near for i in left], left)
            better = value(found, tried, left) >= before[left] - 1e-9 * np.abs(before[left])
            for i, one, numbers, took in zip(left, found, tried, better, strict=True):
                if took:
                    made[i], moved[i] = one, numbers
            left, share = left[~better], share / 2
        # Their groups moved with them: what is better for each may be worse for all.
        worth, share = together(self.quadratics, self.animals), 1.0
        step = moved - self.animals
        while together(made, moved) < worth - 1e-9 * abs(worth) and share > _SHORTEST:
            share /= 2
            moved = self.animals + share * step
            made = self._expanded(moved, [one.near for one in self.quadratics])
        if self.careful:
            half = self.animals + (moved - self.animals) / 2
            between_both = self._expanded(half, [one.near for one in self.quadratics])
            if together(between_both, half) > together(made, moved):
                moved, made = half, between_both
        change = float(np.abs(moved - self.animals).max(initial=0.0))
        self.animals, self.quadratics = moved, made
        return change

    def _expanded(
        self,
        animals: Float[np.ndarray, "k F"],
        near: Sequence[Any],
        which: Int[np.ndarray, " k"] | None = None,
    ) -> list[Quadratic]:
        """The likelihoods of some animals around their numbers."""
        chosen = range(len(self.seen)) if which is None else which
        return [
            self.expansion.quadratic(self.seen[i], numbers, n)
            for i, numbers, n in zip(chosen, animals, near, strict=True)
        ]

    def _worth(self) -> float:
        """The evidence, and what is added to it where variances are learned."""
        return self._evidence() + away_from_zero(self.data(), self.log_variances)[0]

    def _evidence(self) -> float:
        """Logarithm of the evidence, by Laplace's method around the present numbers."""
        made = self.levels.evidence
        for one, numbers in zip(self.quadratics, self.animals, strict=True):
            bend = float(numbers @ one.curvature @ numbers)
            made += one.value - float(one.slope @ numbers) - bend / 2
        return made

    def data(self) -> Quadratics:
        """The expansions, with slopes at zero."""
        curvatures = np.stack([one.curvature for one in self.quadratics])
        slopes = np.stack([one.slope for one in self.quadratics])
        slopes = slopes + np.einsum("nij,nj->ni", curvatures, self.animals)
        expansion = self.expansion
        return Quadratics(
            curvatures,
            slopes,
            self.group,
            expansion.penalty,
            expansion.blocks,
            expansion.cautious,
            self.alike,
        )
