"""One world of the Objectworld study: every method on every size of data, and changed worlds."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from time import process_time
from typing import Any

import numpy as np
from jaxtyping import Float

from inverseq.decisions.counts import count
from inverseq.evaluate.rewards import (
    expected_value_difference,
    reward_correlation,
    reward_error,
    squared_value_difference,
)
from inverseq.forward import policy_iteration
from inverseq.inverse.fit import fit
from inverseq.inverse.maxent.causal import MaxEnt
from inverseq.inverse.maxent.deep import DeepMaxEnt
from inverseq.inverse.maxent.paths import MaxEntIRL
from inverseq.inverse.problem import Solver
from inverseq.inverse.replan import replan
from inverseq.inverse.solution import Solution
from inverseq.inverse.values.iavi import IAVI, smoothed_policy
from inverseq.inverse.values.iql import IQL
from inverseq.mdp import MDP
from inverseq.policies import boltzmann, uniform
from inverseq.worlds import World, objectworld, objectworld_demonstrations, objectworld_expert

TEMPERATURE = 0.1
"""Of the honest expert, in units of the reward."""

METHODS: Mapping[str, tuple[str, Solver]] = {
    "IAVI": ("continuous", IAVI(smoothing=1e-6)),
    "IQL": ("continuous", IQL()),
    "MaxEnt, features": ("discrete", MaxEnt("features", strength=1.0)),
    "MaxEntIRL": ("discrete", MaxEntIRL("features", strength=1.0)),
    "DeepMaxEnt": ("continuous", DeepMaxEnt(seed=0)),
    "MaxEnt, states": ("continuous", MaxEnt("states", strength=1.0)),
    "IAVI, smoothed": ("continuous", IAVI(smoothing=0.1)),
    "IAVI, of states": ("continuous", IAVI(smoothing=0.1, gauge="state-only")),
    "IQL, larger steps": ("continuous", IQL(q_step=0.1, shifted_step=0.1)),
    "IQL, exact": ("continuous", IQL(method="exact")),
}
"""Features of the world, and settings. The first two have those of the released code. Where the
reward is linear, features are thresholds of distances, as in Levine and others (2011)."""

CHANGES = ("no wind", "discount 0.99", "walls")

WALLED = 0.15
"""Share of the cells that become walls."""

SCORES = ("squared", "loss", "seconds", "converged", "correlation", "error")


@dataclass(frozen=True, eq=False)
class OneWorld:
    """What one world gave under one recording; M methods, N sizes, C changes.

    Attributes:
        world: The world.
        scores: By the names in `SCORES`, `[M, N]` each.
        uniform: Squared value difference of the uniform policy.
        expert: Scores "squared" and "loss" of the expert.
        gap: Largest difference between IAVI's policy and the shares of actions in the data.
        transfer: `[M, C]` loss of planning for the found reward in the changed world.
        stale: `[M, C]` loss of the policy found before the change.
        informed: `[C]` loss of planning for the true reward at the honest temperature.
        shown: Solutions at the size of the transfer, by method.
    """

    world: World
    scores: dict[str, Float[np.ndarray, "M N"]]
    uniform: float
    expert: tuple[float, float]
    gap: float
    transfer: Float[np.ndarray, "M C"]
    stale: Float[np.ndarray, "M C"]
    informed: Float[np.ndarray, " C"]
    shown: dict[str, Solution]


def in_one_world(
    recording: str, number: int, sizes: Sequence[int], transfer_size: int, board: Mapping[str, Any]
) -> OneWorld:
    """Fit everything to everything in one world.

    Args:
        recording: "released" or "honest".
        number: Which world.
        sizes: Trajectories, ascending; smaller data are the first part of larger ones.
        transfer_size: Which of them gives the rewards that are carried to changed worlds.
        board: Arguments of `worlds.objectworld`.
    """
    released = recording == "released"
    kinds = {
        kind: objectworld(number, features=kind, released_wind=released, **board)
        for kind in ("continuous", "discrete")
    }
    world = kinds["continuous"]
    mdp = world.mdp
    expert = objectworld_expert(
        world,
        discount=0.99 if released else mdp.discount,
        temperature=0.0 if released else TEMPERATURE,
    )
    everything = objectworld_demonstrations(
        world,
        expert,
        trajectories=sizes[-1],
        seed=1_000_000 + number,  # not the stream of chance that placed the objects
        record_wind_as_action=released,
    )
    measure = measure_in(mdp)
    scores = {name: np.full((len(METHODS), len(sizes)), np.nan) for name in SCORES}
    shown: dict[str, Solution] = {}
    gap = 0.0
    for n, size in enumerate(sizes):
        data = everything.take(np.arange(size))
        for m, (name, (kind, solver)) in enumerate(METHODS.items()):
            began = process_time()
            solution = fit(data, solver, kinds[kind].mdp, accept_failure=True)
            found = {"seconds": process_time() - began, "converged": float(solution.status.ok)}
            found |= measure(solution.policy) | _of_reward(mdp, solution)
            for key, value in found.items():
                scores[key][m, n] = value
            if size == transfer_size:
                shown[name] = solution
            if name == "IAVI" and solution.q is not None:
                shares = smoothed_policy(count(data, mdp).state_action, mdp, 1e-6)
                gap = max(gap, float(np.abs(boltzmann(solution.q, mdp.allowed) - shares).max()))
    by_change = [_in_changed(number, board, change, world, shown) for change in CHANGES]
    transfer, stale, informed = (np.stack(part, axis=-1) for part in zip(*by_change, strict=True))
    whole = squared_value_difference(mdp, uniform(mdp.allowed), expert=reference_in(mdp))
    itself = measure(expert)
    return OneWorld(
        world,
        scores,
        whole,
        (itself["squared"], itself["loss"]),
        gap,
        transfer,
        stale,
        informed,
        shown,
    )


def reference_in(mdp: MDP) -> Float[np.ndarray, "S A"]:
    """The policy that the released code measures against: Boltzmann in its optimal values.

    Its Q begins with the reward of the next state, ours with that of the present one: ours is
    r(s) + gamma times theirs, so that their policy at temperature 1 is ours at temperature gamma.
    """
    return boltzmann(policy_iteration(mdp).q, mdp.allowed, mdp.discount)


def measure_in(mdp: MDP) -> Callable[[Any], dict[str, float]]:
    """How policies are scored in a world: "squared" and "loss", relative to the uniform policy.

    "squared" is against `reference_in`; "loss" is in the mean over first states, against the
    optimum.
    """
    best, reference = policy_iteration(mdp), reference_in(mdp)

    def scores(policy: Any) -> dict[str, float]:
        return {
            "squared": squared_value_difference(mdp, policy, expert=reference),
            "loss": expected_value_difference(mdp, policy, expert=best.policy),
        }

    chance = scores(uniform(mdp.allowed))
    return lambda policy: {key: value / chance[key] for key, value in scores(policy).items()}


def _of_reward(mdp: MDP, solution: Solution) -> dict[str, float]:
    """How good the reward is in what can be identified, in units of the honest temperature."""
    assert mdp.reward is not None  # Objectworlds have one
    return {
        "correlation": reward_correlation(mdp, solution.reward),
        "error": reward_error(mdp, solution.reward, mdp.reward / TEMPERATURE),
    }


def changed_world(mdp: MDP, change: str, calm: MDP, number: int) -> MDP:
    """The world after a change; the states and the reward are the same.

    Args:
        mdp: The world.
        change: One of `CHANGES`.
        calm: The same world without wind.
        number: Which random walls.
    """
    if change == "no wind":
        return replace(mdp, probabilities=calm.probabilities, successors=calm.successors)
    if change == "discount 0.99":
        return replace(mdp, discount=0.99)
    size = mdp.num_states
    wall = np.random.default_rng(2_000_000 + number).random(size) < WALLED
    here = np.arange(size)[:, None, None]
    blocked = np.where(wall[mdp.successors], here, mdp.successors)
    start = ~wall / (~wall).sum()
    return replace(mdp, successors=blocked, probabilities=mdp.probabilities, initial=start)


def _in_changed(
    number: int, board: Mapping[str, Any], change: str, world: World, shown: Mapping[str, Solution]
) -> tuple[Float[np.ndarray, " M"], Float[np.ndarray, " M"], float]:
    """Losses of replanning and of the old policy, by method, and of knowing the reward."""
    calm = objectworld(number, **{**board, "wind": 0.0}).mdp
    made = lambda mdp: changed_world(mdp, change, calm, number)  # noqa: E731
    changed = made(world.mdp)
    measure = measure_in(changed)
    losses, stale = [], []
    for solution in shown.values():
        assert solution.mdp is not None  # every method here is given its world
        losses.append(measure(replan(solution, made(solution.mdp)).policy)["loss"])
        stale.append(measure(solution.policy)["loss"])
    known = boltzmann(policy_iteration(changed).q, changed.allowed, TEMPERATURE)
    return np.array(losses), np.array(stale), measure(known)["loss"]
