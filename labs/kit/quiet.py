"""Import TensorFlow without its log lines, and hush what else talks past Python.

TensorFlow writes to the process's standard error from C++ while it is imported, before any log level
is read (tensorflow#100442), so the file descriptor itself is turned away for that moment.
"""

import os
import sys
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout, suppress
from types import ModuleType


@contextmanager
def quiet_stderr() -> Iterator[None]:
    """Hold back what is written to file descriptor 2; give it out if the block raises."""
    sys.stderr.flush()
    saved = os.dup(2)
    with tempfile.TemporaryFile() as held:
        os.dup2(held.fileno(), 2)
        try:
            yield
        except BaseException:
            os.dup2(saved, 2)
            held.seek(0)
            os.write(2, held.read())
            raise
        finally:
            os.dup2(saved, 2)
            os.close(saved)


@contextmanager
def quiet() -> Iterator[None]:
    """Turn away what the block writes, in Python and from C++ (file descriptors 1 and 2), and its warnings.

    For a library that talks past Python's logging, as the converter to LiteRT does. An exception passes on.
    """
    for stream in (sys.stdout, sys.stderr):
        stream.flush()
    saved = [(descriptor, os.dup(descriptor)) for descriptor in (1, 2)]
    with (
        open(os.devnull, "w") as nowhere,
        warnings.catch_warnings(action="ignore"),
        redirect_stdout(nowhere),
        redirect_stderr(nowhere),
    ):
        try:
            for descriptor, _ in saved:
                os.dup2(nowhere.fileno(), descriptor)
            yield
        finally:
            nowhere.flush()
            for descriptor, was in saved:
                os.dup2(was, descriptor)
                os.close(was)


def tensorflow() -> ModuleType:
    """Import TensorFlow and Keras with errors only in the log, and return TensorFlow.

    Raises:
        ImportError: TensorFlow is not installed or cannot be loaded.
    """
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    os.environ.setdefault("KERAS_BACKEND", "tensorflow")
    with quiet_stderr():
        import keras  # noqa: F401 - the first import is what must be quiet
        import tensorflow as tf
    with suppress(ImportError):
        from absl import logging

        logging.set_verbosity(logging.ERROR)
    tf.get_logger().setLevel("ERROR")
    # Keras 3.15 warns of its own default whenever `fit` is given a tf.data.Dataset.
    warnings.filterwarnings("ignore", message="`shuffle=True` was passed, but will be ignored")
    # TensorFlow Hub asks setuptools for its own version, which setuptools wants nobody to do any more.
    warnings.filterwarnings("ignore", message="pkg_resources is deprecated as an API")
    return tf
