"""Plain data as bytes, to and from a locked-up process: nothing in it can be run, and nothing is believed.

A frame is its size, the size of its text, a JSON text and the bytes of its arrays. Every value that JSON lacks
stands in a list with a word for its kind.
"""

import json
import math
import socket
import struct
import time
from typing import Any

import numpy as np

_HEAD = struct.Struct(">II")
_NUMBERS = "biufc"
_TENSORFLOWS_OWN = ("bfloat16", "float8_e4m3fn", "float8_e5m2", "int4", "uint4")
DEPTH, NODES, TEXT = 40, 200_000, 2_000_000
LARGEST_INTEGER = 2**64


class FrameError(ValueError):
    """What came is no frame, is too large, or holds what no frame may."""


def encode(value: Any) -> bytes:
    """Return plain data as the bytes of a frame.

    Args:
        value: None, numbers, texts, bytes, NumPy's arrays and scalars of these, lists, tuples and dicts of them.

    Raises:
        FrameError: there is something else in it.
    """
    blobs: list[bytes] = []
    text = json.dumps([_pack(value, blobs), [len(blob) for blob in blobs]]).encode("ascii")
    return b"".join([_HEAD.pack(len(text) + sum(map(len, blobs)), len(text)), text, *blobs])


def _pack(value: Any, blobs: list[bytes]) -> Any:
    kind = type(value)
    if value is None or kind in (bool, int, float, str):
        return value
    if kind is list:
        return ["list", *(_pack(item, blobs) for item in value)]
    if kind is tuple:
        return ["tuple", *(_pack(item, blobs) for item in value)]
    if kind is dict and all(type(key) is str for key in value):
        return ["dict", *([key, _pack(item, blobs)] for key, item in value.items())]
    if kind is bytes:
        return ["bytes", _add(value, blobs)]
    if isinstance(value, np.ndarray | np.generic):
        return _pack_array(value, blobs)
    raise FrameError(f"a {kind.__name__} cannot be sent")


def _pack_array(value: Any, blobs: list[bytes]) -> Any:
    array = np.asarray(value)
    shape, scalar = list(array.shape), isinstance(value, np.generic)
    if array.dtype.kind in _NUMBERS:
        array = array.astype(array.dtype.newbyteorder("="), copy=False)
    if array.dtype.kind in _NUMBERS or array.dtype.name in _TENSORFLOWS_OWN:
        return ["array", array.dtype.name, shape, scalar, _add(np.ascontiguousarray(array).tobytes(), blobs)]
    if array.dtype.kind in "USO":
        return [
            "texts",
            array.dtype.kind,
            shape,
            scalar,
            [_pack(item, blobs) for item in array.ravel().tolist()],
        ]
    raise FrameError(f"an array of {array.dtype} cannot be sent")


def _add(blob: bytes, blobs: list[bytes]) -> int:
    blobs.append(blob)
    return len(blobs) - 1


def decode(frame: bytes) -> Any:
    """Return what `encode` was given; believes nothing of it.

    Raises:
        FrameError: it is no such frame.
    """
    try:
        total, length = _HEAD.unpack_from(frame)
        if len(frame) != _HEAD.size + total or length > total:
            raise FrameError("a frame has another size than it says")
        packed, sizes = json.loads(frame[_HEAD.size : _HEAD.size + length])
        blobs = _split(frame, _HEAD.size + length, sizes)
        return _Unpack(blobs).value(packed, 0)
    except FrameError:
        raise
    except Exception as error:  # made to be read by this module, it would not fail
        raise FrameError(f"a frame cannot be read ({type(error).__name__})") from None


def _split(frame: bytes, place: int, sizes: Any) -> list[bytes]:
    blobs = []
    for size in sizes:
        if type(size) is not int or size < 0 or place + size > len(frame):
            raise FrameError("an array lies outside its frame")
        blobs.append(frame[place : place + size])
        place += size
    if place != len(frame):
        raise FrameError("a frame has bytes left over")
    return blobs


class _Unpack:
    """Makes values of what JSON gave, and counts them."""

    def __init__(self, blobs: list[bytes]):
        self._blobs, self._nodes = blobs, 0

    def value(self, packed: Any, depth: int) -> Any:
        self._nodes += 1
        if self._nodes > NODES or depth > DEPTH:
            raise FrameError("a frame holds too much")
        if type(packed) is str:
            return text(packed)
        if type(packed) is int and abs(packed) > LARGEST_INTEGER:
            return math.copysign(math.inf, packed)
        if type(packed) is not list:
            if packed is None or type(packed) in (bool, int, float):
                return packed
            raise FrameError("a frame holds what it may not")
        kind, *rest = packed
        if kind in ("list", "tuple"):
            items = [self.value(item, depth + 1) for item in rest]
            return items if kind == "list" else tuple(items)
        if kind == "dict":
            return {text(str(key)): self.value(item, depth + 1) for key, item in rest}
        if kind == "bytes":
            return self._blobs[_index(rest[0])]
        if kind == "array":
            return self._array(*rest)
        if kind == "texts":
            return self._texts(*rest, depth)
        raise FrameError("a frame holds what it may not")

    def _array(self, name: Any, shape: Any, scalar: Any, blob: Any) -> Any:
        dtype = _dtype(name)
        data = self._blobs[_index(blob)]
        _check_shape(shape, len(data), dtype.itemsize)
        array = np.frombuffer(data, dtype).reshape(shape).copy()
        return array[()] if scalar is True and array.ndim == 0 else array

    def _texts(self, kind: Any, shape: Any, scalar: Any, items: Any, depth: int) -> Any:
        values = [self.value(item, depth + 1) for item in items]
        _check_shape(shape, len(values), 1)
        if kind == "O":
            array = np.empty(len(values), dtype=object)
            array[:] = values
        else:
            array = np.array(values, dtype={"U": str, "S": bytes}[kind])
        array = array.reshape(shape)
        return array[()] if scalar is True and array.ndim == 0 else array


def text(value: str) -> str:
    """Return `value` as every file can hold it: without halves of characters, and not endless."""
    return value[:TEXT].encode("utf-8", "replace").decode("utf-8")


def _index(value: Any) -> int:
    if type(value) is not int or value < 0:
        raise FrameError("an array lies outside its frame")
    return value


def _dtype(name: Any) -> np.dtype:
    if name in _TENSORFLOWS_OWN:
        import ml_dtypes

        return np.dtype(getattr(ml_dtypes, name))
    dtype = np.dtype(str(name))
    if dtype.kind not in _NUMBERS:
        raise FrameError("a frame holds what it may not")
    return dtype


def _check_shape(shape: Any, has: int, each: int) -> None:
    whole = type(shape) is list and len(shape) <= 32
    if not whole or any(type(axis) is not int or not 0 <= axis < 2**40 for axis in shape):
        raise FrameError("an array has no such shape")
    if math.prod(shape) * each != has:
        raise FrameError("an array has another size than it says")


class Channel:
    """One end of a stream of frames.

    Args:
        stream: a connected socket.
        largest: bytes that a frame from the other end may have.
    """

    def __init__(self, stream: socket.socket, largest: int):
        self._stream, self._largest = stream, largest

    def send(self, value: Any, seconds: float | None = None) -> None:
        """Send plain data; see `send_frame`."""
        self.send_frame(encode(value), seconds)

    def send_frame(self, frame: bytes, seconds: float | None = None) -> None:
        """Send a frame as it is.

        Raises:
            TimeoutError: the other end did not take it within `seconds`.
            EOFError: there is no other end any more.
        """
        self._stream.settimeout(seconds)
        try:
            self._stream.sendall(frame)
        except ConnectionError:
            raise EOFError from None

    def receive(self, seconds: float | None = None) -> Any:
        """Return what came next; see `receive_frame`."""
        return decode(self.receive_frame(seconds))

    def receive_frame(self, seconds: float | None = None) -> bytes:
        """Return the next frame as it is.

        Raises:
            TimeoutError: it was not there, whole, after `seconds`.
            EOFError: there is no other end any more.
            FrameError: it is too large.
        """
        end = None if seconds is None else time.monotonic() + seconds
        head = self._exactly(_HEAD.size, end)
        total, _ = _HEAD.unpack(head)
        if total > self._largest:
            raise FrameError("a frame is too large")
        return head + self._exactly(total, end)

    def is_quiet(self) -> bool:
        """Tell whether nothing has come that nobody asked for."""
        self._stream.settimeout(0)
        try:
            return self._stream.recv(1, socket.MSG_PEEK) == b""
        except (BlockingIOError, OSError):
            return True

    def close(self) -> None:
        """Let go."""
        self._stream.close()

    def _exactly(self, size: int, end: float | None) -> bytes:
        parts, left = [], size
        while left:
            self._stream.settimeout(None if end is None else max(end - time.monotonic(), 0.001))
            try:
                part = self._stream.recv(min(left, 1 << 20))
            except ConnectionError:
                part = b""
            if not part:
                raise EOFError
            parts.append(part)
            left -= len(part)
        return b"".join(parts)
