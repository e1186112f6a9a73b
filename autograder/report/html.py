"""Feedback pages: one a student, and one for the class."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache

import jinja2

from autograder.grade import GradeReport
from autograder.policy import Policy
from autograder.report.gradescope import clean
from autograder.report.table import cell, remark

__all__ = ["class_page", "feedback_page"]


def feedback_page(report: GradeReport, policy: Policy) -> str:
    """A page for one student; everything of the student's is escaped. Self-contained and printable."""
    return _environment().get_template("feedback.html").render(report=report, policy=policy)


def class_page(reports: Sequence[GradeReport], policy: Policy, links: Mapping[str, str]) -> str:
    """A page for the instructor: one row a submission, `links` to their feedback pages by name."""
    return (
        _environment()
        .get_template("class.html")
        .render(reports=reports, policy=policy, links=links, cell=cell, remark=remark)
    )


@lru_cache(maxsize=1)
def _environment() -> jinja2.Environment:
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("autograder.report"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=clean,
    )
    environment.filters["number"] = lambda value: f"{value:g}"
    return environment
