"""IDX files, in which MNIST and datasets of its shape are published, made into the kit's file of images."""

from __future__ import annotations

import difflib
import gzip
import hashlib
import io
import os
import struct
import zipfile
import zlib
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from autograder import atomic
from autograder.data.dataset import DATASETS, Bytes, load, remedy
from autograder.errors import DatasetError
from autograder.layout import Layout

__all__ = ["FILES", "known_folders", "provide"]

FILES = {
    "x_train": "train-images-idx3-ubyte",
    "y_train": "train-labels-idx1-ubyte",
    "x_test": "t10k-images-idx3-ubyte",
    "y_test": "t10k-labels-idx1-ubyte",
}
"""The published files by the array in them; compressed, their names end in .gz."""

EXPECTED = f"Expected are the four files {', '.join(FILES.values())}, each with or without .gz at its end"

LARGEST = 64 * 2**20
"""Bytes of one file that are read, uncompressed; the training images have 47 million."""


def provide(layout: Layout, name: str, folder: Path | None = None) -> bool:
    """Make a dataset's file of images from the IDX files in `folder`, or in the first known folder that has them.

    Returns False, and writes nothing, if the file is there already and is what was published. The same bytes come out
    on every machine, so that what was graded and calibrated with them stays valid. Raises DatasetError if there is no
    such dataset, if the IDX files are missing, damaged or something else, or if nothing can be written.
    """
    if name not in DATASETS:
        near = difflib.get_close_matches(name, DATASETS, n=1)
        hint = f"; did you mean {near[0]}?" if near else "."
        raise DatasetError(f"The kit has no dataset {name!r}{hint} It has: {', '.join(DATASETS)}")
    target = layout.data(name)
    try:
        load(target)
    except DatasetError:
        pass
    else:
        return False
    if folder is None and DATASETS[name].bundled:
        raise DatasetError(f"{target} is missing or damaged: {remedy(name)}")
    folder = folder or _find(name)
    arrays = {array: _array(folder, name, array) for array in FILES}
    try:
        atomic.write(target, _npz(arrays))
    except OSError as error:
        raise DatasetError(f"{target} cannot be written ({error.strerror})") from error
    return True


def known_folders(name: str) -> tuple[Path, ...]:
    """Return where the IDX files of a dataset may be on this machine: Debian's package, and Keras's own cache."""
    dashed = name.replace("_", "-")
    keras = Path(os.environ.get("KERAS_HOME") or Path.home() / ".keras")
    return Path("/usr/share/datasets") / dashed, keras / "datasets" / dashed


def _array(folder: Path, name: str, array: str) -> Bytes:
    """Read an array from its IDX file, compressed or not, and compare it with the published one."""
    packed, plain = folder / f"{FILES[array]}.gz", folder / FILES[array]
    path = packed if packed.exists() or not plain.exists() else plain
    try:
        with gzip.open(packed) if path is packed else plain.open("rb") as file:
            content = file.read(LARGEST)
    except FileNotFoundError:
        raise DatasetError(f"{path} is missing. {EXPECTED}") from None
    except (OSError, EOFError, zlib.error) as error:
        raise DatasetError(f"{path} cannot be read ({error}). {EXPECTED}") from error
    published = DATASETS[name]
    if hashlib.sha256(content).hexdigest() != published.sha256[array]:
        raise DatasetError(
            f"{path} is not the published {published.title}: uncompressed, it should have sha256 "
            f"{published.sha256[array]}"
        )
    axes = content[3]  # the hash guarantees the form: two zeros, the type, the number of axes, their lengths
    shape = struct.unpack_from(f">{axes}I", content, 4)
    return np.frombuffer(content, np.uint8, offset=4 + 4 * axes).reshape(shape)


def _find(name: str) -> Path:
    for folder in known_folders(name):
        if any((folder / f"{file}{suffix}").exists() for file in FILES.values() for suffix in ("", ".gz")):
            return folder
    raise DatasetError(
        f"{DATASETS[name].title} is not in {' or in '.join(map(str, known_folders(name)))}.\n"
        f"On Debian or Ubuntu: sudo apt install dataset-{name.replace('_', '-')}\n"
        f"With a network: python -c 'import keras; keras.datasets.{name}.load_data()'\n"
        f"Or name its folder: mnist-kit data {name} --from FOLDER\n{EXPECTED}"
    )


def _npz(arrays: Mapping[str, Bytes]) -> bytes:
    """Return what `np.savez` writes, but without zip64: its headers differ between versions of Python 3.11."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for name, array in arrays.items():
            content = io.BytesIO()
            np.lib.format.write_array(content, array, version=(1, 0), allow_pickle=False)
            archive.writestr(zipfile.ZipInfo(f"{name}.npy"), content.getvalue())
    return file.getvalue()
