"""What the exceptions that learners meet usually mean, in plain words."""

import re

_MEANINGS = (
    (
        r"^NameError",
        "A name is used that nothing has defined: a typing slip, or a cell that has not run yet.",
    ),
    (r"^(UnboundLocalError)", "A variable is read before the function has given it a value."),
    (
        r"NoneType",
        "Something is None where a value was meant: often a function that ends without `return`.",
    ),
    (
        r"expected to be an? \w+ tensor but is an? \w+ tensor|cannot compute \w+ as input",
        "Two tensors of different dtypes met. TensorFlow never converts silently: use `tf.cast`.",
    ),
    (
        r"Incompatible shapes|required broadcastable shapes|Matrix size-incompatible|"
        r"Dimensions must be equal|incompatible with the layer",
        "Two shapes do not fit. Print the `.shape` of each side and compare them from the right.",
    ),
    (
        r"symbolic|KerasTensor|NotImplementedError: Cannot convert",
        "NumPy or plain Python was used on a tensor that has no value yet; use the `tf` or `keras.ops` function.",
    ),
    (
        r"iterating over|Using a symbolic `?tf.Tensor`? as a Python|truth value",
        "A tensor stood where Python wants a plain True or False: `tf.cond`, `tf.where` or a comparison is meant.",
    ),
    (
        r"variables on (a )?non-first call|singleton tf.Variable",
        "A variable is made on every call; make it once, outside the function that is traced.",
    ),
    (
        r"^TypeError.*(missing \d+ required|takes \d+ positional|unexpected keyword|got multiple values)",
        "The function was called with other arguments than it takes; compare its `def` line with the docstring.",
    ),
    (
        r"^TypeError.*(not callable|object is not subscriptable|not iterable)",
        "A value is used as if it were something else: look at what the name really holds at that line.",
    ),
    (r"^AttributeError.*module", "The module has no such name: check the spelling, or whether it has moved."),
    (r"^AttributeError", "The object has no such attribute: look at its type, then at its documentation."),
    (
        r"No gradients provided|gradients? .*None",
        "The loss does not depend on these variables, so no gradient.",
    ),
    (
        r"^(IndexError|KeyError)",
        "The position or key asked for does not exist: print the shape, or the keys.",
    ),
    (
        r"not been built|hasn't been built|call `?build",
        "The model has not seen an input yet, so it has no weights.",
    ),
    (r"must (be )?compile|compile\(\)", "The model must be compiled before it can be trained or evaluated."),
    (r"^RecursionError", "The function calls itself without end: look for its own name inside it."),
    (r"^(ResourceExhaustedError|MemoryError)", "The memory ran out: look for a size that grew by mistake."),
    (r"^(ZeroDivisionError)", "Something was divided by zero: which case would make that number zero?"),
)


def meaning(error: BaseException) -> str:
    """Return what `error` usually means, or an empty string where no common meaning is known."""
    text = f"{type(error).__name__}: {error}"
    return next((words for pattern, words in _MEANINGS if re.search(pattern, text)), "")


def message(error: BaseException, room: int = 240) -> str:
    """Return the part of an exception's message that a person needs, on one line.

    AutoGraph and graph execution wrap messages in lists of source lines, TensorFlow names the nodes of its
    graph, Keras puts the layer in bold before it: all that is left out.
    """
    text = re.sub(r"\x1b\[[0-9;]*m", "", str(error))
    text = _without_keras_preamble(text)
    text = re.sub(r"^Could not automatically infer .*?Error encountered:\s*", "", text, flags=re.S)
    if "Graph execution error" in text:
        parts = [
            part
            for part in re.split(r"\n\s*\n", text)
            if not re.match(r'\s*(File "|Graph execution error|Detected at)', part)
        ]
        text = parts[0] if parts else text
    text = re.split(r"\n\s*Arguments received by|\n\s*Traceback \(most recent", text)[0]
    if "in user code:" in text:
        text = text.strip().rsplit("\n\n", 1)[-1] if "\n\n" in text else text
        text = text.replace(f"{type(error).__name__}: ", "", 1)
        text = _without_keras_preamble(text)
    text = re.sub(r"\{\{.*?\}\}\s*", "", text)
    text = re.sub(r"\s*;\s*NodeDef:.*", "", text, flags=re.S)
    text = re.sub(r"\s*(\[Op:\w+\]|\[\[).*", "", text, flags=re.S)
    text = re.sub(r"^\s*Error in user-defined function.*?Iterator::\S+: ", "", text, flags=re.S)
    text = " ".join(text.split())
    return text if len(text) <= room else text[: room - 4].rstrip() + " ..."


def _without_keras_preamble(text: str) -> str:
    return re.sub(r"^\s*Exception encountered when calling [^\n]*\n+", "", text)
