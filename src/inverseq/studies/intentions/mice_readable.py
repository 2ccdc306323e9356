"""Intentions of mice that one can read: what they do, and what their rewards pay for."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Float

from inverseq.demonstrations import Demonstrations
from inverseq.evaluate.dwell import runs_of
from inverseq.intentions.predict import posterior, sample_intentions
from inverseq.intentions.solution import IntentionSolution
from inverseq.studies.shapes import plain
from inverseq.worlds.labyrinths import LEVELS
from inverseq.worlds.record import World

_LONG_AGO = 7
"""Bin of "since node" from which the node was not visited for more than 64 decisions."""
_BINS = 11
_DRAWS, _SEED = 10, 0
"""Paths drawn from the posterior, for how long intentions last."""
_MUCH = 1.5
"""How many times the others' share makes a name."""


@dataclass(frozen=True, eq=False)
class Reading:
    """What each of K intentions does, and what it pays for.

    Attributes:
        names: "ports", "explore" and "patrol" where the numbers say so; "intention 3" otherwise.
        rows: One per intention, most frequent first.
        weights: One row per feature of the rewards, less their mean over intentions.
        places: `[127, K]` what arriving at each node is worth, less the mean over intentions.
    """

    names: tuple[str, ...]
    rows: list[dict[str, Any]]
    weights: list[dict[str, Any]]
    places: Float[np.ndarray, "nodes K"]


def read_intentions(
    solution: IntentionSolution, demonstrations: Demonstrations, world: World
) -> Reading:
    """What a fit with rewards on features of the labyrinth says.

    Args:
        solution: Of rewards on the features of `labyrinth_features`, "places" among them.
        demonstrations: With the columns of `labyrinth_contexts`.
        world: The labyrinth.
    """
    beliefs = posterior(solution, demonstrations)
    done = _done(demonstrations, world)
    weight = beliefs.smoothed / beliefs.smoothed.sum(axis=0)
    shares = {name: weight.T @ moves for name, moves in done.items()}
    names = names_of(shares)
    # The most likely path as a whole leaves out short runs; paths drawn from the posterior do not.
    begins = solution.switching.begins(demonstrations)
    drawn = sample_intentions(solution, demonstrations, _DRAWS, _SEED)
    runs = [runs_of(path, begins) for path in drawn]
    length = np.concatenate([one.length for one in runs])
    which = np.concatenate([one.intention for one in runs])
    ended = np.concatenate([one.ended for one in runs])
    rows: list[dict[str, Any]] = []
    for k, name in enumerate(names):
        stay = float(solution.numbers["transition"][k, k])
        lasts = length[which == k].sum() / max(ended[which == k].sum(), 1)
        row = {"intention": name, "share": beliefs.smoothed[:, k].mean()}
        row |= plain({"lasts": lasts, "lasts_by_law": 1 / (1 - stay) if stay < 1 else None}, 1)
        rows.append(plain(row | {what: values[k] for what, values in shares.items()}, 3))
    centred = _centred(solution)
    mdp = solution.mdp
    assert mdp is not None  # a reward on features needs a world
    weights = [
        plain({"feature": name} | dict(zip(names, line, strict=True)), 3)
        for name, line in zip(mdp.feature_names, centred, strict=True)
    ]
    numbers = {name: row for row, name in enumerate(mdp.feature_names)}
    places = centred[[numbers[f"at {node}"] for node in range(world.mdp.num_states)]]
    return Reading(names, rows, weights, places)


def _done(data: Demonstrations, world: World) -> Mapping[str, Float[np.ndarray, " N"]]:
    """What each decision was, as numbers whose means are shares of the decisions."""
    states, actions = data.states, data.actions
    level = np.log2(states + 1).astype(np.int64)
    target = world.mdp.successors[:, :, 0][states, actions]
    leaves = (states == 0) & (target == 0)
    bins = np.stack([np.asarray(data.decisions[f"since node {a}"]) for a in range(4)], axis=1)
    taken = bins[np.arange(states.size), actions] % _BINS
    inner = (level > 0) & (level < LEVELS)
    return {
        "to_water": (target == world.drawing.marks["water"][0]).astype(float),
        "to_home": ((target == 0) & ~leaves).astype(float),
        "leaves": leaves.astype(float),
        "to_ends": (target >= 2**LEVELS - 1).astype(float),
        "long_unseen": ((taken >= _LONG_AGO) & ~leaves).astype(float),
        "back_out": (inner & (actions >= 2)).astype(float),
        "level": level.astype(float),
    }


def names_of(shares: Mapping[str, Float[np.ndarray, " K"]]) -> tuple[str, ...]:
    """Names that the numbers justify.

    "ports" goes to water and home `_MUCH` times as often as each other intention; "explore" goes to
    nodes unseen for long at least so much more often than each that is not "ports"; "patrol" keeps
    away from home and from nodes unseen for long, each at most 1 / `_MUCH` of every other one.

    Args:
        shares: "to_water", "to_home" and "long_unseen": `[K]` shares of the decisions.
    """
    ports = shares["to_water"] + shares["to_home"]
    names = [f"intention {k + 1}" for k in range(ports.size)]
    if ports.size == 1:
        return tuple(names)
    first, second = np.argsort(-ports)[:2]
    rest = list(range(ports.size))
    if ports[first] >= _MUCH * ports[second]:
        names[first] = "ports"
        rest.remove(int(first))
    unseen = shares["long_unseen"]
    by_unseen = sorted(rest, key=lambda k: -unseen[k])
    if len(rest) > 1 and unseen[by_unseen[0]] >= _MUCH * unseen[by_unseen[1]]:
        names[by_unseen[0]] = "explore"
    for what in (unseen * (shares["to_home"] + 1e-9),):
        last = int(np.argmin(what))
        others = np.delete(np.arange(ports.size), last)
        near = _MUCH * unseen[last] <= unseen[others].min()
        inside = _MUCH * shares["to_home"][last] <= shares["to_home"][others].min()
        if near and inside:
            names[last] = "patrol"
    return tuple(names)


def _centred(solution: IntentionSolution) -> Float[np.ndarray, "F K"]:
    """Weights of the features less their mean over intentions: what tells them apart."""
    weights = np.stack([part.parameters["weights"] for part in solution.intentions], axis=1)
    return weights - weights.mean(axis=1, keepdims=True)


def most_telling(solution: IntentionSolution, data: Demonstrations) -> int:
    """The trajectory whose shares of the intentions are most even."""
    beliefs = posterior(solution, data).smoothed
    number = data.num_trajectories
    sums = np.stack(
        [np.bincount(data.trajectory_of, column, number) for column in beliefs.T], axis=1
    )
    shares = sums / sums.sum(axis=1, keepdims=True)
    return int(np.argmin((shares**2).sum(axis=1)))


def top_places(reading: Reading, count: int = 5) -> Sequence[dict[str, Any]]:
    """Nodes that each intention goes to more, and less, than the others."""
    made = []
    for k, name in enumerate(reading.names):
        order = np.argsort(-reading.places[:, k])
        for rank, node in enumerate([*order[:count], *order[-count:]]):
            kind = "sought" if rank < count else "avoided"
            row = {"intention": name, "kind": kind, "node": node}
            made.append(plain(row | {"worth": reading.places[node, k]}, 3))
    return made
