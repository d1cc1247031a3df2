"""What each exercise of this lab must do, and the misconceptions that its check can tell apart."""

import json
import warnings

import numpy as np

from labs import Misconception, Misread, check, lazy

keras = lazy("keras")
tf = lazy("tensorflow")

LEAVES_THE_GRAPH = Misconception(
    "Your layer works on numbers and fails in a graph, where a tensor has no numbers yet. `fit` runs a graph.",
    "Which line uses NumPy, `.numpy()`, or a Python `if` on a tensor? What is its name in `ops`?",
    raises=r"symbolic|NotImplementedError|only available when eager|OperatorNotAllowed|"
    r"has no attribute 'numpy'|as a Python|KerasTensor|out of scope|interpreted as an integer",
)
NEEDS_A_MASK = Misconception(
    "Without a mask your layer stops.",
    "What is `mask` when nobody has marked any padding, and which steps are real then?",
    raises=r"NoneType|None values not supported|Attempt to convert a value \(None\)|Unsupported.*None|of None",
)
MASK_GOES_ON = Misconception(
    "The steps are gone, but their mask goes on to the next layer, and in the end to the loss.",
    "The mask has the shape (batch, steps). Which of the two does your output still have?",
)


@check(
    points=1,
    minutes=8,
    difficulty="easy",
    hints=(
        "`input_shape` is a tuple such as (None, None, 12). Only its last number says how many features come in.",
        "The kernel has the shape (features, units), the bias (units,). Both are kept in attributes of `self`.",
        '`self.kernel = self.add_weight(shape=(input_shape[-1], self.units), initializer="glorot_uniform", '
        'name="kernel")`, the bias alike with "zeros"; `return ops.matmul(inputs, self.kernel) + self.bias`',
    ),
)
class Linear:
    """A layer with a kernel and a bias, made when the shape of the input is known."""

    misconceptions = {
        "makes-weights-in-call": Misconception(
            "A weight was made in `call`. Keras refuses that: `call` runs for every batch.",
            "Which of the methods runs once, and knows the shape of the input?",
            raises=r"cannot add new elements of state",
        ),
        "wrong-axis": Misconception(
            "Two shapes do not meet: a size comes from the wrong place of `input_shape`, or the kernel lies the "
            "wrong way round.",
            "Write (..., features) @ (features, units). Is that the order of your `matmul`, and the shape of your "
            "kernel?",
            raises=r"size-incompatible|Cannot convert '|fully-defined|Incompatible shapes|must be equal|"
            r"broadcastable|mismatch|Invalid shape|tuple index",
        ),
        "keras-cannot-find-it": Misconception(
            "The layer computes, but `layer.weights` is empty: nothing of it would be trained or saved.",
            "Keras 3 does not look at a bare `tf.Variable`. Which method of the layer makes a weight that it finds?",
        ),
        "not-trainable": Misconception(
            "A weight is there, but it is not trainable.",
            "Who should move the kernel and the bias in training?",
        ),
        "no-bias": Misconception(
            "There is one weight; a kernel and a bias were asked for.",
            "What does the layer answer to inputs that are all zero?",
        ),
        "other-shapes": Misconception(
            "The weights have other shapes than (features, units) and (units,).",
            "In `inputs @ kernel`, which number of the kernel's shape meets the features?",
        ),
        "kernel-starts-equal": Misconception(
            "All numbers of the kernel start alike, so all units would learn the same for ever.",
            "How do weights that begin equal, and get equal gradients, ever become different?",
        ),
        "bias-starts-at-random": Misconception(
            "The bias does not start at zero.",
            "What does `add_weight` do for you when you name no initializer?",
        ),
        "other-output": Misconception(
            "The output is not inputs @ kernel + bias.",
            "Take one row of the inputs and compute one unit by hand.",
        ),
    }

    @staticmethod
    def given(rng):
        yield {"inputs": rng.normal(0, 1, (4, 3)).astype(np.float32), "units": 2}
        for units in (5, int(rng.integers(6, 9))):
            shape = (int(rng.integers(2, 4)), int(rng.integers(6, 9)), 4)
            yield {"inputs": rng.normal(0, 1, shape).astype(np.float32), "units": units}

    @staticmethod
    def when(Linear, inputs, units):
        layer = Linear(units)
        layer(tf.constant(inputs))
        start = layer.get_weights()
        weights, outputs = _randomized(layer), layer(tf.constant(inputs))
        _in_a_graph(Linear(units), inputs)
        return {
            "start": start,
            "weights": weights,
            "outputs": outputs,
            "trainable": len(layer.trainable_weights),
        }

    @staticmethod
    def then(seen, inputs, units):
        features, start, weights = inputs.shape[-1], seen["start"], seen["weights"]
        if not weights:
            raise Misread("keras-cannot-find-it", expected="2 weights", got="0 weights")
        if seen["trainable"] < len(weights):
            raise Misread("not-trainable", expected=f"{len(weights)} trainable", got=seen["trainable"])
        if len(weights) < 2:
            raise Misread("no-bias", expected="2 weights", got="1 weight")
        shapes = [list(weight.shape) for weight in weights]
        if sorted(shapes, key=len) != [[units], [features, units]]:
            wanted = {"kernel": f"shape {features, units}", "bias": f"shape {(units,)}"}
            got = [f"shape {tuple(shape)}" for shape in sorted(shapes, key=len, reverse=True)]
            got = {name: one for name, one in zip(wanted, got, strict=False)}
            raise Misread("other-shapes", expected=wanted, got=got)
        place = shapes.index([features, units])
        if np.ptp(start[place]) == 0:
            raise Misread("kernel-starts-equal", got={"kernel": start[place]})
        if np.any(start[1 - place]):
            raise Misread(
                "bias-starts-at-random", expected={"bias": np.zeros(units)}, got={"bias": start[1 - place]}
            )
        kernel, bias = weights[place], weights[1 - place]
        rows = [row @ kernel + bias for row in inputs.reshape(-1, features).astype(np.float64)]
        wanted = np.array(rows).reshape(*inputs.shape[:-1], units)
        if not _close(seen["outputs"], wanted):
            raise Misread("other-output", expected=wanted, got=seen["outputs"])


@check(
    points=2,
    minutes=10,
    difficulty="medium",
    hints=(
        "Make numbers of the mask: 1 for a real step, 0 for padding, with a last axis so that it meets the features.",
        "Add up inputs times mask, and divide by how many steps are real, but at least by 1.",
        "`real = ops.cast(mask, inputs.dtype)[..., None]`, `ops.sum(inputs * real, axis=1) / "
        "ops.maximum(ops.sum(real, axis=1), 1)`; `ops.mean(inputs, axis=1)` if the mask is None; "
        "`compute_mask` returns None",
    ),
)
class MeanPool:
    """The mean of each series over its real steps, and the end of its mask."""

    misconceptions = {
        "leaves-the-graph": LEAVES_THE_GRAPH,
        "needs-a-mask": NEEDS_A_MASK,
        "multiplies-booleans": Misconception(
            "True and False were used where numbers are needed, or the mask does not meet the steps.",
            "What turns a boolean tensor into 0 and 1? And which axis does a mask of shape (batch, steps) lack?",
            raises=r"bool|Incompatible shapes|broadcast|must be equal|must have (the )?same (rank|shape)",
        ),
        "keeps-the-steps": Misconception(
            "The output still has an axis for the steps, or lost another one.",
            "Which axis of (batch, steps, features) do you average over, and should it be kept?",
        ),
        "ignores-the-mask": Misconception(
            "The mean is over all steps, the padded ones included.",
            "Padding may hold any numbers. Which argument says where it is?",
        ),
        "divides-by-all-steps": Misconception(
            "The sum leaves the padding out, but you divided by the number of all steps.",
            "Two real steps, 1 and 3, padded to four: which two numbers give their mean?",
        ),
        "adds-the-padding": Misconception(
            "You divided by the number of real steps, but the sum holds the padding too.",
            "Padding is not always 0: after another layer it can be anything.",
        ),
        "nan-without-real-steps": Misconception(
            "A series without any real step gives nan.",
            "What is 0 / 0? Keep the divisor from being 0.",
        ),
        "mask-goes-on": MASK_GOES_ON,
        "other-mean": Misconception(
            "This is not the mean of the real steps.", "Take one series and average its real steps by hand."
        ),
    }

    @staticmethod
    def given(rng):
        batch, steps, features = 3, int(rng.integers(5, 8)), 2
        inputs = rng.normal(1, 1, (batch, steps, features)).astype(np.float32)
        yield {"inputs": inputs, "mask": np.arange(steps) < np.array([[2], [steps], [1]])}
        yield {"inputs": inputs[:2], "mask": None}
        mask = rng.random((4, 6)) < 0.5
        mask[0], mask[1] = False, True
        yield {"inputs": rng.normal(-1, 1, (4, 6, 3)).astype(np.float32), "mask": mask}

    @staticmethod
    def when(MeanPool, inputs, mask):
        if _forgets_to_return(MeanPool(), inputs, mask):
            return {"means": None}
        layer, mask_tensor = MeanPool(), None if mask is None else tf.constant(mask)
        means = layer(tf.constant(inputs), mask=mask_tensor)
        after = layer.compute_mask(tf.constant(inputs), mask_tensor)
        _in_a_graph(MeanPool(), inputs, mask)
        return {"means": means, "mask": "ends" if after is None else "goes on"}

    @staticmethod
    def then(seen, inputs, mask):
        real = np.ones(inputs.shape[:2], bool) if mask is None else mask
        wanted = np.array(
            [
                one[r].mean(axis=0) if r.any() else np.zeros(inputs.shape[-1])
                for one, r in zip(inputs, real, strict=True)
            ]
        )
        got = np.asarray(seen["means"])
        if got.shape != wanted.shape:
            raise Misread("keeps-the-steps", expected=f"shape {wanted.shape}", got=f"shape {got.shape}")
        if not _close(got, wanted):
            some = real.any(axis=1)
            count, steps = np.maximum(real.sum(axis=1), 1)[:, None], inputs.shape[1]
            known = {
                "ignores-the-mask": inputs.mean(axis=1),
                "divides-by-all-steps": (inputs * real[..., None]).sum(axis=1) / steps,
                "adds-the-padding": inputs.sum(axis=1) / count,
            }
            name = next((n for n, v in known.items() if _close(got[some], v[some])), "other-mean")
            if _close(got[some], wanted[some]) and np.isnan(got[~some]).any():
                name = "nan-without-real-steps"
            raise Misread(name, expected=wanted, got=got)
        if seen["mask"] != "ends":
            raise Misread("mask-goes-on", expected="compute_mask returns None", got="the mask it was given")


@check(
    points=3,
    minutes=15,
    difficulty="hard",
    hints=(
        "In `build`: two weights of shape (features,), `trainable=False`. In `call`: first the way without training.",
        "Turn the mask into 0 and 1. Mean: the sum over the axes (0, 1) of inputs times that, divided by its sum. "
        "The variance alike, of (inputs - mean) squared.",
        "`self.mean.assign(self.momentum * self.mean + (1 - self.momentum) * mean)`, the variance alike, and return "
        "`(inputs - mean) / ops.sqrt(variance + 1e-3)`; when not training, the same with `self.mean` and "
        "`self.variance`.",
    ),
)
class Standardize:
    """A running mean and variance over the real steps: state that no optimizer moves."""

    misconceptions = {
        "leaves-the-graph": LEAVES_THE_GRAPH,
        "needs-a-mask": NEEDS_A_MASK,
        "other-shapes": Misconception(
            "The statistics do not have one number for each feature.",
            "The inputs have the axes (batch, steps, features). Over which of them is a mean for each feature taken?",
            raises=r"must match|Incompatible shapes|broadcast|must be equal|fully-defined|Cannot convert '",
        ),
        "keras-cannot-find-it": Misconception(
            "The layer has no weights: what it remembers would not be in a saved file.",
            "State, too, is made in `build`, with the same method as a kernel. What keeps it from training?",
        ),
        "an-optimizer-moves-it": Misconception(
            "The statistics are trainable weights: an optimizer would move them to lower the loss.",
            "Which argument of `add_weight` says that only your own code changes it?",
        ),
        "other-start": Misconception(
            "The state does not start with a mean of 0 and a variance of 1 for each feature.",
            "A variance of 0 before the first batch: what would the layer answer?",
        ),
        "updates-in-use": Misconception(
            "The state changed while the layer was in use, not in training.",
            "Which argument of `call` tells you, and which lines must depend on it?",
        ),
        "never-updates": Misconception(
            "After a call in training the weights, or one of them, are what they were.",
            "`self.mean = ...` puts something else under the name. Which method changes the weight itself?",
        ),
        "counts-padding": Misconception(
            "The statistics count the padded steps.",
            "How many steps are real in this batch, and by what did you multiply and divide?",
        ),
        "swaps-the-momentum": Misconception(
            "The state jumps to the new batch: old and new have swapped their shares.",
            "With a momentum of 0.9, how much of the old should be left?",
        ),
        "forgets-the-old": Misconception(
            "The state is that of the last batch alone.",
            "What is the momentum for?",
        ),
        "other-statistics": Misconception(
            "The running mean or variance is not what the formula gives.",
            "Compute mean and variance of the real steps by hand, then momentum * old + (1 - momentum) * batch.",
        ),
        "running-in-training": Misconception(
            "In training the inputs were standardized by the running statistics.",
            "Which statistics does the docstring of `call` name for training?",
        ),
        "batch-in-use": Misconception(
            "In use the inputs were standardized by their own batch, so an answer depends on its neighbours.",
            "One person stands at the door. Which mean is there then?",
        ),
        "other-output": Misconception(
            "The output is not (inputs - mean) / sqrt(variance + 1e-3).",
            "By what is the difference divided: the variance, or its root?",
        ),
    }

    @staticmethod
    def given(rng):
        for momentum, masked in ((0.9, False), (0.75, True), (0.6, True)):
            shape = (3, int(rng.integers(4, 7)), int(rng.integers(2, 4)))
            inputs = rng.normal(2, [0.5, 3, 1][: shape[2]], shape).astype(np.float32)
            mask = np.arange(shape[1]) < np.array([[2], [shape[1]], [1]]) if masked else None
            yield {"inputs": inputs, "mask": mask, "momentum": momentum}

    @staticmethod
    def when(Standardize, inputs, mask, momentum):
        for training in (False, True):
            if _forgets_to_return(Standardize(momentum), inputs, mask, training=training):
                return {"outputs": None}
        layer, x = Standardize(momentum), tf.constant(inputs)
        mask_tensor = None if mask is None else tf.constant(mask)
        layer.build(inputs.shape)
        seen = {"trainable": len(layer.trainable_weights), "start": layer.get_weights()}
        seen["untrained"] = layer(x, mask=mask_tensor, training=False)
        seen["after use"] = layer.get_weights()
        seen["first"] = layer(x, mask=mask_tensor, training=True)
        seen["state"] = layer.get_weights()
        seen["second"] = layer(x, mask=mask_tensor, training=False)
        seen["after more use"] = layer.get_weights()
        _in_a_graph(Standardize(momentum), inputs, mask, training=True)
        return seen

    @staticmethod
    def then(seen, inputs, mask, momentum):
        features, start = inputs.shape[-1], seen["start"]
        if not start:
            raise Misread("keras-cannot-find-it", expected="2 weights", got="0 weights")
        if seen["trainable"]:
            raise Misread(
                "an-optimizer-moves-it", expected="0 trainable", got=f"{seen['trainable']} trainable"
            )
        if any(np.shape(weight) != (features,) for weight in start):
            raise Misread("other-shapes", expected=[[features]] * 2, got=[list(np.shape(w)) for w in start])
        places = {tuple(np.unique(weight)): i for i, weight in enumerate(start)}
        if len(start) != 2 or set(places) != {(0.0,), (1.0,)}:
            raise Misread("other-start", expected=[np.zeros(features), np.ones(features)], got=start)
        for before, after in (("start", "after use"), ("state", "after more use")):
            if not all(map(np.array_equal, seen[before], seen[after])):
                raise Misread("updates-in-use", expected=seen[before], got=seen[after])
        mean, variance = places[(0.0,)], places[(1.0,)]
        old, got = (0.0, 1.0), (seen["state"][mean], seen["state"][variance])
        batch = _statistics(inputs, mask)
        wanted = _moved(old, batch, momentum)
        if not _both(got, wanted):
            known = {
                "counts-padding": _moved(old, _statistics(inputs, None), momentum),
                "swaps-the-momentum": _moved(old, batch, 1 - momentum),
                "forgets-the-old": batch,
            }
            name = next((n for n, v in known.items() if _both(got, v)), "other-statistics")
            if any(np.array_equal(seen["start"][i], seen["state"][i]) for i in (mean, variance)):
                name = "never-updates"
            thinned = _moved(old, _thinned(inputs, mask), momentum)
            if not _close(got[0], wanted[0]) and _close(got[0], thinned[0]):
                name = "counts-padding"
            raise Misread(name, expected=_named(wanted), got=_named(got))
        outputs = {
            "first": (batch, "running-in-training", [old, wanted]),
            "untrained": (old, "batch-in-use", [batch]),
            "second": (wanted, "batch-in-use", [batch]),
        }
        for call, (statistics, misread, mistaken) in outputs.items():
            right = _standardized(inputs, statistics)
            if not _close(seen[call], right, atol=1e-3):
                same = any(_close(seen[call], _standardized(inputs, m), atol=1e-3) for m in mistaken)
                raise Misread(misread if same else "other-output", expected=right, got=seen[call])


def _statistics(inputs, mask):
    """Return mean and variance of each feature over the steps that are real."""
    rows = inputs.reshape(-1, inputs.shape[-1]) if mask is None else inputs[mask]
    return rows.astype(np.float64).mean(axis=0), rows.astype(np.float64).var(axis=0)


def _thinned(inputs, mask):
    """Return the mean that results when padding is left out of the sum, but counted, and 0."""
    left = inputs if mask is None else inputs * mask[..., None]
    return left.mean(axis=(0, 1)), 0.0


def _moved(old, batch, momentum):
    return tuple(momentum * o + (1 - momentum) * b for o, b in zip(old, batch, strict=True))


def _standardized(inputs, statistics):
    mean, variance = statistics
    return (inputs - mean) / np.sqrt(np.asarray(variance) + 1e-3)


def _both(got, wanted):
    return all(_close(g, w) for g, w in zip(got, wanted, strict=True))


def _named(statistics):
    return {"mean": np.asarray(statistics[0]), "variance": np.asarray(statistics[1])}


@check(
    points=2,
    minutes=12,
    difficulty="medium",
    hints=(
        "`__init__`: keep the widths and the activation, and a list of `Linear` layers on `self`.",
        "In `build`, call `block.build(shape)` for each; after it, its width is the last number of the shape.",
        "`input_shape = (*input_shape[:-1], width)` between the blocks; the config is `{**super().get_config(), "
        '"widths": self.widths, "activation": keras.activations.serialize(self.activation)}`',
    ),
)
class Encoder:
    """Layers in a layer: tracked, built in turn, and made again from a config."""

    misconceptions = {
        "builds-all-alike": Misconception(
            "A layer was built for another number of features than reaches it.",
            "The second layer does not see the inputs but what the first one gives. What is the shape of that?",
            raises=r"size-incompatible|Incompatible shapes|must be equal|incompatible with the layer|broadcast|"
            r"not compatible|mismatch",
        ),
        "no-config": Misconception(
            "Without your `get_config` Keras cannot note a function that was given as `activation`.",
            "Which method returns the arguments, and what turns a function into a name?",
            raises=r"must override `?get_config",
        ),
        "config-lacks-an-argument": Misconception(
            "`from_config` could not call `__init__`: the config lacks an argument.",
            "Compare the names in your `get_config` with those in the `def __init__` line.",
            raises=r"missing \d+ required",
        ),
        "config-has-too-much": Misconception(
            "`from_config` could not call `__init__`: the config holds something that is no argument of it.",
            "A config holds arguments, not layers. From what will the new object make its own layers?",
            raises=r"unexpected keyword argument|Unrecognized keyword|not JSON serializable|passed to `?Layer",
        ),
        "keras-cannot-find-them": Misconception(
            "The encoder computes, but it has no weights: the layers are kept where Keras does not look.",
            "Keras follows layers, lists, tuples and dicts that are attributes of `self`. Where are yours?",
        ),
        "not-built": Misconception(
            "After `build` there are no weights yet; they came with the first call only. A file is loaded before it.",
            "Which method of each inner layer must your `build` call, and with which shape?",
        ),
        "one-layer-again": Misconception(
            "There are fewer weights than a kernel and a bias for each width.",
            "Is a new layer made for each width, or one that is used several times?",
        ),
        "activation-missing": Misconception(
            "Not every layer is followed by the activation.",
            "Count: how many layers, and how often is the activation applied, the last layer included?",
        ),
        "activation-lost": Misconception(
            "The layer made from the config computes something else: it has another activation.",
            "Which argument has a default, so that nothing fails when the config leaves it out?",
        ),
        "name-lost": Misconception(
            "The layer made from the config has lost its name.",
            "The base class has a config of its own. How do you join it to yours?",
        ),
        "other-output": Misconception(
            "The output is not what these layers give one after the other.",
            "Does each layer get what the one before it gave?",
        ),
    }

    @staticmethod
    def given(rng):
        yield {
            "inputs": rng.normal(0, 1, (2, 5, 3)).astype(np.float32),
            "widths": [4, 2],
            "activation": "tanh",
            "as_function": True,
        }
        widths = [6, 6, int(rng.integers(2, 5))]
        inputs = rng.normal(0, 1, (3, 6)).astype(np.float32)
        yield {"inputs": inputs, "widths": widths, "activation": "relu", "as_function": False}
        widths, inputs = [int(rng.integers(6, 9))], rng.normal(0, 1, (2, 3, 5)).astype(np.float32)
        yield {"inputs": inputs, "widths": widths, "activation": "sigmoid", "as_function": False}

    @staticmethod
    def when(Encoder, inputs, widths, activation, as_function):
        x, shape = tf.constant(inputs), (None, *inputs.shape[1:])
        activation = keras.activations.get(activation) if as_function else activation
        with warnings.catch_warnings(action="ignore"):
            layer = Encoder(widths, activation=activation, name="ears")
            layer.build(shape)
            seen = {"built": len(layer.weights), "first": layer(x)}
            seen["weights"], seen["outputs"] = _randomized(layer), layer(x)
            config = json.loads(json.dumps(keras.saving.serialize_keras_object(layer.get_config())))
            again = Encoder.from_config(keras.saving.deserialize_keras_object(config))
            again.build(shape)
            seen["name"] = again.name
            again(x)
            if len(again.weights) == len(layer.weights):
                again.set_weights(layer.get_weights())
            seen["again"] = again(x)
        return seen

    @staticmethod
    def then(seen, inputs, widths, activation, as_function):
        weights = seen["weights"]
        if not weights:
            raise Misread("keras-cannot-find-them", expected=f"{2 * len(widths)} weights", got="0 weights")
        if not seen["built"]:
            raise Misread("not-built", expected=f"{2 * len(widths)} weights after build", got="none")
        if len(weights) != 2 * len(widths):
            raise Misread(
                "one-layer-again", expected=f"{2 * len(widths)} weights", got=f"{len(weights)} weights"
            )
        wanted = _through(inputs, weights, [activation] * len(widths))
        if not _close(seen["outputs"], wanted):
            some = [
                _through(inputs, weights, [activation] * n + [""] * len(widths)) for n in range(len(widths))
            ]
            last = _through(inputs, weights, [""] * (len(widths) - 1) + [activation])
            name = (
                "activation-missing"
                if any(_close(seen["outputs"], o) for o in [*some, last])
                else "other-output"
            )
            raise Misread(name, expected=wanted, got=seen["outputs"])
        if not _close(seen["again"], wanted):
            raise Misread(
                "activation-lost", expected={"from config": wanted}, got={"from config": seen["again"]}
            )
        if seen["name"] != "ears":
            raise Misread("name-lost", expected="ears", got=seen["name"])


def _through(inputs, weights, activations):
    """Return what layers of kernel and bias, each followed by an activation, make of the inputs."""
    functions = {
        "relu": lambda z: np.maximum(z, 0),
        "tanh": np.tanh,
        "sigmoid": lambda z: 1 / (1 + np.exp(-z)),
    }
    for i, activation in zip(range(0, len(weights), 2), activations, strict=False):
        bias, kernel = sorted(weights[i : i + 2], key=np.ndim)
        inputs = inputs @ kernel + bias
        inputs = functions[activation](inputs) if activation else inputs
    return inputs


@check(
    points=2,
    minutes=8,
    difficulty="medium",
    hints=(
        "First the mean of the squares along the features: one number for each step, (batch, steps).",
        "With a mask: add up these numbers times 0 or 1, and divide by how many steps are real.",
        "`self.add_loss(self.strength * ops.sum(loudness * real) / ops.maximum(ops.sum(real), 1))`, without a mask "
        "`self.add_loss(self.strength * ops.mean(loudness))`; then `return inputs`",
    ),
)
class ActivityPenalty:
    """Returns its inputs, and adds the mean square of the real steps to the loss."""

    misconceptions = {
        "needs-a-mask": NEEDS_A_MASK,
        "changes-the-inputs": Misconception(
            "The layer should hand on its inputs as they are, and returned something else.",
            "What goes to the next layer, and what goes to the loss?",
        ),
        "adds-nothing": Misconception(
            "After the call `layer.losses` is empty.",
            "Which method of the layer hands a number to the training?",
        ),
        "not-one-number": Misconception(
            "What was added is not one number.",
            "A loss is one number for the whole batch. Which axes are left over?",
        ),
        "sums-up": Misconception(
            "The loss is a sum: it grows with the batch, the steps or the features.",
            "Twice as many series, all alike: should the penalty double?",
        ),
        "counts-padding": Misconception(
            "The mean counts padded steps.",
            "By how many steps is the sum divided, and what does it hold?",
        ),
        "ignores-the-strength": Misconception(
            "The loss is the same whatever the strength.", "Which attribute has not been used?"
        ),
        "other-loss": Misconception(
            "This is not strength times the mean of the squares.",
            "Try it on inputs that are all 2: what must the mean square be?",
        ),
    }

    @staticmethod
    def given(rng):
        inputs = rng.normal(1, 1, (2, 5, 3)).astype(np.float32)
        yield {"inputs": inputs, "mask": np.arange(5) < np.array([[2], [4]]), "strength": 0.5}
        yield {"inputs": inputs, "mask": None, "strength": 2.0}
        shape = (4, int(rng.integers(3, 7)), 2)
        mask = np.arange(shape[1]) < rng.integers(1, shape[1], (4, 1))
        yield {"inputs": rng.normal(0, 2, shape).astype(np.float32), "mask": mask, "strength": 0.1}

    @staticmethod
    def when(ActivityPenalty, inputs, mask, strength):
        if _forgets_to_return(ActivityPenalty(strength), inputs, mask):
            return {"outputs": None}
        layer = ActivityPenalty(strength)
        outputs = layer(tf.constant(inputs), mask=None if mask is None else tf.constant(mask))
        losses = [np.asarray(loss) for loss in layer.losses]
        _in_a_graph(ActivityPenalty(strength), inputs, mask)
        return {"outputs": outputs, "losses": losses}

    @staticmethod
    def then(seen, inputs, mask, strength):
        if not _close(seen["outputs"], inputs):
            raise Misread("changes-the-inputs", expected=inputs, got=seen["outputs"])
        if not seen["losses"]:
            raise Misread("adds-nothing", expected="one loss", got="none")
        if any(np.ndim(loss) for loss in seen["losses"]):
            raise Misread("not-one-number", expected="one number", got=seen["losses"][0])
        got, squares = float(sum(seen["losses"])), inputs.astype(np.float64) ** 2
        real = squares if mask is None else squares[mask]
        wanted = strength * real.mean()
        if np.isclose(got, wanted, rtol=1e-4):
            return
        kept = squares if mask is None else squares * mask[..., None]
        steps = np.prod(squares.shape[:2]) if mask is None else mask.sum()
        counted = [squares.mean(), kept.mean(), squares.sum() / steps / squares.shape[-1]]
        summed = [
            squares.sum(),
            real.sum(),
            real.sum() / steps,
            real.sum() / len(inputs),
            squares.sum() / steps,
        ]
        known = {
            "ignores-the-strength": [wanted / strength],
            "counts-padding": [strength * value for value in counted],
            "sums-up": [strength * value for value in summed],
        }
        same = [n for n, values in known.items() if np.isclose(got, values, rtol=1e-4).any()]
        raise Misread(same[0] if same else "other-loss", expected=float(wanted), got=got)


@check(
    points=4,
    minutes=20,
    difficulty="hard",
    hints=(
        "Go step by step: hidden (batch, steps, units), scores (batch, steps), weights (batch, steps), sum (batch, "
        "features).",
        "`scores = ops.sum(ops.tanh(ops.matmul(inputs, self.kernel)) * self.query, axis=-1)`. Before `softmax`, "
        "`ops.where` puts a very large negative number where the mask is False.",
        "`scores = ops.where(mask, scores, -1e9)` if there is a mask, `return ops.softmax(scores, axis=-1)`; in "
        "`call`: `ops.sum(weights[..., None] * inputs, axis=1)`; `compute_mask` returns None",
    ),
)
class AttentionPool:
    """Sums the steps of each series by learnt weights that ignore padding."""

    misconceptions = {
        "leaves-the-graph": LEAVES_THE_GRAPH,
        "needs-a-mask": NEEDS_A_MASK,
        "makes-weights-in-call": Misconception(
            "A weight was made outside of `build`.",
            "Which of the methods runs once, and knows the number of features?",
            raises=r"cannot add new elements of state",
        ),
        "shapes-do-not-meet": Misconception(
            "Two shapes do not meet: of the weights, or of the mask.",
            "Write the shape beside each line, from (batch, steps, features) on. Which axis is the features'?",
            raises=r"size-incompatible|Incompatible shapes|must be equal|broadcast|fully-defined|mismatch|must have",
        ),
        "other-weights": Misconception(
            "The layer's weights are not a kernel (features, units) and a query (units,).",
            "Two things are learnt here. Who multiplies a step, and who multiplies the tanh?",
        ),
        "not-one-weight-for-each-step": Misconception(
            "`attention` must return one number for each step: (batch, steps).",
            "Which axis has to vanish when the query meets the hidden units?",
        ),
        "softmax-over-the-batch": Misconception(
            "The weights of a series do not add up to 1, but those of all series together do.",
            "Without an axis, or with 0, `softmax` divides by a sum over other series. Which axis holds the steps?",
        ),
        "nan-without-real-steps": Misconception(
            "A series without any real step gives nan.",
            "e to the power of minus infinity is 0 for every step. What is 0 / 0? Very large will do.",
        ),
        "ignores-the-mask": Misconception(
            "Padded steps get weight like real ones.", "Where in your code does the mask change a score?"
        ),
        "masks-with-zero": Misconception(
            "The scores of padded steps became 0, so these steps still get weight.",
            "What is e to the power of 0? Which score gives a weight of 0?",
        ),
        "masks-too-late": Misconception(
            "Padded steps get no weight, but those of the real steps no longer add up to 1.",
            "The softmax had already divided among all steps. Which comes first, mask or softmax?",
        ),
        "no-tanh": Misconception(
            "The scores are linear in the inputs: there is no tanh.",
            "Read the formula of the score from the inside out.",
        ),
        "other-attention": Misconception(
            "The weights are not the softmax of query · tanh(step @ kernel).",
            "Take the shortest series and compute its scores with NumPy, one step at a time.",
        ),
        "not-the-sum": Misconception(
            "The weights are right; the output is not the sum of the steps by weight.",
            "Multiply each step by its weight, then add up along which axis? The weights already add up to 1.",
        ),
        "mask-goes-on": MASK_GOES_ON,
    }

    @staticmethod
    def given(rng):
        steps = int(rng.integers(5, 8))
        inputs = rng.normal(0.3, 1, (3, steps, 4)).astype(np.float32)
        yield {"inputs": inputs, "mask": np.arange(steps) < np.array([[2], [steps], [3]]), "units": 3}
        yield {"inputs": inputs, "mask": None, "units": 2}
        mask = rng.random((4, 6)) < 0.5
        mask[0], mask[1], mask[2:, 0] = False, True, True
        inputs = rng.normal(0, 1, (4, 6, 3)).astype(np.float32)
        yield {"inputs": inputs, "mask": mask, "units": int(rng.integers(4, 7))}

    @staticmethod
    def when(AttentionPool, inputs, mask, units):
        if _forgets_to_return(AttentionPool(units), inputs, mask):
            return {"pooled": None}
        layer, x = AttentionPool(units), tf.constant(inputs)
        mask_tensor = None if mask is None else tf.constant(mask)
        layer(x, mask=mask_tensor)
        seen = {"weights": _randomized(layer), "pooled": layer(x, mask=mask_tensor)}
        seen["attention"] = layer.attention(x, mask_tensor)
        after = layer.compute_mask(x, mask_tensor)
        seen["mask"] = "ends" if after is None else "goes on"
        _in_a_graph(AttentionPool(units), inputs, mask)
        return seen

    @staticmethod
    def then(seen, inputs, mask, units):
        features = inputs.shape[-1]
        shapes = sorted((list(weight.shape) for weight in seen["weights"]), key=lambda s: -np.prod(s))
        if len(shapes) != 2 or shapes[0] != [features, units] or np.prod(shapes[1]) != units:
            raise Misread("other-weights", expected=[[features, units], [units]], got=shapes)
        kernel, query = sorted(seen["weights"], key=lambda weight: -weight.size)
        real = np.ones(inputs.shape[:2], bool) if mask is None else mask
        wanted, pooled = _attention(inputs, real, kernel, query.ravel())
        got = np.asarray(seen["attention"])
        if got.shape != wanted.shape:
            raise Misread(
                "not-one-weight-for-each-step", expected=f"shape {wanted.shape}", got=f"shape {got.shape}"
            )
        some = real.any(axis=1)
        if not _close(got[some], wanted[some], atol=1e-4):
            name = _known(got, inputs, real, kernel, query.ravel())
            worst = np.argmax(np.where(some, np.abs(got - wanted).max(axis=1), -1))
            shown = {"real steps of a series": real[worst].astype(int), "weights": wanted[worst]}
            raise Misread(name, expected=shown, got={"weights": got[worst]})
        if not (np.isfinite(got).all() and np.isfinite(seen["pooled"]).all()):
            raise Misread("nan-without-real-steps", expected="numbers", got=got[~some])
        output = np.asarray(seen["pooled"])
        if output.shape != pooled.shape or not _close(output[some], pooled[some], atol=1e-4):
            raise Misread("not-the-sum", expected=pooled, got=output)
        if seen["mask"] != "ends":
            raise Misread("mask-goes-on", expected="compute_mask returns None", got="the mask it was given")


def _attention(inputs, real, kernel, query, squash=np.tanh):
    """Return weights and sums, one series and one step at a time, without any padding."""
    weights, pooled = np.zeros(real.shape), np.zeros((len(inputs), inputs.shape[-1]))
    for i, one in enumerate(inputs.astype(np.float64)):
        steps = np.flatnonzero(real[i])
        powers = np.exp([query @ squash(one[step] @ kernel) for step in steps])
        for step, power in zip(steps, powers, strict=True):
            weights[i, step] = power / powers.sum()
            pooled[i] += weights[i, step] * one[step]
    return weights, pooled


def _known(got, inputs, real, kernel, query):
    """Name what went wrong with the weights, by doing the same thing wrong."""
    everything = np.ones_like(real)
    scores = np.tanh(inputs.astype(np.float64) @ kernel) @ query
    zeroed, powers = np.where(real, scores, 0), np.exp(np.where(real, scores, -np.inf))
    all_steps = _attention(inputs, everything, kernel, query)[0]
    if np.isnan(got[real.any(axis=1)]).any():
        return "other-attention"
    with np.errstate(all="ignore"):
        known = {
            "softmax-over-the-batch": [
                powers / powers.sum(axis=0),
                powers / powers.sum(),
                np.exp(scores) / np.exp(scores).sum(axis=0),
            ],
            "ignores-the-mask": [all_steps],
            "masks-with-zero": [np.exp(zeroed) / np.exp(zeroed).sum(axis=1, keepdims=True)],
            "masks-too-late": [all_steps * real],
            "no-tanh": [_attention(inputs, real, kernel, query, squash=lambda z: z)[0]],
        }
    some = real.any(axis=1)
    same = [n for n, values in known.items() if any(_close(got[some], v[some], atol=1e-4) for v in values)]
    return same[0] if same else "other-attention"


def _randomized(layer):
    """Give every weight of `layer` random numbers, so that none hides by being 0, and return them."""
    rng = np.random.default_rng(7)
    for weight in layer.weights:
        weight.assign(rng.normal(0, 0.7, weight.shape).astype(np.float32))
    return layer.get_weights()


def _forgets_to_return(layer, inputs, mask, **options):
    """Tell whether `call` returns None, and ask it directly.

    Keras 3.15 attaches the mask to what `__call__` returns, also to None: then every later call of any layer
    that is given a None, `training=None` for example, fails, until the kernel is started again.
    """
    layer.build(inputs.shape)
    mask = None if mask is None else tf.constant(mask)
    return layer.call(tf.constant(inputs), mask=mask, **options) is None


def _in_a_graph(layer, inputs, mask=None, **options):
    """Call `layer` as `fit` would: on tensors without numbers, whose batch and steps are unknown."""
    free = [None] * (inputs.ndim - 2)
    marked = None if mask is None else keras.Input((None,), dtype="bool")
    if marked is not None:
        options["mask"] = marked
    layer(keras.Input((*free, inputs.shape[-1])), **options)


def _close(got, wanted, atol=1e-5):
    got, wanted = np.asarray(got), np.asarray(wanted)
    if got.dtype.kind not in "fiu" or got.shape != wanted.shape:
        return False
    return np.allclose(got, wanted, rtol=1e-4, atol=atol)
