"""Answers to this lab's exercises: right ones written otherwise, and wrong ones that people give."""

import keras
import numpy as np
import tensorflow as tf

from labs import right, wrong


@right("diagnose")
def compares_lists(history):
    lowest = min(history["val_loss"])
    turn = history["val_loss"].index(lowest)
    if history["val_loss"][-1] <= 1.1 * lowest:
        return "good" if history["accuracy"][-1] >= 0.8 else "underfit"
    return "overfit" if history["loss"][-1] < history["loss"][turn] else "underfit"


@wrong("diagnose", "other-word")
def uses_words_of_its_own(history):
    risen = history["val_loss"][-1] > 1.1 * min(history["val_loss"])
    return "overfitting" if risen else "fine"


@wrong("diagnose", "other-word")
def answers_yes_or_no(history):
    return history["val_loss"][-1] > 1.1 * min(history["val_loss"])


@wrong("diagnose", "misses-underfit")
def knows_two_words(history):
    best = int(np.argmin(history["val_loss"]))
    risen = history["val_loss"][-1] > 1.1 * history["val_loss"][best]
    return "overfit" if risen and history["loss"][-1] < history["loss"][best] else "good"


@wrong("diagnose", "misses-the-turn")
def looks_back_one_epoch(history):
    risen = history["val_loss"][-1] > 1.1 * history["val_loss"][-2]
    if risen and history["loss"][-1] < history["loss"][-2]:
        return "overfit"
    return "underfit" if risen or history["accuracy"][-1] < 0.8 else "good"


@wrong("diagnose", "misses-the-turn")
def looks_at_training_only(history):
    return "good" if history["accuracy"][-1] >= 0.8 else "underfit"


@wrong("diagnose", "compares-with-the-first-epoch")
def looks_back_to_the_start(history):
    risen = history["val_loss"][-1] > 1.1 * history["val_loss"][0]
    if risen and history["loss"][-1] < history["loss"][0]:
        return "overfit"
    return "underfit" if risen or history["accuracy"][-1] < 0.8 else "good"


@wrong("diagnose", "judges-the-gap")
def compares_the_two_losses(history):
    if history["accuracy"][-1] < 0.8 and history["val_loss"][-1] <= 1.1 * min(history["val_loss"]):
        return "underfit"
    return "overfit" if history["val_loss"][-1] > 1.5 * history["loss"][-1] else "good"


@wrong("diagnose", "calls-good-underfit")
def reads_the_other_accuracy(history):
    best = int(np.argmin(history["val_loss"]))
    risen = history["val_loss"][-1] > 1.1 * history["val_loss"][best]
    if risen and history["loss"][-1] < history["loss"][best]:
        return "overfit"
    return "underfit" if risen or history["val_accuracy"][-1] < 0.8 else "good"


@wrong("diagnose", "calls-good-underfit")
def asks_for_more_accuracy(history):
    best = int(np.argmin(history["val_loss"]))
    risen = history["val_loss"][-1] > 1.1 * history["val_loss"][best]
    if risen and history["loss"][-1] < history["loss"][best]:
        return "overfit"
    return "underfit" if risen or history["accuracy"][-1] < 0.9 else "good"


@wrong("diagnose", "any-rise-counts")
def has_no_threshold(history):
    best = int(np.argmin(history["val_loss"]))
    risen = history["val_loss"][-1] > history["val_loss"][best]
    if risen and history["loss"][-1] < history["loss"][best]:
        return "overfit"
    return "underfit" if risen or history["accuracy"][-1] < 0.8 else "good"


@wrong("diagnose", "absolute-not-relative")
def adds_a_tenth(history):
    best = int(np.argmin(history["val_loss"]))
    risen = history["val_loss"][-1] > history["val_loss"][best] + 0.1
    if risen and history["loss"][-1] < history["loss"][best]:
        return "overfit"
    return "underfit" if risen or history["accuracy"][-1] < 0.8 else "good"


@wrong("diagnose", "calls-divergence-overfit")
def forgets_the_training_loss(history):
    if history["val_loss"][-1] > 1.1 * min(history["val_loss"]):
        return "overfit"
    return "underfit" if history["accuracy"][-1] < 0.8 else "good"


@wrong("diagnose", "underfit-before-overfit")
def asks_for_accuracy_first(history):
    best = int(np.argmin(history["val_loss"]))
    if history["accuracy"][-1] < 0.8:
        return "underfit"
    if history["val_loss"][-1] > 1.1 * history["val_loss"][best]:
        return "overfit" if history["loss"][-1] < history["loss"][best] else "underfit"
    return "good"


@wrong("diagnose", "misses-divergence")
def takes_what_is_left_as_good(history):
    best = int(np.argmin(history["val_loss"]))
    if (
        history["val_loss"][-1] > 1.1 * history["val_loss"][best]
        and history["loss"][-1] < history["loss"][best]
    ):
        return "overfit"
    return "underfit" if history["accuracy"][-1] < 0.8 else "good"


@right("early_stop")
def counts_bad_epochs(val_losses, patience, min_delta=0.0):
    best, best_epoch, bad = float("inf"), 0, 0
    for i in range(len(val_losses)):
        if best - val_losses[i] > min_delta:
            best, best_epoch, bad = val_losses[i], i + 1, 0
        else:
            bad += 1
        if bad == patience:
            return i + 1, best_epoch
    return len(val_losses), best_epoch


@right("early_stop")
def asks_keras(val_losses, patience, min_delta=0.0):
    callback = keras.callbacks.EarlyStopping("val_loss", min_delta=min_delta, patience=patience, mode="min")
    model = keras.Sequential()
    model.stop_training = False
    callback.set_model(model)
    callback.on_train_begin()
    for epoch, loss in enumerate(val_losses):
        callback.on_epoch_end(epoch, {"val_loss": loss})
        if model.stop_training:
            break
    return [epoch + 1, callback.best_epoch + 1]


@wrong("early_stop", "one-result")
def returns_the_last_epoch(val_losses, patience, min_delta=0.0):
    return counts_bad_epochs.value(val_losses, patience, min_delta)[0]


@wrong("early_stop", "counts-from-zero")
def enumerates_from_zero(val_losses, patience, min_delta=0.0):
    best, best_epoch = np.inf, 0
    for epoch, loss in enumerate(val_losses):
        if loss < best - min_delta:
            best, best_epoch = loss, epoch
        if epoch - best_epoch >= patience:
            break
    return epoch, best_epoch


@wrong("early_stop", "waits-when-there-is-no-end")
def says_zero_if_it_never_stops(val_losses, patience, min_delta=0.0):
    best, best_epoch = np.inf, 0
    for epoch, loss in enumerate(val_losses, start=1):
        if loss < best - min_delta:
            best, best_epoch = loss, epoch
        if epoch - best_epoch >= patience:
            return epoch, best_epoch
    return 0, best_epoch


@wrong("early_stop", "looks-ahead")
def takes_the_minimum_of_all(val_losses, patience, min_delta=0.0):
    best, best_epoch = np.inf, 0
    for epoch, loss in enumerate(val_losses, start=1):
        if loss < best - min_delta:
            best, best_epoch = loss, epoch
        if epoch - best_epoch >= patience:
            break
    return epoch, int(np.argmin(val_losses)) + 1


@wrong("early_stop", "compares-with-the-epoch-before")
def looks_back_one_step(val_losses, patience, min_delta=0.0):
    bad, best_epoch = 0, 1
    for i in range(1, len(val_losses)):
        if val_losses[i] < val_losses[i - 1] - min_delta:
            bad, best_epoch = 0, i + 1
        else:
            bad += 1
        if bad >= patience:
            return i + 1, best_epoch
    return len(val_losses), best_epoch


@wrong("early_stop", "never-forgives")
def adds_up_bad_epochs(val_losses, patience, min_delta=0.0):
    best, best_epoch, bad = np.inf, 0, 0
    for epoch, loss in enumerate(val_losses, start=1):
        if loss < best - min_delta:
            best, best_epoch = loss, epoch
        else:
            bad += 1
        if bad >= patience:
            break
    return epoch, best_epoch


@wrong("early_stop", "one-epoch-too-late")
def asks_for_more_than_patience(val_losses, patience, min_delta=0.0):
    best, best_epoch = np.inf, 0
    for epoch, loss in enumerate(val_losses, start=1):
        if loss < best - min_delta:
            best, best_epoch = loss, epoch
        if epoch - best_epoch > patience:
            break
    return epoch, best_epoch


@wrong("early_stop", "one-epoch-too-early")
def counts_the_best_epoch_too(val_losses, patience, min_delta=0.0):
    best, best_epoch, waited = np.inf, 0, 0
    for epoch, loss in enumerate(val_losses, start=1):
        waited += 1
        if loss < best - min_delta:
            best, best_epoch, waited = loss, epoch, 1
        if waited >= patience and epoch > best_epoch:
            break
    return epoch, best_epoch


@wrong("early_stop", "ignores-min-delta")
def forgets_min_delta(val_losses, patience, min_delta=0.0):
    best, best_epoch = np.inf, 0
    for epoch, loss in enumerate(val_losses, start=1):
        if loss < best:
            best, best_epoch = loss, epoch
        if epoch - best_epoch >= patience:
            break
    return epoch, best_epoch


@wrong("early_stop", "creeps")
def keeps_every_small_gain(val_losses, patience, min_delta=0.0):
    best, best_epoch = np.inf, 0
    for epoch, loss in enumerate(val_losses, start=1):
        if loss < best - min_delta:
            best_epoch = epoch
        best = min(best, loss)
        if epoch - best_epoch >= patience:
            break
    return epoch, best_epoch


@wrong("early_stop", "swaps-the-pair")
def best_epoch_first(val_losses, patience, min_delta=0.0):
    return counts_bad_epochs.value(val_losses, patience, min_delta)[::-1]


@wrong("early_stop", "other-epochs")
def gives_the_best_loss(val_losses, patience, min_delta=0.0):
    last, best_epoch = counts_bad_epochs.value(val_losses, patience, min_delta)
    return last, val_losses[best_epoch - 1]


@right("weight_penalty")
def asks_keras_regularizers(model, l1, l2):
    regularizer = keras.regularizers.L1L2(l1=l1, l2=l2)
    return tf.add_n([regularizer(layer.kernel) for layer in model.layers if hasattr(layer, "kernel")])


@right("weight_penalty")
def joins_all_kernels(model, l1, l2):
    kernels = [v for v in model.trainable_variables if v.path.endswith("kernel")]
    weights = tf.concat([tf.reshape(kernel, [-1]) for kernel in kernels], axis=0)
    return l1 * tf.norm(weights, ord=1) + l2 * tf.tensordot(weights, weights, axes=1)


@wrong("weight_penalty", "not-one-number")
def gives_a_list(model, l1, l2):
    kernels = [layer.kernel for layer in model.layers if hasattr(layer, "kernel")]
    return [l1 * tf.reduce_sum(tf.abs(k)) + l2 * tf.reduce_sum(tf.square(k)) for k in kernels]


@wrong("weight_penalty", "leaves-tensorflow")
def sums_with_numpy(model, l1, l2):
    kernels = [layer.kernel.numpy() for layer in model.layers if hasattr(layer, "kernel")]
    return sum(l1 * np.abs(k).sum() + l2 * (k**2).sum() for k in kernels)


@wrong("weight_penalty", "all-weights")
def takes_all_trainable_weights(model, l1, l2):
    weights = [tf.convert_to_tensor(v) for v in model.trainable_variables]
    return tf.add_n([l1 * tf.reduce_sum(tf.abs(w)) + l2 * tf.reduce_sum(w**2) for w in weights])


@wrong("weight_penalty", "includes-biases")
def takes_all_weights_of_these_layers(model, l1, l2):
    weights = [w for layer in model.layers if hasattr(layer, "kernel") for w in layer.trainable_weights]
    return tf.add_n([l1 * tf.reduce_sum(tf.abs(w)) + l2 * tf.reduce_sum(tf.square(w)) for w in weights])


@wrong("weight_penalty", "dense-only")
def asks_for_dense_layers(model, l1, l2):
    kernels = [layer.kernel for layer in model.layers if isinstance(layer, keras.layers.Dense)]
    return tf.add_n([l1 * tf.reduce_sum(tf.abs(k)) + l2 * tf.reduce_sum(tf.square(k)) for k in kernels])


@wrong("weight_penalty", "one-layer-only")
def replaces_instead_of_adding(model, l1, l2):
    for layer in model.layers:
        if hasattr(layer, "kernel"):
            penalty = l1 * tf.reduce_sum(tf.abs(layer.kernel)) + l2 * tf.reduce_sum(tf.square(layer.kernel))
    return penalty


@wrong("weight_penalty", "means-not-sums")
def averages(model, l1, l2):
    kernels = [layer.kernel for layer in model.layers if hasattr(layer, "kernel")]
    return tf.add_n([l1 * tf.reduce_mean(tf.abs(k)) + l2 * tf.reduce_mean(tf.square(k)) for k in kernels])


@wrong("weight_penalty", "swaps-the-strengths")
def squares_with_l1(model, l1, l2):
    kernels = [layer.kernel for layer in model.layers if hasattr(layer, "kernel")]
    return tf.add_n([l2 * tf.reduce_sum(tf.abs(k)) + l1 * tf.reduce_sum(tf.square(k)) for k in kernels])


@wrong("weight_penalty", "forgets-the-absolute-value")
def sums_with_signs(model, l1, l2):
    kernels = [layer.kernel for layer in model.layers if hasattr(layer, "kernel")]
    return tf.add_n([l1 * tf.reduce_sum(k) + l2 * tf.reduce_sum(tf.square(k)) for k in kernels])


@wrong("weight_penalty", "takes-the-root")
def uses_the_norm(model, l1, l2):
    kernels = [tf.convert_to_tensor(layer.kernel) for layer in model.layers if hasattr(layer, "kernel")]
    return tf.add_n([l1 * tf.reduce_sum(tf.abs(k)) + l2 * tf.norm(k) for k in kernels])


@wrong("weight_penalty", "halves-the-squares")
def uses_l2_loss(model, l1, l2):
    kernels = [tf.convert_to_tensor(layer.kernel) for layer in model.layers if hasattr(layer, "kernel")]
    return tf.add_n([l1 * tf.reduce_sum(tf.abs(k)) + l2 * tf.nn.l2_loss(k) for k in kernels])


@wrong("weight_penalty", "other-penalty")
def cubes(model, l1, l2):
    kernels = [tf.convert_to_tensor(layer.kernel) for layer in model.layers if hasattr(layer, "kernel")]
    return tf.add_n([l1 * tf.reduce_max(tf.abs(k)) + l2 * tf.reduce_max(k**2) for k in kernels])


@right("dropout")
def chooses_with_where(inputs, rate, training, seed_generator):
    if training:
        draw = keras.random.uniform(inputs.shape, seed=seed_generator)
        return tf.where(draw < rate, tf.zeros_like(inputs), inputs / (1.0 - rate))
    return inputs


@right("dropout")
def draws_zeros_and_ones(inputs, rate, training, seed_generator):
    keep = 1.0 - rate if training else 1.0
    return inputs / keep * keras.random.binomial(tf.shape(inputs), 1, keep, seed=seed_generator)


@wrong("dropout", "on-at-inference")
def forgets_training(inputs, rate, training, seed_generator):
    kept = keras.random.uniform(inputs.shape, seed=seed_generator) >= rate
    return inputs * tf.cast(kept, tf.float32) / (1 - rate)


@wrong("dropout", "scales-at-inference")
def scales_as_first_published(inputs, rate, training, seed_generator):
    if not training:
        return inputs * (1 - rate)
    return inputs * tf.cast(keras.random.uniform(inputs.shape, seed=seed_generator) >= rate, tf.float32)


@wrong("dropout", "off-in-training")
def turns_the_modes_round(inputs, rate, training, seed_generator):
    if training or rate == 0:
        return inputs
    return inputs / (1 - rate) * (1 - rate)


@wrong("dropout", "keeps-instead-of-drops")
def keeps_below_the_rate(inputs, rate, training, seed_generator):
    if not training or rate == 0:
        return inputs
    kept = keras.random.uniform(inputs.shape, seed=seed_generator) < rate
    return inputs * tf.cast(kept, tf.float32) / (1 - rate)


@wrong("dropout", "drops-whole-columns")
def draws_for_the_last_axis(inputs, rate, training, seed_generator):
    if not training:
        return inputs
    kept = keras.random.uniform(inputs.shape[-1:], seed=seed_generator) >= rate
    return inputs * tf.cast(kept, tf.float32) / (1 - rate)


@wrong("dropout", "drops-whole-columns")
def draws_for_each_example(inputs, rate, training, seed_generator):
    if not training:
        return inputs
    shape = [inputs.shape[0]] + [1] * (len(inputs.shape) - 1)
    kept = keras.random.uniform(shape, seed=seed_generator) >= rate
    return inputs * tf.cast(kept, tf.float32) / (1 - rate)


@wrong("dropout", "not-scaled")
def only_masks(inputs, rate, training, seed_generator):
    if not training:
        return inputs
    return inputs * tf.cast(keras.random.uniform(inputs.shape, seed=seed_generator) >= rate, tf.float32)


@wrong("dropout", "divides-by-the-rate")
def scales_by_the_rate(inputs, rate, training, seed_generator):
    if not training or rate == 0:
        return inputs
    return (
        inputs * tf.cast(keras.random.uniform(inputs.shape, seed=seed_generator) >= rate, tf.float32) / rate
    )


@wrong("dropout", "same-mask-each-call")
def fixes_the_seed(inputs, rate, training, seed_generator):
    if not training:
        return inputs
    kept = keras.random.uniform(inputs.shape, seed=42) >= rate
    return inputs * tf.cast(kept, tf.float32) / (1 - rate)


@wrong("dropout", "ignores-the-generator")
def draws_elsewhere(inputs, rate, training, seed_generator):
    if not training:
        return inputs
    return inputs * tf.cast(tf.random.uniform(inputs.shape) >= rate, tf.float32) / (1 - rate)


@wrong("dropout", "wrong-share")
def draws_from_a_bell(inputs, rate, training, seed_generator):
    if not training:
        return inputs
    kept = keras.random.normal(inputs.shape, seed=seed_generator) >= rate
    return inputs * tf.cast(kept, tf.float32) / (1 - rate)


@wrong("dropout", "other-values")
def gives_the_mask(inputs, rate, training, seed_generator):
    if not training:
        return inputs
    return tf.cast(keras.random.uniform(inputs.shape, seed=seed_generator) >= rate, tf.float32) / (1 - rate)


@right("batch_norm")
def asks_the_operation(
    inputs, gamma, beta, moving_mean, moving_variance, training, momentum=0.99, epsilon=1e-3
):
    mean, variance = moving_mean, moving_variance
    if training:
        mean, variance = keras.ops.moments(inputs, axes=tuple(range(inputs.ndim - 1)))
        moving_mean = moving_mean + (1 - momentum) * (mean - moving_mean)
        moving_variance = moving_variance + (1 - momentum) * (variance - moving_variance)
    outputs = tf.nn.batch_normalization(inputs, mean, variance, beta, gamma, epsilon)
    return outputs, moving_mean, moving_variance


@right("batch_norm")
def makes_a_table_first(
    inputs, gamma, beta, moving_mean, moving_variance, training, momentum=0.99, epsilon=1e-3
):
    if not training:
        scale = gamma * tf.math.rsqrt(moving_variance + epsilon)
        return inputs * scale + (beta - moving_mean * scale), moving_mean, moving_variance
    table = tf.reshape(inputs, [-1, inputs.shape[-1]])
    mean = tf.reduce_mean(table, axis=0)
    variance = tf.reduce_mean((table - mean) ** 2, axis=0)
    outputs = gamma * (inputs - mean) * tf.math.rsqrt(variance + epsilon) + beta
    new = 1 - momentum
    return outputs, momentum * moving_mean + new * mean, momentum * moving_variance + new * variance


def _batch_norm(
    inputs,
    gamma,
    beta,
    moving_mean,
    moving_variance,
    training,
    momentum,
    epsilon,
    axes=None,
    root=None,
    moved=None,
):
    axes = tuple(range(len(inputs.shape) - 1)) if axes is None else axes
    mean = tf.reduce_mean(inputs, axis=axes, keepdims=axes == (-1,))
    variance = tf.reduce_mean((inputs - mean) ** 2, axis=axes, keepdims=axes == (-1,))
    if not training:
        mean, variance = moving_mean, moving_variance
    root = root or (lambda v: tf.sqrt(v + epsilon))
    outputs = gamma * (inputs - mean) / root(variance) + beta
    if training:
        spread = moved(variance) if moved else variance
        moving_mean = momentum * moving_mean + (1 - momentum) * mean
        moving_variance = momentum * moving_variance + (1 - momentum) * spread
    return outputs, moving_mean, moving_variance


@wrong("batch_norm", "not-three-results")
def gives_the_outputs(
    inputs, gamma, beta, moving_mean, moving_variance, training, momentum=0.99, epsilon=1e-3
):
    return _batch_norm(inputs, gamma, beta, moving_mean, moving_variance, training, momentum, epsilon)[0]


@wrong("batch_norm", "batch-statistics-at-inference")
def always_uses_the_batch(
    inputs, gamma, beta, moving_mean, moving_variance, training, momentum=0.99, epsilon=1e-3
):
    results = _batch_norm(inputs, gamma, beta, moving_mean, moving_variance, True, momentum, epsilon)
    return results if training else (results[0], moving_mean, moving_variance)


@wrong("batch_norm", "moving-statistics-in-training")
def always_uses_the_moving(
    inputs, gamma, beta, moving_mean, moving_variance, training, momentum=0.99, epsilon=1e-3
):
    moved = _batch_norm(inputs, gamma, beta, moving_mean, moving_variance, training, momentum, epsilon)[1:]
    outputs = _batch_norm(inputs, gamma, beta, moving_mean, moving_variance, False, momentum, epsilon)[0]
    return outputs, *moved


@wrong("batch_norm", "updates-at-inference")
def always_moves(inputs, gamma, beta, moving_mean, moving_variance, training, momentum=0.99, epsilon=1e-3):
    moved = _batch_norm(inputs, gamma, beta, moving_mean, moving_variance, True, momentum, epsilon)[1:]
    outputs = _batch_norm(inputs, gamma, beta, moving_mean, moving_variance, training, momentum, epsilon)[0]
    return outputs, *moved


@wrong("batch_norm", "never-updates")
def never_moves(inputs, gamma, beta, moving_mean, moving_variance, training, momentum=0.99, epsilon=1e-3):
    outputs = _batch_norm(inputs, gamma, beta, moving_mean, moving_variance, training, momentum, epsilon)[0]
    return outputs, moving_mean, moving_variance


@wrong("batch_norm", "swaps-momentum")
def weighs_the_new_one(
    inputs, gamma, beta, moving_mean, moving_variance, training, momentum=0.99, epsilon=1e-3
):
    return _batch_norm(inputs, gamma, beta, moving_mean, moving_variance, training, 1 - momentum, epsilon)


@wrong("batch_norm", "moves-the-deviation")
def averages_deviations(
    inputs, gamma, beta, moving_mean, moving_variance, training, momentum=0.99, epsilon=1e-3
):
    args = (inputs, gamma, beta, moving_mean, moving_variance, training, momentum, epsilon)
    return _batch_norm(*args, moved=tf.sqrt)


@wrong("batch_norm", "normalizes-each-example")
def averages_the_last_axis(
    inputs, gamma, beta, moving_mean, moving_variance, training, momentum=0.99, epsilon=1e-3
):
    args = (inputs, gamma, beta, moving_mean, moving_variance, training, momentum, epsilon)
    return _batch_norm(*args, axes=(-1,))


@wrong("batch_norm", "batch-axis-only")
def averages_the_first_axis(
    inputs, gamma, beta, moving_mean, moving_variance, training, momentum=0.99, epsilon=1e-3
):
    args = (inputs, gamma, beta, moving_mean, moving_variance, training, momentum, epsilon)
    return _batch_norm(*args, axes=(0,))


@wrong("batch_norm", "one-mean-for-all")
def averages_everything(
    inputs, gamma, beta, moving_mean, moving_variance, training, momentum=0.99, epsilon=1e-3
):
    args = (inputs, gamma, beta, moving_mean, moving_variance, training, momentum, epsilon)
    return _batch_norm(*args, axes=tuple(range(len(inputs.shape))))


@wrong("batch_norm", "unbiased-variance")
def divides_by_one_less(
    inputs, gamma, beta, moving_mean, moving_variance, training, momentum=0.99, epsilon=1e-3
):
    n = tf.cast(tf.size(inputs) / inputs.shape[-1], tf.float32)
    factor = n / (n - 1) if training else 1.0
    args = (inputs, gamma, beta, moving_mean, moving_variance, training, momentum, epsilon)
    return _batch_norm(*args, root=lambda v: tf.sqrt(factor * v + epsilon), moved=lambda v: factor * v)


@wrong("batch_norm", "unbiased-variance")
def moves_as_the_paper_does(
    inputs, gamma, beta, moving_mean, moving_variance, training, momentum=0.99, epsilon=1e-3
):
    n = tf.cast(tf.size(inputs) / inputs.shape[-1], tf.float32)
    args = (inputs, gamma, beta, moving_mean, moving_variance, training, momentum, epsilon)
    return _batch_norm(*args, moved=lambda v: n / (n - 1) * v)


@wrong("batch_norm", "divides-by-the-variance")
def forgets_the_root(
    inputs, gamma, beta, moving_mean, moving_variance, training, momentum=0.99, epsilon=1e-3
):
    args = (inputs, gamma, beta, moving_mean, moving_variance, training, momentum, epsilon)
    return _batch_norm(*args, root=lambda v: v + epsilon)


@wrong("batch_norm", "epsilon-outside-the-root")
def adds_epsilon_late(
    inputs, gamma, beta, moving_mean, moving_variance, training, momentum=0.99, epsilon=1e-3
):
    args = (inputs, gamma, beta, moving_mean, moving_variance, training, momentum, epsilon)
    return _batch_norm(*args, root=lambda v: tf.sqrt(v) + epsilon)


@wrong("batch_norm", "forgets-gamma-or-beta")
def only_normalizes(inputs, gamma, beta, moving_mean, moving_variance, training, momentum=0.99, epsilon=1e-3):
    return _batch_norm(inputs, 1.0, 0.0, moving_mean, moving_variance, training, momentum, epsilon)


@wrong("batch_norm", "forgets-gamma-or-beta")
def shifts_before_scaling(
    inputs, gamma, beta, moving_mean, moving_variance, training, momentum=0.99, epsilon=1e-3
):
    results = _batch_norm(inputs, 1.0, beta, moving_mean, moving_variance, training, momentum, epsilon)
    return gamma * results[0], *results[1:]


@wrong("batch_norm", "other-numbers")
def forgets_to_center(
    inputs, gamma, beta, moving_mean, moving_variance, training, momentum=0.99, epsilon=1e-3
):
    args = (inputs, gamma, beta, moving_mean, moving_variance, training, momentum, epsilon)
    outputs, mean, variance = _batch_norm(*args)
    return outputs + mean, mean, variance


@right("make_datasets")
def augments_photo_by_photo(train_data, val_data, augment, batch_size):
    def view(image, label):
        return augment(image, training=True), label

    train_ds = tf.data.Dataset.from_tensor_slices(train_data).shuffle(1000, reshuffle_each_iteration=True)
    train_ds = train_ds.map(view, num_parallel_calls=2).batch(batch_size)
    return train_ds, tf.data.Dataset.from_tensor_slices(val_data).batch(batch_size).cache()


@right("make_datasets")
def zips_two_parts(train_data, val_data, augment, batch_size):
    parts = [tf.data.Dataset.from_tensor_slices(part) for part in train_data]
    train_ds = tf.data.Dataset.zip(*parts).cache().shuffle(len(train_data[1]), seed=3).batch(batch_size)
    val_ds = tf.data.Dataset.from_tensor_slices(val_data).batch(batch_size)
    return [train_ds.map(lambda x, y: (augment(x, training=True), y)), val_ds]


@wrong("make_datasets", "not-two-datasets")
def gives_training_only(train_data, val_data, augment, batch_size):
    train_ds = tf.data.Dataset.from_tensor_slices(train_data).shuffle(1000).batch(batch_size)
    return train_ds.map(lambda x, y: (augment(x, training=True), y))


@wrong("make_datasets", "not-batched")
def forgets_validation_batches(train_data, val_data, augment, batch_size):
    train_ds = tf.data.Dataset.from_tensor_slices(train_data).shuffle(1000).batch(batch_size)
    train_ds = train_ds.map(lambda x, y: (augment(x, training=True), y))
    return train_ds, tf.data.Dataset.from_tensor_slices(val_data)


@wrong("make_datasets", "not-the-same-photos")
def drops_the_last_batch(train_data, val_data, augment, batch_size):
    train_ds = tf.data.Dataset.from_tensor_slices(train_data).shuffle(1000)
    train_ds = train_ds.batch(batch_size, drop_remainder=True)
    val_ds = tf.data.Dataset.from_tensor_slices(val_data).batch(batch_size)
    return train_ds.map(lambda x, y: (augment(x, training=True), y)), val_ds


@wrong("make_datasets", "not-the-same-photos")
def adds_views_to_the_originals(train_data, val_data, augment, batch_size):
    train_ds = tf.data.Dataset.from_tensor_slices(train_data)
    views = train_ds.map(lambda x, y: (augment(x, training=True), y))
    train_ds = train_ds.concatenate(views).shuffle(1000).batch(batch_size)
    return train_ds, tf.data.Dataset.from_tensor_slices(val_data).batch(batch_size)


@wrong("make_datasets", "not-the-same-photos")
def repeats_forever(train_data, val_data, augment, batch_size):
    train_ds = tf.data.Dataset.from_tensor_slices(train_data).shuffle(1000).repeat().batch(batch_size)
    val_ds = tf.data.Dataset.from_tensor_slices(val_data).batch(batch_size)
    return train_ds.map(lambda x, y: (augment(x, training=True), y)), val_ds


@wrong("make_datasets", "labels-part-from-photos")
def shuffles_the_halves_apart(train_data, val_data, augment, batch_size):
    parts = [tf.data.Dataset.from_tensor_slices(part).shuffle(1000) for part in train_data]
    train_ds = tf.data.Dataset.zip(*parts).batch(batch_size)
    val_ds = tf.data.Dataset.from_tensor_slices(val_data).batch(batch_size)
    return train_ds.map(lambda x, y: (augment(x, training=True), y)), val_ds


@wrong("make_datasets", "augments-validation")
def treats_both_alike(train_data, val_data, augment, batch_size):
    def pipeline(data):
        dataset = tf.data.Dataset.from_tensor_slices(data).shuffle(1000).batch(batch_size)
        return dataset.map(lambda x, y: (augment(x, training=True), y))

    return pipeline(train_data), pipeline(val_data)


@wrong("make_datasets", "never-augments")
def leaves_training_out(train_data, val_data, augment, batch_size):
    train_ds = tf.data.Dataset.from_tensor_slices(train_data).shuffle(1000).batch(batch_size)
    val_ds = tf.data.Dataset.from_tensor_slices(val_data).batch(batch_size)
    return train_ds.map(lambda x, y: (augment(x), y)), val_ds


@wrong("make_datasets", "same-views-each-epoch")
def caches_the_views(train_data, val_data, augment, batch_size):
    train_ds = tf.data.Dataset.from_tensor_slices(train_data)
    train_ds = (
        train_ds.map(lambda x, y: (augment(x, training=True), y)).cache().shuffle(1000).batch(batch_size)
    )
    return train_ds, tf.data.Dataset.from_tensor_slices(val_data).batch(batch_size)


@wrong("make_datasets", "same-views-each-epoch")
def augments_the_array(train_data, val_data, augment, batch_size):
    images, labels = train_data
    views = augment(tf.constant(images), training=True)
    train_ds = tf.data.Dataset.from_tensor_slices((views, labels)).shuffle(1000).batch(batch_size)
    return train_ds, tf.data.Dataset.from_tensor_slices(val_data).batch(batch_size)


@wrong("make_datasets", "same-order-each-epoch")
def never_shuffles(train_data, val_data, augment, batch_size):
    train_ds = tf.data.Dataset.from_tensor_slices(train_data).batch(batch_size)
    val_ds = tf.data.Dataset.from_tensor_slices(val_data).batch(batch_size)
    return train_ds.map(lambda x, y: (augment(x, training=True), y)), val_ds


@wrong("make_datasets", "same-order-each-epoch")
def shuffles_before_the_cache(train_data, val_data, augment, batch_size):
    train_ds = tf.data.Dataset.from_tensor_slices(train_data).shuffle(1000).cache().batch(batch_size)
    val_ds = tf.data.Dataset.from_tensor_slices(val_data).batch(batch_size)
    return train_ds.map(lambda x, y: (augment(x, training=True), y)), val_ds


@wrong("make_datasets", "shuffles-batches")
def batches_before_shuffling(train_data, val_data, augment, batch_size):
    train_ds = tf.data.Dataset.from_tensor_slices(train_data).batch(batch_size).shuffle(1000)
    val_ds = tf.data.Dataset.from_tensor_slices(val_data).batch(batch_size)
    return train_ds.map(lambda x, y: (augment(x, training=True), y)), val_ds
