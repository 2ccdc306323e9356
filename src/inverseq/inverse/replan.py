"""The same reward in a changed world: what a table of decisions cannot say."""

from collections.abc import Callable, Mapping
from typing import Protocol, runtime_checkable

import numpy as np
from jaxtyping import Bool, Float, Int

from inverseq._core.errors import InputError
from inverseq._core.iterate import fixed_point
from inverseq.backup import action_values, hard_value
from inverseq.forward import policy_iteration
from inverseq.forward.soft import SoftPlan, soft_plan
from inverseq.inverse.planning import soft_plans
from inverseq.inverse.reward_network import network_reward
from inverseq.inverse.solution import Solution
from inverseq.mdp import MDP, unite
from inverseq.policies import boltzmann


@runtime_checkable
class Replicates(Protocol):
    """Fits to resampled data, such as `inverseq.bootstrap` returns."""

    @property
    def converged(self) -> Bool[np.ndarray, " R"]:
        """`[R]` whether each fit did; the others are left out."""
        ...

    @property
    def rewards(self) -> Float[np.ndarray, "R S A"] | None:
        """`[R, S, A]` their rewards."""
        ...

    @property
    def parameters(self) -> Mapping[str, Float[np.ndarray, "R ..."]]:
        """Their free parameters by name, `[R, ...]`."""
        ...


def replan(
    solution: Solution,
    mdp: MDP | Mapping[str, MDP],
    *,
    bootstrap: Replicates | None = None,
    level: float = 0.95,
) -> Solution:
    """Plan in `mdp` for the reward of `solution`, as the agent that was fitted would.

    A MaxEnt agent follows the soft optimum (also one of MaxEntIRL, whose own plan has no discount);
    an IAVI or IQL agent the Boltzmann policy of the optimal values (the soft optimum where IAVI was
    fitted with the soft backup), and so does one of CIQL, among the actions that exist in `mdp`:
    forbid there what is not safe. A reward on features, a network's too, is made anew from the
    features of `mdp`. A reward on states or on state-action pairs goes with
    them: `mdp` must have the same states (other walls, transitions, discounts, forbidden actions
    are welcome), and with history its pasts must be known from the old world.

    Args:
        solution: With a reward: of IAVI, IQL or the MaxEnt solvers.
        mdp: The changed world, or name -> world for several at once.
        bootstrap: Fits to resampled data, for intervals.
        level: Share of the replicates that the intervals hold.

    Returns:
        A solution in `mdp` that predicts and scores like any other. With replicates, `parameters`
        also has "policy_low" and "policy_high" `[S, A]`, "v_low" and "v_high" `[S]`: quantiles of
        each number by itself.

    Raises:
        InputError: There is no reward to carry over, or it says nothing about some state, action
            or feature of `mdp` (the message names the first), or the replicates lack what is
            needed.
    """
    if solution.reward is None or solution.mdp is None:
        raise InputError(
            f"{solution.solver} has no reward to carry over: a table of what was done where says "
            "nothing about a changed world. Fit IAVI or MaxEnt, and replan that"
        )
    if not 0 < level < 1:
        raise InputError(f"level must be a share between 0 and 1; got {level}")
    world = unite(mdp) if isinstance(mdp, Mapping) else mdp
    carry = _carrier(solution, world)
    reward = carry(solution.reward, solution.parameters)
    hard = solution.solver in ("IQL", "CIQL") or solution.settings.get("backup") == "hard"
    plan = _hard_plan(world, reward) if hard else soft_plan(world, reward)
    parameters = dict(solution.parameters)
    if bootstrap is not None:
        rewards = _replicate_rewards(carry, bootstrap)
        make = _hard_replicates if hard else soft_plans
        parameters |= _intervals(*make(world, rewards, plan), level)
    return Solution(
        solver=solution.solver,
        settings={**solution.settings, "discount": world.discount, "replanned": True},
        policy=plan.policy,
        status=plan.status,
        mdp=world,
        reward=reward,
        q=plan.q,
        v=plan.v,
        parameters=parameters,
        num_parameters=solution.num_parameters,
        provenance=solution.provenance,
    )


Carrier = Callable[[np.ndarray | None, Mapping[str, np.ndarray]], np.ndarray]
"""From the old reward and parameters to the reward in the new world."""


def _carrier(solution: Solution, world: MDP) -> Carrier:
    """How the reward of `solution` becomes one of `world`, after all checks."""
    on = solution.settings.get("reward", "state-actions")
    old = solution.mdp
    assert old is not None  # checked by the caller
    if solution.solver == "DeepMaxEnt":
        _shared_features(old, world)
        return lambda _, parameters: network_reward(parameters, world)
    if on == "features":
        features = _shared_features(old, world)
        return lambda _, parameters: features @ parameters["weights"]
    where = _old_states(old, world)
    if on == "states":
        exists = world.allowed
        return lambda _, parameters: exists * parameters["weights"][where][:, None]
    new = world.allowed & ~old.allowed[where] & ~world.terminal[:, None]
    if new.any():
        s, a = (int(i) for i in np.argwhere(new)[0])
        raise InputError(
            f"action {a} at state {s} did not exist in the world of the fit ({int(new.sum())} such "
            'pairs), so its reward is unknown. Forbid it, or fit MaxEnt(reward="states") or '
            'MaxEnt(reward="features")'
        )
    exists = world.allowed
    return lambda reward, _: np.where(exists, reward[where], 0.0)  # pyright: ignore[reportOptionalSubscript]


def _shared_features(old: MDP, world: MDP) -> Float[np.ndarray, "S A F"]:
    """The features of the new world; 0 at actions that do not exist."""
    if world.features is None or old.features is None:
        raise InputError(
            "this reward depends on features, and the new world has none; give it the features "
            f"{list(old.feature_names)}"
        )
    same_count = world.features.shape[2] == old.features.shape[2]
    if old.feature_names != world.feature_names or not same_count:
        raise InputError(
            f"the reward depends on the features {list(old.feature_names)} "
            f"({old.features.shape[2]}); the new world has {list(world.feature_names)} "
            f"({world.features.shape[2]}). Give it the same ones in the same order"
        )
    return world.features * world.allowed[:, :, None]


def _old_states(old: MDP, world: MDP) -> Int[np.ndarray, " S"]:
    """The state of the old world that each state of the new one is."""
    hint = 'only MaxEnt(reward="features") can be carried to other states'
    if world.num_actions != old.num_actions:
        raise InputError(
            f"the reward was fitted with {old.num_actions} actions, the new world has "
            f"{world.num_actions}"
        )
    memory = [None if m.history is None else (m.history.length, m.history.of) for m in (old, world)]
    if memory[0] != memory[1]:
        call = "the world without history" if memory[0] is None else "with_history({}, of={!r})"
        raise InputError(
            "the new world must remember what the old one does: give it "
            + call.format(*(memory[0] or ()))
        )
    if _worlds(old) != _worlds(world):
        raise InputError(f"the reward belongs to the states of other worlds: {hint}")
    if old.history is None or world.history is None:
        if old.num_states != world.num_states or _differ(old.state_names, world.state_names):
            raise InputError(
                f"the reward belongs to {old.num_states} states, the new world has "
                f"{world.num_states} (or names them differently): {hint}"
            )
        return np.arange(world.num_states)
    if old.history.num_base_states != world.history.num_base_states:
        raise InputError(
            f"the reward belongs to {old.history.num_base_states} states (histories aside), the "
            f"new world has {world.history.num_base_states}: {hint}"
        )
    where = old.history.find(world.history.base, world.history.previous)
    if (where < 0).any():
        s = int(np.argmax(where < 0))
        raise InputError(
            f"state {world.history.base[s]} after {world.history.previous[s].tolist()} cannot "
            f"happen in the world of the fit ({int((where < 0).sum())} such pasts), so its reward "
            f"is unknown: {hint}"
        )
    return where


def _worlds(mdp: MDP) -> tuple | None:
    """Names and sizes of the worlds of a union."""
    return None if mdp.worlds is None else (mdp.worlds.names, mdp.worlds.offsets.tolist())


def _differ(mine: tuple[str, ...], theirs: tuple[str, ...]) -> bool:
    """Whether both have names and these are not the same."""
    return bool(mine and theirs and mine != theirs)


def _hard_plan(mdp: MDP, reward: Float[np.ndarray, "S A"]) -> SoftPlan:
    """The optimal values, and the policy that is Boltzmann in them."""
    best = policy_iteration(mdp, reward)
    policy = boltzmann(best.q, mdp.allowed)
    return SoftPlan(best.values, best.q, policy, best.status)


def _hard_replicates(
    mdp: MDP, rewards: Float[np.ndarray, "S A R"], near: SoftPlan
) -> tuple[Float[np.ndarray, "S R"], Float[np.ndarray, "S A R"]]:
    """Optimal values of many rewards by value iteration at once, and their Boltzmann policies."""
    start = np.repeat(near.v[:, None], rewards.shape[2], axis=1)
    v, status, _ = fixed_point(
        lambda v: hard_value(action_values(mdp, rewards, v), mdp.allowed),
        start,
        tolerance=1e-9,
        max_steps=100_000,
    )
    if not status.ok:
        raise InputError(f"the replicates could not be planned: {status.message}")
    return v, boltzmann(action_values(mdp, rewards, v), mdp.allowed)


def _replicate_rewards(carry: Carrier, bootstrap: Replicates) -> Float[np.ndarray, "S A R"]:
    """The rewards of the replicates in the new world, those that did not converge left out."""
    kept = np.flatnonzero(bootstrap.converged)
    old = bootstrap.rewards
    try:
        made = [
            carry(
                None if old is None else old[r], {k: v[r] for k, v in bootstrap.parameters.items()}
            )
            for r in kept
        ]
    except (KeyError, TypeError) as error:
        raise InputError(
            "the replicates have kept neither rewards nor weights; run the bootstrap of the same "
            "solver without contrasts"
        ) from error
    if not made:
        raise InputError("no replicate converged, so that there are no intervals")
    return np.stack(made, axis=-1)


def _intervals(
    v: Float[np.ndarray, "S R"], policy: Float[np.ndarray, "S A R"], level: float
) -> dict[str, np.ndarray]:
    """Quantiles of values and policies over the replicates."""
    tails = [(1 - level) / 2, (1 + level) / 2]
    policy_low, policy_high = np.quantile(policy, tails, axis=-1)
    v_low, v_high = np.quantile(v, tails, axis=-1)
    return {
        "policy_low": policy_low,
        "policy_high": policy_high,
        "v_low": v_low,
        "v_high": v_high,
    }
