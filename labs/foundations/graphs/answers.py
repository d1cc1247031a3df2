"""Answers to this lab's exercises: right ones written otherwise, and wrong ones that people give."""

import itertools

import numpy as np
import tensorflow as tf

from labs import right, wrong


@right("traces_of")
def asks_the_function_itself(function, calls):
    graph, counts = tf.function(function), []
    for args in calls:
        graph(*args)
        counts.append(graph.experimental_get_tracing_count())
    return counts


@right("traces_of")
def counts_with_nonlocal(function, calls):
    count = 0

    @tf.function
    def graph(first, *others):
        nonlocal count
        count += 1
        return function(first, *others)

    def after(args):
        graph(*args)
        return count

    return [after(args) for args in calls]


@wrong("traces_of", "stays-eager")
def forgets_the_graph(function, calls):
    traces, counts = [], []

    def noted(*args):
        traces.append(1)
        return function(*args)

    for args in calls:
        noted(*args)
        counts.append(len(traces))
    return counts


@wrong("traces_of", "stays-eager")
def calls_the_function_too(function, calls):
    graph, counts = tf.function(function), []
    for args in calls:
        function(*args)
        graph(*args)
        counts.append(graph.experimental_get_tracing_count())
    return counts


@wrong("traces_of", "wraps-each-time")
def wraps_in_the_loop(function, calls):
    traces, counts = [], []

    def noted(*args):
        traces.append(1)
        return function(*args)

    for args in calls:
        tf.function(noted)(*args)
        counts.append(len(traces))
    return counts


@wrong("traces_of", "hides-the-arguments")
def makes_tensors_of_all(function, calls):
    graph, counts = tf.function(function), []
    for args in calls:
        graph(*[tf.constant(arg) for arg in args])
        counts.append(graph.experimental_get_tracing_count())
    return counts


@wrong("traces_of", "only-the-total")
def looks_at_the_end(function, calls):
    graph = tf.function(function)
    for args in calls:
        graph(*args)
    return graph.experimental_get_tracing_count()


@wrong("traces_of", "only-the-total")
def gives_a_list_of_notes(function, calls):
    traces = []

    @tf.function
    def graph(*args):
        traces.append(len(traces) + 1)
        return function(*args)

    for args in calls:
        graph(*args)
    return traces


@wrong("traces_of", "counts-calls")
def counts_with_a_variable(function, calls):
    count = tf.Variable(0)

    @tf.function
    def graph(*args):
        count.assign_add(1)
        return function(*args)

    counts = []
    for args in calls:
        graph(*args)
        counts.append(int(count))
    return counts


@wrong("traces_of", "counts-calls")
def counts_outside(function, calls):
    graph, counts = tf.function(function), []
    for count, args in enumerate(calls, start=1):
        graph(*args)
        counts.append(count)
    return counts


@wrong("traces_of", "not-so-far")
def starts_anew_each_time(function, calls):
    traces, counts = [], []

    @tf.function
    def graph(*args):
        traces.append(1)
        return function(*args)

    for args in calls:
        traces.clear()
        graph(*args)
        counts.append(len(traces))
    return counts


@wrong("traces_of", "other-counts")
def looks_before_the_call(function, calls):
    graph, counts = tf.function(function), []
    for args in calls:
        counts.append(graph.experimental_get_tracing_count())
        graph(*args)
    return counts


@right("any_batch")
def as_a_decorator(function, features):
    @tf.function(input_signature=(tf.TensorSpec([None, features]), tf.TensorSpec([])))
    def graph(parcels, surcharge):
        return function(parcels, surcharge)

    return graph


@right("any_batch")
def as_a_method(function, features):
    class Service(tf.Module):
        @tf.function(input_signature=[tf.TensorSpec((None, features)), tf.TensorSpec((), tf.float32)])
        def answer(self, parcels, surcharge):
            return function(parcels, surcharge)

    return Service().answer


@wrong("any_batch", "calls-it")
def calls_with_an_example(function, features):
    return tf.function(function)(tf.ones((1, features)), 1.0)


@wrong("any_batch", "one-spec-too-few")
def names_the_parcels_only(function, features):
    return tf.function(function, input_signature=[tf.TensorSpec((None, features), tf.float32)])


@wrong("any_batch", "refuses-a-call")
def batch_of_one(function, features):
    return tf.function(
        function, input_signature=[tf.TensorSpec((1, features), tf.float32), tf.TensorSpec((), tf.float32)]
    )


@wrong("any_batch", "refuses-a-call")
def surcharge_as_a_vector(function, features):
    return tf.function(
        function,
        input_signature=[tf.TensorSpec((None, features), tf.float32), tf.TensorSpec((1,), tf.float32)],
    )


@wrong("any_batch", "refuses-a-call")
def sizes_swapped(function, features):
    return tf.function(
        function, input_signature=[tf.TensorSpec((features, None), tf.float32), tf.TensorSpec((), tf.float32)]
    )


@wrong("any_batch", "refuses-a-call")
def surcharge_as_a_whole_number(function, features):
    return tf.function(
        function, input_signature=[tf.TensorSpec((None, features), tf.float32), tf.TensorSpec((), tf.int32)]
    )


@wrong("any_batch", "not-a-graph")
def a_lambda_only(function, features):
    return lambda parcels, surcharge: function(parcels, tf.constant(surcharge))


@wrong("any_batch", "retraces-batches")
def without_a_signature(function, features):
    return tf.function(function)


@wrong("any_batch", "retraces-batches")
def widens_after_the_first(function, features):
    return tf.function(function, reduce_retracing=True)


@wrong("any_batch", "retraces-batches")
def a_new_graph_at_each_call(function, features):
    return lambda parcels, surcharge: tf.function(function)(parcels, surcharge)


@wrong("any_batch", "retraces-numbers")
def surcharge_stays_python(function, features):
    def answer(parcels, surcharge):
        @tf.function(input_signature=[tf.TensorSpec((None, features), tf.float32)])
        def graph(parcels):
            return function(parcels, surcharge)

        return graph(parcels)

    known = {}

    def kept(parcels, surcharge):
        key = float(surcharge)
        if key not in known:
            known[key] = tf.function(
                lambda parcels: function(parcels, surcharge),
                input_signature=[tf.TensorSpec((None, features), tf.float32)],
            )
        return known[key](parcels)

    return kept


@wrong("any_batch", "takes-any-width")
def both_sizes_open(function, features):
    return tf.function(
        function, input_signature=[tf.TensorSpec((None, None), tf.float32), tf.TensorSpec((), tf.float32)]
    )


@wrong("any_batch", "takes-any-width")
def no_shape_at_all(function, features):
    return tf.function(
        function, input_signature=[tf.TensorSpec(None, tf.float32), tf.TensorSpec(None, tf.float32)]
    )


@wrong("any_batch", "other-prices")
def adds_the_surcharge_again(function, features):
    @tf.function(input_signature=[tf.TensorSpec((None, features)), tf.TensorSpec(())])
    def graph(parcels, surcharge):
        return function(parcels, surcharge) * surcharge

    return graph


@right("wires")
def asks_the_consumers(graph):
    found = []
    for op in graph.get_operations():
        for output in op.outputs:
            for consumer in {one.name: one for one in output.consumers()}.values():
                times = sum(one is output for one in consumer.inputs)
                found += times * [[op.name, consumer.name]]
    return found


@right("wires")
def reads_the_graph_def(graph):
    nodes = graph.as_graph_def().node
    return [(name.split(":")[0], node.name) for node in nodes for name in node.input]


@wrong("wires", "gives-objects")
def operations_themselves(graph):
    return [(tensor.op, op) for op in graph.get_operations() for tensor in op.inputs]


@wrong("wires", "gives-objects")
def tensors_and_names(graph):
    return [(tensor, op.name) for op in graph.get_operations() for tensor in op.inputs]


@wrong("wires", "nodes-only")
def names_of_nodes(graph):
    return [op.name for op in graph.get_operations()]


@wrong("wires", "names-of-tensors")
def name_of_the_tensor(graph):
    return [(tensor.name, op.name) for op in graph.get_operations() for tensor in op.inputs]


@wrong("wires", "names-of-tensors")
def strips_the_zero(graph):
    return [(t.name.replace(":0", ""), op.name) for op in graph.get_operations() for t in op.inputs]


@wrong("wires", "backwards")
def consumer_first(graph):
    return [(op.name, tensor.op.name) for op in graph.get_operations() for tensor in op.inputs]


@wrong("wires", "one-input-each")
def first_input_only(graph):
    return [(op.inputs[0].op.name, op.name) for op in graph.get_operations() if op.inputs]


@wrong("wires", "one-input-each")
def collects_in_a_dict(graph):
    found = {op.name: tensor.op.name for op in graph.get_operations() for tensor in op.inputs}
    return [(start, end) for end, start in found.items()]


@wrong("wires", "drops-repeats")
def collects_in_a_set(graph):
    return {(tensor.op.name, op.name) for op in graph.get_operations() for tensor in op.inputs}


@wrong("wires", "row-of-operations")
def joins_neighbours(graph):
    names = [op.name for op in graph.get_operations()]
    return list(itertools.pairwise(names))


@wrong("wires", "other-wires")
def follows_control_inputs(graph):
    return [(before.name, op.name) for op in graph.get_operations() for before in op.control_inputs]


@right("route")
def counts_with_range(next_stop, start, goal, limit):
    stops = tf.TensorArray(tf.int32, size=0, dynamic_size=True)
    stops = stops.write(0, start)
    stop = start
    for i in tf.range(1, limit):
        if stop == goal:
            break
        stop = next_stop(stop)
        stops = stops.write(i, stop)
    return stops.stack()


@right("route")
def concatenates_with_an_open_shape(next_stop, start, goal, limit):
    stops = tf.reshape(start, [1])
    while stops[-1] != goal and tf.size(stops) < limit:
        tf.autograph.experimental.set_loop_options(shape_invariants=[(stops, tf.TensorShape([None]))])
        stops = tf.concat([stops, [next_stop(stops[-1])]], axis=0)
    return stops


@right("route")
def cuts_a_full_array(next_stop, start, goal, limit):
    stops = tf.TensorArray(tf.int32, size=limit)
    stops = stops.write(0, start)
    count = tf.constant(1)
    stop = start
    while tf.logical_and(stop != goal, count < limit):
        stop = next_stop(stop)
        stops = stops.write(count, stop)
        count += 1
    return stops.stack()[:count]


@wrong("route", "reads-a-number")
def asks_for_numpy(next_stop, start, goal, limit):
    stops = [start]
    while stops[-1].numpy() != goal.numpy() and len(stops) < limit.numpy():
        stops.append(next_stop(stops[-1]))
    return tf.stack(stops)


@wrong("route", "python-list")
def appends_to_a_list(next_stop, start, goal, limit):
    stops, stop, count = [start], start, 1
    while stop != goal and count < limit:
        stop = next_stop(stop)
        stops.append(stop)
        count += 1
    return tf.stack(stops)


@wrong("route", "grows-a-tensor")
def concatenates(next_stop, start, goal, limit):
    stops, stop, count = tf.reshape(start, [1]), start, 1
    while stop != goal and count < limit:
        stop = next_stop(stop)
        stops = tf.concat([stops, [stop]], axis=0)
        count += 1
    return stops


@wrong("route", "never-stops")
def forgets_to_count(next_stop, start, goal, limit):
    stops = tf.TensorArray(tf.int32, size=1, dynamic_size=True).write(0, start)
    stop, count = start, 1
    while count < limit:
        stop = next_stop(stop)
        stops = stops.write(count, stop)
    return stops.stack()


@wrong("route", "never-stops")
def asks_the_start_again(next_stop, start, goal, limit):
    stops, count = tf.TensorArray(tf.int32, size=1, dynamic_size=True).write(0, start), 1
    stop = start
    while stop != goal:
        stop = next_stop(start)
        stops = stops.write(count, stop)
        count += 1
    return stops.stack()


@wrong("route", "only-the-last")
def gives_the_end(next_stop, start, goal, limit):
    stop, count = start, 1
    while stop != goal and count < limit:
        stop = next_stop(stop)
        count += 1
    return stop


@wrong("route", "never-leaves")
def while_it_is_the_goal(next_stop, start, goal, limit):
    stops = tf.TensorArray(tf.int32, size=1, dynamic_size=True).write(0, start)
    stop, count = start, 1
    while stop == goal and count < limit:
        stop = next_stop(stop)
        stops = stops.write(count, stop)
        count += 1
    return stops.stack()


@wrong("route", "loses-the-writes")
def forgets_what_write_returns(next_stop, start, goal, limit):
    stops = tf.TensorArray(tf.int32, size=1, dynamic_size=True).write(0, start)
    stop, count = start, 1
    while stop != goal and count < limit:
        stop = next_stop(stop)
        stops.write(count, stop)
        count += 1
    return stops.stack()


@wrong("route", "loses-the-writes")
def keeps_no_write_at_all(next_stop, start, goal, limit):
    stops = tf.TensorArray(tf.int32, size=0, dynamic_size=True)
    stops.write(0, start)
    stop, count = start, 1
    while stop != goal and count < limit:
        stop = next_stop(stop)
        stops.write(count, stop)
        count += 1
    return stops.stack()


@wrong("route", "padded-to-the-limit")
def array_of_the_limit(next_stop, start, goal, limit):
    stops = tf.TensorArray(tf.int32, size=limit).write(0, start)
    stop, count = start, 1
    while stop != goal and count < limit:
        stop = next_stop(stop)
        stops = stops.write(count, stop)
        count += 1
    return stops.stack()


@wrong("route", "misses-the-start")
def writes_new_stops_only(next_stop, start, goal, limit):
    stops = tf.TensorArray(tf.int32, size=0, dynamic_size=True, element_shape=())
    stop, count = start, 1
    while stop != goal and count < limit:
        stop = next_stop(stop)
        stops = stops.write(count - 1, stop)
        count += 1
    return stops.stack()


@wrong("route", "misses-the-goal")
def writes_before_moving(next_stop, start, goal, limit):
    stops = tf.TensorArray(tf.int32, size=0, dynamic_size=True, element_shape=())
    stop, count = start, 0
    while stop != goal and count < limit:
        stops = stops.write(count, stop)
        stop = next_stop(stop)
        count += 1
    return stops.stack()


@wrong("route", "ignores-the-goal")
def goes_to_the_limit(next_stop, start, goal, limit):
    stops = tf.TensorArray(tf.int32, size=limit).write(0, start)
    stop = start
    for i in tf.range(1, limit):
        stop = next_stop(stop)
        stops = stops.write(i, stop)
    return stops.stack()


@wrong("route", "limit-off-by-one")
def limit_as_moves(next_stop, start, goal, limit):
    stops = tf.TensorArray(tf.int32, size=1, dynamic_size=True).write(0, start)
    stop, count = start, 1
    while stop != goal and count <= limit:
        stop = next_stop(stop)
        stops = stops.write(count, stop)
        count += 1
    return stops.stack()


@wrong("route", "ignores-the-limit")
def goal_only(next_stop, start, goal, limit):
    stops = tf.TensorArray(tf.int32, size=1, dynamic_size=True).write(0, start)
    stop, count = start, 1
    while stop != goal:
        stop = next_stop(stop)
        stops = stops.write(count, stop)
        count += 1
    return stops.stack()


@wrong("route", "other-route")
def writes_the_old_stop(next_stop, start, goal, limit):
    stops = tf.TensorArray(tf.int32, size=1, dynamic_size=True).write(0, start)
    stop, count = start, 1
    while stop != goal and count < limit:
        stops = stops.write(count, stop)
        stop = next_stop(stop)
        count += 1
    return stops.stack()


@right("RunningMean")
class KeepsTheMean(tf.Module):
    def __init__(self):
        self.mean = tf.Variable(0.0, trainable=False)
        self.seen = tf.Variable(0, trainable=False)

    @tf.function(reduce_retracing=True)
    def update(self, values):
        n = tf.size(values)
        seen = self.seen.assign_add(n)
        share = tf.cast(n, tf.float32) / tf.cast(seen, tf.float32)
        return self.mean.assign_add(share * (tf.reduce_mean(values) - self.mean))


@right("RunningMean")
class MakesThemAtTheFirstCall(tf.Module):
    def __init__(self):
        super().__init__()
        self.sums = None

    @tf.function
    def update(self, values):
        if self.sums is None:
            self.sums = tf.Variable([0.0, 0.0])
        self.sums.assign_add(tf.stack([tf.reduce_sum(values), float(len(values))]))
        return self.sums[0] / self.sums[1]


@wrong("RunningMean", "makes-variables-each-call")
class VariablesInUpdate(tf.Module):
    def __init__(self):
        super().__init__()

    @tf.function
    def update(self, values):
        self.total = tf.Variable(0.0)
        self.count = tf.Variable(0.0)
        self.total.assign_add(tf.reduce_sum(values))
        self.count.assign_add(tf.cast(tf.size(values), tf.float32))
        return self.total / self.count


@wrong("RunningMean", "leaks-a-tensor")
class ReplacesTheVariable(tf.Module):
    def __init__(self):
        super().__init__()
        self.total = tf.Variable(0.0)
        self.count = tf.Variable(0.0)

    @tf.function
    def update(self, values):
        self.total = self.total + tf.reduce_sum(values)
        self.count = self.count + tf.cast(tf.size(values), tf.float32)
        return self.total / self.count


@wrong("RunningMean", "leaks-a-tensor")
class KeepsAList(tf.Module):
    def __init__(self):
        super().__init__()
        self.kept = []

    @tf.function
    def update(self, values):
        self.kept.append(values)
        return tf.reduce_mean(tf.concat(self.kept, axis=0))


@wrong("RunningMean", "reads-a-number")
class WorksInNumpy(tf.Module):
    def __init__(self):
        super().__init__()
        self.total, self.count = 0.0, 0

    @tf.function
    def update(self, values):
        self.total += values.numpy().sum()
        self.count += len(values)
        return self.total / self.count


@wrong("RunningMean", "adds-in-place")
class AddsWithPlusEquals(tf.Module):
    def __init__(self):
        super().__init__()
        self.total = tf.Variable(0.0)
        self.count = tf.Variable(0.0)

    @tf.function
    def update(self, values):
        self.total += tf.reduce_sum(values)
        self.count += tf.cast(tf.size(values), tf.float32)
        return self.total / self.count


@wrong("RunningMean", "mixes-dtypes")
class CountsInIntegers(tf.Module):
    def __init__(self):
        super().__init__()
        self.total = tf.Variable(0.0)
        self.count = tf.Variable(0)

    @tf.function
    def update(self, values):
        self.total.assign_add(tf.reduce_sum(values))
        self.count.assign_add(tf.size(values))
        return self.total / self.count


@wrong("RunningMean", "mixes-dtypes")
class ForgetsToCast(tf.Module):
    def __init__(self):
        super().__init__()
        self.total = tf.Variable(0.0)
        self.count = tf.Variable(0.0)

    @tf.function
    def update(self, values):
        self.total.assign_add(tf.reduce_sum(values))
        self.count.assign_add(tf.size(values))
        return self.total / self.count


@wrong("RunningMean", "not-a-number")
class ForgetsToReduce(tf.Module):
    def __init__(self):
        super().__init__()
        self.total = tf.Variable(0.0)
        self.count = tf.Variable(0.0)

    @tf.function
    def update(self, values):
        self.total.assign_add(tf.reduce_sum(values))
        self.count.assign_add(tf.cast(tf.size(values), tf.float32))
        return values / self.count


@wrong("RunningMean", "remembers-in-python")
class CountsInPython(tf.Module):
    def __init__(self):
        super().__init__()
        self.total = tf.Variable(0.0)
        self.count = 0

    @tf.function
    def update(self, values):
        self.total.assign_add(tf.reduce_sum(values))
        self.count += len(values)
        return self.total / self.count


@wrong("RunningMean", "forgets")
class MeanOfTheBatch(tf.Module):
    def __init__(self):
        super().__init__()
        self.mean = tf.Variable(0.0)

    @tf.function
    def update(self, values):
        self.mean.assign(tf.reduce_mean(values))
        return self.mean.read_value()


@wrong("RunningMean", "shares-a-memory")
class VariablesOfTheClass(tf.Module):
    total = tf.Variable(0.0)
    count = tf.Variable(0.0)

    def __init__(self):
        super().__init__()

    @tf.function
    def update(self, values):
        self.total.assign_add(tf.reduce_sum(values))
        self.count.assign_add(tf.cast(tf.size(values), tf.float32))
        return self.total / self.count


@wrong("RunningMean", "mean-of-means")
class AveragesTheBatches(tf.Module):
    def __init__(self):
        super().__init__()
        self.total = tf.Variable(0.0)
        self.count = tf.Variable(0.0)

    @tf.function
    def update(self, values):
        self.total.assign_add(tf.reduce_mean(values))
        self.count.assign_add(1.0)
        return self.total / self.count


@wrong("RunningMean", "other-mean")
class CountsBatches(tf.Module):
    def __init__(self):
        super().__init__()
        self.total = tf.Variable(0.0)
        self.count = tf.Variable(0.0)

    @tf.function
    def update(self, values):
        self.total.assign_add(tf.reduce_sum(values))
        self.count.assign_add(1.0)
        return self.total / self.count


def _spec(features):
    return tf.TensorSpec((None, features), tf.float32)


@right("export")
def a_class_of_its_own(model, features, folder):
    class Service(tf.Module):
        def __init__(self):
            super().__init__()
            self.model = model

        @tf.function(input_signature=[_spec(features)])
        def score(self, parcels):
            return {"price": self.model(parcels)}

    service = Service()
    tf.saved_model.save(service, folder, signatures={"price": service.score})


@right("export")
def on_the_model_itself(model, features, folder):
    model.score = tf.function(lambda parcels: model(parcels))
    concrete = model.score.get_concrete_function(_spec(features))
    tf.saved_model.save(model, folder, signatures={"price": concrete})


@wrong("export", "weights-only")
def writes_a_checkpoint(model, features, folder):
    tf.train.Checkpoint(model=model).write(folder + "/model")


@wrong("export", "weights-only")
def makes_but_does_not_save(model, features, folder):
    model.score = tf.function(model, input_signature=[_spec(features)])


@wrong("export", "variables-not-found")
def leaves_the_model_out(model, features, folder):
    bundle = tf.Module()
    bundle.score = tf.function(lambda parcels: model(parcels), input_signature=[_spec(features)])
    tf.saved_model.save(bundle, folder, signatures={"price": bundle.score})


@wrong("export", "cannot-be-a-signature")
def signature_without_kinds(model, features, folder):
    bundle = tf.Module()
    bundle.model, bundle.score = model, tf.function(model)
    tf.saved_model.save(bundle, folder, signatures={"price": bundle.score})


@wrong("export", "cannot-be-a-signature")
def the_model_as_a_signature(model, features, folder):
    model.score = tf.function(model, input_signature=[_spec(features)])
    tf.saved_model.save(model, folder, signatures={"price": model})


@wrong("export", "no-score")
def saves_the_model(model, features, folder):
    tf.saved_model.save(model, folder)


@wrong("export", "no-score")
def as_a_signature_only(model, features, folder):
    score = tf.function(model, input_signature=[_spec(features)])
    tf.saved_model.save(model, folder, signatures={"price": score})


@wrong("export", "never-traced")
def forgets_to_trace(model, features, folder):
    bundle = tf.Module()
    bundle.model, bundle.score = model, tf.function(model)
    tf.saved_model.save(bundle, folder)


@wrong("export", "one-size-only")
def traces_one_example(model, features, folder):
    bundle = tf.Module()
    bundle.model, bundle.score = model, tf.function(model)
    bundle.score(tf.ones((1, features)))
    tf.saved_model.save(bundle, folder)


@wrong("export", "one-size-only")
def signature_of_one(model, features, folder):
    bundle = tf.Module()
    bundle.model = model
    bundle.score = tf.function(model, input_signature=[tf.TensorSpec((1, features), tf.float32)])
    tf.saved_model.save(bundle, folder, signatures={"price": bundle.score})


@wrong("export", "other-prices")
def one_price_for_the_batch(model, features, folder):
    bundle = tf.Module()
    bundle.model = model
    bundle.score = tf.function(
        lambda parcels: tf.reduce_mean(model(parcels)), input_signature=[_spec(features)]
    )
    tf.saved_model.save(bundle, folder, signatures={"price": bundle.score})


@wrong("export", "other-prices")
def answers_from_before(model, features, folder):
    answer = np.asarray(model(tf.ones((1, features))))
    bundle = tf.Module()
    bundle.score = tf.function(
        lambda parcels: parcels[:, 0] * 0 + answer[0], input_signature=[_spec(features)]
    )
    tf.saved_model.save(bundle, folder, signatures={"price": bundle.score})


@wrong("export", "no-signature")
def without_signatures(model, features, folder):
    bundle = tf.Module()
    bundle.model, bundle.score = model, tf.function(model, input_signature=[_spec(features)])
    tf.saved_model.save(bundle, folder)


@wrong("export", "no-signature")
def under_the_usual_name(model, features, folder):
    bundle = tf.Module()
    bundle.model, bundle.score = model, tf.function(model, input_signature=[_spec(features)])
    tf.saved_model.save(bundle, folder, signatures={"serving_default": bundle.score})
