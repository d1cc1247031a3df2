"""JupyterLab's panel: what the server answers it, where it refuses, how it is installed, and that it was built."""

import asyncio
import json
import os
import resource
import subprocess
import sys
import time
import urllib.error
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from pathlib import Path

import pytest
from tornado.websocket import websocket_connect

from labs.kit import curriculum, paths, progress
from labs.kit.command import report, workspace
from labs.kit.command.questions import questions
from labs.kit.errors import LabsError
from labs.kit.jupyterlab import actions, extension, handlers, state

LAB = "keras/sequential"
TOKEN = "a-token-for-the-tests"
TODAY = date.today().isoformat()

sys.path.insert(0, str(paths.ROOT / "tools"))
import extension as tool  # noqa: E402

# --- the server


class Server:
    """A Jupyter server with the labs' part on, that shows the learner's folder at an address of its own."""

    def __init__(self, folders):
        self.folders = folders
        self.base = ""

    def ask(self, what, body=None, token=TOKEN, **headers):
        """Return the status and the answer."""
        headers = {name.replace("_", "-"): value for name, value in headers.items()}
        if token:
            headers["Authorization"] = f"token {token}"
        data = body if isinstance(body, bytes | None) else json.dumps(body).encode()
        request = urllib.request.Request(f"{self.base}tensorflow-labs/{what}", data, headers)
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                return answer.status, json.load(answer)
        except urllib.error.HTTPError as error:
            with error:
                return error.code, json.load(error)

    def state_of(self, lab):
        status, answer = self.ask("state")
        assert status == 200, answer
        return next(one for module in answer["modules"] for one in module["labs"] if one["name"] == lab)


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    folders = tmp_path_factory.mktemp("learner")
    names = ("CONFIG_DIR", "DATA_DIR", "RUNTIME_DIR")
    env = os.environ | {f"JUPYTER_{name}": str(folders / name.lower()) for name in names}
    env |= {"LABS_HOME": str(folders / "home"), "LABS_WORKSPACE": str(folders / "work")}
    (folders / "work").mkdir()
    command = [
        *(sys.executable, "-m", "jupyter_server", "--no-browser", "--allow-root", "--port=0"),
        f"--ServerApp.root_dir={folders / 'work'}",
        f"--IdentityProvider.token={TOKEN}",
        "--ServerApp.base_url=/here/",
        "--ServerApp.jpserver_extensions={'labs.kit.jupyterlab': True}",
    ]
    made = Server(folders)
    with open(folders / "log", "w") as log, subprocess.Popen(command, env=env, stderr=log) as process:
        end = time.monotonic() + 120
        while not made.base and time.monotonic() < end and process.poll() is None:
            for file in folders.glob("runtime_dir/jpserver-*.json"):
                made.base = json.loads(file.read_text() or '{"url": ""}')["url"]
            time.sleep(0.1)
        try:
            assert made.base, (folders / "log").read_text()
            yield made
        finally:
            process.terminate()
            process.wait(60)


@pytest.fixture
def learner(server, monkeypatch):
    """Look at the server's learner from here."""
    monkeypatch.setenv("LABS_HOME", str(server.folders / "home"))
    monkeypatch.setenv("LABS_WORKSPACE", str(server.folders / "work"))
    return server.folders / "work" / f"{LAB}.ipynb"


def asked_in(lab):
    return questions(curriculum.load().lab(lab))


def test_the_state_is_what_labs_progress_prints(server, learner):
    progress.record("check", LAB, "prepare", state="wrong", diagnosis="none-of-that-name")
    status, answer = server.ask("state")
    assert status == 200
    assert answer["home"] and answer["go_on"]["lab"] == LAB and answer["go_on"]["exercise"]
    found = {lab["name"]: lab for module in answer["modules"] for lab in module["labs"]}
    known = curriculum.load()
    assert list(found) == [name for module in known.modules for name in module.labs]
    for name, lab in found.items():
        rows = report.exercise_rows(known.lab(name))
        assert [{key: row[key] for key in rows[0]} for row in lab["exercises"]] == rows
        assert 0 < lab["minutes_left"] <= lab["minutes"]
        assert lab["path"] == f"{name}.ipynb"


def test_a_lab_opens_once_and_is_never_overwritten(server, learner):
    status, answer = server.ask("open", {"lab": LAB})
    assert (status, answer) == (200, {"path": f"{LAB}.ipynb", "says": ""})
    assert server.state_of(LAB)["copy"] == "current"
    mine = json.loads(learner.read_text()) | {"mine": True}
    learner.write_text(json.dumps(mine))
    assert server.ask("open", {"lab": LAB, "newer": True})[0] == 200
    assert json.loads(learner.read_text()) == mine


def test_a_reset_keeps_what_was_there(server, learner):
    workspace.place(curriculum.load().lab(LAB))
    learner.write_text("precious")
    assert server.state_of(LAB)["copy"] == "damaged"
    status, answer = server.ask("open", {"lab": LAB})
    assert status == 409 and "Begin anew" in answer["message"]
    status, answer = server.ask("reset", {"lab": LAB})
    assert status == 200 and answer["kept"] in answer["says"] and TODAY in answer["kept"]
    assert learner.with_name(answer["kept"]).read_text() == "precious"
    assert server.state_of(LAB)["copy"] == "current"


def test_hints_are_climbed_and_remembered(server, learner):
    seen = [server.ask("hint", {"lab": LAB, "exercise": "prepare"})[1] for _ in range(4)]
    assert [hint["number"] for hint in seen] == [1, 2, 3, 3]
    (row,) = (row for row in server.state_of(LAB)["exercises"] if row["exercise"] == "prepare")
    assert row["hint_texts"] == [hint["text"] for hint in seen[:3]] and row["hints"] == 3


def test_a_hint_opened_on_a_card_counts_once(server, learner):
    asked = {"lab": LAB, "exercise": "make_model"}
    before = len(progress.events())
    for number in (2, 2, 1):
        assert server.ask("hint-seen", asked | {"number": number}) == (200, {"seen": 2, "of": 3})
    assert len(progress.events()) == before + 1
    assert server.ask("hint", asked)[1]["number"] == 3


def test_answers_are_judged_remembered_and_counted_by_the_first(server, learner):
    (number, *_) = (name for name, one in asked_in(LAB).items() if one["kind"] == "number")
    for value, right in ((2352, False), (2355, True), (2355.0, True)):
        status, answer = server.ask("answer", {"lab": LAB, "question": number, "value": value})
        assert status == 200 and answer["right"] == right and answer["first"] is False
    told = server.state_of(LAB)
    assert told["answers"] == {number: {"first": False, "right": True, "value": 2355, "tries": 3}}
    assert (told["answered"], told["right_at_once"], told["questions"]) == (1, 0, len(asked_in(LAB)))
    # A question is no exercise.
    assert not [row for row in told["exercises"] if row["exercise"] in ("", number)]


def test_two_windows_may_answer_at_once(server, learner):
    (order, *_) = ((name, one) for name, one in asked_in(LAB).items() if one["kind"] == "order")
    body = {"lab": LAB, "question": order[0], "value": order[1]["options"]}
    with ThreadPoolExecutor(8) as pool:
        answers = [answer for _, answer in pool.map(lambda _: server.ask("answer", body), range(24))]
    assert sorted(answer["tries"] for answer in answers) == list(range(1, 25))


def test_whoever_listens_is_told_of_a_change(server, learner):
    async def heard():
        address = server.base.replace("http", "ws") + f"api/events/subscribe?token={TOKEN}"
        socket = await websocket_connect(address)
        asked = {"lab": LAB, "exercise": "prepare"}
        await asyncio.to_thread(server.ask, "hint", asked)
        while True:
            event = json.loads(await asyncio.wait_for(socket.read_message(), 30))
            if event["schema_id"] == handlers.CHANGED["$id"]:
                return event["what"]

    assert asyncio.run(heard()) == "hint"


@pytest.mark.parametrize(
    "what, body, status, word",
    [
        ("open", {"lab": "keras/sequentiel"}, 404, "Did you mean `keras/sequential`?"),
        ("open", {"lab": "../../etc/passwd"}, 404, "no lab"),
        ("open", {"lab": 3}, 400, "Say which lab"),
        ("open", {}, 400, "Say which lab"),
        ("open", {"lab": LAB, "newer": "yes"}, 400, "`newer`"),
        ("reset", {"lab": ["x"]}, 400, "Say which lab"),
        ("reset", {"lab": ""}, 404, "no lab"),
        ("hint", {"lab": LAB}, 400, "Say which exercise"),
        ("hint", {"lab": LAB, "exercise": "prepar"}, 404, "Did you mean `prepare`?"),
        ("hint", {"lab": LAB, "exercise": {}}, 400, "Say which exercise"),
        ("hint-seen", {"lab": LAB, "exercise": "prepare"}, 400, "from 1 to 3"),
        ("hint-seen", {"lab": LAB, "exercise": "prepare", "number": 4}, 400, "from 1 to 3"),
        ("hint-seen", {"lab": LAB, "exercise": "prepare", "number": True}, 400, "from 1 to 3"),
        ("hint-seen", {"lab": LAB, "exercise": "prepar", "number": 1}, 404, "Did you mean `prepare`?"),
        ("answer", {"lab": LAB}, 400, "Say which question"),
        ("answer", {"lab": LAB, "question": "no-such", "value": 1}, 404, "not in the lab as it is now"),
        ("answer", {"lab": LAB, "question": "CHOICE", "value": ["no such choice"]}, 400, "must name choices"),
        ("answer", {"lab": LAB, "question": "CHOICE", "value": ["x" * 100_000]}, 400, "must name choices"),
        ("answer", {"lab": LAB, "question": "CHOICE"}, 400, "must be a list"),
        ("answer", {"lab": LAB, "question": "CHOICE", "value": 1e999}, 400, "must be a list"),
        ("answer", b" " * 1_000_001, 413, "must not be longer"),
        ("open", [LAB], 400, "JSON object"),
        ("open", b"{", 400, "JSON object"),
        ("open", b"\xff\xfe", 400, "JSON object"),
        ("open", b"[" * 100_000, 400, "JSON object"),
    ],
)
def test_what_makes_no_sense_is_refused_in_one_sentence(server, learner, what, body, status, word):
    if isinstance(body, dict) and body.get("question") == "CHOICE":
        body = body | {"question": next(name for name, one in asked_in(LAB).items() if one["kind"] == "one")}
    before = progress.events(), learner.exists() and learner.read_bytes()
    found, answer = server.ask(what, body)
    assert found == status and word in answer["message"] and "\n" not in answer["message"]
    assert before == (progress.events(), learner.exists() and learner.read_bytes())


def test_nobody_else_is_served(server):
    for what, body in (
        ("state", None),
        ("open", {"lab": LAB}),
        ("reset", {"lab": LAB}),
        ("hint", {}),
        ("answer", {}),
    ):
        for token in (None, "another"):
            assert server.ask(what, body, token=token)[0] == 403


def test_another_page_of_the_browser_cannot_ask(server, learner):
    request = urllib.request.Request(f"{server.base}api/me", headers={"Authorization": f"token {TOKEN}"})
    with urllib.request.urlopen(request, timeout=60) as answer:
        set_cookies = answer.headers.get_all("Set-Cookie") or []
    login = "; ".join(cookie.split(";")[0] for cookie in set_cookies if "username" in cookie)
    assert login
    body = {"lab": LAB, "exercise": "prepare"}
    before = progress.events()
    assert server.ask("hint", body, token=None, Cookie=login)[0] == 403
    with_cookie = f"{login}; _xsrf=aabbccdd"
    assert server.ask("hint", body, token=None, Cookie=with_cookie, X_XSRFToken="00000000")[0] == 403
    assert progress.events()[: len(before)] == before
    assert server.ask("hint", body, token=None, Cookie=with_cookie, X_XSRFToken="aabbccdd")[0] == 200


# --- another JupyterLab


@pytest.fixture
def lab(tmp_path, monkeypatch):
    monkeypatch.setenv("LABS_WORKSPACE", str(tmp_path / "work"))
    return curriculum.load().lab(LAB)


@pytest.mark.parametrize("elsewhere", ["other", "work/keras", None])
def test_a_lab_that_cannot_be_shown_is_not_touched(lab, tmp_path, elsewhere):
    root = elsewhere and tmp_path / elsewhere
    for act in (actions.open_lab, actions.reset):
        with pytest.raises(
            LabsError, match="which this JupyterLab does not show: open them with `labs start`"
        ):
            act({"lab": "data/pipelines"}, root)
    assert not (tmp_path / "work").exists()
    assert not state.read(root)["home"]


def test_a_copy_is_found_in_a_folder_above(lab, tmp_path, monkeypatch):
    assert state.shown_as(lab, tmp_path) == f"work/{LAB}.ipynb"
    (tmp_path / "link").symlink_to(tmp_path)
    assert state.shown_as(lab, tmp_path / "link") == f"work/{LAB}.ipynb"
    monkeypatch.setenv("LABS_WORKSPACE", str(tmp_path / ".hidden"))
    assert state.shown_as(lab, tmp_path) is None
    assert state.shown_as(lab, tmp_path / ".hidden") == f"{LAB}.ipynb"


def test_a_newer_version_comes_with_the_answers(lab, tmp_path):
    copy = workspace.place(lab)
    mine = json.loads(copy.read_text())
    mine["metadata"]["labs"]["source"] = "an older one"
    exercise = next(cell for cell in mine["cells"] if cell.get("id") == "exercise-prepare")
    exercise["source"] = "def prepare(image, label):\n    return image, label"
    copy.write_text(json.dumps(mine))
    assert actions.open_lab({"lab": LAB}, tmp_path)["says"] == ""
    assert json.loads(copy.read_text()) == mine
    says = actions.open_lab({"lab": LAB, "newer": True}, tmp_path)["says"]
    assert "answers to prepare" in says and TODAY in says
    assert exercise["source"] in [cell["source"] for cell in json.loads(copy.read_text())["cells"]]


def test_a_folder_that_cannot_be_written_is_told(lab, tmp_path):
    (tmp_path / "work").write_text("a file")
    with pytest.raises(LabsError, match="set LABS_WORKSPACE to another folder"):
        actions.open_lab({"lab": LAB}, tmp_path)


def test_a_lab_that_cannot_be_read_does_not_hide_the_others(lab, tmp_path, monkeypatch):
    def broken(lab):
        if lab.name == LAB:
            raise SyntaxError("half written")
        return {}

    monkeypatch.setattr(state, "exercises", broken)
    state._exercises.cache_clear()
    try:
        labs = [lab for module in state.read(tmp_path)["modules"] for lab in module["labs"]]
        with pytest.raises(LabsError, match="half written"):
            actions.hint({"lab": LAB, "exercise": "prepare"}, tmp_path)
    finally:
        state._exercises.cache_clear()
    assert [lab["name"] for lab in labs if lab["trouble"]] == [LAB]


def test_a_full_disk_loses_nothing_and_is_told(lab, monkeypatch):
    name, question = next((name, one) for name, one in asked_in(LAB).items() if one["kind"] == "one")
    body = {"lab": LAB, "question": name, "value": question["options"][:1]}
    assert actions.answer(body, None)["tries"] == 1
    kept = progress.path().read_bytes()
    monkeypatch.setattr(progress, "_warned", False)
    others = {"lab": LAB, "exercise": "prepare", "number": 1}
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    # No file of this process may grow by more than half a line: what a full disk leaves of one.
    resource.setrlimit(resource.RLIMIT_FSIZE, (len(kept) + 20, hard))
    try:
        for act, asked in ((actions.answer, body), (actions.hint_seen, others)):
            with pytest.raises(LabsError, match=r"could not be saved in .*: is the disk full"):
                act(asked, None)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert progress.path().read_bytes().startswith(kept)
    assert actions.answer(body, None)["tries"] == 2
    assert actions.hint_seen(others, None)["seen"] == 1


# --- how it is installed


@pytest.fixture
def prefix(tmp_path, monkeypatch):
    monkeypatch.setattr(sys, "prefix", str(tmp_path / "prefix"))
    return tmp_path / "prefix"


def test_both_parts_are_installed_once(prefix):
    assert not extension.is_installed()
    assert extension.install()
    assert not extension.install()
    assert json.loads(extension.switch().read_text()) == extension.SWITCH
    extension.panel().joinpath("static", "old.js").write_text("of an older version")
    extension.switch().write_text("{")
    assert extension.install()
    assert extension.is_installed()
    assert [path.name for path in extension.panel().parent.iterdir()] == ["tensorflow-labs"]


def test_what_a_link_leads_to_is_left_alone(prefix, tmp_path):
    (tmp_path / "precious").mkdir()
    (tmp_path / "precious" / "file").write_text("kept")
    extension.panel().parent.mkdir(parents=True)
    extension.panel().symlink_to(tmp_path / "precious")
    assert extension.install()
    assert (tmp_path / "precious" / "file").read_text() == "kept"
    assert not extension.panel().is_symlink()


def test_an_environment_that_cannot_be_written_is_told(prefix):
    prefix.write_text("a file")
    with pytest.raises(LabsError, match="all else works"):
        extension.install()


# --- how it was built


def test_what_is_shipped_was_built_from_these_sources():
    built = json.loads(tool.HASHES.read_text())
    assert built == tool.hashes(), (
        "extension/ has changed since it was built: run `make extension` (needs Node)"
    )


def test_what_is_shipped_is_small_and_says_whose_work_it_is():
    files = [path for path in extension.BUILT.rglob("*") if path.is_file()]
    assert sum(path.stat().st_size for path in files) < 100_000
    assert not [path for path in files if path.suffix == ".map"]
    licences = json.loads((extension.BUILT / "static" / "third-party-licenses.json").read_text())
    assert all(package["licenseId"] for package in licences["packages"])
    described = json.loads((extension.BUILT / "package.json").read_text())["jupyterlab"]
    assert (extension.BUILT / described["_build"]["load"]).is_file()


def test_the_lock_names_no_server():
    lock = json.loads(Path(tool.SOURCES, "package-lock.json").read_text())
    packages = [package for name, package in lock["packages"].items() if name]
    assert all(package["integrity"] and "resolved" not in package for package in packages)
