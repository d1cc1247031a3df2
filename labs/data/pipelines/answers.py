"""Answers to this lab's exercises: right ones written otherwise, and wrong ones that people give."""

import time

import numpy as np
import tensorflow as tf

from labs import right, wrong


@right("measure")
def asks_an_iterator(batches, step, clock):
    waits, steps, iterator = [], [], iter(batches)
    while True:
        asked = clock()
        batch = next(iterator, None)
        if batch is None:
            return np.array(waits), np.array(steps)
        waits.append(clock() - asked)
        begin = clock()
        step(batch)
        steps.append(clock() - begin)


@wrong("measure", "never-steps")
def only_fetches(batches, step, clock):
    waits, asked = [], clock()
    for _ in batches:
        waits.append(clock() - asked)
        asked = clock()
    return waits, [0.0] * len(waits)


@wrong("measure", "reads-all-first")
def makes_a_list_first(batches, step, clock):
    asked = clock()
    fetched = list(batches)
    waits, steps = [clock() - asked], []
    for batch in fetched:
        begin = clock()
        step(batch)
        steps.append(clock() - begin)
    return waits, steps


@wrong("measure", "ignores-the-clock")
def uses_perf_counter(batches, step, clock):
    waits, steps, asked = [], [], time.perf_counter()
    for batch in batches:
        arrived = time.perf_counter()
        step(batch)
        done = time.perf_counter()
        waits.append(arrived - asked)
        steps.append(done - arrived)
        asked = done
    return waits, steps


@wrong("measure", "sums-only")
def adds_up(batches, step, clock):
    waited, worked, asked = 0.0, 0.0, clock()
    for batch in batches:
        arrived = clock()
        step(batch)
        waited, worked, asked = waited + arrived - asked, worked + clock() - arrived, clock()
    return waited, worked


@wrong("measure", "swaps-the-lists")
def returns_steps_first(batches, step, clock):
    waits, steps = asks_an_iterator.value(batches, step, clock)
    return steps, waits


@wrong("measure", "waits-are-zero")
def starts_the_clock_in_the_body(batches, step, clock):
    waits, steps = [], []
    for batch in batches:
        asked = clock()
        arrived = clock()
        step(batch)
        waits.append(arrived - asked)
        steps.append(clock() - arrived)
    return waits, steps


@wrong("measure", "forgets-the-first-wait")
def has_no_start(batches, step, clock):
    waits, steps, asked = [], [], None
    for batch in batches:
        arrived = clock()
        if asked is not None:
            waits.append(arrived - asked)
        step(batch)
        asked = clock()
        steps.append(asked - arrived)
    return waits, steps


@wrong("measure", "waits-include-steps")
def counts_from_batch_to_batch(batches, step, clock):
    waits, steps, last = [], [], clock()
    for batch in batches:
        arrived = clock()
        waits.append(arrived - last)
        last = arrived
        step(batch)
        steps.append(clock() - arrived)
    return waits, steps


@wrong("measure", "counts-from-the-start")
def never_resets_the_clock(batches, step, clock):
    waits, steps, start = [], [], clock()
    for batch in batches:
        arrived = clock()
        waits.append(arrived - start)
        step(batch)
        steps.append(clock() - arrived)
    return waits, steps


@wrong("measure", "steps-wrong")
def counts_the_wait_into_the_step(batches, step, clock):
    waits, steps, asked = [], [], clock()
    for batch in batches:
        waits.append(clock() - asked)
        step(batch)
        steps.append(clock() - asked)
        asked = clock()
    return waits, steps


@wrong("measure", "steps-wrong")
def forgets_to_note_the_steps(batches, step, clock):
    waits, steps, asked = [], [], clock()
    for batch in batches:
        waits.append(clock() - asked)
        step(batch)
        asked = clock()
    return waits, steps


@wrong("measure", "steps-wrong")
def adds_the_steps_up(batches, step, clock):
    waits, steps = asks_an_iterator.value(batches, step, clock)
    return waits, sum(steps)


@wrong("measure", "other-times")
def returns_milliseconds(batches, step, clock):
    waits, steps = asks_an_iterator.value(batches, step, clock)
    return 1000 * waits, 1000 * steps


def _slices(paths, labels):
    return tf.data.Dataset.from_tensor_slices((paths, labels))


@right("make_train_ds")
def shuffles_numbers(paths, labels, load, batch_size):
    numbers = tf.data.Dataset.range(len(paths)).shuffle(len(paths), reshuffle_each_iteration=True)
    names, classes = tf.constant(paths), tf.constant(labels)
    pairs = numbers.map(lambda i: (names[i], classes[i]))
    return pairs.map(load, num_parallel_calls=tf.data.AUTOTUNE).batch(batch_size).prefetch(1)


@right("make_train_ds")
def uses_a_generous_buffer(paths, labels, load, batch_size):
    return _slices(paths, labels).shuffle(100_000, seed=1).map(load).batch(batch_size, drop_remainder=False)


@wrong("make_train_ds", "loads-whole-batches")
def batches_before_map(paths, labels, load, batch_size):
    return _slices(paths, labels).shuffle(len(paths)).batch(batch_size).map(load)


@wrong("make_train_ds", "not-batched")
def forgets_to_batch(paths, labels, load, batch_size):
    return _slices(paths, labels).shuffle(len(paths)).map(load)


@wrong("make_train_ds", "pairs-broken")
def shuffles_paths_and_labels_apart(paths, labels, load, batch_size):
    names = tf.data.Dataset.from_tensor_slices(paths).shuffle(len(paths))
    classes = tf.data.Dataset.from_tensor_slices(labels).shuffle(len(paths))
    return tf.data.Dataset.zip((names, classes)).map(load).batch(batch_size)


@wrong("make_train_ds", "repeats-itself")
def repeats_for_fit(paths, labels, load, batch_size):
    return _slices(paths, labels).shuffle(len(paths)).repeat().map(load).batch(batch_size)


@wrong("make_train_ds", "drops-the-rest")
def drops_the_remainder(paths, labels, load, batch_size):
    return _slices(paths, labels).shuffle(len(paths)).map(load).batch(batch_size, drop_remainder=True)


@wrong("make_train_ds", "not-shuffled")
def forgets_to_shuffle(paths, labels, load, batch_size):
    return _slices(paths, labels).map(load).batch(batch_size)


@wrong("make_train_ds", "shuffles-batches")
def shuffles_after_batch(paths, labels, load, batch_size):
    return _slices(paths, labels).map(load).batch(batch_size).shuffle(len(paths))


@wrong("make_train_ds", "same-every-epoch")
def mixes_once_in_numpy(paths, labels, load, batch_size):
    order = np.random.permutation(len(paths))
    return _slices(np.array(paths)[order], np.array(labels)[order]).map(load).batch(batch_size)


@wrong("make_train_ds", "same-every-epoch")
def turns_reshuffling_off(paths, labels, load, batch_size):
    mixed = _slices(paths, labels).shuffle(len(paths), reshuffle_each_iteration=False)
    return mixed.map(load).batch(batch_size)


@wrong("make_train_ds", "shuffles-pictures")
def shuffles_after_loading(paths, labels, load, batch_size):
    return _slices(paths, labels).map(load).shuffle(len(paths)).batch(batch_size)


@wrong("make_train_ds", "buffer-too-small")
def takes_the_batch_size_as_buffer(paths, labels, load, batch_size):
    return _slices(paths, labels).shuffle(batch_size).map(load).batch(batch_size)


@wrong("make_train_ds", "buffer-too-small")
def copies_the_number_from_the_guide(paths, labels, load, batch_size):
    return _slices(paths, labels).shuffle(1000).map(load).batch(batch_size)


@right("overlap")
def lets_tensorflow_choose_how_far_ahead(examples, load, batch_size, calls):
    loaded = examples.map(load, num_parallel_calls=calls, deterministic=True)
    return loaded.batch(batch_size).prefetch(tf.data.AUTOTUNE)


@right("overlap")
def prefetches_twice(examples, load, batch_size, calls):
    return examples.map(load, calls).prefetch(8).batch(batch_size).prefetch(1)


@wrong("overlap", "loads-whole-batches")
def batches_names(examples, load, batch_size, calls):
    return examples.batch(batch_size).map(load, num_parallel_calls=calls).prefetch(2)


@wrong("overlap", "not-batched")
def takes_prefetch_for_batch(examples, load, batch_size, calls):
    return examples.map(load, num_parallel_calls=calls).prefetch(batch_size)


@wrong("overlap", "drops-the-rest")
def wants_equal_batches(examples, load, batch_size, calls):
    return examples.map(load, num_parallel_calls=calls).batch(batch_size, drop_remainder=True).prefetch(2)


@wrong("overlap", "one-at-a-time")
def only_prefetches(examples, load, batch_size, calls):
    return examples.map(load).batch(batch_size).prefetch(calls)


@wrong("overlap", "one-at-a-time")
def gives_the_calls_to_batch(examples, load, batch_size, calls):
    return examples.map(load).batch(batch_size, num_parallel_calls=calls).prefetch(2)


@wrong("overlap", "too-few-at-once")
def copies_two_calls_from_an_example(examples, load, batch_size, calls):
    return examples.map(load, num_parallel_calls=2).batch(batch_size).prefetch(calls)


@wrong("overlap", "loses-the-order")
def gives_up_the_order(examples, load, batch_size, calls):
    loaded = examples.map(load, num_parallel_calls=calls, deterministic=False)
    return loaded.batch(batch_size).prefetch(2)


@wrong("overlap", "prefetches-pictures")
def prefetches_before_batch(examples, load, batch_size, calls):
    return examples.map(load, num_parallel_calls=calls).prefetch(4).batch(batch_size)


@wrong("overlap", "nothing-prefetched")
def forgets_prefetch(examples, load, batch_size, calls):
    return examples.map(load, num_parallel_calls=calls).batch(batch_size)


@wrong("overlap", "nothing-prefetched")
def prefetches_names(examples, load, batch_size, calls):
    return examples.prefetch(2).map(load, num_parallel_calls=calls).batch(batch_size)


@right("cached_train_ds")
def shuffles_after_augmenting(examples, load, augment, batch_size):
    return examples.map(load).cache().map(augment).shuffle(1000).batch(batch_size)


@right("cached_train_ds")
def shuffles_names_then_pictures(examples, load, augment, batch_size):
    loaded = examples.shuffle(1000).map(load).cache().map(augment, num_parallel_calls=tf.data.AUTOTUNE)
    return loaded.shuffle(len(examples), reshuffle_each_iteration=True).batch(batch_size).prefetch(1)


@wrong("cached_train_ds", "never-augments")
def forgets_to_augment(examples, load, augment, batch_size):
    return examples.map(load).cache().shuffle(1000).batch(batch_size).prefetch(2)


@wrong("cached_train_ds", "augments-whole-batches")
def augments_last(examples, load, augment, batch_size):
    return examples.map(load).cache().shuffle(1000).batch(batch_size).map(augment).prefetch(2)


@wrong("cached_train_ds", "not-batched")
def leaves_batching_to_fit(examples, load, augment, batch_size):
    return examples.map(load).cache().shuffle(1000).map(augment)


@wrong("cached_train_ds", "drops-the-rest")
def drops_the_last_batch(examples, load, augment, batch_size):
    return examples.map(load).cache().shuffle(1000).map(augment).batch(batch_size, drop_remainder=True)


@wrong("cached_train_ds", "never-caches")
def forgets_the_cache(examples, load, augment, batch_size):
    return examples.map(load).shuffle(1000).map(augment).batch(batch_size).prefetch(2)


@wrong("cached_train_ds", "never-caches")
def throws_the_cached_dataset_away(examples, load, augment, batch_size):
    loaded = examples.map(load)
    loaded.cache()
    return loaded.shuffle(1000).map(augment).batch(batch_size)


@wrong("cached_train_ds", "caches-names")
def caches_before_loading(examples, load, augment, batch_size):
    return examples.cache().shuffle(1000).map(load).map(augment).batch(batch_size).prefetch(2)


@wrong("cached_train_ds", "freezes-augmentation")
def caches_after_augmenting(examples, load, augment, batch_size):
    return examples.map(load).map(augment).cache().shuffle(1000).batch(batch_size).prefetch(2)


@wrong("cached_train_ds", "freezes-augmentation")
def caches_the_batches(examples, load, augment, batch_size):
    return examples.map(load).shuffle(1000).map(augment).batch(batch_size).cache().prefetch(2)


@wrong("cached_train_ds", "not-shuffled")
def forgets_to_mix(examples, load, augment, batch_size):
    return examples.map(load).cache().map(augment).batch(batch_size).prefetch(2)


@wrong("cached_train_ds", "shuffles-batches")
def mixes_after_batching(examples, load, augment, batch_size):
    return examples.map(load).cache().map(augment).batch(batch_size).shuffle(1000).prefetch(2)


@wrong("cached_train_ds", "buffer-too-small")
def mixes_a_batch_only(examples, load, augment, batch_size):
    return examples.map(load).cache().shuffle(batch_size).map(augment).batch(batch_size).prefetch(2)


@wrong("cached_train_ds", "buffer-too-small")
def mixes_two(examples, load, augment, batch_size):
    return examples.map(load).cache().shuffle(2).map(augment).batch(batch_size).prefetch(2)


@wrong("cached_train_ds", "freezes-the-order")
def shuffles_before_the_cache(examples, load, augment, batch_size):
    return examples.shuffle(1000).map(load).cache().map(augment).batch(batch_size).prefetch(2)


_NAN = float("nan")


@right("parse_rows")
def reads_all_columns(lines):
    columns = tf.io.decode_csv(lines, [[""]] * 2 + [[_NAN]] * 11)
    return tf.transpose([columns[5], columns[7], columns[11]])


@right("parse_rows")
def reads_text_and_converts(lines):
    columns = tf.stack(tf.io.decode_csv(lines, [""] * 3, select_cols=[5, 7, 11]), axis=1)
    return tf.strings.to_number(tf.where(columns == "", "nan", columns))


@wrong("parse_rows", "needs-every-field")
def gives_empty_defaults(lines):
    empty = tf.constant([], tf.float32)
    return tf.stack(tf.io.decode_csv(lines, [empty] * 3, select_cols=[5, 7, 11]), axis=-1)


@wrong("parse_rows", "gives-a-dtype")
def gives_dtypes_for_defaults(lines):
    return tf.stack(tf.io.decode_csv(lines, [tf.float32] * 3, select_cols=[5, 7, 11]), axis=-1)


@wrong("parse_rows", "defaults-do-not-fit")
def gives_three_defaults_for_thirteen_columns(lines):
    columns = tf.io.decode_csv(lines, [_NAN] * 3)
    return tf.stack(columns, axis=-1)


@wrong("parse_rows", "defaults-do-not-fit")
def gives_thirteen_defaults_for_three_columns(lines):
    return tf.stack(tf.io.decode_csv(lines, [_NAN] * 13, select_cols=[5, 7, 11]), axis=-1)


@wrong("parse_rows", "still-text")
def gives_text_as_default(lines):
    return tf.stack(tf.io.decode_csv(lines, ["nan"] * 3, select_cols=[5, 7, 11]), axis=-1)


@wrong("parse_rows", "columns-not-rows")
def stacks_along_the_first_axis(lines):
    return tf.stack(tf.io.decode_csv(lines, [_NAN] * 3, select_cols=[5, 7, 11]))


@wrong("parse_rows", "drops-incomplete-rows")
def filters_gaps(lines):
    rows = tf.stack(tf.io.decode_csv(lines, [_NAN] * 3, select_cols=[5, 7, 11]), axis=-1)
    return tf.boolean_mask(rows, ~tf.reduce_any(tf.math.is_nan(rows), axis=1))


@wrong("parse_rows", "missing-becomes-a-number")
def defaults_to_zero(lines):
    return tf.stack(tf.io.decode_csv(lines, [0.0] * 3, select_cols=[5, 7, 11]), axis=-1)


@wrong("parse_rows", "missing-becomes-a-number")
def marks_missing_with_a_sentinel(lines):
    return tf.stack(tf.io.decode_csv(lines, [-999.0] * 3, select_cols=[5, 7, 11]), axis=-1)


@wrong("parse_rows", "other-columns")
def counts_columns_from_one(lines):
    return tf.stack(tf.io.decode_csv(lines, [_NAN] * 3, select_cols=[6, 8, 12]), axis=-1)


def _files(files):
    return tf.data.Dataset.from_tensor_slices(files)


@right("read_rows")
def does_not_mind_the_order(files, open_lines, parse, batch_size, calls):
    def rows(name):
        return open_lines(name).skip(1)

    mixed = _files(files).interleave(
        rows, calls, block_length=4, num_parallel_calls=calls, deterministic=False
    )
    return mixed.batch(batch_size).map(parse, num_parallel_calls=tf.data.AUTOTUNE)


@right("read_rows")
def filters_the_headers(files, open_lines, parse, batch_size, calls):
    def is_data(line):
        return line != "file,row"

    rows = _files(files).interleave(open_lines, cycle_length=calls, num_parallel_calls=calls).filter(is_data)
    return rows.batch(batch_size).map(parse)


@wrong("read_rows", "lists-a-folder")
def lists_files(files, open_lines, parse, batch_size, calls):
    names = tf.data.Dataset.list_files(files)
    rows = names.interleave(lambda name: open_lines(name).skip(1), calls, num_parallel_calls=calls)
    return rows.batch(batch_size).map(parse)


@wrong("read_rows", "too-few-at-once")
def opens_two_at_once(files, open_lines, parse, batch_size, calls):
    rows = _files(files).interleave(lambda name: open_lines(name).skip(1), calls, num_parallel_calls=2)
    return rows.batch(batch_size).map(parse)


@wrong("read_rows", "parses-line-by-line")
def parses_before_batching(files, open_lines, parse, batch_size, calls):
    rows = _files(files).interleave(lambda name: open_lines(name).skip(1), calls, num_parallel_calls=calls)
    return rows.map(parse).batch(batch_size)


@wrong("read_rows", "not-batched")
def parses_all_at_once(files, open_lines, parse, batch_size, calls):
    rows = _files(files).interleave(lambda name: open_lines(name).skip(1), calls, num_parallel_calls=calls)
    return rows.batch(1_000_000).map(parse)


@wrong("read_rows", "keeps-the-headers")
def forgets_the_headers(files, open_lines, parse, batch_size, calls):
    rows = _files(files).interleave(open_lines, cycle_length=calls, num_parallel_calls=calls)
    return rows.batch(batch_size).map(parse)


@wrong("read_rows", "skips-one-header-only")
def skips_after_interleave(files, open_lines, parse, batch_size, calls):
    rows = _files(files).interleave(open_lines, cycle_length=calls, num_parallel_calls=calls).skip(1)
    return rows.batch(batch_size).map(parse)


@wrong("read_rows", "loses-rows")
def skips_twice(files, open_lines, parse, batch_size, calls):
    rows = _files(files).interleave(lambda name: open_lines(name).skip(1), calls, num_parallel_calls=calls)
    return rows.skip(1).batch(batch_size).map(parse)


@wrong("read_rows", "loses-rows")
def drops_a_small_batch(files, open_lines, parse, batch_size, calls):
    rows = _files(files).interleave(lambda name: open_lines(name).skip(1), calls, num_parallel_calls=calls)
    return rows.batch(batch_size, drop_remainder=True).map(parse)


@wrong("read_rows", "one-file-after-another")
def flattens(files, open_lines, parse, batch_size, calls):
    return _files(files).flat_map(lambda name: open_lines(name).skip(1)).batch(batch_size).map(parse)


@wrong("read_rows", "one-file-after-another")
def takes_long_blocks(files, open_lines, parse, batch_size, calls):
    rows = _files(files).interleave(
        lambda name: open_lines(name).skip(1), calls, block_length=10_000, num_parallel_calls=calls
    )
    return rows.batch(batch_size).map(parse)


@wrong("read_rows", "opens-one-at-a-time")
def only_takes_turns(files, open_lines, parse, batch_size, calls):
    rows = _files(files).interleave(lambda name: open_lines(name).skip(1), cycle_length=calls)
    return rows.batch(batch_size).map(parse, num_parallel_calls=calls).prefetch(2)
