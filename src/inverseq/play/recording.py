"""What was played, as one record."""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Bool, Float, Int
from PIL import Image

from inverseq._core.arrays import freeze
from inverseq._core.errors import InputError
from inverseq._core.files import replace_when_whole
from inverseq.demonstrations import Demonstrations


@dataclass(frozen=True, eq=False)
class Recording:
    """G games in the order in which they were played.

    Attributes:
        demonstrations: Every move, with the column "reward"; a game is a trajectory.
        rewards: `[G]` sum of rewards.
        moves: `[G]` moves made.
        terminated: `[G]` whether the world ended the game, as Gymnasium means it: won where that is
            the only end (the grid games), perhaps lost elsewhere. `rewards` tell these apart.
        over: `[G]` whether the game ended, by itself or at its limit; False for one that the
            recording stopped in the middle of.
        best: `[G]` fewest moves that the game could be won in, NaN where the environment does not
            tell (`info["distance"]`).
        straight: `[G]` the same if there were no walls (`info["manhattan"]`).
        losses: `[U]` loss of each training step.
        frames: Pictures `[height, width, 3]`, where a video was asked for.
    """

    demonstrations: Demonstrations
    rewards: Float[np.ndarray, " G"]
    moves: Int[np.ndarray, " G"]
    terminated: Bool[np.ndarray, " G"]
    over: Bool[np.ndarray, " G"]
    best: Float[np.ndarray, " G"]
    straight: Float[np.ndarray, " G"]
    losses: Float[np.ndarray, " U"]
    frames: tuple[np.ndarray, ...] = ()

    def __post_init__(self) -> None:
        freeze(self, np.float64, "rewards", "best", "straight", "losses")
        freeze(self, np.int64, "moves")
        freeze(self, bool, "terminated", "over")

    @property
    def num_games(self) -> int:
        """G."""
        return len(self.moves)

    @property
    def distance_ratio(self) -> Float[np.ndarray, " G"]:
        """`[G]` moves made over the fewest possible; lost games count with the moves of the limit,
        NaN for a game that is not over or whose fewest moves are unknown. 1 is perfect.
        """
        return np.where(self.over, self.moves / self.best, np.nan)

    @property
    def manhattan_ratio(self) -> Float[np.ndarray, " G"]:
        """`[G]` as `distance_ratio`, over the Manhattan distance from start to win: the measure of
        Aubuchon and Ho (2023). Walls in the way make it larger than 1 for perfect play.
        """
        return np.where(self.over, self.moves / self.straight, np.nan)

    def save_gif(self, path: str | os.PathLike, *, seconds: float = 0.15) -> Path:
        """Write the frames as an animated GIF that repeats.

        Args:
            path: Where to; it holds the whole film or what it held before.
            seconds: How long a frame is shown; a multiple of 0.01.

        Raises:
            InputError: Nothing was filmed, or the file cannot be written.
        """
        if not self.frames:
            raise InputError(
                'nothing was filmed: make the environment with render_mode="rgb_array" and play '
                "with video=True"
            )
        return save_film(self.frames, path, seconds=seconds)


def save_film(frames: Sequence[np.ndarray], path: str | os.PathLike, *, seconds: float) -> Path:
    """Write pictures `[height, width, 3]` as an animated GIF that repeats.

    Args:
        frames: The pictures, of one size.
        path: Where to; it holds the whole film or what it held before.
        seconds: How long a frame is shown; a multiple of 0.01.

    Raises:
        InputError: The file is no GIF, or cannot be written.
    """
    if Path(path).suffix.lower() != ".gif":
        raise InputError(f"a film is written as GIF; give a name that ends in .gif, not {path}")
    first, *others = (Image.fromarray(frame) for frame in frames)
    with replace_when_whole(path) as temporary:
        first.save(
            temporary,
            save_all=True,
            append_images=others,
            duration=round(1000 * seconds),
            loop=0,
        )
    return Path(path)
