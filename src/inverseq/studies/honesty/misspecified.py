"""What each flaw of an agent does to the reward that each solver finds, and what notices it."""

from dataclasses import replace
from functools import partial
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Float
from matplotlib.figure import Figure

from inverseq import plot
from inverseq._core.errors import InputError
from inverseq.demonstrations import Demonstrations
from inverseq.evaluate.likelihood import log_likelihood
from inverseq.evaluate.rewards import reward_correlation
from inverseq.evaluate.split_checks import LAST_ACTION, STATE, STEP, check_by
from inverseq.forward import Flawed, policy_evaluation, soft_policy_iteration
from inverseq.inverse.fit import fit
from inverseq.inverse.maxent.causal import MaxEnt
from inverseq.inverse.maxent.planner import Planner
from inverseq.inverse.tables.column_logit import ColumnLogit
from inverseq.inverse.tables.steered import Steered
from inverseq.inverse.values.iavi import IAVI
from inverseq.mdp import MDP
from inverseq.policies import uniform
from inverseq.studies.honesty import Settings
from inverseq.studies.run import Result
from inverseq.studies.study import Effort
from inverseq.worlds import gridworld

DISCOUNTS = (0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.97)

FLAWS = {
    "none": Flawed(),
    "myopic": Flawed(discount=0.5),
    "hyperbolic": Flawed(hyperbola=1.0),
    "lapses": Flawed(lapse=0.2),
    "perseveration": Flawed(perseveration=1.0),
    "slow values": Flawed(sweeps=3),
    "wrong world": Flawed(slip=0.5),
}
"""Name -> agent."""

SOLVERS: dict[str, Any] = {
    "MaxEnt features": MaxEnt("features", strength=1.0),
    "MaxEnt states": MaxEnt("states", strength=1.0),
    "IAVI": IAVI(backup="soft", gauge="state-only"),
    "lapse fitted": Planner("features", lapse=True),
    "discount fitted": Planner("features", discounts=DISCOUNTS),
    "last action beside": Steered(
        ColumnLogit(("last",), (1.0,)), "features", strength=1.0, jointly=True
    ),
}
"""Name -> solver; the last three are remedies."""

CUTS = (LAST_ACTION, STEP, STATE)


class Board(NamedTuple):
    """A world, what is wanted in it, and the same reward behind other moves."""

    mdp: MDP
    reward: Float[np.ndarray, "S A"]
    other: MDP


def board(seed: int, width: int) -> Board:
    """A square of cells with four features each; in the other world each action leads elsewhere."""
    rng = np.random.default_rng(seed)
    mdp = gridworld(width, width, slip=0.1).mdp
    here = rng.normal(size=(mdp.num_states, 1, 4))
    features = np.repeat(here, mdp.num_actions, axis=1)
    mdp = replace(mdp, features=features, reward=None, discount=0.9)
    turned = np.arange(mdp.num_states * 4).reshape(-1, 4)[:, [1, 2, 3, 0]].ravel()
    other = replace(mdp, transitions=mdp.transitions[turned])
    return Board(mdp, features @ rng.normal(size=4), other)


def judged(seed: int, flaw: str, *, width: int, walks: int, steps: int) -> list[dict[str, Any]]:
    """What every solver makes of one agent."""
    made, agent = board(seed, width), FLAWS[flaw]
    train, test = (
        _with_last(agent.behave(made.mdp, made.reward, trajectories=n, steps=steps, seed=s))
        for n, s in ((walks, 2 * seed), (walks // 2, 2 * seed + 1))
    )
    best = _true_score(agent, made, test)
    rows = []
    for name, solver in SOLVERS.items():
        found = fit(train, solver, made.mdp)
        noticed = [cut for cut in CUTS if check_by(found, test, cut).p_value * len(CUTS) < 0.05]
        rows.append({
            "flaw": flaw,
            "solver": name,
            "correlation": reward_correlation(
                made.mdp, found.reward, made.reward, equivalence="constant"
            ),
            "size": float(found.reward.std() / made.reward.std()),
            "value_kept": _kept(made, found.reward),
            "short_of_truth": float(log_likelihood(found, test)) - best,
            **{f"noticed by {cut}": float(cut in noticed) for cut in CUTS},
        })  # fmt: skip
    return rows


def run(settings: Settings, effort: Effort) -> Result:
    """Every flaw, in as many worlds.

    Raises:
        InputError: There is no such flaw.
    """
    if unknown := [flaw for flaw in settings.flaws if flaw not in FLAWS]:
        raise InputError(f"there is no flaw {unknown[0]!r}; there are {', '.join(FLAWS)}")
    tasks = [(effort.seed + n, flaw) for flaw in settings.flaws for n in range(settings.worlds)]
    work = partial(judged, width=settings.width, walks=settings.walks, steps=settings.steps)
    each = [row for rows in effort.each("agents", work, tasks) for row in rows]
    rows = []
    for flaw in settings.flaws:
        for solver in SOLVERS:
            own = [row for row in each if (row["flaw"], row["solver"]) == (flaw, solver)]
            numbers = [name for name in own[0] if name not in ("flaw", "solver")]
            means = {name: round(float(np.mean([row[name] for row in own])), 4) for name in numbers}
            rows.append({"flaw": flaw, "solver": solver, **means})
    return Result({"flaws": rows}, {"flaws": drawn(rows, settings, effort.seed)}, _sentences(rows))


def drawn(rows: list[dict[str, Any]], settings: Settings, seed: int) -> Figure:
    """The value kept by flaw and solver, and the profile of the discount of a myopic agent."""
    table = np.array([row["value_kept"] for row in rows]).reshape(-1, len(SOLVERS))
    figure, (left, right) = plot.canvas(9.0, 3.4, columns=2)
    label = "share of the value kept elsewhere"
    plot.state_action_map(table, settings.flaws, [*SOLVERS], scale="plain", label=label, ax=left)
    myopic = board(seed, settings.width)
    data = FLAWS["myopic"].behave(
        myopic.mdp, myopic.reward, trajectories=settings.walks, steps=settings.steps, seed=0
    )
    profile = fit(data, SOLVERS["discount fitted"], myopic.mdp).settings["profile"]
    nats = np.array([[profile[f"{d:g}"] for d in DISCOUNTS]])
    plot.curves(
        np.array(DISCOUNTS), nats, np.zeros_like(nats), ["myopic, 0.5"],
        x_name="discount tried", unit="nats per decision", ax=right,
    )  # fmt: skip
    right.set_xscale("linear")
    right.set_xticks([0.2, 0.4, 0.6, 0.8], ["0.2", "0.4", "0.6", "0.8"])
    return figure


def _sentences(rows: list[dict[str, Any]]) -> tuple[str, ...]:
    """What the flaws do to the plain solver, and what a remedy gives back."""
    of = {(row["flaw"], row["solver"]): row for row in rows}
    made = []
    for flaw in dict.fromkeys(row["flaw"] for row in rows):
        plain = of[flaw, "MaxEnt features"]
        remedy = max(SOLVERS, key=lambda solver: of[flaw, solver]["short_of_truth"])
        made.append(
            f"{flaw}: MaxEnt on features finds a reward that correlates "
            f"{plain['correlation']:.2f} with the true one, has {plain['size']:.2f} times its size "
            f"and keeps {plain['value_kept']:.0%} of the value in another world; closest to the "
            f"agent comes {remedy} ({of[flaw, remedy]['short_of_truth']:.3f} nats short of it)."
        )
    return tuple(made)


def _with_last(data: Demonstrations) -> Demonstrations:
    """The same with the last action as a column, one more than there are at beginnings."""
    last = np.where(data.step == 0, data.num_actions, np.append(0, data.actions[:-1]))
    return replace(data, decisions={"last": last})


def _true_score(agent: Flawed, made: Board, data: Demonstrations) -> float:
    """Nats per decision of the agent itself."""
    chances = agent.policy(made.mdp, made.reward)[data.states]
    last = data.decisions["last"]
    rows = np.flatnonzero(last < made.mdp.num_actions)
    chances[rows, last[rows]] *= np.exp(agent.perseveration)
    chances /= chances.sum(axis=1, keepdims=True)
    return float(np.log(chances[np.arange(len(last)), data.actions]).mean())


def _kept(made: Board, found: Float[np.ndarray, "S A"]) -> float:
    """Value of planning for the reward found in the other world, from 0 (chance) to 1 (the true
    reward's).
    """
    worth = lambda policy: policy_evaluation(made.other, policy, made.reward).values.mean()  # noqa: E731
    chance = worth(uniform(made.other.allowed))
    planned, best = (
        worth(soft_policy_iteration(made.other, reward).policy) for reward in (found, made.reward)
    )
    return float((planned - chance) / (best - chance))
