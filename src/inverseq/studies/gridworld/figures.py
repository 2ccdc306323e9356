"""The figures of the GridWorld study."""

from collections.abc import Callable, Mapping, Sequence

import numpy as np
from jaxtyping import Float
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from inverseq import plot
from inverseq.demonstrations import Demonstrations
from inverseq.plot.style import BLUE, GREY, MARKERS, SERIES, VERMILION
from inverseq.studies.gridworld.maps import Reading, empty_board, read_board
from inverseq.studies.gridworld.record import (
    CLONING_NAME,
    DQN_NAME,
    FAITHFUL,
    IQ_NAME,
    OURS,
    PUBLISHED,
    Grid,
    Trial,
)
from inverseq.worlds.game_boards import PLAYER, GridState

PRESETS = (FAITHFUL, OURS)
ARROWS = np.array([[0, -1], [1, 0], [0, 1], [-1, 0]])

Find = Callable[[str, str, str], Trial]
"""`find(grid, preset, method)` is the trial of that name."""


def draw_demonstrations(grids: Sequence[Grid], games: Mapping[str, Demonstrations]) -> Figure:
    """1: where the demonstrations were made."""
    figure, axes = plot.canvas(7.4, 2.6, columns=len(grids))
    for ax, grid in zip(axes, grids, strict=True):
        boards = games[grid.name].states
        rows, columns = np.nonzero(boards.max(0) >= 0)
        cells = np.stack([columns, rows], axis=1)
        visits = (boards == PLAYER).sum(0)[rows, columns].astype(float)
        walls = np.array(grid.rules.walls or ()).reshape(-1, 2)
        stands = [not (walls == cell).all(1).any() for cell in cells]
        plot.occupancy(
            cells[stands],
            visits[stands],
            ax=ax,
            walls=walls,
            label="decisions" if grid is grids[-1] else " ",
        )
        ax.set_title(f"{grid.name}: {games[grid.name].num_trajectories} games", fontsize=8.5)
    return figure


def draw_loss(grids: Sequence[Grid], find: Find) -> Figure:
    """2: loss per training step, each curve between its own lowest (0) and highest (1) value."""
    figure, axes = plot.canvas(7.4, 4.8, columns=2, rows=2)
    panels = [(preset, method) for preset in PRESETS for method in (DQN_NAME, IQ_NAME)]
    for ax, (preset, method) in zip(axes, panels, strict=True):
        for number, grid in enumerate(grids):
            trial = find(grid.name, preset, method)
            mean = np.nanmean(trial.loss, axis=0)
            spread = np.ptp(mean[np.isfinite(mean)]) or 1.0
            steps = trial.block * (1 + np.arange(len(mean)))
            look = {"color": SERIES[number], "lw": 1.0, "label": grid.name}
            ax.plot(steps, (mean - np.nanmin(mean)) / spread, **look)
        ax.set_title(f"{method}, {preset}", fontsize=8.5)
        ax.set_xscale("log")
        ax.set_xlabel("training steps")
        ax.set_ylabel("normalised loss")
        ax.grid(color="#E6E6E6", lw=0.6)
    axes[1].legend()
    return figure


def draw_ratios(grids: Sequence[Grid], find: Find) -> Figure:
    """3: distance ratio per testing block, and after training (right of the line)."""
    figure, axes = plot.canvas(7.4, 5.0, columns=len(grids), rows=2)
    for place, ax in enumerate(axes):
        preset, grid = PRESETS[place // len(grids)], grids[place % len(grids)]
        for number, method in enumerate((DQN_NAME, IQ_NAME, CLONING_NAME)):
            trial = find(grid.name, preset, method)
            hue, blocks = SERIES[number], trial.tests.shape[1]
            if blocks:
                at = np.arange(1, blocks + 1) / blocks
                ax.plot(at, np.nanmean(trial.tests, axis=0), color=hue, lw=0.9, label=method)
            x = 1.08 + 0.09 * number
            look = {"color": hue, "marker": MARKERS[number], "ms": 4, "lw": 0}
            ax.plot(np.full(len(trial.straight), x), trial.straight, **look)
            known = PUBLISHED.get((grid.name, method))
            if known is not None:
                ax.axhline(known, color=hue, ls=":", lw=1.0)
        at_random = find(grid.name, "", "random").straight[0]
        ax.axhline(at_random, color=GREY, ls="--", lw=1.0)
        if place < len(grids):
            ax.text(
                0.98, 0.93 * at_random, "random agent", size=6.5, color=GREY, ha="right", va="top"
            )
        ax.axvline(1.02, color=GREY, lw=0.6)
        ax.set_yscale("log")
        ax.set_ylim(0.93, 40)
        ax.set_xlim(0.0, 1.35)
        ax.set_yticks([1, 2, 5, 10, 20], labels=["1", "2", "5", "10", "20"])
        ax.set_title(f"{grid.name}, {preset}", fontsize=8.5)
        ax.set_xlabel("share of the training")
        ax.grid(color="#E6E6E6", lw=0.6)
    axes[0].set_ylabel("distance ratio")
    axes[len(grids)].set_ylabel("distance ratio")
    key = axes[-2]
    key.plot([], [], color=SERIES[2], marker=MARKERS[2], ms=4, lw=0, label=CLONING_NAME)
    key.plot([], [], color="black", ls=":", lw=1.0, label="published")
    key.legend(loc="upper right", fontsize=6.5)
    return figure


def draw_values(grids: Sequence[Grid], find: Find, method: str) -> Figure:
    """4 and 5: values and best moves on the empty board, both presets."""
    figure, axes = plot.canvas(7.4, 4.9, columns=len(grids), rows=2)
    for place, ax in enumerate(axes):
        preset, grid = PRESETS[place // len(grids)], grids[place % len(grids)]
        policy = find(grid.name, preset, method).policies[0]
        reading = read_board(policy, grid.rules, empty_board(grid.rules))
        unit = "value" if method == DQN_NAME else "value / temperature"
        _map(ax, reading, reading.v, label=unit if place % len(grids) == len(grids) - 1 else " ")
        ax.set_title(f"{grid.name}, {preset}\nslope {reading.slope:.2f}", fontsize=8)
    return figure


def draw_policies(grid: Grid, find: Find, wins: Sequence[tuple[int, int]]) -> Figure:
    """6: IQ-Learn's values and best moves on the empty board, the win tile put elsewhere."""
    figure, axes = plot.canvas(7.4, 4.2, columns=len(wins), rows=2)
    for place, ax in enumerate(axes):
        preset, win = PRESETS[place // len(wins)], wins[place % len(wins)]
        policy = find(grid.name, preset, IQ_NAME).policies[0]
        reading = read_board(policy, grid.rules, empty_board(grid.rules, win))
        _map(ax, reading, reading.v)
        nearer = (reading.arrows * reading.good).sum() / (len(reading.v) - 1)
        ax.set_title(f"{preset}: {nearer:.0%} nearer", fontsize=8)
    return figure


def draw_rewards(grids: Sequence[Grid], find: Find, boards: Mapping[str, GridState]) -> Figure:
    """7: the true reward and those recovered, of the best moves in each cell of one board."""
    columns = [(m, p) for p in PRESETS for m in (DQN_NAME, IQ_NAME)]
    figure, axes = plot.canvas(9.6, 5.8, columns=len(columns) + 1, rows=len(grids))
    for row, grid in enumerate(grids):
        line = axes[row * (len(columns) + 1) :]
        for place, (method, preset) in enumerate(columns):
            policy = find(grid.name, preset, method).policies[0]
            reading = read_board(policy, grid.rules, boards[grid.name])
            if place == 0:
                _map(line[0], reading, _of_good(reading, reading.truth), signed=True, label=" ")
                line[0].set_title(f"{grid.name}\ntrue reward", fontsize=7.5)
            ax = line[place + 1]
            _map(ax, reading, _of_good(reading, reading.reward), signed=True, label=" ")
            ax.set_title(f"{method}, {preset}\nr = {reading.correlation:.2f}", fontsize=7.5)
    return figure


def draw_curve(
    grid: Grid, sizes: Sequence[int], curve: Mapping[str, Float[np.ndarray, "sizes R 2"]]
) -> Figure:
    """Distance ratio by the number of demonstrated games, one dot per seed."""
    figure, (ax,) = plot.canvas(4.6, 3.0)
    for number, (name, made) in enumerate(curve.items()):
        hue, shift = (BLUE, VERMILION)[number], (0.97, 1.03)[number]
        above = np.maximum(made[:, :, 1] - 1, 1e-5)
        for r in range(made.shape[1]):
            at = np.array(sizes) * shift
            ax.plot(at, above[:, r], MARKERS[number], color=hue, ms=3.5, alpha=0.6)
        ax.plot(np.array(sizes) * shift, above.mean(1), color=hue, lw=1.3, label=name)
    ax.set_xscale("log")
    ax.set_yscale("log")
    ax.set_xticks(list(sizes), labels=[f"{n:,}" for n in sizes])
    ax.minorticks_off()
    ax.set_ylim(bottom=0.8e-5)
    ax.set_xlabel(f"demonstrated games, {grid.name}")
    ax.set_ylabel("moves over the shortest way, − 1\n(1e-5 stands for 0)")
    ax.grid(color="#E6E6E6", lw=0.6)
    ax.legend()
    return figure


def _map(
    ax: Axes,
    reading: Reading,
    values: Float[np.ndarray, " S"],
    *,
    signed: bool = False,
    label: str = "",
) -> None:
    """One board with arrows for its best moves."""
    plot.grid_map(
        reading.coordinates,
        values,
        ax=ax,
        policy=None if signed else reading.arrows,
        directions=ARROWS,
        walls=reading.walls,
        wins=[reading.win],
        scale="signed" if signed else "plain",
        label=label,
    )


def _of_good(reading: Reading, reward: Float[np.ndarray, "S 4"]) -> Float[np.ndarray, " S"]:
    """Mean reward of the moves on a shortest way from each cell; NaN where there are none."""
    count = reading.good.sum(1)
    total = np.where(reading.good, np.nan_to_num(reward), 0.0).sum(1)
    return np.where(count > 0, total / np.maximum(count, 1), np.nan)
