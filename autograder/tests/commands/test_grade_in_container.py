"""`mnist-kit grade --docker` with a stand-in for Docker that notes its arguments; `test_containers` runs an engine."""

from __future__ import annotations

import os
from itertools import pairwise
from pathlib import Path

import pytest

from autograder.commands import grade_in_container
from autograder.errors import GraderFault
from autograder.layout import Layout


@pytest.fixture
def script(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The program that is found as `docker`; it does not exist yet."""
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    (tmp_path / "bin").mkdir()
    return tmp_path / "bin" / "docker"


def write(script: Path, body: str) -> None:
    script.write_text(f"#!/bin/sh\n{body}\n", encoding="utf-8")
    script.chmod(0o755)


def test_the_container_has_no_network_limits_for_all_notebooks_and_submissions_that_cannot_be_changed(
    tmp_path: Path, script: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "getuid", lambda: 1000)
    monkeypatch.setattr(os, "getgid", lambda: 100)
    write(script, f'printf "%s\\n" "$@" > {tmp_path}/arguments; exit 3')
    paths = [tmp_path / "class", tmp_path / "late, by one.ipynb"]
    code = grade_in_container.run(
        "mnist-kit:abc", paths, tmp_path / "out", workers=3, memory_mb=2000, options=["--regrade"]
    )
    arguments = (tmp_path / "arguments").read_text(encoding="utf-8").splitlines()
    assert code == 3
    joined = " ".join(arguments)
    assert "--network none" in joined
    assert "--memory 7024m --cpus 3 --pids-limit 1536" in joined
    assert "--env OWNER=1000:100" in joined
    assert [value for option, value in pairwise(arguments) if option == "--mount"] == [
        f"type=bind,source={tmp_path}/out,target=/out",
        f"type=bind,source={tmp_path}/class,target=/submissions/0/class,readonly",
        f'type=bind,"source={tmp_path}/late, by one.ipynb","target=/submissions/1/late, by one.ipynb",readonly',
    ]
    inside = "grade /submissions/0/class /submissions/1/late, by one.ipynb -o /out -n 3 --regrade"
    assert joined.endswith(inside)


def test_an_output_folder_that_cannot_be_made_is_reported(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(GraderFault, match=r"file/out cannot be created \(Not a directory\); name another folder"):
        grade_in_container.run("mnist-kit:abc", [], tmp_path / "file" / "out", workers=1, memory_mb=2000, options=[])


def test_without_docker_the_message_says_what_to_install(layout: Layout, script: Path) -> None:
    assert not script.exists()
    with pytest.raises(GraderFault, match=r"Docker does not respond\. Install and start it"):
        grade_in_container.image(layout.zip)


def test_an_error_of_docker_is_repeated(layout: Layout, script: Path) -> None:
    write(script, "[ $1 = info ] && exit 0\necho no space left; exit 1")
    with pytest.raises(GraderFault, match=r"the image could not be built on elsewhere:\nno space left"):
        grade_in_container.image(layout.zip, "elsewhere")
