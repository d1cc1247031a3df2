"""The red team: no hostile submission gains a point or harms anybody, every honest one gets its points."""

import hashlib
import os
import re
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import pytest

from labs.kit import curriculum, paths
from labs.kit.course import submissions
from labs.kit.course.grader import grade_one
from labs.kit.course.locked import client, room
from labs.kit.course.records import Options, Record
from tests.red_team import honest, hostile
from tests.red_team.book import write

pytestmark = pytest.mark.skipif(
    bool(room.obstacle()), reason=f"nothing can be locked up here: {room.obstacle()}"
)

SEED = 20_130_101
LIMITS = Options(seed=SEED, cell_seconds=4, exercise_seconds=6, memory_mb=600, disk_mb=32, processes=64)
HOSTILE = {case.name: case for case in hostile.CASES}
HONEST = {case.name: case for case in honest.CASES}


def _digest(folder: Path) -> str:
    """Return a digest of what a submission might want to change: all that was handed in, a lab, the environment."""
    told = hashlib.sha256()
    for place in (folder, paths.LABS / "foundations", Path(sys.prefix) / "pyvenv.cfg", Path("/etc/passwd")):
        files = sorted(place.rglob("*")) if place.is_dir() else [place]
        for path in files:
            about = path.lstat()
            told.update(f"{path} {about.st_mode} {about.st_size} {about.st_mtime_ns}".encode())
    return told.hexdigest()


@dataclass(frozen=True)
class Graded:
    """The class after grading.

    Attributes:
        records: by the name of the case.
        problems: what could be made nothing of.
        before, after: digests of what none may change.
    """

    records: dict[str, Record]
    problems: list[str]
    before: str
    after: str


@pytest.fixture(scope="module")
def graded(tmp_path_factory, request):
    """Hand in all cases as one class and grade it."""
    folder = tmp_path_factory.mktemp("class")
    for case in [*HONEST.values(), *HOSTILE.values()]:
        write(case, folder)
    before = _digest(folder)
    tasks, problems = submissions.tasks(folder, curriculum.load(), LIMITS, lab="foundations/tensors")
    # A case of another lab has not handed in this one too; what counts here is what it has handed in.
    tasks = [task for task in tasks if task.file]
    assert len({task.student for task in tasks}) == len(tasks)
    with ThreadPoolExecutor(2) as pool:
        records = {record.student: record for record in pool.map(grade_one, tasks)}
    terminal = request.config.pluginmanager.get_plugin("terminalreporter")
    if terminal:
        terminal.write_line("")
        for line in table(records):
            terminal.write_line(line)
    yield Graded(records, problems, before, _digest(folder))
    client.close()


def table(records: dict[str, Record]) -> Iterator[str]:
    """Yield a line for each case: what it got, and what became of the exercises that were attacked."""
    for kind, cases in (("honest", HONEST), ("hostile", HOSTILE)):
        for name, case in cases.items():
            record = records[name]
            states = {one.stopped or one.verdict["state"] for one in record.exercises if not one.points}
            states -= {"blank"}
            got, due = record.points, sum(case.points.values())
            yield f"{kind:8} {name:52} {got:2} points, due {due:2}  {', '.join(sorted(states))}"


def test_there_are_enough():
    assert len(HOSTILE) >= 30 and len(HONEST) >= 30
    assert not HOSTILE.keys() & HONEST.keys()


def _points(record):
    return {one.name: one.points for one in record.exercises if one.points}


@pytest.mark.parametrize("name", HONEST)
def test_an_honest_one_gets_its_points(graded, name):
    record = graded.records[name]
    assert _points(record) == HONEST[name].points, [
        (one.name, one.stopped, one.note, one.teacher, one.verdict)
        for one in record.exercises
        if not one.points
    ]
    assert not [one for one in record.exercises if one.stopped]


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_one_gains_nothing(graded, name):
    case, record = HOSTILE[name], graded.records[name]
    assert _points(record) == case.points
    for exercise, why in case.stopped.items():
        assert next(one.stopped for one in record.exercises if one.name == exercise) == why
    said = [*record.problems, *graded.problems, *(f"{one.note} {one.teacher}" for one in record.exercises)]
    assert re.search(case.says, "\n".join(said))
    assert not any(
        "escaped" in str(one.verdict) or "another exercise's" in str(one.verdict) for one in record.exercises
    )


def test_every_one_has_a_record(graded):
    assert graded.records.keys() == HOSTILE.keys() | HONEST.keys()


def test_the_host_and_the_others_are_as_they_were(graded):
    assert graded.after == graded.before


def test_nothing_is_left_running(graded):
    client.close()
    mine = os.getpid()
    left = [
        line
        for entry in Path("/proc").iterdir()
        if entry.name.isdigit() and int(entry.name) != mine and (line := _command(entry))
        if "course.locked.nursery" in line and _parent(entry) in (1, mine)
    ]
    assert not left


def _command(entry: Path) -> str:
    try:
        return (entry / "cmdline").read_bytes().decode("utf-8", "replace")
    except OSError:
        return ""


def _parent(entry: Path) -> int:
    try:
        return int((entry / "stat").read_text().rsplit(")", 1)[1].split()[1])
    except (OSError, IndexError, ValueError):
        return -1
