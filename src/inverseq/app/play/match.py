"""A person's game, and a companion's on the same board: what stands where, move by move."""

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, NamedTuple, Protocol, runtime_checkable

import jax
import numpy as np
from jaxtyping import Int

from inverseq._core.errors import InputError
from inverseq.app.games import End, Turn
from inverseq.training.simulator import Simulator


@runtime_checkable
class Companion(Protocol):
    """Whoever plays beside a person: any agent that chooses a move by the board it is shown."""

    def get_action(self, observation: Any) -> Any:
        """The move on a board of tiles `[H, W]`."""


class Step(NamedTuple):
    """What came of a move."""

    state: Any
    tiles: Int[np.ndarray, "H W"]
    reward: float
    terminated: bool
    truncated: bool


@dataclass(frozen=True)
class Level:
    """The rules of one difficulty, compiled when they are first used.

    Attributes:
        name: What it is called.
        rules: Its settings, as JSON.
        simulator: The game; its observations are tile codes `[H, W]`.
    """

    name: str
    rules: str
    simulator: Simulator

    @cached_property
    def _compiled(self) -> tuple[Callable, Callable]:
        """Begin and step, both run once, so that no key press waits for a compiler."""
        simulator, best = self.simulator, self.simulator.best_moves
        if best is None:
            raise InputError(f"nobody knows how few moves win the game {self.name!r}")

        def begin(key: jax.Array) -> tuple:
            state = simulator.reset(key)
            return state, simulator.observe(state), best(state)

        def step(key: jax.Array, state: Any, action: Any) -> tuple:
            state, *ends = simulator.step(key, state, action)
            return state, simulator.observe(state), *ends

        made = jax.jit(begin), jax.jit(step)
        made[1](jax.random.key(0), made[0](jax.random.key(0))[0], 0)
        return made

    def begin(self, key: jax.Array) -> "Match":
        """A new board, drawn by a key, which is consumed."""
        state, tiles, best = self._compiled[0](key)
        seat = Seat(state, np.asarray(tiles).astype(np.int64))
        return Match(self, seat, seat, seat, int(best), time.monotonic())

    def step(self, state: Any, action: int) -> Step:
        """Make a move. Nothing in these rules is left to chance, so the key does not matter."""
        made = self._compiled[1](jax.random.key(0), state, action)
        state, tiles, reward, terminated, truncated = made
        board = np.asarray(tiles).astype(np.int64)
        return Step(state, board, float(reward), bool(terminated), bool(truncated))


@dataclass(frozen=True)
class Seat:
    """One board of a match.

    Attributes:
        state: The simulator's state.
        tiles: `[H, W]` what is shown.
        moves: Moves made.
        score: Rewards earned.
        ended: How the game ended, or None.
        action: The last move, or None.
        turns: The moves, where they are kept.
    """

    state: Any
    tiles: Int[np.ndarray, "H W"]
    moves: int = 0
    score: float = 0.0
    ended: End | None = None
    action: int | None = None
    turns: tuple[Turn, ...] = ()


@dataclass(frozen=True)
class Match:
    """A person and a companion, each on a board of their own, beginning alike.

    Attributes:
        level: The rules.
        person: The person's board.
        companion: The companion's board.
        beginning: The board as both found it.
        best_moves: The fewest moves that win.
        shown: When the board was shown, by the monotonic clock.
    """

    level: Level
    person: Seat
    companion: Seat
    beginning: Seat
    best_moves: int
    shown: float

    @property
    def over(self) -> bool:
        """Whether the person's game is over."""
        return self.person.ended is not None

    def move(self, action: int) -> "Match":
        """The match after a person's move; unchanged where their game is over."""
        if self.over:
            return self
        seconds = time.monotonic() - self.shown
        return replace(self, person=_moved(self.level, self.person, action, seconds))

    def without_companion(self) -> "Match":
        """The match with the companion's board as it was at the beginning."""
        return replace(self, companion=self.beginning)

    def follow(self, agent: Companion | None) -> "Match":
        """The match after a move of the companion, if there is one whose game is not over."""
        if agent is None or self.companion.ended is not None:
            return self
        action = int(agent.get_action(self.companion.tiles.astype(np.float32)))
        return replace(self, companion=_moved(self.level, self.companion, action, None))


def _moved(level: Level, seat: Seat, action: int, seconds: float | None) -> Seat:
    """A board after a move; the move is kept where its time is known."""
    step = level.step(seat.state, action)
    ended = End.WON if step.terminated else End.LIMIT if step.truncated else None
    turns = seat.turns
    if seconds is not None:
        ends = (step.terminated, step.truncated, seconds)
        turns = (*turns, Turn(seat.tiles, action, step.reward, step.tiles, *ends))
    return Seat(
        step.state, step.tiles, seat.moves + 1, seat.score + step.reward, ended, action, turns
    )
