"""The picture of the page "Speed", of what `python -m benchmarks scale --json` printed."""

import json
from pathlib import Path

from matplotlib.axes import Axes

import inverseq as iq
from inverseq.plot.style import BLUE, GREY, styled

HERE = Path(__file__).parent
LOOKS = {"fit": ("fit", BLUE, "o"), "doctor": ("doctor", GREY, "s")}


def main() -> None:
    """Time and memory over rows on top, over states below."""
    rows = json.loads((HERE / "scale.json").read_text(encoding="utf-8"))
    figure, axes = iq.plot.canvas(7.2, 4.6, rows=2, columns=2)
    lines = (axes[:2], "rows", "states"), (axes[2:], "states", "rows")
    for line, over, fixed in lines:
        same = 100 if fixed == "states" else 200_000
        shown = [row for row in rows if row[fixed] == same]
        draw(line[0], shown, over, "seconds", f"CPU time (s), {same:,} {fixed}")
        draw(line[1], shown, over, "peak_mb", f"peak memory (MB), {same:,} {fixed}")
    (HERE / "scale.png").write_bytes(iq.plot.to_png(figure))


@styled
def draw(ax: Axes, rows: list[dict], over: str, what: str, label: str) -> None:
    """A curve for each command, named at its end."""
    for command, (name, hue, marker) in LOOKS.items():
        found = sorted((row[over], row[what]) for row in rows if row["command"] == command)
        ax.plot(*zip(*found, strict=True), marker=marker, ms=4, color=hue)
        # To the right of the last point, where no line can run.
        ax.annotate(name, found[-1], (6, 0), textcoords="offset points", color=hue, va="center")
    ax.set(xscale="log", yscale="log", xlabel=over, ylabel=label)


if __name__ == "__main__":
    main()
