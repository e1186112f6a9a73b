"""The commands of `mnist-kit grade --docker`, without an engine; `test_containers` runs it."""

from __future__ import annotations

import os
from itertools import pairwise
from pathlib import Path

import pytest

from autograder.engine import docker
from autograder.engine.docker import Container
from autograder.errors import GraderFault
from autograder.layout import Layout
from autograder.policy.policy import Execution

RUN = Container("mnist-kit:abc", 3, Execution(memory_mb=2000))


def test_the_container_has_no_network_and_limits_for_all_notebooks_at_once(tmp_path: Path) -> None:
    command = RUN.command([tmp_path / "class"], tmp_path / "out", ["--regrade"], owner="1000:100")
    joined = " ".join(command)
    assert "--network none" in joined
    assert "--memory 7024m --cpus 3 --pids-limit 1536" in joined
    assert command[-1] == "--regrade"
    assert "-n 3" in joined
    assert "--env OWNER=1000:100" in joined


def test_submissions_are_mounted_read_only_and_keep_their_names(tmp_path: Path) -> None:
    command = RUN.command([tmp_path / "class", tmp_path / "late, by one.ipynb"], tmp_path / "out", [])
    mounts = [value for option, value in pairwise(command) if option == "--mount"]
    assert mounts == [
        f"type=bind,source={tmp_path}/out,target=/out",
        f"type=bind,source={tmp_path}/class,target=/submissions/0/class,readonly",
        f'type=bind,"source={tmp_path}/late, by one.ipynb","target=/submissions/1/late, by one.ipynb",readonly',
    ]
    assert command[command.index("grade") + 1 :][:2] == ["/submissions/0/class", "/submissions/1/late, by one.ipynb"]


def test_without_docker_the_message_says_what_to_install(
    layout: Layout, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(GraderFault, match=r"Docker does not respond\. Install and start it"):
        docker.image(layout.zip)


def test_an_error_of_docker_is_repeated(layout: Layout, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fake = tmp_path / "docker"
    fake.write_text("#!/bin/sh\n[ $1 = info ] && exit 0\necho no space left; exit 1\n", encoding="utf-8")
    fake.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    with pytest.raises(GraderFault, match=r"the image could not be built on elsewhere:\nno space left"):
        docker.image(layout.zip, "elsewhere")
