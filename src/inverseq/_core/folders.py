"""Folders of results: the old result whole, or the new one, and one run at a time."""

import json
import os
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path, PurePosixPath

from inverseq._core.errors import InputError
from inverseq._core.files import put_on_disk, take_lock

PAGE = "report.html"
"""The page of a result, which tells that it is there."""
GROUPS = "groups"
"""Folder in which the report of each group lies, where groups were fitted by themselves."""
RUN = "run.json"
"""What a result says of the run that made it; under "files" its files, each with its size."""
_PART = ".inverseq.part"
_UNFINISHED = "inverseq-unfinished"


@contextmanager
def claimed(folder: str | os.PathLike, beside: Sequence[str] = ()) -> Iterator[Path]:
    """Make `folder` and hold it against other runs until the block ends.

    What was made and stayed empty is removed again. Where a system knows no locks (Windows, the
    file systems of some clusters), nobody is kept out.

    Args:
        folder: The folder.
        beside: What is going to be written into it; names of folders end in "/".

    Raises:
        InputError: Another run holds it, something stands in the way, or it cannot be written to.
    """
    root = Path(folder)
    part = root / _PART
    made: list[Path] = []
    handle = None
    try:
        try:
            made += [path for path in (root, *root.parents) if not path.exists()]
            for name in (f"{_PART}/", *beside):
                _require_free(root, name)
            handle = _hold(part)
        except OSError as error:
            raise InputError(
                f"cannot write to {root}: {error.strerror}. Choose a folder you may write to"
            ) from error
        yield root
    finally:
        if handle is not None:
            with suppress(OSError):
                (part / "lock").unlink()
            os.close(handle)
        for path in (part, *made):
            with suppress(OSError):  # what is not empty stays
                path.rmdir()


@contextmanager
def folder_when_whole(
    folder: str | os.PathLike, page: str, beside: Sequence[str] = ()
) -> Iterator[Path]:
    """Give an empty folder for a result, and put it in place of the earlier one if the block ends.

    A kill at any moment leaves the earlier result whole, or no page; never a page beside files of
    another run. A run that was killed while its files were put in place is completed by the next
    one; what else a killed run left is swept. If the block fails, the files that it had written
    lie in `inverseq-unfinished`. Files that are of no run stay as they are.

    Args:
        folder: Where the result is to lie.
        page: The file that tells a reader that the result is there. The block writes it last, and
            before it `RUN`, whose list says which files the next run may remove.
        beside: What else is going to be written, to see at once whether something stands in the
            way; names of folders end in "/".

    Raises:
        InputError: As `claimed`.
    """
    with claimed(folder, (page, RUN, *beside)) as root:
        new = root / _PART / "new"
        if (new / page).exists():
            _put_in_place(new, root, page)
        shutil.rmtree(new, ignore_errors=True)
        new.mkdir()
        try:
            yield new
            for name in files_of(new):
                _require_free(root, name)
        except BaseException as error:
            if files_of(new):
                kept = root / _UNFINISHED
                shutil.rmtree(kept, ignore_errors=True)
                os.replace(new, kept)
                error.add_note(f"What was written until then lies in {kept}")
            shutil.rmtree(new, ignore_errors=True)
            raise
        _put_in_place(new, root, page)
        shutil.rmtree(new)


def files_of(folder: Path) -> dict[str, int]:
    """All files below a folder, by their path with forward slashes, and their sizes in bytes."""
    found = sorted(path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): path.stat().st_size for path in found}


def _put_in_place(new: Path, root: Path, page: str) -> None:
    """Move a whole result to its place; what a kill leaves undone, a second call does."""
    names = sorted(files_of(new), key=lambda name: (name == page, name == RUN, name))
    folders = sorted({(root / name).parent for name in names})
    for path in folders:
        path.mkdir(parents=True, exist_ok=True)
    (root / page).unlink(missing_ok=True)
    put_on_disk(root)
    if RUN in names:
        listed = _listed(new / RUN)
        for name, size in _listed(root / RUN).items():
            old = root / name
            if name not in listed and old.is_file() and old.stat().st_size == size:
                old.unlink()
                with suppress(OSError):  # not empty: somebody's own files lie there
                    old.parent.rmdir()
    for name in names:
        if name == page:
            for path in folders:
                put_on_disk(path)
        os.replace(new / name, root / name)
    put_on_disk(root)


def _listed(run: Path) -> dict[str, int]:
    """The files that the account of a run lists, below its own folder; none where it is none."""
    try:
        files = json.loads(run.read_text("utf-8"))["files"]
        paths = {PurePosixPath(name): int(size) for name, size in files.items()}
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return {}  # somebody else's file of that name
    return {
        str(path): size
        for path, size in paths.items()
        if not path.is_absolute() and ".." not in path.parts
    }


def _require_free(root: Path, name: str) -> None:
    """Raise an `InputError` if something stands where a file or a folder is to be written."""
    *folders, last = PurePosixPath(name).parts
    if name.endswith("/"):
        folders, last = [*folders, last], ""
    path = root
    for part in folders:
        path = path / part
        if path.exists() and not path.is_dir():
            raise InputError(
                f"{path} is in the way: a folder of that name is to be written. Move it away, or "
                "choose another folder"
            )
        if path.exists() and not os.access(path, os.W_OK | os.X_OK):
            raise InputError(f"cannot write to {path}. Choose a folder you may write to")
    if last and (path / last).is_dir():
        raise InputError(
            f"{path / last} is in the way: a file of that name is to be written. Move it away, or "
            "choose another folder"
        )


def _hold(part: Path) -> int | None:
    """Make the folder of a run and lock it: the open file, or None where there are no locks."""
    lock = part / "lock"
    while True:
        part.mkdir(parents=True, exist_ok=True)
        try:
            handle = os.open(lock, os.O_RDWR | os.O_CREAT, 0o666)
        except FileNotFoundError:
            continue  # a run ended just now and took the folder away
        free = take_lock(handle)
        if free is None:
            os.close(handle)
            lock.unlink(missing_ok=True)
            return None
        if not free:
            os.close(handle)
            raise InputError(
                f"another run is writing to {part.parent}; wait for its end, or choose another "
                "folder"
            )
        with suppress(FileNotFoundError):
            if os.path.samestat(os.fstat(handle), lock.stat()):
                return handle
        os.close(handle)  # it was the lock of a run that ended just now
