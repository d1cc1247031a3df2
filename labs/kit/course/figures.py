"""Figures for a teacher's page: inline SVG in the labs' style that follows the page's light or dark colours."""

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from hashlib import sha256
from io import StringIO
from typing import Any

from markupsafe import Markup, escape

from labs.kit.plots import COLOURS, style

SHADES = {
    "passed": (COLOURS[2], ""),
    "wrong": (COLOURS[1], "//"),
    "error": (COLOURS[3], "xx"),
    "blank": ("#b4bcc5", ""),
    "stopped": (COLOURS[4], ".."),
    "unread": ("#e4e7eb", "--"),
}
"""Colour and hatching of each state: told apart without seeing colours, and on a printer without them."""

_INK = "#010203"  # stands for the page's own text colour until the figure has become text
_NUMBER = {"boxstyle": "round,pad=0.15", "facecolor": "white", "edgecolor": "none", "alpha": 0.9}


def shares(rows: Mapping[str, Mapping[str, int]], words: Mapping[str, str], title: str) -> Markup:
    """Return bars, one for each exercise, divided by what became of it.

    Args:
        rows: exercise to state to number of students, the first on top.
        words: state to the words for it, in the order to draw them in.
        title: what one observes.
    """
    with _figure(0.42 * len(rows) + 1.6) as (figure, axes):
        left = [0] * len(rows)
        for name, word in words.items():
            values = [row.get(name, 0) for row in rows.values()]
            if not any(values):
                continue
            colour, hatch = SHADES[name]
            look = {"color": colour, "hatch": hatch, "edgecolor": "#1f2328", "linewidth": 0.4}
            drawn = axes.barh(list(rows), values, left=left, label=word, **look)
            texts = [str(value or "") for value in values]
            for text in axes.bar_label(drawn, texts, label_type="center", color="black", fontsize=9):
                text.set_bbox(_NUMBER if text.get_text() else None)
            left = [before + value for before, value in zip(left, values, strict=True)]
        axes.margins(y=0.02)
        axes.invert_yaxis()
        axes.grid(axis="y", visible=False)
        axes.xaxis.get_major_locator().set_params(integer=True)
        axes.set(xlabel="students", ylabel=" ", title=title)
        figure.legend(loc="outside lower left", ncols=5, fontsize=9)
        told = "; ".join(f"{exercise}: {_told(row, words)}" for exercise, row in rows.items())
        return _svg(figure, f"{title}. {told}.")


def most_common(values: Mapping[str, int], title: str) -> Markup:
    """Return horizontal bars of how many students each entry of `values` counts, the first on top."""
    with _figure(0.4 * len(values) + 1.2) as (figure, axes):
        drawn = axes.barh(list(values), list(values.values()), color=COLOURS[0])
        axes.bar_label(drawn, padding=4)
        axes.invert_yaxis()
        axes.margins(x=0.1, y=0.02)
        axes.grid(axis="y", visible=False)
        axes.xaxis.get_major_locator().set_params(integer=True)
        axes.set(xlabel="students", ylabel=" ", title=title)
        told = "; ".join(f"{name}: {value}" for name, value in values.items())
        return _svg(figure, f"{title}. {told}.")


def distribution(totals: Sequence[float], most: float, title: str) -> Markup:
    """Return how many students have how many points.

    Args:
        totals: the points of each student.
        most: how many points there are.
        title: what one observes.
    """
    import numpy as np

    width = max(1, round(most / 20))
    edges = np.arange(0, most + width + 1, width) - 0.5
    with _figure(3) as (figure, axes):
        counts, _, drawn = axes.hist(totals, bins=edges, color=COLOURS[0], edgecolor="white", linewidth=0.6)
        axes.bar_label(drawn, [f"{n:.0f}" if n else "" for n in counts], padding=2, fontsize=9)
        axes.margins(x=0.01, y=0.12)
        axes.grid(axis="x", visible=False)
        for axis in (axes.xaxis, axes.yaxis):
            axis.get_major_locator().set_params(integer=True)
        axes.set(xlabel=f"points, of {most:g}", ylabel="students", title=title)
        ranges = zip(counts, edges[:-1] + 0.5, edges[1:] - 0.5, strict=True)
        told = [f"{n:.0f} with {low:g}" + f" to {high:g}" * bool(high > low) for n, low, high in ranges if n]
        return _svg(figure, f"{title}. Students by points: {', '.join(told)}.")


def _told(row: Mapping[str, int], words: Mapping[str, str]) -> str:
    return ", ".join(f"{row[name]} {word}" for name, word in words.items() if row.get(name))


@contextmanager
def _figure(height: float) -> Iterator[tuple[Any, Any]]:
    """Give a figure without a window behind it, in the labs' style and the page's ink."""
    import matplotlib as mpl
    from matplotlib.figure import Figure

    with mpl.rc_context():
        style()
        inked = (
            "text.color",
            "axes.labelcolor",
            "axes.edgecolor",
            "xtick.color",
            "ytick.color",
            "grid.color",
        )
        mpl.rcParams.update(dict.fromkeys(inked, _INK))
        mpl.rcParams.update({"svg.fonttype": "none", "svg.hashsalt": "labs", "font.family": "DejaVu Sans"})
        mpl.rcParams["text.parse_math"] = False  # a dollar sign in a name is a dollar sign
        figure = Figure(figsize=(8.2, height), layout="constrained")
        axes = figure.subplots()
        axes.set_axisbelow(True)
        yield figure, axes


def _svg(figure: Any, alt: str) -> Markup:
    """Return `figure` as one `<svg>` that a screen reader reads as the picture `alt` describes."""
    figure.patch.set_alpha(0)
    for axes in figure.axes:
        axes.patch.set_alpha(0)
    buffer = StringIO()
    figure.savefig(buffer, format="svg", transparent=True, metadata={"Date": None, "Creator": None})
    text = buffer.getvalue()
    text = text[text.index("<svg") :].replace(_INK, "currentColor")
    # Several figures share a page, and ids must not meet there.
    own = sha256(alt.encode("utf-8", "replace")).hexdigest()[:8]
    text = re.sub(r'(\bid="|url\(#|href="#)', rf"\1f{own}-", text)
    label = f'role="img" aria-label="{escape(alt)}"'
    return Markup(text.replace("<svg", f"<svg {label}", 1))
