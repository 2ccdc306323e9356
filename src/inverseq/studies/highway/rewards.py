"""How much of the true reward of the road is found, by number of decisions.

What a network learned in 20,000 decisions shows is not the reward that it was given, so that nobody
could find that in it. Here the expert is planned. What a car ahead, gaps and lanes look like makes
scenes, 216 of them; how one scene follows another, and what the road pays, is counted on the ring,
from a car that changes lanes at random. That is a world of its own: its optimal values are known
exactly, the expert is Boltzmann in them, and what behaviour cannot tell (shaping,
r + v(s) - gamma E[v(s')]) is taken out of rewards exactly (`reward_correlation`). `DIQL` sees a
scene as the mean of what was observed in it, 26 numbers, and knows no transitions.

Two rows are checks of the measure itself, and must be 1: the true reward under some shaping, and
what IAVI finds in the expert's exact policy.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, Literal

import jax
import numpy as np
from jaxtyping import Float, Int

from inverseq._core.errors import InputError
from inverseq.demonstrations import Demonstrations
from inverseq.demonstrations.join import concatenate
from inverseq.evaluate.rewards import reward_correlation
from inverseq.forward.planning import policy_iteration
from inverseq.forward.simulation import simulate
from inverseq.inverse.deep.diql import DIQL
from inverseq.inverse.fit import fit
from inverseq.inverse.maxent.causal import MaxEnt
from inverseq.inverse.maxent.deep import DeepMaxEnt
from inverseq.inverse.problem import Solver
from inverseq.inverse.values.iavi import IAVI
from inverseq.mdp import MDP
from inverseq.networks import FullyConnected, trained_network
from inverseq.play.side_by_side import play_side_by_side
from inverseq.plot import canvas, curves
from inverseq.policies.tabular import boltzmann
from inverseq.studies.highway import Settings
from inverseq.studies.highway.drives import DISCOUNT, NETWORK
from inverseq.studies.run import Result
from inverseq.studies.shapes import plain
from inverseq.studies.study import Effort
from inverseq.training.lessons import Lessons
from inverseq.worlds.road_ring import RingRoad, ring_road
from inverseq.worlds.road_view import ROAD_FEATURES, SAFETY

DEEP = {"zero-mean": "DIQL", "state-only": "DIQL, of states"}
"""Gauge -> name."""
TABLES: dict[str, Solver] = {
    "IAVI": IAVI(smoothing=0.1),
    "MaxEnt, states": MaxEnt("states", strength=1.0),
    "DeepMaxEnt": DeepMaxEnt(seed=0),
}
"""What reads the scenes as numbered states, and counts how they follow each other."""
CHECKS = ("the true reward, shaped", "IAVI, exact policy")
HEAT = 0.2
"""Temperature of the planned expert, in units of the road's reward: whatever exists is done now and
then. At that of the study's other experts, 0.02, every tenth action has a probability of 1e-11."""
_ROUNDS = 10
"""Times that as many games are driven at random as are driven anywhere in the study."""
_FAR, _SLOWER, _FAST = (0.25, 0.5, 0.999), (-0.1,), (0.7, 0.9)
"""Edges of scenes: distance of the car ahead, its relative speed, own speed, as they are
observed."""
_COUNTS = (4, 2, 3, 3, 3)
"""Of each of these, and of the lanes to the left and right: none, closed, open."""


@dataclass(frozen=True, eq=False)
class Scenes:
    """The road in numbered scenes.

    Attributes:
        world: How they follow each other; with the reward in units of `HEAT`.
        seen: `[S, 26]` mean observation of each.
        visits: `[S]` times that each was met.
        policy: `[S, A]` of the planned expert.
    """

    world: MDP
    seen: Float[np.ndarray, "S 26"]
    visits: Float[np.ndarray, " S"]
    policy: Float[np.ndarray, "S A"]

    def compared(self, reward: Any) -> float:
        """Correlation of a reward with the true one, up to shaping, where scenes were met."""
        return reward_correlation(self.world, reward, visits=self.visits)


def run(settings: Settings, effort: Effort) -> Result:
    """Correlation of rewards with the true one, up to shaping, over the seeds."""
    methods = [*(DEEP[_known(gauge)] for gauge in settings.gauges), *TABLES, *CHECKS]
    seeds = [(effort.seed + n,) for n in range(settings.seeds)]
    found = np.array(effort.each("experts", partial(of_one, settings), seeds))  # [R, P, K]
    mean = found.mean(axis=0)
    spread = found.std(axis=0, ddof=1) if settings.seeds > 1 else np.zeros_like(mean)
    sizes = np.array(sorted(settings.decisions))
    rows = [
        plain({"method": method, "decisions": int(size), "correlation": c, "deviation": s}, 3)
        for method, of_mean, of_spread in zip(methods, mean.T, spread.T, strict=True)
        for size, c, s in zip(sizes, of_mean, of_spread, strict=True)
    ]
    learned = len(methods) - len(CHECKS)
    figure, (ax,) = canvas(5.2, 3.4)
    bars = spread[:, :learned].T / np.sqrt(settings.seeds)
    unit = "correlation with the true reward\n(up to shaping)"
    names = methods[:learned]
    curves(sizes, mean[:, :learned].T, bars, names, ax=ax, x_name="decisions", unit=unit)
    figure.legend(loc="outside lower center", ncols=3, fontsize=7.5, frameon=False)
    by_name = ", ".join(f"{m} {c:.2f}" for m, c in zip(methods, mean[-1], strict=True))
    told = (
        f"Correlation of the reward with that of the road, up to shaping, from {sizes[-1]:,} "
        f"decisions, over {settings.seeds} worlds and experts: {by_name}.",
    )
    return Result({"correlation": rows}, {"correlation": figure}, told)


def of_one(settings: Settings, seed: int) -> Float[np.ndarray, "P K"]:
    """Correlations in the scenes of one seed, by number of decisions and method; NaN where a fit
    diverged.
    """
    scenes = scenes_of(driven_at_random(settings, seed))
    checks = [scenes.compared(reward) for reward in checked(scenes)]
    most = -(-max(settings.decisions) // settings.moves)
    shown = simulate(
        scenes.world, scenes.policy, trajectories=most, steps=settings.moves, seed=seed
    )
    found = []
    for size in sorted(settings.decisions):
        first = shown.take(np.arange(-(-size // settings.moves)))
        line = [
            np.nan if reward is None else scenes.compared(reward)
            for gauge in settings.gauges
            for reward in (_deep(first, scenes, settings.lessons, gauge),)
        ]
        counted = _counted(first)
        for solver in TABLES.values():
            solution = fit(first, solver, counted, accept_failure=True)
            line.append(scenes.compared(np.asarray(solution.reward)))
        found.append([*line, *checks])
    return np.array(found)


def driven_at_random(settings: Settings, seed: int) -> Demonstrations:
    """Decisions of a car that takes any lane that there is, equally often."""
    road = RingRoad(cars=settings.cars, max_moves=settings.moves)
    nobody = FullyConnected(())
    player = trained_network(
        nobody, nobody.build(jax.random.key(0), (len(ROAD_FEATURES),), 3), (len(ROAD_FEATURES),), 3
    )
    rounds = [
        play_side_by_side(
            ring_road(road),
            player,
            games=settings.games,
            moves=settings.moves,
            seed=30_000 + _ROUNDS * seed + number,
            temperature=1e6,
        ).demonstrations
        for number in range(_ROUNDS)
    ]
    return concatenate(rounds)


def scenes_of(driven: Demonstrations) -> Scenes:
    """The scenes of a drive, how they follow each other and what the road paid; and who plans."""
    binned = replace(
        driven,
        states=bin_of(driven.states),
        next_states=bin_of(driven.next_states),
        feature_names=(),
        allowed=None,
    )
    world, pairs = _counted(binned), (binned.states, binned.actions)
    size = world.num_states, world.num_actions
    times, paid = np.zeros(size), np.zeros(size)
    np.add.at(times, pairs, 1.0)
    np.add.at(paid, pairs, driven.decisions["reward"] / HEAT)
    met = times.sum(axis=1)
    usual = paid.sum(axis=1) / np.maximum(met, 1)  # of actions that were never tried there
    reward = np.where(times > 0, paid / np.maximum(times, 1), usual[:, None])
    world = replace(world, reward=np.where(world.allowed, reward, 0.0))
    seen = np.zeros((size[0], driven.states.shape[1]))
    np.add.at(seen, binned.states, driven.states)
    plan = policy_iteration(world)
    return Scenes(world, seen / np.maximum(met, 1)[:, None], met, boltzmann(plan.q, world.allowed))


def checked(scenes: Scenes) -> tuple[Float[np.ndarray, "S A"], Float[np.ndarray, "S A"]]:
    """Rewards that explain the expert perfectly: `CHECKS`."""
    world, draw = scenes.world, np.random.default_rng(0)
    v = draw.normal(size=world.num_states) / HEAT
    following = (world.transition_matrix @ v).reshape(world.num_states, world.num_actions)
    assert world.reward is not None  # scenes are paid
    shaped = world.reward + v[:, None] - world.discount * following
    return shaped, IAVI().explain(scenes.policy, world).reward


def _deep(
    data: Demonstrations, scenes: Scenes, steps: int, gauge: str
) -> Float[np.ndarray, "S A"] | None:
    """What `DIQL` finds in observations, in every scene; None where it diverged."""
    told: Mapping[str, Any] = {"state_names": (), "feature_names": ROAD_FEATURES}
    measured = replace(
        data,
        states=scenes.seen[data.states],
        next_states=scenes.seen[data.next_states],
        allowed=scenes.world.allowed[data.states],
        **told,
    )
    lessons = Lessons(steps, min(64, max(data.num_decisions, 8)), 1e-3)
    solver = DIQL(0, DISCOUNT, NETWORK, gauge=_known(gauge), lessons=lessons, num_actions=3)
    solution = fit(measured, solver, accept_failure=True)
    if not solution.status.ok:
        return None
    everywhere = Demonstrations.from_arrays(scenes.seen, np.zeros(len(scenes.seen), dtype=int))
    return solution.reward_function.of_actions(everywhere)  # pyright: ignore[reportAttributeAccessIssue, reportOptionalMemberAccess]


def _known(gauge: str) -> Literal["zero-mean", "state-only"]:
    """A gauge that has a name here.

    Raises:
        InputError: It has none.
    """
    if gauge == "zero-mean" or gauge == "state-only":
        return gauge
    raise InputError(f"gauges must be of {sorted(DEEP)}; got {gauge!r}")


def bin_of(seen: Float[np.ndarray, "N 26"]) -> Int[np.ndarray, " N"]:
    """Observations as numbered scenes."""
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


def _counted(data: Demonstrations) -> MDP:
    """The world that decisions in numbered scenes show."""
    parts = np.array(np.unravel_index(np.arange(np.prod(_COUNTS)), _COUNTS)).T  # [S, 5]
    allowed = np.column_stack([np.full(len(parts), True), parts[:, 3] > 0, parts[:, 4] > 0])
    features = parts / (np.array(_COUNTS) - 1)
    told: dict[str, Any] = {
        "features": np.repeat(features[:, None], 3, axis=1),
        "allowed": allowed,
    }
    size = {"num_states": len(parts), "num_actions": 3}
    return MDP.estimate(data, discount=DISCOUNT, **size, **told)
