"""The whole hostile corpus inside a container, with Docker's own seccomp profile and no network."""

from __future__ import annotations

import os
import subprocess

import pytest

from autograder.layout import HOME

pytestmark = [pytest.mark.slow, pytest.mark.docker, pytest.mark.timeout(3600)]

NAME = "mnist-kit-tests"
DOCKERFILE = HOME.root / "autograder" / "tests" / "container" / "Dockerfile"
SUMMARY_LINES = 40


@pytest.fixture(scope="module")
def image() -> str:
    """This repository in an image; KIT_BASE_IMAGE names another base than the Dockerfile's."""
    try:
        subprocess.run(["docker", "info"], check=True, capture_output=True, timeout=60)
    except (OSError, subprocess.SubprocessError) as error:
        pytest.skip(f"NOT TESTED: no Docker engine answers here ({error})")
    base = os.environ.get("KIT_BASE_IMAGE")
    arguments = ["--build-arg", f"BASE={base}"] if base else []
    command = ["docker", "build", "--network", "host", "--tag", NAME, "--file", str(DOCKERFILE), *arguments, "."]
    done = subprocess.run(command, cwd=HOME.root, text=True, capture_output=True, check=False)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    return NAME


@pytest.mark.parametrize("user", ["0:0", "1000:1000"], ids=["as root", "as an ordinary user"])
def test_the_whole_corpus_holds_in_a_container(image: str, user: str) -> None:
    """As root each student process gets a user of its own; Docker refuses the network namespace to both.

    KIT_DOCKER_CASES, a `-k` expression of pytest, runs a part of the corpus.
    """
    cases = os.environ.get("KIT_DOCKER_CASES", "")
    command = ["docker", "run", "--rm", "--init", "--network", "none", "--user", user, "--env", "HOME=/tmp", image]
    command += ["/opt/kit/bin/python", "-m", "pytest", "-m", "hostile", "-q", "-p", "no:cacheprovider", "-k", cases]
    done = subprocess.run(command, text=True, capture_output=True, check=False)
    assert done.returncode == 0, "\n".join(done.stdout.splitlines()[-SUMMARY_LINES:]) + done.stderr[-2000:]
