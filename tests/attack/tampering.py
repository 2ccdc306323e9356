"""Saved files, spoilt: bytes turned over, cut, headers and trees rewritten, sizes that lie."""

import io
import json
import zipfile
from collections.abc import Callable, Iterator

import numpy as np

Spoil = Callable[[np.random.Generator, bytes], bytes]

HEADER = "record.json.npy"
JUNK = (None, True, -1, 10**30, 1e308, "", "x" * 3000, [], [[]], {}, {"array": "x"}, {"class": "X"})


def members_of(whole: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(whole)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def packed(members: dict[str, bytes]) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return stream.getvalue()


def npy(array: np.ndarray, pickled: bool = False) -> bytes:
    stream = io.BytesIO()
    np.lib.format.write_array(stream, array, allow_pickle=pickled)
    return stream.getvalue()


def header_of(members: dict[str, bytes]) -> dict:
    return json.loads(np.load(io.BytesIO(members[HEADER])).tobytes())


def with_header(members: dict[str, bytes], header: object) -> bytes:
    text = np.frombuffer(json.dumps(header).encode(), np.uint8)
    return packed({**members, HEADER: npy(text)})


def flipped(rng: np.random.Generator, whole: bytes) -> bytes:
    """Some bytes, turned over."""
    content = bytearray(whole)
    for place in rng.integers(len(content), size=rng.integers(1, 9)):
        content[place] ^= int(rng.integers(1, 256))
    return bytes(content)


def cut(rng: np.random.Generator, whole: bytes) -> bytes:
    """The beginning, the end, or a piece out of the middle."""
    first, last = sorted(rng.integers(len(whole), size=2))
    return (whole[:first], whole[last:], whole[:first] + whole[last:])[rng.integers(3)]


def _places(tree: object, path: tuple = ()) -> Iterator[tuple]:
    """Where something stands in a tree of JSON."""
    yield path
    inside = (
        tree.items()
        if isinstance(tree, dict)
        else enumerate(tree)
        if isinstance(tree, list)
        else ()
    )
    for key, value in inside:
        yield from _places(value, (*path, key))


def rewritten(rng: np.random.Generator, whole: bytes) -> bytes:
    """A valid zip file whose tree says something else at one place, or at two."""
    members = members_of(whole)
    header = header_of(members)
    for _ in range(rng.integers(1, 3)):
        places = [place for place in _places(header) if place]
        *way, last = places[rng.integers(len(places))]
        node = header
        for key in way:
            node = node[key]
        if rng.random() < 0.3:
            del node[last]
        else:
            node[last] = JUNK[rng.integers(len(JUNK))]
    return with_header(members, header)


def swapped(rng: np.random.Generator, whole: bytes) -> bytes:
    """A valid zip file in which an array is another one, is missing, or is one too many."""
    members = members_of(whole)
    names = [name for name in members if name != HEADER] or [HEADER]
    one, two = rng.choice(names, 2)
    other = (
        np.zeros(0),
        np.full((3, 2), np.nan),
        np.array(["text"]),
        np.zeros(3, dtype=[("a", "i4")]),
        np.array(5, dtype="M8[ns]"),
        np.frombuffer(members[one][:8], np.uint8).astype("f8"),
    )[rng.integers(6)]
    match rng.integers(4):
        case 0:
            members[one], members[two] = members[two], members[one]
        case 1:
            members[one] = npy(other)
        case 2:
            del members[one]
        case _:
            members[f"{one}.more.npy"] = npy(other)
    return packed(members)


def pickled(rng: np.random.Generator, whole: bytes) -> bytes:
    """An array of objects in place of another."""
    members = members_of(whole)
    name = rng.choice([*members])
    members[name] = npy(np.array([{"a": 1}, None], dtype=object), pickled=True)
    return packed(members)


def lying(rng: np.random.Generator, whole: bytes) -> bytes:
    """A header of an array that promises more, less or something absurd."""
    members = members_of(whole)
    name = rng.choice([*members])
    shape = [(10**12,), (-1,), (2**63,), (0,), (10**6, 10**6), ()][rng.integers(6)]
    stream = io.BytesIO()
    kind = ["<f8", "|O", "<U99999999", "<i4", "|V8"][rng.integers(5)]
    np.lib.format.write_array_header_1_0(
        stream, {"descr": kind, "fortran_order": False, "shape": shape}
    )
    members[name] = stream.getvalue() + bytes(rng.integers(0, 64))
    return packed(members)


def bomb(whole: bytes, megabytes: int) -> bytes:
    """A small file that unfolds to a large one, with headers that fit."""
    members = members_of(whole)
    members[next(iter(members))] = npy(np.zeros(megabytes * 2**17))
    return packed(members)


ALL: tuple[Spoil, ...] = (flipped, cut, rewritten, swapped, pickled, lying)
