"""Reports: one page that needs nothing from outside, with its figures and tables beside it."""

from inverseq.report.document import (
    Column,
    Facts,
    Picture,
    Prose,
    Remarks,
    Report,
    Section,
    Table,
)
from inverseq.report.folder import require_writable, to_json, write_report
from inverseq.report.page import to_html

__all__ = [
    "Column",
    "Facts",
    "Picture",
    "Prose",
    "Remarks",
    "Report",
    "Section",
    "Table",
    "require_writable",
    "to_html",
    "to_json",
    "write_report",
]
