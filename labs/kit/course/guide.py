"""The teacher's guide to the labs, as markdown for the site: written from the labs, so that it cannot lag behind.

Sections, questions and exercises come from the learner's notebook, what students get wrong from `checks.py`
and `answers.py`.
"""

import re
from collections.abc import Iterator, Sequence

from labs.kit.course import page
from labs.kit.course.answer_source import Written, written
from labs.kit.course.lesson import EXPLAIN, Lesson, Question, Section, lesson
from labs.kit.course.wording import count
from labs.kit.curriculum import Curriculum, Lab
from labs.kit.diagnosis import COMMON
from labs.kit.exercise import Exercise
from labs.kit.load import exercises

FOLDER = "teach"
LONGEST = 30
"""The most lines of code that a fold shows."""
_DEMONSTRATIONS = ("Break it", "Measure it")


def pages(curriculum: Curriculum) -> dict[str, str]:
    """Return the generated pages: path without its ending to markdown.

    Raises:
        LabsError: a lab's notebook is missing or a file of it cannot be read.
    """
    found = {f"{FOLDER}/map": module_map(curriculum)}
    for lab in curriculum.labs.values():
        found[f"{FOLDER}/{lab.name}"] = lab_page(lab, curriculum)
    return found


def module_map(curriculum: Curriculum) -> str:
    """Return the page of modules and labs, with minutes, exercises and points, linking to each lab's guide."""
    parts = [
        "# What to teach when",
        "Minutes are those of a learner who works alone. A link leads to the lab's page for teachers: its plan, what "
        "to say and to ask, what students get wrong.",
    ]
    for module in curriculum.modules:
        labs = [curriculum.lab(name) for name in module.labs]
        minutes = sum(lab.minutes for lab in labs)
        rows = ["| Lab | Level | Minutes | Exercises | Points | After |", "|---|---|---:|---:|---:|---|"]
        rows += [_map_row(lab, curriculum) for lab in labs]
        parts += [
            f"## {module.title}",
            f"{_hours(minutes)} in {count(len(labs), 'lab')}.",
            "\n".join(rows),
        ]
    names = "\n".join(curriculum.labs)
    parts.append(f"```{{toctree}}\n:hidden:\n\n{names}\n```")
    return "\n\n".join(parts) + "\n"


def _map_row(lab: Lab, curriculum: Curriculum) -> str:
    known = exercises(lab).values()
    before = ", ".join(curriculum.lab(name).title for name in lab.prerequisites) or "nothing"
    points = sum(exercise.points for exercise in known)
    link = f"[{lab.title}]({lab.name}.md)"
    return f"| {link} | {lab.level} | {lab.minutes} | {len(known)} | {points} | {before} |"


def _hours(minutes: int) -> str:
    hours, rest = divmod(minutes, 60)
    parts = [count(hours, "hour") if hours else "", count(rest, "minute") if rest else ""]
    return " and ".join(part for part in parts if part)


def lab_page(lab: Lab, curriculum: Curriculum) -> str:
    """Return the page for those who teach `lab`."""
    taught, known, given = lesson(lab), exercises(lab), written(lab)
    up = "../" * (lab.name.count("/") + 1)
    parts = [
        f"# Teach: {lab.title}",
        f"{lab.promise} [The lab, solved]({up}{lab.name}.ipynb).",
        "**Afterwards students can**\n\n" + "\n".join(f"- {outcome}" for outcome in lab.outcomes),
        "## Plan",
        _plan(taught, known),
        "## Begin with",
        taught.hook,
    ]
    for section in taught.sections:
        parts += _section(section, known, given)
    parts += [
        "## Questions to ask",
        "Aloud, before anybody opens the model answers.",
        *_interview(taught.explain),
    ]
    after = curriculum.next(lab.name)
    if after:
        parts.append(f"**Next:** [{after.title}]({up}{FOLDER}/{after.name}.md). {after.promise}")
    return "\n\n".join(parts) + "\n"


def _plan(taught: Lesson, known: dict[str, Exercise]) -> str:
    rows = ["| Section | Exercise | Difficulty | Minutes | Points |", "|---|---|---|---:|---:|"]
    for section in taught.sections:
        names = [name for name in section.exercises if name in known] or [None]
        for name in names:
            one = known.get(name)
            about = f"`{name}` | {one.difficulty} | {one.minutes} | {one.points}" if one else " | | |"
            rows.append(f"| {section.title if name is names[0] else ''} | {about} |")
    minutes = sum(one.minutes for one in known.values())
    points = sum(one.points for one in known.values())
    rows.append(f"| **All exercises** | {len(known)} | | {minutes} | {points} |")
    rest = taught.lab.minutes - minutes
    if rest > 0:
        rows.append(f"| **Predicting, running, talking** | | | {rest} | |")
    return "\n".join(rows)


def _section(section: Section, known: dict[str, Exercise], given: Sequence[Written]) -> Iterator[str]:
    """Yield what there is to say, to ask and to expect in a section; nothing for the lab's closing ones."""
    demonstration = section.title.startswith(_DEMONSTRATIONS)
    names = [name for name in section.exercises if name in known]
    if section.title == EXPLAIN or not (names or section.predictions or demonstration):
        return
    yield f"## {section.title}"
    if section.says:
        yield f"**Say.** {section.says}"
    for question in section.predictions:
        yield f"**Ask before anything runs.** {question.asks}"
        choices = [choice for choice, _ in question.answers if choice not in ("The number", "The order")]
        if choices:
            yield "\n".join(f"- {page.prose(choice)}" for choice in choices)
    for name in names:
        yield f"### Exercise: {name}"
        one = known[name]
        yield f"{one.task} *{one.minutes} minutes, {page.points(one.points)}, {one.difficulty}.*"
        yield "What students get wrong, the most basic first:"
        yield "\n".join(_mistakes(one, [answer for answer in given if answer.exercise == name]))


def _mistakes(exercise: Exercise, given: Sequence[Written]) -> Iterator[str]:
    """Yield a fold for each misconception: its sentence, what to ask, and how it looks in code."""
    met = {answer.expected for answer in given}
    common = {name: misconception for name, misconception in COMMON.items() if name in met}
    for name, misconception in {**common, **exercise.misconceptions}.items():
        looks = [f"```python\n{look(answer)}\n```" for answer in given if answer.expected == name]
        asks = [f"*Ask:* {misconception.think}"] if misconception.think else []
        inside = "\n\n".join([*asks, *looks])
        yield f"<details><summary>{page.prose(misconception.says)}</summary>\n\n{inside}\n\n</details>"


def look(answer: Written) -> str:
    """Return the answer with the helpers that it calls, unless they are long."""
    whole = [line for line in answer.source.splitlines() if not re.match(r"(import|from) ", line)]
    return "\n".join(whole).strip() if len(whole) <= LONGEST else answer.shown.strip()


def _interview(questions: Sequence[Question]) -> Iterator[str]:
    for number, question in enumerate(questions, 1):
        answer = "\n\n".join(text for _, text in question.answers)
        yield f"**{number}. {question.asks}**"
        yield f"<details><summary>Model answer, and what to ask next</summary>\n\n{answer}\n\n</details>"
