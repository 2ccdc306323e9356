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
from scipy import sparse

from inverseq._core.arrays import frozen_array, require_finite, require_shape
from inverseq._core.errors import InputError
from inverseq._core.nullspace import null_space
from inverseq._core.words import render_text
from inverseq.evaluate.shared import (
    Behaviour,
    SharedReward,
    agreement,
    behaviour_of,
    shared_reward,
)
from inverseq.inverse.explanation import Explanation, check_explanation
from inverseq.mdp import MDP
from inverseq.rewards.gauges import Gauge, GaugeName, shaping, within_state

MAX_PAIRS = 4000
"""State-action pairs up to which `identify` asks about the usual contrasts by itself."""

Visits = Float[np.ndarray, " S"] | Float[np.ndarray, "S A"]
"""Weight of the decisions seen in each state, or of each action there."""

Pair = tuple[SupportsIndex, SupportsIndex]
"""A state and an action."""

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
        shared: The reward behind all behaviours, where there were several; else None.
    """

    gauge: str
    ambiguity: int
    remaining: int
    condition: float
    names: tuple[str, ...]
    verdicts: tuple[Verdict, ...]
    unseen_share: Float[np.ndarray, " C"]
    shared: SharedReward | None = None

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
    also: Sequence[MDP | Explanation] = (),
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
        contrasts: `[S, A]` weights of each contrast by name; `usual_contrasts` where left out, and
            none in worlds of more than `MAX_PAIRS` pairs.
        also: Worlds with the same states and actions in which the same reward was behind behaviour
            as well: other transitions, another discount, another agent. Solutions fitted there say
            what that reward is, where `mdp` is a solution too (`Identification.shared`).

    Returns:
        The dimensions, the condition and one verdict per contrast; with `also`, the reward that all
        share.

    Raises:
        InputError: Something does not fit the world.
    """
    given = (mdp, *also)
    mdp, visits = _world_and_visits(mdp, visits)
    worlds = [mdp, *(_world_and_visits(one, None)[0] for one in also)]
    rule = gauge if isinstance(gauge, Gauge) else Gauge(gauge)
    pairs = _check(mdp, visits, worlds[1:])
    named = contrasts
    if named is None:
        named = usual_contrasts(mdp) if pairs.size <= MAX_PAIRS else {}
    rows = _contrast_rows(mdp, named, pairs)
    freedom = shaping(mdp)[pairs]
    agreed = agreement(worlds)
    pins, known = _pins(mdp, rule, pairs, freedom, len(also))
    before = null_space(agreed)
    after = null_space(sparse.csr_array(sparse.vstack([agreed, pins])))
    # How a contrast depends on the values, and so on what is open of them.
    lifted = np.vstack([freedom.T @ rows.T, np.zeros((mdp.num_states * len(also), len(rows)))])
    least = _ORTHOGONAL * np.linalg.norm(rows, axis=1)
    settled, pinned = before.open_part(lifted) <= least, after.open_part(lifted) <= least
    # How it depends on the log-policy of this world: directly, and through the values.
    through = after.pseudo_inverse_transposed(lifted)
    direct = sparse.csr_array((0, pairs.size)) if not also else _own(pairs.size, len(worlds))
    influence = rows - (sparse.vstack([direct, known]).T @ through).T
    seen, taken = _seen(mdp, visits)
    unseen = ~seen[pairs // mdp.num_actions]
    sized = (rows[:, ~taken[pairs]] != 0).any(1)
    size = np.abs(np.where((settled & (not also))[:, None], rows, influence))
    share = size[:, unseen].sum(1) / np.maximum(size.sum(1), 1e-300)
    touches = (rows[:, unseen] != 0).any(1)
    return Identification(
        gauge=rule.name,
        ambiguity=before.nullity,
        remaining=after.nullity,
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
        shared=shared_reward(_behaviours(given), before) if also else None,
    )


def _seen(mdp: MDP, visits: Visits | None) -> tuple[Bool[np.ndarray, " S"], Bool[np.ndarray, " n"]]:
    """States with a decision, and pairs s * A + a that may have been taken."""
    if visits is None:
        return np.ones(mdp.num_states, bool), np.ones(mdp.allowed.size, bool)
    behind = np.asarray(visits) > 0
    pairs = np.broadcast_to(behind if behind.ndim > 1 else behind[:, None], mdp.allowed.shape)
    return np.asarray(pairs.any(axis=1)), pairs.ravel()


def _behaviours(given: Sequence[MDP | Explanation]) -> list[Behaviour]:
    """Of worlds and solutions with one intention."""
    return [
        behaviour_of(
            one if isinstance(one, MDP) else one.intentions[0],
            f"also[{number - 1}]" if number else "the solution",
        )
        for number, one in enumerate(given)
    ]


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
    for number, other in enumerate(others):
        if not np.array_equal(other.allowed, mdp.allowed):
            raise InputError(f"also[{number}] has other states or actions than the world")
        if not np.array_equal(other.terminal, mdp.terminal):
            raise InputError(f"also[{number}] ends in other states than the world")
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


def _own(pairs: int, worlds: int) -> sparse.csr_array:
    """`[W * n, n]` how `agreement` depends on the log-policy of the first world."""
    own = [[sparse.eye_array(pairs) * ((i == 0) - 1 / worlds)] for i in range(worlds)]
    return sparse.csr_array(sparse.block_array(own))


def _pins(
    mdp: MDP, gauge: Gauge, pairs: np.ndarray, freedom: sparse.csr_array, others: int
) -> tuple[sparse.csr_array, sparse.csr_array]:
    """Equations of the gauge and of the terminal values, and how they depend on the log-policy."""
    live = ~mdp.terminal[pairs // mdp.num_actions]
    if gauge.is_statewise:
        states = pairs // mdp.num_actions
        entries = gauge.weights(mdp).ravel()[pairs], (states, np.arange(pairs.size))
        shape = (mdp.num_states, pairs.size)
        rule = sparse.coo_array(entries, shape=shape).tocsr()[~mdp.terminal]
    elif gauge.name == "state-only":
        rule = within_state(mdp)[pairs][:, pairs]
    else:
        rule = sparse.diags_array(live.astype(np.float64))
    ends = sparse.eye_array(mdp.num_states, format="csr")[mdp.terminal]
    values = sparse.vstack([rule @ freedom, ends])
    known = sparse.vstack([rule, sparse.csr_array((ends.shape[0], pairs.size))])
    rest = sparse.csr_array((values.shape[0], others * mdp.num_states))
    return sparse.csr_array(sparse.hstack([values, rest])), sparse.csr_array(known)
