"""How an argument of the library is typed on the command line."""

from collections.abc import Mapping
from shlex import quote

_OPTIONS = {"state_from_previous": "previous", "k": "intentions"}
"""Arguments whose options have other names."""
_ABSENT = ("continuous",)
"""Arguments that messages speak of and that have no option."""


def as_option(name: str, value: object) -> str:
    """`named="state"` as `--named state`, `bins={"x": 10}` as `--bins x=10`."""
    if name in _ABSENT:
        return ""
    if isinstance(value, Mapping):
        value = ",".join(f"{key}={each}" for key, each in value.items())
    if value is True:
        return f"--{name.replace('_', '-')}"
    told = f"{value:.3g}" if isinstance(value, float) else "none" if value is None else str(value)
    return f"--{_OPTIONS.get(name, name).replace('_', '-')} {quote(told)}"
