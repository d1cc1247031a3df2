"""Answers to this lab's exercises: right ones written otherwise, and wrong ones that people give."""

import keras
import numpy as np
import tensorflow as tf

from labs import right, wrong

ORDER = ["weight", "bias", "running_mean", "running_var"]


@right("keras_weights")
def moves_axes(kind, tensors):
    tensors = {name: tensors[name] for name in ORDER if name in tensors}
    if kind == "Linear":
        tensors["weight"] = tensors["weight"].T
    if kind == "Conv2d":
        tensors["weight"] = np.moveaxis(np.moveaxis(tensors["weight"], 0, -1), 0, -2)
    return list(tensors.values())


@right("keras_weights")
def with_tensorflow(kind, tensors):
    if kind == "BatchNorm2d":
        return tuple(tensors[name] for name in ORDER if name in tensors)
    perm = [1, 0] if kind == "Linear" else [2, 3, 1, 0]
    return [tf.transpose(tensors["weight"], perm), *([tensors["bias"]] if "bias" in tensors else [])]


def _plainly(kind, tensors, linear, conv):
    """Right but for the two functions that change a kernel."""
    if kind == "BatchNorm2d":
        return [tensors[name] for name in ORDER if name in tensors]
    kernel = (linear if kind == "Linear" else conv)(tensors["weight"])
    return [kernel, tensors["bias"]] if "bias" in tensors else [kernel]


def _linear(weight):
    return weight.T


def _conv(weight):
    return weight.transpose(2, 3, 1, 0)


@wrong("keras_weights", "forgets-a-kind")
def looks_the_axes_up(kind, tensors):
    axes = {"Linear": (1, 0), "Conv2d": (2, 3, 1, 0)}[kind]
    if kind == "BatchNorm2d":
        return [tensors[name] for name in ORDER if name in tensors]
    return [tensors["weight"].transpose(axes), *([tensors["bias"]] if "bias" in tensors else [])]


@wrong("keras_weights", "wants-every-name")
def always_takes_the_bias(kind, tensors):
    if kind == "BatchNorm2d":
        return [tensors[name] for name in ORDER]
    kernel = _linear(tensors["weight"]) if kind == "Linear" else _conv(tensors["weight"])
    return [kernel, tensors["bias"]]


@wrong("keras_weights", "not-a-list")
def returns_the_kernel(kind, tensors):
    if kind == "BatchNorm2d":
        return tensors["running_mean"]
    return _linear(tensors["weight"]) if kind == "Linear" else _conv(tensors["weight"])


@wrong("keras_weights", "not-a-list")
def returns_a_dict(kind, tensors):
    return {"kernel": tensors.get("weight"), "bias": tensors.get("bias")}


@wrong("keras_weights", "counts-batches")
def hands_over_everything(kind, tensors):
    if kind == "BatchNorm2d":
        return list(tensors.values())
    return _plainly(kind, tensors, _linear, _conv)


@wrong("keras_weights", "wrong-number")
def invents_a_bias(kind, tensors):
    if kind == "BatchNorm2d":
        return _plainly(kind, tensors, _linear, _conv)
    kernel = _linear(tensors["weight"]) if kind == "Linear" else _conv(tensors["weight"])
    return [kernel, tensors.get("bias", np.zeros(kernel.shape[-1]))]


@wrong("keras_weights", "wrong-number")
def forgets_the_statistics(kind, tensors):
    if kind == "BatchNorm2d":
        return [tensors[name] for name in ORDER[:2] if name in tensors]
    return _plainly(kind, tensors, _linear, _conv)


@wrong("keras_weights", "other-order")
def statistics_first(kind, tensors):
    if kind == "BatchNorm2d":
        return [tensors[name] for name in ORDER[2:] + ORDER[:2] if name in tensors]
    return _plainly(kind, tensors, _linear, _conv)


@wrong("keras_weights", "keeps-torch-axes")
def takes_them_as_they_are(kind, tensors):
    return [tensors[name] for name in ORDER if name in tensors]


@wrong("keras_weights", "keeps-torch-axes")
def forgets_linear_layers(kind, tensors):
    return _plainly(kind, tensors, lambda weight: weight, _conv)


@wrong("keras_weights", "reverses-all-axes")
def transposes_by_t(kind, tensors):
    return _plainly(kind, tensors, _linear, lambda weight: weight.T)


@wrong("keras_weights", "swaps-in-and-out")
def ends_with_out_and_in(kind, tensors):
    return _plainly(kind, tensors, _linear, lambda weight: weight.transpose(2, 3, 0, 1))


@wrong("keras_weights", "turns-the-kernel")
def turns_it_over(kind, tensors):
    return _plainly(kind, tensors, _linear, lambda weight: _conv(weight)[::-1, ::-1])


@wrong("keras_weights", "reshapes")
def reshapes_them(kind, tensors):
    return _plainly(
        kind,
        tensors,
        lambda weight: weight.reshape(weight.shape[::-1]),
        lambda weight: weight.reshape(_conv(weight).shape),
    )


@wrong("keras_weights", "other-numbers")
def rolls_the_axes(kind, tensors):
    return _plainly(kind, tensors, _linear, lambda weight: np.moveaxis(weight, 0, -1))


@right("dense_after_flatten")
def permutes_the_rows(weight, channels, height, width):
    order = np.arange(weight.shape[1]).reshape(channels, height, width)
    return weight.T[np.moveaxis(order, 0, -1).ravel()]


@right("dense_after_flatten")
def with_tensorflow_again(weight, channels, height, width):
    cube = tf.reshape(tf.transpose(weight), (channels, height, width, -1))
    return tf.reshape(tf.transpose(cube, [1, 2, 0, 3]), (channels * height * width, -1))


@wrong("dense_after_flatten", "shapes-do-not-fit")
def transposes_four_axes_of_two(weight, channels, height, width):
    return weight.transpose(2, 3, 1, 0).reshape(-1, len(weight))


@wrong("dense_after_flatten", "outputs-first")
def forgets_the_kernels_axes(weight, channels, height, width):
    return weight.reshape(-1, channels, height, width).transpose(0, 2, 3, 1).reshape(len(weight), -1)


@wrong("dense_after_flatten", "only-transposed")
def only_transposes(weight, channels, height, width):
    return weight.T


@wrong("dense_after_flatten", "reads-channels-last")
def takes_keras_axes(weight, channels, height, width):
    return weight.reshape(-1, height, width, channels).transpose(3, 1, 2, 0).reshape(-1, len(weight))


@wrong("dense_after_flatten", "swaps-height-and-width")
def reverses_all(weight, channels, height, width):
    return weight.reshape(-1, channels, height, width).transpose(3, 2, 1, 0).reshape(-1, len(weight))


@wrong("dense_after_flatten", "cuts-without-moving")
def only_reshapes(weight, channels, height, width):
    return weight.reshape(height * width * channels, len(weight))


@wrong("dense_after_flatten", "other-rows")
def channels_in_the_middle(weight, channels, height, width):
    return weight.reshape(-1, channels, height, width).transpose(2, 1, 3, 0).reshape(-1, len(weight))


@right("batchnorm_like")
def names_everything(num_features, eps=1e-5, momentum=0.1, affine=True):
    keep = 1.0 - momentum
    return keras.layers.BatchNormalization(axis=-1, momentum=keep, epsilon=eps, center=affine, scale=affine)


@right("batchnorm_like")
def builds_it_too(num_features, eps=1e-5, momentum=0.1, affine=True):
    options = {} if affine else {"center": False, "scale": False}
    layer = keras.layers.BatchNormalization(epsilon=eps, momentum=1 - momentum, **options)
    layer.build((None, None, None, num_features))
    return layer


@wrong("batchnorm_like", "features-as-axis")
def first_argument_first(num_features, eps=1e-5, momentum=0.1, affine=True):
    return keras.layers.BatchNormalization(
        num_features, epsilon=eps, momentum=1 - momentum, center=affine, scale=affine
    )


@wrong("batchnorm_like", "not-a-layer")
def gives_the_class(num_features, eps=1e-5, momentum=0.1, affine=True):
    return keras.layers.BatchNormalization


@wrong("batchnorm_like", "other-axis")
def channels_first(num_features, eps=1e-5, momentum=0.1, affine=True):
    return keras.layers.BatchNormalization(
        axis=1, epsilon=eps, momentum=1 - momentum, center=affine, scale=affine
    )


@wrong("batchnorm_like", "ignores-affine")
def forgets_affine(num_features, eps=1e-5, momentum=0.1, affine=True):
    return keras.layers.BatchNormalization(epsilon=eps, momentum=1 - momentum)


@wrong("batchnorm_like", "ignores-affine")
def switches_one_off(num_features, eps=1e-5, momentum=0.1, affine=True):
    return keras.layers.BatchNormalization(epsilon=eps, momentum=1 - momentum, center=affine)


@wrong("batchnorm_like", "never-affine")
def switches_it_off(num_features, eps=1e-5, momentum=0.1, affine=True):
    return keras.layers.BatchNormalization(epsilon=eps, momentum=1 - momentum, center=False, scale=False)


@wrong("batchnorm_like", "momentum-copied")
def copies_the_momentum(num_features, eps=1e-5, momentum=0.1, affine=True):
    return keras.layers.BatchNormalization(momentum=momentum, epsilon=eps, center=affine, scale=affine)


@wrong("batchnorm_like", "momentum-left-out")
def trusts_the_default(num_features, eps=1e-5, momentum=0.1, affine=True):
    return keras.layers.BatchNormalization(epsilon=eps, center=affine, scale=affine)


@wrong("batchnorm_like", "other-momentum")
def always_nine_tenths(num_features, eps=1e-5, momentum=0.1, affine=True):
    return keras.layers.BatchNormalization(momentum=0.9, epsilon=eps, center=affine, scale=affine)


@wrong("batchnorm_like", "epsilon-left-out")
def forgets_epsilon(num_features, eps=1e-5, momentum=0.1, affine=True):
    return keras.layers.BatchNormalization(momentum=1 - momentum, center=affine, scale=affine)


@wrong("batchnorm_like", "other-normalization")
def always_the_small_epsilon(num_features, eps=1e-5, momentum=0.1, affine=True):
    return keras.layers.BatchNormalization(momentum=1 - momentum, epsilon=1e-5, center=affine, scale=affine)


@right("accumulated_step")
def one_tape_over_all(model, loss_fn, optimizer, batches):
    sizes = [int(tf.shape(labels)[0]) for _, labels in batches]
    with tf.GradientTape() as tape:
        losses = [loss_fn(labels, model(images, training=True)) for images, labels in batches]
        loss = tf.add_n([loss * size for loss, size in zip(losses, sizes, strict=True)]) / sum(sizes)
    variables = model.trainable_variables
    optimizer.apply_gradients(zip(tape.gradient(loss, variables), variables, strict=True))
    return float(loss)


@right("accumulated_step")
def divides_at_the_end(model, loss_fn, optimizer, batches):
    variables, sums, total, examples = model.trainable_variables, None, 0.0, 0
    for images, labels in batches:
        size = images.shape[0]
        with tf.GradientTape() as tape:
            loss = loss_fn(labels, model(images, training=True))
        scaled = [size * gradient for gradient in tape.gradient(loss, variables)]
        sums = scaled if sums is None else [a + b for a, b in zip(sums, scaled, strict=True)]
        total, examples = total + size * float(loss), examples + size
    optimizer.apply([each / examples for each in sums], variables)
    return total / examples


def _accumulate(model, loss_fn, optimizer, batches, share, training=True):
    """Right but for the share of each batch and the mode."""
    variables = model.trainable_variables
    sums, total = [tf.zeros_like(variable) for variable in variables], 0.0
    examples = sum(len(labels) for _, labels in batches)
    for images, labels in batches:
        with tf.GradientTape() as tape:
            loss = loss_fn(labels, model(images, training=training)) * share(len(labels), examples)
        new = tape.gradient(loss, variables)
        sums, total = [a + b for a, b in zip(sums, new, strict=True)], total + loss
    optimizer.apply(sums, variables)
    return total


@wrong("accumulated_step", "sums-start-as-nothing")
def begins_with_none(model, loss_fn, optimizer, batches):
    sums, total, examples = None, 0.0, sum(len(labels) for _, labels in batches)
    for images, labels in batches:
        with tf.GradientTape() as tape:
            loss = loss_fn(labels, model(images, training=True)) * len(labels) / examples
        new = tape.gradient(loss, model.trainable_variables)
        sums, total = [a + b for a, b in zip(sums, new, strict=True)], total + loss
    optimizer.apply(sums, model.trainable_variables)
    return total


@wrong("accumulated_step", "no-path-back")
def scales_what_is_not_there(model, loss_fn, optimizer, batches):
    examples, total = sum(len(labels) for _, labels in batches), 0.0
    sums = [tf.zeros_like(variable) for variable in model.trainable_variables]
    for images, labels in batches:
        with tf.GradientTape() as tape:
            logits = model(images, training=True)
        loss, share = loss_fn(labels, logits), len(labels) / examples
        new = [share * gradient for gradient in tape.gradient(loss, model.trainable_variables)]
        sums, total = [a + b for a, b in zip(sums, new, strict=True)], total + share * loss
    optimizer.apply(sums, model.trainable_variables)
    return total


@wrong("accumulated_step", "no-path-back")
def loss_after_the_tape(model, loss_fn, optimizer, batches):
    for images, labels in batches:
        with tf.GradientTape() as tape:
            logits = model(images, training=True)
        loss = loss_fn(labels, logits)
        gradients = tape.gradient(loss, model.trainable_variables)
    optimizer.apply(gradients, model.trainable_variables)
    return loss


@wrong("accumulated_step", "adds-a-none")
def begins_with_a_list_of_none(model, loss_fn, optimizer, batches):
    variables, examples, total = model.trainable_variables, sum(len(labels) for _, labels in batches), 0.0
    sums = [None] * len(variables)
    for images, labels in batches:
        with tf.GradientTape() as tape:
            loss = loss_fn(labels, model(images, training=True)) * len(labels) / examples
        sums = [a + b for a, b in zip(sums, tape.gradient(loss, variables), strict=True)]
        total += loss
    optimizer.apply(sums, variables)
    return total


@wrong("accumulated_step", "adds-a-none")
def adds_what_is_not_there(model, loss_fn, optimizer, batches):
    variables, examples, total = model.trainable_variables, sum(len(labels) for _, labels in batches), 0.0
    sums = [tf.zeros_like(variable) for variable in variables]
    for images, labels in batches:
        with tf.GradientTape() as tape:
            logits = model(images, training=True)
        loss = loss_fn(labels, logits) * len(labels) / examples
        sums = [a + b for a, b in zip(sums, tape.gradient(loss, variables), strict=True)]
        total += loss
    optimizer.apply(sums, variables)
    return total


@wrong("accumulated_step", "swaps-the-arguments")
def logits_before_labels(model, loss_fn, optimizer, batches):
    return _accumulate(model, lambda y, z: loss_fn(z, y), optimizer, batches, lambda n, of: n / of)


@wrong("accumulated_step", "adds-the-lists")
def joins_the_lists(model, loss_fn, optimizer, batches):
    examples, total, sums = sum(len(labels) for _, labels in batches), 0.0, []
    for images, labels in batches:
        with tf.GradientTape() as tape:
            loss = loss_fn(labels, model(images, training=True)) * len(labels) / examples
        sums, total = sums + tape.gradient(loss, model.trainable_variables), total + loss
    optimizer.apply_gradients(zip(sums, model.trainable_variables, strict=True))
    return total


@wrong("accumulated_step", "never-steps")
def only_sums_up(model, loss_fn, optimizer, batches):
    class Nothing:
        def apply(self, gradients, variables):
            """Do nothing."""

    return _accumulate(model, loss_fn, Nothing(), batches, lambda n, of: n / of)


@wrong("accumulated_step", "steps-each-batch")
def steps_in_the_loop(model, loss_fn, optimizer, batches):
    examples, total = sum(len(labels) for _, labels in batches), 0.0
    for images, labels in batches:
        with tf.GradientTape() as tape:
            loss = loss_fn(labels, model(images, training=True)) * len(labels) / examples
        optimizer.apply(tape.gradient(loss, model.trainable_variables), model.trainable_variables)
        total += loss
    return total


@wrong("accumulated_step", "inference-mode")
def forgets_training(model, loss_fn, optimizer, batches):
    return _accumulate(model, loss_fn, optimizer, batches, lambda n, of: n / of, training=False)


@wrong("accumulated_step", "last-batch-only")
def forgets_to_add(model, loss_fn, optimizer, batches):
    for images, labels in batches:
        with tf.GradientTape() as tape:
            loss = loss_fn(labels, model(images, training=True))
        gradients = tape.gradient(loss, model.trainable_variables)
    optimizer.apply(gradients, model.trainable_variables)
    return loss


@wrong("accumulated_step", "sums-the-means")
def adds_without_dividing(model, loss_fn, optimizer, batches):
    return _accumulate(model, loss_fn, optimizer, batches, lambda n, of: 1.0)


@wrong("accumulated_step", "batches-count-alike")
def divides_by_the_batches(model, loss_fn, optimizer, batches):
    return _accumulate(model, loss_fn, optimizer, batches, lambda n, of: 1 / len(batches))


@wrong("accumulated_step", "other-loss")
def returns_the_last_loss(model, loss_fn, optimizer, batches):
    last = []

    def noting(labels, logits):
        last.append(loss_fn(labels, logits))
        return last[-1]

    _accumulate(model, noting, optimizer, batches, lambda n, of: n / of)
    return last[-1]


@wrong("accumulated_step", "other-step")
def divides_twice(model, loss_fn, optimizer, batches):
    return _accumulate(model, loss_fn, optimizer, batches, lambda n, of: 1 / of)


@right("unbeaten")
def compares_all_pairs(scores, weights, musts=()):
    def total(own, unknown):
        return sum(weights[c] * (unknown if own[c] is None else own[c]) for c in weights)

    allowed = [o for o, own in scores.items() if not any(own[must] == 0 for must in musts)]
    beaten = {
        loser
        for loser in allowed
        for winner in allowed
        if total(scores[winner], 0) - total(scores[loser], 1) > 1e-6
    }
    return sorted(set(allowed) - beaten)


@right("unbeaten")
def with_rounding(scores, weights, musts=()):
    ends = {}
    for option, own in scores.items():
        if any(own[must] is not None and own[must] <= 0 for must in musts):
            continue
        known = sum(weight * own[c] for c, weight in weights.items() if own[c] is not None)
        unknown = sum(weight for c, weight in weights.items() if own[c] is None)
        ends[option] = round(known, 9), round(known + unknown, 9)
    return sorted(o for o, (_, best) in ends.items() if best >= max(worst for worst, _ in ends.values()))


def _choose(scores, weights, musts, low=0.0, high=1.0, slack=1e-9, must=lambda score: score != 0, count=None):
    """Right but for what is handed over."""
    allowed = {o: own for o, own in scores.items() if all(must(own[name]) for name in musts)}

    def total(own, unknown):
        return sum(w * (unknown if own[c] is None else own[c]) for c, w in weights.items())

    lead = max((total(own, low) for own in (allowed if count is None else count).values()), default=0)
    return sorted(o for o, own in allowed.items() if total(own, high) >= lead - slack)


@wrong("unbeaten", "unknown-is-no-number")
def multiplies_none(scores, weights, musts=()):
    totals = {o: sum(w * own[c] for c, w in weights.items()) for o, own in scores.items()}
    return sorted(o for o in totals if totals[o] >= max(totals.values()) - 1e-9)


@wrong("unbeaten", "nothing-left")
def forgets_nobody(scores, weights, musts=()):
    allowed = {o: own for o, own in scores.items() if all(own[must] != 0 for must in musts)}
    worst = {o: sum(w * (own[c] or 0) for c, w in weights.items()) for o, own in allowed.items()}
    lead = max(worst.values())
    return [o for o in _choose(allowed, weights, musts) if lead >= 0]


@wrong("unbeaten", "names-one")
def returns_the_best(scores, weights, musts=()):
    left = _choose(scores, weights, musts)
    return left[0] if left else ""


@wrong("unbeaten", "not-sorted")
def in_their_own_order(scores, weights, musts=()):
    left = _choose(scores, weights, musts)
    return [option for option in scores if option in left]


@wrong("unbeaten", "not-sorted")
def returns_a_set(scores, weights, musts=()):
    return set(_choose(scores, weights, musts))


@wrong("unbeaten", "ignores-musts")
def forgets_musts(scores, weights, musts=()):
    return _choose(scores, weights, ())


@wrong("unbeaten", "fails-the-unknown")
def unknown_fails(scores, weights, musts=()):
    return _choose(scores, weights, musts, must=bool)


@wrong("unbeaten", "drops-the-tied")
def compares_exactly(scores, weights, musts=()):
    return _choose(scores, weights, musts, slack=0)


@wrong("unbeaten", "drops-the-tied")
def wants_the_best_only(scores, weights, musts=()):
    left = _choose(scores, weights, musts)
    unknown = any(None in own.values() for own in scores.values())
    return left if unknown else left[:1]


@wrong("unbeaten", "ignores-weights")
def counts_alike(scores, weights, musts=()):
    return _choose(scores, dict.fromkeys(weights, 1), musts)


@wrong("unbeaten", "unknown-is-zero")
def always_zero(scores, weights, musts=()):
    return _choose(scores, weights, musts, 0, 0)


@wrong("unbeaten", "unknown-is-average")
def in_the_middle(scores, weights, musts=()):
    return _choose(scores, weights, musts, 0.5, 0.5)


@wrong("unbeaten", "compares-best-cases")
def always_one(scores, weights, musts=()):
    return _choose(scores, weights, musts, 1, 1)


@wrong("unbeaten", "beaten-by-the-barred")
def compares_before_leaving_out(scores, weights, musts=()):
    return _choose(scores, weights, musts, count=scores)


@wrong("unbeaten", "other-choice")
def all_that_are_allowed(scores, weights, musts=()):
    return sorted(o for o, own in scores.items() if all(own[must] != 0 for must in musts))
