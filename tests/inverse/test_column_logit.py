"""Regression on contexts: against a dense softmax regression, and finite differences."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse
from scipy.optimize import check_grad, minimize

from inverseq._core.errors import FitError, InputError
from inverseq._core.store import load, save
from inverseq.demonstrations import Demonstrations
from inverseq.inverse.explanation import action_probabilities
from inverseq.inverse.fit import fit
from inverseq.inverse.solution import Solution
from inverseq.inverse.tables.column_logit import Block, ColumnLogit, Regression
from inverseq.inverse.tables.leave_out import Rows
from inverseq.mdp import MDP
from inverseq.policies.logit import LogitPolicy
from strategies import play, played, random_mdp, random_policy, seeds

FULL = ColumnLogit(
    ("wide", "narrow"),
    (0.5, 2.0),
    options=("since",),
    option_strength=0.7,
    own=("wide",),
    own_strength=0.3,
    least=4,
    tolerance=1e-9,
)


def with_columns(demos: Demonstrations, num_actions: int, seed: int) -> Demonstrations:
    """Two columns of contexts, some of them rare, and bins of each action."""
    rng = np.random.default_rng(seed)
    size = demos.num_decisions
    made = {"wide": rng.integers(-1, 2, size), "narrow": rng.geometric(0.3, size)}
    made |= {f"since {a}": rng.integers(-1, 4, size) for a in range(num_actions)}
    return replace(demos, decisions=made)


def behaviour(seed: int = 3, **options) -> tuple[MDP, Demonstrations]:
    rng = np.random.default_rng(seed)
    mdp = random_mdp(rng, 5, 3)
    how = {"trajectories": 12, "length": 20, "missing": 0.1, "gaps": 0.05} | options
    return mdp, with_columns(play(rng, mdp, random_policy(rng, mdp), **how), 3, seed)


def own_share(demos: Demonstrations, exists: np.ndarray, row: int) -> np.ndarray:
    """Oracle: log of the own share of each action so far, two decisions added to each."""
    counts = np.full(exists.shape[1], 2.0)
    for earlier in range(int(demos.starts[demos.trajectory_of[row]]), row):
        same = demos.decisions["wide"][earlier] == demos.decisions["wide"][row]
        if same and demos.actions[earlier] >= 0:
            counts[demos.actions[earlier]] += 1
    number = exists[row].sum()
    total = counts.sum() - 2.0 * (exists.shape[1] - number)
    return np.where(exists[row], np.log(number * counts / total), 0.0)


def dense_inputs(train, test, exists, kept, least: int) -> tuple[np.ndarray, np.ndarray]:
    """Oracle: `[N, A, F]` what each weight multiplies at decisions of `test`, and its strength."""
    num_actions = exists.shape[1]
    columns, strengths = [], []
    for name, strength in (("wide", 0.5), ("narrow", 2.0)):
        seen = train.decisions[name][kept].tolist()
        for key in sorted(set(seen)):
            if seen.count(key) < least:
                continue
            for action in range(num_actions):
                here = np.zeros(exists.shape)
                here[test.decisions[name] == key, action] = 1
                columns.append(here)
                strengths.append(strength)
    for place in range(4):
        here = [test.decisions[f"since {a}"] == place for a in range(num_actions)]
        columns.append(np.stack(here, axis=1).astype(float))
        strengths.append(0.7)
    columns.append(np.stack([own_share(test, exists, r) for r in range(test.num_decisions)]))
    return np.stack(columns, axis=-1), np.array([*strengths, 0.3])


def softmax(logits: np.ndarray, exists: np.ndarray) -> np.ndarray:
    shares = np.exp(logits - logits.max()) * exists
    return shares / shares.sum(axis=1, keepdims=True)


@pytest.mark.parametrize("seed", [3, 7])
def test_the_weights_are_those_of_a_dense_regression(seed):
    mdp, train = behaviour(seed)
    test = with_columns(train, 3, seed + 1)  # other contexts, some never seen
    exists = mdp.allowed[train.states]
    weights = np.random.default_rng(seed).uniform(0.2, 2.0, train.num_decisions)
    weights[:5] = 0
    kept = np.flatnonzero((train.actions >= 0) & (weights > 0) & (exists.sum(axis=1) > 1))
    inputs, strength = dense_inputs(train, train, exists, kept, FULL.least)

    def cost(flat: np.ndarray) -> float:
        policy = softmax(inputs @ flat, exists)[kept, train.actions[kept]]
        return 0.5 * strength @ flat**2 - weights[kept] @ np.log(policy)

    best = minimize(cost, np.zeros(strength.size), method="BFGS", options={"gtol": 1e-4})
    solution = fit(train, FULL, mdp, weights=weights)
    assert solution.num_parameters == strength.size
    assert_allclose(-solution.trace.max(), best.fun, atol=1e-6)
    others = dense_inputs(train, test, exists, kept, FULL.least)[0]
    expected = softmax(others @ best.x, exists)
    assert_allclose(action_probabilities(solution, test), expected, atol=1e-4)


def test_the_slope_is_that_of_finite_differences():
    rng = np.random.default_rng(0)
    exists = rng.random((30, 3)) < 0.7
    actions = rng.integers(0, 3, 30)
    exists[np.arange(30), actions] = True
    rows = Rows(np.zeros((30, 1), int), actions, rng.uniform(0.1, 2, 30), np.zeros(30, int), exists)
    matrices = [sparse.csr_array(rng.normal(size=(90, size))) for size in (4, 2)]
    made = Regression(
        [Block(np.zeros(0, int), m, s, 0) for m, s in zip(matrices, (0.5, 3.0), strict=True)], rows
    )
    assert (
        check_grad(lambda x: made.cost(x)[0], lambda x: made.cost(x)[1], rng.normal(size=6)) < 1e-6
    )


@given(played(missing=0.2, gaps=0.2), seeds)
def test_what_does_not_exist_has_no_probability(world, seed):
    mdp, _, demos = world
    demos = with_columns(demos, mdp.num_actions, seed)
    rng = np.random.default_rng(seed)
    policy = LogitPolicy(
        ("wide", "narrow"),
        (np.array([-1, 1]), np.zeros(0, int)),
        (rng.normal(size=(2, mdp.num_actions)) * 50, np.zeros((0, mdp.num_actions))),
        ("since",),
        (rng.normal(size=2),),
        ("wide",),
        np.array([3.0]),
    )
    exists = mdp.allowed[demos.states]
    found = policy.probabilities(demos, mdp)
    assert_allclose(found.sum(axis=1), 1)
    assert_array_equal(found[~exists], 0)


def test_contexts_seen_too_seldom_have_no_say():
    mdp, demos = behaviour()
    never = replace(FULL, least=10**6, options=(), own=())
    solution = fit(demos, never, mdp)
    exists = mdp.allowed[demos.states]
    assert solution.num_parameters == 0
    assert_allclose(action_probabilities(solution, demos), exists / exists.sum(1, keepdims=True))


def test_a_stronger_prior_shrinks_a_context_towards_the_others():
    mdp, demos = behaviour()
    sizes = []
    for strength in (0.1, 10.0, 1e4):
        policy = fit(
            demos, ColumnLogit(("wide", "narrow"), (1.0, strength), max_steps=3000), mdp
        ).policy
        sizes.append(np.abs(policy.weights[1]).max())
    assert sizes[0] > sizes[1] > sizes[2]
    assert sizes[2] < 1e-2


def test_what_an_option_is_like_is_learnt_for_all_actions_at_once():
    rng = np.random.default_rng(2)
    fresh = rng.integers(0, 2, (800, 3))  # animals prefer what they have not seen for long
    policy = np.exp(1.5 * fresh)
    policy /= policy.sum(axis=1, keepdims=True)
    actions = (policy.cumsum(axis=1) > rng.random((800, 1))).argmax(axis=1)
    columns = {f"fresh {a}": fresh[:, a] for a in range(3)} | {"all": np.zeros(800, int)}
    demos = Demonstrations.from_arrays(np.zeros(800, int), actions, decisions=columns)
    solution = fit(demos, ColumnLogit(("all",), (1.0,), options=("fresh",)))
    (weights,) = solution.policy.option_weights
    assert_allclose(weights[1] - weights[0], 1.5, atol=0.25)


def test_a_row_never_sees_itself_nor_what_comes_later_nor_another_trajectory():
    mdp, demos = behaviour()
    solution = fit(demos, FULL, mdp)
    before = action_probabilities(solution, demos)
    free = mdp.allowed[demos.states].sum(axis=1) > 1
    begin, end = demos.starts[4], demos.starts[5]
    row = int(begin + np.flatnonzero(free[begin:end])[0])
    other = demos.actions.copy()
    exists = np.flatnonzero(mdp.allowed[demos.states[row]])
    other[row] = exists[exists != other[row]][0]
    after = action_probabilities(solution, replace(demos, actions=other))
    moved = np.abs(after - before).max(axis=1) > 1e-12
    assert moved.any()  # the change is seen later in the same trajectory
    assert not moved[: row + 1].any()
    assert not moved[end:].any()


def test_a_file_gives_back_the_policy(tmp_path):
    mdp, demos = behaviour()
    solution = fit(demos, FULL, mdp)
    again = load(save(solution, tmp_path / "logit.npz"), Solution)
    assert_array_equal(action_probabilities(again, demos), action_probabilities(solution, demos))
    assert again.policy.options == ("since",)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"columns": ()}, "columns must be a tuple of names"),
        ({"strengths": (1.0,)}, "strengths must be 2 numbers above 0"),
        ({"strengths": (1.0, -2.0)}, "strengths must be 2 numbers above 0"),
        ({"option_strength": 0.0}, "option_strength must be a number above 0"),
        ({"own_strength": np.inf}, "own_strength must be a number above 0"),
    ],
)
def test_settings_that_cannot_be_are_refused(changes, words):
    with pytest.raises(InputError, match=words):
        replace(FULL, **changes)


def test_columns_that_are_missing_or_hold_no_whole_numbers_are_named():
    mdp, demos = behaviour()
    with pytest.raises(InputError, match="no column 'gone' per decision"):
        fit(demos, ColumnLogit(("gone",), (1.0,)), mdp)
    with pytest.raises(InputError, match="no column 'gone 0' per decision"):
        fit(demos, replace(FULL, options=("gone",)), mdp)
    with pytest.raises(InputError, match="no column 'gone' per decision"):
        fit(demos, replace(FULL, own=("gone",)), mdp)
    words = replace(demos, decisions={"wide": np.full(demos.num_decisions, "left")})
    with pytest.raises(
        InputError, match="column 'wide' must hold whole numbers, one per context; got 'left'"
    ):
        fit(words, ColumnLogit(("wide",), (1.0,)), mdp)


def test_decisions_without_alternative_show_nothing():
    mdp, demos = behaviour()
    forced = replace(mdp, allowed=np.eye(3)[np.arange(5) % 3] > 0)
    only = replace(demos, actions=demos.states % 3)
    with pytest.raises(InputError, match="every decision is the only one possible"):
        fit(only, FULL, forced)


def test_a_search_cut_short_says_so():
    mdp, demos = behaviour()
    with pytest.raises(FitError, match="Give more max_steps"):
        fit(demos, replace(FULL, max_steps=2), mdp)


def test_everybody_has_weights_of_their_own_and_strangers_none(tmp_path):
    rng = np.random.default_rng(0)
    bins, who = rng.integers(0, 2, (400, 2)), np.repeat(["a", "b", "c", "d"], 100)
    # "a" likes bin 1, "b" does not, and the others do not care.
    liking = np.array([1.5, -1.5, 0.0, 0.0])[np.unique(who, return_inverse=True)[1]]
    gain = liking * (bins[:, 1] - bins[:, 0])
    actions = (rng.random(400) < 1 / (1 + np.exp(-gain))).astype(int)
    demos = Demonstrations.from_arrays(
        np.zeros(400, int),
        actions,
        trajectory=who,
        decisions={"all": np.zeros(400, int), "bin 0": bins[:, 0], "bin 1": bins[:, 1]},
        trajectories={"subject": ["a", "b", "c", "d"]},
    )
    solver = ColumnLogit(("all",), (1.0,), personal=("bin",), personal_strength=0.5)
    made = fit(demos, solver)
    (weights,) = made.policy.personal_weights
    difference = weights[:, 1] - weights[:, 0]
    assert_allclose(difference, [1.5, -1.5, 0.0, 0.0], atol=0.5)
    # The slope of each person's weights is that of the person's own decisions alone.
    shares = action_probabilities(made, demos)
    for number, name in enumerate("abcd"):
        mine = who == name
        for place in (0, 1):
            here = bins[mine] == place
            missed = (here[:, 1] * 1.0 - here[:, 0]) * (actions[mine] - shares[mine, 1])
            assert missed.sum() == pytest.approx(0.5 * weights[number, place], abs=0.01)
    strangers = replace(demos, trajectories={"subject": np.array(["x", "b", "y", "d"])})
    foreseen = action_probabilities(made, strangers)
    assert_allclose(foreseen[who == "a"], np.broadcast_to(foreseen[0], (100, 2)))
    assert_array_equal(foreseen[who == "b"], shares[who == "b"])
    read = load(save(made, tmp_path / "s.npz"), Solution)
    assert_array_equal(action_probabilities(read, demos), shares)
    with pytest.raises(InputError, match="there is no column 'subject'"):
        action_probabilities(made, replace(demos, trajectories={}))
    with pytest.raises(InputError, match="there is no column 'subject'"):
        fit(replace(demos, trajectories={}), solver)


def test_covariates_speak_as_they_are(tmp_path):
    """Oracle: a dense logistic regression of a fraction, minimised without gradients."""
    rng = np.random.default_rng(2)
    evidence, trial = rng.normal(size=200), np.linspace(-1, 1, 200)
    right = rng.random(200) < 1 / (1 + np.exp(-1.5 * evidence + 0.5))
    data = Demonstrations.from_arrays(
        np.zeros(200, int),
        right.astype(int),
        decisions={"always": np.zeros(200, int), "evidence": evidence, "trial": trial},
    )
    solver = ColumnLogit(
        ("always",), (0.5,), covariates=("evidence", "trial"), covariate_strength=0.2,
        tolerance=1e-9,
    )  # fmt: skip
    solution = fit(data, solver)
    inputs = np.stack([np.ones(200), evidence, trial], axis=1)
    strength = np.array([0.5, 0.2, 0.2])

    def cost(flat):
        weights = flat.reshape(3, 2)
        logits = inputs @ weights
        logs = logits - np.log(np.exp(logits).sum(axis=1, keepdims=True))
        return 0.5 * (strength[:, None] * weights**2).sum() - logs[range(200), data.actions].sum()

    best = minimize(cost, np.zeros(6), method="BFGS", options={"gtol": 1e-5})
    assert_allclose(solution.policy.covariate_weights, best.x.reshape(3, 2)[1:], atol=1e-4)
    assert solution.num_parameters == 6
    prior = -0.5 * (strength[:, None] * best.x.reshape(3, 2) ** 2).sum()
    assert solver.log_prior(solution) == pytest.approx(prior, abs=1e-4)
    back = load(save(solution, tmp_path / "c.npz"), Solution)
    assert_allclose(action_probabilities(back, data), action_probabilities(solution, data))
    with pytest.raises(InputError, match="no column 'evidence' per decision"):
        action_probabilities(solution, replace(data, decisions={"always": np.zeros(200, int)}))
    holes = dict(data.decisions) | {"trial": np.where(np.arange(200) == 4, np.nan, trial)}
    with pytest.raises(InputError, match="row 5: covariate 'trial' holds 'nan'"):
        fit(replace(data, decisions=holes), solver)
