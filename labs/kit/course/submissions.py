"""Tell who handed in what for which lab: one task for each student and lab, whatever else lies there."""

from collections import Counter, defaultdict
from collections.abc import Sequence
from pathlib import Path

from labs.kit.course import collected, identity, notebook
from labs.kit.course.found import Found, clean
from labs.kit.course.records import Options, Task
from labs.kit.course.wording import count
from labs.kit.curriculum import Curriculum
from labs.kit.errors import LabsError

_NOT_HANDED_IN = "Not handed in: no notebook of this lab was found."

Book = tuple[Found, notebook.Notebook]
"""A notebook, and where it was found."""


def tasks(
    path: Path,
    curriculum: Curriculum,
    options: Options,
    lab: str | None = None,
    assigned: Sequence[str] = (),
    out: Path | None = None,
) -> tuple[list[Task], list[str]]:
    """Return a task for each student and lab, and sentences on what could be made nothing of.

    Args:
        path: a folder, a zip or a notebook.
        curriculum: the labs there are.
        options: how to grade.
        lab: the lab of notebooks that do not name one.
        assigned: the labs that were handed out, which all students must hand in; none where that is not known.
        out: the folder for results, which nobody handed in.

    Raises:
        LabsError: there is nothing at `path`, or nothing in it that can be graded.
    """
    _refuse_labs(curriculum, lab, assigned)
    # A class's notebooks need not be in memory at once, so each is read as it is found.
    everything = [(one, _read(one) if one.is_notebook else None) for one in collected.files(path, out)]
    found = [one for one, _ in everything]
    _tell_labs(everything, curriculum, lab, assigned)
    identity.tell(found, path, curriculum)
    theirs = [one for one in found if not (one.is_nobodys or one.is_stray)]
    read = [(one, book) for one, book in everything if book and not one.is_nobodys]
    problems = _on_files(found, {one.student for one, _ in read})
    if not (theirs or problems):
        raise LabsError(f"{clean(str(path))} holds no file that anybody has handed in.")
    chosen, aside, sentences = _sorted_out(read, assigned)
    problems += sentences
    required, sentences = (list(assigned), []) if assigned else _usual(chosen)
    problems += sentences
    made = [_task(student, name, books, options) for (student, name), books in chosen.items()]
    made += _missing(theirs, chosen, aside, required, options)
    # Were notebooks handed in, but none that counts, then the fault is hardly that of the whole class.
    if not made or (read and not chosen):
        here = clean(str(path))
        raise LabsError(" ".join([f"There is no notebook to grade in {here}.", *problems]))
    return sorted(made, key=lambda task: (task.student.casefold(), task.student, task.lab)), problems


def _refuse_labs(curriculum: Curriculum, lab: str | None, assigned: Sequence[str]) -> None:
    for name in [*assigned, *([lab] if lab is not None else [])]:
        curriculum.lab(name)
    if lab is not None and assigned and lab not in assigned:
        raise LabsError(
            f"{lab} was not handed out: give with `--lab` one of {', '.join(assigned)}, or name another assignment."
        )


def _read(one: Found) -> notebook.Notebook:
    if one.data is None:
        return notebook.Notebook("", problems=[one.problem])
    book = notebook.read(one.data)
    one.data = None  # a class's notebooks need not be in memory at once
    return book


def _tell_labs(
    everything: list[tuple[Found, notebook.Notebook | None]],
    curriculum: Curriculum,
    lab: str | None,
    assigned: Sequence[str],
) -> None:
    """Say of every notebook which lab it is of: as it says itself, as was asked for, or as its name says."""
    books = [(one, book) for one, book in everything if book and not one.is_nobodys]
    for one, book in books:
        one.lab = book.lab if book.lab in curriculum.labs else lab or _by_name(one, curriculum)
    known = set(assigned) or {one.lab for one, _ in books if one.lab}
    if len(known) == 1:
        for one, _ in books:
            one.lab = one.lab or min(known)


def _by_name(one: Found, curriculum: Curriculum) -> str:
    stem = identity.own_name(one.name).lower().partition(".ipynb")[0]
    same = [name for name in curriculum.labs if stem in identity.lab_names(name)]
    return same[0] if len(same) == 1 else ""


def _on_files(found: list[Found], with_notebook: set[str]) -> list[str]:
    """Return sentences on what was not read, of which no notebook's feedback tells, and on what is nobody's."""
    problems = [f"{one.place}: {one.problem}" for one in found if one.problem and one.is_nobodys]
    theirs = [one for one in found if not (one.is_nobodys or one.is_stray or one.is_notebook)]
    for one in theirs:
        if one.problem and not (one.problem == collected.EMPTY and one.student in with_notebook):
            problems.append(f"{one.place}: {one.problem}")
    if stray := [one.name for one in found if one.is_stray and not one.is_nobodys]:
        problems.append(
            f"Left aside: {_some(stray)}, beside what students handed in and no notebook, folder or zip."
        )
    return problems


def _some(names: list[str], most: int = 5) -> str:
    """Return the first of `names`, and how many more there are."""
    more = f" and {count(len(names) - most, 'more file')}" if len(names) > most else ""
    return ", ".join(names[:most]) + more


def _sorted_out(
    read: list[Book], assigned: Sequence[str]
) -> tuple[dict[tuple[str, str], list[Book]], dict[str, list[str]], list[str]]:
    """Return notebooks by student and lab, why others count for nothing by student, and sentences on those."""
    chosen: dict[tuple[str, str], list[Book]] = defaultdict(list)
    aside: dict[str, list[str]] = defaultdict(list)
    problems, others = [], Counter()
    for one, book in read:
        if one.lab and (one.lab in assigned or not assigned):
            chosen[one.student, one.lab].append((one, book))
        elif one.lab:
            aside[one.student].append(f"{one.name} is of {one.lab}, which was not handed out.")
            others[one.lab] += 1
        else:
            why = [] if book.cells else book.problems
            aside[one.student].append(" ".join([f"{one.name} does not say which lab it is of.", *why]))
            problems.append(
                " ".join([f"{one.place}: it does not say which lab it is of; name it with `--lab`.", *why])
            )
    if others:
        told = ", ".join(f"{count(number, 'notebook')} of {name}" for name, number in sorted(others.items()))
        problems.append(f"Left aside: {told}, which was not handed out ({', '.join(assigned)} was).")
    return dict(chosen), aside, problems


def _usual(chosen: dict[tuple[str, str], list[Book]]) -> tuple[list[str], list[str]]:
    """Return the labs that can be required of all, since half of the students handed them in; and what to say."""
    handed = Counter(name for _, name in chosen)
    students = len({student for student, _ in chosen})
    rare = {name: number for name, number in sorted(handed.items()) if 2 * number < students}
    if not rare:
        return sorted(handed), []
    told = ", ".join(f"{name} ({number:,} of {count(students, 'student')})" for name, number in rare.items())
    sentence = (
        f"Less than half of the students handed in {told}, so that is required of nobody: name what was handed out "
        "with `--assignment` if it should be."
    )
    return sorted(set(handed) - set(rare)), [sentence]


def _missing(
    theirs: list[Found],
    chosen: dict[tuple[str, str], list[Book]],
    aside: dict[str, list[str]],
    required: list[str],
    options: Options,
) -> list[Task]:
    """Make the tasks of required labs that students did not hand in: they give no points, and say why."""
    graded = {student for student, _ in chosen}
    most_frequent = [name for name, _ in Counter(name for _, name in sorted(chosen)).most_common(1)]
    files: dict[str, list[Found]] = defaultdict(list)
    for one in theirs:
        files[one.student].append(one)
    made = []
    for student, own in files.items():
        # Who is graded for something need not do what few did; who is not must be in the results all the same.
        labs = required or ([] if student in graded else most_frequent)
        why = _why_none(own, aside.get(student, []))
        ids = {system: number for one in own for system, number in one.ids.items()}
        other_labs_only = any(one.is_notebook for one in own) and not aside.get(student)
        place = "" if other_labs_only else own[0].place
        made += [
            Task(student, lab, place, "", options, problems=tuple(why), ids=ids)
            for lab in labs
            if (student, lab) not in chosen
        ]
    return made


def _why_none(own: list[Found], aside: list[str]) -> list[str]:
    """Return sentences on why a lab cannot be graded of a student, who handed in no notebook of it."""
    if any(one.is_notebook for one in own):
        return [_NOT_HANDED_IN, *aside]
    told = [one.problem for one in own if one.problem]
    names = [one.name for one in own if one.name and not one.problem]
    if packed := [one.name for one in own if one.is_archive and not one.problem]:
        told.append(f"{_some(packed)} is packed in a way that is not opened here: only zip is.")
    elif names:
        told.append(f"No notebook was handed in, only {_some(names, 3)}.")
    return list(dict.fromkeys(told))


def _task(student: str, lab: str, books: list[Book], options: Options) -> Task:
    """Make one task of all notebooks of a student for a lab: the readable one with the lab's name, or the newest."""
    # Who hands in the whole folder hands in the notebooks to begin anew from, too.
    books = [one for one in books if not one[0].is_spare] or books
    own_names = [f"{name}.ipynb" for name in identity.lab_names(lab)]
    best = max(books, key=lambda b: (bool(b[1].cells), b[0].name in own_names, b[0].changed, b[0].place))
    one, book = best
    problems = list(book.problems)
    if len(books) > 1:
        problems.append(f"{len(books)} notebooks of this lab were handed in; {one.inside} was graded.")
    return Task(
        student=student,
        lab=lab,
        file=one.place,
        sha256=book.sha256,
        options=options,
        cells=book.cells,
        problems=tuple(problems),
        ids=one.ids,
    )
