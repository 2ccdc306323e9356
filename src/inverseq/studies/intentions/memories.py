"""Part "memories": the more a habit knows of the way here, the less intentions of mice add to it.

Rewards on depth, turns and places above habits of several memories, and once with planning ahead;
the same data, search and scores as the part "mice".
"""

from inverseq.evaluate.likelihood import difference
from inverseq.studies.intentions import Settings
from inverseq.studies.intentions.mice import prepared, readable_fit
from inverseq.studies.intentions.mice_models import MEMORIES, Memory
from inverseq.studies.run import Result
from inverseq.studies.shapes import plain
from inverseq.studies.study import Effort

PLANNING = 0.7
"""The discount of those that plan ahead, above the habit with the longest memory."""


def run(settings: Settings, effort: Effort) -> Result:
    """A habit by itself and with intentions above it, for every memory."""
    data, searching, folds = prepared(settings, effort)
    asked: list[tuple[Memory, float]] = [(memory, 0.0) for memory in MEMORIES]
    asked.append((MEMORIES[-1], PLANNING))
    each = [(data, searching, folds, memory, discount) for memory, discount in asked]
    rows = []
    for (memory, discount), (_, alone, found) in zip(
        asked, effort.each("habits of several memories", readable_fit, each), strict=True
    ):
        gain = difference(found.score, alone.score)
        row = {"habit": str(memory), "discount": discount, "alone": alone.score.mean}
        row |= {"intentions": found.score.mean, "error": found.score.standard_error}
        row |= {"gain": gain.mean, "gain_error": gain.standard_error}
        shares = " ".join(f"{share:.2f}" for share in sorted(found.occupancy, reverse=True))
        rows.append(plain(row | {"occupancy": shares}))
    first, last = rows[0], rows[len(MEMORIES) - 1]
    return Result(
        {"memories": rows},
        {},
        (
            f"Three intentions add {first['gain']:+.4f} to a habit of {first['habit']} and "
            f"{last['gain']:+.4f} to one of {last['habit']}; planning ahead (discount {PLANNING}) "
            f"scores {rows[-1]['intentions']:.4f} there, {last['intentions']:.4f} without.",
        ),
    )
