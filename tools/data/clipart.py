"""Make `data/clipart`: 535 public-domain pictures in six classes, as JPEG files in TFDS' ImageFolder layout.

The origin is the Debian package openclipart-png 1:0.18+dfsg-19:

    apt-get download openclipart-png
    dpkg -x openclipart-png_*.deb origin
    python tools/data/clipart.py origin/usr/share/openclipart/png
    python tools/data/sums.py

`data/clipart.csv`, written beside the folder, says which picture each file was made from.
"""

import argparse
import csv
import hashlib
import re
import shutil
import warnings
from pathlib import Path

from PIL import Image

DATA = Path(__file__).resolve().parents[2] / "data"
FOLDERS = {
    "dessert": "food/desserts",
    "flag": "signs_and_symbols/flags",
    "fruit": "food/fruit",
    "mammal": "animals/mammals",
    "plant": "plants",
    "vehicle": "transportation/vehicles",
}
EVERY = {"flag": 6}
"""Of 551 flags every sixth is taken, so that no class is six times as large as another."""

SIDE = 96
TEST_SHARE = 0.2
LONGEST_NAME = 32


def chosen(origin: Path) -> dict[str, list[Path]]:
    """Return per class the pictures taken, in the order of their paths."""
    return {
        name: sorted((origin / folder).rglob("*.png"), key=Path.as_posix)[:: EVERY.get(name, 1)]
        for name, folder in FOLDERS.items()
    }


def short_names(pictures: list[Path]) -> list[str]:
    """Return for each picture a file name of lower-case ASCII letters, digits, `_` and `-`, none twice."""
    names: list[str] = []
    for picture in pictures:
        stem = re.sub(r"[^a-z0-9-]+", "_", picture.stem.lower())[:LONGEST_NAME].strip("_-")
        name, number = stem, 2
        while f"{name}.jpg" in names:
            name, number = f"{stem}_{number}", number + 1
        names.append(f"{name}.jpg")
    return names


def in_test(class_name: str, names: list[str]) -> set[str]:
    """Return the fifth of a class that goes into the test split: the lowest hashes of class and name."""
    by_hash = sorted(names, key=lambda name: hashlib.sha256(f"{class_name}/{name}".encode()).digest())
    return set(by_hash[: round(TEST_SHARE * len(names))])


def square(picture: Path) -> Image.Image:
    """Return the picture centred on a white square and scaled to 96 x 96 RGB."""
    with warnings.catch_warnings(action="ignore", category=Image.DecompressionBombWarning):
        opened = Image.open(picture)
    with opened:
        drawn = opened.convert("RGBA")
    side = max(drawn.size)
    paper = Image.new("RGBA", (side, side), "white")
    paper.paste(drawn, ((side - drawn.width) // 2, (side - drawn.height) // 2), drawn)
    return paper.convert("RGB").resize((SIDE, SIDE), Image.Resampling.LANCZOS)


def write(origin: Path, target: Path) -> None:
    """Write `target`/{train,test}/<class>/<name>.jpg and the list `target`.csv."""
    shutil.rmtree(target, ignore_errors=True)
    rows = []
    for class_name, pictures in chosen(origin).items():
        names = short_names(pictures)
        test = in_test(class_name, names)
        for picture, name in zip(pictures, names, strict=True):
            split = "test" if name in test else "train"
            file = target / split / class_name / name
            file.parent.mkdir(parents=True, exist_ok=True)
            square(picture).save(file, "JPEG", quality=85, optimize=True)
            rows.append((file.relative_to(target).as_posix(), picture.relative_to(origin).as_posix()))
    with target.with_suffix(".csv").open("w", newline="") as index:
        writer = csv.writer(index, lineterminator="\n")
        writer.writerow(("file", "openclipart"))
        writer.writerows(sorted(rows))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("origin", type=Path, help="the package's folder `png`")
    parser.add_argument("--to", type=Path, default=DATA / "clipart", help="folder to write")
    asked = parser.parse_args()
    write(asked.origin, asked.to)


if __name__ == "__main__":
    main()
