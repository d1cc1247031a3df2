"""The curriculum: modules, labs and their cards, read from `curriculum.toml` and the labs' headers."""

import difflib
import tomllib
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cached_property
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import yaml

from labs.kit import paths
from labs.kit.errors import LabsError

LEVELS = ("beginner", "intermediate", "advanced")
FILES = ("lab.py", "checks.py", "answers.py")


@dataclass(frozen=True)
class Replacement:
    """Something that the ecosystem has moved: the `old` name that people still meet, and the `new` one."""

    old: str
    new: str


@dataclass(frozen=True)
class Lab:
    """One lab: its place and its card.

    Attributes:
        name: `module/lab`, the same as its folder under `labs`.
        folder: the folder with `lab.py`, `checks.py` and `answers.py`.
        title: the heading of the notebook.
        promise: one sentence, what the learner gets out of it.
        minutes: how long a learner works on it.
        level: one of `LEVELS`.
        prerequisites: names of the labs to do first.
        outcomes: what the learner will be able to do.
        data: names of the embedded data sets used.
        cpu_seconds: how much processor time a full run may take on two cores.
        replaces: what the ecosystem has moved.
    """

    name: str
    folder: Path
    title: str
    promise: str
    minutes: int
    level: str
    outcomes: tuple[str, ...]
    cpu_seconds: int
    prerequisites: tuple[str, ...] = ()
    data: tuple[str, ...] = ()
    replaces: tuple[Replacement, ...] = ()

    @property
    def source(self) -> Path:
        """The lab's notebook as text, with its solutions."""
        return self.folder / "lab.py"

    @property
    def checks(self) -> Path:
        """The module that says what each exercise must do."""
        return self.folder / "checks.py"

    @property
    def answers(self) -> Path:
        """The module with right and wrong answers."""
        return self.folder / "answers.py"


@dataclass(frozen=True)
class Module:
    """A group of labs, taught in order.

    Attributes:
        name: the folder under `labs`.
        title: the heading that a person reads.
        labs: the names of its labs.
    """

    name: str
    title: str
    labs: tuple[str, ...]


@dataclass(frozen=True)
class Curriculum:
    """All modules in order, and all labs by name in order.

    Attributes:
        modules: the modules.
        labs: name to lab, in the order of the modules.
    """

    modules: tuple[Module, ...]
    labs: dict[str, Lab] = field(default_factory=dict)

    def lab(self, name: str) -> Lab:
        """Return the lab called `name`.

        Raises:
            LabsError: there is none; the sentence names the nearest.
        """
        if name not in self.labs:
            raise LabsError(unknown("lab", name, self.labs) + " `labs list` shows them all.")
        return self.labs[name]

    def select(self, names: Iterable[str]) -> list[Lab]:
        """Return the labs called `names`, in the order of the curriculum; all of them for no name.

        Raises:
            LabsError: a name is unknown.
        """
        wanted = {self.lab(name).name for name in names}
        return [lab for lab in self.labs.values() if not wanted or lab.name in wanted]

    def next(self, name: str) -> Lab | None:
        """Return the lab after `name` in the order to take them in, or nothing after the last."""
        place = self.order.index(self.lab(name).name) + 1
        return self.labs[self.order[place]] if place < len(self.order) else None

    @cached_property
    def order(self) -> tuple[str, ...]:
        """Names of the labs in the order to take them in: as listed, but every one after its prerequisites."""
        _refuse_circle(self.labs)
        order: list[str] = []
        while len(order) < len(self.labs):
            left = (lab for lab in self.labs.values() if lab.name not in order)
            order.append(next(lab.name for lab in left if set(lab.prerequisites) <= set(order)))
        return tuple(order)


def unknown(kind: str, name: str, known: Iterable[str]) -> str:
    """Return one sentence that `name` is no known `kind`, with the nearest known name."""
    near = difflib.get_close_matches(name, list(known), n=1, cutoff=0.4)
    hint = f" Did you mean `{near[0]}`?" if near else ""
    return f"There is no {kind} called `{name}`.{hint}"


def load(folder: Path | None = None) -> Curriculum:
    """Read `curriculum.toml` in `folder` and the card of every lab.

    By default the labs are those of the handed-out work that the current folder lies in, or those installed.

    Raises:
        LabsError: a file is missing or cannot be read, a card lacks something, a name is unknown or
            given twice, or the prerequisites go round in a circle.
    """
    folder = folder or paths.labs()
    path = folder / "curriculum.toml"
    try:
        listed = tomllib.loads(path.read_text("utf-8")).get("module", [])
    except OSError as error:
        raise LabsError(f"{path} cannot be read ({error.strerror}): the list of labs is missing.") from error
    except tomllib.TOMLDecodeError as error:
        raise LabsError(f"{path} is not valid TOML: {error}.") from error
    modules = tuple(_module(entry, path) for entry in listed)
    labs: dict[str, Lab] = {}
    for name in (name for module in modules for name in module.labs):
        if name in labs:
            raise LabsError(f"{path} lists the lab `{name}` twice; keep one.")
        labs[name] = read_card(name, folder / name)
    for lab in labs.values():
        for needed in lab.prerequisites:
            if needed not in labs:
                raise LabsError(f"{lab.source} asks for a prerequisite: {unknown('lab', needed, labs)}")
    curriculum = Curriculum(modules, labs)
    _ = curriculum.order
    return curriculum


def read_card(name: str, folder: Path) -> Lab:
    """Read the card from the header of the lab in `folder`.

    Raises:
        LabsError: a file is missing, the header cannot be read, or a field is missing, misspelt or wrong.
    """
    for file in FILES:
        if not (folder / file).is_file():
            raise LabsError(f"The lab `{name}` has no {file}: {folder / file} is missing.")
    source = folder / "lab.py"
    card = header(source).get("labs")
    if not isinstance(card, dict):
        raise LabsError(f"{source} has no card: its header needs `jupyter: labs:` with a title and the rest.")
    fields = {
        "title": str,
        "promise": str,
        "minutes": int,
        "level": str,
        "outcomes": list,
        "cpu_seconds": int,
        "prerequisites": list,
        "data": list,
        "replaces": list,
    }
    optional = {"prerequisites", "data", "replaces"}
    for key, value in card.items():
        if key not in fields:
            raise LabsError(f"{source}: {unknown('field of a card', key, fields)}")
        if not isinstance(value, fields[key]):
            raise LabsError(f"{source}: the card's `{key}` must be a {fields[key].__name__}, not {value!r}.")
    for key in fields.keys() - optional:
        if not card.get(key):
            raise LabsError(f"{source}: the card lacks `{key}`.")
    if card["level"] not in LEVELS:
        raise LabsError(f"{source}: {unknown('level', card['level'], LEVELS)}")
    try:
        replaces = tuple(Replacement(**entry) for entry in card.get("replaces", ()))
    except TypeError:
        raise LabsError(f"{source}: each entry of the card's `replaces` needs `old` and `new`.") from None
    lists = {key: tuple(card.get(key, ())) for key in ("outcomes", "prerequisites", "data")}
    return Lab(name=name, folder=folder, **{**card, **lists, "replaces": replaces})


def header(source: Path) -> dict:
    """Return what stands under `jupyter:` in the commented YAML header of `source`.

    Raises:
        LabsError: there is no such header, or it is not valid YAML.
    """
    lines = source.read_text("utf-8").splitlines()
    if not lines or lines[0].strip() != "# ---" or "# ---" not in (line.strip() for line in lines[1:]):
        raise LabsError(f"{source} must begin with a header between two lines `# ---`.")
    end = next(i for i, line in enumerate(lines[1:], 1) if line.strip() == "# ---")
    text = "\n".join(line.removeprefix("#").removeprefix(" ") for line in lines[1:end])
    try:
        return yaml.safe_load(text)["jupyter"]
    except (yaml.YAMLError, KeyError, TypeError) as error:
        raise LabsError(f"{source}: the header is not YAML with `jupyter:` at its top ({error}).") from error


def _module(entry: dict, path: Path) -> Module:
    missing = [key for key in ("name", "title", "labs") if not entry.get(key)]
    if missing:
        raise LabsError(f"{path}: a module lacks `{missing[0]}`: {entry}.")
    stray = [name for name in entry["labs"] if not name.startswith(entry["name"] + "/")]
    if stray:
        raise LabsError(f"{path}: the lab `{stray[0]}` is listed in the module `{entry['name']}`; move one.")
    return Module(entry["name"], entry["title"], tuple(entry["labs"]))


def _refuse_circle(labs: dict[str, Lab]) -> None:
    try:
        TopologicalSorter({lab.name: lab.prerequisites for lab in labs.values()}).prepare()
    except CycleError as error:
        circle = " -> ".join(reversed(error.args[1]))
        raise LabsError(f"These labs wait for one another, so nobody could begin: {circle}.") from None
