"""The files of a run: the one module of this folder that touches the disk.

out/index.html                     the report on the class
out/grades.csv                     one row per submission
out/submissions/NAME/results.json  in Gradescope's format
out/submissions/NAME/feedback.html for the student
"""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path

from autograder import atomic
from autograder.errors import BuildError
from autograder.gradebook.marked_report import MarkedClass
from autograder.judge.grade_report import GradeReport
from autograder.policy.policy import Policy
from autograder.report import results_json
from autograder.report.class_report import class_report
from autograder.report.grades_csv import grades_csv
from autograder.report.page import feedback_page
from autograder.submissions.submission import slug

__all__ = ["folder", "prepare", "write", "write_class", "write_class_report", "write_submission"]


def prepare(output: Path) -> None:
    """Make the output folder. Raises BuildError if the disk does not allow it."""
    try:
        (output / "submissions").mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise BuildError(
            f"{output}: results cannot be written there ({error.strerror}); name another folder with -o"
        ) from error


def folder(name: str) -> str:
    """Return the folder of a submission, relative to the output folder."""
    return f"submissions/{slug(name)}"


def write_submission(report: GradeReport, policy: Policy, output: Path) -> None:
    """Write results.json and the feedback page of one submission. Raises BuildError."""
    target = output / folder(report.name)
    document = results_json.results(report, policy)
    write(target / "results.json", json.dumps(document, indent=1, ensure_ascii=False) + "\n")
    write(target / "feedback.html", feedback_page(report, policy))


def write_class(seen: MarkedClass, output: Path) -> Path:
    """Write grades.csv and the report on the class; return the report's path. Raises BuildError."""
    write(output / "grades.csv", grades_csv(seen.reports, seen.policy))
    return write_class_report(seen, output)


def write_class_report(seen: MarkedClass, output: Path) -> Path:
    """Write index.html, with links to the feedback pages that are there; return its path. Raises BuildError."""
    pages = {report.name: f"{folder(report.name)}/feedback.html" for report in seen.reports}
    links = {name: page for name, page in pages.items() if (output / page).is_file()}
    made_at = datetime.now().astimezone().strftime("%Y-%m-%d %H:%M %Z")
    return write(output / "index.html", class_report(seen, links=links, made_at=made_at))


def write(path: Path, content: str | bytes) -> Path:
    """Write a file whole or not at all, making its folder; return its path. Raises BuildError."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise BuildError(f"{path.parent}: the folder cannot be made ({error.strerror})") from error
    try:
        atomic.write(path, content)
    except OSError as error:
        raise BuildError(
            f"{path}: it cannot be written ({error.strerror}); what was written before is complete"
        ) from error
    return path
