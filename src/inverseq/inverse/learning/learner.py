"""Animals that learn what their actions pay, and what they have learnt."""

from dataclasses import asdict, dataclass

import numpy as np
from jaxtyping import Float

from inverseq._core.errors import InputError
from inverseq._core.status import Outcome, Status
from inverseq.decisions.alignment import align, check_existing
from inverseq.demonstrations.existing import existing
from inverseq.demonstrations.spaces import number_of
from inverseq.inverse.learning.expansion import TYPICAL, LearnerExpansion, penalty_of
from inverseq.inverse.problem import Problem
from inverseq.inverse.solution import Solution
from inverseq.policies.leading import Leading
from inverseq.policies.learning import (
    BIAS,
    FORGETTING,
    HABIT,
    HABIT_LEARNING,
    LAPSE,
    LEARNING,
    LOSSES,
    PLACE_LEARNING,
    PLACES,
    REPETITION,
    VALUE,
    LearnerPolicy,
    in_own_units,
)

_PRECISE = 1e-4
"""Gradient per nat of all decisions below which a search may end for lack of precision."""

_IMPOSSIBLE = "keep lapse=True, or divide the rewards so that they are about 1"


@dataclass(frozen=True)
class Learner:
    """Q-learning from what actions pay, with forgetting, habit and lapses (`policies.learning`).

    Other solvers ask what an animal wants, and take it to know its world. This one takes what the
    animal wants as given, a column of the table, and asks how it comes to know where to get it:
    "is it what it wants or what it knows" is answered by scores of both side by side. States are
    not looked at: actions have one value each.

    Weights have a unit of the temperature, rates are fitted as log-odds, and all have a Gaussian
    prior around 0; lapses are around 2 %. With several animals, `Hierarchical(Learner())` learns
    the prior. In `Intentions`, each intention learns from all decisions.

    Attributes:
        reward: Column per decision: what its action paid.
        losses: A learning rate of its own where nothing was paid.
        forgetting: Values of actions that are not taken fade.
        habit: What was often done is done, whatever it paid (a choice kernel).
        repetition: The last action is taken again, or avoided.
        lapse: Some decisions are made at random.
        places: Column per decision: the place that its action led to, which is what pays (the
            second step of a two-step task). Actions are then valued by where they lead as well, by
            the shares that the decisions show: the model-based part of a mixture (Daw and others
            2011). None: by what they paid alone.
        strength: Weight of the prior.
        tolerance: Largest gradient at which the search has converged.
        max_steps: Steps at most.

    Raises:
        InputError: strength is not above 0.
    """

    reward: str = "reward"
    losses: bool = True
    forgetting: bool = True
    habit: bool = True
    repetition: bool = True
    lapse: bool = True
    places: str | None = None
    strength: float = 0.1
    tolerance: float = 1e-2
    max_steps: int = 500
    describes_only = True

    def __post_init__(self) -> None:
        if not 0 < self.strength < np.inf:
            raise InputError(f"strength must be a number above 0; got {self.strength}")

    def terms(self, num_actions: int) -> tuple[str, ...]:
        """Name of each number."""
        chosen = {
            VALUE: True,
            LEARNING: True,
            LOSSES: self.losses,
            FORGETTING: self.forgetting,
            PLACES: self.places is not None,
            PLACE_LEARNING: self.places is not None,
            HABIT: self.habit,
            HABIT_LEARNING: self.habit,
            REPETITION: self.repetition,
            LAPSE: self.lapse,
        }
        made = [name for name, there in chosen.items() if there]
        return (*made, *(f"{BIAS} {action}" for action in range(1, num_actions)))

    def expand(self, problem: Problem) -> LearnerExpansion:
        """Its likelihood as a quadratic, for `Hierarchical`.

        Raises:
            InputError: Actions are not numbered, or decisions do not fit the world; or nothing says
                where actions led.
        """
        data, mdp = problem.decisions, problem.given_mdp
        number = number_of(data.action_space, "actions") if mdp is None else mdp.num_actions
        if mdp is None:
            there = existing(data, number)
        else:
            states = align(data, mdp)
            check_existing(data, mdp, states)
            there = mdp.allowed[states]
        leading = None if self.places is None else Leading.shown(data, self.places, number)
        return LearnerExpansion(self.reward, self.terms(number), there, mdp, leading)

    def solve(self, problem: Problem) -> Solution:
        """The learner behind `problem`; `fit` calls this.

        Raises:
            InputError: The column of rewards is missing, has holes or pays in too small or large a
                unit, or no decision is known.
        """
        expansion = self.expand(problem)
        data = problem.decisions
        seen = expansion.seen(problem, np.zeros(data.num_decisions, dtype=np.int64))
        if not seen[0].rows.size:
            raise InputError("no decision has an action: nothing shows what is learnt")
        found = expansion.search(
            seen,
            self._begin(problem, expansion.terms),
            self.strength,
            self.tolerance,
            self.max_steps,
        )
        slope = float(np.abs(found.jac).max(initial=0.0))
        # A search that ends for lack of precision has found the optimum as well as it can be.
        settled = slope <= max(self.tolerance, _PRECISE * float(found.fun))
        outcome = Outcome.CONVERGED if settled else Outcome.LIMIT
        message = "" if settled else "Give more max_steps, or a larger strength."
        if not np.isfinite(found.fun):
            outcome, message = Outcome.DIVERGED, f"no likelihood is finite: {_IMPOSSIBLE}."
        return Solution(
            solver="Learner",
            settings=asdict(self) | {"numbers": expansion.terms},
            policy=LearnerPolicy(
                self.reward, expansion.terms, found.x[None], leading=expansion.leading
            ),
            status=Status(outcome, int(found.nit), slope, message),
            mdp=expansion.mdp,
            visits=None if expansion.mdp is None else problem.counts.visits,
            parameters={
                "weights": found.x,
                "own_units": in_own_units(expansion.terms, found.x),
            },
            num_parameters=found.x.size,
        )

    def log_prior(self, solution: Solution) -> float:
        """Logarithm of the prior of a solution, up to a constant."""
        numbers = solution.parameters["weights"]
        policy = solution.policy
        assert isinstance(policy, LearnerPolicy)  # this solver finds no other
        return -0.5 * self.strength * float(numbers @ penalty_of(policy.terms) @ numbers)

    def _begin(self, problem: Problem, terms: tuple[str, ...]) -> Float[np.ndarray, " F"]:
        """Where the search begins: at typical numbers, or those of a solution nearby."""
        near = problem.near
        if near is not None and near.parameters.get("weights", np.zeros(0)).size == len(terms):
            return np.array(near.parameters["weights"])
        return np.array([TYPICAL.get(name, 0.0) for name in terms])
