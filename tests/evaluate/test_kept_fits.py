"""What was fitted is not fitted again: comparisons, the bootstrap and recovery from a folder."""

from dataclasses import dataclass, fields, is_dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from inverseq.evaluate.bootstrap import bootstrap
from inverseq.evaluate.choose_intentions import choose_intentions
from inverseq.evaluate.compare import compare, score_all
from inverseq.evaluate.comparison import Estimate
from inverseq.evaluate.confusion import recover_models
from inverseq.evaluate.recovery import recover_parameters
from inverseq.evaluate.transitions import switching_intervals
from inverseq.intentions.solver import Intentions
from inverseq.inverse.fit import fit
from inverseq.inverse.maxent.causal import MaxEnt
from inverseq.inverse.problem import Problem
from inverseq.inverse.tables.count_table import CountTable
from inverseq.inverse.values.iavi import IAVI
from strategies import play, random_mdp, random_policy


@dataclass(frozen=True)
class Noted:
    """A solver that leaves a line for every fit."""

    inner: Any
    log: str

    def solve(self, problem: Problem) -> Any:
        with open(self.log, "a", encoding="utf-8") as stream:
            stream.write("x")
        return self.inner.solve(problem)


def fits(noted: Noted) -> int:
    path = Path(noted.log)
    return len(path.read_text(encoding="utf-8")) if path.exists() else 0


def some_play(seed=0):
    rng = np.random.default_rng(seed)
    mdp = random_mdp(rng, 5, 3, terminals=False, discount=0.8)
    return mdp, play(rng, mdp, random_policy(rng, mdp), trajectories=8, length=15)


TIMES = ("seconds", "provenance")


def same(one, other):
    """Equal to the last bit, but for how long it took."""
    assert type(one) is type(other)
    if is_dataclass(one):
        for name in (f.name for f in fields(one) if f.name not in TIMES):
            same(getattr(one, name), getattr(other, name))
    elif isinstance(one, dict):
        assert one.keys() == other.keys()
        for key in one:
            same(one[key], other[key])
    elif isinstance(one, tuple | list):
        assert len(one) == len(other)
        for a, b in zip(one, other, strict=True):
            same(a, b)
    elif isinstance(one, np.ndarray):
        assert one.dtype == other.dtype
        assert one.tobytes() == other.tobytes()
    else:
        assert repr(one) == repr(other)


def test_a_comparison_goes_on_where_it_was(tmp_path):
    mdp, demos = some_play()
    noted = Noted(MaxEnt(strength=1.0), str(tmp_path / "log"))
    asked = {"folds": 4, "seed": 1, "keep_solutions": True}
    plain = compare(demos, {"maxent": noted.inner, "table": CountTable(1)}, mdp, **asked)
    keep = tmp_path / "kept"
    first = compare(demos, {"maxent": noted, "table": CountTable(1)}, mdp, keep=keep, **asked)
    assert fits(noted) == 4
    files = sorted(keep.iterdir())
    assert len(files) == 8
    for file in files[::2]:
        file.unlink()
    again = compare(
        demos, {"maxent": noted, "table": CountTable(1)}, mdp, keep=keep, jobs=2, **asked
    )
    assert sorted(keep.iterdir()) == files
    assert 4 <= fits(noted) <= 8
    before = fits(noted)
    last = compare(demos, {"maxent": noted, "more": CountTable(2)}, mdp, keep=keep, **asked)
    assert fits(noted) == before
    same(first, again)
    same(plain, first)
    same(last["maxent"], first["maxent"])


def test_another_fold_world_setting_or_datum_is_fitted(tmp_path):
    mdp, demos = some_play()
    noted = Noted(IAVI(), str(tmp_path / "log"))
    keep = tmp_path / "kept"
    asked = {"folds": 2, "keep": keep}
    count = 0
    for data, solver, world, more in (
        (demos, noted, mdp, {}),
        (demos, noted, mdp, {"seed": 3}),
        (demos, noted, mdp, {"from_step": 1}),
        (demos, noted, mdp, {"keep_solutions": True}),
        (demos, noted, Estimate(0.8), {}),
        (demos, noted, Estimate(0.9), {}),
        (demos, Noted(IAVI(smoothing=0.25), noted.log), mdp, {}),
        (demos.take(range(7)), noted, mdp, {}),
    ):
        compare(data, {"iavi": solver}, world, **{**asked, **more})
        count += 2
        assert fits(noted) == count
    compare(demos, {"iavi": noted}, mdp, **asked)
    assert fits(noted) == count


def test_a_failure_is_kept_like_a_fit(tmp_path):
    mdp, demos = some_play()
    few = {"wild": MaxEnt(strength=1.0, max_steps=1, tolerance=1e-12), "table": CountTable(1)}
    first = compare(demos, few, mdp, folds=2, keep=tmp_path)
    again = compare(demos, few, mdp, folds=2, keep=tmp_path)
    assert first["wild"].failure
    same(first, again)


@pytest.mark.parametrize("contrast", [False, True])
def test_a_bootstrap_goes_on_where_it_was(tmp_path, contrast):
    mdp, demos = some_play()
    noted = Noted(MaxEnt(strength=1.0), str(tmp_path / "log"))
    asked = {"seed": 3, "contrasts": {"c": np.ones((5, 3))} if contrast else None}
    other = Noted(noted.inner, str(tmp_path / "other"))
    plain = bootstrap(demos, other, mdp, replicates=6, jobs=1, **asked)
    keep = tmp_path / "kept"
    bootstrap(demos, noted, mdp, replicates=4, keep=keep, jobs=1, **asked)
    assert fits(noted) == 5  # the fit to all data, and four
    made = bootstrap(demos, noted, mdp, replicates=6, keep=keep, jobs=1, **asked)
    assert fits(noted) == 5 + 3
    for name in ("rewards", "parameters", "contrasts", "converged"):
        same(getattr(made, name), getattr(plain, name))
    iavi = bootstrap(demos, IAVI(), mdp, replicates=6, keep=keep, **asked)
    same(iavi, bootstrap(demos, IAVI(), mdp, replicates=6, keep=keep, **asked))
    same(iavi, bootstrap(demos, IAVI(), mdp, replicates=6, **asked))


def test_recovery_goes_on_where_it_was(tmp_path):
    mdp, demos = some_play()
    noted = Noted(IAVI(), str(tmp_path / "log"))
    truth = fit(demos, IAVI(), mdp)
    keep = tmp_path / "kept"
    plain = recover_parameters(truth, IAVI(), demos, repeats=3, seed=2)
    recover_parameters(truth, noted, demos, repeats=2, seed=2, keep=keep)
    assert fits(noted) == 2
    # Fitted once more, it is the same truth.
    truth = fit(demos, IAVI(), mdp)
    made = recover_parameters(truth, noted, demos, repeats=3, seed=2, keep=keep)
    assert fits(noted) == 3
    same(made, plain)


def test_intentions_are_kept(tmp_path):
    mdp, demos = some_play()
    settings = Intentions(2, restarts=1, max_steps=200)
    models = {"one": Intentions(1), "two": settings}
    solution = fit(demos, settings, mdp, accept_failure=True)
    for ask in (
        lambda **k: choose_intentions(demos, mdp, seed=0, ks=(1, 2), folds=2, restarts=1, **k),
        lambda **k: switching_intervals(solution, settings, demos, seed=0, replicates=3, **k),
        lambda **k: score_all(demos, demos, models, mdp, keep_solutions=True, **k),
        lambda **k: recover_models(models, demos, mdp, repeats=1, seed=0, folds=2, **k),
    ):
        plain, first = ask(), ask(keep=tmp_path)
        files = sorted(tmp_path.iterdir())
        again = ask(keep=tmp_path)
        assert sorted(tmp_path.iterdir()) == files
        same(plain, first)
        same(first, again)
