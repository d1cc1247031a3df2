"""Draw a sketch of what was expected and what came, as HTML that needs neither script nor style sheet.

Lines, text and shades take the colour of the text around them, so they follow the theme; what differs is
framed and underlined as well as coloured. Every drawing is one image with a description of what differs.
"""

from collections.abc import Callable, Iterable
from html import escape

from labs.kit.sketch import Sketch

MARK = "#d55e00"
"""Vermilion of Okabe and Ito's palette: told apart with every kind of colour vision, on light and on dark."""
_LINE = "#0072b2"
_FONT = "font-family:var(--jp-code-font-family, monospace);font-size:11px"
_HIGH, _CHARACTER = 20, 7
_SIDES = (("expected", "Expected"), ("got", "Got"))


def draw(sketch: Sketch) -> str:
    """Return the drawing of a sketch that `labs.kit.sketch.sketch` made; empty where it has none."""
    drawing = _DRAWINGS.get(sketch.get("kind", ""))
    return drawing(sketch) if drawing else ""


def _figures(sketch: Sketch, pictures: Iterable[tuple[str, str, str]]) -> str:
    """Return pictures beside each other, or below where there is no room, each with its name above it.

    Args:
        sketch: says what differs.
        pictures: name, picture, words under it.
    """
    figures = "".join(
        f'<div><div style="{_FONT}">{escape(name)}</div>{picture}'
        f'<div style="{_FONT}">{escape(under)}</div></div>'
        for name, picture, under in pictures
    )
    return (
        f'<div role="img" aria-label="{escape(sketch["says"])}" '
        f'style="display:flex;flex-wrap:wrap;gap:6px 20px;margin:6px 0">{figures}</div>'
    )


def _svg(width: int, height: int, inside: str) -> str:
    return (
        f'<svg width="{width}" height="{height}" viewBox="0 0 {width} {height}" aria-hidden="true" '
        f'style="display:block;max-width:100%;overflow:visible" fill="currentColor">{inside}</svg>'
    )


def _texts(texts: Iterable[tuple[float, float, str]]) -> str:
    """Return words, each centred on its place."""
    spans = "".join(f'<tspan x="{x:g}" y="{y:g}">{escape(text)}</tspan>' for x, y, text in texts)
    return f'<text text-anchor="middle" style="{_FONT}">{spans}</text>' if spans else ""


def _runs(places: Iterable[tuple[int, int]]) -> list[tuple[int, int, int]]:
    """Join cells, given as row and column, that stand side by side: row, first column, how many."""
    runs: list[tuple[int, int, int]] = []
    for row, column in sorted(places):
        if runs and runs[-1][0] == row and sum(runs[-1][1:]) == column:
            runs[-1] = (row, runs[-1][1], runs[-1][2] + 1)
        else:
            runs.append((row, column, 1))
    return runs


def _frames(places: Iterable[tuple[int, int]], width: int) -> str:
    """Return a frame around the cells, given as row and column, thicker below than around."""
    runs = [(c * width + 1.5, r * _HIGH + 1.5, n * width - 3) for r, c, n in _runs(places)]
    boxes = "".join(f"M{x:g} {y:g}h{wide}v{_HIGH - 3}h-{wide}z" for x, y, wide in runs)
    lines = "".join(f"M{x:g} {y + _HIGH - 3.5:g}h{wide}" for x, y, wide in runs)
    return (
        f'<path fill="none" stroke="{MARK}" stroke-width="1.5" d="{boxes}"/>'
        f'<path stroke="{MARK}" stroke-width="3" d="{lines}"/>'
        if runs
        else ""
    )


def _width(texts: Iterable[str]) -> int:
    """Return the width of a cell that holds any of `texts`, in pixels."""
    return _CHARACTER * max(4, max(map(len, texts), default=1) + 2)


def _grid(sketch: Sketch) -> str:
    width = _width(text for side, _ in _SIDES for row in sketch[side] for text, _ in row)
    differ = {tuple(place) for place in sketch["differ"]}
    top, left = sketch["corner"]
    rows, columns = len(sketch["got"]), len(sketch["got"][0])
    whole = [rows, columns] == sketch["shape"]
    part = "" if whole else f"rows {top} to {top + rows - 1}, columns {left} to {left + columns - 1}"
    where = " ".join(filter(None, [sketch.get("name"), sketch.get("part"), part]))
    return _figures(
        sketch,
        (
            (
                f"{name} {where}".strip(),
                _cells(sketch[side], width, differ if side == "got" else ()),
                "framed: differs" if side == "got" else "",
            )
            for side, name in _SIDES
        ),
    )


def _cells(rows: list[list[list]], width: int, marked: Iterable[tuple[int, int]]) -> str:
    shades: dict[int, list[tuple[int, int]]] = {}
    for r, row in enumerate(rows):
        for c, (_, shade) in enumerate(row):
            shades.setdefault(shade, []).append((r, c))
    paths = "".join(
        f'<path fill-opacity="{0.02 + 0.06 * shade:.2f}" d="{_boxes(places, width)}"/>'
        for shade, places in sorted(shades.items())
    )
    wide = len(rows[0]) * width
    # One text for each row, its cells padded to one length and the whole set to its place: a third of the size.
    lines = "".join(
        f'<text y="{r * _HIGH + 14}" textLength="{wide}">{escape(_line(row, width // _CHARACTER))}</text>'
        for r, row in enumerate(rows)
    )
    inside = f'{paths}<g style="{_FONT}">{lines}</g>{_frames(marked, width)}'
    return _svg(wide, len(rows) * _HIGH, inside)


def _boxes(places: Iterable[tuple[int, int]], width: int) -> str:
    return "".join(f"M{c * width} {r * _HIGH}h{n * width}v{_HIGH}h-{n * width}z" for r, c, n in _runs(places))


def _line(row: list[list], characters: int) -> str:
    return "".join(f"{text:^{characters}}" for text, _ in row).replace(" ", "\N{NO-BREAK SPACE}")


def _row(sketch: Sketch) -> str:
    """Return one row below the other, so that what belongs together stands together."""
    columns = max(len(sketch["expected"]), len(sketch["got"]))
    width = _width([*sketch["expected"], *sketch["got"], str(columns)])
    texts = [((c + 0.5) * width, 14, f"[{c}]") for c in range(columns)]
    boxes = ""
    for row, (side, _) in enumerate(_SIDES, start=1):
        boxes += "".join(
            f"M{c * width} {row * _HIGH}h{width}v{_HIGH}h-{width}z" for c in range(len(sketch[side]))
        )
        texts += [((c + 0.5) * width, row * _HIGH + 14, text) for c, text in enumerate(sketch[side])]
    grid = f'<path fill-opacity="0.06" stroke="currentColor" stroke-opacity="0.3" d="{boxes}"/>'
    marks = _frames(((2, c) for c in sketch["differ"]), width)
    names = "".join(f'<div style="line-height:{_HIGH}px">{name}</div>' for name in ("", "Expected", "Got"))
    names = names.replace("></div>", ">&nbsp;</div>")
    picture = (
        f'<div style="display:flex;gap:8px"><div style="{_FONT}">{names}</div>'
        f"{_svg(columns * width, 3 * _HIGH, grid + _texts(texts) + marks)}</div>"
    )
    return _figures(sketch, [(sketch.get("name", ""), picture, "")])


def _shapes(sketch: Sketch) -> str:
    """Return the sizes of both shapes in boxes, the last axes below each other."""
    rank = max(len(sketch["expected"]), len(sketch["got"]), 1)
    sizes = [str(size) for side, _ in _SIDES for size in sketch[side]]
    width = max(_width(sizes), 40)
    texts, boxes, gaps, marked = [], "", "", []
    for row, (side, _) in enumerate(_SIDES):
        shape = sketch[side]
        for column in range(rank):
            size = column - rank + len(shape)
            corner = f"M{column * width + 2} {row * 2 * _HIGH + 2}h{width - 4}v{2 * _HIGH - 6}h{4 - width}z"
            if size < 0:
                gaps += corner
            else:
                boxes += corner
                texts.append(((column + 0.5) * width, row * 2 * _HIGH + 23, str(shape[size])))
    for place in sketch["differ"]:
        x = (place + rank) * width
        marked.append(f"M{x + 2} {2 * _HIGH + 2}h{width - 4}v{2 * _HIGH - 6}h{4 - width}z")
    inside = (
        f'<path fill-opacity="0.08" stroke="currentColor" stroke-opacity="0.5" d="{boxes}"/>'
        f'<path fill="none" stroke="currentColor" stroke-opacity="0.4" stroke-dasharray="3 3" d="{gaps}"/>'
        f'<path fill="none" stroke="{MARK}" stroke-width="3" d="{"".join(marked)}"/>{_texts(texts)}'
    )
    names = "".join(f'<div style="line-height:{2 * _HIGH}px">{name} shape</div>' for _, name in _SIDES)
    picture = (
        f'<div style="display:flex;gap:8px"><div style="{_FONT}">{names}</div>'
        f"{_svg(rank * width, 4 * _HIGH, inside)}</div>"
    )
    return _figures(sketch, [(sketch.get("name", ""), picture, "")])


def _curve(sketch: Sketch) -> str:
    wide, high = 320, 90
    lines = ""
    styles = {"expected": f'stroke="{_LINE}" stroke-width="3"'}
    styles["got"] = f'stroke="{MARK}" stroke-width="1.5" stroke-dasharray="5 2"'
    for side, _ in _SIDES:
        heights, path, pen = sketch[side], "", "M"
        for place, height in enumerate(heights):
            if height is None:
                pen = "M"
                continue
            x = place * wide / max(len(heights) - 1, 1)
            path += f"{pen}{x:.0f} {high - height * high / 1000:.0f}"
            pen = "L"
        lines += f'<path fill="none" {styles[side]} d="{path}"/>'
    frame = f'<path fill="none" stroke="currentColor" stroke-opacity="0.4" d="M0 0v{high}h{wide}"/>'
    under = (
        f"from {sketch['low']} to {sketch['high']}, positions 0 to {sketch['length'] - 1:,}; "
        "expected: thick and blue, got: thin and dashed"
    )
    return _figures(sketch, [(sketch.get("name", ""), _svg(wide, high, lines + frame), under)])


def _image(sketch: Sketch) -> str:
    height, width = sketch["shape"]
    zoom = max(1, 112 // max(height, width))
    size = f"width:{max(width * zoom, 24)}px;height:{max(height * zoom, 24)}px"
    if max(height, width) > 112:
        size = f"width:{112 * width // max(height, width)}px;height:{112 * height // max(height, width)}px"
    where = " ".join(filter(None, [sketch.get("name"), sketch.get("part")]))
    drawn = _figures(
        sketch,
        (
            (
                f"{name} {where}".strip(),
                f'<img alt="" src="data:image/png;base64,{escape(sketch[side]["png"])}" '
                f'style="{size};max-width:none;image-rendering:pixelated;border:1px solid currentColor"/>',
                sketch[side]["under"],
            )
            for side, name in _SIDES
        ),
    )
    low, high = sketch["scale"]
    note = f"Both are drawn from {low} (dark) to {high} (bright); what lies beyond is cut off."
    return f'{drawn}<div style="{_FONT}">{escape(note)}</div>'


_DRAWINGS: dict[str, Callable[[Sketch], str]] = {
    "shapes": _shapes,
    "grid": _grid,
    "row": _row,
    "curve": _curve,
    "image": _image,
}
