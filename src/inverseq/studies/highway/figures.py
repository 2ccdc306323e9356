"""Figures and films of the highway study."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from jaxtyping import Float
from matplotlib.figure import Figure
from PIL import Image, ImageDraw

from inverseq import plot
from inverseq.demonstrations import Demonstrations
from inverseq.plot.style import GREY, MARKERS, SERIES, SIGNED
from inverseq.rewards.observations import ObservationReward
from inverseq.studies.highway.drives import CDQN, EXPERT, LEARNED, RING, SUMO, Drive
from inverseq.worlds.road_view import PLACES, ROAD_FEATURES, SIGHT, SPEED

METHODS = (EXPERT, *LEARNED, CDQN)

PUBLISHED = {
    EXPERT: ((17.6, 18.2), (50, 110)),
    "DIQL": ((17.3, 18.0), (60, 80)),
    "DCIQL": ((17.3, 17.5), (0, 0)),
    CDQN: ((11.5, 14.1), (0, 0)),
}
"""Speed in m/s and violations of the paper's Figure 5a, read by eye; of how many decisions its
violations are is not said."""

PUBLISHED_CURVE = {10: 14.8, 100: 16.4, 1000: 17.3, 50_000: 17.4}
"""Speed of DCIQL by expert's samples in Figure 5b, read by eye."""


def by_seed(drives: Sequence[Drive], method: str, road: str, size: int) -> list[Drive]:
    """Of one driver on one road, a seed each; those who learned from no data have size 0."""
    wanted = size if method in LEARNED else 0
    return [d for d in drives if (d.method, d.road, d.size) == (method, road, wanted)]


def per_hundred(drive: Drive) -> float:
    """Violations in a hundred decisions."""
    return float(100 * drive.violations.mean() / drive.moves)


def draw_driving(drives: Sequence[Drive], size: int) -> Figure:
    """Speed against violations, a dot for each seed, beside the paper's speeds."""
    roads = [road for road in (RING, SUMO) if by_seed(drives, EXPERT, road, size)]
    figure, axes = plot.canvas(7.4, 3.3, columns=len(roads))
    for ax, road in zip(axes, roads, strict=True):
        for k, method in enumerate(METHODS):
            found = by_seed(drives, method, road, size)
            ax.plot(
                [per_hundred(d) for d in found],
                [d.speed.mean() for d in found],
                MARKERS[k],
                color=SERIES[k],
                ms=5,
                label=method,
            )
        ax.set_title("on the ring" if road == RING else "in SUMO, learned on the ring")
        ax.set_xlabel("violations in 100 decisions")
        ax.set_ylabel("mean speed (m/s)")
    handles, labels = axes[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=6, fontsize=7.5)
    return figure


def draw_samples(drives: Sequence[Drive], sizes: Sequence[int]) -> Figure:
    """Speed and violations on the ring by the number of demonstrated decisions."""
    figure, axes = plot.canvas(7.4, 3.3, columns=2)
    for ax, measure, unit in (
        (axes[0], lambda d: float(d.speed.mean()), "mean speed (m/s)"),
        (axes[1], per_hundred, "violations in 100 decisions"),
    ):
        for k, method in enumerate(LEARNED):
            values = [[measure(d) for d in by_seed(drives, method, RING, n)] for n in sizes]
            mean = [np.mean(v) for v in values]
            low, high = ([side(v) for v in values] for side in (np.min, np.max))
            ax.plot(sizes, mean, MARKERS[k + 1] + "-", color=SERIES[k + 1], ms=4, label=method)
            ax.fill_between(sizes, low, high, color=SERIES[k + 1], alpha=0.15, lw=0)
        for k, method in enumerate((EXPERT, CDQN)):
            level = float(np.mean([measure(d) for d in by_seed(drives, method, RING, 0)]))
            ax.axhline(level, color=GREY, ls=("--", ":")[k], lw=1, label=method)
        ax.set_xscale("log")
        ax.set_xlabel("demonstrated decisions")
        ax.set_ylabel(unit)
    known = {n: v for n, v in PUBLISHED_CURVE.items() if n in sizes}
    axes[0].plot([*known], [*known.values()], "x", color="black", ms=5, label="DCIQL, published")
    handles, labels = axes[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=4, fontsize=7.5)
    return figure


def draw_reward(rewards: Sequence[ObservationReward]) -> Figure:
    """What a change to the left, and the left lane, is worth, by distance and speed of the car
    ahead; mean over the seeds, with nobody else in sight, on the middle lane at 18 m/s.
    """
    distance, speed = np.linspace(8, SIGHT, 25), np.linspace(-10, 4, 29)
    seen = scenes(distance, speed)
    figure, axes = plot.canvas(7.4, 3.2, columns=2)
    for ax, name in zip(axes, ("reward", "action value"), strict=True):
        found = np.mean([_gain(r, seen, name) for r in rewards], axis=0)
        found = found.reshape(len(distance), len(speed))
        limit = float(np.abs(found).max()) or 1.0
        look: dict[str, Any] = {"cmap": SIGNED, "vmin": -limit, "vmax": limit}
        image = ax.pcolormesh(speed, distance, found, shading="nearest", **look)
        figure.colorbar(image, ax=ax)
        ax.set_title(f"{name}: left less keep")
        ax.set_xlabel("speed of the car ahead, less own (m/s)")
        ax.set_ylabel("distance of the car ahead (m)")
    return figure


def scenes(
    distance: Float[np.ndarray, " n"], speed: Float[np.ndarray, " m"]
) -> Float[np.ndarray, "nm 26"]:
    """Observations on the middle lane at 18 m/s with one car ahead, and nobody else."""
    far, fast = (x.ravel() for x in np.meshgrid(distance, speed, indexing="ij"))
    seen = np.zeros((far.size, len(ROAD_FEATURES)))
    put = {f"{place} distance": 1.0 for place in PLACES}
    put |= {f"{place} direction": 1.0 for place in PLACES if place.endswith("back")}
    put |= {"front distance": far / SIGHT, "front speed": fast / SPEED, "front mark": 1.0}
    put |= {"own speed": 18.0 / SPEED}
    for name, value in put.items():
        seen[:, ROAD_FEATURES.index(name)] = value
    return seen


def _gain(
    reward: ObservationReward, seen: Float[np.ndarray, "n 26"], what: str
) -> Float[np.ndarray, " n"]:
    """What left is worth beyond keep at each scene."""
    data = Demonstrations.from_arrays(seen, np.zeros(len(seen), dtype=int))
    values = reward.of_actions(data) if what == "reward" else reward.q(data)
    return values[:, 1] - values[:, 0]


def film(strips: Mapping[str, Sequence[np.ndarray]]) -> tuple[np.ndarray, ...]:
    """Films of several drivers below each other, each under its name."""
    frames = []
    for moment in zip(*strips.values(), strict=True):
        rows = []
        for name, picture in zip(strips, moment, strict=True):
            bar = Image.new("RGB", (picture.shape[1], 16), "white")
            ImageDraw.Draw(bar).text((4, 2), name, fill="black")
            rows += [np.asarray(bar), picture]
        frames.append(np.concatenate(rows))
    return tuple(frames)
