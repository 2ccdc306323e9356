"""How much of the true reward of the road is found, by number of decisions.

Behaviour tells a reward up to shaping: r + v(s) - gamma v(s') explains it alike for every v. On
numbered states all such differences can be taken out exactly (`reward_correlation`); here v is what
random features of an observation can say. Of the true reward and of one that was found, the part
that these leave is compared, on transitions of a car that changes lanes at random.
"""

from dataclasses import replace
from functools import partial
from typing import Any, Literal

import jax
import numpy as np
from jaxtyping import Float, Int

from inverseq._core.errors import InputError
from inverseq._core.linear import unexplained
from inverseq.demonstrations import Demonstrations
from inverseq.forward.dqn import TrainedDQN, train_dqn
from inverseq.inverse.deep.diql import DIQL
from inverseq.inverse.fit import fit
from inverseq.inverse.maxent.causal import MaxEnt
from inverseq.inverse.maxent.deep import DeepMaxEnt
from inverseq.inverse.problem import Solver
from inverseq.inverse.values.iavi import IAVI
from inverseq.mdp import MDP
from inverseq.networks import action_values
from inverseq.play.side_by_side import play_side_by_side
from inverseq.plot import canvas, curves
from inverseq.plot.style import GREY
from inverseq.studies.highway import Settings
from inverseq.studies.highway.drives import (
    DISCOUNT,
    NETWORK,
    TEMPERATURE,
    demonstrated,
    expert_dqn,
    first_decisions,
)
from inverseq.studies.run import Result
from inverseq.studies.shapes import plain
from inverseq.studies.study import Effort
from inverseq.training.lessons import Lessons
from inverseq.worlds.road_ring import RingRoad, ring_road
from inverseq.worlds.road_view import KEEP, ROAD_FEATURES, SAFETY, SPEED

DEEP = {"zero-mean": "DIQL", "state-only": "DIQL, of states"}
"""Gauge -> name."""
TABLES: dict[str, Solver] = {
    "IAVI, bins": IAVI(smoothing=0.1),
    "MaxEnt, bins": MaxEnt("states", strength=1.0),
    "DeepMaxEnt, bins": DeepMaxEnt(seed=0),
}
"""What reads the observations as numbered states."""
_SHAPES = 150
"""Random features of an observation, of which v is made beside its numbers themselves."""
_FAR, _SLOWER, _FAST = (0.25, 0.5, 0.999), (-0.1,), (0.7, 0.9)
"""Edges of bins: distance of the car ahead, its relative speed, own speed, as they are observed."""
_COUNTS = (4, 2, 3, 3, 3)
"""Bins of each of these, and of the lanes to the left and right: none, closed, open."""

Transitions = Float[np.ndarray, " N"]


def run(settings: Settings, effort: Effort) -> Result:
    """Correlation of rewards with the true one, up to shaping, over the seeds."""
    methods = [*(DEEP[_known(gauge)] for gauge in settings.gauges), *TABLES]
    seeds = [(effort.seed + n,) for n in range(settings.seeds)]
    found = np.array(effort.each("experts", partial(of_one, settings), seeds))  # [R, P, K]
    mean = found.mean(axis=0)
    spread = found.std(axis=0, ddof=1) if settings.seeds > 1 else np.zeros_like(mean)
    sizes = np.array(sorted(settings.decisions))
    rows = [
        plain({"method": method, "decisions": int(size), "correlation": c, "deviation": s}, 3)
        for method, of_mean, of_spread in zip(methods, mean.T, spread.T, strict=False)
        for size, c, s in zip(sizes, of_mean, of_spread, strict=True)
    ]
    figure, (ax,) = canvas(5.2, 3.4)
    bars = spread[:, :-1].T / np.sqrt(settings.seeds)
    unit = "correlation with the true reward\n(up to shaping)"
    curves(sizes, mean[:, :-1].T, bars, methods, ax=ax, x_name="decisions", unit=unit)
    ax.axhline(mean[0, -1], color=GREY, ls="--", lw=1, label="the expert's own values")
    figure.legend(loc="outside lower center", ncols=3, fontsize=7.5, frameon=False)
    by_name = ", ".join(f"{m} {c:.2f}" for m, c in zip(methods, mean[-1], strict=False))
    told = (
        f"Correlation of the reward with that of the road, up to shaping, from {sizes[-1]:,} "
        f"decisions, over {settings.seeds} experts: {by_name}; of the reward under which the "
        f"expert's own values would be right, {mean[0, -1]:.2f}.",
    )
    return Result({"correlation": rows}, {"correlation": figure}, told)


def of_one(settings: Settings, seed: int) -> Float[np.ndarray, "P K"]:
    """Correlations of one expert: by number of decisions and method, last that of the reward of the
    expert's own values; NaN where a fit diverged.
    """
    road = RingRoad(cars=settings.cars, max_moves=settings.moves)
    for_expert, _ = jax.random.split(jax.random.key(seed))
    expert = train_dqn(expert_dqn(settings), ring_road(road), for_expert)
    shown = demonstrated(replace(settings, sizes=settings.decisions), expert, seed)
    tried = play_side_by_side(
        ring_road(road),
        expert,
        games=settings.games,
        moves=settings.moves,
        seed=30_000 + seed,
        temperature=1e6,  # any lane that there is, equally often
    ).demonstrations
    truth, rows = true_reward(tried), np.arange(tried.num_decisions)
    compared = partial(correlation_up_to_shaping, tried, truth)
    own = compared(_of_values(expert, tried))
    found = []
    for size in sorted(settings.decisions):
        first, line = first_decisions(shown, size), []
        for gauge in settings.gauges:
            lessons = Lessons(settings.lessons, min(64, max(size, 8)), 1e-3)
            solver = DIQL(
                seed, DISCOUNT, NETWORK, gauge=_known(gauge), lessons=lessons, num_actions=3
            )
            solution = fit(first, solver, accept_failure=True)
            line.append(
                compared(solution.reward_function.values(tried, None))  # pyright: ignore[reportOptionalMemberAccess]
                if solution.status.ok
                else np.nan
            )
        binned, world = in_bins(first)
        for solver in TABLES.values():
            table = np.asarray(fit(binned, solver, world, accept_failure=True).reward)
            line.append(compared(table[bin_of(tried.states), tried.actions[rows]]))
        found.append([*line, own])
    return np.array(found)


def _known(gauge: str) -> Literal["zero-mean", "state-only"]:
    """A gauge that has a name here.

    Raises:
        InputError: It has none.
    """
    if gauge == "zero-mean" or gauge == "state-only":
        return gauge
    raise InputError(f"gauges must be of {sorted(DEEP)}; got {gauge!r}")


def true_reward(driven: Demonstrations) -> Transitions:
    """What the road paid for each decision, as `RingRoad` says, in units of the temperature."""
    speed = driven.next_states[:, ROAD_FEATURES.index("own speed")] * SPEED
    earned = 1 - np.abs(speed - SPEED) / SPEED
    earned -= np.where(driven.actions == KEEP, 0.0, RingRoad.change_cost)
    return earned / TEMPERATURE


def correlation_up_to_shaping(
    driven: Demonstrations, truth: Transitions, found: Transitions
) -> float:
    """Of two rewards of transitions, once all v(s) - gamma v(s') and constants are taken out; NaN
    where nothing is left of one.
    """
    draw = np.random.default_rng(0)
    mean, spread = driven.states.mean(axis=0), driven.states.std(axis=0)
    spread = np.where(spread > 1e-6, spread, 1.0)
    weight = draw.normal(size=(driven.states.shape[1], _SHAPES)) / np.sqrt(mean.size)
    shift = draw.normal(size=_SHAPES)

    def features(states: np.ndarray) -> np.ndarray:
        seen = (states - mean) / spread
        return np.hstack([np.ones((len(seen), 1)), seen, np.tanh(2 * (seen @ weight + shift))])

    shaping = features(driven.states) - DISCOUNT * features(driven.next_states)
    both = np.column_stack([truth, found])
    left = unexplained(shaping, both)
    of_truth, of_found = left.T - left.mean(axis=0)[:, None]
    size = np.sqrt((of_truth @ of_truth) * (of_found @ of_found))
    return float(of_truth @ of_found / size) if size > 0 else np.nan


def _of_values(expert: TrainedDQN, driven: Demonstrations) -> Transitions:
    """Q(s, a) - gamma max Q(s', b): the reward under which the expert's own values are right."""
    exist = driven.next_allowed
    assert exist is not None  # the road says it
    here, there = (action_values(expert.trained, x) for x in (driven.states, driven.next_states))
    best = np.where(exist, there, -np.inf).max(axis=1)
    return here[np.arange(len(here)), driven.actions] - DISCOUNT * best


def bin_of(seen: Float[np.ndarray, "N 26"]) -> Int[np.ndarray, " N"]:
    """Observations as numbered states, 216 of them."""
    at = {name: seen[:, ROAD_FEATURES.index(name)] for name in ROAD_FEATURES}
    opened = SAFETY(seen)
    parts = [
        np.digitize(at["front distance"], _FAR),
        np.digitize(at["front speed"], _SLOWER),
        np.digitize(at["own speed"], _FAST),
        *(
            np.where(at[f"{side} front mark"] < -0.5, 0, 1 + opened[:, action])
            for action, side in ((1, "left"), (2, "right"))
        ),
    ]
    return np.asarray(np.ravel_multi_index(tuple(parts), _COUNTS))


def in_bins(data: Demonstrations) -> tuple[Demonstrations, MDP]:
    """Decisions in numbered states, and the world that they show."""
    binned = replace(
        data,
        states=bin_of(data.states),
        next_states=bin_of(data.next_states),
        feature_names=(),
        allowed=None,
    )
    parts = np.array(np.unravel_index(np.arange(np.prod(_COUNTS)), _COUNTS)).T  # [S, 5]
    allowed = np.column_stack([np.full(len(parts), True), parts[:, 3] > 0, parts[:, 4] > 0])
    features = parts / (np.array(_COUNTS) - 1)
    told: dict[str, Any] = {
        "features": np.repeat(features[:, None], 3, axis=1),
        "allowed": allowed,
    }
    size = {"num_states": len(parts), "num_actions": 3}
    return binned, MDP.estimate(binned, discount=DISCOUNT, **size, **told)
