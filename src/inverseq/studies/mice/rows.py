"""Tables of the study of mice in the labyrinth."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
from jaxtyping import Float

from inverseq.evaluate.likelihood import difference
from inverseq.studies.mice.models import Fitted, seen_there
from inverseq.studies.shapes import beside, plain


def worst_first(fitted: Iterable[Fitted]) -> list[Fitted]:
    """In the order of their scores."""
    return sorted(fitted, key=lambda f: f.score.mean)


def score_rows(fitted: Sequence[Fitted], yardsticks: Sequence[str]) -> list[dict[str, Any]]:
    """One line per way to predict, beside two yardsticks and the best table: free numbers, nats
    per decision with the error over trajectories, strength of the prior.
    """
    named = {f.model.name: f.score for f in fitted}
    tables = [f for f in fitted if f.model.kind in ("table", "tied table")]
    # A table that was shown the half it is tried on is no yardstick.
    fair = [f for f in tables if f.model.name != seen_there(f.model.nodes).name]
    best = worst_first(fair)[-1].score
    against = {name: named[name] for name in yardsticks} | {"best table": best}
    return [
        plain(
            {
                "name": f.model.name,
                "kind": f.model.kind,
                "nodes": f.model.nodes,
                "numbers": f.numbers,
                "nats_per_decision": f.score.mean,
                "error": f.score.standard_error,
                "strength": f.strength,
            }
            | beside(f.score, against),
            5,
        )
        for f in fitted
    ]


def contrast_rows(
    fitted: Iterable[Fitted], pairs: Iterable[tuple[str, str]], predicted: str
) -> list[dict[str, Any]]:
    """How much better the first of each pair does than the second, which lacks something."""
    score = {f.model.name: f.score for f in fitted}
    rows = []
    for model, over in pairs:
        gain = difference(score[model], score[over])
        row = {"predicted": predicted, "model": model, "over": over}
        rows.append(plain(row | {"gain": gain.mean, "error": gain.standard_error}, 5))
    return rows


def habit_rows(weights: Mapping[str, Float[np.ndarray, " 3"]]) -> list[dict[str, Any]]:
    """One line per readable feature, with the ends of a 95 % interval."""
    return [
        plain({"feature": name, "weight": weight, "low": low, "high": high})
        for name, (low, weight, high) in weights.items()
    ]


def place_rows(places: Float[np.ndarray, " nodes"]) -> list[dict[str, Any]]:
    """One line per node."""
    return [plain({"node": node, "reward": worth}) for node, worth in enumerate(places)]
