"""Figures come with title, labels and description, or not at all."""

import numpy as np
import pytest

from labs.kit import plots
from labs.kit.errors import LabsError

plt = pytest.importorskip("matplotlib.pyplot")
ALT = "A line that rises from one to two over three steps."


@pytest.fixture
def shown(monkeypatch):
    """Collect what is published, and draw without a screen."""
    import IPython.display

    plt.switch_backend("Agg")
    published = []
    monkeypatch.setattr(IPython.display, "publish_display_data", lambda *given: published.append(given))
    yield published
    plt.close("all")


def line(**labels):
    figure, axes = plt.subplots()
    axes.plot([1, 2])
    axes.set(**{"title": "It rises", "xlabel": "step", "ylabel": "loss (nats)"} | labels)
    return figure


def test_the_description_travels_with_the_figure(shown):
    plots.show(line(), ALT)
    (image, metadata), (described,) = shown
    assert image["image/png"].startswith(b"\x89PNG") and ALT in image["text/plain"]
    assert metadata["image/png"]["alt"] == ALT
    assert "<details>" in described["text/html"] and ALT in described["text/html"]
    assert not plt.get_fignums()


@pytest.mark.parametrize(
    ("labels", "alt", "sentence"),
    [
        ({"title": ""}, ALT, "title"),
        ({"xlabel": ""}, ALT, "label"),
        ({"ylabel": ""}, ALT, "label"),
        ({}, "A line.", "Describe"),
    ],
)
def test_an_undescribed_figure_is_refused(shown, labels, alt, sentence):
    with pytest.raises(LabsError, match=sentence):
        plots.show(line(**labels), alt)
    assert not shown


def test_helpers_make_figures_that_can_be_shown(shown):
    history = {"loss": [2, 1], "val_loss": [2, 1.5]}
    pictures = np.zeros((3, 4, 4, 1), np.uint8)
    for figure in (
        plots.curves(history, "loss", "It falls", unit="nats"),
        plots.images(pictures, ["a", "b", "c"], "Three pictures"),
        plots.bars({"a": 1.0, "b": 2.0}, "time (s)", "b is slower"),
        plots.confusion(np.eye(3, dtype=int), ["a", "b", "c"], "All right"),
    ):
        plots.show(figure, ALT)
    assert len(shown) == 8


def test_helpers_say_what_is_wrong():
    with pytest.raises(LabsError, match="no `loss`, only acc"):
        plots.curves({"acc": [1]}, "loss", "x")
    with pytest.raises(LabsError, match="2 pictures and 1 titles"):
        plots.images(np.zeros((2, 4, 4)), ["a"], "x")


def _luminance(colour):
    channels = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.03928 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return sum(weight * c for weight, c in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


def test_the_first_colours_differ_in_lightness_too():
    """Who cannot tell the hues apart, or prints in grey, still sees two lines."""
    first, second = map(_luminance, plots.COLOURS[:2])
    assert (max(first, second) + 0.05) / (min(first, second) + 0.05) > 2
