"""Games of a simulator played side by side by what was fitted or trained, and written down."""

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import jax
import numpy as np

from inverseq._core.errors import InputError
from inverseq.demonstrations import Demonstrations, Ending
from inverseq.play.fitted import (
    Fitted,
    check_temperature,
    continuous_actions,
    explained,
    tempered,
)
from inverseq.play.recording import Recording
from inverseq.policies.policy import draw_rows
from inverseq.training.failures import as_raised
from inverseq.training.simulator import Simulator


def play_side_by_side(
    simulator: Simulator,
    fitted: Fitted,
    *,
    games: int,
    moves: int,
    seed: int,
    temperature: float | None = None,
    feature_names: tuple[str, ...] = (),
    action_names: tuple[str, ...] = (),
) -> Recording:
    """Play games of a simulator, all at once, and record them.

    Args:
        simulator: The world. A game that ends is not begun again.
        fitted: Who plays, as for `QAgent`; what looks at the past cannot.
        games: G.
        moves: Moves of a game at most.
        seed: Of the beginnings, the world and the choices.
        temperature: As for `QAgent`: None takes the best action, ties equally often.
        feature_names: Of the components of observations.
        action_names: Of the actions, or of the components of continuous ones.

    Returns:
        The games; `best` and `straight` only where the simulator knows them. The demonstrations say
        which actions existed, where the simulator does.

    Raises:
        InputError: A number is below 1, it cannot play, or its actions are continuous and those of
            the simulator numbered, or the other way round.
    """
    if games < 1 or moves < 1:
        raise InputError(f"games and moves must be 1 or more; got {games} and {moves}")
    player = explained(fitted)
    if not player.present_only:
        raise InputError("what looks at the past plays one game at a time: QAgent")
    continuous = simulator.bounds is not None
    if continuous != (player.num_actions is None):
        kinds = ("continuous", "numbered") if continuous else ("numbered", "continuous")
        raise InputError(
            f"actions of this world are {kinds[0]}, those of who plays {kinds[1]}: fit or train "
            "with games of this world"
        )
    check_temperature(player, temperature)
    rng = np.random.default_rng(seed)
    reset, look, step = compiled(simulator)
    for_begin, for_steps = jax.random.split(jax.random.key(seed))
    with as_raised():
        state = jax.block_until_ready(reset(jax.random.split(for_begin, games)))
    best, straight = _known(simulator, state, games)
    seen, exist = look(state)
    tape: list[tuple[Any, ...]] = []
    masks: list[Any] = []
    over = np.zeros(games, dtype=bool)
    while len(tape) < moves and not over.all():
        actions = _chosen(player, np.asarray(seen), exist, temperature, rng)
        masks.append(exist)
        keys = jax.random.split(jax.random.fold_in(for_steps, len(tape)), games)
        with as_raised():
            state, rewards, ended, cut = jax.block_until_ready(step(keys, state, actions))
        following, exist = look(state)
        ending = np.where(cut, Ending.TRUNCATED, Ending.CONTINUES)
        ending = np.where(ended, Ending.TERMINATED, ending)
        tape.append((seen, actions, rewards, following, ending, ~over))
        over, seen = over | (ending != Ending.CONTINUES), following
    # [games, moves], game after game; of each game what was played.
    all_seen, all_actions, earned, reached, all_endings, played = map(
        _by_game, zip(*tape, strict=True)
    )
    endings, lengths = all_endings[played], played.sum(axis=1)
    last = np.cumsum(lengths) - 1
    finished = endings[last] != Ending.CONTINUES
    endings[last] = np.where(finished, endings[last], Ending.TRUNCATED)
    demonstrations = Demonstrations(
        all_seen[played],
        all_actions[played],
        reached[played],
        endings,
        np.concatenate([[0], last + 1]),
        decisions={"reward": earned[played]},
        trajectories={"game": np.arange(games)},
        feature_names=feature_names,
        action_names=() if continuous else action_names,
        action_feature_names=action_names if continuous else (),
        allowed=None if masks[0] is None else _by_game(masks)[played],
        source="play",
    )
    return Recording(
        demonstrations,
        rewards=np.where(played, earned, 0.0).sum(axis=1),
        moves=lengths,
        terminated=endings[last] == Ending.TERMINATED,
        over=finished,
        best=best,
        straight=straight,
        losses=np.zeros(0),
    )


@lru_cache(maxsize=8)
def compiled(simulator: Simulator) -> tuple[Any, Any, Any]:
    """Beginnings, what is seen and may be done, and moves: functions of many games at once."""

    def look(state: Any) -> tuple[jax.Array, jax.Array | None]:
        return simulator.observe(state), simulator.allowed_in(state)

    return (
        jax.jit(jax.vmap(simulator.reset)),
        jax.jit(jax.vmap(look)),
        jax.jit(jax.vmap(simulator.step)),
    )


def _by_game(column: Sequence[Any]) -> np.ndarray:
    """A column of the tape with games first."""
    return np.stack([np.asarray(x) for x in column], axis=1)


def _known(simulator: Simulator, state: Any, games: int) -> tuple[np.ndarray, ...]:
    """Fewest moves of each game, and those without walls; NaN where nobody knows."""
    return tuple(
        np.full(games, np.nan) if way is None else np.asarray(jax.vmap(way)(state), dtype=float)
        for way in (simulator.best_moves, simulator.straight_moves)
    )


def _chosen(
    player: Any, seen: np.ndarray, exist: Any, temperature: float | None, rng: np.random.Generator
) -> np.ndarray:
    """An action in each game."""
    if player.num_actions is None:
        unknown = np.full((len(seen), 1), np.nan)
        now = Demonstrations.from_arrays(seen, unknown, trajectory=np.arange(len(seen)))
        return continuous_actions(player, rng, now, temperature).astype(np.float32)
    missing = np.full(len(seen), -1)
    allowed = None if exist is None else np.asarray(exist)
    now = Demonstrations.from_arrays(
        seen, missing, trajectory=np.arange(len(seen)), allowed=allowed
    )
    chances = tempered(player.probabilities(now), temperature)
    return draw_rows(rng, chances).astype(np.int32)
