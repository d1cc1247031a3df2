"""What each exercise of this lab must do, and the misconceptions that its check can tell apart."""

from itertools import pairwise
from types import SimpleNamespace

import numpy as np

from labs import Misconception, Misread, check, lazy

keras = lazy("keras")
tf = lazy("tensorflow")

TOO_LATE = "Physical devices cannot be modified after being initialized"


@check(
    points=2,
    minutes=10,
    difficulty="easy",
    hints=(
        "There can be no GPU, one, or several. A loop over a list does the right thing for each of these.",
        "Put `config.experimental.set_memory_growth(gpu, True)` into a `try`, and let `except RuntimeError` pass.",
        '`gpus = config.list_physical_devices("GPU")`; for each of them the call in a `try`; then '
        '`return "GPU:0" if gpus else "CPU:0"`',
    ),
)
class use_gpus:
    """Memory growth for every GPU that is there, and the name of the device to use."""

    misconceptions = {
        "no-gpu-no-answer": Misconception(
            "On a machine without a GPU your code stops.",
            "What is the first element of an empty list? And what must work on a laptop, too?",
            raises=r"IndexError|UnboundLocalError",
        ),
        "grows-on-the-cpu": Misconception(
            "Memory growth was asked for a device that is no GPU, and TensorFlow refuses that.",
            "Which devices does `list_physical_devices` return when you name no kind?",
            raises=r"Cannot set memory growth on non-GPU",
        ),
        "names-not-devices": Misconception(
            "`set_memory_growth` was given something else than a physical device.",
            "It wants the very objects that `list_physical_devices` returned, not their names or the whole list.",
            raises=r"Unrecognized device",
        ),
        "initialises-first": Misconception(
            "Your own code started the devices before it set memory growth.",
            "Which of the two starts the devices: `list_physical_devices` or `list_logical_devices`?",
        ),
        "stops-when-late": Misconception(
            "Where the devices are already in use, your code stops with a RuntimeError.",
            "The GPU still works then, only with nearly all its memory taken. What lets a program go on?",
        ),
        "no-growth": Misconception(
            "No GPU was told to take memory as it needs it.",
            "Which value of the second argument of `set_memory_growth` means yes, and is the line reached?",
        ),
        "only-some": Misconception(
            "Some GPUs were told to grow their memory and others not. TensorFlow then refuses to start.",
            "How many GPUs are there in this case, and for how many does your line run?",
        ),
        "gives-up-when-late": Misconception(
            "There is a GPU, and you said to use the CPU, because its memory could not be set any more.",
            "What has failed: the GPU, or only the change of how it takes its memory?",
        ),
        "other-device": Misconception(
            "The answer does not name the device to use.",
            "Which two answers does the docstring allow, and which one holds when the list is empty?",
        ),
    }

    @staticmethod
    def given(rng):
        yield {"gpus": 1, "in_use": False}
        yield {"gpus": 0, "in_use": False}
        several, more = rng.permutation(np.arange(2, 9))[:2].tolist()
        few, others = rng.permutation(np.arange(1, 9))[:2].tolist()
        yield {"gpus": several, "in_use": False}
        yield {"gpus": few, "in_use": True}
        yield {"gpus": more, "in_use": False}
        yield {"gpus": others, "in_use": True}

    @staticmethod
    def when(use_gpus, gpus, in_use):
        config = _Config(gpus, in_use)
        late = False
        try:
            answer = use_gpus(config)
        except RuntimeError as error:
            if TOO_LATE not in str(error):
                raise
            late, answer = True, "RuntimeError"
        return {
            "answer": answer,
            "stopped": late,
            "own": config.started_by_caller,
            "growth": [config.growth.get(gpu, False) is True for gpu in config.gpus],
        }

    @staticmethod
    def then(seen, gpus, in_use):
        # Evidence on another number of GPUs is none: `zip` refuses it.
        growth = [grows for grows, _ in zip(seen["growth"], range(gpus), strict=True)]
        if seen["own"] and not in_use and gpus and not all(growth):
            raise Misread("initialises-first", expected="growth set first", got=f"RuntimeError: {TOO_LATE}")
        if seen["stopped"]:
            raise Misread("stops-when-late", expected='"GPU:0"', got=f"RuntimeError: {TOO_LATE}")
        if not in_use and gpus and not any(growth):
            raise Misread("no-growth", expected=[True] * gpus, got=growth)
        if not in_use and not all(growth):
            raise Misread("only-some", expected=[True] * gpus, got=growth)
        wanted = "GPU:0" if gpus else "CPU:0"
        answer = seen["answer"]
        if not isinstance(answer, str):
            raise Misread("other-device", expected=wanted, got=answer)
        name = answer.upper().removeprefix("/").removeprefix("DEVICE:")
        if name != wanted:
            late = in_use and name == "CPU:0"
            raise Misread("gives-up-when-late" if late else "other-device", expected=wanted, got=answer)


class _Config:
    """Stands for `tf.config` on a machine with `gpus` GPUs; refuses what TensorFlow 2.21 refuses."""

    def __init__(self, gpus, in_use):
        self.gpus = [f"/physical_device:GPU:{i}" for i in range(gpus)]
        self.devices = [
            SimpleNamespace(name=name, device_type=name.split(":")[1])
            for name in ["/physical_device:CPU:0", *self.gpus]
        ]
        self.growth, self.in_use, self.started_by_caller = {}, in_use, False
        self.experimental = SimpleNamespace(
            set_memory_growth=self._set_memory_growth,
            get_memory_growth=lambda device: self.growth.get(device.name, False),
            list_physical_devices=self.list_physical_devices,
            list_logical_devices=self.list_logical_devices,
        )

    def list_physical_devices(self, device_type=None):
        return [one for one in self.devices if device_type in (None, one.device_type)]

    def get_visible_devices(self, device_type=None):
        return self.list_physical_devices(device_type)

    def list_logical_devices(self, device_type=None):
        self.started_by_caller = True
        return [
            SimpleNamespace(name=one.name.replace("physical_", ""), device_type=one.device_type)
            for one in self.list_physical_devices(device_type)
        ]

    def _set_memory_growth(self, device, enable):
        if not any(device is one for one in self.devices):
            raise ValueError(f"Unrecognized device: {device!r}")
        if device.device_type != "GPU":
            raise ValueError("Cannot set memory growth on non-GPU and non-Pluggable devices")
        if self.in_use or self.started_by_caller:
            raise RuntimeError(TOO_LATE)
        self.growth[device.name] = enable


@check(
    points=2,
    minutes=12,
    difficulty="medium",
    hints=(
        "Three steps: one call that is not counted, the clock around all calls, and a division.",
        "`wait(f())` before the clock starts. After the loop, wait for the last result before you read the clock.",
        "`wait(f())`; `begin = clock()`; `calls` times `result = f()`; `wait(result)`; "
        "`return (clock() - begin) / calls`",
    ),
)
class seconds_per_call:
    """The seconds that one finished call takes, the first one left out."""

    misconceptions = {
        "waits-for-no-result": Misconception(
            "`wait` was called with something that is no result of `f`.",
            "What does `f()` return, and what is `f` itself?",
            raises=r"wait needs a result of f|wait\(\) missing",
        ),
        "number-of-calls": Misconception(
            "`f` was not called often enough to be the mean of `calls` calls.",
            "How often does your loop run, and is `f` called in it?",
        ),
        "counts-the-first-call": Misconception(
            "The first call, which prepares things and takes longer, is in your time.",
            "What happens before you read the clock for the first time?",
        ),
        "measures-asking": Misconception(
            "You measured how long it takes to ask for the work, not to finish it.",
            "Which line stands between the last call of `f` and the last look at the clock?",
        ),
        "first-call-still-running": Misconception(
            "You called once before the clock started, but that call was still running when it did.",
            "`f()` returns before its work is finished. What do you do with its result?",
        ),
        "gives-the-total": Misconception(
            "This is the time of all calls together.",
            "Which argument says how many calls share this time?",
        ),
        "divides-by-another-number": Misconception(
            "The total is right, but it was divided by another number than that of the timed calls.",
            "Is the first call one of those between the two looks at the clock?",
        ),
        "other-seconds": Misconception(
            "This is not the time of a call in seconds.",
            "Follow the fake clock by hand: when does the work of each call begin, and when does it end?",
        ),
    }

    @staticmethod
    def given(rng):
        yield {"f": "asks in 0.01 s, works 1 s, first call 5 s more", "calls": 4, "times": [0.01, 1.0, 5.0]}
        work = round(float(rng.uniform(0.2, 0.6)), 2)
        calls = int(rng.integers(6, 11))
        yield {"f": f"asks in 0.005 s, works {work} s", "calls": calls, "times": [0.005, work, 3.0]}
        ask = round(float(rng.uniform(0.3, 0.9)), 2)
        yield {"f": f"asks in {ask} s, works 0.001 s", "calls": 5, "times": [ask, 0.001, 4.0]}

    @staticmethod
    def when(seconds_per_call, f, calls, times):
        device = _Device(*times)
        seconds = seconds_per_call(device.f, device.wait, device.clock, calls)
        return {"seconds": seconds, "log": "".join(device.log)}

    @staticmethod
    def then(seen, f, calls, times):
        ask, work, _ = times
        low, high = max(ask, work), ask + work
        got, log = seen["seconds"], seen["log"]
        if got is None or isinstance(got, bool) or not isinstance(got, int | float):
            raise Misread("other-seconds", expected=high, got=got)
        if 0.99 * low <= got <= 1.01 * high and log.count("f") >= calls:
            return
        expected = f"{low:.4g} s"
        if log.count("f") < calls:
            raise Misread("number-of-calls", expected=f"{calls} calls and a first", got=log.count("f"))
        before, _, timed = log.partition("c")
        timed = timed.rpartition("c")[0]
        if "c" not in log or not timed:
            raise Misread("other-seconds", expected=expected, got=got)
        name = "other-seconds"
        if "f" not in before and got > 1.01 * high:
            name = "counts-the-first-call"
        elif timed.rfind("w") < timed.rfind("f") and got < 0.99 * low:
            name = "measures-asking"
        elif "w" not in before and "f" in before and got > 1.01 * high:
            name = "first-call-still-running"
        elif 0.99 * low * calls <= got <= 1.01 * high * calls:
            name = "gives-the-total"
        elif any(0.99 * low <= got * (calls + d) / timed.count("f") <= 1.01 * high for d in (-1, 1)):
            name = "divides-by-another-number"
        raise Misread(name, expected=expected, got=f"{got:.4g} s")


class _Device:
    """A device that works while Python goes on, with a clock of its own instead of the real one."""

    def __init__(self, ask, work, extra):
        self.ask, self.work, self.extra = ask, work, extra
        self.now, self.free, self.ends, self.log = 100.0, 100.0, [], []

    def f(self):
        self.log.append("f")
        self.now += self.ask
        work = self.work + (0 if self.ends else self.extra)
        self.free = max(self.free, self.now) + work
        self.ends.append(self.free)
        return _Result(len(self.ends) - 1)

    def wait(self, result):
        if not isinstance(result, _Result):
            raise TypeError("wait needs a result of f")
        self.log.append("w")
        self.now = max(self.now, self.ends[result.number])

    def clock(self):
        self.log.append("c")
        return self.now


class _Result:
    def __init__(self, number):
        self.number = number


@check(
    points=2,
    minutes=10,
    difficulty="medium",
    hints=(
        "Three sums of seconds: starts, copies, work. Seconds are an amount divided by how much fits into a second.",
        "Work is the longer of two times: operations by operations a second, bytes by bytes a second.",
        '`job["operations"] * device["start"] + job["copied"] / device["link_bytes_per_s"] + '
        'max(job["flops"] / device["flops_per_s"], job["bytes"] / device["bytes_per_s"])`',
    ),
)
class predict_seconds:
    """The seconds that a job takes: starts, copies, and the slower of arithmetic and memory."""

    misconceptions = {
        "other-names": Misconception(
            "A device or a job was asked for something that it does not have.",
            "Compare the name in your line with the names in the docstring.",
            raises=r"KeyError",
        ),
        "multiplies-rates": Misconception(
            "The time grows with the speed of the device: an amount was multiplied by a rate.",
            "At 100 bytes a second, how long do 200 bytes take?",
        ),
        "one-start": Misconception(
            "However many operations a job has, you count one start, or none.",
            "Who starts the second operation?",
        ),
        "forgets-the-copies": Misconception(
            "The copies cost nothing in your prediction.",
            "Which number of the job goes over the link, and which of the device says how fast?",
        ),
        "copies-inside": Misconception(
            "The copies run at the speed of the device's own memory.",
            "Which two numbers of the device are bytes per second, and which of them is the way to it?",
        ),
        "adds-memory-and-arithmetic": Misconception(
            "Arithmetic and memory traffic were added up; they happen at the same time.",
            "Two people carry and lay bricks at once. How long does the wall take?",
        ),
        "takes-the-faster": Misconception(
            "The work takes as long as the faster of arithmetic and memory.",
            "Which of the two is waited for?",
        ),
        "overlaps-everything": Misconception(
            "The starts or the copies were let run beside the work.",
            "Read the last sentence of the task: what comes after what?",
        ),
        "other-prediction": Misconception(
            "This is not the time that the rule gives.",
            "Set all amounts of the job but one to 0, and compare by hand.",
        ),
    }

    @staticmethod
    def given(rng):
        device = {"start": 0.5, "flops_per_s": 100.0, "bytes_per_s": 10.0, "link_bytes_per_s": 2.0}
        yield {"device": device, "job": {"operations": 3, "flops": 800.0, "bytes": 20.0, "copied": 30.0}}
        yield {"device": device, "job": {"operations": 2, "flops": 100.0, "bytes": 50.0, "copied": 16.0}}
        # Copies that take longest of all: only then does leaving them out differ from hiding them behind the work.
        rates = [*rng.uniform(1, 5, 3), rng.uniform(0.2, 0.5)]
        amounts = [int(rng.integers(2, 9)), *rng.uniform(5, 50, 2), rng.uniform(40, 80)]
        names = ("operations", "flops", "bytes", "copied")
        device = {name: round(float(rate), 1) for name, rate in zip(device, rates, strict=True)}
        job = {name: round(amount) for name, amount in zip(names, amounts, strict=True)}
        yield {"device": device, "job": job}
        yield {
            "device": {**device, "link_bytes_per_s": float("inf")},
            "job": {"operations": 1, "flops": 10.0, "bytes": 3.0, "copied": 7.0},
        }

    @staticmethod
    def when(predict_seconds, device, job):
        return {"seconds": predict_seconds(device, job)}

    @staticmethod
    def then(seen, device, job):
        got = seen["seconds"]
        starts = sum(device["start"] for _ in range(job["operations"]))
        arithmetic, memory, copies, inside = (
            job[amount] * device[rate] ** -1.0
            for amount, rate in (
                ("flops", "flops_per_s"),
                ("bytes", "bytes_per_s"),
                ("copied", "link_bytes_per_s"),
                ("copied", "bytes_per_s"),
            )
        )
        slower, faster = sorted((arithmetic, memory))[::-1]
        wanted = starts + copies + slower
        if isinstance(got, bool) or not isinstance(got, int | float):
            raise Misread("other-prediction", expected=wanted, got=got)
        times = [job[a] * device[r] for a, r in (("flops", "flops_per_s"), ("bytes", "bytes_per_s"))]
        over = job["copied"] * device["link_bytes_per_s"]
        known = {
            "": [wanted],
            "multiplies-rates": [
                starts + over + max(times),
                starts + copies + max(times),
                starts + over + slower,
            ],
            "one-start": [device["start"] + copies + slower, copies + slower],
            "forgets-the-copies": [starts + slower],
            "copies-inside": [starts + inside + slower, starts + max(arithmetic, memory + inside)],
            "adds-memory-and-arithmetic": [starts + copies + arithmetic + memory],
            "takes-the-faster": [starts + copies + faster],
            "overlaps-everything": [
                max(starts, copies, slower),
                starts + max(copies, slower),
                max(starts, slower) + copies,
            ],
        }
        same = [name for name, values in known.items() if any(_near(got, value) for value in values)]
        if "" in same:
            return
        raise Misread(same[0] if same else "other-prediction", expected=wanted, got=got)


def _near(got, wanted):
    return bool(np.isclose(got, wanted, rtol=1e-6, atol=1e-12))


@check(
    points=2,
    minutes=10,
    difficulty="medium",
    hints=(
        "Begin with the seconds of a batch: with prefetch the longer of the two, without it their sum.",
        "Waiting is what is left of a batch when the step is taken out, as a share. For the gain you need the "
        "seconds of a batch once more, with a shorter step.",
        "A helper `batch_seconds(step)`; `waiting` is `1 - step_seconds / seconds`; `gain` is "
        "`seconds / batch_seconds(step_seconds / faster)`",
    ),
)
class diagnose:
    """How long a batch takes, which share is waiting, and what a faster device gains."""

    misconceptions = {
        "other-keys": Misconception(
            'The result is no dict with "seconds", "waiting" and "gain".',
            "Compare your `return` with the docstring, letter by letter.",
        ),
        "never-overlaps": Misconception(
            "With prefetch, too, a batch takes its input and then its step.",
            "While the step of this batch runs, what is prepared?",
        ),
        "always-overlaps": Misconception(
            "Without prefetch, too, input and step run at the same time.",
            "Nobody prepares anything ahead. What does the step wait for?",
        ),
        "takes-the-shorter": Misconception(
            "With prefetch you let a batch take the shorter of the two.",
            "Two things run side by side. When are both finished?",
        ),
        "waiting-in-seconds": Misconception(
            "`waiting` is in seconds; a share was asked for.",
            "By what do you divide to get a number between 0 and 1?",
        ),
        "waits-for-all-input": Misconception(
            "All of the input counts as waiting, also what is hidden behind a step.",
            "When does the device do nothing? Draw one batch with prefetch on a line.",
        ),
        "share-of-work": Misconception(
            "`waiting` is the share of time in which the device works.",
            "If a batch is all step and no input, how much is waiting?",
        ),
        "gains-the-whole": Misconception(
            "You let the whole batch become faster, although only the step does.",
            "How long does the input take on a faster GPU?",
        ),
        "gain-upside-down": Misconception(
            "`gain` is smaller than 1 where something is gained.",
            "Twice as fast is a gain of 2. Which of the two times stands on top?",
        ),
        "speeds-up-the-input": Misconception(
            "You made the input faster, not the step.",
            "Which of the two does a GPU compute?",
        ),
        "other-numbers": Misconception(
            "A number is not what the rule gives.",
            "Take an input of 3 s, a step of 1 s, and do all three by hand, with and without prefetch.",
        ),
    }

    @staticmethod
    def given(rng):
        for prefetch in (False, True):
            yield {"input_seconds": 3.0, "step_seconds": 1.0, "prefetch": prefetch, "faster": 10}
        yield {"input_seconds": 1.0, "step_seconds": 4.0, "prefetch": True, "faster": 3}
        fast, slow = rng.uniform(0.1, 0.4), rng.uniform(0.5, 0.9)
        yield {
            "input_seconds": float(round(fast, 2)),
            "step_seconds": float(round(slow, 2)),
            "prefetch": bool(rng.random() < 0.5),
            "faster": int(rng.integers(3, 9)),
        }

    @staticmethod
    def when(diagnose, input_seconds, step_seconds, prefetch, faster):
        found = diagnose(input_seconds, step_seconds, prefetch, faster)
        if found is None:
            return {"found": None}
        if not isinstance(found, dict) or set(found) != {"seconds", "waiting", "gain"}:
            got = list(found) if isinstance(found, dict) else type(found).__name__
            raise Misread("other-keys", expected=["seconds", "waiting", "gain"], got=got)
        return dict(found)

    @staticmethod
    def then(seen, input_seconds, step_seconds, prefetch, faster):
        # A batch on a line: the step ends at `step`, the next input at `input` or, without prefetch, after it.
        behind = 0 if prefetch else step_seconds
        seconds = max(behind + input_seconds, step_seconds)
        idle = seconds - step_seconds
        new = max(behind / faster + input_seconds, step_seconds / faster)
        wanted = {"seconds": seconds, "waiting": idle / seconds, "gain": seconds / new}
        for key in ("seconds", "waiting", "gain"):
            got = seen[key]
            if isinstance(got, bool) or not isinstance(got, int | float):
                raise Misread("other-numbers", expected=wanted, got=seen)
            if _near(got, wanted[key]):
                continue
            raise Misread(
                _mistake(key, got, input_seconds, step_seconds, prefetch, faster, seconds),
                expected={key: wanted[key]},
                got={key: got},
            )


def _mistake(key, got, fetch, step, prefetch, faster, seconds):
    """Name the mistake that gives `got` for `key`, by making it."""
    other_new = fetch / faster + step if not prefetch else max(fetch / faster, step)
    new = fetch + step / faster if not prefetch else max(fetch, step / faster)
    known = {
        "seconds": {
            "never-overlaps": fetch + step if prefetch else np.nan,
            "always-overlaps": max(fetch, step) if not prefetch else np.nan,
            "takes-the-shorter": min(fetch, step),
        },
        "waiting": {
            "waiting-in-seconds": seconds - step,
            "waits-for-all-input": fetch / seconds,
            "share-of-work": step / seconds,
        },
        "gain": {
            "gains-the-whole": float(faster),
            "gain-upside-down": new / seconds,
            "speeds-up-the-input": seconds / other_new,
        },
    }[key]
    return next((name for name, value in known.items() if _near(got, value)), "other-numbers")


@check(
    points=2,
    minutes=10,
    difficulty="medium",
    hints=(
        "Every layer takes `dtype=`, which may be a policy. Which layers follow it, and which one must not?",
        'The last layer is a `Dense(classes)` without activation, with `dtype="float32"`.',
        "`keras.Sequential([keras.Input((28, 28, 1)), keras.layers.Flatten(dtype=policy), "
        'keras.layers.Dense(64, activation="relu", dtype=policy), keras.layers.Dense(classes, dtype="float32")])`',
    ),
)
class make_classifier:
    """A classifier whose hidden layer follows a policy, with logits in float32."""

    misconceptions = {
        "no-model": Misconception(
            "What came back is no Keras model with a known input.",
            "What stands after `return`, and does the model know the shape of its input?",
        ),
        "other-shape": Misconception(
            "The model does not turn photos (n, 28, 28, 1) into (n, classes).",
            "Which layer makes one row of numbers of each photo, and how many units has the last one?",
        ),
        "changes-the-global-policy": Misconception(
            "The global policy is another one after your function: every later model would follow it.",
            "Which argument gives a policy to one layer only?",
        ),
        "weights-in-16-bits": Misconception(
            "The weights themselves are kept in 16 bits; small updates would be lost.",
            'What is the difference between the dtypes "bfloat16" and "mixed_bfloat16"?',
        ),
        "computes-in-float32": Misconception(
            "The hidden layer computes in float32, whatever the policy.",
            "Casting an input does not help: a layer casts it to its own compute dtype. Who tells the layer?",
        ),
        "ignores-the-policy": Misconception(
            "The hidden layer computes in one dtype, whatever policy is asked for.",
            "Which argument of your function says in which?",
        ),
        "output-in-16-bits": Misconception(
            "The logits come out in 16 bits, so the loss would be computed in them too.",
            "Which layer gives the output, and what is its `dtype`?",
        ),
        "gives-probabilities": Misconception(
            "The model gives probabilities; logits were asked for.",
            "Which activation has the last layer?",
        ),
        "other-hidden-layer": Misconception(
            "The hidden layer is not one of 64 units with ReLU.",
            "Look at the units and the activation of each `Dense`.",
        ),
    }

    @staticmethod
    def given(rng):
        yield {"policy": "mixed_bfloat16", "classes": 10}
        yield {"policy": "float32", "classes": int(rng.integers(3, 40))}
        yield {"policy": "mixed_float16", "classes": int(rng.integers(3, 40))}

    @staticmethod
    def when(make_classifier, policy, classes):
        before = keras.config.dtype_policy().name
        try:
            model = make_classifier(policy, classes)
            after = keras.config.dtype_policy().name
        finally:
            keras.config.set_dtype_policy(before)
        if model is None:
            return {"model": None}
        if not isinstance(model, keras.Model) or not getattr(model, "outputs", None):
            raise Misread(
                "no-model", expected="a keras.Model with an input of (28, 28, 1)", got=type(model).__name__
            )
        weighted = [layer for layer in _leaves(model) if layer.weights]
        seen = {
            "policy": after,
            "before": before,
            "input": list(model.inputs[0].shape[1:]),
            "output": list(model.outputs[0].shape),
            "output_dtype": str(model.outputs[0].dtype),
            "weights": sorted({str(weight.dtype) for weight in model.weights}),
            "shapes": [list(weight.shape) for weight in model.trainable_weights],
            "computes": [str(layer.compute_dtype) for layer in weighted],
        }
        if policy != "mixed_float16" and seen["input"] == [28, 28, 1]:  # float16 on a CPU is too slow to run
            images = np.random.default_rng(1).normal(0, 3, (4, 28, 28, 1)).astype("float32")
            seen["logits"] = tf.cast(model(images), tf.float32)
            weights = [np.asarray(weight, "float32") for weight in model.get_weights()]
            seen["by_hand"] = _by_hand(images, weights)
        return seen

    @staticmethod
    def then(seen, policy, classes):
        if seen["input"] != [28, 28, 1] or seen["output"] != [None, classes]:
            expected = {"input": f"shape {28, 28, 1}", "output": f"shape {None, classes}"}
            got = {name: f"shape {tuple(seen[name])}" for name in expected}
            raise Misread("other-shape", expected=expected, got=got)
        if seen["policy"] != seen["before"]:
            raise Misread("changes-the-global-policy", expected=seen["before"], got=seen["policy"])
        if seen["weights"] != ["float32"]:
            raise Misread("weights-in-16-bits", expected="float32", got=seen["weights"])
        wanted = policy.removeprefix("mixed_")
        hidden = seen["computes"][0]
        if hidden != wanted:
            name = "computes-in-float32" if hidden == "float32" else "ignores-the-policy"
            raise Misread(name, expected={"hidden layer": wanted}, got={"hidden layer": hidden})
        if seen["output_dtype"] != "float32":
            raise Misread("output-in-16-bits", expected="float32", got=seen["output_dtype"])
        if seen["shapes"] != [[784, 64], [64], [64, classes], [classes]]:
            raise Misread("other-hidden-layer", expected=[[784, 64], [64], [64, classes]], got=seen["shapes"])
        if "logits" not in seen:
            return
        logits, by_hand = np.asarray(seen["logits"]), np.asarray(seen["by_hand"])
        room = 1e-3 if policy == "float32" else 0.05 * np.abs(by_hand).max()
        if not np.allclose(logits, by_hand, atol=room):
            sums = np.allclose(logits.sum(axis=1), 1, atol=0.02) and (logits >= 0).all()
            name = "gives-probabilities" if sums else "other-hidden-layer"
            raise Misread(name, expected=by_hand[0], got=logits[0])


def _leaves(model):
    """Yield the layers of `model`, and those of models in it."""
    for layer in model.layers:
        if getattr(layer, "layers", None):
            yield from _leaves(layer)
        else:
            yield layer


def _by_hand(images, weights):
    """Return logits of a network with one hidden layer with ReLU, or nothing where it is another network."""
    if [weight.ndim for weight in weights] != [2, 1, 2, 1] or len(weights[0]) != 784:
        return np.zeros(0)
    kernel, bias, last, shift = (weight.astype(np.float64) for weight in weights)
    hidden = images.reshape(len(images), -1) @ kernel + bias
    return np.where(hidden > 0, hidden, 0) @ last + shift


@check(
    points=3,
    minutes=15,
    difficulty="hard",
    hints=(
        "First ask whether all numbers of all gradients are finite: `np.isfinite(gradient).all()`.",
        "If not: halve `self.value`, count from 0 again, return None. If so: cast to float32, then divide, and only "
        "then think about doubling.",
        "`unscaled = [gradient.astype('float32') / self.value for gradient in gradients]`; `self.good_steps += 1`; "
        "if it has reached `self.growth_steps`, double `self.value` and set it to 0; `return unscaled`",
    ),
)
class LossScale:
    """Unscales gradients in float32, skips overflows, and adapts the scale."""

    misconceptions = {
        "lets-infinity-through": Misconception(
            "A gradient holds inf or nan, and you returned gradients all the same: the weights would be lost.",
            "Which of the gradients, and which of inf and nan, does your question miss?",
        ),
        "skips-good-steps": Misconception(
            "All gradients are finite, and None came back: this step is lost.",
            "Does every way through the method end in the right `return`?",
        ),
        "still-float16": Misconception(
            "The gradients are still float16, so small ones vanish when they are divided.",
            "What comes first: the division or the cast? NumPy keeps float16 when you divide by a Python number.",
        ),
        "vanishes-before-the-cast": Misconception(
            "The gradients are float32, but small ones are 0: they were divided in float16 and cast afterwards.",
            "In which dtype does your division compute?",
        ),
        "not-unscaled": Misconception(
            "The gradients are still those of the scaled loss.",
            "By what was the loss multiplied, and where is that undone?",
        ),
        "scales-twice": Misconception(
            "The gradients were multiplied by the scale once more.",
            "The loss was multiplied. What takes that back?",
        ),
        "unscales-by-the-new-value": Misconception(
            "After a doubling the gradients are half of what they should be.",
            "With which value was *this* loss multiplied: the one before the doubling or after?",
        ),
        "other-dtype": Misconception(
            "The gradients are right, but not float32.",
            "The weights are float32. Which line makes another dtype of the gradients?",
        ),
        "never-halves": Misconception(
            "After an overflow the scale is what it was, so the next step overflows too.",
            "Which attribute does the next step multiply its loss by?",
        ),
        "never-doubles": Misconception(
            "After `growth_steps` good steps the scale has not grown.",
            "How does it ever come back after one unlucky overflow?",
        ),
        "counts-one-off": Misconception(
            "The scale was doubled one step too early or too late.",
            "With `growth_steps=2`: after which good step must the value be larger?",
        ),
        "counts-through-a-skip": Misconception(
            "Good steps before an overflow were counted on after it.",
            "They have to come in a row. What ends a row?",
        ),
        "keeps-counting": Misconception(
            "After a first doubling the scale grew at the wrong time, or not again.",
            "Where does the count begin after a doubling?",
        ),
        "other-scale": Misconception(
            "The scale is not what the rule gives.",
            "Write down value and count after each step of this case, by hand.",
        ),
    }

    @staticmethod
    def given(rng):
        small, inf, nan = 2.0**-14, np.inf, np.nan

        def step(*tails):
            first = rng.normal(0, 1, 3).astype(np.float16)
            return [first, *(np.array([[0.5, tail]], np.float16) for tail in tails)]

        yield {"value": 4096.0, "growth_steps": 9, "steps": [step(small), step(inf), step(small)]}
        yield {
            "value": 2.0**15,
            "growth_steps": 9,
            "steps": [step(1.0, nan), step(small, -inf), step(1.0, small)],
        }
        yield {"value": 64.0, "growth_steps": 2, "steps": [step(1.0) for _ in range(5)]}
        yield {"value": 256.0, "growth_steps": 3, "steps": [step(t) for t in (1, 1, inf, 1, 1, 1, 1)]}

    @staticmethod
    def when(LossScale, value, growth_steps, steps):
        scaler, unscaled, values = LossScale(value=value, growth_steps=growth_steps), [], []
        for gradients in steps:
            result = scaler.unscale(gradients)
            unscaled.append("skipped" if result is None else [np.asarray(one) for one in result])
            values.append(float(scaler.value))
        return {"unscaled": unscaled, "values": values}

    @staticmethod
    def then(seen, value, growth_steps, steps):
        finite = [all(np.abs(one.astype(np.float64)).max() < np.inf for one in step) for step in steps]
        wanted = _walk(value, growth_steps, finite)
        for i, (step, got) in enumerate(zip(steps, seen["unscaled"], strict=True)):
            scale = ([value, *wanted])[i]
            if not finite[i]:
                if not isinstance(got, str):
                    raise Misread("lets-infinity-through", expected=f"step {i + 1}: None", got=got)
            elif isinstance(got, str):
                raise Misread("skips-good-steps", expected="float32 gradients", got="None")
            else:
                _judge_gradients(step, got, scale, grown=wanted[i] > scale)
            if not _near(seen["values"][i], wanted[i]):
                name = _scale_mistake(i, seen["values"], wanted, value, growth_steps, finite)
                raise Misread(name, expected={"values": wanted}, got={"values": seen["values"]})


def _walk(value, growth_steps, finite, through=False):
    """Return the scale after each step, from runs of good steps rather than from a counter."""
    values, run = [], 0
    for good in finite:
        if good:
            run += 1
            value *= 2.0 if run % growth_steps == 0 else 1.0
        else:
            value, run = value / 2, (run if through else 0)
        values.append(value)
    return values


def _judge_gradients(step, got, scale, grown):
    exact = [one.astype(np.float64) / scale for one in step]
    shapes = [list(one.shape) for one in exact]
    if [list(np.shape(one)) for one in got] != shapes:
        raise Misread("other-form", expected=shapes, got=[list(np.shape(one)) for one in got])
    if any(one.dtype == np.float16 for one in got):
        raise Misread("still-float16", expected="float32", got="float16")
    flat, right = (
        np.concatenate([np.ravel(one) for one in some]).astype(np.float64) for some in (got, exact)
    )
    if np.allclose(flat, right, rtol=1e-4, atol=0):
        dtypes = sorted({one.dtype.name for one in got})
        if dtypes != ["float32"]:
            raise Misread("other-dtype", expected="float32", got=", ".join(dtypes))
        return
    known = {
        "not-unscaled": right * scale,
        "scales-twice": right * scale * scale,
        "unscales-by-the-new-value": right / 2 if grown else np.full(right.shape, np.nan),
        "vanishes-before-the-cast": np.where(np.abs(right) < 2.0**-24, 0, right),
    }
    same = [name for name, value in known.items() if np.allclose(flat, value, rtol=0.2, atol=1e-7)]
    if same[:1] == ["vanishes-before-the-cast"] or not same:
        gone = (flat == 0) & (right != 0)
        if gone.any():
            small = float(right[gone][0])
            raise Misread("vanishes-before-the-cast", expected={"a gradient": small}, got={"a gradient": 0.0})
        same = ["other-scale"]
    raise Misread(same[0], expected=right, got=flat)


def _scale_mistake(i, got, wanted, value, growth_steps, finite):
    before = got[i - 1] if i else value
    if not finite[i]:
        return "never-halves" if _near(got[i], before) else "other-scale"
    if np.allclose(got, _walk(value, growth_steps, finite, through=True)):
        return "counts-through-a-skip"
    if any(np.allclose(got, _walk(value, growth_steps + d, finite)) for d in (-1, 1) if growth_steps + d):
        return "counts-one-off"
    first = next(
        (k for k in range(len(wanted)) if finite[k] and wanted[k] > ([value, *wanted])[k]), len(wanted)
    )
    if i > first:
        return "keeps-counting"
    if i == first and _near(got[i], before):
        grows = any(b > a for a, b in pairwise(got))
        return "never-doubles" if not grows else "other-scale"
    return "other-scale"
