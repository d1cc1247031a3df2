"""The nbval plugin: each hole of nbval is shown open without it, and closed with it."""

import base64
import io
import os
import re
import subprocess
import sys
import time
import xml.etree.ElementTree as ElementTree
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from types import SimpleNamespace

import nbformat.v4 as v4
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from nbformat import NotebookNode
from nbval.plugin import get_sanitize_patterns
from PIL import Image

from labs.kit import paths
from labs.kit.author import nbval_plugin
from labs.kit.author.kernel_env import kernel_environment
from labs.kit.author.nbval_cost import Cost, as_lines, as_markdown, packed, unpacked
from labs.kit.author.nbval_figures import figure_faults
from labs.kit.author.nbval_numbers import Tolerance
from labs.kit.author.nbval_outputs import as_on_screen, without_noise
from labs.kit.author.nbval_rules import reason_fault, source_sha256, stale_fault

SANITIZE = paths.LABS / "kit" / "author" / "sanitize.cfg"
PLUGIN = ("-p", "labs.kit.author.nbval_plugin")
LONG_SECONDS = 120
"""Far above what a run takes on a busy machine, far below nbval's 2000 s a cell."""


# Notebooks made here ------------------------------------------------------------------------------------


def png(*levels: int, mode: str = "L") -> str:
    image = Image.new(mode, (4 * len(levels), 4))
    for i, level in enumerate(levels):
        image.paste(level, (4 * i, 0, 4 * i + 4, 4))
    file = io.BytesIO()
    image.save(file, format="PNG")
    return base64.b64encode(file.getvalue()).decode()


DRAWN, BLANK = png(0, 200), png(255, 254)


def printed(text: str, name: str = "stdout") -> NotebookNode:
    return v4.new_output("stream", name=name, text=text)


def shown(**data: str) -> NotebookNode:
    return v4.new_output("display_data", {kind.replace("_", "/"): value for kind, value in data.items()})


def cell(
    source: str, *outputs: NotebookNode, tags: tuple = (), run: bool = True, made_by: str | None = "itself"
):
    """Return a code cell as a build stores it; `made_by` is the source that its hash was taken of."""
    made = v4.new_code_cell(source, outputs=list(outputs), execution_count=1 if run else None)
    if tags:
        made.metadata.tags = list(tags)
    if made_by is not None:
        made.metadata.labs = {"source_sha256": source_sha256(source if made_by == "itself" else made_by)}
    return made


def draw(picture: str) -> str:
    return f"display({{'image/png': '{picture}'}}, raw=True)"


LATE = """
import time
from IPython import get_ipython
kernel = get_ipython().kernel
publish = kernel._publish_status
def late(status, *args, **kwargs):
    if status == "idle":
        time.sleep(8)
        kernel._publish_status = publish
    return publish(status, *args, **kwargs)
kernel._publish_status = late
"""

ENVIRONMENT = """
import os, pathlib
names = ("LABS_SEED", "COLUMNS", "PYTHONHASHSEED", "TF_CPP_MIN_LOG_LEVEL", "MPLBACKEND")
print({name: os.environ.get(name) for name in names})
home = os.environ["LABS_HOME"]
print(home == os.environ["LEARNER"], list(pathlib.Path(home).glob("*.json")), os.listdir("."))
"""

NOISE = "WARNING:tensorflow:5 out of the last 5 calls triggered retracing\n"

HOLES = {
    "never run": cell("print(1)", run=False),
    "other source": cell("print(2)", printed("2\n"), made_by="print(1 + 1)"),
    "no hash": cell("print(3)", printed("3\n"), made_by=None),
    "missing figure": cell("pass", shown(image_png=DRAWN)),
    "figure gone blank": cell(draw(BLANK), shown(image_png=DRAWN)),
    "stored blank": cell(draw(DRAWN), shown(image_png=BLANK)),
    "new figure": cell(draw(DRAWN)),
    "no reason": cell("print('x')", printed("y\n"), tags=("nbval-ignore-output",)),
    "skipped, no reason": cell("print('x')", tags=("nbval-skip",), run=False, made_by=None),
    "noise": cell(f"import sys; _ = sys.stderr.write({NOISE!r})", printed(NOISE, "stderr")),
    "blank though ignored": cell(
        draw(BLANK), shown(image_png=DRAWN), tags=("nbval-ignore-output", "because-it")
    ),
}
"""What nbval lets pass, and the plugin does not."""

FALSE_ALARMS = {
    "float": cell("print('loss 0.12345, 1.0e-07')", printed("loss 0.12348, 1.0004e-07\n")),
    "float in html": cell(
        "display({'text/html': '<td>0.12345</td>', 'text/plain': '[ 0.12345]'}, raw=True)",
        shown(text_html="<td>0.12348</td>", text_plain="[0.12348]"),
    ),
    "coloured": cell(
        r"print('\x1b[1m0.12345\x1b[0m in \x1b[1m12s\x1b[0m')",
        printed("\x1b[1m0.12348\x1b[0m in \x1b[1m4s\x1b[0m\n"),
    ),
    "wide tolerance": cell("print('0.84', 6)", printed("0.82 6\n"), tags=("tolerance-0.05",)),
    "clear_output": cell(
        "from IPython.display import clear_output\n"
        "for i in range(3):\n    clear_output(wait=True)\n    print('step', i)",
        printed("step 2\n"),
    ),
    "update_display": cell(
        "handle = display('a', display_id=True)\nhandle.update('b')", shown(text_plain="'b'")
    ),
    "backspaces": cell(r"print('1/2' + '\b' * 3 + '2/2')", printed("2/2\n")),
    "late idle": cell(LATE),
}
"""What nbval fails although nothing is wrong."""

EITHER = {
    "equal": cell("print('fine', (32, 10))", printed("fine (32, 10)\n")),
    "time": cell("print('12.3 ms')", printed("4 s\n")),
    "environment": cell(
        ENVIRONMENT,
        printed(
            "{'LABS_SEED': None, 'COLUMNS': None, 'PYTHONHASHSEED': '0', 'TF_CPP_MIN_LOG_LEVEL': '3',"
            " 'MPLBACKEND': 'module://matplotlib_inline.backend_inline'}\nFalse [] []\n"
        ),
    ),
    "reason": cell("print('x')", printed("y\n"), tags=("nbval-ignore-output", "because-timings")),
    "integer": cell("print(6000)", printed("6001\n")),
    "far float": cell("print(0.12345)", printed("0.12395\n")),
    "not a number": cell("print(float('nan'))", printed("0.12345\n")),
    "bad tag": cell("print(1)", printed("1\n"), tags=("tolerance-much",)),
    "skipped": cell("1/0", tags=("skip-execution", "because-slow"), run=False, made_by=None),
    "raises": cell("1/0"),
}

DYING = {
    "before death": cell("print(1)", printed("1\n"), made_by=None),
    "death": cell("print('last words', flush=True)\nimport os; os._exit(3)", made_by=None),
    "after death": cell("print(2)", printed("2\n"), made_by=None),
    "long after death": cell("print(3)", printed("3\n"), made_by=None),
}

KILLED = {
    "killed": cell("import os, signal; os.kill(os.getpid(), signal.SIGKILL)", made_by=None),
    "after kill": cell("print(2)", printed("2\n"), made_by=None),
}

LEARN = {
    "learner's cell": cell("print('never run, and that is right')", run=False, made_by=None),
    "learner's figure": cell(draw(BLANK), run=False, made_by=None),
    "learner's reason": cell("print(1)", tags=("nbval-skip",), run=False, made_by=None),
    "endless": cell("while True: print('again')", run=False, made_by=None),
    "after endless": cell("print(1)", run=False, made_by=None),
}


HEADER = """
import sys

def pytest_report_header():
    return f"costly import blocked: {sys.modules.get('rfc3987_syntax') is None}"
"""


@dataclass
class Outcome:
    """What pytest said of one cell."""

    state: str
    text: str
    seconds: float


class Run:
    """One run of pytest on notebooks, in a process of its own."""

    def __init__(self, folder: Path, notebooks: dict[str, dict], *args: str, **env: str):
        folder.mkdir()
        for name, cells in notebooks.items():
            notebook = v4.new_notebook(cells=list(cells.values()))
            (folder / name).write_text(v4.writes(notebook), encoding="utf-8")
        (folder / "pytest.ini").write_text("[pytest]\n")
        (folder / "conftest.py").write_text(HEADER)
        report = folder / "report.xml"
        command = [sys.executable, "-m", "pytest", "-c", str(folder / "pytest.ini"), "--color=no", "-p",
                   "no:cacheprovider", f"--junitxml={report}", *args, str(folder)]  # fmt: skip
        clean = {
            name: value for name, value in os.environ.items() if not name.startswith(("PYTEST_", "COV_"))
        }
        clean["PYTHONPATH"] = str(paths.ROOT)
        done = subprocess.run(
            command,
            cwd=folder,
            env={**clean, **env},
            capture_output=True,
            text=True,
            timeout=LONG_SECONDS,
        )
        self.output = done.stdout + done.stderr
        self.outcomes = {}
        labels = {
            (name, f"Cell {i}"): label for name, cells in notebooks.items() for i, label in enumerate(cells)
        }
        for case in ElementTree.parse(report).iter("testcase"):
            inner = next((node for node in case if node.tag in ("failure", "error", "skipped")), None)
            state = "passed" if inner is None else inner.tag
            text = "" if inner is None else f"{inner.get('message')}\n{inner.text}"
            label = labels[case.get("classname").rpartition("/")[2], case.get("name")]
            self.outcomes[label] = Outcome(state, text, float(case.get("time")))

    def __getitem__(self, label: str) -> Outcome:
        return self.outcomes[label]


HELD = {"holes.ipynb": HOLES | FALSE_ALARMS | EITHER, "dying.ipynb": DYING}
STRICT = ("--nbval", "--nbval-current-env", f"--nbval-sanitize-with={SANITIZE}")
TWO_WORKERS = ("-n", "2", "--dist", "loadscope")


def learner(folder: Path) -> dict[str, str]:
    home = folder / "learner"
    home.mkdir()
    (home / "progress.json").write_text("{}")
    return {
        "LABS_HOME": str(home),
        "LEARNER": str(home),
        "LABS_SEED": "7",
        "MPLBACKEND": "agg",
        "COLUMNS": "200",
    }


@pytest.fixture(scope="module")
def open_holes(tmp_path_factory: pytest.TempPathFactory) -> Run:
    folder = tmp_path_factory.mktemp("open")
    for place in ("run", "again"):
        run = Run(folder / place, HELD, *STRICT, "--nbval-cell-timeout=5", **learner(folder))
        # A kernel of nbval as shipped picks free TCP ports and opens them later: now and then another has taken one.
        if "Kernel didn't respond" not in run.output:
            break
    return run


@pytest.fixture(scope="module")
def closed(tmp_path_factory: pytest.TempPathFactory) -> Run:
    folder = tmp_path_factory.mktemp("closed")
    table = folder / "table.md"
    table.write_text("before\n")
    env = {"LABS_NOTEBOOK_TABLE": str(table), **learner(folder)}
    run = Run(folder / "run", HELD | {"killed.ipynb": KILLED}, *PLUGIN, *STRICT, *TWO_WORKERS, **env)
    run.table = table.read_text()
    return run


@pytest.fixture(scope="module")
def lax(tmp_path_factory: pytest.TempPathFactory) -> Run:
    folder = tmp_path_factory.mktemp("lax")
    options = ("--nbval-lax", "--nbval-current-env", "--nbval-cell-timeout=3")
    return Run(folder / "run", {"learn.ipynb": LEARN}, *PLUGIN, *options)


# The holes ----------------------------------------------------------------------------------------------


SAYS = {
    "never run": "has never been run: run `labs build`",
    "other source": "its output is older than its source: run `labs build`",
    "no hash": "has no hash of the source that made its output",
    "missing figure": "a figure is missing: 1 stored, 0 now",
    "figure gone blank": "fresh figure 1 is blank",
    "stored blank": "stored figure 1 is blank",
    "new figure": "a figure is new: 0 stored, 1 now",
    "no reason": "nbval-ignore-output needs a reason",
    "skipped, no reason": "nbval-skip needs a reason",
    "noise": "log noise of TensorFlow in the fresh output (WARNING:tensorflow:5 out",
    "blank though ignored": "fresh figure 1 is blank",
}


@pytest.mark.parametrize("label", HOLES)
def test_hole_is_open_without_and_closed_with_the_plugin(label: str, open_holes: Run, closed: Run) -> None:
    assert open_holes[label].state in ("passed", "skipped"), open_holes[label].text
    assert closed[label].state == "failure"
    assert SAYS[label] in closed[label].text


@pytest.mark.parametrize("label", FALSE_ALARMS)
def test_false_alarm_is_raised_without_and_silenced_with_the_plugin(
    label: str, open_holes: Run, closed: Run
) -> None:
    assert open_holes[label].state == "failure"
    assert closed[label].state == "passed", closed[label].text


@pytest.mark.parametrize("label", ["equal", "time", "environment", "reason"])
def test_sound_cell_passes(label: str, closed: Run) -> None:
    assert closed[label].state == "passed", closed[label].text


@pytest.mark.parametrize(
    ("label", "says"),
    [
        ("integer", "Cell outputs differ"),
        ("far float", "Cell outputs differ"),
        ("not a number", "Cell outputs differ"),
        ("bad tag", "'tolerance-much' is no tolerance"),
        ("raises", "ZeroDivisionError"),
    ],
)
def test_wrong_cell_fails(label: str, says: str, closed: Run) -> None:
    assert closed[label].state == "failure"
    assert says in closed[label].text


def test_cell_that_is_set_aside_with_a_reason_is_skipped(closed: Run) -> None:
    assert closed["skipped"].state == "skipped"


def test_summary_says_what_is_wrong(closed: Run) -> None:
    assert re.search(r"^FAILED .*Cell 0 - Cell 0: has never been run", closed.output, re.MULTILINE)


def test_nbval_waits_for_a_dead_kernel_and_blames_the_cells_after_it(open_holes: Run) -> None:
    assert "Timeout of 5 seconds" in open_holes["death"].text
    assert "died" not in open_holes["death"].text


def test_death_is_noticed_at_once_and_said_in_plain_words(closed: Run) -> None:
    assert closed["before death"].state == "passed"
    assert closed["death"].state == "failure"
    assert "the kernel died while running this cell: it ended itself with status 3" in closed["death"].text
    assert "last words" in closed["death"].text
    assert closed["death"].seconds < 60
    assert closed["killed"].state == "failure"
    assert "SIGKILL: most often the machine ran out of memory" in closed["killed"].text


@pytest.mark.parametrize("label", ["after death", "long after death", "after kill"])
def test_cells_after_a_death_are_not_run(label: str, closed: Run) -> None:
    assert closed[label].state == "skipped"
    assert "not run: the kernel died in Cell" in closed[label].text


def test_costs_are_printed_slowest_first_and_travel_from_the_workers(closed: Run) -> None:
    table = closed.output.partition("notebooks, slowest first")[2].splitlines()[2:5]
    rows = [re.split(" {2,}", line.strip()) for line in table]
    assert {row[0] for row in rows} == {"holes.ipynb", "dying.ipynb", "killed.ipynb"}
    assert rows[0][0] == "holes.ipynb"
    seconds = [float(row[1]) for row in rows]
    assert seconds == sorted(seconds, reverse=True)
    assert 0 < float(rows[0][2]) < seconds[0] + 60
    assert 10 < float(rows[0][3].replace(",", "")) < 2000
    assert closed.table.startswith("before\n\n| notebook | seconds | CPU seconds | peak MB |\n| --- |")
    assert "| holes.ipynb |" in closed.table


def test_lax_holds_a_learners_notebook_to_running_and_to_reasons(lax: Run) -> None:
    assert lax["learner's cell"].state == "passed"
    assert lax["learner's figure"].state == "passed"
    assert "nbval-skip needs a reason" in lax["learner's reason"].text


def test_endless_cell_is_ended_at_the_limit_though_it_prints(lax: Run) -> None:
    assert lax["endless"].state == "failure"
    assert "took longer than 3 s (--nbval-cell-timeout)" in lax["endless"].text
    assert lax["after endless"].state == "skipped"
    assert "not run: Cell 3 took too long" in lax["after endless"].text


def test_kernel_that_does_not_start_is_said_once(tmp_path: Path) -> None:
    run = Run(
        tmp_path / "run", {"killed.ipynb": KILLED}, *PLUGIN, "--nbval", "--nbval-kernel-name=no-such-kernel"
    )
    assert "the kernel 'no-such-kernel' did not start" in run["killed"].text
    assert run["after kill"].state == "skipped"


# The hooks ----------------------------------------------------------------------------------------------


def configured(**option) -> pytest.Config:
    option = {"nbval": True, "nbval_lax": False, "nbval_cell_timeout": 2000, "dist": "no"} | option
    config = SimpleNamespace(option=SimpleNamespace(**option), stash=pytest.Stash())
    nbval_plugin.pytest_configure(config)
    return config


def test_cells_have_300_seconds_unless_told_otherwise() -> None:
    assert configured().option.nbval_cell_timeout == 300
    assert configured(nbval_cell_timeout=20.0).option.nbval_cell_timeout == 20


def test_plugin_does_nothing_where_no_notebook_is_asked_for() -> None:
    assert configured(nbval=False).option.nbval_cell_timeout == 2000


def test_other_nbval_is_refused_in_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.metadata.version", lambda name: "0.12.0")
    with pytest.raises(pytest.UsageError, match=r"made for nbval 0\.11 and found 0\.12\.0"):
        configured()


def test_distribution_that_tears_notebooks_apart_is_refused() -> None:
    with pytest.raises(pytest.UsageError, match="use --dist loadscope"):
        configured(dist="load")


def test_import_that_costs_seconds_is_blocked(open_holes: Run, lax: Run) -> None:
    assert "costly import blocked: False" in open_holes.output
    assert "costly import blocked: True" in lax.output


def test_kernel_environment_hides_the_person(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("LABS_SEED", "MPLBACKEND", "COLUMNS", "FORCE_COLOR"):
        monkeypatch.setenv(name, "1")
    monkeypatch.setenv("KEPT", "yes")
    env = kernel_environment(tmp_path)
    assert not {"LABS_SEED", "MPLBACKEND", "COLUMNS", "FORCE_COLOR"} & set(env)
    assert env["KEPT"] == "yes"
    assert env["LABS_HOME"] == str(tmp_path)
    assert env["PYTEST_CURRENT_TEST"]


# Numbers ------------------------------------------------------------------------------------------------


def agree(stored: str, fresh: str, tolerance: Tolerance | None = None) -> bool:
    return (tolerance or Tolerance()).settle(stored, fresh) == stored


@pytest.mark.parametrize(
    ("stored", "fresh"),
    [
        ("loss: 0.1234", "loss: 0.1235"),
        ("accuracy 0.842", "accuracy 0.843"),  # 0.8425 may be printed as either
        ("[0.5    0.1234]", "[0.5001 0.1234]"),
        ("[ 0.00001]", "[-0.00000]"),
        ("-0.000", "0.000"),
        ("1.2345e-07", "1.2346e-07"),
        ("1,234.567 steps", "1,234.987 steps"),
        ("<td>12.3456</td>", "<td>12.3461</td>"),
        ("nan inf", "nan inf"),
    ],
)
def test_numbers_agree(stored: str, fresh: str) -> None:
    assert agree(stored, fresh)


@pytest.mark.parametrize(
    ("stored", "fresh"),
    [
        ("0.842", "0.844"),
        ("0.8421", "0.8431"),
        ("0.84", "0.85"),
        ("1e-07", "1e-06"),
        ("(32, 10)", "(32, 11)"),
        ("6000", "6001"),
        ("2.21.000", "2.21.001"),
        ("float16", "float32"),
        ("0.1234", "nan"),
        ("0.1234", "inf"),
        ("nan", "0.1234"),
        ("inf", "-inf"),
        ("0.1234", "-0.1234"),
        ("loss 0.1234", "cost 0.1234"),
        ("0.1234 0.1234", "0.1234"),
        ("0.1234\n0.1234", "0.1234 0.1234"),
        ("v1.2345", "v1.2346"),
    ],
)
def test_numbers_differ(stored: str, fresh: str) -> None:
    assert not agree(stored, fresh)


def test_difference_that_is_left_is_the_true_one() -> None:
    assert Tolerance().settle("a 0.1234 b 0.5678", "a 0.1235 b 0.9") == "a 0.1234 b 0.9"


def test_tag_widens_the_tolerance_for_every_decimal_number() -> None:
    wide = Tolerance.of(["exercise", "tolerance-0.05"])
    assert wide.relative == Decimal("0.05")
    assert agree("84.3 %", "83.1 %", wide)
    assert not agree("84 of 100", "83 of 100", wide)
    assert not agree("0.5000", "0.6000", wide)


@settings(deadline=None)
@given(st.floats(1e-6, 1e6), st.floats(-1, 1))
def test_closeness_is_the_tolerance(value: float, share: float) -> None:
    near, far = value * (1 + 0.0009 * share), value * (1.003 if share > 0 else 0.997)
    assert agree(f"x {value:.9e}", f"x {near:.9e}")
    assert not agree(f"x {value:.9e}", f"x {far:.9e}")


@settings(deadline=None)
@given(st.text(max_size=60), st.text(max_size=60))
def test_texts_that_settle_differ_in_floats_and_spaces_alone(stored: str, fresh: str) -> None:
    def bones(text: str) -> str:
        return re.sub(r"[\d.+\-eE, ]", "", text)

    if agree(stored, fresh):
        assert bones(stored) == bones(fresh)


# Outputs ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "screen"),
    [
        ("a\b\bb\n", "b\n"),
        ("one\rtwo\nthree\r\n", "two\nthree\n"),
        ("longer\rab", "abnger"),
        ("1/9" + "\b" * 3 + "9/9", "9/9"),
        ("plain\n", "plain\n"),
    ],
)
def test_streams_read_as_on_screen(text: str, screen: str) -> None:
    assert as_on_screen(text) == screen


@pytest.mark.parametrize(
    "line",
    [
        "2026-11-22 16:34:06.123456: I tensorflow/core/util/port.cc:153] oneDNN custom operations are on.",
        "2026-11-22 16:34:06.123456: E external/local_xla/xla/cuda/cuda_driver.cc:152] failed",
        "I0000 00:00:1795365650.970051    6984 port.cc:153] oneDNN custom operations are on.",
        "E0000 00:00:1795365650.970051    6984 cuda_executor.cc:1] failed call to cuInit: UNKNOWN",
        "WARNING: All log messages before absl::InitializeLog() is called are written to STDERR",
        "WARNING:absl:Compiled the loaded model, but the compiled metrics have yet to be built.",
        "WARNING:tensorflow:5 out of the last 5 calls triggered tf.function retracing.",
    ],
)
def test_log_noise_is_told_from_other_stderr(line: str) -> None:
    kept, noise = without_noise([printed(f"mine\n{line}\n", "stderr")])
    assert noise == [line]
    assert [output.text for output in kept] == ["mine\n"]
    assert without_noise([printed(line)])[1] == [], "stdout is the lab's own"


def test_figures() -> None:
    white_on_glass = Image.new("RGBA", (8, 8), (0, 0, 0, 0))
    white_on_glass.paste((255, 255, 255, 255), (0, 0, 4, 4))
    file = io.BytesIO()
    white_on_glass.save(file, format="PNG")
    glass = [shown(image_png=base64.b64encode(file.getvalue()).decode())]
    assert figure_faults(glass, glass) == []
    drawn, broken = [shown(image_png=DRAWN)], [shown(image_png="bm90IGEgcGljdHVyZQ==")]
    assert figure_faults(drawn, drawn) == []
    assert figure_faults(drawn, broken) == ["fresh figure 1 cannot be read as a picture"]


# Rules and costs ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("mark", ["nbval-ignore-output", "nbval-skip", "skip-execution", "# NBVAL_SKIP"])
def test_reason_is_required_however_a_cell_is_set_aside(mark: str) -> None:
    source, tags = (mark, ()) if mark.startswith("#") else ("1", (mark,))
    assert "needs a reason" in reason_fault(cell(source, tags=tags))
    assert "needs a reason" in reason_fault(cell(source, tags=(*tags, "because-")))
    assert reason_fault(cell(source, tags=(*tags, "because-timings"))) is None


def test_staleness_is_no_matter_in_notebooks_of_others_and_in_empty_cells() -> None:
    assert stale_fault(cell("1", made_by=None), built=False) is None
    assert stale_fault(cell(" \n", made_by=None), built=True) is None


def test_costs_keep_through_their_journey_and_show_what_is_unknown() -> None:
    costs = [Cost("quick.ipynb", 1.25, None, None), Cost("slow.ipynb", 61.0, 80.04, 1234.5)]
    assert unpacked(packed(costs)) == costs
    assert as_lines(costs)[1].split() == ["slow.ipynb", "61.0", "80.0", "1,234"]
    assert "| quick.ipynb | 1.2 | - | - |" in as_markdown(costs)


def test_cost_is_measured_and_outlives_its_process() -> None:
    work = "b = bytearray(60_000_000)\nsum(range(10**6))\nprint('done', flush=True)\ninput()"
    with subprocess.Popen([sys.executable, "-c", work], stdin=-1, stdout=-1, text=True) as process:
        process.stdout.readline()
        cost = Cost("one.ipynb")
        cost.sample(process.pid, time.monotonic() - 2)
        process.communicate("\n")
    assert cost.cpu_seconds > 0
    assert cost.peak_mb > 60
    before = (cost.cpu_seconds, cost.peak_mb)
    cost.sample(process.pid, time.monotonic() - 3)
    assert (cost.cpu_seconds, cost.peak_mb) == before
    assert cost.seconds >= 3


# What is sanitised --------------------------------------------------------------------------------------


PATTERNS = get_sanitize_patterns(SANITIZE.read_text(encoding="ascii"))


def sanitized(text: str) -> str:
    for pattern, replacement in PATTERNS:
        text = re.sub(pattern, replacement, text)
    return text


@pytest.mark.parametrize(
    ("text", "rest"),
    [
        ("took 12.3 ms", "took <time>"),
        ("4 s", "<time>"),
        ("188/188 - 2s - 11ms/step - loss: 0.4512", "188/188 -<time> -<time>/step - loss: 0.4512"),
        ("1.2 µs/step", "<time>/step"),
        ("1.2 μs ± 0.1 μs per loop (mean ± std. dev. of 7 runs, 1,000 loops each)",
         "<time> per loop (mean ± std. dev. of <count> runs, <count> loops each)"),
        ("12.3 ± 0.4 ms", "<time>"),
        ("Wall time: 1min 3s", "Wall time:<time>"),
        ("0.5 seconds", "<time>"),
        ("<td>12.3&nbsp;ms</td>", "<td><time></td>"),
        ("123 images/s", "<rate> images/s"),
        ("1.2k steps/s", "<rate> steps/s"),
        ("98.7 examples per second", "<rate> examples/s"),
        ("3.4x", "<speed-up>"),
        ("3.4× faster", "<speed-up> faster"),
        ("12 times as fast", "<speed-up> times as fast"),
        ("model.keras: 12.3 kB", "model.keras:<size>"),
        ("4 MB, 8 GiB", "<size>, <size>"),
        ("12.3 MB/s", "<size>/s"),
        ("<function f at 0x7f12ab34cd90>", "<function f at <address>>"),
        ("saved in '/tmp/tmpk3/model.keras'", "saved in '<temporary path>'"),
        ("/private/var/folders/zz/T/tmp1", "<temporary path>"),
        (r"C:\Users\me\AppData\Local\Temp\tmp1\model.keras", "<temporary path>"),
        ("keras/sequential: on CPU (2 cores), seed 1", "keras/sequential: on <device>, seed 1"),
        ("on GPU (NVIDIA L4), GPU (NVIDIA L4), seed 1", "on <device>, seed 1"),
        ("2026-11-22 16:34:06.123", "<when>"),
        ("2026-11-22T16:34:06Z", "<when>"),
        ("at 16:34:06", "at <when>"),
        ("ETA 0:00:12.5", "ETA <when>"),
        ("logs/20261122-163406/train", "logs/<when>/train"),
    ],
)  # fmt: skip
def test_patterns_catch(text: str, rest: str) -> None:
    assert sanitized(text) == rest


@pytest.mark.parametrize(
    "text",
    [
        "(32, 10)", "(None, 28, 28, 1) float32", "tf.Tensor: shape=(2, 3), dtype=int32", "passed",
        "6,000 images", "1,000 examples, 10 classes", "28x28", "28 x 28 pixels", "28×28", "3 × 3", "0.5x + 1",
        "x[10:20:2]", "the 1990s", "2013-01-01 05:00:00", "flights on 2013-01-01", "the next 24 hours",
        "0xFF", "3,136 bytes", "TensorFlow 2.21.0", "loss 0.1234", "84.3 %", "datetime64[us]", "3 samples",
        "10 steps", "on CPU", "wrong: left-as-integers", "tmp/model.keras", "data/tmp/x", "epoch 3: same",
        "3 of 5 right",
    ],
)  # fmt: skip
def test_patterns_leave_alone(text: str) -> None:
    assert sanitized(text) == text


AMOUNTS = st.one_of(
    st.integers(0, 10**6).map("{:,}".format),
    st.floats(0, 1e5).map("{:.1f}".format),
    st.floats(0, 1e5).map("{:,.2f}".format),
    st.floats(1e-9, 1e9).map("{:.3g}".format),
)


@settings(deadline=None)
@given(
    AMOUNTS,
    AMOUNTS,
    st.sampled_from(["ns", "us", "µs", "μs", "ms", "s", " ns", " µs", " ms", " s", " seconds"]),
)
@example("1,234.5", "9", " ms")
def test_every_time_becomes_the_same(one: str, other: str, unit: str) -> None:
    if not re.match(r"(19|20)\d0s", one + unit) and not re.match(r"(19|20)\d0s", other + unit):
        assert sanitized(f"took {one}{unit} | next") == sanitized(f"took {other}{unit} | next")


@settings(deadline=None)
@given(AMOUNTS, AMOUNTS, st.sampled_from([" images/s", " kB", "MB", "x faster", "×", " rows per second"]))
def test_every_rate_size_and_speed_up_becomes_the_same(one: str, other: str, unit: str) -> None:
    assert sanitized(f"got {one}{unit}, then") == sanitized(f"got {other}{unit}, then")


@settings(deadline=None)
@given(st.lists(st.integers(0, 10**6), max_size=5).map(tuple), st.sampled_from(["float32", "uint8", "int64"]))
def test_no_shape_is_touched(shape: tuple, dtype: str) -> None:
    for text in (f"{shape} {dtype}", f"shape={shape}", "x".join(map(str, shape)), str(list(shape))):
        assert sanitized(text) == text


@settings(deadline=None)
@given(
    AMOUNTS, st.sampled_from(["images", "samples", "steps", "epochs", "classes", "%", "of 10", "parameters"])
)
def test_no_plain_count_is_touched(amount: str, noun: str) -> None:
    assert sanitized(f"there are {amount} {noun}.") == f"there are {amount} {noun}."
