"""What `labs` alone says: where one stands, and what can be typed next."""

from labs.kit import progress
from labs.kit.command import where
from labs.kit.curriculum import Curriculum

COMMANDS = """\
  labs start       {start}
  labs next        the next lab
  labs list        what there is to learn
  labs hint        a hint for the exercise you are at
  labs check       all checks of the lab you are in
  labs progress    what you have passed
  labs doctor      find out what is wrong, and what mends it
  labs --help      everything else
"""


def overview(curriculum: Curriculum) -> str:
    """Return a few lines: the learner's state and the commands."""
    here = where.current(curriculum)
    if here is None:
        head = "TensorFlow Labs: hands-on labs that run offline and say what is wrong with an answer."
        return f"{head}\n\n{COMMANDS.format(start='open the first lab in JupyterLab')}"
    rows = progress.report(curriculum)
    passed, exercises = (sum(row[key] for row in rows) for key in ("passed", "exercises"))
    done = progress.states()
    left = where.unpassed(here, done)
    if left:
        state = f"You are in {here.title} ({here.name}), {_number(len(left), 'exercise')} to go."
    else:
        state = f"You have finished {here.title} ({here.name})."
    lab = where.go_on(curriculum, done)
    start = f"go on with {lab.name}" if lab == here else f"begin {lab.name}"
    total = f"{passed} of {_number(exercises, 'exercise')} passed in all."
    return f"{state} {total}\n\n{COMMANDS.format(start=start)}"


def _number(count: int, noun: str) -> str:
    return f"{count} {noun}{'s' * (count != 1)}"
