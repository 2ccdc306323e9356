"""Numbers of intentions side by side: what speaks for each, which to choose, and how sure it is."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from inverseq._core.display import Fact, ShownTable
from inverseq._core.errors import InputError
from inverseq._core.words import render_text
from inverseq.evaluate.comparison import Comparison
from inverseq.evaluate.likelihood import Difference, Score, difference
from inverseq.intentions.solution import IntentionSolution


@dataclass(frozen=True, eq=False)
class Alternative:
    """One number of intentions (with one law, in a world with one history), and what speaks for it.

    Attributes:
        name: "k=3", with the law and the history where several were asked for.
        k: Number of intentions.
        law: Name of the law of switching.
        history: Of the world; 1 is the world as it is.
        score: Predictive, of decisions held out; None where a fit failed.
        to_best: Score less that of the best alternative, paired by unit.
        to_fewer: Score less that with the next smaller k of the same law and history; None for the
            smallest.
        solution: The fit to all decisions; None where it failed.
        bic: -2 log-likelihood + parameters * log(decisions) of that fit, in nats; lower is better.
        aic: -2 log-likelihood + 2 parameters.
        restart_agreement: Mean share of decisions at which another restart found the same
            intention as the best one, labels matched; NaN for one restart.
        restart_spread: Best less median objective of the restarts, in nats per decision.
        fold_agreement: Mean share, over pairs of folds, of all decisions at which the fits of two
            folds find the same intention most probable, labels matched; NaN where not asked for.
        empty: Intentions that explain less than half a percent of the decisions.
        failure: What went wrong, or nothing.
    """

    name: str
    k: int
    law: str
    history: int
    score: Score | None
    to_best: Difference | None
    to_fewer: Difference | None
    solution: IntentionSolution | None
    bic: float
    aic: float
    restart_agreement: float
    restart_spread: float
    fold_agreement: float
    empty: int
    failure: str = ""


@dataclass(frozen=True, eq=False)
class Choice(ShownTable):
    """Numbers of intentions side by side, and the one to choose.

    Attributes:
        alternatives: In the order of laws, histories and k.
        best: Name of the one that predicts best.
        chosen: Name of the one with the fewest free numbers whose score is within one standard
            error of the best (Breiman and others 1984, section 3.4.3), the error being that of
            the paired difference.
        comparison: The scores by folds, as `compare` gives them.
    """

    alternatives: tuple[Alternative, ...]
    best: str
    chosen: str
    comparison: Comparison

    def _facts(self) -> Iterable[Fact]:
        score = self[self.chosen].score
        return (
            ("alternatives", len(self.alternatives)),
            ("chosen", self.chosen),
            ("score", f"{_mean(score):.3f} nats per decision"),
            ("best", self.best),
        )

    def __getitem__(self, name: str | int) -> Alternative:
        """By name; or, where there is one law and one history, by k."""
        found = [a for a in self.alternatives if name in (a.name, a.k)]
        if len(found) != 1:
            raise InputError(f"no single {name!r}; there are {[a.name for a in self.alternatives]}")
        return found[0]

    @property
    def solution(self) -> IntentionSolution:
        """The fit of the chosen one to all decisions."""
        made = self[self.chosen].solution
        if made is None:
            raise InputError(f"{self.chosen} could not be fitted: {self[self.chosen].failure}")
        return made

    @property
    def rows(self) -> list[dict[str, str | float | int]]:
        """One row per alternative for a table; scores and errors in nats per decision."""
        return [_row(a, self) for a in self.alternatives]

    @property
    def best_by_bic(self) -> Alternative | None:
        """The one with the lowest BIC; None where no fit to all decisions succeeded."""
        known = [a for a in self.alternatives if np.isfinite(a.bic)]
        return min(known, key=lambda a: a.bic, default=None)

    @property
    def larger(self) -> Alternative | None:
        """The next larger k of the same law and history; None where none was scored."""
        mine = self[self.chosen]
        same = [a for a in self.alternatives if (a.law, a.history) == (mine.law, mine.history)]
        return next((a for a in same if a.k > mine.k and a.to_fewer is not None), None)

    @property
    def sentence(self) -> str:
        """What to choose, and how sure that is."""
        return " ".join(render_text("inverseq.evaluate", "choice.j2", choice=self))


def simplest_within_error(comparison: Comparison) -> str:
    """The candidate with the fewest free numbers within one standard error of the best.

    The error is that of the difference to the best, paired by unit; with one unit there is none,
    and the best is chosen.
    """
    scores = {r.name: r.score for r in comparison.results if r.score is not None}
    best = max(scores, key=lambda name: scores[name].mean)
    gaps = {name: difference(score, scores[best]) for name, score in scores.items()}
    near = [name for name, gap in gaps.items() if gap.mean + gap.standard_error >= 0]
    size = {r.name: float(np.mean(r.num_parameters)) for r in comparison.results}
    return min([*near, best], key=lambda name: (size[name], -scores[name].mean))


def criteria(log_likelihood: float, parameters: float, decisions: int) -> tuple[float, float]:
    """BIC (Schwarz 1978) and AIC (Akaike 1974) of a fit, in nats; lower is better.

    Free numbers are counted as if data decided each of them, which flatters no model with many.

    Args:
        log_likelihood: Of the decisions that were fitted.
        parameters: How many numbers were free in the fit.
        decisions: How many decisions that are.
    """
    lack = -2 * log_likelihood
    return lack + parameters * float(np.log(decisions)), lack + 2.0 * parameters


def _mean(score: Score | None) -> float:
    """Nats per decision; NaN where there is no score."""
    return float("nan") if score is None else score.mean


def _row(one: Alternative, choice: Choice) -> dict[str, str | float | int]:
    """One alternative as a row."""
    nan = float("nan")
    return {
        "name": one.name,
        "k": one.k,
        "law": one.law,
        "history": one.history,
        "nats": _mean(one.score),
        "error": nan if one.score is None else one.score.standard_error,
        "to_best": nan if one.to_best is None else one.to_best.mean,
        "to_best_error": nan if one.to_best is None else one.to_best.standard_error,
        "to_fewer": nan if one.to_fewer is None else one.to_fewer.mean,
        "to_fewer_error": nan if one.to_fewer is None else one.to_fewer.standard_error,
        "bic": one.bic,
        "aic": one.aic,
        "parameters": nan if one.solution is None else float(one.solution.num_parameters),
        "restart_agreement": one.restart_agreement,
        "restart_spread": one.restart_spread,
        "fold_agreement": one.fold_agreement,
        "empty": one.empty,
        "chosen": "yes" if one.name == choice.chosen else "",
        "failure": one.failure,
    }
