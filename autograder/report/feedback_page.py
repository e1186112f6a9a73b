"""Feedback pages: one a student, and one for the class."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from autograder.judge.grade_report import GradeReport, Status
from autograder.policy.policy import Policy
from autograder.report.items import FEWEST, TELLING, analyse, comparable, reading, scatter
from autograder.report.page import environment
from autograder.report.table import automatic, cell, remark

__all__ = ["class_page", "feedback_page"]


def feedback_page(report: GradeReport, policy: Policy) -> str:
    """A page for one student; everything of the student's is escaped. Self-contained and printable.

    The total is of all questions once the written ones are marked; before, it is of the automatic ones.
    """
    page = environment().get_template("feedback.html")
    written = any(question.written for question in report.questions)
    whole = written and report.marked and report.status is Status.GRADED
    return page.render(report=report, policy=policy, automatic=automatic(report), whole=whole)


def class_page(reports: Sequence[GradeReport], policy: Policy, links: Mapping[str, str]) -> str:
    """A page for the instructor: one row a submission, `links` to their feedback pages by name.

    Below: what staff should look at, and how the class did on each question and check.
    """
    items = analyse(reports)
    compared = len(comparable(reports))
    return (
        environment()
        .get_template("class.html")
        .render(
            reports=reports,
            policy=policy,
            links=links,
            automatic=automatic,
            cell=cell,
            remark=remark,
            items=items,
            unsure=any(each.ungraded for item in items for each in (item, *item.checks)),
            compared=compared,
            chance=scatter(compared),
            fewest=FEWEST,
            telling=TELLING,
            reading=reading,
        )
    )
