"""Trips to destinations: what a way costs, and the ways that are expected beside those taken."""

import numpy as np
from matplotlib.figure import Figure

from inverseq.analysis.findings import Findings
from inverseq.analysis.routes import Routes, routes_of
from inverseq.plot import canvas, network_map
from inverseq.reporting.document import Column, Picture, Section, Table
from inverseq.reporting.words import line, prose, text

_TEMPLATE = "routes.j2"


def which_ways(findings: Findings) -> Section | None:
    """Silent unless trips go to destinations of their own."""
    found = routes_of(findings.solution)
    if found is None:
        return None
    # The maps stand beside the answer already.
    return Section(text(_TEMPLATE, "title"), (prose(_TEMPLATE, "meaning"), _weights(found)))


def _weights(found: Routes) -> Table:
    """Weights with intervals, and elasticities."""
    columns = (
        Column("Feature", name="feature"),
        Column("Weight", "+.3f", "weight"),
        Column("Low", "+.3f", "low"),
        Column("High", "+.3f", "high"),
        Column("Elasticity", "+.3f", "elasticity"),
    )
    numbers = zip(found.weights, found.low, found.high, found.elasticities, strict=True)
    rows = tuple((name, *map(float, each)) for name, each in zip(found.names, numbers, strict=True))
    return Table("weights", text(_TEMPLATE, "weights"), columns, rows, line(_TEMPLATE, "note"))


def route_maps(found: Routes) -> Picture | None:
    """Where trips went beside where they are expected; None where places are unknown."""
    segments = found.segments
    if segments is None:
        return None
    both = np.concatenate([found.taken, found.expected])
    limits = (0.0, float(both.max(initial=1.0)))
    correlation = float(np.corrcoef(found.taken, found.expected)[0, 1])

    def draw(width: float) -> Figure:
        beside = width > 5
        figure, axes = canvas(width, width / 2 if beside else 2 * width, 1 + beside, 2 - beside)
        places = segments.reshape(-1, 2)
        label = text(_TEMPLATE, "label")
        for ax, name, values in zip(
            axes, ("taken", "expected"), (found.taken, found.expected), strict=True
        ):
            network_map(
                places,
                segments,
                values=values,
                limits=limits,
                label=label if ax is axes[-1] else "",
                ax=ax,
            )
            ax.set_title(name)
        return figure

    told = {"correlation": correlation, "ways": len(segments)}
    alt, caption = text(_TEMPLATE, "alt", **told), line(_TEMPLATE, "caption", **told)
    return Picture("routes", alt, caption, draw, wide=True)
