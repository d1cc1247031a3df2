"""Answers to this lab's exercises: right ones written otherwise, and wrong ones that people give."""

import keras
import numpy as np
import tensorflow as tf

from labs import right, wrong


@right("prepare")
def converts_in_one_call(image, label):
    return tf.image.convert_image_dtype(image, tf.float32), label


@right("prepare")
def uses_a_rescaling_layer(image, label):
    return keras.layers.Rescaling(1 / 255)(image), label


@wrong("prepare", "forgets-the-label")
def returns_the_image_only(image, label):
    return tf.cast(image, tf.float32) / 255.0


@wrong("prepare", "mixes-dtypes")
def multiplies_bytes_by_a_float(image, label):
    return image * tf.constant(1 / 255.0), label


@wrong("prepare", "left-as-integers")
def divides_bytes(image, label):
    return image // 255, label


@wrong("prepare", "left-as-integers")
def rescales_to_a_byte(image, label):
    return tf.cast(image / 255, tf.uint8), label


@wrong("prepare", "leaves-the-graph")
def scales_in_numpy(image, label):
    return np.asarray(image, "float32") / 255, label


@wrong("prepare", "leaves-the-graph")
def asks_for_the_numbers(image, label):
    return tf.constant(image.numpy().astype("float32") / 255), label


@wrong("prepare", "other-float")
def casts_to_float64(image, label):
    return tf.cast(image, tf.float64) / 255.0, label


@wrong("prepare", "other-float")
def casts_to_half_precision(image, label):
    return tf.cast(image, tf.float16) / 255.0, label


@wrong("prepare", "other-shape")
def adds_the_batch(image, label):
    return tf.cast(image, tf.float32)[tf.newaxis] / 255.0, label


@wrong("prepare", "other-shape")
def flattens_too(image, label):
    return tf.reshape(tf.cast(image, tf.float32) / 255.0, [-1]), label


@wrong("prepare", "divides-whole-numbers")
def casts_too_late(image, label):
    return tf.cast(image // 255, tf.float32), label


@wrong("prepare", "not-scaled")
def casts_only(image, label):
    return tf.cast(image, tf.float32), label


@wrong("prepare", "scales-by-the-brightest")
def divides_by_the_maximum(image, label):
    image = tf.cast(image, tf.float32)
    return image / tf.reduce_max(image), label


@wrong("prepare", "other-range")
def divides_by_256(image, label):
    return tf.cast(image, tf.float32) / 256.0, label


@wrong("prepare", "other-range")
def scales_to_minus_one(image, label):
    return tf.cast(image, tf.float32) / 127.5 - 1.0, label


@wrong("prepare", "changes-the-label")
def makes_the_label_one_hot(image, label):
    return tf.cast(image, tf.float32) / 255.0, tf.one_hot(label, 10)


@right("make_model")
def adds_layer_by_layer(image_shape, hidden_units, classes):
    model = keras.Sequential()
    model.add(keras.Input(shape=image_shape))
    model.add(keras.layers.Reshape((int(np.prod(image_shape)),)))
    model.add(keras.layers.Dense(hidden_units))
    model.add(keras.layers.ReLU())
    model.add(keras.layers.Dense(classes, activation="linear"))
    return model


@wrong("make_model", "forgets-to-flatten")
def no_flatten(image_shape, hidden_units, classes):
    layers = [keras.layers.Dense(hidden_units, activation="relu"), keras.layers.Dense(classes)]
    return keras.Sequential([keras.Input(image_shape), *layers])


@wrong("make_model", "wrong-number-of-outputs")
def one_output(image_shape, hidden_units, classes):
    hidden = keras.layers.Dense(hidden_units, activation="relu")
    return keras.Sequential([keras.Input(image_shape), keras.layers.Flatten(), hidden, keras.layers.Dense(1)])


@wrong("make_model", "ends-in-softmax")
def softmax_at_the_end(image_shape, hidden_units, classes):
    hidden = keras.layers.Dense(hidden_units, activation="relu")
    output = keras.layers.Dense(classes, activation="softmax")
    return keras.Sequential([keras.Input(image_shape), keras.layers.Flatten(), hidden, output])


@wrong("make_model", "ends-in-relu")
def relu_everywhere(image_shape, hidden_units, classes):
    hidden = keras.layers.Dense(hidden_units, activation="relu")
    output = keras.layers.Dense(classes, activation="relu")
    return keras.Sequential([keras.Input(image_shape), keras.layers.Flatten(), hidden, output])


@wrong("make_model", "no-nonlinearity")
def forgets_the_activation(image_shape, hidden_units, classes):
    layers = [keras.layers.Flatten(), keras.layers.Dense(hidden_units), keras.layers.Dense(classes)]
    return keras.Sequential([keras.Input(image_shape), *layers])


def _dense_model(image_shape, *layers):
    return keras.Sequential([keras.Input(image_shape), keras.layers.Flatten(), *layers])


@wrong("make_model", "other-activation")
def tanh_inside(image_shape, hidden_units, classes):
    hidden = keras.layers.Dense(hidden_units, activation="tanh")
    return _dense_model(image_shape, hidden, keras.layers.Dense(classes))


@wrong("make_model", "other-activation")
def gelu_inside(image_shape, hidden_units, classes):
    hidden = keras.layers.Dense(hidden_units, activation="gelu")
    return _dense_model(image_shape, hidden, keras.layers.Dense(classes))


@wrong("make_model", "other-activation")
def sigmoid_at_the_end(image_shape, hidden_units, classes):
    hidden = keras.layers.Dense(hidden_units, activation="relu")
    return _dense_model(image_shape, hidden, keras.layers.Dense(classes, activation="sigmoid"))


@wrong("make_model", "fixed-size")
def no_hidden_layer(image_shape, hidden_units, classes):
    return _dense_model(image_shape, keras.layers.Dense(classes))


@wrong("make_model", "fixed-size")
def always_128_units(image_shape, hidden_units, classes):
    hidden = keras.layers.Dense(128, activation="relu")
    return keras.Sequential(
        [keras.Input(image_shape), keras.layers.Flatten(), hidden, keras.layers.Dense(classes)]
    )


@wrong("make_model", "not-built")
def no_input(image_shape, hidden_units, classes):
    hidden = keras.layers.Dense(hidden_units, activation="relu")
    return keras.Sequential([keras.layers.Flatten(), hidden, keras.layers.Dense(classes)])


@wrong("make_model", "returns-nothing")
def forgets_to_return_the_model(image_shape, hidden_units, classes):
    keras.Sequential([keras.Input(image_shape), keras.layers.Flatten(), keras.layers.Dense(classes)])


@right("compile_model")
def spells_everything_out(model):
    def loss(labels, logits):
        one_hot = tf.one_hot(tf.cast(tf.reshape(labels, [-1]), tf.int32), tf.shape(logits)[1])
        return tf.nn.softmax_cross_entropy_with_logits(one_hot, logits)

    metric = keras.metrics.SparseCategoricalAccuracy(name="accuracy")
    model.compile(keras.optimizers.Adam(), loss, metrics=[metric])
    return model


@wrong("compile_model", "wants-one-hot")
def the_loss_without_sparse(model):
    loss = keras.losses.CategoricalCrossentropy(from_logits=True)
    model.compile(optimizer="adam", loss=loss, metrics=["accuracy"])
    return model


@wrong("compile_model", "forgets-from-logits")
def names_the_loss_by_string(model):
    model.compile(optimizer="adam", loss="sparse_categorical_crossentropy", metrics=["accuracy"])
    return model


@wrong("compile_model", "other-loss")
def squares_the_difference(model):
    model.compile(optimizer="adam", loss="mse", metrics=["accuracy"])
    return model


@wrong("compile_model", "no-accuracy")
def leaves_metrics_out(model):
    model.compile("adam", keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    return model


@wrong("compile_model", "other-name")
def names_the_metric_s_class(model):
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile("adam", loss, metrics=[keras.metrics.SparseCategoricalAccuracy()])
    return model


@wrong("compile_model", "other-optimizer")
def leaves_the_optimizer_out(model):
    model.compile(loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True), metrics=["accuracy"])
    return model


@wrong("compile_model", "returns-nothing")
def returns_what_compile_returns(model):
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    return model.compile(optimizer="adam", loss=loss, metrics=["accuracy"])


@right("best_epoch")
def looks_for_the_minimum(history):
    losses = list(history["val_loss"])
    return losses.index(min(losses)) + 1


@right("best_epoch")
def asks_tensorflow(history):
    return tf.argmin(history["val_loss"]) + 1


@wrong("best_epoch", "gives-the-loss")
def returns_the_minimum(history):
    return min(history["val_loss"])


@wrong("best_epoch", "reads-training-loss")
def uses_loss(history):
    return int(np.argmin(history["loss"])) + 1


@wrong("best_epoch", "takes-the-worst")
def uses_argmax(history):
    return int(np.argmax(history["val_loss"])) + 1


@wrong("best_epoch", "counts-from-zero")
def forgets_to_add_one(history):
    return int(np.argmin(history["val_loss"]))


@wrong("best_epoch", "takes-the-last-of-equals")
def prefers_the_later(history):
    losses = history["val_loss"]
    return max(epoch for epoch, loss in enumerate(losses, 1) if loss == min(losses))


@wrong("best_epoch", "other-epoch")
def trusts_accuracy(history):
    return int(np.argmax(history["val_accuracy"])) + 1


@right("recall_by_class")
def loops_over_the_rows(matrix):
    return [row[i] / row.sum() if row.sum() else 0.0 for i, row in enumerate(matrix)]


@right("recall_by_class")
def divides_where_it_can(matrix):
    return tf.math.divide_no_nan(tf.linalg.diag_part(matrix), tf.reduce_sum(matrix, axis=1))


@wrong("recall_by_class", "one-number")
def accuracy_of_all(matrix):
    return np.trace(matrix) / matrix.sum()


@wrong("recall_by_class", "counts-not-shares")
def takes_the_diagonal(matrix):
    return np.diag(matrix)


@wrong("recall_by_class", "divides-by-all")
def divides_by_the_sum(matrix):
    return np.diag(matrix) / matrix.sum()


@wrong("recall_by_class", "divides-by-columns")
def sums_along_axis_0(matrix):
    return np.diag(matrix) / np.maximum(matrix.sum(axis=0), 1)


@wrong("recall_by_class", "nan-for-empty-class")
def forgets_the_empty_class(matrix):
    return np.diag(matrix) / matrix.sum(axis=1)


@wrong("recall_by_class", "other-shares")
def normalises_the_whole_row(matrix):
    return np.max(matrix, axis=1) / np.maximum(matrix.sum(axis=1), 1) * 0.5


@right("confident_mistakes")
def sorts_pairs(logits, labels, k):
    shares = keras.ops.convert_to_numpy(keras.ops.softmax(logits))
    mistakes = [(row.max(), i) for i, row in enumerate(shares) if row.argmax() != labels[i]]
    return [i for _, i in sorted(mistakes, reverse=True)[:k]]


@right("confident_mistakes")
def hides_the_right_ones(logits, labels, k):
    shares = tf.reduce_max(tf.nn.softmax(logits), axis=1)
    is_wrong = tf.argmax(logits, axis=1) != labels
    return tf.math.top_k(tf.where(is_wrong, shares, -1.0), k).indices


@wrong("confident_mistakes", "not-k-positions")
def returns_the_mask(logits, labels, k):
    return logits.argmax(axis=1) != labels


@wrong("confident_mistakes", "lost-the-positions")
def filters_before_sorting(logits, labels, k):
    shares = tf.nn.softmax(logits).numpy()
    confidence = shares.max(axis=1)[shares.argmax(axis=1) != labels]
    return np.argsort(-confidence)[:k]


@wrong("confident_mistakes", "includes-right-answers")
def sorts_all_answers(logits, labels, k):
    return np.argsort(-tf.nn.softmax(logits).numpy().max(axis=1))[:k]


@wrong("confident_mistakes", "least-confident-first")
def sorts_upwards(logits, labels, k):
    confidence = tf.nn.softmax(logits).numpy().max(axis=1)
    mistakes = np.flatnonzero(logits.argmax(axis=1) != labels)
    return mistakes[np.argsort(confidence[mistakes])][:k]


@wrong("confident_mistakes", "ranks-by-logit")
def forgets_softmax(logits, labels, k):
    mistakes = np.flatnonzero(logits.argmax(axis=1) != labels)
    return mistakes[np.argsort(-logits.max(axis=1)[mistakes])][:k]


@wrong("confident_mistakes", "ranks-by-true-class")
def ranks_by_the_loss(logits, labels, k):
    shares = tf.nn.softmax(logits).numpy()
    mistakes = np.flatnonzero(shares.argmax(axis=1) != labels)
    return mistakes[np.argsort(shares[mistakes, labels[mistakes]])][:k]


@wrong("confident_mistakes", "other-positions")
def takes_the_first_mistakes(logits, labels, k):
    return np.flatnonzero(logits.argmax(axis=1) != labels)[:k]
