"""A policy whose log-odds are sums of weights, one for each context that columns name.

logit(a) = sum_l W_l[context_l, a] + sum_o B_o[bin_o(a)] + sum_p U_p[who, bin_p(a)] + sum_c v_c *
log of the trajectory's own share of a so far in context c + sum_x x C_x[a] over covariates x. With
Gaussian priors that grow with the memory of a context, long contexts are corrections to short ones
(Berger, Della Pietra and Della Pietra 1996).
"""

from dataclasses import dataclass, field

import numpy as np
from jaxtyping import Bool, Float, Int

from inverseq._core.arrays import freeze
from inverseq._core.errors import InputError
from inverseq.demonstrations import Demonstrations
from inverseq.mdp import MDP
from inverseq.policies.columns import InContexts, context_columns, own_counts

_PRIOR = 2.0
"""Decisions added to each action of a trajectory's own past."""


@dataclass(frozen=True, eq=False)
class LogitPolicy(InContexts):
    """Weights of contexts.

    Attributes:
        columns: Names of columns per decision whose numbers name contexts: L of them.
        keys: For each, `[M]` the contexts that have weights, sorted.
        weights: For each, `[M, A]`.
        options: Families of columns "NAME a", one per action a, whose numbers, from 0, name a bin
            of that action; -1 for none.
        option_weights: For each family, `[bins]`.
        own: Columns in whose contexts the trajectory's own past is counted.
        own_weights: For each, one number.
        personal: Families of columns whose bins have weights of each unit.
        personal_weights: For each family, `[U, bins]`; others than the U units have 0.
        units: Names of the units.
        of: Column per trajectory that names its unit.
        covariates: Columns whose numbers speak as they are: C of them.
        covariate_weights: `[C, A]`, none where there are none.
    """

    columns: tuple[str, ...]
    keys: tuple[Int[np.ndarray, " _"], ...]
    weights: tuple[Float[np.ndarray, "_ A"], ...]
    options: tuple[str, ...]
    option_weights: tuple[Float[np.ndarray, " _"], ...]
    own: tuple[str, ...]
    own_weights: Float[np.ndarray, " O"]
    personal: tuple[str, ...] = ()
    personal_weights: tuple[Float[np.ndarray, "U _"], ...] = ()
    units: tuple[str, ...] = ()
    of: str = "subject"
    covariates: tuple[str, ...] = ()
    covariate_weights: Float[np.ndarray, "C _"] = field(default_factory=lambda: np.zeros((0, 0)))

    def __post_init__(self) -> None:
        for name in ("columns", "options", "own", "personal", "units", "covariates"):
            object.__setattr__(self, name, tuple(map(str, getattr(self, name))))
        freeze(self, np.int64, "keys")
        freeze(self, np.float64, "weights", "option_weights", "own_weights", "personal_weights")
        freeze(self, np.float64, "covariate_weights")

    @property
    def num_actions(self) -> int:
        """A."""
        return self.weights[0].shape[1]

    def probabilities(
        self, demonstrations: Demonstrations, mdp: MDP | None
    ) -> Float[np.ndarray, "N A"]:
        """What the contexts of each decision say together.

        Raises:
            InputError: A column is missing, or does not hold whole numbers.
        """
        exists = self.exists(demonstrations, mdp)
        logits = np.zeros(exists.shape)
        columns = context_columns(demonstrations, self.columns).T
        for keys, weights, column in zip(self.keys, self.weights, columns, strict=True):
            if not keys.size:
                continue
            place = np.minimum(np.searchsorted(keys, column), keys.size - 1)
            logits += np.where((keys[place] == column)[:, None], weights[place], 0.0)
        for family, weights in zip(self.options, self.option_weights, strict=True):
            bins = option_columns(demonstrations, family, exists.shape[1])
            known = (bins >= 0) & (bins < weights.size)
            logits += np.where(known, weights[np.where(known, bins, 0)], 0.0)
        who = np.full(len(exists), -1)
        if self.personal:
            who = numbers_of(demonstrations, self.of, self.units)[demonstrations.trajectory_of]
        for family, weights in zip(self.personal, self.personal_weights, strict=True):
            bins = option_columns(demonstrations, family, exists.shape[1])
            known = (bins >= 0) & (bins < weights.shape[1]) & (who >= 0)[:, None]
            logits += np.where(known, weights[who[:, None], np.where(known, bins, 0)], 0.0)
        for column, weight in zip(self.own, self.own_weights, strict=True):
            logits += weight * own_shares(
                own_counts(demonstrations, column, exists.shape[1]), exists
            )
        if self.covariates:
            logits += covariates_of(demonstrations, self.covariates) @ self.covariate_weights
        logits = np.where(exists, logits, -np.inf)
        shares = np.exp(logits - logits.max(axis=1, keepdims=True))
        return shares / shares.sum(axis=1, keepdims=True)


def numbers_of(
    demonstrations: Demonstrations, column: str, names: tuple[str, ...]
) -> Int[np.ndarray, " T"]:
    """The number of each trajectory's name among `names`; -1 for others.

    Raises:
        InputError: There is no such column.
    """
    if column not in demonstrations.trajectories:
        raise InputError(
            f"there is no column {column!r} that is constant in a trajectory; there are "
            f"{[*demonstrations.trajectories]}"
        )
    place = {name: number for number, name in enumerate(names)}
    return np.array([place.get(str(n), -1) for n in demonstrations.trajectories[column]])


def covariates_of(
    demonstrations: Demonstrations, names: tuple[str, ...]
) -> Float[np.ndarray, "N C"]:
    """The columns side by side.

    Raises:
        InputError: One of them is missing, or holds something else than finite numbers.
    """
    found = np.zeros((demonstrations.num_decisions, len(names)))
    for number, name in enumerate(names):
        if name not in demonstrations.decisions:
            raise InputError(
                f"no column {name!r} per decision; there are {sorted(demonstrations.decisions)}. "
                "A regression needs each of its covariates in every table it is asked about"
            )
        column = np.asarray(demonstrations.decisions[name])
        known = np.isfinite(column) if column.dtype.kind in "iufb" else np.zeros(column.size, bool)
        if not known.all():
            row = int(np.argmin(known))
            raise InputError(
                f"row {demonstrations.row(row)}: covariate {name!r} holds {str(column[row])!r}, no "
                "finite number; fill it in or leave the column out"
            )
        found[:, number] = column
    return found


def option_columns(
    demonstrations: Demonstrations, family: str, num_actions: int
) -> Int[np.ndarray, "N A"]:
    """The columns "FAMILY 0", "FAMILY 1", ... of the actions, side by side.

    Raises:
        InputError: One of them is missing, or does not hold whole numbers.
    """
    return context_columns(demonstrations, tuple(f"{family} {a}" for a in range(num_actions)))


def own_shares(
    counts: Float[np.ndarray, "N A"], exists: Bool[np.ndarray, "N A"]
) -> Float[np.ndarray, "N A"]:
    """Logarithm of the trajectory's own share of each action so far, relative to equal shares.

    Args:
        counts: What `own_counts` says.
        exists: Which actions exist; the others have 0.
    """
    number = exists.sum(axis=1, keepdims=True)
    total = counts.sum(axis=1, keepdims=True) + _PRIOR * number
    return np.where(exists, np.log(number * (counts + _PRIOR) / total), 0.0)
