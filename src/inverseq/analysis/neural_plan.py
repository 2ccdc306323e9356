"""What an analysis is asked of neurons and other signals beside the decisions."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, get_args

from inverseq._core.errors import InputError, argument
from inverseq.neural.choices import Correction, Null

ANY = "any"
"""Stands for the action that ends every trial, where there is one."""


@dataclass(frozen=True)
class NeuralPlan:
    """Which units and signals are related to what, and how that is judged.

    Attributes:
        units: Column of the table of units -> the value that is looked at (`{"quality": "good"}`);
            all units where left out.
        signals: Names of the signals that are looked at; all where None, none for `()`.
        area: Column of the units that says where each is; None for "area" where there is one.
        window: Seconds around a decision whose activity is related to it. What lies after the
            decision knows what it led to.
        bin_width: Width in seconds of the pieces in which regressors are read out, and of what
            foretells an act.
        lags: Seconds by which the window is moved, each asked.
        regressors: Series of `inverseq.neural.regressors`; all that vary where left out.
        covariates: What is taken out of both sides, as in `neural.relate`; None for the action, the
            time in the trajectory, and a column "reward" where there is one.
        drift: Slow cosines of the session that are taken out as well.
        null: Whether regressors are shifted in a circle, or exchanged between parts.
        within: Column of the trajectories whose parts are shuffled each by itself; empty for all
            as one.
        shuffles: Of each null.
        correction: For asking many: "max" (the largest of each shuffle), "holm" or "bh", as in
            `adjust_p_values`; lags are then counted (Bonferroni).
        foretell: The action that ends the wait of each trial, which is then foretold by NeuRL and
            by others; "any" for the one of two that does so in all trials, if any; None for none.
        configurations: Settings that each method draws in each fold.
        doses: Shares of their spikes that areas are silenced by, on paper.

    Raises:
        InputError: A number is out of its range, or a word none of the choices.
    """

    units: Mapping[str, str] = field(default_factory=dict)
    signals: tuple[str, ...] | None = None
    area: str | None = None
    window: tuple[float, float] = (-0.3, 0.0)
    bin_width: float = 0.1
    lags: tuple[float, ...] = (0.0,)
    regressors: tuple[str, ...] = ()
    covariates: tuple[str, ...] | None = None
    drift: int = 8
    null: Null = "shift"
    within: str = ""
    shuffles: int = 1000
    correction: Correction = "max"
    foretell: str | None = ANY
    configurations: int = 4
    doses: tuple[float, ...] = (0.1, 0.2, 0.3, 0.5)

    def __post_init__(self) -> None:
        low, high = self.window
        expected: dict[str, tuple[Any, bool, str]] = {
            "window": (self.window, low < high, "a time and a later one"),
            "bin_width": (
                self.bin_width,
                0 < self.bin_width <= high - low,
                "above 0, at most the window",
            ),
            "lags": (self.lags, bool(self.lags), "one or more times in seconds"),
            "drift": (self.drift, self.drift >= 0, "0 or more"),
            "shuffles": (self.shuffles, self.shuffles >= 19, "19 or more"),
            "configurations": (self.configurations, self.configurations >= 1, "1 or more"),
            "doses": (self.doses, all(0 < d <= 1 for d in self.doses), "shares above 0, up to 1"),
        }
        for name, choices in (("null", Null), ("correction", Correction)):
            value, words = getattr(self, name), get_args(choices)
            expected[name] = (value, value in words, f"one of {', '.join(words)}")
        for name, (value, will_do, what) in expected.items():
            if not will_do:
                raise InputError(f"{name} must be {what}; got {value}")
        if self.null == "exchange" and not self.within:
            raise InputError(
                f"{argument('null', 'exchange')} exchanges parts: say which with "
                f"{argument('within', 'trajectory')}, or take {argument('null', 'shift')}"
            )

    @property
    def sees_ahead(self) -> bool:
        """Whether a window reaches beyond the decision."""
        return self.window[1] + max(self.lags) > 0
