"""Answers to this lab's exercises: right ones written otherwise, and wrong ones that people give."""

import math

import keras
import numpy as np
import tensorflow as tf

from labs import right, wrong


@right("use_gpus")
def tries_all_at_once(config):
    gpus = config.list_physical_devices("GPU")
    if not gpus:
        return "/CPU:0"
    try:
        for gpu in gpus:
            config.experimental.set_memory_growth(gpu, True)
    except RuntimeError as error:
        config.reason = str(error)
    return "/device:GPU:0"


@right("use_gpus")
def sorts_the_devices_itself(config):
    kinds = {"CPU"}
    for device in config.list_physical_devices():
        if device.device_type != "GPU":
            continue
        kinds.add("GPU")
        try:
            config.experimental.set_memory_growth(device, enable=True)
        except RuntimeError:
            continue
    return f"{max(kinds)}:0"


@wrong("use_gpus", "no-gpu-no-answer")
def takes_the_first(config):
    gpu = config.list_physical_devices("GPU")[0]
    config.experimental.set_memory_growth(gpu, True)
    return "GPU:0"


@wrong("use_gpus", "grows-on-the-cpu")
def asks_every_device(config):
    for device in config.list_physical_devices():
        config.experimental.set_memory_growth(device, True)
    return "GPU:0" if config.list_physical_devices("GPU") else "CPU:0"


@wrong("use_gpus", "names-not-devices")
def hands_over_the_name(config):
    gpus = config.list_physical_devices("GPU")
    for gpu in gpus:
        config.experimental.set_memory_growth(gpu.name, True)
    return "GPU:0" if gpus else "CPU:0"


@wrong("use_gpus", "names-not-devices")
def hands_over_the_list(config):
    gpus = config.list_physical_devices("GPU")
    if gpus:
        config.experimental.set_memory_growth(gpus, True)
        return "GPU:0"
    return "CPU:0"


@wrong("use_gpus", "initialises-first")
def looks_at_logical_devices(config):
    if not config.list_logical_devices("GPU"):
        return "CPU:0"
    for gpu in config.list_physical_devices("GPU"):
        config.experimental.set_memory_growth(gpu, True)
    return "GPU:0"


@wrong("use_gpus", "initialises-first")
def looks_and_forgives(config):
    found = len(config.list_logical_devices("GPU"))
    for gpu in config.list_physical_devices("GPU"):
        try:
            config.experimental.set_memory_growth(gpu, True)
        except RuntimeError:
            continue
    return "GPU:0" if found else "CPU:0"


@wrong("use_gpus", "stops-when-late")
def copies_from_the_web(config):
    gpus = config.list_physical_devices("GPU")
    for gpu in gpus:
        config.experimental.set_memory_growth(gpu, True)
    return "GPU:0" if gpus else "CPU:0"


@wrong("use_gpus", "no-growth")
def forgets_the_growth(config):
    return "GPU:0" if config.list_physical_devices("GPU") else "CPU:0"


@wrong("use_gpus", "no-growth")
def switches_it_off(config):
    gpus = config.list_physical_devices("GPU")
    for gpu in gpus:
        try:
            config.experimental.set_memory_growth(gpu, False)
        except RuntimeError:
            continue
    return "GPU:0" if gpus else "CPU:0"


@wrong("use_gpus", "only-some")
def returns_in_the_loop(config):
    for gpu in config.list_physical_devices("GPU"):
        try:
            config.experimental.set_memory_growth(gpu, True)
        except RuntimeError:
            continue
        return "GPU:0"
    return "CPU:0"


@wrong("use_gpus", "gives-up-when-late")
def falls_back_to_the_cpu(config):
    gpus = config.list_physical_devices("GPU")
    try:
        for gpu in gpus:
            config.experimental.set_memory_growth(gpu, True)
    except RuntimeError:
        return "CPU:0"
    return "GPU:0" if gpus else "CPU:0"


@wrong("use_gpus", "other-device")
def always_says_gpu(config):
    for gpu in config.list_physical_devices("GPU"):
        try:
            config.experimental.set_memory_growth(gpu, True)
        except RuntimeError:
            continue
    return "GPU:0"


@wrong("use_gpus", "other-device")
def gives_the_physical_name(config):
    gpus = config.list_physical_devices("GPU")
    for gpu in gpus:
        try:
            config.experimental.set_memory_growth(gpu, True)
        except RuntimeError:
            continue
    return gpus[0].name if gpus else "CPU:0"


@right("seconds_per_call")
def waits_every_time(f, wait, clock, calls):
    wait(f())
    total = 0.0
    for _ in range(calls):
        begin = clock()
        wait(f())
        total += clock() - begin
    return total / calls


@right("seconds_per_call")
def keeps_all_results(f, wait, clock, calls):
    first = f()
    wait(first)
    begin = clock()
    results = [f() for _ in range(calls)]
    for result in results:
        wait(result)
    end = clock()
    return (end - begin) / len(results)


@right("seconds_per_call")
def takes_the_median(f, wait, clock, calls):
    seconds = []
    for _ in range(calls + 1):
        begin = clock()
        wait(f())
        seconds.append(clock() - begin)
    return float(np.median(seconds[1:]))


@wrong("seconds_per_call", "waits-for-no-result")
def waits_for_the_function(f, wait, clock, calls):
    wait(f())
    begin = clock()
    for _ in range(calls):
        f()
    wait(f)
    return (clock() - begin) / calls


@wrong("seconds_per_call", "number-of-calls")
def forgets_the_loop(f, wait, clock, calls):
    wait(f())
    begin = clock()
    wait(f())
    return (clock() - begin) / calls


@wrong("seconds_per_call", "number-of-calls")
def times_the_first_only(f, wait, clock, calls):
    begin = clock()
    wait(f())
    return clock() - begin


@wrong("seconds_per_call", "counts-the-first-call")
def no_warm_up(f, wait, clock, calls):
    begin = clock()
    for _ in range(calls):
        wait(f())
    return (clock() - begin) / calls


@wrong("seconds_per_call", "counts-the-first-call")
def warms_up_after_the_clock(f, wait, clock, calls):
    begin = clock()
    wait(f())
    for _ in range(calls):
        result = f()
    wait(result)
    return (clock() - begin) / calls


@wrong("seconds_per_call", "measures-asking")
def never_waits_at_the_end(f, wait, clock, calls):
    wait(f())
    begin = clock()
    for _ in range(calls):
        f()
    return (clock() - begin) / calls


@wrong("seconds_per_call", "measures-asking")
def waits_too_late(f, wait, clock, calls):
    wait(f())
    begin = clock()
    for _ in range(calls):
        result = f()
    end = clock()
    wait(result)
    return (end - begin) / calls


@wrong("seconds_per_call", "first-call-still-running")
def warms_up_without_waiting(f, wait, clock, calls):
    f()
    begin = clock()
    for _ in range(calls):
        result = f()
    wait(result)
    return (clock() - begin) / calls


@wrong("seconds_per_call", "gives-the-total")
def forgets_to_divide(f, wait, clock, calls):
    wait(f())
    begin = clock()
    for _ in range(calls):
        result = f()
    wait(result)
    return clock() - begin


@wrong("seconds_per_call", "divides-by-another-number")
def counts_the_first_in(f, wait, clock, calls):
    wait(f())
    begin = clock()
    for _ in range(calls):
        result = f()
    wait(result)
    return (clock() - begin) / (calls + 1)


@wrong("seconds_per_call", "other-seconds")
def gives_milliseconds(f, wait, clock, calls):
    wait(f())
    begin = clock()
    for _ in range(calls):
        result = f()
    wait(result)
    return 1000 * (clock() - begin) / calls


@right("predict_seconds")
def part_by_part(device, job):
    seconds = sum([device["start"]] * job["operations"])
    seconds += job["copied"] / device["link_bytes_per_s"]
    arithmetic = job["flops"] / device["flops_per_s"]
    memory = job["bytes"] / device["bytes_per_s"]
    return seconds + (arithmetic if arithmetic > memory else memory)


@right("predict_seconds")
def by_the_roofline(device, job):
    intensity = job["flops"] / job["bytes"] if job["bytes"] else math.inf
    rate = min(device["flops_per_s"], intensity * device["bytes_per_s"])
    copies = job["copied"] / device["link_bytes_per_s"]
    return np.float64(device["start"] * job["operations"] + copies + job["flops"] / rate)


@wrong("predict_seconds", "other-names")
def asks_the_wrong_dict(device, job):
    return job["start"] + job["flops"] / device["flops_per_s"]


def _predict(device, job, work=max, starts=None, copies=None):
    starts = job["operations"] * device["start"] if starts is None else starts
    copies = job["copied"] / device["link_bytes_per_s"] if copies is None else copies
    return starts + copies + work(job["flops"] / device["flops_per_s"], job["bytes"] / device["bytes_per_s"])


@wrong("predict_seconds", "multiplies-rates")
def multiplies_everything(device, job):
    work = max(job["flops"] * device["flops_per_s"], job["bytes"] * device["bytes_per_s"])
    return job["operations"] * device["start"] + job["copied"] * device["link_bytes_per_s"] + work


@wrong("predict_seconds", "multiplies-rates")
def multiplies_the_copies(device, job):
    return _predict(device, job, copies=job["copied"] * device["link_bytes_per_s"])


@wrong("predict_seconds", "one-start")
def starts_once(device, job):
    return _predict(device, job, starts=device["start"])


@wrong("predict_seconds", "one-start")
def never_starts(device, job):
    return _predict(device, job, starts=0)


@wrong("predict_seconds", "forgets-the-copies")
def copies_for_nothing(device, job):
    return _predict(device, job, copies=0)


@wrong("predict_seconds", "copies-inside")
def copies_at_the_speed_of_memory(device, job):
    return _predict(device, job, copies=job["copied"] / device["bytes_per_s"])


@wrong("predict_seconds", "adds-memory-and-arithmetic")
def adds_everything(device, job):
    return _predict(device, job, work=lambda arithmetic, memory: arithmetic + memory)


@wrong("predict_seconds", "takes-the-faster")
def takes_the_minimum(device, job):
    return _predict(device, job, work=min)


@wrong("predict_seconds", "overlaps-everything")
def one_large_maximum(device, job):
    copies = job["copied"] / device["link_bytes_per_s"]
    work = max(job["flops"] / device["flops_per_s"], job["bytes"] / device["bytes_per_s"])
    return max(job["operations"] * device["start"], copies, work)


@wrong("predict_seconds", "overlaps-everything")
def copies_beside_the_work(device, job):
    copies = job["copied"] / device["link_bytes_per_s"]
    work = max(job["flops"] / device["flops_per_s"], job["bytes"] / device["bytes_per_s"])
    return job["operations"] * device["start"] + max(copies, work)


@wrong("predict_seconds", "other-prediction")
def in_milliseconds(device, job):
    return 1000 * _predict(device, job)


@right("diagnose")
def with_conditions(input_seconds, step_seconds, prefetch, faster):
    short = step_seconds / faster
    if not prefetch:
        seconds = input_seconds + step_seconds
        waiting = input_seconds / seconds
        return {"seconds": seconds, "waiting": waiting, "gain": seconds / (input_seconds + short)}
    if input_seconds <= step_seconds:
        return {"seconds": step_seconds, "waiting": 0.0, "gain": step_seconds / max(input_seconds, short)}
    return {"seconds": input_seconds, "waiting": (input_seconds - step_seconds) / input_seconds, "gain": 1}


@right("diagnose")
def with_numpy(input_seconds, step_seconds, prefetch, faster):
    together = np.maximum if prefetch else np.add
    now, then = (together(input_seconds, step) for step in (step_seconds, step_seconds / faster))
    return {"waiting": (now - step_seconds) / now, "gain": now / then, "seconds": now}


def _diagnosed(input_seconds, step_seconds, prefetch, faster):
    together = max if prefetch else (lambda *both: sum(both))
    now, then = (together(input_seconds, step) for step in (step_seconds, step_seconds / faster))
    return {"seconds": now, "waiting": 1 - step_seconds / now, "gain": now / then}


@wrong("diagnose", "other-keys")
def returns_three_numbers(input_seconds, step_seconds, prefetch, faster):
    return tuple(_diagnosed(input_seconds, step_seconds, prefetch, faster).values())


@wrong("diagnose", "never-overlaps")
def always_adds(input_seconds, step_seconds, prefetch, faster):
    return _diagnosed(input_seconds, step_seconds, False, faster)


@wrong("diagnose", "always-overlaps")
def never_adds(input_seconds, step_seconds, prefetch, faster):
    return _diagnosed(input_seconds, step_seconds, True, faster)


@wrong("diagnose", "takes-the-shorter")
def takes_the_minimum_of_both(input_seconds, step_seconds, prefetch, faster):
    together = min if prefetch else (lambda *both: sum(both))
    now, then = (together(input_seconds, step) for step in (step_seconds, step_seconds / faster))
    return {"seconds": now, "waiting": 1 - step_seconds / now, "gain": now / then}


@wrong("diagnose", "waiting-in-seconds")
def forgets_to_divide_the_waiting(input_seconds, step_seconds, prefetch, faster):
    found = _diagnosed(input_seconds, step_seconds, prefetch, faster)
    return {**found, "waiting": found["seconds"] - step_seconds}


@wrong("diagnose", "waits-for-all-input")
def counts_hidden_input(input_seconds, step_seconds, prefetch, faster):
    found = _diagnosed(input_seconds, step_seconds, prefetch, faster)
    return {**found, "waiting": input_seconds / found["seconds"]}


@wrong("diagnose", "share-of-work")
def gives_the_share_of_steps(input_seconds, step_seconds, prefetch, faster):
    found = _diagnosed(input_seconds, step_seconds, prefetch, faster)
    return {**found, "waiting": step_seconds / found["seconds"]}


@wrong("diagnose", "gains-the-whole")
def believes_the_data_sheet(input_seconds, step_seconds, prefetch, faster):
    return {**_diagnosed(input_seconds, step_seconds, prefetch, faster), "gain": faster}


@wrong("diagnose", "gain-upside-down")
def divides_new_by_old(input_seconds, step_seconds, prefetch, faster):
    found = _diagnosed(input_seconds, step_seconds, prefetch, faster)
    return {**found, "gain": 1 / found["gain"]}


@wrong("diagnose", "speeds-up-the-input")
def a_faster_input(input_seconds, step_seconds, prefetch, faster):
    found = _diagnosed(input_seconds, step_seconds, prefetch, faster)
    then = _diagnosed(input_seconds / faster, step_seconds, prefetch, faster)["seconds"]
    return {**found, "gain": found["seconds"] / then}


@wrong("diagnose", "other-numbers")
def gives_what_is_saved(input_seconds, step_seconds, prefetch, faster):
    found = _diagnosed(input_seconds, step_seconds, prefetch, faster)
    return {**found, "gain": 1 - 1 / found["gain"]}


@right("make_classifier")
def functional(policy, classes):
    inputs = keras.Input((28, 28, 1))
    rows = keras.layers.Reshape((784,))(inputs)
    hidden = keras.layers.Dense(64, dtype=keras.DTypePolicy(policy))(rows)
    hidden = keras.layers.ReLU(dtype=policy)(hidden)
    logits = keras.layers.Dense(classes, dtype=policy)(hidden)
    return keras.Model(inputs, keras.layers.Activation("linear", dtype="float32")(logits))


@right("make_classifier")
def sets_and_resets(policy, classes):
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy(policy)
    try:
        model = keras.Sequential([keras.Input((28, 28, 1)), keras.layers.Flatten()])
        model.add(keras.layers.Dense(64, "relu"))
        model.add(keras.layers.Dense(classes, dtype="float32"))
    finally:
        keras.config.set_dtype_policy(before)
    return model


def _classifier(policy, classes, units=64, activation="relu", last=None, last_dtype="float32"):
    model = keras.Sequential([keras.Input((28, 28, 1)), keras.layers.Flatten()])
    model.add(keras.layers.Dense(units, activation=activation, dtype=policy))
    model.add(keras.layers.Dense(classes, activation=last, dtype=last_dtype))
    return model


@wrong("make_classifier", "no-model")
def forgets_the_input(policy, classes):
    return keras.Sequential(
        [
            keras.layers.Flatten(),
            keras.layers.Dense(64, activation="relu", dtype=policy),
            keras.layers.Dense(classes, dtype="float32"),
        ]
    )


@wrong("make_classifier", "other-shape")
def forgets_to_flatten(policy, classes):
    model = keras.Sequential([keras.Input((28, 28, 1))])
    model.add(keras.layers.Dense(64, activation="relu", dtype=policy))
    model.add(keras.layers.Dense(classes, dtype="float32"))
    return model


@wrong("make_classifier", "changes-the-global-policy")
def sets_the_policy_for_all(policy, classes):
    keras.config.set_dtype_policy(policy)
    model = keras.Sequential([keras.Input((28, 28, 1)), keras.layers.Flatten()])
    model.add(keras.layers.Dense(64, activation="relu"))
    model.add(keras.layers.Dense(classes, dtype="float32"))
    return model


@wrong("make_classifier", "weights-in-16-bits")
def pure_16_bits(policy, classes):
    return _classifier(policy.removeprefix("mixed_"), classes)


@wrong("make_classifier", "computes-in-float32")
def ignores_the_argument(policy, classes):
    return _classifier("float32", classes)


@wrong("make_classifier", "computes-in-float32")
def casts_the_input(policy, classes):
    inputs = keras.Input((28, 28, 1))
    rows = keras.layers.Flatten()(inputs)
    rows = keras.ops.cast(rows, policy.removeprefix("mixed_"))
    hidden = keras.layers.Dense(64, activation="relu")(rows)
    return keras.Model(inputs, keras.layers.Dense(classes)(hidden))


@wrong("make_classifier", "ignores-the-policy")
def always_bfloat16(policy, classes):
    return _classifier("mixed_bfloat16", classes)


@wrong("make_classifier", "output-in-16-bits")
def policy_everywhere(policy, classes):
    return _classifier(policy, classes, last_dtype=policy)


@wrong("make_classifier", "gives-probabilities")
def with_softmax(policy, classes):
    return _classifier(policy, classes, last="softmax")


@wrong("make_classifier", "other-hidden-layer")
def forgets_relu(policy, classes):
    return _classifier(policy, classes, activation=None)


@wrong("make_classifier", "other-hidden-layer")
def more_units(policy, classes):
    return _classifier(policy, classes, units=128)


class _Scale:
    """The rule in parts, so that each wrong answer below shows only what it does otherwise."""

    def __init__(self, value=2.0**15, growth_steps=2000):
        self.value, self.growth_steps, self.good_steps = value, growth_steps, 0

    def unscale(self, gradients):
        if not self.finite(gradients):
            return self.overflow()
        unscaled = self.divide(gradients)
        self.grow()
        return unscaled

    def finite(self, gradients):
        return all(np.isfinite(gradient).all() for gradient in gradients)

    def overflow(self):
        self.value, self.good_steps = self.value / 2, 0

    def divide(self, gradients):
        return [gradient.astype("float32") / self.value for gradient in gradients]

    def grow(self):
        self.good_steps += 1
        if self.good_steps == self.growth_steps:
            self.value, self.good_steps = 2 * self.value, 0


@right("LossScale")
class WithTensors:
    def __init__(self, value=2.0**15, growth_steps=2000):
        self.value, self.growth_steps, self.good = tf.constant(value), growth_steps, 0

    def unscale(self, gradients):
        scale = self.value
        unscaled = [tf.cast(gradient, tf.float32) / scale for gradient in gradients]
        if not all(bool(tf.reduce_all(tf.math.is_finite(gradient))) for gradient in unscaled):
            self.value, self.good = scale * 0.5, 0
            return None
        self.good = (self.good + 1) % self.growth_steps
        if self.good == 0:
            self.value = scale * 2
        return unscaled


@right("LossScale")
class CountsDown:
    def __init__(self, value=2.0**15, growth_steps=2000):
        self.value, self.growth_steps, self.left = value, growth_steps, growth_steps

    def unscale(self, gradients):
        factor = np.float32(1 / self.value)
        for gradient in gradients:
            if np.isnan(gradient).any() or np.isinf(gradient).any():
                self.value /= 2
                self.left = self.growth_steps
                return None
        self.left -= 1
        if not self.left:
            self.value *= 2
            self.left = self.growth_steps
        return [np.float32(gradient) * factor for gradient in gradients]


@wrong("LossScale", "lets-infinity-through")
class NeverLooks(_Scale):
    def finite(self, gradients):
        return True


@wrong("LossScale", "lets-infinity-through")
class LooksForInfOnly(_Scale):
    def finite(self, gradients):
        return not any(np.isinf(gradient).any() for gradient in gradients)


@wrong("LossScale", "lets-infinity-through")
class LooksAtTheFirst(_Scale):
    def finite(self, gradients):
        return np.isfinite(gradients[0]).all()


@wrong("LossScale", "skips-good-steps")
class ForgetsToReturn(_Scale):
    def unscale(self, gradients):
        super().unscale(gradients)


@wrong("LossScale", "still-float16")
class DividesOnly(_Scale):
    def divide(self, gradients):
        return [gradient / self.value for gradient in gradients]


@wrong("LossScale", "vanishes-before-the-cast")
class CastsAfterwards(_Scale):
    def divide(self, gradients):
        return [(gradient / self.value).astype("float32") for gradient in gradients]


@wrong("LossScale", "not-unscaled")
class CastsOnly(_Scale):
    def divide(self, gradients):
        return [gradient.astype("float32") for gradient in gradients]


@wrong("LossScale", "scales-twice")
class Multiplies(_Scale):
    def divide(self, gradients):
        return [gradient.astype("float32") * self.value for gradient in gradients]


@wrong("LossScale", "unscales-by-the-new-value")
class GrowsFirst(_Scale):
    def unscale(self, gradients):
        if not self.finite(gradients):
            return self.overflow()
        self.grow()
        return self.divide(gradients)


@wrong("LossScale", "other-dtype")
class ComputesMoreExactly(_Scale):
    def divide(self, gradients):
        return [gradient.astype(float) / self.value for gradient in gradients]


@wrong("LossScale", "never-halves")
class SkipsOnly(_Scale):
    def overflow(self):
        self.good_steps = 0


@wrong("LossScale", "never-doubles")
class OnlyShrinks(_Scale):
    def grow(self):
        self.good_steps += 1


@wrong("LossScale", "counts-one-off")
class DoublesALittleLate(_Scale):
    def grow(self):
        self.good_steps += 1
        if self.good_steps > self.growth_steps:
            self.value, self.good_steps = 2 * self.value, 0


@wrong("LossScale", "counts-through-a-skip")
class KeepsTheCountAtASkip(_Scale):
    def overflow(self):
        self.value /= 2


@wrong("LossScale", "keeps-counting")
class NeverStartsAgain(_Scale):
    def grow(self):
        self.good_steps += 1
        if self.good_steps >= self.growth_steps:
            self.value *= 2


@wrong("LossScale", "other-scale")
class QuartersTheScale(_Scale):
    def overflow(self):
        self.value, self.good_steps = self.value / 4, 0
