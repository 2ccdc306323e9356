"""`inverseq doctor`."""

import shutil

from inverseq._core.files import to_json
from inverseq.analysis import Plan
from inverseq.analysis.behaviour import behaviour_of
from inverseq.cli.load import load
from inverseq.cli.options import Doctor
from inverseq.doctor import Severity, as_dict, describe, diagnose


def run(options: Doctor) -> int:
    """Print what the doctor finds; 2 where it stands in the way of a fit."""
    loaded = load(options.table, options.columns, options.world)
    plan = Plan(**loaded.settings)
    behaviour = behaviour_of(loaded.data, plan)
    diagnosis = diagnose(behaviour.demonstrations, behaviour.given, goal=plan.goal)
    if options.output.json:
        print(to_json(as_dict(diagnosis)), end="")
    elif not options.output.quiet:
        print(describe(diagnosis, min(shutil.get_terminal_size((96, 24)).columns, 96)))
    return 2 if diagnosis.worst is Severity.ERROR else 0
