"""The self-test of the autograder zip: unpacked as on Gradescope, its own program grades a notebook.

The code, tests, rules and images are those in the zip; the packages are those installed here, instead of a container's.
The machine must be able to confine student code.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from autograder.engine.environment import command

__all__ = ["SelfTest", "self_test"]

PROGRAM = "autograder.gradescope.entry"
GRACE_S = 15  # seconds that the program has to clean up after SIGTERM
LAST_LINES = 10  # lines of a failed program's output that are shown


@dataclass(frozen=True)
class SelfTest:
    """One notebook, graded by the zip.

    `earned` and `possible` are automatic points; `short` holds the output of each question without full points.
    `fault` is the reason it could not be graded, or was rejected; empty otherwise. `memory_mb` is the peak of the
    notebook's process.
    """

    earned: float = 0.0
    possible: float = 0.0
    short: tuple[str, ...] = ()
    fault: str = ""
    memory_mb: float = 0.0


def self_test(archive: Path, notebooks: Sequence[Path]) -> tuple[SelfTest, ...]:
    """Have the zip grade the notebooks, all at once, each in folders like Gradescope's.

    If anything ends this early, Ctrl-C included, the programs are ended and the folders removed.
    """
    with tempfile.TemporaryDirectory(prefix="mnist-kit-self-test-", ignore_cleanup_errors=True) as folder:
        Path(folder).chmod(0o711)  # so that the users that notebooks run as can pass through
        roots = [_lay_out(Path(folder) / str(number), archive, path) for number, path in enumerate(notebooks)]
        with contextlib.ExitStack() as stack:
            programs = [stack.enter_context(_running(root)) for root in roots]
            return tuple(_result(root, program.wait()) for root, program in zip(roots, programs, strict=True))


def _lay_out(root: Path, archive: Path, notebook: Path) -> Path:
    """Make Gradescope's folders, and one for temporary files; return `root`."""
    for name in ("source", "submission", "results", "tmp"):
        (root / name).mkdir(parents=True)
        (root / name).chmod(0o711)
    shutil.unpack_archive(archive, root / "source", "zip")
    shutil.copyfile(notebook, root / "submission" / notebook.name)
    (root / "submission_metadata.json").write_text("{}", encoding="utf-8")
    return root


@contextlib.contextmanager
def _running(root: Path) -> Iterator[subprocess.Popen[bytes]]:
    """Start the program in a folder; end it afterwards."""
    with (root / "output").open("wb") as output:
        program = subprocess.Popen(
            command(PROGRAM, str(root), root=root / "source" / "files"),
            env={**os.environ, "TMPDIR": str(root / "tmp")},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,  # so that a Ctrl-C reaches it once, from here
        )
    try:
        yield program
    finally:
        program.terminate()
        try:
            program.wait(timeout=GRACE_S)
        except subprocess.TimeoutExpired:
            program.kill()
            program.wait()


def _result(root: Path, code: int) -> SelfTest:
    output = (root / "output").read_text(encoding="utf-8", errors="replace").strip()
    try:
        document: dict[str, Any] = json.loads((root / "results" / "results.json").read_bytes())
    except (OSError, ValueError):
        last = "\n".join(output.splitlines()[-LAST_LINES:])
        return SelfTest(fault=f"the program in the zip ended with code {code} and no results.json:\n{last}")
    extra = document["extra_data"]
    if extra.get("status") != "graded" or not extra.get("complete"):
        return SelfTest(fault=output or str(document.get("output", "")))
    code_tests = [test for test in document["tests"] if "code" in test.get("tags", ())]
    return SelfTest(
        earned=sum(test["score"] for test in code_tests),
        possible=sum(test["max_score"] for test in code_tests),
        short=tuple(f"{test['name']}\n{test['output']}" for test in code_tests if test["score"] < test["max_score"]),
        memory_mb=extra["peak_memory_mb"],
    )
