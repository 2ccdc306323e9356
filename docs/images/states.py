"""The picture of large worlds on the page "Speed": `python -m benchmarks large --json`."""

import json
from pathlib import Path

from matplotlib.axes import Axes

import inverseq as iq
from inverseq.plot.style import BLUE, GREY, ORANGE, styled

HERE = Path(__file__).parent
LOOKS = {
    "IAVI": ("IAVI", BLUE, "o"),
    "policy evaluation": ("evaluation", GREY, "s"),
    "soft planning": ("soft planning", ORANGE, "^"),
}


def main() -> None:
    """Time and memory over states of a grid."""
    rows = json.loads((HERE / "states.json").read_text(encoding="utf-8"))
    figure, axes = iq.plot.canvas(7.2, 2.8, columns=2)
    shown = [row for row in rows if row["kind"] == "grid"]
    draw(axes[0], shown, "seconds", "CPU time (s)")
    draw(axes[1], shown, "peak_mb", "peak memory (MB)")
    (HERE / "states.png").write_bytes(iq.plot.to_png(figure))


@styled
def draw(ax: Axes, rows: list[dict], what: str, label: str) -> None:
    """A curve for each kind of work."""
    for work, (name, hue, marker) in LOOKS.items():
        found = sorted((row["states"], row[what]) for row in rows if row["work"] == work)
        ax.plot(*zip(*found, strict=True), marker=marker, ms=4, color=hue, label=name)
    ax.set(xscale="log", yscale="log", xlabel="states of a windy grid", ylabel=label)
    ax.legend()


if __name__ == "__main__":
    main()
