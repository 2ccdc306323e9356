"""How many animals: against tables, and against whole experiments that are simulated and fitted."""

import numpy as np
import pytest

import inverseq as iq
from inverseq.evaluate.design import Design, Kind
from inverseq.evaluate.groups import compare_values
from inverseq.evaluate.power import chance_to_find, detectable
from strategies import random_mdp


def compared(values, kind=Kind.BETWEEN):
    """Of given numbers `[n, L]`, half of the animals in each group."""
    count = len(values)
    names = tuple(f"m{i}" for i in range(count))
    group = np.arange(count) % 2 if kind is Kind.BETWEEN else np.zeros(count, dtype=int)
    design = Design(kind, "subject", "genotype", names, ("a", "b"), group, np.zeros(count, int))
    return compare_values(design, values[:, :, None], ("x",), labellings=10)


def spread_of(deviation, count=40):
    """Numbers of two groups whose pooled standard deviation is exactly this."""
    values = np.repeat(np.linspace(-1, 1, count // 2), 2)
    free = count - 2
    return (values * deviation / np.sqrt((values**2).sum() / free))[:, None]


@pytest.mark.parametrize(("effect", "animals"), [(0.5, 64), (0.8, 26), (0.2, 394)])
def test_numbers_are_those_of_the_tables(effect, animals):
    """Cohen 1988, table 2.4.1."""
    found = iq.animals_needed(compared(spread_of(2.0)), 2 * effect)
    assert found.spread == pytest.approx(2.0)
    assert found.needed == animals
    assert found.needed_most > animals
    assert detectable(animals, animals) == pytest.approx(effect, rel=0.012)


def test_pairs_need_half_of_that_and_less():
    rng = np.random.default_rng(0)
    values = np.stack([np.zeros(20), rng.normal(size=20)], axis=1)
    values[:, 1] *= 1 / values[:, 1].std(ddof=1)
    found = iq.animals_needed(compared(values, Kind.WITHIN), 0.5)
    assert (found.within, found.needed) == (True, 34)
    assert "34 animals;" in found.text


def test_correction_and_power_cost_animals():
    made = compared(spread_of(1.0))
    plain = iq.animals_needed(made, 0.8)
    assert iq.animals_needed(made, -0.8).needed == plain.needed
    assert iq.animals_needed(made, 0.8, comparisons=10).needed > plain.needed
    assert iq.animals_needed(made, 0.8, power=0.95).needed > plain.needed
    assert (np.diff(plain.power) > 0).all()
    assert (plain.low <= plain.power).all()
    assert (plain.power <= plain.high).all()
    assert iq.animals_needed(made, 1e-3).needed is None
    assert "More than 10,000 animals of each group" in iq.animals_needed(made, 1e-3).text
    assert len(plain.to_pandas()) == len(plain.sizes)


@pytest.mark.parametrize(
    "asked", [{"difference": 0.0}, {"difference": 1.0, "power": 1.0}, {"contrast": "y"}]
)
def test_what_has_no_answer_is_refused(asked):
    with pytest.raises(iq.InputError):
        iq.animals_needed(compared(spread_of(1.0)), **{"difference": 1.0} | asked)


def test_whole_experiments_find_it_as_often_as_foretold():
    """Cohorts are simulated, each animal fitted, groups compared: the share that is found."""
    mdp = random_mdp(np.random.default_rng(5), 4, 3, terminals=False, features=2, discount=0.7)
    animals, weight = 8, np.array([1.0, 0.0])
    spreads, gaps, found = [], [], []
    for repeat in range(40):
        rng = np.random.default_rng(repeat)
        weights = np.array([0.5, -0.5]) + 0.4 * rng.normal(size=(2 * animals, 2))
        weights[1::2, 0] += 0.8
        total = np.zeros((2 * animals, *mdp.allowed.shape))
        for i, own in enumerate(weights):
            reward = np.where(mdp.allowed, mdp.features @ own, 0.0)
            policy = iq.forward.soft_policy_iteration(mdp, reward).policy
            visits = rng.multinomial(100, np.full(mdp.num_states, 1 / mdp.num_states))
            total[i] = [rng.multinomial(n, p) for n, p in zip(visits, policy, strict=True)]
        model = iq.MaxEnt("features", strength=0.1)
        whole = iq.fit(iq.Counts(total.sum(axis=0)), model, mdp)
        made = model.refit(np.moveaxis(total, 0, 2), whole)
        result = compared((made.parameters["weights"] @ weight)[:, None])
        spreads.append(iq.animals_needed(result, 1.0).spread)
        gaps.append(result["x"].difference)
        found.append(result["x"].low > 0 or result["x"].high < 0)
    foretold = chance_to_find(
        np.mean(gaps) / np.sqrt(np.mean(np.square(spreads))), animals, animals
    )
    assert 0.5 < foretold < 0.98
    assert np.mean(found) == pytest.approx(foretold, abs=0.15)
