"""Reports: one page that needs nothing from outside, with its figures and tables beside it.

The package is called `reporting` because `inverseq.report` is the function.
"""

from inverseq.reporting.document import Column, Table
from inverseq.reporting.folder import PAGE, result_folder

__all__ = ["PAGE", "Column", "Table", "result_folder"]
