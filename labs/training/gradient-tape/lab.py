# ---
# jupyter:
#   labs:
#     title: From a derivative to your own training loop
#     promise: >-
#       Open the box called `fit`: find a slope by hand, let a tape find it, and write a training step of
#       your own that `fit` runs.
#     minutes: 90
#     level: intermediate
#     prerequisites: [keras/sequential]
#     outcomes:
#       - derive the gradient of a small loss by hand, and get the same numbers from `tf.GradientTape`
#       - say what a tape records, and find out why a gradient is `None`
#       - write gradient descent, a training step and an epoch whose averages are right
#       - trace a step with `tf.function`, measure what it buys, and keep it from being traced again
#       - override `train_step`, so that `fit` runs your step with callbacks and validation
#     data: [fashion_mnist]
#     cpu_seconds: 60
#     replaces:
#       - {old: "`tf.gradients` inside a `Session`", new: "`tf.GradientTape`"}
#       - {old: "`optimizer.minimize(loss, variables)`", new: "`tape.gradient`, then `optimizer.apply_gradients`"}
#       - {old: "`self.compiled_loss` in `train_step`", new: "`self.compute_loss`"}
#       - {old: "`self.compiled_metrics` in `train_step`", new: "`self.compute_metrics`"}
# ---

# %% [markdown]
# One morning the shop's sorter of clothes is worthless. Overnight it was trained again, and somebody had
# forgotten to scale one batch of 64 photos out of 2,000. `fit` reported a bad loss, but not where it began.
# You will write the step inside `fit` yourself, make it show the batch, and survive it.

# %%
import labs

lab = labs.start("training/gradient-tape")

# %% tags=["setup"]
import time

import keras
import matplotlib.pyplot as plt
import numpy as np
import tensorflow as tf

from labs import plots

# %% [markdown]
# ## 1. Find a slope by hand
#
# Training asks one question of every weight: if it grows a little, does the loss grow or fall, and how
# fast? Begin with two weights. Unpacking a parcel takes some minutes for each kilogram, `w`, and some for
# opening it, `b`. Five parcels were timed.
#
# **Predict.** With `w = 1` and `b = 2` the line lies below all five points. What is the sign of the slope of
# the loss along `w`?
#
# <details><summary>Positive: w must grow</summary>
#
# `w` must grow, yes. But then the loss falls while `w` grows, and a curve that falls has a negative slope.
#
# </details>
# <details><summary>Negative: when w grows, the loss falls</summary>
#
# Right. That is why training steps *against* the gradient: minus a negative slope makes `w` larger.
#
# </details>
# <details><summary>Zero: a squared error has no sign</summary>
#
# The loss itself is never negative. Its slope is zero only at the bottom of the bowl.
#
# </details>

# %%
kilos = np.array([0.2, 0.5, 1.0, 1.3, 2.0])
minutes = np.array([2.5, 3.6, 5.2, 5.6, 8.1])


def loss_of(w, b):
    return np.mean((w * kilos + b - minutes) ** 2)


for w in (1.0, 2.0, 3.0, 4.0):
    print(f"w = {w}, b = 2.0: mean squared error {loss_of(w, 2.0):.3f}")

# %% [markdown]
# ### Exercise: the gradient by hand
#
# For one parcel the loss is `error²`, with `error = w·x + b − y`. The chain rule multiplies two slopes: how
# the square changes with the error, and how the error changes with the weight. Write `line_gradient` for
# the *mean* over all parcels. Paper helps.


# %% tags=["exercise"]
def line_gradient(w, b, x, y):
    """Return (dw, db), the slopes of mean((w * x + b - y) ** 2) along `w` and `b`; x and y have shape (n,)."""
    ### BEGIN SOLUTION
    error = w * x + b - y
    return np.mean(2 * error * x), np.mean(2 * error)
    ### END SOLUTION


# %% tags=["check"]
line_gradient = lab.check(line_gradient)

# %% [markdown]
# ## 2. Record, then play backwards
#
# Nobody derives a network with thousands of weights on paper. `tf.GradientTape` writes down each operation
# on a variable while its `with` block is open. Compare three ways to the same slopes: nudge each weight
# and look, your formula, and the tape.

# %%
w, b = tf.Variable(1.0), tf.Variable(1.0)
x, y = tf.constant(kilos, tf.float32), tf.constant(minutes, tf.float32)
with tf.GradientTape() as tape:
    loss = tf.reduce_mean((w * x + b - y) ** 2)
dw, db = tape.gradient(loss, [w, b])

h = 1e-4
nudged = [loss_of(1 + h, 1) - loss_of(1 - h, 1), loss_of(1, 1 + h) - loss_of(1, 1 - h)]
print("nudge:   {:.3f} {:.3f}".format(*(change / (2 * h) for change in nudged)))
print("by hand: {:.3f} {:.3f}".format(*line_gradient(1.0, 1.0, kilos, minutes)))
print(f"tape:    {dw:.3f} {db:.3f}")

# %%
w.assign(2.0)  # one parcel of 3 kilograms and 10 minutes, one operation a line
with tf.GradientTape(persistent=True) as tape:  # persistent: it will be asked more than once
    product = w * 3.0
    prediction = product + b
    error = prediction - 10.0
    loss = error**2
values = [float(value) for value in (product, prediction, error, loss)]
slopes = [float(tape.gradient(loss, source)) for source in (w, product, prediction, error)]
own, below = [3.0, 1.0, 1.0, 2 * values[2]], [*slopes[1:], 1.0]  # own: of each line along its input, by hand
print("values, downwards:       ", values)
print("slopes of the loss, up:  ", slopes[::-1])

# %%
recorded = ["product = w · 3", "prediction = product + b", "error = prediction - 10", "loss = error²"]
columns = zip(recorded, values, own, below, slopes, strict=True)
rows = [[line, f"{value:g}", f"{k:g} · {up:g} = {slope:g}"] for line, value, k, up, slope in columns]
figure, axes = plt.subplots(figsize=(8.5, 2.7))
axes.axis("off")
heads, shades = ["↓ recorded", "↓ value", "↑ own slope · slope from below"], ["#cfe3f1", "#cfe3f1", "#fbe3b8"]
table = axes.table(rows, colLabels=heads, cellLoc="center", bbox=(0, 0, 1, 0.95), colColours=shades)
table.auto_set_font_size(False)
table.set_fontsize(12)
axes.set_title("A tape is recorded downwards and played back upwards")
lab.show(figure, alt="Four recorded lines: values 6, 7, -3, 9 going down, slopes -6, -6, -6, -18 coming up.")

# %% [markdown]
# Read the right column from the bottom: each line multiplies what comes up by its own slope. The square brings
# `2 · error = -6`. Adding has slope 1, so -6 passes through. Multiplying by 3 makes it -18, the slope along `w`.
# That is *backpropagation*: one pass for all weights, where nudging needs two losses for each.
#
# **Predict.** `x = tf.constant(3.0)`, then `y = x**2` in a `with tf.GradientTape() as tape:` block. What is
# `tape.gradient(y, x)`?
#
# <details><summary>6.0</summary>
#
# That is the derivative. But nobody told the tape to follow `x`, and following every constant would fill memory.
#
# </details>
# <details><summary>0.0, because a constant does not change</summary>
#
# Zero would mean that the tape followed `x` and found no influence. It did not follow it at all.
#
# </details>
# <details><summary>None</summary>
#
# Right. A tape watches trainable variables by itself, and anything else when you call `tape.watch`.
#
# </details>

# %%
x, frozen = tf.constant(3.0), tf.Variable(3.0, trainable=False)
with tf.GradientTape() as tape:
    y = x**2 + frozen**2
print("not watched:", tape.gradient(y, [x, frozen]))
with tf.GradientTape() as tape:
    tape.watch([x, frozen])
    y = x**2 + frozen**2
print("watched:    ", [float(slope) for slope in tape.gradient(y, [x, frozen])])
with lab.fails(RuntimeError):
    tape.gradient(y, x)  # this tape has answered once

# %% [markdown]
# ### Exercise: value and gradient
#
# Write `value_and_gradient` for any function `f` and any float tensor or variable `x`. It must also work inside
# itself, because the gradient of a gradient is the second derivative: what comes back has to depend on the
# very `x` that was given.


# %% tags=["exercise"]
def value_and_gradient(f, x):
    """Return the pair (f(x), gradient of f at x); `x` is a tensor or a variable; both results are tensors."""
    ### BEGIN SOLUTION
    with tf.GradientTape() as tape:
        tape.watch(x)
        value = f(x)
    return value, tape.gradient(value, x)
    ### END SOLUTION


# %% tags=["check"]
value_and_gradient = lab.check(value_and_gradient)


# %%
def slope_of_cube(x):
    return value_and_gradient(lambda x: x**3, x)[1]


first, second = value_and_gradient(slope_of_cube, tf.constant(3.0))
print(f"x³ at 3: slope {first:.3f}, slope of the slope {second:.3f}")

sides = tf.Variable([2.0, 5.0])
with tf.GradientTape(persistent=True) as tape:
    both = tf.stack([sides[0] * sides[1], sides[0] + sides[1]])
print("two results, one gradient:", tape.gradient(both, sides).numpy())
print("Jacobian, a row for each: ", tape.jacobian(both, sides).numpy().tolist())

# %% [markdown]
# A tape inside a tape gives the second derivative. Then a trap: the *two* results have slopes (5, 2) and (1, 1), and
# `gradient` gave (6, 3). It adds all results up first. For one row for each result ask `jacobian`, and make the
# tape persistent if it has to answer twice.

# %% [markdown]
# ## 3. Walk downhill
#
# The gradient points to where the loss grows fastest, so a step goes the other way. Sources may be nested: ask
# for a dict, get a dict. `assign_sub` changes a variable in place; `w = w - ...` would make a new tensor
# that no tape watches.

# %%
line = {"w": tf.Variable(1.0), "b": tf.Variable(1.0)}
with tf.GradientTape() as tape:
    loss = tf.reduce_mean((line["w"] * kilos + line["b"] - minutes) ** 2)
gradients = tape.gradient(loss, line)
for name, variable in line.items():
    variable.assign_sub(0.1 * gradients[name])
print("slopes:", {name: round(float(slope), 3) for name, slope in gradients.items()})
print(f"loss before {loss:.3f}, after one step {loss_of(line['w'].numpy(), line['b'].numpy()):.3f}")

# %% [markdown]
# **Predict.** That step went well with a rate of 0.1. What can a rate of 0.47 do, step after step?
#
# <details><summary>Get to the bottom about five times as fast</summary>
#
# Only while the steps are short against the width of the valley. Then they land on the other side.
#
# </details>
# <details><summary>Overshoot, each time further</summary>
#
# Right. If a step lands higher on the other side than where it began, the next slope is steeper still.
#
# </details>
# <details><summary>Stop as soon as the loss would rise</summary>
#
# Gradient descent does not look at the loss, only at the slope where it stands.
#
# </details>
#
# ### Exercise: gradient descent
#
# Write `descend`: begin at `start`, go `steps` steps against the gradient of `loss_fn`, and return every point of
# the path, the start included. `loss_fn` takes one tensor of shape (n,) and gives one number.


# %% tags=["exercise"]
def descend(loss_fn, start, learning_rate, steps):
    """Return the path, float array (steps + 1, n), of gradient descent on `loss_fn` from `start`, shape (n,)."""
    ### BEGIN SOLUTION
    point = tf.Variable(start, dtype=tf.float32)
    path = [point.numpy()]
    for _ in range(steps):
        with tf.GradientTape() as tape:
            loss = loss_fn(point)
        point.assign_sub(learning_rate * tape.gradient(loss, point))
        path.append(point.numpy())
    return np.stack(path)
    ### END SOLUTION


# %% tags=["check"]
descend = lab.check(descend)


# %%
def line_loss(point):
    return tf.reduce_mean((point[0] * kilos + point[1] - minutes) ** 2)


start = np.array([0.0, 3.5])
paths = {rate: np.array(descend(line_loss, start, rate, steps=12)) for rate in (0.05, 0.42, 0.47)}
for rate, path in paths.items():
    print(f"rate {rate}: loss {line_loss(path[0]):.3f} -> {line_loss(path[-1]):.3f}")
grid_w, grid_b = np.meshgrid(np.linspace(-2, 7, 90), np.linspace(-2, 6, 90))
surface = np.mean((grid_w[..., None] * kilos + grid_b[..., None] - minutes) ** 2, axis=-1)

# %%
figure, axes = plt.subplots(figsize=(7.5, 4.8))
contours = axes.contour(grid_w, grid_b, surface, levels=[0.2, 1, 3, 7, 13, 25], colors="0.65", linewidths=1)
axes.clabel(contours, fontsize=8)
for (rate, path), marker in zip(paths.items(), plots.MARKERS, strict=False):
    axes.plot(*path.T, marker=marker, markersize=5, linewidth=1.2, label=f"rate {rate}")
axes.set(xlabel="w (minutes per kilogram)", ylabel="b (minutes per parcel)")
axes.set_title("A small rate walks, a larger one zigzags, too large a rate leaves")
axes.legend(title="from (0, 3.5)")
lab.show(
    figure, alt="Contours form a long narrow valley. One path walks into it, one zigzags in, one zigzags out."
)

# %% [markdown]
# The valley has steep walls and a nearly flat floor. A rate that suits the floor is too large for the walls:
# 0.47 throws each step higher up the other side. Optimizers such as Adam answer with a step size for each
# weight; inputs on a common scale make the valley rounder.

# %% [markdown]
# ## 4. Take a training step
#
# Now the sorter of clothes: 2,000 photos to learn from, 31 batches of 64 and a last one of 16. The model has
# two layers that act differently in training: `Dropout` switches units off at random, and
# `BatchNormalization` uses the batch's own mean and keeps a running one for later.
#
# **Predict.** A model keeps all its numbers in `model.weights`. Which of them does the tape give a gradient for?
#
# <details><summary>All: they all have influence on the loss</summary>
#
# In training the running mean has none: the batch's own mean is used. And no tape watches it by itself.
#
# </details>
# <details><summary>Only those in model.trainable_variables</summary>
#
# Right, here. A layer that you freeze later leaves this list too, but a tape may still give it a gradient. So
# use the list on both sides: to ask, and to apply.
#
# </details>


# %%
def prepare(image, label):
    return tf.cast(image, tf.float32) / 255.0, label


train_raw, val_raw = lab.load("fashion_mnist", split=["train[:2000]", "train[5000:]"])
photos = train_raw.map(prepare).cache()
train_ds = photos.batch(64)
val_ds = val_raw.map(prepare).batch(300).cache()
images, labels = next(iter(train_ds))
print([len(batch) for batch, _ in train_ds][-3:], "photos in the last three batches")


# %%
def make_model(model_class=keras.Model, normalized=True):
    lab.reseed()
    inputs = keras.Input((28, 28, 1))
    hidden = keras.layers.Dense(32, activation="relu")(keras.layers.Flatten()(inputs))
    hidden = keras.layers.BatchNormalization()(hidden) if normalized else hidden
    return model_class(inputs, keras.layers.Dense(10)(keras.layers.Dropout(0.2)(hidden)))


model, loss_fn = make_model(), keras.losses.SparseCategoricalCrossentropy(from_logits=True)
for training in (True, False):
    same = np.allclose(model(images, training=training), model(images, training=training))
    print(f"training={training}: two calls agree: {same}")

# %%
with tf.GradientTape() as tape:
    loss = loss_fn(labels, model(images, training=True))
for weight, gradient in zip(model.weights, tape.gradient(loss, model.weights), strict=True):
    print(f"{weight.path:38} {'None' if gradient is None else gradient.shape}")

# %% [markdown]
# ### Exercise: one training step
#
# Write `train_step`, which learns from one batch: forward in training mode, gradients of the trainable
# variables, and `optimizer.apply_gradients`, which takes pairs *(gradient, variable)*. Return the loss and
# the logits as tensors, from the one forward pass. It must run eagerly and inside `tf.function`.
#
# A layer with a regularizer keeps its price in `model.losses`. This model has none; otherwise you would add
# `sum(model.losses)` to the loss.


# %% tags=["exercise"]
def train_step(model, loss_fn, optimizer, images, labels):
    """Move `model`'s trainable variables one step of `optimizer`; return (loss, logits) from before the step."""
    ### BEGIN SOLUTION
    with tf.GradientTape() as tape:
        logits = model(images, training=True)
        loss = loss_fn(labels, logits)
    gradients = tape.gradient(loss, model.trainable_variables)
    optimizer.apply_gradients(zip(gradients, model.trainable_variables, strict=True))
    return loss, logits
    ### END SOLUTION


# %% tags=["check"]
train_step = lab.check(train_step)

# %% [markdown]
# ## 5. Count an epoch right
#
# A Keras metric collects: `update_state` adds a batch, `result` gives the mean so far, `reset_state` begins
# again. `fit` resets at each epoch; in your own loop nobody does.
#
# **Predict.** A batch of 64 photos had a mean loss of 1.0, the last one, of 16, had 3.0. What is the mean over
# all 80 photos?
#
# <details><summary>The number</summary>
#
# **1.4**: (64 · 1.0 + 16 · 3.0) / 80. Each batch counts with its number of photos.
#
# - **2.0**: that is the mean of the two means, as if 16 photos weighed as much as 64.
# - **2.6**: the weights are exchanged: the 64 photos are those with 1.0.
#
# </details>
#
# ### Exercise: one epoch
#
# Write `run_epoch`. `step(images, labels)` gives the mean loss of a batch and its logits. `metrics` holds two
# that serve every epoch: `"loss"`, a `keras.metrics.Mean`, and `"accuracy"`, a `SparseCategoricalAccuracy`.
# Return a dict with their results as floats.


# %% tags=["exercise"]
def run_epoch(step, dataset, metrics):
    """Call `step` once for each batch of `dataset`; return {"loss", "accuracy"} as means over its photos."""
    ### BEGIN SOLUTION
    for metric in metrics.values():
        metric.reset_state()
    for images, labels in dataset:
        loss, logits = step(images, labels)
        metrics["loss"].update_state(loss, sample_weight=len(images))
        metrics["accuracy"].update_state(labels, logits)
    return {name: float(metric.result()) for name, metric in metrics.items()}
    ### END SOLUTION


# %% tags=["check"]
run_epoch = lab.check(run_epoch)

# %% [markdown]
# Two steps feed it. `@tf.function` *traces* each at its first call: Python runs once and leaves a graph of
# operations, and later calls run the graph. Validation needs no tape and no optimizer, and
# `training=False`: no dropout, and the running mean instead of the batch's.

# %%
model, optimizer = make_model(), keras.optimizers.Adam(2e-3)
optimizer.build(model.trainable_variables)  # its own variables, made before anything is traced


@tf.function
def learn(images, labels):
    return train_step(model, loss_fn, optimizer, images, labels)


@tf.function
def validate(images, labels):
    logits = model(images, training=False)
    return loss_fn(labels, logits), logits


# %%
metrics = {"loss": keras.metrics.Mean(), "accuracy": keras.metrics.SparseCategoricalAccuracy()}
history = {}
for _ in range(10):
    for prefix, step, dataset in (("", learn, photos.shuffle(2000).batch(64)), ("val_", validate, val_ds)):
        for name, value in run_epoch(step, dataset, metrics).items():
            history.setdefault(prefix + name, []).append(value)
print("graphs of learn:", learn.experimental_get_tracing_count(), "(one for each size of batch)")
figure = plots.curves(history, "loss", "A loop of your own learns: the training loss falls", unit="nats")
lab.show(
    figure, alt="Loss over ten epochs. Training falls on; validation falls at first, then flattens above it."
)
print("validation accuracy above 70 %:", history["val_accuracy"][-1] > 0.7)

# %% [markdown]
# ## 6. Hand your step to `fit`
#
# `fit` has what your loop lacks: callbacks, saving, distribution. For each batch it calls `train_step`: override
# that and keep the rest. `self.compute_loss` is the compiled loss with regularization.
#
# ### Exercise: a step that clips
#
# Write `ClippedModel.train_step`: scale the gradients *together* to a global norm of at most 1 and apply them.
# Update the mean loss, `self.metrics[0]`, weighted by the photos of the batch. `self.compute_metrics` updates the
# compiled metrics and returns all results: add `"gradient_norm"`, this step's norm before clipping.


# %% tags=["exercise"]
class ClippedModel(keras.Model):
    """Clips the gradients of each step to a global norm of 1; `fit` reports `gradient_norm` with the metrics."""

    def train_step(self, data):
        images, labels = data
        ### BEGIN SOLUTION
        with tf.GradientTape() as tape:
            logits = self(images, training=True)
            loss = self.compute_loss(images, labels, logits)
        gradients = tape.gradient(loss, self.trainable_variables)
        gradients, norm = tf.clip_by_global_norm(gradients, 1.0)
        self.optimizer.apply(gradients, self.trainable_variables)
        self.metrics[0].update_state(loss, sample_weight=tf.shape(images)[0])
        return {**self.compute_metrics(images, labels, logits), "gradient_norm": norm}
        ### END SOLUTION


# %% tags=["check"]
ClippedModel = lab.check(ClippedModel)

# %% [markdown]
# Back to that morning: photos with pixels up to 255 stand in batch 20, counted from 0. A callback reads
# `gradient_norm` after every batch, because `fit` hands callbacks all that your step returned. Train twice,
# as your model and as `keras.Model`, from the same weights. (Clipping alone needs no override: every Keras
# optimizer takes `global_clipnorm=1.0`. *Seeing* the norm does.)

# %%
damaged = train_ds.skip(20).take(1).map(lambda images, labels: (255 * images, labels))
damaged_ds = train_ds.take(20).concatenate(damaged).concatenate(train_ds.skip(21))
norms, runs = [], {}
watch = keras.callbacks.LambdaCallback(on_train_batch_end=lambda _, logs: norms.append(logs["gradient_norm"]))
for model_class, callbacks in ((ClippedModel, [watch]), (keras.Model, [])):
    model = make_model(model_class, normalized=False)
    model.compile(keras.optimizers.SGD(0.1), loss_fn, metrics=["accuracy"])
    fitted = model.fit(damaged_ds, validation_data=val_ds, epochs=4, callbacks=callbacks, verbose=0)
    runs[model_class.__name__] = fitted.history
print("recorded:", ", ".join(runs["ClippedModel"]))
print("of each epoch the last norm only:", np.allclose(runs["ClippedModel"]["gradient_norm"], norms[31::32]))

# %%
figure, (left, right) = plt.subplots(1, 2, figsize=(9.5, 3.8))
left.semilogy(norms[:32], marker=".", linewidth=1)
left.set(xlabel="batch of epoch 1", ylabel="norm before clipping", title="One batch stands out")
for (name, run), marker in zip(runs.items(), plots.MARKERS, strict=False):
    right.plot(["1", "2", "3", "4"], 100 * np.array(run["val_accuracy"]), marker=marker, label=name)
right.set(xlabel="epoch", ylabel="validation accuracy (%)", title="Clipping survives it", ylim=(0, 100))
right.legend()
lab.show(figure, alt="Left: batch 20 has by far the largest gradient norm. Right: clipping keeps accuracy.")
clipped, plain = (run["val_accuracy"][-1] for run in runs.values())
above = [sum(norm > limit for norm in norms[:32]) for limit in (1, 5)]
print(f"largest norm: batch {np.argmax(norms[:32])}; above 1: {above[0]} of 32 batches, above 5: {above[1]}")
print("clipped ends more than 10 points above:", clipped > plain + 0.1)

# %% [markdown]
# All norms here are above 1, so every step was shortened, not just the bad one. In your own training look at the
# norms first, and set the limit above the usual ones: here 5 would touch batch 20 alone. The history keeps the norm
# of the last batch of each epoch only, because what is no metric is not averaged.

# %% [markdown]
# ## Break it: five ways to `None`
#
# "My gradient is `None`" is the question asked most often about tapes. It always means the same: what was recorded
# does not lead from the loss back to the source. Find the break in each line before you run it.

# %%
v = tf.Variable([1.0, 2.0])
outside = tf.reduce_sum(v**2)  # no tape is open here
losses = {
    "computed outside the tape": lambda v: outside,
    "leaves TensorFlow": lambda v: tf.reduce_sum(np.square(v.numpy())),
    "goes through whole numbers": lambda v: tf.reduce_sum(tf.cast(tf.cast(v, tf.int32), tf.float32)),
    "takes a position": lambda v: tf.cast(tf.argmax(v), tf.float32),
    "counts": lambda v: tf.reduce_mean(tf.cast(v > 1.5, tf.float32)),
    "mended: smooth and inside": lambda v: tf.reduce_mean((v - 1.5) ** 2),
}
for name, loss_of_v in losses.items():
    print(f"{name:27}", value_and_gradient(loss_of_v, v)[1])

# %% [markdown]
# The first two leave nothing on the tape. The next three move in jumps: a count stays the same when a weight moves
# a little, so there is no slope to follow. That is why accuracy is a metric and cross-entropy the loss. In a new
# loop, print which gradients are `None`: if only some are, Keras warns and goes on.

# %% [markdown]
# ## Measure it: eager against traced
#
# The same step, once run eagerly and once through `tf.function`, from the same weights on the same batches. The
# first call is left out, because it traces. Two things are asked: are the numbers the same, and what does a step
# take?


# %%
def timed(wrap):
    model, optimizer = make_model(), keras.optimizers.Adam(2e-3)
    optimizer.build(model.trainable_variables)
    step = wrap(lambda images, labels: train_step(model, loss_fn, optimizer, images, labels)[0])
    losses, seconds = [], []
    for images, labels in train_ds.take(31):
        begin = time.perf_counter()
        losses.append(float(step(images, labels)))
        seconds.append(time.perf_counter() - begin)
    return losses, 1000 * np.median(seconds[1:])


(eager, eager_ms), (traced, traced_ms) = timed(lambda step: step), timed(tf.function)

# %%
figure = plots.bars(
    {"eager": eager_ms, "tf.function": traced_ms}, "time of a step (ms)", "The graph takes less time"
)
lab.show(figure, alt="Two bars: the median time of an eager step and of a traced one, which is much shorter.")
print("same losses:", np.allclose(eager, traced, atol=1e-3))
print("traced is faster:", traced_ms < eager_ms, f"- by {eager_ms / traced_ms:.1f}x here")

# %%
notes = []


@tf.function
def decay(gradient, rate):
    notes.append("traced")  # Python: runs while tracing, not when the graph runs
    return rate * gradient


for rate in (0.1, 0.2, 0.3):
    decay(tf.ones(4), rate)
print("three Python numbers:", len(notes), "traces")
for rate in (0.4, 0.5, 0.6):
    decay(tf.ones(4), tf.constant(rate))
print("three tensors more:  ", len(notes), "traces in all")

# %% [markdown]
# In eager mode Python starts every small operation, forward and back; a graph is started once. A Python number is
# part of the graph, so each new one needs a new graph; a tensor is an input. And whatever is Python, such as a
# `print` or a counter, happens while tracing only: six calls left four notes.

# %% [markdown]
# ## Explain it
#
# Answer aloud before you open the model answer: that is what the interview will be like.
#
# <details><summary>How does GradientTape work?</summary>
#
# While its block is open it records the operations that touch what it watches: trainable variables by itself,
# other tensors after `watch`. `gradient` walks the record backwards and multiplies local slopes by the chain rule,
# one pass for all sources. It is used up afterwards unless persistent. It gives loops beyond `fit`: own losses,
# several optimizers, gradients with respect to inputs, gradients of gradients.
#
# *Follow-up: your target has two numbers and the gradient is (6, 3). What are the slopes of each?* That cannot be
# told from it: results are added up first. Here they were (5, 2) and (1, 1), and `jacobian` shows them.
#
# </details>
# <details><summary>Keras or the low-level API?</summary>
#
# `fit` for the standard case: far less code, and batching, metrics, callbacks, saving and distribution are done.
# Low level for operations and loops that it does not know, and for control over what is in the graph. Between them
# lies `train_step`: own the step, keep the rest.
#
# *Follow-up: what did `fit` do for you in section 6 that your loop in section 5 had to do itself?* Reset the metrics
# at each epoch, trace the step, run validation with `training=False`, keep the history. Callbacks your loop did
# not have at all.
#
# *Follow-up: what does a step of your own need with `mixed_float16`, and on several devices?* Ask the tape for the
# gradients of `self.optimizer.scale_loss(loss)`, and let the optimizer clip, because these gradients are still
# scaled. On several devices a loop of your own runs in `strategy.run`, losses are divided by the number of
# replicas, and the norm inside `train_step` is that of one replica's part.
#
# </details>
# <details><summary>A gradient is None. How do you find out why?</summary>
#
# Which sources: all, or some? All: was the loss computed inside the block, by TensorFlow operations, without a
# step such as `argmax`? Some: are they trainable, watched, and used in this forward pass at all? Running statistics
# are not. Then ask the tape for the gradient of values along the way, until the break lies between two neighbours.
#
# *Follow-up: and if a loop fails at its second step only?* A variable was replaced by a tensor: `w = w - ...`.
#
# </details>

# %% [markdown]
# ### Quiz
#
# **1. Training works; validation accuracy is different each time on the same weights and photos. Why?**
#
# <details><summary>The metrics were not reset</summary>
#
# Then it would depend on earlier epochs, in the same way each time.
#
# </details>
# <details><summary>The model was called with training=True</summary>
#
# Right: dropout draws anew at each call.
#
# </details>
#
# **2. Accuracy rises ever more slowly, and training and validation look alike. What do you check?**
#
# <details><summary>The learning rate</summary>
#
# It could slow training down, but why should two data sets then give the same number?
#
# </details>
# <details><summary>Whether the metrics are reset</summary>
#
# Right: without a reset each number is the mean over everything since the start, both data sets together.
#
# </details>
#
# **3. `tape.gradient(loss, model.weights)`, zipped with `model.trainable_variables`. What happens?**
#
# <details><summary>It works: both list the same weights</summary>
#
# `model.weights` also has the running mean and variance, so from there on the pairs do not match.
#
# </details>
# <details><summary>Gradients meet the wrong variables</summary>
#
# Right. With luck the shapes differ and it stops. Ask for and apply to the same list.
#
# </details>
#
# **4. One step of a training loop of your own: put its parts in their order.**
#
# - ask the tape for the gradients
# - compute the loss
# - open a tape
# - apply the gradients to the weights
# - run the model with training=True
#
# <details><summary>The order</summary>
#
# 1. **open a tape**: it knows only of what is computed while it is open.
# 2. **run the model with training=True**: inside the tape, so that it can follow every weight.
# 3. **compute the loss**: inside the tape too, from logits that it has seen.
# 4. **ask the tape for the gradients**: of the loss, along the trainable variables.
# 5. **apply the gradients to the weights**: the optimizer turns them into a step.
#
# </details>

# %% [markdown]
# ## Recap
#
# You can now derive a gradient, read a tape, write a training step and an epoch, and hand your step to `fit`.
#
# **On a GPU** the code stays, in float32 and on one device; what changes otherwise stands under "Explain it".
# Starting operations one by one leaves a GPU waiting, so trace every step, and do not read a value (`float(loss)`)
# after each batch: Python then waits for the device.
#
# **Full data:** `labs fetch fashion_mnist`, then `lab.load(..., full=True)` with
# `split=["train[:50000]", "train[50000:]"]`.
#
# **Official documentation:** [gradients and automatic differentiation](https://www.tensorflow.org/guide/autodiff),
# [better performance with tf.function](https://www.tensorflow.org/guide/function),
# [a custom train_step in TensorFlow](https://keras.io/guides/custom_train_step_in_tensorflow/),
# [a training loop from scratch](https://keras.io/guides/writing_a_custom_training_loop_in_tensorflow/).
