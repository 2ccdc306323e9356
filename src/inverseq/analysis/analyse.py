"""The whole analysis of a table of decisions, in one call."""

import time
from dataclasses import replace

from inverseq._core.errors import InputError
from inverseq.analysis.behaviour import behaviour_of, title_of
from inverseq.analysis.compared import compare_models
from inverseq.analysis.findings import Findings
from inverseq.analysis.held_out import look_at_models
from inverseq.analysis.neural import Beside, look_at_neurons
from inverseq.analysis.neural_plan import NeuralPlan
from inverseq.analysis.plan import Plan
from inverseq.analysis.several import look_at_intentions
from inverseq.datasets import Dataset
from inverseq.demonstrations import Demonstrations, Recording
from inverseq.demonstrations.grouping import CUT_FROM, idle_units, parts_of
from inverseq.evaluate.split_checks import parts_by
from inverseq.inverse.problem import Progress


def analyse(
    data: Demonstrations | Dataset,
    plan: Plan | None = None,
    *,
    recording: Recording | None = None,
    progress: Progress | None = None,
) -> Findings:
    """Fit what explains the decisions, score it on others, and say how sure that is.

    The plan decides which of three questions is asked: which reward explains all decisions (the
    usual one), which `intentions` give way to one another, or, with `cross_validate`, how models
    or numbers of intentions compare. With a recording it goes on to the neurons: which of them
    follow what the fit says of each decision, and what they foretell.

    Args:
        data: Decisions, or a data set with its world from `inverseq.datasets`.
        plan: What is asked; the usual question with usual settings where left out.
        recording: Spikes and signals on the clock of the decisions (`read_recording`); where the
            plan asks for neurons, that of a data set needs not be given.
        progress: Called with (what, steps done, steps in all).

    Returns:
        What was found: numbers, arrays and enumerations. `inverseq.report` makes a page of it.

    Raises:
        InputError: The decisions do not fit the world, a setting cannot be used, or nothing can be
            held out.
        FitError: Nothing, or not what was asked for, could be fitted.
    """
    began = time.perf_counter()
    plan = Plan() if plan is None else plan
    if not isinstance(plan, Plan):
        raise InputError(
            f"an analysis takes a plan second; got a {type(plan).__name__}. A solver goes into "
            "one: inverseq.Plan(solver=inverseq.IAVI())"
        )
    if recording is None and plan.neural is not None and isinstance(data, Dataset):
        recording = data.recording
    if plan.neural is not None and recording is None:
        raise InputError(
            "nothing was recorded beside these decisions: give recording=, of read_recording"
        )
    if plan.neural is None and recording is not None:
        plan = replace(plan, neural=NeuralPlan())
    behaviour = behaviour_of(data, plan)
    known, dataset = behaviour.demonstrations, behaviour.dataset
    for column in plan.check_by:
        parts_by(known, column)
    beside = None
    if recording is not None and plan.neural is not None:
        beside = Beside.of(known, recording, plan)
    start = Findings(
        plan=plan,
        title=title_of(data, plan),
        source=known.source,
        dataset=dataset,
        fingerprint=known.fingerprint,
        scores=(),
        failures=(),
        worlds=behaviour.worlds,
        idle=idle_units(known, plan.by),
        cut_from=parts_of(CUT_FROM, known, plan.by),
        subjects=parts_of("subject", known, plan.by),
    )
    if plan.cross_validate:
        look = compare_models
    else:
        look = look_at_models if plan.intentions is None else look_at_intentions
    progress = progress or (lambda *_: None)
    made = look(behaviour, start, progress)
    if beside is not None:
        made = replace(made, neural=look_at_neurons(made, beside, progress))
    return replace(made, seconds=time.perf_counter() - began)
