"""The image data: made of the published files and of nothing else, split fairly, and never shown whole."""

from __future__ import annotations

import gzip
import hashlib
import shutil
import struct
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from autograder.data import dataset
from autograder.data.dataset import ARRAYS, DATASETS, FACTS, Bytes, Dataset, Labelled
from autograder.errors import DatasetError
from autograder.layout import HOME, Layout
from autograder.tests.images import FASHION, needs_fashion, spread

MD5 = {
    "train-images-idx3-ubyte": (1504176606, "8d4fb7e6c68d591d4c3dfef9ec88bf0d"),
    "train-labels-idx1-ubyte": (1504176606, "25c81989df183df01b3e8a0aad5dffbe"),
    "t10k-images-idx3-ubyte": (1504176627, "bef4ecab320f06d8554ea6380940ec79"),
    "t10k-labels-idx1-ubyte": (1504176627, "bb300cfdad3c16e7a12a480ee83cd310"),
}
"""Of Fashion MNIST's compressed files, from its README, and the time that stands in their headers."""

GZIP_HEADER = 10  # bytes, where no name stands in it (RFC 1952)
SMALL = np.arange(3000, dtype=np.uint8).reshape(30, 100)


@pytest.fixture(scope="module")
def shipped() -> Dataset:
    return dataset.load(HOME.data("mnist"))


@pytest.fixture(scope="module")
def halves(shipped: Dataset) -> tuple[Labelled, Labelled]:
    return dataset.split(shipped.test, 20)


def arrays(data: Dataset) -> dict[str, Bytes]:
    return dict(zip(ARRAYS, (data.train.images, data.train.labels, data.test.images, data.test.labels), strict=True))


def kinds(images: Bytes) -> list[bytes]:
    return [image.tobytes() for image in images]


def test_the_shipped_data_are_the_published_ones(shipped: Dataset) -> None:
    found = {name: dataset.fingerprint(array) for name, array in arrays(shipped).items()}
    assert found == DATASETS["mnist"].sha256
    assert spread(shipped.train.images) == (DATASETS["mnist"].mean, DATASETS["mnist"].sd)


@pytest.mark.parametrize("array", [np.array([[1, 2, 3]], np.uint8), np.array([[1, 9, 2, 9, 3]], np.uint8)[:, ::2]])
def test_a_fingerprint_is_that_of_the_idx_file(array: Bytes) -> None:
    file = b"\0\0\x08\x02\0\0\0\x01\0\0\0\x03\1\2\3"
    assert dataset.fingerprint(array) == hashlib.sha256(file).hexdigest()


def test_the_facts_that_are_asked_for_match_the_data(shipped: Dataset) -> None:
    values = {"train": shipped.train, "test": shipped.test}
    found: dict[str, int | tuple[int, ...]] = {}
    for half, labelled in values.items():
        found[f"{half}_images_shape"] = labelled.images.shape
        found[f"{half}_labels_shape"] = labelled.labels.shape
        found[f"{half}_labels_length"] = len(labelled.labels)
    assert found == FACTS


@pytest.mark.parametrize("name", ARRAYS)
def test_one_changed_value_is_noticed_and_the_array_named(name: str, shipped: Dataset, tmp_path: Path) -> None:
    changed = arrays(shipped)
    changed[name] = changed[name].copy()
    changed[name].flat[123] ^= 1
    np.savez(tmp_path / "mnist.npz", allow_pickle=False, **changed)
    with pytest.raises(DatasetError, match=f"{name} is not the published MNIST .*: restore it from the repository"):
        dataset.load(tmp_path / "mnist.npz")


def write_damaged(path: Path) -> None:
    np.savez_compressed(path, x_train=SMALL)
    data = path.read_bytes()
    path.write_bytes(data[:150] + b"\xff" * 50 + data[200:])


def zipped(content: bytes) -> Callable[[Path], object]:
    def write(path: Path) -> None:
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("x_train.npy", content)

    return write


HUGE = b"{'descr': '|u1', 'fortran_order': False, 'shape': (10000000000000000,), }".ljust(117) + b"\n"
UNREADABLE: dict[str, tuple[Callable[[Path], object], str]] = {
    "no file": (lambda path: None, "is missing"),  # noqa: ARG005  # nothing is written
    "a folder": (Path.mkdir, "Is a directory"),
    "empty": (Path.touch, "not a zip file"),
    "one array, not an npz": (lambda path: path.write_bytes(b"\x93NUMPY\x01\x00"), "not a zip file"),
    "an array missing": (lambda path: np.savez(path, x_train=SMALL), "y_train"),
    "no array in the zip file": (zipped(b"no array"), "magic string"),
    "pickled objects": (lambda path: np.savez(path, x_train=np.array([{}])), "Object arrays cannot be loaded"),
    "damaged": (write_damaged, "decompressing"),
    "a shape beyond any memory": (zipped(b"\x93NUMPY\x01\x00\x76\x00" + HUGE), "Unable to allocate"),
}


@pytest.mark.parametrize(("write", "text"), UNREADABLE.values(), ids=UNREADABLE)
def test_a_file_that_cannot_be_read_is_named_with_the_reason_and_the_remedy(
    write: Callable[[Path], object], text: str, tmp_path: Path
) -> None:
    path = tmp_path / "mnist.npz"
    write(path)
    with pytest.raises(DatasetError) as caught:
        dataset.load(path)
    assert str(caught.value).startswith(f"{path} ")
    assert text in str(caught.value)
    assert str(caught.value).endswith(": restore it from the repository")


def test_images_that_are_not_in_the_repository_have_to_be_made(shipped: Dataset, tmp_path: Path) -> None:
    path = tmp_path / "fashion_mnist.npz"
    with pytest.raises(DatasetError, match=r"is missing: make it with `mnist-kit data fashion_mnist`"):
        dataset.load(path)
    np.savez(path, allow_pickle=False, **arrays(shipped))
    with pytest.raises(DatasetError, match=r"x_train is not the published Fashion MNIST .* `mnist-kit data fashion"):
        dataset.load(path)


def test_the_halves_are_together_everything_once_with_its_labels_and_share_each_class_evenly(
    shipped: Dataset, halves: tuple[Labelled, Labelled]
) -> None:
    public, private = halves
    assert [half.images.shape for half in halves] == [(5000, 28, 28)] * 2
    assert sorted(kinds(public.images) + kinds(private.images)) == sorted(kinds(shipped.test.images))
    assert not set(kinds(public.images)) & set(kinds(private.images))
    assert abs(np.subtract(*(np.bincount(half.labels, minlength=10).astype(int) for half in halves))).max() <= 1
    labels = dict(zip(kinds(shipped.test.images), shipped.test.labels, strict=True))
    for half in halves:
        assert [labels[image] for image in kinds(half.images)] == list(half.labels)


def test_the_split_depends_on_the_seed_alone(shipped: Dataset, halves: tuple[Labelled, Labelled]) -> None:
    again, other = dataset.split(shipped.test, 20)[1], dataset.split(shipped.test, 21)[1]
    assert np.array_equal(halves[1].images, again.images)
    common = set(kinds(halves[1].images)) & set(kinds(other.images))
    assert 2000 < len(common) < 3000  # as two unrelated halves have


def test_the_public_view_has_the_documented_shapes_and_holds_the_public_half_twice(
    shipped: Dataset, halves: tuple[Labelled, Labelled]
) -> None:
    view = dataset.public_view(shipped, 20)
    assert view.train is shipped.train
    assert (view.test.images.shape, view.test.labels.shape) == ((10000, 28, 28), (10000,))
    for part in (slice(0, 5000), slice(5000, 10000)):
        assert np.array_equal(view.test.images[part], halves[0].images)
        assert np.array_equal(view.test.labels[part], halves[0].labels)


@pytest.fixture(scope="module")
def digits(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """MNIST as IDX files, the large ones uncompressed."""
    folder = tmp_path_factory.mktemp("idx")
    with np.load(HOME.data("mnist")) as images:
        for name, file in dataset.FILES.items():
            array = images[name]
            content = struct.pack(f">4B{array.ndim}I", 0, 0, 8, array.ndim, *array.shape) + array.tobytes()
            if "labels" in file:
                (folder / f"{file}.gz").write_bytes(gzip.compress(content, 1))
            else:
                (folder / file).write_bytes(content)
    return folder


@pytest.fixture
def empty(tmp_path: Path) -> Layout:
    """A place without any images."""
    layout = Layout(tmp_path / "kit")
    layout.images.mkdir(parents=True)
    return layout


def whole(data: Dataset) -> list[bytes]:
    return [part.tobytes() for half in (data.train, data.test) for part in (half.images, half.labels)]


def test_idx_files_become_the_file_of_images_compressed_or_not(digits: Path, empty: Layout) -> None:
    assert dataset.provide(empty, "mnist", digits)
    assert whole(dataset.load(empty.data("mnist"))) == whole(dataset.load(HOME.data("mnist")))
    assert [path.name for path in empty.images.iterdir()] == ["mnist.npz"]


def test_what_is_there_and_right_is_left_alone(tmp_path: Path) -> None:
    layout = Layout(tmp_path)
    shutil.copytree(HOME.images, layout.images)
    before = layout.data("mnist").stat().st_mtime_ns
    assert not dataset.provide(layout, "mnist")
    assert layout.data("mnist").stat().st_mtime_ns == before


def test_what_comes_with_the_repository_is_looked_for_nowhere_else(empty: Layout) -> None:
    with pytest.raises(DatasetError, match=r"mnist\.npz is missing or damaged: restore it from the repository"):
        dataset.provide(empty, "mnist")


@needs_fashion
def test_fashion_mnist_is_made_from_debians_package_with_the_same_bytes_each_time(empty: Layout) -> None:
    assert dataset.provide(empty, "fashion_mnist")
    path = empty.data("fashion_mnist")
    first = hashlib.sha256(path.read_bytes()).hexdigest()
    assert first == "3b0aaca0f4e3e0e92c5e026a90dcb0004a585e2ea715aa26c59e212dc080458f"
    data = dataset.load(path)
    assert spread(data.train.images) == (DATASETS["fashion_mnist"].mean, DATASETS["fashion_mnist"].sd)
    assert np.bincount(data.train.labels).tolist() == [6000] * 10
    path.write_bytes(path.read_bytes()[:-1000])
    assert dataset.provide(empty, "fashion_mnist")
    assert hashlib.sha256(path.read_bytes()).hexdigest() == first


@needs_fashion
@pytest.mark.parametrize("file", dataset.FILES.values())
def test_the_expected_hashes_are_of_what_was_published(file: str) -> None:
    """Debian's files lack the name and the time in the header; with those back, their MD5 is the published one."""
    time, md5 = MD5[file]
    packed = (FASHION / f"{file}.gz").read_bytes()
    header = b"\x1f\x8b\x08\x08" + struct.pack("<I", time) + b"\0\x03" + file.encode() + b"\0"
    assert hashlib.md5(header + packed[GZIP_HEADER:], usedforsecurity=False).hexdigest() == md5


def spoil(change: Callable[[bytes], bytes]) -> Callable[[Path], object]:
    """Return a function that changes the bytes of one compressed file in a folder."""

    def in_folder(folder: Path) -> None:
        path = folder / "t10k-labels-idx1-ubyte.gz"
        path.write_bytes(change(path.read_bytes()))

    return in_folder


def flip(packed: bytes) -> bytes:
    content = bytearray(gzip.decompress(packed))
    content[1000] ^= 1
    return gzip.compress(bytes(content))


WANTED = "Expected are the four files train-images-idx3-ubyte, .* each with or without"
SPOILT: dict[str, tuple[Callable[[Path], object], str]] = {
    "nothing there": (lambda folder: shutil.rmtree(folder), rf"train-images-idx3-ubyte\.gz is missing\. {WANTED}"),
    "one missing": (lambda folder: (folder / "t10k-images-idx3-ubyte").unlink(), r"t10k-images-idx3-ubyte\.gz is miss"),
    "cut short": (spoil(lambda packed: packed[:-20]), rf"cannot be read \(Compressed file .*\)\. {WANTED}"),
    "damaged": (spoil(lambda packed: packed[:30] + b"\xff" * 500), r"cannot be read \(Error -3 while decompressing"),
    "not compressed": (spoil(lambda _: b"P5"), r"cannot be read \(Not a gzipped file"),
    "a folder": (lambda folder: (folder / "train-images-idx3-ubyte.gz").mkdir(), r"cannot be read \(.*Is a directory"),
    "one value changed": (spoil(flip), r"is not the published MNIST: uncompressed, it should have"),
}  # fmt: skip


@pytest.mark.parametrize(("change", "message"), SPOILT.values(), ids=SPOILT)
def test_files_that_cannot_be_used_are_named_with_the_reason(
    change: Callable[[Path], object], message: str, digits: Path, empty: Layout, tmp_path: Path
) -> None:
    folder = tmp_path / "idx"
    shutil.copytree(digits, folder)
    change(folder)
    with pytest.raises(DatasetError, match=message):
        dataset.provide(empty, "mnist", folder)
    assert not list(empty.images.iterdir())


def test_digits_are_not_taken_for_clothes(digits: Path, empty: Layout) -> None:
    with pytest.raises(DatasetError, match="train-images-idx3-ubyte is not the published Fashion MNIST"):
        dataset.provide(empty, "fashion_mnist", digits)


def test_a_dataset_that_nobody_knows_is_reported_with_the_nearest(empty: Layout) -> None:
    with pytest.raises(DatasetError, match=r"no dataset 'fashion-mnist'; did you mean fashion_mnist\? It has: mnist, "):
        dataset.provide(empty, "fashion-mnist")
    with pytest.raises(DatasetError, match=r"no dataset 'cifar10'\. It has: mnist, fashion_mnist$"):
        dataset.provide(empty, "cifar10")


def test_keras_keeps_its_copy_where_its_home_is(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    assert dataset.known_folders("fashion_mnist") == (FASHION, tmp_path / "datasets" / "fashion-mnist")
    monkeypatch.delenv("KERAS_HOME")
    assert dataset.known_folders("fashion_mnist")[1] == Path.home() / ".keras" / "datasets" / "fashion-mnist"


def test_where_it_is_nowhere_every_way_to_get_it_is_reported(empty: Layout, monkeypatch: pytest.MonkeyPatch) -> None:
    nowhere = (Path("/nowhere/1"), Path("/nowhere/2"))
    monkeypatch.setattr(dataset, "known_folders", lambda _: nowhere)
    with pytest.raises(DatasetError) as caught:
        dataset.provide(empty, "fashion_mnist")
    message = str(caught.value)
    assert message.startswith("Fashion MNIST is not in /nowhere/1 or in /nowhere/2.")
    for way in (
        "install dataset-fashion-mnist\n",
        "keras.datasets.fashion_mnist.load",
        "data fashion_mnist --from FOLDER",
    ):
        assert way in message


def test_a_folder_that_cannot_be_written_is_reported(digits: Path, tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match=r"mnist\.npz cannot be written \(No such file or directory\)"):
        dataset.provide(Layout(tmp_path / "nowhere"), "mnist", digits)
