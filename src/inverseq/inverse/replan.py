"""The same reward in a changed world: what a table of decisions cannot say."""

from collections.abc import Callable, Mapping
from typing import Protocol, runtime_checkable

import numpy as np
from jaxtyping import Bool, Float

from inverseq._core.errors import InputError
from inverseq._core.status import Outcome, Status
from inverseq.forward.soft import SoftPlan
from inverseq.inverse.explanation import Explanation, check_explanation
from inverseq.inverse.planning import Planning, planned
from inverseq.inverse.solution import Solution
from inverseq.mdp import MDP, as_one
from inverseq.rewards import Reward


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
    solution: Explanation,
    mdp: MDP | Mapping[str, MDP],
    *,
    bootstrap: Replicates | None = None,
    level: float = 0.95,
) -> Solution:
    """Plan in `mdp` for the reward of `solution`, as the agent that was fitted would.

    How it plans is `solution.planning`: a MaxEnt agent follows the soft optimum (also one of
    MaxEntIRL, whose own plan has no discount); an IAVI or IQL agent the Boltzmann policy of the
    optimal values (the soft optimum where IAVI was fitted with the soft backup), and so does one
    of CIQL, among the actions that exist in `mdp`: forbid there what is not safe. A `Steered` agent
    keeps its habit. A reward on features, a network's too, is made anew from the features of
    `mdp`. A reward on states or on state-action pairs goes with them: `mdp` must have the same
    states (other walls, transitions, discounts, forbidden actions are welcome), and with history
    its pasts must be known from the old world.

    Args:
        solution: With a reward: of IAVI, IQL or the MaxEnt solvers.
        mdp: The changed world, or name -> world for several at once.
        bootstrap: Fits to resampled data, for intervals.
        level: Share of the replicates that the intervals hold.

    Returns:
        A solution in `mdp` that predicts and scores like any other. With replicates, `parameters`
        also has "v_low" and "v_high" `[S]` and, where the state alone decides what is done,
        "policy_low" and "policy_high" `[S, A]`: quantiles of each number by itself.

    Raises:
        InputError: There is no reward to carry over, or it says nothing about some state, action
            or feature of `mdp` (the message names the first), or the replicates lack what is
            needed.
    """
    check_explanation(solution, "replan")
    if len(solution.intentions) != 1:
        raise InputError(
            "each intention plans for a reward of its own: replan one of solution.intentions"
        )
    (one,) = solution.intentions
    if one.reward_function is not None and one.mdp is None:
        raise InputError(
            f"{one.solver} was fitted without a world, so nobody knows how its reward would be "
            "planned for. Fit it, IAVI or MaxEnt to numbered states with mdp=..., and replan that"
        )
    if one.reward_function is None or one.mdp is None:
        raise InputError(
            f"{one.solver} has no reward to carry over: a table of what was done where says "
            "nothing about a changed world. Fit IAVI or MaxEnt, and replan that"
        )
    if one.planning is None:
        raise InputError(
            f"{one.solver} does not say how its agent plans: give its Solution a planning, such as "
            "planning=inverseq.SoftOptimum()"
        )
    if not 0 < level < 1:
        raise InputError(f"level must be a share between 0 and 1; got {level}")
    world = as_one(mdp)
    if world is None:
        raise InputError("replan takes the world to plan in second: replan(solution, mdp)")
    old = one.mdp
    carry = lambda reward: reward.carry(old, world)  # noqa: E731
    reward = carry(one.reward_function)
    policy, plan = planned(one.planning, world, reward)
    parameters = dict(one.parameters)
    if bootstrap is not None and plan is None:
        raise InputError(f"{one.solver} has values for each goal; give no bootstrap")
    if bootstrap is not None and plan is not None:
        parameters |= _replicates(
            carry, one.reward_function, one.planning, world, bootstrap, plan, level
        )
    return Solution(
        solver=one.solver,
        settings={**one.settings, "discount": world.discount, "replanned": True},
        policy=policy,
        status=Status(Outcome.CONVERGED) if plan is None else plan.status,
        mdp=world,
        reward_function=reward,
        planning=one.planning,
        q=None if plan is None else plan.q,
        v=None if plan is None else plan.v,
        parameters=parameters,
        num_parameters=one.num_parameters,
        provenance=one.provenance,
    )


def _replicates(
    carry: Callable[[Reward], Reward],
    reward: Reward,
    planning: Planning,
    mdp: MDP,
    bootstrap: Replicates,
    plan: SoftPlan,
    level: float,
) -> dict[str, np.ndarray]:
    """Quantiles of values and policies over the replicates that converged."""
    kept = np.flatnonzero(bootstrap.converged)
    if not kept.size:
        raise InputError("no replicate converged, so that there are no intervals")
    old = bootstrap.rewards
    tables = [
        carry(
            reward.like(
                None if old is None else old[r],
                {k: np.asarray(v[r]) for k, v in bootstrap.parameters.items()},
            )
        ).table(mdp)
        for r in kept
    ]
    v, q = planning.values(mdp, np.stack(tables, axis=-1), plan)
    tails = [(1 - level) / 2, (1 + level) / 2]
    v_low, v_high = np.quantile(v, tails, axis=-1)
    made = {"v_low": v_low, "v_high": v_high}
    try:
        policies = [planning.policy(q[..., r], mdp).per_state(mdp) for r in range(kept.size)]
    except InputError:  # what is done depends on more than the state
        return made
    policy_low, policy_high = np.quantile(np.stack(policies, axis=-1), tails, axis=-1)
    return made | {"policy_low": policy_low, "policy_high": policy_high}
