"""Behaviour drawn from several policies, between which a hidden intention switches."""

from typing import Any, Literal

import numpy as np
from jaxtyping import Float

from inverseq._core.arrays import frozen_array, require_finite, require_shape
from inverseq._core.errors import InputError
from inverseq.demonstrations import Demonstrations
from inverseq.forward.records import policy_for
from inverseq.forward.simulation import beginnings, draw, walk, written
from inverseq.mdp import MDP

Dependence = Literal["state", "previous state"]
_TOLERANCE = 1e-6


def simulate_switching(
    policies: Any,
    initial: Any,
    transitions: Any,
    mdp: MDP,
    *,
    trajectories: int,
    length: int,
    seed: int,
    depends_on: Dependence = "state",
) -> Demonstrations:
    """Trajectories of K policies in `mdp`, all advanced together; which one acts switches.

    The generative model of inverse Q-learning with switching rewards (Zhu and others 2024, Section
    4) and, with switching that depends on the state, of Ke and others (2025): the first intention
    is drawn from `initial`, each later one from its predecessor's row of `transitions`, and the
    decision from the policy of the intention. Trajectories begin and end as in `simulate`.

    Args:
        policies: `[K, S, A]` probabilities of actions.
        initial: `[K]` probabilities of the intention of the first decision.
        transitions: `[K, K]` from row to column, or `[S, K, K]` where switching depends on a state.
        mdp: The world, a union of worlds, or either with history.
        trajectories: How many.
        length: Decisions of one at most.
        seed: Which random choice.
        depends_on: Which state chooses the `[K, K]` of `[S, K, K]` for the intention of decision t:
            "state", the one in which decision t is made, or "previous state", the one of decision
            t - 1 (as in the released code of Ke and others).

    Returns:
        Demonstrations with `time` as in `simulate` and the true intention of each decision, from
        0, in `decisions["intention"]`.

    Raises:
        InputError: A number is below 1, a policy is none in this world, an array has another
            shape, or probabilities do not sum to 1.
    """
    if trajectories < 1 or length < 1:
        raise InputError(f"need 1 or more trajectories and length; got {trajectories} and {length}")
    if depends_on not in ("state", "previous state"):
        raise InputError(f'depends_on must be "state" or "previous state"; got {depends_on!r}')
    acts, first, switches = _running(policies, initial, transitions, mdp)
    rng = np.random.default_rng(seed)

    def intend(
        step: int,
        which: np.ndarray,
        state: np.ndarray,
        before: np.ndarray,
        intention: np.ndarray,
        _: np.ndarray,
    ) -> np.ndarray:
        if step == 0:
            return draw(np.tile(first, (trajectories, 1)), rng)
        return draw(switches[state if depends_on == "state" else before, intention], rng)

    state = beginnings(mdp, trajectories, rng)
    return written(mdp, walk(mdp, acts, intend, rng, state, np.full(trajectories, length)))


def _running(
    policies: Any, initial: Any, transitions: Any, mdp: MDP
) -> tuple[Float[np.ndarray, "K S A"], Float[np.ndarray, " K"], Float[np.ndarray, "S K K"]]:
    """Running sums of the three arrays, after a check that they are probabilities."""
    followed = frozen_array(policies, np.float64, "policies")
    shape = (None, mdp.num_states, mdp.num_actions)
    require_shape(followed, shape, "policies", "K, S, A")
    count = len(followed)
    if count == 0:
        raise InputError("policies holds no policy; give [K, S, A] with K of 1 or more")
    acts = np.stack([np.cumsum(policy_for(mdp, policy), axis=1) for policy in followed])
    first = frozen_array(initial, np.float64, "initial")
    require_shape(first, (count,), "initial", "K")
    switches = frozen_array(transitions, np.float64, "transitions")
    if switches.ndim == 2:
        require_shape(switches, (count, count), "transitions", "K, K")
        switches = np.broadcast_to(switches, (mdp.num_states, count, count))
    require_shape(switches, (mdp.num_states, count, count), "transitions", "S, K, K")
    for name, array in (("initial", first), ("transitions", switches)):
        require_finite(array, name)
        wrong = (np.abs(array.sum(-1) - 1) > _TOLERANCE) | (array < 0).any(-1)
        if wrong.any():
            where = tuple(int(i) for i in np.argwhere(wrong)[0]) if wrong.ndim else ()
            raise InputError(
                f"{name}{list(where) or ''} = {array[where].tolist()} must be probabilities: none "
                "below 0, and a sum of 1"
            )
    return acts, np.cumsum(first), np.cumsum(switches, axis=-1)
