"""Records look right in a terminal, in a notebook and as a table."""

import logging
from dataclasses import replace
from functools import cache
from xml.etree import ElementTree

import numpy as np
import pytest
from numpy.testing import assert_array_equal

import inverseq as iq
from wishes import fitted, ring

NAME = "<i>left & right</i>"


@cache
def observed():
    """Decisions with names that would be markup on a page."""
    return replace(
        fitted()[1].take(np.arange(6)),
        action_names=("back", NAME, "stay"),
        trajectories={"subject": np.array([f"{NAME} {i}" for i in range(6)])},
        source="<b>a table</b>",
    )


@cache
def records():
    """Each kind of record, what its line begins with, and whether it is a table."""
    data, world = observed(), ring()
    candidates = {NAME: iq.IAVI(), "wild": iq.IAVI(method="iterate", max_steps=1)}
    solution = iq.fit(data, iq.IAVI(), world)
    plan = iq.Plan(folds=2, bootstrap=0, history=1, title=NAME)
    asked = {"ks": (1, 2), "folds": 2, "restarts": 1, "agreements": False}
    choice = iq.choose_intentions(data, world, seed=0, **asked)
    made = (
        (data, "360 decisions, 6 trajectories, 4 states, 3 actions, source <b>a table</b>"),
        (world, "4 states, 3 actions, discount 0.9, reward unknown"),
        (solution, "solver IAVI, status converged, 4 states, 3 actions, "),
        (fitted()[0], "2 intentions, solver IAVI, switching Markov, status converged, "),
        (iq.log_likelihood(solution, data), "score -0."),
        (iq.compare(data, candidates, world, folds=2), f"2 candidates, 1 failure, best {NAME}, "),
        (choice, "2 alternatives, chosen "),
        (iq.analyse(data, plan), f"data {NAME}, "),
        (iq.datasets.load("mice"), "name mice, title Mice in a labyrinth, 119,000 decisions, "),
    )
    return {type(record).__name__: (record, begins) for record, begins in made}


KINDS = (
    "Demonstrations", "MDP", "Solution", "IntentionSolution", "Score", "Comparison", "Choice",
    "Findings", "Dataset",
)  # fmt: skip


@pytest.mark.parametrize("kind", KINDS)
def test_a_record_says_in_one_line_what_it_is(kind):
    record, begins = records()[kind]
    assert repr(record).startswith(f"<{kind}: {begins}")
    assert "\n" not in repr(record)
    assert len(repr(record)) < 200


@pytest.mark.parametrize("kind", KINDS)
def test_a_record_is_a_small_escaped_table_on_a_page(kind):
    page = records()[kind][0]._repr_html_()
    tree = ElementTree.fromstring(page)  # every element is closed, every bare sign escaped
    assert tree.findtext("strong") == kind
    assert not {"i", "b"} & {element.tag for element in tree.iter()}
    assert len(page) < 20_000


def test_numbers_of_the_line_are_those_of_the_record():
    score = records()["Score"][0]
    said = f"score {score.mean:.3f} ± {score.standard_error:.3f} nats per decision"
    assert said in repr(score)
    compared = records()["Comparison"][0]
    assert f"score {compared.rows[0]['nats']:.3f} ± " in repr(compared)


@pytest.mark.parametrize("kind", ["Comparison", "Choice", "Findings"])
def test_a_table_is_a_data_frame_as_well(kind):
    record = records()[kind][0]
    frame = record.to_pandas()
    assert frame.columns.tolist() == [*record.rows[0]]
    assert frame["name"].tolist() == [row["name"] for row in record.rows]
    assert_array_equal(frame["nats"], [row["nats"] for row in record.rows])


def test_a_score_is_a_table_of_its_units():
    score = records()["Score"][0]
    frame = score.to_pandas()
    assert len(frame) == 6
    assert frame["sums"].sum() / frame["decisions"].sum() == pytest.approx(float(score))


def test_decisions_are_a_table_that_can_be_read_again():
    data = observed()
    frame = data.to_pandas()
    assert frame["action"].tolist() == [data.action_names[a] for a in data.actions]
    assert frame["subject"].iloc[-1] == f"{NAME} 5"
    again = iq.read_table(frame, action_names=data.action_names)
    for name in ("states", "actions", "next_states", "endings", "starts", "time"):
        assert_array_equal(getattr(again, name), getattr(data, name), err_msg=name)
    # What was read again is a table again, with the numbers of its own rows.
    assert_array_equal(again.to_pandas()["row"], frame["row"])


def test_features_and_continuous_actions_have_a_column_per_component():
    states = np.arange(8.0).reshape(4, 2)
    data = iq.Demonstrations.from_arrays(
        states, states[:, :1], feature_names=("x", "y"), decisions={"light": [0, 1, 1, 0]}
    )
    frame = data.to_pandas()
    assert frame["y"].tolist() == [1, 3, 5, 7]
    assert frame["next_x"].tolist()[:3] == [2, 4, 6]
    assert frame["action_0"].tolist() == [0, 2, 4, 6]
    assert frame["light"].tolist() == [0, 1, 1, 0]
    # A column that a component was read from is there once.
    moved = {"x": [0.5, 1.5], "y": [2.5, 3.5], "force": [1.0, 2.0], "turn": [0.0, 1.0]}
    steered = {"features": ("x", "y"), "action": ("force", "turn"), "continuous": True}
    assert [*iq.read_table(moved, **steered).to_pandas()].count("x") == 1
    pixels = iq.Demonstrations.from_arrays(np.zeros((3, 4, 4), np.uint8), [0, 1, 0])
    assert "states uint8 [4, 4]" in repr(pixels)
    assert not [name for name in pixels.to_pandas() if "state" in name]


def test_a_column_with_the_name_of_another_is_refused():
    data = iq.Demonstrations.from_arrays([0, 1], [0, 1], decisions={"state": ["a", "b"]})
    with pytest.raises(iq.InputError, match="'state' of your table has the name"):
        data.to_pandas()


def test_messages_go_through_the_logger(caplog):
    data, world = observed(), ring()
    early = iq.IAVI(method="iterate", max_steps=1)
    with caplog.at_level(logging.INFO, logger="inverseq"):
        iq.fit(data, iq.IAVI(), world)
        iq.fit(data, early, world, accept_failure=True)
        iq.compare(data, {"early": early, "table": iq.CountTable(1)}, world, folds=2)
    told = [(record.levelname, record.getMessage()) for record in caplog.records]
    assert told[0][0] == "INFO"
    assert told[0][1].startswith("IAVI: converged after ")
    assert told[1][0] == "WARNING"
    assert told[1][1].startswith("IAVI: stopped at the limit after 1 steps")
    assert ("WARNING", "early is left out") in [(level, text[:17]) for level, text in told]
