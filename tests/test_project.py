"""What holds for the project as a whole: versions agree, nothing local or unsafe is in it."""

import re
import subprocess
import tomllib
from pathlib import Path

import pytest
import yaml

import inverseq

ROOT = Path(__file__).parents[1]
TEXT = {".py", ".md", ".toml", ".txt", ".yml", ".yaml", ".cff", ".cfg", ".sh", ".json", ".css", ""}

# Spelt in pieces, so that this file does not find itself.
UNSAFE = {
    "a pickle": r"\bpickle\.(load|loads|dump|dumps|Unpickler)\b|\bimport " + r"pickle\b",
    "NumPy's door to pickle": "allow_" + r"pickle\s*=\s*True",
    "eval of text": r"(?<![\w.])ev" + r"al\(",
}
LOCAL = {
    "a package registry": r"(py" + r"pi\.|python" + r"hosted|registry\.np" + "mjs|/sim" + "ple/)",
    "a path of one machine": r"(?<![\w.:/])/(home|root|work|Users|opt|tmp)/",
    "an address on a private net": r"\b(10|192\.168)(\.\d+){2,3}:\d+",
}


def tracked_text() -> list[Path]:
    """Text files of the project: what git tracks, or all of it outside a repository."""
    listed = subprocess.run(
        ["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    paths = [ROOT / p for p in listed.stdout.split("\0") if p]
    if not paths:
        paths = [p for d in ("src", "tests", "docs") for p in (ROOT / d).rglob("*")]
    return [p for p in paths if p.suffix in TEXT and p.is_file()]


@pytest.mark.parametrize("what", [*UNSAFE, *LOCAL])
def test_nothing_unsafe_or_local_is_written(what):
    pattern = re.compile((UNSAFE | LOCAL)[what])
    files = [p for p in tracked_text() if what in LOCAL or p.suffix == ".py"]
    assert files
    found = [
        f"{path.relative_to(ROOT)}:{number}: {line.strip()[:80]}"
        for path in files
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        if pattern.search(line)
    ]
    assert found == []


def test_the_scan_would_find_what_it_looks_for():
    assert re.search(UNSAFE["NumPy's door to pickle"], "np.load(f, allow_" + "pickle=True)")
    assert re.search(UNSAFE["a pickle"], "data = pick" + "le.load(f)")
    assert re.search(LOCAL["a path of one machine"], "open('/ho" + "me/ann/mice.csv')")
    assert re.search(LOCAL["a package registry"], "https://py" + "pi.org/x")
    assert not re.search(LOCAL["a path of one machine"], "see docs/home/index.md")


def test_the_version_is_the_same_everywhere():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    assert inverseq.__version__ == project["version"] == str(citation["version"])


def test_constraints_pin_every_direct_dependency():
    def key(name: str) -> str:
        return re.sub(r"[-_.]+", "-", re.match(r"[\w.-]+", name)[0]).lower()

    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    pins = [line for line in lines if line and not line.startswith("#")]
    assert all(re.fullmatch(r"[\w.-]+==[\w.]+( ?;.*)?", pin) for pin in pins)
    optional = project["optional-dependencies"]
    direct = [*project["dependencies"], *(d for extra in optional.values() for d in extra)]
    assert {key(d) for d in direct if not d.startswith("inverseq")} <= {key(pin) for pin in pins}


def test_every_direct_dependency_is_bounded_below():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    optional = project["optional-dependencies"]
    direct = [*project["dependencies"], *(d for extra in optional.values() for d in extra)]
    assert [d for d in direct if ">=" not in d and not d.startswith("inverseq")] == []


def test_the_readme_opens_with_what_a_newcomer_needs():
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    for words in ("make demo", "make test", "inverseq fit", "inverseq doctor"):
        assert words in readme
    head = "\n".join(readme.splitlines()[:12])
    assert "not implicit Q-learning" in head


def test_the_changelog_has_room_for_what_comes():
    text = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    assert "## [Unreleased]" in text
    assert re.search(r"^### (Added|Changed|Fixed)", text, re.MULTILINE)


def test_the_annotations_are_executed_in_this_suite():
    """The import hook runs: an array of a wrong shape does not get past an annotation."""
    import numpy as np
    from jaxtyping import TypeCheckError

    from inverseq.policies import boltzmann

    with pytest.raises(TypeCheckError):
        boltzmann(np.zeros((2, 3)), np.ones((3, 2), bool))
