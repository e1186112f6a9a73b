"""Checks on an autograder zip before it is uploaded: whether it is complete, runnable and free of answers."""

from __future__ import annotations

import ast
import json
import re
import tempfile
import zipfile
from collections.abc import Iterator
from pathlib import Path

from autograder.authoring.finding import Finding, FindingStatus
from autograder.errors import BuildError, PolicyError, unreadable
from autograder.policy import grading_file
from autograder.policy.policy import Policy

__all__ = ["SIZE_LIMIT_MB", "check_zip"]

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
"""The files that Otter's Dockerfile copies, that Gradescope starts, and that the kit grades with."""

ANSWERS = re.compile(r"(^|/)solutions?/(?!calibration\.json$)|exercise\.md$|\.ipynb$")
"""Masters and notebooks with answers in them; grading needs none of these."""

EXECUTABLE = 0o111
EXPECTED = "Expected an autograder zip, made by `mnist-kit build`: dist/autograder.zip."
REBUILD = "Run `mnist-kit build`, and upload the zip that it makes, unchanged."


def check_zip(path: Path) -> tuple[Finding, ...]:
    """Run all checks. Raises BuildError if the file is no zip, or a zip of something else."""
    try:
        with zipfile.ZipFile(path) as archive:
            names = [name for name in archive.namelist() if not name.endswith("/")]
            if not any(Path(name).name in SCRIPTS for name in names):
                inside = ", ".join(names[:3]) or "nothing"
                raise BuildError(f"{path}: this is another kind of zip; it contains {inside}. {EXPECTED}")
            policy, findings = _check_policy(archive, names)
            return (
                _check_size(path),
                _check_contents(names),
                *(_check_script(archive, script) for script in SCRIPTS if script in names),
                _finding("answers", "none in it", ", ".join([name for name in names if ANSWERS.search(name)][:3])),
                _check_secrets(archive, names),
                *findings,
                *(_check_tests(archive, names, policy) if policy else ()),
            )
    except OSError as error:
        raise BuildError(f"{path}: {unreadable(error)}. {EXPECTED}") from error
    except zipfile.BadZipFile as error:
        raise BuildError(f"{path}: it cannot be opened as a zip ({error}). {EXPECTED}") from error


def _finding(title: str, good: str, problem: str = "", remedy: str = REBUILD) -> Finding:
    """Return an error with the problem, if there is one; `good` otherwise."""
    if problem:
        return Finding(FindingStatus.ERROR, title, problem, remedy)
    return Finding(FindingStatus.OK, title, good)


def _check_size(path: Path) -> Finding:
    size = f"{path.stat().st_size / 2**20:.1f} MB"
    too_large = path.stat().st_size > SIZE_LIMIT_MB * 2**20
    return _finding("size", size, f"{size}; Gradescope takes at most {SIZE_LIMIT_MB} MB" if too_large else "", "")


def _check_contents(names: list[str]) -> Finding:
    missing = [name for name in NEEDED if name not in names]
    if not any(name.startswith("tests/") for name in names):
        missing.append("tests/")
    problem = f"missing: {', '.join(missing)}" if missing else ""
    tops = {name.split("/")[0] for name in names}
    if len(tops) == 1 and f"{next(iter(tops))}/setup.sh" in names:
        problem = f"everything is inside the folder {tops.pop()}; its contents should be zipped, not the folder"
    return _finding("contents", "everything that grading needs", problem)


def _check_script(archive: zipfile.ZipFile, name: str) -> Finding:
    content, info = archive.read(name), archive.getinfo(name)
    problem = ""
    if b"\r" in content:
        problem = "it has Windows line endings, which bash rejects"
    elif not content.startswith(b"#!"):
        problem = "its first line does not name an interpreter (#!/usr/bin/env bash)"
    elif not (info.external_attr >> 16) & EXECUTABLE:
        problem = "it is not executable; zips made on Windows lose that"
    return _finding(name, "can be started", problem)


def _check_secrets(archive: zipfile.ZipFile, names: list[str]) -> Finding:
    """Look into Otter's configuration, which can hold a Gradescope token for Otter's own uploads."""
    try:
        config = json.loads(archive.read("otter_config.json")) if "otter_config.json" in names else {}
        keys = [key for key, value in config.items() if value and re.search("token|password|secret", key.lower())]
        problem = f"otter_config.json contains {', '.join(keys)}" if keys else ""
    except ValueError:
        problem = "otter_config.json is not valid JSON"
    return _finding("secrets", "no token or password in it", problem)


def _check_policy(archive: zipfile.ZipFile, names: list[str]) -> tuple[Policy | None, list[Finding]]:
    """Read grading.yml in the zip, and check for the files that it refers to."""
    if "files/grading.yml" not in names:
        return None, []
    with tempfile.TemporaryDirectory() as folder:
        file = Path(archive.extract("files/grading.yml", folder))
        try:
            policy = grading_file.load(file)
        except PolicyError as error:
            return None, [_finding("grading.yml", "", str(error).replace(str(file), "grading.yml"), "Fix it.")]
    images = f"files/assignment/data/{policy.assignment.dataset}.npz"
    missing = "" if images in names else f"missing: {images}"
    findings = [_finding("grading.yml", "can be read"), _finding("images", "those of grading.yml", missing)]
    if any(question.accuracy and question.accuracy.full_accuracy is None for question in policy.code.values()):
        missing = "" if "files/solutions/calibration.json" in names else "reference_margin needs it, and it is missing"
        remedy = "Run `mnist-kit calibrate`, then `mnist-kit build`."
        findings.append(_finding("calibration", "the reference for reference_margin", missing, remedy))
    return policy, findings


def _check_tests(archive: zipfile.ZipFile, names: list[str], policy: Policy) -> Iterator[Finding]:
    """Check that the hidden tests of each question are worth its points in grading.yml."""
    for id, question in policy.code.items():
        name, problem = f"tests/{id}.py", ""
        points = _points(archive.read(name)) if name in names else None
        if points is None:
            problem = "missing, or not Python"
        elif points != question.points:
            problem = f"worth {points:g} points; grading.yml says {question.points:g}"
        yield _finding(name, f"{question.points:g} points", problem)


def _points(test: bytes) -> float | None:
    """Add up the points of the cases in a test file without running it; None if it is not Python."""
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
