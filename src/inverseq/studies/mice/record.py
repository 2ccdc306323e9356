"""The numbers of the study of mice in the labyrinth, and the tables made of them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Float

from inverseq.evaluate.likelihood import Difference


@dataclass(frozen=True)
class Row:
    """How well one way to predict does.

    Attributes:
        name: What it is.
        kind: "table", "tied table", "reward", "tied reward", "myopic" (a tied reward at discount
            0) or "ablation".
        nodes: Nodes looked at, the present one included.
        numbers: How many were free in the fit.
        score: Nats per decision on test trajectories.
        error: Its standard error over trajectories.
        gains: By name of a yardstick, how much better than that (paired over trajectories).
        strength: Of the prior; NaN where there is none.
    """

    name: str
    kind: str
    nodes: int
    numbers: int
    score: float
    error: float
    gains: Mapping[str, Difference]
    strength: float = float("nan")


@dataclass(frozen=True)
class Contrast:
    """How much better one way to predict does than another that lacks something.

    Attributes:
        model: Name of the one.
        rival: Name of the other.
        halves: Whether each half of the maze was predicted from the other.
        gain: Nats per decision, paired over trajectories.
    """

    model: str
    rival: str
    halves: bool
    gain: Difference


@dataclass(frozen=True, eq=False)
class Mice:
    """The numbers of the study.

    Attributes:
        rows: Every way to predict the test trajectories, the worst first.
        transfer: Every way to predict one half of the maze from the other, the worst first; both
            directions together.
        contrasts: What each part of a reward adds: foresight, and groups of features.
        discounts: By discount, nats per decision in cross-validation on the training trajectories.
        discount: The one chosen.
        habits: Names of the H readable features.
        weights: `[3, H]` lower end of the interval, weight in nats, upper end.
        places: `[127]` reward for arriving at each node, habits aside, in nats.
        decisions: How many were predicted.
        forced: How many of these had no alternative.
        trajectories: How many test trajectories they come from.
    """

    rows: tuple[Row, ...]
    transfer: tuple[Row, ...]
    contrasts: tuple[Contrast, ...]
    discounts: Mapping[float, float]
    discount: float
    habits: tuple[str, ...]
    weights: Float[np.ndarray, "3 H"]
    places: Float[np.ndarray, " nodes"]
    decisions: int
    forced: int
    trajectories: int

    def row(self, name: str) -> Row:
        """The row of that name."""
        return next(row for row in self.rows if row.name == name)


def score_table(rows: Sequence[Row]) -> list[dict[str, Any]]:
    """One line per way to predict, in the order given."""
    yardsticks = [*rows[0].gains]
    made = []
    for row in rows:
        line = {
            "name": row.name,
            "kind": row.kind,
            "nodes": row.nodes,
            "numbers": row.numbers,
            "nats_per_decision": round(row.score, 5),
            "error": round(row.error, 5),
            "strength": row.strength if np.isfinite(row.strength) else None,
        }
        for name in yardsticks:
            line[f"over {name}"] = round(row.gains[name].mean, 5)
            line[f"over {name}, error"] = round(row.gains[name].standard_error, 5)
        made.append(line)
    return made


def contrast_table(made: Mice) -> list[dict[str, Any]]:
    """One line per comparison."""
    return [
        {
            "predicted": "the other half" if contrast.halves else "test trajectories",
            "model": contrast.model,
            "over": contrast.rival,
            "gain": round(contrast.gain.mean, 5),
            "error": round(contrast.gain.standard_error, 5),
        }
        for contrast in made.contrasts
    ]


def habit_table(made: Mice) -> list[dict[str, Any]]:
    """One line per readable feature."""
    low, weight, high = made.weights
    return [
        {"feature": n, "weight": round(w, 4), "low": round(a, 4), "high": round(b, 4)}
        for n, a, w, b in zip(
            made.habits, low.tolist(), weight.tolist(), high.tolist(), strict=True
        )
    ]


def place_table(made: Mice) -> list[dict[str, Any]]:
    """One line per node."""
    return [
        {"node": node, "reward": round(value, 4)} for node, value in enumerate(made.places.tolist())
    ]
