"""Feedback pages and the teacher's report: they say what the records say, and nothing that a student smuggled in."""

import csv
import io
import re
from collections import Counter
from html.parser import HTMLParser
from pathlib import Path

import pytest
from accessible import complaints
from test_browser import FLAGS
from test_browser import executable as executable

from labs.kit import reference
from labs.kit.course import class_report, feedback_page, gradebook, page, rehearsal, reports
from labs.kit.course.lesson import lesson
from labs.kit.course.records import STOPPED, Graded, Record
from labs.kit.curriculum import load
from labs.kit.load import exercises
from labs.kit.sketch import sketch

CURRICULUM = load()
LAB = CURRICULUM.lab("foundations/tensors")
OTHER = CURRICULUM.lab("training/gradient-tape")
KNOWN = exercises(LAB)
GIVEN = rehearsal.Given(LAB, Path("x.ipynb"), {"cells": []})
SKETCH = sketch([1.0, 2.0], [1.0, 3.0])
HOSTILE = (
    "<script>alert(1)</script>",
    "</title></style></p><img src=x onerror=alert(1)>",
    '"><svg onload=alert(1)>',
    "' onmouseover='alert(1)",
    "javascript:alert(1)",
    "{{ 7*7 }}{% for x in y %}",
    "`<b onclick=alert(1)>x</b>`",
    "[a](javascript:alert(1)) ![b](http://example.org/x.png)",
    "\ud800 half a character",
    "\x00\x1b[31m\u202eevil",
    "A" * 20_000,
)


def graded(exercise, state, diagnosis="", **more):
    known = KNOWN[exercise]
    about = known.misconception(diagnosis) if diagnosis else None
    verdict = {"exercise": exercise, "state": state, "cases": 4, "failed": 0 if state == "passed" else 2}
    if about:
        verdict |= {"diagnosis": diagnosis, "says": about.says, "think": about.think}
    verdict |= more.pop("verdict", {})
    points = known.points if state == "passed" and not more.get("stopped") else 0
    return Graded(exercise, points, known.points, verdict, **more)


def record(student, *all_graded, lab=LAB.name, **more):
    got, of = (sum(getattr(one, name) for one in all_graded) for name in ("points", "of_points"))
    more = {"file": f"{student}/tensors.ipynb", "sha256": "0" * 64} | more
    return Record(
        student,
        lab,
        points=got,
        of_points=of,
        exercises=all_graded,
        **{"graded": "2026-03-01T10:00+00:00"} | more,
    )


def invented(students=12, seed=3):
    """Return the records that a class of known answers must receive."""
    found = []
    for student, _, _, entries in rehearsal.invent([GIVEN], students, seed):
        states = {"passed": ("passed", ""), "blank": ("blank", "")}
        found.append(
            record(
                student,
                *(
                    graded(one.exercise, *states.get(one.expected, ("wrong", one.expected)))
                    for one in entries
                ),
            )
        )
    return found


class Seen(HTMLParser):
    """Collects what a browser would make of a page."""

    def __init__(self, html):
        super().__init__()
        self.tags, self.attributes, self.words = Counter(), [], []
        self.ids = Counter()
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        self.tags[tag] += 1
        self.attributes += attrs
        self.ids.update(value for name, value in attrs if name == "id")

    def handle_data(self, data):
        self.words.append(data)

    @property
    def text(self):
        return " ".join(" ".join(self.words).split())


def test_a_page_says_what_the_record_says():
    one = record("student-07", graded("decode", "passed"), graded("at_hour", "wrong", "swaps-the-pair"))
    seen = Seen(feedback_page.html("student-07", [one], CURRICULUM))
    assert "Feedback for student-07" in seen.text and "1 of 3 points" in seen.text
    assert KNOWN["at_hour"].misconceptions["swaps-the-pair"].says.split("`")[0] in seen.text
    assert lesson(LAB).section_of("at_hour").title in seen.text
    assert "1 March 2026, 10:00 UTC" in seen.text


def test_where_to_go_on_names_the_first_unpassed_exercises_in_the_lab_s_order():
    states = ["passed", "blank", "passed", "wrong", "blank", "blank"]
    one = record(
        "a", *(graded(n, s, "other-form" * (s == "wrong")) for n, s in zip(KNOWN, states, strict=True))
    )
    html = feedback_page.html("a", [one], CURRICULUM)
    steps = re.findall(r'<li><a href="#[^"]+"><code>(\w+)', html)
    assert steps == ["at_hour", "RunningMean", "mean_of_measured", "squared_distances"]
    everything = record("a", *(graded(name, "passed") for name in KNOWN))
    assert "Everything has passed" in feedback_page.html("a", [everything], CURRICULUM)


def test_a_page_holds_no_solution_and_no_last_hint():
    for diagnosis in ("", "other-form"):
        state = "wrong" if diagnosis else "blank"
        one = record("a", *(graded(name, state, diagnosis) for name in KNOWN))
        text = Seen(feedback_page.html("a", [one], CURRICULUM)).text
        for name, exercise in KNOWN.items():
            for hint in exercise.hints[1:]:
                assert hint.replace("`", "") not in text.replace("`", "")
            solution = reference.source(LAB, name).partition("### BEGIN SOLUTION")[2]
            for line in solution.splitlines()[1:]:
                assert len(line.strip()) < 12 or line.strip().startswith("###") or line.strip() not in text


@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
def test_nothing_of_a_student_s_becomes_markup(text, tmp_path):
    fields = ("says", "think", "expected", "got", "line", "error", "means", "diagnosis")
    verdict = dict.fromkeys(fields, text) | {"line_number": 1, "given": {text: text}, "differs": text}
    verdict |= {"around": {"1": text, "2": text}, "tries": [text, ""], "sketch": SKETCH | {"says": text}}
    exercises_ = [
        graded("decode", "error", verdict=verdict, note=text, teacher=text),
        graded("at_hour", "wrong", "swaps-the-pair", stopped="tampering", note=text, teacher=text),
        Graded(text, 0, 1, {"exercise": text, "state": "blank"}),
    ]
    mean = record(text, *exercises_, file=text, problems=(text,), graded=text)
    plain = record("b", *(graded(one.name, "passed") for one in exercises_[:2]))
    reports.write(tmp_path, [mean, plain], CURRICULUM)
    usual = {}
    for path in [tmp_path / "report.html", *(tmp_path / "feedback").iterdir()]:
        html = path.read_text("utf-8")
        seen = Seen(html)
        assert not {"script", "img", "iframe", "object", "embed", "form", "base", "b"} & set(seen.tags), path
        assert not [name for name, _ in seen.attributes if name.startswith("on")]
        links = [v for name, v in seen.attributes if name in ("href", "src", "action", "xlink:href")]
        assert all(re.match(r"#|feedback/[a-z0-9-]+\.html$", link) for link in links), links
        assert max(seen.ids.values()) == 1
        assert "\u202e" not in html and "\x1b" not in html
        usual[path.name] = seen
    assert "49" not in usual["report.html"].text.replace(text, "") or "7*7" not in text
    if text.startswith("<script"):
        assert text in usual["report.html"].text


def test_two_students_never_share_a_page():
    names = [
        "ann",
        "Ann",
        "a/n",
        "a n",
        "../ann",
        "ann.",
        "Änn",
        "änn",
        "學生",
        "생",
        "",
        "x" * 300,
        "x" * 301,
    ]
    files = [page.file_name(name) for name in names]
    assert len({file.lower() for file in files}) == len(names)
    assert all(re.fullmatch(r"[a-z0-9-]{1,60}\.html", file) for file in files)


def test_the_report_counts_what_the_records_hold(tmp_path):
    records = invented()
    reports.write(tmp_path, records, CURRICULUM)
    seen = Seen((tmp_path / "report.html").read_text("utf-8"))
    assert "12 students" in seen.text
    expected = Counter(
        (e.name, e.verdict["diagnosis"]) for r in records for e in r.exercises if "diagnosis" in e.verdict
    )
    rows = list(csv.DictReader(io.StringIO((tmp_path / "misconceptions.csv").read_text("utf-8"))))
    assert {(row["exercise"], row["misconception"]): int(row["students"]) for row in rows} == expected
    numbers = [int(row["students"]) for row in rows]
    assert numbers == sorted(numbers, reverse=True) and float(rows[0]["share"]) == round(numbers[0] / 12, 3)
    labels = [value for name, value in seen.attributes if name == "aria-label"]
    for name in KNOWN:
        passed = sum(e.verdict["state"] == "passed" for r in records for e in r.exercises if e.name == name)
        assert any(f"{name}: {passed} passed" in label or not passed for label in labels)
    for one in records:
        assert f"{one.points} of {one.of_points}" in seen.text
        assert (tmp_path / "feedback" / f"{one.student}.html").is_file()


def test_the_report_says_who_needs_a_look_and_why():
    odd = [
        record(f"student-{kind}", graded("decode", "error", stopped=kind, teacher=f"What happened: {kind}."))
        for kind in STOPPED
    ]
    odd.append(record("student-broken", problems=("The notebook is not JSON.",)))
    seen = Seen(class_report.html([*odd, record("student-fine", graded("decode", "passed"))], CURRICULUM, {}))
    first = seen.text[seen.text.index("Look at these first") : seen.text.index("Think in tensors")]
    for one in odd:
        assert one.student in first
    assert "student-fine" not in first
    for kind in STOPPED:
        assert f"What happened: {kind}." in seen.text
    assert "The notebook is not JSON." in seen.text


def test_what_many_share_is_worth_discussing_and_what_one_has_is_not():
    many = [record(f"m{i}", graded("decode", "wrong", "not-scaled")) for i in range(5)]
    one = record("one", graded("at_hour", "wrong", "swaps-the-pair"))
    html = class_report.html([*many, one], CURRICULUM, {})
    discussed = Seen(html[html.index('id="discuss"') : html.index('id="misconceptions"')]).text
    assert "decode" in discussed and KNOWN["decode"].misconceptions["not-scaled"].think in discussed
    assert KNOWN["at_hour"].misconceptions["swaps-the-pair"].says not in discussed


def test_the_last_of_several_submissions_counts():
    first = record("a", graded("decode", "blank"), graded="2026-03-01T10:00+00:00")
    last = record("a", graded("decode", "passed"), graded="2026-03-02T10:00+00:00")
    assert class_report.latest([last, first]) == [last]
    assert "1 older submission" in Seen(class_report.html([first, last], CURRICULUM, {})).text


def test_an_empty_class_and_a_lab_that_is_not_installed_have_a_page(tmp_path):
    assert "0 students" in Seen(class_report.html([], CURRICULUM, {})).text
    strange = Graded("thing", 1, 1, {"exercise": "thing", "state": "passed"})
    reports.write(tmp_path, [record("a", strange, lab="gone/lab")], CURRICULUM)
    assert "not installed here" in (tmp_path / "report.html").read_text("utf-8")


def test_a_verdict_of_another_version_costs_its_card_only():
    odd = Graded(
        "decode", 0, 1, {"exercise": "decode", "state": "wrong", "diagnosis": "since-renamed", "new": 1}
    )
    worse = Graded("at_hour", 0, 2, {"exercise": "at_hour", "state": "unheard-of"})
    html = feedback_page.html("a", [record("a", odd)], CURRICULUM)
    assert "decode" in html
    assert feedback_page.verdict_of(worse) is None


def test_the_pages_keep_nobody_out_in_light_and_dark(executable, tmp_path):
    """axe-core finds nothing serious, on screens of two colours."""
    playwright = pytest.importorskip("playwright.sync_api")
    records = invented()
    records.append(
        record("late", graded("decode", "error", stopped="time", note="Too slow.", teacher="Slow."))
    )
    reports.write(tmp_path, records, CURRICULUM)
    worst = min(records, key=lambda one: one.points).student
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=executable, args=FLAGS)
        for scheme in ("light", "dark"):
            # The page's own policy forbids scripts, and with them the examiner.
            shown = browser.new_context(color_scheme=scheme, bypass_csp=True).new_page()
            for name in ("report.html", f"feedback/{worst}.html"):
                shown.goto((tmp_path / name).as_uri())
                assert complaints(shown) == [], (name, scheme)
        browser.close()


def unread(student, *problems):
    parts = [graded(name, "blank", stopped="unreadable", note="Nothing could be read.") for name in KNOWN]
    return record(student, *parts, problems=problems)


def test_where_there_was_nothing_to_grade_the_reason_stands_once(tmp_path):
    one = unread("student-05", "No notebook was handed in, only work.pdf.")
    told = Seen(feedback_page.html("student-05", [one], CURRICULUM)).text
    assert told.count("No notebook was handed in, only work.pdf.") == 1 and "tensors.ipynb" in told
    assert "Nothing could be read" not in told and "Everything has passed" not in told
    assert "read again" not in told
    report = Seen(class_report.html([one, unread("student-06")], CURRICULUM, {})).text
    assert report.count("No notebook was handed in") == 1 and "unreadable" not in report
    assert report.count("no notebook in it that could be read") == 1
    gradebook.write(tmp_path, [one], "week")
    assert "unreadable" not in (tmp_path / "grades.csv").read_text("utf-8")


def test_bars_that_are_all_one_high_are_not_drawn():
    alone = record("a", graded("decode", "wrong", "not-scaled"))
    two = [alone, record("b", graded("decode", "wrong", "not-scaled"))]
    assert "Most common: not-scaled" not in class_report.html([alone], CURRICULUM, {})
    assert "Most common: not-scaled" in class_report.html(two, CURRICULUM, {})


def test_a_lab_that_was_not_handed_in_is_told_but_nobody_s_fault_to_look_into():
    missing = [Graded(name, 0, one.points, {}, stopped="unreadable") for name, one in KNOWN.items()]
    ben = record(
        "ben", *missing, file="", sha256="", problems=("Not handed in: no notebook of it was found.",)
    )
    there = record("ada", *(graded(name, "passed") for name in KNOWN))
    shown = class_report.html([there, ben], CURRICULUM, {})
    assert "1 submission, 1 not handed in" in shown and "Look at these first" not in shown
    assert "passed by 1 of 1" in shown and "Not handed in" in shown
    own = feedback_page.html("ben", [ben], CURRICULUM)
    assert "Not handed in" in own and "file you handed in" not in own and "from <bdi>" not in own
    assert "Everything has passed" not in own
