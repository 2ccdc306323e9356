"""The GridWorld study: DQN and IQ-Learn as in 2023, and what cures what failed there.

"Implementing Inverse Q-Learning" (Aubuchon and Ho 2023): its seven figures and one table, for its
three grid types, with its settings ("faithful") and with ours ("ours"), beside its numbers.
"""

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from inverseq._core.errors import InputError
from inverseq._core.files import write_text
from inverseq.demonstrations import Demonstrations
from inverseq.inverse.problem import Progress
from inverseq.play.experts import expert_games
from inverseq.studies.files import write_csv, write_png
from inverseq.studies.gridworld.figures import (
    draw_curve,
    draw_demonstrations,
    draw_loss,
    draw_policies,
    draw_ratios,
    draw_rewards,
    draw_values,
)
from inverseq.studies.gridworld.fits import (
    BEST_STEPS,
    LESSONS,
    data_curve,
    train_grid,
    yardsticks,
)
from inverseq.studies.gridworld.maps import drawn_boards, map_table, reward_table
from inverseq.studies.gridworld.record import (
    CLONING_NAME,
    DQN_NAME,
    FAITHFUL,
    GRIDS,
    IQ_NAME,
    OURS,
    Grid,
    GridWorldStudy,
    Rows,
    Trial,
    score_table,
)

SIZES = (10, 30, 100, 300, 1000)
"""Demonstrated games of the curve, which is drawn for the last grid type."""

READ = 10
"""Unseen boards that values, best moves and rewards are read on."""


def gridworld(
    out: str | os.PathLike,
    *,
    seed: int = 0,
    seeds: int = 5,
    boards: int = 2000,
    grids: Sequence[Grid] = GRIDS,
    best_steps: int = BEST_STEPS,
    lessons: int = LESSONS,
    sizes: Sequence[int] = SIZES,
    curve_seeds: int = 3,
    demonstrations: Mapping[str, Demonstrations] | None = None,
    progress: Progress | None = None,
) -> GridWorldStudy:
    """Write the tables `scores.csv`, `curve.csv`, `maps.csv` and `rewards.csv`, the figures
    `1_demonstrations.png` to `7_rewards.png` and `curve.png`, and `gridworld.json` to a folder.

    Args:
        out: The folder; it is made where it does not exist.
        seed: Of everything; trainings have `seed`, `seed + 1` and so on.
        seeds: R, trainings of each method.
        boards: Unseen boards of the test.
        grids: The grid types, with their budgets.
        best_steps: Game steps of our DQN, at most the study's.
        lessons: Training steps of our IQ-Learn and cloning.
        sizes: Numbers of demonstrated games of the curve.
        curve_seeds: Sets of demonstrations of each of them.
        demonstrations: A person's games by grid type; of the expert, who draws one of the best
            moves, where left out.
        progress: Called with (what is being done, steps done, steps in all).

    Raises:
        InputError: The folder cannot be written to, a number is out of range, or the
            demonstrations are of another grid type.
    """
    if min(seeds, boards, best_steps, lessons, curve_seeds, *sizes) < 1:
        raise InputError("seeds, boards, steps, lessons and sizes must be 1 or more")
    games = _games(grids, demonstrations or {}, seed)
    trials: list[Trial] = []
    total = 6 * len(grids)

    def done(trial: Trial) -> None:
        trials.append(trial)
        if progress is not None:
            learned = sum(bool(t.preset) for t in trials)
            progress("trainings", learned, total)

    effort: dict[str, Any] = {"seed": seed, "seeds": seeds, "boards": boards}
    effort |= {"best_steps": best_steps, "lessons": lessons, "done": done}
    for grid in grids:
        trials += yardsticks(grid, seed=seed, boards=boards)
        for preset in (FAITHFUL, OURS):
            train_grid(grid, preset, games[grid.name], **effort)
    curve = data_curve(
        grids[-1],
        sizes,
        seed=seed,
        seeds=curve_seeds,
        boards=boards,
        lessons=lessons,
        progress=None if progress is None else lambda i, n: progress("curve", i, n),
    )
    made = assemble(trials, curve, grids, sizes, seed=seed)
    return replace(made, files=write(Path(out), made, trials, curve, grids, sizes, games, seed))


def assemble(
    trials: Sequence[Trial],
    curve: Mapping[str, np.ndarray],
    grids: Sequence[Grid],
    sizes: Sequence[int],
    *,
    seed: int,
) -> GridWorldStudy:
    """Tables and sentences of finished trials; the arguments are those of `gridworld`."""
    maps: list[dict[str, Any]] = []
    rewards: list[dict[str, Any]] = []
    for grid in grids:
        here = [t for t in trials if t.grid == grid.name]
        seen = drawn_boards(grid, seed=seed, boards=READ)
        maps += map_table(grid, [t for t in here if t.method != CLONING_NAME and t.policies], seen)
        valued = [t for t in here if t.method in (DQN_NAME, IQ_NAME)]
        rewards += reward_table(grid, valued, seen)
    tables = {
        "scores": score_table(trials),
        "curve": _curve_table(curve, sizes),
        "maps": maps,
        "rewards": rewards,
    }
    return GridWorldStudy(tables, _sentences(trials, grids))


def _games(
    grids: Sequence[Grid], given: Mapping[str, Demonstrations], seed: int
) -> dict[str, Demonstrations]:
    """Demonstrations of each grid type."""
    known = [grid.name for grid in grids]
    if not set(given) <= set(known):
        raise InputError(f"demonstrations are of {sorted(given)}; grid types are {known}")
    made = {}
    for grid in grids:
        games = given.get(grid.name)
        shape = (grid.rules.height, grid.rules.width)
        if games is None:
            games = expert_games(grid.rules, games=grid.games, seed=seed, ties="straight")
        elif games.states.shape[1:] != shape:
            raise InputError(
                f"demonstrations of {grid.name} are boards of shape {games.states.shape[1:]}; its "
                f"boards have {shape}"
            )
        made[grid.name] = games
    return made


def _curve_table(curve: Mapping[str, np.ndarray], sizes: Sequence[int]) -> Rows:
    """Ratios by method, number of games and set of demonstrations."""
    return [
        {
            "method": name,
            "games": int(size),
            "set": r,
            "ratio": round(float(made[i, r, 0]), 5),
            "over_shortest": round(float(made[i, r, 1]), 5),
        }
        for name, made in curve.items()
        for i, size in enumerate(sizes)
        for r in range(made.shape[1])
    ]


def _sentences(trials: Sequence[Trial], grids: Sequence[Grid]) -> tuple[str, ...]:
    """Ratios of both presets, and what the faithful trainings took."""
    said = []
    for preset in (FAITHFUL, OURS):
        for method in (DQN_NAME, IQ_NAME, CLONING_NAME):
            ratios = [
                f"{_find(trials, grid.name, preset, method).straight.mean():.4g}" for grid in grids
            ]
            said.append(f"{method}, {preset}: mean distance ratio {' / '.join(ratios)}.")
    both = [t for t in trials if t.preset == FAITHFUL and t.method in (DQN_NAME, IQ_NAME)]
    cpu, wall = sum(t.cpu for t in both), sum(t.wall for t in both)
    said.append(
        f"The faithful trainings of both methods took {cpu:.0f} s of processor time, {wall:.0f} s "
        "by the clock."
    )
    return tuple(said)


def _find(trials: Sequence[Trial], grid: str, preset: str, method: str) -> Trial:
    """The trial of that name."""
    return next(t for t in trials if (t.grid, t.preset, t.method) == (grid, preset, method))


def write(
    folder: Path,
    made: GridWorldStudy,
    trials: Sequence[Trial],
    curve: Mapping[str, np.ndarray],
    grids: Sequence[Grid],
    sizes: Sequence[int],
    games: Mapping[str, Demonstrations],
    seed: int,
) -> tuple[str, ...]:
    """Tables, figures and everything as JSON; the paths."""

    def find(grid: str, preset: str, method: str) -> Trial:
        return _find(trials, grid, preset, method)

    last = grids[-1]
    right, low = last.rules.width - 1, last.rules.height - 1
    wins = [(right, low), (0, 0), (right // 2, low // 2), (right, low // 3)]
    seen = {grid.name: drawn_boards(grid, seed=seed, boards=1)[0] for grid in grids}
    figures = {
        "1_demonstrations": draw_demonstrations(grids, games),
        "2_loss": draw_loss(grids, find),
        "3_ratios": draw_ratios(grids, find),
        "4_dqn_values": draw_values(grids, find, DQN_NAME),
        "5_iq_values": draw_values(grids, find, IQ_NAME),
        "6_iq_policies": draw_policies(last, find, wins),
        "7_rewards": draw_rewards(grids, find, seen),
        "curve": draw_curve(last, sizes, curve),
    }
    summary = {"sentences": made.sentences, **made.tables}
    return (
        *(write_csv(folder / f"{name}.csv", rows) for name, rows in made.tables.items()),
        str(write_text(folder / "gridworld.json", json.dumps(summary, indent=2) + "\n")),
        *(write_png(folder / f"{name}.png", figure) for name, figure in figures.items()),
    )
