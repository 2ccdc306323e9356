"""The layers of docs/architecture.md, held: no import upward, no cycle, nothing hidden."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

import inverseq

SOURCE = Path(inverseq.__file__).parent
MAX_LINES = 400

# Lowest first; an import goes to an earlier entry or stays inside its own. The longest matching
# name counts, so "inverse" stands for the solvers: what in that package has no entry of its own.
ORDER = (
    "_core",
    *("mdp", "demonstrations", "decisions", "readers", "decisions.files", "doctor"),
    *("networks", "policies", "rewards", "training", "forward", "worlds", "datasets"),
    *(
        "inverse.soft_plans",
        "inverse.planning",
        "inverse.covariates",
        "inverse.solution",
        "inverse.explanation",
        "inverse.problem",
        "inverse",
        "inverse.fit",
        "inverse.replan",
        "play",
    ),
    "intentions",
    *("evaluate", "neural"),
    "plot",
    *("analysis", "studies", "reporting", "app", "cli"),
)


def modules_of(source: Path) -> dict[str, Path]:
    """Dotted name below the package ("" for its own `__init__`) -> file."""
    found = {}
    for path in sorted(source.rglob("*.py")):
        parts = path.relative_to(source).with_suffix("").parts
        found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


def rank(name: str, package: bool) -> int:
    """Place in ORDER; a package's `__init__` shows all its modules, so it stands with the last."""
    if package:
        inside = [i for i, e in enumerate(ORDER) if f"{e}.".startswith(f"{name}." if name else "")]
        if inside:
            return max(inside) + (name == "")
    places = [(len(e), i) for i, e in enumerate(ORDER) if f"{name}.".startswith(f"{e}.")]
    if not places:
        raise LookupError(f"{name} has no place in the order of layers")
    return max(places)[1]


def imports_of(
    name: str, path: Path, known: dict[str, Path], root: str
) -> Iterator[tuple[str, int, bool]]:
    """Each internal import of a file: target, line, and whether it hides inside a function."""
    package = name if path.name == "__init__.py" else name.rpartition(".")[0]
    tree = ast.parse(path.read_text(encoding="utf-8"))
    functions = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)
    inside = {id(n) for f in ast.walk(tree) if isinstance(f, functions) for n in ast.walk(f)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            wanted = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                above = package.split(".")[: len(package.split(".")) - node.level + 1]
                base = ".".join(filter(None, [root, *above, base]))
            # The version is a constant of the root that anybody may read.
            names = [a.name for a in node.names if (base, a.name) != (root, "__version__")]
            wanted = [
                f"{base}.{name}" if f"{base}.{name}".removeprefix(f"{root}.") in known else base
                for name in names
            ]
        else:
            continue
        for target in wanted:
            if target == root or target.startswith(f"{root}."):
                yield target.removeprefix(root).removeprefix("."), node.lineno, id(node) in inside


def cycle_in(graph: dict[str, set[str]]) -> list[str]:
    """Some cycle of the graph as a path, or an empty list."""
    done: set[str] = set()

    def visit(node: str, path: list[str]) -> list[str]:
        if node in path:
            return [*path[path.index(node) :], node]
        if node in done:
            return []
        for following in sorted(graph[node]):
            found = visit(following, [*path, node])
            if found:
                return found
        done.add(node)
        return []

    return next((found for node in sorted(graph) if (found := visit(node, []))), [])


def violations(source: Path, root: str = "inverseq") -> list[str]:
    """Everything in the tree that breaks the rules, one line each."""
    known = modules_of(source)
    problems = []
    graph: dict[str, set[str]] = {name: set() for name in known}
    for name, path in known.items():
        lines = len(path.read_text(encoding="utf-8").splitlines())
        if lines > MAX_LINES:
            problems.append(f"{name}: {lines} lines, at most {MAX_LINES}")
        for target, line, hidden in imports_of(name, path, known, root):
            where = f"{name or root}:{line}"
            if target not in known:
                problems.append(f"{where} imports {target}, which is not a module")
                continue
            if hidden:
                problems.append(f"{where} hides the import of {target} inside a function")
            graph[name].add(target)
            here = rank(name, path.name == "__init__.py")
            there = rank(target, known[target].name == "__init__.py")
            same_package = bool(target) and f"{name}.".startswith(f"{target}.")
            if there > here and not same_package:
                problems.append(f"{where} imports {target or root}, which lies above it")
    if cycle := cycle_in(graph):
        problems.append("cycle: " + " -> ".join(module or root for module in cycle))
    return problems


def test_the_package_keeps_its_layers():
    assert violations(SOURCE) == []


def plant(folder: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return folder


def test_a_clean_tree_passes(tmp_path):
    files = {
        "__init__.py": "from inverseq._core import errors\n",
        "_core/__init__.py": "",
        "_core/errors.py": "import numpy\n",
        "mdp/__init__.py": "from inverseq.mdp.record import MDP\n",
        "mdp/record.py": "from inverseq._core.errors import InputError\n",
        "inverse/__init__.py": "from inverseq.inverse.fit import fit\n",
        "inverse/fit.py": "from .iavi import IAVI\nfrom inverseq import mdp\n",
        "inverse/iavi.py": "from .. import mdp\nfrom ..mdp.record import MDP\n",
    }
    assert violations(plant(tmp_path, files)) == []


def test_planted_faults_are_found(tmp_path):
    files = {
        "_core/errors.py": "from inverseq.mdp import MDP\n",
        "mdp.py": "def f():\n    from inverseq._core import errors\n",
        "decisions.py": "import typing\nif typing.TYPE_CHECKING:\n    import inverseq.plot\n",
        "plot/__init__.py": "x = 1\n" * 401,
        "inverse/solution.py": "from .fit import fit\n",
        "inverse/fit.py": "from inverseq.inverse.solution import Solution\n",
        "policies.py": "from inverseq.nothing import here\n",
    }
    found = violations(plant(tmp_path, files))
    for words in (
        "_core.errors:1 imports mdp, which lies above it",
        "mdp:2 hides the import of _core.errors inside a function",
        "decisions:3 imports plot, which lies above it",
        "plot: 401 lines",
        "inverse.solution:1 imports inverse.fit, which lies above it",
        "policies:1 imports nothing, which is not a module",
        "cycle: _core.errors -> mdp -> _core.errors",
    ):
        assert any(words in line for line in found), (words, found)


def test_a_cycle_inside_one_package_is_found(tmp_path):
    files = {
        "mdp/__init__.py": "from inverseq.mdp.record import MDP\n",
        "mdp/record.py": "from inverseq.mdp import MDP\n",
    }
    assert violations(plant(tmp_path, files)) == ["cycle: mdp -> mdp.record -> mdp"]


def test_a_module_without_a_place_is_refused(tmp_path):
    files = {"_core/a.py": "", "helpers.py": "import inverseq._core.a\n"}
    with pytest.raises(LookupError, match="helpers has no place"):
        violations(plant(tmp_path, files))
