import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from inverseq import datasets
from inverseq._core.errors import FitError, InputError
from inverseq._core.status import Outcome, Status
from inverseq._core.store import load, save
from inverseq.demonstrations import Demonstrations, concatenate
from inverseq.evaluate.compare import compare, score_all
from inverseq.evaluate.comparison import Candidate, Comparison, Estimate
from inverseq.evaluate.likelihood import difference, log_likelihood
from inverseq.inverse.fit import fit
from inverseq.inverse.problem import Problem
from inverseq.inverse.solution import Solution
from inverseq.inverse.tables.count_table import CountTable
from inverseq.inverse.values.iavi import IAVI
from inverseq.mdp import MDP
from inverseq.policies import TabularPolicy, uniform
from strategies import play, random_mdp, random_policy

TABLES = {"marginal": CountTable(0), "one-step": CountTable(1), "two-step": CountTable(2)}


class Uniform:
    """A solver that learns nothing, and remembers what it was given."""

    def __init__(self, outcome: Outcome = Outcome.CONVERGED) -> None:
        self.outcome = outcome
        self.seen: list[Problem] = []

    def solve(self, problem: Problem) -> Solution:
        self.seen.append(problem)
        policy = uniform(problem.mdp.allowed)
        return Solution("Uniform", {}, TabularPolicy(policy), Status(self.outcome), problem.mdp)


def some_play(trajectories: int = 9) -> tuple[MDP, Demonstrations]:
    rng = np.random.default_rng(4)
    mdp = random_mdp(rng, 6, 3, terminals=False)
    return mdp, play(rng, mdp, random_policy(rng, mdp), trajectories=trajectories, length=30)


def test_every_trajectory_is_scored_once_by_a_fit_that_never_saw_it():
    mdp, demos = some_play()
    found = compare(demos, TABLES, mdp, folds=3, seed=5, from_step=1)
    assert [r.name for r in found.results] == [*TABLES]
    for name, solver in TABLES.items():
        parts = [
            log_likelihood(fit(train, solver, mdp), test, from_step=1)
            for train, test in demos.fold(3, seed=5)
        ]
        assert_array_equal(found[name].fold_means, [part.mean for part in parts])
        assert_array_equal(found[name].score.sums, np.concatenate([p.sums for p in parts]))
        assert_array_equal(found[name].score.chance, np.concatenate([p.chance for p in parts]))
        assert found[name].failure == ""
        assert (found[name].seconds > 0).all()
    assert found["one-step"].score.num_decisions == int((demos.step >= 1).sum())
    assert (found.folds, found.by, found.seed, found.from_step) == (3, "trajectory", 5, 1)


def test_differences_are_to_the_best_or_to_whom_it_is_asked():
    mdp, demos = some_play()
    found = compare(demos, TABLES, mdp, folds=3)
    means = {name: found[name].score.mean for name in TABLES}
    assert found.reference == max(means, key=means.get)
    assert float(found.differences[found.reference]) == 0
    asked = compare(demos, TABLES, mdp, folds=3, reference="marginal")
    for name in TABLES:
        expected = difference(found[name].score, found["marginal"].score)
        assert asked.differences[name] == expected
    rows = asked.rows
    assert [row["name"] for row in rows] == sorted(means, key=means.get)[::-1]
    for row in rows:
        assert row["nats"] == means[row["name"]]
        assert_allclose(row["difference"], row["nats"] - means["marginal"], atol=1e-12)


def test_units_are_held_out_together():
    mdp, demos = some_play()
    watched = Uniform()
    found = compare(demos, {"watched": watched}, mdp, folds=3, by="subject")
    for problem in watched.seen:
        assert len(set(problem.decisions.trajectories["subject"])) == 2
    assert found["watched"].score.sums.size == 3
    assert_allclose(found.chance, found["watched"].score.mean)


def test_the_world_is_estimated_from_the_training_part():
    demos = some_play()[1]
    watched = Uniform()
    compare(demos, {"watched": watched}, Estimate(0.8, smoothing=0.5), folds=3)
    for (train, _), problem in zip(demos.fold(3), watched.seen, strict=True):
        expected = MDP.estimate(
            train, discount=0.8, smoothing=0.5, num_states=demos.num_states, num_actions=3
        )
        assert_array_equal(problem.mdp.probabilities, expected.probabilities)
        assert_array_equal(problem.mdp.successors, expected.successors)
        assert problem.mdp.discount == 0.8
    parts = []
    world = lambda train: parts.append(train.num_trajectories) or some_play()[0]  # noqa: E731
    compare(demos, TABLES, world, folds=3)
    assert parts == [6, 6, 6]


def test_states_that_training_never_reached_can_be_scored():
    demos = Demonstrations.from_arrays(
        [0, 1, 0, 1, 0, 5], [0, 1, 0, 1, 0, 2], trajectory=[0, 0, 1, 1, 2, 2]
    )
    found = compare(demos, {"iavi": IAVI(), "table": CountTable(2)}, Estimate(0.9), folds=3)
    assert not any(result.failure for result in found.results)


def test_candidates_may_remember():
    mdp, demos = some_play()
    watched = Uniform()
    candidates = {"now": watched, "then": Candidate(watched, history=2), "table": CountTable(1)}
    compare(demos, candidates, mdp, folds=2)
    now, then = watched.seen[0].mdp, watched.seen[1].mdp
    assert now is mdp
    assert then.history.length == 2
    assert watched.seen[3].mdp is then  # made once, so that its factorisations are kept
    longer = mdp.with_history(2)
    compare(demos, {"now": watched}, longer, folds=2)
    assert watched.seen[-1].mdp is longer


def two_worlds() -> tuple[dict[str, MDP], Demonstrations]:
    rng = np.random.default_rng(6)
    worlds = {f"w{i}": random_mdp(rng, 4, 3, terminals=False) for i in range(4)}
    parts = []
    for name, mdp in worlds.items():
        part = play(rng, mdp, random_policy(rng, mdp), trajectories=4)
        where = {"world": np.full(4, name)}
        arrays = part.states, part.actions, part.next_states, part.endings, part.starts
        parts.append(Demonstrations(*arrays, trajectories=where))
    return worlds, concatenate(parts)


def test_tables_say_that_they_cannot_be_carried_to_another_world():
    worlds, demos = two_worlds()
    watched = Uniform()
    found = compare(demos, TABLES | {"uniform": watched}, worlds, folds=4, by="world")
    assert "fold 1: a count table cannot be carried" in found["one-step"].failure
    assert found["one-step"].score is None
    assert np.isnan(found["one-step"].fold_means).all()
    assert (found["one-step"].num_parameters > 0).all()
    assert found["marginal"].score.sums.size == 4
    assert_allclose(found["uniform"].score.mean, found.chance)
    assert set(found.differences) == {"marginal", "uniform"}
    assert [bool(row["failure"]) for row in found.rows] == [False, False, True, True]


def test_a_failure_is_told_unless_nothing_is_left():
    mdp, demos = some_play()
    wild = Uniform(Outcome.DIVERGED)
    found = compare(demos, {"wild": wild, "table": CountTable(1)}, mdp, folds=2)
    assert "diverged" in found["wild"].failure
    assert found.reference == "table"
    with pytest.raises(FitError, match="diverged"):
        compare(demos, {"wild": wild}, mdp, folds=2)
    with pytest.raises(FitError, match="diverged"):
        compare(demos, {"wild": wild, "table": CountTable(1)}, mdp, folds=2, reference="wild")
    worlds, walks = two_worlds()
    several = {"table": CountTable(1), "wild": wild, "marginal": CountTable(0)}
    with pytest.raises(FitError, match="diverged"):  # what is said is about the reference
        compare(walks, several, worlds, folds=4, by="world", reference="wild")


def test_one_split_is_a_comparison_of_one_fold():
    mdp, demos = some_play()
    train, test = demos.split(0.3)
    found = score_all(train, test, TABLES, mdp, keep_solutions=True)
    for name, solver in TABLES.items():
        expected = log_likelihood(fit(train, solver, mdp), test)
        assert_array_equal(found[name].score.sums, expected.sums)
        assert found[name].solutions[0].num_parameters == found[name].num_parameters[0]
    assert found.folds == 1
    assert score_all(train, test, TABLES, mdp)["one-step"].solutions == ()


def test_processes_and_progress_change_nothing(tmp_path):
    mdp, demos = some_play()
    told = []
    alone = compare(demos, TABLES, mdp, folds=2, progress=lambda *what: told.append(what))
    assert told == [("fits", i, 6) for i in range(7)]
    together = compare(demos, TABLES, mdp, folds=2, jobs=2)
    for name in TABLES:
        assert_array_equal(together[name].score.sums, alone[name].score.sums)
    again = load(save(alone, tmp_path / "comparison.npz"), Comparison)
    assert again.differences == dict(alone.differences)
    assert again.rows[0]["nats"] == alone.rows[0]["nats"]


def test_what_cannot_be_compared_is_refused():
    mdp, demos = some_play()
    with pytest.raises(InputError, match="nothing to compare"):
        compare(demos, {}, mdp)
    with pytest.raises(InputError, match="no candidate 'truth'"):
        compare(demos, TABLES, mdp, reference="truth")
    with pytest.raises(InputError, match="10 folds by trajectory"):
        compare(demos, TABLES, mdp, folds=10)
    with pytest.raises(InputError, match="no candidate 'truth'"):
        compare(demos, TABLES, mdp, folds=2)["truth"]


def test_iavi_predicts_what_the_one_step_table_predicts_on_real_mice():
    """Boltzmann of its action values is the smoothed share of the actions: it must be equal."""
    mice = datasets.load("mice")
    train = mice.demonstrations.select(split="train")
    test = mice.demonstrations.select(split="test")
    candidates = {
        "iavi": IAVI(smoothing=0.5),
        "table": CountTable(1, smoothing=0.5, backoff=False),
    }
    found = score_all(train, test, candidates, mice.mdp, from_step=1)
    assert_allclose(found["iavi"].score.sums, found["table"].score.sums, rtol=1e-9)
    assert_allclose(found["iavi"].score.mean, -0.874, atol=5e-4)
    assert_array_equal(found["iavi"].num_parameters, found["table"].num_parameters)
