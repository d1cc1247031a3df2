"""What each exercise of this lab must do, and the misconceptions that its check can tell apart."""

import warnings

import numpy as np

from labs import Misconception, Misread, check, lazy

tf = lazy("tensorflow")

LEFT_TENSORFLOW = Misconception(
    "The numbers are right, but they came back as a NumPy array or as a Python list, not as a tensor.",
    "Which line left TensorFlow: an `np.` function, or `.numpy()`? What is it called in `tf.`?",
)
NOT_FLOAT32 = Misconception(
    "The numbers are right, but they are not float32, as what you were given.",
    "Which line changes the dtype? Print `.dtype` on the way: a float64 tensor will not mix with float32 later.",
)
SHAPES_DO_NOT_FIT = Misconception(
    "Two shapes met that cannot be broadcast.",
    "Write both shapes above each other, aligned on the right. Which pair is neither equal nor has a 1 in it?",
    raises=r"Incompatible shapes|required broadcastable shapes|could not be broadcast",
)


@check(
    points=1,
    minutes=8,
    difficulty="easy",
    hints=(
        "First make decimals of the whole numbers, then divide. Last, put `nan` where the station sent `missing`.",
        "`tf.cast(tenths, tf.float32)` converts; `tf.where(condition, then, otherwise)` chooses number by number.",
        "`degrees = tf.cast(tenths, tf.float32) / 10.0`, and return `tf.where(tenths == missing, np.nan, degrees)`",
    ),
)
class decode:
    """Tenths of a degree, whole numbers, as degrees: float32, with nan for what is missing."""

    misconceptions = {
        "nan-among-whole-numbers": Misconception(
            "You asked for `nan` in a tensor of whole numbers, which has none.",
            "Which dtypes can hold `nan`? Convert before you choose.",
            raises=r"Cannot convert nan|cannot convert float NaN",
        ),
        "mixes-dtypes": Misconception(
            "Two dtypes met in one operation: whole numbers with decimals, or int16 with int32.",
            "TensorFlow does not convert a tensor by itself. Which function does, and at which point of your line?",
            raises=r"Cannot convert [\d.e+-]+ to EagerTensor|was expected to be an? \w+ tensor",
        ),
        "drops-the-missing": Misconception(
            "The result has another shape: numbers were taken out.",
            "Who reads the result wants to know *which* hours are missing. Keep every place, and mark it.",
        ),
        "not-scaled": Misconception(
            "The numbers are still tenths.", "19 was sent for 1.9 degrees. Where does the 10 come in?"
        ),
        "loses-the-tenths": Misconception(
            "The tenths are gone: every degree is a whole number.",
            "What does a division of whole numbers keep, and when must you convert: before it or after it?",
        ),
        "other-degrees": Misconception(
            "These are not the degrees that were sent.",
            "Take one number, divide it by 10 by hand, and compare.",
        ),
        "zero-for-missing": Misconception(
            "Where nothing was measured you say 0 degrees, which is a temperature like any other.",
            "A mean over this would be wrong without a sign of it. Which number stands for 'no number'?",
        ),
        "keeps-the-missing": Misconception(
            "What stands for 'missing' was decoded as if it were a temperature.",
            "Which numbers do you compare with `missing`: those that were sent, or those you have divided already?",
        ),
        "other-dtype": Misconception(
            "The numbers are right, but their dtype is not float32.",
            "What does `/` make of int32 and int64? Print `.dtype` on the way.",
        ),
        "left-tensorflow": LEFT_TENSORFLOW,
    }

    @staticmethod
    def given(rng):
        yield {"tenths": np.array([19, -9999, -7, 0, 251], np.int16), "missing": -9999}
        yield {"tenths": np.array([[105, 9999, -38], [9999, 4, 226]], np.int32), "missing": 9999}
        tenths = rng.integers(-199, 399, (int(rng.integers(2, 5)), 2, 3))
        tenths[0, 0] = (-1, 33, 118)
        yield {"tenths": tenths, "missing": -32768}
        tenths = tenths.astype(np.int32)
        tenths[-1, -1, :2] = -1
        yield {"tenths": tenths, "missing": -1}

    @staticmethod
    def when(decode, tenths, missing):
        degrees = decode(tf.constant(tenths), missing)
        return {"degrees": degrees, "kind": _kind(degrees)}

    @staticmethod
    def then(seen, tenths, missing):
        got, lost = np.asarray(seen["degrees"]), tenths == missing
        exact = tenths.astype(np.float64) / 10
        wanted = np.where(lost, np.nan, exact)
        if got.shape != tenths.shape:
            raise Misread("drops-the-missing", expected=_shape(tenths.shape), got=_shape(got.shape))
        known, kept = got[~lost], exact[~lost]
        if not np.allclose(known, kept, rtol=1e-4, atol=1e-4):
            name = "other-degrees"
            if np.allclose(known, 10 * kept):
                name = "not-scaled"
            elif np.array_equal(known, np.floor(kept)) or np.array_equal(known, np.trunc(kept)):
                name = "loses-the-tenths"
            raise Misread(name, expected=wanted.astype(np.float32), got=seen["degrees"])
        if lost.any() and not np.isnan(got[lost]).all():
            name = "keeps-the-missing" if np.any(got[lost]) else "zero-for-missing"
            raise Misread(name, expected=wanted.astype(np.float32), got=seen["degrees"])
        if got.dtype != np.float32:
            raise Misread("other-dtype", expected="float32", got=got.dtype.name)
        if seen["kind"] != "tensor":
            raise Misread("left-tensorflow", expected="a tensor", got=seen["kind"])


@check(
    points=2,
    minutes=10,
    difficulty="medium",
    hints=(
        "A place is a pair [day, hour]. You have the hours; the days are 0, 1, 2 and so on: `tf.range`.",
        "`tf.stack([days, hours], axis=1)` makes a row of each pair. Both must have the same dtype: `tf.cast`.",
        "`days = tf.range(tf.shape(table)[0])`, then "
        "`tf.gather_nd(table, tf.stack([days, tf.cast(hours, tf.int32)], axis=1))`",
    ),
)
class at_hour:
    """From each row the one number at that row's own hour."""

    misconceptions = {
        "numpy-indexing": Misconception(
            "Tensors cannot be indexed by lists of positions, as NumPy's arrays can.",
            "Which function of section 2 takes out places, each told by all its positions?",
            raises=r"Only integers, slices",
        ),
        "mixes-dtypes": Misconception(
            "Whole numbers of two dtypes met: `tf.range` gives int32, `tf.argmax` int64.",
            "Print both dtypes. Which function makes one of the other?",
            raises=r"was expected to be an? \w+ tensor|Tensor conversion requested dtype|must have the same type",
        ),
        "rows-instead": Misconception(
            "The hours were used to take out whole rows, which are days.",
            "Along which axis do you gather, and how many numbers should come from each day?",
            raises=r"is not in \[0|must match the batch dim|slice index",
        ),
        "swaps-the-pair": Misconception(
            "Day and hour have changed places.",
            "The table has the axes (days, hours). In which order does a place name them?",
            raises=r"does not index into param",
        ),
        "every-pair": Misconception(
            "You took every hour of the list from *every* day: (days, days) numbers.",
            "The i-th hour belongs to the i-th day only. How do you say that both go along together?",
        ),
        "keeps-an-axis": Misconception(
            "The right numbers, with an axis of size 1 left over.",
            "One number for each day has the shape (days,). Where does the second axis come from?",
        ),
        "nan-spreads": Misconception(
            "A `nan` at another hour of the day made the whole day `nan`.",
            "What is nan times 0? Take the number out, instead of multiplying the others away.",
        ),
        "other-numbers": Misconception(
            "These are not the numbers at the given hours.",
            "Take day 1: which hour is asked for, and what stands in the table there?",
        ),
        "left-tensorflow": LEFT_TENSORFLOW,
    }

    @staticmethod
    def given(rng):
        table = np.arange(12, dtype=np.float32).reshape(4, 3)
        yield {"table": table, "hours": np.array([2, 0, 1, 1], np.int32)}
        table = rng.normal(10, 5, (3, 24)).astype(np.float32).round(1)
        table[:, 0] = np.nan
        yield {"table": table, "hours": rng.integers(4, 24, 3)}
        yield {"table": rng.integers(0, 100, (5, 5)).astype(np.int32), "hours": np.array([4, 1, 3, 2, 2])}

    @staticmethod
    def when(at_hour, table, hours):
        numbers = at_hour(tf.constant(table), tf.constant(hours))
        return {"numbers": numbers, "kind": _kind(numbers)}

    @staticmethod
    def then(seen, table, hours):
        got = np.asarray(seen["numbers"], np.float64)
        days = len(table)
        wanted = np.array([row[hour] for row, hour in zip(table, hours, strict=True)], np.float64)
        if np.array_equal(got, wanted):
            if seen["kind"] != "tensor":
                raise Misread("left-tensorflow", expected="a tensor", got=seen["kind"])
            return
        name = "other-numbers"
        if got.shape in ((days, 1), (1, days)) and _same(got.ravel(), wanted):
            name = "keeps-an-axis"
        elif got.ndim == 2 and hours.max() < days and _same(got, table[hours]):
            name = "rows-instead"
        elif got.shape == (days, days):
            name = "every-pair"
        elif got.shape == (days,):
            if np.isnan(got).any():
                name = "nan-spreads"
            elif hours.max() < days <= table.shape[1] and _same(got, table[hours, np.arange(days)]):
                name = "swaps-the-pair"
        raise Misread(name, expected=wanted.astype(table.dtype), got=seen["numbers"])


@check(
    points=2,
    minutes=10,
    difficulty="medium",
    hints=(
        "Mean and deviation: one number for each column, so their shape is (columns,), which meets the last axis.",
        "`tf.reduce_mean` and `tf.math.reduce_std` take a list of axes: all but the last are `range(x.ndim - 1)`.",
        "`others = list(range(x.ndim - 1))`, mean and deviation with `axis=others`, and return "
        "`tf.math.divide_no_nan(x - mean, deviation)`",
    ),
)
class standardize:
    """Every column, the last axis, with mean 0 and standard deviation 1."""

    misconceptions = {
        "shapes-do-not-fit": SHAPES_DO_NOT_FIT,
        "other-shape": Misconception(
            "The result has another shape than what you were given.",
            "Every number is moved and scaled; none is added or left out. What has changed the shape?",
        ),
        "scales-each-row": Misconception(
            "Each row has been standardized, so that degrees and hectopascals are averaged together.",
            "Which axis disappears when you take the mean, and which must be left?",
        ),
        "one-scale-for-all": Misconception(
            "One mean and one deviation were used for all columns.",
            "What does `tf.reduce_mean` do when you name no axis?",
        ),
        "only-the-first-axis": Misconception(
            "With more than two axes, mean and deviation were taken over the first one only.",
            "For (airports, days, columns): how many means do you get over axis 0, and how many do you want?",
        ),
        "not-centred": Misconception(
            "The columns have a deviation of 1, but not a mean of 0.", "What is subtracted, and from what?"
        ),
        "not-scaled": Misconception(
            "The columns have a mean of 0, but not a deviation of 1.",
            "What must the difference be divided by?",
        ),
        "divides-by-the-variance": Misconception(
            "You divided by the variance.",
            "In which unit is the variance of degrees? What has the unit of the difference?",
        ),
        "nan-for-a-constant": Misconception(
            "A column that never changes became `nan`, or infinite.",
            "What is 0 / 0? Which function, or which small number below the line, keeps it from happening?",
        ),
        "other-scale": Misconception(
            "The columns do not have mean 0 and deviation 1.",
            "Print mean and deviation of one column of your result. Which of the two is off, and by how much?",
        ),
        "other-dtype": NOT_FLOAT32,
        "left-tensorflow": LEFT_TENSORFLOW,
    }

    @staticmethod
    def given(rng):
        yield {"x": np.array([[1, 1000], [2, 1010], [6, 1035], [3, 1005]], np.float32)}
        yield {"x": rng.normal([5, 60, 1013], [8, 20, 7], (4, 5, 3)).astype(np.float32).round(1)}
        square = rng.normal(10, 4, (4, 4)).astype(np.float32).round(1)
        square[:, 2] = 5.0
        yield {"x": square}

    @staticmethod
    def when(standardize, x):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            scaled = standardize(tf.constant(x))
        return {"scaled": scaled, "kind": _kind(scaled)}

    @staticmethod
    def then(seen, x):
        got, x = np.asarray(seen["scaled"]), x.astype(np.float64)
        if got.shape != x.shape:
            raise Misread("other-shape", expected=_shape(x.shape), got=_shape(got.shape))
        flat = x.reshape(-1, x.shape[-1])
        moves = [column.std() > 0 for column in flat.T]
        columns = [(c - c.mean()) / (c.std() if c.std() > 0 else 1) for c in flat.T]
        wanted = np.stack(columns, axis=-1).reshape(x.shape)
        if _close(got, wanted, 5e-3):
            if np.asarray(seen["scaled"]).dtype != np.float32 and seen["kind"] == "tensor":
                raise Misread("other-dtype", expected="float32", got=np.asarray(seen["scaled"]).dtype.name)
            if seen["kind"] != "tensor":
                raise Misread("left-tensorflow", expected="a tensor", got=seen["kind"])
            return
        with np.errstate(all="ignore"):
            known = {
                "scales-each-row": _scaled(x, -1),
                "one-scale-for-all": _scaled(x, None),
                "only-the-first-axis": np.nan_to_num(_scaled(x, 0)) if x.ndim > 2 else np.nan * x,
                "not-centred": (flat / flat.std(axis=0)).reshape(x.shape),
                "not-scaled": (flat - flat.mean(axis=0)).reshape(x.shape),
                "divides-by-the-variance": ((flat - flat.mean(axis=0)) / flat.var(axis=0)).reshape(x.shape),
            }
            # On a square table a forgotten `keepdims` turns rows into columns and is not refused.
            transposed = (x - x.mean(axis=-1)) / x.std(axis=-1) if x.shape == (4, 4) else np.nan * x
        same = [n for n, v in known.items() if _close(got[..., moves], v[..., moves], 5e-3)]
        if _close(got[..., moves], wanted[..., moves], 5e-3):
            name = "nan-for-a-constant"
        elif same:
            name = same[0]
        else:
            name = "scales-each-row" if _close(got, transposed, 5e-3) else "other-scale"
        raise Misread(name, expected=wanted.astype(np.float32), got=seen["scaled"])


def _scaled(x, axis):
    return (x - x.mean(axis=axis, keepdims=True)) / x.std(axis=axis, keepdims=True)


@check(
    points=2,
    minutes=10,
    difficulty="medium",
    hints=(
        "`update` adds to both variables: the sum of the rows for each column, and the number of rows.",
        "`self.total.assign_add(...)` changes the variable itself. `tf.shape(rows)[0]` is the number of rows, int32.",
        "`self.total.assign_add(tf.reduce_sum(rows, axis=0))`, "
        "`self.count.assign_add(tf.cast(tf.shape(rows)[0], tf.float32))`; "
        "`return tf.math.divide_no_nan(self.total, self.count)`",
    ),
)
class RunningMean:
    """The mean of all rows seen so far, for each column, kept in two variables."""

    misconceptions = {
        "adds-in-place": Misconception(
            "A variable does not know `+=`.",
            "Which method of a variable adds to it?",
            raises=r"variable \+= value|item assignment",
        ),
        "mixes-dtypes": Misconception(
            "A whole number was added to a variable of decimals, or the other way round.",
            "`self.count` is float32. Of which dtype is what you add, and which function converts it?",
            raises=r"Tensor conversion requested dtype|was expected to be an? \w+ tensor",
        ),
        "rows-do-not-fit": Misconception(
            "What you add to `self.total` does not have one number for each column.",
            "The variable has the shape (columns,), the rows (any number, columns). Which axis must go, and how?",
            raises=r"shapes must be equal|Incompatible shapes|incompatible|same shape",
        ),
        "replaces-the-variable": Misconception(
            "After `update`, an attribute no longer holds the variable that `__init__` made.",
            "`self.total = ...` puts something new under the name. What changes the variable itself?",
        ),
        "nan-before-any": Misconception(
            "Before the first row the mean is `nan`; 0 was asked for.",
            "What is 0 / 0? Which division gives 0 there?",
        ),
        "never-updates": Misconception(
            "The mean stays as it was, whatever rows come in.",
            "A tensor that you compute and do not store anywhere is lost. Which variable should take it in?",
        ),
        "forgets-the-old": Misconception(
            "The last batch counts, and what came before is forgotten, wholly or in part.",
            "`assign` overwrites. Is that what you want for both variables?",
        ),
        "batches-count-alike": Misconception(
            "Each batch counts the same, however many rows it has.",
            "Two batches, one row with 0 and three rows with 4: what is the mean of the four rows?",
        ),
        "gives-the-sum": Misconception(
            "The result is the sum of the rows.", "By what do you divide, and where is that counted?"
        ),
        "counts-numbers": Misconception(
            "You divided by the number of all numbers; each column has only as many as there are rows.",
            "What does `tf.size` count in a table of 3 rows and 2 columns?",
        ),
        "other-mean": Misconception(
            "This is not the mean of all rows so far.",
            "Take two small batches and write down total and count after each.",
        ),
    }

    @staticmethod
    def given(rng):
        batches = [[[1, 10], [3, 20], [5, 60]], [[7, 40]], [[0, 0], [2, 5]]]
        yield {"batches": [np.array(rows, np.float32) for rows in batches]}
        sizes = [4, 1, int(rng.integers(5, 9))]
        yield {"batches": [rng.normal(3, 2, (size, 3)).astype(np.float32).round(1) for size in sizes]}
        yield {"batches": [np.array([[2.5]], np.float32), np.array([[4.0], [-8.0], [7.0]], np.float32)]}

    @staticmethod
    def when(RunningMean, batches):
        mean = RunningMean(batches[0].shape[1])
        made = {name: value for name, value in vars(mean).items() if isinstance(value, tf.Variable)}
        seen = {"start": _copy(mean.result())}
        for number, rows in enumerate(batches, start=1):
            mean.update(tf.constant(rows))
            seen[f"after {number}"] = _copy(mean.result())
            seen["kept"] = bool(made) and all(vars(mean).get(name) is value for name, value in made.items())
            if not seen["kept"]:
                break
        return seen

    @staticmethod
    def then(seen, batches):
        if not seen["kept"]:
            raise Misread("replaces-the-variable", expected="the same variables", got="something else")
        columns, start = batches[0].shape[1], np.asarray(seen["start"])
        for number in range(len(batches), 0, -1):  # the last first: there the mistakes differ most
            part, got = batches[:number], np.asarray(seen[f"after {number}"], np.float64)
            rows, last = np.concatenate(part).astype(np.float64), part[-1].astype(np.float64)
            wanted, sums = rows.mean(axis=0), rows.sum(axis=0)
            if _close(got, wanted):
                continue
            known = {
                "never-updates": [np.zeros(columns)],
                "forgets-the-old": [last.mean(axis=0), last.sum(axis=0) / len(rows), sums / len(last)],
                "batches-count-alike": [np.mean([batch.mean(axis=0) for batch in part], axis=0)],
                "gives-the-sum": [sums],
                "counts-numbers": [sums / rows.size],
            }
            same = [name for name, values in known.items() if any(_close(got, value) for value in values)]
            raise Misread(
                same[0] if same else "other-mean",
                expected=wanted.astype(np.float32),
                got=seen[f"after {number}"],
            )
        if np.isnan(start).any():
            raise Misread("nan-before-any", expected=np.zeros(columns, np.float32), got=start)
        if not _close(start, np.zeros(columns)):
            raise Misread("other-mean", expected=np.zeros(columns, np.float32), got=start)


@check(
    points=2,
    minutes=10,
    difficulty="medium",
    hints=(
        "Two sums along the last axis: of the numbers, with 0 in place of `nan`, and of how many there are.",
        "`tf.where(measured, values, 0.0)` has no `nan` to add up; `tf.cast(measured, tf.float32)` can be summed.",
        "`measured = ~tf.math.is_nan(values)`, then `tf.reduce_sum(tf.where(measured, values, 0.0), axis=-1)` "
        "divided by `tf.reduce_sum(tf.cast(measured, tf.float32), axis=-1)`",
    ),
)
class mean_of_measured:
    """The mean along the last axis, leaving out what was not measured."""

    misconceptions = {
        "sums-booleans": Misconception(
            "Booleans were added up, or multiplied into numbers, which gives booleans.",
            "What turns True and False into 1 and 0? And what chooses between two numbers by a condition?",
            raises=r"of bool is not in the list|but is a bool tensor|is a bool tensor|expected to be a bool",
        ),
        "shapes-do-not-fit": SHAPES_DO_NOT_FIT,
        "one-mean-for-all": Misconception(
            "One mean came back for all rows together.",
            "A boolean mask takes the numbers out of their rows. How can the rows stay apart?",
        ),
        "wrong-axis": Misconception(
            "The result does not have one number for each row.",
            "Which axis goes when you average over the hours: which number names the last one, in any tensor?",
        ),
        "nan-spreads": Misconception(
            "One `nan` makes the mean of its row `nan`.",
            "What is nan plus 1, and what is nan times 0? It must be gone *before* you add up.",
        ),
        "counts-the-holes": Misconception(
            "The holes count as zeros.",
            "Two measurements, 4 and 6, and one hole: by which number must the sum 10 be divided?",
        ),
        "zero-for-nothing": Misconception(
            "A row in which nothing was measured has a mean now; `nan` was asked for.",
            "0 degrees would be a measurement. What does a plain division give for 0 / 0?",
        ),
        "stays-ragged": Misconception(
            "The numbers are right, but they came back as a ragged tensor.",
            "With more than two axes such a mean is ragged still. Which shape do you know it to have?",
        ),
        "other-mean": Misconception(
            "This is not the mean of what was measured.",
            "Take one row, strike out its holes, and average by hand.",
        ),
        "other-dtype": NOT_FLOAT32,
        "left-tensorflow": LEFT_TENSORFLOW,
    }

    @staticmethod
    def given(rng):
        nan = np.nan
        yield {"values": np.array([[4, nan, 6], [1, 2, 3], [nan, nan, nan], [nan, 7, nan]], np.float32)}
        values = rng.normal(10, 4, (2, 3, int(rng.integers(4, 7)))).astype(np.float32).round(1)
        values[rng.random(values.shape) < 0.3] = np.nan
        values[..., 0], values[0, 0, 1], values[1, 2] = 5.0, np.nan, np.nan
        yield {"values": values}
        square = rng.normal(-3, 5, (4, 4)).astype(np.float32).round(1)
        square[np.eye(4, dtype=bool)] = square[0, 1] = np.nan
        yield {"values": square}

    @staticmethod
    def when(mean_of_measured, values):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            means = mean_of_measured(tf.constant(values))
        return {"means": means, "kind": _kind(means)}

    @staticmethod
    def then(seen, values):
        got = np.asarray(seen["means"], np.float64)
        rows = values.reshape(-1, values.shape[-1]).astype(np.float64)
        real = [row[~np.isnan(row)] for row in rows]
        wanted = np.array([r.sum() / len(r) if len(r) else np.nan for r in real]).reshape(values.shape[:-1])
        if got.ndim == 0 and values.ndim > 1:
            raise Misread("one-mean-for-all", expected=wanted.astype(np.float32), got=seen["means"])
        if got.shape != wanted.shape:
            raise Misread("wrong-axis", expected=_shape(wanted.shape), got=_shape(got.shape))
        if np.allclose(got, wanted, rtol=1e-4, atol=1e-4, equal_nan=True):
            if seen["kind"] == "RaggedTensor":
                raise Misread("stays-ragged", expected="a tensor", got="a ragged tensor")
            if np.asarray(seen["means"]).dtype != np.float32 and seen["kind"] == "tensor":
                raise Misread("other-dtype", expected="float32", got=np.asarray(seen["means"]).dtype.name)
            if seen["kind"] != "tensor":
                raise Misread("left-tensorflow", expected="a tensor", got=seen["kind"])
            return
        filled = np.nan_to_num(rows)
        as_zeros = filled.mean(axis=-1).reshape(wanted.shape)
        some = ~np.isnan(wanted)
        if np.isnan(got[some]).any():
            name = "nan-spreads"
        elif np.allclose(got[some], wanted[some], rtol=1e-4, atol=1e-4):
            name = "zero-for-nothing"
        elif np.allclose(got[some], as_zeros[some], rtol=1e-4, atol=1e-4):
            name = "counts-the-holes"
        elif values.shape == (4, 4) and np.allclose(got, np.nanmean(values, axis=0), rtol=1e-4, atol=1e-4):
            name = "wrong-axis"
        else:
            name = "other-mean"
        raise Misread(name, expected=wanted.astype(np.float32), got=seen["means"])


@check(
    points=3,
    minutes=15,
    difficulty="hard",
    hints=(
        "Give `a` an axis of size 1 in the middle, so that each of its rows meets every row of `b`.",
        "`a[:, tf.newaxis, :]` is (n, 1, columns), the difference (n, m, columns). Which axis is summed away?",
        "`tf.reduce_sum((a[:, tf.newaxis, :] - b) ** 2, axis=-1)`",
    ),
)
class squared_distances:
    """The squared distance of every row of `a` to every row of `b`."""

    misconceptions = {
        "shapes-do-not-fit": SHAPES_DO_NOT_FIT,
        "matrix-sizes-do-not-fit": Misconception(
            "Two tables that cannot be multiplied met in `tf.matmul`.",
            "For a (n, m) table of products, (n, columns) must meet (columns, m). Which of the two is transposed?",
            raises=r"Matrix size-incompatible|In\[0\] mismatch|must be equal",
        ),
        "row-by-row": Misconception(
            "Row i of `a` met only row i of `b`.",
            "Every row must meet every row. Which axis of size 1, in which place, makes broadcasting do that?",
        ),
        "keeps-the-columns": Misconception(
            "There is a number for each column still.",
            "The result is (n, m, columns) before the last step. Which axis is summed away?",
        ),
        "sums-the-wrong-axis": Misconception(
            "A distance was summed over rows instead of columns.",
            "Write down the shape of the difference, (n, m, columns), and strike out the axis that you sum over.",
        ),
        "swaps-a-and-b": Misconception(
            "The table is turned: its rows belong to `b`.",
            "Row i belongs to `a[i]`. Which of the two needs its axis of size 1 in the middle?",
        ),
        "takes-the-root": Misconception(
            "These are distances; their squares were asked for.", "Which step is one too many?"
        ),
        "forgets-to-square": Misconception(
            "The differences were added up without being squared.",
            "A difference of 3 and one of -3: what is their sum? When do they no longer cancel out?",
        ),
        "mean-instead-of-sum": Misconception(
            "The squares were averaged over the columns.",
            "A sum is asked for. Which function is that?",
        ),
        "forgets-a-term": Misconception(
            "One of the terms of |a|² + |b|² − 2ab is missing, or meets the wrong axis.",
            "Which of the two squares belongs to the rows of the table, and must be a column?",
        ),
        "other-distances": Misconception(
            "These are not the squared distances.", "Take `a[0]` and `b[0]` and compute the sum by hand."
        ),
        "loops": Misconception(
            "The numbers are right, but rows are visited one by one.",
            "Which axis of size 1, in which place, lets one subtraction do it?",
        ),
        "other-dtype": NOT_FLOAT32,
        "left-tensorflow": LEFT_TENSORFLOW,
    }

    @staticmethod
    def given(rng):
        yield {
            "a": np.array([[0, 0], [1, 2], [3, -4]], np.float32),
            "b": np.array([[1, 1], [0, 0], [5, 2], [-2, 3]], np.float32),
        }
        for n, m, columns in ((5, 5, 3), (1, int(rng.integers(3, 6)), 2), (4, 4, 4)):
            a, b = (rng.normal(0, 2, (size, columns)).astype(np.float32).round(1) for size in (n, m))
            yield {"a": a, "b": b}

    @staticmethod
    def when(squared_distances, a, b):
        distances = squared_distances(tf.constant(a), tf.constant(b))
        kind = _kind(distances)
        return {"distances": distances, "kind": kind, "loops": kind == "tensor" and _loops(squared_distances)}

    @staticmethod
    def then(seen, a, b):
        got, n, m = np.asarray(seen["distances"], np.float64), len(a), len(b)
        a, b = a.astype(np.float64), b.astype(np.float64)
        pairs = [[x - y for y in b] for x in a]
        wanted = np.array([[d @ d for d in row] for row in pairs])
        if _close(got, wanted, 1e-3):
            if np.asarray(seen["distances"]).dtype != np.float32 and seen["kind"] == "tensor":
                raise Misread("other-dtype", expected="float32", got=np.asarray(seen["distances"]).dtype.name)
            if seen["kind"] != "tensor":
                raise Misread("left-tensorflow", expected="a tensor", got=seen["kind"])
            if seen["loops"]:
                raise Misread("loops", expected="as many operations for 3 rows as for 2", got="more of them")
            return
        cube = np.array(pairs) ** 2
        squares_a, squares_b, products = (a**2).sum(axis=1), (b**2).sum(axis=1), a @ b.T
        if got.shape == (n, m, a.shape[1]):
            raise Misread("keeps-the-columns", expected=_shape((n, m)), got=_shape(got.shape))
        known = {
            "swaps-a-and-b": [wanted.T],
            "takes-the-root": [np.sqrt(wanted)],
            "forgets-to-square": [np.array(pairs).sum(axis=-1), np.abs(pairs).sum(axis=-1)],
            "mean-instead-of-sum": [wanted / a.shape[1]],
            "sums-the-wrong-axis": [cube.sum(axis=0), cube.sum(axis=1)],
            "forgets-a-term": [
                squares_a[:, None] - 2 * products,
                squares_b - 2 * products,
                squares_a[:, None] + squares_b,
                squares_a[:, None] + squares_b - products,
                *(
                    [squares_a + squares_b - 2 * products, squares_a + squares_b[:, None] - 2 * products]
                    if n == m
                    else []
                ),
            ],
        }
        same = [name for name, values in known.items() if any(_close(got, v, 1e-3) for v in values)]
        by_row = got.ndim < 2 or got.shape == (n, 1) or got.shape == (max(n, m), 1)
        name = same[0] if same else "row-by-row" if by_row or _by_row(got, a, b) else "other-distances"
        raise Misread(name, expected=wanted.astype(np.float32), got=seen["distances"])


def _by_row(got, a, b):
    """Tell whether `got` comes from a - b as they are, before or after a sum."""
    if len(a) != len(b) and 1 not in (len(a), len(b)):
        return False
    return _close(got, (a - b) ** 2) or _close(got, a - b)


def _loops(squared_distances):
    """Tell whether the rows are visited one by one: then more rows are more operations."""

    def operations(rows):
        table = tf.zeros((rows, 2))  # eager, so that `len` and `.numpy()` work in the trace too
        traced = tf.function(lambda: squared_distances(table, table), autograph=False)
        return len(traced.get_concrete_function().graph.get_operations())

    try:
        return operations(2) != operations(3)
    except Exception as error:  # what works outside of a graph only is not judged by its graph
        return "terating over a symbolic" in str(error)


def _kind(result):
    """Return "tensor", or the name of the type that it is instead."""
    return "tensor" if isinstance(result, tf.Tensor) else type(result).__name__


def _shape(shape):
    return f"shape {tuple(int(size) for size in shape)}"


def _copy(result):
    """Return what a tensor or a variable holds now: a variable that is handed out goes on changing."""
    return None if result is None else np.array(tf.convert_to_tensor(result))


def _same(got, wanted):
    return got.shape == wanted.shape and np.array_equal(got, wanted, equal_nan=True)


def _close(got, wanted, tolerance=1e-4):
    got = np.asarray(got)
    if got.dtype.kind not in "fiu" or got.shape != np.shape(wanted):
        return False
    return bool(np.allclose(got, wanted, rtol=tolerance, atol=tolerance))
