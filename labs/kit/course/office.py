"""What the grader asks its clerk, the locked-up process that reads cells, draws inputs and judges evidence."""

from typing import Any

from labs.kit.course.installed import Installed
from labs.kit.course.locked.client import Held, Nursery
from labs.kit.course.locked.frames import FrameError
from labs.kit.course.locked.warden import Limits

SECONDS = 30
_LIMITS = Limits(memory=3 << 30, disk=16 << 20, processes=256, seconds=100_000)
Cases = list[tuple[dict[str, Any], int]]


class Broken(Exception):
    """The clerk did not survive what it was asked to look at, or took too long."""


class Office:
    """A clerk, replaced when one has ended. For one thread.

    Args:
        nursery: where clerks come from.
    """

    def __init__(self, nursery: Nursery):
        self.nursery = nursery
        self.locked = nursery.locked
        self._clerk: Held | None = None
        self._learned: set[str] = set()
        self._cases: dict[tuple[str, str, int], Cases] = {}

    def read(self, sources: list[str]) -> list[dict[str, Any]]:
        """Return what Python makes of each of some cells; see `labs.kit.course.locked.clerk.read_cell`.

        Raises:
            Broken: it cannot be told.
        """
        return self._ask({"do": "read", "sources": sources})["cells"]

    def draw(self, lab: Installed, exercise: str, seed: int) -> Cases:
        """Return an exercise's inputs, each with the seed that it is observed under."""
        key = (lab.lab.name, exercise, seed)
        if key not in self._cases:
            self._learn(lab)
            told = self._ask({"do": "draw", "lab": lab.lab.name, "exercise": exercise, "seed": seed})
            self._cases[key] = [(case, number) for case, number in told["cases"]]
        return self._cases[key]

    def judge(self, lab: Installed, exercise: str, seed: int, seen: list[list[Any]]) -> dict[str, Any]:
        """Return what evidence comes to; see `labs.kit.course.locked.clerk.Clerk.judge`.

        Raises:
            Broken: it cannot be told.
        """
        self._learn(lab)
        asked = {"do": "judge", "lab": lab.lab.name, "exercise": exercise, "seed": seed, "seen": seen}
        return self._ask(asked)

    def _learn(self, lab: Installed) -> None:
        if self._clerk is None or lab.lab.name not in self._learned:
            self._ask({"do": "learn", "lab": lab.lab.name, "source": lab.lab.checks.read_text("utf-8")})
            self._learned.add(lab.lab.name)

    def _ask(self, question: dict[str, Any]) -> dict[str, Any]:
        if self._clerk is None:
            self._clerk = self.nursery.ask("clerk", _LIMITS)
            self._learned = set()
        try:
            self._clerk.channel.send(question, SECONDS)
            return self._clerk.channel.receive(SECONDS)
        except (TimeoutError, EOFError, FrameError) as error:
            why = self._clerk.end()["why"]
            self._clerk = None
            raise Broken(f"{type(error).__name__}, {why}") from None
