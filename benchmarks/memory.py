"""(c) Memory of 1, 4 and 8 open kernels, warm and cold: `python benchmarks/memory.py`.

Each kernel has started a lab and trained a small model. Proportional memory divides a page that several
processes share among them, so that the sum over all kernels, and for warm ones the process that they were
forked from, is what the machine gives. Private memory is what one kernel alone holds.
"""

import argparse
import json
import os
import statistics
import sys
import tempfile
from contextlib import ExitStack

sys.modules.setdefault("rfc3987_syntax", None)

from jupyter_client import KernelManager

from labs.kit.curriculum import load
from labs.kit.warm import command, spec
from labs.kit.warm.memory import memory
from labs.kit.warm.process import Forked

CELL = """
import labs
lab = labs.start({name!r})
import keras, numpy as np
model = keras.Sequential([keras.layers.Input((8,)), keras.layers.Dense(8), keras.layers.Dense(1)])
model.compile("adam", "mse")
model.fit(np.ones((64, 8), "float32"), np.ones((64, 1), "float32"), epochs=1, verbose=0)
"""
KERNELS = {"warm": spec.NAME, "cold": "python3"}
NUMBERS = (1, 4, 8)


def opened(kind: str, name: str, stack: ExitStack) -> int:
    """Open a kernel that has trained, until the stack ends, and return its process id."""
    manager = KernelManager(kernel_name=KERNELS[kind])
    manager.start_kernel(env={**os.environ, **spec.content()["env"]})
    stack.callback(manager.shutdown_kernel, now=True)
    client = manager.client()
    client.start_channels()
    stack.callback(client.stop_channels)
    client.wait_for_ready(timeout=300)
    reply = client.execute_interactive(CELL.format(name=name), timeout=300, output_hook=lambda _: None)
    if reply["content"]["status"] != "ok" or isinstance(manager.provisioner.process, Forked) != (
        kind == "warm"
    ):
        raise SystemExit(f"no {kind} kernel: {reply['content']}, {list(command.reasons())}")
    return manager.provisioner.pid


def measure(kind: str, number: int, name: str) -> dict:
    """Open kernels and return megabytes: of all together, and of one alone."""
    with ExitStack() as stack:
        kernels = [opened(kind, name, stack) for _ in range(number)]
        behind = [process["pid"] for process in command.running()] if kind == "warm" else []
        each = [memory(pid) for pid in kernels]
        total = sum(one["proportional"] for one in [*each, *map(memory, behind)])
        private = statistics.median(one["private"] for one in each)
        return {"together": round(total / 1e6), "private_each": round(private / 1e6)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--numbers", type=int, nargs="+", default=NUMBERS)
    numbers, name = parser.parse_args().numbers, next(iter(load().labs))
    with tempfile.TemporaryDirectory() as folder:
        os.environ |= {"LABS_WARM_FOLDER": folder, "LABS_HOME": folder}
        found = {str(number): {kind: measure(kind, number, name) for kind in KERNELS} for number in numbers}
        for process in command.running():
            os.kill(process["pid"], 15)
    ratios = {
        n: round(kinds["warm"]["together"] / kinds["cold"]["together"], 2) for n, kinds in found.items()
    }
    print(
        json.dumps(
            {"benchmark": "memory", "lab": name, "megabytes": found, "warm_over_cold": ratios}, indent=2
        )
    )


if __name__ == "__main__":
    main()
