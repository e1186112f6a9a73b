"""One run of `mnist-kit grade --docker`: the same command, in a container.

Imports nothing that confines student code, so that it works on systems that cannot.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager
from pathlib import Path

from autograder.authoring import build
from autograder.engine import docker
from autograder.errors import SubmissionError
from autograder.layout import HOME
from autograder.policy import grading_file

__all__ = ["grade_in_container"]


def grade_in_container(
    paths: Sequence[Path],
    output: Path,
    workers: int,
    options: Sequence[str],
    base: str | None,
    preparing: AbstractContextManager[object],
) -> int:
    """Run `mnist-kit grade` with these further options in a container; return its exit code.

    Its image is made from the image `base`, which takes minutes the first time; `preparing` is entered meanwhile.
    """
    policy = grading_file.load(HOME.policy)
    build.ensure_built(HOME, policy)
    missing = [path for path in paths if not path.exists()]
    if missing:
        raise SubmissionError(f"{missing[0]}: no such file or folder")
    with preparing:
        image = docker.image(HOME.zip, base or docker.BASE)
    memory_mb = policy.execution.memory_mb
    return docker.grade(image, paths, output, workers=workers, memory_mb=memory_mb, options=options)
