"""Whatever is done to a saved file, it is read as what it was, or one sentence says that it is not.

`TRIES` spoilt files for every kind of record and of damage.
"""

import os
import tracemalloc
import warnings

import numpy as np
import pytest
import tampering
from often import chance, times

import inverseq as iq
import strategies

TRIES = times(6, 70)
MOST_BYTES = 200e6
FOREIGN = ("allow_pickle", "Traceback", "pickle", "BadZipFile", "NoneType", "ndarray")


def _records():
    rng = np.random.default_rng(3)
    mdp = strategies.random_mdp(rng, 5, 2)
    demos = iq.forward.simulate(
        mdp, iq.policies.uniform(mdp.allowed), trajectories=6, steps=9, seed=0
    )
    return {
        "MDP": mdp,
        "Demonstrations": demos,
        "Solution": iq.fit(demos, iq.IAVI(), mdp),
        "IntentionSolution": iq.fit(
            demos, iq.Intentions(2, iq.IAVI(), restarts=1), mdp, accept_failure=True
        ),
        "Score": iq.log_likelihood(iq.fit(demos, iq.CountTable()), demos),
    }


@pytest.fixture(scope="module")
def records():
    return _records()


def _read(path, kind):
    """What comes of reading a file: the record or the refusal, and the memory it took."""
    tracemalloc.start()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            return iq.load(path, kind), tracemalloc.get_traced_memory()[1]
    except iq.InputError as error:
        return str(error), tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


KINDS = ("MDP", "Demonstrations", "Solution", "IntentionSolution", "Score")


@pytest.mark.parametrize("spoil", tampering.ALL, ids=lambda spoil: spoil.__name__)
@pytest.mark.parametrize("name", KINDS)
def test_a_spoilt_file_is_read_as_it_was_or_refused_in_words(tmp_path, records, name, spoil):
    record = records[name]
    whole = iq.save(record, tmp_path / "whole.npz").read_bytes()
    rng = chance(4, *spoil.__name__.encode())
    refused = 0
    for _ in range(TRIES):
        (tmp_path / "spoilt.npz").write_bytes(spoil(rng, whole))
        found, peak = _read(tmp_path / "spoilt.npz", type(record))
        assert peak < MOST_BYTES
        if isinstance(found, str):
            refused += 1
            assert found.startswith(str(tmp_path)), found
            assert not any(word in found for word in FOREIGN), found
            assert "\n" not in found, found
        else:
            assert type(found) is type(record)
    if spoil in (tampering.cut, tampering.pickled, tampering.lying):
        assert refused == TRIES


@pytest.mark.parametrize("name", KINDS)
def test_a_bomb_is_refused_before_it_unfolds(tmp_path, records, name):
    whole = iq.save(records[name], tmp_path / "whole.npz").read_bytes()
    (tmp_path / "bomb.npz").write_bytes(tampering.bomb(whole, 300))
    assert (tmp_path / "bomb.npz").stat().st_size < 1e6
    found, peak = _read(tmp_path / "bomb.npz", type(records[name]))
    assert isinstance(found, str)
    assert "is damaged" in found
    assert peak < 20e6


def test_what_shrinks_like_a_bomb_is_still_read_when_it_is_ours(tmp_path):
    demos = iq.Demonstrations.from_arrays(
        np.zeros((20_000, 600), np.float64), np.zeros(20_000, int)
    )
    path = iq.save(demos, tmp_path / "zeros.npz")
    assert not iq.load(path, iq.Demonstrations).states.any()


def test_a_pipe_is_no_file(tmp_path):
    os.mkfifo(tmp_path / "pipe.npz")
    with pytest.raises(iq.InputError, match="is not a file"):
        iq.load(tmp_path / "pipe.npz", iq.MDP)
