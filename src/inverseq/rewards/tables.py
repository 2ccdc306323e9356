"""Rewards of states, of state-action pairs and of features, and what each says of another world."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int

from inverseq._core.arrays import freeze, frozen_array
from inverseq._core.errors import InputError
from inverseq.mdp import MDP
from inverseq.rewards.reward import NOT_KEPT, WorldReward

_HINT = 'only MaxEnt(reward="features") can be carried to other states'


@dataclass(frozen=True, eq=False)
class StateReward(WorldReward):
    """A number for each state, whatever is done there.

    Attributes:
        weights: `[S]`.
    """

    weights: Float[np.ndarray, " S"]

    def __post_init__(self) -> None:
        freeze(self, np.float64, "weights")

    def table(self, mdp: MDP) -> Float[np.ndarray, "S A"]:
        """The number of the state at each of its actions."""
        return mdp.allowed * self.weights[:, None]

    def carry(self, old: MDP, new: MDP) -> "StateReward":
        """Goes with the states; other walls and actions are welcome."""
        return StateReward(self.weights[_old_states(old, new)])

    def like(
        self, table: Float[np.ndarray, "S A"] | None, parameters: Mapping[str, np.ndarray]
    ) -> "StateReward":
        """With other weights."""
        return StateReward(_weights(parameters))


@dataclass(frozen=True, eq=False)
class StateActionReward(WorldReward):
    """A number for each action in each state.

    Attributes:
        numbers: `[S, A]`, 0 at actions that do not exist.
    """

    numbers: Float[np.ndarray, "S A"]

    def __post_init__(self) -> None:
        object.__setattr__(self, "numbers", frozen_array(self.numbers, np.float64, "reward"))

    def table(self, mdp: MDP) -> Float[np.ndarray, "S A"]:
        """The numbers themselves."""
        return self.numbers

    def carry(self, old: MDP, new: MDP) -> "StateActionReward":
        """Goes with the states, to worlds without new actions."""
        where = _old_states(old, new)
        added = new.allowed & ~old.allowed[where] & ~new.terminal[:, None]
        if added.any():
            s, a = (int(i) for i in np.argwhere(added)[0])
            raise InputError(
                f"action {a} at state {s} did not exist in the world of the fit "
                f"({int(added.sum())} such pairs), so its reward is unknown. Forbid it, or fit "
                'MaxEnt(reward="states") or MaxEnt(reward="features")'
            )
        return StateActionReward(np.where(new.allowed, self.numbers[where], 0.0))

    def like(
        self, table: Float[np.ndarray, "S A"] | None, parameters: Mapping[str, np.ndarray]
    ) -> "StateActionReward":
        """With other numbers."""
        if table is None:
            raise InputError(NOT_KEPT)
        return StateActionReward(table)


@dataclass(frozen=True, eq=False)
class FeatureReward(WorldReward):
    """A weight for each feature of the world: the reward that can be carried anywhere.

    Attributes:
        weights: `[F]`.
    """

    weights: Float[np.ndarray, " F"]

    def __post_init__(self) -> None:
        freeze(self, np.float64, "weights")

    def table(self, mdp: MDP) -> Float[np.ndarray, "S A"]:
        """The weighted sum of the features of each state and action.

        Raises:
            InputError: The world has no features, or another number of them.
        """
        return features_of(mdp, self.weights.size) @ self.weights

    def carry(self, old: MDP, new: MDP) -> "FeatureReward":
        """Holds wherever the features are the same."""
        check_shared_features(old, new)
        return self

    def like(
        self, table: Float[np.ndarray, "S A"] | None, parameters: Mapping[str, np.ndarray]
    ) -> "FeatureReward":
        """With other weights."""
        return FeatureReward(_weights(parameters))


def features_of(mdp: MDP, wanted: int) -> Float[np.ndarray, "S A F"]:
    """The features of a world; 0 at actions that do not exist.

    Raises:
        InputError: It has none, or another number of them.
    """
    if mdp.features is None or mdp.features.shape[2] != wanted:
        has = "none" if mdp.features is None else mdp.features.shape[2]
        raise InputError(f"this reward depends on {wanted} features; the world has {has}")
    return mdp.features * mdp.allowed[:, :, None]


def check_shared_features(old: MDP, new: MDP) -> None:
    """Raise an `InputError` unless both worlds have the same features in the same order."""
    if new.features is None or old.features is None:
        raise InputError(
            "this reward depends on features, and the new world has none; give it the features "
            f"{list(old.feature_names)}"
        )
    same_count = new.features.shape[2] == old.features.shape[2]
    if old.feature_names != new.feature_names or not same_count:
        raise InputError(
            f"the reward depends on the features {list(old.feature_names)} "
            f"({old.features.shape[2]}); the new world has {list(new.feature_names)} "
            f"({new.features.shape[2]}). Give it the same ones in the same order"
        )


def _weights(parameters: Mapping[str, np.ndarray]) -> np.ndarray:
    if "weights" not in parameters:
        raise InputError(NOT_KEPT)
    return parameters["weights"]


def _old_states(old: MDP, world: MDP) -> Int[np.ndarray, " S"]:
    """The state of the old world that each state of the new one is."""
    if world.num_actions != old.num_actions:
        raise InputError(
            f"the reward was fitted with {old.num_actions} actions, the new world has "
            f"{world.num_actions}"
        )
    memory = [None if m.history is None else (m.history.length, m.history.of) for m in (old, world)]
    if memory[0] != memory[1]:
        call = "the world without history" if memory[0] is None else "with_history({}, of={!r})"
        raise InputError(
            "the new world must remember what the old one does: give it "
            + call.format(*(memory[0] or ()))
        )
    if _worlds(old) != _worlds(world):
        raise InputError(f"the reward belongs to the states of other worlds: {_HINT}")
    if old.history is None or world.history is None:
        if _moved(old, world):
            return _same_places(old, world)
        if old.num_states != world.num_states or _differ(old.state_names, world.state_names):
            raise InputError(
                f"the reward belongs to {old.num_states} states, the new world has "
                f"{world.num_states} (or names them differently): {_HINT}"
            )
        return np.arange(world.num_states)
    if old.history.num_base_states != world.history.num_base_states:
        raise InputError(
            f"the reward belongs to {old.history.num_base_states} states (histories aside), the "
            f"new world has {world.history.num_base_states}: {_HINT}"
        )
    where = old.history.find(world.history.base, world.history.previous)
    if (where < 0).any():
        s = int(np.argmax(where < 0))
        raise InputError(
            f"state {world.history.base[s]} after {world.history.previous[s].tolist()} cannot "
            f"happen in the world of the fit ({int((where < 0).sum())} such pasts), so its reward "
            f"is unknown: {_HINT}"
        )
    return where


def _moved(old: MDP, world: MDP) -> bool:
    """Whether states without names are cells that lie elsewhere, as where walls have moved."""
    mine, theirs = old.coordinates, world.coordinates
    if mine is None or theirs is None or old.state_names or world.state_names:
        return False
    cells = all(each.shape[1] == 2 and (each == np.round(each)).all() for each in (mine, theirs))
    return cells and not np.array_equal(mine, theirs)


def _same_places(old: MDP, world: MDP) -> Int[np.ndarray, " S"]:
    """The old state that lies where each state of the new world does."""
    known = {
        tuple(place): state for state, place in enumerate(np.asarray(old.coordinates).tolist())
    }
    where = np.array([known.get(tuple(p), -1) for p in np.asarray(world.coordinates).tolist()])
    if (where < 0).any() or len(known) < old.num_states:
        place = np.asarray(world.coordinates)[int(np.argmin(where))].tolist()
        raise InputError(
            f"the reward belongs to places of the world of the fit, where ({place[0]:g}, "
            f"{place[1]:g}) was none ({int((where < 0).sum())} such places): {_HINT}"
        )
    return where


def _worlds(mdp: MDP) -> tuple | None:
    """Names and sizes of the worlds of a union."""
    return None if mdp.worlds is None else (mdp.worlds.names, mdp.worlds.offsets.tolist())


def _differ(mine: tuple[str, ...], theirs: tuple[str, ...]) -> bool:
    """Whether both have names and these are not the same."""
    return bool(mine and theirs and mine != theirs)
