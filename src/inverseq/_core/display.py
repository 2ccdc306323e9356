"""How records show themselves: in one line, as a small table on a page, as a data frame."""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from html import escape
from typing import Any

from inverseq._core.errors import InputError

_LONGEST = 60
_SHOWN = 10

Fact = tuple[str, int | float | str | None]
"""A name and a value; a whole number counts what the name says, None is left out."""


class Shown(ABC):
    """A record that says in a few facts what it is."""

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        cls.__repr__ = Shown.__repr__  # a dataclass puts its own where the class has none

    @abstractmethod
    def _facts(self) -> Iterable[Fact]:
        """What there is to say, most important first."""

    def _head(self) -> Sequence[Mapping[str, Any]]:
        """First rows of the table that the record is, if it is one."""
        return ()

    def __repr__(self) -> str:
        told = ", ".join(_phrase(*fact) for fact in self._facts() if fact[1] is not None)
        return f"<{type(self).__name__}: {told}>"

    def _repr_html_(self) -> str:
        """A table of the facts, and below it the first rows of the record's own; all escaped."""
        facts = [
            f"<tr>{_cell('th', name)}{_cell('td', _text(value))}</tr>"
            for name, value in self._facts()
            if value is not None
        ]
        return (
            f'<div style="overflow-x:auto"><strong>{type(self).__name__}</strong>'
            f"<table><tbody>{''.join(facts)}</tbody></table>{_table(self._head())}</div>"
        )


class ShownTable(Shown):
    """A record that is a table as well."""

    @property
    @abstractmethod
    def rows(self) -> Sequence[Mapping[str, Any]]:
        """The table, row by row."""

    def _head(self) -> Sequence[Mapping[str, Any]]:
        return self.rows

    def to_pandas(self) -> Any:
        """`rows` as a pandas data frame.

        Raises:
            InputError: pandas is not installed.
        """
        return data_frame(self.rows)


def data_frame(table: Any) -> Any:
    """Rows, or columns by name, as a pandas data frame.

    Raises:
        InputError: pandas is not installed.
    """
    try:
        import pandas as pd
    except ImportError as error:
        raise InputError("to_pandas needs pandas: pip install pandas") from error
    return pd.DataFrame(table)


def _phrase(name: str, value: Any) -> str:
    """A fact as part of a sentence: "3 states", "discount 0.9"."""
    if not isinstance(value, int):
        return f"{name} {_text(value)}"
    one = name[:-3] + "y" if name.endswith("ies") else name.removesuffix("s")
    return f"{value:,} {one if value == 1 else name}"


def _text(value: Any) -> str:
    """A value in one line that is not too long; nothing for NaN."""
    if isinstance(value, bool):
        return "yes" if value else ""
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, float):
        return f"{value:.4g}" if value == value else ""
    text = " ".join(str(value).split())
    return text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"


def _cell(tag: str, value: Any, below: Any = None) -> str:
    """A cell in one line: numbers, and what stands above them, to the right, texts to the left."""
    number = isinstance(value if below is None else below, int | float)
    side = "right" if number else "left"
    style = f"text-align:{side};white-space:nowrap;padding:0.1em 0.5em"
    return f'<{tag} style="{style}">{escape(_text(value))}</{tag}>'


def _table(rows: Sequence[Mapping[str, Any]]) -> str:
    """The first rows, and how many there are; nothing for no rows."""
    if not rows:
        return ""
    head = "".join(_cell("th", name, value) for name, value in rows[0].items())
    body = "".join(
        f"<tr>{''.join(_cell('td', value) for value in row.values())}</tr>" for row in rows[:_SHOWN]
    )
    rest = f"<p>… {len(rows):,} rows</p>" if len(rows) > _SHOWN else ""
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>{rest}"
