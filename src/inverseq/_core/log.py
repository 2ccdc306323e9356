"""Messages of the package: what was fitted, what was left out; silent until somebody listens.

`logging.basicConfig(level="INFO")` shows them; the logger's name is "inverseq".
"""

import logging

log = logging.getLogger("inverseq")
"""Where the package's code writes; without the handler warnings would reach the error stream."""
log.addHandler(logging.NullHandler())
