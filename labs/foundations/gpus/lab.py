# ---
# jupyter:
#   labs:
#     title: Know what a GPU is good for
#     promise: >-
#       Find out what TensorFlow does with a GPU by itself, measure where the time of an operation goes, and
#       say with numbers when a GPU pays, when it starves, and what 16 bits change.
#     minutes: 80
#     level: intermediate
#     prerequisites: [foundations/graphs, keras/sequential]
#     outcomes:
#       - list devices, split one, and set memory growth before it is too late
#       - say where a tensor lives, and find copies that nobody asked for
#       - time an operation on a device that answers before it has finished
#       - count operations and bytes, and calculate when a GPU pays
#       - tell a training that starves from one that computes, and what a faster GPU would buy
#       - train in mixed precision with outputs in float32, and scale a loss by hand
#     data: [fashion_mnist]
#     cpu_seconds: 20
#     replaces:
#       - {old: "`tf.test.is_gpu_available()`", new: "`tf.config.list_physical_devices('GPU')`"}
#       - {old: "`gpu_options.allow_growth` of a `Session`", new: "`tf.config.experimental.set_memory_growth`"}
#       - {old: "`tf.config.experimental.VirtualDeviceConfiguration`", new: "`tf.config.LogicalDeviceConfiguration`"}
#       - {old: "`tf.keras.mixed_precision.experimental`", new: "`keras.config.set_dtype_policy`, a layer's `dtype`"}
#       - {old: "`pip install tensorflow-gpu`", new: "`pip install tensorflow[and-cuda]`"}
# ---

# %% [markdown]
# A team wants to rent a GPU for a small model that sorts photos of clothes. One says fifty times as fast,
# another says slower than today. You will settle it with numbers. Without a GPU nothing here pretends: what
# runs is measured on your CPU, what concerns a GPU is calculated, and each cell says which.
#
# The longer cell below holds helpers: run it now, and read each helper when you meet it.

# %%
import labs

lab = labs.start("foundations/gpus")

# %% tags=["setup"]
import os
import time

import keras
import matplotlib.pyplot as plt
import numpy as np
import tensorflow as tf

from labs import plots

GPUS = tf.config.list_physical_devices("GPU")
PLACES = ["CPU:0"] + ["GPU:0"] * bool(GPUS)


def measured():
    """Say on what this machine lets you measure."""
    names = [tf.config.experimental.get_device_details(gpu).get("device_name", "unnamed") for gpu in GPUS]
    cpu = f"CPU ({os.cpu_count()} cores{'' if GPUS else '; no GPU'})"
    return "measured on " + ", ".join([cpu, *(f"GPU ({name})" for name in names)])


def where(tensor):
    """Return the kind and number of the device that holds `tensor`."""
    device = tf.DeviceSpec.from_string(tensor.device)
    return f"{device.device_type} (device {device.device_index})"


def finish(result):
    """Return when `result` is there: on a CPU it is when a call returns, for a GPU one has to wait."""
    if GPUS:
        tf.test.experimental.sync_devices()


def draw_roofline(axes, place, rates, sizes, colour):
    """Draw rates (FLOP/s) of products and sums of (n, n) matrices against intensity, and the roof over them."""
    products, sums = (np.array([rates[place, kind, n] for n in sizes]) / 1e9 for kind in ("product", "sum"))
    roof = np.geomspace(1 / 16, 256)
    limit = np.minimum(products.max(), 12 * sums.max() * roof)
    axes.loglog(roof, limit, "--", color=colour, alpha=0.5, label=f"{place[:3]}, roof")
    axes.loglog(np.array(sizes) / 6, products, "o-", color=colour, label=f"{place[:3]}, products")
    axes.loglog(
        [1 / 12] * len(sizes), sums, "s", color=colour, markerfacecolor="w", label=f"{place[:3]}, sums"
    )
    for n in sizes:
        axes.annotate(f"  n = {n}", (n / 6, rates[place, "product", n] / 1e9), va="top", fontsize=8)


# %% [markdown]
# ## 1. List the devices before you use them
#
# TensorFlow finds GPUs by itself. A *physical* device is the hardware; operations run on *logical* devices,
# usually one for each. A GPU can be split into several, each with a `memory_limit`, to try code for many GPUs on
# one. So can a CPU: split yours in two, and you have a second device to place things on.
#
# **Predict.** `list_logical_devices` has to start the devices in order to name them. What if you ask for three
# CPUs after that?
#
# <details><summary>The CPU is split again</summary>
#
# Threads run on these devices and tensors lie on them. Where should those go?
#
# </details>
# <details><summary>A RuntimeError</summary>
#
# Right. How devices are set up can be changed only until the first operation, or the first look at logical ones.
#
# </details>
# <details><summary>Nothing, until the kernel is started again</summary>
#
# It would be bad if TensorFlow took your wish and said nothing.
#
# </details>

# %%
cpu = tf.config.list_physical_devices("CPU")[0]
tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * 2)
print("physical:", cpu.name)
print("logical: ", [device.name for device in tf.config.list_logical_devices("CPU")])
print(measured())
with lab.fails(RuntimeError):
    tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * 3)

# %% [markdown]
# Most people meet this error over GPU memory. By default TensorFlow maps nearly all of it, says its guide. *Memory
# growth* takes what is needed, but behind the same lock: "Physical devices cannot be modified after being
# initialized". (`labs.start` has set it in time.)
#
# ### Exercise: use the GPUs that are there
#
# Write `use_gpus`. For each physical GPU call `config.experimental.set_memory_growth(gpu, True)`. If it is too late,
# go on. `config` stands for the `tf.config` of machines with none, one or several GPUs: ask it.


# %% tags=["exercise"]
def use_gpus(config):
    """Let every GPU that `config` lists take memory as it needs it; return "GPU:0", or "CPU:0" without one."""
    ### BEGIN SOLUTION
    gpus = config.list_physical_devices("GPU")
    for gpu in gpus:
        try:
            config.experimental.set_memory_growth(gpu, True)
        except RuntimeError:
            continue  # in use already: it works, with the memory that it has taken
    return "GPU:0" if gpus else "CPU:0"
    ### END SOLUTION


# %% tags=["check"]
use_gpus = lab.check(use_gpus)

# %% [markdown]
# ## 2. See where a tensor lives
#
# An eager tensor has a `device`. Without `tf.device`, an operation that has a kernel for a GPU runs on one, if
# there is one. Where devices differ, TensorFlow copies silently; its *device policy* can be told to refuse.
#
# **Predict.** `a` lies on CPU 0 and `b` on CPU 1. What does `tf.maximum(a, b)` do under
# `with tf.device("CPU:0")`?
#
# <details><summary>It fails: the two are not on one device</summary>
#
# Only with the policy "explicit". By default it does not.
#
# </details>
# <details><summary>It runs on CPU 0, after a copy of b</summary>
#
# Right, and without a word. On a GPU such a copy may take longer than the operation.
#
# </details>

# %%
by_itself = tf.random.normal((1000, 1000))
with tf.device("CPU:0"):
    a = tf.random.normal((1000, 1000))
with tf.device("CPU:1"):
    b = tf.random.normal((1000, 1000))
with tf.device("CPU:0"):
    c = tf.maximum(a, b)
for name, tensor in {"by itself": by_itself, "a": a, "b": b, "c": c}.items():
    print(f"{name:9} lies on {where(tensor)}")
print("c lies where a does:", c.device == a.device, "- and where b does:", c.device == b.device)

# %%
tf.config.experimental.set_device_policy("explicit")
with lab.fails(tf.errors.InvalidArgumentError), tf.device("CPU:0"):
    tf.maximum(a, b)
with tf.device("CPU:0"):
    moved = tf.identity(b)  # a copy that you ask for
    print("after an explicit copy it works:", bool(tf.reduce_all(tf.maximum(a, moved) == c)))
tf.config.experimental.set_device_policy("silent")
print("the copy shares b's memory:", np.shares_memory(memoryview(b), memoryview(moved)))

# %% [markdown]
# ## 3. Time what has finished
#
# Two logical CPUs show *where* things are, but they share one memory: that "copy" moved no byte. A GPU has memory
# of its own, so there it does. And a GPU works by itself: TensorFlow's documentation says that GPUs run
# asynchronously by default, so a call returns while the work goes on. A CPU waits, unless
# `set_synchronous_execution(False)` tells it not to. So you can fall into this trap without a GPU.
#
# **Predict.** With asynchronous execution, which line takes the time of the multiplication?
#
# <details><summary>product = matrix @ matrix</summary>
#
# It hands the work over and returns at once, with a promise of a tensor.
#
# </details>
# <details><summary>number = product.numpy()</summary>
#
# Right: a NumPy array has real numbers in it, so here Python must wait until they are there.
#
# </details>

# %%
matrix = tf.random.normal((1200, 1200))
tf.config.experimental.set_synchronous_execution(False)
tries = []
for _ in range(9):
    begin = time.perf_counter()
    product = matrix @ matrix
    asked, number = time.perf_counter(), product.numpy()
    tries.append((asked - begin, time.perf_counter() - begin))
tf.config.experimental.set_synchronous_execution(True)
asking, finished = 1000 * np.min(tries[1:], axis=0)
print(f"asking took {asking:.1f} ms, finishing {finished:.1f} ms, {measured()}")
print("asking is less than half of it:", asking < finished / 2)

# %% [markdown]
# Two more things falsify a time. The first call also compiles, traces or chooses kernels: call once *and wait*
# before the clock starts. And waiting costs something itself, so call several times and wait once.
#
# ### Exercise: seconds per call
#
# Write `seconds_per_call`. `f()` asks for work and returns a result, `wait(result)` returns when that is
# finished, and `clock()` gives the time in seconds. Work is done in the order in which it was asked for.


# %% tags=["exercise"]
def seconds_per_call(f, wait, clock, calls):
    """Return the seconds that one call of `f` takes, the mean of `calls` calls after a first one."""
    ### BEGIN SOLUTION
    wait(f())
    begin = clock()
    for _ in range(calls):
        result = f()
    wait(result)
    return (clock() - begin) / calls
    ### END SOLUTION


# %% tags=["check"]
seconds_per_call = lab.check(seconds_per_call)


# %%
def best_seconds(f, calls=5, rounds=3):
    """Return the shortest of some rounds, which other work on this machine disturbed least."""
    return min(seconds_per_call(f, finish, time.perf_counter, calls) for _ in range(rounds))


one, million = tf.constant(1.0), tf.ones(1_000_000)
overhead, real = (best_seconds(lambda x=x: x + x, calls=50) for x in (one, million))
print(f"adding 1 number {1e6 * overhead:.0f} µs, 1,000,000 numbers {1e6 * real:.0f} µs")
print("a million times the work takes less than 10,000 times as long:", real < 10_000 * overhead)
print(measured())

# %% [markdown]
# ## 4. Count operations and bytes
#
# Adding one number was all *overhead*: Python finds the operation, its kernel, and room for the result. Large work
# is limited by something else: computing, or fetching what is computed with. Their ratio is the *arithmetic
# intensity*, floating-point operations (FLOPs) for each byte moved. The product of two (n, n) matrices takes 2n³
# FLOPs and moves at least three matrices, 12n² bytes in float32. Their sum takes n² FLOPs for the same bytes.
#
# The figure below is a *roofline*, its roof drawn from your own best points: under the slope memory and caches are
# the limit, under the flat part arithmetic. Work that reaches neither is overhead. A large GPU's roof is a hundred
# times as high (section 5), so small work misses it by more. A layer's batch climbs like `n`: its weights are
# fetched once for all rows.
#
# **Predict.** You double `n`. What happens to the intensity of the product?
#
# <details><summary>It stays: more work, more bytes</summary>
#
# That is the sum: 1/12 for every `n`. Compare n³ with n².
#
# </details>
# <details><summary>It doubles</summary>
#
# Right: eight times the operations, four times the bytes. Each number fetched is used `n` times.
#
# </details>

# %%
sizes, rates = (16, 32, 64, 128, 256, 512) + (1024, 2048) * bool(GPUS), {}
for place in PLACES:
    with tf.device(place):
        for n in sizes:
            x, y = tf.random.normal((n, n)), tf.random.normal((n, n))
            rates[place, "product", n] = 2 * n**3 / best_seconds(lambda x=x, y=y: x @ y)
            rates[place, "sum", n] = n**2 / best_seconds(lambda x=x, y=y: x + y)
print(measured())
for kind, factor in (("product", 20), ("sum", 5)):
    more = all(rates[place, kind, 512] > factor * rates[place, kind, 16] for place in PLACES)
    print(f"{kind}: n = 512 computes at more than {factor} times the rate of n = 16: {more}")

# %%
figure, axes = plt.subplots(figsize=(8, 4.4))
for place, colour in zip(PLACES, plots.COLOURS, strict=False):
    draw_roofline(axes, place, rates, sizes, colour)
axes.set(xlabel="arithmetic intensity (FLOPs per byte)", ylabel="rate (GFLOP/s)")
axes.set_title("Small work lies far below the roof")
axes.legend()
lab.show(
    figure,
    alt="Rate against intensity, both logarithmic. Products climb steeply with n up to a flat roof; sums form a "
    "column at one twelfth, under the slope of the roof. A GPU, where there is one, has its own points and roof.",
)

# %% [markdown]
# ## 5. Calculate whether it pays
#
# NVIDIA's data sheet of the A100 with 40 GB (2021) states 19.5 TFLOP/s in float32, 1,555 GB/s of memory, and 64 GB/s
# of PCIe, both directions together. Limits, not measurements. *Assume* 10 µs for a start.
#
# ### Exercise: predict the seconds
#
# Write `predict_seconds`. Each operation costs a start; `copied` bytes cross the link; the work takes as long as the
# *slower* of its arithmetic and its memory traffic. One follows another.


# %% tags=["exercise"]
def predict_seconds(device, job):
    """Return the seconds of `job` on `device`.

    `device`: "start" (s), "flops_per_s", "bytes_per_s" (its memory), "link_bytes_per_s" (to it and back).
    `job`: "operations", "flops", "bytes" (in its memory), "copied" (bytes over the link).
    """
    ### BEGIN SOLUTION
    starts = job["operations"] * device["start"]
    copies = job["copied"] / device["link_bytes_per_s"]
    work = max(job["flops"] / device["flops_per_s"], job["bytes"] / device["bytes_per_s"])
    return starts + copies + work
    ### END SOLUTION


# %% tags=["check"]
predict_seconds = lab.check(predict_seconds)

# %% [markdown]
# Products of float32 matrices can be faster still: on this GPU and later ones TensorFlow computes them in *TF32*
# unless you forbid it, with `tf.config.experimental.enable_tensor_float_32_execution(False)`. That is float32 with
# 10 bits for the digits, and 156 TFLOP/s by the same data sheet.
#
# **Predict.** Two vectors of 16 million float32 numbers are copied to that GPU, added, and the sum is copied
# back. What takes most of the time?
#
# <details><summary>The addition: 16 million of them</summary>
#
# Even at half of 19.5 million operations in a microsecond that is below 2 µs, and fetching them is 0.1 ms.
#
# </details>
# <details><summary>The copies</summary>
#
# Right: 192 million bytes at 32 GB/s are 6 ms. Each number that travels is used once.
#
# </details>

# %%
a100 = {"start": 10e-6, "flops_per_s": 19.5e12, "bytes_per_s": 1555e9, "link_bytes_per_s": 32e9}
tf32 = a100 | {"flops_per_s": 156e12}
side, product = 4 * 8192**2, 2 * 8192**3  # bytes of a matrix, operations of a product
names = ("operations", "flops", "bytes", "copied")
jobs = {
    "add 1,000 numbers": (1, 1e3, 12e3, 12e3),
    "add 16 million": (1, 16e6, 192e6, 192e6),
    "one product, n = 8192": (1, product, 3 * side, 3 * side),
    "the same in TF32": (1, product, 3 * side, 3 * side),
    "100 in TF32, data stay": (100, 100 * product, 300 * side, 3 * side),
}
jobs = {name: dict(zip(names, numbers, strict=True)) for name, numbers in jobs.items()}

# %%
whole = np.array(list(map(predict_seconds, (a100, a100, a100, tf32, tf32), jobs.values())))
start = np.array([100 * job["operations"] * a100["start"] for job in jobs.values()]) / whole
copy = np.array([100 * job["copied"] / a100["link_bytes_per_s"] for job in jobs.values()]) / whole
figure, axes = plt.subplots(figsize=(8.5, 3))
axes.barh(list(jobs), start, label="starting")
axes.barh(list(jobs), copy, left=start, label="copying")
axes.barh(list(jobs), 100 - start - copy, left=start + copy, label="working")
axes.set(xlabel="share of the time (%)", ylabel=" ", title="Copies weigh, until data stay (calculated)")
axes.invert_yaxis()
axes.legend(loc="upper left", bbox_to_anchor=(1, 1))
lab.show(figure, alt="Shares of time: few numbers are start, many copy, one TF32 product copy, 100 are work.")
print("calculated, not measured:", [f"{1000 * seconds:.2f} ms" for seconds in whole])

# %% [markdown]
# So a GPU loses on small work, because of the starts. On work that only passes through it gains little, if anything:
# the copies alone take most of the time that a CPU needs for all of it, as the next cell measures. And 32 GB/s is the
# link's limit, which copies from ordinary memory do not reach. It wins where much is computed with data that stay, as
# in training.

# %%
with tf.device("CPU:0"):
    numbers = tf.ones(16_000_000)


def there_and_back(place):
    with tf.device(place):
        result = numbers + 1.0
    with tf.device("CPU:0"):
        return tf.identity(result)


took = {place: best_seconds(lambda place=place: there_and_back(place), calls=2) for place in PLACES}
took = ", ".join(f"{place[:3]} ({1000 * seconds:.1f} ms)" for place, seconds in took.items())
print(f"1 added to 16 million numbers in the CPU's memory, measured on {took}")
print(f"the A100's copies alone: {1000 * 128e6 / a100['link_bytes_per_s']:.1f} ms, calculated")

# %% [markdown]
# ## 6. See that it starves
#
# NVIDIA's documentation defines a GPU's utilization as the time in which *any* kernel ran. A clock tells more: time
# the input alone, the step alone, and both.
#
# ### Exercise: diagnose it
#
# Write `diagnose`. Without prefetch, a batch takes its input, then its step; with it, the longer of the two. The
# device *waits* whenever no step runs. The *gain*: old seconds of a batch divided by new ones, if only the step
# becomes `faster` times as fast.


# %% tags=["exercise"]
def diagnose(input_seconds, step_seconds, prefetch, faster):
    """Return {"seconds": of a batch, "waiting": the share without a step, "gain": old / new seconds}."""

    ### BEGIN SOLUTION
    def batch_seconds(step):
        return max(input_seconds, step) if prefetch else input_seconds + step

    seconds = batch_seconds(step_seconds)
    return {
        "seconds": seconds,
        "waiting": 1 - step_seconds / seconds,
        "gain": seconds / batch_seconds(step_seconds / faster),
    }
    ### END SOLUTION


# %% tags=["check"]
diagnose = lab.check(diagnose)

# %% [markdown]
# The team's photos lie in a bucket. A stand-in lets every batch of 64 wait 60 ms, and leaves the processor free;
# photos, model and steps are real.
#
# **Predict.** Suppose the step takes 6 ms, and there is prefetch. What does a GPU with ten times the speed gain?
#
# <details><summary>Ten times</summary>
#
# The step would be ten times as fast. What does a batch wait for?
#
# </details>
# <details><summary>Nothing</summary>
#
# Right: the longer of the two is 60 ms before and after.
#
# </details>


# %% tags=["setup"]
def from_bucket(images, labels):
    """Return the batch after 60 ms: a stand-in for files that are far away."""

    def arrive(images):
        time.sleep(0.060)
        return images

    return tf.ensure_shape(tf.numpy_function(arrive, [images], tf.float32), images.shape), labels


def scaled(raw):
    """Return batches of 64, with photos as float32 in [0, 1]."""
    return raw.batch(64).map(lambda images, labels: (tf.cast(images, tf.float32) / 255.0, labels)).cache()


def make_model():
    """Return a compiled network with two hidden layers, from the same weights each time."""
    keras.utils.set_random_seed(42)
    model = keras.Sequential([keras.Input((28, 28, 1)), keras.layers.Flatten()])
    for units, activation in ((128, "relu"), (128, "relu"), (10, None)):
        model.add(keras.layers.Dense(units, activation=activation))
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(optimizer=keras.optimizers.Adam(0.002), loss=loss, metrics=["accuracy"])
    return model


def training_step(model):
    """Return a step of `model`, traced once for batches of any size; it gives the loss."""

    @tf.function(input_signature=[tf.TensorSpec((None, 28, 28, 1)), tf.TensorSpec((None,), tf.int64)])
    def step(images, labels):
        with tf.GradientTape() as tape:
            loss = model.loss(labels, model(images, training=True))
        gradients = tape.gradient(loss, model.trainable_variables)
        model.optimizer.apply_gradients(zip(gradients, model.trainable_variables, strict=True))
        return loss

    model.optimizer.build(model.trainable_variables)
    return step


def seconds_a_batch(dataset, step=lambda *batch: None):
    """Return the seconds that a batch of `dataset` takes, `step` included: the median, which stalls leave alone."""
    seconds, begin = [], time.perf_counter()
    for batch in dataset:
        finish(step(*batch))
        seconds.append(time.perf_counter() - begin)
        begin += seconds[-1]
    return np.median(seconds)


# %%
train_ds, val_ds = map(scaled, lab.load("fashion_mnist", split=["train[:2000]", "train[5000:]"]))
fetched_ds = train_ds.take(16).map(from_bucket)
step = training_step(make_model())
seconds_a_batch(train_ds, step)  # once for the cache and the tracing
input_alone = seconds_a_batch(fetched_ds)
step_alone = seconds_a_batch(train_ds, step)
both = seconds_a_batch(fetched_ds.prefetch(2), step)
found = diagnose(input_alone, step_alone, prefetch=True, faster=10)
print("the input takes longer than the step:", input_alone > 1.5 * step_alone, "-", measured())
print("both together as calculated, within a factor of two:", 0.5 < both / found["seconds"] < 2)
print("a device ten times as fast gains less than a fifth:", found["gain"] < 1.2)

# %%
kept_ds = fetched_ds.cache().prefetch(2)
seconds_a_batch(kept_ds)  # the first epoch fills the cache
kept = seconds_a_batch(kept_ds, step)
times = {"input alone": input_alone, "step alone": step_alone, "both, prefetch": both, "both, cached": kept}
figure = plots.bars(
    {name: 1000 * value for name, value in times.items()},
    "time of a batch (ms)",
    "The input sets the time, until it is kept",
)
lab.show(figure, alt="Four bars: input long, step short, both together as long as the input, cached short.")
print("keeping the input halves the batch's time at least:", kept < both / 2, "-", measured())

# %% [markdown]
# ## 7. Compute in 16 bits
#
# Half the bytes are twice the intensity, and GPUs have units for products in 16 bits. Two formats share them
# out differently: float16 keeps 10 bits for the digits and 5 for the exponent, bfloat16 keeps 7 and 8, as many
# for the exponent as float32. (TF32 is a third: for products only, with nothing to set.)
#
# **Predict.** Which of the two turns a gradient of 0.00000001 into 0?
#
# <details><summary>bfloat16, which has fewer digits</summary>
#
# Digits say how finely numbers lie. How small a number may be is up to the exponent.
#
# </details>
# <details><summary>float16</summary>
#
# Right: its smallest number is about 0.00000006. That is why it needs a scaled loss, and bfloat16 does not.
#
# </details>

# %%
for dtype in (tf.float32, tf.float16, tf.bfloat16):
    small, fine, large = (float(tf.cast(value, dtype)) for value in (1e-8, 1 + 1 / 256, 70_000.0))
    print(f"{dtype.name:9} 0.00000001: {small:.1g}, 1 + 1/256: {fine:.6g}, 70,000: {large:,.0f}")

total = {dtype: tf.zeros((), dtype) + 1 for dtype in (tf.float32, tf.bfloat16)}
for _ in range(100):
    total = {dtype: number + tf.constant(0.001, dtype) for dtype, number in total.items()}
for dtype, number in total.items():
    print(f"1 and a hundred times 0.001, added up in {dtype.name}: {float(number):.1f}")
print("TF32 is allowed:", tf.config.experimental.tensor_float_32_execution_enabled(), "-", measured())

# %% [markdown]
# In bfloat16 the number after 1 is 1.0078: a weight that moves in small steps stands still. Hence *mixed* precision:
# compute in 16 bits, keep weights and loss in float32.
#
# ### Exercise: a model in mixed precision
#
# Write `make_classifier`: a hidden layer of 64 units with ReLU that follows `policy`, for example
# `"mixed_bfloat16"`, as its `dtype`, and float32 logits. The photos come scaled: these two `Dense` layers and a
# `Flatten`, no more. Leave the global policy alone.


# %% tags=["exercise"]
def make_classifier(policy, classes):
    """Return a Keras model (not compiled): float32 photos (n, 28, 28, 1) to float32 logits (n, classes)."""
    ### BEGIN SOLUTION
    return keras.Sequential(
        [
            keras.Input((28, 28, 1)),
            keras.layers.Flatten(dtype=policy),
            keras.layers.Dense(64, activation="relu", dtype=policy),
            keras.layers.Dense(classes, dtype="float32"),
        ]
    )
    ### END SOLUTION


# %% tags=["check"]
make_classifier = lab.check(make_classifier)

# %%
accuracy = {}
for policy in ("float32", "mixed_bfloat16"):
    lab.reseed()
    classifier = make_classifier(policy, 10)
    loss_fn = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    classifier.compile(optimizer=keras.optimizers.Adam(0.002), loss=loss_fn, metrics=["accuracy"])
    classifier.fit(train_ds, epochs=4, verbose=0)
    accuracy[policy] = classifier.evaluate(val_ds, verbose=0)[1]
    hidden = next(layer for layer in classifier.layers if layer.weights)
    print(f"{policy}: computes in {hidden.compute_dtype}, keeps weights in {hidden.variable_dtype}")
print("both above 65 %:", min(accuracy.values()) > 0.65, "-", measured())
print("less than 5 points apart:", abs(np.subtract(*accuracy.values())) < 0.05)

# %%
images, labels = next(iter(train_ds.unbatch().batch(1024)))
model = make_model()
model.fit(train_ds, epochs=4, verbose=0)
with tf.GradientTape() as tape:
    logits = model(images[:256])  # nothing here trains in float16: only these gradients are cast to it
    loss = model.loss(labels[:256], logits)
gradient = tape.gradient(loss, logits).numpy().ravel()
for scale in (1, 2**15):
    vanished = np.mean((scale * gradient).astype("float16") == 0)
    print(f"loss times {scale:6}: more than a tenth of them become 0 in float16: {vanished > 0.1}")
print(measured())

# %%
figure, axes = plt.subplots()
edges = np.linspace(-14, 6, 61)
for scale, name in ((1, "as they are"), (2**15, "loss times 32,768")):
    axes.hist(np.log10(scale * np.abs(gradient[gradient != 0])), edges, alpha=0.6, label=name)
for number, name in ((2.0**-24, "smallest"), (65504, "largest")):
    axes.axvline(np.log10(number), color="0.3", linestyle="--")
    axes.annotate(f"{name} \nfloat16 ", (np.log10(number), 100), ha="right")
axes.set(xlabel="size (power of ten)", ylabel="gradients", title="A scaled loss lifts gradients into range")
axes.legend(loc="upper left")
lab.show(
    figure, alt="Gradients from 1e-13 to 1e-2, many below float16's smallest. Scaled, nearly all lie above."
)

# %% [markdown]
# Multiply the loss, and by the chain rule every gradient is multiplied. Divide in float32: all is back but what was
# 0 even so. Too large a scale gives `inf`: skip the step, halve the scale, and try larger ones later.
#
# ### Exercise: scale the loss by hand
#
# Write `LossScale.unscale`. `gradients` is a list of float16 arrays, of a loss that was multiplied by
# `self.value`. The gradients of *this* step belong to *this* value. After `growth_steps` good ones in a row, double.


# %% tags=["exercise"]
class LossScale:
    """Finds a scale for the loss: halves it after an overflow, doubles it after `growth_steps` good steps."""

    def __init__(self, value=2.0**15, growth_steps=2000):
        self.value, self.growth_steps, self.good_steps = value, growth_steps, 0

    def unscale(self, gradients):
        """Return float32 gradients of the unscaled loss, or None if any is inf or nan; adapt `value`."""
        ### BEGIN SOLUTION
        if not all(np.isfinite(gradient).all() for gradient in gradients):
            self.value, self.good_steps = self.value / 2, 0
            return None
        unscaled = [gradient.astype("float32") / self.value for gradient in gradients]
        self.good_steps += 1
        if self.good_steps == self.growth_steps:
            self.value, self.good_steps = self.value * 2, 0
        return unscaled
        ### END SOLUTION


# %% tags=["check"]
LossScale = lab.check(LossScale)

# %%
scaler, scales = LossScale(value=2.0**40, growth_steps=6), []
for _ in range(40):
    with np.errstate(over="ignore"):  # an overflow to inf is what is looked for
        scaler.unscale([(scaler.value * gradient).astype("float16")])
    scales.append(scaler.value)
print("from step 20 on within a factor of two:", max(scales[20:]) <= 2 * min(scales[20:]))
for policy in ("float32", "mixed_float16"):
    keras.config.set_dtype_policy(policy)
    model = make_classifier("mixed_float16", 10)
    keras.config.set_dtype_policy("float32")
    model.compile(optimizer="adam", loss="mse")
    print(f"global policy {policy}: compiled with {type(model.optimizer).__name__}")

# %% [markdown]
# Keras does this for you: `compile` wraps the optimizer in a `LossScaleOptimizer`, with the start and the growth
# of your class. But only if the *model's* policy is `mixed_float16`. A `Sequential` or functional model takes that
# from the global one, or you set `model.dtype_policy` before `compile`. Set it in the layers alone, and you wrap the
# optimizer yourself. bfloat16 needs neither.

# %% [markdown]
# ## Break it: the GPU that was never there
#
# A job asks for a GPU, runs without an error, and takes all night. Its script has `tf.device("GPU:0")` in
# it, so nobody doubts. Here the script asks for device 9, which your machine does not have either.

# %%
with tf.device("GPU:9"):
    result = tf.constant([1.0]) + 1.0
print("asked for GPU 9, got something else:", "GPU:9" not in result.device)
print("it ran on", where(result))

tf.config.set_soft_device_placement(False)
try:
    with tf.device("GPU:9"):
        tf.constant([1.0]) + 1.0
except tf.errors.InvalidArgumentError as error:
    print(type(error).__name__, "-", str(error).split("'")[0].strip())
tf.config.set_soft_device_placement(True)

# %% [markdown]
# *Soft placement* moves an operation if its device is missing or has no kernel for it. The second is welcome; the
# first is how a driver that does not load costs a night. (The log says it once, "Skipping registering GPU devices",
# where logs are on; here they are off.) *Mend it*: switch soft placement off while you test, or stop a job at its
# start unless `list_physical_devices("GPU")` is as long as it must be.

# %% [markdown]
# ## Measure it: photos a second by batch size
#
# Back to the team. How many photos does their model learn from in a second? The photos lie on the device, the step
# is traced once for all sizes. Where the curve climbs, make batches larger before you buy. (Then tune the
# learning rate again: photos a second are not accuracy.) Where it is flat, rent a GPU for an hour and run this lab on
# it.

# %%
batch_sizes, speeds = (1, 4, 16, 64, 256, 1024), {}
for place in PLACES:
    with tf.device(place):
        step = training_step(make_model())
        parts = [(tf.identity(images[:n]), tf.identity(labels[:n])) for n in batch_sizes]
        took = [best_seconds(lambda step=step, part=part: step(*part)) for part in parts]
    speeds[place[:3]] = np.array(batch_sizes) / took
print(measured())
more = all(values[4] > 8 * values[0] for values in speeds.values())
print("256 at a time: more than 8 times the photos a second than one by one:", more)

# %%
figure, axes = plt.subplots()
for (name, values), marker in zip(speeds.items(), plots.MARKERS, strict=False):
    axes.loglog(batch_sizes, values, marker=marker, label=name)
axes.set_xticks(batch_sizes, batch_sizes)
axes.minorticks_off()
axes.set(xlabel="photos in a batch", ylabel="rate (photos/s)", title="One by one is mostly overhead")
axes.legend()
lab.show(figure, alt="Photos a second against batch size: up, then flatter. A GPU has its own curve.")
weights = make_model().count_params()
for n, rate in zip(batch_sizes, speeds["CPU"], strict=True):
    job = {"operations": 100, "flops": 6 * weights * n, "bytes": 40 * weights, "copied": 4 * 784 * n}
    print(f"batch of {n:4}: {n / rate / predict_seconds(a100, job):.1f} times as fast on an A100, calculated")

# %% [markdown]
# The last lines hold the A100 of section 5 against your CPU: 6 FLOPs for each weight and photo (2 forward, 4
# backward), 40 bytes for each weight (Adam), and 100 starts, which is assumed. So neither of the two is right: not
# slower, and far from fifty times as fast, least of all for small batches. And while the photos come from the bucket,
# next to nothing is gained, as section 6 measured.

# %% [markdown]
# ## Explain it
#
# Answer aloud before you open the model answer: that is what the interview will be like.
#
# <details><summary>How does TensorFlow use GPUs?</summary>
#
# It finds them when it starts and runs every operation that has a GPU kernel there by itself; `tf.device`
# overrides. Tensors stay where they were made, and are copied silently where devices differ. It pays for large
# products of matrices, where thousands of numbers are computed at once and each byte is used often: there it can
# be orders of magnitude. It does not for small operations, and the input must keep up, or it waits. It needs NVIDIA's
# driver and `tensorflow[and-cuda]`. With several GPUs only the first computes, though memory of all is taken, until a
# `tf.distribute` strategy or `CUDA_VISIBLE_DEVICES` says otherwise.
#
# *Follow-up: `tf.device("GPU:0")` is in the script. How do you know that it ran there?* Ask a result for its
# `device`, or switch soft placement off: by default a missing GPU is replaced by the CPU without an error.
#
# </details>
# <details><summary>When is a GPU slower than a CPU?</summary>
#
# When starting the operations takes longer than the work: small batches, loops of tiny operations. Where data are
# copied for little arithmetic, few FLOPs per byte, the copies eat up the gain. And when the input is the limit, it is
# no faster, only dearer.
#
# *Follow-up: adding two vectors of 16 million numbers on the A100 of section 5: what fraction is work?* About 2 %:
# 6 ms of copies, 0.1 ms of memory traffic. If the vectors already lie there, the copies fall away.
#
# </details>
# <details><summary>Our GPU is at 30 %. What do you do?</summary>
#
# Time the input alone and the step alone, or read the profiler. If the input is longer, feed it: parallel calls,
# cache, prefetch. If the step is, look at its size: a larger batch, fewer and larger operations (`tf.function`),
# mixed precision. A faster GPU is the last thing.
#
# *Follow-up: with prefetch, input 60 ms, step 6 ms: what does prefetch itself save?* 6 of 66 ms. It hides the
# shorter of the two.
#
# </details>
# <details><summary>What is mixed precision, and why does float16 need a scaled loss?</summary>
#
# Compute in 16 bits, keep weights, sums and outputs in float32. float16 has few exponent bits: small gradients
# become 0. Multiplying the loss lifts them, dividing in float32 brings them back; overflows are skipped, and the
# scale adapts. bfloat16 has the exponent of float32, and needs none. On Ampere and later, float32 products already
# use TF32, so 16 bits gain less than they would over float32.
#
# *Follow-up: why unscale in float32?* In float16 the small ones would vanish after all.
#
# </details>

# %% [markdown]
# ### Quiz
#
# **1. "Physical devices cannot be modified after being initialized." Where do you put `set_memory_growth`?**
#
# <details><summary>Directly before fit</summary>
#
# Building the model made variables, and those are on a device.
#
# </details>
# <details><summary>Before the first tensor, at the top of the program</summary>
#
# Right. Any operation, and even a list of logical devices, starts the devices.
#
# </details>
#
# **2. A product takes 15 µs on a GPU for n = 512, and 15 µs for n = 4096. What was measured?**
#
# <details><summary>Perfect parallelism</summary>
#
# The second has 512 times the arithmetic.
#
# </details>
# <details><summary>The time to ask for it</summary>
#
# Right: nobody waited for the result.
#
# </details>
#
# **3. Input 5 ms, step 20 ms, prefetch. A GPU with four times the speed comes. How many times as fast is
# training?**
#
# <details><summary>The number</summary>
#
# **4 times**: 20 ms before, and then both take 5 ms. Any faster GPU than that would wait.
#
# - **2.5 ± 0.1**: that is 25 ms to 10 ms, without prefetch, where input and step follow one another.
# - **1**: that would be so if the input were the longer of the two before. It is the shorter.
#
# </details>

# %% [markdown]
# ## Recap
#
# **You can now** list and split devices, see where tensors lie and what is copied, time what has finished, count
# FLOPs and bytes, calculate when a GPU pays, find out that it starves, and train in mixed precision.
#
# **On a GPU** run this lab again: the same cells then measure both. `TF_FORCE_GPU_ALLOW_GROWTH=true` sets memory
# growth from outside, `CUDA_VISIBLE_DEVICES` chooses the GPUs. `data/pipelines` shows all ways to feed one, the
# profiler's input pipeline analysis what it waits for. **At scale** each GPU must be fed, and gradients are copied
# between them too.
#
# **Official documentation:** [use a GPU](https://www.tensorflow.org/guide/gpu),
# [GPU performance analysis](https://www.tensorflow.org/guide/gpu_performance_analysis),
# [mixed precision](https://www.tensorflow.org/guide/mixed_precision),
# [input pipeline analysis](https://www.tensorflow.org/guide/data_performance_analysis),
# [tf.test.experimental.sync_devices](https://www.tensorflow.org/api_docs/python/tf/test/experimental/sync_devices).
