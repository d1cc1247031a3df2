# ---
# jupyter:
#   labs:
#     title: Fit a model into a scanner
#     promise: >-
#       Turn a trained network into one small file, in four precisions, run it without TensorFlow's runtime, and
#       decide by measurements which file ships.
#     minutes: 90
#     level: intermediate
#     prerequisites: [keras/sequential]
#     outcomes:
#       - convert a Keras model and a SavedModel to TFLite, and run the file with LiteRT, one photo or a thousand
#       - put numbers into a byte and back with a scale and a zero point, by hand
#       - write a representative data set, and make float32, float16, dynamic range and int8 files
#       - compare variants on the whole test set, class by class, and time them with and without XNNPACK
#       - get round an operator that does not convert, and choose a variant under a budget
#     data: [fashion_mnist]
#     cpu_seconds: 45
#     replaces:
#       - {old: "`tf.lite.Interpreter`", new: "`Interpreter` of `ai_edge_litert.interpreter`; the old one warns"}
#       - {old: "TensorFlow Lite, the runtime", new: "LiteRT; the converter is still `tf.lite.TFLiteConverter`"}
#       - {old: "`from_concrete_functions([f], model)`", new: "`from_keras_model` or `from_saved_model`"}
#       - {old: "`Optimize.OPTIMIZE_FOR_SIZE`, `OPTIMIZE_FOR_LATENCY`", new: "`tf.lite.Optimize.DEFAULT`"}
#       - {old: "`model.save(folder)` for a SavedModel", new: "`model.export(folder)`"}
#       - {old: "quantizing in the converter", new: "LiteRT Quantizer; the converter still does it in 2.21"}
# ---

# %% [markdown]
# The shop's sorter of clothes has to work in the store-room, on a hand scanner. There is no network, no Python
# and no room for TensorFlow: a small runtime is there, and 150 kB are left for the model. A smaller file is easily
# made. The question is which one you dare to ship, and how you know.
#
# The longer cell below holds helpers: run it now, and read each helper when you meet it.

# %%
import labs

lab = labs.start("deploy/tflite")

# %% tags=["setup"]
import contextlib
import io
import re
import time
import warnings

import keras
import matplotlib.pyplot as plt
import numpy as np
import tensorflow as tf
from ai_edge_litert.interpreter import Interpreter, OpResolverType

from labs import plots, quiet


def prepare(pixels):
    """Scale `pixels` (uint8, any shape) to float32 in [0, 1], as the model expects them."""
    return pixels.astype(np.float32) / np.float32(255)


def make_sorter():
    """Return two convolutions and two dense layers, with names that go into the file, compiled for 6 epochs."""
    conv = {"kernel_size": 3, "padding": "same", "activation": "relu"}
    sorter = keras.Sequential(name="sorter")
    sorter.add(keras.Input((28, 28, 1), name="images"))
    for filters, name in ((16, "edges"), (32, "parts")):
        sorter.add(keras.layers.Conv2D(filters, name=name, **conv))
        sorter.add(keras.layers.MaxPooling2D(name=f"{name}_halved"))
    sorter.add(keras.layers.Flatten(name="row"))
    sorter.add(keras.layers.Dropout(0.3, name="drop"))
    sorter.add(keras.layers.Dense(64, activation="relu", name="features"))
    sorter.add(keras.layers.Dense(10, name="logits"))
    rate = keras.optimizers.schedules.CosineDecay(4e-3, decay_steps=6 * 47)
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    sorter.compile(keras.optimizers.Adam(rate), loss)
    return sorter


# %% [markdown]
# ## 1. Turn a model into one file
#
# First the network, trained for a few seconds: `make_sorter` above has two convolutions, two dense layers, and
# *logits* at the end, one number for each kind of clothes.

# %%
train_raw, test_raw = lab.load("fashion_mnist", split=["train", "test"])
pixels, labels = next(train_raw.batch(6000).as_numpy_iterator())
test_pixels, test_labels = next(test_raw.batch(1000).as_numpy_iterator())
images, test_images = prepare(pixels), prepare(test_pixels)
kinds = lab.labels("fashion_mnist")

model = make_sorter()
model.fit(images, labels, batch_size=128, epochs=6, verbose=0)
logits = model.predict(test_images, batch_size=500, verbose=0)
print(f"{model.count_params():,} weights")
print("above 80 % on the test set:", np.mean(logits.argmax(axis=1) == test_labels) > 0.8)

# %% [markdown]
# The converter takes a Keras model, or a SavedModel folder, which `export` writes and which needs no Python to be
# read. `with quiet():` keeps the converter's log out of the notebook.
#
# **Predict.** The model has 105,866 weights, each a float32. How large will the file be, in kB?
#
# <details><summary>The number</summary>
#
# **425 ± 15 kB**: four bytes for each weight and a little for the graph. Nothing has been made smaller yet.
#
# - **106 ± 5**: that would be one byte for each weight. A float32 takes four.
# - **1,270 ± 50**: Adam keeps two numbers more for each weight, and a `.keras` file holds them, so that
#   training can go on. The converter leaves them behind.
#
# </details>

# %%
model.export(lab.scratch / "sorter", verbose=False)
with quiet():
    from_model = tf.lite.TFLiteConverter.from_keras_model(model).convert()
    from_folder = tf.lite.TFLiteConverter.from_saved_model(str(lab.scratch / "sorter")).convert()
    Interpreter(model_content=from_model).allocate_tensors()  # LiteRT names its delegate, once, in the log
model.save(lab.scratch / "sorter.keras")
kept = (lab.scratch / "sorter.keras").stat().st_size
print(f"sorter.keras {kept / 1000:.0f} kB, from the model {len(from_model) / 1000:.0f} kB")
print("the same size from the folder:", len(from_folder) == len(from_model))
print("a", type(from_model).__name__, "that begins with", from_model[4:8], "- signatures:")
print(Interpreter(model_content=from_model).get_signature_list())

# %% [markdown]
# The file is a *FlatBuffer*: operators and constants, used as they lie in memory. Its *signature* names inputs and
# outputs: name them yourself when you export, because apps rely on them. What runs it is now called *LiteRT*, in
# the small package `ai_edge_litert`. `tf.lite.Interpreter` still runs in 2.21, past the date in its own warning.

# %%
archive = keras.export.ExportArchive()
archive.track(model)
photos = tf.TensorSpec((None, 28, 28, 1), name="images")
archive.add_endpoint("sort", lambda images: {"shares": tf.nn.softmax(model(images))}, [photos])
archive.write_out(lab.scratch / "named", verbose=False)
with quiet():
    named = tf.lite.TFLiteConverter.from_saved_model(str(lab.scratch / "named"), signature_keys=["sort"])
    sort = Interpreter(model_content=named.convert()).get_signature_runner("sort")
for few in (test_images[:1], test_images[:7]):
    shares = sort(images=few)["shares"]
    print(shares.shape, "- shares add up to 1:", np.allclose(shares.sum(axis=1), 1, atol=1e-3))

# %%
with warnings.catch_warnings(record=True) as caught, contextlib.redirect_stderr(io.StringIO()):
    warnings.simplefilter("always")
    tf.lite.Interpreter(model_content=from_model)
print(" ".join(str(caught[0].message).split()[:17]), "...")

details = Interpreter(model_content=from_model).get_input_details()[0]
for key in ("index", "shape", "shape_signature", "dtype", "quantization"):
    print(f"{key:16}", details[key] if key != "dtype" else details[key].__name__)

# %% [markdown]
# ### Exercise: run a batch
#
# Below the signatures lies what C++ apps do: resize the input, allocate memory, copy in, invoke, copy out. An open
# axis (-1 above) starts at 1. Write `run_batch` with these steps. It must work without a signature, and again with
# another batch size, and the result must stay yours.


# %% tags=["exercise"]
def run_batch(interpreter, inputs):
    """Return the output array of a file with one input and one output; `inputs` holds n examples, of its dtype."""
    ### BEGIN SOLUTION
    source, target = interpreter.get_input_details()[0], interpreter.get_output_details()[0]
    interpreter.resize_tensor_input(source["index"], inputs.shape)
    interpreter.allocate_tensors()
    interpreter.set_tensor(source["index"], inputs)
    interpreter.invoke()
    return interpreter.get_tensor(target["index"])
    ### END SOLUTION


# %% tags=["check"]
run_batch = lab.check(run_batch)

# %%
lite_logits = run_batch(Interpreter(model_content=from_model), test_images)
print("answers:", lite_logits.shape)
print("the file answers like the model:", np.allclose(lite_logits, logits, atol=1e-3))

# %% [markdown]
# ## 2. Put a number into a byte
#
# An int8 holds the whole numbers from -128 to 127. A *scale* says how far apart two neighbours lie, a *zero point*
# which of them means 0.0. Reading is easy: `real = scale · (stored - zero_point)`.
#
# **Predict.** Pixels from 0.0 to 1.0 use all 256 numbers: scale 1/255, zero point -128. What is stored for 1.0?
#
# <details><summary>The number</summary>
#
# **127**: 1/255 · (127 + 128) is 1.0.
#
# - **1**: read it back: 1/255 · (1 + 128) is 0.506.
# - **255**: that is how many steps lie between 0.0 and 1.0. But the first of them begins at -128.
# - **128**: an int8 ends at 127. The zero point is -128, and 255 steps above that is one less than you think.
#
# </details>
#
# ### Exercise: quantize
#
# Write the way in. Numbers between two steps go to the nearer one. Numbers outside the range go to its end: an
# int8 that is not clipped wraps round, and white becomes black.


# %% tags=["exercise"]
def quantize(values, scale, zero_point):
    """Return `values` (float array, any shape) as int8, so that scale * (stored - zero_point) is nearest to them."""
    ### BEGIN SOLUTION
    stored = np.round(values / scale) + zero_point
    return np.clip(stored, -128, 127).astype(np.int8)
    ### END SOLUTION


# %% tags=["check"]
quantize = lab.check(quantize)


# %%
def dequantize(stored, scale, zero_point):
    return scale * (np.asarray(stored, np.float32) - zero_point)


values = np.linspace(-0.02, 1.02, 3001)
lost = dequantize(quantize(values, 1 / 255, -128), 1 / 255, -128) - values
figure, axes = plt.subplots(figsize=(8, 3.2))
axes.plot(values, 255 * lost, linewidth=0.8)
axes.axvspan(0, 1, color=plots.COLOURS[1], alpha=0.15, label="range of the byte")
axes.set(xlabel="value before (share of white)", ylabel="change (steps of 1/255)")
axes.set_title("Inside the range half a step is lost at most, outside it all")
axes.legend(loc="upper right")
lab.show(figure, alt="A sawtooth of half a step from 0 to 1; beyond both ends the change grows in a line.")

# %% [markdown]
# ## 3. Show the converter typical photos
#
# So the range decides: too wide, and the steps are coarse; too narrow, and what lies outside is cut off. The
# weights' range is known. Between the layers flow *activations*, whose range shows only when photos flow. So the
# converter runs the float model on a *representative data set* and notes the least and largest value of each.
#
# **Predict.** What must a representative photo have?
#
# <details><summary>Its right label</summary>
#
# Nothing is learned from it and nothing is scored. Photos without labels do.
#
# </details>
# <details><summary>The same preprocessing as in use</summary>
#
# Right. The ranges are those of what the model is given, so it must be given what it will meet.
#
# </details>
# <details><summary>It must come from the test set, to fit it</summary>
#
# Then the test set has had a hand in the model, and its score no longer tells how new photos will fare.
#
# </details>

# %%
names = ["edges", "parts", "features"]
inner = keras.Model(model.inputs, [model.get_layer(name).output for name in names])
outputs = inner.predict(images[:1000], batch_size=500, verbose=0)
seen = [np.maximum.accumulate(each.reshape(1000, -1).max(axis=1)) for each in outputs]
figure, axes = plt.subplots(figsize=(7.5, 3.4))
for name, so_far in zip(names, seen, strict=True):
    axes.semilogx(np.arange(1, 1001), 100 * so_far / so_far[-1], label=name)
axes.set(xlabel="photos shown", ylabel="largest value so far (% of all)", ylim=(0, 105))
axes.set_title("A hundred photos show most of the range")
axes.legend(title="activations of")
lab.show(figure, alt="For three layers the range seen grows with the photos shown, slowly after a hundred.")
print("over two thirds after 100 photos:", [bool(so_far[99] > so_far[-1] * 2 / 3) for so_far in seen])

# %% [markdown]
# ### Exercise: a representative data set
#
# The converter calls a *function without arguments*, and each call must give a fresh iterator. Each item is a list
# with one array for each input of the model: here one float32 photo with its batch axis. Take `count` photos spread
# over all of `pixels`: data is often sorted by class. `prepare` is at hand.


# %% tags=["exercise"]
def representative(pixels, count):
    """Return a function that gives `count` prepared photos, each as [array of shape (1, height, width, channels)]."""
    ### BEGIN SOLUTION
    chosen = np.linspace(0, len(pixels) - 1, count).astype(int)

    def photos():
        for place in chosen:
            yield [prepare(pixels[place : place + 1])]

    return photos
    ### END SOLUTION


# %% tags=["check"]
representative = lab.check(representative)

# %% [markdown]
# ## 4. Make four variants
#
# | variant | weights | activations | `converter` needs |
# |---|---|---|---|
# | float32 | float32 | float32 | nothing |
# | float16 | float16 | float32 | `optimizations`, and `target_spec.supported_types` with `tf.float16` |
# | dynamic | int8 | float32 | `optimizations` |
# | int8 | int8 | int8 | `optimizations`, `representative_dataset`, `inference_input_type` and `..._output_type` |
#
# **Predict.** Who determines the range of the activations in a *dynamic* file?
#
# <details><summary>The representative data set</summary>
#
# It is not asked for one. Give it one all the same, and the activations become int8 for good: another variant.
#
# </details>
# <details><summary>The device, for each input anew</summary>
#
# Right. It looks at the numbers that arrive, computes in int8 where it can, and goes back to float32.
#
# </details>
#
# ### Exercise: convert
#
# Write `convert` for all four. `optimizations` is the list `[tf.lite.Optimize.DEFAULT]`. For int8 it is good
# practice to set also `target_spec.supported_ops` to `[tf.lite.OpsSet.TFLITE_BUILTINS_INT8]`: then an operator
# without an int8 form fails here instead of staying float32 in silence.


# %% tags=["exercise"]
def convert(model, variant, representative_dataset):
    """Return `model` as the bytes of a file; `variant` is "float32", "float16", "dynamic" or "int8", see above."""
    ### BEGIN SOLUTION
    converter = tf.lite.TFLiteConverter.from_keras_model(model)
    if variant != "float32":
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
    if variant == "float16":
        converter.target_spec.supported_types = [tf.float16]
    if variant == "int8":
        converter.representative_dataset = representative_dataset
        converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
        converter.inference_input_type = converter.inference_output_type = tf.int8
    return converter.convert()
    ### END SOLUTION


# %% tags=["check"]
convert = lab.check(convert)

# %%
with quiet():
    typical = representative(pixels, 100)
    files = {name: convert(model, name, typical) for name in ("float32", "float16", "dynamic", "int8")}


def dtype_of(detail):
    return np.dtype(detail["dtype"]).name


for name, content in files.items():
    file = Interpreter(model_content=content)
    weights = max(file.get_tensor_details(), key=lambda detail: np.prod(detail["shape"]))
    ends = dtype_of(file.get_input_details()[0]), dtype_of(file.get_output_details()[0])
    print(
        f"{name:8} {len(content) / 1000:.0f} kB: input {ends[0]}, weights {dtype_of(weights)}, output {ends[1]}"
    )

# %%
kernels = [detail for detail in file.get_tensor_details() if tuple(detail["shape"]) == (16, 3, 3, 1)]
print(
    "scales of the first kernel, one for each filter:", len(kernels[0]["quantization_parameters"]["scales"])
)
scale, zero_point = file.get_input_details()[0]["quantization"]
print(f"input of int8: scale {scale:.4f} (1/255 is {1 / 255:.4f}), zero point {zero_point}")
by_hand = test_pixels.astype(np.int16) - 128
print("quantized photo = pixel - 128:", np.array_equal(quantize(test_images, scale, zero_point), by_hand))

# %% [markdown]
# ## 5. Judge by class, on every test photo
#
# Each filter has a scale of its own, so that small weights are not drowned by large ones elsewhere. The input's
# scale and zero point stand in the file with the tensor, and here they say something lovely: the byte from the
# camera minus 128 is the input. Whoever calls an int8 file must read them. Now: is it still any good?
#
# **Predict.** Two files are right on exactly 857 of 1,000 photos each. Do they give the same answers?
#
# <details><summary>Yes, the same 857</summary>
#
# Three photos may be lost and three others won. The sum does not show it.
#
# </details>
# <details><summary>Not necessarily</summary>
#
# Right. Count what was lost and what was won. Both ways, or a handful, is noise at the border between two classes.
# Many more lost than won, above all in one class, is damage. (The sign test, McNemar's, says how many is many.)
#
# </details>
#
# ### Exercise: change by class
#
# Write `change_by_class`. A photo is *lost* if `before` had it right and `after` has not, and *won* the other way
# round. Count both for each true class, the classes without any photo included.


# %% tags=["exercise"]
def change_by_class(labels, before, after, classes):
    """Return an int array of shape (classes, 2): in row c how many photos with label c were lost, and were won."""
    ### BEGIN SOLUTION
    lost = (before == labels) & (after != labels)
    won = (before != labels) & (after == labels)
    return np.stack([np.bincount(labels[which], minlength=classes) for which in (lost, won)], axis=1)
    ### END SOLUTION


# %% tags=["check"]
change_by_class = lab.check(change_by_class)


# %%
def predict(content, images):
    """Return the predicted class of each image, whatever numbers the file wants."""
    interpreter = Interpreter(model_content=content)
    detail = interpreter.get_input_details()[0]
    wants_bytes = detail["dtype"] == np.int8
    inputs = np.asarray(quantize(images, *detail["quantization"])) if wants_bytes else images
    return np.argmax(run_batch(interpreter, inputs), axis=1)


answers = {name: predict(content, test_images) for name, content in files.items()}
correct = {name: np.mean(answer == test_labels) for name, answer in answers.items()}
for name in ("float16", "dynamic", "int8"):
    print(f"{name}: within one point of float32: {abs(correct[name] - correct['float32']) <= 0.01}")


# %%
def show_change(after, title, alt):
    lost, won = np.transpose(change_by_class(test_labels, answers["float32"], after, 10))
    figure, axes = plt.subplots(figsize=(7.5, 4))
    axes.barh(kinds, -lost, color=plots.COLOURS[3], hatch="//", label="lost")
    axes.barh(kinds, won, color=plots.COLOURS[2], label="won")
    axes.set(xlabel="photos of 100", ylabel="true class", title=title, xlim=(-max(lost) - 5, max(won) + 5))
    axes.legend()
    lab.show(figure, alt=alt)
    return lost, won


words = "Ten classes, most without a bar: of 100 photos each, int8 wins or loses a few in a few classes."
moved = show_change(answers["int8"], "int8 moves few photos of any class", words)
print("fewer than 10 of 100 photos moved in every class:", np.max(moved) < 10)

# %% [markdown]
# ## 6. Time it, with and without XNNPACK
#
# Fewer bytes are not fewer milliseconds by themselves. What runs the operators decides. LiteRT hands them to
# *XNNPACK*, a library of kernels made for the CPU, unless you ask for its own built-in ones.
#
# **Predict.** Which is faster: float32 with XNNPACK, or int8 without?
#
# <details><summary>int8: a quarter of the bytes</summary>
#
# Bytes matter when memory is the bottleneck. In a small model, how the products are computed matters more.
#
# </details>
# <details><summary>Measure it on the device</summary>
#
# Right, and on nothing else. Your laptop says little about the scanner: another CPU, other kernels.
#
# </details>


# %%
def latency_ms(content, threads=1, xnnpack=True, runs=200):
    """Return the median time of one answer to one photo in ms, the first twenty left out."""
    resolver = OpResolverType.AUTO if xnnpack else OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES
    file = Interpreter(model_content=content, num_threads=threads, experimental_op_resolver_type=resolver)
    file.allocate_tensors()
    seconds = []
    for _ in range(20 + runs):
        begin = time.perf_counter()
        file.invoke()
        seconds.append(time.perf_counter() - begin)
    return 1000 * np.median(seconds[20:])


# %%
off = {name: latency_ms(content, xnnpack=False) for name, content in files.items()}
on = {name: latency_ms(content) for name, content in files.items()}
figure, axes = plt.subplots(figsize=(7.5, 3.4))
for shift, times, label in ((-0.2, off, "built-in kernels"), (0.2, on, "XNNPACK")):
    axes.bar(np.arange(4) + shift, list(times.values()), 0.38, label=label, hatch="//" * (shift < 0))
axes.set_xticks(np.arange(4), list(files))
axes.set(xlabel="variant", ylabel="time of one photo (ms)", title="XNNPACK takes less time for each variant")
axes.legend()
lab.show(figure, alt="Pairs of bars for four variants: with XNNPACK the bar is much the shorter one.")
print("faster with XNNPACK:", {name: bool(on[name] < off[name]) for name in files})

# %% [markdown]
# ## 7. Get round an operator that does not convert
#
# The store-room is dark, so someone puts a contrast filter in front of the network: `tf.image.adjust_contrast`. It
# works in Keras. LiteRT has some 200 operators, TensorFlow well over 1,000.


# %%
class Contrast(keras.layers.Layer):
    def call(self, images):
        return tf.image.adjust_contrast(images, 1.5)


def with_front(front):
    return keras.Sequential([keras.Input((28, 28, 1), name="images"), front, model], name="scanner")


clearer = with_front(Contrast(name="contrast"))
try:
    with quiet():
        convert(clearer, "float32", None)
except Exception as error:
    print(f"{type(error).__name__}:", *re.findall(r"Some ops are not .*?,|TF Select ops: \w+", str(error)))

# %% [markdown]
# **Predict.** The message offers *TF Select*: take TensorFlow's own operators along. Who can run such a file?
#
# <details><summary>Every LiteRT runtime</summary>
#
# They are no part of it: an app must link the *Flex delegate* with them, which makes it many megabytes larger.
#
# </details>
# <details><summary>Only a runtime with the Flex delegate</summary>
#
# Right, and neither Python package has it: `ai_edge_litert` never had, TensorFlow lost it with 2.20, whatever the
# documentation still says. You cannot even test the file here.
#
# </details>
#
# The other way is a rewrite. Contrast is only this: away from the mean of the picture. Subtraction, multiplication
# and mean are operators that LiteRT has. Look for a rewrite first, and prove that it gives the same numbers.

# %%
selected = tf.lite.TFLiteConverter.from_keras_model(clearer)
selected.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS, tf.lite.OpsSet.SELECT_TF_OPS]
with quiet():
    flex = selected.convert()
print(f"way 1: a file of {len(flex) / 1000:.0f} kB. And when it is to run:")
for runtime in (Interpreter, tf.lite.Interpreter):
    print(runtime.__module__.split(".")[0], end=": ")
    with lab.fails(RuntimeError), quiet():
        runtime(model_content=flex).allocate_tensors()


# %%
class PlainContrast(keras.layers.Layer):
    def call(self, images):
        mean = keras.ops.mean(images, axis=(1, 2), keepdims=True)
        return (images - mean) * 1.5 + mean


rewritten = with_front(PlainContrast(name="contrast"))
with quiet():
    plain = convert(rewritten, "float32", None)
wanted = clearer.predict(test_images, batch_size=500, verbose=0)
print(
    "way 2, the same numbers:",
    np.allclose(run_batch(Interpreter(model_content=plain), test_images), wanted, atol=1e-3),
)

# %% [markdown]
# ## Break it: four files that look fine
#
# First an old recipe: `from_concrete_functions` with the model as second argument, as Keras 2 wanted it. It should
# say whose variables to freeze; those of Keras 3 it does not find, and the file comes out without weights. Then an
# int8 file that is given floats. LiteRT refuses, so people add what makes the error go away.

# %%
traced = tf.function(lambda images: model(images, training=False)).get_concrete_function(photos)
with quiet():
    trap = tf.lite.TFLiteConverter.from_concrete_functions([traced], model).convert()
    mended = tf.lite.TFLiteConverter.from_concrete_functions([traced]).convert()
for name, content in {"with the model": trap, "without it": mended}.items():
    score = np.mean(predict(content, test_images) == test_labels)
    print(
        f"{name}: {len(content) / 1000:.0f} kB, as good as the model: {abs(score - correct['float32']) < 0.02}"
    )

# %%
file = Interpreter(model_content=files["int8"])
file.allocate_tensors()
source = file.get_input_details()[0]
with lab.fails(ValueError):
    file.set_tensor(source["index"], test_images[:1])
inputs = {"astype(np.int8)": test_images.astype(np.int8), "the same, pixels": test_pixels.astype(np.int8)}
inputs["quantize(...)"] = np.asarray(quantize(test_images, *source["quantization"]))
for name, stored in inputs.items():
    score = np.mean(np.argmax(run_batch(file, stored), axis=1) == test_labels)
    print(f"{name:17} as good as the model: {abs(score - correct['float32']) < 0.02}")

# %% [markdown]
# `astype` does not know the scale: 0.7 becomes 0, and 200 wraps round to -56. The third accident happens earlier:
# calibrate with photos that nobody prepared, or with photos from the dark. And the fourth keeps you from noticing:
# ten test photos, where one answer is ten points. Draw ten or 100 at random, many times.

# %%
sets = {"typical": images[:100], "not prepared": 255 * images[:100], "dark": 0.05 * images[:100]}
feeds = {name: lambda photos=photos: ([one[None]] for one in photos) for name, photos in sets.items()}
with quiet():
    tried = {name: convert(model, "int8", feed) for name, feed in feeds.items()}
after = {name: predict(content, test_images) for name, content in tried.items()}
for name, content in tried.items():
    scale = Interpreter(model_content=content).get_input_details()[0]["quantization"][0]
    lost = np.mean(after[name] == test_labels) < correct["float32"] - 0.1
    print(f"{name:12} input scale {scale:.4f}, {len(content) / 1000:.0f} kB, over 10 points lost: {lost}")
words = "Ten classes: after calibration with dark photos some lose most of their photos, others few."
lost, won = show_change(after["dark"], "Calibrated in the dark: some classes are lost, some are not", words)
print("classes suffer unequally, over 30 photos apart:", np.ptp(lost - won) > 30)

# %%
rng, hits = np.random.default_rng(lab.seed), answers["float32"] == test_labels
ten, hundred = (100 * hits[rng.integers(0, 1000, (2000, n))].mean(axis=1) for n in (10, 100))
figure, axes = plt.subplots(figsize=(8, 3.4))
axes.hist([ten, hundred], bins=np.arange(32.5, 107.5, 5), label=["10 photos", "100 photos"])
axes.axvline(100 * hits.mean(), color="black", linestyle="--", label="all 1,000 photos")
axes.set(xlabel="accuracy of one and the same file (%)", ylabel="draws", title="Ten photos measure luck")
axes.legend(loc="upper left")
lab.show(
    figure, alt="Accuracy of 2,000 draws: ten photos give about 40 to 100 %, 100 stay near the true value."
)
print("ten photos, least to largest over 40 points apart:", np.ptp(ten) > 40)
print("100 photos spread less than half as much:", np.std(hundred) < 0.5 * np.std(ten))

# %% [markdown]
# ## Measure it: one table, one decision
#
# Dark photos made the range twenty times too narrow, unprepared ones the steps 255 times too coarse. No error came,
# and the size stayed. So put everything side by side, the damaged file too, timed with one photo at a time, as the
# scanner takes them. (To compare two files, lost and won on the *same* photos say more than two accuracies.)

# %% tags=["tolerance-0.5"]
candidates = {}
print(f"{'variant':12}{'size':>9}{'accuracy':>10}{'one thread':>14}{'two threads':>14}")
for name, content in {**files, "int8 (dark)": tried["dark"]}.items():
    row = {"kB": len(content) / 1000, "ms": latency_ms(content)}
    row["accuracy"] = float(np.mean(predict(content, test_images) == test_labels))
    row["ms, 2 threads"] = latency_ms(content, threads=2)
    candidates[name] = row
    print(f"{name:12}{row['kB']:6.0f} kB{row['accuracy']:10.3f}", end="")
    print(f"{row['ms']:11.3f} ms{row['ms, 2 threads']:11.3f} ms")

# %%
figure, (left, right) = plt.subplots(1, 2, figsize=(10, 4))
left.axvspan(0, 150, color="0.9", label="fits into 150 kB")
for (name, row), marker in zip(candidates.items(), plots.MARKERS, strict=False):
    left.plot(row["kB"], 100 * row["accuracy"], marker, markersize=9, label=name)
    right.plot(["1", "2"], [row["ms"], row["ms, 2 threads"]], marker=marker, label=name)
left.set(xlabel="size (kB)", ylabel="accuracy (%)", title="Small and good, or small and bad", ylim=(0, 100))
right.set(xlabel="threads", ylabel="time of one photo (ms)", title="Time, on this machine", ylim=(0, None))
left.legend(fontsize=9, loc="lower right")
lab.show(
    figure,
    alt="Left: dynamic and int8 are small and good, int8 (dark) small and bad. Right: times by threads.",
)


# %% [markdown]
# ### Exercise: what ships?
#
# Write `choose`. A candidate fits if it has at most the budget's `kB` and `ms` and at least its `accuracy`; limits
# included. Of those that fit take the smallest, of equally small ones the faster. If none fits, return None: that
# starts a talk about fewer weights or another chip. If two differ by a few bytes only, ask what the device computes
# with. The `ms` here are this machine's: measure on the scanner.


# %% tags=["exercise"]
def choose(candidates, budget):
    """Return the name of the candidate to ship, or None; all are dicts with "kB", "ms" and "accuracy" as above."""
    ### BEGIN SOLUTION
    fitting = [
        (row["kB"], row["ms"], name)
        for name, row in candidates.items()
        if row["kB"] <= budget["kB"] and row["ms"] <= budget["ms"] and row["accuracy"] >= budget["accuracy"]
    ]
    return min(fitting)[2] if fitting else None
    ### END SOLUTION


# %% tags=["check"]
choose = lab.check(choose)

# %%
floor = candidates["float32"]["accuracy"] - 0.01
scanner = {"kB": 150, "ms": 20, "accuracy": floor}
good = {name: row for name, row in candidates.items() if name != "int8 (dark)"}
damaged = {name: row for name, row in candidates.items() if name not in good}
print("for the scanner:", choose(candidates, scanner))
print("dynamic is within 1 kB of it:", abs(good["dynamic"]["kB"] - good["int8"]["kB"]) < 1)
print("for a chip that computes no floats:", choose({"int8": good["int8"]}, scanner))
print("for a chip with 50 kB:", choose(candidates, {**scanner, "kB": 50}))
print("the damaged file:", choose(damaged, scanner))
print("the damaged file, nobody asks for accuracy:", choose(damaged, {**scanner, "accuracy": 0}))

# %% [markdown]
# ## Explain it
#
# Answer aloud before you open the model answer: that is what the interview will be like.
#
# <details><summary>When would you use TensorFlow Lite?</summary>
#
# When the model has to run where the data arises: phones, microcontrollers, sensors. An answer without a trip over
# the network, data that never leaves the device, work without a connection. The price is a small set of operators,
# files to distribute, and devices of many kinds to test on. The runtime is now called LiteRT; the format `.tflite`
# and the converter stayed.
#
# *Follow-up: what became of `tf.lite.Interpreter` in your lab?* It runs and warns that it is to be deleted. The
# file did not care: `ai_edge_litert` ran it.
#
# </details>
# <details><summary>How do you convert and quantize a model, and how do you know that it is still good?</summary>
#
# `TFLiteConverter` from the Keras model or a SavedModel gives a FlatBuffer. Float16 halves it; dynamic range stores
# int8 weights; full int8 needs a representative data set for the ranges of the activations. Each tensor has a scale
# and a zero point, a weight one scale for each filter. Then run the file itself, on the whole test set, against the
# float model, class by class, and time it on the device. Not good enough? Look at the calibration data first, then
# keep sensitive layers in float or activations in 16 bits (int16x8), then try quantization-aware training.
#
# *Follow-up: an int8 file has the right size and runs fast, and half its answers are wrong. Where do you look
# first?* At the input's scale. For photos in [0, 1] it has to be near 1/255: yours was twenty times smaller after
# dark photos, and 1.0 after unprepared ones. And at the caller: does it quantize, or cast?
#
# </details>
# <details><summary>How do models reach users: Serving, TFLite, TF.js?</summary>
#
# Serving: a server with an API; one place to update, batching, large models, and every answer needs the network.
# TFLite: a file in an app or device; private, fast, offline, updated with the app. TF.js: in the browser, nothing
# to install, limited by the user's machine. Often two of them: a small model on the device, a large one behind it.
#
# *Follow-up: marketing wants a contrast filter in the model. What changes for each?* A server runs any TensorFlow
# operator. In LiteRT `AdjustContrastv2` did not convert: you rewrote it from supported ones and compared.
#
# </details>

# %% [markdown]
# ### Quiz
#
# **1. An int8 file gives stored logits. You need the most likely class only. What must you do with the output?**
#
# <details><summary>Dequantize it, then take the largest</summary>
#
# It does no harm, but scale and zero point are the same for all ten numbers, so the order does not change.
#
# </details>
# <details><summary>Take the largest</summary>
#
# Right. Only for a softmax or a threshold do you need the real numbers.
#
# </details>
#
# **2. A colleague's int8 file has a float32 input. What happened?**
#
# <details><summary>The inference types were not set</summary>
#
# Right: inside it may be int8 all the same, with a quantize step in front. A chip without floats cannot run that.
#
# </details>
# <details><summary>The representative data set was float32</summary>
#
# It always is: it feeds the float model.
#
# </details>
#
# **3. float32 scores 85.7 %, int8 86.1 %, on the same 1,000 photos. What do you report?**
#
# <details><summary>int8 is better</summary>
#
# The difference is four photos net. Count lost and won: perhaps 6 and 10. That is noise.
#
# </details>
# <details><summary>No loss that this test set could show</summary>
#
# Right, and how many photos changed, and in which classes.
#
# </details>

# %% [markdown]
# ## Recap
#
# You can now convert, quantize by hand and by converter, run and time a file, and choose one with reasons.
#
# **On a GPU and at scale:** a phone's GPU or neural unit is reached by a delegate or an accelerator, each with its
# own list of operators; float16 is for GPUs, int8 for most neural units. Measure on each kind. If quantizing after
# training costs too much, train with it: *quantization-aware training*. TensorFlow's tool for it (TFMOT) still needs
# Keras 2, `tf_keras`.

# %% [markdown]
# **Newer ways to the same file:** `model.export("sorter.tflite", format="litert")` calls this converter, with TF
# Select allowed: the contrast filter would convert, and not run. *LiteRT Quantizer* (`litert-quantizer`) quantizes a
# float32 file operator by operator; LiteRT's documentation now prefers it to the converter.
# `ai_edge_litert.compiled_model.CompiledModel` is the newer interface; `Interpreter` stays for what exists.
#
# **Full data:** `labs fetch fashion_mnist`, then `lab.load(..., full=True)`.
#
# **Official documentation:** [LiteRT](https://ai.google.dev/edge/litert),
# [post-training quantization](https://developers.google.com/edge/litert/conversion/tensorflow/quantization/post_training_quantization),
# [select TensorFlow operators](https://developers.google.com/edge/litert/conversion/tensorflow/ops_select),
# [the converter](https://www.tensorflow.org/api_docs/python/tf/lite/TFLiteConverter).
