"""What all tests share: a home of its own, so that no test touches the progress of the person running it."""

import sys

# jsonschema imports this eagerly for a check that is not used here, and it takes seconds (jsonschema#1428).
sys.modules.setdefault("rfc3987_syntax", None)

import signal  # noqa: E402

import pytest  # noqa: E402

from labs.kit.diagnosis import Misconception, Misread  # noqa: E402
from labs.kit.exercise import check  # noqa: E402

# A shell starts what it runs in the background with Ctrl-C ignored, and every process under it inherits that;
# the tests send that signal to servers and kernels.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(autouse=True)
def own_home(tmp_path_factory, monkeypatch):
    """Give each test its own folder for progress and fetched data."""
    home = tmp_path_factory.mktemp("home")
    monkeypatch.setenv("LABS_HOME", str(home))
    return home


@pytest.fixture
def double():
    """Return an exercise that needs no TensorFlow: twice a number or array."""

    @check(points=2, minutes=3, difficulty="easy", hints=("One.", "Two.", "`return 2 * x`"))
    class double:
        """Return twice `x`."""

        misconceptions = {
            "adds-two": Misconception("You added 2.", "What is twice 5?"),
            "squares": Misconception("You squared `x`.", "What is twice 5?"),
            "wants-a-string": Misconception(
                "You treated `x` as text.", "What is `x`?", raises="AttributeError"
            ),
            "other-number": Misconception("That is not twice `x`.", "Try it with 5."),
        }

        @staticmethod
        def given(rng):
            yield {"x": 5}
            yield {"x": rng.integers(3, 9, 4)}

        @staticmethod
        def when(double, x):
            return {"result": double(x)}

        @staticmethod
        def then(seen, x):
            import numpy as np

            if np.array_equal(seen["result"], x * 2):
                return
            names = (("adds-two", x + 2), ("squares", x * x))
            known = [name for name, value in names if np.array_equal(seen["result"], value)]
            raise Misread(known[0] if known else "other-number", expected=x * 2, got=seen["result"])

    return double


def pytest_terminal_summary(terminalreporter):
    """Say loudly which tests did not run for want of a program: nobody may take that for a pass."""
    skipped = [str(report.longrepr) for report in terminalreporter.stats.get("skipped", ())]
    for wanting, title, mend in (
        (
            "no Chromium",
            "BROWSER TESTS NOT RUN",
            "No Chromium was found. On Debian: apt-get install chromium",
        ),
        (
            "no JupyterHub",
            "THE EXAMPLE WITH JUPYTERHUB WAS NOT RUN",
            "It needs jupyterhub from PyPI, and in examples/jupyterhub: npm install",
        ),
    ):
        if any(wanting in reason for reason in skipped):
            terminalreporter.section(title, red=True, bold=True)
            terminalreporter.line(mend)
