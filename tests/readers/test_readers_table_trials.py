"""States that remember what was chosen in the trial before."""

from hypothesis import given
from hypothesis import strategies as st

from inverseq.readers import read_table

TRIALS = {
    "session": [1, 1, 1, 1, 2, 2],
    "trial": [0, 1, 2, 3, 0, 1],
    "action": [0, 2, 1, 1, 1, 0],
    "reward": [1, 0, 0, 1, 1, 0],
}


def test_the_state_can_be_the_last_choice_and_what_came_of_it():
    demos = read_table(TRIALS, state_from_previous=("action", "reward"), missing=(2,))
    told = [demos.state_names[s] for s in demos.states]
    assert told == ["start", "0|1", "0|1", "1|0", "start", "1|1"]
    assert demos.actions.tolist() == [0, -1, 1, 1, 1, 0]
    assert demos.next_states.tolist() == [*demos.states[1:4], -1, demos.states[5], -1]
    assert demos.decisions["reward"].tolist() == TRIALS["reward"]


def test_states_now_and_before_can_be_joined():
    table = TRIALS | {"cue": ["A", "B", "A", "B", "A", "B"]}
    demos = read_table(table, state="cue", state_from_previous=("reward",), missing=(2,))
    told = [demos.state_names[s] for s in demos.states]
    assert told == ["A|start", "B|1", "A|1", "B|0", "A|start", "B|1"]


def test_nothing_is_remembered_across_a_gap_or_an_end():
    table = {"t": [0, 1, 9, 10], "action": [0, 1, 0, 1], "terminated": [0, 0, 0, 0]}
    told = lambda d: [d.state_names[s] for s in d.states]  # noqa: E731
    demos = read_table(table, state_from_previous=("action",), longest_step=2)
    assert told(demos) == ["start", "0", "start", "0"]
    ended = read_table(table | {"terminated": [0, 1, 0, 0]}, state_from_previous=("action",))
    assert told(ended) == ["start", "0", "start", "0"]


@given(st.data())
def test_the_state_before_is_that_of_the_last_choice_in_the_trajectory(data):
    size = data.draw(st.integers(1, 12))
    label = sorted(data.draw(st.lists(st.integers(0, 2), min_size=size, max_size=size)))
    action = data.draw(st.lists(st.integers(-1, 2), min_size=size, max_size=size))
    if max(action) < 0 or set(action) == {-1, 1}:  # those two alone are both choices
        return
    demos = read_table({"bout": label, "action": action}, state_from_previous=("action",))
    for row in range(size):
        above = [a for b, a in zip(label[:row], action[:row], strict=True) if b == label[row]]
        chosen = [a for a in above if a >= 0]
        assert demos.state_names[demos.states[row]] == (str(chosen[-1]) if chosen else "start")
