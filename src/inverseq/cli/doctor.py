"""`inverseq doctor`."""

from inverseq.analysis import Plan
from inverseq.analysis.behaviour import behaviour_of
from inverseq.cli.load import load
from inverseq.cli.options import Doctor
from inverseq.doctor import Severity, as_dict, describe, diagnose
from inverseq.reporting import to_json


def run(options: Doctor) -> int:
    """Print what the doctor finds; 2 where it stands in the way of a fit."""
    loaded = load(options.table, options.columns, options.world)
    behaviour = behaviour_of(loaded.data, Plan(**loaded.settings))
    diagnosis = diagnose(behaviour.demonstrations, behaviour.given)
    if options.output.json:
        print(to_json(as_dict(diagnosis)), end="")
    elif not options.output.quiet:
        print(describe(diagnosis))
    return 2 if diagnosis.worst is Severity.ERROR else 0
