"""Whether the pictures among a cell's outputs are there and show something."""

import base64
import io
from collections.abc import Iterator

from nbformat import NotebookNode
from PIL import Image

PICTURES = ("image/png", "image/jpeg")

SPREAD = 8
"""Levels of 255 within which all pixels of a channel count as the same."""


def figure_faults(stored: list[NotebookNode], fresh: list[NotebookNode]) -> list[str]:
    """Return what is wrong with the figures; nbval compares none and notices no missing one."""
    faults = []
    had, has = list(_pictures(stored)), list(_pictures(fresh))
    if len(had) > len(has):
        faults.append(f"a figure is missing: {len(had)} stored, {len(has)} now")
    if len(has) > len(had):
        faults.append(f"a figure is new: {len(had)} stored, {len(has)} now: run `labs build`")
    for which, pictures in (("stored", had), ("fresh", has)):
        for number, picture in enumerate(pictures, start=1):
            fault = _fault(picture)
            if fault:
                faults.append(f"{which} figure {number} {fault}")
    return faults


def _pictures(outputs: list[NotebookNode]) -> Iterator[str]:
    for output in outputs:
        yield from (data for mime, data in output.get("data", {}).items() if mime in PICTURES)


def _fault(picture: str) -> str | None:
    try:
        image = Image.open(io.BytesIO(base64.b64decode(picture))).convert("RGBA")
    except (OSError, ValueError):
        return "cannot be read as a picture"
    # On grey, neither white nor black lines on a transparent ground vanish.
    ground = Image.new("RGBA", image.size, (128, 128, 128, 255))
    bands = Image.alpha_composite(ground, image).convert("RGB").getextrema()
    return "is blank" if all(high - low <= SPREAD for low, high in bands) else None
