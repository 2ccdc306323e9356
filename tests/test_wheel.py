"""What goes into the wheel. `make wheel-test` installs it in empty environments and runs it."""

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

import two_results
from wheel_everywhere import interpreters

ROOT = Path(__file__).parents[1]
DATA = ROOT / "src" / "inverseq" / "datasets" / "data"


@pytest.fixture(scope="module")
def wheel(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    # The pinned build backend of the test environment: no network is needed.
    program = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", folder, ROOT]
    done = subprocess.run(program, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    (built,) = folder.glob("*.whl")
    return built


def test_the_wheel_holds_the_package_and_nothing_else(wheel):
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
        metadata = next(archive.read(n).decode() for n in names if n.endswith("/METADATA"))
    tops = {name.split("/")[0] for name in names}
    assert {t for t in tops if not t.endswith(".dist-info")} == {"inverseq"}
    assert "inverseq/py.typed" in names
    assert any(name.endswith("licenses/LICENSE") for name in names)
    assert "License-Expression: MIT" in metadata
    sources = {
        str(p.relative_to(ROOT / "src"))
        for p in (ROOT / "src").rglob("*.py*")
        if p.suffix in (".py", ".pyi")
    }
    assert sources <= set(names)


def test_the_wheel_holds_the_data_and_its_licences(wheel):
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
    wanted = {f"inverseq/datasets/data/{p.name}" for p in DATA.iterdir() if p.is_file()}
    assert any(name.endswith(".parquet") for name in wanted)
    assert wanted <= names


def test_the_wheel_is_small(wheel):
    assert wheel.stat().st_size < 3_000_000


def python(folder: Path, name: str, answer: str) -> Path:
    """A program that answers in place of an interpreter; without an answer it fails as shims do."""
    folder.mkdir(exist_ok=True)
    path = folder / name
    path.write_text(f"#!/bin/sh\necho '{answer}'\n" if answer else "#!/bin/sh\nexit 127\n")
    path.chmod(0o755)
    return path


def test_the_wheel_is_tried_in_each_version_that_runs(tmp_path):
    first, second = tmp_path / "first", tmp_path / "second"
    python(first, "python3.13", "")
    python(first, "python3.10", "[[3, 10], true, true]")
    python(first, "python3.15", "[[3, 15], false, true]")
    python(first, "python3.11-config", "[[3, 11], true, true]")
    python(first, "python3", "[[3, 12], true, false]")
    wanted = {
        (3, 12): python(second, "python3", "[[3, 12], true, true]"),
        (3, 13): python(second, "python3.13", "[[3, 13], true, true]"),
        (3, 14): python(first, "python3.14", "[[3, 14], true, true]"),
    }
    python(second, "python3.14", "[[3, 14], true, true]")
    assert interpreters([first, second]) == wanted
    assert interpreters([tmp_path]) == {}


def test_two_results_are_told_apart_by_bytes_then_by_numbers(tmp_path, capsys):
    texts = {"a": "x,name\n1.0,left\n-4,\n", "b": "x,name\n1.0000004,left\n-4,\n"}
    for folder, text in texts.items():
        (tmp_path / folder / "tables").mkdir(parents=True)
        (tmp_path / folder / "tables" / "t.csv").write_text(text)
        (tmp_path / folder / "same.svg").write_text("<svg/>")
        (tmp_path / folder / "summary.json").write_text('{"chosen": "iavi"}')
        for name in ("run.json", "report.html"):
            (tmp_path / folder / name).write_text(folder)
    first, second = tmp_path / "a", tmp_path / "b"
    assert two_results.verdict(first, second) == {"tables/t.csv": pytest.approx(1e-7)}
    two_results.main(str(first), str(second))
    assert "1 of 2 files are the same bytes" in capsys.readouterr().out
    (second / "tables" / "t.csv").write_text(texts["a"].replace("1.0", "1.1"))
    with pytest.raises(SystemExit, match="differ by more"):
        two_results.main(str(first), str(second))
    (second / "tables" / "t.csv").write_text(texts["a"].replace("left", "right"))
    with pytest.raises(ValueError, match="name has other words"):
        two_results.verdict(first, second)
