"""Tell who handed in what for which lab: one task for each student and lab, whatever else lies there."""

from pathlib import Path, PurePosixPath

from labs.kit.course import collected, notebook
from labs.kit.course.collected import Found
from labs.kit.course.records import Options, Task
from labs.kit.course.wording import count
from labs.kit.curriculum import Curriculum
from labs.kit.errors import LabsError


def tasks(
    path: Path, curriculum: Curriculum, options: Options, lab: str | None = None
) -> tuple[list[Task], list[str]]:
    """Return a task for each student and lab, and sentences on what could be made nothing of.

    Args:
        path: a folder, a zip or a notebook.
        curriculum: the labs there are.
        options: how to grade.
        lab: the lab of notebooks that do not name one.

    Raises:
        LabsError: there is nothing at `path`, or nothing in it that can be graded.
    """
    if lab is not None:
        curriculum.lab(lab)
    # A class's notebooks need not be in memory at once, so each is read as it is found.
    everything = [(one, _read(one) if one.is_notebook else None) for one in collected.files(path)]
    found = [one for one, _ in everything]
    _name_one_student(found, path, curriculum)
    collected.tell_namesakes_apart(found)
    nobodys = [one for one in found if not one.student]
    stray = [one for one in found if one.student and one.is_stray]
    read = [(one, book) for one, book in everything if one.student and book]
    empty = [one for one in found if one.student and not (one.is_stray or one.is_notebook)]
    problems = [f"{one.place}: {one.problem}" for one in [*nobodys, *empty] if one.problem]
    if stray:
        problems.append(
            f"Left aside: {_some([one.name for one in stray])}, beside what students handed in and no notebook, "
            "folder or zip."
        )
    if not (read or empty or problems):
        raise LabsError(f"{path} holds no file that anybody has handed in.")
    labs = [_lab(one, book, curriculum, lab) for one, book in read]
    only = [lab] if lab else sorted({name for name in labs if name})
    chosen: dict[tuple[str, str], list[tuple[Found, notebook.Notebook]]] = {}
    for (one, book), name in zip(read, labs, strict=True):
        if name or len(only) == 1:
            chosen.setdefault((one.student, name or only[0]), []).append((one, book))
        else:
            problems.append(f"{one.place}: it does not say which lab it is of; name it with `--lab`.")
    with_notebook = {one.student for one, _ in read}
    without: dict[str, list[Found]] = {}
    for one in empty:
        if one.student not in with_notebook:
            without.setdefault(one.student, []).append(one)
    for student, handed in without.items():
        book = notebook.Notebook("", problems=_why_none(handed))
        chosen |= {(student, name): [(handed[0], book)] for name in only}
        if not only:
            problems.append(f"{student}: {' '.join(book.problems)}")
    made = [_task(student, name, books, options) for (student, name), books in chosen.items()]
    if not made:
        raise LabsError(" ".join([f"There is no notebook to grade in {path}.", *problems]))
    return sorted(made, key=lambda task: (task.student.casefold(), task.student, task.lab)), problems


def _name_one_student(found: list[Found], path: Path, curriculum: Curriculum) -> None:
    """Where `path` is the folder of one student, with a lab's notebook at its own place, say whose all in it is."""
    books = [one for one in found if one.is_notebook and not one.is_spare]
    places = {one.inside.with_suffix("").as_posix() for one in books}
    modules = {module.name for module in curriculum.modules}
    own = path.name if path.is_dir() else path.stem
    if places & set(curriculum.labs) and all(one.inside.parts[0] in modules for one in books):
        for one in filter(lambda one: one.student, found):
            one.student, one.inside = own, PurePosixPath(own) / one.inside


def _some(names: list[str], most: int = 5) -> str:
    """Return the first of `names`, and how many more there are."""
    more = f" and {count(len(names) - most, 'more file')}" if len(names) > most else ""
    return ", ".join(names[:most]) + more


def _why_none(handed: list[Found]) -> list[str]:
    """Return sentences on why nothing can be graded of a student, of whose files none is a notebook."""
    told = [one.problem for one in handed if one.problem]
    names = [one.name for one in handed if one.name and not one.problem]
    if packed := [one.name for one in handed if one.is_archive and not one.problem]:
        told.append(f"{_some(packed)} is packed in a way that is not opened here: only zip is.")
    elif names:
        told.append(f"No notebook was handed in, only {_some(names, 3)}.")
    return list(dict.fromkeys(told))


def _read(one: Found) -> notebook.Notebook:
    if one.data is None:
        return notebook.Notebook("", problems=[one.problem])
    book = notebook.read(one.data)
    one.data = None  # a class's notebooks need not be in memory at once
    return book


def _lab(one: Found, book: notebook.Notebook, curriculum: Curriculum, lab: str | None) -> str:
    """Return the lab that a notebook is of: as it says itself, as was asked for, or as its name says."""
    if book.lab in curriculum.labs:
        return book.lab
    if lab:
        return lab
    stem = one.name.lower().partition(".ipynb")[0]
    same = [name for name in curriculum.labs if stem in (name.split("/")[1], name.replace("/", "-"))]
    return same[0] if len(same) == 1 else ""


def _task(student: str, lab: str, books: list[tuple[Found, notebook.Notebook]], options: Options) -> Task:
    """Make one task of all notebooks of a student for a lab: the readable one with the lab's name, or the newest."""
    # Who hands in the whole folder hands in the notebooks to begin anew from, too.
    books = [one for one in books if not one[0].is_spare] or books
    own_names = (lab.split("/")[1] + ".ipynb", lab.replace("/", "-") + ".ipynb")
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
