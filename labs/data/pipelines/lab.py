# ---
# jupyter:
#   labs:
#     title: Feed the accelerator
#     promise: >-
#       Measure how long an accelerator waits for its data, and remove the waiting with `tf.data`, one step
#       at a time.
#     minutes: 75
#     level: beginner
#     prerequisites: [keras/sequential]
#     outcomes:
#       - measure which share of a training step is spent waiting for data
#       - put `shuffle`, `map`, `cache`, `batch` and `prefetch` in an order that you can defend
#       - overlap reading, preparing and training, and show it on a timeline
#       - cache what stays the same without freezing what should be random
#       - read many CSV files at once, without their headers and with missing values marked as missing
#     data: [clipart, weather]
#     cpu_seconds: 60
#     replaces:
#       - {old: "`tf.data.experimental.AUTOTUNE`", new: "`tf.data.AUTOTUNE`"}
#       - {old: "`tf.data.experimental.map_and_batch`", new: "`map`, then `batch`; TensorFlow joins them"}
#       - {old: "`model.fit_generator(...)`", new: "`model.fit(dataset)`"}
# ---

# %% [markdown]
# A team rents a GPU by the hour. Its pictures lie in a bucket, far away. The model is sound, the code has
# no error, and yet the GPU stands idle for most of what it costs. You will find out by measuring what it
# waits for, and take the waiting away piece by piece.

# %%
import labs

lab = labs.start("data/pipelines")

# %% [markdown]
# ## 1. Measure the waiting
#
# You need neither bucket nor GPU here: two *stand-ins* take their places. Both only sleep, and leave the
# processor free, as the real ones would. `from_storage` waits 4 ms for each file and notes it in `reads`;
# `gpu_step` takes 60 ms for each batch. The pictures, their decoding and the times you will see are real.

# %% tags=["setup"]
import time

import keras
import matplotlib.pyplot as plt
import numpy as np
import tensorflow as tf

from labs import plots

reads = []  # the storage's log: one entry for each file that it has sent


def from_storage(path):
    """Return `path` after the 4 ms that a far-away file needs to arrive: a stand-in for a bucket."""

    def send(path):
        time.sleep(0.004)
        reads.append(path)
        return path

    return tf.ensure_shape(tf.numpy_function(send, [path], tf.string), ())


def load_image(path, label):
    """Fetch and decode one picture: float32 (96, 96, 3) in [0, 1], and its label."""
    image = tf.io.decode_jpeg(tf.io.read_file(from_storage(path)), channels=3)
    return tf.ensure_shape(tf.cast(image, tf.float32) / 255.0, (96, 96, 3)), label


def gpu_step(batch):
    """Keep an accelerator busy for 60 ms, and the processor idle: a stand-in for a training step."""
    time.sleep(0.060)


def as_written(dataset):
    """Run exactly the steps that were written, with threads for 16 calls that wait."""
    options = tf.data.Options()
    options.experimental_optimization.apply_default_optimizations = False
    options.threading.private_threadpool_size = 16
    return dataset.with_options(options)


# %%
classes = lab.labels("clipart")
files = sorted(lab.folder("clipart").glob("train/*/*.jpg"))
paths = [str(file) for file in files]
labels = np.array([classes.index(file.parent.name) for file in files])
print(len(paths), "files; the first is a", classes[labels[0]], "and the last a", classes[labels[-1]])

chosen = range(0, len(paths), 27)
pictures = np.stack([load_image(paths[i], labels[i])[0] for i in chosen])
figure = plots.images(pictures, [classes[labels[i]] for i in chosen], title="Six classes, one folder each")
lab.show(figure, alt="Sixteen coloured cliparts on white, among them desserts, flags, mammals and vehicles.")

# %% [markdown]
# **Predict.** A batch has 32 pictures. Fetching and decoding one takes about 5 ms, the step of the whole batch
# 60 ms. A plain loop fetches a batch, trains on it, fetches the next. How many per cent of the time does the
# accelerator stand idle?
#
# <details><summary>The number</summary>
#
# **73 ± 2 %**: 32 times 5 ms is 160 ms of waiting for each 60 ms of work, and 160 / 220 is 73 %.
#
# - **8 ± 1**: the 5 ms are for one picture. How many of them does a batch need?
# - **27 ± 2**: that is the share in which it works.
# - **0**: only if something reads in the background. A plain loop does one thing after another.
#
# </details>
#
# ### Exercise: measure waiting and working
#
# Write `measure`: go through `batches`, call `step` with each, and note how long each batch let you wait
# and how long its step took. `clock()` gives the time in seconds. Mind that `for` fetches a batch *before*
# the first line of the loop's body.


# %% tags=["exercise"]
def measure(batches, step, clock):
    """Return two lists of seconds: the wait for each batch, and the time of each `step(batch)`."""
    ### BEGIN SOLUTION
    waits, steps = [], []
    asked = clock()
    for batch in batches:
        arrived = clock()
        step(batch)
        done = clock()
        waits.append(arrived - asked)
        steps.append(done - arrived)
        asked = done
    return waits, steps
    ### END SOLUTION


# %% tags=["check"]
measure = lab.check(measure)


# %%
def python_batches(count=192, batch_size=32):
    for start in range(0, count, batch_size):
        batch = range(start, start + batch_size)
        images = [load_image(paths[i], labels[i])[0].numpy() for i in batch]
        yield np.stack(images), labels[batch]


waits, steps = measure(python_batches(), gpu_step, time.perf_counter)
print(f"computed for {sum(steps):.2f} s, waited for {sum(waits):.2f} s")
print("it waits longer than it works:", sum(waits) > sum(steps))

# %% [markdown]
# ## 2. Describe the work
#
# A training that waits for data is called *input-bound*; a faster GPU would only wait sooner. A
# `tf.data.Dataset` does not hold data, it describes work: take these names, `map` a function over them,
# `batch` the results. Nothing runs until somebody asks for an element. The storage's log shows it.

# %%
examples = tf.data.Dataset.from_tensor_slices((paths, labels))
plain = examples.take(192).map(load_image).batch(32)
sequential = as_written(plain)
reads.clear()
print("files read after describing:", len(reads))
images, targets = next(iter(sequential))
print("after asking for one batch:", len(reads), "- images", images.shape, images.dtype.name)
print("classes in the batch:", len(np.unique(targets)))
rewritten = iter(plain)
next(rewritten)
time.sleep(0.3)  # time in which a pipeline may run ahead
print("without as_written, more than two batches' worth:", len(reads) > 64)

# %% [markdown]
# TensorFlow may rewrite a pipeline, fuse `map` and `batch`, or add a prefetch: this one works ahead. That is
# welcome, but you want to see each step alone first, and `as_written` switches the rewriting off. The
# batch holds one class, because the files are sorted. So shuffle.
#
# **Predict.** `shuffle(32)` keeps a buffer of 32 elements: it hands out one of them at random and fills
# the gap with the next that comes. What can the very first element be?
#
# <details><summary>Any of the 429</summary>
#
# It is drawn from the buffer, and the buffer has seen only the first 32.
#
# </details>
# <details><summary>One of the first 32</summary>
#
# Right. Element 400 cannot come out before it has gone in, and by then more than 360 others have left.
#
# </details>

# %%
figure, panels = plt.subplots(1, 3, sharey=True, figsize=(9, 3.4))
for axes, buffer in zip(panels, (1, 32, 429), strict=True):
    order = list(tf.data.Dataset.range(429).shuffle(buffer, seed=lab.seed).as_numpy_iterator())
    axes.scatter(range(429), order, s=4)
    axes.set(xlabel="place after shuffling", ylabel="place on the disk", title=f"buffer of {buffer}")
lab.show(
    figure,
    alt="Place after shuffling against place on the disk. Buffer 1: a straight line. Buffer 32: a narrow band "
    "around that line. Buffer 429: points spread evenly over the whole square.",
)

# %% [markdown]
# ### Exercise: shuffle, load, batch
#
# A buffer as large as the data set mixes it well, and holding *names* is cheap: a picture takes 110,592
# bytes. Write `make_train_ds`: mix *all* examples, in another order in every epoch, load each, and batch.
# Every picture is wanted, so the last batch may be smaller. `fit` repeats the data set; you need not.


# %% tags=["exercise"]
def make_train_ds(paths, labels, load, batch_size):
    """Return a dataset of shuffled batches (images, labels); `load(path, label)` gives one example."""
    ### BEGIN SOLUTION
    examples = tf.data.Dataset.from_tensor_slices((paths, labels))
    return examples.shuffle(len(paths)).map(load).batch(batch_size)
    ### END SOLUTION


# %% tags=["check"]
make_train_ds = lab.check(make_train_ds)

# %% [markdown]
# ## 3. Let the work overlap
#
# The order is right now, but `map` still fetches one file after another, and the step begins when the last
# is there. With `num_parallel_calls=4`, four are under way at once, and what comes out is the same. A call
# that waits occupies a thread: by default there is about one for each core, so `as_written` asks for 16.

# %%
images, targets = next(iter(as_written(make_train_ds(paths, labels, load_image, batch_size=32))))
print("one shuffled batch has more than one class:", len(np.unique(targets)) > 1)
parallel = as_written(examples.take(192).map(load_image, num_parallel_calls=4).batch(32))
waited = {}
for name, dataset in {"one call at a time": sequential, "four calls": parallel}.items():
    waits, steps = measure(dataset, gpu_step, time.perf_counter)
    waited[name] = sum(waits)
    print(f"{name}: computed for {sum(steps):.2f} s, waited for {sum(waits):.2f} s")
print("four calls wait less:", waited["four calls"] < waited["one call at a time"] / 1.5)

# %% [markdown]
# Results still come in the order of the files. With `deterministic=False` whatever is ready comes first:
# faster where some files are slow, but no two runs are alike. `tf.data.AUTOTUNE` lets TensorFlow choose
# the number.
#
# **Predict.** While the accelerator works on a batch, the processor is idle. `prefetch(2)` prepares two
# elements ahead of the consumer. Where in the chain does it hide the most waiting?
#
# <details><summary>Right after map, before batch</summary>
#
# There an element is a single picture: two pictures ahead is little for a batch of 32.
#
# </details>
# <details><summary>At the very end</summary>
#
# Right: there an element is a whole batch, and everything before it runs while the accelerator works.
#
# </details>
#
# ### Exercise: overlap preparing and computing
#
# Write `overlap`: load the examples with `calls` calls at once, in their order, batch them all, and have
# the next batch prepared while the consumer works on this one.


# %% tags=["exercise"]
def overlap(examples, load, batch_size, calls):
    """Return batches of loaded `examples`, a dataset of (path, label), prepared ahead of the consumer."""
    ### BEGIN SOLUTION
    loaded = examples.map(load, num_parallel_calls=calls)
    return loaded.batch(batch_size).prefetch(2)
    ### END SOLUTION


# %% tags=["check"]
overlap = lab.check(overlap)


# %% tags=["setup"]
# See it: `tf.timestamp` notes, inside the pipeline, when the work on a picture began and ended.
def stamped(path, label):
    """Load one picture, and note when that began and ended, in seconds."""
    begin = tf.timestamp()
    with tf.control_dependencies([begin]):
        image, label = load_image(path, label)
    with tf.control_dependencies([image]):
        return image, label, tf.stack([begin, tf.timestamp()])


def draw_timeline(axes, dataset, measure):
    """Draw when pictures were prepared and when steps were computed; return the seconds waited."""
    stamps, start = [], time.time()

    def step(batch):
        stamps.extend(batch[2].numpy())
        gpu_step(batch)

    waits, steps = measure(dataset, step, time.perf_counter)
    begins = np.cumsum(np.add(waits, steps)) - steps
    prepared = [(begin - start, end - begin) for begin, end in stamps]
    axes.broken_barh(prepared, (0, 0.8), color=plots.COLOURS[0])
    computed = list(zip(begins, steps, strict=True))
    axes.broken_barh(computed, (1, 0.8), facecolor=plots.COLOURS[1], edgecolor="white")
    axes.set_yticks([0.4, 1.4], ["processor\nprepares", "accelerator\ncomputes"])
    return sum(waits)


# %%
figure, (above, below) = plt.subplots(2, 1, sharex=True, figsize=(8, 4.2))
alternating = as_written(examples.take(192).map(stamped, num_parallel_calls=4).batch(32))
overlapping = as_written(overlap(examples.take(192), stamped, batch_size=32, calls=4))
for axes, name, dataset in ((above, "no prefetch", alternating), (below, "prefetch", overlapping)):
    waited[name] = draw_timeline(axes, dataset, measure)
    axes.set(xlabel="time (s)", ylabel=" ", title=f"Four calls, {name}: {waited[name]:.2f} s of waiting")
lab.show(
    figure,
    alt="Two timelines. Without prefetch preparing and computing take turns, with gaps in both. With prefetch "
    "the steps follow one another after a first wait, and preparing goes on underneath.",
)
print("prefetch leaves less waiting:", waited["prefetch"] < waited["no prefetch"])

# %% [markdown]
# With prefetch, what remains is mostly the wait for the first batch: nobody can prefetch before the start.
# Overlap hides the shorter of the two, preparing or computing: where preparing takes longer than a step,
# the accelerator still waits, and needs more calls or less work. TensorFlow may add a prefetch by itself;
# write yours, because what it rewrites depends on the chain.

# %% [markdown]
# ## 4. Keep what does not change
#
# The second epoch fetches and decodes the same files again. `cache` keeps what comes in at its place, in
# memory or in a file that you name; from the second epoch on, nothing before it runs. So its place decides
# what is saved, and what is *frozen*. Try it with `augment`, which mirrors and brightens at random.

# %%
dice = tf.random.Generator.from_seed(lab.seed)


def augment(image, label):
    image = tf.where(dice.uniform(()) < 0.5, image, image[:, ::-1])  # mirrored or not
    return tf.clip_by_value(image + dice.uniform((), -0.2, 0.2), 0.0, 1.0), label


loaded = as_written(examples.take(64).map(load_image, num_parallel_calls=8))
for name, dataset in {"before": loaded.cache().map(augment), "after": loaded.map(augment).cache()}.items():
    first, second = (np.stack([image for image, _ in dataset]) for epoch in (1, 2))
    print(f"cache {name} augment: new pictures in epoch 2:", not np.array_equal(first, second))

# %% [markdown]
# Cached after `augment`, each random change is drawn once and kept for good. No error tells you. The same
# holds for `shuffle`: cached after it, the first order is the order of all epochs.
#
# **Predict.** Somebody writes `examples.cache().map(load_image)`. What does the second epoch save?
#
# <details><summary>Fetching and decoding</summary>
#
# These happen in `load_image`, which comes after the cache, so they run again.
#
# </details>
# <details><summary>Next to nothing</summary>
#
# Right. What is cached are paths and labels, and those were in memory from the start.
#
# </details>
#
# ### Exercise: cache at the right place
#
# Write `cached_train_ds`: each file is loaded *once*, however many epochs follow. Every epoch has a new
# order and newly augmented pictures, in batches. The loaded pictures fit in memory here, so a shuffle
# buffer may hold them all.


# %% tags=["exercise"]
def cached_train_ds(examples, load, augment, batch_size):
    """Return batches of loaded and augmented `examples`, a finite dataset of (path, label)."""
    ### BEGIN SOLUTION
    loaded = examples.map(load, num_parallel_calls=tf.data.AUTOTUNE).cache()
    mixed = loaded.shuffle(len(examples))
    return mixed.map(augment, num_parallel_calls=tf.data.AUTOTUNE).batch(batch_size).prefetch(2)
    ### END SOLUTION


# %% tags=["check"]
cached_train_ds = lab.check(cached_train_ds)

# %%
reads.clear()
cached = as_written(cached_train_ds(examples.take(192), load_image, augment, batch_size=32))
for epoch in (1, 2, 3):
    waits, steps = measure(cached, gpu_step, time.perf_counter)
    print(f"epoch {epoch}: {len(reads)} files read so far, waited for {sum(waits):.2f} s")

# %% [markdown]
# ## 5. Parse rows by the batch
#
# A table has many examples in one file: 36 files here hold a year of hourly weather at three airports. A
# line is text; `decode_csv` makes numbers of it, and an empty field becomes the *default* that you name.
# That is a choice about the truth.
#
# **Predict.** Of 26,115 hours 2,729 have no air pressure; the others are near 1,018 hPa on average. What
# is the mean of the column if the default is 0?
#
# <details><summary>1,018 hPa: what is missing does not count</summary>
#
# A default is a value like any other. Nothing remembers that the field was empty.
#
# </details>
# <details><summary>About a tenth less</summary>
#
# Right: a tenth of the values is zero. Nothing fails, and a model would learn from them.
#
# </details>
# <details><summary>nan</summary>
#
# That is what `nan` as the default would give, and you would notice.
#
# </details>

# %%
weather = sorted(str(file) for file in lab.folder("weather").glob("*.csv"))
header = next(iter(tf.data.TextLineDataset(weather[0]))).numpy().decode().split(",")
print(len(weather), "files, columns:", ", ".join(f"{i} {header[i]}" for i in (5, 7, 11)))
files_ds = tf.data.Dataset.from_tensor_slices(weather)
lines = files_ds.flat_map(lambda file: tf.data.TextLineDataset(file).skip(1))
columns = [tf.io.decode_csv(some, [0.0], select_cols=[11])[0] for some in lines.batch(4096)]
print(f"mean air pressure, with 0 for what is missing: {np.concatenate(columns).mean():.0f} hPa")

# %% [markdown]
# ### Exercise: parse rows
#
# At sea level, 912 hPa is the eye of a fierce hurricane: 2,729 missing values were read as zeros, without
# an error. Write `parse_rows` for a *batch* of lines: columns 5, 7 and 11 of 13, one row for each line,
# and `nan` where a field is empty, so that missing stays visible.


# %% tags=["exercise"]
def parse_rows(lines):
    """Return float32 (n, 3): temperature, humidity, pressure of CSV `lines` (string, (n,)); nan if missing."""
    ### BEGIN SOLUTION
    missing = [float("nan")] * 3
    columns = tf.io.decode_csv(lines, missing, select_cols=[5, 7, 11])
    return tf.stack(columns, axis=-1)
    ### END SOLUTION


# %% tags=["check"]
parse_rows = lab.check(parse_rows)


# %%
def seconds(dataset):
    start = time.perf_counter()
    for _ in dataset:
        pass
    return time.perf_counter() - start


def parse_one(line):
    return parse_rows(line[tf.newaxis])[0]


some = lines.take(4000)
ways = (some.map(parse_one).batch(500), some.batch(500).map(parse_rows))
one_by_one, by_batch = (min(seconds(as_written(way)) for _ in range(3)) for way in ways)
print(f"4,000 lines, one at a time {1000 * one_by_one:.0f} ms, by the batch {1000 * by_batch:.0f} ms")
print("by the batch is faster:", by_batch < one_by_one / 1.5)

# %% [markdown]
# ## 6. Interleave many files
#
# You just measured that each call of a mapped function has a price of its own. For a picture it does not
# matter; for a short line it is most of the time, so batch first, then map. Next, opening: here each file
# lets you wait 40 ms. `interleave` takes lines from several files in turn, and with `num_parallel_calls`
# opens them at the same time.


# %% tags=["setup"]
def open_lines(file):
    """Return the lines of a far-away file, its header included; a stand-in: opening takes 40 ms."""

    def opened(file):
        time.sleep(0.040)
        return file

    def fetch(file):
        return tf.ensure_shape(tf.numpy_function(opened, [file], tf.string), ())

    return tf.data.Dataset.from_tensors(file).map(fetch).flat_map(tf.data.TextLineDataset)


# %% [markdown]
# **Predict.** `interleave` over 36 files, and `skip(1)` after it. How many headers are left?
#
# <details><summary>The number</summary>
#
# **35**: the function that `interleave` calls for each file returns a dataset too, and it has methods. Skip
# there.
#
# - **0**: `skip(1)` drops one element of the dataset it is called on, and there all files are one stream.
# - **36**: one of them is gone, the very first element of the stream.
#
# </details>
#
# ### Exercise: read many files at once
#
# Write `read_rows`: lines of `calls` files in turn, the files open at the same time, no headers, then
# batches, parsed as wholes. `open_lines(file)` gives the lines of one file, and each file begins with a
# header. Only `open_lines` knows how to find a file by its name.


# %% tags=["exercise"]
def read_rows(files, open_lines, parse, batch_size, calls):
    """Return parsed batches of all lines but the headers of `files`, names that only `open_lines` can open."""

    ### BEGIN SOLUTION
    def rows_of(file):
        return open_lines(file).skip(1)

    names = tf.data.Dataset.from_tensor_slices(files)
    rows = names.interleave(rows_of, cycle_length=calls, num_parallel_calls=calls)
    return rows.batch(batch_size).map(parse).prefetch(2)
    ### END SOLUTION


# %% tags=["check"]
read_rows = lab.check(read_rows)

# %%
in_turn = files_ds.flat_map(lambda file: open_lines(file).skip(1)).batch(500).map(parse_rows)
at_once = read_rows(weather, open_lines, parse_rows, batch_size=500, calls=8)
slow, fast = (min(seconds(as_written(dataset)) for _ in range(2)) for dataset in (in_turn, at_once))
print(f"file after file {slow:.2f} s, eight at once {fast:.2f} s, faster: {fast < slow / 1.5}")
rows = np.concatenate(list(at_once.as_numpy_iterator()))
print(f"{len(rows):,} rows, {np.isnan(rows[:, 2]).sum():,} without pressure")
print(f"mean air pressure of the others: {np.nanmean(rows[:, 2]):.0f} hPa")

# %% [markdown]
# ## 7. Fit a model on it
#
# Now a real model, with real steps on the device you have. `fit` takes a dataset and asks it for batches,
# as `measure` did. Compare the same model on two pipelines that differ in one word, `cache`. Without it,
# every epoch fetches all files from storage.
#
# **Predict.** What does the cache change?
#
# <details><summary>The first epoch is shorter, the others are as before</summary>
#
# In the first epoch the cache is still empty: every file has to be fetched once.
#
# </details>
# <details><summary>Every epoch after the first is shorter</summary>
#
# Right. And what can be learnt from a picture stays the same, wherever it comes from.
#
# </details>


# %%
def make_model():
    lab.reseed()
    model = keras.Sequential([keras.Input((96, 96, 3)), keras.layers.AveragePooling2D(2)])
    for filters in (16, 32):
        model.add(keras.layers.Conv2D(filters, 3, strides=2, activation="relu"))
    model.add(keras.layers.GlobalAveragePooling2D())
    model.add(keras.layers.Dense(6))
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(optimizer=keras.optimizers.Adam(0.005), loss=loss, metrics=["accuracy"])
    return model


# %%
def finish(pictures):
    return as_written(pictures.shuffle(429).map(augment).batch(32).prefetch(2))


fetched, epochs = examples.map(load_image, num_parallel_calls=4), {}
for name, dataset, count in (("from storage", finish(fetched), 4), ("cached", finish(fetched.cache()), 12)):
    model, epochs[name] = make_model(), []
    model.fit(parallel.take(1), verbose=0)  # traces the step, before the clock runs
    for _ in range(count):
        start = time.perf_counter()
        model.fit(dataset, verbose=0)
        epochs[name].append(time.perf_counter() - start)
print("with the cache an epoch takes less:", min(epochs["cached"]) < min(epochs["from storage"]))

# %%
figure, axes = plt.subplots()
for (name, values), marker in zip(epochs.items(), plots.MARKERS, strict=False):
    axes.plot(range(1, 5), values[:4], marker=marker, label=name)
axes.set(xlabel="epoch", ylabel="time of the epoch (s)", title="Cached, every epoch after the first is short")
axes.set(xticks=range(1, 5), ylim=(0, None))
axes.legend()
lab.show(
    figure, alt="Time of four epochs. From storage every epoch is slow; cached, all but the first are short."
)
test_raw = lab.load("clipart", split="test")
test_ds = test_raw.map(lambda image, label: (tf.cast(image, tf.float32) / 255.0, label)).batch(32)
print("better than guessing one of six:", model.evaluate(test_ds, verbose=0)[1] > 0.25)

# %% [markdown]
# ## Break it: the dice in the pipeline
#
# A quicker pipeline changes how soon an epoch ends, not what can be learnt. A wrong one does. Here are
# three ways to draw a random brightness inside `map`, each on four copies of one picture, for two epochs.
# None gives an error or a warning. Which would you have written?


# %%
def two_epochs(draw):
    copies = tf.data.Dataset.from_tensors(pictures[5]).repeat(4)
    changed = copies.map(lambda image: tf.clip_by_value(image + draw(), 0.0, 1.0))
    return np.stack([list(changed), list(changed)])


drawn = {
    "np.random": two_epochs(lambda: np.random.uniform(-0.5, 0.5)),
    "tf.random": two_epochs(lambda: tf.random.uniform((), -0.5, 0.5)),
    "Generator": two_epochs(lambda: dice.uniform((), -0.5, 0.5)),
}

# %%
titles = [f"{name}\nepoch {epoch}" for name in drawn for epoch in (1, 2) for _ in range(4)]
shown = np.concatenate([epoch for both in drawn.values() for epoch in both])
figure = plots.images(shown, titles, title="Only the third way gives new pictures in every epoch")
lab.show(
    figure,
    alt="Three rows, four copies of a picture in each of two epochs. With np.random all eight are equally bright. "
    "With tf.random the four differ, and epoch 2 repeats epoch 1. With a Generator all eight differ.",
)
for name, (first, second) in drawn.items():
    different, same = len(np.unique(first, axis=0)), np.array_equal(first, second)
    print(f"{name}: different pictures in epoch 1: {different}, epoch 2 shows the same: {same}")

# %% [markdown]
# `map` calls your function *once*, to record a graph: `np.random` became a constant. `tf.random` is an
# operation, but where a global seed is set, as `labs.start` and every reproducible script do, each epoch
# starts its sequence again. *Mend it* with `tf.random.Generator`, or Keras' random layers: both keep their
# state between epochs.
#
# With parallel calls, chance decides which picture gets which draw. Where runs must repeat exactly, give each
# element its own seed, for `tf.random.stateless_uniform`.

# %% [markdown]
# ## Measure it: the whole ladder
#
# Compare all ways of this lab on 192 pictures, six steps of 60 ms. `numpy_in_memory` is the classic way:
# load everything into one array, then change pictures in Python between the steps.


# %%
def numpy_in_memory(count=192, batch_size=32):
    everything = np.stack([load_image(path, 0)[0].numpy() for path in paths[:count]])
    for start in range(0, count, batch_size):
        shifts = np.random.uniform(-0.2, 0.2, (batch_size, 1, 1, 1))
        images = np.clip(everything[start : start + batch_size] + shifts, 0, 1)
        yield images, labels[start : start + batch_size]


batches = {"Python loop": python_batches(), "NumPy in memory": numpy_in_memory()}
batches |= {"map": sequential, "map, 4 calls": parallel}
batches["map, 4 calls, prefetch"] = as_written(overlap(examples.take(192), load_image, 32, calls=4))
fresh = cached_train_ds(examples.take(192), load_image, augment, batch_size=32)
batches |= {"cached, first epoch": as_written(fresh), "cached, later epoch": cached}

# %%
ladder = {name: measure(some, gpu_step, time.perf_counter) for name, some in batches.items()}
computed, waited = (np.array([sum(pair[part]) for pair in ladder.values()]) for part in (1, 0))
figure, axes = plt.subplots(figsize=(8, 3.8))
axes.barh(list(ladder), computed, color=plots.COLOURS[1], label="computing")
axes.barh(list(ladder), waited, left=computed, color=plots.COLOURS[0], label="waiting")
axes.invert_yaxis()
axes.set(xlabel="time for 192 pictures (s)", ylabel=" ", title="Overlap and a cache take the waiting away")
axes.legend()
lab.show(
    figure, alt="Equal bars of computing, then of waiting: long in three ways, short with calls and a cache."
)

# %%
for name, (waits, _) in ladder.items():
    print(f"{name:23} first step after {waits[0]:.2f} s, waited {sum(waits):.2f} s in all")
print("cached, it waits less than a third of the loop:", waited[-1] < waited[0] / 3)
print("NumPy takes its first step much later:", ladder["NumPy in memory"][0][0] > 2 * ladder["map"][0][0])
on_disk, in_memory = sum(file.stat().st_size for file in files), len(files) * 96 * 96 * 3 * 4
print(f"all pictures: {on_disk:,} bytes as files, {in_memory:,} bytes as float32")

# %% [markdown]
# NumPy pays before its first step, one file after another; a change as cheap as this brightness costs little
# afterwards. A dearer one would be added to every wait, because nothing prepares the next batch meanwhile. The
# first cached epoch fetches all files before its first step too, for its shuffle buffer, but many at once. Both
# hold every picture in memory.

# %% [markdown]
# ## Explain it
#
# Answer aloud before you open the model answer: that is what the interview will be like.
#
# <details><summary>What is tf.data for?</summary>
#
# It describes the way from files to batches, so that TensorFlow can carry it out well: many files and
# pictures at once (`interleave`, `map` with `num_parallel_calls`), preparing while the accelerator works
# (`prefetch`), keeping what does not change (`cache`), augmenting by the way, all without holding the data
# set in memory. It streams, so the data may be larger than the memory.
#
# *Follow-up: you add `prefetch` and the accelerator still waits. What do you know, and what do you do?*
# Preparing a batch takes longer than a step: overlap hides the shorter of the two. More parallel calls,
# less work for each element, or a cache.
#
# </details>
# <details><summary>A GPU is at 30 %. How do you find out why, and what do you change?</summary>
#
# Measure how much of a step is spent waiting for data: time the iterator alone, or read the profiler's
# input analysis. If the input is the bottleneck, go in order: parallel map and interleave, prefetch at the
# end, cache after what is expensive and before what is random, vectorised functions for small elements.
# Measure after each.
#
# *Follow-up: `num_parallel_calls=16` on two cores: when does it help?* When the calls wait, for storage,
# and there are threads for them; not when they compute.
#
# </details>
# <details><summary>Our data set fits in memory as a NumPy array. What is wrong with that?</summary>
#
# Nothing, while it is small. Then it grows: decoded pictures take many times the room of their files
# (ImageNet, 1,281,167 pictures at 224 by 224 as float32, is 771 GB), the first step waits for all of them,
# and augmentation in Python takes turns with the accelerator instead of overlapping: a cheap brightness costs
# little, anything dearer more. Several GPUs make it worse, since each waits.
#
# *Follow-up: the decoded pictures just fit. Where do you put `cache`, and how do you show that it works?*
# After decoding, before shuffle and augmentation; count reads in the second epoch: there are none.
#
# </details>
# <details><summary>Why does the order of shuffle, cache, map and batch matter?</summary>
#
# Each works on the elements of what stands before it. Batches shuffled are still batches of neighbours; a
# cache keeps whatever was random before it; a prefetch before `batch` counts single pictures; a small
# buffer mixes neighbours only.
#
# *Follow-up: validation accuracy is poor and the training files are sorted by class. What do you print?*
# The classes in one batch, and the size of the shuffle buffer.
#
# </details>

# %% [markdown]
# ### Quiz
#
# **1. `ds.cache().take(10)` warns that the cache was not filled. What happened?**
#
# <details><summary>The memory was too small</summary>
#
# Then it would have failed. The cache became usable only in one case: which?
#
# </details>
# <details><summary>Only a part was read, and a partial cache is thrown away</summary>
#
# Right. It counts once it has seen the end. Write `take(10).cache()`.
#
# </details>
#
# **2. `ds.repeat().shuffle(429)` instead of `ds.shuffle(429).repeat()`: what changes?**
#
# <details><summary>Nothing, both are endless</summary>
#
# Both are, but look at what the buffer can hold at the end of an epoch.
#
# </details>
# <details><summary>Epochs run into one another: a picture may come twice before another comes once</summary>
#
# Right. The buffer refills from the next epoch before this one is over.
#
# </details>
#
# **3. `batch(32)` and 429 pictures: how many batches, and what with `drop_remainder=True`?**
#
# <details><summary>13, and 13</summary>
#
# 13 full batches hold 416 pictures. Where are the others?
#
# </details>
# <details><summary>14, and 13</summary>
#
# Right: 13 pictures are left over. Dropping them gives every batch the same shape, which some accelerators
# need; without a shuffle it would always drop the same ones.
#
# </details>
#
# **4. Pictures that fit in memory, a new order of them in each epoch: in which order do the stages stand?**
#
# - batch
# - cache
# - load and decode
# - prefetch
# - shuffle
#
# <details><summary>The order</summary>
#
# 1. **load and decode**: everything else works on pictures.
# 2. **cache**: directly after what is dear and the same each time; what follows may differ from epoch to epoch.
# 3. **shuffle**: after the cache, or the order of the first epoch would be kept for ever; before batching, or
#    the same pictures would always meet.
# 4. **batch**: last of what changes the elements.
# 5. **prefetch**: at the very end, so that whole batches, and all the work above, are ready ahead.
#
# </details>

# %% [markdown]
# ## Recap
#
# **You can now** measure whether a training is input-bound; shuffle names, load in parallel, batch, and
# prefetch batches; cache between decoding and augmentation; parse tables by the batch with missing values
# marked; interleave many files; and say of each step what it works on.
#
# **On a GPU** the step runs without Python, so the waiting shows in the profiler's input analysis. Steps
# become shorter and the input the bottleneck sooner. **At scale** files are TFRecord shards, one sequence
# of reads each; every worker reads its own share, and a `tf.data` service can prepare batches on other
# machines.
#
# **Read on**: [tf.data: build input pipelines](https://www.tensorflow.org/guide/data),
# [better performance with tf.data](https://www.tensorflow.org/guide/data_performance),
# [analyse with the profiler](https://www.tensorflow.org/guide/data_performance_analysis),
# [tf.data.Dataset](https://www.tensorflow.org/api_docs/python/tf/data/Dataset).
