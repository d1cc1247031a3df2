"""What each exercise of this lab must do, and the misconceptions that its check can tell apart."""

import numpy as np

from labs import Misconception, Misread, check, lazy

keras = lazy("keras")
tf = lazy("tensorflow")

WORDS = ("overfit", "underfit", "good")


@check(
    points=1,
    minutes=8,
    difficulty="easy",
    hints=(
        "Find the epoch with the lowest `val_loss` first. All that you need is that epoch and the last one.",
        "`best = int(np.argmin(val_loss))`; it has risen if `val_loss[-1] > 1.1 * val_loss[best]`. Then ask whether "
        "`loss[-1]` is below `loss[best]`.",
        'Risen and fallen: `"overfit"`. Risen, or `history["accuracy"][-1] < 0.8`: `"underfit"`. '
        'What is left: `"good"`.',
    ),
)
class diagnose:
    """The word for a training run: overfit, underfit or good, by the thresholds of the docstring."""

    misconceptions = {
        "other-word": Misconception(
            "The result is none of the three words.",
            "Which exact words does the docstring name? Does every way through your code end in one of them?",
        ),
        "misses-underfit": Misconception(
            "A network that answers not even its training photos was not called underfit.",
            "Which number says how well it answers what it has practised, and what does the docstring ask of it?",
        ),
        "misses-the-turn": Misconception(
            "Validation loss turned and rose far above its lowest while training got better, and you did not call it "
            "overfit.",
            "It rises a little at each epoch. With which epoch must the last one be compared to see all of it?",
        ),
        "compares-with-the-first-epoch": Misconception(
            "Validation loss is far above its lowest, but still below where it began: you missed that.",
            "A loss may fall by half and then rise by half of that. Where does the rise begin?",
        ),
        "judges-the-gap": Misconception(
            "Validation loss never rose, and the run still was called overfit, for the gap between the curves.",
            "Everyone answers best what they have practised. What has to *happen* for it to be a fault here?",
        ),
        "calls-good-underfit": Misconception(
            "A network that answers its training photos well was called underfit.",
            "Which accuracy does the docstring name, and below which number?",
        ),
        "any-rise-counts": Misconception(
            "Validation loss ended a few per cent above its lowest, and that was called a fault.",
            "Curves shake. How large must a rise be, by the docstring?",
        ),
        "absolute-not-relative": Misconception(
            "The rise was measured in nats, not relative to the lowest loss.",
            "A rise by 0.02 is nothing for a loss of 2 and a lot for a loss of 0.05. 10 % of what?",
        ),
        "calls-divergence-overfit": Misconception(
            "Both losses rose; you called it overfit.",
            "Overfitting means getting better on training photos at the cost of others. Did training get better?",
        ),
        "underfit-before-overfit": Misconception(
            "Validation loss turned while training improved, but you looked at the accuracy first.",
            "The docstring has an order: what does the word *otherwise* in its second line refer to?",
        ),
        "misses-divergence": Misconception(
            "Both losses rose, and you called it good.",
            "A network that gets worse on its own photos has a fault too. Which line of the docstring is it?",
        ),
    }

    @staticmethod
    def given(rng):
        first, *others = (
            ("never learns", [2.3, 2.2, 2.1, 2.05], [2.3, 2.25, 2.2, 2.2], [0.2, 0.3, 0.35, 0.4]),
            (
                "learns well",
                [1.5, 0.9, 0.7, 0.6, 0.5],
                [1.6, 1.0, 0.8, 0.72, 0.7],
                [0.5, 0.7, 0.8, 0.84, 0.86],
            ),
            (
                "turns, slowly",
                [1.0, 0.5, 0.3, 0.2, 0.1, 0.05, 0.02],
                [0.7, 0.65, 0.69, 0.74, 0.79, 0.84, 0.89],
                [0.6, 0.8, 0.9, 0.95, 0.98, 0.99, 1.0],
            ),
            (
                "turns, still below its first",
                [2.0, 1.0, 0.5, 0.2, 0.05],
                [2.1, 1.2, 0.9, 1.1, 1.3],
                [0.4, 0.7, 0.85, 0.95, 1.0],
            ),
            (
                "wide gap, no rise",
                [1.5, 0.6, 0.2, 0.05, 0.02],
                [1.7, 1.0, 0.8, 0.79, 0.79],
                [0.5, 0.8, 0.95, 0.99, 1.0],
            ),
            ("shakes a little", [1.2, 0.7, 0.5, 0.4], [1.1, 0.8, 0.7, 0.735], [0.6, 0.75, 0.84, 0.88]),
            (
                "large losses, small rise",
                [3.0, 2.6, 2.4, 2.3],
                [4.0, 3.4, 3.0, 3.16],
                [0.7, 0.8, 0.84, 0.86],
            ),
            (
                "small losses, large rise",
                [0.3, 0.1, 0.05, 0.02],
                [0.2, 0.06, 0.07, 0.09],
                [0.9, 0.96, 0.98, 0.99],
            ),
            ("both rise", [1.0, 0.5, 0.4, 0.6, 0.9], [1.1, 0.7, 0.6, 0.8, 1.2], [0.7, 0.85, 0.9, 0.87, 0.84]),
            (
                "turns at a low accuracy",
                [2.2, 1.9, 1.6, 1.3],
                [2.2, 2.0, 2.3, 2.9],
                [0.3, 0.4, 0.5, 0.6],
            ),
        )
        # There are only three words: nobody may know in which order they are right, or know a curve by its numbers.
        order = [*rng.permutation(len(others)), *rng.integers(len(others), size=4)]
        for story, *curves in [first, *(others[place] for place in order)]:
            losses, val_losses, accuracy = _longer(rng, *curves)
            scale, lower = rng.uniform(0.95, 1.2), rng.uniform(0, 0.02)
            yield {
                "story": story,
                "history": {
                    "loss": (scale * losses).round(4).tolist(),
                    "val_loss": (scale * val_losses).round(4).tolist(),
                    "accuracy": (accuracy - lower).round(4).tolist(),
                    "val_accuracy": (0.85 * accuracy).round(4).tolist(),
                },
            }

    @staticmethod
    def when(diagnose, story, history):
        return {"word": diagnose(history)}

    @staticmethod
    def then(seen, story, history):
        right, missed = {
            "never learns": ("underfit", "misses-underfit"),
            "learns well": ("good", "any-rise-counts"),
            "turns, slowly": ("overfit", "misses-the-turn"),
            "turns, still below its first": ("overfit", "compares-with-the-first-epoch"),
            "wide gap, no rise": ("good", "judges-the-gap"),
            "shakes a little": ("good", "any-rise-counts"),
            "large losses, small rise": ("good", "absolute-not-relative"),
            "small losses, large rise": ("overfit", "absolute-not-relative"),
            "both rise": ("underfit", "calls-divergence-overfit"),
            "turns at a low accuracy": ("overfit", "underfit-before-overfit"),
        }[story]
        if seen["word"] not in WORDS:
            raise Misread("other-word", expected=right, got=seen["word"])
        if seen["word"] != right:
            if story == "both rise" and seen["word"] == "good":
                missed = "misses-divergence"
            if right == "good" and seen["word"] == "underfit":
                missed = "calls-good-underfit"
            raise Misread(missed, expected=right, got=seen["word"])


def _longer(rng, *curves):
    """Return the curves with up to four epochs more, each somewhere on the line between two that are there."""
    epochs = np.arange(len(curves[0]))
    more = np.sort(np.concatenate([epochs, rng.uniform(0, epochs[-1], rng.integers(0, 5))]))
    return [np.interp(more, epochs, curve) for curve in curves]


@check(
    points=2,
    minutes=10,
    difficulty="easy",
    hints=(
        "Remember two things on the way: the best loss so far, and the epoch it came from.",
        "`if loss < best_loss - min_delta:` remember both anew. How long ago is the best epoch? "
        "Compare with `patience`.",
        "Start with `best_loss, best_epoch = np.inf, 0`; loop with `enumerate(val_losses, start=1)`; "
        "`if epoch - best_epoch >= patience: break`; after the loop `return epoch, best_epoch`.",
    ),
)
class early_stop:
    """The epoch at which training stops and the best epoch so far, by patience and min_delta."""

    misconceptions = {
        "one-result": Misconception(
            "One result came back; two were asked for.", "What stands after `return`, and with which comma?"
        ),
        "swaps-the-pair": Misconception(
            "Both epochs are right, but they come in the other order.",
            "Which does the docstring name first?",
        ),
        "counts-from-zero": Misconception(
            "The epochs are right but counted from 0.",
            "Where does `enumerate` begin, and where do people?",
        ),
        "waits-when-there-is-no-end": Misconception(
            "The losses ended before patience did, and the result is not the last epoch.",
            "What does your function return when the loop was never left early?",
        ),
        "looks-ahead": Misconception(
            "The best epoch lies after the one at which training stopped: it was never trained.",
            "Over which part of the list do you take the minimum?",
        ),
        "compares-with-the-epoch-before": Misconception(
            "An epoch counted as an improvement because it was better than the one before, not than the best.",
            "After 0.5, 0.9, 0.8, 0.7: has anything improved on 0.5?",
        ),
        "never-forgives": Misconception(
            "Bad epochs were added up over the whole run.",
            "Patience asks for epochs *in a row*. What happens to the count when an epoch improves?",
        ),
        "one-epoch-too-late": Misconception(
            "Training stopped an epoch too late.",
            "With a patience of 1, how many epochs without improvement are allowed? `>` or `>=`?",
        ),
        "one-epoch-too-early": Misconception(
            "Training stopped an epoch too early.",
            "With a patience of 2 one bad epoch must not end it. When does your count begin?",
        ),
        "ignores-min-delta": Misconception(
            "An improvement smaller than `min_delta` was counted.",
            "By how much must a loss lie below the best to count, and where do you use that argument?",
        ),
        "creeps": Misconception(
            "The best loss moved along with every small gain, so that slow progress never counted.",
            "When an epoch is not an improvement, does the best loss change?",
        ),
        "other-epochs": Misconception(
            "These are not the epochs of the rule.",
            "Go through the losses with a finger: best so far, how long ago, and is that patience yet?",
        ),
    }

    @staticmethod
    def given(rng):
        yield {"val_losses": [1.0, 0.8, 0.6, 0.7, 0.75, 0.8, 0.5], "patience": 2, "min_delta": 0.0}
        yield {"val_losses": [0.9, 0.5, 0.8, 0.7, 0.6, 0.65, 0.4], "patience": 3, "min_delta": 0.0}
        for losses, patience, min_delta in (
            ([1.0, 1.1, 0.8, 0.9, 0.7, 0.75, 0.6, 0.5], 2, 0.0),
            ([0.9, 0.6, 0.59, 0.585, 0.58, 0.3], 2, 0.05),
            ([1.0, 0.97, 0.94, 0.91, 0.88, 0.85, 0.86], 3, 0.05),
            ([1.0, 0.9, 0.8], 4, 0.0),
            ([0.5, 0.6, 0.4], 1, 0.0),
        ):
            # Epochs in front that each improve: all that happens is a drawn number of epochs later.
            fall = losses[0] + 0.1 * np.arange(rng.integers(0, 5), 0, -1)
            later = [*fall.round(2).tolist(), *losses]
            yield {"val_losses": later, "patience": patience, "min_delta": min_delta}
        n = int(rng.integers(8, 14))
        noisy = (np.linspace(1.2, 0.6, n) + rng.normal(0, 0.15, n)).round(3)
        yield {"val_losses": noisy.tolist(), "patience": int(rng.integers(1, 4)), "min_delta": 0.0}

    @staticmethod
    def when(early_stop, val_losses, patience, min_delta):
        epochs = early_stop(val_losses, patience, min_delta)
        if epochs is None:
            return {"epochs": None}
        if np.shape(epochs) != (2,):
            raise Misread("one-result", expected="the pair (last epoch, best epoch)", got="one result")
        return {"last": epochs[0], "best": epochs[1]}

    @staticmethod
    def then(seen, val_losses, patience, min_delta):
        right = _stops(val_losses, patience, min_delta)
        got = (int(seen["last"]), int(seen["best"])) if _whole(seen) else (seen["last"], seen["best"])
        if got == right:
            return
        ends = right[0] == len(val_losses) and got[0] != right[0]
        known = {
            "swaps-the-pair": right[::-1],
            "counts-from-zero": (right[0] - 1, right[1] - 1),
            "compares-with-the-epoch-before": _stops(val_losses, patience, min_delta, "before"),
            "never-forgives": _stops(val_losses, patience, min_delta, "adds-up"),
            "one-epoch-too-late": _stops(val_losses, patience + 1, min_delta),
            "one-epoch-too-early": _stops(val_losses, max(patience - 1, 1), min_delta),
            "ignores-min-delta": _stops(val_losses, patience, 0.0),
            "creeps": _stops(val_losses, patience, min_delta, "creeps"),
        }
        same = ["looks-ahead"] if got[1] > got[0] > 0 and got != right[::-1] else []
        same += [name for name, pair in known.items() if pair == got]
        # Faults may agree on one list: name the last, so that a more basic one is named only where it is certain.
        name = same[-1] if same else "waits-when-there-is-no-end" if ends else "other-epochs"
        raise Misread(name, expected=list(right), got=list(got))


def _whole(seen):
    return all(np.asarray(v).ndim == 0 and float(v) == int(v) for v in seen.values())


def _stops(losses, patience, min_delta, fault=""):
    """Return the two epochs, by counting bad ones; `fault` makes a known mistake."""
    best, best_epoch, reference, bad = losses[0], 1, losses[0], 0
    for i in range(1, len(losses)):
        if losses[i] < reference - min_delta:
            reference, bad = losses[i], bad if fault == "adds-up" else 0
            best, best_epoch = losses[i], i + 1
        else:
            bad += 1
            if fault == "before" or (fault == "creeps" and losses[i] < best):
                reference = best = losses[i]
        if fault == "before":
            reference = losses[i]
        if bad >= patience:
            return i + 1, best_epoch
    return len(losses), best_epoch


@check(
    points=2,
    minutes=10,
    difficulty="medium",
    hints=(
        "Go through `model.layers`. How can you ask whether a layer has a kernel?",
        '`hasattr(layer, "kernel")`. Add `l1 * tf.reduce_sum(tf.abs(kernel))` and `l2 * tf.reduce_sum(kernel**2)`.',
        '`penalty = tf.constant(0.0)`; `for layer in model.layers:` `if hasattr(layer, "kernel"):` `penalty += '
        "l1 * tf.reduce_sum(tf.abs(layer.kernel)) + l2 * tf.reduce_sum(tf.square(layer.kernel))`",
    ),
)
class weight_penalty:
    """The L1 and L2 penalty of all kernels of a model, as a scalar tensor that has a gradient."""

    misconceptions = {
        "not-one-number": Misconception(
            "Not one number came back but one for each kernel, or for each weight.",
            "A penalty is added to a loss, which is one number. What adds them up?",
            raises=r"only length-1 arrays|only 0-dimensional arrays|Only requires scalar|reduction axis",
        ),
        "leaves-tensorflow": Misconception(
            "The number may be right, but no gradient leads from it back to the kernels.",
            "Training lowers a penalty through its gradient. Which step of yours leaves TensorFlow?",
        ),
        "all-weights": Misconception(
            "The scales and shifts of BatchNormalization are penalised as well.",
            "Which list did you go through? Which of its weights did the exercise ask for?",
        ),
        "includes-biases": Misconception(
            "The biases are penalised as well.",
            "A bias memorises no photo. Which one attribute of a layer do you need?",
        ),
        "one-layer-only": Misconception(
            "The penalty of a single layer came back.",
            "Does the loop add to the result, or replace it?",
        ),
        "dense-only": Misconception(
            "The kernel of `Conv2D` is missing.",
            "How do you pick the layers: by their type, or by what they have?",
        ),
        "means-not-sums": Misconception(
            "You averaged over the weights; the penalty adds them up.",
            "Which reduction does the formula in the docstring name?",
        ),
        "swaps-the-strengths": Misconception(
            "`l1` went with the squares and `l2` with the absolute values.",
            "The number in the name is the power.",
        ),
        "forgets-the-absolute-value": Misconception(
            "Positive and negative weights cancel in the L1 part.",
            "What does a weight of -2 cost?",
        ),
        "takes-the-root": Misconception(
            "The L2 part is a norm, with a root; the penalty has none.",
            "Compare with the formula: is there a root in it?",
        ),
        "halves-the-squares": Misconception(
            "The L2 part is half of what it should be.",
            "`tf.nn.l2_loss` and many textbooks have a factor of one half. Does the docstring?",
        ),
        "other-penalty": Misconception(
            "This is not the penalty of the kernels.",
            "Set one strength to 0 and compare the other part with a sum by hand.",
        ),
    }

    @staticmethod
    def given(rng):
        for convolution, l1, l2 in ((False, 0.01, 0.0), (False, 0.0, 0.02), (True, 0.003, 0.05)):
            shapes = [(3, 3, 1, 2), (8, 3)] if convolution else [(4, 5), (5, 3)]
            yield {
                "convolution": convolution,
                "kernels": [rng.normal(0, 0.6, shape).astype(np.float32).round(3) for shape in shapes],
                "l1": l1,
                "l2": l2,
            }

    @staticmethod
    def when(weight_penalty, convolution, kernels, l1, l2):
        layers = keras.layers
        first = layers.Conv2D(2, 3) if convolution else layers.Dense(5)
        shape = (4, 4, 1) if convolution else (4,)
        model = keras.Sequential(
            [keras.Input(shape), first, layers.BatchNormalization(), layers.Flatten(), layers.Dense(3)]
        )
        model.layers[0].set_weights([kernels[0], np.full(kernels[0].shape[-1], 0.5, np.float32)])
        model.layers[1].set_weights(
            [np.full(w.shape, 2.0, np.float32) for w in model.layers[1].get_weights()]
        )
        model.layers[-1].set_weights([kernels[1], np.full(3, -0.7, np.float32)])
        with tf.GradientTape() as tape:
            penalty = weight_penalty(model, l1, l2)
            if penalty is None:
                return {"penalty": None}
            total = tf.reduce_sum(tf.convert_to_tensor(penalty))
        sources = [model.layers[0].kernel, model.layers[-1].kernel]
        slopes = tape.gradient(total, sources)
        return {
            "penalty": penalty,
            "followed": [slope is not None for slope in slopes],
        }

    @staticmethod
    def then(seen, convolution, kernels, l1, l2):
        penalty = np.asarray(seen["penalty"], float)
        if penalty.ndim:
            raise Misread("not-one-number", expected="a scalar", got=seen["penalty"])
        flat = [kernel.astype(float).ravel() for kernel in kernels]
        both, channels = np.concatenate(flat), kernels[0].shape[-1]
        biases = np.concatenate([both, np.full(channels, 0.5), np.full(3, -0.7)])
        right = _penalty(both, l1, l2)
        known = {
            "all-weights": _penalty(np.concatenate([biases, np.full(2 * channels, 2.0)]), l1, l2),
            "all-weights ": _penalty(np.concatenate([biases, np.full(4 * channels, 2.0)]), l1, l2),
            "all-weights  ": _penalty(np.concatenate([both, np.full(channels, 2.0)]), l1, l2),
            "includes-biases": _penalty(biases, l1, l2),
            "dense-only": _penalty(flat[1], l1, l2) if convolution else np.nan,
            "one-layer-only": _penalty(flat[-1], l1, l2),
            "one-layer-only ": _penalty(flat[0], l1, l2),
            "means-not-sums": sum(_penalty(kernel, l1, l2) / kernel.size for kernel in flat),
            "means-not-sums ": right / both.size,
            "swaps-the-strengths": _penalty(both, l2, l1),
            "forgets-the-absolute-value": l1 * both.sum() + l2 * (both @ both),
            "takes-the-root": l1 * np.abs(both).sum() + l2 * sum(np.sqrt(kernel @ kernel) for kernel in flat),
            "takes-the-root ": l1 * np.abs(both).sum() + l2 * np.sqrt(both @ both),
            "halves-the-squares": _penalty(both, l1, l2 / 2),
        }
        evidence = {"expected": float(right), "got": float(penalty)}
        if not np.isclose(penalty, right, rtol=1e-4, atol=1e-7):
            same = [name.strip() for name, value in known.items() if np.isclose(penalty, value, rtol=1e-4)]
            raise Misread(same[0] if same else "other-penalty", **evidence)
        if not all(seen["followed"]):
            raise Misread("leaves-tensorflow", expected="a gradient for both kernels", got="None")


def _penalty(weights, l1, l2):
    return l1 * np.abs(weights).sum() + l2 * (weights * weights).sum()


@check(
    points=2,
    minutes=10,
    difficulty="medium",
    hints=(
        "Begin with the mode in which nothing happens. Then draw one number in [0, 1) for each number in `inputs`.",
        "`keras.random.uniform(tf.shape(inputs), seed=seed_generator)`; it is below `rate` with probability `rate`.",
        "`kept = keras.random.uniform(tf.shape(inputs), seed=seed_generator) >= rate`, and then "
        "`return inputs * tf.cast(kept, inputs.dtype) / (1 - rate)`",
    ),
)
class dropout:
    """Inverted dropout with a mask of its own at each call, and the identity at inference."""

    misconceptions = {
        "on-at-inference": Misconception(
            "With `training=False` numbers are dropped.",
            "An answer to a customer must not depend on chance. What does the first line ask?",
        ),
        "scales-at-inference": Misconception(
            "With `training=False` the inputs are scaled.",
            "That was dropout as first published. In which mode does *inverted* dropout scale?",
        ),
        "off-in-training": Misconception(
            "With `training=True` nothing was dropped.",
            "Which of the two modes is the one with the mask?",
        ),
        "keeps-instead-of-drops": Misconception(
            "As many numbers were kept as should have been dropped.",
            "A uniform number is below `rate` with probability `rate`. Are those the kept or the dropped?",
        ),
        "drops-whole-columns": Misconception(
            "Whole rows or columns went to zero together.",
            "How many numbers do you draw, and how many numbers are there?",
        ),
        "not-scaled": Misconception(
            "What is kept was not scaled up, so the sum shrinks in training.",
            "With half of the numbers gone, by what must the rest grow for the same sum on average?",
        ),
        "divides-by-the-rate": Misconception(
            "What is kept was scaled by the wrong factor: 1 / rate.",
            "With a rate of 0.2 four of five are kept. How much must they grow?",
        ),
        "same-mask-each-call": Misconception(
            "Two calls gave the same mask.",
            "A whole number as seed gives the same numbers each time. What moves on from call to call?",
        ),
        "ignores-the-generator": Misconception(
            "The same generator state gave another mask: your numbers come from somewhere else.",
            "Which argument decides the mask, and where do you hand it over?",
        ),
        "wrong-share": Misconception(
            "The share of dropped numbers is not `rate`, or not left to chance number by number.",
            "Compare each number of a uniform draw with `rate`.",
        ),
        "other-values": Misconception(
            "What is kept is not the input, scaled.",
            "Which numbers may come out: 0, and what else?",
        ),
    }

    @staticmethod
    def given(rng):
        for shape, rate, training in (
            ((40, 50), 0.5, False),
            ((40, 50), 0.2, True),
            ((10, 6, 6, 8), 0.7, True),
            ((5, 4), 0.0, True),
            ((2000,), float(rng.choice([0.15, 0.25])), True),
        ):
            inputs = rng.uniform(0.5, 1.5, shape).astype(np.float32)
            yield {"inputs": inputs, "rate": rate, "training": training, "seed": int(rng.integers(1, 1000))}

    @staticmethod
    def when(dropout, inputs, rate, training, seed):
        generator, again = keras.random.SeedGenerator(seed), keras.random.SeedGenerator(seed)
        x = tf.constant(inputs)
        first, second = dropout(x, rate, training, generator), dropout(x, rate, training, generator)
        return {"first": first, "second": second, "again": dropout(x, rate, training, again)}

    @staticmethod
    def then(seen, inputs, rate, training, seed):
        first = np.asarray(seen["first"], float)
        if first.shape != inputs.shape:
            raise Misread("other-values", expected=f"shape {inputs.shape}", got=f"shape {first.shape}")
        if not training:
            _untouched(first, inputs, rate)
            return
        kept, error = first != 0, 5 * np.sqrt(rate * (1 - rate) / first.size)
        share = 1 - kept.mean()
        if rate == 0.0 and kept.all():
            if not np.allclose(first, inputs, rtol=1e-4):
                raise Misread("other-values", expected=inputs, got=first)
            return
        if kept.all():
            raise Misread("off-in-training", expected=f"a share of {rate} zeros", got="no zeros")
        clumped = first.ndim > 1 and any(
            np.isin(kept.reshape(first.shape).mean(axis=axis), (0, 1)).all() for axis in (0, first.ndim - 1)
        )
        if clumped:
            raise Misread(
                "drops-whole-columns", expected="zeros scattered", got="whole rows or columns of zeros"
            )
        dropped = {"zeros": float(share)}
        if abs(share - rate) > error:
            name = "keeps-instead-of-drops" if abs(share - (1 - rate)) <= error + 0.01 else "wrong-share"
            raise Misread(name, expected={"zeros": rate}, got=dropped)
        ratio = first[kept] / inputs[kept]
        factors = {"": 1 / (1 - rate), "not-scaled": 1.0, "divides-by-the-rate": 1 / rate}
        same = [name for name, factor in factors.items() if np.allclose(ratio, factor, rtol=1e-3)]
        if "" not in same:
            name = same[0] if same else "other-values"
            raise Misread(name, expected=f"kept x {1 / (1 - rate):.4g}", got=f"kept x {ratio.mean():.4g}")
        if np.array_equal(seen["first"], seen["second"]):
            raise Misread("same-mask-each-call", expected="two masks", got="one mask twice")
        if not np.array_equal(seen["first"], seen["again"]):
            raise Misread("ignores-the-generator", expected="the first mask again", got="another mask")


def _untouched(outputs, inputs, rate):
    if np.allclose(outputs, inputs, rtol=1e-4):
        return
    name = "on-at-inference" if (outputs == 0).any() else "scales-at-inference"
    raise Misread(name, expected=inputs, got=outputs)


@check(
    points=3,
    minutes=15,
    difficulty="hard",
    hints=(
        "Two questions decide everything: whose mean and variance are used, and do the moving ones change?",
        "`tf.nn.moments(inputs, axes=list(range(len(inputs.shape) - 1)))` gives mean and variance of each channel. "
        "New moving mean: `momentum * moving_mean + (1 - momentum) * mean`.",
        "In training take the batch's and move both; otherwise take the moving ones. Then "
        "`gamma * (inputs - mean) / tf.sqrt(variance + epsilon) + beta`, and return all three.",
    ),
)
class batch_norm:
    """Batch normalization in both modes, with moving mean and moving variance."""

    misconceptions = {
        "not-three-results": Misconception(
            "Not three results came back.", "Outputs, and which two numbers for each channel?"
        ),
        "batch-statistics-at-inference": Misconception(
            "At inference the batch's own mean and variance were used.",
            "A single photo has no batch. Whose numbers were kept for that?",
        ),
        "moving-statistics-in-training": Misconception(
            "In training the moving numbers were used to normalize.",
            "The moving ones are kept for later. What is each batch measured against in training?",
        ),
        "updates-at-inference": Misconception(
            "The moving numbers changed at inference.",
            "Should serving a request change the model?",
        ),
        "never-updates": Misconception(
            "In training the moving numbers stayed as they were.",
            "Who else would move them? They are two of your three results.",
        ),
        "swaps-momentum": Misconception(
            "The moving numbers jumped nearly all the way to the batch's: momentum went with the wrong one.",
            "With a momentum of 0.99, how much of the *old* number is kept?",
        ),
        "moves-the-deviation": Misconception(
            "The moving variance moved towards a standard deviation.",
            "Is there a root in what you average? Where does it belong?",
        ),
        "normalizes-each-example": Misconception(
            "Each example was normalized by its own numbers: that is LayerNormalization.",
            "Over which axes do you average? One must be left, and which is it?",
        ),
        "batch-axis-only": Misconception(
            "For images only the first axis was averaged over.",
            "All places of a picture share a channel. Which axes come before the last one?",
        ),
        "one-mean-for-all": Misconception(
            "All channels got the same mean and variance.",
            "How many means should there be for three channels?",
        ),
        "unbiased-variance": Misconception(
            "The variance was divided by n - 1.",
            "Keras divides by n, in the outputs and in the moving variance. Which `ddof` is that? (The paper and "
            "PyTorch take n - 1 for the moving one.)",
        ),
        "divides-by-the-variance": Misconception(
            "You divided by the variance; the result does not have variance 1.",
            "Twice as wide a spread must be divided by two. What grows by two: variance or its root?",
        ),
        "epsilon-outside-the-root": Misconception(
            "Epsilon was added after the root.",
            "Read the exercise's sentence again: the root of what?",
        ),
        "forgets-gamma-or-beta": Misconception(
            "The outputs are normalized but not scaled and shifted as asked.",
            "Two arguments are learned. Where do they enter, and in which order?",
        ),
        "other-numbers": Misconception(
            "These are not the numbers of batch normalization.",
            "Try one channel and a batch of two numbers on paper.",
        ),
    }

    @staticmethod
    def given(rng):
        for shape, training, momentum, epsilon in (
            ((8, 3), True, 0.9, 0.1),
            ((8, 3), False, 0.9, 0.1),
            ((3, 4, 5, 2), True, 0.8, 1e-3),
            ((1, 4), False, 0.99, 1e-3),
            ((2, 3, 3, 4), False, 0.9, 0.5),
        ):
            channels = shape[-1]
            spread = rng.uniform(1, 3, channels)
            yield {
                "inputs": (rng.normal(0, 1, shape) * spread + rng.uniform(-4, 4, channels)).astype(
                    np.float32
                ),
                "gamma": rng.uniform(1.5, 3, channels).astype(np.float32),
                "beta": rng.uniform(1, 2, channels).astype(np.float32),
                "moving_mean": rng.uniform(-2, 2, channels).astype(np.float32),
                "moving_variance": rng.uniform(2, 6, channels).astype(np.float32),
                "training": training,
                "momentum": momentum,
                "epsilon": epsilon,
            }

    @staticmethod
    def when(batch_norm, inputs, gamma, beta, moving_mean, moving_variance, training, momentum, epsilon):
        tensors = [tf.constant(value) for value in (inputs, gamma, beta, moving_mean, moving_variance)]
        results = batch_norm(*tensors, training=training, momentum=momentum, epsilon=epsilon)
        if results is None:
            return {"outputs": None}
        if not (isinstance(results, tuple | list) and len(results) == 3):
            raise Misread("not-three-results", expected="three results", got="another number of results")
        return dict(zip(("outputs", "mean", "variance"), results, strict=True))

    @staticmethod
    def then(seen, inputs, gamma, beta, moving_mean, moving_variance, training, momentum, epsilon):
        case = (inputs, gamma, beta, moving_mean, moving_variance, training, momentum, epsilon)
        right = _normalized(*case)
        got = [np.asarray(seen[name], float) for name in ("outputs", "mean", "variance")]
        if got[0].shape != inputs.shape:
            raise Misread("other-numbers", expected=f"shape {inputs.shape}", got=f"shape {got[0].shape}")
        wrong = [i for i in range(3) if not _agrees(got[i], right[i])]
        if not wrong:
            return
        faults = {
            "batch-statistics-at-inference": "use-batch",
            "moving-statistics-in-training": "use-moving",
            "updates-at-inference": "update",
            "never-updates": "stay",
            "swaps-momentum": "swap",
            "moves-the-deviation": "deviation",
            "normalizes-each-example": "last-axis",
            "batch-axis-only": "first-axis",
            "one-mean-for-all": "all-axes",
            "unbiased-variance": "unbiased",
            "divides-by-the-variance": "no-root",
            "epsilon-outside-the-root": "outside",
        }
        place, labels = wrong[0], ("outputs", "moving mean", "moving variance")
        made = {candidate: _normalized(*case, fault=fault) for candidate, fault in faults.items()}
        same = [c for c, numbers in made.items() if all(_agrees(got[i], numbers[i]) for i in wrong)]
        axes = [c for c in ("normalizes-each-example", "batch-axis-only", "one-mean-for-all") if 0 in wrong]
        same += [c for c in axes if _agrees(got[0], made[c][0])]  # the moving numbers have another shape then
        name = same[0] if same else "other-numbers"
        plain = (right[0] - beta) / gamma
        unscaled = (plain, gamma * plain, plain + beta, gamma * (plain + beta), beta * plain + gamma)
        if name == "other-numbers" and any(_agrees(got[0], one) for one in unscaled):
            name = "forgets-gamma-or-beta"
        raise Misread(name, expected={labels[place]: right[place]}, got={labels[place]: got[place]})


def _agrees(got, wanted):
    return np.shape(got) == np.shape(wanted) and np.allclose(got, wanted, rtol=1e-3, atol=1e-3)


def _normalized(inputs, gamma, beta, old_mean, old_variance, training, momentum, epsilon, fault=""):
    """Return outputs and the new moving numbers, channel by channel in a table; `fault` makes a known mistake."""
    x = inputs.astype(float)
    axes = {"last-axis": -1, "first-axis": 0, "all-axes": None}.get(fault, tuple(range(x.ndim - 1)))
    keep = fault in ("last-axis", "first-axis", "all-axes")
    n = max(x.size // x.shape[-1] - (fault == "unbiased"), 1)
    mean = x.mean(axis=axes, keepdims=keep)
    squares = (x - mean) ** 2
    variance = squares.mean(axis=axes, keepdims=True) if keep else squares.sum(axis=axes) / n
    use_batch = (training and fault != "use-moving") or fault == "use-batch"
    centre, width = (mean, variance) if use_batch else (old_mean, old_variance)
    root = width if fault == "no-root" else np.sqrt(width) + epsilon if fault == "outside" else None
    root = np.sqrt(width + epsilon) if root is None else root + epsilon * (fault == "no-root")
    outputs = gamma * (x - centre) / root + beta
    moves = (training and fault != "stay") or fault == "update"
    if not moves or keep:
        return outputs, old_mean, old_variance
    new = 1 - momentum if fault != "swap" else momentum
    spread = np.sqrt(variance) if fault == "deviation" else variance
    return outputs, (1 - new) * old_mean + new * mean, (1 - new) * old_variance + new * spread


@check(
    points=3,
    minutes=15,
    difficulty="hard",
    hints=(
        "Two pipelines from `tf.data.Dataset.from_tensor_slices(pair)`. Which steps does each of them need?",
        "Training: `shuffle` before `batch`, then `map` with a function of two arguments that gives both back. "
        "Whatever is random must come after any `cache`.",
        "`.shuffle(len(train_data[0])).batch(batch_size).map(lambda images, labels: (augment(images, training=True), "
        "labels))` for training; only `.batch(batch_size)` for validation.",
    ),
)
class make_datasets:
    """Two pipelines: training photos shuffled and augmented anew each epoch, validation photos untouched."""

    misconceptions = {
        "not-two-datasets": Misconception(
            "Not two datasets came back.", "What stands after `return`, and which method ends with a dataset?"
        ),
        "not-batched": Misconception(
            "The elements are not batches of `batch_size` photos.",
            "Which step groups the photos, and does each of the two pipelines have it?",
        ),
        "not-the-same-photos": Misconception(
            "In an epoch photos are missing, or appear more than once.",
            "Each photo once an epoch, the last small batch included. Which of your steps drops or repeats?",
        ),
        "labels-part-from-photos": Misconception(
            "Photos and labels no longer belong together, or the labels were changed.",
            "Shuffle pairs, never the two halves apart. And what goes through `augment`?",
        ),
        "augments-validation": Misconception(
            "Validation photos were augmented.",
            "Validation must ask the same question every time. Which of the two pipelines has the `map`?",
        ),
        "never-augments": Misconception(
            "Training photos came out as they went in.",
            "Random layers rest unless they are told. Which argument tells them?",
        ),
        "same-views-each-epoch": Misconception(
            "Each photo looks the same in both epochs: the views were drawn once.",
            "What is done once, and what at each pass? Look at where `cache` stands, and whether `augment` runs in a "
            "`map`.",
        ),
        "same-order-each-epoch": Misconception(
            "The training photos come in the same order each epoch.",
            "Which step changes the order, and does it draw anew for each pass?",
        ),
        "shuffles-batches": Misconception(
            "The same photos share a batch in each epoch: whole batches were shuffled.",
            "What are the elements at the place where you shuffle: photos or batches?",
        ),
    }

    @staticmethod
    def given(rng):
        drawn = (int(rng.integers(16, 22)), 7, 5, int(rng.integers(1, 40)), int(rng.integers(60, 100)))
        for n, n_val, batch, start, start_val in ((13, 6, 4, 0, 50), drawn):
            yield {
                "train_data": _numbered(n, start),
                "val_data": _numbered(n_val, start_val),
                "augment": "adds between 0.1 and 0.4 to each photo, if training",
                "batch_size": batch,
            }

    @staticmethod
    def when(make_datasets, train_data, val_data, augment, batch_size):
        datasets = make_datasets(tuple(train_data), tuple(val_data), _shift_layer(), batch_size)
        if datasets is None:
            return {"train": None}
        if not (isinstance(datasets, tuple | list) and len(datasets) == 2):
            raise Misread("not-two-datasets", expected="(train_ds, val_ds)", got="something else")
        if not all(isinstance(dataset, tf.data.Dataset) for dataset in datasets):
            raise Misread("not-two-datasets", expected="(train_ds, val_ds)", got="something else")
        limit = 3 * len(train_data[1])
        passes = [[list(ds.take(limit).as_numpy_iterator()) for _ in range(2)] for ds in datasets]
        return {
            name: [[{"images": x, "labels": y} for x, y in epoch] for epoch in epochs]
            for name, epochs in zip(("train", "val"), passes, strict=True)
        }

    @staticmethod
    def then(seen, train_data, val_data, augment, batch_size):
        for name, data in (("train", train_data), ("val", val_data)):
            for epoch in seen[name]:
                _batches(epoch, data, batch_size)
        for epoch in seen["val"]:
            for batch in epoch:
                if not np.allclose(batch["images"], np.floor(batch["images"]), atol=1e-3):
                    raise Misread("augments-validation", expected="whole numbers", got=batch["images"].max())
        first, second = (_photos(epoch) for epoch in seen["train"])
        if all(np.isclose(shift, 0, atol=1e-3) for shift in first["shift"]):
            raise Misread("never-augments", expected="photos changed by 0.1 to 0.4", got="the same photos")
        views = [dict(zip(e["number"], e["shift"], strict=True)) for e in (first, second)]
        if np.mean([np.isclose(views[0][k], views[1][k], atol=1e-5) for k in views[0]]) > 0.5:
            raise Misread("same-views-each-epoch", expected="two views of each photo", got="one view twice")
        grouped = [{frozenset(_number(batch)) for batch in epoch} for epoch in seen["train"]]
        # Batches as they lay in the data were shuffled whole, even if they come in one order twice by luck.
        whole = all(max(batch) - min(batch) == len(batch) - 1 for batch in grouped[0])
        moved = list(first["number"]) != sorted(first["number"])
        if grouped[0] == grouped[1] and whole and moved:
            got = [sorted(map(int, batch)) for batch in grouped[0]]
            raise Misread("shuffles-batches", expected="other company", got=got)
        if list(first["number"]) == list(second["number"]):
            raise Misread("same-order-each-epoch", expected="two orders", got=list(map(int, first["number"])))
        if grouped[0] == grouped[1]:
            got = [sorted(map(int, batch)) for batch in grouped[0]]
            raise Misread("shuffles-batches", expected="other company", got=got)


def _numbered(n, start):
    """Return n photos, each filled with a number of its own, and labels that follow from it."""
    numbers = start + np.arange(1, n + 1)
    images = np.broadcast_to(numbers[:, None, None, None], (n, 4, 4, 1)).astype(np.float32)
    return [images.copy(), (numbers * 7 % 10).astype(np.int64)]


def _shift_layer():
    class Shift(keras.layers.Layer):
        """Adds a number between 0.1 and 0.4 to each photo, in training."""

        def __init__(self):
            super().__init__()
            self.draw = tf.random.Generator.from_seed(7)

        def call(self, images, training=False):
            if not training:
                return images
            shape = tf.concat([tf.shape(images)[:-3], [1, 1, 1]], axis=0)
            return images + self.draw.uniform(shape, 0.1, 0.4)

    return Shift()


def _number(batch):
    return np.floor(batch["images"][..., 0, 0, 0] + 0.01).astype(int).tolist()


def _photos(epoch):
    images = np.concatenate([batch["images"][:, 0, 0, 0] for batch in epoch])
    return {"number": np.floor(images + 0.01).astype(int), "shift": images - np.floor(images + 0.01)}


def _batches(epoch, data, batch_size):
    images, labels = data
    if any(np.ndim(batch["images"]) != 4 or len(batch["images"]) > batch_size for batch in epoch):
        shape = np.shape(epoch[0]["images"])
        raise Misread("not-batched", expected=f"shape ({batch_size}, 4, 4, 1)", got=f"shape {shape}")
    if max(len(batch["images"]) for batch in epoch) < batch_size:
        raise Misread("not-batched", expected=f"batches of {batch_size}", got="smaller ones")
    numbers = [n for batch in epoch for n in _number(batch)]
    whole = np.floor(images[:, 0, 0, 0]).astype(int).tolist()
    if sorted(numbers) != sorted(whole):
        raise Misread("not-the-same-photos", expected=f"{len(whole)} photos", got=f"{len(numbers)} photos")
    wanted = dict(zip(whole, labels.tolist(), strict=True))
    got = [v for batch in epoch for v in np.asarray(batch["labels"]).ravel().tolist()]
    if len(got) != len(numbers) or any(wanted[n] != v for n, v in zip(numbers, got, strict=True)):
        raise Misread("labels-part-from-photos", expected=[wanted[n] for n in numbers[:8]], got=got[:8])
