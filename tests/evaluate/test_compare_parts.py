"""Errors over worlds and subjects, novel trajectories apart, and what is left of a stopped run."""

from dataclasses import replace

import numpy as np
import pytest

import inverseq as iq
from inverseq._core.errors import Stopped
from inverseq.evaluate import compare as module
from inverseq.evaluate.likelihood import ratio_error


def walks(worlds=4, subjects=5, seed=0):
    """Three decisions of each subject in each world; at random, a few of them alike."""
    rng = np.random.default_rng(seed)
    trips = worlds * subjects
    return iq.Demonstrations.from_arrays(
        rng.integers(0, 3, 3 * trips),
        rng.integers(0, 2, 3 * trips),
        trajectory=np.repeat(np.arange(trips), 3),
        trajectories={
            "world": np.repeat([f"w{k}" for k in range(worlds)], subjects),
            "subject": np.tile([f"s{k}" for k in range(subjects)], worlds),
        },
        decisions={"kind": rng.integers(0, 3, 3 * trips)},
    )


TABLE = iq.ColumnTable(("kind",), concentrations=(2.0,))
CANDIDATES = {"shares": iq.CountTable(0), "table": TABLE, "more": iq.ColumnTable(("kind",))}


def one_by_one(data, folds, by):
    """Log-probability of every decision, in the order of the table, and in which fold it was."""
    logs, fold = np.zeros(data.num_decisions), np.zeros(data.num_decisions, dtype=int)
    marks = np.arange(data.num_trajectories)
    marked = replace(data, trajectories={**data.trajectories, "mark": marks})
    for number, (train, test) in enumerate(marked.fold(folds, by=by, seed=0)):
        rows = np.isin(data.trajectory_of, test.trajectories["mark"])
        logs[rows] = iq.fit(train, TABLE).log_likelihoods(test)
        fold[rows] = number
    return logs, fold


@pytest.mark.parametrize(("by", "other"), [("world", "subject"), ("subject", "world")])
def test_errors_go_over_worlds_and_over_subjects(by, other):
    data = walks()
    made = iq.compare(data, CANDIDATES, folds=2, by=by, reference="shares")
    logs, _ = one_by_one(data, 2, by)
    for unit, score in ((by, made["table"].score), (other, made["table"].over[other])):
        of = data.units(unit)[data.trajectory_of]
        error = ratio_error(np.bincount(of, logs), np.bincount(of).astype(float))
        assert score.standard_error == pytest.approx(error)
        assert score.mean == pytest.approx(logs.mean())
    row = next(row for row in made.rows if row["name"] == "table")
    assert row[f"error_over_{other}"] == made["table"].over[other].standard_error
    assert row[f"difference_error_over_{other}"] > 0
    assert f"error_over_{by}" not in row


def test_where_neither_is_held_out_nothing_is_added():
    made = iq.compare(walks(), CANDIDATES, folds=2)
    assert not made["table"].over
    assert "error_over_subject" not in made.rows[0]


def test_trajectories_that_repeat_training_ones_are_left_out_of_novel():
    data = walks(worlds=1, subjects=120)
    made = iq.compare(data, CANDIDATES, folds=3, by="subject", reference="shares")
    logs, fold = one_by_one(data, 3, "subject")
    ways = [
        (*data.states[a:b], *data.actions[a:b])
        for a, b in zip(data.starts[:-1], data.starts[1:], strict=True)
    ]
    of = fold[data.starts[:-1]]
    novel = np.array(
        [
            way not in {other for other, k in zip(ways, of, strict=True) if k != mine}
            for way, mine in zip(ways, of, strict=True)
        ]
    )
    assert 0 < novel.sum() < novel.size
    score, rows = made["table"].novel, novel[data.trajectory_of]
    assert score.num_decisions == 3 * novel.sum()
    assert score.mean == pytest.approx(logs[rows].mean())
    assert made.rows[0]["novel_nats"] == made[made.rows[0]["name"]].novel.mean
    # The same ways in another world are no repetition, and single decisions are none.
    names = np.array([f"w{k}" for k in of])
    apart = iq.concatenate([
        iq.Demonstrations.from_arrays(
            data.states[rows], data.actions[rows], trajectory=data.trajectory_of[rows],
            trajectories={"world": [name] * int((names == name).sum())},
            decisions={"kind": data.decisions["kind"][rows]},
        )
        for name in ("w0", "w1", "w2")
        for rows in [np.isin(data.trajectory_of, np.flatnonzero(names == name))]
    ])  # fmt: skip
    assert iq.compare(apart, CANDIDATES, folds=3, by="world")["table"].novel is None
    single = iq.Demonstrations.from_arrays([0] * 9, [0, 1, 0] * 3, trajectory=np.arange(9))
    assert iq.compare(single, CANDIDATES, folds=3)["shares"].novel is None


class Interrupted:
    """A solver that somebody interrupts, after some fits."""

    def __init__(self, monkeypatch, after):
        self.left, self.fit = after, module.fit
        monkeypatch.setattr(module, "fit", self)

    def __call__(self, *given):
        if not self.left:
            raise KeyboardInterrupt
        self.left -= 1
        return self.fit(*given)


@pytest.mark.parametrize(("after", "folds", "scored"), [(7, 2, 3), (2, 1, 2)])
def test_what_came_out_before_it_was_stopped_is_told(monkeypatch, after, folds, scored):
    data = walks()
    whole = iq.compare(data, CANDIDATES, folds=4, by="world")
    Interrupted(monkeypatch, after)
    with pytest.raises(Stopped) as stop:
        iq.compare(data, CANDIDATES, folds=4, by="world")
    partial = stop.value.partial
    assert (stop.value.done, stop.value.total) == (after, 12)
    assert partial.folds == folds
    assert sum(result.score is not None for result in partial.results) == scored
    for result in partial.results[:scored]:
        np.testing.assert_allclose(result.fold_means, whole[result.name].fold_means[:folds])
        assert result.score.num_decisions == 15 * folds
    assert all("stopped" in result.failure for result in partial.results[scored:])


def test_what_was_kept_is_not_fitted_again(monkeypatch, tmp_path):
    data, whole = walks(), iq.compare(walks(), CANDIDATES, folds=4, by="world")
    told = {"folds": 4, "by": "world", "keep": tmp_path}
    with monkeypatch.context() as patched:
        Interrupted(patched, 7)
        with pytest.raises(Stopped):
            iq.compare(data, CANDIDATES, **told)
    with monkeypatch.context() as patched:
        rest = Interrupted(patched, 5)
        made = iq.compare(data, CANDIDATES, **told)
    assert rest.left == 0
    for result in made.results:
        np.testing.assert_array_equal(result.score.sums, whole[result.name].score.sums)


def test_stopped_before_anything_came_out_is_an_interruption(monkeypatch):
    Interrupted(monkeypatch, 0)
    with pytest.raises(KeyboardInterrupt) as stop:
        iq.compare(walks(), CANDIDATES, folds=4, by="world")
    assert not isinstance(stop.value, Stopped)
