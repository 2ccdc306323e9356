"""Reports: one page that needs nothing from outside, with its figures and tables beside it.

The package is called `reporting` because `inverseq.report` is the function.
"""

from inverseq.reporting.document import Column, Table
from inverseq.reporting.folder import require_writable, to_json

__all__ = ["Column", "Table", "require_writable", "to_json"]
