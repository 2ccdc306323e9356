"""`make wheel-test`: the wheel, not the tree, in an empty environment of every Python there is.

What is not packaged is missing here, as it would be for a user.
"""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

from two_results import main as compare

ROOT = Path(__file__).parents[1]
PLACE = ROOT / "build" / "wheel"
FIRST = (3, 11)
ASK = (
    "import ensurepip, json, sys, venv; v = sys.version_info;"
    "print(json.dumps([v[:2], v.releaselevel == 'final', sys.prefix == sys.base_prefix]))"
)


def interpreters(folders: list[Path]) -> dict[tuple[int, int], Path]:
    """The first Python of each version from 3.11 in `folders` that can make environments.

    Names are no evidence: a shim may stand for a version that is not installed.
    """
    found: dict[tuple[int, int], Path] = {}
    for path in (path for folder in folders for path in sorted(folder.glob("python3*"))):
        if not re.fullmatch(r"python3(\.\d+)?", path.name):
            continue
        done = subprocess.run([path, "-c", ASK], capture_output=True, text=True, check=False)
        if done.returncode == 0:
            version, final, outside = json.loads(done.stdout)
            if final and outside and tuple(version) >= FIRST:
                found.setdefault(tuple(version), path)
    return dict(sorted(found.items()))


def places() -> list[Path]:
    """Folders on the path, and those of pyenv, whose shims show one version of each name only."""
    pyenv = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv")) / "versions"
    listed = [Path(name) for name in os.get_exec_path()]
    return [*filter(Path.is_dir, listed), *sorted(pyenv.glob("*/bin"))]


def build() -> Path:
    """The wheel, made without the network by the pinned build backend."""
    shutil.rmtree(PLACE, ignore_errors=True)
    PLACE.mkdir(parents=True)
    how = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", PLACE, ROOT]
    with (PLACE / "build.log").open("w") as log:
        subprocess.run(how, check=True, stdout=log)
    (wheel,) = PLACE.glob("*.whl")
    return wheel


def main() -> None:
    wheel, found = build(), interpreters(places())
    if not found:
        sys.exit("no Python 3.11 or newer that can make an environment; install python3-venv")
    results: list[Path] = []
    for (major, minor), python in found.items():
        name = f"python{major}.{minor}"
        print(f"the wheel in an empty environment of {name} ({python})", flush=True)
        place = PLACE / name
        subprocess.run([python, "-m", "venv", place], check=True)
        inside = place / "bin"
        pip = [inside / "python", "-m", "pip", "install", "-qq", "-c", ROOT / "constraints.txt"]
        subprocess.run([*pip, wheel], check=True)
        subprocess.run([inside / "inverseq", "--help"], check=True, stdout=subprocess.DEVNULL)
        smoke = [inside / "python", ROOT / "tests" / "wheel_smoke.py"]
        subprocess.run(smoke, check=True, cwd=place)
        results.append(PLACE / f"mice-{name}")
        job = [inside / "inverseq", "fit", "mice", "--quiet", "--out", results[-1]]
        subprocess.run(job, check=True)
        shutil.rmtree(place)  # a gigabyte each
    for other in results[1:]:
        print(f"{results[0].name} beside {other.name}: ", end="", flush=True)
        compare(str(results[0]), str(other))
    print("tried:", ", ".join(f"{major}.{minor}" for major, minor in found))


if __name__ == "__main__":
    main()
