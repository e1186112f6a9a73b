"""One run of `mnist-kit doctor`: the findings about this machine, or about an autograder zip before it is uploaded."""

from __future__ import annotations

import ast
import json
import re
import tempfile
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from autograder.engine.isolation import HOW_TO_GET, NO_PLAN, Examination
from autograder.errors import BuildError, PolicyError, unreadable
from autograder.policy import grading_file

__all__ = ["Finding", "FindingStatus", "check_machine", "check_zip"]

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


class FindingStatus(StrEnum):
    """The outcome of one check: a `NOTE` is only for reading, a `CHECK` can wait, an `ERROR` must be fixed first."""

    OK = "ok"
    NOTE = "note"
    CHECK = "check"
    ERROR = "error"


OK, NOTE, CHECK, ERROR = FindingStatus


@dataclass(frozen=True)
class Finding:
    """The result of one check: its title, what was found and, if something should be done, what to do."""

    status: FindingStatus
    title: str
    detail: str = ""
    remedy: str = ""

    @property
    def is_error(self) -> bool:
        return self.status is ERROR


def check_machine(examination: Examination) -> Iterator[Finding]:
    """Yield a finding for each layer of confinement: an error for a missing one that grading requires."""
    if examination.plan is NO_PLAN:
        yield Finding(ERROR, "system", "student code can only be confined on Linux, x86_64 or aarch64")
        return
    yield Finding(NOTE, "system", examination.plan.where)
    for offer in examination.layers:
        if offer.there:
            yield Finding(OK, offer.layer, f"available: {offer.why}" if offer.why else "available")
        else:
            required = offer.layer in examination.plan.required
            detail = f"missing, {'required' if required else 'optional'}: {offer.why}"
            remedy = f"Get it: {HOW_TO_GET.get(offer.layer, 'a newer kernel')}."
            yield Finding(ERROR if required else CHECK, offer.layer, detail, remedy)


def check_zip(path: Path) -> tuple[Finding, ...]:
    """Check that a zip is complete, runnable and free of answers. Raises BuildError if it is no autograder zip."""
    try:
        with zipfile.ZipFile(path) as archive:
            names = [name for name in archive.namelist() if not name.endswith("/")]
            if not any(Path(name).name in SCRIPTS for name in names):
                inside = ", ".join(names[:3]) or "nothing"
                raise BuildError(f"{path}: this is another kind of zip; it contains {inside}. {EXPECTED}")
            return (_check_size(path), *_check_contents(archive, names), *_check_grading(archive, names))
    except OSError as error:
        raise BuildError(f"{path}: {unreadable(error)}. {EXPECTED}") from error
    except zipfile.BadZipFile as error:
        raise BuildError(f"{path}: it cannot be opened as a zip ({error}). {EXPECTED}") from error


def _finding(title: str, good: str, problem: str, remedy: str = REBUILD) -> Finding:
    """Return an error with the problem, if there is one; `good` otherwise."""
    return Finding(ERROR, title, problem, remedy) if problem else Finding(OK, title, good)


def _check_size(path: Path) -> Finding:
    size = f"{path.stat().st_size / 2**20:.1f} MB"
    too_large = path.stat().st_size > SIZE_LIMIT_MB * 2**20
    return _finding("size", size, f"{size}; Gradescope takes at most {SIZE_LIMIT_MB} MB" if too_large else "", "")


def _check_contents(archive: zipfile.ZipFile, names: list[str]) -> Iterator[Finding]:
    """Check which files there are, that Gradescope can start the scripts, and that nothing secret is in any."""
    missing = [name for name in NEEDED if name not in names]
    if not any(name.startswith("tests/") for name in names):
        missing.append("tests/")
    problem = f"missing: {', '.join(missing)}" if missing else ""
    tops = {name.split("/")[0] for name in names}
    if len(tops) == 1 and f"{next(iter(tops))}/setup.sh" in names:
        problem = f"everything is inside the folder {tops.pop()}; its contents should be zipped, not the folder"
    yield _finding("contents", "everything that grading needs", problem)
    for script in SCRIPTS:
        if script in names:
            yield _finding(script, "can be started", _fault_of_script(archive, script))
    yield _finding("answers", "none in it", ", ".join([name for name in names if ANSWERS.search(name)][:3]))
    config = archive.read("otter_config.json") if "otter_config.json" in names else b"{}"
    yield _finding("secrets", "no token or password in it", _secrets(config))


def _fault_of_script(archive: zipfile.ZipFile, name: str) -> str:
    content = archive.read(name)
    if b"\r" in content:
        return "it has Windows line endings, which bash rejects"
    if not content.startswith(b"#!"):
        return "its first line does not name an interpreter (#!/usr/bin/env bash)"
    executable = (archive.getinfo(name).external_attr >> 16) & EXECUTABLE
    return "" if executable else "it is not executable; zips made on Windows lose that"


def _secrets(config: bytes) -> str:
    """Return the secrets in Otter's configuration, which can hold a Gradescope token for Otter's own uploads."""
    try:
        settings = json.loads(config)
    except ValueError:
        return "otter_config.json is not valid JSON"
    keys = [key for key, value in settings.items() if value and re.search("token|password|secret", key.lower())]
    return f"otter_config.json contains {', '.join(keys)}" if keys else ""


def _check_grading(archive: zipfile.ZipFile, names: list[str]) -> Iterator[Finding]:
    """Read grading.yml in the zip; check the files it refers to, and that the hidden tests are worth its points."""
    if "files/grading.yml" not in names:
        return
    with tempfile.TemporaryDirectory() as folder:
        file = Path(archive.extract("files/grading.yml", folder))
        try:
            policy = grading_file.load(file)
        except PolicyError as error:
            yield Finding(ERROR, "grading.yml", str(error).replace(str(file), "grading.yml"), "Fix it.")
            return
    yield Finding(OK, "grading.yml", "can be read")
    images = f"files/assignment/data/{policy.assignment.dataset}.npz"
    yield _finding("images", "those of grading.yml", "" if images in names else f"missing: {images}")
    if any(question.accuracy and question.accuracy.full_accuracy is None for question in policy.code.values()):
        missing = "" if "files/solutions/calibration.json" in names else "reference_margin needs it, and it is missing"
        remedy = "Run `mnist-kit calibrate`, then `mnist-kit build`."
        yield _finding("calibration", "the reference for reference_margin", missing, remedy)
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
    keywords = [node for node in ast.walk(tree) if isinstance(node, ast.keyword) and node.arg == "points"]
    values = [keyword.value.value for keyword in keywords if isinstance(keyword.value, ast.Constant)]
    return round(sum(value for value in values if isinstance(value, int | float)), 6)
