"""Figures of the Objectworld study."""

from collections.abc import Mapping

import numpy as np
from jaxtyping import Float
from matplotlib.figure import Figure

from inverseq import plot
from inverseq.forward import policy_evaluation, policy_iteration
from inverseq.inverse.solution import Solution
from inverseq.studies.objectworld.record import Objectworld, mean_and_error
from inverseq.worlds import World

CURVES = ("IAVI", "IQL", "MaxEnt, features", "MaxEntIRL", "DeepMaxEnt", "MaxEnt, states")
"""Methods that are drawn as curves."""


def draw_errors(made: Objectworld) -> Figure:
    """Both errors, the quality of the reward, and time, against the number of trajectories."""
    figure, axes = plot.canvas(7.4, 5.6, columns=2, rows=2)
    sizes = np.array(made.sizes)
    chosen = [made.methods.index(name) for name in CURVES]
    released, honest = made.recordings.index("released"), made.recordings.index("honest")
    known = {
        name: {n: p for n in made.sizes if (p := made.published(name, n)) is not None}
        for name in CURVES
    }
    panels = (
        (
            "as released: squared difference",
            made.squared[released],
            "squared value difference\n(uniform = 1)",
        ),
        ("honest recording: loss", made.loss[honest], "loss of value\n(uniform = 1, optimum = 0)"),
        (
            "honest recording: the reward",
            made.correlation,
            "correlation with the true reward\n(up to shaping)",
        ),
        ("time of a fit", made.seconds[released], "processor time (s)"),
    )
    for place, (ax, (title, values, unit)) in enumerate(zip(axes, panels, strict=True)):
        mean, error = mean_and_error(values)
        if place == 3:
            mean, error = np.median(values, axis=-1), np.full(mean.shape, np.nan)
        plot.curves(
            sizes,
            mean[chosen],
            np.nan_to_num(error[chosen]),
            CURVES,
            ax=ax,
            published=known if place == 0 else None,
            x_name="trajectories of 8 decisions",
            unit=unit,
            logarithmic=place == 3,
        )
        ax.set_title(title, fontsize=8.5)
    handles, labels = axes[0].get_legend_handles_labels()
    look = {"ncols": 4, "fontsize": 7.5, "frameon": False}
    figure.legend(handles, labels, loc="outside lower center", **look)
    return figure


def draw_transfer(made: Objectworld) -> Figure:
    """Loss after each change: of planning anew for the reward found, and of the old policy."""
    figure, axes = plot.canvas(7.4, 3.4, columns=len(made.changes))
    mean, error = mean_and_error(made.transfer)
    stale, stale_error = mean_and_error(made.stale)
    informed, informed_error = mean_and_error(made.informed)
    first = made.methods.index("IAVI")
    for c, (ax, change) in enumerate(zip(axes, made.changes, strict=True)):
        labels = [*made.methods, "true reward", "old shares of actions"]
        plot.scores(
            labels,
            np.array([*mean[:, c], informed[c], stale[first, c]]),
            np.nan_to_num([*error[:, c], informed_error[c], stale_error[first, c]]),
            ax=ax,
            yardsticks=np.array([False] * len(made.methods) + [True, True]),
            unit="loss of value",
        )
        ax.axvline(1.0, color="#6B6B6B", ls="--", lw=1.0, zorder=0)
        ax.set_xlim(-0.04, 1.06)
        ax.invert_yaxis()
        ax.set_title(change, fontsize=8.5)
    return figure


def draw_values(world: World, shown: Mapping[str, Solution]) -> Figure:
    """True reward, and what the policies are worth under it, on one scale."""
    best = policy_iteration(world.mdp)
    values = {"optimal policy": best.values}
    for name in ("IAVI", "IQL", "MaxEnt, features", "DeepMaxEnt"):
        values[name] = policy_evaluation(world.mdp, shown[name].policy).values
    together = np.concatenate(list(values.values()))
    limits = (float(together.min()), float(together.max()))
    figure, axes = plot.canvas(7.4, 4.9, columns=3, rows=2)
    _map(
        axes[0], world, _of_states(world.mdp.reward), "true reward", scale="signed", label="reward"
    )
    for place, (ax, (name, value)) in enumerate(zip(axes[1:], values.items(), strict=True)):
        bar = " " * (place in (1, 4))  # one in each row
        _map(ax, world, value, f"value: {name}", limits=limits, label=bar)
    return figure


def draw_rewards(world: World, shown: Mapping[str, Solution]) -> Figure:
    """The true reward beside those found: their means over actions, each on its own scale."""
    figure, axes = plot.canvas(7.4, 4.9, columns=3, rows=2)
    rewards = {"true reward": world.mdp.reward}
    for name in ("IAVI, of states", "IQL", "MaxEnt, states", "MaxEnt, features", "DeepMaxEnt"):
        rewards[name] = shown[name].reward
    for ax, (name, reward) in zip(axes, rewards.items(), strict=True):
        _map(ax, world, _of_states(reward), name, scale="signed", label=" ")
    return figure


def _map(
    ax: object, world: World, values: Float[np.ndarray, " S"], title: str, **how: object
) -> None:
    """One map with a title."""
    plot.grid_map(np.asarray(world.mdp.coordinates), values, ax=ax, **how)  # pyright: ignore[reportArgumentType]
    ax.set_title(title, fontsize=8.5)  # pyright: ignore[reportAttributeAccessIssue]


def _of_states(reward: Float[np.ndarray, "S A"] | None) -> Float[np.ndarray, " S"]:
    """The mean over actions."""
    assert reward is not None  # of a world or a solution that has one
    return reward.mean(1)
