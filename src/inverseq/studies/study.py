"""What a study is: parts, each a module with one function, and settings with their small version.

Nothing here computes or draws, so that a list of studies is there at once; `studies.run` does.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from inverseq._core import engine
from inverseq._core.errors import InputError


@dataclass(frozen=True)
class Part:
    """One part of a study.

    Attributes:
        name: As one types it.
        module: Where its function `run(settings, effort)` lives, which returns a
            `studies.run.Result`; loaded when the part is run.
    """

    name: str
    module: str


@dataclass(frozen=True)
class Settings:
    """A study without settings; those of others are frozen records like this one."""


@dataclass(frozen=True)
class Study:
    """A study.

    Attributes:
        name: As one types it.
        summary: What it shows, in half a line.
        parts: In the order in which they are run. Files of a study of several parts begin with the
            name of the part.
        settings: What the published pages were made with; its fields are options of the command.
        small: The same for a run of seconds, that shows that everything works and means nothing.
    """

    name: str
    summary: str
    parts: tuple[Part, ...]
    settings: Any = field(default_factory=Settings)
    small: Any = field(default_factory=Settings)

    def choose(self, names: Sequence[str]) -> tuple[Part, ...]:
        """The parts of these names, each once; all where there are none.

        Raises:
            InputError: There is no such part.
        """
        known = {part.name: part for part in self.parts}
        if unknown := [name for name in names if name not in known]:
            raise InputError(
                f"the study {self.name} has no part {unknown[0]!r}; there are {', '.join(known)}"
            )
        return tuple(known[name] for name in dict.fromkeys(names)) or self.parts


@dataclass(frozen=True)
class Effort:
    """How a part is to work.

    Attributes:
        seed: Of all random choices.
        small: Whether on little data, where that is no setting.
        workers: Processes; -1 for as many as there are cores.
        progress: Called with (what is being done, steps done, steps in all).
    """

    seed: int = 0
    small: bool = False
    workers: int = -1
    progress: Callable[[str, int, int], None] | None = None

    def say(self, what: str, done: int, total: int) -> None:
        """Report progress, where anybody listens."""
        if self.progress is not None:
            self.progress(what, done, total)

    def each(self, what: str, work: Callable[..., Any], tasks: Sequence[tuple]) -> list[Any]:
        """Results of `work` on the arguments of each task, in order, in processes."""
        done = engine.run(work, tasks, what=what, jobs=self.workers, progress=self.progress)
        return list(done)
