# ---
# jupyter:
#   labs:
#     title: Overfit on purpose, then fight it
#     promise: >-
#       Overfit 200 photos, read it from the curves, try six remedies, and measure over several seeds what
#       each of them bought, and what none of them did.
#     minutes: 90
#     level: intermediate
#     prerequisites: [keras/sequential]
#     outcomes:
#       - read learning curves, and write the rule that tells underfit, good and overfit apart
#       - stop training in time, and say what the validation photos were used for
#       - penalise kernels with L1 and L2, and say what each does to the weights
#       - write dropout and batch normalization in both modes, and see what the wrong mode does
#       - augment training photos only, inside the model and inside `tf.data`
#       - compare techniques over seeds, and claim no more than the spread allows
#     data: [fashion_mnist]
#     cpu_seconds: 60
#     replaces:
#       - {old: "`K.learning_phase()`, `set_learning_phase`", new: "the argument `training` of a call"}
#       - {old: "`ImageDataGenerator`", new: "`keras.layers.RandomFlip` and others, in the model or in `tf.data`"}
#       - {old: "`keras.layers.experimental.preprocessing`", new: "`keras.layers`"}
#       - {old: "`keras.regularizers.l2(l=0.01)`", new: "`keras.regularizers.L2(0.01)`"}
# ---

# %% [markdown]
# The shop that sorts clothes opens a second branch. Its photos look alike but not the same, and someone has
# labelled 200 of them. A network learns 200 photos by heart in a minute. You will let it, watch it happen, and find
# out which remedies help, how much, and whether the evidence is any good.
#
# The longer cell below holds helpers: run it now, and read each helper when you meet it.

# %%
import labs

lab = labs.start("training/regularization")

# %% tags=["setup"]
import random

import keras
import matplotlib.pyplot as plt
import numpy as np
import tensorflow as tf

from labs import plots


def make_model(regularizer=None, rate=0.0, normalized=False, augment=()):
    """Return a compiled network, 784 to 128 to 128 to 10, with the techniques that were asked for."""
    layers = [keras.Input((28, 28, 1)), *augment, keras.layers.Flatten()]
    for _ in range(2):
        layers.append(keras.layers.Dense(128, kernel_regularizer=regularizer))
        layers += [keras.layers.BatchNormalization(momentum=0.9)] if normalized else []
        layers.append(keras.layers.Activation("relu"))
        layers += [keras.layers.Dropout(rate)] if rate else []
    model = keras.Sequential([*layers, keras.layers.Dense(10, kernel_regularizer=regularizer)])
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(keras.optimizers.Adam(1e-3), loss, metrics=["accuracy"], steps_per_execution=4)
    return model


def train(model, data, seed, epochs=50, batch_size=50, **options):
    """Train `model` from new weights on `data`, a pair of arrays or a dataset; return the history."""
    random.seed(seed)  # Keras takes the seeds of new weights from here
    model.set_weights(keras.models.clone_model(model).get_weights())
    for variable in model.optimizer.variables:  # the optimizer forgets the run before
        variable.assign(tf.zeros_like(variable))
    model.optimizer.learning_rate = 1e-3
    if not isinstance(data, tf.data.Dataset):
        data = tf.data.Dataset.from_tensor_slices(data).cache().shuffle(1000, seed=seed).batch(batch_size)
    if not options:  # nobody looks in between, so all epochs may run as one: less overhead
        data, epochs = data.repeat(epochs), 1
    return model.fit(data, epochs=epochs, verbose=0, **options).history


# %% [markdown]
# ## 1. Overfit on purpose
#
# `sample(seed)` draws 200 photos to learn from. There are 1,000 more for validation and 1,000 for the test. No
# branch with 200 labels has 2,000 to spare: here they are a measuring instrument, so that differences of a point
# can be seen at all.


# %%
def arrays(dataset):
    images, labels = next(iter(dataset.batch(len(dataset))))
    return images.numpy().astype(np.float32) / 255, labels.numpy()


def sample(seed, count=200):
    chosen = np.random.default_rng(seed).permutation(len(pool[1]))[:count]
    return pool[0][chosen], pool[1][chosen]


splits = ["train[:5000]", "train[5000:]", "test"]
pool, val, test = (arrays(part) for part in lab.load("fashion_mnist", split=splits))
images, labels = sample(seed=0)
val_ds = tf.data.Dataset.from_tensor_slices(val).batch(1000).cache()
print("learn from", images.shape, "- fewest of a class:", np.bincount(labels).min())

# %% [markdown]
# **Predict.** The network has 118,282 weights and sees 200 photos fifty times. What will the two losses do?
#
# <details><summary>Both fall, training a little lower</summary>
#
# That is what you would see with plenty of photos. With 600 weights for each photo it need not find anything
# general.
#
# </details>
# <details><summary>Training falls towards 0, validation turns and rises</summary>
#
# Right. Find the turn in the figure: to the right of it the loss on photos it has not seen only grew.
#
# </details>
# <details><summary>Neither moves: 200 photos are too few to learn from</summary>
#
# Few photos are the easiest to learn by heart. Learning something *general* is what is hard.
#
# </details>

# %%
models, histories = {"plain": make_model()}, {}
histories["plain"] = train(models["plain"], (images, labels), seed=0, validation_data=val_ds)
figure = plots.curves(histories["plain"], "loss", "Training falls to nothing, validation turns", unit="nats")
lab.show(figure, alt="Over 50 epochs training loss falls to 0; validation falls, turns, and climbs steadily.")
print("weights:", f"{models['plain'].count_params():,}")
print("every training photo right:", histories["plain"]["accuracy"][-1] > 0.99)

# %% [markdown]
# ### Exercise: read the curves
#
# Write `diagnose`, so that a hundred runs can be read without a hundred figures. A gap between the two curves alone
# is no fault: everyone answers best what they have practised. The fault is a validation loss that *rises* while
# training goes on getting better.


# %% tags=["exercise"]
def diagnose(history):
    """Return "overfit", "underfit" or "good" for a history with loss, accuracy and val_loss, lists by epoch.

    overfit: the last val_loss is more than 10 % above the lowest, and loss fell since that epoch.
    underfit: otherwise, if val_loss rose as much but loss did not fall, or the last accuracy is below 0.8.
        (So a diverging run counts as underfit.)
    good: otherwise.
    """
    ### BEGIN SOLUTION
    loss, val_loss = history["loss"], history["val_loss"]
    best = int(np.argmin(val_loss))
    risen = val_loss[-1] > 1.1 * val_loss[best]
    if risen and loss[-1] < loss[best]:
        return "overfit"
    if risen or history["accuracy"][-1] < 0.8:
        return "underfit"
    return "good"
    ### END SOLUTION


# %% tags=["check"]
diagnose = lab.check(diagnose)

# %%
for epochs in (2, 50):
    begun = {name: values[:epochs] for name, values in histories["plain"].items()}
    print(f"after {epochs:2} epochs: {diagnose(begun)}")

# %% [markdown]
# ## 2. Stop in time
#
# The cheapest remedy is to stop at the turn. First look closer at what happens after it.
#
# **Predict.** From its lowest point to epoch 50 validation loss rises by more than a fifth. What does validation
# *accuracy* do meanwhile?
#
# <details><summary>It falls by a fifth too</summary>
#
# Loss and accuracy are not two names for one thing: accuracy only asks which class has the largest logit.
#
# </details>
# <details><summary>Hardly anything</summary>
#
# Right. Nearly the same photos are wrong as before. But the network has become sure of them, and the loss charges
# `-log(p)` for that.
#
# </details>

# %%
figure = plots.curves(histories["plain"], "accuracy", "Accuracy does not turn with the loss", unit="share")
lab.show(
    figure, alt="Training accuracy climbs to 1; validation accuracy reaches its level early, then is flat."
)


def sure_and_wrong(model):
    probabilities = tf.nn.softmax(model(val[0], training=False)).numpy()
    wrong = probabilities.argmax(axis=1) != val[1]
    return probabilities.max(axis=1)[wrong].mean()


overfitted, sure_late = models["plain"].get_weights(), sure_and_wrong(models["plain"])
print("on average more than 65 % sure of a wrong answer:", sure_late > 0.65)


# %% [markdown]
# ### Exercise: the rule for stopping
#
# Write `early_stop`, the rule inside `keras.callbacks.EarlyStopping`. An epoch is an improvement if its loss is
# below the best so far by more than `min_delta`. After `patience` epochs in a row without one, training stops. The
# rule knows the past only: it never looks ahead. If you wrote `stops_at` in the lab on callbacks, its body fits here.


# %% tags=["exercise"]
def early_stop(val_losses, patience, min_delta=0.0):
    """Return (last epoch that is trained, best epoch so far then), both counted from 1; patience is at least 1."""
    ### BEGIN SOLUTION
    best_loss, best_epoch = np.inf, 0
    for epoch, loss in enumerate(val_losses, start=1):
        if loss < best_loss - min_delta:
            best_loss, best_epoch = loss, epoch
        if epoch - best_epoch >= patience:
            break
    return epoch, best_epoch
    ### END SOLUTION


# %% tags=["check"]
early_stop = lab.check(early_stop)


# %%
def stopper():
    return keras.callbacks.EarlyStopping(monitor="val_loss", patience=5, restore_best_weights=True)


callback = stopper()
stopped = train(models["plain"], (images, labels), seed=0, validation_data=val_ds, callbacks=[callback])
rule = early_stop(stopped["val_loss"], patience=5)
print("your rule agrees with Keras:", tuple(rule) == (len(stopped["val_loss"]), callback.best_epoch + 1))
print("stopped before epoch 40:", rule[0] < 40, "- diagnosis:", diagnose(stopped))
restored = models["plain"].evaluate(val_ds, verbose=0)[0]
print("weights are those of the best epoch:", np.isclose(restored, min(stopped["val_loss"]), rtol=1e-3))
print("less sure of its wrong answers than at epoch 50:", sure_and_wrong(models["plain"]) < sure_late - 0.1)

# %% [markdown]
# `restore_best_weights=True` matters: without it you keep the weights of the *last* epoch, five past the best. And
# the validation photos have now chosen something, the epoch. They are no longer unseen, so the final word belongs
# to the test photos.
#
# ## 3. Make large weights expensive
#
# To answer 200 photos with certainty a network needs large weights. So let them cost: **L2** adds `l2 · Σ w²` to
# the loss, **L1** adds `l1 · Σ |w|`. Training then weighs every bit of certainty against its price.
#
# **Predict.** Near zero, which of the two still pulls on a weight?
#
# <details><summary>L2: a square is steeper</summary>
#
# Steeper far away. Its slope is `2 · l2 · w`: half the weight, half the pull, and next to none near zero.
#
# </details>
# <details><summary>L1: its slope is the same everywhere</summary>
#
# Right: plus or minus `l1`, however small the weight. So L1 presses useless weights to nearly zero, L2 makes all
# smaller. (Adam's steps jump to and fro across zero: cut what is below a threshold.)
#
# </details>

# %%
for name, regularizer in {"L1": keras.regularizers.L1(3e-4), "L2": keras.regularizers.L2(1e-2)}.items():
    models[name] = make_model(regularizer)
    histories[name] = train(models[name], (images, labels), seed=0, validation_data=val_ds)
models["plain"].set_weights(overfitted)  # those of epoch 50 again, to compare with
kernels = {name: np.abs(model.layers[1].kernel.numpy()).ravel() for name, model in models.items()}
for name, kernel in kernels.items():
    print(f"{name:5} more than a third of the weights below 0.001:", np.mean(kernel < 1e-3) > 1 / 3)
print("middle weight, L2 below half of plain:", np.median(kernels["L2"]) < np.median(kernels["plain"]) / 2)

# %%
figure, axes = plt.subplots()
for name, style in zip(kernels, ("-", "--", ":"), strict=True):
    axes.plot(np.linspace(0, 100, len(kernels[name])), np.sort(kernels[name]), style, label=name)
axes.set_yscale("log")
axes.set(xlabel="share of the first layer's weights (%)", ylabel="size of the weight", ylim=(1e-6, 1))
axes.set_title("L1 presses half of the weights to nearly zero, L2 shrinks all")
axes.legend()
lab.show(
    figure,
    alt="Weights sorted by size. L2 lies below plain throughout; half of L1's are tiny, the rest near plain.",
)

# %% [markdown]
# Usually only *kernels* are penalised: a bias shifts an output and memorises no photo, nor does the scale of a
# BatchNormalization. And the penalty is not the `weight_decay` of an optimizer: AdamW shrinks the weights directly,
# past Adam's step sizes.
#
# ### Exercise: the penalty
#
# Write `weight_penalty` for the kernels of all layers that have one, `Dense` or `Conv2D`. A gradient must lead
# through it.


# %% tags=["exercise"]
def weight_penalty(model, l1, l2):
    """Return the scalar tensor l1 * sum(|w|) + l2 * sum(w ** 2) over the kernels of `model.layers`."""
    ### BEGIN SOLUTION
    penalty = tf.constant(0.0)
    for layer in model.layers:
        if hasattr(layer, "kernel"):
            kernel = tf.convert_to_tensor(layer.kernel)
            penalty += l1 * tf.reduce_sum(tf.abs(kernel)) + l2 * tf.reduce_sum(kernel**2)
    return penalty
    ### END SOLUTION


# %% tags=["check"]
weight_penalty = lab.check(weight_penalty)

# %%
for name, strengths in {"L1": (3e-4, 0.0), "L2": (0.0, 1e-2)}.items():
    keras_penalty = float(sum(models[name].losses))
    share = keras_penalty / histories[name]["loss"][-1]
    same = np.isclose(weight_penalty(models[name], *strengths), keras_penalty, rtol=1e-4)
    print(f"{name}: same as model.losses: {same}, more than half of the training loss: {share > 0.5}")

# %% [markdown]
# Keep this in mind when you read such curves: `loss` and `val_loss` both *contain the penalty*, and most of the
# training loss is penalty here. Comparing them with a plain run's losses compares different things. For that,
# compute the cross-entropy alone, as the measurement below does.
#
# ## 4. Switch units off at random
#
# Dropout sets each output of a layer to zero with probability `rate`, anew at each step. No unit can rely on one
# certain other. What is kept is scaled up by `1 / (1 - rate)`, so that the next layer sees the same sum on average.
#
# **Predict.** `Dropout(0.5)` gets eight ones. What comes out with `training=True`, and with `training=False`?
#
# <details><summary>Zeros and ones; eight halves</summary>
#
# That is dropout as first published: it scaled at inference. Today's scales in training, so inference stays
# untouched.
#
# </details>
# <details><summary>Zeros and twos; eight ones</summary>
#
# Right: *inverted* dropout. On average 1 in both modes, and nothing to do at inference.
#
# </details>

# %%
layer, ones = keras.layers.Dropout(0.5, seed=1), tf.ones(8)
values = {training: np.unique(layer(tf.ones(1000), training=training)) for training in (True, False)}
for training, unique in values.items():
    print(f"training={training}: values {unique.tolist()}")
print("two calls in training agree:", np.array_equal(layer(ones, training=True), layer(ones, training=True)))

# %% [markdown]
# ### Exercise: dropout by hand
#
# Write `dropout`. Draw with `keras.random` and hand `seed_generator` over as `seed`: it moves on at each call, so
# each call has its own mask, and a run can be repeated.


# %% tags=["exercise"]
def dropout(inputs, rate, training, seed_generator):
    """Return inverted dropout of `inputs` (float32, any shape), 0 <= rate < 1; as they are unless `training`."""
    ### BEGIN SOLUTION
    if not training:
        return inputs
    kept = keras.random.uniform(tf.shape(inputs), seed=seed_generator) >= rate
    return inputs * tf.cast(kept, inputs.dtype) / (1 - rate)
    ### END SOLUTION


# %% tags=["check"]
dropout = lab.check(dropout)

# %%
models["dropout"] = make_model(rate=0.5)
histories["dropout"] = train(models["dropout"], (images, labels), seed=0, validation_data=val_ds)
figure, axes = plt.subplots()
for name, marker in (("plain", "o"), ("dropout", "s")):
    axes.plot(range(1, 51), histories[name]["val_loss"], marker=marker, markersize=4, label=name)
axes.set(xlabel="epoch", ylabel="validation loss (nats)", title="Dropout is slower, and ends lower")
axes.legend()
lab.show(figure, alt="Validation loss: plain turns and climbs; dropout falls slowly and ends lower.")
exact = models["dropout"].evaluate(images, labels, batch_size=200, verbose=0)[1]
print("accuracy in fit is below that of evaluate:", histories["dropout"]["accuracy"][-1] < exact - 0.02)
mean = np.mean(dropout(tf.ones(100_000), 0.5, True, keras.random.SeedGenerator(1)))
print("your dropout of ones, mean within 0.98 and 1.02:", 0.98 < mean < 1.02)

# %% [markdown]
# The same photos give two accuracies: `fit` reports what the network reached *with half its units off*, `evaluate`
# uses all. So with dropout the training curve looks worse than the network is, and may even lie below validation.
# `fit` also averages over the epoch while the network improves: that is why even plain validation begins above
# training.
#
# ## 5. Normalize by the batch
#
# Batch normalization brings each channel to mean 0 and variance 1, then scales by a learned `gamma` and shifts by a
# learned `beta`. In training it uses the *batch's* mean and variance, and keeps *moving* ones for inference. It was
# made for speed; its noise is said to regularize.
#
# **Predict.** In training mode, the same photo is answered twice: among 49 other photos, and among 49 different
# ones. Are its logits the same?
#
# <details><summary>Yes: the photo and the weights are the same</summary>
#
# But the mean it is measured against is not: in training mode the neighbours in the batch take part.
#
# </details>
# <details><summary>No: the neighbours decide the mean</summary>
#
# Right. That is noise for training, and unacceptable in use: an answer must not depend on who else asks.
#
# </details>

# %%
models["batch norm"] = make_model(normalized=True)
histories["batch norm"] = train(models["batch norm"], (images, labels), seed=0, validation_data=val_ds)
company = [images[:50], np.concatenate([images[:1], images[100:149]])]
for training in (True, False):
    first, second = (models["batch norm"](batch, training=training)[0] for batch in company)
    print(f"training={training}: same logits in other company: {np.allclose(first, second, atol=1e-3)}")

# %% [markdown]
# ### Exercise: batch normalization by hand
#
# Write `batch_norm`. Channels are the last axis; all other axes are averaged over. Divide by the root of *variance
# plus epsilon*. In training the moving numbers go a little towards the batch's: `momentum` times the old one, and
# the rest of the new one. At inference they are used and stay.


# %% tags=["exercise"]
def batch_norm(inputs, gamma, beta, moving_mean, moving_variance, training, momentum=0.99, epsilon=1e-3):
    """Return (outputs, moving_mean, moving_variance); inputs (..., channels), all others (channels,)."""
    ### BEGIN SOLUTION
    if training:
        mean, variance = tf.nn.moments(inputs, axes=list(range(len(inputs.shape) - 1)))
        moving_mean = momentum * moving_mean + (1 - momentum) * mean
        moving_variance = momentum * moving_variance + (1 - momentum) * variance
    else:
        mean, variance = moving_mean, moving_variance
    outputs = gamma * (inputs - mean) / tf.sqrt(variance + epsilon) + beta
    return outputs, moving_mean, moving_variance
    ### END SOLUTION


# %% tags=["check"]
batch_norm = lab.check(batch_norm)

# %%
layer, shifted = keras.layers.BatchNormalization(), tf.random.normal((64, 3), mean=5.0)
one, zero, steps = tf.ones(3), tf.zeros(3), {}
expected = batch_norm(shifted, one, zero, zero, one, training=True)
found = layer(shifted, training=True), layer.moving_mean, layer.moving_variance
print("same as Keras:", all(np.allclose(a, b, atol=1e-3) for a, b in zip(expected, found, strict=True)))
layer.trainable = False  # frozen, as when a trained network is reused
print("frozen, both modes agree:", np.allclose(layer(shifted, training=True), layer(shifted, training=False)))
for momentum in (0.99, 0.9):
    mean, steps[momentum] = zero, []
    for _ in range(240):
        mean = batch_norm(shifted, one, zero, mean, one, training=True, momentum=momentum)[1]
        steps[momentum].append(float(mean[0]))

# %%
figure, axes = plt.subplots()
for (momentum, means), style in zip(steps.items(), ("-", "--"), strict=True):
    axes.plot(range(1, 241), means, style, label=f"momentum {momentum}")
axes.axhline(np.mean(shifted[:, 0]), color="black", linewidth=1, label="mean of the batch")
axes.set(xlabel="steps in training mode", ylabel="moving mean of the first channel")
axes.set_title("The moving mean needs steps to arrive")
axes.legend()
alt = "Two curves rise from 0 to the batch's mean near 5: at 0.9 after 40 steps, at 0.99 not quite after 240."
lab.show(figure, alt=alt)

# %% [markdown]
# After 100 steps the default of 0.99 still lacks a third of the way. Until the moving numbers arrive, validation
# looks bad though the weights are fine: hence 0.9 in `make_model`.
#
# ## 6. Show each photo differently
#
# A shirt is a shirt when it hangs further left. *Augmentation* changes training photos and leaves the label true.
# Keras' random layers do it in training mode only, so they may stand in the model.

# %%
flip = keras.layers.RandomFlip("horizontal", seed=1)
shift = keras.layers.RandomTranslation(0.05, 0.05, fill_mode="constant", seed=2)
augment = keras.Sequential([flip, shift])
shown = np.concatenate([augment(images[4:5], training=True) for _ in range(7)])
titles = ["original"] + ["shown in training"] * 7
figure = plots.images(np.concatenate([images[4:5], shown]), titles, "One photo, seven views")
lab.show(
    figure, alt="One piece of clothing eight times: the original, then shifted and partly mirrored copies."
)
print("inference leaves it alone:", np.array_equal(augment(images[:9], training=False), images[:9]))

# %% [markdown]
# **Predict.** In a pipeline, where does `.cache()` belong: before or after the augmenting `map`?
#
# <details><summary>After: then the work is done only once</summary>
#
# That is what happens, and it is the fault: one view of each photo, drawn once and shown fifty times.
#
# </details>
# <details><summary>Before: the views must be drawn anew</summary>
#
# Right. Cache what stays the same; what is random comes after it.
#
# </details>
#
# ### Exercise: augment the training photos only
#
# Write `make_datasets`. Training photos are shuffled anew each epoch, batched, and augmented by `augment(images,
# training=True)`. Validation photos are only batched.


# %% tags=["exercise"]
def make_datasets(train_data, val_data, augment, batch_size):
    """Return (train_ds, val_ds) of batches (images, labels), none left out; each `*_data` is a pair of arrays."""
    ### BEGIN SOLUTION
    train_ds = tf.data.Dataset.from_tensor_slices(train_data).cache().shuffle(len(train_data[0]))
    train_ds = train_ds.batch(batch_size).map(lambda images, labels: (augment(images, training=True), labels))
    val_ds = tf.data.Dataset.from_tensor_slices(val_data).batch(batch_size)
    return train_ds.prefetch(2), val_ds
    ### END SOLUTION


# %% tags=["check"]
make_datasets = lab.check(make_datasets)

# %%
models["augmented"] = make_model(augment=[augment])
histories["augmented"] = train(models["augmented"], (images, labels), seed=0, validation_data=val_ds)
views_ds, same_val_ds = make_datasets((images, labels), val, augment, batch_size=50)
piped = train(models["plain"], views_ds, seed=0, epochs=20)  # the same views, out of the pipeline
print("in tf.data, learns from augmented photos:", piped["accuracy"][-1] > 0.3)
last = {name: histories[name]["val_loss"][-1] for name in ("plain", "augmented")}
print("in the model, last validation loss below plain:", last["augmented"] < last["plain"] - 0.03)

# %% [markdown]
# Inside the model, augmentation is saved with it and runs on the GPU if there is one. Inside `tf.data` it runs on
# CPU cores while the model trains.
#
# ## Break it: four ways to regularize wrongly
#
# None of these raises an error. First dropout and augmentation where they should be off, then batch normalization
# with batches of *one* photo.


# %%
def cross_entropy(model, data, training=False):
    logits = model(data[0], training=training)
    losses = keras.losses.sparse_categorical_crossentropy(data[1], logits, from_logits=True)
    return float(tf.reduce_mean(losses))


left_on = [cross_entropy(models["dropout"], val, training=True) for _ in range(2)]
proper = cross_entropy(models["dropout"], val)
print("dropout left on: same loss twice:", left_on[0] == left_on[1], "- higher:", min(left_on) > proper + 0.1)
shaken = [cross_entropy(models["plain"], (augment(val[0], training=True), val[1])) for _ in range(2)]
print("validation augmented: same loss twice:", shaken[0] == shaken[1])

# %%
model = models["batch norm"]
alone = [model(images[i : i + 1], training=True) for i in (0, 1)]
print("two photos, each alone in its batch, same logits:", np.allclose(*alone, atol=1e-4))
single = train(model, (images, labels), seed=0, epochs=1, batch_size=1)
print("over 200 steps on average no better than guessing, ln 10:", single["loss"][-1] > 2.2)
small = train(model, (images, labels), seed=0, epochs=4, batch_size=4)
print("200 steps with batches of 4 are better on average:", small["loss"][-1] < 2.0)

# %% [markdown]
# A loss that changes by itself judges nothing: `training=False`, and no `map` on validation. And in a dense layer
# the mean of one number is that number: what is left is 0, then `beta`; the photo is gone. (A convolution still
# averages over places.) With tiny batches take `LayerNormalization`, or `GroupNormalization` for convolutions.
#
# Last, L2 on other tensors than the kernel. One word differs.

# %%
penalties, l2 = {}, keras.regularizers.L2(1e-2)
flat = images.reshape(200, 784)
for tensor in ("kernel", "bias", "activity"):
    keras.utils.set_random_seed(0)
    layer = keras.layers.Dense(128, **{f"{tensor}_regularizer": l2})
    penalties[tensor] = []
    for photos in (flat, 2 * flat):
        layer(photos)
        penalties[tensor].append(float(sum(layer.losses)))
for tensor, (once, brighter) in penalties.items():
    print(f"{tensor:8} penalty at the start: {once:.3f}, of photos twice as bright: {brighter:.3f}")

# %% [markdown]
# The kernel's penalty depends on the kernel alone. A bias begins at 0 and pays nothing, whatever the kernel does.
# `activity_regularizer` charges what the layer *puts out*, so the price depends on the photos. Sum up
# `model.losses` before training, and compare it with what you expect.
#
# ## Measure it: what each remedy bought
#
# So far you saw one run of each. Now five seeds, none of them used above: each draws its own 200 photos and
# starting weights, and every technique gets the same five samples. For scale, a rival: no technique, but 400
# photos, for as many steps. Judge on the test photos.
#
# Two runs on the same sample share its luck, so compare in pairs: the gain over plain, seed by seed. The rule,
# fixed before looking: a gain is *clear* if its mean is more than three standard errors from 0. With five seeds
# chance alone passes it once in 25 times, and the table asks 14 times.
#
# **Predict.** Which remedy gains most test *accuracy*?
#
# <details><summary>Dropout or augmentation</summary>
#
# Look at the table, and at the spread: is the gain larger than what another seed does?
#
# </details>
# <details><summary>More photos</summary>
#
# Right: see how far apart they are in the figure. But photos have a price: somebody has to label them.
#
# </details>


# %%
def exam(model):
    answers = np.argmax(model(test[0], training=False), axis=1)
    return cross_entropy(model, test), 100 * np.mean(answers == test[1])


results = {}
for name in [*models, "stopped early", "400 photos"]:
    count, model = 400 if name == "400 photos" else 200, models.get(name, models["plain"])
    for seed in range(1, 6):
        watched = {"validation_data": val_ds, "callbacks": [stopper()]} if name == "stopped early" else {}
        train(model, sample(seed, count), seed, epochs=10_000 // count, **watched)
        results.setdefault(name, []).append(exam(model))


# %%
def judged(name, column):
    gains = np.array(results[name])[:, column] - np.array(results["plain"])[:, column]
    error = gains.std(ddof=1) / np.sqrt(len(gains))
    clear = abs(gains.mean()) > 3 * error
    return gains, ("lower" if gains.mean() < 0 else "higher") if clear else "not clear"


rows = []
for name, scores in results.items():
    (loss, accuracy), (loss_sd, sd) = np.mean(scores, axis=0), np.std(scores, axis=0, ddof=1)
    verdicts = [judged(name, i)[1] for i in (0, 1)] if name != "plain" else ["", ""]
    rows.append([name, f"{loss:.2f} ± {loss_sd:.2f}", verdicts[0], f"{accuracy:.1f} ± {sd:.1f}", verdicts[1]])

# %%
figure, axes = plt.subplots(figsize=(9, 3.6))
axes.axis("off")
heads = ["", "test loss (nats)", "than plain", "test accuracy (%)", "than plain"]
table = axes.table(rows, colLabels=heads, cellLoc="center", bbox=(0, 0, 1, 0.96))
table.auto_set_font_size(False)
table.set_fontsize(11)
axes.set_title("What each remedy bought: mean ± standard deviation over 5 seeds")
lab.show(
    figure, alt="Table of loss and accuracy for plain, six remedies and 400 photos, with spread and verdict."
)

# %%
figure, grid = plt.subplots(1, 2, figsize=(9.5, 4), sharey=True)
others = [name for name in results if name != "plain"]
for axes, column, unit in zip(grid, (0, 1), ("test loss (nats)", "test accuracy (points)"), strict=True):
    for place, name in enumerate(others):
        gains = judged(name, column)[0]
        axes.plot(gains, [place] * 5, plots.MARKERS[0], color=plots.COLOURS[0], alpha=0.6)
        axes.plot(gains.mean(), place, "|", color="black", markersize=18)
    axes.axvline(0, color="black", linewidth=1)
    axes.set(xlabel=f"change of {unit}", ylabel=" ", yticks=range(len(others)), yticklabels=others)
grid[0].invert_yaxis()
figure.suptitle("Most remedies lower the loss; photos raise accuracy", fontweight="bold", x=0.01, ha="left")
lab.show(figure, alt="Dots, one a seed: losses mostly fall; accuracy scatters around 0 but for 400 photos.")

# %%
remedies = ["L1", "L2", "dropout", "augmented", "stopped early"]
lower = [name for name in remedies if np.mean(judged(name, 0)[0]) < -0.05]
accuracy = {name: np.mean(judged(name, 1)[0]) for name in others}
print("test loss lower on average:", ", ".join(lower))
best = max(accuracy[name] for name in others if name != "400 photos")
print("200 more photos buy over a point and a half:", accuracy["400 photos"] > 1.5)
print("the best remedy buys less than half of that:", best < accuracy["400 photos"] / 2)

# %% [markdown]
# Five of the six bought *loss*: their probabilities are better. None bought half the accuracy of 200 more labels.
# One row had help: early stopping chose its epoch by 1,000 labelled photos. A shop with 200 would have to set some
# of these aside.
#
# Five seeds cannot rank remedies within each other's spread. Another network or other strengths may answer
# otherwise; the way of asking carries over.

# %% [markdown]
# ## Explain it
#
# Answer aloud before you open the model answer: that is what the interview will be like.
#
# <details><summary>How do you fight overfitting?</summary>
#
# First see it: training loss falls while validation loss rises. Then, cheapest first: stop at the turn; augment; a
# smaller network; L2 or L1 on kernels; dropout. Dearest, and best here: more labelled data. Batch normalization is
# for speed, and its effect here has to be measured. One change at a time, several seeds, judged on photos that
# chose nothing.
#
# *Follow-up: dropout lowered your test loss by a quarter, and accuracy moved by half a point over five seeds. What
# do you report?* The loss, with its spread. Of accuracy, that it is not clear: seed by seed some lose and some gain,
# and the mean is less than two standard errors from 0.
#
# </details>
# <details><summary>Which layers act differently in training and at inference?</summary>
#
# Dropout: random zeros and scaling, then identity. BatchNormalization: the batch's statistics, then the moving
# ones. Random augmentation: on, then off. `fit`, `evaluate` and `predict` say so by themselves; in a loop of your
# own you do. A BatchNormalization with `trainable = False` uses its moving numbers even when it is called with
# `training=True`.
#
# *Follow-up: with batches of one photo the loss of your normalized network stayed at that of guessing. Why?* The
# mean of one number is the number, so in a dense layer every channel became its `beta`.
#
# </details>
# <details><summary>L1 or L2?</summary>
#
# L2 pulls in proportion to the weight: all become smaller, none zero. L1 pulls evenly: here half were pressed to
# nearly zero, which selects inputs. L2 is the usual choice; L1 if few inputs should count. Both on kernels.
#
# *Follow-up: your L2 run's training loss is far above the plain one. Is it worse?* That loss contains the penalty,
# which was more than half of it. Compare the cross-entropy.
#
# </details>
#
# ### Quiz
#
# **1. Validation accuracy lies above training accuracy from the first epoch to the last. What is most likely?**
#
# <details><summary>The validation photos leaked into training</summary>
#
# Then the two would be alike. Is something active in training only?
#
# </details>
# <details><summary>Dropout or augmentation makes the training photos harder</summary>
#
# Right. `evaluate` the training photos to see the network's real accuracy on them. In the first epochs alone it may
# only be the average over the epoch, as in the plain run.
#
# </details>
#
# **2. Training and validation loss both rise from epoch 10 on. Overfit?**
#
# <details><summary>Yes: validation loss rises</summary>
#
# Overfitting needs training to get better meanwhile. `diagnose` asks for both.
#
# </details>
# <details><summary>No: it is diverging</summary>
#
# Right. Look at the learning rate or the data first, not at dropout. (`diagnose`, which has three words, says
# underfit.)
#
# </details>
#
# **3. A colleague reports 74.1 % with dropout and 73.4 % without, one run each. What do you ask?**
#
# <details><summary>How the two do with other seeds</summary>
#
# Right: one run each cannot tell a gain of less than a point from luck.
#
# </details>
# <details><summary>Which rate was used, so that you can use it too</summary>
#
# First find out whether there is anything to copy.
#
# </details>
#
# **4. `Dropout(0.2)` gets a 1 in training, and keeps it. What comes out?**
#
# <details><summary>The number</summary>
#
# **1.25**: kept values are divided by 0.8, the share that is kept, so that the mean stays 1.
#
# - **1**: so it is at inference. In training a fifth is missing, and the others make up for it.
# - **0.8**: that is the share that is kept. Divide by it instead of multiplying.
# - **5**: that divides by 0.2, the share that is dropped.
# - **2**: that is for `Dropout(0.5)`.
#
# </details>

# %% [markdown]
# ## Recap
#
# You can now overfit on purpose, read it from the curves, apply six remedies in the right mode and on the right
# tensor, and measure what they buy.
#
# **On a GPU and at scale:** nothing in this code changes. With several replicas each batch is split, and
# BatchNormalization sees only its part unless `synchronized=True`. Augment in `tf.data` while CPU cores are idle,
# in the model if they are not.
#
# **Full data:** `labs fetch fashion_mnist`, then `lab.load(..., full=True)` with
# `split=["train[:50000]", "train[50000:]", "test"]`.
#
# **Official documentation:** [overfit and
# underfit](https://www.tensorflow.org/tutorials/keras/overfit_and_underfit), [data
# augmentation](https://www.tensorflow.org/tutorials/images/data_augmentation),
# [regularizers](https://keras.io/api/layers/regularizers/),
# [BatchNormalization](https://keras.io/api/layers/normalization_layers/batch_normalization/),
# [EarlyStopping](https://keras.io/api/callbacks/early_stopping/).
