"""What stands beside the answer."""

from inverseq.analysis.findings import Findings
from inverseq.analysis.routes import routes_of
from inverseq.reporting.document import Picture
from inverseq.reporting.figures.intentions import session_figures
from inverseq.reporting.figures.neurons import stretch_picture
from inverseq.reporting.figures.places import maps
from inverseq.reporting.sections.intentions import drawn_worlds, each_place
from inverseq.reporting.sections.observed import reward_pictures
from inverseq.reporting.sections.routes import cost_picture, route_maps


def first_picture(findings: Findings) -> Picture | None:
    """Neurons beside decisions, ways of trips, the reward of each place or over two components, or
    a session with its intentions; or none of it.
    """
    if findings.neural is not None:
        return next(iter(stretch_picture(findings.neural)), None)
    shown, row = each_place(findings), findings.row(findings.chosen)
    where = drawn_worlds(findings, shown)
    if findings.intentions is not None:
        return next(iter(session_figures(findings.intentions, where)), None)
    found = routes_of(findings.solution) if row is not None else None
    if found is not None:
        return route_maps(found)
    if row is not None and findings.costs is not None:
        return cost_picture(findings.costs)
    if row is None or not shown:
        return next(iter(reward_pictures(findings)), None)
    return next(iter(maps(shown[0], where, row.name)), None)
