"""`make setup` when it fails: the real Makefile on a bare copy, with unsuitable Pythons and without a network."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from autograder.layout import HOME
from autograder.tests.environments import old_pythons

OFFLINE = ["unshare", "--net"] if os.geteuid() == 0 else ["unshare", "--net", "--map-root-user"]


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """The files that `make setup` reads."""
    for name in ("Makefile", "requirements.lock", "pyproject.toml"):
        shutil.copy(HOME.root / name, tmp_path)
    return tmp_path


def make(
    copy: Path, *arguments: str, before: tuple[str, ...] = (), **environment: str
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*before, "make", "setup", *arguments],
        capture_output=True,
        text=True,
        check=False,
        cwd=copy,
        timeout=120,
        env={**os.environ, "MAKEFLAGS": "", "UV_CACHE_DIR": str(copy / "cache"), **environment},
    )


def bare_path(folder: Path, *more: str) -> str:
    """Return a PATH with the programs that make needs, and no Python but `more`."""
    (folder / "bin").mkdir()
    for name in ("make", "sh", *more):
        found = shutil.which(name)
        assert found is not None
        (folder / "bin" / Path(name).name).symlink_to(found)
    return str(folder / "bin")


@pytest.mark.parametrize("python", [*map(str, old_pythons()), "no-such-python"])
def test_an_unsuitable_python_is_refused_and_a_suitable_one_is_named(copy: Path, python: str) -> None:
    place = bare_path(copy)
    (copy / "bin" / "python3.11").symlink_to(sys.executable)
    done = make(copy, f"PYTHON={python}", PATH=place)
    assert done.returncode == 2
    first, second, *_ = done.stderr.splitlines()
    assert first.startswith(f"mnist-kit needs Python 3.11, 3.12 or 3.13; {python} is ")
    assert first.endswith("missing." if python == "no-such-python" else ".")
    assert second == "This machine has python3.11. Try: make PYTHON=python3.11 setup"
    assert not (copy / ".venv").exists()


def test_without_a_suitable_python_the_message_says_how_to_install_one(copy: Path) -> None:
    done = make(copy, PATH=bare_path(copy))
    assert done.returncode == 2
    assert done.stderr.splitlines()[0] == "mnist-kit needs Python 3.11, 3.12 or 3.13; python3 is missing."
    assert "Install one, for example with: uv python install 3.12" in done.stderr
    assert "Then: make PYTHON=python3.12 setup" in done.stderr


@pytest.mark.slow
@pytest.mark.skipif(
    shutil.which("unshare") is None
    or subprocess.run([*OFFLINE, "true"], check=False, capture_output=True).returncode != 0,
    reason="this machine cannot take the network away from a process",
)
def test_without_a_network_the_last_words_name_the_remedy(copy: Path) -> None:
    done = make(copy, f"PYTHON={sys.executable}", before=tuple(OFFLINE), PIP_RETRIES="0", UV_HTTP_RETRIES="0")
    assert done.returncode == 2
    assert (
        "The packages could not be installed; the lines above say why. Setting up needs a network once" in done.stderr
    )
    assert "name a mirror (PIP_INDEX_URL and UV_DEFAULT_INDEX), and run the same command again." in done.stderr
    assert not (copy / ".venv" / ".ready").exists(), "the next `make setup` begins anew"
