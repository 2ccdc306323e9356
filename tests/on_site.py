"""What tests of the app's pages share: a server in this process, and who reads and fits in it."""

import http.client
import json
import threading

from inverseq.app.office import Office
from inverseq.app.server import listen, server_of
from inverseq.app.site import make_site

ANGRY = "<script>alert(1)</script>"


class Site:
    """The pages of a project, on a real server in a thread of this process."""

    def __init__(self, project, ticket="", limit=10**6):
        self.project = project
        self.listening = listen("127.0.0.1", 0)
        self.name = f"127.0.0.1:{self.listening.getsockname()[1]}"
        self.server = server_of(make_site(Office(project, limit), ticket=ticket))
        run, sockets = self.server.run, [self.listening]
        self.thread = threading.Thread(target=run, args=(sockets,), daemon=True)
        self.thread.start()

    def ask(self, method, address, body=None, **headers):
        """Status, headers and text of an answer."""
        link = http.client.HTTPConnection(self.name, timeout=30)
        link.request(method, address, body, {k.replace("_", "-"): v for k, v in headers.items()})
        answer = link.getresponse()
        told = answer.status, answer.headers, answer.read().decode(errors="replace")
        link.close()
        return told

    def get(self, address, **headers):
        return self.ask("GET", address, **headers)

    def send(self, address, told):
        """Status and answer to JSON."""
        status, _, text = self.ask(
            "POST", address, json.dumps(told), Content_Type="application/json"
        )
        return status, json.loads(text)

    def close(self):
        self.server.should_exit = True
        self.thread.join()
        self.listening.close()


class Idle:
    """A queue that begins nothing."""

    def __init__(self, project):
        pass

    def close(self):
        pass


class Reader:
    """What the process that reads would answer, without one."""

    asked = ()

    def __init__(self, root):
        Reader.asked = ()

    async def begin(self):
        pass

    async def ask(self, **question):
        Reader.asked = (*Reader.asked, question)
        if question["do"] in ("maze", "network"):
            return {"told": [question["do"]]}
        if question["do"] == "rows":
            return {"columns": ["state", ANGRY], "rows": [["a", ANGRY]], "count": 1, "guesses": {}}
        pieces = [{"option": "blocks", "value": "20"}, {"option": "by", "value": "cut_from"}]
        if question["options"].get("named"):
            told = {"severity": "note", "text": "few", "rows": [], "remedy": "r"}
            facts = {"decisions": 1, "trajectories": 1}
            return {"facts": facts, "findings": [told | {"remedies": pieces}]}
        return {"error": f"no column {ANGRY}", "remedies": [{"option": "named", "value": "a"}]}

    async def close(self):
        pass
