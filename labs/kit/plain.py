"""Plain data: the only thing that passes from a learner's code to the judgement of it."""

from typing import Any

import numpy as np


class NotPlainError(TypeError):
    """A value is neither an array, a number, a string, a list nor a dict.

    Args:
        value: what it was instead.
    """

    def __init__(self, value: Any):
        super().__init__(f"a {type(value).__name__}")
        self.kind = type(value).__name__


def plain(value: Any) -> Any:
    """Return `value` as plain data of exactly the built-in types and `numpy.ndarray`.

    Tensors and variables become arrays, ragged tensors lists, shapes lists, dtypes their names. A
    subclass that a learner's code might have made to compare as it likes becomes its base type.

    Raises:
        NotPlainError: there is no such form, as for a model, a function or a symbolic tensor.
    """
    kind = type(value)
    if value is None or kind in (bool, int, float, str):
        return value
    for base, to_base in ((int, int.__int__), (float, float.__float__), (str, str.__str__)):
        if isinstance(value, base) and not isinstance(value, np.generic):
            return to_base(value)
    if isinstance(value, dict):
        return {str(plain(key)): plain(item) for key, item in dict.items(value)}
    if isinstance(value, list | tuple | set | frozenset):
        return [plain(item) for item in value]
    if isinstance(value, np.ndarray | np.generic):
        return _array(np.array(value, subok=False))
    if hasattr(value, "as_list") and kind.__name__ == "TensorShape":
        return value.as_list() if value.rank is not None else None
    if kind.__name__ in ("DType", "dtype"):
        return value.name
    if hasattr(value, "to_list") and kind.__name__ == "RaggedTensor":
        return value.to_list()
    if callable(getattr(value, "numpy", None)):
        return _array(np.array(value.numpy(), subok=False))
    raise NotPlainError(value)


def _array(array: np.ndarray) -> Any:
    if array.ndim == 0 and array.dtype.kind in "biufOS":
        scalar = array.item()
        return scalar.decode("utf-8", "replace") if isinstance(scalar, bytes) else plain(scalar)
    if array.dtype.kind == "O":
        if not all(isinstance(item, bytes | str) for item in array.flat):
            raise NotPlainError(array)
        texts = [item.decode("utf-8", "replace") if isinstance(item, bytes) else item for item in array.flat]
        return np.array(texts, dtype=str).reshape(array.shape)
    return array


def describe(value: Any, room: int = 160) -> str:
    """Return `value`, plain data, in words short enough for a line.

    Small arrays are written out, larger ones told by dtype, shape and range.
    """
    if isinstance(value, np.ndarray):
        return _describe_array(value, room)
    if isinstance(value, str):
        text = value
    elif isinstance(value, float):
        text = f"{value:.6g}"
    elif isinstance(value, list):
        text = (
            "[" + ", ".join(describe(item, room) for item in value[:12]) + (", ...]" if value[12:] else "]")
        )
    elif isinstance(value, dict):
        text = ", ".join(f"{key}: {describe(item, room)}" for key, item in value.items())
    else:
        text = repr(value)
    return text if len(text) <= room else text[: room - 4].rstrip() + " ..."


def _describe_array(array: np.ndarray, room: int) -> str:
    head = f"{array.dtype.name if array.dtype.kind != 'U' else 'string'} {array.shape}"
    if array.size == 0:
        return f"{head}, empty"
    written = np.array2string(array, precision=4, separator=", ", suppress_small=True, threshold=16)
    written = " ".join(written.split())
    if array.size <= 16 and len(head) + len(written) + 2 <= room:
        return f"{head}: {written}"
    if array.dtype.kind in "biuf":
        numbers = array.astype(np.float64).ravel()
        there = numbers[~np.isnan(numbers)]
        if not there.size:
            return f"{head}, all nan"
        missing = f", {numbers.size - there.size} nan" if there.size < numbers.size else ""
        return f"{head}, from {there.min():.4g} to {there.max():.4g}{missing}"
    return head
