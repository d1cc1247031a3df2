"""A learner's folder survives: a disk that is really full, damage, upgrades, and two windows at once."""

import json
import multiprocessing
import signal
import threading
from contextlib import contextmanager

import pytest
from test_workspace import TODAY, publish, sources, write
from test_workspace import first as first
from test_workspace import taught as taught

from labs.kit import progress
from labs.kit.command import workspace
from labs.kit.errors import LabsError

resource = pytest.importorskip("resource")
ANSWER = "def double(x):\n    return 2 * x"


@contextmanager
def full_disk(room):
    """Let no file grow beyond `room` bytes: the kernel itself cuts the write off, as a full disk or quota does."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    ignored = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (room, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, ignored)


def answered(lab):
    """Return the learner's copy of `lab` with an answer in it, and what is in the file."""
    copy = workspace.place(lab)
    write(lab, "double", ANSWER)
    return copy, copy.read_bytes()


def leftovers(folder):
    return [file.name for file in folder.rglob("*") if "half" in file.name]


@pytest.mark.parametrize("room", [0, 50, 1000])
def test_no_part_of_a_notebook_is_left_when_the_disk_is_full(first, room):
    copy = workspace.copy_of(first)
    with full_disk(room), pytest.raises(LabsError, match="cannot be written"):
        workspace.place(first)
    assert not copy.exists() and not leftovers(copy.parent)
    workspace.place(first)
    assert workspace.state(first) == workspace.CURRENT


@pytest.mark.parametrize("room", [0, 50, 1000])
@pytest.mark.parametrize("change", [workspace.upgrade, workspace.reset])
def test_what_was_there_stays_when_the_disk_is_full(first, tmp_path, change, room):
    copy, before = answered(first)
    publish(tmp_path, "m/first", "2")
    with full_disk(room), pytest.raises(LabsError, match="make room"):
        change(first)
    assert copy.read_bytes() == before and not leftovers(copy.parent)
    change(first)
    kept = copy.with_stem(f"first-{TODAY}")
    assert kept.read_bytes() == before and workspace.state(first) == workspace.CURRENT


def test_a_disk_that_fills_between_the_two_steps_of_an_upgrade_loses_nothing(first, tmp_path):
    """The old copy can still be kept, the longer new one cannot be written."""
    copy, before = answered(first)
    names = [f"more_{number}" for number in range(40)]
    publish(tmp_path, "m/first", "2", names=("double", "triple", *names))
    with full_disk(len(before) + 100), pytest.raises(LabsError, match="make room"):
        workspace.upgrade(first)
    assert copy.read_bytes() == before and not leftovers(copy.parent)
    done = workspace.upgrade(first)
    assert sources(done.copy)["exercise-double"] == ANSWER and done.carried == ("double",)


@pytest.mark.parametrize("more", range(0, 140, 7))
def test_progress_survives_a_disk_that_fills_in_the_middle_of_a_line(monkeypatch, capsys, more):
    monkeypatch.setattr(progress, "_warned", False)
    progress.record("check", "a/lab", "one", state="passed", diagnosis="", points=1)
    with full_disk(progress.path().stat().st_size + more):
        progress.record("check", "a/lab", "two", state="passed", diagnosis="", points=1)
    cut = "could not be saved" in capsys.readouterr().err
    assert cut or more > 100
    progress.record("check", "a/lab", "three", state="passed", diagnosis="", points=1)
    passed = {exercise for (_, exercise), found in progress.states().items() if found["state"] == "passed"}
    assert {"one", "three"} <= passed <= {"one", "two", "three"} and ("two" in passed or cut)


def test_two_upgrades_around_a_damaged_progress_file_lose_nothing(first, tmp_path):
    answered(first)
    progress.record("check", "m/first", "double", state="passed", diagnosis="", points=2)
    publish(tmp_path, "m/first", "2")
    workspace.upgrade(first)
    with open(progress.path(), "ab") as stream:
        stream.write(b'{"at": "2026-11-22T10:00:00+00:00", "kind": "check", "lab": "m/fi\x00\xff')
    write(first, "triple", "def triple(x):\n    return 3 * x")
    progress.record("check", "m/first", "triple", state="passed", diagnosis="", points=2)
    publish(tmp_path, "m/first", "3")
    done = workspace.upgrade(first)
    assert set(done.carried) == {"double", "triple"}
    assert [found["state"] for found in progress.states().values()] == ["passed", "passed"]
    assert b"m/fi\x00\xff" in progress.path().read_bytes()  # what was damaged is still there to be looked at


def _change_many(name, lab, begin):
    begin.wait()
    for _ in range(15):
        getattr(workspace, name)(lab)


@pytest.mark.parametrize("names", [("upgrade", "upgrade"), ("reset", "reset"), ("upgrade", "reset")])
def test_two_windows_that_change_one_lab_at_once_lose_no_answer(first, tmp_path, names):
    copy, before = answered(first)
    publish(tmp_path, "m/first", "2")
    context = multiprocessing.get_context("fork")
    begin = context.Barrier(2)
    windows = [context.Process(target=_change_many, args=(name, first, begin)) for name in names]
    for window in windows:
        window.start()
    for window in windows:
        window.join(60)
    assert [window.exitcode for window in windows] == [0, 0]
    files = sorted(copy.parent.glob("*.ipynb"))
    assert before in [file.read_bytes() for file in files]
    assert all(json.loads(file.read_text())["cells"] for file in files) and not leftovers(copy.parent)
    assert len(files) == 1 + 2 * 15  # every copy that made way was kept, under a name of its own
    assert workspace.state(first) == workspace.CURRENT


def test_a_window_that_reads_while_another_writes_never_sees_half_a_notebook(first):
    answered(first)
    stop, states = threading.Event(), set()

    def watch():
        while not stop.is_set():
            states.add(workspace.state(first))

    watcher = threading.Thread(target=watch)
    watcher.start()
    for _ in range(40):
        workspace.reset(first)
    stop.set()
    watcher.join()
    assert states == {workspace.CURRENT}
