# ---
# jupyter:
#   labs:
#     title: Think in tensors
#     promise: >-
#       Put a year of weather into tensors, holes and all, compare every day with every other without a
#       loop, and see where a tensor is not a NumPy array.
#     minutes: 80
#     level: beginner
#     prerequisites: []
#     outcomes:
#       - say what the shape, the axes and the dtype of a tensor are, and convert dtypes without losing anything
#       - take out rows, columns and single places, and predict what broadcasting makes of two shapes
#       - explain why a tensor never changes, and keep a running state in a `tf.Variable`
#       - tell when going to NumPy and back copies, and where the two disagree
#       - hold missing and unequal rows with masks and ragged tensors, and replace a Python loop by axes
#     data: [weather]
#     cpu_seconds: 30
#     replaces:
#       - {old: "`tf.placeholder`, then `session.run(x)`", new: "tensors have their numbers at once: `x.numpy()`"}
#       - {old: "`tf.to_float(x)`, `tf.to_int32(x)`", new: "`tf.cast(x, tf.float32)`, `tf.cast(x, tf.int32)`"}
#       - {old: "`tf.assign(v, x)`, `tf.scatter_update(v, ...)`", new: "`v.assign(x)`, `v.scatter_nd_update(...)`"}
# ---

# %% [markdown]
# What will tomorrow be like? An old answer: look in the archive for the day most like today, and see what came
# after it. You will put a year of real weather into tensors, compare every day with every other, and find out
# whether the archive knows.
#
# The longer cell below holds helpers: run it now, and read each helper when you meet it.

# %%
import labs

lab = labs.start("foundations/tensors")

# %% tags=["setup"]
import csv
import datetime
import os
import subprocess
import sys
import time

import matplotlib.pyplot as plt
import numpy as np
import tensorflow as tf

from labs import plots

AIRPORTS = ["ewr", "jfk", "lga"]
COLUMNS = ["temperature_c", "dew_point_c", "humidity_pct", "wind_speed_ms"]
COLUMNS += ["precipitation_mm", "pressure_hpa", "visibility_km"]
NEW_YEAR = datetime.date(2013, 1, 1)


def read_weather(folder):
    """Return float32 (3 airports, 364 days, 24 hours, 7 columns); nan where nothing was measured."""
    weather = np.full((3, 364, 24, 7), np.nan, np.float32)
    for path in sorted(folder.glob("*.csv")):
        airport = AIRPORTS.index(path.name[:3])
        with open(path, newline="") as file:
            for row in csv.DictReader(file):
                day = (datetime.date(2013, int(row["month"]), int(row["day"])) - NEW_YEAR).days
                weather[airport, day, int(row["hour"])] = [float(row[name] or "nan") for name in COLUMNS]
    return weather


def date(day):
    """Return the name of day number `day`, counted from 0."""
    return f"{NEW_YEAR + datetime.timedelta(int(day)):%d %b}"


def milliseconds(function, runs=15):
    """Return the median time of a call, the first one left out, and what came back, as an array."""
    seconds = []
    for _ in range(runs + 1):
        begin = time.perf_counter()
        result = np.asarray(function())  # waits until it is computed
        seconds.append(time.perf_counter() - begin)
    return 1000 * np.median(seconds[1:]), result


def by_hand(x, y):
    """Return the squared distance of two lists of numbers."""
    return sum((p - q) ** 2 for p, q in zip(x, y, strict=True))


def draw_difference(left, right):
    """Return a figure of `left - right`: the numbers there are (dark) and those that are repeated (pale)."""
    result = left - right
    figure, panels = plt.subplots(1, 3, figsize=(9.5, 2.5))
    figure.get_layout_engine().set(wspace=0.08)
    for axes, array, sign, colour in zip(panels, (left, right, result), " −=", plots.COLOURS, strict=False):
        rows, columns = (1, 1, *array.shape)[-2:]
        for row, column in np.ndindex(*result.shape):
            own = row < rows and column < columns
            shade = {"facecolor": colour, "alpha": 0.85 if own else 0.12, "edgecolor": "black"}
            axes.add_patch(plt.Rectangle((column, -row - 1), 1, 1, **shade))
            number = f"{np.broadcast_to(array, result.shape)[row, column]:.0f}"
            ink = "white" if own and colour != plots.COLOURS[1] else "black"
            axes.text(column + 0.5, -row - 0.5, number, ha="center", va="center", color=ink)
        axes.set(xlim=(0, result.shape[1]), ylim=(-result.shape[0], 0))
        axes.axis("off")
        axes.set_title(f"{sign} {array.shape}", fontweight="normal", loc="center")
    return figure


# %% [markdown]
# ## 1. Give numbers a shape and a dtype
#
# A *tensor* is a block of numbers, all of one kind. Its `shape` says how many there are along each *axis*, its
# `dtype` of which kind they are. Here are four axes: 3 airports, 364 days, 24 hours, 7 measurements. Always know
# what each axis stands for.

# %%
weather = tf.constant(read_weather(lab.folder("weather")))  # real observations of 2013
print("shape:", weather.shape, "- dtype:", weather.dtype.name, "- axes:", weather.ndim)
print("numbers:", tf.size(weather).numpy(), "of", weather.dtype.size, "bytes each")

temperatures = weather[1, :, :, 0]  # airport 1 (JFK), all days, all hours, measurement 0
figure, axes = plt.subplots(figsize=(9, 3.2))
image = axes.imshow(tf.transpose(temperatures), aspect="auto", cmap="cividis", origin="lower")
figure.colorbar(image, label="temperature (°C)")
axes.set(xlabel="axis 0: day of 2013", ylabel="axis 1: hour", title="A year at JFK, shape (364, 24)")
axes.grid(False)
lab.show(figure, alt="A map of 364 days by 24 hours: cold at both ends, warm in the middle and by day.")

# %% [markdown]
# **Predict.** `tf.constant([20, 21])` and `tf.constant(np.array([20, 21]))` hold the same numbers. Do they have the
# same dtype?
#
# <details><summary>Yes, int64: Python's whole numbers are large</summary>
#
# TensorFlow makes 32-bit numbers out of Python's, as long as they fit: half the memory.
#
# </details>
# <details><summary>No: int32, and what the array had</summary>
#
# Right. A Python number has no dtype, so TensorFlow picks one. An array has one, and it is kept:
# int64 (NumPy 1 on Windows: int32).
#
# </details>
# <details><summary>Yes, float32: everything becomes float32</summary>
#
# Nothing becomes a float by itself. You will soon wish that it did.
#
# </details>

# %%
for source in ([20, 21], np.array([20, 21]), [20.5], np.array([20.5]), [True], ["JFK"], 20.5):
    tensor = tf.constant(source)
    print(f"{type(source).__name__:8} {np.asarray(source)!s:9} -> {tensor.dtype.name:8} {tensor.shape}")

tenths = tf.where(tf.math.is_nan(temperatures), -9999.0, 10 * temperatures)  # condition, then, otherwise
packed = tf.cast(tf.round(tenths), tf.int16)
print("29 Jan as a station sends it:", packed[28, :8].numpy(), packed.dtype.name)
print("bytes each:", packed.dtype.size, "instead of", temperatures.dtype.size)
with lab.fails(TypeError):
    packed * 0.1

# %% [markdown]
# One number is a tensor of shape `()`, without an axis. And stations save bytes: they send tenths of a degree as
# whole numbers, with an agreed number, here -9999, for "nothing measured".
#
# ### Exercise: decode a station
#
# Write `decode`: degrees as `float32`, and `nan` for `missing`. Stations send `int16`, `int32` or `int64`. Mixing
# dtypes is refused, as you saw; `tf.cast` converts. Fill in the blank, then run the check below it;
# `lab.hint(decode)` helps.


# %% tags=["exercise"]
def decode(tenths, missing):
    """Return whole `tenths` of a degree as degrees, a float32 tensor; nan where they equal `missing`, an int."""
    ### BEGIN SOLUTION
    degrees = tf.cast(tenths, tf.float32) / 10.0
    return tf.where(tenths == missing, np.nan, degrees)
    ### END SOLUTION


# %% tags=["check"]
decode = lab.check(decode)

# %%
decoded = decode(packed, -9999)
print("same numbers as before:", np.allclose(decoded, temperatures, equal_nan=True))
for whole in (tf.int16, tf.int32, tf.int64):
    print(f"{whole.name} / 10 is {(tf.constant(7, whole) / 10).dtype.name}")

# %% [markdown]
# ## 2. Take out what you need
#
# Slices work as in NumPy: `x[2]`, `x[:, 3]`, `x[::-1]`, `x[..., 0]`. A condition in the brackets, too.
#
# **Predict.** In NumPy `x[[0, 2]]` gives rows 0 and 2. What does it give for a tensor of shape (364, 24)?
#
# <details><summary>Rows 0 and 2, shape (2, 24)</summary>
#
# That is NumPy. In TensorFlow it is `tf.gather(x, [0, 2])`.
#
# </details>
# <details><summary>One number: row 0, column 2</summary>
#
# Right. The list is read as if you had written `x[0, 2]`. No error tells you.
#
# </details>
# <details><summary>An error</summary>
#
# Two lists give an error. A single list does not, which is worse: you get something else than you meant.
#
# </details>

# %%
print("x[[0, 2]]: NumPy", temperatures.numpy()[[0, 2]].shape, "- tensor", temperatures[[0, 2]].shape)
print("noon of every day: ", temperatures[:, 12].shape)
print("days 0 and 2:      ", tf.gather(temperatures, [0, 2]).shape)
print("hours 0 and 2:     ", tf.gather(temperatures, [0, 2], axis=1).shape)
print("4 Jul 12 h, 10 Feb 6 h:", tf.gather_nd(temperatures, [[184, 12], [40, 6]]).numpy())
print("above 36 degrees:", temperatures[temperatures > 36].numpy())
with lab.fails(TypeError):
    temperatures[[184, 40], [12, 6]]

# %% [markdown]
# `tf.gather` takes whole rows along one axis. `tf.gather_nd` takes places, each told by all its positions, such as
# [day, hour]. `tf.range(n)` counts from 0 to n - 1, `tf.stack` joins tensors along a new axis.
#
# ### Exercise: one hour for each day
#
# Write `at_hour`: from each row of `table` the one number at that row's own hour. Many tables have holes, and a
# `nan` elsewhere must not disturb. `hours` may be `int32` or `int64`.


# %% tags=["exercise"]
def at_hour(table, hours):
    """Return table[i, hours[i]] for every row i: table (days, hours in a day), hours (days,), result (days,)."""
    ### BEGIN SOLUTION
    days = tf.range(tf.shape(table)[0])
    places = tf.stack([days, tf.cast(hours, tf.int32)], axis=1)
    return tf.gather_nd(table, places)
    ### END SOLUTION


# %% tags=["check"]
at_hour = lab.check(at_hour)

# %%
wind = weather[1, :, :, 3]
windiest = tf.argmax(tf.where(tf.math.is_nan(wind), -1.0, wind), axis=1)  # for each day, the hour
strongest, felt = at_hour(wind, windiest), at_hour(temperatures, windiest)
print("hours:", windiest.dtype.name, windiest.shape, "- temperatures:", felt.shape)
day = tf.argmax(strongest).numpy()
print(f"strongest: {strongest[day]:.1f} m/s on {date(day)} at {windiest[day]} h, at {felt[day]:.1f} degrees")

# %% [markdown]
# ## 3. Let shapes meet
#
# When two shapes differ, TensorFlow *broadcasts*, by NumPy's rule. Write the shapes above each other, aligned on the
# right. Each pair of sizes must be equal, or one of them 1 or not there; that one is repeated.
#
# **Predict.** Shapes (3, 1) and (4,): what is the shape of the difference?
#
# <details><summary>An error: 3 is not 4</summary>
#
# Aligned on the right, 1 meets 4, and 3 meets nothing. Both can be repeated.
#
# </details>
# <details><summary>(3, 4)</summary>
#
# Right: every number on the left meets every number on the right.
#
# </details>
# <details><summary>(3, 1)</summary>
#
# The 1 is repeated four times, to meet the 4.
#
# </details>

# %%
noon = tf.round(temperatures[:, 12])  # whole degrees, easier to check
left, right = tf.reshape(noon[1:4], (3, 1)).numpy(), noon[180:184].numpy()
figure = draw_difference(left, right)
figure.suptitle("Pale numbers are repeated, not stored", fontweight="bold", x=0.01, ha="left")
lab.show(
    figure,
    alt="A column of 3 minus a row of 4, each repeated in pale cells to 3 by 4, gives 3 by 4 differences.",
)

# %%
hours = tf.boolean_mask(weather[1], ~tf.reduce_any(tf.math.is_nan(weather[1]), axis=-1))  # without holes
print("complete hours:", hours.shape)
print("mean over axis 0:", tf.reduce_mean(hours, axis=0).shape, "one for each column")
print("mean over axis 1:", tf.reduce_mean(hours, axis=1).shape, "one for each hour, degrees plus per cent")
print("with keepdims:   ", tf.reduce_mean(hours, axis=1, keepdims=True).shape)
with lab.fails(tf.errors.InvalidArgumentError):
    hours - tf.reduce_mean(hours, axis=1)

# %% [markdown]
# An axis of size 1 comes from `x[:, tf.newaxis]` or `keepdims=True`. `axis` may be a list of axes.
# `tf.math.reduce_std` gives standard deviations, `tf.math.divide_no_nan` gives 0 for x / 0.
#
# ### Exercise: standardize each column
#
# Write `standardize`, so that degrees and hectopascals can be compared: minus the mean, divided by the standard
# deviation, *for each column*, which is the last axis, over all axes before it. A column that never changes becomes
# zeros, not `nan`.


# %% tags=["exercise"]
def standardize(x):
    """Return float32 `x`, (..., columns), with mean 0 and standard deviation 1 in every column."""
    ### BEGIN SOLUTION
    others = list(range(x.ndim - 1))
    mean = tf.reduce_mean(x, axis=others)
    deviation = tf.math.reduce_std(x, axis=others)
    return tf.math.divide_no_nan(x - mean, deviation)
    ### END SOLUTION


# %% tags=["check"]
standardize = lab.check(standardize)

# %% [markdown]
# ## 4. Change what cannot change
#
# Nothing changes the numbers of a tensor. What looks like a change makes a new one.
#
# **Predict.** `a` holds [1, 2]. Then `b = a`, then `a += 1`. What is in `b`, if `a` is a NumPy array, and if it is a
# tensor?
#
# <details><summary>[1, 2] both times</summary>
#
# NumPy adds in place: `a` and `b` are two names of one array.
#
# </details>
# <details><summary>[2, 3], and [1, 2]</summary>
#
# Right. For a tensor `a += 1` is `a = a + 1`: the name `a` moves to a new tensor, `b` stays with the old one.
#
# </details>

# %%
for kind in (np.array, tf.constant, tf.Variable):
    a = kind([1, 2])
    b = a
    if kind is tf.Variable:
        a.assign_add([1, 1])
    else:
        a += 1
    print(f"{kind.__name__:9} a = {[*map(int, a)]}, b = {[*map(int, b)]}")

row = tf.constant([4.0, -9999.0, 6.0])
print("new, by place:", tf.tensor_scatter_nd_update(row, indices=[[1]], updates=[5.0]).numpy().tolist())
print("new, by rule: ", tf.where(row < -999, 0.0, row).numpy().tolist(), "- before:", row.numpy().tolist())

# %% [markdown]
# What never changes can be shared, sent to another device, and remembered for a derivative. What *must* change,
# such as a model's weights, lives in a `tf.Variable`: fixed shape and dtype, changed by `assign` and `assign_add`.
#
# ### Exercise: a running mean
#
# A station reports in batches of rows that nobody keeps. Write `update` and `result` of `RunningMean`. The two
# variables must stay the same objects. Before the first row the mean is 0.


# %% tags=["exercise"]
class RunningMean:
    """The mean of all rows seen so far, for each column."""

    def __init__(self, columns):
        self.total = tf.Variable(tf.zeros(columns))
        self.count = tf.Variable(0.0)

    def update(self, rows):
        """Take in `rows`, float32 of shape (any number, columns)."""
        ### BEGIN SOLUTION
        self.total.assign_add(tf.reduce_sum(rows, axis=0))
        self.count.assign_add(tf.cast(tf.shape(rows)[0], tf.float32))
        ### END SOLUTION

    def result(self):
        """Return the mean of each column, float32 (columns,)."""
        ### BEGIN SOLUTION
        return tf.math.divide_no_nan(self.total, self.count)
        ### END SOLUTION


# %% tags=["check"]
RunningMean = lab.check(RunningMean)

# %%
scaled = standardize(hours)
running, running_scaled, sizes = RunningMean(7), RunningMean(7), []
for start in range(0, len(hours), 500):
    running.update(hours[start : start + 500])
    running_scaled.update(scaled[start : start + 500])
    sizes.append(len(hours[start : start + 500]))
print(len(sizes), "batches, the last of", sizes[-1], "rows")
print("as over all at once:", np.allclose(running.result(), np.mean(hours, axis=0), rtol=1e-3))
print("standardized means near 0:", np.allclose(running_scaled.result(), 0, atol=1e-2))

# %% [markdown]
# ## 5. Cross to NumPy and back
#
# **Predict.** `numbers = np.zeros(3)`, `t = tf.constant(numbers)`, `numbers[0] = 9`. What is `t[0]`? And may you
# write into `t.numpy()`?
#
# <details><summary>0, and you may: both are copies</summary>
#
# Right. What you write into a copy does not reach the tensor.
#
# </details>
# <details><summary>9: both look at the same memory</summary>
#
# Then a tensor would change behind TensorFlow's back, and a tensor never changes.
#
# </details>

# %%
ways_in = {"constant": tf.constant, "convert_to_tensor": tf.convert_to_tensor, "Variable": tf.Variable}
ways_out = {".numpy()": lambda x: x.numpy(), "np.asarray": np.asarray, "np.from_dlpack": np.from_dlpack}
with tf.device("CPU:0"):
    for name, into in ways_in.items():
        array = np.zeros(1000)
        tensor = into(array)
        array[0] = 9
        print(f"in by tf.{name:17} sees the 9: {bool(tensor[0] == 9)}")
    tensor = tf.zeros(1000)
for name, out in ways_out.items():
    same = np.shares_memory(out(tensor), np.asarray(memoryview(tensor)))  # the tensor's own memory
    print(f"out by {name:14} same memory: {same!s:5} may be written to: {out(tensor).flags.writeable}")

# %%
x = tf.ones(3)
print("a GPU, where there is one, is used by itself:", ("GPU" in x.device) == lab.has_gpu)
with tf.device("GPU:99"):
    print("asked for GPU:99, lies there:", "GPU:99" in (x + 1).device)
with tf.GradientTape(persistent=True) as tape:
    tape.watch(x)
    inside, outside = tf.reduce_sum(x**2), tf.reduce_sum(np.square(x))
print("slopes of the sum of squares:", tape.gradient(inside, x).numpy(), end=" - ")
print("through np.square:", tape.gradient(outside, x))
with lab.fails(NotImplementedError):
    tf.function(lambda x: np.square(x))(x)  # as `fit` would run it

# %% [markdown]
# Measured, on the processor: the ways in copy, and `.numpy()` copies too. `np.asarray` and DLPack look at the
# tensor's own memory and forbid writing. What tensors buy: a GPU without a change of code, and slopes
# (*derivatives*), by which models learn. A step through NumPy ends both, and fails in a `tf.function`, which the
# next lab is about. A device that is not there is no error: another is taken.
#
# **Predict.** `tf.reduce_mean(tf.constant([1, 2]))` is?
#
# <details><summary>The number</summary>
#
# **1**: whole numbers have a whole mean here.
#
# - **1.5**: that is `np.mean`, which goes to `float64`. TensorFlow keeps the dtype it was given.
# - **2**: nothing is rounded up. What is behind the point is cut off.
#
# </details>
#
# `tf.experimental.numpy`, called `tnp`, has many of NumPy's functions, and its dtypes, on tensors. It has been
# experimental for years. Its switch changes *every* tensor of the process, and nothing switches it off: run it
# apart.

# %%
half, yes = np.array([0.5]), np.array([True])
print("mean of [1, 2]: NumPy", np.mean([1, 2]), "- TensorFlow", tf.reduce_mean([1, 2]).numpy())
print("[0.5] * [True]: NumPy", half * yes, "- TensorFlow", (tf.constant(half) * tf.constant(yes)).numpy())
print("300 as uint8:   TensorFlow", tf.constant(300, tf.uint8).numpy(), end=" - NumPy ")
with lab.fails(OverflowError):
    np.array(300, np.uint8)
print("np.sqrt(tensor) is", type(np.sqrt(x)).__name__, end=", ")
print("array + tensor is a tensor:", tf.is_tensor(half + x))
tnp = tf.experimental.numpy
print("tnp.mean:", tnp.mean([1, 2]).numpy(), "- int32 with float32:", tnp.add(tf.constant(1), x).dtype.name)

# %%
script = """import tensorflow as tf
tf.experimental.numpy.experimental_enable_numpy_behavior()
x = tf.reshape(tf.range(6), (3, 2))
print('switched on: x + 0.5 is', (x + 0.5).dtype.name, '- x[[0, 2]]', x[[0, 2]].shape, '- x.T', x.T.shape)"""
alone = os.environ | {"TF_CPP_MIN_LOG_LEVEL": "3", "CUDA_VISIBLE_DEVICES": ""}
ran = subprocess.run([sys.executable, "-c", script], env=alone, capture_output=True, text=True, check=True)
print(ran.stdout.strip())
with lab.fails(AttributeError):
    x.T  # in this notebook nothing was switched on

# %% [markdown]
# ## 6. Hold rows of unequal length
#
# Pressure is missing now and then, most often in bad weather, so leaving it out is not harmless. And days differ in
# how many pressures they have. A block with holes needs a *mask*, boolean, of the same shape. A *ragged* tensor has
# rows of their own lengths.
#
# **Predict.** `tf.constant([[1011.0], [1012.0, 1013.0]])`: what comes out?
#
# <details><summary>A ragged tensor</summary>
#
# `tf.constant` never makes one; `tf.ragged.constant` would. A tensor is a block.
#
# </details>
# <details><summary>An error</summary>
#
# Right. `tf.constant` does not fill up, and does not guess.
#
# </details>

# %%
with lab.fails(ValueError):
    tf.constant([[1011.0], [1012.0, 1013.0]])
pressure = weather[1, :, :, 5]
measured = ~tf.math.is_nan(pressure)
ragged = tf.ragged.boolean_mask(pressure, measured)
lengths = ragged.row_lengths().numpy()
print("block:", pressure.shape, "- ragged:", ragged.shape, "- in one row:", ragged.flat_values.shape)
print(lengths.min(), "to", lengths.max(), "pressures a day; the first day has", len(ragged[0]))
bad = (weather[1, :, :, 4] > 0) | (weather[1, :, :, 6] < 10)  # precipitation, or visibility below 10 km
shares = [np.mean(~measured[those]) for those in (bad, ~bad)]
print(f"missing in bad weather: {shares[0]:.0%}, otherwise: {shares[1]:.0%}")

# %%
fewest = np.argsort(lengths, kind="stable")[:12]  # the twelve days with the fewest pressures
block, rows = tf.gather(pressure, fewest), tf.gather(ragged, fewest).to_tensor(np.nan)
figure, panels = plt.subplots(1, 2, figsize=(9, 3.4), sharey=True)
for axes, table, place in zip(panels, (block, rows), ("hour", "place in the row"), strict=True):
    axes.imshow(table, aspect="auto", cmap="cividis")
    axes.set(xlabel=place, ylabel="day", xlim=(-0.5, 23.5), facecolor="0.85")
    axes.set_yticks(range(12), [date(day) for day in fewest])
    axes.grid(False)
figure.suptitle("A block keeps its holes, ragged rows end", fontweight="bold", x=0.01, ha="left")
lab.show(figure, alt="Twelve days of pressures: left with grey holes, right closed up, of unequal length.")

# %%
rain = tf.where(tf.math.is_nan(weather[1, :, :, 4]), 0.0, weather[1, :, :, 4])
sparse = tf.sparse.from_dense(rain)
print("hours with rain:", len(sparse.values), "of", tf.size(rain).numpy(), end=" - ")
print("same sum:", np.allclose(tf.sparse.reduce_sum(sparse), tf.reduce_sum(rain)))
with lab.fails(TypeError):
    sparse + 1.0

names = tf.constant(["JFK 2013", "Zürich 1864"])
print("a string is bytes:", names[1].numpy(), "- how many:", tf.strings.length(names).numpy())
words = tf.strings.split(names)
print("words:", words.shape, "- as numbers:", tf.strings.to_number(words.to_tensor()[:, 1]).numpy())

# %% [markdown]
# A *sparse* tensor stores places and values of what is not zero; adding 1 would fill it, so it is refused.
#
# ### Exercise: the mean of what was measured
#
# Write `mean_of_measured`, along the *last* axis, whatever stands before it. `nan` is not a measurement: leave it out
# of the sum and of the count. A row in which nothing was measured has the mean `nan`.


# %% tags=["exercise"]
def mean_of_measured(values):
    """Return the mean over the last axis of float32 `values`, leaving nan out; a tensor with one axis fewer."""
    ### BEGIN SOLUTION
    measured = ~tf.math.is_nan(values)
    total = tf.reduce_sum(tf.where(measured, values, 0.0), axis=-1)
    return total / tf.reduce_sum(tf.cast(measured, tf.float32), axis=-1)
    ### END SOLUTION


# %% tags=["check"]
mean_of_measured = lab.check(mean_of_measured)

# %% [markdown]
# ## 7. Drop the loop
#
# Two days are alike if the sum of their squared differences, over all seven standardized columns, is small. For every
# pair of days that is a loop in a loop in a loop, or one subtraction, if every day of `a` meets every day of `b`.
#
# **Predict.** `a` is (n, 7), `b` is (m, 7). Which shapes give (n, m, 7) when subtracted?
#
# <details><summary>(n, 7) and (m, 7), as they are</summary>
#
# n meets m. With n = m there is no error, but then day i meets day i only.
#
# </details>
# <details><summary>(n, 1, 7) and (m, 7)</summary>
#
# Right: 7 meets 7, 1 meets m, n meets nothing.
#
# </details>
#
# ### Exercise: every day against every other
#
# Write `squared_distances`, without a loop. Row i, column j is the sum of the squared differences of `a[i]` and
# `b[j]`.


# %% tags=["exercise"]
def squared_distances(a, b):
    """Return squared distances, float32 (n, m), between the rows of `a`, (n, columns), and of `b`, (m, columns)."""
    ### BEGIN SOLUTION
    differences = a[:, tf.newaxis, :] - b
    return tf.reduce_sum(differences**2, axis=-1)
    ### END SOLUTION


# %% tags=["check"]
squared_distances = lab.check(squared_distances)

# %%
by_hour = tf.transpose(weather[1], [0, 2, 1])  # (364, 7, 24): the hours last
daily = mean_of_measured(by_hour)  # (364, 7)
print("pressures as from the ragged rows:", np.allclose(daily[:, 5], tf.reduce_mean(ragged, axis=1)))
days = standardize(daily)
infinite = tf.fill([364], np.inf)  # no day is its own twin
distances = tf.linalg.set_diag(squared_distances(days, days), infinite)
twins = tf.argmin(distances, axis=1)  # some lie after today: fine to look back, not to forecast
first = tf.argmin(tf.reduce_min(distances, axis=1)).numpy()
for day in (first, twins[first].numpy()):
    print(date(day), *(f"{COLUMNS[place]} {daily[day, place]:.3f}" for place in (0, 2, 5)), sep="  ")

# %%
today, tomorrow = daily[:-1, 0], daily[1:, 0]  # mean temperatures
after_twin = tf.gather(daily[:, 0], tf.minimum(twins[:-1] + 1, 363))
forecasts = {"as after the twin": after_twin, "as today": today, "as in the mean": tf.reduce_mean(today)}
errors = {name: tf.reduce_mean(tf.abs(one - tomorrow)).numpy() for name, one in forecasts.items()}
title = "The twin beats the mean, today beats the twin"
lab.show(
    plots.bars(errors, "mean error of 363 forecasts (°C)", title),
    alt="Three bars: after the twin about 3 degrees, as today about 2, as in the mean about 8.",
)

# %% [markdown]
# ## Break it: dtypes, assignment, axes
#
# Tensor and tensor of other dtypes: an error (only `*` with a boolean passes, see section 5). Tensor and array: the
# array is converted *to the tensor's dtype*, silently. Assigning is an error with a way out. And the wrong axis
# passes wherever two sizes happen to agree: here somebody tries it on one week, 7 days by 7 columns.

# %%
ages = tf.constant([1, 2])
with lab.fails(tf.errors.InvalidArgumentError):
    ages + tf.constant([0.5, 0.9])
print("with an array:", (ages + np.array([0.5, 0.9])).numpy(), end=" - mended: ")
print((tf.cast(ages, tf.float32) + np.array([0.5, 0.9])).numpy())
with lab.fails(TypeError):
    ages[0] = 5
print("mended:", tf.tensor_scatter_nd_update(ages, [[0]], [5]).numpy())
week = daily[:7]
centred = week - tf.reduce_mean(week, axis=1)  # axis 0 was meant
print("no error:", centred.shape, "- means near 0:", np.allclose(np.mean(centred, axis=0), 0, atol=1))

# %%
squares = (today[:, tf.newaxis] - tomorrow) ** 2  # forecasts as models give them, (363, 1), minus (363,)
print("squared errors:", squares.shape, f"- their mean {tf.reduce_mean(squares):.3f}", end=", ")
print(f"meant was {tf.reduce_mean((today - tomorrow) ** 2):.3f}")
with lab.fails(tf.errors.InvalidArgumentError):
    tf.ensure_shape(today[:, tf.newaxis], tomorrow.shape)
figure, axes = plt.subplots(figsize=(4.8, 4))
image = axes.imshow(squares, cmap="cividis", vmax=400)
axes.plot([0, 362], [0, 362], color="white")
figure.colorbar(image, label="squared error (°C²)")
axes.set(xlabel="truth of day", ylabel="forecast for day", title="Only the white line was meant")
axes.grid(False)
lab.show(figure, alt="A square of 363 by 363 errors: small near the white diagonal, large far from it.")

# %% [markdown]
# The mean was taken over 131,769 pairs, each forecast against the truth of every day, and nothing complained. Two
# habits help. Try code on sizes that all differ: 5 days and 7 columns, never 7 and 7. And say what you expect:
# `tf.ensure_shape` stopped it.

# %% [markdown]
# ## Measure it: what the loop costs
#
# The distances of 40 days, in four ways: a loop over tensors, a loop over Python's numbers, and without a loop in
# NumPy and in TensorFlow. Then all 364 days: broadcasting makes a block of n · m · 7 numbers on the way;
# |a|² + |b|² − 2ab, with one matrix product, makes n · m.


# %%
def by_broadcasting(x):
    return tf.reduce_sum((x[:, tf.newaxis] - x) ** 2, axis=-1)


def loop(rows, distance):
    return [[distance(x, y) for y in rows] for x in rows]


some, array, lists = days[:40], days[:40].numpy(), days[:40].numpy().tolist()
ways = {"no loop, tensors": milliseconds(lambda: by_broadcasting(some))}
ways["no loop, NumPy"] = milliseconds(lambda: ((array[:, None] - array) ** 2).sum(axis=-1))
ways["loop, Python's numbers"] = milliseconds(lambda: loop(lists, by_hand), runs=5)
ways["loop, tensors"] = milliseconds(lambda: loop(some, lambda x, y: tf.reduce_sum((x - y) ** 2).numpy()), 1)
times = {name: median for name, (median, _) in ways.items()}

# %%
figure = plots.bars(times, "time (ms, log scale)", "A loop over tensors costs most", digits=2)
figure.axes[0].set_xscale("log")
lab.show(figure, alt="Four bars on a logarithmic axis: the loop over tensors by far the longest.")
results = [result for _, result in ways.values()]
print("all agree:", all(np.allclose(result, results[0], atol=1e-3) for result in results))
print("without the loop more than 20 times as fast:", times["loop, tensors"] > 20 * times["no loop, tensors"])

squared = tf.reduce_sum(days**2, axis=1)
block, one = milliseconds(lambda: by_broadcasting(days))
product, two = milliseconds(lambda: squared[:, None] + squared - 2 * tf.matmul(days, days, transpose_b=True))
print(f"364 days: the block {block:.1f} ms, the product {product:.1f} ms")
print("the product is faster:", product < block, "- and agrees:", np.allclose(one, two, atol=0.01))
print("a day is 0 from itself, block:", not np.diag(one).any(), "- product:", not np.diag(two).any())

# %% [markdown]
# Starting an operation costs far more than the few additions in it, so never loop over the single rows of a tensor.
# For small work on a processor NumPy is a match, often faster: tensors pay off by size, accelerator and derivatives.
# And if a matrix product can do it, let it, where a small error is harmless: subtracting large sums costs digits, and
# a distance near 0 may come out below 0.

# %% [markdown]
# ## Explain it
#
# Answer aloud before you open the model answer: that is what the interview will be like.
#
# <details><summary>Tensors or NumPy arrays: what is the difference, and when do you use which?</summary>
#
# Both are blocks of numbers with a shape and a dtype. A tensor can lie on a GPU or TPU, TensorFlow can differentiate
# what is computed with it, and it never changes; state is in a `tf.Variable`. `tf.constant` goes in, `.numpy()`
# comes out, each with a copy. NumPy for reading, small work and plotting; tensors from there to the last operation
# of a model.
#
# *Follow-up: someone puts one `np.square` into the middle of a loss. What happens?* In `fit`, or in any
# `tf.function`, it fails: a symbolic tensor has no numbers for NumPy. Run eagerly it computes, but the derivative
# through it was `None` here, and on a GPU the numbers come back to the processor each time.
#
# </details>
# <details><summary>Why are tensors immutable, and how do you update one all the same?</summary>
#
# So that they can be shared, placed elsewhere, run in another order, and remembered for derivatives. An update makes
# a new tensor: `tf.tensor_scatter_nd_update` or `tf.where`. What is meant to change is a `tf.Variable`, changed by
# `assign`.
#
# *Follow-up: `a = tf.constant([1, 2]); b = a; a += 1`. What is in `b`, and why?* [1, 2]: the name `a` has moved on to
# a new tensor.
#
# </details>
# <details><summary>When does going between NumPy and TensorFlow copy?</summary>
#
# On the processor `tf.constant`, `tf.convert_to_tensor` and `.numpy()` copied here; `np.asarray` and `np.from_dlpack`
# gave views that cannot be written to. What lies on a GPU has to be copied from there.
#
# *Follow-up: you write into `x.numpy()` and nothing happens. Why no error?* It is a copy of your own. Into
# `np.asarray(x)` writing would be refused.
#
# </details>
# <details><summary>Your archive lost against "as today". What do you make of it?</summary>
#
# It beat the year's mean clearly, though both cheated: twins were sought in the whole year, days after today
# included, and the mean was taken over the very days that it forecasts. Even so today won. One year holds few twins
# for seven columns, and neighbouring days are alike anyway: a model must beat the simple answer before it is worth
# anything.
#
# *Follow-up: which days were the twins of the year, and how did you find them?* 27 May and 8 October: one subtraction
# of all days from all days, infinity on the diagonal, and `argmin`.
#
# </details>
# <details><summary>A loss is computed without an error and makes no sense. Which shapes do you suspect?</summary>
#
# (n, 1) against (n,): broadcasting makes n by n of it. Keras' own losses squeeze that axis away; a loss that you
# write yourself does not. Then means over the wrong axis, where two sizes happen to agree. Print shapes on both
# sides of every subtraction, and test with sizes that all differ.
#
# *Follow-up: how many errors did one mean hide in this lab?* 363 · 363 instead of 363.
#
# </details>
#
# ### Quiz
#
# **1. `tf.constant([3, 4]) * np.array([0.5, 0.5])`: what comes out?**
#
# <details><summary>[1.5, 2.0]</summary>
#
# NumPy would. The tensor is int32, and the array is converted to that: 0.5 becomes 0.
#
# </details>
# <details><summary>[0, 0]</summary>
#
# Right. Cast the tensor first.
#
# </details>
# <details><summary>An error: two dtypes</summary>
#
# That is what two *tensors* give.
#
# </details>
#
# **2. Shapes (32, 10) and (32,): can they be added?**
#
# <details><summary>Yes: 32 meets 32</summary>
#
# Shapes are aligned on the right, so 10 meets 32.
#
# </details>
# <details><summary>No, but (32, 10) and (32, 1) can</summary>
#
# Right: `[:, tf.newaxis]` or `keepdims=True` makes the axis of size 1.
#
# </details>
#
# **3. `values * mask`, both tensors, with a boolean mask, to put zeros where nothing was measured. What is wrong?**
#
# <details><summary>The result is boolean</summary>
#
# Right: with a boolean tensor, `*` casts both sides to int32, multiplies, and gives booleans, so 0.5 is lost too.
# `tf.where(mask, values, 0.0)` keeps the numbers.
#
# </details>
# <details><summary>Only the dtype: <code>values * tf.cast(mask, tf.float32)</code> mends it</summary>
#
# Not for what is missing: nan times 0 is nan. `tf.where` takes the 0.0 instead.
#
# </details>
# <details><summary>The shapes do not meet</summary>
#
# They are the same: the mask has one entry for each value.
#
# </details>

# %% [markdown]
# ## Recap
#
# You can now name the axes and the dtype of a tensor, take it apart, predict broadcasting, keep state, cross to NumPy
# knowing what is copied, and replace loops by axes.
#
# **On a GPU and at scale:** the code stays. Each `.numpy()` waits for the GPU and copies from it, so leave it out of
# loops. Broadcasting that builds a large block in between is what fills its memory first.
#
# **Official documentation:** [introduction to tensors](https://www.tensorflow.org/guide/tensor),
# [variables](https://www.tensorflow.org/guide/variable), [tensor
# slicing](https://www.tensorflow.org/guide/tensor_slicing), [ragged
# tensors](https://www.tensorflow.org/guide/ragged_tensor), [sparse
# tensors](https://www.tensorflow.org/guide/sparse_tensor), [the NumPy API on
# TensorFlow](https://www.tensorflow.org/guide/tf_numpy).
