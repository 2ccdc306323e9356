"""Several worlds as one MDP: their disjoint union, so that every solver can share one reward."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from scipy import sparse

from inverseq._core.errors import InputError
from inverseq.mdp.history import History
from inverseq.mdp.record import MDP, Worlds


def unite(worlds: Mapping[Any, MDP]) -> MDP:
    """The disjoint union of several worlds.

    States are numbered world after world; `worlds` in the result says which are whose, and a
    trajectory names its world in the column "world". Worlds must agree in the number of actions,
    the discount, the kind of history and the features. Names of states are kept where all worlds
    have them, and notes that all worlds have: one value where they agree, else one by world.

    Args:
        worlds: Name of each world (numbers become texts) and its MDP.

    Raises:
        InputError: The mapping is empty, two names read the same, or the worlds do not agree.
    """
    if not worlds:
        raise InputError("unite needs at least one world")
    members = list(worlds.values())
    for what in ("num_actions", "action_names", "discount", "feature_names"):
        values = {getattr(m, what) for m in members}
        if len(values) > 1:
            raise InputError(f"the worlds differ in {what}: {sorted(map(str, values))}")
    if any(m.worlds is not None for m in members):
        raise InputError("a member of the union is a union already; unite the plain worlds")
    offsets = np.cumsum([0] + [m.num_states for m in members])
    base_sizes = [m.num_states if m.history is None else m.history.num_base_states for m in members]
    base_offsets = np.cumsum([0, *base_sizes])
    return MDP(
        transitions=_side_by_side([m.transitions for m in members], offsets),
        discount=members[0].discount,
        initial=np.concatenate([m.initial for m in members]) / len(members),
        terminal=np.concatenate([m.terminal for m in members]),
        allowed=np.concatenate([m.allowed for m in members]),
        reward=_joined(members, "reward"),
        features=_joined(members, "features"),
        feature_names=members[0].feature_names,
        coordinates=_joined(members, "coordinates"),
        state_names=sum((m.state_names for m in members), ())
        if all(m.state_names for m in members)
        else (),
        action_names=members[0].action_names,
        history=_joined_history(members, base_offsets),
        worlds=Worlds(tuple(map(str, worlds)), base_offsets),
        notes=_joined_notes(worlds),
    )


def as_one(mdp: MDP | Mapping[str, MDP] | None) -> MDP | None:
    """The world of an argument `mdp`: itself, or several worlds by name as one.

    Raises:
        InputError: It is something else.
    """
    several = isinstance(mdp, Mapping)
    for one in mdp.values() if several else () if mdp is None else (mdp,):
        if not isinstance(one, MDP):
            raise InputError(
                f"mdp must be an MDP, or worlds by name; got a {type(one).__name__}. "
                "inverseq.MDP.from_dense(P, discount=0.95) makes one of probabilities P[s, a, s'], "
                "inverseq.MDP.estimate(demonstrations, discount=0.95, smoothing=1.0) of behaviour; "
                "that of inverseq.worlds.maze(...) and the like is its .mdp"
            )
    return unite(mdp) if several else mdp


def _side_by_side(members: list[sparse.csr_array], offsets: np.ndarray) -> sparse.csr_array:
    """The lists of all members, every entry kept and in its place."""
    sizes = np.cumsum([0] + [m.nnz for m in members])
    indices = [m.indices + shift for m, shift in zip(members, offsets, strict=False)]
    pointers = [m.indptr[:-1] + shift for m, shift in zip(members, sizes, strict=False)]
    data = np.concatenate([m.data for m in members])
    parts = (data, np.concatenate(indices), np.concatenate([*pointers, sizes[-1:]]))
    rows = sum(m.shape[0] for m in members)
    return sparse.csr_array(parts, shape=(rows, int(offsets[-1])))


def _joined(members: list[MDP], name: str) -> Any:
    """A field of all members behind each other; None where no member has it."""
    values = [getattr(m, name) for m in members]
    if all(v is None for v in values):
        return None
    if any(v is None for v in values):
        raise InputError(f"some worlds have {name} and some have not; give it to all or to none")
    return np.concatenate(values)


def _joined_notes(worlds: Mapping[Any, MDP]) -> dict[str, Any]:
    """Notes that all members have."""
    first = next(iter(worlds.values())).notes
    made = {}
    for key in first:
        if all(key in m.notes for m in worlds.values()):
            agreed = all(m.notes[key] == first[key] for m in worlds.values())
            made[key] = first[key] if agreed else {str(n): m.notes[key] for n, m in worlds.items()}
    return made


def _joined_history(members: list[MDP], offsets: np.ndarray) -> History | None:
    """The histories of all members behind each other, with the numbers of the united states."""
    histories = [m.history for m in members if m.history is not None]
    if not histories:
        return None
    if len(histories) < len(members) or len({(h.length, h.of) for h in histories}) > 1:
        raise InputError("the worlds differ in their history; give all the same with_history")
    first = histories[0]
    shift = offsets if first.of == "states" else np.zeros_like(offsets)
    return History(
        length=first.length,
        of=first.of,
        base=np.concatenate([h.base + o for h, o in zip(histories, offsets, strict=False)]),
        previous=np.concatenate(
            [
                np.where(h.previous < 0, -1, h.previous + o)
                for h, o in zip(histories, shift, strict=False)
            ]
        ),
        num_base_states=int(offsets[-1]),
        num_symbols=int(offsets[-1]) if first.of == "states" else first.num_symbols,
    )
