"""Answers to this lab's exercises: right ones written otherwise, and wrong ones that people give."""

import keras
import numpy as np
import tensorflow as tf

from labs import right, wrong

CROSS_ENTROPY = keras.losses.SparseCategoricalCrossentropy


@right("two_branches")
def puts_layers_in_variables_and_table_first(image_shape, columns, units):
    inputs = [keras.Input((columns,), name="table"), keras.Input(image_shape, name="image")]
    flatten = keras.layers.Reshape((int(np.prod(image_shape)),))
    see, read = keras.layers.Dense(units), keras.layers.Dense(units, activation="relu")
    joined = keras.ops.concatenate([read(inputs[0]), keras.ops.relu(see(flatten(inputs[1])))], axis=1)
    return keras.Model(inputs, keras.layers.Dense(units, activation="relu", name="features")(joined))


@right("two_branches")
def joins_two_models(image_shape, columns, units):
    stack = [keras.Input(image_shape), keras.layers.Flatten(), keras.layers.Dense(units, activation="relu")]
    see = keras.Sequential(stack)
    inputs = {"image": keras.Input(image_shape, name="image"), "table": keras.Input((columns,), name="table")}
    read = keras.layers.Dense(units, activation="relu")(inputs["table"])
    joined = keras.layers.concatenate([see(inputs["image"]), read])
    return keras.Model(inputs, keras.layers.Dense(units, activation="relu", name="features")(joined))


@wrong("two_branches", "layer-not-called")
def forgets_to_call_a_layer(image_shape, columns, units):
    image, table = keras.Input(image_shape, name="image"), keras.Input((columns,), name="table")
    seen = keras.layers.Dense(units, activation="relu")(keras.layers.Flatten()(image))
    read = keras.layers.Dense(units, activation="relu")
    joined = keras.layers.Concatenate()([seen, read])
    features = keras.layers.Dense(units, activation="relu", name="features")(joined)
    return keras.Model({"image": image, "table": table}, features)


@wrong("two_branches", "not-in-a-list")
def passes_two_arguments(image_shape, columns, units):
    image, table = keras.Input(image_shape, name="image"), keras.Input((columns,), name="table")
    seen = keras.layers.Dense(units, activation="relu")(keras.layers.Flatten()(image))
    read = keras.layers.Dense(units, activation="relu")(table)
    joined = keras.layers.Concatenate()(seen, read)
    features = keras.layers.Dense(units, activation="relu", name="features")(joined)
    return keras.Model({"image": image, "table": table}, features)


@wrong("two_branches", "inputs-without-names")
def a_list_of_nameless_inputs(image_shape, columns, units):
    image, table = keras.Input(image_shape), keras.Input((columns,))
    seen = keras.layers.Dense(units, activation="relu")(keras.layers.Flatten()(image))
    read = keras.layers.Dense(units, activation="relu")(table)
    joined = keras.layers.Concatenate()([seen, read])
    return keras.Model([image, table], keras.layers.Dense(units, activation="relu", name="features")(joined))


@wrong("two_branches", "forgets-to-flatten")
def no_flatten(image_shape, columns, units):
    image, table = keras.Input(image_shape, name="image"), keras.Input((columns,), name="table")
    seen = keras.layers.Dense(units, activation="relu")(image)
    read = keras.layers.Dense(units, activation="relu")(table)
    joined = keras.layers.Concatenate()([seen, read])
    features = keras.layers.Dense(units, activation="relu", name="features")(joined)
    return keras.Model({"image": image, "table": table}, features)


@wrong("two_branches", "one-input-ignored")
def joins_the_wrong_name(image_shape, columns, units):
    image, table = keras.Input(image_shape, name="image"), keras.Input((columns,), name="table")
    x = keras.layers.Dense(units, activation="relu")(table)
    x = keras.layers.Dense(units, activation="relu")(keras.layers.Flatten()(image))
    joined = keras.layers.Concatenate()([x, x])
    features = keras.layers.Dense(units, activation="relu", name="features")(joined)
    return keras.Model({"image": image, "table": table}, features)


@wrong("two_branches", "wrong-number-of-features")
def ends_with_the_joined(image_shape, columns, units):
    image, table = keras.Input(image_shape, name="image"), keras.Input((columns,), name="table")
    seen = keras.layers.Dense(units, activation="relu")(keras.layers.Flatten()(image))
    read = keras.layers.Dense(units, activation="relu")(table)
    return keras.Model(
        {"image": image, "table": table}, keras.layers.Concatenate(name="features")([seen, read])
    )


@wrong("two_branches", "adds-instead-of-joining")
def adds_the_branches(image_shape, columns, units):
    image, table = keras.Input(image_shape, name="image"), keras.Input((columns,), name="table")
    seen = keras.layers.Dense(units, activation="relu")(keras.layers.Flatten()(image))
    read = keras.layers.Dense(units, activation="relu")(table)
    features = keras.layers.Dense(units, activation="relu", name="features")(keras.layers.Add()([seen, read]))
    return keras.Model({"image": image, "table": table}, features)


@wrong("two_branches", "no-branches")
def joins_the_raw_inputs(image_shape, columns, units):
    image, table = keras.Input(image_shape, name="image"), keras.Input((columns,), name="table")
    joined = keras.layers.Concatenate()([keras.layers.Flatten()(image), table])
    features = keras.layers.Dense(units, activation="relu", name="features")(joined)
    return keras.Model({"image": image, "table": table}, features)


@wrong("two_branches", "no-nonlinearity")
def forgets_relu_in_a_branch(image_shape, columns, units):
    image, table = keras.Input(image_shape, name="image"), keras.Input((columns,), name="table")
    seen = keras.layers.Dense(units)(keras.layers.Flatten()(image))
    read = keras.layers.Dense(units, activation="relu")(table)
    joined = keras.layers.Concatenate()([seen, read])
    features = keras.layers.Dense(units, activation="relu", name="features")(joined)
    return keras.Model({"image": image, "table": table}, features)


@wrong("two_branches", "features-without-name")
def names_the_variable_only(image_shape, columns, units):
    image, table = keras.Input(image_shape, name="image"), keras.Input((columns,), name="table")
    seen = keras.layers.Dense(units, activation="relu")(keras.layers.Flatten()(image))
    read = keras.layers.Dense(units, activation="relu")(table)
    features = keras.layers.Dense(units, activation="relu")(keras.layers.Concatenate()([seen, read]))
    return keras.Model({"image": image, "table": table}, features)


@wrong("two_branches", "other-features")
def another_activation(image_shape, columns, units):
    image, table = keras.Input(image_shape, name="image"), keras.Input((columns,), name="table")
    seen = keras.layers.Dense(units, activation="tanh")(keras.layers.Flatten()(image))
    read = keras.layers.Dense(units, activation="relu")(table)
    joined = keras.layers.Concatenate()([seen, read])
    features = keras.layers.Dense(units, activation="relu", name="features")(joined)
    return keras.Model({"image": image, "table": table}, features)


@right("compile_two")
def spells_out_the_objects(model, area_weight):
    model.compile(
        keras.optimizers.Adam(learning_rate=3e-3),
        {"area": keras.losses.MeanSquaredError(), "kind": CROSS_ENTROPY(from_logits=True)},
        loss_weights={"area": area_weight, "kind": 1},
        metrics={"kind": "accuracy", "area": keras.metrics.MeanAbsoluteError(name="mae")},
    )
    return model


@wrong("compile_two", "weights-for-one-head")
def weighs_the_area_only(model, area_weight):
    losses = {"kind": CROSS_ENTROPY(from_logits=True), "area": "mse"}
    metrics = {"kind": ["accuracy"], "area": ["mae"]}
    model.compile(keras.optimizers.Adam(0.003), losses, loss_weights={"area": area_weight}, metrics=metrics)
    return model


@wrong("compile_two", "names-no-head")
def misspells_a_head(model, area_weight):
    losses = {"kinds": CROSS_ENTROPY(from_logits=True), "area": "mse"}
    weights = {"kinds": 1.0, "area": area_weight}
    metrics = {"kind": ["accuracy"], "area": ["mae"]}
    model.compile(keras.optimizers.Adam(0.003), losses, loss_weights=weights, metrics=metrics)
    return model


@wrong("compile_two", "wants-one-hot")
def the_loss_without_sparse(model, area_weight):
    losses = {"kind": keras.losses.CategoricalCrossentropy(from_logits=True), "area": "mse"}
    weights, metrics = {"kind": 1.0, "area": area_weight}, {"kind": ["accuracy"], "area": ["mae"]}
    model.compile(keras.optimizers.Adam(0.003), losses, loss_weights=weights, metrics=metrics)
    return model


@wrong("compile_two", "forgets-from-logits")
def names_the_losses_by_text(model, area_weight):
    losses = {"kind": "sparse_categorical_crossentropy", "area": "mse"}
    weights, metrics = {"kind": 1.0, "area": area_weight}, {"kind": ["accuracy"], "area": ["mae"]}
    model.compile(keras.optimizers.Adam(0.003), losses, loss_weights=weights, metrics=metrics)
    return model


@wrong("compile_two", "area-by-another-loss")
def trains_on_the_metric(model, area_weight):
    losses = {"kind": CROSS_ENTROPY(from_logits=True), "area": "mae"}
    weights, metrics = {"kind": 1.0, "area": area_weight}, {"kind": ["accuracy"], "area": ["mae"]}
    model.compile(keras.optimizers.Adam(0.003), losses, loss_weights=weights, metrics=metrics)
    return model


@wrong("compile_two", "other-loss")
def sums_over_the_batch(model, area_weight):
    losses = {"kind": CROSS_ENTROPY(from_logits=True, reduction="sum"), "area": "mse"}
    weights, metrics = {"kind": 1.0, "area": area_weight}, {"kind": ["accuracy"], "area": ["mae"]}
    model.compile(keras.optimizers.Adam(0.003), losses, loss_weights=weights, metrics=metrics)
    return model


@wrong("compile_two", "other-loss")
def one_loss_for_both(model, area_weight):
    metrics = {"kind": ["accuracy"], "area": ["mae"]}
    weights = {"kind": 1.0, "area": area_weight}
    losses = {"kind": "mse", "area": "mse"}
    model.compile(keras.optimizers.Adam(0.003), losses, loss_weights=weights, metrics=metrics)
    return model


@wrong("compile_two", "weights-swapped")
def weighs_the_kind(model, area_weight):
    losses = {"kind": CROSS_ENTROPY(from_logits=True), "area": "mse"}
    weights, metrics = {"kind": area_weight, "area": 1.0}, {"kind": ["accuracy"], "area": ["mae"]}
    model.compile(keras.optimizers.Adam(0.003), losses, loss_weights=weights, metrics=metrics)
    return model


@wrong("compile_two", "weight-unused")
def leaves_the_weights_out(model, area_weight):
    losses = {"kind": CROSS_ENTROPY(from_logits=True), "area": "mse"}
    metrics = {"kind": ["accuracy"], "area": ["mae"]}
    model.compile(keras.optimizers.Adam(0.003), losses, metrics=metrics)
    return model


@wrong("compile_two", "other-total")
def makes_shares_of_the_weights(model, area_weight):
    losses = {"kind": CROSS_ENTROPY(from_logits=True), "area": "mse"}
    weights = {"kind": 1 / (1 + area_weight), "area": area_weight / (1 + area_weight)}
    metrics = {"kind": ["accuracy"], "area": ["mae"]}
    model.compile(keras.optimizers.Adam(0.003), losses, loss_weights=weights, metrics=metrics)
    return model


@wrong("compile_two", "no-metrics")
def a_metric_under_its_long_name(model, area_weight):
    losses = {"kind": CROSS_ENTROPY(from_logits=True), "area": "mse"}
    weights = {"kind": 1.0, "area": area_weight}
    metrics = {"kind": ["accuracy"], "area": [keras.metrics.MeanAbsoluteError()]}
    model.compile(keras.optimizers.Adam(0.003), losses, loss_weights=weights, metrics=metrics)
    return model


@wrong("compile_two", "metrics-everywhere")
def both_metrics_for_both_heads(model, area_weight):
    losses = {"kind": CROSS_ENTROPY(from_logits=True), "area": "mse"}
    weights = {"kind": 1.0, "area": area_weight}
    metrics = {"kind": ["accuracy"], "area": ["mae", "accuracy"]}
    model.compile(keras.optimizers.Adam(0.003), losses, loss_weights=weights, metrics=metrics)
    return model


@wrong("compile_two", "other-optimizer")
def adam_by_text(model, area_weight):
    losses = {"kind": CROSS_ENTROPY(from_logits=True), "area": "mse"}
    weights, metrics = {"kind": 1.0, "area": area_weight}, {"kind": ["accuracy"], "area": ["mae"]}
    model.compile("adam", losses, loss_weights=weights, metrics=metrics)
    return model


@wrong("compile_two", "returns-nothing")
def returns_what_compile_returns(model, area_weight):
    losses = {"kind": CROSS_ENTROPY(from_logits=True), "area": "mse"}
    weights, metrics = {"kind": 1.0, "area": area_weight}, {"kind": ["accuracy"], "area": ["mae"]}
    return model.compile(keras.optimizers.Adam(0.003), losses, loss_weights=weights, metrics=metrics)


@right("residual_block")
def adds_by_the_operator(x, units):
    f = keras.Sequential([keras.layers.Dense(units), keras.layers.ReLU(), keras.layers.Dense(units)])
    around = x if x.shape[-1] == units else keras.layers.Dense(units, use_bias=False)(x)
    return f(x) + around


@right("residual_block")
def adds_by_an_op(x, units):
    way = keras.layers.Identity() if x.shape[1] == units else keras.layers.Dense(units, use_bias=False)
    hidden = keras.ops.relu(keras.layers.Dense(units)(x))
    return keras.ops.add(keras.layers.Dense(units)(hidden), way(x))


@wrong("residual_block", "layer-not-called")
def the_second_layer_is_not_called(x, units):
    changed = keras.layers.Dense(units)(keras.layers.Dense(units, activation="relu"))
    return keras.layers.Add()([x, changed])


@wrong("residual_block", "layer-not-called")
def adds_a_layer(x, units):
    around = x if x.shape[-1] == units else keras.layers.Dense(units, use_bias=False)(x)
    return around + keras.layers.Dense(units)


@wrong("residual_block", "not-symbolic")
def uses_tf_nn(x, units):
    changed = keras.layers.Dense(units)(tf.nn.relu(keras.layers.Dense(units)(x)))
    around = x if x.shape[-1] == units else keras.layers.Dense(units, use_bias=False)(x)
    return keras.layers.Add()([around, changed])


@wrong("residual_block", "widths-do-not-fit")
def never_projects(x, units):
    changed = keras.layers.Dense(units)(keras.layers.Dense(units, activation="relu")(x))
    return keras.layers.Add()([x, changed])


@wrong("residual_block", "concatenates")
def puts_it_beside(x, units):
    changed = keras.layers.Dense(units)(keras.layers.Dense(units, activation="relu")(x))
    return keras.layers.Concatenate()([x, changed])


@wrong("residual_block", "nothing-around")
def just_two_layers(x, units):
    return keras.layers.Dense(units)(keras.layers.Dense(units, activation="relu")(x))


@wrong("residual_block", "adds-the-hidden")
def overwrites_x(x, units):
    x = keras.layers.Dense(units, activation="relu")(x)
    return keras.layers.Add()([x, keras.layers.Dense(units)(x)])


@wrong("residual_block", "relu-at-the-end")
def relu_after_the_sum(x, units):
    changed = keras.layers.Dense(units)(keras.layers.Dense(units, activation="relu")(x))
    around = x if x.shape[-1] == units else keras.layers.Dense(units, use_bias=False)(x)
    return keras.layers.ReLU()(keras.layers.Add()([around, changed]))


@wrong("residual_block", "always-projects")
def a_layer_on_the_way_around(x, units):
    changed = keras.layers.Dense(units)(keras.layers.Dense(units, activation="relu")(x))
    return keras.layers.Add()([keras.layers.Dense(units, use_bias=False)(x), changed])


@wrong("residual_block", "projects-before-the-layers")
def projects_first(x, units):
    if x.shape[-1] != units:
        x = keras.layers.Dense(units, use_bias=False)(x)
    changed = keras.layers.Dense(units)(keras.layers.Dense(units, activation="relu")(x))
    return keras.layers.Add()([x, changed])


@wrong("residual_block", "other-layers")
def projects_with_a_bias(x, units):
    changed = keras.layers.Dense(units)(keras.layers.Dense(units, activation="relu")(x))
    around = x if x.shape[-1] == units else keras.layers.Dense(units)(x)
    return keras.layers.Add()([around, changed])


@wrong("residual_block", "other-relu")
def relu_on_both_layers(x, units):
    changed = keras.layers.Dense(units, activation="relu")(x)
    changed = keras.layers.Dense(units, activation="relu")(changed)
    around = x if x.shape[-1] == units else keras.layers.Dense(units, use_bias=False)(x)
    return keras.layers.Add()([around, changed])


@wrong("residual_block", "other-relu")
def no_relu_at_all(x, units):
    changed = keras.layers.Dense(units)(keras.layers.Dense(units)(x))
    around = x if x.shape[-1] == units else keras.layers.Dense(units, use_bias=False)(x)
    return keras.layers.Add()([around, changed])


@wrong("residual_block", "other-block")
def averages(x, units):
    changed = keras.layers.Dense(units)(keras.layers.Dense(units, activation="relu")(x))
    around = x if x.shape[-1] == units else keras.layers.Dense(units, use_bias=False)(x)
    return keras.layers.Average()([around, changed])


@wrong("residual_block", "returns-nothing")
def forgets_to_return(x, units):
    changed = keras.layers.Dense(units)(keras.layers.Dense(units, activation="relu")(x))
    keras.layers.Add()([x if x.shape[-1] == units else keras.layers.Dense(units)(x), changed])


@right("mirror_proof")
def slices_backwards_and_halves(encoder, image_shape):
    image = keras.Input(image_shape)
    return keras.Model(image, (encoder(image) + encoder(image[:, :, ::-1])) / 2)


@right("mirror_proof")
def a_layer_that_maps_both(encoder, image_shape):
    image = keras.Input(image_shape)
    both = keras.ops.stack([encoder(image), encoder(keras.ops.flip(image, axis=-2))])
    return keras.Model(image, keras.ops.mean(both, axis=0))


@wrong("mirror_proof", "layer-not-called")
def hands_the_encoder_over(encoder, image_shape):
    image = keras.Input(image_shape)
    return keras.Model(image, keras.layers.Average()([encoder, encoder]))


@wrong("mirror_proof", "not-symbolic")
def flips_with_tf(encoder, image_shape):
    image = keras.Input(image_shape)
    mirrored = tf.reverse(image, axis=[2])
    return keras.Model(image, keras.layers.Average()([encoder(image), encoder(mirrored)]))


@wrong("mirror_proof", "not-symbolic")
def leaves_the_graph(encoder, image_shape):
    image = keras.Input(image_shape)
    mirrored = np.asarray(image)[:, :, ::-1]
    return keras.Model(image, keras.layers.Average()([encoder(image), encoder(mirrored)]))


@wrong("mirror_proof", "own-weights")
def copies_the_encoder(encoder, image_shape):
    first, second = keras.models.clone_model(encoder), keras.models.clone_model(encoder)
    image = keras.Input(image_shape)
    return keras.Model(image, keras.layers.Average()([first(image), second(keras.ops.flip(image, axis=2))]))


@wrong("mirror_proof", "own-weights")
def one_call_on_a_copy(encoder, image_shape):
    copy = keras.models.clone_model(encoder)
    copy.set_weights(encoder.get_weights())
    image = keras.Input(image_shape)
    return keras.Model(image, keras.layers.Average()([encoder(image), copy(keras.ops.flip(image, axis=2))]))


@wrong("mirror_proof", "not-the-outputs-form")
def concatenates_both(encoder, image_shape):
    image = keras.Input(image_shape)
    mirrored = keras.ops.flip(image, axis=2)
    return keras.Model(image, keras.layers.Concatenate()([encoder(image), encoder(mirrored)]))


@wrong("mirror_proof", "upside-down")
def flips_axis_1(encoder, image_shape):
    image = keras.Input(image_shape)
    mirrored = keras.ops.flip(image, axis=1)
    return keras.Model(image, keras.layers.Average()([encoder(image), encoder(mirrored)]))


@wrong("mirror_proof", "flips-the-batch")
def flips_axis_0(encoder, image_shape):
    image = keras.Input(image_shape)
    mirrored = keras.ops.flip(image, axis=0)
    return keras.Model(image, keras.layers.Average()([encoder(image), encoder(mirrored)]))


@wrong("mirror_proof", "flips-channels")
def flips_the_last_axis(encoder, image_shape):
    image = keras.Input(image_shape)
    mirrored = keras.ops.flip(image, axis=-1)
    return keras.Model(image, keras.layers.Average()([encoder(image), encoder(mirrored)]))


@wrong("mirror_proof", "no-mirror")
def only_the_mirror_image(encoder, image_shape):
    image = keras.Input(image_shape)
    return keras.Model(image, encoder(keras.ops.flip(image, axis=2)))


@wrong("mirror_proof", "sums")
def adds_both(encoder, image_shape):
    image = keras.Input(image_shape)
    mirrored = keras.ops.flip(image, axis=2)
    return keras.Model(image, keras.layers.Add()([encoder(image), encoder(mirrored)]))


@wrong("mirror_proof", "averages-photos")
def averages_before_encoding(encoder, image_shape):
    image = keras.Input(image_shape)
    return keras.Model(image, encoder(keras.layers.Average()([image, keras.ops.flip(image, axis=2)])))


@wrong("mirror_proof", "takes-the-larger")
def takes_the_maximum(encoder, image_shape):
    image = keras.Input(image_shape)
    mirrored = keras.ops.flip(image, axis=2)
    return keras.Model(image, keras.layers.Maximum()([encoder(image), encoder(mirrored)]))


@wrong("mirror_proof", "other-answer")
def flips_the_answer(encoder, image_shape):
    image = keras.Input(image_shape)
    answer = encoder(image)
    return keras.Model(image, keras.layers.Average()([answer, keras.ops.flip(answer, axis=1)]))


@right("reuse")
def freezes_layer_by_layer(model, layer_name, outputs):
    trunk = keras.Model(model.inputs, model.get_layer(layer_name).output)
    for layer in trunk.layers:
        layer.trainable = False
    return keras.Model(trunk.inputs, keras.layers.Dense(outputs)(trunk.output))


@right("reuse")
def freezes_all_then_adds_a_head(model, layer_name, outputs):
    model.trainable = False
    found = next(layer for layer in model.layers if layer.name == layer_name)
    head = keras.layers.Dense(outputs, name="head")
    return keras.Model(inputs=model.input, outputs=head(found.output))


@wrong("reuse", "layer-instead-of-output")
def takes_the_layer(model, layer_name, outputs):
    extractor = keras.Model(model.input, model.get_layer(layer_name))
    extractor.trainable = False
    return keras.Model(model.input, keras.layers.Dense(outputs)(extractor.output))


@wrong("reuse", "not-connected")
def makes_new_inputs(model, layer_name, outputs):
    inputs = {name: keras.Input(tensor.shape[1:], name=name) for name, tensor in model.input.items()}
    model.trainable = False
    return keras.Model(inputs, keras.layers.Dense(outputs)(model.get_layer(layer_name).output))


@wrong("reuse", "no-head")
def returns_the_extractor(model, layer_name, outputs):
    extractor = keras.Model(model.input, model.get_layer(layer_name).output)
    extractor.trainable = False
    return extractor


@wrong("reuse", "wrong-number-of-outputs")
def one_output(model, layer_name, outputs):
    extractor = keras.Model(model.input, model.get_layer(layer_name).output)
    extractor.trainable = False
    return keras.Model(model.input, keras.layers.Dense(1)(extractor.output))


@wrong("reuse", "own-trunk")
def clones_the_model(model, layer_name, outputs):
    copy = keras.models.clone_model(model)
    copy.trainable = False
    return keras.Model(copy.input, keras.layers.Dense(outputs)(copy.get_layer(layer_name).output))


@wrong("reuse", "cut-at-another-place")
def builds_on_the_end(model, layer_name, outputs):
    model.trainable = False
    return keras.Model(model.input, keras.layers.Dense(outputs)(model.output))


@wrong("reuse", "trunk-learns")
def never_freezes(model, layer_name, outputs):
    features = model.get_layer(layer_name).output
    return keras.Model(model.input, keras.layers.Dense(outputs)(features))


@wrong("reuse", "trunk-learns")
def freezes_one_layer_only(model, layer_name, outputs):
    layer = model.get_layer(layer_name)
    layer.trainable = layer_name != "features"
    return keras.Model(model.input, keras.layers.Dense(outputs)(layer.output))


@wrong("reuse", "head-frozen")
def freezes_the_whole(model, layer_name, outputs):
    new = keras.Model(model.input, keras.layers.Dense(outputs)(model.get_layer(layer_name).output))
    new.trainable = False
    return new


@wrong("reuse", "not-logits")
def ends_in_softmax(model, layer_name, outputs):
    extractor = keras.Model(model.input, model.get_layer(layer_name).output)
    extractor.trainable = False
    return keras.Model(model.input, keras.layers.Dense(outputs, activation="softmax")(extractor.output))


@right("SorterModel")
class WithPartsThatAreModels(keras.Model):
    def __init__(self, units, classes, rate, name=None, **kwargs):
        super().__init__(name=name, **kwargs)
        self.settings = {"units": units, "classes": classes, "rate": rate}
        self.branches = {
            "table": keras.layers.Dense(units, activation="relu"),
            "image": keras.Sequential([keras.layers.Flatten(), keras.layers.Dense(units, activation="relu")]),
        }
        self.dropout = keras.layers.Dropout(rate)
        self.heads = {"area": keras.layers.Dense(1), "kind": keras.layers.Dense(classes)}

    def call(self, inputs, training=None):
        parts = [branch(inputs[name]) for name, branch in self.branches.items()]
        features = self.dropout(keras.ops.concatenate(parts, axis=-1), training=training)
        return {name: head(features) for name, head in self.heads.items()}

    def get_config(self):
        config = super().get_config()
        config.update(self.settings)
        return config


@right("SorterModel")
@keras.saving.register_keras_serializable()
class Registered(keras.Model):
    def __init__(self, units, classes, rate, **kwargs):
        super().__init__(**kwargs)
        self.units, self.classes, self.rate = units, classes, rate
        self.see = keras.Sequential([keras.layers.Flatten(), keras.layers.Dense(units, "relu")])
        self.read = keras.layers.Dense(units, "relu")
        self.drop = keras.layers.Dropout(rate)
        self.kind, self.area = keras.layers.Dense(classes), keras.layers.Dense(1)

    def call(self, inputs):
        joined = tf.concat([self.see(inputs["image"]), self.read(inputs["table"])], axis=1)
        joined = self.drop(joined)
        return {"kind": self.kind(joined), "area": self.area(joined)}

    def get_config(self):
        return {**super().get_config(), "units": self.units, "classes": self.classes, "rate": self.rate}


class _Sorter(keras.Model):
    """What the wrong answers below have in common; each replaces one part."""

    def __init__(self, units, classes, rate, **kwargs):
        super().__init__(**kwargs)
        self.units, self.classes, self.rate = units, classes, rate
        self.flatten = keras.layers.Flatten()
        self.see = keras.layers.Dense(units, activation="relu")
        self.read = keras.layers.Dense(units, activation="relu")
        self.drop = keras.layers.Dropout(rate)
        self.kind = keras.layers.Dense(classes)
        self.area = keras.layers.Dense(1)

    def join(self, inputs):
        seen, read = self.see(self.flatten(inputs["image"])), self.read(inputs["table"])
        return keras.ops.concatenate([seen, read], axis=1)

    def call(self, inputs):
        features = self.drop(self.join(inputs))
        return {"kind": self.kind(features), "area": self.area(features)}

    def get_config(self):
        return {**super().get_config(), "units": self.units, "classes": self.classes, "rate": self.rate}


@wrong("SorterModel", "no-super-init")
class ForgetsSuper(_Sorter):
    def __init__(self, units, classes, rate, **kwargs):
        self.units, self.classes, self.rate = units, classes, rate
        self.see = keras.layers.Dense(units, activation="relu")


@wrong("SorterModel", "ignores-kwargs")
class TakesNoKwargs(_Sorter):
    def __init__(self, units, classes, rate):
        super().__init__(units, classes, rate)


@wrong("SorterModel", "layers-made-late")
class MakesHeadsInCall(_Sorter):
    def call(self, inputs):
        features = self.drop(self.join(inputs))
        self.kind, self.area = keras.layers.Dense(self.classes), keras.layers.Dense(1)
        return {"kind": self.kind(features), "area": self.area(features)}


@wrong("SorterModel", "layers-made-late")
class MakesAllInCall(keras.Model):
    def __init__(self, units, classes, rate, **kwargs):
        super().__init__(**kwargs)
        self.units, self.classes, self.rate = units, classes, rate

    def call(self, inputs):
        seen = keras.layers.Dense(self.units, activation="relu")(keras.layers.Flatten()(inputs["image"]))
        read = keras.layers.Dense(self.units, activation="relu")(inputs["table"])
        joined = keras.layers.Dropout(self.rate)(keras.layers.Concatenate()([seen, read]))
        return {"kind": keras.layers.Dense(self.classes)(joined), "area": keras.layers.Dense(1)(joined)}

    def get_config(self):
        return {**super().get_config(), "units": self.units, "classes": self.classes, "rate": self.rate}


@wrong("SorterModel", "config-incomplete")
class ForgetsItsArguments(_Sorter):
    def get_config(self):
        return keras.Model.get_config(self)


@wrong("SorterModel", "config-incomplete")
class ForgetsOneArgument(_Sorter):
    def get_config(self):
        return {**keras.Model.get_config(self), "units": self.units, "classes": self.classes}


@wrong("SorterModel", "forgets-to-flatten")
class ForgetsToFlatten(_Sorter):
    def join(self, inputs):
        return keras.layers.concatenate([self.see(inputs["image"]), self.read(inputs["table"])])


@wrong("SorterModel", "no-names")
class ReturnsAPair(_Sorter):
    def call(self, inputs):
        features = self.drop(self.join(inputs))
        return self.kind(features), self.area(features)


@wrong("SorterModel", "other-outputs")
class SwapsTheHeads(_Sorter):
    def call(self, inputs):
        features = self.drop(self.join(inputs))
        return {"kind": self.area(features), "area": self.kind(features)}


@wrong("SorterModel", "shares-one-layer")
class OneMoreLayer(_Sorter):
    def __init__(self, units, classes, rate, **kwargs):
        super().__init__(units, classes, rate, **kwargs)
        self.mix = keras.layers.Dense(units, activation="relu")

    def join(self, inputs):
        return self.mix(super().join(inputs))


@wrong("SorterModel", "drops-always")
class TrainsForEver(_Sorter):
    def call(self, inputs):
        features = self.drop(self.join(inputs), training=True)
        return {"kind": self.kind(features), "area": self.area(features)}


@wrong("SorterModel", "drops-never")
class NeverCallsDropout(_Sorter):
    def call(self, inputs):
        features = self.join(inputs)
        return {"kind": self.kind(features), "area": self.area(features)}


@wrong("SorterModel", "drops-never")
class TakesTrainingAndTurnsItOff(_Sorter):
    def call(self, inputs, training=False):
        features = self.drop(self.join(inputs), training=False)
        return {"kind": self.kind(features), "area": self.area(features)}


@wrong("SorterModel", "other-answers")
class EndsInSoftmax(_Sorter):
    def __init__(self, units, classes, rate, **kwargs):
        super().__init__(units, classes, rate, **kwargs)
        self.kind = keras.layers.Dense(classes, activation="softmax")


@wrong("SorterModel", "loses-a-setting")
class WritesTheRateDown(_Sorter):
    def get_config(self):
        return {**super().get_config(), "rate": 0.2}
