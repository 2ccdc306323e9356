"""One long trajectory as several, of which some can be held out."""

from dataclasses import replace

import numpy as np

from inverseq._core.errors import InputError
from inverseq.demonstrations.endings import Ending
from inverseq.demonstrations.grouping import CUT_FROM
from inverseq.demonstrations.record import Demonstrations


def in_blocks(demonstrations: Demonstrations, blocks: int) -> Demonstrations:
    """The demonstrations with each trajectory cut into blocks of consecutive decisions.

    Every decision keeps where it led; what a block remembers begins with it. The column "block"
    counts them from 1 in each trajectory, and `CUT_FROM` the trajectories that were cut.

    Blocks of one trajectory resemble each other: what is said over them as units holds for the
    trajectories that were cut, with intervals too narrow for any other. `by="cut_from"` takes the
    trajectories themselves as units.

    Args:
        demonstrations: Trajectories, one per session say.
        blocks: How many blocks of each, as equally long as they can be; fewer of a trajectory that
            has fewer decisions.

    Raises:
        InputError: `blocks` is below 1, or there is a column "block" or "cut_from" already.
    """
    if blocks < 1:
        raise InputError(f"blocks must be 1 or more; got {blocks}")
    for name in ("block", CUT_FROM):
        if name in {*demonstrations.trajectories, *demonstrations.decisions}:
            raise InputError(
                f'cutting into blocks makes a column "{name}", and the table has one: give that '
                "another name in the table"
            )
    d = demonstrations
    lengths = np.diff(d.starts)
    counts = np.minimum(lengths, blocks)
    pieces = [
        start + length * np.arange(count) // count
        for start, length, count in zip(d.starts[:-1], lengths, counts, strict=True)
    ]
    starts = np.append(np.concatenate(pieces), d.num_decisions)
    ends = starts[1:] - 1
    endings = d.endings.copy()
    endings[ends[endings[ends] != Ending.TERMINATED]] = Ending.TRUNCATED
    own = np.repeat(np.arange(d.num_trajectories), counts)
    columns = {name: values[own] for name, values in d.trajectories.items()}
    columns[CUT_FROM] = own + 1
    columns["block"] = np.concatenate([np.arange(1, count + 1) for count in counts])
    return replace(d, endings=endings, starts=starts, trajectories=columns)
