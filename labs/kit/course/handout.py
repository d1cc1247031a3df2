"""What is handed out, together with what it is made from."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from labs.kit.course.assignment import Assignment
from labs.kit.curriculum import Curriculum, Lab


@dataclass(frozen=True)
class Handout:
    """An assignment and the labs that it is made from.

    Attributes:
        assignment: labs, points, due date.
        curriculum: all labs there are.
        unseen: by lab and exercise, the diagnoses that only hidden inputs show; they lose their words.
    """

    assignment: Assignment
    curriculum: Curriculum
    unseen: Mapping[str, Mapping[str, set[str]]] = field(default_factory=dict)

    @property
    def labs(self) -> list[Lab]:
        """The labs to hand out, in order."""
        return [self.curriculum.lab(work.name) for work in self.assignment.labs]

    def points(self, lab: str) -> dict[str, int]:
        """Return what each exercise of a lab gives."""
        works = {work.name: work for work in self.assignment.labs}
        return {part.name: part.points for part in works[lab].exercises}

    def path(self, lab: str) -> str:
        """Return the path of a lab's notebook in the students' folder."""
        return {work.name: work.notebook for work in self.assignment.labs}[lab]
