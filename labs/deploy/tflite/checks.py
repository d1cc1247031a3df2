"""What each exercise of this lab must do, and the misconceptions that its check can tell apart."""

import functools
import inspect
import itertools

import numpy as np

from labs import Misconception, Misread, check, lazy, quiet

keras = lazy("keras")
litert = lazy("ai_edge_litert.interpreter")
tf = lazy("tensorflow")


def _dense(kernel, *more):
    """Return a model of dense layers with these kernels, given as arrays, and no bias."""
    layers = [keras.layers.Dense(one.shape[1], use_bias=False) for one in (kernel, *more)]
    model = keras.Sequential([keras.Input((kernel.shape[0],)), *layers])
    model.set_weights([kernel, *more])
    return model


KERNEL = np.array([[1, -1, 0.5], [0, 2, -0.5], [-1, 0.5, 1], [0.5, 0, 1]], np.float32)


@functools.cache
def _file(dtype, signature):
    """Return the file of one dense layer with `KERNEL`; made once, because converting takes a while."""
    if not signature:
        multiply = tf.function(lambda inputs: inputs @ KERNEL)
        spec = tf.TensorSpec((None, len(KERNEL)), tf.float32)
        return tf.lite.TFLiteConverter.from_concrete_functions(
            [multiply.get_concrete_function(spec)]
        ).convert()
    converter = tf.lite.TFLiteConverter.from_keras_model(_dense(KERNEL))
    if dtype == "int8":
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
        corners = np.array(list(itertools.product((0, 1), repeat=4)), np.float32)
        converter.representative_dataset = lambda: ([one[None]] for one in corners)
        converter.inference_input_type = converter.inference_output_type = tf.int8
    return converter.convert()


class _Watched:
    """An interpreter that notes which of its methods were called."""

    def __init__(self, interpreter):
        self._interpreter, self.called = interpreter, []

    def __getattr__(self, name):
        self.called.append(name)
        return getattr(self._interpreter, name)


@check(
    points=2,
    minutes=8,
    difficulty="easy",
    hints=(
        '`interpreter.get_input_details()[0]` is a dict; its "index" names the tensor in every other call.',
        "In this order: `resize_tensor_input(index, shape)`, `allocate_tensors()`, `set_tensor`, `invoke()`, "
        "`get_tensor` with the index of the output.",
        "`source, target = interpreter.get_input_details()[0], interpreter.get_output_details()[0]`, then "
        '`interpreter.resize_tensor_input(source["index"], inputs.shape)`, `allocate_tensors()`, '
        '`set_tensor(source["index"], inputs)`, `invoke()`, `return interpreter.get_tensor(target["index"])`',
    ),
)
class run_batch:
    """The output of a file for a whole batch: resize, allocate, copy in, invoke, copy out."""

    misconceptions = {
        "forgets-to-allocate": Misconception(
            "The interpreter has no memory for its tensors.",
            "Which call plans the memory, and after which other call must it come again?",
            raises=r"unallocated|not ready|allocate_tensors|tensor data is null|Tensor data is null",
        ),
        "forgets-to-resize": Misconception(
            "The batch does not fit: the input of the file still has room for another number of examples.",
            "An open axis starts at 1. Which call changes it, and when must it run: once, or for each batch?",
            raises=r"Dimension mismatch",
        ),
        "changes-the-dtype": Misconception(
            "The file wants its inputs in another dtype than you gave it.",
            "`inputs` already has the dtype of the file. Which line makes something else of it?",
            raises=r"Got value of type",
        ),
        "borrows-the-memory": Misconception(
            "You returned a view into the interpreter's memory, and the interpreter cannot go on while it exists.",
            "`tensor(index)()` lends the memory itself. Which method gives you a copy?",
            raises=r"reference to internal data",
        ),
        "needs-a-signature": Misconception(
            "Your way needs a signature, and this file has none.",
            "A file made from a bare function names nothing. Which calls work on the tensors themselves?",
            raises=r"SignatureDef signature_key",
        ),
        "takes-the-details": Misconception(
            "The details of a tensor were used where its index is asked for.",
            "`get_input_details()` gives a list of dicts. What in such a dict names the tensor?",
            raises=r"incompatible function arguments|list indices|unhashable|TypeError.*(dict|list)",
        ),
        "never-invokes": Misconception(
            "Nothing was computed: the numbers in the output were there before.",
            "Copying in and copying out run no operator. Which call does?",
        ),
        "reads-the-input": Misconception(
            "What came back is the input, not the output.",
            "Two lists of details: which one tells the index of the result?",
        ),
        "one-example-only": Misconception(
            "The output lacks examples, or the axis that counts them.",
            "One row for each example should come back, also when there is only one.",
        ),
        "other-numbers": Misconception(
            "These are not the numbers that the file computes.",
            "Print `inputs` right before `set_tensor`, and the output right after `get_tensor`. What changed them?",
        ),
    }

    @staticmethod
    def given(rng):
        for dtype, signature, first, second in (
            ("float32", True, 5, 2),
            ("float32", False, 1, int(rng.integers(6, 12))),
            ("int8", True, 3, 4),
        ):
            batches = [rng.integers(-128, 128, (count, 4)).astype(np.int8) for count in (first, second)]
            if dtype == "float32":
                batches = [
                    (np.float32(0.005) * (batch.astype(np.float32) + 128)).round(2) for batch in batches
                ]
            yield {"dtype": dtype, "signature": signature, "first": batches[0], "second": batches[1]}

    @staticmethod
    def when(run_batch, dtype, signature, first, second):
        with quiet():
            interpreter = litert.Interpreter(model_content=_file(dtype, signature))
            details = interpreter.get_input_details()[0], interpreter.get_output_details()[0]
            watched = _Watched(interpreter)
            outputs = run_batch(watched, first)
            if outputs is None:
                return {"first": None}
            again = run_batch(watched, second)
        return {
            "first": outputs,
            "second": again,
            "invoked": not {"get_tensor", "tensor"} & set(watched.called) or "invoke" in watched.called,
            "scales": [list(map(float, detail["quantization"])) for detail in details],
        }

    @staticmethod
    def then(seen, dtype, signature, first, second):
        (scale_in, zero_in), (scale_out, zero_out) = seen["scales"]
        for inputs, got in ((first, np.asarray(seen["first"])), (second, np.asarray(seen["second"]))):
            if dtype == "float32":
                wanted, room = np.einsum("ni,io->no", inputs.astype(float), KERNEL), 1e-4
            else:
                real = np.einsum("ni,io->no", scale_in * (inputs.astype(float) - zero_in), KERNEL)
                wanted, room = np.clip(np.rint(real / scale_out) + zero_out, -128, 127), 2
            wanted = wanted.astype(dtype)
            if (
                got.dtype.name == dtype
                and got.shape == wanted.shape
                and np.abs(got - wanted.astype(float)).max() <= room
            ):
                continue
            if got.shape == inputs.shape and np.array_equal(got, inputs):
                raise Misread("reads-the-input", expected=wanted, got=got)
            if (got.shape != wanted.shape and got.size < wanted.size) or got.shape == wanted.shape[1:]:
                raise Misread("one-example-only", expected=f"shape {wanted.shape}", got=f"shape {got.shape}")
            name = "other-numbers" if seen["invoked"] else "never-invokes"
            raise Misread(name, expected=wanted, got=got)


@check(
    points=2,
    minutes=8,
    difficulty="easy",
    hints=(
        "Turn the formula round: `stored = real / scale + zero_point`, and that to the nearest whole number.",
        "Three steps, in this order: `np.round`, `np.clip` to -128 and 127, `astype(np.int8)`.",
        "`return np.clip(np.round(values / scale) + zero_point, -128, 127).astype(np.int8)`",
    ),
)
class quantize:
    """Real numbers as int8, by scale and zero point."""

    misconceptions = {
        "not-int8": Misconception(
            "The numbers came back in another dtype than int8.",
            "A file checks the dtype, not the values. What turns an array into int8, and at which point is it safe?",
        ),
        "other-shape": Misconception(
            "The shape changed on the way.",
            "Each number is quantized for itself. Which line joins or drops axes?",
        ),
        "wraps-round": Misconception(
            "Numbers outside the range came back at the other end of it.",
            "What does `astype(np.int8)` make of 130? What must happen before it?",
        ),
        "clips-too-early": Misconception(
            "You clipped before the zero point was added, so the ends of the range lie in the wrong place.",
            "Which numbers have to lie between -128 and 127: the steps from 0.0, or the stored ones?",
        ),
        "clips-elsewhere": Misconception(
            "The ends of the range are not those of int8.",
            "How many values has a byte, and where do they begin when it has a sign?",
        ),
        "cuts-off": Misconception(
            "Numbers between two steps went to the wrong one: the fraction was cut off.",
            "What does `astype` to whole numbers do with 2.9?",
        ),
        "forgets-the-zero-point": Misconception(
            "0.0 is stored as 0, whatever the zero point says.",
            "Read your own result back with `scale * (stored - zero_point)`.",
        ),
        "zero-point-backwards": Misconception(
            "The zero point went in with the wrong sign.",
            "On the way back it is subtracted. So on the way in?",
        ),
        "multiplies": Misconception(
            "You multiplied by the scale.",
            "The scale is how much one step is worth. How many steps is a value of `3 * scale`?",
        ),
        "zero-point-before-scale": Misconception(
            "The zero point was added before the division, so it was divided as well.",
            "The zero point counts steps. After which operation are your numbers steps?",
        ),
        "other-numbers": Misconception(
            "These are not the nearest stored numbers.",
            "Take one value, compute its number of steps by hand, and print each line's result beside it.",
        ),
    }

    @staticmethod
    def given(rng):
        yield {"values": _between(rng, 0, 1, 0.1, 6, 4), "scale": 0.1, "zero_point": 4}
        pixels = rng.integers(0, 256, (2, 3, 3, 1)).astype(np.float32) / np.float32(255)
        yield {"values": pixels, "scale": 0.003921568859368563, "zero_point": -128}
        scale = float(np.round(rng.uniform(0.03, 0.06), 3))
        yield {
            "values": _between(rng, -40, 40, scale, 24, -7).reshape(4, 6),
            "scale": scale,
            "zero_point": -7,
        }
        values = np.array([-50.0, -6.6, -0.07, 0.0, 0.06, 6.4, 50.0])
        yield {"values": values, "scale": 0.05, "zero_point": 11}

    @staticmethod
    def when(quantize, values, scale, zero_point):
        stored = quantize(values, scale, zero_point)
        return {"stored": stored}

    @staticmethod
    def then(seen, values, scale, zero_point):
        got = np.asarray(seen["stored"])
        steps = np.floor(values.astype(float) / scale + 0.5)
        wanted = np.minimum(np.maximum(steps + zero_point, -128), 127).astype(np.int64)
        if got.shape != values.shape:
            raise Misread("other-shape", expected=f"shape {values.shape}", got=f"shape {got.shape}")
        if got.dtype.name == "int8" and np.array_equal(got, wanted):
            return
        exact = values.astype(float) / scale
        known = {
            "": wanted,
            "wraps-round": _wrapped(steps + zero_point),
            "clips-too-early": _wrapped(np.clip(steps, -128, 127) + zero_point),
            "clips-elsewhere": _wrapped(np.clip(steps + zero_point, 0, 255)),
            "cuts-off": np.clip(np.trunc(exact + zero_point), -128, 127),
            "forgets-the-zero-point": np.clip(steps, -128, 127),
            "zero-point-backwards": np.clip(steps - zero_point, -128, 127),
            "multiplies": np.clip(np.rint(values.astype(float) * scale) + zero_point, -128, 127),
            "zero-point-before-scale": np.clip(
                np.rint((values.astype(float) + zero_point) / scale), -128, 127
            ),
        }
        others = {
            "wraps-round": [_wrapped(np.trunc(exact) + zero_point), _wrapped(np.trunc(exact + zero_point))],
            "clips-too-early": [np.clip(steps, -128, 127) + zero_point],
            "clips-elsewhere": [
                np.clip(steps + zero_point, 0, 255),
                np.clip(steps + zero_point, -127, 127),
                np.clip(steps + zero_point, -128, 128),
            ],
            "cuts-off": [
                np.clip(np.trunc(exact) + zero_point, -128, 127),
                np.clip(np.floor(exact) + zero_point, -128, 127),
            ],
        }
        same = {name for name, numbers in known.items() if np.array_equal(got, numbers)}
        same |= {name for name, all_of in others.items() for each in all_of if np.array_equal(got, each)}
        unrounded = (exact + zero_point, np.clip(exact + zero_point, -128, 127))
        if got.dtype.name != "int8" and (same or any(_close(got, each) for each in unrounded)):
            raise Misread("not-int8", expected="int8", got=got.dtype.name)
        # Where two mistakes give the same numbers, another case tells them apart.
        first = np.flatnonzero(got.ravel() != wanted.ravel())[0]
        raise Misread(
            same.pop() if len(same) == 1 else "other-numbers",
            expected={f"for {values.ravel()[first]:.6g}": int(wanted.ravel()[first])},
            got={f"for {values.ravel()[first]:.6g}": got.ravel()[first]},
        )


def _between(rng, low, high, scale, count, zero_point):
    """Return numbers from low to high, each at least a quarter of a step away from the middle of two steps."""
    steps = rng.integers(int(low / scale), int(high / scale) + 1, count)
    return ((steps + rng.choice([-0.35, 0.3, 0.4], count)) * scale).astype(np.float32)


def _wrapped(numbers):
    return (np.asarray(numbers).astype(np.int64) + 128) % 256 - 128


def _close(got, wanted):
    return got.dtype.kind in "fiu" and got.shape == wanted.shape and np.allclose(got, wanted, atol=1e-3)


@check(
    points=2,
    minutes=10,
    difficulty="medium",
    hints=(
        "Write a function inside your function, with `yield` in it. Return it without parentheses.",
        "`pixels[place : place + 1]` keeps the batch axis, `prepare(...)` makes it float32, `[...]` makes the list. "
        "`np.linspace(0, len(pixels) - 1, count).astype(int)` spreads the places.",
        "`places = np.linspace(0, len(pixels) - 1, count).astype(int)`; `def photos():` `for place in places:` "
        "`yield [prepare(pixels[place : place + 1])]`; `return photos`",
    ),
)
class representative:
    """A function without arguments that gives prepared photos, one at a time, each in a list."""

    misconceptions = {
        "not-a-function": Misconception(
            "The converter wants a function that it can call, and you gave it what such a function returns.",
            "Does a pair of parentheses stand where it should not yet, or `yield` in the outer function?",
        ),
        "nothing-to-iterate": Misconception(
            "What your function returns cannot be gone through, or there is nothing in it.",
            "Each call must give something that `for item in ...` can walk along, with `count` items.",
        ),
        "empty-the-second-time": Misconception(
            "The first call gave the photos, the second none: both got the same generator, and it was used up.",
            "Where is your generator made: once, or in each call?",
        ),
        "no-list": Misconception(
            "An item is not a list with one array.",
            "A model can have several inputs, so each item is a list of them, even when there is only one. (A tuple "
            "means something else to the converter: the name of a signature, and a dict of its inputs.)",
        ),
        "labels-too": Misconception(
            "An item holds more than one array.",
            "The model has one input. Who would need the label?",
        ),
        "no-batch-axis": Misconception(
            "The photo has lost its batch axis.",
            "`pixels[7]` and `pixels[7:8]`: which of them has four axes?",
        ),
        "whole-batch": Misconception(
            "All photos came in one array; one at a time was asked for.",
            "Which shape does one item have to have?",
        ),
        "not-float32": Misconception(
            "The photos are not float32.",
            "Which helper makes what the float model expects? (In NumPy `pixels / 255` is float64.)",
        ),
        "not-prepared": Misconception(
            "The photos still have pixels up to 255, but the model was trained on 0 to 1.",
            "What does the model get in use? The ranges must be those.",
        ),
        "wrong-count": Misconception(
            "Another number of photos came than `count`.",
            "Which argument says how many, and where do you use it?",
        ),
        "first-ones-only": Misconception(
            "You took the first photos. If the data is sorted, they are all of one class.",
            "How do you get `count` places between the first and the last photo?",
        ),
        "neighbours-only": Misconception(
            "You took photos that lie side by side. If the data is sorted, they are all of one class.",
            "How large must the step from one place to the next be, so that `count` of them reach over all photos?",
        ),
        "one-photo-again": Misconception(
            "The same photo came again and again.",
            "Which name changes from one round of the loop to the next?",
        ),
        "other-photos": Misconception(
            "These numbers are none of the prepared photos.",
            "Compare one of your items with `prepare(pixels)` at the same place.",
        ),
    }

    @staticmethod
    def given(rng):
        yield {"pixels": _sorted_pixels(rng, 40, (4, 4, 1)), "count": 8}
        yield {"pixels": _sorted_pixels(rng, int(rng.integers(60, 90)), (3, 5, 3)), "count": 12}
        yield {"pixels": _sorted_pixels(rng, 25, (2, 2, 1)), "count": 5}

    @staticmethod
    def when(representative, pixels, count):
        function = representative(pixels, count)
        if function is None:
            return {"function": None}
        if not callable(function):
            return {"function": False}
        runs = [_items(function(), len(pixels) + count) for _ in range(2)]
        return {"function": True, "first": runs[0], "second": runs[1]}

    @staticmethod
    def then(seen, pixels, count):
        if not seen["function"]:
            raise Misread("not-a-function", expected="a function", got="something that cannot be called")
        first, second = seen["first"], seen["second"]
        if not first:
            raise Misread("nothing-to-iterate", expected=f"{count} items", got="none")
        if not second:
            raise Misread("empty-the-second-time", expected=f"{len(first)} items again", got="none")
        shape = (1, *pixels.shape[1:])
        for item in first:
            if not isinstance(item, list):
                raise Misread("no-list", expected="a list with one array", got=item)
            if len(item) != 1:
                raise Misread("labels-too", expected="a list with one array", got=f"{len(item)} things in it")
            got = np.asarray(item[0])
            if got.shape != shape:
                name = "no-batch-axis" if got.shape == shape[1:] else "whole-batch"
                raise Misread(name, expected=f"shape {shape}", got=f"shape {got.shape}")
            if got.dtype.name != "float32":
                raise Misread("not-float32", expected="float32", got=got)
        stacked = np.concatenate([item[0] for item in first]).astype(float)
        if stacked.max() > 1.5:
            raise Misread(
                "not-prepared", expected="numbers from 0 to 1", got=f"numbers up to {stacked.max():.0f}"
            )
        if len(first) != count:
            raise Misread("wrong-count", expected=count, got=len(first))
        # The distance of every item to every photo: which photo is it?
        distance = np.abs(stacked[:, None] - pixels[None].astype(float) / 255).reshape(count, len(pixels), -1)
        nearest = distance.max(axis=2)
        if nearest.min(axis=1).max() > 1e-3:
            raise Misread("other-photos", expected="photos out of `pixels`, divided by 255", got=first[0][0])
        places = nearest.argmin(axis=1)
        if len(set(places.tolist())) == 1:
            raise Misread("one-photo-again", expected=f"{count} places", got=f"place {places[0]} each time")
        if places.max() < count:
            raise Misread(
                "first-ones-only", expected=f"places up to {len(pixels) - 1}", got=sorted(places.tolist())
            )
        if len(set(places.tolist())) == count == np.ptp(places) + 1:
            raise Misread(
                "neighbours-only", expected=f"places from 0 to {len(pixels) - 1}", got=sorted(places.tolist())
            )


def _sorted_pixels(rng, count, shape):
    """Return photos that all differ, the darker ones first."""
    photos = rng.integers(0, 256, (count, *shape), np.uint8)
    return photos[np.argsort(photos.reshape(count, -1).mean(axis=1))]


def _items(iterable, most):
    """Return the items as plain data: lists of arrays as lists, a bare array, a tuple or anything else as text."""
    if isinstance(iterable, np.ndarray) or not (
        hasattr(iterable, "__iter__") or inspect.isgenerator(iterable)
    ):
        return []
    return [
        [np.asarray(each) for each in item]
        if isinstance(item, list)
        else "a bare array"
        if isinstance(item, np.ndarray)
        else f"a {type(item).__name__}"
        for item in itertools.islice(iterable, most)
    ]


WIDE = 40


@check(
    points=3,
    minutes=12,
    difficulty="hard",
    hints=(
        "`tf.lite.TFLiteConverter.from_keras_model(model)` gives a converter. Set its attributes by the table, then "
        "return what `converter.convert()` gives.",
        "`optimizations` for all but float32; `target_spec.supported_types = [tf.float16]` for float16 only; "
        "the data set, the operators and the two types for int8 only.",
        "For int8: `converter.representative_dataset = representative_dataset`, "
        "`converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]`, "
        "`converter.inference_input_type = converter.inference_output_type = tf.int8`",
    ),
)
class convert:
    """A model as the bytes of a file, in one of four precisions."""

    misconceptions = {
        "lacks-the-data": Misconception(
            "The converter cannot know the ranges of the activations.",
            "Which argument of yours tells them, and to which attribute of the converter does it go?",
            raises=r"representative_dataset.* must be specified|representative dataset|can only be (float|tf.float)|"
            r"must be tf.float32|inference_input_type",
        ),
        "calls-the-data": Misconception(
            "The converter wants to call the representative data set, and you have called it already.",
            "What do you hand over: the function, or what it returns?",
            raises=r"not callable",
        ),
        "gives-no-bytes": Misconception(
            "What came back is not the bytes of a file.",
            "The converter is a plan. Which method carries it out, and what does it return?",
        ),
        "garbage": Misconception(
            "The file runs, but its answers have nothing to do with the model's.",
            "How was the model handed to the converter? One of the ways loses the weights of a Keras 3 model.",
            raises=r"READ_VARIABLE|variable != nullptr",
        ),
        "always-optimizes": Misconception(
            "The float32 file has smaller weights than float32.",
            "Which variant needs no `optimizations` at all?",
        ),
        "never-optimizes": Misconception(
            "The weights are still float32: nothing was quantized.",
            "Which attribute asks for quantization in the first place, and for which variants?",
        ),
        "float16-ignored": Misconception(
            "The float16 file has int8 weights.",
            "With `optimizations` alone the weights become int8. What says that float16 is meant?",
        ),
        "activations-fixed": Misconception(
            "The dynamic file has int8 activations, as if it had been calibrated.",
            "Which variants need a representative data set? What does the converter do if it gets one all the same?",
        ),
        "weights-only": Misconception(
            "The int8 file computes with float32 activations.",
            "Where do the ranges of the activations come from?",
        ),
        "float-ends": Misconception(
            "Inside it is int8, but its input or its output is still float32.",
            "Two attributes of the converter set the types at the two ends.",
        ),
        "unsigned-ends": Misconception(
            "The ends of the file are uint8; int8 was asked for.",
            "Which of the two integer types has a sign?",
        ),
        "wrong-variant": Misconception(
            "The dtypes in the file are those of another variant.",
            "Which condition decides for this one? Go through your `if` lines with its name in hand.",
        ),
    }

    @staticmethod
    def given(rng):
        for variant in ("float32", "float16", "dynamic", "int8"):
            kernel = rng.normal(0, 0.3, (32, WIDE)).astype(np.float32)
            yield {
                "kernel": kernel,
                "second": rng.normal(0, 0.3, (WIDE, 3)).astype(np.float32),
                "variant": variant,
                "photos": rng.random((6, 32), np.float32),
            }

    @staticmethod
    def when(convert, kernel, second, variant, photos):
        with quiet():
            content = convert(_dense(kernel, second), variant, lambda: ([one[None]] for one in photos))
            if content is None:
                return {"content": None}
            if not isinstance(content, bytes):
                return {"content": f"a {type(content).__name__}"}
            file = litert.Interpreter(model_content=content)
            tensors = [
                [np.dtype(detail["dtype"]).name, [int(size) for size in detail["shape"]]]
                for detail in file.get_tensor_details()
            ]
            source, target = file.get_input_details()[0], file.get_output_details()[0]
            file.resize_tensor_input(source["index"], photos.shape)
            file.allocate_tensors()
            inputs, (scale, zero) = photos, source["quantization"]
            if scale:
                inputs = np.clip(np.rint(photos / scale) + zero, -128, 255).astype(source["dtype"])
            file.set_tensor(source["index"], inputs)
            file.invoke()
            outputs, (scale, zero) = (
                file.get_tensor(target["index"]).astype(np.float32),
                target["quantization"],
            )
        ends = [np.dtype(detail["dtype"]).name for detail in (source, target)]
        outputs = scale * (outputs - zero) if scale else outputs
        return {"content": "bytes", "tensors": tensors, "ends": ends, "outputs": outputs}

    @staticmethod
    def then(seen, kernel, second, variant, photos):
        if seen["content"] != "bytes":
            raise Misread("gives-no-bytes", expected="bytes", got=seen["content"])
        stored = {dtype for dtype, shape in seen["tensors"] if sorted(shape) == [32, WIDE]}
        hidden = {dtype for dtype, shape in seen["tensors"] if shape == [1, WIDE]}
        weights = "int8" if "int8" in stored else "float16" if "float16" in stored else "float32"
        flows = "int8" if "int8" in hidden else "float32"
        wanted = np.einsum("ni,ij,jk->nk", photos.astype(float), kernel, second)
        outputs = np.nan_to_num(seen["outputs"], nan=1e9)
        if not np.all(np.abs(outputs - wanted) <= 0.1 * np.abs(wanted).max() + 1e-3):
            raise Misread("garbage", expected=wanted, got=seen["outputs"])
        asked = {
            "float32": ["float32", "float32", "float32"],
            "float16": ["float16", "float32", "float32"],
            "dynamic": ["int8", "float32", "float32"],
            "int8": ["int8", "int8", "int8"],
        }[variant]
        ends = seen["ends"]
        if [weights, flows] == asked[:2] and set(ends) == {asked[2]}:
            return
        if variant != "float32" and weights == "float32":
            name = "never-optimizes"
        elif variant == "float32" and weights != "float32":
            name = "always-optimizes"
        elif variant == "float16" and weights == "int8" and flows == "float32":
            name = "float16-ignored"
        elif variant == "dynamic" and flows == "int8":
            name = "activations-fixed"
        elif variant == "int8" and weights == "int8" and flows == "float32":
            name = "weights-only"
        elif variant == "int8" and flows == "int8" and "float32" in ends:
            name = "float-ends"
        elif variant == "int8" and flows == "int8" and "uint8" in ends:
            name = "unsigned-ends"
        else:
            name = "wrong-variant"
        found = {"weights": weights, "activations": flows, "input": ends[0], "output": ends[1]}
        raise Misread(name, expected=dict(zip(found, [*asked, asked[2]], strict=True)), got=found)


@check(
    points=2,
    minutes=10,
    difficulty="medium",
    hints=(
        "Two boolean arrays, one entry for each photo: right before and wrong now; wrong before and right now.",
        "`np.bincount(labels[lost], minlength=classes)` counts, for each class, the photos with True.",
        "`lost = (before == labels) & (after != labels)`, `won` alike; `np.stack([...], axis=1)` of the two counts.",
    ),
)
class change_by_class:
    """For each true class, how many photos were lost and how many won."""

    misconceptions = {
        "leaves-classes-out": Misconception(
            "There is not one row for each class: those without photos, or without changes, are missing.",
            "Which argument says how many rows there are? What does `minlength` do?",
        ),
        "one-number-a-class": Misconception(
            "One number for each class came back; lost and won are two.",
            "Three lost and three won is not the same as nothing happened.",
        ),
        "rows-and-columns": Misconception(
            "Rows and columns changed places.",
            "One row for each class: which number must stand first in the shape?",
        ),
        "swaps-lost-and-won": Misconception(
            "Lost and won changed places.",
            "Which of the two does the docstring name first, and which is a photo that was right *before*?",
        ),
        "counts-any-change": Misconception(
            "You counted photos whose answer changed, also from one wrong class to another.",
            "A photo is lost only if it was right. With what must `before` be compared?",
        ),
        "counts-all-right": Misconception(
            "You counted all right or wrong answers, also those that did not change.",
            "Lost needs two conditions at once: one about `before`, one about `after`.",
        ),
        "by-predicted-class": Misconception(
            "The sums are right, but you counted them under the predicted class.",
            "A lost boot is a loss for the boots, whatever the model now says. Which array names the row?",
        ),
        "shares": Misconception(
            "Shares came back; counts were asked for.",
            "With how many photos in a class is a share of 0.02 a single photo? Leave the division out.",
        ),
        "other-counts": Misconception(
            "These are not the photos lost and won.",
            "Take three photos by hand: label, before and after. Which of them count, and in which column?",
        ),
    }

    @staticmethod
    def given(rng):
        labels = np.array([0, 0, 1, 1, 2, 2, 2, 4])
        before = np.array([0, 1, 1, 1, 2, 0, 0, 3])
        after = np.array([1, 0, 1, 2, 1, 2, 1, 3])
        yield {"labels": labels, "before": before, "after": after, "classes": 6}
        yield _answers(rng, 60, 4)
        yield _answers(rng, 200, 10)

    @staticmethod
    def when(change_by_class, labels, before, after, classes):
        return {"changes": change_by_class(labels, before, after, classes)}

    @staticmethod
    def then(seen, labels, before, after, classes):
        wanted, other_row, any_change = (np.zeros((classes, 2)) for _ in range(3))
        totals = np.zeros((classes, 2))
        for label, old, new in zip(labels, before, after, strict=True):
            if (old == label) != (new == label):
                column = 0 if old == label else 1
                wanted[label, column] += 1
                other_row[new if old == label else old, column] += 1
            any_change[label, 0] += old == label and new != old
            any_change[label, 1] += old != label and new != old
            totals[label] += old != label, new == label
        got = np.asarray(seen["changes"], float)
        if got.shape == wanted.shape and np.array_equal(got, wanted):
            return
        if got.shape == (classes,):
            raise Misread("one-number-a-class", expected=wanted.astype(int), got=got)
        if got.shape == (2, classes):
            raise Misread("rows-and-columns", expected=[classes, 2], got=[2, classes])
        if (got.ndim == 2 and got.shape[0] < classes) or got.ndim == 1:
            raise Misread("leaves-classes-out", expected=f"shape {classes, 2}", got=f"shape {got.shape}")
        if got.shape != wanted.shape:
            raise Misread("other-counts", expected=f"shape {classes, 2}", got=f"shape {got.shape}")
        per_class = np.maximum(np.bincount(labels, minlength=classes), 1)[:, None]
        with np.errstate(invalid="ignore"):
            share = np.nan_to_num(got)
        name = "other-counts"
        if np.array_equal(got, wanted[:, ::-1]):
            name = "swaps-lost-and-won"
        elif np.array_equal(got, any_change) or np.array_equal(got[:, 0], any_change.sum(axis=1)):
            name = "counts-any-change"
        elif _counts_all(got, labels, before, after, classes):
            name = "counts-all-right"
        elif np.array_equal(got.sum(axis=0), wanted.sum(axis=0)):
            name = "by-predicted-class"
        elif np.allclose(share, wanted / per_class, atol=1e-3) or np.allclose(
            share, wanted / len(labels), atol=1e-3
        ):
            name = "shares"
        raise Misread(name, expected=wanted.astype(int), got=np.asarray(seen["changes"]))


def _answers(rng, count, classes):
    """Return labels, and two sets of answers that are often right and sometimes change."""
    labels = rng.integers(0, classes, count)
    labels[: 2 * classes] = np.tile(np.arange(classes), 2)
    before, after = (
        np.where(rng.random(count) < 0.6, labels, rng.integers(0, classes, count)) for _ in range(2)
    )
    return {"labels": labels, "before": before, "after": after, "classes": classes}


def _counts_all(got, labels, before, after, classes):
    """Tell whether the columns are counts of right or wrong answers, without looking at what changed."""
    tallies = [
        np.bincount(labels[which], minlength=classes)
        for which in (before == labels, before != labels, after == labels, after != labels)
    ]
    return all(any(np.array_equal(column, tally) for tally in tallies) for column in got.T)


@check(
    points=2,
    minutes=10,
    difficulty="medium",
    hints=(
        "First make a list of the names that fit. Is it empty? Then there is nothing to choose.",
        '`row["kB"] <= budget["kB"]`, the milliseconds alike, `row["accuracy"] >= budget["accuracy"]`. Tuples are '
        'compared place by place: `(row["kB"], row["ms"])`.',
        '`fitting = [...]` with three conditions; `return min(fitting, key=lambda name: (candidates[name]["kB"], '
        'candidates[name]["ms"]), default=None)`',
    ),
)
class choose:
    """The name of the candidate that ships under a budget, or None."""

    misconceptions = {
        "stops-when-none-fits": Misconception(
            "When no candidate fits, your function stops with an error instead of returning None.",
            "What do `min` and `[0]` do with an empty list?",
            raises=r"empty|IndexError|StopIteration",
        ),
        "gives-the-row": Misconception(
            "The name of a candidate was asked for; something else came back.",
            "The keys of the dict are the names. What stands after your `return`?",
        ),
        "ignores-the-size": Misconception(
            "The file that you chose is too large for the budget.",
            "Which of the three limits do you not compare?",
        ),
        "ignores-the-time": Misconception(
            "The file that you chose is too slow for the budget.",
            "Which of the three limits do you not compare?",
        ),
        "ignores-the-accuracy": Misconception(
            "The file that you chose is not accurate enough for the budget.",
            "Which of the three limits do you not compare, or which way round?",
        ),
        "ships-all-the-same": Misconception(
            "No candidate fits, and you chose one all the same.",
            "Hold your choice against the three limits. Is one missing, or do you fall back on something?",
        ),
        "limits-excluded": Misconception(
            "A candidate that lies exactly on a limit was turned away.",
            "At most 150 kB: does a file of 150 kB fit? Which sign says so?",
        ),
        "largest": Misconception(
            "Of those that fit you took the largest.", "Which end of the list of sizes does the scanner like?"
        ),
        "most-accurate": Misconception(
            "Of those that fit you took the most accurate, not the smallest.",
            "The budget says how much accuracy is enough. What is to be spared beyond that?",
        ),
        "fastest": Misconception(
            "Of those that fit you took the fastest, not the smallest.",
            "In which order do the size and the time count?",
        ),
        "first-that-fits": Misconception(
            "You took the first that fits.",
            "Would the answer be the same if the table were sorted otherwise?",
        ),
        "ignores-ties": Misconception(
            "Two that fit are equally small, and you did not take the faster of them.",
            "How are two tuples compared whose first numbers are equal?",
        ),
        "other-choice": Misconception(
            "This is not the name of the smallest candidate that fits.",
            "Write the three limits beside the table and strike out by hand what does not fit.",
        ),
    }

    @staticmethod
    def given(rng):
        table = _table(large=(420, 3, 0.88), half=(210, 4, 0.87), quick=(150, 1, 0.86), small=(100, 2, 0.85))
        yield {"candidates": table, "budget": {"kB": 250, "ms": 6.0, "accuracy": 0.80}}
        yield {"candidates": table, "budget": {"kB": 50, "ms": 6.0, "accuracy": 0.80}}
        bad = _table(broken=(90, 0.5, 0.41)) | {name: table[name] for name in ("half", "quick", "small")}
        yield {"candidates": bad, "budget": {"kB": 250, "ms": 6.0, "accuracy": 0.80}}
        slow = _table(slow=(60, 40, 0.86)) | {name: table[name] for name in ("half", "quick", "small")}
        yield {"candidates": slow, "budget": {"kB": 400, "ms": 5.0, "accuracy": 0.80}}
        yield {"candidates": table, "budget": {"kB": 100, "ms": 2.0, "accuracy": 0.85}}
        tied = _table(one=(80, 9.0, 0.9), two=(80, 2.0, 0.8), three=(200, 1.0, 0.75), four=(300, 5.0, 0.72))
        yield {"candidates": tied, "budget": {"kB": 300, "ms": 9.0, "accuracy": 0.7}}
        for _ in range(2):
            ms, kb = rng.uniform(0.1, 0.9, 5), rng.uniform(1, 50, 5).round(1)
            drawn = (
                (150 + kb[0], 3 + ms[0], 0.82),
                (250 + kb[1], 1 + ms[1], 0.82),
                (50 + kb[2], 4 + ms[2], 0.81),
                (450 + kb[3], 2 + ms[3], 0.80),
                (350 + kb[4], 3.5, 0.84),
            )
            names = [f"net-{number}" for number in rng.choice(np.arange(10, 100), 5, replace=False)]
            candidates = _table(**dict(zip(names, drawn, strict=True)))
            yield {"candidates": candidates, "budget": {"kB": 500, "ms": 5.0, "accuracy": 0.8}}

    @staticmethod
    def when(choose, candidates, budget):
        chosen = choose(candidates, budget)
        if chosen is not None and not isinstance(chosen, str):
            return {"chosen": "", "form": f"a {type(chosen).__name__}"}
        return {"chosen": chosen or "None", "form": "a name"}

    @staticmethod
    def then(seen, candidates, budget):
        signs = {"kB": 1, "ms": 1, "accuracy": -1}

        def best(limits, inclusive=True, key=("kB", "ms")):
            fit = []
            for name, row in candidates.items():
                over = [signs[what] * (row[what] - budget[what]) for what in limits]
                if all(gap <= 0 if inclusive else gap < 0 for gap in over):
                    fit.append(([signs[what] * row[what] for what in key], name))
            return sorted(fit)[0][1] if fit else "None"

        def in_words(name):
            return {name: candidates[name]} if name in candidates else name

        chosen, wanted = seen["chosen"], best(signs)
        if seen["form"] != "a name":
            raise Misread("gives-the-row", expected=wanted, got=seen["form"])
        if chosen == wanted:
            return
        names = {"kB": "ignores-the-size", "ms": "ignores-the-time", "accuracy": "ignores-the-accuracy"}
        row = candidates.get(chosen)
        broken = [what for what in signs if row and signs[what] * (row[what] - budget[what]) > 0]
        if row is None and chosen != "None":
            name = "other-choice"
        elif wanted == "None":
            name = "ships-all-the-same"
        elif broken:
            name = names[broken[0]]
        elif chosen == best(signs, inclusive=False):
            name = "limits-excluded"
        elif row and row["kB"] == candidates[wanted]["kB"]:
            name = "ignores-ties"
        else:
            fit = [n for n, r in candidates.items() if all(signs[w] * (r[w] - budget[w]) <= 0 for w in signs)]
            known = {
                "largest": max(fit, key=lambda n: candidates[n]["kB"]),
                "most-accurate": best(signs, key=("accuracy",)),
                "fastest": best(signs, key=("ms",)),
                "first-that-fits": fit[0],
            }
            same = [n for n, answer in known.items() if answer == chosen]
            name = same[0] if len(same) == 1 else "other-choice"  # another case tells them apart
        raise Misread(name, expected=in_words(wanted), got=in_words(chosen))


def _table(**rows):
    return {
        name: dict(zip(("kB", "ms", "accuracy"), map(float, row), strict=True)) for name, row in rows.items()
    }
