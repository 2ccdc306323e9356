"""What a fit says of each decision, as a table keyed by subject, session and time."""

import os
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from jaxtyping import Shaped

from inverseq._core.errors import InputError
from inverseq.decisions.alignment import align
from inverseq.demonstrations import Demonstrations
from inverseq.demonstrations.columns import Columns, beside, key_columns
from inverseq.evaluate.posterior_table import write_columns
from inverseq.inverse.explanation import Explanation, check_arguments
from inverseq.policies.policy import log_taken
from inverseq.rewards.observations import ObservationReward

_PIECE = 250_000
"""Decisions that are worked out and written at a time."""


def decision_table(
    solution: Explanation, demonstrations: Demonstrations
) -> dict[str, Shaped[np.ndarray, " N"]]:
    """What a fit says of each decision, one row each, to be joined with other recordings.

    Args:
        solution: What `fit` returned; of finitely many actions.
        demonstrations: N decisions, seen in the fit or not.

    Returns:
        Columns `[N]` by name, in the order of the source's rows: where each decision stands, as in
        `posterior_table`; "probability" of the action taken, given what came before it;
        "log_likelihood", its logarithm, in nats; "surprise", how many nats less likely it was than
        actions there are on average (minus the log-likelihood, less the entropy of the policy).
        Where one reward was fitted in a world also "value" of the state and "advantage" of the
        action: its value less the mean over actions as they are chosen there, both in units of the
        policy's temperature. Where a deep reward was fitted to features, "reward" of the action
        and whether it is "supported", see `ObservationReward`. NaN where the action is missing.

    Raises:
        InputError: The decisions do not fit the world, actions are continuous, or a column per
            trajectory has the name of one of these.
    """
    _check(solution, demonstrations)
    everything = np.arange(demonstrations.num_decisions)
    table = beside(key_columns(demonstrations, everything), _told(solution, demonstrations))
    order = np.argsort(table["row"], kind="stable")
    return {name: values[order] for name, values in table.items()}


def write_decisions(
    solution: Explanation, demonstrations: Demonstrations, path: str | os.PathLike
) -> Path:
    """Write `decision_table` to a Parquet or CSV file, whole or not at all.

    Trajectories are written piece by piece, so that the table is never in memory as a whole.

    Args:
        solution: What `fit` returned.
        demonstrations: N decisions.
        path: Ends in .parquet, .pq or .csv.

    Returns:
        `path`.

    Raises:
        InputError: As `decision_table`, another ending, or a folder that cannot be written to.
    """
    _check(solution, demonstrations)
    rows = demonstrations.rows
    sorted_already = rows is None or bool((np.diff(rows) > 0).all())
    pieces = _pieces(solution, demonstrations)
    return write_columns(pieces, path, None if sorted_already else "row")


def _pieces(solution: Explanation, demonstrations: Demonstrations) -> Iterator[Columns]:
    """The table, some trajectories at a time; all at once where intentions outlast trajectories."""
    starts, count = demonstrations.starts, demonstrations.num_trajectories
    first = 0
    while first < count:
        last = count
        if len(solution.intentions) == 1:
            last = max(int(np.searchsorted(starts, starts[first] + _PIECE, "right")) - 1, first + 1)
        part = demonstrations
        if last - first < count:
            part = demonstrations.take(np.arange(first, last))
        chosen = np.arange(starts[first], starts[last])
        yield beside(key_columns(demonstrations, chosen), _told(solution, part))
        first = last


def _check(solution: Explanation, demonstrations: Demonstrations) -> None:
    """Raise an `InputError` where there is nothing that such a table could tell."""
    check_arguments(solution, demonstrations, "decision_table")
    if solution.num_actions is None:
        raise InputError(
            "a table of decisions tells probabilities, and continuous actions have densities: ask "
            "solution.log_likelihoods(demonstrations)"
        )


def _told(solution: Explanation, demonstrations: Demonstrations) -> Columns:
    """What the fit says of each decision, in the order of `demonstrations`."""
    policy = solution.probabilities(demonstrations)
    acted = demonstrations.acted
    logs = np.where(acted, log_taken(policy, demonstrations), np.nan)
    weighed = policy * np.log(np.where(policy > 0, policy, 1.0))
    found = {
        "probability": np.exp(logs),
        "log_likelihood": logs,
        "surprise": weighed.sum(axis=1) - logs,
    }
    one = solution.intentions[0] if len(solution.intentions) == 1 else None
    if one is not None and one.mdp is not None and one.v is not None and one.q is not None:
        states = align(demonstrations, one.mdp)
        q = np.where(policy > 0, one.q[states], 0.0)
        taken = q[np.arange(len(q)), np.where(acted, demonstrations.actions, 0)]
        found["value"] = np.asarray(one.v)[states]
        found["advantage"] = np.where(acted, taken - (policy * q).sum(axis=1), np.nan)
    if one is not None and isinstance(one.reward_function, ObservationReward):
        rows = np.arange(len(acted)), np.where(acted, demonstrations.actions, 0)
        found["reward"] = one.reward_function.values(demonstrations, None)
        found["supported"] = one.reward_function.supported(demonstrations)[rows] & acted
    return found
