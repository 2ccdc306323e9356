"""Laws of all that answers over HTTP, on requests at random; many tabs; and a disk that is full."""

import asyncio
import http.client
import json
import string
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inverseq import InputError
from inverseq.app.asked import QUESTIONS, ROLES, SETTINGS
from inverseq.app.fits import Fits, State
from inverseq.app.office import Office
from inverseq.app.project import opened
from inverseq.app.site import make_site
from on_site import Idle, Reader

NAMES = ("table", "fit", "world", "kind", "tour", "at", "begins", "question", "c0", "moves", "name")
KNOWN = ("mice", "tables/a.csv", "worlds/w.json", "worlds/w.csv", "network", "mice.2", "1", "0")
SENT = ("rows", "states", "ways", "size", "within", "closed", "swapped", "over", "command", "from")

texts = st.one_of(
    st.sampled_from(KNOWN), st.text(max_size=12), st.text("/.\\%\0=<&'\"", max_size=6)
)
names = st.sampled_from((*NAMES, *SENT, *ROLES, *SETTINGS, *QUESTIONS))
values = st.recursive(
    st.one_of(texts, st.integers(), st.floats(), st.none(), st.booleans()),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(st.one_of(names, texts), inner, max_size=4)
    ),
    max_leaves=8,
)
bodies = st.one_of(
    st.dictionaries(names, values, max_size=6).map(lambda told: json.dumps(told).encode()),
    values.map(lambda told: json.dumps(told).encode()),
    st.binary(max_size=30),
)
headers = st.dictionaries(
    st.sampled_from(("cookie", "range", "content-length", "if-none-match", "sec-fetch-site", "x")),
    st.text(string.printable.strip(), max_size=12),
    max_size=2,
)


@pytest.fixture(scope="module")
def asked(tmp_path_factory):
    """Ask the pages of a project with a table, two worlds and a result, without a server: the
    status, the headers and the text of the answer. A mistake of theirs is raised.
    """
    patch = pytest.MonkeyPatch()
    patch.setattr("inverseq.app.office.Queue", Idle)
    patch.setattr("inverseq.app.office.Helper", Reader)
    with opened(tmp_path_factory.mktemp("http") / "mine") as project:
        (project.root / "tables" / "a.csv").write_text("state,action\n0,0\n")
        (project.root / "worlds" / "w.json").write_text('{"w": ["SG"]}')
        (project.root / "worlds" / "w.csv").write_text("state\n")
        project.fits.begin(project.fits.ask(["fit", "mice"], "fits", "kept"))
        project.fits.end(1, State.DONE)
        project.result(1).mkdir()
        (project.result(1) / "report.html").write_text("half")
        site = make_site(Office(project, 1000))
        site.state.is_over = lambda: True  # what lasts as long as a visit is over at once
        yield lambda *request: asyncio.run(answered(site, *request))
    patch.undo()


async def answered(site, method, path, query, told, body):
    """What the pages answer to one request."""
    sent, parts = [], iter([{"type": "http.request", "body": body, "more_body": False}])

    async def receive():
        return next(parts, {"type": "http.disconnect"})

    async def send(message):
        sent.append(message)

    scope = {"type": "http", "method": method, "path": path, "raw_path": path.encode()}
    scope |= {"query_string": query, "scheme": "http", "http_version": "1.1", "root_path": ""}
    scope |= {"client": ("127.0.0.1", 1), "server": ("127.0.0.1", 80), "headers": told}
    await site(scope, receive, send)
    began = {name.decode(): value.decode() for name, value in sent[0]["headers"]}
    return sent[0]["status"], began, b"".join(each.get("body", b"") for each in sent[1:])


@pytest.fixture(scope="module")
def paths(asked, tmp_path_factory):
    """Every address that there is, and some that are none."""
    with opened(tmp_path_factory.mktemp("paths") / "mine") as project:
        listed = [route.path for route in make_site(Office(project, 1)).routes]
    return [*listed, "/nothing", "//", "/files/1/report.html", "/fit-1.zip"]


@given(data=st.data())
def test_every_answer_is_a_page_or_one_message_and_obeys_the_policy(asked, paths, data):
    draw = data.draw
    path = draw(st.sampled_from(paths))
    for hole, fill in (
        ("number:int", st.integers(0, 10**18)),
        ("name:path", texts),
        ("name", texts),
    ):
        path = path.replace(f"{{{hole}}}", str(draw(fill)))
    method = draw(st.sampled_from(("GET", "GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS")))
    query = "&".join(f"{draw(names)}={draw(texts)}" for _ in range(draw(st.integers(0, 4))))
    told = draw(headers) | {"host": "localhost"}
    if method == "POST":
        told["content-type"] = draw(st.sampled_from(("application/json", "application/json", "x")))
    pairs = [(name.encode(), value.encode()) for name, value in told.items()]
    body = draw(bodies) if method in ("POST", "PUT") else b""
    status, began, text = asked(method, path, query.encode(errors="replace"), pairs, body)
    assert status < 500
    assert "default-src" in began["content-security-policy"]
    assert began["x-content-type-options"] == "nosniff"
    if status in (400, 404, 405) and path.startswith("/api/") and method != "HEAD":
        assert 0 < len(json.loads(text)["error"]) < 5000
    assert b"Traceback" not in text


def test_twenty_tabs_are_all_told_and_no_page_waits_for_them(site):
    links = [http.client.HTTPConnection(site.name, timeout=20) for _ in range(20)]
    for link in links:
        link.request("GET", "/api/events")
    answers = [link.getresponse() for link in links]
    assert {each.readline() for each in answers} == {b'data: {"busy": 0, "fits": 0}\n'}
    began = time.monotonic()
    assert site.get("/fit")[0] == 200
    assert time.monotonic() - began < 5
    site.project.fits.ask(["fit", "mice"], "fits", "kept")
    assert {each.readline() for each in answers} == {b"\n"}
    assert {each.readline() for each in answers} == {b'data: {"busy": 1, "fits": 1}\n'}
    for link in links:
        link.close()


def test_a_list_that_cannot_be_read_ends_no_line_and_is_said_on_pages(site, monkeypatch, capfd):
    every, full = Fits.all, []

    def all_of(self):
        if full:
            raise InputError("the list of fits cannot be used: is the disk full?")
        return every(self)

    monkeypatch.setattr(Fits, "all", all_of)
    link = http.client.HTTPConnection(site.name, timeout=20)
    link.request("GET", "/api/events")
    answer = link.getresponse()
    assert answer.readline() == b'data: {"busy": 0, "fits": 0}\n'
    full.append(True)
    status, _, text = site.get("/fit")
    assert (status, "is the disk full?" in text) == (400, True)
    time.sleep(1)
    full.clear()
    site.project.fits.ask(["fit", "mice"], "fits", "kept")
    assert answer.readline() == b"\n"
    assert answer.readline() == b'data: {"busy": 1, "fits": 1}\n'
    assert "Traceback" not in capfd.readouterr().err
    link.close()
