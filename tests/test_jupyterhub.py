"""The example with JupyterHub: a student logs in, works and hands in; the teacher collects and grades."""

import asyncio
import csv
import json
import os
import re
import shutil
import socket
import subprocess
import sys
import time
import uuid
from importlib.util import find_spec
from pathlib import Path

import pytest
import requests

from labs.kit.course.answer_source import written
from labs.kit.curriculum import load

ROOT = Path(__file__).resolve().parent.parent
EXAMPLE = ROOT / "examples" / "jupyterhub"
LAB = "foundations/tensors"
ASSIGNMENT = "think-in-tensors"
NOTEBOOK = "foundations-tensors.ipynb"
PASSWORD = uuid.uuid4().hex
PROXY = os.environ.get("LABS_HUB_PROXY") or shutil.which("configurable-http-proxy")
PROXY = PROXY or shutil.which("configurable-http-proxy", path=str(EXAMPLE / "node_modules" / ".bin"))


def free_ports(number):
    """Return the first of `number` free ports in a row."""
    for first in range(18000, 19000, number):
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", first))
            except OSError:
                continue
        return first
    raise RuntimeError("no free port")


@pytest.fixture(scope="module")
def hub(tmp_path_factory):
    """Start the example as its README says, in a folder of its own."""
    if not (find_spec("jupyterhub") and find_spec("nbgrader")):
        pytest.skip("no JupyterHub: pip install jupyterhub")
    if not (shutil.which("node") and PROXY):
        pytest.skip("no JupyterHub: its proxy is missing, npm install in examples/jupyterhub")
    place, port = tmp_path_factory.mktemp("hub"), free_ports(3)
    env = os.environ | {
        "LABS_HUB": str(place),
        "LABS_HUB_PORT": str(port),
        "LABS_HUB_PASSWORD": PASSWORD,
        "LABS_HUB_PROXY": PROXY,
        "LABS_WARM_FOLDER": str(place / "warm"),
    }
    command = [sys.executable, "-m", "jupyterhub", "-f", str(EXAMPLE / "jupyterhub_config.py")]
    with (
        open(place / "log", "wb") as log,
        subprocess.Popen(command, cwd=place, env=env, stdout=log, stderr=log) as server,
    ):
        address = f"http://127.0.0.1:{port}"
        try:
            patience = time.monotonic() + 90
            while time.monotonic() < patience and server.poll() is None:
                try:
                    if requests.get(f"{address}/hub/health", timeout=5).ok:
                        break
                except requests.ConnectionError:
                    time.sleep(0.5)
            else:
                pytest.fail((place / "log").read_text()[-3000:])
            yield address, place
        finally:
            server.terminate()
            try:
                server.wait(30)
            except subprocess.TimeoutExpired:
                server.kill()


class User:
    """Somebody in a browser."""

    def __init__(self, address, name):
        self.address, self.name = address, name
        self.http = requests.Session()
        page = self.http.get(f"{address}/hub/login", timeout=30)
        token = re.search(r'name="_xsrf" value="([^"]+)"', page.text)[1]
        form = {"username": name, "password": PASSWORD, "_xsrf": token}
        answer = self.http.post(f"{address}/hub/login", data=form, timeout=120)
        assert answer.ok and "Invalid username" not in answer.text
        self.base = f"{address}/user/{name}"
        self.http.get(f"{address}/hub/spawn", timeout=120)
        patience = time.monotonic() + 150
        while time.monotonic() < patience:
            page = self.get("lab")
            if page.ok and page.url.startswith(f"{self.base}/lab"):
                break
            time.sleep(0.5)
        else:
            raise AssertionError(f"no server for {name}")

    def get(self, path):
        return self.http.get(f"{self.base}/{path}", timeout=60)

    def send(self, method, path, body=None):
        tokens = [
            one.value
            for one in self.http.cookies
            if one.name == "_xsrf" and one.path == f"/user/{self.name}/"
        ]
        answer = self.http.request(
            method, f"{self.base}/{path}", json=body, headers={"X-XSRFToken": tokens[0]}, timeout=300
        )
        assert answer.ok, (path, answer.status_code, answer.text[-2000:])
        return answer.json()

    def terminal(self, line):
        """Type a command in a terminal of JupyterLab, wait for its end, and return what it showed."""
        return asyncio.run(self._type(line))

    async def _type(self, line):
        from tornado.httpclient import HTTPRequest
        from tornado.websocket import websocket_connect

        name = self.send("POST", "api/terminals")["name"]
        cookies = "; ".join(f"{one.name}={one.value}" for one in self.http.cookies)
        address = f"{self.base}/terminals/websocket/{name}".replace("http:", "ws:")
        request = HTTPRequest(address, headers={"Cookie": cookies, "Origin": self.address})
        connection = await websocket_connect(request)
        await connection.write_message(json.dumps(["stdin", f"{line}; echo ended-$((40 + 2))-$?\n"]))
        shown = ""
        while not re.search(r"ended-42-\d+", shown):
            message = await asyncio.wait_for(connection.read_message(), 300)
            kind, *content = json.loads(message)
            shown += content[0] if kind == "stdout" else ""
        connection.close()
        assert "ended-42-0" in shown, shown
        return shown


def fill(user, path, answers):
    """Write answers into the notebook at `path` of the user's server, and save it."""
    model = user.get(f"api/contents/{path}").json()
    cells = {cell["id"]: cell for cell in model["content"]["cells"]}
    for exercise, source in answers.items():
        cells[f"exercise-{exercise}"]["source"] = source
    user.send("PUT", f"api/contents/{path}", {name: model[name] for name in ("type", "format", "content")})


def test_the_week_on_a_hub(hub):
    address, place = hub
    lab = load().lab(LAB)
    right = {answer.exercise: answer.source for answer in written(lab) if answer.is_right}
    wrong = {answer.exercise: answer.source for answer in written(lab) if not answer.is_right}

    teacher = User(address, "teacher")
    teacher.terminal(f"labs assign {LAB} --out labs --as nbgrader")
    teacher.terminal(f"cd labs && nbgrader release_assignment {ASSIGNMENT}")

    handed_in = {"student-01": right, "student-02": {**right, "decode": wrong["decode"]}, "student-03": {}}
    for name, answers in handed_in.items():
        student = User(address, name)
        about = {"course_id": "labs", "assignment_id": ASSIGNMENT}
        student.send("POST", "assignments/fetch", about)
        fill(student, f"{ASSIGNMENT}/{NOTEBOOK}", answers)
        if name == "student-02":
            shown = student.terminal(f"cd {ASSIGNMENT}; labs check {NOTEBOOK} | cat")
            assert "5 of 6 passed" in shown
        assert student.send("POST", "assignments/submit", about)["success"]

    teacher.terminal(f"cd labs && nbgrader collect {ASSIGNMENT} && labs grade submitted --out graded")
    graded = place / "homes" / "teacher" / "labs" / "graded"
    points = {}
    for path in (graded / "records").glob("*.json"):
        record = json.loads(path.read_text())
        points[record["student"]] = record["points"]
    assert points == {"student-01": 12, "student-02": 11, "student-03": 0}
    with open(graded / "grades.csv", newline="") as file:
        assert len(list(csv.DictReader(file))) >= 3
    assert "student-02" in (graded / "report.html").read_text()


@pytest.mark.skipif(not find_spec("jupyterhub"), reason="no JupyterHub: pip install jupyterhub")
def test_the_example_has_no_password_of_its_own(tmp_path):
    without = {name: value for name, value in os.environ.items() if name != "LABS_HUB_PASSWORD"}
    command = [sys.executable, "-m", "jupyterhub", "-f", str(EXAMPLE / "jupyterhub_config.py")]
    env = without | {"LABS_HUB": str(tmp_path)}
    ended = subprocess.run(command, cwd=tmp_path, env=env, capture_output=True, text=True, timeout=120)
    assert ended.returncode != 0 and "Choose the password" in ended.stderr
