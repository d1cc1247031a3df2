"""What a student's cells find in place of JupyterLab and of a running lab: enough to run, and nothing to gain."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import cached_property
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

from labs.kit import data
from labs.kit.session import SEED


class StandIn:
    """In place of `lab = labs.start(...)`: gives data, checks nothing, shows nothing."""

    name = "lab"
    seed = SEED
    has_gpu = False

    @cached_property
    def scratch(self) -> Path:
        """A folder for files of this run."""
        return Path(mkdtemp())

    def reseed(self) -> None:
        """Set the seeds of Python, NumPy and TensorFlow, as after a check."""
        import keras

        keras.utils.set_random_seed(self.seed)

    def check(self, attempt: Any) -> Any:
        """Return `attempt` as it is."""
        return attempt

    def hint(self, attempt: Any) -> None:
        """Do nothing."""

    def show(self, figure: Any, alt: str = "") -> None:
        """Let the figure go."""
        import matplotlib.pyplot as plt

        plt.close(figure)

    def load(self, name: str, **options: Any) -> Any:
        """Load a data set; see `labs.kit.data.load`."""
        return data.load(name, **options)

    def folder(self, name: str) -> Path:
        """Return the folder of a data set; see `labs.kit.data.folder`."""
        return data.folder(name)

    def labels(self, name: str) -> list[str]:
        """Return the class names of a data set."""
        return data.labels(name)

    @contextmanager
    def fails(self, expected: type[BaseException]) -> Iterator[None]:
        """Run a block that may fail with `expected`."""
        with suppress(expected):
            yield


LAB = StandIn()


def start(name: str) -> StandIn:
    """Begin a lab; in place of `labs.start`."""
    return LAB


class Notebook:
    """In place of IPython: magics that run code run it, the others do nothing."""

    def run_line_magic(self, name: str, line: str, *rest: Any) -> None:
        """Run `%name line`."""
        if name in ("time", "timeit", "prun"):
            self.run_cell(line.lstrip("- ").split(" ", 1)[-1] if line.startswith("-") else line)

    def run_cell_magic(self, name: str, line: str, cell: str) -> None:
        """Run `%%name line` with what stands below it."""
        if name in ("time", "timeit", "capture", "prun"):
            self.run_cell(cell)

    def run_cell(self, source: str, *rest: Any, **options: Any) -> None:
        """Run Python in the notebook."""
        import __main__

        exec(compile(source, "<cell magic>", "exec"), vars(__main__))

    def __getattr__(self, name: str) -> Any:
        return lambda *given, **options: None


def get_ipython() -> Notebook:
    """Return what stands for IPython."""
    return Notebook()
