"""One notebook, run by a student process."""

from __future__ import annotations

import contextlib
import json
import os
import tempfile
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO

from autograder.engine.isolation import ConfinementPlan
from autograder.engine.run_folder import RunFolder
from autograder.engine.warm_process import GRACE_S, Ended, WarmProcess, watch
from autograder.errors import GraderFault
from autograder.judge.evidence import specs
from autograder.policy.policy import Policy
from autograder.sandbox.confine import Jail
from autograder.sandbox.limits import Limits
from autograder.submissions.notebook import Notebook

__all__ = ["StudentRun", "StudentRunner", "nameless"]

DECLARATION = 4096
"""Bytes of output within which a student process names its confinement."""


@dataclass(frozen=True)
class StudentRun:
    """A student process that has ended; `journal` and `blob` are its evidence, `layers` confined it."""

    ended: Ended
    journal: IO[bytes]
    blob: IO[bytes]
    layers: tuple[str, ...]


@dataclass(frozen=True)
class StudentRunner:
    """Runs notebooks in student processes, confined as `plan` says (None: unconfined).

    `secrets` are files that a student process must not be able to read.
    """

    policy: Policy
    folder: RunFolder
    plan: ConfinementPlan | None
    secrets: tuple[Path, ...]

    @contextlib.contextmanager
    def run(self, warm: WarmProcess, book: Notebook) -> Iterator[StudentRun]:
        """Run a notebook in a process of its own; its evidence is open inside the context.

        Raises GraderFault if no cell was started, or if the disk is full afterwards.
        """
        with nameless("journal") as journal, nameless("blob") as blob:
            ended, printed = self._run_cells(warm, book, journal, blob)
            layers = _layers(printed) if os.fstat(journal.fileno()).st_size else None
            if layers is None:
                last = printed.decode("utf-8", "replace").strip().splitlines()[-1:]
                raise GraderFault(f"the notebook was not started: {''.join(last)[:300] or 'its process ended'}")
            yield StudentRun(ended, journal, blob, layers)

    def _run_cells(self, warm: WarmProcess, book: Notebook, journal: IO[bytes], blob: IO[bytes]) -> tuple[Ended, bytes]:
        """Run the cells; return how the process ended and what it printed."""
        execution = self.policy.execution
        limits = Limits(execution.timeout_s + GRACE_S, execution.memory_mb, execution.work_mb, execution.work_files)
        job = {
            "cells": [{"index": cell.index, "source": cell.source} for cell in book.cells],
            "questions": specs(self.policy),
            "timeout_s": execution.timeout_s,
        }
        with self.folder.work() as (work, uid), nameless("job") as job_file:
            job_file.write(json.dumps(job).encode())
            job_file.seek(0)
            jail = None if self.plan is None else Jail(work, self.secrets, uid, self.plan.required, limits).to_json()
            request = {"args": {"work": str(work), "jail": jail}, "limits": asdict(limits), "work": str(work)}
            read_end, write_end = os.pipe()
            try:
                fds = [job_file.fileno(), journal.fileno(), blob.fileno(), write_end]
                with warm.students.ask(request, fds) as status:
                    os.close(write_end)
                    write_end = -1
                    keep = DECLARATION + int(execution.output_mb * 2**20)
                    return watch(status, read_end, keep, execution.timeout_s + 2 * GRACE_S + 10)
            finally:
                os.close(read_end)
                if write_end >= 0:
                    os.close(write_end)


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
