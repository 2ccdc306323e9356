"""`inverseq datasets`."""

from rich.console import Console

from inverseq import datasets
from inverseq._core.files import to_json
from inverseq.cli.options_others import Datasets
from inverseq.mdp import MDP


def run(options: Datasets) -> int:
    """List the bundled data sets."""
    loaded = [datasets.load(name) for name in datasets.names()]
    if options.output.json:
        print(to_json([_record(dataset) for dataset in loaded]), end="")
        return 0
    console = Console(highlight=False)
    for dataset in loaded:
        facts = _record(dataset)
        console.print(f"[bold]{dataset.name}[/bold]  {dataset.title}", markup=True)
        console.print(
            f"  {facts['decisions']:,} decisions in {facts['trajectories']:,} trajectories; "
            f"{facts['worlds']} world(s), {facts['actions']} actions"
        )
        for name in ("description", "source", "licence", "citation"):
            console.print(f"  {name}: {facts[name]}", markup=False, soft_wrap=False)
        console.print()
    return 0


def _record(dataset: datasets.Dataset) -> dict[str, object]:
    """What is told about a data set."""
    known = dataset.demonstrations
    return {
        "name": dataset.name,
        "title": dataset.title,
        "decisions": int(known.acted.sum()),
        "trajectories": known.num_trajectories,
        "worlds": 1 if isinstance(dataset.mdp, MDP) else len(dataset.mdp),
        "actions": known.num_actions,
        "description": dataset.description,
        "source": dataset.source,
        "licence": dataset.licence,
        "citation": dataset.citation,
    }
