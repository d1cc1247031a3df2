"""What a cell shows in the end, made from its kernel's messages the way Jupyter does."""

import re

from nbformat import NotebookNode
from nbformat.v4 import output_from_msg

SHOWING = ("stream", "display_data", "execute_result", "error")


class Displays(dict):
    """The outputs of one notebook by display id, for updates that come later."""

    def add(self, display_id: str, output: NotebookNode) -> None:
        """Keep an output that later updates of `display_id` change."""
        self.setdefault(display_id, []).append(output)


class Shown:
    """The outputs of one cell, as they stand after each message.

    nbval ignores `clear_output` and `update_display_data`, so that its outputs differ from those that a
    front end or nbclient stores. An update of a display made by an earlier cell reaches that cell's
    output too, but nbval has compared it by then: keep a display and its updates in one cell.
    """

    def __init__(self, displays: Displays):
        """Begin with no output; `displays` are those of the whole notebook."""
        self.outputs: list[NotebookNode] = []
        self._displays = displays
        self._clear_at_next = False

    def take(self, message: dict) -> None:
        """Let one iopub message change the outputs; a message that shows nothing changes nothing."""
        kind, content = message["msg_type"], message["content"]
        if kind == "clear_output":
            self._clear_at_next = content.get("wait", False)
            if not self._clear_at_next:
                self.outputs.clear()
            return
        if kind not in (*SHOWING, "update_display_data"):
            return
        if self._clear_at_next:
            self.outputs.clear()
            self._clear_at_next = False
        display_id = content.get("transient", {}).get("display_id")
        if kind == "update_display_data":
            for output in self._displays.get(display_id, ()):
                output.data, output.metadata = content["data"], content["metadata"]
            return
        output = output_from_msg(message)
        self.outputs.append(output)
        if display_id is not None:
            self._displays.add(display_id, output)


def merged(outputs: list[NotebookNode]) -> list[NotebookNode]:
    """Return copies of the outputs with one stream each for stdout and stderr, as a screen shows them.

    nbval merges the same way, but its loop over backspaces never runs and its carriage return forgets
    the tail of a longer line.
    """
    kept: list[NotebookNode] = []
    streams: dict[str, NotebookNode] = {}
    for output in outputs:
        output = NotebookNode(output)
        if output.output_type == "stream" and output.name in streams:
            streams[output.name].text += output.text
            continue
        if output.output_type == "stream":
            streams[output.name] = output
        kept.append(output)
    for stream in streams.values():
        stream.text = as_on_screen(stream.text)
    return kept


def as_on_screen(text: str) -> str:
    """Return the text with backspaces and carriage returns carried out.

    As in JupyterLab, a backspace takes away the character before it, and what follows a carriage return
    is written over the line from its start.
    """
    if "\b" not in text and "\r" not in text:
        return text
    return "\n".join(map(_line_on_screen, text.split("\n")))


def _line_on_screen(line: str) -> str:
    written: list[str] = []
    for char in line:
        if char != "\b":
            written.append(char)
        elif written and written[-1] != "\r":
            written.pop()
    shown = ""
    for over in "".join(written).split("\r"):
        shown = over + shown[len(over) :]
    return shown


NOISE = re.compile(
    r"""^(?:
        (?:\d{4}-\d\d-\d\d\ [\d:.]+:\ )?[IWEF]\ (?:external|tensorflow|tsl|xla)/   # TensorFlow's C++ log
      | [IWEF]\d{4}\ \d\d:\d\d:\d\d\.\d+                                           # absl's C++ log
      | WARNING:\ All\ log\ messages\ before\ absl::InitializeLog
      | (?:INFO|WARNING|ERROR|FATAL):(?:tensorflow|absl):                          # their Python loggers
      | .*(?:\bcuInit\b|\boneDNN\ custom\ operations\ are\ on|optimized\ to\ use\ available\ CPU)
    ).*""",
    re.VERBOSE | re.MULTILINE,
)
"""A line of a log of TensorFlow, as it looks on stderr."""


def without_noise(outputs: list[NotebookNode]) -> tuple[list[NotebookNode], list[str]]:
    """Return the outputs without TensorFlow's log lines on stderr, and those lines."""
    kept, noise = [], []
    for output in outputs:
        if output.output_type == "stream" and output.name == "stderr":
            lines = output.text.splitlines(keepends=True)
            noise += [line.strip() for line in lines if NOISE.match(line)]
            quiet = "".join(line for line in lines if not NOISE.match(line))
            if output.text and not quiet:
                continue
            output = NotebookNode(output, text=quiet)
        kept.append(output)
    return kept, noise
