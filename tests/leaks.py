"""What must not be handed out, and all text in which it could be."""

import io
import json
import re
import zipfile

from labs.kit import paths
from labs.kit.course import student_kit
from labs.kit.course.answer_source import written


def texts(folder):
    """Yield all text in a folder: of files, of what is in zips and wheels, and of packed checks, unpacked."""
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        yield from _texts(path.relative_to(folder).as_posix(), path.read_bytes())


def _texts(name, content):
    if content[:2] == b"PK":
        with zipfile.ZipFile(io.BytesIO(content)) as packed:
            for member in packed.namelist():
                yield from _texts(f"{name}!{member}", packed.read(member))
    else:
        text = content.decode("utf-8", "replace")
        yield name, text
        if name.endswith(".ipynb"):
            yield f"{name}!cells", "\n".join("".join(c["source"]) for c in json.loads(text)["cells"])
        if "_TEXT = zlib" in text:
            scope = {}
            exec(compile(text.split("\nexec(")[0], name, "exec"), scope)
            yield f"{name}!unpacked", scope["_TEXT"]


def squeezed(text):
    return re.sub(r"\s+", "", text)


def secrets(lab):
    """Yield what must not be handed out: each line of a solution and of an answer that says anything.

    A line that the learner's notebook itself has elsewhere, in a demonstration, is no secret, nor is one of the kit,
    which knows no lab.
    """
    kit = squeezed(
        "".join(path.read_text("utf-8") for path, _ in student_kit.files() if path.suffix == ".py")
    )
    learner = json.loads((paths.notebooks() / "learn" / f"{lab.name}.ipynb").read_text("utf-8"))
    shown = squeezed("\n".join("".join(cell["source"]) for cell in learner["cells"]))
    solved = lab.source.read_text("utf-8")
    bodies = re.findall(r"### BEGIN SOLUTION\n(.*?)### END SOLUTION", solved, re.S)
    assert len(bodies) >= 4
    bodies += [answer.shown for answer in written(lab)]
    for body in bodies:
        for line in body.splitlines():
            line = squeezed(line.split("#")[0])
            if len(line) >= 25 and line not in shown + kit:
                yield line
