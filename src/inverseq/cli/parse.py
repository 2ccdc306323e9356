"""From arguments to records of options."""

from typing import Any

import tyro

from inverseq.cli import options


def parse(command: str, record: str, arguments: list[str]) -> Any:
    """The record of options called `record` that `arguments` describe.

    Raises:
        SystemExit: With code 2 where they describe none, and with 0 after `--help`.
    """
    return tyro.cli(
        getattr(options, record),
        prog=f"inverseq {command}",
        args=arguments,
        config=(tyro.conf.FlagCreatePairsOff,),
    )
