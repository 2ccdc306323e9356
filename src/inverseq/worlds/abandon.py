"""The grid in which an animal goes for a goal and sometimes abandons it: two intentions.

Zhu, De La Crompe, Kalweit, Schneider, Kalweit, Diester and Boedecker, "Multi-intention inverse
Q-learning for interpretable behavior representation" (TMLR 2024), Section 5.1, as their released
environment and trajectories have it.

**Facts of the released environment.** 5 x 5 cells, actions stay, +x, -x, +y, -y; with probability
0.1 an action drawn from all five is carried out instead. Start (0, 0), goal (4, 4). On a *barrier*
cell, before each decision made there, the intention turns into the *other* one with probability
0.3 (so abandoning can be given up as well); in the decision t = 8, counted from 0, made elsewhere,
it becomes "abandon" with probability 0.5. The trajectory is over on arrival at the goal, or at the
origin from another cell, whichever the intention is. Each intention acts by the deterministic
optimal policy for discount 0.9 and a reward of 1 per arrival at (or stay in) the goal or the
origin. Moves of equal worth exist on the diagonal only; the released trajectories always take
`_TIES` there. Of their 1,024 trajectories the mean length is 8.11 and 18.8 % of the decisions are
"abandon".

**Their expected value difference** is the mean over all 25 states of (V* - V)^2 under the true
reward, where V is the value of the Boltzmann policy (temperature 1) of the learned Q in the world
that goes on for ever, so that staying at the goal earns (V* is 4.3 to 9.6): our
`squared_value_difference(mdp, policy, expert=..., reward=...)`. They stop their evaluations when
no value changes by 0.01, which makes the figure 0.1 to 0.5 smaller than the exact one. Counting
every decision as one intention gives 13.8 and 45.3 in this way on our simulations (14.1 and 45.9
exactly; published 13.96 and 45.55). At the goal nobody ever decides, so a learner's policy there
is a guess: an otherwise perfect policy that is uniform there has 3.1.
"""

from dataclasses import replace

import numpy as np
from jaxtyping import Float

from inverseq._core.errors import InputError
from inverseq.demonstrations import Demonstrations, Ending
from inverseq.forward.planning import policy_iteration
from inverseq.forward.simulation import outcomes, written
from inverseq.worlds.grids import ACTIONS, gridworld
from inverseq.worlds.record import World

_SIZE, _WIND = 5, 0.1
_BARRIER = ((2, 0), (2, 1), (2, 2), (1, 2), (0, 2))
_TURNS, _GIVES_UP, _PATIENCE = 0.3, 0.5, 8
"""Chance of the other intention on the barrier, of abandoning at the step `_PATIENCE`."""

_TIES = (
    {(0, 0): "down", (1, 1): "right", (2, 2): "right", (3, 3): "right"},
    {(1, 1): "left", (2, 2): "left", (3, 3): "up", (4, 4): "left"},
)
"""Move of each intention on cells of the diagonal; the last is never made in the released data."""


def goal_abandon(discount: float = 0.9) -> World:
    """The 5 x 5 grid of the goal and of abandoning it, in which nothing ends.

    Actions are those of `gridworld` with `stay` (right is +x, down is +y); marks are "start",
    "goal" and "barrier", whose cells can be entered. The MDP has no reward of its own: there are
    two, `goal_abandon_rewards`.

    Args:
        discount: gamma.
    """
    made = gridworld(
        _SIZE, _SIZE, start=(0, 0), step_reward=0.0, wind=_WIND, stay=True, discount=discount
    )
    corner = made.state_at(_SIZE - 1, _SIZE - 1)
    barrier = tuple(made.state_at(x, y) for x, y in _BARRIER)
    marks = {**made.drawing.marks, "goal": (corner,), "barrier": barrier}
    return replace(
        made,
        name="goal or abandon",
        mdp=replace(made.mdp, reward=None),
        drawing=replace(made.drawing, marks=marks),
    )


def goal_abandon_rewards(world: World) -> Float[np.ndarray, "K S A"]:
    """The two true rewards, "goal" and "abandon": the chance to arrive at, or stay in, the goal or
    the start.

    Args:
        world: Made by `goal_abandon`.

    Raises:
        InputError: The world is another one.
    """
    _check(world)
    places = (world.drawing.marks["goal"][0], world.drawing.marks["start"][0])
    return np.stack([world.mdp.expected(np.eye(world.mdp.num_states)[p]) for p in places])


def goal_abandon_experts(world: World) -> Float[np.ndarray, "K S A"]:
    """The two deterministic experts, with the released trajectories' choice among equals.

    Args:
        world: Made by `goal_abandon`.

    Raises:
        InputError: The world is another one.
    """
    experts = np.zeros((2, *world.mdp.allowed.shape))
    for k, reward in enumerate(goal_abandon_rewards(world)):
        best = policy_iteration(world.mdp, reward).policy.argmax(1)
        for (x, y), name in _TIES[k].items():
            best[world.state_at(x, y)] = ACTIONS.index(name)
        experts[k, np.arange(len(best)), best] = 1.0
    return experts


def goal_abandon_demonstrations(
    trajectories: int, *, seed: int, world: World | None = None
) -> Demonstrations:
    """Trajectories from the origin to the goal or back, simulated as the released ones were.

    They are marked as truncated, not terminated: the simulation stops there, but in the world of
    the model, and in the published values, the goal goes on to pay.

    Args:
        trajectories: How many; 1,024 in the paper.
        seed: Which random choice.
        world: Made by `goal_abandon`; made here where left out. Its discount sets the experts'.

    Returns:
        Demonstrations with the true intention of each decision, 0 "goal" or 1 "abandon", in
        `decisions["intention"]`.

    Raises:
        InputError: There are no trajectories, or the world is another one.
    """
    if trajectories < 1:
        raise InputError(f"need 1 or more trajectories; got {trajectories}")
    world = goal_abandon() if world is None else world
    mdp, marks, rng = world.mdp, world.drawing.marks, np.random.default_rng(seed)
    acts = goal_abandon_experts(world).argmax(2)
    lead = outcomes(mdp)
    barrier = np.isin(np.arange(mdp.num_states), marks["barrier"])
    goal, start = marks["goal"][0], marks["start"][0]
    alive = np.arange(trajectories)
    state, intention = np.full(trajectories, start), np.zeros(trajectories, dtype=np.int64)
    rows, step = [], 0
    while alive.size:
        chance = rng.random(alive.size)
        intention = np.where(barrier[state] & (chance < _TURNS), 1 - intention, intention)
        if step == _PATIENCE:
            intention = np.where(~barrier[state] & (chance < _GIVES_UP), 1, intention)
        action = acts[intention, state]
        reached = lead(state, action, rng)
        over = (reached == goal) | ((reached == start) & (state != start))
        ending = np.where(over, int(Ending.TRUNCATED), int(Ending.CONTINUES))
        counter = np.full_like(alive, step)
        rows.append(np.stack([alive, counter, state, action, reached, ending, intention]))
        alive, state, intention = alive[~over], reached[~over], intention[~over]
        step += 1
    return written(mdp, np.concatenate(rows, axis=1))


def _check(world: World) -> None:
    """Raise an `InputError` for another world."""
    if not {"goal", "start", "barrier"} <= {*world.drawing.marks}:
        raise InputError(f"{world.name} has no goal, start and barrier; use worlds.goal_abandon()")
