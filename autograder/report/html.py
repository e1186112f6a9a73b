"""Feedback pages: one a student, and one for the class."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache

import jinja2

from autograder.grade import GradeReport, Outcome, Status
from autograder.items import FEWEST, TELLING, analyse, comparable, reading, scatter
from autograder.policy import Policy
from autograder.report.gradescope import clean
from autograder.report.table import automatic, cell, remark

__all__ = ["class_page", "feedback_page"]

STYLES = {Outcome.NOT_CHECKED: "unchecked", Outcome.AWAITING: "waiting", Outcome.UNGRADED: "waiting"}
"""Classes of base.html for the outcomes whose own words make no class."""


def feedback_page(report: GradeReport, policy: Policy) -> str:
    """A page for one student; everything of the student's is escaped. Self-contained and printable.

    The total is of all questions once the written ones are marked; before, it is of the automatic ones.
    """
    page = _environment().get_template("feedback.html")
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
        _environment()
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
    environment.filters["plus"] = lambda value: f"{value:+g}".replace("-", "−")
    environment.filters["plus"] = lambda value: f"{value:+g}".replace("-", "−")
    environment.filters["percent"] = lambda share: "–" if share is None else f"{share:.0%}".replace("%", " %")
    environment.filters["signed"] = lambda value: "–" if value is None else f"{value:z.2f}".replace("-", "−")
    environment.filters["style"] = lambda outcome: STYLES.get(outcome, outcome.value)
    return environment
