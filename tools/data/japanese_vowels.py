"""Make `data/japanese_vowels`: 640 spoken vowels of nine speakers, series of 7 to 29 steps, as TFDS files.

The origin is `aeon/datasets/data/JapaneseVowels` in the PyPI package aeon 1.6.0:

    pip download --no-deps aeon==1.6.0
    unzip aeon-1.6.0-py3-none-any.whl -d origin
    python tools/data/japanese_vowels.py origin/aeon/datasets/data/JapaneseVowels
    python tools/data/sums.py

Two runs give the same bytes with the same version of TensorFlow Datasets (SOURCES.md).
"""

import argparse
from pathlib import Path

import numpy as np
import records

DATA = Path(__file__).resolve().parents[2] / "data"
COEFFICIENTS = 12
NAMES = tuple(f"speaker {number}" for number in range(1, 10))
DESCRIPTION = (
    "Nine men say the Japanese vowels /ae/: for each of 640 utterances a series of 7 to 29 steps with 12 "
    "cepstrum coefficients each, and the speaker."
)
CITATION = """@article{kudo1999multidimensional,
  author  = {Mineichi Kudo and Jun Toyama and Masaru Shimbo},
  title   = {Multidimensional curve classification using passing-through regions},
  journal = {Pattern Recognition Letters},
  volume  = {20},
  number  = {11--13},
  pages   = {1103--1111},
  year    = {1999}
}"""
LICENCE = """BSD 3-Clause License

Copyright (c) The aeon developers.
Copyright (c) 2022 The sktime developers.

All rights reserved.

Redistribution and use in source and binary forms, with or without
modification, are permitted provided that the following conditions are met:

* Redistributions of source code must retain the above copyright notice, this
  list of conditions and the following disclaimer.

* Redistributions in binary form must reproduce the above copyright notice,
  this list of conditions and the following disclaimer in the documentation
  and/or other materials provided with the distribution.

* Neither the name of the copyright holder nor the names of its
  contributors may be used to endorse or promote products derived from
  this software without specific prior written permission.

THIS SOFTWARE IS PROVIDED BY THE COPYRIGHT HOLDERS AND CONTRIBUTORS "AS IS"
AND ANY EXPRESS OR IMPLIED WARRANTIES, INCLUDING, BUT NOT LIMITED TO, THE
IMPLIED WARRANTIES OF MERCHANTABILITY AND FITNESS FOR A PARTICULAR PURPOSE ARE
DISCLAIMED. IN NO EVENT SHALL THE COPYRIGHT HOLDER OR CONTRIBUTORS BE LIABLE
FOR ANY DIRECT, INDIRECT, INCIDENTAL, SPECIAL, EXEMPLARY, OR CONSEQUENTIAL
DAMAGES (INCLUDING, BUT NOT LIMITED TO, PROCUREMENT OF SUBSTITUTE GOODS OR
SERVICES; LOSS OF USE, DATA, OR PROFITS; OR BUSINESS INTERRUPTION) HOWEVER
CAUSED AND ON ANY THEORY OF LIABILITY, WHETHER IN CONTRACT, STRICT LIABILITY,
OR TORT (INCLUDING NEGLIGENCE OR OTHERWISE) ARISING IN ANY WAY OUT OF THE USE
OF THIS SOFTWARE, EVEN IF ADVISED OF THE POSSIBILITY OF SUCH DAMAGE.
"""


def read_ts(path: Path) -> tuple[list[np.ndarray], np.ndarray]:
    """Read a `.ts` file of the UEA and UCR archive: one utterance a line, its coefficients and its class.

    Returns:
        The series, each float32 (steps, 12), and the speakers 0 to 8, int64 (n,).
    """
    series, labels = [], []
    for line in path.read_text(encoding="utf-8").splitlines():
        if line and line[0] not in "#@":
            *coefficients, label = line.split(":")
            values = [[float(value) for value in one.split(",")] for one in coefficients]
            series.append(np.array(values, np.float32).T)
            labels.append(int(label) - 1)
    return series, np.array(labels)


def splits(origin: Path) -> dict[str, tuple[list[np.ndarray], np.ndarray]]:
    """Return per split the series and the labels, as the archive splits them."""
    return {name: read_ts(origin / f"JapaneseVowels_{name.upper()}.ts") for name in ("train", "test")}


def write(origin: Path, target: Path) -> None:
    """Write the splits into the folder `target`, readable by `tfds.builder_from_directory`."""
    import tensorflow_datasets as tfds

    class JapaneseVowels(tfds.core.GeneratorBasedBuilder, skip_registration=True):
        VERSION = tfds.core.Version("1.0.0")

        def _info(self):
            return tfds.core.DatasetInfo(
                builder=self,
                description=DESCRIPTION,
                features=tfds.features.FeaturesDict(
                    {
                        "series": tfds.features.Tensor(shape=(None, COEFFICIENTS), dtype=np.float32),
                        "label": tfds.features.ClassLabel(names=NAMES),
                    }
                ),
                supervised_keys=("series", "label"),
                homepage="https://archive.ics.uci.edu/dataset/128/japanese+vowels",
                citation=CITATION,
                license=LICENCE,
            )

        def _split_generators(self, dl_manager):
            return {name: self._generate_examples(*examples) for name, examples in splits(origin).items()}

        def _generate_examples(self, series, labels):
            for i, (one, label) in enumerate(zip(series, labels, strict=True)):
                yield i, {"series": one, "label": int(label)}

    records.write_tfds(JapaneseVowels, target)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("origin", type=Path, help="folder with the two JapaneseVowels_*.ts files")
    parser.add_argument("--to", type=Path, default=DATA / "japanese_vowels", help="folder to write")
    asked = parser.parse_args()
    write(asked.origin, asked.to)


if __name__ == "__main__":
    main()
