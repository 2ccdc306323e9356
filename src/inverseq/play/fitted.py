"""An agent that plays what was fitted or trained."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol, runtime_checkable

import numpy as np
from jaxtyping import Bool, Float, Shaped

from inverseq._core.errors import InputError
from inverseq._core.status import Outcome, Status
from inverseq.demonstrations import Demonstrations
from inverseq.forward.dqn import TrainedDQN
from inverseq.forward.sac import TrainedSAC
from inverseq.inverse.explanation import Explanation
from inverseq.inverse.solution import Solution
from inverseq.mdp import MDP
from inverseq.networks import TrainedNetwork
from inverseq.play.agents import Agent, board_of
from inverseq.policies import ContinuousPolicy, FinitePolicy, Policy, boltzmann, greedy
from inverseq.policies.network import NetworkPolicy

Fitted = Explanation | Policy | TrainedDQN | TrainedSAC | TrainedNetwork | np.ndarray
"""What can play."""


@dataclass(frozen=True, eq=False)
class ValueTable(FinitePolicy):
    """Boltzmann in a table of action values, with no world that says which actions exist.

    Attributes:
        q: `[S, A]`.
    """

    q: Float[np.ndarray, "S A"]

    @property
    def num_actions(self) -> int:
        """A."""
        return self.q.shape[1]

    def probabilities(
        self, demonstrations: Demonstrations, mdp: MDP | None
    ) -> Float[np.ndarray, "N A"]:
        """Of the row of each decision's state."""
        return boltzmann(self.q, np.ones(self.q.shape, dtype=bool))[demonstrations.states]


@runtime_checkable
class Sees(Protocol):
    """A policy of observations of one shape."""

    @property
    def observation_shape(self) -> tuple[int, ...]:
        """Of one observation."""
        ...


class Past(NamedTuple):
    """A game so far, for what looks at the past."""

    states: tuple[np.ndarray, ...] = ()
    actions: tuple[Any, ...] = ()


class QAgent(Agent):
    """Plays what was fitted, as it predicts.

    Observations are states of the fitted world, or have the shape that a network was trained on;
    boards of the GridWorld game may also be one-hot or flat. What looks at the past (a habit, a
    world with history, several intentions) is asked about the whole game so far.

    Args:
        fitted: What `inverseq.fit` returned, of one intention or several; a policy; a `TrainedDQN`
            or `TrainedSAC`; a `TrainedNetwork` of action values; or a table `[S, A]` of them.
        seed: Which random choices.
        temperature: Actions are drawn with probability proportional to exp(Q / temperature), Q in
            units of the fitted policy's own temperature (or p ** (1 / temperature), which is the
            same), so that 1 plays as the demonstrations were explained. None takes the best action;
            actions that tie share equally. Continuous actions are drawn as they were explained with
            1; None takes the middle where the policy has one (`ContinuousPolicy.best`).

    Raises:
        InputError: It cannot play, the world fitted in is not one that is observed, or continuous
            actions are to be drawn at another temperature than 1.
    """

    def __init__(self, fitted: Fitted, seed: int, temperature: float | None = None):
        self._fitted = explained(fitted)
        super().__init__(self._fitted.num_actions or 0, seed)
        self.temperature = temperature
        check_temperature(self._fitted, temperature)
        policy = self._fitted.intentions[0].policy
        self._shape = policy.observation_shape if isinstance(policy, Sees) else None
        self._past = Past()

    def get_action(self, observation: Any) -> Any:
        """The best action, or one drawn at the temperature."""
        action, self._past = self._move(observation, self._past, self.temperature)
        return action

    def predict(
        self,
        observation: Any,
        state: Sequence[Past] | None = None,
        episode_start: Bool[np.ndarray, " n"] | None = None,
        deterministic: bool = True,
    ) -> tuple[Any, tuple[Past, ...] | None]:
        """Actions as Stable-Baselines3 asks for them (`evaluate_policy`), of games side by side.

        Nobody tells which actions exist here: where an environment says it, play with `get_action`.

        Args:
            observation: What is observed now, of one game; or of several, the games first, where
                `episode_start` is given or there is one axis more.
            state: What this gave last, for what looks at the past.
            episode_start: Which games have just begun; all where there is no `state`.
            deterministic: Whether the best action is taken; else one is drawn at the agent's
                temperature, 1 where it has none.

        Returns:
            An action, or those of all games; and the games so far (None for what does not look at
            the past).

        Raises:
            InputError: There are other games than before.
        """
        temperature = None if deterministic else self.temperature or 1.0
        seen = np.asarray(observation)
        several = episode_start is not None or seen.ndim > len(self._shape or ())
        games = seen if several else seen[None]
        pasts = [Past()] * len(games) if state is None else list(state)
        begun = np.zeros(len(pasts), bool) if episode_start is None else np.asarray(episode_start)
        if not len(games) == len(pasts) == len(begun):
            raise InputError(
                f"observed are {len(games)} games, state is of {len(pasts)} and episode_start of "
                f"{len(begun)}: give what predict returned for these games, or leave state out"
            )
        given = zip(games, pasts, begun, strict=True)
        moves = [self._move(now, Past() if new else past, temperature) for now, past, new in given]
        following = None if self._fitted.present_only else tuple(past for _, past in moves)
        actions = np.array([action for action, _ in moves])
        return (actions if several else actions[0]), following

    def chances(self, observation: Any) -> Float[np.ndarray, " A"]:
        """How probable it is to take each action at what is observed now."""
        return self._chances(self._game(observation, self._past), self.temperature)

    def _chances(self, game: Demonstrations, temperature: float | None) -> np.ndarray:
        """How probable each action is at the last decision of a game."""
        return tempered(self._fitted.probabilities(game)[-1:], temperature)[0]

    def _move(self, observation: Any, past: Past, temperature: float | None) -> tuple[Any, Past]:
        """An action after the game so far, and the game with it."""
        game = self._game(observation, past)
        if self._fitted.num_actions is None:
            action = continuous_actions(self._fitted, self.rng, game, temperature)[-1]
        else:
            action = int(self.rng.choice(self.num_actions, p=self._chances(game, temperature)))
        if self._fitted.present_only:
            return action, past
        return action, Past((*past.states, self._seen(observation)), (*past.actions, action))

    def inform_result(
        self, next_observation: Any, reward: float, terminated: bool, truncated: bool
    ) -> None:
        """A game that has ended is no past of the next."""
        if terminated or truncated:
            self._past = Past()

    def _game(self, observation: Any, past: Past) -> Demonstrations:
        """The decision to be made, after the game so far where that matters."""
        states = np.stack([*past.states, self._seen(observation)])
        if self._fitted.num_actions is not None:
            now = np.array(-1)
        else:
            now = np.full(np.shape(past.actions[-1]) if past.actions else (1,), np.nan)
        allowed = None
        if self.allowed is not None and self._shape is not None:
            allowed = np.ones((len(states), self.num_actions), dtype=bool)
            allowed[-1] = self.allowed
        actions = np.stack([*past.actions, now])
        return Demonstrations.from_arrays(states, actions, allowed=allowed, **self._names(states))

    def _names(self, states: np.ndarray) -> dict[str, tuple[str, ...]]:
        """What the numbers of the fitted world stand for: what is observed has these numbers."""
        mdp = self._fitted.mdp
        if mdp is None or states.ndim > 1:
            return {}
        return {"state_names": mdp.state_names, "action_names": mdp.action_names}

    def _seen(self, observation: Any) -> Shaped[np.ndarray, "*shape"]:
        """The observation in the form that was fitted to."""
        seen = np.asarray(observation)
        if self._shape is None or seen.shape == self._shape:
            return seen
        if len(self._shape) == 2:
            seen = board_of(seen, self._shape[1])
        if seen.shape != self._shape:
            raise InputError(
                f"the network was trained on shape {self._shape}; observed is {seen.shape}"
            )
        return seen


def check_temperature(fitted: Explanation, temperature: float | None) -> None:
    """Raise an `InputError` where continuous actions are to be drawn hotter or colder."""
    if fitted.num_actions is None and temperature not in (None, 1.0):
        raise InputError(
            f"temperature is {temperature:g}, but continuous actions are drawn as they were "
            "explained (temperature=1.0), or the middle is taken (leave it out)"
        )


def continuous_actions(
    fitted: Explanation,
    rng: np.random.Generator,
    now: Demonstrations,
    temperature: float | None,
) -> Shaped[np.ndarray, "N D"]:
    """Continuous actions at decisions: the middle ones where nothing is to be drawn and there is
    one policy that knows them, else drawn.
    """
    policies = [one.policy for one in fitted.intentions]
    if temperature is None and len(policies) == 1 and isinstance(policies[0], ContinuousPolicy):
        return policies[0].best(now, fitted.mdp)
    return fitted.act(rng, now)


def tempered(
    likely: Float[np.ndarray, "N A"], temperature: float | None
) -> Float[np.ndarray, "N A"]:
    """How probable actions are at a temperature (see `QAgent`), from how they are at 1."""
    exists = likely > 0
    values = np.log(np.where(exists, likely, 1.0))
    return greedy(values, exists) if temperature is None else boltzmann(values, exists, temperature)


def explained(fitted: Fitted) -> Explanation:
    """Whatever can play, as an explanation of what it would do."""
    if isinstance(fitted, Explanation):
        if fitted.mdp is not None and fitted.mdp.worlds is not None:
            raise InputError(
                "what is observed is the state of one world; this solution was fitted to several "
                "worlds: replan it in the one that is played"
            )
        return fitted
    if isinstance(fitted, TrainedDQN):
        return explained(fitted.trained)
    if isinstance(fitted, TrainedSAC):
        return explained(fitted.policy)
    if isinstance(fitted, TrainedNetwork):
        return explained(NetworkPolicy(fitted, 1.0))
    if isinstance(fitted, np.ndarray) and fitted.ndim == 2:
        return explained(ValueTable(fitted))
    if not isinstance(fitted, Policy):
        raise InputError(
            "an agent plays what inverseq.fit returned, a policy, a trained network, or a table "
            f"[S, A] of action values; got a {type(fitted).__name__}"
        )
    return Solution("policy", {}, fitted, Status(Outcome.CONVERGED))
