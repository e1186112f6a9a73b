"""Tables and sentences for the terminal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from rich import box
from rich.markup import escape
from rich.table import Table

from autograder.gradebook.gradebook import GradeChange
from autograder.judge.grade_report import GradeReport, Status
from autograder.lms.external_grades import Comparison
from autograder.policy.policy import Policy
from autograder.report.grade_cells import LEGEND, automatic, grades, remark, symbol
from autograder.text import printable

__all__ = ["changed_points", "class_grades", "external_grades", "join_remarks", "legend", "remarks", "timing"]


def class_grades(reports: Sequence[GradeReport], policy: Policy) -> Table:
    """Return one row per submission with its points by question."""
    questions = [f"{id}\n/{question.points:g}" for id, question in policy.questions.items()]
    most = sum(question.points for question in policy.code.values())
    table = _table(policy.assignment.title, ["submission"], [*questions, f"auto\n/{most:g}", "accuracy"])
    for report in reports:
        total = f"{automatic(report):g}" if report.complete else "?"
        accuracy = "" if report.accuracy is None else f"{report.accuracy:.1%}"
        style = {Status.REJECTED: "yellow", Status.UNGRADED: "red"}.get(report.status)
        points = map(symbol, grades(report, policy))
        table.add_row(escape(printable(report.name)), *points, total, accuracy, style=style)
    return table


def legend() -> str:
    """Return what the symbols in `class_grades` mean."""
    return "   ".join(f"{symbol} {meaning}" for symbol, meaning in LEGEND.items())


def remarks(reports: Sequence[GradeReport]) -> str:
    """Return a line for each submission that has a remark."""
    return "\n".join(f"{printable(report.name)}: {printable(found)}" for report in reports if (found := remark(report)))


def changed_points(changes: Sequence[GradeChange]) -> Table:
    """Return points before and after, to decide whether they are to count."""
    table = _table("Points that change", ["submission"], ["before", "after"])
    for change in changes:
        table.add_row(escape(printable(change.name)), _points(change.before), _points(change.after))
    return table


def external_grades(comparisons: Sequence[Comparison]) -> Table:
    """Return grades that were made elsewhere next to those of the gradebook; `?` if there is none."""
    count = sum(pair.joined.submission is not None for pair in comparisons)
    numbers = ["total\nthere", "auto\nthere", "auto\nhere", "difference"]
    table = _table(f"{count} of {len(comparisons)} joined", ["name", "origin", "joined to"], numbers)
    table.columns[1].no_wrap = True
    for pair in comparisons:
        row, submission = pair.joined.row, pair.joined.submission
        difference = "" if pair.difference is None else f"{pair.difference:+g}" if pair.difference else "0"
        style = "dim" if submission is None else "yellow" if pair.difference else None
        names = (escape(printable(value)) for value in (row.name, row.origin, submission or "–"))
        table.add_row(*names, *map(_points, (row.total, pair.there, pair.here)), difference, style=style)
    return table


def join_remarks(comparisons: Sequence[Comparison]) -> str:
    """Return a line for each row that could not be joined, or that is no grade, with the reason."""
    lines = []
    for pair in comparisons:
        row = pair.joined.row
        found = [] if pair.joined.submission is not None else [f"not joined, {pair.joined.why}"]
        if row.total is None:
            status = row.status.partition("\n")[0]
            found.append(f"no grade from {row.origin}, {f'its status is {status}' if status else 'without a reason'}")
        if found:
            lines.append(printable(f"{row.name}: {'; '.join(found)}"))
    return "\n".join(lines)


def timing(seconds: Mapping[str, float]) -> str:
    """Return the wall time of a run and of its phases; empty if nothing was graded."""
    if "all" not in seconds:
        return ""
    added = ", ".join(f"{phase} {spent:.0f} s" for phase, spent in seconds.items() if phase not in ("all", "start"))
    return f"{seconds['all']:.0f} s, of which {seconds['start']:.0f} s to start; summed over submissions: {added}"


def _table(title: str, texts: Sequence[str], numbers: Sequence[str]) -> Table:
    """Return a table without rows: columns of texts, then columns of numbers."""
    table = Table(box=box.SIMPLE_HEAD, title=escape(title), title_justify="left")
    for heading in texts:
        table.add_column(heading, overflow="fold")
    for heading in numbers:
        table.add_column(heading, justify="right", no_wrap=True)
    return table


def _points(points: float | None) -> str:
    return "?" if points is None else f"{points:g}"
