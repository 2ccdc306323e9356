"""What there is to say of a fit to observations, where no world has places to draw."""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace

import numpy as np
from jaxtyping import Float, Int

from inverseq._core.arrays import names_or_numbers
from inverseq._core.errors import InputError, argument
from inverseq.demonstrations import Box, Demonstrations
from inverseq.evaluate.calibration import Calibration, calibration
from inverseq.inverse.explanation import transition_rewards
from inverseq.inverse.solution import Solution
from inverseq.mdp import MDP
from inverseq.rewards.observations import ObservationReward
from inverseq.rewards.reward import Reward

_CELLS = 24
"""Cells of a drawing in each direction."""
_INSIDE = (0.5, 99.5)
"""Percentiles of a component between which it is drawn."""


@dataclass(frozen=True)
class Earned:
    """What an action earns where states are observations, over the held-out decisions.

    Attributes:
        action: Its name.
        decisions: How many of them have a known reward.
        mean: Their mean reward, in units of the policy's temperature; NaN where there are none.
        spread: Standard deviation.
    """

    action: str
    decisions: int
    mean: float
    spread: float


@dataclass(frozen=True, eq=False)
class Drawn:
    """A reward over two components, averaged over the decisions in each of Y x X cells.

    Attributes:
        components: Names of the component to the right and of the one upwards.
        edges: Of the cells, `[X + 1]` and `[Y + 1]`.
        decisions: `[Y, X]` how many there are.
        rewards: `[A, Y, X]` mean reward of each action at them; NaN in cells without decisions.
        values: `[Y, X]` mean value of the best supported action; NaN likewise.
        actions: Names of the actions.
        peaks: `[R, 2]` where the value is highest in R fits to units drawn again; R may be 0.
    """

    components: tuple[str, str]
    edges: tuple[Float[np.ndarray, " X1"], Float[np.ndarray, " Y1"]]
    decisions: Int[np.ndarray, "Y X"]
    rewards: Float[np.ndarray, "A Y X"]
    values: Float[np.ndarray, "Y X"]
    actions: tuple[str, ...]
    peaks: Float[np.ndarray, "R 2"] = field(default_factory=lambda: np.zeros((0, 2)))

    def highest(self, numbers: Float[np.ndarray, "Y X"]) -> tuple[float, float, float]:
        """Middle and number of the cell in which numbers are highest; few decisions are noise."""
        often = self.decisions >= np.median(self.decisions[self.decisions > 0])
        known = np.where(often, numbers, -np.inf)
        y, x = np.unravel_index(int(np.argmax(known)), known.shape)
        right, up = ((e[1:] + e[:-1]) / 2 for e in self.edges)
        return float(right[x]), float(up[y]), float(known[y, x])

    @property
    def peak(self) -> tuple[float, float]:
        """Where the value is highest."""
        return self.highest(self.values)[:2]

    @property
    def peak_between(self) -> list[tuple[float, float]]:
        """95 % of the refits have it between these, for each component; nothing without refits."""
        ends = np.percentile(self.peaks, (2.5, 97.5), axis=0).T if len(self.peaks) else ()
        return [(float(low), float(high)) for low, high in ends]


@dataclass(frozen=True, eq=False)
class Support:
    """How much stands behind the values of actions, over the held-out decisions.

    Attributes:
        least: Probability below which an action has too little behind it.
        taken: Share of the actions taken that have.
        existing: Share of all actions that exist that have.
    """

    least: float
    taken: float
    existing: float


@dataclass(frozen=True, eq=False)
class Observed:
    """What a fit to observations says.

    Attributes:
        calibration: Of the held-out decisions; None where none has a choice.
        gauge: Which of the equivalent rewards; empty where the solver has no say.
        temperature: That which was chosen for its probabilities; None likewise.
        support: How much stands behind values; None where the reward does not say.
        drawn: The reward over two components; None where there are no two, or likewise.
    """

    calibration: Calibration | None
    gauge: str
    temperature: float | None
    support: Support | None
    drawn: Drawn | None


def observed_of(
    solution: Solution,
    everything: Demonstrations,
    test: Demonstrations,
    over: tuple[str, str] | None,
    again: Iterable[Solution] = (),
) -> Observed | None:
    """What a fit says of observations; None of numbered states.

    Args:
        solution: The fit.
        everything: All decisions, for the drawing.
        test: Those held out, for the rest.
        over: Names of the components to draw over, of `drawn_over`.
        again: Refits to units drawn again, which are made where there is something to draw.
    """
    if (
        solution.mdp is not None
        or solution.num_actions is None
        or not isinstance(test.state_space, Box)
    ):
        return None
    choices = solution.exists(test)[test.acted].sum(axis=1) > 1
    judged = calibration(solution, test) if choices.any() else None
    gauge, heat = solution.settings.get("gauge"), solution.parameters.get("temperature")
    reward = solution.reward_function
    support = drawn = None
    if isinstance(reward, ObservationReward):
        support = _support(solution, reward, test)
        drawn = _drawn(solution, reward, everything, over)
        if drawn is not None:
            redrawn = [_drawn(s, s.reward_function, everything, over) for s in again]
            peaks = [each.peak for each in redrawn if each is not None]
            drawn = replace(drawn, peaks=np.array(peaks).reshape(-1, 2))
    temperature = None if heat is None else float(heat)
    return Observed(judged, str(gauge or ""), temperature, support, drawn)


def drawn_over(data: Demonstrations, asked: tuple[str, str] | None) -> tuple[str, str] | None:
    """The two components to draw over: those asked for, else the first two; None where there are
    no two.

    Raises:
        InputError: There is no such component.
    """
    names = component_names(data)
    for name in asked or ():
        if name not in names:
            raise InputError(
                f"{argument('over', name)}: no such component; there are {[*names] or 'none'}"
            )
    if asked is not None:
        return asked
    return (names[0], names[1]) if len(names) > 1 else None


def earned_of(solution: Solution, test: Demonstrations) -> tuple[Earned, ...]:
    """What each action earns; nothing where a world has a table of rewards, or there are none."""
    if solution.mdp is not None or solution.reward_function is None or test.actions.ndim > 1:
        return ()
    rewards = transition_rewards(solution, test)
    made = []
    for action, name in enumerate(action_names(test)):
        found = rewards[(test.actions == action) & np.isfinite(rewards)]
        moments = (found.mean(), found.std()) if found.size else (np.nan, np.nan)
        made.append(Earned(name, found.size, *map(float, moments)))
    return tuple(made)


def action_names(of: Demonstrations | MDP) -> tuple[str, ...]:
    """Names of its actions, else their numbers."""
    return names_or_numbers(of.action_names, of.num_actions)


def component_names(data: Demonstrations) -> tuple[str, ...]:
    """Of observations `[D]`: their names, else numbers; none of observations of another form."""
    space = data.state_space
    if not isinstance(space, Box) or len(space.shape) != 1:
        return ()
    return space.names or tuple(f"feature {d}" for d in range(space.shape[0]))


def _support(solution: Solution, reward: ObservationReward, test: Demonstrations) -> Support:
    """Shares of actions with enough behind them."""
    behind, acted = reward.supported(test)[test.acted], test.actions[test.acted]
    taken = behind[np.arange(len(acted)), acted].mean()
    exists = solution.exists(test)[test.acted]
    return Support(reward.support, float(taken), float(behind[exists].mean()))


def _drawn(
    solution: Solution,
    reward: Reward | None,
    data: Demonstrations,
    over: tuple[str, str] | None,
) -> Drawn | None:
    """The reward over two components; None where there are no two, or one never changes."""
    if over is None or not isinstance(reward, ObservationReward):
        return None
    names = component_names(data)
    columns = [data.states[:, names.index(name)].astype(np.float64) for name in over]
    ends = [np.percentile(c, _INSIDE) for c in columns]
    edges = [np.linspace(low, high, _CELLS + 1) for low, high in ends]
    if any(e[0] == e[-1] for e in edges):
        return None
    at = [np.searchsorted(e, c, side="right") - 1 for e, c in zip(edges, columns, strict=True)]
    inside = np.logical_and.reduce([(a >= 0) & (a < _CELLS) for a in at])
    cell = (at[1] * _CELLS + at[0])[inside]
    size = _CELLS * _CELLS
    decisions = np.bincount(cell, minlength=size)
    rewards = reward.of_actions(data)
    spoken = reward.supported(data) & solution.exists(data)
    values = np.where(spoken, reward.q(data), -np.inf).max(axis=1)

    def mean(numbers: Float[np.ndarray, " N"]) -> Float[np.ndarray, "Y X"]:
        total = np.bincount(cell, numbers[inside], minlength=size)
        empty = decisions == 0
        return np.where(empty, np.nan, total / np.where(empty, 1, decisions)).reshape(-1, _CELLS)

    return Drawn(
        over,
        (edges[0], edges[1]),
        decisions.reshape(-1, _CELLS),
        np.stack([mean(column) for column in rewards.T]),
        mean(values),
        action_names(data),
    )
