"""Where many fits run: in processes of this machine, or on the workers of a Dask cluster."""

import re
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from joblib import parallel_config
from joblib._dask import DaskDistributedBackend

from inverseq._core.devices import Device, on_device
from inverseq._core.errors import FitError, InputError, argument

_PATIENCE = 10
"""Seconds in which a cluster must answer and have a worker."""
_ADDRESS = re.compile(r":\d+/?$|^inproc://.")
"""What may be the address of a scheduler."""


class DaskBackend(DaskDistributedBackend):
    """joblib would run everything here, and not there, where a cluster has one core: at its
    beginning, or while a worker is replaced.
    """

    def effective_n_jobs(self, n_jobs: int | None) -> int:
        """At least two, so that cells leave this process."""
        return max(2, super().effective_n_jobs(n_jobs))


@contextmanager
def engine(
    cluster: str | None = None, *, jobs: int = -1, device: Device | None = None
) -> Iterator[None]:
    """Everything inside that fits many times (`compare`, `bootstrap`, `choose_intentions`, studies
    and others) does so there, with the same results in the same order.

    Each worker of a cluster gets the data once. A worker that is killed costs the cells it had, as
    far as they are unfinished; with `keep`, a program that is killed costs the same, and what was
    finished lies on this machine.

    Args:
        cluster: Address of a Dask scheduler, such as "tcp://node1:8786", or the path of its
            `--scheduler-file`; processes of this machine where left out. Needs the extra
            `cluster`, and the same version of inverseq on all workers.
        jobs: Processes of this machine where calls do not say how many; -1 for all cores.
        device: "gpu" or "cpu", where networks learn in this process; what JAX chooses where left
            out, a GPU where it sees one. Several seeds are one program on a GPU, and on several
            GPUs of one machine they are divided between them.

    Raises:
        InputError: Dask is not installed; nobody answers at the address, nobody works there, or
            workers have another version; or JAX sees no such device.
        FitError: The scheduler was lost on the way.
    """
    with nullcontext() if device is None else on_device(device):
        if cluster is None:
            with parallel_config(n_jobs=jobs):
                yield
        else:
            with _at(cluster):
                yield


@contextmanager
def _at(cluster: str) -> Iterator[None]:
    """What is fitted many times is fitted on the workers of a cluster."""
    if find_spec("distributed") is None:
        raise InputError(
            f"{argument('cluster', cluster)} needs Dask: pip install 'inverseq[cluster]'"
        )
    from distributed import Client  # takes a second, and is rarely wanted

    is_file = ":" not in cluster
    # Dask waits for a file without end, and long for an address that is none.
    if not (Path(cluster).is_file() if is_file else _ADDRESS.search(cluster)):
        raise InputError(
            f"{argument('cluster', cluster)} is neither the address of a Dask scheduler, "
            "tcp://HOST:8786, nor a file in which one says where it is (--scheduler-file)"
        )
    where: dict[str, Any] = {"scheduler_file": cluster} if is_file else {"address": cluster}
    try:
        client = Client(**where, timeout=_PATIENCE, set_as_default=False)
    except (OSError, ValueError, TimeoutError) as error:
        raise InputError(
            f"{argument('cluster', cluster)}: no Dask scheduler answers there; start one with "
            "`dask scheduler`, and workers with `dask worker ADDRESS`"
        ) from error
    with client:
        _require_workers(client, cluster)
        try:
            with parallel_config(backend=DaskBackend(client=client)):
                yield
        except Exception as error:
            if client.status == "running":
                raise
            raise FitError(
                f"the scheduler at {cluster} was lost. Start it again and repeat the command: "
                "what was finished is not done again where results are kept"
            ) from error


def _require_workers(client: Any, cluster: str) -> None:
    """Raise an `InputError` unless there are workers, all with this version."""
    try:
        client.wait_for_workers(1, timeout=_PATIENCE)
    except TimeoutError as error:
        raise InputError(
            f"{argument('cluster', cluster)}: the scheduler has no workers; start some with "
            f"`dask worker {cluster}`"
        ) from error
    own = version("inverseq")
    # A function of Python's own, which also a worker without inverseq has.
    for worker, found in client.run(version, "inverseq", on_error="return").items():
        if found != own:
            has = "has no inverseq" if isinstance(found, Exception) else f"has inverseq {found}"
            raise InputError(
                f"{argument('cluster', cluster)}: worker {worker} {has}, and this is {own}; "
                "install the same version on all"
            )
