"""What is wrong in a solver of one's own is said, and not scored."""

from dataclasses import dataclass, replace

import numpy as np
import pytest

import inverseq as iq
from inverseq.policies import FinitePolicy, TabularPolicy


@dataclass(frozen=True)
class Anything:
    """A policy with the same number everywhere."""

    number: float
    table: bool = True

    def solve(self, problem: iq.Problem) -> iq.Solution:
        policy = np.full(problem.mdp.allowed.shape, self.number)
        made = TabularPolicy(policy) if self.table else Constant(self.number)
        return iq.Solution("Anything", {}, made, iq.Status(iq.Outcome.CONVERGED), mdp=problem.mdp)


@dataclass(frozen=True, eq=False)
class Constant(FinitePolicy):
    number: float

    @property
    def num_actions(self) -> int:
        return 4

    def probabilities(self, demonstrations, mdp):
        return np.full((demonstrations.num_decisions, 4), self.number)


@pytest.fixture(scope="module")
def walks():
    world = iq.worlds.gridworld(3, 3, wins=[(2, 2)], discount=0.9).mdp
    policy = iq.forward.soft_policy_iteration(world).policy
    return iq.forward.simulate(world, policy, trajectories=10, steps=20, seed=0), world


@pytest.mark.parametrize("number", [0.9, 0.3, -0.1])
def test_a_policy_that_is_no_distribution_is_refused(walks, number):
    with pytest.raises(iq.InputError, match="Anything: the policy of state 0 is no distribution"):
        iq.fit(walks[0], Anything(number), walks[1])


def test_what_is_no_probability_is_not_scored(walks):
    data, world = walks
    with pytest.raises(iq.InputError, match=r"gives its action 1\.5, which is no probability"):
        iq.log_likelihood(iq.fit(data, Anything(1.5, table=False), world), data)
    fitted = iq.fit(data, Anything(0.25, table=False), world)
    assert iq.log_likelihood(fitted, data).mean == pytest.approx(np.log(0.25))


def test_a_solution_that_does_not_say_how_it_plans_is_told_so(walks):
    data, world = walks
    found = replace(iq.fit(data, iq.IAVI(), world), planning=None)
    with pytest.raises(iq.InputError, match="does not say how its agent plans"):
        iq.replan(found, world)
    assert iq.replan(replace(found, planning=iq.SoftOptimum()), world).q is not None
