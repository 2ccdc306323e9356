"""Several intentions under the verb `fit`: any solver that accepts weights, and a switching law."""

from dataclasses import asdict, dataclass, field
from functools import partial
from typing import Any, Literal

import numpy as np
from jaxtyping import Float

from inverseq._core.engine import run
from inverseq._core.errors import InputError, argument
from inverseq._core.status import Outcome, Status
from inverseq.decisions.alignment import align, check_existing
from inverseq.decisions.counts import decision_weights
from inverseq.demonstrations import Demonstrations
from inverseq.intentions.chains import chains
from inverseq.intentions.contexts import Contexts
from inverseq.intentions.em import Search, Task, search
from inverseq.intentions.explainers import (
    CountedPolicies,
    Fits,
    FittedPolicies,
    SolverOfCounts,
)
from inverseq.intentions.labels import agreement
from inverseq.intentions.law import Law, Numbers
from inverseq.intentions.messages import best_path, forward, smooth
from inverseq.intentions.predict import posterior
from inverseq.intentions.solution import IntentionSolution, Restarts, empty_note, reorder
from inverseq.intentions.starts import deeds, situations, starting_weights
from inverseq.intentions.switching import KnownLaw, Markov
from inverseq.inverse.problem import Problem, Progress, Solver, settled
from inverseq.inverse.solution import Solution
from inverseq.inverse.values.iavi import IAVI


@dataclass(frozen=True)
class Intentions:
    """K intentions, each explained by a solver of its own, that give way to one another.

    With `IAVI` this is HIAVI, with `IQL` HIQL (Zhu and others 2024), fitted by exact weighted
    expectation maximisation; with `MaxEnt` and `DependentMarkov` the switching-reward model of Ke
    and others (2025). Let the world remember (`mdp.with_history(2)`) where behaviour depends on the
    past: then so do the policies.

    Searches begin from groups of windows with similar behaviour. Where the policies of the solver
    do not follow from counts in closed form, they first run with those of `IAVI`, and the best
    `polished` of them go on with the solver itself. The best on the training data is kept.

    Attributes:
        k: How many intentions.
        solver: Explains the behaviour of each.
        switching: `Mixture`, `Markov`, `DependentMarkov` or another law with the methods of
            `inverseq.intentions.law.Law`.
        restarts: Searches, from different beginnings.
        polished: How many of them go on with a solver that must search itself.
        assignment: "weighted" (exact) or "sampled": each decision is drawn into one intention in
            every iteration, as in the paper.
        seed: Of all random choices.
        tolerance: Smallest rise of the objective that counts, in nats per decision.
        max_steps: Iterations at most.
        jobs: Processes for the searches that go on with the solver.

    Raises:
        InputError: A number is out of range, or the solver explains several intentions itself.
    """

    k: int
    solver: Solver[Solution] = field(default_factory=IAVI)
    switching: Law | KnownLaw = field(default_factory=Markov)
    restarts: int = 10
    polished: int = 2
    assignment: Literal["weighted", "sampled"] = "weighted"
    seed: int = 0
    tolerance: float = 1e-5
    max_steps: int = 300
    jobs: int = 1

    def __post_init__(self) -> None:
        for name in ("k", "restarts", "polished", "max_steps", "jobs"):
            value: Any = getattr(self, name)
            whole = isinstance(value, int | np.integer) and not isinstance(value, bool)
            if not whole or value < 1:
                raise InputError(f"{name} must be a whole number, 1 or more; got {value!r}")
        solver: object = self.solver
        if isinstance(solver, Intentions | type) or not isinstance(solver, Solver):
            raise InputError(
                f"the solver of an intention is IAVI(), MaxEnt() or the like; got {solver!r}"
            )
        law: object = self.switching
        if isinstance(law, type) or not isinstance(law, Law):
            raise InputError(
                f"switching must be Mixture(), Markov() or DependentMarkov(); got {law!r}"
            )
        if self.assignment not in ("weighted", "sampled"):
            raise InputError(f'assignment must be "weighted" or "sampled"; got {self.assignment!r}')
        if not self.tolerance > 0:
            raise InputError(f"tolerance must be above 0; got {self.tolerance}")

    def solve(self, problem: Problem) -> IntentionSolution:
        """The intentions behind the decisions of `problem`; `fit` calls this.

        Raises:
            InputError: The decisions do not fit the world, or are too few, or leave no choice.
        """
        data = problem.decisions
        _check_enough(self, problem)
        rng = np.random.default_rng(self.seed)
        chain = chains(self.switching.begins(data))
        contexts = self.switching.contexts(data, problem.given_mdp)
        solver = settled(self.solver, problem)
        counted = isinstance(solver, SolverOfCounts)
        fitted = FittedPolicies(problem, solver)
        if not _counts(data):  # the solver searches itself, from few
            first, restarts = fitted, min(self.polished, self.restarts)
        else:
            first, restarts = CountedPolicies(problem, solver if counted else IAVI()), self.restarts
        weights, numbers = self._beginnings(problem, contexts, restarts, rng)
        task = Task(first, self.switching, contexts, chain)
        found = self._search(task, weights, numbers, problem, rng)
        task = Task(fitted, self.switching, contexts, chain)
        if not counted:
            if first is not fitted:
                found = self._polish(task, found, rng, problem.progress)
            return _solution(self, problem, task, found, found[0].explained)
        # Policies are known; rewards are read out once, by one more M-step.
        read = task.explainer.explain(found[0].smoothed[:, None], None)
        return _solution(self, problem, task, found, read)

    def _beginnings(
        self, problem: Problem, contexts: Contexts, restarts: int, rng: np.random.Generator
    ) -> tuple[Float[np.ndarray, "N R K"], Numbers]:
        """Where the searches begin: at the solution nearby, where there is one, else anywhere."""
        data, near = problem.decisions, problem.near
        if isinstance(near, IntentionSolution) and near.num_intentions == self.k:
            weights = posterior(near, data).smoothed[:, None]
            return weights, {name: value[None] for name, value in near.numbers.items()}
        weights = starting_weights(
            situations(data, problem.given_mdp, rng),
            deeds(data, rng),
            chains(self.switching.begins(data)),
            self.k,
            1 if self.k == 1 else restarts,
            rng,
            whole=not self.switching.changes,
        )
        return weights, self.switching.start(self.k, contexts, weights.shape[1])

    def _search(
        self,
        task: Task,
        weights: np.ndarray,
        numbers: Any,
        problem: Problem,
        rng: np.random.Generator,
    ) -> list[Search]:
        """All searches together, best first."""
        say = problem.progress
        found = search(
            task,
            weights,
            numbers,
            tolerance=self.tolerance,
            max_steps=self.max_steps,
            rng=rng if self.assignment == "sampled" else None,
            progress=None if say is None else lambda step: say("intentions", step, self.max_steps),
        )
        return sorted(found, key=lambda one: -one.trace[-1])

    def _polish(
        self, task: Task, found: list[Search], rng: np.random.Generator, progress: Progress | None
    ) -> list[Search]:
        """The best of them, going on with the solver itself."""
        going = found[: self.polished]
        seeds = rng.integers(2**32, size=len(going))
        made = run(
            partial(_go_on, self, task),
            [(one, int(seed)) for one, seed in zip(going, seeds, strict=True)],
            what="searches",
            jobs=min(self.jobs, len(going)),
            progress=progress,
        )
        return sorted(made, key=lambda one: -one.trace[-1])


def _go_on(settings: Intentions, task: Task, found: Search, seed: int) -> Search:
    """One search that goes on with other policies."""
    (made,) = search(
        task,
        found.smoothed[:, None],
        found.numbers,
        tolerance=settings.tolerance,
        max_steps=settings.max_steps,
        rng=np.random.default_rng(seed) if settings.assignment == "sampled" else None,
    )
    return made


def _solution(
    settings: Intentions, problem: Problem, task: Task, found: list[Search], explained: Fits
) -> IntentionSolution:
    """The record of the best search, intentions in the order of their occupancy."""
    best, law, contexts = found[0], settings.switching, task.contexts
    parts: tuple[Solution, ...] = explained.solutions[0]
    model = task.model(explained, best.numbers)
    beliefs = forward(model)
    _check_possible(beliefs.evidence[:, 0], problem)
    smoothed = smooth(model, beliefs).smoothed[:, 0]
    acted = problem.decisions.acted
    occupancy = smoothed[acted].mean(axis=0)
    order = np.argsort(-occupancy, kind="stable")
    reference = best.smoothed[acted]
    return IntentionSolution(
        solver="Intentions",
        settings=asdict(settings) | {"solver": parts[0].solver, "of": parts[0].settings},
        intentions=tuple(parts[i] for i in order),
        switching=law,
        numbers={name: reorder(value[0], order) for name, value in best.numbers.items()},
        constants=contexts.constants,
        status=_status(best, occupancy[order], drawn=settings.assignment == "sampled"),
        filtered=np.exp(beliefs.filtered[:, 0])[:, order],
        smoothed=smoothed[:, order],
        path=np.argsort(order)[best_path(model)[:, 0]],
        occupancy=occupancy[order],
        log_likelihood=float(beliefs.evidence.sum()),
        num_parameters=law.num_parameters(settings.k, contexts)
        + sum(part.num_parameters for part in parts),
        trace=best.trace,
        restarts=Restarts(
            objective=np.array([one.trace[-1] for one in found]),
            steps=np.array([one.trace.size for one in found]),
            converged=np.array([int(one.outcome is Outcome.CONVERGED) for one in found]),
            agreement=np.array([agreement(reference, one.smoothed[acted]) for one in found]),
        ),
    )


def _status(best: Search, occupancy: Float[np.ndarray, " K"], *, drawn: bool) -> Status:
    """How the best search ended, and what it left without decisions."""
    notes = [told] if (told := empty_note(occupancy)) else []
    if best.outcome is Outcome.LIMIT and drawn:
        notes.append(
            "Drawn decisions still changed their most probable intention, as they mostly do for "
            'ever: take assignment="weighted", or accept_failure=True.'
        )
    elif best.outcome is Outcome.LIMIT:
        notes.append("The objective was still rising: give more max_steps or a larger tolerance.")
    if best.fall > 0:
        notes.append(
            f"The objective would have fallen by {best.fall:.3g} nats in one more step, so the "
            "search ended before it: the solver does not make weighted decisions as likely as they "
            "can be. IAVI and MaxEnt do."
        )
    rise = float(best.trace[-1] - best.trace[-2]) if best.trace.size > 1 else 0.0
    return Status(best.outcome, best.trace.size, abs(rise), " ".join(notes))


def _check_possible(evidence: Float[np.ndarray, " N"], problem: Problem) -> None:
    """Raise an `InputError` naming the first decision that no intention can make."""
    never = ~np.isfinite(evidence)
    if never.any():
        data, row = problem.decisions, int(np.argmax(never))
        raise InputError(
            f"row {data.row(row)}: no intention gives action {data.actions[row]} at state "
            f"{data.states[row]} any probability ({int(never.sum())} such rows). Use a solver with "
            "more smoothing, or one whose policy tries every action"
        )


def _counts(data: Demonstrations) -> bool:
    """Whether there are states in which actions can be counted."""
    return data.states.ndim == 1 and data.actions.ndim == 1


def _check_enough(settings: Intentions, problem: Problem) -> None:
    """Raise an `InputError` where an action does not exist, or nothing tells k intentions apart."""
    data, mdp = problem.decisions, problem.given_mdp
    weights = decision_weights(problem.weights, data.num_decisions)
    free = data.acted & (weights > 0)
    if mdp is not None:
        states = align(data, mdp)
        check_existing(data, mdp, states)
        free &= mdp.allowed[states].sum(axis=1) > 1
    if not free.any():
        raise InputError(
            f"none of the {data.num_decisions} decisions is free: every action is missing, the "
            "only one that exists at its state, or without weight, so nothing tells what is "
            "wanted. Check the column of actions (missing ones), the allowed actions of the world, "
            "or the weights"
        )
    number, what = int(free.sum()), "free decisions"
    if not settings.switching.changes:
        number = int(settings.switching.begins(data).sum())
        what = "trajectories, which have one intention each"
    if settings.k > number:
        raise InputError(
            f"{settings.k} intentions are too many for {number} {what}: give "
            f"{argument('k', number)} or less, or more data"
        )
    if settings.k == 1 or not _counts(data):
        return
    kinds = np.unique(np.stack([data.states[free], data.actions[free]]), axis=1).shape[1]
    if kinds == 1:
        raise InputError(
            f"all {int(free.sum())} free decisions are action {data.actions[free][0]} in state "
            f"{data.states[free][0]}: behaviour that never changes cannot show "
            f"{settings.k} intentions. Use {argument('k', 1)}, or check the columns of states and "
            "actions"
        )
