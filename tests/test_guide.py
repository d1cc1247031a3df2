"""The teacher's guide: it says of each lab what the lab holds, and every command in it can be typed."""

import re
import shlex
from pathlib import Path

import pytest
import typer

from labs.kit.answers import PASSED
from labs.kit.command.cli import app
from labs.kit.course import guide, page
from labs.kit.course.answer_source import written
from labs.kit.course.lesson import lesson
from labs.kit.curriculum import load
from labs.kit.load import exercises

CURRICULUM = load()
LABS = pytest.mark.parametrize("name", CURRICULUM.labs)
WRITTEN = Path(__file__).resolve().parent.parent / "docs" / "site" / guide.FOLDER


@LABS
def test_a_lesson_holds_every_exercise_in_the_checks_order(name):
    lab = CURRICULUM.lab(name)
    taught = lesson(lab)
    assert [one for section in taught.sections for one in section.exercises] == list(exercises(lab))
    assert len(taught.explain) >= 3 and all(question.answers[0][1] for question in taught.explain)
    assert len({section.slug for section in taught.sections}) == len(taught.sections)
    assert sum(len(section.predictions) for section in taught.sections) >= 4
    assert taught.hook and not taught.hook.startswith("#")


@LABS
def test_a_lab_s_page_says_every_mistake_with_its_question_and_its_code(name):
    lab = CURRICULUM.lab(name)
    text = guide.lab_page(lab, CURRICULUM)
    for exercise in exercises(lab).values():
        for misconception in exercise.misconceptions.values():
            assert str(page.prose(misconception.says)) in text and misconception.think in text
    for answer in written(lab):
        assert (f"```python\n{guide.look(answer)}\n```" in text) == (answer.expected != PASSED), answer.name
    for question in lesson(lab).explain:
        assert question.asks in text
    assert text.count("<details>") == text.count("</details>")


def test_the_map_has_every_lab_and_its_minutes():
    text = guide.module_map(CURRICULUM)
    for lab in CURRICULUM.labs.values():
        points = sum(exercise.points for exercise in exercises(lab).values())
        row = next(line for line in text.splitlines() if f"({lab.name}.md)" in line)
        assert f"| {lab.level} | {lab.minutes} | {len(exercises(lab))} | {points} |" in row


def commands():
    for file in sorted(WRITTEN.rglob("*.md")):
        for block in re.findall(r"```sh\n(.*?)```", file.read_text("utf-8"), re.S):
            yield from (line for line in block.splitlines() if line.startswith("labs "))


@pytest.mark.parametrize("line", list(commands()))
def test_every_command_in_the_guide_can_be_typed(line):
    _, name, *rest = shlex.split(line)
    command = typer.main.get_command(app).commands[name]
    command.make_context(name, rest)
