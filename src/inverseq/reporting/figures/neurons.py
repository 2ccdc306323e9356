"""Figures of neurons beside decisions."""

import numpy as np
from matplotlib.figure import Figure

from inverseq.analysis.neural_findings import Foretold, NeuralFindings
from inverseq.plot import (
    act_times,
    by_fold,
    canvas,
    embedding,
    raster,
    relation_map,
    told_over_time,
)
from inverseq.reporting.document import Picture
from inverseq.reporting.words import line, text

_TEMPLATE, _FORETOLD = "neurons.j2", "foretold.j2"
_MOST_UNITS = 60
_MOST_SILENCED = 4
"""Areas whose silencing is drawn."""


def encoding_picture(found: NeuralFindings) -> Picture:
    """Areas by regressors, at the lag at which most is clear."""
    best = max(found.encoding, key=lambda each: int(each.clear.sum()))
    areas = len(set(found.areas))
    told = {
        "found": found,
        "series": len(found.areas),
        "follow": int(best.clear.any(axis=1).sum()),
    }

    def draw(width: float) -> Figure:
        figure, (ax,) = canvas(width, 1.2 + 0.42 * areas)
        relation_map(best.relations.explained, best.clear, found.asked, found.areas, ax=ax)
        return figure

    alt, caption = text(_TEMPLATE, "map_alt", **told), line(_TEMPLATE, "map_caption", **told)
    return Picture("encoding", alt, caption, draw, wide=True)


def decoding_picture(found: NeuralFindings) -> Picture:
    """What can be read out, window after window."""
    decoding = found.decoding

    def draw(width: float) -> Figure:
        figure, (ax,) = canvas(width, 2.6)
        told_over_time(
            found.windows.mean(axis=1),
            decoding.relations.explained,
            found.asked,
            clear=decoding.clear,
            ax=ax,
        )
        ax.set_xlabel(text(_TEMPLATE, "seconds"))
        ax.set_ylabel(text(_TEMPLATE, "share_left"))
        return figure

    alt, caption = text(_TEMPLATE, "decoding_alt"), line(_TEMPLATE, "decoding_caption")
    return Picture("decoding", alt, caption, draw, wide=True)


def stretch_picture(found: NeuralFindings) -> tuple[Picture, ...]:
    """Spikes with a fitted series; none without units."""
    shown = found.stretch
    if not shown.spikes:
        return ()
    units = shown.spikes[:_MOST_UNITS]
    told = {
        "units": len(units),
        "cut": len(shown.spikes) > len(units),
        "decisions": len(shown.times),
        "name": shown.name,
        "start": shown.start,
    }

    def draw(width: float) -> Figure:
        figure, (ax,) = canvas(width, 1.6 + 0.06 * len(units))
        raster(
            units,
            values=shown.values,
            times=shown.times,
            name=shown.name,
            events=shown.events,
            ax=ax,
        )
        return figure

    alt = text(_TEMPLATE, "stretch_alt", **told)
    return (Picture("raster", alt, line(_TEMPLATE, "stretch_caption", **told), draw, wide=True),)


def match_picture(found: Foretold) -> Picture:
    """Acts foretold within one step, a dot per fold."""
    scores = np.stack([found.found.of(method) for method in found.found.methods])

    def draw(width: float) -> Figure:
        figure, (ax,) = canvas(width, 0.8 + 0.26 * len(scores))
        unit = text(_FORETOLD, "match_axis", step=found.step)
        by_fold(found.found.methods, scores, unit=unit, ax=ax)
        return figure

    told = {"event": found.event, "step": found.step, "folds": scores.shape[1]}
    alt, caption = text(_FORETOLD, "match_alt", **told), line(_FORETOLD, "match_caption", **told)
    return Picture("match", alt, caption, draw)


def points_picture(found: Foretold) -> tuple[Picture, ...]:
    """Trials as points, by principal components and as learned; none of one series."""
    if not found.embeddings:
        return ()
    late = (found.times >= np.median(found.times)).astype(np.int64)
    titles = [text(_FORETOLD, name) for name in ("components", "learned")]
    names = [text(_FORETOLD, name) for name in ("sooner", "later")]

    def draw(width: float) -> Figure:
        beside = width > 5
        figure, axes = canvas(width, 2.8 if beside else 5.4, 1 + beside, 2 - beside)
        for ax, made, title in zip(axes, found.embeddings, titles, strict=True):
            label = text(_FORETOLD, "act_axis", event=found.event)
            embedding(made.points, found.times, label=label, groups=late, names=names, ax=ax)
            ax.set_title(title)
        return figure

    told = {"event": found.event, "until": found.until, "trials": len(found.times)}
    alt, caption = text(_FORETOLD, "points_alt", **told), line(_FORETOLD, "points_caption", **told)
    return (Picture("embedding", alt, caption, draw, wide=True),)


def silencing_picture(found: Foretold) -> tuple[Picture, ...]:
    """When the act is foretold with areas held down by one dose; none without units."""
    if not found.silenced:
        return ()
    doses = sorted({each.dose for each in found.silenced})
    dose = doses[len(doses) // 2]
    mine = [each for each in found.silenced if each.dose == dose]
    mine = sorted(mine, key=lambda each: -abs(each.shift))[:_MOST_SILENCED]
    recorded = text(_FORETOLD, "recorded")
    curves = {recorded: found.chances[:-1]} | {each.area: each.chances[:-1] for each in mine}

    def draw(width: float) -> Figure:
        figure, (ax,) = canvas(width, 2.8)
        act_times(curves, found.step, ax=ax)
        ax.set_xlabel(text(_FORETOLD, "time_axis"))
        ax.set_ylabel(text(_FORETOLD, "chance_axis", event=found.event))
        return figure

    told = {"event": found.event, "dose": dose}
    alt, caption = text(_FORETOLD, "held_alt", **told), line(_FORETOLD, "held_caption", **told)
    return (Picture("silencing", alt, caption, draw),)
