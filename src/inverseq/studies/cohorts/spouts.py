"""Choices of mice at two spouts in whole sessions, and such choices drawn from learners."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Bool, Float

from inverseq._core.arrays import freeze
from inverseq.datasets import bandit
from inverseq.demonstrations import Demonstrations, Ending
from inverseq.policies.learning import (
    BIAS,
    FORGETTING,
    HABIT,
    HABIT_LEARNING,
    LAPSE,
    LEARNING,
    LOSSES,
    REPETITION,
    VALUE,
    in_own_units,
)


@dataclass(frozen=True, eq=False)
class Spouts:
    """Sessions at two spouts.

    Attributes:
        data: Every trial of every session, those without a choice too; one trajectory per session.
        share: `[N]` share of the session's choices that came before.
        test: `[N]` whether a trial is a choice of the last fifth of its session.
        pays: `[N, 2]` water that each spout would give in each trial, drawn once from the
            probabilities of the table; for simulations.
    """

    data: Demonstrations
    share: Float[np.ndarray, " N"]
    test: Bool[np.ndarray, " N"]
    pays: Float[np.ndarray, "N 2"]

    def __post_init__(self) -> None:
        freeze(self, None, "share", "test", "pays")


def spouts() -> Spouts:
    """The sessions of the bundled mice."""
    parts = bandit().demonstrations
    cuts = parts.starts[1:-1:2]  # each session is its first part and its last
    endings = parts.endings.copy()
    endings[cuts - 1] = Ending.CONTINUES
    data = replace(
        parts,
        endings=endings,
        starts=parts.starts[::2],
        trajectories={name: column[::2] for name, column in parts.trajectories.items()},
    )
    late = np.asarray(parts.trajectories["split"] == "test")[parts.trajectory_of]
    done = np.cumsum(data.acted) - data.acted
    before = done - done[data.starts[:-1]][data.trajectory_of]
    total = np.bincount(data.trajectory_of, data.acted)[data.trajectory_of]
    chance = np.stack([data.decisions["p_left"], data.decisions["p_right"]], axis=1)
    pays = (np.random.default_rng(0).random(chance.shape) < chance).astype(np.float64)
    return Spouts(data, before / total, late & data.acted, pays)


def choices_alone(demonstrations: Demonstrations) -> Demonstrations:
    """The trials with a choice, as if there had been no others."""
    acted, of = demonstrations.acted, demonstrations.trajectory_of
    return Demonstrations.from_arrays(
        demonstrations.states[acted],
        demonstrations.actions[acted],
        trajectory=of[acted],
        decisions={"reward": demonstrations.decisions["reward"][acted]},
        trajectories={"subject": demonstrations.trajectories["subject"]},
        state_names=demonstrations.state_names,
        action_names=demonstrations.action_names,
    )


def drawn(
    design: Demonstrations,
    pays: Float[np.ndarray, "N 2"],
    terms: tuple[str, ...],
    numbers: Float[np.ndarray, "k F"],
    whose: Sequence[int],
    seed: int,
) -> Demonstrations:
    """Choices of learners in the sessions of a design, trial by trial; none where there was none.

    Args:
        design: N trials of T sessions.
        pays: What each spout would give in each trial.
        terms: Name of each number of a learner.
        numbers: Those of k learners, rates as log-odds.
        whose: Number of the learner of each session.
        seed: Which random choice.
    """
    rng = np.random.default_rng(seed)
    of = dict(zip(terms, in_own_units(terms, numbers)[np.asarray(whose)].T, strict=True))
    zero = np.zeros(design.num_trajectories)
    own = lambda name: of.get(name, zero)[:, None]  # noqa: E731
    value, habit, last = (np.zeros((zero.size, 2)) for _ in range(3))
    lengths, uniform = np.diff(design.starts), rng.random(design.num_decisions)
    actions, paid = np.full(design.num_decisions, -1), np.zeros(design.num_decisions)
    for step in range(int(lengths.max())):
        here = np.flatnonzero(lengths > step)
        row = design.starts[here] + step
        log_odds = own(VALUE) * value + own(HABIT) * habit + own(REPETITION) * last
        gap = log_odds[:, 1] - log_odds[:, 0] + own(f"{BIAS} 1")[:, 0]
        lapse = own(LAPSE)[:, 0]
        right = (1 - lapse) / (1 + np.exp(-gap)) + lapse / 2
        choice = np.where(design.acted[row], uniform[row] < right[here], -1)
        actions[row] = choice
        last = np.zeros_like(last)
        last[here] = choice[:, None] == np.arange(2)
        paid[row] = (last[here] * pays[row]).sum(axis=1)
        got = np.zeros(zero.size)
        got[here] = paid[row]
        losses = own(LOSSES) if LOSSES in of else own(LEARNING)
        rate = np.where(got[:, None] > 0, own(LEARNING), losses)
        rate = np.where(last > 0, rate, own(FORGETTING))
        value = value + rate * (last * got[:, None] - value)
        habit = habit + own(HABIT_LEARNING) * (last - habit)
    return replace(design, actions=actions, decisions=dict(design.decisions) | {"reward": paid})
