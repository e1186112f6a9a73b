"""How pages are made of templates: every word escaped and cleaned, whoever wrote it."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import jinja2
from markupsafe import Markup

from autograder.judge.grade_report import Outcome
from autograder.text import printable_lines

__all__ = ["environment", "made", "style"]

STYLES = {Outcome.NOT_CHECKED: "unchecked", Outcome.AWAITING: "waiting", Outcome.UNGRADED: "waiting"}
"""Classes of base.html for the outcomes whose own words make no class."""


@lru_cache(maxsize=1)
def environment() -> jinja2.Environment:
    """The templates beside this module, with the filters that they use."""
    ours = made("autograder.report")
    ours.filters["percent"] = lambda share: "–" if share is None else f"{share:.0%}".replace("%", " %")
    ours.filters["signed"] = lambda value: "–" if value is None else f"{value:z.2f}".replace("-", "−")
    ours.filters["style"] = style
    return ours


def made(package: str) -> jinja2.Environment:
    """The templates of a package; numbers are written the same everywhere."""
    new = jinja2.Environment(
        loader=jinja2.PackageLoader(package),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
        finalize=_final,
    )
    new.filters["number"] = lambda value: f"{value:g}"
    new.filters["plus"] = lambda value: f"{value:+g}".replace("-", "−")
    return new


def style(outcome: Outcome) -> str:
    """The class of an outcome in the style sheets."""
    return STYLES.get(outcome, outcome.value)


def _final(value: Any) -> Any:
    """Markup is what macros and charts made, of words that went through here before."""
    return printable_lines(value) if isinstance(value, str) and not isinstance(value, Markup) else value
