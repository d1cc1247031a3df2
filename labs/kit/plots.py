"""Figures of one style: colour-blind safe, labelled, and described for those who cannot see them.

The colours are those of Okabe and Ito, "Color Universal Design" (2008).
"""

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

import numpy as np

from labs.kit.errors import LabsError

COLOURS = ("#0072B2", "#E69F00", "#009E73", "#D55E00", "#CC79A7", "#56B4E9", "#F0E442", "#000000")
MARKERS = ("o", "s", "^", "D", "v", "P", "X", "*")


def style() -> None:
    """Make this style matplotlib's default for the session."""
    import matplotlib as mpl
    from cycler import cycler

    mpl.rcParams.update(
        {
            "axes.prop_cycle": cycler(color=COLOURS),
            "axes.grid": True,
            "axes.spines.right": False,
            "axes.spines.top": False,
            "axes.titlelocation": "left",
            "axes.titleweight": "bold",
            "figure.constrained_layout.use": True,
            "figure.dpi": 100,
            "figure.facecolor": "white",
            "figure.figsize": (7, 3.8),
            "font.size": 11,
            "grid.alpha": 0.3,
            "image.cmap": "gray",
            "legend.frameon": False,
            "lines.linewidth": 2,
            "savefig.facecolor": "white",
        }
    )


def show(figure: Any, alt: str) -> None:
    """Show a finished figure with its description, and close it.

    The description goes into the image's metadata and, because JupyterLab does not pass that on to
    screen readers, into a line under the figure that opens on demand.

    Args:
        figure: a matplotlib `Figure`.
        alt: what a person who cannot see it must know: what is shown, and what one observes.

    Raises:
        LabsError: the figure has no title, an axis has no label, or the description is too short.
    """
    import matplotlib.pyplot as plt
    from IPython.display import publish_display_data

    fault = _fault(figure, alt)
    if fault:
        raise LabsError(fault)
    image = _png(figure)
    publish_display_data({"image/png": image, "text/plain": f"Figure: {alt}"}, {"image/png": {"alt": alt}})
    described = f"<details><summary>Describe this figure</summary><p>{escape(alt)}</p></details>"
    publish_display_data({"text/html": described, "text/plain": ""})
    plt.close(figure)


def _png(figure: Any) -> bytes:
    from io import BytesIO

    buffer = BytesIO()
    figure.savefig(buffer, format="png", metadata={"Software": None})
    return buffer.getvalue()


def _fault(figure: Any, alt: str) -> str:
    shown = [axes for axes in figure.axes if axes.get_visible() and axes.get_label() != "<colorbar>"]
    titled = figure.get_suptitle() or any(axes.get_title(loc) for axes in shown for loc in ("left", "center"))
    if not shown or not titled:
        return "This figure needs a title that says what one observes."
    if any(axes.axison and not (axes.get_xlabel() and axes.get_ylabel()) for axes in shown):
        return "Every axis of this figure needs a label, with its unit; images have theirs switched off."
    if len(alt.split()) < 5:
        return "Describe the figure in a sentence, for those who cannot see it: show(figure, alt=...)."
    return ""


def images(pictures: Any, titles: Sequence[str], title: str, columns: int = 8) -> Any:
    """Return a figure of small pictures in rows.

    Args:
        pictures: array or tensor of shape (n, height, width), (n, height, width, 1) or (..., 3);
            uint8 in [0, 255] or float in [0, 1].
        titles: one short text for each.
        title: what one observes.
        columns: pictures in a row.
    """
    import matplotlib.pyplot as plt

    pictures = np.asarray(pictures)
    if len(pictures) != len(titles):
        raise LabsError(f"There are {len(pictures)} pictures and {len(titles)} titles; give one for each.")
    columns = min(columns, len(pictures))
    rows = -(-len(pictures) // columns)
    figure, grid = plt.subplots(rows, columns, figsize=(1.15 * columns, 1.4 * rows + 0.4), squeeze=False)
    for axes in grid.flat:
        axes.axis("off")
    for axes, picture, text in zip(grid.flat, pictures, titles, strict=False):
        picture = picture[..., 0] if picture.ndim == 3 and picture.shape[-1] == 1 else picture
        axes.imshow(picture, vmin=0, vmax=255 if picture.dtype == np.uint8 else 1)
        axes.set_title(text, fontsize=8, fontweight="normal", loc="center")
    figure.suptitle(title, fontweight="bold", x=0.01, ha="left")
    return figure


def curves(history: Mapping[str, Sequence[float]], metric: str, title: str, unit: str = "") -> Any:
    """Return a figure of a metric over the epochs, for training and, if it is there, validation.

    Args:
        history: `History.history`, or a dict of the same form: name to one number for each epoch.
        metric: for example `loss`; `val_loss` is drawn beside it.
        title: what one observes.
        unit: of the metric, for the axis.
    """
    import matplotlib.pyplot as plt

    if metric not in history:
        raise LabsError(f"The history holds no `{metric}`, only {', '.join(history) or 'nothing'}.")
    figure, axes = plt.subplots()
    for key, name, marker in ((metric, "training", "o"), (f"val_{metric}", "validation", "s")):
        if key in history:
            axes.plot(range(1, len(history[key]) + 1), history[key], marker=marker, label=name)
    axes.xaxis.get_major_locator().set_params(integer=True)
    axes.set(xlabel="epoch", ylabel=f"{metric} ({unit})" if unit else metric, title=title)
    axes.legend()
    return figure


def bars(values: Mapping[str, float], xlabel: str, title: str, digits: int = 1) -> Any:
    """Return a figure of horizontal bars, each with its value written beside it.

    Args:
        values: name to value, the first on top.
        xlabel: what is measured, with its unit.
        title: what one observes.
        digits: decimals of the written values.
    """
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(figsize=(7, 0.5 * len(values) + 1.4))
    drawn = axes.barh(list(values), list(values.values()), color=COLOURS[0])
    axes.bar_label(drawn, fmt=f"%.{digits}f", padding=4)
    axes.invert_yaxis()
    axes.margins(x=0.12)
    axes.set(xlabel=xlabel, ylabel="", title=title)
    axes.set_ylabel(" ")
    axes.grid(axis="y", visible=False)
    return figure


def confusion(matrix: Any, labels: Sequence[str], title: str) -> Any:
    """Return a figure of a confusion matrix, counts written into the cells.

    Args:
        matrix: integers of shape (classes, classes); rows are true classes, columns predicted ones.
        labels: name of each class.
        title: what one observes.
    """
    import matplotlib.pyplot as plt

    matrix = np.asarray(matrix)
    size = 0.5 * len(labels) + 2.2
    figure, axes = plt.subplots(figsize=(size + 0.6, size))
    axes.imshow(matrix, cmap="Blues")
    half = matrix.max() / 2
    for row, column in np.ndindex(*matrix.shape):
        if matrix[row, column]:
            colour = "white" if matrix[row, column] > half else "black"
            axes.text(column, row, matrix[row, column], ha="center", va="center", fontsize=8, color=colour)
    axes.set_xticks(range(len(labels)), labels, rotation=45, ha="right")
    axes.set_yticks(range(len(labels)), labels)
    axes.grid(False)
    axes.set(xlabel="predicted class", ylabel="true class", title=title)
    return figure
