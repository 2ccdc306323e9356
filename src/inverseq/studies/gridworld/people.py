"""People in mazes, by the networks of the GridWorld study: nine mazes learned, three predicted.

Ho and others (Nature 2022), experiment 1, in the folds of the study of people: maze m is left out
in fold m modulo 4. Networks see the board as tiles, and of the past only the last move, as tiles
too.
"""

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float, Int
from scipy.optimize import minimize_scalar

from inverseq._core.errors import InputError
from inverseq._core.files import write_text
from inverseq.datasets import people as people_in_mazes
from inverseq.demonstrations import Demonstrations
from inverseq.evaluate.likelihood import ratio_error
from inverseq.inverse.deep.cloning import BehaviourCloning
from inverseq.inverse.deep.iq_learn import IQLearn
from inverseq.inverse.fit import fit
from inverseq.inverse.problem import Progress
from inverseq.networks import Network, Planner
from inverseq.policies.network import NetworkPolicy, network_q
from inverseq.studies.files import write_csv
from inverseq.studies.gridworld.record import GridWorldStudy
from inverseq.studies.gridworld.tiles import as_boards, turned_boards
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


def readers(steps: int = 500) -> tuple[Reader, ...]:
    """The ways of the study; a planner reads turned boards alike and needs none."""
    short = Lessons(steps, 64, 0.03)
    blind, seeing = Planner(30, 4), Planner(30, 7)
    made = []
    for cloning in (False, True):
        kind = "cloning" if cloning else "IQ-Learn"
        made += [
            Reader(f"{kind}, planner, present only", blind, cloning, False, False, short),
            Reader(f"{kind}, planner", seeing, cloning, True, False, short),
        ]
    return tuple(made)


def gridworld_people(
    out: str | os.PathLike,
    *,
    seed: int = 0,
    folds: int = 4,
    subjects: int | None = None,
    ways: Sequence[Reader] | None = None,
    progress: Progress | None = None,
) -> GridWorldStudy:
    """Write `people.csv` and `people.json` to a folder: nats per decision in mazes left out.

    Args:
        out: The folder; it is made where it does not exist.
        seed: Of networks and the order of decisions.
        folds: Maze m is left out in fold m modulo `folds`.
        subjects: Use the first so many people; all of them where left out.
        ways: How to predict; `readers()` where left out.
        progress: Called with (what is being done, steps done, steps in all).

    Raises:
        InputError: The folder cannot be written to, or there are too few folds.
    """
    data = people_in_mazes()
    if not 2 <= folds <= len(data.worlds):
        raise InputError(f"folds must be 2 to {len(data.worlds)}, the number of mazes; got {folds}")
    walks = data.demonstrations
    if subjects is not None:
        walks = walks.take(walks.units("subject") < subjects)
    fold_of = {name: i % folds for i, name in enumerate(data.worlds)}
    fold = np.array([fold_of[name] for name in walks.trajectories["world"]])
    person = walks.units("subject")[walks.trajectory_of]
    chosen = readers() if ways is None else tuple(ways)
    seen = {past: as_boards(walks, data.worlds, past=past) for past in {w.past for w in chosen}}
    rows = []
    for number, way in enumerate(chosen):
        log_p, heats, numbers = np.zeros(walks.num_decisions), [], 0
        for k in range(folds):
            train, test = seen[way.past].take(fold != k), seen[way.past].take(fold == k)
            policy, heat = learned(way, train, seed + k)
            log_p[fold[walks.trajectory_of] == k] = log_softmax(
                network_q(policy, test.states) / heat, test.actions
            )
            heats.append(heat)
            numbers = sum(array.size for array in policy.network.arrays)
            if progress is not None:
                progress("mazes left out", number * folds + k + 1, len(chosen) * folds)
        rows.append(_row(way, log_p, person, heats, numbers))
    tables = {"people": [*rows, *(_known(name, score) for name, score in KNOWN.items())]}
    tables["people"].sort(key=lambda row: row["nats"])
    best = max(rows, key=lambda row: row["nats"])
    said = (
        f"{best['method']}: {best['nats']:.3f} nats per decision in mazes left out "
        f"(SE over people {best['error']:.3f}); the planner of costs has "
        f"{KNOWN['planner of costs: all']}.",
    )
    folder = Path(out)
    text = json.dumps({"sentences": said, **tables}, indent=2) + "\n"
    files = (
        write_csv(folder / "people.csv", tables["people"]),
        str(write_text(folder / "people.json", text)),
    )
    return GridWorldStudy(tables, said, files)


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
    found = minimize_scalar(
        lambda log_heat: -float(log_softmax(q / np.exp(log_heat), train.actions).mean()),
        bounds=(-3.0, 3.0),
        method="bounded",
        options={"xatol": 0.01},
    )
    return policy, float(np.exp(found.x))


def log_softmax(
    q: Float[np.ndarray, "N 4"], actions: Int[np.ndarray, " N"]
) -> Float[np.ndarray, " N"]:
    """Log-probability of each action taken where chances are proportional to exp(q)."""
    above = q - q.max(1, keepdims=True)
    return above[np.arange(len(q)), actions] - np.log(np.exp(above).sum(1))


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
