"""How a command ends: done; a fit or a write failed; the input cannot be used; stopped from
outside.
"""

OK, FAILED, BAD_INPUT, INTERRUPTED = 0, 1, 2, 130
