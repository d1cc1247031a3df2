# ---
# jupyter:
#   labs:
#     title: TensorFlow or PyTorch, by measurement
#     promise: >-
#       Carry a network from PyTorch to TensorFlow until both give the same answers, write the same loop in both,
#       follow each road to production, and decide from numbers instead of taste.
#     minutes: 80
#     level: advanced
#     prerequisites: [keras/sequential, training/gradient-tape]
#     outcomes:
#       - read a model and a training loop in either framework, line by line
#       - carry weights across, and name the mistake from its symptom
#       - translate momentum, padding, epsilon, losses and accumulated gradients, which share names and differ
#       - look inside a running model in both, and run one Keras model on another backend
#       - name the way to production of each, with its date, and reach a decision that says what it does not know
#     data: [fashion_mnist]
#     cpu_seconds: 40
#     replaces:
#       - {old: "TorchScript: `torch.jit.script`, `torch.jit.trace`", new: "`torch.export`"}
#       - {old: "`ai-edge-torch`", new: "`litert-torch`"}
#       - {old: "`tf.lite.Interpreter`", new: "`ai_edge_litert.interpreter.Interpreter`"}
#       - {old: "one Keras for TensorFlow", new: "`import keras`, with `KERAS_BACKEND` set before"}
# ---

# %% [markdown]
# A file arrives on Monday: the weights of a sorter of clothes that a colleague trained in PyTorch. The app is
# TensorFlow. A first port took an hour, loaded without an error, and is wrong about most photos. You will mend
# it. Then comes the question behind it: which of the two should the next project take?
#
# The longer cell below holds helpers: run it now, and read each helper when you meet it.

# %%
import labs

lab = labs.start("judgement/tensorflow-or-pytorch")

# %% tags=["setup"]
import base64
import functools
import importlib.util
import inspect
import json
import os
import subprocess
import sys
import time

import keras
import matplotlib.pyplot as plt
import numpy as np
import tensorflow as tf
from ai_edge_litert.interpreter import Interpreter

from labs import plots, quiet

HAS_TORCH = importlib.util.find_spec("torch") is not None

# What the colleague's file holds, each tensor as whole numbers times a scale, so that it fits into a cell.
TENSORS = [("0.weight", (4, 1, 3, 3), 0.00414), ("0.bias", (4,), 0.002589)]
TENSORS += [("1.weight", (4,), 0.01587), ("1.bias", (4,), 0.001333)]
TENSORS += [("1.running_mean", (4,), 0.001376), ("1.running_var", (4,), 0.001862)]
TENSORS += [("5.weight", (16, 64), 0.005712), ("5.bias", (16,), 0.001502)]
TENSORS += [("7.weight", (16, 16), 0.004964), ("7.bias", (16,), 0.002468)]
TENSORS += [("9.weight", (10, 16), 0.005822), ("9.bias", (10,), 0.002692)]
FILE = """
8jHi1/w+tUD8OvLPvMcBBSorxcILGsA14AlO0L4z0fzlgeDAwFMxf2FaWX9LJah/lH87sgYFDH8K3hbfyAQEHdIJEyfbEBLaF+X9AB8N
5iYb6foVGfsABvgCNSr2+hsj4BUStRkLAPIpICMuODPJCCswveQ5H+MgtizbvSQFGQAmFSvFBhVC2uIM1fjs6gHaAP30DeIC+eP6MQP1
DR8L2PT6IjDMDhfI+///6gb3FPj+DzgD+xEbBecuFw0xBAPtGgIABRL9AlgOH/8k7wUK/AEo5APjMiYkCzPjBBUbAuEqE/Ao5xnYIu0p
aejxAPnu6frG8PYVEwwWGB87AAThE9wp9u/r8xLGGgwPBAnxzgEH/ertCvQQBwf6FSUaAvnn8REd7Drp//kK+t0hJQykKw0b+zYY7sQF
FLcFDyAH7QoMDw7/IAqwDQoEJSH+BiEjAwwTBjYq9+Hu3f0LKPnvJwQkNBQR/A0W++7gGPgfOx8B9Dou+wv3DvDn6AwEDAbj5/XjB+vx
5u4NDQgNB/D/Cf4M/QLxAvv19vTqDQny6AcD+uoNBewSDO4C6fMJ9uXu8PH3C/fp9wAJ6vru9QbvBhD/7fYD7Qnq6en6DekQ9QT+6hAI
FAnwEAEK7fro9QPsBQkA7+/5ChYK+wXo6wjwCO7z7Aj7DgsKDvLzNz7tBhPoASP0FQX1LCAOCRcOBhcq5e4q7RAI5dbmDA0TC97/DvD4
NTcA2Q0Y89XeAe0STP3390Iv6hYC5S/+AeUGHwoB5AzUEAFFDB8fKkvNwRoa4evf8AHs8t/KSPoTvCQn9tjdHf4FBB8oL/exgR0Q0zkp
CuYaORLrBxo1DAYD5yAUAuj4KBLpFEIJEf8Pzt388QQJ8eMK9QXn/Sj1Dcj97fr/9A8b/g/sRvQS6sgdGAzvJBQrOEEJBSUIAvYN6hUq
GPI7AxUF/jMAuPXwLisBL/EsBg/xMBIhCPwh7CEP+S0WJwn8AOfXMfTdHO2/GwcxSxQOCkbjAPgNBTY/E/4P6eoRCSH5DAIP/CouMNXi
E9Xv8PT7BPX5ESH9HhYRqwnuEecX+QsFEPYfFBolVvv6o70UD+f1KgA4LPdAHBy9G+z+BxIX9e8yGvemXRfs3RAOIuPq7QL38fkKKy02
IN0zBBwRHhDr6BMf384XHk0EGuoHAhzRw+EYDd8R+Owk7hMe6v75+dkg+wnd0S4bAjEuE/Qi+P0MEB0XNzn6+REUFwQnJxUU/dj7DNns
LTZAMysG9vEqBr7CEiP3MwvrDef/8PQC8vvo6QH17/Xq6wkG/vAD/ewCEefnAQ3vAQwEABEN8wEIEuoM9ukD9f/w7vrzCf4O//UL/gD3
/PjsBP4s+RUY2xf+JCMN8z8t6e34SPvv2golENUdCSAuKgf68T7cEPjrBigYK/MbFyTkIBbpBCTm5BErL93yFh4MZb/f71AcC+w/8H+0
CX433RbGOCA0HhcnFdn0PwI/8d4B0v/7+/YoJd4X2NUPAenP7RHRzwbc1O340t4D0fnf3Tf7vV3yK+7PGSA+1xkU4rVAnCnPM98ey7Pu
RNj5UvtZ0PDmKBPZCP/p4e0l2truAQr69Nrx7CnG2dL1HyTN/iIZf/PYQfMbJj5ISrvK7d47FrXsBynd0cdRJfkOQhn6xxjI4URD7CRj
8dYczhcmH8GrZzm7/szZ81kQLFxG5RzgO9QoW6n+KMkUP/xjSCT9MbX3Ahw3ECFDnvAFFiXn8yH4mx00+O7gqzj2QcHfBxdIIQ3g1NEC
Mff+3hAfztslDf1aGsHZK/XQ6LkayE416+pR2hs4ABX+VxAuYb2+Yc9/Iij8LtHvB+omOdke/wcP5KUi6CqK9/c0Bh8cIWXd+K44Jf+j
vh38DC8VNee28BC05uLaL+wCFPYyth/+BT0lByTV59rv4PPK3rwwIQnA2Pgl7+ndFNXTSI8X1KIuDvEDH9UfDRDwFtIO6gkp6tv0gfnc
GTM58PoHCjmYv6ntHigZIAHvJiEHv/8S+vNKreNS49sn/EPdEvmp1aMFzlEMBcLF9IHh8yzrCzk=
"""
numbers, STATE = np.frombuffer(base64.b64decode(FILE), np.int8), {}
for name, shape, scale in TENSORS:
    STATE[name] = (numbers[: np.prod(shape)] * np.float32(scale)).reshape(shape)
    numbers = numbers[np.prod(shape) :]
STATE["1.num_batches_tracked"] = np.array(1410)

# Measured on 2026-11-22: PyTorch 2.15.0, TensorFlow 2.21.0, Keras 3.15.1, Python 3.11.7, two x86 cores, no GPU.
STORED = {
    "logits of two photos": [
        [-0.3423, -10.9306, -3.4866, -2.2636, -0.3453, -3.0324, -2.2494, -1.6958, 7.5513, -4.8899],
        [-0.8463, -7.6195, -5.8394, -0.1334, -1.6276, -2.3525, 2.2244, -3.6055, -2.7795, 6.5131],
    ],
    "photos right of 1,000": 788,
    "defaults": {"Adam epsilon": 1e-8, "BatchNorm momentum": 0.1, "BatchNorm epsilon": 1e-5}
    | {"64 -> 16, first weights up to": 0.125, "64 -> 16, first biases up to": 0.125},
    "Keras on PyTorch": {"backend": "torch", "same answers": True, "loss falls": True},
    "exported": {"torch.export answers alike (in Python)": True, "torch.jit.script says": "FutureWarning"},
    "runs": {
        name: {"import s": seconds, "steps/s": rates, "accuracy": scores}
        for name, seconds, rates, scores in (
            ("PyTorch", 1.6, [353, 359, 316], [0.717, 0.751, 0.743]),
            ("Keras fit on PyTorch", 4.2, [95, 103, 109], [0.740, 0.721, 0.719]),
            ("Keras fit on TensorFlow", 3.5, [151, 181, 186], [0.758, 0.729, 0.726]),
            ("tape and tf.function", 3.3, [194, 183, 200], [0.744, 0.749, 0.767]),
            ("tape, eager", 3.4, [27, 27, 25], [0.742, 0.753, 0.751]),
        )
    },
}

# How the first two and "exported" were measured. PyTorch has a process of its own: torch.export imports triton, which
# crashed in one process with TensorFlow (PyTorch 2.15.0, TensorFlow 2.21.0).
COLLEAGUE = """
model, data = torch_model().eval(), dict(np.load("colleague.npz"))
photos, labels = torch.from_numpy(data.pop("photos")).permute(0, 3, 1, 2), data.pop("labels")
model.load_state_dict({name: torch.tensor(array) for name, array in data.items()})
logits = model(photos).detach().numpy()
right = int(np.sum(logits.argmax(1) == labels))
batch = {0: torch.export.Dim("batch")}
torch.export.save(torch.export.export(model, (photos[:2],), dynamic_shapes=(batch,)), "model.pt2")
again = torch.export.load("model.pt2").module()
exported = {"torch.export answers alike (in Python)": torch.allclose(again(photos), model(photos), atol=1e-3)}
with warnings.catch_warnings(record=True, action="always") as heard:
    torch.jit.script(model)
exported["torch.jit.script says"] = heard[0].category.__name__ if heard else "nothing"
result = {"logits of two photos": logits[:2].tolist(), "photos right of 1,000": right, "exported": exported}
print(json.dumps(result))
"""


def run(*arguments, **variables):
    """Run Python in the lab's own folder with more environment variables; return its last line, read as JSON."""
    environment = {**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3", **variables}
    command = [sys.executable, *arguments]
    done = subprocess.run(
        command, cwd=lab.scratch, env=environment, capture_output=True, text=True, check=True
    )
    return json.loads(done.stdout.splitlines()[-1])


# %% [markdown]
# ## 1. Read the same model twice
#
# PyTorch is no part of this lab's environment. Without it, what PyTorch did is read from `STORED`: measured on
# 2026-11-22 with PyTorch 2.15.0. Install it (`pip install "torch>=2.9,<3"`), and the same cells measure here.
#
# The network, in both: PyTorch counts layers from 0, and activations are layers of their own. It gives
# photos the shape (batch, channels, height, width), *channels first*; Keras keeps *channels last*.
#
# **Predict.** `nn.Linear(64, 16)` takes 64 numbers and gives 16. What is the shape of its `weight`?
#
# <details><summary>(64, 16), input first</summary>
#
# That is the kernel of Keras' `Dense(16)`, which computes `x @ kernel + bias`.
#
# </details>
# <details><summary>(16, 64), output first</summary>
#
# Right. PyTorch keeps one row for each output and computes `x @ weight.T + bias`.
#
# </details>


# %%
def torch_model():
    from torch import nn  # this line runs only where PyTorch is

    layers = [nn.Conv2d(1, 4, 3, padding=1), nn.BatchNorm2d(4), nn.ReLU(), nn.MaxPool2d(7), nn.Flatten()]
    layers += [nn.Linear(64, 16), nn.ReLU(), nn.Linear(16, 16), nn.ReLU(), nn.Linear(16, 10)]
    return nn.Sequential(*layers)


# %%
def keras_model(normalization=None):
    from keras import layers

    normalization = normalization or layers.BatchNormalization()
    eyes = [layers.Conv2D(4, 3, padding="same"), normalization, layers.ReLU(), layers.MaxPooling2D(7)]
    head = [layers.Flatten(), layers.Dense(16, "relu"), layers.Dense(16, "relu"), layers.Dense(10)]
    return keras.Sequential([keras.Input((28, 28, 1)), *eyes, *head])


with_weights = [layer for layer in keras_model().layers if layer.weights]
for number, layer in zip("01579", with_weights, strict=True):
    theirs = {name[2:]: array.shape for name, array in STATE.items() if name[0] == number}
    print(f"{number}. PyTorch:", ", ".join(f"{name} {shape}" for name, shape in theirs.items()))
    print("   Keras:  ", ", ".join(f"{weight.name} {tuple(weight.shape)}" for weight in layer.weights))

# %% [markdown]
# The dict of a PyTorch model is its `state_dict()`. A `Conv2d` weight has the axes (out, in, height, width), a
# `Conv2D` kernel (height, width, in, out). Both slide the kernel without turning it over. In batch normalization
# only names differ: `weight` is `gamma`, `bias` is `beta`.
#
# ### Exercise: one layer across
#
# Write `keras_weights`. `tensors` is what one layer keeps, under PyTorch's names; `bias` is missing after
# `bias=False`, and `weight` and `bias` after `affine=False`. `num_batches_tracked` has no counterpart.


# %% tags=["exercise"]
def keras_weights(kind, tensors):
    """Return arrays for `set_weights`, in Keras' order; `kind` is "Linear", "Conv2d" or "BatchNorm2d"."""
    ### BEGIN SOLUTION
    if kind == "BatchNorm2d":
        names = ("weight", "bias", "running_mean", "running_var")
        return [tensors[name] for name in names if name in tensors]
    axes = (1, 0) if kind == "Linear" else (2, 3, 1, 0)
    kernel = np.transpose(tensors["weight"], axes)
    return [kernel, tensors["bias"]] if "bias" in tensors else [kernel]
    ### END SOLUTION


# %% tags=["check"]
keras_weights = lab.check(keras_weights)

# %% [markdown]
# ## 2. Mind the order that Flatten hands over
#
# Fitting shapes are no proof. `Flatten` reads its input row by row, and the two frameworks lay the same pixels out
# in another order.
#
# **Predict.** After pooling, 4 channels of 4 x 4 pixels are flattened. The first number is channel 0 at the top
# left. What comes second in *PyTorch*?
#
# <details><summary>Channel 1 at the top left</summary>
#
# That is Keras: the last axis runs fastest, and there it is the channel.
#
# </details>
# <details><summary>Channel 0, one pixel to the right</summary>
#
# Right. The last axis is the width, so a whole channel comes before the next one.
#
# </details>

# %%
places = np.array([[[f"c{c}y{y}x{x}" for x in range(2)] for y in range(2)] for c in range(2)])
print("PyTorch:", *places.reshape(-1))
print("Keras:  ", *places.transpose(1, 2, 0).reshape(-1))

# %% [markdown]
# The first linear layer after `Flatten` has learned one column of `weight` for each of those places, in PyTorch's
# order. Its kernel needs them in Keras' order.
#
# ### Exercise: a kernel for the other order
#
# Write `dense_after_flatten`: the Dense kernel that gives channels-last input the same outputs. Give the four
# axes back to `weight` first, then think about their order.


# %% tags=["exercise"]
def dense_after_flatten(weight, channels, height, width):
    """Return the kernel (height * width * channels, out) for `weight`, shape (out, channels * height * width)."""
    ### BEGIN SOLUTION
    per_place = weight.reshape(len(weight), channels, height, width)
    return per_place.transpose(2, 3, 1, 0).reshape(-1, len(weight))
    ### END SOLUTION


# %% tags=["check"]
dense_after_flatten = lab.check(dense_after_flatten)

# %%
rng = np.random.default_rng(0)
features = rng.normal(size=(5, 4, 4, 4))  # batch, channels, height, width
theirs = features.reshape(5, -1) @ STATE["5.weight"].T
ours = features.transpose(0, 2, 3, 1).reshape(5, -1)
print("transposed only: ", np.allclose(ours @ STATE["5.weight"].T, theirs))
kernel = np.asarray(dense_after_flatten(STATE["5.weight"], 4, 4, 4))
print("in Keras' order: ", np.allclose(ours @ kernel, theirs))

# %% [markdown]
# ## 3. Translate numbers that share a name
#
# Batch normalization keeps a running mean for inference. After each training batch PyTorch moves it by
# `running += momentum * (batch - running)`; Keras by `moving = momentum * moving + (1 - momentum) * batch`.
#
# **Predict.** PyTorch's default is `momentum=0.1`. Which `momentum` does the same in Keras?
#
# <details><summary>The number</summary>
#
# **0.9**: one minus PyTorch's. Keras' own default is 0.99, ten times slower.
#
# - **0.1**: Keras would then throw away nine tenths of what it knows at each batch.
# - **0.99**: that is the default, and not the same: it moves by a hundredth of the way, where PyTorch moves by
#   a tenth.
#
# </details>

# %%
figure, axes = plt.subplots(figsize=(8.5, 3.4))
batches = np.random.default_rng(1).normal(1, 1, (40, 32, 1)).astype(np.float32)
for momentum, note in ((0.9, "PyTorch's 0.1"), (0.99, "Keras' default"), (0.1, "copied")):
    layer, means = keras.layers.BatchNormalization(momentum=momentum), []
    for batch in batches:
        layer(batch, training=True)
        means.append(float(layer.moving_mean[0]))
    axes.plot(range(1, 41), means, marker=".", label=f"{momentum}: {note}")
axes.set(xlabel="training batches seen", ylabel="running mean (true mean: 1)", ylim=(0, None))
axes.set_title("One word, three memories")
axes.legend(title="momentum in Keras", loc="upper left", bbox_to_anchor=(1, 1))
lab.show(figure, alt="Running means over 40 batches: 0.9 nears 1, 0.99 stays far below, 0.1 jumps about 1.")

# %% [markdown]
# `padding` is such a word too. With a stride of 2, Keras' `"same"` pads as little as it must, and more at the end.
# PyTorch's `padding=1` pads one zero at both ends. The shapes agree, and the windows begin at other places.
# `ZeroPadding` in front of a layer without padding makes Keras do what PyTorch does.

# %%
windows = functools.partial(keras.layers.Conv1D, 1, 3, strides=2, kernel_initializer="ones")  # sums of three
row = np.arange(1.0, 5.0).reshape(1, 4, 1)  # 1 2 3 4 as batch, width, channels
both_ends = keras.layers.ZeroPadding1D(1)(row)
print("same, windows 1 2 3 and 3 4 0:     ", *windows(padding="same")(row).numpy().ravel())
print("padding=1, windows 0 1 2 and 2 3 4:", *windows()(both_ends).numpy().ravel())

# %% [markdown]
# `epsilon` differs too: 1e-5 in PyTorch, 1e-3 in Keras. It is added to the variance, so it matters where
# variances are small. And with the same momentum one difference stays: PyTorch's running variance divides by
# one less than the number of values, Keras' by that number.
#
# ### Exercise: the same normalization
#
# Write `batchnorm_like`: from PyTorch's arguments a Keras layer for channels-last input that behaves alike. With
# `affine=False` there is neither scale nor shift.


# %% tags=["exercise"]
def batchnorm_like(num_features, eps=1e-5, momentum=0.1, affine=True):
    """Return a `keras.layers.BatchNormalization` that acts as `nn.BatchNorm2d` with these arguments."""
    ### BEGIN SOLUTION
    return keras.layers.BatchNormalization(momentum=1 - momentum, epsilon=eps, center=affine, scale=affine)
    ### END SOLUTION


# %% tags=["check"]
batchnorm_like = lab.check(batchnorm_like)


# %%
kinds = ["Conv2d", "BatchNorm2d", "Linear", "Linear", "Linear"]


def load_torch_state(model, state):
    """Fill the Keras `model` with the tensors of `state`, as `torch_model` keeps them."""
    layers = [layer for layer in model.layers if layer.weights]
    for number, kind, layer in zip("01579", kinds, layers, strict=True):
        tensors = {name[2:]: array for name, array in state.items() if name[0] == number}
        layer.set_weights(keras_weights(kind, tensors))
    kernel = dense_after_flatten(state["5.weight"], channels=4, height=4, width=4)
    layers[2].set_weights([kernel, state["5.bias"]])
    return model


ported = load_torch_state(keras_model(batchnorm_like(4)), STATE)

# %% tags=["nbval-ignore-output", "because-pytorch-is-an-optional-extra"]
batches = [next(iter(lab.load("fashion_mnist", split=name).batch(6000))) for name in ("train", "test")]
(images, labels), (val_images, val_labels) = [(np.float32(x) / 255, np.int64(y)) for x, y in batches]
torchs = STORED
if HAS_TORCH:
    np.savez(lab.scratch / "colleague.npz", photos=val_images, labels=val_labels, **STATE)
    imports = "import json, warnings, numpy as np, torch\n"
    torchs = run("-c", imports + inspect.getsource(torch_model) + COLLEAGUE)
print("What PyTorch answers was", "measured now." if HAS_TORCH else "measured on 2026-11-22, and stored.")

# %%
ours = ported(val_images, training=False).numpy()
same = np.allclose(ours[:2], torchs["logits of two photos"], atol=1e-3)
print("two photos, the same logits to a thousandth:", same)
ours_right = int(np.sum(ours.argmax(axis=1) == val_labels))
print("photos right, within 2 of PyTorch's count:  ", abs(ours_right - torchs["photos right of 1,000"]) <= 2)
print("between 77 % and 80 % of the 1,000:         ", 770 <= ours_right <= 800)

# %% [markdown]
# ## 4. Write the loop twice
#
# One training step in each. Read them line by line: PyTorch's order is *clear, forward, backward, step*.


# %% tags=["setup"]
def torch_epoch(model, loss_fn, optimizer, images, labels):
    import torch

    model.train()
    for batch in torch.randperm(len(images)).split(64):
        optimizer.zero_grad()
        loss = loss_fn(model(images[batch]), labels[batch])
        loss.backward()
        optimizer.step()


def tape_epoch(step, images, labels):
    for batch in tf.split(tf.random.shuffle(tf.range(len(images))), len(images) // 64):
        step(tf.gather(images, batch), tf.gather(labels, batch))


def tape_step(model, loss_fn, optimizer, images, labels):
    with tf.GradientTape() as tape:
        loss = loss_fn(labels, model(images, training=True))
    gradients = tape.gradient(loss, model.trainable_variables)
    optimizer.apply(gradients, model.trainable_variables)
    return loss


# %% [markdown]
# | PyTorch | TensorFlow |
# |---|---|
# | `model.train()`, `model.eval()`: a state | `training=True`, `False`: an argument of each call |
# | `loss_fn(logits, labels)` | `loss_fn(labels, logits)` |
# | `loss.backward()` *adds* to each parameter's `.grad` | `tape.gradient` *returns* new gradients |
# | `optimizer.step()` | `optimizer.apply(gradients, variables)` |
# | `optimizer.zero_grad()` | nothing: there is nothing to clear |
#
# **Predict.** Both losses want logits. Somebody ends the PyTorch model with `nn.Softmax()` and trains it with
# `nn.CrossEntropyLoss`, which applies softmax itself. What happens?
#
# <details><summary>An error</summary>
#
# Probabilities are numbers as good as any: nothing can be refused.
#
# </details>
# <details><summary>It trains, but the loss never comes near zero</summary>
#
# Right. The logits are then held between 0 and 1, so even a perfect answer looks unsure.
#
# </details>

# %%
certain = np.where(np.arange(10) == 3, 20.0, 0.0)[None]  # logits, quite sure of class 3, which is true
from_logits = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
print(f"softmax once, in the loss:        {float(from_logits(np.array([3]), certain)):.3f}")
print(f"softmax twice, model and loss:    {float(from_logits(np.array([3]), tf.nn.softmax(certain))):.3f}")
print(f"by hand, -log(e / (e + 9)):       {-np.log(np.e / (np.e + 9)):.3f}")

# %% [markdown]
# In PyTorch people add gradients up on purpose, when the batch they want does not fit into memory: several small
# ones, each loss divided by their number, one `step`. A tape adds up nothing: you do it.
#
# ### Exercise: accumulate, then step
#
# Write `accumulated_step`. `batches` are pairs (images, labels), perhaps of *different* sizes; `loss_fn` gives a
# batch's mean. The step must be that of all examples in one batch. (Batch normalization spoils that: it normalizes
# each small batch by itself.)


# %% tags=["exercise"]
def accumulated_step(model, loss_fn, optimizer, batches):
    """Take one step of `optimizer` in training mode for all `batches`; return their mean loss over all examples."""
    ### BEGIN SOLUTION
    examples = sum(len(labels) for _, labels in batches)
    total, summed = 0.0, [tf.zeros_like(variable) for variable in model.trainable_variables]
    for images, labels in batches:
        with tf.GradientTape() as tape:
            loss = loss_fn(labels, model(images, training=True)) * len(labels) / examples
        gradients = tape.gradient(loss, model.trainable_variables)
        summed = [old + new for old, new in zip(summed, gradients, strict=True)]
        total += loss
    optimizer.apply(summed, model.trainable_variables)
    return total
    ### END SOLUTION


# %% tags=["check"]
accumulated_step = lab.check(accumulated_step)

# %%
print("one batch of 64, and 10 + 20 + 34:")
for title, normalizing in {"without": [], "with": [keras.layers.BatchNormalization]}.items():
    ends = []
    for pieces in ([(0, 64)], [(0, 10), (10, 30), (30, 64)]):
        lab.reseed()
        layers = [keras.layers.Flatten(), *(make() for make in normalizing), keras.layers.Dense(10)]
        model = keras.Sequential([keras.Input((28, 28, 1)), *layers])
        batches = [(images[a:b], labels[a:b]) for a, b in pieces]
        accumulated_step(model, from_logits, keras.optimizers.SGD(0.1), batches)
        ends.append(model.layers[-1].kernel.numpy())
    print(f"the same weights, {title:7} batch normalization: {np.allclose(*ends, atol=1e-6)}")

# %%
dense, norm = keras.layers.Dense(16), keras.layers.BatchNormalization()
dense.build((None, 64))
mine = {"Adam epsilon": keras.optimizers.Adam().epsilon}
mine |= {"BatchNorm momentum": norm.momentum, "BatchNorm epsilon": norm.epsilon}
mine["64 -> 16, first weights up to"] = np.sqrt(6 / (64 + 16))  # Glorot: both widths
mine["64 -> 16, first biases up to"] = float(np.abs(dense.bias).max())
print("within Glorot's limit:", np.abs(dense.kernel).max() <= np.sqrt(6 / 80))
for name, value in STORED["defaults"].items():
    print(f"{name:30} Keras {mine[name]:<8.3g} PyTorch {value:g}")
weight, formula = keras.Variable(0.0), 1e-6 / (1e-6 + 1e-7)  # PyTorch's first step, as a share of the rate
keras.optimizers.Adam(1.0).apply([tf.constant(1e-6)], [weight])
print(f"gradient 1e-6, epsilon 1e-7: Keras moves {-float(weight):.2f} of the rate, PyTorch {formula:.2f}")

# %% [markdown]
# So two runs "with the defaults" are two different experiments. PyTorch draws weights and biases of a linear
# layer up to 1 / √inputs; Keras draws weights by Glorot and starts biases at zero. `VarianceScaling(1/3,
# "fan_in", "uniform")` gives Keras PyTorch's weights.
#
# Adam's epsilon differs in place, too: Keras adds it before the bias correction, PyTorch after. With the same number
# the last line still shows two first steps, and they agree only later, or where gradients are large.
#
# ## 5. Look inside while it runs
#
# PyTorch is eager: each line runs when Python reaches it, so `print` and `breakpoint()` work in `forward`.
# TensorFlow is eager too, but `fit` is not: it traces the step into a graph.
#
# **Predict.** A layer's `call` contains `print(x)`. `fit` runs 3 batches. How often does it print numbers?
#
# <details><summary>The number</summary>
#
# **0**: it prints while tracing, and then there is only a placeholder without numbers.
#
# - **3**: it would with `run_eagerly=True`. Python does not run at each batch of a graph.
# - **1**: it does print then, while tracing. But look at what: a placeholder, and no numbers.
#
# </details>

# %%
seen = []


class Look(keras.layers.Layer):
    def call(self, x):
        seen.append(hasattr(x, "numpy"))  # here you would print, or stop
        return x


for eagerly in (False, True):
    model = keras.Sequential([keras.layers.Flatten(), Look(), keras.layers.Dense(10)])
    model.compile("sgd", from_logits, run_eagerly=eagerly)
    seen.clear()
    model.fit(images[:96], labels[:96], batch_size=32, verbose=0)
    print(f"run_eagerly={eagerly!s:5} Python saw numbers {sum(seen)} times")

# %%
broken = load_torch_state(keras_model(batchnorm_like(4)), STATE)
kernel, bias = broken.layers[6].get_weights()
kernel[2, 3] = np.nan
broken.layers[6].set_weights([kernel, bias])
x = val_images[:8]
for place, layer in enumerate(broken.layers):
    x = layer(x)
    print(f"{place} {type(layer).__name__:19} finite: {bool(tf.reduce_all(tf.math.is_finite(x)))}")

# %% [markdown]
# Walking layer by layer is the same move in both; PyTorch's hooks (`register_forward_hook`) do it from inside. In
# TensorFlow, debug with `run_eagerly=True`, then take it out. The gap narrows from the other side too:
# `torch.compile` brings traces, and with them recompilation and *graph breaks*.
#
# ## 6. Change what is under Keras
#
# Keras 3 is one interface over TensorFlow, JAX or PyTorch, and for inference OpenVINO. `KERAS_BACKEND` chooses when
# Keras is imported.
#
# **Predict.** Keras is imported. Now you set `os.environ["KERAS_BACKEND"] = "torch"`. What does the next layer
# run on?
#
# <details><summary>PyTorch</summary>
#
# The variable is read once, at import. It is too late now.
#
# </details>
# <details><summary>TensorFlow, as before</summary>
#
# Right. Take another process, with the variable set before the import. (`keras.config.set_backend` reloads Keras
# in place, and leaves everything that you built before unusable.)
#
# </details>

# %%
os.environ["KERAS_BACKEND"] = "torch"
print("set after the import, still on:", keras.backend.backend())
del os.environ["KERAS_BACKEND"]

program = """
import json, keras, numpy as np
data, model = np.load("data.npz"), keras.saving.load_model("ported.keras")
same = np.allclose(model.predict(data["images"], verbose=0), data["logits"], atol=1e-3)
model.compile("adam", keras.losses.SparseCategoricalCrossentropy(from_logits=True))
losses = model.fit(data["images"], data["labels"], epochs=3, verbose=0).history["loss"]
result = {"backend": keras.backend.backend(), "same answers": bool(same), "loss falls": losses[2] < losses[0]}
print(json.dumps(result))
"""

# %%
(lab.scratch / "program.py").write_text(program)
ported.save(lab.scratch / "ported.keras")
first = {"images": images[:500], "labels": labels[:500]}
np.savez(lab.scratch / "data.npz", **first, logits=ported.predict(images[:500], verbose=0))
results = [run("program.py", KERAS_BACKEND="tensorflow")]
results.append(run("program.py", KERAS_BACKEND="torch") if HAS_TORCH else STORED["Keras on PyTorch"])
for result in results:
    print(", ".join(f"{name}: {value}" for name, value in result.items()))

# %% [markdown]
# The same file, the same lines, one variable: the network that came from PyTorch runs on PyTorch again, as a
# Keras model. What stays portable is what uses `keras.ops`; a layer that calls `tf.*` or `torch.*` is tied to
# one. Keras' loader and `fit` go with it; your own GradientTape loop does not.
#
# ## 7. Follow both roads to production
#
# What each needs, and how it stood on 2026-11-22. Look dates up before you decide: this table ages.
#
# | to | from TensorFlow | from PyTorch |
# |---|---|---|
# | a file without Python | [SavedModel][1] | [`torch.export`][2], then AOTInductor or ExecuTorch |
# | a server | [Serving][4] 2.20, one behind TensorFlow | ONNX Runtime, NVIDIA Triton, vLLM for language models |
# | a phone, a chip | [LiteRT][6], once TensorFlow Lite | [ExecuTorch][7] 1.5; [`litert-torch`][8], both in beta |
# | a browser | [TensorFlow.js][9] 4.22; LiteRT.js | ONNX Runtime Web |
# | the other side | [`model.export(format="onnx")`][10] | [`torch.onnx.export`][11], with `onnxscript` |
#
# [1]: https://www.tensorflow.org/guide/saved_model
# [2]: https://docs.pytorch.org/docs/stable/export.html
# [3]: https://docs.pytorch.org/docs/stable/jit.html
# [4]: https://github.com/tensorflow/serving
# [5]: https://github.com/pytorch/serve
# [6]: https://ai.google.dev/edge/litert
# [7]: https://docs.pytorch.org/executorch
# [8]: https://github.com/google-ai-edge/litert-torch
# [9]: https://www.tensorflow.org/js
# [10]: https://keras.io/api/models/model_saving_apis/export/
# [11]: https://docs.pytorch.org/docs/stable/onnx.html
# [12]: https://github.com/huggingface/transformers/blob/main/MIGRATION_GUIDE_V5.md
# [13]: https://keras.io/keras_hub/
#
# Roads close, too. [TorchScript][3] warns, and still works in 2.15. [TorchServe][5] was archived in 2025, and NVIDIA
# Triton dropped its TensorFlow backend that year. One road leads in: pretrained language models. Hugging Face's
# `transformers` dropped TensorFlow and Flax with [version 5][12]; for Keras there is [KerasHub][13].
#
# **Predict.** Is a PyTorch model shut out of LiteRT, and a Keras model tied to TensorFlow's formats?
#
# <details><summary>Yes: each has its own road</summary>
#
# Read the last two columns again: the roads cross, at ONNX and at `litert-torch`.
#
# </details>
# <details><summary>No, but crossing has a price</summary>
#
# Right: one more converter, with operators it lacks and a state of its own (beta, here).
#
# </details>

# %%
ported.export(lab.scratch / "saved", verbose=False)
loaded = tf.saved_model.load(lab.scratch / "saved")  # no Keras class, no Python of yours
with quiet():
    converted = tf.lite.TFLiteConverter.from_saved_model(str(lab.scratch / "saved")).convert()
    runner = Interpreter(model_content=converted).get_signature_runner()
    (name,) = runner.get_input_details()
    (on_the_phone,) = runner(**{name: val_images[:1]}).values()
two_ways = ported(val_images[:100], training=False).numpy()
print("SavedModel gives the same logits:", np.allclose(loaded.serve(val_images[:100]), two_ways, atol=1e-3))
print("LiteRT gives the same logits:    ", np.allclose(on_the_phone, two_ways[:1], atol=1e-3))
print(f"the file for a phone: {len(converted) / 1000:.1f} kB")
print("PyTorch:", ", ".join(f"{name}: {value}" for name, value in torchs["exported"].items()))

# %% [markdown]
# Now decide. Score each option from 0 to 1 by each criterion, `None` where nobody knows, and weigh the criteria.
#
# ### Exercise: who is left?
#
# Write `unbeaten`. First leave out options with 0 in one of `musts`; unknown is not 0. An unknown may become 0 or
# 1, so a total is a range. Leave out options whose best case is below another's worst. Totals equal up to
# rounding tie.


# %% tags=["exercise"]
def unbeaten(scores, weights, musts=()):
    """Return the sorted list of options that are left; `scores` is {option: {criterion: 0 to 1, or None}}."""
    ### BEGIN SOLUTION
    allowed = {option: own for option, own in scores.items() if all(own[must] != 0 for must in musts)}

    def total(option, unknown):
        own = allowed[option]
        return sum(weight * (unknown if own[name] is None else own[name]) for name, weight in weights.items())

    best_worst_case = max((total(option, 0) for option in allowed), default=0)
    return sorted(option for option in allowed if total(option, 1) >= best_worst_case - 1e-9)
    ### END SOLUTION


# %% tags=["check"]
unbeaten = lab.check(unbeaten)

# %%
firm = {  # one firm's judgement, not facts: put in your own (this one allows no converter on the way to a browser)
    "TensorFlow": {"papers' code": 0.4, "the team knows it": None, "on phones": 1.0, "in browsers": 1.0},
    "PyTorch": {"papers' code": 1.0, "the team knows it": None, "on phones": 0.7, "in browsers": 0.0},
    "Keras on either": {"papers' code": 0.3, "the team knows it": None, "on phones": 0.9, "in browsers": 0.9},
}
app = {"papers' code": 1, "the team knows it": 2, "on phones": 4, "in browsers": 3}
research = {"papers' code": 6, "the team knows it": 2, "on phones": 0, "in browsers": 0}
skill = {"TensorFlow": 0.9, "PyTorch": 0.3, "Keras on either": 0.9}  # now the team was asked
known = {option: {**own, "the team knows it": skill[option]} for option, own in firm.items()}
for project, weights in {"an app": app, "research": research}.items():
    print(f"{project:9} the team not asked: {unbeaten(firm, weights)}, asked: {unbeaten(known, weights)}")
print("research  a browser is a must:", unbeaten(known, research, musts=["in browsers"]))

# %% [markdown]
# Two projects, two answers, and one of them was "ask the team first". A must is stronger than any weight: it took
# research its best option. Weights and musts are the decision: write them down before the scores.
#
# ## Break it: ports that load without an error
#
# Back to Monday. Each port below has one mistake, and none raises. How bad is each, and would you have noticed?


# %%
def port_with(change, normalization=None):
    model = load_torch_state(keras_model(normalization or batchnorm_like(4)), STATE)
    change(model.layers)
    return model


def put(layers, place, kernel):
    layers[place].set_weights([kernel, *layers[place].get_weights()[1:]])


ports = {"as it should be": ported}
ports["square layer not transposed"] = port_with(lambda layers: put(layers, 6, STATE["7.weight"]))
ports["flatten order forgotten"] = port_with(lambda layers: put(layers, 5, STATE["5.weight"].T))
ports["conv kernel turned by .T"] = port_with(lambda layers: put(layers, 0, STATE["0.weight"].T))
ports["Keras' own epsilon"] = port_with(lambda layers: None, keras.layers.BatchNormalization())

# %%
answers = {name: model(val_images, training=False).numpy() for name, model in ports.items()}
pairs, other = val_images.reshape(500, 2, 28, 28, 1), port_with(lambda layers: None)
answers["training=True, by twos"] = np.concatenate([other(pair, training=True) for pair in pairs])
percent = {name: 100 * np.mean(logits.argmax(axis=1) == val_labels) for name, logits in answers.items()}
for name, logits in list(answers.items())[1:]:
    off, lost = np.abs(logits - ours).max() > 0.1, percent["as it should be"] - percent[name]
    print(f"{name:28} a logit is off by more than 0.1: {off}, 2 points of accuracy lost: {lost > 2}")
figure = plots.bars(percent, "photos right (%)", "No error, and very different damage", digits=0)
lab.show(figure, alt="Six bars, photos right: 79 %, 22, 20, 43, 79 with Keras' epsilon, 75 in training mode.")

# %% [markdown]
# Two mistakes leave a fifth of the photos right: every shape fitted. Epsilon costs no accuracy and moves the
# logits all the same. And with `training=True` an answer depends on the photo next to it: PyTorch sets the mode
# once, here every call says it. The loop below is `zero_grad` forgotten, rebuilt: each step also walks along all
# old gradients.

# %%
final = {}
for name in ("fresh gradients", "never cleared"):
    lab.reseed()
    model, kept, optimizer = keras_model(), 0, keras.optimizers.SGD(0.1)
    for x, y in zip(images[:4800].reshape(75, 64, 28, 28, 1), labels[:4800].reshape(75, 64), strict=True):
        with tf.GradientTape() as tape:
            loss = from_logits(y, model(x, training=True))
        gradients = tape.gradient(loss, model.trainable_variables)
        kept = list(map(tf.add, kept, gradients)) if kept and name == "never cleared" else gradients
        optimizer.apply(kept, model.trainable_variables)
    final[name] = float(from_logits(labels[4800:], model(images[4800:], training=True)))
print("never cleared ends a quarter higher:", final["never cleared"] > 1.25 * final["fresh gradients"])

# %% [markdown]
# ## Measure it: five ways to train it
#
# The same data, batches of 64, Adam at 0.002, five epochs, three seeds, each framework's defaults; each way in a
# process of its own, on one thread. Counted are steps for each second of *processor* time, which a busy machine
# disturbs less than the clock. The first cell is the program; the second runs it: some minutes with PyTorch, nothing
# without.


# %% tags=["setup"]
def keras_fit(images, labels, val_images, epochs, ticks):
    model = keras_model()
    model.compile(keras.optimizers.Adam(2e-3), keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    tick = keras.callbacks.LambdaCallback(on_epoch_end=lambda epoch, logs: ticks.append(time.process_time()))
    model.fit(images, labels, batch_size=64, epochs=epochs, verbose=0, callbacks=[tick])
    return model.predict(val_images, verbose=0)


def tape_fit(images, labels, val_images, epochs, ticks, traced=True):
    model, optimizer = keras_model(), keras.optimizers.Adam(2e-3)
    optimizer.build(model.trainable_variables)
    loss_fn = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    step = functools.partial(tape_step, model, loss_fn, optimizer)
    step = tf.function(step) if traced else step
    for _ in range(epochs):
        tape_epoch(step, tf.constant(images), tf.constant(labels))
        ticks.append(time.process_time())
    return model(val_images, training=False).numpy()


def torch_fit(images, labels, val_images, epochs, ticks):
    import torch

    model, loss_fn = torch_model(), torch.nn.CrossEntropyLoss()
    optimizer = torch.optim.Adam(model.parameters(), lr=2e-3)
    images, val_images = (torch.tensor(a.transpose(0, 3, 1, 2).copy()) for a in (images, val_images))
    for _ in range(epochs):
        torch_epoch(model, loss_fn, optimizer, images, torch.tensor(labels))
        ticks.append(time.process_time())
    with torch.no_grad():
        return model.eval()(val_images).numpy()


main = """
way, begin = sys.argv[1], time.process_time()
if way == "torch_fit":
    import torch
else:
    import keras
    if keras.backend.backend() == "tensorflow":
        import tensorflow as tf
seconds, data, rates, scores = time.process_time() - begin, np.load("all.npz"), [], []
fit = {"eager_fit": lambda *a: tape_fit(*a, traced=False)}.get(way) or globals()[way]
for seed in (1, 2, 3):
    torch.manual_seed(seed) if way == "torch_fit" else keras.utils.set_random_seed(seed)
    ticks = []
    logits = fit(data["images"], data["labels"], data["val_images"], 5, ticks)
    rates.append(4 * 93 / (ticks[-1] - ticks[0]))
    scores.append(float(np.mean(logits.argmax(1) == data["val_labels"])))
print(json.dumps({"import s": round(seconds, 1), "steps/s": [round(r) for r in rates], "accuracy": scores}))
"""

# %%
WAYS = {"PyTorch": ("torch_fit", "torch"), "Keras fit on PyTorch": ("keras_fit", "torch")}
WAYS |= {"Keras fit on TensorFlow": ("keras_fit", "tensorflow")}
WAYS |= {"tape and tf.function": ("tape_fit", "tensorflow"), "tape, eager": ("eager_fit", "tensorflow")}
runs = STORED["runs"]
if HAS_TORCH:
    parts = [torch_model, keras_model, torch_epoch, tape_epoch, tape_step, torch_fit, tape_fit, keras_fit]
    imports = "import functools, json, sys, time\nimport numpy as np\n"
    (lab.scratch / "measure.py").write_text(imports + "\n".join(map(inspect.getsource, parts)) + main)
    everything = {"images": images[:5952], "labels": labels[:5952]}
    np.savez(lab.scratch / "all.npz", **everything, val_images=val_images, val_labels=val_labels)
    one = {f"{name}_THREADS": "1" for name in ("OMP_NUM", "TF_NUM_INTRAOP", "TF_NUM_INTEROP")}
    runs = {name: run("measure.py", way, KERAS_BACKEND=on, **one) for name, (way, on) in WAYS.items()}

# %%
figure, axes = plt.subplots(figsize=(7.5, 3.2))
for row, result in enumerate(runs.values()):
    axes.plot(result["steps/s"], [row] * 3, "o", markersize=9, alpha=0.7, color=plots.COLOURS[0])
axes.set_yticks(range(len(runs)), runs)
axes.invert_yaxis()
axes.set(
    xlabel="training steps for each second of processor time (one point a seed)", ylabel=" ", xlim=(0, None)
)
axes.set_title("Eager TensorFlow falls behind all others")
lab.show(figure, alt="Five rows of three points each: four ways, and far to the left of them the eager tape.")

# %%
print("imports, processor time:", "; ".join(f"{name} {one['import s']} s" for name, one in runs.items()))
rate = {name: np.median(result["steps/s"]) for name, result in runs.items()}
accuracy = [np.median(result["accuracy"]) for result in runs.values()]
traced = rate["tape and tf.function"]
print("the eager tape is the slowest:                        ", min(rate, key=rate.get) == "tape, eager")
print("tf.function makes it more than 3 times as fast:       ", traced > 3 * rate["tape, eager"])
print(f"PyTorch's loop against the traced tape:                {rate['PyTorch'] / traced:.1f}x")
print("medians of accuracy within 8 points of each other:    ", np.ptp(accuracy) < 0.08)
own = {"PyTorch": (torch_epoch, torch_fit), "tape": (tape_step, tape_epoch, tape_fit), "fit": (keras_fit,)}
for name, functions in own.items():
    lines = sum(bool(line.strip()) for f in functions for line in inspect.getsource(f).splitlines())
    print(f"lines of code beside the model, {name}: {lines}")

# %% [markdown]
# On this small network and one thread, on 2026-11-22, PyTorch's own loop was the fastest, 1.8 times the traced tape;
# Keras cost little on TensorFlow and much on PyTorch. The eager tape does the same arithmetic as the traced one: what
# slows it is calling each operation from Python. `fit` needs a third of the lines, as it brings the loop. Trust the
# order more than the numbers, and neither on a GPU: "X is faster" needs its network, its machine and its date.
#
# ## Explain it
#
# Answer aloud before you open the model answer: that is what the interview will be like.
#
# <details><summary>When do you take TensorFlow rather than PyTorch?</summary>
#
# When the road to production leads through what it has ready: Serving, TFX, LiteRT on phones and
# microcontrollers, the browser; or where a Google or TensorFlow stack already runs and people know it. PyTorch
# when papers, models and colleagues speak it: research mostly does, and pretrained language models nearly all do:
# Hugging Face's `transformers` dropped TensorFlow and Flax with version 5. Debugging feels natural there, because all
# is eager. The gap narrows from both sides: `torch.compile` and `torch.export` there, eager execution and Keras on
# PyTorch here. So I weigh this project's needs, write the weights down first, and say what I do not know. And I ask
# whether JAX, alone or under Keras, is a third option.
#
# *Follow-up: in this lab the app had more than one option left. What took one away?* Asking the team: while that
# score was unknown, the ranges of two options overlapped; known, one lay below. And look at dates: TorchServe and
# TorchScript were good answers once.
#
# </details>
# <details><summary>A model ported from PyTorch runs, and is wrong. Where do you look?</summary>
#
# At one photo, layer by layer, in both, from the input on: the first layer whose outputs differ is the one. Then
# by habit: the axes of kernels, square ones above all, where no shape complains; the padding of strided convolutions
# and poolings (`same` pads more at the end, PyTorch both ends alike); the order of `Flatten`; epsilon and the running
# statistics; `training`; softmax once.
#
# *Follow-up: which of your broken ports would accuracy not have shown?* Keras' own epsilon: logits off by more
# than 0.1, and not two points of accuracy lost. Compare logits, not accuracies.
#
# </details>
# <details><summary>What has no counterpart on the other side?</summary>
#
# `zero_grad`: a tape returns new gradients, PyTorch adds to `.grad`. `model.train()`: in Keras `training` is an
# argument. `num_batches_tracked`. And `fit`: in PyTorch you write it, or take a library.
#
# *Follow-up: what must you divide by when batches of 10, 20 and 34 make one step?* Each mean loss counts with its
# share, 10, 20 and 34 of 64. A third each gives another step.
#
# </details>
#
# ### Quiz
#
# **1. A `Linear(32, 32)` is carried over. Shapes fit, no error. What do you test?**
#
# <details><summary>That the model trains on from there</summary>
#
# It will, from a wrong start, and hide the mistake.
#
# </details>
# <details><summary>That one random input gives the same output</summary>
#
# Right. A square weight fits either way round; only its outputs tell.
#
# </details>
#
# **2. `nn.BatchNorm2d(64, eps=1e-3, momentum=0.01)` becomes?**
#
# <details><summary>BatchNormalization(epsilon=1e-3, momentum=0.01)</summary>
#
# That forgets 99 % of the running mean at each batch.
#
# </details>
# <details><summary>BatchNormalization(), all defaults</summary>
#
# Right, by luck: 1e-3 and 0.99 are Keras' defaults.
#
# </details>
#
# **3. You need `print` inside a layer during `fit`, on TensorFlow.**
#
# <details><summary>compile(..., run_eagerly=True), and remove it afterwards</summary>
#
# Right. Python then runs at each batch, and slowly.
#
# </details>
# <details><summary>KERAS_BACKEND="torch" in the next cell</summary>
#
# Too late in this process. In a new one, before the import, it would even help.
#
# </details>

# %% [markdown]
# ## Recap
#
# You can now read both, carry weights across and prove it, translate what only looks alike, debug in both, run
# Keras on another backend, and reach a decision that says what it rests on.
#
# **On a GPU and at scale:** the translation stays the same, the speeds do not. Measure again with `torch.compile`
# and `jit_compile=True`, on your network, with the date beside it.
#
# **Official documentation:** [about Keras 3](https://keras.io/getting_started/about/),
# [writing a loop on PyTorch](https://keras.io/guides/writing_a_custom_training_loop_in_torch/),
# [torch.export](https://docs.pytorch.org/docs/stable/export.html),
# [SavedModel](https://www.tensorflow.org/guide/saved_model), [LiteRT](https://ai.google.dev/edge/litert).
