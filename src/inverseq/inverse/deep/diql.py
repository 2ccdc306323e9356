"""Deep inverse Q-learning (Kalweit, Huegle, Werling and Boedecker 2020), from features.

A classifier gives log pi(a | s), and a second network follows the shifted values Q^Sh(s, a) =
gamma E[V(s')]. With eta = log pi - Q^Sh, the paper asks for the reward that obeys, for n actions,

    r(s, a) = eta(s, a) + 1 / (n - 1) sum over b other than a of (r(s, b) - eta(s, b)).

Its solution of the smallest norm needs no iteration (`target="centred"`, the default):

    r(s, a) = eta(s, a) - mean_b eta(s, b),   Q(s, a) = r(s, a) + Q^Sh(s, a) = log pi(a | s) + c(s).

What is left to learn, Q^Sh, is the value of the policy that takes every action equally often: a
contraction, and one network less. The paper's own target (`target="paper"`) bootstraps r and Q by
networks of their own. Its update has the eigenvalue -1 / (n - 1) on what differs between the
actions of a state: with two actions a full step flips the error for ever, and only slow copies damp
it; and eigenvalue 1 on their mean, which stays where the network began.

To classify, to evaluate and to invert under a statewise normalisation is also GenPQR's way (van der
Laan, Kallus and Bibaut 2025, arXiv 2509.21172); `gauge="anchor"` is that of DeepPQR (Geng and
others 2020).
"""

from dataclasses import asdict, dataclass, field, replace
from typing import Any, Literal

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float, PRNGKeyArray

from inverseq._core.errors import InputError
from inverseq.inverse.deep.calibrate import best_temperature, kept_apart
from inverseq.inverse.deep.learning import (
    REMEDY,
    Mask,
    Seen,
    classifier_loss,
    log_probabilities,
    nats,
    taken,
)
from inverseq.inverse.deep.network_fit import Taught, teach
from inverseq.inverse.deep.scaled import Scale, scale_of
from inverseq.inverse.problem import Problem
from inverseq.inverse.solution import Solution
from inverseq.networks import Ensemble, FullyConnected, Network, TrainedNetwork
from inverseq.policies.network import NetworkPolicy
from inverseq.rewards.observations import ObservationReward
from inverseq.training.batch import Batch, Drawing
from inverseq.training.lessons import Lessons
from inverseq.training.rule import Learner, Part, Rule, Target

_SMALL = 1e-4
"""Weight of the smallest v where the gauge "state-only" leaves a constant open."""


@dataclass(frozen=True)
class DIQL:
    """Deep inverse Q-learning, offline, from features and numbered actions.

    The policy of the solution is that of the classifier, and `reward_function` is an
    `ObservationReward`: reward, Q and shifted Q of any observation. All are in units of the
    temperature that makes held-out decisions most likely. (Rewards, values and logits scale
    together, so that to calibrate one is to calibrate all.)

    Features are brought to mean 0 and spread 1 first, where the network is fully connected and
    reads them as numbers.

    Attributes:
        seed: Of the networks and the order of transitions. There is no default.
        discount: gamma, from 0 to below 1.
        network: Settings of each network; None is `FullyConnected((64, 64))`.
        target: What the reward is regressed on: "centred" (exact in one step) or "paper".
        backup: V is "hard", the largest Q (the paper), or "soft", log sum exp Q.
        gauge: "zero-mean", "anchor" or "state-only" (closest to a reward that all actions of a
            state share, see `state_only`); for "paper" the first, up to where the network began.
        anchor: For the gauge "anchor": the action whose reward is known.
        anchor_reward: Its reward.
        terminal_value: V after the world has ended a game: no behaviour can tell it.
        ensemble: Classifiers that begin differently and are averaged in log-probability.
        smoothing: Share of the decisions that the classifier is taught as if any action that exists
            had been taken, equally often: it bounds the rewards of actions never seen.
        support: An action whose probability is below this at an observation has too little behind
            it there: its values are extrapolated. It enters no maximum, unless it is the best, and
            `ObservationReward.supported` marks it.
        follow: Share of the way that the slow copies of networks go in each step.
        held_out: Share of the decisions, in whole trajectories (the last rows, where there is one),
            that nothing is learned from; the temperature is chosen on them, and with `keep="best"`
            the classifier. Of few decisions it is up to a quarter, until they are 100. 0 holds out
            none, leaves the temperature at 1 and keeps the last classifier.
        keep: Which classifier counts, for the policy and for all that is built on it: "best" is as
            it was when held-out decisions were likeliest, before it learned the others by heart;
            "last" is that of the end.
        lessons: How long the networks learn. Its noise is in units of the spread of the features.
        num_actions: A; None takes the largest action seen.

    Raises:
        InputError: A name is not known or a number out of range.
    """

    seed: int
    discount: float
    network: Network | None = None
    target: Literal["centred", "paper"] = "centred"
    backup: Literal["hard", "soft"] = "hard"
    gauge: Literal["zero-mean", "anchor", "state-only"] = "zero-mean"
    anchor: int | None = None
    anchor_reward: float = 0.0
    terminal_value: float = 0.0
    ensemble: int = 1
    smoothing: float = 1e-3
    support: float = 0.01
    follow: float = 0.01
    held_out: float = 0.1
    keep: Literal["best", "last"] = "best"
    lessons: Lessons = field(default_factory=lambda: Lessons(5000, 64))
    num_actions: int | None = None

    def __post_init__(self) -> None:
        for name, known in (
            ("target", ("centred", "paper")),
            ("backup", ("hard", "soft")),
            ("gauge", ("zero-mean", "anchor", "state-only")),
            ("keep", ("best", "last")),
        ):
            if getattr(self, name) not in known:
                raise InputError(f"{name} must be one of {known}; got {getattr(self, name)!r}")
        for name in ("discount", "smoothing", "support", "held_out"):
            if not 0 <= getattr(self, name) < 1:
                raise InputError(f"{name} must be from 0 to below 1; got {getattr(self, name)}")
        if (self.gauge == "anchor") != (self.anchor is not None):
            raise InputError('gauge="anchor" goes with the action whose reward is known: anchor=0')
        if self.gauge != "zero-mean" and self.target == "paper":
            raise InputError('target="paper" has no other gauge than "zero-mean"')
        if self.ensemble < 1:
            raise InputError(f"ensemble must be 1 classifier or more; got {self.ensemble}")
        Target(share=self.follow)

    def solve(self, problem: Problem) -> Solution:
        """The solution of `problem`; `fit` calls this.

        Raises:
            InputError: States are numbered, or the decisions cannot be learned from.
        """
        return self.solution(*self.taught(problem, *self.rule(problem)))

    def taught(
        self, problem: Problem, rule: Rule, next_safe: Bool[np.ndarray, "N A"] | None
    ) -> tuple[Taught, Seen]:
        """A training by a rule of its networks (and of that of `DCIQL`), and what was seen."""
        seen = self.seen(problem)
        told = {"next_safe": next_safe, "judged": seen.judged, "remedy": REMEDY}
        settings = rule, self.lessons, self.seed, self.num_actions
        return teach(seen.problem, *settings, **told), seen

    @property
    def learner(self) -> "DIQL":
        """Itself, as of `DCIQL` the settings below it."""
        return self

    def with_seed(self, seed: int) -> "DIQL":
        """The same with another seed."""
        return replace(self, seed=seed)

    def rule(self, problem: Problem) -> tuple[Rule, Bool[np.ndarray, "N A"] | None]:
        """How it learns; no action is unsafe."""
        return self.ready(problem), None

    def ready(self, problem: Problem) -> "DIQL":
        """The same with seed 0, so that seeds share what is compiled; where no decision could be
        held out, it keeps the last classifier.
        """
        nothing = np.isnan(kept_apart(problem, self.held_out)[1]).all()
        return replace(self, seed=0, keep="last" if nothing else self.keep)

    def seen(self, problem: Problem) -> Seen:
        """A problem as the networks see it.

        Raises:
            InputError: States are numbered, or the anchor does not exist everywhere.
        """
        data = problem.decisions
        if data.states.ndim == 1:
            raise InputError(
                "deep inverse Q-learning reads features, and these states are numbers: name "
                "columns of features, or fit IAVI or IQL, which solve numbered states exactly"
            )
        if self.anchor is not None and data.allowed is not None:
            missing = ~data.allowed[:, self.anchor]
            if missing.any():
                raise InputError(
                    f"row {data.row(int(np.argmax(missing)))}: the anchor action {self.anchor} "
                    'does not exist there; take another, or the gauge "zero-mean"'
                )
        learned, judged = kept_apart(problem, self.held_out)
        scale = scale_of(problem, self.settings)
        shown = replace(problem, demonstrations=scale.applied(data), weights=learned)
        return Seen(shown, scale, data, judged)

    def record(self, taught: Taught, scale: Scale, name: str) -> TrainedNetwork:
        """One of the networks, as it reads features in their own units."""
        module = scale.folded(taught.learner.kept(name))
        settings = self.classifier if name == "policy" else self.settings
        return taught.course.record(settings, module)

    def solution(self, taught: Taught, seen: Seen) -> Solution:
        """The solution of a training, with the temperature calibrated."""
        classifier, reward, shifted = (
            self.record(taught, seen.scale, name) for name in ("policy", "reward", "shifted")
        )
        heat = best_temperature(classifier, seen.data, seen.judged)
        policy = NetworkPolicy(classifier, heat)
        return Solution(
            solver="DIQL",
            settings=asdict(self),
            policy=policy,
            reward_function=ObservationReward(reward, shifted, policy, self.support),
            status=taught.status,
            parameters={"temperature": np.array(heat)},
            num_parameters=sum(array.size for array in classifier.arrays),
            trace=taught.trace,
        )

    @property
    def settings(self) -> Network:
        """Of each network."""
        return self.network or FullyConnected((64, 64))

    @property
    def classifier(self) -> Network | Ensemble:
        """Of the classifier."""
        alone = self.ensemble == 1
        return self.settings if alone else Ensemble.of(self.settings, self.ensemble)

    @property
    def drawing(self) -> Drawing:
        """How transitions are drawn."""
        return Drawing(self.lessons.batch, self.discount, self.lessons.noise)

    def networks(self) -> dict[str, Part]:
        """The classifier, the shifted Q and the reward; for the paper's target Q itself too."""
        build, adam, slowly = self.settings.build, self.lessons.optimiser, Target(share=self.follow)
        paper, judge = self.target == "paper", nats if self.keep == "best" else None
        parts = {
            "policy": Part(self.classifier.build, self.policy_loss, adam, nats=judge),
            "shifted": Part(build, self.shifted_loss, adam, slowly),
            "reward": Part(build, self.reward_loss, adam, slowly if paper else None),
        }
        if self.gauge == "state-only":
            # v and w of a state: two numbers whatever the number of actions.
            two = lambda key, shape, _: build(key, shape, 2)  # noqa: E731
            heads = Part(two, self.state_only, adam, slowly)
            residual = Part(build, self.residual_loss, adam)
            return {"policy": parts["policy"], "residual": residual, "heads": heads} | parts
        return parts | ({"q": Part(build, self.q_loss, adam, slowly)} if paper else {})

    def policy_loss(
        self, network: Any, learner: Learner, key: PRNGKeyArray, expert: Batch, own: Batch | None
    ) -> Float[Array, ""]:
        """Cross-entropy of the smoothed actions of a batch, in nats."""
        del learner, key, own  # of no meaning here
        return classifier_loss(network, expert, self.smoothing, self.lessons)

    def shifted_loss(
        self, network: Any, learner: Learner, key: PRNGKeyArray, expert: Batch, own: Batch | None
    ) -> Float[Array, ""]:
        """Squared distance of Q^Sh(s, a) from gamma V(s')."""
        del key, own
        wanted = self.ahead(learner, expert)
        made = jax.vmap(network)(expert.observations)
        return jnp.mean((taken(made, expert.actions) - wanted) ** 2) + self.lessons.penalty(network)

    def reward_loss(
        self, network: Any, learner: Learner, key: PRNGKeyArray, expert: Batch, own: Batch | None
    ) -> Float[Array, ""]:
        """Squared distance of the reward from what it is regressed on."""
        del key, own
        seen, mask = expert.observations, expert.allowed
        log_policy = log_probabilities(learner.kept("policy"), seen, mask)
        eta = log_policy - self.following(learner, seen, log_policy)
        made = jax.vmap(network)(seen)
        if self.target == "centred":
            chosen = self.offset(learner, seen, eta, mask)
            off = jnp.where(jnp.isfinite(eta), made - eta - chosen[:, None], 0.0)
            loss = jnp.mean(jnp.sum(off**2, axis=1) / jnp.isfinite(eta).sum(axis=1))
        else:
            others = jnp.where(
                jnp.isfinite(eta), jax.vmap(learner.targets["reward"])(seen) - eta, 0.0
            )
            count = jnp.maximum(jnp.isfinite(eta).sum(axis=1) - 1, 1)
            mean = (others.sum(axis=1) - taken(others, expert.actions)) / count
            wanted = taken(eta, expert.actions) + mean
            loss = jnp.mean((taken(made, expert.actions) - wanted) ** 2)
        return loss + self.lessons.penalty(network)

    def q_loss(
        self, network: Any, learner: Learner, key: PRNGKeyArray, expert: Batch, own: Batch | None
    ) -> Float[Array, ""]:
        """Squared distance of Q(s, a) from r(s, a) + gamma V(s')."""
        del key, own
        reward = jax.vmap(learner.targets["reward"])(expert.observations)
        wanted = taken(reward, expert.actions) + self.ahead(learner, expert)
        made = jax.vmap(network)(expert.observations)
        return jnp.mean((taken(made, expert.actions) - wanted) ** 2) + self.lessons.penalty(network)

    def ahead(self, learner: Learner, batch: Batch) -> Float[Array, " n"]:
        """Gamma V(s') of each transition."""
        seen, mask = batch.next_observations, batch.next_allowed
        log_policy = log_probabilities(learner.kept("policy"), seen, mask)
        if self.target == "paper":
            q = jnp.where(
                self.supported(log_policy), jax.vmap(learner.targets["q"])(seen), -jnp.inf
            )
        else:
            # The largest Q is that of the likeliest action, which no data speak against.
            eta = log_policy - self.following(learner, seen, log_policy)
            q = log_policy + self.offset(learner, seen, eta, mask)[:, None]
        v = q.max(axis=1) if self.backup == "hard" else jax.nn.logsumexp(q, axis=1)
        return self.discount * jnp.where(batch.ended, self.terminal_value, v)

    def state_only(
        self, network: Any, learner: Learner, key: PRNGKeyArray, expert: Batch, own: Batch | None
    ) -> Float[Array, ""]:
        """What chooses v(s) for the reward that depends least on the action.

        Where a reward R of states alone explains the policy, log pi(a | s) = w(s) + gamma E[v(s')]
        with w = R + top - v. Of v and w the mean of E[delta | s, a]^2 over actions is minimised,
        delta = log pi(a | s) - w(s) - gamma v(s'). The square of one sampled delta would also
        punish what chance does to v(s') (Baird 1995); a network of the mean delta takes its place,
        as in Antos, Szepesvari and Munos (2008).
        """
        del key, own
        delta, weight = self.delta(network, learner, expert)
        mean = jax.vmap(learner.networks["residual"])(expert.observations)
        mean = taken(mean, expert.actions)
        v = jax.vmap(network)(expert.observations)[:, 0]
        least = _SMALL * jnp.mean(v**2)  # of what is still open, the smallest
        return jnp.mean(weight * 2 * mean * delta) + least + self.lessons.penalty(network)

    def residual_loss(
        self, network: Any, learner: Learner, key: PRNGKeyArray, expert: Batch, own: Batch | None
    ) -> Float[Array, ""]:
        """Squared distance of the mean delta from those that are seen."""
        del key, own
        delta, weight = self.delta(learner.networks["heads"], learner, expert)
        made = taken(jax.vmap(network)(expert.observations), expert.actions)
        return jnp.mean(weight * (made - delta) ** 2) + self.lessons.penalty(network)

    def delta(
        self, heads: Any, learner: Learner, batch: Batch
    ) -> tuple[Float[Array, " n"], Float[Array, " n"]]:
        """What is left of log pi(a | s), less w(s) and gamma v(s'), in each transition; and its
        weight: every action that exists counts alike, however often it is taken.
        """
        log_policy = log_probabilities(learner.kept("policy"), batch.observations, batch.allowed)
        likely, exist = taken(log_policy, batch.actions), jnp.isfinite(log_policy).sum(axis=1)
        w = jax.vmap(heads)(batch.observations)[:, 1]
        v = jax.vmap(heads)(batch.next_observations)[:, 0]
        v = jnp.where(batch.ended, self.terminal_value, v)
        weight = 1 / (exist * jnp.maximum(jnp.exp(likely), self.support))
        return likely - w - self.discount * v, weight

    def offset(
        self, learner: Learner, seen: Float[Array, "n *shape"], eta: Float[Array, "n A"], mask: Mask
    ) -> Float[Array, " n"]:
        """c(s): what the gauge adds to eta to make the reward of it."""
        if self.anchor is not None:
            return self.anchor_reward - eta[:, self.anchor]
        if self.gauge == "state-only":
            v = jax.vmap(learner.targets["heads"])(seen)[:, 0]
            if self.backup == "soft":
                return v
            return v - log_probabilities(learner.kept("policy"), seen, mask).max(axis=1)
        exist = jnp.isfinite(eta)
        return -jnp.where(exist, eta, 0.0).sum(axis=1) / exist.sum(axis=1)

    def following(
        self, learner: Learner, seen: Float[Array, "n *shape"], log_policy: Float[Array, "n A"]
    ) -> Float[Array, "n A"]:
        """Q^Sh; of actions that the data do not speak of the mean of the others, because what
        a network makes up there would come back in the mean over actions, and grow.
        """
        made = jax.vmap(learner.targets["shifted"])(seen)
        spoken = self.supported(log_policy) & jnp.isfinite(log_policy)
        mean = jnp.where(spoken, made, 0.0).sum(axis=1) / spoken.sum(axis=1)
        return jnp.where(spoken, made, mean[:, None])

    def supported(self, log_policy: Float[Array, "n A"]) -> Bool[Array, "n A"]:
        """Actions that the data speak of; the likeliest always."""
        best = log_policy.max(axis=1, keepdims=True)
        return (jnp.exp(log_policy) >= self.support) | (log_policy == best)
