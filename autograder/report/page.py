"""The environment in which templates become pages, every text escaped and printable, and the page of one student."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import jinja2
from markupsafe import Markup

from autograder.judge.grade_report import GradeReport, Outcome, Status
from autograder.policy.policy import Policy
from autograder.report.grade_cells import automatic
from autograder.text import printable_lines

__all__ = ["css_class", "environment", "environment_of", "feedback_page"]

CLASSES = {Outcome.NOT_CHECKED: "unchecked", Outcome.AWAITING: "waiting", Outcome.UNGRADED: "waiting"}
"""CSS classes of the outcomes whose names cannot be used as such."""


@lru_cache(maxsize=1)
def environment() -> jinja2.Environment:
    """Return the templates of this folder, with the filters that they use."""
    ours = environment_of("autograder.report")
    ours.filters["percent"] = lambda share: "–" if share is None else f"{share:.0%}".replace("%", " %")
    ours.filters["css_class"] = css_class
    return ours


def environment_of(package: str) -> jinja2.Environment:
    """Return the templates of a package, with numbers written the same everywhere."""
    new = jinja2.Environment(
        loader=jinja2.PackageLoader(package),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
        finalize=_printable,
    )
    new.filters["number"] = lambda value: f"{value:g}"
    new.filters["plus"] = lambda value: f"{value:+g}".replace("-", "−")
    new.filters["signed"] = lambda value: "–" if value is None else f"{value:z.2f}".replace("-", "−")
    return new


def css_class(outcome: Outcome) -> str:
    """Return the class of an outcome in the style sheets."""
    return CLASSES.get(outcome, outcome.value)


def _printable(value: Any) -> Any:
    """Markup comes from macros; its texts went through here before."""
    return printable_lines(value) if isinstance(value, str) and not isinstance(value, Markup) else value


def feedback_page(report: GradeReport, policy: Policy) -> str:
    """Return a self-contained page that prints well; everything of the student's is escaped.

    The total is of all questions once the written ones are marked; before, it is of the automatic ones.
    """
    page = environment().get_template("feedback.html")
    written = any(question.written for question in report.questions)
    whole = written and report.marked and report.status is Status.GRADED
    return page.render(report=report, policy=policy, automatic=automatic(report), whole=whole)
