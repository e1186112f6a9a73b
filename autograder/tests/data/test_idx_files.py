"""IDX files made into the kit's file of images: the real ones, and everything that may be wrong with them."""

from __future__ import annotations

import gzip
import hashlib
import shutil
import struct
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from autograder.data import dataset, idx_files
from autograder.data.dataset import DATASETS, Dataset
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

GZIP_HEADER = 10
"""Bytes, where no name stands in it (RFC 1952)."""


@pytest.fixture(scope="module")
def digits(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """MNIST as IDX files, the large ones uncompressed."""
    folder = tmp_path_factory.mktemp("idx")
    with np.load(HOME.data("mnist")) as images:
        for name, file in idx_files.FILES.items():
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
    assert idx_files.provide(empty, "mnist", digits)
    assert whole(dataset.load(empty.data("mnist"))) == whole(dataset.load(HOME.data("mnist")))
    assert [path.name for path in empty.images.iterdir()] == ["mnist.npz"]


def test_what_is_there_and_right_is_left_alone(tmp_path: Path) -> None:
    layout = Layout(tmp_path)
    shutil.copytree(HOME.images, layout.images)
    before = layout.data("mnist").stat().st_mtime_ns
    assert not idx_files.provide(layout, "mnist")
    assert layout.data("mnist").stat().st_mtime_ns == before


def test_what_comes_with_the_repository_is_looked_for_nowhere_else(empty: Layout) -> None:
    with pytest.raises(DatasetError, match=r"mnist\.npz is missing or damaged: restore it from the repository"):
        idx_files.provide(empty, "mnist")


@needs_fashion
def test_fashion_mnist_is_made_from_debians_package_with_the_same_bytes_each_time(empty: Layout) -> None:
    assert idx_files.provide(empty, "fashion_mnist")
    path = empty.data("fashion_mnist")
    first = hashlib.sha256(path.read_bytes()).hexdigest()
    assert first == "3b0aaca0f4e3e0e92c5e026a90dcb0004a585e2ea715aa26c59e212dc080458f"
    data = dataset.load(path)
    assert spread(data.train.images) == (DATASETS["fashion_mnist"].mean, DATASETS["fashion_mnist"].sd)
    assert np.bincount(data.train.labels).tolist() == [6000] * 10
    path.write_bytes(path.read_bytes()[:-1000])
    assert idx_files.provide(empty, "fashion_mnist")
    assert hashlib.sha256(path.read_bytes()).hexdigest() == first


@needs_fashion
@pytest.mark.parametrize("file", idx_files.FILES.values())
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
        idx_files.provide(empty, "mnist", folder)
    assert not list(empty.images.iterdir())


def test_digits_are_not_taken_for_clothes(digits: Path, empty: Layout) -> None:
    with pytest.raises(DatasetError, match="train-images-idx3-ubyte is not the published Fashion MNIST"):
        idx_files.provide(empty, "fashion_mnist", digits)


def test_a_dataset_that_nobody_knows_is_reported_with_the_nearest(empty: Layout) -> None:
    with pytest.raises(DatasetError, match=r"no dataset 'fashion-mnist'; did you mean fashion_mnist\? It has: mnist, "):
        idx_files.provide(empty, "fashion-mnist")
    with pytest.raises(DatasetError, match=r"no dataset 'cifar10'\. It has: mnist, fashion_mnist$"):
        idx_files.provide(empty, "cifar10")


def test_keras_keeps_its_copy_where_its_home_is(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    assert idx_files.known_folders("fashion_mnist") == (FASHION, tmp_path / "datasets" / "fashion-mnist")
    monkeypatch.delenv("KERAS_HOME")
    assert idx_files.known_folders("fashion_mnist")[1] == Path.home() / ".keras" / "datasets" / "fashion-mnist"


def test_where_it_is_nowhere_every_way_to_get_it_is_reported(empty: Layout, monkeypatch: pytest.MonkeyPatch) -> None:
    nowhere = (Path("/nowhere/1"), Path("/nowhere/2"))
    monkeypatch.setattr(idx_files, "known_folders", lambda _: nowhere)
    with pytest.raises(DatasetError) as caught:
        idx_files.provide(empty, "fashion_mnist")
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
        idx_files.provide(Layout(tmp_path / "nowhere"), "mnist", digits)
