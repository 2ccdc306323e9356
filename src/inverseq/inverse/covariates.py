"""Rewards that are linear in columns of the table: in a dose, a day, an age.

The reward of an animal under covariates x is R_0 + sum_c z_c R_c, where z_c = (x_c - middle_c) /
scale_c. Rewards are linear in their weights, so that each R is a reward of the same kind; what is
done for it is planned anew for each x, also for one that no decision of the fit was made under.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Float, Int

from inverseq._core.arrays import freeze
from inverseq._core.errors import InputError
from inverseq.decisions.alignment import align
from inverseq.demonstrations import Demonstrations
from inverseq.inverse.planning import KnownPlanning, Planned, Planning
from inverseq.mdp import MDP
from inverseq.policies.each import Members
from inverseq.policies.policy import FinitePolicy
from inverseq.rewards.each import KnownTable


@dataclass(frozen=True, eq=False)
class Covariates:
    """Columns that rewards are linear in, and the units in which that is computed.

    Attributes:
        names: C trajectory columns.
        middle: `[C]` what the column is where its slope counts nothing: its mean.
        scale: `[C]` one unit of the fit, in units of the column: its standard deviation.
    """

    names: tuple[str, ...]
    middle: Float[np.ndarray, " C"]
    scale: Float[np.ndarray, " C"]

    def __post_init__(self) -> None:
        freeze(self, np.float64, "middle", "scale")

    def of(self, demonstrations: Demonstrations) -> Float[np.ndarray, "T C"]:
        """Of each trajectory, in units of the fit.

        Raises:
            InputError: A column is missing, or holds something else than numbers.
        """
        return (columns_of(demonstrations, self.names) - self.middle) / self.scale


def covariates_of(demonstrations: Demonstrations, names: tuple[str, ...]) -> Covariates:
    """Middles and scales of these columns.

    Raises:
        InputError: A column is missing, holds something else than numbers or the same one
            everywhere, or follows from the others.
    """
    values = columns_of(demonstrations, names)
    middle, scale = values.mean(axis=0), values.std(axis=0)
    for name, spread in zip(names, scale, strict=True):
        if spread == 0:
            raise InputError(
                f"covariate {name!r} is the same in all trajectories, so that nothing says what it "
                "does: leave it out"
            )
    if np.linalg.matrix_rank((values - middle) / scale, tol=1e-8 * np.sqrt(len(values))) < len(
        names
    ):
        raise InputError(
            f"covariates {[*names]} follow from one another, so that nothing says which of them "
            "does what: leave one out"
        )
    return Covariates(names, middle, scale)


def columns_of(demonstrations: Demonstrations, names: tuple[str, ...]) -> Float[np.ndarray, "T C"]:
    """Numbers of these columns, trajectory by trajectory.

    Raises:
        InputError: A column is missing, or holds something else than numbers.
    """
    made = np.empty((demonstrations.num_trajectories, len(names)))
    for number, name in enumerate(names):
        if name not in demonstrations.trajectories:
            raise InputError(
                f"there is no covariate {name!r} that is constant in a trajectory; there are "
                f"{[*demonstrations.trajectories]}"
            )
        column = demonstrations.trajectories[name]
        try:
            made[:, number] = column.astype(np.float64)
        except ValueError:
            made[:, number] = [_number(value) for value in column.astype(str)]
    wrong = np.argwhere(~np.isfinite(made))
    if wrong.size:
        at, number = (int(i) for i in wrong[0])
        value = demonstrations.trajectories[names[number]][at]
        raise InputError(
            f"covariate {names[number]!r} holds {str(value)!r} in trajectory {at + 1}, and rewards "
            "are linear in numbers: give a number, or leave these trajectories out"
        )
    return made


def _number(value: str) -> float:
    """The number that a word is; not a number where it is none."""
    try:
        return float(value)
    except ValueError:
        return float("nan")


@dataclass(frozen=True, eq=False)
class Cases:
    """Whose a decision is, and under which covariates.

    Attributes:
        members: The M animals and groups; None where there is one alone.
        covariates: The C columns.
    """

    members: Members | None
    covariates: Covariates

    def of(
        self, demonstrations: Demonstrations
    ) -> tuple[Float[np.ndarray, "k C1"], Int[np.ndarray, " N"]]:
        """Each member under each of its covariates, as (member, units of the fit), and which of
        these cases each decision is.

        Raises:
            InputError: Nothing says whose a decision is, or a covariate is missing.
        """
        values = self.covariates.of(demonstrations)[demonstrations.trajectory_of]
        which = np.zeros(len(values), dtype=np.int64)
        if self.members is not None:
            which = self.members.which(demonstrations)
        cases, back = np.unique(np.column_stack([which, values]), axis=0, return_inverse=True)
        return cases, back.ravel()


@dataclass(frozen=True, eq=False)
class CovariateReward:
    """The reward of each animal, of each group, and of all, linear in covariates; as a table, that
    of all in the middle of the covariates.

    Attributes:
        cases: The M animals and groups, and the C covariates.
        each: `[M + 1][1 + C]` rewards: in the middle, and what one unit of each covariate adds; the
            last those of all.
        numbers: `[M, (1 + C) F]` the weights of each in the same order.
        spread: `[M, (1 + C) F]` how unsure each is: standard deviations given the decisions and how
            alike animals are.
    """

    cases: Cases
    each: tuple[tuple[KnownTable, ...], ...]
    numbers: Float[np.ndarray, "M F"]
    spread: Float[np.ndarray, "M F"]

    def __post_init__(self) -> None:
        freeze(self, np.float64, "numbers", "spread")

    def values(self, demonstrations: Demonstrations, mdp: MDP | None) -> Float[np.ndarray, " N"]:
        """Of each row, to the animal whose it is, under its covariates; NaN where its action is
        unknown.

        Raises:
            InputError: Nothing says whose a row is, a covariate is missing, or there is no world
                that it fits.
        """
        cases, back = self.cases.of(demonstrations)
        made = np.empty(demonstrations.num_decisions)
        for member in np.unique(cases[:, 0]).astype(int):
            rows = cases[back, 0] == member
            told = np.stack([one.values(demonstrations, mdp)[rows] for one in self.each[member]])
            made[rows] = told[0] + np.einsum("nc,cn->n", cases[back[rows], 1:], told[1:])
        return made

    def table(self, mdp: MDP) -> Float[np.ndarray, "S A"]:
        """That of all, in the middle of the covariates."""
        return self.each[-1][0].table(mdp)

    def carry(self, old: MDP, new: MDP) -> "CovariateReward":
        """Each in another world."""
        carried = tuple(tuple(one.carry(old, new) for one in those) for those in self.each)
        return replace(self, each=carried)

    def planned(self, mdp: MDP, planning: Planning) -> Planned:
        """What each does under its covariates, with the values of all in the middle of these."""
        tables = np.stack([[one.table(mdp) for one in those] for those in self.each])
        made = planning.plan(mdp, self.table(mdp))
        return Planned(CovariatePolicy(self.cases, tables, planning), made.plan)

    def like(
        self, table: Float[np.ndarray, "S A"] | None, parameters: Mapping[str, np.ndarray]
    ) -> KnownTable:
        """That of all in the middle of the covariates, with other numbers."""
        return self.each[-1][0].like(table, parameters)

    def alone(self, member: int) -> "CovariateReward":
        """That of one member."""
        at = slice(member, member + 1)
        cases = replace(self.cases, members=None)
        return CovariateReward(cases, self.each[at], self.numbers[at], self.spread[at])


@dataclass(frozen=True, eq=False)
class CovariatePolicy(FinitePolicy):
    """What each animal does for its reward under the covariates of each decision.

    Attributes:
        cases: The M animals and groups, and the C covariates.
        rewards: `[M + 1, 1 + C, S, A]` in the middle, and what one unit of each covariate adds; the
            last those of all.
        planning: How they plan.
    """

    cases: Cases
    rewards: Float[np.ndarray, "M1 C1 S A"]
    planning: Planning | KnownPlanning

    def __post_init__(self) -> None:
        freeze(self, np.float64, "rewards")

    @property
    def num_actions(self) -> int:
        """A."""
        return self.rewards.shape[3]

    def probabilities(
        self, demonstrations: Demonstrations, mdp: MDP | None
    ) -> Float[np.ndarray, "N A"]:
        """Planned once for each animal and covariates.

        Raises:
            InputError: There is no world, a decision does not fit it, nothing says whose it is, or
                a covariate is missing.
        """
        if mdp is None:
            raise InputError("these rewards are planned for in a world; fit with mdp=...")
        cases, back = self.cases.of(demonstrations)
        states = align(demonstrations, mdp)
        made = np.empty((states.size, self.num_actions))
        for number, (member, *units) in enumerate(cases):
            table = np.einsum("c,csa->sa", [1.0, *units], self.rewards[int(member)])
            rows = back == number
            made[rows] = self.planning.plan(mdp, table).policy.per_state(mdp)[states[rows]]
        return made

    def alone(self, member: int) -> "CovariatePolicy":
        """That of one member."""
        cases = replace(self.cases, members=None)
        return replace(self, cases=cases, rewards=self.rewards[member : member + 1])

    def per_state(self, mdp: MDP | None) -> Float[np.ndarray, "S A"]:
        """No table: the state alone does not decide."""
        raise InputError(f"what is done depends on {', '.join(self.cases.covariates.names)}")
