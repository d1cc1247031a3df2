"""Answers to this lab's exercises: right ones written otherwise, and wrong ones that people give."""

import keras
import numpy as np
import tensorflow as tf
import tensorflow_hub as hub

from labs import right, wrong


@right("preprocess")
def scales_first(image, size=96):
    return tf.image.resize(tf.image.convert_image_dtype(image, tf.float32), (size, size))


@right("preprocess")
def a_keras_layer(image, size=96):
    return keras.layers.Resizing(size, size)(tf.cast(image, tf.float32)) * (1 / 255)


@wrong("preprocess", "other-dtype")
def back_to_bytes(image, size=96):
    return tf.cast(tf.image.resize(image, [size, size]), tf.uint8)


@wrong("preprocess", "other-dtype")
def double_precision(image, size=96):
    return tf.cast(tf.image.resize(image, [size, size]), tf.float64) / 255.0


@wrong("preprocess", "other-shape")
def adds_a_batch(image, size=96):
    return tf.image.resize(image[tf.newaxis], [size, size]) / 255.0


@wrong("preprocess", "other-shape")
def forgets_the_size(image, size=96):
    return tf.cast(image, tf.float32) / 255.0


@wrong("preprocess", "left-at-255")
def resizes_only(image, size=96):
    return tf.image.resize(image, [size, size])


@wrong("preprocess", "left-at-255")
def converts_floats(image, size=96):
    return tf.image.convert_image_dtype(tf.image.resize(image, [size, size]), tf.float32)


@wrong("preprocess", "from-minus-one")
def as_mobilenet_wants(image, size=96):
    return tf.image.resize(image, [size, size]) / 127.5 - 1.0


@wrong("preprocess", "divided-twice")
def converts_and_divides(image, size=96):
    return tf.image.resize(tf.image.convert_image_dtype(image, tf.float32), [size, size]) / 255.0


@wrong("preprocess", "own-range")
def by_its_own_maximum(image, size=96):
    scaled = tf.image.resize(image, [size, size])
    return scaled / tf.reduce_max(scaled)


@wrong("preprocess", "cut-off")
def crops_or_pads(image, size=96):
    return tf.image.resize_with_crop_or_pad(tf.cast(image, tf.float32), size, size) / 255.0


@wrong("preprocess", "cut-off")
def keeps_the_proportions(image, size=96):
    return tf.image.resize_with_pad(image, size, size) / 255.0


@wrong("preprocess", "other-numbers")
def turns_it_over(image, size=96):
    return tf.image.resize(image, [size, size])[::-1] / 255.0


def _name(variable):
    return variable.name.split(":")[0].replace("/", "_")


class _Hub(keras.layers.Layer):
    def __init__(self, handle, norm_learns=False, trainable=True, **kwargs):
        super().__init__(**kwargs)
        self.handle, self.norm_learns = handle, norm_learns
        self.module = hub.load(handle)
        self.shared = [self.wrapped(v) for v in self.chosen()]
        self.trainable = trainable

    def chosen(self):
        return self.module.variables

    def wrapped(self, v):
        return keras.Variable(v, trainable=v.trainable, name=_name(v))

    def mode(self, training):
        return bool(training and self.trainable and self.norm_learns)

    def call(self, inputs, training=False):
        return self.module(inputs, training=self.mode(training))


@right("HubLayer")
class ListsTheTrainableOnes(_Hub):
    def wrapped(self, v):
        train = any(v is one for one in self.module.trainable_variables)
        return keras.Variable(v, trainable=train, name=_name(v))


@right("HubLayer")
class SaysItWithIf(_Hub):
    def call(self, inputs, training=False):
        if training and self.norm_learns and self.trainable:
            return self.module(inputs, training=True)
        return self.module(inputs)


@wrong("HubLayer", "slashes-in-names")
class KeepsTheNames(_Hub):
    def wrapped(self, v):
        return keras.Variable(v, trainable=v.trainable, name=v.name)


@wrong("HubLayer", "not-a-plain-boolean")
class CastsToATensor(_Hub):
    def mode(self, training):
        return tf.cast(super().mode(training), tf.bool)


@wrong("HubLayer", "keras-finds-none")
class ListOfBareVariables(_Hub):
    def wrapped(self, v):
        return v


@wrong("HubLayer", "leaves-the-statistics-out")
class OnlyTheTrainable(_Hub):
    def chosen(self):
        return self.module.trainable_variables


@wrong("HubLayer", "copies")
class WrapsTheValues(_Hub):
    def wrapped(self, v):
        return keras.Variable(v.numpy(), trainable=v.trainable, name=_name(v))


@wrong("HubLayer", "copies")
class AddsWeights(_Hub):
    def wrapped(self, v):
        weight = self.add_weight(shape=v.shape, trainable=v.trainable, name=_name(v))
        weight.assign(v)
        return weight


@wrong("HubLayer", "not-in-shared")
class UnderAnotherName(_Hub):
    def chosen(self):
        self.wrapped_variables = [self.wrapped(v) for v in self.module.variables]
        return []


@wrong("HubLayer", "trains-the-statistics")
class TrainsThemAll(_Hub):
    def wrapped(self, v):
        return keras.Variable(v, name=_name(v))


@wrong("HubLayer", "nothing-trains")
class AsksNormLearns(_Hub):
    def wrapped(self, v):
        return keras.Variable(v, trainable=v.trainable and self.norm_learns, name=_name(v))


@wrong("HubLayer", "always-in-training")
class TheSwitchAlone(_Hub):
    def mode(self, training):
        return self.norm_learns and self.trainable


@wrong("HubLayer", "learns-while-frozen")
class ForgetsFrozen(_Hub):
    def mode(self, training):
        return bool(training and self.norm_learns)


@wrong("HubLayer", "learns-while-frozen")
class PassesItOn(_Hub):
    def mode(self, training):
        return bool(training)


@wrong("HubLayer", "learns-unasked")
class AsKerasLayerDid(_Hub):
    def mode(self, training):
        return bool(training and self.trainable)


@wrong("HubLayer", "never-in-training")
class AlwaysInUse(_Hub):
    def mode(self, training):
        return False


@wrong("HubLayer", "other-names")
class NumbersThem(_Hub):
    def wrapped(self, v):
        self.count = getattr(self, "count", 0) + 1
        return keras.Variable(v, trainable=v.trainable, name=f"w{self.count}")


@wrong("HubLayer", "other-names")
class TheTrainableOnesFirst(_Hub):
    def chosen(self):
        return sorted(self.module.variables, key=lambda v: not v.trainable)


@wrong("HubLayer", "other-output")
class ScalesTheInputsAgain(_Hub):
    def call(self, inputs, training=False):
        return super().call(inputs / 255.0, training)


@wrong("HubLayer", "returns-nothing")
class ForgetsToReturn(_Hub):
    def call(self, inputs, training=False):
        super().call(inputs, training)


@right("cached_features")
def pairs_then_zip(module, dataset):
    pairs = [(module(batch, training=False), labels) for batch, labels in dataset]
    return tuple(tf.concat(part, axis=0).numpy() for part in zip(*pairs, strict=True))


@right("cached_features")
def maps_the_dataset(module, dataset):
    rows = [(module(x, training=False).numpy(), y) for x, y in dataset.as_numpy_iterator()]
    return np.vstack([x for x, _ in rows]), np.hstack([y for _, y in rows])


@right("cached_features")
def lets_the_dataset_call_it(module, dataset):
    ready = dataset.map(lambda images, labels: (module(images, training=False), labels))
    features, labels = next(ready.unbatch().batch(10_000).as_numpy_iterator())
    return features, labels


@wrong("cached_features", "in-training")
def says_nothing_of_it_in_the_dataset(module, dataset):
    ready = dataset.map(lambda images, labels: (module(images), labels))
    return next(ready.unbatch().batch(10_000).as_numpy_iterator())


@wrong("cached_features", "one-result")
def features_alone(module, dataset):
    return np.concatenate([module(batch, training=False) for batch, _ in dataset])


@wrong("cached_features", "last-batch-only")
def returns_in_the_loop(module, dataset):
    for batch, labels in dataset:
        return module(batch, training=False).numpy(), labels.numpy()


@wrong("cached_features", "last-batch-only")
def overwrites(module, dataset):
    for batch, batch_labels in dataset:
        features, labels = module(batch, training=False).numpy(), batch_labels.numpy()
    return features, labels


@wrong("cached_features", "list-of-batches")
def does_not_join(module, dataset):
    features, labels = [], []
    for batch, batch_labels in dataset:
        features.append(module(batch, training=False).numpy())
        labels.append(batch_labels.numpy())
    return features, labels


@wrong("cached_features", "list-of-batches")
def stacks(module, dataset):
    pairs = [(module(batch, training=False), labels) for batch, labels in dataset]
    return np.array([x for x, _ in pairs]), np.array([y for _, y in pairs])


@wrong("cached_features", "in-training")
def says_training(module, dataset):
    pairs = [(module(batch, training=True), labels) for batch, labels in dataset]
    return np.concatenate([x for x, _ in pairs]), np.concatenate([y for _, y in pairs])


@wrong("cached_features", "in-training")
def says_nothing_of_it(module, dataset):
    pairs = [(module(batch), labels) for batch, labels in dataset]
    return np.concatenate([x for x, _ in pairs]), np.concatenate([y for _, y in pairs])


@wrong("cached_features", "more-than-once")
def looks_at_the_shape_first(module, dataset):
    features, labels = [], []
    for batch, batch_labels in dataset:
        if module(batch, training=False).shape[-1]:
            features.append(module(batch, training=False).numpy())
        labels.append(batch_labels.numpy())
    return np.concatenate(features), np.concatenate(labels)


@wrong("cached_features", "rows-apart")
def two_passes(module, dataset):
    features = np.concatenate([module(batch, training=False) for batch, _ in dataset])
    return features, np.concatenate([labels for _, labels in dataset])


@wrong("cached_features", "other-features")
def scales_again(module, dataset):
    pairs = [(module(batch / 255.0, training=False), labels) for batch, labels in dataset]
    return np.concatenate([x for x, _ in pairs]), np.concatenate([y for _, y in pairs])


def _cosines(queries, features):
    queries = queries / np.linalg.norm(queries, axis=1, keepdims=True)
    return queries @ (features / np.linalg.norm(features, axis=1, keepdims=True)).T


@right("nearest")
def top_k_of_tensorflow(queries, features, k):
    queries, features = tf.math.l2_normalize(queries, axis=1), tf.math.l2_normalize(features, axis=1)
    return tf.math.top_k(tf.matmul(queries, features, transpose_b=True), k).indices


@right("nearest")
def turns_the_order_over(queries, features, k):
    return np.argsort(_cosines(queries, features), axis=1)[:, ::-1][:, :k]


@wrong("nearest", "shapes-do-not-meet")
def forgets_to_transpose(queries, features, k):
    return np.argsort(-(queries @ features), axis=1)[:, :k]


@wrong("nearest", "shapes-do-not-meet")
def norms_lose_their_axis(queries, features, k):
    queries = queries / np.linalg.norm(queries, axis=1)
    return np.argsort(-(queries @ features.T), axis=1)[:, :k]


@wrong("nearest", "similarities")
def returns_the_values(queries, features, k):
    return -np.sort(-_cosines(queries, features), axis=1)[:, :k]


@wrong("nearest", "other-shape")
def one_row_for_each_feature(queries, features, k):
    return np.argsort(-_cosines(features, queries), axis=0)[:k]


@wrong("nearest", "other-shape")
def forgets_k(queries, features, k):
    return np.argsort(-_cosines(queries, features), axis=1)


@wrong("nearest", "least-alike")
def sorts_upwards(queries, features, k):
    return np.argsort(_cosines(queries, features), axis=1)[:, :k]


@wrong("nearest", "leaves-the-first-out")
def expects_itself_first(queries, features, k):
    return np.argsort(-_cosines(queries, features), axis=1)[:, 1 : k + 1]


@wrong("nearest", "dot-product")
def without_lengths(queries, features, k):
    return np.argsort(-(queries @ features.T), axis=1)[:, :k]


@wrong("nearest", "dot-product")
def scales_the_queries_only(queries, features, k):
    queries = queries / np.linalg.norm(queries, axis=1, keepdims=True)
    return np.argsort(-(queries @ features.T), axis=1)[:, :k]


@wrong("nearest", "dot-product")
def one_length_for_all(queries, features, k):
    return np.argsort(-(queries / np.linalg.norm(queries) @ (features / np.linalg.norm(features)).T))[:, :k]


@wrong("nearest", "normalized-by-columns")
def along_the_first_axis(queries, features, k):
    queries = queries / np.linalg.norm(queries, axis=0, keepdims=True)
    features = features / np.linalg.norm(features, axis=0, keepdims=True)
    return np.argsort(-(queries @ features.T), axis=1)[:, :k]


@wrong("nearest", "distance")
def euclid(queries, features, k):
    return np.argsort(np.linalg.norm(queries[:, None] - features[None], axis=-1), axis=1)[:, :k]


@wrong("nearest", "not-in-order")
def the_last_k_of_the_sort(queries, features, k):
    return np.argsort(_cosines(queries, features), axis=1)[:, -k:]


@wrong("nearest", "changes-its-inputs")
def divides_in_place(queries, features, k):
    queries /= np.linalg.norm(queries, axis=1, keepdims=True)
    features /= np.linalg.norm(features, axis=1, keepdims=True)
    return np.argsort(-(queries @ features.T), axis=1)[:, :k]


@wrong("nearest", "other-rows")
def forgets_the_minus_on_one_side(queries, features, k):
    return np.argsort(np.abs(_cosines(queries, features)), axis=1)[:, :k]


@right("unfreeze")
def compares_whole_names(layer, first_block):
    layer.trainable = True
    late = ("head_", *(f"block{number:02d}_" for number in range(first_block, 16)))
    for variable in layer.shared:
        variable.trainable = variable.name.startswith(late) and "norm" not in variable.name
    return [variable.name for variable in layer.trainable_variables]


@right("unfreeze")
def stops_the_others(layer, first_block):
    layer.trainable, thawed = True, []
    for variable in layer.shared:
        part, kind = variable.name.split("_")[0], variable.name.split("_")[-1]
        number = {"stem": -1, "head": 99}.get(part)
        number = int(part.removeprefix("block")) if number is None else number
        if kind == "kernel" and number >= first_block:
            thawed.append(variable.name)
        else:
            variable.trainable = False
    return thawed


def _late(name, first_block):
    part = name.split("_")[0]
    return part == "head" or (part.startswith("block") and int(part[5:]) >= first_block)


def _choose(layer, wanted):
    layer.trainable = True
    for variable in layer.shared:
        variable.trainable = bool(wanted(variable.name))
    return [variable.name for variable in layer.shared if variable.trainable]


@wrong("unfreeze", "reads-a-number-wrongly")
def every_name_has_a_number(layer, first_block):
    return _choose(layer, lambda name: name.endswith("kernel") and int(name[5:7]) >= first_block)


@wrong("unfreeze", "layer-still-frozen")
def flags_only(layer, first_block):
    for variable in layer.shared:
        variable.trainable = _late(variable.name, first_block) and variable.name.endswith("kernel")
    return [variable.name for variable in layer.shared if variable.trainable]


@wrong("unfreeze", "flags-overwritten")
def flags_first_then_the_layer(layer, first_block):
    for variable in layer.shared:
        variable.trainable = _late(variable.name, first_block) and variable.name.endswith("kernel")
    thawed = [variable.name for variable in layer.shared if variable.trainable]
    layer.trainable = True
    return thawed


@wrong("unfreeze", "thaws-the-norm")
def whole_blocks(layer, first_block):
    return _choose(layer, lambda name: _late(name, first_block) and "moving" not in name)


@wrong("unfreeze", "thaws-the-norm")
def leaves_only_the_statistics(layer, first_block):
    return _choose(
        layer, lambda name: _late(name, first_block) and "gamma" not in name and "moving" not in name
    )


@wrong("unfreeze", "misses-the-head")
def blocks_only(layer, first_block):
    return _choose(
        layer, lambda name: name.startswith("block") and _late(name, first_block) and name.endswith("kernel")
    )


@wrong("unfreeze", "starts-one-late")
def greater_than(layer, first_block):
    return _choose(layer, lambda name: _late(name, first_block + 1) and name.endswith("kernel"))


@wrong("unfreeze", "other-blocks")
def compares_as_text(layer, first_block):
    return _choose(
        layer,
        lambda name: (
            name.endswith("kernel")
            and (name.startswith("head") or (name.startswith("block") and name >= f"block{first_block}"))
        ),
    )


@wrong("unfreeze", "other-blocks")
def one_block_alone(layer, first_block):
    return _choose(
        layer, lambda name: name.endswith("kernel") and (f"block{first_block:02d}" in name or "head" in name)
    )


@wrong("unfreeze", "returns-others")
def returns_what_it_froze(layer, first_block):
    thawed = _choose(layer, lambda name: _late(name, first_block) and name.endswith("kernel"))
    return [variable.name for variable in layer.shared if variable.name not in thawed]


@wrong("unfreeze", "returns-nothing")
def forgets_the_names(layer, first_block):
    _choose(layer, lambda name: _late(name, first_block) and name.endswith("kernel"))


def _thaw(layer, first_block):
    return _choose(layer, lambda name: _late(name, first_block) and name.endswith("kernel"))


def _compile(model, optimizer, from_logits=True, metrics=("accuracy",)):
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=from_logits)
    model.compile(optimizer, loss, metrics=list(metrics))
    return model


@right("ready_to_fine_tune")
def compiles_first(model, first_block, learning_rate):
    _compile(
        model,
        keras.optimizers.Adam(learning_rate),
        metrics=[keras.metrics.SparseCategoricalAccuracy("accuracy")],
    )
    _thaw(model.get_layer(index=0), first_block)
    return model


@wrong("ready_to_fine_tune", "not-compiled-anew")
def thaws_only(model, first_block, learning_rate):
    _thaw(model.layers[0], first_block)
    return model


@wrong("ready_to_fine_tune", "not-compiled-anew")
def assigns_the_rate(model, first_block, learning_rate):
    _thaw(model.layers[0], first_block)
    model.optimizer.learning_rate = learning_rate
    return model


@wrong("ready_to_fine_tune", "other-rate")
def adam_by_name(model, first_block, learning_rate):
    _thaw(model.layers[0], first_block)
    return _compile(model, keras.optimizers.Adam())


@wrong("ready_to_fine_tune", "not-adam")
def plain_descent(model, first_block, learning_rate):
    _thaw(model.layers[0], first_block)
    return _compile(model, keras.optimizers.SGD(learning_rate))


@wrong("ready_to_fine_tune", "new-head")
def builds_another_head(model, first_block, learning_rate):
    _thaw(model.layers[0], first_block)
    fresh = keras.Sequential([keras.Input((2,)), model.layers[0], keras.layers.Dense(3)])
    return _compile(fresh, keras.optimizers.Adam(learning_rate))


@wrong("ready_to_fine_tune", "head-frozen")
def freezes_the_head(model, first_block, learning_rate):
    _thaw(model.layers[0], first_block)
    model.layers[-1].trainable = False
    return _compile(model, keras.optimizers.Adam(learning_rate))


@wrong("ready_to_fine_tune", "still-frozen")
def forgets_to_thaw(model, first_block, learning_rate):
    return _compile(model, keras.optimizers.Adam(learning_rate))


@wrong("ready_to_fine_tune", "thaws-too-much")
def thaws_the_layer(model, first_block, learning_rate):
    model.layers[0].trainable = True
    return _compile(model, keras.optimizers.Adam(learning_rate))


@wrong("ready_to_fine_tune", "not-from-logits")
def loss_by_default(model, first_block, learning_rate):
    _thaw(model.layers[0], first_block)
    return _compile(model, keras.optimizers.Adam(learning_rate), from_logits=False)


@wrong("ready_to_fine_tune", "no-accuracy")
def no_metrics(model, first_block, learning_rate):
    _thaw(model.layers[0], first_block)
    return _compile(model, keras.optimizers.Adam(learning_rate), metrics=())


@wrong("ready_to_fine_tune", "returns-nothing")
def forgets_the_model(model, first_block, learning_rate):
    _thaw(model.layers[0], first_block)
    _compile(model, keras.optimizers.Adam(learning_rate))
