import numpy as np
import pytest
from numpy.testing import assert_array_equal

from inverseq._core.errors import InputError
from inverseq.evaluate.confusion import recover_models
from inverseq.intentions.solver import Intentions
from inverseq.intentions.switching import Mixture
from inverseq.inverse.tables.count_table import CountTable
from wishes import fitted, ring


def test_models_that_are_easy_to_tell_apart_are_told_apart():
    _, data = fitted()
    models = {
        "one": Intentions(1),
        "two": Intentions(2, restarts=1),
        "each": Intentions(2, switching=Mixture(), restarts=1),
    }
    found = recover_models(models, data.take(range(8)), ring(), repeats=2, seed=0, folds=2)
    assert found.names == ("one", "two", "each")
    assert set(found.counts) == {"held out", "one error", "bic", "aic"}
    for counts in found.counts.values():
        assert_array_equal(counts.sum(axis=1), [2, 2, 2])
    # One intention and a mixture fitted to data that switch are nearly the same model.
    assert_array_equal(found.counts["bic"][:2, :2], 2 * np.eye(2))
    assert_array_equal(found.counts["one error"][1], [0, 2, 0])
    assert found.accuracy("bic") >= 2 / 3
    with pytest.raises(InputError, match="no criterion 'best'"):
        found.accuracy("best")


def test_a_solver_of_one_intention_is_a_model_among_others():
    _, data = fitted()
    models = {"shares": CountTable(0), "two": Intentions(2, restarts=1)}
    found = recover_models(models, data.take(range(8)), ring(), repeats=1, seed=0, folds=2)
    for counts in found.counts.values():
        assert_array_equal(counts, np.eye(2))


def test_what_cannot_be_simulated_from_is_refused():
    _, data = fitted()
    with pytest.raises(InputError, match="does not say what is done in a state by itself"):
        recover_models({"table": CountTable(2)}, data, ring(), repeats=1, seed=0)
    many = {"one": Intentions(1), "many": Intentions(99, switching=Mixture())}
    with pytest.raises(InputError, match="many cannot be fitted to the data: 99 intentions"):
        recover_models(many, data, ring(), repeats=1, seed=0)
