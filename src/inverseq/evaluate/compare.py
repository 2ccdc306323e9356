"""Several ways to explain the same behaviour, side by side, on decisions none was fitted to."""

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np

from inverseq._core.engine import Keep, run
from inverseq._core.errors import FitError, InputError
from inverseq._core.log import log
from inverseq.demonstrations import Demonstrations
from inverseq.evaluate.comparison import Candidate, Comparison, Estimate, Result, Split, World
from inverseq.evaluate.likelihood import Score, difference, log_likelihood
from inverseq.intentions.solution import IntentionSolution
from inverseq.inverse.explanation import check_demonstrations
from inverseq.inverse.fit import fit
from inverseq.inverse.problem import Progress, Solver
from inverseq.inverse.solution import Solution
from inverseq.mdp import MDP, as_one
from inverseq.mdp.history import Memory


@dataclass(frozen=True, eq=False)
class _Fitted:
    """One candidate in one fold."""

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
        `failure`.

    Raises:
        InputError: There are fewer units than folds, or neither the reference nor, without one, any
            candidate could be scored.
        FitError: The same, because a fit failed.
    """
    check_demonstrations(demonstrations, "compare")
    # A fold of an animal that was never seen to act has nothing to score.
    silent = not demonstrations.acted.any()
    splits = demonstrations.fold(folds, by=by, seed=seed)
    telling = (split for split in splits if silent or split[1].acted.any())
    work = partial(_fit_and_score, by=by, from_step=from_step, keep_solution=keep_solutions)
    each = partial(run, work, what="fits", jobs=jobs, keep=keep, progress=progress)
    told = partial(Comparison, by=by, folds=folds, seed=seed, from_step=from_step)
    return _compare(telling, folds, candidates, mdp, reference, each, told)


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
    work = partial(_fit_and_score, by=by, from_step=from_step, keep_solution=keep_solutions)
    each = partial(run, work, what="fits", jobs=jobs, keep=keep, progress=progress)
    told = partial(Comparison, by=by, folds=1, seed=0, from_step=from_step)
    return _compare([(train, test)], 1, candidates, mdp, reference, each, told)


def _compare(
    splits: Iterable[Split],
    count: int,
    candidates: Mapping[str, Solver | Candidate],
    mdp: World | None,
    reference: str | None,
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
    # Made one after the other: folds of a large table would not fit into memory side by side.
    cells = (
        (split, candidate.solver, world)
        for split, worlds in _with_worlds(splits, named, mdp)
        for candidate, world in zip(named.values(), worlds, strict=True)
    )
    fitted = list(each(cells, total=count * len(named)))
    results = [_result(n, fitted[i :: len(named)]) for i, n in enumerate(named)]
    scores = {r.name: r.score for r in results if r.score is not None}
    if not scores or (reference is not None and reference not in scores):
        # Without a reference none was scored, so that the first of all has failed.
        of = 0 if reference is None else [*named].index(reference)
        raise next(one.error for one in fitted[of :: len(named)] if one.error is not None)
    best = max(scores, key=lambda name: scores[name].mean) if reference is None else reference
    differences = {name: difference(score, scores[best]) for name, score in scores.items()}
    return made(tuple(results), best, differences)


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
    by: str,
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
        score = log_likelihood(solution, test, from_step=from_step, by=by)
    except (InputError, FitError) as error:
        seconds = time.perf_counter() - started
        parameters = float("nan") if solution is None else float(solution.num_parameters)
        return _Fitted(None, parameters, seconds, solution if keep_solution else None, error)
    kept = solution if keep_solution else None
    return _Fitted(score, float(solution.num_parameters), seconds, kept, None)


def _result(name: str, folds: Sequence[_Fitted]) -> Result:
    """The folds of one candidate put together."""
    scores = [fold.score for fold in folds]
    failures = [
        f"fold {number}: {fold.error}" if len(folds) > 1 else str(fold.error)
        for number, fold in enumerate(folds, 1)
        if fold.error is not None
    ]
    if failures:
        log.warning("%s is left out: %s", name, failures[0])
    return Result(
        name=name,
        score=None if failures else _pooled([score for score in scores if score is not None]),
        fold_means=np.array([float("nan") if s is None else s.mean for s in scores]),
        num_parameters=np.array([fold.num_parameters for fold in folds]),
        seconds=np.array([fold.seconds for fold in folds]),
        failure=failures[0] if failures else "",
        solutions=tuple(fold.solution for fold in folds if fold.solution is not None),
    )


def _pooled(scores: Sequence[Score]) -> Score:
    """The score over all units of several test parts that share none."""
    join = lambda name: np.concatenate([getattr(score, name) for score in scores])  # noqa: E731
    names = ("sums", "decisions", "forced", "chance", "hits")
    return Score(scores[0].by, *(join(name) for name in names))
