"""nbval's notebook and cell, hardened: what nbval 0.11 lets through fails here in plain words."""

import re
import shutil
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from queue import Empty

import pytest
from nbval.kernel import CURRENT_ENV_KERNEL_NAME
from nbval.plugin import IPyNbCell, IPyNbFile, NbCellError

from labs.kit.author import nbval_rules as rules
from labs.kit.author.kernel_env import kernel_environment
from labs.kit.author.nbval_cost import Cost
from labs.kit.author.nbval_figures import figure_faults
from labs.kit.author.nbval_kernel import KernelDied, WatchedKernel
from labs.kit.author.nbval_numbers import Tolerance, settle_outputs
from labs.kit.author.nbval_outputs import Displays, Shown, merged, without_noise
from labs.kit.warm import command, spec

COSTS = pytest.StashKey[list[Cost]]()

COLOUR = re.compile(r"\x1b\[[0-9;]*m")

REPLY_SECONDS = 60
"""Wait for a message that is due at once; nbval's own 5 s fail on a busy machine (nbval#151, nbval#231)."""

INTERRUPT_SECONDS = 10
"""Wait for a cell to end after its interrupt."""


class HardenedNotebook(IPyNbFile):
    """One notebook with its kernel; once the kernel is gone, the cells that are left do not run."""

    ended: str | None = None
    """Why no further cell can run, as a half-sentence."""

    fault: str | None = None
    """What kept the kernel from starting; the first cell reports it."""

    own: Path | None = None
    """The folder of this run, with the kernel's `LABS_HOME` and its working folder."""

    def collect(self) -> Iterator["HardenedCell"]:
        """Yield nbval's cells, hardened."""
        for cell in super().collect():
            options = cell.options
            options["skip"] = options["skip"] or rules.SKIPPING in rules.tags(cell.cell)
            yield HardenedCell.from_parent(
                self, name=cell.name, cell_num=cell.cell_num, cell=cell.cell, options=options
            )
        self.built_here = rules.built_here(self.nb)
        if self._kernel_name() == spec.NAME and not self.config.option.collectonly:
            # It imports TensorFlow while the other notebooks are read.
            command.prepare(kernel_environment(self.path))

    def _kernel_name(self) -> str:
        option = self.config.option
        name = self.nb.metadata.get("kernelspec", {}).get("name", "python")
        name = option.nbval_kernel_name or name
        return CURRENT_ENV_KERNEL_NAME if option.nbval_current_env else name

    def setup(self) -> None:
        """Start the kernel in an environment and a `LABS_HOME` of its own.

        A notebook that the build made also works in an empty folder, as it did in the build: what it
        saves must not stay among the notebooks.
        """
        self.displays = Displays()
        self.started = time.monotonic()
        self.cost = Cost(self.nodeid)
        self.own = Path(tempfile.mkdtemp(prefix="labs-kernel-"))
        home, work = self.own / "home", self.own / "work"
        home.mkdir()
        work.mkdir()
        cwd = str(work if self.built_here else self.path.parent)
        self.setup_sanitize_files()
        name = self._kernel_name()
        try:
            seconds = self.config.option.nbval_kernel_startup_timeout
            self.kernel = WatchedKernel(name, cwd, home, startup_timeout=seconds)
        except Exception as error:
            # pytest would raise a collector's failure again for each of its cells.
            self.fault = f"the kernel {name!r} did not start: {error}"

    def sample(self) -> None:
        """Take the notebook's cost as it stands."""
        self.cost.sample(self.kernel and self.kernel.pid, self.started)

    def teardown(self) -> None:
        """Note the cost, end the kernel and take its folder away."""
        try:
            if self.kernel is not None:
                self.sample()
                self.config.stash[COSTS].append(self.cost)
            super().teardown()
            if hasattr(self.kernel, "km"):
                self.kernel.stop()
        finally:
            if self.own is not None:
                shutil.rmtree(self.own, ignore_errors=True)


class HardenedCell(IPyNbCell):
    """One code cell: run, then held to the rules, its figures and its stored output."""

    parent: HardenedNotebook

    @property
    def strict(self) -> bool:
        """Whether this cell's stored output counts, be its text compared or set aside for a reason."""
        return self.parent.compare_outputs or self.options["check"]

    def setup(self) -> None:
        """Do not run after the kernel's end: the cell that ended it has failed already."""
        if self.parent.ended:
            pytest.skip(f"not run: {self.parent.ended}")

    def repr_failure(self, excinfo: pytest.ExceptionInfo) -> str:
        """Return nbval's report without its first line, so that pytest's summary has what is wrong."""
        report = super().repr_failure(excinfo)
        return report.partition("\n")[2] if isinstance(excinfo.value, NbCellError) else report

    def end(self, why: str) -> None:
        """Let no further cell of this notebook run."""
        self.parent.ended = why

    def runtest(self) -> None:
        """Run the cell and raise one error with all that is wrong with it."""
        if self.parent.fault:
            self.end("the kernel did not start")
            self.raise_cell_error(self.parent.fault)
        faults = self.rule_faults()
        if self.options["skip"]:
            if faults:
                self.raise_cell_error("; ".join(faults))
            pytest.skip("by its tag")
        fresh = self.run(faults)
        self.comparison_traceback: list[str] = []
        if self.strict and self.cell.execution_count is not None:
            faults += self.output_faults(fresh)
        if faults:
            self.raise_cell_error("; ".join(faults), "\n".join(self.comparison_traceback))

    def sanitize(self, s: object) -> object:
        """Return the text as nbval sanitises it, without colours.

        A colour code ends in a letter, so that a number behind it would look like the end of a name.
        """
        return super().sanitize(COLOUR.sub("", s) if isinstance(s, str) else s)

    def rule_faults(self) -> list[str]:
        """Return what is wrong with the cell before it runs."""
        found = [rules.reason_fault(self.cell)]
        if self.strict:
            if not self.options["skip"]:
                found.append(rules.never_run_fault(self.cell))
            if self.cell.outputs or not self.options["skip"]:
                found.append(rules.stale_fault(self.cell, self.parent.built_here))
        return [fault for fault in found if fault]

    def output_faults(self, fresh: list) -> list[str]:
        """Return what is wrong with the outputs, stored and fresh."""
        stored, stored_noise = without_noise(merged(self.cell.outputs))
        fresh, fresh_noise = without_noise(merged(fresh))
        faults = [
            f"log noise of TensorFlow in the {which} output ({lines[0]}): silence it at its source"
            for which, lines in (("stored", stored_noise), ("fresh", fresh_noise))
            if lines
        ]
        faults += figure_faults(stored, fresh)
        if self.options["check"]:
            try:
                tolerance = Tolerance.of(rules.tags(self.cell))
            except ValueError as error:
                return [*faults, str(error)]
            settled = settle_outputs(stored, fresh, tolerance, self.sanitize)
            if not self.compare_outputs(settled, stored):
                faults.append("Cell outputs differ")
        return faults

    def run(self, faults: list[str]) -> list:
        """Return the cell's outputs as they are shown in the end.

        nbval reads the outputs only after the reply, when the socket may have dropped some of a talkative
        cell's, and takes each message as it comes. Here they are read while the cell runs.
        """
        shown = Shown(self.parent.displays)
        self.test_outputs = shown.outputs
        seconds = self.config.option.nbval_cell_timeout
        kernel = self.parent.kernel
        late = False
        try:
            message_id = kernel.execute_cell_input(self.cell.source, allow_stdin=False)
            try:
                self.listen(message_id, shown, seconds)
            except Empty:
                late = True
                self.end(f"{self.name} took too long")
                kernel.interrupt()
                self.listen(message_id, shown, INTERRUPT_SECONDS)
            kernel.await_reply(message_id, timeout=REPLY_SECONDS)
        except KernelDied as death:
            self.end(f"the kernel died in {self.name}")
            self.fail([*faults, f"the kernel died while running this cell: {death}"], shown)
        except Empty:
            self.end(f"{self.name} took too long")
            self.parent.sample()
            kernel.stop()
            if not late:
                self.fail([*faults, f"the kernel did not confirm its reply within {REPLY_SECONDS} s"], shown)
        finally:
            self.parent.sample()
        if late:
            limit = f"took longer than {seconds:g} s (--nbval-cell-timeout) and was interrupted"
            self.fail([*faults, limit], shown)
        errors = [output for output in shown.outputs if output.output_type == "error"]
        if errors and not self.options["check_exception"]:
            self.fail([*faults, "Cell execution caused an exception"], shown)
        return shown.outputs

    def listen(self, message_id: str, shown: Shown, seconds: float) -> None:
        """Take the cell's messages until the kernel is idle again.

        Raises:
            queue.Empty: `seconds` went by.
        """
        end = time.monotonic() + seconds
        while True:
            left = end - time.monotonic()
            if left <= 0:  # a cell that prints without end always has a message waiting
                raise Empty
            message = self.parent.get_kernel_message(timeout=left)
            if message["parent_header"].get("msg_id") != message_id:
                continue
            if message["msg_type"] == "status" and message["content"]["execution_state"] == "idle":
                return
            shown.take(message)

    def fail(self, faults: list[str], shown: Shown) -> None:
        """Raise the cell's error with the traceback in its outputs, or with the last lines it printed."""
        lines = []
        for output in merged(shown.outputs):
            if output.output_type == "error":
                lines += output.traceback
            elif output.output_type == "stream":
                lines += output.text.splitlines()[-10:]
        self.raise_cell_error("; ".join(faults), "\n".join(lines))
