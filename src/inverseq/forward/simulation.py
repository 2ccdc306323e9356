"""Behaviour drawn from a policy."""

from typing import Any

import numpy as np
from jaxtyping import Float, Int

from inverseq._core.errors import InputError
from inverseq.demonstrations import Demonstrations, Ending
from inverseq.forward.records import policy_for
from inverseq.mdp import MDP


def simulate(mdp: MDP, policy: Any, *, trajectories: int, steps: int, seed: int) -> Demonstrations:
    """Trajectories of `policy` in `mdp`, all advanced together.

    A trajectory begins at `mdp.initial` and ends where the world ends it (on arrival at a terminal
    state, in which no decision is made) or after `steps` decisions. States are written without
    their history, and in a union of worlds as the state of the trajectory's own world, which the
    column "world" names: `align` finds the states of `mdp` again.

    Args:
        mdp: The world, a union of worlds, or either with history.
        policy: `[S, A]` probabilities of actions.
        trajectories: How many.
        steps: Decisions of one at most.
        seed: Which random choice.

    Returns:
        Demonstrations with `time`, the number of the decision in its trajectory.

    Raises:
        InputError: A number is below 1, or the policy is none in this world.
    """
    if trajectories < 1 or steps < 1:
        raise InputError(f"need 1 or more trajectories and steps; got {trajectories} and {steps}")
    rng = np.random.default_rng(seed)
    acts = np.cumsum(policy_for(mdp, policy), axis=1)
    leads = np.cumsum(mdp.probabilities, axis=2)
    alive = np.arange(trajectories)
    begins = np.cumsum(mdp.initial)
    state = np.searchsorted(begins, rng.random(trajectories) * begins[-1], side="right")
    rows = []
    for step in range(steps):
        action = draw(acts[state], rng)
        following = mdp.successors[state, action, draw(leads[state, action], rng)]
        following = following.astype(np.int64)
        ended = mdp.terminal[following] | mdp.terminal[state]
        ending = np.where(ended, int(Ending.TERMINATED), int(Ending.CONTINUES))
        if step == steps - 1:
            ending = np.where(ended, ending, int(Ending.TRUNCATED))
        rows.append(np.stack([alive, np.full_like(alive, step), state, action, following, ending]))
        alive, state = alive[~ended], following[~ended]
        if not alive.size:
            break
    table = np.concatenate(rows, axis=1)
    return written(mdp, table[:, np.argsort(table[0], kind="stable")])


def draw(cumulative: Float[np.ndarray, "T K"], rng: np.random.Generator) -> Int[np.ndarray, " T"]:
    """One index per row with the probabilities whose running sums are given."""
    # Scaled by the row's own total, so that rounding cannot choose beyond the last outcome.
    point = rng.random(len(cumulative)) * cumulative[:, -1]
    return (cumulative <= point[:, None]).sum(1)


def written(mdp: MDP, table: Int[np.ndarray, "6 N"]) -> Demonstrations:
    """The table (trajectory, step, state, action, next state, ending) as demonstrations."""
    label, step, state, action, following, ending = table
    if mdp.history is not None:
        state, following = mdp.history.base[state], mdp.history.base[following]
    starts = np.append(np.flatnonzero(step == 0), label.size)
    columns = {"trajectory": label[starts[:-1]]}
    if mdp.worlds is not None:
        offsets = np.asarray(mdp.worlds.offsets)
        world = np.searchsorted(offsets, state, side="right") - 1
        state, following = state - offsets[world], following - offsets[world]
        columns["world"] = np.array(mdp.worlds.names)[world[starts[:-1]]]
    return Demonstrations(
        states=state,
        actions=action,
        next_states=following,
        endings=ending,
        starts=starts,
        time=step.astype(float),
        trajectories=columns,
        state_names=() if mdp.worlds is not None else mdp.state_names,
        action_names=mdp.action_names,
        source="simulation",
    )
