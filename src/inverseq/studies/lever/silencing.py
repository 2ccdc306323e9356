"""Part "silencing": what is foretold of silenced neurons, against what the rat would do."""

from typing import Any

import numpy as np

from inverseq import plot
from inverseq.neural.foretell import Classifier, Inputs, NeuRL
from inverseq.neural.matching import choose_reading
from inverseq.neural.readout import Readout
from inverseq.neural.silencing import foretold_distribution, silenced
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
_DRAWN = 0.2


def run(settings: Settings, effort: Effort) -> Result:
    """Doses for each population, signal and method."""
    world, rat = lever(), Rat()
    trials = max(settings.trials)
    usual = release_distribution(lever_policy(rat, world))
    rows, curves, truths = [], {}, {}
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
            for kind in SHOWN:
                for dose in doses:
                    less = silenced(check, population == kind, dose)
                    told = foretold_distribution(fitted, reading, less)
                    true = truth[kind, dose]
                    row = {"signal": signal, "method": name, "population": kind, "dose": dose}
                    rows.append(plain(row | _compared(told - base, true - usual, world)))
                    if signal == middle and name == "NeuRL" and dose == _DRAWN:
                        curves[f"{kind}, {dose:.0%} less"] = told[:-1]
                        truths[f"{kind}, {dose:.0%} less"] = true[:-1]
            if signal == middle and name == "NeuRL":
                curves = {"as recorded": base[:-1], **curves}
                truths = {"as recorded": usual[:-1], **truths}
    effort.say("signals", len(settings.signals), len(settings.signals))
    figure, (ax,) = plot.canvas(5.6, 3.2)
    marks = {"cue": world.settings["cue"]}
    plot.act_times(curves, world.settings["width"], truth=truths, marks=marks, ax=ax)
    return Result({"doses": rows}, {"silencing": figure}, _sentences(rows, middle))


def _methods() -> dict[str, Any]:
    """NeuRL, and the classifier with a clock."""
    readout = Readout(100.0)
    return {
        "NeuRL": NeuRL(readout=readout, own=0.99),
        "LR and clock": Classifier(readout, Inputs(clock=True)),
    }


def _compared(told: np.ndarray, true: np.ndarray, world: Any) -> dict[str, float]:
    """Changes of the distribution of releases: correlation, sizes, and shifts of the mean."""
    moves = np.abs(true).sum() > 1e-9
    time = np.arange(len(told)) * world.settings["width"]
    return {
        "correlation": float(np.corrcoef(told, true)[0, 1]) if moves else float("nan"),
        "foretold_change": float(np.abs(told).sum() / 2),
        "true_change": float(np.abs(true).sum() / 2),
        "foretold_shift": float(told @ time),
        "true_shift": float(true @ time),
    }


def _sentences(rows: list[dict[str, Any]], middle: float) -> tuple[str, ...]:
    """Correlations at the middle signal."""
    told = []
    for kind in SHOWN:
        mine = [
            r
            for r in rows
            if (r["signal"], r["method"], r["population"]) == (middle, "NeuRL", kind)
        ]
        doses = "; ".join(
            f"{r['dose']:.0%}: "
            + ("" if r["correlation"] is None else f"r = {r['correlation']:.2f}, ")
            + f"mean release {r['foretold_shift']:+.2f} s (true {r['true_shift']:+.2f})"
            for r in mine
        )
        told.append(f"NeuRL at signal {middle:g}, {kind} neurons silenced by {doses}.")
    return tuple(told)
