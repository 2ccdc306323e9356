"""Writes the exercises as Jupyter notebooks, of the Python files with `# %%` cells beside them.

python scripts/notebooks.py          after `examples/lecture_exercises.py` was changed
python scripts/notebooks.py --check  says what differs, and changes nothing
"""

import ast
import json
import re
import sys
from pathlib import Path

EXAMPLES = Path(__file__).parents[1] / "examples"
MADE_OF = ("lecture_exercises.py",)


def notebook(text: str) -> str:
    """The notebook of a Python file whose cells begin with `# %%` or `# %% [markdown]`."""
    cells = []
    for part in re.split(r"^# %%", text, flags=re.M)[1:]:
        head, _, body = part.partition("\n")
        body, told = body.strip("\n"), head.strip() == "[markdown]"
        if told and body.startswith('"""'):
            body = ast.literal_eval(body).strip("\n")
        elif told:
            body = re.sub(r"^# ?", "", body, flags=re.M)
        cell = {
            "id": f"cell-{len(cells)}",
            "metadata": {},
            "source": body.splitlines(keepends=True),
        }
        code = {"cell_type": "code", "execution_count": None, "outputs": []}
        cells.append({**({"cell_type": "markdown"} if told else code), **cell})
    kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
    made = {"cells": cells, "metadata": {"kernelspec": kernel}, "nbformat": 4, "nbformat_minor": 5}
    return json.dumps(made, indent=1, ensure_ascii=False) + "\n"


def differing(folder: Path = EXAMPLES) -> dict[Path, str]:
    """Notebooks that are not what they should be: path -> what it should hold."""
    wanted = {
        (folder / name).with_suffix(".ipynb"): notebook((folder / name).read_text(encoding="utf-8"))
        for name in MADE_OF
    }
    return {
        path: text
        for path, text in wanted.items()
        if not path.exists() or path.read_text(encoding="utf-8") != text
    }


def main() -> None:
    """Write the notebooks, or complain of those that differ."""
    found = differing()
    if "--check" in sys.argv[1:]:
        if found:
            sys.exit(f"{', '.join(p.name for p in found)}: run python scripts/notebooks.py")
        return
    for path, text in found.items():
        path.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
