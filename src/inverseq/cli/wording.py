"""Messages written for Python, said as one types on the command line."""

import re

_OPTIONS = {"state_from_previous": "previous", "k": "intentions"} | {
    name: name.replace("_", "-")
    for name in (
        "state",
        "action",
        "next_state",
        "subject",
        "session",
        "trajectory",
        "time",
        "terminated",
        "missing",
        "named",
        "longest_step",
        "discount",
        "smoothing",
        "folds",
        "by",
        "split",
        "actions",
        "solver",
        "switching",
        "gauge",
        "anchor",
        "intentions",
        "restarts",
        "simulations",
    )
}
"""Argument in Python -> option."""

# `column terminated=1` is what to write into the table, not an argument.
_ARGUMENT = re.compile(rf'(?<!column )\b({"|".join(_OPTIONS)})="?([^",;:() ]+)"?')

_BINS = re.compile(r'bins=\{"([^"]+)": (\d+)\}(?:; or keep it as it is: [^;]+;)?')
_CALL = re.compile(r"\b(?:IAVI|CountTable|MaxEnt)\(([^()]*)\)")
_OTHER_WAY = re.compile(r"\bsmoothed_policy\([^()]*\) or ")


def as_typed(text: str) -> str:
    """The text with arguments of Python, `IAVI(smoothing=0.5)`, as options, `--smoothing 0.5`."""
    text = _CALL.sub(r"\1", _OTHER_WAY.sub("", text))
    text = _BINS.sub(r"--bins \1=\2", text)
    return _ARGUMENT.sub(lambda found: f"--{_OPTIONS[found[1]]} {found[2]}", text)
