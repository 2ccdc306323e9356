"""A made-up city: links with lengths and turns, and trips by a known recursive logit."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from benchmarks.measure import alone, cpu_seconds, row, seconds
from inverseq import (
    GOAL_FEATURES,
    MDP,
    Demonstrations,
    RecursiveLogit,
    Solution,
    fit,
    log_likelihood,
)
from inverseq.policies.routes import Network, Ways

WEIGHTS = np.array([-1.8, -0.6, -3.0, -0.4])
"""Of length, left turn, U-turn and each link: nats per unit."""
NAMES = ("length", "left turn", "U-turn", "link")


def city(width: int = 13, height: int = 14, diagonals: int = 26, seed: int = 0) -> MDP:
    """Streets both ways between crossings, and some diagonals one way; states are links.

    The actions of a link are the links that leave its end, in the order of their numbers.
    """
    rng = np.random.default_rng(seed)
    at = np.array([(x, y) for y in range(height) for x in range(width)], dtype=float)
    at += rng.uniform(-0.2, 0.2, at.shape)
    links = []
    for y in range(height):
        for x in range(width):
            here = y * width + x
            links += [(here, here + 1), (here + 1, here)] * (x + 1 < width)
            links += [(here, here + width), (here + width, here)] * (y + 1 < height)
    for _ in range(diagonals):
        x, y = rng.integers(width - 1), rng.integers(height - 1)
        links.append((y * width + x, (y + 1) * width + x + 1))
    tail, head = np.array(links).T
    leaving = [np.flatnonzero(tail == crossing) for crossing in range(width * height)]
    state = np.concatenate([np.full(leaving[h].size, k) for k, h in enumerate(head)])
    following = np.concatenate([leaving[h] for h in head])
    action = np.concatenate([np.arange(leaving[h].size) for h in head])
    way = at[head] - at[tail]
    angle = np.arctan2(way[:, 1], way[:, 0])
    turned = (angle[following] - angle[state] + np.pi) % (2 * np.pi) - np.pi
    back = head[following] == tail[state]
    told = np.stack(
        [
            np.hypot(*way.T)[following],
            (turned < -0.7) & ~back,  # y counts downwards, so that left is negative
            back,
            np.ones(state.size),
        ],
        axis=-1,
    )
    features = np.zeros((tail.size, int(action.max()) + 1, 4))
    features[state, action] = told
    table = {"state": state, "action": action, "next_state": following}
    return MDP.from_table(
        table | {"probability": np.ones(state.size)},
        discount=0.9,
        features=features,
        feature_names=NAMES,
        coordinates=(at[head] + at[tail]) / 2,
    )


def trips(mdp: MDP, count: int, goals: int, seed: int, weights: Any = WEIGHTS) -> Demonstrations:
    """Trips between random links, as many to each of so many destinations."""
    rng = np.random.default_rng(seed)
    network = Network.of(mdp)
    assert mdp.features is not None  # made so by `city`
    values = mdp.features @ weights
    ways = Ways.of(network, values.ravel()[network.pairs])
    wanted = rng.choice(mdp.num_states, goals, replace=False)
    goal = wanted[np.arange(count) % goals]
    towards = ways.towards(wanted)
    assert towards is not None  # every link costs something
    table = np.zeros((mdp.num_states * mdp.num_actions, goals), dtype=np.float32)
    table[network.pairs] = towards.chances()
    table = table.reshape(mdp.num_states, mdp.num_actions, goals)
    here = rng.integers(mdp.num_states, size=count)
    here = np.where(here == goal, (here + 1) % mdp.num_states, here)
    which, alive, rows = np.arange(count) % goals, np.arange(count), []
    while alive.size:
        chance = table[here, :, which].cumsum(1)
        drawn = (rng.random(alive.size)[:, None] * chance[:, -1:] >= chance).sum(1)
        action = np.minimum(drawn, mdp.num_actions - 1)
        after = mdp.successors[here, action, 0]
        rows.append(np.stack([alive, here, action, after]))
        stays = after != goal[alive]
        here, which, alive = after[stays], which[stays], alive[stays]
    flat = np.concatenate(rows, axis=1)
    trip, state, action, after = flat[:, np.argsort(flat[0], kind="stable")]
    return Demonstrations.from_arrays(
        state,
        action,
        next_states=after,
        trajectory=trip,
        terminated=after == goal[trip],
        trajectories={"destination": goal},
    )


def run(small: bool = False) -> list[dict[str, Any]]:
    """10,000 trips to 500 destinations: the fit, how sure it is, and a plain one beside it."""
    told = {"width": 5, "height": 5, "diagonals": 3} if small else {}
    mdp = city(**told)
    size, goals = (300, 20) if small else (10_000, 500)
    walks, solver = trips(mdp, size, goals, seed=1), RecursiveLogit("destination")
    found = fit(walks, solver, mdp)
    made = alone("city", "fitted", size=size, goals=goals, **told)
    towards = alone("city", "fitted", size=size, goals=goals, goal_features=GOAL_FEATURES, **told)
    ours, peak = made["seconds"], made["peak_mb"]
    off = np.abs(errors_off(found)).max()
    plain: list[float] = []
    other = cpu_seconds(lambda: plain.append(one_by_one(mdp, walks, found)))
    apart = abs(float(log_likelihood(found, walks).sums.sum()) - plain[0])
    what = f"recursive logit, {mdp.num_states} links, {goals} destinations, {size:,} trips"
    repeats = 3 if small else 25
    inside = np.concatenate(
        [
            np.abs(errors_off(fit(trips(mdp, size // 10, goals // 10, seed=9 + k), solver, mdp)))
            < 1.96
            for k in range(repeats)
        ]
    )
    return [
        row(
            what,
            f"{seconds(ours)} CPU, {peak:.0f} MB at most",
            other=f"{seconds(other)} one likelihood, plain, {apart:.1e} nats apart",
            target="120 s, 1000 MB, 1e-8 nats a decision",
            met=ours < 120 and peak < 1000 and apart < 1e-8 * walks.num_decisions,
        ),
        row(
            f"the same with {' and '.join(GOAL_FEATURES)}, a factorisation for each destination",
            f"{seconds(towards['seconds'])} CPU, {towards['peak_mb']:.0f} MB at most",
            target="120 s, 1000 MB",
            met=towards["seconds"] < 120 and towards["peak_mb"] < 1000,
        ),
        row("its weights, standard errors from the truth", f"{off:.2f} at most", met=off < 3),
        row(f"intervals of 95 % that hold the truth, {repeats} cities", f"{inside.mean():.0%}"),
    ]


def fitted(size: int, goals: int, goal_features: Sequence[str] = (), **told: int) -> dict[str, Any]:
    """CPU time of the fit, in a process that does nothing else."""
    mdp = city(**told)
    walks = trips(mdp, size, goals, seed=1)
    solver = RecursiveLogit("destination", tuple(goal_features))
    repeats = 1 if goal_features else 2
    return {"seconds": cpu_seconds(lambda: fit(walks, solver, mdp), repeats)}


def errors_off(found: Solution) -> np.ndarray:
    """How many standard errors each weight is off the truth."""
    errors = np.sqrt(np.diag(found.parameters["covariance"]))
    return (found.parameters["weights"] - WEIGHTS) / errors


def one_by_one(mdp: MDP, walks: Demonstrations, found: Solution) -> float:
    """The log-likelihood with a dense solve for each destination, as one would write it."""
    assert mdp.features is not None
    values = mdp.features @ found.parameters["weights"]
    network = Network.of(mdp)
    lift = np.exp(values.ravel()[network.pairs])
    whole = np.zeros((mdp.num_states, mdp.num_states))
    np.add.at(whole, (network.tails, network.heads), lift)
    goal_of = np.asarray(walks.trajectories["destination"])[walks.trajectory_of]
    total = 0.0
    for goal in np.unique(goal_of):
        here = goal_of == goal
        matrix = whole * (np.arange(mdp.num_states) != goal)[:, None]
        unit = (np.arange(mdp.num_states) == goal).astype(float)
        z = np.linalg.solve(np.eye(mdp.num_states) - matrix, unit)
        states, actions = walks.states[here], walks.actions[here]
        after = mdp.successors[states, actions, 0]
        total += float((values[states, actions] + np.log(z[after]) - np.log(z[states])).sum())
    return total
