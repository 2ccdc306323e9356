"""A simulated agent in a 5 x 5 grid whose intention switches, and what it was made with."""

from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Float

from inverseq._core.arrays import freeze
from inverseq.datasets.files import bundled
from inverseq.datasets.record import Dataset
from inverseq.demonstrations import Demonstrations
from inverseq.forward import soft_policy_iteration
from inverseq.readers import read_table
from inverseq.worlds import World, gridworld

_WATER, _HOME = (3, 4), (0, 0)
_DISCOUNT = 0.95
"""Of the agent that was simulated."""


@dataclass(frozen=True, eq=False)
class SwitchingTruth:
    """What the behaviour in `switching_grid` was made with, K = 2 intentions, "water" and "home".

    Attributes:
        names: Names of the intentions, in the order of their numbers.
        rewards: `[K, S, A]` true rewards, in units of the temperature, for a discount of 0.95.
        policies: `[K, S, A]` their soft-optimal policies.
        initial: `[K]` probabilities of the first intention.
        transitions: `[S, K, K]` probabilities of the next intention, given the state in which the
            decision BEFORE was made and its intention: the law of
            `simulate_switching(..., depends_on="previous state")`. Not stored with the data;
            estimated from the true intentions, see `switching_grid_truth`.
    """

    names: tuple[str, ...]
    rewards: Float[np.ndarray, "K S A"]
    policies: Float[np.ndarray, "K S A"]
    initial: Float[np.ndarray, " K"]
    transitions: Float[np.ndarray, "S K K"]

    def __post_init__(self) -> None:
        freeze(self, np.float64, "rewards", "policies", "initial", "transitions")


def switching_grid(discount: float = _DISCOUNT) -> Dataset:
    """A simulated agent that wants water or home by turns: 500 trajectories of 500 decisions.

    States are the cells of a 5 x 5 grid without walls or end, row by row from the top left; moves
    never fail, one off the board stays. The true intention of each decision, 0 "water" or 1
    "home", is `decisions["intention"]`. It depends on the state BEFORE, above all on whether that
    was one of the two places: `decisions["at_water"]` and `["at_home"]` are 1 where the decision is
    made there, so that a law may depend on "previous at_water" and "previous at_home". The
    trajectory column "split" makes every fifth trajectory test, as in the released code, which uses
    the first 200 trajectories only ("released" is 1 there).

    Args:
        discount: gamma of the world; the agent's is 0.95.
    """
    world = _grid(discount)
    with bundled("switching_grid.parquet") as path:
        table = read_table(
            path, state="first_state", keep=("intention",), action_names=world.mdp.action_names
        )
    return Dataset(
        name="switching_grid",
        title="A simulated agent with two intentions",
        demonstrations=_walked(table, world),
        mdp=world.mdp,
        worlds={"grid": world},
        description=(
            "A simulated agent moves in a grid of 5 x 5 cells; its hidden intention, known here, "
            "switches between water and home, mostly where it has what it wants. One row is one "
            "move or stay. Every fifth trajectory is test."
        ),
        source="Simulated by Ke and others 2025 (SWIRL)",
        licence="MIT",
        citation=(
            "Ke J, Wu F, Wang J, Markowitz J, Wu A (2025). Inverse reinforcement learning with "
            "switching rewards and history dependency for characterizing animal behaviors. ICML."
        ),
        split="split",
    )


def switching_grid_truth() -> SwitchingTruth:
    """The parameters behind `switching_grid`: rewards and policies exact, switching estimated.

    The released rewards are of the present and the previous state: "water" pays 1 on each step
    that enters or leaves cell (3, 4), and nothing for staying there; "home" pays 1 whenever the
    present state is cell (0, 0). Received in the state they lead to, they are worth 0.95 to the
    decision, so that the rewards here are 0.95 times that. Policies are the soft optimum at
    discount 0.95 and temperature 1. That this is the agent was found from the data (the sources do
    not say it): given the true intentions, twice the log-likelihood that is lost against policies
    with 200 free numbers is 222.7. Fitting discount and scale as well (0.951 and 0.946) gains 3.0;
    the hard optimum loses 8,520 at its best discount and scale.

    How intentions switch is in no source. The probability depends on the intention and on the state
    of the decision before; at the two places it depends on neither the action, nor the arrival, nor
    the state before. It is estimated by counting the 249,500 steps between true intentions, with
    half an observation added to each.
    """
    dataset = switching_grid()
    demos, mdp = dataset.demonstrations, dataset.worlds["grid"].mdp
    water, home = (dataset.worlds["grid"].state_at(*cell) for cell in (_WATER, _HOME))
    here, there = np.arange(mdp.num_states)[:, None], mdp.successors[:, :, 0]
    rewards = _DISCOUNT * np.stack([(there == water) ^ (here == water), there == home])
    chosen, now = demos.decisions["intention"], np.flatnonzero(demos.continues)
    count = np.full((mdp.num_states, 2, 2), 0.5)
    np.add.at(count, (demos.states[now - 1], chosen[now - 1], chosen[now]), 1)
    first = np.bincount(chosen[demos.starts[:-1]], minlength=2)
    return SwitchingTruth(
        names=("water", "home"),
        rewards=rewards,
        policies=np.stack([soft_policy_iteration(mdp, reward).policy for reward in rewards]),
        initial=first / first.sum(),
        transitions=count / count.sum(2, keepdims=True),
    )


def _grid(discount: float) -> World:
    """The world, with its two places."""
    made = gridworld(5, 5, step_reward=0.0, stay=True, discount=discount)
    marks = {"water": (made.state_at(*_WATER),), "home": (made.state_at(*_HOME),)}
    return replace(
        made,
        name="grid of water and home",
        mdp=replace(made.mdp, reward=None),
        drawing=replace(made.drawing, marks=marks),
    )


def _walked(table: Demonstrations, world: World) -> Demonstrations:
    """The states that first states and actions lead to, which the file therefore leaves out."""
    count = table.num_trajectories
    actions = table.actions.reshape(count, -1)
    states = np.empty((count, actions.shape[1] + 1), dtype=np.int64)
    states[:, 0] = table.states[table.starts[:-1]]
    for step in range(actions.shape[1]):
        states[:, step + 1] = world.mdp.successors[states[:, step], actions[:, step], 0]
    number, here = np.arange(count), states[:, :-1].ravel()
    return replace(
        table,
        states=here,
        next_states=states[:, 1:].ravel(),
        decisions={
            "intention": table.decisions["intention"],
            "at_water": (here == world.drawing.marks["water"][0]).astype(int),
            "at_home": (here == world.drawing.marks["home"][0]).astype(int),
        },
        trajectories={
            "trajectory": number,
            "split": np.where(number % 5 == 0, "test", "train"),
            "released": (number < 200).astype(int),
        },
        state_names=(),
    )
