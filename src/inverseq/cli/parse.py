"""From arguments to records of options."""

import inspect
import io
from collections.abc import Mapping
from contextlib import nullcontext, redirect_stdout
from dataclasses import fields, is_dataclass, make_dataclass
from importlib import import_module
from typing import Annotated, Any, Union

import tyro

from inverseq._core.errors import InputError
from inverseq._core.ranges import RANGES
from inverseq.cli import options, options_others
from inverseq.cli.wording import WIDEST, columns, filled

_EXPECTED = RANGES | {"port": (lambda n: 0 <= n <= 65535, "0 (any that is free) to 65535")}
"""Option -> whether a number will do, and what would."""

SHELLS = ("bash", "zsh", "fish")
"""Shells that can be taught to complete."""


def parse(command: str, record: str, does: str, arguments: list[str]) -> Any:
    """The record of options called `record` that `arguments` describe.

    Args:
        command: As one types it.
        record: Its name in `cli.options` or `cli.options_others`; empty for a study, which has
            settings of its own.
        does: What the command does, in a line.
        arguments: Those behind the command.

    Raises:
        SystemExit: With code 2 where they describe none, and with 0 after `--help`.
        InputError: A number is out of its range.
    """
    kind, text = record_of(record) if record else None, ""
    if kind is not None:
        text = filled(inspect.cleandoc(kind.__doc__))
    else:
        studies = import_module("inverseq.cli.study_options")
        if arguments in (["-h"], ["--help"]):
            print(studies.overview(), end="")
            raise SystemExit(0)
        kind = studies.options_of_studies(arguments)
    helped = io.StringIO()
    try:
        # On a narrow terminal Tyro breaks the lines of options, and neither usage nor descriptions.
        with redirect_stdout(helped) if columns() < WIDEST else nullcontext():
            made = tyro.cli(
                kind,
                prog=f"inverseq {command}",
                description=does,
                args=arguments,
                config=(tyro.conf.FlagCreatePairsOff,),
            )
    except SystemExit as stop:
        print("".join(f"{filled(line)}\n" for line in helped.getvalue().splitlines()), end="")
        if stop.code == 0 and text:  # help; at its end the examples are what a terminal shows
            print(f"\n{text}\n")
        raise
    _require_expected(made)
    return made


def record_of(name: str) -> Any:
    """The record of options of this name."""
    return getattr(options_others if hasattr(options_others, name) else options, name)


def completion(shell: str, commands: Mapping[str, str]) -> None:
    """Print what makes a shell complete commands, studies and options.

    Args:
        shell: "bash", "zsh" or "fish".
        commands: Command -> name of its record of options; empty for a study.

    Raises:
        InputError: It is another shell.
    """
    if shell not in SHELLS:
        raise InputError(f"--completion takes one of {', '.join(SHELLS)}; got {shell!r}")
    studies = import_module("inverseq.cli.study_options").options_of_studies([])
    study = make_dataclass("Study", [("study", studies)])
    kinds = tuple(
        Annotated[record_of(record) if record else study, tyro.conf.subcommand(name)]
        for name, record in commands.items()
    )
    every: Any = Union[kinds]  # noqa: UP007  # made at run time
    tyro.cli(
        every,
        prog="inverseq",
        args=["--tyro-print-completion", shell],
        config=(tyro.conf.FlagCreatePairsOff, tyro.conf.OmitSubcommandPrefixes),
    )


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
