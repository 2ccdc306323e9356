from dataclasses import replace

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from inverseq._core.errors import InputError
from inverseq.evaluate.choice import criteria, simplest_within_error
from inverseq.evaluate.choose_intentions import choose_intentions, fold_agreement
from inverseq.evaluate.comparison import Comparison, Result
from inverseq.evaluate.likelihood import Difference, Score, difference, log_likelihood
from inverseq.intentions.solver import Intentions
from inverseq.intentions.switching import Markov, Mixture
from inverseq.inverse.fit import fit
from wishes import fitted, ring


@pytest.fixture(scope="module")
def choice():
    _, data = fitted()
    return choose_intentions(data, ring(), seed=0, ks=(3, 1, 2), folds=3, restarts=2)


def test_the_number_that_made_the_data_is_chosen(choice):
    _, data = fitted()
    assert choice.chosen == "k=2"
    assert [a.name for a in choice.alternatives] == ["k=1", "k=2", "k=3"]
    assert choice.solution is choice[2].solution
    assert choice.sentence.startswith("Choose k=2: ")
    assert "BIC agrees" in choice.sentence
    by_hand = [
        log_likelihood(fit(train, Intentions(2, restarts=2), ring()), test)
        for train, test in data.fold(3, seed=0)
    ]
    assert_array_equal(choice["k=2"].score.sums, np.concatenate([s.sums for s in by_hand]))
    assert choice[2].to_fewer == difference(choice[2].score, choice[1].score)
    assert choice[1].to_fewer is None
    assert choice[1].to_best.mean < 0


def test_what_speaks_for_each_is_of_the_fit_to_all(choice):
    _, data = fitted()
    one = choice[2]
    assert_allclose(one.solution.log_likelihood, log_likelihood(one.solution, data).sums.sum())
    lack = -2 * one.solution.log_likelihood
    assert_allclose(one.bic, lack + one.solution.num_parameters * np.log(720))
    assert_allclose(one.aic, lack + 2 * one.solution.num_parameters)
    assert criteria(one.solution.log_likelihood, one.solution.num_parameters, 720) == (
        one.bic,
        one.aic,
    )
    assert one.restart_agreement > 0.95
    assert one.fold_agreement > 0.9
    assert one.empty == 0
    assert choice[1].fold_agreement == 1
    assert [row["chosen"] for row in choice.rows] == ["", "yes", ""]
    assert choice.rows[1]["nats"] == one.score.mean


def test_units_that_all_gain_alike_have_no_error_to_count_in(choice):
    assert " errors)" in choice.sentence
    alike = replace(choice[2], to_fewer=Difference(0.1, 0.0, 720, 12))
    found = replace(choice, alternatives=(choice[1], alike, choice[3]))
    assert "Against one step fewer: +0.1000 ± 0.0000 nats per decision. k=3 adds" in found.sentence


def test_folds_that_find_the_same_agree_whatever_the_labels(choice):
    solution, data = fitted()
    assert fold_agreement([solution, solution], data) == 1
    assert np.isnan(fold_agreement([solution], data))


def test_laws_and_histories_have_names_and_what_fails_says_so():
    _, data = fitted()
    laws = {"switching": Markov(), "one each": Mixture()}
    found = choose_intentions(
        data.take(range(6)),
        ring(),
        seed=0,
        ks=(1, 5),
        switching=laws,
        histories=(1, 2),
        folds=2,
        restarts=1,
        max_steps=60,
        agreements=False,
    )
    assert [a.name for a in found.alternatives][:2] == [
        "k=1, switching, history 1",
        "k=5, switching, history 1",
    ]
    assert len(found.alternatives) == 8
    failed = found["k=5, one each, history 1"]
    assert "5 intentions are too many for 3 trajectories" in failed.failure
    assert failed.score is None
    assert np.isnan(failed.fold_agreement)
    assert found["k=1, one each, history 2"].to_fewer is None
    with pytest.raises(InputError, match="no single 1"):
        found[1]
    with pytest.raises(InputError, match="one number of intentions"):
        choose_intentions(data, ring(), seed=0, ks=())


def made_up(sums: dict[str, list[float]], parameters: dict[str, float]) -> Comparison:
    """A comparison with these scores of units of one decision each."""
    results = []
    for name, values in sums.items():
        ones = np.ones(len(values))
        score = Score("trajectory", np.array(values), ones, 0 * ones, -ones, ones)
        fits = np.full(1, parameters[name])
        results.append(Result(name, score, np.zeros(1), fits, np.zeros(1)))
    best = max(sums, key=lambda name: np.mean(sums[name]))
    return Comparison(tuple(results), best, {}, "trajectory", 1, 0, 0)


def test_the_simplest_within_one_error_of_the_difference_is_chosen():
    size = {"small": 1.0, "middle": 5.0, "large": 9.0}
    far = [-2.0, -2.1, -1.9, -2.0]
    best = [-1.0, -0.5, -1.5, -1.0]
    # Units differ much, but these two do not differ on any: the paired error is small.
    close = [value - 0.01 for value in best]
    noisy = [-1.01 + 0.3, -0.51 - 0.3, -1.51 + 0.3, -1.01 - 0.3]
    assert simplest_within_error(made_up({"small": far, "large": best}, size)) == "large"
    chosen = simplest_within_error(made_up({"small": far, "middle": close, "large": best}, size))
    assert chosen == "large"
    chosen = simplest_within_error(made_up({"small": far, "middle": noisy, "large": best}, size))
    assert chosen == "middle"
    assert simplest_within_error(made_up({"small": [-2.0], "large": [-1.0]}, size)) == "large"
