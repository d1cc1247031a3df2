"""What each exercise of this lab must do, and the misconceptions that its check can tell apart."""

import numpy as np

from labs import Misconception, Misread, check, lazy

keras = lazy("keras")
tf = lazy("tensorflow")


@check(
    points=1,
    minutes=4,
    difficulty="easy",
    hints=(
        "Two things happen to the image: its dtype changes, and its range changes. The label passes through.",
        "`tf.cast(image, tf.float32)` changes the dtype. A byte goes up to 255: what must you divide by?",
        "`return tf.cast(image, tf.float32) / 255.0, label`",
    ),
)
class prepare:
    """Pixels as float32 from 0 to 1, and the label as it was."""

    misconceptions = {
        "forgets-the-label": Misconception(
            "`Dataset.map` needs both parts back, and only one came.",
            "A dataset of pairs stays one of pairs: what must stand after `return`, and with which comma?",
        ),
        "leaves-the-graph": Misconception(
            "It works on one photo and fails in `Dataset.map`, where a tensor has no numbers yet.",
            "Which line uses NumPy or `.numpy()`? Which function of `tf` does the same?",
            raises=r"symbolic|NotImplementedError|has no attribute 'numpy'",
        ),
        "mixes-dtypes": Misconception(
            "A uint8 tensor met a float: TensorFlow does not convert by itself.",
            "Which comes first, the cast or the division?",
            raises=r"uint8|expected to be",
        ),
        "left-as-integers": Misconception(
            "The pixels are still whole numbers.",
            "A network's weights are float32. Which function changes the dtype of a tensor?",
        ),
        "other-float": Misconception(
            "The pixels are floats, but not float32.",
            "A network's weights are float32. To which dtype do you cast?",
        ),
        "other-shape": Misconception(
            "The image came back with another shape.",
            "Scaling changes numbers, not axes. Which line touches the shape?",
        ),
        "divides-whole-numbers": Misconception(
            "The pixels lost their shades: nearly all became 0 before they were made floats.",
            "What is 200 // 255? Cast to float first, divide after.",
        ),
        "not-scaled": Misconception(
            "The dtype is right, but the numbers still go up to 255.",
            "Where in your code does the range change?",
        ),
        "scales-by-the-brightest": Misconception(
            "You divided by the brightest pixel of this picture, so a dark photo becomes as bright as any.",
            "Every photo must be scaled by the same number: the largest that a byte can hold.",
        ),
        "other-range": Misconception(
            "The pixels are scaled, but not to the range from 0 to 1.",
            "Try the extremes by hand: what becomes of 0, and what of 255?",
        ),
        "changes-the-label": Misconception(
            "The label came back changed.", "The label is a class number. Scaling concerns the image only."
        ),
    }

    @staticmethod
    def given(rng):
        yield {"image": np.array([[0, 127], [128, 255]], np.uint8), "label": np.int64(7)}
        yield {"image": rng.integers(0, 100, (28, 28, 1), np.uint8), "label": np.int64(0)}
        batch = int(rng.integers(2, 6))
        yield {"image": rng.integers(0, 256, (batch, 8, 9, 3), np.uint8), "label": rng.integers(0, 10, batch)}

    @staticmethod
    def when(prepare, image, label):
        pair = prepare(tf.constant(image), tf.constant(label))
        if not (isinstance(pair, tuple | list) and len(pair) == 2):
            return {"parts": 1, "image": pair, "dtype": "", "label": label}
        tf.data.Dataset.from_tensors((image, label)).map(prepare)  # traces it, as the lab's next cell does
        return {"parts": 2, "image": pair[0], "dtype": tf.as_dtype(pair[0].dtype).name, "label": pair[1]}

    @staticmethod
    def then(seen, image, label):
        if seen["parts"] != 2:
            raise Misread("forgets-the-label", expected="the pair (image, label)", got="one value")
        if seen["dtype"] != "float32":
            name = "other-float" if "float" in seen["dtype"] else "left-as-integers"
            raise Misread(name, expected="float32", got=seen["dtype"])
        scaled, wanted = np.asarray(seen["image"]), image / np.float32(255)
        if scaled.shape != image.shape:
            raise Misread("other-shape", expected=f"shape {image.shape}", got=f"shape {scaled.shape}")
        if not np.allclose(scaled, wanted, atol=1e-6):
            raise Misread(_scaling(scaled, image), expected=wanted, got=scaled)
        if not np.array_equal(seen["label"], label):
            raise Misread("changes-the-label", expected=label, got=seen["label"])


def _scaling(scaled, image):
    """Name what went wrong with the range."""
    if np.allclose(scaled, image):
        return "not-scaled"
    if np.allclose(scaled, image // 255):
        return "divides-whole-numbers"
    if np.allclose(scaled, image / image.max(), atol=1e-6):
        return "scales-by-the-brightest"
    return "other-range"


@check(
    points=2,
    minutes=8,
    difficulty="easy",
    hints=(
        "Four things in a list, in this order: an input, a layer that flattens, a hidden layer, an output layer.",
        "The hidden layer has `hidden_units` outputs and `activation='relu'`; the last has one output a class.",
        "`keras.Sequential([keras.Input(image_shape), keras.layers.Flatten(), keras.layers.Dense(hidden_units, "
        "activation='relu'), keras.layers.Dense(classes)])`",
    ),
)
class make_model:
    """A Sequential model: Flatten, a hidden relu layer, and a logit for each class."""

    misconceptions = {
        "forgets-to-flatten": Misconception(
            "The model answers for every row of pixels, not once for the photo.",
            "`Dense` works on the last axis only. Which layer lays all pixels out in one row?",
        ),
        "wrong-number-of-outputs": Misconception(
            "The last layer does not have one output for each class.",
            "Which argument says how many classes there are, and where does it go?",
        ),
        "ends-in-softmax": Misconception(
            "The outputs of each photo add up to 1: these are probabilities, and logits were asked for.",
            "Which activation does the last layer have? The loss will apply softmax itself.",
        ),
        "ends-in-relu": Misconception(
            "No output is ever negative: the last layer has a relu.",
            "A logit below zero says 'unlikely'. What would relu make of it?",
        ),
        "no-nonlinearity": Misconception(
            "The logits are plain weighted sums of the pixels: without `relu`, two layers do no more than one.",
            "Which layer should have an activation?",
        ),
        "other-activation": Misconception(
            "A layer has another activation than asked for.",
            "Two layers have weights. Which of them has `relu`, and what is there to the last?",
        ),
        "fixed-size": Misconception(
            "The model has another number of weights than the arguments ask for.",
            "Is a size written as a number where an argument should stand? Is a layer missing, or one too many?",
        ),
        "not-built": Misconception(
            "The model has no weights yet, because it does not know what a photo looks like.",
            "What tells a Sequential model the shape of its input before it sees one?",
        ),
    }

    @staticmethod
    def given(rng):
        drawn = [*rng.integers(4, 9, 2).tolist(), 3], int(rng.integers(20, 40)), int(rng.integers(5, 9))
        for shape, hidden_units, classes in (([28, 28, 1], 16, 10), drawn):
            images = rng.uniform(0, 1, (40, *shape)).astype(np.float32)
            yield {"image_shape": shape, "hidden_units": hidden_units, "classes": classes, "images": images}

    @staticmethod
    def when(make_model, image_shape, hidden_units, classes, images):
        model = make_model(tuple(image_shape), hidden_units, classes)
        built = bool(model.built)
        outputs = model(tf.constant(images), training=False)
        return {
            "built": built,
            "outputs": outputs,
            "weights": [weight.numpy() for weight in model.trainable_weights],
        }

    @staticmethod
    def then(seen, image_shape, hidden_units, classes, images):
        outputs, batch = seen["outputs"], len(images)
        if outputs.ndim != 2:
            raise Misread("forgets-to-flatten", expected=f"shape ({batch}, {classes})", got=outputs)
        if outputs.shape != (batch, classes):
            raise Misread("wrong-number-of-outputs", expected=f"shape ({batch}, {classes})", got=outputs)
        if np.allclose(outputs.sum(axis=1), 1, atol=1e-4):
            raise Misread("ends-in-softmax", expected="any numbers", got=f"sums {outputs.sum(axis=1)[:3]}")
        if outputs.min() >= 0 and (outputs == 0).any():
            raise Misread("ends-in-relu", expected="some logits below 0", got=outputs)
        wanted = (int(np.prod(image_shape)) + 1) * hidden_units + (hidden_units + 1) * classes
        weights = sum(weight.size for weight in seen["weights"])
        if weights != wanted:
            raise Misread("fixed-size", expected=f"{wanted} weights", got=f"{weights} weights")
        kernel, bias, last_kernel, last_bias = seen["weights"]
        hidden = images.reshape(batch, -1) @ kernel + bias
        if np.allclose(outputs, hidden @ last_kernel + last_bias, atol=5e-3):
            raise Misread("no-nonlinearity")
        logits = np.maximum(hidden, 0) @ last_kernel + last_bias
        if not np.allclose(outputs, logits, atol=5e-3):
            raise Misread("other-activation", expected=logits, got=outputs)
        if not seen["built"]:
            raise Misread("not-built", expected="weights before the first call", got="none before it")


@check(
    points=2,
    minutes=6,
    difficulty="medium",
    hints=(
        "`model.compile` takes three things: optimizer, loss and metrics. It changes the model and returns nothing.",
        "Whole-number labels ask for a loss that begins with Sparse. Does your model give logits or probabilities?",
        "`model.compile(optimizer='adam', loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True), "
        "metrics=['accuracy'])`, and then `return model`",
    ),
)
class compile_model:
    """Adam, the cross-entropy for whole-number labels and logits, and accuracy."""

    misconceptions = {
        "wants-one-hot": Misconception(
            "This loss compares shapes: it wants one-hot labels, and got whole numbers.",
            "Two losses have nearly the same name. Which one is for labels such as 7?",
            raises=r"(?s)ValueError.*(shape|rank|one-hot)",
        ),
        "forgets-from-logits": Misconception(
            "The loss took the logits for probabilities.",
            "`SparseCategoricalCrossentropy()` believes that softmax has happened. How do you tell it otherwise?",
        ),
        "other-loss": Misconception(
            "The loss is not the cross-entropy of these labels.",
            "Which loss is made for choosing one of several classes?",
            raises="InvalidArgumentError",
        ),
        "no-accuracy": Misconception(
            "Nothing but the loss is measured.", "Which argument of `compile` takes what people want to read?"
        ),
        "other-name": Misconception(
            "Accuracy is measured, but the history will hold it under another name.",
            "The lab's next cells read `accuracy`. Where does the name of a metric come from?",
        ),
        "other-optimizer": Misconception(
            "The model has another optimizer than the one asked for.",
            "What does `compile` take when you do not name an optimizer?",
        ),
    }

    @staticmethod
    def given(rng):
        for classes in (3, int(rng.integers(4, 9))):
            yield {
                "inputs": rng.normal(0, 2, (12, 5)).astype(np.float32),
                "kernel": rng.normal(0, 1, (5, classes)).astype(np.float32),
                "targets": rng.integers(0, classes, 12),
            }

    @staticmethod
    def when(compile_model, inputs, kernel, targets):
        model = keras.Sequential([keras.Input((5,)), keras.layers.Dense(kernel.shape[1], use_bias=False)])
        model.set_weights([kernel])
        model = compile_model(model)
        model.run_eagerly = True  # tracing a graph for twelve examples would take a second
        results = model.test_on_batch(inputs, targets, return_dict=True)
        return {"results": results, "optimizer": type(model.optimizer).__name__}

    @staticmethod
    def then(seen, inputs, kernel, targets):
        logits = inputs @ kernel
        right = _cross_entropy(np.exp(logits - logits.max(axis=1, keepdims=True)), targets)
        taken_for_probabilities = _cross_entropy(np.clip(logits, 1e-7, 1 - 1e-7), targets)
        got = seen["results"]["loss"]
        if not np.isclose(got, right, rtol=1e-3):
            misread = np.isclose(got, taken_for_probabilities, rtol=1e-3)
            raise Misread("forgets-from-logits" if misread else "other-loss", expected=float(right), got=got)
        accuracy = (logits.argmax(axis=1) == targets).mean()
        values = [value for name, value in seen["results"].items() if name != "loss"]
        if not any(np.isclose(value, accuracy, atol=1e-5) for value in values):
            raise Misread("no-accuracy", expected="loss and accuracy", got=", ".join(seen["results"]))
        if "accuracy" not in seen["results"]:
            raise Misread("other-name", expected="loss and accuracy", got=" and ".join(seen["results"]))
        if seen["optimizer"] != "Adam":
            raise Misread("other-optimizer", expected="Adam", got=seen["optimizer"])


def _cross_entropy(weights, targets):
    """Return the mean cross-entropy of rows of positive `weights`, which are normalised first."""
    shares = weights / weights.sum(axis=1, keepdims=True)
    return -np.log(shares[np.arange(len(targets)), targets]).mean()


@check(
    points=1,
    minutes=5,
    difficulty="easy",
    hints=(
        "Which of the lists in `history` is about photos that the model did not learn from?",
        "`np.argmin` gives the position of the smallest number, and positions begin at 0.",
        "`return int(np.argmin(history['val_loss'])) + 1`",
    ),
)
class best_epoch:
    """The epoch, counted from 1, with the lowest validation loss."""

    misconceptions = {
        "gives-the-loss": Misconception(
            "That is a loss, not the number of an epoch.",
            "You want the position of the smallest number, not the number itself.",
        ),
        "reads-training-loss": Misconception(
            "You picked the epoch by the training loss, which nearly always falls to the end.",
            "Which photos tell how the model will do in the shop?",
        ),
        "takes-the-worst": Misconception(
            "That is the epoch with the highest validation loss.",
            "A loss says how wrong the model is. Do you want much of it?",
        ),
        "counts-from-zero": Misconception(
            "That is the right epoch, counted from 0.",
            "Python counts positions from 0; people and `fit` count epochs from 1.",
        ),
        "takes-the-last-of-equals": Misconception(
            "Two epochs are equally good, and you took the later one.",
            "Which is cheaper to train?",
        ),
        "other-epoch": Misconception(
            "That is not the epoch with the lowest validation loss.",
            "Write the validation losses down with their epochs, 1, 2, 3, and find the smallest by eye.",
        ),
    }

    @staticmethod
    def given(rng):
        yield _history([0.9, 0.7, 0.5, 0.4, 0.3], [0.8, 0.6, 0.9, 1.0, 0.7], [0.7, 0.8, 0.83, 0.81, 0.82])
        yield _history([0.9, 0.5, 0.2], [0.8, 0.5, 0.5], [0.7, 0.9, 0.8])
        for _ in range(3):
            epochs = int(rng.integers(9, 16))
            distance = np.abs(np.arange(epochs) - rng.integers(2, epochs - 3))
            losses = np.round(0.5 + 0.1 * distance + rng.uniform(0, 0.05, epochs), 3)
            training = [*np.linspace(1, 0.1, epochs - 1).round(3).tolist(), 0.15]
            yield _history(training, losses.tolist(), (1 - losses / 2).round(4).tolist())

    @staticmethod
    def when(best_epoch, history):
        return {"epoch": best_epoch(history)}

    @staticmethod
    def then(seen, history):
        got, losses = np.asarray(seen["epoch"]).item(), np.array(history["val_loss"])
        wanted = int(losses.argmin()) + 1
        if got == wanted:
            return
        last = len(losses) - int(losses[::-1].argmin())
        names = {
            int(losses.argmax()) + 1: "takes-the-worst",
            int(np.argmin(history["loss"])) + 1: "reads-training-loss",
            wanted - 1: "counts-from-zero",
            last: "takes-the-last-of-equals",
        }
        if isinstance(got, float) and np.isclose(got, losses).any():
            raise Misread("gives-the-loss", expected=wanted, got=got)
        raise Misread(names.get(got, "other-epoch"), expected=wanted, got=got)


def _history(loss, val_loss, val_accuracy):
    return {"history": {"loss": loss, "val_loss": val_loss, "val_accuracy": val_accuracy}}


@check(
    points=2,
    minutes=7,
    difficulty="medium",
    hints=(
        "The row of the matrix is the true class. How many photos of class 3 are there in all?",
        "`np.diag(matrix)` are the right answers. Sum along the axis of the columns to get each row's total.",
        "`np.diag(matrix) / np.maximum(matrix.sum(axis=1), 1)`",
    ),
)
class recall_by_class:
    """For each true class, the share of its photos that were named right."""

    misconceptions = {
        "one-number": Misconception(
            "One number came back, for all classes together.",
            "The shop asks about each shelf. What must the shape of the answer be?",
        ),
        "counts-not-shares": Misconception(
            "These are counts, not shares.", "50 of 100 and 50 of 60 are different. What do you divide by?"
        ),
        "divides-by-all": Misconception(
            "You divided by the number of all photos.", "Of all photos, or of the photos of this class?"
        ),
        "divides-by-columns": Misconception(
            "You divided by what was *called* this class: that is precision.",
            "Rows are true classes. Along which axis must you sum to count one row?",
        ),
        "nan-for-empty-class": Misconception(
            "A class without photos came out as nan.", "What is 0 / 0? Keep the divisor from being 0."
        ),
        "other-shares": Misconception(
            "The shares are not the recall.", "Take one class and work its share out by hand."
        ),
    }

    @staticmethod
    def given(rng):
        yield {"matrix": np.array([[8, 2], [1, 3]])}
        yield {"matrix": np.array([[4, 0, 1], [0, 0, 0], [3, 2, 5]])}
        classes = int(rng.integers(4, 8))
        yield {"matrix": rng.integers(1, 30, (classes, classes)) + np.diag(rng.integers(20, 60, classes))}

    @staticmethod
    def when(recall_by_class, matrix):
        with np.errstate(all="ignore"):
            return {"recall": recall_by_class(matrix)}

    @staticmethod
    def then(seen, matrix):
        recall = np.asarray(seen["recall"], dtype=float)
        right, rows, columns = np.diag(matrix), matrix.sum(axis=1), matrix.sum(axis=0)
        wanted = right / np.maximum(rows, 1)
        if recall.ndim == 0:
            raise Misread("one-number", expected=wanted, got=recall)
        if recall.shape == wanted.shape and np.allclose(recall, wanted, atol=1e-6):
            return
        with np.errstate(all="ignore"):
            known = {
                "counts-not-shares": right,
                "divides-by-all": right / matrix.sum(),
                "divides-by-columns": right / np.maximum(columns, 1),
                "nan-for-empty-class": right / rows,
            }
        same = [
            n for n, v in known.items() if recall.shape == v.shape and np.allclose(recall, v, equal_nan=True)
        ]
        raise Misread(same[0] if same else "other-shares", expected=wanted, got=recall)


@check(
    points=3,
    minutes=12,
    difficulty="hard",
    hints=(
        "Three steps: turn logits into probabilities, find the positions of wrong answers, sort these by confidence.",
        "`np.flatnonzero(condition)` gives positions in the whole array. Index the confidence with them, then sort.",
        "`wrong = np.flatnonzero(p.argmax(1) != labels)`, then `wrong[np.argsort(-p.max(1)[wrong])][:k]`, where `p` "
        "are the probabilities.",
    ),
)
class confident_mistakes:
    """The positions of the k wrong answers with the highest probability, the surest first."""

    misconceptions = {
        "not-k-positions": Misconception(
            "The answer is not a list of `k` positions.",
            "Positions are whole numbers, one for each mistake asked for. What shape does your result have?",
        ),
        "lost-the-positions": Misconception(
            "These are positions among the mistakes, not among all photos.",
            "After you have picked the wrong answers out, position 0 is the first mistake. Which photo was it?",
        ),
        "includes-right-answers": Misconception(
            "Some of these photos were named right.",
            "The surest of all answers are mostly right ones. Where do you leave them out?",
        ),
        "least-confident-first": Misconception(
            "The mistakes come in the other order, the least sure first.",
            "`np.argsort` sorts upwards. Where are the largest?",
        ),
        "ranks-by-logit": Misconception(
            "The mistakes are ranked by their logits.",
            "Logits (9, 8) and (2, -4): which of the two photos is the model surer about?",
        ),
        "ranks-by-true-class": Misconception(
            "The mistakes are ranked by how improbable the true class was.",
            "Sure means: the class it *answered* had a high probability.",
        ),
        "other-positions": Misconception(
            "These are not the surest mistakes.",
            "Print the probability of the answered class at each position you return.",
        ),
    }

    @staticmethod
    def given(rng):
        for n, classes, k in ((40, 4, 3), (int(rng.integers(60, 90)), 6, 5)):
            logits = rng.normal(0, 1.5, (n, classes)) + rng.normal(0, 4, (n, 1))
            logits = logits.astype(np.float32)
            labels = np.where(rng.random(n) < 0.6, logits.argmax(axis=1), rng.integers(0, classes, n))
            yield {"logits": logits, "labels": labels, "k": k}

    @staticmethod
    def when(confident_mistakes, logits, labels, k):
        return {"positions": confident_mistakes(logits, labels, k)}

    @staticmethod
    def then(seen, logits, labels, k):
        got = np.asarray(seen["positions"])
        if got.shape != (k,) or got.dtype.kind not in "iu":
            raise Misread("not-k-positions", expected=f"{k} whole numbers", got=got)
        powers = np.exp(logits - logits.max(axis=1, keepdims=True))
        shares = powers / powers.sum(axis=1, keepdims=True)
        answered, n = logits.argmax(axis=1), np.arange(len(labels))
        wrong = np.flatnonzero(answered != labels)
        sure = shares.max(axis=1)
        wanted = wrong[np.argsort(-sure[wrong])][:k]
        if np.array_equal(got, wanted):
            return
        order = np.argsort(-sure[wrong])
        known = {
            "lost-the-positions": order[:k],
            "least-confident-first": wrong[order[::-1]][:k],
            "ranks-by-logit": wrong[np.argsort(-logits.max(axis=1)[wrong])][:k],
            "ranks-by-true-class": wrong[np.argsort(shares[n, labels][wrong])][:k],
        }
        same = [name for name, positions in known.items() if np.array_equal(got, positions)]
        if not same and (answered == labels)[got[(got >= 0) & (got < len(labels))]].any():
            same = ["includes-right-answers"]
        raise Misread(same[0] if same else "other-positions", expected=wanted, got=got)
