"""Does the fitted model behave like the animal? Real behaviour beside simulated behaviour.

Predictive checks as of Gelman, Meng and Stern 1996, at the fitted numbers (no draw of these): a
small p-value says that the model hardly ever produces what was seen. A model can predict well and
still fail here, and the statistic that fails says what it does not know.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial
from typing import Literal

import numpy as np
from jaxtyping import Float, Int

from inverseq._core.arrays import freeze
from inverseq._core.display import Fact, ShownTable
from inverseq._core.engine import run
from inverseq._core.errors import InputError
from inverseq._core.words import render_text
from inverseq.decisions.alignment import in_numbers
from inverseq.demonstrations import Demonstrations
from inverseq.evaluate.repeats import seeds_of
from inverseq.evaluate.simulated import simulate_like
from inverseq.inverse.explanation import Explanation, check_arguments
from inverseq.inverse.problem import Progress

_LAGS = (1, 2, 5, 10)
_FAVOURITES = 3


@dataclass(frozen=True, eq=False)
class Check:
    """One statistic of real behaviour among those of simulated behaviour.

    Attributes:
        name: What it is.
        observed: Of the real decisions; NaN where it does not exist in them.
        simulated: `[R]` of each simulation.
        p_value: Two-sided predictive p-value, (1 + how many are as far out) / (R + 1), doubled.
    """

    name: str
    observed: float
    simulated: Float[np.ndarray, " R"]
    p_value: float

    def __post_init__(self) -> None:
        freeze(self, np.float64, "simulated")


@dataclass(frozen=True, eq=False)
class PredictiveChecks(ShownTable):
    """Real behaviour beside R simulations of the same design.

    Attributes:
        checks: One per statistic.
        visits: `[S]` share of the real decisions in each state (without history).
        simulated_visits: `[R, S]` of each simulation.
        actions: `[A]` share of each action in the real decisions.
        simulated_actions: `[R, A]` of each simulation.
    """

    checks: tuple[Check, ...]
    visits: Float[np.ndarray, " S"]
    simulated_visits: Float[np.ndarray, "R S"]
    actions: Float[np.ndarray, " A"]
    simulated_actions: Float[np.ndarray, "R A"]

    def __post_init__(self) -> None:
        freeze(self, np.float64, "visits", "simulated_visits", "actions", "simulated_actions")

    def __getitem__(self, name: str) -> Check:
        found = [check for check in self.checks if check.name == name]
        if not found:
            raise InputError(f"no statistic {name!r}; there are {[c.name for c in self.checks]}")
        return found[0]

    def _facts(self) -> Iterable[Fact]:
        return (
            ("statistics", len(self.checks)),
            ("simulations", len(self.simulated_visits)),
            ("p-values below 5 %", sum(c.p_value < 0.05 for c in self.checks)),
        )

    @property
    def rows(self) -> list[dict[str, str | float]]:
        """One row per statistic for a table: real value, simulated mean and 95 %, p-value."""
        made = []
        for check in self.checks:
            known = check.simulated[~np.isnan(check.simulated)]
            known = known if known.size else np.full(1, np.nan)  # not there in any simulation
            low, high = np.quantile(known, [0.025, 0.975])
            made.append(
                {
                    "statistic": check.name,
                    "observed": check.observed,
                    "simulated": float(known.mean()),
                    "low": float(low),
                    "high": float(high),
                    "p_value": check.p_value,
                }
            )
        return made

    @property
    def failed(self) -> tuple[str, ...]:
        """Names of the statistics in which both differ at 5 %."""
        return tuple(check.name for check in self.checks if check.p_value < 0.05)

    @property
    def sentence(self) -> str:
        """What the checks say at 5 % each, and how many would fail by chance."""
        return " ".join(render_text("inverseq.evaluate", "predictive_checks.j2", checks=self))


def check_predictions(
    solution: Explanation,
    demonstrations: Demonstrations,
    *,
    seed: int,
    states: Literal["drawn", "observed"] = "drawn",
    repeats: int = 200,
    jobs: int | None = None,
    progress: Progress | None = None,
) -> PredictiveChecks:
    """Simulate the design of the data from the fit, and compare what both look like.

    Statistics: how far the visits of states lie from the simulated mean (total variation), the
    share of each action, decisions until one of the three most visited states is entered again,
    mean run of one action, different states per trajectory, and how much more often than by chance
    the action of now is taken again 1, 2, 5 and 10 decisions later.

    Args:
        solution: What `fit` returned.
        demonstrations: The real decisions; where states are observations, only what concerns
            actions is compared.
        seed: Which random choice.
        states: As in `simulate_like`.
        repeats: R, how many simulations; p-values cannot fall below 2 / (R + 1): give 40
            or more.
        jobs: Processes, as in `compare`.
        progress: Called with (what, simulations done, simulations in all).

    Raises:
        InputError: As `simulate_like`, or `repeats` is below 2.
    """
    check_arguments(solution, demonstrations, "check_predictions")
    if solution.num_actions is None:
        raise InputError(
            "shares and runs of actions have no meaning where actions are continuous: compare "
            'simulate_like(solution, demonstrations, seed=..., states="observed") with the data'
        )
    if repeats < 2:
        raise InputError(f"repeats must be 2 or more; got {repeats}")
    mdp = solution.mdp
    demonstrations = demonstrations if mdp is None else in_numbers(demonstrations, mdp)
    sizes = [0, max(demonstrations.num_actions, solution.num_actions)]
    favourites = np.zeros(0, dtype=np.int64)
    if _numbered(demonstrations):
        sizes[0] = demonstrations.num_states
        favourites = np.argsort(-np.bincount(demonstrations.states), kind="stable")[:_FAVOURITES]
    if mdp is not None:
        known = mdp.num_states if mdp.history is None else mdp.history.num_base_states
        sizes[0] = max(sizes[0], known)
    draw = partial(simulate_like, solution, demonstrations, states=states)
    made = list(
        run(
            partial(_simulated, draw, (sizes[0], sizes[1]), favourites),
            [(s,) for s in seeds_of(seed, repeats)],
            what="simulations",
            jobs=jobs,
            progress=progress,
        )
    )
    scalars, visits, actions = _summary(demonstrations, (sizes[0], sizes[1]), favourites)
    simulated_visits = np.stack([one[1] for one in made])
    simulated_actions = np.stack([one[2] for one in made])
    checks = [_visits_check(visits, simulated_visits)] if visits.size else []
    for a in np.flatnonzero(np.append(actions[None], simulated_actions, axis=0).any(axis=0)):
        name = demonstrations.action_names[a] if demonstrations.action_names else str(a)
        checks.append(_check(f"share of action {name}", actions[a], simulated_actions[:, a]))
    for name, value in scalars.items():
        checks.append(_check(name, value, np.array([one[0][name] for one in made])))
    return PredictiveChecks(tuple(checks), visits, simulated_visits, actions, simulated_actions)


def _simulated(
    draw: Callable[..., Demonstrations],
    sizes: tuple[int, int],
    favourites: Int[np.ndarray, " n"],
    seed: int,
) -> tuple[dict[str, float], np.ndarray, np.ndarray]:
    """Statistics of one simulation."""
    return _summary(draw(seed=seed), sizes, favourites)


def _summary(
    data: Demonstrations, sizes: tuple[int, int], favourites: Int[np.ndarray, " n"]
) -> tuple[dict[str, float], np.ndarray, np.ndarray]:
    """Statistics with one value each, shares of states, and shares of actions."""
    acted = data.actions[data.acted]
    actions = np.bincount(acted, minlength=sizes[1]) / max(acted.size, 1)
    visits, scalars = np.zeros(0), {}
    if _numbered(data):
        visits = np.bincount(data.states, minlength=sizes[0]) / data.num_decisions
        pairs = np.unique(np.stack([data.trajectory_of, data.states]), axis=1)
        scalars = {
            "different states per trajectory": pairs.shape[1] / data.num_trajectories,
            "decisions until a favourite state again": _return_time(data, favourites),
        }
    scalars["run of one action"] = _run_length(data)
    for lag in _LAGS:
        again = _repetition(data, lag) - float((actions**2).sum())
        scalars[f"same action {lag} later, beyond chance"] = again
    return scalars, visits, actions


def _numbered(data: Demonstrations) -> bool:
    """Whether states can be counted."""
    return data.states.ndim == 1


def _return_time(data: Demonstrations, favourites: Int[np.ndarray, " n"]) -> float:
    """Mean number of decisions between entries into a favourite state, in one trajectory."""
    waits = []
    for state in favourites:
        entered = data.states == state
        entered[1:] &= (data.states[:-1] != state) | ~data.continues[1:]
        rows = np.flatnonzero(entered)
        same = data.trajectory_of[rows[1:]] == data.trajectory_of[rows[:-1]]
        waits.append(np.diff(rows)[same])
    every = np.concatenate(waits)
    return float(every.mean()) if every.size else float("nan")


def _run_length(data: Demonstrations) -> float:
    """Mean number of decisions in a row with the same action."""
    same = data.continues[1:] & (data.actions[1:] == data.actions[:-1])
    acted = data.acted
    runs = acted & ~np.append(False, same)
    return float(acted.sum() / runs.sum()) if runs.any() else float("nan")


def _repetition(data: Demonstrations, lag: int) -> float:
    """Share of the decisions whose action is taken again `lag` decisions later."""
    if data.num_decisions <= lag:
        return float("nan")
    piece = np.cumsum(~data.continues)
    both = (piece[lag:] == piece[:-lag]) & (data.actions[lag:] >= 0) & (data.actions[:-lag] >= 0)
    return float((data.actions[lag:] == data.actions[:-lag])[both].mean()) if both.any() else np.nan


def _check(name: str, observed: float, simulated: Float[np.ndarray, " R"]) -> Check:
    """A statistic of which both tails count."""
    known = simulated[np.isfinite(simulated)]
    if not np.isfinite(observed) or not known.size:
        return Check(name, float(observed), simulated, float("nan"))
    near = 1e-12 * max(1.0, abs(float(observed)))
    below, above = (known <= observed + near).sum(), (known >= observed - near).sum()
    p_value = min(1.0, 2 * (1 + min(below, above)) / (known.size + 1))
    return Check(name, float(observed), simulated, float(p_value))


def _visits_check(visits: Float[np.ndarray, " S"], simulated: Float[np.ndarray, "R S"]) -> Check:
    """Distance of the visits from the mean of the other simulations; only far out counts."""
    count = len(simulated)
    rest = (simulated.sum(axis=0) - simulated) / (count - 1)
    distances = np.abs(simulated - rest).sum(axis=1) / 2
    observed = float(np.abs(visits - simulated.mean(axis=0)).sum() / 2)
    p_value = (1 + (distances >= observed).sum()) / (count + 1)
    return Check("distance of state visits", observed, distances, float(p_value))
