"""How many intentions? Prediction, its error, penalised likelihood, and whether fits agree."""

from collections.abc import Mapping, Sequence
from itertools import combinations

import numpy as np

from inverseq._core.engine import Keep, run
from inverseq._core.errors import InputError
from inverseq.demonstrations import Demonstrations
from inverseq.evaluate.choice import Alternative, Choice, criteria, simplest_within_error
from inverseq.evaluate.compare import compare, score_all
from inverseq.evaluate.comparison import Candidate, Comparison, World
from inverseq.evaluate.likelihood import difference
from inverseq.intentions.labels import agreement
from inverseq.intentions.law import Law
from inverseq.intentions.predict import posterior
from inverseq.intentions.solution import EMPTY, IntentionSolution
from inverseq.intentions.solver import Intentions
from inverseq.intentions.switching import Markov
from inverseq.inverse.problem import Progress, Solver
from inverseq.inverse.solution import Solution
from inverseq.inverse.values.iavi import IAVI


def choose_intentions(
    demonstrations: Demonstrations,
    mdp: World | None = None,
    *,
    seed: int,
    ks: Sequence[int] = (1, 2, 3, 4, 5, 6),
    solver: Solver[Solution] | None = None,
    switching: Law | Mapping[str, Law] | None = None,
    histories: Sequence[int] = (1,),
    folds: int = 5,
    by: str = "trajectory",
    from_step: int = 0,
    restarts: int = 10,
    max_steps: int = 300,
    agreements: bool = True,
    jobs: int | None = None,
    progress: Progress | None = None,
    keep: Keep | None = None,
) -> Choice:
    """Fit several numbers of intentions, predict what was held out, and say which to choose.

    Scores come from the filter: each decision is predicted from those before it, by fits that never
    saw its unit (`compare`). Restarts are chosen on training data alone.

    Args:
        demonstrations: All decisions.
        mdp: The world, as in `compare`.
        seed: Of the folds and of the fits.
        ks: Numbers of intentions.
        solver: Explains the behaviour of each intention; `IAVI()` where left out.
        switching: A law, or laws by name; `Markov()` where left out.
        histories: How many states the world looks at, one alternative each.
        folds: Number of folds.
        by: What is held out together, and what errors go over: "trajectory", "session", "subject"
            or any trajectory column.
        from_step: First decision of a trajectory to score.
        restarts: Searches of each fit.
        max_steps: Iterations of a search at most.
        agreements: Compare the intentions that the folds find; takes an inference of all
            decisions per fit.
        jobs: Processes over (alternative, fold), as in `compare`.
        progress: Called with (what, fits done, fits in all), for the folds and for the fits to all.
        keep: Folder of finished fits, as in `compare`.

    Returns:
        The choice. What cannot be fitted says so in its `failure`.

    Raises:
        InputError: A setting is out of range, or nothing could be scored.
        FitError: Nothing could be fitted.
    """
    solver = IAVI() if solver is None else solver
    switching = Markov() if switching is None else switching
    single = not isinstance(switching, Mapping)
    laws = {type(switching).__name__: switching} if single else dict(switching)
    if not ks or not laws or not histories:
        raise InputError("give one number of intentions, law and history or more")
    cells = [(k, law, n) for law in laws for n in sorted(set(histories)) for k in sorted(set(ks))]
    names = [_name(*cell, len(laws) > 1, len(set(histories)) > 1) for cell in cells]
    candidates = {
        name: Candidate(
            Intentions(k, solver, laws[law], restarts=restarts, seed=seed, max_steps=max_steps),
            history,
        )
        for name, (k, law, history) in zip(names, cells, strict=True)
    }
    comparison = compare(
        demonstrations,
        candidates,
        mdp,
        folds=folds,
        by=by,
        seed=seed,
        from_step=from_step,
        keep_solutions=True,
        jobs=jobs,
        progress=progress,
        keep=keep,
    )
    full = score_all(
        demonstrations,
        demonstrations,
        candidates,
        mdp,
        by=by,
        keep_solutions=True,
        jobs=jobs,
        progress=progress,
        keep=keep,
    )
    agree = [float("nan")] * len(names)
    if agreements:
        found = [(comparison[name].solutions, demonstrations) for name in names]
        agree = list(run(fold_agreement, found, what="agreements", jobs=jobs, progress=progress))
    size = int(demonstrations.acted.sum())
    made, before = [], None
    for name, cell, share in zip(names, cells, agree, strict=True):
        fewer = before if made and cell[1:] == (made[-1].law, made[-1].history) else None
        made.append(_alternative(name, cell, comparison, full, fewer, share, size))
        before = made[-1].name
    best = comparison.reference
    return Choice(tuple(made), best, simplest_within_error(comparison), comparison)


def fold_agreement(
    solutions: Sequence[Solution | IntentionSolution], demonstrations: Demonstrations
) -> float:
    """How far fits to different parts of the data find the same intentions in all of it.

    Args:
        solutions: Of the folds.
        demonstrations: N decisions.

    Returns:
        Mean share, over pairs of fits, of the decisions with the same most probable intention
        (smoothed) after matching labels; NaN for fewer than two fits.
    """
    acted = demonstrations.acted
    found = [
        posterior(solution, demonstrations).smoothed[acted]
        for solution in solutions
        if isinstance(solution, IntentionSolution)
    ]
    if len(found) < 2:
        return float("nan")
    return float(np.mean([agreement(one, other) for one, other in combinations(found, 2)]))


def _alternative(
    name: str,
    cell: tuple[int, str, int],
    comparison: Comparison,
    full: Comparison,
    fewer: str | None,
    share: float,
    size: int,
) -> Alternative:
    """What speaks for one of them."""
    score, best = comparison[name].score, comparison[comparison.reference].score
    below = None if fewer is None else comparison[fewer].score
    found = full[name].solutions
    solution = found[0] if found and isinstance(found[0], IntentionSolution) else None
    nan = float("nan")
    bic = aic = nan
    if solution is not None:
        bic, aic = criteria(solution.log_likelihood, solution.num_parameters, size)
    objective = np.zeros(1) if solution is None else solution.restarts.objective
    others = np.zeros(0) if solution is None else solution.restarts.agreement[1:]
    return Alternative(
        name,
        *cell,
        score=score,
        to_best=None if score is None or best is None else difference(score, best),
        to_fewer=None if score is None or below is None else difference(score, below),
        solution=solution,
        bic=bic,
        aic=aic,
        restart_agreement=float(others.mean()) if others.size else nan,
        restart_spread=float(objective[0] - np.median(objective)) / size,
        fold_agreement=share,
        empty=0 if solution is None else int((solution.occupancy < EMPTY).sum()),
        failure=comparison[name].failure or full[name].failure,
    )


def _name(k: int, law: str, history: int, laws: bool, histories: bool) -> str:
    """What an alternative is called."""
    return f"k={k}" + (f", {law}" if laws else "") + (f", history {history}" if histories else "")
