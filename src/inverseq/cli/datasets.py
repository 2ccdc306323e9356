"""`inverseq datasets`."""

from pathlib import Path

from rich.console import Console

from inverseq import datasets
from inverseq._core.errors import InputError
from inverseq._core.files import to_json, write_text
from inverseq.cli.options_others import Datasets
from inverseq.cli.tables import decision_columns
from inverseq.evaluate.posterior_table import write_columns
from inverseq.mdp import MDP


def run(options: Datasets) -> int:
    """List the bundled data sets, or write one."""
    if options.write is not None:
        return _write(options, options.write)
    loaded, missing = [], {}
    for name in datasets.names():
        try:
            loaded.append(datasets.load(name))
        except InputError as error:  # a package that one of them needs
            missing[name] = str(error)
    if options.output.json:
        lacking = [{"name": name, "error": error} for name, error in missing.items()]
        print(to_json([*map(_record, loaded), *lacking]), end="")
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
    for name, error in missing.items():
        console.print(f"{name}: {error}", markup=False)
    return 0


def _write(options: Datasets, name: str) -> int:
    """The decisions and the mazes of a data set as files."""
    dataset, folder = datasets.load(name), Path(options.out or name)
    folder.mkdir(parents=True, exist_ok=True)
    written = [write_columns([decision_columns(dataset.demonstrations)], folder / "decisions.csv")]
    layouts = {n: world.settings.get("layout") for n, world in dataset.worlds.items()}
    if layouts and all(layouts.values()):
        written.append(folder / "mazes.json")
        write_text(written[-1], to_json(layouts))
    if options.output.json:
        print(to_json({"files": [str(path) for path in written]}), end="")
    elif not options.output.quiet:
        print("\n".join(f"Written: {path}" for path in written))
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
