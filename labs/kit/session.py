"""One learner's run of one lab: what `labs.start` gives."""

import atexit
import sys
import tempfile
from collections.abc import Iterator, MutableMapping
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from functools import cached_property
from io import StringIO
from pathlib import Path
from typing import Any

from labs.kit import data, paths, plots, progress, quiet
from labs.kit.cores import cores
from labs.kit.curriculum import Lab, load
from labs.kit.errors import LabsError
from labs.kit.examine import examine
from labs.kit.exercise import Exercise
from labs.kit.feedback import hint_card, verdict_card
from labs.kit.load import exercises
from labs.kit.meanings import message
from labs.kit.observe import BLANK_MESSAGE
from labs.kit.reference import is_there, reference

SEED = 42

_earned: dict[tuple[str, str], bool] = {}
"""By lab and exercise, whether it passed when its points were counted first, where notebooks are graded."""


def start(name: str) -> "Session":
    """Begin the lab `name` in this notebook: seeds, quiet logs, a GPU if there is one.

    Prints one line with the versions and the device it runs on.

    Raises:
        LabsError: there is no such lab, or Keras was imported with another backend.
    """
    lab = load().lab(name)
    session = Session(lab, sys._getframe(1).f_globals)
    print(session.device_line)
    return session


class Session:
    """A lab's checks, hints, data and figures, bound to one notebook.

    Attributes:
        name: the lab's name.
        seed: what every random generator is set to at the start and after each check.
        scratch: a folder for files of this run, removed when the kernel ends.
    """

    def __init__(self, lab: Lab, namespace: MutableMapping[str, Any]):
        self.name = lab.name
        self.seed = SEED
        self._lab = lab
        self._namespace = namespace
        self._exercises = exercises(lab)
        self._attempts: dict[str, Any] = {}
        self._references: dict[str, Any] = {}
        self._tf = quiet.tensorflow()
        _require_tensorflow_backend()
        self._gpus = _gpus(self._tf)
        self.reseed()
        plots.style()
        for exercise in self._exercises:
            namespace.setdefault(exercise, Unwritten(exercise))

    @property
    def device_line(self) -> str:
        """One line: versions, device, seed."""
        import keras

        device = ", ".join(f"GPU ({name})" for name in self._gpus) or f"CPU ({cores()} cores)"
        versions = f"TensorFlow {self._tf.__version__}, Keras {keras.__version__}"
        return f"{self.name}: {versions}, on {device}, seed {self.seed}"

    @property
    def has_gpu(self) -> bool:
        """Whether TensorFlow sees a GPU."""
        return bool(self._gpus)

    @cached_property
    def scratch(self) -> Path:
        """A folder for files of this run, removed when the kernel ends."""
        folder = tempfile.TemporaryDirectory(prefix="tensorflow-labs-", ignore_cleanup_errors=True)
        atexit.register(folder.cleanup)
        return Path(folder.name)

    def reseed(self) -> None:
        """Set the seeds of Python, NumPy and TensorFlow to `seed` again."""
        import keras

        keras.utils.set_random_seed(self.seed)

    def check(self, attempt: Any) -> Any:
        """Check an exercise, show what was found, and return something that works.

        Args:
            attempt: the function or class that you wrote.

        Returns:
            `attempt` if it passed; otherwise the reference, so that the cells below run. Work that counts comes
            without references: there it is always `attempt`.

        Raises:
            LabsError: `attempt` is none of this lab's exercises.
        """
        exercise = self._exercise(attempt)
        attempt = self._learners_own(exercise.name, attempt)
        verdict = examine(exercise, attempt)
        self.reseed()
        progress.record(
            "check",
            self.name,
            exercise.name,
            state=verdict.state,
            diagnosis=verdict.diagnosis,
            points=exercise.points if verdict.state == "passed" else 0,
        )
        passed = verdict.state == "passed"
        left = len(exercise.hints) - progress.hints_seen(self.name, exercise.name)
        fallback = not passed and is_there(self._lab, exercise.name)
        alone = not (passed or fallback)
        _display(verdict_card(exercise, verdict, max(left, 0), fallback, alone, self.name))
        return self._reference(exercise.name) if fallback else attempt

    def points(self, name: str, of: int) -> int:
        """Return what an exercise earns: `of` if what you wrote last passes its check, otherwise 0.

        nbgrader reads the value of the cell. Nothing is shown, for it takes a warning on standard error for a
        failure. Where notebooks are graded, the first count stands, for after it the cells below go on with a
        working version.

        Args:
            name: the exercise.
            of: the points that it can earn.

        Raises:
            LabsError: it is none of this lab's exercises.
        """
        exercise = self._exercise(name)
        counted = (self.name, name)
        if counted in _earned:
            return of if _earned[counted] else 0
        attempt = self._attempts.get(name, self._namespace.get(name))
        with redirect_stdout(StringIO()), redirect_stderr(StringIO()), quiet.quiet_stderr():
            verdict = examine(exercise, attempt)
        self.reseed()
        passed = verdict.state == "passed"
        if paths.grading():
            _earned[counted] = passed
            if not passed:
                self._namespace[name] = self._reference(name)
        return of if passed else 0

    def hint(self, attempt: Any) -> None:
        """Show the next hint of an exercise; after the last, the last again.

        Args:
            attempt: the function or class, or its name.

        Raises:
            LabsError: it is none of this lab's exercises.
        """
        exercise = self._exercise(attempt)
        number = progress.next_hint(self.name, exercise.name, len(exercise.hints))
        _display(hint_card(exercise, number))

    def load(self, name: str, **options: Any) -> Any:
        """Load a data set; see `labs.kit.data.load`."""
        return data.load(name, **options)

    def folder(self, name: str) -> Path:
        """Return the folder of a data set that consists of files; see `labs.kit.data.folder`."""
        return data.folder(name)

    def labels(self, name: str) -> list[str]:
        """Return the class names of a data set, in the order of their numbers."""
        return data.labels(name)

    def show(self, figure: Any, alt: str) -> None:
        """Show a figure with its description; see `labs.kit.plots.show`."""
        plots.show(figure, alt)

    @contextmanager
    def fails(self, expected: type[BaseException]) -> Iterator[None]:
        """Run a block that must fail with `expected`, and print the message instead of a traceback.

        Raises:
            LabsError: the block did not fail: what the lab says here is no longer true.
        """
        try:
            yield
        except expected as error:
            print(f"{type(error).__name__}: {message(error)}")
        else:
            raise LabsError(f"This was meant to fail with {expected.__name__}, and it did not.")

    def _reference(self, name: str) -> Any:
        self._references[name] = reference(self._lab, name, self._namespace)
        return self._references[name]

    def _learners_own(self, name: str, attempt: Any) -> Any:
        """Return what the learner wrote, when a check is run twice and its name now holds the reference."""
        if attempt is self._references.get(name):
            return self._attempts[name]
        self._attempts[name] = attempt
        return attempt

    def _exercise(self, attempt: Any) -> Exercise:
        if isinstance(attempt, str) and attempt in self._exercises:
            return self._exercises[attempt]
        bound = [name for name in self._exercises if self._namespace.get(name) is attempt]
        name = bound[0] if bound else getattr(attempt, "__name__", None)
        if name not in self._exercises:
            raise LabsError(
                f"That is none of this lab's exercises, which are {', '.join(self._exercises)}. "
                "Keep the name that the exercise gave to your function or class."
            )
        return self._exercises[name]


class Unwritten:
    """Stands for an exercise whose cell has not run, so that its check can say so.

    Args:
        name: the exercise.
    """

    def __init__(self, name: str):
        self.__name__ = name

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Raise what an unfilled blank raises."""
        raise NotImplementedError(BLANK_MESSAGE)


def _display(card: Any) -> None:
    if "IPython" in sys.modules and sys.modules["IPython"].get_ipython():
        sys.modules["IPython"].display.display(card)
    else:
        print(card.text)


def _require_tensorflow_backend() -> None:
    import keras

    if keras.backend.backend() != "tensorflow":
        raise LabsError(
            f"Keras runs on {keras.backend.backend()} here. Restart the kernel with KERAS_BACKEND=tensorflow, "
            "or unset it, and run this cell first."
        )


def _gpus(tf: Any) -> list[str]:
    """Return the names of the GPUs, each set to take memory as it needs it."""
    devices = tf.config.list_physical_devices("GPU")
    for device in devices:
        try:
            tf.config.experimental.set_memory_growth(device, True)
        except RuntimeError:
            break  # the GPU is in use already: `labs.start` ran before in this kernel
    details = [tf.config.experimental.get_device_details(device) for device in devices]
    return [detail.get("device_name", "unnamed") for detail in details]
