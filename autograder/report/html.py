"""Feedback pages: one a student, and one for the class."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from autograder.grade import GradeReport
from autograder.items import FEWEST, TELLING, analyse, comparable, reading, scatter
from autograder.policy import Policy
from autograder.report.page import environment
from autograder.report.table import cell, remark

__all__ = ["class_page", "feedback_page"]


def feedback_page(report: GradeReport, policy: Policy) -> str:
    """A page for one student; everything of the student's is escaped. Self-contained and printable."""
    return environment().get_template("feedback.html").render(report=report, policy=policy)


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
