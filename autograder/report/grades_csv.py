"""The grades of a class as CSV, safe to open in a spreadsheet."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence

from autograder.judge.grade_report import GradeReport
from autograder.lms.roster import MatchedRoster
from autograder.policy.policy import Policy
from autograder.report.grade_cells import automatic, grades, remark, unmarked
from autograder.text import escape_formula, printable

__all__ = ["grades_csv", "totals_csv"]

WHO = ("name", "id", "email", "section")

Cell = str | float | None


def grades_csv(reports: Sequence[GradeReport], policy: Policy) -> str:
    """Return one row per submission; unmarked written questions and anything that could not be graded are blank."""
    header = ["submission", *policy.questions, "automatic", "out_of", "accuracy", "status", "remark", "flags"]
    rows = [
        [
            report.name,
            *_earned(report, policy),
            automatic(report) if report.complete else None,
            report.automatic_points,
            None if report.accuracy is None else f"{report.accuracy:.4f}",
            report.status.value,
            remark(report),
            "; ".join(report.flags),
        ]
        for report in reports
    ]
    return _csv(header, rows)


def totals_csv(reports: Sequence[GradeReport], policy: Policy, roster: MatchedRoster | None = None) -> str:
    """Return one row per student, automatic and written points together; undecided ones are blank, with a remark.

    With a roster its students come first, in its order, and then the submissions that belong to none of them.
    """
    header = ["submission", *policy.questions, "automatic", "written", "total", "out_of", "remark"]
    if roster is None:
        return _csv(header, (_totals(report, policy) for report in reports))
    by_name = {report.name: report for report in reports}
    rows: list[list[Cell]] = []
    for enrolment in roster.enrolments:
        student, why = enrolment.student, enrolment.why
        if enrolment.submission is None:
            totals: list[Cell] = [*[None] * (len(header) - 1), why or "no submission"]
        else:
            totals = _totals(by_name[enrolment.submission], policy, why)
        rows.append([student.name, student.id, student.email, student.section, *totals])
    for name in roster.without_student:
        rows.append([*[None] * len(WHO), *_totals(by_name[name], policy, "no student on the roster")])
    return _csv([*WHO, *header], rows)


def _totals(report: GradeReport, policy: Policy, why: str = "") -> list[Cell]:
    """Return the points by question, then automatic, written and all points, each blank while a part is undecided."""
    whole, marked = report.complete, report.marked
    waiting = f"not marked yet: {', '.join(unmarked(report))}" if unmarked(report) else ""
    return [
        report.name,
        *_earned(report, policy),
        automatic(report) if whole else None,
        sum(question.earned or 0.0 for question in report.questions if question.written) if marked else None,
        report.earned if whole and marked else None,
        report.points,
        "; ".join(filter(None, [why, remark(report), waiting])),
    ]


def _earned(report: GradeReport, policy: Policy) -> list[Cell]:
    return [None if question is None else question.earned for question in grades(report, policy)]


def _csv(header: Sequence[str], rows: Iterable[Sequence[Cell]]) -> str:
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(header)
    for row in rows:
        texts = (f"{cell:g}" if isinstance(cell, float | int) else cell or "" for cell in row)
        writer.writerow([escape_formula(printable(text)) for text in texts])
    return out.getvalue()
