"""Everything the kit raises on purpose.

KitError
├── PolicyError        grading.yml says something impossible
├── DatasetError       the image data is missing or not the published one
├── BuildError         the master or the built files are unusable
├── SubmissionError    a submitted file cannot be read (the student's file is at fault)
├── EvidenceError      what a student process left behind breaks the contract
├── GradebookError     the stored results cannot be read or written
├── ReviewError        a reviewer asked for what cannot be done (mark.Conflict: somebody was first)
├── CalibrationError   the solution's runs say nothing about accuracies
├── ReturnedError      grades that were made elsewhere cannot be read
├── RosterError        the list of a course's students cannot be read
├── CanvasError        Canvas's gradebook cannot be read, or its column not be told
├── RequestError       requests to look at a mark again cannot be read
├── IsolationError     student code cannot be confined on this machine
├── SetupError         a package is missing in the environment, or broken
└── GraderFault        the kit itself failed; never costs a student a point
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

__all__ = [
    "BuildError",
    "CalibrationError",
    "CanvasError",
    "DatasetError",
    "EvidenceError",
    "GradebookError",
    "GraderFault",
    "IsolationError",
    "KitError",
    "PolicyError",
    "PolicyProblem",
    "RequestError",
    "ReturnedError",
    "ReviewError",
    "RosterError",
    "SetupError",
    "SubmissionError",
    "unreadable",
]


WITH_DOCKER = "With Docker on this machine: mnist-kit grade --docker SUBMISSIONS."
"""What to do where student code cannot be confined."""


class KitError(Exception):
    """Base of all errors that the kit raises on purpose."""


@dataclass(frozen=True)
class PolicyProblem:
    """One mistake in grading.yml.

    `line` counts from 1; `key` is the dotted path of the culprit; `nearest` is the most similar
    allowed spelling, where one is close.
    """

    line: int | None
    key: str
    found: str
    allowed: str
    nearest: str | None = None


class PolicyError(KitError):
    """grading.yml has one or more mistakes."""

    def __init__(self, path: Path, problems: tuple[PolicyProblem, ...]) -> None:
        super().__init__(path, problems)
        self.path = path
        self.problems = problems

    def __str__(self) -> str:
        blocks = []
        for problem in self.problems:
            where = f"{self.path}:{problem.line}" if problem.line else str(self.path)
            lines = [
                f"{where}: {problem.key or '(top level)'}",
                f"  found:   {problem.found}",
                f"  allowed: {problem.allowed}",
            ]
            if problem.nearest:
                lines.append(f"  did you mean: {problem.nearest}")
            blocks.append("\n".join(lines))
        return "\n".join(blocks)


class DatasetError(KitError):
    """The image data is missing, or is not the data that was published."""


class BuildError(KitError):
    """The master cannot be built, or a built file is missing or unusable."""


class SubmissionError(KitError):
    """A submitted file cannot be graded as it is; the text is meant for the student."""


class EvidenceError(KitError):
    """Bytes left by a student process do not follow the evidence contract."""


class GradebookError(KitError):
    """The stored results cannot be read or written; what was stored before is whole."""


class ReviewError(KitError):
    """A reviewer asked for what cannot be done; nothing was changed."""


class CalibrationError(KitError):
    """The solution cannot be trained as it must be, or its runs say nothing about accuracies."""


class ReturnedError(KitError):
    """A file of grades that were made elsewhere cannot be read; nothing of it was stored."""


class RosterError(KitError):
    """The list of a course's students cannot be read; names the file, the line and what was expected."""


class CanvasError(KitError):
    """Canvas's gradebook cannot be read, or it cannot be told which column is to be filled; nothing was written."""


class RequestError(KitError):
    """Requests to look at a mark again cannot be read; nothing of the file was taken."""


class IsolationError(KitError):
    """Student code cannot be confined on this machine as it must be; says how to get there."""


class SetupError(KitError):
    """A package that is needed is not installed, or cannot be loaded; says how to repair the environment."""


class GraderFault(KitError):
    """The grader itself failed; the submission could not be graded."""


def unreadable(error: OSError) -> str:
    """Why the system did not let a file be read or written, in words, with what to do about it where that is clear."""
    if isinstance(error, FileNotFoundError):
        return "no such file; look at the name, and at the folder you are in"
    if isinstance(error, IsADirectoryError):
        return "it is a folder; name a file in it"
    if isinstance(error, PermissionError):
        return "you may not read it; take that right (chmod u+r), or ask its owner"
    return f"it cannot be read ({error.strerror})"
