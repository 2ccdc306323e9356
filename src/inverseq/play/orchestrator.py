"""Plays an agent in an environment, and writes down what happened."""

from dataclasses import dataclass, field
from typing import Any

import gymnasium
import numpy as np
from gymnasium import spaces

from inverseq._core.errors import InputError
from inverseq.demonstrations import Demonstrations, Ending
from inverseq.play.agents import Agent
from inverseq.play.recording import Recording

_OBSERVATIONS = (spaces.Discrete, spaces.Box, spaces.MultiBinary, spaces.MultiDiscrete)
"""Spaces whose observations are whole numbers or arrays."""


@dataclass(frozen=True)
class Orchestrator:
    """An agent and the environment it plays in.

    Attributes:
        environment: Any Gymnasium environment with discrete actions, or continuous ones (`Box`) for
            an agent of such; its observations are whole numbers or arrays.
        agent: Who plays.
        training_freq: Moves after which the agent is trained; None to play without training.

    Raises:
        InputError: Actions or observations are of another kind, or the agent has other actions.
    """

    environment: gymnasium.Env
    agent: Agent
    training_freq: int | None = None

    def __post_init__(self) -> None:
        actions, seen = self.environment.action_space, self.environment.observation_space
        if isinstance(actions, spaces.Box):
            if self.agent.num_actions:
                raise InputError(
                    f"actions of the environment are continuous, {actions}; the agent has "
                    f"{self.agent.num_actions} numbered ones"
                )
        elif not isinstance(actions, spaces.Discrete) or actions.start != 0:
            raise InputError(
                f"actions must be Discrete and count from 0, or a Box; they are {actions}"
            )
        elif self.agent.num_actions != actions.n:
            raise InputError(
                f"the environment has {actions.n} actions, the agent {self.agent.num_actions}"
            )
        if not isinstance(seen, _OBSERVATIONS):
            raise InputError(
                f"observations must be whole numbers or arrays; they are {seen}. Wrap the "
                "environment in gymnasium.wrappers.FlattenObservation"
            )
        if self.training_freq is not None and self.training_freq < 1:
            raise InputError(f"training_freq must be 1 or more; got {self.training_freq}")

    def play(
        self,
        *,
        seed: int,
        games: int | None = None,
        moves: int | None = None,
        video: bool = False,
    ) -> Recording:
        """Play for a number of games or of moves, whichever is reached first.

        A game that the last move leaves unfinished ends as truncated in the demonstrations, and
        `Recording.over` is False for it. A trajectory's column "best_moves" is the fewest moves it
        could be won in, where the environment tells. Where its `info["action_mask"]` says which
        actions exist, agents are told, and the demonstrations of features say so too.

        Args:
            seed: Of the environment's first reset.
            games: Games at most.
            moves: Moves at most.
            video: Whether to keep a picture of every board.

        Raises:
            InputError: Neither games nor moves are given, or there are no pictures to keep.
        """
        limits = [limit for limit in (games, moves) if limit is not None]
        if not limits or min(limits) < 1:
            raise InputError(f"give games or moves, 1 or more; got {games} and {moves}")
        if video and self.environment.render_mode != "rgb_array":
            raise InputError(
                'a video needs pictures: make the environment with render_mode="rgb_array", not '
                f"{self.environment.render_mode!r}"
            )
        tape = _Tape(video)
        begin: int | None = seed
        while (games is None or tape.games < games) and (moves is None or tape.moves < moves):
            self._play_one(tape, begin, moves)
            begin = None
        return tape.recording()

    def _play_one(self, tape: "_Tape", seed: int | None, limit: int | None) -> None:
        """One game, to its end or to `limit` moves in all."""
        environment, agent = self.environment, self.agent
        seen, info = environment.reset(seed=seed)
        tape.begin(info, environment)
        agent.allowed = _allowed(info)
        over = False
        while not over and (limit is None or tape.moves < limit):
            action = agent.get_action(seen)
            tape.allowed.append(agent.allowed)
            following, reward, terminated, truncated, info = environment.step(action)
            agent.allowed = _allowed(info)
            agent.inform_result(following, float(reward), terminated, truncated)
            tape.add(seen, action, following, float(reward), terminated, truncated, environment)
            if self.training_freq is not None and tape.moves % self.training_freq == 0:
                loss = agent.train()
                tape.losses += [] if loss is None else [loss]
            seen, over = following, terminated or truncated


def _allowed(info: dict[str, Any]) -> np.ndarray | None:
    """Which actions exist, where an environment says it."""
    mask = info.get("action_mask")
    return None if mask is None else np.asarray(mask, dtype=bool)


@dataclass
class _Tape:
    """A recording in the making."""

    video: bool
    rows: list[tuple[Any, Any, Any]] = field(default_factory=list)
    endings: list[Ending] = field(default_factory=list)
    rewards: list[float] = field(default_factory=list)
    starts: list[int] = field(default_factory=list)
    allowed: list[np.ndarray | None] = field(default_factory=list)
    known: list[tuple[float, float]] = field(default_factory=list)
    losses: list[float] = field(default_factory=list)
    frames: list[np.ndarray] = field(default_factory=list)

    @property
    def moves(self) -> int:
        return len(self.rows)

    @property
    def games(self) -> int:
        return len(self.starts)

    def begin(self, info: dict[str, Any], environment: gymnasium.Env) -> None:
        """A game begins."""
        self.starts.append(self.moves)
        unknown = float("nan")
        self.known.append((info.get("distance", unknown), info.get("manhattan", unknown)))
        self._film(environment)

    def add(
        self,
        seen: Any,
        action: Any,
        following: Any,
        reward: float,
        terminated: bool,
        truncated: bool,
        environment: gymnasium.Env,
    ) -> None:
        """A move was made."""
        self.rows.append((np.array(seen), action, np.array(following)))
        self.rewards.append(reward)
        ending = Ending.TRUNCATED if truncated else Ending.CONTINUES
        self.endings.append(Ending.TERMINATED if terminated else ending)
        self._film(environment)

    def recording(self) -> Recording:
        """Everything as one record."""
        states, actions, following = (np.array(column) for column in zip(*self.rows, strict=True))
        starts = np.array([*self.starts, self.moves])
        endings = np.array(self.endings)
        over = endings[starts[1:] - 1] != Ending.CONTINUES
        endings[starts[1:] - 1] = np.where(over, endings[starts[1:] - 1], Ending.TRUNCATED)
        best, straight = np.array(self.known, dtype=float).T
        columns = {"game": np.arange(self.games)}
        if not np.isnan(best).any():
            columns["best_moves"] = best.astype(np.int64)
        masked = states.ndim > 1 and all(mask is not None for mask in self.allowed)
        demonstrations = Demonstrations(
            states,
            actions,
            following,
            endings,
            starts,
            decisions={"reward": np.array(self.rewards)},
            trajectories=columns,
            allowed=np.stack(self.allowed) if masked else None,  # pyright: ignore
            source="play",
        )
        return Recording(
            demonstrations,
            rewards=np.add.reduceat(self.rewards, starts[:-1]),
            moves=np.diff(starts),
            terminated=endings[starts[1:] - 1] == Ending.TERMINATED,
            over=over,
            best=best,
            straight=straight,
            losses=np.array(self.losses),
            frames=tuple(self.frames),
        )

    def _film(self, environment: gymnasium.Env) -> None:
        if self.video:
            self.frames.append(np.asarray(environment.render(), dtype=np.uint8))
