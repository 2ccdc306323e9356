"""`inverseq doctor`."""

from inverseq.cli.load import load
from inverseq.cli.options import Doctor
from inverseq.cli.show import diagnosis_of
from inverseq.doctor import Severity, as_dict, describe
from inverseq.report import to_json


def run(options: Doctor) -> int:
    """Print what the doctor finds; 2 where it stands in the way of a fit."""
    behaviour = load(options.table, options.columns, options.world)
    diagnosis = diagnosis_of(behaviour)
    if options.output.json:
        print(to_json(as_dict(diagnosis)), end="")
    elif not options.output.quiet:
        print(describe(diagnosis))
    return 2 if diagnosis.worst is Severity.ERROR else 0
