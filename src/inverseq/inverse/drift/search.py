"""The search of a walk: the numbers of all moments, and how far they walk, turn by turn."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from jaxtyping import Bool, Float

from inverseq._core.status import Outcome, Status
from inverseq.inverse.drift.chain import Known, Walks, known, learned, prior_of
from inverseq.inverse.hierarchy.expansion import Expansion, Quadratic
from inverseq.inverse.problem import Progress
from inverseq.policies.walk import Walk

_SHORTEST = 2.0**-12
"""Share of a step below which no better point is looked for."""

_REACH = 1.5
"""Change of the logarithm of a variance in one step: the evidence is that of expansions around the
present numbers, far from which it may promise what is not there."""


class Search:
    """The numbers of all moments, and the variances of their steps.

    Attributes:
        numbers: `[M, F]`.
        log_variances: `[B + 1]` of steps and of beginnings.
        known: What is known of each moment.
        trace: The evidence, step by step.
    """

    def __init__(
        self,
        expansion: Expansion,
        seen: Sequence[Any],
        walk: Walk,
        log_variances: Float[np.ndarray, " V"],
        free: Bool[np.ndarray, " V"],
    ) -> None:
        self.expansion, self.seen = expansion, seen
        self.firsts, self.gaps = walk.firsts, np.append(1.0, np.diff(walk.times))
        self.log_variances, self.free = log_variances, free
        self.numbers = np.tile(expansion.start(seen), (len(seen), 1))
        self.quadratics = self._expanded(self.numbers, [None] * len(seen))
        self.known: Known = known(self._data(), log_variances)
        self.trace: list[float] = []

    def run(self, tolerance: float, max_steps: int, progress: Progress | None) -> Status:
        """Expand, learn how far is walked, move; until nothing changes."""
        change = np.inf
        for step in range(max_steps):
            before = self.log_variances
            self.log_variances = learned(self._data(), before, self.free, _REACH)
            self.known = known(self._data(), self.log_variances)
            self.trace.append(self._evidence())
            moved, better = self._move()
            if not better and moved > tolerance:
                words = "no part of a step made the walk more probable: give its step and first"
                return Status(Outcome.LIMIT, step + 1, moved, words)
            # Of steps as small as nothing, twice as small is the same.
            walked = np.abs(np.exp(self.log_variances / 2) - np.exp(before / 2)).max()
            change = max(moved, float(walked))
            if progress is not None:
                progress("walk", step + 1, max_steps)
            if change <= tolerance:
                self.known = known(self._data(), self.log_variances)
                return Status(Outcome.CONVERGED, step + 1, change)
        words = "the walk still moved when the steps were used up; give more max_steps"
        return Status(Outcome.LIMIT, max_steps, change, words)

    def _move(self) -> tuple[float, bool]:
        """Go where all moments are most probable, or as far towards it as that is better: the
        largest change, and whether any part of it was better. Where none was, that of the whole.
        """
        prior = prior_of(self._data(), self.log_variances)
        worth = self._value(self.quadratics) - prior.charge(self.numbers)
        step, share = self.known.means - self.numbers, 1.0
        while share > _SHORTEST:
            tried = self.numbers + share * step
            found = self._expanded(tried, [one.near for one in self.quadratics])
            if self._value(found) - prior.charge(tried) >= worth - 1e-9 * abs(worth):
                self.numbers, self.quadratics = tried, found
                return float(np.abs(share * step).max()), True
            share /= 2
        return float(np.abs(step).max()), False

    def _expanded(self, numbers: Float[np.ndarray, "M F"], near: Sequence[Any]) -> list[Quadratic]:
        """The likelihood of each moment around its numbers."""
        each = zip(self.seen, numbers, near, strict=True)
        return [self.expansion.quadratic(one, at, n) for one, at, n in each]

    def _value(self, of: Sequence[Quadratic]) -> float:
        """The log-likelihood of all."""
        return sum(one.value for one in of)

    def _evidence(self) -> float:
        """Logarithm of the evidence, by Laplace's method around the present numbers."""
        curvatures, slopes = self._stacked()
        made = (
            self.known.evidence
            + self._value(self.quadratics)
            - float((slopes * self.numbers).sum())
        )
        bend = np.einsum("mf,mfg,mg->", self.numbers, curvatures, self.numbers)
        return made - float(bend) / 2

    def _stacked(self) -> tuple[Float[np.ndarray, "M F F"], Float[np.ndarray, "M F"]]:
        """Curvatures and slopes of all."""
        of = self.quadratics
        return np.stack([one.curvature for one in of]), np.stack([one.slope for one in of])

    def _data(self) -> Walks:
        """The expansions, with slopes at zero."""
        curvatures, slopes = self._stacked()
        slopes = slopes + np.einsum("mij,mj->mi", curvatures, self.numbers)
        expansion = self.expansion
        return Walks(
            curvatures, slopes, self.gaps, self.firsts, expansion.penalty, expansion.blocks
        )
