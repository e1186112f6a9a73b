"""The folder of one run: the public images, a work folder for each student process, and a secret as a canary."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from autograder.data import dataset
from autograder.engine import isolation
from autograder.errors import GraderFault
from autograder.sandbox import interpreter

__all__ = ["RunFolder"]

ARRAYS_MB = 64
"""Megabytes that the public images take as plain arrays, rounded up."""

SPARE_MB = 16
"""Megabytes that must be free on the disk after a notebook; with less, a failed write is not the notebook's fault."""


class RunFolder:
    """A temporary folder, used as a context manager and deleted at the end.

    With `own_users` each student process gets a user of its own, who alone can enter its work folder. `work_mb` are the
    megabytes that one notebook may write. Raises GraderFault if the disk is full or closed to these users.
    """

    def __init__(self, *, own_users: bool, work_mb: float) -> None:
        self._own_users = own_users
        self._users: set[int] = set()
        self._lock = threading.Lock()
        self._temporary = tempfile.TemporaryDirectory(prefix="mnist-kit-", ignore_cleanup_errors=True)
        self.path = Path(self._temporary.name)
        self.public = self.path / "public"
        self.canary = self.path / "secret"
        """A file that a student process must not be able to read."""
        try:
            self._lay_out(work_mb)
        except BaseException:
            self.remove()
            raise

    def remove(self) -> None:
        _remove(self.path / "work")
        self._temporary.cleanup()

    def write_public(self, data: Path, split_seed: int) -> None:
        """Write the images a student process may see, as plain arrays that all processes map and share."""
        view = dataset.public_view(dataset.load(data), split_seed)
        self.public.mkdir()
        arrays = (view.train.images, view.train.labels, view.test.images, view.test.labels)
        for name, array in zip(dataset.ARRAYS, arrays, strict=True):
            np.save(self.public / f"{name}.npy", array)

    @contextlib.contextmanager
    def work(self) -> Iterator[tuple[Path, int | None]]:
        """Yield a work folder for one student process, and its user (None: the present one)."""
        uid = None
        folder = Path(tempfile.mkdtemp(dir=self.path / "work"))
        try:
            if self._own_users:
                with self._lock:
                    uid = isolation.free_uid(self._users)
                    self._users.add(uid)
                os.chown(folder, uid, uid)
            yield folder, uid
            self._demand_space(SPARE_MB)
        finally:
            _remove(folder)
            with self._lock:
                self._users.discard(uid or 0)

    def _lay_out(self, work_mb: float) -> None:
        self._demand_space(work_mb + ARRAYS_MB)
        if self._own_users and not interpreter.others_can_enter(self.path.parent):
            raise GraderFault(
                f"the temporary folder {self.path.parent} is closed to other users, but each notebook runs as one. "
                "Name another folder: TMPDIR=/var/tmp mnist-kit grade ..."
            )
        self.path.chmod(0o711)  # the students' users may pass through, but not list it
        (self.path / "work").mkdir(mode=0o711)
        self.canary.touch(mode=0o600)

    def _demand_space(self, least_mb: float) -> None:
        free_mb = shutil.disk_usage(self.path).free / 2**20
        if free_mb < least_mb:
            raise GraderFault(
                f"the disk that holds {self.path.parent} is full ({free_mb:.0f} MB free, a notebook may need "
                f"{least_mb:.0f} MB). Free some space, or name another folder: TMPDIR=/some/folder mnist-kit grade ..."
            )


def _remove(folder: Path) -> None:
    """Delete a folder with `rm`, which copes with any depth, unlike Python's own recursion."""
    subprocess.run(["chmod", "-R", "u+rwx", str(folder)], check=False, capture_output=True)
    subprocess.run(["rm", "-rf", "--", str(folder)], check=False, capture_output=True)
