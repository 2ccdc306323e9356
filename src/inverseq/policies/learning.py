"""A policy that changes as its animal learns: values of actions, and a habit beside them.

Before decision t an animal values action a at Q_t(a) and is in the habit of it by C_t(a), both 0 at
the beginning of a trajectory. Once action c was taken and paid r,

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
from scipy.linalg import solve_banded
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
        first: `[N]` whether a trajectory begins.
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
        demonstrations.actions, np.where(acted, paid, 0.0), _begins(demonstrations), exists
    )


def chances(terms: tuple[str, ...], numbers: Float[np.ndarray, " F"], course: Course) -> Chances:
    """What is done at each decision, given what was done and paid before it.

    Args:
        terms: Name of each number.
        numbers: Weights as they are, rates as log-odds.
        course: N decisions.
    """
    log_odds = _LogOdds(terms, numbers, course)
    for action in range(course.exists.shape[1]):
        log_odds.of(action)
    made, slopes = log_odds.made, log_odds.slopes
    soft = np.where(course.exists, made, -np.inf)
    soft = np.exp(soft - soft.max(axis=1, keepdims=True))
    soft /= soft.sum(axis=1, keepdims=True)
    slopes -= np.einsum("na,naf->nf", soft, slopes)[:, None]
    slopes *= soft[:, :, None]
    if LAPSE not in terms:
        return Chances(soft, slopes)
    number = terms.index(LAPSE)
    lapse = expit(numbers[number] + _FEW_LAPSES)
    equal = course.exists / course.exists.sum(axis=1, keepdims=True)
    slopes *= 1 - lapse
    slopes[:, :, number] += lapse * (1 - lapse) * (equal - soft)
    return Chances((1 - lapse) * soft + lapse * equal, slopes)


class _LogOdds:
    """Log-odds of each action, `[N, A]`, and their slopes, `[N, A, F]`."""

    def __init__(
        self, terms: tuple[str, ...], numbers: Float[np.ndarray, " F"], course: Course
    ) -> None:
        size, num_actions = course.exists.shape
        self.numbers, self.first = numbers, course.first
        self.place = {name: number for number, name in enumerate(terms)}
        self.made = np.zeros((size, num_actions))
        self.slopes = np.zeros((size, num_actions, len(terms)))
        self.before = np.append(-1, course.actions[:-1])
        self.before[course.first] = -1
        self.paid = np.append(0.0, course.rewards[:-1])

    def of(self, action: int) -> None:
        """All terms of one action."""
        mine = self.before == action
        losses = LOSSES if LOSSES in self.place else LEARNING
        rates = {LEARNING: mine & (self.paid > 0)}
        rates[losses] = rates.get(losses, False) | (mine & (self.paid <= 0))
        if FORGETTING in self.place:
            rates[FORGETTING] = ~mine & ~self.first
        self._add(action, VALUE, *self._trace(np.where(mine, self.paid, 0.0), rates))
        done = mine.astype(np.float64)
        if HABIT in self.place:
            self._add(action, HABIT, *self._trace(done, {HABIT_LEARNING: ~self.first}))
        if REPETITION in self.place:
            self._add(action, REPETITION, done)
        if action:
            self._add(action, f"{BIAS} {action}", np.ones(done.size))

    def _add(
        self,
        action: int,
        weight: str,
        made: Float[np.ndarray, " N"],
        bend: Float[np.ndarray, "N F"] | float = 0.0,
    ) -> None:
        """A weighted term of the log-odds of an action."""
        number = self.place[weight]
        self.made[:, action] += self.numbers[number] * made
        self.slopes[:, action] += self.numbers[number] * bend
        self.slopes[:, action, number] += made

    def _trace(
        self, towards: Float[np.ndarray, " N"], rates: Mapping[str, Bool[np.ndarray, " N"]]
    ) -> tuple[Float[np.ndarray, " N"], Float[np.ndarray, "N F"]]:
        """What moves towards something, at a rate of its own in each kind of row; its slopes."""
        rate, bend = np.zeros(towards.size), np.zeros((towards.size, len(self.place)))
        for name, rows in rates.items():
            share = expit(self.numbers[self.place[name]])
            rate[rows] = share
            bend[rows, self.place[name]] = share * (1 - share)
        keep = np.where(self.first, 0.0, 1 - rate)
        made = _recursion(keep, (rate * towards)[:, None])[:, 0]
        gap = towards - np.append(0.0, made[:-1])
        return made, _recursion(keep, bend * gap[:, None])


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


def _begins(demonstrations: Demonstrations) -> Bool[np.ndarray, " N"]:
    """Whether each row is the first of its trajectory."""
    first = np.zeros(demonstrations.num_decisions, dtype=bool)
    first[demonstrations.starts[:-1]] = True
    return first


def _recursion(
    keep: Float[np.ndarray, " N"], add: Float[np.ndarray, "N k"]
) -> Float[np.ndarray, "N k"]:
    """Series with x_t = keep_t x_(t-1) + add_t, from nothing."""
    bands = np.ones((2, keep.size))
    bands[1] = -np.append(keep[1:], 0.0)
    return solve_banded((1, 0), bands, add, check_finite=False)
