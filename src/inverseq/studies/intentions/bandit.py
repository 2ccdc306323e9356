"""Part "bandit": intentions of mice at two spouts, against tables that remember.

As in the published figures, trials without a choice are dropped, and the last fifth of the choices
of each session is predicted, one after the other, from everything before it in the session.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Bool, Float, Int
from matplotlib.figure import Figure

from inverseq import plot
from inverseq._core.arrays import freeze
from inverseq.datasets import bandit
from inverseq.demonstrations import Demonstrations
from inverseq.evaluate.likelihood import Score, difference, pooled
from inverseq.intentions.law import Law
from inverseq.intentions.predict import posterior
from inverseq.intentions.solution import IntentionSolution
from inverseq.intentions.solver import Intentions
from inverseq.intentions.switching import DependentMarkov, Markov
from inverseq.inverse.explanation import action_probabilities
from inverseq.inverse.fit import fit
from inverseq.inverse.problem import Solver
from inverseq.inverse.solution import Solution
from inverseq.inverse.tables.count_table import CountTable
from inverseq.inverse.values.iavi import IAVI
from inverseq.mdp import MDP
from inverseq.studies.intentions import Settings
from inverseq.studies.run import Result
from inverseq.studies.shapes import plain, score_figure
from inverseq.studies.study import Effort

STATES = ("left, no water", "left, water", "right, no water", "right, water", "start")
"""The last choice and what came of it."""

TWO_BACK = "two-back, plus 0.5"
"""The yardstick; published at -0.381."""

LAWS: dict[str, Law] = {
    "Markov": Markov(),
    "last choice and water": DependentMarkov(("state",)),
    "rate of water": DependentMarkov(("rate",)),
}

_SESSION_FOLDS = 3
_RATE = 10.0
"""Choices over which the rate of water is averaged (an exponential average)."""


@dataclass(frozen=True, eq=False)
class Trials:
    """Choices of all sessions in order, without trials that had none.

    Attributes:
        states: `[N]` last choice and its outcome, numbers of `STATES`.
        actions: `[N]` 0 left, 1 right.
        session: `[N]` from 0, U of them.
        rate: `[N]` water per choice, averaged over the choices before.
        part: `[N]` 0 in the first three quarters of what is fitted, 1 in the last, 2 test.
    """

    states: Int[np.ndarray, " N"]
    actions: Int[np.ndarray, " N"]
    session: Int[np.ndarray, " N"]
    rate: Float[np.ndarray, " N"]
    part: Int[np.ndarray, " N"]

    def __post_init__(self) -> None:
        freeze(self, None, "states", "actions", "session", "rate", "part")

    def take(self, rows: Bool[np.ndarray, " N"]) -> Demonstrations:
        """Some of the rows, one trajectory per session."""
        return Demonstrations.from_arrays(
            self.states[rows],
            self.actions[rows],
            trajectory=self.session[rows],
            decisions={"rate": self.rate[rows]},
            state_names=STATES,
            action_names=("left", "right"),
        )


def run(settings: Settings, effort: Effort) -> Result:
    """Tables and intentions with memories of 1 to 3 choices, chosen on the training part alone."""
    trials, candidates = choices(), models(settings.restarts, effort)
    tasks = [(solver, history, trials) for solver, history in candidates.values()]
    found = dict(zip(candidates, effort.each("bandit", score_model, tasks), strict=True))
    rows = [_line(name, made, found[TWO_BACK]) for name, made in found.items()]
    fitted = [row for row in rows if "intention" in row["model"]]
    chosen = max(fitted, key=lambda row: row["sessions"])
    solution = found[chosen["model"]][3]
    assert isinstance(solution, IntentionSolution)  # only those are chosen from
    return Result(
        {"scores": rows, "policies": policy_rows(solution, trials)},
        {
            "scores": draw_scores(rows, chosen["model"]),
            "session": draw_session(solution, trials),
        },
        _sentences(rows, chosen),
    )


def choices() -> Trials:
    """The choices of the data set, states carried over trials without one."""
    demos = bandit().demonstrations
    kept = demos.actions >= 0
    actions, reward = demos.actions[kept], np.asarray(demos.decisions["reward"])[kept]
    trajectory = demos.trajectory_of[kept]
    session, test = trajectory // 2, trajectory % 2 == 1  # each session is its train and test part
    first = np.append(True, session[1:] != session[:-1])
    states = np.where(first, 4, np.roll(2 * actions + reward, 1))
    part = np.where(test, 2, 0)
    for number in np.unique(session):
        rows = np.flatnonzero((session == number) & ~test)
        part[rows[int(np.ceil(0.75 * rows.size)) :]] = 1
    rate = np.zeros(actions.size)
    for row in np.flatnonzero(~first):
        rate[row] = rate[row - 1] + (reward[row - 1] - rate[row - 1]) / _RATE
    # Two digits say as much, and leave few different circumstances to compute.
    return Trials(states, actions, session, rate.round(2), part)


def world(trials: Trials) -> MDP:
    """The next state is the choice and its outcome; chances of water from what is fitted."""
    use = np.flatnonzero((trials.part < 2) & np.append(np.diff(trials.session) == 0, False))
    wet = trials.states[use + 1] % 2
    count = np.ones((5, 2, 2))
    np.add.at(count, (trials.states[use], trials.actions[use], wet), 1)
    chance = count / count.sum(2, keepdims=True)
    dense = np.zeros((5, 2, 5))
    for action in (0, 1):
        dense[:, action, 2 * action : 2 * action + 2] = chance[:, action]
    return MDP.from_dense(dense, discount=0.9, state_names=STATES, action_names=("left", "right"))


def models(restarts: int, effort: Effort) -> dict[str, tuple[Solver[Any], int]]:
    """Name -> what is fitted, and how many choices its world remembers."""
    made: dict[str, tuple[Solver[Any], int]] = {
        "one-back, plus 0.5": (CountTable(order=1, smoothing=0.5, backoff=False), 1),
        TWO_BACK: (CountTable(order=2, smoothing=0.5, backoff=False), 1),
    }
    made |= {f"table, {n} back, back-off": (CountTable(order=n), 1) for n in (2, 3, 4)}
    most = min(restarts, 5)  # the search is short of data, not of beginnings
    one = {"tolerance": 1e-4, "restarts": most, "seed": effort.seed}
    for history in (1,) if effort.small else (1, 2, 3):
        for k in (1, 2) if effort.small else (1, 2, 3):
            for name, law in LAWS.items():
                if name == "Markov" or (k > 1 and not effort.small):
                    told = f"{k} intention{'s' * (k > 1)}, {history} back" + (
                        f", {name}" if k > 1 else ""
                    )
                    made[told] = (Intentions(k, IAVI(smoothing=0.5), law, **one), history)
    if not effort.small:
        for name in ("last choice and water", "rate of water"):
            table = Intentions(2, CountTable(order=3), LAWS[name], polished=1, **one)
            made[f"2 intentions, tables of 3 back, {name}"] = (table, 1)
    return made


def score_model(
    solver: Solver[Any], history: int, trials: Trials
) -> tuple[Score, Score, Score, Solution | IntentionSolution]:
    """Scores over sessions left out of the training part, of its last quarter, and of the test
    part; and the fit to all of the training part.
    """
    given = world(trials)
    mdp = given if history == 1 else given.with_history(history)
    train = trials.part < 2
    folds = []
    for fold in range(_SESSION_FOLDS):
        out = trials.session % _SESSION_FOLDS == fold
        solution = fit(trials.take(train & ~out), solver, mdp)
        folds.append(score(solution, trials, train & out, train & out))
    early = fit(trials.take(trials.part == 0), solver, mdp)
    whole = fit(trials.take(train), solver, mdp)
    return (
        pooled(folds),
        score(early, trials, train, trials.part == 1),
        score(whole, trials, np.ones(train.size, dtype=bool), trials.part == 2),
        whole,
    )


def score(
    solution: Solution | IntentionSolution,
    trials: Trials,
    known: Bool[np.ndarray, " N"],
    scored: Bool[np.ndarray, " N"],
) -> Score:
    """Score of the rows `scored`, by session, each given those of `known` before it."""
    policy = action_probabilities(solution, trials.take(known))
    taken = policy[np.arange(len(policy)), trials.actions[known]]
    use = scored[known]
    return by_session(taken[use], trials.session[known][use], int(trials.session.max()) + 1)


def by_session(
    taken: Float[np.ndarray, " n"], session: Int[np.ndarray, " n"], num_sessions: int
) -> Score:
    """Score of choices that were expected with probabilities `taken`."""
    per = lambda values: np.bincount(session, values, num_sessions)  # noqa: E731
    return Score(
        by="session",
        sums=per(np.log(taken)),
        decisions=per(np.ones(session.size)),
        forced=np.zeros(num_sessions),
        chance=per(np.full(session.size, -np.log(2))),
        hits=per((taken > 0.5) + 0.5 * (taken == 0.5)),
    )


def policy_rows(solution: IntentionSolution, trials: Trials) -> list[dict[str, Any]]:
    """How often each intention goes right after each last choice, and its reward for going there,
    averaged over what is remembered beyond it.
    """
    beliefs = posterior(solution, trials.take(trials.part < 2)).smoothed
    states = trials.states[trials.part < 2]
    rows = []
    for k, part in enumerate(solution.intentions):
        each = action_probabilities(part, trials.take(trials.part < 2))[:, 1]
        for s, name in enumerate(STATES[:4]):
            mine = beliefs[:, k] * (states == s)
            row = {"intention": k + 1, "share": solution.occupancy[k], "after": name}
            rows.append(plain(row | {"right": mine @ each / mine.sum()}, 3))
    return rows


def draw_scores(rows: list[dict[str, Any]], chosen: str) -> Figure:
    """Scores on the test part; tables hollow, the model that training chose ringed."""
    return score_figure(
        (7.2, 0.8 + 0.19 * len(rows)),
        {row["model"]: (row["test"], row["test_error"]) for row in rows},
        ["intention" not in row["model"] for row in rows],
        chosen,
    )


def draw_session(solution: IntentionSolution, trials: Trials) -> Figure:
    """Beliefs about the longest session, given the past alone, with choices and water above."""
    longest = int(np.bincount(trials.session).argmax())
    rows = trials.session == longest
    actions, wet = trials.actions[rows], np.append(trials.states[rows][1:] % 2, 0) == 1
    beliefs = posterior(solution, trials.take(rows)).filtered
    figure, (ax,) = plot.canvas(7.2, 2.6)
    events: Mapping[str, np.ndarray] = {
        "left": np.flatnonzero(actions == 0),
        "right": np.flatnonzero(actions == 1),
        "water": np.flatnonzero(wet),
    }
    plot.intention_bands(beliefs, ax=ax, events=events, time_name="choice")
    return figure


def _line(name: str, made: tuple[Any, ...], yardstick: tuple[Any, ...]) -> dict[str, Any]:
    """One row of the table."""
    sessions, later, test, solution = made
    gain = difference(test, yardstick[2])
    return plain(
        {
            "model": name,
            "numbers": solution.num_parameters,
            "sessions": sessions.mean,
            "later": later.mean,
            "test": test.mean,
            "test_error": test.standard_error,
            "over_two_back": gain.mean,
            "over_error": gain.standard_error,
        }
    )


def _sentences(rows: list[dict[str, Any]], chosen: dict[str, Any]) -> tuple[str, ...]:
    """What training chose, and what it is worth."""
    (base,) = [row for row in rows if row["model"] == TWO_BACK]
    tables = [row for row in rows if "intention" not in row["model"]]
    best = max(tables, key=lambda row: row["sessions"])
    return (
        f"Left-out sessions of the training part choose “{chosen['model']}”: {chosen['test']:.3f} "
        f"nats per choice (SE {chosen['test_error']:.3f}) on the test part, "
        f"{chosen['over_two_back']:+.3f} (SE {chosen['over_error']:.3f}) beside two-back "
        f"({base['test']:.3f}).",
        f"Of the tables they choose “{best['model']}”: {best['test']:.3f}, "
        f"{best['over_two_back']:+.3f} (SE {best['over_error']:.3f}).",
    )
