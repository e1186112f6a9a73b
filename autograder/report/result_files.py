"""Where the results of a run go: the one place that writes them to disk.

out/index.html                     the class
out/grades.csv                     one row a submission
out/submissions/NAME/results.json  Gradescope's form
out/submissions/NAME/feedback.html for the student
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from autograder import atomic
from autograder.errors import BuildError
from autograder.judge.grade_report import GradeReport
from autograder.policy.policy import Policy
from autograder.report import feedback_page, results_json, table
from autograder.submissions.submission import slug

__all__ = ["folder", "prepare", "replace", "write_class", "write_one", "write_report", "write_requests"]


def prepare(output: Path) -> None:
    """Make the output folder. Raises BuildError where that cannot be."""
    try:
        (output / "submissions").mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise BuildError(
            f"{output}: results cannot be written there ({error.strerror}); name another folder with -o"
        ) from error


def folder(report: GradeReport) -> str:
    """A submission's folder, relative to the output folder."""
    return f"submissions/{slug(report.name)}"


def write_one(report: GradeReport, policy: Policy, output: Path) -> None:
    """results.json and the feedback page of one submission. Raises BuildError where the disk does not take them."""
    place = output / folder(report)
    try:
        place.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise BuildError(f"{place}: it cannot be made ({error.strerror})") from error
    document = results_json.results(report, policy)
    replace(place / "results.json", json.dumps(document, indent=1, ensure_ascii=False) + "\n")
    replace(place / "feedback.html", feedback_page.feedback_page(report, policy))


def write_class(reports: Sequence[GradeReport], policy: Policy, output: Path) -> Path:
    """grades.csv and the class page; returns the page's path."""
    replace(output / "grades.csv", table.grades_csv(reports, policy))
    links = {report.name: f"{folder(report)}/feedback.html" for report in reports}
    page = output / "index.html"
    replace(page, feedback_page.class_page(reports, policy, links))
    return page


def write_report(page: str, output: Path) -> Path:
    """The class report; returns its path."""
    path = output / "report.html"
    replace(path, page)
    return path


def write_requests(text: str, output: Path) -> Path:
    """The regrade requests as CSV; returns the file's path."""
    path = output / "export" / "requests.csv"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise BuildError(f"{path.parent}: it cannot be made ({error.strerror})") from error
    replace(path, text)
    return path


def replace(path: Path, content: str | bytes) -> None:
    """Write a file whole or not at all. Raises BuildError if the disk does not allow it."""
    try:
        atomic.write(path, content)
    except OSError as error:
        raise BuildError(
            f"{path}: it cannot be written ({error.strerror}); what was written before is complete"
        ) from error
