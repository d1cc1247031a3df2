"""What each exercise of this lab must do, and the misconceptions that its check can tell apart."""

import tempfile
import warnings
from pathlib import Path

import numpy as np

from labs import Misconception, Misread, check, lazy

keras = lazy("keras")
tf = lazy("tensorflow")

LAYER_NOT_CALLED = (
    r"Only input tensors may be passed|must be KerasTensors|KerasTensor.*<(class|Dense|Flatten)"
)


def _relu(x):
    return np.maximum(x, 0)


def _same(got, wanted):
    got, wanted = np.asarray(got), np.asarray(wanted)
    return got.shape == wanted.shape and np.allclose(got, wanted, rtol=1e-3, atol=1e-4)


def _kernels(model):
    """Return the 2-D weights of `model` in its own order."""
    return [weight.numpy() for weight in model.weights if len(weight.shape) == 2]


@check(
    points=2,
    minutes=8,
    difficulty="easy",
    hints=(
        "Two `keras.Input` with names; a branch from each; `Concatenate` on a *list* of both; one more layer.",
        "Every layer is made and then called: `keras.layers.Dense(units, activation='relu')(table)`. The last "
        "one gets `name='features'`.",
        "`joined = keras.layers.Concatenate()([seen, read])`, then `features = keras.layers.Dense(units, "
        "activation='relu', name='features')(joined)` and "
        "`keras.Model({'image': image, 'table': table}, features)`",
    ),
)
class two_branches:
    """A functional model that joins a branch for the photo and one for the table."""

    misconceptions = {
        "layer-not-called": Misconception(
            "A layer stands where a tensor was meant.",
            "Every layer needs two pairs of brackets: one makes it, one calls it. Where is the second missing?",
            raises=LAYER_NOT_CALLED,
        ),
        "not-in-a-list": Misconception(
            "`Concatenate` takes its tensors together, as one list.",
            "Count the brackets around what you want to join.",
            raises=r"should be called on a list|positional arguments?( but|$)|"
            r"Only input tensors may be passed as|unexpected keyword argument",
        ),
        "inputs-without-names": Misconception(
            "The model does not know its inputs as `image` and `table`.",
            "Batches come as dicts. What tells `keras.Input` its name, and `keras.Model` which key belongs to which?",
            raises=r"Missing data for input|Expected the following keys|KeyError",
        ),
        "forgets-to-flatten": Misconception(
            "The rows of the photo were not laid out in one row before the `Dense` layer.",
            "A `Dense` layer works on the last axis only. Which layer makes one row of all pixels?",
            raises=r"Concatenate.*(matching shapes|same rank|rank)|inputs with matching shapes",
        ),
        "one-input-ignored": Misconception(
            "The features do not change when one of the inputs does: it has no way to the output.",
            "Follow the variables from each input to the end. Is a name used twice, and another never?",
        ),
        "wrong-number-of-features": Misconception(
            "The model does not end in `units` features.",
            "Which layer comes after `Concatenate`, and how many units has it?",
        ),
        "adds-instead-of-joining": Misconception(
            "The branches were added up, so the last layer has half the weights it should have.",
            "`Add` gives as many numbers as one branch has. Which layer lays them side by side?",
        ),
        "no-branches": Misconception(
            "The number of weights does not fit: each input should have one `Dense` layer of its own, and the joined "
            "ones one more.",
            "Write down the three `Dense` layers with their inputs, and compare with `model.summary()`.",
        ),
        "no-nonlinearity": Misconception(
            "A layer lacks its `relu`.",
            "Three layers have one. Which is the one without an `activation`?",
        ),
        "features-without-name": Misconception(
            "No layer of the model is called `features`.",
            "Later cells ask for it by `get_layer`. Where is a layer given its name?",
        ),
        "other-features": Misconception(
            "The weights are right in number, but the features are not those of this graph.",
            "Draw the graph on paper and compare it with your calls, line by line.",
        ),
    }

    @staticmethod
    def given(rng):
        yield {"image_shape": [6, 6, 1], "columns": 3, "units": 8, "batch": 5}
        # Odd sides: the pixels are neither as many as the columns nor as twice the units.
        sides = rng.choice([3, 5, 7], 2).tolist()
        columns, units = int(rng.integers(4, 9)), int(rng.integers(9, 22))
        yield {"image_shape": [*sides, 3], "columns": columns, "units": units, "batch": 3}

    @staticmethod
    def when(two_branches, image_shape, columns, units, batch):
        model = two_branches(tuple(image_shape), columns, units)
        rng = np.random.default_rng(0)
        image = rng.normal(0, 1, (batch, *image_shape)).astype(np.float32)
        table = rng.normal(0, 1, (batch, columns)).astype(np.float32)

        def answer(image, table):
            return model({"image": image, "table": table}, training=False)

        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            features = answer(image, table)
            blind = [answer(0 * image, table), answer(image, 0 * table)]
        return {
            "image": image,
            "table": table,
            "features": features,
            "blind": blind,
            "kernels": _kernels(model),
            "weights": int(model.count_params()),
            "names": [layer.name for layer in model.layers],
        }

    @staticmethod
    def then(seen, image_shape, columns, units, batch):
        features, pixels = np.asarray(seen["features"]), int(np.prod(image_shape))
        if features.ndim != 2:
            raise Misread("forgets-to-flatten", expected=f"shape ({batch}, {units})", got=features)
        for name, other in zip(("image", "table"), seen["blind"], strict=True):
            if np.array_equal(features, other):
                got = f"the same features with `{name}` all zeros"
                raise Misread("one-input-ignored", expected="other features", got=got)
        branches = (pixels + 1 + columns + 1) * units
        wanted = branches + (2 * units + 1) * units
        numbers = {"expected": f"{wanted} weights", "got": f"{seen['weights']} weights"}
        if seen["weights"] == branches + (units + 1) * units:
            raise Misread("adds-instead-of-joining", **numbers)
        if features.shape != (batch, units):
            raise Misread("wrong-number-of-features", expected=f"shape ({batch}, {units})", got=features)
        if seen["weights"] != wanted:
            raise Misread("no-branches", **numbers)
        by_shape = {kernel.shape: kernel for kernel in seen["kernels"]}
        keys = [(pixels, units), (columns, units), (2 * units, units)]
        if all(key in by_shape for key in keys):
            for relus in np.ndindex(2, 2, 2):
                for order in (1, -1):
                    if _same(features, _features(seen, [by_shape[key] for key in keys], relus, order)):
                        if not all(relus):
                            raise Misread("no-nonlinearity")
                        if "features" not in seen["names"]:
                            raise Misread("features-without-name", got=", ".join(seen["names"]))
                        return
        raise Misread("other-features")


def _features(seen, kernels, relus, order):
    """Return what the graph gives with its biases still zero; `relus` says which layers have one."""
    see, read, join = ((_relu if on else np.asarray) for on in relus)
    parts = [
        see(seen["image"].reshape(len(seen["image"]), -1) @ kernels[0]),
        read(seen["table"] @ kernels[1]),
    ]
    return join(np.concatenate(parts[::order], axis=1) @ kernels[2])


@check(
    points=2,
    minutes=10,
    difficulty="medium",
    hints=(
        "`compile` takes `optimizer`, `loss`, `loss_weights` and `metrics`; the last three as dicts by head.",
        "Weights for *both* heads must be in the dict: 1.0 for one, the argument for the other. And which loss takes "
        "whole-number labels and logits?",
        'loss={"kind": keras.losses.SparseCategoricalCrossentropy(from_logits=True), "area": "mse"}, '
        'loss_weights={"kind": 1.0, "area": area_weight}, metrics={"kind": ["accuracy"], "area": ["mae"]}',
    ),
)
class compile_two:
    """Adam, a loss and a metric for each head, and the weight of the area's loss."""

    misconceptions = {
        "weights-for-one-head": Misconception(
            "`loss_weights` must say a weight for every loss, also where it is 1.",
            "How many losses are there, and how many weights did you give?",
            raises=r"loss_weights. must match|loss_weights",
        ),
        "names-no-head": Misconception(
            "A key of a dict is not the name of an output.",
            "Compare the keys, letter by letter, with the names of the heads.",
            raises=r"can't be found in either|KeyError|does not match|provide a list of metrics|"
            r"structure|expected to (be|have)",
        ),
        "wants-one-hot": Misconception(
            "This loss wants one-hot labels; here they are whole numbers.",
            "Two cross-entropies have nearly the same name. Which one is for a label such as 7?",
            raises=r"(?s)ValueError.*(shape|rank|one-hot|must have the same)",
        ),
        "forgets-from-logits": Misconception(
            "The loss of `kind` took the logits for probabilities.",
            "The head has no softmax. How do you tell the loss?",
        ),
        "area-by-another-loss": Misconception(
            "The loss of `area` is not the mean squared error.",
            "Which of the two, `mse` and `mae`, is trained on here, and which is only read?",
        ),
        "other-loss": Misconception(
            "The loss of `kind` is not the cross-entropy of these labels.",
            "Which loss chooses one of several classes, and is it averaged over the batch?",
            raises=r"InvalidArgumentError",
        ),
        "weights-swapped": Misconception(
            "The weight went to the loss of the kind.", "Which of the two losses has the large numbers?"
        ),
        "weight-unused": Misconception(
            "Both losses count once: `area_weight` has no influence.",
            "Where does `compile` take what each loss counts?",
        ),
        "other-total": Misconception(
            "Each loss is right; their weighted sum is not.",
            "Training minimises kind + area_weight * area. What do your two weights make of it?",
        ),
        "no-metrics": Misconception(
            "`kind_accuracy` or `area_mae` is missing from what is measured.",
            "Which argument takes metrics, and under which keys? A long name such as "
            "`mean_absolute_error` comes from naming it differently.",
        ),
        "metrics-everywhere": Misconception(
            "Each head is measured with the metrics of both.",
            "What would the accuracy of an area mean? Say for each head what is to be read.",
        ),
        "other-optimizer": Misconception(
            "The optimizer is not Adam with a learning rate of 0.003.",
            "`'adam'` as text takes the default rate. How do you give another?",
        ),
    }

    @staticmethod
    def given(rng):
        for weight in (0.25, round(float(rng.uniform(2, 4)), 2)):
            yield {
                "inputs": rng.normal(0, 1, (10, 4)).astype(np.float32),
                "kernel": rng.normal(0, 1.5, (4, 4)).astype(np.float32),
                "kinds": rng.integers(0, 3, 10),
                "areas": rng.normal(5, 2, 10).astype(np.float32),
                "area_weight": weight,
            }

    @staticmethod
    def when(compile_two, inputs, kernel, kinds, areas, area_weight):
        x = keras.Input((4,))
        kind, area = keras.layers.Dense(3, name="kind"), keras.layers.Dense(1, name="area")
        model = keras.Model(x, {"kind": kind(x), "area": area(x)})
        kind.set_weights([kernel[:, :3], np.zeros(3)])
        area.set_weights([kernel[:, 3:], np.zeros(1)])
        model = compile_two(model, area_weight)
        model.run_eagerly = True  # tracing a graph for ten examples would take a second
        results = model.test_on_batch(inputs, {"kind": kinds, "area": areas}, return_dict=True)
        optimizer = model.optimizer
        return {
            "results": results,
            "optimizer": f"{type(optimizer).__name__}, {float(optimizer.learning_rate):.4g}",
        }

    @staticmethod
    def then(seen, inputs, kernel, kinds, areas, area_weight):
        results, logits = seen["results"], inputs @ kernel[:, :3]
        errors = inputs @ kernel[:, 3] - areas
        shares = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
        rows = np.arange(len(kinds))
        kind = -np.log(shares[rows, kinds]).mean()
        area = (errors**2).mean()
        cut = np.clip(logits, 1e-7, 1 - 1e-7)
        unscaled = -np.log(cut[rows, kinds] / cut.sum(axis=1)).mean()
        own = {name: results.get(name, np.nan) for name in ("kind_loss", "area_loss")}
        evidence = {"expected": {"kind_loss": float(kind), "area_loss": float(area)}, "got": own}
        if not np.isclose(own["kind_loss"], kind, rtol=1e-3):
            misread = np.isclose(own["kind_loss"], unscaled, rtol=1e-3)
            raise Misread("forgets-from-logits" if misread else "other-loss", **evidence)
        if not np.isclose(own["area_loss"], area, rtol=1e-3):
            raise Misread("area-by-another-loss", **evidence)
        total, got = kind + area_weight * area, results["loss"]
        if not np.isclose(got, total, rtol=1e-3):
            known = {"weights-swapped": area_weight * kind + area, "weight-unused": kind + area}
            same = [name for name, value in known.items() if np.isclose(got, value, rtol=1e-3)]
            name = same[0] if same else "other-total"
            raise Misread(name, expected={"loss": float(total)}, got={"loss": got})
        wanted = {"kind_accuracy": (logits.argmax(axis=1) == kinds).mean(), "area_mae": np.abs(errors).mean()}
        if not all(np.isclose(results.get(name, np.nan), v, rtol=1e-3) for name, v in wanted.items()):
            raise Misread("no-metrics", expected=", ".join(wanted), got=", ".join(results))
        if len(results) > 5:
            raise Misread("metrics-everywhere", expected=", ".join(wanted), got=", ".join(results))
        if seen["optimizer"] != "Adam, 0.003":
            raise Misread("other-optimizer", expected="Adam, 0.003", got=seen["optimizer"])


@check(
    points=2,
    minutes=10,
    difficulty="medium",
    hints=(
        "Keep `x`: give what the layers make of it another name. At the end add the two.",
        "`x.shape[-1]` is the width of a symbolic tensor, known while the graph is built; a plain `if` will do.",
        "`changed = keras.layers.Dense(units)(keras.layers.Dense(units, activation='relu')(x))`; if the widths "
        "differ, `x = keras.layers.Dense(units, use_bias=False)(x)`; `return keras.layers.Add()([x, changed])`",
    ),
)
class residual_block:
    """x + f(x) on symbolic tensors, with a projection where the widths differ."""

    misconceptions = {
        "not-symbolic": Misconception(
            "`x` is a symbolic tensor, and a function of TensorFlow or NumPy wanted values.",
            "Only Keras layers, `keras.ops` and operators such as `+` can take part in the graph.",
            raises=r"KerasTensor (cannot be used as input to|is symbolic)",
        ),
        "layer-not-called": Misconception(
            "A layer stands where a tensor was meant.",
            "Every layer needs two pairs of brackets: one makes it, one calls it. Where is the second missing?",
            raises=LAYER_NOT_CALLED + r"|with an unsupported type",
        ),
        "widths-do-not-fit": Misconception(
            "`x` and what the layers made of it have different widths, and cannot be added.",
            "What does the exercise say about an `x` of another width?",
            raises=r"(?i)incompatible shapes|cannot be broadcast|broadcast|same shape|Inputs have",
        ),
        "concatenates": Misconception(
            "The result is wider than `units`: `x` was put beside, not added.",
            "A residual block is `x + f(x)`.",
        ),
        "nothing-around": Misconception(
            "With all weights 0 the block gives 0: nothing leads around the layers.",
            "Does the name `x` still hold the input when you add it?",
        ),
        "adds-the-hidden": Misconception(
            "What is added is the result of the first layer, not `x`.",
            "Give the results in between names of their own, then look at what stands in your sum.",
        ),
        "relu-at-the-end": Misconception(
            "Negative numbers of `x` did not come through: there is a `relu` after the sum.",
            "The way around must stay free. Which line comes after the addition?",
        ),
        "always-projects": Misconception(
            "`x` went through a layer although its width is right, so the way around is no longer free.",
            "When does the exercise ask for the extra layer?",
        ),
        "projects-before-the-layers": Misconception(
            "The layers get the projected `x`.",
            "Only the way around needs another width. What goes into the first layer?",
        ),
        "other-layers": Misconception(
            "The block has another number of weights than its layers should have.",
            "Count: two layers with biases, and one without a bias only if the widths differ.",
        ),
        "other-relu": Misconception(
            "The `relu` of the first layer is missing, or another layer has one.",
            "Which of the two layers has an activation? Without one, the two layers are no more than one.",
        ),
        "other-block": Misconception(
            "The block computes something other than x + f(x).", "Try it by hand with one unit."
        ),
    }

    @staticmethod
    def given(rng):
        yield {"width": 4, "units": 4, "batch": 6}
        yield {"width": int(rng.integers(5, 16)), "units": 3, "batch": 4}
        yield {"width": int(rng.integers(2, 5)), "units": int(rng.integers(5, 16)), "batch": 1}

    @staticmethod
    def when(residual_block, width, units, batch):
        x = keras.Input((width,))
        result = residual_block(x, units)
        if result is None:
            return {"result": None}
        model = keras.Model(x, result)
        rng = np.random.default_rng(batch)
        inputs = rng.normal(0, 1, (batch, width)).astype(np.float32)
        as_made, weights = model(inputs), _kernels(model)
        for weight in model.weights:
            weight.assign(tf.zeros_like(weight))
        return {
            "inputs": inputs,
            "outputs": as_made,
            "empty": model(inputs),
            "kernels": weights,
            "weights": int(model.count_params()),
        }

    @staticmethod
    def then(seen, width, units, batch):
        x, outputs, empty = seen["inputs"], np.asarray(seen["outputs"]), np.asarray(seen["empty"])
        if outputs.shape != (batch, units):
            raise Misread("concatenates", expected=f"shape ({batch}, {units})", got=outputs)
        wanted = (width + 1) * units + (units + 1) * units + (width * units if width != units else 0)
        numbers = {"expected": f"{wanted} weights", "got": f"{seen['weights']} weights"}
        first, second = seen["kernels"][0], seen["kernels"][-1]
        inner = len(seen["kernels"]) == 2 and _same(outputs, _relu(x @ first) @ (np.eye(units) + second))
        if width == units:
            evidence = {"expected": {"with all weights 0": x}, "got": {"with all weights 0": empty}}
            if seen["weights"] > wanted:
                raise Misread("always-projects", **numbers)
            if not empty.any():
                raise Misread("adds-the-hidden" if inner else "nothing-around", **evidence)
            if _same(empty, _relu(x)):
                raise Misread("relu-at-the-end", **evidence)
            if not _same(empty, x):
                raise Misread("other-block", **evidence)
        if seen["weights"] != wanted:
            short = wanted - seen["weights"] == width * units
            name = "adds-the-hidden" if inner else "nothing-around"
            if not short or width == units:
                before = width * units + 2 * (units + 1) * units
                name = "projects-before-the-layers" if seen["weights"] == before else "other-layers"
            raise Misread(name, **numbers)
        if not any(_same(outputs, value) for value in _blocks(seen, width, units, _relu, np.asarray)):
            linear = any(_same(outputs, v) for v in _blocks(seen, width, units, np.asarray, np.asarray))
            both = any(_same(outputs, v) for v in _blocks(seen, width, units, _relu, _relu))
            raise Misread("other-relu" if linear or both else "other-block")


def _blocks(seen, width, units, inner, outer):
    """Yield x + f(x), for each way in which the kernels may take part."""
    x, kernels = seen["inputs"], seen["kernels"]
    for first in range(len(kernels)):
        for second in range(len(kernels)):
            rest = [k for i, k in enumerate(kernels) if i not in (first, second)]
            if first == second or kernels[first].shape != (width, units):
                continue
            if kernels[second].shape != (units, units) or any(k.shape != (width, units) for k in rest):
                continue
            around = x @ rest[0] if rest else x
            if around.shape[1] == units:
                yield around + outer(inner(x @ kernels[first]) @ kernels[second])


@check(
    points=2,
    minutes=10,
    difficulty="medium",
    hints=(
        "One input. Call the *same* `encoder` on it and on its mirror image, and average the two results.",
        "A batch of photos has the axes (photo, row, column, channel), counted from 0. Which is left and right?",
        "`mirrored = keras.ops.flip(image, axis=2)`, then `keras.Model(image, "
        "keras.layers.Average()([encoder(image), encoder(mirrored)]))`",
    ),
)
class mirror_proof:
    """The mean of one encoder's answers on a photo and on its mirror image."""

    misconceptions = {
        "not-symbolic": Misconception(
            "The input is a symbolic tensor, and a function of TensorFlow or NumPy wanted values.",
            "Which module of Keras has the same functions, for symbolic tensors too?",
            raises=r"KerasTensor (cannot be used as input to|is symbolic)|A KerasTensor is symbolic",
        ),
        "layer-not-called": Misconception(
            "A layer or model stands where a tensor was meant.",
            "A model is called like a layer. On which tensors do you call the encoder?",
            raises=LAYER_NOT_CALLED + r"|with an unsupported type",
        ),
        "own-weights": Misconception(
            "Your model has an encoder of its own, a copy or a new one; not every call is one of the given encoder.",
            "Sharing means to call the given object twice. Do you make or copy a layer anywhere?",
            raises=r"is used 2 times in the model",
        ),
        "not-the-outputs-form": Misconception(
            "The answer has another shape than the encoder's.",
            "A mean of two vectors has the length of one. What does your last layer do with them?",
        ),
        "upside-down": Misconception(
            "The photo was turned upside down: a mirror exchanges left and right.",
            "Axes are counted from 0, and the batch comes first. Which one are the columns?",
        ),
        "flips-the-batch": Misconception(
            "The *order of the photos* was reversed, so each answer mixes two photos.",
            "A batch has four axes. What is the first one?",
        ),
        "flips-channels": Misconception(
            "The channels were reversed: red became blue.", "What stands on the last axis of a photo?"
        ),
        "no-mirror": Misconception(
            "The answer is the encoder's own on one of the two.",
            "Both are needed: the photo as it is, and its mirror image.",
        ),
        "sums": Misconception(
            "The two answers were added up and not averaged.",
            "What divides the sum by the number of its terms?",
        ),
        "averages-photos": Misconception(
            "The two *photos* were averaged and then encoded once.",
            "The encoder is not linear: the answer to a mean is not the mean of the answers. Which comes first?",
        ),
        "takes-the-larger": Misconception(
            "The larger of both answers was taken.",
            "The exercise asks for the mean. Which layer computes it?",
        ),
        "other-answer": Misconception(
            "The answer is not the mean of both calls.",
            "Compute it for one photo by calling the encoder yourself.",
        ),
    }

    @staticmethod
    def given(rng):
        for shape in ([3, 5, 1], [4, 4, 3]):
            pixels = int(np.prod(shape))
            yield {
                "image_shape": shape,
                "photos": rng.normal(0, 1, (int(rng.integers(2, 6)), *shape)).astype(np.float32),
                "kernels": [
                    rng.normal(0, 0.5, (pixels, 8)).astype(np.float32),
                    rng.normal(0, 1, (8, 3)).astype(np.float32),
                ],
            }

    @staticmethod
    def when(mirror_proof, image_shape, photos, kernels):
        layers = [
            keras.layers.Dense(8, activation="relu", use_bias=False),
            keras.layers.Dense(3, use_bias=False),
        ]
        encoder = keras.Sequential([keras.Input(tuple(image_shape)), keras.layers.Flatten(), *layers])
        encoder.set_weights(kernels)
        model = mirror_proof(encoder, tuple(image_shape))
        if model is None:
            return {"answer": None}
        answer = model(photos)
        encoder.set_weights([kernels[0], 3 * kernels[1]])
        return {"answer": answer, "after": model(photos)}

    @staticmethod
    def then(seen, image_shape, photos, kernels):
        def encode(x):
            return _relu(x.reshape(len(x), -1) @ kernels[0]) @ kernels[1]

        got, own = np.asarray(seen["answer"]), encode(photos)
        flipped = {
            "": photos[:, :, ::-1],
            "upside-down": photos[:, ::-1],
            "flips-the-batch": photos[::-1],
            "flips-channels": photos[..., ::-1],
        }
        wanted = (own + encode(flipped[""])) / 2
        evidence = {"expected": wanted[0], "got": got[0] if got.ndim else got}
        if got.shape != own.shape:
            raise Misread("not-the-outputs-form", expected=f"shape {own.shape}", got=f"shape {got.shape}")
        if np.array_equal(got, seen["after"]):
            raise Misread("own-weights", expected="other answers", got="the same answers")
        if not _same(got, wanted):
            mirrored = encode(flipped[""])
            known = {name: (own + encode(x)) / 2 for name, x in flipped.items() if name} | {
                "no-mirror": mirrored,
                "sums": own + mirrored,
                "averages-photos": encode((photos + flipped[""]) / 2),
                "takes-the-larger": np.maximum(own, mirrored),
            }
            if image_shape[-1] == 1 and _same(got, own):  # one channel: reversed, it is the photo itself
                known["flips-channels"] = np.zeros(0)
                known["no-mirror"] = own
            same = [name for name, value in known.items() if _same(got, value)]
            same += ["no-mirror"] if _same(got, own) else []
            raise Misread(same[0] if same else "other-answer", **evidence)
        if not _same(seen["after"], 3 * wanted):
            raise Misread("own-weights", expected="answers that follow", got="answers that follow in part")


@check(
    points=3,
    minutes=10,
    difficulty="medium",
    hints=(
        "Two models: one cuts the old one off at the layer, the other puts a new layer on top.",
        "`keras.Model(model.input, model.get_layer(layer_name).output)` is the first. Freeze *it*, then build on its "
        "`output`.",
        "`extractor.trainable = False`, then `return keras.Model(model.input, "
        "keras.layers.Dense(outputs)(extractor.output))`",
    ),
)
class reuse:
    """A part of a trained model, shared and frozen, with a new head that learns."""

    misconceptions = {
        "layer-instead-of-output": Misconception(
            "A layer stands where a tensor was meant.",
            "`get_layer` gives the layer. What was the symbolic tensor that it returned called?",
            raises=LAYER_NOT_CALLED,
        ),
        "not-connected": Misconception(
            "The output has no way back to the inputs that you named.",
            "Each graph has its own inputs. Which belong to the model whose layer you use?",
            raises=r"not connected to|disconnected|is used 2 times in the model",
        ),
        "no-head": Misconception(
            "The model has no new weights: the head is missing.",
            "What turns the features into `outputs` logits?",
        ),
        "wrong-number-of-outputs": Misconception(
            "The model does not answer with `outputs` numbers.",
            "Which argument says how many units the head has?",
        ),
        "own-trunk": Misconception(
            "None of the given model's weights are in the new one: it learnt nothing from it.",
            "`clone_model` and newly made layers begin with random weights. Where is what the model learnt?",
        ),
        "cut-at-another-place": Misconception(
            "The head does not stand on the layer that was named.",
            "`model.output` is the end of the whole model. Where do you use `layer_name`?",
        ),
        "trunk-learns": Misconception(
            "One step of training moved the weights of the given model.",
            "The trunk is shared, so it must hold still. Which attribute freezes, and what did you set it on?",
        ),
        "head-frozen": Misconception(
            "One step of training moved nothing, not even the new head.",
            "What was `trainable = False` set on, and is the head inside it?",
        ),
        "not-logits": Misconception(
            "The answers are not logits of the features: the head has an activation, or more than one layer.",
            "A logit may be any number. What does the head do with it?",
        ),
    }

    @staticmethod
    def given(rng):
        for layer_name, width in (("features", 4), ("early", 6)):
            rows = int(rng.integers(6, 16))
            yield {
                "layer_name": layer_name,
                "outputs": int(rng.integers(2, 8)),
                "width": width,
                "a": rng.normal(0, 1, (rows, 3)).astype(np.float32),
                "b": rng.normal(0, 1, (rows, 2)).astype(np.float32),
            }

    @staticmethod
    def when(reuse, layer_name, outputs, width, a, b):
        model = _donor()
        data = {"a": a, "b": b}
        features = keras.Model(model.input, model.get_layer(layer_name).output)(data)
        new = reuse(model, layer_name, outputs)
        if new is None:
            return {"answer": None}
        head = [weight for weight in new.weights if not any(weight is own for own in model.weights)]
        trunk = [weight for weight in new.weights if any(weight is own for own in model.weights)]
        answer, before = new(data), [weight.numpy() for weight in (*trunk, *head)]
        new.compile(keras.optimizers.SGD(0.1), "mse", run_eagerly=True)
        if new.trainable_weights:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                new.train_on_batch(data, np.full(answer.shape, 9.0))
        moved = [not np.array_equal(w.numpy(), old) for w, old in zip((*trunk, *head), before, strict=True)]
        return {
            "features": features,
            "answer": answer,
            "trunk": len(trunk),
            "trunk_moved": any(moved[: len(trunk)]),
            "head": [weight.shape for weight in head],
            "head_moved": any(moved[len(trunk) :]),
            "head_before": before[len(trunk) :],
        }

    @staticmethod
    def then(seen, layer_name, outputs, width, a, b):
        answer, head = np.asarray(seen["answer"]), [list(shape) for shape in seen["head"]]
        if not head:
            raise Misread("no-head", expected=f"new weights ({width}, {outputs})", got="none")
        if answer.shape != (len(a), outputs):
            raise Misread("wrong-number-of-outputs", expected=f"shape ({len(a)}, {outputs})", got=answer)
        if not seen["trunk"]:
            raise Misread("own-trunk", expected="weights shared with the given model", got="none of them")
        kernels = [shape for shape in head if len(shape) == 2]
        if len(kernels) == 1 and kernels[0] != [width, outputs]:
            raise Misread(
                "cut-at-another-place", expected=f"a head of ({width}, {outputs})", got=f"{tuple(kernels[0])}"
            )
        if seen["trunk_moved"]:
            raise Misread("trunk-learns", expected="only the head moves", got="weights below it moved too")
        if not seen["head_moved"]:
            raise Misread("head-frozen", expected="the head moves", got="nothing moved")
        kernel = next((w for w in seen["head_before"] if w.shape == (width, outputs)), None)
        if kernel is None or len(kernels) > 1 or not _same(answer, seen["features"] @ kernel):
            raise Misread("not-logits")


def _donor():
    """Return a small model of two inputs with the layers `early`, `features` and `kind`."""
    inputs = {"a": keras.Input((3,), name="a"), "b": keras.Input((2,), name="b")}
    joined = keras.layers.Concatenate()(list(inputs.values()))
    early = keras.layers.Dense(6, activation="softplus", name="early")(joined)
    features = keras.layers.Dense(4, activation="softplus", name="features")(early)
    return keras.Model(inputs, keras.layers.Dense(5, name="kind")(features))


@check(
    points=3,
    minutes=15,
    difficulty="hard",
    hints=(
        "`__init__` makes every layer and keeps it as `self.something`; `call` only calls them; `get_config` "
        "returns what `__init__` takes.",
        "First line of `__init__`: `super().__init__(**kwargs)`. Keep `units`, `classes` and `rate` for "
        "`get_config`, which adds them to `super().get_config()`.",
        'In `call`: `joined = self.drop(self.join([self.see(self.flatten(inputs["image"])), self.read(inputs'
        '["table"])]))` and `return {"kind": self.kind(joined), "area": self.area(joined)}`; `get_config`: '
        '`{**super().get_config(), "units": self.units, "classes": self.classes, "rate": self.rate}`',
    ),
)
class SorterModel:
    """The branching model as a subclass of keras.Model that survives saving."""

    misconceptions = {
        "no-super-init": Misconception(
            "`__init__` does not begin with the one of `keras.Model`, which keeps count of layers and weights.",
            "What must the first line of `__init__` be?",
            raises=r"forgot to call `?super\(\)|super\(\).__init__",
        ),
        "ignores-kwargs": Misconception(
            "Loading hands `name` and others to `__init__`, which did not pass them on.",
            "What becomes of `**kwargs` in your `__init__`?",
            raises=r"(?s)could not be deserialized.*unexpected keyword",
        ),
        "layers-made-late": Misconception(
            "Layers are made in `call`, at every call anew, so nothing can be learnt.",
            "In which method must every layer be made, so that it is made once?",
            raises=r"cannot add new elements of state|All state must be created",
        ),
        "config-incomplete": Misconception(
            "The saved model cannot be built again: `get_config` does not hold what `__init__` needs.",
            "Which three arguments has your `__init__`? Each needs a key of the same name.",
            raises=r"could not be deserialized|missing \d+ required|must override `get_config|"
            r"has not implemented `?get_config",
        ),
        "forgets-to-flatten": Misconception(
            "The rows of the photo were not laid out in one row before the `Dense` layer.",
            "A `Dense` layer works on the last axis only. Which layer makes one row of all pixels?",
            raises=r"inputs with matching shapes|same rank|Concatenate",
        ),
        "no-names": Misconception(
            "The answer is not a dict with `kind` and `area`.",
            "`compile` finds losses by these names. What does `call` return?",
        ),
        "other-outputs": Misconception(
            "A head has another shape than asked for: `classes` logits and one number.",
            "Which argument belongs to which head?",
        ),
        "shares-one-layer": Misconception(
            "The model has another number of weights than its four `Dense` layers should have.",
            "One layer for each input, and one for each head: is one missing, or one too many?",
        ),
        "drops-always": Misconception(
            "Units are dropped after training too: two calls with `training=False` disagree.",
            "Keras passes `training` on by itself. What did you pass instead?",
        ),
        "drops-never": Misconception(
            "With `training=True` nothing is dropped.",
            "Is the `Dropout` layer called, with the rate that was given, and is its result used?",
        ),
        "other-answers": Misconception(
            "The layers are there, but the answers are not those of this graph.",
            "Two layers have a `relu`, the heads have none. And what goes into the heads: the joined ones, after "
            "`Dropout`?",
        ),
        "loses-a-setting": Misconception(
            "The model came back from the file with another rate.",
            "Which of the three arguments is missing in `get_config`, or has a fixed value there?",
        ),
    }

    @staticmethod
    def given(rng):
        # One round trip is enough, and it is the slow part; it needs a rate that is nobody's default.
        for shape, columns, rate, saves in (([6, 6, 1], 3, 0.5, False), ([3, 4, 2], 5, 0.8, True)):
            yield {
                "units": int(rng.integers(12, 20)),
                "classes": int(rng.integers(4, 8)),
                "rate": rate,
                "image": rng.normal(0, 1, (6, *shape)).astype(np.float32),
                "table": rng.normal(0, 1, (6, columns)).astype(np.float32),
                "saves": saves,
            }

    @staticmethod
    def when(SorterModel, units, classes, rate, image, table, saves):
        model, inputs = SorterModel(units=units, classes=classes, rate=rate), {"image": image, "table": table}
        outputs = model(inputs, training=False)
        if not isinstance(outputs, dict):
            return (
                {"outputs": {}, "form": type(outputs).__name__} if outputs is not None else {"outputs": None}
            )
        seen = {
            "form": "a dict",
            "outputs": outputs,
            "again": model(inputs, training=False),
            "training": [model(inputs, training=True) for _ in range(2)],
            "weights": sum(int(np.prod(weight.shape)) for weight in model.trainable_weights),
            "kernels": _kernels(model),
        }
        if seen["weights"] and saves:
            with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
                warnings.simplefilter("ignore")
                model.save(Path(folder) / "model.keras")
                known = {type(model).__name__: type(model)}
                loaded = keras.saving.load_model(Path(folder) / "model.keras", custom_objects=known)
            seen["loaded"] = loaded(inputs, training=False)
            dropout = [float(layer.rate) for layer in loaded._flatten_layers() if hasattr(layer, "rate")]
            seen["loaded_rate"] = dropout[-1] if dropout else 0.0
        return seen

    @staticmethod
    def then(seen, units, classes, rate, image, table, saves):
        outputs, n = seen["outputs"], len(image)
        if set(outputs) != {"kind", "area"}:
            got = ", ".join(outputs) or seen["form"]
            raise Misread("no-names", expected="a dict with kind and area", got=got)
        if not seen["weights"]:
            raise Misread("layers-made-late", expected="weights that the model knows", got="none")
        shapes = {name: np.shape(value) for name, value in outputs.items()}
        wanted = {"kind": (n, classes), "area": (n, 1)}
        told = {"expected": _as_words(wanted), "got": _as_words(shapes)}
        if len(shapes["kind"]) > 2 or len(shapes["area"]) > 2:
            raise Misread("forgets-to-flatten", **told)
        if shapes != wanted:
            raise Misread("other-outputs", **told)
        pixels, columns = image[0].size, table.shape[1]
        wanted = (pixels + 1 + columns + 1) * units + (2 * units + 1) * (classes + 1)
        if seen["weights"] != wanted:
            raise Misread("shares-one-layer", expected=f"{wanted} weights", got=f"{seen['weights']} weights")
        if not _same(outputs["kind"], seen["again"]["kind"]):
            raise Misread("drops-always")
        if any(_same(outputs["kind"], run["kind"]) for run in seen["training"]):
            raise Misread("drops-never")
        if not _head(seen, outputs, units, classes, image, table):
            raise Misread("other-answers")
        if saves and (not _same(outputs["kind"], seen["loaded"]["kind"]) or seen["loaded_rate"] != rate):
            raise Misread("loses-a-setting", expected=f"rate {rate}", got=f"rate {seen['loaded_rate']}")


def _head(seen, outputs, units, classes, image, table):
    """Tell whether the outputs are those of the graph, whichever branch was joined first."""
    pixels = image.reshape(len(image), -1)
    by_shape = {kernel.shape: kernel for kernel in seen["kernels"]}
    shapes = [(pixels.shape[1], units), (table.shape[1], units), (2 * units, classes), (2 * units, 1)]
    if not all(shape in by_shape for shape in shapes):
        return False
    see, read, kind, area = (by_shape[shape] for shape in shapes)
    parts = [_relu(pixels @ see), _relu(table @ read)]
    joined = [np.concatenate(parts[::order], axis=1) for order in (1, -1)]
    return any(_same(outputs["kind"], j @ kind) and _same(outputs["area"], j @ area) for j in joined)


def _as_words(shapes):
    return {name: f"shape {shape}" for name, shape in shapes.items()}
