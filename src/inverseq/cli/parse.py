"""From arguments to records of options."""

from dataclasses import fields, is_dataclass
from importlib import import_module
from typing import Any

import tyro

from inverseq._core.errors import InputError
from inverseq._core.ranges import RANGES
from inverseq.cli import options

_EXPECTED = RANGES | {"port": (lambda n: 0 <= n <= 65535, "0 (any that is free) to 65535")}
"""Option -> whether a number will do, and what would."""


def parse(command: str, record: str, arguments: list[str]) -> Any:
    """The record of options called `record` that `arguments` describe.

    Args:
        command: As one types it.
        record: Its name in `cli.options`; empty for a study, which has settings of its own.
        arguments: Those behind the command.

    Raises:
        SystemExit: With code 2 where they describe none, and with 0 after `--help`.
        InputError: A number is out of its range.
    """
    kind, description = (getattr(options, record), None) if record else _studies(arguments)
    made = tyro.cli(
        kind,
        prog=f"inverseq {command}",
        description=description,
        args=arguments,
        config=(tyro.conf.FlagCreatePairsOff,),
    )
    _require_expected(made)
    return made


def _studies(arguments: list[str]) -> tuple[Any, str]:
    """The options of all studies; loaded for them alone."""
    module = import_module("inverseq.cli.study_options")
    return module.options_of_studies(arguments), module.DESCRIPTION


def _require_expected(record: Any) -> None:
    """Raise an `InputError` for the first number that is out of its range, in parts as well."""
    for each in fields(record):
        value = getattr(record, each.name)
        if is_dataclass(value):
            _require_expected(value)
        elif value is not None and each.name in _EXPECTED:
            will_do, expected = _EXPECTED[each.name]
            if not will_do(value):
                raise InputError(f"--{each.name} must be {expected}; got {value:g}")
