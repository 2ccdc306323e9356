"""Agents: at random, a person, the expert, and play by action values."""

from queue import Queue

import jax
import numpy as np
import pytest

from inverseq import MDP, InputError, Solution, Status, read_table, unite, worlds
from inverseq._core.status import Outcome
from inverseq.forward import value_iteration
from inverseq.inverse.fit import fit
from inverseq.inverse.tables.count_table import CountTable
from inverseq.inverse.tables.steered import Steered
from inverseq.networks import FullyConnected, action_values, trained_network
from inverseq.play import Agent, HumanAgent, Orchestrator, QAgent, ShortestPathAgent
from inverseq.policies import TabularPolicy, boltzmann, uniform
from inverseq.policies.network import NetworkPolicy
from inverseq.worlds import GridWorldEnv, MDPEnv
from inverseq.worlds.game_environment import OBSERVATIONS
from strategies import play, random_policy


def test_a_random_agent_takes_every_action_equally_often():
    agent = Agent(3, seed=0)
    counts = np.bincount([agent.get_action(None) for _ in range(3000)], minlength=3)
    assert np.abs(counts - 1000).max() < 5 * np.sqrt(3000 * 2 / 9)
    first, again = (Agent(4, seed=1) for _ in range(2))
    assert [first.get_action(0) for _ in range(20)] == [again.get_action(0) for _ in range(20)]
    assert agent.train() is None


def test_a_person_chooses_by_a_queue_or_a_function():
    moves = Queue()
    moves.put(2)
    moves.put(7)
    agent = HumanAgent(moves)
    assert agent.get_action(None) == 2
    with pytest.raises(InputError, match="got 7"):
        agent.get_action(None)
    careless = HumanAgent(lambda seen: seen + 1, num_actions=3)
    assert careless.get_action(1) == 2
    careless.allowed = np.array([True, True, False])
    with pytest.raises(InputError, match=r"action 2 does not exist here.*\[0, 1\]"):
        careless.get_action(1)


@pytest.mark.parametrize("observation", OBSERVATIONS)
def test_the_expert_takes_a_shortest_way_on_every_board(observation):
    settings = {"width": 6, "height": 5, "num_walls": 9, "win": "random"}
    environment = GridWorldEnv(observation, **settings)
    recording = Orchestrator(environment, ShortestPathAgent(0, width=6)).play(games=60, seed=0)
    np.testing.assert_array_equal(recording.distance_ratio, 1.0)
    assert recording.terminated.all()
    assert (recording.manhattan_ratio >= 1).all()
    assert (recording.manhattan_ratio > 1).any()  # walls stood in the way of some


def test_the_expert_tries_every_best_move():
    board = np.zeros((3, 3), int)
    board[0, 0], board[2, 2] = 2, 3
    agent = ShortestPathAgent(0, width=3)
    counts = np.bincount([agent.get_action(board) for _ in range(400)], minlength=4)
    assert counts[[0, 3]].sum() == 0
    assert 150 < counts[1] < 250


@pytest.mark.parametrize(
    ("board", "words"),
    [
        ([[0, 2], [0, 0]], "one player and one win tile"),
        ([[2, 1], [1, 3]], "no way from the player"),
        ([0, 2, 3], "multiple of 2 cells"),
    ],
)
def test_boards_without_a_way_are_refused(board, words):
    with pytest.raises(InputError, match=words):
        ShortestPathAgent(0, width=2).get_action(np.array(board))


def solution_of(mdp: MDP, q: np.ndarray | None) -> Solution:
    """What a solver could have found: the Boltzmann policy of `q`."""
    policy = uniform(mdp.allowed) if q is None else boltzmann(q, mdp.allowed)
    return Solution("Some", {}, TabularPolicy(policy), Status(Outcome.CONVERGED, 1, 0.0), mdp, q=q)


def test_a_fitted_solution_plays_its_own_world():
    mdp = worlds.maze(["..G", ".#.", "S.."]).mdp
    solution = solution_of(mdp, value_iteration(mdp).q / 5)
    environment = MDPEnv(worlds.maze(["..G", ".#.", "S.."]))
    recording = Orchestrator(environment, QAgent(solution, 0)).play(games=50, seed=0)
    np.testing.assert_array_equal(recording.moves, 4)
    start = int(solution.mdp.initial.argmax())
    agent = QAgent(solution, 0, temperature=1.0)
    counts = np.bincount([agent.get_action(start) for _ in range(4000)], minlength=4) / 4000
    assert np.abs(counts - solution.policy[start]).max() < 5 * np.sqrt(0.25 / 4000)


def test_states_and_actions_whose_names_are_other_numbers_are_those_of_the_world():
    table = {"state": [3, 8, 3], "action": [2, 1, 2], "next_state": [8, 3, 8]}
    demos = read_table(table)
    mdp = MDP.estimate(demos, discount=0.9)
    assert (mdp.state_names, mdp.action_names) == (("3", "8"), ("1", "2"))
    for fitted in (fit(demos, CountTable(1), mdp), fit(demos, CountTable(2), mdp)):
        agent = QAgent(fitted, 0)
        assert [agent.get_action(state) for state in (0, 1, 0)] == [1, 0, 1]


def test_actions_that_tie_share_equally_and_those_that_do_not_exist_are_left_out():
    agent = QAgent(np.array([[1.0, 1.0, 0.0], [0.0, 2.0, 1.0]]), 0)
    counts = np.bincount([agent.get_action(0) for _ in range(400)], minlength=3)
    assert counts[2] == 0
    assert 150 < counts[0] < 250
    assert {agent.get_action(1) for _ in range(20)} == {1}
    mdp = MDP(np.zeros((1, 2, 1), int), np.ones((1, 2, 1)), 0.9, allowed=np.array([[True, False]]))
    barred = solution_of(mdp, np.array([[0.0, 9.0]]))
    assert {QAgent(barred, 0, temperature=5.0).get_action(0) for _ in range(20)} == {0}


@pytest.mark.parametrize("observation", OBSERVATIONS)
def test_a_network_reads_boards_in_every_form(observation):
    network = FullyConnected((5,), tiles=4)
    module = network.build(jax.random.key(0), (3, 4), 4)
    trained = trained_network(network, module, (3, 4), 4)
    environment = GridWorldEnv(observation, width=4, height=3, num_walls=2)
    greedy, tempered = QAgent(trained, 0), QAgent(NetworkPolicy(trained, 0.5), 0, temperature=1.0)
    for seed in range(10):
        seen, _ = environment.reset(seed=seed)
        tiles = environment.unwrapped._tiles
        q = action_values(trained, tiles[None])[0]
        assert greedy.get_action(seen) == q.argmax()
        likely = np.exp(q / 0.5 - (q / 0.5).max())
        np.testing.assert_allclose(tempered.chances(seen), likely / likely.sum(), rtol=1e-5)
        assert tempered.get_action(seen) in range(4)
    with pytest.raises(InputError, match="trained on shape"):
        greedy.get_action(np.zeros((2, 2)))


def test_a_solution_without_values_plays_what_it_predicts():
    mdp = worlds.maze(["..G", ".#.", "S.."]).mdp
    agent = QAgent(solution_of(mdp, None), 0, temperature=1.0)
    np.testing.assert_allclose(agent.chances(0), uniform(mdp.allowed)[0])


def test_a_steered_agent_keeps_its_habit_and_knows_the_game_so_far():
    mdp = worlds.maze(["..G", ".#.", "S.."]).mdp
    rng = np.random.default_rng(0)
    demos = play(rng, mdp, random_policy(rng, mdp), trajectories=20, length=15)
    for habit in (CountTable(1, smoothing=0.5), CountTable(2, smoothing=0.5)):
        solution = fit(demos, Steered(habit, "states", folds=3), mdp)
        game = demos.take([0])
        expected = solution.probabilities(game)
        agent = QAgent(solution, 0, temperature=1.0)
        for row in range(4):
            np.testing.assert_allclose(agent.chances(game.states[row]), expected[row], atol=1e-12)
            agent.get_action(game.states[row])
            if not solution.present_only:
                past = agent._past
                agent._past = past._replace(actions=(*past.actions[:-1], game.actions[row]))
        agent.inform_result(0, 0.0, True, False)
        np.testing.assert_allclose(agent.chances(game.states[0]), expected[0], atol=1e-12)


class Vector:
    """Games side by side as Stable-Baselines3 holds them: one that ended has begun anew."""

    def __init__(self, lengths):
        self.lengths, self.moves, self.starts = lengths, np.zeros(len(lengths), int), []

    def step(self):
        """Which games have just begun."""
        begun = self.moves == 0
        self.moves = (self.moves + 1) % self.lengths
        return begun


def test_actions_are_predicted_for_games_side_by_side_each_with_its_past():
    mdp = worlds.maze(["..G", ".#.", "S.."]).mdp
    rng = np.random.default_rng(0)
    demos = play(rng, mdp, random_policy(rng, mdp), trajectories=20, length=15)
    solution = fit(demos, CountTable(2, smoothing=0.1), mdp)
    assert not solution.present_only
    vector, agent = Vector(np.array([3, 4])), QAgent(solution, 0)
    alone = [QAgent(solution, 0), QAgent(solution, 0)]
    state, differ = None, set()
    for _ in range(9):
        begun, seen = vector.step(), rng.integers(8, size=2)
        for one, new in zip(alone, begun, strict=True):
            if new:
                one.inform_result(0, 0.0, True, False)
        wanted = [one.chances(now) for one, now in zip(alone, seen, strict=True)]
        actions, state = agent.predict(seen, state, begun)
        assert [len(past.states) for past in state] == [
            p or n for p, n in zip(vector.moves, vector.lengths, strict=True)
        ]
        for one, now, took, likely, past in zip(alone, seen, actions, wanted, state, strict=True):
            one.get_action(now)
            one._past = past  # ties are drawn
            assert likely[took] == likely.max()
            differ.add((int(now), int(took)))
    assert len(differ) > len({now for now, _ in differ})  # by what came before
    with pytest.raises(InputError, match="observed are 1 games, state is of 2"):
        agent.predict(seen[:1], state, begun[:1])


def test_a_prediction_is_drawn_where_it_is_not_to_be_the_best():
    agent = QAgent(np.log([[0.7, 0.3], [0.2, 0.8]]), 0)
    assert agent.predict(0) == (0, None)
    actions, state = agent.predict(np.ones(2000, int), deterministic=False)
    assert state is None
    assert abs(actions.mean() - 0.8) < 5 * np.sqrt(0.16 / 2000)
    cold = QAgent(np.log([[0.7, 0.3], [0.2, 0.8]]), 0, temperature=0.01)
    assert cold.predict(np.ones(50, int), None, np.ones(50, bool), deterministic=False)[0].all()
    shape = (3,)
    network = FullyConnected((4,))
    trained = trained_network(network, network.build(jax.random.key(0), shape, 2), shape, 2)
    best = action_values(trained, np.eye(3)).argmax(axis=1)
    assert QAgent(trained, 0).predict(np.eye(3))[0].tolist() == best.tolist()
    assert QAgent(trained, 0).predict(np.eye(3)[1])[0] == best[1]


def test_several_worlds_cannot_be_played_and_nor_can_what_is_no_policy():
    mdp = worlds.maze(["..G", ".#.", "S.."]).mdp
    both = unite({"one": mdp, "two": mdp})
    with pytest.raises(InputError, match="several worlds"):
        QAgent(solution_of(both, np.zeros(both.allowed.shape)), 0)


def test_values_without_actions_are_no_table():
    with pytest.raises(InputError, match=r"table \[S, A\]"):
        QAgent(np.zeros(3), 0)
