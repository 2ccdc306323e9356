"""Files that come in, worlds that are saved, and a project that is taken elsewhere."""

import asyncio
import http.client
import io
import json
import zipfile
from concurrent.futures import ThreadPoolExecutor

from inverseq.app.fits import State
from inverseq.app.project import opened
from on_site import ANGRY, Reader


def test_a_file_comes_in_by_pieces_and_no_larger_than_agreed(site):
    status, told = site.send("/api/uploads", {"name": "b.csv", "size": 6})
    assert status == 200
    address = f"/api/uploads/{told['number']}"
    # Beyond a gigabyte numbers have ten digits.
    assert "belongs to no file" in site.ask("PUT", f"{address}?at=1234567890", b"a")[2]
    assert json.loads(site.ask("PUT", f"{address}?at=0", b"a,b")[2]) == {"table": None}
    assert json.loads(site.ask("PUT", f"{address}?at=3", b"\n1,")[2]) == {"table": "tables/b.csv"}
    status, told = site.send("/api/uploads", {"name": "c.csv", "size": 10**7})
    assert (status, "--limit" in told["error"]) == (400, True)
    for wrong in ({"name": "", "size": 1}, {"name": "a", "size": -1}, {"name": "a", "size": "1"}):
        assert site.send("/api/uploads", wrong)[0] == 400


def test_a_project_is_packed_and_opened_elsewhere(site, tmp_path):
    done, half = (site.project.fits.ask(["fit", "mice"], "fits", "kept") for _ in range(2))
    site.project.fits.end(done, State.DONE)
    site.project.fits.begin(half)
    for number in (done, half):
        (site.project.result(number) / "tables").mkdir(parents=True)
        (site.project.result(number) / "report.html").write_text("<h1>mine</h1>")
    link = http.client.HTTPConnection(site.name, timeout=30)
    link.request("GET", "/project.zip")
    packed = zipfile.ZipFile(io.BytesIO(link.getresponse().read()))
    link.close()
    assert sorted(packed.namelist()) == [
        *("mine/fits.sqlite", "mine/fits/1/report.html", "mine/tables/a.csv")
    ]
    packed.extractall(tmp_path / "elsewhere")
    with opened(tmp_path / "elsewhere" / "mine") as project:
        assert [fit.state for fit in project.fits.all()] == [State.DONE, State.RUNNING]
        assert not project.is_worked_on(half)  # so that the queue begins it again
        assert project.tables() == ["tables/a.csv"]


def test_worlds_that_are_saved_come_back_and_none_overwrites_another(site):
    states = [{"name": ANGRY, "x": 1, "y": 1}, {"name": "b", "x": 2, "y": 1}]
    ways = [{"from": "b", "action": "go", "to": ANGRY, "weight": 1}]
    for told, ending in (({"rows": ["SG"]}, "json"), ({"states": states, "ways": ways}, "csv")):
        names = []
        for name, over in (("a", ""), ("a", ""), ("a", f"worlds/b.{ending}"), ("a-2", "a-2")):
            over = f"worlds/a-2.{ending}" if over == "a-2" else over
            status, answer = site.send("/api/worlds", told | {"name": name, "over": over})
            assert status == 200, answer
            names.append(answer["world"])
        assert names == [f"worlds/{n}.{ending}" for n in ("a", "a-2", "a-3", "a-2")]
        assert site.get(f"/world?world=worlds/a.{ending}")[0] == 200
    named = {"states": states, "ways": ways, "name": "a-places"}
    status, answer = site.send("/api/worlds", named)
    assert status == 400, answer
    assert "places of another world" in answer["error"]
    status, _, text = site.get("/world?world=worlds/a.csv")
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in text
    assert "<script>alert" not in text
    worlds = ("a-2.csv", "a-2.json", "a-3.csv", "a-3.json", "a.csv", "a.json")
    assert site.project.worlds() == [f"worlds/{name}" for name in worlds]
    # The page Data knows where its states lie, and forgets it with another world.
    read = "/part/table?table=tables/a.csv&c0=state&c1=action"
    told = site.get(f"{read}&world=worlds/a.csv")[2]
    assert "--world worlds/a.csv --places worlds/a-places.csv" in told
    told = site.get(f"{read}&world=worlds/a-2.csv&places=worlds/a-places.csv")[2]
    assert "--world worlds/a-2.csv --places worlds/a-2-places.csv" in told
    told = site.get(f"{read}&world=worlds/a.json&places=worlds/a-places.csv")[2]
    assert "--places" not in told


def test_a_world_that_was_not_painted_here_is_said(site):
    for name, text in (("a.txt", "#.\nSG\n"), ("b.json", "[1]"), ("c.json", '{"c": ["A.", "SG"]}')):
        (site.project.root / "worlds" / name).write_text(text)
        status, _, told = site.get(f"/world?world=worlds/{name}")
        assert (status, "cannot be painted here" in told) == (400, True)
    (site.project.root / "worlds" / "d.json").write_text('{"d": ["#.", "SG"]}')
    assert 'data-rows="#./SG"' in site.get("/world?world=worlds/d.json")[2]


def test_two_who_draw_a_world_of_one_name_at_once_both_keep_theirs(site, monkeypatch):
    ask = Reader.ask

    async def slowly(helper, **question):
        await asyncio.sleep(0.3)
        return await ask(helper, **question)

    monkeypatch.setattr(Reader, "ask", slowly)
    drawn = [{"name": "twin", "rows": [rows]} for rows in ("SG", "S.G")]
    with ThreadPoolExecutor(2) as both:
        told = [answer for _, answer in both.map(lambda one: site.send("/api/worlds", one), drawn)]
    assert {answer["world"] for answer in told} == {"worlds/twin.json", "worlds/twin-2.json"}
    kept = [(site.project.root / answer["world"]).read_text() for answer in told]
    assert ['"SG"' in kept[0], '"S.G"' in kept[1]] == [True, True]
