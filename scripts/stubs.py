"""Writes the `__init__.pyi` of each package whose names are loaded when they are first used.

Editors and type checkers do not run `__getattr__`; they read these stubs, which follow from the
tables in the packages' `__init__.py`.

    python scripts/stubs.py          after a public name was added, renamed, moved or removed
    python scripts/stubs.py --check  says what differs, and changes nothing
"""

import ast
import sys
from pathlib import Path

SOURCE = Path(__file__).parents[1] / "src"
HEAD = "# Made of __init__.py by scripts/stubs.py.\n"


def stub(path: Path) -> str | None:
    """The stub of a package, given its `__init__.py`; None where every name is there at once."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    package = ".".join(path.parent.relative_to(SOURCE).parts)
    tables = {
        node.targets[0].id: node.value
        for node in tree.body
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name)
    }
    if "_HOME" not in tables:
        return None
    homes = {n: f"{package}.{home}" for n, home in ast.literal_eval(tables["_HOME"]).items()}
    homes |= dict.fromkeys(ast.literal_eval(tables.get("_MODULES", ast.Tuple([]))), package)
    at_once = {
        alias.name: node.module
        for node in tree.body
        if isinstance(node, ast.ImportFrom) and node.module
        for alias in node.names
    }
    lines = []
    listed = [n.value for n in ast.walk(tables["__all__"]) if isinstance(n, ast.Constant)]
    for name in map(str, listed):
        if name in at_once:
            homes[name] = at_once[name]
        else:
            lines.append(f"{name}: {type(ast.literal_eval(tables[name])).__name__}\n")
    imports = sorted(f"from {home} import {name} as {name}\n" for name, home in homes.items())
    return "".join([HEAD, *imports, *lines])


def differing(source: Path = SOURCE) -> dict[Path, str | None]:
    """Stubs that are not what they should be: path -> what it should hold, or None for nothing."""
    wanted = {p.with_suffix(".pyi"): stub(p) for p in source.rglob("__init__.py")}
    return {
        path: text
        for path, text in wanted.items()
        if (path.read_text(encoding="utf-8") if path.exists() else None) != text
    }


def main() -> None:
    """Write the stubs, or complain of those that differ."""
    found = differing()
    if "--check" in sys.argv[1:]:
        if found:
            names = ", ".join(str(path.relative_to(SOURCE)) for path in sorted(found))
            sys.exit(f"{names}: not what __init__.py says; run: python scripts/stubs.py")
        return
    for path, text in found.items():
        if text is None:
            path.unlink()
        else:
            path.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
