"""Reports: one page that needs nothing from outside, with its figures and tables beside it.

The package is called `reporting` because `inverseq.report` is the function.
"""

from inverseq.reporting.document import Column, Table

__all__ = ["Column", "Table"]
