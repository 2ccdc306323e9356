"""Other packages beside ours, on the same inputs in one run: `python -m benchmarks.peers`.

Each package runs in a virtual environment of its own with pinned versions, made on first use, in a
process with a time limit. It is given one file of plain arrays, without held-out decisions and
without the true reward, and gives back a reward and a policy; both are scored here, by the same
functions for all. What could not run has a row that says why.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console
from rich.table import Table

from benchmarks import peer_worlds
from benchmarks.measure import seconds
from benchmarks.peer_worlds import Task
from inverseq._core.status import Outcome, Status
from inverseq.evaluate.likelihood import log_likelihood
from inverseq.evaluate.rewards import expected_value_difference, reward_correlation
from inverseq.forward import policy_iteration
from inverseq.inverse.solution import Solution
from inverseq.policies import TabularPolicy, uniform

SCRIPTS = Path(__file__).parent / "peer_scripts"


TORCH = ("torch==2.13.0", "numpy==2.4.6")
"""For plain loops that ours are set beside."""


@dataclass(frozen=True)
class Peer:
    """A package and how it is run.

    Attributes:
        script: File in `peer_scripts`.
        methods: Name of a fit in the script -> its name in the table.
        packages: Pinned packages of its environment; none for what runs in the present one.
    """

    script: str
    methods: dict[str, str]
    packages: tuple[str, ...] = ()


OURS = Peer(
    "ours.py",
    {
        "iavi": "inverseq IAVI",
        "iql_exact": "inverseq IQL, exact",
        "iql": "inverseq IQL, 100 epochs",
        "maxent": "inverseq MaxEnt, prior 0.01",
        "maxent_chosen": "inverseq MaxEnt, prior chosen",
    },
)

REFERENCE = Peer("reference.py", {"iavi": "reference IAVI", "iql": "reference IQL, 100 epochs"})

PEERS = {
    "imitation": Peer(
        "imitation_mce.py",
        {
            "ending": "imitation MCE-IRL, discount as ending",
            "argument": "imitation MCE-IRL, discount as argument",
        },
        # It needs Gymnasium 0.29 and Stable-Baselines3 2.2, which need NumPy 1.
        (
            "imitation==1.0.1",
            "seals==0.2.1",
            "stable-baselines3==2.2.1",
            "gymnasium==0.29.1",
            "numpy==1.26.4",
            "torch==2.13.0",
        ),
    ),
    "irl-maxent": Peer(
        "irl_maxent_causal.py",
        {"causal": "irl-maxent, causal"},
        # It writes np.float, which NumPy 1.24 took away.
        ("irl-maxent==0.1.0", "numpy==1.23.5", "matplotlib==3.7.5"),
    ),
    "econirl": Peer(
        "econirl_fits.py",
        {"mce": "econirl MCE-IRL", "iq_learn": "econirl IQ-Learn, tabular"},
        ("econirl==0.1.1", "jax==0.10.2", "jaxlib==0.10.2", "numpy==2.4.6", "jaxopt==0.8.5"),
    ),
}

WORLDS: dict[str, Callable[[bool], Sequence[Task]]] = {
    "gridworld": lambda small: [
        peer_worlds.grid(expert, *((4, 40) if small else ())) for expert in ("soft", "hard")
    ],
    "objectworld": lambda small: [peer_worlds.objects(small)],
    "labyrinth": lambda small: [peer_worlds.mice(40 if small else None)],
}

ONE_THREAD = {
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "JAX_PLATFORMS": "cpu",
    "CUDA_VISIBLE_DEVICES": "",
    "XLA_FLAGS": "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1",
}
"""So that times of processor can be compared, also on a busy machine."""


def main() -> int:
    options = _options()
    rows: list[dict[str, Any]] = []
    console = Console(stderr=True)
    chosen = {name: PEERS[name] for name in options.peers}
    with tempfile.TemporaryDirectory() as folder:
        for task in WORLDS[options.world](options.small):
            inputs, answers = Path(folder) / "inputs.npz", Path(folder) / "answers.npz"
            peer_worlds.write(task, inputs, answers)
            if options.keep:
                options.keep.mkdir(parents=True, exist_ok=True)
                for path in (inputs, answers):
                    shutil.copy(path, options.keep / f"{task.name.replace(' ', '-')}-{path.name}")
            rows += yardsticks(task)
            runs = [(OURS, Path(sys.executable))]
            for name, peer in chosen.items():
                runs.append((peer, options.environments / name))
            if options.reference:
                runs.append((REFERENCE, Path(sys.executable)))
            for peer, where in runs:
                for method, name in peer.methods.items():
                    console.print(f"{task.name}: {name} ...", highlight=False)
                    reference = options.reference if peer is REFERENCE else None
                    made = one(peer, method, where, inputs, options.limit, reference)
                    rows.append({"task": task.name, "name": name, **scored(task, made)})
    if options.json:
        print(json.dumps([{k: v for k, v in row.items() if k != "policy"} for row in rows]))
    else:
        show(rows)
    return 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.peers",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    listed = lambda text: [x for x in text.split(",") if x]  # noqa: E731
    add = parser.add_argument
    add("--peers", type=listed, default=list(PEERS), help=f"of {','.join(PEERS)}; '' for none")
    add("--reference", type=Path, metavar="PATH", help="folder with a reference implementation")
    add("--world", choices=tuple(WORLDS), default="gridworld")
    add("--environments", type=Path, default=Path(".peers"), help="where environments are kept")
    add("--limit", type=float, default=900.0, help="seconds that one fit may take")
    add("--keep", type=Path, metavar="FOLDER", help="keep the files of inputs and answers here")
    add("--small", action="store_true", help="little data, to see that it runs")
    add("--json", action="store_true", help="rows as JSON instead of a table")
    options = parser.parse_args()
    if unknown := set(options.peers) - set(PEERS):
        parser.error(f"no peer {sorted(unknown)[0]!r}; there are {', '.join(PEERS)}")
    if options.reference and not options.reference.exists():
        parser.error(f"there is nothing at {options.reference}")
    return options


def one(
    peer: Peer,
    method: str,
    where: Path,
    inputs: Path,
    limit: float,
    reference: Path | None = None,
) -> dict[str, Any]:
    """What one fit says and gives; "refused" holds the reason where it gives nothing.

    Args:
        peer: What to run.
        method: Which fit of its script.
        where: Its interpreter, or the folder of its environment, which is made if need be.
        inputs: The file it is given.
        limit: Seconds.
        reference: Folder of a reference implementation.
    """
    try:
        python = environment(where, peer.packages) if peer.packages else where
    except subprocess.CalledProcessError as error:
        said = [x for x in error.stderr.strip().splitlines() if "ERROR" in x] or [""]
        return {"refused": f"could not be installed: {said[-1][:200]}"}
    output = inputs.with_name("output.npz")
    output.unlink(missing_ok=True)
    extra = {"INVERSEQ_REFERENCE": str(reference.resolve())} if reference else {}
    started = time.perf_counter()
    try:
        done = subprocess.run(
            [python, SCRIPTS / peer.script, method, inputs, output],
            env={**os.environ, **ONE_THREAD, **extra},
            capture_output=True,
            text=True,
            check=False,
            timeout=limit,
        )
    except subprocess.TimeoutExpired:
        return {"refused": f"not done after {limit:.0f} s"}
    if done.returncode:
        last = (done.stderr.strip().splitlines() or ["no message"])[-1]
        return {"refused": f"failed: {last[:200]}"}
    said = json.loads(done.stdout.splitlines()[-1])
    said["total_seconds"] = time.perf_counter() - started
    if "refused" in said:
        return said
    with np.load(output, allow_pickle=False) as file:
        return said | {name: file[name] for name in file.files}


def torch_rate(script: str, *arguments: Any) -> float | None:
    """What a script in `peer_scripts` makes a second; None where PyTorch cannot be installed."""
    try:
        python = environment(Path(".peers") / "torch", TORCH)
    except subprocess.CalledProcessError:
        return None
    command = [str(python), str(SCRIPTS / script), *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return json.loads(done.stdout.splitlines()[-1])["per_second"]


def environment(folder: Path, packages: tuple[str, ...]) -> Path:
    """Interpreter of the virtual environment in `folder`, made if it is not there as pinned.

    Raises:
        CalledProcessError: The installation failed.
    """
    python = folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    stamp, wanted = folder / "pinned.txt", "\n".join(packages)
    if not (stamp.exists() and stamp.read_text() == wanted):
        shutil.rmtree(folder, ignore_errors=True)
        for command in (
            [sys.executable, "-m", "venv", folder],
            [python, "-m", "pip", "install", "-q", *packages],
        ):
            subprocess.run(command, check=True, capture_output=True, text=True)
        stamp.write_text(wanted)
    return python.absolute()


def scored(task: Task, made: dict[str, Any]) -> dict[str, Any]:
    """The row: what was said, and the scores of reward and policy instead of the arrays."""
    row = {k: v for k, v in made.items() if not isinstance(v, np.ndarray)}
    if "refused" in made:
        return row
    mdp, reward = task.mdp, np.array(made["reward"], dtype=float)
    if reward.ndim == 1:
        reward = np.repeat(reward[:, None], mdp.num_actions, axis=1)
    # Some packages stay in terminal states for ever, some stop there: the value is what compares.
    reward[mdp.terminal] = made["ends"][mdp.terminal, None]
    row |= held_out(task, made["policy"])
    if not (np.isfinite(reward).all() and np.isfinite(made["policy"]).all()):
        return row | {"note": "reward or policy is not finite"}
    if mdp.reward is not None:
        plan = policy_iteration(mdp, reward).policy
        row["correlation"] = reward_correlation(mdp, reward)
        row["lost"] = expected_value_difference(mdp, plan)
    return row


def held_out(task: Task, policy: np.ndarray) -> dict[str, float]:
    """Held-out nats per decision of a policy, among the actions that exist.

    Minus infinity where it gives a decision that was made no probability.
    """
    exists = np.where(task.mdp.allowed, policy, 0.0)
    exists = np.where(task.mdp.terminal[:, None], uniform(task.mdp.allowed), exists)
    with np.errstate(invalid="ignore"):
        exists = exists / exists.sum(1, keepdims=True)
    made = task.held_out
    use = made.actions >= 0
    if not (exists[made.states[use], made.actions[use]] > 0).all():
        return {"nats": -np.inf, "error": np.nan}
    solution = Solution("peer", {}, TabularPolicy(exists), Status(Outcome.CONVERGED), mdp=task.mdp)
    score = log_likelihood(solution, made, from_step=task.from_step)
    return {"nats": score.mean, "error": score.standard_error}


def yardsticks(task: Task) -> list[dict[str, Any]]:
    """Rows for every action equally likely, and for the policy that made the decisions."""
    known = {"every action equally likely": uniform(task.mdp.allowed)}
    if task.expert is not None:
        known["the expert itself"] = task.expert
    return [
        {"task": task.name, "name": name, **held_out(task, policy)}
        for name, policy in known.items()
    ]


def show(rows: list[dict[str, Any]]) -> None:
    """One table per task."""
    for task in dict.fromkeys(row["task"] for row in rows):
        table = Table(title=task, title_justify="left")
        for column in ("", "fit CPU", "fit", "process", "MB"):
            table.add_column(column, justify="right" if column else "left")
        for column in ("held out, nats", "reward corr.", "value lost", "note"):
            table.add_column(column)
        for row in (r for r in rows if r["task"] == task):
            table.add_row(*_cells(row))
        Console(width=170).print(table)


def _cells(row: dict[str, Any]) -> list[str]:
    """A row as text."""
    times = [row.get(k) for k in ("cpu_seconds", "seconds", "total_seconds")]
    number = lambda key, form: form.format(row[key]) if key in row else ""  # noqa: E731
    return [
        row["name"],
        *("" if x is None or "refused" in row else seconds(x) for x in times),
        "" if "refused" in row else number("peak_mb", "{:,.0f}"),
        number("nats", "{:.4f}") + (f" ± {row['error']:.4f}" if row.get("error") else ""),
        number("correlation", "{:.3f}"),
        number("lost", "{:.3f}"),
        f"not run: {row['refused']}" if "refused" in row else row.get("note", ""),
    ]


if __name__ == "__main__":
    sys.exit(main())
