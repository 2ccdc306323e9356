"""Environments of Gymnasium by their ids."""

import warnings
from typing import Any

from inverseq._core.errors import InputError


def environment_of(name: str, **settings: Any) -> Any:
    """The environment of an id; `settings` are for `gymnasium.make`.

    Raises:
        InputError: There is none, or what it needs is not installed.
    """
    import gymnasium

    try:
        # A warning of Box2D's at its import, where warnings are errors, would end the process.
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)
            return gymnasium.make(name, **settings)
    except gymnasium.error.DependencyNotInstalled as error:
        raise InputError(
            f'{name} needs packages that are not installed: pip install "inverseq[control]"'
        ) from error
    except gymnasium.error.Error as error:
        raise InputError(f"{name} cannot be made: {error}") from error
