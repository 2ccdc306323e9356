"""The folder of a project: who may open it, what comes in, and under which name."""

import asyncio
import gzip
import io
import os
import warnings
import zipfile

import h5py
import numpy as np
import pytest

import inverseq as iq
from inverseq import InputError
from inverseq.app.project import opened
from inverseq.app.uploads import PIECE, Uploads


@pytest.fixture
def project(tmp_path):
    with opened(tmp_path / "mine") as project:
        yield project


async def pieces(*parts):
    for part in parts:
        yield part


def arrive(uploads, name, content, step=PIECE):
    """Send a file in; its path in the project."""
    number, table = uploads.begin(name, len(content)), None
    for at in range(0, max(len(content), 1), step):
        part = content[at : at + step]
        table = asyncio.run(uploads.take(number, at, pieces(part[:3], part[3:])))
    return table


@pytest.mark.parametrize(
    ("name", "content", "kept"),
    [
        ("mine.csv", b"a,b\n1,2\n", "tables/mine.csv"),
        ("../../etc/passwd", b"a,b\n", "tables/etc_passwd.csv"),
        ("C:\\x\\.hidden.tsv", b"a\tb\n", "tables/C_x_.hidden.tsv"),
        ("Mäuse & Ratten.CSV", b"a\n", "tables/Mause_Ratten.csv"),
        ("--out.csv", b"a\n", "tables/out.csv"),
        ("table.csv", b"PAR1 and so on", "tables/table.csv.parquet"),
        ("session.h5", b"\x89HDF\r\n\x1a\n", "tables/session.h5.nwb"),
        ("packed.csv.gz", gzip.compress(b"a\n", mtime=0), "tables/packed.csv.gz"),
        ("....", b"a\n", "tables/table.csv"),
        ("games-corridor.csv", b"a\n", "tables/table-games-corridor.csv"),
        ("games.parquet", b"PAR1", "tables/table-games.parquet"),
        ("x" * 250, b"a\n", f"tables/{'x' * 60}.csv"),
    ],
)
def test_a_name_from_outside_is_made_anew_and_the_content_says_the_kind(
    project, name, content, kept
):
    assert arrive(Uploads(project, 1000), name, content, step=5) == kept
    assert (project.root / kept).read_bytes() == content
    assert project.tables() == [kept]
    assert os.listdir(project.root / ".arriving") == []


def test_the_same_name_twice_is_two_files(project):
    uploads = Uploads(project, 1000)
    assert arrive(uploads, "a.csv", b"1\n") == "tables/a.csv"
    assert arrive(uploads, "a.csv", b"2\n") == "tables/a-2.csv"


def test_what_is_too_large_empty_or_no_table_is_refused_with_what_to_do(project):
    uploads = Uploads(project, 1000)
    with pytest.raises(InputError, match=r"--limit 0\.1, or move the file into the folder tables"):
        uploads.begin("big.csv", 1001)
    with pytest.raises(InputError, match="are free on the disk of the project"):
        Uploads(project, 10**18).begin("huge.csv", 10**17)
    with pytest.raises(InputError, match=r"photo\.png holds no table that can be read"):
        arrive(uploads, "photo.png", b"\x89PNG\r\n\0\0\0")
    for begin in (b"PK\x03\x04 and so on", b"\xd0\xcf\x11\xe0\xa1\xb1"):
        with pytest.raises(InputError, match=r"mine\.csv is a workbook.* CSV UTF-8"):
            arrive(uploads, "mine.csv", begin)
    with pytest.raises(InputError, match=r"empty\.csv is empty"):
        arrive(uploads, "empty.csv", b"")
    assert project.tables() == []
    assert os.listdir(project.root / ".arriving") == []


def test_pieces_that_do_not_fit_are_refused(project):
    uploads = Uploads(project, 1000)
    number = uploads.begin("a.csv", 4)
    for at, content in ((2, b"b\n"), (0, b"longer than was said")):
        with pytest.raises(InputError, match="this piece"):
            asyncio.run(uploads.take(number, at, pieces(content)))
    with pytest.raises(InputError, match="belongs to no file"):
        asyncio.run(uploads.take(number + 1, 0, pieces(b"a")))


def test_a_full_disk_is_said_and_nothing_stays(project, monkeypatch):
    uploads = Uploads(project, 1000)
    number = uploads.begin("a.csv", 4)

    async def full():
        raise OSError(28, "No space left on device")
        yield b""

    with pytest.raises(InputError, match=r"No space left on device\. Make room"):
        asyncio.run(uploads.take(number, 0, full()))
    assert os.listdir(project.root / ".arriving") == []


def test_two_apps_do_not_share_a_folder_and_what_was_on_its_way_is_swept(tmp_path):
    with opened(tmp_path) as project:
        project.arriving(1).write_bytes(b"half")
        with pytest.raises(InputError, match="another run is writing to"), opened(tmp_path):
            pass
    with opened(tmp_path) as project:
        assert os.listdir(tmp_path / ".arriving") == []


def test_a_file_is_no_project_and_a_folder_that_is_closed_is_said(tmp_path):
    (tmp_path / "file").write_text("x")
    with (
        pytest.raises(InputError, match="is a file; a project is a folder"),
        opened(tmp_path / "file"),
    ):
        pass
    with pytest.raises(InputError, match="cannot write to"), opened("/proc/mine"):
        pass


def test_a_lock_tells_whether_somebody_works_on_a_fit(project):
    assert not project.is_worked_on(3)
    with project.working(3):
        assert project.is_worked_on(3)
        with pytest.raises(InputError, match="somebody works on fit 3"), project.working(3):
            pass
    assert not project.is_worked_on(3)


def test_a_piece_that_comes_twice_at_once_counts_once(project):
    uploads = Uploads(project, 1000)
    number = uploads.begin("a.csv", 8)

    async def slowly(part):
        await asyncio.sleep(0.01)
        yield part

    async def both():
        sent = (uploads.take(number, 0, slowly(b"a,b\n")) for _ in range(2))
        return await asyncio.gather(*sent, return_exceptions=True)

    first, second = asyncio.run(both())
    assert first is None
    assert isinstance(second, InputError)
    assert asyncio.run(uploads.take(number, 4, pieces(b"1,2\n"))) == "tables/a.csv"
    assert (project.root / "tables" / "a.csv").read_bytes() == b"a,b\n1,2\n"


def test_two_worlds_never_lie_in_one_file_unless_the_one_is_changed(project):
    for told, path in (("迷宫", "worlds/world.json"), ("地图", "worlds/world-2.json")):
        assert project.world_path(told, ".json") == path
        (project.root / path).write_text("{}")
    assert project.world_path("world", ".json", "worlds/world.json") == "worlds/world.json"
    assert project.world_path("world-2", ".json", "worlds/world-2.json") == "worlds/world-2.json"
    for over in ("", "worlds/other.json", "../fits.sqlite"):
        assert project.world_path("world", ".json", over) == "worlds/world-3.json"


def test_files_that_are_made_at_once_do_not_share_a_name(project):
    with project.aside(".zip") as one, project.aside(".zip") as other:
        assert one != other
    assert os.listdir(project.root / ".arriving") == []


def test_a_full_disk_is_said(project, monkeypatch):
    def full(*_, **__):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("inverseq.app.project.tempfile.mkstemp", full)
    with pytest.raises(InputError, match="No space left on device"), project.aside(".x"):
        pass


def zipped(**files):
    """A zip of files by their names, "__" for a slash and "_dot_" for a dot."""
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as packed:
        for name, content in files.items():
            packed.writestr(name.replace("__", "/").replace("_dot_", "."), content)
    return made.getvalue()


@pytest.fixture(scope="module")
def walks(tmp_path_factory):
    """The two files of a data set of Minari."""
    root = tmp_path_factory.mktemp("minari")
    rng = np.random.default_rng(0)
    seen = rng.normal(size=(3, 11, 2))
    data = iq.Demonstrations.from_arrays(
        seen[:, :-1].reshape(30, 2),
        rng.integers(0, 3, 30),
        next_states=seen[:, 1:].reshape(30, 2),
        trajectory=np.repeat(np.arange(3), 10),
        terminated=np.arange(30) % 10 == 9,
        decisions={"reward": rng.normal(size=30)},
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        iq.write_minari(data, "walks/test-v0", folder=root)
    data_of = root / "walks" / "test-v0" / "data"
    return [(data_of / name).read_bytes() for name in ("metadata.json", "main_data.hdf5")]


def test_a_zipped_data_set_of_minari_becomes_a_table(project, walks):
    metadata, data = walks
    content = zipped(test__data__metadata_dot_json=metadata, test__data__main_data_dot_hdf5=data)
    path = arrive(Uploads(project, 1 << 24), "walks.zip", content)
    assert path == "tables/walks.parquet"
    table = iq.read_table(
        project.root / path, features=("state_0", "state_1"), trajectory="trajectory"
    )
    assert (table.num_decisions, table.num_trajectories, table.num_actions) == (30, 3, 3)
    assert not [*(project.root / ".arriving").iterdir()]


def test_zips_that_are_no_data_set_are_refused_with_what_to_do(project, walks):
    metadata, data = walks
    uploads = Uploads(project, 1 << 22)
    both = {"metadata_dot_json": metadata, "main_data_dot_hdf5": data}
    bomb = both | {"main_data_dot_hdf5": b"\x89HDF\r\n\x1a\n" + bytes(1 << 23)}
    twice = both | {"b__metadata_dot_json": metadata, "b__main_data_dot_hdf5": data}
    spoilt = both | {"main_data_dot_hdf5": data[:2000]}
    apart = {"a__metadata_dot_json": metadata, "b__main_data_dot_hdf5": data}
    up = {"x__.._dot_.__metadata_dot_json": metadata, "main_data_dot_hdf5": b"none"}
    with h5py.File(swollen := io.BytesIO(), "w") as file:
        file.create_dataset("episode_0/actions", (1 << 23,), "u1", compression="gzip", fillvalue=1)
    swollen = swollen.getvalue()
    for content, why in (
        (zipped(**bomb), "larger than a file may be once it is unpacked"),
        (zipped(**twice), "several data sets of Minari: zip one folder alone"),
        (zipped(**spoilt), "damaged or not whole"),
        (zipped(**up), "holds no data set of Minari"),
        (zipped(**apart), "holds no data set of Minari"),
        (zipped(**both | {"main_data_dot_hdf5": swollen}), "larger than a file may be once it is"),
        (zipped(sheet_dot_xml=b"<a/>"), "unpack it, and choose the table"),
    ):
        with pytest.raises(InputError, match=why):
            arrive(uploads, "walks.zip", content)
        assert not [*(project.root / ".arriving").iterdir()]
    with pytest.raises(InputError, match="half of a data set of Minari: zip the folder"):
        arrive(uploads, "main_data.hdf5", data)
    assert project.tables() == []
