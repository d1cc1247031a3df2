"""What each exercise of this lab must do, and the misconceptions that its check can tell apart."""

import functools
import re
import tempfile

import numpy as np

from labs import Misconception, Misread, check, lazy

keras = lazy("keras")
tf = lazy("tensorflow")


@check(
    points=1,
    minutes=6,
    difficulty="easy",
    hints=(
        "Two steps: another size, and another range. Print `tf.reduce_max` after each of them.",
        "`tf.image.resize(image, [size, size])` gives float32, but the numbers still go up to 255.",
        "`return tf.image.resize(image, [size, size]) / 255.0`",
    ),
)
class preprocess:
    """One picture as the module wants it: float32 from 0 to 1, of the size asked for."""

    misconceptions = {
        "other-dtype": Misconception(
            "The numbers are not float32.",
            "Which dtype does a network compute in, and which one does your last step give?",
        ),
        "other-shape": Misconception(
            "The picture does not have the shape (size, size, 3).",
            "One picture has three axes, and both of its sides should become `size`. Did a batch axis come in, or "
            "did a side keep its length?",
        ),
        "left-at-255": Misconception(
            "The numbers still go up to 255.",
            "`tf.image.resize` keeps the range, and gives floats. What does each later step think of floats?",
        ),
        "from-minus-one": Misconception(
            "The numbers were scaled to the range from -1 to 1. Some networks want that; this module takes 0 to 1.",
            "Which number should black become, and which one white?",
        ),
        "divided-twice": Misconception(
            "The numbers are 255 times too small.",
            "How often is the picture divided by 255? Some functions of `tf.image` do it for you.",
        ),
        "own-range": Misconception(
            "Each picture was stretched by its own range: the same grey comes out differently.",
            "By what may you divide, if white must mean the same in all pictures?",
        ),
        "cut-off": Misconception(
            "The picture was cut or padded, not scaled to the new size.",
            "All of the picture should still be there. Which function of `tf.image` changes the scale?",
        ),
        "other-numbers": Misconception(
            "Shape and range are right, but the numbers are not those of the scaled picture.",
            "Take a picture of one colour: each number should be that colour divided by 255.",
        ),
    }

    @staticmethod
    def given(rng):
        for height, width, size in ((8, 8, 8), (6, 9, 4), (5, 3, 10)):
            colour = rng.integers(60, 180, 3)
            shades = np.linspace(0, 60, height)[:, None, None] * np.ones((1, width, 1))
            yield {"image": (colour + shades).astype(np.uint8), "size": size}

    @staticmethod
    def when(preprocess, image, size):
        scaled = preprocess(tf.constant(image), size)
        if scaled is None:
            return {"scaled": None}
        return {"scaled": scaled, "dtype": scaled.dtype}

    @staticmethod
    def then(seen, image, size):
        got = np.asarray(seen["scaled"])
        if got.dtype.kind in "iub" or seen["dtype"] != "float32":
            raise Misread("other-dtype", expected="float32", got=seen["dtype"])
        if got.shape != (size, size, 3):
            raise Misread("other-shape", expected=f"shape {size, size, 3}", got=f"shape {got.shape}")
        # Linear from row to row, and each row of one colour: so are the rows of the scaled picture.
        height = len(image)
        at = np.clip((np.arange(size) + 0.5) * height / size - 0.5, 0, height - 1)
        columns = [np.interp(at, np.arange(height), image[:, 0, c].astype(float)) for c in range(3)]
        wanted = np.repeat(np.stack(columns, axis=-1)[:, None], size, axis=1) / 255
        known = {
            "left-at-255": wanted * 255,
            "from-minus-one": wanted * 2 - 1,
            "divided-twice": wanted / 255,
        }
        tight = {"atol": 0.03, "rtol": 0}
        if np.allclose(got, wanted, **tight):
            return
        name = next(
            (n for n, v in known.items() if np.allclose(got, v, atol=max(1e-4, 0.03 * v.max()))), None
        )
        if name is None and np.isclose(got.max(), 1, atol=1e-3) and wanted.max() < 0.97:
            name = "own-range"
        # No colour is darker than 60, so a black edge was put there to fill the square.
        padded = got.any() and not all(got.any(axis=(axis, 2)).all() for axis in (0, 1))
        if name is None and (padded or np.allclose(got, _cut(image, size) / 255, **tight)):
            name = "cut-off"
        raise Misread(name or "other-numbers", expected=wanted.astype(np.float32), got=got)


def _cut(image, size):
    """Return the middle of `image` in a square of `size`, black where there is no picture."""
    square = np.zeros((size, size, 3))
    sides = [min(size, side) for side in image.shape[:2]]
    to = [slice((size - side) // 2, (size - side) // 2 + side) for side in sides]
    of = [
        slice((whole - side) // 2, (whole - side) // 2 + side)
        for whole, side in zip(image.shape, sides, strict=False)
    ]
    square[to[0], to[1]] = image[of[0], of[1]]
    return square


VALUES = {
    "stem/conv/kernel": np.array([[1.0, -2.0], [0.5, 1.0], [2.0, 0.25]], np.float32),
    "stem/norm/moving_mean": np.array([0.25, -0.5], np.float32),
    "stem/norm/gamma": np.array([2.0, 0.5], np.float32),
}
"""The variables of the little module that the check saves and loads; those that train do not all come first."""


@functools.cache
def _saved():
    """Save a little module of two layers as TensorFlow Hub would; return its folder, kept until Python ends."""

    class Little(tf.train.Checkpoint):
        def __init__(self):
            super().__init__()
            self.variables = [
                tf.Variable(value, trainable="moving" not in name, name=name)
                for name, value in VALUES.items()
            ]
            self.trainable_variables = [v for v in self.variables if v.trainable]
            self.regularization_losses = []

        @tf.function
        def __call__(self, images, training=False):
            kernel, mean, gamma = self.variables
            rows = tf.reduce_mean(images, axis=[1, 2]) @ kernel
            now = mean
            if training:
                now = tf.reduce_mean(rows, axis=0)
                mean.assign(0.5 * (mean + now))
            return gamma * (rows - now)

    folder = tempfile.TemporaryDirectory(prefix="tensorflow-labs-")
    little, images = Little(), tf.TensorSpec([None, None, None, 3], tf.float32)
    for training in (False, True):
        little.__call__.get_concrete_function(images, training=training)
    tf.saved_model.save(little, folder.name)
    return folder


@check(
    points=3,
    minutes=14,
    difficulty="hard",
    hints=(
        "In `__init__`: a list with one `keras.Variable(v, ...)` for each `v` of `self.module.variables`.",
        "`trainable=v.trainable` keeps the statistics out of training. In `call` three things must all be true.",
        '`self.shared = [keras.Variable(v, trainable=v.trainable, name=v.name.split(":")[0].replace("/", "_")) '
        "for v in self.module.variables]`; `return self.module(inputs, training=bool(training and self.trainable and "
        "self.norm_learns))`",
    ),
)
class HubLayer:
    """A Keras 3 layer that calls a loaded module and shares its variables."""

    misconceptions = {
        "slashes-in-names": Misconception(
            "A variable of Keras 3 got the module's name as it is, and Keras allows no `/` in a name.",
            "`v.name` looks like `stem/conv/kernel:0`. What should it become?",
            raises=r"must be a string and cannot contain character `/`|cannot contain",
        ),
        "not-a-plain-boolean": Misconception(
            "The module has one graph for `training=True` and one for `False`; you asked for something else.",
            "Is what you pass a plain True or False in each case, and not None or a tensor?",
            raises=r"[Cc]ould not find matching concrete function|NoneType.*bool|Tensor.*as a Python",
        ),
        "keras-finds-none": Misconception(
            "The layer computes, but has no weights: Keras would neither train nor save the module.",
            "Keras 3 does not look into a `tf.Variable`. What must each of them be wrapped in, and kept where?",
        ),
        "leaves-the-statistics-out": Misconception(
            "Some of the module's variables are no weights of the layer: a saved file would not have them.",
            "The module has two lists of variables. Which of them is the longer one?",
        ),
        "not-in-shared": Misconception(
            "The layer has all the weights, but `self.shared` does not: later exercises look for them there.",
            "Under which name does the exercise ask for the list?",
        ),
        "copies": Misconception(
            "Keras' variables are copies: when they change, the module computes with its old ones.",
            "What did you hand to `keras.Variable`: the variable itself, or its values?",
        ),
        "trains-the-statistics": Misconception(
            "The running statistics are trainable: an optimizer would move them to lower the loss.",
            "Which attribute of the module's own variable says whether it should train?",
        ),
        "nothing-trains": Misconception(
            "The layer is trainable, but too few of its weights are.",
            "What does each `v.trainable` say, and what did you pass on?",
        ),
        "always-in-training": Misconception(
            "The module was called in training mode although Keras is not training.",
            "What does `call` get in its argument `training`?",
        ),
        "learns-while-frozen": Misconception(
            "The layer is frozen, and still the module ran in training mode and moved its statistics.",
            "Which attribute of the layer says that it is frozen?",
        ),
        "learns-unasked": Misconception(
            "The module ran in training mode although `norm_learns` is not set.",
            "There are three conditions. Which of them did you leave out?",
        ),
        "never-in-training": Misconception(
            "`norm_learns` is set, the layer trains, and still the module was called with `training=False`.",
            "When all three conditions hold, what should reach the module?",
        ),
        "other-names": Misconception(
            "The weights are not named and ordered as in the module, with `_` for `/` and nothing from the `:` on.",
            "From `stem/conv/kernel:0`, what should be left? And which list of the module has them all in its order?",
        ),
        "other-output": Misconception(
            "The layer does not return what the module gives for the inputs.",
            "What does `call` return, and are the inputs handed over unchanged?",
        ),
    }

    @staticmethod
    def given(rng):
        for trainable, norm_learns, training in (
            (True, True, False),
            (True, True, True),
            (True, False, True),
            (False, True, True),
        ):
            shape = (int(rng.integers(2, 5)), 2, int(rng.integers(2, 4)), 3)
            inputs = rng.random(shape).round(2).astype(np.float32)
            yield {"inputs": inputs, "trainable": trainable, "norm_learns": norm_learns, "training": training}

    @staticmethod
    def when(HubLayer, inputs, trainable, norm_learns, training):
        layer = HubLayer(_saved().name, norm_learns=norm_learns, trainable=trainable)
        if not isinstance(layer, keras.layers.Layer):
            return {"outputs": None}
        outputs = layer(tf.constant(inputs), training=training)
        if outputs is None:
            return {"outputs": None}
        after = layer.module.variables[1].numpy()
        seen = {"outputs": outputs, "moving_mean": after, "weights": len(layer.weights)}
        shared = getattr(layer, "shared", ())
        seen["names"] = [re.sub(r".*/", "", variable.name) for variable in shared]
        before = [variable.numpy() for variable in layer.module.variables]
        for weight in layer.weights:
            weight.assign(weight + 1)
        moved = [v.numpy() - old for v, old in zip(layer.module.variables, before, strict=True)]
        seen["moved"] = int(sum(np.allclose(one, 1) for one in moved))
        seen["trainable_weights"] = sum(bool(weight.trainable) for weight in layer.weights)
        if training and norm_learns:
            keras.Sequential([keras.Input(inputs.shape[1:]), layer])  # calls it in a graph
        return seen

    @staticmethod
    def then(seen, inputs, trainable, norm_learns, training):
        if seen["weights"] == 0:
            raise Misread("keras-finds-none", expected="3 weights", got="0 weights")
        if seen["weights"] < 3:
            raise Misread("leaves-the-statistics-out", expected="3 weights", got=f"{seen['weights']} weights")
        if len(seen["names"]) != 3:
            raise Misread("not-in-shared", expected="3 in `shared`", got=f"{len(seen['names'])} in `shared`")
        if seen["moved"] < 3:
            raise Misread("copies", expected="3 variables of the module moved", got=f"{seen['moved']} moved")
        wanted = 2 if trainable else 0
        if seen["trainable_weights"] != wanted:
            name = "trains-the-statistics" if seen["trainable_weights"] > wanted else "nothing-trains"
            raise Misread(name, expected=f"{wanted} trainable", got=f"{seen['trainable_weights']} trainable")
        kernel, mean, gamma = VALUES.values()
        rows = inputs.reshape(len(inputs), -1, 3).astype(float).mean(axis=1) @ kernel
        batch = rows.mean(axis=0)
        in_use, in_training = gamma * (rows - mean), gamma * (rows - batch)
        learns = training and trainable and norm_learns
        statistics = (mean + batch) / 2 if learns else mean
        right = (in_training if learns else in_use).astype(np.float32)
        outputs = np.asarray(seen["outputs"])
        if _close(outputs, right) and _close(seen["moving_mean"], statistics):
            names = [name.replace("/", "_") for name in VALUES]
            if seen["names"] != names:
                raise Misread("other-names", expected=names, got=seen["names"])
            return
        if not learns and _close(outputs, in_training):
            name = "learns-unasked" if not norm_learns else "learns-while-frozen"
            name = "always-in-training" if not training else name
            raise Misread(name, expected={"output": right}, got={"output": outputs})
        if learns and _close(outputs, in_use):
            raise Misread("never-in-training", expected={"output": right}, got={"output": outputs})
        raise Misread("other-output", expected={"output": right}, got={"output": outputs})


class _Recorder:
    """Stands for a module: notes how many pictures it saw, and with which `training`."""

    def __init__(self):
        self.pictures, self.modes = tf.Variable(0), []  # a variable counts in a graph of tf.data, too

    def __call__(self, images, training="not said"):
        self.pictures.assign_add(tf.shape(images)[0])
        self.modes.append(str(training))
        number = images[:, 0, 0, 0]
        return tf.stack([number, number**2, 7 - number], axis=1)


@check(
    points=2,
    minutes=8,
    difficulty="medium",
    hints=(
        "Two lists, one loop over the dataset. Each round appends the features and the labels of the same batch.",
        "`module(batch, training=False).numpy()` are the features of a batch; `np.concatenate` joins a list of them.",
        "`for batch, batch_labels in dataset:` append `module(batch, training=False).numpy()` to one list and "
        "`batch_labels.numpy()` to another; `return np.concatenate(features), np.concatenate(labels)`",
    ),
)
class cached_features:
    """Features and labels of a whole dataset, each picture through the module once."""

    misconceptions = {
        "one-result": Misconception(
            "You returned one thing; features *and* labels were asked for.",
            "What stands after `return`, and with which comma?",
        ),
        "last-batch-only": Misconception(
            "Only the pictures of one batch came back.",
            "What happens to the features of the first batch when the second one comes?",
        ),
        "list-of-batches": Misconception(
            "The batches are still apart: a list of arrays came back, or an array with an axis too many.",
            "Which function of NumPy joins arrays along the axis that they have?",
            raises=r"inhomogeneous|all input arrays must have the same shape",
        ),
        "in-training": Misconception(
            "The module was not told `training=False`.",
            "In training mode a module uses the batch's statistics and moves its own. Does anything train here?",
        ),
        "more-than-once": Misconception(
            "Pictures went through the module more than once.",
            "Count the calls: how often is the module asked for each batch?",
        ),
        "rows-apart": Misconception(
            "Features and labels are all there, but they do not belong together: row by row they differ in order.",
            "This dataset is shuffled anew each time it is read. How often do you read it?",
        ),
        "other-features": Misconception(
            "The features are not what the module gives for the pictures.",
            "Is anything done to the pictures before the module, or to the features after it?",
        ),
    }

    @staticmethod
    def given(rng):
        yield {"pictures": 10, "batch_size": 4, "classes": 3}
        yield {
            "pictures": int(rng.integers(12, 30)),
            "batch_size": 5,
            "classes": int(rng.choice([4, 5, 7, 8])),
        }
        pictures = int(rng.integers(5, 12))
        yield {"pictures": pictures, "batch_size": pictures, "classes": int(rng.choice([4, 5, 7, 8]))}

    @staticmethod
    def when(cached_features, pictures, batch_size, classes):
        number = np.arange(pictures)
        images = np.broadcast_to(number[:, None, None, None], (pictures, 2, 2, 3)).astype(np.float32)
        dataset = tf.data.Dataset.from_tensor_slices((images, number * 3 % classes))
        module = _Recorder()
        result = cached_features(module, dataset.shuffle(pictures).batch(batch_size))
        if result is None:
            return {"features": None}
        if not (isinstance(result, tuple | list) and len(result) == 2):
            raise Misread("one-result", expected="the pair (features, labels)", got="one result")
        features, labels = result
        seen = {"features": features, "labels": labels, "pictures": int(module.pictures.numpy())}
        return {**seen, "modes": sorted(set(module.modes))}

    @staticmethod
    def then(seen, pictures, batch_size, classes):
        for name in ("features", "labels"):
            if isinstance(seen[name], list):
                raise Misread("list-of-batches", expected="an array", got=f"a list of {len(seen[name])}")
        features, labels = np.asarray(seen["features"]), np.asarray(seen["labels"])
        if features.ndim != 2 or labels.ndim != 1:
            shapes = {"features": list(features.shape), "labels": list(labels.shape)}
            raise Misread(
                "list-of-batches", expected={"features": [pictures, 3], "labels": [pictures]}, got=shapes
            )
        if len(features) < pictures or len(labels) < pictures:
            raise Misread("last-batch-only", expected=f"{pictures} rows", got=f"{len(features)} rows")
        if seen["modes"] != ["False"]:
            raise Misread("in-training", expected="training=False", got=f"training: {seen['modes'][0]}")
        if seen["pictures"] > pictures or len(features) > pictures:
            raise Misread(
                "more-than-once", expected=f"{pictures} pictures", got=f"{seen['pictures']} pictures"
            )
        number = np.sort(features[:, 0])
        rows = np.stack([features[:, 0], features[:, 0] ** 2, 7 - features[:, 0]], axis=1)
        if not (_close(number, np.arange(pictures)) and _close(features, rows)):
            raise Misread("other-features", got={"features": features})
        belongs = features[:, 0].round().astype(int) * 3 % classes
        if not np.array_equal(labels, belongs):
            raise Misread("rows-apart", expected={"labels": belongs}, got={"labels": labels})


@check(
    points=2,
    minutes=8,
    difficulty="medium",
    hints=(
        "Divide each row by its own length, `np.linalg.norm(..., axis=1, keepdims=True)`, on both sides.",
        "`queries @ features.T` then has the cosines, (n, m). `np.argsort` sorts upwards: which sign helps?",
        "`queries / np.linalg.norm(queries, axis=1, keepdims=True)`, `features` alike; "
        "`return np.argsort(-(queries @ features.T), axis=1)[:, :k]`",
    ),
)
class nearest:
    """The positions of the k rows with the greatest cosine, the most alike first."""

    misconceptions = {
        "shapes-do-not-meet": Misconception(
            "Two arrays do not fit together.",
            "`queries` is (n, d), `features` (m, d). Which one must be turned over for (n, m), and do the norms keep "
            "their axis?",
            raises=r"mismatch|broadcast|must be equal|Incompatible shapes|not aligned|size-incompatible",
        ),
        "similarities": Misconception(
            "You returned how much alike they are, not where they stand.",
            "Which function gives the order of numbers instead of the numbers?",
        ),
        "other-shape": Misconception(
            "There should be a row for each query and `k` positions in it.",
            "Along which axis did you sort, and along which did you cut off `k`?",
        ),
        "least-alike": Misconception(
            "You found the rows that are *least* alike.",
            "Does the sort go up or down, and at which end does a cosine of 1 stand?",
        ),
        "leaves-the-first-out": Misconception(
            "The most alike row is missing; your list begins with the second.",
            "A query need not be one of the features. Who says that its best match is itself?",
        ),
        "dot-product": Misconception(
            "You compared by the dot product: long rows win, whatever their direction.",
            "What must be done to the rows before the product becomes a cosine?",
        ),
        "normalized-by-columns": Misconception(
            "The lengths were taken along the wrong axis.",
            "How many lengths do the `features` have, m or d?",
        ),
        "distance": Misconception(
            "You compared by distance, for which the lengths count as well as the direction.",
            "Two rows, one ten times the other: how far are they apart, and what is their cosine?",
        ),
        "not-in-order": Misconception(
            "The right rows are found, but not in order.",
            "`argpartition` and `set` say who is among the first `k`, not in which order.",
        ),
        "other-rows": Misconception(
            "These are not the rows with the greatest cosine.",
            "Take one query and compute a few cosines by hand.",
        ),
        "changes-its-inputs": Misconception(
            "The positions are right, but the arrays that you were given hold other numbers afterwards, and later "
            "cells would go on with those.",
            "`/=` writes into the array itself. What does `features = features / ...` do?",
        ),
    }

    @staticmethod
    def given(rng):
        yield _neighbours(rng, queries=3, rows=8, size=4, k=3)
        yield _neighbours(rng, queries=2, rows=12, size=5, k=5)
        yield _neighbours(rng, queries=4, rows=9, size=3, k=4)
        yield _neighbours(rng, queries=2, rows=8, size=6, k=1)

    @staticmethod
    def when(nearest, queries, features, k):
        lent = queries.copy(), features.copy()
        positions = nearest(*lent, k)
        untouched = np.array_equal(lent[0], queries) and np.array_equal(lent[1], features)
        return {"positions": positions, "untouched": bool(untouched)}

    @staticmethod
    def then(seen, queries, features, k):
        got = np.asarray(seen["positions"])
        if got.dtype.kind == "f" and np.any(got != np.round(got)):
            raise Misread("similarities", expected="positions, whole numbers", got=got)
        if got.shape != (len(queries), k):
            raise Misread("other-shape", expected=f"shape {len(queries), k}", got=f"shape {got.shape}")
        got = got.astype(int)
        order = np.array([_by_cosine(query, features) for query in queries])
        if np.array_equal(got, order[:, :k]):
            if not seen["untouched"]:
                raise Misread("changes-its-inputs", expected="the arrays as they were", got="other numbers")
            return
        known = _mistaken(queries, features, order, k)
        name = next((name for name, wrong in known.items() if np.array_equal(got, wrong)), None)
        if name is None:
            same_rows = np.array_equal(np.sort(got, axis=1), np.sort(order[:, :k], axis=1))
            name = "not-in-order" if same_rows else "other-rows"
        raise Misread(name, expected=order[:, :k], got=got)


def _neighbours(rng, queries, rows, size, k):
    """Draw a case in which each way to compare gives another answer."""
    while True:
        scale = rng.permutation(np.geomspace(0.2, 8, rows))[:, None]
        asked = rng.normal(0, 1, (queries, size)).astype(np.float32)
        features = (rng.normal(0, 1, (rows, size)) * scale).astype(np.float32)
        order = np.array([_by_cosine(query, features) for query in asked])
        answers = [order[:, :k], *_mistaken(asked, features, order, k).values()]
        if len({answer.tobytes() for answer in answers}) == len(answers):
            return {"queries": asked, "features": features, "k": k}


def _mistaken(queries, features, order, k):
    """Return the answers of the ways that go wrong, by the name of the misconception."""
    distances = ((queries[:, None] - features[None]) ** 2).sum(axis=-1)
    by_column = (queries / np.linalg.norm(queries, axis=0)) @ (features / np.linalg.norm(features, axis=0)).T
    return {
        "least-alike": order[:, ::-1][:, :k],
        "leaves-the-first-out": order[:, 1 : k + 1],
        "dot-product": np.argsort(-(queries @ features.T), axis=1)[:, :k],
        "normalized-by-columns": np.argsort(-by_column, axis=1)[:, :k],
        "distance": np.argsort(distances, axis=1)[:, :k],
    }


def _by_cosine(query, features):
    cosines = [float(query @ row) / np.sqrt(float(query @ query) * float(row @ row)) for row in features]
    return sorted(range(len(features)), key=lambda place: -cosines[place])


NAMES = [
    "stem_conv_kernel",
    "stem_norm_gamma",
    "stem_norm_moving_mean",
    "block02_depthwise_conv_kernel",
    "block02_expand_norm_gamma",
    "block09_expand_conv_kernel",
    "block09_expand_norm_beta",
    "block09_expand_norm_moving_variance",
    "block10_project_conv_kernel",
    "block13_depthwise_conv_kernel",
    "block13_depthwise_norm_gamma",
    "block15_project_conv_kernel",
    "head_conv_kernel",
    "head_norm_beta",
]


def _layer(names):
    """Return a frozen layer with one little weight for each of `names`, in a list called `shared`."""

    class Shared(keras.layers.Layer):
        def __init__(self):
            super().__init__()
            self.shared = [
                keras.Variable(
                    np.full(2, 0.5 + i / 10, np.float32), trainable="moving" not in name, name=name
                )
                for i, name in enumerate(names)
            ]
            self.trainable = False

        def call(self, inputs):
            for variable in self.shared:
                inputs = inputs * variable
            return inputs

    return Shared()


def _thawed(names, first_block):
    """Return which of `names` should train: all that a pattern with the numbers written out finds."""
    numbers = "|".join(f"{number:02d}" for number in range(first_block, 100))
    return [name for name in names if re.fullmatch(rf"(head|block({numbers}))_.*kernel", name)]


@check(
    points=2,
    minutes=10,
    difficulty="medium",
    hints=(
        'First `layer.trainable = True`, then go through `layer.shared`. `name.split("_")[0]` is then a part.',
        "The number of a block is `int(part[5:])`; as a *text*, `9` would come after `13`.",
        '`part = variable.name.split("_")[0]`; it is late if `part == "head"` or `part.startswith("block") and '
        'int(part[5:]) >= first_block`; `variable.trainable = late and variable.name.endswith("kernel")`',
    ),
)
class unfreeze:
    """Only the kernels of the last blocks and of the head train."""

    misconceptions = {
        "reads-a-number-wrongly": Misconception(
            "A part of a name was read as a number, and is none.",
            "What stands at that place in `stem_conv_kernel` and in `head_conv_kernel`?",
            raises=r"invalid literal for int|list index out of range",
        ),
        "layer-still-frozen": Misconception(
            "The layer itself is still frozen, so none of its weights train, whatever their own flags say.",
            "A weight trains if *two* things allow it. Which did you set?",
        ),
        "flags-overwritten": Misconception(
            "All of the layer's trainable weights train, early ones and norms too.",
            "What does `layer.trainable = True` do to the flags in it, and does it come before or after yours?",
        ),
        "thaws-the-norm": Misconception(
            "Weights of a `norm` train.",
            "How do the names of the weights end that should train, and how do the others?",
        ),
        "misses-the-head": Misconception(
            "The head stays frozen; it comes after all blocks.",
            "Which names begin with `block`, and which of the last ones does not?",
        ),
        "starts-one-late": Misconception(
            "`first_block` itself stays frozen.",
            "From `first_block` on: is the first one in or out?",
        ),
        "other-blocks": Misconception(
            "Other blocks train than those from `first_block` on.",
            "Are the numbers compared as numbers? As texts, 9 comes after 13.",
        ),
        "returns-others": Misconception(
            "The right weights train, but you returned other names.",
            "Return the names that train, in the order of `layer.shared`.",
        ),
    }

    @staticmethod
    def given(rng):
        for first_block in (13, 9, 2):
            yield {"names": NAMES, "first_block": first_block}
        numbers = np.sort(rng.choice(np.arange(1, 16), 5, replace=False))
        others = dict(
            zip(("02", "09", "10", "13", "15"), (f"{number:02d}" for number in numbers), strict=True)
        )
        names = [re.sub(r"(?<=^block)\d\d", lambda found: others[found[0]], name) for name in NAMES]
        yield {"names": names, "first_block": int(numbers[rng.integers(1, 4)] - rng.integers(0, 2))}

    @staticmethod
    def when(unfreeze, names, first_block):
        layer = _layer(names)
        returned = unfreeze(layer, first_block)
        training = [variable.name for variable in layer.trainable_variables]
        flags = [variable.name for variable in layer.shared if variable.trainable]
        return {"returned": returned, "training": training, "flags": flags, "layer": bool(layer.trainable)}

    @staticmethod
    def then(seen, names, first_block):
        wanted, got = _thawed(names, first_block), seen["training"]
        if not seen["layer"]:
            raise Misread("layer-still-frozen", expected=wanted, got="layer.trainable is False")
        if sorted(got) == sorted(name for name in names if "moving" not in name) != sorted(wanted):
            raise Misread("flags-overwritten", expected=wanted, got=got)
        if any("norm" in name for name in got):
            raise Misread("thaws-the-norm", expected=wanted, got=[name for name in got if "norm" in name])
        if sorted(got) != sorted(wanted):
            blocks = [name for name in wanted if not name.startswith("head")]
            later = _thawed(names, first_block + 1)
            name = "misses-the-head" if sorted(got) == sorted(blocks) else "other-blocks"
            if sorted(got) == sorted(later):
                name = "starts-one-late"
            raise Misread(name, expected=wanted, got=got)
        if seen["returned"] != wanted:
            raise Misread("returns-others", expected=wanted, got=seen["returned"])


SHORT = (
    "block00_conv_kernel",
    "block09_conv_kernel",
    "block14_conv_kernel",
    "block14_norm_gamma",
    "head_conv_kernel",
)


@check(
    points=2,
    minutes=8,
    difficulty="medium",
    hints=(
        "Two calls: `unfreeze` for the first layer, then `model.compile` with all three of its arguments.",
        "The head gives logits, so the loss needs `from_logits=True`. The rate goes into `keras.optimizers.Adam`.",
        "`unfreeze(model.layers[0], first_block)`, then "
        "`model.compile(optimizer=keras.optimizers.Adam(learning_rate), "
        'loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True), metrics=["accuracy"])`, then '
        "`return model`",
    ),
)
class ready_to_fine_tune:
    """Thaw the last blocks, and compile anew with a small learning rate."""

    misconceptions = {
        "not-compiled-anew": Misconception(
            "The model still has its old optimizer and its old step: `fit` would go on training the head alone.",
            "When does a change of what is trainable take effect?",
        ),
        "other-rate": Misconception(
            "The optimizer does not use the learning rate that was given.",
            'What rate does the name `"adam"` stand for?',
        ),
        "not-adam": Misconception(
            "The optimizer is not Adam.",
            "Read the exercise again: which optimizer does it name?",
        ),
        "new-head": Misconception(
            "The head is another than before: what it had learnt is gone.",
            "Which weights does the model have when it comes in, and which line changes them?",
        ),
        "head-frozen": Misconception(
            "The head does not train.",
            "Which layers of the model should move now: the first, the last, or both?",
        ),
        "still-frozen": Misconception(
            "After a step of `fit` nothing of the first layer has moved.",
            "Which line thaws it, and which of the model's layers is it given?",
        ),
        "thaws-too-much": Misconception(
            "Weights moved that should be frozen: early blocks or a norm.",
            "`unfreeze` chooses. What do you set after it, or instead of it?",
        ),
        "not-from-logits": Misconception(
            "The loss takes the model's outputs for probabilities; they are logits.",
            "Which argument of the loss says so?",
        ),
        "no-accuracy": Misconception(
            'The model does not report `"accuracy"`.',
            "Which argument of `compile` names what `fit` should report besides the loss?",
        ),
    }

    @staticmethod
    def given(rng):
        drawn = float(f"{10 ** rng.uniform(-5, -3.1):.2g}")  # below the 0.001 that Adam takes unless told
        for first_block, rate in ((9, 1e-4), (10, drawn)):
            inputs = rng.normal(0, 1, (4, 2)).round(2).astype(np.float32)
            yield {
                "inputs": inputs,
                "labels": rng.permutation([0, 1, 2, 1]),
                "first_block": first_block,
                "learning_rate": rate,
            }

    @staticmethod
    def when(ready_to_fine_tune, inputs, labels, first_block, learning_rate):
        model = keras.Sequential([keras.Input((2,)), _layer(SHORT), keras.layers.Dense(3, name="classes")])
        old = keras.optimizers.Adam(0.01)
        model.compile(old, keras.losses.SparseCategoricalCrossentropy(from_logits=True), run_eagerly=True)
        model.train_on_batch(inputs, labels)
        head = model.layers[-1]
        start = [weight.numpy() for weight in head.weights]
        result = ready_to_fine_tune(model, first_block, learning_rate)
        if result is None:
            return {"model": None}
        if not isinstance(result, keras.Model) or len(result.layers) < 2:
            return {"model": "none"}
        optimizer = result.optimizer
        seen = {"anew": optimizer is not None and optimizer is not old}
        if not seen["anew"]:
            return seen
        seen |= {"rate": float(optimizer.learning_rate), "optimizer": type(optimizer).__name__}
        now = [weight.numpy() for weight in result.layers[-1].weights]
        seen["head"] = len(now) == 2 and all(np.array_equal(a, b) for a, b in zip(start, now, strict=True))
        logits = result(tf.constant(inputs)).numpy()
        result.run_eagerly, result.jit_compile = True, False
        reported = result.test_on_batch(inputs, labels, return_dict=True)
        seen |= {"logits": logits, "loss": float(reported["loss"]), "reported": sorted(reported)}
        before = {v.name: v.numpy() for v in result.layers[0].shared}
        result.train_on_batch(inputs, labels)
        seen["moved"] = [v.name for v in result.layers[0].shared if np.any(v.numpy() != before[v.name])]
        seen["head_moved"] = bool(np.any(result.layers[-1].weights[1].numpy() != now[-1]))
        return seen

    @staticmethod
    def then(seen, inputs, labels, first_block, learning_rate):
        if not seen["anew"]:
            raise Misread("not-compiled-anew", expected="a new optimizer", got="the old one")
        if not np.isclose(seen["rate"], learning_rate, rtol=1e-3):
            raise Misread("other-rate", expected=learning_rate, got=seen["rate"])
        if seen["optimizer"] not in ("Adam", "AdamW"):
            raise Misread("not-adam", expected="Adam", got=seen["optimizer"])
        if not seen["head"]:
            raise Misread("new-head", expected="the head's weights as they came", got="other weights")
        if not seen["head_moved"]:
            raise Misread("head-frozen", expected="the head moves", got="it stays")
        wanted = _thawed(SHORT, first_block)
        if sorted(seen["moved"]) != sorted(wanted):
            more = set(seen["moved"]) - set(wanted)
            raise Misread("thaws-too-much" if more else "still-frozen", expected=wanted, got=seen["moved"])
        logits = np.asarray(seen["logits"], float)
        loss = np.mean(np.log(np.exp(logits).sum(axis=1)) - logits[np.arange(len(labels)), labels])
        if not np.isclose(seen["loss"], loss, rtol=1e-3, atol=1e-4):
            raise Misread("not-from-logits", expected={"loss": float(loss)}, got={"loss": seen["loss"]})
        if "accuracy" not in seen["reported"]:
            raise Misread("no-accuracy", expected=["accuracy", "loss"], got=seen["reported"])


def _close(got, wanted):
    got = np.asarray(got)
    return (
        got.shape == np.shape(wanted)
        and got.dtype.kind in "fiu"
        and np.allclose(got, wanted, rtol=1e-4, atol=1e-5)
    )
