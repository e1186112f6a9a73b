"""One run of `mnist-kit doctor`: the findings about this machine, or about an autograder zip before it is uploaded."""

from __future__ import annotations

import json
import re
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from autograder.authoring.autograder_zip import EXECUTABLE, MANIFEST, digest
from autograder.engine.isolation import HOW_TO_GET, NO_PLAN, Examination
from autograder.errors import BuildError, unreadable

__all__ = ["Finding", "FindingStatus", "check_machine", "check_zip"]

SIZE_LIMIT_MB = 100  # megabytes that Gradescope takes in one upload
SHOWN = 3  # files of one kind that are named
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
            if not any(Path(name).name in EXECUTABLE for name in names):
                inside = ", ".join(names[:3]) or "nothing"
                raise BuildError(f"{path}: this is another kind of zip; it contains {inside}. {EXPECTED}")
            return (_check_size(path), *_check_contents(archive, names))
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
    """Check that the files are those that were built, that scripts can be started, and that there is no token."""
    if MANIFEST not in names:
        nested = next((name for name in names if name.endswith(f"/{MANIFEST}")), "")
        folder = nested.removesuffix(f"/{MANIFEST}")
        inside = f"everything is inside the folder {folder}; its contents should be zipped, not the folder"
        yield Finding(ERROR, "contents", inside if nested else f"missing: {MANIFEST}", REBUILD)
        return
    try:
        built = dict(json.loads(archive.read(MANIFEST))["entries"])
    except (ValueError, KeyError, TypeError):
        yield Finding(ERROR, "contents", f"{MANIFEST} is damaged, or of an older version of the kit", REBUILD)
        return
    found = {name: digest(archive.read(name)) for name in names if name != MANIFEST}
    problems = {
        "missing": [name for name in built if name not in found],
        "changed": [name for name in built if name in found and found[name] != built[name]],
        "added": [name for name in found if name not in built],
    }
    problem = "; ".join(f"{kind}: {', '.join(which[:SHOWN])}" for kind, which in problems.items() if which)
    yield _finding("contents", f"{len(built)} files, as they were built", problem)
    if problem:
        return
    lost = [name for name in EXECUTABLE if not archive.getinfo(name).external_attr >> 16 & 0o111]
    problem = f"not executable: {', '.join(lost)}; zips made on Windows lose that" if lost else ""
    yield _finding("scripts", "can be started", problem)
    settings = json.loads(archive.read("otter_config.json"))
    secrets = [key for key, value in settings.items() if value and re.search("token|password|secret", key.lower())]
    yield _finding("secrets", "no token or password in it", ", ".join(secrets), "Take them out of exercise.md.")
