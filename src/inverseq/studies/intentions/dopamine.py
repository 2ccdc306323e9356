"""Part "dopamine": intentions from spontaneous behaviour alone, then what dopamine has to do with
them.

Nothing of the dopamine enters the fit. Relations are taken within trajectories, so that neither
how active an animal is nor how strong its signal is counts, and judged by two nulls: dopamine
shifted in a circle within each trajectory, and dopamine of another trajectory.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from jaxtyping import Float

from inverseq.datasets import spontaneous
from inverseq.datasets.spontaneous import SYLLABLES
from inverseq.demonstrations import Demonstrations, Ending
from inverseq.evaluate.choose_intentions import choose_intentions
from inverseq.evaluate.likelihood import difference, log_likelihood
from inverseq.intentions.solution import IntentionSolution
from inverseq.intentions.solver import Intentions
from inverseq.inverse.fit import fit
from inverseq.inverse.tables.count_table import CountTable
from inverseq.neural.relations import (
    Relation,
    beyond_syllables,
    correlating,
    following,
    weigh,
)
from inverseq.studies.intentions import Settings
from inverseq.studies.intentions.dopamine_figures import draw_lags, draw_session, draw_syllables
from inverseq.studies.run import Result
from inverseq.studies.shapes import plain
from inverseq.studies.study import Effort

LAGS = tuple(range(-20, 21, 2))
"""Steps by which dopamine is later than the belief."""

AROUND = tuple(range(-10, 11))
"""Steps around a change of intention, whose first decision is 0."""


def run(settings: Settings, effort: Effort) -> Result:
    """How many intentions predict best, and what each has to do with dopamine."""
    dataset = spontaneous()
    demos = bridged(dataset.demonstrations)
    if effort.small:
        demos = demos.take(range(40))
    train, test = demos.select(split="train"), demos.select(split="test")
    choice = choose_intentions(
        train,
        dataset.mdp,
        seed=effort.seed,
        ks=(1, 2) if effort.small else (1, 2, 3, 4, 5, 6),
        folds=2 if effort.small else 4,
        restarts=settings.restarts,
        jobs=effort.workers,
        progress=effort.progress,
    )
    k = 2 if effort.small else choice[choice.chosen].k
    dopamine = np.asarray(demos.decisions["dopamine"])
    search = Intentions(k, restarts=settings.restarts, seed=effort.seed)
    fits = {n: fit(demos, replace(search, k=n), dataset.mdp) for n in sorted({2, k})}
    found = {n: relations(solution, demos, dopamine, effort) for n, solution in fits.items()}
    control = syllable_relations(demos, dopamine, effort)
    scored = _held_out(train, test, dataset.mdp, choice, search)
    rows = [row for n in fits for row in _intention_rows(fits[n], demos, dopamine, found[n])]
    return Result(
        {
            "numbers": [plain(row) for row in choice.rows],
            "held_out": scored,
            "syllables": _syllable_rows(control),
            "intentions": rows,
            "lags": _step_rows(found[k]["lags"], k, LAGS, "lag"),
            "changes": _step_rows(found[k]["changes"], k, AROUND, "step"),
        },
        {
            "syllables": draw_syllables(fits[k], demos),
            "lags": draw_lags(found[k]["lags"], found[k]["changes"], k, LAGS, AROUND),
            "session": draw_session(fits[k], demos, dopamine),
        },
        _sentences(choice.sentence, scored, found, control),
    )


def relations(
    solution: IntentionSolution,
    demos: Demonstrations,
    dopamine: Float[np.ndarray, " N"],
    effort: Effort,
) -> dict[str, Relation]:
    """Relations of all intentions to dopamine, by family: at the same step, beyond what syllables
    explain, over lags, and around changes.
    """
    beliefs, k = np.asarray(solution.smoothed), solution.num_intentions
    here = correlating(beliefs, demos, (0,))
    families = {
        "now": (here, dopamine),
        "beyond": (here, beyond_syllables(demos, dopamine)),
        "lags": (correlating(beliefs, demos, LAGS), dopamine),
        "changes": (following(np.asarray(solution.path), k, demos, AROUND), dopamine),
    }
    made = {}
    for number, (name, (weights, series)) in enumerate(families.items()):
        effort.say(f"nulls, {k} intentions", number, len(families))
        made[name] = weigh(weights, series, demos, _shuffles(effort), effort.seed)
    effort.say(f"nulls, {k} intentions", len(families), len(families))
    return made


def syllable_relations(
    demos: Demonstrations, dopamine: Float[np.ndarray, " N"], effort: Effort
) -> Relation:
    """The same of the syllables themselves: what can be found in these data if it is there."""
    shown = np.eye(len(SYLLABLES))[demos.actions]
    weights = correlating(shown, demos, (0,))
    return weigh(weights, dopamine, demos, _shuffles(effort), effort.seed)


def bridged(demos: Demonstrations) -> Demonstrations:
    """The same with intentions that outlast gaps.

    Syllables outside the nine classes are missing in half of the places. What is done at a step
    depends on the present syllable alone, which is known; the intention before a gap of some
    syllables is the best guess of that after it.
    """
    gap = demos.endings == Ending.GAP
    return replace(demos, endings=np.where(gap, int(Ending.CONTINUES), demos.endings))


def _held_out(
    train: Demonstrations, test: Demonstrations, mdp: Any, choice: Any, search: Intentions
) -> list[dict[str, Any]]:
    """The published split: fits to its training part, scored on its test part."""
    candidates: dict[str, Any] = {
        f"table, {order} step{'s' * (order > 1)}": CountTable(order=order) for order in (1, 2, 3)
    }
    chosen = choice[choice.chosen].k
    candidates |= {f"{k} intentions": replace(search, k=k) for k in sorted({2, chosen})}
    scores = {
        name: log_likelihood(fit(train, solver, mdp), test) for name, solver in candidates.items()
    }
    first = scores["table, 1 step"]
    rows = []
    for name, score in scores.items():
        gain = difference(score, first)
        row = {"model": name, "nats": score.mean, "error": score.standard_error}
        row |= {"over_one_step": gain.mean, "over_error": gain.standard_error}
        rows.append(plain(row))
    return rows


def _intention_rows(
    solution: IntentionSolution,
    demos: Demonstrations,
    dopamine: Float[np.ndarray, " N"],
    found: dict[str, Relation],
) -> list[dict[str, Any]]:
    """One line per intention: what it is, and its relation to dopamine at the same step."""
    usual = np.bincount(demos.actions, minlength=len(SYLLABLES)) / demos.num_decisions
    stays = np.diagonal(solution.numbers["transition"])
    rows = []
    for k in range(solution.num_intentions):
        mine = solution.smoothed[:, k]
        share = np.bincount(demos.actions, mine, len(SYLLABLES)) / mine.sum()
        more = np.argsort(-share / usual)[:3]
        row: dict[str, Any] = {
            "of": solution.num_intentions,
            "intention": k + 1,
            "share": round(float(solution.occupancy[k]), 3),
            "stays": stays[k],
            "more_of": ", ".join(f"{SYLLABLES[s]} x{share[s] / usual[s]:.1f}" for s in more),
            "mean_dopamine": mine @ dopamine / mine.sum(),
        }
        for name in ("now", "beyond"):
            row[f"r_{name}"] = found[name].observed[k]
            for null, made in found[name].nulls.items():
                row[f"p_{name}_{null}"] = made.adjusted[k]
        rows.append(plain(row))
    return rows


def _syllable_rows(control: Relation) -> list[dict[str, Any]]:
    """One line per syllable: its relation to dopamine at the same step."""
    rows = []
    for s, name in enumerate(SYLLABLES):
        row: dict[str, Any] = {"syllable": name, "r": round(float(control.observed[s]), 4)}
        for null, made in control.nulls.items():
            row[f"{null}_deviation"] = round(float(made.deviation[s]), 5)
            row[f"{null}_adjusted"] = round(float(made.adjusted[s]), 4)
        rows.append(row)
    return rows


def _step_rows(found: Relation, k: int, steps: Sequence[int], what: str) -> list[dict[str, Any]]:
    """One line per intention and step, with both nulls."""
    rows = []
    for index, value in enumerate(found.observed):
        row: dict[str, Any] = {
            "intention": index // len(steps) + 1,
            what: steps[index % len(steps)],
            "value": round(float(value), 5),
        }
        for name, made in found.nulls.items():
            row[f"{name}_deviation"] = round(float(made.deviation[index]), 5)
            row[f"{name}_p"] = round(float(made.p_values[index]), 4)
            row[f"{name}_adjusted"] = round(float(made.adjusted[index]), 4)
        rows.append(row)
    assert len(rows) == k * len(steps)  # K blocks of steps
    return rows


def _sentences(
    chosen: str,
    scored: list[dict[str, Any]],
    found: dict[int, dict[str, Relation]],
    control: Relation,
) -> tuple[str, ...]:
    """How many intentions, how well they predict, and what stands after correction."""
    best = max(scored, key=lambda row: row["nats"])
    told = [
        chosen,
        f"On the published test part the best is “{best['model']}”: {best['nats']:.3f} nats per "
        f"decision (SE {best['error']:.3f}).",
        f"Syllables related to dopamine at the same step: {_counts(control)}.",
    ]
    words = {
        "now": "at the same step",
        "beyond": "beyond what syllables explain",
        "lags": "over lags",
        "changes": "around changes",
    }
    for k, families in found.items():
        parts = "; ".join(f"{words[name]} {_counts(made)}" for name, made in families.items())
        told.append(f"Of {k} intentions: {parts}.")
    told.append(
        "Counted is what is beyond the 5 % level of a family, corrected by its largest, under the "
        "shift and the exchange null."
    )
    return tuple(told)


def _counts(found: Relation) -> str:
    """How many relations stand under each null."""
    shift, exchange = (
        int((found.nulls[name].adjusted <= 0.05).sum()) for name in ("shift", "exchange")
    )
    return f"{shift} and {exchange} of {found.observed.size}"


def _shuffles(effort: Effort) -> int:
    """Shuffles of each null."""
    return 60 if effort.small else 1000
