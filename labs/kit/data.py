"""The data sets of the labs: embedded ones at once and offline, the full public ones once fetched."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from labs.kit.catalog import DataSet, catalog, folder, info
from labs.kit.errors import LabsError
from labs.kit.full import fetch, fetched, tfds

if TYPE_CHECKING:
    import tensorflow as tf

__all__ = ["DataSet", "catalog", "fetch", "fetched", "folder", "info", "labels", "load"]

_FILES = {"csv": "a folder of CSV files", "module": "a pretrained model, a SavedModel"}


def load(
    name: str,
    split: str | Sequence[str] = ("train", "test"),
    *,
    as_supervised: bool = True,
    full: bool = False,
) -> "tf.data.Dataset | tuple[tf.data.Dataset, ...]":
    """Return a data set as `tf.data`, one example per element, not shuffled, batched, cached or prefetched.

    Images are uint8 with shape (height, width, channels), 0 to 255; series are float32 with shape (steps,
    channels), each with its own number of steps; labels are int64. The order of the examples is the same in
    every run. TensorFlow Datasets would cache small sets and prefetch by itself;
    here it does neither, so that a pipeline has the steps that its author wrote and no others.

    Args:
        name: the data set, for example "fashion_mnist".
        split: one split or several, in TFDS' syntax: "train", "train[:10%]", ["train[:90%]", "train[90%:]"].
        as_supervised: give (image, label) or (series, label) pairs; otherwise dicts with all features.
        full: read the public data set that `labs fetch` has prepared.

    Returns:
        A `tf.data.Dataset`, or a tuple with one for each split if `split` is a sequence.

    Raises:
        LabsError: there is no such data set or split, the set is not made of examples to load (a table, a model),
            a file is damaged, or the full set has not been fetched.

    Source: https://www.tensorflow.org/datasets/splits
    """
    wanted = info(name)
    if wanted.kind in _FILES:
        raise LabsError(f'{name} is {_FILES[wanted.kind]}: lab.folder("{name}") says where it is.')
    builder = _full_builder(wanted) if full else _builder(wanted)
    read = _read_folder if wanted.kind == "images" else _read_records
    if isinstance(split, str):
        return read(builder, _known_split(wanted, builder, split), as_supervised)
    return tuple(read(builder, _known_split(wanted, builder, one), as_supervised) for one in split)


def labels(name: str) -> list[str]:
    """Return the class names of a data set, in the order of their numbers.

    Raises:
        LabsError: there is no such data set, or it has no classes.
    """
    wanted = info(name)
    if not wanted.classes:
        raise LabsError(f"{name} has no classes: it is {_FILES.get(wanted.kind, 'a set without labels')}.")
    return list(wanted.classes)


def _builder(wanted: DataSet) -> Any:
    files = folder(wanted.name)
    if wanted.kind == "images":
        return tfds().ImageFolder(str(files), shape=wanted.shape)
    return tfds().builder_from_directory(str(files))


def _full_builder(wanted: DataSet) -> Any:
    if wanted.full is None:
        raise LabsError(f"All of {wanted.name} is embedded: leave `full` out.")
    files = fetched(wanted.name)
    if files is None:
        raise LabsError(f"The full {wanted.name} is not on this machine: run `labs fetch {wanted.name}`.")
    return tfds().builder_from_directory(str(files))


def _known_split(wanted: DataSet, builder: Any, split: str) -> str:
    try:
        known = builder.info.splits[split].num_examples > 0
    except (ValueError, KeyError, TypeError, NotImplementedError):
        known = False
    if not known:
        has = " and ".join(f"{name!r} ({n:,} examples)" for name, n in sorted(_sizes(builder).items()))
        raise LabsError(f"{wanted.name} has no split {split!r}: it has {has}, and parts like 'train[:10%]'.")
    return split


def _sizes(builder: Any) -> dict[str, int]:
    return {name: split.num_examples for name, split in builder.info.splits.items()}


def _read_records(builder: Any, split: str, as_supervised: bool) -> "tf.data.Dataset":
    config = tfds().ReadConfig(try_autocache=False, skip_prefetch=True)
    return builder.as_dataset(split=split, as_supervised=as_supervised, read_config=config)


def _read_folder(builder: Any, split: str, as_supervised: bool) -> "tf.data.Dataset":
    # ImageFolder reads whole splits only, so parts of a split are cut out here.
    config = tfds().ReadConfig(try_autocache=False, skip_prefetch=True)
    parts = []
    for part in tfds().core.ReadInstruction.from_spec(split).to_absolute(builder.info.splits):
        images = builder.as_dataset(split=part.splitname, as_supervised=as_supervised, read_config=config)
        start = part.from_ or 0
        stop = _sizes(builder)[part.splitname] if part.to is None else part.to
        parts.append(images.skip(start).take(stop - start))
    joined = parts[0]
    for part in parts[1:]:
        joined = joined.concatenate(part)
    return joined
