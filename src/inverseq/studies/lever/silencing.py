"""Part "silencing": what is foretold of silenced neurons, against what the rat would do."""

from itertools import product
from typing import Any

import numpy as np

from inverseq import plot
from inverseq.neural.foretell import Classifier, Inputs, NeuRL
from inverseq.neural.matching import choose_reading
from inverseq.neural.readout import Readout
from inverseq.neural.silencing import effect_of_means, foretold_distribution, silenced
from inverseq.neural.trials import waiting
from inverseq.studies.lever import Settings
from inverseq.studies.run import Result
from inverseq.studies.shapes import plain
from inverseq.studies.study import Effort
from inverseq.worlds import (
    Neurons,
    Rat,
    lever,
    lever_policy,
    lever_session,
    release_distribution,
)

DOSES = (0.05, 0.1, 0.2, 0.3, 0.5)
SHOWN = ("preparation", "movement", "untuned")
TOLD_BY = ("trials", "means")
"""Silenced in the record of each trial, or by the means of steps."""
_DRAWN = 0.2


def run(settings: Settings, effort: Effort) -> Result:
    """Doses for each population, signal and method."""
    world, rat = lever(), Rat()
    trials = max(settings.trials)
    usual = release_distribution(lever_policy(rat, world))
    rows, curves, truths, pooled = [], {}, {}, []
    middle = settings.signals[len(settings.signals) // 2]
    for number, signal in enumerate(settings.signals):
        effort.say("signals", number, len(settings.signals))
        neurons = Neurons(signal=signal)
        session = lever_session(rat, trials, seed=effort.seed, neurons=neurons, world=world)
        data = waiting(session.demonstrations, session.recording, world.mdp, "release")
        learn, check = (data.take(np.arange(trials)[n::2]) for n in range(2))
        population = session.recording.units["population"]
        doses = DOSES[2:3] if effort.small else DOSES
        truth = {
            (kind, dose): release_distribution(
                lever_policy(rat, world, neurons.silence(kind, dose))
            )
            for kind in SHOWN
            for dose in doses
        }
        for name, method in _methods().items():
            fitted = method.prepare(learn)
            reading = choose_reading(fitted.foretell(check), check)
            base = foretold_distribution(fitted, reading, check)
            for kind, told_by in product(SHOWN, TOLD_BY):
                units, changes = population == kind, []
                for dose in doses:
                    if told_by == "means":
                        moved = effect_of_means(data, units, dose)
                        told = foretold_distribution(fitted, reading, check, moved)
                    else:
                        less = silenced(check, units, dose)
                        told = foretold_distribution(fitted, reading, less)
                    true = truth[kind, dose]
                    change = told - base, true - usual
                    changes.append(change)
                    row = {"signal": signal, "method": name, "population": kind, "dose": dose}
                    row |= {"told_by": told_by} | _compared(*change, world)
                    rows.append(plain(row))
                    if (signal, name, dose, told_by) == (middle, "NeuRL", _DRAWN, "means"):
                        curves[f"{kind}, {dose:.0%} less"] = told[:-1]
                        truths[f"{kind}, {dose:.0%} less"] = true[:-1]
                whole = [
                    np.cumsum(np.array(each), axis=1).ravel() for each in zip(*changes, strict=True)
                ]
                row = {"signal": signal, "method": name, "population": kind, "told_by": told_by}
                pooled.append(plain(row | {"correlation": _correlation(*whole)}))
            if signal == middle and name == "NeuRL":
                curves = {"as recorded": base[:-1], **curves}
                truths = {"as recorded": usual[:-1], **truths}
    effort.say("signals", len(settings.signals), len(settings.signals))
    figure, (ax,) = plot.canvas(5.6, 3.2)
    marks = {"cue": world.settings["cue"]}
    plot.act_times(curves, world.settings["width"], truth=truths, marks=marks, ax=ax)
    tables = {"doses": rows, "curves": pooled}
    return Result(tables, {"silencing": figure}, _sentences(rows, pooled, middle))


def _methods() -> dict[str, Any]:
    """NeuRL and a classifier, both with a clock."""
    readout, inputs = Readout(100.0), Inputs(clock=True)
    return {
        "NeuRL": NeuRL(readout=readout, inputs=inputs, own=0.99),
        "LR and clock": Classifier(readout, inputs),
    }


def _compared(told: np.ndarray, true: np.ndarray, world: Any) -> dict[str, float]:
    """Changes of the distribution of releases: correlations of its bins and of the share released
    so far, sizes, and shifts of the mean.
    """
    time = np.arange(len(told)) * world.settings["width"]
    return {
        "correlation": _correlation(told, true),
        "correlation_so_far": _correlation(np.cumsum(told), np.cumsum(true)),
        "foretold_change": float(np.abs(told).sum() / 2),
        "true_change": float(np.abs(true).sum() / 2),
        "foretold_shift": float(told @ time),
        "true_shift": float(true @ time),
    }


def _correlation(told: np.ndarray, true: np.ndarray) -> float:
    """NaN where nothing changes in truth."""
    return float(np.corrcoef(told, true)[0, 1]) if np.abs(true).sum() > 1e-9 else float("nan")


def _sentences(
    rows: list[dict[str, Any]], pooled: list[dict[str, Any]], middle: float
) -> tuple[str, ...]:
    """Correlations at the middle signal."""
    told = []
    for whole in pooled:
        where = {name: whole[name] for name in ("signal", "method", "population", "told_by")}
        if (where["signal"], where["method"]) != (middle, "NeuRL"):
            continue
        mine = [row for row in rows if where.items() <= row.items()]
        doses = "; ".join(
            f"{r['dose']:.0%}: "
            + ("" if r["correlation"] is None else f"r = {r['correlation']:.2f}, ")
            + f"mean release {r['foretold_shift']:+.2f} s (true {r['true_shift']:+.2f})"
            for r in mine
        )
        curve = "" if whole["correlation"] is None else f", r = {whole['correlation']:.2f} in all"
        told.append(
            f"NeuRL at signal {middle:g}, {where['population']} neurons, told by "
            f"{where['told_by']}{curve}: {doses}."
        )
    return tuple(told)
