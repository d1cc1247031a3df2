"""`labs check`: run a saved notebook in a fresh kernel and say what its checks find."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from labs.kit.command import workspace
from labs.kit.curriculum import Curriculum, Lab
from labs.kit.errors import LabsError
from labs.kit.load import exercises
from labs.kit.observe import BLANK_MESSAGE
from labs.kit.warm import spec
from labs.kit.warm.sockets import own_sockets

PASSED = "passed"
_STATES = {"✓": PASSED, "✗": "wrong", "○": "blank", "!": "error"}
_CARD = re.compile(rf"^([{''.join(_STATES)}]) (\w+): ")


@dataclass(frozen=True)
class Found:
    """What the check of one exercise found.

    Attributes:
        exercise: its name.
        state: "passed", "wrong", "blank" or "error" as the check says, or "unchecked" where it did not run.
        text: the check's card as text, or a sentence on why there is none.
    """

    exercise: str
    state: str
    text: str


def check(curriculum: Curriculum, name: str, seconds: int, on_cell=lambda done, cells: None) -> list[Found]:
    """Run a notebook from top to bottom in a kernel of its own, and return what each check found.

    The file itself is only read. What passes counts in the learner's progress, as it does in JupyterLab.

    Args:
        curriculum: all labs.
        name: the path of a notebook, or the name of a lab, which means the learner's copy of it.
        seconds: how long one cell may take.
        on_cell: called after each code cell with how many are done and how many there are.

    Raises:
        LabsError: there is no such notebook, it is none of a lab, or its kernel died.
    """
    file = _file(curriculum, name)
    notebook = _read(file)
    lab = _lab(curriculum, notebook, file)
    _run(notebook, file, seconds, on_cell)
    return [_found(exercise, notebook) for exercise in exercises(lab)]


def _file(curriculum: Curriculum, name: str) -> Path:
    file = Path(name).expanduser()
    if file.is_file():
        return file
    if name in curriculum.labs:
        copy = workspace.copy_of(curriculum.lab(name))
        if not copy.is_file():
            raise LabsError(f"You have no copy of {name} yet: `labs start {name}` makes one.")
        return copy
    if file.suffix == ".ipynb" or file.exists():
        raise LabsError(f"There is no notebook {file}: give its path, or the name of a lab.")
    raise LabsError(f"{name} is neither a notebook nor a lab: `labs list` shows the labs.")


def _read(file: Path) -> Any:
    import nbformat

    try:
        return nbformat.read(file, as_version=4)
    except OSError as error:
        raise LabsError(f"{file} cannot be read ({error.strerror}).") from error
    except Exception as error:  # nbformat raises whatever its parser and validator raise
        raise LabsError(f"{file} is not a notebook: open it in JupyterLab and save it again.") from error


def _lab(curriculum: Curriculum, notebook: Any, file: Path) -> Lab:
    name = notebook.metadata.get("labs", {}).get("name")
    if not name:
        raise LabsError(f"{file} is no notebook of a lab: it does not say which one.")
    return curriculum.lab(name)


def _run(notebook: Any, file: Path, seconds: int, on_cell) -> None:
    """Run the cells in place."""
    from jupyter_client.kernelspec import NoSuchKernel
    from nbclient import NotebookClient
    from nbclient.exceptions import CellTimeoutError, DeadKernelError

    spec.install()
    cells = [cell for cell in notebook.cells if cell.cell_type == "code"]
    done = iter(range(1, len(cells) + 1))
    with TemporaryDirectory(prefix="tensorflow-labs-") as folder:
        client = NotebookClient(
            notebook,
            kernel_name=notebook.metadata.get("kernelspec", {}).get("name", spec.NAME),
            timeout=seconds,
            allow_errors=True,
            resources={"metadata": {"path": str(file.parent)}},
            on_cell_executed=lambda **_: on_cell(next(done, len(cells)), len(cells)),
            config=own_sockets(folder),
        )
        try:
            client.execute()
        except CellTimeoutError:
            raise LabsError(
                f"A cell of {file.name} ran longer than {seconds} seconds: does it loop for ever? "
                "`--seconds` gives it more time."
            ) from None
        except DeadKernelError:
            raise LabsError(
                f"The kernel died while it ran {file.name}: a cell ended it, or the memory ran out."
            ) from None
        except NoSuchKernel as error:
            raise LabsError(
                f"{file.name} asks for the kernel {error.name}, which is not installed here."
            ) from None


def _found(exercise: str, notebook: Any) -> Found:
    """Return what the last check of `exercise` showed, or why there is nothing to show."""
    cells = [cell for cell in notebook.cells if cell.cell_type == "code"]
    cards = [(match, text) for cell in cells for text in _texts(cell) if (match := _CARD.match(text))]
    mine = [(_STATES[match[1]], text) for match, text in cards if match[2] == exercise]
    state, text = mine[-1] if mine else ("unchecked", "")
    if state in ("blank", "unchecked"):
        # A slip of syntax leaves nothing behind that could be checked: Python's own words are the answer.
        failed = next(filter(None, (_failure(cell) for cell in cells if _defines(exercise, cell))), "")
        if failed:
            return Found(exercise, "error", f"! {exercise}: Stopped with an error\n  {failed}")
    return Found(
        exercise,
        state,
        text or f"? {exercise}: Not checked\n  No cell ran `lab.check({exercise})` to its end.",
    )


def _defines(exercise: str, cell: Any) -> bool:
    return cell.get("id") == f"exercise-{exercise}" or bool(
        re.search(rf"^(?:def|class)\s+{exercise}\b", cell.source, re.M)
    )


def _failure(cell: Any) -> str:
    """Return the error that a cell ended in, on one line; nothing for the blank's own."""
    for output in cell.get("outputs", []):
        if output.output_type == "error" and BLANK_MESSAGE not in output.evalue:
            said = re.sub(r"\(\S+\.py, line", "(line", " ".join(output.evalue.split()))
            return f"{output.ename}: {said}"
    return ""


def _texts(cell: Any) -> Iterator[str]:
    for output in cell.get("outputs", []):
        text = output.get("text") or output.get("data", {}).get("text/plain", "")
        yield text if isinstance(text, str) else "".join(text)
