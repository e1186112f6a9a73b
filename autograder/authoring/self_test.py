"""What Gradescope will make of a notebook: the autograder zip, unpacked as there, and its own program run on it.

All of it but the container: the code, the tests, the rules and the images are those in the zip, the packages those that
are installed here. The machine must be one that can confine student code.
"""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import tempfile
import time
import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from autograder.engine.environment import command

__all__ = ["Rehearsal", "rehearse"]

PROGRAM = "autograder.gradescope.entry"
GRACE_S = 15
"""Seconds that the program has to clean up after it was told to end."""

LAST_WORDS = 10
"""Lines of what a program said that failed."""


@dataclass(frozen=True)
class Rehearsal:
    """One notebook, graded by the zip.

    `earned` and `possible` are the automatic points, `short` what was said of each question that did not get all of its
    own. `fault` says why it could not be graded, or not as a notebook; empty where it was. `seconds` are wall time with
    the start of the program, `memory_mb` the most that the notebook's process held.
    """

    notebook: Path
    earned: float = 0.0
    possible: float = 0.0
    short: tuple[str, ...] = ()
    fault: str = ""
    seconds: float = 0.0
    memory_mb: float = 0.0


def rehearse(archive: Path, notebooks: Sequence[Path]) -> tuple[Rehearsal, ...]:
    """Have the zip grade the notebooks, all at once, each in folders like Gradescope's.

    Whatever ends this early, Ctrl-C too, ends the programs and removes the folders.
    """
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="mnist-kit-rehearsal-", ignore_cleanup_errors=True) as folder:
        Path(folder).chmod(0o711)  # to be passed by the users that notebooks may run as
        roots = [_laid_out(Path(folder) / str(number), archive, each) for number, each in enumerate(notebooks)]
        with _running(roots) as programs:
            return tuple(
                _result(notebook, root, program.wait(), time.monotonic() - began)
                for notebook, root, program in zip(notebooks, roots, programs, strict=True)
            )


def _laid_out(root: Path, archive: Path, notebook: Path) -> Path:
    """Gradescope's folders, and one for what is temporary."""
    for name in ("source", "submission", "results", "tmp"):
        (root / name).mkdir(parents=True)
        (root / name).chmod(0o711)
    with zipfile.ZipFile(archive) as opened:
        opened.extractall(root / "source")
    (root / "submission" / notebook.name).write_bytes(notebook.read_bytes())
    (root / "submission_metadata.json").write_text("{}", encoding="utf-8")
    return root


@contextlib.contextmanager
def _running(roots: Sequence[Path]) -> Iterator[list[subprocess.Popen[bytes]]]:
    """The program of each folder, started; none is alive afterwards."""
    programs: list[subprocess.Popen[bytes]] = []
    try:
        for root in roots:
            with (root / "said").open("wb") as said:
                programs.append(
                    subprocess.Popen(
                        command(PROGRAM, str(root), root=root / "source" / "files"),
                        env={**os.environ, "TMPDIR": str(root / "tmp")},
                        stdin=subprocess.DEVNULL,
                        stdout=said,
                        stderr=said,
                        start_new_session=True,  # a Ctrl-C is ours to pass on, once
                    )
                )
        yield programs
    finally:
        for program in programs:
            program.terminate()
        for program in programs:
            try:
                program.wait(timeout=GRACE_S)
            except subprocess.TimeoutExpired:
                program.kill()
                program.wait()


def _result(notebook: Path, root: Path, code: int, seconds: float) -> Rehearsal:
    said = (root / "said").read_text(encoding="utf-8", errors="replace").strip()
    try:
        document: dict[str, Any] = json.loads((root / "results" / "results.json").read_bytes())
    except (OSError, ValueError):
        last = "\n".join(said.splitlines()[-LAST_WORDS:])
        return Rehearsal(notebook, fault=f"the program in the zip ended with {code}, without results.json:\n{last}")
    extra = document["extra_data"]
    if extra.get("status") != "graded" or not extra.get("complete"):
        return Rehearsal(notebook, fault=said or str(document.get("output", "")))
    code_tests = [test for test in document["tests"] if "code" in test.get("tags", ())]
    return Rehearsal(
        notebook,
        earned=sum(test["score"] for test in code_tests),
        possible=sum(test["max_score"] for test in code_tests),
        short=tuple(f"{test['name']}\n{test['output']}" for test in code_tests if test["score"] < test["max_score"]),
        seconds=seconds,
        memory_mb=extra["peak_memory_mb"],
    )
