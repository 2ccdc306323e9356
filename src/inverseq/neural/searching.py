"""Methods compared fairly: as many random settings for each, chosen inside the training folds."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np
from jaxtyping import Float, Int

from inverseq._core import engine
from inverseq._core.arrays import freeze
from inverseq._core.errors import InputError
from inverseq.neural.foretell import Classifier, Hazard, Inputs, Method, NeuRL
from inverseq.neural.matching import (
    Match,
    choose_reading,
    drawn_match,
    folds_of,
    match,
)
from inverseq.neural.readout import Readout
from inverseq.neural.trials import Waiting

METHODS = ("NeuRL", "NNC", "LR", "NNC and clock", "LR and clock", "hazard", "random")
"""NeuRL, a network classifier, logistic regression, both with the time in the trial, a hazard by
time alone, and a controller that acts at random."""

_INNER = 5
"""Every so many-th trial of a training fold is held out there."""
_FEWEST = 40
"""Trials of a first look at a setting, at least."""
_FINALISTS = 8
"""One of so many settings is looked at with all training trials."""
_DRAWS = 20


@dataclass(frozen=True, eq=False)
class Found:
    """What methods reached on trials held out, fold by fold.

    Attributes:
        methods: Names of the M methods.
        matches: `[M, folds, 4]` exact, within 1 and 2 steps, and nats per decision over a flat
            hazard, as in `Match`.
        chosen: Settings chosen in each fold, in words, by method.
    """

    methods: tuple[str, ...]
    matches: Float[np.ndarray, "M folds 4"]
    chosen: Mapping[str, tuple[str, ...]]

    def __post_init__(self) -> None:
        freeze(self, np.float64, "matches")

    def of(self, method: str, score: str = "near_1") -> Float[np.ndarray, " folds"]:
        """One score of a method in each fold.

        Raises:
            InputError: There is no such method or score.
        """
        if method not in self.methods or score not in Match._fields:
            raise InputError(
                f"no {score!r} of {method!r}; methods are {', '.join(self.methods)}, scores "
                f"{', '.join(Match._fields)}"
            )
        return self.matches[self.methods.index(method), :, Match._fields.index(score)]


def drawn_settings(method: str, solver: Any, rng: np.random.Generator) -> Method:
    """Settings of a method, drawn at random.

    Args:
        method: One of `METHODS`.
        solver: Of NeuRL's first step.
        rng: Of the draw.

    Raises:
        InputError: There is no such method.
    """
    if method not in METHODS:
        raise InputError(f"method must be one of {', '.join(METHODS)}; got {method!r}")
    if method == "hazard":
        return Hazard(smoothing=float(10 ** rng.uniform(-2, 1)))
    if method == "random":
        return Hazard(flat=True)
    pieces, apart = int(rng.integers(1, 4)), bool(rng.random() < 0.5)
    network = method.startswith("NNC") or (method == "NeuRL" and rng.random() < 0.5)
    readout = Readout(
        penalty=float(10 ** rng.uniform(0, 3.5)),
        latent=int(rng.choice([2, 4, 8])) if network else 0,
        steps=int(rng.choice([20, 40, 80])),
        seed=int(rng.integers(1000)),
    )
    clock = "clock" in method
    if method == "NeuRL":
        own, clock = float(rng.choice([0.0, 0.5, 0.9, 0.97, 0.99])), bool(rng.random() < 0.5)
        return NeuRL(solver, readout, Inputs(pieces, apart, clock), own)
    return Classifier(readout, Inputs(pieces, apart, clock))


def search(
    data: Waiting,
    *,
    configurations: int = 500,
    folds: int = 10,
    methods: Sequence[str] = METHODS,
    solver: Any = None,
    epsilon: float = 0.6,
    seed: int = 0,
    jobs: int | None = None,
    keep: engine.Keep | None = None,
    progress: Callable[[str, int, int], None] | None = None,
) -> Found:
    """Foretell the act of trials held out with each method.

    Cross-validation is nested: in each fold every method draws as many settings, looks at each with
    some of the training trials, at the best eighth with all but a fifth, takes the one that
    predicts this fifth best (likelihood), and learns how to read it there. The fold held out is
    seen once.

    Args:
        data: The trials.
        configurations: Settings that each method draws in each fold.
        folds: K; every K-th trial is held out.
        methods: Which of `METHODS`.
        solver: Of NeuRL's first step; IAVI with the soft backup where left out.
        epsilon: Probability above which the act is foretold.
        seed: Of all draws.
        jobs: Processes, as everywhere.
        keep: Folder of finished folds, from which a run that was killed goes on.
        progress: Called with (what, done, in all).

    Raises:
        InputError: Settings are out of range, or there is no such method.
    """
    if configurations < 1:
        raise InputError(f"need 1 or more configurations; got {configurations}")
    drawn_settings(methods[0], solver, np.random.default_rng(0))
    solver = NeuRL().solver if solver is None else solver
    parts = folds_of(len(data.happened), folds)
    work = partial(_searched, data, solver=solver, count=configurations, epsilon=epsilon, seed=seed)
    cells = [(name, number, test) for name in methods for number, test in enumerate(parts)]
    made = [*engine.run(work, cells, what="searches", jobs=jobs, keep=keep, progress=progress)]
    scores = np.array([each[0] for each in made]).reshape(len(methods), folds, -1)
    words = [each[1] for each in made]
    chosen = {n: tuple(words[i * folds : (i + 1) * folds]) for i, n in enumerate(methods)}
    return Found(tuple(methods), scores, chosen)


def _searched(
    data: Waiting,
    name: str,
    number: int,
    test: Int[np.ndarray, " n"],
    *,
    solver: Any,
    count: int,
    epsilon: float,
    seed: int,
) -> tuple[tuple[float, ...], str]:
    """Scores on one fold, and the settings chosen for it."""
    rng = np.random.default_rng([seed, number, METHODS.index(name)])
    train = np.setdiff1d(np.arange(len(data.happened)), test)
    inner = np.zeros(len(train), dtype=bool)
    inner[:: min(_INNER, len(train))] = True
    learn, check = data.take(train[~inner]), data.take(train[inner])
    every = max(len(learn.happened) // max(_FEWEST, len(learn.happened) // 4), 1)
    few = learn.take(np.arange(len(learn.happened))[::every])
    drawn = [drawn_settings(name, solver, rng) for _ in range(1 if name == "random" else count)]
    best = drawn
    for part in (few, learn) if len(drawn) > 1 else ():
        gains = np.array([_gain(method, part, check) for method in best])
        keep = max(len(best) // _FINALISTS, 1) if part is few else 1
        best = [best[i] for i in np.argsort(-gains, kind="stable")[:keep]]
    (method,) = best
    reading = choose_reading(method.prepare(learn).foretell(check), check, epsilon)
    held = data.take(test)
    logits = method.prepare(data.take(train)).foretell(held)
    if name == "random":
        return tuple(drawn_match(reading.chances(logits), held, _DRAWS, seed)), str(method)
    shown = replace(method, solver=None) if isinstance(method, NeuRL) else method
    return tuple(match(logits, reading, held)), str(shown)


def _gain(method: Method, learn: Waiting, check: Waiting) -> float:
    """Nats per decision that settings reach on trials they were not fitted to."""
    logits = method.prepare(learn).foretell(check)
    return match(logits, choose_reading(logits, check), check).gain
