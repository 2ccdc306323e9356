"""A policy that changes as its animal learns: values of actions, and a habit beside them.

Before decision t an animal values action a at Q_t(a) and is in the habit of it by C_t(a), both 0 at
the beginning of a trajectory and behind a gap. Once action c was taken and paid r,

    Q(c) <- Q(c) + alpha (r - Q(c)),    Q(a) <- (1 - f) Q(a) for the others,
    C(a) <- C(a) + tau ([a = c] - C(a)),

with one alpha where r > 0 and another where not (Niv and others 2012), and forgetting f (Ito and
Doya 2009). In a trial without an action nothing is c: all values are forgotten, all habits fade.
What is done is

    p(a) = (1 - l) softmax(beta Q(a) + phi C(a) + kappa [a was taken last] + b(a)) + l / A

with lapses l. Given what was done and paid, every value is a recursion x_t = d_t x_(t-1) + u_t with
0 <= d_t <= 1, and so are its derivatives in the numbers: triangular systems of one diagonal beside
the main one, solved in the time of one pass over the decisions.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float, Int
from scipy.linalg.lapack import dtbtrs
from scipy.special import expit

from inverseq._core.arrays import freeze
from inverseq._core.errors import InputError
from inverseq.demonstrations import Demonstrations
from inverseq.mdp import MDP
from inverseq.policies.each import Members
from inverseq.policies.policy import FinitePolicy

VALUE, LEARNING, LOSSES, FORGETTING = "value", "learning", "learning from losses", "forgetting"
HABIT, HABIT_LEARNING, REPETITION = "habit", "habit learning", "repetition"
LAPSE, BIAS = "lapse", "bias"

_RATES = (LEARNING, LOSSES, FORGETTING, HABIT_LEARNING, LAPSE)
"""Numbers that are log-odds of a share."""

_FEW_LAPSES = -4.0
"""Log-odds of lapses where their number is 0."""


class Course(NamedTuple):
    """What was done and what it paid.

    Attributes:
        actions: `[N]` -1 where there was none.
        rewards: `[N]` 0 where there was none.
        first: `[N]` whether a trajectory begins, or goes on behind a gap.
        exists: `[N, A]` which actions exist.
    """

    actions: Int[np.ndarray, " N"]
    rewards: Float[np.ndarray, " N"]
    first: Bool[np.ndarray, " N"]
    exists: Bool[np.ndarray, "N A"]

    def take(self, rows: Int[np.ndarray, " n"]) -> "Course":
        """Some of the rows: whole trajectories."""
        return Course(*(column[rows] for column in self))


class Chances(NamedTuple):
    """What is done, and how that depends on F numbers.

    Attributes:
        chances: `[N, A]` probability of each action, 0 where it does not exist.
        slopes: `[N, A, F]` their derivatives.
    """

    chances: Float[np.ndarray, "N A"]
    slopes: Float[np.ndarray, "N A F"]


def course_of(
    demonstrations: Demonstrations, reward: str, exists: Bool[np.ndarray, "N A"]
) -> Course:
    """What was done and what it paid.

    Args:
        demonstrations: N decisions.
        reward: Column per decision: what its action paid.
        exists: Which actions exist.

    Raises:
        InputError: There is no such column, or it has no number where an action was taken.
    """
    if reward not in demonstrations.decisions:
        raise InputError(
            f"there is no column {reward!r} per decision, of what an action paid; there are "
            f"{sorted(demonstrations.decisions)}. A learner needs it in every table it is asked "
            "about"
        )
    column = np.asarray(demonstrations.decisions[reward])
    acted = demonstrations.acted
    paid = column.astype(np.float64) if column.dtype.kind in "iufb" else np.full(acted.size, np.nan)
    unknown = acted & ~np.isfinite(paid)
    if unknown.any():
        row = int(np.argmax(unknown))
        raise InputError(
            f"row {demonstrations.row(row)}: column {reward!r} holds {str(column[row])!r}, not "
            "what the action paid; give a number, or leave out the action"
        )
    return Course(
        demonstrations.actions, np.where(acted, paid, 0.0), ~demonstrations.continues, exists
    )


def chances(terms: tuple[str, ...], numbers: Float[np.ndarray, " F"], course: Course) -> Chances:
    """What is done at each decision, given what was done and paid before it.

    Args:
        terms: Name of each number.
        numbers: Weights as they are, rates as log-odds.
        course: N decisions.
    """
    log_odds = _LogOdds(terms, numbers, course)
    slopes, exists = log_odds.slopes, course.exists.T
    soft = np.where(exists, log_odds.made, -np.inf)
    soft = np.exp(soft - soft.max(axis=0))
    soft /= soft.sum(axis=0)
    slopes -= np.einsum("an,fan->fn", soft, slopes)[:, None]
    slopes *= soft
    if LAPSE in terms:
        number = terms.index(LAPSE)
        lapse = expit(numbers[number] + _FEW_LAPSES)
        equal = exists / exists.sum(axis=0)
        slopes *= 1 - lapse
        slopes[number] += lapse * (1 - lapse) * (equal - soft)
        soft = (1 - lapse) * soft + lapse * equal
    return Chances(soft.T, np.moveaxis(slopes, (0, 1, 2), (2, 1, 0)))


class _LogOdds:
    """Log-odds of each action, `made` `[A, N]`, and their slopes, `[F, A, N]`."""

    def __init__(
        self, terms: tuple[str, ...], numbers: Float[np.ndarray, " F"], course: Course
    ) -> None:
        size, num_actions = course.exists.shape
        self.numbers, self.first = numbers, course.first
        self.place = {name: number for number, name in enumerate(terms)}
        self.made = np.zeros((num_actions, size))
        self.slopes = np.zeros((len(terms), num_actions, size))
        before, paid = np.append(-1, course.actions[:-1]), np.append(0.0, course.rewards[:-1])
        mine = (before == np.arange(num_actions)[:, None]) & ~course.first
        losses = LOSSES if LOSSES in self.place else LEARNING
        rates = {LEARNING: mine & (paid > 0)}
        rates[losses] = rates.get(losses, False) | (mine & (paid <= 0))
        if FORGETTING in self.place:
            rates[FORGETTING] = ~mine & ~course.first
        self._add(VALUE, *self._trace(np.where(mine, paid, 0.0), rates))
        done = mine.astype(np.float64)
        if HABIT in self.place:
            goes_on = np.broadcast_to(~course.first, mine.shape)
            self._add(HABIT, *self._trace(done, {HABIT_LEARNING: goes_on}))
        if REPETITION in self.place:
            self._add(REPETITION, done, {})
        for action in range(1, num_actions):
            one = np.zeros_like(done)
            one[action] = 1.0
            self._add(f"{BIAS} {action}", one, {})

    def _add(
        self,
        weight: str,
        made: Float[np.ndarray, "A N"],
        bends: Mapping[str, Float[np.ndarray, "A N"]],
    ) -> None:
        """A weighted term of the log-odds."""
        number = self.place[weight]
        self.made += self.numbers[number] * made
        self.slopes[number] += made
        for name, bend in bends.items():
            self.slopes[self.place[name]] += self.numbers[number] * bend

    def _trace(
        self, towards: Float[np.ndarray, "A N"], rates: Mapping[str, Bool[np.ndarray, "A N"]]
    ) -> tuple[Float[np.ndarray, "A N"], dict[str, Float[np.ndarray, "A N"]]]:
        """What moves towards something, at a rate of its own in each kind of row; its slopes."""
        shares = {name: expit(self.numbers[self.place[name]]) for name in rates}
        rate = np.zeros(towards.shape)
        for name, rows in rates.items():
            rate[rows] = shares[name]
        keep = np.where(self.first, 0.0, 1 - rate).ravel()
        made = _recursion(keep, (rate * towards).reshape(-1, 1)).reshape(towards.shape)
        gap = towards - np.append(np.zeros((len(made), 1)), made[:, :-1], axis=1)
        bends = [shares[n] * (1 - shares[n]) * rows * gap for n, rows in rates.items()]
        found = _recursion(keep, np.stack([bend.ravel() for bend in bends], axis=1)).T
        return made, {n: one.reshape(towards.shape) for n, one in zip(rates, found, strict=True)}


def in_own_units(
    terms: tuple[str, ...], numbers: Float[np.ndarray, "*k F"]
) -> Float[np.ndarray, "*k F"]:
    """Rates as shares between 0 and 1, weights as they are."""
    made = np.array(numbers, dtype=np.float64)
    for number, name in enumerate(terms):
        if name in _RATES:
            made[..., number] = expit(made[..., number] + (_FEW_LAPSES if name == LAPSE else 0.0))
    return made


@dataclass(frozen=True, eq=False)
class LearnerPolicy(FinitePolicy):
    """What a learner does, from all that it did and was paid before in the trajectory.

    Attributes:
        reward: Column per decision: what its action paid.
        terms: Name of each of the F numbers.
        numbers: `[M + 1, F]` weights as they are and rates as log-odds of each member and, last, of
            all; of all alone where there are no members.
        members: The M animals and groups that have numbers of their own, or None.
    """

    reward: str
    terms: tuple[str, ...]
    numbers: Float[np.ndarray, "M1 F"]
    members: Members | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "terms", tuple(map(str, self.terms)))
        freeze(self, np.float64, "numbers")

    @property
    def num_actions(self) -> int:
        """A: one more than there are biases."""
        return 1 + sum(name.startswith(f"{BIAS} ") for name in self.terms)

    @property
    def present_only(self) -> bool:
        """No: what was done and paid before decides."""
        return False

    def probabilities(
        self, demonstrations: Demonstrations, mdp: MDP | None
    ) -> Float[np.ndarray, "N A"]:
        """What the learner does, given what came before.

        Raises:
            InputError: The column of rewards is missing, or nothing says whose the decisions are.
        """
        course = course_of(demonstrations, self.reward, self.exists(demonstrations, mdp))
        if self.members is None:
            return chances(self.terms, self.numbers[-1], course).chances
        which = self.members.which(demonstrations)
        made = np.empty(course.exists.shape)
        for member in np.unique(which):
            rows = np.flatnonzero(which == member)
            made[rows] = chances(self.terms, self.numbers[member], course.take(rows)).chances
        return made

    def alone(self, member: int) -> "LearnerPolicy":
        """That of one member."""
        return replace(self, numbers=self.numbers[member : member + 1], members=None)


def _recursion(
    keep: Float[np.ndarray, " N"], add: Float[np.ndarray, "N k"]
) -> Float[np.ndarray, "N k"]:
    """Series with x_t = keep_t x_(t-1) + add_t, from nothing."""
    bands = np.ones((2, keep.size))
    bands[1] = -np.append(keep[1:], 0.0)
    made, _ = dtbtrs(bands, add, uplo="L", diag="U")
    return made
