"""A law of switching and a habit that nobody foresaw go through everything that asks for one.

Both stand in this file alone: intentions are given up more easily when tired, as a column of the
table says, and what was done last is usually done again.
"""

from dataclasses import dataclass, replace

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

import inverseq as iq
from inverseq._core.status import Outcome, Status
from inverseq.intentions.contexts import Contexts, find_contexts
from inverseq.intentions.law import chances_as_observed
from inverseq.inverse.problem import Problem
from inverseq.policies import FinitePolicy
from inverseq.reporting.sections.methods import methods

STATES, ACTIONS = 6, 3
RATES = {0: 0.03, 1: 0.5}
"""Whether tired -> chance of giving up an intention."""


@dataclass(frozen=True)
class Tired:
    """One table of transitions when rested, another when tired."""

    smoothing: float = 1.0
    changes = True
    on = ("tired",)

    def begins(self, demonstrations):
        return ~demonstrations.continues

    def contexts(self, demonstrations, mdp, constants=None) -> Contexts:
        return find_contexts(demonstrations, mdp, self.on, constants)

    def start(self, k, contexts, restarts):
        table = np.where(np.eye(k, dtype=bool), 0.9, 0.1 / max(k - 1, 1))
        table = table / table.sum(axis=1, keepdims=True)
        each = np.broadcast_to(table, (restarts, k, k)).copy()
        return {"initial": np.full((restarts, k), 1 / k), "rested": each, "tired": each.copy()}

    def _which(self, contexts):
        return (contexts.inputs.toarray()[:, 0] > 0).astype(int)

    def log_transition(self, numbers, contexts):
        both = np.log(np.stack([numbers["rested"], numbers["tired"]]))
        return both[self._which(contexts)]

    def update(self, numbers, initial, transitions, contexts):
        which, made = self._which(contexts), {"initial": initial + self.smoothing}
        for number, name in enumerate(("rested", "tired")):
            made[name] = transitions[which == number].sum(axis=0) + self.smoothing
        return {name: found / found.sum(axis=-1, keepdims=True) for name, found in made.items()}

    def log_prior(self, numbers):
        logs = [np.log(numbers[name]).sum(axis=(-2, -1)) for name in ("rested", "tired")]
        return self.smoothing * (np.log(numbers["initial"]).sum(axis=-1) + sum(logs))

    def num_parameters(self, k, contexts):
        return (k - 1) * (1 + 2 * k)

    def chances(self, numbers, design, mdp, constants):
        return chances_as_observed(self, numbers, design, mdp, constants)


@dataclass(frozen=True, eq=False)
class Again(FinitePolicy):
    """What was done last, with this chance, wherever that was."""

    share: float

    @property
    def num_actions(self) -> int:
        return ACTIONS

    @property
    def present_only(self) -> bool:
        return False

    def within(self, mdp):
        return self

    def probabilities(self, demonstrations, mdp):
        before = np.where(demonstrations.continues, np.roll(demonstrations.actions, 1), -1)
        made = np.full((demonstrations.num_decisions, ACTIONS), (1 - self.share) / (ACTIONS - 1))
        made[np.arange(len(made)), before] = self.share
        made[before < 0] = 1 / ACTIONS
        made = made * self.exists(demonstrations, mdp)
        return made / made.sum(axis=1, keepdims=True)


@dataclass(frozen=True)
class Inertia:
    """Counts how often an action is repeated."""

    smoothing: float = 1.0

    def solve(self, problem: Problem) -> iq.Solution:
        data = problem.decisions
        weights = np.ones(data.num_decisions) if problem.weights is None else problem.weights
        known = data.continues & data.acted & np.roll(data.acted, 1)
        same = known & (data.actions == np.roll(data.actions, 1))
        share = (weights[same].sum() + self.smoothing) / (weights[known].sum() + 3 * self.smoothing)
        status, found = Status(Outcome.CONVERGED, 1), {"share": np.array(share)}
        return iq.Solution("Inertia", {}, Again(float(share)), status, parameters=found)


def world() -> iq.MDP:
    """A ring: stay, and a step either way."""
    here = np.arange(STATES)
    reached = np.stack([here, (here + 1) % STATES, (here - 1) % STATES], axis=1)
    return iq.MDP.from_dense(np.eye(STATES)[reached], discount=0.8)


def behaviour(seed: int = 0, trajectories: int = 12, length: int = 80) -> iq.Demonstrations:
    """Two directions on the ring; which is wanted changes more often when tired."""
    rng = np.random.default_rng(seed)
    likely = np.array([[0.1, 0.8, 0.1], [0.1, 0.1, 0.8]])
    trajectory = np.repeat(np.arange(trajectories), length)
    tired = np.tile(np.arange(length) // 20 % 2, trajectories)
    states, actions, wanted = (np.zeros(trajectory.size, dtype=int) for _ in range(3))
    for row in range(trajectory.size):
        begins = row % length == 0
        if begins:
            states[row], wanted[row] = rng.integers(STATES), rng.integers(2)
        else:
            move = np.array([0, 1, -1])[actions[row - 1]]
            states[row] = (states[row - 1] + move) % STATES
            wanted[row] = wanted[row - 1] ^ (rng.random() < RATES[int(tired[row])])
        actions[row] = rng.choice(ACTIONS, p=likely[wanted[row]])
    made = iq.Demonstrations.from_arrays(states, actions, trajectory=trajectory)
    return replace(made, decisions={"tired": tired, "wanted": wanted})


SETTINGS = iq.Intentions(2, iq.IAVI(smoothing=0.5), Tired(), restarts=2, seed=0)


@pytest.fixture(scope="module")
def fitted():
    data = behaviour()
    return iq.fit(data, SETTINGS, world()), data


def test_the_law_is_found_and_says_how_surely(fitted):
    solution, data = fitted
    for name, rate in (("rested", RATES[0]), ("tired", RATES[1])):
        leaving = 1 - np.diagonal(solution.numbers[name])
        assert np.abs(leaving - rate).max() < 0.2
    right = (solution.path == data.decisions["wanted"]).mean()
    assert max(right, 1 - right) > 0.8
    sure = iq.switching_intervals(solution, SETTINGS, data, seed=0, replicates=4, jobs=1)
    shares = sure.transition.estimate
    assert_allclose(shares.sum(axis=1), 1)
    assert ((sure.transition.low <= shares) & (shares <= sure.transition.high)).all()


@pytest.mark.parametrize("states", ["drawn", "observed"])
def test_behaviour_is_drawn_under_the_law(fitted, states):
    solution, data = fitted
    drawn = iq.simulate_like(solution, data, seed=1, states=states)
    assert_array_equal(drawn.decisions["tired"], data.decisions["tired"])
    intention = drawn.decisions["intention"]
    left = drawn.continues & (intention != np.roll(intention, 1))
    for tired, name in ((0, "rested"), (1, "tired")):
        rows = drawn.continues & (drawn.decisions["tired"] == tired)
        before = np.roll(intention, 1)[rows]
        expected = (1 - np.diagonal(solution.numbers[name]))[before].mean()
        assert abs(left[rows].mean() - expected) < 0.06


def test_how_long_intentions_last_is_asked_of_the_law(fitted):
    solution, data = fitted
    first, second = iq.dwell_times(solution, data, seed=0, repeats=10, draws=2, jobs=1)
    for each in (first, second):
        assert each.p_value > 0.05
        assert 2 < each.law_mean < 20
    alone = replace(solution, switching=Always())
    (mean, _) = (each.law_mean for each in iq.dwell_times(alone, data, seed=0, repeats=2, jobs=1))
    assert_allclose(mean, 1 / (1 - solution.numbers["rested"][0, 0]))


@dataclass(frozen=True)
class Always(Tired):
    """The same whether tired or not."""

    on = ()

    def contexts(self, demonstrations, mdp, constants=None) -> Contexts:
        rested = replace(demonstrations, decisions={"tired": np.zeros(len(demonstrations.actions))})
        return find_contexts(rested, mdp, ("tired",))


@dataclass(frozen=True)
class Kept(Always):
    """Never another intention."""

    changes = False

    def log_transition(self, numbers, contexts):
        with np.errstate(divide="ignore"):
            never = np.log(np.eye(numbers["initial"].shape[-1]))
        return np.broadcast_to(never, (1, *numbers["rested"].shape))


def test_a_law_without_changes_says_so(fitted):
    _, data = fitted
    settings = replace(SETTINGS, switching=Kept())
    kept = iq.fit(data, settings, world())
    begins = ~data.continues
    path = kept.path
    assert ((path == np.roll(path, 1)) | begins).all()
    with pytest.raises(iq.InputError, match=r"the law Kept one intention is kept.*Markov\(\)"):
        iq.dwell_times(kept, data, seed=0)
    with pytest.raises(iq.InputError, match="13 intentions are too many for 12 trajectories"):
        iq.fit(data, replace(settings, k=13), world())
    with pytest.raises(iq.InputError, match=r"switching must be Mixture\(\)"):
        replace(settings, switching=Tired)


def test_the_law_is_saved_and_loaded(fitted, tmp_path):
    solution, data = fitted
    path = iq.save(solution, tmp_path / "law.npz")
    again = iq.load(path, iq.IntentionSolution, also=(Tired,))
    assert again.switching == Tired()
    assert_array_equal(again.probabilities(data), solution.probabilities(data))
    with pytest.raises(iq.InputError, match=r"also=\(Tired,\)"):
        iq.load(path, iq.IntentionSolution)


@pytest.mark.parametrize(
    ("law", "told"),
    [
        (Tired(), "a Markov chain whose chances depend on tired"),
        (Kept(), "one intention for all of a trajectory"),
    ],
)
def test_the_law_is_analysed_and_described(law, told):
    asked = {"restarts": 1, "simulations": 2, "bootstrap": 0, "history": 1, "seed": 1}
    plan = iq.Plan(intentions=2, switching=law, world=world(), **asked)
    found = iq.analyse(behaviour(), plan)
    assert found.intentions.law == law
    assert bool(found.intentions.dwells) == law.changes
    assert (found.intentions.changes is not None) == law.changes
    (words,) = methods(found).blocks
    assert told in " ".join(words.paragraphs)


def test_the_number_of_intentions_is_chosen_under_the_law():
    chosen = iq.choose_intentions(
        behaviour(),
        world(),
        ks=(1, 2),
        switching=Tired(),
        solver=iq.IAVI(smoothing=0.5),
        histories=(1,),
        folds=2,
        restarts=1,
        jobs=1,
        seed=0,
    )
    assert chosen[chosen.chosen].k == 2


def test_a_habit_is_steered_carried_and_kept(tmp_path):
    data, mdp = behaviour(trajectories=6, length=40), world()
    habit = iq.fit(data, Inertia())
    solution = iq.fit(data, iq.Steered(Inertia(), "states", folds=3), mdp)
    assert_allclose(solution.parameters["share"], habit.parameters["share"])
    score = lambda found: iq.log_likelihood(found, data).mean  # noqa: E731
    assert score(solution) >= score(habit) - 1e-3
    assert score(solution) > score(iq.fit(data, iq.MaxEnt("states"), mdp)) + 0.05
    again = iq.replan(solution, mdp)
    assert_allclose(again.probabilities(data), solution.probabilities(data), atol=1e-8)
    path = iq.save(solution, tmp_path / "habit.npz")
    kept = iq.load(path, iq.Solution, also=(Again,))
    assert_array_equal(kept.probabilities(data), solution.probabilities(data))
    with pytest.raises(iq.InputError, match=r"IAVI does not say what is usually done.*CountTable"):
        iq.fit(data, iq.Steered(iq.IAVI()), mdp)
    with pytest.raises(iq.InputError, match=r"a habit is CountTable\(2\)"):
        iq.Steered(Inertia)
