"""Maps of where a reward leads before and after a change of its world."""

from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from inverseq._core.arrays import names_or_numbers
from inverseq._core.errors import InputError
from inverseq.analysis.changed import Change, Forecast
from inverseq.plot import grid_map
from inverseq.plot.style import COLUMN_WIDTH
from inverseq.reporting.document import Column, Picture, Table
from inverseq.reporting.figures.places import directions_of, row_of
from inverseq.reporting.folder import write_pictures, write_tables
from inverseq.reporting.words import line, text

_LEAST_SHOWN = 0.02
"""Places visited less often than this on one way stay unpainted."""


def draw_change(changed: Change, folder: Path) -> list[Path]:
    """Write `figures/change` and `tables/change.csv`.

    Returns:
        The picture (PNG) and the table.

    Raises:
        InputError: The worlds have no places in the plane.
    """
    parts = changed.parts
    for each in parts.values():
        if each.mdp.coordinates is None or each.mdp.coordinates.shape[1] != 2:
            raise InputError(
                "these worlds have no places that could be drawn: give x and y, or call "
                "inverseq.replan from Python"
            )
    top = max(each.moves.sum(1).max() for each in parts.values())

    def draw(width: float) -> Figure:
        figure, axes = row_of(len(parts), width, 0.5 * width if width > COLUMN_WIDTH else width)
        for ax, (name, each) in zip(axes, parts.items(), strict=True):
            _map(ax, each, top, text("figures.j2", "moves_label") if ax is axes[-1] else "")
            ax.set_title(name)
        return figure

    told = {"lengths": {name: each.length for name, each in parts.items()}}
    caption, alt = line("figures.j2", "change", **told), text("figures.j2", "change", **told)
    write_pictures(folder / "figures", [Picture("change", alt, caption, draw, wide=True)])
    write_tables(folder / "tables", [_table(parts)])
    return [folder / "figures" / "change.png", folder / "tables" / "change.csv"]


def _map(ax: Axes, each: Forecast, top: float, label: str) -> None:
    """Expected visits, and what is done there."""
    visits = each.moves.sum(1)
    seen = visits >= _LEAST_SHOWN
    share = each.moves / np.where(visits > 0, visits, 1.0)[:, None]
    places = np.asarray(each.mdp.coordinates)
    grid_map(
        places,
        visits,
        ax=ax,
        policy=share * seen[:, None],
        directions=directions_of(each.mdp, None),
        walls=_walls(places),
        wins=np.flatnonzero(each.mdp.terminal),
        visits=visits * seen + each.mdp.terminal,
        limits=(0.0, float(top)),
        label=label,
    )


def _walls(places: np.ndarray) -> np.ndarray:
    """Cells of a board that are no places; none where places are no cells."""
    if (places != np.round(places)).any():
        return np.zeros((0, 2))
    low, high = places.min(0).astype(int), places.max(0).astype(int)
    x, y = np.meshgrid(np.arange(low[0], high[0] + 1), np.arange(low[1], high[1] + 1))
    cells = {*zip(x.ravel().tolist(), y.ravel().tolist(), strict=True)}
    return np.array(sorted(cells - {*map(tuple, places.astype(int).tolist())})).reshape(-1, 2)


def _table(parts: dict[str, Forecast]) -> Table:
    """Expected moves of every place in both worlds."""
    rows = []
    for name, each in parts.items():
        actions = names_or_numbers(each.mdp.action_names, each.mdp.num_actions)
        for state, (x, y) in enumerate(np.asarray(each.mdp.coordinates).tolist()):
            for action, moves in zip(actions, each.moves[state].tolist(), strict=True):
                rows.append((name, state, x, y, action, moves))
    titles = ("world", "state", "x", "y", "action", "moves")
    return Table("change", "", tuple(map(Column, titles)), tuple(rows))
