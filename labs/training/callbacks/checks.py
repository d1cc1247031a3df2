"""What each exercise of this lab must do, and the misconceptions that its check can tell apart."""

import os
import tempfile
import warnings

import numpy as np

from labs import Misconception, Misread, check, lazy

keras = lazy("keras")

TRAINING_ACCURACY = [0.3, 0.4, 0.5, 0.6, 0.7, 0.69, 0.68, 0.69, 0.68, 0.69]


def _player(*names):
    """Return a small compiled model, with a layer for each name, all of whose weights are 0, to play a night with."""
    inputs = outputs = keras.Input((1,))
    for name in names:
        outputs = keras.layers.Dense(1 + (name == "hidden"), name=name, kernel_initializer="zeros")(outputs)
    player = keras.Model(inputs, outputs, name="player")
    player.compile(keras.optimizers.SGD(0.5), loss="mse", metrics=["accuracy"], run_eagerly=True)
    return player


def _play(player, callbacks, epochs, step, validation, batches=1):
    """Call `callbacks` as `fit` does, in its order and with logs that are known beforehand.

    `fit` itself would spend a second on pipelines and graphs that no callback sees.

    Args:
        player: the model; its weights change only in `step`.
        callbacks: what the learner's code gave.
        epochs, batches: how many there are, unless a callback ends training.
        step: `step(epoch, batch)` acts for a training step and returns the logs.
        validation: the `val_` logs of each epoch.

    Returns:
        The mark that the weights had when each epoch began, so also how many epochs ran.
    """
    night = keras.callbacks.CallbackList(list(callbacks), model=player, epochs=epochs, steps=batches)
    player.stop_training, marks = False, []
    night.on_train_begin()
    for epoch in range(epochs):
        marks.append(_mark(player))
        night.on_epoch_begin(epoch)
        for batch in range(batches):
            night.on_train_batch_begin(batch)
            logs = step(epoch, batch)
            night.on_train_batch_end(batch, dict(logs))
            if player.stop_training:
                break
        night.on_epoch_end(epoch, {**logs, **validation[epoch]})
        if player.stop_training:
            break
    night.on_train_end({})
    return marks


def _add_one(player):
    for weight in player.weights:
        weight.assign_add(np.ones(weight.shape, np.float32))


def _fill(player, number):
    for weight in player.weights:
        weight.assign(np.full(weight.shape, number, np.float32))


def _epoch(mark, values):
    """Return the epoch, from 1, after which all weights were `mark`, its number and its value; -1 for none."""
    marks = [0.0, *(epoch + value for epoch, value in enumerate(values, start=1))]
    return next((epoch for epoch, one in enumerate(marks) if abs(one - mark) < 2e-5), -1)


def _mark(player):
    marks = {float(number) for weight in player.get_weights() for number in weight.flat}
    return marks.pop() if len(marks) == 1 else -1.0


def _night(values, patience, min_delta=0.0):
    """Return the epochs, from 1, at which training stops and which was best, for values to be lowered."""
    best, at = np.inf, 0
    for epoch, value in enumerate(values, start=1):
        if value + min_delta < best:
            best, at = value, epoch
        elif epoch - at >= patience:
            return epoch, at
    return len(values), at


@check(
    points=2,
    minutes=10,
    difficulty="easy",
    hints=(
        "Begin with a best that everything beats, such as `np.inf`, each time `fit` begins. After an epoch: is its "
        '`logs["val_loss"]` lower?',
        "`self.model.get_weights()` gives copies of all weights, and `self.model.set_weights(...)` puts them back.",
        'In `on_epoch_end`: `if logs["val_loss"] < self.best:`, then set `self.best` to it and '
        "`self.best_weights` to `self.model.get_weights()`. In `on_train_end`: "
        "`self.model.set_weights(self.best_weights)`.",
    ),
)
class KeepBest:
    """The weights of the epoch with the lowest validation loss, given back when training ends."""

    misconceptions = {
        "no-such-log": Misconception(
            "The logs of an epoch have no such name.",
            "Print `logs` in `on_epoch_end` and read the names. Those of validation begin with `val_`.",
            raises=r"KeyError",
        ),
        "nothing-to-compare": Misconception(
            "An attribute is read before it was given a first value, or that value cannot be compared.",
            "Which method runs before the first epoch, and what value of `self.best` does any loss beat?",
            raises=r"object has no attribute 'best|not supported between instances|UnboundLocalError",
        ),
        "nothing-kept": Misconception(
            "After training, `self.best_weights` or `self.best` is not there.",
            "The docstring names two attributes. Under which names did you keep the weights and the loss?",
        ),
        "interferes": Misconception(
            "The weights were put back while training went on, so the next epoch began from old ones.",
            "Training may still need to go through a worse epoch. Which method runs once, at the very end?",
        ),
        "keeps-references": Misconception(
            "What you kept has changed with the model: it shows the weights of the last epoch.",
            "`model.weights` lists variables, and training changes these in place. What gives a copy of the numbers?",
        ),
        "never-restores": Misconception(
            "You kept the right weights, but the model still has those of the last epoch.",
            "Which method of a callback runs when `fit` ends, and which method of the model takes weights?",
        ),
        "watches-training": Misconception(
            "These are the weights of the epoch with the lowest *training* loss.",
            "Which of the names in `logs` tells of photos that the model did not learn from?",
        ),
        "keeps-the-highest": Misconception(
            "These are the weights of the epoch with the highest loss.",
            "Is a loss better when it is larger or when it is smaller?",
        ),
        "compares-with-the-last": Misconception(
            "An epoch counted as the best because it was better than the one before it.",
            "What do you compare with: the previous epoch, or the best of all so far? When does `self.best` change?",
        ),
        "takes-the-later": Misconception(
            "Of two equal epochs you kept the later one.", "Is an equal loss lower? Look at your comparison."
        ),
        "remembers-an-earlier-fit": Misconception(
            "The first `fit` was right; in a second one the callback still compared with the first one's best.",
            "A callback may serve twice. Which method runs at the start of every `fit`?",
        ),
        "other-weights": Misconception(
            "These are not the weights of the epoch with the lowest validation loss.",
            "Follow the case by hand, epoch by epoch: when does `self.best` change, and what do you keep then?",
        ),
    }

    @staticmethod
    def given(rng):
        training = [0.9, 0.8, 0.7, 0.6, 0.5, 0.4]
        yield {"loss": training, "val_loss": [0.8, 0.5, 0.7, 0.6, 0.9, 0.7], "fits": 1}
        yield {"loss": training, "val_loss": [0.9, 0.6, 0.6, 0.7, 0.8, 0.65], "fits": 1}
        steps = rng.permutation(6)
        while steps[-1] in (0, 5) or steps[0] == 0 or steps[-1] < steps[-2]:
            steps = rng.permutation(6)
        drawn = (rng.uniform(0.5, 0.8) + 0.05 * steps).round(3).tolist()
        yield {"loss": training, "val_loss": drawn, "fits": 2}

    @staticmethod
    def when(KeepBest, loss, val_loss, fits):
        keeper = KeepBest()
        for fit in range(fits):
            # A second fit is worse throughout than the first: its own best must win all the same.
            player, answers = _player("hidden", "answer"), [{"val_loss": value + fit} for value in val_loss]

            def step(epoch, batch, player=player):
                _add_one(player)
                return {"loss": loss[epoch]}

            marks = _play(player, [keeper], len(val_loss), step, answers)
        kept, best = getattr(keeper, "best_weights", None), getattr(keeper, "best", None)
        if kept is None or best is None:
            return {"kept": "nothing"}
        first = np.asarray(kept[0]).flat[0] if len(kept) else -1.0
        return {"kept": float(first), "best": float(best), "end": _mark(player), "begins": marks}

    @staticmethod
    def then(seen, loss, val_loss, fits):
        if seen["kept"] == "nothing":
            raise Misread("nothing-kept", expected="self.best and self.best_weights", got="not both of them")
        epochs, last = len(val_loss), float(len(val_loss))
        right = float(1 + min(range(epochs), key=lambda e: val_loss[e]))
        later = float(epochs - min(range(epochs), key=lambda e: val_loss[::-1][e]))
        evidence = {
            "expected": f"kept: epoch {right:g}, at the end: epoch {right:g}",
            "got": f"kept: epoch {seen['kept']:g}, at the end: epoch {seen['end']:g}",
        }
        if seen["begins"] != [float(epoch) for epoch in range(epochs)]:
            raise Misread(
                "interferes",
                expected=f"epochs begin with the weights of {list(range(epochs))}",
                got=f"they begin with those of {[int(mark) for mark in seen['begins']]}",
            )
        if seen["end"] == seen["kept"] == right and np.isclose(seen["best"], min(val_loss) + fits - 1):
            return
        if seen["kept"] == right and seen["end"] == last:
            raise Misread("never-restores", **evidence)
        if fits == 2 and seen["best"] <= max(val_loss):
            raise Misread(
                "remembers-an-earlier-fit",
                expected=f"self.best of {min(val_loss) + 1:g} after a second fit whose losses are 1 higher",
                got=f"self.best of {seen['best']:g}",
            )
        if seen["kept"] == last and np.isclose(seen["best"], min(val_loss) + fits - 1):
            raise Misread("keeps-references", **evidence)
        if np.isclose(seen["best"], min(loss)):
            raise Misread("watches-training", **evidence)
        if seen["kept"] == float(1 + val_loss.index(max(val_loss))) != 1:
            raise Misread("keeps-the-highest", **evidence)
        if seen["kept"] == later != right and np.isclose(seen["best"], min(val_loss) + fits - 1):
            raise Misread("takes-the-later", **evidence)
        if np.isclose(seen["best"], val_loss[-1] + fits - 1):
            raise Misread("compares-with-the-last", **evidence)
        raise Misread("other-weights", **evidence)


@check(
    points=2,
    minutes=10,
    difficulty="easy",
    hints=(
        "Remember two things: the best value so far, and at which epoch it was. How long you have waited follows.",
        "An epoch is better only if its value is below `best - min_delta`. If it is not: has it been `patience` "
        "epochs since the best?",
        "`for epoch, value in enumerate(values, start=1):` `if value < best - min_delta:` "
        "`best, best_epoch = value, epoch`, `elif epoch - best_epoch >= patience: return epoch, best_epoch`",
    ),
)
class stops_at:
    """The epoch at which training stops, and the best one, by the rule of EarlyStopping."""

    misconceptions = {
        "one-number": Misconception(
            "One result came back; two were asked for.", "What stands after `return`, and with which comma?"
        ),
        "swaps-the-pair": Misconception(
            "Both epochs are right, but they come in the other order.", "Which does the docstring name first?"
        ),
        "highest-is-best": Misconception(
            "You looked for the highest value.", "These are losses. Is larger better?"
        ),
        "compares-with-the-last": Misconception(
            "You compared each epoch with the one before it, not with the best so far.",
            "After 0.5, 0.9, 0.8: is 0.8 an improvement?",
        ),
        "never-forgives": Misconception(
            "An improvement did not start the waiting anew.",
            "Patience counts epochs *since the best one*. What must happen to the count when a new best comes?",
        ),
        "ignores-min-delta": Misconception(
            "A tiny improvement counted, though it was smaller than `min_delta`.",
            "By how much must a value be below the best to count? Which argument says so?",
        ),
        "creeps": Misconception(
            "Improvements too small to count were still taken as the new best.",
            "If 0.50 is the best and 0.495 does not count, what is the next value compared with?",
        ),
        "one-epoch-too-long": Misconception(
            "You stopped one epoch later than asked.",
            "With a patience of 1 a single epoch without improvement is enough. Is it `>` or `>=`?",
        ),
        "counts-from-zero": Misconception(
            "Both epochs are one too small: they count from 0.",
            "Keras counts epochs from 0 inside a callback. What does the docstring ask for?",
        ),
        "never-stops": Misconception(
            "You went on to the last value, though the patience was at its end before.",
            "What happens in your loop when an epoch is no better: do you count it, and do you stop?",
        ),
        "other-epochs": Misconception(
            "These are not the epochs of the rule.",
            "Take a pencil. Beside each value write the best so far and how many epochs ago it was.",
        ),
    }

    @staticmethod
    def given(rng):
        # Several nights in a case: two misconceptions may agree on one night, but not on all of them.
        def drawn(nights):
            """Return the nights, higher and after some epochs that each improve: so all that happens is later."""
            shift = rng.uniform(0, 0.2)
            falls = [0.05 * np.arange(rng.integers(0, 6), 0, -1) for _ in nights]
            later = [[*(night[0] + fall), *night] for night, fall in zip(nights, falls, strict=True)]
            return [np.round(np.array(night) + shift, 3).tolist() for night in later]

        nights = [
            [0.9, 0.7, 0.8, 0.75, 0.6, 0.9, 0.65, 0.8, 0.7],
            [0.9, 0.8, 0.7, 0.6],
            [0.5, 0.9, 0.8, 0.7, 0.6, 0.55, 0.4],
            [0.8, 0.6, 0.7, 0.5, 0.55, 0.4, 0.45, 0.44, 0.43, 0.42],
        ]
        yield {"nights": nights, "patience": 3, "min_delta": 0.0}
        yield {"nights": drawn(nights), "patience": 1, "min_delta": 0.0}
        nights = [
            [0.8, 0.6, 0.596, 0.592, 0.588, 0.3],
            [0.8, 0.6, 0.595, 0.58, 0.9, 0.95, 0.578, 0.7],
            [0.8, 0.6, 0.597, 0.595, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9],
        ]
        yield {"nights": drawn(nights), "patience": 3, "min_delta": 0.01}

    @staticmethod
    def when(stops_at, nights, patience, min_delta):
        results = [stops_at(list(night), patience, min_delta) for night in nights]
        if any(result is None for result in results):
            return {"results": None}
        if any(np.shape(result) != (2,) for result in results):
            raise Misread("one-number", expected="the pair (stopped, best)", got="one result")
        return {"results": [[int(stopped), int(best)] for stopped, best in results]}

    @staticmethod
    def then(seen, nights, patience, min_delta):
        got = [tuple(pair) for pair in seen["results"]]
        right = [_night(night, patience, min_delta) for night in nights]
        if got == right:
            return
        first = next(place for place, pair in enumerate(right) if pair != got[place])
        known = {
            "swaps-the-pair": [pair[::-1] for pair in right],
            "counts-from-zero": [(stopped - 1, best - 1) for stopped, best in right],
            "ignores-min-delta": [_night(night, patience) for night in nights],
            "creeps": [_creeps(night, patience, min_delta) for night in nights],
            "one-epoch-too-long": [_night(night, patience + 1, min_delta) for night in nights],
            "highest-is-best": [_night([-value for value in night], patience, min_delta) for night in nights],
            "never-forgives": [_never_forgives(night, patience, min_delta) for night in nights],
            "compares-with-the-last": [_last(night, patience, min_delta) for night in nights],
        }
        name = next((name for name in stops_at.misconceptions if known.get(name) == got), "other-epochs")
        if name == "other-epochs" and all(
            pair[0] == len(night) for pair, night in zip(got, nights, strict=True)
        ):
            name = "never-stops"
        raise Misread(
            name,
            expected=f"for {nights[first]}: stopped {right[first][0]}, best {right[first][1]}",
            got=f"stopped {got[first][0]}, best {got[first][1]}",
        )


def _creeps(values, patience, min_delta):
    best, at, wait = np.inf, 0, 0
    for epoch, value in enumerate(values, start=1):
        wait = 0 if value < best - min_delta else wait + 1
        if value < best:
            best, at = value, epoch
        if wait >= patience:
            return epoch, at
    return len(values), at


def _never_forgives(values, patience, min_delta):
    best, at, wait = np.inf, 0, 0
    for epoch, value in enumerate(values, start=1):
        if value < best - min_delta:
            best, at = value, epoch
        else:
            wait += 1
            if wait >= patience:
                return epoch, at
    return len(values), at


def _last(values, patience, min_delta):
    before, at, wait = np.inf, 0, 0
    for epoch, value in enumerate(values, start=1):
        if value < before - min_delta:
            at, wait = epoch, 0
        else:
            wait += 1
            if wait >= patience:
                return epoch, at
        before = value
    return len(values), at


@check(
    points=3,
    minutes=12,
    difficulty="medium",
    hints=(
        "Two callbacks, each told what to watch and in which direction. One acts on the training, one on the disk.",
        '`monitor` is `"val_accuracy"` for both. One has `restore_best_weights`, the other `save_best_only`.',
        '`keras.callbacks.EarlyStopping("val_accuracy", mode="max", patience=patience, restore_best_weights=True)` '
        'and `keras.callbacks.ModelCheckpoint(folder / "best.keras", "val_accuracy", mode="max", '
        "save_best_only=True)`",
    ),
)
class make_callbacks:
    """Two callbacks that stop training and keep the best model by validation accuracy."""

    misconceptions = {
        "not-a-list": Misconception(
            "`fit` wants a list of callbacks, and something else came back.",
            "What stands after `return`? A list of two objects is meant, each made by calling its class.",
        ),
        "weights-for-a-model": Misconception(
            "A file of weights alone was asked for, but under the name of a whole model.",
            "The shop has only the file, not your code, so it needs the whole model. Which argument says otherwise?",
            raises=r"must end in `\.(weights\.h5|keras)`",
        ),
        "names-no-metric": Misconception(
            "A callback watches a name that the logs do not have: it warns, stops nothing, and saves every epoch.",
            "The names are those of `history`. What does Keras call the accuracy on validation photos?",
        ),
        "direction-unknown": Misconception(
            "Keras knows no metric of this name, so it cannot tell whether larger is better.",
            "The names are those of `history`. What does Keras call the accuracy on validation photos?",
            raises=r"isn't able to automatically determine",
        ),
        "watches-the-loss": Misconception(
            "Training stopped by the validation *loss*, which is what a callback watches unless told.",
            "Which argument names what to watch? The loss can rise while accuracy still improves.",
        ),
        "watches-training": Misconception(
            "Training stopped by the accuracy on the training photos.",
            "What is learnt by heart proves little. Which name tells of photos that the model did not learn from?",
        ),
        "wrong-direction": Misconception(
            "The worst accuracy was taken for the best.",
            "`mode` says in which direction the metric improves. Which is it for an accuracy?",
        ),
        "never-stops": Misconception(
            "Training went on to the last epoch.",
            "Which of Keras' callbacks stops training, and is it in your list, with the given patience?",
        ),
        "other-patience": Misconception(
            "Training stopped, but not after `patience` epochs without improvement.",
            "Is the argument handed on? Without it EarlyStopping gives up at the first epoch that is no better.",
        ),
        "keeps-the-last-weights": Misconception(
            "After training the model has the weights of the last epoch, `patience` epochs past the best.",
            "EarlyStopping stops; by default it does not go back. Which of its arguments does?",
        ),
        "weights-of-another-epoch": Misconception(
            "Training stopped at the right epoch, but with the weights of one that is not the best by accuracy.",
            "Does a second callback put weights back as well, by a rule of its own? The last one in the list wins.",
        ),
        "no-file": Misconception(
            "There is no `best.keras` in the folder.",
            "Which of Keras' callbacks writes files, and what is its first argument?",
        ),
        "a-file-for-each": Misconception(
            "There are more files than one.",
            "A name with `{epoch}` in it gives a file for each epoch. How can one name serve?",
        ),
        "overwrites-the-best": Misconception(
            "`best.keras` holds the last epoch: each epoch wrote over the one before.",
            "ModelCheckpoint saves after every epoch unless told. Which argument holds it back?",
        ),
        "file-of-another-epoch": Misconception(
            "Training ended right, but `best.keras` is of another epoch: the two callbacks do not agree.",
            "Each has its own `monitor` and `mode`. What does the one that saves watch?",
        ),
    }

    @staticmethod
    def given(rng):
        # Few epochs are the best so far, because each of them writes a file.
        accuracies = [0.66, 0.50, 0.64, 0.72, 0.70, 0.69, 0.71, 0.55, 0.68, 0.66]
        losses = [1.40, 1.20, 1.00, 1.05, 1.10, 1.20, 1.25, 1.30, 1.50, 1.55]
        yield {"val_accuracy": accuracies, "val_loss": losses, "patience": 3}
        accuracies = np.array([0.60, 0.52, 0.42, 0.70, 0.66, 0.68, 0.67, 0.66, 0.64, 0.60])
        accuracies = (accuracies + rng.uniform(0, 0.1) + rng.uniform(0, 0.008, 10)).round(4).tolist()
        losses = [1.30, 1.10, 1.15, 1.20, 1.25, 1.30, 1.35, 1.40, 1.45, 1.50]
        yield {"val_accuracy": accuracies, "val_loss": losses, "patience": int(rng.integers(3, 5))}

    @staticmethod
    def when(make_callbacks, val_accuracy, val_loss, patience):
        from pathlib import Path

        player = _player("answer")
        player.compute_metrics(*[np.zeros((1, 1), np.float32)] * 3)  # builds them: mode="auto" looks there

        def step(epoch, batch):
            # All weights say after which epoch it is, and what only that epoch was given.
            _fill(player, epoch + 1 + val_accuracy[epoch])
            return {"loss": 1 - 0.05 * epoch, "accuracy": TRAINING_ACCURACY[epoch]}

        answers = [
            {"val_loss": loss, "val_accuracy": accuracy}
            for loss, accuracy in zip(val_loss, val_accuracy, strict=True)
        ]
        with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            callbacks = make_callbacks(Path(folder), patience)
            if callbacks is None:
                return {"epochs": None}
            if not isinstance(callbacks, list | tuple):
                raise Misread("not-a-list", expected="a list", got=f"one {type(callbacks).__name__}")
            if not all(isinstance(callback, keras.callbacks.Callback) for callback in callbacks):
                raise Misread("not-a-list", expected="a list of callbacks", got="a list of something else")
            epochs = len(_play(player, callbacks, len(val_accuracy), step, answers))
            end = _mark(player)
            files = sorted(path.name for path in Path(folder).rglob("*") if path.is_file())
            saved = -1.0
            if "best.keras" in files:
                player.load_weights(os.path.join(folder, "best.keras"))
                saved = _mark(player)
            told = [str(one.message) for one in caught if "available" in str(one.message)]
        return {"epochs": epochs, "end": end, "files": files, "saved": saved, "warning": (told or [""])[0]}

    @staticmethod
    def then(seen, val_accuracy, val_loss, patience):
        watched = {
            "right": [-value for value in val_accuracy],
            "watches-the-loss": val_loss,
            "watches-training": [-value for value in TRAINING_ACCURACY],
            "wrong-direction": val_accuracy,
        }
        nights = {name: _night(values, patience) for name, values in watched.items()}
        stopped, best = nights["right"]
        end, saved = (_epoch(seen[name], val_accuracy) for name in ("end", "saved"))
        expected = f"stopped after epoch {stopped} with the weights of epoch {best}"
        got = f"stopped after epoch {seen['epochs']} with the weights of epoch {end}"
        if seen["warning"]:
            raise Misread("names-no-metric", expected="val_accuracy", got=seen["warning"])
        if seen["epochs"] != stopped:
            for name in ("watches-the-loss", "watches-training", "wrong-direction"):
                if seen["epochs"] == nights[name][0] and end in nights[name]:
                    raise Misread(name, expected=expected, got=got)
            if seen["epochs"] == len(val_loss):
                raise Misread("never-stops", expected=expected, got=got)
            raise Misread("other-patience", expected=expected, got=got)
        if end == stopped != best:
            raise Misread("keeps-the-last-weights", expected=expected, got=got)
        if end != best:
            raise Misread("weights-of-another-epoch", expected=expected, got=got)
        if len(seen["files"]) > 1:
            raise Misread("a-file-for-each", expected=["best.keras"], got=seen["files"])
        if seen["files"] != ["best.keras"]:
            raise Misread("no-file", expected=["best.keras"], got=seen["files"])
        if saved != best:
            name = "overwrites-the-best" if saved == stopped else "file-of-another-epoch"
            raise Misread(name, expected=f"best.keras of epoch {best}", got=f"best.keras of epoch {saved}")


@check(
    points=2,
    minutes=12,
    difficulty="medium",
    hints=(
        "`make_schedule` makes a function and returns it, uncalled. That function has two cases: before and after "
        "the warm-up.",
        "Warm-up: `peak * (epoch + 1) / (warmup + 1)`. After it, how far are you, from 0 to 1? That times `np.pi` "
        "goes into the cosine.",
        "`done = (epoch - warmup) / (epochs - warmup)`, then `return float(peak * (1 + np.cos(np.pi * done)) / 2)`",
    ),
)
class make_schedule:
    """A learning rate that rises in a line and falls along a cosine, as a function of the epoch."""

    misconceptions = {
        "not-a-function": Misconception(
            "A schedule is a function that Keras can call for each epoch, and something else came back.",
            "Return the inner function itself, without calling it.",
        ),
        "not-a-float": Misconception(
            "Keras wants a float from the schedule and got something else.",
            "A tensor or a whole number is no float: what turns it into one?",
            raises=r"output of the `schedule` function should be a float",
        ),
        "other-arguments": Misconception(
            "Keras could not call your schedule.",
            "It hands over two arguments, the epoch from 0 and the rate so far. How many does your function take?",
            raises=r"TypeError.*positional argument",
        ),
        "divides-by-zero": Misconception(
            "Without a warm-up something is divided by zero.",
            "With `warmup = 0`, which of your two formulas should epoch 0 use?",
            raises=r"ZeroDivisionError|division by zero",
        ),
        "starts-at-zero": Misconception(
            "The first epoch has a rate of 0: it learns nothing.",
            "Epochs count from 0 here. What has to be added, above and below the line?",
        ),
        "compounds": Misconception(
            "The rates grow out of the ones before: the current rate was scaled again and again.",
            "The second argument is the rate left by the epoch before. Start from `peak` each time.",
        ),
        "peak-too-early": Misconception(
            "The peak is reached one epoch before its time, and stays for two.",
            "The warm-up takes `warmup` epochs *below* the peak. Into how many steps does that divide the way?",
        ),
        "never-warms-up": Misconception(
            "The rates of the first epochs are not those of a warm-up.",
            "What should epoch 0 get, as a share of `peak`, when `warmup` is 3?",
        ),
        "cosine-from-the-start": Misconception(
            "The cosine runs over all epochs, so after the warm-up the rate jumps below the peak.",
            "The fall begins *after* the warm-up. How far along it is epoch `warmup`?",
        ),
        "falls-in-a-line": Misconception(
            "After the peak the rate falls in a straight line.",
            "A cosine begins and ends flat. Which function of NumPy is missing?",
        ),
        "forgets-half": Misconception(
            "After the peak the rate is not half of 1 plus the cosine.",
            "A cosine goes from 1 to -1, a rate should go from 1 to 0. What has to be added and divided?",
        ),
        "forgets-pi": Misconception(
            "The rate falls hardly half way: the angle goes up to 1, not to pi.",
            "At which angle is the cosine at its lowest?",
        ),
        "other-rates": Misconception(
            "These are not the rates of the schedule.",
            "Print the rates of all epochs and compare with the drawing: line, peak, cosine.",
        ),
    }

    @staticmethod
    def given(rng):
        yield {"peak": 0.4, "warmup": 3, "epochs": 8}
        yield {"peak": 1.0, "warmup": 0, "epochs": 4}
        yield {
            "peak": round(float(rng.uniform(0.01, 0.1)), 3),
            "warmup": 1,
            "epochs": int(rng.integers(5, 9)),
        }

    @staticmethod
    def when(make_schedule, peak, warmup, epochs):
        schedule = make_schedule(peak, warmup, epochs)
        if schedule is None:
            return {"rates": None}
        if not callable(schedule):
            raise Misread("not-a-function", expected="a function", got=f"a {type(schedule).__name__}")
        rates, player = [], _player()

        def step(epoch, batch):
            rates.append(float(player.optimizer.learning_rate))
            return {"loss": 1.0}

        try:
            _play(player, [keras.callbacks.LearningRateScheduler(schedule)], epochs, step, [{}] * epochs)
        except TypeError as error:
            # Keras takes any TypeError for a schedule of one argument, as they once were, and calls it again so:
            # the mistake is in the first one.
            first = error.__context__
            raise first if isinstance(first, TypeError) else error from None
        return {"rates": rates}

    @staticmethod
    def then(seen, peak, warmup, epochs):
        got, epoch = np.asarray(seen["rates"], float), np.arange(epochs)
        rising, done = epoch[:warmup], (epoch[warmup:] - warmup) / (epochs - warmup)
        line = peak * np.linspace(0, 1, warmup + 2)[1:-1]
        fall = peak * np.cos(np.pi * done / 2) ** 2
        right = np.concatenate([line, fall])
        if got.shape == right.shape and np.allclose(got, right, rtol=1e-3, atol=1e-6):
            return
        evidence = {"expected": right.round(4), "got": got.round(4)}
        if got.shape != right.shape:
            raise Misread("other-rates", **evidence)
        if warmup and got[0] == 0:
            raise Misread("starts-at-zero", **evidence)
        if warmup > 1 and np.allclose(got[:warmup], peak * (rising + 1) / warmup, rtol=1e-3):
            raise Misread("peak-too-early", **evidence)
        if np.isclose(got[0], 0.5 * right[0] / peak, rtol=1e-3):  # 0.5 is the rate before the first epoch
            raise Misread("compounds", **evidence)
        if not np.allclose(got[:warmup], line, rtol=1e-3):
            raise Misread("never-warms-up", **evidence)
        whole = epoch[warmup:] / epochs
        shapes = {
            "cosine-from-the-start": (1 + np.cos(np.pi * whole)) / 2,
            "falls-in-a-line": 1 - done,
            "forgets-half": np.cos(np.pi * done),
            "forgets-pi": (1 + np.cos(done)) / 2,
        }
        for name, shape in shapes.items():
            if not np.allclose(shape * peak, fall) and np.allclose(
                got[warmup:], shape * peak, rtol=1e-3, atol=1e-6
            ):
                raise Misread(name, **evidence)
        raise Misread("other-rates", **evidence)


@check(
    points=3,
    minutes=15,
    difficulty="hard",
    hints=(
        "Two questions after each batch: which value in `logs` is not finite, and which layer's weights are not?",
        "`np.isfinite` answers for numbers and arrays, infinity included; `layer.get_weights()` lists arrays. "
        "`next((name for ... if ...), None)` gives the first or None.",
        "`metric = next((name for name, value in logs.items() if not np.isfinite(value)), None)`; the same for "
        "layers, with `all(np.isfinite(w).all() for w in layer.get_weights())`. If one is not None: set "
        "`self.found` and `self.model.stop_training = True`.",
    ),
)
class StopOnNaN:
    """Stops at the first number that is not finite, and notes where it was."""

    misconceptions = {
        "asks-a-whole-array": Misconception(
            "An `if` or a `not` was given a whole array, which is neither true nor false.",
            "Weights are arrays, so the question has an answer for each number. Which method asks for all of them?",
            raises=r"truth value of an",
        ),
        "raises-instead": Misconception(
            "An exception came out of `fit`; here training should end in order.",
            "Which attribute of the model asks `fit` to stop?",
            raises=r"^(RuntimeError|FloatingPointError|ArithmeticError)",
        ),
        "not-a-note": Misconception(
            "`self.found` is not the dict that was asked for.",
            "Which four keys does the docstring name?",
        ),
        "cries-wolf": Misconception(
            "Everything was finite, and `self.found` is not None.",
            "What does your condition say when every number is fine?",
        ),
        "finds-nothing": Misconception(
            "A loss became NaN, and nothing was noted.",
            "`nan == nan` is False. Which function tells whether a number is NaN?",
        ),
        "watches-the-loss-only": Misconception(
            "A metric other than the loss was not finite, and it was overlooked or called the loss.",
            "`logs` holds several numbers. Do you look at each, and note the name of the one you found?",
        ),
        "misses-the-weights": Misconception(
            "A layer's weights were NaN while the loss was still finite, and it went unnoticed or was found late.",
            "The loss of a batch is computed *before* its step. Where does a broken step show first?",
        ),
        "misses-infinity": Misconception(
            "NaN is found, infinity is not.",
            "Infinity is as lost as NaN. Which function of NumPy excludes both, in logs and in weights?",
        ),
        "notes-one-only": Misconception(
            "A metric and a layer were both broken; only one is noted.",
            "Does your code return, or go to `elif`, before it has looked at both?",
        ),
        "names-another-layer": Misconception(
            "The layer that you named is not the first with a weight that is not finite.",
            "If every layer but the first is broken, which one does your code name? Does a later one replace it?",
        ),
        "counts-from-one": Misconception(
            "The place is counted from 1.", "Keras' own counting was asked for. Is something added to it?"
        ),
        "other-place": Misconception(
            "The epoch or the batch is not the one where it happened.",
            "`on_train_batch_end` is told the batch. Where do you take the epoch from?",
        ),
        "goes-on": Misconception(
            "The place is right, but training went on.",
            "Noting is not stopping. Which attribute of the model asks `fit` to stop?",
        ),
        "later-replaces-first": Misconception(
            "Training went on, and a later batch replaced the first finding.",
            "Stop at the first finding. Which attribute of the model asks `fit` to stop?",
        ),
    }

    @staticmethod
    def given(rng):
        yield {
            "epochs": 2,
            "batches": 3,
            "bad_log": "loss = nan",
            "bad_weights": "none",
            "at_epoch": 1,
            "at_batch": 2,
        }
        yield {
            "epochs": 2,
            "batches": 3,
            "bad_log": "none",
            "bad_weights": "none",
            "at_epoch": 9,
            "at_batch": 9,
        }
        yield {"bad_log": "loss = inf", "bad_weights": "none", **_somewhere(rng, 4, 1)}
        yield {"bad_log": "accuracy = nan", "bad_weights": "none", **_somewhere(rng, 3, 0)}
        yield {"bad_log": "none", "bad_weights": "hidden, answer = nan", **_somewhere(rng, 4, 1)}
        yield {"bad_log": "none", "bad_weights": "answer = inf", **_somewhere(rng, 3, 0)}
        yield {"bad_log": "loss = nan", "bad_weights": "answer = nan", **_somewhere(rng, 3, 1)}

    @staticmethod
    def when(StopOnNaN, epochs, batches, bad_log, bad_weights, at_epoch, at_batch):
        stop, player, ran = StopOnNaN(), _player("hidden", "answer"), []
        broken, _, filling = bad_weights.partition(" = ")

        def step(epoch, batch):
            ran.append((epoch, batch))
            logs = {"accuracy": 0.5, "loss": 1.0}
            if (epoch, batch) >= (at_epoch, at_batch):
                if bad_log != "none":
                    name, value = bad_log.split(" = ")
                    logs[name] = float(value)
                for layer in player.layers:
                    if layer.name in broken.split(", "):
                        layer.bias.assign(np.full(layer.bias.shape, float(filling), np.float32))
                if bad_weights != "none" and (epoch, batch) > (at_epoch, at_batch):
                    logs["loss"] = float("nan")
            return logs

        _play(player, [stop], epochs, step, [{}] * epochs, batches)
        found = getattr(stop, "found", None)
        if found is None:
            return {"found": "nothing", "ran": len(ran)}
        if not isinstance(found, dict) or not {"epoch", "batch", "metric", "layer"} <= set(found):
            raise Misread("not-a-note", expected="a dict with epoch, batch, metric, layer", got=str(found))
        found = {key: "None" if value is None else value for key, value in found.items()}
        return {"found": found, "ran": len(ran)}

    @staticmethod
    def then(seen, epochs, batches, bad_log, bad_weights, at_epoch, at_batch):
        metric = bad_log.split(" = ")[0] if bad_log != "none" else "None"
        layer = bad_weights.split(" = ")[0].split(", ")[0] if bad_weights != "none" else "None"
        happened = bad_log != "none" or bad_weights != "none"
        right = (
            {"epoch": at_epoch, "batch": at_batch, "metric": metric, "layer": layer}
            if happened
            else "nothing"
        )
        found, evidence = seen["found"], {"expected": right, "got": seen["found"]}
        infinite = "inf" in (bad_log[-3:], bad_weights[-3:])
        steps = at_epoch * batches + at_batch + 1 if happened else epochs * batches
        if not happened:
            if found != "nothing":
                raise Misread("cries-wolf", **evidence)
            return
        if found == "nothing":
            name = "watches-the-loss-only" if metric == "accuracy" else "finds-nothing"
            name = "misses-the-weights" if metric == "None" else name
            raise Misread("misses-infinity" if infinite else name, **evidence)
        place, wanted = [found["epoch"], found["batch"]], [at_epoch, at_batch]
        if place != wanted:
            later = place[0] * batches + place[1] > at_epoch * batches + at_batch
            if seen["ran"] > steps and place == [epochs - 1, batches - 1]:
                raise Misread("later-replaces-first", **evidence)
            if metric == "None" and later and seen["ran"] == steps + 1:
                raise Misread("misses-infinity" if infinite else "misses-the-weights", **evidence)
            one_more = place in (
                [at_epoch + 1, at_batch + 1],
                [at_epoch, at_batch + 1],
                [at_epoch + 1, at_batch],
            )
            raise Misread("counts-from-one" if one_more else "other-place", **evidence)
        if metric != "None" != layer and "None" in (found["metric"], found["layer"]):
            raise Misread("notes-one-only", **evidence)
        if found["metric"] != metric:
            raise Misread("watches-the-loss-only" if metric == "accuracy" else "not-a-note", **evidence)
        if found["layer"] != layer:
            raise Misread(
                "misses-the-weights" if found["layer"] == "None" else "names-another-layer", **evidence
            )
        if seen["ran"] != steps:
            raise Misread("goes-on", expected=f"{steps} batches in all", got=f"{seen['ran']} batches in all")


def _somewhere(rng, epochs, first):
    """Return an epoch, from `first` to the last but one, and a batch of it, neither its first nor its last."""
    batches = int(rng.integers(4, 7))
    at = {"at_epoch": int(rng.integers(first, epochs - 1)), "at_batch": int(rng.integers(1, batches - 1))}
    return {"epochs": epochs, "batches": batches, **at}
