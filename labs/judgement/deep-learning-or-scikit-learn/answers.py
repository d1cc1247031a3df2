"""Answers to this lab's exercises: right ones written otherwise, and wrong ones that people give."""

import math
import statistics

import numpy as np
from sklearn.utils import shuffle

from labs import right, wrong

T95 = {2: 12.706, 3: 4.303, 4: 3.182, 5: 2.776, 6: 2.571, 7: 2.447, 8: 2.365}


@right("split_by_time")
def with_searchsorted(day, train, val):
    order = np.argsort(day, kind="stable")
    in_order = day[order]
    cuts = [
        np.searchsorted(in_order, in_order[int(part * len(day))], side="left")
        for part in (train, train + val)
    ]
    return np.split(order, cuts)


@right("split_by_time")
def with_lists(day, train, val):
    in_order = sorted(day.tolist())
    a, b = in_order[int(train * len(day))], in_order[int((train + val) * len(day))]
    parts = [], [], []
    for row, one in enumerate(day):
        parts[int(one >= a) + int(one >= b)].append(row)
    return parts


@wrong("split_by_time", "not-three-parts")
def forgets_validation(day, train, val):
    first = np.sort(day)[int(train * len(day))]
    return np.flatnonzero(day < first), np.flatnonzero(day >= first)


@wrong("split_by_time", "not-row-numbers")
def gives_masks(day, train, val):
    a, b = np.sort(day)[[int(train * len(day)), int((train + val) * len(day))]]
    return day < a, (day >= a) & (day < b), day >= b


@wrong("split_by_time", "not-row-numbers")
def gives_days(day, train, val):
    a, b = np.sort(day)[[int(train * len(day)), int((train + val) * len(day))]]
    return day[day < a], day[(day >= a) & (day < b)], day[day >= b]


@wrong("split_by_time", "row-in-two-parts")
def both_ends_included(day, train, val):
    a, b = np.sort(day)[[int(train * len(day)), int((train + val) * len(day))]]
    return np.flatnonzero(day <= a), np.flatnonzero((day >= a) & (day <= b)), np.flatnonzero(day >= b)


@wrong("split_by_time", "loses-rows")
def both_ends_left_out(day, train, val):
    a, b = np.sort(day)[[int(train * len(day)), int((train + val) * len(day))]]
    return np.flatnonzero(day < a), np.flatnonzero((day > a) & (day < b)), np.flatnonzero(day > b)


@wrong("split_by_time", "trains-on-the-future")
def sorts_downwards(day, train, val):
    order = np.argsort(-day)
    return np.split(order, [int(train * len(day)), int((train + val) * len(day))])


@wrong("split_by_time", "takes-the-stored-order")
def trusts_the_file(day, train, val):
    return np.split(np.arange(len(day)), [int(train * len(day)), int((train + val) * len(day))])


@wrong("split_by_time", "mixes-the-times")
def shuffles(day, train, val):
    order = np.random.default_rng(0).permutation(len(day))
    return np.split(order, [int(train * len(day)), int((train + val) * len(day))])


@wrong("split_by_time", "cuts-through-a-day")
def cuts_by_position(day, train, val):
    order = np.argsort(day, kind="stable")
    return np.split(order, [int(train * len(day)), int((train + val) * len(day))])


@wrong("split_by_time", "other-cut")
def counts_days_not_rows(day, train, val):
    days = np.unique(day)
    a, b = days[int(train * len(days))], days[int((train + val) * len(days))]
    return np.flatnonzero(day < a), np.flatnonzero((day >= a) & (day < b)), np.flatnonzero(day >= b)


@wrong("split_by_time", "other-cut")
def moves_the_cut_by_a_day(day, train, val):
    a, b = np.sort(day)[[int(train * len(day)), int((train + val) * len(day))]]
    return np.flatnonzero(day <= a), np.flatnonzero((day > a) & (day <= b)), np.flatnonzero(day > b)


class _Encoder:
    """The encoder in parts, so that each wrong answer below shows only what it does otherwise."""

    def fit(self, numbers, categories):
        self.mean = np.nanmean(numbers, axis=0)
        self.spread = np.nanstd(numbers, axis=0)
        self.spread[self.spread == 0] = 1
        self.ids = [self.numbered(column) for column in categories.T]
        return self

    def numbered(self, column):
        return {category: i + 1 for i, category in enumerate(sorted(set(column)))}

    def scale(self, numbers):
        return np.nan_to_num((numbers - self.mean) / self.spread)

    def find(self, ids, category):
        return ids.get(category, 0)

    def transform(self, numbers, categories):
        ids = [[self.find(i, v) for i, v in zip(self.ids, row, strict=True)] for row in categories]
        return np.concatenate([self.scale(numbers), np.array(ids, float)], axis=1)


@right("Encoder")
class InParts(_Encoder):
    pass


@right("Encoder")
class WithSearchsorted(_Encoder):
    def numbered(self, column):
        return np.unique(column)

    def find(self, known, category):
        place = int(np.searchsorted(known, category))
        return place + 1 if place < len(known) and known[place] == category else 0


@wrong("Encoder", "fit-gives-nothing")
class ForgetsSelf(_Encoder):
    def fit(self, numbers, categories):
        super().fit(numbers, categories)


@wrong("Encoder", "stumbles-over-the-unknown")
class AsksWithBrackets(_Encoder):
    def find(self, ids, category):
        return ids[category]


@wrong("Encoder", "stumbles-over-the-unknown")
class AsksAList(_Encoder):
    def find(self, ids, category):
        return list(ids).index(category) + 1


@wrong("Encoder", "other-shape")
class OneHot(_Encoder):
    def transform(self, numbers, categories):
        hot = [[row[j] == v for j, ids in enumerate(self.ids) for v in ids] for row in categories]
        return np.concatenate([self.scale(numbers), np.array(hot, float)], axis=1)


@wrong("Encoder", "other-shape")
class KeepsTheStrings(_Encoder):
    def transform(self, numbers, categories):
        ids = [[str(self.find(i, v)) for i, v in zip(self.ids, row, strict=True)] for row in categories]
        return np.concatenate([self.scale(numbers), np.array(ids)], axis=1)


@wrong("Encoder", "other-shape")
class NumbersOnly(_Encoder):
    def transform(self, numbers, categories):
        return self.scale(numbers)


@wrong("Encoder", "learns-from-the-new-rows")
class FitsInTransform(_Encoder):
    def transform(self, numbers, categories):
        self.fit(numbers, categories)
        return super().transform(numbers, categories)


@wrong("Encoder", "learns-from-the-new-rows")
class ScalesByTheNewMean(_Encoder):
    def scale(self, numbers):
        return np.nan_to_num((numbers - np.nanmean(numbers, axis=0)) / self.spread)


@wrong("Encoder", "leaves-the-gaps")
class LeavesNan(_Encoder):
    def scale(self, numbers):
        return (numbers - self.mean) / self.spread


@wrong("Encoder", "leaves-the-gaps")
class TakesTheMeanOfNan(_Encoder):
    def fit(self, numbers, categories):
        super().fit(numbers, categories)
        self.mean = numbers.mean(axis=0)
        return self

    def scale(self, numbers):
        return (numbers - self.mean) / self.spread


@wrong("Encoder", "divides-by-zero")
class AddsALittle(_Encoder):
    def fit(self, numbers, categories):
        super().fit(numbers, categories)
        self.spread = np.nanstd(numbers, axis=0) + 1e-9
        return self


@wrong("Encoder", "divides-by-zero")
class DividesByZero(_Encoder):
    def scale(self, numbers):
        with np.errstate(divide="ignore", invalid="ignore"):
            scaled = (numbers - self.mean) / np.where(self.spread == 1, 0, self.spread)
        return np.where(np.isnan(numbers), 0, scaled)


@wrong("Encoder", "fills-before-scaling")
class FillsFirst(_Encoder):
    def fit(self, numbers, categories):
        return super().fit(np.nan_to_num(numbers), categories)

    def scale(self, numbers):
        return (np.nan_to_num(numbers) - self.mean) / self.spread


@wrong("Encoder", "fills-before-scaling")
class FillsOnlyInTransform(_Encoder):
    def scale(self, numbers):
        return (np.nan_to_num(numbers) - self.mean) / self.spread


@wrong("Encoder", "not-scaled")
class SubtractsOnly(_Encoder):
    def scale(self, numbers):
        return np.nan_to_num(numbers - self.mean)


@wrong("Encoder", "not-scaled")
class OneScaleForAll(_Encoder):
    def fit(self, numbers, categories):
        super().fit(numbers, categories)
        self.mean, self.spread = np.nanmean(numbers), np.nanstd(numbers)
        return self


@wrong("Encoder", "unknown-looks-known")
class CountsFromZero(_Encoder):
    def numbered(self, column):
        return {category: i for i, category in enumerate(sorted(set(column)))}


@wrong("Encoder", "unknown-looks-known")
class SearchesOnly(_Encoder):
    def numbered(self, column):
        return np.unique(column)

    def find(self, known, category):
        return min(int(np.searchsorted(known, category)) + 1, len(known))


@wrong("Encoder", "other-ids")
class CountsTheUnknownOn(_Encoder):
    def find(self, ids, category):
        return ids.get(category, len(ids) + 10)


@wrong("Encoder", "other-ids")
class InOrderOfAppearance(_Encoder):
    def numbered(self, column):
        return {category: i + 1 for i, category in enumerate(dict.fromkeys(column))}


@right("tune")
def with_a_loop(train_and_score, settings, tries):
    best, top, tried = None, -math.inf, 0
    for setting in settings[:tries]:
        score = train_and_score(setting)
        tried += 1
        if score > top:
            best, top = setting, score
    return {"best": best, "score": top, "tried": tried}


@right("tune")
def with_max(train_and_score, settings, tries):
    pairs = [(train_and_score(setting), setting) for setting in settings[:tries]]
    score, best = max((pair for pair in pairs if not np.isnan(pair[0])), key=lambda pair: pair[0])
    return {"tried": len(pairs), "best": best, "score": np.float64(score)}


@wrong("tune", "over-the-budget")
def tries_all(train_and_score, settings, tries):
    scores = [train_and_score(setting) for setting in settings]
    best = int(np.nanargmax(scores[:tries]))
    return {"best": settings[best], "score": scores[best], "tried": min(tries, len(settings))}


@wrong("tune", "over-the-budget")
def ignores_tries(train_and_score, settings, tries):
    scores = [train_and_score(setting) for setting in settings]
    best = int(np.nanargmax(scores))
    return {"best": settings[best], "score": scores[best], "tried": len(settings)}


@wrong("tune", "under-the-budget")
def stops_one_early(train_and_score, settings, tries):
    tried = settings[: tries - 1]
    scores = [train_and_score(setting) for setting in tried]
    best = int(np.nanargmax(scores))
    return {"best": tried[best], "score": scores[best], "tried": len(tried)}


@wrong("tune", "trains-again")
def trains_the_best_again(train_and_score, settings, tries):
    tried = settings[:tries]
    best = tried[int(np.nanargmax([train_and_score(setting) for setting in tried]))]
    return {"best": best, "score": train_and_score(best), "tried": len(tried)}


@wrong("tune", "gives-a-position")
def gives_the_index(train_and_score, settings, tries):
    scores = [train_and_score(setting) for setting in settings[:tries]]
    best = int(np.nanargmax(scores))
    return {"best": best, "score": scores[best], "tried": len(scores)}


@wrong("tune", "nan-wins")
def with_argmax(train_and_score, settings, tries):
    tried = settings[:tries]
    scores = [train_and_score(setting) for setting in tried]
    best = int(np.argmax(scores))
    return {"best": tried[best], "score": scores[best], "tried": len(tried)}


@wrong("tune", "nan-wins")
def with_pythons_max(train_and_score, settings, tries):
    tried = settings[:tries]
    scores = [train_and_score(setting) for setting in tried]
    best = scores.index(max(scores))
    return {"best": tried[best], "score": scores[best], "tried": len(tried)}


@wrong("tune", "takes-the-lowest")
def takes_it_for_a_loss(train_and_score, settings, tries):
    tried = settings[:tries]
    scores = [train_and_score(setting) for setting in tried]
    best = int(np.nanargmin(scores))
    return {"best": tried[best], "score": scores[best], "tried": len(tried)}


@wrong("tune", "takes-the-last-of-equals")
def lets_equals_win(train_and_score, settings, tries):
    top = -math.inf
    for setting in settings[:tries]:
        score = train_and_score(setting)
        if score >= top:
            best, top = setting, score
    return {"best": best, "score": top, "tried": len(settings[:tries])}


@wrong("tune", "wrong-count")
def repeats_the_budget(train_and_score, settings, tries):
    scores = [train_and_score(setting) for setting in settings[:tries]]
    best = int(np.nanargmax(scores))
    return {"best": settings[best], "score": scores[best], "tried": tries}


@wrong("tune", "other-choice")
def keeps_the_last(train_and_score, settings, tries):
    for setting in settings[:tries]:
        score = train_and_score(setting)
    return {"best": setting, "score": score, "tried": len(settings[:tries])}


@wrong("tune", "other-choice")
def gives_the_last_score(train_and_score, settings, tries):
    best, top = settings[0], 0.0
    for setting in settings[:tries]:
        score = train_and_score(setting)
        if score > top:
            best, top = setting, score
    return {"best": best, "score": score, "tried": len(settings[:tries])}


@right("learning_curve")
def in_a_comprehension(train_and_score, n, sizes, seeds):
    orders = {seed: np.random.default_rng(seed).permutation(n) for seed in seeds}
    return np.array([[train_and_score(orders[seed][:size], seed) for seed in seeds] for size in sizes])


@right("learning_curve")
def shuffles_again_from_the_seed(train_and_score, n, sizes, seeds):
    curve = []
    for size in sizes:
        row = []
        for seed in seeds:
            rng = np.random.default_rng(seed)
            row.append(train_and_score(rng.permutation(n)[:size].tolist(), seed))
        curve.append(row)
    return curve


@wrong("learning_curve", "wrong-size")
def takes_one_less(train_and_score, n, sizes, seeds):
    orders = {seed: np.random.default_rng(seed).permutation(n) for seed in seeds}
    return np.array([[train_and_score(orders[seed][: size - 1], seed) for seed in seeds] for size in sizes])


@wrong("learning_curve", "wrong-size")
def permutes_the_size(train_and_score, n, sizes, seeds):
    return np.array([[train_and_score(np.arange(n), seed) for seed in seeds] for _ in sizes])


@wrong("learning_curve", "draws-with-replacement")
def draws_integers(train_and_score, n, sizes, seeds):
    def draw(size, seed):
        return np.random.default_rng(seed).integers(0, n, size)

    return np.array([[train_and_score(draw(size, seed), seed) for seed in seeds] for size in sizes])


@wrong("learning_curve", "takes-the-first-rows")
def no_draw(train_and_score, n, sizes, seeds):
    return np.array([[train_and_score(np.arange(size), seed) for seed in seeds] for size in sizes])


@wrong("learning_curve", "takes-the-first-rows")
def shuffles_within_the_size(train_and_score, n, sizes, seeds):
    def draw(size, seed):
        return np.random.default_rng(seed).permutation(size)

    return np.array([[train_and_score(draw(size, seed), seed) for seed in seeds] for size in sizes])


@wrong("learning_curve", "same-rows-for-every-seed")
def one_order_for_all(train_and_score, n, sizes, seeds):
    order = np.random.default_rng(42).permutation(n)
    return np.array([[train_and_score(order[:size], seed) for seed in seeds] for size in sizes])


@wrong("learning_curve", "forgets-the-seed")
def passes_the_position(train_and_score, n, sizes, seeds):
    orders = [np.random.default_rng(seed).permutation(n) for seed in seeds]
    return np.array([[train_and_score(order[:size], j) for j, order in enumerate(orders)] for size in sizes])


@wrong("learning_curve", "not-nested")
def one_generator_for_each_seed(train_and_score, n, sizes, seeds):
    curve = np.zeros((len(sizes), len(seeds), 2))
    for j, seed in enumerate(seeds):
        rng = np.random.default_rng(seed)
        for i, size in enumerate(sizes):
            curve[i, j] = train_and_score(rng.permutation(n)[:size], seed)
    return curve


@wrong("learning_curve", "not-nested")
def draws_by_choice(train_and_score, n, sizes, seeds):
    def draw(size, seed):
        return np.random.default_rng(seed + size).choice(n, size, replace=False)

    return np.array([[train_and_score(draw(size, seed), seed) for seed in seeds] for size in sizes])


@wrong("learning_curve", "other-rows-each-time")
def without_a_seed(train_and_score, n, sizes, seeds):
    orders = {seed: np.random.permutation(n) for seed in seeds}
    return np.array([[train_and_score(orders[seed][:size], seed) for seed in seeds] for size in sizes])


@wrong("learning_curve", "other-draw")
def by_the_older_generator(train_and_score, n, sizes, seeds):
    orders = {seed: np.random.RandomState(seed).permutation(n) for seed in seeds}
    return np.array([[train_and_score(orders[seed][:size], seed) for seed in seeds] for size in sizes])


@wrong("learning_curve", "other-draw")
def by_scikit_learn(train_and_score, n, sizes, seeds):
    orders = {seed: shuffle(np.arange(n), random_state=seed) for seed in seeds}
    return np.array([[train_and_score(orders[seed][:size], seed) for seed in seeds] for size in sizes])


@wrong("learning_curve", "other-draw")
def takes_the_end_of_the_order(train_and_score, n, sizes, seeds):
    orders = {seed: np.random.default_rng(seed).permutation(n) for seed in seeds}
    return np.array([[train_and_score(orders[seed][-size:], seed) for seed in seeds] for size in sizes])


@wrong("learning_curve", "averages-too-early")
def mean_over_seeds(train_and_score, n, sizes, seeds):
    orders = {seed: np.random.default_rng(seed).permutation(n) for seed in seeds}
    pairs = np.array([[train_and_score(orders[seed][:size], seed) for seed in seeds] for size in sizes])
    return pairs.mean(axis=1)


@wrong("learning_curve", "averages-too-early")
def drops_the_seconds(train_and_score, n, sizes, seeds):
    orders = {seed: np.random.default_rng(seed).permutation(n) for seed in seeds}
    return np.array([[train_and_score(orders[seed][:size], seed)[0] for seed in seeds] for size in sizes])


@wrong("learning_curve", "axes-swapped")
def seeds_first(train_and_score, n, sizes, seeds):
    orders = {seed: np.random.default_rng(seed).permutation(n) for seed in seeds}
    return np.array([[train_and_score(orders[seed][:size], seed) for size in sizes] for seed in seeds])


@wrong("learning_curve", "other-curve")
def seconds_first(train_and_score, n, sizes, seeds):
    orders = {seed: np.random.default_rng(seed).permutation(n) for seed in seeds}
    pairs = [[train_and_score(orders[seed][:size], seed) for seed in seeds] for size in sizes]
    return np.array(pairs)[..., ::-1]


@right("paired_difference")
def with_statistics(a, b):
    differences = [float(x - y) for x, y in zip(a, b, strict=True)]
    mean = statistics.fmean(differences)
    half = T95[len(differences)] * statistics.stdev(differences) / len(differences) ** 0.5
    return np.array([mean, mean - half, mean + half])


@right("paired_difference")
def with_the_sum_of_squares(a, b):
    d = np.subtract(a, b)
    n = d.size
    error = np.sqrt(np.sum((d - np.mean(d)) ** 2) / (n * (n - 1)))
    return np.mean(d), np.mean(d) - T95[n] * error, np.mean(d) + T95[n] * error


def _interval(d, t, s, middle=None):
    mean = np.mean(d) if middle is None else middle
    return mean, mean - t * s, mean + t * s


def _error(d, ddof=1):
    return np.std(d, ddof=ddof) / np.sqrt(len(d))


@wrong("paired_difference", "not-three-numbers")
def mean_and_half(a, b):
    d = np.subtract(a, b)
    return d.mean(), T95[len(d)] * _error(d)


@wrong("paired_difference", "wrong-way-round")
def subtracts_a(a, b):
    d = np.subtract(b, a)
    return _interval(d, T95[len(d)], _error(d))


@wrong("paired_difference", "ends-swapped")
def plus_first(a, b):
    d = np.subtract(a, b)
    return _interval(d, -T95[len(d)], _error(d))


@wrong("paired_difference", "not-paired")
def adds_the_variances(a, b):
    n = len(a)
    return _interval(np.subtract(a, b), T95[n], np.sqrt((np.var(a, ddof=1) + np.var(b, ddof=1)) / n))


@wrong("paired_difference", "spread-for-error")
def forgets_the_root(a, b):
    d = np.subtract(a, b)
    return _interval(d, T95[len(d)], np.std(d, ddof=1))


@wrong("paired_difference", "spread-for-error")
def one_standard_deviation(a, b):
    d = np.subtract(a, b)
    return _interval(d, 1, np.std(d, ddof=1))


@wrong("paired_difference", "divides-by-n")
def takes_numpys_default(a, b):
    d = np.subtract(a, b)
    return _interval(d, T95[len(d)], _error(d, ddof=0))


@wrong("paired_difference", "always-two")
def takes_the_normal(a, b):
    d = np.subtract(a, b)
    return _interval(d, 1.96, _error(d))


@wrong("paired_difference", "other-t")
def takes_degrees_of_freedom(a, b):
    d = np.subtract(a, b)
    return _interval(d, T95[max(len(d) - 1, 2)], _error(d))


@wrong("paired_difference", "lowest-and-highest")
def takes_the_range(a, b):
    d = np.subtract(a, b)
    return d.mean(), d.min(), d.max()


@wrong("paired_difference", "other-interval")
def takes_the_median(a, b):
    d = np.subtract(a, b)
    return _interval(d, 3 * T95[len(d)], _error(d), middle=np.median(d))


def _climb(
    results, budget, worth, *, rival=None, wins=None, sort=True, check_budget=True, margin=None, doubt=None
):
    """The decision in parts, so that each wrong answer below shows only what it does otherwise."""
    names = sorted(results, key=lambda name: results[name]["seconds"]) if sort else list(results)
    choice, verdicts, won = names[0], {}, 0.0
    for name in names[1:]:
        if check_budget and results[name]["seconds"] > budget:
            verdicts[name] = "over budget"
            continue
        against = names[0] if rival == "cheapest" else choice
        d = np.subtract(results[name]["scores"], results[against]["scores"])
        mean, low, high = _interval(d, T95[len(d)], _error(d))
        if wins(mean, low) if wins else low > worth:
            verdicts[name], choice, won = "better", name, mean if margin == "mean" else low
        elif doubt:
            verdicts[name] = doubt
        else:
            verdicts[name] = "not better" if high < worth else "not enough evidence"
    return {"choice": choice, "verdicts": verdicts, "margin": float(won)}


@right("decide")
def in_parts(results, budget, worth=0.01):
    return _climb(results, budget, worth)


@right("decide")
def budget_first(results, budget, worth=0.01):
    verdicts = {name: "over budget" for name, one in results.items() if one["seconds"] > budget}
    rest = sorted(set(results) - set(verdicts), key=lambda name: results[name]["seconds"])
    choice, margin = rest.pop(0), 0.0
    while rest:
        name = rest.pop(0)
        d = np.subtract(results[name]["scores"], results[choice]["scores"])
        _, low, high = _interval(d, T95[len(d)], _error(d))
        verdicts[name] = (
            "better" if low > worth else ("not enough evidence", "not better")[bool(high < worth)]
        )
        if verdicts[name] == "better":
            choice, margin = name, low
    return {"margin": np.float64(margin), "verdicts": verdicts, "choice": choice}


@wrong("decide", "incomplete")
def gives_the_name(results, budget, worth=0.01):
    return _climb(results, budget, worth)["choice"]


@wrong("decide", "incomplete")
def forgets_the_margin(results, budget, worth=0.01):
    decision = _climb(results, budget, worth)
    return {"choice": decision["choice"], "verdicts": decision["verdicts"]}


@wrong("decide", "ignores-the-budget")
def money_is_no_object(results, budget, worth=0.01):
    return _climb(results, budget, worth, check_budget=False)


@wrong("decide", "verdicts-for-others")
def leaves_them_out_of_the_verdicts(results, budget, worth=0.01):
    within = {name: one for name, one in results.items() if one["seconds"] <= budget}
    return _climb(within, budget, worth)


@wrong("decide", "in-the-order-given")
def trusts_the_table(results, budget, worth=0.01):
    return _climb(results, budget, worth, sort=False)


@wrong("decide", "takes-the-highest-mean")
def looks_at_the_mean(results, budget, worth=0.01):
    return _climb(results, budget, worth, wins=lambda mean, low: mean > worth)


@wrong("decide", "takes-the-highest-mean")
def takes_the_top(results, budget, worth=0.01):
    within = {name: one for name, one in results.items() if one["seconds"] <= budget}
    decision = _climb(results, budget, worth)
    return {**decision, "choice": max(within, key=lambda name: np.mean(within[name]["scores"]))}


@wrong("decide", "any-difference-will-do")
def asks_for_more_than_zero(results, budget, worth=0.01):
    return _climb(results, budget, 0.0)


@wrong("decide", "compares-with-the-cheapest")
def always_against_the_first(results, budget, worth=0.01):
    return _climb(results, budget, worth, rival="cheapest")


@wrong("decide", "takes-doubt-for-a-no")
def two_verdicts_only(results, budget, worth=0.01):
    return _climb(results, budget, worth, doubt="not better")


@wrong("decide", "takes-doubt-for-a-no")
def never_says_no(results, budget, worth=0.01):
    return _climb(results, budget, worth, doubt="not enough evidence")


@wrong("decide", "other-margin")
def promises_the_mean(results, budget, worth=0.01):
    return _climb(results, budget, worth, margin="mean")


@wrong("decide", "other-margin")
def takes_off_the_worth(results, budget, worth=0.01):
    decision = _climb(results, budget, worth)
    return {**decision, "margin": decision["margin"] - worth}


@wrong("decide", "other-decision")
def keeps_the_cheapest(results, budget, worth=0.01):
    decision = _climb(results, budget, worth)
    return {**decision, "choice": min(results, key=lambda name: results[name]["seconds"])}
