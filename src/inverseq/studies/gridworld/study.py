"""The GridWorld study: DQN and IQ-Learn as in 2023, and what cures what failed there.

"Implementing Inverse Q-Learning" (Aubuchon and Ho 2023): its seven figures and one table, for its
three grid types, with its settings ("faithful") and with ours ("ours"), beside its numbers.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from inverseq._core.errors import InputError
from inverseq.demonstrations import Demonstrations
from inverseq.play.experts import expert_games
from inverseq.readers import read_games
from inverseq.studies.gridworld import Settings
from inverseq.studies.gridworld.figures import (
    draw_curve,
    draw_demonstrations,
    draw_loss,
    draw_policies,
    draw_ratios,
    draw_rewards,
    draw_values,
)
from inverseq.studies.gridworld.fits import data_curve, train_grid, yardsticks
from inverseq.studies.gridworld.maps import drawn_boards, map_table, reward_table
from inverseq.studies.gridworld.record import (
    CLONING_NAME,
    DQN_NAME,
    FAITHFUL,
    GRIDS,
    IQ_NAME,
    OURS,
    Grid,
    Trial,
    score_table,
)
from inverseq.studies.run import Result, Rows
from inverseq.studies.study import Effort

READ = 10
"""Unseen boards that values, best moves and rewards are read on."""


def run(settings: Settings, effort: Effort) -> Result:
    """DQN, IQ-Learn and cloning in the three grid types, with both settings.

    Raises:
        InputError: The file of games holds none of these grid types.
    """
    given = {} if settings.games is None else recorded_games(settings.games)
    grids = [
        replace(grid, steps=min(grid.steps, settings.most_steps))
        for grid in GRIDS
        if grid.name in settings.grids
    ]
    return trained(grids, given, settings, effort)


def recorded_games(path: str) -> dict[str, Demonstrations]:
    """A person's games that were won or lost, by grid type.

    Raises:
        InputError: There is none of the study's grid types.
    """
    found = read_games(path)
    level, ended = found.trajectories["difficulty"], found.trajectories["ended"]
    finished = ended != "abandoned"
    made = {}
    for grid in GRIDS:
        here = finished & (level == grid.name.replace(" ", "-"))
        if here.any():
            made[grid.name] = found.take(here)
    if not made:
        raise InputError(
            f"{path} holds no finished game of the study's grid types; play some with inverseq play"
        )
    return made


def trained(
    grids: Sequence[Grid],
    given: Mapping[str, Demonstrations],
    settings: Settings,
    effort: Effort,
) -> Result:
    """The study in these grid types.

    Args:
        grids: Grid types with their budgets.
        given: A person's games by grid type; of the expert where there are none.
        settings: Of the study.
        effort: Trainings have its seed, its seed + 1 and so on.

    Raises:
        InputError: The games are of another grid type.
    """
    seed = effort.seed
    games = _games(grids, given, seed)
    trials: list[Trial] = []

    def done(trial: Trial) -> None:
        trials.append(trial)
        effort.say("trainings", sum(bool(t.preset) for t in trials), 6 * len(grids))

    for grid in grids:
        trials += yardsticks(grid, seed=seed, boards=settings.boards)
        for preset in (FAITHFUL, OURS):
            train_grid(grid, preset, games[grid.name], settings, seed=seed, done=done)
    curve = data_curve(grids[-1], settings, effort)
    return Result(
        _tables(trials, curve, grids, settings.sizes, seed),
        _figures(trials, curve, grids, settings.sizes, seed, games),
        _sentences(trials, grids),
        long=("curve",),
    )


def _tables(
    trials: Sequence[Trial],
    curve: Mapping[str, np.ndarray],
    grids: Sequence[Grid],
    sizes: Sequence[int],
    seed: int,
) -> dict[str, Rows]:
    """Distance ratios, the curve, values and arrows, and rewards."""
    maps: list[dict[str, Any]] = []
    rewards: list[dict[str, Any]] = []
    for grid in grids:
        here = [t for t in trials if t.grid == grid.name]
        seen = drawn_boards(grid, seed=seed, boards=READ)
        maps += map_table(grid, [t for t in here if t.method != CLONING_NAME and t.policies], seen)
        valued = [t for t in here if t.method in (DQN_NAME, IQ_NAME)]
        rewards += reward_table(grid, valued, seen)
    return {
        "scores": score_table(trials),
        "curve": _curve_table(curve, sizes),
        "maps": maps,
        "rewards": rewards,
    }


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


def _figures(
    trials: Sequence[Trial],
    curve: Mapping[str, np.ndarray],
    grids: Sequence[Grid],
    sizes: Sequence[int],
    seed: int,
    games: Mapping[str, Demonstrations],
) -> dict[str, Figure]:
    """The seven of the 2023 study, and the curve."""

    def find(grid: str, preset: str, method: str) -> Trial:
        return _find(trials, grid, preset, method)

    last = grids[-1]
    right, low = last.rules.width - 1, last.rules.height - 1
    wins = [(right, low), (0, 0), (right // 2, low // 2), (right, low // 3)]
    seen = {grid.name: drawn_boards(grid, seed=seed, boards=1)[0] for grid in grids}
    return {
        "1_demonstrations": draw_demonstrations(grids, games),
        "2_loss": draw_loss(grids, find),
        "3_ratios": draw_ratios(grids, find),
        "4_dqn_values": draw_values(grids, find, DQN_NAME),
        "5_iq_values": draw_values(grids, find, IQ_NAME),
        "6_iq_policies": draw_policies(last, find, wins),
        "7_rewards": draw_rewards(grids, find, seen),
        "curve": draw_curve(last, sizes, curve),
    }
