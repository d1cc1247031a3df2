"""Grading on a Dask cluster: a real scheduler and two workers on this machine, one of them killed on the way."""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from dataclasses import replace
from hashlib import sha256
from importlib.util import find_spec
from pathlib import Path

import pytest

from labs.kit.course import distribute, grader, rehearsal
from labs.kit.course.grade import command
from labs.kit.course.records import Cell, NotGraded, Options, Record, Task, read_all
from labs.kit.curriculum import load
from labs.kit.errors import LabsError

pytestmark = pytest.mark.skipif(not find_spec("distributed"), reason="Dask is not installed")
LAB = load().lab("foundations/tensors")
STUDENTS = 8


def tasks_and_points(folder):
    """Return a task for each of an invented class, and the points that each student must get."""
    handed = rehearsal.write(folder / "class", [LAB], STUDENTS, seed=5)
    points = {}
    for one in handed:
        points[one.student] = points.get(one.student, 0) + one.points
    tasks = []
    for student in points:
        (path,) = (folder / "class" / "submitted" / student).iterdir()
        notebook = json.loads(path.read_text("utf-8"))
        cells = tuple(
            Cell(cell["id"], "".join(cell["source"]), cell["id"].partition("exercise-")[2])
            for cell in notebook["cells"]
            if cell["cell_type"] == "code"
        )
        digest = sha256(path.read_bytes()).hexdigest()
        tasks.append(Task(student, LAB.name, str(path), digest, Options(seed=11), cells))
    return tasks, points


def start(folder, *words):
    """Start a part of the cluster, in a process group of its own."""
    log = open(folder / f"{words[0]}-{len(list(folder.glob('*.log')))}.log", "wb")  # noqa: SIM115
    words = [sys.executable, "-m", "dask", *words, "--no-dashboard"]
    env = os.environ | {"LABS_HOME": str(folder / "home")}
    return subprocess.Popen(words, cwd=folder, env=env, stdout=log, stderr=log, start_new_session=True)


@pytest.fixture
def scheduler(tmp_path):
    """Give a scheduler's address, and a way to start a worker."""
    running = []

    def begin(*words):
        running.append(start(tmp_path, *words))
        return running[-1]

    file = tmp_path / "scheduler.json"
    begin("scheduler", "--host", "127.0.0.1", "--port", "0", "--scheduler-file", str(file))
    patience = time.monotonic() + 60
    while not file.exists() or not file.read_text():
        assert time.monotonic() < patience and running[0].poll() is None
        time.sleep(0.1)
    address = json.loads(file.read_text())["address"]

    def worker():
        return begin("worker", address, "--nthreads", "1", "--no-nanny", "--host", "127.0.0.1")

    yield address, worker
    for process in running:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def test_one_of_two_workers_is_killed_and_every_result_comes_once(scheduler, tmp_path):
    address, worker = scheduler
    workers = [worker(), worker()]
    tasks, points = tasks_and_points(tmp_path)
    seen, killed = [], threading.Event()

    def on_record(record):
        seen.append(record)
        if not killed.is_set():
            killed.set()
            os.kill(workers[0].pid, signal.SIGKILL)

    failed = distribute.grade(tasks, address, on_record, connect_seconds=60)
    assert not failed
    assert sorted(record.student for record in seen) == sorted(points)
    assert {record.student: record.points for record in seen} == points
    assert {record.sha256 for record in seen} == {task.sha256 for task in tasks}
    assert workers[0].wait(10) == -signal.SIGKILL and workers[1].poll() is None
    # What the killed worker had locked up is gone with it.
    patience = time.monotonic() + 20
    while (left := in_group(workers[0].pid)) and time.monotonic() < patience:
        time.sleep(0.5)
    assert not left


def in_group(leader):
    """Return the processes of a group that are still there."""
    left = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            fields = (folder / "stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if int(fields[3]) == leader and fields[0] != "Z":
            left.append(folder.name)
    return left


def test_another_version_of_the_labs_on_a_worker_is_refused(scheduler, tmp_path, monkeypatch):
    address, worker = scheduler
    worker()
    tasks, _ = tasks_and_points(tmp_path)
    monkeypatch.setattr(distribute, "digest", lambda: "another")
    with pytest.raises(LabsError, match="another version of the labs"):
        distribute.grade(tasks[:1], address, lambda record: None, connect_seconds=60)


def test_a_worker_that_cannot_grade_says_why_once(scheduler, tmp_path):
    address, worker = scheduler
    worker()
    tasks, _ = tasks_and_points(tmp_path)
    impossible = [replace(task, lab="no/such-lab") for task in tasks[:3]]
    with pytest.raises(LabsError, match="no lab called `no/such-lab`"):
        distribute.grade(impossible, address, lambda record: None, connect_seconds=60)


def test_a_notebook_that_a_machine_could_not_grade_costs_no_other(monkeypatch):
    from distributed import Client

    tasks = [Task(student, LAB.name, f"{student}.ipynb", "0" * 64, Options(seed=1)) for student in "ab"]

    def grade_one(task):
        if task.student == "a":
            raise NotGraded("the process was lost, and again at a second try. Run it again.")
        return Record(task.student, task.lab, task.file, task.sha256, 0, 0, ())

    monkeypatch.setattr(grader, "grade_one", grade_one)
    seen = []
    with Client(
        processes=False, n_workers=1, threads_per_worker=1, dashboard_address=None, set_as_default=False
    ) as client:
        failed = list(distribute._graded(tasks, client, seen.append))
    assert [record.student for record in seen] == ["b"]
    assert failed == [
        "a.ipynb was not graded: the process was lost, and again at a second try. Run it again."
    ]


def test_the_command_keeps_what_a_cluster_has_graded(scheduler, tmp_path, capsys):
    address, worker = scheduler
    worker()
    handed = rehearsal.write(tmp_path / "class", [LAB], 2, seed=7)
    submitted, out = tmp_path / "class" / "submitted", tmp_path / "graded"
    assert command(submitted, out, scheduler=address) == 0
    records = read_all(out)
    assert sum(record.points for record in records) == sum(one.points for one in handed)
    assert (out / "report.html").is_file() and "2 notebooks graded;" in capsys.readouterr().out
    # Nothing is left to grade, so no cluster is asked.
    assert command(submitted, out, scheduler="tcp://127.0.0.1:1") == 0
    assert read_all(out) == records


def test_no_cluster_and_no_worker_are_one_sentence(scheduler):
    address, _ = scheduler
    for wrong in ("nonsense://x", "not an address"):
        with pytest.raises(LabsError, match="no address of a Dask scheduler"):
            distribute.grade([], wrong, lambda record: None, connect_seconds=1)
    with pytest.raises(LabsError, match="No Dask scheduler answers"):
        distribute.grade([], "tcp://127.0.0.1:1", lambda record: None, connect_seconds=1)
    with pytest.raises(LabsError, match="has no worker"):
        distribute.grade([], address, lambda record: None, connect_seconds=1)


def test_without_dask_it_says_what_to_install(monkeypatch):
    monkeypatch.setattr(distribute, "find_spec", lambda name: None)
    with pytest.raises(LabsError, match="pip install"):
        distribute.grade([], "tcp://127.0.0.1:8786", lambda record: None)
