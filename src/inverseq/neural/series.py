"""What an explanation says of each decision, as series in time."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Float, Int

from inverseq._core.arrays import freeze, require_shape
from inverseq._core.display import data_frame
from inverseq._core.errors import InputError
from inverseq.decisions.alignment import align
from inverseq.demonstrations import Demonstrations
from inverseq.intentions.predict import posterior
from inverseq.intentions.solution import IntentionSolution
from inverseq.inverse.explanation import Explanation, check_arguments
from inverseq.inverse.values.iql_transitions import next_states
from inverseq.policies.policy import log_taken


@dataclass(frozen=True, eq=False)
class Regressors:
    """G series of N decisions.

    Attributes:
        series: Name -> `[N]`; NaN where the decision does not tell.
        times: `[N]` of the decisions, in seconds; None where they have none.
    """

    series: Mapping[str, Float[np.ndarray, " N"]]
    times: Float[np.ndarray, " N"] | None = None

    def __post_init__(self) -> None:
        freeze(self, np.float64, "series", "times")
        lengths = {len(values) for values in self.series.values()}
        if len(lengths) != 1:
            raise InputError(f"regressors need 1 or more series of one length; got {lengths}")
        if self.times is not None:
            require_shape(self.times, (lengths.pop(),), "times", "N")

    @property
    def names(self) -> tuple[str, ...]:
        """Of the series."""
        return tuple(self.series)

    def on(self, clock: Float[np.ndarray, " M"]) -> "Regressors":
        """The series on another clock: at each of its times what the last decision said; NaN before
        the first.

        Args:
            clock: `[M]` seconds, on the clock of the decisions.

        Raises:
            InputError: The decisions have no times, or these do not rise.
        """
        times = self._known()
        if (np.diff(times) < 0).any():
            raise InputError("decisions are not in the order of time; take one session at a time")
        place = np.searchsorted(times, clock, side="right") - 1
        at = lambda values: np.where(place >= 0, values[np.maximum(place, 0)], np.nan)  # noqa: E731
        return Regressors({name: at(values) for name, values in self.series.items()}, clock)

    def to_pandas(self) -> Any:
        """A pandas data frame with a column per series, and "time" where it is known.

        Raises:
            InputError: pandas is not installed.
        """
        known = {} if self.times is None else {"time": self.times}
        return data_frame({**known, **self.series})

    def to_pynapple(self) -> Any:
        """A `TsdFrame` of pynapple.

        Raises:
            InputError: pynapple is not installed, or the decisions have no times.
        """
        times = self._known()
        try:
            import pynapple
        except ImportError as error:
            raise InputError('to_pynapple needs pynapple: pip install "inverseq[nwb]"') from error
        columns = np.stack([*self.series.values()], axis=1)
        return pynapple.TsdFrame(t=times, d=columns, columns=[*self.series])

    def _known(self) -> Float[np.ndarray, " N"]:
        if self.times is None:
            raise InputError('decisions have no times; read their table with time="..."')
        return self.times


_OF_VALUES = ("value", "action value", "advantage", "reward", "prediction error")


def possible(intentions: int | None) -> tuple[str, ...]:
    """Names of all series that `regressors` may tell, before anything is fitted.

    Args:
        intentions: How many; None for one reward.
    """
    several = (
        [*(f"intention {k}" for k in range(1, intentions + 1)), "switch"] if intentions else []
    )
    return ("surprise", "entropy", *_OF_VALUES, *several)


def regressors(explanation: Explanation, demonstrations: Demonstrations) -> Regressors:
    """What a fit says of each decision, as series for neurons or other signals to be related to.

    Several intentions are weighed by what is believed of them after the decision (filtered).

    Args:
        explanation: What `fit` returned, of finitely many actions.
        demonstrations: N decisions, seen in the fit or not.

    Returns:
        Series `[N]`: "surprise" (how much less likely the action was than actions are there) and
        "entropy" of the policy, in nats; where a reward was fitted in a world "value" of the state,
        "action value" and "advantage" of what was done, "reward", and "prediction error", reward +
        gamma * value of the next state - value, all in units of the policy's temperature; for K
        intentions "intention 1" to K, their probabilities, and "switch", the probability that the
        intention is another than at the decision before.

    Raises:
        InputError: The decisions do not fit the world, or actions are continuous.
    """
    check_arguments(explanation, demonstrations, "regressors")
    if explanation.num_actions is None:
        raise InputError("regressors tell of finitely many actions; these are continuous")
    policy = np.asarray(explanation.probabilities(demonstrations))
    acted = demonstrations.acted
    logs = np.where(acted, log_taken(policy, demonstrations), np.nan)
    entropy = -(policy * np.log(np.where(policy > 0, policy, 1.0))).sum(axis=1)
    made = {"surprise": -logs - entropy, "entropy": entropy}
    several = isinstance(explanation, IntentionSolution)
    beliefs = (
        posterior(explanation, demonstrations).filtered
        if several
        else np.ones((len(acted), len(explanation.intentions)))
    )
    made |= _of_values(explanation, demonstrations, beliefs)
    if several:
        made |= {f"intention {k}": share for k, share in enumerate(beliefs.T, 1)}
        before = np.roll(beliefs, 1, axis=0)
        same = np.where(demonstrations.continues, (beliefs * before).sum(axis=1), np.nan)
        made["switch"] = 1.0 - same
    return Regressors(made, demonstrations.time)


def _of_values(
    explanation: Explanation, demonstrations: Demonstrations, beliefs: Float[np.ndarray, "N K"]
) -> dict[str, Float[np.ndarray, " N"]]:
    """Series that need a reward and values in a world; none where there are none."""
    found: dict[str, Any] = {}
    action = np.maximum(demonstrations.actions, 0)
    for k, one in enumerate(explanation.intentions):
        if one.mdp is None or one.v is None or one.q is None or one.reward is None:
            return {}
        states, v, q = align(demonstrations, one.mdp), np.asarray(one.v), np.asarray(one.q)
        policy = np.asarray(one.probabilities(demonstrations))
        rows = np.arange(len(states))
        exists = np.where(policy > 0, q[states], 0.0)
        onward = _onward(one, demonstrations, states, v)
        parts = {
            "value": v[states],
            "action value": q[states, action],
            "advantage": exists[rows, action] - (policy * exists).sum(axis=1),
            "reward": one.reward[states, action],
        }
        parts["prediction error"] = parts["reward"] + one.mdp.discount * onward - parts["value"]
        for name, values in parts.items():
            told = values if name == "value" else np.where(demonstrations.acted, values, np.nan)
            found[name] = found.get(name, 0.0) + beliefs[:, k] * told
    return found


def _onward(
    one: Any, demonstrations: Demonstrations, states: Int[np.ndarray, " N"], v: np.ndarray
) -> Float[np.ndarray, " N"]:
    """Value of where each decision led: of the state that is known to follow, else of what was
    expected; 0 after a terminal state.
    """
    onward = one.mdp.expected(v)[states, np.maximum(demonstrations.actions, 0)]
    then = next_states(demonstrations, one.mdp, states)
    known = (then >= 0) & ~one.mdp.terminal[states]
    onward[known] = v[then[known]]
    return onward
