"""A reward of observations: drawn over two components, calibrated, and what stands behind it."""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from inverseq.analysis.findings import Findings
from inverseq.analysis.observed import Drawn
from inverseq.evaluate.calibration import Calibration
from inverseq.plot import component_map, reliability
from inverseq.reporting.document import Block, Column, Picture, Section, Table
from inverseq.reporting.figures.places import picture, row_of
from inverseq.reporting.words import line, prose, text

_MOST_ACTIONS = 4
"""Actions of which the reward is drawn, the most frequent first."""
_ALIKE = 1e-6


def calibrated(findings: Findings) -> Section | None:
    """Whether probabilities are right, and on which actions nothing rests; silent in worlds."""
    seen = findings.observed
    if seen is None or seen.calibration is None:
        return None
    blocks: list[Block] = [
        prose("observed.j2", "calibrated", seen=seen),
        _diagram(seen.calibration),
    ]
    return Section(text("observed.j2", "title"), tuple(blocks), (_table(seen.calibration),))


def reward_pictures(findings: Findings) -> list[Picture]:
    """The reward of each action over two components, and the values there."""
    seen = findings.observed
    if seen is None or seen.drawn is None:
        return []
    drawn, row = seen.drawn, findings.row(findings.chosen)
    shown = _most_done(findings, drawn)
    told = {"drawn": drawn, "gauge": seen.gauge, "cut": len(shown) < len(drawn.actions)}
    told |= {"name": "" if row is None else row.name, "one": _alike(drawn)}
    told |= {"top": drawn.peak}
    made = [
        Picture(
            "reward_components",
            text("observed.j2", "reward_alt", tops=_tops(drawn, shown), **told),
            line("observed.j2", "reward_caption", **told),
            lambda width: _rewards(drawn, shown, width),
            wide=True,
        ),
        picture(
            "value_components",
            lambda ax: component_map(
                drawn.values,
                drawn.edges,
                drawn.components,
                ax=ax,
                label="value (temperature units)",
            ),
            text("observed.j2", "value_alt", **told),
            line("observed.j2", "value_caption", **told),
            grows=True,
        ),
    ]
    # One map to begin with: of the reward where all actions earn the same, else of the value.
    return made if told["one"] else made[::-1]


def _most_done(findings: Findings, drawn: Drawn) -> list[int]:
    """The actions to draw; one where all earn the same."""
    if _alike(drawn):
        return [0]
    done = [each.decisions for each in findings.earned]
    return sorted(np.argsort(-np.array(done), kind="stable")[:_MOST_ACTIONS].tolist())


def _alike(drawn: Drawn) -> bool:
    """Whether all actions earn the same."""
    return bool(np.nanmax(np.abs(drawn.rewards - drawn.rewards[0])) < _ALIKE)


def _rewards(drawn: Drawn, shown: list[int], width: float) -> Figure:
    """Maps of the rewards of some actions on one scale."""
    figure, axes = row_of(len(shown), width, 2.5)
    reach = float(np.nanmax(np.abs(drawn.rewards[shown])))
    one = len(shown) == 1
    for number, (action, ax) in enumerate(zip(shown, axes, strict=True)):
        last = number == len(shown) - 1 or ax.get_subplotspec().get_geometry()[1] == 1  # pyright: ignore[reportOptionalMemberAccess]
        _one(ax, drawn, action, reach, last)
        ax.set_title("" if one else drawn.actions[action])
    return figure


def _one(ax: Axes, drawn: Drawn, action: int, reach: float, last: bool) -> None:
    """The reward of one action."""
    component_map(
        drawn.rewards[action],
        drawn.edges,
        drawn.components,
        ax=ax,
        scale="signed",
        limits=(-reach, reach),
        label="reward (temperature units)" if last else "",
    )


def _tops(drawn: Drawn, shown: list[int]) -> list[tuple[str, float, float, float]]:
    """Where each action earns most: its name, the middle of the cell and the reward."""
    return [(drawn.actions[a], *drawn.highest(drawn.rewards[a])) for a in shown]


def _diagram(made: Calibration) -> Picture:
    """The reliability diagram."""
    return picture(
        "calibration",
        lambda ax: reliability(made.expected, made.taken, made.low, made.high, ax=ax),
        text("observed.j2", "diagram_alt", made=made),
        line("observed.j2", "diagram_caption", made=made),
        height=3.0,
    )


def _table(made: Calibration) -> Table:
    """The same in numbers."""
    rows = zip(made.expected, made.taken, made.low, made.high, made.counts, strict=True)
    return Table(
        "calibration",
        text("observed.j2", "table"),
        (
            Column("Said", ".3f", "expected"),
            Column("Done", ".3f", "taken"),
            Column("Low", ".3f", "low"),
            Column("High", ".3f", "high"),
            Column("Predictions", ",d", "predictions"),
        ),
        tuple((*map(float, each[:-1]), int(each[-1])) for each in rows),
        note=line("observed.j2", "note"),
    )
