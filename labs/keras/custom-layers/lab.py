# ---
# jupyter:
#   labs:
#     title: Write your own layers
#     promise: >-
#       Build a voice lock for nine people out of layers that you wrote: weights, state, masks, a loss of
#       their own, and attention, all of it saved and loaded again.
#     minutes: 80
#     level: intermediate
#     prerequisites: [keras/sequential]
#     outcomes:
#       - write a layer with `__init__`, `build` and `call`, and say when its weights are made
#       - let a mask through a layer, end it where it has to end, and measure what padding does without it
#       - keep state that no optimizer moves, and act differently in training and in use
#       - put layers into a layer so that all weights are found, and bring it back from a file
#       - add a loss from inside a layer, and write attention pooling that agrees with a NumPy loop
#     data: [japanese_vowels]
#     cpu_seconds: 60
#     replaces:
#       - {old: "`self.w = tf.Variable(...)` in a layer", new: "`self.add_weight(...)`, or a `keras.Variable`"}
#       - {old: "`add_weight('kernel', shape)`", new: "`add_weight(shape=..., name='kernel')`; the shape comes first"}
#       - {old: "`K.in_train_phase`, `K.learning_phase`", new: "the argument `training` of `call`"}
#       - {old: "`add_update`", new: "`weight.assign(...)` inside `call`"}
#       - {old: "`keras.backend` functions in `call`", new: "`keras.ops`"}
# ---

# %% [markdown]
# A door opens for nine people. Each says the same two vowels, and the lock must know who spoke. Utterances differ
# in length, and the microphone opens before the word and closes after it. You will write six layers that deal
# with that, and measure what a mask and attention are worth.

# %%
import labs

lab = labs.start("keras/custom-layers")

# %% tags=["setup"]
import collections
import types
import warnings

import keras
import matplotlib.pyplot as plt
import numpy as np
import tensorflow as tf
from keras import ops

from labs import plots


def recorded(dataset, seed):
    """Return padded recordings (n, steps, 12), labels, and the first step and length of each word."""
    rng, recordings, labels, words = np.random.default_rng(seed), [], [], []
    for word, label in dataset.as_numpy_iterator():
        before, after = (rng.normal(0, 0.5, (rng.integers(0, 41), 12)) for _ in range(2))
        recordings.append(np.concatenate([before, word, after]))
        labels.append(label)
        words.append((len(before), len(word)))
    return keras.utils.pad_sequences(recordings, dtype="float32", padding="post"), np.array(labels), words


# %% [markdown]
# ## 1. Make the weights when the shape is known
#
# `japanese_vowels` holds 640 utterances of nine men. A step is a frame of sound, one every 6.4 ms, told by 12
# numbers, so a series has the shape (steps, 12). A batch must be a block: `padded_batch` fills the short ones
# up with zeros.

# %%
train_raw, test_raw = lab.load("japanese_vowels")
series = [one for one, _ in train_raw.as_numpy_iterator()]
lengths = [len(one) for one in series]
print(len(train_raw), "to learn from,", len(test_raw), "to test;", min(lengths), "to", max(lengths), "steps")

train_ds = train_raw.cache().shuffle(270, seed=lab.seed).padded_batch(30).prefetch(2)
test_x, test_y = next(iter(test_raw.padded_batch(370)))
print("one batch of tests:", test_x.shape, test_x.dtype.name)

# %%
shown = [series[i] for i in np.argsort(lengths)[[0, 135, -1]]]
figure, axes = plt.subplots(1, 3, figsize=(8.5, 3), sharey=True)
for axis, one in zip(axes, shown, strict=True):
    padded = np.pad(one, [(0, 26 - len(one)), (0, 0)], constant_values=np.nan)
    axis.imshow(padded.T, cmap="cividis", vmin=-1, vmax=2, aspect="auto")
    axis.set(xlabel="step (6.4 ms each)", ylabel="coefficient", facecolor="0.85")
    axis.set_title(f"{len(one)} steps", fontweight="normal")
    axis.grid(False)
figure.suptitle("Utterances differ in length; the grey part is padding", fontweight="bold", x=0.01, ha="left")
lab.show(
    figure, alt="Three utterances of 7, about 15 and 26 steps as maps of 12 coefficients; the rest is grey."
)

# %% [markdown]
# A layer has three methods. `__init__` takes the settings. `build` makes the weights, and is called once,
# with the shape of the first input. `call` computes. So nobody has to say beforehand how many numbers come
# in.
#
# **Predict.** `layer = keras.layers.Dense(3)`. How many weight arrays does it have before it was called?
#
# <details><summary>None</summary>
#
# Right. The kernel needs the number of inputs, and nobody has told the layer yet.
#
# </details>
# <details><summary>Two, a kernel and a bias</summary>
#
# After the first call. Before it, the layer knows its 3 outputs but not its inputs.
#
# </details>
# <details><summary>One: the bias, whose shape is known</summary>
#
# It could be made, but `build` makes all of them, and `build` has not run.
#
# </details>

# %%
layer = keras.layers.Dense(3)
print("before:", len(layer.weights), "weights, built:", layer.built)
layer(test_x)
print("after: ", [tuple(weight.shape) for weight in layer.weights], "built:", layer.built)

# %% [markdown]
# ### Exercise: a layer with a kernel and a bias
#
# Write `build` and `call` of `Linear`. `self.add_weight(shape=..., initializer=..., name=...)` makes a weight
# that Keras can find. Let the kernel start at random (`"glorot_uniform"`) and the bias at `"zeros"`.
# `ops.matmul` multiplies the last axis, whatever stands before it. You write no derivative: each of these
# operations has one.
#
# Two lines are for later: the decorator names the class for saving (section 4), `supports_masking` lets a mask
# through (section 2).


# %% tags=["exercise"]
@keras.saving.register_keras_serializable("labs")
class Linear(keras.layers.Layer):
    """Maps the last axis: inputs (..., features) to inputs @ kernel + bias, (..., units)."""

    def __init__(self, units, **kwargs):
        super().__init__(**kwargs)
        self.units = units
        self.supports_masking = True

    def build(self, input_shape):
        ### BEGIN SOLUTION
        features = input_shape[-1]
        self.kernel = self.add_weight(
            shape=(features, self.units), initializer="glorot_uniform", name="kernel"
        )
        self.bias = self.add_weight(shape=(self.units,), initializer="zeros", name="bias")
        ### END SOLUTION

    def call(self, inputs):
        ### BEGIN SOLUTION
        return ops.matmul(inputs, self.kernel) + self.bias
        ### END SOLUTION


# %% tags=["check"]
Linear = lab.check(Linear)

# %%
linear = Linear(4)  # reads only the last axis of the shape, so it serves series and single steps
with tf.GradientTape() as tape:  # notes the operations, to derive from them
    outputs = linear(test_x)
    loss = tf.reduce_mean(outputs**2)
print("series:", outputs.shape, "single steps:", linear(test_x[:, 0]).shape)
for weight, gradient in zip(linear.weights, tape.gradient(loss, linear.trainable_weights), strict=True):
    print(f"weight {tuple(weight.shape)!s:8} gradient {tuple(gradient.shape)}")

# %% [markdown]
# ## 2. Let the mask through
#
# Zeros that fill a batch up are not speech. `keras.layers.Masking` marks every step with 12 zeros as padding:
# a *mask*, boolean of shape (batch, steps), `True` for a real step. It travels with the tensor, and a layer
# that wants it names an argument `mask`.
#
# **Predict.** A series of two real steps, 1 and 3, is padded to four. `GlobalAveragePooling1D` follows a
# `Masking` layer. What is the mean?
#
# <details><summary>The number</summary>
#
# **2.0**: with a mask the layer adds up two steps and divides by two.
#
# - **1.0**: that is (1 + 3 + 0 + 0) / 4, the answer without a mask.
# - **4.0**: that is the sum of the two steps. How many are there?
#
# </details>

# %%
short = tf.constant([[[1.0], [3.0], [0.0], [0.0]]])
marked = keras.layers.Masking()(short)
pool = keras.layers.GlobalAveragePooling1D()
print("no mask:", float(pool(short)[0, 0]), "- with mask:", float(pool(marked)[0, 0]))


class Tripled(keras.layers.Layer):
    def call(self, inputs):
        return 3 * inputs


with warnings.catch_warnings(record=True, action="always") as caught:
    print("3 x, which should be 6.0, with the mask lost:", float(pool(Tripled()(marked))[0, 0]))
print(str(caught[0].message).split(". ")[1])

# %% [markdown]
# Your own layer stops the mask, with one warning. If each step is handled by itself, `self.supports_masking =
# True` lets it pass. A layer that removes the steps must *end* it: `compute_mask` returns None.
#
# ### Exercise: the mean of the real steps
#
# Write `call` and `compute_mask` of `MeanPool`. Padding may hold any numbers. Without a mask all steps are
# real. A series with no real step gives zeros, not `nan`.


# %% tags=["exercise"]
@keras.saving.register_keras_serializable("labs")
class MeanPool(keras.layers.Layer):
    """Averages each series over its real steps: (batch, steps, features) to (batch, features)."""

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.supports_masking = True

    def call(self, inputs, mask=None):
        """`mask` is None or boolean (batch, steps), True for a real step."""
        ### BEGIN SOLUTION
        if mask is None:
            return ops.mean(inputs, axis=1)
        real = ops.expand_dims(ops.cast(mask, inputs.dtype), -1)
        return ops.sum(inputs * real, axis=1) / ops.maximum(ops.sum(real, axis=1), 1)
        ### END SOLUTION

    def compute_mask(self, inputs, mask=None):
        """Return the mask of the output."""
        ### BEGIN SOLUTION
        return None
        ### END SOLUTION


# %% tags=["check"]
MeanPool = lab.check(MeanPool)

# %%
marked = keras.layers.Masking()(test_x)
longer = keras.layers.Masking()(tf.pad(test_x, [[0, 0], [0, 40], [0, 0]]))
once, again = MeanPool()(marked), MeanPool()(longer)
print("same answer with 40 steps of padding more:", np.allclose(once, again, atol=1e-6))
by_hand = np.stack([one.mean(axis=0) for one, _ in test_raw.as_numpy_iterator()])
print("same as NumPy on each series by itself:   ", np.allclose(once, by_hand, atol=1e-5))

# %% [markdown]
# ## 3. Tell training from use, and keep state
#
# Some layers act differently while training. They name an argument `training` in `call`, and Keras fills it
# in. A layer inside another needs no help: it is told what the outer one was told.
#
# **Predict.** A layer notes the `training` it is given. In which of these is it True? Choose all.
#
# <details><summary>fit</summary>
#
# Right: it is what `fit` is for, and it says so to every layer.
#
# </details>
# <details><summary>evaluate</summary>
#
# `evaluate` measures the model as it will be used. Labels do not make it training.
#
# </details>
# <details><summary>A plain call, model(x)</summary>
#
# A plain call is use, not training: a loop of your own has to pass `training=True`.
#
# </details>
# <details><summary>model(x, training=True)</summary>
#
# Right: what you pass is handed on to the layers inside.
#
# </details>


# %%
class Notes(keras.layers.Layer):
    def call(self, inputs, training=False):
        told.append(training)
        return inputs


told, x = [], np.ones((4, 3), "float32")
model = keras.Sequential([keras.Input((3,)), Notes(), keras.layers.Dense(3)])
model.compile(loss="mse", run_eagerly=True)
calls = {"model(x)": lambda: model(x), "model(x, training=True)": lambda: model(x, training=True)}
calls |= {"fit": lambda: model.fit(x, x, verbose=0), "evaluate": lambda: model.evaluate(x, x, verbose=0)}
for name, run in calls.items():
    run()
    print(f"{name:24} told {told[-1]}")

# %% [markdown]
# To bring all coefficients to one scale, training takes the batch's own mean and variance, and remembers:
# `new = momentum * old + (1 - momentum) * batch`. In use the remembered ones serve.
#
# ### Exercise: standardize, and remember
#
# Write `build` and `call` of `Standardize`: two weights with `trainable=False`, for each feature a mean that
# starts at 0 and a variance at 1. Only *real* steps count. `weight.assign(value)` changes state.


# %% tags=["exercise"]
@keras.saving.register_keras_serializable("labs")
class Standardize(keras.layers.Layer):
    """Returns (inputs - mean) / sqrt(variance + 1e-3), for inputs of shape (batch, steps, features)."""

    def __init__(self, momentum=0.9, **kwargs):
        super().__init__(**kwargs)
        self.momentum = momentum
        self.supports_masking = True

    def build(self, input_shape):
        ### BEGIN SOLUTION
        shape = (input_shape[-1],)
        self.mean = self.add_weight(shape=shape, initializer="zeros", trainable=False, name="mean")
        self.variance = self.add_weight(shape=shape, initializer="ones", trainable=False, name="variance")
        ### END SOLUTION

    def call(self, inputs, mask=None, training=False):
        """In training: use the batch's statistics, and move the running ones. Otherwise: use the running ones."""
        ### BEGIN SOLUTION
        if not training:
            return (inputs - self.mean) / ops.sqrt(self.variance + 1e-3)
        real = ops.ones_like(inputs) if mask is None else ops.cast(mask, inputs.dtype)[..., None]
        real = real * ops.ones_like(inputs)
        count = ops.maximum(ops.sum(real, axis=(0, 1)), 1)
        mean = ops.sum(inputs * real, axis=(0, 1)) / count
        variance = ops.sum((inputs - mean) ** 2 * real, axis=(0, 1)) / count
        self.mean.assign(self.momentum * self.mean + (1 - self.momentum) * mean)
        self.variance.assign(self.momentum * self.variance + (1 - self.momentum) * variance)
        return (inputs - mean) / ops.sqrt(variance + 1e-3)
        ### END SOLUTION


# %% tags=["check"]
Standardize = lab.check(Standardize)

# %%
standardize, target = Standardize(), np.concatenate(series).mean(axis=0)
marked = keras.layers.Masking()(next(iter(train_raw.padded_batch(270)))[0])
standardize.build(marked.shape)
mean = min(standardize.weights, key=lambda weight: weight.numpy().sum())  # it starts at 0, the variance at 1
distances = []
for _ in range(40):
    standardize(marked, training=True)
    distances.append(np.abs(mean.numpy() - target).max())
print("trainable:", len(standardize.trainable_weights), "- state:", len(standardize.non_trainable_weights))
print("distance of the running mean to the true one:")
print("after 1 call {:.3f}, after 10 {:.3f}, after 40 {:.3f}".format(*np.array(distances)[[0, 9, 39]]))

# %% [markdown]
# ## 4. Put layers into a layer, and save it
#
# A layer may hold other layers; assign them to `self`, and their weights are its own. A file holds two
# things: all `layer.weights`, the running mean among them, and the *config*, the arguments with which to make
# the layer again. `get_config` returns these, and `from_config` calls `__init__` with them.
#
# **Predict.** `Linear` has no `get_config`. Can Keras 3 make it again from its config?
#
# <details><summary>No: it cannot know <code>units</code></summary>
#
# Keras 2 could not. Keras 3 notes the arguments of `__init__`, as long as all are numbers, strings, booleans, None,
# or lists and dicts of them.
#
# </details>
# <details><summary>Yes, this one</summary>
#
# Right: `units` is a number. But pass one argument that is a function, and you must write `get_config`.
#
# </details>

# %%
config = Linear(4, name="ears").get_config()
print({key: config[key] for key in ("name", "units") if key in config}, Linear.from_config(config).units)


class Applied(keras.layers.Layer):
    def __init__(self, function):
        super().__init__()
        self.function = function


with lab.fails(NotImplementedError):
    Applied(keras.activations.gelu).get_config()
with lab.fails(TypeError):
    keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(Tripled()))

# %% [markdown]
# The first asks for a `get_config`. The second comes on loading: a file holds names, not code, so a class
# must be registered under its name, as yours are.
#
# ### Exercise: an encoder
#
# Write `Encoder`: a `Linear` for each width, each followed by the activation. Build each *for the shape that
# reaches it*. `activation` may be a name or a function, so `get_config` is needed: it returns what `__init__`
# takes. `keras.activations.get` and `.serialize` turn names into functions and back.


# %% tags=["exercise"]
@keras.saving.register_keras_serializable("labs")
class Encoder(keras.layers.Layer):
    """Maps the last axis through one `Linear` and `activation` for each of `widths`."""

    def __init__(self, widths, activation="relu", **kwargs):
        super().__init__(**kwargs)
        self.supports_masking = True
        ### BEGIN SOLUTION
        self.widths = list(widths)
        self.activation = keras.activations.get(activation)
        self.blocks = [Linear(width) for width in self.widths]
        ### END SOLUTION

    def build(self, input_shape):
        ### BEGIN SOLUTION
        for block, width in zip(self.blocks, self.widths, strict=True):
            block.build(input_shape)
            input_shape = (*input_shape[:-1], width)
        ### END SOLUTION

    def call(self, inputs):
        ### BEGIN SOLUTION
        for block in self.blocks:
            inputs = self.activation(block(inputs))
        return inputs
        ### END SOLUTION

    def get_config(self):
        ### BEGIN SOLUTION
        activation = keras.activations.serialize(self.activation)
        return {**super().get_config(), "widths": self.widths, "activation": activation}
        ### END SOLUTION


# %% tags=["check"]
Encoder = lab.check(Encoder)


# %%
def make_lock(*middle, masked=True, seed=lab.seed):
    keras.utils.set_random_seed(seed)
    front = [keras.layers.Masking()] if masked else []
    model = keras.Sequential([keras.Input((None, 12)), *front, Standardize(), *middle, Linear(9)])
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(keras.optimizers.Adam(0.01), loss, metrics=["accuracy"])
    return model


# `fit` fills in `training`, and the mask travels from Masking to MeanPool.
lock = make_lock(Encoder([32, 32]), MeanPool())
lock.fit(train_ds, epochs=15, verbose=0)
print("nine of ten tests right:", lock.evaluate(test_x, test_y, verbose=0)[1] > 0.9)

# %%
file = lab.scratch / "lock.keras"
lock.save(file)
loaded = keras.models.load_model(file)
before, after = (model.predict(test_x, verbose=0) for model in (lock, loaded))
print("same answers:", np.allclose(before, after, atol=1e-5), "- another object:", loaded is not lock)
state = [model.layers[1].get_weights() for model in (lock, loaded)]
moved = not np.isin(state[1], [0, 1]).any()
print("the running mean and variance came along:", np.allclose(*state), "- all of them have moved:", moved)

# %% [markdown]
# ## 5. Add a loss from inside
#
# A loss function sees labels and outputs. A layer sees what goes on inside, and may object:
# `self.add_loss(value)` in `call`. `model.losses` collects what all layers added in the *last* call, and
# `fit` adds it to the compiled loss.
#
# **Predict.** A layer calls `add_loss` once in `call`. You call the layer three times. How long is
# `layer.losses`?
#
# <details><summary>The number</summary>
#
# **1**: it is the loss of the last call.
#
# - **3**: then a loop would carry old losses along for ever. A call from outside begins with an empty list. (Within
#   one call of a model, a layer that is used twice adds one each time.)
# - **0**: the list is emptied when a call begins, and this call has added one.
#
# </details>


# %%
class Objects(keras.layers.Layer):
    def call(self, inputs):
        self.add_loss(ops.mean(ops.square(inputs)))
        return inputs


objects = Objects()
for value in (1.0, 2.0, 3.0):
    objects(tf.fill([2, 3], value))
print([float(loss) for loss in objects.losses])

model = keras.Sequential([keras.Input((3,)), Objects()])
model.compile("sgd", "mse")
print("mse of equal numbers, and the layer's loss:", model.evaluate(2 * x, 2 * x, verbose=0))

# %% [markdown]
# ### Exercise: a penalty on loud units
#
# Write `call` of `ActivityPenalty`: it returns its inputs as they are, and adds `strength` times the mean of
# their squares to the loss. The mean is over all numbers of all real steps, so that neither the size of the
# batch nor the padding changes it.


# %% tags=["exercise"]
@keras.saving.register_keras_serializable("labs")
class ActivityPenalty(keras.layers.Layer):
    """Adds strength * mean(inputs ** 2) over the real steps to the loss; inputs (batch, steps, features)."""

    def __init__(self, strength, **kwargs):
        super().__init__(**kwargs)
        self.strength = strength
        self.supports_masking = True

    def call(self, inputs, mask=None):
        ### BEGIN SOLUTION
        loudness = ops.mean(ops.square(inputs), axis=-1)
        if mask is None:
            self.add_loss(self.strength * ops.mean(loudness))
        else:
            real = ops.cast(mask, inputs.dtype)
            self.add_loss(self.strength * ops.sum(loudness * real) / ops.maximum(ops.sum(real), 1))
        return inputs
        ### END SOLUTION


# %% tags=["check"]
ActivityPenalty = lab.check(ActivityPenalty)

# %%
for strength in (0.0, 2.0):
    lock = make_lock(Encoder([32]), ActivityPenalty(strength), MeanPool())
    lock.fit(train_ds, epochs=10, verbose=0)
    heard = keras.Sequential(lock.layers[:3])(test_x)
    loudness = float(ops.mean(MeanPool()(ops.square(heard))))
    right = lock.evaluate(test_x, test_y, verbose=0)[1] > 0.9
    print(f"strength {strength}: mean square above 0.5: {loudness > 0.5}, nine of ten right: {right}")

# %% [markdown]
# The units got quieter, and the answers stayed right. Keras has such a penalty ready, the argument
# `activity_regularizer` of every layer; but that one knows no mask, so padding counts.

# %% [markdown]
# ## 6. Let the layer choose where to listen
#
# A real microphone opens too early. Below, each utterance gets up to 40 steps of noise on either side: real
# speech in noise drawn from a normal distribution. These steps are recorded, not padded, so no mask knows
# them. The layer has to find the word by itself.
#
# **Predict.** Attention gives each step a score, turns the scores of a series into weights by `softmax`, and
# adds the steps up by weight. What must happen to the scores of padded steps?
#
# <details><summary>They become 0</summary>
#
# `softmax` raises e to that power, and e⁰ is 1: a padded step would still get weight.
#
# </details>
# <details><summary>They become a very large negative number</summary>
#
# Right: e to that power is 0, and the weights of the real steps still add up to 1.
#
# </details>
# <details><summary>Nothing: multiply the weights by the mask afterwards</summary>
#
# Then the weights that are left no longer add up to 1, and more padding makes the result smaller.
#
# </details>
#
# ### Exercise: attention pooling
#
# Write `AttentionPool`. The score of a step is `query · tanh(step @ kernel)`, with a `kernel` of shape
# (features, units) and a `query` of shape (units,), both learnt. No weight falls on padding. A series without
# any real step has no right answer: any numbers will do there, but not `nan`.


# %% tags=["exercise"]
@keras.saving.register_keras_serializable("labs")
class AttentionPool(keras.layers.Layer):
    """Sums the steps by learnt weights: (batch, steps, features) to (batch, features)."""

    def __init__(self, units, **kwargs):
        super().__init__(**kwargs)
        self.units = units
        self.supports_masking = True

    def build(self, input_shape):
        ### BEGIN SOLUTION
        self.kernel = self.add_weight(shape=(input_shape[-1], self.units), name="kernel")
        self.query = self.add_weight(shape=(self.units,), name="query")
        ### END SOLUTION

    def attention(self, inputs, mask=None):
        """Return the weights (batch, steps): for each series positive numbers with the sum 1, 0 for padding.

        A series of padding only gets any finite numbers.
        """
        ### BEGIN SOLUTION
        hidden = ops.tanh(ops.matmul(inputs, self.kernel))
        scores = ops.sum(hidden * self.query, axis=-1)
        if mask is not None:
            scores = ops.where(mask, scores, -1e9)
        return ops.softmax(scores, axis=-1)
        ### END SOLUTION

    def call(self, inputs, mask=None):
        ### BEGIN SOLUTION
        weights = self.attention(inputs, mask)
        return ops.sum(weights[..., None] * inputs, axis=1)
        ### END SOLUTION

    def compute_mask(self, inputs, mask=None):
        ### BEGIN SOLUTION
        return None
        ### END SOLUTION


# %% tags=["check"]
AttentionPool = lab.check(AttentionPool)

# %%
attend = AttentionPool(5)
pooled = attend(keras.layers.Masking()(test_x)).numpy()
query, kernel = sorted((np.squeeze(weight) for weight in attend.get_weights()), key=np.size)
by_loop = []
for word, _ in test_raw.as_numpy_iterator():  # one utterance at a time, without any padding
    scores = [query @ np.tanh(step @ kernel) for step in word]
    weights = np.exp(scores) / np.sum(np.exp(scores))
    by_loop.append(sum(weight * step for weight, step in zip(weights, word, strict=True)))
print("same as a loop in NumPy:", np.allclose(pooled, by_loop, atol=1e-4))

# %%
noisy_x, noisy_y, _ = recorded(train_raw, seed=1)
noisy_test_x, noisy_test_y, words = recorded(test_raw, seed=2)
lock = make_lock(Encoder([32]), AttentionPool(16))
lock.fit(noisy_x, noisy_y, epochs=25, batch_size=30, verbose=0)
hidden = keras.Sequential(lock.layers[:3])(noisy_test_x)
real = np.any(noisy_test_x != 0, axis=-1)
weights = np.array(lock.layers[3].attention(hidden, tf.constant(real)))
on_word = [one[start : start + n].sum() for one, (start, n) in zip(weights, words, strict=True)]
share = sum(n for _, n in words) / real.sum()
print("the word is less than a third of the recordings:", share < 1 / 3)
print("and gets more than three quarters of attention:  ", np.mean(on_word) > 0.75)

# %%
shown = sorted(range(60), key=lambda i: words[i])
figure, axes = plt.subplots(figsize=(8, 4))
axes.imshow(weights[shown], cmap="magma", vmin=0, vmax=0.15, aspect="auto", interpolation="nearest")
for edge in ([words[i][0] for i in shown], [sum(words[i]) for i in shown]):
    axes.step(np.array(edge) - 0.5, range(60), where="mid", color=plots.COLOURS[5], linewidth=1.2)
axes.grid(False)
axes.set(xlabel="step (6.4 ms each)", ylabel="recording, by start of the word")
axes.set_title("Attention (bright) lies mostly on the word, between the lines")
lab.show(
    figure,
    alt="Sixty recordings, a row each. Nearly all bright steps lie between two lines, the word's ends.",
)

# %% [markdown]
# ## Break it: weights that Keras cannot find
#
# Three mistakes, from loud to silent. The first: making layers or variables in `call`. `call` runs again and
# again, so each run would make new ones. Keras refuses what it sees; what it does not see is worse.


# %%
class DenseInCall(keras.layers.Layer):
    def call(self, inputs):
        return keras.layers.Dense(2)(inputs)


class WeightInCall(keras.layers.Layer):
    def call(self, inputs):
        return inputs @ self.add_weight(shape=(3, 2))


fresh = DenseInCall()
print("weights:", len(fresh.weights), "- two calls agree:", np.allclose(fresh(x), fresh(x)))
with lab.fails(ValueError):
    WeightInCall()(x)

# %% [markdown]
# `DenseInCall` runs, with other random weights at each call and none that could learn. The second mistake:
# layers kept where Keras does not look. It used to be said that a Python list of layers is not tracked. Ask
# Keras 3.

# %%
mine, inner = [], keras.layers.Dense(2)
inner.build((None, 3))
places = {"a list": [inner], "a tuple": (inner,), "a dict of lists": {"a": [inner]}}
places |= {"your own name of a list": mine, "a deque": collections.deque([inner])}
places |= {"another object": types.SimpleNamespace(layer=inner), "a bare tf.Variable": tf.Variable(1.0)}
for place, kept in places.items():
    holder = keras.layers.Layer()
    holder.kept = kept
    if kept is mine:
        mine.append(inner)  # one line too late
    print(f"{place:24} {len(holder.trainable_weights)} weights found")

# %% [markdown]
# Lists, tuples and dicts on `self` are tracked, nested ones too. But `self` holds a *copy*: what you append
# to your own name of it is lost. Other containers are not looked into. Nothing fails; the layer never learns.
# Mended: layers in `__init__`, weights by `add_weight` in `build`, all on `self`; then count `layer.weights`.
# The third mistake is NumPy in `call`.


# %%
class NumpyMean(keras.layers.Layer):
    def call(self, inputs):
        return inputs - np.mean(inputs, axis=0)


class NumpyNoise(keras.layers.Layer):
    def call(self, inputs):
        return inputs + np.random.normal(size=3).astype("float32")


graph = tf.function(NumpyNoise())
print("the mean, eagerly:", NumpyMean()(tf.constant(x)).shape)
print("two draws of noise in a graph agree:", np.allclose(graph(x), graph(x)))
with lab.fails(NotImplementedError):
    tf.function(NumpyMean())(x)

# %% [markdown]
# `fit` runs a graph. `np.mean` fails there, and says so. `np.random` does not: it ran once, while tracing,
# and its numbers are now constants, the same "noise" for every batch. Mended: `ops.mean`, and
# `keras.random.normal` with a `keras.random.SeedGenerator` made in `__init__`.

# %% [markdown]
# ## Measure it: what the mask and the attention are worth
#
# First the mask: two locks with `MeanPool`, one without `Masking`, tested on the same words with ever more
# padding, as happens when one long recording comes into a batch. Then the attention: `MeanPool` against
# `AttentionPool` on the noisy recordings, from three starts each, since one could be luck.

# %%
paddings = [0, 10, 30, 60, 90]
accuracies = {}
for name, masked in (("with a mask", True), ("without", False)):
    lock = make_lock(Encoder([32]), MeanPool(), masked=masked)
    lock.fit(train_ds, epochs=15, verbose=0)
    longer = [tf.pad(test_x, [[0, 0], [0, extra], [0, 0]]) for extra in paddings]
    answers = [np.argmax(lock(one), axis=-1) for one in longer]
    accuracies[name] = [100 * np.mean(answer == test_y.numpy()) for answer in answers]
    print(f"{name:12} the answers stay the same:", all(np.array_equal(answers[0], one) for one in answers))

# %%
figure, axes = plt.subplots()
for (name, values), marker in zip(accuracies.items(), plots.MARKERS, strict=False):
    axes.plot(paddings, values, marker=marker, label=name)
axes.set(xlabel="steps of padding added", ylabel="test accuracy (%)", ylim=(0, 102))
axes.set_title("Without a mask, padding changes the answers")
axes.legend()
lab.show(figure, alt="Test accuracy against padding: flat and high with a mask, falling steeply without one.")
print("without a mask less than half is left:", accuracies["without"][-1] < accuracies["without"][0] / 2)

# %%
kinds, scores = {"MeanPool": MeanPool, "AttentionPool": lambda: AttentionPool(16)}, {}
for name, pool in kinds.items():
    for seed in (1, 2, 3):
        lock = make_lock(Encoder([32]), pool(), seed=seed)
        lock.fit(noisy_x, noisy_y, epochs=25, batch_size=30, verbose=0)
        answers = lock.predict(noisy_test_x, verbose=0).argmax(axis=-1)
        scores.setdefault(name, []).append(100 * np.mean(answers == noisy_test_y))
worst, best = min(scores["AttentionPool"]), max(scores["MeanPool"])
print("the worst start with attention is more than 3 points above the best without:", worst > best + 3)

# %%
figure, axes = plt.subplots(figsize=(7, 2.6))
for place, (values, marker) in enumerate(zip(scores.values(), plots.MARKERS, strict=False)):
    axes.plot(values, [place] * 3, marker, markersize=9, alpha=0.7)
axes.set_yticks(range(2), list(scores))
axes.set(xlabel="accuracy on noisy tests (%)", ylabel=" ", ylim=(-0.5, 1.5))
axes.set_title("Three starts each: attention hears through the noise")
lab.show(
    figure, alt="Three points for each pooling. Those of attention all lie to the right of those of the mean."
)

# %% [markdown]
# ## Explain it
#
# Answer aloud before you open the model answer: that is what the interview will be like.
#
# <details><summary>How do you write a layer?</summary>
#
# Subclass `keras.layers.Layer`. `__init__` keeps the settings and makes inner layers; `build` makes the
# weights by `add_weight`, once, when the shape of the input is known; `call` computes with differentiable
# operations, so gradients come by themselves. `get_config` returns the arguments, and the class is registered
# under a name, for saving. If it matters: `training` and `mask` in `call`, `supports_masking`,
# `compute_mask`.
#
# *Follow-up: `Linear` can be saved without a `get_config`. Why, and when does that end?* Keras 3 notes the
# arguments of `__init__` if all are numbers, strings, booleans, None, or lists and dicts of them. A function as
# an argument ended it here with NotImplementedError.
#
# </details>
# <details><summary>A model with your layer trains, but its loss hardly falls. What do you look at first?</summary>
#
# `layer.trainable_weights`: count them. None means that variables were made in `call`, are bare
# `tf.Variable`s, or sit in a container that Keras does not look into. Then the gradients: a step through
# NumPy has none.
#
# *Follow-up: is a Python list of layers tracked?* In Keras 3 yes, when it is assigned to `self`; but `self`
# holds a copy, so what you append to your own name of it is lost. A deque or an object of your own is not
# tracked.
#
# </details>
# <details><summary>How does a mask travel, and where must it end?</summary>
#
# `Masking` or `Embedding(mask_zero=True)` attaches it to the tensor, Keras hands it to every `call` that
# names `mask`, and a layer with `supports_masking` passes it on. It ends where the steps end: in pooling, by
# a `compute_mask` that returns None.
#
# *Follow-up: your model was fine in the lab and fails in production when long recordings come in. Why?* Short
# ones are padded further, and some layer counts the padding. Here the lock without a mask lost more than half
# of its right answers that way.
#
# </details>
# <details><summary>BatchNormalization has four weight arrays, the optimizer moves two. What are the others?</summary>
#
# Running mean and variance: made with `trainable=False`, assigned in `call` while training, read in use,
# saved with the rest.
#
# *Follow-up: how far was your running mean after one call with a momentum of 0.9?* A tenth of the way from 0.
#
# </details>
#
# ### Quiz
#
# **1. `self.scale = 0.9 * self.scale + 0.1 * new` in `call`, where `scale` is a weight. What is wrong?**
#
# <details><summary>Nothing: it is the formula of a running mean</summary>
#
# The attribute now holds a tensor. The weight itself has not changed, and the weight is what is saved.
#
# </details>
# <details><summary>It replaces the weight by a tensor</summary>
#
# Right: `self.scale.assign(...)` changes the weight. In a graph the tensor would not even outlive the call.
#
# </details>
#
# **2. A layer adds a loss, and you train in a loop of your own with `loss_fn(y, model(x))`. What happens?**
#
# <details><summary>The added loss has no effect</summary>
#
# Right: `fit` adds `model.losses` for you, a loop of your own has to.
#
# </details>
# <details><summary>It is added by the tape</summary>
#
# The tape follows the number you hand to `gradient`. Nobody has added the other one to it.
#
# </details>
#
# **3. `load_model` says "Could not locate class". What is missing from the file?**
#
# <details><summary>The code of the class</summary>
#
# Right: files hold a name, a config and weights. Import the class, registered, before you load.
#
# </details>
# <details><summary>The weights of the layer</summary>
#
# They are in it. Keras does not know what to put them into.
#
# </details>

# %% [markdown]
# ## Recap
#
# You can now write a layer with weights, state, a mask, a loss and a config, put layers into layers, and find
# out why one of them does not learn.
#
# **On a GPU and at scale:** the layers stay as they are. Pad each batch to its own longest series, and group
# series of like length (`bucket_by_sequence_length`), since padding costs as much time as speech. Write
# `call` in `keras.ops` or TensorFlow: NumPy inside does not become part of the graph, as you saw.
#
# **Official documentation:** [making new layers and models by
# subclassing](https://keras.io/guides/making_new_layers_and_models_via_subclassing/), [masking and
# padding](https://www.tensorflow.org/guide/keras/understanding_masking_and_padding), [saving and serializing
# custom objects](https://keras.io/guides/serialization_and_saving/), [the base Layer
# class](https://keras.io/api/layers/base_layer/).
