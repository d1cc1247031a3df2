"""Answers to this lab's exercises: right ones written otherwise, and wrong ones that people give."""

import numpy as np
import tensorflow as tf

from labs import right, wrong


@right("decode")
def marks_first(tenths, missing):
    lost = tf.equal(tenths, tf.constant(missing, tenths.dtype))
    return tf.cast(
        tf.where(lost, tf.constant(np.nan, tf.float64), tf.cast(tenths, tf.float64) / 10), tf.float32
    )


@right("decode")
def multiplies(tenths, missing):
    degrees = tf.cast(tenths, tf.float32) * 0.1
    return tf.where(tenths != missing, degrees, tf.fill(tf.shape(tenths), np.float32(np.nan)))


@wrong("decode", "nan-among-whole-numbers")
def chooses_before_converting(tenths, missing):
    return tf.where(tenths == missing, np.nan, tenths) / 10


@wrong("decode", "mixes-dtypes")
def multiplies_whole_numbers(tenths, missing):
    return tf.where(tenths == missing, np.nan, tenths * 0.1)


@wrong("decode", "mixes-dtypes")
def compares_with_another_dtype(tenths, missing):
    degrees = tf.cast(tenths, tf.float32) / 10.0
    return tf.where(tenths == tf.constant(missing), np.nan, degrees)


@wrong("decode", "drops-the-missing")
def takes_out_the_missing(tenths, missing):
    return tf.cast(tenths[tenths != missing], tf.float32) / 10.0


@wrong("decode", "not-scaled")
def casts_only(tenths, missing):
    return tf.where(tenths == missing, np.nan, tf.cast(tenths, tf.float32))


@wrong("decode", "loses-the-tenths")
def casts_too_late(tenths, missing):
    return tf.where(tenths == missing, np.nan, tf.cast(tenths // 10, tf.float32))


@wrong("decode", "loses-the-tenths")
def casts_back_and_forth(tenths, missing):
    degrees = tf.cast(tf.cast(tenths / 10, tf.int32), tf.float32)
    return tf.where(tenths == missing, np.nan, degrees)


@wrong("decode", "other-degrees")
def divides_by_a_hundred(tenths, missing):
    return tf.where(tenths == missing, np.nan, tf.cast(tenths, tf.float32) / 100.0)


@wrong("decode", "zero-for-missing")
def fills_with_zero(tenths, missing):
    return tf.where(tenths == missing, 0.0, tf.cast(tenths, tf.float32) / 10.0)


@wrong("decode", "keeps-the-missing")
def ignores_missing(tenths, missing):
    return tf.cast(tenths, tf.float32) / 10.0


@wrong("decode", "keeps-the-missing")
def compares_after_dividing(tenths, missing):
    degrees = tf.cast(tenths, tf.float32) / 10.0
    return tf.where(degrees == missing, np.nan, degrees)


@wrong("decode", "other-dtype")
def divides_only(tenths, missing):
    return tf.where(tenths == missing, np.nan, tenths / 10)


@wrong("decode", "left-tensorflow")
def decodes_in_numpy(tenths, missing):
    degrees = tenths.numpy().astype(np.float32) / 10
    degrees[tenths.numpy() == missing] = np.nan
    return degrees


@right("at_hour")
def gathers_in_batches(table, hours):
    return tf.gather(table, hours, batch_dims=1)


@right("at_hour")
def masks_one_of_each_row(table, hours):
    return table[tf.one_hot(hours, table.shape[1], on_value=True, off_value=False)]


@right("at_hour")
def counts_in_one_row(table, hours):
    places = tf.range(table.shape[0], dtype=hours.dtype) * table.shape[1] + hours
    return tf.gather(tf.reshape(table, [-1]), places)


@wrong("at_hour", "numpy-indexing")
def as_in_numpy(table, hours):
    return table[np.arange(len(table)), hours.numpy()]


@wrong("at_hour", "mixes-dtypes")
def forgets_the_cast(table, hours):
    places = tf.stack([tf.range(tf.shape(table)[0]), hours], axis=1)
    return tf.gather_nd(table, places)


@wrong("at_hour", "rows-instead")
def gathers_rows(table, hours):
    return tf.gather(table, hours)


@wrong("at_hour", "rows-instead")
def gathers_with_half_a_place(table, hours):
    return tf.gather_nd(table, hours[:, tf.newaxis])


@wrong("at_hour", "swaps-the-pair")
def hour_before_day(table, hours):
    days = tf.range(len(table), dtype=hours.dtype)
    return tf.gather_nd(table, tf.stack([hours, days], axis=1))


@wrong("at_hour", "every-pair")
def gathers_columns(table, hours):
    return tf.gather(table, hours, axis=1)


@wrong("at_hour", "keeps-an-axis")
def gathers_one_in_a_list(table, hours):
    return tf.gather(table, hours[:, tf.newaxis], batch_dims=1)


@wrong("at_hour", "nan-spreads")
def multiplies_by_one_hot(table, hours):
    return tf.reduce_sum(table * tf.one_hot(hours, table.shape[1], dtype=table.dtype), axis=1)


@wrong("at_hour", "left-tensorflow")
def picks_in_numpy(table, hours):
    return table.numpy()[np.arange(len(table)), hours.numpy()]


@wrong("at_hour", "other-numbers")
def one_number_too_early_in_a_list(table, hours):
    return tf.gather(table, tf.maximum(hours - 1, 0)[:, tf.newaxis], batch_dims=1)


@wrong("at_hour", "other-numbers")
def one_hour_for_all(table, hours):
    return table[:, hours[0]]


@wrong("at_hour", "other-numbers")
def counts_from_one(table, hours):
    days = tf.range(len(table), dtype=hours.dtype)
    return tf.gather_nd(table, tf.stack([days, tf.maximum(hours - 1, 0)], axis=1))


@right("standardize")
def asks_for_moments(x):
    mean, variance = tf.nn.moments(x, axes=list(range(x.ndim - 1)))
    return (x - mean) / tf.where(variance > 0, tf.sqrt(variance), 1.0)


@right("standardize")
def flattens_first(x):
    table = tf.reshape(x, [-1, x.shape[-1]])
    centred = table - tf.reduce_mean(table, axis=0)
    deviation = tf.sqrt(tf.reduce_mean(centred**2, axis=0))
    return tf.reshape(centred / (deviation + 1e-7), x.shape)


@right("standardize")
def keeps_dimensions(x):
    axes = tuple(range(x.ndim - 1))
    mean = tf.reduce_mean(x, axis=axes, keepdims=True)
    return tf.math.divide_no_nan(x - mean, tf.math.reduce_std(x, axis=axes, keepdims=True))


@wrong("standardize", "shapes-do-not-fit")
def over_the_last_axis(x):
    return tf.math.divide_no_nan(x - tf.reduce_mean(x, axis=1), tf.math.reduce_std(x, axis=1))


@wrong("standardize", "other-shape")
def loses_the_shape(x):
    table = tf.reshape(x, [-1, x.shape[-1]])
    mean, deviation = tf.reduce_mean(table, axis=0), tf.math.reduce_std(table, axis=0)
    return tf.math.divide_no_nan(table - mean, deviation)


@wrong("standardize", "scales-each-row")
def keeps_dimensions_of_the_wrong_axis(x):
    mean = tf.reduce_mean(x, axis=-1, keepdims=True)
    return tf.math.divide_no_nan(x - mean, tf.math.reduce_std(x, axis=-1, keepdims=True))


@wrong("standardize", "one-scale-for-all")
def names_no_axis(x):
    return (x - tf.reduce_mean(x)) / tf.math.reduce_std(x)


@wrong("standardize", "only-the-first-axis")
def over_axis_0(x):
    return tf.math.divide_no_nan(x - tf.reduce_mean(x, axis=0), tf.math.reduce_std(x, axis=0))


@wrong("standardize", "not-centred")
def divides_only_by_deviation(x):
    return tf.math.divide_no_nan(x, tf.math.reduce_std(x, axis=list(range(x.ndim - 1))))


@wrong("standardize", "not-scaled")
def subtracts_only(x):
    return x - tf.reduce_mean(x, axis=list(range(x.ndim - 1)))


@wrong("standardize", "divides-by-the-variance")
def forgets_the_root(x):
    axes = list(range(x.ndim - 1))
    variance = tf.math.reduce_variance(x, axis=axes)
    return tf.math.divide_no_nan(x - tf.reduce_mean(x, axis=axes), variance)


@wrong("standardize", "nan-for-a-constant")
def divides_plainly(x):
    axes = list(range(x.ndim - 1))
    return (x - tf.reduce_mean(x, axis=axes)) / tf.math.reduce_std(x, axis=axes)


@wrong("standardize", "other-scale")
def scales_to_the_range(x):
    axes = list(range(x.ndim - 1))
    low, high = tf.reduce_min(x, axis=axes), tf.reduce_max(x, axis=axes)
    return tf.math.divide_no_nan(x - low, high - low)


@wrong("standardize", "other-scale")
def forgets_the_brackets(x):
    axes = list(range(x.ndim - 1))
    return x - tf.math.divide_no_nan(tf.reduce_mean(x, axis=axes), tf.math.reduce_std(x, axis=axes))


@wrong("standardize", "other-dtype")
def goes_to_float64(x):
    axes = list(range(x.ndim - 1))
    x = tf.cast(x, tf.float64)
    return tf.math.divide_no_nan(x - tf.reduce_mean(x, axis=axes), tf.math.reduce_std(x, axis=axes))


@wrong("standardize", "left-tensorflow")
def standardizes_in_numpy(x):
    table = x.numpy().reshape(-1, x.shape[-1])
    deviation = table.std(axis=0)
    return ((table - table.mean(axis=0)) / np.where(deviation > 0, deviation, 1)).reshape(x.shape)


@right("RunningMean")
class KeepsTheMeanItself:
    def __init__(self, columns):
        self.mean = tf.Variable(tf.zeros(columns))
        self.count = tf.Variable(0, dtype=tf.int32)

    def update(self, rows):
        self.count.assign_add(len(rows))
        share = len(rows) / tf.cast(self.count, tf.float64)
        step = tf.reduce_mean(rows, axis=0) - self.mean
        self.mean.assign_add(tf.cast(share, tf.float32) * step)

    def result(self):
        return self.mean


class _Base:
    """The given part of the exercise, so that each answer shows only what it does otherwise."""

    def __init__(self, columns):
        self.total = tf.Variable(tf.zeros(columns))
        self.count = tf.Variable(0.0)

    def update(self, rows):
        self.total.assign_add(tf.reduce_sum(rows, axis=0))
        self.count.assign_add(len(rows))

    def result(self):
        return tf.math.divide_no_nan(self.total, self.count)


@right("RunningMean")
class AssignsSums(_Base):
    def update(self, rows):
        self.total.assign(self.total + tf.einsum("rc->c", rows))
        self.count.assign(self.count + float(rows.shape[0]))

    def result(self):
        return self.total / tf.maximum(self.count, 1.0)


@wrong("RunningMean", "adds-in-place")
class AddsWithPlusEquals(_Base):
    def update(self, rows):
        self.total += tf.reduce_sum(rows, axis=0)
        self.count += len(rows)


@wrong("RunningMean", "mixes-dtypes")
class AddsAWholeNumber(_Base):
    def update(self, rows):
        self.total.assign_add(tf.reduce_sum(rows, axis=0))
        self.count.assign_add(tf.shape(rows)[0])


@wrong("RunningMean", "rows-do-not-fit")
class AddsTheRows(_Base):
    def update(self, rows):
        self.total.assign_add(rows)
        self.count.assign_add(len(rows))


@wrong("RunningMean", "rows-do-not-fit")
class SumsEverything(_Base):
    def update(self, rows):
        self.total.assign_add(tf.reduce_sum(rows))
        self.count.assign_add(len(rows))


@wrong("RunningMean", "replaces-the-variable")
class StoresATensor(_Base):
    def update(self, rows):
        self.total = self.total + tf.reduce_sum(rows, axis=0)
        self.count = self.count + len(rows)


@wrong("RunningMean", "replaces-the-variable")
class MakesNewVariables(_Base):
    def update(self, rows):
        self.total = tf.Variable(self.total + tf.reduce_sum(rows, axis=0))
        self.count.assign_add(len(rows))


@wrong("RunningMean", "nan-before-any")
class DividesPlainly(_Base):
    def result(self):
        return self.total / self.count


@wrong("RunningMean", "never-updates")
class ComputesAndForgets(_Base):
    def update(self, rows):
        self.total + tf.reduce_sum(rows, axis=0)
        self.count + len(rows)


@wrong("RunningMean", "forgets-the-old")
class Overwrites(_Base):
    def update(self, rows):
        self.total.assign(tf.reduce_sum(rows, axis=0))
        self.count.assign(len(rows))


@wrong("RunningMean", "forgets-the-old")
class OverwritesTheTotal(_Base):
    def update(self, rows):
        self.total.assign(tf.reduce_sum(rows, axis=0))
        self.count.assign_add(len(rows))


@wrong("RunningMean", "batches-count-alike")
class AveragesMeans(_Base):
    def update(self, rows):
        self.total.assign_add(tf.reduce_mean(rows, axis=0))
        self.count.assign_add(1)


@wrong("RunningMean", "gives-the-sum")
class ForgetsToDivide(_Base):
    def result(self):
        return self.total + 0.0


@wrong("RunningMean", "counts-numbers")
class CountsNumbers(_Base):
    def update(self, rows):
        self.total.assign_add(tf.reduce_sum(rows, axis=0))
        self.count.assign_add(tf.cast(tf.size(rows), tf.float32))


@wrong("RunningMean", "other-mean")
class CountsBatches(_Base):
    def update(self, rows):
        self.total.assign_add(tf.reduce_sum(rows, axis=0))
        self.count.assign_add(1)


@right("mean_of_measured")
def through_ragged_rows(values):
    rows = tf.reshape(values, [-1, values.shape[-1]])
    means = tf.reduce_mean(tf.ragged.boolean_mask(rows, ~tf.math.is_nan(rows)), axis=1)
    return tf.reshape(means, values.shape[:-1])


@right("mean_of_measured")
def counts_nonzero(values):
    measured = tf.math.logical_not(tf.math.is_nan(values))
    total = tf.math.reduce_sum(tf.where(measured, values, tf.zeros_like(values)), axis=-1)
    return total / tf.math.count_nonzero(measured, axis=-1, dtype=tf.float32)


@right("mean_of_measured")
def with_functions_of_tnp(values):
    return tf.experimental.numpy.nanmean(values, axis=-1)


@wrong("mean_of_measured", "sums-booleans")
def sums_the_mask(values):
    measured = ~tf.math.is_nan(values)
    return tf.reduce_sum(tf.where(measured, values, 0.0), axis=-1) / tf.reduce_sum(measured, axis=-1)


@wrong("mean_of_measured", "sums-booleans")
def multiplies_by_the_mask(values):
    measured = ~tf.math.is_nan(values)
    count = tf.reduce_sum(tf.cast(measured, tf.float32), axis=-1)
    return tf.reduce_sum(values * measured, axis=-1) / count


@wrong("mean_of_measured", "shapes-do-not-fit")
def sums_over_two_axes(values):
    measured = ~tf.math.is_nan(values)
    total = tf.reduce_sum(tf.where(measured, values, 0.0), axis=-1)
    return total / tf.reduce_sum(tf.cast(measured, tf.float32), axis=0)


@wrong("mean_of_measured", "one-mean-for-all")
def masks_and_averages(values):
    return tf.reduce_mean(values[~tf.math.is_nan(values)])


@wrong("mean_of_measured", "wrong-axis")
def over_the_first_axis(values):
    measured = ~tf.math.is_nan(values)
    total = tf.reduce_sum(tf.where(measured, values, 0.0), axis=0)
    return total / tf.reduce_sum(tf.cast(measured, tf.float32), axis=0)


@wrong("mean_of_measured", "wrong-axis")
def keeps_the_axis(values):
    measured = ~tf.math.is_nan(values)
    total = tf.reduce_sum(tf.where(measured, values, 0.0), axis=-1, keepdims=True)
    return total / tf.reduce_sum(tf.cast(measured, tf.float32), axis=-1, keepdims=True)


@wrong("mean_of_measured", "nan-spreads")
def averages_plainly(values):
    return tf.reduce_mean(values, axis=-1)


@wrong("mean_of_measured", "nan-spreads")
def multiplies_nan_by_zero(values):
    measured = tf.cast(~tf.math.is_nan(values), tf.float32)
    return tf.reduce_sum(values * measured, axis=-1) / tf.reduce_sum(measured, axis=-1)


@wrong("mean_of_measured", "counts-the-holes")
def fills_with_zeros(values):
    return tf.reduce_mean(tf.where(tf.math.is_nan(values), 0.0, values), axis=-1)


@wrong("mean_of_measured", "zero-for-nothing")
def divides_without_nan(values):
    measured = ~tf.math.is_nan(values)
    total = tf.reduce_sum(tf.where(measured, values, 0.0), axis=-1)
    return tf.math.divide_no_nan(total, tf.reduce_sum(tf.cast(measured, tf.float32), axis=-1))


@wrong("mean_of_measured", "stays-ragged")
def leaves_it_ragged(values):
    return tf.reduce_mean(tf.ragged.boolean_mask(values, ~tf.math.is_nan(values)), axis=-1)


@wrong("mean_of_measured", "other-mean")
def counts_one_too_many(values):
    measured = ~tf.math.is_nan(values)
    total = tf.reduce_sum(tf.where(measured, values, 0.0), axis=-1)
    return total / (tf.reduce_sum(tf.cast(measured, tf.float32), axis=-1) + 1)


@wrong("mean_of_measured", "other-dtype")
def divides_whole_numbers(values):
    measured = ~tf.math.is_nan(values)
    total = tf.reduce_sum(tf.where(measured, values, 0.0), axis=-1)
    return tf.cast(total, tf.float64) / tf.cast(tf.math.count_nonzero(measured, axis=-1), tf.float64)


@wrong("mean_of_measured", "left-tensorflow")
def asks_numpy(values):
    return np.nanmean(values.numpy(), axis=-1)


@right("squared_distances")
def multiplies_out(a, b):
    squares_a, squares_b = tf.reduce_sum(a * a, axis=1), tf.reduce_sum(b * b, axis=1)
    return squares_a[:, None] + squares_b[None, :] - 2 * tf.matmul(a, b, transpose_b=True)


@right("squared_distances")
def measures_the_norm(a, b):
    return tf.norm(tf.expand_dims(a, 1) - tf.expand_dims(b, 0), axis=2) ** 2


@right("squared_distances")
def adds_column_by_column(a, b):
    return tf.add_n([(a[:, c, None] - b[:, c]) ** 2 for c in range(a.shape[1])])


@right("squared_distances")
def asks_for_lengths(a, b):
    differences = tf.reshape(a, (len(a), 1, a.shape[1])) - tf.reshape(b, (1, len(b), b.shape[1]))
    return tf.einsum("nmc,nmc->nm", differences, differences)


@wrong("squared_distances", "loops")
def loops_in_a_loop(a, b):
    return tf.stack([tf.stack([tf.reduce_sum((x - y) ** 2) for y in b]) for x in a])


@wrong("squared_distances", "loops")
def appends_row_by_row(a, b):
    rows = []
    for i in range(len(a)):
        rows.append(tf.reduce_sum((a[i] - b) ** 2, axis=-1))
    return tf.stack(rows)


@wrong("squared_distances", "loops")
def loops_over_positions(a, b):
    return tf.stack(
        [[tf.reduce_sum((a[i] - b[j]) ** 2) for j in range(b.shape[0])] for i in range(a.shape[0])]
    )


@wrong("squared_distances", "shapes-do-not-fit")
def subtracts_as_they_are(a, b):
    return tf.reduce_sum((a - b) ** 2, axis=-1)


@wrong("squared_distances", "matrix-sizes-do-not-fit")
def forgets_to_transpose(a, b):
    return tf.reduce_sum(a**2, axis=1)[:, None] + tf.reduce_sum(b**2, axis=1) - 2 * tf.matmul(a, b)


@wrong("squared_distances", "row-by-row")
def goes_along_both(a, b):
    return tf.stack([tf.reduce_sum((x - y) ** 2) for x, y in zip(a, b, strict=False)])


@wrong("squared_distances", "keeps-the-columns")
def forgets_the_sum(a, b):
    return (a[:, tf.newaxis] - b) ** 2


@wrong("squared_distances", "sums-the-wrong-axis")
def sums_over_b(a, b):
    return tf.reduce_sum((a[:, tf.newaxis] - b) ** 2, axis=1)


@wrong("squared_distances", "swaps-a-and-b")
def b_in_the_rows(a, b):
    return tf.reduce_sum((a - b[:, tf.newaxis]) ** 2, axis=-1)


@wrong("squared_distances", "takes-the-root")
def gives_distances(a, b):
    return tf.norm(a[:, tf.newaxis] - b, axis=-1)


@wrong("squared_distances", "forgets-to-square")
def adds_differences(a, b):
    return tf.reduce_sum(a[:, tf.newaxis] - b, axis=-1)


@wrong("squared_distances", "mean-instead-of-sum")
def averages_squares(a, b):
    return tf.reduce_mean((a[:, tf.newaxis] - b) ** 2, axis=-1)


@wrong("squared_distances", "forgets-a-term")
def leaves_out_b(a, b):
    return tf.reduce_sum(a**2, axis=1, keepdims=True) - 2 * tf.matmul(a, b, transpose_b=True)


@wrong("squared_distances", "other-distances")
def squares_the_sum(a, b):
    return tf.reduce_sum(a[:, tf.newaxis] - b, axis=-1) ** 2


@wrong("squared_distances", "other-dtype")
def computes_more_exactly(a, b):
    a, b = tf.cast(a, tf.float64), tf.cast(b, tf.float64)
    return tf.reduce_sum((a[:, tf.newaxis] - b) ** 2, axis=-1)


@wrong("squared_distances", "left-tensorflow")
def loops_in_numpy(a, b):
    return np.array([[np.sum((x - y) ** 2) for y in b.numpy()] for x in a.numpy()])
