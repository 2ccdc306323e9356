"""The picture of the README: `make demo`, then `.venv/bin/python docs/images/labyrinth.py`."""

import json
import sys
from pathlib import Path

import numpy as np

import inverseq as iq
from inverseq.analysis.places import likely_moves, places

SHOWN = {
    "marginal": "share of each action",
    "table-1": "one-step table",
    "iavi": "IAVI",
    "maxent-states": "MaxEnt on states",
    "table-2": "two-step table",
    "maxent-history": "MaxEnt, memory",
    "backoff-3": "three-step table",
    "backoff-4": "four-step table",
}
"""Models that are drawn, with names short enough for half a picture."""


def main(results: Path, picture: Path) -> None:
    """Draw the value map and the scores of `inverseq fit mice` beside each other."""
    world = iq.datasets.load("mice").worlds["labyrinth"]
    seen = places(iq.load(results / "solution.npz", iq.Solution))
    found = json.loads((results / "summary.json").read_text(encoding="utf-8"))
    rows = [row for row in found["scores"] if row["key"] in SHOWN]
    figure, (left, right) = iq.plot.canvas(7.6, 2.9, columns=2)
    mdp = world.mdp
    moves, probable = likely_moves(mdp, seen.policy)
    iq.plot.labyrinth_map(
        np.asarray(mdp.coordinates),
        world.drawing.parents,
        seen.value,
        ax=left,
        moves=moves,
        probabilities=probable,
        home=world.drawing.marks["home"][0],
        water=world.drawing.marks["water"][0],
        label="value (units of the temperature)",
    )
    iq.plot.scores(
        [SHOWN[row["key"]] for row in rows],
        np.array([row["nats"] for row in rows]),
        np.array([row["error"] for row in rows]),
        ax=right,
        yardsticks=np.array([row["yardstick"] for row in rows]),
        chance=found["chance"],
        chosen=[row["key"] for row in rows].index(found["chosen"]),
        unit="held-out score (nats per decision)",
    )
    picture.write_bytes(iq.plot.to_png(figure))


if __name__ == "__main__":
    main(Path(*sys.argv[1:] or ["out/mice"]), Path(__file__).with_suffix(".png"))
