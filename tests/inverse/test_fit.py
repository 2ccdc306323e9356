from dataclasses import dataclass, field
from importlib.metadata import version

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from inverseq._core.errors import FitError, InputError
from inverseq._core.status import Outcome, Status
from inverseq.decisions.counts import count
from inverseq.demonstrations import Demonstrations, concatenate
from inverseq.inverse.fit import fit
from inverseq.inverse.problem import Problem
from inverseq.inverse.solution import Solution
from inverseq.inverse.values.iavi import IAVI
from inverseq.mdp import MDP
from inverseq.policies import TabularPolicy, uniform
from inverseq.rewards import StateActionReward
from strategies import play, random_mdp, random_policy


@dataclass(frozen=True, eq=False)
class Scripted:
    """A solver that returns what it is told to, and keeps what it was given."""

    status: Status = field(default_factory=lambda: Status(Outcome.CONVERGED))
    changes: dict = field(default_factory=dict)
    seen: list[Problem] = field(default_factory=list)

    def solve(self, problem: Problem) -> Solution:
        self.seen.append(problem)
        mdp = problem.mdp
        made = {"policy": TabularPolicy(uniform(mdp.allowed)), "visits": problem.counts.visits}
        return Solution("Scripted", {}, status=self.status, mdp=mdp, **(made | self.changes))


def some_play(seed: int = 0) -> tuple[MDP, Demonstrations]:
    rng = np.random.default_rng(seed)
    mdp = random_mdp(rng, 4, 3, terminals=False)
    return mdp, play(rng, mdp, random_policy(rng, mdp), missing=0.1)


def test_the_solution_says_where_it_comes_from():
    mdp, demos = some_play()
    made = fit(demos, Scripted(), mdp).provenance
    assert made["data_sha256"] == demos.fingerprint
    assert made["decisions"] == int((demos.actions >= 0).sum())
    assert made["trajectories"] == demos.num_trajectories
    assert made["source"] == "play"
    assert fit(demos, Scripted(), mdp).provenance == made  # no times in it
    for package in ("inverseq", "numpy", "scipy"):
        assert made[package] == version(package)
    own = Scripted(changes={"provenance": {"seed": 7, "source": "elsewhere"}})
    assert fit(demos, own, mdp).provenance["seed"] == 7
    assert fit(demos, own, mdp).provenance["source"] == "elsewhere"
    assert "data_sha256" not in fit(count(demos, mdp), Scripted(), mdp).provenance


def test_a_solver_is_given_everything():
    mdp, demos = some_play()
    weights = np.linspace(0, 1, demos.num_decisions)
    told = lambda *what: None  # noqa: E731
    solver = Scripted()
    fit(demos, solver, mdp, weights=weights, progress=told)
    problem = solver.seen[0]
    assert problem.decisions is demos
    assert problem.mdp is mdp
    assert problem.progress is told
    expected = count(demos, mdp, weights=weights)
    assert_array_equal(problem.counts.state_action, expected.state_action)
    assert_array_equal(problem.counts.units.toarray(), expected.units.toarray())


def test_counts_stand_for_demonstrations_where_they_are_enough():
    mdp, demos = some_play()
    counts = count(demos, mdp)
    solver = Scripted()
    fit(counts, solver, mdp)
    assert solver.seen[0].counts is counts
    with pytest.raises(InputError, match="needs the demonstrations themselves"):
        _ = solver.seen[0].decisions
    with pytest.raises(InputError, match="weighted already"):
        fit(counts, solver, mdp, weights=np.ones(3))


def test_worlds_by_name_become_one():
    (first, some), (second, more) = some_play(0), some_play(1)
    parts = []
    for name, part in (("a", some), ("b", more)):
        where = {"world": np.full(part.num_trajectories, name)}
        arrays = part.states, part.actions, part.next_states, part.endings, part.starts
        parts.append(Demonstrations(*arrays, trajectories=where))
    solution = fit(concatenate(parts), Scripted(), {"a": first, "b": second})
    assert solution.mdp.worlds.names == ("a", "b")
    assert solution.mdp.num_states == 8


@pytest.mark.parametrize("outcome", [o for o in Outcome if o is not Outcome.CONVERGED])
def test_a_fit_that_did_not_end_well_is_loud(outcome):
    mdp, demos = some_play()
    solver = Scripted(Status(outcome, 12, 0.5, "Try a lower discount."))
    with pytest.raises(FitError, match=rf"{outcome} after 12 steps .*0\.5.* Try a lower discount"):
        fit(demos, solver, mdp)
    kept = fit(demos, solver, mdp, accept_failure=True)
    assert kept.status.outcome is outcome
    assert not kept.status.ok


@pytest.mark.parametrize(
    ("name", "changes"),
    [
        ("reward", {"reward_function": StateActionReward(np.full((4, 3), np.nan))}),
        ("q", {"q": np.full((4, 3), np.inf)}),
        ("v", {"v": np.full(4, -np.inf)}),
        ("policy", {"policy": TabularPolicy(np.full((4, 3), np.nan))}),
        ("weights", {"parameters": {"weights": np.array([1.0, np.nan])}}),
    ],
)
def test_numbers_that_are_not_finite_never_leave(name, changes):
    mdp, demos = some_play()
    for accept_failure in (False, True):
        with pytest.raises(FitError, match=f"{name} is not finite"):
            fit(demos, Scripted(changes=changes), mdp, accept_failure=accept_failure)


def test_settings_are_an_instance():
    with pytest.raises(InputError, match=r"such as IAVI\(\); got the class IAVI"):
        fit(
            Demonstrations.from_arrays([0], [0]),
            IAVI,
            MDP.from_dense(np.ones((1, 1, 1)), discount=0.9),
        )


def test_a_solver_that_needs_a_world_says_how_to_get_one():
    with pytest.raises(InputError, match=r"MDP\.estimate"):
        fit(some_play()[1], Scripted())


@pytest.mark.parametrize(
    ("weights", "words"),
    [
        (np.ones(2), "weights must have shape"),
        (np.array([np.nan, 1, 1]), r"weights\[0\] is nan"),
        (np.array([1.0, -1, 1]), "weights must not be negative"),
    ],
)
def test_weights_are_checked(weights, words):
    mdp = MDP.from_dense(np.tile(np.eye(2)[:, None], (1, 2, 1)), discount=0.5)
    demos = Demonstrations.from_arrays([0, 0, 0], [0, 1, 0])
    with pytest.raises(InputError, match=words):
        fit(demos, Scripted(), mdp, weights=weights)


class Forgetful:
    """A solver that forgets its return."""

    def __init__(self, found=None):
        self.found = found

    def solve(self, problem):
        return self.found


@pytest.mark.parametrize(("found", "named"), [(None, "NoneType"), ({"q": 1}, "dict")])
def test_a_solver_that_returns_no_solution_is_told_what_to_return(found, named):
    data = Demonstrations.from_arrays([0, 1, 0], [0, 1, 0])
    with pytest.raises(InputError, match=f"Forgetful.solve must return a solution.* got a {named}"):
        fit(data, Forgetful(found))
