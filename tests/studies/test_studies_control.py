"""The studies of experts and of control: their small versions, and what they count."""

from dataclasses import dataclass
from types import SimpleNamespace

import gymnasium
import jax
import numpy as np
import pytest
from study_form import has_the_form

from inverseq import Demonstrations, InputError, Solution, Status, fit, load
from inverseq._core.status import Outcome
from inverseq.networks import FullyConnected, TrainedNetwork, action_values, trained_network
from inverseq.policies import FinitePolicy, SquashedPolicy
from inverseq.rewards.reward import ObservedReward
from inverseq.studies.control import STUDY, Settings, online
from inverseq.studies.control import shown as of_shown
from inverseq.studies.control.choosing import Chosen
from inverseq.studies.control.rewards import correlation, identified
from inverseq.studies.control.shown import Expert, expert_of, solvers_of, thinned, weights_of
from inverseq.studies.experts import Settings as Experts
from inverseq.studies.experts.tasks import (
    LanderController,
    Reckless,
    careless,
    numbered_tasks,
    simulator_of_task,
    task_of,
    tasks_of,
)
from inverseq.studies.study import Effort

minari = pytest.importorskip("minari")


def test_experts_are_data_sets_that_minari_opens(small, monkeypatch):
    has_the_form(small, "experts", "experts")
    done, folder, _ = small("experts", "experts")
    monkeypatch.setenv("MINARI_DATASETS_PATH", str(folder))
    opened = minari.load_dataset("CartPole-expert-v0")
    [row] = done.results["experts"].tables["experts"]
    earned = [episode.rewards.sum() for episode in opened.iterate_episodes()]
    assert np.mean(earned) == pytest.approx(row["return"], abs=0.06)
    environment = opened.recover_environment()
    assert environment.spec.id == "CartPole-v1"
    assert opened.observation_space == environment.observation_space
    network = load(folder / "CartPole-expert.npz", TrainedNetwork)
    seen = [episode.observations[:-1] for episode in opened.iterate_episodes()]
    done_there = np.concatenate([episode.actions for episode in opened.iterate_episodes()])
    best = action_values(network, np.concatenate(seen)).argmax(axis=1)
    np.testing.assert_array_equal(best, done_there)


def test_what_is_learned_offline_is_told(small):
    has_the_form(small, "control", "offline")
    found = small("control", "offline")[0].results["offline"]
    rows = found.tables["returns"]
    assert [row["solver"] for row in rows] == ["IQ-Learn", "cloning"]
    assert rows[0]["published"] == 142.0
    assert rows[1]["correlation"] is None
    assert -1 <= rows[0]["correlation"] <= 1
    for row in rows:
        of_row = [t for t in found.record if t.solver == row["solver"]]
        assert len(of_row) == STUDY.small.seeds
        assert row["return"] == pytest.approx(np.mean([t.earned for t in of_row]), abs=1e-3)
        assert row["low"] <= row["return"] <= row["high"]


def games():
    """Two games of 7 and 12 moves; the second ends."""
    rows = np.arange(19)
    return Demonstrations.from_arrays(
        rows[:, None].astype(float),
        rows % 2,
        next_states=rows[:, None] + 1.0,
        trajectory=[0] * 7 + [1] * 12,
        terminated=rows == 18,
        decisions={"reward": np.where(rows < 7, 1.0, 3.0)},
    )


def test_demonstrations_are_thinned_out_game_by_game():
    shown = thinned(games(), 2, 5, seed=8)
    rng = np.random.default_rng(8)
    assert rng.permutation(2).tolist() == [1, 0]  # other games for other seeds
    first = [rng.integers(5), rng.integers(5)]
    wanted = [*range(7 + first[0], 19, 5), *range(first[1], 7, 5)]
    assert shown.states[:, 0].tolist() == wanted
    assert shown.next_states[:, 0].tolist() == [row + 1 for row in wanted]
    assert shown.terminated.tolist() == [row == 18 for row in wanted]
    assert weights_of(shown, 1).tolist() == [row >= 7 for row in wanted]


class Same(ObservedReward):
    """Twice the true reward, less one at every move."""

    def values(self, demonstrations, mdp):
        return 2 * demonstrations.decisions["reward"] - 1


def test_rewards_are_compared_over_whole_games():
    assert correlation([games(), games()], Same()) == pytest.approx(1.0)
    first = games().take(np.array([True, False]))
    assert np.isnan(correlation([first], Same()))


class Lost(Same):
    """The same, and no number in one row."""

    def values(self, demonstrations, mdp):
        found = super().values(demonstrations, mdp)
        found[3] = np.nan
        return found


def test_a_reward_that_is_no_number_is_not_taken_for_nothing():
    assert np.isnan(correlation([games(), games()], Lost()))


@dataclass(frozen=True, eq=False)
class Even(FinitePolicy):
    """One probability of action 1, everywhere."""

    share: float
    num_actions = 2

    def probabilities(self, demonstrations, mdp):
        return np.tile([1 - self.share, self.share], (demonstrations.num_decisions, 1))


class Told(Even):
    """Its logarithms are given, row by row."""

    def log_likelihoods(self, demonstrations, mdp):
        return self.share[: demonstrations.num_decisions]


def test_what_behaviour_tells_of_a_reward_is_its_discounted_log_policy():
    """Of a soft reward, r = log pi + V(s) - 0.99 V(s'), whatever V is."""
    some, logs = games(), np.random.default_rng(0).normal(size=19) - 2
    first = some.take(np.array([True, False]))
    learned = Solution("told", {}, Told(logs), Status(Outcome.CONVERGED))
    kept = 0.99 ** np.concatenate([np.arange(7), np.arange(12)])
    found, paid = kept * logs, kept * some.decisions["reward"]
    sums = [[x[:7].sum(), x[7:].sum(), x[:7].sum()] for x in (found, paid)]
    wanted = np.corrcoef(np.array(sums))[0, 1]
    assert identified([some, first], learned) == pytest.approx(wanted)
    logs[:7] = -np.inf  # as of an action that a network gives no probability
    assert identified([some, first], learned) == pytest.approx(1.0)


class Guess:
    """A solver that gives action 1 one probability, whatever it learns from."""

    def __init__(self, share, seen):
        self.share, self.seen = share, seen

    def solve(self, problem):
        self.seen.append(problem.weights)
        return Solution("guess", {}, Even(self.share), Status(Outcome.CONVERGED))


def test_settings_are_chosen_by_decisions_that_were_not_learned_from():
    seen: dict[float, list] = {share: [] for share in (0.1, 0.6, 0.9)}
    data = games()
    weights = weights_of(data, 1)
    solver = Chosen([Guess(share, of) for share, of in seen.items()], seed=0)
    found = fit(data, solver, weights=weights)
    # 3 of the 7 decisions of the first game are 1.
    assert found.policy.share == 0.6
    for share, of in seen.items():
        assert len(of) == 5 + (share == 0.6)
        assert sum(np.asarray(w) for w in of[:5]).tolist() == [4.0] * 7 + [0.0] * 12


def test_trainings_that_diverged_are_told(monkeypatch):
    expert = Expert(LanderController(), 2, games(), 500.0, 20.0)
    earned = np.full((3, 10), 400.0)
    earned[2, 4:] = np.nan
    monkeypatch.setattr(online, "of_task", lambda *_: (expert, {"IQ-Learn": earned}, []))
    settings = Settings(tasks=("CartPole-v1",), online_steps=100)
    made = online.run(settings, Effort(workers=1))
    rows = made.tables["learning"]
    assert [row["diverged"] for row in rows] == [0] * 4 + [1] * 6
    assert rows[-1]["return"] < rows[0]["return"] == 400.0
    assert "1 diverged, and count as chance" in made.sentences[0]


def test_an_expert_is_made_once_for_all_parts_and_plays_nothing_in_vain(monkeypatch):
    made = []
    monkeypatch.setattr(
        of_shown, "train_expert", lambda *a: (made.append(a), (LanderController(), None))[1]
    )
    recording = SimpleNamespace(demonstrations=games(), rewards=np.full(2, 20.0))
    monkeypatch.setattr(of_shown, "shown_by", lambda *a: recording)
    monkeypatch.setattr(of_shown, "by_chance", lambda *a: recording)
    settings = Settings(sizes=(1, 2), expert_steps=77)
    one, other = (expert_of(task_of("CartPole"), settings, 5) for _ in range(2))
    assert one is other
    assert len(made) == 1
    assert one.chance == 20.0


def test_an_expert_no_better_than_chance_gives_no_shares():
    expert = Expert(LanderController(), 2, games(), 20.0, 20.0)
    assert np.isnan(expert.normalised(np.array([20.0, 30.0]))).all()


def test_continuous_tasks_have_an_expert_who_is_careless_now_and_then():
    network = FullyConnected((4,))
    module = network.build(jax.random.key(0), (3,), 2)
    actor = SquashedPolicy(
        trained_network(network, module, (3,), 2), np.array([-2.0]), np.array([2.0])
    )
    now = Demonstrations.from_arrays(np.ones((500, 3)), np.full((500, 1), np.nan))
    player = careless(task_of("Pendulum"), actor, 0.25)
    assert isinstance(player, Reckless)
    actions, best = player.act(np.random.default_rng(0), now, None), actor.best(now, None)
    assert np.mean(actions != best) == pytest.approx(0.25, abs=0.05)
    assert np.abs(actions).max() > 1.9
    with pytest.raises(InputError, match="actions of Pendulum-v1 are continuous"):
        numbered_tasks(("Pendulum-v1",))
    rules = online.online_settings(task_of("Pendulum"), 1)
    assert {rule.actor.network for rule in rules.values()} == {FullyConnected((64, 64))}
    assert rules["LS-IQ"].num_actions is None
    wide = online.online_settings(task_of("Hopper"), 1)["LS-IQ"]
    assert wide.network == wide.actor.network == FullyConnected((128, 128))


def test_what_is_missing_is_told_before_anything_is_learned(tmp_path, monkeypatch):
    with pytest.raises(InputError, match="inverseq study experts --out"):
        expert_of(task_of("CartPole"), Settings(experts=str(tmp_path)), 0)

    def nothing(*_, **__):
        raise gymnasium.error.DependencyNotInstalled("Box2D")

    simulator_of_task.cache_clear()
    monkeypatch.setattr(gymnasium, "make", nothing)
    with pytest.raises(InputError, match=r'pip install "inverseq\[control\]"'):
        tasks_of(("LunarLander-v3",))


def test_settings_that_cannot_be():
    with pytest.raises(InputError, match="of 1 or more"):
        Settings(sizes=(0,))
    with pytest.raises(InputError, match="give one task or more"):
        Experts(tasks=())
    with pytest.raises(InputError, match="no task 'Pong'"):
        task_of("Pong")
    with pytest.raises(InputError, match="no solver 'GAIL'"):
        solvers_of(task_of("CartPole"), Settings(solvers=("GAIL",)), 2, 0)


def test_tasks_are_looked_at_once(monkeypatch):
    looked = []
    monkeypatch.setattr("inverseq.studies.experts.tasks.simulator_of_task", looked.append)
    assert numbered_tasks(("CartPole-v1",)) == looked == [task_of("CartPole")]
