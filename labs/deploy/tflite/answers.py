"""Answers to this lab's exercises: right ones written otherwise, and wrong ones that people give."""

import numpy as np
import tensorflow as tf

from labs import right, wrong


@wrong("run_batch", "needs-a-signature")
def by_signature(interpreter, inputs):
    runner = interpreter.get_signature_runner()
    (name,) = runner.get_input_details()
    (outputs,) = runner(**{name: inputs}).values()
    return outputs


@right("run_batch")
def copies_a_view(interpreter, inputs):
    source = interpreter.get_input_details()[0]["index"]
    interpreter.resize_tensor_input(source, (len(inputs), *inputs.shape[1:]))
    interpreter.allocate_tensors()
    interpreter.tensor(source)()[:] = inputs
    interpreter.invoke()
    return interpreter.tensor(interpreter.get_output_details()[0]["index"])().copy()


@wrong("run_batch", "forgets-to-allocate")
def no_memory(interpreter, inputs):
    source, target = interpreter.get_input_details()[0], interpreter.get_output_details()[0]
    interpreter.resize_tensor_input(source["index"], inputs.shape)
    interpreter.set_tensor(source["index"], inputs)
    interpreter.invoke()
    return interpreter.get_tensor(target["index"])


@wrong("run_batch", "forgets-to-allocate")
def allocates_before_resizing(interpreter, inputs):
    source, target = interpreter.get_input_details()[0], interpreter.get_output_details()[0]
    interpreter.allocate_tensors()
    interpreter.resize_tensor_input(source["index"], inputs.shape)
    interpreter.set_tensor(source["index"], inputs)
    interpreter.invoke()
    return interpreter.get_tensor(target["index"])


@wrong("run_batch", "forgets-to-resize")
def room_for_one(interpreter, inputs):
    interpreter.allocate_tensors()
    interpreter.set_tensor(interpreter.get_input_details()[0]["index"], inputs)
    interpreter.invoke()
    return interpreter.get_tensor(interpreter.get_output_details()[0]["index"])


@wrong("run_batch", "changes-the-dtype")
def always_floats(interpreter, inputs):
    source, target = interpreter.get_input_details()[0], interpreter.get_output_details()[0]
    interpreter.resize_tensor_input(source["index"], inputs.shape)
    interpreter.allocate_tensors()
    interpreter.set_tensor(source["index"], inputs.astype(np.float32))
    interpreter.invoke()
    return interpreter.get_tensor(target["index"])


@wrong("run_batch", "borrows-the-memory")
def lends_the_memory(interpreter, inputs):
    source, target = interpreter.get_input_details()[0], interpreter.get_output_details()[0]
    interpreter.resize_tensor_input(source["index"], inputs.shape)
    interpreter.allocate_tensors()
    interpreter.set_tensor(source["index"], inputs)
    interpreter.invoke()
    _KEPT.append(interpreter.tensor(target["index"])())
    return _KEPT[-1]


_KEPT = []


@wrong("run_batch", "takes-the-details")
def hands_over_the_dict(interpreter, inputs):
    source, target = interpreter.get_input_details()[0], interpreter.get_output_details()[0]
    interpreter.resize_tensor_input(source, inputs.shape)
    interpreter.allocate_tensors()
    interpreter.set_tensor(source, inputs)
    interpreter.invoke()
    return interpreter.get_tensor(target)


@wrong("run_batch", "takes-the-details")
def forgets_that_it_is_a_list(interpreter, inputs):
    source = interpreter.get_input_details()
    interpreter.resize_tensor_input(source["index"], inputs.shape)
    interpreter.allocate_tensors()
    interpreter.set_tensor(source["index"], inputs)
    interpreter.invoke()
    return interpreter.get_tensor(interpreter.get_output_details()["index"])


@wrong("run_batch", "never-invokes")
def copies_in_and_out(interpreter, inputs):
    source, target = interpreter.get_input_details()[0], interpreter.get_output_details()[0]
    interpreter.resize_tensor_input(source["index"], inputs.shape)
    interpreter.allocate_tensors()
    interpreter.set_tensor(source["index"], inputs)
    return interpreter.get_tensor(target["index"])


@wrong("run_batch", "reads-the-input")
def reads_the_wrong_end(interpreter, inputs):
    source = interpreter.get_input_details()[0]
    interpreter.resize_tensor_input(source["index"], inputs.shape)
    interpreter.allocate_tensors()
    interpreter.set_tensor(source["index"], inputs)
    interpreter.invoke()
    return interpreter.get_tensor(source["index"])


@wrong("run_batch", "one-example-only")
def as_for_one_photo(interpreter, inputs):
    source, target = interpreter.get_input_details()[0], interpreter.get_output_details()[0]
    interpreter.resize_tensor_input(source["index"], inputs.shape)
    interpreter.allocate_tensors()
    interpreter.set_tensor(source["index"], inputs)
    interpreter.invoke()
    return interpreter.get_tensor(target["index"])[0]


@wrong("run_batch", "other-numbers")
def scales_once_more(interpreter, inputs):
    source, target = interpreter.get_input_details()[0], interpreter.get_output_details()[0]
    interpreter.resize_tensor_input(source["index"], inputs.shape)
    interpreter.allocate_tensors()
    interpreter.set_tensor(source["index"], (inputs / 255).astype(inputs.dtype))
    interpreter.invoke()
    return interpreter.get_tensor(target["index"])


@right("quantize")
def number_by_number(values, scale, zero_point):
    stored = np.empty(values.shape, np.int8)
    for place, value in np.ndenumerate(values):
        stored[place] = max(-128, min(127, round(float(value) / scale) + zero_point))
    return stored


@right("quantize")
def clips_the_values(values, scale, zero_point):
    low, high = scale * (-128 - zero_point), scale * (127 - zero_point)
    return np.rint(np.clip(values, low, high) / scale + zero_point).astype(np.int8)


@right("quantize")
def with_tensorflow(values, scale, zero_point):
    steps = tf.round(tf.constant(values, tf.float64) / scale) + zero_point
    return tf.cast(tf.clip_by_value(steps, -128, 127), tf.int8)


@wrong("quantize", "not-int8")
def stays_float(values, scale, zero_point):
    return np.clip(np.round(values / scale) + zero_point, -128, 127)


@wrong("quantize", "other-shape")
def loses_the_shape(values, scale, zero_point):
    return np.array(
        [int(np.clip(np.round(value / scale) + zero_point, -128, 127)) for value in values.ravel()], np.int8
    )


@wrong("quantize", "wraps-round")
def forgets_to_clip(values, scale, zero_point):
    return (np.round(values / scale) + zero_point).astype(np.int64).astype(np.int8)


@wrong("quantize", "clips-too-early")
def clips_the_steps(values, scale, zero_point):
    return (np.clip(np.round(values / scale), -128, 127) + zero_point).astype(np.int64).astype(np.int8)


@wrong("quantize", "not-int8")
def thinks_of_uint8(values, scale, zero_point):
    return np.clip(np.round(values / scale) + zero_point, 0, 255).astype(np.uint8)


@wrong("quantize", "clips-elsewhere")
def clips_like_pixels(values, scale, zero_point):
    return np.clip(np.round(values / scale) + zero_point, 0, 255).astype(np.int64).astype(np.int8)


@wrong("quantize", "clips-elsewhere")
def symmetric_range(values, scale, zero_point):
    return np.clip(np.round(values / scale) + zero_point, -127, 127).astype(np.int8)


@wrong("quantize", "cuts-off")
def forgets_to_round(values, scale, zero_point):
    return np.clip(values / scale + zero_point, -128, 127).astype(np.int8)


@wrong("quantize", "forgets-the-zero-point")
def scale_only(values, scale, zero_point):
    return np.clip(np.round(values / scale), -128, 127).astype(np.int8)


@wrong("quantize", "zero-point-backwards")
def subtracts_as_on_the_way_back(values, scale, zero_point):
    return np.clip(np.round(values / scale) - zero_point, -128, 127).astype(np.int8)


@wrong("quantize", "multiplies")
def times_the_scale(values, scale, zero_point):
    return np.clip(np.round(values * scale) + zero_point, -128, 127).astype(np.int8)


@wrong("quantize", "zero-point-before-scale")
def adds_first(values, scale, zero_point):
    return np.clip(np.round((values + zero_point) / scale), -128, 127).astype(np.int8)


@wrong("quantize", "other-numbers")
def by_the_largest_value(values, scale, zero_point):
    return np.round(values / np.abs(values).max() * 127).astype(np.int8)


def _prepare(pixels):
    return pixels.astype(np.float32) / np.float32(255)


def _places(pixels, count):
    return np.linspace(0, len(pixels) - 1, count).astype(int)


@right("representative")
def draws_at_random(pixels, count):
    chosen = np.random.default_rng(0).choice(len(pixels), count, replace=False)
    return lambda: ([_prepare(pixels[place][None])] for place in chosen)


@right("representative")
def from_a_dataset(pixels, count):
    dataset = tf.data.Dataset.from_tensor_slices(_prepare(pixels[:: len(pixels) // count][:count])).batch(1)
    return lambda: ([photo] for photo in dataset)


@right("representative")
def list_each_time(pixels, count):
    def photos():
        return [[np.float32(pixels[place : place + 1]) / 255] for place in _places(pixels, count)]

    return photos


@wrong("representative", "not-a-function")
def a_generator(pixels, count):
    return ([_prepare(pixels[place : place + 1])] for place in _places(pixels, count))


@wrong("representative", "not-a-function")
def yields_itself(pixels, count):
    for place in _places(pixels, count):
        yield [_prepare(pixels[place : place + 1])]


@wrong("representative", "nothing-to-iterate")
def returns_an_array(pixels, count):
    return lambda: _prepare(pixels[_places(pixels, count)])


@wrong("representative", "empty-the-second-time")
def one_generator_for_all(pixels, count):
    photos = ([_prepare(pixels[place : place + 1])] for place in _places(pixels, count))
    return lambda: photos


@wrong("representative", "no-list")
def bare_arrays(pixels, count):
    return lambda: (_prepare(pixels[place : place + 1]) for place in _places(pixels, count))


@wrong("representative", "no-list")
def tuples_of_one(pixels, count):
    return lambda: ((_prepare(pixels[place : place + 1]),) for place in _places(pixels, count))


@wrong("representative", "no-list")
def tuples_from_a_dataset(pixels, count):
    dataset = tf.data.Dataset.from_tensor_slices((_prepare(pixels[_places(pixels, count)]),)).batch(1)
    return lambda: iter(dataset)


@wrong("representative", "labels-too")
def with_a_label(pixels, count):
    return lambda: ([_prepare(pixels[place : place + 1]), np.zeros(1)] for place in _places(pixels, count))


@wrong("representative", "no-batch-axis")
def single_photos(pixels, count):
    return lambda: ([_prepare(pixels[place])] for place in _places(pixels, count))


@wrong("representative", "whole-batch")
def all_in_one(pixels, count):
    return lambda: iter([[_prepare(pixels[_places(pixels, count)])]])


@wrong("representative", "not-float32")
def divides_by_hand(pixels, count):
    return lambda: ([pixels[place : place + 1] / 255.0] for place in _places(pixels, count))


@wrong("representative", "not-float32")
def raw_bytes(pixels, count):
    return lambda: ([pixels[place : place + 1]] for place in _places(pixels, count))


@wrong("representative", "not-prepared")
def casts_only(pixels, count):
    return lambda: ([pixels[place : place + 1].astype(np.float32)] for place in _places(pixels, count))


@wrong("representative", "wrong-count")
def all_photos(pixels, count):
    return lambda: ([_prepare(pixels[place : place + 1])] for place in range(len(pixels)))


@wrong("representative", "first-ones-only")
def the_first_ones(pixels, count):
    return lambda: ([_prepare(pixels[place : place + 1])] for place in range(count))


@wrong("representative", "neighbours-only")
def the_last_ones(pixels, count):
    return lambda: ([_prepare(photo[None])] for photo in pixels[-count:])


@wrong("representative", "neighbours-only")
def from_the_middle_on(pixels, count):
    middle = len(pixels) // 2
    return lambda: ([_prepare(pixels[place : place + 1])] for place in range(middle, middle + count))


@wrong("representative", "one-photo-again")
def forgets_the_place(pixels, count):
    return lambda: ([_prepare(pixels[:1])] for _ in range(count))


@wrong("representative", "other-photos")
def prepares_twice(pixels, count):
    return lambda: ([_prepare(_prepare(pixels[place : place + 1]))] for place in _places(pixels, count))


def _converter(model, optimize=True):
    converter = tf.lite.TFLiteConverter.from_keras_model(model)
    if optimize:
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
    return converter


def _integers_only(converter, representative_dataset):
    converter.representative_dataset = representative_dataset
    converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
    converter.inference_input_type = converter.inference_output_type = tf.int8


@right("convert")
def by_a_traced_function(model, variant, representative_dataset):
    spec = tf.TensorSpec((None, *model.input_shape[1:]))
    traced = tf.function(lambda images: model(images, training=False)).get_concrete_function(spec)
    converter = tf.lite.TFLiteConverter.from_concrete_functions([traced])
    if variant == "float32":
        return converter.convert()
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    if variant == "float16":
        converter.target_spec.supported_types = [tf.float16]
    elif variant == "int8":
        converter.representative_dataset = representative_dataset
        converter.inference_input_type = tf.int8
        converter.inference_output_type = tf.int8
    return converter.convert()


@wrong("convert", "lacks-the-data")
def forgets_the_data(model, variant, representative_dataset):
    converter = _converter(model, variant != "float32")
    if variant == "float16":
        converter.target_spec.supported_types = [tf.float16]
    if variant == "int8":
        converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
        converter.inference_input_type = converter.inference_output_type = tf.int8
    return converter.convert()


@wrong("convert", "calls-the-data")
def calls_the_function(model, variant, representative_dataset):
    converter = _converter(model, variant != "float32")
    if variant == "float16":
        converter.target_spec.supported_types = [tf.float16]
    if variant == "int8":
        _integers_only(converter, representative_dataset())
    return converter.convert()


@wrong("convert", "gives-no-bytes")
def returns_the_converter(model, variant, representative_dataset):
    return _converter(model, variant != "float32")


@wrong("convert", "garbage")
def old_recipe(model, variant, representative_dataset):
    spec = tf.TensorSpec((None, *model.input_shape[1:]))
    traced = tf.function(lambda images: model(images, training=False)).get_concrete_function(spec)
    converter = tf.lite.TFLiteConverter.from_concrete_functions([traced], model)
    if variant != "float32":
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
    if variant == "float16":
        converter.target_spec.supported_types = [tf.float16]
    if variant == "int8":
        _integers_only(converter, representative_dataset)
    return converter.convert()


@wrong("convert", "always-optimizes")
def no_condition(model, variant, representative_dataset):
    converter = _converter(model)
    if variant == "float16":
        converter.target_spec.supported_types = [tf.float16]
    if variant == "int8":
        _integers_only(converter, representative_dataset)
    return converter.convert()


@wrong("convert", "never-optimizes")
def forgets_optimizations(model, variant, representative_dataset):
    converter = _converter(model, optimize=False)
    if variant == "float16":
        converter.target_spec.supported_types = [tf.float16]
    if variant == "int8":
        converter.representative_dataset = representative_dataset
    return converter.convert()


@wrong("convert", "float16-ignored")
def forgets_the_types(model, variant, representative_dataset):
    converter = _converter(model, variant != "float32")
    if variant == "int8":
        _integers_only(converter, representative_dataset)
    return converter.convert()


@wrong("convert", "activations-fixed")
def data_for_all(model, variant, representative_dataset):
    converter = _converter(model, variant != "float32")
    if variant == "float16":
        converter.target_spec.supported_types = [tf.float16]
    elif variant != "float32":
        converter.representative_dataset = representative_dataset
    if variant == "int8":
        converter.inference_input_type = converter.inference_output_type = tf.int8
    return converter.convert()


@wrong("convert", "weights-only")
def int8_is_dynamic(model, variant, representative_dataset):
    converter = _converter(model, variant != "float32")
    if variant == "float16":
        converter.target_spec.supported_types = [tf.float16]
    return converter.convert()


@wrong("convert", "float-ends")
def forgets_the_ends(model, variant, representative_dataset):
    converter = _converter(model, variant != "float32")
    if variant == "float16":
        converter.target_spec.supported_types = [tf.float16]
    if variant == "int8":
        converter.representative_dataset = representative_dataset
        converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
    return converter.convert()


@wrong("convert", "float-ends")
def forgets_the_output(model, variant, representative_dataset):
    converter = _converter(model, variant != "float32")
    if variant == "float16":
        converter.target_spec.supported_types = [tf.float16]
    if variant == "int8":
        converter.representative_dataset = representative_dataset
        converter.inference_input_type = tf.int8
    return converter.convert()


@wrong("convert", "unsigned-ends")
def bytes_without_a_sign(model, variant, representative_dataset):
    converter = _converter(model, variant != "float32")
    if variant == "float16":
        converter.target_spec.supported_types = [tf.float16]
    if variant == "int8":
        _integers_only(converter, representative_dataset)
        converter.inference_input_type = converter.inference_output_type = tf.uint8
    return converter.convert()


@wrong("convert", "wrong-variant")
def confuses_dynamic_and_float16(model, variant, representative_dataset):
    converter = _converter(model, variant != "float32")
    if variant in ("float16", "dynamic"):
        converter.target_spec.supported_types = [tf.float16]
    if variant == "int8":
        _integers_only(converter, representative_dataset)
    return converter.convert()


@right("change_by_class")
def adds_at_each_place(labels, before, after, classes):
    changes = np.zeros((classes, 2), int)
    np.add.at(changes[:, 0], labels[(before == labels) & (after != before)], 1)
    np.add.at(changes[:, 1], labels[(after == labels) & (after != before)], 1)
    return changes


@right("change_by_class")
def class_by_class(labels, before, after, classes):
    changes = []
    for kind in range(classes):
        was, now = before[labels == kind] == kind, after[labels == kind] == kind
        changes.append([int(np.sum(was & ~now)), int(np.sum(now & ~was))])
    return changes


@wrong("change_by_class", "leaves-classes-out")
def classes_with_photos(labels, before, after, classes):
    changes = []
    for kind in np.unique(labels):
        was, now = before[labels == kind] == kind, after[labels == kind] == kind
        changes.append([np.sum(was & ~now), np.sum(now & ~was)])
    return np.array(changes)


@wrong("change_by_class", "one-number-a-class")
def net_change(labels, before, after, classes):
    difference = (after == labels).astype(int) - (before == labels)
    return np.bincount(labels, weights=difference, minlength=classes)


@wrong("change_by_class", "rows-and-columns")
def two_rows(labels, before, after, classes):
    lost, won = (before == labels) & (after != labels), (before != labels) & (after == labels)
    return np.stack([np.bincount(labels[which], minlength=classes) for which in (lost, won)])


@wrong("change_by_class", "swaps-lost-and-won")
def won_first(labels, before, after, classes):
    lost, won = (before == labels) & (after != labels), (before != labels) & (after == labels)
    return np.stack([np.bincount(labels[which], minlength=classes) for which in (won, lost)], axis=1)


@wrong("change_by_class", "counts-any-change")
def changed_answers(labels, before, after, classes):
    lost, won = (before == labels) & (after != before), (before != labels) & (after != before)
    return np.stack([np.bincount(labels[which], minlength=classes) for which in (lost, won)], axis=1)


@wrong("change_by_class", "counts-all-right")
def wrong_and_right_now(labels, before, after, classes):
    lost, won = after != labels, after == labels
    return np.stack([np.bincount(labels[which], minlength=classes) for which in (lost, won)], axis=1)


@wrong("change_by_class", "by-predicted-class")
def under_the_answer(labels, before, after, classes):
    lost, won = (before == labels) & (after != labels), (before != labels) & (after == labels)
    return np.stack([np.bincount(after[which], minlength=classes) for which in (lost, won)], axis=1)


@wrong("change_by_class", "shares")
def shares_of_the_class(labels, before, after, classes):
    lost, won = (before == labels) & (after != labels), (before != labels) & (after == labels)
    counts = np.stack([np.bincount(labels[which], minlength=classes) for which in (lost, won)], axis=1)
    return counts / np.maximum(np.bincount(labels, minlength=classes), 1)[:, None]


@wrong("change_by_class", "other-counts")
def either_or(labels, before, after, classes):
    lost, won = (before == labels) | (after != labels), (before != labels) | (after == labels)
    return np.stack([np.bincount(labels[which], minlength=classes) for which in (lost, won)], axis=1)


def _fits(row, budget):
    return row["kB"] <= budget["kB"] and row["ms"] <= budget["ms"] and row["accuracy"] >= budget["accuracy"]


def _fitting(candidates, budget):
    return [name for name, row in candidates.items() if _fits(row, budget)]


@right("choose")
def keeps_the_best_so_far(candidates, budget):
    best = None
    for name, row in candidates.items():
        if _fits(row, budget) and (best is None or (row["kB"], row["ms"]) < best[0]):
            best = (row["kB"], row["ms"]), name
    return best and best[1]


@right("choose")
def sorts_twice(candidates, budget):
    names = sorted(_fitting(candidates, budget), key=lambda name: candidates[name]["ms"])
    return next(iter(sorted(names, key=lambda name: candidates[name]["kB"])), None)


@wrong("choose", "stops-when-none-fits")
def no_default(candidates, budget):
    return min(
        _fitting(candidates, budget), key=lambda name: (candidates[name]["kB"], candidates[name]["ms"])
    )


@wrong("choose", "gives-the-row")
def returns_the_numbers(candidates, budget):
    names = _fitting(candidates, budget)
    return (
        min((candidates[name] for name in names), key=lambda row: (row["kB"], row["ms"])) if names else None
    )


@wrong("choose", "ships-all-the-same")
def rather_something(candidates, budget):
    names = _fitting(candidates, budget) or list(candidates)
    return min(names, key=lambda name: (candidates[name]["kB"], candidates[name]["ms"]))


def _smallest(candidates, fits):
    names = [name for name, row in candidates.items() if fits(row)]
    return min(names, key=lambda name: (candidates[name]["kB"], candidates[name]["ms"]), default=None)


@wrong("choose", "ignores-the-size")
def best_that_is_fast_enough(candidates, budget):
    names = [name for name, row in candidates.items() if row["ms"] <= budget["ms"]]
    best = max(names, key=lambda name: candidates[name]["accuracy"], default=None)
    return best if best and candidates[best]["accuracy"] >= budget["accuracy"] else None


@wrong("choose", "ships-all-the-same")
def forgets_the_size_limit(candidates, budget):
    return _smallest(
        candidates, lambda row: row["ms"] <= budget["ms"] and row["accuracy"] >= budget["accuracy"]
    )


@wrong("choose", "ignores-the-time")
def size_and_accuracy(candidates, budget):
    return _smallest(
        candidates, lambda row: row["kB"] <= budget["kB"] and row["accuracy"] >= budget["accuracy"]
    )


@wrong("choose", "ignores-the-accuracy")
def size_and_time(candidates, budget):
    return _smallest(candidates, lambda row: row["kB"] <= budget["kB"] and row["ms"] <= budget["ms"])


@wrong("choose", "limits-excluded")
def strictly_below(candidates, budget):
    return _smallest(
        candidates,
        lambda row: (
            row["kB"] < budget["kB"] and row["ms"] < budget["ms"] and row["accuracy"] > budget["accuracy"]
        ),
    )


@wrong("choose", "most-accurate")
def as_good_as_possible(candidates, budget):
    return max(_fitting(candidates, budget), key=lambda name: candidates[name]["accuracy"], default=None)


@wrong("choose", "fastest")
def as_fast_as_possible(candidates, budget):
    return min(_fitting(candidates, budget), key=lambda name: candidates[name]["ms"], default=None)


@wrong("choose", "first-that-fits")
def stops_at_the_first(candidates, budget):
    return next(iter(_fitting(candidates, budget)), None)


@wrong("choose", "ignores-ties")
def by_size_only(candidates, budget):
    return min(_fitting(candidates, budget), key=lambda name: candidates[name]["kB"], default=None)


@wrong("choose", "largest")
def max_instead_of_min(candidates, budget):
    return max(_fitting(candidates, budget), key=lambda name: candidates[name]["kB"], default=None)


@wrong("choose", "other-choice")
def name_of_the_file(candidates, budget):
    name = sorts_twice.value(candidates, budget)
    return f"{name}.tflite" if name else None
