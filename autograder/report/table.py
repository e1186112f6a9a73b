"""A class as rows: for a CSV file, for the screen, and for the class page."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence

from rich import box
from rich.markup import escape
from rich.table import Table

from autograder.gradebook.gradebook import Change
from autograder.judge.grade_report import GradeReport, Outcome, QuestionGrade, Status
from autograder.lms.external_grades import Comparison
from autograder.lms.roster import MatchedRoster, Student
from autograder.policy.policy import Policy
from autograder.text import escape_formula, printable

__all__ = [
    "automatic",
    "cell",
    "changes",
    "grades_csv",
    "join_remarks",
    "joins",
    "phases",
    "remark",
    "remarks",
    "screen",
    "totals_csv",
    "unmarked",
]


def grades_csv(reports: Sequence[GradeReport], policy: Policy) -> str:
    """One row a submission; written questions without a mark and whatever could not be graded are left blank."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(["submission", *policy.questions, "automatic", "out_of", "accuracy", "status", "remark", "flags"])
    for report in reports:
        marks = ["" if question.earned is None else f"{question.earned:g}" for question in report.questions]
        accuracy = "" if report.accuracy is None else f"{report.accuracy:.4f}"
        total = f"{automatic(report):g}" if report.complete else ""
        row = [
            report.name,
            *marks,
            total,
            f"{report.automatic_points:g}",
            accuracy,
            report.status.value,
            remark(report),
            "; ".join(report.flags),
        ]
        writer.writerow([escape_formula(printable(value)) for value in row])
    return out.getvalue()


def totals_csv(reports: Sequence[GradeReport], policy: Policy, roll: MatchedRoster | None = None) -> str:
    """One row a student, automatic and written points together; what is not decided yet is blank, and said so.

    With a roster its students come first, in its order, and then the submissions that belong to none of them.
    """
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    who = [] if roll is None else ["name", "id", "email", "section"]
    writer.writerow([*who, "submission", *policy.questions, "automatic", "written", "total", "out_of", "remark"])
    graded = {report.name: report for report in reports}
    rows: list[tuple[Sequence[str], str | None, str]] = []
    if roll is None:
        rows += [((), report.name, "") for report in reports]
    else:
        rows += [(_person(each.student), each.submission, each.why) for each in roll.enrolments]
        rows += [([""] * len(who), name, "no student on the roster") for name in roll.without_student]
    for person, name, why in rows:
        report = None if name is None else graded[name]
        points = [""] * (len(policy.questions) + 4) if report is None else _points(report, policy)
        said = [why or "no submission"] if report is None else [why, remark(report), _waiting(report)]
        row = [*person, name or "", *points, "; ".join(filter(None, said))]
        writer.writerow([escape_formula(printable(value)) for value in row])
    return out.getvalue()


def screen(reports: Sequence[GradeReport], policy: Policy) -> Table:
    """The same as a table for the terminal."""
    table = Table(box=box.SIMPLE_HEAD, title=escape(policy.assignment.title), title_justify="left")
    table.add_column("submission", overflow="fold")
    for id, question in policy.questions.items():
        table.add_column(f"{id}\n/{question.points:g}", justify="right", no_wrap=True)
    most = sum(question.points for question in policy.code.values())
    table.add_column(f"auto\n/{most:g}", justify="right", no_wrap=True)
    table.add_column("accuracy", justify="right", no_wrap=True)
    for report in reports:
        total = f"{automatic(report):g}" if report.complete else "?"
        accuracy = "" if report.accuracy is None else f"{report.accuracy:.1%}"
        style = {Status.REJECTED: "yellow", Status.UNGRADED: "red"}.get(report.status)
        marks = [cell(question) for question in report.questions]
        table.add_row(escape(printable(report.name)), *marks, total, accuracy, style=style)
    return table


def remarks(reports: Sequence[GradeReport]) -> str:
    """What there is to say about single submissions, a line each, for the terminal."""
    return "\n".join(f"{printable(each.name)}: {printable(remark(each))}" for each in reports if remark(each))


def changes(changed: Sequence[Change]) -> Table:
    """Points before and after, for whoever decides whether they are to count."""
    table = Table(box=box.SIMPLE_HEAD, title="Points that change", title_justify="left")
    table.add_column("submission", overflow="fold")
    for heading in ("before", "after"):
        table.add_column(heading, justify="right", no_wrap=True)
    for each in changed:
        points = ("?" if value is None else f"{value:g}" for value in (each.before, each.after))
        table.add_row(escape(printable(each.name)), *points)
    return table


def joins(compared: Sequence[Comparison]) -> Table:
    """Grades that were made elsewhere beside those of the gradebook; `?` where there is none."""
    count = sum(each.joined.submission is not None for each in compared)
    table = Table(box=box.SIMPLE_HEAD, title=f"{count} of {len(compared)} joined", title_justify="left")
    table.add_column("name", overflow="fold")
    table.add_column("origin", no_wrap=True)
    table.add_column("joined to", overflow="fold")
    for heading in ("total\nthere", "auto\nthere", "auto\nhere", "difference"):
        table.add_column(heading, justify="right", no_wrap=True)
    for each in compared:
        row, submission = each.joined.row, each.joined.submission
        points = ["?" if value is None else f"{value:g}" for value in (row.total, each.there, each.here)]
        difference = "" if each.difference is None else f"{each.difference:+g}" if each.difference else "0"
        style = "dim" if submission is None else "yellow" if each.difference else None
        names = (escape(printable(value)) for value in (row.name, row.origin, submission or "–"))
        table.add_row(*names, *points, difference, style=style)
    return table


def join_remarks(compared: Sequence[Comparison]) -> str:
    """What could not be joined and why, and what is no grade, a line each, for the terminal."""
    lines = []
    for each in compared:
        row = each.joined.row
        said = [] if each.joined.submission is not None else [f"not joined, {each.joined.why}"]
        if row.total is None:
            status = row.status.partition("\n")[0]
            why = f"which says {status}" if status else "nor a reason"
            said.append(f"no grade from {row.origin}, {why}")
        if said:
            lines.append(f"{row.name}: {'; '.join(said)}")
    return "\n".join(map(printable, lines))


def phases(seconds: Mapping[str, float]) -> str:
    """Where the time of a run went; empty where nothing was graded."""
    if "all" not in seconds:
        return ""
    added = ", ".join(f"{phase} {spent:.0f} s" for phase, spent in seconds.items() if phase not in ("all", "start"))
    return f"{seconds['all']:.0f} s, of which {seconds['start']:.0f} s to start; added up over submissions: {added}"


def cell(question: QuestionGrade) -> str:
    """Points, `•` for an answer that waits for a reader, `–` for one that was not given, `?` for a fault of ours."""
    if question.outcome is Outcome.AWAITING:
        return "•" if question.answer else "–"
    return "?" if question.earned is None else f"{question.earned:g}"


def remark(report: GradeReport) -> str:
    """The one thing to know about a submission at a glance."""
    if report.fault:
        return f"could not be graded: {report.fault}".partition("\n")[0]
    for question in report.questions:
        for check in question.checks if question.outcome is Outcome.UNGRADED else ():
            if check.outcome is Outcome.UNGRADED:
                return f"{question.id} could not be graded: {check.message.rpartition(chr(10))[2]}"
    return next((note for note in report.notes if "no answer was written" not in note), "")


def automatic(report: GradeReport) -> float:
    """What the automatic questions gave, so far as they are decided."""
    return sum(question.earned or 0.0 for question in report.questions if not question.written)


def unmarked(report: GradeReport) -> tuple[str, ...]:
    """The written questions that nobody has marked yet."""
    return tuple(question.id for question in report.questions if question.outcome is Outcome.AWAITING)


def _person(student: Student) -> Sequence[str]:
    return student.name, student.id, student.email, student.section


def _waiting(report: GradeReport) -> str:
    return f"not marked yet: {', '.join(unmarked(report))}" if unmarked(report) else ""


def _points(report: GradeReport, policy: Policy) -> list[str]:
    """By question, then automatic, written and all points, each blank while a part of it is open; and the most."""
    earned = {question.id: question.earned for question in report.questions}
    shown = [
        *(earned.get(id) for id in policy.questions),
        automatic(report) if report.complete else None,
        sum(question.earned or 0.0 for question in report.questions if question.written) if report.marked else None,
        report.earned if report.complete and report.marked else None,
        report.points,
    ]
    return ["" if points is None else f"{points:g}" for points in shown]
