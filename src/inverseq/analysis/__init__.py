"""The whole analysis: `analyse(data, plan)` returns `Findings`, for pages and notebooks alike."""

from inverseq.analysis.analyse import analyse
from inverseq.analysis.findings import Findings
from inverseq.analysis.plan import Plan

__all__ = ["Findings", "Plan", "analyse"]
