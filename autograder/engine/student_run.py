"""Notebooks run by student processes: the folder of a run, a process for each notebook, and its evidence."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import subprocess
import tempfile
import threading
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO

import numpy as np

from autograder.data import dataset
from autograder.engine import isolation
from autograder.engine.isolation import ConfinementPlan
from autograder.engine.warm_process import GRACE_S, Channel, Ended, watch
from autograder.errors import GraderFault
from autograder.judge.evidence import specs
from autograder.policy.policy import Policy
from autograder.sandbox.confine import Jail
from autograder.sandbox.limits import Limits
from autograder.submissions.notebook import CodeCell

__all__ = ["RunFolder", "StudentRun", "nameless", "run_cells"]

ARRAYS_MB = 64  # megabytes that the public images take as plain arrays, rounded up

SPARE_MB = 16
"""Megabytes that must be free on the disk after a notebook; with less, a failed write is not the notebook's fault."""

DECLARATION = 4096  # bytes of output within which a student process names its confinement


class RunFolder:
    """A temporary folder; `remove` deletes it.

    With `own_users` each student process gets a user of its own, who alone can enter its work folder. `work_mb` are the
    megabytes that one notebook may write. Raises GraderFault if the disk is full or closed to these users.
    """

    def __init__(self, *, own_users: bool, work_mb: float) -> None:
        self._own_users = own_users
        self._users: set[int] = set()
        self._lock = threading.Lock()
        parent = Path(tempfile.gettempdir())
        _demand_space(parent, work_mb + ARRAYS_MB)
        if own_users and not isolation.others_can_enter(parent):
            raise GraderFault(
                f"the temporary folder {parent} is closed to other users, but each notebook runs as one. "
                "Name another folder: TMPDIR=/var/tmp mnist-kit grade ..."
            )
        self.path = Path(tempfile.mkdtemp(prefix="mnist-kit-"))
        self.path.chmod(0o711)  # the students' users may pass through, but not list it
        (self.path / "work").mkdir(mode=0o711)
        self.public = self.path / "public"
        self.canary = self.path / "secret"
        """A file that a student process must not be able to read."""
        self.canary.touch(mode=0o600)

    def remove(self) -> None:
        _remove(self.path)

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
            _demand_space(self.path.parent, SPARE_MB)
        finally:
            _remove(folder)
            with self._lock:
                self._users.discard(uid or 0)


@dataclass(frozen=True)
class StudentRun:
    """A student process that has ended; `journal` and `blob` are its evidence, `layers` confined it (none: unsafe)."""

    ended: Ended
    journal: IO[bytes]
    blob: IO[bytes]
    layers: tuple[str, ...]


@contextlib.contextmanager
def run_cells(
    cells: Sequence[CodeCell],
    policy: Policy,
    students: Channel,
    folder: RunFolder,
    plan: ConfinementPlan | None,
    secrets: tuple[Path, ...],
) -> Iterator[StudentRun]:
    """Run cells in a process of their own, confined by `plan` (None: not at all); its evidence is open in the context.

    `secrets` are files that the process must not be able to read. Raises GraderFault if no cell was started, or if the
    disk is full afterwards.
    """
    execution = policy.execution
    limits = Limits(execution.timeout_s + GRACE_S, execution.memory_mb, execution.work_mb, execution.work_files)
    job = {
        "cells": [{"index": cell.index, "source": cell.source} for cell in cells],
        "questions": specs(policy),
        "timeout_s": execution.timeout_s,
    }
    with nameless("journal") as journal, nameless("blob") as blob:
        with folder.work() as (work, uid), nameless("job") as job_file:
            job_file.write(json.dumps(job).encode())
            job_file.seek(0)
            jail = None if plan is None else Jail(work, secrets, uid, plan.required, limits).to_json()
            request = {"args": {"work": str(work), "jail": jail}, "limits": asdict(limits), "work": str(work)}
            read_end, write_end = os.pipe()
            with os.fdopen(read_end, "rb", 0) as output:
                with os.fdopen(write_end, "wb", 0) as student_end:
                    fds = [file.fileno() for file in (job_file, journal, blob, student_end)]
                    status = students.ask(request, fds)
                keep = DECLARATION + int(execution.output_mb * 2**20)
                ended, printed = watch(status, execution.timeout_s + 2 * GRACE_S + 10, output, keep)
        layers = _layers(printed) if os.fstat(journal.fileno()).st_size else None
        if layers is None:
            last = printed.decode("utf-8", "replace").strip().splitlines()[-1:]
            raise GraderFault(f"the notebook was not started: {''.join(last)[:300] or 'its process ended'}")
        yield StudentRun(ended, journal, blob, layers)


def nameless(purpose: str) -> IO[bytes]:
    """Open a file without a name; in memory if the system can, so that a full disk loses no evidence."""
    if hasattr(os, "memfd_create"):
        return os.fdopen(os.memfd_create(purpose), "w+b", buffering=0)
    return tempfile.TemporaryFile()


def _layers(printed: bytes) -> tuple[str, ...] | None:
    """Return the layers of confinement, which are printed before any student code runs; None if they are missing."""
    first, end, _ = printed[:DECLARATION].partition(b"\n")
    if not end or not first.startswith(b'{"isolation": '):
        return None
    return tuple(json.loads(first)["isolation"])


def _demand_space(folder: Path, least_mb: float) -> None:
    free_mb = shutil.disk_usage(folder).free / 2**20
    if free_mb < least_mb:
        raise GraderFault(
            f"the disk that holds {folder} is full ({free_mb:.0f} MB free, a notebook may need {least_mb:.0f} MB). "
            "Free some space, or name another folder: TMPDIR=/some/folder mnist-kit grade ..."
        )


def _remove(folder: Path) -> None:
    """Delete a folder with `rm`, which copes with any depth, unlike Python's own recursion."""
    subprocess.run(["chmod", "-R", "u+rwx", str(folder)], check=False, capture_output=True)
    subprocess.run(["rm", "-rf", "--", str(folder)], check=False, capture_output=True)
