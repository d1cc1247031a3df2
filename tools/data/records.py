"""What the makers of TFDS files share: the same bytes in every run."""

import json
import shutil
import tempfile
from pathlib import Path
from typing import Any


def write_tfds(make_builder: Any, target: Path) -> None:
    """Prepare a data set and write its files into the folder `target`.

    Args:
        make_builder: a `tfds.core.GeneratorBasedBuilder` class.
        target: replaced if it exists; readable by `tfds.builder_from_directory`.
    """
    import tensorflow_datasets as tfds

    tfds.disable_progress_bar()
    with tempfile.TemporaryDirectory() as scratch:
        builder = make_builder(data_dir=scratch)
        builder.download_and_prepare()
        made = Path(builder.data_path)
        _portable(made / "dataset_info.json")
        for records in made.glob("*.tfrecord-*"):
            _canonical(records)
        shutil.rmtree(target, ignore_errors=True)
        shutil.copytree(made, target)


def _portable(info: Path) -> None:
    # TFDS notes the module of the builder class, which is `__main__` or not by how this file is started.
    said = json.loads(info.read_text())
    said.pop("moduleName", None)
    info.write_text(json.dumps(said, indent=2, sort_keys=True) + "\n")


def _canonical(records: Path) -> None:
    # Features are a protobuf map, which TFDS serialises in an order that changes from run to run.
    import tensorflow as tf

    examples = [
        tf.train.Example.FromString(raw) for raw in tf.data.TFRecordDataset(str(records)).as_numpy_iterator()
    ]
    with tf.io.TFRecordWriter(str(records)) as writer:
        for example in examples:
            writer.write(example.SerializeToString(deterministic=True))
