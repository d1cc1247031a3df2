"""`labs assign`: make a folder to hand out of labs of the curriculum, without what gives the answers away.

**What students get.** The learner's notebooks; `assignment.json`, which says what is in it, for how many points and
until when; the folder `material` with the labs' cards, blanks, public checks and the data they need; the students'
kit as a wheel; a README. The same kit serves every assignment of a term: in a folder with an `assignment.json` and
`material`, it takes the labs and the data from there.

**What they do not get.** No solution, no answer, no worked notebook, and no reference: in the curriculum a check that
fails gives back a working version, so that a learner is never blocked. A version that works can be read by whoever
wants to, compiled or not, so in work that counts a check gives back what the student wrote. Cells below that need it
run with that, or stop at the blank and say so; they are tagged so that running all cells goes on, and every other
exercise can be done and checked. The hints end before the last, which is nearly the answer.

**What the checks there tell.** They run on the student's machine, so what they look for can be found out by taking
them apart; they are packed so that nobody finds it by searching or at a glance. With `hidden`, half of the inputs of
each exercise are not there at all (see `public_checks`). Grades do not come from them: graders use the installed
checks, all inputs, and draw them afresh.
"""

import zipfile
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path

from rich.console import Console

from labs.kit import catalog, paths
from labs.kit.course import material, nbgrader_course, readme, student_kit
from labs.kit.course.assignment import (
    Assignment,
    Part,
    Work,
    chosen,
    due_date,
    points_of,
    shown,
    slug,
    title_of,
)
from labs.kit.course.handout import Handout
from labs.kit.course.wording import count
from labs.kit.course.writing import in_one_piece, refuse_taken
from labs.kit.curriculum import Lab, load
from labs.kit.errors import LabsError
from labs.kit.load import exercises

FORMS = ("folder", "zip", "git", "nbgrader")


def command(
    names: list[str],
    out: Path,
    form: str = "folder",
    due: str = "",
    points: list[str] | None = None,
    title: str = "",
    hidden: bool = False,
    hints: int = 2,
) -> int:
    """Write an assignment and say what is in it.

    Args:
        names: modules and labs.
        out: a folder that is new or empty; with `form="zip"`, a file that is not there. An nbgrader course may be
            there: the assignment is added to it.
        form: one of `FORMS`.
        due: until when, in ISO form; empty for no date.
        points: texts such as `prepare=3`, where the lab's own points are not wanted.
        title: what students read at the top; otherwise that of the module or the labs.
        hidden: keep half of the inputs of each exercise for grading.
        hints: how many of the three hints go along.

    Returns:
        0.

    Raises:
        LabsError: a name, a date or points cannot be understood, something is there already, or a tool is missing.
    """
    if form not in FORMS:
        raise LabsError(f"--as {form} is not known: it is one of {', '.join(FORMS)}.")
    if not 0 <= hints <= 3:
        raise LabsError("--hints is a number from 0 to 3: that many of each exercise's hints go along.")
    curriculum = load()
    labs = chosen(curriculum, names)
    if form == "zip" and out.name in ("", ".."):
        raise LabsError(f"--out {out} is a folder: name the zip, for example {out / 'week-1.zip'}.")
    if form == "zip" and out.suffix != ".zip":
        out = out.with_name(f"{out.name}.zip")
    given = points_of(labs, points or [])
    title = " ".join(title.split()) or title_of(curriculum, labs)
    # A folder or file is one assignment; a course has many, told apart by their titles.
    name = slug(title if form == "nbgrader" else out.resolve().name.removesuffix(".zip"))
    until = due_date(due).isoformat() if due else ""
    assignment = Assignment(
        name, title, works(labs, given, form), until, hidden, hints, student_kit.kit_version()
    )
    if form == "nbgrader":
        nbgrader_course.refuse(out, assignment)
    else:
        refuse_taken(out, is_file=form == "zip")
    _refuse_without_parts(Handout(assignment, curriculum), form)
    console = Console(stderr=True)
    handout = Handout(assignment, curriculum, _unseen(labs, console) if hidden else {})
    with console.status("Writing"):
        if form == "nbgrader":
            nbgrader_course.write(out, handout)
        else:
            write(out, handout, form)
    print(_told(handout, out))
    print(_next(handout, out, form))
    return 0


def write(out: Path, handout: Handout, form: str) -> None:
    """Write an assignment as a folder, a zip or a Git repository; whole, or not at all.

    Raises:
        LabsError: something is there already, or it cannot be written.
    """
    with in_one_piece(out, is_file=form == "zip") as place:
        folder = place / handout.assignment.id if form == "zip" else place
        folder.mkdir(exist_ok=True)
        kit = student_kit.write(folder / "kit")
        notebooks = material.notebooks(handout)
        for name, content in notebooks.items():
            path = folder / handout.path(name)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(material.text(content), "utf-8")
        readme.write(folder, handout, readme.GIT if form == "git" else readme.FOLDER, f"kit/{kit.name}")
        material.write(folder / paths.MATERIAL, handout, notebooks)
        if form == "git":
            from labs.kit.course import repository

            repository.write(folder, handout.assignment, kit.name)
        if form == "zip":
            _pack(folder, place / "packed.zip")


def _refuse_without_parts(handout: Handout, form: str) -> None:
    """Refuse what cannot be made here, before anything that takes a minute.

    Raises:
        LabsError: a tool is missing, a notebook is not built, or data is damaged.
    """
    student_kit.require()
    if form == "git":
        from labs.kit.course import repository

        repository.require()
    material.notebooks(handout)
    for name in material.data_of(handout.labs):
        catalog.folder(name)


def works(labs: list[Lab], points: Mapping[tuple[str, str], int], form: str) -> tuple[Work, ...]:
    """Return what of each lab is handed out, in one of `FORMS`; `points` are by lab and exercise."""
    # nbgrader finds notebooks at the top of an assignment's folder only.
    place = "{}-{}.ipynb" if form == "nbgrader" else "{}/{}.ipynb"
    return tuple(
        Work(
            lab.name,
            lab.title,
            lab.minutes,
            place.format(*lab.name.split("/")),
            tuple(Part(name, points[lab.name, name]) for name in exercises(lab)),
        )
        for lab in labs
    )


def _unseen(labs: list[Lab], console: Console) -> dict[str, dict[str, set[str]]]:
    from labs.kit.course.unseen import unseen

    found = {}
    with console.status("Finding out what the public inputs show") as status:
        for lab in labs:
            status.update(f"Finding out what the public inputs show: {lab.name}")
            found[lab.name] = unseen(lab)
    return found


def _told(handout: Handout, out: Path) -> str:
    assignment, labs = handout.assignment, handout.labs
    parts = sum(len(work.exercises) for work in assignment.labs)
    counts = (count(len(labs), "lab"), count(parts, "exercise"), count(assignment.points, "point"))
    lines = [f"{out}: {assignment.title}", f"  {', '.join(counts)}"]
    if assignment.due:
        due = datetime.fromisoformat(assignment.due)
        past = ", which is past" if due < datetime.now(due.tzinfo) else ""
        lines.append(f"  due {shown(due)}{past}")
    if assignment.hidden:
        known = sum(len(one.misconceptions) for lab in labs for one in exercises(lab).values())
        held = sum(len(names) for own in handout.unseen.values() for names in own.values())
        lines.append(
            f"  half of the inputs are hidden; {held} of {count(known, 'known mistake')} show on those only"
        )
    return "\n".join(lines)


def _next(handout: Handout, out: Path, form: str) -> str:
    """Return what to do with what has been written."""
    steps = {
        "folder": f"give students the folder; {out / 'README.md'} tells them the rest",
        "zip": "give students the file; the README.md in it tells them the rest",
        "git": f"push {out} to your Git host and mark it there as a template",
        "nbgrader": f"cd {out} && nbgrader release_assignment {handout.assignment.id}",
    }
    told = f"Next: {steps[form]}."
    own = {lab.name: {name: one.points for name, one in exercises(lab).items()} for lab in handout.labs}
    if form != "nbgrader" and any(handout.points(name) != points for name, points in own.items()):
        told += f"\nWith points of your own, grade with `--assignment {out}`."
    return told


def _pack(folder: Path, target: Path) -> None:
    """Pack `folder` into a zip; the same content gives the same bytes."""
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as packed:
        for path in sorted(path for path in folder.rglob("*") if path.is_file()):
            name = path.relative_to(folder.parent).as_posix()
            entry = zipfile.ZipInfo(name, (2020, 1, 1, 0, 0, 0))
            entry.external_attr = 0o644 << 16
            entry.compress_type = zipfile.ZIP_DEFLATED
            packed.writestr(entry, path.read_bytes())
