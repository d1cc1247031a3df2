"""(a) Seconds from opening a lab to its first TensorFlow result, warm and cold: `python benchmarks/open_lab.py`.

A learner's first cell starts the lab, and the next computes; the time runs from asking Jupyter for the kernel
until that result has come back. `first` is the very first warm kernel, which also starts the process that
later ones are forked from. Warm and cold take turns, so that a slow moment of the machine falls on both.
"""

import argparse
import json
import os
import statistics
import sys
import tempfile
import time

sys.modules.setdefault("rfc3987_syntax", None)

from jupyter_client import KernelManager

from labs.kit.curriculum import load
from labs.kit.warm import command, spec
from labs.kit.warm.process import Forked

CELLS = (
    "import labs\nlab = labs.start({name!r})",
    "import tensorflow as tf\nprint(float(tf.reduce_sum(tf.ones((3, 3)))))",
)
KERNELS = {"warm": spec.NAME, "cold": "python3"}
PATIENCE = 300


def seconds(kind: str, name: str) -> float:
    """Open the lab `name` in a kernel of the kind and return the seconds to its first result."""
    env = {**os.environ, **spec.content()["env"]}
    begin = time.perf_counter()
    manager = KernelManager(kernel_name=KERNELS[kind])
    manager.start_kernel(env=env)
    client = manager.client()
    client.start_channels()
    try:
        printed = []
        for cell in CELLS:
            # As a notebook does: the cell is sent at once, and answered when the kernel is there.
            sent = client.execute(cell.format(name=name))
            printed += answers(client, sent)
        taken = time.perf_counter() - begin
        warm = isinstance(manager.provisioner.process, Forked)
        if warm != (kind == "warm") or "9.0\n" not in printed:
            raise SystemExit(f"no {kind} kernel: {printed}, {list(command.reasons())}")
        return taken
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)


def answers(client, sent: str) -> list[str]:
    """Return what a cell printed, once its kernel has answered."""
    end, printed = time.monotonic() + PATIENCE, []
    while time.monotonic() < end:
        message = client.get_iopub_msg(timeout=PATIENCE)
        if message["parent_header"].get("msg_id") != sent:
            continue
        printed.append(message["content"].get("text", ""))
        if message["content"].get("execution_state") == "idle":
            return printed
    raise SystemExit("the kernel does not answer")


def measure(runs: int) -> dict:
    """Return the seconds of all runs and their medians, and how many times faster warm is."""
    name = next(iter(load().labs))
    with tempfile.TemporaryDirectory() as folder:
        os.environ |= {"LABS_WARM_FOLDER": folder, "LABS_HOME": folder}
        first = seconds("warm", name)
        taken: dict[str, list[float]] = {kind: [] for kind in KERNELS}
        for _ in range(runs):
            for kind in KERNELS:
                taken[kind].append(seconds(kind, name))
        for process in command.running():
            os.kill(process["pid"], 15)
    medians = {kind: statistics.median(times) for kind, times in taken.items()}
    ratios = [cold / warm for warm, cold in zip(taken["warm"], taken["cold"], strict=True)]
    return {
        "benchmark": "open_lab",
        "lab": name,
        "first_warm": round(first, 3),
        "seconds": {kind: [round(time, 3) for time in times] for kind, times in taken.items()},
        "median": {kind: round(time, 3) for kind, time in medians.items()},
        "times_faster": round(statistics.median(ratios), 2),
        "times_faster_spread": [round(min(ratios), 2), round(max(ratios), 2)],
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--runs", type=int, default=7)
    print(json.dumps(measure(parser.parse_args().runs), indent=2))


if __name__ == "__main__":
    main()
