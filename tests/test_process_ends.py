"""What ends a process that grades, whose doing that is, and what comes of it."""

import os
import signal
from dataclasses import replace
from types import SimpleNamespace

import pytest
from test_grade import LOCKABLE, TENSORS, a_task

from labs.kit.course import attempt, grader, office, plan
from labs.kit.course.installed import installed
from labs.kit.course.locked import client, guard, warden
from labs.kit.course.locked.clerk import Clerk
from labs.kit.course.locked.frames import FrameError
from labs.kit.course.locked.warden import Limits
from labs.kit.course.records import Cell, NotGraded, Options
from labs.kit.errors import LabsError


class Scripted:
    """Stands for a process: answers as it is told, and ends at the first exception."""

    def __init__(self, answers, why):
        self.channel, self._answers, self._why = self, list(answers), why

    def send(self, value, seconds=None):
        self._token = value.get("token", "")

    def receive(self, seconds=None):
        answer = self._answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return {**answer, "token": self._token}

    def is_quiet(self):
        return True

    def leave(self):
        pass

    def end(self):
        return {"why": self._why, "status": 1, "memory": 0}


class ScriptedNursery:
    """Gives processes, each of which stands for the next of `scripts`: its answers, and why it ended."""

    def __init__(self, *scripts, locked=True):
        self.locked, self.closed, self.ended, self._scripts = locked, False, False, list(scripts)

    def ask(self, role, limits):
        return Scripted(*self._scripts.pop(0))


STEPS = [plan.Step("setup", "import numpy"), plan.Step("1", "x = 1", 0)]


@pytest.mark.parametrize(
    ("answers", "why", "locked", "stopped", "failed"),
    [
        ([TimeoutError()], "told", True, "time", "own cells"),
        ([EOFError()], "memory", True, "memory", "own cells"),
        ([EOFError()], "could not start: no room", True, None, "could not start"),
        ([{}, EOFError()], "killed", True, "exit", "from outside"),
        ([{}, EOFError()], "lost", True, "exit", "lost"),
        # Without a sandbox a student's code can kill whatever it likes.
        ([{}, EOFError()], "lost", False, "exit", ""),
        ([{}, EOFError()], "signal", True, "exit", ""),
        ([{}, EOFError()], "exit", True, "exit", ""),
        ([{}, TimeoutError()], "told", True, "time", ""),
        ([{}, EOFError()], "memory", True, "memory", ""),
        ([{}, FrameError()], "told", True, "tampering", ""),
    ],
)
def test_whose_doing_the_end_of_a_process_is(answers, why, locked, stopped, failed):
    nursery = ScriptedNursery((answers, why), locked=locked)
    ran = attempt.run(nursery, STEPS, "decode", "", [], Options(seed=0))
    assert stopped in (ran.stopped, None)
    assert failed in ran.failed if failed else not ran.failed


@pytest.mark.parametrize(
    ("code", "took", "locked", "why"),
    [
        (-signal.SIGKILL, 1.0, True, "killed"),
        (-signal.SIGKILL, 1.0, False, "signal"),
        (-signal.SIGKILL, 60.0, True, "time"),
        (-signal.SIGSEGV, 1.0, True, "signal"),
        (guard.FOUND, 1.0, True, "tampering"),
        (98, 1.0, True, "exit"),
    ],
)
def test_what_the_warden_says(code, took, locked, why):
    assert warden._reason(code, took, Limits(1, 1, 1, seconds=60), locked) == why


@pytest.mark.parametrize(
    ("scripts", "by_itself"),
    [
        ([([TimeoutError()], "told"), ([TimeoutError()], "told")], False),
        ([([EOFError()], "signal"), ([EOFError()], "killed")], False),
        ([([EOFError()], "killed"), ([EOFError()], "signal")], True),
        ([([EOFError()], "memory"), ([EOFError()], "memory")], True),
        ([([EOFError()], "killed"), ([{"cells": []}], "")], None),
    ],
)
def test_a_clerk_that_ends_is_asked_for_a_second_time(monkeypatch, scripts, by_itself):
    monkeypatch.setattr(office, "shared", lambda locked: ScriptedNursery(*scripts))
    asked = office.Office(locked=True)
    if by_itself is None:
        assert asked.read(["x"]) == []
        return
    with pytest.raises(office.Broken) as broken:
        asked.read(["x"])
    assert broken.value.by_itself == by_itself


def test_the_office_replaces_what_has_died_but_not_what_was_closed(monkeypatch):
    nurseries = [ScriptedNursery(), ScriptedNursery()]
    monkeypatch.setattr(office, "shared", lambda locked: nurseries.pop(0))
    asked = office.Office(locked=True)
    first = asked.nursery
    first.ended = True
    second = asked.nursery
    assert second is not first and not nurseries
    second.closed = True
    with pytest.raises(LabsError, match="stopped"):
        _ = asked.nursery


FAILED = attempt.Ran(stopped="exit", failed="the process was lost")
BLANK = attempt.Ran(there=False)


@pytest.mark.parametrize(
    ("runs", "graded"), [([FAILED, FAILED], False), ([FAILED, BLANK, FAILED], False), ([FAILED, BLANK], True)]
)
def test_what_the_machine_has_ended_is_run_once_more_and_then_not_graded(monkeypatch, runs, graded):
    left = [*runs]
    monkeypatch.setattr(attempt, "run", lambda *asked: left.pop(0) if left else BLANK)
    known = SimpleNamespace(cases=[], decoys=(), noise=frozenset(), seconds=15)
    monkeypatch.setattr(grader, "calibrated", lambda *asked: known)
    answers = {"decode": "def decode(t, m):\n    return 1", "at_hour": "def at_hour(t, m):\n    return 1"}
    cells = tuple(Cell(name, source, name) for name, source in answers.items())
    read = Clerk().read([cell.source for cell in cells])["cells"]
    asked = SimpleNamespace(nursery=None, read=lambda sources: read)
    notebook = grader._Notebook(replace(a_task(), cells=cells), installed(TENSORS), asked)
    if graded:
        assert not any(one.points or one.stopped for one in notebook.grade()[0])
        return
    with pytest.raises(NotGraded, match="again at a second try"):
        notebook.grade()
    assert not left


def test_a_slow_clerk_makes_nobody_a_cheat(monkeypatch):
    def broken(by_itself):
        def judge(*asked):
            raise office.Broken("TimeoutError, told", by_itself)

        return SimpleNamespace(judge=judge)

    task, ran = a_task(), attempt.Ran(there=True)
    exercise = installed(TENSORS).exercises["decode"]
    judged = grader._Notebook(task, installed(TENSORS), broken(True))
    assert judged._result(exercise, ran, None, task.options).stopped == "tampering"
    with pytest.raises(NotGraded, match="did not answer"):
        grader._Notebook(task, installed(TENSORS), broken(False))._result(exercise, ran, None, task.options)


def test_a_cell_has_more_time_where_the_solution_is_slow(monkeypatch):
    known = SimpleNamespace(cases=[], decoys=(), noise=frozenset(), seconds=50)
    monkeypatch.setattr(grader, "calibrated", lambda *asked: known)
    limits = []
    monkeypatch.setattr(attempt, "run", lambda *asked: limits.append(asked[-1]) or BLANK)
    notebook = grader._Notebook(a_task(), installed(TENSORS), SimpleNamespace(nursery=None))
    notebook._run(installed(TENSORS).exercises["decode"], [])
    assert (limits[0].cell_seconds, limits[0].exercise_seconds) == (100, 100)


@LOCKABLE
def test_who_kills_a_process_is_told_apart_and_what_has_died_is_replaced():
    psutil = pytest.importorskip("psutil")
    limits = Limits(1 << 30, 1 << 20, 64, 60)
    nursery = client.shared(True)

    def started():
        held = nursery.ask("observer", limits)
        held.channel.send({"do": "cell", "name": "1", "source": "", "token": ""})
        held.channel.receive(60)
        return held

    held = started()
    everything = psutil.Process(nursery._process.pid).children(recursive=True)
    max(everything, key=lambda one: one.create_time()).kill()
    assert held.end()["why"] == "killed"
    for code in (
        "import os; os._exit(1)",
        "import os; os._exit(98)",
        "import os, signal; os.kill(1, 9); os._exit(0)",
    ):
        held = started()
        held.channel.send({"do": "cell", "name": "2", "source": code, "token": ""})
        with pytest.raises(EOFError):
            held.channel.receive(60)
        assert held.end()["why"] == "exit"
    held = started()
    os.killpg(nursery._process.pid, signal.SIGKILL)
    with pytest.raises(EOFError):
        held.channel.receive(60)
    assert held.end()["why"] == "lost"
    nursery._process.wait(10)
    with pytest.raises(client.Ended):
        nursery.ask("observer", limits)
    assert client.shared(True) is not nursery
    nursery = client.shared(True)
    started().leave()
    client.close()
