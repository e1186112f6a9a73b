"""One run of `mnist-kit join`, from files of grades to a comparison."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from autograder.gradebook.database import existing_location
from autograder.gradebook.gradebook import Gradebook
from autograder.layout import HOME
from autograder.lms import external_grades
from autograder.lms.external_grades import Comparison
from autograder.policy import grading_file

__all__ = ["join"]


def join(paths: Sequence[Path], folder: Path) -> tuple[Comparison, ...]:
    """Store grades that were made elsewhere in the gradebook of a graded class, and compare them with what counts.

    Nothing is stored if one of the files cannot be read. Raises ImportedFileError for that, and GradebookError if the
    folder has no gradebook.
    """
    policy = grading_file.load(HOME.policy)
    rows = external_grades.read(paths, policy)
    with Gradebook(existing_location(folder, None)) as book:
        joined = external_grades.match(rows, book.names())
        book.record_external(joined)
        return tuple(Comparison(grade, grade.row.automatic(policy), _here(book, grade.submission)) for grade in joined)


def _here(book: Gradebook, name: str | None) -> float | None:
    """Return the automatic points that count; None unless every automatic question has them."""
    report = None if name is None else book.current(name)
    if report is None or not report.complete:
        return None
    return sum(question.earned or 0.0 for question in report.questions if not question.written)
