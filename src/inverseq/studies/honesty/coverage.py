"""How often intervals hold the truth: gauge-fixed contrasts, and ranks of truths in posteriors."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial

import numpy as np
from jaxtyping import Float
from matplotlib.figure import Figure

from inverseq import plot
from inverseq.decisions.counts import count
from inverseq.demonstrations import Demonstrations, concatenate
from inverseq.evaluate.bootstrap import bootstrap
from inverseq.evaluate.identifiability import contrast
from inverseq.evaluate.intervals import MOST_OF_PRIOR, Bootstrap, Interval, interval
from inverseq.evaluate.ranks import Ranks, ranks_of
from inverseq.evaluate.sandwich import sandwich
from inverseq.forward import simulate, soft_policy_iteration
from inverseq.inverse.drift.solver import Drifting, drift_of
from inverseq.inverse.fit import fit
from inverseq.inverse.hierarchy.solver import Hierarchical
from inverseq.inverse.maxent.causal import MaxEnt
from inverseq.inverse.values.iavi import IAVI, inverse_action_values
from inverseq.inverse.values.iql import IQL
from inverseq.mdp import MDP
from inverseq.rewards.each import EachReward
from inverseq.studies.honesty import Settings
from inverseq.studies.run import Result
from inverseq.studies.shapes import plain
from inverseq.studies.study import Effort

Weights = Float[np.ndarray, "S A"]

STEPS = 20
"""Decisions of a trajectory, which is the unit."""

GAUGES = ("zero-mean", "state-only", "minimum-norm")
STATES = (0.1, None)
"""Strengths of the prior of MaxEnt on states; None chooses it."""

_WEIGHTS = MaxEnt("features", strength=0.1)
_IQL = IQL(method="exact")
_CONTRASTS, _REFITS = 8, 100
_SETTLED = ("settled, share", "settled, held")
FIRST, STEP, MOMENTS = 1.0, 0.3, 4
"""Of the walks whose posteriors are ranked."""
ANIMALS, APART = 12, 0.7
"""Of each cohort whose posteriors are ranked, and by how much their weights vary."""


def world(seed: int, states: int) -> MDP:
    """Three actions to two of the next states each, three features."""
    rng = np.random.default_rng(seed)
    return MDP(
        successors=rng.integers(0, states, (states, 3, 2)),
        probabilities=rng.dirichlet(np.ones(2), (states, 3)),
        discount=0.9,
        features=rng.normal(size=(states, 3, 3)),
    )


def held(
    seed: int, states: int, decisions: int, scale: float, *, replicates: int
) -> dict[str, float]:
    """Share of intervals that hold the truth, by how they were made, in one world; how many the
    data settle, and how many of these hold it.
    """
    mdp, rng = world(seed, states), np.random.default_rng(seed)
    weights = scale * rng.normal(size=3)
    policy = soft_policy_iteration(mdp, mdp.features @ weights).policy
    data = simulate(mdp, policy, trajectories=decisions // STEPS, steps=STEPS, seed=seed)
    counts = count(data, mdp)
    taken = np.argsort(-counts.state_action.ravel(), kind="stable")[: mdp.allowed.size // 2]
    pairs = [rng.choice(taken, 2, replace=False) for _ in range(_CONTRASTS)]
    asked = {
        str(n): contrast(mdp, divmod(int(a), 3), divmod(int(b), 3))
        for n, (a, b) in enumerate(pairs)
    }
    made: dict[str, float] = {}
    for gauge in GAUGES:
        solver = IAVI(backup="soft", gauge=gauge)
        drawn = bootstrap(
            counts, solver, mdp, seed=seed, replicates=replicates, jobs=1, contrasts=asked
        )
        truth = inverse_action_values(policy, mdp, backup="soft", gauge=gauge).reward
        made |= _of_contrasts(f"IAVI, {gauge}", drawn, asked, truth)
    found = interval(sandwich(counts, _WEIGHTS, mdp), "weights")
    made |= _told("MaxEnt on features", [found], weights)
    refitted = bootstrap(
        data, _IQL, mdp, seed=seed, replicates=min(_REFITS, replicates), jobs=1, contrasts=asked
    )
    made |= _of_contrasts("IQL", refitted, asked, _fixed_point(mdp, policy))
    return made | _of_states(mdp, decisions, scale, seed)


def _of_contrasts(
    name: str, made: Bootstrap, asked: Mapping[str, Weights], truth: Weights
) -> dict[str, float]:
    """`_told` of the contrasts of a true reward."""
    truths = np.array([(each * truth).sum() for each in asked.values()])
    return _told(name, [interval(made, n) for n in asked], truths)


def _told(name: str, ends: Sequence[Interval], truths: Float[np.ndarray, " n"]) -> dict[str, float]:
    """Whether the intervals hold these truths."""
    low, high, share = (
        np.ravel([getattr(end, each) for end in ends]) for each in ("low", "high", "prior_share")
    )
    inside, settled = (low <= truths) & (truths <= high), share <= MOST_OF_PRIOR
    return {
        name: float(inside.mean()),
        f"{name}, asked": float(inside.size),
        f"{name}, settled": float(settled.sum()),
        f"{name}, settled and held": float((inside & settled).sum()),
    }


def _fixed_point(mdp: MDP, policy: Weights) -> Weights:
    """What IQL finds of decisions without end: every transition once, as likely as it is."""
    state, action, branch = map(np.ravel, np.indices(mdp.successors.shape))
    at = state, action, branch
    every = Demonstrations.from_arrays(
        state, action, next_states=mdp.successors[at], trajectory=np.arange(state.size)
    )
    likely = policy[state, action] * mdp.probabilities[at]
    return np.asarray(fit(every, _IQL, mdp, weights=likely).reward)


def _of_states(mdp: MDP, decisions: int, scale: float, seed: int) -> dict[str, float]:
    """MaxEnt on states, of an agent whose reward is one of states: differences of two states among
    the half that was visited most.
    """
    rng = np.random.default_rng(seed)
    here = scale * rng.normal(size=mdp.num_states)
    policy = soft_policy_iteration(mdp, np.repeat(here[:, None], mdp.num_actions, axis=1)).policy
    data = simulate(mdp, policy, trajectories=decisions // STEPS, steps=STEPS, seed=seed)
    counts = count(data, mdp)
    most = np.argsort(-counts.visits, kind="stable")[: mdp.num_states // 2 + 1]
    pairs = [rng.choice(most, 2, replace=False) for _ in range(_CONTRASTS)]
    made: dict[str, float] = {}
    for strength in STATES:
        sure = sandwich(counts, MaxEnt("states", strength=strength), mdp)
        ends = [interval(sure, contrast(mdp, (int(a), 0), (int(b), 0))) for a, b in pairs]
        name = "chosen" if strength is None else f"{strength:g}"
        truths = np.array([here[a] - here[b] for a, b in pairs])
        made |= _told(f"MaxEnt on states, {name}", ends, truths)
    return made


def ranked(seed: int, states: int, decisions: int) -> tuple[float, float, float]:
    """A truth drawn from the prior of a walk, and mean and standard deviation of its posterior."""
    mdp, rng = world(seed, states), np.random.default_rng(seed)
    steps = np.vstack([FIRST * rng.normal(size=(1, 3)), STEP * rng.normal(size=(MOMENTS - 1, 3))])
    walk, parts = steps.cumsum(axis=0), []
    for day, weights in enumerate(walk):
        policy = soft_policy_iteration(mdp, mdp.features @ weights).policy
        many = max(decisions // STEPS // MOMENTS, 1)
        made = simulate(mdp, policy, trajectories=many, steps=STEPS, seed=seed + 7919 * day)
        parts.append(
            replace(made, trajectories=dict(made.trajectories) | {"day": np.repeat(day, many)})
        )
    solver = Drifting(MaxEnt("features"), over="day", step=STEP, first=FIRST)
    found = drift_of(fit(concatenate(parts), solver, mdp))[""]
    at = int(rng.integers(MOMENTS)), int(rng.integers(3))
    return float(walk[at]), float(found.weights[at]), float(found.spread[at])


def ranked_animals(seed: int, states: int, decisions: int) -> tuple[float, float, float]:
    """A weight of one animal of a cohort, drawn around a mean that is drawn too, and mean and
    standard deviation of its posterior; how much animals vary is learnt.
    """
    mdp, rng = world(seed, states), np.random.default_rng(seed)
    weights = FIRST * rng.normal(size=3) + APART * rng.normal(size=(ANIMALS, 3))
    many, parts = max(decisions // STEPS, 1), []
    for animal, own in enumerate(weights):
        policy = soft_policy_iteration(mdp, mdp.features @ own).policy
        made = simulate(mdp, policy, trajectories=many, steps=STEPS, seed=seed + 7919 * animal)
        named = dict(made.trajectories) | {"subject": np.repeat(f"{animal:02d}", many)}
        parts.append(replace(made, trajectories=named))
    found = fit(concatenate(parts), Hierarchical(MaxEnt("features")), mdp).reward_function
    assert isinstance(found, EachReward)  # as of every hierarchy of rewards
    at = int(rng.integers(ANIMALS)), int(rng.integers(3))
    return float(weights[at]), float(found.numbers[at]), float(found.spread[at])


def _shares(found: Sequence[Mapping[str, float]]) -> dict[str, float]:
    """Means over worlds; of what is settled, those of all intervals together."""
    made: dict[str, float] = {}
    for name in (key.removesuffix(", asked") for key in found[0] if key.endswith(", asked")):
        asked, settled, inside = (
            sum(one[f"{name}, {part}"] for one in found)
            for part in ("asked", "settled", "settled and held")
        )
        made[name] = float(np.mean([one[name] for one in found]))
        made[f"{name}, settled, share"] = settled / asked
        made[f"{name}, settled, held"] = inside / settled if settled else float("nan")
    return made


def run(settings: Settings, effort: Effort) -> Result:
    """Both, over worlds, sizes and temperatures."""
    kinds = [
        (states, decisions, scale)
        for states in settings.states
        for decisions in settings.sizes
        for scale in settings.scales
    ]
    tasks = [(effort.seed + n, *kind) for kind in kinds for n in range(settings.covered)]
    found = effort.each("intervals", partial(held, replicates=settings.replicates), tasks)
    rows = []
    for number, (states, decisions, scale) in enumerate(kinds):
        part = found[number * settings.covered : (number + 1) * settings.covered]
        kind = {"states": states, "decisions": decisions, "scale": scale}
        rows.append(plain(kind | _shares(part)))
    total = _shares(found)
    names = [name for name in total if not name.endswith(_SETTLED)]
    drawn = [
        (effort.seed + n, settings.states[0], settings.sizes[0]) for n in range(settings.ranked)
    ]
    ranks = {
        name: ranks_of(*np.array(effort.each(name, work, drawn)).T)
        for name, work in (("a walk", ranked), ("a cohort of animals", ranked_animals))
    }
    sentences = (
        "Intervals of 95 % hold the truth: "
        + ", ".join(f"{name} {total[name]:.1%}" for name in names)
        + ".",
        "The data, not a prior, say how long they are in "
        + ", ".join(
            f"{share:.0%} ({name}"
            + (f"; of these {total[f'{name}, settled, held']:.1%} hold it)" if share else ")")
            for name in names
            for share in [total[f"{name}, settled, share"]]
        )
        + ".",
        *(
            f"Of {one.shares.size} truths drawn from the prior of {name}, {one.covered:.1%} lie in "
            f"the middle 95 % of their posteriors; evenness of ranks p = {one.p_value:.2f}."
            for name, one in ranks.items()
        ),
    )
    told = [
        {"drawn from": name, "tenth": n + 1, "truths": int(many)}
        for name, one in ranks.items()
        for n, many in enumerate(one.bins)
    ]
    sized = [
        _shares([one for task, one in zip(tasks, found, strict=True) if task[-1] == scale])
        for scale in settings.scales
    ]
    figure = _drawn(np.array(settings.scales), sized, ranks)
    return Result({"intervals": rows, "ranks": told}, {"coverage": figure}, sentences)


def _drawn(
    scales: Float[np.ndarray, " n"],
    sized: Sequence[Mapping[str, float]],
    ranks: Mapping[str, Ranks],
) -> Figure:
    """Shares of intervals that hold the truth over the size of rewards, all and those that the data
    settle, and ranks.
    """
    figure, (left, middle, right) = plot.canvas(11.5, 3.4, columns=3)
    names = [name for name in sized[0] if not name.endswith(_SETTLED)]
    others = [name for name in names if not name.startswith("IAVI")]
    for ax, part, unit in (
        (left, "", "all intervals that hold the truth"),
        (middle, ", settled, held", "those settled by data"),
    ):
        means = [
            [float(np.mean([one[f"IAVI, {gauge}{part}"] for gauge in GAUGES])) for one in sized]
        ]
        table = np.array(means + [[one[f"{name}{part}"] for one in sized] for name in others])
        plot.curves(
            scales, table, np.zeros_like(table), ["IAVI", *others],
            x_name="size of weights", unit=unit, ax=ax,
        )  # fmt: skip
        ax.set_xticks(scales, [f"{scale:g}" for scale in scales])
        ax.set_ylim(0, 1)
        ax.minorticks_off()
        ax.axhline(0.95, color="grey", lw=1.0, ls="--")
    left.legend(loc="lower left", fontsize="small")
    for number, (name, one) in enumerate(ranks.items()):
        right.bar(np.arange(10) / 10 + 0.03 + 0.04 * number, one.bins, width=0.04, label=name)
        right.axhline(one.shares.size / 10, color="grey", lw=1.0, ls="--")
    right.legend(loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=2, fontsize="small")
    right.set_xlabel("share of the posterior below the truth")
    return figure
