"""What goes into the wheel. `make wheel-test` installs it in an empty environment and runs it."""

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

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
