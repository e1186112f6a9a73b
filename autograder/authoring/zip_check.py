"""An autograder zip, opened as Gradescope and `otter grade` open it: what is there, and what is wrong with it."""

from __future__ import annotations

import ast
import json
import re
import tempfile
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from autograder.errors import BuildError, PolicyError, unreadable
from autograder.policy import grading_file

__all__ = ["SIZE_LIMIT_MB", "Finding", "inspect"]

SIZE_LIMIT_MB = 100
"""Megabytes that Gradescope takes in one upload."""

SCRIPTS = ("setup.sh", "run_autograder")
NEEDED = (
    *SCRIPTS,
    "requirements.txt",
    "environment.yml",
    "otter_config.json",
    "run_otter.py",
    "files/grading.yml",
    "files/kit.json",
    "files/autograder/engine/engine.py",
    "files/autograder/gradescope/entry.py",
)
"""What Otter's Dockerfile copies, what Gradescope starts, and what the kit grades with."""

SOLUTION = re.compile(r"(^|/)solutions?/(?!calibration\.json$)|exercise\.md$|\.ipynb$")
"""Nothing in grading needs these: masters and notebooks with answers in them."""

EXECUTABLE = 0o111

WHAT = "an autograder zip, which `mnist-kit build` makes: dist/autograder.zip"


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at. `wrong` is empty where it is right; else it says what, and what to do."""

    what: str
    wrong: str = ""


def inspect(path: Path) -> tuple[Finding, ...]:
    """Look at everything. Raises BuildError where the file is no zip, or a zip of something else."""
    try:
        with zipfile.ZipFile(path) as archive:
            return tuple(_look(archive, path))
    except OSError as error:
        raise BuildError(f"{path}: {unreadable(error)}. Expected {WHAT}.") from error
    except zipfile.BadZipFile as error:
        raise BuildError(f"{path}: it cannot be opened as a zip ({error}). Expected {WHAT}.") from error


def _look(archive: zipfile.ZipFile, path: Path) -> Iterator[Finding]:
    names = [name for name in archive.namelist() if not name.endswith("/")]
    if not any(Path(name).name in SCRIPTS for name in names):
        inside = ", ".join(names[:3]) or "nothing"
        raise BuildError(f"{path}: it is another kind of zip; in it: {inside}. Expected {WHAT}.")
    megabytes = path.stat().st_size / 2**20
    too_large = f"{megabytes:.0f} MB; at most {SIZE_LIMIT_MB} can be uploaded" if megabytes > SIZE_LIMIT_MB else ""
    yield Finding(f"size: {megabytes:.1f} MB", too_large)
    yield Finding("everything that is needed is there", _missing(names))
    for script in SCRIPTS:
        if script in names:
            yield Finding(f"{script} can be started", _script(archive, script))
    found = [name for name in names if SOLUTION.search(name)]
    yield Finding("no solution inside", f"take out {', '.join(found[:3])}: grading does not need it" if found else "")
    yield Finding("no token or password inside", _token(archive, names))
    yield from _tests(archive, names)


def _missing(names: list[str]) -> str:
    tops = {name.split("/")[0] for name in names}
    if len(tops) == 1 and f"{next(iter(tops))}/setup.sh" in names:
        return f"all of it is inside the folder {tops.pop()}; zip what is in that folder, not the folder"
    missing = [name for name in NEEDED if name not in names]
    missing += [] if any(name.startswith("tests/") for name in names) else ["tests/"]
    return f"missing: {', '.join(missing)}; make it anew with `mnist-kit build`" if missing else ""


def _script(archive: zipfile.ZipFile, name: str) -> str:
    content, info = archive.read(name), archive.getinfo(name)
    if b"\r" in content:
        return "it has Windows line ends, which bash does not take; `mnist-kit build` writes the right ones"
    if not content.startswith(b"#!"):
        return "its first line does not say what runs it (#!/usr/bin/env bash)"
    if not (info.external_attr >> 16) & EXECUTABLE:
        return "its run bit is off, as zips made on Windows have it; use the zip that `mnist-kit build` makes as it is"
    return ""


def _token(archive: zipfile.ZipFile, names: list[str]) -> str:
    """Otter's configuration can hold a Gradescope token, for its own uploads."""
    if "otter_config.json" not in names:
        return ""
    try:
        config = json.loads(archive.read("otter_config.json"))
    except ValueError:
        return "otter_config.json is no JSON; make the zip anew with `mnist-kit build`"
    held = [key for key, value in config.items() if re.search("token|password|secret", key, re.IGNORECASE) and value]
    return f"otter_config.json holds {', '.join(held)}; take it out" if held else ""


def _tests(archive: zipfile.ZipFile, names: list[str]) -> Iterator[Finding]:
    """The policy in the zip, and whether the hidden tests are worth what it says."""
    if "files/grading.yml" not in names:
        return
    with tempfile.TemporaryDirectory() as folder:
        policy_file = Path(archive.extract("files/grading.yml", folder))
        try:
            policy = grading_file.load(policy_file)
        except PolicyError as error:
            yield Finding("grading.yml can be read", str(error).replace(str(policy_file), "grading.yml"))
            return
    yield Finding("grading.yml can be read")
    images = f"files/assignment/data/{policy.assignment.dataset}.npz"
    absent = "" if images in names else f"missing: {images}; make it anew with `mnist-kit build`"
    yield Finding("the images that it asks for are there", absent)
    if any(question.accuracy and question.accuracy.full_accuracy is None for question in policy.code.values()):
        known = "files/solutions/calibration.json" in names
        yield Finding(
            "the reference of reference_margin is there", "" if known else "run `mnist-kit calibrate`, then build"
        )
    for id, question in policy.code.items():
        name = f"tests/{id}.py"
        points = _points(archive.read(name)) if name in names else None
        wrong = "" if points == question.points else f"worth {points}, and grading.yml says {question.points:g}"
        yield Finding(f"{name}: {question.points:g} points", f"{wrong}; run `mnist-kit build`" if wrong else "")


def _points(test: bytes) -> float | None:
    """What the cases of a test file add up to, read without running it."""
    try:
        tree = ast.parse(test)
    except (SyntaxError, ValueError):
        return None
    keywords = [
        keyword.value.value
        for call in ast.walk(tree)
        if isinstance(call, ast.Call)
        for keyword in call.keywords
        if keyword.arg == "points" and isinstance(keyword.value, ast.Constant)
    ]
    return round(sum(value for value in keywords if isinstance(value, int | float)), 6)
