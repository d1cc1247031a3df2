"""What the grader asks its clerk, the locked-up process that reads cells, draws inputs and judges evidence."""

from collections.abc import Callable
from typing import Any

from labs.kit.course.installed import Installed
from labs.kit.course.locked.client import Ended, Held, Nursery, shared
from labs.kit.course.locked.frames import FrameError
from labs.kit.course.locked.warden import Limits
from labs.kit.errors import LabsError

SECONDS = 30
# What student code takes goes first when the machine runs out of memory.
_LIMITS = Limits(memory=3 << 30, disk=16 << 20, processes=256, seconds=100_000, expendable=500)
_BY_ITSELF = ("exit", "signal", "memory", "disk", "processes")
Cases = list[tuple[dict[str, Any], int]]


class Broken(Exception):
    """Two clerks, one after the other, did not survive what they were asked to look at, or took too long.

    Attributes:
        by_itself: whether that is the doing of what they looked at; the machine may be slow, or out of memory.
    """

    def __init__(self, why: str, by_itself: bool):
        super().__init__(why)
        self.by_itself = by_itself


class Office:
    """A clerk, replaced when one has ended. For one thread.

    Args:
        locked: whether its processes are locked up.

    Raises:
        LabsError: nothing can be locked up here, or TensorFlow cannot be imported.
    """

    def __init__(self, locked: bool):
        self.locked = locked
        self._nursery = shared(locked)
        self._clerk: Held | None = None
        self._learned: set[str] = set()
        self._cases: dict[tuple[str, str, int], Cases] = {}

    @property
    def closed(self) -> bool:
        """Whether this process has closed what clerks come from."""
        return self._nursery.closed

    @property
    def nursery(self) -> Nursery:
        """Where processes come from; another one where that has died.

        Raises:
            LabsError: it was closed, or no other can be started.
        """
        if self.closed:
            raise LabsError("Grading was stopped.")
        if self._nursery.ended:
            self._nursery = shared(self.locked)
        return self._nursery

    def read(self, sources: list[str]) -> list[dict[str, Any]]:
        """Return what Python makes of each of some cells; see `labs.kit.course.locked.clerk.read_cell`.

        Raises:
            Broken: it cannot be told.
        """
        return self._twice(lambda: self._ask({"do": "read", "sources": sources}))["cells"]

    def draw(self, lab: Installed, exercise: str, seed: int) -> Cases:
        """Return an exercise's inputs, each with the seed that it is observed under.

        Raises:
            Broken: it cannot be told.
        """
        key = (lab.lab.name, exercise, seed)
        if key not in self._cases:
            asked = {"do": "draw", "lab": lab.lab.name, "exercise": exercise, "seed": seed}
            told = self._twice(lambda: self._ask_about(lab, asked))
            self._cases[key] = [(case, number) for case, number in told["cases"]]
        return self._cases[key]

    def judge(self, lab: Installed, exercise: str, seed: int, seen: list[list[Any]]) -> dict[str, Any]:
        """Return what evidence comes to; see `labs.kit.course.locked.clerk.Clerk.judge`.

        Raises:
            Broken: it cannot be told.
        """
        asked = {"do": "judge", "lab": lab.lab.name, "exercise": exercise, "seed": seed, "seen": seen}
        return self._twice(lambda: self._ask_about(lab, asked))

    def _twice(self, ask: Callable[[], dict[str, Any]]) -> dict[str, Any]:
        """Ask once more, another clerk, before anything is concluded from the end of the first."""
        try:
            return ask()
        except Broken:
            return ask()

    def _ask_about(self, lab: Installed, question: dict[str, Any]) -> dict[str, Any]:
        if self._clerk is None or lab.lab.name not in self._learned:
            self._ask({"do": "learn", "lab": lab.lab.name, "source": lab.lab.checks.read_text("utf-8")})
            self._learned.add(lab.lab.name)
        return self._ask(question)

    def _ask(self, question: dict[str, Any]) -> dict[str, Any]:
        if self._clerk is None:
            try:
                self._clerk = self.nursery.ask("clerk", _LIMITS)
            except Ended as error:
                raise Broken(str(error), by_itself=False) from None
            self._learned = set()
        try:
            self._clerk.channel.send(question, SECONDS)
            return self._clerk.channel.receive(SECONDS)
        except (TimeoutError, EOFError, FrameError) as error:
            why = self._clerk.end()["why"]
            self._clerk = None
            by_itself = why in _BY_ITSELF and not isinstance(error, TimeoutError)
            raise Broken(f"{type(error).__name__}, {why}", by_itself) from None
