"""Counts of tables that need not fit into memory: the same as counting what was read."""

import numpy as np
import polars
import pytest
from hypothesis import given
from hypothesis import strategies as st

import strategies
from inverseq._core.errors import InputError
from inverseq.decisions.counts import count
from inverseq.decisions.files import count_file, estimate_from_counts
from inverseq.mdp import MDP
from inverseq.readers import read_table


def written(folder, table: dict, kind: str):
    path = folder / f"table.{kind}"
    frame = polars.DataFrame(table)
    frame.write_csv(path) if kind == "csv" else frame.write_parquet(path)
    return path


@st.composite
def tables(draw):
    """A table of decisions as numbers or as names, some of them missing."""
    demos = draw(strategies.any_demonstrations())
    number = draw(st.booleans())
    say = (lambda v: None if v < 0 else int(v)) if number else (lambda v: "nsuxy"[v % 5] + str(v))
    following = [say(n) if n >= 0 else None for n in demos.next_states]
    actions = [say(a) if a >= 0 else None for a in demos.actions]
    if all(a is None for a in actions):
        actions[0] = say(0)
    order = draw(st.permutations(range(demos.num_decisions)))
    table = {"state": [say(s) for s in demos.states], "action": actions, "next_state": following}
    return {name: [column[i] for i in order] for name, column in table.items()}


@given(tables(), st.sampled_from(["csv", "parquet"]))
def test_counting_a_file_and_counting_what_was_read_agree(tmp_path_factory, table, kind):
    path = written(tmp_path_factory.mktemp("count"), table, kind)
    counted = count_file(path)
    demos = read_table({"row": [*range(len(table["state"]))]} | table, trajectory="row")
    states, actions = counted.counts.state_action.shape
    stay = np.broadcast_to(np.eye(states)[:, None], (states, actions, states))
    names = {"state_names": demos.state_names, "action_names": demos.action_names}
    world = MDP.from_dense(stay, discount=0.9, **names)
    assert (states, actions) == (demos.num_states, demos.num_actions)
    expected = count(demos, world).state_action
    np.testing.assert_array_equal(counted.counts.state_action, expected)
    assert (counted.state_names, counted.action_names) == (demos.state_names, demos.action_names)
    assert counted.num_rows == demos.num_decisions
    assert counted.num_missing == (demos.actions < 0).sum()
    if not counted.transitions["count"].size:
        with pytest.raises(InputError, match="no next states to estimate from"):
            estimate_from_counts(counted, discount=0.9)
        return
    one = estimate_from_counts(counted, discount=0.9, smoothing=0.5)
    two = MDP.estimate(demos, discount=0.9, smoothing=0.5)
    np.testing.assert_allclose(
        one.transition_matrix.toarray(), two.transition_matrix.toarray(), atol=1e-12
    )


def test_transitions_are_a_table_of_a_world(tmp_path):
    table = {"state": [0, 0, 0, 1, 1], "action": [0, 0, 1, 0, -1], "next_state": [1, 0, 0, 1, 0]}
    counted = count_file(written(tmp_path, table, "parquet"))
    told = {name: column.tolist() for name, column in counted.transitions.items()}
    assert told == {
        "state": [0, 0, 0, 1],
        "action": [0, 0, 1, 0],
        "next_state": [0, 1, 0, 1],
        "count": [1, 1, 1, 1],
        "probability": [0.5, 0.5, 1.0, 1.0],
    }
    world = MDP.from_table(counted.transitions, discount=0.9)
    assert world.allowed.tolist() == [[True, True], [True, False]]


def test_more_states_and_actions_than_occur_can_be_asked_for(tmp_path):
    path = written(tmp_path, {"node": [0, 1], "action": [0, 0]}, "csv")
    counted = count_file(path, state="node", num_states=4, num_actions=3, next_state=None)
    assert counted.counts.state_action.tolist() == [[1, 0, 0], [1, 0, 0], [0, 0, 0], [0, 0, 0]]
    with pytest.raises(InputError, match="2 states in the table, more than num_states=1"):
        count_file(path, state="node", num_states=1)


def test_names_and_missing_actions_are_as_in_the_reader(tmp_path):
    table = {"state": ["b", "a", "a"], "action": ["go", "none", "stay"]}
    counted = count_file(
        written(tmp_path, table, "csv"), missing=("none",), action_names=("stay", "go")
    )
    assert counted.state_names == ("a", "b")
    assert counted.counts.state_action.tolist() == [[1, 0], [0, 1]]
    assert counted.num_missing == 1


@pytest.mark.parametrize("kind", ["csv", "parquet"])
@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"state": [0, 1, None, 1, None]}, r"row 3, column 'state': the state is empty"),
        ({"state": [0, 1, 1, -1, -1]}, "row 4, column 'state': states are numbered from 0"),
        ({"state": [0.5, 1, 2, 2.5, 1]}, "row 1, column 'state': 0.5 cannot number a state"),
        ({"action": [0, 1, 0, 1, -5]}, "row 5, column 'action': -5 cannot number"),
        ({"action": [None] * 5}, "no row has an action"),
        ({"next_state": ["a"] * 5}, "'state' numbers, 'next_state' words"),
    ],
)
def test_a_bad_value_is_told_with_the_row_it_first_stands_in(tmp_path, kind, changes, words):
    table = {"state": [0, 1, 0, 1, 1], "action": [0, 1, 0, 1, 0], "next_state": [1, 0, 1, 1, 0]}
    schema = {name: polars.Series(values, strict=False) for name, values in changes.items()}
    with pytest.raises(InputError, match=words):
        count_file(written(tmp_path, table | schema, kind))


def test_what_cannot_be_counted_is_refused(tmp_path):
    path = written(tmp_path, {"state": [0], "action": [0]}, "csv")
    with pytest.raises(InputError, match="memory_limit 'much' cannot be used"):
        count_file(path, memory_limit="much")
    with pytest.raises(InputError, match="no column 'place'"):
        count_file(path, state="place")
    path.write_text("state,action\n")
    with pytest.raises(InputError, match="holds no rows"):
        count_file(path)
    path.write_text("state,action\n0,x\n1,2\n")
    with pytest.raises(InputError, match="row 1, column 'action': 'x' is text"):
        count_file(path)
    path.write_text("state,action\n0,1\n1,2,3\n")
    with pytest.raises(InputError, match="cannot be read: line 3"):
        count_file(path)
    with pytest.raises(InputError, match="smoothing must be 0 or more"):
        estimate_from_counts(
            count_file(
                written(tmp_path, {"state": [0], "action": [0], "next_state": [0]}, "parquet")
            ),
            discount=0.9,
            smoothing=-1.0,
        )
