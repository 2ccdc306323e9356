"""What the networks of the GridWorld study hold: values, best moves and rewards on whole boards."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import jax
import numpy as np
from jaxtyping import Bool, Float

from inverseq.evaluate.rewards import reward_correlation
from inverseq.play.agents import best_moves
from inverseq.policies.network import NetworkPolicy, network_q, network_values
from inverseq.studies.gridworld.record import Grid, Trial
from inverseq.studies.shapes import plain
from inverseq.worlds.game_boards import PLAYER, WALL, WIN, GridState, board_distances
from inverseq.worlds.game_rules import GridWorldRules, board_world


@dataclass(frozen=True, eq=False)
class Reading:
    """A network on every cell of one board; values in units of its temperature.

    Attributes:
        coordinates: `[S, 2]` cells (x, y) that are no wall.
        walls: `[W, 2]` cells that are.
        win: State of the win tile.
        q: `[S, 4]` action values; NaN on the win tile.
        v: `[S]` values; NaN on the win tile.
        reward: `[S, 4]` recovered reward Q(s, a) - gamma V(s'); NaN on the win tile.
        truth: `[S, 4]` the true reward.
        good: `[S, 4]` moves on a shortest way to the win.
        bumps: `[S, 4]` moves into a wall or off the board.
        distance: `[S]` moves to the win; -1 where there is no way.
        correlation: Of the recovered with the true reward, up to shaping: in what any behaviour
            could identify.
    """

    coordinates: Float[np.ndarray, "S 2"]
    walls: Float[np.ndarray, "W 2"]
    win: int
    q: Float[np.ndarray, "S 4"]
    v: Float[np.ndarray, " S"]
    reward: Float[np.ndarray, "S 4"]
    truth: Float[np.ndarray, "S 4"]
    good: Bool[np.ndarray, "S 4"]
    bumps: Bool[np.ndarray, "S 4"]
    distance: Float[np.ndarray, " S"]
    correlation: float

    @property
    def arrows(self) -> Float[np.ndarray, "S 4"]:
        """1 for the best action of each state, 0 for the others and on the win tile."""
        best = np.zeros(self.q.shape)
        known = np.flatnonzero(np.isfinite(self.v))
        best[known, self.q[known].argmax(1)] = 1.0
        return best

    @property
    def slope(self) -> float:
        """Correlation of values with minus the distance to the win."""
        use = (self.distance > 0) & np.isfinite(self.v)
        v, nearer = self.v[use], -self.distance[use]
        return float(np.corrcoef(v, nearer)[0, 1]) if np.ptp(v) > 0 else float("nan")


def read_board(policy: NetworkPolicy, rules: GridWorldRules, state: GridState) -> Reading:
    """A network with the player put on every cell of a board in turn."""
    walls = np.asarray(state.walls)
    height, width = walls.shape
    world = board_world(rules, state, discount=policy.discount or 0.9)
    mdp = world.mdp
    cells = np.flatnonzero(~walls.ravel())
    win = int(np.searchsorted(cells, int(state.win)))
    ground = np.where(walls.ravel(), WALL, 0)
    ground[int(state.win)] = WIN
    boards = np.repeat(ground[None], len(cells), axis=0)
    boards[np.arange(len(cells)), cells] = PLAYER
    boards = boards.reshape(-1, height, width).astype(np.float32)
    q, v = network_q(policy, boards), network_values(policy, boards)
    ahead = v.copy()
    ahead[win] = policy.absorbing_value / policy.temperature
    following = np.asarray(mdp.successors)[:, :, 0]
    reward = q - mdp.discount * ahead[following]
    reward[win] = 0.0
    truth = np.asarray(mdp.reward)
    correlation = reward_correlation(mdp, reward, truth)
    q[win], v[win], reward[win] = np.nan, np.nan, np.nan
    distance = board_distances(walls, int(state.win))
    good = best_moves(np.repeat(distance[None], len(cells), 0), cells, width)
    return Reading(
        coordinates=np.asarray(mdp.coordinates, dtype=float),
        walls=np.argwhere(walls)[:, ::-1].astype(float),
        win=win,
        q=q,
        v=v,
        reward=reward,
        truth=truth,
        good=good,
        bumps=(following == np.arange(len(cells))[:, None])
        & (np.arange(len(cells)) != win)[:, None],
        distance=distance[cells].astype(float),
        correlation=correlation,
    )


def empty_board(rules: GridWorldRules, win: tuple[int, int] | None = None) -> GridState:
    """A board without walls, the win at the bottom right or at (x, y)."""
    x, y = win or (rules.width - 1, rules.height - 1)
    goal = y * rules.width + x
    walls = np.zeros((rules.height, rules.width), dtype=bool)
    return GridState(walls, 0 if goal else 1, goal, 0)


def drawn_boards(grid: Grid, *, seed: int, boards: int) -> list[GridState]:
    """Boards of a grid type that nothing was learned on; one where all are the same."""
    if grid.rules.walls is not None and grid.rules.win != "random":
        boards = 1
    keys = jax.random.split(jax.random.key(seed + 2_000_003), boards)
    drawn = jax.tree.map(np.asarray, jax.vmap(grid.rules.reset)(keys))
    return [GridState(*(part[i] for part in drawn)) for i in range(boards)]


def map_table(grid: Grid, trials: Sequence[Trial], boards: Sequence[GridState]) -> list[dict]:
    """Values and best moves of every network on the empty board and on unseen ones.

    Means over seeds: "slope" is the correlation of values with minus the distance to the win on the
    empty board; "nearer", "into_walls" and "off_the_board" are the share of the cells of the unseen
    boards where the best move lies on a shortest way, goes into a wall, or off the board.
    """
    rows = []
    for trial in trials:
        found = []
        for policy in trial.policies:
            empty = read_board(policy, grid.rules, empty_board(grid.rules))
            seen = [read_board(policy, grid.rules, board) for board in boards]
            found.append([empty.slope, *np.mean([_moves(one) for one in seen], axis=0)])
        slope, nearer, walls, off = np.mean(found, axis=0)
        row = {"slope": slope, "nearer": nearer, "into_walls": walls, "off_the_board": off}
        rows.append(_named(grid, trial) | plain(row, 3))
    return rows


def _named(grid: Grid, trial: Trial) -> dict[str, Any]:
    """What a row is about."""
    return {"grid": grid.name, "settings": trial.preset, "method": trial.method}


def _moves(reading: Reading) -> tuple[float, float, float]:
    """Share of the cells whose best move leads nearer, into a wall, off the board."""
    use = reading.distance > 0
    best = reading.arrows[use] > 0
    bumps = (best & reading.bumps[use]).any(1)
    step = np.array([[0, -1], [1, 0], [0, 1], [-1, 0]])[best.argmax(1)]
    there = reading.coordinates[use] + step
    walls = {tuple(wall) for wall in reading.walls.tolist()}
    into = np.array([tuple(cell) in walls for cell in there.tolist()])
    return (
        float((best & reading.good[use]).any(1).mean()),
        float((bumps & into).mean()),
        float((bumps & ~into).mean()),
    )


def reward_table(grid: Grid, trials: Sequence[Trial], boards: Sequence[GridState]) -> list[dict]:
    """Recovered rewards beside the true ones (10 at the win, -1 elsewhere), means over seeds.

    "shaping" is the correlation over all states and actions of a board, up to shaping;
    "expert_moves" that over the moves on shortest ways, the only ones demonstrated. "win", "step"
    and "bump" are mean recovered rewards of moves on shortest ways that enter the win or do not,
    and of bumps, in units of the temperature ("temperature", in the network's own units). DQN has
    none: its rewards are in units of the true one.
    """
    rows = []
    for trial in trials:
        found = []
        for policy in trial.policies:
            seen = [read_board(policy, grid.rules, board) for board in boards]
            found.append(np.mean([_rewards(one) for one in seen], axis=0))
        shaping, expert, win, step, bump = np.mean(found, axis=0)
        row = {"shaping": shaping, "expert_moves": expert, "win": win, "step": step, "bump": bump}
        heat = {"temperature": trial.policies[0].temperature}
        rows.append(_named(grid, trial) | plain(row, 3) | heat)
    return rows


def _rewards(reading: Reading) -> tuple[float, ...]:
    """Both correlations, and mean rewards at the win, on the way, and of bumps."""
    use = reading.distance > 0
    reward, truth = reading.reward[use], reading.truth[use]
    good, bumps = reading.good[use], reading.bumps[use]
    enters = truth > truth.min()
    both = float(np.corrcoef(reward[good], truth[good])[0, 1]) if np.ptp(reward[good]) > 0 else 0.0
    parts = (reward[good & enters], reward[good & ~enters], reward[bumps])
    return (reading.correlation, both, *(float(part.mean()) for part in parts))
