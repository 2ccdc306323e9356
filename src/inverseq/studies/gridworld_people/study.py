"""People in mazes, by the networks of the GridWorld study: nine mazes learned, three predicted.

Ho and others (Nature 2022), experiment 1, in the folds of the study of people: maze m is left out
in fold m modulo 4. Networks see the board as tiles, and of the past only the last move, as tiles
too.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Float, Int

from inverseq._core.errors import InputError
from inverseq.datasets import people as people_in_mazes
from inverseq.demonstrations import Demonstrations
from inverseq.evaluate.likelihood import ratio_error
from inverseq.evaluate.temperature import likeliest_temperature, log_softmax_of
from inverseq.inverse.deep.cloning import BehaviourCloning
from inverseq.inverse.deep.iq_learn import IQLearn
from inverseq.inverse.fit import fit
from inverseq.networks import Network, Planner
from inverseq.policies.network import NetworkPolicy, network_q
from inverseq.studies.gridworld_people import Settings
from inverseq.studies.gridworld_people.tiles import as_boards, turned_boards
from inverseq.studies.run import Result
from inverseq.studies.study import Effort
from inverseq.training.lessons import Lessons

KNOWN: Mapping[str, float] = {
    "uniform": -1.386,
    "straight line": -1.043,
    "shortest path": -0.624,
    "shortest path, lapses": -0.609,
    "planner of costs: step, turn, reversal, blocked": -0.375,
    "planner of costs: all": -0.370,
}
"""Nats per decision of the study of people, in the same folds."""


@dataclass(frozen=True)
class Reader:
    """One way to predict.

    Attributes:
        name: What it is.
        network: Its network.
        cloning: Whether it is cloned; by IQ-Learn otherwise.
        past: Whether it sees the last move.
        turned: Whether it also learns from every board turned and mirrored.
        lessons: How it learns.
    """

    name: str
    network: Network
    cloning: bool
    past: bool
    turned: bool
    lessons: Lessons


def readers(settings: Settings) -> tuple[Reader, ...]:
    """The ways of the study; a planner reads turned boards alike and needs none."""
    short = Lessons(settings.steps, 64, 0.03)
    blind, seeing = Planner(settings.sweeps, 4), Planner(settings.sweeps, 7)
    made = []
    for cloning in (False, True):
        kind = "cloning" if cloning else "IQ-Learn"
        made += [
            Reader(f"{kind}, planner, present only", blind, cloning, False, False, short),
            Reader(f"{kind}, planner", seeing, cloning, True, False, short),
        ]
    return tuple(made)


def run(settings: Settings, effort: Effort) -> Result:
    """Nats per decision of every way in mazes left out.

    Raises:
        InputError: There are too few folds.
    """
    return predicted(readers(settings), settings, effort)


def predicted(ways: Sequence[Reader], settings: Settings, effort: Effort) -> Result:
    """The same of these ways."""
    folds, seed = settings.folds, effort.seed
    data = people_in_mazes()
    if not 2 <= folds <= len(data.worlds):
        raise InputError(f"folds must be 2 to {len(data.worlds)}, the number of mazes; got {folds}")
    walks = data.demonstrations
    if settings.subjects is not None:
        walks = walks.take(walks.units("subject") < settings.subjects)
    fold_of = {name: i % folds for i, name in enumerate(data.worlds)}
    fold = np.array([fold_of[name] for name in walks.trajectories["world"]])
    person = walks.units("subject")[walks.trajectory_of]
    seen = {past: as_boards(walks, data.worlds, past=past) for past in {w.past for w in ways}}
    rows = []
    for number, way in enumerate(ways):
        log_p, heats, numbers = np.zeros(walks.num_decisions), [], 0
        for k in range(folds):
            train, test = seen[way.past].take(fold != k), seen[way.past].take(fold == k)
            policy, heat = learned(way, train, seed + k)
            log_p[fold[walks.trajectory_of] == k] = log_softmax_of(
                network_q(policy, test.states) / heat, test.actions
            )
            heats.append(heat)
            numbers = sum(array.size for array in policy.network.arrays)
            effort.say("mazes left out", number * folds + k + 1, len(ways) * folds)
        rows.append(_row(way, log_p, person, heats, numbers))
    every = [*rows, *(_known(name, score) for name, score in KNOWN.items())]
    best = max(rows, key=lambda row: row["nats"])
    said = (
        f"{best['method']}: {best['nats']:.3f} nats per decision in mazes left out "
        f"(SE over people {best['error']:.3f}); the planner of costs has "
        f"{KNOWN['planner of costs: all']}.",
    )
    return Result({"people": sorted(every, key=lambda row: row["nats"])}, {}, said)


def learned(way: Reader, train: Demonstrations, seed: int) -> tuple[NetworkPolicy, float]:
    """A network, and the temperature that makes the decisions it learned from most likely."""
    solver: Any = (
        BehaviourCloning(seed, network=way.network, lessons=way.lessons, num_actions=4)
        if way.cloning
        else IQLearn(
            seed,
            network=way.network,
            lessons=way.lessons,
            temperature=0.1,
            alpha=2.0,
            discount=0.97,
            num_actions=4,
        )
    )
    policy = fit(turned_boards(train) if way.turned else train, solver).policy
    assert isinstance(policy, NetworkPolicy)
    q = network_q(policy, train.states)
    return policy, likeliest_temperature(q, train.actions)


def _row(
    way: Reader,
    log_p: Float[np.ndarray, " N"],
    person: Int[np.ndarray, " N"],
    heats: Sequence[float],
    numbers: int,
) -> dict[str, Any]:
    """One line of the table."""
    error = ratio_error(np.bincount(person, log_p), np.bincount(person).astype(float))
    return {
        "method": way.name,
        "nats": round(float(log_p.mean()), 4),
        "error": round(float(error), 4),
        "numbers": numbers,
        "temperatures": " ".join(f"{heat:.2f}" for heat in heats),
    }


def _known(name: str, score: float) -> dict[str, Any]:
    """A line of the study of people."""
    return {"method": name, "nats": score, "error": None, "numbers": None, "temperatures": ""}
