"""What behaviour settles about a reward, what only a convention settles, and what nothing does.

Behaviour leaves the reward open up to r + v(s) - gamma E[v(next state)] for any v (Cao, Cohen and
Szpruch 2021, Theorem 1; see `inverseq.rewards.gauges`). A contrast <c, r> is settled by behaviour
if c is orthogonal to all of these. A gauge, or the behaviour of the same agent in other worlds or
at other discounts (Theorem 2 there), takes directions away.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from operator import index
from typing import SupportsIndex

import numpy as np
from jaxtyping import Bool, Float

from inverseq._core.arrays import frozen_array, require_finite, require_shape
from inverseq._core.errors import InputError
from inverseq._core.words import render_text
from inverseq.inverse.explanation import Explanation, check_explanation
from inverseq.mdp import MDP
from inverseq.rewards.gauges import Gauge, GaugeName, shaping, within_state

MAX_PAIRS = 4000
"""State-action pairs up to which `identify` works; it takes singular values of dense matrices."""

Visits = Float[np.ndarray, " S"] | Float[np.ndarray, "S A"]
"""Weight of the decisions seen in each state, or of each action there."""

Pair = tuple[SupportsIndex, SupportsIndex]
"""A state and an action."""

_NULL = 1e-9  # singular values below this share of the largest (of 1, for rewards) count as 0
_ORTHOGONAL = 1e-7  # share of a contrast that may lie in an open direction


class Verdict(StrEnum):
    """What is known of a contrast of the reward."""

    SETTLED = "settled by behaviour"
    SMOOTHED = "sized by the smoothing"
    CONVENTION = "settled by the gauge"
    OPEN = "open"
    UNSEEN = "not observed"


@dataclass(frozen=True, eq=False)
class Identification:
    """What behaviour and a gauge together say about a reward.

    Attributes:
        gauge: Name of the gauge.
        ambiguity: How many numbers behaviour alone leaves open (in all worlds together).
        remaining: How many are open still under the gauge.
        condition: By how much, at most, errors of the log-policy grow on the way to the values
            (largest over smallest singular value of what is solved).
        names: Names of the C contrasts.
        verdicts: `[C]` what is known of each.
        unseen_share: `[C]` share of the contrast's dependence on the log-policy that falls on
            states without a single decision: there the smoothing speaks. 0 without `visits`.
    """

    gauge: str
    ambiguity: int
    remaining: int
    condition: float
    names: tuple[str, ...]
    verdicts: tuple[Verdict, ...]
    unseen_share: Float[np.ndarray, " C"]

    def with_verdict(self, verdict: Verdict) -> tuple[str, ...]:
        """Names of the contrasts with this verdict."""
        return tuple(n for n, v in zip(self.names, self.verdicts, strict=True) if v is verdict)

    @property
    def counts(self) -> dict[Verdict, int]:
        """How many contrasts have each verdict."""
        return {verdict: len(self.with_verdict(verdict)) for verdict in Verdict}

    @property
    def leaning(self) -> int:
        """How many of the observed contrasts hang mostly on states without a decision."""
        return max(int((self.unseen_share > 0.5).sum()) - self.counts[Verdict.UNSEEN], 0)

    @property
    def text(self) -> str:
        """The same in plain words."""
        return "\n".join(render_text("inverseq.evaluate", "identification.j2", found=self))


def contrast(mdp: MDP, plus: Pair, minus: Pair) -> Float[np.ndarray, "S A"]:
    """C with <c, r> = r(plus) - r(minus), for two pairs (state, action).

    Raises:
        InputError: A pair is outside the world.
    """
    made = np.zeros((mdp.num_states, mdp.num_actions))
    for pair, sign in ((plus, 1.0), (minus, -1.0)):
        s, a = map(index, pair)
        if not (0 <= s < mdp.num_states and 0 <= a < mdp.num_actions):
            raise InputError(f"there is no state {s} with an action {a} in this world")
        made[s, a] += sign
    return made


def usual_contrasts(mdp: MDP) -> dict[str, Float[np.ndarray, "S A"]]:
    """Each action against the average of its state, and each state against the average of all.

    States with one action have no contrast of actions; terminal states have none at all.
    """
    live = mdp.allowed & ~mdp.terminal[:, None]
    share = live / np.maximum(live.sum(1, keepdims=True), 1)
    every_state = share / max(int((~mdp.terminal).sum()), 1)
    made: dict[str, np.ndarray] = {}
    for s in np.flatnonzero(~mdp.terminal):
        alone = np.zeros(live.shape)
        alone[s] = share[s]
        for a in np.flatnonzero(live[s]) if live[s].sum() > 1 else ():
            single = -alone
            single[s, a] += 1
            made[f"state {s}: action {a} - average"] = single
        if (~mdp.terminal).sum() > 1:
            made[f"state {s} - average of states"] = alone - every_state
    return made


def identify(
    mdp: MDP | Explanation,
    *,
    gauge: Gauge | GaugeName = "zero-mean",
    visits: Visits | None = None,
    contrasts: Mapping[str, Float[np.ndarray, "S A"]] | None = None,
    others: Sequence[MDP] = (),
) -> Identification:
    """Which contrasts of the reward behaviour in `mdp` can settle, and which only the gauge does.

    Args:
        mdp: The world in which behaviour was observed; or a solution with one intention, for its
            world and its visits.
        gauge: The choice among equivalent rewards, by name, or a `Gauge`.
        visits: `[S]` weight of the decisions seen in each state (`Solution.visits`), or `[S, A]`
            of each action there (`count(...).state_action`), which tells actions never taken from
            those taken: how little they are wanted only the smoothing or the prior says. What is
            left out counts as seen.
        contrasts: `[S, A]` weights of each contrast by name; `usual_contrasts` where left out.
        others: Worlds with the same states and actions in which the same agent, with the same
            reward, was observed as well: other transitions, another discount.

    Returns:
        The dimensions, the condition and one verdict per contrast.

    Raises:
        InputError: The world is too large (`MAX_PAIRS`), or something does not fit it.
    """
    mdp, visits = _world_and_visits(mdp, visits)
    rule = gauge if isinstance(gauge, Gauge) else Gauge(gauge)
    named = usual_contrasts(mdp) if contrasts is None else contrasts
    pairs = _check(mdp, visits, others)
    rows = _contrast_rows(mdp, named, pairs)
    freedom = [shaping(world)[pairs].toarray() for world in (mdp, *others)]
    agreement = _agreement(freedom)
    pins, known = _pins(mdp, rule, pairs, freedom[0], len(others))
    before = _Decomposed(agreement)
    after = _Decomposed(np.vstack([agreement, pins]))
    states = mdp.num_states
    settled = _avoids(rows, freedom[0] @ before.null[:states])
    pinned = _avoids(rows, freedom[0] @ after.null[:states])
    seen, taken = _seen(mdp, visits)
    # How the contrast depends on the log-policy: directly, and through the values.
    lifted = np.vstack([freedom[0].T @ rows.T, np.zeros((states * len(others), len(rows)))])
    through = after.pseudo_inverse_transposed(lifted)
    equations = agreement.shape[0]
    influence = rows - (known.T @ through[equations:]).T
    for i in range(len(others)):
        influence -= through[i * len(pairs) : (i + 1) * len(pairs)].T
    unseen = ~seen[pairs // mdp.num_actions]
    sized = (rows[:, ~taken[pairs]] != 0).any(1)
    size = np.abs(np.where(settled[:, None], rows, influence))
    share = size[:, unseen].sum(1) / np.maximum(size.sum(1), 1e-300)
    touches = (rows[:, unseen] != 0).any(1)
    return Identification(
        gauge=rule.name,
        ambiguity=before.null.shape[1],
        remaining=after.null.shape[1],
        condition=after.condition,
        names=tuple(named),
        verdicts=tuple(
            Verdict.UNSEEN
            if touches[i]
            else Verdict.SMOOTHED
            if settled[i] and sized[i]
            else Verdict.SETTLED
            if settled[i]
            else Verdict.CONVENTION
            if pinned[i]
            else Verdict.OPEN
            for i in range(len(rows))
        ),
        unseen_share=share,
    )


class _Decomposed:
    """Singular values of a matrix, its null space and its pseudo-inverse."""

    def __init__(self, matrix: Float[np.ndarray, "M n"]) -> None:
        left, values, right = np.linalg.svd(matrix, full_matrices=matrix.shape[0] < matrix.shape[1])
        rank = int((values > _NULL * values.max(initial=1.0)).sum())
        self.left, self.values = left[:, :rank], values[:rank]
        if right.shape[0] < matrix.shape[1] or matrix.shape[0] == 0:
            right = np.eye(matrix.shape[1])
        self.right, self.null = right[:rank], right[rank:].T
        self.condition = float(values[0] / values[rank - 1]) if rank else 1.0

    def pseudo_inverse_transposed(self, y: Float[np.ndarray, "n C"]) -> Float[np.ndarray, "M C"]:
        """pinv(matrix)' y."""
        return self.left @ ((self.right @ y) / self.values[:, None])


def _seen(mdp: MDP, visits: Visits | None) -> tuple[Bool[np.ndarray, " S"], Bool[np.ndarray, " n"]]:
    """States with a decision, and pairs s * A + a that may have been taken."""
    if visits is None:
        return np.ones(mdp.num_states, bool), np.ones(mdp.allowed.size, bool)
    behind = np.asarray(visits) > 0
    pairs = np.broadcast_to(behind if behind.ndim > 1 else behind[:, None], mdp.allowed.shape)
    return np.asarray(pairs.any(axis=1)), pairs.ravel()


def _world_and_visits(given: object, visits: Visits | None) -> tuple[MDP, Visits | None]:
    """Of what `identify` was given; an `InputError` where there is no world in it."""
    if isinstance(given, MDP):
        return given, visits
    check_explanation(given, "identify")
    assert isinstance(given, Explanation)  # the line above sees to it
    if given.mdp is None or len(given.intentions) != 1:
        raise InputError(
            "what behaviour settles depends on the world: give a world, or one solution fitted "
            f"with mdp=...; this {given.solver} has "
            + ("none" if given.mdp is None else "several intentions: ask for each of them")
        )
    return given.mdp, given.intentions[0].visits if visits is None else visits


def _check(mdp: MDP, visits: Visits | None, others: Sequence[MDP]) -> np.ndarray:
    """Numbers s * A + a of the pairs that exist, after checking that everything fits."""
    if mdp.num_states * mdp.num_actions > MAX_PAIRS:
        raise InputError(
            f"identify takes dense singular values: {mdp.num_states} states and {mdp.num_actions} "
            f"actions are more than {MAX_PAIRS} pairs. Cut out the part of the world in question."
        )
    for number, other in enumerate(others):
        if not np.array_equal(other.allowed, mdp.allowed):
            raise InputError(f"others[{number}] has other states or actions than the world")
    if visits is not None and np.shape(visits) != mdp.allowed.shape:
        require_shape(np.asarray(visits), (mdp.num_states,), "visits", "S")
    return np.flatnonzero(mdp.allowed)


def _contrast_rows(
    mdp: MDP, named: Mapping[str, np.ndarray], pairs: np.ndarray
) -> Float[np.ndarray, "C n"]:
    """Contrasts as rows over the pairs that exist."""
    rows = np.zeros((len(named), len(pairs)))
    for i, (name, values) in enumerate(named.items()):
        array = frozen_array(values, np.float64, f"contrast {name!r}")
        require_shape(array, mdp.allowed.shape, f"contrast {name!r}", "S, A")
        require_finite(array, f"contrast {name!r}")
        if array[~mdp.allowed].any():
            raise InputError(f"contrast {name!r} weighs an action that does not exist")
        if not array.any():
            raise InputError(f"contrast {name!r} is zero everywhere")
        rows[i] = array.ravel()[pairs]
    return rows


def _agreement(freedom: list[np.ndarray]) -> Float[np.ndarray, "M n"]:
    """Equations that say that all worlds have one reward: K_1 v_1 - K_i v_i = known, for each i."""
    pairs, states = freedom[0].shape
    made = np.zeros(((len(freedom) - 1) * pairs, len(freedom) * states))
    for i, other in enumerate(freedom[1:]):
        rows = slice(i * pairs, (i + 1) * pairs)
        made[rows, :states] = freedom[0]
        made[rows, (i + 1) * states : (i + 2) * states] = -other
    return made


def _pins(
    mdp: MDP, gauge: Gauge, pairs: np.ndarray, freedom: np.ndarray, others: int
) -> tuple[np.ndarray, np.ndarray]:
    """Equations of the gauge and of the terminal values, and how they depend on the log-policy."""
    live = ~mdp.terminal[pairs // mdp.num_actions]
    if gauge.is_statewise:
        spread = np.zeros((mdp.num_states, mdp.num_states * mdp.num_actions))
        for s, weights in enumerate(gauge.weights(mdp)):
            spread[s, s * mdp.num_actions : (s + 1) * mdp.num_actions] = weights
        rule = spread[:, pairs][~mdp.terminal]
    elif gauge.name == "state-only":
        rule = within_state(mdp)[pairs][:, pairs].toarray()
    else:
        rule = np.diag(live.astype(np.float64))
    ends = np.eye(mdp.num_states)[mdp.terminal]
    values = np.vstack([rule @ freedom, ends])
    known = np.vstack([rule, np.zeros((len(ends), len(pairs)))])
    return np.pad(values, [(0, 0), (0, others * mdp.num_states)]), known


def _avoids(
    rows: Float[np.ndarray, "C n"], directions: Float[np.ndarray, "n k"]
) -> Bool[np.ndarray, " C"]:
    """Which contrasts are orthogonal to all directions."""
    if not directions.shape[1]:
        return np.ones(len(rows), dtype=bool)
    basis, values, _ = np.linalg.svd(directions, full_matrices=False)
    basis = basis[:, values > _NULL * values[0]]
    return np.linalg.norm(rows @ basis, axis=1) <= _ORTHOGONAL * np.linalg.norm(rows, axis=1)
