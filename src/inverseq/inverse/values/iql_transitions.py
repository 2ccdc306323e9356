"""What inverse Q-learning learns from: transitions (s, a, s') in the order they were observed."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from jaxtyping import Bool, Float, Int
from scipy import sparse

from inverseq._core.errors import InputError
from inverseq.decisions.alignment import align, check_existing, in_numbers, world_shift
from inverseq.decisions.counts import decision_weights
from inverseq.demonstrations import Demonstrations
from inverseq.inverse.problem import Problem
from inverseq.mdp import MDP
from inverseq.mdp.history import History


@dataclass(frozen=True, eq=False)
class Transitions:
    """M transitions in time order, and the world whose states and actions they are in.

    Attributes:
        mdp: The world that was given, or the one estimated from the same transitions. Learning
            reads its sizes, its discount, its terminal states and the actions that exist, never
            its probabilities.
        states: `[M]` where each decision was made.
        actions: `[M]` what was decided.
        next_states: `[M]` where it led; the state itself where the process ended.
        goes_on: `[M]` whether the process went on. Where it ended nothing is bootstrapped.
        weights: `[M]` weight of each transition, above 0.
    """

    mdp: MDP
    states: Int[np.ndarray, " M"]
    actions: Int[np.ndarray, " M"]
    next_states: Int[np.ndarray, " M"]
    goes_on: Bool[np.ndarray, " M"]
    weights: Float[np.ndarray, " M"]

    @cached_property
    def cells(self) -> Int[np.ndarray, " M"]:
        """Number s * A + a of each transition's state and action."""
        return self.states * self.mdp.num_actions + self.actions

    @cached_property
    def counts(self) -> Float[np.ndarray, "S A"]:
        """Weight of the transitions from each state by each action."""
        shape = (self.mdp.num_states, self.mdp.num_actions)
        total = np.bincount(self.cells, self.weights, minlength=shape[0] * shape[1])
        return total.reshape(shape)

    @cached_property
    def shares(self) -> sparse.csr_array:
        """`[S * A, S]` share of each next state after each state and action; what is missing from
        one is the share of endings. Rows of pairs never seen are empty.
        """
        live = self.goes_on
        share = self.weights[live] / self.counts.ravel()[self.cells[live]]
        shape = (self.counts.size, self.mdp.num_states)
        where = (self.cells[live], self.next_states[live])
        return sparse.coo_array((share, where), shape=shape).tocsr()

    def adding(self, added: Float[np.ndarray, "S A"]) -> "Transitions":
        """The same, and so many more of each state and action, which led where the world says."""
        mdp, weight = self.mdp, np.where(self.mdp.allowed, added, 0.0).ravel()
        led = mdp.transition_matrix.tocoo()
        ends = np.flatnonzero(np.repeat(mdp.terminal, mdp.num_actions) & (weight > 0))
        cells = np.concatenate([led.row, ends])
        states, actions = np.divmod(cells, mdp.num_actions)
        goes_on = np.arange(cells.size) < led.nnz
        share = np.append(led.data, np.ones(ends.size))
        used = weight[cells] > 0
        more = {
            "states": states,
            "actions": actions,
            "next_states": np.append(led.col, ends // mdp.num_actions),
            "goes_on": goes_on,
            "weights": weight[cells] * share,
        }
        return Transitions(
            mdp, **{k: np.concatenate([getattr(self, k), v[used]]) for k, v in more.items()}
        )


def observed_transitions(problem: Problem, discount: float | None) -> Transitions:
    """The transitions of a problem.

    Left out are rows whose action is missing, rows of weight 0, and rows after which nobody saw
    where the process went: a trajectory cut off without a next state, a hole in the recording. A
    cut that did record the next state counts like any other transition. A row that the world
    ended, or made in a terminal state, needs no next state.

    Args:
        problem: With demonstrations; the world is optional.
        discount: gamma; None takes the world's.

    Raises:
        InputError: No transition is left, the discount is missing or is not the world's, or a row
            does not fit the world; the message names the row.
    """
    demonstrations = problem.decisions
    mdp = _world(problem, discount)
    states = align(demonstrations, mdp)
    check_existing(demonstrations, mdp, states)
    following = next_states(demonstrations, mdp, states)
    ended = demonstrations.terminated | mdp.terminal[states]
    weights = decision_weights(problem.weights, states.size)
    used = demonstrations.acted & (ended | (following >= 0)) & (weights > 0)
    if not used.any():
        raise InputError(
            "no row has an action and a known next state (or an end), so there is no transition to "
            "learn from. Give next_states, or trajectories of two rows and more."
        )
    return Transitions(
        mdp=mdp,
        states=states[used],
        actions=demonstrations.actions[used],
        next_states=np.where(ended, states, following)[used],
        goes_on=~ended[used],
        weights=np.asarray(weights, dtype=np.float64)[used],
    )


def _world(problem: Problem, discount: float | None) -> MDP:
    """The world that was given, or the one counted in the transitions."""
    given = problem.given_mdp
    if given is None:
        if discount is None:
            raise InputError(
                "without a world the discount is not known: give IQL(discount=0.9), or pass mdp=..."
            )
        return MDP.estimate(problem.decisions, discount=discount)
    if discount is not None and discount != given.discount:
        raise InputError(
            f"discount={discount:g} contradicts the world's {given.discount:g}; leave it out, or "
            "change the world with dataclasses.replace(mdp, discount=...)"
        )
    return given


def next_states(
    demonstrations: Demonstrations, mdp: MDP, states: Int[np.ndarray, " N"]
) -> Int[np.ndarray, " N"]:
    """Next state of each row in the numbers of `mdp`; -1 where unknown."""
    demonstrations = in_numbers(demonstrations, mdp)
    shift = world_shift(demonstrations, mdp)
    following = demonstrations.next_states
    base = np.where(following >= 0, following + shift, -1)
    if mdp.worlds is None:
        limit = mdp.num_states if mdp.history is None else mdp.history.num_base_states
    else:
        offsets = np.asarray(mdp.worlds.offsets)
        limit = offsets[np.searchsorted(offsets, shift, side="right")]
    outside = base >= limit
    if outside.any():
        row = int(np.argmax(outside))
        raise InputError(
            f"row {demonstrations.row(row)}: next state {demonstrations.next_states[row]} is "
            f"outside its world ({int(outside.sum())} such rows)"
        )
    if mdp.history is None:
        return base
    found = _remembering(mdp.history, states, demonstrations.actions, base)
    lost = (base >= 0) & demonstrations.acted & (found < 0)
    if lost.any() and "estimated" not in mdp.notes:
        row = int(np.argmax(lost))
        raise InputError(
            f"row {demonstrations.row(row)}: next state {demonstrations.next_states[row]} cannot "
            f"follow in this world ({int(lost.sum())} such rows). Run inverseq doctor to see the "
            "impossible transitions."
        )
    nothing = np.full((int(lost.sum()), mdp.history.length - 1), -1)
    found[lost] = mdp.history.find(base[lost], nothing)
    return found


def _remembering(
    history: History,
    states: Int[np.ndarray, " N"],
    actions: Int[np.ndarray, " N"],
    base: Int[np.ndarray, " N"],
) -> Int[np.ndarray, " N"]:
    """Next states with their past; -1 where unknown, impossible, or after a missing action."""
    newest = history.base[states] if history.of == "states" else actions
    past = np.concatenate([newest[:, None], history.previous[states]], axis=1)
    found = np.full(base.size, -1, dtype=np.int64)
    usable = (base >= 0) & (actions >= 0)
    found[usable] = history.find(base[usable], past[usable, : history.length - 1])
    return found
