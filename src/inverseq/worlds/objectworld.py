"""Objectworld: coloured objects on a windy board, whose colours decide the reward.

Levine, Popovic and Koltun, "Nonlinear Inverse Reinforcement Learning with Gaussian Processes"
(NIPS 2011), Section 6, as it was used to measure inverse Q-learning (Kalweit, Huegle, Werling and
Boedecker 2020).
"""

from dataclasses import replace
from typing import Any, Literal

import numpy as np
from jaxtyping import Bool, Float, Int

from inverseq._core.errors import InputError
from inverseq.demonstrations import Demonstrations
from inverseq.forward.planning import policy_iteration
from inverseq.forward.records import policy_for
from inverseq.forward.simulation import simulate
from inverseq.mdp import MDP
from inverseq.policies import boltzmann
from inverseq.worlds.grids import ACTIONS, STEPS, gridworld
from inverseq.worlds.record import Drawing, World

Features = Literal["continuous", "discrete"]

_ORDER = (1, 2, 3, 0, 4)
"""Our grids' actions in the order of the released experiments: right, down, left, up, stay."""

_NEAR_FIRST, _NEAR_SECOND = 3, 2
"""Steps within which an object of outer colour 0, or 1, counts as near."""


def objectworld(
    seed: int,
    *,
    size: int = 32,
    objects: int = 50,
    colours: int = 2,
    wind: float = 0.3,
    discount: float = 0.9,
    features: Features = "continuous",
    released_wind: bool = False,
) -> World:
    """A board of `size` x `size` cells with objects at random cells, each of an inner and an outer
    colour.

    The reward of a state is +1 within 3 steps (along the grid) of an object of outer colour 0 and
    within 2 steps of one of outer colour 1, -1 where only the former holds, and 0 elsewhere. Inner
    colours, and outer colours from 2 on, distract. Actions are 0 right, 1 down, 2 left, 3 up,
    4 stay; a move off the board stays. The first state is any, equally often; nothing ends.

    Features of a state, the same for all its actions: for each colour, the Euclidean distance in
    cells to the nearest object with this inner and with this outer colour (`2 * colours` numbers,
    the diagonal of the board where there is no such object), or, with features="discrete", whether
    that distance is below 1, 2, ..., size (`2 * colours * size` numbers of 0 or 1).

    `drawing.marks` has the objects as "inner i, outer o".

    Args:
        seed: Which random board.
        size: Cells in a row and in a column.
        objects: How many; each has a cell of its own.
        colours: How many different colours, 2 or more.
        wind: Probability that an action drawn from all five is carried out instead.
        discount: gamma.
        features: "continuous" or "discrete".
        released_wind: Take the transitions of the released experiments, in which the wind never
            makes a move stay, and never blows who stays against the edge; rows are normalised.

    Raises:
        InputError: A number is out of range, or the objects do not fit on the board.
    """
    if features not in ("continuous", "discrete"):
        raise InputError(f'features must be "continuous" or "discrete"; got {features!r}')
    if colours < 2:
        raise InputError(f"the reward needs 2 or more colours; got {colours}")
    if not 1 <= objects <= size * size:
        raise InputError(
            f"{objects} objects do not fit on a board of {size} x {size} cells; give 1 to "
            f"{size * size}"
        )
    rng = np.random.default_rng(seed)
    places = rng.choice(size * size, objects, replace=False)
    inner, outer = rng.integers(0, colours, (2, objects))
    board = gridworld(size, size, wind=wind, stay=True, discount=discount)
    cells = np.asarray(board.mdp.coordinates)
    shown, names = _features(cells, places, (inner, outer), colours, size, features)
    successors = board.mdp.successors[:, _ORDER]
    probabilities = board.mdp.probabilities[:, _ORDER]
    if released_wind:
        successors, probabilities = _released_wind(cells, size, wind)
    mdp = replace(
        board.mdp,
        successors=successors,
        probabilities=probabilities,
        reward=np.repeat(_reward(cells, places, outer)[:, None], len(_ORDER), axis=1),
        features=np.repeat(shown[:, None], len(_ORDER), axis=1),
        feature_names=names,
        action_names=tuple(ACTIONS[a] for a in _ORDER),
    )
    marks = {
        f"inner {i}, outer {o}": tuple(places[(inner == i) & (outer == o)].tolist())
        for i, o in sorted(set(zip(inner.tolist(), outer.tolist(), strict=True)))
    }
    settings = {"seed": int(seed), "size": int(size), "objects": int(objects)}
    settings |= {"colours": int(colours), "wind": float(wind), "discount": float(discount)}
    return World(
        name=f"Objectworld {seed}",
        mdp=mdp,
        drawing=Drawing(size, size, board.drawing.blocked, marks, np.array(STEPS)[list(_ORDER)]),
        environment="inverseq/Objectworld-v0",
        settings=settings | {"features": str(features), "released_wind": bool(released_wind)},
    )


def objectworld_expert(
    world: World, *, discount: float = 0.99, temperature: float = 0.0
) -> Float[np.ndarray, "S A"]:
    """The expert of the released experiments: optimal for a discount of its own.

    Args:
        world: Any world with a reward.
        discount: gamma of the expert; there it is 0.99, while what is learned has 0.9.
        temperature: 0 for the greedy policy (equally good actions share); above, the Boltzmann
            policy of the optimal action values, in units of the reward. The policy whose values
            the released experiments measure against has discount 0.9 and temperature 0.9: their
            action values begin with the next state's reward, and so are ours divided by the
            discount.

    Returns:
        `[S, A]` policy.

    Raises:
        InputError: The world has no reward, or the temperature is negative.
    """
    if not temperature >= 0:
        raise InputError(f"temperature must be 0 or more; got {temperature}")
    plan = policy_iteration(replace(world.mdp, discount=discount))
    return boltzmann(plan.q, world.mdp.allowed, temperature) if temperature > 0 else plan.policy


def objectworld_demonstrations(
    world: World,
    policy: Any,
    *,
    trajectories: int,
    length: int = 8,
    seed: int,
    record_wind_as_action: bool = False,
) -> Demonstrations:
    """Trajectories of `policy` in an Objectworld, from random states.

    The released experiments draw theirs in another way, `record_wind_as_action=True`: with
    probability `wind` the action that is *recorded* is drawn from the four moves instead of the
    policy, and the recorded action then always succeeds. So these demonstrations show a noisier
    policy in a world without wind, while the model that the learners get has wind.

    Args:
        world: Made by `objectworld`.
        policy: `[S, A]` probabilities of actions.
        trajectories: How many.
        length: Decisions of each.
        seed: Which random choice.
        record_wind_as_action: As above; the default lets the wind blow as the world says.

    Raises:
        InputError: A number is below 1, the policy is none in this world, or the world is no
            Objectworld.
    """
    if "objects" not in world.settings:
        raise InputError(f"{world.name} is no Objectworld; use inverseq.forward.simulate")
    followed = policy_for(world.mdp, policy)
    if record_wind_as_action:
        wind = float(world.settings["wind"])
        noise = np.array([0.25, 0.25, 0.25, 0.25, 0.0])
        followed = (1 - wind) * followed + wind * noise
        return simulate(_calm(world), followed, trajectories=trajectories, steps=length, seed=seed)
    return simulate(world.mdp, followed, trajectories=trajectories, steps=length, seed=seed)


def _calm(world: World) -> MDP:
    """The same board without wind."""
    settings = {k: v for k, v in world.settings.items() if k != "seed"}
    return objectworld(int(world.settings["seed"]), **{**settings, "wind": 0.0}).mdp


def _released_wind(
    cells: Float[np.ndarray, "S 2"], size: int, wind: float
) -> tuple[Int[np.ndarray, "S A B"], Float[np.ndarray, "S A B"]]:
    """Successor lists of the released experiments."""
    target = cells[:, None] + np.array(STEPS)[list(_ORDER)]
    blocked = ((target < 0) | (target >= size)).any(-1)
    reached = np.clip(target, 0, size - 1) @ [1, size]
    stay = len(_ORDER) - 1
    chance = np.full((len(_ORDER), len(_ORDER)), wind / len(_ORDER))
    chance += (1 - wind) * np.eye(len(_ORDER))
    chance[:stay, stay] = 0.0
    share = np.repeat(chance[None], len(cells), axis=0)
    share[:, stay][blocked] = 0.0
    successors = np.repeat(reached.astype(np.int32)[:, None], len(_ORDER), axis=1)
    return successors, share / share.sum(-1, keepdims=True)


def _reward(
    cells: Float[np.ndarray, "S 2"], places: Int[np.ndarray, " O"], outer: Int[np.ndarray, " O"]
) -> Float[np.ndarray, " S"]:
    """The reward of each state."""
    steps = np.abs(cells[:, None] - cells[places]).sum(-1)
    first: Bool[np.ndarray, " S"] = (steps[:, outer == 0] <= _NEAR_FIRST).any(1)
    second: Bool[np.ndarray, " S"] = (steps[:, outer == 1] <= _NEAR_SECOND).any(1)
    return np.where(first, np.where(second, 1.0, -1.0), 0.0)


def _features(
    cells: Float[np.ndarray, "S 2"],
    places: Int[np.ndarray, " O"],
    colour_of: tuple[Int[np.ndarray, " O"], Int[np.ndarray, " O"]],
    colours: int,
    size: int,
    kind: str,
) -> tuple[Float[np.ndarray, "S F"], tuple[str, ...]]:
    """Features of each state, and their names."""
    apart = np.linalg.norm(cells[:, None] - cells[places], axis=-1)
    columns, names = [], []
    for colour in range(colours):
        for part, of in zip(("inner", "outer"), colour_of, strict=True):
            nearest = apart[:, of == colour].min(1, initial=np.hypot(size, size))
            if kind == "continuous":
                columns.append(nearest[:, None])
                names.append(f"to {part} {colour}")
            else:
                columns.append((nearest[:, None] < np.arange(1, size + 1)).astype(float))
                names += [f"{part} {colour} within {d}" for d in range(1, size + 1)]
    return np.concatenate(columns, axis=1), tuple(names)
