"""One run of `mnist-kit grade --docker`: the same command in one container, where student code cannot be confined.

The image is built from the autograder zip, by the same script as Gradescope's, once for each version of the zip. The
module calls Docker's command line, which Podman also understands, and imports nothing that confines student code.
"""

from __future__ import annotations

import csv
import hashlib
import io
import os
import subprocess
import tempfile
import zipfile
from collections.abc import Sequence
from contextlib import AbstractContextManager
from pathlib import Path

from autograder.authoring import build
from autograder.errors import GraderFault, SubmissionError
from autograder.layout import HOME
from autograder.policy import grading_file

__all__ = ["BASE", "grade_in_container", "image", "run"]

BASE = "python:3.12-slim-bookworm"
"""An image with a suitable Python, so that none has to be downloaded."""

NAME = "mnist-kit"
DOCKERFILE = Path(__file__).parent.parent / "gradescope" / "Dockerfile"
PYTHON = "/opt/mnist-kit/venv/bin/python"

KIT_MB = 1024  # megabytes for the kit's own processes in a container, besides its notebooks
PROCESSES = 512  # processes and threads for each notebook graded at once; TensorFlow starts dozens
NO_DOCKER = "Docker does not respond. Install and start it (Docker Desktop, or docker.io on Debian)"

OUTPUT_CHARS = 3000  # characters of Docker's output that an error repeats

# The output should belong to the calling user, not to the container's root.
THEN_CHOWN = '"$@"; code=$?; if [ -n "$OWNER" ]; then chown -R "$OWNER" /out; fi; exit $code'


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
        tag = image(HOME.zip, base or BASE)
    return run(tag, paths, output, workers=workers, memory_mb=policy.execution.memory_mb, options=options)


def run(
    image: str, paths: Sequence[Path], output: Path, *, workers: int, memory_mb: float, options: Sequence[str]
) -> int:
    """Run `mnist-kit grade` in a container of this image, with this process's terminal; return its exit code.

    Submissions are mounted read-only; there is no network. `memory_mb` is the limit of one notebook.
    """
    try:
        output.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise GraderFault(f"{output} cannot be created ({error.strerror}); name another folder with -o") from error
    owner = f"{os.getuid()}:{os.getgid()}" if hasattr(os, "getuid") and os.getuid() else ""
    command = ["docker", "run", "--rm", "--init", "--network", "none", "--user", "0:0", "--env", f"OWNER={owner}"]
    command += ["--memory", f"{workers * memory_mb + KIT_MB:.0f}m", "--cpus", str(workers)]
    command += ["--pids-limit", str(PROCESSES * workers), "--mount", _bind(output, "/out")]
    inside = [f"/submissions/{number}/{path.resolve().name}" for number, path in enumerate(paths)]
    for path, target in zip(paths, inside, strict=True):
        command += ["--mount", _bind(path, target, "readonly")]
    command += [image, "sh", "-c", THEN_CHOWN, "sh", PYTHON, "-I", "-m", "autograder", "grade", *inside]
    return subprocess.run([*command, "-o", "/out", "-n", str(workers), *options], check=False).returncode


def image(archive: Path, base: str = BASE) -> str:
    """Return the tag of the image made from an autograder zip on `base`; if there is none yet, build it, in minutes.

    Raises GraderFault if Docker does not respond or the image cannot be built.
    """
    content = archive.read_bytes() + base.encode() + DOCKERFILE.read_bytes()
    tag = f"{NAME}:{hashlib.sha256(content).hexdigest()[:16]}"
    _docker("info", or_else=NO_DOCKER)
    if subprocess.run(["docker", "image", "inspect", tag], capture_output=True, check=False).returncode == 0:
        return tag
    with tempfile.TemporaryDirectory(prefix="mnist-kit-image-") as folder:
        with zipfile.ZipFile(archive) as opened:
            opened.extractall(folder)
        command = ["build", "--tag", tag, "--build-arg", f"BASE={base}", "--file", str(DOCKERFILE), folder]
        _docker(*command, or_else=f"the image could not be built on {base}")
    return tag


def _docker(*arguments: str, or_else: str) -> None:
    try:
        done = subprocess.run(["docker", *arguments], capture_output=True, text=True, errors="replace", check=False)
    except OSError as error:
        raise GraderFault(f"{or_else} ({error.strerror}).") from error
    if done.returncode != 0:
        raise GraderFault(f"{or_else}:\n{(done.stdout + done.stderr).strip()[-OUTPUT_CHARS:]}")


def _bind(path: Path, target: str, *more: str) -> str:
    """Return a mount in Docker's notation, which is one line of CSV."""
    line = io.StringIO()
    csv.writer(line, lineterminator="").writerow(["type=bind", f"source={path.resolve()}", f"target={target}", *more])
    return line.getvalue()
