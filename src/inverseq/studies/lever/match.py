"""Part "match": the reward recovered, and who foretells the release, trial by trial."""

from typing import Any

import numpy as np

from inverseq import plot
from inverseq.evaluate.rewards import reward_correlation
from inverseq.inverse.fit import fit
from inverseq.inverse.values.iavi import IAVI, inverse_action_values
from inverseq.neural.embedding import embed
from inverseq.neural.foretell import NeuRL
from inverseq.neural.matching import Match, paired
from inverseq.neural.readout import Readout
from inverseq.neural.searching import METHODS, Found, search
from inverseq.neural.trials import Waiting, waiting
from inverseq.studies.lever import Settings
from inverseq.studies.run import Result
from inverseq.studies.shapes import plain
from inverseq.studies.study import Effort
from inverseq.worlds import LeverSession, Neurons, Rat, lever, lever_policy, lever_session

_OFTEN = 20
"""Visits of a state from which on its reward is compared."""


def run(settings: Settings, effort: Effort) -> Result:
    """All methods at each signal and length of a session."""
    world, rat = lever(), Rat()
    rows, rewards, found, last, session = [], [], None, None, None
    for signal in settings.signals:
        for trials in settings.trials:
            session = lever_session(
                rat, trials, seed=effort.seed, neurons=Neurons(signal=signal), world=world
            )
            last = waiting(session.demonstrations, session.recording, world.mdp, "release")
            found = search(
                last,
                configurations=settings.configurations,
                folds=settings.folds,
                seed=effort.seed,
                jobs=effort.workers,
                keep=settings.keep or None,
                progress=effort.progress,
            )
            rows += _rows(found, signal, trials)
            if signal == settings.signals[0]:
                rewards.append(_reward(session, rat, trials))
    assert found is not None  # there is a signal
    assert last is not None
    assert session is not None
    return Result(
        {"methods": rows, "rewards": rewards},
        {"methods": _methods(found), "trials": _trials(last), "raster": _raster(session, world)},
        _sentences(rows, rewards, settings),
    )


def _rows(found: Found, signal: float, trials: int) -> list[dict[str, Any]]:
    """One line per method: means and spreads over folds, and by how much NeuRL is ahead."""
    rows = []
    for method in METHODS:
        row: dict[str, Any] = {"signal": signal, "trials": trials, "method": method}
        for score in Match._fields:
            values = found.of(method, score)
            row[score], row[f"{score}_spread"] = values.mean(), values.std(ddof=1)
        for score in ("exact", "near_1", "gain"):
            gap = paired(found.of("NeuRL", score), found.of(method, score))
            row |= {f"ahead_{score}": gap.mean, f"low_{score}": gap.low, f"high_{score}": gap.high}
        rows.append(plain(row))
    return rows


def _reward(session: LeverSession, rat: Rat, trials: int) -> dict[str, Any]:
    """How the intrinsic reward that was found correlates with that of the rat's true policy."""
    world = lever()
    truth = inverse_action_values(lever_policy(rat, world).clip(1e-9), world.mdp, backup="soft")
    made = fit(session.demonstrations, IAVI(backup="soft"), world.mdp)
    assert made.visits is not None  # IAVI counts
    assert made.reward is not None  # and finds one
    visits = np.where(made.visits >= _OFTEN, made.visits, 0.0)
    row: dict[str, Any] = {"trials": trials, "states": int((visits > 0).sum())}
    for name in ("within-state", "shaping"):
        row[name] = reward_correlation(
            world.mdp, made.reward, truth.reward, equivalence=name, visits=visits
        )
    return plain(row)


def _methods(found: Found) -> Any:
    """Matches within a step, a dot per fold."""
    figure, (ax,) = plot.canvas(5.2, 2.8)
    scores = np.stack([found.of(method) for method in METHODS])
    plot.by_fold(METHODS, scores, unit="releases foretold within 0.1 s (share of trials)", ax=ax)
    return figure


def _trials(data: Waiting) -> Any:
    """Trials as points, by principal components and by the latent layer of NeuRL."""
    fitted = NeuRL(readout=Readout(30.0, 3), own=0.9).prepare(data)
    figure, axes = plot.canvas(7.2, 3.0, columns=2)
    late = data.happened >= np.median(data.happened)
    for ax, method in zip(axes, (None, fitted), strict=True):
        made = embed(data, 0.5, 1.5, fitted=method)
        plot.embedding(
            made.points,
            data.happened * data.step,
            groups=late.astype(np.int64),
            names=("released early", "prepared"),
            ax=ax,
        )
    axes[0].set_title("principal components")
    axes[1].set_title("latent layer of NeuRL")
    return figure


def _raster(session: LeverSession, world: Any) -> Any:
    """One rewarded trial with all its neurons and what holding is worth."""
    demos = session.demonstrations
    chosen = int(np.argmax(demos.trajectories["outcome"] == "treat"))
    rows = slice(demos.starts[chosen], demos.starts[chosen + 1])
    press = float(demos.trajectories["press"][chosen])
    made = fit(demos, IAVI(backup="soft"), world.mdp)
    assert made.v is not None  # IAVI finds it
    assert demos.time is not None  # the lever has a clock
    low, high = press - 0.5, float(demos.trajectories["release"][chosen]) + 0.7
    shown = [session.recording.unit(u) for u in range(session.recording.num_units)]
    figure, (ax,) = plot.canvas(5.6, 4.2)
    plot.raster(
        [unit[(unit >= low) & (unit < high)] - press for unit in shown],
        values=np.asarray(made.v)[demos.states[rows]],
        times=np.asarray(demos.time)[rows] - press,
        name="value of the state",
        events={
            name: float(demos.trajectories[name][chosen]) - press
            for name in ("press", "cue", "release")
        },
        ax=ax,
    )
    return figure


def _sentences(
    rows: list[dict[str, Any]], rewards: list[dict[str, Any]], settings: Settings
) -> tuple[str, ...]:
    """Where NeuRL is ahead, and how the reward is recovered."""
    told = []
    for signal in settings.signals:
        lines = [r for r in rows if r["signal"] == signal and r["trials"] == settings.trials[-1]]
        ours = next(r for r in lines if r["method"] == "NeuRL")
        others = "; ".join(
            f"{r['method']} {r['near_1']:.2f} (ahead {r['ahead_near_1']:+.2f}, "
            f"{r['low_near_1']:+.2f} to {r['high_near_1']:+.2f})"
            for r in lines
            if r["method"] != "NeuRL"
        )
        told.append(
            f"Signal {signal:g}, {settings.trials[-1]:,} trials, released within a step of what "
            f"was foretold: NeuRL {ours['near_1']:.2f}; {others}."
        )
    best = rewards[-1]
    told.append(
        f"With {best['trials']:,} trials the reward correlates with the true one by "
        f"{best['within-state']:.2f} (its differences within states), {best['shaping']:.2f} "
        "(all that behaviour settles)."
    )
    return tuple(told)
