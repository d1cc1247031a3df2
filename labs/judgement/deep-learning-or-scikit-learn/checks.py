"""What each exercise of this lab must do, and the misconceptions that its check can tell apart."""

import itertools
import math

import numpy as np

from labs import Misconception, Misread, check

T95 = {2: 12.706, 3: 4.303, 4: 3.182, 5: 2.776, 6: 2.571}


@check(
    points=1,
    minutes=8,
    difficulty="easy",
    hints=(
        "First find two days: where validation begins, and where test begins. `np.sort(day)` knows both.",
        "Then compare `day` itself with these two. A row belongs to validation if its day is at least the first "
        "and below the second.",
        "`in_order = np.sort(day)`, `first_val = in_order[int(train * len(day))]`, the same for `train + val`; "
        "then `np.flatnonzero(day < first_val)` and so on",
    ),
)
class split_by_time:
    """Row numbers of three parts that follow each other in time, cut between days."""

    misconceptions = {
        "not-three-parts": Misconception(
            "Three parts were asked for.", "Training, validation, test: what stands after `return`?"
        ),
        "not-row-numbers": Misconception(
            "The parts do not consist of row numbers.",
            "A comparison gives True and False, and `day[...]` gives days. Which function makes positions of a mask?",
        ),
        "row-in-two-parts": Misconception(
            "A row lies in two parts, or twice in one.",
            "Look at a row of the first day of a part. On which sides of your comparisons does it lie?",
        ),
        "loses-rows": Misconception(
            "Some rows lie in no part at all.",
            "Look at a row whose day is exactly the first day of a part, and at the very last row.",
        ),
        "trains-on-the-future": Misconception(
            "Training gets the latest days and the test part the earliest.",
            "When the model is used, which side of today has labels?",
        ),
        "takes-the-stored-order": Misconception(
            "You cut the rows in the order in which they are stored.",
            "Nobody said that the rows are sorted. What tells you when a flight was?",
        ),
        "mixes-the-times": Misconception(
            "A part contains days that come after days of the next part.",
            "Were the rows shuffled? Then each test flight has neighbours of its own day in training.",
        ),
        "cuts-through-a-day": Misconception(
            "One day lies in two parts: some of its rows on each side of the cut.",
            "Rows of one day know of each other. Cut by the day's number, not by the row's position.",
        ),
        "other-cut": Misconception(
            "The parts follow each other, but they are cut at other days than asked.",
            "The test part begins at the day of the row at position `int((train + val) * n)` of the sorted rows: of "
            "rows, not of different days.",
        ),
    }

    @staticmethod
    def given(rng):
        yield {"day": np.array([103, 101, 101, 102, 104, 102, 103, 104]), "train": 0.5, "val": 0.25}
        n = int(rng.integers(30, 50))
        yield {"day": _busy(rng, n, 20), "train": 0.5, "val": 0.25}
        yield {"day": np.roll(np.sort(_busy(rng, n, 9)), -(n // 3)), "train": 0.25, "val": 0.25}
        yield {"day": np.sort(_busy(rng, n, 12)), "train": 0.5, "val": 0.125}

    @staticmethod
    def when(split_by_time, day, train, val):
        parts = split_by_time(day, train, val)
        if parts is None:
            return {"parts": None}
        if not isinstance(parts, tuple | list) or len(parts) != 3:
            raise Misread(
                "not-three-parts", expected="three arrays of row numbers", got="another number of results"
            )
        return {"parts": [np.asarray(part) for part in parts]}

    @staticmethod
    def then(seen, day, train, val):
        parts = [np.asarray(part) for part in seen["parts"]]
        n = len(day)
        for part in parts:
            whole = part.dtype.kind in "iu" or part.size == 0
            if part.ndim != 1 or not whole or np.any((part < 0) | (part >= n)):
                raise Misread("not-row-numbers", expected=f"row numbers from 0 to {n - 1}", got=part)
        # The parts by counting: a row's day begins where as many rows as there are earlier ones lie before it.
        before = np.array([np.sum(day < one) + np.sum(day == one) for one in day])
        cuts = [int(train * n), int((train + val) * n)]
        wanted = [np.flatnonzero(before <= cuts[0])]
        wanted += [np.flatnonzero((before > cuts[0]) & (before <= cuts[1])), np.flatnonzero(before > cuts[1])]
        if all(np.array_equal(np.sort(p), w) for p, w in zip(parts, wanted, strict=True)):
            return
        shown = {"expected": _days(day, wanted), "got": _days(day, parts)}
        rows = np.concatenate([part.astype(int) for part in parts])
        if len(set(rows.tolist())) < len(rows):
            raise Misread("row-in-two-parts", **shown)
        if len(rows) < n:
            raise Misread("loses-rows", expected=f"{n} rows in all", got=f"{len(rows)} rows in all")
        a, b, c = (day[part.astype(int)] for part in parts)
        if len(a) and len(c) and a.min() >= c.max():
            raise Misread("trains-on-the-future", **shown)
        stored = np.split(np.arange(n), cuts)
        if all(np.array_equal(np.sort(p), s) for p, s in zip(parts, stored, strict=True)):
            name = "takes-the-stored-order" if np.any(np.diff(day) < 0) else "cuts-through-a-day"
            raise Misread(name, **shown)
        pairs = [(x, y) for x, y in ((a, b), (b, c), (a, c)) if len(x) and len(y)]
        if any(x.max() > y.min() for x, y in pairs):
            raise Misread("mixes-the-times", **shown)
        if any(x.max() == y.min() for x, y in pairs):
            raise Misread("cuts-through-a-day", **shown)
        raise Misread("other-cut", **shown)


def _busy(rng, n, days):
    """Return n days out of `days`, unequally busy, each cut of the cases inside one."""
    day = 100 + np.minimum(rng.integers(0, days, n), rng.integers(0, days, n) + 2)
    in_order = np.sort(day)
    for cut in (0.25, 0.5, 0.625, 0.75):
        at = int(cut * n)
        in_order[at - 1] = in_order[at]  # so that a cut by position goes through a day
    return rng.permutation(in_order)


def _days(day, parts):
    """Say which days each part holds."""
    names = ("train", "validation", "test")
    return {
        name: f"{len(part)} rows, days {day[part].min()} to {day[part].max()}" if len(part) else "empty"
        for name, part in zip(names, (np.asarray(p, int) for p in parts), strict=True)
    }


@check(
    points=2,
    minutes=12,
    difficulty="medium",
    hints=(
        "`fit` keeps three things on `self`: means, spreads and, for each column of categories, the known ones. "
        "`transform` only uses them.",
        "`np.nanmean` and `np.nanstd` skip NaN. A spread of 0 becomes 1. For ids make a dict from category to "
        "number and ask it with `.get(category, 0)`.",
        "`scaled = np.nan_to_num((numbers - self.mean) / self.spread)`; for each column "
        "`{category: i for i, category in enumerate(known, start=1)}`; at the end `np.column_stack([scaled, *ids])`",
    ),
)
class Encoder:
    """Scaled numbers and category ids, with what the training rows taught and nothing else."""

    misconceptions = {
        "fit-gives-nothing": Misconception(
            "`fit` did not return the encoder itself.",
            "`Encoder().fit(...)` is used in one line. What must `fit` end with, so that it can go on?",
        ),
        "stumbles-over-the-unknown": Misconception(
            "A category that `fit` has not seen made `transform` stop.",
            "Which way of asking a dict or a list has an answer ready for what is not in it?",
            raises=r"KeyError|not in list|unseen|[Uu]nknown categor|is not in",
        ),
        "other-shape": Misconception(
            "The result is not one array of numbers of shape (rows, numbers + categories).",
            "Scaled numbers first, then one column of ids for each column of categories.",
        ),
        "learns-from-the-new-rows": Misconception(
            "`transform` learned from the rows it was to encode: mean, spread or categories came from them.",
            "Which of your lines in `transform` compute something from all new rows together?",
        ),
        "leaves-the-gaps": Misconception(
            "Missing numbers came out as NaN, or made a whole column NaN.",
            "Which mean skips NaN? And what fills the gap after scaling?",
        ),
        "divides-by-zero": Misconception(
            "A column that never varied in training became NaN, infinite or enormous.",
            "Its spread is 0. What do you divide by?",
        ),
        "fills-before-scaling": Misconception(
            "Missing numbers were filled in before the scaling, so they count as measured.",
            "0 minutes after midnight is a time of day, 0 after scaling is the mean. Which one says 'unknown'?",
        ),
        "not-scaled": Misconception(
            "The numbers come out in another scale.",
            "Subtract the mean, divide by the standard deviation (with n below the line), column by column.",
        ),
        "unknown-looks-known": Misconception(
            "An unknown category received the id of a known one.",
            "0 is kept for the unknown. Do your ids begin at 1, and what does your search say about something that "
            "is not there?",
        ),
        "other-ids": Misconception(
            "An id is not the one asked for: 1, 2, 3, ... for known categories in sorted order, 0 for all others.",
            "Sort the different categories of each column on their own, then count from 1.",
        ),
    }

    @staticmethod
    def given(rng):
        numbers = np.array([[10.0, 1.0], [20.0, np.nan], [30.0, 5.0], [np.nan, 3.0]])
        categories = np.array([["b", "x"], ["a", "y"], ["c", "y"], ["a", "x"]])
        new = np.array([[20.0, np.nan], [50.0, 7.0]])
        yield {
            "numbers": numbers,
            "categories": categories,
            "new_numbers": new,
            "new_categories": np.array([["c", "z"], ["aa", "x"]]),
        }
        n = int(rng.integers(8, 14))
        numbers = rng.normal(50, 20, (n, 3)).round(1)
        numbers[:, 1] = 7.0
        numbers[0, 0] = np.nan
        yield {
            "numbers": numbers,
            "categories": rng.choice(["EWR", "JFK", "LGA"], (n, 1)),
            "new_numbers": rng.normal(80, 5, (1, 3)).round(1),
            "new_categories": np.array([["HPN"]]),
        }

    @staticmethod
    def when(Encoder, numbers, categories, new_numbers, new_categories):
        encoder = Encoder()
        fitted = encoder.fit(numbers.copy(), categories.copy())
        if fitted is not encoder:
            raise Misread("fit-gives-nothing", expected="the encoder", got=type(fitted).__name__)
        old = fitted.transform(numbers.copy(), categories.copy())
        new = fitted.transform(new_numbers.copy(), new_categories.copy())
        again = fitted.transform(numbers[:1].copy(), categories[:1].copy())
        if old is None or new is None:
            return {"old": None}
        for one in (old, new):
            if not isinstance(one, np.ndarray) or one.dtype.kind not in "fiu":
                got = f"an array of {one.dtype.name}" if isinstance(one, np.ndarray) else type(one).__name__
                raise Misread("other-shape", expected="one array of floats", got=got)
        return {
            "old": np.asarray(old, float),
            "new": np.asarray(new, float),
            "again": np.asarray(again, float),
        }

    @staticmethod
    def then(seen, numbers, categories, new_numbers, new_categories):
        k, c = numbers.shape[1], categories.shape[1]
        for name, rows in (("old", len(numbers)), ("new", len(new_numbers)), ("again", 1)):
            if seen[name].shape != (rows, k + c):
                raise Misread("other-shape", expected=[rows, k + c], got=list(seen[name].shape))
        mean, spread = _moments(numbers)
        steady = spread == 0
        known = [sorted(set(column)) for column in categories.T.tolist()]

        def scaled(rows):
            z = (rows - mean) / np.where(steady, 1, spread)
            return np.where(np.isnan(z), 0, z)

        def ids(rows):
            return np.array(
                [[k.index(v) + 1 if v in k else 0 for v, k in zip(r, known, strict=True)] for r in rows]
            )

        wanted_old, wanted_new = scaled(numbers), scaled(new_numbers)
        old, new = seen["old"], seen["new"]
        shown = {"expected": {"new numbers": wanted_new}, "got": {"new numbers": new[:, :k]}}
        if np.allclose(seen["again"], old[:1], equal_nan=True) is False:
            raise Misread(
                "learns-from-the-new-rows",
                expected={"row 0, on its own": old[0]},
                got={"row 0, on its own": seen["again"][0]},
            )
        varied = ~steady
        if np.any(~np.isfinite(new[:, :k][:, varied])) or np.any(~np.isfinite(old[:, :k][:, varied])):
            raise Misread(
                "leaves-the-gaps",
                expected={"training numbers": wanted_old},
                got={"training numbers": old[:, :k]},
            )
        flat = np.concatenate([old[:, :k], new[:, :k]])[:, steady]
        if flat.size and (np.any(~np.isfinite(flat)) or np.abs(flat).max() > 1e5):
            raise Misread("divides-by-zero", **shown)
        gaps = np.isnan(numbers)
        if not np.allclose(old[:, :k], wanted_old, atol=1e-6) or not np.allclose(
            new[:, :k], wanted_new, atol=1e-6
        ):
            right = np.allclose(old[:, :k][~gaps], wanted_old[~gaps], atol=1e-6)
            filled = np.where(gaps, 0, numbers)
            early = (filled - filled.mean(0)) / np.where(filled.std(0) > 0, filled.std(0), 1)
            name = (
                "fills-before-scaling" if right or np.allclose(old[:, :k], early, atol=1e-6) else "not-scaled"
            )
            raise Misread(
                name, expected={"training numbers": wanted_old}, got={"training numbers": old[:, :k]}
            )
        wanted_ids, got_ids = ids(new_categories.tolist()), new[:, k:]
        shown = {"expected": {"new ids": wanted_ids}, "got": {"new ids": got_ids}}
        own = set(map(float, old[:, k:].ravel()))
        if any(got in own for got in got_ids[wanted_ids == 0].tolist()):
            raise Misread("unknown-looks-known", **shown)
        if not np.array_equal(old[:, k:], ids(categories.tolist())) or not np.array_equal(
            got_ids, wanted_ids
        ):
            raise Misread("other-ids", **shown)


def _moments(numbers):
    """Return mean and standard deviation of what was measured, column by column."""
    columns = [[value for value in column if not math.isnan(value)] for column in numbers.T.tolist()]
    means = np.array([sum(values) / len(values) for values in columns])
    squares = [
        sum((v - m) ** 2 for v in values) / len(values) for values, m in zip(columns, means, strict=True)
    ]
    return means, np.sqrt(squares)


@check(
    points=2,
    minutes=8,
    difficulty="easy",
    hints=(
        "Cut the list first, then train each setting once and keep all scores.",
        "`settings[:tries]` may be shorter than `tries`, and that is fine. `np.nanargmax` skips NaN.",
        "`tried = settings[:tries]`, `scores = [train_and_score(setting) for setting in tried]`, "
        "`best = int(np.nanargmax(scores))`, and the dict of `tried[best]`, `scores[best]`, `len(tried)`",
    ),
)
class tune:
    """The best of the first few settings, each trained once."""

    misconceptions = {
        "over-the-budget": Misconception(
            "More settings were tried than the budget allows.",
            "Which argument is the budget, and where do you use it?",
        ),
        "under-the-budget": Misconception(
            "Fewer of the first settings were trained than the budget allows.",
            "Does your loop end early, does it skip the first, or is `return` inside it?",
        ),
        "trains-again": Misconception(
            "A setting was trained more than once.",
            "Training is what costs, and a second run costs the budget of another. Keep what the first call gave.",
        ),
        "gives-a-position": Misconception(
            "`best` is not one of the settings.",
            "You have its position or its score. Which list holds the setting?",
        ),
        "nan-wins": Misconception(
            "A diverged training, with NaN for a score, won or blocked the others.",
            "What is `nan > 0.5`, and what is `0.5 > nan`? Which function of NumPy leaves NaN out?",
        ),
        "takes-the-lowest": Misconception(
            "You chose the setting with the lowest score.", "Is this a score or a loss?"
        ),
        "takes-the-last-of-equals": Misconception(
            "Of two equal scores you took the later one.",
            "`>` or `>=`: which one lets a newcomer with the same score win?",
        ),
        "wrong-count": Misconception(
            "`tried` is not how many settings were trained.",
            "There may be fewer settings than tries. Which list has the right length?",
        ),
        "other-choice": Misconception(
            "This is not the best of the settings, or not its score.",
            "Print the scores, and look which one belongs to the setting that you returned.",
        ),
    }

    @staticmethod
    def given(rng):
        yield {"scores": [0.61, 0.74, 0.70, 0.99], "tries": 3}
        yield {"scores": [math.nan, 0.55, 0.60, 0.58], "tries": 4}
        yield {"scores": [0.62, math.nan, 0.71], "tries": 5}
        yield {"scores": [0.5, 0.8, 0.8, 0.6], "tries": 4}
        middle, (low, high) = rng.permutation([0.61, 0.64, 0.66, 0.69]), rng.permutation([1, 2])
        scores = [middle[0], *middle[1:3], middle[3], 0.95]  # the last, best one lies beyond the budget
        scores[low], scores[high] = 0.55, 0.74
        yield {"scores": (np.array(scores) + rng.uniform(-0.1, 0.04)).round(4).tolist(), "tries": 4}

    @staticmethod
    def when(tune, scores, tries):
        settings = [{"rate": 10.0**-i} for i in range(len(scores))]
        calls = []

        def train_and_score(setting):
            calls.append(settings.index(setting))
            return scores[calls[-1]]

        found = tune(train_and_score, list(settings), tries)
        if found is None:
            return {"found": None}
        best = found["best"]
        position = settings.index(best) if isinstance(best, dict) and best in settings else -1
        return {"calls": calls, "best": position, "score": float(found["score"]), "tried": found["tried"]}

    @staticmethod
    def then(seen, scores, tries):
        count, calls = min(tries, len(scores)), seen["calls"]
        trained = {"trained": f"settings {', '.join(map(str, calls))}"}
        if any(call >= count for call in calls):
            raise Misread("over-the-budget", expected={"trained": f"the first {count}"}, got=trained)
        if len(set(calls)) < count:
            raise Misread("under-the-budget", expected={"trained": f"the first {count}"}, got=trained)
        if len(calls) > count:
            raise Misread("trains-again", expected=f"{count} trainings", got=f"{len(calls)} trainings")
        if seen["best"] < 0:
            raise Misread("gives-a-position", expected="one of the settings, a dict", got="something else")
        finite = [score for score in scores[:count] if score == score]
        best = scores.index(max(finite))
        shown = {
            "expected": {"best": f"setting {best}", "score": scores[best]},
            "got": {"best": f"setting {seen['best']}", "score": seen["score"]},
        }
        if seen["best"] != best:
            chosen = scores[seen["best"]]
            blocked = len(finite) < count and chosen != min(finite)
            if chosen != chosen or (blocked and chosen == scores[0]):
                raise Misread("nan-wins", **shown)
            if chosen == min(finite):
                raise Misread("takes-the-lowest", **shown)
            if chosen == scores[best]:
                raise Misread("takes-the-last-of-equals", **shown)
            raise Misread("other-choice", **shown)
        if not math.isclose(seen["score"], scores[best]):
            raise Misread("other-choice", **shown)
        if seen["tried"] != count:
            raise Misread("wrong-count", expected=count, got=seen["tried"])


@check(
    points=2,
    minutes=10,
    difficulty="medium",
    hints=(
        "Two loops, one over seeds and one over sizes. Which of them needs a new shuffle?",
        "One order for each seed: `np.random.default_rng(seed).permutation(n)`. A size takes its first rows.",
        "`curve = np.zeros((len(sizes), len(seeds), 2))`; for each seed an `order`; for each size "
        "`curve[i, j] = train_and_score(order[:size], seed)`",
    ),
)
class learning_curve:
    """Score and seconds for each size and seed, on nested draws that depend on the seed alone."""

    misconceptions = {
        "wrong-size": Misconception(
            "`train_and_score` received another number of rows than a size asks for.",
            "Print `len(rows)` in front of each call. How many rows does `order[:size]` have?",
        ),
        "draws-with-replacement": Misconception(
            "A row was drawn twice.",
            "Which draw puts nothing back? `permutation` holds each number once; `integers` and `choice` need not.",
        ),
        "takes-the-first-rows": Misconception(
            "Every seed received the first rows as they are stored.",
            "A spread over seeds should show the luck of the draw. Where is the draw?",
        ),
        "same-rows-for-every-seed": Misconception(
            "Different seeds received the same rows.",
            "How often do you make a generator, and what do you give it?",
        ),
        "forgets-the-seed": Misconception(
            "`train_and_score` did not receive the seed of its column.",
            "It also starts the weights. Which argument comes second: the seed or its position?",
        ),
        "not-nested": Misconception(
            "For one seed, the smaller set is not part of the larger.",
            "A curve should show what *more* rows bring. Shuffle once for each seed, not once for each size.",
        ),
        "other-rows-each-time": Misconception(
            "A second call drew other rows, so two models could not be compared row by row.",
            "What does your draw depend on, apart from the seed? `np.random.default_rng(seed)` forgets all else.",
        ),
        "other-draw": Misconception(
            "The draw is fair and repeats, but it is not the one asked for, so your rows are not those of the other "
            "model.",
            "Which generator and which of its methods does the exercise name? Which rows does a size take?",
        ),
        "averages-too-early": Misconception(
            "The seeds or the seconds are gone from the result.",
            "Spread cannot be computed from a mean. Keep one pair for each size and seed.",
        ),
        "axes-swapped": Misconception(
            "Seeds come first in the result and sizes second.",
            "Which order does the docstring name?",
        ),
        "other-curve": Misconception(
            "The numbers do not stand where they belong.",
            "Print size, seed and the pair at each call, and find the pair in your result.",
        ),
    }

    @staticmethod
    def given(rng):
        yield {"n": 40, "sizes": (5, 10, 40), "seeds": (3, 7)}
        yield {
            "n": int(rng.integers(60, 90)),
            "sizes": [20, 30],
            "seeds": [int(s) for s in rng.permutation(50)[:3]],
        }

    @staticmethod
    def when(learning_curve, n, sizes, seeds):
        runs = []
        for _ in range(2):
            calls = []

            def train_and_score(rows, seed, calls=calls):
                rows = [int(row) for row in rows]
                calls.append({"rows": rows, "seed": int(seed)})
                return len(rows) / n, seed + sum(rows) / 1000

            curve = learning_curve(train_and_score, n, sizes, seeds)
            if curve is None:
                return {"curve": None}
            runs.append(calls)
        return {"calls": runs[0], "again": runs[1], "curve": np.asarray(curve, float)}

    @staticmethod
    def then(seen, n, sizes, seeds):
        calls, curve = seen["calls"], np.asarray(seen["curve"])
        lengths = sorted(len(call["rows"]) for call in calls)
        if lengths != sorted(int(size) for size in sizes for _ in seeds):
            raise Misread("wrong-size", expected=f"sizes {list(sizes)}, each {len(seeds)} times", got=lengths)
        for call in calls:
            if len(set(call["rows"])) < len(call["rows"]):
                raise Misread(
                    "draws-with-replacement", expected="each row once", got=sorted(call["rows"])[:12]
                )
        small = [call["rows"] for call in calls if len(call["rows"]) == min(sizes)]
        if all(sorted(rows) == list(range(min(sizes))) for rows in small):
            raise Misread("takes-the-first-rows", expected="a random draw", got=sorted(small[0])[:12])
        if len({tuple(sorted(rows)) for rows in small}) < len(small):
            raise Misread("same-rows-for-every-seed", expected="other rows for each seed", got=small[0][:12])
        if sorted(call["seed"] for call in calls) != sorted(list(seeds) * len(sizes)):
            got = sorted(call["seed"] for call in calls)
            raise Misread("forgets-the-seed", expected=sorted(list(seeds) * len(sizes)), got=got)
        drawn = {(call["seed"], len(call["rows"])): set(call["rows"]) for call in calls}
        for seed in seeds:
            steps = [drawn.get((seed, size), set()) for size in sorted(sizes)]
            if any(not less <= more for less, more in itertools.pairwise(steps)):
                raise Misread("not-nested", expected="the smaller set within the larger", got="other rows")
        again = {(call["seed"], len(call["rows"])): set(call["rows"]) for call in seen["again"]}
        if again != drawn:
            raise Misread(
                "other-rows-each-time", expected="the same rows for the same seed", got="other rows"
            )
        order = {seed: np.random.default_rng(seed).permutation(n) for seed in seeds}
        wanted = np.array([[(s / n, e + order[e][:s].sum() / 1000) for e in seeds] for s in sizes])
        if curve.shape != wanted.shape:
            swapped = curve.shape == wanted.transpose(1, 0, 2).shape
            name = "axes-swapped" if swapped else "averages-too-early"
            raise Misread(name, expected=f"shape {wanted.shape}", got=f"shape {curve.shape}")
        mine = {key: (key[1] / n, key[0] + sum(rows) / 1000) for key, rows in drawn.items()}
        given = np.array([[mine[e, s] for e in seeds] for s in sizes])
        if not np.allclose(curve, given):
            raise Misread("other-curve", expected=given[0], got=curve[0])
        if not np.allclose(curve, wanted):
            asked = {(seed, size): {int(row) for row in order[seed][:size]} for seed, size in drawn}
            first = next(key for key in sorted(drawn) if drawn[key] != asked[key])
            raise Misread("other-draw", expected=sorted(asked[first]), got=sorted(drawn[first]))


@check(
    points=2,
    minutes=8,
    difficulty="medium",
    hints=(
        "Subtract first, seed by seed. From there on there is one row of numbers.",
        "`difference.std(ddof=1)` divides by n - 1. The standard error is that, divided by the root of n.",
        "`half = T95[n] * difference.std(ddof=1) / np.sqrt(n)`; return `mean, mean - half, mean + half`",
    ),
)
class paired_difference:
    """The mean of a - b with its 95 % interval, paired by seed."""

    misconceptions = {
        "not-three-numbers": Misconception(
            "Three numbers were asked for: mean, low and high.",
            "What stands after `return`, and with which commas?",
        ),
        "wrong-way-round": Misconception(
            "The difference was taken the other way round.", "Which of the two is subtracted from the other?"
        ),
        "ends-swapped": Misconception("The lower end lies above the upper one.", "Which end has the minus?"),
        "not-paired": Misconception(
            "The spreads of both models were added up, as if their seeds had nothing in common.",
            "Subtract seed by seed first. What is left of the luck that both shared?",
        ),
        "spread-for-error": Misconception(
            "You used the spread of one difference for the error of their mean.",
            "A mean of n is surer than one of them. By which factor?",
        ),
        "divides-by-n": Misconception(
            "The interval is a little too narrow: the standard deviation divided by n.",
            "NumPy divides by n unless told otherwise. Which argument of `std` makes it n - 1?",
        ),
        "always-two": Misconception(
            "The interval is that of very many seeds: 1.96 or 2 times the standard error.",
            "Three differences tell little of their own spread. Which table holds the number for n?",
        ),
        "other-t": Misconception(
            "The interval has the form asked for, with a t for another number of seeds.",
            "`T95` is asked with the number of differences.",
        ),
        "lowest-and-highest": Misconception(
            "You returned the lowest and the highest difference.",
            "With more seeds these move apart, while a mean becomes surer. What makes an interval narrower?",
        ),
        "other-interval": Misconception(
            "This is not the interval asked for.",
            "Work it out on paper for differences of 1, 2 and 3: the mean is 2, s is 1, n is 3.",
        ),
    }

    @staticmethod
    def given(rng):
        yield {"a": [0.74, 0.66, 0.71], "b": [0.70, 0.65, 0.65]}
        yield {"a": [0.60, 0.70, 0.65, 0.61], "b": [0.58, 0.68, 0.63, 0.59]}
        n = int(rng.integers(4, 7))
        draw = rng.normal(0.6, 0.05, n)
        yield {
            "a": (draw + rng.normal(0.02, 0.01, n)).round(3),
            "b": (draw + rng.normal(0.06, 0.01, n)).round(3),
        }

    @staticmethod
    def when(paired_difference, a, b):
        found = paired_difference(a, b)
        if found is None:
            return {"found": None}
        if np.shape(found) != (3,):
            raise Misread("not-three-numbers", expected="(mean, low, high)", got=f"shape {np.shape(found)}")
        return {"found": [float(value) for value in found]}

    @staticmethod
    def then(seen, a, b):
        n, found = len(a), seen["found"]
        d = [float(x) - float(y) for x, y in zip(a, b, strict=True)]
        mean = math.fsum(d) / n
        square = math.fsum((x - mean) ** 2 for x in d)
        s, error = math.sqrt(square / (n - 1)), math.sqrt(square / (n - 1) / n)
        half = T95[n] * error

        def around(middle, width):
            return np.array([middle, middle - width, middle + width])

        def same(width, middle=mean):
            return np.allclose(found, around(middle, width), rtol=1e-3, atol=1e-7)

        if same(half):
            return
        shown = {"expected": around(mean, half).tolist(), "got": found}
        if not math.isclose(found[0], mean, abs_tol=1e-9) and math.isclose(found[0], -mean, abs_tol=1e-9):
            raise Misread("wrong-way-round", **shown)
        if found[1] > found[2] + 1e-9:
            raise Misread("ends-swapped", **shown)
        apart = [np.var(np.asarray(x, float), ddof=ddof) for ddof in (0, 1) for x in (a, b)]
        loose = [math.sqrt((apart[i] + apart[i + 1]) / n) for i in (0, 2)]
        narrow = math.sqrt(square / n / n)
        if any(same(T95[n] * x) or same(1.96 * x) or same(2 * x) for x in loose):
            raise Misread("not-paired", **shown)
        if s > 1e-9:
            if any(
                same(T95[n] * x) or same(x) or same(1.96 * x) or same(2 * x)
                for x in (s, math.sqrt(square / n))
            ):
                raise Misread("spread-for-error", **shown)
            if same(T95[n] * narrow):
                raise Misread("divides-by-n", **shown)
            if any(same(t * x) for t in (1.96, 2) for x in (error, narrow)):
                raise Misread("always-two", **shown)
            if any(same(t * error) for t in T95.values()):
                raise Misread("other-t", **shown)
            if np.allclose(found, [mean, min(d), max(d)]):
                raise Misread("lowest-and-highest", **shown)
        raise Misread("other-interval", **shown)


@check(
    points=3,
    minutes=15,
    difficulty="hard",
    hints=(
        "Sort the names by seconds first. Keep the choice so far in a variable, and go through the others in order.",
        "Each challenger is compared with the choice *so far*: `paired_difference(challenger, choice)`. Look at "
        "`low` and `high` only; the mean does not decide.",
        "`choice, *challengers = sorted(results, key=lambda name: results[name]['seconds'])`; in the loop: over "
        "budget? then `continue`; `low > worth`: new choice, `margin = low`; `high < worth`: not better; else not "
        "enough evidence",
    ),
)
class decide:
    """Which candidate to take, by score, spread, cost and what a difference is worth."""

    misconceptions = {
        "incomplete": Misconception(
            "The result lacks one of `choice`, `verdicts` and `margin`.",
            "Read the docstring's first line again.",
        ),
        "verdicts-for-others": Misconception(
            "Somebody who challenges has no verdict, or somebody who does not has one.",
            "Who is over the budget is a challenger too, with a verdict. Does the cheapest challenge anybody?",
        ),
        "ignores-the-budget": Misconception(
            "A candidate that takes too long was compared, or even chosen.",
            "Before anything is compared: which number of it stands against `budget`?",
        ),
        "in-the-order-given": Misconception(
            "The candidates were taken in the order of the table, not of their cost.",
            "Who has to prove himself against whom? A dict is not sorted by seconds.",
        ),
        "takes-the-highest-mean": Misconception(
            "The choice is decided by the mean, whatever the spread.",
            "A mean of three may be luck. Which end of the interval must lie above `worth`?",
        ),
        "any-difference-will-do": Misconception(
            "A difference counted as soon as its interval left zero behind.",
            "A difference may be real and still not worth its cost. Which argument says what is worth having?",
        ),
        "compares-with-the-cheapest": Misconception(
            "Every challenger was compared with the cheapest candidate.",
            "When somebody has won, whom does the next one have to beat?",
        ),
        "takes-doubt-for-a-no": Misconception(
            "Where the interval leaves it open, your verdict says `not better`, or the other way round.",
            "No evidence of a difference is not evidence of none. Which end of the interval would have to be small?",
        ),
        "other-margin": Misconception(
            "The choice is right, but `margin` is another number than the `low` of its win.",
            "What is the least that you can promise? And what if nobody won?",
        ),
        "other-decision": Misconception(
            "This is not the decision that the rules lead to.",
            "Sort the candidates by seconds on paper, and write each interval beside its challenger.",
        ),
    }

    @staticmethod
    def given(rng):
        close = _result([0.69, 0.72, 0.71], 5.0)
        yield {
            "results": {"network": close, "line": _result([0.70, 0.69, 0.70], 0.1)},
            "budget": 60.0,
            "worth": 0.01,
        }
        yield {"results": _photos(), "budget": 60.0, "worth": 0.01}
        yield {"results": _photos(), "budget": 4.0, "worth": 0.01}
        # Better than the cheapest, not than the one between; its verdict depends on whom it met.
        higher = rng.uniform(-0.1, 0.1)
        yield {
            "results": {
                "network": _result((np.array([0.805, 0.794, 0.802]) + higher).round(4), 7.0),
                "majority": _result([0.50, 0.50, 0.50], 0.01),
                "trees": _result((np.array([0.80, 0.79, 0.80]) + higher).round(4), 0.5),
            },
            "budget": 8.0,
            "worth": 0.01,
        }
        # A difference that is certain and small.
        base = rng.uniform(0.6, 0.7, 4).round(3)
        yield {
            "results": {
                "network": _result(base + np.array([0.007, 0.008, 0.007, 0.008]), 3.0),
                "line": _result(base, 0.2),
            },
            "budget": 10.0,
            "worth": 0.02,
        }
        # A mean far above, on scattered seeds, and a dearer one that is clearly better.
        jump, gain = np.array([0.10, 0.00, 0.05, 0.01]), round(float(rng.uniform(0.06, 0.09)), 4)
        yield {
            "results": {
                "wide": _result(base + jump, 2.0),
                "line": _result(base, 0.2),
                "sure": _result(base + gain + np.array([0, 0.005, 0, 0]), 6.0),
            },
            "budget": 10.0,
            "worth": 0.01,
        }

    @staticmethod
    def when(decide, results, budget, worth):
        found = decide(results, budget, worth)
        if found is None:
            return {"found": None}
        if not isinstance(found, dict) or not {"choice", "verdicts", "margin"} <= set(found):
            got = f"only {', '.join(found)}" if isinstance(found, dict) else type(found).__name__
            raise Misread("incomplete", expected="a dict with choice, verdicts and margin", got=got)
        return {
            "choice": str(found["choice"]),
            "verdicts": dict(found["verdicts"]),
            "margin": float(found["margin"]),
        }

    @staticmethod
    def then(seen, results, budget, worth):
        wanted = _ladder(results, budget, worth)
        got = {"choice": seen["choice"], "verdicts": seen["verdicts"], "margin": seen["margin"]}
        if _same(got, wanted):
            return
        shown = {"expected": _told(wanted), "got": _told(got)}
        over = {name for name in results if results[name]["seconds"] > budget}
        marked = {name for name, verdict in got["verdicts"].items() if verdict == "over budget"}
        if got["choice"] == wanted["choice"] and set(got["verdicts"]) == set(wanted["verdicts"]):
            pairs = [{got["verdicts"][name], verdict} for name, verdict in wanted["verdicts"].items()]
            wrong = [pair for pair in pairs if len(pair) > 1]
            if not wrong:
                raise Misread("other-margin", **shown)
            if all(pair == {"not better", "not enough evidence"} for pair in wrong):
                raise Misread("takes-doubt-for-a-no", **shown)
        if _same(got, _ladder(results, budget, worth, sort=False), whole=False):
            raise Misread("in-the-order-given", **shown)
        if set(got["verdicts"]) != set(wanted["verdicts"]):
            raise Misread("verdicts-for-others", **shown)
        if over != marked or got["choice"] in over:
            raise Misread("ignores-the-budget", **shown)
        variants = {
            "takes-the-highest-mean": {"by": "mean"},
            "any-difference-will-do": {"worth": 0.0},
            "compares-with-the-cheapest": {"rival": "cheapest"},
        }
        for name, other in variants.items():
            if _same(got, _ladder(results, **{"budget": budget, "worth": worth, **other}), whole=False):
                raise Misread(name, **shown)
        means = {name: np.mean(one["scores"]) for name, one in results.items() if name not in over}
        if got["choice"] != wanted["choice"] and got["choice"] == max(means, key=means.get):
            raise Misread("takes-the-highest-mean", **shown)
        raise Misread("other-decision", **shown)


def _result(scores, seconds):
    return {"scores": np.asarray(scores, float), "seconds": seconds}


def _photos():
    return {
        "network": _result([0.70, 0.69, 0.71], 9.0),
        "forest": _result([0.55, 0.53, 0.57], 1.0),
        "majority": _result([0.10, 0.10, 0.10], 0.01),
        "line": _result([0.54, 0.55, 0.53], 2.0),
    }


def _ladder(results, budget, worth, sort=True, by="low", rival="choice"):
    """Return the decision by the rules, or by rules that people mistake for them."""
    names = list(results)
    if sort:
        names.sort(key=lambda name: results[name]["seconds"])
    best, verdicts, won = names[0], {}, 0.0
    for name in names[1:]:
        if results[name]["seconds"] > budget:
            verdicts[name] = "over budget"
            continue
        against = names[0] if rival == "cheapest" else best
        d = np.asarray(results[name]["scores"]) - np.asarray(results[against]["scores"])
        mean, half = d.mean(), T95[len(d)] * np.sqrt(np.sum((d - d.mean()) ** 2) / (len(d) - 1) / len(d))
        low, high = (mean, mean) if by == "mean" else (mean - half, mean + half)
        verdicts[name] = "better" if low > worth else "not better" if high < worth else "not enough evidence"
        if low > worth:
            best, won = name, low
    return {"choice": best, "verdicts": verdicts, "margin": float(won)}


def _same(got, wanted, whole=True):
    if got["choice"] != wanted["choice"] or got["verdicts"] != wanted["verdicts"]:
        return False
    return not whole or math.isclose(got["margin"], wanted["margin"], rel_tol=1e-3, abs_tol=1e-6)


def _told(decision):
    return {"choice": decision["choice"], **decision["verdicts"], "margin": round(decision["margin"], 4)}
