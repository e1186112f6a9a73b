"""The whole batch inside one container, for machines that have Docker and cannot confine student code themselves.

The image is built from the autograder zip, by the same script as Gradescope's, once for each version of the zip. The
module calls Docker's command line, which Podman also understands.
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
from dataclasses import dataclass
from pathlib import Path

from autograder.errors import GraderFault
from autograder.policy.policy import Execution

__all__ = ["BASE", "Container", "image"]

BASE = "python:3.12-slim-bookworm"
"""An image with a suitable Python, so that none has to be downloaded."""

NAME = "mnist-kit"
DOCKERFILE = Path(__file__).parent.parent / "gradescope" / "Dockerfile"
PYTHON = "/opt/mnist-kit/venv/bin/python"

KIT_MB = 1024
"""Megabytes for the kit's own processes in a container, besides its notebooks."""

PROCESSES = 512
"""Processes and threads for each notebook graded at once; TensorFlow starts dozens."""

NO_DOCKER = "Docker does not respond. Install and start it (Docker Desktop, or docker.io on Debian)"

OUTPUT_CHARS = 3000
"""Characters of Docker's output that an error repeats."""

# The output should belong to the calling user, not to the container's root.
THEN_CHOWN = '"$@"; code=$?; if [ -n "$OWNER" ]; then chown -R "$OWNER" /out; fi; exit $code'


@dataclass(frozen=True)
class Container:
    """One run of `mnist-kit grade` in `image`: submissions mounted read-only, no network, limits set."""

    image: str
    workers: int
    execution: Execution

    def command(self, paths: Sequence[Path], output: Path, options: Sequence[str], *, owner: str = "") -> list[str]:
        """Return the Docker command that grades `paths` into `output`, both on this machine.

        `options` are further options of `mnist-kit grade`. `owner` is the UID:GID that will own the output.
        """
        memory_mb = self.workers * self.execution.memory_mb + KIT_MB
        command = ["docker", "run", "--rm", "--init", "--network", "none", "--user", "0:0", "--env", f"OWNER={owner}"]
        command += ["--memory", f"{memory_mb:.0f}m", "--cpus", str(self.workers)]
        command += ["--pids-limit", str(PROCESSES * self.workers), "--mount", _bind(output, "/out")]
        inside = []
        for number, path in enumerate(paths):
            inside.append(f"/submissions/{number}/{path.resolve().name}")
            command += ["--mount", _bind(path, inside[-1], "readonly")]
        grade = [PYTHON, "-I", "-m", "autograder", "grade", *inside, "-o", "/out", "-n", str(self.workers), *options]
        return [*command, self.image, "sh", "-c", THEN_CHOWN, "sh", *grade]

    def grade(self, paths: Sequence[Path], output: Path, options: Sequence[str]) -> int:
        """Grade with this process's terminal. Return the exit code of `mnist-kit grade`."""
        try:
            output.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise GraderFault(f"{output} cannot be created ({error.strerror}); name another folder with -o") from error
        owner = f"{os.getuid()}:{os.getgid()}" if hasattr(os, "getuid") and os.getuid() else ""
        return subprocess.run(self.command(paths, output, options, owner=owner), check=False).returncode


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
