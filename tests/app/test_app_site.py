"""The pages over HTTP: who may come in, what is refused, and that nonsense breaks nothing."""

import http.client
import re

import pytest

from inverseq.app.fits import State
from inverseq.app.project import opened
from inverseq.app.tours import TOURS
from on_site import ANGRY, Idle, Reader, Site

PAGES = ("/data", "/world", "/world?kind=network", "/fit", "/look", "/compare", "/play", "/report")


@pytest.mark.parametrize("address", [*PAGES, "/app.js", "/look.js", "/app.css", "/look.css"])
def test_a_page_loads_nothing_from_elsewhere_and_runs_nothing_inside(site, address):
    status, headers, text = site.get(address)
    assert status == 200
    policy = headers["content-security-policy"]
    assert "default-src 'self'" in policy
    assert "unsafe" not in policy
    assert headers["x-content-type-options"] == "nosniff"
    assert set(re.findall(r"https?://[\w.]+", text)) <= {"http://www.w3.org"}
    if headers["content-type"].startswith("text/html"):
        assert re.findall(r"<script(?! src=\"/\w+\.js\" defer></script>)", text) == []
        assert re.findall(r" (?:on\w+|style)=", text) == []


def test_what_a_click_cannot_mend_here_has_no_button_and_its_place_is_said(site):
    told = site.get("/part/check?table=tables/a.csv&named=a")[2]
    assert re.findall(r"Add <code>([^<]*)</code>", told) == ["--blocks 20"]
    assert "On the page Fit: Details" in told
    assert 'value="cut_from"' in site.get("/fit?table=tables/a.csv&blocks=20")[2]
    assert 'value="cut_from"' not in site.get("/fit?table=tables/a.csv")[2]


def test_strangers_stay_outside(site):
    assert site.get("/data", Host="evil.example")[0] == 400
    assert site.get("/data", Origin="http://evil.example")[0] == 403
    for origin in ("http://evil.example", "null"):
        told = site.ask("POST", "/api/fits", "{}", Content_Type="application/json", Origin=origin)
        assert told[0] == 403
    # Nor may its pictures and frames make the server work; a link to the page may be followed.
    for place in ("cross-site", "same-site"):
        shown = {"Sec_Fetch_Site": place, "Sec_Fetch_Mode": "no-cors", "Sec_Fetch_Dest": "image"}
        assert site.get("/part/check?table=tables/a.csv", **shown)[0] == 403
        shown = {"Sec_Fetch_Site": place, "Sec_Fetch_Mode": "navigate"}
        assert site.get("/data", **shown, Sec_Fetch_Dest="document")[0] == 200
        assert site.get("/data", **shown, Sec_Fetch_Dest="iframe")[0] == 403
    assert Reader.asked == ()
    # A form of another site cannot send JSON.
    status, _, text = site.ask("POST", "/api/fits", "table=mice", Content_Type="text/plain")
    assert (status, "JSON" in text) == (400, True)
    assert site.project.fits.all() == []


def test_a_ticket_is_asked_for_where_the_page_is_open_to_others(tmp_path, monkeypatch):
    monkeypatch.setattr("inverseq.app.office.Queue", Idle)
    monkeypatch.setattr("inverseq.app.office.Helper", Reader)
    with opened(tmp_path) as project:
        site = Site(project, ticket="secret")
        assert site.get("/data")[0] == 403
        assert site.get("/data?ticket=wrong")[0] == 403
        port = site.name.partition(":")[2]
        assert site.get("/data", Cookie=f"inverseq_ticket_{port}=wrong")[0] == 403
        status, headers, _ = site.get("//evil.example/?ticket=secret")
        assert (status, headers["location"]) == (303, "/")
        assert "HttpOnly" in headers["set-cookie"]
        cookie = headers["set-cookie"].partition(";")[0]
        assert site.get("/data", Cookie=cookie)[0] == 200
        # Another app of this machine has a cookie of its own in the same browser.
        assert site.get("/data", Cookie=f"inverseq_ticket_1=other; {cookie}")[0] == 200
        assert site.get("/data", Cookie="inverseq_ticket_1=secret")[0] == 403
        assert site.get("/data?ticket=secret", Host="127.0.0.1:x")[0] == 400
        site.close()


def test_no_path_from_outside_leads_anywhere(site):
    secret = site.project.root.parent / "secret.csv"
    secret.write_text("state,action\n")
    number = site.project.fits.ask(["fit", "mice"], "fits", "kept")
    site.project.fits.end(number, State.DONE)
    folder = site.project.result(number)
    folder.mkdir()
    (folder / "report.html").write_text("<h1>mine</h1>")
    for address in (
        "/data?table=../secret.csv",
        f"/data?table={secret}",
        "/part/table?table=tables/../../secret.csv",
        "/files/1/../../../secret.csv",
        "/files/1/%2e%2e/%2e%2e/%2e%2e/secret.csv",
        f"/files/1/{secret}",
        "/world?world=../secret.csv",
        "/tour/..%2f",
        "/look?fit=-1",
        "/look?fit=1e9",
        "/look?fit=99999999999999999999",
    ):
        status, _, text = site.get(address)
        assert status in (400, 404), address
        assert "state,action" not in text
    status, answer = site.send("/api/fits", {"table": "../secret.csv"})
    assert (status, "there is no table" in answer["error"]) == (400, True)
    for option in ("world", "places"):
        for path in ("../secret.csv", str(secret), "s3://bucket/secret.csv"):
            status, answer = site.send("/api/fits", {"table": "tables/a.csv", option: path})
            assert (status, f"there is no {option}" in answer["error"]) == (400, True)
            for part in ("check", "table"):
                status, _, text = site.get(f"/part/{part}?table=tables/a.csv&{option}={path}")
                assert (status, f"there is no {option}" in text) == (400, True)
    assert all(question["do"] == "rows" for question in Reader.asked)
    assert site.send("/api/fits", {"table": "tables/a.csv", "world": "labyrinth"})[0] == 200
    status, headers, text = site.get("/files/1/report.html")
    assert (status, text) == (200, "<h1>mine</h1>")
    # A report of somebody else's project runs nothing and sends nothing.
    (policy,) = headers.get_all("content-security-policy")
    assert policy.startswith("sandbox;")
    status, headers, _ = site.get("/files/1/report.html?download")
    assert headers["content-disposition"] == 'attachment; filename="mice-report.html"'


def test_reports_of_groups_open_from_the_page(site):
    number = site.project.fits.ask(["fit", "mice"], "fits", "kept")
    site.project.fits.end(number, State.DONE)
    for name in ("", "groups/ko", "groups/wt"):
        folder = site.project.result(number) / name
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "report.html").write_text(f"<h1>{name}</h1>")
    (folder / "run.json").write_text("{}")
    told = site.get("/report?fit=1")[2]
    shown = re.findall(r'href="(/files/1/groups/[^"?]*)"', told)
    assert shown == ["/files/1/groups/ko/report.html", "/files/1/groups/wt/report.html"]
    status, headers, text = site.get(shown[1])
    assert (status, text) == (200, "<h1>groups/wt</h1>")
    assert headers.get_all("content-security-policy")[0].startswith("sandbox;")
    headers = site.get(f"{shown[1]}?download")[1]
    assert headers["content-disposition"] == 'attachment; filename="wt-report.html"'


def test_names_from_tables_are_escaped(site):
    for address in ("/part/table?table=tables/a.csv", "/part/check?table=tables/a.csv"):
        status, _, text = site.get(address)
        assert status == 200
        assert "&lt;script&gt;alert(1)" in text
        assert "<script" not in text
    assert "Add <code>--named a</code>" in text
    status, _, text = site.get(f"/data?table={ANGRY.replace('<', '%3C')}")
    assert status == 400
    assert "<script>alert" not in text


def test_what_was_said_of_an_nwb_file_stays(site, monkeypatch):
    async def ask(self, **question):
        columns = ["choice"] if question["decisions"] == "epochs" else ["press", "release"]
        told = {"columns": columns, "rows": [], "count": 0, "guesses": {}}
        return told | {"nwb": "what it holds", "tables": ["trials", "epochs"]}

    monkeypatch.setattr(Reader, "ask", ask)
    (site.project.root / "tables" / "b.nwb").write_text("")

    def shown(query):
        """The part of the page, and what is typed."""
        text = site.get(f"/part/table?table=tables/b.nwb&{query}")[2]
        return text, re.findall(r"<code>inverseq (fit [^<]*) --keep", text)[0]

    text, told = shown("decisions=epochs&action=choice")
    assert told == "fit tables/b.nwb --action choice --decisions epochs"
    assert "<option selected>epochs</option>" in text
    # The menus belonged to the columns of another table.
    assert shown("shown=&c0=state&c1=action&decisions=epochs")[1].endswith("nwb --decisions epochs")
    assert "--action choice" in shown("shown=epochs&c0=action&decisions=epochs")[1]
    # Where trials are cut into steps, no column plays a role, and back.
    steps = "act=release&start=press&step=0.2"
    text, told = shown(f"shown=&c0=state&c1=action&time=press&discount=0.8&{steps}")
    options = "--discount 0.8 --act release --start press --step 0.2"
    assert told == f"fit tables/b.nwb {options}"
    assert 'name="c0"' not in text
    assert shown("shown=&start=press&step=0.2&act=")[1] == "fit tables/b.nwb"


def test_a_fit_is_asked_for_as_one_would_type_it(site):
    told = {"table": "tables/a.csv", "state": "--out", "intentions": "3", "seed": "", "out": "x"}
    assert site.send("/api/fits", told) == (200, {"number": 1})
    (fit,) = site.project.fits.all()
    assert fit.arguments == (
        *("fit", "tables/a.csv", "--state=--out", "--intentions", "3"),
        *("--keep", "kept", "--out", "fits/1"),
    )
    assert "inverseq fit" not in site.get("/part/queue")[2]
    assert "waiting" in site.get("/part/queue")[2]
    assert site.send("/api/fits/1/cancel", {}) == (200, {})
    assert site.project.fits.get(1).state is State.CANCELLED
    assert site.send("/api/fits/2/cancel", {})[0] == 400


def test_what_a_question_about_neurons_does_not_take_is_refused(site):
    told = {"table": "lever", "command": "neural", "seed": "1"}
    for name in ("history", "smoothing", "gauge", "bootstrap", "groups", "per"):
        status, answer = site.send("/api/fits", told | {name: "1"})
        assert (status, f"{name} is nothing that" in answer["error"]) == (400, True)
    assert site.send("/api/fits", told)[0] == 200
    (fit,) = site.project.fits.all()
    assert fit.arguments[:4] == ("neural", "lever", "--seed", "1")
    form = site.get("/fit?table=lever")[2]
    shown = re.findall(r'data-for="([^"]*)">[^<]*<(?:input|select) name="(\w+)"', form)
    hidden = {name for when, name in shown if "neurons" not in when}
    assert {"history", "smoothing", "gauge", "bootstrap", "groups", "per"} <= hidden


def test_a_result_that_lost_its_scores_is_said(site):
    number = site.project.fits.ask(["fit", "mice"], "fits", "kept")
    site.project.fits.end(number, State.DONE)
    folder = site.project.result(number)
    folder.mkdir()
    whole = '<h1>mine</h1><p class="size">1</p></header><main></main>'
    (folder / "report.html").write_text(whole)
    for words in (None, "{", "[]", '{"scores": [1]}'):
        if words is not None:
            (folder / "summary.json").write_text(words)
        status, _, told = site.get("/compare?fit=1")
        assert (status, "summary.json of fit 1 cannot be read" in told) == (400, True), words
    (folder / "summary.json").write_text('{"scores": [{"key": "a", "model": "b", "nats": -1.0}]}')
    assert "−1.0000 ± ?" in site.get("/compare?fit=1")[2]
    # Scores of groups have other rows, and no row is no mistake.
    (folder / "summary.json").write_text('{"scores": [{"genotype": "ko", "nats": -1.0}]}')
    assert site.get("/compare?fit=1")[0] == 200


def test_a_question_that_no_page_asks_is_refused_before_it_is_asked(site):
    number = site.project.fits.ask(["fit", "mice"], "fits", "kept")
    site.project.fits.end(number, State.DONE)
    site.project.result(number).mkdir()
    (site.project.result(number) / "report.html").write_text("")
    within = {"within": [0, 4]}
    for wrong in (
        {},
        {"within": [1]},
        {"within": [0, 1, 2]},
        {"within": "ab"},
        within | {"swapped": [1]},
        within | {"swapped": [1, 2, 3]},
        within | {"swapped": "x"},
        within | {"closed": [[1]]},
        within | {"closed": [1]},
        within | {"closed": 1},
        within | {"start": "x"},
        within | {"discount": "x"},
    ):
        status, answer = site.send("/api/fits/1/plan", wrong)
        assert (status, "do not understand each other" in answer["error"]) == (400, True), wrong
    assert Reader.asked == ()


def test_the_queue_is_told_whenever_it_changes(site, capfd):
    link = http.client.HTTPConnection(site.name, timeout=10)
    link.request("GET", "/api/events")
    answer = link.getresponse()
    assert answer.headers["content-type"].startswith("text/event-stream")
    assert answer.readline() == b'data: {"busy": 0, "fits": 0}\n'
    site.project.fits.ask(["fit", "mice"], "fits", "kept")
    assert answer.readline() == b"\n"
    assert answer.readline() == b'data: {"busy": 1, "fits": 1}\n'
    site.server.should_exit = True
    site.thread.join(5)  # the line that is open is no reason to stay
    assert not site.thread.is_alive()
    assert "Traceback" not in capfd.readouterr().err
    answer.close()
    link.close()


def test_every_state_of_a_page_says_what_to_do(site):
    for address in ("/look", "/report", "/compare"):
        assert "Nothing is fitted yet." in site.get(address)[2]
    assert "Nothing was fitted yet." in site.get("/fit")[2]
    number = site.project.fits.ask(["fit", "mice"], "fits", "kept")
    site.project.fits.end(number, State.FAILED, f"no column {ANGRY}")
    text = site.get("/part/queue")[2]
    assert "no column &lt;script&gt;" in text
    assert "Ask again" in text
    number = site.project.fits.ask(["fit", "mice"], "fits", "kept")
    site.project.fits.end(number, State.DONE)
    site.project.result(number).mkdir()
    (site.project.result(number) / "report.html").write_text("half")
    assert "This table has no finished fit yet" in site.get("/look?table=people")[2]
    assert "this report is not whole: fit again" in site.get("/look")[2]


def test_tours_have_six_steps_and_every_step_words(site):
    for name, steps in TOURS.items():
        status, headers, _ = site.get(f"/tour/{name}")
        assert (status, headers["location"]) == (303, steps[0].address)
        assert len(steps) == 6
        for step in steps:
            if step.address.startswith(("/data", "/world", "/look", "/compare", "/report")):
                status, _, text = site.get(step.address)
                assert status == 200
                assert f"Tour, step {step.number} of 6:" in text
    assert site.get("/data?tour=mice.9")[0] == 200
    assert site.get("/data?tour=<b>")[0] == 200
