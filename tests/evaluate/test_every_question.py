"""Which question each kind of solution answers, and what the others are told.

"." is an answer; a word stands for the message below that the question is refused with. The same
table stands in the documentation.
"""

from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from benchmarks.city import city, trips

import inverseq as iq
from inverseq.analysis.family import Family, Model
from inverseq.analysis.findings import Division, DivisionKind, Findings, ScoreRow
from inverseq.evaluate.intervals import Bootstrap
from inverseq.forward import simulator_of
from inverseq.play import QAgent
from strategies import random_mdp, random_policy
from test_open_waist import NetworkOfTransitions, ThreeNetworks, Toy


@dataclass(frozen=True)
class Anything:
    """A constraint that forbids nothing, as a record that a file can hold."""

    def __call__(self, observations):
        return np.ones((len(observations), 3), dtype=bool)


OWN = (ThreeNetworks, NetworkOfTransitions, Anything)


@dataclass(frozen=True)
class Case:
    """A fit, and what it was made of."""

    solver: Any
    data: iq.Demonstrations
    mdp: iq.MDP
    world: iq.MDP | None
    folder: Path

    @cached_property
    def solution(self):
        return iq.fit(self.data, self.solver, self.world, accept_failure=True)

    @cached_property
    def replicates(self) -> Bootstrap:
        return iq.bootstrap(self.data, self.solver, self.world, seed=0, replicates=2, jobs=1)

    def compared(self) -> iq.Comparison:
        made = iq.compare(self.data, {"it": self.solver}, self.world, folds=2)
        assert made["it"].score is not None, made["it"].failure
        return made

    def recovered(self):
        s, d = self.solution, self.data
        return iq.recover_parameters(s, self.solver, d, repeats=1, seed=0, states="observed")

    def page(self) -> Path:
        """The report with all its figures."""
        if isinstance(self.solver, iq.Intentions):
            asked = {"intentions": 2, "restarts": 1, "simulations": 2, "bootstrap": 0, "history": 1}
            plan = iq.Plan(solver=self.solver.solver, world=self.world, test=0.5, **asked)
            return iq.report(iq.analyse(self.data, plan), self.folder)
        score = iq.log_likelihood(self.solution, self.data)
        rows = tuple(
            ScoreRow(key, Model(kind, solver=key), score, 1.0, 0.0)
            for key, kind in (("it", Family.OTHER), ("marginal", Family.SHARES))
        )
        found = Findings(
            iq.Plan(), "t", "s", None, "f", rows, (),
            settings={"folds": 2}, given=self.world or {}, chosen="it", solution=self.solution,
            division=Division(DivisionKind.DRAWN),
        )  # fmt: skip
        return iq.report(found, self.folder)


QUESTIONS = {
    "score": lambda c: iq.log_likelihood(c.solution, c.data),
    "forecast": lambda c: iq.action_probabilities(c.solution, c.data),
    "rewards": lambda c: iq.transition_rewards(c.solution, c.data),
    "beliefs": lambda c: iq.posterior(c.solution, c.data),
    "dwell": lambda c: iq.dwell_times(c.solution, c.data, seed=0, repeats=2, draws=2),
    "simulate": lambda c: iq.simulate_like(c.solution, c.data, seed=0),
    "inplace": lambda c: iq.simulate_like(c.solution, c.data, seed=0, states="observed"),
    "checks": lambda c: iq.check_predictions(
        c.solution, c.data, seed=0, repeats=2, states="observed"
    ),
    "identify": lambda c: iq.identify(c.solution),
    "replan": lambda c: iq.replan(c.solution, c.mdp),
    "agent": lambda c: QAgent(c.solution, 0).get_action(c.data.states[0]),
    "bootstrap": lambda c: c.replicates,
    "interval": lambda c: iq.interval(c.replicates),
    "compare": lambda c: c.compared(),
    "recover": lambda c: c.recovered(),
    "page": lambda c: c.page(),
    "file": lambda c: iq.load(
        iq.save(c.solution, c.folder.with_suffix(".npz")), type(c.solution), also=OWN
    ),
}

ANSWERS = """
                  score forecast rewards beliefs dwell   simulate inplace checks identify replan  agent   bootstrap interval compare recover page file
IAVI              .     .        .       several several .        .       .      .        .       .       .         .        .       .       .    .
IQL               .     .        .       several several .        .       .      .        .       .       .         .        .       .       .    .
CIQL              .     .        .       several several .        .       .      .        .       .       .         .        .       .       .    .
MaxEnt            .     .        .       several several .        .       .      .        .       .       .         .        .       .       .    .
Planner           .     .        .       several several .        .       .      .        .       .       .         .        .       .       .    .
Greedy            .     .        .       several several .        .       .      .        .       .       .         .        .       .       .    .
Hierarchical      .     .        .       several several past     .       .      .        .       whose   .         .        .       .       .    .
Drifting          .     .        .       several several past     .       .      .        .       when    .         .        .       .       .    .
MaxEntIRL         .     .        .       several several .        .       .      .        .       .       .         .        .       .       .    .
RecursiveLogit    .     .        .       several several past     .       .      .        .       goal    .         .        .       way     .    .
DeepMaxEnt        .     .        .       several several .        .       .      .        .       .       .         .        .       .       .    .
IQLearn           .     .        .       several several .        .       .      .        .       .       .         .        .       .       .    .
BehaviourCloning  .     .        none    several several .        .       .      .        nothing .       .         unsure   .       .       report .
CountTable(1)     .     .        none    several several .        .       .      .        nothing .       .         named    .       .       report .
CountTable(2)     .     .        none    several several past     .       .      .        nothing .       .         named    .       .       report .
CountTable alone  .     .        none    several several world    .       .      world2   nothing .       .         named    .       .       report .
ColumnTable       .     .        none    several several world    .       .      world2   nothing columns .         named    .       .       report .
ColumnLogit       .     .        none    several several world    .       .      world2   nothing columns .         named    .       .       report .
Learner           .     .        none    several several past     .       .      .        nothing table   .         named    .       paid    report .
Learner of each   .     .        none    several several past     .       .      .        nothing table   .         named    .       paid    report .
Steered(1)        .     .        .       several several .        .       .      .        .       .       .         .        .       .       .    .
Steered(2)        .     .        .       several several past     .       .      .        .       .       .         .        .       .       .    .
IQLearn network   .     .        .       several several world    .       .      world2   seen    .       .         unsure   .       .       .    .
DIQL              .     .        .       several several world    .       .      world2   seen    .       .         named    .       .       .    .
DCIQL             .     .        .       several several world    .       .      world2   seen    .       .         named    .       .       .    .
SQIL              .     .        .       several several world    .       .      world2   seen    .       .         unsure   .       .       .    .
NeighbourTable    .     .        none    several several world    .       .      world2   nothing .       .         unsure   .       .       report .
cloning network   .     .        none    several several world    .       .      world2   nothing .       .         unsure   .       .       report .
your own          .     .        .       several several world    .       .      world2   seen    .       .         named    .       .       .    .
2 x IAVI          .     .        each    .       .       .        .       .      each2    each3   .       .         each4    .       .       .    .
2 x MaxEnt        .     .        each    .       .       .        .       .      each2    each3   .       .         each4    .       .       .    .
2 x CountTable(2) .     .        each    .       past    past     .       .      each2    each3   .       .         each4    .       .       .    .
2 x Steered(1)    .     .        each    .       .       .        .       .      each2    each3   .       .         each4    .       .       .    .
2 x ColumnLogit   .     .        each    .       world   world    .       .      world2   each3   columns .         each4    .       .       .    .
2 x cloning       .     .        each    .       world   world    .       .      world2   each3   .       .         each4    .       .       .    .
2 x your own      .     .        each    .       world   world    .       .      world2   each3   .       .         each4    .       .       .    .
"""  # noqa: E501

MESSAGES = {
    "several": "Fit with Intentions",
    "none": "finds no reward",
    "nothing": "has no reward to carry over",
    "seen": "was fitted without a world",
    "columns": "needs each of its columns",
    "goal": "there is no such column that is constant in a trajectory",
    "way": "the trip leaves the network",
    "past": 'give states="observed"',
    "world": "needs a world",
    "world2": "depends on the world",
    "whose": "nothing says whose these decisions are",
    "when": "nothing says when these decisions are",
    "each": "ask for one of solution.intentions",
    "each2": "ask for each of them",
    "each3": "replan one of solution.intentions",
    "each4": "rewards of their own",
    "unsure": "neither a reward nor parameters",
    "paid": "is paid otherwise",
    "table": "needs it in every table",
    "report": "has no reward, which a report is about",
    "named": "rewards were not kept; ask for one of",
}


def world() -> tuple[iq.MDP, np.random.Generator]:
    """Where all but trips are made, and what chooses the rest."""
    rng = np.random.default_rng(5)
    return random_mdp(rng, 4, 3, terminals=False, features=2, discount=0.8), rng


def solvers() -> dict[str, tuple[Any, str]]:
    """Kind -> its solver, and whether it is fitted in a "world", without one ("none"), to
    observations ("seen"), or to "trips" in a network.
    """
    lessons = iq.Lessons(20, 16, 0.01)
    network = iq.IQLearn(0, discount=0.8, lessons=lessons)
    cloning = iq.BehaviourCloning(0, lessons=lessons)
    diql = iq.DIQL(0, 0.8, lessons=lessons)
    game = simulator_of(world()[0], np.zeros((4, 3)))
    learner = iq.IQL(method="exact")
    logit = iq.ColumnLogit(("phase", "place"), (1.0, 2.0))
    steered = iq.Steered(iq.CountTable(1), "states", folds=2)
    two = {"restarts": 2, "polished": 1, "max_steps": 60, "tolerance": 1e-2}
    return {
        "IAVI": (iq.IAVI(), "world"),
        "IQL": (learner, "world"),
        "CIQL": (iq.CIQL((), learner=learner, behaviour="boltzmann"), "world"),
        "MaxEnt": (iq.MaxEnt(strength=1.0), "world"),
        "Planner": (iq.Planner(lapse=True, discounts=(0.7, 0.8)), "world"),
        "Greedy": (iq.Greedy(lapse=True), "world"),
        "Hierarchical": (iq.Hierarchical(iq.MaxEnt("states")), "world"),
        "Drifting": (iq.Drifting(iq.MaxEnt("features"), over="phase"), "world"),
        "MaxEntIRL": (iq.MaxEntIRL("states", horizon=5), "world"),
        "RecursiveLogit": (iq.RecursiveLogit("destination", strength=1.0), "trips"),
        "DeepMaxEnt": (iq.DeepMaxEnt(0, (3,)), "world"),
        "IQLearn": (iq.IQLearn(0, value="soft"), "world"),
        "BehaviourCloning": (iq.BehaviourCloning(0), "world"),
        "CountTable(1)": (iq.CountTable(1), "world"),
        "CountTable(2)": (iq.CountTable(2), "world"),
        "CountTable alone": (iq.CountTable(2), "none"),
        "ColumnTable": (iq.ColumnTable(("phase",), own=("phase",)), "none"),
        "ColumnLogit": (logit, "seen"),
        "Learner": (iq.Learner(), "world"),
        "Learner of each": (iq.Hierarchical(iq.Learner()), "world"),
        "Steered(1)": (steered, "world"),
        "Steered(2)": (iq.Steered(iq.CountTable(2), "states", folds=2), "world"),
        "IQLearn network": (network, "seen"),
        "DIQL": (diql, "seen"),
        "DCIQL": (iq.DCIQL(Anything(), diql, "boltzmann"), "seen"),
        "SQIL": (iq.SQIL(0, 0.8, game, lessons=lessons), "seen"),
        "NeighbourTable": (iq.NeighbourTable(3), "seen"),
        "cloning network": (cloning, "seen"),
        "your own": (Toy(), "seen"),
        "2 x IAVI": (iq.Intentions(2, **two), "world"),
        "2 x MaxEnt": (iq.Intentions(2, iq.MaxEnt(strength=1.0), **two), "world"),
        "2 x CountTable(2)": (iq.Intentions(2, iq.CountTable(2), **two), "world"),
        "2 x Steered(1)": (iq.Intentions(2, steered, **two), "world"),
        "2 x ColumnLogit": (iq.Intentions(2, logit, **two), "seen"),
        "2 x cloning": (iq.Intentions(2, cloning, **two | {"tolerance": 1.0}), "seen"),
        "2 x your own": (iq.Intentions(2, Toy(steps=40), **two), "seen"),
    }


@pytest.fixture(autouse=True)
def drawn_once(monkeypatch):
    """Figures of pages are drawn as SVG alone: the other files show the same."""
    for form in ("to_pdf", "to_png"):
        monkeypatch.setattr(f"inverseq.reporting.folder.{form}", lambda _: b"")


@pytest.fixture(scope="module")
def cases(tmp_path_factory) -> dict[str, Case]:
    mdp, rng = world()
    # All of one length: folds and replicates are of one shape, which is compiled once.
    data = iq.forward.simulate(mdp, random_policy(rng, mdp), trajectories=8, steps=12, seed=5)
    columns = {"phase": data.step % 3, "place": data.states, "reward": data.states % 2}
    animals = {"subject": np.repeat(["a", "b"], 4)}
    data = replace(data, decisions=columns, trajectories=dict(data.trajectories) | animals)
    seen = iq.Demonstrations.from_arrays(
        np.eye(4)[data.states],
        data.actions,
        trajectory=data.trajectory_of,
        decisions=data.decisions,
        allowed=mdp.allowed[data.states],
    )
    folder = tmp_path_factory.mktemp("every")
    network = city(3, 3, 1)
    of_trips = trips(network, 60, 6, seed=2), network, network
    return {
        kind: Case(
            solver,
            *(
                of_trips
                if how == "trips"
                else (seen if how == "seen" else data, mdp, mdp if how == "world" else None)
            ),
            folder / kind.replace(" ", ""),
        )
        for kind, (solver, how) in solvers().items()
    }


def table() -> list[tuple[str, str, str]]:
    """(kind, question, answer) of every cell."""
    head, *rows = ANSWERS.strip("\n").splitlines()
    cells = []
    for row in rows:
        kind, answers = row[:18].strip(), row[18:].split()
        cells += [(kind, q, a) for q, a in zip(head.split(), answers, strict=True)]
    return cells


def test_the_table_asks_everything_of_every_kind():
    asked = {(kind, question) for kind, question, _ in table()}
    assert asked == {(kind, question) for kind in solvers() for question in QUESTIONS}


@pytest.mark.parametrize(("kind", "question", "answer"), table())
def test_every_question_is_answered_or_refused_in_words(cases, kind, question, answer):
    if answer == ".":
        assert QUESTIONS[question](cases[kind]) is not None
        return
    with pytest.raises(iq.InputError, match=MESSAGES[answer].replace("(", r"\(")):
        QUESTIONS[question](cases[kind])


def test_the_page_of_the_documentation_shows_this_table():
    page = Path(__file__).parents[2] / "docs" / "concepts" / "questions.md"
    shown = [row.split("|")[1:-1] for row in page.read_text().splitlines() if row[:1] == "|"]
    head, _, *rows = [[cell.strip() for cell in row] for row in shown]
    cells = {
        (row[0].strip("`"), question.strip("`")): answer
        for row in rows
        for question, answer in zip(head[1:], row[1:], strict=True)
    }
    expected = {(kind, q): "yes" if answer == "." else "" for kind, q, answer in table()}
    assert {key: "yes" if cell == "yes" else "" for key, cell in cells.items()} == expected


def test_how_an_agent_plans_is_asked_of_the_solution(cases):
    soft, data, mdp = (getattr(cases["IQLearn"], name) for name in ("solution", "data", "mdp"))
    hard = iq.fit(data, iq.IQLearn(0, value="hard"), mdp, accept_failure=True)
    best = iq.forward.policy_iteration(mdp, hard.reward)
    np.testing.assert_allclose(iq.replan(hard, mdp).v, best.values, atol=1e-8)
    assert (iq.replan(soft, mdp).v > iq.forward.policy_iteration(mdp, soft.reward).values).all()


def test_intentions_are_bootstrapped(cases):
    made, mdp = cases["2 x IAVI"].replicates, cases["2 x IAVI"].mdp
    assert len(made.intentions) == 2
    assert made.intentions[0].rewards.shape == (2, *mdp.allowed.shape)
    assert iq.interval(made.intentions[1]).low.shape == mdp.allowed.shape
    assert iq.interval(made, "initial").low.shape == (2,)
