"""What a slip of the hand is answered with, where no checker of types stands in between."""

import json
import subprocess
import sys
import textwrap

import numpy as np
import pytest

import inverseq as iq
from inverseq._core.door import at_the_door

START = """
import numpy as np
import inverseq as iq
rng = np.random.default_rng(0)
demos = iq.Demonstrations.from_arrays(
    rng.integers(0, 3, 60), rng.integers(0, 2, 60), trajectory=np.repeat(np.arange(6), 10)
)
mdp = iq.MDP.estimate(demos, discount=0.9, smoothing=1.0)
solution = iq.fit(demos, iq.IAVI(), mdp)
alone = iq.fit(demos, iq.CountTable(1))
measured = iq.Demonstrations.from_arrays(rng.normal(size=(20, 1)), rng.integers(0, 2, 20))
brief = iq.Lessons(steps=2, batch=4)
learner = iq.IQLearn(seed=0, discount=0.9, lessons=brief)
continuous = iq.Demonstrations.from_arrays(np.ones((4, 2)), np.ones((4, 1)))
"""

SLIPS = {
    "log_likelihood(demos, solution)": "takes the solution first",
    "log_likelihood(solution, [1, 2])": "takes Demonstrations; got a list",
    "fit({'state': [1]}, iq.IAVI(), mdp)": "inverseq.read_table makes them",
    "fit(demos, iq.IAVI(), np.ones((3, 2)))": "mdp must be an MDP, or worlds by name",
    "fit(demos, iq.IAVI(), {'a': np.ones((3, 2))})": "mdp must be an MDP, or worlds by name",
    "fit(demos, iq.IAVI(), iq.worlds.maze(['S.G']))": "is its .mdp",
    "bootstrap(demos, iq.IAVI(), np.ones((3, 2)), seed=0)": "mdp must be an MDP, or worlds by name",
    "compare(demos, {'a': iq.IAVI()}, np.ones((3, 2)))": "mdp must be an MDP, or worlds by name",
    "compare(demos, [iq.IAVI()], mdp)": "give candidates by name",
    "compare({'a': iq.IAVI()}, demos, mdp)": "takes Demonstrations",
    "compare_groups(solution, demos)": "takes explanations by animal",
    "replan(solution, np.ones((3, 2)))": "mdp must be an MDP, or worlds by name",
    "replan(solution, None)": "replan(solution, mdp)",
    "interval(solution)": "takes what inverseq.bootstrap or inverseq.sandwich returned",
    "analyse(demos, iq.IAVI())": "inverseq.Plan(solver=",
    "report(solution, 'page')": "inverseq.analyse(demonstrations) returns them",
    "fit(demos, iq.IAVI)": "such as IAVI()",
    "fit(continuous, iq.BehaviourCloning(0))": "actions are continuous",
    "analyse(continuous)": "continuous: bin them",
    "identify(alone)": "depends on the world",
    "simulate_like(alone, demos, seed=0)": "states=",
    "dwell_times(solution, demos, seed=0)": "Fit with Intentions",
    "posterior(solution, demos)": "Fit with Intentions",
    "replan(alone, mdp)": "has no reward to carry over",
    "replan(demos, mdp)": "takes first what inverseq.fit returned",
    "bootstrap([1, 2], iq.IAVI(), mdp, seed=0)": "takes Demonstrations",
    "compare({'iavi': iq.IAVI()}, demos, mdp)": "compare takes Demonstrations; got a dict",
    "score_all(demos, {'iavi': iq.IAVI()}, mdp)": "score_all takes Demonstrations; got a dict",
    "fit(measured, iq.IAVI())": "states are features (float64 of shape [1]), which cannot be numb",
    "replan(iq.fit(measured, iq.BehaviourCloning(seed=0, lessons=brief)), mdp)": "has no reward",
    "replan(iq.fit(measured, learner), mdp)": "was fitted without a world",
    "Demonstrations.from_arrays([0, 1], [0, 1], starts=[0, 2])": "starts",
    "Demonstrations.from_arrays([0, 1], [0, 1], trajectories=np.zeros(2))": "trajectories",
    "Demonstrations.from_arrays([[0], [1, 2]], [0, 1])": "different lengths",
    "report('out', iq.Plan())": "a report is made of findings",
    "Plan(solver='iavy')": "solver must be one of ('best', 'iavi'",
    "Plan(actions='sen')": "actions must be one of ('all', 'seen')",
    "fit(demos, iq.IAVI(gauge='zero'), mdp)": "gauge must be one of zero-mean",
    "simulate_like(solution, demos, seed=0, states='dawn')": 'states must be "drawn" or "observed"',
    "transition_rewards(alone, demos)": "finds no reward",
    "reward_correlation(solution.reward, mdp, solution.reward)": "takes MDP as mdp; got a ndarray",
    "count(mdp, demos)": "count(demonstrations, mdp) takes Demonstrations as demonstrations; got",
    "in_blocks(20, demos)": "takes Demonstrations as demonstrations; got a int",
    "in_blocks(demos, 'many')": "takes int as blocks; got a str",
    "forward.policy_evaluation(solution.policy.table, mdp)": "takes MDP as mdp; got a ndarray",
    "inverse_action_values(mdp, solution.policy.table)": "takes an array as policy; got a MDP",
    "expected_value_difference(mdp, mdp)": "world has no reward of its own",
    "save('solution.npz', solution)": "takes PathLike or str as path; got a Solution",
    "worlds.place(iq.worlds.labyrinth(), demos)": "takes Demonstrations as positions; got a World",
}


def test_each_slip_is_answered_in_words():
    lines = [START, "said = {}"]
    for call in SLIPS:
        lines.append(
            f"try:\n    iq.{call}\nexcept iq.InputError as error:\n"
            f"    said[{call!r}] = str(error)\nexcept Exception as error:\n"
            f"    said[{call!r}] = 'BARE ' + type(error).__name__ + ': ' + str(error)"
        )
    lines.append("import json; print(json.dumps(said))")
    run = subprocess.run(
        [sys.executable, "-c", textwrap.dedent("\n".join(lines))],
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stderr
    said = json.loads(run.stdout)
    for call, words in SLIPS.items():
        assert call in said, f"{call} raised nothing"
        assert not said[call].startswith("BARE"), (call, said[call])
        assert words in said[call], (call, said[call])


WALK = """
import inspect
from importlib import import_module

import inverseq as iq

packages = [iq, iq.worlds, iq.forward, iq.play, iq.training, iq.networks, iq.neural]
names = {(p, n) for p in packages for n in p.__all__ if inspect.isfunction(getattr(p, n))}
for package, name in names:
    function = getattr(package, name)
    # Found where it says it is, so that other processes find it too.
    assert getattr(import_module(function.__module__), function.__qualname__) is function, name
    parameters = inspect.signature(function).parameters.values()
    required = [p for p in parameters if p.default is p.empty and p.kind.name[:4] != "VAR_"]
    records = [getattr(p.annotation, "__module__", "").startswith("inverseq") for p in required]
    if not any(records):
        continue
    few = [object() for p in required if p.kind is not p.KEYWORD_ONLY]
    try:
        function(*few, **{p.name: object() for p in required if p.kind is p.KEYWORD_ONLY})
    except iq.InputError:
        print(name)
    except Exception as error:
        raise AssertionError(name) from error
    else:
        raise AssertionError(f"{name} took anything")
"""


def test_every_public_function_of_records_refuses_what_is_none():
    command = [sys.executable, "-c", WALK]
    run = subprocess.run(command, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr
    assert len(run.stdout.split()) > 60


def test_an_error_that_is_none_of_the_arguments_passes_unchanged():
    def divide(one: int, other: int) -> float:
        return one / other

    guarded = at_the_door(divide, "here", "divide")
    assert guarded(6, 3) == 2
    with pytest.raises(ZeroDivisionError):
        guarded(1, 0)
    with pytest.raises(TypeError, match="missing 1 required"):
        guarded(1)
    with pytest.raises(iq.InputError, match=r"divide\(one, other\) takes int as other; got a str"):
        guarded(1, "0")


@pytest.mark.parametrize("several", [True, False])
def test_one_intention_is_simulated_and_checked_like_several(several):
    data = iq.datasets.load("switching_grid")
    demos = data.demonstrations.take(np.arange(10))
    world = data.worlds["grid"].mdp
    solver = iq.Intentions(2, restarts=2) if several else iq.IAVI()
    solution = iq.fit(demos, solver, world)
    drawn = iq.simulate_like(solution, demos, seed=0)
    assert drawn.num_trajectories == demos.num_trajectories
    assert len(iq.check_predictions(solution, demos, seed=0, repeats=5).checks) > 5
