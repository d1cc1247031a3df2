"""Make `data/fashion_mnist`: a stratified tenth of Fashion-MNIST as TFDS files.

The origin is the Debian package dataset-fashion-mnist 0.0~git20200523.55506a9-1:

    apt-get download dataset-fashion-mnist
    dpkg -x dataset-fashion-mnist_*.deb origin
    python tools/data/fashion_mnist.py origin/usr/share/datasets/fashion-mnist
    python tools/data/sums.py

Two runs give the same bytes with the same versions of TensorFlow Datasets and Pillow (SOURCES.md).
"""

import argparse
import gzip
import io
from pathlib import Path

import numpy as np
import records
from PIL import Image

DATA = Path(__file__).resolve().parents[2] / "data"
NAMES = (
    "T-shirt/top", "Trouser", "Pullover", "Dress", "Coat", "Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot",
)  # fmt: skip
SEED = 42
DESCRIPTION = (
    "A tenth of Fashion-MNIST, stratified by class: Zalando's article images, 28x28 grey values, ten classes."
)
CITATION = """@article{xiao2017fashion,
  author = {Han Xiao and Kashif Rasul and Roland Vollgraf},
  title  = {Fashion-MNIST: a Novel Image Dataset for Benchmarking Machine Learning Algorithms},
  year   = {2017},
  note   = {arXiv:1708.07747}
}"""
LICENCE = """MIT License

Copyright (c) 2017 Zalando SE, https://tech.zalando.com

Permission is hereby granted, free of charge, to any person obtaining a copy of this software and
associated documentation files (the "Software"), to deal in the Software without restriction, including
without limitation the rights to use, copy, modify, merge, publish, distribute, sublicense, and/or sell
copies of the Software, and to permit persons to whom the Software is furnished to do so, subject to the
following conditions:

The above copyright notice and this permission notice shall be included in all copies or substantial
portions of the Software.

THE SOFTWARE IS PROVIDED "AS IS", WITHOUT WARRANTY OF ANY KIND, EXPRESS OR IMPLIED, INCLUDING BUT NOT
LIMITED TO THE WARRANTIES OF MERCHANTABILITY, FITNESS FOR A PARTICULAR PURPOSE AND NONINFRINGEMENT. IN NO
EVENT SHALL THE AUTHORS OR COPYRIGHT HOLDERS BE LIABLE FOR ANY CLAIM, DAMAGES OR OTHER LIABILITY, WHETHER
IN AN ACTION OF CONTRACT, TORT OR OTHERWISE, ARISING FROM, OUT OF OR IN CONNECTION WITH THE SOFTWARE OR
THE USE OR OTHER DEALINGS IN THE SOFTWARE.
"""


def read_idx(path: Path) -> np.ndarray:
    """Read a gzipped IDX file of unsigned bytes (LeCun's format); the header gives the shape."""
    content = gzip.decompress(path.read_bytes())
    rank = content[3]
    shape = np.frombuffer(content, ">u4", count=rank, offset=4)
    return np.frombuffer(content, np.uint8, offset=4 + 4 * rank).reshape(shape)


def stratified(labels: np.ndarray, per_class: int) -> np.ndarray:
    """Return shuffled indices, int64, with `per_class` examples of each of the ten classes."""
    rng = np.random.default_rng(SEED)
    chosen = [
        np.sort(rng.choice(np.where(labels == c)[0], per_class, replace=False)) for c in range(len(NAMES))
    ]
    return rng.permutation(np.concatenate(chosen))


def subset(origin: Path, train: int, test: int) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Return per split the images, uint8 (n, 28, 28), and labels, uint8 (n,), of the subset."""
    splits = {}
    for split, prefix, per_class in (("train", "train", train), ("test", "t10k", test)):
        images = read_idx(origin / f"{prefix}-images-idx3-ubyte.gz")
        labels = read_idx(origin / f"{prefix}-labels-idx1-ubyte.gz")
        chosen = stratified(labels, per_class)
        splits[split] = images[chosen], labels[chosen]
    return splits


def png(image: np.ndarray) -> io.BytesIO:
    # Pillow's optimised PNGs take a fifth less room than the ones TensorFlow encodes.
    encoded = io.BytesIO()
    Image.fromarray(image).save(encoded, "PNG", optimize=True)
    encoded.seek(0)
    return encoded


def write_tfds(splits: dict[str, tuple[np.ndarray, np.ndarray]], target: Path) -> None:
    """Write the splits into the folder `target`, readable by `tfds.builder_from_directory`."""
    import tensorflow_datasets as tfds

    class FashionMnist(tfds.core.GeneratorBasedBuilder, skip_registration=True):
        VERSION = tfds.core.Version("1.0.0")

        def _info(self):
            return tfds.core.DatasetInfo(
                builder=self,
                description=DESCRIPTION,
                features=tfds.features.FeaturesDict(
                    {
                        "image": tfds.features.Image(shape=(28, 28, 1)),
                        "label": tfds.features.ClassLabel(names=NAMES),
                    }
                ),
                supervised_keys=("image", "label"),
                homepage="https://github.com/zalandoresearch/fashion-mnist",
                citation=CITATION,
                license=LICENCE,
            )

        def _split_generators(self, dl_manager):
            return {split: self._generate_examples(*arrays) for split, arrays in splits.items()}

        def _generate_examples(self, images, labels):
            for i, (image, label) in enumerate(zip(images, labels, strict=True)):
                yield i, {"image": png(image), "label": int(label)}

    records.write_tfds(FashionMnist, target)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("origin", type=Path, help="folder with the four *-ubyte.gz files")
    parser.add_argument("--to", type=Path, default=DATA / "fashion_mnist", help="folder to write")
    chosen = parser.parse_args()
    write_tfds(subset(chosen.origin, train=600, test=100), chosen.to)


if __name__ == "__main__":
    main()
