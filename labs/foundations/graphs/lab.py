# ---
# jupyter:
#   labs:
#     title: Know when a graph pays
#     promise: >-
#       Watch a Python function become a graph, count how often that happens, send the graph off without its
#       Python, and decide from your own measurements when any of it pays.
#     minutes: 80
#     level: intermediate
#     prerequisites: [foundations/tensors]
#     outcomes:
#       - say what a trace is, count traces, and keep a function from being traced again
#       - read the nodes of a graph and the tensors between them, and draw them
#       - write a loop that stops where the data say, and keep its results
#       - keep state in variables, and tell what happens at each call from what happens once
#       - export a graph that answers any batch, and load it where its Python is unknown
#       - measure what `tf.function` and `jit_compile` buy, and say when eager is enough
#     data: []
#     cpu_seconds: 30
#     replaces:
#       - {old: "`tf.Session().run(...)` and `tf.placeholder`", new: "calling a `tf.function` with tensors"}
#       - {old: "`tf.while_loop` and `tf.cond`, written by hand", new: "`while` and `if`, which AutoGraph rewrites"}
#       - {old: "`tf.Print`", new: "`tf.print`"}
#       - {old: "`experimental_relax_shapes=True`", new: "`reduce_retracing=True`"}
#       - {old: "`experimental_compile=True`", new: "`jit_compile=True`"}
# ---

# %% [markdown]
# A parcel firm quotes prices over the web. On Monday the service was fast. On Tuesday each answer took many
# times as long. Nobody had touched the model: only a surcharge, new for each request, had become an argument.
# You will find out why, mend it, and say which parts of the service should be graphs at all.
#
# The longer cell below holds helpers: run it now, and read each helper when you meet it.

# %%
import labs

lab = labs.start("foundations/graphs")

# %% tags=["setup"]
import sys
import time
from collections import Counter

import matplotlib.pyplot as plt
import numpy as np
import tensorflow as tf

from labs import plots


class Pricing(tf.Module):
    """A small network: parcels (batch, features) to prices (batch,)."""

    def __init__(self, features=3, units=8):
        super().__init__()
        random = tf.random.Generator.from_seed(7)
        self.hidden = tf.Variable(random.uniform((features, units)), name="hidden")
        self.last = tf.Variable(random.uniform((units, 1)), name="last")

    def __call__(self, parcels):
        return tf.squeeze(tf.nn.relu(parcels @ self.hidden) @ self.last, axis=-1)


def milliseconds(functions, *args, repeats=15):
    """Return the shortest time of a call of each function; calls alternate, so that a busy moment hits all."""
    times = [[] for _ in functions]
    for _ in range(1 + repeats):
        for function, own in zip(functions, times, strict=True):
            begin = time.perf_counter()
            np.asarray(function(*args))  # wait for the result
            own.append(1000 * (time.perf_counter() - begin))
    return [min(own[1:]) for own in times]  # without the first call, which may trace


# %% [markdown]
# ## 1. Trace once, run often
#
# TensorFlow runs each operation when Python reaches it: *eager* execution. `tf.function` does otherwise. At the
# first call it runs your Python with stand-ins for the tensors and writes each operation down in a *graph*. That
# is a *trace*. From then on the graph runs.
#
# **Predict.** A function with a `print` inside is wrapped by `tf.function` and called three times, each time with
# two parcels. How often does `print` print?
#
# <details><summary>The number</summary>
#
# **1**: Python runs while tracing. The two calls after that run the graph, and there is no `print` in it.
#
# - **3**: it would without `tf.function`. A graph holds operations of TensorFlow, and Python's `print` is none.
# - **0**: the graph does not run Python. But something had to write it, and that was your Python, run once.
#
# </details>

# %%
pricing = Pricing()
two = tf.constant([[1.0, 0.2, 3.0], [5.0, 0.4, 1.0]])  # weight, size, distance


@tf.function
def quote(parcels):
    print("Python runs, and is given a", type(parcels).__name__)
    return pricing(parcels)


for call in (1, 2, 3):
    print(f"call {call}: {len(quote(two))} prices")
print("same as without a graph:", np.allclose(quote(two), pricing(two)))

# %% [markdown]
# A `SymbolicTensor` has a dtype and a shape, but no numbers: they come when the graph runs. So a Python side effect
# is a detector. What Python leaves behind, a printed line or a note in a list, it leaves once for each trace.
#
# ### Exercise: count the traces
#
# Write `traces_of`: wrap `function` *once*, call the graph with each tuple of arguments in `calls`, and note
# after each call how many traces there were so far.


# %% tags=["exercise"]
def traces_of(function, calls):
    """Return a list with one whole number for each call: the traces of `function` up to and including it."""
    ### BEGIN SOLUTION
    traces, counts = [], []

    def noted(*args):
        traces.append("Python ran")
        return function(*args)

    graph = tf.function(noted)
    for args in calls:
        graph(*args)
        counts.append(len(traces))
    return counts
    ### END SOLUTION


# %% tags=["check"]
traces_of = lab.check(traces_of)

# %% [markdown]
# ## 2. Keep it from tracing again
#
# A graph is made for one kind of arguments. For another kind `tf.function` traces anew, and keeps one graph for each.
# Only when about five of the last ten calls have traced does it log a warning ("... triggered tf.function
# retracing"), which this notebook, like many a service, does not show. So know what counts as another kind.
#
# **Predict.** Three calls with the surcharges 1.1, 1.2 and 1.3. Which leads to three traces?
#
# <details><summary>Python numbers: quote(parcels, 1.1)</summary>
#
# Right. A Python value is part of the graph, like a line of the code. That is right for what *chooses* the code,
# such as `training=True`: few values, and each deserves its own graph. A surcharge chooses nothing.
#
# </details>
# <details><summary>Tensors: quote(parcels, tf.constant(1.1))</summary>
#
# A tensor is an input of the graph. Only its dtype and shape are fixed, not its numbers.
#
# </details>
# <details><summary>Both: the surcharge is another one</summary>
#
# The number is. But a graph with an input for it serves every number.
#
# </details>


# %%
def surcharged(parcels, surcharge):
    return pricing(parcels) * surcharge


some = [tf.ones((n, 3)) for n in (1, 2, 3)]
kinds = {
    "other numbers in the tensor": [(two, 1.0), (two + 1, 1.0), (two + 2, 1.0)],
    "a tensor as surcharge": [(two, tf.constant(s)) for s in (1.1, 1.2, 1.3)],
    "a Python number as surcharge": [(two, s) for s in (1.1, 1.2, 1.3)],
    "other sizes of the batch": [(parcels, 1.0) for parcels in some],
}
for kind, calls in kinds.items():
    print(f"{kind:29} traces so far: {traces_of(surcharged, calls)}")

# %%
graph = tf.function(surcharged)
graph(two, tf.constant(1.0))
spent = {"Python number": [], "tensor": []}
for request in range(20):
    surcharge = 1.0 + request / 100
    for name, number in (("Python number", surcharge), ("tensor", tf.constant(surcharge))):
        begin = time.perf_counter()
        graph(two, number)
        spent[name].append(time.perf_counter() - begin)
median = {name: 1000 * np.median(seconds) for name, seconds in spent.items()}
print("a call with a", ", with a ".join(f"{name}: {value:.2f} ms" for name, value in median.items()))
print("tensors are more than 3 times as fast:", median["Python number"] > 3 * median["tensor"])

# %% [markdown]
# That was Tuesday: a trace for every new surcharge. `input_signature` fixes the kind beforehand: one
# `tf.TensorSpec(shape, dtype)` for each argument, `None` for a size that may vary. Python numbers then become
# tensors.
#
# ### Exercise: one graph for every batch
#
# Write `any_batch`: a graph of `function(parcels, surcharge)`, traced once. `parcels` have the shape (any batch,
# `features`), `surcharge` is one number; both float32. Another number of features must be refused.


# %% tags=["exercise"]
def any_batch(function, features):
    """Return `function` as a graph with one trace for all batches and surcharges."""
    ### BEGIN SOLUTION
    parcels, surcharge = tf.TensorSpec((None, features), tf.float32), tf.TensorSpec((), tf.float32)
    return tf.function(function, input_signature=[parcels, surcharge])
    ### END SOLUTION


# %% tags=["check"]
any_batch = lab.check(any_batch)

# %%
shapes = []


def noting(parcels, surcharge):
    shapes.append(parcels.shape)
    return surcharged(parcels, surcharge)


quote = any_batch(noting, features=3)
for size, surcharge in ((1, 1.1), (2, 1.2), (500, tf.constant(1.3))):
    quote(tf.ones((size, 3)), surcharge)
print("three sizes, three surcharges, traces:", len(shapes), "- Python saw the shape", shapes[0])

# %% [markdown]
# ## 3. Look at the nodes
#
# `get_concrete_function` traces for one kind of arguments without running anything, and its `graph` lists the
# operations. An operation is a *node*; `inputs` are the tensors that flow into it, and each tensor's `op` says
# which node it comes from.
#
# **Predict.** Which line leaves no node in the graph?
#
# <details><summary>double = 2 * 3</summary>
#
# Right: Python works that out by itself, and no tensor takes part. Only the 6 may appear, as a constant.
#
# </details>
# <details><summary>tf.exp(parcels), and nobody keeps the result</summary>
#
# It is written down all the same. Whether it will *run* is another question.
#
# </details>
# <details><summary>prices = prices * 2</summary>
#
# A tensor takes part: that is a node `Mul`, and the 2 is a node too, a `Const`.
#
# </details>


# %%
@tf.function
def fee(parcels, weights, base):
    double = 2 * 3
    tf.exp(parcels)  # nobody keeps the result
    return tf.nn.relu(parcels @ weights + base) * double


specs = [tf.TensorSpec((None, 3)), tf.TensorSpec((3, 1)), tf.TensorSpec(())]
fee_graph = fee.get_concrete_function(*specs).graph
for op in fee_graph.get_operations():
    print(f"{op.type:12} {op.name:9} from {', '.join(t.name for t in op.inputs) or '-'}")

# %% [markdown]
# `matmul:0` is the name of a *tensor*: output number 0 of the operation `matmul`. Arguments are nodes of the type
# `Placeholder`, the 6 is a `Const`, and `Exp` stands there although nobody wants it.
#
# ### Exercise: find the wires
#
# Write `wires`: for *each* input of each operation the names of the operations that it comes from and goes to.
# An operation may have several outputs, and may take the same tensor twice.


# %% tags=["exercise"]
def wires(graph):
    """Return a list of pairs (from, to) of names of operations, one for each input of each operation."""
    ### BEGIN SOLUTION
    return [(tensor.op.name, op.name) for op in graph.get_operations() for tensor in op.inputs]
    ### END SOLUTION


# %% tags=["check"]
wires = lab.check(wires)


# %%
def places(graph):
    """Return (column, row) of each node: right of all it needs, or close to the one that needs it."""
    columns, place, pairs, ops = {}, {}, wires(graph), graph.get_operations()
    for op in ops:  # they are listed in an order in which they could run
        columns[op.name] = 1 + max((columns[start] for start, end in pairs if end == op.name), default=-1)
    for op in ops:
        if not op.inputs:
            columns[op.name] = min((columns[end] for start, end in pairs if start == op.name), default=1) - 1
    for name, column in columns.items():
        place[name] = (column, -sum(other == column for other, _ in place.values()))
    return place


# %%
place = places(fee_graph)
figure, axes = plt.subplots(figsize=(9.5, 3))
axes.axis("off")
for start, end in wires(fee_graph):
    arrow = {"arrowstyle": "->", "shrinkA": 28, "shrinkB": 30, "color": "0.35", "linewidth": 1.5}
    axes.annotate("", place[end], place[start], arrowprops=arrow)
for op in fee_graph.get_operations():
    dead = not op.outputs[0].consumers() and op.type != "Identity"
    box = {"boxstyle": "round,pad=0.5", "facecolor": "#fbe3b8" if dead else "#cfe3f1"}
    axes.text(*place[op.name], op.name, ha="center", va="center", fontsize=10, bbox=box)
axes.set(xlim=(-0.5, 5.5), ylim=(-2.4, 0.4), title="One branch of this graph leads nowhere: Exp")
lab.show(figure, alt="Boxes joined by arrows, from three arguments to Identity; the box Exp leads nowhere.")

# %% [markdown]
# That is a *computational graph*: operations as nodes, tensors as arrows. Because TensorFlow sees all of it before
# it runs, it can leave out what nobody needs, work on independent branches at the same time, place nodes on
# devices and write the whole into a file. Watch the first of these.


# %%
def careless(parcels):
    tf.gather(parcels, [99])  # there is no parcel 99, and nobody uses the result
    return tf.reduce_sum(parcels)


with tf.device("CPU:0"):
    print(f"as a graph: {tf.function(careless)(two):.3f}")
    with lab.fails(tf.errors.InvalidArgumentError):
        careless(two)  # eager: every line runs

# %% [markdown]
# ## 4. Let the data steer
#
# What about `if` and `while`? While tracing a tensor has no number, so Python cannot choose. *AutoGraph*, a part
# of `tf.function`, rewrites your source: `if` on a tensor becomes a node that chooses, `while` and `for` over
# tensors become a node that repeats.
#
# **Predict.** `for _ in range(100): x = x + step`, with a Python 100. What is in the graph?
#
# <details><summary>One node that repeats</summary>
#
# Only if a tensor decides. `range(100)` is plain Python, so Python runs the loop, while tracing.
#
# </details>
# <details><summary>100 nodes that add</summary>
#
# Right, the loop is *unrolled*. That is fine for 3 layers and slow to trace for 10,000 steps.
#
# </details>


# %%
def unrolled(x, steps):
    for _ in range(steps):  # Python's range: the loop runs while tracing
        x = x + 2.0
    return x


def repeated(x, steps):
    for _ in tf.range(steps):  # a tensor: the loop is a node
        x = x + 2.0
    return x


for name, function, steps in (("range", unrolled, 100), ("tf.range", repeated, tf.constant(100))):
    ops = tf.function(function).get_concrete_function(tf.constant(1.0), steps).graph.get_operations()
    types = Counter(op.type for op in ops)
    print(f"{name:9} adds: {types['AddV2']:3}, loops: {types['StatelessWhile']}")


# %%
def discounted(price):
    if price > 20.0:
        price = 0.9 * price
    return price


graph = tf.function(discounted)
prices = [10.0, 30.0]
print("one graph, both ways:", [round(float(graph(tf.constant(price))), 1) for price in prices])
ops = graph.get_concrete_function(tf.constant(1.0)).graph.get_operations()
print("the node that chooses:", [op.type for op in ops if "If" in op.type])
with lab.fails(tf.errors.OperatorNotAllowedInGraphError):
    tf.function(discounted, autograph=False)(tf.constant(10.0))

# %% [markdown]
# In such a loop a name keeps its dtype and shape, and a list cannot collect: `append` would run once. A
# `tf.TensorArray(tf.int32, size=1, dynamic_size=True)` grows. Its `write(place, value)` *returns* the new array: keep
# that. `stack()` makes it a tensor.
#
# ### Exercise: a route that ends where the data say
#
# `next_stop(stop)` says where a parcel goes next. Write `route`, for a graph: follow it from `start` to `goal`, but
# for at most `limit` stops, the start included. (Text until an end token likewise.)


# %% tags=["exercise"]
def route(next_stop, start, goal, limit):
    """Return the stops, int32 (stops,), both ends included; `start`, `goal`, `limit` are int32 scalar tensors."""
    ### BEGIN SOLUTION
    stops = tf.TensorArray(tf.int32, size=1, dynamic_size=True).write(0, start)
    stop, count = start, 1
    while stop != goal and count < limit:
        stop = next_stop(stop)
        stops = stops.write(count, stop)
        count += 1
    return stops.stack()
    ### END SOLUTION


# %% tags=["check"]
route = lab.check(route)

# %%
following = tf.constant([3, 0, 5, 4, 2, 1])  # from stop 0 to 3, from 1 to 0, from 2 to 5, ...


@tf.function(input_signature=3 * [tf.TensorSpec((), tf.int32)])
def plan(start, goal, limit):
    return route(lambda stop: tf.gather(following, stop), start, goal, limit)


for start, goal, limit in ((0, 5, 10), (1, 1, 10), (0, 1, 3)):
    print(f"from {start} to {goal}, at most {limit:2} stops:", plan(start, goal, limit).numpy().tolist())
print("traces:", plan.experimental_get_tracing_count())

# %% [markdown]
# ## 5. Tell once from each time
#
# Python in a traced function happens once for each trace; operations happen at each call. `tf.print` is an
# operation, and so is `assign` on a `tf.Variable`, which is where a graph remembers.
#
# **Predict.** `noise = np.random.normal()` stands in a function wrapped by `tf.function`. What happens?
#
# <details><summary>An error: NumPy cannot be in a graph</summary>
#
# NumPy on a *tensor* fails. Here no tensor takes part, so nothing complains.
#
# </details>
# <details><summary>New noise at each call</summary>
#
# So it is without a graph. But NumPy is Python, and Python ran once.
#
# </details>
# <details><summary>The same noise at each call</summary>
#
# Right. The number that NumPy drew while tracing is now a constant of the graph. Use `tf.random` instead.
#
# </details>

# %%
notes, calls = [], tf.Variable(0)


@tf.function
def watched(x):
    notes.append(x)  # Python
    calls.assign_add(1)  # an operation
    tf.print("  the graph runs with", x, output_stream=sys.stdout)  # an operation
    return x + np.random.normal(), x + tf.random.normal(())


numpy_noise, tf_noise = zip(*[watched(tf.constant(1.0)) for _ in range(3)], strict=True)
print("notes in the list:", len(notes), "- calls in the variable:", int(calls))
print("different noise: by NumPy", len({float(x) for x in numpy_noise}), end=", ")
print("by TensorFlow", len({float(x) for x in tf_noise}))

# %% [markdown]
# A variable outlives the calls, so make it once: outside the traced function, best in `__init__` of a `tf.Module`,
# which finds its variables again when you save.
#
# ### Exercise: remember a mean
#
# You wrote one in `foundations/tensors`. Now it runs inside a graph, where Python no longer counts for you. Write
# `RunningMean`: `update` takes some prices and returns the mean of *all* prices that this object was ever given.
# Batches differ in size. Two objects must not share their variables.


# %% tags=["exercise"]
class RunningMean(tf.Module):
    """Remembers what it needs for the mean of all numbers it was given."""

    def __init__(self):
        super().__init__()
        ### BEGIN SOLUTION
        self.total = tf.Variable(0.0)
        self.count = tf.Variable(0.0)
        ### END SOLUTION

    @tf.function
    def update(self, values):
        """Take in `values`, float32 (n,), n at least 1; return the mean so far, a float32 scalar tensor."""
        ### BEGIN SOLUTION
        self.total.assign_add(tf.reduce_sum(values))
        self.count.assign_add(tf.cast(tf.size(values), tf.float32))
        return self.total / self.count
        ### END SOLUTION


# %% tags=["check"]
RunningMean = lab.check(RunningMean)

# %%
mean = RunningMean()
for prices in ([10.0, 20.0], [30.0], [40.0, 50.0]):
    print(f"after {prices}: {float(mean.update(tf.constant(prices))):.3f}")
other = RunningMean()  # keep the object under a name: the graph does not keep it alive
print(f"a second object starts anew: {float(other.update(tf.constant([1.0]))):.3f}")

tf.config.run_functions_eagerly(True)  # for a debugger: plain Python, but not in `dataset.map`
watched(tf.constant(2.0))
print("and there Python sees numbers:", notes[-1].numpy(), "- notes:", len(notes))
tf.config.run_functions_eagerly(False)

# %% [markdown]
# ## 6. Send the graph off
#
# A graph needs no Python, unless you put some in: `tf.numpy_function` and `tf.py_function` do not travel.
# `tf.saved_model.save` writes the traced graphs and the variables of a `tf.Module` into a folder; TensorFlow Serving,
# C++ or another Python program can run them, and LiteRT converts them. So what goes to production is a graph, even
# where eager execution would be fast enough.
#
# **Predict.** A module's `tf.function` has no signature and was called once, with one parcel. Saved and loaded,
# it is called with two. What happens?
#
# <details><summary>It is traced again for two</summary>
#
# From what? The Python code was not saved. Only the graphs were.
#
# </details>
# <details><summary>It fails</summary>
#
# Right: there is one graph, for the shape (1, 3), and no Python to make another.
#
# </details>
# <details><summary>It works: TensorFlow adapts the shape</summary>
#
# A graph made for a batch of 1 was promised a batch of 1. You have to allow others, by `None`, before saving.
#
# </details>

# %%
bundle = tf.Module()
bundle.score = tf.function(pricing)
bundle.pricing = pricing  # so that its variables are found
bundle.score(tf.ones((1, 3)))
tf.saved_model.save(bundle, str(lab.scratch / "one"))
loaded = tf.saved_model.load(str(lab.scratch / "one"))
print("one parcel: ", loaded.score(tf.ones((1, 3))).shape)
with lab.fails(ValueError):
    loaded.score(two)

# %% [markdown]
# ### Exercise: export a model
#
# Write `export`. What is loaded from `folder` must have a function `score` that answers like `model` for float32
# parcels of shape (any batch, `features`). Servers ask by the name of a *signature*: `save` takes a dict of them as
# `signatures`. Call yours `"price"`.


# %% tags=["exercise"]
def export(model, features, folder):
    """Write `model`, a callable tf.Module, as a SavedModel with the function `score` into `folder`, a text."""
    ### BEGIN SOLUTION
    bundle = tf.Module()
    bundle.model = model
    bundle.score = tf.function(model, input_signature=[tf.TensorSpec((None, features), tf.float32)])
    tf.saved_model.save(bundle, folder, signatures={"price": bundle.score})
    ### END SOLUTION


# %% tags=["check"]
export = lab.check(export)

# %%
export(pricing, 3, str(lab.scratch / "pricing"))
loaded = tf.saved_model.load(str(lab.scratch / "pricing"))
print("in the folder:", sorted(path.name for path in (lab.scratch / "pricing").iterdir()))
ops = loaded.score.concrete_functions[0].graph.get_operations()
print("matrix products in the graph:", sum(op.type == "MatMul" for op in ops))
print("knows the class Pricing:", any(isinstance(part, Pricing) for part in vars(loaded).values()))
for parcels in some:
    (price,) = loaded.signatures["price"](parcels).values()
    print(f"batch of {len(parcels)}: same prices as the model:", np.allclose(price, pricing(parcels)))

# %% [markdown]
# ## Break it: four graphs gone wrong
#
# Four mistakes, from loud to silent: a variable made at each call, a tensor carried out of its trace, a graph made
# anew for each request, and a Python value that has changed since. Which of them would a test notice?


# %%
@tf.function
def variable_each_time(x):
    return tf.Variable(0.0).assign_add(x)


kept = []


@tf.function
def carries_out(x):
    kept.append(2 * x)


with lab.fails(ValueError):
    variable_each_time(tf.constant(1.0))
carries_out(tf.constant(1.0))
print("carried out: a", type(kept[0]).__name__, "- with a number:", hasattr(kept[0], "numpy"))

# %%
traced, discount = [], 0.5


def noted(parcels):
    traced.append("Python ran")
    return pricing(parcels)


for _ in range(5):
    tf.function(noted)(two)  # made anew for each request
print("five requests alike,", len(traced), "traces")
sale = tf.function(lambda price: price * discount)
before = float(sale(tf.constant(10.0)))
discount = 0.1
print(f"discount 0.5: {before:.1f}, discount 0.1: {float(sale(tf.constant(10.0))):.1f}")

# %% [markdown]
# The first stops at once, the second as soon as somebody wants the number. The third is only slow, the fourth only
# wrong: `discount` was read once, and 0.5 is now a constant. Mended: make graphs and variables once; pass what
# changes as a tensor, or keep it in a `tf.Variable`; return what you need.

# %% [markdown]
# ## Measure it: what graphs and XLA buy
#
# First eager against graph: twenty rounds of a matrix product, on matrices from tiny to large. Everything here
# runs on the processor, even if you have a GPU, so that what you see is what the text talks about.


# %%
def rounds(x, weights):
    for _ in range(20):
        x = tf.nn.relu(x @ weights) + 0.1
    return x


eager_ms, graph_ms, first_ms = {}, {}, {}
with tf.device("CPU:0"):
    for n in (4, 32, 128, 512):
        x, weights = tf.random.normal((n, n)), tf.random.normal((n, n)) / n**0.5
        graph, begin = tf.function(rounds), time.perf_counter()
        graph(x, weights)
        first_ms[n] = 1000 * (time.perf_counter() - begin)
        eager_ms[n], graph_ms[n] = milliseconds([rounds, graph], x, weights, repeats=99 if n < 512 else 15)

# %%
ratio = {f"{n} x {n}": eager_ms[n] / graph_ms[n] for n in eager_ms}
units = "time eager / time as a graph (1: no change)"
figure = plots.bars(ratio, units, "A graph saves much, until operations are large")
figure.axes[0].set_ylabel("size of the matrices")
lab.show(
    figure, alt="Four bars, time eager over time as a graph: long for small matrices, near 1 for 512 x 512."
)
print("4 x 4: the graph is more than twice as fast:    ", ratio["4 x 4"] > 2)
print("512 x 512: the gain is smaller:                 ", ratio["512 x 512"] < ratio["4 x 4"])
print("the first call takes longer than 5 eager ones:  ", first_ms[4] > 5 * eager_ms[4])
print("and is paid back within 1,000 calls:            ", first_ms[4] < 1000 * (eager_ms[4] - graph_ms[4]))

# %% [markdown]
# What a graph saves is Python's share of each operation. Where the operation itself takes long, that hardly shows.
# And the trace has to be paid first: for a function that is called twice, it is a loss.
#
# `jit_compile=True` goes further: XLA compiles the graph for your shapes and *fuses* neighbouring operations into
# one pass over memory. Three programs, one promise.


# %%
def steps_of_fees(x):
    for rate in (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8):
        x = tf.maximum(x * rate + 1.0, 0.1 * x)
    return x


def layers(x):
    return tf.nn.relu(tf.nn.relu(x @ x) @ x)


programs = {"element-wise chain": (steps_of_fees, tf.random.normal((1_000_000,)))}
programs |= {"dense layers": (layers, tf.random.normal((512, 512)) / 20)}
programs |= {"sort": (tf.sort, tf.random.normal((200, 1000)))}

# %%
gain = {}
with tf.device("CPU:0"):
    for name, (program, x) in programs.items():
        graph, compiled = tf.function(program), tf.function(program, jit_compile=True)
        plain_ms, compiled_ms = milliseconds([graph, compiled], x, repeats=30)
        gain[name] = plain_ms / compiled_ms
    one_trace = {"jit_compile": True, "input_signature": [tf.TensorSpec((None,))]}
    chain = tf.function(steps_of_fees, **one_trace)
    (later_ms,) = milliseconds([chain], tf.ones(1000))
    begin = time.perf_counter()
    chain(tf.ones(2000))
    other_size_ms = 1000 * (time.perf_counter() - begin)

# %%
units = "time as a graph / time with XLA (1: no change)"
figure = plots.bars(gain, units, "What XLA buys depends on the program", digits=2)
lab.show(figure, alt="Three bars, time without over time with XLA: far above 1, around 1, and below 1.")
print("the chain is more than 1.5 times as fast:     ", gain["element-wise chain"] > 1.5)
print("dense layers gain less:                       ", gain["dense layers"] < gain["element-wise chain"])
print("sort is slower:                               ", gain["sort"] < 1)
traces = chain.experimental_get_tracing_count()
print(f"{traces} trace, but another size is compiled anew: ", other_size_ms > 5 * later_ms)

# %% [markdown]
# The chain is 32 small operations that wait for memory: fused, its million numbers travel there and back far less
# often. Matrix products have a good routine already, and XLA's own sort is a worse one here. `None` in the
# signature saves traces, but not compilations: XLA compiles once for each size, so every size that is new costs a
# compilation.

# %% [markdown]
# ## Explain it
#
# Answer aloud before you open the model answer: that is what the interview will be like.
#
# <details><summary>What is a computational graph, and what does tf.function do?</summary>
#
# A graph has operations as nodes and tensors as the edges between them. TensorFlow is eager by default: each line
# runs at once. `tf.function` runs the Python once for each kind of arguments, records a graph, and runs that. The
# whole is known beforehand, so it can be optimised, distributed over devices, and carried to where there is no
# Python: Serving, LiteRT, C++.
#
# *Follow-up: `tf.gather` of parcel 99 failed eagerly and not in the graph. Why?* Nobody used its result, so that
# node was left out of what runs. Eager execution runs every line.
#
# </details>
# <details><summary>When do you use tf.function, and when is eager enough?</summary>
#
# Use it for what is called often and consists of many small operations: training steps, preprocessing, serving.
# Use it for whatever is exported. Eager is enough for exploring, for debugging, for code that runs once, and where
# a few large operations take nearly all the time. Then the trace and its rules cost more than they bring. Keras'
# `fit`, `evaluate` and `predict`, and what you give to `dataset.map`, are traced already: you write `tf.function` for
# loops of your own and for export.
#
# *Follow-up: how did you decide that here?* By two numbers: how much shorter a call is, and what the first call
# costs. The second divided by the first is the number of calls after which it pays.
#
# </details>
# <details><summary>A traced function is slow since it takes one more argument. What do you look for?</summary>
#
# Count the traces, by a Python side effect or `experimental_get_tracing_count()`. Growing: a Python number that
# varies, shapes that vary, or a `tf.function` made anew for each call. Pass tensors, give an `input_signature`
# with `None`, make the function once. TensorFlow's warning "triggered tf.function retracing" says the same.
#
# *Follow-up: the traces stay at one and the answers are wrong since the surcharge changed?* The function reads a
# Python value from outside. It is a constant of the graph, as `discount` was.
#
# </details>
# <details><summary>Does jit_compile=True make a model faster?</summary>
#
# It depends on the program. Fusing helps long chains of element-wise operations, which wait for memory. Matrix
# products have good routines already. Compiling takes time, again for each shape. So measure on your shapes and
# device, with the first call apart. And look whether it is on already: Keras decides by itself
# (`jit_compile="auto"`). With a GPU `fit` is compiled by XLA unless a layer or a strategy forbids it; on a CPU alone
# it is not.
#
# *Follow-up: which of your three programs got slower?* The sort.
#
# </details>
#
# ### Quiz
#
# Graph, eager, or something else? Decide, and give your reason aloud.
#
# **1. A notebook loads a table, computes five statistics of it once and plots them.**
#
# <details><summary>tf.function: it is faster</summary>
#
# Faster from the second call on. The first call pays for the trace, and there is no second.
#
# </details>
# <details><summary>Eager</summary>
#
# Right: it runs once, and you want to look at values on the way.
#
# </details>
#
# **2. A training step of 60 small operations, called 100,000 times, with batches of 32 and a last one of 17.**
#
# <details><summary>tf.function, with its two traces</summary>
#
# Right: two traces against 100,000 calls are nothing. A signature with `None` would make it one.
#
# </details>
# <details><summary>Eager: the last batch would retrace</summary>
#
# Once. Then that graph is kept, and serves the last batch of every epoch.
#
# </details>
#
# **3. A server scores requests of 1 to 500 parcels, with a surcharge that differs from request to request.**
#
# <details><summary>tf.function, and let it trace what comes</summary>
#
# Nearly every request brings a new pair of size and surcharge: slow answers all day, and memory that grows.
#
# </details>
# <details><summary>tf.function with a signature, exported</summary>
#
# Right: `None` for the batch, a scalar tensor for the surcharge, one trace, and no Python on the server.
#
# </details>
# <details><summary>The same with jit_compile=True</summary>
#
# XLA compiles for each shape: up to 500 of them. First fix a few sizes and fill batches up.
#
# </details>
#
# **4. A loop in the step runs a number of times that each batch decides.**
#
# <details><summary>for _ in range(int(n)), with n from Python</summary>
#
# A graph for each value of n, each with n copies of the loop's body.
#
# </details>
# <details><summary>while on a tensor, results in a TensorArray</summary>
#
# Right: one node that repeats, one trace, any number of rounds.
#
# </details>
#
# **5. The loss turns `nan` somewhere inside the traced step, and you want to step through it.**
#
# <details><summary>run_functions_eagerly(True), look, switch it off</summary>
#
# Right: real numbers, your own lines, a debugger. Then the graph comes back. Where that is too slow,
# `tf.debugging.enable_check_numerics()` stops at the first operation that gave `nan`, in the graph too.
#
# </details>
# <details><summary>print(loss) in the step</summary>
#
# It prints a `SymbolicTensor`, once. `tf.print` would print numbers.
#
# </details>
#
# **6. A `tf.function` without a signature was called with a float32 tensor of shape (2, 3) and the Python
# number 1. Which calls trace it once more? Choose all.**
#
# <details><summary>The same tensor and the Python number 2</summary>
#
# Right: a Python value is a part of the graph, and this is another one.
#
# </details>
# <details><summary>A tensor of the same shape with other numbers</summary>
#
# Numbers flow through a graph. Only dtype and shape are fixed.
#
# </details>
# <details><summary>A float32 tensor of shape (5, 3)</summary>
#
# Right: each new shape gets a trace of its own, unless a signature leaves that size open by `None`.
#
# </details>
# <details><summary>An int32 tensor of shape (2, 3)</summary>
#
# Right: every node of the graph has a dtype, and this one changes all that follow.
#
# </details>

# %% [markdown]
# ## Recap
#
# You can now say what a trace is and count it, stop retracing, read a graph, let data steer it, keep its state,
# export it, and decide by measurement whether it pays.
#
# **On a GPU and at scale:** the code stays. A GPU finishes small operations sooner, so Python's share of the time
# grows, and so does what a graph may save. XLA compiles for the device: measure there again. On several devices,
# strategies distribute graphs, not lines of Python.
#
# **Official documentation:** [introduction to graphs](https://www.tensorflow.org/guide/intro_to_graphs),
# [better performance with tf.function](https://www.tensorflow.org/guide/function),
# [using the SavedModel format](https://www.tensorflow.org/guide/saved_model),
# [XLA](https://openxla.org/xla/tf2xla).
