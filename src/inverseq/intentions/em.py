"""Expectation maximisation for intentions that switch, R searches at once.

Dempster, Laird and Rubin 1977; Baum and others 1970 for chains. The E-step is exact; the M-step
raises the weighted log-likelihood of every intention and of the law of switching, each with its
prior, so the objective, log-likelihood + log prior, never falls, where the solver says its prior
and finds what is most likely under it. One that does not (`IQL` by sampled updates) can fall: then
the search ends where it was before. Zhu and others (2024) draw the intention of each decision from
its posterior instead (`assignment="sampled"`): then it may fall.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from jaxtyping import Float

from inverseq._core.status import Outcome
from inverseq.intentions.chains import Chains
from inverseq.intentions.contexts import Contexts
from inverseq.intentions.expectation import expectation
from inverseq.intentions.explainers import Explainer
from inverseq.intentions.law import Law, Numbers
from inverseq.intentions.messages import Expected, Model


@dataclass(frozen=True, eq=False)
class Search:
    """Where one search ended.

    Attributes:
        explained: Policies of the K intentions, in the form of the explainer, for one restart.
        numbers: Of the law of switching, `[1, ...]` each.
        trace: `[steps]` objective, in nats.
        outcome: How it ended.
        smoothed: `[N, K]` posterior of the last E-step.
        fall: Nats by which the objective would have fallen in one more step; 0 where it did not.
    """

    explained: Any
    numbers: Numbers
    trace: Float[np.ndarray, " steps"]
    outcome: Outcome
    smoothed: Float[np.ndarray, "N K"]
    fall: float = 0.0


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

    With one intention nothing is hidden, so one E-step ends it.

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
    now = _Point(task.explainer.explain(weights, before), numbers, None)
    running = np.arange(weights.shape[1])
    traces: list[list[float]] = [[] for _ in running]
    ended: dict[int, Search] = {}
    last_step: _Point | None = None
    for step in range(max_steps):
        expected, log_likelihood = expectation(task.model(now.explained, now.numbers))
        now = replace(now, expected=expected)
        objective = log_likelihood + task.log_prior(now.explained, now.numbers)
        for r, value in zip(running, objective, strict=True):
            traces[r].append(float(value))
        least = tolerance * len(weights)
        if weights.shape[2] == 1:  # nothing is hidden
            done = np.ones(running.size, bool)
        elif rng is None:
            done = np.array([_settled(traces[r], least) for r in running])
        else:
            done = _same_everywhere(now, last_step)
        last = step == max_steps - 1
        for place in np.flatnonzero(done | last):
            trace = traces[running[place]]
            fall = 0.0 if rng is not None else _fall(trace, least)
            kept = last_step if fall > 0 and last_step is not None else now
            outcome = Outcome.CONVERGED if done[place] else Outcome.LIMIT
            ended[running[place]] = _end(task, kept, int(place), trace, outcome, fall)
        if progress is not None:
            progress(step + 1)
        going = np.flatnonzero(~done)
        if last or going.size == 0:
            break
        if going.size < running.size:
            now, running = _some(task, now, going), running[going]
        last_step, expected = now, now.expected
        shares = expected.smoothed if rng is None else _draw(expected.smoothed, rng)
        now = _Point(
            task.explainer.explain(shares, now.explained),
            task.law.update(now.numbers, expected.initial, expected.transitions, task.contexts),
            None,
        )
    return [ended[r] for r in range(weights.shape[1])]


@dataclass(frozen=True, eq=False)
class _Point:
    """Where all running searches are: policies, numbers of the law, and what these make expected
    (None before the E-step).
    """

    explained: Any
    numbers: Numbers
    expected: Any


def _settled(trace: list[float], least: float) -> bool:
    """Whether the last rise was too small to count, or nothing can be compared any more."""
    if not np.isfinite(trace[-1]):
        return True
    return len(trace) > 1 and trace[-1] - trace[-2] < least


def _fall(trace: list[float], least: float) -> float:
    """By how much the last step fell; 0 where that is too little to count."""
    fall = trace[-2] - trace[-1] if len(trace) > 1 else 0.0
    return fall if fall > least else 0.0


def _same_everywhere(now: _Point, before: _Point | None) -> np.ndarray:
    """`[R]` whether no decision's most probable intention has changed."""
    likely = now.expected.smoothed.argmax(axis=-1)
    if before is None:
        return np.zeros(likely.shape[1], bool)
    return (likely == before.expected.smoothed.argmax(axis=-1)).all(axis=0)


def _end(
    task: Task, at: _Point, place: int, trace: list[float], outcome: Outcome, fall: float
) -> Search:
    """What is kept of one of the running searches: where it was before it fell, if it did."""
    one = np.array([place])
    return Search(
        explained=task.explainer.take(at.explained, one),
        numbers={name: value[one] for name, value in at.numbers.items()},
        trace=np.array(trace[:-1] if fall > 0 else trace),
        outcome=outcome,
        smoothed=at.expected.smoothed[:, place].copy(),
        fall=fall,
    )


def _some(task: Task, at: _Point, chosen: np.ndarray) -> _Point:
    """Some of the restarts."""
    expected = at.expected
    return _Point(
        task.explainer.take(at.explained, chosen),
        {name: value[chosen] for name, value in at.numbers.items()},
        Expected(
            expected.smoothed[:, chosen], expected.initial[chosen], expected.transitions[:, chosen]
        ),
    )


def _draw(smoothed: Float[np.ndarray, "N R K"], rng: np.random.Generator) -> np.ndarray:
    """One intention per decision, drawn from its posterior, as weights of 0 and 1."""
    noise = rng.gumbel(size=smoothed.shape)
    with np.errstate(divide="ignore"):
        drawn = (np.log(smoothed) + noise).argmax(axis=-1)
    return np.eye(smoothed.shape[-1])[drawn]
