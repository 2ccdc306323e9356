"""Which question each kind of solution answers, and what the others are told.

"." is an answer; a word stands for the message below that the question is refused with.
"""

import numpy as np
import pytest

import inverseq as iq
from inverseq.play import QAgent
from strategies import play, random_mdp, random_policy

QUESTIONS = {
    "score": lambda s, d, w: iq.log_likelihood(s, d),
    "forecast": lambda s, d, w: iq.action_probabilities(s, d),
    "rewards": lambda s, d, w: iq.transition_rewards(s, d),
    "beliefs": lambda s, d, w: iq.posterior(s, d),
    "dwell": lambda s, d, w: iq.dwell_times(s, d, seed=0, repeats=2, draws=2),
    "simulate": lambda s, d, w: iq.simulate_like(s, d, seed=0),
    "inplace": lambda s, d, w: iq.simulate_like(s, d, seed=0, states="observed"),
    "checks": lambda s, d, w: iq.check_predictions(s, d, seed=0, repeats=3, states="observed"),
    "identify": lambda s, d, w: iq.identify(s),
    "replan": lambda s, d, w: iq.replan(s, w),
    "agent": lambda s, d, w: QAgent(s, 0).get_action(d.states[0]),
}

ANSWERS = """
                  score    forecast rewards  beliefs  dwell    simulate inplace  checks   identify replan   agent
IAVI              .        .        .        several  several  .        .        .        .        .        .
MaxEnt            .        .        .        several  several  .        .        .        .        .        .
IQLearn           .        .        .        several  several  .        .        .        .        .        .
Cloning           .        .        none     several  several  .        .        .        .        nothing  .
CountTable(1)     .        .        none     several  several  .        .        .        .        nothing  .
CountTable(2)     .        .        none     several  several  past     .        .        .        nothing  .
without a world   .        .        none     several  several  world    .        .        world2   nothing  .
Steered(1)        .        .        .        several  several  .        .        .        .        .        .
Steered(2)        .        .        .        several  several  past     .        .        .        .        .
network           .        .        .        several  several  world    .        .        world2   nothing  .
Intentions        .        .        each     .        .        .        .        .        each2    each3    .
Intentions habits .        .        each     .        past     past     .        .        each2    each3    .
"""  # noqa: E501

MESSAGES = {
    "several": "Fit with Intentions",
    "none": "finds no reward",
    "nothing": "has no reward to carry over",
    "past": 'give states="observed"',
    "world": "needs a world",
    "world2": "depends on the world",
    "each": "ask for one of solution.intentions",
    "each2": "ask for each of them",
    "each3": "replan one of solution.intentions",
}


def table() -> list[tuple[str, str, str]]:
    """(kind, question, answer) of every cell."""
    head, *rows = ANSWERS.strip("\n").splitlines()
    cells = []
    for row in rows:
        kind, answers = row[:18].strip(), row[18:].split()
        cells += [(kind, q, a) for q, a in zip(head.split(), answers, strict=True)]
    return cells


@pytest.fixture(scope="module")
def solutions():
    rng = np.random.default_rng(5)
    mdp = random_mdp(rng, 5, 3, terminals=False, discount=0.8)
    data = play(rng, mdp, random_policy(rng, mdp), trajectories=12, length=20)
    seen = iq.Demonstrations.from_arrays(
        np.eye(5)[data.states], data.actions, trajectory=data.trajectory_of
    )
    lessons = iq.Lessons(20, 16, 0.01)
    two = {"restarts": 2, "max_steps": 20}
    fits = {
        "IAVI": (iq.IAVI(), mdp),
        "MaxEnt": (iq.MaxEnt(strength=1.0), mdp),
        "IQLearn": (iq.IQLearn(0, value="hard"), mdp),
        "Cloning": (iq.BehaviourCloning(0), mdp),
        "CountTable(1)": (iq.CountTable(1), mdp),
        "CountTable(2)": (iq.CountTable(2), mdp),
        "without a world": (iq.CountTable(2), None),
        "Steered(1)": (iq.Steered(iq.CountTable(1), "states", folds=3), mdp),
        "Steered(2)": (iq.Steered(iq.CountTable(2), "states", folds=3), mdp),
        "Intentions": (iq.Intentions(2, **two), mdp),
        "Intentions habits": (iq.Intentions(2, iq.CountTable(2), **two), mdp),
    }
    made = {
        kind: (iq.fit(data, solver, world, accept_failure=True), data, mdp)
        for kind, (solver, world) in fits.items()
    }
    network = iq.fit(seen, iq.IQLearn(0, discount=0.8, lessons=lessons), accept_failure=True)
    return made | {"network": (network, seen, mdp)}


@pytest.mark.parametrize(("kind", "question", "answer"), table())
def test_every_question_is_answered_or_refused_in_words(solutions, kind, question, answer):
    asked = lambda: QUESTIONS[question](*solutions[kind])  # noqa: E731
    if answer == ".":
        assert asked() is not None
        return
    with pytest.raises(iq.InputError, match=MESSAGES[answer].replace("(", r"\(")):
        asked()


def test_how_an_agent_plans_is_asked_of_the_solution(solutions):
    hard, _, mdp = solutions["IQLearn"]
    best = iq.forward.policy_iteration(mdp, hard.reward)
    np.testing.assert_allclose(iq.replan(hard, mdp).v, best.values, atol=1e-8)
    soft = iq.fit(solutions["IQLearn"][1], iq.IQLearn(0, value="soft"), mdp)
    assert (iq.replan(soft, mdp).v > iq.forward.policy_iteration(mdp, soft.reward).values).all()


def test_intentions_are_bootstrapped(solutions):
    _, data, mdp = solutions["Intentions"]
    solver = iq.Intentions(2, restarts=2, max_steps=20)
    made = iq.bootstrap(data, solver, mdp, seed=0, replicates=4, jobs=1)
    assert len(made.intentions) == 2
    assert made.intentions[0].rewards.shape == (4, *mdp.allowed.shape)
    assert iq.interval(made.intentions[1]).low.shape == mdp.allowed.shape
    assert iq.interval(made, "initial").low.shape == (2,)
    with pytest.raises(iq.InputError, match="rewards of their own"):
        iq.interval(made)
