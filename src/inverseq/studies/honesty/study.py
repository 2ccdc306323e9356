"""The study: what is claimed of each table, beside how large its effect truly is."""

from functools import partial
from typing import Any

import numpy as np

from inverseq.analysis import Plan, analyse
from inverseq.analysis.standing import Standing, standing_of
from inverseq.evaluate.likelihood import ratio_error
from inverseq.studies.honesty import Settings
from inverseq.studies.honesty.tables import Table, drawn
from inverseq.studies.run import Result
from inverseq.studies.study import Effort

_SURE = 3.0
"""Standard errors from which on an effect should be claimed."""

CLAIMS = (Standing.COUNTED, Standing.ABOVE)


def run(settings: Settings, effort: Effort) -> Result:
    """Claims about tables without an effect and with one."""
    drawn_of = {0.0: settings.coins} | dict.fromkeys(settings.effects, settings.bandits)
    tasks = [(effort.seed + n, effect) for effect, many in drawn_of.items() for n in range(many)]
    work = partial(claimed, animals=settings.animals, decisions=settings.decisions)
    rows = effort.each("tables", work, tasks)
    coins = [row for row in rows if row["effect"] == 0]
    large = [row for row in rows if row["true_errors"] >= _SURE]
    seen = [row for row in rows if row["effect"] > 0 and row["found_errors"] >= _SURE]
    sentences = [
        f"Of {len(coins)} tables of coin flips, {_claims(coins)} are said to hold something.",
        f"Of {len(large)} tables of bandits whose true effect is {_SURE:g} standard errors of the "
        f"held-out animals or more, {_claims(large)} are said to hold something.",
        f"Of {len(seen)} whose effect is found to be that large, {_claims(seen)} are.",
    ]
    return Result({"tables": rows}, {}, tuple(sentences))


def claimed(
    seed: int, effect: float, *, animals: tuple[int, int], decisions: tuple[int, int]
) -> dict[str, Any]:
    """What the analysis of one table claims."""
    table = drawn(seed, effect, animals, decisions)
    found = analyse(table.demonstrations, Plan(bootstrap=0, history=1, folds=2, seed=seed))
    shown = found.row(found.chosen)
    assert shown is not None  # what is shown was scored
    gain = shown.score.above_chance
    standing = standing_of(found)
    return {
        "seed": seed,
        "effect": effect,
        "animals": table.demonstrations.num_trajectories,
        "held_out": gain.units,
        "true_errors": round(_true_errors(table, gain.units), 6),
        "gain": round(gain.mean, 5),
        "error": round(gain.standard_error, 5),
        "found_errors": round(gain.mean / gain.standard_error, 3),
        "standing": str(standing),
        "claimed": standing in CLAIMS,
    }


def _true_errors(table: Table, held_out: int) -> float:
    """What the true policy gains over chance, in standard errors over so many animals."""
    starts = table.demonstrations.starts
    gains = np.add.reduceat(np.log(2 * table.chances), starts[:-1])
    lengths = np.diff(starts).astype(float)
    error = ratio_error(gains, lengths) * np.sqrt(lengths.size / held_out)
    return float(gains.sum() / lengths.sum() / error) if error > 0 else 0.0


def _claims(rows: list[dict[str, Any]]) -> str:
    """How many are claimed, and their share."""
    number = sum(row["claimed"] for row in rows)
    return f"{number} ({number / max(len(rows), 1):.1%})"
