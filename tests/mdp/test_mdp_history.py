"""Worlds that remember, against paths enumerated one by one."""

from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import strategies
from inverseq._core.errors import InputError
from inverseq.mdp import MDP, history
from inverseq.mdp.history import context_keys, history_rows

kinds = st.sampled_from(["states", "actions"])


def possible(mdp: MDP, s: int, a: int, n: int) -> bool:
    """Whether the step can happen."""
    if not mdp.allowed[s, a] or mdp.terminal[s]:
        return False
    return any(
        mdp.successors[s, a, b] == n and mdp.probabilities[s, a, b] > 0
        for b in range(mdp.successors.shape[2])
    )


def contexts(mdp: MDP, length: int, of: str) -> set[tuple[int, ...]]:
    """(present state, what is remembered, most recent first), by walking every path."""
    found = {(s, *[-1] * (length - 1)) for s in range(mdp.num_states)}
    edge = set(found)
    while edge:
        step = set()
        for context, a, n in product(edge, range(mdp.num_actions), range(mdp.num_states)):
            if possible(mdp, context[0], a, n):
                past = (context[0] if of == "states" else a, *context[1:-1])[: length - 1]
                step.add((n, *past))
        edge = step - found
        found |= step
    return found


@given(strategies.mdps(max_states=4, max_actions=2), st.integers(2, 3), kinds)
def test_states_with_history_are_the_paths_that_can_happen(mdp, length, of):
    long = mdp.with_history(length, of=of)
    history = long.history
    rows = {
        (int(base), *map(int, past))
        for base, past in zip(history.base, history.previous, strict=True)
    }
    assert rows == contexts(mdp, length, of)
    assert len(rows) == long.num_states
    # The first states are those without a past, in the order of the world.
    assert history.base[: mdp.num_states].tolist() == [*range(mdp.num_states)]
    assert (history.previous[: mdp.num_states] == -1).all()


@given(strategies.mdps(max_states=4, max_actions=3), st.integers(2, 3), kinds)
def test_steps_with_history_shift_the_memory_and_keep_the_probability(mdp, length, of):
    long = mdp.with_history(length, of=of)
    history = long.history
    for x, a, b in np.ndindex(*long.successors.shape):
        p = long.probabilities[x, a, b]
        s = history.base[x]
        if p == 0 or not long.allowed[x, a] or long.terminal[x]:
            continue
        y = long.successors[x, a, b]
        assert p == mdp.probabilities[s, a, b]
        assert history.base[y] == mdp.successors[s, a, b]
        newest = s if of == "states" else a
        expected = [newest, *history.previous[x]][: length - 1]
        assert history.previous[y].tolist() == expected


@given(strategies.mdps(max_states=5), strategies.seeds, kinds)
def test_what_a_policy_is_worth_does_not_depend_on_remembering(mdp, seed, of):
    policy = strategies.random_policy(np.random.default_rng(seed), mdp)
    long = mdp.with_history(3, of=of)

    def worth(world: MDP, choice: np.ndarray) -> np.ndarray:
        step = np.eye(world.num_states) - world.discount * world.under_policy(choice).toarray()
        return np.linalg.solve(step, (choice * world.reward).sum(1))

    values = worth(long, policy[long.history.base])
    np.testing.assert_allclose(values, worth(mdp, policy)[long.history.base], atol=1e-9)
    np.testing.assert_allclose(values @ long.initial, worth(mdp, policy) @ mdp.initial, atol=1e-9)


@given(strategies.played(gaps=0.2, missing=0.2), st.integers(1, 4), kinds)
def test_what_is_remembered_at_each_row_is_what_stands_above_it(drawn, length, of):
    demos = drawn[2]
    past = history_rows(demos.states, demos.actions, demos.continues, length, of)
    assert past.shape == (demos.num_decisions, length - 1)
    for row in range(demos.num_decisions):
        seen = []
        at = row
        for _ in range(length - 1):
            symbol = -1
            if at >= 0 and demos.continues[at]:
                at -= 1
                symbol = int(demos.states[at] if of == "states" else demos.actions[at])
            if symbol < 0:
                at = -1
            seen.append(symbol)
        assert past[row].tolist() == seen


@given(strategies.mdps(max_states=4), strategies.seeds)
def test_contexts_are_found_and_others_are_not(mdp, seed):
    history = mdp.with_history(3).history
    order = np.random.default_rng(seed).permutation(history.base.size)
    found = history.find(history.base[order], history.previous[order])
    assert found.tolist() == order.tolist()
    every = np.array([*product(range(mdp.num_states), repeat=3)])
    known = {(int(b), *map(int, p)) for b, p in zip(history.base, history.previous, strict=True)}
    for row, place in zip(every, history.find(every[:, 0], every[:, 1:]), strict=True):
        assert (place >= 0) == (tuple(map(int, row)) in known)


def test_a_history_of_one_is_the_world_itself():
    mdp = strategies.random_mdp(np.random.default_rng(0), 3, 2)
    assert mdp.with_history(1) is mdp


def test_a_history_of_too_many_pasts_is_refused_before_they_are_made(monkeypatch):
    mdp = strategies.random_mdp(np.random.default_rng(0), 3, 2)
    kept = mdp.with_history(3).num_states
    monkeypatch.setattr(history, "_MAX_CELLS", kept * mdp.successors[0].size * 3)
    assert mdp.with_history(3).num_states == kept
    with pytest.raises(InputError, match=r"a history of 5 has more than \d+ different pasts here"):
        mdp.with_history(5)


def test_histories_that_cannot_be_are_refused():
    mdp = strategies.random_mdp(np.random.default_rng(0), 3, 2)
    with pytest.raises(InputError, match="1 state or more; got 0"):
        mdp.with_history(0)
    with pytest.raises(InputError, match="has a history already"):
        mdp.with_history(2).with_history(2)
    with pytest.raises(InputError, match="more contexts than can be numbered"):
        mdp.with_history(40)
    with pytest.raises(InputError, match="use a shorter history"):
        context_keys(np.array([10**6]), np.zeros((1, 4), np.int64), 10**6)
