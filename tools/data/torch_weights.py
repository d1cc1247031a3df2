"""Reads weights of other frameworks' files into NumPy arrays, without those frameworks."""

import json
import pickle
import struct
from collections import OrderedDict
from pathlib import Path
from typing import Any

import numpy as np

MAGIC = 0x1950A86A20F9469CFC6C
TYPES = {
    "FloatStorage": np.float32,
    "LongStorage": np.int64,
    "IntStorage": np.int32,
    "HalfStorage": np.float16,
}
SAFE_TYPES = {"F32": np.float32, "F16": np.float16, "I64": np.int64, "I32": np.int32}


class _Reader(pickle.Unpickler):
    """Unpickles a state dict and nothing else: a name it does not know is refused, never imported."""

    def __init__(self, file: Any) -> None:
        super().__init__(file)
        self.storages: dict[str, dict[str, Any]] = {}

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) == ("collections", "OrderedDict"):
            return OrderedDict
        if (module, name) == ("torch._utils", "_rebuild_tensor_v2"):
            return lambda storage, offset, shape, strides, *_: (storage, offset, shape, strides)
        if module == "torch" and name in TYPES:
            return TYPES[name]
        raise pickle.UnpicklingError(f"a file of weights has no business with {module}.{name}")

    def persistent_load(self, described: tuple) -> dict[str, Any]:
        _, dtype, key, _, size = described[:5]
        return self.storages.setdefault(key, {"dtype": np.dtype(dtype), "size": size})


def torch_state(path: Path) -> dict[str, np.ndarray]:
    """Return the arrays of a state dict that PyTorch saved in its format from before version 1.6."""
    with path.open("rb") as file:
        if pickle.load(file) != MAGIC:
            raise ValueError(f"{path} is not a file of PyTorch's older format.")
        pickle.load(file)  # the protocol's version
        pickle.load(file)  # the machine it was saved on
        reader = _Reader(file)
        state = reader.load()
        for key in pickle.load(file):
            (size,) = struct.unpack("<q", file.read(8))
            dtype = reader.storages[key]["dtype"]
            reader.storages[key]["data"] = np.frombuffer(file.read(size * dtype.itemsize), dtype)
    arrays = {}
    for name, (storage, offset, shape, strides) in state.items():
        steps = [stride * storage["dtype"].itemsize for stride in strides]
        arrays[name] = np.lib.stride_tricks.as_strided(storage["data"][offset:], shape, steps).copy()
    return arrays


def safetensors(path: Path) -> dict[str, np.ndarray]:
    """Return the arrays of a safetensors file."""
    content = path.read_bytes()
    (length,) = struct.unpack("<Q", content[:8])
    header = json.loads(content[8 : 8 + length])
    header.pop("__metadata__", None)
    arrays = {}
    for name, entry in header.items():
        start, stop = (8 + length + offset for offset in entry["data_offsets"])
        arrays[name] = np.frombuffer(content[start:stop], SAFE_TYPES[entry["dtype"]]).reshape(entry["shape"])
    return arrays
