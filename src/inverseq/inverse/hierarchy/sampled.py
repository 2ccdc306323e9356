"""The whole posterior of a hierarchy, by Hamiltonian Monte Carlo (NumPyro's no-U-turn sampler)."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import jax
import numpy as np
from jaxtyping import Float

from inverseq._core.display import Fact, Shown
from inverseq._core.errors import InputError
from inverseq._core.status import Outcome, Status
from inverseq.demonstrations import Demonstrations
from inverseq.inverse.hierarchy.draws import Levels
from inverseq.inverse.hierarchy.solver import Hierarchical
from inverseq.inverse.problem import Problem
from inverseq.mdp import MDP, as_one
from inverseq.policies.each import Members

WIDTH = 2.0
"""Standard deviation of the half-normal prior of deviations between animals, in the units of a
solver's penalty (for weights of features, the temperature), and of the ratio of groups' to them."""
_MOST_R_HAT, _FEWEST = 1.05, 100.0
_TARGET = 0.9
"""Acceptance that steps are sized for."""


@dataclass(frozen=True, eq=False)
class HierarchySample(Shown):
    """Draws from the posterior of a hierarchy of n animals with F numbers each.

    Attributes:
        members: Names of animals and groups.
        animals: `[D, n, F]` numbers of each animal.
        groups: `[D, G, F]` those of groups; of all animals where nothing groups them (G = 1).
        pooled: `[D, F]` those of all.
        between_animals: `[D, B]` how much animals differ, as in the solution of `Hierarchical`.
        between_groups: `[D]` the same between groups, in units of animals; None without groups.
        status: Converged where chains agree: the largest split R-hat is its residual.
        fewest: Effective draws of the number that has fewest.
    """

    members: Members
    animals: Float[np.ndarray, "D n F"]
    groups: Float[np.ndarray, "D G F"]
    pooled: Float[np.ndarray, "D F"]
    between_animals: Float[np.ndarray, "D B"]
    between_groups: Float[np.ndarray, " D"] | None
    status: Status
    fewest: float

    def _facts(self) -> Iterable[Fact]:
        yield "draws", len(self.animals)
        yield "animals", self.animals.shape[1]
        yield "numbers", self.animals.shape[2]
        yield "effective", round(self.fewest)
        yield "R-hat", round(self.status.residual, 3)

    def interval(self, confidence: float = 0.95) -> Float[np.ndarray, "2 n F"]:
        """Where the numbers of each animal lie: lower and upper ends, with equal tails.

        Raises:
            InputError: The confidence is not between 0 and 1.
        """
        if not 0 < confidence < 1:
            raise InputError(f"confidence must lie between 0 and 1; got {confidence}")
        tail = (1 - confidence) / 2
        return np.quantile(self.animals, [tail, 1 - tail], axis=0)


def sample_hierarchy(
    demonstrations: Demonstrations,
    solver: Hierarchical,
    mdp: MDP | Mapping[str, MDP] | None = None,
    *,
    draws: int = 200,
    warmup: int = 150,
    chains: int = 2,
    seed: int = 0,
) -> HierarchySample:
    """Draw from the whole posterior of `Hierarchical`, how alike animals are included.

    `fit` takes the most probable variances and normal distributions around the most probable
    numbers (empirical Bayes by Laplace's method), which says too little of what is unsure where
    animals are few. This draws all of it, which takes a hundred times as long or more. Deviations
    between animals are half-normal with `WIDTH` (Gelman 2006), as is the ratio of groups to
    animals; the variance of all animals' mean is that of `fit`.
    Needs `pip install "inverseq[bayes]"`.

    Args:
        demonstrations: What was observed.
        solver: The hierarchy.
        mdp: The world, as of `fit`.
        draws: Kept from each chain.
        warmup: Before them, in which steps are sized.
        chains: Begun apart from each other, one after the other.
        seed: Of the draws.

    Raises:
        InputError: The package is missing, the hierarchy has covariates, or it cannot be fitted.
        FitError: All decisions together cannot be fitted.
    """
    for name, value, least in (("draws", draws, 4), ("warmup", warmup, 1), ("chains", chains, 1)):
        if value < least:
            raise InputError(f"{name} must be {least} or more; got {value}")
    try:
        from numpyro.infer import MCMC, NUTS  # an extra
    except ImportError as error:
        raise InputError(
            'the whole posterior needs NumPyro: pip install "inverseq[bayes]"'
        ) from error
    if solver.covariates:
        raise InputError(
            "the whole posterior is not drawn with covariates: slopes_of(fit(...)) has their "
            "intervals"
        )
    members, search = solver.begin(Problem(demonstrations, as_one(mdp)))
    search.run(solver.tolerance, solver.max_steps, None)
    with jax.enable_x64(True):
        levels, key = Levels(search, WIDTH), jax.random.key(seed)
        chain = MCMC(
            NUTS(potential_fn=levels.potential, target_accept_prob=_TARGET),
            num_warmup=warmup,
            num_samples=draws,
            num_chains=chains,
            chain_method="sequential",
            progress_bar=False,
        )
        begins = levels.beginnings(seed, chains)
        chain.run(key, init_params=begins, extra_fields=("diverging",))
        found = chain.get_samples(group_by_chain=True)
        parted = int(chain.get_extra_fields()["diverging"].sum())
        made = jax.vmap(jax.vmap(levels.made))(found)
    drawn = {name: np.asarray(value) for name, value in made._asdict().items()}
    status, fewest = _ended(drawn, parted, warmup + draws)
    together = {name: value.reshape(-1, *value.shape[2:]) for name, value in drawn.items()}
    deviations = np.exp(together["log_variances"] / 2)
    blocks = levels.blocks
    return HierarchySample(
        members,
        together["animals"],
        together["groups"],
        together["pooled"],
        deviations[:, :blocks],
        deviations[:, blocks] if members.groups else None,
        status,
        fewest,
    )


def _ended(drawn: Mapping[str, np.ndarray], parted: int, steps: int) -> tuple[Status, float]:
    """Whether chains agree (split R-hat), and the effective draws of the least sure number."""
    from numpyro.diagnostics import effective_sample_size, split_gelman_rubin

    told = [
        (float(np.max(split_gelman_rubin(one))), float(np.min(effective_sample_size(one))))
        for one in drawn.values()
        if one.size
    ]
    worst, fewest = max(each[0] for each in told), min(each[1] for each in told)
    if worst <= _MOST_R_HAT and fewest >= _FEWEST and not parted:
        return Status(Outcome.CONVERGED, steps, worst), fewest
    words = (
        f"split R-hat {worst:.3f}, {fewest:.0f} effective draws, {parted} divergent: give more "
        "warmup and draws"
    )
    return Status(Outcome.LIMIT, steps, worst, words), fewest
