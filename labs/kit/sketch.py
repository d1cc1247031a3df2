"""Say where two pieces of plain data differ, and keep what a drawing of that needs: plain data, too.

A drawing is chosen where a picture says more than words: shapes as boxes, small arrays as grids, long
ones as curves, images as images. `labs.kit.drawings` makes the picture; here nothing knows of HTML.
"""

import re
from base64 import b64encode
from io import BytesIO
from typing import Any

import numpy as np

GRID = 12
"""The most rows and columns of a grid of numbers."""
ROW = 16
"""The longest one-dimensional array that is written out; a longer one is drawn as a curve."""
POINTS = 100
"""The most points of a curve."""
PIXELS = {1: 48, 3: 32}
"""The largest side of a drawn image, by its number of channels; larger ones are thinned out."""
_LEAST_IMAGE = 5
_LARGEST = 1_000_000
_SHAPE = re.compile(r"shape \(((?:\d+|None)(?:, (?:\d+|None))*)?,?\)")
_TOLERANCES = ({"rtol": 1e-4, "atol": 1e-6}, {"rtol": 1e-7, "atol": 0.0})

Sketch = dict[str, Any]


def sketch(expected: Any, got: Any) -> Sketch:
    """Return what to draw of `expected` and `got`, as data that JSON can hold.

    Args:
        expected: what should have come: an array, numbers in lists, a dict of these, or text `shape (4, 3)`.
        got: what came, in any of these forms.

    Returns:
        `says`, a sentence on what differs; `kind`, one of `shapes`, `row`, `grid`, `curve` and `image`, or
        empty where words do; and what that kind needs. Nothing at all where the two cannot be compared, or
        do not differ.
    """
    if isinstance(expected, dict) and isinstance(got, dict):
        return _of_dicts(expected, got)
    shapes = _shape(expected), _shape(got)
    if None in shapes:
        return {}
    if _is_text(expected) or _is_text(got):
        return _of_shapes(*shapes)
    expected, got = _array(expected), _array(got)
    if expected.ndim == 1 and got.ndim == 1 and len(expected) != len(got):
        return _of_lengths(expected, got)
    if expected.shape != got.shape:
        return _of_shapes(*shapes)
    if not expected.size or expected.size > _LARGEST:
        return {}
    return _of_values(expected, got)


def _of_dicts(expected: dict[str, Any], got: dict[str, Any]) -> Sketch:
    """Return the sketch of the first entry that differs and can be drawn."""
    for name, value in expected.items():
        if name in got and (found := sketch(value, got[name])):
            return found | {"says": f"{name}: {found['says']}", "name": name}
    return {}


def _is_text(value: Any) -> bool:
    return isinstance(value, str)


def _shape(value: Any) -> list[int | None] | None:
    """Return the shape that `value` has, or names as text; nothing if it is no array of numbers."""
    if _is_text(value):
        found = _SHAPE.fullmatch(value)
        if not found:
            return None
        return [None if size == "None" else int(size) for size in (found[1] or "").split(", ") if size]
    array = _array(value)
    return None if array is None else list(array.shape)


def _array(value: Any) -> np.ndarray | None:
    if isinstance(value, np.ndarray):
        array = value
    elif isinstance(value, bool | int | float | list):
        try:
            array = np.array(value)
        except ValueError:  # lists of different lengths
            return None
    else:
        return None
    return array if array.dtype.kind in "biuf" else None


def _of_shapes(expected: list[int | None], got: list[int | None]) -> Sketch:
    """Return boxes for two shapes, aligned from the right, as broadcasting does."""
    if expected == got:
        return {}
    if not expected or not got:
        words = ("one number" if not shape else f"shape {_written(shape)}" for shape in (expected, got))
        return {"kind": "", "says": "expected {}, got {}".format(*words)}
    rank = max(len(expected), len(got))
    differ = [
        place
        for place in range(-rank, 0)
        if -place > len(expected) or -place > len(got) or expected[place] != got[place]
    ]
    says = f"expected shape {_written(expected)}, got {_written(got)}: {_axes(expected, got, differ)}"
    return {"kind": "shapes", "expected": expected, "got": got, "differ": differ, "says": says}


def _axes(expected: list, got: list, differ: list[int]) -> str:
    if len(expected) == len(got):
        one = len(differ) == 1
        return f"ax{'i' if one else 'e'}s {_and(str(len(got) + p) for p in differ)} differ{'s' * one}"
    less, more = sorted((expected, got), key=len)
    count, word = len(more) - len(less), "missing" if more is expected else "too many"
    axes = "one axis is" if count == 1 else f"{count} axes are"
    return f"{axes} {word}"


def _written(shape: list) -> str:
    return f"({', '.join(map(str, shape))}{',' * (len(shape) == 1)})"


def _and(words) -> str:
    *first, last = words
    return f"{', '.join(first)} and {last}" if first else last


def _of_lengths(expected: np.ndarray, got: np.ndarray) -> Sketch:
    says = f"expected {_count(len(expected))}, got {len(got)}"
    if max(len(expected), len(got)) > ROW:
        return _of_shapes(list(expected.shape), list(got.shape)) | {"says": says}
    short = min(len(expected), len(got))
    differ = np.flatnonzero(_differ(expected[:short], got[:short])).tolist()
    differ += range(short, max(len(expected), len(got)))
    return _row(expected, got, differ) | {"says": says}


def _count(number: int) -> str:
    return f"{number:,} number{'s' * (number != 1)}"


def _of_values(expected: np.ndarray, got: np.ndarray) -> Sketch:
    differ = _differ(expected, got)
    if not differ.any():
        return {}
    says = _difference(expected, got, differ)
    if expected.ndim == 0:
        return {"kind": "", "says": says}
    place = tuple(int(axis) for axis in np.argwhere(differ)[0])
    if expected.ndim == 1:
        if len(expected) <= ROW:
            return _row(expected, got, np.flatnonzero(differ).tolist()) | {"says": says}
        return _curve(expected, got) | {"says": says}
    channels = expected.shape[-1] if expected.ndim >= 3 and expected.shape[-1] in PIXELS else 0
    sides = expected.shape[-3:-1] if channels else expected.shape[-2:]
    least = _LEAST_IMAGE if channels else GRID + 1
    inner = 3 if channels and min(sides) >= least else 2
    before = place[: expected.ndim - inner]
    part = {"part": _part(before, inner)} if before else {}
    expected, got, differ = expected[before], got[before], differ[before]
    if min(sides) >= least:
        return _image(expected, got) | part | {"says": says}
    return _grid(expected, got, differ) | part | {"says": says}


def _part(before: tuple[int, ...], inner: int) -> str:
    return f"[{', '.join([*map(str, before), *[':'] * inner])}]"


def _differ(expected: np.ndarray, got: np.ndarray) -> np.ndarray:
    """Tell where two arrays differ by more than rounding; by anything, where they agree but for rounding."""
    expected, got = expected.astype(np.float64), got.astype(np.float64)
    loose, strict = (~np.isclose(got, expected, equal_nan=True, **tolerance) for tolerance in _TOLERANCES)
    return loose if loose.any() else strict


def _difference(expected: np.ndarray, got: np.ndarray, differ: np.ndarray) -> str:
    if expected.ndim == 0:
        return f"expected {_number(expected[()])}, got {_number(got[()])}"
    place = tuple(np.argwhere(differ)[0])
    count, total = int(differ.sum()), differ.size
    head = (
        f"{count:,} of {_count(total)}"
        if count < total
        else f"all {_count(total)}"
        if total > 1
        else "the number"
    )
    verb = "differs" if count == 1 else "differ"
    at = f"[{', '.join(map(str, place))}]"
    return f"{head} {verb}; first at {at}: expected {_number(expected[place])}, got {_number(got[place])}"


def _number(value: Any) -> str:
    """Write a number in about six characters."""
    if isinstance(value, bool | np.bool_):
        return "T" if value else "F"
    if isinstance(value, int | np.integer):
        return str(value) if abs(int(value)) < 100_000 else f"{float(value):.2g}"
    text = f"{float(value):.3g}"
    return "0" if text == "-0" else text


def _row(expected: np.ndarray, got: np.ndarray, differ: list[int]) -> Sketch:
    texts = {name: [_number(v) for v in array] for name, array in (("expected", expected), ("got", got))}
    return {"kind": "row", **texts, "differ": differ}


def _grid(expected: np.ndarray, got: np.ndarray, differ: np.ndarray) -> Sketch:
    """Return two grids of numbers; of a larger array the part where the first difference is."""
    row, column = (int(place) for place in np.argwhere(differ)[0])
    corner = [_begin(row, expected.shape[0]), _begin(column, expected.shape[1])]
    window = tuple(slice(begin, begin + GRID) for begin in corner)
    low, high = _range(expected[window], got[window])
    return {
        "kind": "grid",
        "corner": corner,
        "shape": list(expected.shape),
        "expected": _cells(expected[window], low, high),
        "got": _cells(got[window], low, high),
        "differ": np.argwhere(differ[window]).tolist(),
    }


def _begin(place: int, size: int) -> int:
    """Return where a window of `GRID` begins that shows `place`, from the start of the axis if that does."""
    return 0 if place < GRID else min(place, size - GRID)


def _range(*arrays: np.ndarray) -> tuple[float, float]:
    """Return the least and the greatest number in `arrays`, nan and infinity apart."""
    numbers = np.concatenate([array.astype(np.float64).ravel() for array in arrays])
    numbers = numbers[np.isfinite(numbers)]
    return (float(numbers.min()), float(numbers.max())) if numbers.size else (0.0, 0.0)


def _levels(array: np.ndarray, low: float, high: float, steps: int) -> np.ndarray:
    """Return whole numbers from 0 to `steps` for numbers from `low` to `high`; 0 for what is no number."""
    numbers = np.nan_to_num(array.astype(np.float64), nan=low, posinf=high, neginf=low)
    shares = (numbers - low) / (high - low) if high > low else np.zeros(array.shape)
    return np.rint(np.clip(shares, 0, 1) * steps).astype(int)


def _cells(array: np.ndarray, low: float, high: float) -> list[list[list[Any]]]:
    """Return each cell as its text and its shade, from 0 to 4."""
    shades = _levels(array, low, high, 4)
    return [
        [[_number(v), int(s)] for v, s in zip(row, shade, strict=True)]
        for row, shade in zip(array, shades, strict=True)
    ]


def _curve(expected: np.ndarray, got: np.ndarray) -> Sketch:
    """Return both series as heights from 0 to 1,000, on one scale; nothing for a gap."""
    step = -(-len(expected) // POINTS)
    low, high = _range(expected, got)
    series = {}
    for name, array in (("expected", expected), ("got", got)):
        thinned = array[::step]
        heights = _levels(thinned, low, high, 1000)
        series[name] = [int(h) if np.isfinite(v) else None for h, v in zip(heights, thinned, strict=True)]
    return {"kind": "curve", **series, "length": len(expected), "low": _number(low), "high": _number(high)}


def _image(expected: np.ndarray, got: np.ndarray) -> Sketch:
    """Return two images as PNG, both on the scale of the expected one, so that one not scaled stands out."""
    low, high = _range(expected)
    if low == high:
        low, high = _range(expected, got)
    if expected.dtype.kind != "b" and low >= 0 and 0.25 <= high <= 1:
        low, high = 0.0, 1.0
    elif expected.dtype.kind == "u":
        low, high = 0.0, 255.0
    images = {
        name: {"png": _png(array, low, high), "under": _under(array)}
        for name, array in (("expected", expected), ("got", got))
    }
    scale = [_number(low), _number(high)]
    return {"kind": "image", "shape": list(expected.shape[:2]), "scale": scale, **images}


def _under(array: np.ndarray) -> str:
    low, high = _range(array)
    return f"{array.dtype.name}, {_number(low)} to {_number(high)}"


def _png(array: np.ndarray, low: float, high: float) -> str:
    from PIL import Image

    array = array if array.ndim == 3 else array[..., None]
    step = -(-max(array.shape[:2]) // PIXELS[array.shape[2]])
    grey = _levels(array[::step, ::step], low, high, 255).astype(np.uint8)
    image, stream = Image.fromarray(grey[..., 0] if grey.shape[2] == 1 else grey), BytesIO()
    image.save(stream, "PNG", optimize=True)
    return b64encode(stream.getvalue()).decode("ascii")
