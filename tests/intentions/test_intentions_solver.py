"""Intentions under the verb `fit`: what any solver owes, recovery, the past, and bad input."""

from dataclasses import fields, replace

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from inverseq._core.errors import InputError
from inverseq._core.store import load, save
from inverseq.decisions.counts import count
from inverseq.demonstrations import Demonstrations
from inverseq.evaluate.likelihood import difference, log_likelihood
from inverseq.forward.switching import simulate_switching
from inverseq.intentions.labels import match
from inverseq.intentions.predict import posterior, sample_intentions
from inverseq.intentions.solution import IntentionSolution
from inverseq.intentions.solver import Intentions
from inverseq.intentions.switching import DependentMarkov, Markov, Mixture
from inverseq.inverse.explanation import action_probabilities
from inverseq.inverse.fit import fit
from inverseq.inverse.maxent.causal import MaxEnt
from inverseq.inverse.tables.count_table import CountTable
from inverseq.inverse.values.ciql import CIQL
from inverseq.inverse.values.iavi import IAVI
from inverseq.inverse.values.iql import IQL
from inverseq.mdp import MDP
from inverseq.policies import TabularPolicy
from strategies import random_mdp

SOLVERS = {
    "iavi": IAVI(),
    "iql-exact": IQL(method="exact"),
    "maxent": MaxEnt("state-actions", strength=1.0),
    "table-2": CountTable(2),
}
LAWS = {
    "mixture": Mixture(),
    "markov": Markov(),
    "state": DependentMarkov(),
    "reward": DependentMarkov(("previous reward", "step")),
}
CASES = [(name, "markov") for name in SOLVERS] + [("iavi", law) for law in LAWS if law != "markov"]
every_case = pytest.mark.parametrize(("name", "law"), CASES, ids=lambda part: part)


def switching_world(seed: int = 1, trajectories: int = 40, length: int = 50, sharp: float = 4.0):
    """A world, two policies far apart, the law between them, and what they did."""
    rng = np.random.default_rng(seed)
    mdp = random_mdp(rng, 6, 4, terminals=False, discount=0.8)
    policies = []
    for _ in range(2):
        weight = np.exp(sharp * rng.normal(size=(6, 4))) * mdp.allowed
        policies.append(weight / weight.sum(axis=1, keepdims=True))
    transition = np.array([[0.95, 0.05], [0.1, 0.9]])
    demos = simulate_switching(
        policies, [0.5, 0.5], transition, mdp, trajectories=trajectories, length=length, seed=seed
    )
    return mdp, np.array(policies), transition, demos


def behaviour() -> tuple[MDP, Demonstrations]:
    """The same with actions that were not recorded and a column of rewards."""
    mdp, _, _, demos = switching_world(2, trajectories=16, length=30)
    rng = np.random.default_rng(0)
    missing = rng.random(demos.num_decisions) < 0.1
    columns = {"reward": rng.integers(0, 2, demos.num_decisions).astype(float)}
    return mdp, replace(demos, actions=np.where(missing, -1, demos.actions), decisions=columns)


def explain(name: str, law: str, demos: Demonstrations, mdp: MDP, k: int = 2) -> IntentionSolution:
    how = Intentions(k, SOLVERS[name], LAWS[law], restarts=2, polished=1, tolerance=1e-4)
    return fit(demos, how, mdp)


@every_case
def test_the_contract_of_every_solver(name, law, tmp_path):
    mdp, demos = behaviour()
    solution = explain(name, law, demos, mdp)
    found = action_probabilities(solution, demos)
    assert found.shape == (demos.num_decisions, 4)
    assert_allclose(found.sum(axis=1), 1, atol=1e-9)
    assert_array_equal(found[~mdp.allowed[demos.states]], 0)
    assert (found[mdp.allowed[demos.states]] > 0).all()
    for beliefs in (solution.filtered, solution.smoothed):
        assert beliefs.shape == (demos.num_decisions, 2)
        assert_allclose(beliefs.sum(axis=1), 1, atol=1e-9)
        assert not beliefs.flags.writeable
    assert solution.status.ok
    assert solution.mdp is mdp
    assert solution.provenance["data_sha256"] == demos.fingerprint
    assert {f.name for f in fields(Intentions)} <= set(solution.settings)
    assert solution.num_parameters > 0
    score = log_likelihood(solution, demos)
    assert_allclose(score.sums.sum(), solution.log_likelihood, rtol=1e-9)
    assert score.mean > score.chance_mean
    # A file gives back the same.
    again = load(save(solution, tmp_path / "solution.npz"), IntentionSolution)
    assert_array_equal(action_probabilities(again, demos), found)
    assert again.switching == solution.switching
    assert_array_equal(again.smoothed, solution.smoothed)
    assert_array_equal(posterior(again, demos).path, solution.path)
    assert again.status == solution.status


@every_case
def test_a_forecast_knows_nothing_of_what_comes_later(name, law):
    """Other actions and states from a row on change no forecast up to that row."""
    mdp, demos = behaviour()
    solution = explain(name, law, demos, mdp)
    one = demos.take([3])
    before = action_probabilities(solution, one)
    believed = posterior(solution, one)
    rng = np.random.default_rng(4)
    for row in (0, 1, 7, 20):
        actions, states = one.actions.copy(), one.states.copy()
        rewards = one.decisions["reward"].copy()
        states[row + 1 :] = rng.integers(0, 6, states.size - row - 1)
        rewards[row:] = 1 - rewards[row:]
        for n in range(row, states.size):
            there = np.flatnonzero(mdp.allowed[states[n]])
            actions[n] = there[(np.flatnonzero(there == actions[n]).sum() + 1) % there.size]
        after = np.append(states[1:], -1)
        changed = replace(
            one, actions=actions, states=states, next_states=after, decisions={"reward": rewards}
        )
        rows = slice(0, row + 1)
        assert_array_equal(action_probabilities(solution, changed)[rows], before[rows])
        later = posterior(solution, changed)
        assert_array_equal(later.predicted[rows], believed.predicted[rows])
        assert_array_equal(later.evidence[:row], believed.evidence[:row])


def test_several_processes_find_what_one_finds():
    mdp, demos = behaviour()
    how = Intentions(2, SOLVERS["maxent"], restarts=2, polished=2, tolerance=1e-3)
    told = []
    progress = lambda *step: told.append(step)  # noqa: E731
    one = fit(demos, how, mdp)
    several = fit(demos, replace(how, jobs=2), mdp, progress=progress)
    assert_array_equal(several.trace, one.trace)
    assert_array_equal(several.restarts.objective, one.restarts.objective)
    assert told


def test_a_drawn_path_is_as_probable_as_the_posterior_says():
    mdp, demos = behaviour()
    solution = explain("iavi", "markov", demos, mdp)
    drawn = sample_intentions(solution, demos, draws=400, seed=0)
    assert drawn.shape == (400, demos.num_decisions)
    share = (drawn[:, :, None] == np.arange(2)).mean(axis=0)
    error = np.sqrt(solution.smoothed * (1 - solution.smoothed) / 400)
    assert (np.abs(share - solution.smoothed) < 6 * error + 0.01).all()
    assert_array_equal(drawn, sample_intentions(solution, demos, draws=400, seed=0))


def test_what_made_the_behaviour_is_found():
    mdp, policies, transition, demos = switching_world(trajectories=120)
    solution = fit(demos, Intentions(2, restarts=4), mdp)
    truth = np.eye(2)[demos.decisions["intention"]]
    place = match(truth, solution.smoothed)
    order = np.argsort(place)
    assert_allclose(solution.numbers["transition"][order][:, order], transition, atol=0.03)
    for z in range(2):
        assert_allclose(solution.intentions[order[z]].policy, policies[z], atol=0.12)
    # The path is nearly as good as that of somebody who knows the parameters.
    known = replace(
        solution,
        intentions=tuple(
            replace(one, policy=TabularPolicy(p))
            for one, p in zip(solution.intentions, policies, strict=True)
        ),
        numbers={"initial": np.array([0.5, 0.5]), "transition": transition},
    )
    right = demos.decisions["intention"]
    best = (posterior(known, demos).smoothed.argmax(axis=1) == right).mean()
    ours = (place[solution.smoothed.argmax(axis=1)] == right).mean()
    assert best > 0.9
    assert ours >= 0.98 * best
    assert solution.restarts.agreement[1] > 0.95


def test_switching_that_depends_on_the_state_is_found_and_predicts_better():
    mdp, policies, _, _ = switching_world()
    switches = np.tile(np.array([[0.98, 0.02], [0.02, 0.98]]), (6, 1, 1))
    switches[:2] = [[0.1, 0.9], [0.05, 0.95]]
    switches[2:4] = [[0.95, 0.05], [0.9, 0.1]]
    make = lambda seed, trajectories: simulate_switching(  # noqa: E731
        policies, [0.5, 0.5], switches, mdp, trajectories=trajectories, length=50, seed=seed
    )
    demos, others = make(1, 60), make(2, 200)
    state = fit(demos, Intentions(2, switching=DependentMarkov(), restarts=2), mdp)
    plain = fit(demos, Intentions(2, switching=Markov(), restarts=2), mdp)
    gain = difference(log_likelihood(state, others), log_likelihood(plain, others))
    assert gain.mean > 3 * gain.standard_error
    # Hardly worse than somebody who knows the parameters.
    known = replace(
        state,
        intentions=tuple(
            replace(one, policy=TabularPolicy(p))
            for one, p in zip(state.intentions, policies, strict=True)
        ),
        numbers={
            "initial": np.array([0.5, 0.5]),
            "bias": np.zeros((2, 2)),
            "weights": np.log(switches).transpose(1, 0, 2),
        },
    )
    loss = difference(log_likelihood(known, others), log_likelihood(state, others))
    assert 0 < loss.mean < 0.01


def remembering() -> tuple[MDP, Demonstrations]:
    """A ring of four states where whoever came clockwise goes on clockwise, and the reverse."""
    ring = np.zeros((4, 2, 4))
    for s in range(4):
        ring[s, 0, (s - 1) % 4] = ring[s, 1, (s + 1) % 4] = 1
    mdp = MDP.from_dense(ring, discount=0.9)
    rng = np.random.default_rng(0)
    rows = []
    for trajectory in range(30):
        state, action = int(rng.integers(4)), int(rng.integers(2))
        for _ in range(40):
            action = action if rng.random() < 0.85 else 1 - action
            rows.append((trajectory, state, action))
            state = (state + (1 if action else -1)) % 4
    trajectory, states, actions = np.array(rows).T
    return mdp, Demonstrations.from_arrays(states, actions, trajectory=trajectory)


@pytest.mark.parametrize("k", [1, 2])
@pytest.mark.parametrize("reward", ["states", "state-actions"])
def test_only_a_reward_that_does_not_cancel_makes_a_policy_of_the_past(reward, k):
    """The published r(s_t, s_t-1) is received whatever is done, so it cancels in the softmax.

    Ke and others (2025), model S-2: on pairs of states, a reward on the pair leaves the policy as
    it is without a past; on pairs and actions, the past can matter.
    """
    mdp, demos = remembering()
    longer = mdp.with_history(2)
    how = Intentions(k, MaxEnt(reward, strength=0.1), restarts=2, polished=1, tolerance=1e-4)
    solution = fit(demos, how, longer)
    base = longer.history.base
    spread = max(
        np.ptp(one.policy[base == s], axis=0).max() for one in solution.intentions for s in range(4)
    )
    score = log_likelihood(solution, demos, from_step=1).mean
    if reward == "states":
        assert spread < 1e-9
        if k == 1:
            assert score < np.log(0.5) + 0.02
    else:
        assert spread > 0.3
        assert score > np.log(0.5) + 0.2


def test_counting_with_a_past_makes_a_policy_of_the_past():
    mdp, demos = remembering()
    without = fit(demos, Intentions(1), mdp)
    remembers = fit(demos, Intentions(1), mdp.with_history(2))
    assert log_likelihood(without, demos, from_step=1).mean < np.log(0.5) + 0.02
    assert log_likelihood(remembers, demos, from_step=1).mean > np.log(0.5) + 0.2


def ring(states, actions, **fields) -> tuple[MDP, Demonstrations]:
    return remembering()[0], Demonstrations.from_arrays(states, actions, **fields)


def test_a_session_of_one_decision_is_explained_like_any_other():
    mdp, demos = behaviour()
    one = demos.take([0, 1, 2])
    short = replace(
        one,
        states=np.append(one.states, 0),
        actions=np.append(one.actions, np.argmax(mdp.allowed[0])),
        next_states=np.append(one.next_states, -1),
        endings=np.append(one.endings, 2),
        starts=np.append(one.starts, one.num_decisions + 1),
        time=None,
        rows=None,
        decisions={},
        trajectories={},
    )
    assert np.diff(short.starts)[-1] == 1
    for law in (Mixture(), Markov(), DependentMarkov(), DependentMarkov(("step",))):
        solution = fit(short, Intentions(2, switching=law, restarts=2), mdp)
        assert np.isfinite(action_probabilities(solution, short)).all()


def test_one_decision_in_all_has_one_intention():
    mdp, demos = ring([0], [1])
    solution = fit(demos, Intentions(1), mdp)
    assert np.isfinite(solution.log_likelihood)
    with pytest.raises(InputError, match="2 intentions are too many for 1 free decisions: give"):
        fit(demos, Intentions(2), mdp)


def test_an_animal_that_never_does_anything_else_cannot_show_several_intentions():
    mdp, demos = ring([2] * 50, [1] * 50, next_states=[2] * 50)
    with pytest.raises(InputError, match="all 50 free decisions are action 1 in state 2"):
        fit(demos, Intentions(2), mdp)


def test_more_intentions_than_there_are_kinds_of_behaviour_are_reported_as_empty():
    """Two decisions only: whatever is found is finite, and the message says how many are empty."""
    mdp, demos = ring([0, 1] * 30, [1, 0] * 30)
    solution = fit(demos, Intentions(5, restarts=2), mdp, accept_failure=True)
    assert np.isfinite(solution.trace).all()
    assert_allclose(solution.smoothed.sum(axis=1), 1)
    some = solution.occupancy < 0.005
    assert some.any() == ("explains less than 0.5% of the decisions" in solution.status.message)


def test_an_empty_intention_is_told_where_the_fit_ends_well():
    mdp, demos = behaviour()
    how = Intentions(2, IAVI(smoothing=50.0), Mixture(), restarts=1, max_steps=1000)
    solution = fit(demos, how, mdp, accept_failure=True)
    if solution.occupancy[1] >= 0.005:
        pytest.fail("this behaviour was chosen to need one intention only")
    assert "1 of 2 intentions explains less than 0.5%" in solution.status.message
    assert "Use k=1." in solution.status.message


def test_more_intentions_than_trajectories_are_refused_where_each_has_one():
    mdp, demos = behaviour()
    with pytest.raises(InputError, match="17 intentions are too many for 16 trajectories"):
        fit(demos, Intentions(17, switching=Mixture()), mdp)


def test_nothing_to_learn_from_is_said():
    mdp, demos = behaviour()
    silent = replace(demos, actions=np.full(demos.num_decisions, -1))
    with pytest.raises(InputError, match="none of the 480 decisions is free: every action is"):
        fit(silent, Intentions(2), mdp)
    with pytest.raises(InputError, match="none of the 480 decisions is free"):
        fit(demos, Intentions(2), mdp, weights=np.zeros(demos.num_decisions))
    forced = replace(remembering()[0], allowed=np.array([[False, True]] * 4))
    moves = Demonstrations.from_arrays([0, 1, 2, 3], [1, 1, 1, 1])
    with pytest.raises(InputError, match="none of the 4 decisions is free"):
        fit(moves, Intentions(2), forced)


def test_columns_of_the_law_must_be_there_and_hold_numbers():
    mdp, demos = behaviour()
    nan = np.where(np.arange(demos.num_decisions) == 7, np.nan, 1.0)
    holed = replace(demos, decisions={"drug": nan})
    with pytest.raises(InputError, match="row 8: column 'drug' is nan"):
        fit(holed, Intentions(2, switching=DependentMarkov(("drug",))), mdp)
    with pytest.raises(InputError, match="no column 'place' per decision"):
        fit(demos, Intentions(2, switching=DependentMarkov(("place",))), mdp)
    solution = explain("iavi", "reward", demos, mdp)
    with pytest.raises(InputError, match="no column 'reward' per decision"):
        action_probabilities(solution, replace(demos, decisions={}))


def test_counts_do_not_say_what_came_when():
    mdp, demos = behaviour()
    with pytest.raises(InputError, match="the demonstrations themselves"):
        fit(count(demos, mdp), Intentions(2), mdp)


def test_an_action_that_does_not_exist_names_its_row():
    mdp, demos = behaviour()
    solution = explain("iavi", "markov", demos, mdp)
    state, action = (int(i) for i in np.argwhere(~mdp.allowed)[0])
    row = int(np.argmax(demos.states == state))
    actions = demos.actions.copy()
    actions[row] = action
    bad = replace(demos, actions=actions)
    for ask in (lambda: fit(bad, Intentions(2), mdp), lambda: posterior(solution, bad)):
        with pytest.raises(InputError, match=f"row {row + 1}: action {action} does not exist"):
            ask()


def test_behaviour_that_no_intention_allows_is_no_number():
    """A solver that forbids what was done leaves nothing to compare."""
    mdp, demos = behaviour()
    greedy = CIQL((), learner=IQL(method="exact"))
    with pytest.raises(InputError, match="no intention gives action"):
        fit(demos, Intentions(2, greedy, restarts=1, polished=1), mdp)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Intentions(0), "k must be a whole number, 1 or more; got 0"),
        (lambda: Intentions(2, restarts=0), "restarts must be a whole number"),
        (lambda: Intentions(2, tolerance=0.0), "tolerance must be above 0"),
        (lambda: Intentions(2, assignment="soft"), 'assignment must be "weighted" or "sampled"'),
        (lambda: Intentions(2, Intentions(2)), "the solver of an intention is IAVI"),
    ],
)
def test_settings_that_mean_nothing_are_refused(make, message):
    with pytest.raises(InputError, match=message):
        make()


def test_a_world_is_needed():
    with pytest.raises(InputError, match="pass mdp="):
        fit(behaviour()[1], Intentions(2))
