"""Files that lie beside this module, also inside a wheel."""

from collections.abc import Iterator
from contextlib import contextmanager
from importlib.resources import as_file, files
from pathlib import Path


@contextmanager
def bundled(name: str) -> Iterator[Path]:
    """The path of a bundled file, for as long as the block runs."""
    with as_file(files("inverseq.datasets") / "data" / name) as path:
        yield path
