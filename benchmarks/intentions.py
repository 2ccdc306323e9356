"""Intentions of mice: time per iteration of EM, beside a plain loop and the released code's."""

import time
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from benchmarks.intentions_loop import Loop
from benchmarks.measure import alone, cpu_seconds, row, seconds
from inverseq.datasets import mice
from inverseq.demonstrations import Demonstrations
from inverseq.evaluate.choose_intentions import choose_intentions
from inverseq.intentions.chains import chains
from inverseq.intentions.em import Task, search
from inverseq.intentions.explainers import CountedPolicies, FittedPolicies
from inverseq.intentions.law import Law
from inverseq.intentions.starts import starting_weights
from inverseq.intentions.switching import DependentMarkov, Markov
from inverseq.inverse.maxent.causal import MaxEnt
from inverseq.inverse.problem import Problem, Solver
from inverseq.inverse.values.iavi import IAVI
from inverseq.worlds import labyrinth

K = 3
RELEASED = 11.0
"""Seconds per iteration of the released switching-reward code on these data after compilation, the
least that was measured on two cores (11 to 25)."""


def run(small: bool = False) -> list[dict[str, Any]]:
    train = training(small)
    steps = 3 if small else 20
    planned = MaxEnt("states", strength=1.0, max_steps=30)
    rows = []
    for name, solver, law, least in (
        ("IAVI, Markov", IAVI(), Markov(), 100),
        ("MaxEnt on nodes, switching by state", planned, DependentMarkov(("state",)), 20),
    ):
        work = searching(train, solver, law)
        # What does not belong to an iteration is in both.
        many, one = (cpu_seconds(partial(work, n), 3) for n in (steps + 1, 1))
        ours = (many - one) / steps
        objective = work(steps + 1)
        loop = Loop(train, K, planned=isinstance(solver, MaxEnt), by_state=law != Markov())
        started = time.process_time()
        loop.step()
        plain = time.process_time() - started
        what = f"EM iteration, {name}, {train.num_decisions:,} decisions, k={K}"
        found = f"{seconds(ours)} ({objective / train.num_decisions:.4f} nats after {steps})"
        for other, spent, target in (
            ("released code, quoted", RELEASED, least),
            ("plain loop in NumPy", plain, None),
        ):
            met = None if small or target is None else spent / ours >= target
            rows.append(
                row(
                    what,
                    found,
                    other=f"{other}: {seconds(spent)}",
                    ratio=spent / ours,
                    target="" if target is None else f">= {target}x",
                    met=met,
                )
            )
    return [*rows, memory(small), table(train, small)]


def training(small: bool) -> Demonstrations:
    """190 trajectories of 500 decisions, or 12 of them."""
    train = mice().demonstrations.select(split="train")
    return train.take(range(12)) if small else train


def searching(train: Demonstrations, solver: Solver, law: Law) -> Callable[[int], float]:
    """A search of so many iterations; it returns the penalised log-likelihood."""
    problem = Problem(train, labyrinth().mdp)
    chain = chains(law.begins(train))
    contexts = law.contexts(train, problem.mdp)
    counted = isinstance(solver, IAVI)
    policies = CountedPolicies(problem, solver) if counted else FittedPolicies(problem, solver)
    task = Task(policies, law, contexts, chain)
    rng = np.random.default_rng(0)
    weights = starting_weights(train.states, train.actions, chain, K, 1, rng, whole=False)
    numbers = law.start(K, contexts, 1)

    def go(steps: int) -> float:
        (found,) = search(task, weights, numbers, tolerance=1e-300, max_steps=steps)
        return float(found.trace[-1])

    return go


def memory(small: bool) -> dict[str, Any]:
    """Peak memory at 4 and 16 times the decisions, each in a fresh process."""
    peaks = [alone("intentions", "repeated", times=t, small=small) for t in (1, 4, 16)]
    low, middle, high = (made["peak_mb"] for made in peaks)
    grown = (high - middle) / max(middle - low, 1e-9)
    return row(
        f"memory, IAVI, Markov, k={K}: {peaks[0]['decisions']:,} decisions, 4 and 16 times as many",
        f"{low:,.0f}, {middle:,.0f}, {high:,.0f} MB",
        other=f"the step from 4 to 16 is {grown:.1f} times that from 1 to 4",
        target="linear: 4.0",
        met=None if small else grown < 4.4,
    )


def repeated(times: int, small: bool) -> dict[str, Any]:
    """Three iterations on the training trajectories, each so many times."""
    train = training(small)
    train = train.take(np.tile(np.arange(train.num_trajectories), times))
    searching(train, IAVI(), Markov())(3)
    return {"decisions": train.num_decisions}


def table(train: Demonstrations, small: bool) -> dict[str, Any]:
    """Every k with restarts and folds."""
    ks, restarts, folds = ((1, 2), 2, 2) if small else (range(1, 7), 10, 5)
    world = labyrinth().mdp.with_history(2)
    started = time.perf_counter()
    made = choose_intentions(
        train, world, seed=0, ks=tuple(ks), restarts=restarts, folds=folds, from_step=1, jobs=2
    )
    spent = time.perf_counter() - started
    return row(
        f"table of k = 1 to {ks[-1]}, history 2, {restarts} restarts, {folds} folds, two processes",
        f"{spent / 60:.1f} min (chose {made.chosen})",
        target="< 15 min on two cores",
        met=None if small else spent < 900,
    )
