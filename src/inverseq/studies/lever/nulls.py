"""Part "nulls": how often a relation is claimed of neurons that belong to another session."""

from functools import partial
from typing import Any

import numpy as np

from inverseq.inverse.fit import fit
from inverseq.inverse.values.iavi import IAVI
from inverseq.neural.activity import Window, activity_of
from inverseq.neural.relating import read_out, relate
from inverseq.neural.series import Regressors, regressors
from inverseq.studies.lever import Settings
from inverseq.studies.run import Result
from inverseq.studies.shapes import plain
from inverseq.studies.study import Effort
from inverseq.worlds import Neurons, Rat, lever, lever_session

_TRIALS = 60
_LATELY = 100
"""Decisions over which a slow regressor is taken."""
LEVEL = 0.05
KINDS = ("shifted", "of another session", "of another session, both drift")


def run(settings: Settings, effort: Effort) -> Result:
    """Sessions whose neurons have nothing to do with their decisions."""
    work = partial(judged, shuffles=min(settings.shuffles, 199))
    tasks = [(kind, effort.seed + n) for kind in KINDS for n in range(settings.sessions)]
    done = effort.each("sessions", work, tasks)
    rows = []
    for number, kind in enumerate(KINDS):
        mine = done[number * settings.sessions : (number + 1) * settings.sessions]
        row: dict[str, Any] = {"neurons": kind, "sessions": settings.sessions}
        for name in mine[0]:
            row[name] = float(np.mean([each[name] for each in mine]))
        rows.append(plain(row))
    told = tuple(
        f"Neurons {row['neurons']}: of {settings.sessions} sessions anything is claimed in "
        f"{row['encoding, any']:.1%} (encoding) and {row['decoding, any']:.1%} (decoding); single "
        f"relations below 0.05 {row['encoding, each']:.1%}; plain correlations {row['plain']:.0%}, "
        f"with the slow regressor {row['plain, slow']:.0%}."
        for row in rows
    )
    return Result({"nulls": rows}, {}, told)


def judged(kind: str, seed: int, *, shuffles: int) -> dict[str, float]:
    """Share of relations called clear in one session, by statistic."""
    world = lever()
    drifts = kind.endswith("drift")
    rat = Rat(gives_up=0.6 if drifts else 0.0)
    neurons = Neurons(each=2, drift=0.8 if drifts else 0.2)
    here = lever_session(rat, _TRIALS, seed=2 * seed, neurons=neurons, world=world)
    other = here if kind == "shifted" else _another(rat, neurons, seed, world)
    behaviour = here.demonstrations
    series = regressors(fit(behaviour, IAVI(backup="soft"), world.mdp), behaviour)
    chosen = {name: series.series[name] for name in ("value", "surprise")}
    surprise = np.concatenate([np.zeros(_LATELY - 1), chosen["surprise"]])
    chosen["surprise of late"] = np.convolve(surprise, np.full(_LATELY, 1 / _LATELY), "valid")
    if kind == "shifted":
        move = int(np.random.default_rng(seed).integers(len(chosen["value"])))
        chosen = {name: np.roll(values, move) for name, values in chosen.items()}
    wanted = Regressors(chosen, behaviour.time)
    how: dict[str, Any] = {"shuffles": shuffles, "seed": seed}
    found = relate(other.recording, wanted, behaviour, **how)
    told = read_out(other.recording, wanted, behaviour, **how)
    counts = activity_of(other.recording, behaviour, Window()).values[:, :, 0]
    plain_r = np.corrcoef(counts.T, np.stack([*chosen.values()]))[: counts.shape[1], -len(chosen) :]
    return {
        "encoding, any": float(found.adjusted.min() <= LEVEL),
        "encoding, each": float((found.p_values <= LEVEL).mean()),
        "decoding, any": float(told.adjusted.min() <= LEVEL),
        "decoding, each": float((told.p_values <= LEVEL).mean()),
        "plain": float((np.abs(plain_r) > 1.96 / np.sqrt(len(counts))).mean()),
        "plain, slow": float((np.abs(plain_r[:, -1]) > 1.96 / np.sqrt(len(counts))).mean()),
    }


def _another(rat: Rat, neurons: Neurons, seed: int, world: Any) -> Any:
    """A session that has nothing to do with the first, and lasts longer."""
    return lever_session(rat, 2 * _TRIALS, seed=2 * seed + 1, neurons=neurons, world=world)
