"""Behaviour drawn from a policy, or from several between which an intention switches."""

from collections.abc import Callable
from typing import Any

import numpy as np
from jaxtyping import Float, Int

from inverseq._core.errors import InputError
from inverseq.demonstrations import Demonstrations, Ending
from inverseq.forward.records import policy_for
from inverseq.mdp import MDP

Intend = Callable[[int, np.ndarray, np.ndarray, np.ndarray, np.ndarray, np.ndarray], np.ndarray]
"""From the number of the step, and of each trajectory that goes on its number, the state, the state
before, the intention and the action before (-1 at first), to the intention with which it acts."""


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
    acts = np.cumsum(policy_for(mdp, policy), axis=1)[None]
    rng = np.random.default_rng(seed)
    state = beginnings(mdp, trajectories, rng)
    lengths = np.full(trajectories, steps)
    rows = walk(mdp, acts, lambda step, which, *_: np.zeros_like(which), rng, state, lengths)
    return written(mdp, rows[:6])


def beginnings(mdp: MDP, trajectories: int, rng: np.random.Generator) -> Int[np.ndarray, " T"]:
    """States drawn from those in which the world begins."""
    begins = np.cumsum(mdp.initial)
    return np.searchsorted(begins, rng.random(trajectories) * begins[-1], side="right")


def walk(
    mdp: MDP,
    acts: Float[np.ndarray, "K S A"],
    intend: Intend,
    rng: np.random.Generator,
    state: Int[np.ndarray, " T"],
    lengths: Int[np.ndarray, " T"],
) -> Int[np.ndarray, "7 n"]:
    """The rows of all trajectories, as `written` takes them, step after step.

    Args:
        mdp: The world.
        acts: `[K, S, A]` running sums of the policies.
        intend: Which of them acts.
        rng: Random choices; `intend` may draw from it too.
        state: Where each trajectory begins.
        lengths: Decisions of each at most.
    """
    lead = outcomes(mdp)
    alive, previous, intention = np.arange(state.size), state, np.zeros_like(state)
    action = np.full_like(state, -1)
    rows = []
    for step in range(int(lengths.max())):
        intention = intend(step, alive, state, previous, intention, action)
        action = draw(acts[intention, state], rng)
        reached = lead(state, action, rng)
        ended, cut = mdp.terminal[reached] | mdp.terminal[state], lengths[alive] == step + 1
        ending = np.where(cut, int(Ending.TRUNCATED), int(Ending.CONTINUES))
        ending[ended] = int(Ending.TERMINATED)
        counter = np.full_like(alive, step)
        rows.append(np.stack([alive, counter, state, action, reached, ending, intention]))
        kept = ~ended & ~cut
        alive, previous, intention = alive[kept], state[kept], intention[kept]
        state, action = reached[kept], action[kept]
        if not alive.size:
            break
    return np.concatenate(rows, axis=1)


def outcomes(mdp: MDP) -> Callable[..., Int[np.ndarray, " T"]]:
    """A function that draws the next states of states and actions, `(states, actions, rng)`."""
    lists = mdp.transitions
    first, counts = lists.indptr[:-1].astype(np.int64), np.diff(lists.indptr)
    running, longest = lists.data.copy(), np.argsort(-counts, kind="stable")
    for place in range(1, int(counts.max())):
        at = first[longest[: np.count_nonzero(counts > place)]] + place
        running[at] += running[at - 1]

    def lead(state: np.ndarray, action: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        pair = state * mdp.num_actions + action
        low, high = first[pair], first[pair] + counts[pair] - 1
        # Scaled by the list's own total, so that rounding cannot choose beyond the last outcome.
        point = rng.random(pair.size) * running[high]
        while (open_ := low < high).any():
            middle = (low + high) // 2
            beyond = running[middle] > point
            high = np.where(open_ & beyond, middle, high)
            low = np.where(open_ & ~beyond, middle + 1, low)
        return lists.indices[low].astype(np.int64)

    return lead


def draw(cumulative: Float[np.ndarray, "T K"], rng: np.random.Generator) -> Int[np.ndarray, " T"]:
    """One index per row with the probabilities whose running sums are given."""
    # Scaled by the row's own total, so that rounding cannot choose beyond the last outcome.
    point = rng.random(len(cumulative)) * cumulative[:, -1]
    return (cumulative <= point[:, None]).sum(1)


def written(mdp: MDP, rows: Int[np.ndarray, "fields n"]) -> Demonstrations:
    """The rows of all steps as demonstrations, in order of trajectory.

    Args:
        mdp: The world.
        rows: `[6 or 7, n]` trajectory, step, state, action, next state, ending and, where it is to
            be kept, the true intention.
    """
    table = rows[:, np.argsort(rows[0], kind="stable")]
    label, step, state, action, following, ending = table[:6]
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
        decisions=dict(zip(("intention",), table[6:], strict=False)),
        trajectories=columns,
        state_names=() if mdp.worlds is not None else mdp.state_names,
        action_names=mdp.action_names,
        source="simulation",
    )
