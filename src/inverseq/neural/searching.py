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
    calibrated,
    choose_reading,
    drawn_match,
    folds_of,
    gain,
    match,
)
from inverseq.neural.readout import Readout
from inverseq.neural.trials import Waiting

METHODS = ("NeuRL", "NNC", "LR", "NNC and clock", "LR and clock", "hazard", "random")
"""NeuRL, a network classifier, logistic regression, both with the time in the trial, a hazard by
time alone, and a controller that acts at random."""

_INNER = 5
"""Parts of the training trials, each foretold by the others where finalists are compared."""
_ROUNDS = ((40, 10), (320, 100))
"""Successive halving: training trials of a round at most, and one of how many settings goes on."""
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
        steps=int(rng.choice([10, 20, 40])),
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

    Cross-validation is nested: in each fold every method draws as many settings and halves them
    with the same number of trials: each learns from 40 of the training trials, the best tenth from
    320, and the best hundredth are cross-validated on all training trials (five parts). The one
    that predicts best there (likelihood) is taken, and how to read it is learned from the same
    trials held out. The fold held out outside is seen once.

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
        InputError: Settings are out of range, or there is no such method, or none.
    """
    if configurations < 1 or not methods:
        raise InputError(
            f"need 1 or more configurations and methods; got {configurations} and {methods}"
        )
    solver = NeuRL().solver if solver is None else solver
    for name in methods:
        drawn_settings(name, solver, np.random.default_rng(0))
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
    train = data.take(np.setdiff1d(np.arange(len(data.happened)), test))
    size = len(train.happened)
    parts = folds_of(size, min(_INNER, size))
    best = [drawn_settings(name, solver, rng) for _ in range(1 if name == "random" else count)]
    for trials, share in _ROUNDS:
        if len(best) > 1:
            others = np.setdiff1d(np.arange(size), parts[0])
            few = others[:: -(-len(others) // trials)]
            told = _told(best, train.take(few), check := train.take(parts[0]))
            order = np.argsort([-_gain(each, check) for each in told], kind="stable")
            best = [best[i] for i in order[: max(count // share, 1)]]
    logits = np.empty((len(best), *train.states.shape))
    for part in parts:
        learn = train.take(np.setdiff1d(np.arange(size), part))
        logits[:, part] = _told(best, learn, train.take(part))
    chosen = int(np.argmax([_gain(logits[k], train) for k in range(len(best))]))
    method, reading = best[chosen], choose_reading(logits[chosen], train, epsilon)
    held = data.take(test)
    told = method.prepare(train).foretell(held)
    if name == "random":
        return tuple(drawn_match(reading.chances(told), held, _DRAWS, seed)), str(method)
    shown = replace(method, solver=None) if isinstance(method, NeuRL) else method
    return tuple(match(told, reading, held)), str(shown)


def _told(methods: Sequence[Method], learn: Waiting, check: Waiting) -> list[np.ndarray]:
    """What methods foretell of some trials after others; those with the same inputs in a row, as
    they share what is made of them.
    """
    inputs = [str(getattr(method, "inputs", "")) for method in methods]
    told: list[Any] = [None] * len(methods)
    for place in np.argsort(inputs, kind="stable"):
        told[place] = methods[place].prepare(learn).foretell(check)
    return told


def _gain(logits: np.ndarray, data: Waiting) -> float:
    """Nats per decision that logits reach, read as well as can be."""
    return gain(logits, *calibrated(logits, data), data)
