"""Answers to this lab's exercises: right ones written otherwise, and wrong ones that people give."""

import copy

import keras
import numpy as np
import tensorflow as tf

from labs import right, wrong


@right("KeepBest")
class CopiesByHand(keras.callbacks.Callback):
    def on_train_begin(self, logs=None):
        self.best = None

    def on_epoch_end(self, epoch, logs=None):
        if self.best is None or logs["val_loss"] < self.best:
            self.best = logs["val_loss"]
            self.best_weights = [weight.numpy().copy() for weight in self.model.weights]

    def on_train_end(self, logs=None):
        for weight, value in zip(self.model.weights, self.best_weights, strict=True):
            weight.assign(value)


@right("KeepBest")
class RemembersAllEpochs(keras.callbacks.Callback):
    def on_train_begin(self, logs=None):
        self.epochs = []

    def on_epoch_end(self, epoch, logs=None):
        self.epochs.append((logs["val_loss"], copy.deepcopy(self.model.get_weights())))
        self.best, self.best_weights = min(self.epochs, key=lambda pair: pair[0])

    def on_train_end(self, logs=None):
        self.model.set_weights(self.best_weights)


class _Keeper(keras.callbacks.Callback):
    """The right callback in parts, so that each wrong answer below shows only what it does otherwise."""

    def on_train_begin(self, logs=None):
        self.best, self.best_weights = np.inf, None

    def on_epoch_end(self, epoch, logs=None):
        if self.better(logs):
            self.best, self.best_weights = logs["val_loss"], self.weights()

    def better(self, logs):
        return logs["val_loss"] < self.best

    def weights(self):
        return self.model.get_weights()

    def on_train_end(self, logs=None):
        self.model.set_weights(self.best_weights)


@wrong("KeepBest", "no-such-log")
class AsksForValidationLoss(_Keeper):
    def better(self, logs):
        return logs["validation_loss"] < self.best


@wrong("KeepBest", "nothing-to-compare")
class BeginsWithNothing(_Keeper):
    def on_train_begin(self, logs=None):
        self.best = self.best_weights = None


@wrong("KeepBest", "nothing-to-compare")
class ForgetsTheStart(_Keeper):
    def on_train_begin(self, logs=None):
        pass


@wrong("KeepBest", "nothing-kept")
class KeepsUnderOtherNames(keras.callbacks.Callback):
    def on_train_begin(self, logs=None):
        self.lowest, self.kept = np.inf, None

    def on_epoch_end(self, epoch, logs=None):
        if logs["val_loss"] < self.lowest:
            self.lowest, self.kept = logs["val_loss"], self.model.get_weights()

    def on_train_end(self, logs=None):
        self.model.set_weights(self.kept)


@wrong("KeepBest", "interferes")
class RestoresAtOnce(_Keeper):
    def on_epoch_end(self, epoch, logs=None):
        if self.better(logs):
            self.best, self.best_weights = logs["val_loss"], self.weights()
        else:
            self.model.set_weights(self.best_weights)


@wrong("KeepBest", "keeps-references")
class KeepsTheVariables(_Keeper):
    def weights(self):
        return self.model.weights

    def on_train_end(self, logs=None):
        for weight, value in zip(self.model.weights, self.best_weights, strict=True):
            weight.assign(value)


@wrong("KeepBest", "keeps-references")
class CopiesTheListOnly(_Keeper):
    def weights(self):
        return list(self.model.weights)

    def on_train_end(self, logs=None):
        self.model.set_weights([weight.numpy() for weight in self.best_weights])


@wrong("KeepBest", "never-restores")
class ForgetsToRestore(_Keeper):
    def on_train_end(self, logs=None):
        return self.best_weights


@wrong("KeepBest", "watches-training")
class WatchesTheTrainingLoss(_Keeper):
    def on_epoch_end(self, epoch, logs=None):
        if logs["loss"] < self.best:
            self.best, self.best_weights = logs["loss"], self.weights()


@wrong("KeepBest", "keeps-the-highest")
class TreatsItLikeAnAccuracy(_Keeper):
    def on_train_begin(self, logs=None):
        self.best, self.best_weights = -np.inf, None

    def better(self, logs):
        return logs["val_loss"] > self.best


@wrong("KeepBest", "compares-with-the-last")
class RemembersTheLastEpoch(_Keeper):
    def on_epoch_end(self, epoch, logs=None):
        if self.better(logs):
            self.best_weights = self.weights()
        self.best = logs["val_loss"]


@wrong("KeepBest", "takes-the-later")
class AcceptsEqual(_Keeper):
    def better(self, logs):
        return logs["val_loss"] <= self.best


@wrong("KeepBest", "remembers-an-earlier-fit")
class BeginsInInit(_Keeper):
    def __init__(self):
        super().__init__()
        self.best, self.best_weights = np.inf, None

    def on_train_begin(self, logs=None):
        pass


@wrong("KeepBest", "other-weights")
class ForgetsToMoveTheBest(_Keeper):
    def on_epoch_end(self, epoch, logs=None):
        if epoch == 0:
            self.best = logs["val_loss"]
        if logs["val_loss"] <= self.best:
            self.best_weights = self.weights()


@right("stops_at")
def counts_the_wait(values, patience, min_delta=0.0):
    best, best_epoch, wait = values[0], 1, 0
    for i in range(1, len(values)):
        wait += 1
        if best - values[i] > min_delta:
            best, best_epoch, wait = values[i], i + 1, 0
        if wait == patience:
            return i + 1, best_epoch
    return len(values), best_epoch


@wrong("stops_at", "one-number")
def returns_the_stop_only(values, patience, min_delta=0.0):
    best, at = np.inf, 0
    for epoch, value in enumerate(values, start=1):
        if value < best - min_delta:
            best, at = value, epoch
        elif epoch - at >= patience:
            return epoch
    return len(values)


@wrong("stops_at", "swaps-the-pair")
def best_first(values, patience, min_delta=0.0):
    return counts_the_wait.value(values, patience, min_delta)[::-1]


@wrong("stops_at", "counts-from-zero")
def counts_like_keras(values, patience, min_delta=0.0):
    best, at = np.inf, 0
    for epoch, value in enumerate(values):
        if value < best - min_delta:
            best, at = value, epoch
        elif epoch - at >= patience:
            return epoch, at
    return len(values) - 1, at


@wrong("stops_at", "never-stops")
def takes_the_lowest(values, patience, min_delta=0.0):
    return len(values), int(np.argmin(values)) + 1


@wrong("stops_at", "one-epoch-too-long")
def counts_after_asking(values, patience, min_delta=0.0):
    best, at, wait = np.inf, 0, 0
    for epoch, value in enumerate(values, start=1):
        if value < best - min_delta:
            best, at, wait = value, epoch, 0
        elif wait >= patience:
            return epoch, at
        else:
            wait += 1
    return len(values), at


@wrong("stops_at", "one-epoch-too-long")
def waits_for_more(values, patience, min_delta=0.0):
    best, at = np.inf, 0
    for epoch, value in enumerate(values, start=1):
        if value < best - min_delta:
            best, at = value, epoch
        elif epoch - at > patience:
            return epoch, at
    return len(values), at


@wrong("stops_at", "never-forgives")
def counts_all_bad_epochs(values, patience, min_delta=0.0):
    best, at, wait = np.inf, 0, 0
    for epoch, value in enumerate(values, start=1):
        if value < best - min_delta:
            best, at = value, epoch
        else:
            wait += 1
            if wait >= patience:
                return epoch, at
    return len(values), at


@wrong("stops_at", "compares-with-the-last")
def looks_one_epoch_back(values, patience, min_delta=0.0):
    at, wait = 1, 0
    for i in range(1, len(values)):
        if values[i] < values[i - 1] - min_delta:
            at, wait = i + 1, 0
        else:
            wait += 1
        if wait >= patience:
            return i + 1, at
    return len(values), at


@wrong("stops_at", "highest-is-best")
def looks_for_the_highest(values, patience, min_delta=0.0):
    best, at = -np.inf, 0
    for epoch, value in enumerate(values, start=1):
        if value > best + min_delta:
            best, at = value, epoch
        elif epoch - at >= patience:
            return epoch, at
    return len(values), at


@wrong("stops_at", "ignores-min-delta")
def any_improvement_counts(values, patience, min_delta=0.0):
    return counts_the_wait.value(values, patience)


@wrong("stops_at", "creeps")
def moves_the_best_always(values, patience, min_delta=0.0):
    best, at, wait = np.inf, 0, 0
    for epoch, value in enumerate(values, start=1):
        wait = 0 if value < best - min_delta else wait + 1
        if value < best:
            best, at = value, epoch
        if wait >= patience:
            return epoch, at
    return len(values), at


@wrong("stops_at", "other-epochs")
def compares_with_patience_epochs_ago(values, patience, min_delta=0.0):
    for i in range(patience, len(values)):
        if values[i] >= values[i - patience] - min_delta:
            return i + 1, int(np.argmin(values[: i + 1])) + 1
    return len(values), int(np.argmin(values)) + 1


def _stop(monitor="val_accuracy", mode="max", restore_best_weights=True, **options):
    return keras.callbacks.EarlyStopping(
        monitor, mode=mode, restore_best_weights=restore_best_weights, **options
    )


def _save(folder, name="best.keras", monitor="val_accuracy", mode="max", save_best_only=True, **options):
    return keras.callbacks.ModelCheckpoint(
        folder / name, monitor, mode=mode, save_best_only=save_best_only, **options
    )


@right("make_callbacks")
def lets_keras_find_the_direction(folder, patience):
    early = keras.callbacks.EarlyStopping(
        monitor="val_accuracy", patience=patience, restore_best_weights=True
    )
    return early, keras.callbacks.ModelCheckpoint(
        f"{folder}/best.keras", monitor="val_accuracy", save_best_only=True
    )


@right("make_callbacks")
def saves_first(folder, patience):
    return [_save(folder), _stop(patience=patience)]


@wrong("make_callbacks", "not-a-list")
def returns_one(folder, patience):
    return _stop(patience=patience)


@wrong("make_callbacks", "not-a-list")
def returns_classes(folder, patience):
    return [keras.callbacks.EarlyStopping, keras.callbacks.ModelCheckpoint]


@wrong("make_callbacks", "weights-for-a-model")
def saves_weights_only(folder, patience):
    return [_stop(patience=patience), _save(folder, save_weights_only=True)]


@wrong("make_callbacks", "names-no-metric")
def uses_the_old_name(folder, patience):
    return [_stop("val_acc", patience=patience), _save(folder, monitor="val_acc")]


@wrong("make_callbacks", "direction-unknown")
def leaves_an_unknown_name_to_keras(folder, patience):
    return [_stop("validation_accuracy", mode="auto", patience=patience), _save(folder)]


@wrong("make_callbacks", "direction-unknown")
def leaves_the_old_name_to_keras(folder, patience):
    return [_stop("val_acc", mode="auto", patience=patience), _save(folder, monitor="val_acc", mode="auto")]


@wrong("make_callbacks", "watches-the-loss")
def leaves_the_monitor_out(folder, patience):
    early = keras.callbacks.EarlyStopping(patience=patience, restore_best_weights=True)
    return [early, keras.callbacks.ModelCheckpoint(folder / "best.keras", save_best_only=True)]


@wrong("make_callbacks", "watches-training")
def watches_the_training_accuracy(folder, patience):
    return [_stop("accuracy", patience=patience), _save(folder, monitor="accuracy")]


@wrong("make_callbacks", "wrong-direction")
def lowers_the_accuracy(folder, patience):
    return [_stop(mode="min", patience=patience), _save(folder, mode="min")]


@wrong("make_callbacks", "never-stops")
def saves_only(folder, patience):
    return [_save(folder)]


@wrong("make_callbacks", "never-stops")
def saves_every_epoch_only(folder, patience):
    return [keras.callbacks.ModelCheckpoint(folder / "best.keras")]


@wrong("make_callbacks", "other-patience")
def forgets_patience(folder, patience):
    return [_stop(), _save(folder)]


@wrong("make_callbacks", "keeps-the-last-weights")
def forgets_to_restore_best(folder, patience):
    return [_stop(patience=patience, restore_best_weights=False), _save(folder)]


@wrong("make_callbacks", "no-file")
def stops_only(folder, patience):
    return [_stop(patience=patience)]


@wrong("make_callbacks", "no-file")
def names_the_file_otherwise(folder, patience):
    return [_stop(patience=patience), _save(folder, name="model.keras")]


@wrong("make_callbacks", "a-file-for-each")
def numbers_the_files(folder, patience):
    return [_stop(patience=patience), _save(folder, name="best-{epoch}.keras")]


@wrong("make_callbacks", "overwrites-the-best")
def saves_every_epoch(folder, patience):
    return [_stop(patience=patience), _save(folder, save_best_only=False)]


@wrong("make_callbacks", "file-of-another-epoch")
def saves_by_the_loss(folder, patience):
    return [_stop(patience=patience), _save(folder, monitor="val_loss", mode="min")]


@wrong("make_callbacks", "weights-of-another-epoch")
def adds_the_callback_of_before(folder, patience):
    return [_stop(patience=patience), _save(folder), CopiesByHand.value()]


@right("make_schedule")
def computes_a_table(peak, warmup, epochs):
    rising = np.linspace(0, peak, warmup + 2)[1:-1]
    falling = peak * (1 + np.cos(np.linspace(0, np.pi, epochs - warmup + 1))) / 2
    table = [*rising, *falling]
    return lambda epoch, rate: float(table[epoch])


@right("make_schedule")
def asks_keras_for_the_cosine(peak, warmup, epochs):
    cosine = keras.optimizers.schedules.CosineDecay(peak, epochs - warmup)

    def schedule(epoch, rate=None):
        return float(peak * (epoch + 1) / (warmup + 1) if epoch < warmup else cosine(epoch - warmup))

    return schedule


def _schedule(rise, fall):
    """Make an answer of its two formulas, so that each wrong one shows only what it does otherwise."""

    def make(peak, warmup, epochs):
        def schedule(epoch, rate):
            shape = rise(epoch, warmup) if epoch < warmup else fall(epoch, warmup, epochs)
            return float(peak * shape)

        return schedule

    return make


def _rise(epoch, warmup):
    return (epoch + 1) / (warmup + 1)


def _fall(epoch, warmup, epochs):
    return (1 + np.cos(np.pi * (epoch - warmup) / (epochs - warmup))) / 2


@wrong("make_schedule", "not-a-function")
def returns_the_first_rate(peak, warmup, epochs):
    return _schedule(_rise, _fall)(peak, warmup, epochs)(0, peak)


@wrong("make_schedule", "not-a-float")
def returns_a_tensor(peak, warmup, epochs):
    def schedule(epoch, rate):
        done = (epoch - warmup) / (epochs - warmup)
        return peak * (epoch + 1) / (warmup + 1) if epoch < warmup else peak * (1 + tf.cos(np.pi * done)) / 2

    return schedule


@wrong("make_schedule", "other-arguments")
def takes_three_arguments(peak, warmup, epochs):
    def schedule(epoch, rate, logs):
        return float(peak)

    return schedule


@wrong("make_schedule", "raises")
def forgets_a_times_sign(peak, warmup, epochs):
    def schedule(epoch, rate):
        rising = (epoch + 1) / (warmup + 1)
        return peak * rising if epoch < warmup else peak(_fall(epoch, warmup, epochs))

    return schedule


@wrong("make_schedule", "divides-by-zero")
def divides_by_the_warmup(peak, warmup, epochs):
    def schedule(epoch, rate):
        rising = (epoch + 1) / warmup
        return float(peak * min(rising, _fall(max(epoch, warmup), warmup, epochs)))

    return schedule


@wrong("make_schedule", "starts-at-zero")
def forgets_that_epochs_begin_at_zero(peak, warmup, epochs):
    return _schedule(lambda epoch, warmup: epoch / warmup, _fall)(peak, warmup, epochs)


@wrong("make_schedule", "compounds")
def scales_the_current_rate(peak, warmup, epochs):
    def schedule(epoch, rate):
        return float(rate * (_rise(epoch, warmup) if epoch < warmup else _fall(epoch, warmup, epochs)))

    return schedule


@wrong("make_schedule", "peak-too-early")
def arrives_an_epoch_early(peak, warmup, epochs):
    return _schedule(lambda epoch, warmup: (epoch + 1) / warmup, _fall)(peak, warmup, epochs)


@wrong("make_schedule", "never-warms-up")
def forgets_the_warmup(peak, warmup, epochs):
    return _schedule(lambda epoch, warmup: 1.0, _fall)(peak, warmup, epochs)


@wrong("make_schedule", "cosine-from-the-start")
def counts_the_fall_from_epoch_zero(peak, warmup, epochs):
    return _schedule(_rise, lambda epoch, warmup, epochs: (1 + np.cos(np.pi * epoch / epochs)) / 2)(
        peak, warmup, epochs
    )


@wrong("make_schedule", "falls-in-a-line")
def forgets_the_cosine(peak, warmup, epochs):
    return _schedule(_rise, lambda epoch, warmup, epochs: 1 - (epoch - warmup) / (epochs - warmup))(
        peak, warmup, epochs
    )


@wrong("make_schedule", "forgets-half")
def takes_the_bare_cosine(peak, warmup, epochs):
    return _schedule(_rise, lambda *places: 2 * _fall(*places) - 1)(peak, warmup, epochs)


@wrong("make_schedule", "forgets-pi")
def takes_the_cosine_of_a_share(peak, warmup, epochs):
    return _schedule(
        _rise, lambda epoch, warmup, epochs: (1 + np.cos((epoch - warmup) / (epochs - warmup))) / 2
    )(peak, warmup, epochs)


@wrong("make_schedule", "other-rates")
def reaches_zero_in_the_last_epoch(peak, warmup, epochs):
    return _schedule(
        _rise,
        lambda epoch, warmup, epochs: (1 + np.cos(np.pi * (epoch - warmup) / (epochs - warmup - 1))) / 2,
    )(peak, warmup, epochs)


class _Watch(keras.callbacks.Callback):
    """The right callback in parts, so that each wrong answer below shows only what it does otherwise."""

    def on_train_begin(self, logs=None):
        self.found = None

    def on_epoch_begin(self, epoch, logs=None):
        self.epoch = epoch

    def on_train_batch_end(self, batch, logs=None):
        metric, layer = self.metric(logs), self.layer()
        if metric or layer:
            self.found = {"epoch": self.epoch, "batch": batch, "metric": metric, "layer": layer}
            self.stop()

    def fine(self, numbers):
        return bool(np.isfinite(numbers).all())

    def metric(self, logs):
        return next((name for name, value in logs.items() if not self.fine(value)), None)

    def layer(self):
        for layer in self.model.layers:
            if not all(self.fine(weight) for weight in layer.get_weights()):
                return layer.name
        return None

    def stop(self):
        self.model.stop_training = True


@right("StopOnNaN")
class AsksTensorFlow(_Watch):
    def fine(self, numbers):
        return bool(tf.reduce_all(tf.math.is_finite(tf.constant(numbers, tf.float32))))


@right("StopOnNaN")
class AddsUp(keras.callbacks.Callback):
    def on_train_begin(self, logs=None):
        self.found = None

    def on_epoch_begin(self, epoch, logs=None):
        self.epoch = epoch

    def on_train_batch_end(self, batch, logs=None):
        bad_logs = [name for name in logs if np.isnan(logs[name]) or np.isinf(logs[name])]
        bad_layers = [
            layer.name
            for layer in self.model.layers
            if any(not np.isfinite(np.sum(np.abs(weight))) for weight in layer.get_weights())
        ]
        if bad_logs + bad_layers:
            self.model.stop_training = True
            self.found = dict(epoch=self.epoch, batch=batch, metric=None, layer=None)
            if bad_logs:
                self.found["metric"] = bad_logs[0]
            if bad_layers:
                self.found["layer"] = bad_layers[0]


@wrong("StopOnNaN", "asks-a-whole-array")
class AsksTheArray(_Watch):
    def fine(self, numbers):
        return not np.isnan(numbers) and not np.isinf(numbers)


@wrong("StopOnNaN", "raises-instead")
class Raises(_Watch):
    def stop(self):
        raise RuntimeError(f"not finite: {self.found}")


@wrong("StopOnNaN", "not-a-note")
class NotesTheMetricOnly(_Watch):
    def stop(self):
        self.found = self.found["metric"] or self.found["layer"]
        self.model.stop_training = True


@wrong("StopOnNaN", "cries-wolf")
class NotesEveryBatch(_Watch):
    def on_train_batch_end(self, batch, logs=None):
        self.found = {"epoch": self.epoch, "batch": batch, "metric": self.metric(logs), "layer": self.layer()}
        if self.found["metric"] or self.found["layer"]:
            self.stop()


@wrong("StopOnNaN", "finds-nothing")
class ComparesWithNaN(_Watch):
    def fine(self, numbers):
        return not np.any(np.asarray(numbers) == np.nan)


@wrong("StopOnNaN", "misses-infinity")
class AsksForNaNOnly(_Watch):
    def fine(self, numbers):
        return not np.isnan(numbers).any()


@wrong("StopOnNaN", "misses-infinity")
class AsksWeightsForNaNOnly(_Watch):
    def layer(self):
        broken = (
            layer.name for layer in self.model.layers if any(np.isnan(w).any() for w in layer.get_weights())
        )
        return next(broken, None)


@wrong("StopOnNaN", "notes-one-only")
class ReturnsAtTheFirstMetric(_Watch):
    def on_train_batch_end(self, batch, logs=None):
        for name, value in logs.items():
            if not np.isfinite(value):
                self.found = {"epoch": self.epoch, "batch": batch, "metric": name, "layer": None}
                return self.stop()
        super().on_train_batch_end(batch, {})


@wrong("StopOnNaN", "notes-one-only")
class LooksAtLayersFirst(_Watch):
    def on_train_batch_end(self, batch, logs=None):
        layer = self.layer()
        if layer:
            self.found = {"epoch": self.epoch, "batch": batch, "metric": None, "layer": layer}
            self.stop()
        elif self.metric(logs):
            super().on_train_batch_end(batch, logs)


@wrong("StopOnNaN", "watches-the-loss-only")
class LooksAtTheLoss(_Watch):
    def metric(self, logs):
        return None if self.fine(logs["loss"]) else "loss"


@wrong("StopOnNaN", "watches-the-loss-only")
class CallsEverythingLoss(_Watch):
    def metric(self, logs):
        return None if all(map(self.fine, logs.values())) else "loss"


@wrong("StopOnNaN", "misses-the-weights")
class LooksAtTheLogsOnly(_Watch):
    def layer(self):
        return None


@wrong("StopOnNaN", "misses-the-weights")
class LooksAtWeightsAfterwards(_Watch):
    def on_train_batch_end(self, batch, logs=None):
        if self.metric(logs):
            super().on_train_batch_end(batch, logs)


@wrong("StopOnNaN", "names-another-layer")
class NamesTheLastLayer(_Watch):
    def layer(self):
        broken = [layer.name for layer in self.model.layers if not all(map(self.fine, layer.get_weights()))]
        return broken[-1] if broken else None


@wrong("StopOnNaN", "counts-from-one")
class CountsForPeople(_Watch):
    def on_train_batch_end(self, batch, logs=None):
        super().on_train_batch_end(batch + 1, logs)


@wrong("StopOnNaN", "other-place")
class CountsBatchesItself(_Watch):
    def on_train_begin(self, logs=None):
        self.found, self.seen = None, -1

    def on_train_batch_end(self, batch, logs=None):
        self.seen += 1
        super().on_train_batch_end(self.seen, logs)


@wrong("StopOnNaN", "goes-on")
class NotesTheFirstAndGoesOn(_Watch):
    def on_train_batch_end(self, batch, logs=None):
        if self.found is None:
            super().on_train_batch_end(batch, logs)

    def stop(self):
        pass


@wrong("StopOnNaN", "goes-on")
class StopsTheCallback(NotesTheFirstAndGoesOn.value):
    def stop(self):
        self.stop_training = True


@wrong("StopOnNaN", "later-replaces-first")
class NotesAndGoesOn(_Watch):
    def stop(self):
        pass
