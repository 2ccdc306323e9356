"""The errors a user can meet, each with its remedy in the message."""


class InputError(ValueError):
    """Input that cannot be used. The message says what was got, where, and what to do."""


class FitError(RuntimeError):
    """A fit that did not end well. The message names the status and what to try."""
