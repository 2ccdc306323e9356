"""Hypothesis strategies shared by the tests: random worlds and random play in them."""

import numpy as np
from hypothesis import strategies as st

from inverseq.demonstrations import Demonstrations, Ending
from inverseq.mdp import MDP

seeds = st.integers(0, 2**32 - 1)


def random_mdp(
    rng: np.random.Generator,
    states: int,
    actions: int,
    *,
    successors: int = 3,
    masks: bool = True,
    terminals: bool = True,
    reward: bool = True,
    features: int = 0,
    discount: float = 0.9,
) -> MDP:
    """A random world; about a third of the actions do not exist and about a fifth of the states
    are terminal, where asked for. State 0 is never terminal."""
    successors = min(successors, states)
    order = rng.random((states, actions, states)).argsort(-1)[..., :successors]
    weight = rng.random(order.shape) + 0.05
    weight[..., 1:] *= rng.random(order[..., 1:].shape) < 0.7  # some have fewer successors
    allowed = np.ones((states, actions), bool)
    if masks:
        allowed = rng.random((states, actions)) < 0.67
        allowed[np.arange(states), rng.integers(0, actions, states)] = True
    terminal = np.zeros(states, bool)
    if terminals:
        terminal = rng.random(states) < 0.2
        terminal[0] = False
    return MDP(
        successors=order,
        probabilities=weight / weight.sum(-1, keepdims=True),
        discount=discount,
        initial=np.where(terminal, 0.0, 1.0) / (~terminal).sum(),
        terminal=terminal,
        allowed=allowed,
        reward=rng.normal(size=(states, actions)) if reward else None,
        features=rng.normal(size=(states, actions, features)) if features else None,
        coordinates=rng.normal(size=(states, 2)),
    )


@st.composite
def mdps(
    draw,
    *,
    max_states: int = 7,
    max_actions: int = 4,
    max_successors: int = 3,
    masks: bool = True,
    terminals: bool = True,
    reward: bool = True,
    features: int = 0,
    max_discount: float = 0.95,
) -> MDP:
    """Random worlds with actions that do not exist and terminal states, where not switched off."""
    return random_mdp(
        np.random.default_rng(draw(seeds)),
        draw(st.integers(1 if not terminals else 2, max_states)),
        draw(st.integers(1, max_actions)),
        successors=draw(st.integers(1, max_successors)),
        masks=masks,
        terminals=terminals,
        reward=reward,
        features=features,
        discount=draw(st.sampled_from([0.0, 0.5, 0.9, max_discount])),
    )


def random_policy(rng: np.random.Generator, mdp: MDP) -> np.ndarray:
    """A policy `[S, A]` that gives every allowed action some probability, and the others 0."""
    weight = (rng.random((mdp.num_states, mdp.num_actions)) + 0.05) * mdp.allowed
    return weight / weight.sum(1, keepdims=True)


def play(
    rng: np.random.Generator,
    mdp: MDP,
    policy: np.ndarray,
    *,
    trajectories: int = 5,
    length: int = 20,
    missing: float = 0.0,
    gaps: float = 0.0,
) -> Demonstrations:
    """Trajectories of `policy` in `mdp`, each until a terminal state or `length` decisions.

    Args:
        rng: Where the chance comes from.
        mdp: Without history, and not a union.
        policy: `[S, A]`.
        trajectories: How many.
        length: Decisions of one at most.
        missing: Share of the actions that were not recorded.
        gaps: Share of the rows after which the recording has a hole: the row's next state is
            forgotten and the trajectory goes on at a random state.
    """
    live = np.flatnonzero(~mdp.terminal)
    states, actions, following, endings, starts = [], [], [], [], [0]
    for _ in range(trajectories):
        state = int(rng.choice(mdp.num_states, p=mdp.initial))
        for _ in range(int(rng.integers(1, length + 1))):
            action = int(rng.choice(mdp.num_actions, p=policy[state]))
            branch = rng.choice(mdp.successors.shape[2], p=mdp.probabilities[state, action])
            states.append(state)
            actions.append(action if rng.random() >= missing else -1)
            state = int(mdp.successors[state, action, branch])
            following.append(state)
            endings.append(int(Ending.CONTINUES))
            if mdp.terminal[state]:
                endings[-1] = int(Ending.TERMINATED)
                break
            if rng.random() < gaps:
                state = int(rng.choice(live))
                following[-1], endings[-1] = -1, int(Ending.GAP)
        if endings[-1] != Ending.TERMINATED:
            endings[-1] = int(Ending.TRUNCATED)
        starts.append(len(states))
    return Demonstrations(
        states=np.array(states),
        actions=np.array(actions),
        next_states=np.array(following),
        endings=np.array(endings),
        starts=np.array(starts),
        trajectories={
            "subject": np.array([f"m{i % 3}" for i in range(trajectories)]),
            "session": np.arange(trajectories) // 2,
        },
        source="play",
    )


@st.composite
def played(
    draw, *, max_trajectories: int = 6, missing: float = 0.1, gaps: float = 0.05, **world
) -> tuple[MDP, np.ndarray, Demonstrations]:
    """A random world, a policy in it, and trajectories of that policy (see `play`)."""
    mdp = draw(mdps(**world))
    rng = np.random.default_rng(draw(seeds))
    policy = random_policy(rng, mdp)
    demonstrations = play(
        rng,
        mdp,
        policy,
        trajectories=draw(st.integers(1, max_trajectories)),
        length=draw(st.integers(1, 25)),
        missing=missing,
        gaps=gaps,
    )
    return mdp, policy, demonstrations


@st.composite
def any_demonstrations(draw, *, max_states: int = 6, max_actions: int = 4) -> Demonstrations:
    """Demonstrations that no world need allow: random numbers, lengths, endings and columns."""
    rng = np.random.default_rng(draw(seeds))
    lengths = np.array(draw(st.lists(st.integers(1, 12), min_size=1, max_size=6)))
    size = int(lengths.sum())
    label = np.repeat(np.arange(lengths.size), lengths)
    states = rng.integers(0, draw(st.integers(1, max_states)), size)
    actions = rng.integers(-1, draw(st.integers(1, max_actions)), size)
    ended = (rng.random(size) < 0.5) & np.append(label[1:] != label[:-1], True)
    return Demonstrations.from_arrays(
        states,
        actions,
        trajectory=label,
        terminated=ended,
        time=np.arange(size) / 10 if draw(st.booleans()) else None,
        decisions={"reward": rng.normal(size=size)},
        trajectories={"subject": np.array([f"m{i % 2}" for i in range(lengths.size)])},
    )


def random_counts(rng, mdp, mean=3.0):
    """`[S, A]` counts of decisions, 0 where nothing can be done."""
    live = mdp.allowed & ~mdp.terminal[:, None]
    return rng.poisson(mean, live.shape) * live * 1.0


def slope_by_differences(function, x, step=1e-5):
    """The derivative of a function of several numbers."""
    ends = [(function(x + step * e), function(x - step * e)) for e in np.eye(x.size)]
    return np.array([(up - down) / (2 * step) for up, down in ends])
