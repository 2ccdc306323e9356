"""The numbers of the Objectworld study, and the tables made of them."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Bool, Float

from inverseq._core.arrays import freeze
from inverseq.studies.shapes import plain

PUBLISHED_UNIFORM = 15.415
"""Squared value difference of the uniform policy in the one world of the released experiments."""

PUBLISHED = {
    "IAVI": {4: 15.312, 32: 8.817, 128: 2.606, 512: 2.045},
    "IQL": {4: 15.36, 32: 15.092, 128: 11.853, 512: 3.289},
}
"""Squared value differences there, by method and trajectories (their results.csv)."""


@dataclass(frozen=True, eq=False)
class Objectworld:
    """The numbers of the study; R recordings, M methods, N sizes of data, W worlds, C changes.

    Attributes:
        recordings: "released" (noise of the world written down as actions, as in the released
            experiments) and "honest".
        methods: Names.
        sizes: Numbers of trajectories.
        changes: What is changed in the world after learning.
        transfer_size: Trajectories of the rewards that are carried to changed worlds.
        as_released: Whether the worlds are as large and as full as in the released experiments.
        uniform: `[R, W]` mean over states of (V(reference) - V(uniform policy))^2.
        squared: `[R, M, N, W]` the same of the policy found, relative to `uniform`.
        loss: `[R, M, N, W]` mean of V(optimal) - V(policy), relative to the uniform policy's.
        seconds: `[R, M, N, W]` processor time of each fit.
        converged: `[R, M, N, W]`.
        expert_squared: `[R, W]` as `squared`, of the expert itself.
        expert_loss: `[R, W]` as `loss`, of the expert itself.
        correlation: `[M, N, W]` of the reward with the true one, up to shaping ("honest").
        error: `[M, N, W]` size of its error, up to shaping; 1 is that of no reward at all.
        transfer: `[M, C, W]` as `loss`, of planning for the found reward in the changed world.
        stale: `[M, C, W]` as `loss`, of the policy found before the change, kept.
        informed: `[C, W]` as `loss`, of planning for the true reward at the expert's temperature.
        gap: Largest difference between IAVI's policy and the shares of actions in the data.
    """

    recordings: tuple[str, ...]
    methods: tuple[str, ...]
    sizes: tuple[int, ...]
    changes: tuple[str, ...]
    transfer_size: int
    as_released: bool
    uniform: Float[np.ndarray, "R W"]
    squared: Float[np.ndarray, "R M N W"]
    loss: Float[np.ndarray, "R M N W"]
    seconds: Float[np.ndarray, "R M N W"]
    converged: Bool[np.ndarray, "R M N W"]
    expert_squared: Float[np.ndarray, "R W"]
    expert_loss: Float[np.ndarray, "R W"]
    correlation: Float[np.ndarray, "M N W"]
    error: Float[np.ndarray, "M N W"]
    transfer: Float[np.ndarray, "M C W"]
    stale: Float[np.ndarray, "M C W"]
    informed: Float[np.ndarray, "C W"]
    gap: float

    def __post_init__(self) -> None:
        names = [n for n in self.__dataclass_fields__ if isinstance(getattr(self, n), np.ndarray)]
        freeze(self, None, *names)

    @property
    def slower(self) -> float:
        """By how much MaxEnt on features takes longer than IAVI, at the size of the transfer."""
        at = self.sizes.index(self.transfer_size)
        took = np.median(self.seconds[0, :, at], axis=-1)
        return float(took[self.methods.index("MaxEnt, features")] / took[0])

    def published(self, method: str, size: int) -> float | None:
        """What was published, relative to the uniform policy there; None where nothing was."""
        value = PUBLISHED.get(method, {}).get(size)
        return None if value is None or not self.as_released else value / PUBLISHED_UNIFORM


def mean_and_error(values: Float[np.ndarray, "*before W"]) -> tuple[np.ndarray, np.ndarray]:
    """Mean over worlds and its standard error; NaN for one world."""
    count = values.shape[-1]
    spread = values.std(-1, ddof=1) if count > 1 else np.full(values.shape[:-1], np.nan)
    return values.mean(-1), spread / np.sqrt(count)


def score_table(made: Objectworld) -> list[dict[str, Any]]:
    """One line per recording, method and size."""
    squared, squared_error = mean_and_error(made.squared)
    loss, loss_error = mean_and_error(made.loss)
    correlation, error = made.correlation.mean(-1), made.error.mean(-1)
    seconds = np.median(made.seconds, axis=-1)
    rows = []
    for r, recording in enumerate(made.recordings):
        for m, method in enumerate(made.methods):
            for n, size in enumerate(made.sizes):
                known = made.published(method, size) if recording == "released" else None
                honest = recording == "honest"
                row = {
                    "recording": recording,
                    "method": method,
                    "trajectories": size,
                    "squared": squared[r, m, n],
                    "squared_error": squared_error[r, m, n],
                    "squared_published": known,
                    "loss": loss[r, m, n],
                    "loss_error": loss_error[r, m, n],
                    "reward_correlation": correlation[m, n] if honest else None,
                    "reward_error": error[m, n] if honest else None,
                }
                converged = made.converged[r, m, n]
                row = plain(row) | plain({"seconds": seconds[r, m, n]}, 5)
                rows.append(row | {"converged": f"{converged.sum()}/{converged.size}"})
    return rows


def transfer_table(made: Objectworld) -> list[dict[str, Any]]:
    """One line per method and change."""
    mean, error = mean_and_error(np.concatenate([made.transfer, made.informed[None]]))
    stale = made.stale.mean(-1)
    return [
        plain(
            {
                "method": method,
                "change": change,
                "loss_replanned": mean[m, c],
                "error": error[m, c],
                "loss_of_old_policy": stale[m, c] if m < len(stale) else None,
            }
        )
        for m, method in enumerate([*made.methods, "true reward"])
        for c, change in enumerate(made.changes)
    ]


def world_table(made: Objectworld) -> list[dict[str, Any]]:
    """One line per fit, for anybody's own statistics."""
    return [
        {
            "recording": recording,
            "method": method,
            "trajectories": size,
            "world": world,
            "squared": float(f"{made.squared[r, m, n, world]:.6g}"),
            "loss": float(f"{made.loss[r, m, n, world]:.6g}"),
            "seconds": float(f"{made.seconds[r, m, n, world]:.4g}"),
            "converged": bool(made.converged[r, m, n, world]),
        }
        for r, recording in enumerate(made.recordings)
        for m, method in enumerate(made.methods)
        for n, size in enumerate(made.sizes)
        for world in range(made.squared.shape[-1])
    ]
