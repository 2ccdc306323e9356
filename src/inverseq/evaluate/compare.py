"""Several ways to explain the same behaviour, side by side, on decisions none was fitted to."""

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from inverseq._core.engine import Keep, run
from inverseq._core.errors import FitError, InputError, Stopped
from inverseq._core.log import log
from inverseq.demonstrations import Demonstrations
from inverseq.evaluate.comparison import Candidate, Comparison, Estimate, Result, Split, World
from inverseq.evaluate.held_parts import HeldPart
from inverseq.evaluate.likelihood import SUMMED, Score, difference, log_likelihood
from inverseq.intentions.solution import IntentionSolution
from inverseq.inverse.explanation import check_demonstrations
from inverseq.inverse.fit import fit
from inverseq.inverse.problem import Progress, Solver
from inverseq.inverse.solution import Solution
from inverseq.mdp import MDP, as_one
from inverseq.mdp.history import Memory


@dataclass(frozen=True, eq=False)
class _Fitted:
    """One candidate in one fold; its score by trajectory."""

    score: Score | None
    num_parameters: float
    seconds: float
    solution: Solution | IntentionSolution | None
    error: InputError | FitError | None


def compare(
    demonstrations: Demonstrations,
    candidates: Mapping[str, Solver | Candidate],
    mdp: World | None = None,
    *,
    folds: int = 5,
    by: str = "trajectory",
    seed: int = 0,
    from_step: int = 0,
    reference: str | None = None,
    keep_solutions: bool = False,
    jobs: int | None = None,
    progress: Progress | None = None,
    keep: Keep | None = None,
) -> Comparison:
    """Score candidates by cross-validation: every unit is predicted by fits that never saw it.

    In each fold everything is estimated on the training part alone: the world (where `mdp` is an
    `Estimate` or a function), and what a solver chooses itself. Standard errors and differences go
    over units; fits of different folds share training data, which the errors leave out of account
    (Bengio and Grandvalet 2004).

    Args:
        demonstrations: All decisions.
        candidates: By name, the solvers (with the history of their world) to compare.
        mdp: The world; worlds by name, which each trajectory names in its column "world"; an
            `Estimate`, or a function from the training part to either; None where no solver needs
            one.
        folds: Number of folds.
        by: What is held out together: "trajectory", "session", "subject", "world" or any
            trajectory column.
        seed: Which random folds.
        from_step: First decision of a trajectory to score.
        reference: Candidate to compare the others with; the best where left out.
        keep_solutions: Keep every fit in its `Result`.
        jobs: Processes; -1 for as many as there are cores, None for what `joblib.parallel_config`
            says, else one.
        progress: Called with (what, fits done, fits in all).
        keep: Folder of finished fits: what lies there, fitted with the same settings to the same
            data by the same program, is not fitted again.

    Returns:
        The comparison, without folds that hold out no known action. A candidate that cannot be
        fitted, or cannot predict the held-out part (a count table in another world), says so in its
        `failure`. Where trajectories of a test part repeat training ones, a `Result` scores the
        others apart; with worlds held out, errors go over subjects too, and the other way round.

    Raises:
        Stopped: It was interrupted when something was scored; `partial` is the comparison of the
            folds that were done, or of the candidates in the first of them.
        InputError: There are fewer units than folds, or neither the reference nor, without one, any
            candidate could be scored.
        FitError: The same, because a fit failed.
    """
    check_demonstrations(demonstrations, "compare")
    # A fold of an animal that was never seen to act has nothing to score.
    silent = not demonstrations.acted.any()
    splits = demonstrations.fold(folds, by=by, seed=seed)
    telling = (split for split in splits if silent or split[1].acted.any())
    work = partial(_fit_and_score, from_step=from_step, keep_solution=keep_solutions)
    each = partial(run, work, what="fits", jobs=jobs, keep=keep, progress=progress)
    told = partial(Comparison, by=by, seed=seed, from_step=from_step)
    return _compare(telling, folds, candidates, mdp, reference, by, each, told)


def score_all(
    train: Demonstrations,
    test: Demonstrations,
    candidates: Mapping[str, Solver | Candidate],
    mdp: World | None = None,
    *,
    by: str = "trajectory",
    from_step: int = 0,
    reference: str | None = None,
    keep_solutions: bool = False,
    jobs: int | None = None,
    progress: Progress | None = None,
    keep: Keep | None = None,
) -> Comparison:
    """Score candidates on one split: fitted to `train`, scored on `test`.

    Args:
        train: Decisions to fit.
        test: Decisions to score; none of them is seen before.
        candidates: As in `compare`.
        mdp: As in `compare`.
        by: What standard errors go over: "trajectory", "session", "subject" or any column.
        from_step: As in `compare`.
        reference: As in `compare`.
        keep_solutions: As in `compare`.
        jobs: As in `compare`.
        progress: As in `compare`.
        keep: As in `compare`.

    Raises:
        InputError: As in `compare`.
        FitError: As in `compare`.
    """
    for part in (train, test):
        check_demonstrations(part, "score_all")
    work = partial(_fit_and_score, from_step=from_step, keep_solution=keep_solutions)
    each = partial(run, work, what="fits", jobs=jobs, keep=keep, progress=progress)
    told = partial(Comparison, by=by, seed=0, from_step=from_step)
    return _compare([(train, test)], 1, candidates, mdp, reference, by, each, told)


def _compare(
    splits: Iterable[Split],
    count: int,
    candidates: Mapping[str, Solver | Candidate],
    mdp: World | None,
    reference: str | None,
    by: str,
    each: Callable[..., Iterable[_Fitted]],
    made: Callable[..., Comparison],
) -> Comparison:
    """Candidates in every fold, fitted and scored by `each`, and put together by `made`."""
    if not candidates or not isinstance(candidates, Mapping):
        raise InputError(
            'there is nothing to compare: give candidates by name, {"IAVI": inverseq.IAVI()}'
        )
    if reference is not None and reference not in candidates:
        raise InputError(f"no candidate {reference!r} to refer to; there are {[*candidates]}")
    named = {n: c if isinstance(c, Candidate) else Candidate(c) for n, c in candidates.items()}
    parts: list[HeldPart] = []

    def cells() -> Iterator[tuple[Split, Solver, MDP | None]]:
        # Made one after the other: folds of a large table would not fit into memory side by side.
        for split, worlds in _with_worlds(splits, named, mdp):
            parts.append(HeldPart.of(*split, by))
            for candidate, world in zip(named.values(), worlds, strict=True):
                yield split, candidate.solver, world

    fitted: list[_Fitted] = []
    try:
        for one in each(cells(), total=count * len(named)):
            fitted.append(one)
    except KeyboardInterrupt as stop:
        whole = len(fitted) // len(named)
        # Only what was scored on the same decisions is compared.
        done = fitted[: whole * len(named)] or fitted
        if not any(one.score is not None for one in done):
            raise
        told = _put_together(named, done, parts[: max(whole, 1)], None, by, made)
        raise Stopped(told, len(fitted), count * len(named)) from stop
    return _put_together(named, fitted, parts, reference, by, made)


def _put_together(
    named: Mapping[str, Candidate],
    fitted: Sequence[_Fitted],
    parts: Sequence[HeldPart],
    reference: str | None,
    by: str,
    made: Callable[..., Comparison],
) -> Comparison:
    """Candidates in the folds that were fitted, the first ones in the last of them."""
    results = [_result(n, fitted[i :: len(named)], parts, by) for i, n in enumerate(named)]
    scores = {r.name: r.score for r in results if r.score is not None}
    if not scores or (reference is not None and reference not in scores):
        # Without a reference none was scored, so that the first of all has failed.
        of = 0 if reference is None else [*named].index(reference)
        raise next(one.error for one in fitted[of :: len(named)] if one.error is not None)
    best = max(scores, key=lambda name: scores[name].mean) if reference is None else reference
    differences = {name: difference(score, scores[best]) for name, score in scores.items()}
    return made(tuple(results), best, differences, folds=len(parts))


def _with_worlds(
    splits: Iterable[Split], candidates: Mapping[str, Candidate], given: World | None
) -> Iterator[tuple[Split, list[MDP | None]]]:
    """Each split, with the world of every candidate there.

    Candidates that ask for the same world get the same record, which keeps its factorisations.
    """
    anew = isinstance(given, Estimate) or callable(given)
    wanted: set[tuple[int, Memory]] = {(c.history, c.of) for c in candidates.values()}
    made: dict[tuple[int, Memory], MDP | None] = {}
    for train, test in splits:
        if anew or not made:
            plain = _world(given, train, test)
            for key in wanted:
                made[key] = plain if plain is None or key[0] == 1 else plain.with_history(*key)
        yield (
            (train, test),
            [made[c.history, c.of] if c.world is None else c.world for c in candidates.values()],
        )


def _world(given: World | None, train: Demonstrations, test: Demonstrations) -> MDP | None:
    """The world, or the union of the worlds, for one training part."""
    if isinstance(given, Estimate):
        # The world is as large as all that was seen, though only the training part says how it
        # goes: a state of the test part that training never reached stays where it is.
        return MDP.estimate(
            train,
            discount=given.discount,
            smoothing=given.smoothing,
            num_states=max(train.num_states, test.num_states),
            num_actions=max(train.num_actions, test.num_actions),
        )
    return as_one(given(train) if callable(given) else given)


def _fit_and_score(
    split: Split,
    solver: Solver,
    world: MDP | None,
    *,
    from_step: int,
    keep_solution: bool,
) -> _Fitted:
    """A fit to the training part and its score on the test part; errors of the user as values."""
    train, test = split
    started = time.perf_counter()
    solution = None
    try:
        solution = fit(train, solver, world)
        seconds = time.perf_counter() - started
        score = log_likelihood(solution, test, from_step=from_step)
    except (InputError, FitError) as error:
        seconds = time.perf_counter() - started
        parameters = float("nan") if solution is None else float(solution.num_parameters)
        return _Fitted(None, parameters, seconds, solution if keep_solution else None, error)
    kept = solution if keep_solution else None
    return _Fitted(score, float(solution.num_parameters), seconds, kept, None)


def _result(name: str, folds: Sequence[_Fitted], parts: Sequence[HeldPart], by: str) -> Result:
    """The folds of one candidate put together; it was stopped where there is none."""
    scores = [fold.score for fold in folds]
    known = [score for score in scores if score is not None]
    failures = [
        f"fold {number}: {fold.error}" if len(folds) > 1 else str(fold.error)
        for number, fold in enumerate(folds, 1)
        if fold.error is not None
    ]
    if failures:
        log.warning("%s is left out: %s", name, failures[0])
    if not folds:
        failures = ["stopped before it was fitted"]
    told = {} if failures else _scores(known, parts, by)
    return Result(
        name=name,
        score=told.pop("score", None),
        fold_means=np.array([float("nan") if s is None else s.mean for s in scores]),
        num_parameters=np.array([fold.num_parameters for fold in folds]),
        seconds=np.array([fold.seconds for fold in folds]),
        failure=failures[0] if failures else "",
        solutions=tuple(fold.solution for fold in folds if fold.solution is not None),
        **told,
    )


def _scores(each: Sequence[Score], parts: Sequence[HeldPart], by: str) -> dict[str, Any]:
    """Scores over all folds, given those by trajectory: by unit, by what errors go over too, and
    of the trajectories that repeat no training one.
    """
    numbers, join = [], np.concatenate
    for part in parts:  # which share no unit
        numbers.append(part.units + sum(int(units.max()) + 1 for units in numbers[-1:]))
    whole, units = _pooled(each), join(numbers)
    novel = join([part.novel for part in parts])
    told: dict[str, Any] = {"score": whole.grouped(units, by)}
    over = {name: join([part.others[name] for part in parts]) for name in parts[0].others}
    told["over"] = {
        name: whole.grouped(np.unique(values, return_inverse=True)[1], name)
        for name, values in over.items()
        if len({*values.tolist()}) > 1
    }
    if not novel.all() and whole.decisions[novel].sum() > 0:
        part = Score(by, *(getattr(whole, name)[novel] for name in SUMMED))
        told["novel"] = part.grouped(np.unique(units[novel], return_inverse=True)[1], by)
    return told


def _pooled(scores: Sequence[Score]) -> Score:
    """The score over all units of several test parts that share none."""
    join = lambda name: np.concatenate([getattr(score, name) for score in scores])  # noqa: E731
    return Score(scores[0].by, *(join(name) for name in SUMMED))
