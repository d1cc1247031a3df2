# ---
# jupyter:
#   labs:
#     title: Models that branch
#     promise: >-
#       Build a model that reads a photo and a table, answers two questions at once, shares its parts, and can
#       be drawn, taken apart and saved.
#     minutes: 75
#     level: intermediate
#     prerequisites: [keras/sequential]
#     outcomes:
#       - build a graph of layers with two inputs and two outputs, and draw it from its own structure
#       - give each output its own loss and balance them with loss weights
#       - write a residual connection, and call one part twice so that its weights are shared
#       - reuse a part of a trained model as a frozen feature extractor
#       - choose between Sequential, functional and subclassing, and save and load each
#     data: [fashion_mnist]
#     cpu_seconds: 60
#     replaces:
#       - {old: "`tf` functions on a Keras input", new: "`keras.ops`; Keras 3 refuses `tf` functions there"}
#       - {old: "a `Lambda` layer around a `tf` function", new: "`keras.ops`, which needs no layer around it"}
#       - {old: "`model.save('model.h5')`", new: "`model.save('model.keras')`"}
# ---

# %% [markdown]
# The shop has bought a photo booth. It cuts each piece of clothing out, evens the light and stores 6 by 6
# pixels. How large the piece was gets lost, so a ruler stands beside it. You will build a model that takes
# both, and names the kind *and* the room that the piece needs on a table.
#
# The longer cell below holds helpers: run it now, and read each helper when you meet it.

# %%
import labs

lab = labs.start("keras/functional")

# %% tags=["setup"]
import re

import keras
import matplotlib.pyplot as plt
import numpy as np
import tensorflow as tf

from labs import plots


def measure(photos):
    """Return thumbnails (n, 6, 6, 1), table (n, 3) and area (n,) of `photos`, uint8 (n, 28, 28, 1).

    The table holds height and width in pixels, and pattern: the mean step between neighbouring pixels.
    The area is the share of the photo that the piece covers, in per cent.
    """
    light = photos.astype(np.float32) / 255
    covered = light[..., 0] > 0.1
    (top, bottom), (left, right) = _span(covered.any(axis=2)), _span(covered.any(axis=1))
    boxes = np.stack([top, left, bottom - 1, right - 1], axis=1) / 27
    cut = tf.image.crop_and_resize(light, boxes, np.arange(len(light)), (24, 24))
    small = tf.nn.avg_pool2d(cut, 4, 4, "VALID").numpy()
    pattern = np.abs(np.diff(light[..., 0], axis=1)).mean(axis=(1, 2))
    table = np.stack([bottom - top, right - left, pattern], axis=1).astype(np.float32)
    area = 100 * covered.mean(axis=(1, 2))
    return small / small.max(axis=(1, 2, 3), keepdims=True), table, area.astype(np.float32)


def _span(used):
    """Return the first used place of each row and the one after the last."""
    return used.argmax(axis=1), used.shape[1] - used[:, ::-1].argmax(axis=1)


def start_again(model, seed):
    """Give a compiled `model` new weights and its optimizer a new state; a new model would be traced again."""
    keras.utils.set_random_seed(seed)
    model.set_weights(keras.models.clone_model(model).get_weights())
    rate = float(model.optimizer.learning_rate)
    model.optimizer.build(model.trainable_variables)
    for variable in model.optimizer.variables:
        variable.assign(0 * variable)
    model.optimizer.learning_rate = rate


def draw(model, title):
    """Return a figure of a functional `model`: a box for each call of a layer, an arrow for each tensor."""
    layers = model.get_config()["layers"]
    boxes = {
        (layer["name"], call): (layer, list(_sources(node)))
        for layer in layers
        for call, node in enumerate(layer["inbound_nodes"] or [()])
    }
    shapes = {operation.name: tf.nest.flatten(operation.output)[0].shape for operation in model.operations}
    places, rows = {}, {}
    for box in boxes:
        rows.setdefault(_depth(box, boxes), []).append(box)
    for row in sorted(rows):
        above = {box: np.mean([places[source][0] for source in boxes[box][1]] or [0]) for box in rows[row]}
        order = sorted(rows[row], key=above.get)
        even = 2.8 * (np.arange(len(order)) - (len(order) - 1) / 2)
        shift = np.mean(list(above.values()))
        wanted = np.array([above[box] for box in order])
        far = len(order) == 1 or np.diff(wanted).min() >= 2.8
        places |= {box: (x, -row) for box, x in zip(order, wanted if far else even + shift, strict=True)}
    figure, axes = plt.subplots(figsize=(8, 0.85 * len(rows) + 0.5))
    for box, (layer, sources) in boxes.items():
        for source in sources:
            (x, y), (to_x, to_y) = places[source], places[box]
            way = {"arrowstyle": "-|>", "color": "0.35", "shrinkA": 0, "shrinkB": 0}
            way["connectionstyle"] = "arc3,rad=-0.65" if y - to_y > 1 and x == to_x else "arc3"
            axes.annotate("", (to_x, to_y + 0.24), (x, y - 0.24), arrowprops=way)
        text = f"{_label(layer)}{f', call {box[1] + 1}' if box[1] else ''}\n{shapes[box[0]]}"
        shade = "#cfe3f1" if not sources else "#fbe3b8" if layer["inbound_nodes"][1:] else "white"
        frame = {"boxstyle": "round,pad=0.35", "facecolor": shade, "edgecolor": "0.35"}
        axes.text(*places[box], text, ha="center", va="center", fontsize=9, bbox=frame)
    wide = max(abs(x) for x, _ in places.values()) + 1.6
    axes.set(xlim=(-wide, wide), ylim=(-len(rows) + 0.4, 0.6), title=title)
    axes.axis("off")
    return figure


def _sources(node):
    """Yield (layer, call) of every tensor in a node of the config, however nested."""
    if isinstance(node, dict) and "keras_history" in node:
        yield tuple(node["keras_history"][:2])
    elif isinstance(node, dict | list | tuple):
        for part in node.values() if isinstance(node, dict) else node:
            yield from _sources(part)


def _depth(box, boxes):
    """Return how many arrows the longest way from an input to `box` has."""
    return max((1 + _depth(source, boxes) for source in boxes[box][1]), default=0)


def _label(layer):
    """Return a layer's class, with its name where somebody gave it one."""
    name, kind = re.sub(r"_\d+$", "", layer["name"]), layer["class_name"].replace("InputLayer", "Input")
    return kind if name.replace("_", "") in (kind.lower(), "inputlayer") else f"{name} ({kind})"


# %% [markdown]
# ## 1. See what a stack cannot take
#
# There is no booth: `measure`, above, imitates it. From each photo of Fashion-MNIST at its full 28 by 28 pixels
# it takes the thumbnail, cut to the piece, and three numbers: height, width and pattern. So photo and table
# agree better than a real camera and ruler would. The area comes from the same photo.

# %%
(raw,) = lab.load("fashion_mnist", split=["train"])
photos, kinds = next(raw.batch(6000).as_numpy_iterator())
labels = lab.labels("fashion_mnist")
thumbnails, measured, areas = measure(photos)
mean, spread = measured[:5000].mean(axis=0), measured[:5000].std(axis=0)
table = (measured - mean) / spread  # on a common scale, by the training part alone
print("thumbnails", thumbnails.shape, "table", table.shape, "areas", areas.shape)
print(f"area: {areas.mean():.0f} % of the photo on average, from {areas.min():.0f} to {areas.max():.0f} %")

# %%
shown = [next(i for i in range(6000) if kinds[i] == kind) for kind in (1, 3, 2, 7, 9, 8)]
enlarged = thumbnails[shown].repeat(28, axis=1).repeat(28, axis=2)
full = (photos[shown] / 255.0).repeat(6, axis=1).repeat(6, axis=2)
heights = [f"{measured[i, 0]:.0f} high, {measured[i, 1]:.0f} wide" for i in shown]
names = [f"{labels[kinds[i]]}\n{areas[i]:.0f} %" for i in shown]
figure = plots.images(
    np.concatenate([full, enlarged]),
    names + heights,
    title="Full photos, and below what the model gets",
    columns=6,
)
lab.show(figure, alt="Six photos of clothes and below each a blurred square of 6 by 6 pixels with two sizes.")

# %% [markdown]
# **Predict.** A layer is called like a function. What does `keras.layers.Dense(4)(keras.Input((3,)))` give?
#
# <details><summary>Four numbers</summary>
#
# There is no data yet, so nothing can be computed. What stands in for it?
#
# </details>
# <details><summary>A layer</summary>
#
# `Dense(4)` alone is a layer. Here it was called, on something that has a shape and no values.
#
# </details>
# <details><summary>A symbolic tensor with the shape (None, 4)</summary>
#
# Right: a promise of a tensor, which also remembers the layer and the input that it comes from.
#
# </details>

# %%
a, b = keras.Input((3,), name="a"), keras.Input((5,), name="b")
hidden = keras.layers.Dense(4)(a)
joined = keras.layers.Concatenate()([hidden, b])
print("kind of thing:", type(joined).__name__, "- shape:", joined.shape)
tiny = keras.Model({"a": a, "b": b}, keras.layers.Dense(1)(joined))
print("with data:", tiny({"a": np.ones((2, 3)), "b": np.ones((2, 5))}).shape)
with lab.fails(ValueError):
    keras.Sequential([keras.Input((3,)), keras.layers.Dense(4), keras.layers.Concatenate()])

# %% [markdown]
# Each call adds a node to a graph, and each tensor is an arrow between two nodes. `keras.Model(inputs, outputs)`
# cuts a model out of it: everything on the way from the inputs to the outputs. `Sequential` hands exactly one
# tensor from layer to layer, so it has nowhere to put the second input of `Concatenate`.
#
# ## 2. Join two branches
#
# Each input gets its own `Dense` layer, because 36 pixels and 3 measurements need different weights. Then
# `Concatenate` lays both results side by side, and one more layer mixes them.
#
# **Predict.** Both branches end in 32 numbers, and the layer after `Concatenate` has 32 units. How many weights
# has that layer, biases included?
#
# <details><summary>The number</summary>
#
# **2080**: 64 numbers come in, so 64 times 32 weights and 32 biases.
#
# - **1056**: that is 32 times 32, plus 32: what `Add` would leave. `Concatenate` adds no numbers up.
# - **2048**: those are the weights of 64 inputs and 32 outputs. Each output has a bias, too.
#
# </details>
#
# ### Exercise: photo and table
#
# Write `two_branches`: inputs named `image` and `table`, each into its own `Dense` of `units` with `relu`, the
# image flattened before. Join them, and end with a `Dense` of `units` with `relu` whose *name* is `features`.


# %% tags=["exercise"]
def two_branches(image_shape, columns, units):
    """Return a model from {"image": `image_shape`, "table": (`columns`,)} to `units` features."""
    ### BEGIN SOLUTION
    image = keras.Input(image_shape, name="image")
    table = keras.Input((columns,), name="table")
    seen = keras.layers.Dense(units, activation="relu")(keras.layers.Flatten()(image))
    read = keras.layers.Dense(units, activation="relu")(table)
    joined = keras.layers.Concatenate()([seen, read])
    features = keras.layers.Dense(units, activation="relu", name="features")(joined)
    return keras.Model({"image": image, "table": table}, features)
    ### END SOLUTION


# %% tags=["check"]
two_branches = lab.check(two_branches)

# %%
trunk = two_branches((6, 6, 1), columns=3, units=32)
lab.show(
    draw(trunk, "Two ways in, one way out"),
    alt="Boxes from top to bottom: image goes through Flatten and Dense, table through Dense; "
    "Concatenate joins them, and a Dense layer called features ends it.",
)

# %% [markdown]
# Nobody drew this by hand: `draw` reads the layers and their calls from `model.get_config()`. Keras' own
# `keras.utils.plot_model(model)` shows more, but needs the package `pydot` and the system's Graphviz, and says so
# where they are missing. Look at a graph before you train it: most mistakes in it can be seen.

# %% [markdown]
# ## 3. Answer two questions
#
# A model with two outputs has two *heads* on one trunk. One gives a logit for each kind; the other one number,
# the area in per cent. `Rescaling` makes it begin near the mean area instead of near 0. The names of the heads
# become the keys of everything that belongs to them.


# %%
def two_heads(trunk):
    kind = keras.layers.Dense(10, name="kind")(trunk.output)
    area = keras.layers.Dense(1)(trunk.output)
    area = keras.layers.Rescaling(scale=15.0, offset=45.0, name="area")(area)
    return keras.Model(trunk.input, {"kind": kind, "area": area})


inputs, answers = {"image": thumbnails, "table": table}, {"kind": kinds, "area": areas}
examples = tf.data.Dataset.from_tensor_slices((inputs, answers))
train_ds = examples.take(5000).cache().shuffle(5000, seed=lab.seed).batch(100)
val_ds = examples.skip(5000).batch(500).cache()
print({name: tuple(spec.shape) for part in train_ds.element_spec for name, spec in part.items()})

# %% [markdown]
# **Predict.** Training minimises *one* number, the sum of both losses. Untrained, the cross-entropy is near 2.3 and
# the squared error of the area above 200. What will training without weights care for?
#
# <details><summary>Both alike: each head has its own loss</summary>
#
# Each head does. But the trunk below them gets the sum of two gradients, and one is far larger.
#
# </details>
# <details><summary>Mostly the area</summary>
#
# Right: the unit decides. Measured as a fraction instead of per cent, the same loss would be 10,000 times smaller.
#
# </details>
#
# ### Exercise: two losses, balanced
#
# Write `compile_two`: Adam with a learning rate of 0.003; for `kind` the cross-entropy of whole-number labels and
# logits, and `accuracy`; for `area` the mean squared error, and `mae`. The area's loss counts `area_weight`
# times, that of the kind once. Return the model.


# %% tags=["exercise"]
def compile_two(model, area_weight):
    """Compile `model`, with the outputs "kind" (logits) and "area", for both losses; return it."""
    ### BEGIN SOLUTION
    model.compile(
        optimizer=keras.optimizers.Adam(0.003),
        loss={"kind": keras.losses.SparseCategoricalCrossentropy(from_logits=True), "area": "mse"},
        loss_weights={"kind": 1.0, "area": area_weight},
        metrics={"kind": ["accuracy"], "area": ["mae"]},
    )
    return model
    ### END SOLUTION


# %% tags=["check"]
compile_two = lab.check(compile_two)

# %%
runs, weights = {}, (0.005, 1.0)
for weight in weights:
    lab.reseed()
    model = compile_two(two_heads(two_branches((6, 6, 1), columns=3, units=32)), weight)
    model.fit(train_ds, epochs=4, verbose=0)
    runs[weight] = model, model.evaluate(val_ds, verbose=0, return_dict=True)
print("measured:", ", ".join(sorted(runs[1.0][1])))
accuracies = [100 * runs[weight][1]["kind_accuracy"] for weight in weights]
print("weight 0.005 names at least 5 in 100 more than weight 1:", accuracies[0] > accuracies[-1] + 5)
errors = [runs[weight][1]["area_mae"] for weight in weights]
print("and the area is less than a point worse:", errors[0] < errors[1] + 1)
sorter = runs[0.005][0]

# %% [markdown]
# Weight 1 looks neutral and is not: it lets the unit decide. Begin with weights that bring the losses to a like
# size, here 1/200, then shift them towards what matters to you. Both heads share a trunk of limited size, so
# what one gains may be what the other loses. (That was one run from one seed: try others.)
#
# ## 4. Lead a way around
#
# A *residual* block gives `x + f(x)`: its layers learn only what to change. Where the widths agree, the way
# around them has no weights, and the gradient flows back along it undiminished.
#
# **Predict.** All weights and biases of a block `x + f(x)` are 0, where `f` is two `Dense` layers. What comes out?
#
# <details><summary>Zeros</summary>
#
# `f(x)` is zero, yes. And what is added to it?
#
# </details>
# <details><summary>x itself</summary>
#
# Right. A block can do nothing at all, which a plain layer has to learn. So more blocks hardly do harm.
#
# </details>
#
# ### Exercise: a residual block
#
# Write `residual_block`: `Dense` of `units` with `relu`, then `Dense` of `units` without; add `x`, and nothing
# after that. The layers always get `x` itself. If `x` has another width than `units`, put a `Dense` of `units`
# without a bias on the way around.


# %% tags=["exercise"]
def residual_block(x, units):
    """Return the symbolic tensor x + f(x), shape (batch, `units`), for a symbolic `x` (batch, any width)."""
    ### BEGIN SOLUTION
    changed = keras.layers.Dense(units, activation="relu")(x)
    changed = keras.layers.Dense(units)(changed)
    if x.shape[-1] != units:
        x = keras.layers.Dense(units, use_bias=False)(x)
    return keras.layers.Add()([x, changed])
    ### END SOLUTION


# %% tags=["check"]
residual_block = lab.check(residual_block)

# %%
x = keras.Input((4,), name="x")
figure = draw(keras.Model(x, residual_block(x, 4)), "One way through the layers, one around them")
lab.show(figure, alt="x goes through two Dense layers to Add, and by a curved arrow directly to Add.")


# %%
def plain_block(x, units):
    return keras.layers.Dense(units)(keras.layers.Dense(units, activation="relu")(x))


def train_deep(block, blocks=8):
    lab.reseed()
    trunk = two_branches((6, 6, 1), columns=3, units=24)
    x = trunk.output
    for _ in range(blocks):
        x = block(x, 24)
    model = keras.Model(trunk.input, keras.layers.Dense(10)(x))
    model.compile("adam", keras.losses.SparseCategoricalCrossentropy(from_logits=True), metrics=["accuracy"])
    return model.fit(kinds_ds, epochs=2, verbose=0).history["accuracy"]


# %%
kinds_ds = train_ds.map(lambda inputs, answers: (inputs, answers["kind"]))
deep = {"plain": train_deep(plain_block), "residual": train_deep(residual_block)}
deep["no blocks"] = train_deep(plain_block, blocks=0)
figure, axes = plt.subplots()
for (name, accuracy), marker in zip(deep.items(), plots.MARKERS, strict=False):
    axes.plot(["1", "2"], 100 * np.array(accuracy), marker=marker, label=name)
axes.set(xlabel="epoch", ylabel="training accuracy (%)", ylim=(0, 100))
axes.set_title("Eight residual blocks learn sooner than eight plain ones")
axes.legend()
lab.show(figure, alt="Training accuracy over two epochs: residual far above plain, no blocks between.")
print("ahead by more than 10 points after epoch 2:", deep["residual"][1] > deep["plain"][1] + 0.1)
print("and no worse than without any blocks:", deep["residual"][1] > deep["no blocks"][1])

# %% [markdown]
# Both deep models have the same layers and the same number of weights; only the additions differ. This task needs
# no sixteen layers, and that is the point: layers that are too many should at least do no harm. Those with a way
# around even helped, those without did not. Every ResNet and every transformer has this addition in each block.
#
# ## 5. Call one part twice
#
# In Fashion-MNIST nearly all shoes point to the left. Somebody hangs a mirror into the booth, and a sorter that has
# never seen a shoe point to the right begins to fail. Let a model look twice: at the photo and at its mirror
# image.
#
# **Predict.** One `Dense` layer of 1,184 weights is called on the photo and again on its mirror image. How many
# weights does the model get from it?
#
# <details><summary>The number</summary>
#
# **1,184**: one layer, two calls. In training its gradient is the sum over both.
#
# - **2,368**: weights belong to the layer, not to the call. How many layers were made?
#
# </details>
#
# ### Exercise: mirror-proof
#
# Write `mirror_proof`: a model that gives the *mean* of what `encoder` says of the photo and of its mirror
# image, left and right exchanged. Then a mirror cannot change the answer. `keras.ops.flip` works on symbolic
# tensors.


# %% tags=["exercise"]
def mirror_proof(encoder, image_shape):
    """Return a model from photos (batch, *`image_shape`) to the mean of `encoder` on each and its mirror image."""
    ### BEGIN SOLUTION
    image = keras.Input(image_shape)
    mirrored = keras.ops.flip(image, axis=2)
    return keras.Model(image, keras.layers.Average()([encoder(image), encoder(mirrored)]))
    ### END SOLUTION


# %% tags=["check"]
mirror_proof = lab.check(mirror_proof)


# %%
loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
as_shot, mirrored = thumbnails[5000:], thumbnails[5000:, :, ::-1]
for calls in ("once", "twice"):
    lab.reseed()
    layers = [keras.layers.Flatten(), keras.layers.Dense(32, activation="relu"), keras.layers.Dense(10)]
    encoder = keras.Sequential([keras.Input((6, 6, 1)), *layers], name="encoder")
    model = encoder if calls == "once" else mirror_proof(encoder, (6, 6, 1))
    model.compile(keras.optimizers.Adam(0.003), loss, metrics=["accuracy"])
    model.fit(thumbnails[:5000], kinds[:5000], batch_size=100, epochs=4, verbose=0)
    right, turned = (model.evaluate(x, kinds[5000:], 500, verbose=0)[1] for x in (as_shot, mirrored))
    print(calls, model.count_params(), "weights; a mirror costs over 10 points:", right - turned > 0.1)

# %%
lab.show(
    draw(model, "One encoder, called twice"),
    alt="The input goes into the encoder directly and, through Flip, into its second call; Average joins both.",
)

# %% [markdown]
# The orange boxes are one encoder with one set of weights. Siamese networks, which compare two photos, are built in
# the same way. And the encoder is itself a model: a model is called like a layer, so parts are tested alone and
# then put together.
#
# ## 6. Reuse a part
#
# The shop opens four rooms: tops, trousers and dresses, shoes, bags. Only five photos for each room have been
# sorted. The sorter has seen 5,000, and its layer `features` has turned them into 32 useful numbers. (The rooms
# are made of the ten kinds, so this is a friendly test.)
#
# **Predict.** You cut out `keras.Model(sorter.input, sorter.get_layer("features").output)`. Whose weights has it?
#
# <details><summary>Its own, copied at this moment</summary>
#
# Nothing is copied: it is another view of the same layers. Train one, and both change.
#
# </details>
# <details><summary>The sorter's</summary>
#
# Right. That saves memory and time, and it is a trap: training the new model would change the old one.
#
# </details>
#
# ### Exercise: a frozen extractor
#
# Write `reuse`: a new model on the layers of `model` up to the output of the layer called `layer_name`, frozen,
# and on top a new `Dense` of `outputs` logits that learns.


# %% tags=["exercise"]
def reuse(model, layer_name, outputs):
    """Return a model: `model` up to `layer_name`, shared and frozen, then a new Dense of `outputs` logits."""
    ### BEGIN SOLUTION
    extractor = keras.Model(model.input, model.get_layer(layer_name).output)
    extractor.trainable = False
    return keras.Model(model.input, keras.layers.Dense(outputs)(extractor.output))
    ### END SOLUTION


# %% tags=["check"]
reuse = lab.check(reuse)

# %%
rooms = np.array([0, 1, 0, 1, 0, 2, 0, 2, 3, 2])[kinds]
chosen = np.concatenate([np.flatnonzero(rooms[:5000] == room)[:5] for room in range(4)])
few = {name: values[chosen] for name, values in inputs.items()}
rest = {name: values[5000:] for name, values in inputs.items()}
model = reuse(sorter, "features", 4)
model.compile(keras.optimizers.Adam(0.01), loss, metrics=["accuracy"])
model.fit(few, rooms[chosen], batch_size=20, epochs=30, verbose=0)
learnt = sum(int(np.prod(weight.shape)) for weight in model.trainable_weights)
print("learnt from 20 photos:", learnt, "of", model.count_params(), "weights")
accuracy = model.evaluate(rest, rooms[5000:], 500, verbose=0)[1]
print("more than three of four photos in the right room:", accuracy > 0.75)

# %%
print("the sorter trains", len(sorter.trainable_weights), "of its", len(sorter.weights), "variables")
sorter.trainable = True
print("after sorter.trainable = True:", len(sorter.trainable_weights))
for layer in sorter.layers:
    layer.trainable = True
print("after the same for each layer:", len(sorter.trainable_weights))
kernel = model.get_layer("features").kernel
before = kernel.numpy()
model.fit(few, rooms[chosen], batch_size=20, verbose=0)
print("fit moves the thawed features:", not np.array_equal(before, kernel.numpy()))

# %% [markdown]
# Twenty photos are enough for 132 weights. Whether a new network would do worse is not shown: try it.
#
# `trainable` belongs to the layers, so the sorter's trunk is frozen too. `sorter.trainable = True` changed nothing,
# because the sorter itself never was frozen. Thaw what you froze, and then compile again: `fit` goes on with the
# weights that it trained before, and says nothing.

# %% [markdown]
# ## 7. Save it, or write it as a class
#
# `.keras` is a zip file of three parts: the configuration, the weights, and metadata. For a functional model the
# configuration *is* the graph, so the program that loads it needs none of your code.

# %%
path = lab.scratch / "sorter.keras"
sorter.save(path)
loaded = keras.saving.load_model(path)
ours, theirs = (model.predict(rest, batch_size=500, verbose=0) for model in (sorter, loaded))
print("same answers:", all(np.array_equal(ours[name], theirs[name]) for name in ours))
print("compiled too:", loaded.loss is not None, "- layers:", len(loaded.layers))

# %% [markdown]
# **Predict.** A subclass of `keras.Model` has a `call` method with any Python in it. What does Keras save of
# it? Choose all.
#
# <details><summary>The code of call</summary>
#
# Not for a class: loading it would run whatever somebody put into the file. (A `lambda` in a `Lambda` layer is
# the exception: its bytecode is saved, and Keras refuses to load it unless you say `safe_mode=False`.)
#
# </details>
# <details><summary>The name of the class</summary>
#
# Right. Whoever loads the file must have the class itself.
#
# </details>
# <details><summary>What get_config returns</summary>
#
# Right. So it must hold what `__init__` needs.
#
# </details>
# <details><summary>The weights</summary>
#
# Right, by the place of each in the model.
#
# </details>
#
# ### Exercise: a sorter as a class
#
# Write `SorterModel`: one `relu` layer of `units` for each input, the image flattened, and both joined; no
# `features` layer this time. Then `Dropout(rate)`, and two `Dense` heads on it, `classes` logits and one number.
# Make layers in `__init__`, call them in `call`, and write `get_config`, so that it survives saving.


# %% tags=["exercise"]
class SorterModel(keras.Model):
    """From {"image", "table"} to {"kind": (batch, classes), "area": (batch, 1)}."""

    def __init__(self, units, classes, rate, **kwargs):
        ### BEGIN SOLUTION
        super().__init__(**kwargs)
        self.units, self.classes, self.rate = units, classes, rate
        self.flatten = keras.layers.Flatten()
        self.see = keras.layers.Dense(units, activation="relu")
        self.read = keras.layers.Dense(units, activation="relu")
        self.join = keras.layers.Concatenate()
        self.drop = keras.layers.Dropout(rate)
        self.kind = keras.layers.Dense(classes)
        self.area = keras.layers.Dense(1)
        ### END SOLUTION

    def call(self, inputs):
        ### BEGIN SOLUTION
        joined = self.join([self.see(self.flatten(inputs["image"])), self.read(inputs["table"])])
        joined = self.drop(joined)
        return {"kind": self.kind(joined), "area": self.area(joined)}
        ### END SOLUTION

    def get_config(self):
        ### BEGIN SOLUTION
        return {**super().get_config(), "units": self.units, "classes": self.classes, "rate": self.rate}
        ### END SOLUTION


# %% tags=["check"]
SorterModel = lab.check(SorterModel)

# %%
as_class = SorterModel(units=32, classes=10, rate=0.2)
print("has weights before its first call:", len(as_class.weights) > 0)
as_class(few)
print("and after it:", len(as_class.weights))
with lab.fails(AttributeError):
    keras.Model(as_class.inputs, as_class.kind.output)  # cut a part out, as in section 6

# %%
path = lab.scratch / "class.keras"
as_class.save(path)
keras.saving.get_custom_objects().clear()  # as in another program: no class of yours is known by name
with lab.fails(TypeError):
    keras.saving.load_model(path)
known = {keras.saving.get_registered_name(SorterModel): SorterModel}
loaded = keras.saving.load_model(path, custom_objects=known)
print("known as", *known)
print("with the class at hand:", np.allclose(loaded(few)["kind"], as_class(few)["kind"], atol=1e-6))

# %% [markdown]
# | | Sequential | functional | subclass |
# |---|---|---|---|
# | holds | one row | any graph | any Python |
# | draw, cut | yes | yes | no |
# | to load | file | file | file, class |
#
# A stack for a stack, functional for nearly all else, a class for loops or conditions that no graph of
# layers can hold (`fit` still traces `call`). `@keras.saving.register_keras_serializable()` saves you
# the `custom_objects`.

# %% [markdown]
# ## Break it: a layer that forgot its input
#
# `Dense(32)` makes a layer; `Dense(32)(x)` calls it. Forget the second pair of brackets and a layer stands where a
# tensor was meant. Usually Keras says so at once. With `+` it does not.

# %%
x = keras.Input((4,), name="x")
with lab.fails(ValueError):
    keras.layers.Dense(1)(keras.layers.Dense(4, name="forgotten"))
with lab.fails(ValueError):
    keras.Model(x, keras.layers.Dense(4, name="forgotten"))
summed = x + keras.layers.Dense(4, name="forgotten")  # no error, and it even has a shape
silent = keras.Model(x, keras.layers.Dense(1)(summed))
print("built, with", silent.count_params(), "weights; a Dense(4) on x would bring 20 more")
try:
    silent(np.ones((2, 4), np.float32))
except ValueError as error:
    print("the first batch of data fails:", "<Dense name=forgotten" in str(error))

# %% [markdown]
# The message "Only input tensors may be passed as positional arguments" nearly always means this mistake: something
# that is no tensor stands there. Where there is none, count: 5 weights are the last layer's alone. *Mend
# it* by calling the layer, then draw the graph: each layer needs an arrow into it.
#
# The second mistake is quieter still. A loss written by hand gets targets of shape `(n,)` and predictions of
# shape `(n, 1)`.

# %%
targets = tf.constant([1.0, 2.0, 3.0, 4.0])
predictions = targets[:, tf.newaxis]  # all right, in the shape that a Dense(1) gives
print(targets.shape, "minus", predictions.shape, "has the shape", (targets - predictions).shape)
print(f"every answer is right, and the loss is {tf.reduce_mean((targets - predictions) ** 2):.3f}")


class Squared(keras.losses.Loss):
    def call(self, y_true, y_pred):
        return tf.reduce_mean((y_true - y_pred) ** 2)


class Mended(Squared):
    def call(self, y_true, y_pred):
        return super().call(tf.reshape(y_true, tf.shape(y_pred)), y_pred)


def as_function(y_true, y_pred):
    return tf.reduce_mean((y_true - y_pred) ** 2)


# %%
areas_ds, guesses = train_ds.map(lambda inputs, answers: (inputs, answers["area"])), []
for loss_fn in (Squared(), Mended()):
    lab.reseed()
    both = two_heads(two_branches((6, 6, 1), columns=3, units=32))
    model = keras.Model(both.input, both.output["area"])
    model.compile(keras.optimizers.Adam(0.003), loss_fn)
    model.fit(areas_ds, epochs=4, verbose=0)
    guesses.append(model.predict(rest, batch_size=500, verbose=0)[:, 0])
# %%
figure, axes = plt.subplots()
for name, guess, marker in zip(("(n, n) differences", "(n, 1) differences"), guesses, "os", strict=True):
    axes.scatter(areas[5000:], guess, s=10, marker=marker, label=name, alpha=0.6)
axes.set(
    xlabel="true area (% of the photo)", ylabel="predicted area (%)", title="One of them learns the mean"
)
axes.legend(markerscale=2)
lab.show(figure, alt="Predicted against true area. One cloud follows the diagonal; the other lies flat.")
print("its answers spread less than a third as far:", guesses[0].std() < guesses[1].std() / 3)
model.compile(loss=as_function)
squared = model.evaluate(rest, areas[5000:], 1000, verbose=0)
print("as a plain function the same formula compares each answer with its own target:", squared < 50)

# %% [markdown]
# Compared with every target of the batch, the best answer is their mean. No error, and the loss even falls, down to
# the variance of the targets. *Mend it*: print both shapes once in every loss that you write. A plain function is
# safe in `compile`, because Keras gives both sides the same rank first. For a subclass of `Loss` it does not,
# nor is it there in a loop of your own.

# %% [markdown]
# ## Measure it: does the table earn its place?
#
# Every input costs: somebody has to hold the ruler. So train three models from three seeds each: thumbnail alone,
# table alone, both. To leave an input out, give it zeros, so that the models stay equal in size.


# %%
def part(data, rows):
    return {name: values[rows] for name, values in data.items()}


def train_on(*used, seed):
    start_again(model, seed)
    x = {name: values if name in used else 0 * values for name, values in inputs.items()}
    model.fit(part(x, learn), part(answers, learn), batch_size=100, epochs=4, verbose=0)
    return model.evaluate(part(x, judge), part(answers, judge), 500, verbose=0, return_dict=True)


model = compile_two(two_heads(two_branches((6, 6, 1), columns=3, units=32)), 0.005)
learn, judge = slice(5000), slice(5000, None)
uses = {"thumbnail": ["image"], "table": ["table"], "both": ["image", "table"]}
results = {name: [train_on(*used, seed=seed) for seed in (1, 2, 3)] for name, used in uses.items()}

# %%
figure, pair = plt.subplots(1, 2, figsize=(9, 3.6))
scales = {"kind_accuracy": (100, "accuracy of the kind (%)"), "area_mae": (1, "error of the area (points)")}
for axes, (key, (factor, label)) in zip(pair, scales.items(), strict=True):
    for i, name in enumerate(results):
        values = [factor * run[key] for run in results[name]]
        axes.scatter([i] * 3, values, s=50, marker=plots.MARKERS[i], clip_on=False)
    axes.set(xlabel="inputs", ylabel=label, ylim=(0, None), xlim=(-0.5, 2.5))
    axes.set_xticks(range(3), list(results))
figure.suptitle("Neither input alone knows the area", fontweight="bold", x=0.01, ha="left")
lab.show(figure, alt="Three runs each. With both inputs the error of the area is the lowest by far.")

# %%
accuracy = {name: np.mean([run["kind_accuracy"] for run in results[name]]) for name in results}
error = {name: [run["area_mae"] for run in results[name]] for name in results}
print("both name more kinds than the thumbnail, on average:", accuracy["both"] > accuracy["thumbnail"] + 0.01)
print("both name more kinds than the table, on average:", accuracy["both"] > accuracy["table"] + 0.1)
alone = min(error["thumbnail"] + error["table"])
print("area: both have less than 0.7 of either's error, in every run:", max(error["both"]) < 0.7 * alone)

# %% [markdown]
# The area is height times width times the share of that box which is filled. The ruler knows the first two, the
# thumbnail the third: only a model that joins them can multiply. For the kind the table helps less, because the
# shape says most of it. That is what a second input should be asked: does it know something that the first does
# not?

# %% [markdown]
# ## Explain it
#
# Answer aloud before you open the model answer: that is what the interview will be like.
#
# <details><summary>Sequential, functional or subclassing: when which?</summary>
#
# Sequential if every layer has one input and one output, in a row. Functional for any fixed graph: several
# inputs or outputs, shared layers, ways around. It is checked while it is built, can be drawn, cut apart, and
# loaded without your code. A subclass when the way through depends on data, or loops: TensorFlow still traces
# it, but to Keras `call` is a black box, and saving needs `get_config` and the class. They mix: a subclassed
# layer is a node of a functional graph.
#
# *Follow-up: which step of section 6 could you not do with `SorterModel`?* Cutting out the features: it has no
# `inputs`, and its layers no symbolic output.
#
# </details>
# <details><summary>How do you define, compile and train a model with two outputs?</summary>
#
# Layers called on tensors, heads with names, `keras.Model` on dicts. Compile with an optimizer, and dicts of
# losses, loss weights and metrics under those names. A `tf.data` pipeline yields (dict of inputs, dict of
# targets) in batches; fit for some epochs, with validation data. Weigh the losses so that no unit decides.
#
# *Follow-up: the loss is 230 at the start and the accuracy of one head is poor. What do you suspect?* The
# squared error in per cent outweighs the cross-entropy of 2.3; here a weight of 0.005 brought the accuracy
# back.
#
# </details>
# <details><summary>Why do residual connections help?</summary>
#
# A block has to learn only a change, can do nothing at no cost, and the addition passes the gradient on
# unchanged, so early layers of a deep model still learn.
#
# *Follow-up: the block's input has 64 numbers and its layers give 24. What now?* A `Dense` of 24 on the way around.
#
# </details>
#
# ### Quiz
#
# **1. `x = keras.layers.Dense(8)` and then `keras.layers.Dense(1)(x)`. What happens?**
#
# <details><summary>A model with two layers</summary>
#
# The first layer was never called, so nothing flows into the second.
#
# </details>
# <details><summary>An error that speaks of tensors as positional arguments</summary>
#
# Right: a layer stands where a tensor was meant.
#
# </details>
#
# **2. One `Dense(5)` is called on two inputs of 10 numbers each. How many weights are there?**
#
# <details><summary>The number</summary>
#
# **55**: 10 times 5 and 5 biases, once.
#
# - **110**: that would be two layers. And how would one layer be called on inputs of different widths? Not at
#   all.
# - **50**: each of the five outputs has a bias, too.
# - **105**: the inputs are not joined. The layer sees 10 numbers at a time, twice.
#
# </details>
#
# **3. A regression predicts the same for everyone, without an error. What do you print first?**
#
# <details><summary>The shapes of targets and predictions inside the loss</summary>
#
# Right: `(n,)` and `(n, 1)` make `(n, n)`.
#
# </details>
# <details><summary>The learning rate</summary>
#
# It may be too small too. But the flat line at the mean is the mark of broadcasting, and one print tells.
#
# </details>

# %% [markdown]
# ## Recap
#
# You can now build, draw, train, take apart and save a model with several inputs and outputs, and say when a
# graph is the right form for it.
#
# **On a GPU and at scale:** the code stays. Branches do not run side by side by themselves on one GPU, so a
# wide graph of small layers gains little there. Large pretrained models come as functional graphs:
# `get_layer(...).output` cuts features out of them in the same way.
#
# **Full data:** `labs fetch fashion_mnist`, then `lab.load(..., full=True)`, and in all cells 60000 in place of
# 6000 and 55000 in place of 5000.
#
# **Official documentation:** [the functional API](https://keras.io/guides/functional_api/),
# [making new layers and models via
# subclassing](https://keras.io/guides/making_new_layers_and_models_via_subclassing/), [save, serialize and
# export](https://keras.io/guides/serialization_and_saving/), [merging
# layers](https://keras.io/api/layers/merging_layers/).
