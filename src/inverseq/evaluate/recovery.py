"""Would this design find the truth? Simulate from a fit, fit again, and compare.

What cannot be recovered from behaviour that the model itself produced, on the user's own number
and length of trajectories, cannot be read off the animal either (Wilson and Collins 2019, eLife 8,
"Ten simple rules for the computational modeling of behavioral data", rules 4 and 5).
"""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import partial
from typing import Literal

import numpy as np
from jaxtyping import Float, Int

from inverseq._core.arrays import freeze
from inverseq._core.display import Fact, ShownTable
from inverseq._core.engine import Keep, run
from inverseq._core.errors import InputError
from inverseq._core.words import render_text
from inverseq.decisions.alignment import align
from inverseq.demonstrations import Demonstrations
from inverseq.evaluate.repeats import seeded, seeds_of
from inverseq.evaluate.rewards import reward_correlation
from inverseq.evaluate.simulated import simulate_like
from inverseq.intentions.labels import match
from inverseq.intentions.predict import sample_intentions
from inverseq.intentions.solution import switching_of
from inverseq.intentions.solver import Intentions
from inverseq.inverse.explanation import Explanation, check_arguments
from inverseq.inverse.fit import fit
from inverseq.inverse.problem import Progress, Solver
from inverseq.inverse.solution import Solution
from inverseq.policies.learning import LearnerPolicy


@dataclass(frozen=True, eq=False)
class Recovery(ShownTable):
    """How well R refits to simulated behaviour found the K intentions that produced it.

    Attributes:
        accuracy: `[R]` share of decisions whose most probable intention (smoothed, labels matched)
            is the true one.
        attainable: `[R]` the same by the smoother under the true numbers: no fit can do better but
            by chance.
        policy_error: `[R, K]` total variation between true and recovered policy, mean over the
            decisions of that intention; NaN where it made none.
        reward_correlation: `[R, K]` of recovered and true reward in the states of those decisions,
            up to shaping, which no behaviour shows; NaN where the solver has no reward.
        occupancy: `[R, K]` recovered share of the decisions.
        true_occupancy: `[R, K]` share of the simulated decisions.
        transition: `[R, K, K]` share of each next intention on a path drawn from the posterior of
            the refit.
        true_transition: `[R, K, K]` on the true path; rows are NaN where an intention never was.
    """

    accuracy: Float[np.ndarray, " R"]
    attainable: Float[np.ndarray, " R"]
    policy_error: Float[np.ndarray, "R K"]
    reward_correlation: Float[np.ndarray, "R K"]
    occupancy: Float[np.ndarray, "R K"]
    true_occupancy: Float[np.ndarray, "R K"]
    transition: Float[np.ndarray, "R K K"]
    true_transition: Float[np.ndarray, "R K K"]

    def __post_init__(self) -> None:
        freeze(self, np.float64, *self.__dataclass_fields__)

    def _facts(self) -> Iterable[Fact]:
        return (
            ("refits", len(self.accuracy)),
            ("intentions", self.policy_error.shape[1]),
            ("accuracy", f"{self.accuracy.mean():.1%}"),
            ("attainable", f"{self.attainable.mean():.1%}"),
        )

    @property
    def rows(self) -> list[dict[str, str | float]]:
        """One row per intention for a table: means over refits."""
        stay = np.diagonal(self.transition, axis1=1, axis2=2)
        true_stay = np.diagonal(self.true_transition, axis1=1, axis2=2)
        columns = {
            "policy_error": self.policy_error,
            "reward_correlation": self.reward_correlation,
            "occupancy": self.occupancy,
            "true_occupancy": self.true_occupancy,
            "stay": stay,
            "true_stay": true_stay,
        }
        return [
            {"intention": str(k + 1)} | {n: _mean(v[:, k]) for n, v in columns.items()}
            for k in range(self.policy_error.shape[1])
        ]

    @property
    def sentence(self) -> str:
        """How much of what can be known is found."""
        told = {
            "found": self,
            "accuracy": float(self.accuracy.mean()),
            "attainable": float(self.attainable.mean()),
            "policy_error": _mean(self.policy_error.ravel()),
            "correlation": _mean(self.reward_correlation.ravel()),
        }
        return " ".join(render_text("inverseq.evaluate", "recovery.j2", **told))


def recover_parameters(
    solution: Explanation,
    solver: Solver[Explanation],
    demonstrations: Demonstrations,
    *,
    repeats: int,
    seed: int,
    states: Literal["drawn", "observed"] = "drawn",
    jobs: int | None = None,
    progress: Progress | None = None,
    keep: Keep | None = None,
) -> Recovery:
    """Simulate the design of `demonstrations` from a fit, fit again, and see what comes back.

    Args:
        solution: Whose numbers are the truth.
        solver: Settings of the refits: those of the fit, usually.
        demonstrations: The design: how many trajectories, how long, from where.
        states: As in `simulate_like`.
        repeats: R, how many simulations.
        seed: Of the simulations and of the refits.
        jobs: Processes, as in `compare`.
        progress: Called with (what, refits done, refits in all).
        keep: Folder of finished work, as in `compare`.

    Raises:
        InputError: As `simulate_like`, or the number of intentions is another, or they learn.
    """
    check_arguments(solution, demonstrations, "recover_parameters")
    wanted = solver.k if isinstance(solver, Intentions) else 1
    if wanted != len(solution.intentions):
        raise InputError(
            f"the fit has {len(solution.intentions)} intentions, the settings {wanted}: give "
            "those of the fit; recover_models compares different numbers"
        )
    for part in solution.intentions:
        if isinstance(part.policy, LearnerPolicy):
            raise InputError(
                f"a learner that acts otherwise is paid otherwise, and column "
                f"{part.policy.reward!r} only says what was paid for what was done. Simulate it in "
                "a task whose payment is known, as the study of cohorts does"
            )
    made = run(
        partial(_recover, solution, demonstrations, states),
        [(seeded(solver, s), s) for s in seeds_of(seed, repeats)],
        what="refits",
        jobs=jobs,
        keep=keep,
        progress=progress,
    )
    return Recovery(*(np.stack(parts) for parts in zip(*made, strict=True)))


def _recover(
    solution: Explanation,
    design: Demonstrations,
    states: Literal["drawn", "observed"],
    solver: Solver[Explanation],
    seed: int,
) -> tuple[np.ndarray, ...]:
    """One simulation and refit: the fields of `Recovery`."""
    drawn = simulate_like(solution, design, seed=seed, states=states)
    truth = drawn.decisions["intention"]
    found = fit(drawn, solver, solution.mdp, accept_failure=True)
    k = len(solution.intentions)
    one_hot = np.eye(k)[truth]
    # Intention `place[i]` of the truth is what the refit calls i.
    smoothed = found.beliefs(drawn)
    place = match(one_hot, smoothed)
    own = np.argsort(place)
    attainable = solution.beliefs(drawn).argmax(axis=1) == truth
    parts = [found.intentions[index] for index in own]
    pairs = list(zip(solution.intentions, parts, one_hot.T, strict=True))
    begins = switching_of(solution)[0].begins(drawn)
    drawn_path = sample_intentions(found, drawn, 1, seed)[0]
    return (
        np.array((place[smoothed.argmax(axis=1)] == truth).mean()),
        np.array(attainable.mean()),
        np.array([_policy_gap(true, part, drawn, made) for true, part, made in pairs]),
        np.array([_correlate(true, part, drawn, made) for true, part, made in pairs]),
        smoothed[drawn.acted].mean(axis=0)[own],
        one_hot.mean(axis=0),
        _shares(place[drawn_path], begins, k),
        _shares(truth, begins, k),
    )


def _policy_gap(
    true: Solution, found: Solution, drawn: Demonstrations, made: Float[np.ndarray, " N"]
) -> float:
    """Total variation, mean over the decisions that the intention made; NaN for densities."""
    if true.num_actions is None or not made.any():
        return float("nan")
    gap = np.abs(found.probabilities(drawn) - true.probabilities(drawn)).sum(axis=1) / 2
    return float(gap @ made / made.sum())


def _correlate(
    true: Solution, found: Solution, drawn: Demonstrations, made: Float[np.ndarray, " N"]
) -> float:
    """Of rewards, up to shaping."""
    if true.mdp is None or true.reward is None or found.reward is None or not made.any():
        return float("nan")
    visits = np.bincount(align(drawn, true.mdp), made, true.mdp.num_states)
    return reward_correlation(true.mdp, found.reward, true.reward, visits=visits)


def _shares(path: Int[np.ndarray, " N"], begins: np.ndarray, k: int) -> Float[np.ndarray, "K K"]:
    """Share of each next intention on a path; NaN where an intention is never left nor kept."""
    counts = np.zeros((k, k))
    np.add.at(counts, (path[:-1][~begins[1:]], path[1:][~begins[1:]]), 1)
    total = counts.sum(axis=1, keepdims=True)
    return np.divide(counts, total, out=np.full((k, k), np.nan), where=total > 0)


def _mean(values: np.ndarray) -> float:
    """Mean of what is known; NaN where nothing is."""
    known = values[np.isfinite(values)]
    return float(known.mean()) if known.size else float("nan")
