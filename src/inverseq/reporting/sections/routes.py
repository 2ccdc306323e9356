"""What features weigh; of trips to destinations, the ways expected beside those taken."""

import numpy as np
from matplotlib.figure import Figure

from inverseq.analysis.costs import Costs
from inverseq.analysis.findings import Findings
from inverseq.analysis.routes import Routes, costs_of, routes_of
from inverseq.plot import canvas, intervals, network_map
from inverseq.reporting.document import Column, Picture, Section, Table
from inverseq.reporting.figures.places import picture
from inverseq.reporting.words import line, prose, text

_TEMPLATE = "routes.j2"


def which_ways(findings: Findings) -> Section | None:
    """Silent unless trips go to destinations of their own, or several boards share a reward."""
    costs, routes = costs_of(findings), routes_of(findings.solution)
    if costs is None:
        return None
    told = {"trips": routes is not None, "settings": findings.settings.get("solver", {})}
    told |= {"boards": len(findings.worlds)}
    # The maps, or the weights as a figure, stand beside the answer already.
    title, meaning = text(_TEMPLATE, "title", **told), prose(_TEMPLATE, "meaning", **told)
    return Section(title, (meaning, _weights(costs, routes)))


def _weights(costs: Costs, routes: Routes | None) -> Table:
    """Weights with intervals, and elasticities of trips."""
    columns = [
        Column("Feature", name="feature"),
        Column("Weight", "+.3f", "weight"),
        Column("Low", "+.3f", "low"),
        Column("High", "+.3f", "high"),
    ]
    numbers = [costs.weights, costs.low, costs.high]
    if routes is not None:
        columns.append(Column("Elasticity", "+.3f", "elasticity"))
        numbers.append(routes.elasticities)
    rows = tuple(
        (name, *map(float, each)) for name, *each in zip(costs.names, *numbers, strict=True)
    )
    note = line(_TEMPLATE, "note", trips=routes is not None)
    return Table("weights", text(_TEMPLATE, "weights"), tuple(columns), rows, note)


def cost_picture(costs: Costs) -> Picture:
    """Weights of several boards with their intervals."""
    names, found = [*costs.names], (costs.low, costs.weights, costs.high)
    return picture(
        "weights",
        lambda ax: intervals(names, *found, ax=ax),
        text(_TEMPLATE, "weights_alt", costs=costs),
        line(_TEMPLATE, "weights_caption"),
        height=0.9 + 0.3 * len(names),
    )


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
