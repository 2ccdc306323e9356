"""`inverseq doctor`."""

import shutil
from dataclasses import asdict

from inverseq._core.files import to_json
from inverseq.analysis import Plan
from inverseq.analysis.behaviour import behaviour_of
from inverseq.analysis.held_out import diagnosis_of
from inverseq.cli.load import load
from inverseq.cli.options_others import Doctor
from inverseq.doctor import Severity, as_dict, describe
from inverseq.doctor.contents import describe_contents
from inverseq.readers.nwb.contents import list_nwb
from inverseq.readers.nwb.file import is_nwb, nwb_files


def run(options: Doctor) -> int:
    """Print what the doctor finds; 2 where it stands in the way of a fit."""
    held = [list_nwb(file) for file in nwb_files(options.table)] if is_nwb(options.table) else []
    if not (options.output.json or options.output.quiet):
        # What is there is said before anything in it is looked for.
        print(*map(describe_contents, held), sep="\n", end="\n" if held else "", flush=True)
    loaded = load(options.table, options.columns, options.world)
    diagnosis = diagnosis_of(behaviour_of(loaded.data, Plan(**loaded.settings)))
    if options.output.json:
        contents = {"contents": [asdict(each) for each in held]} if held else {}
        print(to_json(contents | as_dict(diagnosis)), end="")
    elif not options.output.quiet:
        print(describe(diagnosis, min(shutil.get_terminal_size((96, 24)).columns, 96)))
    return 2 if diagnosis.worst is Severity.ERROR else 0
