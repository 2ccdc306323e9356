"""Options of `inverseq study NAME`: those of every study, its parts, and its own settings."""

import textwrap
from collections.abc import Sequence
from dataclasses import make_dataclass
from typing import Annotated, Any, Literal, Union

from tyro.conf import OmitArgPrefixes, Positional, arg, subcommand

from inverseq.cli.choices import shown_without_none
from inverseq.cli.options import Running
from inverseq.cli.wording import columns, filled
from inverseq.studies import STUDIES, Study

DESCRIPTION = """Run a study: published figures or tables, made again.

inverseq study NAME --help shows the options of each: --out, --small, --seed,
--workers, --json and --quiet, and settings of its own. Without --out, figures
and tables go to out/NAME."""


def overview() -> str:
    """What `inverseq study --help` prints."""
    width = max(len(study.name) for study in STUDIES) + 4
    lines = [
        textwrap.fill(
            study.summary,
            columns(),
            initial_indent=f"  {study.name}".ljust(width),
            subsequent_indent=" " * width,
        )
        for study in STUDIES
    ]
    return "\n".join(
        [
            filled(f"usage: inverseq study NAME [PART ...] [OPTIONS]\n\n{DESCRIPTION}"),
            "",
            *lines,
            "",
        ]
    )


def options_of_studies(arguments: Sequence[str]) -> Any:
    """One record of options per study, as commands below `inverseq study`.

    Args:
        arguments: Where --small is among them, settings begin with the small ones.
    """
    small = "--small" in arguments
    kinds = tuple(
        Annotated[_options_of(study, small), subcommand(study.name, description=study.summary)]
        for study in STUDIES
    )
    return Union[kinds]  # noqa: UP007  # made at run time


def _options_of(study: Study, small: bool) -> type:
    """`Running`, with the parts to choose from and the settings of one study."""
    settings = shown_without_none(study.small if small else study.settings)
    fields: list[Any] = [("settings", OmitArgPrefixes[type(settings)], settings)]
    if len(study.parts) > 1:
        names = Literal[tuple(part.name for part in study.parts)]  # pyright: ignore
        shown = arg(metavar="[PART ...]", help="Parts to run; all where left out.")
        fields.append(("parts", Annotated[Positional[tuple[names, ...]], shown], ()))
    namespace = {"study": study} if len(study.parts) > 1 else {"study": study, "parts": ()}
    return make_dataclass("Options", fields, bases=(Running,), frozen=True, namespace=namespace)
