"""Three tours on bundled data, of six steps each; their words lie in `tour.j2`."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Step:
    """A step of a tour.

    Attributes:
        tour: Name of the tour.
        number: Which step, from 1.
        of: How many there are.
        address: Where it takes place.
        before: Address of the step before; "" at the first.
        after: Address of the next; "" at the last.
    """

    tour: str
    number: int
    of: int
    address: str
    before: str = ""
    after: str = ""


_STATIONS = {
    "mice": (
        "/data?table=mice",
        "/fit?table=mice",
        "/look?table=mice",
        "/look?table=mice&at=walk",
        "/look?table=mice&at=what-if",
        "/report?table=mice",
    ),
    "people": (
        "/data?table=people",
        "/world",
        "/fit?table=people",
        "/look?table=people",
        "/look?table=people&at=what-if",
        "/compare",
    ),
    "bandit": (
        "/data?table=bandit",
        "/fit?table=bandit",
        "/look?table=bandit",
        "/fit?table=bandit&question=change",
        "/compare",
        "/report?table=bandit",
    ),
}


def _tour(name: str, stations: tuple[str, ...]) -> tuple[Step, ...]:
    """The steps, each with the way to its neighbours."""
    told = [f"{s}{'&' if '?' in s else '?'}tour={name}.{n}" for n, s in enumerate(stations, 1)]
    return tuple(
        Step(
            name,
            n,
            len(told),
            address,
            before=told[n - 2] if n > 1 else "",
            after=told[n] if n < len(told) else "",
        )
        for n, address in enumerate(told, 1)
    )


TOURS = {name: _tour(name, stations) for name, stations in _STATIONS.items()}
"""Name -> its steps."""


def step_of(told: str) -> Step | None:
    """The step that an address names, "mice.2"; None where it names none."""
    name, _, number = told.partition(".")
    steps = {str(step.number): step for step in TOURS.get(name, ())}
    return steps.get(number)
