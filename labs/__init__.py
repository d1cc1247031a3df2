"""TensorFlow Labs: what a lab and its checks may import.

`start` begins a lab in a notebook. `check`, `Misconception` and `Misread` write an exercise's checks,
`right` and `wrong` the answers that hold them to it; `plots` draws figures, and `quiet` hushes a library that
talks past Python's logging. TensorFlow is not imported here.
"""

from labs.kit import plots
from labs.kit.answers import right, wrong
from labs.kit.diagnosis import Misconception, Misread
from labs.kit.exercise import check
from labs.kit.lazy import lazy
from labs.kit.quiet import quiet
from labs.kit.session import start

__all__ = ["Misconception", "Misread", "check", "lazy", "plots", "quiet", "right", "start", "wrong"]
