# ---
# jupyter:
#   labs:
#     title: Your first network
#     promise: >-
#       Train a network that sorts photos of clothes into ten kinds, and learn to judge it by what it
#       gets wrong.
#     minutes: 75
#     level: beginner
#     prerequisites: []
#     outcomes:
#       - prepare images for a network and say why the scale of the pixels matters
#       - define a `Sequential` model and predict the shape and the number of weights of every layer
#       - choose a loss that fits the model's last layer, and recognise the symptom when it does not
#       - read learning curves and pick the epoch to stop at
#       - look behind one accuracy, with recall by class and the most confident mistakes
#     data: [fashion_mnist]
#     cpu_seconds: 60
#     replaces:
#       - {old: "`tf.keras` on Keras 2", new: "`keras`, version 3; `tf.keras` is the same since TensorFlow 2.16"}
#       - {old: "`Flatten(input_shape=...)` as the first layer", new: "`keras.Input(...)`, then `Flatten()`"}
#       - {old: "`model.save('model.h5')`", new: "`model.save('model.keras')`"}
# ---

# %% [markdown]
# A second-hand shop receives thousands of photos of clothes. Each has to go to a shelf: trousers, bags,
# ankle boots. People make mistakes after the third hour. You will build the sorter, find out how far to
# trust it, and say which shelves the shop should still sort by hand.

# %%
import labs

lab = labs.start("keras/sequential")

# %% tags=["setup"]
import warnings

import keras
import matplotlib.pyplot as plt
import numpy as np
import tensorflow as tf

from labs import plots

# %% [markdown]
# ## 1. Look before you train
#
# Every surprise in training starts in the data. `lab.load` reads an embedded part of Fashion-MNIST as a
# `tf.data.Dataset`, the form in which TensorFlow likes its examples. The photos are 28 by 28 pixels.

# %%
train_raw, val_raw, test_raw = lab.load("fashion_mnist", split=["train[:5000]", "train[5000:]", "test"])
labels = lab.labels("fashion_mnist")
print(len(train_raw), "to learn from,", len(val_raw), "to watch,", len(test_raw), "for the final exam")
print(train_raw.element_spec)

# %% [markdown]
# **Predict.** The specification above says `dtype=tf.uint8` for an image. What is the value of a white pixel?
#
# <details><summary>1.0</summary>
#
# That is what it will be after you scale it. The file stores whole numbers, one byte for each pixel.
#
# </details>
# <details><summary>255</summary>
#
# Right. One byte holds 0 to 255, and that range is the first thing you will change.
#
# </details>
# <details><summary>28</summary>
#
# That is the width and the height of the picture. A pixel's brightness has a range of its own.
#
# </details>

# %%
some = list(train_raw.take(16).as_numpy_iterator())
figure = plots.images(
    np.stack([image for image, _ in some]),
    [labels[label] for _, label in some],
    title="Clothes, photographed alike",
)
lab.show(
    figure, alt="Sixteen small grey photos of clothes on black, each with its class, such as Coat or Sneaker."
)

# %% [markdown]
# A network multiplies each pixel by a weight and adds up 784 such products. With pixels up to 255 the sums
# are hundreds of times larger than the weights were made for, and the first steps of training are spent
# undoing that. So pixels are scaled to the range 0 to 1 first.

# %% [markdown]
# ### Exercise: scale the pixels
#
# Write `prepare`, which `Dataset.map` will call for every photo: pixels become `float32` numbers from 0 to
# 1, and the label stays as it is. The same function must work for a single photo and for a batch.


# %% tags=["exercise"]
def prepare(image, label):
    """Return `image` (uint8, any shape) as float32 in [0, 1], and `label` unchanged."""
    ### BEGIN SOLUTION
    return tf.cast(image, tf.float32) / 255.0, label
    ### END SOLUTION


# %% tags=["check"]
prepare = lab.check(prepare)

# %% [markdown]
# Map it over the three parts, then batch. Only the training photos are shuffled: the order of an exam does
# not change its result. `cache` keeps the prepared photos in memory, and `prefetch` prepares the next batch
# while the model works on this one. A later lab measures what each of these buys.

# %%
train_ds = train_raw.map(prepare).cache().shuffle(5000, seed=lab.seed).batch(64).prefetch(2)
val_ds = val_raw.map(prepare).batch(250).cache()
test_ds = test_raw.map(prepare).batch(250).cache()

images, targets = next(iter(train_ds))
print("images", images.shape, images.dtype.name, "labels", targets.shape, targets.dtype.name)

# %% [markdown]
# ## 2. Define: a stack of layers
#
# `keras.Sequential` is a stack: the output of each layer is the input of the next. `Flatten` lays the 28 by
# 28 pixels out as 784 numbers. A `Dense` layer computes weighted sums of all its inputs. Between two of
# them stands a nonlinear function, here `relu`, which replaces negative numbers by 0.
#
# **Predict.** A `Dense(3)` layer receives 784 numbers. How many weights does it learn, biases included?
#
# <details><summary>The number</summary>
#
# **2355**: 784 times 3 weights, and 3 biases.
#
# - **2352**: 784 times 3 weights is 2352. Each output also has a bias, a number that is simply added.
# - **3**: three is the number of its outputs. Each output has its own weight for every input.
# - **787**: inputs and outputs are not added up: every input meets every output.
#
# </details>

# %%
tiny = keras.Sequential([keras.Input((28, 28, 1)), keras.layers.Flatten(), keras.layers.Dense(3)])
for layer in tiny.layers:
    print(f"{layer.name.split('_')[0]:8} gives {layer.output.shape}, learns {layer.count_params()} weights")

# %% [markdown]
# `None` in the shape stands for the batch: the same weights serve 1 photo or 250. `keras.Input` says what
# one photo looks like, so Keras can make the weights at once. Without it they appear only at the first
# call, and `summary()` has nothing to count.

# %% [markdown]
# ### Exercise: define the sorter
#
# Write `make_model`: an input, `Flatten`, one hidden `Dense` layer with `relu`, and one `Dense` layer with
# an output for each class. The outputs are *logits*: any numbers, the larger the more likely the class. So
# the last layer has no activation.


# %% tags=["exercise"]
def make_model(image_shape, hidden_units, classes):
    """Return a Sequential model from `image_shape` to `classes` logits, with one hidden relu layer."""
    ### BEGIN SOLUTION
    return keras.Sequential(
        [
            keras.Input(image_shape),
            keras.layers.Flatten(),
            keras.layers.Dense(hidden_units, activation="relu"),
            keras.layers.Dense(classes),
        ]
    )
    ### END SOLUTION


# %% tags=["check"]
make_model = lab.check(make_model)

# %%
model = make_model((28, 28, 1), hidden_units=64, classes=10)
logits = model(images)
probabilities = tf.nn.softmax(logits)
print("logits        ", np.array2string(logits[0].numpy(), precision=1, suppress_small=True))
print("sum of softmax", round(float(tf.reduce_sum(probabilities[0])), 3))

# %% [markdown]
# Untrained, the model already answers: its logits are noise around zero. `softmax` turns logits into
# probabilities, positive and with sum 1. The largest logit stays the largest probability, so to name the
# class you do not need it. To say how sure the model is, you do.

# %% [markdown]
# ## 3. Compile: say what is better
#
# Training needs three decisions. The *loss* is one number that says how wrong a batch of answers is. The
# *optimizer* decides how far to move each weight to lower it. *Metrics* are for you: nothing is optimised
# for them, but accuracy is easier to explain to the shop than a loss.
#
# **Predict.** The model is untrained and guesses among ten classes alike. How large is the cross-entropy, the
# mean of `-log(probability of the true class)`?
#
# <details><summary>The number</summary>
#
# **2.3 ± 0.05**: -log(1/10) is 2.303. A first loss far above that means that something is off before training
# begins.
#
# - **0.1**: that is the probability of the true class. The loss is minus its natural logarithm.
# - **10**: the number of classes is 10. The loss grows only with its logarithm.
# - **1**: that is the logarithm to the base 10. Here it is the natural one.
# - **-2.3 ± 0.05**: that is log(1/10). The loss is minus that, so that less is better.
#
# </details>

# %% [markdown]
# The labels here are whole numbers, 0 to 9: that asks for the *sparse* form of the loss. One-hot labels,
# ten numbers with a single 1, would ask for `CategoricalCrossentropy`. And `from_logits=True` tells the
# loss that the model has no softmax of its own.

# %% [markdown]
# ### Exercise: compile it
#
# Write `compile_model`: the Adam optimizer, the cross-entropy that fits whole-number labels and logits, and
# accuracy as the metric, under the name `accuracy`. Return the model. The check uses a model of its own.


# %% tags=["exercise"]
def compile_model(model):
    """Compile `model`, which gives logits, for whole-number labels; return it."""
    ### BEGIN SOLUTION
    model.compile(
        optimizer="adam",
        loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        metrics=["accuracy"],
    )
    return model
    ### END SOLUTION


# %% tags=["check"]
compile_model = lab.check(compile_model)

# %% [markdown]
# ## 4. Fit: learn, and watch
#
# `fit` goes through the training photos once for each *epoch*, in batches of 64, and moves the weights after
# each batch. After each epoch it answers the validation photos too, without learning from them. The
# difference between the two is what you are after.

# %%
lab.reseed()
model = compile_model(make_model((28, 28, 1), hidden_units=64, classes=10))
history = model.fit(train_ds, validation_data=val_ds, epochs=15, verbose=0).history
print("recorded:", ", ".join(history))
print("accuracy above 80 % on photos it never saw:", history["val_accuracy"][-1] > 0.8)

# %%
figure = plots.curves(history, "loss", title="Training loss falls on; validation loss stops", unit="nats")
lab.show(
    figure,
    alt="Loss over 15 epochs. Training falls all the way; validation falls at first, then flattens above it.",
)

# %% [markdown]
# Read the curves from left to right. While both fall, the model learns what clothes look like. Where only
# training falls, what it learns holds for these 5,000 photos only: that is *overfitting*. Validation jumps up
# and down, so its lowest point is partly luck; any epoch near it will do.

# %% [markdown]
# ### Exercise: pick the epoch
#
# Write `best_epoch`: given `history`, return the epoch at which the model was best on photos it had not
# learnt from. People count epochs from 1. If two are equally good, the earlier one is cheaper.


# %% tags=["exercise"]
def best_epoch(history):
    """Return the number, from 1, of the epoch with the lowest validation loss in `history` (dict of lists)."""
    ### BEGIN SOLUTION
    return int(np.argmin(history["val_loss"])) + 1
    ### END SOLUTION


# %% tags=["check"]
best_epoch = lab.check(best_epoch)

# %% [markdown]
# Train again for that many epochs. The same seed gives the same start; the photos come in another order, so
# this is a sister of that model, not a copy. (The callback `EarlyStopping` with `restore_best_weights=True`
# keeps the very weights; a later lab is about callbacks.) Only now, with all decisions made, are the test
# photos used.

# %%
stop = best_epoch(history)
lab.reseed()
model = compile_model(make_model((28, 28, 1), hidden_units=64, classes=10))
model.fit(train_ds, epochs=stop, verbose=0)
test_loss, test_accuracy = model.evaluate(test_ds, verbose=0)
print("four of five right:", test_accuracy > 0.8, "- all right:", test_accuracy == 1.0)

# %% [markdown]
# ## 5. Ask which classes it confuses
#
# One accuracy hides where the mistakes are. A *confusion matrix* counts them: the row is the true class, the
# column the answer. Right answers lie on the diagonal, and everything off it is a photo on the wrong shelf.

# %%
test_logits = model.predict(test_ds, verbose=0)
test_labels = np.concatenate([batch.numpy() for _, batch in test_ds])
matrix = tf.math.confusion_matrix(test_labels, test_logits.argmax(axis=1), num_classes=10).numpy()
figure = plots.confusion(matrix, labels, title="Tops are taken for other tops")
lab.show(
    figure,
    alt="Confusion matrix of ten classes, 100 photos each. Most counts lie on the diagonal; T-shirts, "
    "pullovers, coats and shirts are often taken for one another.",
)

# %% [markdown]
# **Predict.** The shop asks: "of all shirts that come in, how many reach the shirt shelf?" Which numbers answer it?
#
# <details><summary>The shirt column: all that were called shirts</summary>
#
# That tells how many things on the shirt shelf really are shirts, which is *precision*.
#
# </details>
# <details><summary>The shirt row: all that are shirts</summary>
#
# Right. Diagonal divided by the sum of the row is *recall*.
#
# </details>
#
# ### Exercise: recall by class
#
# Write `recall_by_class`: for each true class, the share of its photos that were named right. A class
# without any photo has recall 0, so that a report never shows `nan`.


# %% tags=["exercise"]
def recall_by_class(matrix):
    """Return the recall of each class, float array (classes,), from counts (true class, predicted class)."""
    ### BEGIN SOLUTION
    totals = matrix.sum(axis=1)
    return np.diag(matrix) / np.maximum(totals, 1)
    ### END SOLUTION


# %% tags=["check"]
recall_by_class = lab.check(recall_by_class)

# %%
recall = recall_by_class(matrix)
order = np.argsort(recall)
figure = plots.bars({labels[i]: 100 * recall[i] for i in order}, "recall (%)", "Tops are hardest", digits=0)
lab.show(figure, alt="Bars of recall by class, lowest first: the kinds of tops lie far below shoes and bags.")
tops = np.isin(labels, ["T-shirt/top", "Pullover", "Coat", "Shirt"])
print("the hardest is a top:", tops[order[0]])
wrong = [1 - np.diag(matrix)[these].sum() / matrix[:, these].sum() for these in (tops, ~tops)]
print("wrong on the shelves for tops, more than one piece in five:", wrong[0] > 1 / 5)
print("on all the others, fewer than one in six:", wrong[1] < 1 / 6)

# %% [markdown]
# ## 6. Look at what it gets wrong
#
# Numbers say how often, pictures say why. Look first where the model was sure and wrong: there the label
# is wrong, the photo is odd, or the classes overlap.
#
# ### Exercise: find the confident mistakes
#
# Write `confident_mistakes`: the positions of the `k` wrongly named photos whose *answered* class had the
# highest probability, the surest first. Logits of different photos cannot be compared; probabilities can.


# %% tags=["exercise"]
def confident_mistakes(logits, labels, k):
    """Return the positions, int array (k,), of the surest wrong answers; logits (n, classes), labels (n,)."""
    ### BEGIN SOLUTION
    probabilities = tf.nn.softmax(logits, axis=-1).numpy()
    confidence = probabilities.max(axis=1)
    wrong = np.flatnonzero(probabilities.argmax(axis=1) != labels)
    return wrong[np.argsort(-confidence[wrong])][:k]
    ### END SOLUTION


# %% tags=["check"]
confident_mistakes = lab.check(confident_mistakes)

# %%
worst = confident_mistakes(test_logits, test_labels, k=8)
test_images = np.concatenate([batch.numpy() for batch, _ in test_ds])
answers = test_logits[worst].argmax(axis=1)
titles = [f"{labels[answers[i]]}?\n{labels[test_labels[place]]}" for i, place in enumerate(worst)]
figure = plots.images(test_images[worst], titles, title="Sure, and wrong: the answer, and the label below it")
lab.show(
    figure, alt="Eight test photos that the model named wrongly with high confidence, with answer and label."
)

# %% [markdown]
# Look at each: would *you* have known? Sort them into three heaps: the label is doubtful, the photo is odd, or
# you knew and the model did not. More training can mend only the third. The others need better labels, larger
# photos, or one shelf for all tops. That is a decision about the product, and you found it by looking.

# %% [markdown]
# ## Break it: the loss by its name
#
# The most common mistake with this model raises no error and no warning. Somebody writes the loss as the text
# `"sparse_categorical_crossentropy"`, which believes that the model has applied softmax. Logits are then cut
# to the range from 0 to 1, and from outside it no gradient leads back.


# %%
def train(loss, last_layer=None):
    lab.reseed()
    model = make_model((28, 28, 1), hidden_units=64, classes=10)
    if last_layer:
        model.add(last_layer)
    model.compile(optimizer="adam", loss=loss, metrics=["accuracy"])
    return model.fit(train_ds, epochs=5, verbose=0).history


right = train(keras.losses.SparseCategoricalCrossentropy(from_logits=True))
mistaken = train("sparse_categorical_crossentropy")

# %%
figure, axes = plt.subplots()
for name, run, marker in (("from_logits=True", right, "o"), ("the loss by its name", mistaken, "s")):
    axes.plot(range(1, 6), 100 * np.array(run["accuracy"]), marker=marker, label=name)
axes.set(xlabel="epoch", ylabel="training accuracy (%)", title="The loss by its name: training goes nowhere")
axes.set(ylim=(0, 100), xticks=range(1, 6))
axes.legend()
lab.show(figure, alt="Training accuracy over five epochs: above 80 % with from_logits, below 50 % without.")
print("worse than half as good:", mistaken["accuracy"][-1] < right["accuracy"][-1] / 2)
untrained = np.mean(keras.losses.sparse_categorical_crossentropy(targets, logits))  # the logits of section 2
print("untrained, its loss is over twice that of guessing:", untrained > 2 * np.log(10))
print("and after five epochs within 1 of guessing:", abs(mistaken["loss"][-1] - np.log(10)) < 1)

# %% [markdown]
# The symptom has two parts: the very first loss is far above the 2.3 of guessing, and later it hangs about 2.3,
# because most logits have been cut to the same number. *Mend it* with `from_logits=True`. What of the opposite
# mistake, softmax in the model *and* `from_logits=True`? Run it, and see what Keras 3 does.

# %%
with warnings.catch_warnings(record=True) as caught:
    warnings.simplefilter("always")
    twice = train(keras.losses.SparseCategoricalCrossentropy(from_logits=True), keras.layers.Softmax())
print("Keras warned:", any("from_logits=True" in str(warning.message) for warning in caught))
print("and trained as well as with logits:", abs(twice["accuracy"][-1] - right["accuracy"][-1]) < 0.03)

# %% [markdown]
# Keras 3 sees the softmax, warns once, and computes the loss from the logits before it. Do not build on that: a
# softmax that it cannot see, such as `exp` divided by its sum, is applied twice, and the loss then cannot fall
# below 1.46, because even a sure answer gets only e / (e + 9) = 0.23.

# %% [markdown]
# ## Measure it: what do more hidden units buy?
#
# A claim needs a measurement. Compare 4, 64 and 256 hidden units, each from three seeds, because a single run
# can be lucky. Accuracy is measured on the validation photos: the test photos were for the end.


# %%
def accuracy(hidden_units, seed):
    keras.utils.set_random_seed(seed)
    model = compile_model(make_model((28, 28, 1), hidden_units, classes=10))
    model.fit(train_ds, epochs=4, verbose=0)
    return 100 * model.evaluate(val_ds, verbose=0)[1]


measured = {units: [accuracy(units, seed) for seed in (1, 2, 3)] for units in (4, 64, 256)}

# %%
figure, axes = plt.subplots()
for place, runs in enumerate(measured.values()):
    axes.scatter([place] * len(runs), runs, s=60, marker=plots.MARKERS[place])
axes.set_xticks(range(3), [f"{units}\n({795 * units + 10:,} weights)" for units in measured])
axes.set(xlabel="hidden units", ylabel="validation accuracy (%)", title="More units help, up to a point")
axes.margins(x=0.2)
lab.show(
    figure, alt="Validation accuracy of three models, three runs each: 4 units lie far below 64 and 256."
)
print("64 units beat 4 in every run:", min(measured[64]) > max(measured[4]))
means = {units: np.mean(runs) for units, runs in measured.items()}
print("from 4 to 64 brings more than from 64 to 256:", means[64] - means[4] > means[256] - means[64])

# %% [markdown]
# The three runs of one model differ although nothing but the seed changed: believe a difference between two
# models only if it is larger than that. From 64 to 256 units you pay four times the weights for very little.
# Which would you ship, if it must run on a phone?

# %% [markdown]
# ## Explain it
#
# Answer aloud before you open the model answer: that is what the interview will be like.
#
# <details><summary>How do you define, compile and train a model in Keras?</summary>
#
# Define the layers and the input shape; compile with an optimizer, a loss that fits the last layer and the
# labels, and metrics for people; fit on a `tf.data` pipeline with a batch size, a number of epochs and
# validation data. Then evaluate once on test data. Say why each exists: the loss is optimised, metrics are
# read, validation decides when to stop, and test is touched at the end only.
#
# *Follow-up: ten classes, no error, and after the first epoch the loss hangs at 2.3. What do you look at?* At the
# loss of the very first batch. Far above 2.3, it says that logits are taken for probabilities. If it began at 2.3,
# look at the learning rate, at dead units, and at labels that do not belong to their photos.
#
# </details>
# <details><summary>Keras, or the low-level API?</summary>
#
# Keras for everything standard: `fit` brings batching, metrics, validation, callbacks, saving and
# distribution, with far less code to get wrong. Low level for what does not fit: new ops, two optimizers that
# take turns, losses that need gradients of gradients, control over the graph. They mix: a Keras model works in
# a `GradientTape` loop, and overriding `train_step` keeps `fit`.
#
# *Follow-up: what of your model did you have to write by hand here?* Nothing of training: only the data, the
# stack and the judgement.
#
# </details>
# <details><summary>Your model has 85 % accuracy. Is that good?</summary>
#
# Compare with guessing (10 % here), with a linear model, and between classes: recall by class shows whether
# one class carries the mistakes. Then look at the confident mistakes: they tell whether labels, photos or
# the model are the limit.
#
# *Follow-up: which shelves would you still sort by hand, and on what evidence?* Those for tops. A shelf is a
# column: more than one piece in five there is wrong, fewer than one in six elsewhere. Recall says which kinds get
# lost; precision says which shelf they end up on.
#
# </details>
#
# ### Quiz
#
# **1. Labels are one-hot vectors, the model ends in `softmax`. Which loss?**
#
# <details><summary>SparseCategoricalCrossentropy(from_logits=True)</summary>
#
# Two things are wrong: sparse means whole numbers, and this model gives probabilities, not logits.
#
# </details>
# <details><summary>CategoricalCrossentropy()</summary>
#
# Right: one-hot labels, and `from_logits=False` is its default.
#
# </details>
#
# **2. Training accuracy 99 %, validation accuracy 84 % and falling. What do you try first?**
#
# <details><summary>More epochs</summary>
#
# That widens the gap: the model already knows the training photos by heart.
#
# </details>
# <details><summary>Stop earlier, or regularise</summary>
#
# Right. The lab on regularization compares the ways.
#
# </details>
#
# **3. Where does `None` in an output shape `(None, 10)` come from?**
#
# <details><summary>A forgotten argument</summary>
#
# Nothing is missing. It is a size that the model leaves open.
#
# </details>
# <details><summary>The batch size, which may differ from call to call</summary>
#
# Right: the weights do not depend on it.
#
# </details>
#
# **4. From photos to a number that you may publish: put the steps in their order.**
#
# - compile the model
# - evaluate on the test photos
# - define the model
# - fit it, and choose by the validation photos
#
# <details><summary>The order</summary>
#
# 1. **define the model**: there must be layers before anything can be said of how they learn.
# 2. **compile the model**: `fit` needs the loss, the optimizer and the metrics.
# 3. **fit it, and choose by the validation photos**: as often as you like, with as many models as you like.
# 4. **evaluate on the test photos**: once, at the end. A number that was chosen by is no longer an exam.
#
# </details>
#
# **5. You are still choosing between two models. Which numbers may you look at? Choose all.**
#
# <details><summary>The loss on the training photos</summary>
#
# Right: it tells whether the network learns at all.
#
# </details>
# <details><summary>The accuracy on the validation photos</summary>
#
# Right: these photos are set aside for choosing.
#
# </details>
# <details><summary>The accuracy on the test photos</summary>
#
# Choose by it, and it flatters the model that you chose. Then no photos are left to tell.
#
# </details>

# %% [markdown]
# ## Recap
#
# You can now define, compile, fit and evaluate a network, and judge it by its mistakes.
#
# **On a GPU and at scale:** nothing in this code changes; TensorFlow uses the GPU by itself. A model this
# small will not run faster there, because starting each operation costs more than computing it. Larger
# batches and convolutions change that.
#
# **Full data:** `labs fetch fashion_mnist`, then `lab.load(..., full=True)` with
# `split=["train[:50000]", "train[50000:]", "test"]`, and `shuffle(50000)`.
#
# **Official documentation:** [the Sequential model](https://keras.io/guides/sequential_model/),
# [training with built-in methods](https://keras.io/guides/training_with_built_in_methods/),
# [losses](https://keras.io/api/losses/).
