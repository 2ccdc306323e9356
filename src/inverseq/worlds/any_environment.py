"""Any Gymnasium environment as a simulator, so that compiled trainings play it.

A game is kept as its seed and the actions taken so far, which is all that a game of Gymnasium
depends on. Where it stands lies in Python, in an environment that the compiled program calls back;
an environment that stands elsewhere (after an interruption, say) is reset and led there again. So
the functions of the simulator are pure, as far as the environment obeys its seed.
"""

from collections.abc import Callable
from dataclasses import dataclass
from math import prod
from threading import Lock
from typing import Any, NamedTuple

import gymnasium
import jax
import jax.numpy as jnp
import numpy as np
from gymnasium import spaces
from jaxtyping import Array, Float, Shaped

from inverseq._core.environments import environment_of
from inverseq._core.errors import InputError
from inverseq.training.failures import called_back
from inverseq.training.simulator import Bounds, Simulator

_HELD = 512
"""Environments that are held at most; of more games at once some are led to where they stand anew
at every move."""
_SEEDS = 1 << 24
"""Seeds are whole numbers below this, which float32 holds exactly."""


class PlayedGame(NamedTuple):
    """Where a game of an environment stands."""

    seed: Float[Array, ""]
    moves: Float[Array, ""]
    """Moves made."""
    actions: Float[Array, "limit D"]
    """Actions taken, in the first rows."""
    over: Float[Array, ""]
    """1 where it has ended, by itself or at its limit."""
    seen: Float[Array, " n"]
    """What is observed, unrolled."""
    mask: Float[Array, " A"]
    """1 for the actions that exist; of length 0 where the environment does not say it."""


def gymnasium_simulator(
    environment: str | Callable[[], gymnasium.Env], *, max_moves: int | None = None, **settings: Any
) -> Simulator:
    """Any Gymnasium environment, to be played by the compiled trainings.

    A move costs about 0.4 ms beside that of the environment itself: the program calls Python.
    Observations are arrays, or whole numbers, seen one-hot; actions are numbered, or continuous
    (`Box`, of one axis and with finite bounds). Where `info["action_mask"]` says which
    actions exist, the simulator says it too.

    Args:
        environment: Its id, or a function that makes one; several may be made.
        max_moves: Moves after which a game is truncated; the environment's own limit where left
            out.
        settings: For `gymnasium.make`, with an id.

    Returns:
        The simulator. Games are the same for the same keys, also after an interruption, where the
        environment depends on the seed of its `reset` and on actions alone.

    Raises:
        InputError: There is no such environment, what it needs is not installed, its spaces are
            others, or it has no limit and none is given.
    """
    make, name = _maker(environment, settings)
    games = _Games(make, max_moves)
    shape, size, limit = games.shape, games.size, games.limit
    width = games.mask_size
    begin, move = called_back(games.reset), called_back(games.step)

    def parts(out: jax.Array) -> tuple[jax.Array, jax.Array]:
        return out[:size], out[size : size + width]

    def reset(key: jax.Array) -> PlayedGame:
        seed = (jax.random.bits(key) % _SEEDS).astype(jnp.float32)
        out = jax.pure_callback(begin, games.shown, seed[None], vmap_method="expand_dims")
        nothing = jnp.zeros((limit, games.action_size))
        return PlayedGame(seed, jnp.float32(0), nothing, jnp.float32(0), *parts(out))

    def step(
        key: jax.Array, game: PlayedGame, action: jax.Array
    ) -> tuple[PlayedGame, jax.Array, jax.Array, jax.Array]:
        del key  # what is random comes from the seed of the game
        taken = jnp.reshape(action, -1).astype(jnp.float32)
        head = jnp.stack([game.over, game.seed, game.moves])
        told = jnp.concatenate([head, taken, game.seen, game.actions.ravel()])
        out = jax.pure_callback(move, games.shown, told, vmap_method="expand_dims")
        reward, terminated, truncated = out[-3:]
        seen, mask = parts(out)
        still = game.over == 0
        row = game.moves.astype(jnp.int32)
        following = PlayedGame(
            game.seed,
            game.moves + still,
            jnp.where(still, game.actions.at[row].set(taken), game.actions),
            jnp.maximum(terminated, truncated),
            jnp.where(still, seen, game.seen),
            mask,
        )
        return following, reward, terminated > 0, truncated > 0

    return Simulator(
        reset,
        step,
        lambda game: game.seen.reshape(shape),
        shape,
        games.num_actions,
        allowed=(lambda game: game.mask > 0) if width else None,
        bounds=games.bounds,
        description=f"{name}, games of at most {limit} moves",
    )


def _maker(
    environment: str | Callable[[], gymnasium.Env], settings: dict[str, Any]
) -> tuple[Callable[[], gymnasium.Env], str]:
    """What makes the environment, and its name."""
    if not isinstance(environment, str):
        if settings:
            raise InputError(
                f"{[*settings]} are for gymnasium.make with an id; a function that makes the "
                "environment takes no arguments"
            )
        return environment, repr(environment)
    told = "".join(f", {name}={value!r}" for name, value in sorted(settings.items()))
    return lambda: environment_of(environment, **settings), environment + told


@dataclass
class _Game:
    """An environment, and the game that it is in."""

    environment: gymnasium.Env
    seed: int
    moves: int
    actions: Shaped[np.ndarray, "limit D"]
    over: bool = False


def _bounds(actions: spaces.Space) -> Bounds:
    """Least and largest of each component of a continuous action."""
    if not isinstance(actions, spaces.Box) or len(actions.shape) != 1:
        raise InputError(
            f"actions must be Discrete, or a Box of one axis; they are {actions}. Wrap the "
            "environment in gymnasium.wrappers.TransformAction"
        )
    low, high = (np.asarray(end, np.float32) for end in (actions.low, actions.high))
    if not np.isfinite([low, high]).all():
        raise InputError(
            f"continuous actions need finite bounds; they are {actions}. Wrap the environment in "
            "gymnasium.wrappers.RescaleAction"
        )
    return tuple(zip(low.tolist(), high.tolist(), strict=True))


class _Games:
    """The environments behind a simulator, by the seeds of their games; the oldest used first."""

    def __init__(self, make: Callable[[], gymnasium.Env], max_moves: int | None):
        first = make()
        self._make, self._free, self._lock = make, [first], Lock()
        self._held: dict[int, _Game] = {}
        space, actions = first.observation_space, first.action_space
        if isinstance(space, spaces.Discrete) and space.start == 0:
            self.shape: tuple[int, ...] = (int(space.n),)
        elif isinstance(space, spaces.Box):
            self.shape = space.shape
        else:
            raise InputError(
                f"observations must be arrays, or whole numbers from 0; they are {space}. Wrap the "
                "environment in gymnasium.wrappers.FlattenObservation"
            )
        self.bounds: Bounds | None = None
        if isinstance(actions, spaces.Discrete):
            self.num_actions, self._start, self.action_size = int(actions.n), int(actions.start), 1
        else:
            self.bounds = _bounds(actions)
            self.num_actions = self.action_size = len(self.bounds)
        own = None if first.spec is None else first.spec.max_episode_steps
        limits = [limit for limit in (max_moves, own) if limit is not None]
        if not limits or min(limits) < 1:
            raise InputError(
                f"a game needs a limit of 1 move or more; max_moves is {max_moves}, and the "
                f"environment's own limit {own}"
            )
        self.limit, self.size = min(limits), prod(self.shape)
        _, info = first.reset(seed=0)
        self.mask_size = self.num_actions if "action_mask" in info else 0
        self.shown = jax.ShapeDtypeStruct((self.size + self.mask_size + 3,), jnp.float32)

    def reset(self, seeds: Any) -> Float[np.ndarray, "*games n"]:
        """What is observed at the beginnings of games."""
        given = np.asarray(seeds)
        with self._lock:
            out = [self._shown(*self._begun(int(seed))[1]) for seed in given.ravel()]
        return np.reshape(out, (*given.shape[:-1], -1))

    def step(self, told: Any) -> Float[np.ndarray, "*games n"]:
        """What is observed after moves, the rewards and the two ends."""
        given = np.asarray(told)
        with self._lock:
            out = [self._moved(row) for row in given.reshape(-1, given.shape[-1])]
        return np.reshape(out, (*given.shape[:-1], -1))

    def _moved(self, told: Float[np.ndarray, " n"]) -> Float[np.ndarray, " m"]:
        """One game after its move."""
        over, seed, moves = told[:3]
        if over:
            ended = np.zeros(self.shown.shape, np.float32)
            ended[self.size :] = 1.0  # what it is after the end is undefined, but over
            ended[-3] = 0.0
            return ended
        action, rest = told[3 : 3 + self.action_size], told[3 + self.action_size :]
        seen, history = rest[: self.size], rest[self.size :].reshape(self.limit, -1)
        game = self._game(int(seed), history[: int(moves)], seen)
        following, reward, terminated, truncated, info = self._acted(game, action)
        truncated = bool(truncated or game.moves >= self.limit) and not terminated
        game.over = bool(terminated or truncated)
        return self._shown(following, info, float(reward), terminated, truncated)

    def _acted(self, game: _Game, action: np.ndarray) -> tuple[Any, Any, bool, bool, dict]:
        """A move of the environment, written down."""
        game.actions[game.moves] = action
        game.moves += 1
        # Continuous ones as numbers of their own: an environment may write into what it is given.
        done = int(action[0]) + self._start if self.bounds is None else np.array(action)
        return game.environment.step(done)

    def _game(self, seed: int, history: np.ndarray, seen: np.ndarray) -> _Game:
        """The game of a seed after these actions."""
        game = self._held.pop(seed, None)
        if game is not None and np.array_equal(game.actions[: game.moves], history):
            self._held[seed] = game  # the last used stands last
            return game
        if game is not None:
            self._free.append(game.environment)
        game, (observation, _) = self._begun(seed)
        for action in history:
            observation, *_ = self._acted(game, action)
        if not np.array_equal(self._numbers(observation), seen):
            raise InputError(
                "the environment does not come to the same observation again with the same seed "
                "and actions, so a game that was interrupted cannot be gone on with"
            )
        return game

    def _begun(self, seed: int) -> tuple[_Game, tuple[Any, dict]]:
        """A new game of a seed, and what its environment says."""
        old = self._held.pop(seed, None)
        if old is None:
            ended = [one for one, game in self._held.items() if game.over]
            oldest = next(iter(self._held)) if len(self._held) >= _HELD else None
            spare = ended[0] if ended else oldest
            old = None if spare is None else self._held.pop(spare)
        environment = old.environment if old else self._free.pop() if self._free else self._make()
        nothing = np.zeros((self.limit, self.action_size), np.float32)
        game = self._held[seed] = _Game(environment, seed, 0, nothing)
        return game, environment.reset(seed=seed)

    def _shown(
        self, observation: Any, info: dict, reward: float = 0.0, *ends: bool
    ) -> Float[np.ndarray, " m"]:
        """An observation, which actions exist, the reward and the two ends in one row."""
        mask = np.asarray(info.get("action_mask", ()) if self.mask_size else (), np.float32)
        if mask.shape != (self.mask_size,):
            raise InputError(
                f'at its first reset the environment told by info["action_mask"] which of '
                f"{self.mask_size} actions exist, and now its shape is {mask.shape}: give it in "
                "every reset and step, one number per action"
            )
        last = (reward, *ends) if ends else (reward, 0.0, 0.0)
        return np.concatenate([self._numbers(observation), mask, last]).astype(np.float32)

    def _numbers(self, observation: Any) -> Float[np.ndarray, " n"]:
        """An observation as numbers in a row; a whole number becomes one-hot."""
        if np.ndim(observation) == 0:
            return np.eye(1, self.size, int(observation), dtype=np.float32)[0]
        return np.asarray(observation, np.float32).ravel()
