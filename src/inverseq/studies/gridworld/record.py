"""What the GridWorld study is about: grid types, published numbers, trials."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Float

from inverseq.policies.network import NetworkPolicy
from inverseq.worlds.game_rules import RANDOM_WALLS, RANDOM_WIN, STATIC_WALLS, GridWorldRules

FAITHFUL, OURS = "faithful", "ours"
"""The settings of the 2023 study, and our best."""

DQN_NAME, IQ_NAME, CLONING_NAME = "DQN", "IQ-Learn", "cloning"

PUBLISHED: Mapping[tuple[str, str], float] = {
    ("static walls", DQN_NAME): 1.11,
    ("static walls", IQ_NAME): 1.29,
    ("static walls", "person"): 1.00,
    ("static walls", "random"): 14.2,
    ("random walls", DQN_NAME): 3.97,
    ("random walls", IQ_NAME): 2.63,
    ("random walls", "person"): 1.02,
    ("random walls", "random"): 14.1,
    ("random win", DQN_NAME): 20.3,
    ("random win", IQ_NAME): 15.8,
    ("random win", "person"): 1.03,
    ("random win", "random"): 17.2,
}
"""Mean distance ratios of Aubuchon and Ho (2023): DQN and IQ-Learn from the last 50 testing blocks
of the stored results, the person from the text, the random agent read off a plot by eye."""


@dataclass(frozen=True)
class Grid:
    """One grid type of the study.

    Attributes:
        name: As in `PUBLISHED`.
        rules: Of its games.
        games: Demonstrated games.
        steps: Game steps of the study's training.
    """

    name: str
    rules: GridWorldRules
    games: int
    steps: int


GRIDS = (
    Grid("static walls", STATIC_WALLS, 300, 20_000),
    Grid("random walls", RANDOM_WALLS, 450, 100_000),
    Grid("random win", RANDOM_WIN, 450, 150_000),
)
"""The study's three, with its budgets."""


@dataclass(frozen=True, eq=False)
class Trial:
    """One method in one grid type, with R seeds.

    Attributes:
        grid: Name of the grid type.
        preset: `FAITHFUL`, `OURS`, or empty for the yardsticks.
        method: Its name.
        straight: `[R]` mean over unseen boards of moves made over the Manhattan distance, as
            published; lost games count with the moves of the limit.
        shortest: `[R]` the same over the length of the shortest way.
        won: `[R]` share of the games that were won.
        loss: `[R, blocks]` mean loss in each testing block; no columns where nothing is learned.
        tests: `[R, blocks]` mean distance ratio in each testing block, as published.
        block: Training steps in a block.
        policies: R networks with their temperatures; none for the yardsticks.
        cpu: Seconds of processor time of all R trainings.
        wall: Seconds by the clock.
    """

    grid: str
    preset: str
    method: str
    straight: Float[np.ndarray, " R"]
    shortest: Float[np.ndarray, " R"]
    won: Float[np.ndarray, " R"]
    loss: Float[np.ndarray, "R blocks"]
    tests: Float[np.ndarray, "R blocks"]
    block: int
    policies: tuple[NetworkPolicy, ...]
    cpu: float
    wall: float


def score_table(trials: Sequence[Trial]) -> list[dict[str, Any]]:
    """The study's one table: a line per grid type, settings and method."""
    rows = []
    for trial in trials:
        known = None if trial.preset == OURS else PUBLISHED.get((trial.grid, trial.method))
        last = trial.tests[:, -50:].mean() if trial.tests.shape[1] else None
        rows.append(
            {
                "grid": trial.grid,
                "settings": trial.preset,
                "method": trial.method,
                "published": known,
                "ratio": round(float(trial.straight.mean()), 4),
                "lowest": round(float(trial.straight.min()), 4),
                "highest": round(float(trial.straight.max()), 4),
                "last_50_tests": None if last is None else round(float(last), 3),
                "over_shortest": round(float(trial.shortest.mean()), 4),
                "won": round(float(trial.won.mean()), 4),
                "cpu_seconds": round(trial.cpu, 1),
                "seconds": round(trial.wall, 1),
            }
        )
    return rows
