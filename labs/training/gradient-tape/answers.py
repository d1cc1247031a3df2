"""Answers to this lab's exercises: right ones written otherwise, and wrong ones that people give."""

import keras
import numpy as np
import tensorflow as tf

from labs import right, wrong


@right("line_gradient")
def multiplies_matrices(w, b, x, y):
    columns = np.stack([x, np.ones_like(x)], axis=1)
    return 2 / len(x) * columns.T @ (columns @ np.array([w, b]) - y)


@right("line_gradient")
def adds_up_in_a_loop(w, b, x, y):
    dw = db = 0.0
    for one_x, one_y in zip(x, y, strict=True):
        dw += 2 * (w * one_x + b - one_y) * one_x
        db += 2 * (w * one_x + b - one_y)
    return dw / len(x), db / len(x)


@wrong("line_gradient", "one-slope")
def forgets_the_bias(w, b, x, y):
    return np.mean(2 * (w * x + b - y) * x)


@wrong("line_gradient", "one-for-each-example")
def forgets_to_average(w, b, x, y):
    error = w * x + b - y
    return 2 * error * x, 2 * error


@wrong("line_gradient", "swaps-the-slopes")
def bias_first(w, b, x, y):
    error = w * x + b - y
    return np.mean(2 * error), np.mean(2 * error * x)


@wrong("line_gradient", "wrong-sign")
def target_minus_prediction(w, b, x, y):
    error = y - (w * x + b)
    return np.mean(2 * error * x), np.mean(2 * error)


@wrong("line_gradient", "sums-over-examples")
def sums_instead_of_averaging(w, b, x, y):
    error = w * x + b - y
    return np.sum(2 * error * x), np.sum(2 * error)


@wrong("line_gradient", "forgets-the-two")
def leaves_the_two_out(w, b, x, y):
    error = w * x + b - y
    return np.mean(error * x), np.mean(error)


@wrong("line_gradient", "forgets-the-inner-slope")
def stops_at_the_square(w, b, x, y):
    error = w * x + b - y
    return np.mean(2 * error), np.mean(2 * error)


@wrong("line_gradient", "multiplies-means")
def averages_too_early(w, b, x, y):
    error = np.mean(w * x + b - y)
    return 2 * error * np.mean(x), 2 * error


@wrong("line_gradient", "other-slopes")
def derives_the_absolute_error(w, b, x, y):
    sign = np.sign(w * x + b - y)
    return np.mean(sign * x), np.mean(sign)


@wrong("line_gradient", "returns-nothing")
def prints_the_slopes(w, b, x, y):
    error = w * x + b - y
    np.mean(2 * error * x), np.mean(2 * error)


@right("value_and_gradient")
def uses_a_persistent_tape(f, x):
    with tf.GradientTape(persistent=True, watch_accessed_variables=False) as tape:
        tape.watch(x)
        value = f(x)
    (gradient,) = tape.gradient(value, [x])
    return [value, gradient]


@right("value_and_gradient")
def makes_a_new_tensor(f, x):
    source = tf.identity(x)
    with tf.GradientTape() as tape:
        tape.watch(source)
        value = f(source)
    return value, tape.gradient(value, source)


@wrong("value_and_gradient", "asks-twice")
def looks_at_the_gradient_first(f, x):
    with tf.GradientTape() as tape:
        tape.watch(x)
        value = f(x)
    found = tape.gradient(value, x) is not None
    return (value, tape.gradient(value, x)) if found else (value, None)


@wrong("value_and_gradient", "leaves-tensorflow")
def returns_numpy(f, x):
    with tf.GradientTape() as tape:
        tape.watch(x)
        value = f(x)
    return value.numpy(), tape.gradient(value, x).numpy()


@wrong("value_and_gradient", "one-result")
def returns_the_gradient_only(f, x):
    with tf.GradientTape() as tape:
        tape.watch(x)
        value = f(x)
    return tape.gradient(value, x)


@wrong("value_and_gradient", "nothing-on-the-tape")
def calls_f_before_the_tape(f, x):
    value = f(x)
    with tf.GradientTape() as tape:
        tape.watch(x)
    return value, tape.gradient(value, x)


@wrong("value_and_gradient", "nothing-on-the-tape")
def source_before_target(f, x):
    with tf.GradientTape() as tape:
        tape.watch(x)
        value = f(x)
    return value, tape.gradient(x, value)


@wrong("value_and_gradient", "nothing-on-the-tape")
def watches_too_late(f, x):
    with tf.GradientTape() as tape:
        value = f(tf.constant(x.numpy()))
        tape.watch(x)
    return value, tape.gradient(value, x)


@wrong("value_and_gradient", "not-watched")
def forgets_to_watch(f, x):
    with tf.GradientTape() as tape:
        value = f(x)
    return value, tape.gradient(value, x)


@wrong("value_and_gradient", "swaps-the-pair")
def gradient_first(f, x):
    with tf.GradientTape() as tape:
        tape.watch(x)
        value = f(x)
    return tape.gradient(value, x), value


@wrong("value_and_gradient", "copies-the-input")
def makes_a_variable_of_x(f, x):
    variable = tf.Variable(x)
    with tf.GradientTape() as tape:
        value = f(variable)
    return value, tape.gradient(value, variable)


@wrong("value_and_gradient", "approximates")
def nudges_every_number(f, x):
    x, h = tf.convert_to_tensor(x), 1e-2
    one_hot = tf.reshape(tf.eye(tf.size(x), dtype=x.dtype), [-1, *x.shape])
    slopes = [tf.reduce_sum(f(x + h * step) - f(x)) / h for step in one_hot]
    return f(x), tf.reshape(slopes, x.shape)


@wrong("value_and_gradient", "other-gradient")
def squares_the_result(f, x):
    with tf.GradientTape() as tape:
        tape.watch(x)
        value = f(x)
        loss = value**2
    return value, tape.gradient(loss, x)


@right("descend")
def watches_a_tensor(loss_fn, start, learning_rate, steps):
    path = [tf.constant(start, tf.float32)]
    for _ in range(steps):
        with tf.GradientTape() as tape:
            tape.watch(path[-1])
            loss = loss_fn(path[-1])
        path.append(path[-1] - learning_rate * tape.gradient(loss, path[-1]))
    return tf.stack(path)


@right("descend")
def lets_an_optimizer_step(loss_fn, start, learning_rate, steps):
    point, optimizer = tf.Variable(start, dtype=tf.float32), keras.optimizers.SGD(learning_rate)
    path = np.zeros((steps + 1, len(start)), np.float32)
    for i in range(steps + 1):
        path[i] = point.numpy()
        with tf.GradientTape() as tape:
            loss = loss_fn(point)
        optimizer.apply_gradients([(tape.gradient(loss, point), point)])
    return path


@wrong("descend", "loses-the-variable")
def reassigns(loss_fn, start, learning_rate, steps):
    point = tf.Variable(start, dtype=tf.float32)
    path = [point.numpy()]
    for _ in range(steps):
        with tf.GradientTape() as tape:
            loss = loss_fn(point)
        point = point - learning_rate * tape.gradient(loss, point)
        path.append(point.numpy())
    return np.stack(path)


@wrong("descend", "loses-the-variable")
def starts_from_a_constant(loss_fn, start, learning_rate, steps):
    point = tf.constant(start, tf.float32)
    path = [point]
    for _ in range(steps):
        with tf.GradientTape() as tape:
            loss = loss_fn(point)
        point -= learning_rate * tape.gradient(loss, point)
        path.append(point)
    return tf.stack(path)


@wrong("descend", "only-the-end")
def returns_the_last_point(loss_fn, start, learning_rate, steps):
    point = tf.Variable(start, dtype=tf.float32)
    for _ in range(steps):
        with tf.GradientTape() as tape:
            loss = loss_fn(point)
        point.assign_sub(learning_rate * tape.gradient(loss, point))
    return point.numpy()


@wrong("descend", "wrong-number-of-points")
def leaves_the_start_out(loss_fn, start, learning_rate, steps):
    point, path = tf.Variable(start, dtype=tf.float32), []
    for _ in range(steps):
        with tf.GradientTape() as tape:
            loss = loss_fn(point)
        point.assign_sub(learning_rate * tape.gradient(loss, point))
        path.append(point.numpy())
    return np.stack(path)


@wrong("descend", "remembers-one-point")
def collects_the_variable(loss_fn, start, learning_rate, steps):
    point = tf.Variable(start, dtype=tf.float32)
    path = [point]
    for _ in range(steps):
        with tf.GradientTape() as tape:
            loss = loss_fn(point)
        point.assign_sub(learning_rate * tape.gradient(loss, point))
        path.append(point)
    return np.stack(path)


@wrong("descend", "climbs")
def adds_the_gradient(loss_fn, start, learning_rate, steps):
    point = tf.Variable(start, dtype=tf.float32)
    path = [point.numpy()]
    for _ in range(steps):
        with tf.GradientTape() as tape:
            loss = loss_fn(point)
        point.assign_add(learning_rate * tape.gradient(loss, point))
        path.append(point.numpy())
    return np.stack(path)


@wrong("descend", "forgets-the-rate")
def subtracts_the_gradient(loss_fn, start, learning_rate, steps):
    point = tf.Variable(start, dtype=tf.float32)
    path = [point.numpy()]
    for _ in range(steps):
        with tf.GradientTape() as tape:
            loss = loss_fn(point)
        point.assign_sub(tape.gradient(loss, point))
        path.append(point.numpy())
    return np.stack(path)


@wrong("descend", "gradient-only-once")
def takes_the_gradient_before_the_loop(loss_fn, start, learning_rate, steps):
    point = tf.Variable(start, dtype=tf.float32)
    path = [point.numpy()]
    with tf.GradientTape() as tape:
        loss = loss_fn(point)
    gradient = tape.gradient(loss, point)
    for _ in range(steps):
        point.assign_sub(learning_rate * gradient)
        path.append(point.numpy())
    return np.stack(path)


@wrong("descend", "keeps-the-direction-only")
def divides_by_the_length(loss_fn, start, learning_rate, steps):
    point = tf.Variable(start, dtype=tf.float32)
    path = [point.numpy()]
    for _ in range(steps):
        with tf.GradientTape() as tape:
            loss = loss_fn(point)
        gradient = tape.gradient(loss, point)
        point.assign_sub(learning_rate * gradient / tf.norm(gradient))
        path.append(point.numpy())
    return np.stack(path)


@wrong("descend", "other-path")
def uses_adam(loss_fn, start, learning_rate, steps):
    point, optimizer = tf.Variable(start, dtype=tf.float32), keras.optimizers.Adam(learning_rate)
    path = [point.numpy()]
    for _ in range(steps):
        with tf.GradientTape() as tape:
            loss = loss_fn(point) ** 2
        optimizer.apply_gradients([(tape.gradient(loss, point), point)])
        path.append(point.numpy())
    return np.stack(path)


@right("train_step")
def applies_in_two_arguments(model, loss_fn, optimizer, images, labels):
    weights = model.trainable_weights
    with tf.GradientTape(watch_accessed_variables=False) as tape:
        tape.watch([weight.value for weight in weights])
        logits = model(images, training=True)
        loss = loss_fn(labels, logits)
    optimizer.apply(tape.gradient(loss, weights), weights)
    return [loss, logits]


@right("train_step")
def asks_for_a_dict(model, loss_fn, optimizer, images, labels):
    variables = {variable.path: variable for variable in model.trainable_variables}
    with tf.GradientTape() as tape:
        logits = model(images, training=True)
        loss = loss_fn(labels, logits)
    gradients = tape.gradient(loss, variables)
    optimizer.apply_gradients((gradients[path], variables[path]) for path in variables)
    return loss, logits


@wrong("train_step", "asks-twice")
def one_question_for_each_variable(model, loss_fn, optimizer, images, labels):
    with tf.GradientTape() as tape:
        logits = model(images, training=True)
        loss = loss_fn(labels, logits)
    for variable in model.trainable_variables:
        optimizer.apply_gradients([(tape.gradient(loss, variable), variable)])
    return loss, logits


@wrong("train_step", "no-path-back")
def loss_after_the_block(model, loss_fn, optimizer, images, labels):
    with tf.GradientTape() as tape:
        logits = model(images, training=True)
    loss = loss_fn(labels, logits)
    gradients = tape.gradient(loss, model.trainable_variables)
    optimizer.apply_gradients(zip(gradients, model.trainable_variables, strict=True))
    return loss, logits


@wrong("train_step", "no-path-back")
def logits_before_the_block(model, loss_fn, optimizer, images, labels):
    logits = model(images, training=True)
    with tf.GradientTape() as tape:
        loss = loss_fn(labels, logits)
    gradients = tape.gradient(loss, model.trainable_variables)
    optimizer.apply_gradients(zip(gradients, model.trainable_variables, strict=True))
    return loss, logits


@wrong("train_step", "no-path-back")
def logits_as_numpy(model, loss_fn, optimizer, images, labels):
    with tf.GradientTape() as tape:
        logits = model(images, training=True).numpy()
        loss = loss_fn(labels, logits)
    gradients = tape.gradient(loss, model.trainable_variables)
    optimizer.apply_gradients(zip(gradients, model.trainable_variables, strict=True))
    return loss, logits


@wrong("train_step", "swaps-the-arguments")
def logits_then_labels(model, loss_fn, optimizer, images, labels):
    with tf.GradientTape() as tape:
        logits = model(images, training=True)
        loss = loss_fn(logits, labels)
    gradients = tape.gradient(loss, model.trainable_variables)
    optimizer.apply_gradients(zip(gradients, model.trainable_variables, strict=True))
    return loss, logits


@wrong("train_step", "leaves-the-graph")
def returns_numbers(model, loss_fn, optimizer, images, labels):
    with tf.GradientTape() as tape:
        logits = model(images, training=True)
        loss = loss_fn(labels, logits)
    gradients = tape.gradient(loss, model.trainable_variables)
    optimizer.apply_gradients(zip(gradients, model.trainable_variables, strict=True))
    return loss.numpy(), logits.numpy()


@wrong("train_step", "swaps-the-pairs")
def variable_then_gradient(model, loss_fn, optimizer, images, labels):
    with tf.GradientTape() as tape:
        logits = model(images, training=True)
        loss = loss_fn(labels, logits)
    gradients = tape.gradient(loss, model.trainable_variables)
    optimizer.apply_gradients(zip(model.trainable_variables, gradients, strict=True))
    return loss, logits


@wrong("train_step", "not-in-pairs")
def hands_over_the_gradients(model, loss_fn, optimizer, images, labels):
    with tf.GradientTape() as tape:
        logits = model(images, training=True)
        loss = loss_fn(labels, logits)
    optimizer.apply_gradients(tape.gradient(loss, model.trainable_variables))
    return loss, logits


@wrong("train_step", "not-in-pairs")
def hands_over_two_lists(model, loss_fn, optimizer, images, labels):
    with tf.GradientTape() as tape:
        logits = model(images, training=True)
        loss = loss_fn(labels, logits)
    optimizer.apply_gradients(tape.gradient(loss, model.trainable_variables), model.trainable_variables)
    return loss, logits


@wrong("train_step", "pairs-two-lists")
def asks_for_some_applies_to_all(model, loss_fn, optimizer, images, labels):
    with tf.GradientTape() as tape:
        logits = model(images, training=True)
        loss = loss_fn(labels, logits)
    gradients = tape.gradient(loss, model.trainable_variables)
    optimizer.apply_gradients(zip(gradients, model.weights, strict=False))
    return loss, logits


@wrong("train_step", "pairs-two-lists")
def last_layer_first(model, loss_fn, optimizer, images, labels):
    with tf.GradientTape() as tape:
        logits = model(images, training=True)
        loss = loss_fn(labels, logits)
    gradients = tape.gradient(loss, model.trainable_variables)
    optimizer.apply_gradients(zip(reversed(gradients), model.trainable_variables, strict=True))
    return loss, logits


@wrong("train_step", "not-a-pair")
def returns_the_loss(model, loss_fn, optimizer, images, labels):
    with tf.GradientTape() as tape:
        loss = loss_fn(labels, model(images, training=True))
    gradients = tape.gradient(loss, model.trainable_variables)
    optimizer.apply_gradients(zip(gradients, model.trainable_variables, strict=True))
    return loss


@wrong("train_step", "never-steps")
def forgets_to_apply(model, loss_fn, optimizer, images, labels):
    with tf.GradientTape() as tape:
        logits = model(images, training=True)
        loss = loss_fn(labels, logits)
    tape.gradient(loss, model.trainable_variables)
    return loss, logits


@wrong("train_step", "inference-mode")
def forgets_training(model, loss_fn, optimizer, images, labels):
    with tf.GradientTape() as tape:
        logits = model(images)
        loss = loss_fn(labels, logits)
    gradients = tape.gradient(loss, model.trainable_variables)
    optimizer.apply_gradients(zip(gradients, model.trainable_variables, strict=True))
    return loss, logits


@wrong("train_step", "moves-frozen-weights")
def trains_all_weights(model, loss_fn, optimizer, images, labels):
    with tf.GradientTape() as tape:
        logits = model(images, training=True)
        loss = loss_fn(labels, logits)
    gradients = tape.gradient(loss, model.weights)
    optimizer.apply_gradients(zip(gradients, model.weights, strict=True))
    return loss, logits


@wrong("train_step", "ignores-loss-fn")
def writes_a_loss_of_its_own(model, loss_fn, optimizer, images, labels):
    with tf.GradientTape() as tape:
        logits = model(images, training=True)
        loss = tf.reduce_mean(tf.nn.sparse_softmax_cross_entropy_with_logits(labels, logits))
    gradients = tape.gradient(loss, model.trainable_variables)
    optimizer.apply_gradients(zip(gradients, model.trainable_variables, strict=True))
    return loss, logits


@wrong("train_step", "forward-twice")
def answers_again_after_the_step(model, loss_fn, optimizer, images, labels):
    with tf.GradientTape() as tape:
        loss = loss_fn(labels, model(images, training=True))
    gradients = tape.gradient(loss, model.trainable_variables)
    optimizer.apply_gradients(zip(gradients, model.trainable_variables, strict=True))
    return loss, model(images, training=False)


@wrong("train_step", "ignores-the-optimizer")
def steps_by_hand(model, loss_fn, optimizer, images, labels):
    with tf.GradientTape() as tape:
        logits = model(images, training=True)
        loss = loss_fn(labels, logits)
    variables = model.trainable_variables
    for variable, gradient in zip(variables, tape.gradient(loss, variables), strict=True):
        variable.assign_sub(0.01 * gradient)
    return loss, logits


@right("run_epoch")
def averages_in_numpy(step, dataset, metrics):
    losses, hits, sizes = [], [], []
    for images, labels in dataset:
        loss, logits = step(images, labels)
        losses.append(float(loss))
        hits.append(np.sum(np.argmax(logits, axis=1) == labels.numpy()))
        sizes.append(len(labels))
    return {"loss": np.average(losses, weights=sizes), "accuracy": np.sum(hits) / np.sum(sizes)}


@right("run_epoch")
def resets_at_the_end(step, dataset, metrics):
    for images, labels in dataset:
        loss, logits = step(images, labels)
        metrics["loss"].update_state(tf.repeat(loss, tf.shape(labels)[0]))
        metrics["accuracy"].update_state(labels, logits)
    results = {name: metric.result().numpy() for name, metric in metrics.items()}
    for metric in metrics.values():
        metric.reset_state()
    return results


@wrong("run_epoch", "accuracy-misfed")
def logits_before_labels(step, dataset, metrics):
    for metric in metrics.values():
        metric.reset_state()
    for images, labels in dataset:
        loss, logits = step(images, labels)
        metrics["loss"].update_state(loss, sample_weight=len(images))
        metrics["accuracy"].update_state(logits, labels)
    return {name: float(metric.result()) for name, metric in metrics.items()}


@wrong("run_epoch", "accuracy-misfed")
def updates_the_accuracy_after_the_loop(step, dataset, metrics):
    for metric in metrics.values():
        metric.reset_state()
    for images, labels in dataset:
        loss, logits = step(images, labels)
        metrics["loss"].update_state(loss, sample_weight=len(images))
    metrics["accuracy"].update_state(labels, logits)
    return {name: float(metric.result()) for name, metric in metrics.items()}


@wrong("run_epoch", "gives-the-metrics")
def forgets_result(step, dataset, metrics):
    for metric in metrics.values():
        metric.reset_state()
    for images, labels in dataset:
        loss, logits = step(images, labels)
        metrics["loss"].update_state(loss, sample_weight=len(images))
        metrics["accuracy"].update_state(labels, logits)
    return metrics


@wrong("run_epoch", "steps-more-than-once")
def one_call_for_each_metric(step, dataset, metrics):
    for metric in metrics.values():
        metric.reset_state()
    for images, labels in dataset:
        metrics["loss"].update_state(step(images, labels)[0], sample_weight=len(images))
        metrics["accuracy"].update_state(labels, step(images, labels)[1])
    return {name: float(metric.result()) for name, metric in metrics.items()}


@wrong("run_epoch", "misses-batches")
def returns_inside_the_loop(step, dataset, metrics):
    for metric in metrics.values():
        metric.reset_state()
    for images, labels in dataset:
        loss, logits = step(images, labels)
        metrics["loss"].update_state(loss, sample_weight=len(images))
        metrics["accuracy"].update_state(labels, logits)
        return {name: float(metric.result()) for name, metric in metrics.items()}


@wrong("run_epoch", "never-resets")
def forgets_to_reset(step, dataset, metrics):
    for images, labels in dataset:
        loss, logits = step(images, labels)
        metrics["loss"].update_state(loss, sample_weight=len(images))
        metrics["accuracy"].update_state(labels, logits)
    return {name: float(metric.result()) for name, metric in metrics.items()}


@wrong("run_epoch", "never-resets")
def resets_the_loss_only(step, dataset, metrics):
    metrics["loss"].reset_state()
    for images, labels in dataset:
        loss, logits = step(images, labels)
        metrics["loss"].update_state(loss, sample_weight=len(images))
        metrics["accuracy"].update_state(labels, logits)
    return {name: float(metric.result()) for name, metric in metrics.items()}


@wrong("run_epoch", "last-batch-only")
def resets_in_the_loop(step, dataset, metrics):
    for images, labels in dataset:
        for metric in metrics.values():
            metric.reset_state()
        loss, logits = step(images, labels)
        metrics["loss"].update_state(loss, sample_weight=len(images))
        metrics["accuracy"].update_state(labels, logits)
    return {name: float(metric.result()) for name, metric in metrics.items()}


@wrong("run_epoch", "last-batch-only")
def keeps_the_last_loss(step, dataset, metrics):
    metrics["accuracy"].reset_state()
    for images, labels in dataset:
        loss, logits = step(images, labels)
        metrics["accuracy"].update_state(labels, logits)
    return {"loss": float(loss), "accuracy": float(metrics["accuracy"].result())}


@wrong("run_epoch", "sums-the-losses")
def adds_the_losses_up(step, dataset, metrics):
    metrics["accuracy"].reset_state()
    total = 0.0
    for images, labels in dataset:
        loss, logits = step(images, labels)
        total += loss
        metrics["accuracy"].update_state(labels, logits)
    return {"loss": float(total), "accuracy": float(metrics["accuracy"].result())}


@wrong("run_epoch", "batches-count-alike")
def forgets_the_sample_weight(step, dataset, metrics):
    for metric in metrics.values():
        metric.reset_state()
    for images, labels in dataset:
        loss, logits = step(images, labels)
        metrics["loss"].update_state(loss)
        metrics["accuracy"].update_state(labels, logits)
    return {name: float(metric.result()) for name, metric in metrics.items()}


@wrong("run_epoch", "other-means")
def divides_by_the_photos_too_often(step, dataset, metrics):
    for metric in metrics.values():
        metric.reset_state()
    for images, labels in dataset:
        loss, logits = step(images, labels)
        metrics["loss"].update_state(loss / len(images), sample_weight=len(images))
        metrics["accuracy"].update_state(labels, logits)
    return {name: float(metric.result()) for name, metric in metrics.items()}


@right("ClippedModel")
class UpdatesMetricByMetric(keras.Model):
    def train_step(self, data):
        x, y, weights = keras.utils.unpack_x_y_sample_weight(data)
        with tf.GradientTape() as tape:
            y_pred = self(x, training=True)
            loss = self.compute_loss(x=x, y=y, y_pred=y_pred, sample_weight=weights)
        gradients = tape.gradient(loss, self.trainable_weights)
        norm = tf.linalg.global_norm(gradients)
        gradients = [gradient / tf.maximum(norm, 1.0) for gradient in gradients]
        self.optimizer.apply_gradients(zip(gradients, self.trainable_weights, strict=True))
        for metric in self.metrics:
            if metric.name == "loss":
                metric.update_state(loss, sample_weight=tf.shape(y)[0])
            else:
                metric.update_state(y, y_pred)
        return {metric.name: metric.result() for metric in self.metrics} | {"gradient_norm": norm}


@right("ClippedModel")
class ComputesTheNormByHand(keras.Model):
    def train_step(self, data):
        x, y = data
        with tf.GradientTape() as tape:
            logits = self(x, training=True)
            loss = self.compute_loss(y=y, y_pred=logits)
        gradients = tape.gradient(loss, self.trainable_variables)
        clipped, _ = tf.clip_by_global_norm(gradients, 1.0)
        self.optimizer.apply(clipped, self.trainable_variables)
        self.metrics[0].update_state(loss, sample_weight=tf.shape(x)[0])
        logs = self.compute_metrics(x, y, logits)
        logs["gradient_norm"] = tf.sqrt(tf.add_n([tf.reduce_sum(gradient**2) for gradient in gradients]))
        return logs


class _Step(keras.Model):
    """The step in parts, so that each wrong answer below shows only what it does otherwise."""

    def train_step(self, data):
        images, labels = data
        with tf.GradientTape() as tape:
            logits = self.answer(images)
            loss = self.loss_of(images, labels, logits)
        gradients = tape.gradient(loss, self.trainable_variables)
        clipped, norm = self.clip(gradients)
        self.move(clipped)
        return self.report(images, labels, logits, loss, norm)

    def answer(self, images):
        return self(images, training=True)

    def loss_of(self, images, labels, logits):
        return self.compute_loss(images, labels, logits)

    def clip(self, gradients):
        return tf.clip_by_global_norm(gradients, 1.0)

    def move(self, gradients):
        self.optimizer.apply(gradients, self.trainable_variables)

    def report(self, images, labels, logits, loss, norm):
        self.metrics[0].update_state(loss, sample_weight=tf.shape(images)[0])
        return {**self.compute_metrics(images, labels, logits), "gradient_norm": norm}


@wrong("ClippedModel", "leaves-the-graph")
class ReportsNumbers(_Step):
    def report(self, images, labels, logits, loss, norm):
        self.metrics[0].update_state(loss, sample_weight=tf.shape(images)[0])
        return {**self.compute_metrics(images, labels, logits), "gradient_norm": norm.numpy()}


@wrong("ClippedModel", "no-path-back")
class LossAfterTheBlock(_Step):
    def train_step(self, data):
        images, labels = data
        with tf.GradientTape() as tape:
            logits = self(images, training=True)
        loss = self.compute_loss(images, labels, logits)
        gradients = tape.gradient(loss, self.trainable_variables)
        clipped, norm = tf.clip_by_global_norm(gradients, 1.0)
        self.optimizer.apply(clipped, self.trainable_variables)
        return self.report(images, labels, logits, loss, norm)


@wrong("ClippedModel", "returns-no-dict")
class ReturnsTheLoss(_Step):
    def report(self, images, labels, logits, loss, norm):
        self.metrics[0].update_state(loss, sample_weight=tf.shape(images)[0])
        self.compute_metrics(images, labels, logits)
        return loss


@wrong("ClippedModel", "returns-no-dict")
class ReturnsNothing(_Step):
    def report(self, images, labels, logits, loss, norm):
        self.metrics[0].update_state(loss, sample_weight=tf.shape(images)[0])
        self.compute_metrics(images, labels, logits)


@wrong("ClippedModel", "norm-not-reported")
class ReportsMetricsOnly(_Step):
    def report(self, images, labels, logits, loss, norm):
        self.metrics[0].update_state(loss, sample_weight=tf.shape(images)[0])
        return self.compute_metrics(images, labels, logits)


@wrong("ClippedModel", "never-steps")
class ForgetsToApply(_Step):
    def move(self, gradients):
        pass


@wrong("ClippedModel", "loss-not-updated")
class ForgetsTheMeanLoss(_Step):
    def report(self, images, labels, logits, loss, norm):
        return {**self.compute_metrics(images, labels, logits), "gradient_norm": norm}


@wrong("ClippedModel", "loss-of-the-last-batch")
class PutsTheLossIntoTheDict(_Step):
    def report(self, images, labels, logits, loss, norm):
        return {**self.compute_metrics(images, labels, logits), "loss": loss, "gradient_norm": norm}


@wrong("ClippedModel", "batches-count-alike")
class ForgetsTheWeight(_Step):
    def report(self, images, labels, logits, loss, norm):
        self.metrics[0].update_state(loss)
        return {**self.compute_metrics(images, labels, logits), "gradient_norm": norm}


@wrong("ClippedModel", "metrics-not-updated")
class ReadsMetricsWithoutUpdating(_Step):
    def report(self, images, labels, logits, loss, norm):
        self.metrics[0].update_state(loss, sample_weight=tf.shape(images)[0])
        return {**self.get_metrics_result(), "gradient_norm": norm}


@wrong("ClippedModel", "metrics-not-updated")
class ReportsLossAndNormOnly(_Step):
    def report(self, images, labels, logits, loss, norm):
        self.metrics[0].update_state(loss, sample_weight=tf.shape(images)[0])
        return {"loss": self.metrics[0].result(), "gradient_norm": norm}


@wrong("ClippedModel", "inference-mode")
class ForgetsTraining(_Step):
    def answer(self, images):
        return self(images)


@wrong("ClippedModel", "forgets-added-losses")
class BringsItsOwnLoss(_Step):
    def loss_of(self, images, labels, logits):
        return keras.losses.SparseCategoricalCrossentropy(from_logits=True)(labels, logits)


@wrong("ClippedModel", "not-clipped")
class AppliesThemAsTheyAre(_Step):
    def clip(self, gradients):
        return gradients, tf.linalg.global_norm(gradients)


@wrong("ClippedModel", "clips-each-alone")
class ClipsEachByItsOwnNorm(_Step):
    def clip(self, gradients):
        return [tf.clip_by_norm(gradient, 1.0) for gradient in gradients], tf.linalg.global_norm(gradients)


@wrong("ClippedModel", "clips-the-values")
class ClipsTheNumbers(_Step):
    def clip(self, gradients):
        return [tf.clip_by_value(gradient, -1.0, 1.0) for gradient in gradients], tf.linalg.global_norm(
            gradients
        )


@wrong("ClippedModel", "always-scales")
class DividesByTheNorm(_Step):
    def clip(self, gradients):
        norm = tf.linalg.global_norm(gradients)
        return [gradient / norm for gradient in gradients], norm


@wrong("ClippedModel", "reports-the-clipped-norm")
class MeasuresAfterClipping(_Step):
    def clip(self, gradients):
        clipped, _ = tf.clip_by_global_norm(gradients, 1.0)
        return clipped, tf.linalg.global_norm(clipped)


@wrong("ClippedModel", "reports-another-norm")
class AveragesTheNorm(_Step):
    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.norm = keras.metrics.Mean(name="gradient_norm")

    def report(self, images, labels, logits, loss, norm):
        self.metrics[0].update_state(loss, sample_weight=tf.shape(images)[0])
        self.norm.update_state(norm)
        return {**self.compute_metrics(images, labels, logits), "gradient_norm": self.norm.result()}


@wrong("ClippedModel", "reports-another-norm")
class AddsTheNormsUp(_Step):
    def clip(self, gradients):
        clipped, _ = tf.clip_by_global_norm(gradients, 1.0)
        return clipped, tf.add_n([tf.norm(gradient) for gradient in gradients])


@wrong("ClippedModel", "other-step")
class AppliesTwice(_Step):
    def move(self, gradients):
        self.optimizer.apply(gradients, self.trainable_variables)
        self.optimizer.apply(gradients, self.trainable_variables)
