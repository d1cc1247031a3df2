"""What each exercise of this lab must do, and the misconceptions that its check can tell apart."""

import numpy as np

from labs import Misconception, Misread, check, lazy

keras = lazy("keras")
tf = lazy("tensorflow")


@check(
    points=1,
    minutes=8,
    difficulty="easy",
    hints=(
        "Ask Keras: `keras.layers.BatchNormalization()` and the like, built, list their `weights` in order.",
        "Linear: two axes change places. Conv2d: axes 2 and 3 (height, width) come first, then in, then out.",
        '`np.transpose(tensors["weight"], (1, 0))` or `(2, 3, 1, 0)`, and the bias if it is there; for BatchNorm2d '
        "those of weight, bias, running_mean, running_var that are there",
    ),
)
class keras_weights:
    """The arrays of one PyTorch layer, in Keras' axes and order."""

    misconceptions = {
        "forgets-a-kind": Misconception(
            "Your code looks the kind up, and has no entry for one of the three.",
            "Which three kinds can arrive, and which lines do you mean for each?",
            raises=r"KeyError: '(Linear|Conv2d|BatchNorm2d)'",
        ),
        "wants-every-name": Misconception(
            "A tensor was read that this layer does not have.",
            "What is missing after `bias=False`, and what after `affine=False`?",
            raises=r"KeyError",
        ),
        "not-a-list": Misconception(
            "One array came back, or a dict; `set_weights` takes a list of arrays.",
            "How many arrays does the layer have, and in which order?",
        ),
        "counts-batches": Misconception(
            "The list holds `num_batches_tracked`, for which Keras has no place.",
            "Which names of `tensors` have a counterpart in Keras?",
        ),
        "wrong-number": Misconception(
            "The list does not hold as many arrays as the layer has.",
            "Compare the names in `tensors` with what you return: is one missing, or made up?",
        ),
        "other-order": Misconception(
            "The arrays are the right ones, in another order.",
            "`layer.weights` of a built Keras layer shows the order. Which comes first?",
        ),
        "reshapes": Misconception(
            "The shape is right and the numbers sit in other places: it was reshaped, not transposed.",
            "`reshape` keeps the order in which numbers lie in memory. What moves axes?",
        ),
        "keeps-torch-axes": Misconception(
            "The kernel came across with its axes unchanged.",
            "PyTorch puts the outputs first. Where does Keras put them?",
        ),
        "reverses-all-axes": Misconception(
            "The axes of the convolution's kernel were all reversed: height and width changed places too.",
            "`.T` reverses *every* axis. Which of the four must stay in their order?",
        ),
        "swaps-in-and-out": Misconception(
            "Height and width are right; the last two axes, in and out, are the wrong way round.",
            "Which of them is last in Keras, and which first in PyTorch?",
        ),
        "turns-the-kernel": Misconception(
            "The kernel was turned over, as for a convolution in mathematics.",
            "Do both frameworks slide the kernel the same way? Then nothing needs turning.",
        ),
        "other-numbers": Misconception(
            "The kernel's axes, or the numbers in it, are not where Keras wants them.",
            "Follow one number: output 1, input 0. Where must it stand in the kernel?",
        ),
    }

    @staticmethod
    def given(rng):
        def draw(*shape):
            return rng.normal(size=shape).astype(np.float32).round(2)

        yield {"kind": "Linear", "tensors": {"weight": draw(2, 3), "bias": draw(2)}}
        yield {"kind": "Linear", "tensors": {"weight": draw(4, 4)}}
        yield {"kind": "Conv2d", "tensors": {"weight": draw(3, 2, 4, 5), "bias": draw(3)}}
        yield {"kind": "Conv2d", "tensors": {"weight": draw(3, 3, 3, 3)}}
        statistics = {"running_mean": draw(3), "running_var": np.abs(draw(3)) + 1}
        counted = {"num_batches_tracked": np.array(7)}
        yield {
            "kind": "BatchNorm2d",
            "tensors": {"weight": draw(3) + 5, "bias": draw(3), **statistics, **counted},
        }
        yield {"kind": "BatchNorm2d", "tensors": {**statistics, **counted}}

    @staticmethod
    def when(keras_weights, kind, tensors):
        arrays = keras_weights(kind, tensors)
        if arrays is None:
            return {"arrays": None}
        if not isinstance(arrays, list | tuple):
            raise Misread("not-a-list", expected="a list of arrays", got=f"one {type(arrays).__name__}")
        return {"arrays": [np.asarray(array) for array in arrays]}

    @staticmethod
    def then(seen, kind, tensors):
        arrays = [np.asarray(array) for array in seen["arrays"]]
        wanted = _wanted(kind, tensors)
        shapes, got = [list(array.shape) for array in wanted], [list(array.shape) for array in arrays]
        if kind == "BatchNorm2d" and any(not array.shape for array in arrays):
            raise Misread("counts-batches", expected=shapes, got=got)
        if len(arrays) != len(wanted):
            raise Misread("wrong-number", expected=f"{len(wanted)} arrays", got=f"{len(arrays)} arrays")
        if all(map(_same, arrays, wanted)):
            return
        if all(any(_same(array, other) for other in arrays) for array in wanted):
            raise Misread("other-order", expected=wanted, got=arrays)
        if kind == "BatchNorm2d":
            raise Misread("other-numbers", expected=wanted, got=arrays)
        raise Misread(_kernel(arrays[0], tensors["weight"], wanted[0]), expected=wanted[0], got=arrays[0])


def _wanted(kind, tensors):
    if kind == "BatchNorm2d":
        order = ["weight", "bias", "running_mean", "running_var"]
        return [tensors[name] for name in order if name in tensors]
    letters = "oi->io" if kind == "Linear" else "oiyx->yxio"
    bias = [tensors["bias"]] if "bias" in tensors else []
    return [np.einsum(letters, tensors["weight"]), *bias]


def _kernel(kernel, weight, wanted):
    """Name what was done to `weight` instead."""
    if _same(kernel, weight):
        return "keeps-torch-axes"
    if weight.ndim == 4:
        if _same(kernel, np.einsum("oiyx->xyio", weight)):
            return "reverses-all-axes"
        if _same(kernel, np.einsum("oiyx->yxoi", weight)):
            return "swaps-in-and-out"
        if _same(kernel, wanted[::-1, ::-1]):
            return "turns-the-kernel"
    return "reshapes" if _same(kernel, weight.reshape(wanted.shape)) else "other-numbers"


def _same(got, wanted):
    return np.shape(got) == np.shape(wanted) and np.allclose(got, wanted, rtol=1e-4, atol=1e-5)


@check(
    points=2,
    minutes=10,
    difficulty="medium",
    hints=(
        "First undo the flattening: `weight.reshape(...)` to four axes. Which ones, in PyTorch's order?",
        "Now (out, channels, height, width). Keras flattens height, width, channels; and a kernel ends with out.",
        "`weight.reshape(len(weight), channels, height, width).transpose(2, 3, 1, 0).reshape(-1, len(weight))`",
    ),
)
class dense_after_flatten:
    """A Dense kernel for channels-last input, from a Linear weight for channels-first input."""

    misconceptions = {
        "shapes-do-not-fit": Misconception(
            "A reshape or transpose does not fit the number of axes or elements.",
            "Write down the shape after each step. How many axes are there when you transpose?",
            raises=r"cannot reshape|axes don't match|invalid axis|AxisError|out of bounds|repeated axis",
        ),
        "outputs-first": Misconception(
            "The outputs still come first: a Dense kernel has the shape (inputs, outputs).",
            "Which axis of a kernel belongs to the outputs?",
        ),
        "cuts-without-moving": Misconception(
            "The rows were cut into other shapes, but no axis moved before flattening again.",
            "Where are the axes moved: before the last reshape, and by which function?",
        ),
        "only-transposed": Misconception(
            "The weight was only transposed: its rows are still in PyTorch's order.",
            "The first rows belong to channel 0 at every place. Which places and channels come first in Keras?",
        ),
        "reads-channels-last": Misconception(
            "The weight was read as if it had been flattened channels last already.",
            "It comes from PyTorch. In which order were its columns when it was trained?",
        ),
        "swaps-height-and-width": Misconception(
            "Height and width changed places.",
            "Reading row by row, the width runs faster than the height, in both frameworks.",
        ),
        "other-rows": Misconception(
            "The kernel's rows are not in Keras' order.",
            "Row `(y * width + x) * channels + c` belongs to channel c at y, x. Is it so in yours?",
        ),
    }

    @staticmethod
    def given(rng):
        for channels, height, width, out in ((2, 2, 3, 2), (3, 2, 4, 5), (2, 3, 3, 18), (4, 5, 2, 1)):
            weight = rng.normal(size=(out, channels * height * width)).astype(np.float32)
            yield {"weight": weight, "channels": channels, "height": height, "width": width}

    @staticmethod
    def when(dense_after_flatten, weight, channels, height, width):
        kernel = dense_after_flatten(weight, channels, height, width)
        return {"kernel": None if kernel is None else np.asarray(kernel)}

    @staticmethod
    def then(seen, weight, channels, height, width):
        kernel, out = np.asarray(seen["kernel"]), len(weight)
        wanted = np.empty((height * width * channels, out), np.float32)
        for place in np.ndindex(channels, height, width):
            c, y, x = place
            wanted[(y * width + x) * channels + c] = weight[:, (c * height + y) * width + x]
        if _same(kernel, wanted):
            return
        known = {"outputs-first": wanted.T, "only-transposed": weight.T}
        as_last = weight.reshape(out, height, width, channels)
        known["reads-channels-last"] = np.einsum("oyxc->cyxo", as_last).reshape(-1, out)
        per_place = weight.reshape(out, channels, height, width)
        known["swaps-height-and-width"] = np.einsum("ocyx->xyco", per_place).reshape(-1, out)
        known["cuts-without-moving"] = weight.reshape(-1, out)
        same = [name for name, array in known.items() if _same(kernel, array)]
        if not same and kernel.shape == weight.shape != wanted.shape:
            same = ["outputs-first"]
        raise Misread(same[0] if same else "other-rows", expected=wanted, got=kernel)


@check(
    points=2,
    minutes=8,
    difficulty="medium",
    hints=(
        "All four are arguments of Keras' layer, under other names or turned round; one is not needed at all.",
        "`center` switches the shift, `scale` the scale. What keeps 90 % in Keras, and what in PyTorch?",
        "`keras.layers.BatchNormalization(momentum=1 - momentum, epsilon=eps, center=affine, scale=affine)`",
    ),
)
class batchnorm_like:
    """A Keras layer that normalizes as PyTorch's BatchNorm2d with these arguments."""

    misconceptions = {
        "features-as-axis": Misconception(
            "`num_features` arrived where Keras takes `axis`.",
            "Keras finds the number of channels from its input. What is its first argument?",
            raises=r"[Ii]nvalid value for `axis`|axis.*out of|list index out of range|Invalid axis|IndexError",
        ),
        "not-a-layer": Misconception(
            "What came back is not a batch normalization layer.",
            "`batchnorm_like` makes the layer; who calls it, and when?",
        ),
        "other-axis": Misconception(
            "It does not normalize each channel of channels-last input.",
            "Which axis holds the channels here? That is Keras' default too.",
        ),
        "ignores-affine": Misconception(
            "With `affine=False` there is still something to train.",
            "Which two arguments switch the scale and the shift off?",
        ),
        "never-affine": Misconception(
            "With `affine=True` scale or shift is missing.",
            "Which two things does PyTorch train in this layer by default?",
        ),
        "momentum-copied": Misconception(
            "`momentum` was handed on as it is, and means the opposite in Keras.",
            "How much of the old mean does PyTorch keep at 0.1? Say that in Keras.",
        ),
        "momentum-left-out": Misconception(
            "The running mean moves as by Keras' default, whatever `momentum` is.",
            "Which arguments does your call use, and which not?",
        ),
        "other-momentum": Misconception(
            "The running mean moves by another share than PyTorch's.",
            "Start at 0, batch mean 1: where is PyTorch's after one batch, and where yours?",
        ),
        "epsilon-left-out": Misconception(
            "The variance gets Keras' default epsilon, 1e-3, whatever `eps` is.",
            "Where variances are small, that number decides. What is it called in Keras?",
        ),
        "other-normalization": Misconception(
            "It does not normalize with mean, variance and epsilon as PyTorch does.",
            "Compare each argument you hand on with the one that was asked for.",
        ),
    }

    @staticmethod
    def given(rng):
        yield {"arguments": {"num_features": 3}, "x": _features(rng, 3)}
        yield {"arguments": {"num_features": 4, "eps": 0.01, "momentum": 0.3}, "x": _features(rng, 4)}
        yield {"arguments": {"num_features": 2, "eps": 1e-4, "affine": False}, "x": _features(rng, 2)}
        momentum = round(float(rng.uniform(0.15, 0.45)), 2)
        yield {
            "arguments": {"num_features": 5, "momentum": momentum, "affine": False},
            "x": _features(rng, 5),
        }

    @staticmethod
    def when(batchnorm_like, arguments, x):
        layer = batchnorm_like(**arguments)
        if layer is None:
            return {"trained": None}
        if not isinstance(layer, keras.layers.BatchNormalization):
            raise Misread("not-a-layer", expected="a BatchNormalization", got=f"a {type(layer).__name__}")
        layer(tf.constant(x), training=True)
        seen = {"trained": len(layer.trainable_variables), "moved": layer.moving_mean.numpy()}
        layer.moving_mean.assign(tf.zeros_like(layer.moving_mean))
        layer.moving_variance.assign(tf.fill(layer.moving_variance.shape, 1e-3))
        return {**seen, "answers": layer(tf.constant(x), training=False)}

    @staticmethod
    def then(seen, arguments, x):
        momentum, eps = arguments.get("momentum", 0.1), arguments.get("eps", 1e-5)
        mean, moved = x.reshape(-1, x.shape[-1]).mean(axis=0), np.asarray(seen["moved"])
        if moved.shape != mean.shape:
            raise Misread(
                "other-axis", expected=f"{len(mean)} running means", got=f"{moved.size} running means"
            )
        wanted = 2 if arguments.get("affine", True) else 0
        if seen["trained"] != wanted:
            name = "never-affine" if wanted else "ignores-affine"
            raise Misread(name, expected=f"{wanted} trainable variables", got=f"{seen['trained']}")
        shares = {"": momentum, "momentum-copied": 1 - momentum, "momentum-left-out": 0.01}
        moves = [
            name for name, share in shares.items() if np.allclose(moved, share * mean, rtol=1e-3, atol=1e-5)
        ]
        if "" not in moves:
            got = {"running mean after one batch": moved}
            name = moves[0] if moves else "other-momentum"
            raise Misread(name, expected={"running mean after one batch": momentum * mean}, got=got)
        answers = np.asarray(seen["answers"])
        if not np.allclose(answers, x / (1e-3 + eps) ** 0.5, rtol=1e-3, atol=1e-4):
            default = np.allclose(answers, x / (2e-3) ** 0.5, rtol=1e-3, atol=1e-4)
            name = "epsilon-left-out" if default else "other-normalization"
            raise Misread(name, expected=x / (1e-3 + eps) ** 0.5, got=answers)


def _features(rng, channels):
    return rng.normal(2, 1, (4, 3, 6, channels)).astype(np.float32)


@check(
    points=3,
    minutes=12,
    difficulty="hard",
    hints=(
        "Keep a list of sums, one for each trainable variable. Only after the loop comes the optimizer.",
        "The mean over all examples is the sum of the batches' means, each times its share of the examples.",
        "In a tape: `loss = loss_fn(labels, model(images, training=True)) * len(labels) / examples`; then add its "
        "gradients to the sums; after it `optimizer.apply(sums, model.trainable_variables)`",
    ),
)
class accumulated_step:
    """One optimizer step for several batches, as if they were one."""

    misconceptions = {
        "sums-start-as-nothing": Misconception(
            "Your sums begin as None.",
            "What must be there before the first gradient is added?",
            raises=r"'NoneType' object is not|\+=?: 'NoneType' and",
        ),
        "no-path-back": Misconception(
            "No variable got a gradient: nothing on the tape leads from the loss back to the weights.",
            "Which lines must run while the tape is open?",
            raises=r"No gradients provided|None values not supported|and 'NoneType'|[*/]: 'NoneType'",
        ),
        "adds-a-none": Misconception(
            "You compute with a None: a gradient that found no path back, or a sum that began as None.",
            "Print both sides before you add or multiply. Which of them is None?",
            raises=r"convert a value \(None\)",
        ),
        "swaps-the-arguments": Misconception(
            "The loss got labels and logits the wrong way round.",
            "PyTorch's losses take the prediction first. And Keras'?",
            raises=r"must have rank|`?target|must be equal rank|same shape|Incompatible|incompatible",
        ),
        "adds-the-lists": Misconception(
            "Two lists of gradients were joined, not added: there are more gradients than variables.",
            "What does `+` do with two lists? Walk both together.",
            raises=r"argument 2 is shorter|argument 1 is longer|zip\(\)|shapes must|Expected.*gradients|length",
        ),
        "never-steps": Misconception(
            "The weights are as before.", "Which call moves them, and does it come after the loop?"
        ),
        "steps-each-batch": Misconception(
            "The optimizer stepped more than once.",
            "How often may `apply` be called, and so: inside the loop or after it?",
        ),
        "inference-mode": Misconception(
            "The model was called as for inference.",
            "In PyTorch somebody said `model.train()` before. Where is that said here?",
        ),
        "last-batch-only": Misconception(
            "The step is that of the last batch alone.",
            "A tape returns new gradients each time. Who keeps those of the batches before?",
        ),
        "sums-the-means": Misconception(
            "The step is too long: the batches' gradients were added, and nothing was divided.",
            "Each batch's loss is a mean. What is the mean of all, and how much does each batch bring to it?",
        ),
        "batches-count-alike": Misconception(
            "Every batch counted the same, whatever its size.",
            "Ten examples weigh less than thirty-four. By what share?",
        ),
        "other-loss": Misconception(
            "The weights moved rightly; the loss that came back is not the mean over all examples.",
            "Is what you return weighted like the gradients?",
        ),
        "other-step": Misconception(
            "The weights moved, but not by one step for all examples together.",
            "Try it with one batch first: is that the ordinary step?",
        ),
    }

    @staticmethod
    def given(rng):
        for sizes in ([6], [4, 4], [2, 5, 3], [int(n) for n in rng.integers(1, 7, 3)] + [8]):
            features = int(rng.integers(3, 6))
            images = [rng.normal(size=(n, features)).astype(np.float32) for n in sizes]
            labels = [rng.integers(0, 3, n) for n in sizes]
            kernel = rng.normal(size=(features, 3)).astype(np.float32)
            yield {"images": images, "labels": labels, "kernel": kernel, "learning_rate": 0.5}

    @staticmethod
    def when(accumulated_step, images, labels, kernel, learning_rate):
        model = keras.Sequential(
            [keras.Input(kernel.shape[:1]), _doubling()(), keras.layers.Dense(3, use_bias=False)]
        )
        model.layers[-1].kernel.assign(kernel)
        optimizer = keras.optimizers.SGD(learning_rate)
        loss_fn = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
        batches = [(tf.constant(x), tf.constant(y)) for x, y in zip(images, labels, strict=True)]
        loss = accumulated_step(model, loss_fn, optimizer, batches)
        return {
            "loss": loss,
            "kernel": model.layers[-1].kernel.numpy(),
            "steps": int(optimizer.iterations.numpy()),
        }

    @staticmethod
    def then(seen, images, labels, kernel, learning_rate):
        parts = [_softmax_regression(2 * x, y, kernel) for x, y in zip(images, labels, strict=True)]
        everything = np.concatenate(images), np.concatenate(labels)
        loss, whole = _softmax_regression(2 * everything[0], everything[1], kernel)
        moved = (kernel - np.asarray(seen["kernel"])) / learning_rate
        if np.allclose(moved, 0, atol=1e-7):
            raise Misread("never-steps", expected=kernel - learning_rate * whole, got=kernel)
        if seen["steps"] != 1:
            raise Misread("steps-each-batch", expected="1 step", got=f"{seen['steps']} steps")
        if not np.allclose(moved, whole, rtol=1e-3, atol=1e-4):
            known = {"inference-mode": _softmax_regression(*everything, kernel)[1]}
            known["last-batch-only"] = parts[-1][1]
            known["sums-the-means"] = np.sum([slope for _, slope in parts], axis=0)
            known["batches-count-alike"] = np.mean([slope for _, slope in parts], axis=0)
            same = [name for name, slope in known.items() if np.allclose(moved, slope, rtol=1e-3, atol=1e-4)]
            raise Misread(
                same[0] if same else "other-step", expected={"moved by": whole}, got={"moved by": moved}
            )
        if np.shape(seen["loss"]) != () or not np.isclose(float(seen["loss"]), loss, rtol=1e-3):
            raise Misread("other-loss", expected=float(loss), got=seen["loss"])


def _doubling():
    class Doubling(keras.layers.Layer):
        """Doubles in training, so that the mode can be told from the gradients."""

        def call(self, x, training=False):
            return 2 * x if training else x

    return Doubling


def _softmax_regression(x, y, kernel):
    """Return mean cross-entropy and its slope along `kernel`, from the formula instead of a tape."""
    x, kernel = np.asarray(x, float), np.asarray(kernel, float)
    raised = np.exp(x @ kernel)
    odds = raised / raised.sum(axis=1, keepdims=True)
    truth = np.eye(kernel.shape[1])[y]
    return -np.mean(np.log((odds * truth).sum(axis=1))), x.T @ (odds - truth) / len(x)


@check(
    points=3,
    minutes=12,
    difficulty="hard",
    hints=(
        "Two numbers for each option that may stay: its total with every unknown as 0, and with every unknown as 1.",
        "Only the best worst case matters: an option is surely beaten if its best case lies below that.",
        "`lead = max(worst.values())`, then `sorted(o for o in best if best[o] >= lead - 1e-9)`; an option is out "
        "beforehand if `scores[option][must] == 0` for a must",
    ),
)
class unbeaten:
    """The options that no other surely beats."""

    misconceptions = {
        "unknown-is-no-number": Misconception(
            "An unknown score, None, was used as a number.",
            "What is an unknown worth in the worst case, and what in the best?",
            raises=r"NoneType",
        ),
        "nothing-left": Misconception(
            "It fails where every option is left out.",
            "What is the largest of no numbers? What should come back then?",
            raises=r"empty (sequence|iterable)|max\(\)|arg is an empty",
        ),
        "names-one": Misconception(
            "One name came back; asked for was the list of all that are left.",
            "What if two are equal? Return a list, also for one.",
        ),
        "not-sorted": Misconception(
            "The right options came back, not in the order of the alphabet.",
            "Which function puts a list in order?",
        ),
        "ignores-musts": Misconception(
            "An option with 0 in a must is still there.",
            "Where do you look at `musts`? A high total cannot make up for it.",
        ),
        "fails-the-unknown": Misconception(
            "An option was left out because a must is unknown.",
            "Nobody knows yet: that is not a 0. Which comparison tells None from 0?",
        ),
        "drops-the-tied": Misconception(
            "Of options with equal totals some were dropped: the comparison is exact, or lets only one win.",
            "Is 0.1 + 0.2 equal to 0.3 in floating point? And who beats whom in a tie?",
        ),
        "ignores-weights": Misconception(
            "The totals count all criteria alike.", "Which argument says how much each criterion matters?"
        ),
        "unknown-is-zero": Misconception(
            "Unknown scores were taken as 0, in the best case too.",
            "Could the unknown turn out well? Then the option is not *surely* beaten.",
        ),
        "unknown-is-average": Misconception(
            "Each option had one total: unknown scores were left out, or taken in the middle.",
            "A range has two ends. Which end of which option do you compare?",
        ),
        "compares-best-cases": Misconception(
            "The best cases were compared with each other, so an option with few unknowns lost to a hope.",
            "To beat *surely*, which case of the winner must be above which case of the loser?",
        ),
        "beaten-by-the-barred": Misconception(
            "An option lost to one that is not allowed itself.",
            "What comes first: leaving out by musts, or comparing?",
        ),
        "other-choice": Misconception(
            "These are not the options that are left.",
            "Write down worst and best case of each option by hand, and compare.",
        ),
    }

    @staticmethod
    def given(rng):
        plain = {"A": {"x": 0.9, "y": 0.2, "z": 0.7}, "B": {"x": 0.3, "y": 0.7, "z": 0.2}}
        yield {"scores": plain, "weights": {"x": 1, "y": 6, "z": 1}, "musts": []}
        tied = {"D": {"x": 0.3, "y": 0.0}, "C": {"x": 0.1, "y": 0.2}, "E": {"x": 0.2, "y": 0.05}}
        yield {"scores": tied, "weights": {"x": 1, "y": 1}, "musts": []}
        barred = {"F": {"x": 1.0, "y": 0}, "G": {"x": 0.2, "y": 0.1}, "H": {"x": 0.1, "y": 0.1}}
        yield {"scores": barred, "weights": {"x": 5, "y": 1}, "musts": ["y"]}
        unsure = {"K": {"x": 0.9, "y": None}, "J": {"x": 0.3, "y": 0.4}, "L": {"x": 0.1, "y": 0.1}}
        yield {"scores": unsure, "weights": {"x": 1, "y": 1}, "musts": ["y"]}
        hope = {"M": {"x": None, "y": 0.3}, "N": {"x": 0.4, "y": 0.5}, "O": {"x": 0.6, "y": None}}
        yield {"scores": hope, "weights": {"x": 2, "y": 1}, "musts": []}
        yield {"scores": {"P": {"x": 0}, "Q": {"x": 0.0}}, "weights": {"x": 1}, "musts": ["x"]}
        places, criteria = np.sort(rng.choice(26, 5, replace=False))[[2, 0, 4, 1, 3]], ["x", "y", "z"]
        names = [f"{chr(ord('A') + place)}{rng.integers(1, 10)}" for place in places]
        drawn = {name: {c: float(rng.integers(1, 11)) / 10 for c in criteria} for name in names}
        yield {"scores": drawn, "weights": {c: int(rng.integers(1, 6)) for c in criteria}, "musts": ["x"]}

    @staticmethod
    def when(unbeaten, scores, weights, musts):
        left = unbeaten(scores, weights, musts)
        if isinstance(left, str):
            raise Misread("names-one", expected="a list of names", got=left)
        if isinstance(left, set | dict):
            raise Misread("not-sorted", expected="a sorted list", got=f"a {type(left).__name__}")
        return {"left": None if left is None else [str(name) for name in left]}

    @staticmethod
    def then(seen, scores, weights, musts):
        left, wanted = list(seen["left"]), _left(scores, weights, musts)
        if left == wanted:
            return
        name = _choice(left, wanted, scores, weights, musts)
        raise Misread(name, expected=", ".join(wanted) or "nobody", got=", ".join(left) or "nobody")


def _ends(scores, weights, low=0.0, high=1.0):
    """Return names, worst cases and best cases, rounded so that ties are ties."""
    names = list(scores)
    table = np.array(
        [[np.nan if own[c] is None else own[c] for c in weights] for own in scores.values()], float
    )
    weight = np.array(list(weights.values()), float)
    table = table.reshape(len(names), len(weight))
    ends = (np.where(np.isnan(table), end, table) @ weight for end in (low, high))
    return names, *(np.round(end, 8) for end in ends)


def _allowed(scores, musts, unknown_fails=False):
    bad = (0, None) if unknown_fails else (0,)
    return {name: own for name, own in scores.items() if not any(own[must] in bad for must in musts)}


def _left(scores, weights, musts, low=0.0, high=1.0):
    allowed = _allowed(scores, musts)
    if not allowed:
        return []
    names, worst, best = _ends(allowed, weights, low, high)
    return sorted(name for name, value in zip(names, best, strict=True) if value >= worst.max())


def _choice(left, wanted, scores, weights, musts):
    """Name what was done instead."""
    if sorted(left) == wanted:
        return "not-sorted"
    allowed = _allowed(scores, musts)
    if set(left) - set(allowed):
        return "ignores-musts"
    unknown = any(None in own.values() for own in scores.values())
    if (
        unknown
        and musts
        and set(wanted) - set(left)
        and sorted(left) == _left(_allowed(scores, musts, unknown_fails=True), weights, musts)
    ):
        return "fails-the-unknown"
    if sorted(left) == _left(scores, dict.fromkeys(weights, 1), musts):
        return "ignores-weights"
    if unknown and sorted(left) == _left(scores, weights, musts, 0, 0):
        return "unknown-is-zero"
    if unknown and sorted(left) in (
        _left(scores, weights, musts, 0.5, 0.5),
        _left_without(scores, weights, musts),
    ):
        return "unknown-is-average"
    if unknown and sorted(left) == _left(scores, weights, musts, 1, 1):
        return "compares-best-cases"
    if not left and len(allowed) < len(scores):
        return "beaten-by-the-barred"
    if not unknown and left and set(left) < set(wanted):
        return "drops-the-tied"
    return "other-choice"


def _left_without(scores, weights, musts):
    """Return what is left when unknown scores are left out of a weighted mean."""
    means = {}
    for name, own in _allowed(scores, musts).items():
        known = {c: weight for c, weight in weights.items() if own[c] is not None}
        means[name] = sum(weight * own[c] for c, weight in known.items()) / (sum(known.values()) or 1)
    return sorted(name for name, mean in means.items() if mean >= max(means.values()) - 1e-8)
