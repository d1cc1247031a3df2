"""Writes the numbers of `results.json` as a table and a figure: `benchmarks/README.md`, `benchmarks/results.png`."""

import statistics
from pathlib import Path

HEAD = """\
# Benchmarks

How fast a lab opens, a check answers, CI runs every notebook again and a class is graded. Written by `make
bench`, which takes more than an hour (`ROUNDS=1`: half); CI never runs it. What counts are ratios within one run,
the two sides taking turns, because a shared machine's speed drifts.

![{alt}](results.png)
"""


SLOW_BECAUSE = {
    "foundations/graphs/export": "it writes a SavedModel and reads it again",
    "keras/functional/SorterModel": "it saves a model and loads it again",
    "training/callbacks/make_callbacks": "it plays several nights of `fit` on a model that learns nothing",
    "deploy/tflite/run_batch": "the first time only: LiteRT is loaded",
    "deploy/tflite/convert": "it converts models: the conversion is the exercise",
}
"""Why a check that trains nothing may still take long."""


def write(results: dict, folder: Path) -> None:
    """Write the report of `results` into `folder`.

    Args:
        results: name of a benchmark to what it printed, with `date` and `machine`.
        folder: where README.md and results.png go.
    """
    sections = [
        (_open_lab, "open_lab"),
        (_re_execute, "re_execute"),
        (_memory, "memory"),
        (_check_latency, "check_latency"),
        (_grading, "grading"),
        (_grading_growth, "grading_growth"),
    ]
    parts = [
        section(results[name]) + _made(results[name], name) for section, name in sections if name in results
    ]
    alt = _draw(results, folder / "results.png")
    (folder / "README.md").write_text("\n".join([HEAD.format(alt=alt), *parts]))


def _made(result: dict, name: str) -> str:
    again = f"`.venv/bin/python benchmarks/run.py --only {name}`"
    return f"\nMeasured on {result['date']}, {result['machine']}. Again: {again}\n"


def _table(*rows: tuple) -> str:
    lines = [f"| {' | '.join(map(str, row))} |" for row in rows]
    return "\n".join([lines[0], f"|{' --- |' * len(rows[0])}", *lines[1:]]) + "\n"


def _target(value: float, holds: bool, wanted: str) -> str:
    return f"{value} (target {wanted}: {'met' if holds else 'missed'})"


def _spread(values: list[float]) -> str:
    return f"{statistics.median(values):.1f} ({min(values):.1f} to {max(values):.1f})"


def _open_lab(result: dict) -> str:
    times, runs = result["times_faster"], len(result["seconds"]["warm"])
    low, high = result["times_faster_spread"]
    return (
        f"## (a) From opening a lab to its first TensorFlow result\n\n{runs} runs of each, in turn.\n\n"
        + _table(
            ("kernel", "seconds, median (range)"),
            ("warm", _spread(result["seconds"]["warm"])),
            ("cold", _spread(result["seconds"]["cold"])),
            ("the very first warm one, which starts the background process", result["first_warm"]),
            (
                "times faster",
                f"{_target(times, times >= 5, 'at least 5, aiming at 8')}, range {low} to {high}",
            ),
        )
    )


def _re_execute(result: dict) -> str:
    seconds, ratios = result["seconds"], result["times_ours"]
    rounds, bound = len(seconds["ours"]), result["ours_to_lower_bound"]
    nbval = round(statistics.median(ratios["nbval"]), 2)
    rows = [
        (tool, _spread(times), "1" if tool == "ours" else _spread(ratios[tool]))
        for tool, times in sorted(seconds.items(), key=lambda pair: -statistics.median(pair[1]))
    ]
    return (
        f"## (b) All of notebooks/worked executed again\n\n{result['notebooks']} notebooks, {rounds} rounds, "
        "the tools in turn; ours compares outputs as nbval does, the others only execute.\n\n"
        + _table(("tool", "seconds, median (range)", "times ours, median (range)"), *rows)
        + f"\n- nbval as shipped takes {_target(nbval, nbval >= 2, 'at least 2, aiming at 2.5')} times as long.\n"
        f"- Lower bound, the kernels' processor seconds over {result['cores']} cores: "
        f"{result['lower_bound_seconds']} s; ours takes {_target(bound, bound <= 1.3, 'at most 1.3')} times that.\n"
        f"- What the {result['cores']} cores did during our run: {_where(result['shares'])}. The rest is pytest, the "
        "start of kernels, and whatever else the machine does. data/pipelines and foundations/gpus sleep on purpose, "
        f"as stand-ins for far storage and an accelerator, so {result['workers']} notebooks are open at a time.\n"
    )


def _where(shares: dict[str, float]) -> str:
    return ", ".join(f"{name} {share:.0%}" for name, share in shares.items())


def _memory(result: dict) -> str:
    rows = [
        (
            number,
            kinds["warm"]["together"],
            kinds["cold"]["together"],
            result["warm_over_cold"][number],
            kinds["warm"]["private_each"],
            kinds["cold"]["private_each"],
        )
        for number, kinds in result["megabytes"].items()
    ]
    ratio = result["warm_over_cold"][max(result["megabytes"], key=int)]
    heading = ("kernels", "warm, MB", "cold, MB", "warm over cold", "private, warm, MB", "private, cold, MB")
    return (
        "## (c) Memory of open kernels\n\nEach kernel has opened a lab and trained a small model. Together: "
        "proportional set size, each shared page counted once, the background process included. Private: of one "
        "kernel.\n\n"
        + _table(heading, *rows)
        + f"\nEight kernels: {_target(ratio, ratio < 0.5, 'below 0.5')} of the cold ones' memory.\n"
    )


def _check_latency(result: dict) -> str:
    rows = [
        (row["exercise"], row["first"], row["median"], row["p95"], "yes" if row["trains"] else "no")
        for row in result["exercises"]
    ]
    slow = [row["exercise"] for row in result["exercises"] if row["p95"] > 0.3 and not row["trains"]]
    told = "; ".join(f"{name} ({SLOW_BECAUSE[name]})" if name in SLOW_BECAUSE else name for name in slow)
    still = len(rows) - sum(row["trains"] for row in result["exercises"])
    verdict = f"Of the {still} that train nothing, {len(slow)} are above 0.3 s{': ' + told if slow else ''}."
    return (
        f"## (d) Latency of a check\n\nSeconds, {result['runs']} examinations of each reference. Target: 0.3 s "
        "at the 95th percentile for a check that trains nothing.\n\n"
        + _table(("exercise", "first", "median", "95th percentile", "trains"), *rows)
        + f"\n{verdict}\n"
    )


def _grading(result: dict) -> str:
    rounds, students = len(next(iter(result["seconds"].values()))), result["students"]
    rows = [
        (
            tool,
            _spread(result["submissions_a_minute"][tool]),
            "1" if tool == "labs grade" else _spread(result["times_ours"][tool]),
            "none" if not result["other_points"][tool] else f"of {result['other_points'][tool]} students",
        )
        for tool in sorted(result["median"], key=result["median"].get)
    ]
    ratio = round(statistics.median(result["times_ours"]["nbgrader"]), 1)
    missing = "" if "otter" in result["median"] else f"\notter: {result['otter']}.\n"
    return (
        f"## (e) Submissions a minute\n\n{students} submissions of {result['lab']}, {rounds} rounds, the tools in "
        "turn, all on the same files. nbgrader and otter run every cell, and the labs' own checks in the student's "
        "process; `labs grade` runs what the exercises need, each locked up, and judges elsewhere. otter is `otter "
        "run`, which is what `otter grade` does, without its containers.\n\n"
        + _table(
            ("tool", "submissions a minute, median (range)", "times ours in seconds", "other points"), *rows
        )
        + f"\nnbgrader takes {_target(ratio, ratio >= 5, 'at least 5')} times as long as one `labs grade`.\n{missing}"
    )


def _grading_growth(result: dict) -> str:
    rows = [
        (
            row["submissions"],
            row["cores"],
            row["seconds"],
            row["a_minute"],
            row["other_points"] or "none",
            row["date"],
        )
        for row in result["rows"]
    ]
    return (
        f"## (f) How grading grows\n\n{result['lab']}; the same {result['different']} notebooks over and over, every "
        "copy another file. `labs grade` with as many jobs as cores.\n\n"
        + _table(
            ("submissions", "cores", "seconds", "submissions a minute", "students with other points", "date"),
            *rows,
        )
    )


def _draw(results: dict, path: Path) -> str:
    """Draw what a person notices, and return the figure's description."""
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    from labs.kit import plots

    plots.style()
    panels = []
    if "open_lab" in results:
        median = results["open_lab"]["median"]
        panels.append(("A lab's first result", "time (s)", {k: median[k] for k in ("cold", "warm")}))
    if "re_execute" in results:
        seconds = results["re_execute"]["seconds"]
        medians = {tool: statistics.median(times) for tool, times in seconds.items()}
        panels.append(("Every notebook again", "time (s)", medians))
    if "memory" in results:
        number, kinds = list(results["memory"]["megabytes"].items())[-1]
        together = {kind: kinds[kind]["together"] / 1000 for kind in ("cold", "warm")}
        panels.append((f"{number} open kernels", "memory (GB)", together))
    if "grading" in results:
        rates = dict(sorted(results["grading"]["median"].items(), key=lambda pair: pair[1]))
        panels.append(("Grading a class", "submissions a minute", rates))
    figure, row = plt.subplots(1, len(panels), figsize=(4 * len(panels), 2.8), squeeze=False)
    for axes, (title, xlabel, values) in zip(row[0], panels, strict=True):
        ours = ("warm", "ours", "labs grade")
        colours = [plots.COLOURS[1] if name.startswith(ours) else plots.COLOURS[0] for name in values]
        drawn = axes.barh(list(values), list(values.values()), color=colours)
        axes.bar_label(drawn, fmt="%.1f", padding=3)
        axes.invert_yaxis()
        axes.margins(x=0.18)
        axes.grid(axis="y", visible=False)
        axes.set(title=title, xlabel=xlabel)
    figure.savefig(path, metadata={"Software": None})
    told = (
        f"{title}: " + ", ".join(f"{n} {v:.1f}" for n, v in values.items()) for title, _, values in panels
    )
    return "Bars, ours in orange. " + "; ".join(told)
