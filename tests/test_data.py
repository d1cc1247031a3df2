"""The embedded data sets, their loader, `labs fetch` and the scripts that made the files."""

import csv
import dataclasses
import gzip
import http.server
import importlib.util
import shutil
import socket
import subprocess
import sys
import threading
import time
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from labs.kit import data, full, paths
from labs.kit.errors import LabsError

ROOT = Path(__file__).resolve().parent.parent
DATA = ROOT / "data"


def tool(name):
    if str(ROOT / "tools" / "data") not in sys.path:  # where a script that is run finds its neighbours
        sys.path.append(str(ROOT / "tools" / "data"))
    spec = importlib.util.spec_from_file_location(f"make_{name}", ROOT / "tools" / "data" / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def size(ds):
    return int(ds.cardinality())


def one_sentence(refused, *words):
    said = str(refused.value)
    assert "\n" not in said
    for word in words:
        assert word in said


# the files


def test_every_file_is_listed_with_its_hash():
    assert (DATA / "SHA256SUMS").read_text() == tool("sums").sums(DATA)


def test_the_catalog_says_the_right_sizes():
    for name, known in data.catalog().items():
        assert known.bytes == sum(f.stat().st_size for f in (DATA / name).rglob("*") if f.is_file()), name


def test_the_data_stays_small():
    assert sum(f.stat().st_size for f in DATA.rglob("*") if f.is_file()) < 50e6


def test_every_set_has_its_source():
    sources = (DATA / "SOURCES.md").read_text()
    for name, known in data.catalog().items():
        assert f"| `{name}` |" in sources and f"## {name}\n" in sources
        assert f"{known.bytes:,}" in sources, name


def test_the_kit_lists_data_without_importing_tensorflow():
    code = (
        "import sys; from labs.kit import data\n"
        "data.catalog(), data.folder('weather'), data.labels('clipart')\n"
        "assert not {'tensorflow', 'tensorflow_datasets', 'keras'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True, cwd=ROOT)


def test_no_file_names_a_place_on_the_machine_that_made_it():
    for model in DATA.rglob("*.pb"):
        assert b"/home/" not in model.read_bytes() and b"/tmp/" not in model.read_bytes(), model


# pretrained modules


@pytest.fixture(scope="module")
def features():
    import tensorflow as tf

    return tf.saved_model.load(data.folder("efficientnet_lite0"))


def test_an_image_module_has_what_tensorflow_hub_asks_of_a_feature_vector(features):
    images = np.random.default_rng(0).random((2, 96, 128, 3), np.float32)
    before = [variable.numpy() for variable in features.variables]
    vectors = features(images).numpy()
    assert vectors.shape == (2, 1280) and vectors.dtype == np.float32 and (vectors >= 0).all()
    np.testing.assert_array_equal(vectors, features(images, training=False))
    signed = features.signatures["serving_default"](inputs=images)["default"]
    np.testing.assert_allclose(signed, vectors, rtol=1e-5, atol=1e-5)
    assert (len(features.variables), len(features.trainable_variables)) == (245, 147)
    assert 0.05 < float(features.regularization_losses[0]()) < 0.5
    for variable, value in zip(features.variables, before, strict=True):
        np.testing.assert_array_equal(variable, value)  # inference moves nothing


def test_an_image_module_moves_its_statistics_in_training_only():
    import tensorflow as tf

    module = tf.saved_model.load(data.folder("efficientnet_lite0"))
    before = [variable.numpy() for variable in module.variables]
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(module(tf.random.uniform((2, 64, 64, 3)), training=True))
    assert all(gradient is not None for gradient in tape.gradient(loss, module.trainable_variables))
    moved = [
        (variable.name, (variable.numpy() != value).any())
        for variable, value in zip(module.variables, before, strict=True)
    ]
    assert {name for name, changed in moved if changed} == {name for name, _ in moved if "moving" in name}


def test_an_image_module_sees_what_is_in_a_picture(features):
    import tensorflow as tf

    pictures, labels = [], []
    for image, label in data.load("clipart", "train").take(200):
        pictures.append(tf.image.resize(tf.cast(image, tf.float32) / 255, (160, 160)))
        labels.append(int(label))
    vectors = tf.math.l2_normalize(features(tf.stack(pictures)), axis=1).numpy()
    alike = vectors @ vectors.T - 2 * np.eye(len(vectors))
    labels = np.asarray(labels)
    assert (labels[alike.argmax(1)] == labels).mean() > 0.6  # a guess among six would be right once in six


def test_a_text_module_knows_what_sentences_mean():
    import tensorflow as tf

    module = tf.saved_model.load(data.folder("minilm"))
    sentences = [
        "a red sports car",
        "An automobile.",
        "a bunch of bananas",
        "some fresh fruit",
        "",
        "naïve ☃",
    ]
    vectors = module(tf.constant(sentences)).numpy()
    assert vectors.shape == (6, 384) and vectors.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, rtol=1e-5)
    alike = vectors @ vectors.T
    assert alike[0, 1] > 0.5 > 0.3 > alike[0, 2] and alike[2, 3] > 0.5
    alone = np.concatenate([module(tf.constant([sentence])).numpy() for sentence in sentences])
    np.testing.assert_allclose(alone, vectors, atol=1e-4)  # neighbours in a batch change nothing


# loading


@pytest.mark.parametrize("name", ["fashion_mnist", "clipart"])
def test_images_load_with_all_their_examples_and_classes(name):
    known = data.info(name)
    for split, images in zip(("train", "test"), data.load(name), strict=True):
        image, label = images.element_spec
        assert tuple(image.shape) == known.shape and image.dtype.name == "uint8"
        assert label.dtype.name == "int64"
        found = Counter(int(label) for _, label in images.as_numpy_iterator())
        assert sum(found.values()) == size(images) == known.examples[split]
        assert set(found) == set(range(len(known.classes)))


def test_fashion_mnist_is_balanced():
    found = Counter(int(label) for _, label in data.load("fashion_mnist", "train").as_numpy_iterator())
    assert set(found.values()) == {600}


def test_series_load_with_all_their_steps():
    sizes = {}
    for split, series in zip(("train", "test"), data.load("japanese_vowels"), strict=True):
        one, label = series.element_spec
        assert one.shape.as_list() == [None, 12] and one.dtype.name == "float32"
        assert label.dtype.name == "int64" and size(series) == data.info("japanese_vowels").examples[split]
        read = list(series.as_numpy_iterator())
        lengths = [len(one) for one, _ in read]
        assert all(np.isfinite(one).all() and np.abs(one).max() < 3 for one, _ in read)
        sizes[split] = min(lengths), max(lengths), sum(lengths), Counter(int(label) for _, label in read)
    speakers = dict(enumerate((31, 35, 88, 44, 29, 24, 40, 50, 29)))
    assert sizes == {"train": (7, 26, 4274, dict.fromkeys(range(9), 30)), "test": (7, 29, 5687, speakers)}


@pytest.mark.parametrize("name", ["fashion_mnist", "japanese_vowels"])
def test_labels_are_those_stored_with_the_data(name):
    stored = (DATA / name / "label.labels.txt").read_text().split("\n")
    assert data.labels(name) == [name for name in stored if name]


def test_the_names_of_classes_are_those_of_their_folders():
    assert data.labels("clipart") == sorted(f.name for f in (DATA / "clipart" / "train").iterdir())


def test_splits_are_cut_as_tfds_cuts_them():
    cut = data.load("fashion_mnist", ["train[:90%]", "train[90%:]", "test[-7:]", "train+test"])
    assert [size(ds) for ds in cut] == [5400, 600, 7, 7000]


def test_a_class_folder_is_cut_the_same_way():
    cut = data.load("clipart", ["train[:80%]", "train[80%:]", "test[-7:]", "train[:3]+test[:2]", "all"])
    assert [size(ds) for ds in cut] == [343, 86, 7, 5, 535]
    named = [data.load("clipart", part, as_supervised=False) for part in ("train[:80%]", "train[80%:]")]
    first, second = ({row["image/filename"] for row in ds.as_numpy_iterator()} for ds in named)
    assert len(first) + len(second) == len(first | second) == 429


def test_the_order_is_the_same_each_time():
    once, again = ([int(y) for _, y in data.load("fashion_mnist", "test").as_numpy_iterator()] for _ in "ab")
    assert once == again and once != sorted(once)


def test_unsupervised_examples_are_dicts():
    assert set(data.load("fashion_mnist", "test", as_supervised=False).element_spec) == {"image", "label"}


def test_the_files_are_read_by_the_usual_tools():
    import keras
    import tensorflow as tf

    clipart = data.folder("clipart")
    read = keras.utils.image_dataset_from_directory(clipart / "test", image_size=(96, 96), verbose=False)
    assert read.class_names == data.labels("clipart")
    assert size(tf.data.Dataset.list_files(str(clipart / "*/*/*.jpg"))) == 535


def test_clipart_has_safe_names_and_the_right_sizes():
    from PIL import Image

    for file in (DATA / "clipart").rglob("*.jpg"):
        assert file.name.isascii() and len(file.name) <= 40 and file.name == file.name.lower()
        assert " " not in file.name
        with Image.open(file) as picture:
            assert picture.size == (96, 96) and picture.mode == "RGB"
    with (DATA / "clipart.csv").open() as index:
        listed = {row["file"] for row in csv.DictReader(index)}
    on_disk = {f.relative_to(DATA / "clipart").as_posix() for f in (DATA / "clipart").rglob("*.jpg")}
    assert listed == on_disk


def test_what_is_dropped_from_clipart_leaves_a_clean_set():
    with (data.folder("clipart_dropped") / "dropped.csv").open() as listed:
        rows = list(csv.DictReader(listed))
    dropped = {row["file"] for row in rows}
    content = {f.relative_to(DATA / "clipart").as_posix(): f for f in (DATA / "clipart").rglob("*.jpg")}
    content = {name: file.read_bytes() for name, file in content.items()}
    kept = set(content) - dropped
    assert len(rows) == len(dropped) == data.info("clipart_dropped").examples["all"]
    assert dropped <= set(content)
    assert [row["file"] for row in rows] == sorted(dropped)
    for row in rows:
        assert row["why"] in ("copy", "variant", "label") and bool(row["like"]) == (row["why"] != "label")
        assert not row["like"] or row["like"] in kept, row
        if row["why"] != "label":
            assert (content[row["file"]] == content[row["like"]]) == (row["why"] == "copy"), row
    assert len({content[name] for name in kept}) == len(kept)
    found = Counter(tuple(name.split("/")[:2]) for name in kept)
    assert sum(n for (split, _), n in found.items() if split == "test") == 85
    assert all(found["train", name] >= 40 and found["test", name] >= 5 for name in data.labels("clipart"))


def test_weather_is_decoded_by_tensorflow():
    import tensorflow as tf

    files = sorted(data.folder("weather").glob("*.csv"))
    assert len(files) == 36
    lines = tf.data.Dataset.from_tensor_slices([str(f) for f in files]).interleave(
        lambda file: tf.data.TextLineDataset(file).skip(1), cycle_length=4
    )
    defaults = [tf.constant("")] * 2 + [tf.constant(0)] * 3 + [tf.constant(float("nan"))] * 8
    batch = tf.io.decode_csv(list(lines.as_numpy_iterator()), defaults)
    numbers = np.array([column.numpy() for column in batch[5:]])
    assert numbers.shape == (8, 26115)
    assert set(batch[0].numpy()) == {b"EWR", b"JFK", b"LGA"}
    assert np.isnan(numbers).sum(axis=1).tolist() == [1, 1, 1, 460, 5, 0, 2729, 0]
    assert (np.nanmin(numbers, axis=1) >= [-15, -25, 10, 0, 0, 0, 980, 0]).all()
    assert (np.nanmax(numbers, axis=1) <= [40, 30, 100, 360, 20, 40, 1045, 16.2]).all()


def test_weather_is_in_order_of_time():
    for file in (DATA / "weather").glob("*.csv"):
        with file.open() as opened:
            times = [row["time_utc"] for row in csv.DictReader(opened)]
        assert times == sorted(set(times))


# what a person can get wrong


def test_an_unknown_set_is_answered_with_the_nearest():
    with pytest.raises(LabsError) as refused:
        data.load("fashion-mnst")
    one_sentence(refused, "fashion-mnst", "fashion_mnist")
    with pytest.raises(LabsError) as refused:
        data.folder("imagenet")
    one_sentence(refused, "clipart, clipart_dropped, efficientnet_lite0")


@pytest.mark.parametrize("name", ["fashion_mnist", "clipart", "japanese_vowels"])
@pytest.mark.parametrize("split", ["trian", "train[:x]", "train[:200%]", "train[9000:]", "train[50%:10%]"])
def test_an_unknown_split_is_answered_with_the_known_ones(name, split):
    with pytest.raises(LabsError) as refused:
        data.load(name, split)
    one_sentence(refused, name, repr(split), "'train'", "'test'")


def test_a_csv_set_is_not_loaded_but_read():
    with pytest.raises(LabsError) as refused:
        data.load("weather")
    one_sentence(refused, 'lab.folder("weather")')
    with pytest.raises(LabsError) as refused:
        data.labels("weather")
    one_sentence(refused, "weather")


def test_full_without_fetch_says_what_to_run(monkeypatch, tmp_path):
    monkeypatch.setenv("LABS_HOME", str(tmp_path))
    monkeypatch.delenv("TFDS_DATA_DIR", raising=False)
    with pytest.raises(LabsError) as refused:
        data.load("fashion_mnist", full=True)
    one_sentence(refused, "labs fetch fashion_mnist")
    with pytest.raises(LabsError) as refused:
        data.load("clipart", full=True)
    one_sentence(refused, "All of clipart is embedded")


# damage


@pytest.fixture
def own_data(monkeypatch, tmp_path):
    copy = tmp_path / "data"
    copy.mkdir()
    for name in ("catalog.toml", "SHA256SUMS"):
        shutil.copy(DATA / name, copy)
    shutil.copytree(DATA / "fashion_mnist", copy / "fashion_mnist")
    monkeypatch.setattr(paths, "data", lambda: copy)
    return copy


def test_a_damaged_file_is_named_even_after_it_was_read(own_data):
    data.load("fashion_mnist", "test")
    shard = own_data / "fashion_mnist" / "fashion_mnist-test.tfrecord-00000-of-00001"
    content = bytearray(shard.read_bytes())
    content[1000] ^= 1
    shard.write_bytes(content)
    with pytest.raises(LabsError) as refused:
        data.load("fashion_mnist", "train")
    one_sentence(refused, str(shard), "damaged", "reinstalling")


def test_a_missing_file_is_named(own_data):
    (own_data / "fashion_mnist" / "features.json").unlink()
    with pytest.raises(LabsError) as refused:
        data.load("fashion_mnist", "train")
    one_sentence(refused, "features.json", "missing")


def test_in_a_checkout_git_mends(own_data, monkeypatch):
    monkeypatch.setattr(paths, "ROOT", own_data.parent)
    (own_data / "fashion_mnist" / "LICENSE").unlink()
    with pytest.raises(LabsError) as refused:
        data.folder("fashion_mnist")
    one_sentence(refused, "LICENSE", "git checkout -- data")


@pytest.mark.parametrize("file", ["catalog.toml", "SHA256SUMS"])
@pytest.mark.parametrize("content", [None, b"[\xff"])
def test_without_its_lists_the_data_is_not_trusted(own_data, file, content):
    (own_data / file).unlink()
    if content:
        (own_data / file).write_bytes(content)
    with pytest.raises(LabsError) as refused:
        data.folder("fashion_mnist")
    one_sentence(refused, file)


# fetching


class Published(http.server.BaseHTTPRequestHandler):
    """A server with one file; `status` and `asked` belong to the test."""

    content = bytes(range(12))
    status = 200
    asked: Counter

    def do_HEAD(self):
        self.send_response(self.status)
        self.send_header("Content-Length", str(len(self.content)))
        self.end_headers()
        self.asked[self.command] += 1

    def do_GET(self):
        self.do_HEAD()
        if self.status == 200:
            self.wfile.write(self.content)

    def log_message(self, *said):
        pass


@pytest.fixture
def server():
    handler = type("Handler", (Published,), {"asked": Counter()})
    serving = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=serving.serve_forever, args=(0.02,), daemon=True).start()
    handler.address = f"http://127.0.0.1:{serving.server_port}/numbers"
    yield handler
    serving.shutdown()
    serving.server_close()


@pytest.fixture(scope="module")
def tiny_builder():
    tfds = full.tfds()

    class TinyLabsSet(tfds.core.GeneratorBasedBuilder):
        VERSION = tfds.core.Version("1.0.0")
        address = ""

        def _info(self):
            features = tfds.features.FeaturesDict({"number": np.int64})
            return tfds.core.DatasetInfo(builder=self, features=features)

        def _split_generators(self, dl_manager):
            return {"train": self._generate_examples(Path(dl_manager.download(self.address)))}

        def _generate_examples(self, file):
            for i, number in enumerate(file.read_bytes()):
                yield i, {"number": number}

    return TinyLabsSet


@pytest.fixture
def tiny(own_data, server, tiny_builder, monkeypatch, tmp_path):
    """A data set whose full version the server publishes; returns the folder it is fetched into."""
    (own_data / "catalog.toml").write_text(
        f"""[tiny]
        title = "Numbers"
        kind = "tfds"
        examples = {{ train = 3 }}
        licence = "CC0-1.0"
        bytes = 0
        [tiny.full]
        tfds = "tiny_labs_set"
        version = "1.0.0"
        examples = {{ train = 12 }}
        download_bytes = 12
        prepared_bytes = 1000
        probe = "{server.address}"
        """
    )
    tiny_builder.address = server.address
    monkeypatch.setattr(full, "PREPARED_AT_ONCE", 5)
    monkeypatch.setenv("LABS_HOME", str(tmp_path / "home"))
    monkeypatch.delenv("TFDS_DATA_DIR", raising=False)
    return tmp_path / "home" / "datasets" / "tiny_labs_set"


def numbers():
    return sorted(int(row["number"]) for row in data.load("tiny", "train", as_supervised=False, full=True))


def test_a_fetched_set_loads_and_is_not_fetched_twice(tiny, server, capfd):
    seen = []
    said = data.fetch("tiny", lambda *step: seen.append(step))
    assert str(tiny / "1.0.0") in said
    assert [step for step in seen if step[0] == "preparing"] == [
        ("preparing", done, 12) for done in (5, 10, 12)
    ]
    assert numbers() == list(range(12))
    assert not (tiny.parent / "downloads" / "tiny").exists()
    assert "already" in data.fetch("tiny")
    assert server.asked["GET"] == 1
    assert capfd.readouterr() == ("", "")


def test_an_interrupted_fetch_leaves_nothing_that_looks_complete_and_goes_on(tiny, server):
    leftover = tiny / "incomplete.ABCDEF_1.0.0"
    leftover.mkdir(parents=True)
    half_downloaded = tiny.parent / "downloads" / "tiny" / "numbers.tmp.1234"
    half_downloaded.mkdir(parents=True)

    def interrupt(doing, done, total):
        if doing == "preparing":
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        data.fetch("tiny", interrupt)
    assert data.fetched("tiny") is None
    assert list(tiny.iterdir()) == [] and not half_downloaded.exists()
    data.fetch("tiny")
    assert numbers() == list(range(12))
    assert server.asked["GET"] == 1


def test_a_fetched_set_with_a_shard_missing_is_made_again(tiny):
    data.fetch("tiny")
    next((tiny / "1.0.0").glob("*.tfrecord*")).unlink()
    assert data.fetched("tiny") is None
    data.fetch("tiny")
    assert numbers() == list(range(12))
    (tiny / "1.0.0" / "dataset_info.json").write_text("{")
    assert data.fetched("tiny") is None


def test_a_full_set_is_found_in_tfds_own_folder(tiny, monkeypatch, tmp_path):
    data.fetch("tiny")
    tiny.parent.rename(tmp_path / "shared")
    assert data.fetched("tiny") is None
    monkeypatch.setenv("TFDS_DATA_DIR", str(tmp_path / "shared"))
    assert numbers() == list(range(12))


def test_a_download_that_breaks_off_is_told_in_one_sentence(tiny, server, tiny_builder):
    tiny_builder.address = server.address + "?other"
    original = server.do_GET
    server.do_GET = lambda self: self.send_error(404)
    with pytest.raises(LabsError) as refused:
        data.fetch("tiny")
    one_sentence(refused, "broke off", "labs fetch tiny")
    assert data.fetched("tiny") is None
    server.do_GET = original
    assert "ready" in data.fetch("tiny")


def test_two_fetches_do_not_meet(tiny):
    from filelock import FileLock

    tiny.parent.mkdir(parents=True)
    with FileLock(tiny.parent / ".tiny.lock"), pytest.raises(LabsError) as refused:
        data.fetch("tiny")
    one_sentence(refused, "labs fetch tiny")


def test_too_little_room_is_told_before_anything_is_fetched(tiny, server, monkeypatch):
    usage = shutil.disk_usage("/")
    monkeypatch.setattr(full.shutil, "disk_usage", lambda folder: type(usage)(10**9, 10**9, 3 * 10**6))
    with pytest.raises(LabsError) as refused:
        data.fetch("tiny")
    one_sentence(refused, "50 MB", "3 MB are free")
    assert not server.asked


def test_a_server_that_refuses_is_told(tiny, server):
    server.status = 403
    with pytest.raises(LabsError) as refused:
        data.fetch("tiny")
    one_sentence(refused, "127.0.0.1", "403", "embedded subset of 3 examples")


def probe_answers(monkeypatch, tmp_path, probe):
    monkeypatch.setenv("LABS_HOME", str(tmp_path))
    known = data.info("fashion_mnist")
    moved = dataclasses.replace(known, full=dataclasses.replace(known.full, probe=probe))
    monkeypatch.setattr(full, "info", lambda name: moved)
    began = time.monotonic()
    with pytest.raises(LabsError) as refused:
        data.fetch("fashion_mnist")
    assert not (tmp_path / "datasets").exists()
    return refused, time.monotonic() - began


def test_offline_fetch_ends_quickly_and_clearly(monkeypatch, tmp_path):
    refused, seconds = probe_answers(monkeypatch, tmp_path, "http://nowhere.invalid/file.gz")
    one_sentence(refused, "nowhere.invalid", "cannot be reached", "embedded subset of 7,000 examples works")
    assert seconds < 8


def test_a_server_that_never_answers_is_given_up(monkeypatch, tmp_path):
    monkeypatch.setattr(full, "PATIENCE", 0.3)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        address = f"http://127.0.0.1:{silent.getsockname()[1]}/"
        refused, seconds = probe_answers(monkeypatch, tmp_path, address)
    one_sentence(refused, "cannot be reached")
    assert seconds < 3


@pytest.mark.parametrize("name", ["weather", "clipart"])
def test_what_is_embedded_whole_need_not_be_fetched(name):
    assert data.fetch(name) == f"All of {name} is embedded: there is nothing to fetch."


def test_fetching_an_unknown_set_names_the_nearest():
    with pytest.raises(LabsError) as refused:
        data.fetch("wether")
    one_sentence(refused, "weather")


# making


def same_twice(make, origin, folder):
    """Make twice from `origin`, check that the bytes agree, and return the files by path."""
    made = []
    for attempt in ("once", "again"):
        target = folder / attempt / "made"
        target.parent.mkdir()
        make(origin, target)
        files = [f for f in target.parent.rglob("*") if f.is_file()]
        made.append({f.relative_to(target.parent).as_posix(): f.read_bytes() for f in files})
    assert made[0] == made[1]
    return made[0]


def test_fashion_mnist_is_made_the_same_twice(tmp_path):

    rng = np.random.default_rng(0)
    for prefix, per_class in (("train", 5), ("t10k", 3)):
        labels = rng.permutation(np.repeat(np.arange(10, dtype=np.uint8), per_class))
        images = rng.integers(0, 256, (len(labels), 28, 28), np.uint8)
        for kind, values in (("images-idx3", images), ("labels-idx1", labels)):
            header = bytes([0, 0, 8, values.ndim]) + np.array(values.shape, ">u4").tobytes()
            file = tmp_path / f"{prefix}-{kind}-ubyte.gz"
            file.write_bytes(gzip.compress(header + values.tobytes()))
    maker = tool("fashion_mnist")

    def make(origin, target):
        maker.write_tfds(maker.subset(origin, train=2, test=1), target)

    files = same_twice(make, tmp_path, tmp_path)
    assert str(tmp_path) not in files["made/dataset_info.json"].decode()
    ds = full.tfds().builder_from_directory(str(tmp_path / "once" / "made")).as_dataset(split="train")
    assert Counter(int(row["label"]) for row in ds) == dict.fromkeys(range(10), 2)


def test_japanese_vowels_are_made_the_same_twice(tmp_path):
    for split in ("TRAIN", "TEST"):
        lines = ["#about", "@data"]
        for speaker in (9, 1, 4):
            values = ",".join(f"0.{speaker}{step}" for step in range(speaker))
            lines.append(":".join([values] * 12 + [str(speaker)]))
        (tmp_path / f"JapaneseVowels_{split}.ts").write_text("\n".join(lines) + "\n")
    maker = tool("japanese_vowels")
    files = same_twice(maker.write, tmp_path, tmp_path)
    assert str(tmp_path) not in files["made/dataset_info.json"].decode()
    ds = full.tfds().builder_from_directory(str(tmp_path / "again" / "made")).as_dataset(split="test")
    made = {int(row["label"]): row["series"].numpy() for row in ds}
    assert {label: one.shape for label, one in made.items()} == {0: (1, 12), 3: (4, 12), 8: (9, 12)}
    assert np.allclose(made[3], np.repeat([[0.40], [0.41], [0.42], [0.43]], 12, axis=1))


@pytest.mark.parametrize("name", ["fashion_mnist", "japanese_vowels"])
def test_records_are_in_canonical_order(name):
    import tensorflow as tf

    # Within one process a protobuf map keeps its order, so two makings would agree without it.
    for raw in tf.data.TFRecordDataset([str(f) for f in (DATA / name).glob("*.tfrecord-*")]).take(50):
        example = tf.train.Example.FromString(raw.numpy())
        assert example.SerializeToString(deterministic=True) == raw.numpy()


def test_clipart_is_made_the_same_twice(tmp_path):
    from PIL import Image

    maker = tool("clipart")
    for folder in maker.FOLDERS.values():
        for i in range(12):
            file = tmp_path / "png" / folder / f"part{i % 2}" / f"A Thing No.{i // 2}.png"
            file.parent.mkdir(parents=True, exist_ok=True)
            Image.new("RGBA", (30 + i, 20), (i * 20, 99, 0, 128)).save(file)
    files = same_twice(maker.write, tmp_path / "png", tmp_path)
    assert len(files) == 5 * 12 + 2 + 1
    fruit = Counter(path.split("/")[1] for path in files if "/fruit/" in path)
    assert fruit == {"train": 10, "test": 2}
    assert any(path.endswith("/fruit/a_thing_no_0_2.jpg") for path in files)


def test_weather_is_made_the_same_twice(tmp_path):
    origin = tmp_path / "weather.csv"
    origin.write_text(
        "origin,year,month,day,hour,temp,dewp,humid,wind_dir,wind_speed,wind_gust,precip,pressure,visib,time_hour\n"
        "JFK,2013,2,1,1,32,NA,59.37,270,1048.36058,NA,0.5,NA,10,2013-02-01T06:00:00Z\n"
        "JFK,2013,2,1,0,50,32,100,NA,10.35702,20,0,1012,0.25,2013-02-01T05:00:00Z\n"
    )
    files = same_twice(tool("weather").write, origin, tmp_path)
    assert list(files) == ["made/jfk_2013_02.csv"]
    assert files["made/jfk_2013_02.csv"].decode().splitlines()[1:] == [
        "JFK,2013-02-01T05:00:00Z,2,1,0,10.0,0.0,100.0,,4.6,0.0,1012.0,0.4",
        "JFK,2013-02-01T06:00:00Z,2,1,1,0.0,,59.4,270,,12.7,,16.1",
    ]
