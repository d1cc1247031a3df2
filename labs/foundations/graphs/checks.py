"""What each exercise of this lab must do, and the misconceptions that its check can tell apart."""

import itertools
import tempfile

import numpy as np

from labs import Misconception, Misread, check, lazy

tf = lazy("tensorflow")

READS_A_NUMBER = (
    r"has no attribute 'numpy'|OperatorNotAllowed|as a Python|NotImplementedError|"
    r"only available when eager|cannot be interpreted as an integer"
)
ENDLESS = "next_stop was called 200 times"


@check(
    points=1,
    minutes=8,
    difficulty="easy",
    hints=(
        "Write an inner function that notes something in a list and then calls `function`. Wrap *that* one.",
        "`tf.function(noted)` once, before the loop over `calls`; in it `graph(*args)`, then the list's length.",
        "`def noted(*args): traces.append(1); return function(*args)`, `graph = tf.function(noted)`, then for each "
        "`args`: `graph(*args)` and `counts.append(len(traces))`",
    ),
)
class traces_of:
    """The number of traces so far, after each of several calls."""

    misconceptions = {
        "stays-eager": Misconception(
            "`function` also ran eagerly, outside of any trace.",
            "What do you call in the loop: the function you were given, or the graph made of it?",
        ),
        "wraps-each-time": Misconception(
            "Every call traced, because every call got a `tf.function` of its own.",
            "A `tf.function` keeps its graphs. How many of them do you make, and where?",
        ),
        "hides-the-arguments": Misconception(
            "There were other traces than these calls need: your graph was not given the arguments as they are.",
            "What does `graph(*args)` hand over, and what do you?",
        ),
        "only-the-total": Misconception(
            "One number came back, or not one for each call.",
            "When do you look at the counter: once at the end, or after each call?",
        ),
        "counts-calls": Misconception(
            "You counted how often the graph was called, not how often Python was traced.",
            "Where does the counting line stand, and does it belong to Python or to the graph?",
        ),
        "not-so-far": Misconception(
            "You noted for each call whether it traced; asked for was the number of traces *so far*.",
            "After three calls and two traces the last number is 2. What is yours?",
        ),
        "other-counts": Misconception(
            "These are not the numbers of traces so far.",
            "Print a word in `function` and compare with your numbers by eye.",
        ),
    }

    @staticmethod
    def given(rng):
        yield {
            "calls": [["tensor", [1.0, 2.0]], ["tensor", [3.0, 4.0]], ["tensor", [1.0]], ["tensor", [5.0]]]
        }
        hundredths = rng.choice(100, 4, replace=False).tolist()
        values = [number / 100 for number in hundredths]
        # The counts differ from draw to draw, so that nobody can know them beforehand.
        yield {"calls": [["number", values[i]] for i in _some_again(rng, int(rng.integers(3, 5)))]}
        known = [values[:3], [0.0, 0.0, 0.0]], [2.5], [[[1.0, 2.0]], [[3.0, 4.0]]], [values[:2]]
        calls = []
        for kind in _some_again(rng, 4):
            calls.append(["number" if kind == 1 else "tensor", known[kind][rng.integers(len(known[kind]))]])
        yield {"calls": calls}

    @staticmethod
    def when(traces_of, calls):
        ran = []

        def function(first, second):
            ran.append("eager" if tf.executing_eagerly() else "traced")
            return first + second

        arguments = [
            (tf.constant(value) if kind == "tensor" else value, tf.constant(1.0)) for kind, value in calls
        ]
        return {"counts": traces_of(function, arguments), "ran": ran}

    @staticmethod
    def then(seen, calls):
        known, wanted = set(), []
        for kind, value in calls:
            known.add((kind, np.shape(value) if kind == "tensor" else value))
            wanted.append(len(known))
        counts, ran, n = seen["counts"], seen["ran"], len(calls)
        if "eager" in ran:
            raise Misread("stays-eager", expected="Python runs in traces only", got="it ran eagerly too")
        if len(ran) != wanted[-1]:
            name = "wraps-each-time" if len(ran) == n else "hides-the-arguments"
            raise Misread(name, expected=_traces(wanted[-1]), got=_traces(len(ran)))
        if np.shape(counts) != (n,):
            raise Misread("only-the-total", expected=wanted, got=counts)
        if list(counts) == wanted:
            return
        name = "other-counts"
        if list(counts) == list(range(1, n + 1)):
            name = "counts-calls"
        elif list(np.cumsum(counts)) == wanted:
            name = "not-so-far"
        raise Misread(name, expected=wanted, got=counts)


@check(
    points=2,
    minutes=8,
    difficulty="easy",
    hints=(
        "`input_signature` is a list with one `tf.TensorSpec` for each argument of `function`, so with two.",
        "A shape is a tuple. `None` stands for the size that may vary, `()` is the shape of a single number.",
        "`tf.function(function, input_signature=[tf.TensorSpec((None, features), tf.float32), "
        "tf.TensorSpec((), tf.float32)])`",
    ),
)
class any_batch:
    """A graph that is traced once, whatever the batch and the surcharge."""

    misconceptions = {
        "calls-it": Misconception(
            "What came back cannot be called: a result, not a graph.",
            "`any_batch` only prepares. Who calls the graph, and when?",
        ),
        "one-spec-too-few": Misconception(
            "The signature and the arguments of `function` do not fit: another number of specifications.",
            "`function` takes two arguments. How many specifications stand in your list?",
            raises=r"input_signature must contain|missing type constraint|missing.*required argument|"
            r"too many positional|incompatible with|arity|takes \d+ positional",
        ),
        "refuses-a-call": Misconception(
            "The graph refused a call that it should answer: the shape or dtype of a specification is too narrow.",
            "Which sizes may vary, and what is the shape of one number? Compare each specification with the call.",
            raises=r"Can ?not cast|Binding inputs|Cannot convert|Incompatible|InvalidArgument|expected.*shape",
        ),
        "not-a-graph": Misconception(
            "Python ran at every call: this is not a graph.",
            "What makes a graph of a function?",
        ),
        "retraces-batches": Misconception(
            "Another size of the batch led to another trace.",
            "What fixes the kind of the arguments before the first call, and what stands there for the batch?",
        ),
        "retraces-numbers": Misconception(
            "Another surcharge, as a Python number, led to another trace.",
            "What makes a Python number an input of the graph? The batch has such a line; has the surcharge?",
        ),
        "takes-any-width": Misconception(
            "Parcels with another number of features were let in.",
            "One of the two sizes of `parcels` may vary. Which one may not?",
        ),
        "other-prices": Misconception(
            "The graph does not answer what `function` answers.",
            "Is `function` called with both arguments, in their order, and is its result returned unchanged?",
        ),
    }

    @staticmethod
    def given(rng):
        yield {"features": 3, "batches": [2, 5, 1], "surcharges": [1.5, 2.0, 0.5]}
        sizes = rng.choice(np.arange(1, 30), 4, replace=False).tolist()
        yield {"features": int(rng.integers(4, 7)), "batches": sizes, "surcharges": [0.25, 3.0]}

    @staticmethod
    def when(any_batch, features, batches, surcharges):
        ran = []

        def function(parcels, surcharge):
            ran.append("eager" if tf.executing_eagerly() else "traced")
            return tf.reduce_sum(parcels, axis=-1) * surcharge

        graph = any_batch(function, features)
        if graph is None:
            return {"prices": None}
        if not callable(graph):
            return {"callable": False}
        one = tf.constant(2.0)
        by_size = [graph(tf.ones((n, features)), one) for n in batches]
        after_sizes = len(ran)
        by_number = [graph(tf.ones((batches[0], features)), surcharge) for surcharge in surcharges]
        return {
            "callable": True,
            "eager": ran.count("eager"),
            "by size": by_size,
            "by number": by_number,
            "traces": [after_sizes, len(ran)],
            "too wide": _accepted(graph, tf.ones((2, features + 1)), one),
        }

    @staticmethod
    def then(seen, features, batches, surcharges):
        if not seen["callable"]:
            raise Misread("calls-it", expected="a graph", got="something that cannot be called")
        if seen["eager"]:
            raise Misread("not-a-graph", expected="1 trace", got=f"Python ran {seen['traces'][1]} times")
        wanted = [np.full(n, 2.0 * features) for n in batches]
        wanted += [np.full(batches[0], features * surcharge) for surcharge in surcharges]
        for got, right in zip(seen["by size"] + seen["by number"], wanted, strict=True):
            if np.shape(got) != right.shape or not np.allclose(got, right):
                raise Misread("other-prices", expected=right, got=got)
        after_sizes, after_all = seen["traces"]
        if after_sizes > 1:
            raise Misread("retraces-batches", expected="1 trace", got=f"{after_sizes} traces")
        if after_all > 1:
            raise Misread("retraces-numbers", expected="1 trace", got=f"{after_all} traces")
        if seen["too wide"]:
            raise Misread("takes-any-width", expected=f"only {features} features", got=f"{features + 1} also")


def _some_again(rng, kinds):
    """Return six to eight numbers below `kinds`, each of them there; the first is 0, and some come again."""
    numbers = [*range(kinds), *rng.integers(0, kinds, int(rng.integers(6, 9)) - kinds).tolist()]
    return [0, *rng.permutation(numbers[1:]).tolist()]


def _traces(n):
    return "1 trace" if n == 1 else f"{n} traces"


def _accepted(graph, *args):
    """Tell whether `graph` answers such arguments at all."""
    try:
        graph(*args)
    except (TypeError, ValueError, tf.errors.InvalidArgumentError):
        return False
    return True


@check(
    points=2,
    minutes=8,
    difficulty="medium",
    hints=(
        "Two loops, one in the other: over `graph.get_operations()`, and over the `inputs` of each.",
        "An input is a tensor. `tensor.op` is the operation that it comes from, and operations have a `name`.",
        "`[(tensor.op.name, op.name) for op in graph.get_operations() for tensor in op.inputs]`",
    ),
)
class wires:
    """One pair of names for each input of each operation of a graph."""

    misconceptions = {
        "gives-objects": Misconception(
            "Operations or tensors came back; asked for were the names of operations.",
            "Which attribute of an operation is its name?",
        ),
        "nodes-only": Misconception(
            "No pairs came back.",
            "A wire has two ends: where the tensor comes from, and where it goes to.",
        ),
        "names-of-tensors": Misconception(
            "Names of tensors stand where names of operations should.",
            "`add:1` is output number 1 of `add`. What does a tensor know about the operation it comes from?",
        ),
        "backwards": Misconception(
            "Every wire is there, but backwards.",
            "Which way does the tensor flow, and which end comes first?",
        ),
        "one-input-each": Misconception(
            "Only one input of each operation was looked at.",
            "How many tensors does an addition take?",
        ),
        "drops-repeats": Misconception(
            "An operation that takes the same tensor twice has two wires from it; you gave one.",
            "What does a set, or a dict, do with the same pair twice?",
        ),
        "row-of-operations": Misconception(
            "You joined each operation to the next one in the list.",
            "The list is only an order. Which attribute says what an operation really needs?",
        ),
        "other-wires": Misconception(
            "These are not the wires of the graph.", "Draw `x * x + y` and count the arrows."
        ),
    }

    @staticmethod
    def given(rng):
        yield {"steps": [["multiply", "x", "x"], ["add", "multiply", "y"]]}
        yield {
            "steps": [["unstack", "pair", "pair"], ["add", "unstack:1", "unstack:0"], ["exp", "add", "add"]]
        }
        names, steps = ["x", "y"], []
        for number in range(int(rng.integers(4, 8))):
            first, second = (str(name) for name in rng.choice(names, 2))
            kind = str(rng.choice(["add", "multiply"]))
            steps.append([f"{kind}_{number}", first, second])
            names.append(steps[-1][0])
        yield {"steps": steps}

    @staticmethod
    def when(wires, steps):
        pairs = wires(_graph(steps))
        if pairs is None:
            return {"wires": None}
        pairs = list(pairs)
        members = [m for p in pairs for m in (p if isinstance(p, tuple | list) else [p])]
        if any(isinstance(member, tf.Operation | tf.Tensor) for member in members):
            raise Misread("gives-objects", expected="names", got="operations or tensors")
        return {"wires": pairs}

    @staticmethod
    def then(seen, steps):
        wanted = []
        for name, first, second in steps:
            ends = [first] if name.split("_")[0] in ("unstack", "exp") else [first, second]
            wanted += [(end.split(":")[0], name) for end in ends]
        got = seen["wires"]
        if not all(isinstance(pair, list) and len(pair) == 2 for pair in got):
            raise Misread("nodes-only", expected=wanted, got=got)
        pairs = sorted((str(a), str(b)) for a, b in got)
        if pairs == sorted(wanted):
            return
        names = ["x", "y", "pair", *(name for name, _, _ in steps)]
        last = {end: start for start, end in wanted}.items()
        first = {end: start for start, end in reversed(wanted)}.items()
        known = {
            "backwards": [(b, a) for a, b in wanted],
            "drops-repeats": set(wanted),
            "one-input-each": [(start, end) for end, start in first],
        }
        name = next((n for n, w in known.items() if sorted(w) == pairs), "other-wires")
        if sorted((start, end) for end, start in last) == pairs and name == "other-wires":
            name = "one-input-each"
        if any(":" in part for pair in pairs for part in pair):
            name = "names-of-tensors"
        elif pairs == sorted(itertools.pairwise(names)):
            name = "row-of-operations"
        raise Misread(name, expected=wanted, got=[tuple(pair) for pair in got])


def _graph(steps):
    """Return a graph with inputs x, y and pair, and an operation for each of `steps`, named as it says."""
    graph = tf.Graph()
    with graph.as_default():
        made = {
            name: tf.raw_ops.Placeholder(dtype=tf.float32, shape=shape, name=name)
            for name, shape in (("x", ()), ("y", ()), ("pair", (2,)))
        }
        for name, first, second in steps:
            kind = name.split("_")[0]
            if kind == "unstack":
                parts = tf.raw_ops.Unpack(value=made[first], num=2, name=name)
                made |= {f"{name}:{i}": part for i, part in enumerate(parts)}
            elif kind == "exp":
                made[name] = tf.raw_ops.Exp(x=made[first], name=name)
            else:
                operation = tf.raw_ops.AddV2 if kind == "add" else tf.raw_ops.Mul
                made[name] = operation(x=made[first], y=made[second], name=name)
    return graph


@check(
    points=3,
    minutes=15,
    difficulty="hard",
    hints=(
        "Before the loop: a `tf.TensorArray(tf.int32, size=1, dynamic_size=True)` with `start` at place 0. The loop: "
        "`while` the stop is not the goal and the count is below the limit.",
        "In the loop three lines: ask `next_stop`, write the new stop at place `count` and *keep* what `write` "
        "returns, and count. At the end `stack()` makes one tensor.",
        "`stops = tf.TensorArray(...).write(0, start)`, `stop, count = start, 1`, `while stop != goal and count < "
        "limit:` with `stop = next_stop(stop)`, `stops = stops.write(count, stop)`, `count += 1`; "
        "`return stops.stack()`",
    ),
)
class route:
    """The stops from a start to a goal, in a graph, at most as many as a limit."""

    misconceptions = {
        "reads-a-number": Misconception(
            "A value was read where a graph has none yet.",
            "Which line asks a tensor for its number? Leave the deciding to `while` and `if` on the tensor itself.",
            raises=READS_A_NUMBER,
        ),
        "python-list": Misconception(
            "A tensor from inside the loop was carried out by Python, perhaps in a list; outside it means nothing.",
            "How often does `append` run: once, while tracing, or in each round? What collects in a graph instead?",
        ),
        "grows-a-tensor": Misconception(
            "A tensor changes its shape from round to round, and a loop in a graph does not allow that by itself.",
            "Which object is made for a number of entries that is not known beforehand?",
            raises=r"has shape .* before the loop|shape invariant|shape_invariants",
        ),
        "never-stops": Misconception(
            "The loop did not end: `next_stop` was asked more than 200 times.",
            "Which two conditions end it, and is what they look at changed in each round?",
        ),
        "only-the-last": Misconception(
            "One number came back; asked for was the whole route.",
            "Where do you keep the stops on the way?",
        ),
        "never-leaves": Misconception(
            "`next_stop` was never asked, although the start is not the goal.",
            "Read the condition of your loop aloud, with a start that is not the goal.",
        ),
        "loses-the-writes": Misconception(
            "`next_stop` was asked, but the stops are lost.",
            "`stops.write(...)` changes nothing in place. What does it return, and who keeps that?",
        ),
        "padded-to-the-limit": Misconception(
            "The route is right, but filled up to `limit` entries.",
            "Which size did you give the TensorArray, and what are entries that nobody wrote?",
        ),
        "misses-the-start": Misconception(
            "The start is missing from the route.", "What is written before the first round?"
        ),
        "misses-the-goal": Misconception(
            "The last stop is missing from the route.",
            "Does your loop write the stop before it moves on, or after? What of the last one?",
        ),
        "ignores-the-goal": Misconception(
            "The route goes on after the goal.", "When does the loop look whether it is there?"
        ),
        "limit-off-by-one": Misconception(
            "The route has one stop more or less than `limit` allows.",
            "Does `limit` count stops or moves? A limit of 1 leaves only the start.",
        ),
        "ignores-the-limit": Misconception(
            "The route has more stops than `limit`.", "Which of the two conditions holds the length?"
        ),
        "other-route": Misconception(
            "These are not the stops on the way.",
            "Follow `next_stop` by hand for three stops and compare.",
        ),
    }

    @staticmethod
    def given(rng):
        yield {"following": [1, 2, 3, 4, 5, 6, 6], "trips": [[0, 3, 6], [0, 6, 4]]}
        n = int(rng.integers(7, 10))
        order = rng.permutation(n)
        following = np.empty(n, int)
        following[order] = np.roll(order, -1)
        start, goal = int(order[0]), int(order[n - 2])
        yield {
            "following": following.tolist(),
            "trips": [[start, goal, n + 3], [start, start, 5], [goal, start, 1], [start, goal, 3]],
        }

    @staticmethod
    def when(route, following, trips):
        asked, table = tf.Variable(0), tf.constant(following)

        def next_stop(stop):
            tf.debugging.assert_less(asked.assign_add(1), 200, ENDLESS)
            return tf.gather(table, stop)

        def traced(start, goal, limit):
            return route(next_stop, start, goal, limit)

        graph = tf.function(traced, input_signature=3 * [tf.TensorSpec((), tf.int32)])
        seen = {"stops": [], "asked": []}
        try:
            for trip in trips:
                asked.assign(0)
                stops = graph(*trip)
                if stops is None:
                    return {"stops": None}
                seen["stops"].append(stops)
                seen["asked"].append(int(asked))
        except tf.errors.InvalidArgumentError as error:
            if ENDLESS not in str(error):
                raise
            raise Misread("never-stops", expected="a loop that ends", got=ENDLESS) from None
        except (TypeError, ValueError) as error:
            if "out of scope" not in str(error):
                raise
            raise Misread("python-list", expected="one tensor", got="a tensor that is out of scope") from None
        return seen

    @staticmethod
    def then(seen, following, trips):
        found = []
        for (start, goal, limit), stops, asked in zip(trips, seen["stops"], seen["asked"], strict=True):
            wanted, whole = [start], [start]
            while wanted[-1] != goal and len(wanted) < limit:
                wanted.append(following[wanted[-1]])
            while len(whole) < len(following) + 4:
                whole.append(following[whole[-1]])
            trip = f"from {start} to {goal}, at most {limit} stops"
            got = [int(stop) for stop in np.ravel(stops)]
            if np.ndim(stops) == 0:
                raise Misread("only-the-last", expected={trip: wanted}, got=got[0])
            if got != wanted or np.ndim(stops) != 1:
                name = _way(got, wanted, whole, asked, goal, limit)
                found.append(Misread(name, expected={trip: wanted}, got={trip: got}))
        if found:
            order = list(route.misconceptions)
            raise min(found, key=lambda misread: order.index(misread.name))


def _way(got, wanted, whole, asked, goal, limit):
    """Name what went wrong on a route."""
    n, reaches = len(wanted), wanted[-1] == goal
    if n > 1 and asked == 0:
        return "never-leaves"
    # Before the next: the stops after the start may be few, and one of them stop 0.
    if n > 1 and got == wanted[1:]:
        return "misses-the-start"
    if n > 1 and (len(got) <= 1 or not any(got[1:])) and asked >= n - 1 and wanted[:2] != got[:2]:
        return "loses-the-writes"
    if len(got) == limit and got[:n] == wanted and not any(got[n:]):
        return "padded-to-the-limit"
    if reaches and got == wanted[:-1]:
        return "misses-the-goal"
    if not reaches and got in (whole[: n + 1], wanted[:-1]):
        return "limit-off-by-one"
    if reaches and len(got) > n and got[:n] == wanted:
        return "ignores-the-goal"
    if not reaches and len(got) > n and got[:n] == wanted:
        return "ignores-the-limit"
    return "other-route"


@check(
    points=2,
    minutes=10,
    difficulty="medium",
    hints=(
        "Which two numbers are enough to know the mean of everything so far, without keeping everything?",
        "In `__init__` two `tf.Variable`s, for the sum and for the count, both float32. In `update` change them in "
        "place.",
        "`self.total.assign_add(tf.reduce_sum(values))`, `self.count.assign_add(tf.cast(tf.size(values), "
        "tf.float32))`, `return self.total / self.count`",
    ),
)
class RunningMean:
    """A module that remembers the mean of all numbers it was given, in a graph."""

    misconceptions = {
        "makes-variables-each-call": Misconception(
            "A variable is made at each call, and a graph allows that only at the first.",
            "Which method runs once for each object?",
            raises=r"singleton tf\.Variable|on (a )?non-first call",
        ),
        "leaks-a-tensor": Misconception(
            "A tensor of a trace was kept in an attribute, and means nothing outside of that trace.",
            "What does `self.total = self.total + ...` put under the name? Which object is changed in place instead?",
        ),
        "reads-a-number": Misconception(
            "A value was read where a graph has none yet.",
            "Which line asks for `.numpy()` or uses NumPy on a tensor? Stay with `tf`.",
            raises=READS_A_NUMBER + r"|symbolic",
        ),
        "adds-in-place": Misconception(
            "A variable does not know `+=`.",
            "Which method of a variable adds to it?",
            raises=r"variable \+= value",
        ),
        "mixes-dtypes": Misconception(
            "A whole number met a float.",
            "`tf.size` gives int32. What turns it into a float, or what dtype has your counter?",
            raises=r"must have the same dtype|Tensor conversion requested dtype|does not match type|"
            r"was expected to be an? \w+ tensor",
        ),
        "not-a-number": Misconception(
            "`update` did not return one number.", "A mean of all prices so far: how many numbers is that?"
        ),
        "remembers-in-python": Misconception(
            "Part of the memory is a Python number, and it changes only while tracing.",
            "Two batches of the same size: the second finds its graph ready. Which of your lines does not run then?",
        ),
        "forgets": Misconception(
            "That is the mean of the last batch alone.", "What of the earlier ones is kept, and where?"
        ),
        "shares-a-memory": Misconception(
            "Two objects share one memory.",
            "Where are the variables made: once for the class or the notebook, or once for each object?",
        ),
        "mean-of-means": Misconception(
            "Each batch counts alike, however many prices it holds.",
            "Prices 10, 20 and then 30: the mean is 20. Which one do you get?",
        ),
        "other-mean": Misconception(
            "This is not the mean of all prices so far.", "Work it out by hand for two batches."
        ),
    }

    @staticmethod
    def given(rng):
        yield {"first": [[10.0, 20.0], [30.0], [60.0, 40.0]], "second": [[1.0], [3.0]]}
        sizes = rng.integers(1, 4, 3)
        batches = [rng.uniform(1, 9, n).round(1).tolist() for n in (2, *sizes, 2, 3)]
        yield {"first": batches, "second": [[2.0, 5.0], [11.0, 12.0]]}

    @staticmethod
    def when(RunningMean, first, second):
        try:
            return _means(RunningMean, first, second)
        except (TypeError, ValueError) as error:
            if "out of scope" not in str(error):
                raise
            got = "a tensor that is out of scope"
            raise Misread("leaks-a-tensor", expected="one number at each call", got=got) from None

    @staticmethod
    def then(seen, first, second):
        one, other = (np.mean(mean) for mean in seen["twins"])
        if not np.isclose(one, other):
            raise Misread("shares-a-memory", expected="new objects that agree", got=[one, other])
        for name, batches in (("first", first), ("second", second)):
            if any(np.ndim(mean) for mean in seen[name]):
                raise Misread("not-a-number", expected="one number", got=seen[name])
            wanted = [
                float(np.mean([price for b in batches[: i + 1] for price in b])) for i in range(len(batches))
            ]
            if np.allclose(seen[name], wanted, rtol=1e-4):
                continue
            known = _mistaken(batches)
            same = [
                n for n, means in known.items() if any(np.allclose(seen[name], m, rtol=1e-4) for m in means)
            ]
            raise Misread(same[0] if same else "other-mean", expected=wanted, got=seen[name])


def _means(RunningMean, first, second):
    """Return what two objects of the class answer to their batches, in turn, and two more to the same batch."""
    objects = {"first": RunningMean(), "second": RunningMean()}
    means = {"first": [], "second": []}
    twins = [RunningMean(), RunningMean()]
    means["twins"] = [twin.update(tf.constant([5.0, 7.0])) for twin in twins]
    if any(mean is None for mean in means["twins"]):
        return {"twins": None}
    for place in range(max(len(first), len(second))):
        for name, batches in (("first", first), ("second", second)):
            if place < len(batches):
                mean = objects[name].update(tf.constant(batches[place]))
                means[name].append(mean)
    return means


def _mistaken(batches):
    """Return what well-known mistakes give, by their names: each a list of possible rows of means."""
    own = [float(np.mean(b)) for b in batches]
    averaged = [float(np.mean(own[: i + 1])) for i in range(len(own))]
    total, at_trace, seen_batches, counted, added = 0.0, {}, {}, [], []
    for number, batch in enumerate(batches):
        total += sum(batch)
        if len(batch) not in at_trace:
            at_trace[len(batch)] = len(batch) + max(at_trace.values(), default=0)
            seen_batches[len(batch)] = number + 1
        counted.append(total / at_trace[len(batch)])
        added.append(total / seen_batches[len(batch)])
    return {
        "remembers-in-python": [counted, added],
        "forgets": [own],
        "mean-of-means": [averaged],
    }


@check(
    points=3,
    minutes=12,
    difficulty="hard",
    hints=(
        "What is saved is a `tf.Module`. Make an empty one, and give it two attributes: the model, so that its "
        "variables are found, and `score`.",
        "`score` is a graph of the model with a signature: `None` for the batch, and `features`.",
        "`bundle.model = model`, `bundle.score = tf.function(model, input_signature=[tf.TensorSpec((None, features), "
        'tf.float32)])`, `tf.saved_model.save(bundle, folder, signatures={"price": bundle.score})`',
    ),
)
class export:
    """A SavedModel whose function `score` answers like the model, for any batch."""

    misconceptions = {
        "weights-only": Misconception(
            "There is no SavedModel in the folder: no graph was written.",
            "A checkpoint holds the variables alone. Which call writes the graphs too?",
        ),
        "variables-not-found": Misconception(
            "The graph uses variables that the saved object does not know.",
            "Everything that is saved hangs on one object. Is the model an attribute of it?",
            raises=r"untracked",
        ),
        "cannot-be-a-signature": Misconception(
            "The signature is no graph with fixed kinds of arguments.",
            "A signature needs a `tf.function` that knows its arguments beforehand. What tells it?",
            raises=r"Expected a TensorFlow function",
        ),
        "no-score": Misconception(
            "What was loaded has no function `score`.",
            "Only graphs are saved, under the names of the attributes that hold them. Which attribute is `score`?",
        ),
        "never-traced": Misconception(
            "`score` was saved without a single graph, because it was never traced.",
            "A graph is made at the first call, or when a signature says what comes. Which happened here?",
            raises=r"zero restored functions",
        ),
        "one-size-only": Misconception(
            "The graph answers one shape only, and refuses others.",
            "For which shapes was it traced, and what stands in a shape for a size that may vary?",
            raises=r"matching concrete function|Can ?not cast|Binding inputs|Incompatible|InvalidArgument",
        ),
        "other-prices": Misconception(
            "The loaded `score` does not answer like the model.",
            "Load it yourself, and compare its answer with that of the model for two parcels.",
        ),
        "no-signature": Misconception(
            "`score` works, but a server will not find it: there is no signature `price`.",
            "Which argument of `tf.saved_model.save` names what a server may ask for, and by which name?",
        ),
    }

    @staticmethod
    def given(rng):
        for features, sizes in ((3, [1, 4]), (int(rng.integers(4, 7)), [2, int(rng.integers(5, 9))])):
            yield {
                "features": features,
                "weights": rng.uniform(0.1, 1, features).round(2).astype(np.float32),
                "batches": [rng.uniform(0, 5, (n, features)).astype(np.float32) for n in sizes],
            }

    @staticmethod
    def when(export, features, weights, batches):
        model = _weighing(weights)
        with tempfile.TemporaryDirectory(prefix="tensorflow-labs-") as folder:
            export(model, features, folder)
            if not tf.saved_model.contains_saved_model(folder):
                return {"saved": False}
            loaded = tf.saved_model.load(folder)
            if not callable(getattr(loaded, "score", None)):
                return {"saved": True, "score": False}
            answers = [loaded.score(tf.constant(batch)) for batch in batches]
            seen = {"saved": True, "score": True, "answers": [_only(answer) for answer in answers]}
            seen["signatures"] = sorted(loaded.signatures)
            if "price" in loaded.signatures:
                served = loaded.signatures["price"]
                (argument,) = served.structured_input_signature[1]
                seen["served"] = [_only(served(**{argument: tf.constant(batch)})) for batch in batches]
            return seen

    @staticmethod
    def then(seen, features, weights, batches):
        if not seen["saved"]:
            raise Misread("weights-only", expected="a SavedModel", got="a folder without saved_model.pb")
        if not seen["score"]:
            raise Misread("no-score", expected="loaded.score", got="an object without it")
        wanted = [np.array([sum(row * weights) for row in batch]) for batch in batches]
        for answers in (seen["answers"], seen.get("served", wanted)):
            for got, right in zip(answers, wanted, strict=True):
                if np.shape(got) != right.shape or not np.allclose(got, right, rtol=1e-4):
                    raise Misread("other-prices", expected=right, got=got)
        if "price" not in seen["signatures"]:
            raise Misread("no-signature", expected="price", got=seen["signatures"])


def _only(answer):
    """Return the one tensor in `answer`, which may be a dict of one."""
    if isinstance(answer, dict) and len(answer) == 1:
        return next(iter(answer.values()))
    return answer


def _weighing(weights):
    """Return a module that adds up the features of each parcel by weight."""

    class Weighing(tf.Module):
        def __init__(self):
            super().__init__()
            self.weights = tf.Variable(weights)

        def __call__(self, parcels):
            return tf.linalg.matvec(parcels, self.weights)

    return Weighing()
