"""The whole batch inside one container, for a machine that has Docker and cannot confine student code itself.

The image is made from the autograder zip, by the same script as Gradescope's, once for every content of the zip.
Docker's own command line is what is called; Podman understands the same words.
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
"""An image that has a Python which fits, so that none has to be fetched."""

NAME = "mnist-kit"
DOCKERFILE = Path(__file__).parent.parent / "gradescope" / "Dockerfile"
PYTHON = "/opt/mnist-kit/venv/bin/python"

KIT_MB = 1024
"""Megabytes for the kit's own processes in a container, beside its notebooks."""

PROCESSES = 512
"""And threads, for each notebook that is graded at once; TensorFlow starts dozens."""

NO_DOCKER = "Docker does not answer here. Install and start it (Docker Desktop, or docker.io on Debian)"

SAID = 3000
"""Characters of Docker's output that an error repeats."""

# The output folder belongs to whoever called, not to the container's root.
THEN_GIVE = '"$@"; code=$?; if [ -n "$OWNER" ]; then chown -R "$OWNER" /out; fi; exit $code'


@dataclass(frozen=True)
class Container:
    """One run of `mnist-kit grade` in `image`: submissions mounted read-only, no network, limits set."""

    image: str
    workers: int
    execution: Execution

    def command(self, paths: Sequence[Path], output: Path, options: Sequence[str], *, owner: str = "") -> list[str]:
        """The call of Docker that grades `paths` into `output`, both on this machine.

        `options` are more of `mnist-kit grade`'s own. `owner` is UID:GID, who is to own what is written.
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
        return [*command, self.image, "sh", "-c", THEN_GIVE, "sh", *grade]

    def grade(self, paths: Sequence[Path], output: Path, options: Sequence[str]) -> int:
        """Grade, with this process's own screen; returns the exit code, which is that of `mnist-kit grade`."""
        try:
            output.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise GraderFault(f"{output}: it cannot be made ({error.strerror}); name another folder with -o") from error
        owner = f"{os.getuid()}:{os.getgid()}" if hasattr(os, "getuid") and os.getuid() else ""
        return subprocess.run(self.command(paths, output, options, owner=owner), check=False).returncode


def image(archive: Path, base: str = BASE) -> str:
    """The image made from an autograder zip on `base`; built, which takes minutes, where there is none yet.

    Raises GraderFault where Docker does not answer, or the image cannot be built.
    """
    content = archive.read_bytes() + base.encode() + DOCKERFILE.read_bytes()
    tag = f"{NAME}:{hashlib.sha256(content).hexdigest()[:16]}"
    _docker("info", or_else=NO_DOCKER)
    if _there(tag):
        return tag
    with tempfile.TemporaryDirectory(prefix="mnist-kit-image-") as folder:
        with zipfile.ZipFile(archive) as opened:
            opened.extractall(folder)
        command = ["build", "--tag", tag, "--build-arg", f"BASE={base}", "--file", str(DOCKERFILE), folder]
        _docker(*command, or_else=f"the image could not be built on {base}")
    return tag


def _there(tag: str) -> bool:
    return subprocess.run(["docker", "image", "inspect", tag], capture_output=True, check=False).returncode == 0


def _docker(*arguments: str, or_else: str) -> None:
    try:
        done = subprocess.run(["docker", *arguments], capture_output=True, text=True, errors="replace", check=False)
    except OSError as error:
        raise GraderFault(f"{or_else} ({error.strerror}).") from error
    if done.returncode != 0:
        raise GraderFault(f"{or_else}:\n{(done.stdout + done.stderr).strip()[-SAID:]}")


def _bind(path: Path, target: str, *more: str) -> str:
    """A mount in Docker's own notation, which is one line of CSV."""
    line = io.StringIO()
    csv.writer(line, lineterminator="").writerow(["type=bind", f"source={path.resolve()}", f"target={target}", *more])
    return line.getvalue()
