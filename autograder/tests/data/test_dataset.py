"""The image data: verified against the published files, split fairly, and never shown whole."""

from __future__ import annotations

import hashlib
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from autograder.data import dataset
from autograder.data.dataset import ARRAYS, DATASETS, FACTS, Bytes, Dataset, Labelled
from autograder.errors import DatasetError
from autograder.layout import HOME
from autograder.tests.images import spread

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
