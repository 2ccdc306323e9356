"""Next states, kept only where the following rows do not give them."""

import tracemalloc
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from inverseq import InputError
from inverseq.demonstrations import Demonstrations, Ending, concatenate


@st.composite
def walks(draw):
    """States in one of four forms, next states for some rows, and bounds of trajectories."""
    lengths = draw(st.lists(st.integers(1, 4), min_size=1, max_size=4))
    size = sum(lengths)
    numbers = st.lists(st.integers(0, 2), min_size=size, max_size=size)
    states, after = np.array(draw(numbers)), np.array(draw(numbers))
    unknown = np.array(draw(st.lists(st.booleans(), min_size=size, max_size=size)))
    form = draw(st.sampled_from(["numbers", "float32", "float64", "uint8"]))
    if form == "numbers":
        after[unknown] = -1
    else:
        states = np.stack([states, states + 1], 1).astype(form)
        after = np.stack([after, after + 1], 1).astype(float)
        after[unknown] = np.nan
    return states, after, ~unknown, np.cumsum([0, *lengths])


def dull(states, after, known):
    """What `next_states` shall be: what was given, with the mark of its type where unknown."""
    marked = np.array(after)
    if states.ndim > 1 and states.dtype.kind != "f":
        marked[~known] = 0
    return marked.astype(states.dtype)


@given(walks(), st.data())
def test_what_was_given_comes_back_whole_and_in_parts(walk, data):
    states, after, known, starts = walk
    size, zeros = len(states), np.zeros(len(states), int)
    demos = Demonstrations(states, zeros, after, zeros, starts)
    expected = dull(states, after, known)
    np.testing.assert_array_equal(demos.next_states, expected)
    assert demos.next_states.dtype == demos.states.dtype
    assert demos.next_known.tolist() == known.tolist()
    again = replace(demos, source="copy")
    np.testing.assert_array_equal(again.next_states, expected)
    assert again.fingerprint == demos.fingerprint
    chosen = data.draw(st.lists(st.integers(0, starts.size - 2), min_size=1, max_size=5))
    rows = np.concatenate([np.arange(starts[i], starts[i + 1]) for i in chosen])
    part = demos.take(chosen)
    np.testing.assert_array_equal(part.next_states, expected[rows])
    assert part.next_known.tolist() == known[rows].tolist()
    both = concatenate([part, demos])
    np.testing.assert_array_equal(both.next_states, np.concatenate([expected[rows], expected]))
    # Other bounds of the same rows change nothing, and can be taken apart as well.
    cut = replace(demos, starts=np.arange(size + 1))
    np.testing.assert_array_equal(cut.next_states, expected)
    np.testing.assert_array_equal(cut.take([size - 1, 0]).next_states, expected[[size - 1, 0]])


def test_an_image_of_bytes_knows_its_unknown_next_states():
    seen = np.arange(8, dtype=np.uint8).reshape(4, 2)
    demos = Demonstrations.from_arrays(seen, [0] * 4, trajectory=[0, 0, 1, 1])
    assert demos.next_known.tolist() == [True, False, True, False]
    assert demos.next_states.tolist() == [[2, 3], [0, 0], [6, 7], [0, 0]]
    told = np.array([[np.nan] * 2, [9, 9], [5, 5], [np.nan] * 2])
    demos = Demonstrations.from_arrays(seen, [0] * 4, next_states=told, trajectory=[0, 0, 1, 1])
    assert demos.next_known.tolist() == [True, True, True, False]
    assert demos.next_states.tolist() == [[2, 3], [9, 9], [5, 5], [0, 0]]
    assert demos.endings.tolist() == [0, Ending.TRUNCATED, Ending.GAP, Ending.TRUNCATED]


def test_a_hole_that_is_named_is_a_gap_that_nothing_crosses():
    demos = Demonstrations.from_arrays([0, 1, 2], [0, 0, 0], gap=[True, False, False])
    assert demos.endings.tolist() == [Ending.GAP, Ending.CONTINUES, Ending.TRUNCATED]
    assert demos.next_states.tolist() == [-1, 2, -1]
    told = Demonstrations.from_arrays([0, 1], [0, 0], next_states=[7, -1], gap=[1, 0])
    assert told.next_states.tolist() == [7, -1]


def test_a_copy_with_other_states_takes_its_next_states_from_them():
    demos = Demonstrations.from_arrays([0, 1, 2], [0, 0, 0])
    assert replace(demos, states=demos.states + 4).next_states.tolist() == [5, 6, -1]
    with pytest.raises(InputError, match="give next_states like the states"):
        replace(demos, states=np.zeros((3, 2)))
    with pytest.raises(InputError, match="next_states are missing"):
        Demonstrations([0], [0], endings=[2], starts=[0, 1])


def test_pixels_are_held_once_and_never_copied_on_the_way():
    pixels = np.random.default_rng(0).integers(0, 255, (2000, 84, 84), dtype=np.uint8)
    label = np.arange(2000) // 100
    tracemalloc.start()
    try:
        derived = Demonstrations.from_arrays(pixels, np.zeros(2000, int), trajectory=label)
        assert tracemalloc.get_traced_memory()[1] < 0.1 * pixels.nbytes
        assert np.shares_memory(derived.states, pixels)
        following = np.roll(pixels, -1, axis=0)
        given = Demonstrations.from_arrays(
            pixels, np.zeros(2000, int), next_states=following, trajectory=label
        )
        # What was given is the larger part of it; ends and no more are copied from there.
        assert tracemalloc.get_traced_memory()[1] < 1.5 * pixels.nbytes
    finally:
        tracemalloc.stop()
    for demos in (derived, given):
        kept = demos.following
        held = demos.states.nbytes + kept.known.nbytes + kept.rows.nbytes + kept.states.nbytes
        assert held <= 1.05 * pixels.nbytes
    np.testing.assert_array_equal(given.next_states, following)
