"""The errors a user can meet, each with its remedy in the message."""


class InputError(ValueError):
    """Input that cannot be used. The message says what was got, where, and what to do."""


class FitError(RuntimeError):
    """A fit that did not end well. The message names the status and what to try."""


class MissingPackageError(ImportError):
    """An optional package is not installed. The message gives the line that installs it."""


def missing_package(package: str, extra: str) -> MissingPackageError:
    """The error for an optional `package` that the extra `extra` brings."""
    return MissingPackageError(
        f'{package} is not installed. Install it with: pip install "inverseq[{extra}]"'
    )
