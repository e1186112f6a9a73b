"""The errors that the kit raises on purpose, as a tree by what a caller catches.

KitError                   the command line prints it and exits with 2; the checks of new-term report it
├── PolicyError            grading.yml has mistakes, each with its line
├── DatasetError           the images are missing, or are not the published ones
├── BuildError             the master or a built file is missing or unusable
├── CalibrationError       the solution cannot be trained, or its runs do not show which accuracies to expect
├── ImportedFileError      a file made elsewhere cannot be used: grades, a roster, Canvas's gradebook, regrade requests
├── GradebookError         the stored results cannot be read or written
├── SetupError             this machine or its packages lack something
├── SubmissionError        a student's file cannot be graded: the engine rejects it with this text
├── EvidenceError          a student process left evidence that breaks the contract: not graded, not tried again
├── GraderFault            the kit itself failed: the engine tries once more, and no student loses a point
└── ReviewError            a reviewer's request is impossible: its page says why
    └── mark.Conflict      another reviewer was faster: the page shows both marks

Exceptions outside the tree end in the folder where they are raised: sandbox.ConfineError and TimeLimit (that folder
imports nothing of ours), judge.CheckFailed, NotChecked and CannotRebuild (they become a check's outcome or a flag).
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

__all__ = [
    "WITH_DOCKER",
    "BuildError",
    "CalibrationError",
    "DatasetError",
    "EvidenceError",
    "GradebookError",
    "GraderFault",
    "ImportedFileError",
    "KitError",
    "PolicyError",
    "PolicyProblem",
    "ReviewError",
    "SetupError",
    "SubmissionError",
    "unreadable",
]


WITH_DOCKER = "With Docker on this machine: mnist-kit grade --docker SUBMISSIONS."
"""The next step on a machine that cannot confine student code."""


class KitError(Exception):
    """Base of all errors that the kit raises on purpose."""


@dataclass(frozen=True)
class PolicyProblem:
    """One mistake in grading.yml.

    `line` counts from 1; `key` is the dotted path of the culprit; `nearest` is the most similar allowed spelling, if
    one is close.
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
        lines = []
        for problem in self.problems:
            location = f"{self.path}:{problem.line}" if problem.line else str(self.path)
            lines += [
                f"{location}: {problem.key or '(top level)'}",
                f"  found:   {problem.found}",
                f"  allowed: {problem.allowed}",
            ]
            if problem.nearest:
                lines.append(f"  did you mean: {problem.nearest}")
        return "\n".join(lines)


class DatasetError(KitError):
    """The image data is missing, or is not the data that was published."""


class BuildError(KitError):
    """The master cannot be built, or a built file is missing or unusable."""


class CalibrationError(KitError):
    """The solution cannot be trained properly, or its runs do not show which accuracies to expect."""


class ImportedFileError(KitError):
    """A file made elsewhere cannot be used; nothing from it was stored, and nothing was written to it."""


class GradebookError(KitError):
    """The stored results cannot be read or written; results stored before are intact."""


class SetupError(KitError):
    """A package is missing or broken, or student code cannot be confined here; the text says how to repair that."""


class SubmissionError(KitError):
    """A submitted file cannot be graded as it is; the text is meant for the student."""


class EvidenceError(KitError):
    """Bytes left by a student process do not follow the evidence contract."""


class GraderFault(KitError):
    """The grader itself failed; the submission could not be graded."""


class ReviewError(KitError):
    """A reviewer asked for something impossible; nothing was changed."""


def unreadable(error: OSError) -> str:
    """Return why a file could not be read, with the next step if it is clear."""
    if isinstance(error, FileNotFoundError):
        return "no such file; check the name and the current folder"
    if isinstance(error, IsADirectoryError):
        return "it is a folder; name a file in it"
    if isinstance(error, PermissionError):
        return "you have no permission to read it; allow it (chmod u+r), or ask its owner"
    return f"it cannot be read ({error.strerror})"
