"""IDX files, the form in which MNIST and datasets of its shape are published, made into the kit's file of images."""

from __future__ import annotations

import difflib
import gzip
import hashlib
import io
import os
import struct
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np

from autograder import atomic
from autograder.data.dataset import DATASETS, Bytes, load, remedy
from autograder.errors import DatasetError
from autograder.layout import Layout

__all__ = ["FILES", "places", "provide"]

FILES = {
    "x_train": "train-images-idx3-ubyte",
    "y_train": "train-labels-idx1-ubyte",
    "x_test": "t10k-images-idx3-ubyte",
    "y_test": "t10k-labels-idx1-ubyte",
}
"""The published files by the array they hold; compressed, their names end in .gz."""

LARGEST = 64 * 2**20
"""Bytes of one file that are read, uncompressed; the training images have 47 million."""


def provide(layout: Layout, name: str, folder: Path | None = None) -> bool:
    """Make the file of images of a dataset from the IDX files in `folder`, or in the first place that has them.

    Returns False, and writes nothing, where the file is there and holds what was published. The same bytes come out on
    every machine, so that what was graded and calibrated with them stays valid. Raises DatasetError where there is no
    such dataset, where the IDX files are nowhere, are damaged, or are something else, and where nothing can be written.
    """
    if name not in DATASETS:
        near = difflib.get_close_matches(name, DATASETS, n=1)
        meant = f"; did you mean {near[0]}?" if near else "."
        raise DatasetError(f"{name!r} is no dataset of the kit{meant} There are: {', '.join(DATASETS)}")
    target = layout.data(name)
    if _is_right(target):
        return False
    if folder is None and DATASETS[name].bundled:
        raise DatasetError(f"{target} is missing or damaged: {remedy(name)}")
    arrays = dict(_arrays(folder or _find(name), name))
    try:
        atomic.write(target, _npz(arrays))
    except OSError as error:
        raise DatasetError(f"{target} cannot be written ({error.strerror})") from error
    return True


def places(name: str) -> tuple[Path, ...]:
    """Where the IDX files of a dataset may be on this machine: Debian's package, and Keras's own cache."""
    dashed = name.replace("_", "-")
    keras = Path(os.environ.get("KERAS_HOME") or Path.home() / ".keras")
    return Path("/usr/share/datasets") / dashed, keras / "datasets" / dashed


def _arrays(folder: Path, name: str) -> Iterator[tuple[str, Bytes]]:
    """The four arrays of a dataset, read from IDX files and compared with the published ones."""
    published = DATASETS[name]
    for array, file in FILES.items():
        path, content = _content(folder, file)
        if hashlib.sha256(content).hexdigest() != published.sha256[array]:
            raise DatasetError(
                f"{path} is not the published {published.title}: uncompressed, it should have sha256 "
                f"{published.sha256[array]}"
            )
        axes = content[3]  # its hash is known, and so its form: two zeros, the type, the number of axes, their lengths
        shape = struct.unpack_from(f">{axes}I", content, 4)
        yield array, np.frombuffer(content, np.uint8, offset=4 + 4 * axes).reshape(shape)


def _content(folder: Path, file: str) -> tuple[Path, bytes]:
    """The file that is there, compressed or not, and what it holds, uncompressed."""
    packed, plain = folder / f"{file}.gz", folder / file
    path = packed if packed.exists() or not plain.exists() else plain
    try:
        with gzip.open(packed) if path is packed else plain.open("rb") as opened:
            return path, opened.read(LARGEST)
    except FileNotFoundError:
        raise DatasetError(f"{path} is missing. {_wanted()}") from None
    except (OSError, EOFError, zlib.error) as error:
        raise DatasetError(f"{path} cannot be read ({error}). {_wanted()}") from error


def _find(name: str) -> Path:
    for folder in places(name):
        if any((folder / file).exists() for each in FILES.values() for file in (f"{each}.gz", each)):
            return folder
    looked = " nor in ".join(map(str, places(name)))
    raise DatasetError(
        f"{DATASETS[name].title} is not in {looked}.\n"
        f"On Debian or Ubuntu: sudo apt install dataset-{name.replace('_', '-')}\n"
        f"Where there is a network: python -c 'import keras; keras.datasets.{name}.load_data()'\n"
        f"Or name the folder that it is in: mnist-kit data {name} --from FOLDER\n{_wanted()}"
    )


def _wanted() -> str:
    return f"Wanted are the four files {', '.join(FILES.values())}, each with .gz at its end or without"


def _npz(arrays: Mapping[str, Bytes]) -> bytes:
    """Return what `np.savez` writes, but without zip64: its headers differ between versions of Python 3.11."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for name, array in arrays.items():
            content = io.BytesIO()
            np.lib.format.write_array(content, array, version=(1, 0), allow_pickle=False)
            archive.writestr(zipfile.ZipInfo(f"{name}.npy"), content.getvalue())
    return file.getvalue()


def _is_right(path: Path) -> bool:
    try:
        load(path)
    except DatasetError:
        return False
    return True
