"""What an NWB file holds, in plain words."""

from inverseq._core.words import render_text
from inverseq.readers.nwb.contents import Contents

_HERE = "inverseq.doctor"


def describe_contents(held: Contents) -> str:
    """One line for the file, and one for each thing in it, what is not read included."""
    told = lambda block, **values: render_text(_HERE, "contents.j2", block, **values)  # noqa: E731
    others = [part for part in held.parts if part.kind == "other"]
    lines = [line for part in held.parts if part not in others for line in told("part", part=part)]
    lines = lines or [*told("nothing")]
    lines += told("others", others=others) if others else ()
    return "\n  ".join([*told("head", held=held), *lines]) + "\n"
