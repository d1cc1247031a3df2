# ---
# jupyter:
#   labs:
#     title: Callbacks that watch over a training
#     promise: >-
#       Leave a training alone for a night: it stops in time, keeps its best model, survives a killed process,
#       and tells you where it broke.
#     minutes: 90
#     level: intermediate
#     prerequisites: [keras/sequential]
#     outcomes:
#       - say what `fit` calls when, what stands in `logs`, and write a callback of your own
#       - choose monitor, mode and patience for `EarlyStopping`, and predict where it stops
#       - keep the best model on disk, and show that nothing has written over it
#       - lower the learning rate on a plateau, or by a schedule with warm-up
#       - log to TensorBoard, and read its event files back without it
#       - resume a training whose process was killed, and say what is done twice
#       - stop on the first NaN with epoch, batch, metric and layer
#     data: [fashion_mnist]
#     cpu_seconds: 60
#     replaces:
#       - {old: "`ModelCheckpoint(period=5)`", new: "`save_freq`, `\"epoch\"` or a number of batches"}
#       - {old: "checkpoints named `best.h5`", new: "`best.keras`, or `best.weights.h5` for weights alone"}
#       - {old: "`logs['lr']`", new: "`logs['learning_rate']`"}
#       - {old: "`tf.keras.callbacks.experimental.BackupAndRestore`", new: "`keras.callbacks.BackupAndRestore`"}
#       - {old: "`monitor='val_acc'`", new: "`'val_accuracy'`; the name is that of the metric"}
# ---

# %% [markdown]
# At six you start a training of the sorter of clothes and go home. By morning it may have passed its best
# epoch long ago, written over its best model, met a damaged photo, or died with the machine. You will hire a
# night watch: some of Keras' callbacks, some of your own.
#
# The longer cell below holds helpers: run it now, and read each helper when you meet it.

# %%
import labs

lab = labs.start("training/callbacks")

# %% tags=["setup"]
import contextlib
import os
import subprocess
import sys
import warnings

import keras
import matplotlib.pyplot as plt
import numpy as np
import tensorflow as tf
from IPython.display import display
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from labs import plots


def prepare(image, label):
    return tf.cast(image, tf.float32) / 255.0, label


def make_model(optimizer, seed=42):
    """Return the small sorter of clothes, compiled, with the weights that belong to `seed`."""
    keras.utils.set_random_seed(seed)
    layers = [keras.layers.Flatten(), keras.layers.Dense(64, activation="relu"), keras.layers.Dense(10)]
    model = keras.Sequential([keras.Input((28, 28, 1)), *layers])
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(optimizer, loss, metrics=["accuracy"])
    return model


class Rehearsal(keras.Model):
    """Learns nothing: validation follows given curves, and its one weight counts the epochs."""

    def __init__(self, curves):
        super().__init__()
        self.curves, self.ran = curves, 0
        self.epoch = self.add_weight(name="epoch", initializer="zeros")

    def call(self, inputs):
        return inputs * self.epoch

    def train_step(self, data):
        self.compute_metrics(*data, data[1])
        self.ran += 1
        self.epoch.assign(self.ran)
        return {"loss": tf.constant(1.0)}

    def test_step(self, data):
        return {name.removeprefix("val_"): tf.constant(c[self.ran - 1]) for name, c in self.curves.items()}

    def get_metrics_result(self):
        return {}  # else `fit` would replace the curves by metrics of the same names


def rehearse(callbacks, **curves):
    """Let `fit` and `callbacks` play a night whose validation is known; return the model after it."""
    model, photo = Rehearsal(curves), tf.zeros((1, 1))
    model(photo)
    model.compile(loss="mse", metrics=["accuracy"], run_eagerly=True)
    one, epochs = tf.data.Dataset.from_tensors((photo, photo)), len(next(iter(curves.values())))
    model.fit(one, validation_data=one, epochs=epochs, callbacks=callbacks, verbose=0)
    return model


NIGHT = """import os, sys
import keras, numpy as np

class Watch(keras.callbacks.Callback):
    def on_epoch_begin(self, epoch, logs=None):
        self.epoch = epoch + 1

    def on_train_batch_end(self, batch, logs=None):
        if "die" in sys.argv and (self.epoch, batch) == (4, 10):
            os.kill(os.getpid(), 9)

    def on_epoch_end(self, epoch, logs=None):
        print(self.epoch, logs["loss"], flush=True)

model, photos = keras.models.load_model("start.keras"), np.load("photos.npz")
callbacks = [keras.callbacks.BackupAndRestore("backup"), Watch()]
model.fit(photos["images"], photos["labels"], batch_size=64, epochs=6, shuffle=False, verbose=0,
          callbacks=callbacks)
model.save("end.keras")"""


# %% [markdown]
# ## 1. Hear what `fit` says
#
# A callback is an object with methods of fixed names. `fit` calls them at fixed moments and hands over
# `logs`, a dict of names and numbers. The sorter is small: 2,000 photos to learn from, in 32 batches, and
# 1,000 to watch.

# %%
train_raw, val_raw = lab.load("fashion_mnist", split=["train[:2000]", "train[5000:]"])
train_ds, val_ds = train_raw.map(prepare).batch(64).cache(), val_raw.map(prepare).batch(250).cache()


class Echo(keras.callbacks.Callback):
    def on_epoch_begin(self, epoch, logs=None):
        print("  epoch", epoch, "begins:", logs)

    def on_train_batch_end(self, batch, logs=None):
        print("    batch", batch, "ends:", ", ".join(logs))

    def on_epoch_end(self, epoch, logs=None):
        print("  epoch", epoch, "ends:", ", ".join(logs))


model = make_model(keras.optimizers.SGD(0.0))  # a rate of 0: it learns nothing, so losses can be compared
nothing = model.fit(train_ds.take(2), validation_data=val_ds.take(1), epochs=2, callbacks=[Echo()], verbose=0)

# %% [markdown]
# Epochs and batches count from 0. Validation runs after the last batch, so `val_` names are there only at the
# end of an epoch. Besides `logs` a callback has `self.model`: it may read weights, set them, or end training
# by `self.model.stop_training = True`.
#
# **Predict.** Four batches; the third has pixels up to 255 and a huge loss. What is `logs["loss"]` after the
# fourth?
#
# <details><summary>The loss of the fourth batch, about 2.3</summary>
#
# Each batch's own loss is not in the logs.
#
# </details>
# <details><summary>The mean of all four, far above 2.3</summary>
#
# Right: within an epoch the loss and the metrics are means so far. One bad batch stays visible until the epoch
# ends.
#
# </details>

# %%
damaged = train_ds.skip(2).take(1).map(lambda images, labels: (255 * images, labels))
four_ds = train_ds.take(2).concatenate(damaged).concatenate(train_ds.skip(3).take(1))
own = [float(model.loss(labels, model(images))) for images, labels in four_ds]
told = []
listen = keras.callbacks.LambdaCallback(on_train_batch_end=lambda batch, logs: told.append(logs["loss"]))
model.fit(four_ds, callbacks=[listen], verbose=0)
print("losses of the batches:", " ".join(f"{loss:8.3f}" for loss in own))
print("told by the logs:     ", " ".join(f"{loss:8.3f}" for loss in told))
print("the logs tell the mean so far:", np.allclose(told, np.cumsum(own) / [1, 2, 3, 4], rtol=1e-3))

# %% [markdown]
# ### Exercise: keep the best weights
#
# Write `KeepBest`: after each epoch whose `val_loss` is the lowest so far, keep that loss in `self.best`
# and a *copy* of all weights in `self.best_weights`. When `fit` ends, put them back into the model. The
# same object may serve a second `fit`, which begins anew.


# %% tags=["exercise"]
class KeepBest(keras.callbacks.Callback):
    """When `fit` ends, gives the model the weights of the epoch with the lowest val_loss (of equals, the first)."""

    def on_train_begin(self, logs=None):
        ### BEGIN SOLUTION
        self.best, self.best_weights = np.inf, None
        ### END SOLUTION

    def on_epoch_end(self, epoch, logs=None):
        ### BEGIN SOLUTION
        if logs["val_loss"] < self.best:
            self.best, self.best_weights = logs["val_loss"], self.model.get_weights()
        ### END SOLUTION

    def on_train_end(self, logs=None):
        ### BEGIN SOLUTION
        if self.best_weights is not None:
            self.model.set_weights(self.best_weights)
        ### END SOLUTION


# %% tags=["check"]
KeepBest = lab.check(KeepBest)

# %% [markdown]
# ## 2. Stop when it gets no better
#
# `EarlyStopping` has yours inside, and ends training too: once `patience` epochs in a row were no better than
# the best. The night begins with up to 40 epochs. Adam's rate is three times the usual one, so that the model
# soon learns its photos by heart.
#
# **Predict.** `EarlyStopping(patience=4)` has stopped training, with nothing else said. Which weights does
# the model have?
#
# <details><summary>Those of the best epoch</summary>
#
# Only with `restore_best_weights=True`, which is not the default.
#
# </details>
# <details><summary>Those of four epochs after the best</summary>
#
# Right. It had to see these four epochs to know, and does not go back unless told to.
#
# </details>

# %%
model = make_model(keras.optimizers.Adam(3e-3))
stop, keep = keras.callbacks.EarlyStopping(patience=4, restore_best_weights=True), KeepBest()
history = model.fit(train_ds, validation_data=val_ds, epochs=40, callbacks=[stop, keep], verbose=0).history
losses = history["val_loss"]
print("stopped before half of the night:", len(losses) < 20)
print("four epochs after the best:", len(losses) == 1 + np.argmin(losses) + 4)
print("the model is the best one again:", np.isclose(model.evaluate(val_ds, verbose=0)[0], min(losses)))
print("kept the same weights as yours:", all(map(np.array_equal, stop.best_weights, keep.best_weights)))

# %%
best, epochs = np.argmin(losses) + 1, np.arange(len(losses)) + 1
figure, axes = plt.subplots()
axes.plot(epochs, history["loss"], marker="o", label="training")
axes.plot(epochs, losses, marker="s", label="validation")
axes.axvline(best, color=plots.COLOURS[2], linestyle="--", label="best epoch, restored")
axes.axvspan(best, len(losses), color="0.85", alpha=0.6, label="patience of 4")
axes.xaxis.get_major_locator().set_params(integer=True)
axes.set(xlabel="epoch", ylabel="loss (nats)", title="It stops four epochs after the best, and goes back")
axes.legend()
lab.show(
    figure, alt="Training loss falls on. Validation loss has its lowest point four epochs before the end."
)

# %% [markdown]
# ### Exercise: patience by hand
#
# Write `stops_at`, the rule of `EarlyStopping` for a list of losses, one for each epoch. An epoch is *better*
# if its loss is below the best so far by more than `min_delta`. Training stops at the first epoch with
# `patience` epochs since the best. Count from 1.


# %% tags=["exercise"]
def stops_at(values, patience, min_delta=0.0):
    """Return (stopped, best): the epoch that was the last to run, and the best one, both counted from 1."""
    ### BEGIN SOLUTION
    best, best_epoch = np.inf, 0
    for epoch, value in enumerate(values, start=1):
        if value < best - min_delta:
            best, best_epoch = value, epoch
        elif epoch - best_epoch >= patience:
            return epoch, best_epoch
    return len(values), best_epoch
    ### END SOLUTION


# %% tags=["check"]
stops_at = lab.check(stops_at)

# %%
rng = np.random.default_rng(1)  # a night that somebody wrote down needs no training: see `rehearse` above
for patience, min_delta in ((1, 0.0), (3, 0.0), (4, 0.02)):
    curve = 0.5 + 0.5 * 0.8 ** np.arange(20) + rng.normal(0, 0.03, 20)
    stop = keras.callbacks.EarlyStopping(patience=patience, min_delta=min_delta, restore_best_weights=True)
    model = rehearse([stop], val_loss=curve.astype("float32"))
    yours = stops_at(curve.astype("float32"), patience, min_delta)
    print(f"patience {patience}: ran {model.ran} epochs, kept {int(model.epoch)}; your rule says {yours}")

# %% [markdown]
# ## 3. Keep the best on disk
#
# Weights in memory are gone when the process is. `ModelCheckpoint` writes a file at the end of an epoch: a
# whole model under a name that ends in `.keras`, or with `save_weights_only` the weights alone, under
# `.weights.h5`.
#
# **Predict.** `ModelCheckpoint("best.keras")` watches twelve epochs; the sixth was best. What is in the file?
#
# <details><summary>The sixth epoch: the file is called best</summary>
#
# A name decides nothing. By default every epoch is saved.
#
# </details>
# <details><summary>The twelfth</summary>
#
# Right. Each epoch wrote over the one before. `save_best_only=True` holds it back.
#
# </details>

# %%
night = np.array([0.9, 0.8, 0.7, 0.65, 0.6, 0.5, 0.6, 0.62, 0.64, 0.7, 0.72, 0.8], "float32")
for save_best_only in (False, True):
    file = lab.scratch / "best.weights.h5"
    save = keras.callbacks.ModelCheckpoint(file, save_best_only=save_best_only, save_weights_only=True)
    model = rehearse([save], val_loss=night)
    model.load_weights(file)
    print(f"save_best_only={save_best_only!s:5} the file holds epoch {int(model.epoch)}")

# %% [markdown]
# ### Exercise: the two callbacks of every night
#
# The shop counts photos on the right shelf. Write `make_callbacks`: a list of two of Keras' callbacks that
# watch the validation *accuracy*. One stops after `patience` epochs without improvement and restores the best
# weights, one leaves the best model, whole, in `folder` as `best.keras`.


# %% tags=["exercise"]
def make_callbacks(folder, patience):
    """Return the list of both callbacks; `folder` is a `pathlib.Path` that exists."""
    ### BEGIN SOLUTION
    watched = {"monitor": "val_accuracy", "mode": "max"}
    return [
        keras.callbacks.EarlyStopping(**watched, patience=patience, restore_best_weights=True),
        keras.callbacks.ModelCheckpoint(folder / "best.keras", **watched, save_best_only=True),
    ]
    ### END SOLUTION


# %% tags=["check"]
make_callbacks = lab.check(make_callbacks)

# %%
folder = lab.scratch / "shop"
folder.mkdir()
model, callbacks = make_model(keras.optimizers.Adam(3e-3)), make_callbacks(folder, 5)
fitted = model.fit(train_ds, validation_data=val_ds, epochs=20, callbacks=callbacks, verbose=0)
shop = keras.models.load_model(folder / "best.keras")  # a new process would need no more than this
accuracy, best = shop.evaluate(val_ds, verbose=0)[1], max(fitted.history["val_accuracy"])
print("files:", [file.name for file in folder.iterdir()])
print("the file alone has the best accuracy of the night:", np.isclose(accuracy, best))
print("three of four right:", accuracy > 0.75)

# %% [markdown]
# ## 4. Turn the learning rate down
#
# A large rate is fast at first and noisy later. `ReduceLROnPlateau` waits, like `EarlyStopping`, but then
# multiplies the rate by `factor` and goes on. `LearningRateScheduler` does not look at the loss: it asks a
# function of yours at the beginning of each epoch.
#
# **Predict.** `ReduceLROnPlateau(patience=5)` stands beside `EarlyStopping(patience=3)`, both on `val_loss`.
# What will the first do?
#
# <details><summary>Lower the rate after 5 epochs without improvement</summary>
#
# Training does not last that long: after 3 such epochs it is over.
#
# </details>
# <details><summary>Nothing, as long as both call the same epochs better</summary>
#
# Right. (By default `EarlyStopping` counts every gain, the other only those above 0.0001.) Give the one that stops
# a patience at least twice as long, so that a lower rate gets its chance.
#
# </details>


# %%
def train_25_epochs(callbacks):
    # Whole batches change places. They are mixed already, so that is enough to shake a curve, and it is cheap.
    model, shuffled = make_model(keras.optimizers.SGD(0.5)), train_ds.shuffle(32, seed=lab.seed)
    return model.fit(shuffled, validation_data=val_ds, epochs=25, callbacks=callbacks, verbose=0).history


plateau = keras.callbacks.ReduceLROnPlateau(factor=0.3, patience=2, min_lr=0.02)
runs = {"rate stays": train_25_epochs([]), "rate falls on a plateau": train_25_epochs([plateau])}
stays, falls = (np.array(run["val_loss"]) for run in runs.values())
print("recorded:", ", ".join(runs["rate falls on a plateau"]))
print("lower over the last 5 epochs:", falls[-5:].mean() < stays[-5:].mean())
jumps = [np.abs(np.diff(losses[-10:])).mean() for losses in (stays, falls)]
print("jumps less than half as far:", jumps[1] < jumps[0] / 2)

# %% [markdown]
# ### Exercise: warm up, then follow a cosine
#
# Write `make_schedule`, which returns a function `schedule(epoch, rate)` for epochs from 0. The first
# `warmup` epochs climb in equal steps: epoch 0 has `peak / (warmup + 1)`, epoch `warmup` has `peak`. From
# there half a cosine falls, which would reach 0 at epoch `epochs`.


# %% tags=["exercise"]
def make_schedule(peak, warmup, epochs):
    """Return `schedule(epoch, rate)`, which gives the learning rate of an epoch, 0 to epochs - 1, as a float."""

    ### BEGIN SOLUTION
    def schedule(epoch, rate):
        if epoch < warmup:
            return peak * (epoch + 1) / (warmup + 1)
        done = (epoch - warmup) / (epochs - warmup)
        return float(peak * (1 + np.cos(np.pi * done)) / 2)

    return schedule
    ### END SOLUTION


# %% tags=["check"]
make_schedule = lab.check(make_schedule)

# %%
schedule = keras.callbacks.LearningRateScheduler(make_schedule(peak=0.5, warmup=4, epochs=25))
runs["warm-up, then cosine"] = train_25_epochs([schedule])
cosine = np.array(runs["warm-up, then cosine"]["val_loss"])
print("lower than the rate that stays, over the last 5 epochs:", cosine[-5:].mean() < stays[-5:].mean())
decay = keras.optimizers.schedules.CosineDecay(0.5, 100)
model = make_model(keras.optimizers.SGD(decay))  # this optimizer changes its rate by itself, batch by batch
with lab.fails(TypeError):
    model.fit(train_ds, callbacks=[schedule], verbose=0)

# %%
figure, (above, below) = plt.subplots(2, 1, figsize=(7.5, 5.6), sharex=True)
for (name, run), marker in zip(runs.items(), plots.MARKERS, strict=False):
    above.step(range(25), run.get("learning_rate", [0.5] * 25), where="mid", label=name)
    below.plot(range(25), run["val_loss"], marker=marker, markersize=4)
above.set(xlabel=" ", ylabel="learning rate", title="A falling rate calms the loss", ylim=(0, 0.62))
below.set(xlabel="epoch (from 0, as callbacks count)", ylabel="validation loss (nats)")
above.legend(loc="center right", fontsize=9)
lab.show(
    figure,
    alt="Above, three rates: flat, cut in steps, along a cosine. Below, the loss of the flat one jumps most.",
)

# %% [markdown]
# ## 5. Look at it while it trains
#
# `display(..., display_id=True)` gives a handle, and `handle.update` puts a new picture in the same place. A
# callback that redraws after every epoch takes few lines. Watch the figure grow; a final one stays.


# %%
class LivePlot(keras.callbacks.Callback):
    def on_train_begin(self, logs=None):
        self.history, self.handle = {}, display({"text/plain": ""}, raw=True, display_id=True)

    def on_epoch_end(self, epoch, logs=None):
        self.history = {name: [*self.history.get(name, []), value] for name, value in logs.items()}
        self.handle.update(plots.curves(self.history, "loss", f"After epoch {epoch}", unit="nats"))
        plt.close()


live, model = LivePlot(), make_model(keras.optimizers.Adam(1e-3))
model.fit(train_ds, validation_data=val_ds, epochs=8, callbacks=[live], verbose=0)
live.handle.update({"text/plain": ""}, raw=True)  # the last live picture makes way for the final figure
figure = plots.curves(live.history, "loss", "Drawn eight times, after each epoch", unit="nats")
lab.show(figure, alt="Training and validation loss over eight epochs; both fall.")

# %% [markdown]
# That serves one run in front of you. `TensorBoard` writes *event files*, for many runs and for other
# machines. In JupyterLab, run the next cell, then these two lines in a new one: TensorBoard opens below
# them and follows the files while they grow. They are text here, because the server would outlive this
# notebook.
#
# ```
# %load_ext tensorboard
# %tensorboard --logdir {lab.scratch}/logs
# ```
#
# **Predict.** The same files can be read without a server. `EventAccumulator(folder)`, then `Reload()`: a
# run wrote 30 values of a tag. How many does `Tensors(tag)` give?
#
# <details><summary>30: all of them</summary>
#
# Only if you ask for all, by `size_guidance={"tensors": 0}`. It was made to draw curves of millions of points.
#
# </details>
# <details><summary>Fewer: it keeps a sample</summary>
#
# Right: 10, drawn at random, so a curve may lose its peak.
#
# </details>

# %%
logs = lab.scratch / "logs"
os.environ["TENSORBOARD_BINARY"] = f"{os.path.dirname(sys.executable)}/tensorboard"  # for %tensorboard
for rate in (0.001, 0.01):
    board = keras.callbacks.TensorBoard(logs / f"rate-{rate}", write_graph=False)
    model = make_model(keras.optimizers.Adam(rate))
    model.fit(train_ds, validation_data=val_ds, epochs=30, callbacks=[board], verbose=0)
for part in sorted(logs.glob("*/*")):
    print(part.parent.name, part.name, "-", len(list(part.glob("events.out.tfevents.*"))), "event file")
for options in ({}, {"size_guidance": {"tensors": 0}}):
    events = EventAccumulator(str(part), **options).Reload()
    print(len(events.Tensors("epoch_loss")), "points with", options or "the defaults")
print("tags:", ", ".join(sorted(events.Tags()["tensors"])))

# %%
figure, axes = plt.subplots()
for colour, rate in zip(plots.COLOURS, (0.001, 0.01), strict=False):
    for part, line in (("train", ":"), ("validation", "-")):
        events = EventAccumulator(str(logs / f"rate-{rate}" / part), size_guidance={"tensors": 0}).Reload()
        points = [(e.step, tf.make_ndarray(e.tensor_proto)) for e in events.Tensors("epoch_loss")]
        axes.plot(*zip(*points, strict=True), line, color=colour, label=f"rate {rate}, {part}")
axes.set(
    xlabel="epoch (from 0)", ylabel="loss (nats)", title="Read from the event files, without TensorBoard"
)
axes.legend()
lab.show(figure, alt="Four curves of loss over 30 epochs: training and validation, for two learning rates.")

# %% [markdown]
# ## 6. Come back from a killed process
#
# `BackupAndRestore` saves weights, the optimizer's state and the epoch after each epoch. If its folder
# holds a backup when `fit` begins, training goes on from there. Let us really kill one: a script that ends
# by signal 9 in the middle of epoch 4. No line of Python runs after that.
#
# **Predict.** The first process dies in epoch 4, after 11 of 32 batches. The second one is started with the
# same script. Which epochs does it finish?
#
# <details><summary>5 and 6: epoch 4 has begun already</summary>
#
# What epoch 4 had learnt died with the process. The last backup is from the end of epoch 3.
#
# </details>
# <details><summary>4, 5 and 6</summary>
#
# Right. It begins epoch 4 from the weights at the end of epoch 3; 11 batches are computed again.
#
# </details>
# <details><summary>1 to 6: a new process knows nothing</summary>
#
# Without the callback, yes. With it the folder knows.
#
# </details>

# %%
print(NIGHT)  # the script, from the cell of imports
folder = lab.scratch / "night"
folder.mkdir()
(folder / "night.py").write_text(NIGHT, encoding="utf-8")
images, labels = (np.concatenate(part) for part in zip(*train_ds.as_numpy_iterator(), strict=True))
np.savez(folder / "photos.npz", images=images, labels=labels)
model = make_model(keras.optimizers.Adam(1e-3))
model.optimizer.build(model.trainable_variables)  # so that the file has Adam's variables too, still zero
model.save(folder / "start.keras")


# %%
def start_process(*arguments):
    command = [sys.executable, "night.py", *arguments]
    quiet = {**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3", "KERAS_BACKEND": "tensorflow"}
    done = subprocess.run(command, cwd=folder, env=quiet, capture_output=True, text=True)
    finished = {int(line.split()[0]): float(line.split()[1]) for line in done.stdout.splitlines()}
    print(f"finished {list(finished)}, ended by itself: {done.returncode == 0},", end=" ")
    print("files of the backup:", [file.name for file in sorted(folder.glob("backup/*"))])
    return finished


first, second = start_process("die"), start_process()

# %%
model = keras.models.load_model(folder / "start.keras")
whole = model.fit(images, labels, batch_size=64, epochs=6, shuffle=False, verbose=0).history["loss"]
resumed = keras.models.load_model(folder / "end.keras")
pairs = zip(model.get_weights(), resumed.get_weights(), strict=True)
print("same weights as a night that nobody disturbed:", all(np.allclose(a, b, atol=1e-3) for a, b in pairs))
figure, axes = plt.subplots()
axes.plot(range(1, 7), whole, color="0.75", linewidth=7, label="undisturbed")
for run, name, marker in ((first, "first process", "o"), (second, "second process", "s")):
    axes.plot(list(run), list(run.values()), marker=marker, label=name)
axes.set(xlabel="epoch", ylabel="training loss (nats)", title="The second goes on where the first died")
axes.legend()
lab.show(figure, alt="Loss of an undisturbed night; one process covers epochs 1 to 3, the other 4 to 6.")

# %% [markdown]
# The same weights, because Adam's moments came back too and the photos come in a fixed order. Counters of other
# callbacks do *not* come back: patience begins anew, and a `ModelCheckpoint` knows no best, so its first epoch
# writes over a better file. When `fit` ends in order, the backup is deleted.
#
# **Predict.** Epochs may last hours, so `save_freq=10` saves every ten batches. Killed in epoch 2 after 25
# of 32 batches: where does it resume?
#
# <details><summary>At batch 18 of epoch 2, where the 50th batch of the night was saved</summary>
#
# The weights are from there. But `fit` can only begin an epoch, not enter one.
#
# </details>
# <details><summary>At the first batch of epoch 2, with weights from its middle</summary>
#
# Right. So the batches that these weights have learnt are learnt twice. With short epochs, keep `"epoch"`.
#
# </details>


# %%
def disturb(batch, logs):
    if int(model.optimizer.iterations) == 32 + 25:  # in epoch 2, after 25 of 32 batches
        raise InterruptedError


for save_freq in ("epoch", 10):
    for callbacks in ([keras.callbacks.LambdaCallback(on_train_batch_end=disturb)], []):
        restore = keras.callbacks.BackupAndRestore(lab.scratch / f"every-{save_freq}", save_freq=save_freq)
        model = make_model(keras.optimizers.Adam(1e-3))
        with contextlib.suppress(InterruptedError):  # leaves `fit` at once, and the backup in its folder
            model.fit(train_ds, epochs=3, callbacks=[*callbacks, restore], verbose=0)
    print(f"save_freq={save_freq!r:8} steps in the final weights: {int(model.optimizer.iterations)}")
print("batches in 3 epochs:", 3 * len(train_ds))

# %% [markdown]
# ## 7. Stop on NaN, and say where
#
# A colleague adds a feature: the length of the hidden vector, `sqrt(sum(x²))`. And one photo, in batch 11
# counted from 0, is all black. Keras has a callback for such nights, `TerminateOnNaN`.
#
# **Predict.** The slope of `sqrt` at 0 is infinite, so that photo breaks the step of batch 11. Which batch
# does `TerminateOnNaN` name?
#
# <details><summary>The number</summary>
#
# **12**: the first loss that the broken weights produce. The search would begin in the wrong batch.
#
# - **11**: it looks at the loss. The loss of batch 11 was computed before its step, and is fine: the length is
#   0.
# - **10**: that batch lies before the broken step, and so does its loss.
#
# </details>


# %%
class Length(keras.layers.Layer):
    def call(self, inputs):
        return keras.ops.sqrt(keras.ops.sum(inputs**2, axis=-1, keepdims=True))


def make_fragile(length):
    keras.utils.set_random_seed(lab.seed)
    inputs = keras.Input((28, 28, 1))
    flat = keras.layers.Flatten(name="flat")(inputs)
    hidden = keras.layers.Dense(32, activation="relu", use_bias=False, name="hidden")(flat)
    both = keras.layers.Concatenate(name="both")([hidden, length(hidden)])
    model = keras.Model(inputs, keras.layers.Dense(10, name="answer")(both))
    model.compile("adam", keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    return model


# %%
black = np.ones((64, 1, 1, 1), "float32")
black[5] = 0
damaged = train_ds.skip(11).take(1).map(lambda images, labels: (black * images, labels))
damaged_ds = train_ds.take(11).concatenate(damaged).concatenate(train_ds.skip(12))
model = make_fragile(Length())
model.fit(damaged_ds, epochs=3, callbacks=[keras.callbacks.TerminateOnNaN()], verbose=0)
print("steps:", int(model.optimizer.iterations))

# %% [markdown]
# ### Exercise: stop at the first number that is not finite
#
# Write `on_train_batch_end` of `StopOnNaN`. After each batch look at every value in `logs` and at every
# layer's weights. If any is NaN or infinite, note the first such metric *and* the first such layer in
# `self.found`, and end training.


# %% tags=["exercise"]
class StopOnNaN(keras.callbacks.Callback):
    """Ends training at the first number that is not finite; `found` stays None or becomes a dict:

    "epoch" and "batch", both from 0; "metric", the first name in `logs` with such a value, or None; "layer", the
    name of the first of `self.model.layers` with such a weight, or None.
    """

    def on_train_begin(self, logs=None):
        self.found = None

    def on_epoch_begin(self, epoch, logs=None):
        self.epoch = epoch

    def on_train_batch_end(self, batch, logs=None):
        ### BEGIN SOLUTION
        broken = [
            layer.name
            for layer in self.model.layers
            if not all(np.isfinite(weight).all() for weight in layer.get_weights())
        ]
        metrics = [name for name, value in logs.items() if not np.isfinite(value)]
        if broken or metrics:
            metric, layer = next(iter(metrics), None), next(iter(broken), None)
            self.found = {"epoch": self.epoch, "batch": batch, "metric": metric, "layer": layer}
            self.model.stop_training = True
        ### END SOLUTION


# %% tags=["check"]
StopOnNaN = lab.check(StopOnNaN)


# %%
class SafeLength(keras.layers.Layer):
    def call(self, inputs):  # never the root of 0: the slope stays finite
        return keras.ops.sqrt(keras.ops.sum(inputs**2, axis=-1, keepdims=True) + 1e-6)


for length in (Length(), SafeLength()):
    watch, model = StopOnNaN(), make_fragile(length)
    model.fit(damaged_ds, epochs=3, callbacks=[watch], verbose=0)
    print(f"{type(length).__name__:10} steps: {int(model.optimizer.iterations)}, found: {watch.found}")

# %%
for raise_error in (False, True):  # a stop in order runs `on_train_end`, an exception does not
    backup, model = lab.scratch / f"raises-{raise_error}", make_fragile(Length())
    terminate = keras.callbacks.TerminateOnNaN(raise_error=raise_error)
    callbacks = [terminate, keras.callbacks.BackupAndRestore(backup, save_freq=10)]
    with contextlib.suppress(RuntimeError):
        model.fit(damaged_ds, epochs=3, callbacks=callbacks, verbose=0)
    print(f"raise_error={raise_error!s:5} backup left:", [file.name for file in sorted(backup.glob("*"))])

# %% [markdown]
# ## Break it: a watch that looks the wrong way
#
# Four versions of one callback guard the same night, in rehearsal. Accuracy is best in epoch 9; the loss was
# lowest in epoch 4. Before you run it, say for each how many epochs run and which one is kept.

# %%
accuracy = [0.50, 0.60, 0.68, 0.72, 0.74, 0.73, 0.76, 0.78, 0.81, 0.80, 0.80, 0.79, 0.78, 0.77]
loss = [1.40, 1.10, 0.90, 0.80, 0.82, 0.85, 0.88, 0.90, 0.93, 0.95, 0.99, 1.02, 1.05, 1.10]
watches = [("val_accuracy", "max"), ("val_accuracy", "min"), ("val_loss", "min"), ("val_acc", "max")]
for monitor, mode in watches:
    stop = keras.callbacks.EarlyStopping(monitor, mode=mode, patience=3, restore_best_weights=True)
    with warnings.catch_warnings(record=True, action="always") as caught:
        model = rehearse([stop], val_accuracy=accuracy, val_loss=loss)
    warned = sum("not available" in str(one.message) for one in caught)
    told = f"ran {model.ran} epochs, kept epoch {int(model.epoch)}, {warned} warnings"
    print(f"{monitor:12} {mode}: {told}")
with lab.fails(ValueError):
    rehearse([keras.callbacks.EarlyStopping("val_acc", patience=3)], val_accuracy=accuracy)

# %% [markdown]
# The wrong mode stops first and keeps the worst. The loss keeps what the loss likes, which is another epoch. With
# `mode` given, the misspelt name stops nothing and only warns. Leave `mode` out: Keras knows the direction of its
# own metrics, and a name that it does not know ends `fit` with an error after the first epoch.
#
# **Predict.** `save_best_only=True`. The first night reaches 0.86, the second, into the same file, 0.75.
# What is in it?
#
# <details><summary>The model with 0.86</summary>
#
# A new `ModelCheckpoint` has no best yet: the first epoch of the second night wins, whatever it is worth.
#
# </details>
# <details><summary>The model with 0.75</summary>
#
# Right. Give each run a folder, or the score to beat as `initial_value_threshold`.
#
# </details>

# %%
first, second = [0.70, 0.86, 0.84], [0.60, 0.71, 0.75]
options = {"monitor": "val_accuracy", "mode": "max", "save_best_only": True, "save_weights_only": True}
file = lab.scratch / "shop.weights.h5"
for threshold in (None, 0.86):
    rehearse([keras.callbacks.ModelCheckpoint(file, **options)], val_accuracy=first)
    save = keras.callbacks.ModelCheckpoint(file, **options, initial_value_threshold=threshold)
    model = rehearse([save], val_accuracy=second)
    model.load_weights(file)
    held = (
        first[1] if int(model.epoch) == 2 else second[2]
    )  # the best epochs: 2 of the first night, 3 of the second
    print(f"initial_value_threshold={threshold!s:4} after both nights the file holds the model with {held}")

# %% [markdown]
# ## Measure it: what patience costs
#
# Patience costs epochs, and impatience costs quality: a noisy curve has dips that are not the lowest. Three
# nights of 30 epochs, each from its own start. Then `stops_at` replays each with ten patiences. No training
# is needed for that.

# %%
measured, patiences = [], range(1, 11)
for seed in (1, 2, 3):  # again whole batches change places: see `train_25_epochs`
    model, shuffled = make_model(keras.optimizers.Adam(3e-3), seed), train_ds.shuffle(32, seed=seed)
    measured.append(model.fit(shuffled, validation_data=val_ds, epochs=30, verbose=0).history)
curves = np.array([run["val_loss"] for run in measured])
ends = np.array([[stops_at(list(curve), patience) for patience in patiences] for curve in curves])
ran, kept = ends[..., 0], np.take_along_axis(curves, ends[..., 1] - 1, axis=1)
regret = kept - curves.min(axis=1, keepdims=True)
print("patience 1 misses the lowest loss in every night:", (regret[:, 0] > 0).all())
print("patience 8 finds it in every night:", (regret[:, 7] == 0).all())
print("and saves 10 of 30 epochs or more:", (ran[:, 7] <= 20).all())

# %%
figure, (left, right) = plt.subplots(1, 2, figsize=(9.5, 3.8))
for lost, epochs, marker in zip(regret, ran, plots.MARKERS, strict=False):
    left.plot(patiences, lost, marker=marker)
    right.plot(patiences, epochs, marker=marker)
left.set(xlabel="patience (epochs)", ylabel="loss above the lowest (nats)", title="Impatience stops in a dip")
right.set(xlabel="patience (epochs)", ylabel="epochs run, of 30", title="Patience costs epochs", ylim=(0, 30))
alt = "Left: with patience 1 each of three nights ends above its lowest loss, with 8 on it. Right: epochs run rise."
lab.show(figure, alt=alt)
later = [np.argmax(run["val_accuracy"]) > np.argmin(run["val_loss"]) for run in measured]
print("accuracy is best in a later epoch than the loss, in every night:", all(later))

# %% [markdown]
# ## Explain it
#
# Answer aloud before you open the model answer: that is what the interview will be like.
#
# <details><summary>Which callbacks do you use in production, and what does each watch?</summary>
#
# `ModelCheckpoint` with `save_best_only` watches the metric that the product is judged by, on validation
# data, and acts on the disk. `EarlyStopping` watches the same, acts on time, and goes back with
# `restore_best_weights`. `ReduceLROnPlateau` watches the validation loss with a shorter patience and acts
# on the rate. `TensorBoard` watches all, for people. `BackupAndRestore` watches nothing: it is there for failures
# of the machine. A stop on NaN is there for failures of the numbers.
#
# *Follow-up: EarlyStopping restores the best weights. Why a checkpoint too?* It restores at the end of
# `fit`. A killed process has no end: signal 9 in section 6 left only what was on disk.
#
# </details>
# <details><summary>How do you choose patience and what to monitor?</summary>
#
# Monitor what you are judged by if it is smooth enough, otherwise the validation loss; name and direction
# must be right. Patience from the noise of the curve: longer than its longest pause that still led to a new
# best. The reducer of the rate gets less than the one that stops.
#
# *Follow-up: the epoch of lowest loss was not that of best accuracy. How can that be?* Later epochs get
# more photos right and are far too sure about the wrong ones. The loss counts that, accuracy does not.
#
# </details>
# <details><summary>Training was killed and resumed. Is the result the same as without?</summary>
#
# If weights, optimizer state and epoch come back, the data comes in the same order, and nothing else draws
# random numbers: yes, here to the third decimal. Otherwise it is another, equally good run. Counters of other
# callbacks begin anew, so give a resumed `ModelCheckpoint` the best value so far as `initial_value_threshold`.
#
# *Follow-up: with `save_freq=10` the optimizer had made more steps than 96. Why?* Weights from the middle
# of the epoch, but the epoch began at its first batch: some batches were learnt twice.
#
# </details>
# <details><summary>The loss is NaN. Where do you look?</summary>
#
# At the first place that is not finite, not at the first NaN in the log: weights after each step, then the
# batch that broke them. A broken layer while all metrics are fine means a broken step; a broken metric while
# all layers are fine, a broken metric; both at once, the forward pass: a damaged input, or weights that had
# grown too large. Usual causes: a root, logarithm or division at 0, a rate that is too large, a damaged photo. For
# large models, look every hundred batches.
#
# A stop in order lets other callbacks finish: the best weights come back, but a `ModelCheckpoint` that saves every
# epoch saves NaN, and `BackupAndRestore` deletes its backup. To keep that, end with an exception, as
# `TerminateOnNaN(raise_error=True)` does.
#
# *Follow-up: `TerminateOnNaN` said batch 12. Why was the photo in batch 11?* The loss of 11 was fine; its
# gradient was not. The loss showed it one batch later.
#
# </details>
#
# ### Quiz
#
# **1. `best.keras` exists, its time is this morning's last epoch, and `save_best_only=True`. What do you
# check?**
#
# <details><summary>Whether the disk was full</summary>
#
# Then there would be no new file, and an error.
#
# </details>
# <details><summary>The name in <code>monitor</code>, and the warnings</summary>
#
# Right: with `mode` given, or without validation data, a name that the logs do not have saves every epoch and
# only warns.
#
# </details>
#
# **2. Your callback stores `self.model.weights` at the best epoch. What does it hold at the end?**
#
# <details><summary>The best weights</summary>
#
# It holds the variables themselves, and these went on changing.
#
# </details>
# <details><summary>The last weights</summary>
#
# Right: `get_weights()` copies, `weights` refers.
#
# </details>
#
# **3. `logs["loss"]` falls within each epoch and jumps down at the beginning of the next. Is that a fault?**
#
# <details><summary>Yes: the data is not shuffled</summary>
#
# It would look the same with shuffled data.
#
# </details>
# <details><summary>No: it is the mean since the epoch began</summary>
#
# Right: early batches of the epoch, with a worse model, are in it; the next epoch begins a new mean.
#
# </details>
#
# **4. `ReduceLROnPlateau` and a schedule by the epoch in `LearningRateScheduler`, in one list. Who sets the rate?**
#
# <details><summary>Both: the lower one counts</summary>
#
# There is one rate, and whoever writes last has it.
#
# </details>
# <details><summary>The scheduler</summary>
#
# Right: it writes at the beginning of each epoch, over what the other wrote at the end of the one before.
#
# </details>

# %% [markdown]
# ## Recap
#
# You can now write a callback, choose what the others watch, predict where training stops, resume it after
# a kill, and find the batch where numbers broke.
#
# **On a GPU and at scale:** reading `logs` after every batch makes Python wait for the device; with
# `steps_per_execution` batch methods are called once for several batches. Write checkpoints to storage that
# outlives the machine, and let one worker write them. `BackupAndRestore` is what makes cheap machines
# usable that may be taken away at any time.
#
# **Full data:** `labs fetch fashion_mnist`, then `lab.load(..., full=True)` with
# `split=["train[:50000]", "train[50000:]"]`.
#
# **Official documentation:** [writing your own
# callbacks](https://keras.io/guides/writing_your_own_callbacks/), [the callbacks of
# Keras](https://keras.io/api/callbacks/), [get started with
# TensorBoard](https://www.tensorflow.org/tensorboard/get_started), [TensorBoard in
# notebooks](https://www.tensorflow.org/tensorboard/tensorboard_in_notebooks).
