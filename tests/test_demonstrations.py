"""Demonstrations: what rows mean, and taking them apart and together again."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import strategies
from inverseq._core.errors import InputError
from inverseq.demonstrations import Demonstrations, Ending, concatenate


def lines(demos: Demonstrations) -> list[tuple]:
    """Every row as plain numbers, with what its trajectory says."""
    return [
        (
            int(demos.states[i]),
            int(demos.actions[i]),
            int(demos.next_states[i]),
            int(demos.endings[i]),
            int(demos.step[i]),
            demos.row(i),
            None if demos.time is None else float(demos.time[i]),
            *(float(v[i]) for v in demos.decisions.values()),
            *(str(v[demos.trajectory_of[i]]) for v in demos.trajectories.values()),
        )
        for i in range(demos.num_decisions)
    ]


@given(strategies.any_demonstrations())
def test_rows_follow_each_other_within_trajectories_only(demos):
    for i in range(demos.num_decisions):
        last = i + 1 == demos.num_decisions or demos.trajectory_of[i] != demos.trajectory_of[i + 1]
        if last:
            assert demos.next_states[i] == -1
            assert demos.endings[i] in (Ending.TERMINATED, Ending.TRUNCATED)
        else:
            assert demos.endings[i] == Ending.CONTINUES
            assert demos.next_states[i] == demos.states[i + 1]
            assert demos.continues[i + 1]
        assert demos.continues[i] == (demos.step[i] > 0)
    assert demos.terminated.tolist() == [e == Ending.TERMINATED for e in demos.endings]


def test_a_next_state_that_is_not_the_next_row_is_a_gap():
    demos = Demonstrations.from_arrays(
        [0, 1, 5, 6, 9], [0, 0, 0, 0, 0], next_states=[1, 2, -1, 6, 3], trajectory=[0, 0, 0, 0, 1]
    )
    gap, goes_on, cut = Ending.GAP, Ending.CONTINUES, Ending.TRUNCATED
    assert demos.endings.tolist() == [goes_on, gap, goes_on, cut, cut]
    assert demos.next_states.tolist() == [1, 2, 6, 6, 3]
    assert demos.continues.tolist() == [False, True, False, True, False]


def test_an_end_within_a_trajectory_is_no_gap_and_is_not_crossed():
    demos = Demonstrations.from_arrays([0, 1, 0, 1], [0] * 4, terminated=[0, 1, 0, 0])
    assert demos.endings.tolist() == [0, Ending.TERMINATED, 0, Ending.TRUNCATED]
    assert demos.next_states.tolist() == [1, -1, 1, -1]
    assert demos.continues.tolist() == [False, True, False, True]


def test_features_may_be_states():
    states = np.arange(6.0).reshape(3, 2)
    demos = Demonstrations.from_arrays(states, [0, 1, 0])
    np.testing.assert_array_equal(demos.next_states, [[2, 3], [4, 5], [np.nan, np.nan]])
    given_next = np.array([[2.0, 3.0], [8.0, 8.0], [7.0, 7.0]])
    demos = Demonstrations.from_arrays(states, [0, 1, 0], next_states=given_next)
    assert demos.endings.tolist() == [Ending.CONTINUES, Ending.GAP, Ending.TRUNCATED]


@given(strategies.any_demonstrations(), st.data())
def test_taking_trajectories_takes_whole_ones_with_all_that_belongs_to_them(demos, data):
    numbers = st.integers(0, demos.num_trajectories - 1)
    chosen = data.draw(st.lists(numbers, min_size=1, max_size=6))
    by_number = demos.take(chosen)
    rows = lines(demos)
    expected = [rows[i] for c in chosen for i in range(demos.starts[c], demos.starts[c + 1])]
    assert lines(by_number) == expected
    mask = np.isin(np.arange(demos.num_trajectories), chosen)
    assert lines(demos.take(mask)) == lines(demos.take(np.unique(chosen)))


@given(strategies.any_demonstrations(), st.data())
def test_parts_put_together_again_are_the_whole(demos, data):
    cut = data.draw(st.integers(0, demos.num_trajectories))
    order = np.arange(demos.num_trajectories)
    parts = [demos.take(part) for part in (order[:cut], order[cut:]) if part.size]
    again = concatenate(parts)
    assert [line[:5] for line in lines(again)] == [line[:5] for line in lines(demos)]
    assert again.fingerprint == demos.fingerprint
    assert again.num_trajectories == demos.num_trajectories
    for name, column in demos.trajectories.items():
        assert again.trajectories[name].tolist() == column.tolist()


def test_only_columns_that_all_parts_have_are_kept():
    one = Demonstrations.from_arrays(
        [0], [0], time=np.ones(1), decisions={"a": np.array([1]), "b": np.array([2])}
    )
    two = Demonstrations.from_arrays([1], [0], decisions={"b": np.array([3])}, source="other")
    both = concatenate([one, two])
    assert list(both.decisions) == ["b"]
    assert both.decisions["b"].tolist() == [2, 3]
    assert both.time is None
    assert both.source == "arrays, other"
    with pytest.raises(InputError, match="at least one"):
        concatenate([])
    named = Demonstrations.from_arrays([0], [0], action_names=("left",))
    with pytest.raises(InputError, match="name their states or actions differently"):
        concatenate([one, named])


def test_the_fingerprint_sees_every_change_that_matters():
    base = {"states": [0, 1, 2], "actions": [0, 1, 0], "trajectory": [0, 0, 1]}
    prints = {
        Demonstrations.from_arrays(**base | changes).fingerprint
        for changes in (
            {},
            {"states": [0, 1, 3]},
            {"actions": [0, 1, 1]},
            {"trajectory": [0, 1, 1]},
            {"next_states": [1, 2, -1]},
        )
    }
    assert len(prints) == 5
    same = Demonstrations.from_arrays(**base, source="elsewhere", time=np.arange(3.0))
    assert same.fingerprint in prints


def three_mice() -> Demonstrations:
    """Six trajectories: two sessions of each of three mice, sessions numbered per mouse."""
    label = np.repeat(np.arange(6), 2)
    return Demonstrations.from_arrays(
        np.arange(12) % 4,
        np.zeros(12, int),
        trajectory=label,
        trajectories={
            "subject": np.repeat(["a", "b", "c"], 2),
            "session": np.tile([1, 2], 3),
            "split": np.array(["train", "test"] * 3),
        },
    )


@pytest.mark.parametrize(
    ("by", "count"), [("trajectory", 6), ("subject", 3), ("session", 6), ("split", 2)]
)
def test_units_are_numbered_and_a_session_belongs_to_its_subject(by, count):
    units = three_mice().units(by)
    assert sorted(set(units.tolist())) == [*range(count)]


@given(strategies.seeds, st.sampled_from(["trajectory", "subject", "session"]), st.floats(0.1, 0.9))
def test_a_split_shares_no_unit_and_loses_no_row(seed, by, share):
    demos = three_mice()
    train, test = demos.split(share, by, seed % 1000)
    assert sorted(lines(train) + lines(test)) == sorted(lines(demos))
    columns = ("subject",) if by == "subject" else ("subject", "session")
    keys = lambda part: set(zip(*(part.trajectories[c] for c in columns), strict=True))  # noqa: E731
    assert not keys(train) & keys(test)
    units = {"trajectory": 6, "session": 6, "subject": 3}[by]
    size = len(
        {
            *demos.units(by)[
                np.isin(demos.trajectories["trajectory"], test.trajectories["trajectory"])
            ]
        }
    )
    assert size == min(max(round(share * units), 1), units - 1)


@given(strategies.seeds, st.integers(2, 6))
def test_every_trajectory_is_tested_in_exactly_one_fold(seed, k):
    demos = three_mice()
    tested = []
    for train, test in demos.fold(k, seed=seed % 1000):
        assert sorted(lines(train) + lines(test)) == sorted(lines(demos))
        tested += test.trajectories["trajectory"].tolist()
    assert sorted(tested) == [*range(6)]


def test_a_seed_gives_one_split_and_another_seed_another():
    demos = three_mice()
    parts = [demos.split(0.5, seed=s)[1].fingerprint for s in (0, 0, 1, 2, 3)]
    assert parts[0] == parts[1]
    assert len(set(parts)) > 1


def test_what_cannot_be_split_is_refused():
    demos = three_mice()
    with pytest.raises(InputError, match="only one subject: nothing can be held out"):
        demos.select(subject="a").split(0.5, by="subject")
    with pytest.raises(InputError, match="there is only one trajectory"):
        next(demos.take([0]).fold(2))
    with pytest.raises(InputError, match=r"7 folds by trajectory need .* there are 6"):
        next(demos.fold(7))
    with pytest.raises(InputError, match="1 folds"):
        next(demos.fold(1))
    for share in (0.0, 1.0, 2.0):
        with pytest.raises(InputError, match="a share between 0 and 1"):
            demos.split(share)
    with pytest.raises(InputError, match="cannot group by day"):
        demos.split(0.5, by="day")


def test_select_finds_equal_values_only():
    demos = three_mice()
    assert demos.select(subject="b").num_trajectories == 2
    assert demos.select(subject=["a", "c"], session=2).num_trajectories == 2
    assert demos.select(session="2").num_trajectories == 3
    for none in ({"split": "testing"}, {"subject": "bb"}, {"session": 1.5}, {"session": "x"}):
        with pytest.raises(InputError, match="no trajectory has"):
            demos.select(**none)
    with pytest.raises(InputError, match="no trajectory column 'mouse'; there are"):
        demos.select(mouse="a")


def test_what_is_no_trajectory_cannot_be_taken():
    demos = three_mice()
    for chosen in ([6], [-1], [0, 99]):
        with pytest.raises(InputError, match="trajectories are numbered 0 to 5"):
            demos.take(chosen)
    with pytest.raises(InputError, match=r"chosen must have shape \[T\] = 6; got 2"):
        demos.take(np.array([True, False]))
    with pytest.raises(InputError, match="holds no decisions"):
        demos.take([])
    with pytest.raises(InputError, match="no trajectory has"):
        demos.select(subject=None)


def test_numbers_and_features_are_not_mixed():
    features = Demonstrations.from_arrays(np.zeros((2, 3)), [0, 0])
    with pytest.raises(InputError, match="different shapes"):
        concatenate([three_mice(), features])


def test_counts_of_states_and_actions_come_from_names_where_there_are_any():
    plain = Demonstrations.from_arrays([0, 4], [2, 0], next_states=[4, 7])
    assert (plain.num_states, plain.num_actions) == (8, 3)
    named = Demonstrations.from_arrays(
        [0], [0], state_names=("a", "b", "c"), action_names=("x", "y")
    )
    assert (named.num_states, named.num_actions) == (3, 2)
    assert Demonstrations.from_arrays([0], [-1]).num_actions == 0


def test_texts_in_columns_become_arrays_of_text():
    demos = Demonstrations.from_arrays(
        [0, 1], [0, 0], decisions={"note": np.array(["a", None], object)}
    )
    assert demos.decisions["note"].tolist() == ["a", "None"]
    assert demos.decisions["note"].dtype.kind == "U"


@pytest.mark.parametrize(
    ("arrays", "words"),
    [
        ({"states": [], "actions": []}, "arrays holds no decisions"),
        ({"states": [0, -1], "actions": [0, 0]}, "row 2: state -1, action 0"),
        ({"states": [0, 1], "actions": [0, -2]}, "row 2: state 1, action -2"),
        ({"states": [0, 1], "actions": [0, 0], "next_states": [-2, 1]}, "next state -2"),
        ({"states": [0, 1], "actions": [0]}, r"actions must have shape \[N\] = 2; got 1"),
        ({"states": [0, 0.5], "actions": [0, 0]}, "states must hold whole numbers"),
        ({"states": [0, np.nan], "actions": [0, 0]}, "states must hold whole numbers"),
        ({"states": ["a"], "actions": [0]}, "states cannot be read"),
        ({"states": [0, 1, 0], "actions": [0] * 3, "trajectory": [0, 1, 0]}, "must be adjacent"),
        ({"states": [0, 1], "actions": [0, 0], "trajectory": [0]}, "trajectory must have shape"),
        (
            {"states": [0, 1], "actions": [0, 0], "decisions": {"x": np.zeros(1)}},
            "column 'x' has 1",
        ),
        (
            {"states": [0, 1], "actions": [0, 0], "trajectories": {"x": np.zeros(2)}},
            "column 'x' has 2 entries, expected 1",
        ),
    ],
)
def test_arrays_that_make_no_demonstrations_are_refused(arrays, words):
    with pytest.raises(InputError, match=words):
        Demonstrations.from_arrays(**arrays)


def test_bounds_that_make_no_trajectories_are_refused():
    for starts in ([0, 1], [1, 2], [0, 0, 2], [0, 2, 1]):
        with pytest.raises(InputError, match="starts must rise"):
            Demonstrations(*(np.zeros(2, int) for _ in range(4)), np.array(starts))
