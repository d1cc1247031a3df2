"""Answers to this lab's exercises: right ones written otherwise, and wrong ones that people give."""

import types

import keras
import numpy as np
import tensorflow as tf
from keras import ops

from labs import right, wrong


class _Linear(keras.layers.Layer):
    """The layer in parts, so that each wrong answer below shows only what it does otherwise."""

    def __init__(self, units, **kwargs):
        super().__init__(**kwargs)
        self.units = units
        self.supports_masking = True

    def build(self, input_shape):
        self.kernel = self.add_weight(shape=(input_shape[-1], self.units), initializer="glorot_uniform")
        self.bias = self.add_weight(shape=(self.units,), initializer="zeros")

    def call(self, inputs):
        return ops.matmul(inputs, self.kernel) + self.bias


@right("Linear")
class InTensorFlow(_Linear):
    def build(self, input_shape):
        *_, features = input_shape
        self.w = self.add_weight(shape=[features, self.units], initializer="he_normal", name="w")
        self.b = self.add_weight(shape=[self.units], initializer=keras.initializers.Zeros(), name="b")

    def call(self, inputs):
        return tf.einsum("...f,fu->...u", inputs, self.w) + self.b


@right("Linear")
class BiasFirst(_Linear):
    def build(self, input_shape):
        self.bias = self.add_weight(shape=(self.units,), initializer="zeros")
        self.kernel = self.add_weight(shape=(input_shape[-1], self.units))

    def call(self, inputs):
        return inputs @ self.kernel + self.bias


@wrong("Linear", "makes-weights-in-call")
class EverythingInCall(_Linear):
    def build(self, input_shape):
        pass

    def call(self, inputs):
        kernel = self.add_weight(shape=(inputs.shape[-1], self.units))
        return inputs @ kernel + self.add_weight(shape=(self.units,), initializer="zeros")


@wrong("Linear", "wrong-axis")
class TakesTheSecondAxis(_Linear):
    def build(self, input_shape):
        self.kernel = self.add_weight(shape=(input_shape[1], self.units))
        self.bias = self.add_weight(shape=(self.units,), initializer="zeros")


@wrong("Linear", "wrong-axis")
class TakesTheBatch(_Linear):
    def build(self, input_shape):
        self.kernel = self.add_weight(shape=(input_shape[0], self.units))
        self.bias = self.add_weight(shape=(self.units,), initializer="zeros")


@wrong("Linear", "wrong-axis")
class TakesTheWholeShape(_Linear):
    def build(self, input_shape):
        self.kernel = self.add_weight(shape=(input_shape, self.units))
        self.bias = self.add_weight(shape=(self.units,), initializer="zeros")


@wrong("Linear", "wrong-axis")
class KernelTheWrongWayRound(_Linear):
    def build(self, input_shape):
        self.kernel = self.add_weight(shape=(self.units, input_shape[-1]))
        self.bias = self.add_weight(shape=(self.units,), initializer="zeros")


@wrong("Linear", "wrong-axis")
class KernelBeforeTheInputs(_Linear):
    def call(self, inputs):
        return ops.matmul(self.kernel, inputs) + self.bias


@wrong("Linear", "keras-cannot-find-it")
class BareVariables(_Linear):
    def build(self, input_shape):
        self.kernel = tf.Variable(tf.random.normal((input_shape[-1], self.units)))
        self.bias = tf.Variable(tf.zeros(self.units))


@wrong("Linear", "not-trainable")
class Frozen(_Linear):
    def build(self, input_shape):
        self.kernel = self.add_weight(shape=(input_shape[-1], self.units), trainable=False)
        self.bias = self.add_weight(shape=(self.units,), initializer="zeros", trainable=False)


@wrong("Linear", "no-bias")
class KernelOnly(_Linear):
    def build(self, input_shape):
        self.kernel = self.add_weight(shape=(input_shape[-1], self.units))

    def call(self, inputs):
        return inputs @ self.kernel


@wrong("Linear", "other-shapes")
class OneBiasForEachFeature(_Linear):
    def build(self, input_shape):
        self.kernel = self.add_weight(shape=(input_shape[-1], self.units))
        self.bias = self.add_weight(shape=(input_shape[-1],), initializer="zeros")

    def call(self, inputs):
        return (inputs + self.bias) @ self.kernel


@wrong("Linear", "other-shapes")
class KernelLyingDown(_Linear):
    def build(self, input_shape):
        self.kernel = self.add_weight(shape=(self.units, input_shape[-1]))
        self.bias = self.add_weight(shape=(self.units,), initializer="zeros")

    def call(self, inputs):
        return inputs @ ops.transpose(self.kernel) + self.bias


@wrong("Linear", "kernel-starts-equal")
class AllZeros(_Linear):
    def build(self, input_shape):
        self.kernel = self.add_weight(shape=(input_shape[-1], self.units), initializer="zeros")
        self.bias = self.add_weight(shape=(self.units,), initializer="zeros")


@wrong("Linear", "bias-starts-at-random")
class DefaultInitializer(_Linear):
    def build(self, input_shape):
        self.kernel = self.add_weight(shape=(input_shape[-1], self.units))
        self.bias = self.add_weight(shape=(self.units,))


@wrong("Linear", "other-output")
class ForgetsToAddTheBias(_Linear):
    def call(self, inputs):
        return inputs @ self.kernel


@wrong("Linear", "returns-nothing")
class ForgetsToReturn(_Linear):
    def call(self, inputs):
        ops.matmul(inputs, self.kernel) + self.bias


class _Pool(keras.layers.Layer):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.supports_masking = True

    def call(self, inputs, mask=None):
        real = ops.ones(ops.shape(inputs)[:2]) if mask is None else ops.cast(mask, "float32")
        return self.mean(inputs, real[..., None])

    def mean(self, inputs, real):
        return ops.sum(inputs * real, axis=1) / ops.maximum(ops.sum(real, axis=1), 1)

    def compute_mask(self, inputs, mask=None):
        return None


@right("MeanPool")
class SelectsWithWhere(_Pool):
    def call(self, inputs, mask=None):
        if mask is None:
            mask = tf.ones(tf.shape(inputs)[:2], bool)
        kept = tf.where(mask[:, :, tf.newaxis], inputs, 0.0)
        return tf.math.divide_no_nan(
            tf.reduce_sum(kept, 1), tf.reduce_sum(tf.cast(mask, tf.float32), 1, keepdims=True)
        )


@right("MeanPool")
class MultipliesMatrices(_Pool):
    def mean(self, inputs, real):
        shares = real / ops.maximum(ops.sum(real, axis=1, keepdims=True), 1)
        return ops.einsum("bso,bsf->bf", shares, inputs)


@wrong("MeanPool", "needs-a-mask")
class BelievesInMasks(_Pool):
    def call(self, inputs, mask=None):
        return self.mean(inputs, ops.cast(mask, inputs.dtype)[..., None])


@wrong("MeanPool", "leaves-the-graph")
class AveragesInNumpy(_Pool):
    def call(self, inputs, mask=None):
        real = np.ones(inputs.shape[:2]) if mask is None else np.array(mask)
        real = real[..., None].astype("float32")
        return tf.constant((np.array(inputs) * real).sum(axis=1) / np.maximum(real.sum(axis=1), 1))


@wrong("MeanPool", "multiplies-booleans")
class ForgetsToCast(_Pool):
    def call(self, inputs, mask=None):
        if mask is None:
            return tf.reduce_mean(inputs, axis=1)
        return tf.reduce_sum(inputs * mask[..., None], axis=1) / tf.reduce_sum(mask, axis=1)


@wrong("MeanPool", "multiplies-booleans")
class ForgetsTheLastAxis(_Pool):
    def call(self, inputs, mask=None):
        if mask is None:
            return ops.mean(inputs, axis=1)
        real = ops.cast(mask, "float32")
        return ops.sum(inputs * real, axis=1) / ops.sum(real, axis=1)


@wrong("MeanPool", "keeps-the-steps")
class KeepsTheAxis(_Pool):
    def mean(self, inputs, real):
        return ops.sum(inputs * real, axis=1, keepdims=True) / ops.maximum(
            ops.sum(real, axis=1, keepdims=True), 1
        )


@wrong("MeanPool", "keeps-the-steps")
class AveragesTheFeatures(_Pool):
    def mean(self, inputs, real):
        return ops.mean(inputs * real, axis=-1)


@wrong("MeanPool", "ignores-the-mask")
class PlainMean(_Pool):
    def mean(self, inputs, real):
        return ops.mean(inputs, axis=1)


@wrong("MeanPool", "divides-by-all-steps")
class MeanOfTheProduct(_Pool):
    def mean(self, inputs, real):
        return ops.mean(inputs * real, axis=1)


@wrong("MeanPool", "adds-the-padding")
class TrustsThatPaddingIsZero(_Pool):
    def mean(self, inputs, real):
        return ops.sum(inputs, axis=1) / ops.maximum(ops.sum(real, axis=1), 1)


@wrong("MeanPool", "nan-without-real-steps")
class DividesByZero(_Pool):
    def mean(self, inputs, real):
        return ops.sum(inputs * real, axis=1) / ops.sum(real, axis=1)


@wrong("MeanPool", "mask-goes-on")
class PassesTheMaskOn(_Pool):
    def compute_mask(self, inputs, mask=None):
        return inputs if mask is None else mask


@wrong("MeanPool", "mask-goes-on")
class LeavesItToTheBase(_Pool):
    def compute_mask(self, inputs, mask=None):
        return super(_Pool, self).compute_mask(inputs, mask)


@wrong("MeanPool", "other-mean")
class TakesTheLargest(_Pool):
    def mean(self, inputs, real):
        return ops.max(inputs * real, axis=1)


class _Standardize(keras.layers.Layer):
    def __init__(self, momentum=0.9, **kwargs):
        super().__init__(**kwargs)
        self.momentum = momentum
        self.supports_masking = True

    def build(self, input_shape):
        shape = input_shape[-1:]
        self.mean = self.add_weight(shape=shape, initializer="zeros", trainable=False)
        self.variance = self.add_weight(shape=shape, initializer="ones", trainable=False)

    def call(self, inputs, mask=None, training=False):
        if not training:
            return self.scaled(inputs, self.mean, self.variance)
        mean, variance = self.of_batch(inputs, mask)
        self.remember(mean, variance)
        return self.scaled(inputs, mean, variance)

    def of_batch(self, inputs, mask):
        real = ops.ones_like(inputs[..., :1]) if mask is None else ops.cast(mask, "float32")[..., None]
        mean = ops.sum(inputs * real, axis=(0, 1)) / ops.sum(real)
        return mean, ops.sum((inputs - mean) ** 2 * real, axis=(0, 1)) / ops.sum(real)

    def remember(self, mean, variance):
        for weight, new in ((self.mean, mean), (self.variance, variance)):
            weight.assign(self.momentum * weight + (1 - self.momentum) * new)

    def scaled(self, inputs, mean, variance):
        return (inputs - mean) / ops.sqrt(variance + 1e-3)


@right("Standardize")
class SelectsTheRealSteps(_Standardize):
    def of_batch(self, inputs, mask):
        steps = (
            tf.reshape(inputs, [-1, tf.shape(inputs)[-1]]) if mask is None else tf.boolean_mask(inputs, mask)
        )
        mean, variance = tf.nn.moments(steps, axes=[0])
        return mean, variance


@right("Standardize")
class AddsTheDifference(_Standardize):
    def build(self, input_shape):
        super().build(input_shape)
        self.mean, self.variance = self.weights

    def of_batch(self, inputs, mask):
        real = tf.ones_like(inputs) if mask is None else tf.cast(mask, tf.float32)[..., None] + 0 * inputs
        count = tf.reduce_sum(real, [0, 1])
        mean = tf.reduce_sum(inputs * real, [0, 1]) / count
        return mean, tf.reduce_sum(inputs**2 * real, [0, 1]) / count - mean**2

    def remember(self, mean, variance):
        self.mean.assign_add((1 - self.momentum) * (mean - self.mean))
        self.variance.assign_sub((1 - self.momentum) * (self.variance - variance))


@wrong("Standardize", "needs-a-mask")
class CastsNone(_Standardize):
    def of_batch(self, inputs, mask):
        return super().of_batch(inputs, ops.cast(mask, "bool"))


@wrong("Standardize", "leaves-the-graph")
class StatisticsInNumpy(_Standardize):
    def of_batch(self, inputs, mask):
        steps = inputs.numpy() if mask is None else inputs.numpy()[mask.numpy()]
        return steps.reshape(-1, steps.shape[-1]).mean(axis=0), steps.reshape(-1, steps.shape[-1]).var(axis=0)


@wrong("Standardize", "other-shapes")
class OneForEachStep(_Standardize):
    def of_batch(self, inputs, mask):
        return ops.mean(inputs, axis=0), ops.var(inputs, axis=0)


@wrong("Standardize", "other-shapes")
class OneForAllFeatures(_Standardize):
    def build(self, input_shape):
        self.mean = self.add_weight(shape=(), initializer="zeros", trainable=False)
        self.variance = self.add_weight(shape=(), initializer="ones", trainable=False)

    def of_batch(self, inputs, mask):
        return ops.mean(inputs), ops.var(inputs)


@wrong("Standardize", "keras-cannot-find-it")
class PlainAttributes(_Standardize):
    def build(self, input_shape):
        self.mean, self.variance = tf.zeros(input_shape[-1]), tf.ones(input_shape[-1])

    def remember(self, mean, variance):
        self.mean = self.momentum * self.mean + (1 - self.momentum) * mean
        self.variance = self.momentum * self.variance + (1 - self.momentum) * variance


@wrong("Standardize", "an-optimizer-moves-it")
class ForgetsTrainable(_Standardize):
    def build(self, input_shape):
        self.mean = self.add_weight(shape=input_shape[-1:], initializer="zeros")
        self.variance = self.add_weight(shape=input_shape[-1:], initializer="ones")


@wrong("Standardize", "other-start")
class VarianceOfZero(_Standardize):
    def build(self, input_shape):
        self.mean = self.add_weight(shape=input_shape[-1:], initializer="zeros", trainable=False)
        self.variance = self.add_weight(shape=input_shape[-1:], initializer="zeros", trainable=False)


@wrong("Standardize", "updates-in-use")
class IgnoresTraining(_Standardize):
    def call(self, inputs, mask=None, training=False):
        return super().call(inputs, mask, training=True)


@wrong("Standardize", "updates-in-use")
class RemembersAlways(_Standardize):
    def call(self, inputs, mask=None, training=False):
        mean, variance = self.of_batch(inputs, mask)
        self.remember(mean, variance)
        if training:
            return self.scaled(inputs, mean, variance)
        return self.scaled(inputs, self.mean, self.variance)


@wrong("Standardize", "never-updates")
class ForgetsToRemember(_Standardize):
    def remember(self, mean, variance):
        pass


@wrong("Standardize", "never-updates")
class ReplacesTheWeight(_Standardize):
    def remember(self, mean, variance):
        self.mean = self.momentum * self.mean + (1 - self.momentum) * mean
        self.variance = self.momentum * self.variance + (1 - self.momentum) * variance


@wrong("Standardize", "counts-padding")
class PlainMoments(_Standardize):
    def of_batch(self, inputs, mask):
        return ops.mean(inputs, axis=(0, 1)), ops.var(inputs, axis=(0, 1))


@wrong("Standardize", "counts-padding")
class SetsPaddingToZero(_Standardize):
    def of_batch(self, inputs, mask):
        kept = inputs if mask is None else inputs * ops.cast(mask, "float32")[..., None]
        return ops.mean(kept, axis=(0, 1)), ops.var(kept, axis=(0, 1))


@wrong("Standardize", "swaps-the-momentum")
class GivesTheBatchTheMomentum(_Standardize):
    def remember(self, mean, variance):
        for weight, new in ((self.mean, mean), (self.variance, variance)):
            weight.assign((1 - self.momentum) * weight + self.momentum * new)


@wrong("Standardize", "forgets-the-old")
class KeepsTheLastBatch(_Standardize):
    def remember(self, mean, variance):
        self.mean.assign(mean)
        self.variance.assign(variance)


@wrong("Standardize", "other-statistics")
class RemembersTheDeviation(_Standardize):
    def remember(self, mean, variance):
        super().remember(mean, ops.sqrt(variance))


@wrong("Standardize", "running-in-training")
class AlwaysTheRunningOnes(_Standardize):
    def call(self, inputs, mask=None, training=False):
        if training:
            self.remember(*self.of_batch(inputs, mask))
        return self.scaled(inputs, self.mean, self.variance)


@wrong("Standardize", "batch-in-use")
class AlwaysTheBatch(_Standardize):
    def call(self, inputs, mask=None, training=False):
        mean, variance = self.of_batch(inputs, mask)
        if training:
            self.remember(mean, variance)
        return self.scaled(inputs, mean, variance)


@wrong("Standardize", "other-output")
class DividesByTheVariance(_Standardize):
    def scaled(self, inputs, mean, variance):
        return (inputs - mean) / (variance + 1e-3)


class _Encoder(keras.layers.Layer):
    def __init__(self, widths, activation="relu", **kwargs):
        super().__init__(**kwargs)
        self.supports_masking = True
        self.widths, self.activation = list(widths), keras.activations.get(activation)
        self.keep([keras.layers.Dense(width) for width in widths])

    def keep(self, layers):
        self.blocks = layers

    def build(self, input_shape):
        for block, width in zip(self.blocks, self.widths, strict=True):
            block.build(input_shape)
            input_shape = (*input_shape[:-1], width)

    def call(self, inputs):
        for block in self.blocks:
            inputs = self.activation(block(inputs))
        return inputs

    def arguments(self):
        return {"widths": self.widths, "activation": keras.activations.serialize(self.activation)}

    def get_config(self):
        return {**super().get_config(), **self.arguments()}


@right("Encoder")
class HoldsADict(_Encoder):
    def keep(self, layers):
        self.named = {str(place): layer for place, layer in enumerate(layers)}
        self.blocks = tuple(layers)

    def arguments(self):
        return {"widths": tuple(self.widths), "activation": self.activation}


@right("Encoder")
class OneSequentialInside(keras.layers.Layer):
    def __init__(self, widths, activation="relu", **kwargs):
        super().__init__(**kwargs)
        self.supports_masking = True
        self.widths, self.name_of_activation = widths, activation
        self.inner = keras.Sequential([keras.layers.Dense(width, activation) for width in widths])

    def build(self, input_shape):
        self.inner.build(input_shape)

    def call(self, inputs):
        return self.inner(inputs)

    def get_config(self):
        config = super().get_config()
        config.update(widths=self.widths, activation=self.name_of_activation)
        return config


@right("Encoder")
class OfLayersWithTheBiasFirst(_Encoder):
    def keep(self, layers):
        self.blocks = [BiasFirst.value(layer.units) for layer in layers]


@right("Encoder")
class KeepsTheActivationAsGiven(_Encoder):
    def __init__(self, widths, activation="relu", **kwargs):
        super().__init__(widths, activation, **kwargs)
        self.given = activation

    def arguments(self):
        return {"widths": self.widths, "activation": self.given}


@wrong("Encoder", "builds-all-alike")
class BuildsAllForTheInputs(_Encoder):
    def build(self, input_shape):
        for block in self.blocks:
            block.build(input_shape)


@wrong("Encoder", "no-config")
class LeavesTheConfigToKeras(_Encoder):
    get_config = keras.layers.Layer.get_config


@wrong("Encoder", "config-lacks-an-argument")
class OnlyTheBaseConfig(_Encoder):
    def arguments(self):
        return {}


@wrong("Encoder", "config-has-too-much")
class PutsTheUnitsIn(_Encoder):
    def arguments(self):
        return {**super().arguments(), "units": self.widths[-1]}


@wrong("Encoder", "config-has-too-much")
class PutsTheLayersIn(_Encoder):
    def arguments(self):
        return {**super().arguments(), "blocks": self.blocks}


@wrong("Encoder", "keras-cannot-find-them")
class FillsTheListTooLate(_Encoder):
    def keep(self, layers):
        mine = []
        self.blocks, self.all_blocks = mine, lambda: mine
        mine.extend(layers)

    def build(self, input_shape):
        for block, width in zip(self.all_blocks(), self.widths, strict=True):
            block.build(input_shape)
            input_shape = (*input_shape[:-1], width)

    def call(self, inputs):
        for block in self.all_blocks():
            inputs = self.activation(block(inputs))
        return inputs


@wrong("Encoder", "keras-cannot-find-them")
class KeepsThemInAnObject(_Encoder):
    def keep(self, layers):
        self.parts = types.SimpleNamespace(blocks=layers)

    def __getattr__(self, name):
        return self.parts.blocks if name == "blocks" else super().__getattribute__(name)


@wrong("Encoder", "not-built")
class LeavesItToTheFirstCall(_Encoder):
    def build(self, input_shape):
        pass


@wrong("Encoder", "not-built")
class MarksItselfBuilt(_Encoder):
    def build(self, input_shape):
        self.built = True


@wrong("Encoder", "one-layer-again")
class OneLayerManyTimes(_Encoder):
    def keep(self, layers):
        self.blocks = layers[-1:]
        self.widths = self.widths[-1:]


@wrong("Encoder", "activation-missing")
class NoneAfterTheLast(_Encoder):
    def call(self, inputs):
        for block in self.blocks[:-1]:
            inputs = self.activation(block(inputs))
        return self.blocks[-1](inputs)


@wrong("Encoder", "activation-missing")
class OnlyAfterTheLast(_Encoder):
    def call(self, inputs):
        for block in self.blocks:
            inputs = block(inputs)
        return inputs if len(self.blocks) == 1 else self.activation(inputs)


@wrong("Encoder", "activation-lost")
class ForgetsTheActivation(_Encoder):
    def arguments(self):
        return {"widths": self.widths}


@wrong("Encoder", "name-lost")
class ForgetsTheBaseConfig(_Encoder):
    def get_config(self):
        return self.arguments()


@wrong("Encoder", "other-output")
class AlwaysRelu(_Encoder):
    def call(self, inputs):
        for block in self.blocks:
            inputs = ops.relu(block(inputs)) + 0.1
        return inputs


class _Penalty(keras.layers.Layer):
    def __init__(self, strength, **kwargs):
        super().__init__(**kwargs)
        self.strength = strength
        self.supports_masking = True

    def call(self, inputs, mask=None):
        real = ops.ones(ops.shape(inputs)[:2]) if mask is None else ops.cast(mask, "float32")
        self.add_loss(self.penalty(inputs, real[..., None]))
        return inputs

    def penalty(self, inputs, real):
        return self.strength * self.total(inputs, real) / ops.sum(real)

    def total(self, inputs, real):
        return ops.sum(ops.mean(inputs**2, axis=-1, keepdims=True) * real)


@right("ActivityPenalty")
class SelectsTheNumbers(_Penalty):
    def call(self, inputs, mask=None):
        heard = inputs if mask is None else tf.boolean_mask(inputs, mask)
        self.add_loss(self.strength * tf.reduce_mean(tf.square(heard)))
        return inputs


@right("ActivityPenalty")
class CountsTheNumbers(_Penalty):
    def penalty(self, inputs, real):
        everywhere = real * ops.ones_like(inputs)
        return self.strength * ops.sum(inputs**2 * everywhere) / ops.sum(everywhere)


@wrong("ActivityPenalty", "needs-a-mask")
class CastsTheMask(_Penalty):
    def call(self, inputs, mask=None):
        self.add_loss(self.penalty(inputs, ops.cast(mask, "float32")[..., None]))
        return inputs


@wrong("ActivityPenalty", "changes-the-inputs")
class ReturnsTheLoss(_Penalty):
    def call(self, inputs, mask=None):
        super().call(inputs, mask)
        return ops.mean(inputs**2)


@wrong("ActivityPenalty", "changes-the-inputs")
class AddsItToTheInputs(_Penalty):
    def call(self, inputs, mask=None):
        return inputs + self.strength * ops.mean(inputs**2)


@wrong("ActivityPenalty", "adds-nothing")
class KeepsItInAnAttribute(_Penalty):
    def call(self, inputs, mask=None):
        self.loss = self.strength * ops.mean(inputs**2)
        return inputs


@wrong("ActivityPenalty", "not-one-number")
class OneForEachSeries(_Penalty):
    def penalty(self, inputs, real):
        return self.strength * ops.mean(inputs**2 * real, axis=(1, 2))


@wrong("ActivityPenalty", "sums-up")
class SumsAll(_Penalty):
    def penalty(self, inputs, real):
        return self.strength * ops.sum(inputs**2 * real)


@wrong("ActivityPenalty", "sums-up")
class SumsTheFeatures(_Penalty):
    def penalty(self, inputs, real):
        return self.strength * ops.sum(inputs**2 * real) / ops.sum(real)


@wrong("ActivityPenalty", "counts-padding")
class PlainMeanSquare(_Penalty):
    def penalty(self, inputs, real):
        return self.strength * ops.mean(inputs**2)


@wrong("ActivityPenalty", "counts-padding")
class MeanOfWhatIsLeft(_Penalty):
    def penalty(self, inputs, real):
        return self.strength * ops.mean(inputs**2 * real)


@wrong("ActivityPenalty", "ignores-the-strength")
class ForgetsTheStrength(_Penalty):
    def penalty(self, inputs, real):
        return self.total(inputs, real) / ops.sum(real)


@wrong("ActivityPenalty", "other-loss")
class TakesTheSize(_Penalty):
    def total(self, inputs, real):
        return ops.sum(ops.mean(ops.abs(inputs), axis=-1, keepdims=True) * real)


@wrong("ActivityPenalty", "returns-nothing")
class ForgetsTheInputs(_Penalty):
    def call(self, inputs, mask=None):
        super().call(inputs, mask)


class _Attention(keras.layers.Layer):
    def __init__(self, units, **kwargs):
        super().__init__(**kwargs)
        self.units = units
        self.supports_masking = True

    def build(self, input_shape):
        self.kernel = self.add_weight(shape=(input_shape[-1], self.units))
        self.query = self.add_weight(shape=(self.units,))

    def scores(self, inputs):
        return ops.sum(ops.tanh(inputs @ self.kernel) * self.query, axis=-1)

    def attention(self, inputs, mask=None):
        scores = self.scores(inputs)
        return ops.softmax(scores if mask is None else self.masked(scores, mask), axis=-1)

    def masked(self, scores, mask):
        return ops.where(mask, scores, -1e9)

    def call(self, inputs, mask=None):
        return ops.einsum("bs,bsf->bf", self.attention(inputs, mask), inputs)

    def compute_mask(self, inputs, mask=None):
        return None


@right("AttentionPool")
class MadeOfDenseLayers(_Attention):
    def build(self, input_shape):
        self.hidden = keras.layers.Dense(self.units, "tanh", use_bias=False)
        self.score = keras.layers.Dense(1, use_bias=False)
        self.hidden.build(input_shape)
        self.score.build((*input_shape[:-1], self.units))

    def scores(self, inputs):
        return self.score(self.hidden(inputs))[..., 0]

    def call(self, inputs, mask=None):
        return tf.reduce_sum(self.attention(inputs, mask)[:, :, tf.newaxis] * inputs, axis=1)


@right("AttentionPool")
class SubtractsALot(_Attention):
    def masked(self, scores, mask):
        return scores + 1e9 * (tf.cast(mask, tf.float32) - 1)

    def call(self, inputs, mask=None):
        return ops.squeeze(ops.matmul(self.attention(inputs, mask)[:, None, :], inputs), axis=1)


@right("AttentionPool")
class DividesByHand(_Attention):
    def attention(self, inputs, mask=None):
        powers = tf.exp(tf.tensordot(tf.tanh(inputs @ self.kernel), self.query, axes=[[-1], [0]]))
        powers = powers if mask is None else powers * tf.cast(mask, tf.float32)
        return tf.math.divide_no_nan(powers, tf.reduce_sum(powers, axis=1, keepdims=True))


@wrong("AttentionPool", "returns-nothing")
class ForgetsTheSum(_Attention):
    def call(self, inputs, mask=None):
        ops.einsum("bs,bsf->bf", self.attention(inputs, mask), inputs)


@wrong("AttentionPool", "needs-a-mask")
class MasksAlways(_Attention):
    def attention(self, inputs, mask=None):
        return ops.softmax(self.scores(inputs) + 1e9 * (ops.cast(mask, "float32") - 1), axis=-1)


@wrong("AttentionPool", "leaves-the-graph")
class MasksInNumpy(_Attention):
    def masked(self, scores, mask):
        return tf.constant(np.where(mask.numpy(), scores.numpy(), -1e9).astype("float32"))


@wrong("AttentionPool", "leaves-the-graph")
class AsksWhetherAnyIsPadded(_Attention):
    def masked(self, scores, mask):
        return scores if np.all(mask) else ops.where(mask, scores, -1e9)


@wrong("AttentionPool", "makes-weights-in-call")
class QueryInCall(_Attention):
    def scores(self, inputs):
        query = self.add_weight(shape=(self.units,))
        return ops.sum(ops.tanh(inputs @ self.kernel) * query, axis=-1)


@wrong("AttentionPool", "shapes-do-not-meet")
class UnitsFirst(_Attention):
    def build(self, input_shape):
        self.kernel = self.add_weight(shape=(self.units, input_shape[-1]))
        self.query = self.add_weight(shape=(self.units,))


@wrong("AttentionPool", "other-weights")
class AddsABias(_Attention):
    def build(self, input_shape):
        super().build(input_shape)
        self.bias = self.add_weight(shape=(self.units,), initializer="zeros")


@wrong("AttentionPool", "other-weights")
class ScoresWithoutAQuery(_Attention):
    def build(self, input_shape):
        self.kernel = self.add_weight(shape=(input_shape[-1], self.units))

    def scores(self, inputs):
        return ops.sum(ops.tanh(inputs @ self.kernel), axis=-1)


@wrong("AttentionPool", "not-one-weight-for-each-step")
class KeepsTheUnits(_Attention):
    def attention(self, inputs, mask=None):
        scores = ops.tanh(inputs @ self.kernel) * self.query
        return ops.softmax(scores if mask is None else ops.where(mask[..., None], scores, -1e9), axis=1)

    def call(self, inputs, mask=None):
        return ops.sum(ops.sum(self.attention(inputs, mask), axis=-1, keepdims=True) * inputs, axis=1)


@wrong("AttentionPool", "softmax-over-the-batch")
class SoftmaxAlongTheFirstAxis(_Attention):
    def attention(self, inputs, mask=None):
        scores = self.scores(inputs)
        return ops.softmax(scores if mask is None else self.masked(scores, mask), axis=0)


@wrong("AttentionPool", "nan-without-real-steps")
class MinusInfinity(_Attention):
    def masked(self, scores, mask):
        return ops.where(mask, scores, -np.inf)


@wrong("AttentionPool", "nan-without-real-steps")
class DividesByNothing(_Attention):
    def attention(self, inputs, mask=None):
        powers = ops.exp(self.scores(inputs))
        powers = powers if mask is None else powers * ops.cast(mask, "float32")
        return powers / ops.sum(powers, axis=1, keepdims=True)


@wrong("AttentionPool", "ignores-the-mask")
class NeverMasks(_Attention):
    def masked(self, scores, mask):
        return scores


@wrong("AttentionPool", "masks-with-zero")
class MultipliesTheScores(_Attention):
    def masked(self, scores, mask):
        return scores * ops.cast(mask, "float32")


@wrong("AttentionPool", "masks-too-late")
class MultipliesTheWeights(_Attention):
    def attention(self, inputs, mask=None):
        weights = ops.softmax(self.scores(inputs), axis=-1)
        return weights if mask is None else weights * ops.cast(mask, "float32")


@wrong("AttentionPool", "no-tanh")
class LinearScores(_Attention):
    def scores(self, inputs):
        return ops.sum((inputs @ self.kernel) * self.query, axis=-1)


@wrong("AttentionPool", "other-attention")
class ReluInsteadOfTanh(_Attention):
    def scores(self, inputs):
        return ops.sum(ops.relu(inputs @ self.kernel) * self.query, axis=-1)


@wrong("AttentionPool", "not-the-sum")
class ForgetsToAddUp(_Attention):
    def call(self, inputs, mask=None):
        return self.attention(inputs, mask)[..., None] * inputs


@wrong("AttentionPool", "not-the-sum")
class AveragesTheWeighted(_Attention):
    def call(self, inputs, mask=None):
        return ops.mean(self.attention(inputs, mask)[..., None] * inputs, axis=1)


@wrong("AttentionPool", "mask-goes-on")
class PassesItOn(_Attention):
    def compute_mask(self, inputs, mask=None):
        return inputs if mask is None else mask
