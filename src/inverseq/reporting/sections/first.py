"""What stands beside the answer."""

from inverseq.analysis.findings import Findings
from inverseq.reporting.document import Picture
from inverseq.reporting.figures.intentions import session_figures
from inverseq.reporting.figures.places import maps
from inverseq.reporting.sections.intentions import drawn_worlds, each_place
from inverseq.reporting.sections.observed import reward_pictures


def first_picture(findings: Findings) -> Picture | None:
    """The reward of each place or over two components, or a session with its intentions; None
    without such.
    """
    shown, row = each_place(findings), findings.row(findings.chosen)
    where = drawn_worlds(findings, shown)
    if findings.intentions is not None:
        return next(iter(session_figures(findings.intentions, where)), None)
    if row is None or not shown:
        return next(iter(reward_pictures(findings)), None)
    return next(iter(maps(shown[0], where, row.name)), None)
