"""What each exercise of this lab must do, and the misconceptions that its check can tell apart."""

import itertools
import threading
import time
from contextlib import suppress

import numpy as np

from labs import Misconception, Misread, check, lazy

tf = lazy("tensorflow")


def _as_written(dataset, threads=2):
    """Return `dataset` without TensorFlow's own rewriting, so that each step shows, with its own threads."""
    if dataset is not None and not isinstance(dataset, tf.data.Dataset):
        raise Misread("other-form", expected="a tf.data.Dataset", got=f"a {type(dataset).__name__}")
    options = tf.data.Options()
    options.experimental_optimization.apply_default_optimizations = False
    options.threading.private_threadpool_size = threads
    return dataset.with_options(options)


def _names(count):
    """Return `count` file names, sorted, with the labels of six classes that follow one another."""
    return [f"picture-{i:04}.jpg" for i in range(count)], np.arange(count) * 6 // count


def _call(function, argument, dtype, shape=()):
    """Run a Python function inside a pipeline: it counts, waits and sees the concrete value."""
    return tf.ensure_shape(tf.numpy_function(function, [argument], dtype), shape)


def _number(path):
    return np.int64(int(path[8:12]))


def _counter():
    """Return a counter that a pipeline moves without calling Python, which would cost it most of its time."""
    return tf.Variable(0, dtype=tf.int64)


def _number_in_graph(path):
    return tf.strings.to_number(tf.strings.substr(path, 8, 4))


class _Clock:
    """A clock that moves only when a batch or a step takes its time."""

    def __init__(self):
        self.now, self.log = 100.0, []

    def __call__(self):
        return self.now

    def batches(self, waits):
        for number, wait in enumerate(waits):
            self.now += wait
            self.log.append(f"batch {number}")
            yield number

    def step(self, steps):
        def step(batch):
            self.now += steps[batch]
            self.log.append(f"step {batch}")

        return step


@check(
    points=2,
    minutes=8,
    difficulty="easy",
    hints=(
        "Three moments matter for each batch: when you asked for it, when it arrived, when its step was done.",
        "`arrived = clock()` is the first line in the loop's body. At which moment did the loop ask for this batch? "
        "The first time just before the loop, later at the end of the step before.",
        "`asked = clock()` before the loop; in it `arrived = clock()`, `step(batch)`, `done = clock()`, append "
        "`arrived - asked` and `done - arrived`, and then `asked = done`",
    ),
)
class measure:
    """For each batch, the seconds waited for it and the seconds of its step."""

    misconceptions = {
        "never-steps": Misconception(
            "No step was taken: the batches were fetched and nothing was done with them.",
            "Who is to consume the batches while you measure? Look at the second argument.",
        ),
        "reads-all-first": Misconception(
            "All batches were fetched before the first step was taken.",
            "`list(batches)` asks for everything at once. In training, when is the second batch asked for?",
        ),
        "ignores-the-clock": Misconception(
            "You measured with another clock than the one that was given.",
            "In this check an hour may pass in no time. Which argument tells the time here?",
        ),
        "sums-only": Misconception(
            "Totals came back where one number for each batch was asked for.",
            "A list shows whether the first batch is special. When do you add to it?",
        ),
        "swaps-the-lists": Misconception(
            "The two lists are swapped: first the waits, then the steps.",
            "In which order does the docstring name them?",
        ),
        "waits-are-zero": Misconception(
            "Every wait is zero: your clock starts after the batch has arrived.",
            "`for batch in batches` fetches the batch before the first line of the body. Where must the clock be "
            "read to include that?",
        ),
        "forgets-the-first-wait": Misconception(
            "The wait for the first batch is missing, often the longest of all.",
            "When does the loop ask for the first batch? Read the clock just before that.",
        ),
        "waits-include-steps": Misconception(
            "Your waits run from batch to batch, so they include the step of the batch before.",
            "The consumer asks for the next batch when its step is done. From which moment do you count?",
        ),
        "counts-from-the-start": Misconception(
            "These are times since the start, growing from batch to batch.",
            "Between which two moments does the wait for *one* batch lie?",
        ),
        "steps-wrong": Misconception(
            "Your waits are right; the times of the steps are not.",
            "Which two moments enclose `step(batch)`, and do you note one number for each batch?",
        ),
        "other-times": Misconception(
            "These are not the times that passed.",
            "Take two batches, write down every moment at which you read the clock, and subtract by hand.",
        ),
    }

    @staticmethod
    def given(rng):
        yield {"waits": [0.5, 0.25, 0.125], "steps": [1.0, 2.0, 4.0]}
        yield {"waits": [3.0], "steps": [0.5]}
        count = int(rng.integers(4, 8))
        yield {"waits": rng.integers(1, 64, count) / 16, "steps": rng.integers(65, 99, count) / 16}

    @staticmethod
    def when(measure, waits, steps):
        clock = _Clock()
        pair = measure(clock.batches(waits), clock.step(steps), clock)
        if pair is None:
            return {"waits": None}
        if not (isinstance(pair, tuple | list) and len(pair) == 2):
            raise Misread("other-form", expected="two lists", got=f"a {type(pair).__name__}")
        return {"waits": pair[0], "steps": pair[1], "log": clock.log}

    @staticmethod
    def then(seen, waits, steps):
        got, got_steps = np.asarray(seen["waits"], float), np.asarray(seen["steps"], float)
        waits, steps = np.asarray(waits), np.asarray(steps)
        count, ends = len(waits), np.cumsum(np.add(waits, steps))
        wanted = {"expected": {"waits": waits}, "got": {"waits": got}}
        taken = [entry for entry in seen["log"] if entry.startswith("step")]
        if not taken:
            raise Misread("never-steps", expected=f"{count} steps", got="no step")
        if count > 1 and seen["log"][1] == "batch 1":
            raise Misread(
                "reads-all-first", expected="batch 0, step 0, batch 1, ...", got=", ".join(seen["log"])
            )
        if got.ndim == 0:
            raise Misread("sums-only", **wanted)
        if (
            got.shape == waits.shape == got_steps.shape
            and np.allclose(got, waits)
            and np.allclose(got_steps, steps)
        ):
            return
        if (
            got.shape == steps.shape == got_steps.shape
            and np.allclose(got, steps)
            and np.allclose(got_steps, waits)
        ):
            raise Misread("swaps-the-lists", **wanted)
        if got.shape == waits.shape and np.allclose(got, waits):
            raise Misread("steps-wrong", expected={"steps": steps}, got={"steps": got_steps})
        if got.shape == waits.shape and not got.any():
            raise Misread("waits-are-zero", **wanted)
        between = waits + np.concatenate([[0], steps[:-1]])
        known = {
            "forgets-the-first-wait": [waits[1:], np.concatenate([[0], waits[1:]])],
            "waits-include-steps": [between, between[1:], waits + steps, np.concatenate([[0], between[1:]])],
            "counts-from-the-start": [ends - steps, np.cumsum(waits)],
        }
        for name, shapes in known.items():
            if any(got.shape == known.shape and np.allclose(got, known) for known in shapes):
                raise Misread(name, **wanted)
        if got.size and np.all(np.abs(got) < 0.05):
            raise Misread("ignores-the-clock", **wanted)
        raise Misread("other-times", **wanted)


@check(
    points=2,
    minutes=8,
    difficulty="easy",
    hints=(
        "Four steps in a chain: slices of (paths, labels), shuffle, map, batch. Each works on what comes before.",
        "Which number of elements must `shuffle` hold so that the last name can come out first? And is an element a "
        "name, a picture or a batch at that place?",
        "`tf.data.Dataset.from_tensor_slices((paths, labels)).shuffle(len(paths)).map(load).batch(batch_size)`",
    ),
)
class make_train_ds:
    """Shuffled names, loaded one by one, in batches."""

    misconceptions = {
        "loads-whole-batches": Misconception(
            "`load` was handed a whole batch of paths; it takes one.",
            "Which comes first in your chain, `map` or `batch`?",
        ),
        "not-batched": Misconception(
            "The elements are not batches of the size that was asked for.",
            "Which method makes batches, and where?",
        ),
        "pairs-broken": Misconception(
            "Pictures came with the labels of others.",
            "Two datasets that are shuffled apart are mixed differently. What must be shuffled together?",
        ),
        "repeats-itself": Misconception(
            "An epoch had more examples than there are files.",
            "Who repeats the data set, you or `fit`? Where does one epoch end for you?",
        ),
        "drops-the-rest": Misconception(
            "Some pictures never came: an epoch had fewer examples than there are files.",
            "The number of files is rarely a multiple of the batch size. What happens to the last, smaller batch?",
        ),
        "not-shuffled": Misconception(
            "The pictures came in the order of the disk, one class after another.",
            "Where in your chain is the order mixed?",
        ),
        "shuffles-batches": Misconception(
            "Whole batches were mixed, but inside each batch the pictures are neighbours, all of one class.",
            "What is one element at the place where you shuffle?",
        ),
        "same-every-epoch": Misconception(
            "The second epoch had the same order as the first.",
            "Is the order drawn once, when the dataset is made, or each time somebody goes through it?",
        ),
        "shuffles-pictures": Misconception(
            "Every picture was loaded before the first batch came: the buffer holds pictures.",
            "What is cheaper to hold in a buffer, a picture or its name? Compare the places of `shuffle` and `map`.",
        ),
        "buffer-too-small": Misconception(
            "The buffer is smaller than the data set, so pictures stay near their place on the disk.",
            "There may be more files than the number you wrote. Which number is always enough?",
        ),
    }

    @staticmethod
    def given(rng):
        yield {"pictures": 60, "batch_size": 8, "epochs": 3}
        yield {"pictures": int(rng.integers(80, 95)), "batch_size": int(rng.integers(9, 14)), "epochs": 2}
        yield {"pictures": 1700, "batch_size": 256, "epochs": 1}

    @staticmethod
    def when(make_train_ds, pictures, batch_size, epochs):
        loads, ranks = _counter(), []

        def load(path, label):
            ranks.append(path.shape.rank)
            if path.shape.rank:
                return tf.zeros((batch_size, 2)), label
            loads.assign_add(1)
            return tf.fill((2,), _number_in_graph(path)), label

        paths, labels = _names(pictures)
        dataset = _as_written(make_train_ds(paths, labels, load, batch_size))
        seen = {"ranks": ranks, "first": 0, "sizes": [], "orders": [], "labels": []}
        for _ in range(1 if any(ranks) else epochs):
            sizes, order, given = [], [], []
            for images, targets in itertools.islice(dataset, pictures // batch_size + 4):
                seen["first"] = seen["first"] or int(loads)
                images = np.asarray(images)
                sizes.append(len(images) if images.ndim == 2 else 0)
                order.append(images[..., 0].ravel())
                given.append(np.asarray(targets).ravel())
            seen["sizes"].append(sizes)
            seen["orders"].append(np.concatenate(order).astype(int))
            seen["labels"].append(np.concatenate(given))
        return seen

    @staticmethod
    def then(seen, pictures, batch_size, epochs):
        if any(seen["ranks"]):
            raise Misread("loads-whole-batches", expected="one path", got="a vector of paths")
        order, sizes = seen["orders"][0], seen["sizes"][0]
        if max(sizes) != batch_size:
            raise Misread(
                "not-batched", expected=f"{batch_size} pictures", got=f"{max(sizes) or 1} in an element"
            )
        labels = np.asarray(_names(pictures)[1])
        if any(
            (labels[numbers] != given).any()
            for numbers, given in zip(seen["orders"], seen["labels"], strict=True)
        ):
            raise Misread("pairs-broken", expected=labels[order[:6]], got=seen["labels"][0][:6])
        if len(order) > pictures:
            raise Misread("repeats-itself", expected=f"{pictures} pictures", got="more, perhaps without end")
        if len(order) < pictures:
            raise Misread("drops-the-rest", expected=f"{pictures} pictures", got=f"{len(order)} pictures")
        first = f"the first batch: {order[:batch_size].tolist()}"
        if (order == np.arange(pictures)).all():
            raise Misread("not-shuffled", expected="a mixed order", got=first)
        batches = np.split(order, np.cumsum(sizes)[:-1])
        if all((np.diff(batch) == 1).all() for batch in batches):
            raise Misread("shuffles-batches", expected="pictures from all over the disk", got=first)
        if any((order == other).all() for other in seen["orders"][1:]):
            raise Misread("same-every-epoch", expected="a new order", got=f"twice {order[:8].tolist()} ...")
        if pictures > 500 and seen["first"] >= 0.9 * pictures:
            got = f"{seen['first']} loads before the first batch"
            raise Misread("shuffles-pictures", expected=f"about {batch_size}", got=got)
        furthest = max((numbers - np.arange(pictures)).max() for numbers in seen["orders"])
        if furthest < 0.6 * pictures:
            raise Misread(
                "buffer-too-small",
                expected="the last pictures may come first",
                got=f"no picture came more than {furthest} places before its turn",
            )


class _Meeting:
    """Lets the first `calls` calls wait for one another, and so tells how many are under way at the same time."""

    def __init__(self, calls, patience=0.7):
        self._barrier, self._patience = threading.Barrier(calls), patience
        self._lock, self._numbers = threading.Lock(), itertools.count()
        self._here, self.at_once = 0, 0

    @property
    def together(self):
        return self.at_once == self._barrier.parties

    def arrive(self):
        if next(self._numbers) >= self._barrier.parties:
            return
        self._count(1)
        with suppress(threading.BrokenBarrierError):
            self._barrier.wait(self._patience)
        self._count(-1)

    def _count(self, change):
        with self._lock:
            self._here += change
            self.at_once = max(self.at_once, self._here)


@check(
    points=3,
    minutes=8,
    difficulty="medium",
    hints=(
        "Three steps: `map`, which takes the number of calls, `batch`, and the one that works ahead.",
        "`prefetch` counts elements of what stands before it. At which place is an element a batch?",
        "`examples.map(load, num_parallel_calls=calls).batch(batch_size).prefetch(2)`",
    ),
)
class overlap:
    """Loaded with several calls at once, in order, batched, and prepared ahead."""

    misconceptions = {
        "loads-whole-batches": Misconception(
            "`load` was handed a whole batch of paths; it takes one.",
            "Which comes first in your chain, `map` or `batch`?",
        ),
        "not-batched": Misconception(
            "The elements are not batches of the size that was asked for.",
            "Which method makes batches, and where?",
        ),
        "drops-the-rest": Misconception(
            "Some examples never came.",
            "How large may the last batch be, and do you leave it out?",
        ),
        "one-at-a-time": Misconception(
            "The pictures were loaded one after another: no call began before the one before it had ended.",
            "`map` takes one call at a time unless you tell it otherwise. Which argument has not been used?",
        ),
        "too-few-at-once": Misconception(
            "Some pictures were loaded at the same time, but fewer than `calls` says.",
            "Is there a number in your chain where an argument of `overlap` belongs?",
        ),
        "loses-the-order": Misconception(
            "The examples came out in another order than they went in.",
            "A slow file was overtaken. Which argument decides whether results may overtake one another?",
        ),
        "prefetches-pictures": Misconception(
            "A few single pictures were prepared ahead, not a batch.",
            "`prefetch` counts elements of what stands before it. What is an element there?",
        ),
        "nothing-prefetched": Misconception(
            "While the consumer worked on a batch, nobody prepared the next.",
            "Which step works ahead of its consumer? Is it in your chain, and behind which other step?",
        ),
    }

    @staticmethod
    def given(rng):
        yield {"examples": 66, "batch_size": 16, "calls": 4}
        batch_size = int(rng.integers(18, 28))
        yield {"examples": 3 * batch_size + int(rng.integers(1, 16)), "batch_size": batch_size, "calls": 3}

    @staticmethod
    def when(overlap, examples, batch_size, calls):
        loads, ranks, meeting = [], [], _Meeting(calls)
        overtaken = threading.Event()

        def fetch(path):
            meeting.arrive()
            number = _number(path)
            if number == 5:
                overtaken.wait(0.3 if meeting.together else 0)  # a slow file: the next may overtake it
                time.sleep(0.02)
            loads.append(int(number))
            if number == 6:
                overtaken.set()
            return number

        def load(path, label):
            ranks.append(path.shape.rank)
            if path.shape.rank:
                return tf.zeros((batch_size, 2)), label
            return tf.fill((2,), tf.cast(_call(fetch, path, tf.int64), tf.float32)), label

        source = tf.data.Dataset.from_tensor_slices(_names(examples))
        dataset = _as_written(overlap(source, load, batch_size, calls), threads=8)
        iterator = iter(dataset)
        batches, until = [next(iterator)], time.monotonic() + 0.8
        while len(loads) < 2 * batch_size and not any(ranks) and time.monotonic() < until:
            time.sleep(0.01)
        ahead = len(loads)
        batches += itertools.islice(iterator, examples // batch_size + 4)
        images = [np.asarray(images) for images, _ in batches]
        return {
            "ranks": ranks,
            "sizes": [len(image) if image.ndim == 2 else 0 for image in images],
            "order": np.concatenate([image[..., 0].ravel() for image in images]).astype(int),
            "at_once": meeting.at_once,
            "ahead": ahead,
        }

    @staticmethod
    def then(seen, examples, batch_size, calls):
        if any(seen["ranks"]):
            raise Misread("loads-whole-batches", expected="one path", got="a vector of paths")
        sizes, order = seen["sizes"], seen["order"]
        if sizes[0] != batch_size:
            raise Misread(
                "not-batched", expected=f"{batch_size} pictures", got=f"{sizes[0] or 1} in an element"
            )
        if len(order) != examples:
            raise Misread("drops-the-rest", expected=f"{examples} examples", got=f"{len(order)} examples")
        if seen["at_once"] < calls:
            name = "too-few-at-once" if seen["at_once"] > 1 else "one-at-a-time"
            raise Misread(
                name, expected=f"{calls} calls at once", got=f"never more than {seen['at_once']} at once"
            )
        if (order != np.arange(examples)).any():
            raise Misread("loses-the-order", expected=np.arange(10), got=order[:10])
        if seen["ahead"] < 2 * batch_size:
            some = seen["ahead"] > batch_size + calls
            raise Misread(
                "prefetches-pictures" if some else "nothing-prefetched",
                expected=f"the {batch_size} pictures of the next batch loaded while this one is in use",
                got=f"{max(seen['ahead'] - batch_size, 0)} of them",
            )


@check(
    points=3,
    minutes=10,
    difficulty="medium",
    hints=(
        "Sort the steps into two kinds: those that give the same in every epoch, and those that must not.",
        "Load, then cache: that stays. Shuffle, augment and batch come after it, since each epoch has its own.",
        "`examples.map(load).cache().shuffle(len(examples)).map(augment).batch(batch_size).prefetch(2)`",
    ),
)
class cached_train_ds:
    """Loaded once, then in a new order and newly augmented in every epoch."""

    misconceptions = {
        "never-augments": Misconception(
            "`augment` was never called.",
            "Which argument have you not used, and after which step does it belong?",
        ),
        "augments-whole-batches": Misconception(
            "`augment` was handed a whole batch, so all its pictures get the same random change.",
            "It takes one picture. Which comes first, `map(augment)` or `batch`?",
        ),
        "not-batched": Misconception(
            "The elements are not batches of the size that was asked for.",
            "Which method makes batches, and where?",
        ),
        "drops-the-rest": Misconception(
            "An epoch did not have each example once.",
            "How large may the last batch be, and who repeats the data set?",
        ),
        "never-caches": Misconception(
            "Every epoch went back to the source and loaded all files again.",
            "Which step keeps what has been loaded, and is it in your chain?",
        ),
        "caches-names": Misconception(
            "Something was kept, but every epoch loaded all files again: the cache holds the names.",
            "A cache saves what stands before it. Is the expensive step before or after?",
        ),
        "freezes-augmentation": Misconception(
            "The second epoch showed exactly the pictures of the first: the random changes are frozen.",
            "A cache keeps whatever comes in. Was anything random before it?",
        ),
        "not-shuffled": Misconception(
            "The examples came in the order of the disk.", "Where in your chain is the order mixed?"
        ),
        "shuffles-batches": Misconception(
            "Whole batches were mixed, but inside each batch the examples are neighbours, all of one class.",
            "What is one element at the place where you shuffle?",
        ),
        "freezes-the-order": Misconception(
            "The order was mixed once and is the same in every epoch.",
            "On which side of the cache does the mixing happen?",
        ),
        "buffer-too-small": Misconception(
            "The buffer is smaller than the data set, so examples stay near their place on the disk.",
            "There may be more examples than the number you wrote. Which number is always enough?",
        ),
    }

    @staticmethod
    def given(rng):
        yield {"examples": 45, "batch_size": 8, "epochs": 3}
        yield {"examples": int(rng.integers(50, 80)), "batch_size": int(rng.integers(9, 16)), "epochs": 2}

    @staticmethod
    def when(cached_train_ds, examples, batch_size, epochs):
        asked, loads, rolls, ranks = _counter(), _counter(), _counter(), []

        def ask(path, label):
            asked.assign_add(1)
            return path, label

        def load(path, label):
            loads.assign_add(1)
            return tf.fill((2,), _number_in_graph(path)), label

        def augment(image, label):
            ranks.append(image.shape.rank)
            return image + 1000 * tf.cast(rolls.assign_add(1), tf.float32), label

        source = tf.data.Dataset.from_tensor_slices(_names(examples)).map(ask)
        dataset = _as_written(cached_train_ds(source, load, augment, batch_size))
        seen = {"ranks": ranks, "sizes": [], "orders": [], "rolls": [], "loads": [], "asked": []}
        for _ in range(epochs):
            images = [
                np.asarray(images) for images, _ in itertools.islice(dataset, examples // batch_size + 4)
            ]
            values = np.concatenate([image[..., 0].ravel() for image in images]).astype(int)
            seen["sizes"].append([len(image) if image.ndim == 2 else 0 for image in images])
            seen["orders"].append(values % 1000)
            seen["rolls"].append(values // 1000)
            seen["loads"].append(int(loads))
            seen["asked"].append(int(asked))
        return seen

    @staticmethod
    def then(seen, examples, batch_size, epochs):
        if not seen["ranks"]:
            raise Misread("never-augments", expected="augmented pictures", got="pictures as loaded")
        if any(rank != 1 for rank in seen["ranks"]):
            raise Misread("augments-whole-batches", expected="one picture", got="a batch of pictures")
        largest = max(seen["sizes"][0])
        if largest != batch_size:
            raise Misread(
                "not-batched", expected=f"{batch_size} pictures", got=f"{largest or 1} in an element"
            )
        orders, rolls = seen["orders"], seen["rolls"]
        if any(sorted(order) != list(range(examples)) for order in orders):
            raise Misread("drops-the-rest", expected=f"{examples} examples", got=f"{len(orders[0])} examples")
        if seen["loads"][-1] > examples:
            name = "never-caches" if seen["asked"][-1] > examples else "caches-names"
            raise Misread(
                name, expected=f"{examples} loads in {epochs} epochs", got=f"{seen['loads'][-1]} loads"
            )
        first, second = (
            dict(zip(order.tolist(), roll.tolist(), strict=True))
            for order, roll in zip(orders[:2], rolls[:2], strict=True)
        )
        if all(first[number] == second[number] for number in first):
            raise Misread(
                "freezes-augmentation", expected="new random changes", got="the same in both epochs"
            )
        if (orders[0] == np.arange(examples)).all():
            raise Misread("not-shuffled", expected="a mixed order", got=orders[0][:10])
        batches = np.split(orders[0], np.cumsum(seen["sizes"][0])[:-1])
        if all((np.diff(batch) == 1).all() for batch in batches):
            raise Misread(
                "shuffles-batches", expected="pictures from all over the disk", got=batches[0].tolist()
            )
        if (orders[0] == orders[1]).all():
            raise Misread(
                "freezes-the-order", expected="a new order", got=f"twice {orders[0][:8].tolist()} ..."
            )
        furthest = max((numbers - np.arange(examples)).max() for numbers in orders)
        # Half, because few examples are drawn here: by chance a full buffer stays below it once in a million times.
        if furthest < 0.5 * examples:
            raise Misread(
                "buffer-too-small",
                expected="the last pictures may come first",
                got=f"no picture came more than {furthest} places before its turn",
            )


@check(
    points=2,
    minutes=6,
    difficulty="medium",
    hints=(
        "Two steps: `tf.io.decode_csv` gives one tensor for each column, and the columns are put side by side.",
        "`select_cols` picks columns, and then `record_defaults` has one default for each of these. Which float says "
        "'not there'? Along which axis do columns stand side by side?",
        "`columns = tf.io.decode_csv(lines, [float('nan')] * 3, select_cols=[5, 7, 11])`, then "
        "`return tf.stack(columns, axis=-1)`",
    ),
)
class parse_rows:
    """Three columns of CSV lines as float32 rows, nan where a field is empty."""

    misconceptions = {
        "needs-every-field": Misconception(
            "Your defaults say that a field may not be empty, and one is.",
            "An empty default makes the column required. Which value stands for 'missing'?",
            raises=r"is required but missing",
        ),
        "defaults-do-not-fit": Misconception(
            "The number of defaults is not the number of columns.",
            "There are 13 columns on a line, and you want 3: one default for each column that is read.",
            raises=r"Expect \d+ fields|select_cols and record_defaults",
        ),
        "gives-a-dtype": Misconception(
            "A default must be a value; you gave a dtype.",
            "The dtype of the column follows from the value. Which float says 'not there'?",
            raises=r"NOT CONVERTIBLE|record_defaults.*DType",
        ),
        "still-text": Misconception(
            "The numbers are not float32.",
            "The dtype of a default is the dtype of its column. What are yours?",
        ),
        "columns-not-rows": Misconception(
            "The columns lie one above the other: the first axis should count lines.",
            "Three tensors of n numbers make (3, n) or (n, 3). Which argument of `tf.stack` decides?",
        ),
        "drops-incomplete-rows": Misconception(
            "Lines with a missing value were left out.",
            "One row for each line: whoever uses the rows decides later what to do with gaps.",
        ),
        "missing-becomes-a-number": Misconception(
            "A missing value became a number, which looks like a measurement.",
            "Zero degrees is weather, and -999 pulls every mean down. Which float can never be mistaken for a "
            "measurement?",
        ),
        "other-columns": Misconception(
            "These are not the columns that were asked for.",
            "Columns are counted from 0. Print one line and count its commas.",
        ),
    }

    @staticmethod
    def given(rng):
        yield {"lines": ["EWR,2013-01-01T06:00:00Z,1,1,1,3.9,-3.3,59.4,270,4.6,0.0,,16.1"]}
        for count in (4, int(rng.integers(5, 9))):
            yield {"lines": [_line(rng, hour, hour % 3) for hour in range(count)]}

    @staticmethod
    def when(parse_rows, lines):
        rows = list(tf.data.Dataset.from_tensors(lines).map(parse_rows))
        return {"rows": rows[0]}

    @staticmethod
    def then(seen, lines):
        rows, wanted = np.asarray(seen["rows"]), _fields(lines)[:, [5, 7, 11]]
        if rows.dtype != np.float32:
            raise Misread("still-text", expected="float32", got=rows)
        if rows.shape == wanted.T.shape != wanted.shape or (
            rows.shape == wanted.T.shape and not _same(rows, wanted) and _same(rows, wanted.T)
        ):
            raise Misread("columns-not-rows", expected=f"shape {wanted.shape}", got=f"shape {rows.shape}")
        complete = ~np.isnan(wanted).any(axis=1)
        if rows.shape[1:] == (3,) and len(rows) == complete.sum() < len(lines):
            raise Misread("drops-incomplete-rows", expected=f"{len(lines)} rows", got=f"{len(rows)} rows")
        if _same(rows, wanted):
            return
        there = np.isfinite(wanted)
        filled = rows.shape == wanted.shape and _same(rows[there], wanted[there])
        raise Misread("missing-becomes-a-number" if filled else "other-columns", expected=wanted, got=rows)


def _same(rows, wanted):
    return rows.shape == wanted.shape and np.allclose(rows, wanted, rtol=1e-4, equal_nan=True)


def _line(rng, hour, gap):
    """Return one line of the weather; `gap` says which of the three columns is empty, 0 for none."""
    values = [round(float(value), 1) for value in rng.uniform(1, 99, 8)]
    fields = ["JFK", f"2013-01-01T{hour:02}:00:00Z", "1", "1", str(hour), *map(str, values)]
    fields[11] = str(round(float(rng.uniform(980, 1040)), 1))
    if gap:
        fields[{1: 11, 2: 5}[gap]] = ""
    return ",".join(fields)


def _fields(lines):
    rows = [[0, 0, *(float(field) if field else np.nan for field in line.split(",")[2:])] for line in lines]
    return np.array(rows, np.float32)


@check(
    points=3,
    minutes=10,
    difficulty="hard",
    hints=(
        "Names, interleave, batch, map, prefetch. What `interleave` calls gets one name and returns one dataset.",
        "Drop the header in that function: `lambda name: open_lines(name).skip(1)`. Two arguments say how many files "
        "are taken in turn and how many work at the same time.",
        "`names.interleave(lambda name: open_lines(name).skip(1), cycle_length=calls, num_parallel_calls=calls)`, "
        "where `names` are the slices of `files`; then `.batch(batch_size).map(parse).prefetch(2)`",
    ),
)
class read_rows:
    """The rows of many files, read at once, mixed, without headers, parsed by the batch."""

    misconceptions = {
        "lists-a-folder": Misconception(
            "`list_files` looks for files on this disk; these names are known to `open_lines` alone.",
            "You have a list of names already. Which method makes a dataset of a list?",
            raises=r"No files matched",
        ),
        "parses-line-by-line": Misconception(
            "`parse` was called with a single line; that is many calls for little work.",
            "It takes a whole batch of lines. Which comes first, `batch` or `map`?",
        ),
        "not-batched": Misconception(
            "The elements are not batches of the size that was asked for.",
            "Which method makes batches, and where?",
        ),
        "keeps-the-headers": Misconception(
            "The header of every file is among the rows.",
            "The first line of a file is no data. Which method leaves lines out?",
        ),
        "skips-one-header-only": Misconception(
            "One header was dropped and all others are among the rows.",
            "`skip` works on the dataset it is called on. On which dataset is line 1 a header, for *each* file?",
        ),
        "loses-rows": Misconception(
            "Some rows never came.",
            "Count what is left out: the header of each file and nothing else. What of the last, smaller batch?",
        ),
        "one-file-after-another": Misconception(
            "The rows came file by file, not mixed.",
            "How many files are taken in turn, and how many lines from each before the next has its turn?",
        ),
        "opens-one-at-a-time": Misconception(
            "The lines are mixed, but the files were opened one after another, each waiting for the one before.",
            "Taking turns and working at the same time are two arguments of `interleave`. Which one is missing?",
        ),
        "too-few-at-once": Misconception(
            "Some files were opened at the same time, but fewer than `calls` says.",
            "Is there a number in your chain where an argument of `read_rows` belongs?",
        ),
    }

    @staticmethod
    def given(rng):
        yield {"rows_of_files": [20, 23, 21, 25], "batch_size": 8, "calls": 4}
        rows = rng.integers(20, 30, 6).tolist()
        yield {"rows_of_files": rows, "batch_size": int(rng.integers(9, 14)), "calls": 3}

    @staticmethod
    def when(read_rows, rows_of_files, batch_size, calls):
        meeting, ranks = _Meeting(calls), []

        def send(name):
            meeting.arrive()
            file = int(name.decode()[5:7])
            return np.array(
                [b"file,row", *(b"%d,%d" % (file, row) for row in range(rows_of_files[file]))], object
            )

        def numbers(lines):
            pairs = [(-1, -1) if line == b"file,row" else line.split(b",") for line in np.atleast_1d(lines)]
            return np.array(pairs).astype(np.float32)

        def open_lines(name):
            sent = tf.data.Dataset.from_tensors(name).map(lambda name: _call(send, name, tf.string, (None,)))
            return sent.flat_map(tf.data.Dataset.from_tensor_slices)

        def parse(lines):
            ranks.append(lines.shape.rank)
            return _call(numbers, lines, tf.float32, (None, 2))

        files = [f"file-{number:02}.csv" for number in range(len(rows_of_files))]
        dataset = _as_written(read_rows(files, open_lines, parse, batch_size, calls), threads=8)
        # Where any order is allowed, a busy machine may give whole files by chance; but not every time.
        for _ in range(5):
            batches = [np.asarray(rows) for rows in itertools.islice(dataset, sum(rows_of_files) + 10)]
            rows = np.concatenate([rows.reshape(-1, 2) for rows in batches]).astype(int)
            if not meeting.together or np.count_nonzero(np.diff(rows[:, 0])) >= len(files):
                break
        sizes = [len(rows) for rows in batches]
        return {"ranks": ranks, "sizes": sizes, "rows": rows, "at_once": meeting.at_once}

    @staticmethod
    def then(seen, rows_of_files, batch_size, calls):
        if any(rank != 1 for rank in seen["ranks"]):
            raise Misread(
                "parses-line-by-line", expected=f"{batch_size} lines in a call", got="one line in a call"
            )
        if seen["sizes"][0] != batch_size:
            raise Misread(
                "not-batched", expected=f"{batch_size} rows", got=f"{seen['sizes'][0]} in an element"
            )
        is_header = seen["rows"][:, 0] < 0
        headers, rows, files = int(is_header.sum()), seen["rows"][~is_header], len(rows_of_files)
        if headers:
            name = "keeps-the-headers" if headers >= files else "skips-one-header-only"
            raise Misread(name, expected="no header", got=f"{headers} headers from {files} files")
        wanted = [(file, row) for file, many in enumerate(rows_of_files) for row in range(many)]
        if sorted(map(tuple, rows.tolist())) != wanted:
            raise Misread("loses-rows", expected=f"{len(wanted)} rows", got=f"{len(rows)} rows")
        if np.count_nonzero(np.diff(rows[:, 0])) < files:
            raise Misread("one-file-after-another", expected="rows of several files in turn", got=rows[:8, 0])
        if seen["at_once"] < calls:
            name = "too-few-at-once" if seen["at_once"] > 1 else "opens-one-at-a-time"
            raise Misread(
                name, expected=f"{calls} files at once", got=f"never more than {seen['at_once']} at once"
            )
