"""The numbers of the study of people in mazes, and the tables made of them."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Float, Int


@dataclass(frozen=True, eq=False)
class Row:
    """How well one way to predict does.

    Attributes:
        name: What it is.
        kind: "yardstick", "planner", "ablation" or "table".
        numbers: How many were fitted; -1 for tables.
        score: Nats per decision on what was held out.
        error: Its standard error over people.
        behind: Nats per decision by which it is worse than the planner with every cost.
        behind_error: The standard error of that over people.
        behind_error_mazes: The same over mazes.
        mazes: `[W]` score in each maze.
        discounts: Chosen in each fold; empty where nothing is planned.
        strengths: Chosen in each fold; empty where nothing is planned.
    """

    name: str
    kind: str
    numbers: int
    score: float
    error: float
    behind: float
    behind_error: float
    behind_error_mazes: float
    mazes: Float[np.ndarray, " W"]
    discounts: tuple[float, ...] = ()
    strengths: tuple[float, ...] = ()


@dataclass(frozen=True, eq=False)
class People:
    """The numbers of the study.

    Attributes:
        rows: Every way to predict, the yardsticks first.
        mazes: Names of the W mazes.
        fold: `[W]` fold in which each is left out.
        features: Names of the planner's F costs.
        weights: `[K, F]` what they cost (negative) in each of the K folds, in nats.
        decisions: How many were predicted.
        people: How many made them.
    """

    rows: tuple[Row, ...]
    mazes: tuple[str, ...]
    fold: Int[np.ndarray, " W"]
    features: tuple[str, ...]
    weights: Float[np.ndarray, "K F"]
    decisions: int
    people: int

    def row(self, name: str) -> Row:
        """The row of that name."""
        return next(row for row in self.rows if row.name == name)


def score_table(made: People) -> list[dict[str, Any]]:
    """One line per way to predict, the worst first."""
    return [
        {
            "name": row.name,
            "kind": row.kind,
            "numbers": row.numbers if row.numbers >= 0 else None,
            "nats_per_decision": round(row.score, 5),
            "error_over_people": round(row.error, 5),
            "behind_full_planner": round(row.behind, 5),
            "behind_error_over_people": round(row.behind_error, 5),
            "behind_error_over_mazes": round(row.behind_error_mazes, 5),
            "discounts": " ".join(f"{d:g}" for d in row.discounts),
            "strengths": " ".join(f"{s:g}" for s in row.strengths),
            **{n: round(float(v), 4) for n, v in zip(made.mazes, row.mazes, strict=True)},
        }
        for row in made.rows
    ]


def weight_table(made: People) -> list[dict[str, Any]]:
    """One line per cost, with its weight in each fold."""
    return [
        {"feature": name, **{f"fold_{k}": round(float(v), 5) for k, v in enumerate(column)}}
        for name, column in zip(made.features, made.weights.T, strict=True)
    ]
