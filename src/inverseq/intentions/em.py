"""Expectation maximisation for intentions that switch, R searches at once.

Dempster, Laird and Rubin 1977; Baum and others 1970 for chains. The E-step is exact; the M-step
raises the weighted log-likelihood of every intention and of the law of switching, each with its
prior, so the objective, log-likelihood + log prior, never falls (where the solver says its prior).
Zhu and others (2024) draw the intention of each decision from its posterior instead
(`assignment="sampled"`): then it may fall.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Float

from inverseq._core.status import Outcome
from inverseq.intentions.chains import Chains
from inverseq.intentions.contexts import Contexts
from inverseq.intentions.expectation import expectation
from inverseq.intentions.explainers import Explainer
from inverseq.intentions.messages import Expected, Model
from inverseq.intentions.switching import Law, Numbers


@dataclass(frozen=True, eq=False)
class Search:
    """Where one search ended.

    Attributes:
        explained: Policies of the K intentions, in the form of the explainer, for one restart.
        numbers: Of the law of switching, `[1, ...]` each.
        trace: `[steps]` objective, in nats.
        outcome: How it ended.
        smoothed: `[N, K]` posterior of the last E-step.
    """

    explained: Any
    numbers: Numbers
    trace: Float[np.ndarray, " steps"]
    outcome: Outcome
    smoothed: Float[np.ndarray, "N K"]


@dataclass(frozen=True, eq=False)
class Task:
    """What all searches share.

    Attributes:
        explainer: From weights to policies.
        law: Of switching.
        contexts: In which the N decisions are made.
        chains: The N decisions.
    """

    explainer: Explainer
    law: Law
    contexts: Contexts
    chains: Chains

    def model(self, explained: Any, numbers: Numbers) -> Model:
        """What the recursions read."""
        return Model(
            initial=np.log(numbers["initial"]),
            transition=self.law.log_transition(numbers, self.contexts),
            likelihood=self.explainer.log_likelihood(explained),
            context=self.contexts.context,
            chains=self.chains,
        )

    def log_prior(self, explained: Any, numbers: Numbers) -> Float[np.ndarray, " R"]:
        """Of the policies and of the law of switching."""
        return self.explainer.log_prior(explained) + self.law.log_prior(numbers)


def search(
    task: Task,
    weights: Float[np.ndarray, "N R K"],
    numbers: Numbers,
    *,
    tolerance: float,
    max_steps: int,
    before: Any = None,
    rng: np.random.Generator | None = None,
    progress: Callable[[int], None] | None = None,
) -> list[Search]:
    """Iterate from weights of the decisions until the objective no longer rises.

    Args:
        task: What is explained, and how.
        weights: `[N, R, K]` share of each intention in each decision, to begin with.
        numbers: Of the law, to begin with.
        tolerance: Smallest rise of the objective that counts, in nats per decision.
        max_steps: Iterations at most.
        before: What solvers that search may start from.
        rng: Draws intentions from their posterior instead of weighing them; then the search ends
            when no decision's most probable intention changes any more.
        progress: Called with the number of iterations done.

    Returns:
        One `Search` per restart.
    """
    explained = task.explainer.explain(weights, before)
    running = np.arange(weights.shape[1])
    traces: list[list[float]] = [[] for _ in running]
    ended: dict[int, Search] = {}
    likely: np.ndarray | None = None
    for step in range(max_steps):
        expected, log_likelihood = expectation(task.model(explained, numbers))
        objective = log_likelihood + task.log_prior(explained, numbers)
        for r, value in zip(running, objective, strict=True):
            traces[r].append(float(value))
        if rng is None:
            done = np.array([_settled(traces[r], tolerance * len(weights)) for r in running])
        else:
            now = expected.smoothed.argmax(axis=-1)
            done = np.zeros(running.size, bool) if likely is None else (now == likely).all(axis=0)
            likely = now
        last = step == max_steps - 1
        for place in np.flatnonzero(done | last):
            ended[running[place]] = _end(
                task, explained, numbers, expected, traces, running, place, bool(done[place])
            )
        if progress is not None:
            progress(step + 1)
        going = np.flatnonzero(~done)
        if last or going.size == 0:
            break
        if going.size < running.size:
            explained = task.explainer.take(explained, going)
            numbers = {name: value[going] for name, value in numbers.items()}
            expected = _some(expected, going)
            running = running[going]
            likely = None if likely is None else likely[:, going]
        shares = expected.smoothed if rng is None else _draw(expected.smoothed, rng)
        explained = task.explainer.explain(shares, explained)
        numbers = task.law.update(numbers, expected.initial, expected.transitions, task.contexts)
    return [ended[r] for r in range(weights.shape[1])]


def _settled(trace: list[float], least: float) -> bool:
    """Whether the last rise was too small to count, or nothing can be compared any more."""
    if not np.isfinite(trace[-1]):
        return True
    return len(trace) > 1 and trace[-1] - trace[-2] < least


def _end(task, explained, numbers, expected, traces, running, place, settled) -> Search:
    """What is kept of one of the running searches."""
    one = np.array([place])
    return Search(
        explained=task.explainer.take(explained, one),
        numbers={name: value[one] for name, value in numbers.items()},
        trace=np.array(traces[running[place]]),
        outcome=Outcome.CONVERGED if settled else Outcome.LIMIT,
        smoothed=expected.smoothed[:, place].copy(),
    )


def _some(expected: Expected, chosen: np.ndarray) -> Expected:
    """Some of the restarts."""
    return Expected(
        expected.smoothed[:, chosen], expected.initial[chosen], expected.transitions[:, chosen]
    )


def _draw(smoothed: Float[np.ndarray, "N R K"], rng: np.random.Generator) -> np.ndarray:
    """One intention per decision, drawn from its posterior, as weights of 0 and 1."""
    noise = rng.gumbel(size=smoothed.shape)
    with np.errstate(divide="ignore"):
        drawn = (np.log(smoothed) + noise).argmax(axis=-1)
    return np.eye(smoothed.shape[-1])[drawn]
